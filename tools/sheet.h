/* A contact sheet: many pictures on one page, each framed by its verdict and captioned. */
#ifndef TL_SHEET_H
#define TL_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tl_sheet tl_sheet;

/* What a frame's colour says, the same on every sheet. */
typedef enum tl_sheet_mark {
    TL_SHEET_REFUSED = 0, /* orange, a cross: the receiver refused it */
    TL_SHEET_VERIFIED,    /* blue, a tick: it verified, all of it */
    TL_SHEET_OPEN /* grey, a circle: what the configuration leaves out was, or may be, changed unnoticed */
} tl_sheet_mark;

/* A sheet of `columns` cells per row, whose pictures are `cell_width` pixels wide. NULL if memory is short or a
 * number is 0 or absurd. */
tl_sheet *tl_sheet_open(unsigned columns, unsigned cell_width, const char *title);

/* Adds an RGB picture, which is copied at the cell's size. Up to three lines of caption: the first is bold, the
 * last stands beside the mark; NULL leaves one out. False if memory is short. */
bool tl_sheet_add(tl_sheet *s, const uint8_t *rgb, unsigned width, unsigned height, const char *lines[3],
                  tl_sheet_mark mark);

/* Writes the sheet as PNG, whole or not at all. */
bool tl_sheet_write(const tl_sheet *s, const char *path, char *why, size_t why_n);

void tl_sheet_close(tl_sheet *s);

#endif
