#include "backend.h"

#ifdef TL_BENCH_LANES
#include <trueline/lanes.h>
#endif
#include <trueline/openssl.h>

#include <stdlib.h>

enum { KEYS = 256, MACS = 256 };

#ifdef TL_BENCH_LANES
/* The kernels' backend with its memory. */
typedef struct kernels {
    tl_lanes lanes;
    tl_lanes_key keys[KEYS];
    tl_lanes_mac macs[MACS];
} kernels;

static tl_lanes_level wanted(bench_level level)
{
    switch (level) {
    case BENCH_AESNI: return TL_LANES_AESNI;
    case BENCH_SOFT: return TL_LANES_SOFT;
    default: return TL_LANES_BEST;
    }
}

static bool open_kernels(bench *b, const tl_crypto *base)
{
    kernels *k = aligned_alloc(TL_LANES_ALIGN, sizeof *k);
    tl_lanes_config config = { .base = base, .level = wanted(b->asked), .key_n = KEYS, .mac_n = MACS };

    b->opened[1] = k;
    if (k == NULL)
        return false;
    config.keys = k->keys;
    config.macs = k->macs;
    if (tl_lanes_init(&k->lanes, &config) != TL_OK)
        return false;
    b->crypto = tl_lanes_crypto(&k->lanes);
    b->level = tl_lanes_level_name(tl_lanes_level_of(&k->lanes));
    return true;
}

#else
static bool open_kernels(bench *b, const tl_crypto *base)
{
    b->level = "openssl";
    (void)base;
    return b->asked == BENCH_BEST;
}
#endif

const char *bench_level_name(bench_level level)
{
    static const char *const names[] = { "best", "aesni", "soft", "openssl" };

    return (unsigned)level < sizeof names / sizeof *names ? names[level] : NULL;
}

bool bench_backend_open(bench *b)
{
    tl_openssl_config config = { .hash_slots = 0, .key_slots = KEYS };
    tl_openssl *openssl = NULL;
    bool good = tl_openssl_open(&config, &openssl) == TL_OK;

    b->opened[0] = openssl;
    b->level = bench_level_name(b->asked);
    if (!good)
        return false;
    b->crypto = tl_openssl_crypto(openssl);
    return b->asked == BENCH_OPENSSL || open_kernels(b, b->crypto);
}

void bench_backend_close(bench *b)
{
    free(b->opened[1]);
    tl_openssl_close(b->opened[0]);
    b->opened[0] = b->opened[1] = NULL;
    b->crypto = NULL;
}
