/* The end of a checksum by folding: from a register of 16 bytes to 32 bits. */
#ifndef TL_LANES_X86_REDUCE_H
#define TL_LANES_X86_REDUCE_H

#include "fold.h"

#include <immintrin.h>

static inline __m128i tl__fold_by(const uint64_t by[2])
{
    return _mm_loadu_si128((const __m128i *)by);
}

/* x moved towards the end by what k is made for, and what stands there. */
static inline __m128i tl__folded(__m128i x, __m128i k, __m128i there)
{
    __m128i lower = _mm_clmulepi64_si128(x, k, 0x00), upper = _mm_clmulepi64_si128(x, k, 0x11);
    return _mm_xor_si128(_mm_xor_si128(lower, upper), there);
}

/* x * x^32 modulo P, x being the last 16 bytes with all that was before folded into them. */
static inline uint32_t tl__fold_end(__m128i x, const tl__fold *f)
{
    const __m128i to = _mm_set_epi64x((long long)f->to_64, (long long)f->to_96);
    const __m128i end = _mm_set_epi64x((long long)f->poly, (long long)f->quotient);
    const __m128i low_32 = _mm_set_epi32(0, 0, 0, -1);
    /* L * x^96 + H * x^32: 96 bits, from bit 32 of the register on. */
    x = _mm_xor_si128(_mm_clmulepi64_si128(x, to, 0x00), _mm_slli_si128(_mm_srli_si128(x, 8), 4));
    /* The 32 highest of them, times x^64, onto the others: 64 bits. */
    x = _mm_srli_si128(_mm_xor_si128(x, _mm_clmulepi64_si128(x, to, 0x10)), 8);
    /* What P goes into them, and the rest. */
    __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(x, low_32), end, 0x00);
    __m128i product = _mm_clmulepi64_si128(_mm_and_si128(quotient, low_32), end, 0x10);
    return (uint32_t)_mm_extract_epi32(_mm_xor_si128(x, product), 1);
}

#endif
