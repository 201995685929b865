/* Two rows of Bayer samples make a row of pixels, two samples wide: red, the mean of both greens, blue. Where that is still
 * wider than a browser needs, so many of them are averaged. A small picture is shown as it is, each cell four times. */
#include "view_png.h"

#include <trueline/csi2.h>

#include <png.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH_MAX = 960, CHANNELS = 4 };

typedef struct shape {
    uint32_t width, height; /* of the picture, in pixels */
    uint32_t cells;         /* Bayer cells in a row that make one pixel */
    uint32_t down;          /* of so many pairs of lines one is taken */
} shape;

static shape shape_of(const view_facts *f)
{
    uint32_t pairs = view_pairs(f);
    uint32_t cells = (f->width / 2 + WIDTH_MAX - 1) / WIDTH_MAX, down = cells / f->step;

    if (down == 0)
        down = 1;
    return (shape){ f->width / 2 / cells, (pairs + down - 1) / down, cells, down };
}

/* One output row from a pair of packed lines. */
static bool make_row(const view_facts *f, shape s, const uint8_t *packed, uint16_t *samples, uint8_t *out)
{
    const uint16_t *even = samples, *odd = samples + f->width;
    unsigned cut = f->bits - 8;

    for (size_t i = 0; i < 2; i++)
        if (tl_raw_unpack(f->bits, tl_span_of(packed + i * f->line_bytes, f->line_bytes),
                          samples + i * f->width, f->width) != TL_OK)
            return false;
    for (uint32_t x = 0; x < s.width; x++, out += CHANNELS) {
        uint32_t sum[3] = { 0 };

        for (uint32_t c = x * s.cells; c < (x + 1) * s.cells; c++) {
            sum[0] += even[2 * c];
            sum[1] += ((uint32_t)even[2 * c + 1] + odd[2 * c]) / 2;
            sum[2] += odd[2 * c + 1];
        }
        for (int k = 0; k < 3; k++)
            out[k] = (uint8_t)(sum[k] / s.cells >> cut);
        out[3] = 255;
    }
    return true;
}

static bool encode(const uint8_t *rgba, shape s, uint8_t **png, size_t *n)
{
    png_image image = { .version = PNG_IMAGE_VERSION,
                        .width = s.width,
                        .height = s.height,
                        .format = PNG_FORMAT_RGBA,
                        .flags = PNG_IMAGE_FLAG_FAST };
    png_alloc_size_t room = PNG_IMAGE_PNG_SIZE_MAX(image);
    bool good;

    *png = malloc(room);
    good = *png != NULL && png_image_write_to_memory(&image, *png, &room, 0, rgba, 0, NULL) != 0;
    png_image_free(&image);
    if (!good) {
        free(*png);
        *png = NULL;
    }
    *n = room;
    return good;
}

/* Pixels that were encrypted stand there in clear. */
static void give_back(void *p, size_t n)
{
    if (p != NULL)
        tl_wipe(p, n);
    free(p);
}

bool view_png_make(const view_facts *f, const view_lines *lines, const uint8_t *pixels, uint8_t **png,
                   size_t *n)
{
    shape s = shape_of(f);
    uint8_t *rgba = calloc((size_t)s.width * s.height, CHANNELS);
    uint16_t *samples = malloc(2 * (size_t)f->width * sizeof *samples);
    bool good = rgba != NULL && samples != NULL;

    for (uint32_t y = 0; y < s.height && good; y++) {
        uint32_t pair = y * s.down, line = 2 * pair * f->step;

        if (lines->have[line] != 0 && lines->have[line + 1] != 0)
            good = make_row(f, s, pixels + 2 * (size_t)pair * f->line_bytes, samples,
                            rgba + (size_t)y * s.width * CHANNELS);
    }
    good = good && encode(rgba, s, png, n);
    give_back(rgba, (size_t)s.width * s.height * CHANNELS);
    give_back(samples, 2 * (size_t)f->width * sizeof *samples);
    return good;
}
