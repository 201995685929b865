/* Stream configurations: each rule of the check refuses with its own reason, and the digest depends on every field that
 * both ends must agree on and on no other. */
#include "one_backend.h"
#include "testing.h"

#include "cse/config.h"

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
    REFUSED(c.suite = TL_SUITE_NONE, "suite:");
    REFUSED(c.suite = (tl_suite)77, "suite:");
    REFUSED(c.tag_mode = (tl_tag_mode)0, "tag mode:");
    REFUSED(c.tag_mode = (tl_tag_mode)2, "tag mode:");
    ACCEPTED(c.suite = TL_SUITE_AES256_GMAC);
}

static void check_when_the_tag_size_is_none_of_12_and_16_then_refused(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 256; n++) {
        if (n == 12 || n == 16)
            ACCEPTED(c.tag_size = (uint8_t)n);
        else
            REFUSED(c.tag_size = (uint8_t)n, "tag size:");
    }
}

static void check_when_crc_or_variant_is_unknown_then_named(void **state)
{
    (void)state;
    REFUSED(c.crc32 = (tl_presence)2, "CRC-32:");
    ACCEPTED(c.crc32 = TL_WITHOUT);
    for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++) {
        REFUSED(c.variant[block] = 0, "security variant:");
        for (unsigned v = 3; v < 256; v++)
            REFUSED(c.variant[block] = (uint8_t)v, "security variant:");
        ACCEPTED(c.variant[block] = TL_SV_1);
        ACCEPTED(c.variant[block] = TL_SV_2);
    }
    ACCEPTED(c.variant[TL_BLOCK_SERVICE] = 99);
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
    REFUSED(c.release = (tl_release)2, "release policy:");
    ACCEPTED(c.channels_accepted = 0x0F);
    ACCEPTED(c.virtual_channel = 3);
    ACCEPTED(c.plain_types = (uint64_t)1 << TL_DT_NULL);
    ACCEPTED(c.release = TL_RELEASE_LINE);
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
    DIFFERS(c.tag_size = 12);
    DIFFERS(c.crc32 = TL_WITHOUT);
    DIFFERS(c.variant[TL_BLOCK_TOP] = TL_SV_1);
    DIFFERS(c.variant[TL_BLOCK_MIDDLE] = TL_SV_2);
    DIFFERS(c.variant[TL_BLOCK_BOTTOM] = TL_SV_1);
    DIFFERS(c.first_frame = 4);
    DIFFERS(c.first_frame = 0x03000000);
    DIFFERS(c.part_count = 2);
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
    STAYS(c.limits = ((tl_stream_limits){ 1, 2, 3 }));
    STAYS(c.variant[TL_BLOCK_SERVICE] = 3);
    STAYS(c.parts[3] = ((tl_stream_part){ 9, 9, 9, 9 })); /* behind the last */
}

static void digest_when_computed_again_by_rows_then_equal(void **state)
{
    const tl_env env = { 0 };
    tl_stream_config c = good();
    uint8_t list[256], bytes[512], mine[TL_CONFIG_DIGEST_SIZE], digest[TL_CONFIG_DIGEST_SIZE];
    tl_wr parts = tl_wr_of(list, sizeof list), w = tl_wr_of(bytes, sizeof bytes);
    tl_hash h;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
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
                           .bottom = 2,
                           .first_frame = 3,
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
    tl_place p;

    (void)state;
    p = tl_cse_place(&c, TL_DT_EMBEDDED, 1);
    assert_true(p.named && p.part == 0 && p.row == 1);
    p = tl_cse_place(&c, TL_DT_EMBEDDED, 2);
    assert_true(p.named && p.part == 2 && p.row == 0);
    p = tl_cse_place(&c, TL_DT_RAW12, 19);
    assert_true(p.named && p.part == 1 && p.row == 19);
    assert_int_equal(tl_cse_part_first(&c, 2), 2);
    assert_int_equal(tl_cse_part_offset(&c, 2), 80 + 1800);
}

static void place_when_the_configuration_has_no_such_message_then_none(void **state)
{
    tl_stream_config c = good();

    (void)state;
    assert_false(tl_cse_place(&c, TL_DT_EMBEDDED, 3).named);
    assert_false(tl_cse_place(&c, TL_DT_RAW12, 20).named);
    assert_false(tl_cse_place(&c, TL_DT_RAW12, 0xFFFF).named);
    assert_false(tl_cse_place(&c, TL_DT_RAW12, 0xFFFFFFFF).named);
    assert_false(tl_cse_place(&c, TL_DT_RAW10, 0).named);
    assert_false(tl_cse_place(&c, 0, 0).named);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_when_stream_or_suite_is_wrong_then_named),
        cmocka_unit_test(check_when_the_tag_size_is_none_of_12_and_16_then_refused),
        cmocka_unit_test(check_when_crc_or_variant_is_unknown_then_named),
        cmocka_unit_test(check_when_a_part_is_wrong_then_named),
        cmocka_unit_test(check_when_a_message_fills_a_packet_then_ok_and_one_more_byte_refused),
        cmocka_unit_test(check_when_the_parts_list_is_wrong_then_named),
        cmocka_unit_test(check_when_a_type_has_more_messages_than_numbers_then_refused),
        cmocka_unit_test(check_when_a_frame_has_4_gib_then_refused),
        cmocka_unit_test(check_when_an_end_is_wrong_then_named),
        cmocka_unit_test(digest_when_one_common_field_differs_then_differs),
        cmocka_unit_test(digest_when_any_part_differs_then_differs),
        cmocka_unit_test(digest_when_only_an_ends_own_fields_differ_then_same),
        cmocka_unit_test(digest_when_computed_again_by_rows_then_equal),
        cmocka_unit_test(frame_sizes_when_asked_then_sums_of_the_parts),
        cmocka_unit_test(place_when_a_type_has_two_runs_then_numbers_run_on),
        cmocka_unit_test(place_when_the_configuration_has_no_such_message_then_none),
    };

    return cmocka_run_group_tests_name("cse_config", tests, open_backend, close_backend);
}
