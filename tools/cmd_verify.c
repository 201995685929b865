/* `trueline verify FILE`: a recorded stream is verified again, by the receiver that a live one has, whole or in segments, with
 * evidence as JSON. `trueline verify --join` puts the reports of segments together. */
#include "command.h"
#include "tape_options.h"
#include "ui.h"
#include "verify.h"

#include <stdlib.h>
#include <string.h>

#define NAME "verify"

enum { OPT_SEGMENT = 0x100, OPT_JOIN, OPT_REPORT, OPT_JSON, OPT_QUIET, OPT_MAP, OPT_TRUST };

typedef struct arguments {
    verify_options o;
    bool join, json;
    const char *map;
    const char **reports; /* of --join */
    size_t n;
} arguments;

static const struct argp_option options[] = {
    { "segment", OPT_SEGMENT, "I/N", 0, "judge the Ith of N segments of the file", 2 },
    { "join", OPT_JOIN, NULL, 0, "the arguments are reports of segments: make one of them", 2 },
    { "trust", OPT_TRUST, "ROOTS.pem", 0,
      "both ends' certificates must be of these roots, and the stream's secret must follow from their "
      "session",
      2 },
    { "report", OPT_REPORT, "OUT.json", 0, "write every verdict that counts, and the evidence, as JSON", 3 },
    { "json", OPT_JSON, NULL, 0, "write that to stdout", 3 },
    { "map", OPT_MAP, "FILE", 0,
      "write 'FROM TO CLASS' for each run of bytes of the recording: what is protected", 3 },
    { "quiet", OPT_QUIET, NULL, 0, "no table of the bytes; the first refusal is not named", 3 },
    { 0 },
};

/* "2/4" */
static void take_segment(const struct argp_state *state, arguments *a, const char *text)
{
    char first[UI_NUMBER_SIZE];
    const char *of;

    if (!ui_split(text, '/', first, &of) || of == NULL)
        argp_error(state, "--segment: '%s': two numbers, such as 2/4", text);
    else {
        a->o.segments = (unsigned)ui_number(state, "--segment", of, 1, VERIFY_SEGMENTS_MAX);
        a->o.segment = (unsigned)ui_number(state, "--segment", first, 1, a->o.segments);
    }
}

static error_t take_argument(struct argp_state *state, arguments *a, char *arg)
{
    const char **more = realloc(a->reports, (a->n + 1) * sizeof *more);

    if (more == NULL)
        return ENOMEM;
    a->reports = more;
    a->reports[a->n++] = arg;
    (void)state;
    return 0;
}

static void check(const struct argp_state *state, arguments *a)
{
    if (a->json && a->o.report != NULL)
        argp_error(state, "--json and --report: one of them");
    if (a->join &&
        (a->o.segment != 0 || a->o.tape.keys != NULL || a->o.tape.stream != NULL || a->o.trust != NULL))
        argp_error(state, "--join takes reports, and no --segment, --keys, --stream or --trust");
    if (a->join && a->map != NULL)
        argp_error(state, "--map is of a recording");
    if (!a->join && a->n != 1)
        argp_error(state, "give one recording%s", a->n > 1 ? "; to put reports together: --join" : "");
    if (a->join && a->n == 0)
        argp_error(state, "--join: give the reports of the segments");
    if (a->json)
        a->o.report = "-";
    if (!a->join)
        a->o.tape.path = a->reports[0];
    if (a->o.segments == 0)
        a->o.segment = a->o.segments = 1;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;

    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->o.tape; return 0;
    case OPT_SEGMENT: take_segment(state, a, arg); return 0;
    case OPT_JOIN: a->join = true; return 0;
    case OPT_REPORT: a->o.report = arg; return 0;
    case OPT_JSON: a->json = true; return 0;
    case OPT_MAP: a->map = arg; return 0;
    case OPT_TRUST: a->o.trust = arg; return 0;
    case OPT_QUIET: a->o.quiet = true; return 0;
    case ARGP_KEY_ARG: return take_argument(state, a, arg);
    case ARGP_KEY_END: check(state, a); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = { { &tape_options_argp, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .children = children,
    .args_doc = "FILE\n--join REPORT...",
    .doc =
        "Verifies a recorded stream again, frame by frame, with the receiver that a controller has, and says "
        "what each byte of the file is: under a tag, under checksums alone, or neither. The last line is "
        "'frames_ok=N frames_bad=N frames_lost=N frames_unfinished=N'; a frame that was refused gives exit "
        "code 1; a recording that says itself that it lacks packets, 4.\vSegments of a recording can be "
        "judged anywhere, and their reports joined. What the "
        "evidence "
        "proves: docs/EVIDENCE.md.\n\nExamples:\n"
        "  trueline verify drive.pcapng --keys drive.keys\n"
        "  trueline verify drive.pcapng --keys drive.keys --report evidence.json\n"
        "  trueline verify agreed.pcapng --keys agreed.keys --trust pki/root.pem\n"
        "  trueline verify drive.pcapng --keys drive.keys --segment 1/2 --report 1.json\n"
        "  trueline verify --join 1.json 2.json --report evidence.json\n",
};

int cmd_verify(int argc, char **argv)
{
    arguments a = { .o = { .version = argp_program_version, .tape = TAPE_OPTIONS_NONE } };
    tl_fault fault;
    FILE *out;
    tl_exit e;

    stream_file_guard_json();
    a.o.tape.release = TL_RELEASE_IN_PLACE; /* nothing is copied that nobody wants */
    if (ui_parse(&argp, argc, argv, &a) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    out = a.json ? stderr : stdout;
    e = a.map != NULL ? verify_map(&a.o, a.map, &fault) : TL_EXIT_OK;
    if (e == TL_EXIT_OK)
        e = a.join ? verify_join(a.reports, a.n, a.o.report, out, &fault) : verify_run(&a.o, out, &fault);
    e = ui_flush_after(e, &fault);
    free(a.reports);
    return e == TL_EXIT_OK ? TL_EXIT_OK : ui_fail(NAME, &fault);
}
