/* CSI-2 packets on a D-PHY: header (data identifier, word count, ECC), payload, CRC-16.
 *
 * ECC bit i is the parity of the header bits that parity[i] names, data identifier lowest. A wrong header bit
 * therefore shifts the code by the bit's own code, its syndrome: no two header bits share one, each has three or
 * five ones, and a wrong bit of the code itself has one. Two wrong bits leave an even number of ones, which is
 * nobody's syndrome. The top two bits of the ECC byte belong to the extended virtual channel, which this code does
 * not cover: a header that has them set is refused. */
#include <trueline/csi2.h>

enum { HEADER_BITS = 24, ECC_BITS = 6 };

static const uint32_t parity[ECC_BITS] = { 0xF12CB7, 0xF2555B, 0x749A6D, 0xB8E38E, 0xDF03F0, 0xEFFC00 };

static uint32_t parity_of(uint32_t v)
{
    v ^= v >> 16;
    v ^= v >> 8;
    v ^= v >> 4;
    return 0x6996u >> (v & 15) & 1; /* bit n of 0x6996 is the parity of n */
}

uint8_t tl_csi2_ecc_of(uint32_t header24)
{
    uint32_t ecc = 0;
    for (unsigned i = 0; i < ECC_BITS; i++)
        ecc |= parity_of(header24 & parity[i]) << i;
    return (uint8_t)ecc;
}

static uint32_t header24_of(const tl_csi2_header *h)
{
    return (uint32_t)h->word_count << 8 | (uint32_t)h->virtual_channel << 6 | h->data_type;
}

static tl_csi2_header header_of(uint32_t header24)
{
    return (tl_csi2_header){ .data_type = header24 & 0x3F,
                             .virtual_channel = header24 >> 6 & 3,
                             .word_count = (uint16_t)(header24 >> 8) };
}

static tl_csi2_ecc correct(uint32_t *header24, uint8_t ecc)
{
    const uint8_t syndrome = tl_csi2_ecc_of(*header24) ^ ecc;
    if (syndrome == 0)
        return TL_CSI2_ECC_OK;
    if (syndrome >> ECC_BITS != 0)
        return TL_CSI2_ECC_BAD;
    if ((syndrome & (syndrome - 1)) == 0) /* one bit of the code itself */
        return TL_CSI2_ECC_CORRECTED;
    for (unsigned i = 0; i < HEADER_BITS; i++) {
        if (syndrome == tl_csi2_ecc_of(1u << i)) {
            *header24 ^= 1u << i;
            return TL_CSI2_ECC_CORRECTED;
        }
    }
    return TL_CSI2_ECC_BAD;
}

tl_err tl_csi2_header_write(const tl_csi2_header *h, tl_wr *w)
{
    if (h->data_type > 0x3F || h->virtual_channel >= TL_CSI2_CHANNELS)
        return TL_E_USAGE;
    const uint32_t header24 = header24_of(h);
    tl_put(w, TL_CSI2_HEADER_SIZE, TL_LITTLE, header24 | (uint32_t)tl_csi2_ecc_of(header24) << HEADER_BITS);
    return w->bad ? TL_E_ROOM : TL_OK;
}

tl_csi2_ecc tl_csi2_header_read(const uint8_t bytes[TL_CSI2_HEADER_SIZE], tl_csi2_header *h)
{
    tl_rd r = tl_rd_of(tl_span_of(bytes, TL_CSI2_HEADER_SIZE));
    uint32_t header24 = (uint32_t)tl_get(&r, 3, TL_LITTLE);
    const tl_csi2_ecc ecc = correct(&header24, (uint8_t)tl_get(&r, 1, TL_LITTLE));
    *h = header_of(ecc == TL_CSI2_ECC_BAD ? 0 : header24);
    return ecc;
}

/* All that stands behind the header, whose bytes are taken. */
static void read_rest(tl_rd *r, tl_csi2_packet *p)
{
    if (!tl_csi2_is_short(p->header.data_type)) {
        p->payload = tl_get_bytes(r, p->header.word_count);
        p->crc = (uint16_t)tl_get(r, TL_CSI2_FOOTER_SIZE, TL_LITTLE);
    }
    p->crc_right = tl_rd_end(r);
}

void tl_csi2_read_header(tl_span bytes, tl_csi2_packet *p)
{
    tl_rd r = tl_rd_of(bytes);
    const uint8_t *header = tl_take(&r, TL_CSI2_HEADER_SIZE);

    *p = (tl_csi2_packet){ .ecc = TL_CSI2_ECC_BAD };
    if (header != NULL)
        p->ecc = tl_csi2_header_read(header, &p->header);
    if (p->ecc != TL_CSI2_ECC_BAD)
        read_rest(&r, p);
}

void tl_csi2_read_checked(tl_span bytes, tl_csi2_packet *p)
{
    tl_rd r = tl_rd_of(bytes);
    const uint8_t *header = tl_take(&r, TL_CSI2_HEADER_SIZE);

    *p = (tl_csi2_packet){ .ecc = header != NULL ? TL_CSI2_ECC_OK : TL_CSI2_ECC_BAD };
    if (header == NULL)
        return;
    p->header = header_of((uint32_t)header[0] | (uint32_t)header[1] << 8 | (uint32_t)header[2] << 16);
    read_rest(&r, p);
}

void tl_csi2_read(tl_span bytes, tl_csi2_packet *p)
{
    tl_csi2_read_header(bytes, p);
    if (p->crc_right && !tl_csi2_is_short(p->header.data_type))
        p->crc_right = p->crc == tl_csi2_crc16(TL_CSI2_CRC_START, p->payload);
}

static tl_err write_long(const tl_csi2_header *h, tl_span payload, tl_wr *w)
{
    const size_t size = TL_CSI2_HEADER_SIZE + payload.n + TL_CSI2_FOOTER_SIZE;
    const tl_csi2_header full = { h->virtual_channel, h->data_type, (uint16_t)payload.n };

    /* Room for all of it first: a packet that does not fit leaves no half of itself behind. */
    uint8_t *room = tl_room(w, size);
    if (w->bad)
        return TL_E_ROOM;
    if (room == NULL)
        return TL_OK;
    tl_wr packet = tl_wr_of(room, size);
    TL_TRY(tl_csi2_header_write(&full, &packet));
    tl_put_bytes(&packet, payload);
    tl_put(&packet, TL_CSI2_FOOTER_SIZE, TL_LITTLE, tl_csi2_crc16(TL_CSI2_CRC_START, payload));
    return TL_OK;
}

tl_err tl_csi2_write(const tl_csi2_header *h, tl_span payload, tl_wr *w)
{
    if (h->data_type > 0x3F || h->virtual_channel >= TL_CSI2_CHANNELS)
        return TL_E_USAGE;
    if (!tl_csi2_is_short(h->data_type))
        return payload.n > TL_CSI2_PAYLOAD_MAX ? TL_E_USAGE : write_long(h, payload, w);
    return payload.n > 0 ? TL_E_USAGE : tl_csi2_header_write(h, w);
}

tl_err tl_csi2_repair(uint8_t *packet, size_t n)
{
    tl_rd r = tl_rd_of(tl_span_of(packet, n));
    const tl_csi2_header h = header_of((uint32_t)tl_get(&r, 3, TL_LITTLE));
    (void)tl_take(&r, 1);
    const bool is_short = tl_csi2_is_short(h.data_type);
    const tl_span payload = tl_get_bytes(&r, is_short ? 0 : h.word_count);
    (void)tl_take(&r, is_short ? 0 : TL_CSI2_FOOTER_SIZE);
    if (!tl_rd_end(&r))
        return TL_E_USAGE;

    tl_wr w = tl_wr_of(packet, n);
    TL_TRY(tl_csi2_header_write(&h, &w));
    if (!is_short) {
        (void)tl_room(&w, payload.n);
        tl_put(&w, TL_CSI2_FOOTER_SIZE, TL_LITTLE, tl_csi2_crc16(TL_CSI2_CRC_START, payload));
    }
    return TL_OK;
}
