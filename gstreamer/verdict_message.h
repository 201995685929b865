/* What tlverify tells on the bus: element messages of one structure, "trueline". */
#ifndef TL_GSTREAMER_VERDICT_MESSAGE_H
#define TL_GSTREAMER_VERDICT_MESSAGE_H

#include <trueline/stream.h>

#include <gst/gst.h>

typedef struct verdict_counters {
    guint64 frames_ok, frames_bad, frames_lost;
    guint64 packets;        /* all that came, but announcements and outlines */
    guint64 packets_before; /* of these: before a stream was known, and dropped */
    guint64 announcements_refused;
    guint64 verdicts[TL_VERDICTS]; /* packets that were refused, by verdict */
} verdict_counters;

typedef struct verdict_note {
    const char *
        what; /* "frame-ok", "frame-bad", "frames-lost", "stream-start", "announcement-refused", "key-limit" */
    const tl_stream_event *event; /* or NULL */
    const char *action;           /* what was done, or the reason */
    gint line;                    /* of the picture, where the first cause is; -1: none */
    gboolean fresh;
    verdict_counters counters;
} verdict_note;

GstStructure *verdict_note_structure(const verdict_note *note);
/* The counters alone, with a field for each verdict that was given. */
GstStructure *verdict_counters_structure(const verdict_counters *counters);

#endif
