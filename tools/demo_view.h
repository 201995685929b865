/* The demo's part for people who watch: a stream that goes on until it is ended, a page in the browser, and an attacker who does
 * what its buttons say. */
#ifndef TL_TOOLS_DEMO_VIEW_H
#define TL_TOOLS_DEMO_VIEW_H

#include "demo_attacks.h"
#include "demo_session.h"
#include "view_attacks.h"

typedef struct demo_view {
    uint64_t made, costly; /* attacks that were made, those of them that must cost a frame */
    /* private */
    demo_attacker *attacker;
    view_attacks attacks;
    uint64_t last; /* index of the frame that was attacked last */
} demo_view;

/* Makes the socket that buttons come through, at a path. The attacker outlives the view. TL_EXIT_INTERNAL. */
tl_exit demo_view_open(demo_view *v, demo_attacker *attacker, const char *path, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Hand for demo_hand: ctx is the view. */
tl_exit demo_view_frame(void *ctx, uint64_t index, tl_wire_frame *frame, tl_fault *fault);
/* Holds what the controller has counted against what was done: no attacked frame may have been taken for good, and no other one
 * refused. TL_EXIT_REFUSED. */
tl_exit demo_view_judge(const demo_view *v, const demo_session *s, tl_fault *fault)
    __attribute__((warn_unused_result));
void demo_view_close(demo_view *v);

#endif
