/* What the kernels of the AES-NI level share: a key's state, and GHASH's arithmetic on one block at a time.
 *
 * Kernels are written once with the number of rounds as a parameter, and made twice, for 10 and for 14 rounds. With 16
 * registers, round keys come from memory, as operands of the instructions that use them. */
#ifndef TL_LANES_X86_AESNI_H
#define TL_LANES_X86_AESNI_H

#include "aes.h"

#include <string.h>

enum { TL__WIDE = 8, TL__WIDE_BYTES = TL__WIDE * TL__BLOCK }; /* blocks that are worked on at once */

typedef struct tl__aesni_key {
    __m128i round[TL__ROUND_KEYS];
    union {
        __m128i ctr_round[TL__ROUND_KEYS]; /* CMAC suites: the encryption key's */
        __m128i power[TL__WIDE];           /* GMAC suites: H^8 * x, H^7 * x, ... H * x, reflected */
    } u;
    unsigned rounds;
} tl__aesni_key;

static inline __attribute__((always_inline)) __m128i tl__aes_block(const __m128i *round, unsigned rounds,
                                                                   __m128i x)
{
    x = _mm_xor_si128(x, round[0]);
    TL__UNROLL for (unsigned i = 1; i < rounds; i++) x = _mm_aesenc_si128(x, round[i]);
    return _mm_aesenclast_si128(x, round[rounds]);
}

/* ---- GHASH ----
 *
 * SP 800-38D counts the bits of a block from the most significant one of its first byte on. With its bytes turned round,
 * a block is a reflected polynomial: the coefficient of x^i is bit 127 - i. A product of two such comes out one too low;
 * the powers of H are kept times x, which makes up for it. */

static inline __m128i tl__turn(__m128i x)
{
    return _mm_shuffle_epi8(x, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

/* Sums of products that are not reduced yet, each 256 bits. */
typedef struct tl__sum {
    __m128i low, mid, high;
} tl__sum;

static inline tl__sum tl__sum_zero(void)
{
    return (tl__sum){ _mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128() };
}

static inline void tl__sum_add(tl__sum *s, __m128i x, __m128i h)
{
    s->low = _mm_xor_si128(s->low, _mm_clmulepi64_si128(x, h, 0x00));
    s->high = _mm_xor_si128(s->high, _mm_clmulepi64_si128(x, h, 0x11));
    s->mid = _mm_xor_si128(s->mid, _mm_clmulepi64_si128(x, h, 0x01));
    s->mid = _mm_xor_si128(s->mid, _mm_clmulepi64_si128(x, h, 0x10));
}

/* Modulo x^128 + x^7 + x^2 + x + 1: the lower half's lower word, which has the highest coefficients, goes up by a
 * multiplication with the reflected x^7 + x^2 + x, its own place being that of the 1; then the next word. */
static inline __m128i tl__sum_reduce(const tl__sum *s)
{
    const __m128i poly = _mm_set_epi64x(0, (long long)0xC200000000000000ULL);
    __m128i low = _mm_xor_si128(s->low, _mm_slli_si128(s->mid, 8));
    __m128i high = _mm_xor_si128(s->high, _mm_srli_si128(s->mid, 8));
    low = _mm_xor_si128(_mm_shuffle_epi32(low, 0x4E), _mm_clmulepi64_si128(low, poly, 0x00));
    low = _mm_xor_si128(_mm_shuffle_epi32(low, 0x4E), _mm_clmulepi64_si128(low, poly, 0x00));
    return _mm_xor_si128(low, high);
}

/* y goes on over n blocks, 1 to 8. */
static inline __m128i tl__hash_few(const tl__aesni_key *key, __m128i y, const uint8_t *p, size_t n)
{
    const __m128i *power = key->u.power + TL__WIDE - n;
    tl__sum s = tl__sum_zero();
    for (size_t i = 1; i < n; i++)
        tl__sum_add(&s, tl__turn(tl__load(p + i * TL__BLOCK)), power[i]);
    tl__sum_add(&s, _mm_xor_si128(y, tl__turn(tl__load(p))), power[0]);
    return tl__sum_reduce(&s);
}

/* ---- the level's functions ---- */

void tl__aesni_cbc_mac(const tl__lane *lane, size_t n, size_t blocks);
void tl__aesni_ctr(const void *state, const tl__gcm *text);
void tl__aesni_gmac(const void *state, const uint8_t *nonce, tl_span data, uint8_t tag[TL_TAG_MAX]);
void tl__aesni_ghash(const void *state, uint8_t y[TL__BLOCK], const uint8_t *p, size_t blocks);
void tl__aesni_gcm_seal(const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text);
void tl__aesni_gcm_open(const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text);
void tl__aesni_gcm_tag(const void *state, const uint8_t y[TL__BLOCK], const uint8_t *nonce,
                       const uint64_t bits[2], uint8_t tag[TL_TAG_MAX]);
uint16_t tl__aesni_crc16(uint16_t crc, tl_span data);
uint32_t tl__aesni_crc32(uint32_t crc, tl_span data);

#endif
