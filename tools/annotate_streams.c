/* Each interface of CSI-2 that says what its stream is goes through the receiver that verify has (replay.h). */
#include "annotate_streams.h"

#include "backend.h"
#include "pcap.h"
#include "replay.h"
#include "tape.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 64, NAME_ROOM = 64 };

typedef struct names {
    char text[NAMES_MAX][NAME_ROOM];
    size_t n;
} names;

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

    if (note == NULL || news->unfinished)
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

/* ---- one stream ---- */

static tl_exit run(replay *r, tape *t, tl_fault *fault)
{
    bool more = true;
    tl_exit e = TL_EXIT_OK;

    while (e == TL_EXIT_OK) {
        pcap_packet p;
        tape_kind kind;

        e = tape_next(t, &p, &kind, &more, fault);
        if (e != TL_EXIT_OK || !more)
            break;
        if (kind == TAPE_STREAM) {
            const replay_packet packet = { tl_span_of(p.p, p.n), { p.number, p.offset, p.time_ns } };

            e = replay_packet_in(r, &packet, fault);
        }
    }
    return e == TL_EXIT_OK ? replay_end(r, fault) : e;
}

/* By line, where that can be: of each message something is said then. */
static tl_exit open_tape(tape *t, tape_options *o, const tl_crypto *crypto, tl_fault *fault)
{
    tl_exit e;

    o->release = TL_RELEASE_LINE;
    e = tape_open(t, o, crypto, fault);
    if (e != TL_EXIT_USAGE)
        return e;
    o->release = TL_RELEASE_FRAME;
    return tape_open(t, o, crypto, fault);
}

static tl_exit read_stream(annotate_streams *s, tape_options *o, const tl_crypto *crypto, tl_fault *fault)
{
    tape t;
    replay r;
    replay_parts parts = { .crypto = crypto, .until = UINT64_MAX, .sink = { s, on_news } };
    tl_exit e = open_tape(&t, o, crypto, fault);

    if (e != TL_EXIT_OK)
        return e;
    parts.file = &t.file;
    parts.keys = &t.keys;
    if (stream_keys_starts(&t.keys, t.file.config.stream) == 0) {
        tape_close(&t);
        return TL_EXIT_OK;
    }
    e = replay_open(&r, &parts, fault);
    if (e == TL_EXIT_OK) {
        e = run(&r, &t, fault);
        replay_close(&r);
    }
    tape_close(&t);
    return e == TL_EXIT_OK && s->no_memory ? tl_fault_set(fault, TL_EXIT_INTERNAL, "no memory") : e;
}

/* ---- all of them ---- */

static void add_name(names *all, const char *name)
{
    for (size_t i = 0; i < all->n; i++)
        if (strncmp(all->text[i], name, NAME_ROOM - 1) == 0)
            return;
    if (all->n < NAMES_MAX)
        (void)snprintf(all->text[all->n++], NAME_ROOM, "%s", name);
}

/* Interfaces of CSI-2 that say what their stream is. */
static tl_exit find_names(const char *path, names *all, tl_fault *fault)
{
    FILE *in = fopen(path, "rb");
    pcap file = { 0 };
    pcap_packet p;
    size_t n;
    bool more = true;
    tl_exit e;

    if (in == NULL)
        return tl_fault_errno(fault, TL_EXIT_LINK, "%.200s", path);
    e = pcap_open(&file, in, path, fault);
    while (e == TL_EXIT_OK && more) {
        e = pcap_next(&file, &p, &more, fault);
        if (e == TL_EXIT_OK && more && p.from->link == PCAP_LINK_CSI2 &&
            pcap_comment_value(p.from, "stream", &n) != NULL)
            add_name(all, p.from->name);
    }
    pcap_close(&file);
    (void)fclose(in);
    return e;
}

tl_exit annotate_streams_read(annotate_streams *s, const char *path, const char *keys, tl_fault *fault)
{
    tape_options o = { .path = path, .keys = keys, .carrier = TAPE_AUTO, .virtual_channel = TAPE_AUTO };
    names all = { .n = 0 };
    backend b;
    tl_exit e = find_names(path, &all, fault);

    *s = (annotate_streams){ 0 };
    if (e != TL_EXIT_OK || all.n == 0)
        return e;
    if (backend_open(&b, BACKEND_BEST, 0) != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "crypto: cannot be opened");
    for (size_t i = 0; i < all.n && e == TL_EXIT_OK; i++) {
        o.interface = all.text[i];
        e = read_stream(s, &o, b.crypto, fault);
    }
    backend_close(&b);
    return e;
}
