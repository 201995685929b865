/* What the rows of `make bench` share: the backend that is measured, the record of what came out, and how two jobs are
 * compared. Each file rows_*.c measures one kind of work; rows.def lists them.
 *
 * A row is own work against a peer's, of the same bytes, in the same process, in turn. Before it is timed both have done
 * it once and their results were compared: a row whose results differ is no row, and the program exits with 1. */
#ifndef TL_BENCH_BENCH_H
#define TL_BENCH_BENCH_H

#include "backend.h"
#include "bench_memory.h"
#include "gate.h"

#include <jansson.h>

typedef struct bench {
    unsigned rounds;
    const char *only; /* rows whose name begins so; NULL: all */
    unsigned ring;    /* frames that `receive` finds in memory */
    double slice_us;  /* at least so long is a slice of short work */

    backend_level asked;
    backend backend;
    const char *level;       /* the name of what is measured now ("vaes") */
    const tl_crypto *crypto; /* own backend at that level */

    json_t *rows;
    const char *group; /* what is measured now, for the line of progress */
    unsigned done, failed;
} bench;

/* A row before it is measured. */
typedef struct bench_row {
    const char *name, *peer;
    double goal;  /* the ratio to reach at the best level; 0: none is set */
    double bytes; /* of payload, in one run of ours and in one of the peer's */
    double messages;
    const char *note; /* what a reader must know beside it; NULL: nothing */
} bench_row;

enum { BENCH_LINE = 7680 };

/* Is this row asked for? */
bool bench_wants(const bench *b, const char *name);
/* Times both jobs in turn, prints the row, and adds it to the record. A goal counts at the best level only. */
void bench_compare(bench *b, const bench_row *row, gate_job own, gate_job peer);
/* Results differ, or a call failed: says so, and the program will exit with 1. */
void bench_failed(bench *b, const char *name, const char *peer, const char *why);
/* A peer that is not there: says so. */
void bench_absent(bench *b, const char *name, const char *peer);

/* The groups of rows. Each frees what it takes. */
#define ROWS(name, text) void rows_##name(bench *b);
#include "rows.def"
#undef ROWS

#endif
