/* The two ends of one combination, and what the receiver has said of the frames that are looked at. */
#ifndef TL_TESTS_ENDS_H
#define TL_TESTS_ENDS_H

#include "combination.h"
#include "nonces.h"
#include "wire_frame.h"

enum { METADATA_MAX = 1024, CLEAN_FRAMES = 3 };

typedef struct sender {
    uint32_t session; /* number, never used twice in a run of the program */
    bool open;
    tl_stream_config config;
    tl_key_source source;
    tl_stream_tx tx;
    uint8_t metadata[METADATA_MAX]; /* FSED */
} sender;

/* What came of one frame. */
typedef struct heard {
    uint32_t frame;
    bool closed, lost;
    tl_verdict verdict, lost_as;
    uint64_t time_us;
    bool pixels; /* its payload came with the event */
    uint8_t payload[FRAME_BYTES];
} heard;

typedef struct ends {
    const tl_crypto *crypto; /* the receiver's */
    const tl_crypto *recorded;
    combination c;
    tl_stream_config config;
    uint32_t epoch;
    sender main, other_session, other_stream;
    tl_stream_rx rx;
    tl_key_source rx_source;
    uint8_t memory[FRAME_BYTES];
    heard now, next;   /* the frame that is attacked, and the one behind it */
    uint32_t refused;  /* bit v: a message was refused with verdict v */
    const char *wrong; /* the first thing that must never be */
    tl_wire_frame frame, after,
        before; /* packets of the frame under attack, of the next and of the last one */
    tl_wire_frame foreign;
} ends;

/* Both ends in their first epoch; `number` tells the combinations of a run apart. */
void ends_open(ends *e, const combination *c, uint32_t number);
/* Both ends once more, in the next epoch. */
void ends_reopen(ends *e);
void ends_close(ends *e);

/* The next frame of the main sender. */
void ends_send(ends *e, tl_wire_frame *frame);
/* A frame of another session or another stream under the number `frame`, to e->foreign. */
void ends_foreign(ends *e, sender *s, uint32_t frame);
/* Looks at the two frames that come next. */
void ends_listen(ends *e, uint32_t frame);

uint64_t ends_time(uint32_t frame);
/* What a sender puts into a line, and into the eight lines of a frame. */
void ends_line(uint32_t session, uint32_t frame, unsigned line, uint8_t out[LINE_BYTES]);
void ends_pixels(uint32_t session, uint32_t frame, uint8_t out[FRAME_BYTES]);

/* Notes an error, if it is one and the first thing that went wrong. */
void ends_fine(ends *e, tl_err error, const char *what);

/* ---- what is run, and the sums ---- */

typedef struct tally {
    size_t combinations, refused, attacks, unnoticed, failed, pairs;
    uint64_t *keys; /* a hash table of all keys that a sender had in any combination */
    size_t key_n, key_room;
} tally;

/* `c` NULL: of a configuration that is none of the combinations, which `row` describes. */
void tally_fail(tally *t, const combination *c, const char *row, const char *why);
/* No key of a combination was one of another's; within one the recorder has seen to nonces. */
void tally_keys(tally *t, const combination *c, const tl_nonces *nonces);
void tally_free(tally *t);

/* The clean frames and all rows of a combination. */
void sep_run(ends *e, tally *t);
void fsed_run(ends *e, tally *t);
/* Every contradictory configuration of a full product is refused with a reason, every other one is not. */
void refusals_run(tally *t);

/* A covering array: rows that hold every pair of levels that any valid combination holds. Gives their number, 0 if there is no room. */
size_t cover_make(combination *rows, size_t room);
/* Pairs that a valid combination could have and no row has. */
size_t cover_missing(const combination *rows, size_t n);

#endif
