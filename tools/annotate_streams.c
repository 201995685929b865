/* What the interfaces of CSI-2 say of their streams tells them apart: interfaces that say the same are one stream, whose sender
 * was started again, and go through one receiver, the one that verify has (replay.h). */
#include "annotate_streams.h"

#include "backend.h"
#include "pcap.h"
#include "replay.h"
#include "stream_file.h"
#include "stream_keys.h"

#include <stdlib.h>
#include <string.h>

enum { STREAMS_MAX = 64, FRAME_TIMEOUT_MS = 5000 };

/* A recording that is gone through: its streams, and their secrets. */
typedef struct going {
    const char *path;
    char *said[STREAMS_MAX]; /* comments of interfaces, one for each stream */
    size_t said_n;
    stream_keys keys;
} going;

/* ---- notes ---- */

static annotate_note *note_at(annotate_streams *s, uint64_t packet)
{
    size_t n = (size_t)packet + 1 + (size_t)packet / 2;
    annotate_note *more;

    if (packet == 0)
        return NULL;
    if (packet < s->n)
        return &s->notes[packet];
    more = realloc(s->notes, n * sizeof *more);
    if (more == NULL) {
        s->no_memory = true;
        return NULL;
    }
    memset(more + s->n, 0, (n - s->n) * sizeof *more);
    s->notes = more;
    s->n = n;
    return &s->notes[packet];
}

static void on_news(void *ctx, const replay_news *news)
{
    const tl_stream_event *event = news->event;
    annotate_note *note = note_at(ctx, news->at.number);

    if (note == NULL || news->unfinished || news->not_recorded)
        return;
    if (event->kind == TL_EVENT_MESSAGE || event->kind == TL_EVENT_OPENED) {
        note->message_known = true;
        note->message = (uint8_t)event->verdict;
    } else if (event->kind == TL_EVENT_FRAME) {
        note->frame_known = true;
        note->frame = (uint8_t)event->verdict;
        note->number = event->frame;
    }
}

const annotate_note *annotate_streams_note(const annotate_streams *s, uint64_t packet)
{
    const annotate_note *note = packet < s->n ? &s->notes[packet] : NULL;

    return note != NULL && (note->message_known || note->frame_known) ? note : NULL;
}

void annotate_streams_close(annotate_streams *s)
{
    free(s->notes);
    *s = (annotate_streams){ 0 };
}

/* ---- going through the recording ---- */

typedef tl_exit visit(void *ctx, const pcap_packet *p, tl_fault *fault);

/* Visits each packet of CSI-2 whose interface says what its stream is. */
static tl_exit go_through(const going *g, visit *each, void *ctx, tl_fault *fault)
{
    FILE *in = pcap_file(g->path);
    pcap file = { 0 };
    pcap_packet p;
    size_t n;
    bool more = true;
    tl_exit e;

    if (in == NULL)
        return tl_fault_errno(fault, TL_EXIT_LINK, "%.200s", g->path);
    e = pcap_open(&file, in, g->path, fault);
    while (e == TL_EXIT_OK && more) {
        e = pcap_next(&file, &p, &more, fault);
        if (e == TL_EXIT_OK && more && p.from->link == PCAP_LINK_CSI2 &&
            pcap_comment_value(p.from, "stream", &n) != NULL)
            e = each(ctx, &p, fault);
    }
    pcap_close(&file);
    (void)fclose(in);
    return e;
}

static tl_exit note_stream(void *ctx, const pcap_packet *p, tl_fault *fault)
{
    going *g = ctx;

    for (size_t i = 0; i < g->said_n; i++)
        if (strcmp(g->said[i], p->from->comment) == 0)
            return TL_EXIT_OK;
    if (g->said_n == STREAMS_MAX)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "%.200s: more than %d streams", g->path,
                            (int)STREAMS_MAX);
    g->said[g->said_n] = strdup(p->from->comment);
    if (g->said[g->said_n] == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "no memory");
    g->said_n++;
    return TL_EXIT_OK;
}

/* ---- one stream ---- */

typedef struct one {
    const char *said;
    replay replay;
} one;

static tl_exit take_packet(void *ctx, const pcap_packet *p, tl_fault *fault)
{
    one *o = ctx;
    const replay_packet packet = replay_packet_of(p);

    return strcmp(o->said, p->from->comment) == 0 ? replay_packet_in(&o->replay, &packet, fault) : TL_EXIT_OK;
}

/* The receiver of what the interface says. By line, where that can be: of each message something is said then. */
static tl_exit configure(stream_file *file, const char *path, const char *said, tl_fault *fault)
{
    pcap_interface from = { .comment = (char *)(uintptr_t)said };
    size_t n;
    const char *text = pcap_comment_value(&from, "stream", &n), *why;
    tl_exit e = stream_file_parse_public(file, path, tl_span_of((const uint8_t *)text, n), fault);
    tl_stream_config *c = &file->config;

    if (e != TL_EXIT_OK)
        return e;
    c->carrier = pcap_comment_says(&from, "carrier", "fsed") ? TL_CARRIER_FSED : TL_CARRIER_SEP;
    for (uint8_t channel = 0; channel < TL_CSI2_CHANNELS; channel++)
        if (pcap_comment_says(&from, "channel", (const char[]){ (char)('0' + channel), '\0' }))
            c->virtual_channel = channel;
    c->frame_timeout_ms = FRAME_TIMEOUT_MS;
    c->release = TL_RELEASE_LINE;
    if (tl_stream_config_check(c, &why) != TL_OK)
        c->release = TL_RELEASE_FRAME;
    return tl_stream_config_check(c, &why) == TL_OK
               ? TL_EXIT_OK
               : tl_fault_set(fault, TL_EXIT_USAGE, "%.200s: stream: %s", path, why);
}

static tl_exit read_stream(annotate_streams *s, going *g, const char *said, const tl_crypto *crypto,
                           tl_fault *fault)
{
    stream_file file;
    one *o = calloc(1, sizeof *o);
    replay_parts parts = { .file = &file, .crypto = crypto, .keys = &g->keys, .until = UINT64_MAX };
    tl_exit e = configure(&file, g->path, said, fault);

    if (o == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "no memory");
    o->said = said;
    parts.sink = (replay_sink){ .ctx = s, .event = on_news };
    /* Without a suite everything would be right that anybody says. */
    if (e == TL_EXIT_OK && file.config.suite != TL_SUITE_NONE &&
        stream_keys_starts(&g->keys, file.config.stream) > 0) {
        e = replay_open(&o->replay, &parts, fault);
        if (e == TL_EXIT_OK) {
            e = go_through(g, take_packet, o, fault);
            if (e == TL_EXIT_OK)
                e = replay_end(&o->replay, fault);
            replay_close(&o->replay);
        }
    }
    stream_file_wipe(&file);
    free(o);
    return e == TL_EXIT_OK && s->no_memory ? tl_fault_set(fault, TL_EXIT_INTERNAL, "no memory") : e;
}

/* ---- all of them ---- */

static tl_exit read_all(annotate_streams *s, going *g, tl_fault *fault)
{
    backend b;
    tl_exit e = TL_EXIT_OK;

    if (g->said_n == 0)
        return TL_EXIT_OK;
    if (backend_open(&b, BACKEND_BEST, 0) != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "crypto: cannot be opened");
    for (size_t i = 0; i < g->said_n && e == TL_EXIT_OK; i++)
        e = read_stream(s, g, g->said[i], b.crypto, fault);
    backend_close(&b);
    return e;
}

tl_exit annotate_streams_read(annotate_streams *s, const char *path, annotate_secrets secrets,
                              tl_fault *fault)
{
    going g = { .path = path };
    tl_exit e =
        secrets.file != NULL ? stream_keys_read(&g.keys, secrets.file, secrets.name, fault) : TL_EXIT_OK;

    *s = (annotate_streams){ 0 };
    if (e == TL_EXIT_OK)
        e = go_through(&g, note_stream, &g, fault);
    if (e == TL_EXIT_OK)
        e = read_all(s, &g, fault);
    stream_keys_close(&g.keys);
    for (size_t i = 0; i < g.said_n; i++)
        free(g.said[i]);
    return e;
}
