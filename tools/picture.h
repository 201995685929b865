/* What people look at: colours out of Bayer samples, PNG files, y4m streams. */
#ifndef TL_PICTURE_H
#define TL_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Bilinear colours, RGB of 8 bits, from width * height samples (RGGB, `bits` 8 to 16). False, and nothing
 * written, if width or height is odd or zero, or bits are out of range. */
bool tl_demosaic(uint8_t *rgb, const uint16_t *bayer, unsigned width, unsigned height, unsigned bits);

/* Writes an RGB picture as PNG, fast rather than small. A regular file appears under its name only when it is
 * whole. On failure nothing is left behind, and `why` names file and cause. */
bool tl_png_write(const char *path, const uint8_t *rgb, unsigned width, unsigned height, char *why,
                  size_t why_n);

/* Uncompressed video that players and FFmpeg read: 4:2:0, BT.709, limited range. */
typedef struct tl_y4m {
    /* private */
    FILE *f;
    unsigned width, height;
    uint8_t *planes;
} tl_y4m;

/* Writes the stream's header. The file stays the caller's. False with errno set if memory or writing failed. */
bool tl_y4m_open(tl_y4m *y, FILE *f, unsigned width, unsigned height, uint32_t rate_num, uint32_t rate_den);
bool tl_y4m_frame(tl_y4m *y, const uint8_t *rgb);

/* Flushes, and frees what open took. False if the last bytes could not be written. */
bool tl_y4m_close(tl_y4m *y);

#endif
