/* The elements of the plugin, and what they have in common. */
#ifndef TL_GSTREAMER_ELEMENTS_H
#define TL_GSTREAMER_ELEMENTS_H

#include <gst/gst.h>

GST_DEBUG_CATEGORY_EXTERN(tl_debug);

/* What GST_ELEMENT_REGISTER and its like expect. */
gboolean gst_element_register_tlprotect(GstPlugin *plugin);
gboolean gst_element_register_tlverify(GstPlugin *plugin);
gboolean gst_element_register_tlsink(GstPlugin *plugin);
gboolean gst_element_register_tlsrc(GstPlugin *plugin);

#define TL_CAPS "application/x-trueline"
/* Frames of pictures in the system's memory, of any format. */
#define TL_PICTURE_CAPS "video/x-raw; video/x-bayer"

#endif
