/* CBC-MAC in 8 lanes (SP 800-38B, 6.2, step 6): the chain of one message is serial, 10 or 14 rounds of 3 or 4 cycles for
 * each block; eight at once keep the AES unit busy all the while. */
#include "aesni.h"

enum { LANES = 8, HALF = 4, AHEAD = 512 /* bytes that are asked for ahead of use */ };

/* What the lanes of a call have: `key` is a block for each round, the same for all lanes, or, where keys are mixed, one
 * for each round and lane. */
typedef struct crew {
    const uint8_t *p[LANES];
    const __m128i *key;
    __m128i chain[LANES];
} crew;

/* chain = AES(K, chain ^ block) in the first `lanes` lanes. */
TL__KERNEL void step(unsigned rounds, unsigned lanes, bool mixed, const crew *c, __m128i *chain, size_t at)
{
    TL__UNROLL for (unsigned i = 0; i < lanes; i++)
    {
        __m128i block = _mm_xor_si128(tl__load(c->p[i] + at), mixed ? c->key[i] : c->key[0]);
        chain[i] = _mm_xor_si128(chain[i], block);
    }
    TL__UNROLL for (unsigned r = 1; r < rounds; r++) TL__UNROLL for (unsigned i = 0; i < lanes; i++)
        chain[i] = _mm_aesenc_si128(chain[i], mixed ? c->key[LANES * r + i] : c->key[r]);
    TL__UNROLL for (unsigned i = 0; i < lanes; i++) chain[i] =
        _mm_aesenclast_si128(chain[i], mixed ? c->key[LANES * rounds + i] : c->key[rounds]);
}

TL__KERNEL void run(unsigned rounds, unsigned lanes, bool mixed, crew *c, size_t blocks)
{
    __m128i chain[LANES];
    TL__UNROLL for (unsigned i = 0; i < lanes; i++) chain[i] = c->chain[i];
    for (size_t at = 0; at < blocks * TL__BLOCK; at += TL__BLOCK) {
        if (at % 64 == 0) {
            TL__UNROLL for (unsigned i = 0; i < lanes; i++)
                _mm_prefetch((const char *)c->p[i] + at + AHEAD, _MM_HINT_T0);
        }
        step(rounds, lanes, mixed, c, chain, at);
    }
    TL__UNROLL for (unsigned i = 0; i < lanes; i++) c->chain[i] = chain[i];
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

static bool same_key(const tl__lane *lane, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (lane[i].state != lane[0].state)
            return false;
    }
    return true;
}

/* Lanes without work read what the first one reads, and are forgotten. */
void tl__aesni_cbc_mac(const tl__lane *lane, size_t n, size_t blocks)
{
    const tl__aesni_key *key = lane[0].state;
    crew c = { .key = key->round };
    for (size_t i = 0; i < LANES; i++) {
        c.p[i] = lane[i < n ? i : 0].p;
        if (i < n)
            c.chain[i] = tl__load(lane[i].chain);
    }
    if (!same_key(lane, n))
        mix(lane, n, &c, blocks);
    else if (key->rounds == TL__ROUNDS_128)
        run_128(&c, n, blocks);
    else
        run_256(&c, n, blocks);
    for (size_t i = 0; i < n; i++)
        tl__store(lane[i].chain, c.chain[i]);
    tl__forget(c.chain, sizeof c.chain);
}
