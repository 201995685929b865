/* Runs a scenario of the simulated world: what stands where, what goes wrong, and from which seed. A run in which something was
 * said that is not true names the command that shows it again. */
#include "number.h"
#include "rig.h"
#include "two_ends.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS_MOST = 1000000, FRAMES_MOST = 100000 };

/* ---- scenarios ---- */

typedef struct scenario {
    const char *name, *text;
    void (*plan)(tl_rig_plan *plan);
    bool session; /* the streams' keys come from an SPDM session over a link with the same faults */
} scenario;

static void plan_camera(tl_rig_plan *p)
{
    p->frames = 30;
}

static void plan_four(tl_rig_plan *p)
{
    p->frames = 30;
    p->sensors = 4;
    p->skew_ns = 7 * TL_US;
    p->far_dphy = (tl_dphy){ 4, 1500 };
}

static void plan_lossy(tl_rig_plan *p)
{
    plan_four(p);
    p->near = p->far = (tl_faults){ .loss = 500 };
}

static void plan_noisy(tl_rig_plan *p)
{
    plan_four(p);
    p->near = p->far = (tl_faults){ .flips = 500, .burst = 200 };
}

static void plan_unordered(tl_rig_plan *p)
{
    plan_four(p);
    p->far = (tl_faults){ .twice = 500, .moved = 500, .moved_ns = 70 * TL_US };
}

static void plan_fsed(tl_rig_plan *p)
{
    plan_camera(p);
    p->config.carrier = TL_CARRIER_FSED;
    p->far = (tl_faults){ .loss = 500, .flips = 500 };
}

static void plan_bridges(tl_rig_plan *p)
{
    plan_camera(p);
    p->bridges = TL_RIG_TO_FSED_AND_BACK;
    p->far = p->middle = p->last = (tl_faults){ .loss = 500, .flips = 500 };
}

static void plan_late(tl_rig_plan *p)
{
    plan_camera(p);
    p->anchored = true;
    p->anchor_error_us = 200;
    p->clock.drift_ppm = 40;
    p->config.drift_ppm = 100;
    p->config.age_max_us = 30000;
    p->far_delay_ns = 27 * (uint64_t)TL_MS; /* with the jitter and the anchor's error around what is late */
    p->far.jitter_ns = 3 * TL_MS;
}

static void plan_session(tl_rig_plan *p)
{
    plan_four(p);
    p->far = (tl_faults){ .loss = 300, .flips = 300 };
}

static const scenario scenarios[] = {
    { "camera", "one sensor, two lanes of 800 Mbit/s, nothing goes wrong", plan_camera, false },
    { "four", "four sensors, an aggregator that gives each its virtual channel, a controller", plan_four,
      false },
    { "lossy", "the same, packets are lost on all links", plan_lossy, false },
    { "noisy", "the same, bits are wrong on all links", plan_noisy, false },
    { "unordered", "the same, packets come twice, and late, behind the aggregator", plan_unordered, false },
    { "fsed", "one sensor that sends FSED, a receiver in hardware, a bad link", plan_fsed, false },
    { "bridges", "SEP to FSED to SEP, over three bad links", plan_bridges, false },
    { "late", "a link about as slow as the frames may be old, and a clock that drifts", plan_late, false },
    { "session", "SPDM over a bad link, then four sensors under the session's keys", plan_session, true },
};
enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

/* ---- the command line ---- */

typedef struct arguments {
    const scenario *scenario; /* NULL: all */
    uint64_t seed, runs;
    uint32_t frames;
    int64_t loss, twice, moved, flips, burst; /* below 0: as the scenario has it */
    bool trace;
} arguments;

static const char doc[] =
    "Runs sensors, aggregators, bridges and a controller in virtual time, and compares what the controller "
    "says with what was "
    "done to the packets.\vEach line is a run: frames by verdict, packets by what was done to them. Exit "
    "code 0: all that was "
    "said was true; 1: something was not, and the command that shows it again is printed; 2: wrong usage.\n\n"
    "Examples:\n"
    "  world                                   every scenario once\n"
    "  world --scenario lossy --runs 1000      from 1000 seeds, one after the other\n"
    "  world --scenario four --loss 2000 --flips 100\n"
    "                                          2000 of a million packets lost, 100 with wrong bits\n"
    "  world --scenario noisy --seed 0x1234 --trace | less\n"
    "                                          each packet on each wire, with virtual times\n"
    "  world --list                            the scenarios";

enum { KEY_LIST = 1, KEY_LOSS, KEY_TWICE, KEY_MOVED, KEY_FLIPS, KEY_BURST };
static const struct argp_option table[] = {
    { "scenario", 's', "NAME", 0, "this one alone", 0 },
    { "list", KEY_LIST, NULL, 0, "name the scenarios", 0 },
    { "seed", 'e', "SEED", 0, "of the first run (default 1)", 0 },
    { "runs", 'r', "N", 0, "runs of each scenario (default 1)", 0 },
    { "frames", 'f', "N", 0, "frames of each sensor", 0 },
    { "trace", 't', NULL, 0, "with --scenario and one run: what happens on each wire", 0 },
    { NULL, 0, NULL, 0, "Faults in front of the controller, so many of a million packets each:", 1 },
    { "loss", KEY_LOSS, "N", 0, "are lost", 1 },
    { "twice", KEY_TWICE, "N", 0, "come twice", 1 },
    { "moved", KEY_MOVED, "N", 0, "come 70 us later", 1 },
    { "flips", KEY_FLIPS, "N", 0, "have one to three wrong bits", 1 },
    { "burst", KEY_BURST, "N", 0, "have up to 32 wrong bits in a row", 1 },
    { 0 },
};

static const scenario *scenario_of(const struct argp_state *state, const char *name)
{
    for (size_t i = 0; i < SCENARIOS; i++)
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    argp_error(state, "no such scenario: '%s'; --list names them", name);
    return NULL;
}

static int64_t fault(const struct argp_state *state, const char *option, const char *text)
{
    return (int64_t)number_of(state, option, text, 0, TL_MILLION);
}

static void list(void)
{
    for (size_t i = 0; i < SCENARIOS; i++)
        printf("%-10s %s\n", scenarios[i].name, scenarios[i].text);
    exit(0);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;

    switch (key) {
    case 's': a->scenario = scenario_of(state, arg); return 0;
    case KEY_LIST: list(); return 0;
    case 'e': a->seed = number_of(state, "seed", arg, 0, UINT64_MAX); return 0;
    case 'r': a->runs = number_of(state, "runs", arg, 1, RUNS_MOST); return 0;
    case 'f': a->frames = (uint32_t)number_of(state, "frames", arg, 1, FRAMES_MOST); return 0;
    case 't': a->trace = true; return 0;
    case KEY_LOSS: a->loss = fault(state, "loss", arg); return 0;
    case KEY_TWICE: a->twice = fault(state, "twice", arg); return 0;
    case KEY_MOVED: a->moved = fault(state, "moved", arg); return 0;
    case KEY_FLIPS: a->flips = fault(state, "flips", arg); return 0;
    case KEY_BURST: a->burst = fault(state, "burst", arg); return 0;
    case ARGP_KEY_ARG: argp_error(state, "unexpected argument '%s'", arg); return 0;
    case ARGP_KEY_END:
        if (a->trace && (a->scenario == NULL || a->runs != 1))
            argp_error(state, "--trace is for one --scenario and one run");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- a run ---- */

static void take(uint32_t *to, int64_t from)
{
    if (from >= 0)
        *to = (uint32_t)from;
}

static tl_rig_plan plan_of(const arguments *a, const scenario *s, const tl_crypto *crypto)
{
    tl_rig_plan plan = tl_rig_plan_default(crypto);

    s->plan(&plan);
    take(&plan.far.loss, a->loss);
    take(&plan.far.twice, a->twice);
    take(&plan.far.moved, a->moved);
    take(&plan.far.flips, a->flips);
    take(&plan.far.burst, a->burst);
    if (plan.far.moved_ns == 0)
        plan.far.moved_ns = 70 * TL_US;
    if (a->frames != 0)
        plan.frames = a->frames;
    plan.trace = a->trace ? stdout : NULL;
    return plan;
}

static void print_heading(void)
{
    printf("%-10s %-18s %7s %7s %5s %5s   %7s %5s %5s %7s\n", "scenario", "seed", "frames", "ok", "bad",
           "lost", "LOST", "TWICE", "MOVED", "DAMAGED");
}

static void print_run(const scenario *s, uint64_t seed, const tl_rig *rig)
{
    const tl_books *b = &rig->books;

    printf("%-10s 0x%-16llx %7llu %7llu %5llu %5llu   %7llu %5llu %5llu %7llu\n", s->name,
           (unsigned long long)seed, (unsigned long long)b->sent, (unsigned long long)b->ok,
           (unsigned long long)b->bad, (unsigned long long)b->lost, (unsigned long long)b->fates[0],
           (unsigned long long)b->fates[1], (unsigned long long)b->fates[2], (unsigned long long)b->fates[3]);
}

static void print_again(const arguments *a, const scenario *s, uint64_t seed, const char *wrong)
{
    const struct {
        const char *name;
        int64_t n;
    } faults[] = { { "loss", a->loss },   { "twice", a->twice },
                   { "moved", a->moved }, { "flips", a->flips },
                   { "burst", a->burst }, { "frames", a->frames != 0 ? (int64_t)a->frames : -1 } };

    printf("not true: %s\n  to see it again: %s --scenario %s --seed 0x%llx", wrong, program_invocation_name,
           s->name, (unsigned long long)seed);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (faults[i].n >= 0)
            printf(" --%s %lld", faults[i].name, (long long)faults[i].n);
    printf(" --trace\n");
}

/* Agrees on a session over a link with the streams' faults, as often as it takes. False: what an end believed was not true. */
static bool agree(tl_two_ends *ends, tl_rig_plan *plan, uint64_t seed)
{
    tl_duel *duel = calloc(1, sizeof *duel);
    tl_spdm_hops *hops = calloc(1, sizeof *hops);
    tl_world *world = tl_world_new(seed);
    const char *wrong = NULL;
    tl_duel_result result, right;

    if (duel == NULL || hops == NULL)
        abort();
    tl_random_determined(seed);
    tl_spdm_hops_open(hops, world);
    tl_assert_ok(tl_spdm_hops_run(hops, duel, &ends->who, TL_DUEL_SESSION, &right));
    tl_world_trace(world, plan->trace);
    do {
        hops->requests.faults = hops->responses.faults = plan->far;
        hops->requests.delay_ns = hops->responses.delay_ns = plan->far_delay_ns + TL_US;
        tl_assert_ok(tl_spdm_hops_run(hops, duel, &ends->who, TL_DUEL_SESSION, &result));
        wrong = tl_duel_wrong(duel, &result, &right);
    } while (wrong == NULL && !result.whole);
    plan->session = (tl_digest){ result.algs.hash,
                                 tl_span_of(ends->who.exported->bytes, tl_hash_size(result.algs.hash)) };
    tl_world_free(world);
    free(hops);
    free(duel);
    return wrong == NULL;
}

static bool run(const arguments *a, const scenario *s, uint64_t seed)
{
    const tl_ends_kind kind = tl_ends_kind_of((unsigned)(seed % TL_ENDS_KINDS));
    static tl_two_ends ends;
    tl_secret exported;
    tl_rig_plan plan;
    tl_rig *rig;
    bool right = true;

    tl_random_determined(seed);
    tl_two_ends_open(&ends, &kind);
    plan = plan_of(a, s, ends.pair.rq_end.crypto);
    ends.who.exported = &exported;
    if (s->session)
        right = agree(&ends, &plan, seed);
    rig = tl_rig_new(&plan, seed);
    tl_rig_run(rig);
    if (!tl_rig_holds(rig) || !right)
        print_again(a, s, seed, right ? rig->books.wrong : "what an end of SPDM believed");
    right = right && rig->books.wrong[0] == '\0';
    print_run(s, seed, rig);
    tl_rig_free(rig);
    tl_two_ends_close(&ends);
    tl_wipe(&exported, sizeof exported);
    return right;
}

int main(int argc, char **argv)
{
    const struct argp argp = { .options = table, .parser = parse, .doc = doc };
    arguments a = { .seed = 1, .runs = 1, .loss = -1, .twice = -1, .moved = -1, .flips = -1, .burst = -1 };
    uint64_t wrong = 0;

    argp_err_exit_status = 2;
    (void)argp_parse(&argp, argc, argv, 0, NULL, &a);
    print_heading();
    for (size_t i = 0; i < SCENARIOS; i++)
        for (uint64_t n = 0; n < a.runs; n++)
            if (a.scenario == NULL || a.scenario == &scenarios[i])
                wrong += !run(&a, &scenarios[i], a.seed + n);
    if (wrong > 0)
        printf("%llu runs in which something was not true\n", (unsigned long long)wrong);
    return wrong == 0 ? 0 : 1;
}
