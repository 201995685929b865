/* A recorded good frame of either carrier, edited, through the bridge and to the receiver behind it. Beyond staying in
 * bounds:
 *     what comes out on the stream's channel are whole packets with right checksums
 *     one packet that comes in gives never more than the packets of a whole frame
 *     every packet that comes in is counted
 *     a frame is ok behind the bridge only with exactly the bytes that were sent
 *     what was not changed at all is ok */
#include "two_carriers.h"

#include "dma.h"

#include <trueline/bridge.h>

static recorded good[3];

static struct {
    edits in;
    size_t out;
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

static void repair(tl_buffer packet)
{
    if (tl_csi2_repair(packet.p, packet.n) != TL_OK) /* too short to have a checksum */
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
    run.in.repair = repair;
    edits_begin(&run.in, r->sent[from].v, r->sent[from].n);
}

static void carry(const recorded *r, tl_bridge_way way)
{
    const size_t frame_n = r->sent[way == TL_BRIDGE_TO_FSED ? TL_CARRIER_FSED : TL_CARRIER_SEP].n;
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
    for (size_t i = 0; i < run.in.n; i++) {
        const size_t before = run.out;
        tl_bridge_packet(&bridge, run.in.list[i]);
        while (tl_bridge_next(&bridge, &packet)) {
            tl_csi2_packet p;
            tl_csi2_read(packet, &p);
            if (p.header.virtual_channel == 0)
                receive(packet, way);
        }
        expect(run.out - before <= frame_n);
    }
    expect(counters->packets == run.in.n);
    expect(counters->damaged + counters->refused <= run.in.n);
    free(memory.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tl_rd in = tl_rd_of(tl_span_of(data, size));
    unsigned how = (unsigned)tl_get(&in, 1, TL_LITTLE), mode = how % 3, from = how / 3 % 2;
    bool changed;

    for (unsigned i = 0; i < 3 && good[i].config.stream == 0; i++)
        record(&good[i], i);
    set_up(&good[mode], from);
    changed = edits_all(&run.in, &in);
    carry(&good[mode], from == TL_CARRIER_SEP ? TL_BRIDGE_TO_FSED : TL_BRIDGE_TO_SEP);
    if (!changed)
        expect(run.ok);
    tl_stream_rx_tick(&run.rx, 5000); /* a frame that is open still holds running MACs of the backend */
    expect(!run.rx.open);
    edits_end(&run.in);
    return 0;
}
