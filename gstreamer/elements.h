/* The elements of the plugin, and what they have in common. */
#ifndef TL_GSTREAMER_ELEMENTS_H
#define TL_GSTREAMER_ELEMENTS_H

#include <gst/gst.h>

GST_DEBUG_CATEGORY_EXTERN(tl_debug);
#define GST_CAT_DEFAULT tl_debug

gboolean tl_protect_register(GstPlugin *plugin);
gboolean tl_verify_register(GstPlugin *plugin);
gboolean tl_sink_register(GstPlugin *plugin);
gboolean tl_src_register(GstPlugin *plugin);

#define TL_CAPS "application/x-trueline"
/* Frames of pictures in the system's memory, of any format. */
#define TL_PICTURE_CAPS "video/x-raw; video/x-bayer"

#endif
