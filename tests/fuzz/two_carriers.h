/* What the fuzz targets of FSED and of the bridge start from: one frame, recorded under the same key with either carrier,
 * and receivers that wait for it. */
#ifndef TL_FUZZ_TWO_CARRIERS_H
#define TL_FUZZ_TWO_CARRIERS_H

#include "edits.h"

#include <trueline/messages.h>
#include <trueline/openssl.h>

enum { FRAME = 100, LINES = 9, BYTES = 3 * 8 + 6 * 21, PACKETS_MAX = 48, META_LENGTH = 64 };

typedef struct recorded {
    tl_stream_config config; /* carrier and release aside */
    tl_buffer packets[2][PACKETS_MAX];
    size_t n[2];
    tl_stream_rx rx[2]; /* by carrier */
    uint8_t memory[BYTES];
} recorded;

static uint8_t sent_bytes[BYTES];

/* The payload of a message, as it was sent. */
static inline const uint8_t *line_of(uint8_t data_type, uint32_t message)
{
    if (data_type == TL_DT_EMBEDDED)
        return message < 2 ? sent_bytes + message * 8 : sent_bytes + 16 + 6 * 21;
    return sent_bytes + 16 + message * 21;
}

static inline void record_edge(recorded *r, unsigned carrier, tl_tx_edge *edge)
{
    tl_span packet;

    while (tl_tx_edge_next(edge, &packet)) {
        expect(r->n[carrier] < PACKETS_MAX);
        r->packets[carrier][r->n[carrier]++] = copy_of(packet.p, packet.n);
    }
}

static inline void record_frame(recorded *r, unsigned carrier, tl_stream_tx *tx)
{
    static uint8_t metadata[LINES * 20 + META_LENGTH + 6];
    uint8_t buffer[32 + TL_SEP_OVERHEAD_MAX];
    tl_tx_edge edge;

    if (carrier == TL_CARRIER_FSED)
        expect(tl_stream_tx_metadata(tx, (tl_buffer){ metadata, sizeof metadata }) == TL_OK);
    expect(tl_stream_tx_begin(tx, 1, &edge) == TL_OK);
    record_edge(r, carrier, &edge);
    for (unsigned part = 0; part < 3; part++)
        for (uint16_t row = 0; row < r->config.parts[part].count; row++) {
            const tl_stream_part *p = &r->config.parts[part];
            tl_tx_message m = { p->data_type, p->length, buffer, sizeof buffer, { NULL, 0 } };
            memcpy(buffer + TL_SEP_BEFORE, line_of(p->data_type, part == 2 ? 2u + row : row), p->length);
            expect(tl_stream_tx_messages(tx, &m, 1) == TL_OK);
            r->packets[carrier][r->n[carrier]++] = copy_of(m.packet.p, m.packet.n);
        }
    expect(tl_stream_tx_end(tx, &edge) == TL_OK);
    record_edge(r, carrier, &edge);
}

static inline void record_carrier(recorded *r, unsigned carrier, const tl_crypto *crypto)
{
    static const uint8_t secret[16] = { 1 }, fresh[TL_FRESH_SIZE] = { 2 };
    const tl_provisioned from = { tl_span_of(secret, sizeof secret), fresh, fresh, 7,
                                  TL_SENSOR_TO_CONTROLLER };
    tl_stream_config c = r->config;
    tl_key_source source;
    static tl_stream_tx tx;

    c.carrier = (tl_carrier)carrier;
    c.fsed_length = carrier == TL_CARRIER_FSED ? META_LENGTH : 0;
    expect(tl_key_source_provisioned(&source, crypto, &from) == TL_OK);
    expect(tl_stream_tx_init(&tx, &c, &source, 0) == TL_OK);
    record_frame(r, carrier, &tx);
    tl_stream_tx_wipe(&tx);
    expect(tl_key_source_provisioned(&source, crypto, &from) == TL_OK);
    expect(tl_stream_rx_init(&r->rx[carrier], &c, &source, 0, (tl_buffer){ r->memory, sizeof r->memory },
                             (tl_stream_sink){ NULL, NULL }) == TL_OK);
}

/* Both carriers; the mode is 0 to 2: a tag per message, per data type, per frame. */
static inline void record(recorded *r, unsigned mode)
{
    tl_openssl *backend;

    *r = (recorded){ 0 };
    r->config = (tl_stream_config){
        .stream = 7,
        .suite = mode == 2 ? TL_SUITE_AES128_CMAC : TL_SUITE_AES128_GMAC,
        .tag_mode = (tl_tag_mode)(TL_TAG_PER_MESSAGE + mode),
        .tag_size = 12,
        .crc32 = mode == 1 ? TL_WITHOUT : TL_WITH,
        .variant = { 0, TL_SV_2, TL_SV_1, TL_SV_2 },
        .first_frame = FRAME,
        .parts = { { TL_BLOCK_TOP, TL_DT_EMBEDDED, 2, 8 },
                   { TL_BLOCK_MIDDLE, TL_DT_RAW12, 6, 21 },
                   { TL_BLOCK_BOTTOM, TL_DT_EMBEDDED, 1, 8 } },
        .part_count = 3,
        .frame_timeout_ms = 100,
    };
    for (size_t i = 0; i < BYTES; i++)
        sent_bytes[i] = (uint8_t)(i * 151 + 7);
    expect(tl_openssl_open(NULL, &backend) == TL_OK);
    for (unsigned carrier = 0; carrier < 2; carrier++)
        record_carrier(r, carrier, tl_openssl_crypto(backend));
}

#endif
