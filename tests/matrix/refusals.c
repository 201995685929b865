/* Configurations that contradict themselves, over a product of their own: values that are none, patterns that are missing,
 * superfluous, empty or the whole, tag lengths without tags, release policies that a mode cannot bear. */
#include "ends.h"

#include <stdio.h>

/* A block, with what may be wrong about it. */
static const struct {
    tl_variant variant;
    tl_pattern pattern;
    bool right;
} blocks[] = {
    { TL_SV_1, { 0, 0, 0 }, true },        { TL_SV_1, { 0, 1, 2 }, false }, /* superfluous */
    { TL_SV_2, { 0, 0, 0 }, true },        { TL_SV_2, { 1, 1, 2 }, false },
    { TL_SV_3, { 0, 1, 2 }, true },        { TL_SV_3, { 0, 0, 0 }, false }, /* missing */
    { TL_SV_3, { 0, 1, 1 }, false },                                        /* the whole: SV-2 */
    { TL_SV_3, { 200, 1, 2 }, false },                                      /* behind the last line */
    { TL_SV_4, { 8, 8, 16 }, true },       { TL_SV_4, { 0, 0, 0 }, false },
    { TL_SV_4, { 0, 64, 64 }, false },     { TL_SV_4, { 0, 3, 2 }, false }, /* more than its period has */
    { TL_SV_5, { 0, 0, 0 }, true },        { TL_SV_5, { 0, 1, 2 }, false },
    { (tl_variant)0, { 0, 0, 0 }, false }, { (tl_variant)6, { 0, 0, 0 }, false },
};
static const int suites[] = { TL_SUITE_NONE,        TL_SUITE_AES128_GMAC, TL_SUITE_AES256_GMAC,
                              TL_SUITE_AES128_CMAC, TL_SUITE_AES256_CMAC, 0x77 };
static const uint8_t tag_sizes[] = { 0, 4, 8, 12, 16, 20 };
static const int modes[] = { TL_TAG_PER_MESSAGE, TL_TAG_PER_DATA_TYPE, TL_TAG_PER_FRAME, 0, 4 };
static const int policies[] = { TL_RELEASE_FRAME, TL_RELEASE_LINE, TL_RELEASE_IN_PLACE, TL_RELEASE_EARLY,
                                TL_RELEASE_EARLY + 1 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

typedef struct choice {
    size_t block[3], suite, tag, mode, policy, carrier;
} choice;

/* ---- by the design ---- */

static unsigned count_variant(const choice *c, tl_variant variant)
{
    unsigned n = 0;

    for (unsigned i = 0; i < 3; i++)
        n += blocks[c->block[i]].variant == variant;
    return n;
}

static bool tags_make_sense(const choice *c)
{
    const int suite = suites[c->suite], mode = modes[c->mode];
    const uint8_t size = tag_sizes[c->tag];
    const bool gmac = suite == TL_SUITE_AES128_GMAC || suite == TL_SUITE_AES256_GMAC;

    if (suite == 0x77 || mode == 0 || mode == 4)
        return false;
    if (suite == TL_SUITE_NONE)
        return size == 0 && mode == TL_TAG_PER_MESSAGE && count_variant(c, TL_SV_5) == 3;
    if (size != 8 && size != 12 && size != 16)
        return false;
    if (mode == TL_TAG_PER_MESSAGE)
        return size != 8 || !gmac;
    return count_variant(c, TL_SV_5) < 3;
}

static bool policy_makes_sense(const choice *c)
{
    switch (policies[c->policy]) {
    case TL_RELEASE_FRAME:
    case TL_RELEASE_IN_PLACE: return true;
    case TL_RELEASE_LINE: return c->carrier == 0 && modes[c->mode] == TL_TAG_PER_MESSAGE;
    case TL_RELEASE_EARLY:
        return c->carrier == 0 && modes[c->mode] != TL_TAG_PER_MESSAGE && count_variant(c, TL_SV_1) == 0;
    default: return false;
    }
}

static bool makes_sense(const choice *c)
{
    for (unsigned i = 0; i < 3; i++)
        if (!blocks[c->block[i]].right)
            return false;
    return tags_make_sense(c) && policy_makes_sense(c);
}

/* ---- by the library ---- */

static void apply(const choice *c, tl_stream_config *config)
{
    for (unsigned i = 0; i < 3; i++) {
        config->variant[TL_BLOCK_TOP + i] = (uint8_t)blocks[c->block[i]].variant;
        config->pattern[TL_BLOCK_TOP + i] = blocks[c->block[i]].pattern;
    }
    config->suite = (tl_suite)suites[c->suite];
    config->tag_size = tag_sizes[c->tag];
    config->tag_mode = (tl_tag_mode)modes[c->mode];
    config->release = (tl_release)policies[c->policy];
    config->carrier = c->carrier == 0 ? TL_CARRIER_SEP : TL_CARRIER_FSED;
}

static void check(tally *t, const tl_stream_config *c, bool right)
{
    const char *why = NULL, *problem = NULL;
    const tl_err e = tl_stream_config_check(c, &why);
    char text[160];

    t->refused += !right;
    if (right && e != TL_OK)
        problem = why != NULL && why[0] != 0 ? why : "refused without a reason";
    else if (!right && e != TL_E_CONFIGURATION)
        problem = "a contradiction is not refused";
    else if (!right && (why == NULL || why[0] == 0))
        problem = "refused without a reason";
    if (problem == NULL)
        return;
    (void)snprintf(text, sizeof text,
                   "suite %d, mode %d, %u bytes, carrier %d, release %d, SV-%u SV-%u SV-%u", (int)c->suite,
                   (int)c->tag_mode, c->tag_size, (int)c->carrier, (int)c->release, c->variant[TL_BLOCK_TOP],
                   c->variant[TL_BLOCK_MIDDLE], c->variant[TL_BLOCK_BOTTOM]);
    tally_fail(t, NULL, text, problem);
}

static void run_tags(tally *t, choice *c, tl_stream_config *config)
{
    for (c->suite = 0; c->suite < COUNT(suites); c->suite++)
        for (c->tag = 0; c->tag < COUNT(tag_sizes); c->tag++)
            for (c->mode = 0; c->mode < COUNT(modes); c->mode++)
                for (c->policy = 0; c->policy < COUNT(policies); c->policy++)
                    for (c->carrier = 0; c->carrier < 2; c->carrier++) {
                        apply(c, config);
                        check(t, config, makes_sense(c));
                    }
}

/* What an end's own settings may be wrong about, one at a time, on a configuration that is right. */
static void run_ends(tally *t)
{
    const combination base = { { 0, 0, 1, 3, KIND_SV1, KIND_SV2, KIND_SV5, 0, 0 } };
    tl_stream_config right = combination_config(&base), c;

#define WRONG(change)                                                                                        \
    do {                                                                                                     \
        c = right;                                                                                           \
        change;                                                                                              \
        check(t, &c, false);                                                                                 \
    } while (0)
    check(t, &right, true);
    WRONG(c.stream = 0);
    WRONG(c.crc32 = (tl_presence)2);
    WRONG(c.probation = 3);
    WRONG(c.fsed_length = 64);
    WRONG(c.carrier = TL_CARRIER_FSED; c.fsed_length = TL_FSED_HEADER_SIZE + 1);
    WRONG(c.carrier = (tl_carrier)2);
    WRONG(c.hop_check = (tl_hop_check)2);
    WRONG(c.virtual_channel = 4);
    WRONG(c.channels_accepted = 1u << 4);
    WRONG(c.plain_types = (uint64_t)1 << TL_DT_RAW8);
    WRONG(c.plain_types = (uint64_t)1 << TL_SEP_WIRE_TYPE);
    WRONG(c.part_count = 0);
    WRONG(c.part_count = TL_SEP_PARTS_MAX + 1);
    WRONG(c.parts[1].count = 0);
    WRONG(c.parts[1].length = 0);
    WRONG(c.parts[1].length = 0xFFFF);
    WRONG(c.parts[1].block = TL_BLOCK_SERVICE);
    WRONG(c.parts[1].data_type = TL_DT_FRAME_START);
    WRONG(c.parts[1].data_type = TL_SEP_SERVICE_TYPE);
    WRONG(c.parts[0].block = TL_BLOCK_BOTTOM);
#undef WRONG
}

void refusals_run(tally *t)
{
    choice c = { { 0 }, 0, 0, 0, 0, 0 };
    const combination base = { { 0 } };
    tl_stream_config config = combination_config(&base);

    for (c.block[0] = 0; c.block[0] < COUNT(blocks); c.block[0]++)
        for (c.block[1] = 0; c.block[1] < COUNT(blocks); c.block[1]++)
            for (c.block[2] = 0; c.block[2] < COUNT(blocks); c.block[2]++)
                run_tags(t, &c, &config);
    run_ends(t);
}
