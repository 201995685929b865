#include "combination.h"

#include <stdio.h>
#include <string.h>

const uint8_t combination_levels[FACTORS] = { 2, 3, 5, 4, KINDS, KINDS, KINDS, 2, 2 };

static const tl_suite suites[] = { TL_SUITE_NONE, TL_SUITE_AES128_GMAC, TL_SUITE_AES256_GMAC,
                                   TL_SUITE_AES128_CMAC, TL_SUITE_AES256_CMAC };
static const uint8_t tag_sizes[] = { 0, 8, 12, 16 };

/* Line 0 of two and line 2 of four, byte 32 of 64: inside the pattern, or outside. */
static const struct {
    const char *name;
    tl_variant variant;
    tl_pattern pattern;
} kinds[KINDS] = {
    [KIND_SV1] = { "SV-1", TL_SV_1, { 0, 0, 0 } },
    [KIND_SV2] = { "SV-2", TL_SV_2, { 0, 0, 0 } },
    [KIND_SV3_IN] = { "SV-3 inside", TL_SV_3, { 0, 1, 2 } },
    [KIND_SV3_OUT] = { "SV-3 outside", TL_SV_3, { 1, 1, 2 } },
    [KIND_SV4_IN] = { "SV-4 inside", TL_SV_4, { 0, 8, 16 } },
    [KIND_SV4_OUT] = { "SV-4 outside", TL_SV_4, { 8, 8, 16 } },
    [KIND_SV5] = { "SV-5", TL_SV_5, { 0, 0, 0 } },
};

bool combination_next(combination *c)
{
    for (unsigned i = 0; i < FACTORS; i++) {
        if (++c->level[i] < combination_levels[i])
            return true;
        c->level[i] = 0;
    }
    return false;
}

block_kind combination_kind(const combination *c, tl_block block)
{
    return (block_kind)c->level[FACTOR_TOP + block - TL_BLOCK_TOP];
}

static bool without_integrity(const combination *c)
{
    return c->level[FACTOR_TOP] == KIND_SV5 && c->level[FACTOR_MIDDLE] == KIND_SV5 &&
           c->level[FACTOR_BOTTOM] == KIND_SV5;
}

bool combination_is_valid(const combination *c)
{
    const tl_suite suite = suites[c->level[FACTOR_SUITE]];
    const uint8_t tag_size = tag_sizes[c->level[FACTOR_TAG]];
    const bool accumulated = c->level[FACTOR_MODE] != 0;
    const bool gmac = suite == TL_SUITE_AES128_GMAC || suite == TL_SUITE_AES256_GMAC;

    if (suite == TL_SUITE_NONE) /* safety alone: no keys to come from anywhere, no tags, no integrity */
        return tag_size == 0 && !accumulated && without_integrity(c) &&
               c->level[FACTOR_KEYS] == KEYS_PROVISIONED;
    if (tag_size == 0 || (accumulated && without_integrity(c)))
        return false;
    return tag_size != 8 || !gmac || accumulated;
}

static void take_parts(tl_stream_config *config)
{
    static const tl_stream_part parts[] = { { TL_BLOCK_TOP, TL_DT_EMBEDDED, 2, LINE_BYTES },
                                            { TL_BLOCK_MIDDLE, TL_DT_RAW8, 4, LINE_BYTES },
                                            { TL_BLOCK_BOTTOM, TL_DT_EMBEDDED, 2, LINE_BYTES } };

    memcpy(config->parts, parts, sizeof parts);
    config->part_count = sizeof parts / sizeof parts[0];
}

tl_stream_config combination_config(const combination *c)
{
    tl_stream_config config = {
        .stream = STREAM_ID,
        .suite = suites[c->level[FACTOR_SUITE]],
        .tag_mode = (tl_tag_mode)(TL_TAG_PER_MESSAGE + c->level[FACTOR_MODE]),
        .tag_size = tag_sizes[c->level[FACTOR_TAG]],
        .crc32 = c->level[FACTOR_CRC32] == 0 ? TL_WITH : TL_WITHOUT,
        .carrier = c->level[FACTOR_CARRIER] == 0 ? TL_CARRIER_SEP : TL_CARRIER_FSED,
        .first_frame = FIRST_FRAME,
        .virtual_channel = 1,
        .channels_accepted = 1u << 1 | 1u << 3,
    };

    take_parts(&config);
    for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++) {
        config.variant[block] = (uint8_t)kinds[combination_kind(c, (tl_block)block)].variant;
        config.pattern[block] = kinds[combination_kind(c, (tl_block)block)].pattern;
    }
    return config;
}

void combination_text(const combination *c, char *text, size_t room)
{
    static const char *const modes[] = { "per message", "per data type", "per frame" };
    const tl_suite suite = suites[c->level[FACTOR_SUITE]];

    (void)snprintf(text, room, "%s, tag %s, suite %s, %u bytes, %s | %s | %s, keys %s, %s CRC-32",
                   c->level[FACTOR_CARRIER] == 0 ? "SEP" : "FSED", modes[c->level[FACTOR_MODE]],
                   suite == TL_SUITE_NONE ? "none" : tl_suite_name(suite), tag_sizes[c->level[FACTOR_TAG]],
                   kinds[c->level[FACTOR_TOP]].name, kinds[c->level[FACTOR_MIDDLE]].name,
                   kinds[c->level[FACTOR_BOTTOM]].name,
                   c->level[FACTOR_KEYS] == KEYS_PROVISIONED ? "provisioned" : "exported",
                   c->level[FACTOR_CRC32] == 0 ? "with" : "without");
}
