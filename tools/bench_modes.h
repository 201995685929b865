/* What a core carries: cameras of 8 MP at 30 frames/s, RAW12, in each mode of protection that there is reason to choose. */
#ifndef TL_TOOLS_BENCH_MODES_H
#define TL_TOOLS_BENCH_MODES_H

#include "backend.h"
#include "fault.h"
#include "gate.h"

typedef struct bench_mode {
    const char *carrier, *tags, *suite, *pixels; /* words for people */
    gate_result protect, verify;                 /* of a frame, against the time between two */
} bench_mode;

/* How many modes there are. */
unsigned bench_modes(void);
/* Measures mode i. TL_EXIT_INTERNAL: no memory, or a frame that did not verify. */
tl_exit bench_mode_run(const backend *b, unsigned i, unsigned rounds, bench_mode *mode, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Cameras that a core carries if a frame of each takes so long. */
unsigned bench_cameras(double frame_us);

#endif
