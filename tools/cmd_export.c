/* `trueline export FILE`: frames of a recording as PNG, y4m or raw lines; those that verify, or unverified ones by that name. */
#include "command.h"
#include "export.h"
#include "tape_options.h"
#include "ui.h"

#include <stdlib.h>
#include <string.h>

#define NAME "export"

enum { OPT_Y4M = 0x100, OPT_RAW, OPT_UNVERIFIED };

typedef struct arguments {
    export_options o;
    char *y4m; /* a name that was marked */
} arguments;

static const struct argp_option options[] = {
    { "out", 'o', "DIR", 0,
      "write frames as DIR/frame_000001.png and so on; of a sender's second start as frame_000001_2.png", 2 },
    { "y4m", OPT_Y4M, "FILE", 0, "write them as y4m video; - for stdout", 2 },
    { "raw", OPT_RAW, "FILE", 0, "write their lines of pixels, packed as they travel, frame behind frame",
      2 },
    { "frames", 'n', "N[-M]", 0, "the frames with these numbers (all)", 2 },
    { "unverified", OPT_UNVERIFIED, NULL, 0,
      "without keys: what is in clear, as headers claim; files are called unverified, and what is missing is "
      "magenta",
      2 },
    { 0 },
};

static void take_frames(const struct argp_state *state, arguments *a, const char *text)
{
    char first[UI_NUMBER_SIZE];
    const char *last;

    if (!ui_split(text, '-', first, &last)) {
        argp_error(state, "--frames: '%s': numbers such as 7 or 7-20", text);
        return;
    }
    a->o.first = (uint32_t)ui_number(state, "--frames", first, 0, UINT32_MAX);
    a->o.last = a->o.first;
    if (last != NULL)
        a->o.last = (uint32_t)ui_number(state, "--frames", last, a->o.first, UINT32_MAX);
}

/* "drive.y4m" becomes "drive.unverified.y4m": what nobody verified says so wherever it goes. */
static char *marked(const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash != NULL ? slash : path, '.');
    size_t stem = dot != NULL ? (size_t)(dot - path) : strlen(path),
           room = strlen(path) + sizeof ".unverified";
    char *name = malloc(room);

    if (name != NULL)
        (void)snprintf(name, room, "%.*s.unverified%s", (int)stem, path, path + stem);
    return name;
}

static void mark(struct argp_state *state, arguments *a)
{
    a->o.out.unverified = true;
    if (a->o.out.y4m != NULL && strcmp(a->o.out.y4m, "-") == 0)
        argp_error(state, "--unverified: not to stdout, where nothing would say so");
    if (a->o.out.y4m != NULL)
        a->o.out.y4m = a->y4m = marked(a->o.out.y4m);
    if (a->o.raw != NULL)
        argp_error(state, "--unverified: --out or --y4m; raw bytes are those of the recording");
}

static void check(struct argp_state *state, arguments *a)
{
    if (a->o.tape.path == NULL)
        argp_error(state, "give a recording");
    if ((a->o.out.folder != NULL) + (a->o.out.y4m != NULL) + (a->o.raw != NULL) == 0)
        argp_error(state, "where to? --out DIR, --y4m FILE or --raw FILE");
    if (a->o.unverified && a->o.tape.keys != NULL)
        argp_error(state, "--unverified is for who has no keys");
    if (a->o.unverified)
        mark(state, a);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;

    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->o.tape; return 0;
    case 'o': a->o.out.folder = arg; return 0;
    case OPT_Y4M: a->o.out.y4m = arg; return 0;
    case OPT_RAW: a->o.raw = arg; return 0;
    case 'n': take_frames(state, a, arg); return 0;
    case OPT_UNVERIFIED: a->o.unverified = true; return 0;
    case ARGP_KEY_ARG:
        if (a->o.tape.path != NULL)
            argp_error(state, "one recording only; '%s' is too much", arg);
        a->o.tape.path = arg;
        return 0;
    case ARGP_KEY_END: check(state, a); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = { { &tape_options_argp, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .children = children,
    .args_doc = "FILE",
    .doc = "Writes the frames of a recording that verify. One that was refused is left out, and gives exit "
           "code 1; if frames are left out because the recording says that it lacks packets, 4."
           "\vExamples:\n"
           "  trueline export drive.pcapng --keys drive.keys --out frames\n"
           "  trueline export drive.pcapng --keys drive.keys --frames 2-3 --y4m a.y4m\n"
           "  trueline export drive.pcapng --keys drive.keys --raw lines.raw12\n"
           "  trueline export drive.pcapng --unverified --out look\n",
};

int cmd_export(int argc, char **argv)
{
    arguments a = { .o = { .tape = TAPE_OPTIONS_NONE, .out = { .every = 1 }, .last = UINT32_MAX } };
    export_counts counts;
    tl_fault fault;
    FILE *out = stdout;
    tl_exit e;

    stream_file_guard_json();
    a.o.tape.release = TL_RELEASE_FRAME;
    if (ui_parse(&argp, argc, argv, &a) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    if (a.o.out.y4m != NULL && strcmp(a.o.out.y4m, "-") == 0)
        out = stderr;
    e = export_run(&a.o, &counts, &fault);
    if (e <= TL_EXIT_REFUSED || e == TL_EXIT_LINK)
        (void)fprintf(out, "frames_%s=%llu refused=%llu\n", a.o.unverified ? "unverified" : "exported",
                      (unsigned long long)counts.written, (unsigned long long)counts.refused);
    e = ui_flush_after(e, &fault);
    free(a.y4m);
    return e == TL_EXIT_OK ? TL_EXIT_OK : ui_fail(NAME, &fault);
}
