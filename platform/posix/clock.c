/* The monotonic clock of the system, in whole microseconds and milliseconds. CLOCK_MONOTONIC cannot fail on the
 * systems that the programs run on; were it missing, time would stand still at 0, and deadlines would never come,
 * so a program without it ends at once. */
#include "clock.h"

#include <stdlib.h>
#include <time.h>

uint64_t tl_clock_us(void)
{
    struct timespec t;

    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
        abort();
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

uint64_t tl_clock_ms(void)
{
    return tl_clock_us() / 1000u;
}
