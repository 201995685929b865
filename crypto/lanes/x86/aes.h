/* What the levels for x86-64 share: how kernels are written, and AES's key expansion (FIPS 197, 5.2), with the instruction
 * that substitutes words: no tables. */
#ifndef TL_LANES_X86_AES_H
#define TL_LANES_X86_AES_H

#include "../level.h"

#include <immintrin.h>

enum { TL__ROUNDS_128 = 10, TL__ROUNDS_256 = 14, TL__ROUND_KEYS = 15 };

/* Kernels are inlined into their two forms whatever the compiler thinks of their size. */
#define TL__KERNEL static inline __attribute__((always_inline))

/* Loops over lanes and rounds are written out by the compiler, so that their arrays become registers. */
#if defined(__clang__)
#define TL__UNROLL _Pragma("unroll")
#else
#define TL__UNROLL _Pragma("GCC unroll 16")
#endif

/* The two forms of a kernel, by the key's number of rounds. */
#define TL__BY_ROUNDS(key, kernel, ...)                                                                      \
    do {                                                                                                     \
        if ((key)->rounds == TL__ROUNDS_128)                                                                 \
            kernel(TL__ROUNDS_128, __VA_ARGS__);                                                             \
        else                                                                                                 \
            kernel(TL__ROUNDS_256, __VA_ARGS__);                                                             \
    } while (0)

static inline __m128i tl__load(const void *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

static inline void tl__store(void *p, __m128i x)
{
    _mm_storeu_si128((__m128i *)p, x);
}

/* The four words of the next round key, each the one before it plus its own predecessor: w, then w + mixed etc. */
static inline __m128i tl__expand(__m128i w, __m128i mixed)
{
    w = _mm_xor_si128(w, _mm_slli_si128(w, 4));
    w = _mm_xor_si128(w, _mm_slli_si128(w, 8));
    return _mm_xor_si128(w, mixed);
}

/* RotWord(SubWord(last word)) + Rcon in each word. The constant must be one to the compiler. */
#define TL__MIX_ROTATED(w, rcon) _mm_shuffle_epi32(_mm_aeskeygenassist_si128((w), (rcon)), 0xFF)
/* SubWord(last word) in each word, for the odd half of AES-256's keys. */
#define TL__MIX(w) _mm_shuffle_epi32(_mm_aeskeygenassist_si128((w), 0), 0xAA)

static inline void tl__expand_128(__m128i round[TL__ROUND_KEYS], const uint8_t *key)
{
    __m128i w = tl__load(key);
    round[0] = w;
    round[1] = w = tl__expand(w, TL__MIX_ROTATED(w, 0x01));
    round[2] = w = tl__expand(w, TL__MIX_ROTATED(w, 0x02));
    round[3] = w = tl__expand(w, TL__MIX_ROTATED(w, 0x04));
    round[4] = w = tl__expand(w, TL__MIX_ROTATED(w, 0x08));
    round[5] = w = tl__expand(w, TL__MIX_ROTATED(w, 0x10));
    round[6] = w = tl__expand(w, TL__MIX_ROTATED(w, 0x20));
    round[7] = w = tl__expand(w, TL__MIX_ROTATED(w, 0x40));
    round[8] = w = tl__expand(w, TL__MIX_ROTATED(w, 0x80));
    round[9] = w = tl__expand(w, TL__MIX_ROTATED(w, 0x1B));
    round[10] = tl__expand(w, TL__MIX_ROTATED(w, 0x36));
}

static inline void tl__expand_256(__m128i round[TL__ROUND_KEYS], const uint8_t *key)
{
    __m128i a = tl__load(key), b = tl__load(key + 16);
    round[0] = a;
    round[1] = b;
    round[2] = a = tl__expand(a, TL__MIX_ROTATED(b, 0x01));
    round[3] = b = tl__expand(b, TL__MIX(a));
    round[4] = a = tl__expand(a, TL__MIX_ROTATED(b, 0x02));
    round[5] = b = tl__expand(b, TL__MIX(a));
    round[6] = a = tl__expand(a, TL__MIX_ROTATED(b, 0x04));
    round[7] = b = tl__expand(b, TL__MIX(a));
    round[8] = a = tl__expand(a, TL__MIX_ROTATED(b, 0x08));
    round[9] = b = tl__expand(b, TL__MIX(a));
    round[10] = a = tl__expand(a, TL__MIX_ROTATED(b, 0x10));
    round[11] = b = tl__expand(b, TL__MIX(a));
    round[12] = a = tl__expand(a, TL__MIX_ROTATED(b, 0x20));
    round[13] = b = tl__expand(b, TL__MIX(a));
    round[14] = tl__expand(a, TL__MIX_ROTATED(b, 0x40));
}

/* The round keys of a key of 16 or 32 bytes; gives the number of rounds. */
static inline unsigned tl__expand_key(__m128i round[TL__ROUND_KEYS], const uint8_t *key, size_t size)
{
    if (size == 16) {
        tl__expand_128(round, key);
        return TL__ROUNDS_128;
    }
    tl__expand_256(round, key);
    return TL__ROUNDS_256;
}

#endif
