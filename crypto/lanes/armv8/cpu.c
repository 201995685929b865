/* What this ARMv8 processor has. Its identification register is there for firmware; Linux lets programs read
 * it too (since 4.11), so that no call of the C library is needed. */
#include "../level.h"

/* Bits 7 to 4 of ID_AA64ISAR0_EL1: 1 is AES, 2 is AES and PMULL for 64 bits. */
bool tl__cpu_has_armv8(void)
{
    uint64_t features;
    __asm__("mrs %0, ID_AA64ISAR0_EL1" : "=r"(features));
    return (features >> 4 & 0xF) >= 2;
}
