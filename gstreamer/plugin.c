/* The plugin: protected pictures between two hosts. */
#include "elements.h"
#include "stream_file.h"

GST_DEBUG_CATEGORY(tl_debug);

GstStateChangeReturn tl_element_change_state(GstElement *element, GstStateChange change,
                                             gpointer parent_class, gboolean (*start)(GstElement *),
                                             void (*stop)(GstElement *))
{
    GstStateChangeReturn result;

    if (change == GST_STATE_CHANGE_READY_TO_PAUSED && !start(element)) {
        stop(element);
        return GST_STATE_CHANGE_FAILURE;
    }
    result = GST_ELEMENT_CLASS(parent_class)->change_state(element, change);
    if (change == GST_STATE_CHANGE_PAUSED_TO_READY ||
        (change == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE))
        stop(element);
    return result;
}

static gboolean init(GstPlugin *plugin)
{
    GST_DEBUG_CATEGORY_INIT(tl_debug, "trueline", 0, "protected camera streams");
    stream_file_guard_json();
    return tl_protect_register(plugin) && tl_verify_register(plugin) && tl_sink_register(plugin) &&
           tl_src_register(plugin);
}

GST_PLUGIN_DEFINE(
    GST_VERSION_MAJOR, GST_VERSION_MINOR, trueline,
    "Camera streams protected from end to end: encryption and proof for raw video and Bayer frames", init,
    TL_PLUGIN_VERSION, "Apache 2.0", "trueline", "unknown")
