/* FSED with accumulated tags and without keys: what is noticed, with which verdict, and what is left in memory. */
#include "capture.h"
#include "group.h"

enum { PIXELS = TL_DT_RAW12, EMBEDDED = TL_DT_EMBEDDED };

/* How frames are protected. */
typedef struct kind {
    tl_suite suite;
    tl_tag_mode mode;
    tl_presence crc32;
    tl_variant middle;
} kind;

static const kind kinds[] = {
    { TL_SUITE_AES128_GMAC, TL_TAG_PER_DATA_TYPE, TL_WITHOUT, TL_SV_1 },
    { TL_SUITE_AES256_CMAC, TL_TAG_PER_DATA_TYPE, TL_WITH, TL_SV_2 },
    { TL_SUITE_AES128_CMAC, TL_TAG_PER_FRAME, TL_WITHOUT, TL_SV_1 },
    { TL_SUITE_AES256_GMAC, TL_TAG_PER_FRAME, TL_WITH, TL_SV_2 },
};

enum { KINDS = sizeof kinds / sizeof *kinds };

/* One frame that is attacked in memory, and one behind it. */
typedef struct attack {
    tl_loop l;
    tl_packets packets, after;
    tl_capture capture;
    tl_verdict verdict;
    const tl_stream_event *frame;
} attack;

static void start(attack *a, const kind *k)
{
    *a = (attack){ 0 };
    tl_loop_init(&a->l, crypto);
    a->l.config.carrier = TL_CARRIER_FSED;
    a->l.config.suite = k->suite;
    a->l.config.tag_mode = k->mode;
    a->l.config.crc32 = k->crc32;
    for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++)
        a->l.config.variant[block] =
            (uint8_t)(block == TL_BLOCK_MIDDLE || k->middle == TL_SV_5 ? k->middle : TL_SV_2);
    if (k->suite == TL_SUITE_NONE)
        a->l.config.tag_size = 0;
    tl_assert_ok(tl_loop_open(&a->l, 0));
    tl_assert_ok(tl_loop_send(&a->l, &a->packets));
    tl_assert_ok(tl_loop_send(&a->l, &a->after));
    tl_capture_packets(&a->capture, &a->l.config, &a->packets, 0);
}

static tl_frame_plane *pixels(attack *a)
{
    return tl_capture_plane(&a->capture, PIXELS);
}

/* With SV-5 pixels may be any: then the frame alone is what is ok. */
static void receive(attack *a)
{
    tl_assert_ok(tl_stream_rx_frame(&a->l.rx, a->l.now_ms, &a->capture.frame, &a->verdict));
    a->frame = tl_events_first(&a->l.events, TL_EVENT_FRAME);
    if (a->verdict == TL_VERDICT_OK &&
        (a->l.config.variant[TL_BLOCK_MIDDLE] != TL_SV_5 || a->l.config.crc32 == TL_WITH))
        assert_true(tl_capture_is_frame(&a->capture, &a->l.config, 100));
}

static void finish(attack *a)
{
    assert_int_equal(tl_capture_receive(&a->l, &a->after), TL_VERDICT_OK);
    tl_capture_free(&a->capture);
    tl_packets_free(&a->packets);
    tl_packets_free(&a->after);
    tl_loop_close(&a->l);
}

static void assert_wiped_if_encrypted(attack *a)
{
    if (a->l.config.variant[TL_BLOCK_MIDDLE] != TL_SV_1)
        return;
    for (uint32_t row = 0; row < pixels(a)->rows && row < 20; row++)
        tl_assert_all(pixels(a)->p + row * pixels(a)->stride, 0, 90);
}

static void assert_not_in_clear(attack *a)
{
    uint8_t payload[90];

    for (uint32_t row = 0; row < 20 && a->l.config.variant[TL_BLOCK_MIDDLE] == TL_SV_1; row++) {
        tl_loop_payload(&a->l.config, 100, 1, row, payload);
        assert_memory_not_equal(pixels(a)->p + row * pixels(a)->stride, payload, sizeof payload);
    }
}

/* ---- accumulated tags ---- */

static void line_when_a_bit_is_flipped_then_tag_and_nothing_encrypted_is_left(void **state)
{
    attack a;

    (void)state;
    for (unsigned k = 0; k < KINDS; k++)
        for (unsigned line = 0; line < 23; line += 11) {
            start(&a, &kinds[k]);
            if (line < 20)
                tl_capture_row(&a.capture, PIXELS, line)[7] ^= 1;
            else
                tl_capture_row(&a.capture, EMBEDDED, line - 20)[7] ^= 1;
            receive(&a);
            assert_int_equal(a.verdict, kinds[k].crc32 == TL_WITH ? TL_VERDICT_CRC32 : TL_VERDICT_TAG);
            assert_non_null(a.frame);
            assert_wiped_if_encrypted(&a);
            finish(&a);
        }
}

static void lines_when_swapped_then_tag(void **state)
{
    attack a;

    (void)state;
    for (unsigned k = 0; k < KINDS; k++) {
        start(&a, &kinds[k]);
        tl_capture_swap(pixels(&a), 3, 17);
        receive(&a);
        assert_int_equal(a.verdict, kinds[k].crc32 == TL_WITH ? TL_VERDICT_CRC32 : TL_VERDICT_TAG);
        finish(&a);
    }
}

static void line_when_dropped_then_gap_never_tag(void **state)
{
    attack a;

    (void)state;
    for (unsigned k = 0; k < KINDS; k++)
        for (uint32_t line = 0; line < 20; line += 6) {
            start(&a, &kinds[k]);
            tl_capture_drop(pixels(&a), line);
            receive(&a);
            assert_int_equal(a.verdict, TL_VERDICT_GAP);
            assert_int_equal(a.frame->count, 1);
            assert_int_equal(a.l.rx.counters.verdicts[TL_VERDICT_TAG], 0);
            finish(&a);
        }
}

static void row_when_its_place_is_known_and_it_is_missing_then_gap_there(void **state)
{
    uint8_t present[3] = { 0xFF, 0xFF & ~(1 << 5), 0xFF };
    attack a;

    (void)state;
    for (unsigned k = 0; k < KINDS; k++) {
        start(&a, &kinds[k]);
        pixels(&a)->present = present;
        receive(&a);
        assert_int_equal(a.verdict, TL_VERDICT_GAP);
        assert_true(a.frame->count == 1 && a.frame->data_type == PIXELS && a.frame->message == 13);
        finish(&a);
    }
}

static void line_when_repeated_then_gap_never_tag(void **state)
{
    attack a;

    (void)state;
    for (unsigned k = 0; k < KINDS; k++) {
        start(&a, &kinds[k]);
        tl_capture_repeat(pixels(&a), 4, 4);
        receive(&a);
        assert_int_equal(a.verdict, TL_VERDICT_GAP);
        assert_int_equal(a.frame->count, 0);
        finish(&a);
    }
}

static void metadata_when_any_row_is_dropped_or_spoilt_then_not_ok(void **state)
{
    attack a;

    (void)state;
    for (unsigned k = 0; k < KINDS; k++)
        for (uint32_t row = 0, rows = 1; row < rows; row++)
            for (unsigned how = 0; how < 2; how++) {
                start(&a, &kinds[k]);
                rows = a.capture.frame.metadata.rows;
                if (how == 0)
                    tl_capture_drop(&a.capture.frame.metadata, row);
                else
                    a.capture.frame.metadata.p[row * a.capture.frame.metadata.stride + TL_FSED_HEADER_SIZE] ^=
                        2;
                receive(&a);
                if (how == 0 ||
                    kinds[k].crc32 == TL_WITHOUT) /* else it may be a CRC-32 beside a right list */
                    assert_int_not_equal(a.verdict, TL_VERDICT_OK);
                finish(&a);
            }
}

/* Each call of the backend fails once; the next frame is right, and no running MAC is left behind. */
static void backend_when_any_call_fails_then_no_frame_is_ok_and_nothing_leaks(void **state)
{
    attack a;

    (void)state;
    for (unsigned k = 0; k < KINDS; k++)
        for (unsigned long n = 1;; n++) {
            tl_faulty faulty;
            tl_err e;
            start(&a, &kinds[k]);
            tl_faulty_init(&faulty, crypto, n);
            a.l.rx.crypto = tl_faulty_crypto(&faulty);
            e = tl_stream_rx_frame(&a.l.rx, a.l.now_ms, &a.capture.frame, &a.verdict);
            assert_int_equal(faulty.macs.n, 0);
            assert_false(a.l.rx.open);
            a.l.rx.crypto = crypto;
            assert_int_equal(e == TL_OK, !faulty.failed);
            assert_int_equal(a.verdict == TL_VERDICT_OK, !faulty.failed);
            if (faulty.failed)
                assert_not_in_clear(&a);
            finish(&a);
            if (!faulty.failed)
                break;
            assert_true(n < 200);
        }
}

/* ---- a tag per message in one block, none in another ---- */

static void block_when_it_has_no_tags_then_the_others_are_found_in_their_place(void **state)
{
    attack a;

    (void)state;
    for (unsigned with = 0; with < 2; with++) {
        const kind k = { TL_SUITE_AES128_GMAC, TL_TAG_PER_MESSAGE, with ? TL_WITH : TL_WITHOUT, TL_SV_5 };
        start(&a, &k);
        tl_capture_drop(pixels(&a), 6);
        receive(&a);
        assert_int_equal(a.verdict, TL_VERDICT_GAP);
        if (with)
            assert_int_equal(a.frame->message, 6);
        finish(&a);
        start(&a, &k);
        tl_capture_row(&a.capture, PIXELS, 6)[0] ^= 1;
        receive(&a);
        assert_int_equal(a.verdict, with ? TL_VERDICT_CRC32 : TL_VERDICT_OK); /* SV-5 looks at nothing */
        finish(&a);
    }
}

/* ---- without keys ---- */

static void frame_when_without_keys_then_checksums_and_counts_decide(void **state)
{
    static const kind k = { TL_SUITE_NONE, TL_TAG_PER_MESSAGE, TL_WITH, TL_SV_5 };
    attack a;

    (void)state;
    start(&a, &k);
    receive(&a);
    assert_int_equal(a.verdict, TL_VERDICT_OK);
    assert_false(a.frame->proven);
    finish(&a);
    start(&a, &k);
    tl_capture_row(&a.capture, PIXELS, 19)[89] ^= 1;
    receive(&a);
    assert_int_equal(a.verdict, TL_VERDICT_CRC32);
    assert_true(a.frame->data_type == PIXELS && a.frame->message == 19);
    finish(&a);
    start(&a, &k);
    tl_capture_drop(pixels(&a), 3);
    receive(&a);
    assert_int_equal(a.verdict, TL_VERDICT_GAP);
    assert_true(a.frame->count == 1 && a.frame->message == 3);
    finish(&a);
    start(&a, &k);
    tl_capture_swap(pixels(&a), 3, 4);
    receive(&a);
    assert_int_equal(a.verdict, TL_VERDICT_CRC32);
    finish(&a);
    start(&a, &k);
    tl_capture_repeat(pixels(&a), 3, 3);
    receive(&a);
    assert_int_equal(a.verdict, TL_VERDICT_GAP);
    finish(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_when_a_bit_is_flipped_then_tag_and_nothing_encrypted_is_left),
        cmocka_unit_test(lines_when_swapped_then_tag),
        cmocka_unit_test(line_when_dropped_then_gap_never_tag),
        cmocka_unit_test(row_when_its_place_is_known_and_it_is_missing_then_gap_there),
        cmocka_unit_test(line_when_repeated_then_gap_never_tag),
        cmocka_unit_test(metadata_when_any_row_is_dropped_or_spoilt_then_not_ok),
        cmocka_unit_test(backend_when_any_call_fails_then_no_frame_is_ok_and_nothing_leaks),
        cmocka_unit_test(block_when_it_has_no_tags_then_the_others_are_found_in_their_place),
        cmocka_unit_test(frame_when_without_keys_then_checksums_and_counts_decide),
    };

    return cmocka_run_group_tests_name("fsed_modes", tests, open_backend, close_backend);
}
