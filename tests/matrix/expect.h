/* What must come of an attack in each combination, as docs/IMAGE-PATH.md says it, and what by design nobody notices. */
#ifndef TL_TESTS_EXPECT_H
#define TL_TESTS_EXPECT_H

#include "attack.h"
#include "combination.h"

/* Which pixels must come if the frame is ok. Everything but the first is what its configuration does not notice. */
typedef enum pixels {
    PIXELS_SENT = 0,
    PIXELS_BIT,     /* with the bit that was flipped */
    PIXELS_LINE,    /* with the line of an earlier frame */
    PIXELS_SWAPPED, /* with two lines in each other's place */
    PIXELS_OTHER    /* those of another sender's frame */
} pixels;

typedef struct outcome {
    bool applies;    /* else there is nothing to attack, or it is the same move as another row */
    bool ok;         /* the frame's verdict */
    bool time;       /* the frame is ok, but the time that it claims is not the sender's */
    bool deaf;       /* the receiver believes that it is far ahead, and refuses what comes next */
    bool lost;       /* the frame is told as lost */
    bool message;    /* a message's verdict is told */
    tl_verdict said; /* by the frame's verdict, or the message's, or that of the lost frame */
    pixels pixels;
} outcome;

/* A line of the pixels or at the frame's edges in the bottom block has rows of its own beside attacks.def. */
extern const tl_attack expect_bottom[];
extern const size_t expect_bottom_count;

outcome expect_sep(const tl_attack *attack, const combination *c);

/* ---- FSED: attacks in the memory behind the capture, or on the packets in front of it ---- */

typedef enum fsed_action {
    FSED_BIT = 0,
    FSED_TAG,
    FSED_CHECK,
    FSED_LINE,
    FSED_DROP,
    FSED_REPEAT,
    FSED_SWAP,
    FSED_BEGIN,
    FSED_END,
    FSED_REPLAY,
    FSED_OTHER,
    FSED_STRIP,
    FSED_STRANGER,
    FSED_METADATA,
    FSED_CHANNEL
} fsed_action;

typedef struct fsed_attack {
    const char *name;
    fsed_action action;
    uint8_t block; /* whose line, tag or check; FSED_METADATA: which packet */
    bool repaired; /* CRC-32s are put right */
} fsed_attack;

extern const fsed_attack fsed_attacks[];
extern const size_t fsed_attack_count;

/* `said` is the verdict of tl_stream_rx_frame; with `lost` the frame was never opened. */
outcome expect_fsed(const fsed_attack *attack, const combination *c);

#endif
