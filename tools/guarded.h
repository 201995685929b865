/* Bytes that grow and hold secrets: what a growth leaves behind is wiped, which realloc and open_memstream do not. */
#ifndef TL_TOOLS_GUARDED_H
#define TL_TOOLS_GUARDED_H

#include <trueline/base.h>

#include <stdio.h>

enum { GUARDED_MAX = 1 << 28 }; /* bytes */

typedef struct guarded {
    uint8_t *p;
    size_t n;
    /* private */
    size_t room;
} guarded;

/* False: no memory, or more than GUARDED_MAX; what was there stays. */
bool guarded_add(guarded *g, tl_span more) __attribute__((warn_unused_result));
/* Empty again, and wiped; its room stays. */
void guarded_clear(guarded *g);
/* Wipes it and gives its room back. */
void guarded_close(guarded *g);
/* A stream without a buffer of its own, whose bytes are added; NULL: no memory. `g` stays where it is as long as it is open. */
FILE *guarded_stream(guarded *g);

#endif
