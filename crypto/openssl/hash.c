/* Running hashes: a pool of EVP_MD_CTX, one per slot, that go from hash to hash.
 *
 * A slot that is given back is reset, which frees and clears the state in it. */
#include "backend.h"

#include <openssl/crypto.h>
#include <string.h>

static const struct {
    tl_hash_alg alg;
    const char *name;
} rows[TL__HASHES] = {
    { TL_HASH_SHA256, "SHA2-256" },
    { TL_HASH_SHA384, "SHA2-384" },
};

tl_err tl__hash_row(tl_hash_alg alg, size_t *row)
{
    for (size_t i = 0; i < TL__HASHES; i++) {
        if (rows[i].alg == alg) {
            *row = i;
            return TL_OK;
        }
    }
    return TL_E_USAGE;
}

const char *tl__hash_row_name(size_t row)
{
    return rows[row].name;
}

tl_err tl__hash_open(tl_openssl *b, size_t slots)
{
    for (size_t i = 0; i < TL__HASHES; i++) {
        b->digest[i] = EVP_MD_fetch(NULL, rows[i].name, NULL);
        if (b->digest[i] == NULL)
            return tl__openssl_failed();
    }
    b->hash = OPENSSL_zalloc(slots * sizeof *b->hash);
    if (b->hash == NULL || !tl__pool_init(&b->hashes, slots))
        return tl__openssl_failed();
    for (size_t i = 0; i < slots; i++) {
        b->hash[i] = EVP_MD_CTX_new();
        if (b->hash[i] == NULL)
            return tl__openssl_failed();
    }
    return TL_OK;
}

void tl__hash_close(tl_openssl *b)
{
    for (size_t i = 0; i < b->hashes.n; i++)
        EVP_MD_CTX_free(b->hash[i]);
    OPENSSL_free(b->hash);
    tl__pool_free(&b->hashes);
    for (size_t i = 0; i < TL__HASHES; i++)
        EVP_MD_free(b->digest[i]);
}

static void give_back(tl_openssl *b, size_t slot)
{
    EVP_MD_CTX_reset(b->hash[slot]);
    tl__pool_give(&b->hashes, slot);
}

tl_err tl__hash_start(void *ctx, tl_hash_alg alg, tl_hash *h)
{
    tl_openssl *b = ctx;
    size_t row, slot;
    h->slot = 0;
    TL_TRY(tl__hash_row(alg, &row));
    TL_TRY(tl__pool_take(&b->hashes, &slot));
    if (EVP_DigestInit_ex2(b->hash[slot], b->digest[row], NULL) != 1) {
        give_back(b, slot);
        return tl__openssl_failed();
    }
    h->slot = tl__pool_handle(&b->hashes, slot);
    return TL_OK;
}

tl_err tl__hash_add(void *ctx, tl_hash h, tl_span data)
{
    tl_openssl *b = ctx;
    size_t slot;
    TL_TRY(tl__pool_find(&b->hashes, h.slot, &slot));
    if (EVP_DigestUpdate(b->hash[slot], data.p, data.n) != 1)
        return tl__openssl_failed();
    return TL_OK;
}

tl_err tl__hash_clone(void *ctx, tl_hash from, tl_hash *to)
{
    tl_openssl *b = ctx;
    size_t source, slot;
    to->slot = 0;
    TL_TRY(tl__pool_find(&b->hashes, from.slot, &source));
    TL_TRY(tl__pool_take(&b->hashes, &slot));
    if (EVP_MD_CTX_copy_ex(b->hash[slot], b->hash[source]) != 1) {
        give_back(b, slot);
        return tl__openssl_failed();
    }
    to->slot = tl__pool_handle(&b->hashes, slot);
    return TL_OK;
}

tl_err tl__hash_end(void *ctx, tl_hash h, uint8_t *digest)
{
    tl_openssl *b = ctx;
    size_t slot;
    TL_TRY(tl__pool_find(&b->hashes, h.slot, &slot));
    size_t size = (size_t)EVP_MD_CTX_get_size(b->hash[slot]);
    if (EVP_DigestFinal_ex(b->hash[slot], digest, NULL) != 1) {
        memset(digest, 0, size);
        return tl__openssl_failed();
    }
    give_back(b, slot);
    return TL_OK;
}

void tl__hash_drop(void *ctx, tl_hash h)
{
    tl_openssl *b = ctx;
    size_t slot;
    if (tl__pool_find(&b->hashes, h.slot, &slot) == TL_OK)
        give_back(b, slot);
}
