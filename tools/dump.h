/* The whole dump: packets in, lines out; with a file of secrets everything is computed again and compared. */
#ifndef TL_TOOLS_DUMP_H
#define TL_TOOLS_DUMP_H

#include "dump_report.h"
#include "fault.h"
#include "pcap.h"

#include <stdio.h>

/* An open file and its name. */
typedef struct dump_input {
    FILE *file;
    const char *name;
} dump_input;

/* What came of a packet. */
typedef struct dump_seen {
    bool opened;     /* a record, which is in clear in the packet's bytes */
    uint64_t failed; /* lines that say so */
} dump_seen;

/* What watches a dump go by: each packet, when it has been told. */
typedef struct dump_watch {
    void *ctx;
    tl_exit (*packet)(void *ctx, const pcap_packet *packet, dump_seen seen, tl_fault *fault);
    /* Set at the end, NULL: nobody asks. What no packet failed for counts as failed, too. Lost: packets that were not recorded, as
     * the recording says itself. */
    uint64_t *failed, *lost;
} dump_watch;

typedef struct dump_options {
    dump_input recording;
    dump_input keys; /* file NULL: nothing is checked */
    FILE *out;       /* NULL: nothing is told but to the watch, and then no fields are */
    dump_format format;
    bool fields;      /* of messages */
    bool packets;     /* each of CSI-2, with its fields, instead of frames */
    dump_watch watch; /* packet NULL: nobody */
} dump_options;

/* TL_EXIT_OK: all of it verified, or without keys, followed its layout. TL_EXIT_REFUSED: something did
 * not, and was named in `out`. Other codes: the fault says what; what was read until then is in `out`. */
tl_exit dump_run(const dump_options *options, tl_fault *fault) __attribute__((warn_unused_result));

#endif
