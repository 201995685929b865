/* CSI-2 packets over a stream socket: each as a 32-bit little-endian length and so many bytes. */
#ifndef TL_POSIX_LINK_H
#define TL_POSIX_LINK_H

#include "fault.h"

#include <trueline/stream.h>

enum {
    TL_LINK_PREFIX = 4, /* bytes of the length */
    TL_LINK_PACKET_MIN = TL_CSI2_HEADER_SIZE,
    TL_LINK_BUFFER = 1 << 20,  /* bytes of the one receive buffer */
    TL_LINK_PATIENCE_MS = 5000 /* no accepted byte waits longer than this */
};

/* The receiving end. */
typedef struct tl_link_reader {
    /* private */
    int fd;
    uint8_t *buffer;
    size_t start, end;   /* what stands in the buffer and was not handed out */
    size_t used;         /* bytes of the buffer that ever held something */
    uint64_t heard_ms;   /* when the last packet was complete, or reading began */
    uint64_t partial_ms; /* when the partial packet's first byte came; TL_NEVER: there is none */
    uint64_t packets, bytes;
    bool closed;
} tl_link_reader;

/* What a read found. */
typedef enum tl_link_state {
    TL_LINK_PACKETS = 0, /* at least one packet */
    TL_LINK_QUIET,       /* none until the deadline */
    TL_LINK_CLOSED       /* the peer closed, between two packets */
} tl_link_state;

/* One read: the caller's list goes in, what was found comes out. */
typedef struct tl_link_batch {
    tl_buffer *packets; /* the caller's list, of `room` entries */
    size_t room;
    size_t n; /* written: entries that hold a packet */
    tl_link_state state;
} tl_link_batch;

/* Takes the one allocation of the reader. The descriptor stays the caller's. TL_EXIT_INTERNAL. */
tl_exit tl_link_reader_open(tl_link_reader *link, int fd, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Gives as many complete packets as stand in the buffer, at most batch->room; waits for the first one up to deadline_ms.
 * The packets are views of the buffer, may be changed there, and live until the next call. TL_EXIT_LINK: a length
 * outside 4..TL_CSI2_PACKET_MAX, a packet that is cut or stays incomplete for TL_LINK_PATIENCE_MS, or no packet for
 * so long. */
tl_exit tl_link_read(tl_link_reader *link, uint64_t deadline_ms, tl_link_batch *batch, tl_fault *fault)
    __attribute__((warn_unused_result));
/* True of CSI-2's frame end, as its header says: a claim, for whoever only cuts a stream into frames. */
bool tl_link_ends_frame(const tl_buffer *packet);
/* Wipes and frees the buffer: it may hold decrypted pixels. */
void tl_link_reader_close(tl_link_reader *link);

/* Sends n packets in as few system calls as the system allows. A peer that has not taken all of them after
 * TL_LINK_PATIENCE_MS is a fault. At most TL_LINK_GATHER packets. */
enum { TL_LINK_GATHER = 128 };
tl_exit tl_link_write(int fd, const tl_span *packets, size_t n, tl_fault *fault)
    __attribute__((warn_unused_result));

/* The one thing that a receiver says: it has had enough, and is going on purpose. A length of zero, which no packet
 * has. Without it a peer that is gone was lost. */
tl_exit tl_link_say_enough(int fd, tl_fault *fault) __attribute__((warn_unused_result));
/* Whether the receiver said so. *enough is false while it says nothing. TL_EXIT_LINK if it is gone, or said something
 * else. Never waits. */
tl_exit tl_link_heard_enough(int fd, bool *enough, tl_fault *fault) __attribute__((warn_unused_result));

#endif
