/* CRC-32 of the service footer, eight bytes at a step.
 *
 * The constants of the tables, read as one sequence, are the register 0x00000001 after 1, 2, 3, ... 64 steps of
 *     c = (c >> 1) ^ (c & 1 ? 0xEDB88320 : 0)                                                                 */
#include "cse/crc32.h"

#include "base/crc_table.h"

static const uint32_t slice[8][256] = {
    TL__CRC_SLICE(0xEDB88320, 0x76DC4190, 0x3B6E20C8, 0x1DB71064, 0x0EDB8832, 0x076DC419, 0xEE0E612C,
                  0x77073096),
    TL__CRC_SLICE(0x3B83984B, 0xF0794F05, 0x958424A2, 0x4AC21251, 0xC8D98A08, 0x646CC504, 0x32366282,
                  0x191B3141),
    TL__CRC_SLICE(0xE1351B80, 0x709A8DC0, 0x384D46E0, 0x1C26A370, 0x0E1351B8, 0x0709A8DC, 0x0384D46E,
                  0x01C26A37),
    TL__CRC_SLICE(0xED59B63B, 0x9B14583D, 0xA032AF3E, 0x5019579F, 0xC5B428EF, 0x8F629757, 0xAA09C88B,
                  0xB8BC6765),
    TL__CRC_SLICE(0xB1E6B092, 0x58F35849, 0xC1C12F04, 0x60E09782, 0x30704BC1, 0xF580A6C0, 0x7AC05360,
                  0x3D6029B0),
    TL__CRC_SLICE(0x1EB014D8, 0x0F580A6C, 0x07AC0536, 0x03D6029B, 0xEC53826D, 0x9B914216, 0x4DC8A10B,
                  0xCB5CD3A5),
    TL__CRC_SLICE(0x8816EAF2, 0x440B7579, 0xCFBD399C, 0x67DE9CCE, 0x33EF4E67, 0xF44F2413, 0x979F1129,
                  0xA6770BB4),
    TL__CRC_SLICE(0x533B85DA, 0x299DC2ED, 0xF9766256, 0x7CBB312B, 0xD3E51BB5, 0x844A0EFA, 0x4225077D,
                  0xCCAA009E),
};

uint32_t tl_cse_crc32(uint32_t crc, tl_span data)
{
    const uint8_t *p = data.p;
    size_t n = data.n;

    crc = ~crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint32_t low =
            crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);

        crc = slice[7][low & 0xFF] ^ slice[6][low >> 8 & 0xFF] ^ slice[5][low >> 16 & 0xFF] ^
              slice[4][low >> 24] ^ slice[3][p[4]] ^ slice[2][p[5]] ^ slice[1][p[6]] ^ slice[0][p[7]];
    }
    for (; n > 0; n--)
        crc = crc >> 8 ^ slice[0][(crc ^ *p++) & 0xFF];
    return ~crc;
}
