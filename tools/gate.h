/* Ratios that a busy machine does not spoil: a job timed against another one in turn, or against a budget, each slice
 * between two runs of a calibration loop.
 *
 * On shared machines a neighbour on the same core slows everything by half. The loop notices: a slice whose loops were
 * more than a tenth slower than the best one ever is taken again. What counts is the median of the rounds' ratios. */
#ifndef TL_TOOLS_GATE_H
#define TL_TOOLS_GATE_H

#include <stdbool.h>
#include <stdint.h>

/* What a ratio is made of. */
typedef enum gate_clock {
    GATE_CPU = 0, /* CPU time of the thread that runs the job */
    GATE_WALL     /* time that passes: for jobs that use threads of their own */
} gate_clock;

/* A job: `prepare` is not timed (may be NULL), `run` is. */
typedef struct gate_job {
    const char *name;
    void (*prepare)(void *ctx);
    void (*run)(void *ctx);
    void *ctx;
    unsigned repeat; /* runs of a slice, each of them prepared; 0: one. Times are those of one run */
    gate_clock clock;
} gate_job;

typedef struct gate_result {
    double ratio;     /* median of peer's time / own time: above 1, own is faster */
    double low, high; /* quartiles of it */
    double own_us;    /* median time of one run, by the job's clock */
    double peer_us;   /* the same of the peer, or the budget */
    double wall_us;   /* against a budget: median time from a run's beginning to its end */
    unsigned rounds;  /* all of them */
    unsigned dirty;   /* slices that never came out clean, and were taken as they were */
} gate_result;

enum { GATE_ROUNDS_MAX = 101 };

/* Finds the loop's best time; once, before the first comparison. */
void gate_calibrate(void);
/* Chooses how often a job runs in a slice, so that a slice takes `us` or more. Runs it. */
void gate_fit(gate_job *job, double us);
/* Times both jobs in turn, `rounds` times (at most GATE_ROUNDS_MAX). */
gate_result gate_compare(const gate_job *own, const gate_job *peer, unsigned rounds);
/* Times one job `rounds` times, and compares it with the CPU time that a run may take. */
gate_result gate_measure(const gate_job *own, double budget_us, unsigned rounds);

#endif
