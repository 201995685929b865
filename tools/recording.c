/* Writing pcapng: blocks as tools/pcapng.c draws them, in this machine's favourite order, little-endian. */
#include "recording.h"
#include "clock.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <trueline/layout/ids.h>

enum {
    ROOM = 1 << 20,       /* bytes of the buffer: many packets a call of the system */
    BLOCK_ROOM = 1 << 18, /* of a block; the longest are comments and secrets of 64 KiB */
    OPTION_MAX = 65535,
    FLUSH_MS = 1000,
    RESOLUTION = 9 /* nanoseconds */
};

static tl_exit cannot(const recording *r, tl_fault *fault)
{
    return tl_fault_errno(fault, TL_EXIT_INTERNAL, "capture: %.200s: cannot be written", r->path);
}

const char *recording_layout(void)
{
    static const char ours[] = "trueline-";
    const char *name = TL_LAYOUT_NAME;

    return strncmp(name, ours, sizeof ours - 1) == 0 ? name + sizeof ours - 1 : name;
}

bool recording_is_open(const recording *r)
{
    return r->buffer != NULL;
}

tl_exit recording_flush(recording *r, tl_fault *fault)
{
    size_t done = 0;

    r->flushed_ms = tl_clock_ms();
    while (done < r->n) {
        ssize_t n = write(r->fd, r->buffer + done, r->n - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            r->n = 0; /* what was lost is not tried again when the file is closed */
            return cannot(r, fault);
        }
        done += (size_t)n;
    }
    r->n = 0;
    return TL_EXIT_OK;
}

/* ---- blocks ---- */

/* The buffer was written up to there, and has to be wiped so far. */
static void note_use(recording *r, size_t n)
{
    if (n > r->used)
        r->used = n;
}

/* A block's beginning; the buffer has room for BLOCK_ROOM bytes. */
static tl_exit begin(recording *r, uint32_t type, tl_wr *w, tl_fault *fault)
{
    tl_exit e = ROOM - r->n < BLOCK_ROOM ? recording_flush(r, fault) : TL_EXIT_OK;

    if (e != TL_EXIT_OK)
        note_use(r, ROOM);
    *w = tl_wr_of(r->buffer + r->n, BLOCK_ROOM);
    tl_put(w, 4, TL_LITTLE, type);
    tl_put(w, 4, TL_LITTLE, 0);
    return e;
}

/* Its end: the length, at both ends. */
static tl_exit end(recording *r, tl_wr *w, tl_fault *fault)
{
    size_t n = w->n + 4;
    tl_wr length = tl_wr_of(r->buffer + r->n + 4, 4);

    tl_put(w, 4, TL_LITTLE, n);
    tl_put(&length, 4, TL_LITTLE, n);
    note_use(r, r->n + (w->bad ? BLOCK_ROOM : n));
    if (w->bad)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "capture: %.200s: a block of more than %d bytes",
                            r->path, BLOCK_ROOM);
    r->n += n;
    r->bytes += n;
    return TL_EXIT_OK;
}

static void put_padded(tl_wr *w, tl_span s)
{
    uint8_t *p = tl_room(w, s.n);

    if (p != NULL && s.n > 0)
        memcpy(p, s.p, s.n);
    tl_put_zeros(w, (4 - s.n % 4) % 4);
}

/* An option; no text, no option. What is too long is cut. */
static void put_option(tl_wr *w, unsigned code, tl_span value)
{
    value.n = value.n > OPTION_MAX ? OPTION_MAX : value.n;
    if (value.n == 0)
        return;
    tl_put(w, 2, TL_LITTLE, code);
    tl_put(w, 2, TL_LITTLE, value.n);
    put_padded(w, value);
}

static void put_text(tl_wr *w, unsigned code, const char *text)
{
    put_option(w, code, tl_span_of(text, strlen(text)));
}

static tl_exit put_section(recording *r, const char *program, tl_fault *fault)
{
    tl_wr w;
    tl_exit e = begin(r, PCAPNG_SECTION, &w, fault);

    tl_put(&w, 4, TL_LITTLE, PCAPNG_ORDER_MAGIC);
    tl_put(&w, 2, TL_LITTLE, 1);
    tl_put(&w, 2, TL_LITTLE, 0);
    tl_put(&w, 8, TL_LITTLE, UINT64_MAX); /* the section's length: not known */
    put_text(&w, PCAPNG_OPTION_APPLICATION, program);
    tl_put(&w, 4, TL_LITTLE, PCAPNG_OPTION_END);
    return e == TL_EXIT_OK ? end(r, &w, fault) : e;
}

/* Who has a file open that was there before would read on, whatever mode it has now: secrets go into a new one. */
static int create_anew(const char *path)
{
    char target[TL_FILE_PATH];
    bool in_place;
    tl_fault fault;

    if (tl_file_target(path, target, &in_place, &fault) != TL_EXIT_OK || in_place)
        return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (unlink(target) != 0 && errno != ENOENT)
        return -1;
    return open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

int recording_create(const char *path, bool secret)
{
    int fd = secret ? create_anew(path) : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    struct stat st;

    /* The mode of a device is everybody's. */
    if (fd >= 0 && secret && (fstat(fd, &st) != 0 || (S_ISREG(st.st_mode) && fchmod(fd, 0600) != 0))) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

tl_exit recording_apart(const char *capture, const char *secrets, tl_fault *fault)
{
    struct stat a, b;

    if (stat(capture, &a) != 0 || stat(secrets, &b) != 0 || !S_ISREG(a.st_mode) || a.st_dev != b.st_dev ||
        a.st_ino != b.st_ino)
        return TL_EXIT_OK;
    return tl_fault_set(fault, TL_EXIT_USAGE,
                        "secrets: %.200s: this is the capture; to have them in it, give the same name twice",
                        secrets);
}

tl_exit recording_open(recording *r, const char *path, bool secret, const char *program, tl_fault *fault)
{
    tl_exit e;

    *r = (recording){ .path = path, .fd = -1, .flushed_ms = tl_clock_ms() };
    r->buffer = malloc(ROOM);
    if (r->buffer == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "capture: no memory");
    r->fd = recording_create(path, secret);
    e = r->fd < 0 ? cannot(r, fault) : put_section(r, program, fault);
    if (e == TL_EXIT_OK)
        e = recording_flush(r, fault);
    if (e != TL_EXIT_OK) {
        if (r->fd >= 0)
            (void)close(r->fd);
        free(r->buffer);
        r->buffer = NULL;
    }
    return e;
}

tl_exit recording_interface(recording *r, uint32_t link, const char *name, const char *comment,
                            uint32_t *index, tl_fault *fault)
{
    const uint8_t resolution = RESOLUTION;
    tl_wr w;
    tl_exit e = begin(r, PCAPNG_INTERFACE, &w, fault);

    tl_put(&w, 2, TL_LITTLE, link);
    tl_put(&w, 2, TL_LITTLE, 0);
    tl_put(&w, 4, TL_LITTLE, 0); /* packets are kept whole */
    put_text(&w, PCAPNG_OPTION_NAME, name);
    put_text(&w, PCAPNG_OPTION_COMMENT, comment);
    put_option(&w, PCAPNG_OPTION_RESOLUTION, tl_span_of(&resolution, 1));
    tl_put(&w, 4, TL_LITTLE, PCAPNG_OPTION_END);
    *index = r->interfaces++;
    return e == TL_EXIT_OK ? end(r, &w, fault) : e;
}

static uint64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static tl_exit put_packet(recording *r, const recording_from *from, uint64_t time_ns, tl_span packet,
                          tl_fault *fault)
{
    tl_wr w;
    tl_exit e = begin(r, PCAPNG_ENHANCED, &w, fault);

    if (e != TL_EXIT_OK)
        return e;
    tl_put(&w, 4, TL_LITTLE, from->index);
    tl_put(&w, 4, TL_LITTLE, time_ns >> 32);
    tl_put(&w, 4, TL_LITTLE, time_ns & UINT32_MAX);
    tl_put(&w, 4, TL_LITTLE, packet.n);
    tl_put(&w, 4, TL_LITTLE, packet.n);
    put_padded(&w, packet);
    tl_put(&w, 2, TL_LITTLE, PCAPNG_OPTION_FLAGS);
    tl_put(&w, 2, TL_LITTLE, 4);
    tl_put(&w, 4, TL_LITTLE, from->direction);
    if (from->comment != NULL)
        put_text(&w, PCAPNG_OPTION_COMMENT, from->comment);
    tl_put(&w, 4, TL_LITTLE, PCAPNG_OPTION_END);
    r->packets++;
    return end(r, &w, fault);
}

tl_exit recording_packets(recording *r, const recording_from *from, const tl_span *packets, size_t n,
                          tl_fault *fault)
{
    uint64_t time_ns = now_ns();
    tl_exit e = TL_EXIT_OK;

    for (size_t i = 0; i < n && e == TL_EXIT_OK; i++)
        e = put_packet(r, from, time_ns, packets[i], fault);
    if (e == TL_EXIT_OK && tl_clock_ms() - r->flushed_ms >= FLUSH_MS)
        e = recording_flush(r, fault);
    return e;
}

tl_exit recording_packet_at(recording *r, const recording_from *from, uint64_t time_ns, tl_span packet,
                            tl_fault *fault)
{
    return put_packet(r, from, time_ns, packet, fault);
}

tl_exit recording_secrets(recording *r, uint32_t type, tl_span secrets, tl_fault *fault)
{
    tl_wr w;
    tl_exit e = begin(r, PCAPNG_SECRETS, &w, fault);

    tl_put(&w, 4, TL_LITTLE, type);
    tl_put(&w, 4, TL_LITTLE, secrets.n);
    put_padded(&w, secrets);
    return e == TL_EXIT_OK ? end(r, &w, fault) : e;
}

tl_exit recording_close(recording *r, tl_fault *fault)
{
    tl_exit e;

    if (!recording_is_open(r))
        return TL_EXIT_OK;
    e = recording_flush(r, fault);
    if (close(r->fd) != 0 && e == TL_EXIT_OK)
        e = cannot(r, fault);
    tl_wipe(r->buffer, r->used);
    free(r->buffer);
    r->buffer = NULL;
    return e;
}
