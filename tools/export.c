/* Verified frames on their way out of a recording; the replay hands over whole frames and no others. */
#include "export.h"

#include "replay.h"
#include "stop.h"
#include "ui.h"

#include <stdlib.h>

typedef struct exporter {
    const export_options *o;
    export_counts *counts;
    backend backend;
    tape tape;
    replay replay;
    frame_out out;
    unverified unverified;
    tl_file raw;
    bool tape_open, replay_open;
    tl_exit output; /* first fault of writing */
    tl_fault output_fault;
    ui_progress progress;
    uint64_t bytes;
} exporter;

static bool is_wanted(void *ctx, uint32_t frame)
{
    const exporter *x = ctx;

    return frame >= x->o->first && frame <= x->o->last;
}

/* ---- raw ---- */

/* The pixels among a frame's payloads. */
static tl_exit write_raw(exporter *x, tl_span payload, tl_fault *fault)
{
    const stream_file *f = &x->tape.file;
    size_t line = stream_file_line_bytes(f), first = line * f->embedded_top, n = line * f->height;

    if (x->raw.stream == NULL)
        return TL_EXIT_OK;
    if (payload.n < first + n)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "output: %zu bytes of a frame", payload.n);
    if (fwrite(payload.p + first, 1, n, x->raw.stream) != n)
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "output: %s", x->o->raw);
    return TL_EXIT_OK;
}

/* ---- verified ---- */

static void on_news(void *ctx, const replay_news *news)
{
    exporter *x = ctx;
    const tl_stream_event *v = news->event;
    tl_span payload;

    if (news->unfinished)
        return;
    if (!news->not_recorded && v->kind != TL_EVENT_OPENED && v->verdict != TL_VERDICT_OK)
        x->counts->refused++;
    if (v->kind != TL_EVENT_FRAME || v->verdict != TL_VERDICT_OK || !is_wanted(x, v->frame) ||
        x->output != TL_EXIT_OK)
        return;
    payload = replay_payload(&x->replay, v);
    x->out.start = x->replay.start;
    x->output = frame_out_frame(&x->out, v->frame, payload, &x->output_fault);
    if (x->output == TL_EXIT_OK)
        x->output = write_raw(x, payload, &x->output_fault);
    x->counts->written += x->output == TL_EXIT_OK;
}

static tl_exit open_replay(exporter *x, tl_fault *fault)
{
    const replay_parts parts = { .file = &x->tape.file,
                                 .crypto = x->backend.crypto,
                                 .keys = &x->tape.keys,
                                 .oneway = x->o->tape.oneway,
                                 .announced = tape_is_announced(&x->tape),
                                 .until = UINT64_MAX,
                                 .sink = { .ctx = x, .event = on_news } };
    tl_exit e = replay_open(&x->replay, &parts, fault);

    x->replay_open = e == TL_EXIT_OK;
    return e;
}

/* ---- unverified ---- */

static bool counts_wanted(void *ctx, uint32_t frame)
{
    exporter *x = ctx;
    bool wanted = is_wanted(x, frame);

    x->counts->written += wanted;
    return wanted;
}

/* Ciphertext makes no picture. */
static tl_exit refuse_encrypted(const exporter *x, tl_fault *fault)
{
    const stream_file *f = &x->tape.file;

    if (f->suite != TL_SUITE_NONE && f->variant_middle == TL_SV_1)
        return tl_fault_set(fault, TL_EXIT_USAGE,
                            "--unverified: %.200s: the pixels are encrypted: without keys there are none",
                            x->o->tape.path);
    return TL_EXIT_OK;
}

/* ---- all of it ---- */

static tl_exit take(exporter *x, const pcap_packet *p, tl_fault *fault)
{
    const replay_packet packet = replay_packet_of(p);
    tl_exit e = x->o->unverified ? unverified_packet(&x->unverified, packet.bytes, fault)
                                 : replay_packet_in(&x->replay, &packet, fault);

    if (e == TL_EXIT_OK && x->output != TL_EXIT_OK) {
        *fault = x->output_fault;
        e = x->output;
    }
    if (e == TL_EXIT_OK && tl_stop_asked())
        e = tl_fault_set(fault, TL_EXIT_INTERNAL, "stopped by a signal");
    return e;
}

static tl_exit read_all(exporter *x, tl_fault *fault)
{
    tl_exit e = TL_EXIT_OK;

    for (;;) {
        ui_counts shown = { x->counts->written, x->counts->refused, 0, x->bytes };
        pcap_packet p;
        tape_kind kind;
        bool more;

        e = tape_next(&x->tape, &p, &kind, &more, fault);
        if (e != TL_EXIT_OK || !more)
            break;
        x->bytes = p.offset;
        if (kind == TAPE_STREAM)
            e = take(x, &p, fault);
        if (e != TL_EXIT_OK)
            break;
        ui_progress_show(&x->progress, &shown);
    }
    if (e == TL_EXIT_OK || e == TL_EXIT_LINK) {
        tl_fault other;
        tl_exit ended =
            x->o->unverified ? unverified_end(&x->unverified, &other) : replay_end(&x->replay, &other);

        if (ended == TL_EXIT_OK && x->output != TL_EXIT_OK) {
            other = x->output_fault;
            ended = x->output;
        }
        if (e == TL_EXIT_OK && ended != TL_EXIT_OK) {
            *fault = other;
            e = ended;
        }
    }
    ui_progress_clear(&x->progress);
    return e;
}

static tl_exit set_up(exporter *x, tl_fault *fault)
{
    tl_exit e = backend_start(&x->backend, x->o->tape.crypto, fault);

    if (e != TL_EXIT_OK)
        return e;
    e = tape_open(&x->tape, &x->o->tape, x->backend.crypto, fault);
    x->tape_open = e == TL_EXIT_OK;
    if (e == TL_EXIT_OK && !x->o->unverified)
        tape_warn(&x->tape, "export");
    if (e == TL_EXIT_OK)
        e = x->o->unverified ? refuse_encrypted(x, fault) : open_replay(x, fault);
    if (e == TL_EXIT_OK)
        e = frame_out_open(&x->out, &x->o->out, &x->tape.file, fault);
    if (e == TL_EXIT_OK && x->o->raw != NULL)
        e = tl_file_begin(&x->raw, x->o->raw, 0644, fault);
    x->unverified = (unverified){ .file = &x->tape.file,
                                  .out = &x->out,
                                  .wanted = counts_wanted,
                                  .ctx = x,
                                  .frame = x->tape.file.first_frame - 1 };
    return e;
}

/* What was written is finished; after a fault of writing nothing of a file is left. */
static tl_exit finish(exporter *x, tl_exit e, tl_fault *fault)
{
    bool keep = (e == TL_EXIT_OK || e == TL_EXIT_LINK) && x->counts->written > 0;
    tl_fault other;
    tl_exit closed = frame_out_close(&x->out, keep, &other);

    if (closed == TL_EXIT_OK && keep && x->raw.stream != NULL)
        closed = tl_file_commit(&x->raw, TL_FILE_REPLACE, &other);
    else
        tl_file_abandon(&x->raw);
    if (closed != TL_EXIT_OK && keep) {
        *fault = other;
        return closed;
    }
    return e;
}

static tl_exit judge(const exporter *x, tl_exit e, tl_fault *fault)
{
    const uint64_t lost = x->tape_open ? tape_lost(&x->tape) : 0;

    if (lost > 0)
        ui_note_lost("export", lost);
    if (e == TL_EXIT_LINK && x->counts->refused > 0)
        (void)ui_fail("export", fault);
    if (x->counts->refused > 0 && (e == TL_EXIT_OK || e == TL_EXIT_LINK))
        return tl_fault_set(fault, TL_EXIT_REFUSED, "%llu refusals: what did not verify was left out",
                            (unsigned long long)x->counts->refused);
    if (e == TL_EXIT_OK && x->counts->written == 0)
        return tl_fault_set(fault, TL_EXIT_LINK, "%.200s: no frame that was asked for", x->o->tape.path);
    if (e == TL_EXIT_OK && lost > 0 && !x->o->unverified &&
        x->counts->written <= (uint64_t)x->o->last - x->o->first)
        return tl_fault_set(fault, TL_EXIT_LINK, "%.200s: frames that were not recorded whole are left out",
                            x->o->tape.path);
    return e;
}

tl_exit export_run(const export_options *options, export_counts *counts, tl_fault *fault)
{
    exporter *x = calloc(1, sizeof *x);
    tl_exit e;

    *counts = (export_counts){ 0 };
    if (x == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "no memory");
    x->o = options;
    x->counts = counts;
    ui_progress_begin(&x->progress);
    e = set_up(x, fault);
    if (e == TL_EXIT_OK)
        e = read_all(x, fault);
    e = judge(x, finish(x, e, fault), fault);
    if (x->replay_open)
        replay_close(&x->replay);
    if (x->tape_open)
        tape_close(&x->tape);
    backend_close(&x->backend);
    free(x);
    return e;
}
