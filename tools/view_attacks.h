/* From the page's buttons to whoever has a hand on the wire, and what he did back: two ends of a socket with a path. The
 * attacker's end believes of the page's process only the number of a row of sim/attacks.def. */
#ifndef TL_TOOLS_VIEW_ATTACKS_H
#define TL_TOOLS_VIEW_ATTACKS_H

#include "attack.h"
#include "fault.h"

/* The attacker's end. */
typedef struct view_attacks {
    /* private */
    int listener, fd; /* -1: none */
    char path[108];
} view_attacks;

/* A socket that only we may use. TL_EXIT_INTERNAL. */
tl_exit view_attacks_open(view_attacks *a, const char *path, tl_fault *fault)
    __attribute__((warn_unused_result));
/* The next row that was asked for, without waiting; NULL: none. */
const tl_attack *view_attacks_next(view_attacks *a);
/* Says that it was done to a frame. */
void view_attacks_done(view_attacks *a, const tl_attack *attack, uint32_t frame);
void view_attacks_close(view_attacks *a);

/* The page's end: a descriptor, or -1. */
int view_attacks_dial(const char *path);
/* False: the attacker is gone, or has enough to do. */
bool view_attacks_ask(int fd, size_t row);
/* What was done, without waiting. 1: it is there; 0: nothing; -1: the attacker is gone, or said what cannot be. */
int view_attacks_answer(int fd, size_t *row, uint32_t *frame);

#endif
