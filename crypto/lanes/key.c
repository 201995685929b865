/* Stream keys in the caller's slots, and the subkeys of CMAC.
 *
 * L, K1 and K2 are SP 800-38B's letters: L = AES(K, 0), K1 = L * x, K2 = K1 * x. */
#include "inner.h"

/* out = in * x in GF(2^128): a shift by one bit, and R = 0x87 if a bit fell out; no branch on it. */
static void doubled(uint8_t out[TL__BLOCK], const uint8_t in[TL__BLOCK])
{
    uint8_t fell_out = (uint8_t)(in[0] >> 7);
    for (size_t i = 0; i + 1 < TL__BLOCK; i++)
        out[i] = (uint8_t)(in[i] << 1 | in[i + 1] >> 7);
    out[TL__BLOCK - 1] = (uint8_t)(in[TL__BLOCK - 1] << 1 ^ (0x87 & -fell_out));
}

static void make_subkeys(const tl__level *level, tl_lanes_key *key)
{
    static const uint8_t zero[TL__BLOCK] = { 0 };
    uint8_t block[TL__BLOCK] = { 0 }; /* CBC-MAC of one zero block is AES(K, 0) */
    const tl__lane lane = { key->state, zero, block };
    level->cbc_mac(&lane, 1, 1);
    doubled(key->subkey[0], block);
    doubled(key->subkey[1], key->subkey[0]);
    tl__forget(block, sizeof block);
}

tl_lanes_key *tl__lanes_key_find(const tl_lanes *l, tl_key k)
{
    size_t number = k.slot & 0xFFFF;
    if (number == 0 || number > l->key_n)
        return NULL;
    tl_lanes_key *key = &l->keys[number - 1];
    return key->suite != TL_SUITE_NONE && tl__handle(number - 1, key->generation) == k.slot ? key : NULL;
}

tl_err tl__lanes_key_load(void *ctx, tl_suite suite, tl_span bytes, tl_key *k)
{
    tl_lanes *l = ctx;
    size_t size = tl_suite_key_size(suite);
    k->slot = 0;
    if (size == 0 || bytes.p == NULL || bytes.n != size)
        return TL_E_USAGE;
    for (size_t i = 0; i < l->key_n; i++) {
        tl_lanes_key *key = &l->keys[i];
        if (key->suite != TL_SUITE_NONE)
            continue;
        l->level->load(key->state, suite, bytes.p);
        key->suite = suite;
        if (tl__is_cmac(suite))
            make_subkeys(l->level, key);
        k->slot = tl__handle(i, key->generation);
        return TL_OK;
    }
    return TL_E_POOL;
}

void tl__lanes_key_drop(void *ctx, tl_key k)
{
    tl_lanes *l = ctx;
    if ((k.slot & TL__OWN) == 0) {
        if (l->base.ops != NULL)
            l->base.ops->key_drop(l->base.ctx, k);
        return;
    }
    tl_lanes_key *key = tl__lanes_key_find(l, k);
    if (key == NULL)
        return;
    uint16_t generation = (uint16_t)(key->generation + 1);
    tl__forget(key, sizeof *key);
    key->generation = generation;
}
