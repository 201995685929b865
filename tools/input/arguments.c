/* The command line of trueline-input. It touches nothing of FFmpeg, so that manual pages are made from it too. */
#include "arguments.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>

enum { OPT_BITS = 256, OPT_SIZE, OPT_LOOP, OPT_FRAMES, OPT_INFO, OPT_VERBOSE };

static const struct argp_option argp_options[] = {
    { "bits", OPT_BITS, "N", 0, "Bits of a sample: 8, 10, 12 (default) or 14", 0 },
    { "size", OPT_SIZE, "WxH", 0, "Scale to this size; odd numbers lose one. Default: as the input is", 0 },
    { "loop", OPT_LOOP, NULL, 0, "Start again at the end; a picture repeats", 0 },
    { "frames", OPT_FRAMES, "N", 0, "Stop after N frames", 0 },
    { "info", OPT_INFO, NULL, 0, "Say what the input is, and write no frames", 0 },
    { "verbose", OPT_VERBOSE, NULL, 0, "Let FFmpeg's own messages through to stderr", 0 },
    { 0 }
};

static bool number_read(const char *text, uint64_t top, const char **rest, uint64_t *value)
{
    char *end = NULL;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *value = strtoull(text, &end, 10);
    *rest = end;
    return errno == 0 && *value <= top;
}

static bool size_read(const char *text, input_options *opt)
{
    uint64_t w = 0, h = 0;
    const char *rest = text;
    if (!number_read(text, TL_INPUT_SIDE_LIMIT, &rest, &w) || *rest != 'x' ||
        !number_read(rest + 1, TL_INPUT_SIDE_LIMIT, &rest, &h) || *rest != 0 || w < 2 || h < 2)
        return false;
    opt->width = (unsigned)w & ~1u;
    opt->height = (unsigned)h & ~1u;
    return true;
}

static error_t argument(int key, char *arg, struct argp_state *state)
{
    input_options *opt = state->input;
    const char *rest = "";
    uint64_t n = 0;
    switch (key) {
    case OPT_BITS:
        if (!number_read(arg, 14, &rest, &n) || *rest || (n != 8 && n != 10 && n != 12 && n != 14))
            argp_error(state, "--bits wants 8, 10, 12 or 14, not '%s'", arg);
        opt->bits = (unsigned)n;
        return 0;
    case OPT_SIZE:
        if (!size_read(arg, opt))
            argp_error(state, "--size wants WIDTHxHEIGHT, each from 2 to %d, not '%s'", TL_INPUT_SIDE_LIMIT,
                       arg);
        return 0;
    case OPT_FRAMES:
        if (!number_read(arg, UINT64_MAX, &rest, &n) || *rest || n == 0)
            argp_error(state, "--frames wants a number from 1, not '%s'", arg);
        opt->frames = n;
        return 0;
    case OPT_LOOP: opt->loop = true; return 0;
    case OPT_INFO: opt->info = true; return 0;
    case OPT_VERBOSE: opt->verbose = true; return 0;
    case ARGP_KEY_ARG:
        if (opt->input)
            argp_error(state, "one input at a time: '%s' is too much", arg);
        opt->input = arg;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "which input?"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp input_argp = {
    .options = argp_options,
    .parser = argument,
    .args_doc = "INPUT",
    .doc = "Writes the frames of a picture, video, stream or camera to stdout as raw Bayer samples (RGGB)."
           "\vINPUT is a file, - for stdin, an address that FFmpeg opens, or, where libavdevice was there at "
           "build time, a camera (/dev/video0) or a test pattern (lavfi:GRAPH).\n\n"
           "Examples:\n"
           "  trueline-input --info clip.mp4\n"
           "  trueline-input --bits 10 --size 1280x720 clip.mp4 | consumer\n"
           "  trueline-input --loop --frames 60 photo.jpg | consumer\n"
           "  trueline-input lavfi:testsrc2=size=1920x1080:rate=30 | consumer\n\n"
           "Exit codes: 0 done, or the reader has gone; 2 usage; 4 the input failed; 5 internal.",
};
