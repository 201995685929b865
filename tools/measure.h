/* What a sensor measures of itself: 1 its register set-up, 2 its manifest, 3 the program that runs. */
#ifndef TL_TOOLS_MEASURE_H
#define TL_TOOLS_MEASURE_H

#include "fault.h"
#include "reference.h"
#include "stream_file.h"

#include <trueline/spdm.h>

enum { MEASURE_BLOCKS = 3, MEASURE_SETUP = 1, MEASURE_MANIFEST, MEASURE_PROGRAM };

/* The blocks as their own reference: what is measured now is what a reference is made of. */
typedef struct measure {
    reference blocks;
} measure;

/* Measures set-up (geometry and format, whatever a controller will choose of it), manifest (with the program's version) and
 * /proc/self/exe, with every hash of algs.def. TL_EXIT_INTERNAL. */
tl_exit measure_take(measure *m, const stream_file *geometry, const char *version, const tl_crypto *crypto,
                     tl_fault *fault) __attribute__((warn_unused_result));
/* For a responder's config; m must outlive it. */
tl_spdm_measurement_source measure_source(measure *m);

#endif
