/* The slots of keys of all kinds, and stream keys.
 *
 * A slot's EVP_CIPHER_CTX is made once. A stream key is expanded once, when it is loaded; a message only sets
 * its nonce. Of a CMAC suite that context has the second half of the key, and the EVP_MAC_CTX that is made with
 * it the first. Dropping resets the one and frees the other, which clears the expanded keys; keys of the other
 * kinds are OpenSSL's objects, whose freeing clears what is secret.
 *
 * A running MAC under a GMAC suite is keyed again from the key's bytes: OpenSSL 3.0 copies no GCM context. */
#include "backend.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <string.h>

/* The mode of the stream's context, and the cipher inside its CMAC. */
static const struct {
    tl_suite suite;
    const char *cipher, *cmac;
} rows[TL__SUITES] = {
    { TL_SUITE_AES128_GMAC, "AES-128-GCM", NULL },
    { TL_SUITE_AES256_GMAC, "AES-256-GCM", NULL },
    { TL_SUITE_AES128_CMAC, "AES-128-CTR", "AES-128-CBC" },
    { TL_SUITE_AES256_CMAC, "AES-256-CTR", "AES-256-CBC" },
};

tl_err tl__key_open(tl_openssl *b, size_t slots)
{
    for (size_t i = 0; i < TL__SUITES; i++) {
        b->cipher[i] = EVP_CIPHER_fetch(NULL, rows[i].cipher, NULL);
        if (b->cipher[i] == NULL)
            return tl__openssl_failed();
    }
    b->cmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_CMAC, NULL);
    if (b->cmac == NULL)
        return tl__openssl_failed();
    b->key = OPENSSL_zalloc(slots * sizeof *b->key);
    if (b->key == NULL || !tl__pool_init(&b->keys, slots))
        return tl__openssl_failed();
    for (size_t i = 0; i < slots; i++) {
        b->key[i].stream = EVP_CIPHER_CTX_new();
        if (b->key[i].stream == NULL)
            return tl__openssl_failed();
    }
    return TL_OK;
}

static void clear(tl__key *key)
{
    EVP_MAC_CTX_free(key->cmac);
    tl_wipe(key->gmac, sizeof key->gmac);
    EVP_PKEY_free(key->pair);
    sk_X509_pop_free(key->trust, X509_free);
    sk_X509_CRL_pop_free(key->revoked, X509_CRL_free);
    *key = (tl__key){ .stream = key->stream };
}

void tl__key_close(tl_openssl *b)
{
    for (size_t i = 0; i < b->keys.n; i++) {
        clear(&b->key[i]);
        EVP_CIPHER_CTX_free(b->key[i].stream);
    }
    OPENSSL_free(b->key);
    tl__pool_free(&b->keys);
    for (size_t i = 0; i < TL__SUITES; i++)
        EVP_CIPHER_free(b->cipher[i]);
    EVP_MAC_free(b->cmac);
}

tl_err tl__key_take(tl_openssl *b, tl__kind kind, tl__key **key, tl_key *k)
{
    size_t slot;
    k->slot = 0;
    TL_TRY(tl__pool_take(&b->keys, &slot));
    *key = &b->key[slot];
    (*key)->kind = kind;
    k->slot = tl__pool_handle(&b->keys, slot);
    return TL_OK;
}

tl_err tl__key_find(const tl_openssl *b, tl_key k, tl__kind kind, tl__key **key)
{
    size_t slot;
    TL_TRY(tl__pool_find(&b->keys, k.slot, &slot));
    *key = &b->key[slot];
    return (*key)->kind == kind ? TL_OK : TL_E_USAGE;
}

void tl__key_drop(void *ctx, tl_key k)
{
    tl_openssl *b = ctx;
    size_t slot;
    if (tl__pool_find(&b->keys, k.slot, &slot) != TL_OK)
        return;
    EVP_CIPHER_CTX_reset(b->key[slot].stream);
    clear(&b->key[slot]);
    tl__pool_give(&b->keys, slot);
}

static bool row_of(tl_suite suite, size_t *row)
{
    for (*row = 0; *row < TL__SUITES; ++*row) {
        if (rows[*row].suite == suite)
            return true;
    }
    return false;
}

static bool key_cmac(const tl_openssl *b, size_t row, tl_span key, tl__key *slot)
{
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, (char *)(uintptr_t)rows[row].cmac, 0),
        OSSL_PARAM_construct_end(),
    };
    slot->cmac = EVP_MAC_CTX_new(b->cmac);
    return slot->cmac != NULL && EVP_MAC_init(slot->cmac, key.p, key.n, params) == 1;
}

static bool key_slot(const tl_openssl *b, size_t row, tl_span key, tl__key *slot)
{
    if (rows[row].cmac == NULL) {
        slot->gcm = b->cipher[row];
        memcpy(slot->gmac, key.p, key.n);
        return EVP_EncryptInit_ex2(slot->stream, slot->gcm, key.p, NULL, NULL) == 1;
    }
    size_t half = key.n / 2;
    return key_cmac(b, row, tl_span_of(key.p, half), slot) &&
           EVP_EncryptInit_ex2(slot->stream, b->cipher[row], key.p + half, NULL, NULL) == 1;
}

tl_err tl__key_load(void *ctx, tl_suite suite, tl_span key, tl_key *k)
{
    tl_openssl *b = ctx;
    tl__key *slot;
    size_t row;
    k->slot = 0;
    if (!row_of(suite, &row) || key.p == NULL || key.n != tl_suite_key_size(suite))
        return TL_E_USAGE;
    TL_TRY(tl__key_take(b, TL__STREAM, &slot, k));
    if (key_slot(b, row, key, slot))
        return TL_OK;
    tl__key_drop(b, *k);
    k->slot = 0;
    return tl__openssl_failed();
}
