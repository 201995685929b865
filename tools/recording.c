/* Writing pcapng: blocks as tools/pcapng.c draws them, in this machine's favourite order, little-endian. */
#include "recording.h"
#include "clock.h"
#include "file.h"
#include "recording_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <trueline/layout/ids.h>

enum {
    ROOM = 1 << 20,                     /* bytes of the buffer: many packets a call of the system */
    BLOCK_ROOM = RECORDING_QUEUE_BLOCK, /* of a block; the longest are comments and secrets of 64 KiB */
    STATISTICS = 64,                    /* bytes of an interface's statistics, or more */
    NO_INTERFACE = UINT16_MAX,          /* of which there is none */
    OPTION_MAX = 65535,
    FLUSH_MS = 1000,
    PATIENCE_MS = 5000, /* with a pipe that nobody reads */
    RESOLUTION = 9      /* nanoseconds */
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
    struct pollfd out = { .fd = r->fd, .events = POLLOUT };
    size_t done = 0;

    if (r->queue != NULL) {
        recording_queue_flush(r->queue);
        return TL_EXIT_OK;
    }
    r->flushed_ms = tl_clock_ms();
    while (done < r->n) {
        ssize_t n = write(r->fd, r->buffer + done, r->n - done);

        if (n < 0 && (errno == EINTR || (errno == EAGAIN && poll(&out, 1, PATIENCE_MS) > 0)))
            continue; /* what was live does not block where its pipe is full */
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

/* BLOCK_ROOM bytes for a block; none: a live recording has no room for it. */
static tl_exit find_room(recording *r, bool needed, tl_fault *fault)
{
    tl_exit e = TL_EXIT_OK;

    if (r->queue != NULL) {
        r->at = r->ended ? NULL : recording_queue_room(r->queue, needed);
        return e;
    }
    if (ROOM - r->n < BLOCK_ROOM)
        e = recording_flush(r, fault);
    r->at = r->buffer + r->n;
    return e;
}

/* A block's beginning, where there is room. */
static void begin(const recording *r, uint32_t type, tl_wr *w)
{
    *w = tl_wr_of(r->at, BLOCK_ROOM);
    tl_put(w, 4, TL_LITTLE, type);
    tl_put(w, 4, TL_LITTLE, 0);
}

/* Its end: the length, at both ends. */
static tl_exit end(recording *r, tl_wr *w, tl_fault *fault)
{
    size_t n = w->n + 4;
    tl_wr length = tl_wr_of(r->at + 4, 4);

    tl_put(w, 4, TL_LITTLE, n);
    tl_put(&length, 4, TL_LITTLE, n);
    note_use(r, r->n + (w->bad ? BLOCK_ROOM : n));
    if (w->bad)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "capture: %.200s: a block of more than %d bytes",
                            r->path, BLOCK_ROOM);
    if (r->queue != NULL)
        recording_queue_put(r->queue, n);
    else
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

static void put_count(tl_wr *w, unsigned code, uint64_t count)
{
    tl_put(w, 2, TL_LITTLE, code);
    tl_put(w, 2, TL_LITTLE, 8);
    tl_put(w, 8, TL_LITTLE, count);
}

static void put_text(tl_wr *w, unsigned code, const char *text)
{
    put_option(w, code, tl_span_of(text, strlen(text)));
}

static tl_exit put_section(recording *r, const char *program, tl_fault *fault)
{
    tl_wr w;
    tl_exit e = find_room(r, true, fault);

    begin(r, PCAPNG_SECTION, &w);
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

static tl_exit one_more_count(recording *r, tl_fault *fault)
{
    recording_count *grown = realloc(r->counts, (r->interfaces + 1) * sizeof *grown);

    if (grown == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "capture: no memory");
    r->counts = grown;
    r->counts[r->interfaces] = (recording_count){ 0 };
    return TL_EXIT_OK;
}

tl_exit recording_interface(recording *r, uint32_t link, const char *name, const char *comment,
                            uint32_t *index, tl_fault *fault)
{
    const uint8_t resolution = RESOLUTION;
    tl_wr w;
    tl_exit e = find_room(r, true, fault);

    *index = NO_INTERFACE;
    r->ended = r->ended || r->at == NULL; /* nobody could read what is of it */
    if (e == TL_EXIT_OK && r->queue != NULL)
        e = one_more_count(r, fault);
    if (e != TL_EXIT_OK || r->at == NULL)
        return e;
    begin(r, PCAPNG_INTERFACE, &w);
    tl_put(&w, 2, TL_LITTLE, link);
    tl_put(&w, 2, TL_LITTLE, 0);
    tl_put(&w, 4, TL_LITTLE, 0); /* packets are kept whole */
    put_text(&w, PCAPNG_OPTION_NAME, name);
    put_text(&w, PCAPNG_OPTION_COMMENT, comment);
    put_option(&w, PCAPNG_OPTION_RESOLUTION, tl_span_of(&resolution, 1));
    tl_put(&w, 4, TL_LITTLE, PCAPNG_OPTION_END);
    *index = r->interfaces++;
    return end(r, &w, fault);
}

static uint64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A live recording's counts of an interface; NULL: none are kept. */
static recording_count *count_of(const recording *r, uint32_t index)
{
    return r->queue != NULL && index < r->interfaces ? &r->counts[index] : NULL;
}

static void not_recorded(recording *r, recording_count *count)
{
    r->not_recorded++;
    if (count == NULL)
        return;
    count->lost++;
    count->lost_before++;
}

static tl_exit put_packet(recording *r, const recording_from *from, uint64_t time_ns, tl_span packet,
                          tl_fault *fault)
{
    recording_count *count = count_of(r, from->index);
    const uint64_t lost = count != NULL ? count->lost_before : from->lost;
    tl_wr w;
    tl_exit e = find_room(r, from->rare, fault);

    if (e != TL_EXIT_OK)
        return e;
    if (r->at == NULL) {
        not_recorded(r, count);
        return e;
    }
    begin(r, PCAPNG_ENHANCED, &w);
    tl_put(&w, 4, TL_LITTLE, from->index);
    tl_put(&w, 4, TL_LITTLE, time_ns >> 32);
    tl_put(&w, 4, TL_LITTLE, time_ns & UINT32_MAX);
    tl_put(&w, 4, TL_LITTLE, packet.n);
    tl_put(&w, 4, TL_LITTLE, packet.n);
    put_padded(&w, packet);
    tl_put(&w, 2, TL_LITTLE, PCAPNG_OPTION_FLAGS);
    tl_put(&w, 2, TL_LITTLE, 4);
    tl_put(&w, 4, TL_LITTLE, from->direction);
    if (lost > 0)
        put_count(&w, PCAPNG_OPTION_LOST_BEFORE, lost);
    if (from->comment != NULL)
        put_text(&w, PCAPNG_OPTION_COMMENT, from->comment);
    tl_put(&w, 4, TL_LITTLE, PCAPNG_OPTION_END);
    r->packets++;
    if (count != NULL) {
        count->taken++;
        count->lost_before = 0;
    }
    return end(r, &w, fault);
}

tl_exit recording_packets(recording *r, const recording_from *from, const tl_span *packets, size_t n,
                          tl_fault *fault)
{
    uint64_t time_ns = now_ns();
    tl_exit e = TL_EXIT_OK;

    for (size_t i = 0; i < n && e == TL_EXIT_OK; i++)
        e = put_packet(r, from, time_ns, packets[i], fault);
    if (e == TL_EXIT_OK && r->queue == NULL && tl_clock_ms() - r->flushed_ms >= FLUSH_MS)
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
    tl_exit e = find_room(r, true, fault);

    if (e != TL_EXIT_OK || r->at == NULL)
        return e;
    begin(r, PCAPNG_SECRETS, &w);
    tl_put(&w, 4, TL_LITTLE, type);
    tl_put(&w, 4, TL_LITTLE, secrets.n);
    put_padded(&w, secrets);
    return end(r, &w, fault);
}

/* ---- live ---- */

tl_exit recording_live(recording *r, bool secret, tl_fault *fault)
{
    return recording_queue_open(&r->queue, r->fd, r->bytes, secret, fault);
}

int recording_error(const recording *r)
{
    return r->queue != NULL ? recording_queue_error(r->queue) : 0;
}

static void lose(void *ctx, uint32_t interface)
{
    recording *r = ctx;

    r->packets--;
    r->not_recorded++;
    if (interface >= r->interfaces)
        return;
    r->counts[interface].taken--;
    r->counts[interface].lost++;
}

/* What each interface has, and has not. */
static tl_exit put_statistics(recording *r, tl_fault *fault)
{
    const uint64_t time_ns = now_ns();
    tl_exit e = TL_EXIT_OK;

    for (uint32_t i = 0; i < r->interfaces && e == TL_EXIT_OK; i++) {
        tl_wr w;

        e = find_room(r, true, fault);
        if (e != TL_EXIT_OK)
            break;
        begin(r, PCAPNG_STATISTICS, &w);
        tl_put(&w, 4, TL_LITTLE, i);
        tl_put(&w, 4, TL_LITTLE, time_ns >> 32);
        tl_put(&w, 4, TL_LITTLE, time_ns & UINT32_MAX);
        put_count(&w, PCAPNG_OPTION_RECEIVED, r->counts[i].taken + r->counts[i].lost);
        put_count(&w, PCAPNG_OPTION_DROPPED, r->counts[i].lost);
        tl_put(&w, 4, TL_LITTLE, PCAPNG_OPTION_END);
        e = end(r, &w, fault);
    }
    return e == TL_EXIT_OK ? recording_flush(r, fault) : e;
}

static tl_exit say_lacking(const recording *r, int error, tl_fault *fault)
{
    const unsigned long long n = (unsigned long long)r->not_recorded;
    const char *packets = n == 1 ? "packet" : "packets";

    if (error != 0)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "capture: %.200s: %s: %llu %s not recorded", r->path,
                            error == ETIMEDOUT ? "nobody reads it" : strerror(error), n, packets);
    if (n > 0)
        return tl_fault_set(fault, TL_EXIT_INTERNAL,
                            "capture: %.200s: %llu %s not recorded: what it is written to is too slow",
                            r->path, n, packets);
    return TL_EXIT_OK;
}

/* Without its thread the rest is written here, where there is room for it. */
static tl_exit end_live(recording *r, tl_fault *fault)
{
    recording_end end = { .ctx = r, .lost = lose };
    tl_exit e = TL_EXIT_OK;
    tl_fault other = { 0 };

    recording_queue_close(r->queue, (size_t)STATISTICS * r->interfaces, &end);
    r->queue = NULL;
    r->bytes = end.size;
    if (end.whole && (end.error == 0 || end.size > 0))
        e = put_statistics(r, &other);
    free(r->counts);
    r->counts = NULL;
    if (e != TL_EXIT_OK && end.error == 0) {
        *fault = other;
        return e;
    }
    return say_lacking(r, end.error, fault);
}

tl_exit recording_close(recording *r, tl_fault *fault)
{
    tl_exit e;

    if (!recording_is_open(r))
        return TL_EXIT_OK;
    e = r->queue != NULL ? end_live(r, fault) : recording_flush(r, fault);
    if (close(r->fd) != 0 && e == TL_EXIT_OK)
        e = cannot(r, fault);
    tl_wipe(r->buffer, r->used);
    free(r->buffer);
    r->buffer = NULL;
    return e;
}
