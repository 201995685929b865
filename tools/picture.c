/* Bayer to RGB, RGB to PNG and to y4m.
 * The demosaic knows one kind of row: colour c stands at columns of parity p, green at the others, and the
 * third colour d lies in the rows above (u) and below (b). Even rows are red at parity 0, odd rows blue at
 * parity 1, so one function does both. The edges mirror at the outermost sample, which keeps the colours'
 * places. Sums are cut, not rounded: a constant colour comes out as itself, and nothing can overflow. */
#include "picture.h"
#include "file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <png.h>

/* ---- colours ---- */

typedef struct rows {
    const uint16_t *u, *m, *b; /* above, this one, below */
    unsigned c, cut;           /* c: 0 red, 2 blue; cut: bits above 8 */
} rows;

/* Column x, between l and n. */
static inline void at_colour(uint8_t *o, rows r, unsigned l, unsigned x, unsigned n)
{
    o[r.c] = (uint8_t)(r.m[x] >> r.cut);
    o[1] = (uint8_t)(((unsigned)r.m[l] + r.m[n] + r.u[x] + r.b[x]) >> (r.cut + 2));
    o[2 - r.c] = (uint8_t)(((unsigned)r.u[l] + r.u[n] + r.b[l] + r.b[n]) >> (r.cut + 2));
}

static inline void at_green(uint8_t *o, rows r, unsigned l, unsigned x, unsigned n)
{
    o[r.c] = (uint8_t)(((unsigned)r.m[l] + r.m[n]) >> (r.cut + 1));
    o[1] = (uint8_t)(r.m[x] >> r.cut);
    o[2 - r.c] = (uint8_t)(((unsigned)r.u[x] + r.b[x]) >> (r.cut + 1));
}

static void row_red(uint8_t *o, rows r, unsigned width)
{
    r.c = 0;
    at_colour(o, r, 1, 0, 1);
    for (unsigned x = 1; x + 1 < width; x += 2) {
        at_green(o + 3 * x, r, x - 1, x, x + 1);
        at_colour(o + 3 * x + 3, r, x, x + 1, x + 2);
    }
    at_green(o + 3 * (width - 1), r, width - 2, width - 1, width - 2);
}

static void row_blue(uint8_t *o, rows r, unsigned width)
{
    r.c = 2;
    at_green(o, r, 1, 0, 1);
    for (unsigned x = 1; x + 1 < width; x += 2) {
        at_colour(o + 3 * x, r, x - 1, x, x + 1);
        at_green(o + 3 * x + 3, r, x, x + 1, x + 2);
    }
    at_colour(o + 3 * (width - 1), r, width - 2, width - 1, width - 2);
}

bool tl_demosaic(uint8_t *rgb, const uint16_t *bayer, unsigned width, unsigned height, unsigned bits)
{
    if (!width || !height || ((width | height) & 1) || bits < 8 || bits > 16)
        return false;
    for (unsigned y = 0; y < height; y++) {
        const uint16_t *m = bayer + (size_t)y * width;
        rows r = { y ? m - width : m + width, m, y + 1 < height ? m + width : m - width, 0, bits - 8 };
        uint8_t *o = rgb + (size_t)y * width * 3;
        if (y & 1)
            row_blue(o, r, width);
        else
            row_red(o, r, width);
    }
    return true;
}

/* ---- PNG ---- */

static void png_failed(png_structp png, png_const_charp text)
{
    char *why = png_get_error_ptr(png);
    snprintf(why, 128, "%s", text);
    png_longjmp(png, 1);
}

static void png_quiet(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void png_rows(png_structp png, png_infop info, FILE *f, const uint8_t *rgb, unsigned width,
                     unsigned height)
{
    png_init_io(png, f);
    png_set_user_limits(png, 1 << 16, 1 << 16);
    png_set_compression_level(png, 1);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_UP);
    png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (unsigned y = 0; y < height; y++)
        png_write_row(png, rgb + (size_t)y * width * 3);
    png_write_end(png, info);
}

/* All that libpng's long jump crosses. The cause is errno's when the file refused bytes, else libpng's own. */
static bool png_stream(FILE *f, const uint8_t *rgb, unsigned width, unsigned height, char cause[128])
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, cause, png_failed, png_quiet);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        snprintf(cause, 128, "out of memory");
        png_destroy_write_struct(&png, NULL);
        return false;
    }
    errno = 0;
    if (setjmp(png_jmpbuf(png))) {
        if (ferror(f) && errno)
            snprintf(cause, 128, "%s", strerror(errno));
        png_destroy_write_struct(&png, &info);
        return false;
    }
    png_rows(png, info, f, rgb, width, height);
    png_destroy_write_struct(&png, &info);
    return true;
}

/* As the umask would have it. */
static mode_t picture_mode(void)
{
    mode_t mask = umask(0);

    umask(mask);
    return 0666 & ~mask;
}

bool tl_png_write(const char *path, const uint8_t *rgb, unsigned width, unsigned height, char *why,
                  size_t why_n)
{
    char cause[128] = "";
    tl_fault fault;
    tl_file file;

    if (tl_file_begin(&file, path, picture_mode(), &fault) != TL_EXIT_OK) {
        snprintf(why, why_n, "%s", fault.text);
        return false;
    }
    file.unsynced = true; /* a stream's pictures do not wait for the disk */
    if (!png_stream(file.stream, rgb, width, height, cause)) {
        tl_file_abandon(&file);
        snprintf(why, why_n, "%s: %s", path, cause);
        return false;
    }
    if (tl_file_commit(&file, TL_FILE_REPLACE, &fault) != TL_EXIT_OK) {
        snprintf(why, why_n, "%s", fault.text);
        return false;
    }
    return true;
}

/* ---- y4m ---- */

static size_t chroma_side(unsigned n)
{
    return ((size_t)n + 1) / 2;
}

static size_t planes_bytes(const tl_y4m *y)
{
    return (size_t)y->width * y->height + 2 * chroma_side(y->width) * chroma_side(y->height);
}

/* Short, because FFmpeg reads 80 characters of it; that is why BT.709, which has no standard field, is not in it. */
bool tl_y4m_open(tl_y4m *y, FILE *f, unsigned width, unsigned height, uint32_t rate_num, uint32_t rate_den)
{
    *y = (tl_y4m){ .f = f, .width = width, .height = height };
    y->planes = malloc(planes_bytes(y));
    if (!y->planes)
        return false;
    return fprintf(f, "YUV4MPEG2 W%u H%u F%u:%u Ip A1:1 C420jpeg XCOLORRANGE=LIMITED\n", width, height,
                   (unsigned)rate_num, (unsigned)rate_den) > 0;
}

/* BT.709 in 16-bit fractions: Y from 16 to 235, Cb and Cr from 16 to 240 around 128. */
static void luma_row(uint8_t *o, const uint8_t *rgb, unsigned width)
{
    for (unsigned x = 0; x < width; x++, rgb += 3)
        o[x] = (uint8_t)((11966u * rgb[0] + 40254u * rgb[1] + 4064u * rgb[2] + (16u << 16) + 32768u) >> 16);
}

/* Each chroma sample stands for four pixels, at the edge of an odd picture for those that there are. */
static void chroma_row(uint8_t *cb, uint8_t *cr, const uint8_t *rgb, const uint8_t *below, unsigned width)
{
    for (unsigned x = 0; x < width; x += 2) {
        unsigned a = 3 * x, b = x + 1 < width ? a + 3 : a;
        int r = rgb[a] + rgb[b] + below[a] + below[b];
        int g = rgb[a + 1] + rgb[b + 1] + below[a + 1] + below[b + 1];
        int v = rgb[a + 2] + rgb[b + 2] + below[a + 2] + below[b + 2];
        *cb++ = (uint8_t)((-6596 * r - 22188 * g + 28784 * v + (128 << 18) + (1 << 17)) >> 18);
        *cr++ = (uint8_t)((28784 * r - 26145 * g - 2639 * v + (128 << 18) + (1 << 17)) >> 18);
    }
}

bool tl_y4m_frame(tl_y4m *y, const uint8_t *rgb)
{
    size_t stride = (size_t)y->width * 3, half = chroma_side(y->width);
    uint8_t *cb = y->planes + (size_t)y->width * y->height, *cr = cb + half * chroma_side(y->height);
    for (unsigned row = 0; row < y->height; row++) {
        const uint8_t *p = rgb + row * stride;
        luma_row(y->planes + (size_t)row * y->width, p, y->width);
        if (row & 1)
            continue;
        chroma_row(cb, cr, p, row + 1 < y->height ? p + stride : p, y->width);
        cb += half;
        cr += half;
    }
    return fputs("FRAME\n", y->f) >= 0 && fwrite(y->planes, 1, planes_bytes(y), y->f) == planes_bytes(y);
}

bool tl_y4m_close(tl_y4m *y)
{
    free(y->planes);
    y->planes = NULL;
    return y->f && fflush(y->f) == 0;
}
