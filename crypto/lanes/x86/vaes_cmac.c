/* CBC-MAC in 16 lanes (SP 800-38B, 6.2, step 6): four vectors, each with a block of four messages.
 *
 * The chain of one message is serial, 10 or 14 rounds of 3 cycles for each block; four vectors at once keep the AES unit
 * busy all the while. Memory is read 64 bytes a lane and turned round in registers, four blocks of four lanes at a time:
 * read 16 bytes at a time, lanes whose addresses are equal modulo 4 KiB, as lines of a padded frame are, would throw
 * each other out of the first-level cache between the four reads of a cache line. */
#include "vaes.h"

enum {
    LANES = 16,
    PER_VECTOR = 4,
    GROUPS = LANES / PER_VECTOR,
    AHEAD = 512 /* bytes that are asked for ahead of use: memory's latency, while one lane does 8 lines */
};

/* Four vectors: those of 16 lanes' chains, or four blocks of each of four lanes. Named and not counted, so that no
 * compiler takes them for memory. */
typedef struct quad {
    __m512i a, b, c, d;
} quad;

/* Four blocks of each of four lanes, transposed: a has the first block of every lane. */
TL__KERNEL quad load_square(const uint8_t *const p[PER_VECTOR], size_t at)
{
    __m512i a = tl__load4(p[0] + at), b = tl__load4(p[1] + at);
    __m512i c = tl__load4(p[2] + at), d = tl__load4(p[3] + at);
    __m512i ab01 = _mm512_shuffle_i64x2(a, b, 0x44), ab23 = _mm512_shuffle_i64x2(a, b, 0xEE);
    __m512i cd01 = _mm512_shuffle_i64x2(c, d, 0x44), cd23 = _mm512_shuffle_i64x2(c, d, 0xEE);
    return (quad){ _mm512_shuffle_i64x2(ab01, cd01, 0x88), _mm512_shuffle_i64x2(ab01, cd01, 0xDD),
                   _mm512_shuffle_i64x2(ab23, cd23, 0x88), _mm512_shuffle_i64x2(ab23, cd23, 0xDD) };
}

/* One block of each of four lanes. */
TL__KERNEL __m512i load_row(const uint8_t *const p[PER_VECTOR], size_t at)
{
    __m256i low =
        _mm256_inserti128_si256(_mm256_castsi128_si256(tl__load(p[0] + at)), tl__load(p[1] + at), 1);
    __m256i high =
        _mm256_inserti128_si256(_mm256_castsi128_si256(tl__load(p[2] + at)), tl__load(p[3] + at), 1);
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* What the lanes of a call have. A round's key is four vectors, one for each four lanes, where keys are mixed; else it is
 * one. */
typedef struct crew {
    const uint8_t *p[LANES];
    const __m512i *key;
    quad chain;
} crew;

TL__KERNEL quad round_key(bool mixed, const __m512i *key, unsigned round)
{
    if (!mixed)
        return (quad){ key[round], key[round], key[round], key[round] };
    key += GROUPS * round;
    return (quad){ key[0], key[1], key[2], key[3] };
}

/* chain = AES(K, chain ^ block), in the first `groups` vectors: 1, 2 or 4. */
TL__KERNEL void encrypt(unsigned rounds, unsigned groups, bool mixed, const __m512i *key, quad *chain,
                        quad block)
{
    quad x = *chain, k = round_key(mixed, key, 0);
    x.a = tl__xor3(x.a, block.a, k.a);
    x.b = tl__xor3(x.b, block.b, k.b);
    x.c = tl__xor3(x.c, block.c, k.c);
    x.d = tl__xor3(x.d, block.d, k.d);
    TL__UNROLL for (unsigned r = 1; r < rounds; r++)
    {
        k = round_key(mixed, key, r);
        x.a = _mm512_aesenc_epi128(x.a, k.a);
        x.b = groups > 1 ? _mm512_aesenc_epi128(x.b, k.b) : x.b;
        x.c = groups > 2 ? _mm512_aesenc_epi128(x.c, k.c) : x.c;
        x.d = groups > 2 ? _mm512_aesenc_epi128(x.d, k.d) : x.d;
    }
    k = round_key(mixed, key, rounds);
    chain->a = _mm512_aesenclast_epi128(x.a, k.a);
    chain->b = groups > 1 ? _mm512_aesenclast_epi128(x.b, k.b) : x.b;
    chain->c = groups > 2 ? _mm512_aesenclast_epi128(x.c, k.c) : x.c;
    chain->d = groups > 2 ? _mm512_aesenclast_epi128(x.d, k.d) : x.d;
}

/* Four blocks of each lane. */
TL__KERNEL void four_steps(unsigned rounds, unsigned groups, bool mixed, const crew *c, quad *chain,
                           size_t at)
{
    const __m512i zero = _mm512_setzero_si512();
    const quad none = { zero, zero, zero, zero };
    quad g0 = load_square(c->p, at);
    quad g1 = groups > 1 ? load_square(c->p + PER_VECTOR, at) : none;
    quad g2 = groups > 2 ? load_square(c->p + 2 * PER_VECTOR, at) : none;
    quad g3 = groups > 2 ? load_square(c->p + 3 * PER_VECTOR, at) : none;
    encrypt(rounds, groups, mixed, c->key, chain, (quad){ g0.a, g1.a, g2.a, g3.a });
    encrypt(rounds, groups, mixed, c->key, chain, (quad){ g0.b, g1.b, g2.b, g3.b });
    encrypt(rounds, groups, mixed, c->key, chain, (quad){ g0.c, g1.c, g2.c, g3.c });
    encrypt(rounds, groups, mixed, c->key, chain, (quad){ g0.d, g1.d, g2.d, g3.d });
}

TL__KERNEL void one_step(unsigned rounds, unsigned groups, bool mixed, const crew *c, quad *chain, size_t at)
{
    const __m512i none = _mm512_setzero_si512();
    quad block = { load_row(c->p, at), groups > 1 ? load_row(c->p + PER_VECTOR, at) : none,
                   groups > 2 ? load_row(c->p + 2 * PER_VECTOR, at) : none,
                   groups > 2 ? load_row(c->p + 3 * PER_VECTOR, at) : none };
    encrypt(rounds, groups, mixed, c->key, chain, block);
}

TL__KERNEL void run(unsigned rounds, unsigned groups, bool mixed, crew *c, size_t blocks)
{
    quad chain = c->chain;
    size_t at = 0, end = blocks * TL__BLOCK;
    for (; end - at >= TL__VECTOR; at += TL__VECTOR) {
        TL__UNROLL for (unsigned i = 0; i < PER_VECTOR * groups; i++)
            _mm_prefetch((const char *)c->p[i] + at + AHEAD, _MM_HINT_T0);
        four_steps(rounds, groups, mixed, c, &chain, at);
    }
    for (; at < end; at += TL__BLOCK)
        one_step(rounds, groups, mixed, c, &chain, at);
    c->chain = chain;
}

/* The forms of the kernel: by rounds, and by how many lanes are at work. */
static void run_128(crew *c, size_t n, size_t blocks)
{
    if (n <= PER_VECTOR)
        run(TL__ROUNDS_128, 1, false, c, blocks);
    else if (n <= 2 * PER_VECTOR)
        run(TL__ROUNDS_128, 2, false, c, blocks);
    else
        run(TL__ROUNDS_128, GROUPS, false, c, blocks);
}

static void run_256(crew *c, size_t n, size_t blocks)
{
    if (n <= PER_VECTOR)
        run(TL__ROUNDS_256, 1, false, c, blocks);
    else if (n <= 2 * PER_VECTOR)
        run(TL__ROUNDS_256, 2, false, c, blocks);
    else
        run(TL__ROUNDS_256, GROUPS, false, c, blocks);
}

static void run_mixed_128(crew *c, size_t blocks)
{
    run(TL__ROUNDS_128, GROUPS, true, c, blocks);
}

static void run_mixed_256(crew *c, size_t blocks)
{
    run(TL__ROUNDS_256, GROUPS, true, c, blocks);
}

/* Lanes of different keys: their round keys side by side. */
static void mix(const tl__lane *lane, size_t n, crew *c, size_t blocks)
{
    __m512i key[TL__ROUND_KEYS * GROUPS];
    unsigned rounds = ((const tl__vaes_key *)lane[0].state)->rounds;
    for (unsigned r = 0; r <= rounds; r++) {
        uint8_t row[LANES * TL__BLOCK] __attribute__((aligned(64)));
        for (size_t i = 0; i < LANES; i++) {
            const tl__vaes_key *own = lane[i < n ? i : 0].state;
            tl__store(row + i * TL__BLOCK, _mm512_castsi512_si128(own->round[r]));
        }
        memcpy(key + GROUPS * r, row, sizeof row);
        if (r == rounds)
            tl__forget(row, sizeof row);
    }
    c->key = key;
    if (rounds == TL__ROUNDS_128)
        run_mixed_128(c, blocks);
    else
        run_mixed_256(c, blocks);
    tl__forget(key, sizeof key);
}

/* Lanes without work read what the first one reads, and are forgotten. */
void tl__vaes_cbc_mac(const tl__lane *lane, size_t n, size_t blocks)
{
    const tl__vaes_key *key = lane[0].state;
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
