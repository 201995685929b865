/* A ring in shared memory between two processes of one machine, for CSI-2 packets: one producer, one consumer, fixed size.
 *
 * Each record is a 32-bit length and so many bytes, in one piece for the consumer also where the ring begins again, since
 * its data is mapped twice in a row. A socket between the two carries the memory's descriptor, wake-ups and, by
 * its end, the peer's: there is no name in shared memory to be guessed, and nobody waits busily.
 *
 * Each end takes what the other one writes for untrusted: indices and lengths are read once and checked against what
 * this end keeps to itself, and the memory is sealed, so that it cannot be cut under a mapping. What no check can see is a
 * peer that changes bytes while they are verified, or after. So reading copies a packet out before anybody looks at it
 * (TL_RING_COPY, the default); TL_RING_IN_PLACE gives views of the shared memory, for a producer that is trusted not to
 * rewrite what it has handed over. With it a right tag says that the bytes were right when they were verified; decrypted
 * pixels can be seen, and changed, by the producer. */
#ifndef TL_POSIX_RING_H
#define TL_POSIX_RING_H

#include "link.h"

enum {
    TL_RING_MIN = 1 << 18, /* bytes of data: powers of two */
    TL_RING_DEFAULT = 1 << 22,
    TL_RING_MAX = 1 << 30,
    TL_RING_COPIES = 1 << 20 /* bytes that one read in mode TL_RING_COPY copies at most */
};

typedef enum tl_ring_role { TL_RING_PRODUCER = 1, TL_RING_CONSUMER } tl_ring_role;
typedef enum tl_ring_mode { TL_RING_COPY = 0, TL_RING_IN_PLACE } tl_ring_mode;

/* One end. */
typedef struct tl_ring {
    /* private */
    struct tl_ring_shared *shared; /* the memory's first page */
    uint8_t *data;                 /* size bytes, and the same ones again */
    size_t size;
    uint64_t own;    /* bytes that this end has produced or consumed; what the peer sees is a copy */
    uint64_t theirs; /* the peer's number when it was read last, checked */
    uint64_t handed; /* consumer: up to here packets are with the caller */
    uint8_t *copies; /* consumer in mode TL_RING_COPY */
    size_t copied;   /* bytes of copies that ever held something */
    int socket;
    tl_ring_role role;
    tl_ring_mode mode;
    uint64_t heard_ms; /* consumer: when the last packet came */
    uint64_t packets, bytes, waits;
} tl_ring;

/* ---- meeting ----
 * The consumer listens on a path and makes the memory; the producer dials. Both must be of the same user. */

/* Listens; the socket's file is the user's alone (0600). TL_EXIT_USAGE: something else is there already; a socket that
 * nobody listens on is replaced. */
tl_exit tl_ring_listen(const char *path, int *listener, tl_fault *fault) __attribute__((warn_unused_result));
/* Waits for a producer, up to the deadline: *socket is -1 when none came. */
tl_exit tl_ring_accept(int listener, uint64_t deadline_ms, int *socket, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Dials, and dials again while nobody listens, until the deadline. TL_EXIT_USAGE: nobody ever can, at such a path. */
tl_exit tl_ring_dial(const char *path, uint64_t deadline_ms, int *socket, tl_fault *fault)
    __attribute__((warn_unused_result));

/* ---- either end ---- */

/* The consumer's end: makes `size` bytes of shared memory and sends the descriptor over the socket, an end of a connected
 * SOCK_STREAM pair of AF_UNIX, which is the ring's from now on, whatever comes of it. TL_EXIT_USAGE: no such size. */
tl_exit tl_ring_offer(tl_ring *ring, int socket, size_t size, tl_ring_mode mode, tl_fault *fault)
    __attribute__((warn_unused_result));
/* The producer's: waits for the descriptor. TL_EXIT_PEER: what came is no ring, or could be cut under the mapping. */
tl_exit tl_ring_join(tl_ring *ring, int socket, uint64_t deadline_ms, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Says that this end is done, which one that dies does not, and wipes what it held in private. For a ring that was opened, or
 * failed to. */
void tl_ring_close(tl_ring *ring);
/* Whether the peer says that it has closed, or will: of a producer that its stream is over, of a consumer that it has enough. */
bool tl_ring_peer_is_done(const tl_ring *ring);

/* ---- producer ---- */

/* Writes as many of the n packets as there is room for now, in order, and never waits. TL_EXIT_LINK: the consumer is gone, or
 * its index is garbage. TL_EXIT_INTERNAL: a packet outside 4..TL_CSI2_PACKET_MAX bytes. */
tl_exit tl_ring_try_write(tl_ring *ring, const tl_span *packets, size_t n, size_t *written, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Writes all of them, and waits for room until the deadline: TL_EXIT_LINK then, some may have been written. */
tl_exit tl_ring_write(tl_ring *ring, const tl_span *packets, size_t n, uint64_t deadline_ms, tl_fault *fault)
    __attribute__((warn_unused_result));

/* ---- consumer ---- */

/* As tl_link_read: up to batch->room packets, waiting for the first until deadline_ms; they may be changed, and live until
 * the next call, which gives their room back. CLOSED: the producer is done. TL_EXIT_LINK: it is gone without a word,
 * an index or a length is garbage, or it said nothing for TL_LINK_PATIENCE_MS. What came before is handed out first. */
tl_exit tl_ring_read(tl_ring *ring, uint64_t deadline_ms, tl_link_batch *batch, tl_fault *fault)
    __attribute__((warn_unused_result));

#endif
