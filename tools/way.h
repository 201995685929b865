/* Ways that packets take out of a sensor and into a controller: a connected socket, UDP, or a ring in shared memory. */
#ifndef TL_TOOLS_WAY_H
#define TL_TOOLS_WAY_H

#include "link.h"
#include "net.h"
#include "ring.h"
#include "tap.h"
#include "udp.h"

typedef enum way_kind { WAY_SOCKET = 0, WAY_UDP, WAY_RING } way_kind;

typedef struct way_out {
    way_kind kind;
    int fd; /* the caller's (SOCKET), or ours */
    tl_ring ring;
    tap *tap;         /* hears every packet; NULL: none */
    uint64_t unheard; /* UDP: how often the system said that nobody listens */
} way_out;

/* A connected socket of the caller's. */
way_out way_out_of_socket(int fd);
/* "udp:HOST:PORT" or "ring:PATH", dialled until deadline_ms; `name` is how it is told. TL_EXIT_USAGE: it is neither. */
tl_exit way_out_open(way_out *out, const char *text, uint64_t deadline_ms, tl_net_name *name, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Sends n packets, at most TL_LINK_GATHER, and waits at most TL_LINK_PATIENCE_MS for a peer that does not take them. */
tl_exit way_out_write(way_out *out, const tl_span *packets, size_t n, tl_fault *fault)
    __attribute__((warn_unused_result));
/* A ring's consumer has said that it has enough. */
bool way_out_is_over(const way_out *out);
/* Closes what way_out_open opened. */
void way_out_close(way_out *out);

/* One-way links in: nothing can be answered on them. */
typedef struct way_in {
    way_kind kind; /* UDP or RING */
    int fd;        /* UDP's socket, or the ring's listener until its producer came */
    tl_udp_reader udp;
    tl_ring ring;
    tl_buffer memory;
    char path[108]; /* of the ring's socket, to be removed */
} way_in;

/* "udp:HOST:PORT", where a port of 0 takes a free one, or "ring:PATH". `name` says where packets are expected. */
tl_exit way_in_open(way_in *in, const char *text, tl_net_name *name, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Waits for a ring's producer, or UDP's first packet, until the deadline. TL_EXIT_LINK: none came. */
tl_exit way_in_meet(way_in *in, uint64_t deadline_ms, tl_fault *fault) __attribute__((warn_unused_result));
/* As tl_link_read. */
tl_exit way_in_read(way_in *in, uint64_t deadline_ms, tl_link_batch *batch, tl_fault *fault)
    __attribute__((warn_unused_result));
uint64_t way_in_bytes(const way_in *in);
void way_in_close(way_in *in);

#endif
