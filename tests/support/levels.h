/* The OpenSSL backend and beside it every level of the kernels that this machine has, all of them with the same keys.
 *
 * Keys are named by their numbers: number i is a key of suite tl_levels_suites[i % TL_LEVELS_SUITES]. */
#ifndef TL_TESTS_LEVELS_H
#define TL_TESTS_LEVELS_H

#include "testing.h"

#include <trueline/lanes.h>
#include <trueline/openssl.h>

enum { TL_LEVELS_SUITES = 4, TL_LEVELS_KEYS = 8, TL_LEVELS_MACS = 4 };

extern const tl_suite tl_levels_suites[TL_LEVELS_SUITES];

/* A backend with its keys. */
typedef struct tl_levels_end {
    const char *name;
    const tl_crypto *crypto;
    tl_key keys[TL_LEVELS_KEYS];
    bool slow; /* portable code: some hundred times slower than the fastest */
} tl_levels_end;

typedef struct tl_levels_memory {
    tl_lanes lanes;
    tl_lanes_key keys[TL_LEVELS_KEYS];
    tl_lanes_mac macs[TL_LEVELS_MACS];
} tl_levels_memory;

typedef struct tl_levels {
    tl_openssl *backend;
    tl_levels_end reference; /* OpenSSL */
    tl_levels_end v[TL_LANES_LEVELS];
    size_t n;
    tl_levels_memory memory[TL_LANES_LEVELS];
} tl_levels;

/* Opens all and loads random keys. */
void tl_levels_open(tl_levels *levels, tl_rng *r);
void tl_levels_close(tl_levels *levels);

/* Everything is asked for that takes minutes: TL_EVERYTHING is set in the environment. */
bool tl_levels_everything(void);
/* The build looks at every access to memory, which makes it several times slower. */
bool tl_levels_sanitized(void);

#endif
