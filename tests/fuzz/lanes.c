/* The kernels: every level that this machine has does what OpenSSL does. The input chooses keys, suites, covers, patterns,
 * lengths, offsets, the batch and what is changed on the way, and the cuts of a running MAC. */
#include "expect.h"

#include <stdlib.h>
#include <string.h>

#include <trueline/csi2.h>
#include <trueline/lanes.h>
#include <trueline/openssl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEYS = 8, MACS = 2, BATCH = 40, ENDS = TL_LANES_LEVELS, HEADER = 128, PAYLOAD = 2200, LIST = 4096 };

/* OpenSSL is the first, the levels are behind it. */
typedef struct end {
    const tl_crypto *crypto;
    tl_key keys[KEYS];
    tl_lanes lanes;
    tl_lanes_key slots[KEYS];
    tl_lanes_mac macs[MACS];
} end;

typedef struct bytes {
    uint8_t header[BATCH][HEADER], payload[BATCH][PAYLOAD + 64];
} bytes;

typedef struct batch {
    tl_sealed m[BATCH];
    uint8_t key[BATCH];  /* KEYS: the call's */
    uint8_t what[BATCH]; /* is changed before it is verified */
    size_t n, call;
} batch;

static end ends[ENDS];
static size_t ends_n;
static bytes memory, as_sealed;

static void open_ends(void)
{
    static tl_openssl *backend;

    expect(tl_openssl_open(NULL, &backend) == TL_OK);
    ends[ends_n++].crypto = tl_openssl_crypto(backend);
    for (int level = TL_LANES_BEST + 1; level < TL_LANES_LEVELS; level++) {
        end *e = &ends[ends_n];
        tl_lanes_config config = { ends[0].crypto, (tl_lanes_level)level, e->slots, KEYS, e->macs, MACS };

        if (!tl_lanes_level_here((tl_lanes_level)level))
            continue;
        expect(tl_lanes_init(&e->lanes, &config) == TL_OK);
        e->crypto = tl_lanes_crypto(&e->lanes);
        ends_n++;
    }
}

/* splitmix64 */
static uint8_t spin(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    return (uint8_t)(z >> 56);
}

static void load_keys(uint8_t seed)
{
    static int loaded = -1;
    static const tl_suite suites[] = { TL_SUITE_AES128_GMAC, TL_SUITE_AES256_GMAC, TL_SUITE_AES128_CMAC,
                                       TL_SUITE_AES256_CMAC };
    uint64_t state = seed;

    if (loaded == seed)
        return;
    loaded = seed;
    for (size_t k = 0; k < KEYS; k++) {
        uint8_t key[64];
        tl_suite suite = suites[k % 4];

        for (size_t i = 0; i < sizeof key; i++)
            key[i] = seed == 0 ? 0 : seed == 0xFF ? 0xFF : spin(&state);
        for (size_t e = 0; e < ends_n; e++) {
            ends[e].crypto->ops->key_drop(ends[e].crypto->ctx, ends[e].keys[k]);
            expect(ends[e].crypto->ops->key_load(ends[e].crypto->ctx, suite,
                                                 tl_span_of(key, tl_suite_key_size(suite)),
                                                 &ends[e].keys[k]) == TL_OK);
        }
    }
}

/* ---- batches ---- */

/* Most are short, so that many inputs are tried; some are longer than what any level does at once. */
static size_t read_length(tl_rd *r)
{
    size_t n = tl_get(r, 1, TL_LITTLE), more = tl_get(r, 1, TL_LITTLE);

    return more < 16 ? n + more * 127 : n;
}

static void read_message(tl_rd *r, batch *b, size_t i)
{
    tl_sealed *m = &b->m[i];
    size_t offset = tl_get(r, 1, TL_LITTLE);

    *m = (tl_sealed){ .header = { memory.header[i] + offset % 64, tl_get(r, 1, TL_LITTLE) % 65 },
                      .payload = memory.payload[i] + offset / 4,
                      .payload_n = read_length(r) };
    b->key[i] = (uint8_t)(tl_get(r, 1, TL_LITTLE) % (KEYS + 1));
    b->what[i] = (uint8_t)tl_get(r, 1, TL_LITTLE);
    m->cover = (tl_cover)(b->what[i] >> 4 & 3);
    m->tag_n = (uint8_t)(tl_get(r, 1, TL_LITTLE) % TL_TAG_MAX + 1);
    m->pattern.first = (uint16_t)tl_get(r, 2, TL_LITTLE);
    m->pattern.count = (uint16_t)tl_get(r, 1, TL_LITTLE);
    m->pattern.period = (uint16_t)(m->pattern.count + tl_get(r, 1, TL_LITTLE));
    for (size_t j = 0; j < TL_NONCE_SIZE; j++)
        m->nonce[j] = (uint8_t)(b->what[i] + i * j);
}

static tl_err call(const end *e, batch *b, int op)
{
    const tl_crypto *c = e->crypto;

    for (size_t i = 0; i < b->n; i++)
        b->m[i].key = b->key[i] < KEYS ? e->keys[b->key[i]] : (tl_key){ 0 };
    if (op == 0)
        return c->ops->protect(c->ctx, e->keys[b->call], b->m, b->n);
    if (op == 1)
        return c->ops->verify(c->ctx, e->keys[b->call], b->m, b->n);
    return c->ops->open(c->ctx, e->keys[b->call], b->m, b->n);
}

/* All ends from the same start; memory and batch are then as OpenSSL leaves them. */
static tl_err all_alike(batch *b, int op)
{
    static bytes start, after;
    static batch first, other;
    tl_err e;

    start = memory;
    first = *b;
    e = call(&ends[0], &first, op);
    after = memory;
    for (size_t k = 1; k < ends_n; k++) {
        memory = start;
        other = *b;
        expect(call(&ends[k], &other, op) == e);
        expect(memcmp(&memory, &after, sizeof memory) == 0);
        for (size_t i = 0; i < b->n; i++)
            expect(memcmp(first.m[i].tag, other.m[i].tag, TL_TAG_MAX) == 0 &&
                   first.m[i].right == other.m[i].right);
    }
    memory = after;
    *b = first;
    return e;
}

static void change(batch *b, size_t i)
{
    tl_sealed *m = &b->m[i];
    uint8_t bit = (uint8_t)(1 << (b->what[i] & 7));

    switch (b->what[i] >> 6) {
    case 1: m->tag[i % TL_TAG_MAX] ^= bit; break;
    case 2:
        if (m->payload_n > 0)
            m->payload[i * 37 % m->payload_n] ^= bit;
        break;
    case 3: m->tag_n = (uint8_t)(m->tag_n % 8 + 1); break;
    default: break;
    }
}

static void try_batch(tl_rd *r)
{
    static batch b;
    uint64_t state = tl_get(r, 4, TL_LITTLE);

    memset(&b, 0, sizeof b);
    b.n = 1 + tl_get(r, 1, TL_LITTLE) % BATCH;
    b.call = tl_get(r, 1, TL_LITTLE) % KEYS;
    for (size_t i = 0; i < sizeof memory; i++)
        ((uint8_t *)&memory)[i] = state == 0 ? 0 : spin(&state);
    for (size_t i = 0; i < b.n; i++)
        read_message(r, &b, i);
    if (all_alike(&b, 0) != TL_OK)
        return;
    as_sealed = memory;
    for (size_t i = 0; i < b.n; i++)
        change(&b, i);
    expect(all_alike(&b, 1) == TL_OK);
    memory = as_sealed;
    expect(all_alike(&b, 2) == TL_OK);
}

/* ---- the rest of the input: a list, and bytes to sum up ---- */

static void try_mac(tl_span rest, size_t key, size_t offset)
{
    static const uint8_t nonce[TL_NONCE_SIZE] = { 1 };
    static uint8_t list[LIST + 64];
    uint8_t tag[ENDS][TL_TAG_MAX];

    memcpy(list + offset, rest.p, rest.n);
    for (size_t k = 0; k < ends_n; k++) {
        const tl_crypto *c = ends[k].crypto;
        tl_mac m;

        expect(c->ops->mac_start(c->ctx, ends[k].keys[key], nonce, &m) == TL_OK);
        for (size_t at = 0; at < rest.n;) {
            size_t some = rest.p[at] * 5u + 1;

            some = some < rest.n - at ? some : rest.n - at;
            expect(c->ops->mac_add(c->ctx, m, tl_span_of(list + offset + at, some)) == TL_OK);
            at += some;
        }
        expect(c->ops->mac_end(c->ctx, m, tag[k]) == TL_OK);
        expect(memcmp(tag[k], tag[0], TL_TAG_MAX) == 0);
    }
}

/* A bit after the other; reflected. */
static uint32_t crc32(uint32_t crc, tl_span data)
{
    crc = ~crc;
    for (size_t i = 0; i < data.n; i++) {
        crc ^= data.p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static void try_sums(tl_span rest, uint32_t from)
{
    for (size_t k = 1; k < ends_n; k++) {
        const tl_crypto_ops *ops = ends[k].crypto->ops;

        expect(ops->crc16 == NULL || ops->crc16((uint16_t)from, rest) == tl_csi2_crc16((uint16_t)from, rest));
        expect(ops->crc32 == NULL || ops->crc32(from, rest) == crc32(from, rest));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tl_rd r = tl_rd_of(tl_span_of(data, size));
    uint8_t key, offset;

    if (size > LIST)
        return 0;
    if (ends_n == 0)
        open_ends();
    load_keys((uint8_t)tl_get(&r, 1, TL_LITTLE));
    key = (uint8_t)(tl_get(&r, 1, TL_LITTLE) % KEYS);
    offset = (uint8_t)(tl_get(&r, 1, TL_LITTLE) % 64);
    if (r.bad)
        return 0;
    try_mac(tl_span_of(data, size), key, offset);
    try_sums(tl_span_of(data, size), (uint32_t)(key * 0x01010101u + offset));
    try_batch(&r);
    return 0;
}
