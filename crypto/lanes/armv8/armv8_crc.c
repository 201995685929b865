/* CRC-16 and CRC-32 by PMULL, one kernel for both: the CRC-16 is that of its polynomial times x^16, which
 * leaves it in the low half of a register of 32 bits.
 *
 * CRCs are reflected: bit 0 of the first byte is the highest coefficient. Words are read little endian, bit i
 * of 64 being the coefficient of x^(63 - i), and PMULL's product then reads as the product times x. D bits
 * on, a block L x^64 + H is worth L x^(D + 64) + H x^D, each of which is a product with a constant of 64
 * bits. */
#include "armv8.h"

typedef struct crc_kind {
    uint64_t by_512[2], by_128[2]; /* x^(D + 63) and x^(D - 1) modulo the polynomial P */
    uint64_t quotient;             /* x^96 divided by P, without its x^64 */
    uint64_t polynomial;           /* P without its x^32, times x^32 */
} crc_kind;

static const crc_kind crc32_kind = {
    { 0x653D982200000000, 0xCAD38E8F00000000 },
    { 0x65673B4600000000, 0x9BA54C6F00000000 },
    0x5A72D812FB808B20,
    0xEDB8832000000000,
};
static const crc_kind crc16_kind = {
    { 0x0000381D00000000, 0x00001B3400000000 },
    { 0x0000DF5600000000, 0x0000855500000000 },
    0xC2CD82058E2C0C88,
    0x0000840800000000,
};

static inline uint64x2_t times(uint64_t a, uint64_t b)
{
    return vreinterpretq_u64_p128(vmull_p64((poly64_t)a, (poly64_t)b));
}

static inline uint64x2_t load_block(const uint8_t *p)
{
    return vreinterpretq_u64_u8(vld1q_u8(p));
}

/* A block and what came a distance before it. */
static inline uint64x2_t fold(uint64x2_t before, const uint64_t by[2], uint64x2_t block)
{
    uint64x2_t l = times(vgetq_lane_u64(before, 0), by[0]), h = times(vgetq_lane_u64(before, 1), by[1]);
    return veorq_u64(block, veorq_u64(l, h));
}

/* The register after eight bytes on a register of zero: x times x^32 modulo P, by Barrett's quotient. */
static inline uint32_t after_8(const crc_kind *k, uint64_t x)
{
    uint64_t quotient = x ^ vgetq_lane_u64(times(x, k->quotient), 0) << 1;
    return (uint32_t)(vgetq_lane_u64(times(quotient, k->polynomial), 1) >> 31);
}

static uint32_t after_1(const crc_kind *k, uint32_t crc, uint8_t byte)
{
    crc ^= byte;
    for (size_t i = 0; i < 8; i++)
        crc = crc >> 1 ^ ((0 - (crc & 1)) & (uint32_t)(k->polynomial >> 32));
    return crc;
}

/* Whole blocks, four or more. */
static uint32_t after_blocks(const crc_kind *k, uint32_t crc, const uint8_t *p, size_t blocks)
{
    uint64x2_t f[4];
    for (size_t i = 0; i < 4; i++)
        f[i] = load_block(p + i * TL__BLOCK);
    f[0] = veorq_u64(f[0], vcombine_u64(vcreate_u64(crc), vcreate_u64(0)));
    for (p += 64, blocks -= 4; blocks >= 4; p += 64, blocks -= 4)
        for (size_t i = 0; i < 4; i++)
            f[i] = fold(f[i], k->by_512, load_block(p + i * TL__BLOCK));
    for (size_t i = 1; i < 4; i++)
        f[0] = fold(f[0], k->by_128, f[i]);
    for (; blocks > 0; p += TL__BLOCK, blocks--)
        f[0] = fold(f[0], k->by_128, load_block(p));
    crc = after_8(k, vgetq_lane_u64(f[0], 0));
    return after_8(k, vgetq_lane_u64(f[0], 1) ^ crc);
}

static uint32_t crc_of(const crc_kind *k, uint32_t crc, tl_span data)
{
    const uint8_t *p = data.p;
    size_t n = data.n;

    if (n >= 64) {
        crc = after_blocks(k, crc, p, n / TL__BLOCK);
        p += n / TL__BLOCK * TL__BLOCK;
        n %= TL__BLOCK;
    }
    for (; n >= 8; n -= 8, p += 8)
        crc = after_8(k, vget_lane_u64(vreinterpret_u64_u8(vld1_u8(p)), 0) ^ crc);
    for (; n > 0; n--)
        crc = after_1(k, crc, *p++);
    return crc;
}

uint16_t tl__armv8_crc16(uint16_t crc, tl_span data)
{
    return (uint16_t)crc_of(&crc16_kind, crc, data);
}

uint32_t tl__armv8_crc32(uint32_t crc, tl_span data)
{
    return ~crc_of(&crc32_kind, ~crc, data);
}
