/* The near end of trueline-input. The child is looked for beside the running program, then in PATH; its stdout
 * brings header and frames, its stderr at most a sentence. Both pipes are read together, against one deadline,
 * so that neither can block the other. Nothing that the child writes is trusted: magics, sizes and lengths are
 * checked, and its last line is stripped to printable characters before anybody sees it. The built-in scene is
 * drawn here and needs no child. */
#include "input_client.h"
#include "input/wire.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <scene.h>

#define CHILD "trueline-input"

enum { CODE_USAGE = 2, CODE_INPUT = 4, CODE_INTERNAL = 5, TIMEOUT_MS = 10000, LINE_ROOM = 400 };

struct tl_input {
    bool scene, failed;
    unsigned width, height, bits;
    uint32_t rate_num, rate_den;
    uint64_t frames, done;
    unsigned timeout_ms;
    char name[256];
    pid_t child; /* 0: none, or reaped */
    int status;
    int data, talk; /* the child's stdout and stderr; -1 when closed */
    char line[LINE_ROOM];
    size_t line_n;
    bool line_ended;
    int code;
    char why[1024];
};

extern char **environ;

__attribute__((format(printf, 3, 4))) static int fail(tl_input *in, int code, const char *form, ...)
{
    va_list ap;
    va_start(ap, form);
    vsnprintf(in->why, sizeof in->why, form, ap);
    va_end(ap);
    in->code = code;
    in->failed = true;
    return -1;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- the child's life ---- */

static void beside(char *path, size_t n)
{
    ssize_t k = readlink("/proc/self/exe", path, n - sizeof CHILD);
    char *slash = k > 0 ? memrchr(path, '/', (size_t)k) : NULL;
    if (slash)
        memcpy(slash + 1, CHILD, sizeof CHILD);
    else
        path[0] = 0;
}

/* The child gets three files and none of the signal settings that the caller may have made for itself. */
static int spawn(tl_input *in, char **argv, int out, int err)
{
    char path[4096];
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, pipes;
    sigemptyset(&none);
    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1); /* keys may be open here */
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &pipes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    beside(path, sizeof path);
    int r = ENOENT;
    if (path[0] && access(path, X_OK) == 0)
        r = posix_spawn(&in->child, path, &files, &attributes, argv, environ);
    if (r != 0)
        r = posix_spawnp(&in->child, CHILD, &files, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (r == 0)
        return 0;
    in->child = 0;
    return fail(in, CODE_INTERNAL, "cannot start " CHILD " (looked for beside this program and in PATH): %s",
                strerror(r));
}

static int child_start(tl_input *in, const tl_input_options *o)
{
    char name[] = CHILD, bits[16], size[32], frames[32], loop[] = "--loop", last[] = "--";
    char *argv[8] = { name, bits };
    int n = 2, out[2] = { -1, -1 }, err[2] = { -1, -1 };
    snprintf(bits, sizeof bits, "--bits=%u", in->bits);
    snprintf(size, sizeof size, "--size=%ux%u", o->width, o->height);
    snprintf(frames, sizeof frames, "--frames=%llu", (unsigned long long)o->frames);
    if (o->width)
        argv[n++] = size;
    if (o->frames)
        argv[n++] = frames;
    if (o->loop)
        argv[n++] = loop;
    argv[n++] = last;
    char *source = strdup(o->source);
    argv[n] = source;
    int r = -1;
    if (!source || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
        fail(in, CODE_INTERNAL, "cannot start " CHILD ": %s", strerror(errno));
    else
        r = spawn(in, argv, out[1], err[1]);
    free(source);
    fd_close(&out[1]);
    fd_close(&err[1]);
    in->data = out[0];
    in->talk = err[0];
    return r;
}

/* ---- reading ---- */

/* Keeps the last line of stderr, printable and cut to its room. */
static void talk_take(tl_input *in)
{
    char part[512];
    ssize_t k = read(in->talk, part, sizeof part);
    if (k == 0 || (k < 0 && errno != EINTR && errno != EAGAIN))
        fd_close(&in->talk);
    for (ssize_t i = 0; i < k; i++) {
        if (part[i] == '\n') {
            in->line_ended = true;
            continue;
        }
        if (in->line_ended)
            in->line_n = 0;
        in->line_ended = false;
        bool plain = (part[i] >= ' ' && part[i] <= '~') || (unsigned char)part[i] >= 0xa0;
        if (in->line_n + 1 < sizeof in->line)
            in->line[in->line_n++] = plain ? part[i] : '?';
        in->line[in->line_n] = 0;
    }
}

/* Takes the exit status as soon as there is one, and makes sure of it at the deadline. */
static void child_reap(tl_input *in, int64_t deadline)
{
    pid_t r;
    while ((r = waitpid(in->child, &in->status, WNOHANG)) == 0 && now_ms() < deadline)
        usleep(500);
    if (r == 0) {
        kill(in->child, SIGKILL);
        while (waitpid(in->child, &in->status, 0) < 0 && errno == EINTR)
            continue;
    }
    in->child = 0;
}

/* Waits for what is left of stderr and for the exit status, then says how the child ended. 0 if well. */
static int child_end(tl_input *in, int64_t deadline)
{
    while (in->talk >= 0) {
        int64_t left = deadline - now_ms();
        struct pollfd p = { .fd = in->talk, .events = POLLIN };
        if (left <= 0 || poll(&p, 1, (int)left) == 0)
            break;
        talk_take(in);
    }
    fd_close(&in->data);
    fd_close(&in->talk);
    child_reap(in, deadline);
    if (WIFEXITED(in->status) && WEXITSTATUS(in->status) == 0)
        return 0;
    const char *said =
        strncmp(in->line, CHILD ": ", sizeof CHILD + 1) == 0 ? in->line + sizeof CHILD + 1 : in->line;
    if (WIFSIGNALED(in->status))
        return fail(in, CODE_INPUT, CHILD " died on %s: signal %d (%s)%s%s", in->name, WTERMSIG(in->status),
                    strsignal(WTERMSIG(in->status)), *said ? "; it said: " : "", said);
    int code = WEXITSTATUS(in->status);
    return fail(in, code == CODE_USAGE || code == CODE_INTERNAL ? code : CODE_INPUT,
                "%s (" CHILD " ended with %d)", *said ? said : in->name, code);
}

/* Reads n bytes; less only at the end of the child's output. Returns the count, or -1. */
static ssize_t data_read(tl_input *in, uint8_t *p, size_t n, int64_t deadline)
{
    size_t done = 0;
    while (done < n) {
        struct pollfd f[2] = { { .fd = in->data, .events = POLLIN }, { .fd = in->talk, .events = POLLIN } };
        int64_t left = deadline - now_ms();
        int r = left > 0 ? poll(f, 2, (int)left) : 0;
        if (r < 0 && errno != EINTR)
            return fail(in, CODE_INTERNAL, "waiting for " CHILD ": %s", strerror(errno));
        if (r == 0)
            return fail(in, CODE_INPUT, "%s: no frame for %u ms", in->name, in->timeout_ms);
        if (r > 0 && f[1].revents)
            talk_take(in);
        if (r <= 0 || !f[0].revents)
            continue;
        ssize_t k = read(in->data, p + done, n - done);
        if (k == 0)
            break;
        if (k < 0 && errno != EINTR && errno != EAGAIN)
            return fail(in, CODE_INTERNAL, "reading from " CHILD ": %s", strerror(errno));
        if (k > 0)
            done += (size_t)k;
    }
    return (ssize_t)done;
}

/* n bytes or a named failure. An end before the first byte, of a child that ended well, is 0. */
static int data_need(tl_input *in, void *p, size_t n, const char *what, int64_t deadline)
{
    ssize_t k = data_read(in, p, n, deadline);
    if (k < 0 || (size_t)k == n)
        return k < 0 ? -1 : 1;
    if (child_end(in, deadline) != 0)
        return -1;
    return k == 0 ? 0 : fail(in, CODE_INPUT, "%s: " CHILD " stopped in the middle of a %s", in->name, what);
}

static int header_read(tl_input *in)
{
    uint8_t h[TL_INPUT_HEADER_BYTES];
    int r = data_need(in, h, sizeof h, "header", now_ms() + in->timeout_ms);
    if (r <= 0)
        return r < 0 ? -1 : fail(in, CODE_INPUT, "%s: " CHILD " wrote nothing", in->name);
    in->width = tl_input_get32(h + 8);
    in->height = tl_input_get32(h + 12);
    in->rate_num = tl_input_get32(h + 20);
    in->rate_den = tl_input_get32(h + 24);
    if (memcmp(h, TL_INPUT_MAGIC, 8) != 0)
        return fail(in, CODE_INPUT, "%s: the program called " CHILD " does not write frames", in->name);
    bool sides = in->width >= 2 && in->height >= 2 && in->width <= TL_INPUT_SIDE_LIMIT &&
                 in->height <= TL_INPUT_SIDE_LIMIT && !((in->width | in->height) & 1);
    if (!sides || tl_input_get32(h + 16) != in->bits || !in->rate_num || !in->rate_den ||
        tl_input_get32(h + 28))
        return fail(in, CODE_INPUT, "%s: " CHILD " sent a header with impossible values", in->name);
    return 0;
}

/* ---- the built-in scene ---- */

/* "scene" or "scene:WIDTHxHEIGHT", which must not contradict an asked-for size. */
static int scene_open(tl_input *in, const tl_input_options *o)
{
    unsigned w = 1920, h = 1080;
    int used = 0;
    const char *size = o->source + strlen("scene");
    if (*size && (sscanf(size, ":%5ux%5u%n", &w, &h, &used) != 2 || size[used] != 0))
        return fail(in, CODE_USAGE, "%s: write scene or scene:WIDTHxHEIGHT", in->name);
    if (w < 2 || h < 2 || w > TL_INPUT_SIDE_LIMIT || h > TL_INPUT_SIDE_LIMIT)
        return fail(in, CODE_USAGE, "%s: width and height go from 2 to %d", in->name, TL_INPUT_SIDE_LIMIT);
    if (*size && o->width && (w != o->width || h != o->height))
        return fail(in, CODE_USAGE, "%s: the stream's frames are %ux%u; leave the size out, or give that",
                    in->name, o->width, o->height);
    in->width = (o->width ? o->width : w) & ~1u;
    in->height = (o->height ? o->height : h) & ~1u;
    if (in->width < 2 || in->height < 2 || in->width > TL_INPUT_SIDE_LIMIT ||
        in->height > TL_INPUT_SIDE_LIMIT)
        return fail(in, CODE_USAGE, "%s: width and height go from 2 to %d", in->name, TL_INPUT_SIDE_LIMIT);
    in->scene = true;
    in->rate_num = 30;
    in->rate_den = 1;
    return 0;
}

/* ---- the interface ---- */

static int open_any(tl_input *in, const tl_input_options *o)
{
    bool pair = (o->width == 0) == (o->height == 0);
    bool sides = o->width <= TL_INPUT_SIDE_LIMIT && o->height <= TL_INPUT_SIDE_LIMIT;
    if (!*o->source)
        return fail(in, CODE_USAGE, "the input's name is empty");
    if (!pair || !sides)
        return fail(in, CODE_USAGE, "%s: width and height go together, up to %d", in->name,
                    TL_INPUT_SIDE_LIMIT);
    if (in->bits != 8 && in->bits != 10 && in->bits != 12 && in->bits != 14)
        return fail(in, CODE_USAGE, "%s: samples have 8, 10, 12 or 14 bits, not %u", in->name, in->bits);
    if (strcmp(o->source, "scene") == 0 || strncmp(o->source, "scene:", 6) == 0)
        return scene_open(in, o);
    return child_start(in, o) == 0 ? header_read(in) : -1;
}

int tl_input_open(const tl_input_options *o, tl_input **out, char *why, size_t why_n)
{
    *out = NULL;
    tl_input *in = calloc(1, sizeof *in);
    if (!in) {
        snprintf(why, why_n, "out of memory");
        return CODE_INTERNAL;
    }
    in->data = in->talk = -1;
    in->bits = o->bits ? o->bits : 12;
    in->frames = o->frames;
    in->timeout_ms = o->timeout_ms ? o->timeout_ms : TIMEOUT_MS;
    snprintf(in->name, sizeof in->name, "%s", o->source);
    if (open_any(in, o) == 0) {
        *out = in;
        return 0;
    }
    int code = in->code;
    snprintf(why, why_n, "%s", in->why);
    tl_input_close(in);
    return code;
}

static int frame_read(tl_input *in, uint16_t *samples)
{
    uint8_t prefix[TL_INPUT_PREFIX_BYTES];
    size_t count = (size_t)in->width * in->height;
    int64_t deadline = now_ms() + in->timeout_ms;
    int r = data_need(in, prefix, sizeof prefix, "frame", deadline);
    if (r <= 0)
        return r;
    if (memcmp(prefix, TL_INPUT_FRAME_MAGIC, 4) != 0 || tl_input_get32(prefix + 4) != count * 2)
        return fail(in, CODE_INPUT, "%s: " CHILD " sent something that is no frame", in->name);
    r = data_need(in, samples, count * 2, "frame", deadline);
    if (r == 0)
        return fail(in, CODE_INPUT, "%s: " CHILD " stopped in the middle of a frame", in->name);
    uint16_t all = 0;
    for (size_t i = 0; r > 0 && i < count; i++) {
        samples[i] = le16toh(samples[i]);
        all |= samples[i];
    }
    if (r > 0 && all >> in->bits)
        return fail(in, CODE_INPUT, "%s: " CHILD " sent a sample of more than %u bits", in->name, in->bits);
    return r;
}

int tl_input_frame(tl_input *in, uint16_t *samples)
{
    if (in->failed)
        return -1;
    if (in->frames && in->done == in->frames)
        return 0;
    int r = 1;
    if (in->scene)
        tl_scene_draw(samples, in->width, in->height, in->bits, (uint32_t)in->done);
    else
        r = in->child ? frame_read(in, samples) : 0;
    in->done += r > 0;
    return r;
}

unsigned tl_input_width(const tl_input *in)
{
    return in->width;
}

unsigned tl_input_height(const tl_input *in)
{
    return in->height;
}

unsigned tl_input_bits(const tl_input *in)
{
    return in->bits;
}

void tl_input_rate(const tl_input *in, uint32_t *numerator, uint32_t *denominator)
{
    *numerator = in->rate_num;
    *denominator = in->rate_den;
}

const char *tl_input_why(const tl_input *in)
{
    return in->why;
}

int tl_input_code(const tl_input *in)
{
    return in->code;
}

void tl_input_close(tl_input *in)
{
    if (!in)
        return;
    fd_close(&in->data);
    fd_close(&in->talk);
    if (in->child)
        child_reap(in, 0);
    free(in);
}
