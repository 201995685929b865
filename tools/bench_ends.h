/* Both ends of a stream in memory: frames of equal lines, made into packets where they lie, and received. */
#ifndef TL_TOOLS_BENCH_ENDS_H
#define TL_TOOLS_BENCH_ENDS_H

#include <trueline/stream.h>

/* What is sent. */
typedef struct bench_ends_shape {
    tl_suite suite;
    tl_variant variant; /* of the lines */
    tl_pattern pattern; /* of SV-3 and SV-4 */
    tl_tag_mode tag_mode;
    tl_carrier carrier; /* FSED: memory holds one frame, as a receiver in hardware leaves it there */
    tl_presence crc32;
    tl_hop_check hop_check;
    uint8_t data_type;
    uint16_t lines, line_bytes;
    unsigned frames; /* that memory holds */
    bool huge;       /* memory on huge pages */
    bool
        in_place; /* the receiver leaves pixels where they are; else it copies them when they have verified */
    uint16_t stream; /* 0: 1 */
} bench_ends_shape;

/* A frame's packets lie one behind the other, each at a multiple of 64 bytes; the frames too. */
typedef struct bench_ends {
    const tl_crypto *crypto;
    bench_ends_shape shape;
    tl_stream_config config;
    tl_stream_tx tx;
    tl_stream_rx rx;
    tl_tx_message *messages;
    tl_tx_edge edge;
    uint8_t *memory;          /* of all packets */
    tl_buffer *packets;       /* of all frames: begin, lines, end of each */
    tl_buffer released;       /* where the receiver puts pixels */
    tl_span *rows;            /* where it says that they are */
    tl_buffer tags, metadata; /* FSED: of the sender; the payloads of the metadata packets, row by row */
    size_t row_bytes;         /* of a row of metadata */
    unsigned metadata_rows;   /* of the frame */
    size_t slot, memory_n;
    unsigned next; /* frame of the memory that is received next */
    uint64_t frames_ok;
    bool sending, receiving, failed;
} bench_ends;

/* false: no memory, or a call failed. */
bool bench_ends_open(bench_ends *l, const tl_crypto *crypto, const bench_ends_shape *shape);
void bench_ends_close(bench_ends *l);
/* Makes frame i of the memory. */
void bench_ends_send(bench_ends *l, unsigned i);
/* A receiver that expects the first frame of the memory. */
void bench_ends_rewind(bench_ends *l);
/* Receives the next frame of the memory. One that is not ok is a failure: `failed` stays set. */
void bench_ends_receive(bench_ends *l);
/* Packets of a frame. */
unsigned bench_ends_packets(const bench_ends *l);

#endif
