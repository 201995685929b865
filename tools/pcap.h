/* Recorded packets: classic pcap files, read one packet at a time. All four magic numbers are taken:
 * microseconds or nanoseconds, either byte order. */
#ifndef TL_TOOLS_PCAP_H
#define TL_TOOLS_PCAP_H

#include "fault.h"

#include <trueline/base.h>

#include <stdio.h>

enum {
    PCAP_PACKET_MAX = 1 << 21, /* bytes of a packet: the longest object of PCIe DOE has half of it */
    PCAP_LINK_MCTP = 291,
    PCAP_LINK_DOE = 292
};

typedef struct pcap {
    uint32_t link; /* LINKTYPE of all packets */
    /* private */
    FILE *in;
    const char *name;
    tl_order order;
    uint32_t fraction_max; /* of a second's fraction, exclusive: 1e6 or 1e9 */
    uint64_t packets, offset;
    uint8_t *buffer;
    size_t room;
} pcap;

typedef struct pcap_packet {
    uint64_t number; /* 1 is the first */
    uint64_t offset; /* of its header in the file; its bytes follow 16 bytes later */
    uint64_t time_ns;
    uint8_t *p; /* lives until the next call */
    size_t n;
} pcap_packet;

/* Reads the file's header. `in` and `name` are the caller's and outlive it. TL_EXIT_LINK: no such file. */
tl_exit pcap_open(pcap *file, FILE *in, const char *name, tl_fault *fault)
    __attribute__((warn_unused_result));
/* The next packet, or *more = false at the file's clean end. TL_EXIT_LINK: cut or broken; packet and
 * offset are named. */
tl_exit pcap_next(pcap *file, pcap_packet *packet, bool *more, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Frees what reading took; `in` stays open. */
void pcap_close(pcap *file);

#endif
