/* The program of `make attack`: cases of both kinds, so that two of ten changes are to messages of SPDM, until there are
 * enough, or one was accepted; then the ways in which they were noticed, and the sum. */
#include "attack.h"
#include "clock.h"
#include "levels.h"
#include "number.h"

#include <argp.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRIES = 20000, OF_TEN_SPDM = 2, HANG_SECONDS = 100, PROGRESS = 64, ALL_KINDS = 20000 };
/* More than this between a tenth of the way and its end is a leak; the C library keeps some of what was given back. */
enum { HEAP_MORE = 256 * 1024, RESIDENT_MORE = 2048 * 1024 };

typedef enum sort { STREAMS = 0, SPDM, BOTH } sort;
static const char *const sorts[] = { "streams", "spdm" };
static const char *const withouts[WITHOUTS] = { "nothing", "tags", "signatures", "forgetting" };

typedef struct arguments {
    attack_options options;
    uint64_t tries, seed;
    sort only;
    bool one; /* the case of that seed alone */
    bool trace;
} arguments;

/* ---- the command line ---- */

static const char doc[] =
    "Changes packets and messages by chance and hands them to the receivers of streams and to both ends "
    "of SPDM, in simulated worlds.\vThe last line is `attack: N tried, M accepted, ...`; above it stands "
    "how the changes were noticed, and what was done while keys were under way. Exit code 0: none was "
    "accepted, memory did not grow, and of 20,000 or more there was each of the kinds of that table; 1: "
    "else, with the command that shows the case again, and it ends there; 2: wrong usage.\n\n"
    "Examples:\n"
    "  attack                          20,000 changes\n"
    "  attack -n 1000000 --seed 7      a million others\n"
    "  attack --only spdm              messages alone\n"
    "  attack --case streams:0x1234 --trace | less\n"
    "                                  one case, with all that is on the wires\n"
    "  attack --without tags           a receiver that finds every tag right: must end with 1\n"
    "  attack --without forgetting     ends that keep old keys: must end with 1\n";

static const struct argp_option table[] = {
    { "number", 'n', "N", 0, "changes to try (default 20000)", 0 },
    { "seed", 's', "SEED", 0, "what everything follows from (default 1)", 0 },
    { "only", 'o', "WHAT", 0, "streams or spdm", 0 },
    { "case", 'c', "WHAT:SEED", 0, "one case alone, as a run before has named it", 0 },
    { "trace", 't', NULL, 0, "with --case: what happens on each wire, with virtual times", 0 },
    { "without", 'w', "CHECK", 0,
      "tags: the receiver of streams finds every tag right; signatures: the controller finds every "
      "signature right; forgetting: a stream's key that was given up, and records under one, go on being "
      "good",
      0 },
    { 0 },
};

static sort sort_of(const struct argp_state *state, const char *text, size_t n)
{
    for (sort s = STREAMS; s < BOTH; s++)
        if (strlen(sorts[s]) == n && strncmp(text, sorts[s], n) == 0)
            return s;
    argp_error(state, "'%.*s' is neither streams nor spdm", (int)n, text);
    return BOTH;
}

static void take_case(const struct argp_state *state, const char *text, arguments *a)
{
    const char *colon = strchr(text, ':');

    if (colon == NULL)
        argp_error(state, "--case: '%s' is not WHAT:SEED", text);
    a->only = sort_of(state, text, (size_t)(colon - text));
    a->seed = number_of(state, "case", colon + 1, 0, UINT64_MAX);
    a->one = true;
}

static attack_without without_of(const struct argp_state *state, const char *text)
{
    for (unsigned w = WITHOUT_NOTHING + 1; w < WITHOUTS; w++)
        if (strcmp(withouts[w], text) == 0)
            return (attack_without)w;
    argp_error(state, "--without: '%s' is none of tags, signatures, forgetting", text);
    return WITHOUT_NOTHING;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;

    switch (key) {
    case 'n': a->tries = number_of(state, "number", arg, 1, UINT64_MAX); return 0;
    case 's': a->seed = number_of(state, "seed", arg, 0, UINT64_MAX); return 0;
    case 'o': a->only = sort_of(state, arg, strlen(arg)); return 0;
    case 'c': take_case(state, arg, a); return 0;
    case 't': a->trace = true; return 0;
    case 'w': a->options.without = without_of(state, arg); return 0;
    case ARGP_KEY_ARG: argp_error(state, "unexpected argument '%s'", arg); return 0;
    case ARGP_KEY_END:
        if (a->trace && !a->one)
            argp_error(state, "--trace is for one --case");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- counting ---- */

void attack_count(attack_tally *t, const char *target, const char *way, uint64_t n)
{
    attack_way *w;

    if (n == 0)
        return;
    for (size_t i = 0; i < t->ways_n; i++) {
        w = &t->ways[i];
        if (w->target == target && strcmp(w->way, way) == 0) {
            w->n += n;
            return;
        }
    }
    if (t->ways_n == ATTACK_WAYS)
        abort();
    w = &t->ways[t->ways_n++];
    w->target = target;
    (void)snprintf(w->way, sizeof w->way, "%s", way);
    w->n = n;
}

void attack_accepted(attack_tally *t, const char *what)
{
    t->accepted++;
    (void)snprintf(t->accepted_as, sizeof t->accepted_as, "%s", what);
}

static int by_target(const void *a, const void *b)
{
    const attack_way *x = a, *y = b;
    const int order = strcmp(x->target, y->target);

    if (order != 0)
        return order;
    return x->n < y->n ? 1 : x->n > y->n ? -1 : strcmp(x->way, y->way);
}

static void print_ways(attack_tally *t)
{
    const char *target = "";

    qsort(t->ways, t->ways_n, sizeof t->ways[0], by_target);
    for (size_t i = 0; i < t->ways_n; i++) {
        const attack_way *w = &t->ways[i];
        uint64_t all = 0;

        for (size_t k = i; strcmp(w->target, target) != 0 && k < t->ways_n; k++)
            all += t->ways[k].target == w->target ? t->ways[k].n : 0;
        if (all > 0)
            printf("%s: %llu\n", w->target, (unsigned long long)all);
        target = w->target;
        printf("%12llu  %s\n", (unsigned long long)w->n, w->way);
    }
}

/* ---- memory ---- */

typedef struct memory {
    size_t heap, resident;
} memory;

static memory memory_now(void)
{
    memory m = { .heap = mallinfo2().uordblks };
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;

    if (f != NULL) {
        if (fscanf(f, "%*u %lu", &pages) != 1)
            pages = 0;
        (void)fclose(f);
    }
    m.resident = pages * (size_t)sysconf(_SC_PAGESIZE);
    return m;
}

/* Sanitizers keep what is freed, so there it says nothing. */
static bool memory_is_flat(const memory *from, const memory *to)
{
    return tl_levels_sanitized() ||
           (to->heap <= from->heap + HEAP_MORE && to->resident <= from->resident + RESIDENT_MORE);
}

static void print_memory(const memory *from, const memory *to, bool flat)
{
    if (tl_levels_sanitized())
        printf("memory is the sanitizer's\n");
    else
        printf("heap %zu KiB at a tenth and %zu KiB at the end, resident %zu and %zu KiB%s\n",
               from->heap / 1024, to->heap / 1024, from->resident / 1024, to->resident / 1024,
               flat ? "" : ": memory grew");
}

/* ---- a case that does not come back ---- */

static char again[ATTACK_TEXT]; /* the command that shows the case at hand */

static void on_signal(int signal)
{
    static const char crashed[] = "\nattack: ended inside a case; to see it again: ";
    static const char line[] = "\n";

    (void)!write(STDERR_FILENO, crashed, sizeof crashed - 1);
    (void)!write(STDERR_FILENO, again, strlen(again));
    (void)!write(STDERR_FILENO, line, sizeof line - 1);
    (void)kill(getpid(), signal);
}

/* With a sanitizer a crash is its own to report; it aborts then. */
static void name_the_case_in_a_crash(void)
{
    static const int signals[] = { SIGABRT, SIGALRM, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_NODEFER };

    for (size_t i = 0; i < (tl_levels_sanitized() ? 2 : sizeof signals / sizeof *signals); i++)
        (void)sigaction(signals[i], &action, NULL);
}

/* ---- the run ---- */

static uint64_t mix(uint64_t seed, uint64_t n)
{
    uint64_t z = seed * 0x9E3779B97F4A7C15u + n * 0xD1342543DE82EF95u + 1;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    return z ^ z >> 31;
}

static void run_case(const arguments *a, sort s, uint64_t seed, attack_tally *t)
{
    const bool whole = a->options.without == WITHOUT_NOTHING;
    const uint64_t before = t->accepted;

    (void)snprintf(again, sizeof again, "%s --case %s:0x%llx%s%s --trace", program_invocation_name, sorts[s],
                   (unsigned long long)seed, whole ? "" : " --without ",
                   whole ? "" : withouts[a->options.without]);
    (void)alarm(HANG_SECONDS);
    if (s == STREAMS)
        attack_streams_case(seed, t);
    else
        attack_spdm_case(seed, t);
    if (t->accepted > before)
        printf("accepted: %s\n  to see it again: %s\n", t->accepted_as, again);
}

static void progress(const attack_tally *t, uint64_t tries, uint64_t cases)
{
    if (cases % PROGRESS != 0 || isatty(STDERR_FILENO) == 0)
        return;
    (void)fprintf(stderr, "\r%llu of %llu tried, %llu accepted ", (unsigned long long)t->tried,
                  (unsigned long long)tries, (unsigned long long)t->accepted);
    (void)fflush(stderr);
}

/* Cases of both sorts in their shares, until there were enough changes. *tenth: memory when a tenth was done. */
static void run_all(const arguments *a, attack_tally *t, memory *tenth)
{
    uint64_t tried[2] = { 0, 0 };
    bool taken = false;

    for (uint64_t n = 0; t->tried < a->tries && t->accepted == 0; n++) {
        const sort s = a->only != BOTH ? a->only : tried[SPDM] * 10 < t->tried * OF_TEN_SPDM ? SPDM : STREAMS;
        const uint64_t before = t->tried;

        run_case(a, s, mix(a->seed, n), t);
        tried[s] += t->tried - before;
        if (!taken && t->tried * 10 >= a->tries) {
            *tenth = memory_now();
            taken = true;
        }
        progress(t, a->tries, n);
    }
    if (isatty(STDERR_FILENO) != 0)
        (void)fprintf(stderr, "\r\033[K");
}

int main(int argc, char **argv)
{
    const struct argp argp = { .options = table, .parser = parse, .doc = doc };
    arguments a = { .tries = TRIES, .seed = 1, .only = BOTH };
    static attack_tally t;
    memory from, to;
    uint64_t start;
    bool flat, all;

    argp_err_exit_status = 2;
    (void)argp_parse(&argp, argc, argv, 0, NULL, &a);
    a.options.trace = a.trace ? stdout : NULL;
    attack_streams_open(&a.options);
    attack_spdm_open(&a.options);
    name_the_case_in_a_crash();
    start = tl_clock_us();
    from = memory_now();
    if (a.one)
        run_case(&a, a.only, a.seed, &t);
    else
        run_all(&a, &t, &from);
    (void)alarm(0);
    to = memory_now();
    flat = a.one || memory_is_flat(&from, &to);
    all = a.one || t.accepted > 0 || a.tries < ALL_KINDS ||
          attack_had_all_kinds(&t, a.only != SPDM, a.only != STREAMS);
    if (!a.one) {
        print_ways(&t);
        attack_print_kinds(&t);
    }
    if (!all)
        printf("attack: something of that table never happened\n");
    printf("attack: %llu tried, %llu accepted, %.1f s, ", (unsigned long long)t.tried,
           (unsigned long long)t.accepted, (double)(tl_clock_us() - start) / 1e6);
    print_memory(&from, &to, flat);
    attack_spdm_close();
    attack_streams_close();
    return t.accepted == 0 && flat && all ? 0 : 1;
}
