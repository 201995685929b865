/* `trueline demo`: sensor and controller as processes of their own, with the demo between them. First they authenticate each
 * other and a clean stream flows, whose frames must all verify; then everybody who is not who he should be, every attack on
 * SPDM, and every attack of sim/attacks.def on the stream, all of which must be noticed. What happened is judged by the
 * controller's exit codes and reports, and stands in OUT/report.json. */
#include "backend.h"
#include "clock.h"
#include "command.h"
#include "demo_attacks.h"
#include "demo_auth.h"
#include "demo_record.h"
#include "demo_session.h"
#include "demo_sheet.h"
#include "demo_steps.h"
#include "demo_view.h"
#include "file.h"
#include "stop.h"
#include "stream_file.h"
#include "ui.h"
#include "view.h"

#include <trueline/openssl.h>

#include <dirent.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME      "demo"
#define LIVE_RATE "15" /* frames in a second for people who watch */
#define CLIP      "/usr/share/forensics-samples/original-files/movie1/VID_20191220_170832.mp4"

enum { OPT_WIDTH = 0x100, OPT_HEIGHT, OPT_BITS, OPT_JSON, OPT_KEEP, OPT_CRYPTO, OPT_VIEW };
enum { FRAMES = 60, OTHER_FRAMES = 3, PATH_ROOM = 600, AGREED_STREAM = 1, OTHER_STREAM = 2 };

typedef struct demo_options {
    uint64_t frames; /* 0: with --view, without end */
    const char *input, *out, *crypto, *view;
    uint32_t width, height, bits;
    bool json, keep;
    tap_options tap;
} demo_options;

typedef struct demo {
    demo_options o;
    demo_steps steps;
    char folder[PATH_ROOM];                         /* private, removed at the end */
    char other[PATH_ROOM];                          /* the other stream's file */
    char buttons[PATH_ROOM];                        /* a socket, with --view */
    char size[24], bits[8];                         /* for sensors */
    char frames[PATH_ROOM], pictures[2][PATH_ROOM]; /* of the clean part; of attacked frames, by cost */
    tl_stream_config config;
    demo_attacker attacker;
    demo_auth auth;
    demo_record record;
    demo_session clean, foreign, attacked[2], live;
    demo_view view;
    demo_result *results;
    uint64_t frames_ok, frames_bad;
    size_t noticed;
} demo;

static const struct argp_option options[] = {
    { "frames", 'n', "N", 0, "frames of the clean part, 3 and more (60)", 1 },
    { "input", 'i', "INPUT", 0,
      "what the sensor plays: as `trueline sensor --input` (a video clip, else scene)", 1 },
    { "width", OPT_WIDTH, "PIXELS", 0, "pixels of a line, a multiple of 4 (1920)", 2 },
    { "height", OPT_HEIGHT, "LINES", 0, "lines of pixels, even (1080)", 2 },
    { "bits", OPT_BITS, "10|12", 0, "RAW10 or RAW12 (12)", 2 },
    { "view", OPT_VIEW, "PORT", 0,
      "instead of it all: a stream that goes on, and a page of this machine (PORT or HOST:PORT, 0 takes a "
      "free one) that "
      "shows it and has buttons that attack; with --frames N it ends after N frames, else by Ctrl-C",
      3 },
    { "out", 'o', "DIR", 0, "where pictures and report.json go (out)", 3 },
    { "json", OPT_JSON, NULL, 0, "the report on stdout too; the narrative on stderr", 3 },
    { "keep", OPT_KEEP, NULL, 0, "keep the temporary files", 3 },
    { "crypto", OPT_CRYPTO, "NAME", 0, BACKEND_OPTION_TEXT, 3 },
    { 0 },
};

static void check_view(struct argp_state *state, const demo_options *o)
{
    tl_address address;
    tl_fault fault;

    if (o->view == NULL)
        return;
    if (o->json || o->out != NULL)
        argp_error(state, "--view writes nothing: leave --out and --json away");
    if (view_address(o->view, &address, &fault) != TL_EXIT_OK)
        argp_error(state, "--%s", fault.text);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    demo_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &o->tap; return 0;
    case 'n': o->frames = ui_number(state, "--frames", arg, OTHER_FRAMES, 100000); return 0;
    case 'i': o->input = arg; return 0;
    case 'o': o->out = arg; return 0;
    case OPT_VIEW: o->view = arg; return 0;
    case ARGP_KEY_END: check_view(state, o); return 0;
    case OPT_WIDTH: o->width = (uint32_t)ui_number(state, "--width", arg, 16, 8192); return 0;
    case OPT_HEIGHT: o->height = (uint32_t)ui_number(state, "--height", arg, 8, 8192); return 0;
    case OPT_BITS: o->bits = ui_one_of(state, "--bits", arg, stream_file_bits, 2); return 0;
    case OPT_JSON: o->json = true; return 0;
    case OPT_KEEP: o->keep = true; return 0;
    case OPT_CRYPTO: o->crypto = backend_level_name(backend_level_option(state, "--crypto", arg)); return 0;
    case ARGP_KEY_ARG: argp_error(state, "'%s' is too much", arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = { { &tap_argp, 0,
                                                "Recording, by the controllers, each session's stream under "
                                                "a name of its own; the attackers on SPDM are not in it:",
                                                4 },
                                              { 0 } };

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .children = children,
    .doc =
        "Shows what protection does: a clean stream from a sensor process to a controller process, then "
        "every "
        "attack that is known here on the wire between them. Exit code 0: all clean frames verified, and "
        "every "
        "attack was noticed or did no harm."
        "\vOf attacks on the stream, 'redone' says which checksums the attacker made right again: none "
        "(raw), "
        "ECC and CRC-16 (crc16), the CRC-32 too (all).\n\n"
        "A capture has a section for each session: the clean one, that of the other stream, and those with "
        "attacked frames, as they reached the controller. A frame of the default size takes 3 MB of it.\n\n"
        "Examples:\n"
        "  trueline demo\n"
        "  trueline demo --input scene --width 640 --height 360 --frames 10\n"
        "  trueline demo --view 8080\n"
        "  trueline demo --width 320 --height 180 --capture demo.pcapng \\\n"
        "      --export-secrets demo.keys\n"
        "  trueline demo --out /tmp/demo --json | jq .attacks_noticed\n",
};

/* ---- folders ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static tl_exit make_folders(demo *d, tl_fault *fault)
{
    const char *base = getenv("TMPDIR");
    tl_exit e;

    (void)snprintf(d->folder, sizeof d->folder, "%.400s/trueline-demo-XXXXXX",
                   base != NULL && base[0] != 0 ? base : "/tmp");
    if (mkdtemp(d->folder) == NULL) {
        e = tl_fault_errno(fault, TL_EXIT_INTERNAL, "folder: %s", d->folder);
        d->folder[0] = 0;
        return e;
    }
    (void)snprintf(d->other, sizeof d->other, "%.500s/other.json", d->folder);
    (void)snprintf(d->buttons, sizeof d->buttons, "%.500s/buttons", d->folder);
    (void)snprintf(d->pictures[0], sizeof d->pictures[0], "%.500s/harmless", d->folder);
    (void)snprintf(d->pictures[1], sizeof d->pictures[1], "%.500s/attacked", d->folder);
    e = demo_record_open(&d->record, &d->o.tap, d->folder, fault);
    if (e != TL_EXIT_OK || d->o.view != NULL)
        return e;
    (void)snprintf(d->frames, sizeof d->frames, "%.500s/frames", d->o.out);
    e = tl_file_folder(d->o.out, fault);
    return e == TL_EXIT_OK ? tl_file_folder(d->frames, fault) : e;
}

/* Pictures of an earlier run would pass for this one's. Without a folder for them there are none. */
static void remove_old(const demo *d)
{
    DIR *folder = d->frames[0] != '\0' ? opendir(d->frames) : NULL;
    struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL)
        if (strncmp(entry->d_name, "frame_", 6) == 0)
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder != NULL)
        (void)closedir(folder);
}

static void remove_folder(const demo *d)
{
    if (d->folder[0] == 0)
        return;
    if (d->o.keep)
        ui_note(NAME, "temporary files are kept in %s", d->folder);
    else
        (void)nftw(d->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- what is agreed, and what is provisioned ---- */

/* Pixels encrypted, as the controller chooses it by default. */
static tl_exit make_geometry(const demo *d, uint32_t id, stream_file *file, tl_fault *fault)
{
    stream_file_init(file);
    file->stream = id;
    file->width = d->o.width;
    file->height = d->o.height;
    file->bits = d->o.bits;
    file->variant_middle = TL_SV_1;
    return stream_file_build(file, "--width, --height, --bits", fault);
}

/* The other stream, that the attacker will listen to, has a file. */
static tl_exit make_other(const demo *d, const tl_crypto *crypto, tl_fault *fault)
{
    stream_file file;
    tl_exit e = make_geometry(d, OTHER_STREAM, &file, fault);

    if (e == TL_EXIT_OK && crypto->ops->random(crypto->ctx, file.secret, sizeof file.secret) != TL_OK)
        e = tl_fault_set(fault, TL_EXIT_INTERNAL, "stream file: no random bytes");
    if (e == TL_EXIT_OK)
        e = stream_file_write(&file, d->other, TL_FILE_REFUSE, fault);
    stream_file_wipe(&file);
    return e;
}

static tl_exit make_streams(demo *d, tl_fault *fault)
{
    stream_file geometry;
    tl_openssl *openssl;
    tl_exit e = backend_start_openssl(&openssl, fault);

    if (e != TL_EXIT_OK)
        return e;
    (void)snprintf(d->size, sizeof d->size, "%ux%u", d->o.width, d->o.height);
    (void)snprintf(d->bits, sizeof d->bits, "%u", d->o.bits);
    e = make_geometry(d, AGREED_STREAM, &geometry, fault);
    d->config = geometry.config;
    if (e == TL_EXIT_OK)
        e = make_other(d, tl_openssl_crypto(openssl), fault);
    tl_openssl_close(openssl);
    if (e == TL_EXIT_OK)
        e = demo_auth_prepare(&d->auth, d->folder, &geometry, TL_PROGRAM_VERSION, fault);
    if (e == TL_EXIT_OK)
        demo_step(&d->steps, 0, "keys and certificates; reference measurements of %ux%u RAW%u", d->o.width,
                  d->o.height, d->o.bits);
    return e;
}

/* ---- the sessions ---- */

/* stream NULL: it is agreed. */
static tl_exit run_session(demo *d, demo_session *s, const char *stream, uint64_t frames, tl_fault *fault)
{
    tl_fault other;
    tl_exit e, taken;

    s->folder = d->folder;
    s->stream = stream;
    s->keys = d->auth.keys;
    s->reference = d->auth.reference;
    s->size = d->size;
    s->bits = d->bits;
    s->input = d->o.input;
    s->crypto = d->o.crypto;
    s->frames = frames;
    s->steps = &d->steps;
    s->record.capture = d->record.of_session.capture;
    s->record.secrets = d->record.of_session.secrets;
    if (s->hand.ctx == NULL)
        s->hand.ctx = &d->attacker;
    e = demo_session_run(s, fault);
    taken = demo_record_take(&d->record, &other);
    if (e == TL_EXIT_OK && taken != TL_EXIT_OK) {
        *fault = other;
        e = taken;
    }
    return e;
}

static uint64_t total(const demo_session *s, const char *what)
{
    return (uint64_t)json_integer_value(json_object_get(json_object_get(s->report, "totals"), what));
}

/* The session that nobody attacks; the attacker listens. */
static tl_exit run_first(demo *d, const char *const *more, uint64_t frames, tl_fault *fault)
{
    tl_exit e;

    d->clean.more = more;
    d->clean.hand.frame = demo_record_session;
    d->clean.tell = true;
    d->clean.record.name = "clean";
    e = run_session(d, &d->clean, NULL, frames, fault);
    d->clean.more = NULL;
    return e;
}

static tl_exit run_clean(demo *d, tl_fault *fault)
{
    const char *const more[] = { "--out", d->frames, NULL };
    tl_exit e;

    demo_heading(&d->steps, "The sensor and the controller prove themselves, then a protected stream");
    e = run_first(d, more, d->o.frames, fault);
    if (e != TL_EXIT_OK)
        return e;
    d->frames_ok = total(&d->clean, "frames_ok");
    d->frames_bad = total(&d->clean, "frames_bad") + total(&d->clean, "frames_lost");
    demo_step(&d->steps, d->clean.bytes, "%" PRIu64 " of %" PRIu64 " frames verified, written to %s",
              d->frames_ok, d->o.frames, d->frames);
    return TL_EXIT_OK;
}

static tl_exit run_foreign(demo *d, tl_fault *fault)
{
    static const char *const more[] = { NULL };
    tl_exit e;

    d->foreign.more = more;
    d->foreign.hand.frame = demo_record_stream;
    demo_heading(&d->steps, "The attacker listens to another stream");
    d->foreign.record.name = "other_stream";
    e = run_session(d, &d->foreign, d->other, OTHER_FRAMES, fault);
    if (e == TL_EXIT_OK)
        demo_step(&d->steps, d->foreign.bytes, "%d frames recorded", OTHER_FRAMES);
    return e;
}

static tl_exit run_auth(demo *d, tl_fault *fault)
{
    tl_exit e;

    demo_heading(&d->steps, "Pretenders, and the attacker on SPDM");
    e = demo_auth_people(&d->auth, &d->steps, fault);
    return e == TL_EXIT_OK ? demo_auth_messages(&d->auth, &d->steps, fault) : e;
}

/* Where frames are lost, only these become pictures: there are many, and all the others are as they were. */
static tl_exit run_attacks(demo *d, tl_attack_cost cost, tl_fault *fault)
{
    const char *const more[] = { "--release",
                                 "line",
                                 "--keep-going",
                                 "--keep-revoked",
                                 "--out",
                                 d->pictures[cost],
                                 "--virtual-channel",
                                 "0,1",
                                 "--png",
                                 cost == TL_COSTS_FRAME ? "none" : "all",
                                 NULL };
    demo_session *s = &d->attacked[cost];
    tl_exit e;

    s->more = more;
    s->hand.frame = demo_attack_frame;
    d->attacker.cost = cost;
    d->attacker.config.channels_accepted = 1u << 0 | 1u << 1;
    demo_heading(&d->steps, cost == TL_COSTS_FRAME ? "The attacker spoils frames"
                                                   : "The attacker does what must do no harm");
    s->record.name = cost == TL_COSTS_FRAME ? "attacked" : "harmless";
    e = run_session(d, s, NULL, demo_attack_frames(cost), fault);
    s->more = NULL;
    if (e != TL_EXIT_OK)
        return e;
    demo_judge(&d->attacker, s->report, d->pictures[cost], d->results);
    demo_step(&d->steps, s->bytes,
              "%zu attacks, each on a frame of its own: %" PRIu64 " frames lost, %" PRIu64 " verified",
              demo_attack_rows(cost), total(s, "frames_bad") + total(s, "frames_lost"),
              total(s, "frames_ok"));
    return TL_EXIT_OK;
}

/* What every demo has before its first session. */
static tl_exit prepare(demo *d, tl_fault *fault)
{
    tl_exit e = make_folders(d, fault);

    if (e != TL_EXIT_OK)
        return e;
    remove_old(d);
    e = make_streams(d, fault);
    return e == TL_EXIT_OK ? demo_attacker_open(&d->attacker, &d->config, fault) : e;
}

/* ---- for people who watch ---- */

/* The port must be free: whoever took it is better named now than after all keys were made. */
static tl_exit try_port(const demo *d, tl_fault *fault)
{
    tl_address address;
    tl_net_name name;
    int fd;
    tl_exit e = view_address(d->o.view, &address, fault);

    if (e == TL_EXIT_OK)
        e = tl_net_listen(&address, &fd, &name, fault);
    if (e == TL_EXIT_OK)
        (void)close(fd);
    return e;
}

/* What the attacker needs of other sessions. */
static tl_exit run_recordings(demo *d, tl_fault *fault)
{
    static const char *const more[] = { NULL };

    demo_heading(&d->steps, "The attacker listens to an earlier session");
    return run_first(d, more, OTHER_FRAMES, fault);
}

static tl_exit run_live(demo *d, tl_fault *fault)
{
    const char *const more[] = { "--view", d->o.view,      "--view-attacks",    d->buttons, "--release",
                                 "line",   "--keep-going", "--virtual-channel", "0,1",      NULL };
    tl_exit e = demo_view_open(&d->view, &d->attacker, d->buttons, fault);

    if (e != TL_EXIT_OK)
        return e;
    d->attacker.config.channels_accepted = 1u << 0 | 1u << 1;
    d->live.more = more;
    d->live.live = true;
    d->live.rate = LIVE_RATE;
    d->live.hand = (demo_hand){ &d->view, demo_view_frame };
    demo_heading(&d->steps, "A stream to watch, and to attack; Ctrl-C ends it");
    d->live.record.name = "live";
    e = run_session(d, &d->live, NULL, d->o.frames, fault);
    d->live.more = NULL;
    return e;
}

static tl_exit run_view(demo *d, tl_fault *fault)
{
    const demo_totals *t = &d->live.totals;
    tl_exit e = try_port(d, fault);

    if (e == TL_EXIT_OK)
        e = prepare(d, fault);
    if (e == TL_EXIT_OK)
        e = run_recordings(d, fault);
    if (e == TL_EXIT_OK)
        e = run_foreign(d, fault);
    if (e == TL_EXIT_OK)
        e = run_live(d, fault);
    if (e != TL_EXIT_OK)
        return e;
    (void)fprintf(d->steps.to,
                  "demo: frames=%" PRIu64 " frames_ok=%" PRIu64 " frames_refused=%" PRIu64 " attacks=%" PRIu64
                  "\n",
                  d->live.frames_sent, t->frames_ok, t->frames_bad + t->frames_lost, d->view.made);
    e = ui_flush(fault);
    return e == TL_EXIT_OK ? demo_view_judge(&d->view, &d->live, fault) : e;
}

/* ---- what is told at the end ---- */

static const char *expected_text(const tl_attack *a)
{
    return a->verdict == TL_VERDICT_OK ? "harmless" : tl_verdict_text(a->verdict);
}

static void print_row(const demo *d, const demo_result *r)
{
    const char *outcome = !r->expected ? "NOT AS EXPECTED" : r->lost ? "noticed" : "harmless";
    char where[40];

    demo_result_place(r, where, sizeof where);
    (void)fprintf(d->steps.to, "  %-42s %-6s %-14s %-14s %-17s %s\n", r->attack->text,
                  tl_attack_repair_text(r->attack->repair), expected_text(r->attack), r->verdict, where,
                  outcome);
}

static void print_table(demo *d)
{
    char head[140];

    (void)snprintf(head, sizeof head, "  %-58s %-11s %-28s %s", "pretender, or attacked message", "run as",
                   "refused at", "attacks");
    demo_heading(&d->steps, head);
    demo_auth_print(&d->auth, d->steps.to);
    (void)snprintf(head, sizeof head, "  %-42s %-6s %-14s %-14s %-17s %s", "attack", "redone", "expected",
                   "verdict", "where", "outcome");
    demo_heading(&d->steps, head);
    for (size_t i = 0; i < tl_attack_count; i++)
        print_row(d, &d->results[i]);
    (void)fputc('\n', d->steps.to);
}

/* All rows: on the stream, and on authentication. */
static size_t attacks_of(const demo *d)
{
    return tl_attack_count + d->auth.attacks;
}

static json_t *session_json(const demo_session *s)
{
    return json_pack("{s:I, s:I, s:I, s:f, s:i, s:O}", "frames_sent", (json_int_t)s->frames_sent, "packets",
                     (json_int_t)s->packets, "bytes", (json_int_t)s->bytes, "seconds", s->seconds, "exit",
                     s->code, "controller", s->report);
}

static json_t *report_json(const demo *d)
{
    json_t *attacks = json_array();

    for (size_t i = 0; i < tl_attack_count; i++)
        (void)json_array_append_new(attacks, demo_result_json(&d->results[i]));
    return json_pack("{s:I, s:I, s:I, s:I, s:f, s:s, s:I, s:I, s:I, s:O, s:o, s:o, s:{s:o, s:o, s:o, s:o}}",
                     "frames_ok", (json_int_t)d->frames_ok, "frames_bad", (json_int_t)d->frames_bad,
                     "attacks_noticed", (json_int_t)d->noticed, "attacks_total", (json_int_t)attacks_of(d),
                     "seconds", demo_steps_seconds(&d->steps), "input", d->o.input, "width",
                     (json_int_t)d->o.width, "height", (json_int_t)d->o.height, "bits", (json_int_t)d->o.bits,
                     "steps", d->steps.list, "attacks", attacks, "authentication", demo_auth_json(&d->auth),
                     "sessions", "clean", session_json(&d->clean), "other_stream", session_json(&d->foreign),
                     "attacked", session_json(&d->attacked[TL_COSTS_FRAME]), "harmless",
                     session_json(&d->attacked[TL_COSTS_NOTHING]));
}

static tl_exit write_report(demo *d, tl_fault *fault)
{
    json_t *report = report_json(d);
    char path[PATH_ROOM + 16];
    tl_file file;
    tl_exit e;

    if (report == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "report: no memory");
    (void)snprintf(path, sizeof path, "%.500s/report.json", d->o.out);
    e = tl_file_begin(&file, path, 0644, fault);
    if (e == TL_EXIT_OK) {
        (void)json_dumpf(report, file.stream, JSON_INDENT(1));
        (void)fputc('\n', file.stream);
        e = tl_file_commit(&file, TL_FILE_REPLACE, fault);
    }
    if (e == TL_EXIT_OK && d->o.json) {
        (void)json_dumpf(report, stdout, JSON_COMPACT);
        (void)putchar('\n');
    }
    json_decref(report);
    return e;
}

static tl_exit write_sheet(demo *d, tl_fault *fault)
{
    char path[PATH_ROOM + 16];
    tl_exit e;

    (void)snprintf(path, sizeof path, "%.500s/attacks.png", d->o.out);
    e = demo_sheet_write(path, d->results, d->o.width, d->o.height, fault);
    if (e == TL_EXIT_OK)
        demo_step(&d->steps, 0, "contact sheet: %s", path);
    return e;
}

/* ---- all together ---- */

static tl_exit run(demo *d, tl_fault *fault)
{
    tl_exit e = prepare(d, fault);

    if (e == TL_EXIT_OK)
        e = run_clean(d, fault);
    if (e == TL_EXIT_OK)
        e = run_auth(d, fault);
    if (e == TL_EXIT_OK)
        e = run_foreign(d, fault);
    if (e == TL_EXIT_OK)
        e = run_attacks(d, TL_COSTS_FRAME, fault);
    if (e == TL_EXIT_OK)
        e = run_attacks(d, TL_COSTS_NOTHING, fault);
    for (size_t i = 0; i < tl_attack_count && e == TL_EXIT_OK; i++)
        d->noticed += d->results[i].expected;
    d->noticed += d->auth.noticed;
    if (e == TL_EXIT_OK)
        e = write_sheet(d, fault);
    if (e != TL_EXIT_OK)
        return e;
    print_table(d);
    return write_report(d, fault);
}

static tl_exit conclude(demo *d, tl_fault *fault)
{
    (void)fprintf(d->steps.to, "demo: frames_ok=%" PRIu64 " frames_bad=%" PRIu64 " attacks_noticed=%zu/%zu\n",
                  d->frames_ok, d->frames_bad, d->noticed, attacks_of(d));
    if (ui_flush(fault) != TL_EXIT_OK)
        return fault->code;
    if (d->frames_ok != d->o.frames || d->frames_bad != 0)
        return tl_fault_set(fault, TL_EXIT_REFUSED, "not every clean frame verified");
    if (d->noticed != attacks_of(d))
        return tl_fault_set(fault, TL_EXIT_REFUSED, "an attack did not end as it must");
    return TL_EXIT_OK;
}

/* The clip if it is there, else the built-in scene. */
static void choose_input(demo_options *o)
{
    if (o->input != NULL)
        return;
    o->input = access(CLIP, R_OK) == 0 ? CLIP : "scene";
    if (strcmp(o->input, "scene") == 0)
        ui_note(NAME, "%s is not there (package forensics-samples-original): the built-in scene plays", CLIP);
}

static void tear_down(demo *d)
{
    json_decref(d->clean.report);
    json_decref(d->foreign.report);
    json_decref(d->attacked[0].report);
    json_decref(d->attacked[1].report);
    demo_view_close(&d->view);
    demo_attacker_close(&d->attacker);
    demo_steps_close(&d->steps);
    free(d->results);
    remove_folder(d);
}

int cmd_demo(int argc, char **argv)
{
    static demo d; /* zero, and too large for a stack */
    tl_fault fault = { 0 };
    tl_exit e;

    d.view.attacks = (view_attacks){ .listener = -1, .fd = -1 };
    d.o = (demo_options){ .width = 1920, .height = 1080, .bits = 12 };
    stream_file_guard_json();
    if (ui_parse(&argp, argc, argv, &d.o) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    d.o.out = d.o.out != NULL ? d.o.out : "out";
    if (d.o.frames == 0 && d.o.view == NULL)
        d.o.frames = FRAMES;
    choose_input(&d.o);
    demo_steps_open(&d.steps, d.o.json ? stderr : stdout);
    d.results = calloc(tl_attack_count, sizeof *d.results);
    if (d.results == NULL)
        e = tl_fault_set(&fault, TL_EXIT_INTERNAL, "demo: no memory");
    else
        e = d.o.view != NULL ? run_view(&d, &fault) : run(&d, &fault);
    if (e == TL_EXIT_OK && d.o.view == NULL)
        e = conclude(&d, &fault);
    tear_down(&d);
    if (e == TL_EXIT_STOPPED) {
        ui_note(NAME, "%s", fault.text);
        return TL_EXIT_LINK;
    }
    return e == TL_EXIT_OK ? TL_EXIT_OK : ui_fail(NAME, &fault);
}
