/* tlsink: packets into a ring of shared memory, for another process of this machine. One buffer is one packet. The consumer
 * (tlsrc, or another reader of the ring) makes the memory; when the ring is full, this end waits. */
#include "elements.h"

#include "clock.h"
#include "ring.h"

#include <gst/base/gstbasesink.h>

#include <string.h>

enum { PROP_PATH = 1, PROP_WAIT };
enum { GATHER = 64, NAP_LEAST_US = 50, NAP_MOST_US = 2000, TURN_MS = 100, WAIT_DEFAULT = 10000 };

typedef struct TlSink {
    GstBaseSink base;
    char *path; /* under the object's lock */
    guint wait_ms;
    gboolean open;
    tl_ring ring;
    gint flushing; /* atomic */
} TlSink;

typedef struct TlSinkClass {
    GstBaseSinkClass parent;
} TlSinkClass;

GType tl_sink_get_type(void);
G_DEFINE_TYPE(TlSink, tl_sink, GST_TYPE_BASE_SINK)

gboolean tl_sink_register(GstPlugin *plugin)
{
    return gst_element_register(plugin, "tlsink", GST_RANK_NONE, tl_sink_get_type());
}

static GstStaticPadTemplate template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(TL_CAPS));

static void post_fault(TlSink *s, const tl_fault *fault)
{
    GST_ELEMENT_ERROR(s, RESOURCE, WRITE, ("%s", fault->text), (NULL));
}

/* Dials in short turns, so that the pipeline can be stopped meanwhile. */
static GstFlowReturn dial(TlSink *s)
{
    tl_fault fault = { .text = "" };
    uint64_t last;
    gboolean told = FALSE;
    int socket = -1;
    char *path;
    tl_exit e = TL_EXIT_LINK;

    GST_OBJECT_LOCK(s);
    path = g_strdup(s->path);
    last = tl_clock_ms() + s->wait_ms;
    GST_OBJECT_UNLOCK(s);
    do {
        if (g_atomic_int_get(&s->flushing))
            break;
        e = tl_ring_dial(path, tl_clock_ms() + TURN_MS, &socket, &fault);
        if (e == TL_EXIT_LINK && !told)
            GST_ELEMENT_INFO(s, RESOURCE, OPEN_WRITE, ("Waiting for a receiver at %s", path),
                             ("Waiting for a receiver at %s", path));
        told = TRUE;
    } while (e == TL_EXIT_LINK && tl_clock_ms() < last);
    g_free(path);
    if (g_atomic_int_get(&s->flushing) && e != TL_EXIT_OK)
        return GST_FLOW_FLUSHING;
    if (e == TL_EXIT_OK) {
        e = tl_ring_join(&s->ring, socket, tl_clock_ms() + WAIT_DEFAULT, &fault);
        s->open = TRUE;
    }
    if (e == TL_EXIT_OK)
        return GST_FLOW_OK;
    post_fault(s, &fault);
    return GST_FLOW_ERROR;
}

/* Writes all packets, waiting for room in naps that grow. */
static GstFlowReturn write_packets(TlSink *s, const tl_span *packets, gsize n)
{
    gulong nap = NAP_LEAST_US;
    tl_fault fault;
    gsize done = 0;

    while (done < n) {
        gsize written = 0;

        if (tl_ring_try_write(&s->ring, packets + done, n - done, &written, &fault) != TL_EXIT_OK) {
            post_fault(s, &fault);
            return GST_FLOW_ERROR;
        }
        done += written;
        if (written > 0) {
            nap = NAP_LEAST_US;
            continue;
        }
        if (tl_ring_peer_is_done(&s->ring))
            return GST_FLOW_EOS;
        if (g_atomic_int_get(&s->flushing))
            return GST_FLOW_FLUSHING;
        g_usleep(nap);
        nap = MIN(nap * 2, NAP_MOST_US);
    }
    return GST_FLOW_OK;
}

static GstFlowReturn write_list(TlSink *s, GstBufferList *list, guint first, guint n)
{
    GstMapInfo maps[GATHER];
    tl_span packets[GATHER];
    GstFlowReturn flow = GST_FLOW_ERROR;
    guint mapped = 0;

    while (mapped < n &&
           gst_buffer_map(gst_buffer_list_get(list, first + mapped), &maps[mapped], GST_MAP_READ)) {
        packets[mapped] = tl_span_of(maps[mapped].data, maps[mapped].size);
        mapped++;
    }
    if (mapped == n)
        flow = write_packets(s, packets, n);
    for (guint i = 0; i < mapped; i++)
        gst_buffer_unmap(gst_buffer_list_get(list, first + i), &maps[i]);
    return flow;
}

static GstFlowReturn render_list(GstBaseSink *base, GstBufferList *list)
{
    TlSink *s = (TlSink *)base;
    guint n = gst_buffer_list_length(list);
    GstFlowReturn flow = s->open ? GST_FLOW_OK : dial(s);

    for (guint i = 0; i < n && flow == GST_FLOW_OK; i += GATHER)
        flow = write_list(s, list, i, MIN(n - i, GATHER));
    return flow;
}

static GstFlowReturn render(GstBaseSink *base, GstBuffer *buffer)
{
    GstBufferList *list = gst_buffer_list_new_sized(1);
    GstFlowReturn flow;

    gst_buffer_list_add(list, gst_buffer_ref(buffer));
    flow = render_list(base, list);
    gst_buffer_list_unref(list);
    return flow;
}

static gboolean start(GstBaseSink *base)
{
    TlSink *s = (TlSink *)base;
    gboolean given;

    GST_OBJECT_LOCK(s);
    given = s->path != NULL && s->path[0] != '\0';
    GST_OBJECT_UNLOCK(s);
    g_atomic_int_set(&s->flushing, FALSE);
    if (!given)
        GST_ELEMENT_ERROR(s, RESOURCE, SETTINGS, ("path: none was given: path=FILE, the same as tlsrc's"),
                          (NULL));
    return given;
}

static gboolean stop(GstBaseSink *base)
{
    TlSink *s = (TlSink *)base;

    if (s->open)
        tl_ring_close(&s->ring);
    s->open = FALSE;
    return TRUE;
}

static gboolean unlock(GstBaseSink *base)
{
    g_atomic_int_set(&((TlSink *)base)->flushing, TRUE);
    return TRUE;
}

static gboolean unlock_stop(GstBaseSink *base)
{
    g_atomic_int_set(&((TlSink *)base)->flushing, FALSE);
    return TRUE;
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    TlSink *s = (TlSink *)object;

    GST_OBJECT_LOCK(s);
    if (id == PROP_PATH) {
        g_free(s->path);
        s->path = g_value_dup_string(value);
    } else if (id == PROP_WAIT) {
        s->wait_ms = g_value_get_uint(value);
    } else {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
    GST_OBJECT_UNLOCK(s);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    TlSink *s = (TlSink *)object;

    GST_OBJECT_LOCK(s);
    if (id == PROP_PATH)
        g_value_set_string(value, s->path);
    else if (id == PROP_WAIT)
        g_value_set_uint(value, s->wait_ms);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    GST_OBJECT_UNLOCK(s);
}

static void finalize(GObject *object)
{
    TlSink *s = (TlSink *)object;

    stop(&s->base);
    g_free(s->path);
    G_OBJECT_CLASS(tl_sink_parent_class)->finalize(object);
}

static void tl_sink_class_init(TlSinkClass *class)
{
    GObjectClass *object = G_OBJECT_CLASS(class);
    GstElementClass *element = GST_ELEMENT_CLASS(class);
    GstBaseSinkClass *base = GST_BASE_SINK_CLASS(class);
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

    object->set_property = set_property;
    object->get_property = get_property;
    object->finalize = finalize;
    base->start = start;
    base->stop = stop;
    base->unlock = unlock;
    base->unlock_stop = unlock_stop;
    base->render = render;
    base->render_list = render_list;
    g_object_class_install_property(
        object, PROP_PATH,
        g_param_spec_string("path", "Path",
                            "The socket on which tlsrc listens: both must be of the same user", NULL, flags));
    g_object_class_install_property(
        object, PROP_WAIT,
        g_param_spec_uint("wait", "Wait", "Milliseconds to wait for tlsrc before the first packet", 0,
                          3600000, WAIT_DEFAULT, flags));
    gst_element_class_add_static_pad_template(element, &template);
    gst_element_class_set_static_metadata(
        element, "Trueline ring sink", "Sink/Network",
        "Hands packets to another process through a ring of shared memory; tlsrc is its other end. Example: "
        "gst-launch-1.0 v4l2src ! tlprotect keys=cam.json mtu=65541 ! tlsink path=cam.ring",
        "trueline");
}

static void tl_sink_init(TlSink *s)
{
    s->wait_ms = WAIT_DEFAULT;
    gst_base_sink_set_sync(&s->base, FALSE);
}
