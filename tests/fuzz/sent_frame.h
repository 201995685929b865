/* The frame that fuzz targets of the image path record and edit: what it carries, the stream that it is of, and its packets
 * as a sender makes them under a fixed key. */
#ifndef TL_FUZZ_SENT_FRAME_H
#define TL_FUZZ_SENT_FRAME_H

#include "edits.h"

enum { FRAME = 100, LINES = 9, BYTES = 3 * 8 + 6 * 21, PACKETS_MAX = 48 };

static uint8_t sent_bytes[BYTES];

/* The payload of a message, as it was sent. */
static inline const uint8_t *line_of(uint8_t data_type, uint32_t message)
{
    if (data_type == TL_DT_EMBEDDED)
        return message < 2 ? sent_bytes + message * 8 : sent_bytes + 16 + 6 * 21;
    return sent_bytes + 16 + message * 21;
}

/* Tags for messages, a CRC-32, carrier SEP; targets change what they are about. */
static const tl_stream_config sent_config = {
    .stream = 7,
    .suite = TL_SUITE_AES128_GMAC,
    .tag_mode = TL_TAG_PER_MESSAGE,
    .tag_size = 12,
    .crc32 = TL_WITH,
    .variant = { 0, TL_SV_2, TL_SV_1, TL_SV_2 },
    .first_frame = FRAME,
    .parts = { { TL_BLOCK_TOP, TL_DT_EMBEDDED, 2, 8 },
               { TL_BLOCK_MIDDLE, TL_DT_RAW12, 6, 21 },
               { TL_BLOCK_BOTTOM, TL_DT_EMBEDDED, 1, 8 } },
    .part_count = 3,
    .frame_timeout_ms = 100,
};

static inline void sent_source(tl_key_source *source, const tl_crypto *crypto)
{
    static const uint8_t secret[16] = { 1 }, fresh[TL_FRESH_SIZE] = { 2 };
    const tl_provisioned from = { tl_span_of(secret, sizeof secret), fresh, fresh, 7,
                                  TL_SENSOR_TO_CONTROLLER };

    expect(tl_key_source_provisioned(source, crypto, &from) == TL_OK);
}

typedef struct sent_packets {
    tl_buffer v[PACKETS_MAX];
    size_t n;
} sent_packets;

static inline void sent_add(sent_packets *out, tl_span packet)
{
    expect(out->n < PACKETS_MAX);
    out->v[out->n++] = copy_of(packet.p, packet.n);
}

static inline void sent_edge(sent_packets *out, tl_tx_edge *edge)
{
    tl_span packet;

    while (tl_tx_edge_next(edge, &packet))
        sent_add(out, packet);
}

/* The whole frame. */
static inline void sent_frame(sent_packets *out, tl_stream_tx *tx)
{
    uint8_t buffer[32 + TL_SEP_OVERHEAD_MAX];
    tl_tx_edge edge;

    for (size_t i = 0; i < BYTES; i++)
        sent_bytes[i] = (uint8_t)(i * 151 + 7);
    expect(tl_stream_tx_begin(tx, 1, &edge) == TL_OK);
    sent_edge(out, &edge);
    for (unsigned part = 0; part < sent_config.part_count; part++)
        for (uint16_t row = 0; row < sent_config.parts[part].count; row++) {
            const tl_stream_part *p = &sent_config.parts[part];
            tl_tx_message m = { p->data_type, p->length, buffer, sizeof buffer, { NULL, 0 } };
            memcpy(buffer + TL_SEP_BEFORE, line_of(p->data_type, part == 2 ? 2u + row : row), p->length);
            expect(tl_stream_tx_messages(tx, &m, 1) == TL_OK);
            sent_add(out, m.packet);
        }
    expect(tl_stream_tx_end(tx, &edge) == TL_OK);
    sent_edge(out, &edge);
}

#endif
