/* The built-in self-test: every stage of every kind of stream is noticed; with a part that does not do its work, the
 * stage that this part is for fails, and says so. */
#include "testing.h"

#include "faulty.h"
#include "one_backend.h"
#include "wrap.h"

#include <trueline/self_test.h>

#include <string.h>

static tl_self_test test; /* some kilobytes */

static tl_stream_config config_of(tl_suite suite, tl_tag_mode mode)
{
    tl_stream_config c = {
        .stream = 5,
        .suite = suite,
        .tag_mode = mode,
        .tag_size = 16,
        .crc32 = TL_WITH,
        .variant = { 0, TL_SV_2, TL_SV_1, TL_SV_2 },
        .parts = { { TL_BLOCK_TOP, TL_DT_EMBEDDED, 2, 200 },
                   { TL_BLOCK_MIDDLE, TL_DT_RAW12, 1080, 2880 },
                   { TL_BLOCK_BOTTOM, TL_DT_EMBEDDED, 1, 40 } },
        .part_count = 3,
        .first_frame = 77,
        .frame_timeout_ms = 50,
    };

    if (suite == TL_SUITE_NONE) {
        c.tag_size = 0;
        memset(c.variant, TL_SV_5, sizeof c.variant);
    }
    return c;
}

/* All that was injected was noticed, and `skipped` stages were left out. */
static void assert_all_noticed(unsigned skipped)
{
    const tl_self_test_counts *n = tl_self_test_counted(&test);
    unsigned left_out = 0;

    for (unsigned stage = 0; stage < TL_STAGES; stage++) {
        if (n->injected[stage] != n->detected[stage])
            fail_msg("stage %s: %u injected, %u noticed", tl_stage_text((tl_stage)stage), n->injected[stage],
                     n->detected[stage]);
        assert_int_equal(n->injected[stage] + n->skipped[stage], 1);
        left_out += n->skipped[stage];
    }
    assert_int_equal(left_out, skipped);
}

static void run_when_a_suite_and_a_mode_then_every_stage_is_noticed(void **s)
{
    (void)s;
    for (int suite = TL_SUITE_AES128_GMAC; suite <= TL_SUITE_AES256_CMAC; suite++)
        for (int mode = TL_TAG_PER_MESSAGE; mode <= TL_TAG_PER_FRAME; mode++) {
            const tl_stream_config c = config_of((tl_suite)suite, (tl_tag_mode)mode);

            tl_assert_ok(tl_self_test_init(&test, &c, crypto));
            tl_assert_ok(tl_self_test_run(&test));
            assert_all_noticed(0);
        }
}

static void run_when_without_crc32_then_that_stage_alone_is_left_out(void **s)
{
    tl_stream_config c = config_of(TL_SUITE_AES128_GMAC, TL_TAG_PER_MESSAGE);

    (void)s;
    c.crc32 = TL_WITHOUT;
    tl_assert_ok(tl_self_test_init(&test, &c, crypto));
    tl_assert_ok(tl_self_test_run(&test));
    assert_all_noticed(1);
    assert_int_equal(tl_self_test_counted(&test)->skipped[TL_STAGE_CRC32], 1);
}

static void run_when_without_keys_then_checksums_and_counters_are_tested(void **s)
{
    const tl_stream_config c = config_of(TL_SUITE_NONE, TL_TAG_PER_MESSAGE);

    (void)s;
    tl_assert_ok(tl_self_test_init(&test, &c, NULL));
    tl_assert_ok(tl_self_test_run(&test));
    assert_all_noticed(4);
}

static void run_when_partial_variants_then_what_they_cover_is_tested(void **s)
{
    tl_stream_config c = config_of(TL_SUITE_AES128_CMAC, TL_TAG_PER_MESSAGE);

    (void)s;
    c.variant[TL_BLOCK_TOP] = TL_SV_5;
    c.variant[TL_BLOCK_MIDDLE] = TL_SV_3;
    c.pattern[TL_BLOCK_MIDDLE] = (tl_pattern){ 100, 10, 100 };
    c.variant[TL_BLOCK_BOTTOM] = TL_SV_4;
    c.pattern[TL_BLOCK_BOTTOM] = (tl_pattern){ 4, 8, 16 };
    tl_assert_ok(tl_self_test_init(&test, &c, crypto));
    tl_assert_ok(tl_self_test_run(&test));
    assert_all_noticed(0);
}

/* What only one carrier, or one release policy, may have; and lines so short that most patterns cover them. */
static void run_when_a_field_would_not_suit_the_small_stream_then_tested_all_the_same(void **s)
{
    tl_stream_config c = config_of(TL_SUITE_AES128_GMAC, TL_TAG_PER_MESSAGE);

    (void)s;
    c.carrier = TL_CARRIER_FSED;
    c.fsed_length = 1000;
    tl_assert_ok(tl_self_test_init(&test, &c, crypto));
    tl_assert_ok(tl_self_test_run(&test));
    assert_all_noticed(0);

    c = config_of(TL_SUITE_AES128_CMAC, TL_TAG_PER_FRAME);
    c.variant[TL_BLOCK_MIDDLE] = TL_SV_2;
    c.release = TL_RELEASE_EARLY;
    c.probation = 7;
    tl_assert_ok(tl_self_test_init(&test, &c, crypto));
    tl_assert_ok(tl_self_test_run(&test));
    assert_all_noticed(0);

    c = config_of(TL_SUITE_AES128_CMAC, TL_TAG_PER_MESSAGE);
    c.variant[TL_BLOCK_MIDDLE] = TL_SV_4;
    c.pattern[TL_BLOCK_MIDDLE] = (tl_pattern){ 0, 1, 2 };
    for (uint16_t length = 2; length < 6; length++) {
        c.parts[1].length = length;
        tl_assert_ok(tl_self_test_init(&test, &c, crypto));
        tl_assert_ok(tl_self_test_run(&test));
        assert_all_noticed(0);
    }
}

static void run_when_again_and_again_then_the_counts_go_on(void **s)
{
    const tl_stream_config c = config_of(TL_SUITE_AES256_GMAC, TL_TAG_PER_FRAME);

    (void)s;
    tl_assert_ok(tl_self_test_init(&test, &c, crypto));
    for (int i = 0; i < 40; i++)
        tl_assert_ok(tl_self_test_run(&test));
    assert_int_equal(tl_self_test_counted(&test)->detected[TL_STAGE_TAG], 40);
}

/* ---- parts that do not do their work ---- */

static tl_err right_whatever_comes(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    const tl_wrap *w = ctx;
    tl_err e = w->inner->ops->verify(w->inner->ctx, k, m, n);

    for (size_t i = 0; i < n; i++)
        m[i].right = true;
    return e;
}

static uint32_t always_the_same(uint32_t crc, tl_span data)
{
    (void)crc;
    (void)data;
    return 0x12345678;
}

static uint16_t always_zero(uint16_t crc, tl_span data)
{
    (void)crc;
    (void)data;
    return 0;
}

static void assert_fails_at(tl_stage stage)
{
    tl_assert_err(TL_E_SELF_TEST, tl_self_test_run(&test));
    assert_int_equal(tl_self_test_counted(&test)->injected[stage], 1);
    assert_int_equal(tl_self_test_counted(&test)->detected[stage], 0);
}

static void run_when_every_tag_is_found_right_then_the_stages_of_tags_fail(void **s)
{
    const tl_stream_config c = config_of(TL_SUITE_AES128_GMAC, TL_TAG_PER_MESSAGE);
    tl_wrap wrap;

    (void)s;
    tl_wrap_init(&wrap, crypto);
    wrap.ops.verify = right_whatever_comes;
    tl_assert_ok(tl_self_test_init(&test, &c, &wrap.crypto));
    assert_fails_at(TL_STAGE_TAG);
    assert_int_equal(tl_self_test_counted(&test)->detected[TL_STAGE_PAYLOAD], 0);
    assert_int_equal(tl_self_test_counted(&test)->detected[TL_STAGE_KEY], 0);
    assert_int_equal(tl_self_test_counted(&test)->detected[TL_STAGE_CRC16], 1);
}

static void run_when_the_crc32_is_stuck_then_its_stage_fails(void **s)
{
    const tl_stream_config c = config_of(TL_SUITE_AES128_GMAC, TL_TAG_PER_MESSAGE);
    tl_wrap wrap;

    (void)s;
    tl_wrap_init(&wrap, crypto);
    wrap.ops.crc32 = always_the_same;
    tl_assert_ok(tl_self_test_init(&test, &c, &wrap.crypto));
    assert_fails_at(TL_STAGE_CRC32);
}

static void run_when_the_crc16_is_stuck_then_its_stage_fails(void **s)
{
    const tl_stream_config c = config_of(TL_SUITE_AES128_GMAC, TL_TAG_PER_MESSAGE);
    tl_wrap wrap;

    (void)s;
    tl_wrap_init(&wrap, crypto);
    wrap.ops.crc16 = always_zero;
    tl_assert_ok(tl_self_test_init(&test, &c, &wrap.crypto));
    assert_fails_at(TL_STAGE_CRC16);
}

/* A backend that fails has not failed the test of the stream: the caller hears which it was, and nothing is left behind. */
static void stage_when_the_backend_fails_at_any_call_then_its_error_and_nothing_is_counted_as_noticed(
    void **s)
{
    const tl_stream_config c = config_of(TL_SUITE_AES128_GMAC, TL_TAG_PER_FRAME);
    unsigned long n = 1;

    (void)s;
    for (;; n++) {
        tl_faulty f;
        tl_err e;

        tl_faulty_init(&f, crypto, n);
        tl_assert_ok(tl_self_test_init(&test, &c, tl_faulty_crypto(&f)));
        e = tl_self_test_stage(&test, TL_STAGE_PAYLOAD);
        tl_faulty_assert_clean(&f);
        tl_assert_all(test.lines, 0, sizeof test.lines);
        tl_assert_all(test.memory, 0, sizeof test.memory);
        if (!f.failed) {
            tl_assert_ok(e);
            break;
        }
        if (e != TL_E_BACKEND && e != TL_E_RANDOM)
            fail_msg("call %lu: %s", n, tl_err_text(e));
        assert_int_equal(tl_self_test_counted(&test)->detected[TL_STAGE_PAYLOAD], 0);
    }
    assert_true(n > 20);
}

static void init_when_the_configuration_is_wrong_then_refused(void **s)
{
    tl_stream_config c = config_of(TL_SUITE_AES128_GMAC, TL_TAG_PER_MESSAGE);

    (void)s;
    tl_assert_err(TL_E_USAGE, tl_self_test_init(&test, &c, NULL));
    c.tag_size = 11;
    tl_assert_err(TL_E_CONFIGURATION, tl_self_test_init(&test, &c, crypto));
    tl_assert_err(TL_E_USAGE, tl_self_test_stage(&test, TL_STAGES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_when_a_suite_and_a_mode_then_every_stage_is_noticed),
        cmocka_unit_test(run_when_without_crc32_then_that_stage_alone_is_left_out),
        cmocka_unit_test(run_when_without_keys_then_checksums_and_counters_are_tested),
        cmocka_unit_test(run_when_partial_variants_then_what_they_cover_is_tested),
        cmocka_unit_test(run_when_a_field_would_not_suit_the_small_stream_then_tested_all_the_same),
        cmocka_unit_test(run_when_again_and_again_then_the_counts_go_on),
        cmocka_unit_test(run_when_every_tag_is_found_right_then_the_stages_of_tags_fail),
        cmocka_unit_test(run_when_the_crc32_is_stuck_then_its_stage_fails),
        cmocka_unit_test(run_when_the_crc16_is_stuck_then_its_stage_fails),
        cmocka_unit_test(init_when_the_configuration_is_wrong_then_refused),
        cmocka_unit_test(
            stage_when_the_backend_fails_at_any_call_then_its_error_and_nothing_is_counted_as_noticed),
    };

    return cmocka_run_group_tests_name("self_test", tests, open_backend, close_backend);
}
