/* What this x86-64 processor has, and whether the operating system keeps the registers.
 *
 * Bits of CPUID leaf 1 and leaf 7, and of XCR0, by their names in the processor's manual. */
#include "../level.h"

#include <cpuid.h>

enum {
    /* leaf 1, ECX */
    PCLMULQDQ = 1 << 1,
    SSSE3 = 1 << 9,
    SSE41 = 1 << 19,
    AESNI = 1 << 25,
    OSXSAVE = 1 << 27,
    /* leaf 7, EBX */
    AVX512F = 1 << 16,
    AVX512DQ = 1 << 17,
    AVX512BW = 1 << 30,
    /* leaf 7, ECX */
    VBMI2 = 1 << 6,
    GFNI = 1 << 8,
    VAES = 1 << 9,
    VPCLMULQDQ = 1 << 10,
    /* XCR0: xmm, ymm, mask registers, upper halves of zmm0-15, zmm16-31 */
    XMM_YMM = 3 << 1,
    ZMM = 7 << 5
};
#define AVX512VL (1U << 31)

static bool all(unsigned have, unsigned want)
{
    return (have & want) == want;
}

static unsigned xcr0(void)
{
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

bool tl__cpu_has_aesni(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && all(c, PCLMULQDQ | SSSE3 | SSE41 | AESNI);
}

bool tl__cpu_has_vaes(void)
{
    unsigned a, b, c, d;
    if (!tl__cpu_has_aesni() || __get_cpuid(1, &a, &b, &c, &d) == 0 || !all(c, OSXSAVE))
        return false;
    if (!all(xcr0(), XMM_YMM | ZMM) || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0)
        return false;
    return all(b, AVX512F | AVX512DQ | AVX512BW | AVX512VL) && all(c, VBMI2 | GFNI | VAES | VPCLMULQDQ);
}
