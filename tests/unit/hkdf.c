/* HKDF: its refusals, its failures at every call, and its output against OpenSSL's own HKDF. The vectors
 * of RFC 5869 are in vectors.c. */
#include "faulty.h"
#include "one_backend.h"
#include "testing.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

enum { OUT_MAX = 255 * TL_HASH_MAX + 1 };

static const uint8_t prk[TL_HASH_MAX] = { 0x4B };
static const tl_span label = { (const uint8_t *)"stream", 6 };

static tl_digest key_of(tl_hash_alg alg, size_t n)
{
    return (tl_digest){ alg, { n > 0 ? prk : NULL, n } };
}

/* ---- refusals ---- */

static void extract_when_the_hash_is_unknown_then_usage(void **s)
{
    (void)s;
    uint8_t out[TL_HASH_MAX];
    tl_assert_err(TL_E_USAGE, tl_hkdf_extract(crypto, TL_HASH_NONE, label, label, out));
    tl_assert_err(TL_E_USAGE, tl_hkdf_extract(crypto, (tl_hash_alg)99, label, label, out));
}

static void expand_when_the_hash_is_unknown_then_usage_and_zeros(void **s)
{
    (void)s;
    uint8_t out[33];
    memset(out, 0xAA, sizeof out);
    tl_assert_err(TL_E_USAGE, tl_hkdf_expand(crypto, key_of(TL_HASH_NONE, 32), &label, 1, out, 32));
    tl_assert_all(out, 0, 32);
    assert_int_equal(out[32], 0xAA);
}

static void expand_when_the_prk_is_shorter_than_a_digest_then_usage_and_zeros(void **s)
{
    (void)s;
    uint8_t out[32];
    memset(out, 0xAA, sizeof out);
    tl_assert_err(TL_E_USAGE, tl_hkdf_expand(crypto, key_of(TL_HASH_SHA256, 31), &label, 1, out, 32));
    tl_assert_all(out, 0, 32);
    tl_assert_err(TL_E_USAGE, tl_hkdf_expand(crypto, key_of(TL_HASH_SHA384, 47), &label, 1, out, 32));
    tl_assert_err(TL_E_USAGE, tl_hkdf_expand(crypto, key_of(TL_HASH_SHA256, 0), &label, 1, out, 32));
}

static void expand_when_more_than_255_digests_are_asked_then_usage_and_zeros(void **s)
{
    (void)s;
    static uint8_t out[OUT_MAX];
    for (int alg = TL_HASH_SHA256; alg <= TL_HASH_SHA384; alg++) {
        size_t size = tl_hash_size((tl_hash_alg)alg), most = 255 * size;
        tl_digest k = key_of((tl_hash_alg)alg, size);
        memset(out, 0xAA, sizeof out);
        tl_assert_err(TL_E_USAGE, tl_hkdf_expand(crypto, k, &label, 1, out, most + 1));
        tl_assert_all(out, 0, most + 1);
        tl_assert_ok(tl_hkdf_expand(crypto, k, &label, 1, out, most));
        assert_int_equal(out[most], 0);
    }
}

static void expand_when_info_has_too_many_parts_then_usage_and_zeros(void **s)
{
    (void)s;
    tl_span info[TL_HKDF_INFO_MAX + 1];
    uint8_t out[40];
    for (size_t i = 0; i <= TL_HKDF_INFO_MAX; i++)
        info[i] = label;
    memset(out, 0xAA, sizeof out);
    tl_assert_err(TL_E_USAGE, tl_hkdf_expand(crypto, key_of(TL_HASH_SHA256, 32), info, TL_HKDF_INFO_MAX + 1,
                                             out, sizeof out));
    tl_assert_all(out, 0, sizeof out);
    tl_assert_err(TL_E_USAGE, tl_hkdf_expand(crypto, key_of(TL_HASH_SHA256, 32), info, SIZE_MAX, out, 40));
    tl_assert_ok(tl_hkdf_expand(crypto, key_of(TL_HASH_SHA256, 32), info, TL_HKDF_INFO_MAX, out, 40));
}

/* ---- failures of the backend ---- */

static void extract_when_the_backend_fails_then_its_error_and_zeros(void **s)
{
    (void)s;
    tl_faulty f;
    uint8_t out[32];
    memset(out, 0xAA, sizeof out);
    tl_faulty_init(&f, crypto, 1);
    tl_assert_err(TL_E_BACKEND, tl_hkdf_extract(tl_faulty_crypto(&f), TL_HASH_SHA256, label, label, out));
    tl_assert_all(out, 0, sizeof out);
}

static void expand_when_any_call_fails_then_its_error_and_zeros(void **s)
{
    (void)s;
    uint8_t out[5 * 48 - 7];
    unsigned long n = 1;
    for (;; n++) {
        tl_faulty f;
        memset(out, 0xAA, sizeof out);
        tl_faulty_init(&f, crypto, n);
        tl_err e =
            tl_hkdf_expand(tl_faulty_crypto(&f), key_of(TL_HASH_SHA384, 48), &label, 1, out, sizeof out);
        tl_faulty_assert_clean(&f);
        if (!f.failed) {
            tl_assert_ok(e);
            break;
        }
        tl_assert_err(TL_E_BACKEND, e);
        tl_assert_all(out, 0, sizeof out);
    }
    assert_int_equal(n, 6);
}

/* A backend that leaves its output half-written when it fails must not get it past HKDF. */
static tl_err half_written(void *ctx, tl_hash_alg alg, tl_span key, const tl_span *parts, size_t n,
                           uint8_t *mac)
{
    (void)ctx, (void)alg, (void)key, (void)parts, (void)n;
    memset(mac, 0x5A, 16);
    return TL_E_BACKEND;
}

static void both_when_the_backend_leaves_bytes_behind_then_zeros(void **s)
{
    (void)s;
    tl_wrap w;
    uint8_t out[32];
    tl_wrap_init(&w, crypto);
    w.ops.hmac = half_written;
    memset(out, 0xAA, sizeof out);
    tl_assert_err(TL_E_BACKEND, tl_hkdf_extract(&w.crypto, TL_HASH_SHA256, label, label, out));
    tl_assert_all(out, 0, sizeof out);
    memset(out, 0xAA, sizeof out);
    tl_assert_err(TL_E_BACKEND,
                  tl_hkdf_expand(&w.crypto, key_of(TL_HASH_SHA256, 32), &label, 1, out, sizeof out));
    tl_assert_all(out, 0, sizeof out);
}

/* Some backends refuse a key of no bytes. */
static tl_err no_empty_key(void *ctx, tl_hash_alg alg, tl_span key, const tl_span *parts, size_t n,
                           uint8_t *mac)
{
    tl_wrap *w = ctx;
    if (key.n == 0)
        return TL_E_USAGE;
    return w->inner->ops->hmac(w->inner->ctx, alg, key, parts, n, mac);
}

static void extract_when_there_is_no_salt_then_the_key_is_a_digest_of_zeros(void **s)
{
    (void)s;
    static const uint8_t zeros[48];
    tl_wrap w;
    uint8_t out[48], expected[48];
    tl_wrap_init(&w, crypto);
    w.ops.hmac = no_empty_key;
    tl_assert_ok(tl_hkdf_extract(&w.crypto, TL_HASH_SHA384, tl_span_of(NULL, 0), label, out));
    tl_assert_ok(tl_hkdf_extract(&w.crypto, TL_HASH_SHA384, tl_span_of(zeros, 48), label, expected));
    assert_memory_equal(out, expected, sizeof out);
}

/* ---- output ---- */

/* mode: EVP_KDF_HKDF_MODE_EXTRACT_ONLY, where `other` is the salt, or _EXPAND_ONLY, where it is the info. */
static void oracle(tl_hash_alg alg, int mode, tl_span key, tl_span other, uint8_t *out, size_t n)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *c = EVP_KDF_CTX_new(kdf);
    char *digest = alg == TL_HASH_SHA256 ? (char[]){ "SHA256" } : (char[]){ "SHA384" };
    const char *name = mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY ? OSSL_KDF_PARAM_SALT : OSSL_KDF_PARAM_INFO;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key.p, key.n),
        OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)other.p, other.n),
        OSSL_PARAM_construct_end(),
    };
    assert_int_equal(EVP_KDF_derive(c, out, n, params), 1);
    EVP_KDF_CTX_free(c);
    EVP_KDF_free(kdf);
}

static void both_when_inputs_are_random_then_as_openssl(void **s)
{
    (void)s;
    tl_rng r = tl_random_start(__func__);
    for (int round = 0; round < 300; round++) {
        uint8_t bytes[3][200], expected[600], out[600];
        size_t n = 1 + tl_random_below(&r, sizeof out);
        tl_hash_alg alg = tl_random_below(&r, 2) == 0 ? TL_HASH_SHA256 : TL_HASH_SHA384;
        size_t size = tl_hash_size(alg);
        tl_random_fill(&r, bytes, sizeof bytes);
        tl_span key = tl_span_of(bytes[0], size + tl_random_below(&r, 200 - size));
        tl_span salt = tl_span_of(bytes[1], 1 + tl_random_below(&r, 199));
        tl_span info = tl_span_of(bytes[2], 1 + tl_random_below(&r, 199));
        size_t cut = tl_random_below(&r, info.n);
        tl_span parts[3] = { { info.p, cut }, { NULL, 0 }, { info.p + cut, info.n - cut } };
        oracle(alg, EVP_KDF_HKDF_MODE_EXPAND_ONLY, key, info, expected, n);
        const tl_digest of_alg = { alg, key };
        tl_assert_ok(tl_hkdf_expand(crypto, of_alg, parts, 3, out, n));
        assert_memory_equal(out, expected, n);
        oracle(alg, EVP_KDF_HKDF_MODE_EXTRACT_ONLY, key, salt, expected, size);
        tl_assert_ok(tl_hkdf_extract(crypto, alg, salt, key, out));
        assert_memory_equal(out, expected, size);
    }
}

static void expand_when_asked_for_less_then_a_prefix_and_nothing_beyond(void **s)
{
    (void)s;
    uint8_t whole[100], some[101];
    tl_digest k = key_of(TL_HASH_SHA256, 32);
    tl_assert_ok(tl_hkdf_expand(crypto, k, &label, 1, whole, sizeof whole));
    for (size_t n = 0; n <= 100; n++) {
        memset(some, 0xAA, sizeof some);
        tl_assert_ok(tl_hkdf_expand(crypto, k, &label, 1, some, n));
        assert_memory_equal(some, whole, n);
        tl_assert_all(some + n, 0xAA, sizeof some - n);
    }
}

static void expand_when_there_is_no_info_then_as_with_empty_parts(void **s)
{
    (void)s;
    const tl_span empty[2] = { { NULL, 0 }, { NULL, 0 } };
    uint8_t a[32], b[32];
    tl_assert_ok(tl_hkdf_expand(crypto, key_of(TL_HASH_SHA256, 32), NULL, 0, a, sizeof a));
    tl_assert_ok(tl_hkdf_expand(crypto, key_of(TL_HASH_SHA256, 32), empty, 2, b, sizeof b));
    assert_memory_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extract_when_the_hash_is_unknown_then_usage),
        cmocka_unit_test(expand_when_the_hash_is_unknown_then_usage_and_zeros),
        cmocka_unit_test(expand_when_the_prk_is_shorter_than_a_digest_then_usage_and_zeros),
        cmocka_unit_test(expand_when_more_than_255_digests_are_asked_then_usage_and_zeros),
        cmocka_unit_test(expand_when_info_has_too_many_parts_then_usage_and_zeros),
        cmocka_unit_test(extract_when_the_backend_fails_then_its_error_and_zeros),
        cmocka_unit_test(expand_when_any_call_fails_then_its_error_and_zeros),
        cmocka_unit_test(both_when_the_backend_leaves_bytes_behind_then_zeros),
        cmocka_unit_test(extract_when_there_is_no_salt_then_the_key_is_a_digest_of_zeros),
        cmocka_unit_test(both_when_inputs_are_random_then_as_openssl),
        cmocka_unit_test(expand_when_asked_for_less_then_a_prefix_and_nothing_beyond),
        cmocka_unit_test(expand_when_there_is_no_info_then_as_with_empty_parts),
    };
    return cmocka_run_group_tests_name("hkdf", tests, open_backend, close_backend);
}
