/* What the fuzz targets of FSED and of the bridge start from: one frame, recorded under the same key with either carrier,
 * and receivers that wait for it. */
#ifndef TL_FUZZ_TWO_CARRIERS_H
#define TL_FUZZ_TWO_CARRIERS_H

#include "sent_frame.h"

#include <trueline/messages.h>
#include <trueline/openssl.h>

enum { META_LENGTH = 64 };

typedef struct recorded {
    tl_stream_config config; /* carrier and release aside */
    sent_packets sent[2];    /* by carrier */
    tl_stream_rx rx[2];
    uint8_t memory[BYTES];
} recorded;

static inline void record_carrier(recorded *r, unsigned carrier, const tl_crypto *crypto)
{
    static uint8_t metadata[LINES * 20 + META_LENGTH + 6];
    static tl_stream_tx tx;
    tl_stream_config c = r->config;
    tl_key_source source;

    c.carrier = (tl_carrier)carrier;
    c.fsed_length = carrier == TL_CARRIER_FSED ? META_LENGTH : 0;
    sent_source(&source, crypto);
    expect(tl_stream_tx_init(&tx, &c, &source, 0) == TL_OK);
    if (carrier == TL_CARRIER_FSED)
        expect(tl_stream_tx_metadata(&tx, (tl_buffer){ metadata, sizeof metadata }) == TL_OK);
    sent_frame(&r->sent[carrier], &tx);
    tl_stream_tx_wipe(&tx);
    sent_source(&source, crypto);
    expect(tl_stream_rx_init(&r->rx[carrier], &c, &source, 0, (tl_buffer){ r->memory, sizeof r->memory },
                             (tl_stream_sink){ NULL, NULL }) == TL_OK);
}

/* Both carriers; the mode is 0 to 2: a tag per message, per data type, per frame. */
static inline void record(recorded *r, unsigned mode)
{
    tl_openssl *backend;

    *r = (recorded){ .config = sent_config };
    r->config.suite = mode == 2 ? TL_SUITE_AES128_CMAC : TL_SUITE_AES128_GMAC;
    r->config.tag_mode = (tl_tag_mode)(TL_TAG_PER_MESSAGE + mode);
    r->config.crc32 = mode == 1 ? TL_WITHOUT : TL_WITH;
    expect(tl_openssl_open(NULL, &backend) == TL_OK);
    for (unsigned carrier = 0; carrier < 2; carrier++)
        record_carrier(r, carrier, tl_openssl_crypto(backend));
}

#endif
