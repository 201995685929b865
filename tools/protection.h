/* How a stream is protected, as words and as options: one table of each, for stream files and for every command that
 * lets its user choose. */
#ifndef TL_TOOLS_PROTECTION_H
#define TL_TOOLS_PROTECTION_H

#include "stream_file.h"

#include <argp.h>

/* "message", "type", "frame"; NULL if it is none. */
const char *protection_tag_mode_text(tl_tag_mode mode);
bool protection_tag_mode(const char *text, tl_tag_mode *mode);
/* Of "none", too: safety services alone. */
const char *protection_suite_text(tl_suite suite);
bool protection_suite(const char *text, tl_suite *suite);
/* "sep", "fsed". */
const char *protection_carrier_text(tl_carrier carrier);
/* All of them, for refusals: "aes128-gmac, aes256-gmac, ... or none". */
extern const char protection_suites[], protection_tag_modes[];

/* Values of options that several commands have; what is none ends the program by argp_error. Channels: "0", "0,2", as a bit each,
 * and the first of them. */
tl_carrier protection_carrier_option(const struct argp_state *state, const char *option, const char *text);
uint8_t protection_channels_option(const struct argp_state *state, const char *option, const char *text,
                                   uint8_t *first);

typedef struct protection_choice {
    stream_file *file; /* whose protection the options change */
    const char *given; /* the first of them that was given; NULL: none was */
} protection_choice;

/* The options, as a child of a command's own; their input is a protection_choice. */
extern const struct argp protection_argp;

#endif
