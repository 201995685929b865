/* Helpers of the tests: errors by name, hex, reproducible random numbers (splitmix64). */
#include "testing.h"
#include "chance.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void tl_assert_err_at(tl_err expected, tl_err got, const char *call, const char *file, int line)
{
    if (got == expected)
        return;
    print_error("%s:%d: %s gave %d (%s), not %d (%s)\n", file, line, call, (int)got, tl_err_text(got),
                (int)expected, tl_err_text(expected));
    _fail(file, line);
}

void tl_assert_all(const void *p, uint8_t value, size_t n)
{
    const uint8_t *bytes = p;
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != value)
            fail_msg("byte %zu of %zu is %02X, not %02X", i, n, (unsigned)bytes[i], (unsigned)value);
    }
}

static unsigned digit_of(char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    if (at == NULL)
        fail_msg("not a hex digit: '%c'", c);
    size_t value = (size_t)(at - digits);
    return (unsigned)(value < 16 ? value : value - 6);
}

size_t tl_hex(const char *text, uint8_t *out, size_t room)
{
    size_t n = 0;
    while (*text != '\0') {
        if (*text == ' ') {
            text++;
            continue;
        }
        assert_true(n < room);
        unsigned high = digit_of(text[0]);
        out[n++] = (uint8_t)(high << 4 | digit_of(text[1]));
        text += 2;
    }
    return n;
}

const char *tl_hex_text(const uint8_t *p, size_t n, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        text[2 * i] = digits[p[i] >> 4];
        text[2 * i + 1] = digits[p[i] & 15];
    }
    text[2 * n] = '\0';
    return text;
}

tl_rng tl_random_start(const char *test)
{
    struct timespec now = { 0, 0 };
    const char *given = getenv("TL_SEED");
    timespec_get(&now, TIME_UTC);
    uint64_t seed = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    if (given != NULL)
        seed = strtoull(given, NULL, 0);
    printf("# %s: TL_SEED=0x%" PRIx64 "\n", test, seed);
    fflush(stdout);
    return (tl_rng){ seed };
}

uint64_t tl_random_next(tl_rng *r)
{
    return tl_chance(&r->state);
}

size_t tl_random_below(tl_rng *r, size_t limit)
{
    return (size_t)(tl_random_next(r) % limit);
}

void tl_random_fill(tl_rng *r, void *p, size_t n)
{
    uint8_t *bytes = p;
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(tl_random_next(r) >> 56);
}

static tl_err seeded_random(void *ctx, uint8_t *out, size_t n)
{
    tl_random_fill(&((tl_seeded *)ctx)->rng, out, n);
    return TL_OK;
}

void tl_seeded_init(tl_seeded *s, const tl_crypto *inner, uint64_t seed)
{
    *s = (tl_seeded){ .rng = { seed } };
    tl_wrap_init(&s->wrap, inner);
    s->wrap.ops.random = seeded_random;
}

const tl_crypto *tl_seeded_crypto(const tl_seeded *s)
{
    return &s->wrap.crypto;
}
