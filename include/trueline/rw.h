/* The byte reader and the byte writer. Every access is bounded by them; the first failure sticks.
 * Included by base.h; the contracts are proved by `make prove`. */
#ifndef TRUELINE_RW_H
#define TRUELINE_RW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads: p is the next byte, n what is left. Initialise { bytes, count, false }. */
typedef struct tl_rd {
    const uint8_t *p;
    size_t n;
    bool bad;
} tl_rd;

/* Writes: n bytes of cap are written. p == NULL counts only: sizes are found without a buffer.
 * Initialise { buffer, 0, capacity, false }, or tl_wr_counting(). */
typedef struct tl_wr {
    uint8_t *p;
    size_t n, cap;
    bool bad;
} tl_wr;

/* Which end of an integer comes first. */
typedef enum tl_order { TL_LITTLE = 0, TL_BIG } tl_order;

/* TO BE COMPLETED by wire helper: tl_take tl_room tl_get tl_put tl_rd_end tl_mark tl_fill tl_since tl_wr_counting tl_put_bytes */

#endif
