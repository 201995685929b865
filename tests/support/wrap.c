/* Handing each call of the crypto interface on to the wrapped backend. */
#include "wrap.h"

static const tl_crypto *inner(void *ctx)
{
    return ((tl_wrap *)ctx)->inner;
}

static tl_err wrap_random(void *ctx, uint8_t *out, size_t n)
{
    return inner(ctx)->ops->random(inner(ctx)->ctx, out, n);
}

static tl_err hash_start(void *ctx, tl_hash_alg alg, tl_hash *h)
{
    return inner(ctx)->ops->hash_start(inner(ctx)->ctx, alg, h);
}

static tl_err hash_add(void *ctx, tl_hash h, tl_span data)
{
    return inner(ctx)->ops->hash_add(inner(ctx)->ctx, h, data);
}

static tl_err hash_clone(void *ctx, tl_hash from, tl_hash *to)
{
    return inner(ctx)->ops->hash_clone(inner(ctx)->ctx, from, to);
}

static tl_err hash_end(void *ctx, tl_hash h, uint8_t *digest)
{
    return inner(ctx)->ops->hash_end(inner(ctx)->ctx, h, digest);
}

static void hash_drop(void *ctx, tl_hash h)
{
    inner(ctx)->ops->hash_drop(inner(ctx)->ctx, h);
}

static tl_err hmac(void *ctx, tl_hash_alg alg, tl_span key, const tl_span *parts, size_t n, uint8_t *mac)
{
    return inner(ctx)->ops->hmac(inner(ctx)->ctx, alg, key, parts, n, mac);
}

static tl_err key_load(void *ctx, tl_suite suite, tl_span key, tl_key *k)
{
    return inner(ctx)->ops->key_load(inner(ctx)->ctx, suite, key, k);
}

static void key_drop(void *ctx, tl_key k)
{
    inner(ctx)->ops->key_drop(inner(ctx)->ctx, k);
}

static tl_err protect(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    return inner(ctx)->ops->protect(inner(ctx)->ctx, k, m, n);
}

static tl_err verify(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    return inner(ctx)->ops->verify(inner(ctx)->ctx, k, m, n);
}

static tl_err wrap_open(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    return inner(ctx)->ops->open(inner(ctx)->ctx, k, m, n);
}

static tl_err mac_start(void *ctx, tl_key k, const uint8_t nonce[TL_NONCE_SIZE], tl_mac *m)
{
    return inner(ctx)->ops->mac_start(inner(ctx)->ctx, k, nonce, m);
}

static tl_err mac_add(void *ctx, tl_mac m, tl_span data)
{
    return inner(ctx)->ops->mac_add(inner(ctx)->ctx, m, data);
}

static tl_err mac_end(void *ctx, tl_mac m, uint8_t tag[TL_TAG_MAX])
{
    return inner(ctx)->ops->mac_end(inner(ctx)->ctx, m, tag);
}

static void mac_drop(void *ctx, tl_mac m)
{
    inner(ctx)->ops->mac_drop(inner(ctx)->ctx, m);
}

static tl_err wrap_sign(void *ctx, tl_key k, tl_sign_alg alg, tl_digest digest, uint8_t *signature)
{
    return inner(ctx)->ops->sign(inner(ctx)->ctx, k, alg, digest, signature);
}

static tl_err check_signature(void *ctx, tl_key k, tl_sign_alg alg, tl_digest digest, tl_span signature,
                              bool *right)
{
    return inner(ctx)->ops->check_signature(inner(ctx)->ctx, k, alg, digest, signature, right);
}

static tl_err exchange_start(void *ctx, tl_group group, tl_key *own, uint8_t *point)
{
    return inner(ctx)->ops->exchange_start(inner(ctx)->ctx, group, own, point);
}

static tl_err exchange_end(void *ctx, tl_key own, tl_span peer_point, uint8_t *secret)
{
    return inner(ctx)->ops->exchange_end(inner(ctx)->ctx, own, peer_point, secret);
}

static tl_err chain_check(void *ctx, const tl_chain_rules *rules, tl_span certificates, tl_chain_facts *facts)
{
    return inner(ctx)->ops->chain_check(inner(ctx)->ctx, rules, certificates, facts);
}

void tl_wrap_init(tl_wrap *w, const tl_crypto *wrapped)
{
    w->ops = (tl_crypto_ops){
        .random = wrap_random,
        .hash_start = hash_start,
        .hash_add = hash_add,
        .hash_clone = hash_clone,
        .hash_end = hash_end,
        .hash_drop = hash_drop,
        .hmac = hmac,
        .key_load = key_load,
        .key_drop = key_drop,
        .protect = protect,
        .verify = verify,
        .open = wrap_open,
        .mac_start = mac_start,
        .mac_add = mac_add,
        .mac_end = mac_end,
        .mac_drop = mac_drop,
        .crc16 = wrapped->ops->crc16,
        .crc32 = wrapped->ops->crc32,
        .sign = wrap_sign,
        .check_signature = check_signature,
        .exchange_start = exchange_start,
        .exchange_end = exchange_end,
        .chain_check = chain_check,
    };
    w->inner = wrapped;
    w->crypto = (tl_crypto){ &w->ops, w };
}
