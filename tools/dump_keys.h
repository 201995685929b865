/* Comparing with a file of session secrets, line by line in the order of computation. */
#ifndef TL_TOOLS_DUMP_KEYS_H
#define TL_TOOLS_DUMP_KEYS_H

#include "dump_report.h"
#include "keys_file.h"

/* Gives an input that only an endpoint has: as many bytes as are written to value; 0: it is not known. */
typedef size_t dump_keys_input_of(void *context, const char *name, uint8_t *value, size_t room);

typedef struct dump_keys {
    /* private */
    FILE *to; /* written, not read */
    dump_keys_input_of *input;
    void *context;
    keys_file file;
    keys_line line; /* the next one */
    dump_report *report;
    tl_fault *fault;
    tl_exit broken; /* the file could not be read on */
} dump_keys;

void dump_keys_open(dump_keys *keys, FILE *in, const char *name, dump_report *report, tl_fault *fault);
/* The other way round: what is computed is written to `to`, as the file that would have compared right. */
void dump_keys_write(dump_keys *keys, FILE *to, dump_keys_input_of *input, void *context);
/* The next line must be this value. */
void dump_keys_expect(dump_keys *keys, const char *name, tl_span value);
/* The next line must have this name: its value is an input. False if it has not, or has more than `room`
 * bytes. */
bool dump_keys_input(dump_keys *keys, const char *name, uint8_t *value, size_t room, size_t *n);
/* The next line must be this message; values before it were not computed, and fail. */
void dump_keys_message(dump_keys *keys, const keys_message *message);
/* A record that could not be opened stands for one message. */
void dump_keys_skip(dump_keys *keys);
/* Nothing may be left. */
tl_exit dump_keys_end(dump_keys *keys) __attribute__((warn_unused_result));

#endif
