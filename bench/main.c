/* `make bench`: how fast the library is, as ratios against what else one could use, and against what the machine can do.
 * docs/PERFORMANCE.md says how each figure is taken. */
#include "bench.h"
#include "record.h"
#include "ui.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LEVEL_ALL = -1, ROUNDS_DEFAULT = 31, RING_DEFAULT = 64, SLICE_US = 1000, KEYS = 256 };

typedef struct options {
    unsigned rounds, ring;
    const char *only, *json;
    int level;
} options;

static const char doc[] = "Measures the kernels, whole packets and the receiver, as ratios of time.\v"
                          "Each line is `bench NAME RATIO x PEER`: the peer's time over ours, median of the "
                          "rounds, above 1 ours is "
                          "faster. "
                          "Slices that a busy neighbour slowed down are taken again; those that never came "
                          "out clean are counted as "
                          "unclean. Before a row is timed its results are compared with the peer's.\n\n"
                          "Levels: best (what this machine can do), aesni (kernels and ipsec-mb held down to "
                          "AES-NI), soft (portable "
                          "C, "
                          "against OpenSSL without AES instructions), openssl (OpenSSL's backend in place of "
                          "the kernels). Default: "
                          "best, aesni, soft.\n\n"
                          "Exit code 1: results differ from a peer's, or a call failed.\n\n"
                          "Examples:\n"
                          "  trueline-bench\n"
                          "  trueline-bench --rounds 3 --only gmac --level best\n"
                          "  trueline-bench --json bench.json\n";

static const struct argp_option option_table[] = {
    { "rounds", 'r', "N", 0, "comparisons per line, 1 to 101 (default 31)", 0 },
    { "only", 'o', "NAME", 0, "rows whose name begins so", 0 },
    { "ring", 'f', "N", 0, "frames of 17 MB for `receive`, 2 to 256 (default 64: more than caches hold)", 0 },
    { "level", 'l', "NAME", 0, "best, aesni, soft or openssl", 0 },
    { "json", 'j', "FILE", 0, "write what was measured to a file", 0 },
    { 0 },
};

static int level_of(struct argp_state *state, const char *text)
{
    for (backend_level l = BACKEND_BEST; l <= BACKEND_OPENSSL; l++)
        if (strcmp(text, backend_level_name(l)) == 0)
            return (int)l;
    argp_error(state, "no such level: '%s'", text);
    return LEVEL_ALL;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    options *o = state->input;

    switch (key) {
    case 'r': o->rounds = (unsigned)ui_number(state, "--rounds", arg, 1, GATE_ROUNDS_MAX); return 0;
    case 'f': o->ring = (unsigned)ui_number(state, "--ring", arg, 2, 256); return 0;
    case 'o': o->only = arg; return 0;
    case 'l': o->level = level_of(state, arg); return 0;
    case 'j': o->json = arg; return 0;
    case ARGP_KEY_ARG: argp_error(state, "unexpected argument '%s'", arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void run_groups(bench *b)
{
    static const struct {
        const char *text;
        void (*run)(bench *b);
    } groups[] = {
#define ROWS(name, text) { text, rows_##name },
#include "rows.def"
#undef ROWS
    };

    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        b->group = groups[i].text;
        groups[i].run(b);
    }
}

static void run_level(bench *b, backend_level level)
{
    b->asked = level;
    if (backend_open(&b->backend, level, KEYS) != TL_OK) {
        record_note("level %s: not here", backend_level_name(level));
        return;
    }
    b->level = b->backend.level;
    b->crypto = b->backend.crypto;
    run_groups(b);
    backend_close(&b->backend);
}

/* ---- portable code ----
 * It is fair to compare it with OpenSSL and NSS as they are on a processor without AES instructions. Both read what they
 * may use from the environment when they are loaded, so these rows are made by a process of their own. */

static const char no_aes[] = "~0x200000200000000:~0x60000000000"; /* AES-NI and PCLMUL; VAES and VPCLMUL */

static bool is_without_aes(void)
{
    return getenv("OPENSSL_ia32cap") != NULL;
}

static void run_without_aes(bench *b, const options *o)
{
    extern char **environ;
    char rounds[16], file[] = "/tmp/trueline-bench-XXXXXX", only[] = "--only";
    char *const arguments[] = { (char[]){ "trueline-bench" },
                                (char[]){ "--level" },
                                (char[]){ "soft" },
                                (char[]){ "--rounds" },
                                rounds,
                                (char[]){ "--json" },
                                file,
                                o->only != NULL ? only : NULL,
                                strdup(o->only ? o->only : ""),
                                NULL };
    int fd = mkstemp(file), status = 1;
    pid_t child = -1;

    (void)snprintf(rounds, sizeof rounds, "%u", o->rounds);
    (void)setenv("OPENSSL_ia32cap", no_aes, 1);
    (void)setenv("NSS_DISABLE_HW_AES", "1", 1);
    (void)setenv("NSS_DISABLE_PCLMUL", "1", 1);
    if (fd < 0 || posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ) != 0 ||
        waitpid(child, &status, 0) != child || status != 0)
        bench_failed(b, "soft", "openssl", "its process failed");
    (void)unsetenv("OPENSSL_ia32cap");
    record_join(b, file);
    (void)close(fd);
    (void)unlink(file);
    free(arguments[8]);
}

int main(int argc, char **argv)
{
    static const struct argp argp = { option_table, parse, NULL, doc, NULL, NULL, NULL };
    options o = { .rounds = ROUNDS_DEFAULT, .ring = RING_DEFAULT, .level = LEVEL_ALL };
    bench b = { .slice_us = SLICE_US };
    tl_fault fault;
    bool written;

    if (ui_parse(&argp, argc, argv, &o) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    b.rounds = o.rounds;
    b.only = o.only;
    b.ring = o.ring;
    b.rows = json_array();
    gate_calibrate();
    for (int l = BACKEND_BEST; l <= BACKEND_OPENSSL; l++) {
        if (o.level != l && (o.level != LEVEL_ALL || l == BACKEND_OPENSSL))
            continue;
        if (l == BACKEND_SOFT && !is_without_aes())
            run_without_aes(&b, &o);
        else
            run_level(&b, (backend_level)l);
    }
    written = (o.json == NULL || record_write(&b, o.json, &fault)) && ui_flush(&fault) == TL_EXIT_OK;
    json_decref(b.rows);
    if (!written)
        return ui_fail("bench", &fault);
    if (b.failed > 0)
        record_note("%u rows failed", b.failed);
    return b.failed > 0 ? TL_EXIT_REFUSED : TL_EXIT_OK;
}
