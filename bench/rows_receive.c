/* From packets in memory to the frame's verdict: every line with a tag of its own, the frames in a ring that no cache
 * holds, so that each comes from DRAM as it does after DMA. Against reading the same packets with the widest loads there
 * are: no receiver can be faster than that. */
#include "bench.h"
#include "bench_ends.h"
#include "floor.h"

#include <stdio.h>

enum { LINES = 2160, RING_SLOW = 4 };

typedef struct receive_row {
    const char *name;
    tl_suite suite;
    bool checked; /* CRC-16 and CRC-32 too */
    bool huge;
    double goal;
} receive_row;

static const receive_row receive_rows[] = {
    { "receive", TL_SUITE_AES128_GMAC, false, false, 0.75 },
    { "receive_checked", TL_SUITE_AES128_GMAC, true, false, 0.5 },
    { "receive_cmac", TL_SUITE_AES128_CMAC, false, false, 0 },
    { "receive_huge", TL_SUITE_AES128_GMAC, false, true, 0 },
    { "receive_checked_huge", TL_SUITE_AES128_GMAC, true, true, 0 },
};

typedef struct work {
    bench_ends ends;
    floor_loop floor;
    unsigned ring; /* frames */
    unsigned read; /* the frame that the reader takes next: half the ring away from the receiver */
    uint64_t sum;
} work;

static void prepare(void *ctx)
{
    work *w = ctx;

    if (w->ends.next == w->ring)
        bench_ends_rewind(&w->ends);
}

static void receive(void *ctx)
{
    work *w = ctx;

    bench_ends_receive(&w->ends);
}

static void read_frame(void *ctx)
{
    work *w = ctx;
    unsigned n = bench_ends_packets(&w->ends);
    const tl_buffer *packets = w->ends.packets + (size_t)w->read * n;

    for (unsigned i = 0; i < n; i++)
        w->sum += w->floor.run(packets[i].p, packets[i].n);
    w->read = (w->read + 1) % w->ring;
}

static void run_row(bench *b, const receive_row *r)
{
    static work w;
    char note[96];
    /* Portable code is so slow that memory does not matter. */
    unsigned ring = b->asked == BACKEND_SOFT && b->ring > RING_SLOW ? RING_SLOW : b->ring;
    const bench_ends_shape shape = { .suite = r->suite,
                                     .variant = TL_SV_2,
                                     .tag_mode = TL_TAG_PER_MESSAGE,
                                     .crc32 = r->checked ? TL_WITH : TL_WITHOUT,
                                     .hop_check = r->checked ? TL_HOP_CHECK_HERE : TL_HOP_CHECKED_BELOW,
                                     .data_type = TL_DT_RAW16,
                                     .lines = LINES,
                                     .line_bytes = BENCH_LINE,
                                     .frames = ring,
                                     .huge = r->huge,
                                     .in_place = true };
    bench_row row = { .name = r->name, .goal = r->goal, .messages = LINES, .note = note };

    w = (work){ .floor = floor_read(), .ring = ring, .read = ring / 2 };
    row.peer = w.floor.name;
    row.bytes = (double)LINES * BENCH_LINE;
    if (!bench_ends_open(&w.ends, b->crypto, &shape)) {
        bench_failed(b, r->name, row.peer, "no memory, or a call failed");
    } else {
        (void)snprintf(note, sizeof note, "%u frames of %.1f MB, %.0f %% on huge pages", w.ring,
                       row.bytes / 1e6, 100 * bench_pages_huge(w.ends.memory, w.ends.memory_n));
        bench_compare(b, &row, (gate_job){ .prepare = prepare, .run = receive, .ctx = &w },
                      (gate_job){ .run = read_frame, .ctx = &w });
        if (w.ends.failed)
            bench_failed(b, r->name, row.peer, "a frame is not right");
    }
    bench_ends_close(&w.ends);
}

void rows_receive(bench *b)
{
    for (size_t i = 0; i < sizeof receive_rows / sizeof *receive_rows; i++)
        if (bench_wants(b, receive_rows[i].name))
            run_row(b, &receive_rows[i]);
}
