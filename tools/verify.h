/* Verifying a recorded stream again, whole or a segment of it, with evidence: every frame's verdict, what each byte of the file is,
 * under which configuration, keys and sessions. docs/EVIDENCE.md says what it proves. */
#ifndef TL_TOOLS_VERIFY_H
#define TL_TOOLS_VERIFY_H

#include "account.h"
#include "replay.h"
#include "report.h"
#include "tape.h"

enum { VERIFY_SEGMENTS_MAX = 4096 }; /* of a recording */

typedef struct verify_options {
    tape_options tape;
    unsigned segment, segments; /* 1 of 1: the whole */
    const char *report;         /* NULL: none; "-": stdout */
    const char *trust;          /* anchors of the ends of sessions; NULL: nobody's chain is judged */
    const char *version;        /* of the program */
    bool quiet;                 /* no table of bytes, and the first refusal is not named */
} verify_options;

/* Frames and refusals, as a controller counts them. */
typedef struct verify_totals {
    uint64_t frames_ok, frames_bad, frames_lost, unfinished, refused;
    uint64_t not_recorded;        /* packets, as the recording says of itself; */
    uint64_t frames_not_recorded; /* frames that nobody could judge without them */
} verify_totals;

/* Verifies, and writes the report. Totals go to `out`, unless it is NULL. TL_EXIT_REFUSED: something was; the fault says how
 * often. TL_EXIT_LINK: the file is broken, or no frame is in it. */
tl_exit verify_run(const verify_options *options, FILE *out, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Joins the reports of all segments of a recording to the one that a single run would have written (`to`, as above).
 * TL_EXIT_USAGE: they are not all segments of one file, or do not fit; TL_EXIT_REFUSED as above. */
tl_exit verify_join(const char *const *paths, size_t n, const char *to, FILE *out, tl_fault *fault)
    __attribute__((warn_unused_result));

/* Writes a map of the file: a line 'FROM TO CLASS' for each run of bytes, offsets from 0 and TO not included, from the first byte to the
 * last. */
tl_exit verify_map(const verify_options *options, const char *path, tl_fault *fault)
    __attribute__((warn_unused_result));

/* ---- verify_json.c: what both write ---- */

/* Which part of a file was judged; its ends as verify_border_json makes them, taken over; and how often keys could have been used
 * at most. */
typedef struct verify_part {
    unsigned index, of;
    json_t *from, *to;
    uint64_t messages, bytes, wrong_tags, lists;
} verify_part;

json_t *verify_part_json(const verify_part *part);

/* TL_EXIT_LINK: packets are missing, as the recording says itself, so that no frame was refused is not all. */
tl_exit verify_judge_missing(const verify_totals *totals, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Names of files and interfaces are any bytes, and JSON has UTF-8 alone: in what is none, all that is beyond ASCII becomes '?'. */
json_t *verify_text_json(const char *text);
json_t *verify_totals_json(const verify_totals *totals, json_t *counters, tl_exit code, const char *why);
json_t *verify_border_json(const replay_border *border);
/* account NULL: the totals alone. epochs: as the evidence has them, or NULL. */
void verify_print(FILE *out, const verify_totals *totals, const account *account, const json_t *epochs);

#endif
