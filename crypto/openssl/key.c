/* The slots of keys of all kinds, and stream keys.
 *
 * A slot's EVP_CIPHER_CTX is made once. A stream key is expanded once, when it is loaded; a message only sets
 * its nonce. Dropping resets the context, which clears and frees the expanded key; keys of the other kinds
 * are OpenSSL's objects, whose freeing clears what is secret. */
#include "backend.h"

#include <openssl/crypto.h>

static const struct {
    tl_suite suite;
    const char *cipher;
} rows[TL__SUITES] = {
    { TL_SUITE_AES128_GMAC, "AES-128-GCM" },
    { TL_SUITE_AES256_GMAC, "AES-256-GCM" },
};

tl_err tl__key_open(tl_openssl *b, size_t slots)
{
    for (size_t i = 0; i < TL__SUITES; i++) {
        b->cipher[i] = EVP_CIPHER_fetch(NULL, rows[i].cipher, NULL);
        if (b->cipher[i] == NULL)
            return tl__openssl_failed();
    }
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

static EVP_CIPHER *cipher_of(const tl_openssl *b, tl_suite suite)
{
    for (size_t i = 0; i < TL__SUITES; i++) {
        if (rows[i].suite == suite)
            return b->cipher[i];
    }
    return NULL;
}

tl_err tl__key_load(void *ctx, tl_suite suite, tl_span key, tl_key *k)
{
    tl_openssl *b = ctx;
    tl__key *slot;
    k->slot = 0;
    const EVP_CIPHER *cipher = cipher_of(b, suite);
    if (cipher == NULL || key.p == NULL || key.n != tl_suite_key_size(suite))
        return TL_E_USAGE;
    TL_TRY(tl__key_take(b, TL__STREAM, &slot, k));
    if (EVP_EncryptInit_ex2(slot->stream, cipher, key.p, NULL, NULL) == 1)
        return TL_OK;
    tl__key_drop(b, *k);
    k->slot = 0;
    return tl__openssl_failed();
}
