/* Many streams, and more than one core.
 *
 * streams_64: packets of 64 streams, interleaved one by one as aggregators do and so in memory too, through one group, against the same number
 * of equal frames of a single stream. two_cores: two threads with a backend, a sender and a receiver each, against one
 * thread that does the work of both; each thread's frame stays in its core's second level of the cache. */
#include "bench.h"
#include "bench_ends.h"
#include "clock.h"

#include <trueline/group.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { STREAMS = 64, LINES = 64, SLOTS = 2 * STREAMS, PACKETS = LINES + 2 };

static bench_ends_shape shape_of(uint16_t stream, unsigned frames)
{
    return (bench_ends_shape){ .suite = TL_SUITE_AES128_GMAC,
                               .variant = TL_SV_2,
                               .tag_mode = TL_TAG_PER_MESSAGE,
                               .crc32 = TL_WITHOUT,
                               .hop_check = TL_HOP_CHECKED_BELOW,
                               .data_type = TL_DT_RAW16,
                               .lines = LINES,
                               .line_bytes = BENCH_LINE,
                               .frames = frames,
                               .in_place = true,
                               .stream = stream };
}

/* ---- 64 streams ---- */

typedef struct crowd {
    const tl_crypto *crypto;
    bench_ends streams[STREAMS], one;
    tl_group_slot slots[SLOTS];
    tl_stream_group group;
    tl_buffer packets[STREAMS * PACKETS];
    uint8_t *memory; /* of all packets, in the order of their arrival, as one port's DMA leaves them */
    bool failed;
} crowd;

static void gather(void *ctx)
{
    crowd *c = ctx;
    const tl_group_memory memory = { .slots = c->slots, .slot_n = SLOTS, .batch = TL_STREAM_BATCH };

    c->failed |= tl_stream_group_init(&c->group, c->crypto, &memory) != TL_OK;
    for (unsigned s = 0; s < STREAMS && !c->failed; s++) {
        bench_ends_rewind(&c->streams[s]);
        c->failed |= tl_stream_group_add(&c->group, &c->streams[s].rx) != TL_OK;
    }
}

static void receive_crowd(void *ctx)
{
    crowd *c = ctx;

    c->failed |= tl_stream_group_packets(&c->group, tl_clock_ms(), c->packets, STREAMS * PACKETS) != TL_OK;
}

/* Each run is one frame of each. */
static bool all_ok(const crowd *c, uint64_t frames)
{
    for (unsigned s = 0; s < STREAMS; s++)
        if (c->streams[s].failed || c->streams[s].frames_ok != frames)
            return false;
    return !c->failed;
}

static void rewind_one(void *ctx)
{
    crowd *c = ctx;

    bench_ends_rewind(&c->one);
}

static void receive_one(void *ctx)
{
    crowd *c = ctx;

    for (unsigned i = 0; i < STREAMS; i++)
        bench_ends_receive(&c->one);
}

/* Moves the packets to where an aggregator's would stand, each at a multiple of 64 bytes. */
static bool lay_out(crowd *c)
{
    const size_t align = 64;
    size_t size = 0, at = 0;

    for (unsigned i = 0; i < STREAMS * PACKETS; i++)
        size += (c->packets[i].n + align - 1) / align * align;
    c->memory = aligned_alloc(align, size);
    for (unsigned i = 0; c->memory != NULL && i < STREAMS * PACKETS; i++) {
        memcpy(c->memory + at, c->packets[i].p, c->packets[i].n);
        c->packets[i].p = c->memory + at;
        at += (c->packets[i].n + align - 1) / align * align;
    }
    return c->memory != NULL;
}

static bool open_crowd(crowd *c)
{
    bench_ends_shape shape = shape_of(1, STREAMS);

    if (!bench_ends_open(&c->one, c->crypto, &shape))
        return false;
    for (unsigned s = 0; s < STREAMS; s++) {
        shape = shape_of((uint16_t)(s + 2), 1);
        if (!bench_ends_open(&c->streams[s], c->crypto, &shape))
            return false;
        for (unsigned i = 0; i < PACKETS; i++)
            c->packets[i * STREAMS + s] = c->streams[s].packets[i];
    }
    if (!lay_out(c))
        return false;
    gather(c);
    receive_crowd(c);
    return all_ok(c, 1);
}

static void run_streams(bench *b)
{
    crowd *c = calloc(1, sizeof *c);
    bench_row row = { .name = "streams_64", .peer = "one-stream", .goal = 0.85, .messages = STREAMS * LINES };

    row.bytes = row.messages * BENCH_LINE;
    if (c != NULL)
        c->crypto = b->crypto;
    if (c == NULL || !open_crowd(c)) {
        bench_failed(b, row.name, row.peer, "no memory, or a frame is not right");
    } else {
        bench_compare(b, &row, (gate_job){ .prepare = gather, .run = receive_crowd, .ctx = c },
                      (gate_job){ .prepare = rewind_one, .run = receive_one, .ctx = c });
        if (c->one.failed || !all_ok(c, c->streams[0].frames_ok))
            bench_failed(b, row.name, row.peer, "a frame is not right");
    }
    for (unsigned s = 0; c != NULL && s < STREAMS; s++)
        bench_ends_close(&c->streams[s]);
    if (c != NULL) {
        bench_ends_close(&c->one);
        free(c->memory);
    }
    free(c);
}

/* ---- two cores ---- */

enum { FRAMES = 400 };

/* What one thread has. */
typedef struct core {
    backend backend;
    bench_ends ends;
} core;

typedef struct pair {
    core cores[2];
    bool failed;
} pair;

static void *work_through(void *ctx)
{
    core *c = ctx;

    for (unsigned i = 0; i < FRAMES; i++) {
        bench_ends_send(&c->ends, 0);
        c->ends.next = 0;
        bench_ends_receive(&c->ends);
    }
    return NULL;
}

static void side_by_side(void *ctx)
{
    pair *p = ctx;
    pthread_t other;

    if (pthread_create(&other, NULL, work_through, &p->cores[1]) != 0) {
        p->failed = true;
        return;
    }
    (void)work_through(&p->cores[0]);
    p->failed |= pthread_join(other, NULL) != 0;
}

static void one_after_the_other(void *ctx)
{
    pair *p = ctx;

    (void)work_through(&p->cores[0]);
    (void)work_through(&p->cores[0]);
}

static bool open_core(core *c, backend_level level)
{
    const bench_ends_shape shape = shape_of(1, 1);

    return backend_open(&c->backend, level, 0) == TL_OK &&
           bench_ends_open(&c->ends, c->backend.crypto, &shape);
}

static void close_core(core *c)
{
    bench_ends_close(&c->ends);
    backend_close(&c->backend);
}

static void run_cores(bench *b)
{
    static pair p;
    bench_row row = {
        .name = "two_cores", .peer = "one-core", .goal = 1.8, .messages = 2.0 * FRAMES * LINES
    };
    gate_job own = { .run = side_by_side, .ctx = &p, .clock = GATE_WALL };
    gate_job other = { .run = one_after_the_other, .ctx = &p, .clock = GATE_WALL };

    p = (pair){ .failed = false };
    row.bytes = row.messages * BENCH_LINE;
    if (!open_core(&p.cores[0], b->asked) || !open_core(&p.cores[1], b->asked)) {
        bench_failed(b, row.name, row.peer, "no memory, or a call failed");
    } else {
        bench_compare(b, &row, own, other);
        if (p.failed || p.cores[0].ends.failed || p.cores[1].ends.failed)
            bench_failed(b, row.name, row.peer, "a frame is not right");
    }
    close_core(&p.cores[0]);
    close_core(&p.cores[1]);
}

void rows_many(bench *b)
{
    if (bench_wants(b, "streams_64"))
        run_streams(b);
    if (bench_wants(b, "two_cores"))
        run_cores(b);
}
