/* What the rows of `make bench` share: the backend that is measured, the record of what came out, and how two jobs are
 * compared. Each file rows_*.c measures one kind of work; rows.def lists them.
 *
 * A row is own work against a peer's, of the same bytes, in the same process, in turn. Before it is timed both have done
 * it once and their results were compared: a row whose results differ is no row, and the program exits with 1. */
#ifndef TL_BENCH_BENCH_H
#define TL_BENCH_BENCH_H

#include "gate.h"

#include <trueline/crypto.h>

#include <jansson.h>

/* A level of the kernels, as one asks for it. */
typedef enum bench_level { BENCH_BEST = 0, BENCH_AESNI, BENCH_SOFT, BENCH_OPENSSL } bench_level;

typedef struct bench {
    unsigned rounds;
    const char *only; /* rows whose name begins so; NULL: all */
    double slice_us;  /* at least so long is a slice of short work */

    bench_level asked;
    const char *level;       /* the name of what is measured now ("vaes512") */
    const tl_crypto *crypto; /* own backend at that level */
    void *opened[2];         /* what it was opened from */

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

/* n bytes on a page boundary, pages of 4 KiB, or 2 MiB where the system gives them; all of them touched. NULL: no
 * memory. Freed by bench_pages_free. */
uint8_t *bench_pages(size_t n, bool huge);
void bench_pages_free(uint8_t *pages, size_t n);
/* Of these n bytes the part that stands on huge pages, 0 to 1, as the system says. */
double bench_pages_huge(const uint8_t *pages, size_t n);

/* Bytes that are different everywhere. */
void bench_fill(uint8_t *bytes, size_t n, uint64_t seed);

#endif
