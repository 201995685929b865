/* From any decoded frame to Bayer samples, as a sensor behind a colour filter would give them. */
#ifndef TL_INPUT_MOSAIC_H
#define TL_INPUT_MOSAIC_H

#include <stdint.h>

#include <libavutil/frame.h>

typedef struct mosaic mosaic;

/* A mosaic of even width and height with samples of `bits` (8 to 14). NULL if memory is short. */
mosaic *mosaic_open(unsigned width, unsigned height, unsigned bits);

/* Writes width * height little-endian samples. A frame of another size is scaled, except that one odd column
 * or row is cut off. Returns 0, or a negative code of FFmpeg. */
int mosaic_frame(mosaic *m, const AVFrame *frame, uint16_t *samples);

void mosaic_close(mosaic **m);

#endif
