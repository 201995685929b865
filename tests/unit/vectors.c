/* Published test vectors against the whole crypto interface: NIST's for AES-GCM (and GMAC, where there is
 * no text) and SHA-2, those of RFC 4231 for HMAC and of RFC 5869 for HKDF. Each file must give as many
 * vectors as it is known to hold, so that a file that is cut or misread is noticed. */
#include "vectors.h"

#include "by_openssl.h"

#include <trueline/openssl.h>

#include <openssl/evp.h>
#include <string.h>

typedef struct state {
    tl_openssl *backend;
    const tl_crypto *crypto;
} state;

static int set_up(void **s)
{
    static state st;
    tl_assert_ok(tl_openssl_open(NULL, &st.backend));
    st.crypto = tl_openssl_crypto(st.backend);
    *s = &st;
    return 0;
}

static int tear_down(void **s)
{
    tl_openssl_close(((state *)*s)->backend);
    return 0;
}

/* ---- AES-GCM ---- */

static tl_sealed message_of(const tl_gcm_vector *v, tl_span header, uint8_t *payload, size_t payload_n,
                            tl_cover cover)
{
    tl_sealed m = { .header = header, .payload = payload, .payload_n = payload_n, .cover = cover };
    m.tag_n = (uint8_t)v->tag_n;
    memcpy(m.nonce, v->nonce, sizeof m.nonce);
    return m;
}

/* AES-GCM as it is: the associated data is the header. */
static void encrypted(const tl_crypto *c, tl_key k, const tl_gcm_vector *v)
{
    uint8_t payload[TL_GCM_TEXT_MAX];
    tl_sealed m = message_of(v, tl_span_of(v->aad, v->aad_n), payload, v->text_n, TL_COVER_ENCRYPTED);
    if (v->right) {
        memcpy(payload, v->plain, v->text_n);
        tl_assert_ok(c->ops->protect(c->ctx, k, &m, 1));
        assert_memory_equal(payload, v->cipher, v->text_n);
        assert_memory_equal(m.tag, v->tag, v->tag_n);
    }
    memcpy(payload, v->cipher, v->text_n);
    memcpy(m.tag, v->tag, v->tag_n);
    tl_assert_ok(c->ops->verify(c->ctx, k, &m, 1));
    assert_int_equal(m.right, v->right);
    if (v->right)
        assert_memory_equal(payload, v->plain, v->text_n);
    else
        tl_assert_all(payload, 0, v->text_n);
}

/* GMAC: the associated data is the header and the payload, wherever the one ends. */
static void clear(const tl_crypto *c, tl_key k, const tl_gcm_vector *v, size_t split)
{
    uint8_t payload[TL_GCM_TEXT_MAX];
    tl_sealed m = message_of(v, tl_span_of(v->aad, split), payload, v->aad_n - split, TL_COVER_PAYLOAD);
    memcpy(payload, v->aad + split, m.payload_n);
    if (v->right) {
        tl_assert_ok(c->ops->protect(c->ctx, k, &m, 1));
        assert_memory_equal(m.tag, v->tag, v->tag_n);
    }
    memcpy(m.tag, v->tag, v->tag_n);
    tl_assert_ok(c->ops->verify(c->ctx, k, &m, 1));
    assert_int_equal(m.right, v->right);
    assert_memory_equal(payload, v->aad + split, m.payload_n);
}

static void run_gcm(const state *st, tl_suite suite, const char *file, size_t expected_wrong)
{
    const tl_crypto *c = st->crypto;
    tl_vectors file_vectors;
    tl_vector r;
    tl_gcm_vector v;
    size_t n = 0, gmac = 0, wrong = 0;
    tl_vectors_open(&file_vectors, TL_TEST_DATA, file);
    for (; tl_vectors_next(&file_vectors, &r); n++) {
        tl_key k;
        tl_gcm_vector_read(&r, &v);
        tl_assert_ok(c->ops->key_load(c->ctx, suite, tl_span_of(v.key, v.key_n), &k));
        encrypted(c, k, &v);
        for (size_t split = 0; v.text_n == 0 && split <= v.aad_n; split++)
            clear(c, k, &v, split);
        c->ops->key_drop(c->ctx, k);
        gmac += v.text_n == 0;
        wrong += !v.right;
    }
    tl_vectors_close(&file_vectors);
    assert_int_equal(n, 250);
    assert_int_equal(gmac, 50);
    assert_int_equal(wrong, expected_wrong);
}

static void gcm128_as_nist_when_encrypting_then_text_and_tag_fit(void **s)
{
    run_gcm(*s, TL_SUITE_AES128_GMAC, "gcm_encrypt_128.txt", 0);
}

static void gcm256_as_nist_when_encrypting_then_text_and_tag_fit(void **s)
{
    run_gcm(*s, TL_SUITE_AES256_GMAC, "gcm_encrypt_256.txt", 0);
}

static void gcm128_as_nist_when_decrypting_then_wrong_tags_are_refused(void **s)
{
    run_gcm(*s, TL_SUITE_AES128_GMAC, "gcm_decrypt_128.txt", 122);
}

static void gcm256_as_nist_when_decrypting_then_wrong_tags_are_refused(void **s)
{
    run_gcm(*s, TL_SUITE_AES256_GMAC, "gcm_decrypt_256.txt", 128);
}

/* ---- SHA-2 ---- */

static void run_hash(const state *st, tl_hash_alg alg, const char *file, size_t expected)
{
    const tl_crypto *c = st->crypto;
    tl_vectors vectors;
    tl_vector r;
    size_t n = 0;
    tl_vectors_open(&vectors, TL_TEST_DATA, file);
    for (; tl_vectors_next(&vectors, &r); n++) {
        uint8_t message[256], expected_digest[TL_HASH_MAX], digest[TL_HASH_MAX];
        size_t size = tl_vector_hex(&r, "message", message, sizeof message);
        size_t cut = size / 3;
        tl_hash h;
        assert_int_equal(tl_vector_hex(&r, "digest", expected_digest, TL_HASH_MAX), tl_hash_size(alg));
        tl_assert_ok(c->ops->hash_start(c->ctx, alg, &h));
        tl_assert_ok(c->ops->hash_add(c->ctx, h, tl_span_of(message, cut)));
        tl_assert_ok(c->ops->hash_add(c->ctx, h, tl_span_of(message + cut, size - cut)));
        tl_assert_ok(c->ops->hash_end(c->ctx, h, digest));
        assert_memory_equal(digest, expected_digest, tl_hash_size(alg));
    }
    tl_vectors_close(&vectors);
    assert_int_equal(n, expected);
}

static void sha256_as_nist_when_added_in_parts_then_digest_fits(void **s)
{
    run_hash(*s, TL_HASH_SHA256, "sha256.txt", 65);
}

static void sha384_as_nist_when_added_in_parts_then_digest_fits(void **s)
{
    run_hash(*s, TL_HASH_SHA384, "sha384.txt", 129);
}

/* ---- HMAC, HKDF ---- */

static void run_hmac(const state *st, tl_hash_alg alg, const char *file)
{
    const tl_crypto *c = st->crypto;
    tl_vectors vectors;
    tl_vector r;
    size_t n = 0;
    tl_vectors_open(&vectors, TL_TEST_DATA, file);
    for (; tl_vectors_next(&vectors, &r); n++) {
        uint8_t key[256], message[256], expected[TL_HASH_MAX], mac[TL_HASH_MAX];
        size_t key_n = tl_vector_hex(&r, "key", key, sizeof key);
        size_t message_n = tl_vector_hex(&r, "message", message, sizeof message);
        size_t expected_n = tl_vector_hex(&r, "digest", expected, sizeof expected);
        for (size_t cut = 0; cut <= message_n; cut++) {
            tl_span parts[2] = { tl_span_of(message, cut), tl_span_of(message + cut, message_n - cut) };
            tl_assert_ok(c->ops->hmac(c->ctx, alg, tl_span_of(key, key_n), parts, 2, mac));
            assert_memory_equal(mac, expected, expected_n);
        }
    }
    tl_vectors_close(&vectors);
    assert_int_equal(n, 7);
}

static void hmac_sha256_as_rfc4231_when_in_two_parts_then_mac_fits(void **s)
{
    run_hmac(*s, TL_HASH_SHA256, "hmac_sha256.txt");
}

static void hmac_sha384_as_rfc4231_when_in_two_parts_then_mac_fits(void **s)
{
    run_hmac(*s, TL_HASH_SHA384, "hmac_sha384.txt");
}

static void hkdf_sha256_as_rfc5869_when_info_is_in_parts_then_output_fits(void **s)
{
    const tl_crypto *c = ((state *)*s)->crypto;
    tl_vectors vectors;
    tl_vector r;
    size_t n = 0;
    tl_vectors_open(&vectors, TL_TEST_DATA, "hkdf_sha256.txt");
    for (; tl_vectors_next(&vectors, &r); n++) {
        uint8_t secret[128], salt[128], info[128], expected_prk[32], expected[128], prk[32], out[128];
        size_t secret_n = tl_vector_hex(&r, "secret", secret, sizeof secret);
        size_t salt_n = tl_vector_hex(&r, "salt", salt, sizeof salt);
        size_t info_n = tl_vector_hex(&r, "info", info, sizeof info);
        size_t out_n = tl_vector_hex(&r, "output", expected, sizeof expected);
        tl_span parts[2] = { tl_span_of(info, info_n / 4),
                             tl_span_of(info + info_n / 4, info_n - info_n / 4) };
        tl_vector_hex(&r, "prk", expected_prk, sizeof expected_prk);
        tl_assert_ok(
            tl_hkdf_extract(c, TL_HASH_SHA256, tl_span_of(salt, salt_n), tl_span_of(secret, secret_n), prk));
        assert_memory_equal(prk, expected_prk, sizeof prk);
        const tl_digest key = { TL_HASH_SHA256, tl_span_of(prk, sizeof prk) };
        tl_assert_ok(tl_hkdf_expand(c, key, parts, 2, out, out_n));
        assert_memory_equal(out, expected, out_n);
    }
    tl_vectors_close(&vectors);
    assert_int_equal(n, 3);
}

/* ---- vectors that only kernels take ---- */

/* A file that was mistyped would be the measure of nothing: OpenSSL has each record as it stands. */
static void files_when_computed_by_openssl_then_the_same(void **s)
{
    static const char *const files[] = { "aes_ecb.txt", "aes_ctr.txt", "cmac.txt" };
    static const uint8_t none[TL_NONCE_SIZE];
    size_t n[3] = { 0 };

    (void)s;
    for (size_t i = 0; i < 3; i++) {
        tl_vectors v;
        tl_vector r;
        tl_vectors_open(&v, TL_TEST_DATA, files[i]);
        for (; tl_vectors_next(&v, &r); n[i]++) {
            uint8_t key[32], counter[16] = { 0 }, text[64], want[64], out[64 + 16];
            size_t key_n = tl_vector_hex(&r, "key", key, sizeof key);
            size_t text_n = tl_vector_hex(&r, i == 2 ? "message" : "plain", text, sizeof text);
            size_t want_n = tl_vector_hex(&r, i == 2 ? "tag" : "cipher", want, sizeof want);
            int made = 0;
            if (i == 2) {
                tl_by_openssl_mac(key_n == 16 ? TL_SUITE_AES128_CMAC : TL_SUITE_AES256_CMAC, key, none,
                                  tl_span_of(text, text_n), out);
            } else {
                const EVP_CIPHER *ciphers[2][2] = { { EVP_aes_128_ecb(), EVP_aes_256_ecb() },
                                                    { EVP_aes_128_ctr(), EVP_aes_256_ctr() } };
                EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
                if (i == 1)
                    assert_int_equal(tl_vector_hex(&r, "counter", counter, 16), 16);
                assert_int_equal(EVP_EncryptInit_ex(c, ciphers[i][key_n == 32], NULL, key, counter), 1);
                assert_int_equal(EVP_EncryptUpdate(c, out, &made, text, (int)text_n), 1);
                assert_int_equal(made, want_n);
                EVP_CIPHER_CTX_free(c);
            }
            assert_memory_equal(out, want, want_n);
        }
        tl_vectors_close(&v);
    }
    assert_true(n[0] == 2 && n[1] == 2 && n[2] == 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gcm128_as_nist_when_encrypting_then_text_and_tag_fit),
        cmocka_unit_test(gcm256_as_nist_when_encrypting_then_text_and_tag_fit),
        cmocka_unit_test(gcm128_as_nist_when_decrypting_then_wrong_tags_are_refused),
        cmocka_unit_test(gcm256_as_nist_when_decrypting_then_wrong_tags_are_refused),
        cmocka_unit_test(sha256_as_nist_when_added_in_parts_then_digest_fits),
        cmocka_unit_test(sha384_as_nist_when_added_in_parts_then_digest_fits),
        cmocka_unit_test(hmac_sha256_as_rfc4231_when_in_two_parts_then_mac_fits),
        cmocka_unit_test(hmac_sha384_as_rfc4231_when_in_two_parts_then_mac_fits),
        cmocka_unit_test(hkdf_sha256_as_rfc5869_when_info_is_in_parts_then_output_fits),
        cmocka_unit_test(files_when_computed_by_openssl_then_the_same),
    };
    return cmocka_run_group_tests_name("vectors", tests, set_up, tear_down);
}
