/* What the kernels of the VAES level share: a key's state, AES on 512 bits, and GHASH's arithmetic.
 *
 * A vector (zmm register) holds four blocks. Kernels are written once with the number of rounds as a parameter, and
 * made twice, for 10 and for 14 rounds, so that round keys stay in registers and no loop over rounds is left. */
#ifndef TL_LANES_X86_VAES_H
#define TL_LANES_X86_VAES_H

#include "ghash.h"

#include <string.h>

enum {
    TL__VECTOR = 64,                          /* bytes of a vector */
    TL__CHUNK = 1024,                         /* bytes that GHASH takes between two reductions */
    TL__POWER_BYTES = TL__VECTOR + TL__CHUNK, /* a chunk's powers of H, and four for what comes after it */
    TL__POWERS = TL__POWER_BYTES / TL__BLOCK
};

/* A key's state. Round keys stand four times in their vector. */
typedef struct tl__vaes_key {
    __m512i round[TL__ROUND_KEYS];
    union {
        __m512i ctr_round[TL__ROUND_KEYS]; /* CMAC suites: the encryption key's */
        struct {
            uint8_t power[TL__POWER_BYTES];  /* GMAC suites: H^68, H^67, ... H^1, for GHASH alone */
            uint8_t turned[TL__POWER_BYTES]; /* the same times x, for GHASH beside AES */
        } gmac;
    } u;
    unsigned rounds;
} tl__vaes_key;

/* The powers for a row of n blocks, from H^n down to H^1. */
static inline const uint8_t *tl__powers(const tl__vaes_key *key, size_t n)
{
    return key->u.gmac.power + (TL__POWERS - n) * TL__BLOCK;
}

static inline const uint8_t *tl__turned_powers(const tl__vaes_key *key, size_t n)
{
    return key->u.gmac.turned + (TL__POWERS - n) * TL__BLOCK;
}

/* ---- vectors ---- */

TL__KERNEL __m512i tl__load4(const void *p)
{
    return _mm512_loadu_si512(p);
}

/* n bytes at p, 1 to 64, and zeros above. No byte beyond them is read. */
TL__KERNEL __m512i tl__load_some(const void *p, size_t n)
{
    return _mm512_maskz_loadu_epi8(~0ULL >> (TL__VECTOR - n), p);
}

TL__KERNEL __m512i tl__xor3(__m512i a, __m512i b, __m512i c)
{
    return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}

/* The sum of a vector's four blocks. */
TL__KERNEL __m128i tl__sum4(__m512i x)
{
    __m256i half = _mm256_xor_si256(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64(x, 1));
    return _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

/* ---- AES ---- */

TL__KERNEL __m128i tl__aes1(const __m512i *round, unsigned rounds, __m128i x)
{
    x = _mm_xor_si128(x, _mm512_castsi512_si128(round[0]));
    TL__UNROLL for (unsigned i = 1; i < rounds; i++) x =
        _mm_aesenc_si128(x, _mm512_castsi512_si128(round[i]));
    return _mm_aesenclast_si128(x, _mm512_castsi512_si128(round[rounds]));
}

/* SP 800-38D's counter block: nonce | counter. */
TL__KERNEL __m128i tl__counter_block(const uint8_t *nonce, uint32_t counter)
{
    int last;
    memcpy(&last, nonce + 8, sizeof last);
    __m128i x = _mm_insert_epi32(_mm_loadl_epi64((const __m128i *)(const void *)nonce), last, 2);
    return _mm_insert_epi32(x, (int)__builtin_bswap32(counter), 3);
}

/* AES(K, nonce | 1), which hides the sum in a tag. */
TL__KERNEL __m128i tl__tag_mask(const tl__vaes_key *key, const uint8_t *nonce)
{
    __m128i block = tl__counter_block(nonce, 1);
    if (key->rounds == TL__ROUNDS_128)
        return tl__aes1(key->round, TL__ROUNDS_128, block);
    return tl__aes1(key->round, TL__ROUNDS_256, block);
}

/* ---- GHASH ----
 *
 * SP 800-38D counts the bits of a block from the most significant one of its first byte on. Reversing the bits in each
 * byte makes a block a polynomial whose coefficient of x^i is bit i of a 128-bit number in the machine's own order; it
 * costs one affine transformation, and no shuffle, whose port the multiplications need. */

TL__KERNEL __m512i tl__reverse4(__m512i x)
{
    return _mm512_gf2p8affine_epi64_epi8(x, _mm512_set1_epi64((long long)0x8040201008040201ULL), 0);
}

TL__KERNEL __m128i tl__reverse(__m128i x)
{
    return _mm_gf2p8affine_epi64_epi8(x, _mm_set1_epi64x((long long)0x8040201008040201ULL), 0);
}

/* Sums of products that are not reduced yet, each 256 bits: low + mid * x^64 + high * x^128. */
typedef struct tl__sums {
    __m512i low, mid, high;
} tl__sums;

TL__KERNEL tl__sums tl__sums_zero(void)
{
    const __m512i zero = _mm512_setzero_si512();
    return (tl__sums){ zero, zero, zero };
}

/* s += x * h, for each of the four blocks. */
TL__KERNEL void tl__add_product(tl__sums *s, __m512i x, __m512i h)
{
    s->low = _mm512_xor_si512(s->low, _mm512_clmulepi64_epi128(x, h, 0x00));
    s->high = _mm512_xor_si512(s->high, _mm512_clmulepi64_epi128(x, h, 0x11));
    s->mid = tl__xor3(s->mid, _mm512_clmulepi64_epi128(x, h, 0x01), _mm512_clmulepi64_epi128(x, h, 0x10));
}

/* The same twice: three-way sums take half the additions. */
TL__KERNEL void tl__add_two_products(tl__sums *s, __m512i x, __m512i h, __m512i y, __m512i g)
{
    s->low = tl__xor3(s->low, _mm512_clmulepi64_epi128(x, h, 0x00), _mm512_clmulepi64_epi128(y, g, 0x00));
    s->high = tl__xor3(s->high, _mm512_clmulepi64_epi128(x, h, 0x11), _mm512_clmulepi64_epi128(y, g, 0x11));
    s->mid = tl__xor3(s->mid, _mm512_clmulepi64_epi128(x, h, 0x01), _mm512_clmulepi64_epi128(x, h, 0x10));
    s->mid = tl__xor3(s->mid, _mm512_clmulepi64_epi128(y, g, 0x01), _mm512_clmulepi64_epi128(y, g, 0x10));
}

/* The sum of the four products modulo x^128 + x^7 + x^2 + x + 1, by x^128 = 0x87: the upper half's upper word comes
 * down by 64 bits, then its lower word, with what the first step has left there. */
TL__KERNEL __m128i tl__reduce(const tl__sums *s)
{
    const __m512i zero = _mm512_setzero_si512();
    const __m512i fold = _mm512_set1_epi64(0x87);
    __m512i low = _mm512_xor_si512(s->low, _mm512_unpacklo_epi64(zero, s->mid));
    __m512i high = _mm512_xor_si512(s->high, _mm512_unpackhi_epi64(s->mid, zero));
    __m512i upper = _mm512_clmulepi64_epi128(high, fold, 0x01);
    high = _mm512_xor_si512(high, _mm512_unpackhi_epi64(upper, zero));
    low = tl__xor3(low, _mm512_unpacklo_epi64(zero, upper), _mm512_clmulepi64_epi128(high, fold, 0x00));
    return tl__sum4(low);
}

/* n bytes, fewer than a chunk's, the last block filled with zeros, with `after` blocks still to come in the same sum. */
TL__KERNEL void tl__add_rest(tl__sums *s, const tl__vaes_key *key, __m128i y, tl_span data, size_t after)
{
    const uint8_t *power = tl__powers(key, (data.n + TL__BLOCK - 1) / TL__BLOCK + after);
    __m512i first = _mm512_zextsi128_si512(y);
    size_t i = 0;
    for (; data.n - i >= TL__VECTOR; i += TL__VECTOR) {
        __m512i x = _mm512_xor_si512(tl__reverse4(tl__load4(data.p + i)), first);
        tl__add_product(s, x, tl__load4(power + i));
        first = _mm512_setzero_si512();
    }
    if (data.n != i) {
        size_t whole = (data.n - i + TL__BLOCK - 1) / TL__BLOCK * TL__BLOCK;
        __m512i x = _mm512_xor_si512(tl__reverse4(tl__load_some(data.p + i, data.n - i)), first);
        tl__add_product(s, x, tl__load_some(power + i, whole));
    }
}

/* One chunk of 64 blocks. Only its first block waits for y; it goes last, so that the other products can begin while
 * the chunk before is being reduced. */
TL__KERNEL __m128i tl__hash_chunk(const tl__vaes_key *key, __m128i y, const uint8_t *p)
{
    const uint8_t *power = tl__powers(key, TL__CHUNK / TL__BLOCK);
    tl__sums s = tl__sums_zero();
    TL__UNROLL for (size_t i = TL__VECTOR; i < TL__CHUNK; i += TL__VECTOR)
        tl__add_product(&s, tl__reverse4(tl__load4(p + i)), tl__load4(power + i));
    __m512i first = _mm512_xor_si512(tl__reverse4(tl__load4(p)), _mm512_zextsi128_si512(y));
    tl__add_product(&s, first, tl__load4(power));
    return tl__reduce(&s);
}

TL__KERNEL __m128i tl__hash_rest(const tl__vaes_key *key, __m128i y, tl_span data)
{
    if (data.n == 0)
        return y;
    tl__sums s = tl__sums_zero();
    tl__add_rest(&s, key, y, data, 0);
    return tl__reduce(&s);
}

/* ---- the level's functions ---- */

void tl__vaes_cbc_mac(const tl__lane *lane, size_t n, size_t blocks);
void tl__vaes_ctr(const void *state, const tl__gcm *text);
void tl__vaes_gmac(const void *state, const uint8_t *nonce, tl_span data, uint8_t tag[TL_TAG_MAX]);
void tl__vaes_ghash(const void *state, uint8_t y[TL__BLOCK], const uint8_t *p, size_t blocks);
void tl__vaes_gcm_seal(const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text);
void tl__vaes_gcm_open(const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text);
void tl__vaes_message_seal(const void *state, tl_span header, const tl__gcm *text, uint8_t tag[TL_TAG_MAX]);
void tl__vaes_message_open(const void *state, tl_span header, const tl__gcm *text, uint8_t tag[TL_TAG_MAX]);
void tl__vaes_gcm_tag(const void *state, const uint8_t y[TL__BLOCK], const uint8_t *nonce,
                      const uint64_t bits[2], uint8_t tag[TL_TAG_MAX]);
uint16_t tl__vaes_crc16(uint16_t crc, tl_span data);
uint32_t tl__vaes_crc32(uint32_t crc, tl_span data);

#endif
