/* The controller: packets to the group of all streams, or, for FSED, to a receiver in hardware and frames from its memory. What
 * it says goes into the books. */
#include "nodes.h"

#include <stdlib.h>
#include <string.h>

enum { FSED_PACKETS = 8 }; /* metadata packets of a frame beside one for each message, at most */

static void note_error(tl_sim_controller *c, tl_err e)
{
    if (c->err == TL_OK && e != TL_OK) {
        c->err = e;
        tl_world_say(c->world, "controller: %s", tl_err_text(e));
    }
}

/* ---- events ---- */

/* FSED: the rows of a data type go to its parts in order. */
static void pixels_of(const tl_sim_sink *s, uint8_t *out)
{
    const tl_stream_config *c = &s->config;
    uint32_t next[TL_DMA_PLANES] = { 0 };

    for (unsigned part = 0; part < c->part_count; part++)
        for (size_t i = 0; i < s->dma.image_n; i++) {
            const tl_dma_plane *plane = &s->dma.image[i];

            if (plane->data_type != c->parts[part].data_type)
                continue;
            for (uint32_t row = 0; row < c->parts[part].count; row++, out += c->parts[part].length)
                memcpy(out, plane->p + plane->stride * next[i]++, c->parts[part].length);
        }
}

static void trace_event(const tl_sim_controller *c, const tl_sim_sink *s, const tl_stream_event *e)
{
    tl_world_say(c->world, "controller: stream 0x%04x %s %u: %s%s", s->config.stream, tl_event_text(e->kind),
                 (unsigned)e->frame, tl_verdict_text(e->verdict), e->proven ? ", proven" : "");
}

static void on_event(void *ctx, const tl_stream_event *e)
{
    tl_sim_sink *s = ctx;
    tl_sim_controller *c = s->controller;
    uint8_t *own = NULL;
    const uint8_t *pixels = e->kind == TL_EVENT_FRAME && e->payload.n > 0 ? e->payload.p : NULL;

    trace_event(c, s, e);
    if (e->kind == TL_EVENT_FRAME && e->verdict == TL_VERDICT_OK && s->config.carrier == TL_CARRIER_FSED) {
        own = tl_world_get(tl_stream_frame_bytes(&s->config));
        pixels_of(s, own);
        pixels = own;
    }
    tl_books_event(c->books, s->book, e, pixels);
    if (c->event != NULL)
        c->event(c->ctx, s, e);
    free(own);
}

/* ---- packets ---- */

static void take_fsed(tl_sim_controller *c, const tl_parcel *parcel)
{
    tl_frame_buffers frame;
    tl_verdict verdict;

    for (size_t i = 0; i < c->n; i++)
        if (c->sinks[i]->config.carrier == TL_CARRIER_FSED &&
            tl_dma_packet(&c->sinks[i]->dma, tl_span_of(parcel->p, parcel->n), &frame))
            note_error(c, tl_stream_rx_frame(&c->sinks[i]->rx, tl_world_ms(c->world), &frame, &verdict));
}

static void take(void *ctx, const tl_parcel *parcel)
{
    tl_sim_controller *c = ctx;
    const tl_buffer packet = { parcel->p, parcel->n };

    tl_books_arrived(c->books, parcel);
    note_error(c, tl_stream_group_packets(&c->group, tl_world_ms(c->world), &packet, 1));
    take_fsed(c, parcel);
}

/* ---- time ---- */

static void tick(void *ctx)
{
    tl_sim_controller *c = ctx;
    const uint64_t now = tl_world_ns(c->world), tick_ns = c->tick_ns != 0 ? c->tick_ns : TL_MS;

    tl_stream_group_tick(&c->group, now / TL_MS);
    for (size_t i = 0; i < c->n; i++)
        if (c->sinks[i]->config.carrier == TL_CARRIER_FSED)
            tl_stream_rx_tick(&c->sinks[i]->rx, now / TL_MS);
    if (now + tick_ns <= c->until_ns)
        tl_world_at(c->world, now + tick_ns, tick, c);
}

/* ---- set-up ---- */

tl_err tl_sim_controller_open(tl_sim_controller *c, tl_books *books, const tl_crypto *crypto, tl_hop *in)
{
    const tl_group_memory memory = { c->slots, sizeof c->slots / sizeof *c->slots, TL_STREAM_BATCH };

    c->world = books->world;
    c->books = books;
    c->n = 0;
    in->ctx = c;
    in->take = take;
    in->describe = tl_describe_csi2;
    if (c->until_ns != 0)
        tl_world_at(c->world, tl_world_ns(c->world), tick, c);
    return tl_stream_group_init(&c->group, crypto, &memory);
}

size_t tl_sim_longest(const tl_stream_config *c, uint8_t data_type)
{
    size_t n = 0;

    for (unsigned i = 0; i < c->part_count; i++)
        if ((data_type == 0 || c->parts[i].data_type == data_type) && c->parts[i].length > n)
            n = c->parts[i].length;
    return n;
}

/* Planes as a driver would ask for: for each data type rows of its longest line, and one for the metadata. */
static void open_dma(tl_sim_sink *s)
{
    const tl_stream_config *c = &s->config;
    const uint32_t rows = tl_stream_frame_messages(c), all = rows + FSED_PACKETS;
    const size_t line = tl_sim_longest(c, 0), metadata = c->fsed_length != 0 ? c->fsed_length : line;
    uint8_t *at = s->rows = tl_world_get((c->part_count * rows + all) * (metadata > line ? metadata : line));

    s->dma = (tl_dma){ .virtual_channel = c->virtual_channel };
    for (unsigned i = 0; i < c->part_count; i++) {
        bool known = false;

        for (size_t k = 0; k < s->dma.image_n; k++)
            known = known || s->dma.image[k].data_type == c->parts[i].data_type;
        if (known)
            continue;
        s->dma.image[s->dma.image_n] =
            (tl_dma_plane){ c->parts[i].data_type, at, tl_sim_longest(c, c->parts[i].data_type), rows };
        at += rows * s->dma.image[s->dma.image_n++].stride;
    }
    s->dma.metadata = (tl_dma_plane){ TL_FSED_WIRE_TYPE, at, metadata, all };
}

tl_err tl_sim_controller_add(tl_sim_controller *c, const tl_stream_config *config, tl_key_source *source,
                             uint32_t epoch)
{
    const bool needs_memory = config->carrier == TL_CARRIER_SEP &&
                              (config->release == TL_RELEASE_FRAME || config->release == TL_RELEASE_EARLY);
    tl_buffer memory = { NULL, needs_memory ? tl_stream_frame_bytes(config) : 0 };
    tl_sim_sink *s;

    if (c->n == TL_BOOKS_STREAMS)
        return TL_E_ROOM;
    s = tl_world_get(sizeof *s);
    c->sinks[c->n++] = s;
    s->controller = c;
    s->config = *config;
    s->book = tl_books_find(c->books, config->stream);
    if (s->book == NULL)
        return TL_E_USAGE;
    s->book->config.release = config->release;
    s->book->config.age_max_us = config->age_max_us;
    s->book->config.carrier = config->carrier;
    if (needs_memory)
        memory.p = s->memory = tl_world_get(memory.n);
    TL_TRY(tl_stream_rx_init(&s->rx, config, source, epoch, memory, (tl_stream_sink){ s, on_event }));
    if (config->carrier == TL_CARRIER_SEP)
        return tl_stream_group_add(&c->group, &s->rx);
    open_dma(s);
    return TL_OK;
}

tl_sim_sink *tl_sim_controller_find(const tl_sim_controller *c, uint16_t stream)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->sinks[i]->config.stream == stream)
            return c->sinks[i];
    return NULL;
}

void tl_sim_controller_close(tl_sim_controller *c)
{
    for (size_t i = 0; i < c->n; i++) {
        tl_stream_rx_wipe(&c->sinks[i]->rx);
        free(c->sinks[i]->memory);
        free(c->sinks[i]->rows);
        free(c->sinks[i]);
    }
    c->n = 0;
}
