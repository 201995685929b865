/* The monotonic clock: never set back, the same for all parts of a program. */
#ifndef TL_POSIX_CLOCK_H
#define TL_POSIX_CLOCK_H

#include <stdint.h>

uint64_t tl_clock_us(void);
uint64_t tl_clock_ms(void);

/* A moment on that clock; TL_NEVER waits for ever. */
#define TL_NEVER UINT64_MAX

#endif
