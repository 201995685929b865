/* One-way streams at the controller. An announcement that is proven and new begins a receiver, or gives it its next key;
 * until the first one nothing can be verified, and packets are dropped. Whoever comes late sees frames "lost" that were
 * sent before: that is no refusal. */
#include "controller_oneway.h"
#include "clock.h"
#include "ui.h"

enum { SAVE_MS = 1000, TELL_MS = 5000 };

tl_exit controller_oneway_open(controller_oneway *o, const controller_oneway_parts *p, tl_fault *fault)
{
    tl_exit e;

    *o = (controller_oneway){
        .in = { .fd = -1, .ring.socket = -1 },
        .rx = p->rx,
        .rx_open = p->rx_open,
        .memory = p->memory,
        .sink = p->sink,
        .tap = p->tap,
        .saved_ms = tl_clock_ms(),
    };
    e = oneway_receiver_open(&o->receiver, p->file, p->crypto, p->state, fault);
    return e == TL_EXIT_OK ? way_in_open(&o->in, p->from, &o->name, fault) : e;
}

tl_exit controller_oneway_meet(controller_oneway *o, tl_fault *fault)
{
    tl_exit e = way_in_meet(&o->in, tl_clock_ms() + TELL_MS, fault);

    if (e != TL_EXIT_LINK)
        return e;
    ui_note("controller", "nothing has come yet on %s", o->name.text);
    return way_in_meet(&o->in, TL_NEVER, fault);
}

void controller_oneway_close(controller_oneway *o)
{
    way_in_close(&o->in);
}

/* The receiver for what was announced last; one that was there is over. */
static tl_err begin(controller_oneway *o, tl_key_source *source)
{
    tl_err e;

    if (*o->rx_open)
        tl_stream_rx_wipe(o->rx);
    *o->rx_open = false;
    e = tl_stream_rx_init(o->rx, &o->receiver.file->config, source, oneway_receiver_epoch(&o->receiver),
                          o->memory, o->sink);
    *o->rx_open = e == TL_OK;
    o->joining = true;
    o->starts++;
    return e;
}

static tl_exit take_news(controller_oneway *o, oneway_news news, const tl_fault *why, tl_fault *fault)
{
    tl_key_source source;
    tl_exit e;
    tl_err err;

    if (news == ONEWAY_REFUSED && o->refusal.text[0] == '\0')
        o->refusal = *why;
    if (news != ONEWAY_START && news != ONEWAY_EPOCH)
        return TL_EXIT_OK;
    e = oneway_receiver_source(&o->receiver, &source, fault);
    if (e != TL_EXIT_OK)
        return e;
    tap_key(o->tap, &source, &o->receiver.file->config, oneway_receiver_epoch(&o->receiver));
    err = news == ONEWAY_START ? begin(o, &source)
                               : tl_stream_rx_rekey(o->rx, &source, oneway_receiver_epoch(&o->receiver));
    tl_key_source_wipe(&source);
    return err == TL_OK
               ? TL_EXIT_OK
               : tl_fault_set(fault, TL_EXIT_INTERNAL, "stream: cannot %s: %s",
                              news == ONEWAY_START ? "start" : "take the next key", tl_err_text(err));
}

/* Packets between two announcements. */
static tl_exit verify(controller_oneway *o, const tl_buffer *packets, size_t n, tl_fault *fault)
{
    tl_err e;

    if (!*o->rx_open) {
        o->early += n;
        return TL_EXIT_OK;
    }
    e = n > 0 ? tl_stream_rx_packets(o->rx, tl_clock_ms(), packets, n) : TL_OK;
    return e == TL_OK ? TL_EXIT_OK
                      : tl_fault_set(fault, TL_EXIT_INTERNAL, "stream: cannot verify: %s", tl_err_text(e));
}

tl_exit controller_oneway_packets(controller_oneway *o, const tl_buffer *packets, size_t n, tl_fault *fault)
{
    size_t from = 0;
    tl_exit e = TL_EXIT_OK;

    for (size_t i = 0; i < n && e == TL_EXIT_OK; i++) {
        oneway_news news;
        tl_fault why = { 0 };

        e = oneway_receiver_packet(&o->receiver, tl_span_of(packets[i].p, packets[i].n), &news, &why);
        if (e != TL_EXIT_OK) {
            *fault = why;
            return e;
        }
        if (news == ONEWAY_NONE)
            continue;
        e = verify(o, packets + from, i - from, fault);
        if (e == TL_EXIT_OK)
            e = take_news(o, news, &why, fault);
        from = i + 1;
    }
    return e == TL_EXIT_OK ? verify(o, packets + from, n - from, fault) : e;
}

bool controller_oneway_event(controller_oneway *o, const tl_stream_event *v)
{
    bool of_frame =
        v->kind == TL_EVENT_OPENED || v->kind == TL_EVENT_FRAME || (v->kind == TL_EVENT_MESSAGE && v->proven);

    if (v->kind == TL_EVENT_LOST && o->joining)
        return false;
    if (v->kind == TL_EVENT_OPENED)
        o->joining = false;
    if (!of_frame)
        return true;
    if (v->kind != TL_EVENT_FRAME)
        return !oneway_receiver_was_noted(&o->receiver, v->frame);
    if (oneway_receiver_was_noted(&o->receiver, v->frame)) {
        o->replayed++;
        return false;
    }
    oneway_receiver_note(&o->receiver, v->frame);
    return true;
}

tl_exit controller_oneway_turn(controller_oneway *o, tl_fault *fault)
{
    if (*o->rx_open)
        tl_stream_rx_tick(o->rx, tl_clock_ms());
    if (tl_clock_ms() - o->saved_ms < SAVE_MS)
        return TL_EXIT_OK;
    o->saved_ms = tl_clock_ms();
    return oneway_receiver_save(&o->receiver, fault);
}

tl_exit controller_oneway_end(controller_oneway *o, tl_exit e, tl_fault *fault)
{
    tl_fault unsaved;
    tl_exit x = oneway_receiver_save(&o->receiver, &unsaved);

    if (o->refusal.text[0] != '\0')
        ui_note("controller", "%s", o->refusal.text);
    if (o->starts == 0)
        ui_note("controller", "no announcement of this stream came; %llu other packets did",
                (unsigned long long)o->early);
    if (e != TL_EXIT_OK || x == TL_EXIT_OK)
        return e;
    *fault = unsaved;
    return x;
}

json_t *controller_oneway_json(const controller_oneway *o)
{
    return json_pack("{s:b, s:I, s:I, s:I, s:I}", "fresh", oneway_receiver_is_fresh(&o->receiver), "starts",
                     (json_int_t)o->starts, "announcements_refused", (json_int_t)o->receiver.refused,
                     "replayed", (json_int_t)o->replayed, "early", (json_int_t)o->early);
}
