/* Opening and closing the OpenSSL backend, its table of operations, and its random bytes.
 *
 * Contexts are made once, one per slot, and reused; algorithms are fetched once. The work is in hash.c,
 * hmac.c, key.c, batch.c, message.c, mac.c, sign.c, exchange.c and chain.c; load.c reads files. */
#include "backend.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>

static const tl_crypto_ops ops = {
    .random = tl__random,
    .hash_start = tl__hash_start,
    .hash_add = tl__hash_add,
    .hash_clone = tl__hash_clone,
    .hash_end = tl__hash_end,
    .hash_drop = tl__hash_drop,
    .hmac = tl__hmac,
    .key_load = tl__key_load,
    .key_drop = tl__key_drop,
    .protect = tl__protect,
    .verify = tl__verify,
    .open = tl__open,
    .mac_start = tl__mac_start,
    .mac_add = tl__mac_add,
    .mac_end = tl__mac_end,
    .mac_drop = tl__mac_drop,
    .sign = tl__sign,
    .check_signature = tl__check_signature,
    .exchange_start = tl__exchange_start,
    .exchange_end = tl__exchange_end,
    .chain_check = tl__chain_check,
};

static tl_err open_parts(tl_openssl *b, const tl_openssl_config *config)
{
    size_t hash_slots =
        config != NULL && config->hash_slots != 0 ? config->hash_slots : TL_OPENSSL_HASH_SLOTS;
    size_t key_slots = config != NULL && config->key_slots != 0 ? config->key_slots : TL_OPENSSL_KEY_SLOTS;
    size_t mac_slots = config != NULL && config->mac_slots != 0 ? config->mac_slots : TL_OPENSSL_MAC_SLOTS;
    TL_TRY(tl__hash_open(b, hash_slots));
    TL_TRY(tl__hmac_open(b));
    TL_TRY(tl__key_open(b, key_slots));
    return tl__mac_open(b, mac_slots);
}

tl_err tl_openssl_open(const tl_openssl_config *config, tl_openssl **out)
{
    *out = NULL;
    tl_openssl *b = OPENSSL_zalloc(sizeof *b);
    if (b == NULL)
        return tl__openssl_failed();
    tl_err e = open_parts(b, config);
    if (e != TL_OK) {
        tl_openssl_close(b);
        return e;
    }
    b->crypto = (tl_crypto){ &ops, b };
    *out = b;
    return TL_OK;
}

const tl_crypto *tl_openssl_crypto(const tl_openssl *backend)
{
    return &backend->crypto;
}

void tl_openssl_close(tl_openssl *backend)
{
    if (backend == NULL)
        return;
    tl__mac_close(backend);
    tl__key_close(backend);
    tl__hmac_close(backend);
    tl__hash_close(backend);
    OPENSSL_free(backend);
}

tl_err tl__openssl_failed(void)
{
    ERR_clear_error();
    return TL_E_BACKEND;
}

tl_err tl__random(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    for (size_t done = 0; done < n;) {
        int some = n - done > INT_MAX ? INT_MAX : (int)(n - done);
        if (RAND_priv_bytes(out + done, some) != 1) {
            ERR_clear_error();
            tl_wipe(out, n);
            return TL_E_RANDOM;
        }
        done += (size_t)some;
    }
    return TL_OK;
}
