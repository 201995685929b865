/* `trueline bench`: what protecting costs here, as ratios against bare OpenSSL in the same run. */
#include "bench_stream.h"
#include "command.h"
#include "gate.h"
#include "ui.h"

#include <jansson.h>
#include <stdio.h>

typedef struct options {
    bool json;
    unsigned rounds;
} options;

enum { ROUNDS_DEFAULT = 31 };

static const char doc[] =
    "Measures what protecting and verifying cost on this machine.\v"
    "Each line is a ratio against another library in the same process, behind a noise gate: slices that a "
    "busy "
    "neighbour slowed down are taken again, and the median of the rounds counts.\n\n"
    "  bench sep_protect RATIO x openssl   1080p RAW12 lines made into protected packets (header, tag, "
    "CRC-32,\n"
    "                                      checksum), against OpenSSL's tag over the same bytes alone\n"
    "  bench sep_verify RATIO x openssl    the same for verifying them\n"
    "  ..._sv1                             with encrypted pixels, against OpenSSL's AES-128-GCM\n\n"
    "Examples:\n"
    "  trueline bench\n"
    "  trueline bench --rounds 7       quicker, less certain\n"
    "  trueline bench --json | jq .sentence\n";

static const struct argp_option option_table[] = {
    { "rounds", 'r', "N", 0, "comparisons per line, 1 to 101 (default 31)", 0 },
    { "json", 'j', NULL, 0, "one JSON object on stdout", 0 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    options *o = state->input;

    switch (key) {
    case 'r': o->rounds = (unsigned)ui_number(state, "rounds", arg, 1, GATE_ROUNDS_MAX); return 0;
    case 'j': o->json = true; return 0;
    case ARGP_KEY_ARG: argp_error(state, "unexpected argument '%s'", arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

typedef struct row {
    char name[32];
    const char *peer;
    gate_result result;
} row;

static json_t *row_json(const row *r)
{
    return json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:i, s:i}", "name", r->name, "peer", r->peer,
                     "ratio", r->result.ratio, "low", r->result.low, "high", r->result.high, "own_us",
                     r->result.own_us, "peer_us", r->result.peer_us, "rounds", (int)r->result.rounds, "dirty",
                     (int)r->result.dirty);
}

static void print_row(const row *r)
{
    double mbit = 8.0 * BENCH_WIDTH * BENCH_HEIGHT * BENCH_BITS / 8 / r->result.own_us;

    printf("bench %s %.2f x %s\n", r->name, r->result.ratio, r->peer);
    printf("      quartiles %.2f to %.2f; %.2f ms a frame (%.1f Gbit/s), %s %.2f ms; %u rounds, %u unclean "
           "slices\n",
           r->result.low, r->result.high, r->result.own_us / 1e3, mbit / 1e3, r->peer,
           r->result.peer_us / 1e3, r->result.rounds, r->result.dirty);
    (void)fflush(stdout);
}

/* Both directions of one variant. */
static tl_exit run_variant(const options *o, tl_variant variant, const char *suffix, row rows[2],
                           tl_fault *fault)
{
    bench_stream b;
    bool failed;
    gate_job own, peer;

    if (bench_stream_open(&b, variant, fault) != TL_EXIT_OK)
        return fault->code;
    for (int i = 0; i < 2; i++) {
        own = i == 0 ? bench_protect(&b) : bench_verify(&b);
        peer = i == 0 ? bench_bare_protect(&b) : bench_bare_verify(&b);
        rows[i].peer = "openssl";
        (void)snprintf(rows[i].name, sizeof rows[i].name, "sep_%s%s", own.name, suffix);
        rows[i].result = gate_compare(&own, &peer, o->rounds);
        if (!o->json && !b.failed)
            print_row(&rows[i]);
    }
    failed = b.failed;
    bench_stream_close(&b);
    return failed ? tl_fault_set(fault, TL_EXIT_INTERNAL, "bench: a frame did not verify") : TL_EXIT_OK;
}

/* Cameras of 8 MP, 30 frames/s, RAW12, that one core verifies: pixels a second over pixels a second. */
static unsigned cameras(const row *verify)
{
    double frames = 1e6 / verify->result.own_us;

    return (unsigned)(frames * BENCH_WIDTH * BENCH_HEIGHT / (3840.0 * 2160.0 * 30.0));
}

static int report(const options *o, const row rows[4], tl_fault *fault)
{
    char sentence[200];
    json_t *list = json_array(), *all;

    (void)snprintf(sentence, sizeof sentence,
                   "One core of this machine verifies %u cameras of 8 MP at 30 frames/s (RAW12), or %u with "
                   "encrypted pixels.",
                   cameras(&rows[1]), cameras(&rows[3]));
    if (!o->json) {
        json_decref(list);
        printf("%s\n", sentence);
        return ui_flush(fault) == TL_EXIT_OK ? TL_EXIT_OK : ui_fail("bench", fault);
    }
    for (int i = 0; i < 4; i++)
        json_array_append_new(list, row_json(&rows[i]));
    all = json_pack("{s:o, s:s}", "rows", list, "sentence", sentence);
    json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(5));
    printf("\n");
    json_decref(all);
    return ui_flush(fault) == TL_EXIT_OK ? TL_EXIT_OK : ui_fail("bench", fault);
}

int cmd_bench(int argc, char **argv)
{
    static const struct argp argp = { option_table, parse, NULL, doc, NULL, NULL, NULL };
    options o = { .rounds = ROUNDS_DEFAULT };
    tl_fault fault;
    row rows[4];

    int stop = ui_parse(&argp, argc, argv, &o);

    if (stop != 0)
        return TL_EXIT_USAGE;
    gate_calibrate();
    if (run_variant(&o, TL_SV_2, "", rows, &fault) != TL_EXIT_OK ||
        run_variant(&o, TL_SV_1, "_sv1", rows + 2, &fault) != TL_EXIT_OK)
        return ui_fail("bench", &fault);
    return report(&o, rows, &fault);
}
