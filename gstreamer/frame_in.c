/* Pictures from verified messages. The format's text is parsed only here, and only after its tag was right. */
#include "frame_in.h"
#include "elements.h"
#include "outline.h"

#include <string.h>

/* ---- formats ---- */

static void forget_format(frame_in *f)
{
    if (f->pool != NULL)
        gst_buffer_pool_set_active(f->pool, FALSE);
    gst_clear_object(&f->pool);
    gst_clear_caps(&f->caps);
    g_clear_pointer(&f->format, g_free);
    g_clear_pointer(&f->paint, g_free);
    g_clear_pointer(&f->got, g_free);
}

static gboolean open_pool(frame_in *f)
{
    GstStructure *config;

    f->pool = gst_buffer_pool_new();
    config = gst_buffer_pool_get_config(f->pool);
    gst_buffer_pool_config_set_params(config, f->caps, (guint)f->shape.bytes, 0, 0);
    return gst_buffer_pool_set_config(f->pool, config) && gst_buffer_pool_set_active(f->pool, TRUE);
}

static void drop_buffer(frame_in *f)
{
    if (f->buffer == NULL)
        return;
    gst_buffer_unmap(f->buffer, &f->map);
    gst_clear_buffer(&f->buffer);
}

static void take_buffer(frame_in *f)
{
    if (f->pool == NULL || gst_buffer_pool_acquire_buffer(f->pool, &f->buffer, NULL) != GST_FLOW_OK)
        return;
    if (!gst_buffer_map(f->buffer, &f->map, GST_MAP_READWRITE))
        gst_clear_buffer(&f->buffer);
    else
        memset(f->got, 0, f->shape.messages);
}

static gboolean take_format(frame_in *f, const tl_stream_config *config, const char *text, const char **why)
{
    GstCaps *caps = gst_caps_from_string(text);

    drop_buffer(f);
    forget_format(f);
    *why = "its text means nothing";
    if (caps == NULL)
        return FALSE;
    if (!gst_caps_is_fixed(caps) || !shape_of_caps(&f->shape, caps, why)) {
        gst_caps_unref(caps);
        return FALSE;
    }
    *why = "the stream's messages are not of this format";
    if (!shape_fit(&f->shape, config)) {
        gst_caps_unref(caps);
        return FALSE;
    }
    f->caps = caps;
    f->format = g_strdup(text);
    f->got = g_malloc0(f->shape.messages);
    *why = "no memory for frames";
    if (open_pool(f))
        return TRUE;
    forget_format(f);
    return FALSE;
}

/* ---- frames ---- */

void frame_in_open(frame_in *f, GstClockTime begin)
{
    drop_buffer(f);
    f->noted = FALSE;
    f->pts = begin;
    f->duration = GST_CLOCK_TIME_NONE;
    take_buffer(f);
}

gboolean frame_in_note(frame_in *f, const tl_stream_config *config, tl_span bytes, const char **why)
{
    picture_note note;
    char *text;
    gboolean taken;

    *why = "it cannot be read";
    if (picture_note_read(&note, bytes) != TL_OK)
        return FALSE;
    text = g_strndup((const char *)note.format.p, note.format.n);
    taken = f->format != NULL && strcmp(f->format, text) == 0;
    if (!taken) {
        taken = take_format(f, config, text, why);
        take_buffer(f);
    }
    g_free(text);
    if (!taken)
        return FALSE;
    f->pts = note.pts == PICTURE_NO_TIME ? GST_CLOCK_TIME_NONE : note.pts;
    f->duration = note.duration == PICTURE_NO_TIME ? GST_CLOCK_TIME_NONE : note.duration;
    f->noted = TRUE;
    return TRUE;
}

void frame_in_message(frame_in *f, guint message, tl_span bytes)
{
    const shape_plane *p;

    if (f->buffer == NULL || message >= f->shape.messages)
        return;
    p = shape_plane_of(&f->shape, message);
    if (bytes.n != p->length)
        return;
    shape_put(p, message, f->map.data, bytes.p);
    f->got[message] = 1;
}

gboolean frame_in_is_whole(const frame_in *f)
{
    return f->buffer != NULL && f->noted && memchr(f->got, 0, f->shape.messages) == NULL;
}

GstBuffer *frame_in_close(frame_in *f, gboolean marked)
{
    GstBuffer *buffer = f->buffer;

    if (buffer == NULL)
        return NULL;
    if (marked) {
        if (f->paint == NULL)
            f->paint = shape_paint_new(&f->shape);
        shape_paint(&f->shape, f->got, f->paint, f->map.data);
        GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_CORRUPTED);
    }
    gst_buffer_unmap(buffer, &f->map);
    f->buffer = NULL;
    GST_BUFFER_PTS(buffer) = f->pts;
    GST_BUFFER_DURATION(buffer) = f->duration;
    return buffer;
}

void frame_in_clear(frame_in *f)
{
    drop_buffer(f);
    forget_format(f);
}
