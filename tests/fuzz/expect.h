/* What a fuzz target states. What does not hold is named: inlined as the targets are, a stack does not tell it. */
#ifndef TL_FUZZ_EXPECT_H
#define TL_FUZZ_EXPECT_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define expect(condition) expect_that(condition, #condition, __FILE__, __LINE__)

static inline void expect_that(bool holds, const char *condition, const char *file, int line)
{
    if (holds)
        return;
    (void)fprintf(stderr, "%s:%d: expected: %s\n", file, line, condition);
    abort();
}

#endif
