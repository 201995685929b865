/* Where verified pixels become pictures: packed lines to Bayer samples, to colours, to a PNG file or a video frame. One
 * frame of each kind is held, whatever the stream's length. Lines of a revoked frame are shown only on request, and
 * what never verified is painted magenta, a colour that the scene does not have. */
#include "frame_out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { Y4M_RATE = 30 };

static bool wants_pictures(const frame_out *out)
{
    return out->o.y4m != NULL || (out->o.folder != NULL && (out->o.every > 0 || out->o.keep_revoked));
}

static tl_exit open_video(frame_out *out, tl_fault *fault)
{
    FILE *to = stdout;

    if (strcmp(out->o.y4m, "-") != 0) {
        tl_exit e = tl_file_begin(&out->file, out->o.y4m, 0644, fault);

        if (e != TL_EXIT_OK)
            return e;
        to = out->file.stream;
    }
    if (!tl_y4m_open(&out->video, to, out->width, out->height, Y4M_RATE, 1))
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "output: %s", out->o.y4m);
    out->video_open = true;
    return TL_EXIT_OK;
}

tl_exit frame_out_open(frame_out *out, const frame_out_options *options, const stream_file *file,
                       tl_fault *fault)
{
    size_t pixels = (size_t)file->width * file->height;
    tl_exit e = TL_EXIT_OK;

    *out = (frame_out){ .o = *options, .width = file->width, .height = file->height, .bits = file->bits };
    out->pixel_type = stream_file_pixel_type(file);
    out->line_bytes = stream_file_line_bytes(file);
    out->first_byte = out->line_bytes * file->embedded_top;
    if (out->o.folder != NULL)
        e = tl_file_folder(out->o.folder, fault);
    if (e != TL_EXIT_OK || !wants_pictures(out))
        return e;
    out->bayer = calloc(pixels, sizeof *out->bayer);
    out->rgb = malloc(3 * pixels);
    out->have = calloc(file->height, sizeof *out->have);
    if (out->bayer == NULL || out->rgb == NULL || out->have == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "output: no memory for a picture of %ux%u", out->width,
                            out->height);
    return out->o.y4m != NULL ? open_video(out, fault) : TL_EXIT_OK;
}

static tl_exit unpack_line(frame_out *out, size_t row, tl_span line, tl_fault *fault)
{
    if (tl_raw_unpack(out->bits, line, out->bayer + row * out->width, out->width) != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "output: line %zu: %zu bytes", row, line.n);
    return TL_EXIT_OK;
}

static void paint_missing(frame_out *out)
{
    for (size_t row = 0; row < out->height; row++) {
        uint8_t *p = out->rgb + row * out->width * 3;

        for (size_t x = 0; !out->have[row] && x < out->width; x++, p += 3) {
            p[0] = p[2] = 255;
            p[1] = 0;
        }
    }
}

static tl_exit write_png(const frame_out *out, const char *kind, uint32_t number, tl_fault *fault)
{
    char path[1024], start[16] = "", why[400];

    if (out->start > 0)
        (void)snprintf(start, sizeof start, "_%u", out->start + 1);
    if (snprintf(path, sizeof path, "%s/%s_%06u%s.png", out->o.folder, kind, number, start) >=
        (int)sizeof path)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "output: %.80s...: the name is too long", out->o.folder);
    if (!tl_png_write(path, out->rgb, out->width, out->height, why, sizeof why))
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "output: %s", why);
    return TL_EXIT_OK;
}

/* Colours out of the samples, to wherever they are wanted. */
static tl_exit write_picture(frame_out *out, uint32_t number, bool revoked, tl_fault *fault)
{
    bool png = out->o.folder != NULL && out->o.every > 0 && out->seen % out->o.every == 0;

    if (revoked)
        png = out->o.folder != NULL && out->o.keep_revoked;
    else
        out->seen++;
    if (!png && (!out->video_open || revoked))
        return TL_EXIT_OK;
    if (!tl_demosaic(out->rgb, out->bayer, out->width, out->height, out->bits))
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "output: no colours from %ux%u", out->width,
                            out->height);
    out->written++;
    if (revoked || out->o.unverified)
        paint_missing(out);
    if (!revoked && out->video_open && !tl_y4m_frame(&out->video, out->rgb))
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "output: %s: cannot write", out->o.y4m);
    if (!png)
        return TL_EXIT_OK;
    return write_png(out, revoked ? "revoked" : out->o.unverified ? "unverified" : "frame", number, fault);
}

bool frame_out_wanted(const frame_out *out)
{
    return out->bayer != NULL;
}

tl_exit frame_out_frame(frame_out *out, uint32_t number, tl_span payload, tl_fault *fault)
{
    if (out->bayer == NULL)
        return TL_EXIT_OK;
    if (payload.n < out->first_byte || payload.n - out->first_byte < out->line_bytes * out->height)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "output: frame %u: %zu bytes", number, payload.n);
    for (size_t row = 0; row < out->height; row++) {
        tl_span line = tl_span_of(payload.p + out->first_byte + row * out->line_bytes, out->line_bytes);
        tl_exit e = unpack_line(out, row, line, fault);

        if (e != TL_EXIT_OK)
            return e;
    }
    return write_picture(out, number, false, fault);
}

void frame_out_begin(frame_out *out)
{
    if (out->bayer == NULL)
        return;
    memset(out->have, 0, out->height * sizeof *out->have);
    memset(out->bayer, 0, (size_t)out->width * out->height * sizeof *out->bayer);
}

tl_exit frame_out_line(frame_out *out, uint8_t data_type, uint16_t message, tl_span payload, tl_fault *fault)
{
    if (out->bayer == NULL || data_type != out->pixel_type || message >= out->height)
        return TL_EXIT_OK;
    out->have[message] = true;
    return unpack_line(out, message, payload, fault);
}

tl_exit frame_out_end(frame_out *out, uint32_t number, bool revoked, tl_fault *fault)
{
    return out->bayer != NULL ? write_picture(out, number, revoked, fault) : TL_EXIT_OK;
}

tl_exit frame_out_close(frame_out *out, bool keep, tl_fault *fault)
{
    tl_exit e = TL_EXIT_OK;

    if (out->video_open && !tl_y4m_close(&out->video) && keep) {
        e = tl_fault_errno(fault, TL_EXIT_INTERNAL, "output: %s: cannot write", out->o.y4m);
        keep = false;
    }
    if (out->file.stream != NULL && keep && out->written > 0)
        e = tl_file_commit(&out->file, TL_FILE_REPLACE, fault);
    else
        tl_file_abandon(&out->file);
    free(out->bayer);
    free(out->rgb);
    free(out->have);
    *out = (frame_out){ 0 };
    return e;
}
