/* The options that say which stream of which recording, for all commands that read one. */
#ifndef TL_TOOLS_TAPE_OPTIONS_H
#define TL_TOOLS_TAPE_OPTIONS_H

#include "tape.h"

#include <argp.h>

#define TAPE_OPTIONS_NONE                                                                                    \
    {                                                                                                        \
        .carrier = TAPE_AUTO, .virtual_channel = TAPE_AUTO                                                   \
    }

/* A child of a command's table; its input are tape_options. */
extern const struct argp tape_options_argp;

#endif
