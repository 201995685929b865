/* What the receivers of a recording's streams say of its packets: each stream whose configuration and secrets are known is
 * verified again. */
#ifndef TL_TOOLS_ANNOTATE_STREAMS_H
#define TL_TOOLS_ANNOTATE_STREAMS_H

#include "fault.h"

#include <trueline/stream.h>

#include <stdio.h>

/* Of a packet: the verdict of its message, and of the frame that it completed, or gave up. */
typedef struct annotate_note {
    bool message_known, frame_known;
    uint8_t message, frame; /* tl_verdict */
    uint32_t number;        /* of the frame */
} annotate_note;

typedef struct annotate_streams {
    /* private */
    annotate_note *notes; /* by the packets' numbers */
    size_t n;
    bool no_memory;
} annotate_streams;

/* Lines of secrets, read once to their end, and what they are called. */
typedef struct annotate_secrets {
    FILE *file; /* NULL: there are none */
    const char *name;
} annotate_secrets;

/* A stream of which no secret is known has no notes. */
tl_exit annotate_streams_read(annotate_streams *streams, const char *path, annotate_secrets secrets,
                              tl_fault *fault) __attribute__((warn_unused_result));
/* NULL: nothing is said of this packet. */
const annotate_note *annotate_streams_note(const annotate_streams *streams, uint64_t packet);
void annotate_streams_close(annotate_streams *streams);

#endif
