/* The noise gate of the benchmarks. By default thread CPU time, so that being preempted does not count. */
#include "gate.h"

#include "clock.h"

#include <stdlib.h>
#include <time.h>

enum { LOOP_STEPS = 6000, CALIBRATIONS = 5000, TRIES_MAX = 12, TRIES_US = 300000, REPEAT_MAX = 1 << 20 };
static const double slack = 1.10;

/* What one run of a job took. */
typedef struct slice {
    double cpu_us, wall_us;
} slice;

static double best_loop_us = 1e9;

static double cpu_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Four independent chains keep the core's units busy, so that a neighbour on the same core shows. */
static double loop_us(void)
{
    uint64_t a = 1, b = 2, c = 3, d = 4;
    double start = cpu_us();

    for (unsigned i = 0; i < LOOP_STEPS; i++) {
        a += b;
        b ^= c;
        c += d;
        d ^= a;
        __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
    }
    return cpu_us() - start;
}

void gate_calibrate(void)
{
    for (unsigned i = 0; i < CALIBRATIONS; i++) {
        double t = loop_us();

        if (t < best_loop_us)
            best_loop_us = t;
    }
}

static slice now(void)
{
    return (slice){ cpu_us(), (double)tl_clock_us() };
}

/* All runs of a slice, without what prepares them. Runs that need no preparing are timed as one: reading the clock takes
 * a part of a microsecond. */
static slice run_slice(const gate_job *job, unsigned runs)
{
    slice sum = { 0 }, start, end;
    unsigned at_once = job->prepare == NULL ? runs : 1;

    for (unsigned i = 0; i < runs; i += at_once) {
        if (job->prepare != NULL)
            job->prepare(job->ctx);
        start = now();
        for (unsigned j = 0; j < at_once; j++)
            job->run(job->ctx);
        end = now();
        sum.cpu_us += end.cpu_us - start.cpu_us;
        sum.wall_us += end.wall_us - start.wall_us;
    }
    return sum;
}

static double by_clock(const gate_job *job, slice t)
{
    return job->clock == GATE_WALL ? t.wall_us : t.cpu_us;
}

/* One run of a job, timed as the part of a slice that is taken again until it is clean, or for too long. */
static slice time_slice(const gate_job *job, unsigned *dirty)
{
    unsigned runs = job->repeat > 0 ? job->repeat : 1;
    double before, after, start = (double)tl_clock_us();
    bool last = false;
    slice t = { 0 };

    for (unsigned try = 1; !last; try++) {
        before = loop_us();
        t = run_slice(job, runs);
        after = loop_us();
        if (before <= best_loop_us * slack && after <= best_loop_us * slack)
            break;
        last = try == TRIES_MAX || (double)tl_clock_us() - start > TRIES_US;
        *dirty += last;
    }
    return (slice){ t.cpu_us / runs, t.wall_us / runs };
}

void gate_fit(gate_job *job, double us)
{
    double took = 0;

    for (job->repeat = 1; job->repeat < REPEAT_MAX; job->repeat *= 2) {
        took = by_clock(job, run_slice(job, job->repeat));
        if (took >= us / 4)
            break;
    }
    if (took > 0 && took < us)
        job->repeat = (unsigned)((double)job->repeat * us / took) + 1;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The value at `part` of the way through the sorted values: 0.5 is the median. */
static double quantile(double *values, unsigned n, double part)
{
    qsort(values, n, sizeof *values, by_value);
    return values[(unsigned)(part * (double)(n - 1) + 0.5)];
}

static unsigned at_most(unsigned rounds)
{
    return rounds < GATE_ROUNDS_MAX ? rounds : GATE_ROUNDS_MAX;
}

static void set_ratios(gate_result *r, double *ratios)
{
    r->ratio = quantile(ratios, r->rounds, 0.5);
    r->low = quantile(ratios, r->rounds, 0.25);
    r->high = quantile(ratios, r->rounds, 0.75);
}

gate_result gate_compare(const gate_job *own, const gate_job *peer, unsigned rounds)
{
    double ratios[GATE_ROUNDS_MAX] = { 0 }, owns[GATE_ROUNDS_MAX] = { 0 }, peers[GATE_ROUNDS_MAX] = { 0 };
    gate_result r = { .rounds = at_most(rounds) };

    for (unsigned i = 0; i < r.rounds; i++) {
        owns[i] = by_clock(own, time_slice(own, &r.dirty));
        peers[i] = by_clock(peer, time_slice(peer, &r.dirty));
        ratios[i] = peers[i] / owns[i];
    }
    set_ratios(&r, ratios);
    r.own_us = quantile(owns, r.rounds, 0.5);
    r.peer_us = quantile(peers, r.rounds, 0.5);
    return r;
}

gate_result gate_measure(const gate_job *own, double budget_us, unsigned rounds)
{
    double ratios[GATE_ROUNDS_MAX] = { 0 }, owns[GATE_ROUNDS_MAX] = { 0 }, walls[GATE_ROUNDS_MAX] = { 0 };
    gate_result r = { .rounds = at_most(rounds), .peer_us = budget_us };

    for (unsigned i = 0; i < r.rounds; i++) {
        slice t = time_slice(own, &r.dirty);

        owns[i] = t.cpu_us;
        walls[i] = t.wall_us;
        ratios[i] = budget_us / owns[i];
    }
    set_ratios(&r, ratios);
    r.own_us = quantile(owns, r.rounds, 0.5);
    r.wall_us = quantile(walls, r.rounds, 0.5);
    return r;
}
