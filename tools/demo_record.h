/* The demo's capture: what the controller of each session recorded, one section of the file after the other. */
#ifndef TL_TOOLS_DEMO_RECORD_H
#define TL_TOOLS_DEMO_RECORD_H

#include "tap.h"

enum { DEMO_RECORD_PATH = 700 };

typedef struct demo_record {
    tap_options of_session; /* for the session's controller; NULLs: nothing is recorded */
    /* private */
    tap_options o;
    char capture[DEMO_RECORD_PATH], secrets[DEMO_RECORD_PATH];
} demo_record;

/* Makes the files that the options name, empty. The folder is for a session's own files. TL_EXIT_INTERNAL, here and below. */
tl_exit demo_record_open(demo_record *r, const tap_options *o, const char *folder, tl_fault *fault)
    __attribute__((warn_unused_result));
/* A session is over: what it recorded goes to the end of the files. */
tl_exit demo_record_take(const demo_record *r, tl_fault *fault) __attribute__((warn_unused_result));

#endif
