/* Captures, read one packet at a time: classic pcap and pcapng, in either byte order. No more of a file is in memory than
 * the block at hand. */
#ifndef TL_TOOLS_PCAP_H
#define TL_TOOLS_PCAP_H

#include "pcap_window.h"

enum {
    PCAP_PACKET_MAX = 1 << 21, /* bytes of a packet: the longest object of PCIe DOE has half of it */
    PCAP_INTERFACES_MAX = 65536,
    PCAP_LINK_CSI2 = 147,     /* USER0: CSI-2 packets, from header to checksum */
    PCAP_LINK_SPDM_TCP = 148, /* USER1: messages of DSP0287 with their header */
    PCAP_LINK_MCTP = 291,
    PCAP_LINK_DOE = 292
};

typedef struct pcap_interface {
    uint32_t index; /* in the file; those of later sections count on */
    uint32_t link;  /* LINKTYPE */
    char *name;     /* "" if the file has none, as the comment; both are the file's words, any bytes but 0 */
    char *comment;  /* comments in lines, if there are several */
    uint32_t section; /* its section's: a number that later sections' interfaces have not */
    uint64_t lost;    /* packets that its writer says it did not record, as far as the file was read */
    /* private */
    uint32_t longest;   /* bytes kept of a packet; 0: all */
    uint8_t resolution; /* of times, as if_tsresol writes it */
    uint64_t since_s;   /* added to times */
} pcap_interface;

/* Packets that are missing: a file may claim any number, and no sum of them goes beyond the largest integer of JSON. */
#define PCAP_LOST_MAX ((uint64_t)INT64_MAX)
uint64_t pcap_lost_sum(uint64_t a, uint64_t b);

typedef enum pcap_direction { PCAP_NOT_SAID = 0, PCAP_INBOUND, PCAP_OUTBOUND } pcap_direction;

typedef struct pcap_packet {
    uint64_t number;   /* 1 is the first */
    uint64_t offset;   /* of its header or block in the file */
    uint64_t bytes_at; /* of its bytes in the file */
    uint64_t time_ns;  /* 0 where the file has no time: simple packet blocks */
    const pcap_interface *from;
    pcap_direction direction;
    tl_span comment; /* its first one; lives as long as its bytes, and is not ended by a 0 */
    uint8_t *p;      /* may be changed; lives until the next call */
    size_t n;
    uint64_t lost; /* packets of its interface that were not recorded between the one before and this */
    size_t wire_n; /* as long as it was on the wire; more than n: it was not recorded whole */
} pcap_packet;

/* A block of decryption secrets: `type` is the code of what they are. Called when the block is met. */
typedef void pcap_on_secrets(void *context, uint32_t type, tl_span secrets);

typedef struct pcap {
    uint64_t packets;
    bool ng;
    tl_order order; /* of the file, or of the section at hand */
    /* Set after pcap_open, before the first packet, by whoever wants secrets. */
    pcap_on_secrets *on_secrets;
    void *context;
    /* private */
    pcap_window window;
    uint32_t fraction_max;       /* classic: of a second's fraction, exclusive: 1e6 or 1e9 */
    pcap_interface **interfaces; /* of all sections */
    uint32_t interface_n, interface_room;
    uint32_t section_first; /* the section's interface 0 among them */
    uint32_t sections;
} pcap;

/* Opens a capture to be read here; NULL with errno. It has no buffer beside the reader's, which is wiped: a capture may hold
 * secrets. */
FILE *pcap_file(const char *path);
/* Reads the file's header, or the first section's. `in` and `name` are the caller's and outlive it. TL_EXIT_LINK: no such
 * file. */
tl_exit pcap_open(pcap *file, FILE *in, const char *name, tl_fault *fault)
    __attribute__((warn_unused_result));
/* The next packet, or *more = false at the file's clean end. TL_EXIT_LINK: cut or broken; packet and offset are named, and
 * there is no going on. */
tl_exit pcap_next(pcap *file, pcap_packet *packet, bool *more, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Frees what reading took, interfaces too; `in` stays open. */
void pcap_close(pcap *file);
/* Packets that the capture says it lacks, as far as it was read. */
uint64_t pcap_lost(const pcap *file);

/* What stands behind `key` and '=' in a line of its own in the interface's comment; NULL: no such line. */
const char *pcap_comment_value(const pcap_interface *from, const char *key, size_t *n);
/* Does exactly this value stand there? */
bool pcap_comment_says(const pcap_interface *from, const char *key, const char *value);

/* ---- what pcapng.c reads and recording.c writes ---- */

enum {
    PCAPNG_SECTION = 0x0A0D0D0A, /* blocks */
    PCAPNG_INTERFACE = 1,
    PCAPNG_PACKET = 2,
    PCAPNG_SIMPLE = 3,
    PCAPNG_STATISTICS = 5,
    PCAPNG_ENHANCED = 6,
    PCAPNG_SECRETS = 10,
    PCAPNG_ORDER_MAGIC = 0x1A2B3C4D,
    PCAPNG_OPTION_END = 0, /* options */
    PCAPNG_OPTION_COMMENT = 1,
    PCAPNG_OPTION_NAME = 2,        /* of an interface */
    PCAPNG_OPTION_FLAGS = 2,       /* of a packet */
    PCAPNG_OPTION_APPLICATION = 4, /* of a section */
    PCAPNG_OPTION_LOST_BEFORE = 4, /* of a packet: epb_dropcount */
    PCAPNG_OPTION_RECEIVED = 4,    /* of statistics: isb_ifrecv */
    PCAPNG_OPTION_DROPPED = 5,     /* isb_ifdrop */
    PCAPNG_OPTION_RESOLUTION = 9,  /* of an interface's times */
    PCAPNG_OPTION_TIME_OFFSET = 14
};

/* ---- pcapng.c, for pcap.c ---- */

/* The section header that is next, whose first 4 bytes were seen. */
tl_exit pcapng_section(pcap *file, tl_fault *fault) __attribute__((warn_unused_result));
/* pcap_next for pcapng. */
tl_exit pcapng_next(pcap *file, pcap_packet *packet, bool *more, tl_fault *fault)
    __attribute__((warn_unused_result));
/* One more interface, or NULL without memory. */
pcap_interface *pcap_interface_add(pcap *file, uint32_t link);
/* The packet that would be next is broken at `offset`. */
tl_exit pcap_broken(const pcap *file, uint64_t offset, const char *why, tl_fault *fault)
    __attribute__((warn_unused_result));

#endif
