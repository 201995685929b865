/* Stream configurations: each rule of the check refuses with its own reason, and the digest depends on every field that
 * both ends must agree on and on no other. */
#include "one_backend.h"
#include "testing.h"

#include "cse/plan.h"

#include <trueline/messages.h>

#include <string.h>

static tl_stream_config good(void)
{
    tl_stream_config c = {
        .stream = 7,
        .suite = TL_SUITE_AES128_GMAC,
        .tag_mode = TL_TAG_PER_MESSAGE,
        .tag_size = 16,
        .crc32 = TL_WITH,
        .variant = { 0, TL_SV_2, TL_SV_1, TL_SV_2 },
        .first_frame = 3,
        .parts = { { TL_BLOCK_TOP, TL_DT_EMBEDDED, 2, 40 },
                   { TL_BLOCK_MIDDLE, TL_DT_RAW12, 20, 90 },
                   { TL_BLOCK_BOTTOM, TL_DT_EMBEDDED, 1, 40 } },
        .part_count = 3,
    };

    return c;
}

static void refused(const tl_stream_config *c, const char *start)
{
    const char *why = NULL;
    uint8_t digest[TL_CONFIG_DIGEST_SIZE];

    tl_assert_err(TL_E_CONFIGURATION, tl_stream_config_check(c, &why));
    assert_non_null(why);
    if (strncmp(why, start, strlen(start)) != 0)
        fail_msg("refused for \"%s\", not for \"%s\"", why, start);
    tl_assert_err(TL_E_CONFIGURATION, tl_stream_config_check(c, NULL));
    tl_assert_err(TL_E_CONFIGURATION, tl_stream_config_digest(c, crypto, digest));
}

static void accepted(const tl_stream_config *c)
{
    const char *why = NULL;

    tl_assert_ok(tl_stream_config_check(c, &why));
    assert_string_equal(why, "");
}

#define REFUSED(change, start)                                                                               \
    do {                                                                                                     \
        tl_stream_config c = good();                                                                         \
        change;                                                                                              \
        refused(&c, start);                                                                                  \
    } while (0)
#define ACCEPTED(change)                                                                                     \
    do {                                                                                                     \
        tl_stream_config c = good();                                                                         \
        change;                                                                                              \
        accepted(&c);                                                                                        \
    } while (0)

static void check_when_stream_or_suite_is_wrong_then_named(void **state)
{
    (void)state;
    ACCEPTED((void)c);
    REFUSED(c.stream = 0, "stream:");
    REFUSED(c.suite = (tl_suite)77, "suite:");
    REFUSED(c.suite = (tl_suite)5, "suite:");
    REFUSED(c.tag_mode = (tl_tag_mode)0, "tag mode: none of");
    REFUSED(c.tag_mode = (tl_tag_mode)4, "tag mode: none of");
    ACCEPTED(c.suite = TL_SUITE_AES256_GMAC);
    ACCEPTED(c.suite = TL_SUITE_AES128_CMAC);
    ACCEPTED(c.suite = TL_SUITE_AES256_CMAC);
    ACCEPTED(c.tag_mode = TL_TAG_PER_DATA_TYPE);
    ACCEPTED(c.tag_mode = TL_TAG_PER_FRAME);
}

static void check_when_the_tag_size_is_none_of_8_12_and_16_then_refused(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 256; n++) {
        if (n == 12 || n == 16)
            ACCEPTED(c.tag_size = (uint8_t)n);
        else
            REFUSED(c.tag_size = (uint8_t)n, "tag size:");
    }
    for (int mode = TL_TAG_PER_MESSAGE; mode <= TL_TAG_PER_FRAME; mode++) {
        ACCEPTED((c.tag_mode = (tl_tag_mode)mode, c.tag_size = 8, c.suite = TL_SUITE_AES128_CMAC));
        ACCEPTED((c.tag_mode = (tl_tag_mode)mode, c.tag_size = 8, c.suite = TL_SUITE_AES256_CMAC));
    }
    REFUSED(c.tag_size = 8, "tag size: GMAC tags of 8 bytes");
    REFUSED((c.tag_size = 8, c.suite = TL_SUITE_AES256_GMAC), "tag size: GMAC tags of 8 bytes");
    ACCEPTED((c.tag_size = 8, c.tag_mode = TL_TAG_PER_DATA_TYPE));
    ACCEPTED((c.tag_size = 8, c.tag_mode = TL_TAG_PER_FRAME, c.suite = TL_SUITE_AES256_GMAC));
}

static void keyless(tl_stream_config *c)
{
    c->suite = TL_SUITE_NONE;
    c->tag_size = 0;
    for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++)
        c->variant[block] = TL_SV_5;
}

static void check_when_there_is_no_suite_then_nothing_may_look_protected(void **state)
{
    (void)state;
    ACCEPTED(keyless(&c));
    ACCEPTED((keyless(&c), c.crc32 = TL_WITHOUT));
    ACCEPTED((keyless(&c), c.release = TL_RELEASE_LINE));
    REFUSED((keyless(&c), c.tag_size = 16), "tag size: without a suite");
    REFUSED((keyless(&c), c.tag_mode = TL_TAG_PER_FRAME), "tag mode: without a suite");
    REFUSED((keyless(&c), c.tag_mode = TL_TAG_PER_DATA_TYPE), "tag mode: without a suite");
    REFUSED((keyless(&c), c.variant[TL_BLOCK_TOP] = TL_SV_2), "security variant: without a suite");
    REFUSED((keyless(&c), c.variant[TL_BLOCK_BOTTOM] = TL_SV_1), "security variant: without a suite");
    REFUSED(c.suite = TL_SUITE_NONE, "tag size: without a suite");
}

static void check_when_nothing_or_too_much_is_on_a_list_then_refused(void **state)
{
    (void)state;
    REFUSED((c.tag_mode = TL_TAG_PER_FRAME, c.variant[1] = c.variant[2] = c.variant[3] = TL_SV_5),
            "tag mode: accumulated, but");
    ACCEPTED((c.variant[1] = c.variant[2] = c.variant[3] = TL_SV_5));
    ACCEPTED((c.tag_mode = TL_TAG_PER_DATA_TYPE, c.variant[1] = c.variant[3] = TL_SV_5));
    ACCEPTED((c.tag_mode = TL_TAG_PER_FRAME, c.parts[1].count = 65532));
    REFUSED((c.tag_mode = TL_TAG_PER_FRAME, c.parts[1].count = 65533), "tag mode: more messages");
    ACCEPTED((c.tag_mode = TL_TAG_PER_FRAME, c.parts[1].count = 65533, c.variant[3] = TL_SV_5));
    ACCEPTED((c.tag_mode = TL_TAG_PER_DATA_TYPE, c.parts[1].count = 65533));
}

static void check_when_crc_or_variant_is_unknown_then_named(void **state)
{
    (void)state;
    REFUSED(c.crc32 = (tl_presence)2, "CRC-32:");
    ACCEPTED(c.crc32 = TL_WITHOUT);
    for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++) {
        REFUSED(c.variant[block] = 0, "security variant:");
        for (unsigned v = 6; v < 256; v++)
            REFUSED(c.variant[block] = (uint8_t)v, "security variant:");
        ACCEPTED(c.variant[block] = TL_SV_1);
        ACCEPTED(c.variant[block] = TL_SV_2);
        ACCEPTED(c.variant[block] = TL_SV_5);
    }
    ACCEPTED(c.variant[TL_BLOCK_SERVICE] = 99);
}

#define PATTERN(block, v, ...) (c.variant[block] = (v), c.pattern[block] = (tl_pattern)__VA_ARGS__)

static void check_when_a_pattern_makes_no_sense_then_named(void **state)
{
    (void)state;
    for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++) {
        static const uint8_t without[] = { TL_SV_1, TL_SV_2, TL_SV_5 };
        for (unsigned i = 0; i < 3; i++) {
            REFUSED(PATTERN(block, without[i], { 1, 1, 2 }), "pattern: its block is neither");
            REFUSED(PATTERN(block, without[i], { 1, 0, 0 }), "pattern: its block is neither");
            REFUSED(PATTERN(block, without[i], { 0, 1, 0 }), "pattern: its block is neither");
            REFUSED(PATTERN(block, without[i], { 0, 0, 1 }), "pattern: its block is neither");
        }
        for (uint8_t v = TL_SV_3; v <= TL_SV_4; v++) {
            REFUSED(PATTERN(block, v, { 0, 0, 0 }), "pattern: its count");
            REFUSED(PATTERN(block, v, { 0, 0, 4 }), "pattern: its count");
            REFUSED(PATTERN(block, v, { 0, 5, 4 }), "pattern: its count");
            REFUSED(PATTERN(block, v, { 0, 4, 4 }), "pattern: it leaves nothing outside");
            REFUSED(PATTERN(block, v, { 90, 1, 4 }), "pattern: it begins behind");
        }
        ACCEPTED(PATTERN(block, TL_SV_4, { 0, 1, 2 }));
        ACCEPTED(PATTERN(block, TL_SV_4, { 39, 7, 7 }));
    }
    ACCEPTED(PATTERN(TL_BLOCK_MIDDLE, TL_SV_3, { 19, 1, 1 }));
    REFUSED(PATTERN(TL_BLOCK_MIDDLE, TL_SV_3, { 20, 1, 1 }), "pattern: it begins behind");
    ACCEPTED(PATTERN(TL_BLOCK_MIDDLE, TL_SV_3, { 0, 19, 60 }));
    REFUSED(PATTERN(TL_BLOCK_MIDDLE, TL_SV_3, { 0, 20, 60 }), "pattern: it leaves nothing outside");
    ACCEPTED(PATTERN(TL_BLOCK_MIDDLE, TL_SV_4, { 89, 1, 1000 }));
    REFUSED(PATTERN(TL_BLOCK_MIDDLE, TL_SV_4, { 90, 1, 1000 }), "pattern: it begins behind");
    ACCEPTED(PATTERN(TL_BLOCK_MIDDLE, TL_SV_4, { 0, 89, 1000 }));
    REFUSED(PATTERN(TL_BLOCK_MIDDLE, TL_SV_4, { 0, 90, 1000 }), "pattern: it leaves nothing outside");
    ACCEPTED(PATTERN(TL_BLOCK_TOP, TL_SV_3, { 1, 1, 2 }));
    REFUSED(PATTERN(TL_BLOCK_TOP, TL_SV_3, { 2, 1, 2 }), "pattern: it begins behind");
    REFUSED(PATTERN(TL_BLOCK_BOTTOM, TL_SV_3, { 0, 1, 2 }), "pattern: it leaves nothing outside");
    REFUSED((c.part_count = 2, PATTERN(TL_BLOCK_BOTTOM, TL_SV_4, { 0, 1, 2 })), "pattern: it begins behind");
    ACCEPTED(c.pattern[TL_BLOCK_SERVICE] = ((tl_pattern){ 9, 9, 3 }));
}

static void check_when_a_part_is_wrong_then_named(void **state)
{
    (void)state;
    REFUSED(c.parts[0].block = TL_BLOCK_SERVICE, "part: its block");
    REFUSED(c.parts[2].block = 4, "part: its block");
    REFUSED(c.parts[0].data_type = TL_DT_LINE_START, "part: its data type is none");
    REFUSED(c.parts[0].data_type = 0x0F, "part: its data type is none");
    REFUSED(c.parts[0].data_type = 0x40, "part: its data type is none");
    REFUSED(c.parts[1].data_type = TL_SEP_SERVICE_TYPE, "part: its data type is one that the layout");
    REFUSED(c.parts[1].data_type = TL_SEP_WIRE_TYPE, "part: its data type is one that the layout");
    REFUSED(c.parts[1].data_type = TL_FSED_WIRE_TYPE, "part: its data type is one that the layout");
    REFUSED(c.parts[1].data_type = TL_OUTLINE_WIRE_TYPE, "part: its data type is one that the layout");
    REFUSED(c.parts[1].data_type = TL_ANNOUNCEMENT_WIRE_TYPE, "part: its data type is one that the layout");
    REFUSED(c.parts[1].count = 0, "part: no messages");
    REFUSED(c.parts[1].length = 0, "part: no messages");
    REFUSED(c.plain_types = (uint64_t)1 << TL_DT_RAW12, "part: its data type is listed as plain");
    ACCEPTED(c.parts[0].data_type = 0x10);
    ACCEPTED(c.parts[0].data_type = 0x3F);
}

static void check_when_a_message_fills_a_packet_then_ok_and_one_more_byte_refused(void **state)
{
    (void)state;
    static const unsigned footers[][2] = {
        { 12, TL_WITHOUT }, { 12, TL_WITH }, { 16, TL_WITHOUT }, { 16, TL_WITH }
    };

    for (unsigned i = 0; i < 4; i++) {
        tl_stream_config c = good();
        c.tag_size = (uint8_t)footers[i][0];
        c.crc32 = (tl_presence)footers[i][1];
        c.parts[1].length = (uint16_t)(TL_CSI2_PAYLOAD_MAX - TL_SEP_HEADER_SIZE - footers[i][0] -
                                       (footers[i][1] == TL_WITH ? 4 : 0));
        accepted(&c);
        c.parts[1].length++;
        refused(&c, "part: with header and footer");
    }
}

static void check_when_the_parts_list_is_wrong_then_named(void **state)
{
    (void)state;
    REFUSED(c.part_count = 0, "parts: none");
    REFUSED(c.part_count = TL_SEP_PARTS_MAX + 1, "parts: none, or more");
    REFUSED(c.part_count = 255, "parts: none, or more");
    REFUSED(c.parts[0].block = TL_BLOCK_BOTTOM, "parts: blocks are not in the order");
    REFUSED(c.parts[2].block = TL_BLOCK_TOP, "parts: blocks are not in the order");
    ACCEPTED(c.parts[2].block = TL_BLOCK_MIDDLE);
}

static void check_when_a_type_has_more_messages_than_numbers_then_refused(void **state)
{
    (void)state;
    ACCEPTED(c.parts[0].count = 65534); /* and one at the bottom */
    REFUSED(c.parts[0].count = 65535, "parts: more messages of one data type");
    ACCEPTED(c.parts[1].count = 65535);
    REFUSED(c.parts[2].count = 65534, "parts: more messages of one data type");
}

static void check_when_a_frame_has_4_gib_then_refused(void **state)
{
    tl_stream_config c = good();

    (void)state;
    c.parts[0] = (tl_stream_part){ TL_BLOCK_MIDDLE, TL_DT_RAW8, 65535, 32768 };
    c.parts[1] = (tl_stream_part){ TL_BLOCK_MIDDLE, TL_DT_RAW10, 65535, 32768 };
    c.parts[2] = (tl_stream_part){ TL_BLOCK_MIDDLE, TL_DT_RAW12, 1, 65535 - 64 };
    accepted(&c); /* 2^32 - 2^16 + 65471 */
    c.parts[2].count = 2;
    refused(&c, "parts: a frame of 4 GiB");
    for (unsigned i = 0; i < TL_SEP_PARTS_MAX; i++)
        c.parts[i] = (tl_stream_part){ TL_BLOCK_MIDDLE, (uint8_t)(TL_DT_YUV420_8 + i), 65535, 65000 };
    c.part_count = TL_SEP_PARTS_MAX;
    refused(&c, "parts: a frame of 4 GiB");
}

static void check_when_an_end_is_wrong_then_named(void **state)
{
    (void)state;
    REFUSED(c.virtual_channel = 4, "virtual channel:");
    REFUSED(c.channels_accepted = 0x10, "virtual channels accepted:");
    REFUSED(c.channels_accepted = 0x80, "virtual channels accepted:");
    REFUSED(c.plain_types = (uint64_t)1 << TL_SEP_WIRE_TYPE, "plain data types:");
    ACCEPTED(c.channels_accepted = 0x0F);
    ACCEPTED(c.virtual_channel = 3);
    ACCEPTED(c.plain_types = (uint64_t)1 << TL_DT_NULL);
    ACCEPTED(c.release = TL_RELEASE_LINE);
}

static void check_when_a_release_policy_does_not_fit_then_named(void **state)
{
    (void)state;
    ACCEPTED(c.release = TL_RELEASE_IN_PLACE);
    REFUSED(c.release = (tl_release)4, "release policy: none of");
    REFUSED(c.release = TL_RELEASE_EARLY, "release policy: early is for accumulated");
    for (int mode = TL_TAG_PER_DATA_TYPE; mode <= TL_TAG_PER_FRAME; mode++) {
        REFUSED((c.tag_mode = (tl_tag_mode)mode, c.release = TL_RELEASE_LINE), "release policy: by line");
        REFUSED((c.tag_mode = (tl_tag_mode)mode, c.release = TL_RELEASE_EARLY),
                "release policy: encrypted lines");
        ACCEPTED((c.tag_mode = (tl_tag_mode)mode, c.release = TL_RELEASE_EARLY,
                  c.variant[TL_BLOCK_MIDDLE] = TL_SV_2));
        ACCEPTED((c.tag_mode = (tl_tag_mode)mode, c.release = TL_RELEASE_IN_PLACE));
        REFUSED((c.tag_mode = (tl_tag_mode)mode, c.release = TL_RELEASE_EARLY, c.carrier = TL_CARRIER_FSED,
                 c.variant[TL_BLOCK_MIDDLE] = TL_SV_2),
                "release policy: FSED");
    }
    REFUSED((c.carrier = TL_CARRIER_FSED, c.release = TL_RELEASE_LINE), "release policy: FSED");
    ACCEPTED(c.carrier = TL_CARRIER_FSED);
    ACCEPTED((c.carrier = TL_CARRIER_FSED, c.fsed_length = 100));
    REFUSED(c.carrier = (tl_carrier)2, "carrier:");
    REFUSED(c.fsed_length = 100, "FSED length:");
    REFUSED((c.carrier = TL_CARRIER_FSED, c.fsed_length = TL_FSED_HEADER_SIZE + TL_TAG_MAX - 1),
            "FSED length:");
    ACCEPTED((c.carrier = TL_CARRIER_FSED, c.fsed_length = TL_FSED_HEADER_SIZE + TL_TAG_MAX));
    REFUSED((c.carrier = TL_CARRIER_FSED, c.plain_types = (uint64_t)1 << TL_FSED_WIRE_TYPE),
            "plain data types:");
    ACCEPTED(c.plain_types = (uint64_t)1 << TL_FSED_WIRE_TYPE); /* another stream's */
    REFUSED(c.hop_check = (tl_hop_check)2, "hop check:");
    ACCEPTED(c.hop_check = TL_HOP_CHECKED_BELOW);
    REFUSED(c.probation = 1, "probation:");
    ACCEPTED((c.tag_mode = TL_TAG_PER_FRAME, c.release = TL_RELEASE_EARLY,
              c.variant[TL_BLOCK_MIDDLE] = TL_SV_2, c.probation = 5));
}

/* A variant is that of the messages in its block: where there are none, it says nothing about the stream. */
static void check_when_a_variant_is_of_a_block_without_parts_then_it_refuses_nothing(void **state)
{
    (void)state;
    for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block += TL_BLOCK_BOTTOM - TL_BLOCK_TOP) {
        tl_stream_config c = good();
        c.tag_mode = TL_TAG_PER_FRAME;
        c.release = TL_RELEASE_EARLY;
        c.variant[TL_BLOCK_MIDDLE] = TL_SV_2;
        c.variant[block] = TL_SV_1;
        refused(&c, "release policy: encrypted lines");
        c.parts[0] = c.parts[1]; /* pixels alone */
        c.part_count = 1;
        accepted(&c);
        c.variant[TL_BLOCK_MIDDLE] = TL_SV_1;
        refused(&c, "release policy: encrypted lines");
    }
}

/* ---- digest ---- */

static void digest_of(const tl_stream_config *c, uint8_t digest[TL_CONFIG_DIGEST_SIZE])
{
    memset(digest, 0, TL_CONFIG_DIGEST_SIZE);
    tl_assert_ok(tl_stream_config_digest(c, crypto, digest));
}

static bool same_digest(const tl_stream_config *a, const tl_stream_config *b)
{
    uint8_t x[TL_CONFIG_DIGEST_SIZE], y[TL_CONFIG_DIGEST_SIZE];

    digest_of(a, x);
    digest_of(b, y);
    return memcmp(x, y, sizeof x) == 0;
}

#define DIFFERS(change)                                                                                      \
    do {                                                                                                     \
        tl_stream_config base = good(), c = good();                                                          \
        change;                                                                                              \
        assert_false(same_digest(&base, &c));                                                                \
    } while (0)
#define STAYS(change)                                                                                        \
    do {                                                                                                     \
        tl_stream_config base = good(), c = good();                                                          \
        change;                                                                                              \
        assert_true(same_digest(&base, &c));                                                                 \
    } while (0)

static void digest_when_one_common_field_differs_then_differs(void **state)
{
    (void)state;
    STAYS((void)c);
    DIFFERS(c.stream = 8);
    DIFFERS(c.stream = 0x0700);
    DIFFERS(c.suite = TL_SUITE_AES256_GMAC);
    DIFFERS(c.suite = TL_SUITE_AES128_CMAC);
    DIFFERS(c.tag_size = 12);
    DIFFERS(c.tag_mode = TL_TAG_PER_DATA_TYPE);
    DIFFERS(c.tag_mode = TL_TAG_PER_FRAME);
    DIFFERS(c.variant[TL_BLOCK_MIDDLE] = TL_SV_5);
    DIFFERS(c.crc32 = TL_WITHOUT);
    DIFFERS(c.variant[TL_BLOCK_TOP] = TL_SV_1);
    DIFFERS(c.variant[TL_BLOCK_MIDDLE] = TL_SV_2);
    DIFFERS(c.variant[TL_BLOCK_BOTTOM] = TL_SV_1);
    DIFFERS(c.first_frame = 4);
    DIFFERS(c.first_frame = 0x03000000);
    DIFFERS(c.part_count = 2);
}

static void digest_when_a_pattern_differs_then_differs(void **state)
{
    (void)state;
    for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++) {
        tl_stream_config base = good(), c;
        base.variant[block] = TL_SV_4;
        base.pattern[block] = (tl_pattern){ 1, 2, 3 };
        for (unsigned field = 0; field < 3; field++) {
            c = base;
            c.pattern[block].first = (uint16_t)(1 + (field == 0));
            c.pattern[block].count = (uint16_t)(2 - (field == 1));
            c.pattern[block].period = (uint16_t)(3 + (field == 2));
            assert_false(same_digest(&base, &c));
        }
        c = base;
        c.pattern[TL_BLOCK_SERVICE] = (tl_pattern){ 1, 2, 3 };
        assert_true(same_digest(&base, &c));
    }
}

static void digest_when_there_is_no_suite_then_a_checksum_without_a_backend(void **state)
{
    tl_stream_config c = good(), d;
    uint8_t a[TL_CONFIG_DIGEST_SIZE], b[TL_CONFIG_DIGEST_SIZE], zero[TL_CONFIG_DIGEST_SIZE - 4] = { 0 };

    (void)state;
    keyless(&c);
    d = c;
    d.first_frame++;
    tl_assert_ok(tl_stream_config_digest(&c, NULL, a));
    digest_of(&c, b);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_equal(a + 4, zero, sizeof zero);
    assert_memory_not_equal(a, zero, 4);
    tl_assert_ok(tl_stream_config_digest(&d, NULL, b));
    assert_memory_not_equal(a, b, 4);
}

static void digest_when_any_part_differs_then_differs(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        DIFFERS(c.parts[i].data_type = TL_DT_RAW14);
        DIFFERS(c.parts[i].count++);
        DIFFERS(c.parts[i].length++);
        DIFFERS(c.parts[i].length = (uint16_t)(c.parts[i].length + 256));
    }
    DIFFERS(c.parts[0].block = TL_BLOCK_MIDDLE);
    DIFFERS(c.parts[1].block = TL_BLOCK_BOTTOM);
    DIFFERS(c.parts[2].block = TL_BLOCK_MIDDLE);
}

static void digest_when_only_an_ends_own_fields_differ_then_same(void **state)
{
    (void)state;
    STAYS(c.virtual_channel = 3);
    STAYS(c.channels_accepted = 0x0F);
    STAYS(c.plain_types = (uint64_t)1 << TL_DT_NULL);
    STAYS(c.frame_timeout_ms = 77);
    STAYS(c.release = TL_RELEASE_LINE);
    STAYS(c.limits = ((tl_stream_limits){ 1, 2, 3, 4 }));
    STAYS(c.release = TL_RELEASE_IN_PLACE);
    STAYS(c.carrier = TL_CARRIER_FSED);
    STAYS((c.carrier = TL_CARRIER_FSED, c.fsed_length = 99));
    STAYS(c.hop_check = TL_HOP_CHECKED_BELOW);
    STAYS((c.interval_ms = 1, c.tolerance_ms = 2, c.age_max_us = 3, c.drift_ppm = 4));
    STAYS(c.variant[TL_BLOCK_SERVICE] = 3);
    STAYS(c.parts[3] = ((tl_stream_part){ 9, 9, 9, 9 })); /* behind the last */
}

static void digest_when_computed_again_by_rows_then_equal(void **state)
{
    const tl_env env = { 0 };
    tl_stream_config c = good();
    static const tl_configuration_pattern none[3], some = { .first = 1, .count = 2, .period = 700 };
    uint8_t list[256], three[64], bytes[512], mine[TL_CONFIG_DIGEST_SIZE], digest[TL_CONFIG_DIGEST_SIZE];
    tl_wr parts = tl_wr_of(list, sizeof list), patterns = tl_wr_of(three, sizeof three);
    tl_wr w = tl_wr_of(bytes, sizeof bytes);
    tl_hash h;

    (void)state;
    c.variant[TL_BLOCK_BOTTOM] = TL_SV_4;
    c.pattern[TL_BLOCK_BOTTOM] = (tl_pattern){ 1, 2, 700 };
    for (unsigned i = 0; i < 3; i++) {
        tl_assert_ok(tl_encode_configuration_pattern(&env, i == 2 ? &some : &none[i], &patterns));
        tl_configuration_part p = { .block = c.parts[i].block,
                                    .data_type = c.parts[i].data_type,
                                    .count = c.parts[i].count,
                                    .length = c.parts[i].length };
        tl_assert_ok(tl_encode_configuration_part(&env, &p, &parts));
    }
    tl_configuration m = { .layout = TL_LAYOUT_ID,
                           .stream = 7,
                           .suite = TL_SUITE_AES128_GMAC,
                           .tag_mode = 1,
                           .tag_size = 16,
                           .crc32 = 1,
                           .top = 2,
                           .middle = 1,
                           .bottom = 4,
                           .first_frame = 3,
                           .patterns = tl_written(&patterns),
                           .parts = tl_written(&parts) };
    tl_assert_ok(tl_encode_configuration(&env, &m, &w));
    tl_assert_ok(crypto->ops->hash_start(crypto->ctx, TL_HASH_SHA256, &h));
    tl_assert_ok(crypto->ops->hash_add(crypto->ctx, h, tl_written(&w)));
    tl_assert_ok(crypto->ops->hash_end(crypto->ctx, h, mine));
    digest_of(&c, digest);
    assert_memory_equal(digest, mine, sizeof mine);
}

/* ---- places ---- */

static void frame_sizes_when_asked_then_sums_of_the_parts(void **state)
{
    tl_stream_config c = good();

    (void)state;
    assert_int_equal(tl_stream_frame_messages(&c), 23);
    assert_int_equal(tl_stream_frame_bytes(&c), 2 * 40 + 20 * 90 + 40);
}

static void place_when_a_type_has_two_runs_then_numbers_run_on(void **state)
{
    tl_stream_config c = good();
    tl_stream_plan plan;
    tl_place p;

    (void)state;
    tl_stream_plan_of(&plan, &c);
    p = tl_cse_place(&c, &plan, TL_DT_EMBEDDED, 1);
    assert_true(p.named && p.part == 0 && p.row == 1);
    p = tl_cse_place(&c, &plan, TL_DT_EMBEDDED, 2);
    assert_true(p.named && p.part == 2 && p.row == 0);
    p = tl_cse_place(&c, &plan, TL_DT_RAW12, 19);
    assert_true(p.named && p.part == 1 && p.row == 19);
    assert_int_equal(plan.parts[2].first, 2);
    assert_int_equal(plan.parts[2].offset, 80 + 1800);
    assert_int_equal(plan.parts[2].position, 22);
    assert_int_equal(plan.messages, 23);
    assert_int_equal(plan.bytes, 80 + 1800 + 40);
}

static void place_when_the_configuration_has_no_such_message_then_none(void **state)
{
    tl_stream_config c = good();
    tl_stream_plan plan;

    (void)state;
    tl_stream_plan_of(&plan, &c);
    assert_false(tl_cse_place(&c, &plan, TL_DT_EMBEDDED, 3).named);
    assert_false(tl_cse_place(&c, &plan, TL_DT_RAW12, 20).named);
    assert_false(tl_cse_place(&c, &plan, TL_DT_RAW12, 0xFFFF).named);
    assert_false(tl_cse_place(&c, &plan, TL_DT_RAW12, 0xFFFFFFFF).named);
    assert_false(tl_cse_place(&c, &plan, TL_DT_RAW10, 0).named);
    assert_false(tl_cse_place(&c, &plan, 0, 0).named);
}

static void cover_when_asked_of_each_variant_then_as_the_patterns_say(void **state)
{
    tl_stream_config c = good();
    tl_stream_plan plan;

    (void)state;
    c.parts[3] = c.parts[2];
    c.parts[2] = (tl_stream_part){ TL_BLOCK_MIDDLE, TL_DT_RAW12, 7, 50 }; /* goes on in the block */
    c.part_count = 4;
    c.variant[TL_BLOCK_MIDDLE] = TL_SV_3;
    c.pattern[TL_BLOCK_MIDDLE] = (tl_pattern){ 2, 3, 5 };
    c.variant[TL_BLOCK_BOTTOM] = TL_SV_4;
    c.pattern[TL_BLOCK_BOTTOM] = (tl_pattern){ 0, 1, 2 };
    tl_assert_ok(tl_stream_config_check(&c, NULL));
    tl_stream_plan_of(&plan, &c);
    for (unsigned line = 0; line < 27; line++) {
        tl_place p = tl_cse_place(&c, &plan, TL_DT_RAW12, line);
        bool in = line >= 2 && (line - 2) % 5 < 3;
        assert_int_equal(p.part, line < 20 ? 1 : 2);
        assert_int_equal(tl_cse_cover(&c, &plan, p), in ? TL_COVER_PAYLOAD : TL_COVER_HEADER);
    }
    assert_int_equal(tl_cse_cover(&c, &plan, (tl_place){ true, 0, 1 }), TL_COVER_PAYLOAD);
    assert_int_equal(tl_cse_cover(&c, &plan, (tl_place){ true, 3, 0 }), TL_COVER_PATTERN);
    c.variant[TL_BLOCK_MIDDLE] = TL_SV_1;
    assert_int_equal(tl_cse_cover(&c, &plan, (tl_place){ true, 1, 0 }), TL_COVER_ENCRYPTED);
}

static void plan_when_tags_are_accumulated_then_lists_for_what_has_integrity(void **state)
{
    tl_stream_config c = good();
    tl_stream_plan plan;

    (void)state;
    tl_stream_plan_of(&plan, &c);
    assert_true(plan.list_count == 0 && plan.parts[0].list == TL_PLAN_NO_LIST);
    assert_true(plan.tag_n == 16 && plan.footer_n == 20 && plan.parts[0].tag_n == 16);
    c.tag_size = 8;
    c.variant[TL_BLOCK_BOTTOM] = TL_SV_5;
    c.tag_mode = TL_TAG_PER_DATA_TYPE;
    tl_stream_plan_of(&plan, &c);
    assert_true(plan.list_count == 2 && plan.type_count == 2);
    assert_true(plan.parts[0].list == 0 && plan.parts[1].list == 1 && plan.parts[2].list == TL_PLAN_NO_LIST);
    assert_true(plan.tag_n == 16 && plan.parts[0].tag_n == 0 && plan.parts[0].footer_n == 4);
    c.tag_mode = TL_TAG_PER_FRAME;
    tl_stream_plan_of(&plan, &c);
    assert_true(plan.list_count == 1 && plan.parts[0].list == 0 && plan.parts[1].list == 0);
    assert_int_equal(plan.parts[2].list, TL_PLAN_NO_LIST);
    c.tag_mode = TL_TAG_PER_MESSAGE;
    c.suite = TL_SUITE_AES128_CMAC;
    tl_stream_plan_of(&plan, &c);
    assert_true(plan.parts[0].tag_n == 8 && plan.parts[2].tag_n == 0 && plan.tag_n == 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_when_stream_or_suite_is_wrong_then_named),
        cmocka_unit_test(check_when_the_tag_size_is_none_of_8_12_and_16_then_refused),
        cmocka_unit_test(check_when_there_is_no_suite_then_nothing_may_look_protected),
        cmocka_unit_test(check_when_nothing_or_too_much_is_on_a_list_then_refused),
        cmocka_unit_test(check_when_a_pattern_makes_no_sense_then_named),
        cmocka_unit_test(check_when_a_release_policy_does_not_fit_then_named),
        cmocka_unit_test(check_when_a_variant_is_of_a_block_without_parts_then_it_refuses_nothing),
        cmocka_unit_test(check_when_crc_or_variant_is_unknown_then_named),
        cmocka_unit_test(check_when_a_part_is_wrong_then_named),
        cmocka_unit_test(check_when_a_message_fills_a_packet_then_ok_and_one_more_byte_refused),
        cmocka_unit_test(check_when_the_parts_list_is_wrong_then_named),
        cmocka_unit_test(check_when_a_type_has_more_messages_than_numbers_then_refused),
        cmocka_unit_test(check_when_a_frame_has_4_gib_then_refused),
        cmocka_unit_test(check_when_an_end_is_wrong_then_named),
        cmocka_unit_test(digest_when_one_common_field_differs_then_differs),
        cmocka_unit_test(digest_when_a_pattern_differs_then_differs),
        cmocka_unit_test(digest_when_there_is_no_suite_then_a_checksum_without_a_backend),
        cmocka_unit_test(digest_when_any_part_differs_then_differs),
        cmocka_unit_test(digest_when_only_an_ends_own_fields_differ_then_same),
        cmocka_unit_test(digest_when_computed_again_by_rows_then_equal),
        cmocka_unit_test(frame_sizes_when_asked_then_sums_of_the_parts),
        cmocka_unit_test(place_when_a_type_has_two_runs_then_numbers_run_on),
        cmocka_unit_test(place_when_the_configuration_has_no_such_message_then_none),
        cmocka_unit_test(cover_when_asked_of_each_variant_then_as_the_patterns_say),
        cmocka_unit_test(plan_when_tags_are_accumulated_then_lists_for_what_has_integrity),
    };

    return cmocka_run_group_tests_name("cse_config", tests, open_backend, close_backend);
}
