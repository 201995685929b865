/* One reader of numbers, so that a seed that one program prints is read by the other. */
#include "number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint64_t number_of(const struct argp_state *state, const char *option, const char *text, uint64_t low,
                   uint64_t high)
{
    char *end;
    unsigned long long n;

    errno = 0;
    n = strtoull(text, &end, 0);
    if (errno != 0 || end == text || *end != '\0' || strchr(text, '-') != NULL || n < low || n > high)
        argp_error(state, "--%s: '%s' is no number from %llu to %llu", option, text, (unsigned long long)low,
                   (unsigned long long)high);
    return n;
}
