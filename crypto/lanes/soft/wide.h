/* The whole product of two words, in a time that does not depend on them where the processor's multiplication
 * does not. Compilers that have a type of 128 bits use the processor's own. */
#ifndef TL_LANES_SOFT_WIDE_H
#define TL_LANES_SOFT_WIDE_H

#include <stdint.h>

typedef struct tl__wide {
    uint64_t high, low;
} tl__wide;

/* From products of halves: what a processor with words of 32 bits does. */
static inline tl__wide tl__multiply_halves(uint64_t x, uint64_t y)
{
    const uint64_t half = 0xFFFFFFFF;
    uint64_t low = (x & half) * (y & half), high = (x >> 32) * (y >> 32);
    uint64_t a = (x >> 32) * (y & half) + (low >> 32);
    uint64_t b = (x & half) * (y >> 32) + (a & half);
    return (tl__wide){ high + (a >> 32) + (b >> 32), b << 32 | (low & half) };
}

#if defined(__SIZEOF_INT128__)
static inline tl__wide tl__multiply(uint64_t x, uint64_t y)
{
    __extension__ unsigned __int128 product = (unsigned __int128)x * y;
    return (tl__wide){ (uint64_t)(product >> 64), (uint64_t)product };
}
#else
static inline tl__wide tl__multiply(uint64_t x, uint64_t y)
{
    return tl__multiply_halves(x, y);
}
#endif

#endif
