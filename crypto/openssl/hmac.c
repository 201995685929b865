/* HMAC: one EVP_MAC_CTX per hash algorithm, made once with its digest and keyed anew by each call.
 *
 * The context keeps a copy of its key, so each call ends by keying it with a public value: the caller's
 * key, which is an epoch's secret, must not outlive the call. */
#include "backend.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

/* Stands for an empty key too: EVP_MAC_init takes a NULL pointer for the key of the call before. */
static const uint8_t public_key[1] = { 0 };

tl_err tl__hmac_open(tl_openssl *b)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    if (mac == NULL)
        return tl__openssl_failed();
    bool made = true;
    for (size_t i = 0; i < TL__HASHES && made; i++) {
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)tl__hash_row_name(i),
                                             0),
            OSSL_PARAM_construct_end(),
        };
        b->hmac[i] = EVP_MAC_CTX_new(mac);
        made = b->hmac[i] != NULL && EVP_MAC_CTX_set_params(b->hmac[i], params) == 1;
    }
    EVP_MAC_free(mac);
    return made ? TL_OK : tl__openssl_failed();
}

void tl__hmac_close(tl_openssl *b)
{
    for (size_t i = 0; i < TL__HASHES; i++)
        EVP_MAC_CTX_free(b->hmac[i]);
}

static bool compute(EVP_MAC_CTX *c, tl_span key, const tl_span *parts, size_t n, uint8_t *mac)
{
    size_t size;
    if (EVP_MAC_init(c, key.n != 0 ? key.p : public_key, key.n, NULL) != 1)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].n != 0 && EVP_MAC_update(c, parts[i].p, parts[i].n) != 1)
            return false;
    }
    return EVP_MAC_final(c, mac, &size, EVP_MAC_CTX_get_mac_size(c)) == 1;
}

tl_err tl__hmac(void *ctx, tl_hash_alg alg, tl_span key, const tl_span *parts, size_t n, uint8_t *mac)
{
    tl_openssl *b = ctx;
    size_t row;
    TL_TRY(tl__hash_row(alg, &row));
    bool right = compute(b->hmac[row], key, parts, n, mac);
    bool forgotten = EVP_MAC_init(b->hmac[row], public_key, sizeof public_key, NULL) == 1;
    if (right && forgotten)
        return TL_OK;
    tl_wipe(mac, tl_hash_size(alg));
    return tl__openssl_failed();
}
