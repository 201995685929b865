/* What was measured: a line for people and scripts, and a file that scripts/bench-table makes tables of. */
#ifndef TL_BENCH_RECORD_H
#define TL_BENCH_RECORD_H

#include "bench.h"
#include "fault.h"

/* A line on stderr. */
void record_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Adds the rows of a file that another process of ours wrote. */
void record_join(bench *b, const char *file);
/* Writes machine, rounds and rows as JSON. */
bool record_write(const bench *b, const char *file, tl_fault *fault);

#endif
