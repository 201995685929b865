/* What a fuzz target states. */
#ifndef TL_FUZZ_EXPECT_H
#define TL_FUZZ_EXPECT_H

#include <stdbool.h>
#include <stdlib.h>

static inline void expect(bool condition)
{
    if (!condition)
        abort();
}

#endif
