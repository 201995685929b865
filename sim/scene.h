/* The test scene: a road from night into morning, drawn by arithmetic alone, so that there is nothing to license and
 * every machine draws the same. What moves shows lost and repeated frames, what is fine shows lost lines. */
#ifndef SCENE_H
#define SCENE_H

#include <stdint.h>

/* Draws frame number `frame` as width x height Bayer samples (RGGB, the first row starts with red) in the low `bits`
 * (8 to 14) bits. Sizes from 2x2 to 16384x16384. The frame number stands in the strip at the bottom, in decimal and
 * as 16 binary cells. */
void tl_scene_draw(uint16_t *bayer, unsigned width, unsigned height, unsigned bits, uint32_t frame);

#endif
