/* Verified pixels on their way to people: PNG files in a folder, or y4m video. */
#ifndef TL_TOOLS_FRAME_OUT_H
#define TL_TOOLS_FRAME_OUT_H

#include "fault.h"
#include "file.h"
#include "picture.h"
#include "stream_file.h"

/* What to write, and where. */
typedef struct frame_out_options {
    const char *folder; /* PNG files; NULL: none */
    const char *y4m;    /* a file, "-" for stdout; NULL: none */
    uint32_t every;     /* each how-manieth picture becomes a PNG file; 0: none */
    bool unverified;    /* nobody verified them: unverified_*.png, with what is missing in magenta */
    bool keep_revoked;  /* revoked frames too, as revoked_*.png, with what is missing in magenta */
} frame_out_options;

typedef struct frame_out {
    uint32_t
        start; /* of the sender, from 0, whose numbers begin anew: later ones stand in the names of files */
    /* private */
    frame_out_options o;
    uint32_t width, height, bits;
    uint8_t pixel_type;
    size_t line_bytes, first_byte; /* of the pixels in a frame's payload */
    uint16_t *bayer;
    uint8_t *rgb;
    bool *have; /* lines of the open frame that were released */
    tl_file file;
    tl_y4m video;
    bool video_open;
    uint64_t seen, written;
} frame_out;

/* TL_EXIT_INTERNAL: no memory, folder or file that cannot be made. */
tl_exit frame_out_open(frame_out *out, const frame_out_options *options, const stream_file *file,
                       tl_fault *fault) __attribute__((warn_unused_result));
/* False: nobody asked for pictures, and what is handed over goes nowhere. */
bool frame_out_wanted(const frame_out *out);
/* A whole frame, verified: its parts' payloads one after the other. */
tl_exit frame_out_frame(frame_out *out, uint32_t number, tl_span payload, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Release by lines: a frame begins, a line of some data type has verified, the frame's verdict. */
void frame_out_begin(frame_out *out);
tl_exit frame_out_line(frame_out *out, uint8_t data_type, uint16_t message, tl_span payload, tl_fault *fault)
    __attribute__((warn_unused_result));
tl_exit frame_out_end(frame_out *out, uint32_t number, bool revoked, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Finishes what is open, and frees. After an output fault (`keep` false) an unfinished video file is removed. */
tl_exit frame_out_close(frame_out *out, bool keep, tl_fault *fault) __attribute__((warn_unused_result));

#endif
