/* A sensor: a frame is a chain of moments, begin, lines, end, each of which asks for the next. */
#include "nodes.h"

#include <stdlib.h>
#include <string.h>

uint64_t tl_sim_clock_us(const tl_sim_clock *clock, const tl_world *world)
{
    const int64_t us = (int64_t)(tl_world_ns(world) / TL_US);

    return clock->ahead_us + (uint64_t)(us + us * clock->drift_ppm / TL_MILLION);
}

static void say(const tl_sim_sensor *s, const char *what, tl_err e)
{
    tl_world_say(s->world, "sensor 0x%04x: %s: %s", s->config.stream, what, tl_err_text(e));
}

static void send(tl_sim_sensor *s, tl_span packet)
{
    tl_note note = { .stream = s->config.stream, .frame = s->open->number, .place = s->place++ };
    tl_csi2_packet p;

    tl_csi2_read_header(packet, &p);
    note.data_type = p.header.data_type;
    note.virtual_channel = p.header.virtual_channel;
    note.word_count = p.header.word_count;
    note.digest = tl_note_digest(p.payload);
    tl_books_sent(s->open, &note);
    tl_hop_send(s->out, packet, 0, &note);
}

static void send_edge(tl_sim_sensor *s)
{
    tl_span packet;

    while (tl_tx_edge_next(&s->edge, &packet))
        send(s, packet);
}

static void end(tl_sim_sensor *s)
{
    const tl_err e = tl_stream_tx_end(&s->tx, &s->edge);

    if (e != TL_OK)
        say(s, "end", e);
    else
        send_edge(s);
}

static tl_err line(tl_sim_sensor *s)
{
    const tl_stream_part *part = &s->config.parts[s->part];
    tl_tx_message m = { .data_type = part->data_type, .length = part->length, .buffer = s->buffer };

    m.room = part->length + (size_t)TL_SEP_OVERHEAD_MAX;
    tl_book_payload(s->book, s->open->number, s->part, s->row, s->buffer + TL_SEP_BEFORE);
    TL_TRY(tl_stream_tx_messages(&s->tx, &m, 1));
    send(s, m.packet);
    for (s->row++; s->part < s->config.part_count && s->row == s->config.parts[s->part].count; s->part++)
        s->row = 0;
    return TL_OK;
}

/* The next line, or all that are left if they take no time of their own. */
static void lines(void *ctx)
{
    tl_sim_sensor *s = ctx;
    tl_err e = TL_OK;

    while (s->part < s->config.part_count && e == TL_OK) {
        e = line(s);
        if (s->line_ns != 0)
            break;
    }
    if (e != TL_OK) {
        say(s, "line", e);
        tl_stream_tx_abandon(&s->tx);
    } else if (s->part == s->config.part_count) {
        end(s);
    } else {
        tl_world_at(s->world, tl_world_ns(s->world) + s->line_ns, lines, s);
    }
}

static void begin(void *ctx)
{
    tl_sim_sensor *s = ctx;
    const uint64_t now_us = tl_sim_clock_us(&s->clock, s->world);
    tl_err e;

    if (++s->sent < s->frames)
        tl_world_at(s->world, s->start_ns + s->sent * s->interval_ns, begin, s);
    e = tl_stream_tx_begin(&s->tx, now_us, &s->edge);
    if (e != TL_OK) {
        say(s, "begin", e);
        return;
    }
    s->open = tl_books_begin(s->books, s->book, s->config.first_frame + s->sent - 1, now_us);
    s->part = s->row = s->place = 0;
    send_edge(s);
    tl_world_at(s->world, tl_world_ns(s->world) + s->line_ns, lines, s);
}

tl_err tl_sim_sensor_open(tl_sim_sensor *s, tl_books *books, tl_key_source *source, uint32_t epoch)
{
    const size_t n = s->config.carrier == TL_CARRIER_FSED ? tl_stream_tx_metadata_size(&s->config) : 0;

    s->world = books->world;
    s->books = books;
    TL_TRY(tl_stream_tx_init(&s->tx, &s->config, source, epoch));
    s->book = tl_books_add(books, &s->config);
    s->buffer = tl_world_get(tl_sim_longest(&s->config, 0) + TL_SEP_OVERHEAD_MAX);
    s->metadata = n > 0 ? tl_world_get(n) : NULL;
    if (s->book == NULL)
        return TL_E_ROOM;
    if (n > 0)
        TL_TRY(tl_stream_tx_metadata(&s->tx, (tl_buffer){ s->metadata, n }));
    s->sent = 0;
    if (s->frames > 0)
        tl_world_at(s->world, s->start_ns, begin, s);
    return TL_OK;
}

void tl_sim_sensor_close(tl_sim_sensor *s)
{
    if (s->tx.self != 0)
        tl_stream_tx_wipe(&s->tx);
    free(s->buffer);
    free(s->metadata);
    s->buffer = s->metadata = NULL;
}
