/* The shape of a frame: which bytes of a picture travel in which message.
 *
 * A message is one row of one plane, or an equal piece of it where a row is longer than a packet may be; the last piece of
 * a row is filled up with zeros. Rows are those of GStreamer's default layout of the format, so both ends find the same
 * shape from the caps. A plane that has no plain rows (tiles) is one row. */
#ifndef TL_GSTREAMER_SHAPE_H
#define TL_GSTREAMER_SHAPE_H

#include <trueline/stream.h>

#include <gst/video/video.h>

enum {
    SHAPE_PLANES = GST_VIDEO_MAX_PLANES,
    SHAPE_MESSAGES_MAX = TL_SEP_MESSAGES_MAX /* all planes are of one data type, and numbered through */
};

typedef struct shape_plane {
    gsize offset;    /* in the frame */
    gsize row_bytes; /* from row to row */
    guint rows;
    guint pieces;   /* messages of a row */
    guint16 length; /* payload bytes of a message */
    guint first;    /* number of its first message */
} shape_plane;

typedef struct shape {
    gboolean is_video; /* video/x-raw, and info is right; else video/x-bayer */
    GstVideoInfo info;
    char bayer[5];      /* "rggb" and the like */
    guint sample_bytes; /* of Bayer samples */
    guint width, height;
    gsize bytes; /* of a frame */
    guint plane_count;
    guint messages; /* of a frame, without the note */
    shape_plane planes[SHAPE_PLANES];
} shape;

/* Planes of the caps, not cut yet. FALSE: `why` says why (static text). */
gboolean shape_of_caps(shape *s, const GstCaps *caps, const char **why);
/* Cuts rows so that a payload has at most `most` bytes. FALSE if a frame would have too many messages. */
gboolean shape_cut(shape *s, gsize most, const char **why);
/* Cuts rows as the parts behind the note say. FALSE if they are not of this shape. */
gboolean shape_fit(shape *s, const tl_stream_config *config);
/* Appends the parts of the planes to a configuration that has the note's part alone. */
void shape_add_parts(const shape *s, tl_stream_config *config);

/* The plane of message number `message` (below s->messages). */
const shape_plane *shape_plane_of(const shape *s, guint message);
/* The picture's line that the message's row begins with. */
guint shape_line_of(const shape *s, guint message);
/* Copies the bytes of a message out of a frame, or into it. `payload` has the plane's length. */
void shape_take(const shape_plane *p, guint message, const guint8 *frame, guint8 *payload);
void shape_put(const shape_plane *p, guint message, guint8 *frame, const guint8 *payload);

/* ---- what did not verify ---- */

/* A frame of the paint alone: bars of magenta and black in the frame's own format. The caller's to g_free. */
guint8 *shape_paint_new(const shape *s);
/* Paints over every line of the picture of which not all messages are there (got[message] is 0), and its first and last
 * lines, so that no frame with a fault looks like one without. */
void shape_paint(const shape *s, const guint8 *got, const guint8 *paint, guint8 *frame);

#endif
