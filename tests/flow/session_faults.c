/* A session with everything in it, where one call of a backend fails: for every call, on both sides. Both ends end or go
 * on, every handle comes back, no nonce is used twice, and no secret stays in memory. */
#include "session.h"

#include "faulty.h"
#include "nonces.h"
#include "secrets.h"

#include <string.h>

static tl_spdm_pair p;
static tl_secrets rq_secrets, rs_secrets;
static tl_nonces nonces;

static tl_err everything(void)
{
    static const tl_spdm_ask both = { .update_both = true }, one = { .update_both = false },
                             vendor = { .vendor_payload = { (const uint8_t *)"abc", 3 } };
    TL_TRY(tl_spdm_pair_run(&p, &tl_flow_session, NULL));
    TL_TRY(tl_spdm_pair_run(&p, &tl_flow_heartbeat, NULL));
    TL_TRY(tl_spdm_pair_run(&p, &tl_flow_key_update, &one));
    TL_TRY(tl_spdm_pair_run(&p, &tl_flow_key_update, &both));
    TL_TRY(tl_spdm_pair_run(&p, &tl_flow_vendor, &vendor));
    return tl_spdm_pair_run(&p, &tl_flow_end_session, NULL);
}

/* An end whose session is over holds no secret even before it is wiped. */
static void look(const tl_secrets *s, const tl_spdm_session *sessions, const void *end, size_t n)
{
    if (session_count(sessions) == 0) {
        tl_secrets_assert_none(s, 0, s->n, end, n);
        tl_assert_all(sessions, 0, TL_PAIR_SESSIONS * sizeof *sessions);
    }
}

/* alone: the requester that failed has no session any more, whatever the responder still thinks. */
static void check_end(void)
{
    look(&rq_secrets, p.rq_sessions, &p.rq, sizeof p.rq);
    look(&rs_secrets, p.rs_sessions, &p.rs, sizeof p.rs);
    tl_requester_wipe(&p.rq);
    tl_responder_wipe(&p.rs);
    tl_secrets_assert_none(&rq_secrets, 0, rq_secrets.n, &p, sizeof p);
    tl_secrets_assert_none(&rs_secrets, 0, rs_secrets.n, &p, sizeof p);
    tl_assert_all(p.rq_sessions, 0, sizeof p.rq_sessions);
    tl_assert_all(p.rs_sessions, 0, sizeof p.rs_sessions);
}

static void fail_each(bool at_requester, unsigned kind)
{
    unsigned long n = 1;
    for (bool failed = true; failed; n++) {
        tl_faulty f;
        tl_err e;
        session_prepare(&p, kind);
        tl_secrets_init(&rq_secrets, p.rq_end.crypto);
        tl_nonces_init(&nonces, p.rs_end.crypto, TL_NONCES_FAIL);
        tl_secrets_init(&rs_secrets, tl_nonces_crypto(&nonces));
        tl_faulty_init(&f, at_requester ? tl_secrets_crypto(&rq_secrets) : tl_secrets_crypto(&rs_secrets), n);
        p.rq_end.crypto = at_requester ? tl_faulty_crypto(&f) : tl_secrets_crypto(&rq_secrets);
        p.rs_end.crypto = at_requester ? tl_secrets_crypto(&rs_secrets) : tl_faulty_crypto(&f);
        tl_spdm_pair_begin(&p);
        e = everything();
        failed = f.failed;
        if (failed == (e == TL_OK))
            fail_msg("call %lu: %s", n, tl_err_text(e));
        check_end();
        tl_faulty_assert_clean(&f);
        tl_spdm_pair_close(&p);
        tl_nonces_free(&nonces);
    }
    assert_true(n > 60);
}

static void all_when_any_call_of_the_requester_fails_then_an_error_and_nothing_is_left(void **state)
{
    (void)state;
    fail_each(true, KIND_MUTUAL);
    fail_each(true, KIND_13 | KIND_MCTP);
}

static void all_when_any_call_of_the_responder_fails_then_an_error_and_nothing_is_left(void **state)
{
    (void)state;
    fail_each(false, KIND_MUTUAL | KIND_13 | KIND_MCTP);
    fail_each(false, 0);
}

/* What the handshake left must be gone as soon as the data keys are there, and old data keys after an update. */
static void secrets_when_their_time_is_over_then_gone_on_both_sides(void **state)
{
    static const tl_spdm_ask both = { .update_both = true };
    tl_secret now;
    tl_hash_alg hash;
    (void)state;
    session_prepare(&p, KIND_MUTUAL);
    tl_secrets_init(&rq_secrets, p.rq_end.crypto);
    tl_secrets_init(&rs_secrets, p.rs_end.crypto);
    p.rq_end.crypto = tl_secrets_crypto(&rq_secrets);
    p.rs_end.crypto = tl_secrets_crypto(&rs_secrets);
    tl_spdm_pair_begin(&p);
    session_begin(&p);
    /* exchanged; handshake, request, response; key, its bytes, IV of both; finished keys: all before the master secret */
    enum { HANDSHAKE = 4 + 2 * 3 + 2 };
    assert_true(rq_secrets.n > HANDSHAKE && rs_secrets.n > HANDSHAKE);
    tl_secrets_assert_none(&rq_secrets, 0, HANDSHAKE, &p, sizeof p);
    tl_secrets_assert_none(&rs_secrets, 0, HANDSHAKE, &p, sizeof p);
    assert_true(tl_secrets_found(&rq_secrets, 0, rq_secrets.n, &p, sizeof p));
    tl_secret request = tl_requester_session(&p.rq)->application.request;
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_key_update, &both));
    assert_memory_not_equal(&request, &tl_requester_session(&p.rq)->application.request, sizeof request);
    tl_assert_ok(tl_session_export_secret(tl_requester_session(&p.rq), &now, &hash));
    for (const uint8_t *at = (const uint8_t *)&p; at + 32 <= (const uint8_t *)(&p + 1); at++)
        if (memcmp(at, request.bytes, 32) == 0)
            fail_msg("the old request secret is still there");
    tl_spdm_pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_when_any_call_of_the_requester_fails_then_an_error_and_nothing_is_left),
        cmocka_unit_test(all_when_any_call_of_the_responder_fails_then_an_error_and_nothing_is_left),
        cmocka_unit_test(secrets_when_their_time_is_over_then_gone_on_both_sides),
    };
    return cmocka_run_group_tests_name("session_faults", tests, NULL, NULL);
}
