/* Senders and receiver. Each source is of a secret of its own: provisioned with the session's number in the fresh bytes, or
 * exported from a secret with it. */
#include "ends.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET_SIZE = 32, FAILURES_SHOWN = 20 };

/* Notes the first thing that went wrong. */
static void wrong(ends *e, const char *what)
{
    if (e->wrong == NULL)
        e->wrong = what;
}

void ends_fine(ends *e, tl_err error, const char *what)
{
    if (error != TL_OK)
        wrong(e, what);
}

/* ---- pixels ---- */

uint64_t ends_time(uint32_t frame)
{
    return 33333 * (uint64_t)frame;
}

void ends_line(uint32_t session, uint32_t frame, unsigned line, uint8_t out[LINE_BYTES])
{
    uint64_t x = ((uint64_t)session << 32 | frame) * 0x9E3779B97F4A7C15u + line;

    for (unsigned i = 0; i < LINE_BYTES; i += 8) {
        x = (x ^ x >> 29) * 0xBF58476D1CE4E5B9u + 0x94D049BB133111EBu;
        for (unsigned k = 0; k < 8; k++)
            out[i + k] = (uint8_t)(x >> 8 * k);
    }
}

void ends_pixels(uint32_t session, uint32_t frame, uint8_t out[FRAME_BYTES])
{
    for (unsigned line = 0; line < LINES; line++)
        ends_line(session, frame, line, out + line * LINE_BYTES);
}

/* ---- keys ---- */

static void open_source(ends *e, const sender *s, const tl_crypto *crypto, tl_key_source *source)
{
    uint8_t secret[TL_HASH_MAX] = "a secret of the session's own", fresh[2][TL_FRESH_SIZE] = { { 1 }, { 2 } };
    const tl_hash_alg hash = s->session % 2 == 0 ? TL_HASH_SHA256 : TL_HASH_SHA384;
    const tl_provisioned from = { tl_span_of(secret, SECRET_SIZE), fresh[0], fresh[1], s->config.stream,
                                  TL_SENSOR_TO_CONTROLLER };

    if (e->c.level[FACTOR_KEYS] == KEYS_PROVISIONED) {
        memcpy(fresh[0] + 4, &s->session, sizeof s->session);
        ends_fine(e, tl_key_source_provisioned(source, crypto, &from), "no provisioned keys");
        return;
    }
    memcpy(secret + 16, &s->session, sizeof s->session);
    ends_fine(e,
              tl_key_source_exported(
                  source, crypto, (tl_digest){ hash, tl_span_of(secret, hash == TL_HASH_SHA256 ? 32 : 48) },
                  s->config.stream, TL_SENSOR_TO_CONTROLLER),
              "no exported keys");
}

static tl_key_source *source_for(const ends *e, tl_key_source *source)
{
    return e->config.suite == TL_SUITE_NONE ? NULL : source;
}

/* ---- what the receiver says ---- */

static heard *heard_of(ends *e, uint32_t frame)
{
    if (frame == e->now.frame)
        return &e->now;
    return frame == e->next.frame ? &e->next : NULL;
}

static void hear_frame(ends *e, const tl_stream_event *event)
{
    heard *h = heard_of(e, event->frame);

    if (h == NULL || h->closed) {
        if (event->verdict == TL_VERDICT_OK)
            wrong(e, "a frame is ok that was not sent, or twice");
        return;
    }
    h->closed = true;
    h->verdict = event->verdict;
    h->time_us = event->time_us;
    if (event->verdict != TL_VERDICT_OK && event->payload.n > 0)
        wrong(e, "pixels of a frame that is not ok");
    if (event->verdict == TL_VERDICT_OK && event->proven != (e->config.suite != TL_SUITE_NONE))
        wrong(e, "proven without keys, or not proven with them");
    h->pixels = event->payload.n == FRAME_BYTES;
    if (h->pixels)
        memcpy(h->payload, event->payload.p, FRAME_BYTES);
}

static void on_event(void *ctx, const tl_stream_event *event)
{
    ends *e = ctx;
    heard *h;

    switch (event->kind) {
    case TL_EVENT_MESSAGE:
        if (event->verdict == TL_VERDICT_OK)
            wrong(e, "a line leaves before its frame");
        e->refused |= 1u << event->verdict;
        break;
    case TL_EVENT_FRAME: hear_frame(e, event); break;
    case TL_EVENT_LOST:
        h = heard_of(e, event->frame);
        if (h != NULL) {
            h->lost = true;
            h->lost_as = event->verdict;
        }
        break;
    default: break;
    }
}

void ends_listen(ends *e, uint32_t frame)
{
    e->now = (heard){ .frame = frame };
    e->next = (heard){ .frame = frame + 1 };
    e->refused = 0;
    e->wrong = NULL;
}

/* ---- the ends ---- */

static void start_sender(ends *e, sender *s)
{
    ends_fine(e, tl_stream_tx_init(&s->tx, &s->config, source_for(e, &s->source), e->epoch), "no sender");
    if (s->config.carrier == TL_CARRIER_FSED)
        ends_fine(e, tl_stream_tx_metadata(&s->tx, (tl_buffer){ s->metadata, sizeof s->metadata }),
                  "no memory for metadata");
}

static void open_sender(ends *e, sender *s)
{
    open_source(e, s, e->recorded, &s->source);
    start_sender(e, s);
    s->open = true;
}

static void close_sender(sender *s)
{
    if (!s->open)
        return;
    tl_stream_tx_wipe(&s->tx);
    tl_key_source_wipe(&s->source);
    s->open = false;
}

static void start_receiver(ends *e)
{
    tl_buffer memory = { NULL, 0 };

    if (e->config.carrier == TL_CARRIER_SEP)
        memory = (tl_buffer){ e->memory, sizeof e->memory };
    ends_fine(e,
              tl_stream_rx_init(&e->rx, &e->config, source_for(e, &e->rx_source), e->epoch, memory,
                                (tl_stream_sink){ e, on_event }),
              "no receiver");
}

void ends_open(ends *e, const combination *c, uint32_t number)
{
    e->c = *c;
    e->config = combination_config(c);
    e->epoch = 3;
    e->wrong = NULL;
    e->main.session = 3 * number;
    e->other_session.session = 3 * number + 1;
    e->other_stream.session = 3 * number + 2;
    e->main.config = e->other_session.config = e->other_stream.config = e->config;
    e->other_stream.config.stream ^= 0x0100;
    open_sender(e, &e->main);
    open_source(e, &e->main, e->crypto, &e->rx_source);
    start_receiver(e);
}

void ends_reopen(ends *e)
{
    tl_stream_tx_wipe(&e->main.tx);
    tl_stream_rx_wipe(&e->rx);
    close_sender(&e->other_session);
    close_sender(&e->other_stream);
    e->epoch++;
    start_sender(e, &e->main);
    start_receiver(e);
}

void ends_close(ends *e)
{
    close_sender(&e->main);
    close_sender(&e->other_session);
    close_sender(&e->other_stream);
    tl_stream_rx_wipe(&e->rx);
    tl_key_source_wipe(&e->rx_source);
}

/* ---- frames ---- */

static tl_err take_edge(tl_tx_edge *edge, tl_wire_frame *frame)
{
    tl_span packet;

    while (tl_tx_edge_next(edge, &packet))
        TL_TRY(tl_wire_insert(frame, frame->n, packet));
    return TL_OK;
}

static tl_err send_lines(sender *s, uint32_t number, tl_wire_frame *frame)
{
    uint8_t buffers[LINES][LINE_BYTES + TL_SEP_OVERHEAD_MAX];
    tl_tx_message m[LINES];
    unsigned line = 0;

    for (unsigned part = 0; part < s->config.part_count; part++)
        for (unsigned row = 0; row < s->config.parts[part].count; row++, line++) {
            m[line] = (tl_tx_message){ .data_type = s->config.parts[part].data_type,
                                       .length = LINE_BYTES,
                                       .buffer = buffers[line],
                                       .room = sizeof buffers[line] };
            ends_line(s->session, number, line, buffers[line] + TL_SEP_BEFORE);
        }
    TL_TRY(tl_stream_tx_messages(&s->tx, m, LINES));
    for (line = 0; line < LINES; line++)
        TL_TRY(tl_wire_insert(frame, frame->n, m[line].packet));
    return TL_OK;
}

static tl_err send_frame(sender *s, tl_wire_frame *frame)
{
    const uint32_t number = (uint32_t)s->tx.next_frame;
    tl_tx_edge edge;

    TL_TRY(tl_stream_tx_begin(&s->tx, ends_time(number), &edge));
    TL_TRY(take_edge(&edge, frame));
    TL_TRY(send_lines(s, number, frame));
    TL_TRY(tl_stream_tx_end(&s->tx, &edge));
    return take_edge(&edge, frame);
}

/* All of the frame's packets, or none. */
static void send(ends *e, sender *s, tl_wire_frame *frame)
{
    tl_err error;

    tl_wire_clear(frame);
    error = send_frame(s, frame);
    if (error == TL_OK)
        return;
    tl_stream_tx_abandon(&s->tx);
    tl_wire_clear(frame);
    wrong(e, "a frame could not be sent");
}

void ends_send(ends *e, tl_wire_frame *frame)
{
    send(e, &e->main, frame);
}

void ends_foreign(ends *e, sender *s, uint32_t frame)
{
    tl_tx_edge edge;

    if (!s->open)
        open_sender(e, s);
    while (s->tx.next_frame < frame && tl_stream_tx_begin(&s->tx, 0, &edge) == TL_OK)
        tl_stream_tx_abandon(&s->tx);
    send(e, s, &e->foreign);
}

/* ---- sums ---- */

void tally_fail(tally *t, const combination *c, const char *row, const char *why)
{
    char text[200] = "a configuration";

    if (t->failed++ >= FAILURES_SHOWN)
        return;
    if (c != NULL)
        combination_text(c, text, sizeof text);
    printf("# FAILED %s: %s (%s)\n", row, why, text);
}

static uint64_t hash_of(const uint8_t *p, size_t n)
{
    uint64_t h = 0xCBF29CE484222325u ^ n;

    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 0x100000001B3u;
    return h | 1;
}

static bool key_is_new(tally *t, uint64_t key)
{
    size_t at;

    if (2 * t->key_n >= t->key_room) {
        uint64_t *old = t->keys;
        size_t old_room = t->key_room;

        t->key_room = old_room == 0 ? 4096 : 2 * old_room;
        t->keys = calloc(t->key_room, sizeof *t->keys);
        if (t->keys == NULL)
            abort();
        t->key_n = 0;
        for (size_t i = 0; i < old_room; i++)
            if (old[i] != 0)
                (void)key_is_new(t, old[i]);
        free(old);
    }
    for (at = (size_t)(key >> 17) & (t->key_room - 1); t->keys[at] != 0; at = (at + 1) & (t->key_room - 1))
        if (t->keys[at] == key)
            return false;
    t->keys[at] = key;
    t->key_n++;
    return true;
}

void tally_keys(tally *t, const combination *c, const tl_nonces *nonces)
{
    t->pairs += nonces->used;
    if (nonces->repeats > 0)
        tally_fail(t, c, "nonces", "a key and a nonce were used twice");
    for (size_t i = 0; i < nonces->key_count; i++)
        if (!key_is_new(t, hash_of(nonces->keys[i].bytes, nonces->keys[i].n)))
            tally_fail(t, c, "keys", "another combination had this key");
}

void tally_free(tally *t)
{
    free(t->keys);
    t->keys = NULL;
}
