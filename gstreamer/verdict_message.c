/* Element messages and counters of tlverify. */
#include "verdict_message.h"

static void set_event(GstStructure *s, const verdict_note *note)
{
    const tl_stream_event *event = note->event;

    gst_structure_set(s, "frame", G_TYPE_UINT, event->frame, "verdict", G_TYPE_STRING,
                      tl_verdict_text(event->verdict), "cause", G_TYPE_STRING, tl_verdict_text(event->cause),
                      "count", G_TYPE_UINT, event->count, NULL);
    if (event->verdict == TL_VERDICT_OK)
        return;
    gst_structure_set(s, "data-type", G_TYPE_UINT, (guint)event->data_type, "message", G_TYPE_UINT,
                      (guint)event->message, "line", G_TYPE_INT, note->line, NULL);
}

GstStructure *verdict_note_structure(const verdict_note *note)
{
    GstStructure *s =
        gst_structure_new("trueline", "what", G_TYPE_STRING, note->what, "action", G_TYPE_STRING,
                          note->action, "fresh", G_TYPE_BOOLEAN, note->fresh, NULL);

    if (note->event != NULL)
        set_event(s, note);
    gst_structure_set(s, "frames-ok", G_TYPE_UINT64, note->counters.frames_ok, "frames-bad", G_TYPE_UINT64,
                      note->counters.frames_bad, "frames-lost", G_TYPE_UINT64, note->counters.frames_lost,
                      NULL);
    return s;
}

GstStructure *verdict_counters_structure(const verdict_counters *c)
{
    GstStructure *s = gst_structure_new(
        "trueline-stats", "frames-ok", G_TYPE_UINT64, c->frames_ok, "frames-bad", G_TYPE_UINT64,
        c->frames_bad, "frames-lost", G_TYPE_UINT64, c->frames_lost, "packets", G_TYPE_UINT64, c->packets,
        "packets-before-stream", G_TYPE_UINT64, c->packets_before, "announcements-refused", G_TYPE_UINT64,
        c->announcements_refused, NULL);

    for (guint v = TL_VERDICT_OK + 1; v < TL_VERDICTS; v++) {
        char *name;

        if (c->verdicts[v] == 0)
            continue;
        name = g_strconcat("refused-", tl_verdict_text((tl_verdict)v), NULL);
        gst_structure_set(s, name, G_TYPE_UINT64, c->verdicts[v], NULL);
        g_free(name);
    }
    return s;
}
