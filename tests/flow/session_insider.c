/* A responder that has proved itself, and is wrong all the same: what it signs or seals under the right key is held to every
 * rule that a stranger's message is held to. */
#include "session.h"

#include <string.h>

static tl_spdm_pair p;

static void assert_refused(tl_err expected, const tl_spdm_flow *flow, const tl_spdm_ask *ask,
                           const char *step, const char *what, const char *where)
{
    const tl_spdm_why *why = tl_requester_why(&p.rq);
    tl_err e = tl_spdm_pair_run(&p, flow, ask);

    if (e != expected || strcmp(why->step, step) != 0 || strcmp(why->what, what) != 0 ||
        strcmp(why->where, where) != 0)
        fail_msg("%s at %s: %s (%s)", tl_err_text(e), why->step, why->what, why->where);
    tl_assert_all(p.rq_sessions, 0, sizeof p.rq_sessions);
    assert_null(tl_requester_session(&p.rq));
}

/* ---- what it signs ---- */

/* The chain and its digest are as they were told; the root hash in it is that of another certificate. */
static void chain_when_its_root_hash_is_of_another_certificate_then_refused(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 2; kind++) {
        session_prepare(&p, kind);
        p.rs_end.slot.root = tl_span_of(p.rs_end.chain + p.rs_end.root_n, 100);
        tl_spdm_pair_begin(&p);
        assert_refused(TL_E_CHAIN, &tl_flow_session, NULL, "CERTIFICATE",
                       "the root hash is not that of the chain's root", "RootHash");
        assert_false(tl_requester_peer(&p.rq)->chain_right);
        tl_spdm_pair_close(&p);
    }
}

static tl_err start_with_a_wrong_point(void *ctx, tl_group group, tl_key *own, uint8_t *point)
{
    const tl_wrap *w = ctx;
    tl_err e = w->inner->ops->exchange_start(w->inner->ctx, group, own, point);

    point[2 * tl_group_size(group) - 1] ^= 1;
    return e;
}

/* An invalid curve would tell bits of the requester's private key, were it used. */
static void point_when_signed_but_not_on_the_curve_then_named_and_no_session(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 4; kind++) {
        tl_wrap wrap;
        session_prepare(&p, kind);
        tl_wrap_init(&wrap, p.rs_end.crypto);
        wrap.ops.exchange_start = start_with_a_wrong_point;
        p.rs_end.crypto = &wrap.crypto;
        tl_spdm_pair_begin(&p);
        assert_refused(TL_E_POINT, &tl_flow_session, NULL, "KEY_EXCHANGE", "the point is not on the curve",
                       "ExchangeData");
        tl_spdm_pair_close(&p);
    }
}

/* ---- what it seals ---- */

/* An answer that is put in the place of the responder's, under the key and number that the requester awaits. */
typedef struct instead {
    size_t more; /* bytes behind the answer */
    uint8_t at;  /* 0, or: this byte of it is changed */
    bool next;   /* it is under the next key */
    bool done;
} instead;

static tl_spdm_session *own_session(void)
{
    for (size_t i = 0; i < TL_PAIR_SESSIONS; i++)
        if (p.rq_sessions[i].state != TL_SESSION_NONE)
            return &p.rq_sessions[i];
    fail_msg("there is no session");
    return NULL;
}

static void seal_for_requester(tl_spdm_crossing *m, tl_record_key key, const uint8_t *message, size_t n)
{
    tl_wr w = tl_wr_of(m->bytes, sizeof m->bytes);

    tl_assert_ok(tl_record_seal(&own_session()->schedule, &key, &p.binding.record, own_session()->id,
                                tl_span_of(message, n), &w));
    m->n = w.n;
}

static void change_answer(void *ctx, tl_spdm_crossing *m)
{
    instead *i = ctx;
    uint8_t message[64] = { 0 };
    tl_record_key awaited, key;
    tl_span opened;

    if (m->to_responder || !m->secured || i->done)
        return;
    awaited = key = i->next ? own_session()->next_response : own_session()->response_key;
    tl_assert_ok(tl_record_open(&own_session()->schedule, &key, &p.binding.record, own_session()->id,
                                (tl_buffer){ m->bytes, m->n }, &opened));
    assert_true(opened.n + i->more <= sizeof message);
    memcpy(message, opened.p, opened.n);
    message[i->at] ^= i->at != 0;
    seal_for_requester(m, awaited, message, opened.n + i->more);
    i->done = true;
}

static void finish_rsp_when_it_goes_on_after_its_end_then_refused_and_no_session(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 2; kind++) {
        instead i = { .more = 1 };
        session_ends(&p, kind);
        p.tamper = change_answer;
        p.tamper_ctx = &i;
        assert_refused(TL_E_WIRE_TRAILING, &tl_flow_session, NULL, "FINISH",
                       "the answer is not as long as it must be", "");
        assert_true(i.done);
        tl_spdm_pair_close(&p);
    }
}

static void update_when_its_ack_has_another_tag_then_refused_and_the_session_is_over(void **state)
{
    static const tl_spdm_ask asks[] = { { .update_both = false }, { .update_both = true } };

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        instead i = { .at = 3, .next = asks[k].update_both };
        session_ends(&p, KIND_13);
        session_begin(&p);
        p.tamper = change_answer;
        p.tamper_ctx = &i;
        assert_refused(TL_E_WIRE_VALUE, &tl_flow_key_update, &asks[k], "KEY_UPDATE",
                       "the answer is to another request", "Tag");
        tl_spdm_pair_close(&p);
    }
}

static void acknowledge_under_the_old_key(void *ctx, tl_spdm_crossing *m)
{
    const uint8_t ack[4] = { TL_SPDM_12, TL_SPDM_KEY_UPDATE_ACK, own_session()->update,
                             own_session()->update_tag };

    (void)ctx;
    if (!m->to_responder && m->secured)
        seal_for_requester(m, own_session()->response_key, ack, sizeof ack);
}

/* UpdateAllKeys: an ack under the old key says that the responder has not changed its own. */
static void update_when_both_keys_change_but_the_ack_is_under_the_old_one_then_state_and_over(void **state)
{
    static const tl_spdm_ask both = { .update_both = true };

    (void)state;
    session_ends(&p, 0);
    session_begin(&p);
    p.tamper = acknowledge_under_the_old_key;
    assert_refused(TL_E_STATE, &tl_flow_key_update, &both, "KEY_UPDATE",
                   "the answer is not under the new key", "");
    tl_spdm_pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chain_when_its_root_hash_is_of_another_certificate_then_refused),
        cmocka_unit_test(point_when_signed_but_not_on_the_curve_then_named_and_no_session),
        cmocka_unit_test(finish_rsp_when_it_goes_on_after_its_end_then_refused_and_no_session),
        cmocka_unit_test(update_when_its_ack_has_another_tag_then_refused_and_the_session_is_over),
        cmocka_unit_test(update_when_both_keys_change_but_the_ack_is_under_the_old_one_then_state_and_over),
    };
    return cmocka_run_group_tests_name("session_insider", tests, NULL, NULL);
}
