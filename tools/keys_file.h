/* Files of session secrets beside a recording: what an endpoint computed, line by line, in order of
 * computation.
 *
 *   # -> SPDM_GET_VERSION 0x84 size 4 session 0        a message: direction, name, code, bytes, session id
 *   th1: 981e3b0bd94c...                               a value in hex
 *   stream 7 epoch 0 secret 5c03...                    of a stream's key source: tl_key_source_secret */
#ifndef TL_TOOLS_KEYS_FILE_H
#define TL_TOOLS_KEYS_FILE_H

#include "fault.h"

#include <trueline/base.h>

#include <stdio.h>

enum {
    KEYS_NAME_SIZE = 64,
    KEYS_VALUE_MAX = 8192,
    KEYS_BUFFER = 4096 /* for setvbuf, and to be wiped: a buffer of the file's own would not be */
};

typedef enum keys_kind { KEYS_END = 0, KEYS_MESSAGE, KEYS_VALUE, KEYS_STREAM } keys_kind;

typedef struct keys_message {
    char name[KEYS_NAME_SIZE];
    bool request; /* its direction */
    uint8_t code;
    uint32_t size, session;
} keys_message;

typedef struct keys_line {
    keys_kind kind;
    uint64_t number; /* of the line; 1 is the first */
    keys_message message;
    char name[KEYS_NAME_SIZE]; /* of the value */
    size_t value_n;            /* of the value, or of a stream's secret */
    uint8_t value[KEYS_VALUE_MAX];
    uint16_t stream; /* STREAM */
    uint32_t epoch;
} keys_line;

typedef struct keys_file {
    /* private */
    FILE *in;
    const char *name;
    uint64_t lines;
    char text[2 * KEYS_VALUE_MAX + KEYS_NAME_SIZE + 4];
} keys_file;

/* `in` and `name` are the caller's and outlive it. */
void keys_open(keys_file *file, FILE *in, const char *name);
/* The next line; kind is KEYS_END at the end. TL_EXIT_USAGE: the line is neither, and is named. */
tl_exit keys_next(keys_file *file, keys_line *line, tl_fault *fault) __attribute__((warn_unused_result));

#endif
