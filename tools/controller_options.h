/* The options of `trueline controller`. */
#ifndef TL_TOOLS_CONTROLLER_OPTIONS_H
#define TL_TOOLS_CONTROLLER_OPTIONS_H

#include "backend.h"
#include "controller_spdm.h"
#include "frame_out.h"
#include "protection.h"
#include "tap.h"
#include "view.h"

typedef struct controller_options {
    const char *connect, *stream, *report;
    const char *from, *state; /* a one-way link */
    frame_out_options out;
    tap_options tap;
    view_options view;
    uint64_t frames;
    tl_release release;
    tl_carrier carrier;
    bool json, keep_going, steps, png;
    backend_level crypto;
    uint8_t virtual_channel, channels; /* the sender's, and all that are accepted, a bit each */
    controller_spdm_options spdm;      /* with --trust */
    protection_choice protection;      /* of spdm.wanted */
} controller_options;

/* The defaults, and then what the command line says. TL_EXIT_USAGE. */
int controller_options_parse(controller_options *o, int argc, char **argv)
    __attribute__((warn_unused_result));

#endif
