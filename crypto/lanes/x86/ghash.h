/* GHASH's arithmetic on blocks whose bytes are turned round (SP 800-38D, 6.3).
 *
 * SP 800-38D counts the bits of a block from the most significant one of its first byte on. With its bytes turned round,
 * a block is a reflected polynomial: the coefficient of x^i is bit 127 - i. A product of two such comes out one too low;
 * the powers of H are kept times x, which makes up for it. */

#ifndef TL_LANES_X86_GHASH_H
#define TL_LANES_X86_GHASH_H

#include "aes.h"

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

/* x * a modulo the polynomial, reflected: a shift, and what falls out comes back as 0xC2...01. No branch on it. */
static inline __m128i tl__times_x(__m128i a)
{
    __m128i carries = _mm_slli_si128(_mm_srli_epi64(a, 63), 8);
    __m128i fell_out = _mm_srai_epi32(_mm_shuffle_epi32(a, 0xFF), 31);
    __m128i poly = _mm_set_epi64x((long long)0xC200000000000000ULL, 1);
    return _mm_xor_si128(_mm_or_si128(_mm_slli_epi64(a, 1), carries), _mm_and_si128(fell_out, poly));
}

#endif
