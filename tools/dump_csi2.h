/* CSI-2 on one interface of a capture: a line for each frame, or for each packet with its fields. What is told is what the
 * bytes say: whether a tag is right is verify's word. */
#ifndef TL_TOOLS_DUMP_CSI2_H
#define TL_TOOLS_DUMP_CSI2_H

#include "dump_report.h"
#include "stream_file.h"

#include <trueline/csi2.h>
#include <trueline/messages.h>

/* Of all interfaces. */
typedef struct dump_csi2_sums {
    uint64_t frames, packets, bytes;
    uint64_t corrected, ecc, crc; /* headers with one wrong bit, with more; checksums that are not right */
    uint64_t cut;                 /* packets that were not recorded whole */
} dump_csi2_sums;

enum { DUMP_CSI2_TYPES = 24 };

/* Packets of one kind: a data type, as the service header says it if there is one. */
typedef struct dump_csi2_type {
    uint8_t type;
    bool inside; /* of a service header */
    uint32_t n;
} dump_csi2_type;

/* What came between two frame starts of a virtual channel. */
typedef struct dump_csi2_frame {
    bool open; /* a frame start began it */
    bool numbered;
    uint32_t number; /* the service header's, or that of the short packets */
    uint64_t first;  /* packet */
    uint64_t offset, time_ns;
    uint64_t packets, bytes, corrected, ecc, crc;
    pcap_direction direction;
    dump_csi2_type types[DUMP_CSI2_TYPES]; /* those that did not fit are counted as packets alone */
    size_t types_n;
} dump_csi2_frame;

typedef struct dump_csi2 {
    /* private */
    const tl_crypto *crypto;
    dump_report *report;
    dump_csi2_sums *sums;
    bool known; /* the stream is known from the interface's comment */
    stream_file file;
    dump_csi2_frame frames[TL_CSI2_CHANNELS];
    unsigned channel; /* of the last packet that had one */
} dump_csi2;

/* The caller's to free. NULL without memory. What is handed in outlives it. */
dump_csi2 *dump_csi2_new(const pcap_interface *from, const tl_crypto *crypto, dump_report *report,
                         dump_csi2_sums *sums);
void dump_csi2_packet(dump_csi2 *d, const pcap_packet *packet, dump_line *line);
/* What is open when the capture ends. */
void dump_csi2_end(dump_csi2 *d);
void dump_csi2_sum(const dump_csi2_sums *sums, const dump_report *report);

/* ---- dump_packet.c ---- */

/* A packet's own line, with its fields. */
void dump_csi2_tell(const dump_csi2 *d, const tl_csi2_packet *packet, dump_line *line);
/* The service header of a packet; false: it has none. */
bool dump_csi2_service(const tl_csi2_packet *packet, tl_sep_header *h, tl_rd *behind);

#endif
