/* tlprotect: a frame of pictures in, its packets out.
 *
 *   buffers of a frame:  frame start | begin | note with the format and the times | bytes of the planes | end | frame end
 *   before the first frame and about once a second: outline | announcement
 *
 * Each buffer is one packet. They are pushed in lists of at most PUSH_MOST, with the frame's time stamp. New caps begin the
 * stream anew: the frame's cut is part of what the keys are derived from. */
#include "elements.h"
#include "oneway.h"
#include "outline.h"
#include "policy.h"
#include "shape.h"

#include <string.h>

enum { PUSH_MOST = 64, MTU_LEAST = 256, MTU_DEFAULT = 1400 };

enum { PROP_MTU = POLICY_PROPERTIES, PROP_ANNOUNCE, PROP_FRAMES };

typedef struct TlProtect {
    GstElement element;
    GstPad *sink, *src;
    /* properties, under the object's lock */
    policy policy;
    guint mtu, announce_ms;
    guint64 frames;
    /* from start to stop */
    backend backend;
    stream_file file;
    char *state;
    /* of the stream: the streaming thread's */
    gboolean sending;
    gboolean told; /* why caps were refused: they come again with each frame */
    shape shape;
    char *format; /* the caps' text */
    gsize note_bytes;
    oneway_sender sender;
    tl_stream_tx tx;
    guint8 outline[OUTLINE_PACKET_MAX];
    gsize outline_bytes;
    gint64 announced_us;
    /* of the frame */
    GstBufferList *list;
    GstClockTime pts, dts, duration;
    GstFlowReturn flow;
} TlProtect;

typedef struct TlProtectClass {
    GstElementClass parent;
} TlProtectClass;

GType tl_protect_get_type(void);
G_DEFINE_TYPE(TlProtect, tl_protect, GST_TYPE_ELEMENT)

gboolean tl_protect_register(GstPlugin *plugin)
{
    return gst_element_register(plugin, "tlprotect", GST_RANK_NONE, tl_protect_get_type());
}

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(TL_PICTURE_CAPS));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(TL_CAPS));

/* ---- a stream: keys, and what the receiver is told of it ---- */

static void stop_stream(TlProtect *t)
{
    if (t->sending) {
        tl_stream_tx_wipe(&t->tx);
        oneway_sender_close(&t->sender);
    }
    t->sending = FALSE;
}

static tl_exit begin_stream(TlProtect *t, tl_fault *fault)
{
    tl_key_source source;
    tl_exit e;
    tl_err err;

    stop_stream(t);
    e = oneway_sender_open(&t->sender, &t->file, t->backend.crypto, t->state, fault);
    if (e != TL_EXIT_OK)
        return e;
    e = oneway_sender_source(&t->sender, &source, fault);
    if (e == TL_EXIT_OK) {
        err = tl_stream_tx_init(&t->tx, &t->file.config, &source, 0);
        if (err == TL_OK)
            err = outline_write(&t->file.config, t->outline, &t->outline_bytes);
        if (err != TL_OK)
            e = tl_fault_set(fault, TL_EXIT_INTERNAL, "stream: cannot begin: %s", tl_err_text(err));
    }
    tl_key_source_wipe(&source);
    if (e != TL_EXIT_OK) {
        oneway_sender_close(&t->sender);
        return e;
    }
    t->sending = TRUE;
    t->announced_us = 0;
    return TL_EXIT_OK;
}

/* ---- caps ---- */

/* Bytes of a payload, at most, so that no packet is longer than the mtu. */
static gsize payload_most(const TlProtect *t, guint mtu)
{
    const tl_stream_config *c = &t->file.config;
    gsize around = TL_SEP_BEFORE + c->tag_size + (c->crc32 == TL_WITH ? 4u : 0u) + TL_CSI2_FOOTER_SIZE;
    gsize longest = TL_CSI2_PACKET_MAX - around;

    return MIN(mtu > around ? mtu - around : 0, longest);
}

/* Makes the configuration's parts: the note, then the planes. FALSE: `why` says why. */
static gboolean lay_out(TlProtect *t, const GstCaps *caps, const char **why)
{
    tl_stream_config *c = &t->file.config;
    picture_note note = { .pts = PICTURE_NO_TIME, .duration = PICTURE_NO_TIME };
    gsize most;
    guint mtu;

    GST_OBJECT_LOCK(t);
    mtu = t->mtu;
    GST_OBJECT_UNLOCK(t);
    most = payload_most(t, mtu);
    g_free(t->format);
    t->format = gst_caps_to_string(caps);
    note.format = tl_span_of(t->format, strlen(t->format));
    t->note_bytes = picture_note_bytes(&note);
    if (t->note_bytes == 0 || t->note_bytes > most) {
        *why = "the text of the caps is too long for a packet: give a larger mtu";
        return FALSE;
    }
    if (!shape_of_caps(&t->shape, caps, why) || !shape_cut(&t->shape, most, why))
        return FALSE;
    if (t->shape.bytes > PICTURE_BYTES_MAX) {
        *why = "a frame of more than 1 GiB";
        return FALSE;
    }
    c->parts[0] = (tl_stream_part){ TL_BLOCK_TOP, PICTURE_FORMAT_TYPE, 1, (guint16)t->note_bytes };
    c->part_count = 1;
    shape_add_parts(&t->shape, c);
    return tl_stream_config_check(c, why) == TL_OK;
}

static GstCaps *caps_of_packets(const GstCaps *from)
{
    static const char *const fields[] = { "width", "height", "format", "framerate" };
    const GstStructure *in = gst_caps_get_structure(from, 0);
    GstCaps *caps = gst_caps_new_simple(TL_CAPS, "media", G_TYPE_STRING, gst_structure_get_name(in), NULL);

    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
        const GValue *value = gst_structure_get_value(in, fields[i]);

        if (value != NULL)
            gst_caps_set_value(caps, fields[i], value);
    }
    return caps;
}

/* True once, until caps are taken. */
static gboolean first_time(TlProtect *t)
{
    gboolean told = t->told;

    t->told = TRUE;
    return !told;
}

static gboolean take_caps(TlProtect *t, const GstCaps *caps)
{
    const char *why = NULL;
    tl_fault fault;
    GstCaps *out;
    gboolean pushed;

    if (!lay_out(t, caps, &why)) {
        if (first_time(t))
            GST_ELEMENT_ERROR(t, STREAM, FORMAT, ("These pictures cannot be protected: %s", why),
                              ("caps %" GST_PTR_FORMAT, (const void *)caps));
        return FALSE;
    }
    if (begin_stream(t, &fault) != TL_EXIT_OK) {
        if (first_time(t))
            policy_post_fault(&t->element, &fault);
        return FALSE;
    }
    t->told = FALSE;
    GST_INFO_OBJECT(t, "%u messages a frame, caps %" GST_PTR_FORMAT, t->shape.messages, (const void *)caps);
    out = caps_of_packets(caps);
    pushed = gst_pad_push_event(t->src, gst_event_new_caps(out));
    gst_caps_unref(out);
    return pushed;
}

/* ---- packets ---- */

static void flush_list(TlProtect *t)
{
    if (t->list != NULL && t->flow == GST_FLOW_OK)
        t->flow = gst_pad_push_list(t->src, t->list);
    else if (t->list != NULL)
        gst_buffer_list_unref(t->list);
    t->list = NULL;
}

static void post_packet(TlProtect *t, GstBuffer *packet)
{
    if (t->list == NULL)
        t->list = gst_buffer_list_new_sized(PUSH_MOST);
    GST_BUFFER_PTS(packet) = t->pts;
    GST_BUFFER_DTS(packet) = t->dts;
    gst_buffer_list_add(t->list, packet);
    if (gst_buffer_list_length(t->list) == PUSH_MOST)
        flush_list(t);
}

static void post_bytes(TlProtect *t, tl_span bytes)
{
    post_packet(t, gst_buffer_new_memdup(bytes.p, bytes.n));
}

static void post_edge(TlProtect *t, const tl_tx_edge *edge)
{
    for (guint i = 0; i < G_N_ELEMENTS(edge->packets); i++)
        if (edge->packets[i].n > 0)
            post_bytes(t, edge->packets[i]);
}

static tl_exit announce(TlProtect *t, tl_fault *fault)
{
    guint8 packet[ONEWAY_PACKET_SIZE];
    gint64 now = g_get_monotonic_time();
    guint every;
    tl_exit e;

    GST_OBJECT_LOCK(t);
    every = t->announce_ms;
    GST_OBJECT_UNLOCK(t);
    if (t->announced_us != 0 && now - t->announced_us < (gint64)every * 1000)
        return TL_EXIT_OK;
    e = oneway_sender_packet(&t->sender, 0, t->file.config.virtual_channel, packet, fault);
    if (e != TL_EXIT_OK)
        return e;
    t->announced_us = now;
    post_bytes(t, tl_span_of(t->outline, t->outline_bytes));
    post_bytes(t, tl_span_of(packet, sizeof packet));
    return TL_EXIT_OK;
}

static tl_exit stream_fault(const char *what, tl_err e, tl_fault *fault)
{
    return tl_fault_set(fault, TL_EXIT_INTERNAL, "stream: %s: %s", what, tl_err_text(e));
}

/* A batch of messages in one piece of memory, which their buffers share. */
typedef struct batch {
    GBytes *memory;
    guint8 *bytes;
    gsize stride;
    tl_tx_message messages[PUSH_MOST];
    guint n;
} batch;

static void open_batch(batch *b, guint16 length, guint messages)
{
    b->stride = (gsize)length + TL_SEP_OVERHEAD_MAX;
    b->bytes = g_malloc(b->stride * messages);
    b->memory = g_bytes_new_take(b->bytes, b->stride * messages);
    b->n = 0;
}

/* Where the payload of the next message goes. */
static guint8 *next_payload(batch *b, guint8 data_type, guint16 length)
{
    guint8 *buffer = b->bytes + b->n * b->stride;

    b->messages[b->n++] =
        (tl_tx_message){ .data_type = data_type, .length = length, .buffer = buffer, .room = b->stride };
    return buffer + TL_SEP_BEFORE;
}

static tl_exit close_batch(TlProtect *t, batch *b, tl_fault *fault)
{
    tl_err e = tl_stream_tx_messages(&t->tx, b->messages, b->n);

    for (guint i = 0; i < b->n && e == TL_OK; i++) {
        tl_span packet = b->messages[i].packet;

        post_packet(t, gst_buffer_new_wrapped_full(0, (gpointer)(b->bytes + i * b->stride), b->stride,
                                                   (gsize)(packet.p - (b->bytes + i * b->stride)), packet.n,
                                                   g_bytes_ref(b->memory), (GDestroyNotify)g_bytes_unref));
    }
    g_bytes_unref(b->memory);
    return e == TL_OK ? TL_EXIT_OK : stream_fault("cannot protect", e, fault);
}

static tl_exit send_note(TlProtect *t, tl_fault *fault)
{
    const picture_note note = {
        .pts = GST_CLOCK_TIME_IS_VALID(t->pts) ? t->pts : PICTURE_NO_TIME,
        .duration = GST_CLOCK_TIME_IS_VALID(t->duration) ? t->duration : PICTURE_NO_TIME,
        .format = tl_span_of(t->format, strlen(t->format)),
    };
    batch b;
    tl_err e;

    open_batch(&b, (guint16)t->note_bytes, 1);
    e = picture_note_write(&note, next_payload(&b, PICTURE_FORMAT_TYPE, (guint16)t->note_bytes),
                           t->note_bytes);
    if (e != TL_OK) {
        g_bytes_unref(b.memory);
        return stream_fault("cannot write a note", e, fault);
    }
    return close_batch(t, &b, fault);
}

static tl_exit send_plane(TlProtect *t, const shape_plane *p, const guint8 *frame, tl_fault *fault)
{
    tl_exit e = TL_EXIT_OK;
    guint count = p->rows * p->pieces;

    for (guint m = 0; m < count && e == TL_EXIT_OK && t->flow == GST_FLOW_OK;) {
        batch b;

        open_batch(&b, p->length, MIN(count - m, PUSH_MOST));
        for (; b.n < PUSH_MOST && m < count; m++)
            shape_take(p, p->first + m, frame, next_payload(&b, PICTURE_TYPE, p->length));
        e = close_batch(t, &b, fault);
    }
    return e;
}

/* The sender's clock is the pictures' own: their time stamps. */
static uint64_t time_of_frame(const TlProtect *t)
{
    return GST_CLOCK_TIME_IS_VALID(t->pts) ? t->pts / GST_USECOND : 0;
}

/* Opens the frame; a key that is used up is followed by a new start. */
static tl_exit send_begin(TlProtect *t, tl_fault *fault)
{
    tl_tx_edge edge;
    tl_err e = tl_stream_tx_begin(&t->tx, time_of_frame(t), &edge);
    tl_exit x;

    if (e == TL_E_LIMIT) {
        GST_INFO_OBJECT(t, "the key is used up, the stream begins anew");
        x = begin_stream(t, fault);
        if (x != TL_EXIT_OK)
            return x;
        e = tl_stream_tx_begin(&t->tx, time_of_frame(t), &edge);
    }
    if (e != TL_OK)
        return stream_fault("cannot begin a frame", e, fault);
    x = announce(t, fault);
    if (x == TL_EXIT_OK)
        post_edge(t, &edge);
    return x;
}

static tl_exit send_frame(TlProtect *t, const guint8 *frame, tl_fault *fault)
{
    tl_tx_edge edge;
    tl_err err;
    tl_exit e = send_begin(t, fault);

    if (e == TL_EXIT_OK)
        e = send_note(t, fault);
    for (guint i = 0; i < t->shape.plane_count && e == TL_EXIT_OK; i++)
        e = send_plane(t, &t->shape.planes[i], frame, fault);
    if (e == TL_EXIT_OK && t->flow == GST_FLOW_OK) {
        err = tl_stream_tx_end(&t->tx, &edge);
        if (err == TL_OK)
            post_edge(t, &edge);
        else
            e = stream_fault("cannot end a frame", err, fault);
    }
    flush_list(t);
    if (e != TL_EXIT_OK || t->flow != GST_FLOW_OK)
        tl_stream_tx_abandon(&t->tx);
    return e;
}

/* ---- frames ---- */

/* The frame in the default layout: a view of the buffer, or a copy where its rows stand otherwise. */
typedef struct view {
    GstMapInfo map;
    gboolean mapped;
    guint8 *copy;
    const guint8 *frame;
} view;

static gboolean same_layout(const TlProtect *t, GstBuffer *buffer)
{
    const GstVideoMeta *meta = gst_buffer_get_video_meta(buffer);
    const GstVideoInfo *info = &t->shape.info;

    if (meta == NULL)
        return TRUE;
    for (guint i = 0; i < meta->n_planes; i++)
        if (meta->offset[i] != info->offset[i] || meta->stride[i] != info->stride[i])
            return FALSE;
    return TRUE;
}

static gboolean copy_video(TlProtect *t, GstBuffer *buffer, view *v)
{
    GstVideoFrame from, to;
    GstBuffer *target;
    gboolean done = FALSE;

    if (!gst_video_frame_map(&from, &t->shape.info, buffer, GST_MAP_READ))
        return FALSE;
    v->copy = g_malloc0(t->shape.bytes);
    target = gst_buffer_new_wrapped_full(0, v->copy, t->shape.bytes, 0, t->shape.bytes, NULL, NULL);
    if (gst_video_frame_map(&to, &t->shape.info, target, GST_MAP_READWRITE)) {
        done = gst_video_frame_copy(&to, &from);
        gst_video_frame_unmap(&to);
    }
    gst_buffer_unref(target);
    gst_video_frame_unmap(&from);
    v->frame = v->copy;
    return done;
}

/* Bayer rows may stand closer or wider than ours: then the buffer's size says how. */
static gboolean copy_bayer(const TlProtect *t, view *v)
{
    const shape_plane *p = &t->shape.planes[0];
    gsize pixels = (gsize)t->shape.width * t->shape.sample_bytes, row = v->map.size / p->rows;

    if (v->map.size % p->rows != 0 || row < pixels)
        return FALSE;
    v->copy = g_malloc0(t->shape.bytes);
    for (guint y = 0; y < p->rows; y++)
        memcpy(v->copy + y * p->row_bytes, v->map.data + y * row, pixels);
    v->frame = v->copy;
    return TRUE;
}

static gboolean open_view(TlProtect *t, GstBuffer *buffer, view *v)
{
    memset(v, 0, sizeof *v);
    if (t->shape.is_video && !same_layout(t, buffer))
        return copy_video(t, buffer, v);
    v->mapped = gst_buffer_map(buffer, &v->map, GST_MAP_READ);
    if (!v->mapped)
        return FALSE;
    v->frame = v->map.data;
    if (!t->shape.is_video && v->map.size != t->shape.bytes)
        return copy_bayer(t, v);
    return v->map.size >= t->shape.bytes;
}

static void close_view(view *v, GstBuffer *buffer)
{
    if (v->mapped)
        gst_buffer_unmap(buffer, &v->map);
    g_free(v->copy);
}

static GstFlowReturn protect_frame(TlProtect *t, GstBuffer *buffer)
{
    tl_fault fault;
    view v;

    t->flow = GST_FLOW_OK;
    t->pts = GST_BUFFER_PTS(buffer);
    t->dts = GST_BUFFER_DTS(buffer);
    t->duration = GST_BUFFER_DURATION(buffer);
    if (!open_view(t, buffer, &v)) {
        GST_ELEMENT_ERROR(t, STREAM, WRONG_TYPE, ("A buffer is no frame of its caps"),
                          ("%" G_GSIZE_FORMAT " bytes, %" G_GSIZE_FORMAT " expected",
                           gst_buffer_get_size(buffer), t->shape.bytes));
        t->flow = GST_FLOW_ERROR;
    } else if (send_frame(t, v.frame, &fault) != TL_EXIT_OK) {
        policy_post_fault(&t->element, &fault);
        t->flow = GST_FLOW_ERROR;
    }
    close_view(&v, buffer);
    if (t->flow == GST_FLOW_OK) {
        GST_OBJECT_LOCK(t);
        t->frames++;
        GST_OBJECT_UNLOCK(t);
    }
    return t->flow;
}

/* ---- the element ---- */

static GstFlowReturn chain(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    TlProtect *t = (TlProtect *)parent;
    GstFlowReturn flow;

    (void)pad;
    if (!t->sending) {
        if (first_time(t))
            GST_ELEMENT_ERROR(t, CORE, NEGOTIATION, ("tlprotect was given frames without their format"),
                              ("caps must be set before the first buffer: video/x-raw or video/x-bayer"));
        gst_buffer_unref(buffer);
        return GST_FLOW_NOT_NEGOTIATED;
    }
    flow = protect_frame(t, buffer);
    gst_buffer_unref(buffer);
    return flow;
}

static gboolean on_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    TlProtect *t = (TlProtect *)parent;
    GstCaps *caps;
    gboolean taken;

    if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS)
        return gst_pad_event_default(pad, parent, event);
    gst_event_parse_caps(event, &caps);
    taken = take_caps(t, caps);
    gst_event_unref(event);
    return taken;
}

/* Rows may stand anywhere in a buffer, if a GstVideoMeta says where. */
static gboolean on_query(GstPad *pad, GstObject *parent, GstQuery *query)
{
    if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION)
        return gst_pad_query_default(pad, parent, query);
    gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
    return TRUE;
}

static gboolean start(GstElement *element)
{
    TlProtect *t = (TlProtect *)element;
    policy p = { 0 };
    tl_fault fault;
    tl_exit e;

    GST_OBJECT_LOCK(t);
    policy_copy(&p, &t->policy);
    t->frames = 0;
    GST_OBJECT_UNLOCK(t);
    t->told = FALSE;
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
    TlProtect *t = (TlProtect *)element;

    stop_stream(t);
    stream_file_wipe(&t->file);
    backend_close(&t->backend);
    g_clear_pointer(&t->format, g_free);
    g_clear_pointer(&t->state, g_free);
}

static GstStateChangeReturn change_state(GstElement *element, GstStateChange change)
{
    return tl_element_change_state(element, change, tl_protect_parent_class, start, stop);
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    TlProtect *t = (TlProtect *)object;

    GST_OBJECT_LOCK(t);
    if (id == PROP_MTU)
        t->mtu = g_value_get_uint(value);
    else if (id == PROP_ANNOUNCE)
        t->announce_ms = g_value_get_uint(value);
    else if (!policy_set(&t->policy, id, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    GST_OBJECT_UNLOCK(t);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    TlProtect *t = (TlProtect *)object;

    GST_OBJECT_LOCK(t);
    if (id == PROP_MTU)
        g_value_set_uint(value, t->mtu);
    else if (id == PROP_ANNOUNCE)
        g_value_set_uint(value, t->announce_ms);
    else if (id == PROP_FRAMES)
        g_value_set_uint64(value, t->frames);
    else if (!policy_get(&t->policy, id, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    GST_OBJECT_UNLOCK(t);
}

static void finalize(GObject *object)
{
    TlProtect *t = (TlProtect *)object;

    stop(&t->element);
    policy_clear(&t->policy);
    G_OBJECT_CLASS(tl_protect_parent_class)->finalize(object);
}

static void install_own_properties(GObjectClass *object)
{
    g_object_class_install_property(
        object, PROP_MTU,
        g_param_spec_uint(
            "mtu", "Maximum packet size",
            "Bytes of a packet at most; lines that are longer travel in pieces. 1400 fits Ethernet, up to "
            "65507 a UDP packet of a machine to itself",
            MTU_LEAST, TL_CSI2_PACKET_MAX, MTU_DEFAULT,
            G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    g_object_class_install_property(
        object, PROP_ANNOUNCE,
        g_param_spec_uint(
            "announce", "Announcement interval",
            "Milliseconds from one announcement of the stream to the next: so long may a receiver wait that "
            "comes later. 0: before each frame",
            0, 3600000, ONEWAY_EVERY_MS,
            G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
    g_object_class_install_property(
        object, PROP_FRAMES,
        g_param_spec_uint64("frames", "Frames", "Frames protected since the element was started", 0,
                            G_MAXUINT64, 0, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void tl_protect_class_init(TlProtectClass *class)
{
    GObjectClass *object = G_OBJECT_CLASS(class);
    GstElementClass *element = GST_ELEMENT_CLASS(class);

    object->set_property = set_property;
    object->get_property = get_property;
    object->finalize = finalize;
    element->change_state = change_state;
    policy_install(
        object,
        "Optional: a file in which the number of this sender's last start is kept, so that it rises even if "
        "the clock is set back. Not the receiver's");
    install_own_properties(object);
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
    gst_element_class_set_static_metadata(element, "Trueline protector", "Filter/Network/Video",
                                          "Protects raw video and Bayer frames: each line gets a proof, and "
                                          "is encrypted if asked. Gives packets for udpsink or "
                                          "tlsink; tlverify is the way back. Example: gst-launch-1.0 v4l2src "
                                          "! tlprotect keys=cam.json ! udpsink "
                                          "host=127.0.0.1 port=5000 max-bitrate=1000000000",
                                          "trueline");
}

static void tl_protect_init(TlProtect *t)
{
    t->mtu = MTU_DEFAULT;
    t->announce_ms = ONEWAY_EVERY_MS;
    t->sink = gst_pad_new_from_static_template(&sink_template, "sink");
    gst_pad_set_chain_function(t->sink, chain);
    gst_pad_set_event_function(t->sink, on_event);
    gst_pad_set_query_function(t->sink, on_query);
    gst_element_add_pad(&t->element, t->sink);
    t->src = gst_pad_new_from_static_template(&src_template, "src");
    gst_pad_use_fixed_caps(t->src);
    gst_element_add_pad(&t->element, t->src);
}
