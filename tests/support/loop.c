/* The loop's two ends and its frames. Each byte of a payload depends on frame, part, row and column, so that no line can
 * stand for another. */
#include "loop.h"

#include <stdlib.h>
#include <string.h>

static void *get(size_t n)
{
    void *p = malloc(n > 0 ? n : 1);

    if (p == NULL)
        abort();
    return p;
}

void tl_loop_init(tl_loop *l, const tl_crypto *crypto)
{
    static const tl_stream_part parts[] = { { TL_BLOCK_TOP, TL_DT_EMBEDDED, 2, 40 },
                                            { TL_BLOCK_MIDDLE, TL_DT_RAW12, 20, 90 },
                                            { TL_BLOCK_BOTTOM, TL_DT_EMBEDDED, 1, 40 } };

    *l = (tl_loop){ .crypto = crypto, .now_ms = 1000, .now_us = 5000000, .tx_batch = 7, .rx_batch = 5 };
    l->config = (tl_stream_config){
        .stream = 0x1234,
        .suite = TL_SUITE_AES128_GMAC,
        .tag_mode = TL_TAG_PER_MESSAGE,
        .tag_size = 16,
        .crc32 = TL_WITH,
        .variant = { 0, TL_SV_2, TL_SV_1, TL_SV_2 },
        .first_frame = 100,
        .part_count = 3,
        .virtual_channel = 1,
        .frame_timeout_ms = 500,
    };
    memcpy(l->config.parts, parts, sizeof parts);
}

tl_err tl_loop_source(const tl_loop *l, tl_key_source *source, uint8_t session)
{
    static const uint8_t secret[16] = "sixteen of them";
    uint8_t sender[TL_FRESH_SIZE] = { session, 1 }, receiver[TL_FRESH_SIZE] = { session, 2 };
    const tl_provisioned from = { tl_span_of(secret, sizeof secret), sender, receiver, l->config.stream,
                                  TL_SENSOR_TO_CONTROLLER };

    return tl_key_source_provisioned(source, l->crypto, &from);
}

/* Without a suite an end needs no source. */
static tl_key_source *source_of(const tl_stream_config *c, tl_key_source *source)
{
    return c->suite == TL_SUITE_NONE ? NULL : source;
}

tl_err tl_loop_open(tl_loop *l, uint32_t epoch)
{
    tl_buffer memory = { NULL, 0 };

    if (l->rx_config.stream == 0)
        l->rx_config = l->config;
    if (l->rx_config.carrier == TL_CARRIER_SEP &&
        (l->rx_config.release == TL_RELEASE_FRAME || l->rx_config.release == TL_RELEASE_EARLY)) {
        memory.n = tl_stream_frame_bytes(&l->rx_config);
        l->memory = memory.p = get(memory.n);
        memset(memory.p, 0xA5, memory.n);
    }
    TL_TRY(tl_loop_source(l, &l->tx_source, 0));
    TL_TRY(tl_loop_source(l, &l->rx_source, 0));
    TL_TRY(tl_stream_tx_init(&l->tx, &l->config, source_of(&l->config, &l->tx_source), epoch));
    if (l->config.carrier == TL_CARRIER_FSED) {
        size_t n = tl_stream_tx_metadata_size(&l->config);
        free(l->metadata);
        l->metadata = get(n);
        TL_TRY(tl_stream_tx_metadata(&l->tx, (tl_buffer){ l->metadata, n }));
    }
    return tl_stream_rx_init(&l->rx, &l->rx_config, source_of(&l->rx_config, &l->rx_source), epoch, memory,
                             tl_events_sink(&l->events));
}

void tl_loop_close(tl_loop *l)
{
    tl_stream_tx_wipe(&l->tx);
    tl_stream_rx_wipe(&l->rx);
    tl_key_source_wipe(&l->tx_source);
    tl_key_source_wipe(&l->rx_source);
    tl_events_clear(&l->events);
    free(l->events.v);
    free(l->memory);
    free(l->metadata);
    l->memory = l->metadata = NULL;
    l->events = (tl_events){ 0 };
}

/* ---- frames ---- */

void tl_loop_place(const tl_stream_config *c, size_t i, unsigned *part, uint32_t *row)
{
    for (*part = 0; i >= c->parts[*part].count; ++*part)
        i -= c->parts[*part].count;
    *row = (uint32_t)i;
}

void tl_loop_payload(const tl_stream_config *c, uint32_t frame, unsigned part, uint32_t row, uint8_t *out)
{
    uint32_t x = frame * 2654435761u ^ (part + 1) * 40503u ^ row * 2246822519u;

    for (unsigned i = 0; i < c->parts[part].length; i++) {
        x = x * 1664525u + 1013904223u;
        out[i] = (uint8_t)(x >> 24);
    }
}

void tl_loop_frame(const tl_stream_config *c, uint32_t frame, uint8_t *out)
{
    for (unsigned part = 0; part < c->part_count; part++)
        for (uint32_t row = 0; row < c->parts[part].count; row++, out += c->parts[part].length)
            tl_loop_payload(c, frame, part, row, out);
}

bool tl_loop_is_frame(const tl_loop *l, const tl_stream_event *event, uint32_t frame)
{
    size_t n = tl_stream_frame_bytes(&l->config);
    uint8_t *bytes = get(n);
    bool same;

    tl_loop_frame(&l->config, frame, bytes);
    same = event != NULL && event->kind == TL_EVENT_FRAME && event->verdict == TL_VERDICT_OK &&
           event->frame == frame && event->proven == (l->config.suite != TL_SUITE_NONE) &&
           event->payload.n == n && memcmp(event->payload.p, bytes, n) == 0;
    free(bytes);
    return same;
}

static void take_edge(tl_tx_edge *edge, tl_packets *out)
{
    tl_span packet;

    while (tl_tx_edge_next(edge, &packet))
        tl_packets_add(out, packet);
}

tl_err tl_loop_begin(tl_loop *l, tl_packets *out)
{
    tl_tx_edge edge;

    TL_TRY(tl_stream_tx_begin(&l->tx, l->now_us, &edge));
    l->now_us += 33333;
    l->sent = 0;
    take_edge(&edge, out);
    return TL_OK;
}

tl_err tl_loop_end(tl_loop *l, tl_packets *out)
{
    tl_tx_edge edge;

    TL_TRY(tl_stream_tx_end(&l->tx, &edge));
    take_edge(&edge, out);
    return TL_OK;
}

/* At most tx_batch messages, in one call. */
static tl_err send_batch(tl_loop *l, size_t n, tl_packets *out)
{
    tl_tx_message *m = get(n * sizeof *m);
    unsigned part;
    uint32_t row;
    tl_err e;

    for (size_t i = 0; i < n; i++) {
        tl_loop_place(&l->config, l->sent + i, &part, &row);
        m[i] = (tl_tx_message){ .data_type = l->config.parts[part].data_type,
                                .length = l->config.parts[part].length };
        m[i].room = (size_t)m[i].length + TL_SEP_OVERHEAD_MAX;
        m[i].buffer = get(m[i].room);
        memset(m[i].buffer, 0xEE, m[i].room);
        tl_loop_payload(&l->config, l->tx.frame, part, row, m[i].buffer + TL_SEP_BEFORE);
    }
    e = tl_stream_tx_messages(&l->tx, m, n);
    for (size_t i = 0; i < n; i++) {
        if (e == TL_OK)
            tl_packets_add(out, m[i].packet);
        free(m[i].buffer);
    }
    free(m);
    if (e == TL_OK)
        l->sent += (uint32_t)n;
    return e;
}

tl_err tl_loop_messages(tl_loop *l, size_t n, tl_packets *out)
{
    for (size_t done = 0; done < n; done += l->tx_batch)
        TL_TRY(send_batch(l, n - done < l->tx_batch ? n - done : l->tx_batch, out));
    return TL_OK;
}

tl_err tl_loop_send(tl_loop *l, tl_packets *out)
{
    TL_TRY(tl_loop_begin(l, out));
    TL_TRY(tl_loop_messages(l, tl_stream_frame_messages(&l->config), out));
    return tl_loop_end(l, out);
}

static tl_err receive_batch(tl_loop *l, const tl_packets *packets, size_t from, size_t n)
{
    tl_buffer *copies = get(n * sizeof *copies);
    tl_err e;

    for (size_t i = 0; i < n; i++) {
        copies[i] = (tl_buffer){ get(packets->v[from + i].n), packets->v[from + i].n };
        if (copies[i].n > 0)
            memcpy(copies[i].p, packets->v[from + i].p, copies[i].n);
    }
    e = tl_stream_rx_packets(&l->rx, l->now_ms, copies, n);
    for (size_t i = 0; i < n; i++) {
        memset(copies[i].p, 0x5A, copies[i].n);
        free(copies[i].p);
    }
    free(copies);
    return e;
}

tl_err tl_loop_receive(tl_loop *l, const tl_packets *packets)
{
    tl_err first = TL_OK, e;

    for (size_t from = 0; from < packets->n; from += l->rx_batch) {
        e = receive_batch(l, packets, from,
                          packets->n - from < l->rx_batch ? packets->n - from : l->rx_batch);
        if (first == TL_OK)
            first = e;
    }
    return first;
}
