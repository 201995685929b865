/* The options of trueline-input. */
#ifndef TL_INPUT_ARGUMENTS_H
#define TL_INPUT_ARGUMENTS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct input_options {
    const char *input;
    unsigned width, height, bits;
    uint64_t frames; /* 0: no limit */
    bool loop, info, verbose;
} input_options;

/* Its input is an input_options. */
extern const struct argp input_argp;

#endif
