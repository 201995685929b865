/* Sessions under attack: messages changed, lost, repeated and swapped; records replayed, reflected and moved to another
 * session; handshakes finished by the wrong peer or the wrong message; peers that are not who they must be. Nobody but the
 * two ends gets a session, and what fails is named. */
#include "session.h"

#include <string.h>

static tl_spdm_pair p;

static bool about_certificates(const tl_spdm_crossing *m)
{
    return !m->secured && m->n >= 2 && (m->bytes[1] & 0x7F) <= 2 && m->bytes[1] != 0;
}

/* ---- every byte of every message ---- */

typedef struct flip {
    unsigned number;
    size_t at;
    bool done, over; /* over: the message has no such byte */
    bool skipped;
} flip;

static void flip_one(void *ctx, tl_spdm_crossing *m)
{
    flip *f = ctx;

    if (m->number != f->number)
        return;
    f->skipped = about_certificates(m); /* their own tests say what they stand */
    f->over = f->skipped || f->at >= m->n;
    if (!f->over) {
        m->bytes[f->at] ^= (uint8_t)(1u << (f->at % 8));
        f->done = true;
    }
}

static void flip_all(unsigned kind, size_t stride)
{
    flip f = { 0 };
    unsigned messages;
    session_ends(&p, kind);
    session_begin(&p);
    messages = p.crossed;
    p.tamper = flip_one;
    p.tamper_ctx = &f;
    for (f.number = 0; f.number < messages; f.number++) {
        for (f.at = f.number % stride;; f.at += stride) {
            f.done = f.over = false;
            p.crossed = 0;
            tl_err e = tl_spdm_pair_run(&p, &tl_flow_session, NULL);
            if (f.over)
                break;
            assert_true(f.done);
            if (e == TL_OK || session_stands(&p) || session_count(p.rq_sessions) != 0)
                fail_msg("message %u, byte %zu changed: a session", f.number, f.at);
            assert_non_null(tl_requester_why(&p.rq)->step);
        }
    }
    tl_spdm_pair_close(&p);
}

static void session_when_any_byte_of_a_message_is_changed_then_none(void **state)
{
    (void)state;
    flip_all(KIND_MUTUAL | KIND_MCTP, 1);
    flip_all(KIND_13, 1);
    flip_all(KIND_13 | KIND_P384 | KIND_MUTUAL, 9);
}

/* ---- lost, repeated, swapped ---- */

typedef struct one_message {
    unsigned number;
    bool secured; /* that message is a record */
    tl_spdm_crossing last;
} one_message;

static void lose(void *ctx, tl_spdm_crossing *m)
{
    one_message *o = ctx;

    if (m->number == o->number)
        m->n = 0;
}

/* The responder sees the request twice; the answer to the second goes back. */
static void repeat(void *ctx, tl_spdm_crossing *m)
{
    one_message *o = ctx;
    uint8_t copy[TL_PAIR_OUT + 64], answer[TL_PAIR_OUT];
    tl_spdm_out out = { .w = tl_wr_of(answer, sizeof answer) };

    if (m->number != o->number || !m->to_responder)
        return;
    o->secured = m->secured;
    memcpy(copy, m->bytes, m->n);
    (void)!tl_responder_step(&p.rs, p.now_ms, (tl_spdm_in){ copy, m->n, m->secured }, &out);
}

/* An answer comes in the place of the next one. */
static void swap(void *ctx, tl_spdm_crossing *m)
{
    one_message *o = ctx;

    if (m->to_responder)
        return;
    if (m->number == o->number && o->last.n != 0)
        *m = o->last;
    else if (m->number < o->number)
        o->last = *m;
}

static void session_when_a_message_is_lost_then_time_out_at_its_step(void **state)
{
    static one_message o;
    unsigned messages;
    (void)state;
    session_ends(&p, KIND_MUTUAL);
    session_begin(&p);
    messages = p.crossed;
    p.tamper = lose;
    p.tamper_ctx = &o;
    for (o.number = 0; o.number < messages; o.number++) {
        p.crossed = 0;
        tl_assert_err(TL_E_TIMEOUT, tl_spdm_pair_run(&p, &tl_flow_session, NULL));
        assert_int_equal(session_count(p.rq_sessions), 0);
        if (o.number + 4 >= messages)
            assert_string_equal(tl_requester_why(&p.rq)->step,
                                o.number + 2 < messages ? "KEY_EXCHANGE" : "FINISH");
    }
    p.tamper = NULL;
    session_begin(&p); /* and after all that a session is to be had */
    tl_spdm_pair_close(&p);
}

static void session_when_a_request_is_repeated_then_right_or_none_and_never_for_records(void **state)
{
    static one_message o;
    unsigned messages;
    (void)state;
    session_ends(&p, KIND_13);
    session_begin(&p);
    messages = p.crossed;
    p.tamper = repeat;
    p.tamper_ctx = &o;
    for (o.number = 0; o.number < messages; o.number += 2) {
        p.crossed = 0;
        tl_err e = tl_spdm_pair_run(&p, &tl_flow_session, NULL);
        assert_int_equal(e == TL_OK, session_stands(&p));
        if (o.number + 2 == messages) {
            assert_true(o.secured);
            tl_assert_err(TL_E_PEER_DECRYPT_ERROR, e);
        }
    }
    tl_spdm_pair_close(&p);
}

static void session_when_an_answer_comes_again_then_none(void **state)
{
    static one_message o;
    unsigned messages;
    (void)state;
    session_ends(&p, KIND_MUTUAL);
    session_begin(&p);
    messages = p.crossed;
    p.tamper = swap;
    p.tamper_ctx = &o;
    for (o.number = 3; o.number < messages; o.number += 2) {
        p.crossed = 0;
        o.last.n = 0;
        if (tl_spdm_pair_run(&p, &tl_flow_session, NULL) == TL_OK || session_stands(&p))
            fail_msg("the answer before %u came again: a session", o.number);
    }
    tl_spdm_pair_close(&p);
}

/* ---- messages by hand ---- */

enum { CLEAR = 0, RECORD = 1 };

/* Hands bytes to the responder, and takes the answer. */
static size_t give(uint8_t *bytes, size_t n, bool secured, uint8_t answer[TL_PAIR_OUT], bool *answer_secured)
{
    tl_spdm_out out = { .w = tl_wr_of(answer, TL_PAIR_OUT) };

    p.rs_result = tl_responder_step(&p.rs, p.now_ms, (tl_spdm_in){ bytes, n, secured }, &out);
    *answer_secured = out.secured;
    return out.w.n;
}

/* The requester's end of a session, for records by hand. */
static tl_spdm_session *mine(void)
{
    for (size_t i = 0; i < TL_PAIR_SESSIONS; i++)
        if (&p.rq_sessions[i] == tl_requester_session(&p.rq))
            return &p.rq_sessions[i];
    fail_msg("there is no session");
    return NULL;
}

static size_t seal_with(tl_record_key *key, const uint8_t *message, size_t n, uint8_t record[256])
{
    tl_wr w = tl_wr_of(record, 256);

    tl_assert_ok(
        tl_record_seal(&mine()->schedule, key, &p.binding.record, mine()->id, tl_span_of(message, n), &w));
    return w.n;
}

/* A 4-byte request in a record, under the key; the answer's code and first parameter, opened with the other key. 0: the
 * answer did not open, or there was none. */
static unsigned ask_with(tl_record_key *send, tl_record_key *receive, uint8_t code, uint8_t param1,
                         uint8_t param2)
{
    const uint8_t message[4] = { tl_requester_version(&p.rq), code, param1, param2 };
    uint8_t record[256], answer[TL_PAIR_OUT];
    size_t n = seal_with(send, message, sizeof message, record);
    tl_span a;
    bool secured;

    n = give(record, n, RECORD, answer, &secured);
    if (n == 0 || !secured ||
        tl_record_open(&mine()->schedule, receive, &p.binding.record, mine()->id, (tl_buffer){ answer, n },
                       &a) != TL_OK)
        return 0;
    return (unsigned)a.p[1] << 8 | a.p[2];
}

static unsigned ask(uint8_t code, uint8_t param1, uint8_t param2)
{
    return ask_with(&mine()->request_key, &mine()->response_key, code, param1, param2);
}

#define SAYS(code) (TL_SPDM_ERROR << 8 | (code))

static void record_when_replayed_then_decrypt_error_in_clear_and_the_session_is_over(void **state)
{
    const uint8_t heartbeat[4] = { TL_SPDM_12, TL_SPDM_HEARTBEAT };
    uint8_t record[256], copy[256], answer[TL_PAIR_OUT];
    bool secured;
    (void)state;
    for (unsigned kind = 0; kind <= KIND_MCTP; kind += KIND_MCTP) {
        session_ends(&p, 0);
        p.binding.record = kind ? (tl_record_binding){ 2, 7 } : (tl_record_binding){ 0, 0 };
        session_begin(&p);
        size_t n = seal_with(&mine()->request_key, heartbeat, 4, record);
        memcpy(copy, record, n);
        assert_true(give(record, n, RECORD, answer, &secured) > 4 && secured);
        assert_int_equal(give(copy, n, RECORD, answer, &secured), 4);
        assert_false(secured);
        assert_int_equal(answer[1] << 8 | answer[2], SAYS(TL_SPDM_DECRYPT_ERROR));
        tl_assert_all(p.rs_sessions, 0, sizeof p.rs_sessions);
        tl_spdm_pair_close(&p);
    }
}

static uint8_t finish[TL_PAIR_OUT + 64];
static size_t finish_n;

/* The first record to the responder is the handshake's FINISH. */
static void keep_finish(void *ctx, tl_spdm_crossing *m)
{
    (void)ctx;
    if (!m->secured || !m->to_responder || finish_n > 0)
        return;
    finish_n = m->n;
    memcpy(finish, m->bytes, m->n);
}

/* The record that began the session comes once more: it is sealed with the handshake's key, which is gone, so that it goes no further
 * than a record. Nothing of it is read as FINISH; as any record that does not open it ends its session, and no other one. */
static void finish_when_its_record_comes_again_then_it_does_not_open_and_the_session_is_over(void **state)
{
    enum { AT_ONCE = 0, AFTER_A_RECORD, AFTER_NEW_KEYS, MOMENTS };
    static const tl_record_binding bindings[] = { { 0, 0 }, { 2, 7 } };
    uint8_t answer[TL_PAIR_OUT];
    bool secured;

    (void)state;
    for (unsigned i = 0; i < 2 * MOMENTS; i++) {
        session_ends(&p, KIND_MUTUAL);
        p.binding.record = bindings[i % 2];
        finish_n = 0;
        p.tamper = keep_finish;
        session_begin(&p);
        p.tamper = NULL;
        assert_true(finish_n > 0);
        tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_another, NULL));
        assert_int_equal(session_count(p.rs_sessions), 2);
        tl_assert_ok(tl_requester_use(&p.rq, &p.rq_sessions[0]));
        if (i / 2 == AFTER_A_RECORD)
            tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_heartbeat, NULL));
        if (i / 2 == AFTER_NEW_KEYS)
            tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_key_update, NULL));
        assert_int_equal(give(finish, finish_n, RECORD, answer, &secured), 4);
        assert_false(secured);
        assert_int_equal(answer[1] << 8 | answer[2], SAYS(TL_SPDM_DECRYPT_ERROR));
        tl_assert_err(TL_E_TAG, p.rs_result);
        assert_int_equal(session_count(p.rs_sessions), 1);
        tl_assert_ok(tl_requester_use(&p.rq, &p.rq_sessions[1]));
        tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_heartbeat, NULL)); /* the other one goes on */
        tl_assert_ok(tl_requester_use(&p.rq, &p.rq_sessions[0]));
        assert_int_not_equal(tl_spdm_pair_run(&p, &tl_flow_heartbeat, NULL), TL_OK);
        assert_int_equal(session_count(p.rq_sessions), 0); /* the requester learns it when it asks next */
        session_begin(&p);                                 /* and may have another one */
        tl_spdm_pair_close(&p);
    }
}

/* FINISH in a record that opens, or in clear, is a message in the wrong place: an error, and the session goes on. */
static void finish_when_it_comes_again_but_not_as_that_record_then_an_error_and_the_session_goes_on(
    void **state)
{
    const uint8_t message[4 + 32] = { TL_SPDM_12, TL_SPDM_FINISH };
    uint8_t record[256], answer[TL_PAIR_OUT];
    bool secured;
    tl_span a;
    size_t n;

    (void)state;
    session_ends(&p, 0);
    session_begin(&p);
    for (unsigned i = 0; i < 3; i++) {
        n = seal_with(&mine()->request_key, message, sizeof message, record);
        n = give(record, n, RECORD, answer, &secured);
        assert_true(secured);
        tl_assert_ok(tl_record_open(&mine()->schedule, &mine()->response_key, &p.binding.record, mine()->id,
                                    (tl_buffer){ answer, n }, &a));
        assert_int_equal(a.p[1] << 8 | a.p[2], SAYS(TL_SPDM_UNEXPECTED_REQUEST));
        assert_int_equal(tl_spdm_pair_ask(&p, message, sizeof message, answer, sizeof answer), 4);
        assert_int_equal(answer[1] << 8 | answer[2], SAYS(TL_SPDM_SESSION_REQUIRED));
        assert_true(session_stands(&p));
        tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_heartbeat, NULL));
    }
    tl_spdm_pair_close(&p);
}

static void record_when_reordered_then_the_session_is_over(void **state)
{
    const uint8_t heartbeat[4] = { TL_SPDM_12, TL_SPDM_HEARTBEAT };
    uint8_t first[256], second[256], answer[TL_PAIR_OUT];
    bool secured;
    (void)state;
    session_ends(&p, 0);
    session_begin(&p);
    (void)seal_with(&mine()->request_key, heartbeat, 4, first);
    size_t n = seal_with(&mine()->request_key, heartbeat, 4, second);
    assert_int_equal(give(second, n, RECORD, answer, &secured), 4);
    assert_int_equal(answer[2], TL_SPDM_DECRYPT_ERROR);
    assert_int_equal(session_count(p.rs_sessions), 0);
    assert_int_equal(give(first, n, RECORD, answer, &secured), 0); /* of no session any more: no answer */
    tl_assert_err(TL_E_REPLY, p.rs_result);
    tl_spdm_pair_close(&p);
}

static void record_when_reflected_then_refused_on_both_sides(void **state)
{
    const uint8_t heartbeat[4] = { TL_SPDM_12, TL_SPDM_HEARTBEAT };
    uint8_t record[256], answer[TL_PAIR_OUT], again[TL_PAIR_OUT];
    bool secured;
    (void)state;
    session_ends(&p, 0);
    session_begin(&p);
    size_t n = seal_with(&mine()->request_key, heartbeat, 4, record);
    n = give(record, n, RECORD, answer, &secured);
    assert_int_equal(give(answer, n, RECORD, again, &secured), 4); /* the responder's own record */
    assert_int_equal(again[2], TL_SPDM_DECRYPT_ERROR);
    assert_int_equal(session_count(p.rs_sessions), 0);
    tl_spdm_pair_close(&p);
}

static void reflect(void *ctx, tl_spdm_crossing *m)
{
    tl_spdm_crossing *kept = ctx;

    if (m->to_responder)
        *kept = *m;
    else
        *m = *kept;
}

static void request_when_it_comes_back_as_its_own_answer_then_the_tag_is_wrong(void **state)
{
    static tl_spdm_crossing kept;
    (void)state;
    session_ends(&p, 0);
    session_begin(&p);
    p.tamper = reflect;
    p.tamper_ctx = &kept;
    tl_assert_err(TL_E_TAG, tl_spdm_pair_run(&p, &tl_flow_heartbeat, NULL));
    assert_string_equal(tl_requester_why(&p.rq)->step, "HEARTBEAT");
    tl_assert_all(p.rq_sessions, 0, sizeof p.rq_sessions);
    tl_spdm_pair_close(&p);
}

static void record_when_moved_to_another_session_then_that_one_is_over_and_the_other_goes_on(void **state)
{
    const uint8_t heartbeat[4] = { TL_SPDM_12, TL_SPDM_HEARTBEAT };
    uint8_t record[256], answer[TL_PAIR_OUT];
    const tl_spdm_session *first;
    bool secured;
    (void)state;
    session_ends(&p, 0);
    session_begin(&p);
    first = tl_requester_session(&p.rq);
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_another, NULL));
    size_t n = seal_with(&mine()->request_key, heartbeat, 4, record);
    for (unsigned i = 0; i < 4; i++)
        record[i] = (uint8_t)(first->id >> 8 * i);
    assert_int_equal(give(record, n, RECORD, answer, &secured), 4);
    assert_int_equal(answer[2], TL_SPDM_DECRYPT_ERROR);
    assert_int_equal(session_count(p.rs_sessions), 1);
    mine()->request_key.sequence--; /* the number that the moved record took */
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_heartbeat, NULL));
    tl_spdm_pair_close(&p);
}

/* ---- messages in the wrong place ---- */

static void request_when_in_the_wrong_place_then_the_error_that_says_so(void **state)
{
    (void)state;
    session_ends(&p, KIND_13);
    session_begin(&p);
    assert_int_equal(ask(TL_SPDM_FINISH, 0, 0), SAYS(TL_SPDM_UNEXPECTED_REQUEST));
    assert_int_equal(ask(TL_SPDM_KEY_EXCHANGE, 0, 0), SAYS(TL_SPDM_UNEXPECTED_REQUEST));
    assert_int_equal(ask(TL_SPDM_GET_VERSION, 0, 0), SAYS(TL_SPDM_UNEXPECTED_REQUEST));
    assert_int_equal(ask(0xE7, 0, 0), SAYS(TL_SPDM_UNSUPPORTED_REQUEST)); /* PSK_FINISH */
    assert_int_equal(ask(TL_SPDM_KEY_UPDATE, 0, 0), SAYS(TL_SPDM_INVALID_REQUEST));
    assert_int_equal(ask(TL_SPDM_KEY_UPDATE, 4, 0), SAYS(TL_SPDM_INVALID_REQUEST));
    assert_int_equal(ask(TL_SPDM_KEY_UPDATE, 3, 0), SAYS(TL_SPDM_INVALID_REQUEST)); /* nothing to verify */
    assert_true(session_stands(&p));
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_heartbeat, NULL));
    tl_spdm_pair_close(&p);
}

static void request_when_of_a_session_but_in_clear_then_session_required(void **state)
{
    static const uint8_t codes[] = { TL_SPDM_FINISH, TL_SPDM_HEARTBEAT, TL_SPDM_KEY_UPDATE,
                                     TL_SPDM_END_SESSION };
    uint8_t answer[TL_PAIR_OUT];
    (void)state;
    session_ends(&p, KIND_MUTUAL);
    session_begin(&p);
    for (size_t i = 0; i < sizeof codes; i++) {
        const uint8_t message[4] = { TL_SPDM_12, codes[i], 1, 0 };
        assert_int_equal(tl_spdm_pair_ask(&p, message, 4, answer, sizeof answer), 4);
        assert_int_equal(answer[1] << 8 | answer[2], SAYS(TL_SPDM_SESSION_REQUIRED));
    }
    assert_true(session_stands(&p));
    tl_spdm_pair_close(&p);
}

/* Stops the flow after KEY_EXCHANGE: FINISH goes no further than here. */
static void stop_at_finish(void *ctx, tl_spdm_crossing *m)
{
    tl_spdm_crossing *kept = ctx;

    if (!m->secured)
        return;
    *kept = *m;
    m->n = 0;
}

static void handshake_when_anything_but_its_finish_comes_then_unexpected(void **state)
{
    static const uint8_t codes[] = { TL_SPDM_HEARTBEAT, TL_SPDM_KEY_UPDATE, TL_SPDM_END_SESSION,
                                     TL_SPDM_GET_MEASUREMENTS, TL_SPDM_VENDOR_DEFINED_REQUEST };
    uint8_t bytes[TL_PAIR_OUT], answer[TL_PAIR_OUT];
    tl_spdm_out out = { .w = tl_wr_of(bytes, sizeof bytes) };
    bool secured = false;
    (void)state;
    session_ends(&p, 0);
    tl_assert_ok(tl_requester_start(&p.rq, &tl_flow_session, NULL, p.now_ms, &out));
    while (!out.secured) { /* to where FINISH is written; it is not sent */
        size_t n = give(bytes, out.w.n, CLEAR, answer, &secured);
        out = (tl_spdm_out){ .w = tl_wr_of(bytes, sizeof bytes) };
        tl_assert_ok(tl_requester_step(&p.rq, p.now_ms, (tl_spdm_in){ answer, n, secured }, &out));
    }
    mine()->request_key.sequence = 0;
    for (size_t i = 0; i < sizeof codes; i++)
        assert_int_equal(ask(codes[i], 1, 0), SAYS(TL_SPDM_UNEXPECTED_REQUEST));
    assert_int_equal(ask(0xE7, 0, 0), SAYS(TL_SPDM_UNSUPPORTED_REQUEST));
    assert_int_equal(ask(TL_SPDM_FINISH, 0, 0), SAYS(TL_SPDM_INVALID_REQUEST)); /* without its verify data */
    assert_int_equal(ask(TL_SPDM_FINISH, 1, 0),
                     SAYS(TL_SPDM_INVALID_REQUEST)); /* a signature that is not due */
    assert_int_equal(p.rs_sessions[0].state, TL_SESSION_HANDSHAKE);
    tl_spdm_pair_close(&p);
}

static void finish_when_its_verify_data_is_wrong_then_decrypt_error_under_the_handshake_keys_and_over(
    void **state)
{
    uint8_t bytes[TL_PAIR_OUT], answer[TL_PAIR_OUT], record[256],
        message[4 + 32] = { TL_SPDM_12, TL_SPDM_FINISH };
    tl_spdm_out out = { .w = tl_wr_of(bytes, sizeof bytes) };
    tl_span a;
    bool secured = false;
    (void)state;
    session_ends(&p, 0);
    tl_assert_ok(tl_requester_start(&p.rq, &tl_flow_session, NULL, p.now_ms, &out));
    while (!out.secured) {
        size_t n = give(bytes, out.w.n, CLEAR, answer, &secured);
        out = (tl_spdm_out){ .w = tl_wr_of(bytes, sizeof bytes) };
        tl_assert_ok(tl_requester_step(&p.rq, p.now_ms, (tl_spdm_in){ answer, n, secured }, &out));
    }
    mine()->request_key.sequence = 0;
    size_t n = seal_with(&mine()->request_key, message, sizeof message, record);
    n = give(record, n, RECORD, answer, &secured);
    assert_true(secured);
    tl_assert_ok(tl_record_open(&mine()->schedule, &mine()->response_key, &p.binding.record, mine()->id,
                                (tl_buffer){ answer, n }, &a));
    assert_int_equal(a.p[1] << 8 | a.p[2], SAYS(TL_SPDM_DECRYPT_ERROR));
    tl_assert_all(p.rs_sessions, 0, sizeof p.rs_sessions);
    tl_spdm_pair_close(&p);
}

/* Another requester's FINISH, under that one's own keys, for the session of the first. */
static void session_when_finished_by_another_peer_then_over(void **state)
{
    static tl_spdm_crossing first, other;
    uint8_t answer[TL_PAIR_OUT];
    bool secured;
    uint32_t id;
    (void)state;
    session_ends(&p, KIND_MUTUAL);
    p.tamper = stop_at_finish;
    p.tamper_ctx = &other;
    tl_assert_err(TL_E_TIMEOUT, tl_spdm_pair_run(&p, &tl_flow_session, NULL));
    p.tamper_ctx = &first;
    tl_assert_err(TL_E_TIMEOUT, tl_spdm_pair_run(&p, &tl_flow_session, NULL));
    id = p.rs_sessions[0].id;
    for (unsigned i = 0; i < 4; i++)
        other.bytes[i] = (uint8_t)(id >> 8 * i);
    assert_int_equal(give(other.bytes, other.n, RECORD, answer, &secured), 4);
    assert_int_equal(answer[2], TL_SPDM_DECRYPT_ERROR);
    assert_int_equal(session_count(p.rs_sessions), 0);
    assert_int_equal(give(first.bytes, first.n, RECORD, answer, &secured), 0); /* the right one is too late */
    tl_spdm_pair_close(&p);
}

/* ---- a policy that is not served ---- */

static void set_policy(void *ctx, tl_spdm_crossing *m)
{
    if (m->to_responder && !m->secured && m->bytes[1] == TL_SPDM_KEY_EXCHANGE)
        m->bytes[6] = *(const uint8_t *)ctx; /* SessionPolicy, behind the requester's half of the id */
}

/* All events, which nobody serves: refused in 1.3. That bit is reserved in 1.2, and so are the others: they reach the
 * signature, which is of the message that was sent. */
static void session_when_its_policy_asks_for_all_events_then_invalid_request_and_none(void **state)
{
    static const struct {
        unsigned kind;
        uint8_t policy;
        tl_err e;
    } rows[] = {
        { KIND_13, 0, TL_OK },
        { KIND_13, 2, TL_E_PEER_INVALID_REQUEST },
        { KIND_13, 3, TL_E_PEER_INVALID_REQUEST },
        { KIND_13, 0xFF, TL_E_PEER_INVALID_REQUEST },
        { KIND_13, 1, TL_E_TAG },
        { 0, 2, TL_E_TAG },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t policy = rows[i].policy;
        session_ends(&p, rows[i].kind);
        p.tamper = set_policy;
        p.tamper_ctx = &policy;
        tl_assert_err(rows[i].e, tl_spdm_pair_run(&p, &tl_flow_session, NULL));
        assert_int_equal(session_stands(&p), rows[i].e == TL_OK);
        if (rows[i].e != TL_OK)
            assert_string_equal(tl_requester_why(&p.rq)->step, "KEY_EXCHANGE");
        if (rows[i].e == TL_E_PEER_INVALID_REQUEST)
            tl_assert_all(p.rs_sessions, 0, sizeof p.rs_sessions);
        tl_spdm_pair_close(&p);
    }
}

/* ---- KEY_UPDATE, half done ---- */

static void update_when_its_ack_is_lost_then_said_again_under_the_old_key_or_nothing_else(void **state)
{
    (void)state;
    session_ends(&p, 0);
    session_begin(&p);
    assert_int_equal(ask(TL_SPDM_KEY_UPDATE, 1, 9), TL_SPDM_KEY_UPDATE_ACK << 8 | 1); /* this ack is "lost" */
    assert_int_equal(ask(TL_SPDM_HEARTBEAT, 0, 0), SAYS(TL_SPDM_UNEXPECTED_REQUEST));
    assert_int_equal(ask(TL_SPDM_KEY_UPDATE, 1, 10), SAYS(TL_SPDM_INVALID_REQUEST));
    assert_int_equal(ask(TL_SPDM_KEY_UPDATE, 2, 9), SAYS(TL_SPDM_INVALID_REQUEST));
    assert_int_equal(ask(TL_SPDM_KEY_UPDATE, 3, 10), SAYS(TL_SPDM_INVALID_REQUEST)); /* under the old key */
    assert_int_equal(ask(TL_SPDM_KEY_UPDATE, 1, 9), TL_SPDM_KEY_UPDATE_ACK << 8 | 1);
    tl_record_key next;
    tl_secret secret = mine()->application.request;
    tl_assert_ok(tl_schedule_update(&mine()->schedule, &secret));
    tl_assert_ok(tl_record_key_derive(&mine()->schedule, &secret, &next));
    assert_int_equal(ask_with(&next, &mine()->response_key, TL_SPDM_HEARTBEAT, 0, 0),
                     SAYS(TL_SPDM_UNEXPECTED_REQUEST)); /* not before it is verified */
    assert_int_equal(ask_with(&next, &mine()->response_key, TL_SPDM_KEY_UPDATE, 1, 9),
                     SAYS(TL_SPDM_INVALID_REQUEST)); /* the same again, but under the new key */
    assert_int_equal(ask_with(&next, &mine()->response_key, TL_SPDM_KEY_UPDATE, 3, 10),
                     TL_SPDM_KEY_UPDATE_ACK << 8 | 3);
    assert_int_equal(ask_with(&next, &mine()->response_key, TL_SPDM_HEARTBEAT, 0, 0),
                     TL_SPDM_HEARTBEAT_ACK << 8);
    assert_int_equal(ask(TL_SPDM_HEARTBEAT, 0, 0), 0); /* the old key is forgotten: the session ends */
    assert_int_equal(session_count(p.rs_sessions), 0);
    tl_record_key_drop(&next, p.rq_end.crypto);
    tl_spdm_pair_close(&p);
}

static void update_when_a_message_of_it_is_lost_or_changed_then_time_out_or_error_and_over(void **state)
{
    static const tl_spdm_ask asks[] = { { .update_both = false }, { .update_both = true } };
    static one_message o;
    (void)state;
    for (unsigned what = 0; what < 8; what++) {
        session_ends(&p, KIND_MCTP);
        session_begin(&p);
        p.crossed = 0;
        o.number = what % 4;
        p.tamper = lose;
        p.tamper_ctx = &o;
        tl_assert_err(TL_E_TIMEOUT, tl_spdm_pair_run(&p, &tl_flow_key_update, &asks[what / 4]));
        tl_assert_all(p.rq_sessions, 0, sizeof p.rq_sessions);
        p.tamper = NULL;
        session_begin(&p); /* a new connection ends what the responder still has */
        assert_int_equal(session_count(p.rs_sessions), 1);
        tl_spdm_pair_close(&p);
    }
}

static void answer_error(void *ctx, tl_spdm_crossing *m)
{
    uint8_t *left = ctx;
    const uint8_t no[4] = { TL_SPDM_12, TL_SPDM_ERROR, TL_SPDM_UNSPECIFIED, 0 };

    if (m->to_responder || *left == 0)
        return;
    (*left)--;
    memcpy(m->bytes, no, sizeof no);
    m->n = sizeof no;
    m->secured = false;
}

static void session_when_an_error_in_clear_is_slipped_in_then_it_is_over(void **state)
{
    uint8_t once = 1;
    (void)state;
    session_ends(&p, 0);
    session_begin(&p);
    p.tamper = answer_error;
    p.tamper_ctx = &once;
    tl_assert_err(TL_E_PEER_UNSPECIFIED, tl_spdm_pair_run(&p, &tl_flow_heartbeat, NULL));
    tl_assert_all(p.rq_sessions, 0, sizeof p.rq_sessions);
    tl_spdm_pair_close(&p);
}

/* ---- peers that are not who they must be ---- */

static tl_err run_with_controller(void (*change)(void))
{
    tl_err e;
    session_prepare(&p, KIND_MUTUAL);
    change();
    tl_spdm_pair_begin(&p);
    e = tl_spdm_pair_run(&p, &tl_flow_session, NULL);
    assert_int_equal(session_stands(&p), e == TL_OK);
    assert_int_equal(session_count(p.rs_sessions), e == TL_OK);
    return e;
}

static void foreign_root(void)
{
    tl_spdm_end_issue(&p.rq_end, TL_SIGN_ECDSA_P256, TL_USE_REQUESTER, "trueline-controller");
    tl_spdm_pair_mutual(&p);
    tl_spdm_end_trust(&p.rs_end, &p.rs_end);
}

static void wrong_role(void)
{
    tl_spdm_end_issue(&p.rq_end, TL_SIGN_ECDSA_P256, TL_USE_REQUESTER, "trueline-debugger");
    tl_spdm_pair_mutual(&p);
    tl_spdm_end_trust(&p.rs_end, &p.rq_end);
}

static void wrong_use(void)
{
    tl_spdm_end_issue(&p.rq_end, TL_SIGN_ECDSA_P256, TL_USE_RESPONDER, "trueline-controller");
    tl_spdm_pair_mutual(&p);
    tl_spdm_end_trust(&p.rs_end, &p.rq_end);
}

static void wrong_key(void)
{
    tl_spdm_end_other_key(&p.rq_end);
}

static void no_chain(void)
{
    p.rs_config.peer_chain = tl_span_of(NULL, 0);
}

static void no_certificate(void)
{
    p.rq_config.slots = NULL;
    p.rq_config.slots_n = 0;
}

static void session_when_the_controller_is_not_who_it_must_be_then_none(void **state)
{
    (void)state;
    tl_assert_err(TL_E_PEER_UNSPECIFIED, run_with_controller(foreign_root));
    assert_string_equal(tl_requester_why(&p.rq)->step, "KEY_EXCHANGE");
    tl_spdm_pair_close(&p);
    tl_assert_err(TL_E_PEER_UNSPECIFIED, run_with_controller(wrong_role));
    tl_spdm_pair_close(&p);
    tl_assert_err(TL_E_PEER_UNSPECIFIED, run_with_controller(wrong_use));
    tl_spdm_pair_close(&p);
    tl_assert_err(TL_E_PEER_UNEXPECTED_REQUEST, run_with_controller(no_chain));
    tl_spdm_pair_close(&p);
    tl_assert_err(TL_E_PEER_DECRYPT_ERROR, run_with_controller(wrong_key));
    assert_string_equal(tl_requester_why(&p.rq)->step, "FINISH");
    tl_spdm_pair_close(&p);
}

static void session_when_the_controller_has_no_certificate_then_it_is_not_authenticated(void **state)
{
    (void)state;
    (void)run_with_controller(no_certificate);
    assert_false(tl_responder_peer(&p.rs)->authenticated);
    tl_spdm_pair_close(&p);
}

static void session_when_the_sensor_has_not_its_key_then_the_signature_is_named(void **state)
{
    (void)state;
    session_prepare(&p, 0);
    tl_spdm_end_other_key(&p.rs_end);
    tl_spdm_pair_begin(&p);
    tl_assert_err(TL_E_TAG, tl_spdm_pair_run(&p, &tl_flow_session, NULL));
    assert_string_equal(tl_requester_why(&p.rq)->step, "KEY_EXCHANGE");
    assert_string_equal(tl_requester_why(&p.rq)->where, "Signature");
    tl_spdm_pair_close(&p);
}

static void change_last_byte(void *ctx, tl_spdm_crossing *m)
{
    (void)ctx;
    if (!m->secured && m->bytes[1] == TL_SPDM_KEY_EXCHANGE_RSP)
        m->bytes[m->n - 1] ^= 1;
}

static void session_when_the_responders_verify_data_is_wrong_then_it_is_named(void **state)
{
    (void)state;
    session_ends(&p, KIND_MUTUAL);
    p.tamper = change_last_byte;
    tl_assert_err(TL_E_TAG, tl_spdm_pair_run(&p, &tl_flow_session, NULL));
    assert_string_equal(tl_requester_why(&p.rq)->step, "KEY_EXCHANGE");
    assert_string_equal(tl_requester_why(&p.rq)->where, "ResponderVerifyData");
    tl_assert_all(p.rq_sessions, 0, sizeof p.rq_sessions);
    tl_spdm_pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_when_replayed_then_decrypt_error_in_clear_and_the_session_is_over),
        cmocka_unit_test(finish_when_its_record_comes_again_then_it_does_not_open_and_the_session_is_over),
        cmocka_unit_test(
            finish_when_it_comes_again_but_not_as_that_record_then_an_error_and_the_session_goes_on),
        cmocka_unit_test(record_when_reordered_then_the_session_is_over),
        cmocka_unit_test(record_when_reflected_then_refused_on_both_sides),
        cmocka_unit_test(request_when_it_comes_back_as_its_own_answer_then_the_tag_is_wrong),
        cmocka_unit_test(record_when_moved_to_another_session_then_that_one_is_over_and_the_other_goes_on),
        cmocka_unit_test(request_when_in_the_wrong_place_then_the_error_that_says_so),
        cmocka_unit_test(request_when_of_a_session_but_in_clear_then_session_required),
        cmocka_unit_test(handshake_when_anything_but_its_finish_comes_then_unexpected),
        cmocka_unit_test(
            finish_when_its_verify_data_is_wrong_then_decrypt_error_under_the_handshake_keys_and_over),
        cmocka_unit_test(session_when_finished_by_another_peer_then_over),
        cmocka_unit_test(session_when_its_policy_asks_for_all_events_then_invalid_request_and_none),
        cmocka_unit_test(update_when_its_ack_is_lost_then_said_again_under_the_old_key_or_nothing_else),
        cmocka_unit_test(update_when_a_message_of_it_is_lost_or_changed_then_time_out_or_error_and_over),
        cmocka_unit_test(session_when_an_error_in_clear_is_slipped_in_then_it_is_over),
        cmocka_unit_test(session_when_the_controller_is_not_who_it_must_be_then_none),
        cmocka_unit_test(session_when_the_controller_has_no_certificate_then_it_is_not_authenticated),
        cmocka_unit_test(session_when_the_sensor_has_not_its_key_then_the_signature_is_named),
        cmocka_unit_test(session_when_the_responders_verify_data_is_wrong_then_it_is_named),
        cmocka_unit_test(session_when_a_message_is_lost_then_time_out_at_its_step),
        cmocka_unit_test(session_when_a_request_is_repeated_then_right_or_none_and_never_for_records),
        cmocka_unit_test(session_when_an_answer_comes_again_then_none),
        cmocka_unit_test(session_when_any_byte_of_a_message_is_changed_then_none),
    };
    return cmocka_run_group_tests_name("session_attacks", tests, NULL, NULL);
}
