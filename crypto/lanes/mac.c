/* Running MACs. What is added is gathered until the room is full, since kernels are slow on short runs; the last block
 * of a CMAC is in the room when the end comes. */
#include "inner.h"

static tl_lanes_mac *find(const tl_lanes *l, tl_mac m)
{
    size_t number = m.slot & 0xFFFF;
    if (number == 0 || number > l->mac_n)
        return NULL;
    tl_lanes_mac *mac = &l->macs[number - 1];
    return mac->taken && tl__handle(number - 1, mac->generation) == m.slot ? mac : NULL;
}

static void give(tl_lanes_mac *mac)
{
    uint16_t generation = (uint16_t)(mac->generation + 1);
    tl__forget(mac, sizeof *mac);
    mac->generation = generation;
}

tl_err tl__lanes_mac_start(void *ctx, tl_key k, const uint8_t nonce[TL_NONCE_SIZE], tl_mac *m)
{
    tl_lanes *l = ctx;
    m->slot = 0;
    const tl_lanes_key *key = tl__lanes_key_find(l, k);
    if (key == NULL || (nonce == NULL && !tl__is_cmac(key->suite)))
        return TL_E_USAGE;
    for (size_t i = 0; i < l->mac_n; i++) {
        tl_lanes_mac *mac = &l->macs[i];
        if (mac->taken)
            continue;
        mac->taken = true;
        mac->key = k;
        if (nonce != NULL)
            memcpy(mac->nonce, nonce, TL_NONCE_SIZE);
        m->slot = tl__handle(i, mac->generation);
        return TL_OK;
    }
    return TL_E_POOL;
}

/* Works on whole blocks, 1 or more. */
static void absorb(const tl_lanes *l, const tl_lanes_key *key, tl_lanes_mac *mac, const uint8_t *p,
                   size_t blocks)
{
    if (tl__is_cmac(key->suite)) {
        const tl__lane lane = { key->state, p, mac->chain };
        l->level->cbc_mac(&lane, 1, blocks);
    } else {
        l->level->ghash(key->state, mac->chain, p, blocks);
    }
}

static tl_span keep(tl_lanes_mac *mac, tl_span data, size_t n)
{
    if (n != 0)
        memcpy(mac->room + mac->room_n, data.p, n);
    mac->room_n += n;
    return n != 0 ? tl_span_of(data.p + n, data.n - n) : data;
}

tl_err tl__lanes_mac_add(void *ctx, tl_mac m, tl_span data)
{
    tl_lanes *l = ctx;
    tl_lanes_mac *mac = find(l, m);
    const tl_lanes_key *key = mac != NULL ? tl__lanes_key_find(l, mac->key) : NULL;
    if (key == NULL || (data.n != 0 && data.p == NULL))
        return TL_E_USAGE;
    mac->n += data.n;
    while (data.n > TL_LANES_MAC_ROOM - mac->room_n) {
        if (mac->room_n == 0) {
            /* More than fills the room: all but the last block, whole or not, is worked on where it lies. */
            size_t blocks = (data.n - 1) / TL__BLOCK;
            absorb(l, key, mac, data.p, blocks);
            data = tl_span_of(data.p + blocks * TL__BLOCK, data.n - blocks * TL__BLOCK);
            break;
        }
        data = keep(mac, data, TL_LANES_MAC_ROOM - mac->room_n);
        absorb(l, key, mac, mac->room, TL_LANES_MAC_ROOM / TL__BLOCK);
        mac->room_n = 0;
    }
    keep(mac, data, data.n);
    return TL_OK;
}

static void end_cmac(const tl_lanes *l, const tl_lanes_key *key, tl_lanes_mac *mac, uint8_t tag[TL_TAG_MAX])
{
    size_t begin = mac->room_n == 0 ? 0 : (mac->room_n - 1) / TL__BLOCK * TL__BLOCK;
    tl__cmac_last(key, mac->room + begin, mac->room_n - begin);
    absorb(l, key, mac, mac->room, begin / TL__BLOCK + 1);
    memcpy(tag, mac->chain, TL_TAG_MAX);
}

static void end_gmac(const tl_lanes *l, const tl_lanes_key *key, tl_lanes_mac *mac, uint8_t tag[TL_TAG_MAX])
{
    const uint64_t bits[2] = { 8 * mac->n, 0 };
    size_t blocks = (mac->room_n + TL__BLOCK - 1) / TL__BLOCK;
    memset(mac->room + mac->room_n, 0, blocks * TL__BLOCK - mac->room_n);
    if (blocks != 0)
        absorb(l, key, mac, mac->room, blocks);
    l->level->gcm_tag(key->state, mac->chain, mac->nonce, bits, tag);
}

tl_err tl__lanes_mac_end(void *ctx, tl_mac m, uint8_t tag[TL_TAG_MAX])
{
    tl_lanes *l = ctx;
    tl_lanes_mac *mac = find(l, m);
    const tl_lanes_key *key = mac != NULL ? tl__lanes_key_find(l, mac->key) : NULL;
    if (key == NULL) {
        memset(tag, 0, TL_TAG_MAX);
        return TL_E_USAGE;
    }
    if (tl__is_cmac(key->suite))
        end_cmac(l, key, mac, tag);
    else
        end_gmac(l, key, mac, tag);
    give(mac);
    return TL_OK;
}

void tl__lanes_mac_drop(void *ctx, tl_mac m)
{
    tl_lanes_mac *mac = find(ctx, m);
    if (mac != NULL)
        give(mac);
}
