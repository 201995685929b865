/* CSI-2 packets as they travel on a D-PHY: header with error-correcting code, payload, checksum; data types,
 * frame and line synchronisation, embedded data lines and RAW packing.
 *
 * Sources: the MIPI CSI-2 facts that public code shows (Linux include/media/mipi-csi2.h and the
 * pixfmt-srggb*p documents; TI TDES960 data sheet, "CSI-2 long packet"). docs/SCOPE.md names what is not
 * public and so not here: the ECC over the extended virtual channel, RAW16 and wider packing. */
#ifndef TRUELINE_CSI2_H
#define TRUELINE_CSI2_H

#include <trueline/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TL_CSI2_HEADER_SIZE = 4,
    TL_CSI2_FOOTER_SIZE = 2,
    TL_CSI2_PAYLOAD_MAX = 65535,
    TL_CSI2_PACKET_MAX = TL_CSI2_HEADER_SIZE + TL_CSI2_PAYLOAD_MAX + TL_CSI2_FOOTER_SIZE,
    TL_CSI2_CHANNELS = 4 /* virtual channels 0..3 */
};

/* Data types, from data_types.def. */
typedef enum tl_data_type {
#define DATA_TYPE(name, code, bits, text) TL_DT_##name = code,
#include <trueline/data_types.def>
#undef DATA_TYPE
} tl_data_type;

/* Text of a data type code ("RAW12"); "unnamed" for one that has none. Bits per pixel, 0 where it has none. */
const char *tl_data_type_text(unsigned code);
unsigned tl_data_type_bits(unsigned code);

/* A packet header: 6-bit data type, 2-bit virtual channel, and the word count of a long packet (payload bytes)
 * or the data field of a short one. Types below 0x10 are short packets. */
typedef struct tl_csi2_header {
    uint8_t virtual_channel;
    uint8_t data_type;
    uint16_t word_count;
} tl_csi2_header;

static inline bool tl_csi2_is_short(unsigned data_type)
{
    return data_type < 0x10;
}

/* What the checks of one packet found. */
typedef enum tl_csi2_ecc {
    TL_CSI2_ECC_OK = 0,
    TL_CSI2_ECC_CORRECTED, /* one bit was wrong, and is right now */
    TL_CSI2_ECC_BAD        /* more than one: the header means nothing */
} tl_csi2_ecc;

typedef struct tl_csi2_packet {
    tl_csi2_header header; /* corrected; zero when ecc is TL_CSI2_ECC_BAD */
    tl_span payload;       /* a view of the packet's bytes; empty for short packets and for a cut one */
    tl_csi2_ecc ecc;
    /* Long packets: the checksum fits and the packet is as long as its header says. Short ones have none: true. */
    bool crc_right;
    uint16_t crc; /* what the footer of a long packet holds */
} tl_csi2_packet;

/* The 6 ECC bits over the 24 header bits (data identifier in bits 0..7, word count in bits 8..23). */
uint8_t tl_csi2_ecc_of(uint32_t header24);
/* Writes the four header bytes. TL_E_USAGE if a field is wider than its bits. TL_E_ROOM. */
tl_err tl_csi2_header_write(const tl_csi2_header *h, tl_wr *w) TL_MUST_USE;
/* Reads four header bytes and corrects one wrong bit (of the header or of the ECC itself). */
tl_csi2_ecc tl_csi2_header_read(const uint8_t bytes[TL_CSI2_HEADER_SIZE], tl_csi2_header *h);

/* CRC-16 of the payload checksum: polynomial x^16 + x^12 + x^5 + 1 reflected, start TL_CSI2_CRC_START, no final
 * change; `crc` is what the bytes before gave. The footer holds it low byte first. Check: "123456789" gives 0x6F91. */
enum { TL_CSI2_CRC_START = 0xFFFF };
uint16_t tl_csi2_crc16(uint16_t crc, tl_span data);

/* Takes a whole packet apart. Always gives a result: what is wrong stands in ecc and crc_right. Bytes beyond the
 * word count make crc_right false (of a short packet too), and payload then holds what the word count says, if it is there. */
void tl_csi2_read(tl_span bytes, tl_csi2_packet *p);
/* The same for who computes the checksum himself, in a faster way, or need not: crc_right then says of a long packet no
 * more than that it is as long as its header says. read_checked also takes the header's ECC as checked: it is OK. */
void tl_csi2_read_header(tl_span bytes, tl_csi2_packet *p);
void tl_csi2_read_checked(tl_span bytes, tl_csi2_packet *p);
/* Writes a whole long packet, or a short one (payload must be empty then, word_count is its data field).
 * For a long packet word_count is taken from payload.n. TL_E_USAGE, TL_E_ROOM. */
tl_err tl_csi2_write(const tl_csi2_header *h, tl_span payload, tl_wr *w) TL_MUST_USE;
/* Sets ECC and CRC-16 of a packet in place to what its bytes need, as an aggregator does that rewrote the header.
 * n is the packet's size, and the word count must say the same. TL_E_USAGE if it does not. */
tl_err tl_csi2_repair(uint8_t *packet, size_t n) TL_MUST_USE;

/* ---- pixels ----
 * Samples are uint16_t, in the low bits. `bits` is 8, 10, 12 or 14 (RAW8 to RAW14). A line's pixel count must be a
 * multiple of the group (1, 4, 2, 4). */

/* Bytes of a packed line; 0 if bits or the pixel count do not fit. */
size_t tl_raw_line_bytes(unsigned bits, size_t pixels);
/* Packs `pixels` samples to tl_raw_line_bytes() bytes; bits above `bits` are ignored. TL_E_USAGE. */
tl_err tl_raw_pack(unsigned bits, const uint16_t *samples, size_t pixels, uint8_t *out) TL_MUST_USE;
/* Unpacks a line of exactly tl_raw_line_bytes() bytes. TL_E_USAGE. */
tl_err tl_raw_unpack(unsigned bits, tl_span line, uint16_t *samples, size_t pixels) TL_MUST_USE;

/* ---- embedded data lines ----
 * Register values in front of or behind the pixels, tagged as SMIA-style sensors do: 0x0A starts the line, 0xAA
 * and 0xA5 set the high and low byte of the register address, 0x5A is a value (the address then counts up), 0x55
 * skips one, 0x07 ends; behind every 4th byte (RAW10) or 2nd byte (RAW12) stands a pad byte 0x55, so that the
 * bytes travel like pixels. RAW8: no pads. */

typedef struct tl_embedded_register {
    uint16_t address;
    uint8_t value;
} tl_embedded_register;

/* Fills a line of exactly n bytes with the registers, in the order given, and 0x07 to its end.
 * bits: 8, 10 or 12. TL_E_USAGE, TL_E_ROOM if they do not fit. */
tl_err tl_embedded_write(unsigned bits, const tl_embedded_register *registers, size_t count, uint8_t *line,
                         size_t n) TL_MUST_USE;
/* Reads the line: at most `room` registers are written, *count says how many. TL_E_WIRE_VALUE for an unknown tag or a
 * wrong pad, TL_E_WIRE_SHORT if the line ends inside, TL_E_ROOM. */
tl_err tl_embedded_read(unsigned bits, tl_span line, tl_embedded_register *registers, size_t room,
                        size_t *count) TL_MUST_USE;

#ifdef __cplusplus
}
#endif

#endif
