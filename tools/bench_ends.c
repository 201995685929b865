/* Both ends of a stream in memory, for benches. Packets lie where a sender makes them and a receiver finds them; with carrier
 * FSED lines lie so too, and the payloads of the metadata packets one behind the other, as DMA would leave them. */
#include "bench_ends.h"

#include "bench_memory.h"

#include "clock.h"

#include <stdlib.h>
#include <string.h>

enum { EDGES = 2, EDGE_SLOT = 1024, ALIGN = 64 };

unsigned bench_ends_packets(const bench_ends *l)
{
    return l->shape.lines + EDGES;
}

static size_t frame_bytes(const bench_ends *l)
{
    return l->slot * l->shape.lines + (size_t)EDGES * EDGE_SLOT;
}

static uint8_t *line_at(const bench_ends *l, unsigned frame, unsigned line)
{
    return l->memory + frame * frame_bytes(l) + EDGE_SLOT + line * l->slot;
}

static void on_event(void *ctx, const tl_stream_event *event)
{
    bench_ends *l = ctx;

    if (event->kind == TL_EVENT_FRAME && event->verdict == TL_VERDICT_OK)
        l->frames_ok++;
}

static bool key_source(const bench_ends *l, tl_key_source *source)
{
    static const uint8_t secret[32] = { 1 }, fresh[TL_FRESH_SIZE] = { 2 };
    const tl_provisioned from = { tl_span_of(secret, sizeof secret), fresh, fresh, l->config.stream,
                                  TL_SENSOR_TO_CONTROLLER };

    return tl_key_source_provisioned(source, l->crypto, &from) == TL_OK;
}

/* ---- sending ---- */

/* Puts an edge's packet into the memory. */
static tl_buffer keep(uint8_t *slot, tl_span packet)
{
    memcpy(slot, packet.p, packet.n);
    return (tl_buffer){ slot, packet.n };
}

/* FSED: the rows of metadata that an edge's packets hold. */
static void keep_metadata(bench_ends *l)
{
    tl_span packet;

    while (tl_tx_edge_next(&l->edge, &packet)) {
        size_t n = packet.n - TL_CSI2_HEADER_SIZE;

        if (n == 0) /* frame start and end */
            continue;
        n -= TL_CSI2_FOOTER_SIZE;
        if (n != l->row_bytes || (l->metadata_rows + 1) * l->row_bytes > l->metadata.n) {
            l->failed = true;
            return;
        }
        memcpy(l->metadata.p + l->metadata_rows++ * n, packet.p + TL_CSI2_HEADER_SIZE, n);
    }
}

static void send_fsed(bench_ends *l)
{
    l->metadata_rows = 0;
    l->failed |= tl_stream_tx_begin(&l->tx, 0, &l->edge) != TL_OK;
    keep_metadata(l);
    l->failed |= tl_stream_tx_messages(&l->tx, l->messages, l->shape.lines) != TL_OK;
    l->failed |= tl_stream_tx_end(&l->tx, &l->edge) != TL_OK;
    keep_metadata(l);
}

void bench_ends_send(bench_ends *l, unsigned frame)
{
    tl_buffer *packets = l->packets + (size_t)frame * bench_ends_packets(l);
    unsigned n = l->shape.lines;

    for (unsigned i = 0; i < n; i++)
        l->messages[i] = (tl_tx_message){ .data_type = l->shape.data_type,
                                          .length = l->shape.line_bytes,
                                          .buffer = line_at(l, frame, i),
                                          .room = l->slot };
    if (l->shape.carrier == TL_CARRIER_FSED) {
        send_fsed(l);
        return;
    }
    l->failed |= tl_stream_tx_begin(&l->tx, 0, &l->edge) != TL_OK;
    packets[0] = keep(line_at(l, frame, 0) - EDGE_SLOT, l->edge.packets[1]);
    l->failed |= tl_stream_tx_messages(&l->tx, l->messages, n) != TL_OK;
    for (unsigned i = 0; i < n && !l->failed; i++)
        packets[i + 1] = (tl_buffer){ l->messages[i].buffer, l->messages[i].packet.n };
    l->failed |= tl_stream_tx_end(&l->tx, &l->edge) != TL_OK;
    packets[n + 1] = keep(line_at(l, frame, n), l->edge.packets[0]);
}

/* ---- receiving ---- */

void bench_ends_rewind(bench_ends *l)
{
    tl_key_source source;

    if (l->receiving)
        tl_stream_rx_wipe(&l->rx);
    l->next = 0;
    l->receiving = key_source(l, &source) && tl_stream_rx_init(&l->rx, &l->config, &source, 0, l->released,
                                                               (tl_stream_sink){ l, on_event }) == TL_OK;
    if (l->receiving && l->shape.in_place)
        l->failed |= tl_stream_rx_rows(&l->rx, l->rows, l->shape.lines) != TL_OK;
    l->failed |= !l->receiving;
    tl_key_source_wipe(&source);
}

/* The lines lie where the sender made them, which is where DMA would have put their payloads. */
static void receive_fsed(bench_ends *l)
{
    const tl_frame_plane lines = { .data_type = l->shape.data_type,
                                   .p = line_at(l, 0, 0) + TL_SEP_BEFORE,
                                   .stride = l->slot,
                                   .row_bytes = l->shape.line_bytes,
                                   .rows = l->shape.lines };
    const tl_frame_plane metadata = {
        .p = l->metadata.p, .stride = l->row_bytes, .row_bytes = l->row_bytes, .rows = l->metadata_rows
    };
    const tl_frame_buffers frame = { &lines, 1, metadata };
    tl_verdict verdict = TL_VERDICT_CUT;

    l->failed |= tl_stream_rx_frame(&l->rx, tl_clock_ms(), &frame, &verdict) != TL_OK;
    l->failed |= verdict != TL_VERDICT_OK;
}

static void receive_sep(bench_ends *l)
{
    const tl_buffer *packets = l->packets + (size_t)l->next * bench_ends_packets(l);

    l->failed |= tl_stream_rx_packets(&l->rx, tl_clock_ms(), packets, bench_ends_packets(l)) != TL_OK;
    if (l->shape.in_place && !l->failed)
        l->failed = l->rows[0].p != packets[1].p + TL_SEP_BEFORE ||
                    l->rows[l->shape.lines - 1].p != packets[l->shape.lines].p + TL_SEP_BEFORE;
}

void bench_ends_receive(bench_ends *l)
{
    uint64_t before = l->frames_ok;

    if (l->shape.carrier == TL_CARRIER_FSED)
        receive_fsed(l);
    else
        receive_sep(l);
    l->next++;
    l->failed |= l->frames_ok != before + 1;
}

/* ---- opening ---- */

static void configure(bench_ends *l)
{
    const bench_ends_shape *s = &l->shape;

    l->config = (tl_stream_config){
        .stream = s->stream > 0 ? s->stream : 1,
        .suite = s->suite,
        .tag_mode = s->tag_mode,
        .tag_size = TL_TAG_MAX,
        .crc32 = s->crc32,
        .carrier = s->carrier,
        .hop_check = s->hop_check,
        .variant = { 0, TL_SV_2, (uint8_t)s->variant, TL_SV_2 },
        .pattern = { [TL_BLOCK_MIDDLE] = s->pattern },
        .parts = { { TL_BLOCK_MIDDLE, s->data_type, s->lines, s->line_bytes } },
        .part_count = 1,
        .release = s->in_place ? TL_RELEASE_IN_PLACE : TL_RELEASE_FRAME,
    };
}

/* What the sender needs is about what it sends: tags and checksums of all lines. */
static bool take_metadata(bench_ends *l)
{
    l->row_bytes = l->shape.line_bytes;
    l->tags.n = tl_stream_tx_metadata_size(&l->config);
    l->metadata.n = l->tags.n + 4 * l->row_bytes;
    l->tags.p = malloc(l->tags.n);
    l->metadata.p = malloc(l->metadata.n);
    return l->tags.p != NULL && l->metadata.p != NULL;
}

static bool take_memory(bench_ends *l)
{
    size_t frames = l->shape.frames;

    l->slot = ((size_t)l->shape.line_bytes + TL_SEP_OVERHEAD_MAX + ALIGN - 1) / ALIGN * ALIGN;
    l->memory_n = frame_bytes(l) * frames;
    l->memory = bench_pages(l->memory_n, l->shape.huge);
    l->messages = calloc(l->shape.lines, sizeof *l->messages);
    l->packets = calloc(frames * bench_ends_packets(l), sizeof *l->packets);
    l->rows = calloc(l->shape.lines, sizeof *l->rows);
    if (l->memory == NULL || l->messages == NULL || l->packets == NULL || l->rows == NULL)
        return false;
    if (l->shape.carrier == TL_CARRIER_FSED && !take_metadata(l))
        return false;
    l->released.n =
        l->shape.in_place || l->shape.carrier == TL_CARRIER_FSED ? 0 : tl_stream_frame_bytes(&l->config);
    if (l->released.n > 0 && (l->released.p = malloc(l->released.n)) == NULL)
        return false;
    for (unsigned f = 0; f < frames; f++)
        for (unsigned i = 0; i < l->shape.lines; i++)
            memset(line_at(l, f, i) + TL_SEP_BEFORE, (int)(f * 31 + i * 7 + 1), l->shape.line_bytes);
    return true;
}

bool bench_ends_open(bench_ends *l, const tl_crypto *crypto, const bench_ends_shape *shape)
{
    tl_key_source source;

    *l = (bench_ends){ .crypto = crypto, .shape = *shape };
    configure(l);
    if (!take_memory(l) || !key_source(l, &source))
        return false;
    l->sending = tl_stream_tx_init(&l->tx, &l->config, &source, 0) == TL_OK;
    tl_key_source_wipe(&source);
    if (l->sending && shape->carrier == TL_CARRIER_FSED)
        l->failed |= tl_stream_tx_metadata(&l->tx, l->tags) != TL_OK;
    for (unsigned f = 0; f < shape->frames && l->sending; f++)
        bench_ends_send(l, f);
    if (l->sending)
        bench_ends_rewind(l);
    return l->sending && !l->failed;
}

void bench_ends_close(bench_ends *l)
{
    if (l->sending)
        tl_stream_tx_wipe(&l->tx);
    if (l->receiving)
        tl_stream_rx_wipe(&l->rx);
    bench_pages_free(l->memory, l->memory_n);
    free(l->messages);
    free(l->packets);
    free(l->released.p);
    free(l->rows);
    free(l->tags.p);
    free(l->metadata.p);
    *l = (bench_ends){ 0 };
}
