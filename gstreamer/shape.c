/* The shape of a frame from its caps, and the way of bytes between frame and messages. Planes are found from the offsets of
 * the default layout, not from a table of formats: what GStreamer learns to describe is protected as well. */
#include "shape.h"

#include <string.h>

enum {
    BAR = 16, /* pixels of a bar of the paint */
    EDGE_SHARE =
        64 /* so much of the height is painted above and below in a frame with a fault, 2 lines at least */
};

static gboolean fail(const char **why, const char *reason)
{
    *why = reason;
    return FALSE;
}

/* ---- planes ---- */

static void add_plane(shape *s, gsize offset, gsize bytes, gsize row_bytes)
{
    gboolean plain = row_bytes > 0 && bytes % row_bytes == 0 && bytes / row_bytes <= SHAPE_MESSAGES_MAX;

    s->planes[s->plane_count++] = (shape_plane){
        .offset = offset,
        .row_bytes = plain ? row_bytes : bytes,
        .rows = plain ? (guint)(bytes / row_bytes) : 1,
    };
}

/* Planes in the order of memory; one for all if they are not in that order. */
static void find_planes(shape *s)
{
    const GstVideoInfo *info = &s->info;
    guint n = GST_VIDEO_INFO_N_PLANES(info);
    gboolean tiled = GST_VIDEO_FORMAT_INFO_IS_TILED(info->finfo);

    for (guint i = 0; i < n; i++) {
        gsize end = i + 1 < n ? info->offset[i + 1] : info->size;

        if (end <= info->offset[i] || (i == 0 && info->offset[0] != 0)) {
            s->plane_count = 0;
            add_plane(s, 0, info->size, 0);
            return;
        }
        add_plane(s, info->offset[i], end - info->offset[i],
                  tiled || info->stride[i] < 0 ? 0 : (gsize)info->stride[i]);
    }
}

static gboolean shape_of_video(shape *s, const GstCaps *caps, const char **why)
{
    if (!gst_video_info_from_caps(&s->info, caps))
        return fail(why, "the caps do not describe a picture");
    if (GST_VIDEO_INFO_FORMAT(&s->info) == GST_VIDEO_FORMAT_ENCODED || GST_VIDEO_INFO_SIZE(&s->info) == 0)
        return fail(why, "the format has no plain bytes");
    s->is_video = TRUE;
    s->width = (guint)GST_VIDEO_INFO_WIDTH(&s->info);
    s->height = (guint)GST_VIDEO_INFO_HEIGHT(&s->info);
    s->bytes = GST_VIDEO_INFO_SIZE(&s->info);
    find_planes(s);
    return TRUE;
}

/* "rggb", or with a depth: "rggb10le", "rggb16be". Samples deeper than 8 bits take two bytes, rows whole words. */
static gboolean shape_of_bayer(shape *s, const GstStructure *structure, const char **why)
{
    const char *format = gst_structure_get_string(structure, "format");
    gint width, height;
    gsize row;

    if (format == NULL || strlen(format) < 4 || strspn(format, "rgb") != 4)
        return fail(why, "the caps name no Bayer order");
    if (!gst_structure_get_int(structure, "width", &width) ||
        !gst_structure_get_int(structure, "height", &height) || width < 1 || height < 1 ||
        width > G_MAXINT16 || height > G_MAXINT16)
        return fail(why, "the caps give no width and height");
    memcpy(s->bayer, format, 4);
    s->sample_bytes = format[4] == '\0' ? 1 : 2;
    s->width = (guint)width;
    s->height = (guint)height;
    row = ((gsize)s->width * s->sample_bytes + 3) / 4 * 4;
    s->bytes = row * s->height;
    add_plane(s, 0, s->bytes, row);
    return TRUE;
}

gboolean shape_of_caps(shape *s, const GstCaps *caps, const char **why)
{
    const GstStructure *structure = gst_caps_get_structure(caps, 0);

    memset(s, 0, sizeof *s);
    if (gst_structure_has_name(structure, "video/x-raw"))
        return shape_of_video(s, caps, why);
    if (gst_structure_has_name(structure, "video/x-bayer"))
        return shape_of_bayer(s, structure, why);
    return fail(why, "neither video/x-raw nor video/x-bayer");
}

/* ---- messages ---- */

static void number_messages(shape *s)
{
    s->messages = 0;
    for (guint i = 0; i < s->plane_count; i++) {
        s->planes[i].first = s->messages;
        s->messages += s->planes[i].rows * s->planes[i].pieces;
    }
}

gboolean shape_cut(shape *s, gsize most, const char **why)
{
    gsize total = 0;

    if (most == 0 || most > G_MAXUINT16)
        return fail(why, "no room for bytes in a packet of that size");
    for (guint i = 0; i < s->plane_count; i++) {
        shape_plane *p = &s->planes[i];
        gsize pieces = (p->row_bytes + most - 1) / most;

        total += p->rows * pieces;
        if (pieces > SHAPE_MESSAGES_MAX || total > SHAPE_MESSAGES_MAX)
            return fail(why, "a frame would need more than 65535 packets: give a larger mtu");
        p->pieces = (guint)pieces;
        p->length = (guint16)((p->row_bytes + pieces - 1) / pieces);
    }
    number_messages(s);
    return TRUE;
}

void shape_add_parts(const shape *s, tl_stream_config *config)
{
    for (guint i = 0; i < s->plane_count; i++)
        config->parts[config->part_count++] = (tl_stream_part){
            .block = TL_BLOCK_MIDDLE,
            .data_type = TL_DT_RAW8,
            .count = (guint16)(s->planes[i].rows * s->planes[i].pieces),
            .length = s->planes[i].length,
        };
}

gboolean shape_fit(shape *s, const tl_stream_config *config)
{
    if (config->part_count != s->plane_count + 1)
        return FALSE;
    for (guint i = 0; i < s->plane_count; i++) {
        const tl_stream_part *part = &config->parts[i + 1];
        shape_plane *p = &s->planes[i];
        guint pieces = part->count / p->rows;

        if (pieces == 0 || pieces * p->rows != part->count || (gsize)pieces * part->length < p->row_bytes ||
            (gsize)(pieces - 1) * part->length >= p->row_bytes)
            return FALSE;
        p->pieces = pieces;
        p->length = part->length;
    }
    number_messages(s);
    return TRUE;
}

const shape_plane *shape_plane_of(const shape *s, guint message)
{
    guint i = s->plane_count - 1;

    while (message < s->planes[i].first)
        i--;
    return &s->planes[i];
}

guint shape_line_of(const shape *s, guint message)
{
    const shape_plane *p = shape_plane_of(s, message);
    guint line = (guint)((guint64)((message - p->first) / p->pieces) * s->height / p->rows);

    return MIN(line, s->height - 1);
}

/* Where a message's bytes begin in the frame, and how many of its payload are of the frame. */
static gsize piece_of(const shape_plane *p, guint message, gsize *n)
{
    guint row = (message - p->first) / p->pieces, piece = (message - p->first) % p->pieces;
    gsize begin = (gsize)piece * p->length;

    *n = MIN((gsize)p->length, p->row_bytes - begin);
    return p->offset + row * p->row_bytes + begin;
}

void shape_take(const shape_plane *p, guint message, const guint8 *frame, guint8 *payload)
{
    gsize n, at = piece_of(p, message, &n);

    memcpy(payload, frame + at, n);
    memset(payload + n, 0, p->length - n);
}

void shape_put(const shape_plane *p, guint message, guint8 *frame, const guint8 *payload)
{
    gsize n, at = piece_of(p, message, &n);

    memcpy(frame + at, payload, n);
}

/* ---- paint ---- */

/* A line of bars in the format that GStreamer packs from: four components of 8 or 16 bits, alpha first. */
static guint8 *bars_new(const shape *s)
{
    static const guint8 rgb[2][4] = { { 255, 255, 0, 255 }, { 255, 0, 0, 0 } };
    static const guint8 yuv[2][4] = { { 255, 106, 202, 222 }, { 255, 16, 128, 128 } };
    const GstVideoFormatInfo *unpacked = gst_video_format_get_info(s->info.finfo->unpack_format);
    gboolean deep = GST_VIDEO_FORMAT_INFO_DEPTH(unpacked, 0) > 8;
    gsize pixels = (gsize)s->width + 64; /* packers may read to the end of their group */
    guint8 *line = g_malloc(pixels * 8);

    for (gsize x = 0; x < pixels; x++) {
        const guint8 *colour = (GST_VIDEO_FORMAT_INFO_IS_RGB(unpacked) ? rgb : yuv)[x / BAR & 1];

        for (gsize c = 0; c < 4; c++) {
            guint16 wide = (guint16)(colour[c] * 257u);

            if (deep)
                memcpy(line + (x * 4 + c) * 2, &wide, 2);
            else
                line[x * 4 + c] = colour[c];
        }
    }
    return line;
}

static void paint_video(const shape *s, guint8 *frame)
{
    const GstVideoFormatInfo *format = s->info.finfo;
    gpointer data[GST_VIDEO_MAX_PLANES] = { NULL };
    gint stride[GST_VIDEO_MAX_PLANES] = { 0 };
    guint8 *bars;

    if (format->pack_func == NULL || GST_VIDEO_FORMAT_INFO_IS_TILED(format) || format->pack_lines < 1)
        return;
    for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES(&s->info); i++) {
        data[i] = frame + s->info.offset[i];
        stride[i] = s->info.stride[i];
    }
    bars = bars_new(s);
    for (guint y = 0; y + (guint)format->pack_lines <= s->height; y += (guint)format->pack_lines)
        format->pack_func(format, GST_VIDEO_PACK_FLAG_NONE, bars, 0, data, stride, s->info.chroma_site,
                          (gint)y, (gint)s->width);
    g_free(bars);
}

static void paint_bayer(const shape *s, guint8 *frame)
{
    const shape_plane *p = &s->planes[0];

    for (guint y = 0; y < s->height; y++)
        for (gsize x = 0; x < s->width; x++)
            if ((x / BAR & 1) == 0 && s->bayer[(y & 1) * 2 + (x & 1)] != 'g')
                memset(frame + y * p->row_bytes + x * s->sample_bytes, 0xFF, s->sample_bytes);
}

guint8 *shape_paint_new(const shape *s)
{
    guint8 *frame = g_malloc0(s->bytes);

    if (s->is_video)
        paint_video(s, frame);
    else
        paint_bayer(s, frame);
    return frame;
}

/* Lines of the picture that a row of a plane is about: from *y up to, not including, *end. */
static void lines_of_row(const shape *s, const shape_plane *p, guint row, guint *y, guint *end)
{
    *y = (guint)MIN((guint64)row * s->height / p->rows, s->height - 1);
    *end = (guint)MIN(((guint64)(row + 1) * s->height + p->rows - 1) / p->rows, s->height);
}

static void note_bad_lines(const shape *s, const guint8 *got, guint8 *bad)
{
    guint edge = MAX(s->height / EDGE_SHARE, 2), y, end;

    for (guint i = 0; i < s->plane_count; i++) {
        const shape_plane *p = &s->planes[i];

        for (guint m = 0; m < p->rows * p->pieces; m++) {
            if (got[p->first + m])
                continue;
            lines_of_row(s, p, m / p->pieces, &y, &end);
            memset(bad + y, 1, end - y);
        }
    }
    edge = MIN(edge, s->height);
    memset(bad, 1, edge);
    memset(bad + s->height - edge, 1, edge);
}

void shape_paint(const shape *s, const guint8 *got, const guint8 *paint, guint8 *frame)
{
    guint8 *bad = g_malloc0(s->height);
    guint y, end;

    note_bad_lines(s, got, bad);
    for (guint i = 0; i < s->plane_count; i++) {
        const shape_plane *p = &s->planes[i];

        for (guint row = 0; row < p->rows; row++) {
            gsize at = p->offset + row * p->row_bytes;

            lines_of_row(s, p, row, &y, &end);
            if (memchr(bad + y, 1, end - y) != NULL)
                memcpy(frame + at, paint + at, p->row_bytes);
        }
    }
    g_free(bad);
}
