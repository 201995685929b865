/* What every test program starts from: cmocka with its headers, hex, and reproducible random numbers.
 *
 * A random test calls tl_random_start() first: it prints its seed as a TAP comment, so that the log of a
 * test that fails, crashes or hangs names it. TL_SEED=0x... in the environment sets it. */
#ifndef TL_TESTS_TESTING_H
#define TL_TESTS_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wrap.h"

/* ---- errors ---- */

/* Fails the test with both errors' texts. */
#define tl_assert_err(expected, call) tl_assert_err_at((expected), (call), #call, __FILE__, __LINE__)
#define tl_assert_ok(call)            tl_assert_err(TL_OK, call)
void tl_assert_err_at(tl_err expected, tl_err got, const char *call, const char *file, int line);

/* Fails the test unless all n bytes are `value`. */
void tl_assert_all(const void *p, uint8_t value, size_t n);

/* ---- hex ---- */

/* Reads hex digits, spaces between bytes allowed, into at most `room` bytes, and gives their number. Fails
 * the test on anything else. */
size_t tl_hex(const char *text, uint8_t *out, size_t room);
/* Writes n bytes as 2 n digits and a zero to `text`, and gives it back. */
const char *tl_hex_text(const uint8_t *p, size_t n, char *text);

/* ---- random numbers, reproducible, for tests only ---- */

typedef struct tl_rng {
    uint64_t state;
} tl_rng;

/* A generator from TL_SEED, else from the clock; prints the seed with the name of the test. */
tl_rng tl_random_start(const char *test);
uint64_t tl_random_next(tl_rng *r);
/* A number below `limit`, which is not 0. */
size_t tl_random_below(tl_rng *r, size_t limit);
void tl_random_fill(tl_rng *r, void *p, size_t n);

/* ---- a crypto backend whose random bytes are reproducible ---- */

typedef struct tl_seeded {
    tl_wrap wrap;
    tl_rng rng;
} tl_seeded;

void tl_seeded_init(tl_seeded *s, const tl_crypto *inner, uint64_t seed);
const tl_crypto *tl_seeded_crypto(const tl_seeded *s);

#endif
