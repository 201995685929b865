/* The contact sheet. A picture is reduced by averaging when it is added, so that a sheet of many large pictures
 * takes little memory; the page is laid out and drawn when it is written, because only then its height is known.
 * Blue and orange stay apart for every kind of colour blindness, and the marks say the same again.
 * libgd draws; DejaVu is the font, any sans that fontconfig knows the second choice, libgd's own the last. */
#include "sheet.h"
#include "picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gd.h>
#include <gdfontl.h>

enum { MARGIN = 28, GAP = 20, FRAME = 4, PAD = 10, COLUMN_LIMIT = 64, WIDTH_LIMIT = 2048 };
enum {
    BACKGROUND = 0xf4f4f1,
    CARD = 0xffffff,
    INK = 0x1d232b,
    SOFT = 0x5a6470,
    BLUE = 0x0072b2,
    ORANGE = 0xc25400,
    GREY = 0x4b535d
};

typedef struct cell {
    uint8_t *rgb;
    unsigned width, height;
    char lines[3][96];
    tl_sheet_mark mark;
} cell;

/* By tl_sheet_mark: the colour, the mark, and a mark for a font without it. */
static const struct {
    int colour;
    const char *mark, *plain;
} styles[] = {
    { ORANGE, "\xe2\x9c\x97", "[x]" },
    { BLUE, "\xe2\x9c\x93", "[+]" },
    { GREY, "\xe2\x97\x8b", "[o]" },
};

struct tl_sheet {
    unsigned columns, cell_width;
    char title[200];
    cell *cells;
    size_t count, room;
};

typedef struct page {
    gdImagePtr image;
    const tl_sheet *sheet;
    int picture_height, card_width, card_height;
    double size; /* of the text, in points */
    int step;    /* from line to line */
} page;

enum weight { REGULAR, BOLD };

typedef struct pen {
    double size;
    enum weight weight;
    int colour;
} pen;

tl_sheet *tl_sheet_open(unsigned columns, unsigned cell_width, const char *title)
{
    if (!columns || columns > COLUMN_LIMIT || cell_width < 64 || cell_width > WIDTH_LIMIT)
        return NULL;
    tl_sheet *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->columns = columns;
    s->cell_width = cell_width;
    snprintf(s->title, sizeof s->title, "%s", title);
    return s;
}

/* ---- pictures ---- */

/* Mean of the pixels that fall on each small one; of the nearest, where the picture is smaller than its cell. */
static void reduce(cell *c, const uint8_t *rgb, unsigned width, unsigned height)
{
    uint8_t *o = c->rgb;
    for (unsigned y = 0; y < c->height; y++) {
        size_t y0 = (size_t)y * height / c->height, y1 = ((size_t)y + 1) * height / c->height;
        y1 += y1 == y0;
        for (unsigned x = 0; x < c->width; x++, o += 3) {
            size_t x0 = (size_t)x * width / c->width, x1 = ((size_t)x + 1) * width / c->width;
            x1 += x1 == x0;
            uint64_t sum[3] = { 0 }, n = (y1 - y0) * (x1 - x0);
            for (size_t v = y0; v < y1; v++)
                for (const uint8_t *p = rgb + (v * width + x0) * 3, *end = p + (x1 - x0) * 3; p < end; p += 3)
                    sum[0] += p[0], sum[1] += p[1], sum[2] += p[2];
            for (int i = 0; i < 3; i++)
                o[i] = (uint8_t)(sum[i] / n);
        }
    }
}

static bool room_make(tl_sheet *s)
{
    if (s->count < s->room)
        return true;
    size_t room = s->room ? 2 * s->room : 16;
    cell *cells = realloc(s->cells, room * sizeof *cells);
    if (!cells)
        return false;
    s->cells = cells;
    s->room = room;
    return true;
}

bool tl_sheet_add(tl_sheet *s, const uint8_t *rgb, unsigned width, unsigned height, const char *lines[3],
                  tl_sheet_mark mark)
{
    if (!width || !height || !room_make(s))
        return false;
    cell *c = &s->cells[s->count];
    size_t tall = ((size_t)s->cell_width * height + width / 2) / width;
    *c = (cell){ .width = s->cell_width, .mark = mark };
    c->height = tall < 1 ? 1 : tall > 2 * (size_t)s->cell_width ? 2 * s->cell_width : (unsigned)tall;
    c->rgb = malloc((size_t)c->width * c->height * 3);
    if (!c->rgb)
        return false;
    reduce(c, rgb, width, height);
    for (int i = 0; i < 3; i++)
        snprintf(c->lines[i], sizeof c->lines[i], "%s", lines[i] ? lines[i] : "");
    s->count++;
    return true;
}

/* ---- text ---- */

/* Draws, or with image NULL measures. Returns the width, or -1 if there is no font but libgd's own. */
static int text_outline(gdImagePtr image, int x, int y, pen p, char *line)
{
    static const char *const fonts[2][2] = { { "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "sans" },
                                             { "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
                                               "sans:bold" } };
    int box[8];
    for (int i = 0; i < 2; i++) {
        char font[64];
        snprintf(font, sizeof font, "%s", fonts[p.weight][i]);
        gdFTUseFontConfig(i);
        if (!gdImageStringFT(image, box, p.colour, font, p.size, 0, x, y, line))
            return box[2] - box[0];
    }
    return -1;
}

static int text_width(pen p, char *line)
{
    int n = text_outline(NULL, 0, 0, p, line);
    return n >= 0 ? n : (int)strlen(line) * gdFontGetLarge()->w;
}

/* Draws on the base line y, no wider than `width`: what does not fit is cut off, with dots in its place. */
static void text_put(gdImagePtr image, int x, int y, int width, pen p, const char *text)
{
    char line[256];
    size_t n = (size_t)snprintf(line, sizeof line - 4, "%s", text);
    n = n < sizeof line - 4 ? n : sizeof line - 5;
    while (n && text_width(p, line) > width) {
        do
            n--;
        while (n && ((unsigned char)line[n] & 0xc0) == 0x80);
        memcpy(line + n, "...", 4);
    }
    gdFontPtr plain = gdFontGetLarge();
    if (text_outline(image, x, y, p, line) < 0)
        gdImageString(image, plain, x, y - plain->h + 3, (unsigned char *)line, p.colour);
}

/* ---- drawing ---- */

/* The coloured bar under a caption: the mark, then the verdict. */
static void verdict_put(const page *p, const cell *c, int x, int y, int height)
{
    char mark[8];
    int base = y + height - (height - (int)(p->size * 1.0)) / 2;
    int indent = (int)(p->size * 2.1);
    gdImageFilledRectangle(p->image, x, y, x + p->card_width - 1, y + height - 1, styles[c->mark].colour);
    snprintf(mark, sizeof mark, "%s", styles[c->mark].mark);
    if (text_outline(p->image, x + PAD, base, (pen){ p->size * 1.15, BOLD, CARD }, mark) < 0) {
        snprintf(mark, sizeof mark, "%s", styles[c->mark].plain);
        text_put(p->image, x + PAD, base, p->card_width, (pen){ p->size, BOLD, CARD }, mark);
        indent += (int)p->size;
    }
    text_put(p->image, x + PAD + indent, base, p->card_width - 2 * PAD - indent, (pen){ p->size, BOLD, CARD },
             c->lines[2]);
}

static void picture_put(gdImagePtr image, const cell *c, int x, int y)
{
    const uint8_t *rgb = c->rgb;
    for (int v = 0; v < (int)c->height; v++)
        for (int u = 0; u < (int)c->width; u++, rgb += 3)
            gdImageTrueColorPixel(image, x + u, y + v) = gdTrueColor(rgb[0], rgb[1], rgb[2]);
}

static void card_put(const page *p, const cell *c, int x, int y)
{
    int colour = styles[c->mark].colour, right = x + p->card_width - 1, bottom = y + p->card_height - 1;
    int text = p->card_width - 2 * PAD, base = y + 2 * FRAME + p->picture_height + PAD + (int)p->size;
    gdImageFilledRectangle(p->image, x, y, right, bottom, CARD);
    gdImageRectangle(p->image, x, y, right, bottom, colour);
    gdImageFilledRectangle(p->image, x, y, right, y + p->picture_height + 2 * FRAME - 1, colour);
    picture_put(p->image, c, x + FRAME, y + FRAME + (p->picture_height - (int)c->height) / 2);
    text_put(p->image, x + PAD, base, text, (pen){ p->size, BOLD, INK }, c->lines[0]);
    text_put(p->image, x + PAD, base + p->step, text, (pen){ p->size * 0.92, REGULAR, SOFT }, c->lines[1]);
    int bar = (int)(p->size * 2.4);
    verdict_put(p, c, x, bottom + 1 - bar, bar);
}

static void page_draw(const page *p)
{
    const tl_sheet *s = p->sheet;
    int width = gdImageSX(p->image);
    gdImageFilledRectangle(p->image, 0, 0, width - 1, gdImageSY(p->image) - 1, BACKGROUND);
    text_put(p->image, MARGIN, MARGIN + (int)(p->size * 1.7), width - 2 * MARGIN,
             (pen){ p->size * 1.7, BOLD, INK }, s->title);
    int top = MARGIN + (int)(p->size * 1.7) + GAP;
    for (size_t i = 0; i < s->count; i++) {
        int column = (int)(i % s->columns), row = (int)(i / s->columns);
        card_put(p, &s->cells[i], MARGIN + column * (p->card_width + GAP),
                 top + row * (p->card_height + GAP));
    }
}

/* Measures the page and makes the empty image; NULL if it would be too large. */
static gdImagePtr page_open(page *p, const tl_sheet *s)
{
    size_t rows_n = (s->count + s->columns - 1) / s->columns;
    unsigned tallest = 0;
    for (size_t i = 0; i < s->count; i++)
        tallest = s->cells[i].height > tallest ? s->cells[i].height : tallest;
    *p = (page){ .sheet = s, .picture_height = (int)tallest };
    p->size = s->cell_width / 26.0;
    p->size = p->size < 8 ? 8 : p->size > 15 ? 15 : p->size;
    p->step = (int)(p->size * 1.75);
    p->card_width = (int)s->cell_width + 2 * FRAME;
    p->card_height = p->picture_height + 2 * FRAME + 2 * PAD + (int)p->size + p->step + (int)(p->size * 2.4);
    size_t across = s->count && s->count < s->columns ? s->count : s->columns;
    size_t width = 2 * MARGIN + across * (size_t)(p->card_width + GAP) - GAP;
    size_t height = 2 * MARGIN + (size_t)(p->size * 1.7) + rows_n * (size_t)(p->card_height + GAP);
    if (width > 32767 || height > 32767 || width * height > 1u << 28)
        return NULL;
    p->image = gdImageCreateTrueColor((int)width, (int)height);
    return p->image;
}

bool tl_sheet_write(const tl_sheet *s, const char *path, char *why, size_t why_n)
{
    page p;
    gdImagePtr image = page_open(&p, s);
    size_t width = image ? (size_t)gdImageSX(image) : 0, height = image ? (size_t)gdImageSY(image) : 0;
    uint8_t *rgb = image ? malloc(width * height * 3) : NULL;
    bool good = rgb != NULL;
    if (good) {
        page_draw(&p);
        uint8_t *o = rgb;
        for (int y = 0; y < (int)height; y++)
            for (int x = 0; x < (int)width; x++, o += 3) {
                int c = gdImageTrueColorPixel(image, x, y);
                o[0] = (uint8_t)gdTrueColorGetRed(c);
                o[1] = (uint8_t)gdTrueColorGetGreen(c);
                o[2] = (uint8_t)gdTrueColorGetBlue(c);
            }
        good = tl_png_write(path, rgb, (unsigned)width, (unsigned)height, why, why_n);
    } else {
        snprintf(why, why_n, "%s: the sheet is too large", path);
    }
    free(rgb);
    if (image)
        gdImageDestroy(image);
    return good;
}

void tl_sheet_close(tl_sheet *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        free(s->cells[i].rgb);
    free(s->cells);
    free(s);
}
