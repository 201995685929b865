/* Frames of a recording as pictures, video or bytes. */
#ifndef TL_TOOLS_EXPORT_H
#define TL_TOOLS_EXPORT_H

#include "frame_out.h"
#include "tape.h"

typedef struct export_options {
    tape_options tape;
    frame_out_options out;
    const char *raw;      /* a file: the packed lines of pixels, frame behind frame; NULL: none */
    uint32_t first, last; /* numbers of the frames that are wanted */
    bool unverified;      /* what is in clear, without keys, by what headers claim */
} export_options;

typedef struct export_counts {
    uint64_t written, refused;
} export_counts;

/* Writes the frames that verify, or with `unverified` those that are there. TL_EXIT_REFUSED: one of the recording did not verify;
 * those that did are written. TL_EXIT_USAGE: what is to be exported unverified is encrypted. */
tl_exit export_run(const export_options *options, export_counts *counts, tl_fault *fault)
    __attribute__((warn_unused_result));

/* ---- unverified.c ---- */

/* Is the frame wanted? Asked once for each, when it is over. */
typedef bool unverified_wanted(void *ctx, uint32_t frame);

/* Lines of a stream put together by what their packets claim, or by the order in which they came (FSED). The first four members
 * are the caller's to set, and `frame`: one below the stream's first. */
typedef struct unverified {
    const stream_file *file;
    frame_out *out; /* gets the frames that are wanted */
    unverified_wanted *wanted;
    void *ctx;
    uint32_t frame; /* by its header, or counted */
    /* private */
    bool open;
    uint32_t row; /* FSED */
} unverified;

tl_exit unverified_packet(unverified *u, tl_span packet, tl_fault *fault) __attribute__((warn_unused_result));
/* The last frame is over. */
tl_exit unverified_end(unverified *u, tl_fault *fault) __attribute__((warn_unused_result));

#endif
