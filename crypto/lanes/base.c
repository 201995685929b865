/* What the backend behind this one does: hashes, HMAC, random bytes, signatures, key exchange and chains. Each call is
 * handed on as it is. Without a base it gives TL_E_BACKEND.
 *
 * Keys of these kinds are the base's. The top bit of a handle tells them from stream keys, which are ours: a stream
 * key is refused here, and a base that gives out a handle with that bit has failed. */
#include "inner.h"

static bool foreign(const tl_lanes *l, tl_key k)
{
    return l->base.ops != NULL && (k.slot & TL__OWN) == 0;
}

static tl_err base_random(void *ctx, uint8_t *out, size_t n)
{
    const tl_lanes *l = ctx;
    if (l->base.ops != NULL)
        return l->base.ops->random(l->base.ctx, out, n);
    memset(out, 0, n);
    return TL_E_BACKEND;
}

static tl_err base_hash_start(void *ctx, tl_hash_alg alg, tl_hash *h)
{
    const tl_lanes *l = ctx;
    h->slot = 0;
    return l->base.ops != NULL ? l->base.ops->hash_start(l->base.ctx, alg, h) : TL_E_BACKEND;
}

static tl_err base_hash_add(void *ctx, tl_hash h, tl_span data)
{
    const tl_lanes *l = ctx;
    return l->base.ops != NULL ? l->base.ops->hash_add(l->base.ctx, h, data) : TL_E_BACKEND;
}

static tl_err base_hash_clone(void *ctx, tl_hash from, tl_hash *to)
{
    const tl_lanes *l = ctx;
    to->slot = 0;
    return l->base.ops != NULL ? l->base.ops->hash_clone(l->base.ctx, from, to) : TL_E_BACKEND;
}

static tl_err base_hash_end(void *ctx, tl_hash h, uint8_t *digest)
{
    const tl_lanes *l = ctx;
    return l->base.ops != NULL ? l->base.ops->hash_end(l->base.ctx, h, digest) : TL_E_BACKEND;
}

static void base_hash_drop(void *ctx, tl_hash h)
{
    const tl_lanes *l = ctx;
    if (l->base.ops != NULL)
        l->base.ops->hash_drop(l->base.ctx, h);
}

static tl_err base_hmac(void *ctx, tl_hash_alg alg, tl_span key, const tl_span *parts, size_t n, uint8_t *mac)
{
    const tl_lanes *l = ctx;
    if (l->base.ops != NULL)
        return l->base.ops->hmac(l->base.ctx, alg, key, parts, n, mac);
    memset(mac, 0, tl_hash_size(alg));
    return TL_E_BACKEND;
}

static tl_err base_sign(void *ctx, tl_key k, tl_sign_alg alg, tl_digest digest, uint8_t *signature)
{
    const tl_lanes *l = ctx;
    if (foreign(l, k))
        return l->base.ops->sign(l->base.ctx, k, alg, digest, signature);
    memset(signature, 0, tl_sign_size(alg));
    return l->base.ops != NULL ? TL_E_USAGE : TL_E_BACKEND;
}

static tl_err base_check_signature(void *ctx, tl_key k, tl_sign_alg alg, tl_digest digest, tl_span signature,
                                   bool *right)
{
    const tl_lanes *l = ctx;
    *right = false;
    if (foreign(l, k))
        return l->base.ops->check_signature(l->base.ctx, k, alg, digest, signature, right);
    return l->base.ops != NULL ? TL_E_USAGE : TL_E_BACKEND;
}

/* A key that the base gave out; one that we could not tell from our own is given back. */
static tl_err taken_from_base(const tl_lanes *l, tl_key *k, tl_err e)
{
    if (e != TL_OK || (k->slot & TL__OWN) == 0)
        return e;
    l->base.ops->key_drop(l->base.ctx, *k);
    k->slot = 0;
    return TL_E_BACKEND;
}

static tl_err base_exchange_start(void *ctx, tl_group group, tl_key *own, uint8_t *point)
{
    const tl_lanes *l = ctx;
    own->slot = 0;
    if (l->base.ops == NULL)
        return TL_E_BACKEND;
    return taken_from_base(l, own, l->base.ops->exchange_start(l->base.ctx, group, own, point));
}

static tl_err base_exchange_end(void *ctx, tl_key own, tl_span peer_point, uint8_t *secret)
{
    const tl_lanes *l = ctx;
    if (foreign(l, own))
        return l->base.ops->exchange_end(l->base.ctx, own, peer_point, secret);
    return l->base.ops != NULL ? TL_E_USAGE : TL_E_BACKEND;
}

static tl_err base_chain_check(void *ctx, const tl_chain_rules *rules, tl_span certificates,
                               tl_chain_facts *facts)
{
    const tl_lanes *l = ctx;
    if (l->base.ops != NULL)
        return taken_from_base(l, &facts->key,
                               l->base.ops->chain_check(l->base.ctx, rules, certificates, facts));
    *facts = (tl_chain_facts){ .failed = TL_CHAIN_WHOLE };
    return TL_E_BACKEND;
}

void tl__lanes_pass_on(tl_crypto_ops *ops)
{
    ops->random = base_random;
    ops->hash_start = base_hash_start;
    ops->hash_add = base_hash_add;
    ops->hash_clone = base_hash_clone;
    ops->hash_end = base_hash_end;
    ops->hash_drop = base_hash_drop;
    ops->hmac = base_hmac;
    ops->sign = base_sign;
    ops->check_signature = base_check_signature;
    ops->exchange_start = base_exchange_start;
    ops->exchange_end = base_exchange_end;
    ops->chain_check = base_chain_check;
}
