/* tlverify: packets in, verified frames out.
 *
 *   packet -> outline or announcement -> kept as a claim, or a new stream's keys
 *          -> anything else           -> the stream's receiver -> lines of the open frame, verdicts
 *
 * An announcement is proven by the stream file's secret; an outline is a claim, which only an announcement of the same
 * configuration makes a fact. Nothing else that a packet says changes what is expected. Frames leave when their own verdict is
 * there. Events of the receiver fill a queue, which is emptied downstream after each call. */
#include "elements.h"
#include "frame_in.h"
#include "oneway.h"
#include "outline.h"
#include "verdict_message.h"
#include "verify_properties.h"

#include <string.h>

enum {
    CLAIMS = 4,              /* outlines that are kept */
    SAVE_EVERY_US = 1000000, /* of the state file */
    PATIENCE_US = 3000000    /* packets without a stream that fits: then the user is told */
};

/* A finished frame, and what it is. */
typedef struct finished {
    GstBuffer *buffer;
    GstCaps *caps;
} finished;

typedef struct TlVerify {
    GstElement element;
    GstPad *sink, *src;
    /* under the object's lock */
    policy policy;
    gint on_bad, tell;
    guint timeout_ms;
    verdict_counters counters;
    /* from start to stop */
    backend backend;
    stream_file file; /* with the parts of the running stream, or none */
    char *state;
    tl_stream_config claims[CLAIMS]; /* the newest first */
    guint claim_count;
    gboolean proved; /* a frame of the running stream verified */
    gboolean known;  /* an announcement was taken: `oneway` is right */
    oneway_receiver oneway;
    gboolean running;
    tl_stream_rx rx;
    guint8 *memory; /* of the frame, where tags do not stand in each packet */
    gint64 saved_us, first_us;
    gboolean warned, format_told, failed;
    char refusal[240]; /* why the last announcement was refused */
    frame_in frame;
    GQueue finished;
    GstCaps *pushed_caps;
    gboolean segment_due;
    GstSegment segment;
} TlVerify;

typedef struct TlVerifyClass {
    GstElementClass parent;
} TlVerifyClass;

GType tl_verify_get_type(void);
G_DEFINE_TYPE(TlVerify, tl_verify, GST_TYPE_ELEMENT)

gboolean tl_verify_register(GstPlugin *plugin)
{
    return gst_element_register(plugin, "tlverify", GST_RANK_NONE, tl_verify_get_type());
}

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(TL_CAPS));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(TL_PICTURE_CAPS));

static guint64 now_ms(void)
{
    return (guint64)g_get_monotonic_time() / 1000;
}

/* ---- what is told ---- */

static void count(TlVerify *t, guint64 *counter, guint64 n)
{
    GST_OBJECT_LOCK(t);
    *counter += n;
    GST_OBJECT_UNLOCK(t);
}

static void tell(TlVerify *t, const char *what, const tl_stream_event *event, const char *action)
{
    verdict_note note = { .what = what, .event = event, .action = action };
    gint level;

    GST_OBJECT_LOCK(t);
    level = t->tell;
    note.counters = t->counters;
    GST_OBJECT_UNLOCK(t);
    if (level == TELL_NONE || (level == TELL_BAD && strcmp(what, "frame-ok") == 0))
        return;
    note.fresh = t->known && t->proved && oneway_receiver_is_fresh(&t->oneway);
    if (event != NULL && event->data_type == PICTURE_TYPE && t->frame.caps != NULL &&
        event->message < t->frame.shape.messages)
        note.line = (gint)shape_line_of(&t->frame.shape, event->message);
    else
        note.line = -1;
    gst_element_post_message(&t->element,
                             gst_message_new_element(GST_OBJECT(t), verdict_note_structure(&note)));
}

/* ---- events of the receiver ---- */

static void take_message(TlVerify *t, uint8_t data_type, guint message, tl_span bytes)
{
    const char *why;

    if (data_type == PICTURE_TYPE) {
        frame_in_message(&t->frame, message, bytes);
        return;
    }
    if (frame_in_note(&t->frame, &t->rx.config, bytes, &why) || t->format_told)
        return;
    t->format_told = TRUE;
    GST_ELEMENT_WARNING(t, STREAM, FORMAT, ("The sender's format cannot be used: %s", why), (NULL));
}

/* The frame's messages one after the other, as release by frame gives them. */
static void take_memory(TlVerify *t, tl_span memory)
{
    const tl_stream_config *c = &t->rx.config;
    guint message = 0;
    gsize at = 0;

    for (guint i = 0; i < c->part_count; i++) {
        for (guint n = 0; n < c->parts[i].count; n++, at += c->parts[i].length)
            take_message(t, c->parts[i].data_type, i == 0 ? 0 : message++,
                         tl_span_of(memory.p + at, c->parts[i].length));
    }
}

static void queue_frame(TlVerify *t, gboolean marked)
{
    GstBuffer *buffer = frame_in_close(&t->frame, marked);
    finished *f;

    if (buffer == NULL)
        return;
    f = g_new(finished, 1);
    *f = (finished){ .buffer = buffer, .caps = gst_caps_ref(t->frame.caps) };
    g_queue_push_tail(&t->finished, f);
}

static void drop_frame(TlVerify *t)
{
    GstBuffer *buffer = frame_in_close(&t->frame, FALSE);

    if (buffer != NULL)
        gst_buffer_unref(buffer);
}

/* A frame that a receiver before us has noted is a replay, whatever its tags say. */
static tl_verdict verdict_of_frame(TlVerify *t, const tl_stream_event *event)
{
    if (event->verdict == TL_VERDICT_OK && oneway_receiver_was_noted(&t->oneway, event->frame))
        return TL_VERDICT_REPEAT;
    return event->verdict;
}

static void on_frame(TlVerify *t, const tl_stream_event *given)
{
    tl_stream_event event = *given;
    gboolean good, mark;

    if (event.payload.n > 0)
        take_memory(t, event.payload);
    event.verdict = verdict_of_frame(t, given);
    if (event.verdict != given->verdict)
        event.cause = event.verdict;
    good = event.verdict == TL_VERDICT_OK && frame_in_is_whole(&t->frame);
    GST_OBJECT_LOCK(t);
    mark = t->on_bad == ON_BAD_MARK && event.verdict == given->verdict;
    GST_OBJECT_UNLOCK(t);
    count(t, good ? &t->counters.frames_ok : &t->counters.frames_bad, 1);
    if (good) {
        t->proved = TRUE;
        oneway_receiver_note(&t->oneway, event.frame);
    }
    if (good || mark)
        queue_frame(t, !good);
    else
        drop_frame(t);
    tell(t, good ? "frame-ok" : "frame-bad", &event, good ? "passed" : mark ? "marked" : "dropped");
}

static void on_event(void *ctx, const tl_stream_event *event)
{
    TlVerify *t = ctx;

    switch (event->kind) {
    case TL_EVENT_OPENED: frame_in_open(&t->frame, event->time_us * GST_USECOND); break;
    case TL_EVENT_MESSAGE:
        if (event->verdict == TL_VERDICT_OK && event->payload.n > 0)
            take_message(t, event->data_type, event->message, event->payload);
        else if (event->verdict != TL_VERDICT_OK)
            count(t, &t->counters.verdicts[event->verdict], 1);
        break;
    case TL_EVENT_FRAME: on_frame(t, event); break;
    case TL_EVENT_LOST:
        count(t, &t->counters.frames_lost, event->count);
        tell(t, "frames-lost", event, "none came");
        break;
    case TL_EVENT_LIMIT: tell(t, "key-limit", event, "the sender must begin anew"); break;
    default: break;
    }
}

/* ---- streams ---- */

/* Closes the open frame, if there is one: its end will not come. */
static void cut_frame(TlVerify *t)
{
    if (t->running)
        tl_stream_rx_tick(&t->rx, now_ms() + ((guint64)1 << 34));
}

static void stop_stream(TlVerify *t)
{
    if (t->running) {
        cut_frame(t);
        tl_stream_rx_wipe(&t->rx);
    }
    t->running = FALSE;
    if (t->memory != NULL)
        tl_wipe(t->memory, tl_stream_frame_bytes(&t->file.config));
    g_clear_pointer(&t->memory, g_free);
}

static tl_exit begin_stream(TlVerify *t, tl_fault *fault)
{
    const tl_stream_sink sink = { .ctx = t, .event = on_event };
    tl_stream_config config = t->file.config;
    tl_buffer memory = { 0 };
    tl_key_source source;
    const char *why;
    tl_exit e;
    tl_err err;

    GST_OBJECT_LOCK(t);
    config.frame_timeout_ms = t->timeout_ms != 0 ? t->timeout_ms : UINT32_MAX;
    GST_OBJECT_UNLOCK(t);
    config.release = config.tag_mode == TL_TAG_PER_MESSAGE ? TL_RELEASE_LINE : TL_RELEASE_FRAME;
    if (tl_stream_config_check(&config, &why) != TL_OK)
        return tl_fault_set(fault, TL_EXIT_USAGE, "stream: cannot be received: %s", why);
    e = oneway_receiver_source(&t->oneway, &source, fault);
    if (e != TL_EXIT_OK)
        return e;
    if (config.release == TL_RELEASE_FRAME) {
        memory.n = tl_stream_frame_bytes(&config);
        memory.p = t->memory = g_malloc0(memory.n);
    }
    err = tl_stream_rx_init(&t->rx, &config, &source, oneway_receiver_epoch(&t->oneway), memory, sink);
    tl_key_source_wipe(&source);
    if (err != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "stream: cannot begin: %s", tl_err_text(err));
    frame_in_clear(&t->frame);
    t->running = t->segment_due = TRUE;
    t->format_told = t->proved = FALSE;
    tell(t, "stream-start", NULL,
         oneway_receiver_is_fresh(&t->oneway) ? "its start is not older than the newest: frames say more"
                                              : "not fresh: no state file is kept");
    return TL_EXIT_OK;
}

/* The announcement against the running stream's configuration, or that of a claim: a receiver that takes it replaces ours. */
static tl_exit try_with(TlVerify *t, const tl_stream_config *config, tl_span packet, oneway_news *news,
                        tl_fault *why)
{
    stream_file file = t->file;
    oneway_receiver candidate;
    tl_exit e;

    file.config = *config;
    if (t->known)
        e = oneway_receiver_reconfigure(&candidate, &t->oneway, &file, why);
    else
        e = oneway_receiver_open(&candidate, &file, t->backend.crypto, t->state, why);
    if (e == TL_EXIT_OK)
        e = oneway_receiver_packet(&candidate, packet, news, why);
    if (e == TL_EXIT_OK && (*news == ONEWAY_START || *news == ONEWAY_EPOCH)) {
        stop_stream(t); /* of the configuration before */
        t->file.config = *config;
        e = oneway_receiver_reconfigure(&t->oneway, &candidate, &t->file, why);
        t->known = e == TL_EXIT_OK;
    }
    tl_wipe(&candidate, sizeof candidate);
    stream_file_wipe(&file);
    return e;
}

static void refuse_announcement(TlVerify *t, const tl_fault *why)
{
    count(t, &t->counters.announcements_refused, 1);
    if (strncmp(t->refusal, why->text, sizeof t->refusal - 1) == 0)
        return;
    g_strlcpy(t->refusal, why->text, sizeof t->refusal);
    tell(t, "announcement-refused", NULL, t->refusal);
}

static void on_announcement(TlVerify *t, tl_span packet)
{
    tl_fault why = { .text = "announcement: no outline came with it yet" };
    oneway_news news = ONEWAY_REFUSED;
    tl_exit e = TL_EXIT_OK;

    if (t->known)
        e = try_with(t, &t->file.config, packet, &news, &why);
    for (guint i = 0; i < t->claim_count && e == TL_EXIT_OK && news == ONEWAY_REFUSED; i++)
        e = try_with(t, &t->claims[i], packet, &news, &why);
    if (e == TL_EXIT_OK && news == ONEWAY_REFUSED)
        refuse_announcement(t, &why);
    if (e == TL_EXIT_OK && (news == ONEWAY_START || news == ONEWAY_EPOCH))
        e = begin_stream(t, &why);
    if (e == TL_EXIT_OK)
        return;
    t->failed = TRUE;
    policy_post_fault(&t->element, &why);
}

static void keep_claim(TlVerify *t, const tl_stream_config *claim)
{
    guint i = 0;

    while (i < t->claim_count && (t->claims[i].part_count != claim->part_count ||
                                  memcmp(t->claims[i].parts, claim->parts, sizeof claim->parts) != 0))
        i++;
    if (i == t->claim_count && t->claim_count < CLAIMS)
        t->claim_count++;
    else if (i == t->claim_count)
        i--;
    memmove(t->claims + 1, t->claims, i * sizeof *t->claims);
    t->claims[0] = *claim;
}

/* TRUE if the packet is for us, not for the stream. */
static gboolean is_of_link(TlVerify *t, tl_span packet)
{
    tl_stream_config claim = t->file.config;
    tl_csi2_header h;

    if (packet.n < TL_CSI2_HEADER_SIZE || tl_csi2_header_read(packet.p, &h) == TL_CSI2_ECC_BAD)
        return FALSE;
    if (h.data_type == TL_ANNOUNCEMENT_WIRE_TYPE) {
        on_announcement(t, packet);
        return TRUE;
    }
    if (h.data_type != TL_OUTLINE_WIRE_TYPE)
        return FALSE;
    memset(claim.parts, 0, sizeof claim.parts);
    if (outline_read(&claim, packet) == OUTLINE_TAKEN)
        keep_claim(t, &claim);
    return TRUE;
}

/* ---- frames out ---- */

/* Frames keep the sender's time stamps. Behind a live source the segment says which running time the first of them has here;
 * else they go on behind those before. */
static void push_segment(TlVerify *t, GstBuffer *first)
{
    GstSegment segment;
    GstClock *clock = gst_element_get_clock(&t->element);
    GstClockTime now = clock != NULL ? gst_clock_get_time(clock) : GST_CLOCK_TIME_NONE;
    GstClockTime base = gst_element_get_base_time(&t->element);

    gst_segment_init(&segment, GST_FORMAT_TIME);
    if (GST_BUFFER_PTS_IS_VALID(first) && t->segment.format == GST_FORMAT_TIME && clock != NULL &&
        now >= base) {
        segment.start = segment.time = segment.position = GST_BUFFER_PTS(first);
        segment.base = now - base;
    }
    if (clock != NULL)
        gst_object_unref(clock);
    t->segment_due = FALSE;
    gst_pad_push_event(t->src, gst_event_new_segment(&segment));
}

static GstFlowReturn push_frame(TlVerify *t, finished *f)
{
    GstFlowReturn flow = GST_FLOW_NOT_NEGOTIATED;
    gboolean fits = TRUE;

    if (t->pushed_caps == NULL || !gst_caps_is_equal(t->pushed_caps, f->caps)) {
        gst_caps_replace(&t->pushed_caps, f->caps);
        fits = gst_pad_push_event(t->src, gst_event_new_caps(f->caps));
    }
    if (t->segment_due)
        push_segment(t, f->buffer);
    if (fits)
        flow = gst_pad_push(t->src, f->buffer);
    else
        gst_buffer_unref(f->buffer);
    gst_caps_unref(f->caps);
    g_free(f);
    return flow;
}

static void free_finished(gpointer item)
{
    finished *f = item;

    gst_buffer_unref(f->buffer);
    gst_caps_unref(f->caps);
    g_free(f);
}

static GstFlowReturn push_finished(TlVerify *t)
{
    GstFlowReturn flow = GST_FLOW_OK;

    while (flow == GST_FLOW_OK && !g_queue_is_empty(&t->finished))
        flow = push_frame(t, g_queue_pop_head(&t->finished));
    g_queue_clear_full(&t->finished, free_finished);
    return flow;
}

/* ---- packets in ---- */

static void save_state(TlVerify *t, gint64 now)
{
    tl_fault fault;

    if (!t->known || (now != 0 && now - t->saved_us < SAVE_EVERY_US))
        return;
    t->saved_us = now;
    if (oneway_receiver_save(&t->oneway, &fault) != TL_EXIT_OK)
        GST_ELEMENT_WARNING(t, RESOURCE, WRITE, ("%s", fault.text), (NULL));
}

/* Told once, and only as a warning: whoever can reach us can send packets that fit nothing. */
static void warn_if_nothing_fits(TlVerify *t, gint64 now)
{
    if (t->first_us == 0)
        t->first_us = now;
    if (t->warned || t->counters.frames_ok > 0 || now - t->first_us < PATIENCE_US)
        return;
    t->warned = TRUE;
    if (!t->running)
        GST_ELEMENT_WARNING(t, STREAM, DECRYPT,
                            ("Packets come, but no announcement that fits our stream file"),
                            ("%s", t->refusal[0] != '\0' ? t->refusal : "none came at all"));
    else
        GST_ELEMENT_WARNING(t, STREAM, DECRYPT, ("Packets come, but no frame verifies"), (NULL));
}

typedef struct inbox {
    GstBuffer *buffers[TL_STREAM_BATCH];
    GstMapInfo maps[TL_STREAM_BATCH];
    tl_buffer packets[TL_STREAM_BATCH];
    guint n;
} inbox;

static void empty_inbox(TlVerify *t, inbox *in)
{
    tl_err e = TL_OK;

    if (t->running && in->n > 0)
        e = tl_stream_rx_packets(&t->rx, now_ms(), in->packets, in->n);
    else
        count(t, &t->counters.packets_before, in->n);
    count(t, &t->counters.packets, in->n);
    for (guint i = 0; i < in->n; i++) {
        gst_buffer_unmap(in->buffers[i], &in->maps[i]);
        gst_buffer_unref(in->buffers[i]);
    }
    in->n = 0;
    if (e != TL_OK)
        GST_ELEMENT_WARNING(t, LIBRARY, FAILED, ("Packets could not be verified, and count as lost"),
                            ("%s", tl_err_text(e)));
}

static void take_packet(TlVerify *t, inbox *in, GstBuffer *buffer)
{
    GstMapInfo map;

    buffer = gst_buffer_make_writable(buffer);
    if (!gst_buffer_map(buffer, &map, GST_MAP_READWRITE)) {
        gst_buffer_unref(buffer);
        return;
    }
    if (map.size > 0 && (map.data[0] & 0x3F) != TL_SEP_WIRE_TYPE) {
        empty_inbox(t, in); /* those before it, in their order */
        if (is_of_link(t, tl_span_of(map.data, map.size))) {
            gst_buffer_unmap(buffer, &map);
            gst_buffer_unref(buffer);
            return;
        }
    }
    in->buffers[in->n] = buffer;
    in->maps[in->n] = map;
    in->packets[in->n++] = (tl_buffer){ map.data, map.size };
    if (in->n == TL_STREAM_BATCH)
        empty_inbox(t, in);
}

static GstFlowReturn finish_packets(TlVerify *t, inbox *in)
{
    gint64 now = g_get_monotonic_time();

    empty_inbox(t, in);
    warn_if_nothing_fits(t, now);
    save_state(t, now);
    return t->failed ? GST_FLOW_ERROR : push_finished(t);
}

static GstFlowReturn chain(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    TlVerify *t = (TlVerify *)parent;
    inbox in = { .n = 0 };

    (void)pad;
    take_packet(t, &in, buffer);
    return finish_packets(t, &in);
}

typedef struct taker {
    TlVerify *t;
    inbox in;
} taker;

/* Takes the buffer out of the list: with one owner its bytes need no copy. */
static gboolean take_of_list(GstBuffer **buffer, guint index, gpointer data)
{
    taker *k = data;

    (void)index;
    take_packet(k->t, &k->in, g_steal_pointer(buffer));
    return TRUE;
}

static GstFlowReturn chain_list(GstPad *pad, GstObject *parent, GstBufferList *list)
{
    taker k = { .t = (TlVerify *)parent };

    (void)pad;
    list = gst_buffer_list_make_writable(list);
    gst_buffer_list_foreach(list, take_of_list, &k);
    gst_buffer_list_unref(list);
    return finish_packets(k.t, &k.in);
}

/* ---- the element ---- */

/* The open frame is judged; and that nothing ever verified is an error now, since nothing more will come. */
static void end_of_stream(TlVerify *t)
{
    verdict_counters c;

    cut_frame(t);
    push_finished(t);
    save_state(t, 0);
    GST_OBJECT_LOCK(t);
    c = t->counters;
    GST_OBJECT_UNLOCK(t);
    gst_element_post_message(&t->element,
                             gst_message_new_element(GST_OBJECT(t), verdict_counters_structure(&c)));
    if (c.packets == 0 || c.frames_ok > 0 || t->failed)
        return;
    if (!t->running)
        GST_ELEMENT_ERROR(t, STREAM, DECRYPT, ("No stream: none of the announcements fits our stream file"),
                          ("%s", t->refusal[0] != '\0' ? t->refusal : "none came at all"));
    else
        GST_ELEMENT_ERROR(t, STREAM, DECRYPT, ("No frame verified"),
                          ("%" G_GUINT64_FORMAT " frames failed, %" G_GUINT64_FORMAT " never began",
                           c.frames_bad, c.frames_lost));
}

static void flush(TlVerify *t)
{
    drop_frame(t);
    g_queue_clear_full(&t->finished, free_finished);
    t->segment_due = TRUE;
}

static gboolean on_pad_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    TlVerify *t = (TlVerify *)parent;

    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS: /* what frames are is told by the frames */ gst_event_unref(event); return TRUE;
    case GST_EVENT_SEGMENT:
        gst_event_copy_segment(event, &t->segment);
        gst_event_unref(event);
        return TRUE;
    case GST_EVENT_EOS: end_of_stream(t); break;
    case GST_EVENT_FLUSH_STOP: flush(t); break;
    default: break;
    }
    return gst_pad_event_default(pad, parent, event);
}

static void clear_run(TlVerify *t)
{
    t->claim_count = 0;
    t->known = t->warned = t->failed = FALSE;
    t->saved_us = t->first_us = 0;
    t->refusal[0] = '\0';
    t->segment_due = TRUE;
    gst_segment_init(&t->segment, GST_FORMAT_UNDEFINED);
}

static gboolean start(GstElement *element)
{
    TlVerify *t = (TlVerify *)element;
    policy p = { 0 };
    tl_fault fault;
    tl_exit e;

    clear_run(t);
    GST_OBJECT_LOCK(t);
    policy_copy(&p, &t->policy);
    memset(&t->counters, 0, sizeof t->counters);
    GST_OBJECT_UNLOCK(t);
    e = policy_load(&p, &t->file, &fault);
    t->state = g_steal_pointer(&p.state);
    policy_clear(&p);
    if (e == TL_EXIT_OK)
        e = backend_start(&t->backend, BACKEND_BEST, &fault);
    if (e != TL_EXIT_OK) {
        policy_post_fault(&t->element, &fault);
        return FALSE;
    }
    return TRUE;
}

/* Also after a start that failed. */
static void stop(GstElement *element)
{
    TlVerify *t = (TlVerify *)element;

    stop_stream(t);
    save_state(t, 0);
    tl_wipe(&t->oneway, sizeof t->oneway);
    t->known = FALSE;
    stream_file_wipe(&t->file);
    frame_in_clear(&t->frame);
    g_queue_clear_full(&t->finished, free_finished);
    gst_clear_caps(&t->pushed_caps);
    backend_close(&t->backend);
    g_clear_pointer(&t->state, g_free);
}

static GstStateChangeReturn change_state(GstElement *element, GstStateChange change)
{
    return tl_element_change_state(element, change, tl_verify_parent_class, start, stop);
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    TlVerify *t = (TlVerify *)object;

    GST_OBJECT_LOCK(t);
    if (id == PROP_ON_BAD)
        t->on_bad = g_value_get_enum(value);
    else if (id == PROP_TIMEOUT)
        t->timeout_ms = g_value_get_uint(value);
    else if (id == PROP_MESSAGES)
        t->tell = g_value_get_enum(value);
    else if (!policy_set(&t->policy, id, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    GST_OBJECT_UNLOCK(t);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    TlVerify *t = (TlVerify *)object;

    GST_OBJECT_LOCK(t);
    switch (id) {
    case PROP_ON_BAD: g_value_set_enum(value, t->on_bad); break;
    case PROP_TIMEOUT: g_value_set_uint(value, t->timeout_ms); break;
    case PROP_MESSAGES: g_value_set_enum(value, t->tell); break;
    case PROP_OK: g_value_set_uint64(value, t->counters.frames_ok); break;
    case PROP_BAD: g_value_set_uint64(value, t->counters.frames_bad); break;
    case PROP_LOST: g_value_set_uint64(value, t->counters.frames_lost); break;
    case PROP_STATS: g_value_take_boxed(value, verdict_counters_structure(&t->counters)); break;
    default:
        if (!policy_get(&t->policy, id, value))
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
    GST_OBJECT_UNLOCK(t);
}

static void finalize(GObject *object)
{
    TlVerify *t = (TlVerify *)object;

    stop(&t->element);
    policy_clear(&t->policy);
    G_OBJECT_CLASS(tl_verify_parent_class)->finalize(object);
}

static void tl_verify_class_init(TlVerifyClass *class)
{
    GObjectClass *object = G_OBJECT_CLASS(class);
    GstElementClass *element = GST_ELEMENT_CLASS(class);

    object->set_property = set_property;
    object->get_property = get_property;
    object->finalize = finalize;
    element->change_state = change_state;
    policy_install(
        object,
        "A file in which the newest start of the sender and the last good frame are kept. Without it a "
        "recording of the whole stream verifies like the stream, and messages say \"fresh: false\"");
    verify_properties_install(object);
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
    gst_element_class_set_static_metadata(element, "Trueline verifier", "Filter/Network/Video",
                                          "Verifies what tlprotect sends, one packet a buffer, and gives the "
                                          "frames with their format and time stamps. Example: "
                                          "gst-launch-1.0 udpsrc port=5000 buffer-size=4000000 "
                                          "caps=application/x-trueline ! queue ! tlverify keys=cam.json ! "
                                          "videoconvert ! autovideosink",
                                          "trueline");
}

static void tl_verify_init(TlVerify *t)
{
    t->on_bad = ON_BAD_DROP;
    t->tell = TELL_BAD;
    t->timeout_ms = VERIFY_TIMEOUT_MS;
    g_queue_init(&t->finished);
    t->sink = gst_pad_new_from_static_template(&sink_template, "sink");
    gst_pad_set_chain_function(t->sink, chain);
    gst_pad_set_chain_list_function(t->sink, chain_list);
    gst_pad_set_event_function(t->sink, on_pad_event);
    gst_element_add_pad(&t->element, t->sink);
    t->src = gst_pad_new_from_static_template(&src_template, "src");
    gst_pad_use_fixed_caps(t->src);
    gst_element_add_pad(&t->element, t->src);
}
