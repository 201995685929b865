/* Refusals inside a session, and of what was asked: messages that are sealed under right keys, and wrong all the same. A peer
 * that is broken or hostile after it has proved itself gets no further than one that has not. */
#include "spdm/spdm.h"
#include "spdm_pair.h"

#include <string.h>

static tl_spdm_pair p;

static void open_pair(void)
{
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P256);
    tl_spdm_pair_begin(&p);
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_session, NULL));
}

/* ---- the responder, in a session ---- */

/* Sends the message in a record of the session; the code of the answer's error. */
static uint8_t refused(const uint8_t *message, size_t n)
{
    uint8_t record[256], answer[TL_PAIR_OUT];
    tl_wr w = tl_wr_of(record, sizeof record);
    tl_spdm_out out = { .w = tl_wr_of(answer, sizeof answer) };
    tl_span got;

    p.now_ms++;
    tl_assert_ok(p.rq.c.session_ops->seal(&p.rq.c, tl_span_of(message, n), &w));
    (void)!tl_responder_step(&p.rs, p.now_ms, (tl_spdm_in){ record, w.n, true }, &out);
    assert_true(out.secured);
    tl_assert_ok(p.rq.c.session_ops->open(&p.rq.c, p.now_ms, answer, out.w.n, &got));
    assert_int_equal(got.n, 4);
    assert_int_equal(got.p[1], TL_SPDM_ERROR);
    return got.p[2];
}

enum { INVALID_REQUEST = 1 };

static void request_in_a_session_that_goes_on_after_its_end_then_invalid(void **s)
{
    static const uint8_t rows[][5] = {
        { 0x13, TL_SPDM_HEARTBEAT, 0, 0, 0xAA },
        { 0x13, TL_SPDM_KEY_UPDATE, 1, 7, 0xAA },
        { 0x13, TL_SPDM_END_SESSION, 0, 0, 0xAA },
        { 0x13, TL_SPDM_GET_MEASUREMENTS, 0, 0xFF, 0xAA },
    };

    (void)s;
    open_pair();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (refused(rows[i], sizeof rows[i]) != INVALID_REQUEST)
            fail_msg("row %zu", i);
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_heartbeat, NULL)); /* the session stands */
    tl_spdm_pair_close(&p);
}

static void request_in_a_session_of_an_operation_that_there_is_not_then_invalid(void **s)
{
    static const uint8_t update[] = { 0x13, TL_SPDM_KEY_UPDATE, 9, 7 };

    (void)s;
    open_pair();
    assert_int_equal(refused(update, sizeof update), INVALID_REQUEST);
    tl_spdm_pair_close(&p);
}

/* ---- the requester, in a session ---- */

/* Starts a flow, opens its request as the responder, and answers with the message under the responder's right key. */
static tl_err answered(const tl_spdm_flow *flow, const uint8_t *message, size_t n)
{
    uint8_t request[TL_PAIR_OUT], record[256], next[TL_PAIR_OUT];
    tl_spdm_out out = { .w = tl_wr_of(request, sizeof request) };
    tl_wr w = tl_wr_of(record, sizeof record);
    tl_span got;

    p.now_ms++;
    tl_assert_ok(tl_requester_start(&p.rq, flow, NULL, p.now_ms, &out));
    assert_true(out.secured);
    tl_assert_ok(p.rs.c.session_ops->open(&p.rs.c, p.now_ms, request, out.w.n, &got));
    tl_assert_ok(p.rs.c.session_ops->seal(&p.rs.c, tl_span_of(message, n), &w));
    out = (tl_spdm_out){ .w = tl_wr_of(next, sizeof next) };
    return tl_requester_step(&p.rq, p.now_ms, (tl_spdm_in){ record, w.n, true }, &out);
}

static void answer_in_a_session_that_is_not_the_requests_then_refused_by_name(void **s)
{
    static const struct {
        const tl_spdm_flow *flow;
        uint8_t message[5];
        size_t n;
        const char *step, *where;
        tl_err e;
    } rows[] = {
        { &tl_flow_end_session,
          { 0x13, TL_SPDM_END_SESSION_ACK, 0, 0, 1 },
          5,
          "END_SESSION",
          "",
          TL_E_WIRE_TRAILING },
        { &tl_flow_end_session,
          { 0x13, TL_SPDM_HEARTBEAT_ACK, 0, 0 },
          4,
          "END_SESSION",
          "response code",
          TL_E_STATE },
        { &tl_flow_key_update,
          { 0x13, TL_SPDM_KEY_UPDATE_ACK, 1, 0, 1 },
          5,
          "KEY_UPDATE",
          "",
          TL_E_WIRE_TRAILING },
        { &tl_flow_key_update,
          { 0x13, TL_SPDM_KEY_UPDATE_ACK, 2, 0 },
          4,
          "KEY_UPDATE",
          "KeyOperation",
          TL_E_WIRE_VALUE },
        { &tl_flow_heartbeat,
          { 0x13, TL_SPDM_HEARTBEAT_ACK, 0, 0, 1 },
          5,
          "HEARTBEAT",
          "",
          TL_E_WIRE_TRAILING },
        { &tl_flow_heartbeat,
          { 0x12, TL_SPDM_HEARTBEAT_ACK, 0, 0 },
          4,
          "HEARTBEAT",
          "version",
          TL_E_WIRE_VALUE },
    };

    (void)s;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const tl_spdm_why *why;
        tl_err e;

        open_pair();
        e = answered(rows[i].flow, rows[i].message, rows[i].n);
        why = tl_requester_why(&p.rq);
        if (e != rows[i].e || strcmp(why->step, rows[i].step) != 0 || strcmp(why->where, rows[i].where) != 0)
            fail_msg("row %zu: %d at %s %s (%s)", i, (int)e, why->step, why->where, why->what);
        tl_spdm_pair_close(&p);
    }
}

/* ---- what begins a session, and measurements ---- */

/* Changes of the first answer of that code, in clear. */
typedef struct change {
    uint8_t answer, at, value;
    size_t longer;
    bool twice; /* the byte behind it too */
} change;

static void spoil(void *ctx, tl_spdm_crossing *m)
{
    const change *c = ctx;

    if (m->to_responder || m->secured || m->bytes[1] != c->answer)
        return;
    m->bytes[c->at] = c->value;
    if (c->twice)
        m->bytes[c->at + 1] = c->value;
    memset(m->bytes + m->n, 0, c->longer);
    m->n += c->longer;
}

static void expect(const change *c, const tl_spdm_flow *flow, const tl_spdm_ask *ask, tl_err e,
                   const char *where)
{
    tl_err got;

    p.tamper = spoil;
    p.tamper_ctx = (void *)(uintptr_t)c;
    tl_spdm_pair_begin(&p);
    got = tl_spdm_pair_run(&p, flow, ask);
    if (got != e || strcmp(tl_requester_why(&p.rq)->where, where) != 0)
        fail_msg("%d at %s %s (%s)", (int)got, tl_requester_why(&p.rq)->step, tl_requester_why(&p.rq)->where,
                 tl_requester_why(&p.rq)->what);
    tl_spdm_pair_close(&p);
}

static void key_exchange_with_a_wrong_choice_then_refused_by_name(void **s)
{
    static const struct {
        change change[1];
        const char *where;
        tl_err e;
    } rows[] = {
        { { { TL_SPDM_KEY_EXCHANGE_RSP, 4, 0, 0, true } }, "RspSessionID", TL_E_WIRE_VALUE },
        { { { TL_SPDM_KEY_EXCHANGE_RSP, 6, 1, 0, false } }, "MutAuthRequested", TL_E_WIRE_VALUE },
        { { { TL_SPDM_KEY_EXCHANGE_RSP, 6, 2, 0, false } },
          "MutAuthRequested",
          TL_E_POLICY }, /* encapsulated */
        { { { TL_SPDM_KEY_EXCHANGE_RSP, 6, 4, 0, false } }, "MutAuthRequested", TL_E_POLICY },
        { { { TL_SPDM_KEY_EXCHANGE_RSP, 149, 0x13, 0, false } },
          "OpaqueData",
          TL_E_WIRE_VALUE }, /* version 1.3 */
        { { { TL_SPDM_KEY_EXCHANGE_RSP, 138, 2, 0, false } }, "OpaqueData", TL_E_WIRE_VALUE },
        { { { TL_SPDM_KEY_EXCHANGE_RSP, 41, 0x5A, 0, false } }, "Signature", TL_E_TAG },
        { { { TL_SPDM_KEY_EXCHANGE_RSP, 3, 0, 1, false } }, "", TL_E_WIRE_TRAILING },
    };

    (void)s;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P256);
        expect(rows[i].change, &tl_flow_session, NULL, rows[i].e, rows[i].where);
    }
}

static void key_exchange_that_wants_a_certificate_of_a_slot_that_we_have_not_then_refused(void **s)
{
    static const change slots[] = { { TL_SPDM_KEY_EXCHANGE_RSP, 7, 1, 0, false },
                                    { TL_SPDM_KEY_EXCHANGE_RSP, 7, 0x0F, 0, false } };

    (void)s;
    for (size_t i = 0; i < 2; i++) {
        tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P256);
        tl_spdm_pair_mutual(&p);
        expect(&slots[i], &tl_flow_session, NULL, TL_E_POLICY, "SlotIDParam");
    }
}

static void key_exchange_with_heartbeats_that_nobody_agreed_then_refused(void **s)
{
    static const change c = { TL_SPDM_KEY_EXCHANGE_RSP, 2, 30, 0, false };

    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P256);
    p.rs_config.heartbeat_period = 0;
    p.rq_policy.flags &= ~(uint32_t)TL_CAP_HBEAT;
    expect(&c, &tl_flow_session, NULL, TL_E_WIRE_VALUE, "HeartbeatPeriod");
}

static void measurements_that_are_not_those_asked_for_then_refused(void **s)
{
    static const change none = { 0 }, blocks = { TL_SPDM_MEASUREMENTS, 4, 1, 0, false },
                        two = { TL_SPDM_MEASUREMENTS, 4, 2, 0, false };
    const tl_spdm_ask count = { .measurement = TL_SPDM_MEASUREMENT_COUNT, .signed_measurements = true },
                      one = { .measurement = 1, .signed_measurements = true };

    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P256);
    expect(&blocks, &tl_flow_attest, &count, TL_E_WIRE_VALUE, "NumberOfBlocks");
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P256);
    expect(&two, &tl_flow_attest, &one, TL_E_WIRE_VALUE, "NumberOfBlocks");
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P256);
    p.rq_config.measurements_n = 8;
    expect(&none, &tl_flow_attest, &one, TL_E_POLICY, "MeasurementRecordLength");
}

static void peer_that_cannot_be_challenged_then_policy(void **s)
{
    static const change none = { 0 };
    const tl_spdm_ask one = { .measurement = 1, .signed_measurements = true };

    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P256);
    p.rs_policy.flags &= ~(uint32_t)TL_CAP_CHAL;
    expect(&none, &tl_flow_attest, &one, TL_E_POLICY, "Flags");
}

static void answer_longer_than_was_allowed_then_refused(void **s)
{
    static const change c = { TL_SPDM_DIGESTS, 1, TL_SPDM_DIGESTS, 250, false };

    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P256);
    p.rq_policy.data_transfer_size = 256;
    expect(&c, &tl_flow_attest, NULL, TL_E_WIRE, "");
}

static void answer_in_clear_where_a_record_is_due_then_refused(void **s)
{
    uint8_t request[TL_PAIR_OUT], next[TL_PAIR_OUT], ack[] = { 0x13, TL_SPDM_HEARTBEAT_ACK, 0, 0 };
    tl_spdm_out out = { .w = tl_wr_of(request, sizeof request) };

    (void)s;
    open_pair();
    tl_assert_ok(tl_requester_start(&p.rq, &tl_flow_heartbeat, NULL, ++p.now_ms, &out));
    out = (tl_spdm_out){ .w = tl_wr_of(next, sizeof next) };
    tl_assert_err(TL_E_STATE,
                  tl_requester_step(&p.rq, p.now_ms, (tl_spdm_in){ ack, sizeof ack, false }, &out));
    assert_int_equal(out.w.n, 0);
    tl_spdm_pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_in_a_session_that_goes_on_after_its_end_then_invalid),
        cmocka_unit_test(request_in_a_session_of_an_operation_that_there_is_not_then_invalid),
        cmocka_unit_test(answer_in_a_session_that_is_not_the_requests_then_refused_by_name),
        cmocka_unit_test(key_exchange_with_a_wrong_choice_then_refused_by_name),
        cmocka_unit_test(key_exchange_that_wants_a_certificate_of_a_slot_that_we_have_not_then_refused),
        cmocka_unit_test(key_exchange_with_heartbeats_that_nobody_agreed_then_refused),
        cmocka_unit_test(measurements_that_are_not_those_asked_for_then_refused),
        cmocka_unit_test(peer_that_cannot_be_challenged_then_policy),
        cmocka_unit_test(answer_longer_than_was_allowed_then_refused),
        cmocka_unit_test(answer_in_clear_where_a_record_is_due_then_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
