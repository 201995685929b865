/* All levels side by side. */
#include "levels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

const tl_suite tl_levels_suites[TL_LEVELS_SUITES] = { TL_SUITE_AES128_GMAC, TL_SUITE_AES256_GMAC,
                                                      TL_SUITE_AES128_CMAC, TL_SUITE_AES256_CMAC };

static void load_keys(tl_levels_end *end, uint8_t bytes[TL_LEVELS_KEYS][64])
{
    for (size_t i = 0; i < TL_LEVELS_KEYS; i++) {
        tl_suite suite = tl_levels_suites[i % TL_LEVELS_SUITES];
        tl_span key = { bytes[i], tl_suite_key_size(suite) };
        tl_assert_ok(end->crypto->ops->key_load(end->crypto->ctx, suite, key, &end->keys[i]));
    }
}

static void open_level(tl_levels *levels, tl_lanes_level level)
{
    tl_levels_memory *memory = &levels->memory[levels->n];
    tl_levels_end *end = &levels->v[levels->n++];
    const tl_lanes_config config = { .base = levels->reference.crypto,
                                     .level = level,
                                     .keys = memory->keys,
                                     .key_n = TL_LEVELS_KEYS,
                                     .macs = memory->macs,
                                     .mac_n = TL_LEVELS_MACS };
    tl_assert_ok(tl_lanes_init(&memory->lanes, &config));
    assert_int_equal(tl_lanes_level_of(&memory->lanes), level);
    end->name = tl_lanes_level_name(level);
    end->crypto = tl_lanes_crypto(&memory->lanes);
    end->slow = level == TL_LANES_SOFT;
    printf("# level %s\n", end->name);
}

void tl_levels_open(tl_levels *levels, tl_rng *r)
{
    uint8_t bytes[TL_LEVELS_KEYS][64];
    memset(levels, 0, sizeof *levels);
    tl_random_fill(r, bytes, sizeof bytes);
    tl_assert_ok(tl_openssl_open(NULL, &levels->backend));
    levels->reference.name = "openssl";
    levels->reference.crypto = tl_openssl_crypto(levels->backend);
    load_keys(&levels->reference, bytes);
    for (int level = TL_LANES_BEST + 1; level < TL_LANES_LEVELS; level++) {
        if (!tl_lanes_level_here((tl_lanes_level)level))
            continue;
        open_level(levels, (tl_lanes_level)level);
        load_keys(&levels->v[levels->n - 1], bytes);
    }
    assert_true(levels->n > 0);
}

void tl_levels_close(tl_levels *levels)
{
    for (size_t i = 0; i < levels->n; i++)
        tl_lanes_wipe(&levels->memory[i].lanes);
    tl_openssl_close(levels->backend);
}

bool tl_levels_everything(void)
{
    return getenv("TL_EVERYTHING") != NULL;
}

bool tl_levels_sanitized(void)
{
    return SANITIZED != 0;
}
