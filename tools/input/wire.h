/* What travels from trueline-input to the program that started it: a header of 32 bytes, then frames.
 * All numbers are little-endian.
 *
 *   header  magic 8 | width 4 | height 4 | bits 4 | rate numerator 4 | rate denominator 4 | zero 4
 *   frame   magic 4 | payload bytes 4 | width * height samples of 2 bytes, the value in the low bits
 *
 * The samples are a Bayer mosaic: red at even columns of even rows, blue at odd columns of odd rows. */
#ifndef TL_INPUT_WIRE_H
#define TL_INPUT_WIRE_H

#include <stdint.h>

#define TL_INPUT_MAGIC        "TLINPUT1"
#define TL_INPUT_FRAME_MAGIC  "FRAM"
#define TL_INPUT_HEADER_BYTES 32
#define TL_INPUT_PREFIX_BYTES 8
#define TL_INPUT_SIDE_LIMIT   8192

static inline void tl_input_put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static inline uint32_t tl_input_get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

#endif
