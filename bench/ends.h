/* Both ends of a stream in memory: frames of equal lines, made into packets where they lie, and received. */
#ifndef TL_BENCH_ENDS_H
#define TL_BENCH_ENDS_H

#include "bench.h"

#include <trueline/stream.h>

/* What is sent. */
typedef struct ends_shape {
    tl_suite suite;
    tl_variant variant; /* of the lines */
    tl_presence crc32;
    tl_hop_check hop_check;
    uint8_t data_type;
    uint16_t lines, line_bytes;
    unsigned frames; /* that memory holds */
    bool huge;       /* memory on huge pages */
} ends_shape;

/* A frame's packets lie one behind the other, each at a multiple of 64 bytes; the frames too. */
typedef struct ends {
    const bench *b;
    ends_shape shape;
    tl_stream_config config;
    tl_stream_tx tx;
    tl_stream_rx rx;
    tl_tx_message *messages;
    tl_tx_edge edge;
    uint8_t *memory;    /* of all packets */
    tl_buffer *packets; /* of all frames: begin, lines, end of each */
    tl_buffer released; /* where the receiver puts pixels */
    size_t slot, memory_n;
    unsigned next; /* frame of the memory that is received next */
    uint64_t frames_ok;
    bool sending, receiving, failed;
} ends;

/* false: no memory, or a call failed. */
bool ends_open(ends *l, const bench *b, const ends_shape *shape);
void ends_close(ends *l);
/* Makes frame i of the memory. */
void ends_send(ends *l, unsigned i);
/* A receiver that expects the first frame of the memory. */
void ends_rewind(ends *l);
/* Receives the next frame of the memory. One that is not ok is a failure. */
void ends_receive(ends *l);
/* Packets of a frame. */
unsigned ends_packets(const ends *l);
double ends_payload(const ends *l);

#endif
