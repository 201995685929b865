/* Sessions between requester and responder as they should go: both versions, both curves, with and without mutual
 * authentication, in three bindings; all exchanges inside; and nothing left behind. */
#include "faulty.h"
#include "nonces.h"
#include "spdm_pair.h"

#include <string.h>

static tl_openssl *backend;
static const tl_crypto *crypto;

static int set_up(void **s)
{
    const tl_openssl_config config = { .hash_slots = 32, .key_slots = 64 };
    (void)s;
    tl_assert_ok(tl_openssl_open(&config, &backend));
    crypto = tl_openssl_crypto(backend);
    return 0;
}

static int tear_down(void **s)
{
    (void)s;
    tl_openssl_close(backend);
    return 0;
}

static tl_spdm_pair p;

static tl_spdm_pair_setup setup_of(unsigned kind)
{
    return (tl_spdm_pair_setup){ .backend = backend,
                                 .folder = TL_TEST_DATA,
                                 .requester = crypto,
                                 .responder = crypto,
                                 .version = kind & 1 ? TL_SPDM_13 : TL_SPDM_12,
                                 .curve = kind & 2 ? TL_GROUP_P384 : TL_GROUP_P256,
                                 .mutual = kind & 4 };
}

static void session_when_version_curve_and_mutual_are_any_then_both_have_it(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 8; kind++) {
        tl_spdm_pair_setup setup = setup_of(kind);
        tl_secret a, b;
        tl_hash_alg hash;
        tl_spdm_pair_init(&p, &setup);
        tl_err e = tl_spdm_pair_run(&p, &tl_flow_session, NULL);
        if (e != TL_OK)
            fail_msg("%u: %s: %s %s (%s; responder: %s)", kind, tl_requester_why(&p.requester)->step,
                     tl_requester_why(&p.requester)->what, tl_requester_why(&p.requester)->where,
                     tl_err_text(e), tl_err_text(p.responder_err));
        tl_assert_ok(tl_session_export_secret(tl_requester_session(&p.requester), &a, &hash));
        tl_assert_ok(tl_session_export_secret(&p.responder_sessions[0], &b, &hash));
        assert_memory_equal(&a, &b, sizeof a);
        tl_spdm_pair_wipe(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_when_version_curve_and_mutual_are_any_then_both_have_it),
    };
    return cmocka_run_group_tests_name("session_works", tests, set_up, tear_down);
}
