/* The floors. A checksum by folding needs two carry-less multiplications for each vector, since every half of the running
 * remainder is multiplied; eight running remainders hide their latency. What a real checksum does beside that (beginning,
 * end, reduction to 16 or 32 bits) is left out here. */
#include "floor.h"

#include <string.h>

static uint64_t read_words(const uint8_t *bytes, size_t n)
{
    uint64_t sum = 0, word;

    for (; n >= sizeof word; n -= sizeof word, bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        sum |= word;
    }
    return sum;
}

#ifdef __x86_64__
#include <immintrin.h>

/* Eight running remainders, written out: in an array a compiler may keep them in memory. */
#define EIGHT(each) each(0) each(1) each(2) each(3) each(4) each(5) each(6) each(7)

enum { LANES = 8 };

__attribute__((target("avx512f,avx512bw,vpclmulqdq"))) static uint64_t multiply_64(const uint8_t *bytes,
                                                                                   size_t n)
{
    const __m512i by = _mm512_set1_epi64(0x1D5);
    __m512i sum = by;

#define BEGIN(i) __m512i r##i = by;
#define STEP(i)                                                                                              \
    r##i = _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(r##i, by, 0x00),                               \
                                     _mm512_clmulepi64_epi128(r##i, by, 0x11),                               \
                                     _mm512_loadu_si512((const void *)(bytes + (i)*64)), 0x96);
#define END(i) sum = _mm512_xor_si512(sum, r##i);
    EIGHT(BEGIN)
    for (; n >= LANES * 64; n -= LANES * 64, bytes += LANES * 64) {
        EIGHT(STEP)
    }
    EIGHT(END)
#undef BEGIN
#undef STEP
#undef END
    return (uint64_t)_mm512_reduce_or_epi64(sum);
}

__attribute__((target("avx,pclmul"))) static uint64_t multiply_16(const uint8_t *bytes, size_t n)
{
    const __m128i by = _mm_set1_epi64x(0x1D5);
    __m128i sum = by;

#define BEGIN(i) __m128i r##i = by;
#define STEP(i)                                                                                              \
    r##i = _mm_xor_si128(                                                                                    \
        _mm_xor_si128(_mm_clmulepi64_si128(r##i, by, 0x00), _mm_clmulepi64_si128(r##i, by, 0x11)),           \
        _mm_loadu_si128((const __m128i *)(const void *)(bytes + (i)*16)));
#define END(i) sum = _mm_xor_si128(sum, r##i);
    EIGHT(BEGIN)
    for (; n >= LANES * 16; n -= LANES * 16, bytes += LANES * 16) {
        EIGHT(STEP)
    }
    EIGHT(END)
#undef BEGIN
#undef STEP
#undef END
    return (uint64_t)_mm_cvtsi128_si64(sum);
}

__attribute__((target("avx512f"))) static uint64_t read_64(const uint8_t *bytes, size_t n)
{
    __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;

    for (; n >= 256; n -= 256, bytes += 256) {
        a = _mm512_or_si512(a, _mm512_loadu_si512((const void *)bytes));
        b = _mm512_or_si512(b, _mm512_loadu_si512((const void *)(bytes + 64)));
        c = _mm512_or_si512(c, _mm512_loadu_si512((const void *)(bytes + 128)));
        d = _mm512_or_si512(d, _mm512_loadu_si512((const void *)(bytes + 192)));
    }
    a = _mm512_or_si512(_mm512_or_si512(a, b), _mm512_or_si512(c, d));
    return (uint64_t)_mm512_reduce_or_epi64(a) | read_words(bytes, n);
}

floor_loop floor_multiply(bool narrow)
{
    if (!narrow && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("vpclmulqdq"))
        return (floor_loop){ "vpclmul", multiply_64 };
    if (narrow && __builtin_cpu_supports("avx") && __builtin_cpu_supports("pclmul"))
        return (floor_loop){ "pclmul", multiply_16 };
    return (floor_loop){ narrow ? "pclmul" : "vpclmul", NULL };
}

floor_loop floor_read(void)
{
    if (__builtin_cpu_supports("avx512f"))
        return (floor_loop){ "read", read_64 };
    return (floor_loop){ "read", read_words };
}

#else

floor_loop floor_multiply(bool narrow)
{
    return (floor_loop){ narrow ? "pclmul" : "vpclmul", NULL };
}

floor_loop floor_read(void)
{
    return (floor_loop){ "read", read_words };
}

#endif
