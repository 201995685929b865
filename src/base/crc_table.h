/* Tables of a reflected CRC for slicing by eight, made by the compiler.
 *
 * Entry b of slice k is what byte b leaves in the register when k zero bytes follow it. A CRC is linear, so an entry is
 * the exclusive or of what its bits leave: eight constants, bit 7 first, make a slice of 256 entries. */
#ifndef TL_BASE_CRC_TABLE_H
#define TL_BASE_CRC_TABLE_H

#define TL__CRC_BIT(b, bit, left) ((b) & (bit) ? (left) : 0)
#define TL__CRC_1(b, l7, l6, l5, l4, l3, l2, l1, l0)                                                         \
    (TL__CRC_BIT(b, 0x80, l7) ^ TL__CRC_BIT(b, 0x40, l6) ^ TL__CRC_BIT(b, 0x20, l5) ^                        \
     TL__CRC_BIT(b, 0x10, l4) ^ TL__CRC_BIT(b, 0x08, l3) ^ TL__CRC_BIT(b, 0x04, l2) ^                        \
     TL__CRC_BIT(b, 0x02, l1) ^ TL__CRC_BIT(b, 0x01, l0))
#define TL__CRC_4(b, ...)                                                                                    \
    TL__CRC_1(b, __VA_ARGS__), TL__CRC_1((b) + 1, __VA_ARGS__), TL__CRC_1((b) + 2, __VA_ARGS__),             \
        TL__CRC_1((b) + 3, __VA_ARGS__)
#define TL__CRC_16(b, ...)                                                                                   \
    TL__CRC_4(b, __VA_ARGS__), TL__CRC_4((b) + 4, __VA_ARGS__), TL__CRC_4((b) + 8, __VA_ARGS__),             \
        TL__CRC_4((b) + 12, __VA_ARGS__)
#define TL__CRC_64(b, ...)                                                                                   \
    TL__CRC_16(b, __VA_ARGS__), TL__CRC_16((b) + 16, __VA_ARGS__), TL__CRC_16((b) + 32, __VA_ARGS__),        \
        TL__CRC_16((b) + 48, __VA_ARGS__)

/* One slice, from what the bits 7, 6, ... 0 of a byte leave. */
#define TL__CRC_SLICE(...)                                                                                   \
    {                                                                                                        \
        TL__CRC_64(0, __VA_ARGS__), TL__CRC_64(64, __VA_ARGS__), TL__CRC_64(128, __VA_ARGS__),               \
            TL__CRC_64(192, __VA_ARGS__)                                                                     \
    }

#endif
