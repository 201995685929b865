/* A recorded good frame of FSED in memory, edited: rows of planes and of the metadata dropped, swapped, repeated, cut,
 * bits flipped, metadata headers rewritten, foreign rows put in. Beyond staying in bounds:
 *     a frame is ok only with exactly the bytes that were sent, and only once
 *     verdict and event are the same, and no frame stays open
 *     what was not changed at all is ok */
#include "two_carriers.h"

enum { PLANES = 3, ROOM = 24 }; /* pixels, embedded data, metadata */

static recorded good[3];
static const size_t lengths[PLANES] = { 21, 8, META_LENGTH };

static struct {
    tl_buffer rows[PLANES][ROOM];
    uint32_t n[PLANES];
    uint8_t present[ROOM / 8];
    bool has_present;
    size_t cut;
    unsigned ok, frames;
    tl_verdict last;
} run;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_event(void *ctx, const tl_stream_event *e)
{
    (void)ctx;
    if (e->kind != TL_EVENT_FRAME)
        return;
    run.frames++;
    run.last = e->verdict;
    run.ok += e->verdict == TL_VERDICT_OK;
    expect(e->frame == FRAME && e->payload.n == 0);
}

static void put_in(unsigned plane, size_t at, tl_buffer row)
{
    if (run.n[plane] == ROOM) {
        free(row.p);
        return;
    }
    memmove(run.rows[plane] + at + 1, run.rows[plane] + at, (run.n[plane] - at) * sizeof(tl_buffer));
    run.rows[plane][at] = row;
    run.n[plane]++;
}

static void take_out(unsigned plane, size_t at)
{
    free(run.rows[plane][at].p);
    run.n[plane]--;
    memmove(run.rows[plane] + at, run.rows[plane] + at + 1, (run.n[plane] - at) * sizeof(tl_buffer));
}

static void capture(const recorded *r)
{
    tl_csi2_packet p;

    for (size_t i = 0; i < r->sent[TL_CARRIER_FSED].n; i++) {
        unsigned plane;
        tl_csi2_read(tl_span_of(r->sent[TL_CARRIER_FSED].v[i].p, r->sent[TL_CARRIER_FSED].v[i].n), &p);
        if (tl_csi2_is_short(p.header.data_type))
            continue;
        plane = p.header.data_type == TL_DT_RAW12 ? 0 : p.header.data_type == TL_DT_EMBEDDED ? 1 : 2;
        put_in(plane, run.n[plane], copy_of(p.payload.p, p.payload.n));
    }
}

/* Writes another header in front of a metadata row. */
static void rewrite(tl_buffer row, tl_rd *in)
{
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(tl_span_of(row.p, row.n));
    tl_wr w = tl_wr_of(row.p, row.n);
    tl_fsed_packet m;

    if (tl_decode_fsed_packet(&env, &r, &m) != TL_OK)
        return;
    m.offset += (uint32_t)tl_get(in, 1, TL_LITTLE) - 128;
    m.used = (uint32_t)(m.used + tl_get(in, 1, TL_LITTLE) - 128) & 0xFFFF;
    if (tl_encode_fsed_packet(&env, &m, &w) != TL_OK)
        return;
}

static void edit(unsigned what, size_t at, size_t x, tl_rd *in)
{
    unsigned plane = what / 8 % PLANES;
    tl_buffer *row, kept;
    tl_span junk;

    if (run.n[plane] == 0)
        return;
    row = &run.rows[plane][at %= run.n[plane]];
    switch (what % 8) {
    case 0: take_out(plane, at); break;
    case 1:
        kept = *row;
        *row = run.rows[plane][x % run.n[plane]];
        run.rows[plane][x % run.n[plane]] = kept;
        break;
    case 2: put_in(plane, x % (run.n[plane] + 1), copy_of(row->p, row->n)); break;
    case 3:
    case 4: row->p[x % row->n] ^= (uint8_t)(1u << (x >> 8) % 8); break;
    case 5:
        if (plane == 2)
            rewrite(*row, in);
        break;
    case 6:
        run.has_present = true;
        run.present[at / 8] &= (uint8_t) ~(x & 1 ? 1u << at % 8 : 0);
        run.cut = x & 2 ? x >> 2 & 7 : 0;
        break;
    default:
        junk = tl_get_bytes(in, x % 256 < in->n ? x % 256 : in->n);
        memcpy(row->p, junk.p != NULL ? junk.p : row->p, junk.n < row->n ? junk.n : row->n);
    }
}

/* The rows in memory of exactly their size. */
static tl_frame_plane lay_out(unsigned plane, uint8_t data_type)
{
    tl_frame_plane p = { .data_type = data_type,
                         .stride = lengths[plane] + plane,
                         .row_bytes = lengths[plane] - (plane == 2 ? run.cut : 0),
                         .rows = run.n[plane] };

    p.p = malloc(p.rows > 0 ? (p.rows - 1) * p.stride + p.row_bytes : 1);
    expect(p.p != NULL);
    for (uint32_t i = 0; i < p.rows; i++)
        memcpy(p.p + i * p.stride, run.rows[plane][i].p, p.row_bytes);
    if (plane == 0 && run.has_present)
        p.present = run.present;
    return p;
}

static bool is_what_was_sent(const tl_frame_plane *planes)
{
    if (planes[0].rows < 6 || planes[1].rows < 3)
        return false;
    for (uint32_t i = 0; i < LINES; i++) {
        const tl_frame_plane *p = &planes[i >= 6];
        uint32_t row = i < 6 ? i : i - 6;
        if (memcmp(p->p + row * p->stride, line_of(p->data_type, row), lengths[i >= 6]) != 0)
            return false;
    }
    return true;
}

static void receive(const recorded *r, bool changed)
{
    tl_frame_plane planes[2] = { lay_out(0, TL_DT_RAW12), lay_out(1, TL_DT_EMBEDDED) };
    tl_frame_buffers frame = { planes, 2, lay_out(2, 0) };
    tl_stream_rx rx = r->rx[TL_CARRIER_FSED];
    tl_verdict verdict;

    rx.sink = (tl_stream_sink){ NULL, on_event };
    expect(tl_stream_rx_frame(&rx, 5, &frame, &verdict) == TL_OK);
    expect(!rx.open && run.frames <= 1 && (run.frames == 0 || verdict == run.last));
    expect((verdict == TL_VERDICT_OK) == (run.ok == 1));
    if (verdict == TL_VERDICT_OK)
        expect(is_what_was_sent(planes));
    if (!changed)
        expect(verdict == TL_VERDICT_OK);
    expect(tl_stream_rx_frame(&rx, 6, &frame, &verdict) == TL_OK);
    expect(verdict != TL_VERDICT_OK);
    free(planes[0].p);
    free(planes[1].p);
    free(frame.metadata.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tl_rd in = tl_rd_of(tl_span_of(data, size));
    unsigned mode = (unsigned)tl_get(&in, 1, TL_LITTLE) % 3;
    bool changed = false;

    for (unsigned i = 0; i < 3 && good[i].config.stream == 0; i++)
        record(&good[i], i);
    memset(&run, 0, sizeof run);
    memset(run.present, 0xFF, sizeof run.present);
    capture(&good[mode]);
    in.bad = false;
    for (; in.n >= 4; changed = true) {
        unsigned what = (unsigned)tl_get(&in, 1, TL_LITTLE);
        size_t at = (size_t)tl_get(&in, 1, TL_LITTLE), x = (size_t)tl_get(&in, 2, TL_LITTLE);
        edit(what, at, x, &in);
    }
    receive(&good[mode], changed);
    for (unsigned plane = 0; plane < PLANES; plane++)
        while (run.n[plane] > 0)
            take_out(plane, run.n[plane] - 1);
    return 0;
}
