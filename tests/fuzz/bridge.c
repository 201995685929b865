/* A recorded good frame of either carrier, edited, through the bridge and to the receiver behind it. Beyond staying in
 * bounds:
 *     what comes out on the stream's channel are whole packets with right checksums
 *     it is never more than what came in, the frame's packets and its metadata
 *     every packet that comes in is counted
 *     a frame is ok behind the bridge only with exactly the bytes that were sent
 *     what was not changed at all is ok */
#include "two_carriers.h"

#include "dma.h"

#include <trueline/bridge.h>

static recorded good[3];

static struct {
    tl_buffer list[PACKETS_MAX + 16];
    size_t n, out;
    bool ok;
    tl_stream_rx rx;
    tl_dma dma;
    uint8_t planes[3][32 * META_LENGTH];
    uint8_t memory[BYTES];
} run;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_event(void *ctx, const tl_stream_event *e)
{
    (void)ctx;
    if (e->kind != TL_EVENT_FRAME || e->verdict != TL_VERDICT_OK)
        return;
    expect(!run.ok && e->frame == FRAME);
    run.ok = true;
    if (e->payload.n > 0)
        expect(e->payload.n == BYTES && memcmp(e->payload.p, sent_bytes, BYTES) == 0);
}

static void check_planes(const tl_frame_buffers *frame)
{
    for (size_t i = 0; i < frame->plane_count; i++)
        for (uint32_t row = 0; row < (frame->planes[i].data_type == TL_DT_RAW12 ? 6u : 3u); row++) {
            const tl_frame_plane *p = &frame->planes[i];
            size_t n = p->data_type == TL_DT_RAW12 ? 21 : 8;
            expect(row < p->rows);
            expect(memcmp(p->p + row * p->stride, line_of(p->data_type, row), n) == 0);
        }
}

/* The receiver behind the bridge. */
static void receive(tl_span packet, tl_bridge_way way)
{
    tl_frame_buffers frame;
    tl_verdict verdict;
    tl_csi2_packet p;
    tl_buffer copy = copy_of(packet.p, packet.n);

    run.out++;
    tl_csi2_read(packet, &p);
    expect(p.ecc == TL_CSI2_ECC_OK && p.crc_right);
    if (way == TL_BRIDGE_TO_SEP) {
        expect(tl_stream_rx_packets(&run.rx, 5, &copy, 1) == TL_OK);
    } else if (tl_dma_packet(&run.dma, packet, &frame)) {
        expect(tl_stream_rx_frame(&run.rx, 5, &frame, &verdict) == TL_OK);
        if (verdict == TL_VERDICT_OK)
            check_planes(&frame);
    }
    free(copy.p);
}

static void put_in(size_t at, tl_buffer packet)
{
    if (run.n == sizeof run.list / sizeof *run.list) {
        free(packet.p);
        return;
    }
    memmove(run.list + at + 1, run.list + at, (run.n - at) * sizeof *run.list);
    run.list[at] = packet;
    run.n++;
}

static void take_out(size_t at)
{
    free(run.list[at].p);
    run.n--;
    memmove(run.list + at, run.list + at + 1, (run.n - at) * sizeof *run.list);
}

static void edit(unsigned what, size_t at, size_t x, tl_rd *in)
{
    tl_buffer *p, kept;
    tl_span junk;

    if (run.n == 0)
        return;
    p = &run.list[at %= run.n];
    switch (what % 7) {
    case 0: take_out(at); break;
    case 1:
        kept = *p;
        *p = run.list[x % run.n];
        run.list[x % run.n] = kept;
        break;
    case 2: put_in(x % (run.n + 1), copy_of(p->p, p->n)); break;
    case 3:
    case 4:
        if (p->n > 0)
            p->p[x % p->n] ^= (uint8_t)(1u << (x >> 8) % 8);
        break;
    case 5:
        kept = copy_of(p->p, x % (p->n + 1));
        free(p->p);
        *p = kept;
        break;
    default:
        junk = tl_get_bytes(in, x % 256 < in->n ? x % 256 : in->n);
        put_in(at, copy_of(junk.p, junk.n));
        p = &run.list[at];
    }
    if (what & 0x80 && at < run.n && what % 7 >= 3 && tl_csi2_repair(run.list[at].p, run.list[at].n) != TL_OK)
        return;
}

static void set_up(const recorded *r, unsigned from)
{
    memset(&run, 0, sizeof run);
    run.rx = r->rx[!from];
    run.rx.memory = run.memory;
    run.rx.sink = (tl_stream_sink){ NULL, on_event };
    run.dma.image_n = 2;
    run.dma.image[0] = (tl_dma_plane){ TL_DT_RAW12, run.planes[0], META_LENGTH, 32 };
    run.dma.image[1] = (tl_dma_plane){ TL_DT_EMBEDDED, run.planes[1], META_LENGTH, 32 };
    run.dma.metadata = (tl_dma_plane){ TL_FSED_WIRE_TYPE, run.planes[2], META_LENGTH, 32 };
    for (; run.n < r->n[from]; run.n++)
        run.list[run.n] = copy_of(r->packets[from][run.n].p, r->packets[from][run.n].n);
}

static void carry(const recorded *r, tl_bridge_way way)
{
    tl_stream_config c = r->config;
    tl_buffer memory;
    tl_bridge bridge;
    tl_span packet;
    const tl_bridge_counters *counters = tl_bridge_counters_of(&bridge);

    c.carrier = TL_CARRIER_FSED;
    c.fsed_length = META_LENGTH;
    memory.n = tl_bridge_memory(&c, way);
    memory.p = malloc(memory.n);
    expect(memory.p != NULL && tl_bridge_init(&bridge, &c, way, 0, memory) == TL_OK);
    memset(memory.p, 0xD7, memory.n);
    for (size_t i = 0; i < run.n; i++) {
        tl_bridge_packet(&bridge, run.list[i]);
        while (tl_bridge_next(&bridge, &packet)) {
            tl_csi2_packet p;
            tl_csi2_read(packet, &p);
            if (p.header.virtual_channel == 0)
                receive(packet, way);
        }
    }
    expect(counters->packets == run.n);
    expect(counters->damaged + counters->refused <= run.n);
    expect(run.out <= run.n + 12 * (counters->frames + run.n / 2));
    free(memory.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tl_rd in = tl_rd_of(tl_span_of(data, size));
    unsigned how = (unsigned)tl_get(&in, 1, TL_LITTLE), mode = how % 3, from = how / 3 % 2;
    bool changed = false;

    for (unsigned i = 0; i < 3 && good[i].config.stream == 0; i++)
        record(&good[i], i);
    set_up(&good[mode], from);
    in.bad = false;
    for (; in.n >= 4; changed = true) {
        unsigned what = (unsigned)tl_get(&in, 1, TL_LITTLE);
        size_t at = (size_t)tl_get(&in, 1, TL_LITTLE), x = (size_t)tl_get(&in, 2, TL_LITTLE);
        edit(what, at, x, &in);
    }
    carry(&good[mode], from == TL_CARRIER_SEP ? TL_BRIDGE_TO_FSED : TL_BRIDGE_TO_SEP);
    if (!changed)
        expect(run.ok);
    tl_stream_rx_tick(&run.rx, 5000); /* a frame that is open still holds running MACs of the backend */
    expect(!run.rx.open);
    while (run.n > 0)
        take_out(run.n - 1);
    return 0;
}
