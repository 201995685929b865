/* Recording every (key bytes, nonce) pair that is used to make something, in a hash table that grows. */
#include "nonces.h"
#include "testing.h"

#include <stdlib.h>
#include <string.h>

static uint32_t key_number(tl_nonces *n, tl_span bytes)
{
    tl_nonces_key key = { .n = bytes.n };
    assert_true(bytes.n <= sizeof key.bytes);
    memcpy(key.bytes, bytes.p, bytes.n);
    for (size_t i = 0; i < n->key_count; i++) {
        if (n->keys[i].n == key.n && memcmp(n->keys[i].bytes, key.bytes, key.n) == 0)
            return (uint32_t)i + 1;
    }
    tl_nonces_key *more = realloc(n->keys, (n->key_count + 1) * sizeof *more);
    assert_non_null(more);
    n->keys = more;
    n->keys[n->key_count++] = key;
    return (uint32_t)n->key_count;
}

/* The place of a pair, or the free one where it belongs. FNV-1a over its bytes. */
static tl_nonces_pair *place_of(tl_nonces_pair *pairs, size_t room, const tl_nonces_pair *p)
{
    uint64_t hash = 0xCBF29CE484222325u ^ p->key;
    for (size_t i = 0; i < sizeof p->nonce; i++)
        hash = (hash ^ p->nonce[i]) * 0x100000001B3u;
    size_t at = (size_t)(hash ^ hash >> 32) & (room - 1);
    while (pairs[at].key != 0 &&
           (pairs[at].key != p->key || memcmp(pairs[at].nonce, p->nonce, sizeof p->nonce) != 0))
        at = (at + 1) & (room - 1);
    return &pairs[at];
}

static void grow(tl_nonces *n)
{
    size_t room = n->room == 0 ? 1024 : 2 * n->room;
    tl_nonces_pair *pairs = calloc(room, sizeof *pairs);
    assert_non_null(pairs);
    for (size_t i = 0; i < n->room; i++) {
        if (n->pairs[i].key != 0)
            *place_of(pairs, room, &n->pairs[i]) = n->pairs[i];
    }
    free(n->pairs);
    n->pairs = pairs;
    n->room = room;
}

/* The other end computes the same MAC, under a handle of its own. */
static bool by_other_end(const tl_nonces *n, tl_nonces_pair *seen, uint32_t mac_by)
{
    if (n->ends < 2 || mac_by == 0 || seen->mac_by[0] == 0 || seen->mac_by[1] != 0 ||
        seen->mac_by[0] == mac_by)
        return false;
    seen->mac_by[1] = mac_by;
    return true;
}

/* `mac_by`: the handle of a running MAC's key, 0 for a message. */
static void record(tl_nonces *n, uint32_t key, const uint8_t nonce[TL_NONCE_SIZE], uint32_t mac_by)
{
    if (n->used * 2 >= n->room)
        grow(n);
    tl_nonces_pair p = { .key = key, .mac_by = { mac_by } };
    memcpy(p.nonce, nonce, sizeof p.nonce);
    tl_nonces_pair *place = place_of(n->pairs, n->room, &p);
    if (place->key == 0) {
        *place = p;
        n->used++;
        return;
    }
    if (by_other_end(n, place, mac_by))
        return;
    n->repeats++;
    if (n->policy == TL_NONCES_FAIL) {
        char text[2 * TL_NONCE_SIZE + 1];
        fail_msg("nonce %s was used again under key number %u", tl_hex_text(nonce, TL_NONCE_SIZE, text), key);
    }
}

static tl_err key_load(void *ctx, tl_suite suite, tl_span key, tl_key *k)
{
    tl_nonces *n = ctx;
    tl_err e = n->wrap.inner->ops->key_load(n->wrap.inner->ctx, suite, key, k);
    if (e != TL_OK)
        return e;
    size_t i = 0;
    while (i < TL_NONCES_HANDLES_MAX && n->handles[i].slot != 0)
        i++;
    assert_true(i < TL_NONCES_HANDLES_MAX);
    n->handles[i].slot = k->slot;
    n->handles[i].key = key_number(n, key);
    n->handles[i].cmac = suite == TL_SUITE_AES128_CMAC || suite == TL_SUITE_AES256_CMAC;
    return TL_OK;
}

static void key_drop(void *ctx, tl_key k)
{
    tl_nonces *n = ctx;
    for (size_t i = 0; i < TL_NONCES_HANDLES_MAX; i++) {
        if (n->handles[i].slot == k.slot)
            n->handles[i].slot = 0;
    }
    n->wrap.inner->ops->key_drop(n->wrap.inner->ctx, k);
}

static const tl_nonces_handle *handle_of(const tl_nonces *n, tl_key k)
{
    for (size_t i = 0; i < TL_NONCES_HANDLES_MAX; i++) {
        if (n->handles[i].slot != 0 && n->handles[i].slot == k.slot)
            return &n->handles[i];
    }
    return NULL;
}

/* A call that fails counts too: its nonces may have been used before it did. CMAC has no nonce, its encryption has. */
static tl_err protect(void *ctx, tl_key k, tl_sealed *m, size_t count)
{
    tl_nonces *n = ctx;
    for (size_t i = 0; m != NULL && i < count; i++) {
        const tl_nonces_handle *h = handle_of(n, m[i].key.slot != 0 ? m[i].key : k);
        if (h != NULL && (!h->cmac || m[i].cover == TL_COVER_ENCRYPTED))
            record(n, h->key, m[i].nonce, 0);
    }
    return n->wrap.inner->ops->protect(n->wrap.inner->ctx, k, m, count);
}

static tl_err mac_start(void *ctx, tl_key k, const uint8_t nonce[TL_NONCE_SIZE], tl_mac *m)
{
    tl_nonces *n = ctx;
    const tl_nonces_handle *h = handle_of(n, k);
    if (h != NULL && !h->cmac)
        record(n, h->key, nonce, k.slot);
    return n->wrap.inner->ops->mac_start(n->wrap.inner->ctx, k, nonce, m);
}

void tl_nonces_init(tl_nonces *n, const tl_crypto *inner, tl_nonces_policy policy)
{
    *n = (tl_nonces){ .policy = policy, .ends = 1 };
    tl_wrap_init(&n->wrap, inner);
    n->wrap.ops.key_load = key_load;
    n->wrap.ops.key_drop = key_drop;
    n->wrap.ops.protect = protect;
    n->wrap.ops.mac_start = mac_start;
}

const tl_crypto *tl_nonces_crypto(const tl_nonces *n)
{
    return &n->wrap.crypto;
}

void tl_nonces_free(tl_nonces *n)
{
    free(n->pairs);
    free(n->keys);
    n->pairs = NULL;
    n->keys = NULL;
    n->room = n->used = n->key_count = 0;
}
