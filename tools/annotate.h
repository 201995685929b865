/* A recording made ready for Wireshark: link types that every version of it takes, records of SPDM opened with their keys, and
 * what verification says of each packet as its comment. wireshark/ has the dissectors. */
#ifndef TL_TOOLS_ANNOTATE_H
#define TL_TOOLS_ANNOTATE_H

#include "fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Link types of the result: users' ones, since not all versions know the registered. */
typedef struct annotate_link {
    const char *name;
    uint32_t link, plain, opened; /* of a recording; of the result; there of what was opened, 0: never */
} annotate_link;

enum { ANNOTATE_LINKS = 4 };
extern const annotate_link annotate_links[ANNOTATE_LINKS];

typedef struct annotate_options {
    const char *recording, *result;
    const char *
        keys; /* a file of secrets, or a capture that has them; NULL: those in the recording, if there are any */
} annotate_options;

typedef struct annotate_sums {
    uint64_t packets, opened; /* opened: records */
    uint64_t verified,
        refused; /* packets of streams with a verdict; of SPDM, refused are those where a check failed */
    uint64_t
        lost;  /* that were not recorded, as the recording says itself: what comes of them is no refusal */
    bool left; /* secrets that nothing was compared with, at the recording's end */
} annotate_sums;

/* Writes the result, which is there complete or not at all, and is for its owner's eyes (mode 0600): what was secret stands in
 * it in clear. TL_EXIT_REFUSED: something does not verify; the result is there and tells. TL_EXIT_LINK: the recording;
 * TL_EXIT_USAGE: the keys; TL_EXIT_INTERNAL: the result cannot be written. */
tl_exit annotate_run(const annotate_options *options, annotate_sums *sums, tl_fault *fault)
    __attribute__((warn_unused_result));

#endif
