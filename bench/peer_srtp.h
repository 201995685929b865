/* Secure RTP by libsrtp2: AES-128-GCM over packets of the same payload. */
#ifndef TL_BENCH_PEER_SRTP_H
#define TL_BENCH_PEER_SRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct peer_srtp {
    const char *name; /* with the library that does its work */
    void *session;
    uint8_t *memory;
    size_t slot, payload_n;
    unsigned n; /* packets that are protected in one run */
    uint16_t sequence;
    bool failed;
} peer_srtp;

/* false: no memory, or the library fails. */
bool peer_srtp_open(peer_srtp *p, size_t payload_n, unsigned n);
void peer_srtp_protect(void *peer);
/* Protects a packet and takes it apart again: is it the same? */
bool peer_srtp_works(peer_srtp *p);
void peer_srtp_close(peer_srtp *p);

#endif
