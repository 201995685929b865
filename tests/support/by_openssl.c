#include "testing.h"

#include "by_openssl.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

static bool is_256(tl_suite suite)
{
    return suite == TL_SUITE_AES256_GMAC || suite == TL_SUITE_AES256_CMAC;
}

static bool is_cmac(tl_suite suite)
{
    return suite == TL_SUITE_AES128_CMAC || suite == TL_SUITE_AES256_CMAC;
}

static void cmac(tl_suite suite, const uint8_t *key, tl_span data, uint8_t tag[TL_TAG_MAX])
{
    char cipher[] = "AES-128-CBC";
    if (is_256(suite))
        memcpy(cipher, "AES-256", 7);
    const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
                                  OSSL_PARAM_construct_end() };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "CMAC", NULL);
    EVP_MAC_CTX *c = EVP_MAC_CTX_new(mac);
    size_t n = 0;
    assert_int_equal(EVP_MAC_init(c, key, is_256(suite) ? 32 : 16, params), 1);
    assert_int_equal(EVP_MAC_update(c, data.p, data.n), 1);
    assert_int_equal(EVP_MAC_final(c, tag, &n, TL_TAG_MAX), 1);
    assert_int_equal(n, TL_TAG_MAX);
    EVP_MAC_CTX_free(c);
    EVP_MAC_free(mac);
}

/* GCM over associated data and a text that is encrypted already: decrypting it gives the same tag. */
static void gcm(tl_suite suite, const uint8_t *key, const uint8_t *nonce, tl_span associated, tl_span text,
                uint8_t tag[TL_TAG_MAX])
{
    uint8_t *clear = malloc(text.n + 1);
    int n;
    assert_non_null(clear);
    if (text.n != 0)
        memcpy(clear, text.p, text.n);
    tl_by_openssl_crypt(suite, key, nonce, clear, text.n);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    assert_int_equal(
        EVP_EncryptInit_ex(c, is_256(suite) ? EVP_aes_256_gcm() : EVP_aes_128_gcm(), NULL, key, nonce), 1);
    if (associated.n != 0)
        assert_int_equal(EVP_EncryptUpdate(c, NULL, &n, associated.p, (int)associated.n), 1);
    if (text.n != 0)
        assert_int_equal(EVP_EncryptUpdate(c, clear, &n, clear, (int)text.n), 1);
    if (text.n != 0)
        assert_memory_equal(clear, text.p, text.n);
    assert_int_equal(EVP_EncryptFinal_ex(c, clear, &n), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TL_TAG_MAX, tag), 1);
    EVP_CIPHER_CTX_free(c);
    free(clear);
}

void tl_by_openssl_mac(tl_suite suite, const uint8_t *key, const uint8_t nonce[TL_NONCE_SIZE], tl_span data,
                       uint8_t tag[TL_TAG_MAX])
{
    if (is_cmac(suite))
        cmac(suite, key, data, tag);
    else
        gcm(suite, key, nonce, data, (tl_span){ NULL, 0 }, tag);
}

void tl_by_openssl_crypt(tl_suite suite, const uint8_t *key, const uint8_t nonce[TL_NONCE_SIZE], uint8_t *p,
                         size_t n)
{
    uint8_t counter[16] = { 0 };
    int done;
    memcpy(counter, nonce, TL_NONCE_SIZE);
    counter[15] = 2;
    if (is_cmac(suite))
        key += tl_suite_key_size(suite) / 2;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    assert_int_equal(
        EVP_EncryptInit_ex(c, is_256(suite) ? EVP_aes_256_ctr() : EVP_aes_128_ctr(), NULL, key, counter), 1);
    if (n != 0)
        assert_int_equal(EVP_EncryptUpdate(c, p, &done, p, (int)n), 1);
    EVP_CIPHER_CTX_free(c);
}

/* The covered bytes one after the other, each looked at by itself. */
static size_t covered(const tl_sealed *m, bool with_text, uint8_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < m->header.n; i++)
        out[n++] = m->header.p[i];
    for (size_t i = 0; i < m->payload_n; i++) {
        bool inside = i >= m->pattern.first && m->cover == TL_COVER_PATTERN &&
                      (i - m->pattern.first) % m->pattern.period < m->pattern.count;
        if (m->cover == TL_COVER_PAYLOAD || (m->cover == TL_COVER_ENCRYPTED && with_text) || inside)
            out[n++] = m->payload[i];
    }
    return n;
}

void tl_by_openssl_tag(tl_suite suite, const uint8_t *key, const tl_sealed *m, uint8_t tag[TL_TAG_MAX])
{
    uint8_t *bytes = malloc(m->header.n + m->payload_n + 1);
    assert_non_null(bytes);
    size_t n = covered(m, is_cmac(suite), bytes);
    size_t text_n = m->cover == TL_COVER_ENCRYPTED ? m->payload_n : 0;
    if (is_cmac(suite))
        cmac(suite, key, tl_span_of(bytes, n), tag);
    else
        gcm(suite, key, m->nonce, tl_span_of(bytes, n), tl_span_of(m->payload, text_n), tag);
    free(bytes);
}

void tl_by_openssl_hkdf(tl_hash_alg hash, tl_span salt, tl_span secret, tl_span info, uint8_t *out, size_t n)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *c = EVP_KDF_CTX_new(kdf);
    int mode = salt.p != NULL ? EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND : EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    char digest[] = "SHA256";
    if (hash == TL_HASH_SHA384)
        memcpy(digest, "SHA384", 6);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret.p, secret.n),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info.p, info.n),
        OSSL_PARAM_construct_end(),
        OSSL_PARAM_construct_end()
    };

    if (salt.p != NULL)
        params[4] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt.p, salt.n);
    assert_int_equal(EVP_KDF_derive(c, out, n, params), 1);
    EVP_KDF_CTX_free(c);
    EVP_KDF_free(kdf);
}
