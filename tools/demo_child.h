/* Children of the demo: this same program with another subcommand, started, watched, and never left behind. */
#ifndef TL_TOOLS_DEMO_CHILD_H
#define TL_TOOLS_DEMO_CHILD_H

#include "fault.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct demo_child {
    const char *name; /* "sensor", "controller" */
    pid_t pid;        /* 0: none, or reaped */
    int out;          /* reads its stdout; -1: none */
    int code;         /* exit code; 128 and the signal if one ended it */
    char errors[512]; /* path of the file that takes its stderr */
} demo_child;

enum { DEMO_ARGUMENTS_MAX = 40 };

/* Starts /proc/self/exe with `arguments` (NULL at the end, the subcommand first); its stderr goes to folder/NAME.err. It
 * is killed if the demo dies first. TL_EXIT_INTERNAL. */
tl_exit demo_child_start(demo_child *child, const char *folder, const char *const *arguments, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Reads a line of its stdout, up to the deadline. A child that ends first is blamed. */
tl_exit demo_child_line(demo_child *child, uint64_t deadline_ms, char *line, size_t n, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Reads a line that begins with `words`, such as "listening on "; `address` takes what stands behind them. */
tl_exit demo_child_address(demo_child *child, const char *words, uint64_t deadline_ms, char *address,
                           size_t n, tl_fault *fault) __attribute__((warn_unused_result));
/* True if it has ended; it is reaped then. */
bool demo_child_ended(demo_child *child);
/* Waits for its end up to the deadline; it is killed then, or when a signal asks the program to end. */
tl_exit demo_child_wait(demo_child *child, uint64_t deadline_ms, tl_fault *fault)
    __attribute__((warn_unused_result));
/* A signal has ended it. */
bool demo_child_killed(const demo_child *child);
/* The fault of a child that ended as it should not have: its name, its code, and what it said last. */
tl_exit demo_child_blame(const demo_child *child, tl_fault *fault) __attribute__((warn_unused_result));
/* Kills and reaps it if it is there. */
void demo_child_end(demo_child *child);

#endif
