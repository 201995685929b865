/* Colour to Bayer. swscale brings a frame to RGB, and of each pixel the one component that its filter lets
 * through is kept. Two ways lead there: 8-bit RGB, grey and palette pictures of the right size go through
 * RGB24, which swscale reaches without any rounding, and are stretched to the full range of the samples;
 * everything else goes through planar RGB of 16 bits and is cut to the samples' width, so that no precision of
 * a video's luma is lost on the way. */
#include "mosaic.h"

#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>

#include <libavutil/error.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

struct mosaic {
    unsigned width, height, bits;
    uint16_t stretch[256]; /* 0..255 to 0..2^bits - 1, in the byte order of the wire */
    struct SwsContext *sws;
    AVFrame *rgb;
};

mosaic *mosaic_open(unsigned width, unsigned height, unsigned bits)
{
    mosaic *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->width = width;
    m->height = height;
    m->bits = bits;
    unsigned top = (1u << bits) - 1;
    for (unsigned v = 0; v < 256; v++)
        m->stretch[v] = htole16((uint16_t)((v * top + 127) / 255));
    return m;
}

/* Old names of full-range formats say what the frame's colour range may leave out. */
static bool full_range(const AVFrame *f)
{
    return f->color_range == AVCOL_RANGE_JPEG || f->format == AV_PIX_FMT_YUVJ420P ||
           f->format == AV_PIX_FMT_YUVJ422P || f->format == AV_PIX_FMT_YUVJ444P ||
           f->format == AV_PIX_FMT_YUVJ440P || f->format == AV_PIX_FMT_YUVJ411P;
}

static bool plain_eight(const AVFrame *f)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get((enum AVPixelFormat)f->format);
    bool colour = d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL);
    bool odd_kind = d->flags & (AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_BITSTREAM);
    return !odd_kind && d->comp[0].depth == 8 && (colour || f->format == AV_PIX_FMT_GRAY8);
}

static int rgb_prepare(mosaic *m, enum AVPixelFormat format)
{
    if (m->rgb && m->rgb->format == format)
        return 0;
    av_frame_free(&m->rgb);
    m->rgb = av_frame_alloc();
    if (!m->rgb)
        return AVERROR(ENOMEM);
    m->rgb->format = format;
    m->rgb->width = (int)m->width;
    m->rgb->height = (int)m->height;
    int r = av_frame_get_buffer(m->rgb, 0);
    if (r < 0)
        av_frame_free(&m->rgb);
    return r;
}

static int convert(mosaic *m, const AVFrame *f, int width, int height, enum AVPixelFormat format)
{
    int r = rgb_prepare(m, format);
    if (r < 0)
        return r;
    bool scaled = width != (int)m->width || height != (int)m->height;
    m->sws = sws_getCachedContext(m->sws, width, height, (enum AVPixelFormat)f->format, (int)m->width,
                                  (int)m->height, format, scaled ? SWS_BILINEAR : SWS_FAST_BILINEAR, NULL,
                                  NULL, NULL);
    if (!m->sws)
        return AVERROR(ENOSYS);
    int matrix = (int)f->colorspace;
    if (matrix == AVCOL_SPC_UNSPECIFIED || matrix == AVCOL_SPC_RGB)
        matrix = f->height > 576 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
    /* The same matrix twice: swscale scales RGB by way of YUV, there and back. Formats that have no matrix refuse
     * it, which is as well. */
    const int *m3 = sws_getCoefficients(matrix);
    (void)sws_setColorspaceDetails(m->sws, m3, full_range(f), m3, 1, 0, 1 << 16, 1 << 16);
    r = sws_scale(m->sws, (const uint8_t *const *)f->data, f->linesize, 0, height, m->rgb->data,
                  m->rgb->linesize);
    return r < 0 ? r : 0;
}

static void pick_eight(const mosaic *m, uint16_t *out)
{
    for (unsigned y = 0; y < m->height; y++, out += m->width) {
        const uint8_t *rgb = m->rgb->data[0] + (ptrdiff_t)y * m->rgb->linesize[0] + (y & 1);
        for (unsigned x = 0; x < m->width; x += 2, rgb += 6) {
            out[x] = m->stretch[rgb[0]];
            out[x + 1] = m->stretch[rgb[4]];
        }
    }
}

static void pick_sixteen(const mosaic *m, uint16_t *out)
{
    enum { GREEN, BLUE, RED }; /* the order of the planes */
    unsigned cut = 16 - m->bits;
    for (unsigned y = 0; y < m->height; y++, out += m->width) {
        int first = y & 1 ? GREEN : RED, second = y & 1 ? BLUE : GREEN;
        const AVFrame *f = m->rgb;
        const uint16_t *a =
            (const uint16_t *)(const void *)(f->data[first] + (ptrdiff_t)y * f->linesize[first]);
        const uint16_t *b =
            (const uint16_t *)(const void *)(f->data[second] + (ptrdiff_t)y * f->linesize[second]);
        for (unsigned x = 0; x < m->width; x += 2) {
            out[x] = htole16((uint16_t)(a[x] >> cut));
            out[x + 1] = htole16((uint16_t)(b[x + 1] >> cut));
        }
    }
}

int mosaic_frame(mosaic *m, const AVFrame *f, uint16_t *samples)
{
    if (!av_pix_fmt_desc_get((enum AVPixelFormat)f->format))
        return AVERROR(ENOSYS);
    int width = f->width, height = f->height;
    if ((width ^ 1) == (int)m->width && width > (int)m->width)
        width--;
    if ((height ^ 1) == (int)m->height && height > (int)m->height)
        height--;
    bool same = width == (int)m->width && height == (int)m->height;
    bool eight = same && plain_eight(f);
    int r = convert(m, f, width, height, eight ? AV_PIX_FMT_RGB24 : AV_PIX_FMT_GBRP16);
    if (r < 0)
        return r;
    if (eight)
        pick_eight(m, samples);
    else
        pick_sixteen(m, samples);
    return 0;
}

void mosaic_close(mosaic **m)
{
    if (!*m)
        return;
    sws_freeContext((*m)->sws);
    av_frame_free(&(*m)->rgb);
    free(*m);
    *m = NULL;
}
