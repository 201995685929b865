/* The checksums of a packet, line by line, lines in the first level of the cache: CSI-2's CRC-16 and the footer's CRC-32.
 * Against the loop of multiplications that folding cannot do without, and against the usual table of bytes. */
#include "bench.h"
#include "floor.h"

#include <trueline/csi2.h>

enum { LINES = 4 };

typedef struct work {
    const bench *b;
    bool wide; /* CRC-32 */
    floor_loop floor;
    uint32_t table[256];
    uint8_t lines[LINES][BENCH_LINE];
    uint32_t results[LINES];
    uint64_t sum;
} work;

/* ---- ours ---- */

static void own_16(void *ctx)
{
    work *w = ctx;
    const tl_crypto_ops *ops = w->b->crypto->ops;
    uint16_t (*crc16)(uint16_t, tl_span) = ops->crc16 != NULL ? ops->crc16 : tl_csi2_crc16;

    for (int i = 0; i < LINES; i++)
        w->results[i] = crc16(TL_CSI2_CRC_START, tl_span_of(w->lines[i], BENCH_LINE));
}

static void own_32(void *ctx)
{
    work *w = ctx;

    for (int i = 0; i < LINES; i++)
        w->results[i] = w->b->crypto->ops->crc32(0, tl_span_of(w->lines[i], BENCH_LINE));
}

/* ---- the others ---- */

static void multiply(void *ctx)
{
    work *w = ctx;

    for (int i = 0; i < LINES; i++)
        w->sum += w->floor.run(w->lines[i], BENCH_LINE);
}

static void make_table(work *w)
{
    uint32_t polynomial = w->wide ? 0xEDB88320 : 0x8408;

    for (uint32_t i = 0; i < 256; i++) {
        w->table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            w->table[i] = (w->table[i] >> 1) ^ ((w->table[i] & 1) != 0 ? polynomial : 0);
    }
}

static uint32_t by_table(const work *w, int line)
{
    uint32_t crc = w->wide ? 0xFFFFFFFF : TL_CSI2_CRC_START;

    for (int i = 0; i < BENCH_LINE; i++)
        crc = (crc >> 8) ^ w->table[(crc ^ w->lines[line][i]) & 0xFF];
    return w->wide ? ~crc : crc;
}

static void table(void *ctx)
{
    work *w = ctx;

    for (int i = 0; i < LINES; i++)
        w->sum += by_table(w, i);
}

static bool right(const work *w)
{
    for (int i = 0; i < LINES; i++)
        if (w->results[i] != by_table(w, i))
            return false;
    return true;
}

static void run_row(bench *b, bool wide)
{
    static work w;
    bench_row row = { .name = wide ? "crc32" : "crc16", .messages = LINES };
    gate_job own = { .run = wide ? own_32 : own_16, .ctx = &w };

    if (!bench_wants(b, row.name) || (wide && b->crypto->ops->crc32 == NULL))
        return;
    w = (work){ .b = b, .wide = wide, .floor = floor_multiply(b->asked != BACKEND_BEST) };
    make_table(&w);
    bench_fill(w.lines[0], sizeof w.lines, 7);
    row.bytes = (double)sizeof w.lines;
    own.run(own.ctx);
    if (!right(&w)) {
        bench_failed(b, row.name, "table", "a checksum differs");
        return;
    }
    if (b->asked != BACKEND_SOFT && b->asked != BACKEND_OPENSSL && w.floor.run != NULL) {
        row.peer = w.floor.name, row.goal = 0.85;
        bench_compare(b, &row, own, (gate_job){ .run = multiply, .ctx = &w });
    }
    row.peer = "table", row.goal = wide ? 0 : 60;
    bench_compare(b, &row, own, (gate_job){ .run = table, .ctx = &w });
}

void rows_crcs(bench *b)
{
    run_row(b, false);
    run_row(b, true);
}
