/* The constants of checksums by folding, for CRC-32 and for CSI-2's CRC-16.
 *
 * Both checksums are reflected: the first bit of the data is the lowest bit of the first byte, and the highest
 * coefficient. 16 bytes in a register are then a polynomial A = L * x^64 + H with L the lower word, and
 *     A * x^d = L * x^(d + 64) + H * x^d
 * moves it d bits towards the end of the data, where it is added. A carry-less product of two reflected words comes out
 * one coefficient too high, so the constants are one lower: x^(d + 63) and x^(d - 1) modulo P, reflected in 64 bits.
 *
 * CRC-16 is computed with P * x^16, which has degree 32 as well: its register stands in the lower half of CRC-32's.
 * A unit test works these numbers out from P alone, bit by bit. */
#ifndef TL_LANES_X86_FOLD_H
#define TL_LANES_X86_FOLD_H

#include <stdint.h>

typedef struct tl__fold {
    uint64_t by_4096[2], by_512[2], by_384[2], by_256[2], by_128[2];
    uint64_t to_96;    /* x^95: brings 128 bits, which stand before 32 more, down to 96 */
    uint64_t to_64;    /* x^63: and those to 64 */
    uint64_t quotient; /* x^64 / P, reflected in 33 bits: Barrett's reduction of the last 64 bits */
    uint64_t poly;     /* P, reflected in 33 bits */
} tl__fold;

/* P = x^32 + x^26 + x^23 + x^22 + x^16 + x^12 + x^11 + x^10 + x^8 + x^7 + x^5 + x^4 + x^2 + x + 1 */
static const tl__fold tl__fold_crc32 = {
    .by_4096 = { 0xE4E4561000000000, 0xC78C44A100000000 },
    .by_512 = { 0x653D982200000000, 0xCAD38E8F00000000 },
    .by_384 = { 0x69CCFC0D00000000, 0x2A28386200000000 },
    .by_256 = { 0x9570D49500000000, 0x01B5FD1D00000000 },
    .by_128 = { 0x65673B4600000000, 0x9BA54C6F00000000 },
    .to_96 = 0xCCAA009E00000000,
    .to_64 = 0xB8BC676500000000,
    .quotient = 0x00000001F7011641,
    .poly = 0x00000001DB710641,
};

/* P = (x^16 + x^12 + x^5 + 1) * x^16 */
static const tl__fold tl__fold_crc16 = {
    .by_4096 = { 0x000020E200000000, 0x0000CDDD00000000 },
    .by_512 = { 0x0000381D00000000, 0x00001B3400000000 },
    .by_384 = { 0x00007FE200000000, 0x0000804700000000 },
    .by_256 = { 0x0000AC4F00000000, 0x0000CE1E00000000 },
    .by_128 = { 0x0000DF5600000000, 0x0000855500000000 },
    .to_96 = 0x000081BF00000000,
    .to_64 = 0x00001CBB00000000,
    .quotient = 0x000000011C581911,
    .poly = 0x0000000000010811,
};

#endif
