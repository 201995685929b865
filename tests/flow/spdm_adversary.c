/* What an adversary gets from the order of things: flows that fail half-way and are begun again, sessions that expire under
 * their user, updates that are refused, and requesters that share a connection. */
#include "session.h"

#include <string.h>

static tl_spdm_pair p;

/* ---- a chain cut in half ---- */

enum { SMALL = 512 };

/* Loses the second portion of the chain. */
static void lose_portion(void *ctx, tl_spdm_crossing *m)
{
    unsigned *seen = ctx;

    if (!m->to_responder && !m->secured && m->n > 1 && m->bytes[1] == TL_SPDM_CERTIFICATE && ++*seen == 2)
        m->n = 0;
}

static void chain_when_a_portion_is_lost_then_the_next_flow_reads_it_from_its_beginning(void **state)
{
    unsigned seen = 0;
    (void)state;
    session_prepare(&p, KIND_13);
    p.rq_policy.data_transfer_size = SMALL;
    tl_spdm_pair_begin(&p);
    p.tamper = lose_portion;
    p.tamper_ctx = &seen;
    tl_assert_err(TL_E_TIMEOUT, tl_spdm_pair_run(&p, &tl_flow_session, NULL));
    assert_string_equal(tl_requester_why(&p.rq)->step, "CERTIFICATE");
    p.tamper = NULL;
    p.crossed = 0;
    session_begin(&p);
    assert_true(session_stands(&p));
    tl_spdm_pair_close(&p);
}

static void chain_when_a_portion_is_lost_then_another_sensor_is_read_from_its_beginning(void **state)
{
    unsigned seen = 0;
    (void)state;
    session_prepare(&p, 0);
    p.rq_policy.data_transfer_size = SMALL;
    tl_spdm_pair_begin(&p);
    p.tamper = lose_portion;
    p.tamper_ctx = &seen;
    tl_assert_err(TL_E_TIMEOUT, tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
    p.tamper = NULL;
    memset(p.peer_chain, 0, sizeof p.peer_chain); /* what the first one said is of no use to the second */
    tl_spdm_end_issue(&p.rs_end, TL_SIGN_ECDSA_P256, TL_USE_RESPONDER, "trueline-sensor-of-another-length");
    tl_spdm_end_trust(&p.rq_end, &p.rs_end);
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
    tl_spdm_pair_close(&p);
}

/* ---- a session that has expired ---- */

/* What was meant for the session must not go out in clear, however often it is tried. */
static void session_when_expired_then_nothing_that_was_for_it_goes_in_clear(void **state)
{
    static const uint8_t vendor_id[] = { 1, 2 }, secret[] = "for the session's other end alone";
    const tl_spdm_ask ask = { .vendor_standard = 3,
                              .vendor_id = { vendor_id, sizeof vendor_id },
                              .vendor_payload = { secret, sizeof secret } };
    (void)state;
    session_prepare(&p, KIND_13);
    p.rs_config.vendor_in_clear = true;
    tl_spdm_pair_begin(&p);
    session_begin(&p);
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_vendor, &ask));
    p.now_ms += 100000; /* of 2 * 20 s */
    p.crossed = 0;
    for (unsigned i = 0; i < 2; i++) {
        tl_assert_err(TL_E_STATE, tl_spdm_pair_run(&p, &tl_flow_vendor, &ask));
        tl_assert_err(TL_E_STATE, tl_spdm_pair_run(&p, &tl_flow_measure, NULL));
    }
    assert_int_equal(p.crossed, 0);
    assert_false(tl_requester_peer(&p.rq)->authenticated);
    session_begin(&p);
    tl_spdm_pair_close(&p);
}

static void session_when_expired_then_a_new_connection_begins_at_once(void **state)
{
    (void)state;
    session_ends(&p, 0);
    session_begin(&p);
    p.now_ms += 100000;
    session_begin(&p);
    assert_true(session_stands(&p));
    tl_spdm_pair_close(&p);
}

/* ---- KEY_UPDATE refused ---- */

static void update_when_refused_then_the_session_goes_on_under_its_keys(void **state)
{
    const tl_spdm_ask both = { .update_both = true };
    (void)state;
    session_ends(&p, KIND_MCTP);
    session_begin(&p);
    p.rs_sessions[0].update = 7; /* it says no to everything, as if busy with another */
    tl_assert_err(TL_E_PEER_INVALID_REQUEST, tl_spdm_pair_run(&p, &tl_flow_key_update, &both));
    p.rs_sessions[0].update = 0;
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_measure, NULL)); /* a long answer */
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_key_update, NULL));
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_measure, NULL));
    tl_spdm_pair_close(&p);
}

/* ---- two requesters on one connection ---- */

/* The other requester: a certificate of its own under the same root, which is not sent. */
static tl_spdm_end other;

static void other_open(void)
{
    tl_spdm_end_issue(&other, TL_SIGN_ECDSA_P256, TL_USE_REQUESTER, "trueline-controller");
    other.slot.certificates = tl_span_of(other.chain + other.root_n, other.chain_n - other.root_n);
    other.slot.root = tl_span_of(p.rq_end.chain, p.rq_end.root_n);
    other.slot.key = p.rq_end.key;
}

static void two_begin(unsigned kind)
{
    session_prepare(&p, kind | KIND_MUTUAL);
    memset(&other, 0, sizeof other);
    other.backend = p.rq_end.backend;
    other_open();
    tl_spdm_pair_begin(&p);
    session_begin(&p);
    assert_true(tl_responder_peer(&p.rs)->authenticated);
}

/* Whoever holds a session is who the responder says: nobody else's certificates take that name while it stands. */
static void requester_when_another_one_has_a_session_then_none_for_it(void **state)
{
    uint8_t first[TL_FINGERPRINT_SIZE];
    (void)state;
    two_begin(0);
    memcpy(first, tl_responder_peer(&p.rs)->facts.fingerprint, sizeof first);
    p.rs_config.peer_chain = other.slot.certificates;
    p.rq_config.slots = &other.slot;
    tl_assert_err(TL_E_PEER_UNEXPECTED_REQUEST, tl_spdm_pair_run(&p, &tl_flow_another, NULL));
    assert_true(tl_responder_peer(&p.rs)->authenticated);
    assert_memory_equal(tl_responder_peer(&p.rs)->facts.fingerprint, first, sizeof first);
    assert_int_equal(session_count(p.rs_sessions), 1);
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_heartbeat, NULL));
    tl_spdm_pair_close(&p);
}

/* A connection of its own is another's to have. */
static void requester_when_another_one_had_a_session_of_an_earlier_connection_then_its_own(void **state)
{
    uint8_t first[TL_FINGERPRINT_SIZE];
    (void)state;
    two_begin(KIND_13);
    memcpy(first, tl_responder_peer(&p.rs)->facts.fingerprint, sizeof first);
    p.rs_config.peer_chain = other.slot.certificates;
    p.rq_config.slots = &other.slot;
    session_begin(&p);
    assert_memory_not_equal(tl_responder_peer(&p.rs)->facts.fingerprint, first, sizeof first);
    assert_true(tl_responder_peer(&p.rs)->authenticated);
    tl_spdm_pair_close(&p);
}

static void lose_finish(void *ctx, tl_spdm_crossing *m)
{
    (void)ctx;
    if (m->secured)
        m->n = 0;
}

/* KEY_EXCHANGE is in clear, so anybody may say it: it takes nothing from the session that stands. */
static void requester_when_somebody_begins_a_session_in_its_name_then_it_stays_authenticated(void **state)
{
    (void)state;
    two_begin(0);
    p.tamper = lose_finish;
    tl_assert_err(TL_E_TIMEOUT, tl_spdm_pair_run(&p, &tl_flow_another, NULL));
    assert_int_equal(session_count(p.rs_sessions), 2);
    assert_true(tl_responder_peer(&p.rs)->authenticated);
    tl_spdm_pair_close(&p);
}

/* ---- a chain replaced in the handshake ---- */

static void replace_at_finish(void *ctx, tl_spdm_crossing *m)
{
    (void)ctx;
    if (m->secured && m->to_responder)
        p.rs_config.peer_chain = other.slot.certificates;
}

static void handshake_when_the_chain_is_replaced_before_finish_then_the_session_is_of_the_first(void **state)
{
    uint8_t first[TL_FINGERPRINT_SIZE];
    (void)state;
    two_begin(0);
    memcpy(first, tl_responder_peer(&p.rs)->facts.fingerprint, sizeof first);
    p.tamper = replace_at_finish;
    session_begin(&p);
    assert_memory_equal(tl_responder_peer(&p.rs)->facts.fingerprint, first, sizeof first);
    tl_spdm_pair_close(&p);
}

/* ---- a handshake that is never finished ---- */

/* In the place of FINISH: records that open, for as long as the responder takes them. */
static void dawdle(void *ctx, tl_spdm_crossing *m)
{
    const uint8_t heartbeat[4] = { TL_SPDM_12, TL_SPDM_HEARTBEAT };
    uint64_t *lasted = ctx, begun = p.now_ms;
    tl_spdm_session *s = &p.rq_sessions[0];
    uint8_t record[256], answer[TL_PAIR_OUT];

    if (!m->secured || !m->to_responder)
        return;
    m->n = 0;
    s->request_key.sequence = 0;
    while (session_count(p.rs_sessions) != 0 && p.now_ms - begun < 10 * TL_SPDM_HANDSHAKE_MS) {
        tl_wr w = tl_wr_of(record, sizeof record);
        tl_spdm_out out = { .w = tl_wr_of(answer, sizeof answer) };

        p.now_ms += TL_SPDM_HANDSHAKE_MS / 4;
        tl_assert_ok(tl_record_seal(&s->schedule, &s->request_key, &p.binding.record, s->id,
                                    tl_span_of(heartbeat, sizeof heartbeat), &w));
        (void)!tl_responder_step(&p.rs, p.now_ms, (tl_spdm_in){ record, w.n, true }, &out);
    }
    *lasted = p.now_ms - begun;
}

static void handshake_when_kept_busy_but_not_finished_then_over_in_its_time(void **state)
{
    uint64_t lasted = 0;
    (void)state;
    session_ends(&p, 0);
    p.tamper = dawdle;
    p.tamper_ctx = &lasted;
    tl_assert_err(TL_E_TIMEOUT, tl_spdm_pair_run(&p, &tl_flow_session, NULL));
    assert_in_range(lasted, TL_SPDM_HANDSHAKE_MS, TL_SPDM_HANDSHAKE_MS * 2);
    tl_spdm_pair_close(&p);
}

/* FINISH at the last moment, and heartbeats that are much shorter than that. */
static void late(void *ctx, tl_spdm_crossing *m)
{
    (void)ctx;
    if (m->secured && m->to_responder)
        p.now_ms += TL_SPDM_HANDSHAKE_MS - 1000;
}

static void handshake_when_finished_late_then_the_session_is_heard_of_from_then_on(void **state)
{
    (void)state;
    session_prepare(&p, 0);
    p.rs_config.heartbeat_period = 1;
    tl_spdm_pair_begin(&p);
    p.tamper = late;
    session_begin(&p);
    p.tamper = NULL;
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_heartbeat, NULL));
    tl_spdm_pair_close(&p);
}

/* ---- GET_VERSION in the middle ---- */

static void connection_when_begun_anew_in_clear_then_no_session_and_nobody_authenticated(void **state)
{
    static const uint8_t get_version[4] = { TL_SPDM_10, TL_SPDM_GET_VERSION };
    uint8_t answer[TL_PAIR_OUT];
    (void)state;
    two_begin(KIND_13);
    assert_true(tl_spdm_pair_ask(&p, get_version, sizeof get_version, answer, sizeof answer) > 4);
    assert_int_equal(session_count(p.rs_sessions), 0);
    assert_false(tl_responder_peer(&p.rs)->authenticated);
    assert_false(tl_responder_peer(&p.rs)->chain_right);
    tl_assert_err(TL_E_TIMEOUT,
                  tl_spdm_pair_run(&p, &tl_flow_heartbeat, NULL)); /* of no session: no answer */
    tl_spdm_pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chain_when_a_portion_is_lost_then_the_next_flow_reads_it_from_its_beginning),
        cmocka_unit_test(chain_when_a_portion_is_lost_then_another_sensor_is_read_from_its_beginning),
        cmocka_unit_test(session_when_expired_then_nothing_that_was_for_it_goes_in_clear),
        cmocka_unit_test(session_when_expired_then_a_new_connection_begins_at_once),
        cmocka_unit_test(update_when_refused_then_the_session_goes_on_under_its_keys),
        cmocka_unit_test(requester_when_another_one_has_a_session_then_none_for_it),
        cmocka_unit_test(requester_when_another_one_had_a_session_of_an_earlier_connection_then_its_own),
        cmocka_unit_test(requester_when_somebody_begins_a_session_in_its_name_then_it_stays_authenticated),
        cmocka_unit_test(handshake_when_the_chain_is_replaced_before_finish_then_the_session_is_of_the_first),
        cmocka_unit_test(handshake_when_kept_busy_but_not_finished_then_over_in_its_time),
        cmocka_unit_test(handshake_when_finished_late_then_the_session_is_heard_of_from_then_on),
        cmocka_unit_test(connection_when_begun_anew_in_clear_then_no_session_and_nobody_authenticated),
    };
    return cmocka_run_group_tests_name("spdm_adversary", tests, NULL, NULL);
}
