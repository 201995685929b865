/* A frame on its way in: verified messages become a picture in memory, and what did not verify is painted over. */
#ifndef TL_GSTREAMER_FRAME_IN_H
#define TL_GSTREAMER_FRAME_IN_H

#include "shape.h"

#include <gst/gst.h>

typedef struct frame_in {
    /* what the pictures are; kept from frame to frame */
    GstCaps *caps; /* NULL: not known yet */
    shape shape;
    /* private */
    char *format;
    guint8 *paint;
    GstBufferPool *pool;
    GstBuffer *buffer; /* of the open frame, mapped */
    GstMapInfo map;
    guint8 *got; /* by message */
    gboolean noted;
    GstClockTime pts, duration;
} frame_in;

/* Opens a frame; an open one is given up. */
void frame_in_open(frame_in *f, GstClockTime begin);
/* Takes the note. FALSE: it is none, or of a format that the parts do not fit; `why` says why (static text). */
gboolean frame_in_note(frame_in *f, const tl_stream_config *config, tl_span bytes, const char **why);
/* Takes a message. Before the format is known it is dropped. */
void frame_in_message(frame_in *f, guint message, tl_span bytes);
/* TRUE if a format is known, and note and messages of the open frame are all there. */
gboolean frame_in_is_whole(const frame_in *f);
/* Closes the frame and gives it, the caller's to unref. `marked`: what is not there is painted over, and the buffer flagged.
 * NULL if there is nothing to give. */
GstBuffer *frame_in_close(frame_in *f, gboolean marked);
/* Forgets everything. */
void frame_in_clear(frame_in *f);

#endif
