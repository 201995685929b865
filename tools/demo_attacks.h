/* The demo's attacker: keeps recordings, attacks every second frame, and reads in the controller's report whether each
 * attack was noticed. */
#ifndef TL_TOOLS_DEMO_ATTACKS_H
#define TL_TOOLS_DEMO_ATTACKS_H

#include "attack.h"
#include "fault.h"

#include <jansson.h>

/* What the attacker has, has seen, and is about to do: in one session the rows that cost a frame, in another those that
 * must not, so that there every frame can be shown. */
typedef struct demo_attacker {
    tl_stream_config config; /* public */
    tl_wire_frame earlier, other_session, other_stream, plain;
    tl_attack_cost cost;
} demo_attacker;

/* How one row went. */
typedef struct demo_result {
    const tl_attack *attack;
    const char *folder;    /* where the controller's pictures of that session are */
    uint32_t frame;        /* the attacked frame's number */
    const char *event;     /* which event told: a row's own if it came, else what came instead */
    const char *verdict;   /* "nothing" if no event came */
    const char *data_type; /* of the first cause; NULL: none named */
    int line;
    bool lost;     /* the attacked frame */
    bool expected; /* all as the row says, and the next frame was ok */
} demo_result;

/* Rows of one session. */
size_t demo_attack_rows(tl_attack_cost cost);
/* Frames that it needs: a clean one first, then an attacked and a clean one for each row. */
uint64_t demo_attack_frames(tl_attack_cost cost);

/* Makes the attacker's own plain frame. */
tl_exit demo_attacker_open(demo_attacker *attacker, const tl_stream_config *config, tl_fault *fault)
    __attribute__((warn_unused_result));
void demo_attacker_close(demo_attacker *attacker);
/* Keeps a frame as one of this session's, before the attacked ones; does what a row says to a frame. */
tl_exit demo_attacker_record(demo_attacker *attacker, const tl_wire_frame *frame, tl_fault *fault);
tl_exit demo_attacker_apply(const demo_attacker *attacker, const tl_attack *attack, tl_wire_frame *frame,
                            tl_fault *fault) __attribute__((warn_unused_result));
/* Hands for demo_hand: ctx is the attacker. The first two record a frame of another session, of another stream. */
tl_exit demo_record_session(void *ctx, uint64_t index, tl_wire_frame *frame, tl_fault *fault);
tl_exit demo_record_stream(void *ctx, uint64_t index, tl_wire_frame *frame, tl_fault *fault);
tl_exit demo_attack_frame(void *ctx, uint64_t index, tl_wire_frame *frame, tl_fault *fault);

/* Reads the session's report: results[i] is row i of tl_attacks, and only the session's own are written. Their texts live
 * as long as the report. */
void demo_judge(const demo_attacker *attacker, json_t *report, const char *folder, demo_result *results);
/* Where the frame broke first: "RAW12 540", "frame begin"; empty if it did not, or nobody can say. */
void demo_result_place(const demo_result *result, char *text, size_t n);
/* One object for a result. */
json_t *demo_result_json(const demo_result *result);

#endif
