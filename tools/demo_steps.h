/* What the demo tells: one line for each step, with its time and the bytes that it moved. */
#ifndef TL_TOOLS_DEMO_STEPS_H
#define TL_TOOLS_DEMO_STEPS_H

#include <jansson.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct demo_steps {
    FILE *to;
    bool terminal; /* bold headings */
    uint64_t started_us, last_us;
    json_t *list; /* the same for report.json */
} demo_steps;

void demo_steps_open(demo_steps *steps, FILE *to);
void demo_steps_close(demo_steps *steps);
void demo_heading(demo_steps *steps, const char *text);
/* A step is done: its time is that since the last one. bytes 0: none worth telling. */
void demo_step(demo_steps *steps, uint64_t bytes, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for what somebody else has timed. */
void demo_step_timed(demo_steps *steps, double seconds, uint64_t bytes, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Seconds since the beginning. */
double demo_steps_seconds(const demo_steps *steps);

#endif
