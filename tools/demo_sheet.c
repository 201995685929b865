/* Gathers the controller's pictures of attacked frames. The controller paints lines that never verified in magenta; one
 * line of many would vanish in a small picture, so the paint is spread over its neighbours here. */
#include "demo_sheet.h"
#include "sheet.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 8, CELL_WIDTH = 236, SPREAD = 6 /* small lines that a mark is high */ };

typedef struct canvas {
    unsigned width, height;
    uint8_t *rgb;
    bool *marked; /* rows */
} canvas;

static bool read_png(canvas *c, const char *folder, const char *kind, uint32_t frame)
{
    png_image image = { .version = PNG_IMAGE_VERSION };
    char path[700];
    bool good;

    (void)snprintf(path, sizeof path, "%s/%s_%06u.png", folder, kind, frame);
    if (!png_image_begin_read_from_file(&image, path))
        return false;
    image.format = PNG_FORMAT_RGB;
    good = image.width == c->width && image.height == c->height &&
           png_image_finish_read(&image, NULL, c->rgb, 0, NULL) != 0;
    png_image_free(&image);
    return good;
}

/* What never left the controller: an even dark picture. */
static void paint_nothing(canvas *c)
{
    for (size_t i = 0; i < 3 * (size_t)c->width * c->height; i += 3) {
        c->rgb[i] = 0x2A;
        c->rgb[i + 1] = 0x2E;
        c->rgb[i + 2] = 0x36;
    }
}

static bool is_magenta(const canvas *c, unsigned row)
{
    const uint8_t *p = c->rgb + (size_t)row * c->width * 3;

    for (unsigned x = 0; x < c->width; x++, p += 3)
        if (p[0] != 255 || p[1] != 0 || p[2] != 255)
            return false;
    return true;
}

/* Makes each run of magenta rows at least SPREAD/2 small lines high on both sides. */
static void spread_marks(canvas *c)
{
    unsigned reach = c->width * SPREAD / CELL_WIDTH / 2;

    for (unsigned row = 0; row < c->height; row++)
        c->marked[row] = is_magenta(c, row);
    for (unsigned row = 0; row < c->height; row++) {
        if (!c->marked[row])
            continue;
        for (unsigned y = row > reach ? row - reach : 0; y <= row + reach && y < c->height; y++) {
            uint8_t *p = c->rgb + (size_t)y * c->width * 3;
            for (unsigned x = 0; x < c->width; x++, p += 3) {
                p[0] = p[2] = 255;
                p[1] = 0;
            }
        }
    }
}

static void load(canvas *c, const demo_result *r)
{
    if (read_png(c, r->folder, "revoked", r->frame))
        spread_marks(c);
    else if (!read_png(c, r->folder, "frame", r->frame))
        paint_nothing(c);
}

/* Adds a word to a list of words. */
static void add_word(char *list, size_t n, const char *between, const char *word)
{
    size_t used = strlen(list);

    (void)snprintf(list + used, n - used, "%s%s", used > 0 ? between : "", word);
}

/* One cell for rows that differ in their repair alone; the picture is the last one's, the hardest to notice. */
static bool add(tl_sheet *sheet, canvas *c, const demo_result *r, size_t n)
{
    static const char *const repaired[] = { "raw", "CRC-16", "all" };
    const demo_result *last = &r[n - 1];
    char how[96] = "", verdict[96] = "", place[48];
    const char *lines[3] = { r->attack->name, how, verdict };

    for (size_t i = 0; i < n; i++) {
        add_word(how, sizeof how, ", ", repaired[r[i].attack->repair]);
        if (i == 0 || strcmp(r[i].verdict, r[i - 1].verdict) != 0)
            add_word(verdict, sizeof verdict, ", ", r[i].verdict);
    }
    demo_result_place(last, place, sizeof place);
    if (place[0] != 0)
        add_word(how, sizeof how, "; ", place);
    if (!last->lost && strcmp(verdict, "ok") != 0)
        add_word(how, sizeof how, "; noticed: ", verdict);
    if (!last->lost)
        (void)snprintf(verdict, sizeof verdict, "verified");
    load(c, last);
    return tl_sheet_add(sheet, c->rgb, c->width, c->height, lines,
                        last->lost ? TL_SHEET_REFUSED : TL_SHEET_VERIFIED);
}

/* How many results from here on share a cell. */
static size_t run_of(const demo_result *r, size_t left)
{
    size_t n = 1;

    while (n < left && strcmp(r[n].attack->name, r->attack->name) == 0 && r[n].lost == r->lost)
        n++;
    return n;
}

tl_exit demo_sheet_write(const char *path, const demo_result *results, unsigned width, unsigned height,
                         tl_fault *fault)
{
    canvas c = { .width = width, .height = height };
    char title[160], why[400] = "no memory";
    tl_sheet *sheet;
    bool good;

    (void)snprintf(
        title, sizeof title,
        "%zu attacks on a protected stream. Magenta: lines that never verified. Dark: nothing was handed on.",
        tl_attack_count);
    sheet = tl_sheet_open(COLUMNS, CELL_WIDTH, title);
    c.rgb = malloc(3 * (size_t)width * height);
    c.marked = calloc(height, sizeof *c.marked);
    good = sheet != NULL && c.rgb != NULL && c.marked != NULL;
    for (size_t i = 0, n; i < tl_attack_count && good; i += n) {
        n = run_of(&results[i], tl_attack_count - i);
        good = add(sheet, &c, &results[i], n);
    }
    good = good && tl_sheet_write(sheet, path, why, sizeof why);
    tl_sheet_close(sheet);
    free(c.rgb);
    free(c.marked);
    return good ? TL_EXIT_OK : tl_fault_set(fault, TL_EXIT_INTERNAL, "contact sheet: %s", why);
}
