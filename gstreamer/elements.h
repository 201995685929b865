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

/* change_state of an element that starts before it may run: a start that failed, and the way back, stop it. */
GstStateChangeReturn tl_element_change_state(GstElement *element, GstStateChange change,
                                             gpointer parent_class, gboolean (*start)(GstElement *),
                                             void (*stop)(GstElement *));

#define TL_CAPS "application/x-trueline"
/* Frames of pictures in the system's memory, of any format. */
#define TL_PICTURE_CAPS "video/x-raw; video/x-bayer"

#endif
