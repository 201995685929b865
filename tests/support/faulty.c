/* Failure injection: counts the calls, fails one of them before it reaches the wrapped backend, and keeps
 * a list of the handles that are live. */
#include "faulty.h"
#include "testing.h"

#include <string.h>

static bool fails(tl_faulty *f)
{
    f->calls++;
    if (f->calls != f->fail_at)
        return false;
    f->failed = true;
    return true;
}

static size_t place_of(const tl_faulty_live *live, uint32_t slot)
{
    size_t i = 0;
    while (i < live->n && live->slots[i] != slot)
        i++;
    return i;
}

static void born(tl_faulty_live *live, uint32_t slot)
{
    assert_true(live->n < TL_FAULTY_LIVE_MAX);
    live->slots[live->n++] = slot;
}

static void gone(tl_faulty *f, tl_faulty_live *live, uint32_t slot)
{
    size_t i = place_of(live, slot);
    if (i < live->n)
        live->slots[i] = live->slots[--live->n];
    else if (slot != 0)
        f->strays++;
}

static void used(tl_faulty *f, const tl_faulty_live *live, uint32_t slot)
{
    if (place_of(live, slot) == live->n)
        f->strays++;
}

static tl_err faulty_random(void *ctx, uint8_t *out, size_t n)
{
    tl_faulty *f = ctx;
    if (!fails(f))
        return f->wrap.inner->ops->random(f->wrap.inner->ctx, out, n);
    memset(out, 0, n);
    return TL_E_RANDOM;
}

static tl_err hash_start(void *ctx, tl_hash_alg alg, tl_hash *h)
{
    tl_faulty *f = ctx;
    h->slot = 0;
    if (fails(f))
        return TL_E_BACKEND;
    tl_err e = f->wrap.inner->ops->hash_start(f->wrap.inner->ctx, alg, h);
    if (e == TL_OK)
        born(&f->hashes, h->slot);
    return e;
}

static tl_err hash_add(void *ctx, tl_hash h, tl_span data)
{
    tl_faulty *f = ctx;
    used(f, &f->hashes, h.slot);
    return fails(f) ? TL_E_BACKEND : f->wrap.inner->ops->hash_add(f->wrap.inner->ctx, h, data);
}

static tl_err hash_clone(void *ctx, tl_hash from, tl_hash *to)
{
    tl_faulty *f = ctx;
    used(f, &f->hashes, from.slot);
    to->slot = 0;
    if (fails(f))
        return TL_E_BACKEND;
    tl_err e = f->wrap.inner->ops->hash_clone(f->wrap.inner->ctx, from, to);
    if (e == TL_OK)
        born(&f->hashes, to->slot);
    return e;
}

static tl_err hash_end(void *ctx, tl_hash h, uint8_t *digest)
{
    tl_faulty *f = ctx;
    used(f, &f->hashes, h.slot);
    if (fails(f))
        return TL_E_BACKEND;
    tl_err e = f->wrap.inner->ops->hash_end(f->wrap.inner->ctx, h, digest);
    if (e == TL_OK)
        gone(f, &f->hashes, h.slot);
    return e;
}

static void hash_drop(void *ctx, tl_hash h)
{
    tl_faulty *f = ctx;
    gone(f, &f->hashes, h.slot);
    f->wrap.inner->ops->hash_drop(f->wrap.inner->ctx, h);
}

static tl_err hmac(void *ctx, tl_hash_alg alg, tl_span key, const tl_span *parts, size_t n, uint8_t *mac)
{
    tl_faulty *f = ctx;
    if (!fails(f))
        return f->wrap.inner->ops->hmac(f->wrap.inner->ctx, alg, key, parts, n, mac);
    memset(mac, 0, tl_hash_size(alg));
    return TL_E_BACKEND;
}

static tl_err key_load(void *ctx, tl_suite suite, tl_span key, tl_key *k)
{
    tl_faulty *f = ctx;
    k->slot = 0;
    if (fails(f))
        return TL_E_BACKEND;
    tl_err e = f->wrap.inner->ops->key_load(f->wrap.inner->ctx, suite, key, k);
    if (e == TL_OK)
        born(&f->keys, k->slot);
    return e;
}

static void key_drop(void *ctx, tl_key k)
{
    tl_faulty *f = ctx;
    gone(f, &f->keys, k.slot);
    f->wrap.inner->ops->key_drop(f->wrap.inner->ctx, k);
}

static void spoil(tl_sealed *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        m[i].right = false;
        if (m[i].cover == TL_COVER_ENCRYPTED && m[i].payload_n != 0)
            memset(m[i].payload, 0, m[i].payload_n);
    }
}

static void used_keys(tl_faulty *f, tl_key k, const tl_sealed *m, size_t n)
{
    used(f, &f->keys, k.slot);
    for (size_t i = 0; m != NULL && i < n; i++) {
        if (m[i].key.slot != 0)
            used(f, &f->keys, m[i].key.slot);
    }
}

static tl_err no_tags(tl_sealed *m, size_t n)
{
    spoil(m, n);
    for (size_t i = 0; i < n; i++)
        memset(m[i].tag, 0, sizeof m[i].tag);
    return TL_E_BACKEND;
}

static tl_err protect(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    tl_faulty *f = ctx;
    used_keys(f, k, m, n);
    return fails(f) ? no_tags(m, n) : f->wrap.inner->ops->protect(f->wrap.inner->ctx, k, m, n);
}

static tl_err faulty_open(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    tl_faulty *f = ctx;
    used_keys(f, k, m, n);
    return fails(f) ? no_tags(m, n) : f->wrap.inner->ops->open(f->wrap.inner->ctx, k, m, n);
}

static tl_err verify(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    tl_faulty *f = ctx;
    used_keys(f, k, m, n);
    if (!fails(f))
        return f->wrap.inner->ops->verify(f->wrap.inner->ctx, k, m, n);
    spoil(m, n);
    return TL_E_BACKEND;
}

static tl_err mac_start(void *ctx, tl_key k, const uint8_t nonce[TL_NONCE_SIZE], tl_mac *m)
{
    tl_faulty *f = ctx;
    used(f, &f->keys, k.slot);
    m->slot = 0;
    if (fails(f))
        return TL_E_BACKEND;
    tl_err e = f->wrap.inner->ops->mac_start(f->wrap.inner->ctx, k, nonce, m);
    if (e == TL_OK)
        born(&f->macs, m->slot);
    return e;
}

static tl_err mac_add(void *ctx, tl_mac m, tl_span data)
{
    tl_faulty *f = ctx;
    used(f, &f->macs, m.slot);
    return fails(f) ? TL_E_BACKEND : f->wrap.inner->ops->mac_add(f->wrap.inner->ctx, m, data);
}

static tl_err mac_end(void *ctx, tl_mac m, uint8_t tag[TL_TAG_MAX])
{
    tl_faulty *f = ctx;
    used(f, &f->macs, m.slot);
    if (fails(f)) {
        memset(tag, 0, TL_TAG_MAX);
        return TL_E_BACKEND;
    }
    tl_err e = f->wrap.inner->ops->mac_end(f->wrap.inner->ctx, m, tag);
    if (e == TL_OK)
        gone(f, &f->macs, m.slot);
    return e;
}

static void mac_drop(void *ctx, tl_mac m)
{
    tl_faulty *f = ctx;
    gone(f, &f->macs, m.slot);
    f->wrap.inner->ops->mac_drop(f->wrap.inner->ctx, m);
}

/* Keys that the test loaded itself, past this backend, are no business of the count. */
static tl_err faulty_sign(void *ctx, tl_key k, tl_sign_alg alg, tl_digest digest, uint8_t *signature)
{
    tl_faulty *f = ctx;
    if (!fails(f))
        return f->wrap.inner->ops->sign(f->wrap.inner->ctx, k, alg, digest, signature);
    memset(signature, 0, tl_sign_size(alg));
    return TL_E_BACKEND;
}

static tl_err check_signature(void *ctx, tl_key k, tl_sign_alg alg, tl_digest digest, tl_span signature,
                              bool *right)
{
    tl_faulty *f = ctx;
    if (!fails(f))
        return f->wrap.inner->ops->check_signature(f->wrap.inner->ctx, k, alg, digest, signature, right);
    *right = false;
    return TL_E_BACKEND;
}

static tl_err exchange_start(void *ctx, tl_group group, tl_key *own, uint8_t *point)
{
    tl_faulty *f = ctx;
    own->slot = 0;
    if (fails(f)) {
        memset(point, 0, 2 * tl_group_size(group));
        return TL_E_BACKEND;
    }
    tl_err e = f->wrap.inner->ops->exchange_start(f->wrap.inner->ctx, group, own, point);
    if (e == TL_OK)
        born(&f->keys, own->slot);
    return e;
}

/* The key is gone whatever happens. Its group is not known here: a point is as long as two secrets. */
static tl_err exchange_end(void *ctx, tl_key own, tl_span peer_point, uint8_t *secret)
{
    tl_faulty *f = ctx;
    bool failing = fails(f);
    used(f, &f->keys, own.slot);
    gone(f, &f->keys, own.slot);
    if (!failing)
        return f->wrap.inner->ops->exchange_end(f->wrap.inner->ctx, own, peer_point, secret);
    f->wrap.inner->ops->key_drop(f->wrap.inner->ctx, own);
    memset(secret, 0, peer_point.n / 2 <= TL_SECRET_MAX ? peer_point.n / 2 : 0);
    return TL_E_BACKEND;
}

static tl_err chain_check(void *ctx, const tl_chain_rules *rules, tl_span certificates, tl_chain_facts *facts)
{
    tl_faulty *f = ctx;
    *facts = (tl_chain_facts){ .failed = TL_CHAIN_WHOLE };
    if (fails(f))
        return TL_E_BACKEND;
    tl_err e = f->wrap.inner->ops->chain_check(f->wrap.inner->ctx, rules, certificates, facts);
    if (e == TL_OK)
        born(&f->keys, facts->key.slot);
    return e;
}

void tl_faulty_init(tl_faulty *f, const tl_crypto *inner, unsigned long fail_at)
{
    *f = (tl_faulty){ .fail_at = fail_at };
    tl_wrap_init(&f->wrap, inner);
    f->wrap.ops = (tl_crypto_ops){
        .random = faulty_random,
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
        .open = faulty_open,
        .mac_start = mac_start,
        .mac_add = mac_add,
        .mac_end = mac_end,
        .mac_drop = mac_drop,
        .crc16 = inner->ops->crc16,
        .crc32 = inner->ops->crc32,
        .sign = faulty_sign,
        .check_signature = check_signature,
        .exchange_start = exchange_start,
        .exchange_end = exchange_end,
        .chain_check = chain_check,
    };
}

const tl_crypto *tl_faulty_crypto(const tl_faulty *f)
{
    return &f->wrap.crypto;
}

void tl_faulty_assert_clean(const tl_faulty *f)
{
    if (f->hashes.n != 0 || f->keys.n != 0 || f->macs.n != 0 || f->strays != 0)
        fail_msg("call %lu failed: %zu hashes, %zu keys and %zu MACs still live, %lu uses of dead handles",
                 f->fail_at, f->hashes.n, f->keys.n, f->macs.n, f->strays);
}
