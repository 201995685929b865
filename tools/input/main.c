/* trueline-input: pictures, videos, streams and cameras as raw Bayer frames on a pipe.
 * It is a program of its own so that hostile video never meets a key: whoever breaks a decoder finds a process
 * that holds nothing, may gain nothing, is bounded in memory and ends with its parent. wire.h says what it
 * writes; one sentence on stderr and the exit code say why it stopped. */
#include "arguments.h"
#include "mosaic.h"
#include "source.h"
#include "wire.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <libavutil/log.h>

/* The address sanitizer reserves terabytes of addresses, so its builds go without the limit. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define MEMORY_LIMIT RLIM_INFINITY
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(MEMORY_LIMIT)
#define MEMORY_LIMIT RLIM_INFINITY
#endif
#ifndef MEMORY_LIMIT
#define MEMORY_LIMIT ((rlim_t)4 << 30)
#endif

enum { EXIT_USAGE = 2, EXIT_INPUT = 4, EXIT_INTERNAL = 5, EXIT_CLOSED = -1 };

typedef struct job {
    const input_options *opt;
    source *from;
    mosaic *bayer;
    AVFrame *frame;
    uint8_t *out; /* prefix and samples, written as one */
    size_t out_n;
    unsigned width, height;
    uint64_t written;
    reason why;
} job;

const char *argp_program_version = "trueline-input " TL_VERSION;

/* ---- output ---- */

static int write_all(const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t k = write(STDOUT_FILENO, p, n);
        if (k > 0) {
            p += k;
            n -= (size_t)k;
        } else if (k < 0 && errno == EPIPE) {
            return EXIT_CLOSED;
        } else if (k < 0 && errno == EAGAIN) {
            (void)poll(&(struct pollfd){ .fd = STDOUT_FILENO, .events = POLLOUT }, 1, -1);
        } else if (k == 0 || errno != EINTR) {
            fprintf(stderr, "trueline-input: stdout: %s\n", k ? strerror(errno) : "takes nothing");
            return EXIT_INTERNAL;
        }
    }
    return 0;
}

static int header_write(const job *j)
{
    uint8_t h[TL_INPUT_HEADER_BYTES] = TL_INPUT_MAGIC;
    AVRational rate = source_rate(j->from);
    tl_input_put32(h + 8, j->width);
    tl_input_put32(h + 12, j->height);
    tl_input_put32(h + 16, j->opt->bits);
    tl_input_put32(h + 20, (uint32_t)rate.num);
    tl_input_put32(h + 24, (uint32_t)rate.den);
    tl_input_put32(h + 28, 0);
    return write_all(h, sizeof h);
}

/* ---- the work ---- */

static int say(const job *j, int code)
{
    fprintf(stderr, "trueline-input: %s: %s\n", j->opt->input, j->why.text);
    return code;
}

static int internal(job *j, const char *what)
{
    snprintf(j->why.text, sizeof j->why.text, "%s", what);
    return say(j, EXIT_INTERNAL);
}

/* The first frame decides the size for all: later ones of another size are scaled to it. */
static int begin(job *j)
{
    unsigned w = (unsigned)j->frame->width & ~1u, h = (unsigned)j->frame->height & ~1u;
    j->width = j->opt->width ? j->opt->width : w ? w : 2;
    j->height = j->opt->height ? j->opt->height : h ? h : 2;
    if (j->opt->info) {
        AVRational rate = source_rate(j->from);
        printf("%dx%d, %.3g frames/s, %s\n", j->frame->width, j->frame->height, av_q2d(rate),
               source_codec(j->from));
        return EXIT_CLOSED;
    }
    size_t payload = (size_t)j->width * j->height * 2;
    j->out_n = TL_INPUT_PREFIX_BYTES + payload;
    j->out = malloc(j->out_n);
    j->bayer = mosaic_open(j->width, j->height, j->opt->bits);
    if (!j->out || !j->bayer)
        return internal(j, "out of memory");
    memcpy(j->out, TL_INPUT_FRAME_MAGIC, 4);
    tl_input_put32(j->out + 4, (uint32_t)payload);
    return header_write(j);
}

static int frame_write(job *j)
{
    if (j->opt->frames && j->written == j->opt->frames)
        return EXIT_CLOSED;
    j->written++;
    return write_all(j->out, j->out_n);
}

static int frame_convert(job *j)
{
    int r = mosaic_frame(j->bayer, j->frame, (uint16_t *)(void *)(j->out + TL_INPUT_PREFIX_BYTES));
    if (r < 0) {
        char text[AV_ERROR_MAX_STRING_SIZE];
        av_strerror(r, text, sizeof text);
        snprintf(j->why.text, sizeof j->why.text, "cannot be converted to RGB: %s", text);
        return say(j, EXIT_INPUT);
    }
    return frame_write(j);
}

/* Everything from one opening of the input to its end. 0 at a clean end. */
static int pass(job *j)
{
    int code = 0, r = 0;
    j->from = source_open(j->opt->input, &j->why);
    if (!j->from)
        return say(j, EXIT_INPUT);
    while (code == 0 && (r = source_frame(j->from, j->frame, &j->why)) > 0) {
        if (!j->out)
            code = begin(j);
        if (code == 0)
            code = frame_convert(j);
        av_frame_unref(j->frame);
        if (code == 0 && j->opt->frames && j->written == j->opt->frames)
            code = EXIT_CLOSED;
    }
    return code == 0 && r < 0 ? say(j, EXIT_INPUT) : code;
}

static int run(job *j)
{
    int code = pass(j);
    while (code == 0 && j->opt->loop) {
        bool still = source_frames(j->from) == 1;
        source_close(&j->from);
        do
            code = still ? frame_write(j) : pass(j);
        while (code == 0 && still);
    }
    return code == EXIT_CLOSED ? 0 : code;
}

/* Takes from this process what it does not need, before it sees a byte of the input. */
static void confine(void)
{
    const struct rlimit none = { 0, 0 }, memory = { MEMORY_LIMIT, MEMORY_LIMIT };
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)setrlimit(RLIMIT_AS, &memory);
    (void)signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
    input_options opt = { .bits = 12 };
    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&input_argp, argc, argv, 0, NULL, &opt);
    if (!opt.info && isatty(STDOUT_FILENO)) {
        fputs(
            "trueline-input: stdout is a terminal; send the frames to a file or a pipe, or ask for --info\n",
            stderr);
        return EXIT_USAGE;
    }
    confine();
    (void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1 << 20);
    av_log_set_level(opt.verbose ? AV_LOG_INFO : AV_LOG_QUIET);
    job j = { .opt = &opt, .frame = av_frame_alloc() };
    int code = j.frame ? run(&j) : internal(&j, "out of memory");
    source_close(&j.from);
    mosaic_close(&j.bayer);
    av_frame_free(&j.frame);
    free(j.out);
    return code;
}
