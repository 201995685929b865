/* What the programs of this folder share: asking memcheck for its marks, and counting what is not so. */
#ifndef TL_TESTS_MARKS_H
#define TL_TESTS_MARKS_H

#include <trueline/base.h>

#include <valgrind/memcheck.h>

#include <stdio.h>

/* Does any bit of it depend on a secret? Asked without a report. */
static bool is_secret(const void *p, size_t n)
{
    const uint8_t *bytes = p;
    unsigned char undefined = 0, all = 0;

    for (size_t i = 0; i < n; i++) {
        (void)VALGRIND_GET_VBITS(bytes + i, &undefined, 1);
        all |= undefined;
    }
    return all != 0;
}

static int failures;

static void expect(bool right, const char *what)
{
    if (right)
        return;
    printf("not so: %s\n", what);
    failures++;
}

#endif
