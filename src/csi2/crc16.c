/* CRC-16 of the payload checksum, eight bytes at a time.
 *
 * The constants of the tables, read as one sequence, are the register 0x0001 after 1, 2, 3, ... 64 steps of
 *     c = (c >> 1) ^ (c & 1 ? 0x8408 : 0)
 * which is all there is to know about the polynomial. */
#include <trueline/csi2.h>

#include "base/crc_table.h"

static const uint16_t table[8][256] = {
    TL__CRC_SLICE(0x8408, 0x4204, 0x2102, 0x1081, 0x8C48, 0x4624, 0x2312, 0x1189),
    TL__CRC_SLICE(0x8CCC, 0x4666, 0x2333, 0x9591, 0xCEC0, 0x6760, 0x33B0, 0x19D8),
    TL__CRC_SLICE(0x0CEC, 0x0676, 0x033B, 0x8595, 0xC6C2, 0x6361, 0xB5B8, 0x5ADC),
    TL__CRC_SLICE(0x2D6E, 0x16B7, 0x8F53, 0xC3A1, 0xE5D8, 0x72EC, 0x3976, 0x1CBB),
    TL__CRC_SLICE(0x8A55, 0xC122, 0x6091, 0xB440, 0x5A20, 0x2D10, 0x1688, 0x0B44),
    TL__CRC_SLICE(0x05A2, 0x02D1, 0x8560, 0x42B0, 0x2158, 0x10AC, 0x0856, 0x042B),
    TL__CRC_SLICE(0x861D, 0xC706, 0x6383, 0xB5C9, 0xDEEC, 0x6F76, 0x37BB, 0x9FD5),
    TL__CRC_SLICE(0xCBE2, 0x65F1, 0xB6F0, 0x5B78, 0x2DBC, 0x16DE, 0x0B6F, 0x81BF),
};

/* The register is 16 bits wide, so it meets the first two of the eight bytes and is used up by them. */
static uint16_t after_8(uint16_t crc, const uint8_t b[8])
{
    return table[7][b[0] ^ (crc & 0xFF)] ^ table[6][b[1] ^ (crc >> 8)] ^ table[5][b[2]] ^ table[4][b[3]] ^
           table[3][b[4]] ^ table[2][b[5]] ^ table[1][b[6]] ^ table[0][b[7]];
}

static uint16_t after_1(uint16_t crc, uint8_t b)
{
    return (uint16_t)(crc >> 8) ^ table[0][b ^ (crc & 0xFF)];
}

uint16_t tl_csi2_crc16(uint16_t crc, tl_span data)
{
    size_t i = 0;
    for (; data.n - i >= 8; i += 8)
        crc = after_8(crc, data.p + i);
    for (; i < data.n; i++)
        crc = after_1(crc, data.p[i]);
    return crc;
}
