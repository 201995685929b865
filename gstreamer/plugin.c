/* The plugin: protected pictures between two hosts. */
#include "elements.h"
#include "stream_file.h"

GST_DEBUG_CATEGORY(tl_debug);

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
