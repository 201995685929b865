/* Frames of 3840 x 2160 in lines of 5,760 bytes, with CRC-16 and CRC-32 made and checked as in every other run of the
 * program. A frame is made again before it is verified, which is not timed; it lies in the cache's last level then. */
#include "bench_modes.h"

#include "bench_ends.h"

enum { WIDTH = 3840, HEIGHT = 2160, LINE = WIDTH * 12 / 8, RATE = 30 };

typedef struct mode_row {
    tl_carrier carrier;
    const char *tags, *pixels;
    tl_suite suite;
    tl_tag_mode tag_mode;
    tl_variant variant;
    tl_pattern pattern;
} mode_row;

static const mode_row mode_rows[] = {
    { TL_CARRIER_SEP, "line", "in clear", TL_SUITE_AES128_GMAC, TL_TAG_PER_MESSAGE, TL_SV_2, { 0 } },
    { TL_CARRIER_SEP, "line", "encrypted", TL_SUITE_AES128_GMAC, TL_TAG_PER_MESSAGE, TL_SV_1, { 0 } },
    { TL_CARRIER_SEP, "line", "1 line in 4", TL_SUITE_AES128_GMAC, TL_TAG_PER_MESSAGE, TL_SV_3, { 0, 1, 4 } },
    { TL_CARRIER_SEP, "frame", "in clear", TL_SUITE_AES128_GMAC, TL_TAG_PER_FRAME, TL_SV_2, { 0 } },
    { TL_CARRIER_SEP, "frame", "encrypted", TL_SUITE_AES128_GMAC, TL_TAG_PER_FRAME, TL_SV_1, { 0 } },
    { TL_CARRIER_SEP, "line", "in clear", TL_SUITE_AES128_CMAC, TL_TAG_PER_MESSAGE, TL_SV_2, { 0 } },
    { TL_CARRIER_SEP, "line", "encrypted", TL_SUITE_AES128_CMAC, TL_TAG_PER_MESSAGE, TL_SV_1, { 0 } },
    { TL_CARRIER_SEP, "frame", "in clear", TL_SUITE_AES128_CMAC, TL_TAG_PER_FRAME, TL_SV_2, { 0 } },
    { TL_CARRIER_SEP, "line", "in clear", TL_SUITE_AES256_GMAC, TL_TAG_PER_MESSAGE, TL_SV_2, { 0 } },
    { TL_CARRIER_SEP, "line", "encrypted", TL_SUITE_AES256_GMAC, TL_TAG_PER_MESSAGE, TL_SV_1, { 0 } },
    { TL_CARRIER_FSED, "line", "in clear", TL_SUITE_AES128_GMAC, TL_TAG_PER_MESSAGE, TL_SV_2, { 0 } },
    { TL_CARRIER_FSED, "line", "encrypted", TL_SUITE_AES128_GMAC, TL_TAG_PER_MESSAGE, TL_SV_1, { 0 } },
    { TL_CARRIER_FSED, "frame", "in clear", TL_SUITE_AES128_GMAC, TL_TAG_PER_FRAME, TL_SV_2, { 0 } },
    { TL_CARRIER_FSED, "line", "in clear", TL_SUITE_AES128_CMAC, TL_TAG_PER_MESSAGE, TL_SV_2, { 0 } },
    { TL_CARRIER_FSED, "frame", "in clear", TL_SUITE_AES128_CMAC, TL_TAG_PER_FRAME, TL_SV_2, { 0 } },
};

unsigned bench_modes(void)
{
    return sizeof mode_rows / sizeof *mode_rows;
}

unsigned bench_cameras(double frame_us)
{
    return (unsigned)(1e6 / RATE / frame_us);
}

static void protect(void *ctx)
{
    bench_ends_send(ctx, 0);
}

static void verify(void *ctx)
{
    bench_ends *e = ctx;

    e->next = 0;
    bench_ends_receive(e);
}

tl_exit bench_mode_run(const backend *b, unsigned i, unsigned rounds, bench_mode *mode, tl_fault *fault)
{
    static bench_ends ends;
    const mode_row *row = &mode_rows[i];
    const bench_ends_shape shape = { .carrier = row->carrier,
                                     .suite = row->suite,
                                     .variant = row->variant,
                                     .pattern = row->pattern,
                                     .tag_mode = row->tag_mode,
                                     .crc32 = TL_WITH,
                                     .data_type = TL_DT_RAW12,
                                     .lines = HEIGHT,
                                     .line_bytes = LINE,
                                     .frames = 1 };
    const gate_job making = { .name = "protect", .run = protect, .ctx = &ends };
    const gate_job checking = { .name = "verify", .prepare = protect, .run = verify, .ctx = &ends };
    bool good = bench_ends_open(&ends, b->crypto, &shape);

    *mode = (bench_mode){ .carrier = row->carrier == TL_CARRIER_FSED ? "FSED" : "SEP",
                          .tags = row->tags,
                          .suite = tl_suite_name(row->suite),
                          .pixels = row->pixels };
    if (good) {
        verify(&ends); /* and the frame's memory is touched */
        mode->protect = gate_measure(&making, 1e6 / RATE, rounds);
        mode->verify = gate_measure(&checking, 1e6 / RATE, rounds);
        good = !ends.failed;
    }
    bench_ends_close(&ends);
    return good ? TL_EXIT_OK
                : tl_fault_set(fault, TL_EXIT_INTERNAL, "bench: %s, a tag for each %s, pixels %s: it fails",
                               mode->suite, row->tags, row->pixels);
}
