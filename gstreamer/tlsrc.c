/* tlsrc: packets out of a ring of shared memory that another process fills. One packet is one buffer; what is there at once
 * leaves as a list. This end listens and makes the memory. */
#include "elements.h"

#include "clock.h"
#include "ring.h"

#include <gst/base/gstpushsrc.h>

#include <unistd.h>

enum { PROP_PATH = 1, PROP_SIZE };
enum { BATCH = 64, TURN_MS = 100 };

typedef struct TlSrc {
    GstPushSrc base;
    char *path; /* under the object's lock */
    guint size;
    char *listening; /* the path of the listener */
    int listener;    /* -1: none */
    gboolean open;
    tl_ring ring;
    gint flushing; /* atomic */
} TlSrc;

typedef struct TlSrcClass {
    GstPushSrcClass parent;
} TlSrcClass;

GType tl_src_get_type(void);
G_DEFINE_TYPE(TlSrc, tl_src, GST_TYPE_PUSH_SRC)

gboolean tl_src_register(GstPlugin *plugin)
{
    return gst_element_register(plugin, "tlsrc", GST_RANK_NONE, tl_src_get_type());
}

static GstStaticPadTemplate template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(TL_CAPS));

static void close_listener(TlSrc *s)
{
    if (s->listener >= 0) {
        close(s->listener);
        unlink(s->listening);
    }
    s->listener = -1;
    g_clear_pointer(&s->listening, g_free);
}

static GstFlowReturn fail(TlSrc *s, const tl_fault *fault)
{
    GST_ELEMENT_ERROR(s, RESOURCE, READ, ("%s", fault->text), (NULL));
    return GST_FLOW_ERROR;
}

/* Waits for a producer in short turns, so that the pipeline can be stopped meanwhile. */
static GstFlowReturn meet(TlSrc *s)
{
    tl_fault fault;
    int socket = -1;
    guint size;

    while (socket < 0) {
        if (g_atomic_int_get(&s->flushing))
            return GST_FLOW_FLUSHING;
        if (tl_ring_accept(s->listener, tl_clock_ms() + TURN_MS, &socket, &fault) != TL_EXIT_OK)
            return fail(s, &fault);
    }
    GST_OBJECT_LOCK(s);
    size = s->size;
    GST_OBJECT_UNLOCK(s);
    s->open = TRUE;
    return tl_ring_offer(&s->ring, socket, size, TL_RING_COPY, &fault) == TL_EXIT_OK ? GST_FLOW_OK
                                                                                     : fail(s, &fault);
}

static GstFlowReturn submit(TlSrc *s, const tl_link_batch *batch)
{
    GstBufferList *list = gst_buffer_list_new_sized((guint)batch->n);

    for (gsize i = 0; i < batch->n; i++)
        gst_buffer_list_add(list, gst_buffer_new_memdup(batch->packets[i].p, batch->packets[i].n));
    gst_base_src_submit_buffer_list(&s->base.parent, list);
    return GST_FLOW_OK;
}

static GstFlowReturn create(GstPushSrc *base, GstBuffer **buffer)
{
    TlSrc *s = (TlSrc *)base;
    tl_buffer packets[BATCH];
    tl_link_batch batch = { .packets = packets, .room = BATCH };
    GstFlowReturn flow = s->open ? GST_FLOW_OK : meet(s);
    tl_fault fault;

    (void)buffer; /* lists are submitted */
    while (flow == GST_FLOW_OK) {
        if (tl_ring_read(&s->ring, tl_clock_ms() + TURN_MS, &batch, &fault) != TL_EXIT_OK)
            return fail(s, &fault);
        if (batch.n > 0)
            return submit(s, &batch);
        if (batch.state == TL_LINK_CLOSED)
            return GST_FLOW_EOS;
        if (g_atomic_int_get(&s->flushing))
            return GST_FLOW_FLUSHING;
    }
    return flow;
}

static gboolean start(GstBaseSrc *base)
{
    TlSrc *s = (TlSrc *)base;
    tl_fault fault;

    GST_OBJECT_LOCK(s);
    s->listening = g_strdup(s->path);
    GST_OBJECT_UNLOCK(s);
    g_atomic_int_set(&s->flushing, FALSE);
    if (s->listening == NULL || s->listening[0] == '\0') {
        GST_ELEMENT_ERROR(s, RESOURCE, SETTINGS, ("path: none was given: path=FILE, the same as tlsink's"),
                          (NULL));
        return FALSE;
    }
    if (tl_ring_listen(s->listening, &s->listener, &fault) == TL_EXIT_OK)
        return TRUE;
    s->listener = -1;
    GST_ELEMENT_ERROR(s, RESOURCE, OPEN_READ, ("%s", fault.text), (NULL));
    return FALSE;
}

static gboolean stop(GstBaseSrc *base)
{
    TlSrc *s = (TlSrc *)base;

    if (s->open)
        tl_ring_close(&s->ring);
    s->open = FALSE;
    close_listener(s);
    return TRUE;
}

static gboolean unlock(GstBaseSrc *base)
{
    g_atomic_int_set(&((TlSrc *)base)->flushing, TRUE);
    return TRUE;
}

static gboolean unlock_stop(GstBaseSrc *base)
{
    g_atomic_int_set(&((TlSrc *)base)->flushing, FALSE);
    return TRUE;
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    TlSrc *s = (TlSrc *)object;

    GST_OBJECT_LOCK(s);
    if (id == PROP_PATH) {
        g_free(s->path);
        s->path = g_value_dup_string(value);
    } else if (id == PROP_SIZE) {
        s->size = g_value_get_uint(value);
    } else {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
    GST_OBJECT_UNLOCK(s);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    TlSrc *s = (TlSrc *)object;

    GST_OBJECT_LOCK(s);
    if (id == PROP_PATH)
        g_value_set_string(value, s->path);
    else if (id == PROP_SIZE)
        g_value_set_uint(value, s->size);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    GST_OBJECT_UNLOCK(s);
}

static void finalize(GObject *object)
{
    TlSrc *s = (TlSrc *)object;

    stop(&s->base.parent);
    g_free(s->path);
    G_OBJECT_CLASS(tl_src_parent_class)->finalize(object);
}

static void tl_src_class_init(TlSrcClass *class)
{
    GObjectClass *object = G_OBJECT_CLASS(class);
    GstElementClass *element = GST_ELEMENT_CLASS(class);
    GstBaseSrcClass *base = GST_BASE_SRC_CLASS(class);
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

    object->set_property = set_property;
    object->get_property = get_property;
    object->finalize = finalize;
    base->start = start;
    base->stop = stop;
    base->unlock = unlock;
    base->unlock_stop = unlock_stop;
    GST_PUSH_SRC_CLASS(class)->create = create;
    g_object_class_install_property(
        object, PROP_PATH,
        g_param_spec_string("path", "Path",
                            "The socket to listen on, for tlsink of the same user: made anew, "
                            "and gone when the element stops",
                            NULL, flags));
    g_object_class_install_property(
        object, PROP_SIZE,
        g_param_spec_uint("size", "Size", "Bytes of shared memory: a power of two from 256 KiB to 1 GiB",
                          TL_RING_MIN, TL_RING_MAX, TL_RING_DEFAULT, flags));
    gst_element_class_add_static_pad_template(element, &template);
    gst_element_class_set_static_metadata(
        element, "Trueline ring source", "Source/Network",
        "Takes packets of another process out of a ring of shared memory; tlsink is its other end. Example: "
        "gst-launch-1.0 tlsrc path=cam.ring ! tlverify keys=cam.json ! videoconvert ! autovideosink",
        "trueline");
}

static void tl_src_init(TlSrc *s)
{
    s->listener = -1;
    s->size = TL_RING_DEFAULT;
    gst_base_src_set_live(&s->base.parent, TRUE);
    gst_base_src_set_format(&s->base.parent, GST_FORMAT_TIME);
    gst_base_src_set_do_timestamp(&s->base.parent, TRUE);
}
