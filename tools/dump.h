/* The whole dump: packets in, lines out; with a file of secrets everything is computed again and compared. */
#ifndef TL_TOOLS_DUMP_H
#define TL_TOOLS_DUMP_H

#include "dump_report.h"
#include "fault.h"

#include <stdio.h>

/* An open file and its name. */
typedef struct dump_input {
    FILE *file;
    const char *name;
} dump_input;

typedef struct dump_options {
    dump_input recording;
    dump_input keys; /* file NULL: nothing is checked */
    FILE *out;
    dump_format format;
    bool fields;
} dump_options;

/* TL_EXIT_OK: all of it verified, or without keys, followed its layout. TL_EXIT_REFUSED: something did
 * not, and was named in `out`. Other codes: the fault says what; what was read until then is in `out`. */
tl_exit dump_run(const dump_options *options, tl_fault *fault) __attribute__((warn_unused_result));

#endif
