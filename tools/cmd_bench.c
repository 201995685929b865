/* `trueline bench`: what protecting costs here, as ratios against bare OpenSSL in the same run, whole ends of a stream
 * against the time between two frames, and sessions against the crypto that they need. */
#include "backend.h"
#include "bench_link.h"
#include "bench_modes.h"
#include "bench_spdm.h"
#include "bench_stream.h"
#include "command.h"
#include "gate.h"
#include "ui.h"

#include <jansson.h>
#include <stdio.h>

typedef struct options {
    bool json;
    unsigned rounds;
    backend_level crypto;
} options;

enum { ROUNDS_DEFAULT = 31, FRAME_RATE = 60 };

/* Rows in the order in which they are measured. */
enum {
    ROW_PROTECT,
    ROW_VERIFY,
    ROW_PROTECT_SV1,
    ROW_VERIFY_SV1,
    ROW_SENDER,
    ROW_RECEIVER,
    ROW_P256,
    ROW_P384,
    ROWS
};

static const char doc[] =
    "Measures what protecting and verifying cost on this machine.\v"
    "Each line is a ratio of CPU time on one core: what it is compared with, over ours. More is better: 0.50 "
    "x "
    "openssl takes twice the time of OpenSSL alone, 3.00 x 60fps a third of the time between two frames. "
    "Slices "
    "that a busy neighbour slowed down are taken again; those that never came out clean are counted as "
    "unclean, "
    "and the median of the rounds counts.\n\n"
    "  bench sep_protect RATIO x openssl  1080p RAW12 lines made into protected\n"
    "                                     packets (header, tag, CRC-32, checksum),\n"
    "                                     against OpenSSL's tag over the same bytes\n"
    "  bench sep_verify RATIO x openssl   the same for verifying them\n"
    "  ..._sv1                            with encrypted pixels, against OpenSSL's\n"
    "                                     AES-128-GCM\n"
    "  bench sender RATIO x 60fps         1080p RAW12 samples in memory to bytes in\n"
    "                                     a loopback socket, against 1/60 s; a\n"
    "                                     second process receives them\n"
    "  bench receiver RATIO x 60fps       the same frame from the socket to its\n"
    "                                     verdict and to 16-bit samples; a second\n"
    "                                     process sends it\n\n"
    "  bench handshake_p256 RATIO x crypto\n"
    "                                     an SPDM session made and ended, both\n"
    "                                     ends in this process, against the same\n"
    "                                     calls of the crypto alone: here less is\n"
    "                                     better, 1.00 is a protocol that costs\n"
    "                                     nothing\n"
    "  bench handshake_p384 RATIO x crypto\n"
    "                                     the same with P-384, SHA-384, AES-256-GCM\n\n"
    "Wall is the time until both processes are done with a frame.\n\n"
    "The table at the end turns time into cameras, for each mode of protection: frames in memory, checksums "
    "made and checked too, pixels copied out when the frame has verified.\n\n"
    "Examples:\n"
    "  trueline bench\n"
    "  trueline bench --rounds 7   # quicker, less certain\n"
    "  trueline bench --json | jq .sentence\n";

static const struct argp_option option_table[] = {
    { "rounds", 'r', "N", 0, "comparisons per line, 1 to 101 (default 31)", 0 },
    { "json", 'j', NULL, 0, "one JSON object on stdout", 0 },
    { "crypto", 'c', "NAME", 0, BACKEND_OPTION_TEXT, 0 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    options *o = state->input;

    switch (key) {
    case 'r': o->rounds = (unsigned)ui_number(state, "--rounds", arg, 1, GATE_ROUNDS_MAX); return 0;
    case 'j': o->json = true; return 0;
    case 'c': o->crypto = backend_level_option(state, "--crypto", arg); return 0;
    case ARGP_KEY_ARG: argp_error(state, "unexpected argument '%s'", arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

typedef struct row {
    char name[32];
    const char *peer;
    gate_result result;
    unsigned messages, calls; /* of a handshake; 0: the row is of frames */
    size_t bytes;
} row;

static json_t *row_json(const row *r)
{
    const gate_result *g = &r->result;
    json_t *o = json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:i, s:i}", "name", r->name, "peer", r->peer,
                          "ratio", g->ratio, "low", g->low, "high", g->high, "own_us", g->own_us, "peer_us",
                          g->peer_us, "rounds", (int)g->rounds, "dirty", (int)g->dirty);

    if (g->wall_us > 0)
        (void)json_object_set_new(o, "wall_us", json_real(g->wall_us));
    if (r->messages > 0) {
        (void)json_object_set_new(o, "messages", json_integer(r->messages));
        (void)json_object_set_new(o, "bytes", json_integer((json_int_t)r->bytes));
        (void)json_object_set_new(o, "calls", json_integer(r->calls));
    }
    return o;
}

static void print_handshake(const row *r)
{
    const gate_result *g = &r->result;

    printf("      quartiles %.2f to %.2f; %.2f ms a handshake of %u messages, %zu bytes; ", g->low, g->high,
           g->own_us / 1e3, r->messages, r->bytes);
    printf("%s %.2f ms in %u calls; %u rounds, %u unclean slices\n", r->peer, g->peer_us / 1e3, r->calls,
           g->rounds, g->dirty);
}

static void print_frame(const row *r)
{
    double mbit = 8.0 * BENCH_WIDTH * BENCH_HEIGHT * BENCH_BITS / 8 / r->result.own_us;

    printf("      quartiles %.2f to %.2f; %.2f ms a frame (%.1f Gbit/s), ", r->result.low, r->result.high,
           r->result.own_us / 1e3, mbit / 1e3);
    if (r->result.wall_us > 0)
        printf("wall %.2f ms, ", r->result.wall_us / 1e3);
    printf("%s %.2f ms; %u rounds, %u unclean slices\n", r->peer, r->result.peer_us / 1e3, r->result.rounds,
           r->result.dirty);
}

static void print_row(const row *r)
{
    printf("bench %s %.2f x %s\n", r->name, r->result.ratio, r->peer);
    if (r->messages > 0)
        print_handshake(r);
    else
        print_frame(r);
    (void)fflush(stdout);
}

/* Both directions of one variant. */
static tl_exit run_variant(const options *o, tl_variant variant, const char *suffix, row rows[2],
                           tl_fault *fault)
{
    bench_stream b;
    bool failed;
    gate_job own, peer;

    if (bench_stream_open(&b, variant, o->crypto, fault) != TL_EXIT_OK)
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

/* One end of a stream, over a socket. */
static tl_exit run_link(const options *o, bench_end end, row *r, tl_fault *fault)
{
    bench_link b;
    gate_job own;
    tl_exit e = bench_link_open(&b, end, o->crypto, fault);

    if (e != TL_EXIT_OK)
        return e;
    own = bench_link_job(&b);
    r->peer = "60fps";
    (void)snprintf(r->name, sizeof r->name, "%s", own.name);
    r->result = gate_measure(&own, 1e6 / FRAME_RATE, o->rounds);
    e = bench_link_fault(&b, fault);
    if (!o->json && e == TL_EXIT_OK)
        print_row(r);
    bench_link_close(&b);
    return e;
}

/* Sessions over one curve. The ratio is what they take over what their crypto takes, so that one is timed as the other's
 * peer. */
static tl_exit run_handshake(const options *o, tl_group curve, row *r, tl_fault *fault)
{
    static bench_spdm b;
    gate_job own, calls;
    gate_result g;
    bool failed;

    if (bench_spdm_open(&b, curve, fault) != TL_EXIT_OK)
        return fault->code;
    own = bench_handshake(&b);
    calls = bench_calls(&b);
    g = gate_compare(&calls, &own, o->rounds);
    *r = (row){ .peer = calls.name, .result = g, .messages = b.messages, .bytes = b.bytes };
    r->calls = bench_spdm_calls(&b);
    r->result.own_us = g.peer_us / BENCH_SPDM_RUNS;
    r->result.peer_us = g.own_us / BENCH_SPDM_RUNS;
    (void)snprintf(r->name, sizeof r->name, "%s_%s", own.name, curve == TL_GROUP_P256 ? "p256" : "p384");
    failed = b.failed;
    bench_spdm_close(&b);
    if (failed)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "bench: a handshake failed");
    if (!o->json)
        print_row(r);
    return TL_EXIT_OK;
}

/* ---- modes ---- */

enum { MODES_MOST = 32 };

/* Every mode with the backend that a user gets. */
static tl_exit run_modes(const options *o, bench_mode modes[MODES_MOST], char level[16], tl_fault *fault)
{
    backend b;
    tl_exit e = TL_EXIT_OK;

    if (backend_open(&b, o->crypto, 0) != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "bench: no backend");
    (void)snprintf(level, 16, "%s", b.level);
    if (!o->json)
        printf("\nCameras of 8 MP at 30 frames/s (RAW12) that one core carries, by mode:\n\n"
               "  carrier  a tag for each  suite         pixels          verifies  protects\n");
    for (unsigned i = 0; i < bench_modes() && e == TL_EXIT_OK; i++) {
        bench_mode *m = &modes[i];

        e = bench_mode_run(&b, i, o->rounds, m, fault);
        if (e == TL_EXIT_OK && !o->json)
            printf("  %-7s  %-14s  %-12s  %-14s  %8u  %8u\n", m->carrier, m->tags, m->suite, m->pixels,
                   bench_cameras(m->verify.own_us), bench_cameras(m->protect.own_us));
        (void)fflush(stdout);
    }
    backend_close(&b);
    return e;
}

static json_t *mode_json(const bench_mode *m)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:f, s:f, s:i, s:i, s:i}", "carrier", m->carrier, "tag_for_each", m->tags,
        "suite", m->suite, "pixels", m->pixels, "verify_us", m->verify.own_us, "protect_us",
        m->protect.own_us, "verified_cameras", (int)bench_cameras(m->verify.own_us), "protected_cameras",
        (int)bench_cameras(m->protect.own_us), "dirty", (int)(m->verify.dirty + m->protect.dirty));
}

/* What all of it says, for someone who plans a machine. The first two modes are the usual ones. */
static void say(char *sentence, size_t n, const bench_mode *modes, const char *level)
{
    unsigned least = bench_cameras(modes[0].verify.own_us), most = least;

    for (unsigned i = 1; i < bench_modes(); i++) {
        unsigned c = bench_cameras(modes[i].verify.own_us);

        least = c < least ? c : least;
        most = c > most ? c : most;
    }
    (void)snprintf(
        sentence, n,
        "One core of this machine verifies %u cameras of 8 MP at 30 frames/s (RAW12) with a tag for each "
        "line, %u if their pixels are encrypted too, and %u to %u over all modes (kernels: %s).",
        bench_cameras(modes[0].verify.own_us), bench_cameras(modes[1].verify.own_us), least, most, level);
}

static int report(const options *o, const row rows[ROWS], const bench_mode *modes, const char *level,
                  tl_fault *fault)
{
    char sentence[320];
    json_t *list, *table, *all;

    say(sentence, sizeof sentence, modes, level);
    if (!o->json) {
        printf("\n%s\n", sentence);
        return ui_flush(fault) == TL_EXIT_OK ? TL_EXIT_OK : ui_fail("bench", fault);
    }
    list = json_array();
    table = json_array();
    for (int i = 0; i < ROWS; i++)
        json_array_append_new(list, row_json(&rows[i]));
    for (unsigned i = 0; i < bench_modes(); i++)
        json_array_append_new(table, mode_json(&modes[i]));
    all = json_pack("{s:o, s:o, s:s, s:s}", "rows", list, "modes", table, "kernels", level, "sentence",
                    sentence);
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
    row rows[ROWS] = { 0 };
    bench_mode modes[MODES_MOST] = { 0 };
    char level[16];

    if (ui_parse(&argp, argc, argv, &o) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    gate_calibrate();
    if (run_variant(&o, TL_SV_2, "", &rows[ROW_PROTECT], &fault) != TL_EXIT_OK ||
        run_variant(&o, TL_SV_1, "_sv1", &rows[ROW_PROTECT_SV1], &fault) != TL_EXIT_OK ||
        run_link(&o, BENCH_SENDER, &rows[ROW_SENDER], &fault) != TL_EXIT_OK ||
        run_link(&o, BENCH_RECEIVER, &rows[ROW_RECEIVER], &fault) != TL_EXIT_OK ||
        run_handshake(&o, TL_GROUP_P256, &rows[ROW_P256], &fault) != TL_EXIT_OK ||
        run_handshake(&o, TL_GROUP_P384, &rows[ROW_P384], &fault) != TL_EXIT_OK ||
        run_modes(&o, modes, level, &fault) != TL_EXIT_OK)
        return ui_fail("bench", &fault);
    return report(&o, rows, modes, level, &fault);
}
