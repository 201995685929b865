/* CBC-MAC in 8 lanes (SP 800-38B, 6.2, step 6): the chain of one message is serial, 10 or 14 rounds of 3 or 4 cycles for
 * each block; eight at once keep the AES unit busy all the while. */
#include "aesni.h"

enum { LANES = 8, HALF = 4, AHEAD = 512 /* bytes that are asked for ahead of use */ };

/* A block of each lane. Named and not counted, so that no compiler takes them for memory. */
typedef struct octet {
    __m128i a, b, c, d, e, f, g, h;
} octet;

/* What the lanes of a call have. A round's key is a block for each lane where keys are mixed; else it is one. */
typedef struct crew {
    const uint8_t *p[LANES];
    const __m128i *key;
    octet chain;
} crew;

/* chain + block + K, in the first `lanes` lanes: 4 or 8. */
TL__KERNEL octet add_blocks(unsigned lanes, bool mixed, const crew *c, octet x, size_t at)
{
    const __m128i *k = c->key;
    x.a = _mm_xor_si128(x.a, _mm_xor_si128(tl__load(c->p[0] + at), k[0]));
    x.b = _mm_xor_si128(x.b, _mm_xor_si128(tl__load(c->p[1] + at), k[mixed ? 1 : 0]));
    x.c = _mm_xor_si128(x.c, _mm_xor_si128(tl__load(c->p[2] + at), k[mixed ? 2 : 0]));
    x.d = _mm_xor_si128(x.d, _mm_xor_si128(tl__load(c->p[3] + at), k[mixed ? 3 : 0]));
    if (lanes == HALF)
        return x;
    x.e = _mm_xor_si128(x.e, _mm_xor_si128(tl__load(c->p[4] + at), k[mixed ? 4 : 0]));
    x.f = _mm_xor_si128(x.f, _mm_xor_si128(tl__load(c->p[5] + at), k[mixed ? 5 : 0]));
    x.g = _mm_xor_si128(x.g, _mm_xor_si128(tl__load(c->p[6] + at), k[mixed ? 6 : 0]));
    x.h = _mm_xor_si128(x.h, _mm_xor_si128(tl__load(c->p[7] + at), k[mixed ? 7 : 0]));
    return x;
}

/* A round with the keys at k, which is not the last. */
TL__KERNEL octet next_round(unsigned lanes, bool mixed, const __m128i *k, octet x)
{
    x.a = _mm_aesenc_si128(x.a, k[0]);
    x.b = _mm_aesenc_si128(x.b, k[mixed ? 1 : 0]);
    x.c = _mm_aesenc_si128(x.c, k[mixed ? 2 : 0]);
    x.d = _mm_aesenc_si128(x.d, k[mixed ? 3 : 0]);
    if (lanes == HALF)
        return x;
    x.e = _mm_aesenc_si128(x.e, k[mixed ? 4 : 0]);
    x.f = _mm_aesenc_si128(x.f, k[mixed ? 5 : 0]);
    x.g = _mm_aesenc_si128(x.g, k[mixed ? 6 : 0]);
    x.h = _mm_aesenc_si128(x.h, k[mixed ? 7 : 0]);
    return x;
}

TL__KERNEL octet last_round(unsigned lanes, bool mixed, const __m128i *k, octet x)
{
    x.a = _mm_aesenclast_si128(x.a, k[0]);
    x.b = _mm_aesenclast_si128(x.b, k[mixed ? 1 : 0]);
    x.c = _mm_aesenclast_si128(x.c, k[mixed ? 2 : 0]);
    x.d = _mm_aesenclast_si128(x.d, k[mixed ? 3 : 0]);
    if (lanes == HALF)
        return x;
    x.e = _mm_aesenclast_si128(x.e, k[mixed ? 4 : 0]);
    x.f = _mm_aesenclast_si128(x.f, k[mixed ? 5 : 0]);
    x.g = _mm_aesenclast_si128(x.g, k[mixed ? 6 : 0]);
    x.h = _mm_aesenclast_si128(x.h, k[mixed ? 7 : 0]);
    return x;
}

TL__KERNEL void run(unsigned rounds, unsigned lanes, bool mixed, crew *c, size_t blocks)
{
    const unsigned keys = mixed ? LANES : 1; /* of a round */
    octet x = c->chain;
    for (size_t at = 0; at < blocks * TL__BLOCK; at += TL__BLOCK) {
        if (at % 64 == 0) {
            TL__UNROLL for (unsigned i = 0; i < lanes; i++)
                _mm_prefetch((const char *)c->p[i] + at + AHEAD, _MM_HINT_T0);
        }
        x = add_blocks(lanes, mixed, c, x, at);
        TL__UNROLL for (unsigned r = 1; r < rounds; r++) x = next_round(lanes, mixed, c->key + keys * r, x);
        x = last_round(lanes, mixed, c->key + keys * rounds, x);
    }
    c->chain = x;
}

/* The forms of the kernel: by rounds, and by how many lanes are at work. */
static void run_128(crew *c, size_t n, size_t blocks)
{
    if (n <= HALF)
        run(TL__ROUNDS_128, HALF, false, c, blocks);
    else
        run(TL__ROUNDS_128, LANES, false, c, blocks);
}

static void run_256(crew *c, size_t n, size_t blocks)
{
    if (n <= HALF)
        run(TL__ROUNDS_256, HALF, false, c, blocks);
    else
        run(TL__ROUNDS_256, LANES, false, c, blocks);
}

static void run_mixed_128(crew *c, size_t blocks)
{
    run(TL__ROUNDS_128, LANES, true, c, blocks);
}

static void run_mixed_256(crew *c, size_t blocks)
{
    run(TL__ROUNDS_256, LANES, true, c, blocks);
}

/* Lanes of different keys: their round keys side by side. */
static void mix(const tl__lane *lane, size_t n, crew *c, size_t blocks)
{
    __m128i key[TL__ROUND_KEYS * LANES];
    unsigned rounds = ((const tl__aesni_key *)lane[0].state)->rounds;
    for (unsigned r = 0; r <= rounds; r++) {
        for (size_t i = 0; i < LANES; i++)
            key[LANES * r + i] = ((const tl__aesni_key *)lane[i < n ? i : 0].state)->round[r];
    }
    c->key = key;
    if (rounds == TL__ROUNDS_128)
        run_mixed_128(c, blocks);
    else
        run_mixed_256(c, blocks);
    tl__forget(key, sizeof key);
}

/* Lanes without work read what the first one reads, and are forgotten. */
void tl__aesni_cbc_mac(const tl__lane *lane, size_t n, size_t blocks)
{
    const tl__aesni_key *key = lane[0].state;
    crew c = { .key = key->round };
    for (size_t i = 0; i < LANES; i++) {
        c.p[i] = lane[i < n ? i : 0].p;
        if (i < n)
            memcpy((uint8_t *)&c.chain + i * TL__BLOCK, lane[i].chain, TL__BLOCK);
    }
    if (!tl__same_key(lane, n))
        mix(lane, n, &c, blocks);
    else if (key->rounds == TL__ROUNDS_128)
        run_128(&c, n, blocks);
    else
        run_256(&c, n, blocks);
    for (size_t i = 0; i < n; i++)
        memcpy(lane[i].chain, (const uint8_t *)&c.chain + i * TL__BLOCK, TL__BLOCK);
    tl__forget(&c.chain, sizeof c.chain);
}
