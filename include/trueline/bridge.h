/* A bridge between the two carriers of a protected stream, for an aggregator or a deserializer that holds no key: it
 * moves headers and tags and leaves every protected byte as it is, so the tags at its output are those at its input.
 *
 * It verifies nothing. What it drops or puts in a wrong place, the receiver notices. Packets on virtual channels that are
 * not the stream's, and unprotected ones, pass as they are. A packet that no frame asks for gives no packet, or itself.
 *
 * Holding no key, it cannot tell a forged frame from a right one, and gives for both what a frame needs: to FSED a begin gives
 * the metadata packets of a frame's top, which may be longer than it, to SEP a frame gives as many packets as its metadata
 * claims and its lines can fill, never more than the configuration has. Who can add packets to the link in front of a bridge
 * can make it send that much for each begin, or each frame, that he adds. */
#ifndef TRUELINE_BRIDGE_H
#define TRUELINE_BRIDGE_H

#include <trueline/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tl_bridge_way {
    TL_BRIDGE_TO_FSED = 1, /* each message leaves as a plain line at once; tags wait for the frame's end */
    TL_BRIDGE_TO_SEP       /* tags come last, so the frame waits in memory for its frame end */
} tl_bridge_way;

typedef struct tl_bridge_counters {
    uint64_t packets; /* that came in */
    uint64_t frames;  /* whose metadata was written, or read */
    uint64_t lines;   /* converted */
    uint64_t passed;  /* left as they came, but for the virtual channel */
    uint64_t damaged; /* dropped: header not readable, checksum wrong */
    uint64_t refused; /* dropped: none that this stream's frame has at this point */
    uint64_t missing; /* to SEP: messages that a frame's end counts and that did not come */
} tl_bridge_counters;

enum { TL_BRIDGE_BODY_MAX = TL_SEP_HEADER_SIZE + TL_SEP_SERVICE_MAX + TL_SEP_FOOTER_MAX };

typedef struct tl_bridge {
    /* private */
    tl_stream_config config;
    tl_stream_plan plan;
    tl_bridge_way way;
    uint8_t channel_out, state, step;
    uint8_t *memory;
    uint32_t frame, key;               /* of the open frame, as its begin claims them */
    uint32_t sent, next;               /* messages that the end claims; to SEP: the one to give next */
    uint32_t seen;                     /* lines of the open frame */
    uint32_t rows[TL_SEP_PARTS_MAX];   /* to SEP: lines of each data type */
    uint64_t ends[2];                  /* to SEP: bytes of the metadata, top and bottom */
    bool framed;                       /* to SEP: a begin came */
    uint8_t last[TL_CSI2_HEADER_SIZE]; /* to SEP: the frame end */
    tl_span out;                       /* a packet that waits */
    tl_fsed_writer writer;
    uint8_t bytes[TL_CSI2_HEADER_SIZE + TL_BRIDGE_BODY_MAX + TL_CSI2_FOOTER_SIZE];
    tl_bridge_counters counters;
} tl_bridge;

/* Bytes of memory that a bridge needs. To FSED: tags and CRC-32s of a frame, and one metadata packet. To SEP: the whole
 * frame as SEP packets, and its metadata. */
size_t tl_bridge_memory(const tl_stream_config *config, tl_bridge_way way);
/* The stream's configuration, of which carrier and the receiver's own part do not matter; its virtual channel (or those
 * accepted) is the input's, fsed_length the output's metadata packets'. The output goes to channel_out. The memory lives
 * as long as the bridge. TL_E_CONFIGURATION, TL_E_USAGE (way, channel_out), TL_E_ROOM. */
tl_err tl_bridge_init(tl_bridge *bridge, const tl_stream_config *config, tl_bridge_way way,
                      uint8_t channel_out, tl_buffer memory) TL_MUST_USE;
/* Takes a packet, which may be changed in place. What it gives must be fetched before the next one. */
void tl_bridge_packet(tl_bridge *bridge, tl_buffer packet);
/* The next packet to send: a view that lives until the next call, of the bridge or of the packet that was taken. False:
 * there is none. */
bool tl_bridge_next(tl_bridge *bridge, tl_span *packet);
const tl_bridge_counters *tl_bridge_counters_of(const tl_bridge *bridge);

#ifdef __cplusplus
}
#endif

#endif
