/* Attestation when the crypto backend fails: each call in turn, at either end. It is refused, every handle is given back,
 * and both contexts are zero after wiping; the next attestation, with a backend that works, is right. */
#include "faulty.h"
#include "spdm_pair.h"

static tl_spdm_pair p;
static tl_faulty f;

static void open_with(uint8_t version, tl_sign_alg alg)
{
    tl_spdm_pair_open(&p, alg);
    p.rs_policy.version_max = version;
}

static void again(tl_spdm_end *end, unsigned long fail_at)
{
    tl_faulty_init(&f, tl_openssl_crypto(end->backend), fail_at);
    end->crypto = tl_faulty_crypto(&f);
    p.crossed = 0;
    tl_spdm_pair_begin(&p);
}

static void finish(void)
{
    tl_requester_wipe(&p.rq);
    tl_responder_wipe(&p.rs);
    tl_assert_all(&p.rq, 0, sizeof p.rq);
    tl_assert_all(&p.rs, 0, sizeof p.rs);
    tl_faulty_assert_clean(&f);
}

static unsigned long fail_each(tl_spdm_end *end, const tl_spdm_ask *ask)
{
    for (unsigned long n = 1;; n++) {
        tl_err e;

        again(end, n);
        e = tl_spdm_pair_run(&p, &tl_flow_attest, ask);
        if (!f.failed) {
            tl_assert_ok(e);
            assert_true(tl_requester_peer(&p.rq)->authenticated);
            finish();
            return n - 1;
        }
        assert_int_not_equal(e, TL_OK);
        assert_false(tl_requester_peer(&p.rq)->authenticated);
        f.fail_at = 0;
        tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_attest, ask));
        assert_true(tl_requester_peer(&p.rq)->authenticated);
        finish();
    }
}

static const tl_spdm_ask ask = { .summary = TL_SPDM_SUMMARY_TCB,
                                 .measurement = TL_SPDM_MEASUREMENT_ALL,
                                 .signed_measurements = true };

static void attest_when_a_call_of_the_requester_fails_then_refused_and_clean(void **s)
{
    (void)s;
    for (uint8_t version = TL_SPDM_12; version <= TL_SPDM_13; version++) {
        open_with(version, version == TL_SPDM_12 ? TL_SIGN_ECDSA_P256 : TL_SIGN_ECDSA_P384);
        assert_true(fail_each(&p.rq_end, &ask) > 30);
        tl_spdm_pair_close(&p);
    }
}

static void attest_when_a_call_of_the_responder_fails_then_refused_and_clean(void **s)
{
    (void)s;
    for (uint8_t version = TL_SPDM_12; version <= TL_SPDM_13; version++) {
        open_with(version, version == TL_SPDM_12 ? TL_SIGN_ECDSA_P256 : TL_SIGN_ECDSA_P384);
        assert_true(fail_each(&p.rs_end, &ask) > 30);
        tl_spdm_pair_close(&p);
    }
}

/* The source of measurements may fail, too: it is not ours. */
static tl_err no_block(void *ctx, size_t i, tl_hash_alg alg, bool raw_wanted, tl_spdm_measurement *m)
{
    (void)ctx;
    (void)alg;
    (void)raw_wanted;
    *m = (tl_spdm_measurement){ 0 };
    return i == 0 ? TL_E_FILE : TL_OK;
}

static tl_err wrong_digest(void *ctx, size_t i, tl_hash_alg alg, bool raw_wanted, tl_spdm_measurement *m)
{
    (void)ctx;
    (void)alg;
    (void)raw_wanted;
    *m = (tl_spdm_measurement){ (uint8_t)(i + 1), 0, false, true, tl_span_of("short", 5) };
    return TL_OK;
}

static tl_err falling_index(void *ctx, size_t i, tl_hash_alg alg, bool raw_wanted, tl_spdm_measurement *m)
{
    (void)ctx;
    (void)alg;
    (void)raw_wanted;
    *m = (tl_spdm_measurement){ (uint8_t)(9 - i), 0, true, true, tl_span_of("bits", 4) };
    return TL_OK;
}

static void measure_when_the_source_is_wrong_then_refused_as_unspecified(void **s)
{
    tl_err (*const sources[])(void *, size_t, tl_hash_alg, bool,
                              tl_spdm_measurement *) = { no_block, wrong_digest, falling_index };

    (void)s;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        open_with(TL_SPDM_13, TL_SIGN_ECDSA_P256);
        p.source.get = sources[i];
        again(&p.rs_end, 0);
        tl_assert_err(TL_E_PEER_UNSPECIFIED, tl_spdm_pair_run(&p, &tl_flow_attest, &ask));
        assert_string_equal(tl_requester_why(&p.rq)->step, "CHALLENGE");
        finish();
        again(&p.rs_end, 0);
        tl_assert_err(TL_E_PEER_UNSPECIFIED, tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
        assert_string_equal(tl_requester_why(&p.rq)->step, "MEASUREMENTS");
        finish();
        tl_spdm_pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attest_when_a_call_of_the_requester_fails_then_refused_and_clean),
        cmocka_unit_test(attest_when_a_call_of_the_responder_fails_then_refused_and_clean),
        cmocka_unit_test(measure_when_the_source_is_wrong_then_refused_as_unspecified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
