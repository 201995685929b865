/* Attacks on frames of FSED, in the packets and in the memory behind the capture: each is noticed, costs the frame it is
 * made on and no other, and no frame is ok with other pixels than were sent. */
#include "capture.h"
#include "group.h"

enum { PIXELS = TL_DT_RAW12, EMBEDDED = TL_DT_EMBEDDED, META = 0 };

/* One frame that is attacked in memory, between two that are not. */
typedef struct attack {
    tl_loop l;
    tl_packets before, packets, after;
    tl_capture capture;
    tl_verdict verdict;
} attack;

static void start(attack *a, tl_presence crc32, tl_variant middle)
{
    *a = (attack){ 0 };
    tl_loop_init(&a->l, crypto);
    a->l.config.carrier = TL_CARRIER_FSED;
    a->l.config.crc32 = crc32;
    a->l.config.variant[TL_BLOCK_MIDDLE] = (uint8_t)middle;
    tl_assert_ok(tl_loop_open(&a->l, 0));
    tl_assert_ok(tl_loop_send(&a->l, &a->before));
    tl_assert_ok(tl_loop_send(&a->l, &a->packets));
    tl_assert_ok(tl_loop_send(&a->l, &a->after));
    assert_int_equal(tl_capture_receive(&a->l, &a->before), TL_VERDICT_OK);
    tl_capture_packets(&a->capture, &a->l.config, &a->packets, 0);
    tl_events_clear(&a->l.events);
}

static tl_frame_plane *plane(attack *a, uint8_t data_type)
{
    return data_type == META ? &a->capture.frame.metadata : tl_capture_plane(&a->capture, data_type);
}

static uint8_t *row(attack *a, uint8_t data_type, uint32_t n)
{
    tl_frame_plane *p = plane(a, data_type);

    assert_true(n < p->rows);
    return p->p + n * p->stride;
}

static void receive(attack *a)
{
    tl_assert_ok(tl_stream_rx_frame(&a->l.rx, a->l.now_ms, &a->capture.frame, &a->verdict));
    if (a->verdict == TL_VERDICT_OK)
        assert_true(tl_capture_is_frame(&a->capture, &a->l.config, 101));
}

/* The frame behind is ok, and with it everything is given back. */
static void finish(attack *a)
{
    assert_int_equal(tl_capture_receive(&a->l, &a->after), TL_VERDICT_OK);
    tl_capture_free(&a->capture);
    tl_packets_free(&a->before);
    tl_packets_free(&a->packets);
    tl_packets_free(&a->after);
    tl_loop_close(&a->l);
}

static void expect(attack *a, tl_verdict verdict, uint8_t data_type, uint16_t message)
{
    const tl_stream_event *e;

    receive(a);
    assert_int_equal(a->verdict, verdict);
    assert_int_equal(tl_events_count(&a->l.events, TL_EVENT_FRAME), 1);
    e = tl_events_first(&a->l.events, TL_EVENT_FRAME);
    assert_int_equal(e->verdict, verdict);
    assert_int_equal(e->data_type, data_type);
    assert_int_equal(e->message, message);
    finish(a);
}

/* The frame was never opened: it is refused, and told as lost when the next one opens. */
static void expect_lost(attack *a, tl_verdict verdict)
{
    receive(a);
    assert_int_equal(a->verdict, verdict);
    assert_int_equal(tl_events_count(&a->l.events, TL_EVENT_FRAME), 0);
    assert_int_equal(tl_capture_receive(&a->l, &a->after), TL_VERDICT_OK);
    assert_int_equal(tl_events_count(&a->l.events, TL_EVENT_LOST), 1);
    tl_packets_free(&a->after);
    tl_packets_free(&a->before);
    tl_packets_free(&a->packets);
    tl_capture_free(&a->capture);
    tl_loop_close(&a->l);
}

/* ---- bits ---- */

static void pixel_when_a_bit_is_flipped_then_tag_and_its_line(void **state)
{
    attack a;

    (void)state;
    for (unsigned variant = TL_SV_1; variant <= TL_SV_2; variant++)
        for (uint16_t line = 0; line < 20; line = (uint16_t)(line + 19)) {
            start(&a, TL_WITHOUT, (tl_variant)variant);
            row(&a, PIXELS, line)[89] ^= 1;
            expect(&a, TL_VERDICT_TAG, PIXELS, line);
            start(&a, TL_WITH, (tl_variant)variant);
            row(&a, PIXELS, line)[0] ^= 0x80;
            expect(&a, TL_VERDICT_CRC32, PIXELS, line);
        }
}

static void embedded_when_a_bit_is_flipped_at_top_or_bottom_then_tag(void **state)
{
    attack a;

    (void)state;
    for (uint16_t line = 0; line < 3; line++) {
        start(&a, TL_WITHOUT, TL_SV_1);
        row(&a, EMBEDDED, line)[39] ^= 4;
        expect(&a, TL_VERDICT_TAG, EMBEDDED, line);
    }
}

/* Each bit of the metadata: whatever the frame is then, it is not ok with other pixels, and no next frame suffers. */
static void metadata_when_any_bit_is_flipped_then_no_wrong_frame_is_ok(void **state)
{
    unsigned ok = 0, bad = 0;
    size_t rows;
    attack a;

    (void)state;
    start(&a, TL_WITH, TL_SV_2);
    rows = a.capture.frame.metadata.rows;
    finish(&a);
    for (uint32_t r = 0; r < rows; r++)
        for (size_t byte = 0; byte < 90; byte++) {
            start(&a, TL_WITH, TL_SV_2);
            row(&a, META, r)[byte] ^= (uint8_t)(1u << (byte + r) % 8);
            receive(&a);
            *(a.verdict == TL_VERDICT_OK ? &ok : &bad) += 1;
            finish(&a);
        }
    assert_true(bad > ok && bad > 23 * 16);
    assert_true(ok >= 23 * 4); /* CRC-32s beside right tags, reserved bytes, padding */
}

static void check_when_a_bit_of_the_crc32_list_is_flipped_then_information(void **state)
{
    attack a;

    (void)state;
    start(&a, TL_WITH, TL_SV_2);
    /* the byte at 23 tags + 2 of the bottom's run */
    size_t room = 90 - TL_FSED_HEADER_SIZE, at = 23 * 16 + 2;
    row(&a, META, (uint32_t)(2 + at / room))[TL_FSED_HEADER_SIZE + at % room] ^= 1;
    receive(&a);
    assert_int_equal(a.verdict, TL_VERDICT_OK);
    assert_int_equal(tl_stream_rx_counters(&a.l.rx)->crc32_beside_tag, 1);
    finish(&a);
}

static void tag_when_a_bit_of_the_list_is_flipped_then_tag_and_its_line(void **state)
{
    attack a;

    (void)state;
    start(&a, TL_WITHOUT, TL_SV_2);
    row(&a, META, 2)[TL_FSED_HEADER_SIZE + 3 * 16] ^= 1;
    expect(&a, TL_VERDICT_TAG, PIXELS, 1);
}

static void begin_when_a_bit_is_flipped_then_lost(void **state)
{
    attack a;

    (void)state;
    start(&a, TL_WITHOUT, TL_SV_1);
    row(&a, META, 1)[TL_FSED_HEADER_SIZE] ^= 1;
    expect_lost(&a, TL_LAYOUT_ID == 1 ? TL_VERDICT_TAG : TL_VERDICT_CONFIGURATION); /* what stands there */
}

static void end_when_a_bit_is_flipped_then_tag(void **state)
{
    attack a;
    uint32_t last;

    (void)state;
    start(&a, TL_WITHOUT, TL_SV_1);
    last = a.capture.frame.metadata.rows - 1;
    row(&a, META, last)[TL_FSED_HEADER_SIZE] ^= 1;
    receive(&a);
    assert_true(a.verdict == TL_VERDICT_TAG || a.verdict == TL_VERDICT_HEADER);
    assert_int_equal(tl_events_first(&a.l.events, TL_EVENT_FRAME)->count, 23);
    finish(&a);
}

/* ---- lines ---- */

static void line_when_dropped_from_counted_rows_then_gap_at_its_place(void **state)
{
    attack a;

    (void)state;
    for (unsigned variant = TL_SV_1; variant <= TL_SV_2; variant++)
        for (uint16_t line = 0; line < 20; line++) {
            start(&a, TL_WITH, (tl_variant)variant);
            tl_capture_drop(plane(&a, PIXELS), line);
            receive(&a);
            assert_int_equal(tl_events_first(&a.l.events, TL_EVENT_FRAME)->count, 1);
            assert_int_equal(a.verdict, TL_VERDICT_GAP);
            assert_int_equal(tl_events_first(&a.l.events, TL_EVENT_FRAME)->message, line);
            assert_int_equal(a.l.rx.counters.verdicts[TL_VERDICT_TAG], 0);
            finish(&a);
        }
}

static void lines_when_up_to_eight_in_a_row_are_dropped_then_the_others_are_found(void **state)
{
    attack a;

    (void)state;
    for (uint32_t n = 1; n <= 12; n++) {
        start(&a, TL_WITH, TL_SV_1);
        for (uint32_t i = 0; i < n; i++)
            tl_capture_drop(plane(&a, PIXELS), 4);
        receive(&a);
        assert_int_equal(a.verdict, TL_VERDICT_GAP);
        assert_int_equal(tl_events_first(&a.l.events, TL_EVENT_FRAME)->count, n <= 8 ? n : 16);
        finish(&a);
    }
}

static void rows_when_their_place_is_known_and_some_are_missing_then_gap_exactly(void **state)
{
    uint8_t present[3] = { 0xFF, 0xFF & ~(1 << 3), 0xFF & ~(1 << 2) };
    const tl_stream_event *e;
    attack a;

    (void)state;
    start(&a, TL_WITH, TL_SV_1);
    plane(&a, PIXELS)->present = present;
    memset(row(&a, PIXELS, 11), 0, 90);
    memset(row(&a, PIXELS, 18), 0, 90);
    receive(&a);
    e = tl_events_first(&a.l.events, TL_EVENT_FRAME);
    assert_true(a.verdict == TL_VERDICT_GAP && e->count == 2 && e->data_type == PIXELS && e->message == 11);
    assert_int_equal(a.l.rx.counters.messages_ok, 25 + 21 + 2);
    finish(&a);
}

/* A row more than was sent, in its place behind the others: what lies in memory is not what was sent. */
static void row_when_added_behind_rows_that_have_their_places_then_gap(void **state)
{
    uint8_t present[3] = { 0xFF, 0xFF, 0x1F };
    const tl_stream_event *e;
    attack a;

    (void)state;
    start(&a, TL_WITH, TL_SV_1);
    tl_capture_repeat(plane(&a, PIXELS), 20, 19);
    assert_int_equal(plane(&a, PIXELS)->rows, 21);
    plane(&a, PIXELS)->present = present;
    receive(&a);
    e = tl_events_first(&a.l.events, TL_EVENT_FRAME);
    assert_true(a.verdict == TL_VERDICT_GAP && e->count == 0 && e->data_type == PIXELS && e->message == 20);
    finish(&a);
    start(&a, TL_WITH, TL_SV_1); /* the plane is larger than the frame, and nothing was written there */
    tl_capture_repeat(plane(&a, PIXELS), 20, 19);
    present[2] = 0xF;
    plane(&a, PIXELS)->present = present;
    receive(&a);
    assert_int_equal(a.verdict, TL_VERDICT_OK);
    finish(&a);
}

static void line_when_repeated_in_memory_then_gap_never_tag(void **state)
{
    attack a;

    (void)state;
    for (uint32_t at = 0; at <= 20; at += 5) {
        start(&a, TL_WITH, TL_SV_1);
        tl_capture_repeat(plane(&a, PIXELS), at, at < 20 ? at : 3);
        receive(&a);
        assert_int_equal(a.verdict, TL_VERDICT_GAP);
        assert_int_equal(a.l.rx.counters.verdicts[TL_VERDICT_TAG], 0);
        finish(&a);
    }
}

static void lines_when_swapped_in_memory_then_refused(void **state)
{
    attack a;

    (void)state;
    start(&a, TL_WITHOUT, TL_SV_2);
    tl_capture_swap(plane(&a, PIXELS), 3, 4);
    expect(&a, TL_VERDICT_TAG, PIXELS, 3);
    start(&a, TL_WITHOUT, TL_SV_2);
    tl_capture_swap(plane(&a, EMBEDDED), 0, 2);
    expect(&a, TL_VERDICT_TAG, EMBEDDED, 0);
}

static void line_when_another_stands_in_its_place_then_tag(void **state)
{
    attack a;

    (void)state;
    start(&a, TL_WITHOUT, TL_SV_2);
    memcpy(row(&a, PIXELS, 7), row(&a, PIXELS, 6), 90);
    expect(&a, TL_VERDICT_TAG, PIXELS, 7);
}

static void plane_when_missing_or_its_rows_too_short_then_gap(void **state)
{
    attack a;

    (void)state;
    start(&a, TL_WITH, TL_SV_1);
    plane(&a, EMBEDDED)->data_type = TL_DT_RAW8;
    a.l.rx.config.plain_types = (uint64_t)1 << TL_DT_RAW8;
    receive(&a);
    assert_int_equal(a.verdict, TL_VERDICT_GAP);
    assert_int_equal(tl_events_first(&a.l.events, TL_EVENT_FRAME)->count, 3);
    finish(&a);
    start(&a, TL_WITH, TL_SV_1);
    plane(&a, PIXELS)->row_bytes = 89;
    receive(&a);
    assert_int_equal(a.verdict, TL_VERDICT_GAP);
    finish(&a);
}

static void plane_when_of_a_type_that_nobody_sends_then_unprotected(void **state)
{
    tl_csi2_header h = { 1, TL_DT_RAW8, 0 };
    uint8_t bytes[64], payload[20] = { 1 };
    tl_wr w = tl_wr_of(bytes, sizeof bytes);
    attack a;

    (void)state;
    start(&a, TL_WITH, TL_SV_1);
    tl_assert_ok(tl_csi2_write(&h, tl_span_of(payload, sizeof payload), &w));
    tl_packets_insert(&a.packets, 5, tl_written(&w));
    tl_capture_free(&a.capture);
    tl_capture_packets(&a.capture, &a.l.config, &a.packets, TL_DT_RAW8);
    expect(&a, TL_VERDICT_UNPROTECTED, TL_DT_RAW8, 0);
}

/* ---- metadata packets ---- */

static void metadata_when_a_row_is_dropped_then_lost_gap_or_cut(void **state)
{
    uint32_t rows = 9;
    attack a;

    (void)state;
    for (uint32_t r = 0; r < rows; r++) {
        start(&a, TL_WITH, TL_SV_1);
        rows = a.capture.frame.metadata.rows;
        tl_capture_drop(plane(&a, META), r);
        receive(&a);
        if (r < 2) { /* no begin, or one that is cut short */
            assert_int_equal(a.verdict, r == 0 ? TL_VERDICT_GAP : TL_VERDICT_LENGTH);
            assert_int_equal(tl_events_count(&a.l.events, TL_EVENT_FRAME), 0);
        } else if (r < rows - 2) /* some tags or CRC-32s */
            assert_int_equal(a.verdict, TL_VERDICT_GAP);
        else /* some of the end */
            assert_true(a.verdict == TL_VERDICT_CUT || a.verdict == TL_VERDICT_HEADER ||
                        a.verdict == TL_VERDICT_GAP);
        finish(&a);
    }
}

static void metadata_when_rows_are_swapped_then_the_frame_is_not_ok(void **state)
{
    uint32_t rows = 9;
    attack a;

    (void)state;
    for (uint32_t r = 0; r + 1 < rows; r++) {
        start(&a, TL_WITH, TL_SV_1);
        rows = a.capture.frame.metadata.rows;
        tl_capture_swap(plane(&a, META), r, r + 1);
        receive(&a);
        if (r == 1) /* the last of the top with the first of the bottom: each run is in its order still */
            assert_int_equal(a.verdict, TL_VERDICT_OK);
        else
            assert_int_not_equal(a.verdict, TL_VERDICT_OK);
        finish(&a);
    }
}

static void metadata_when_a_row_is_repeated_or_garbage_is_added_then_no_harm(void **state)
{
    attack a;

    (void)state;
    start(&a, TL_WITH, TL_SV_1);
    tl_capture_repeat(plane(&a, META), 4, 3);
    receive(&a);
    assert_int_equal(a.verdict, TL_VERDICT_OK);
    assert_int_equal(a.l.rx.counters.verdicts[TL_VERDICT_ORDER], 1);
    finish(&a);
    start(&a, TL_WITH, TL_SV_1);
    tl_capture_repeat(plane(&a, META), 0, 3);
    memset(row(&a, META, 0), 0xA5, 90);
    receive(&a);
    assert_int_equal(a.verdict, TL_VERDICT_OK);
    assert_int_equal(a.l.rx.counters.verdicts[TL_VERDICT_HEADER], 1);
    finish(&a);
}

/* A capture that gives metadata rows places, too: what it did not write is no row, whatever lies there. */
static void metadata_when_rows_have_their_places_then_those_not_written_are_none(void **state)
{
    uint8_t present[16];
    uint32_t rows;
    attack a;

    (void)state;
    start(&a, TL_WITH, TL_SV_1);
    rows = plane(&a, META)->rows;
    assert_true(rows < 8 * sizeof present);
    memset(present, 0xFF, sizeof present);
    present[rows / 8] ^= (uint8_t)(1u << rows % 8);
    tl_capture_repeat(plane(&a, META), rows, 0);
    memset(row(&a, META, rows), 0xA5, plane(&a, META)->row_bytes);
    plane(&a, META)->present = present;
    receive(&a);
    assert_int_equal(a.verdict, TL_VERDICT_OK);
    assert_int_equal(a.l.rx.counters.verdicts[TL_VERDICT_HEADER], 0);
    finish(&a);

    start(&a, TL_WITH,
          TL_SV_1); /* the begin's first row was not written, though an older frame's lies there */
    memset(present, 0xFF, sizeof present);
    present[0] = 0xFE;
    plane(&a, META)->present = present;
    expect_lost(&a, TL_VERDICT_GAP);

    start(&a, TL_WITH, TL_SV_1); /* none was: a frame that nobody protects */
    memset(present, 0, sizeof present);
    plane(&a, META)->present = present;
    expect_lost(&a, TL_VERDICT_UNPROTECTED);
}

static void metadata_when_a_row_is_of_an_earlier_frame_then_refused(void **state)
{
    tl_capture old;
    attack a;

    (void)state;
    for (uint32_t r = 0; r < 8; r++) {
        start(&a, TL_WITHOUT, TL_SV_2);
        if (r >= a.capture.frame.metadata.rows) {
            finish(&a);
            break;
        }
        tl_capture_packets(&old, &a.l.config, &a.before, 0);
        memcpy(row(&a, META, r), old.frame.metadata.p + r * old.frame.metadata.stride, 90);
        receive(&a);
        assert_int_not_equal(a.verdict, TL_VERDICT_OK);
        tl_capture_free(&old);
        finish(&a);
    }
}

/* The whole bottom of the frame before, its end and its lists: right, but of another frame. Nobody's line is tried under
 * it, so whoever plays it again cannot use up the wrong tags that the key may see. */
static void bottom_when_of_the_frame_before_then_refused_and_no_line_is_tried_under_it(void **state)
{
    tl_frame_plane *rows;
    tl_capture old;
    uint64_t bad, messages;
    attack a;

    (void)state;
    start(&a, TL_WITH, TL_SV_2);
    tl_capture_packets(&old, &a.l.config, &a.before, 0);
    rows = plane(&a, META);
    assert_int_equal(rows->rows, old.frame.metadata.rows);
    for (uint32_t r = 0; r < rows->rows; r++) {
        const tl_env env = { 0 };
        tl_rd rd = tl_rd_of(tl_span_of(row(&a, META, r), TL_FSED_HEADER_SIZE));
        tl_fsed_packet m;
        tl_assert_ok(tl_decode_fsed_packet(&env, &rd, &m));
        if (m.position == TL_FSED_BOTTOM)
            memcpy(row(&a, META, r), old.frame.metadata.p + r * old.frame.metadata.stride, rows->row_bytes);
    }
    bad = a.l.rx.key.bad;
    messages = a.l.rx.key.messages;
    receive(&a);
    assert_int_not_equal(a.verdict, TL_VERDICT_OK);
    assert_int_equal(a.l.rx.key.bad, bad);
    assert_int_equal(a.l.rx.key.messages, messages + 2); /* the begin and that end */
    assert_int_equal(a.l.rx.counters.verdicts[TL_VERDICT_TAG], 0);
    tl_capture_free(&old);
    finish(&a);
}

/* Replaces the header of a metadata row. */
static void rewrite(attack *a, uint32_t r, int64_t offset, int64_t used)
{
    const tl_env env = { 0 };
    tl_rd rd = tl_rd_of(tl_span_of(row(a, META, r), TL_FSED_HEADER_SIZE));
    tl_wr w = tl_wr_of(row(a, META, r), TL_FSED_HEADER_SIZE);
    tl_fsed_packet m;

    tl_assert_ok(tl_decode_fsed_packet(&env, &rd, &m));
    m.offset = (uint32_t)(m.offset + offset);
    m.used = (uint32_t)(m.used + used);
    tl_assert_ok(tl_encode_fsed_packet(&env, &m, &w));
}

static void metadata_when_its_sizes_lie_then_refused(void **state)
{
    static const int64_t lies[][2] = { { 1, 0 },      { -1, 0 },  { 0, 1 },         { 0, -1 },
                                       { 100000, 0 }, { 0, -10 }, { 0xFFFFFFF0, 0 } };
    attack a;

    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        for (uint32_t r = 1; r < 4; r++) {
            start(&a, TL_WITHOUT, TL_SV_1);
            rewrite(&a, r, lies[i][0], lies[i][1]);
            receive(&a);
            assert_int_not_equal(a.verdict, TL_VERDICT_OK);
            finish(&a);
        }
}

/* The end stands whole in the last packet, and that packet claims that more tags stand in front of it. */
static void lists_when_longer_than_the_end_says_then_length(void **state)
{
    attack a;

    (void)state;
    a = (attack){ 0 };
    tl_loop_init(&a.l, crypto);
    a.l.config.carrier = TL_CARRIER_FSED;
    a.l.config.fsed_length = 1000;
    tl_assert_ok(tl_loop_open(&a.l, 0));
    tl_assert_ok(tl_loop_send(&a.l, &a.before));
    tl_assert_ok(tl_loop_send(&a.l, &a.packets));
    tl_assert_ok(tl_loop_send(&a.l, &a.after));
    assert_int_equal(tl_capture_receive(&a.l, &a.before), TL_VERDICT_OK);
    tl_capture_packets(&a.capture, &a.l.config, &a.packets, 0);
    rewrite(&a, 1, 16, 0);
    receive(&a);
    assert_int_equal(a.verdict, TL_VERDICT_LENGTH);
    finish(&a);
}

/* ---- whole frames ---- */

static void frame_when_replayed_then_repeat_and_no_frame(void **state)
{
    attack a;

    (void)state;
    start(&a, TL_WITH, TL_SV_1);
    receive(&a);
    assert_int_equal(a.verdict, TL_VERDICT_OK);
    tl_capture_free(&a.capture);
    tl_capture_packets(&a.capture, &a.l.config, &a.packets, 0);
    tl_events_clear(&a.l.events);
    receive(&a);
    assert_int_equal(a.verdict, TL_VERDICT_REPEAT);
    assert_int_equal(tl_events_count(&a.l.events, TL_EVENT_FRAME), 0);
    finish(&a);
}

static void frame_when_its_metadata_is_stripped_then_unprotected(void **state)
{
    attack a;

    (void)state;
    start(&a, TL_WITH, TL_SV_1);
    plane(&a, META)->rows = 0;
    expect_lost(&a, TL_VERDICT_UNPROTECTED);
}

static void frame_when_of_another_session_or_stream_then_refused(void **state)
{
    attack a, other;

    (void)state;
    start(&a, TL_WITH, TL_SV_1);
    other = (attack){ 0 };
    tl_loop_init(&other.l, crypto);
    other.l.config = a.l.config;
    other.l.config.stream = 0x4321;
    tl_assert_ok(tl_loop_open(&other.l, 0));
    tl_assert_ok(tl_loop_send(&other.l, &other.packets));
    tl_capture_free(&a.capture);
    tl_capture_packets(&a.capture, &a.l.config, &other.packets, 0);
    tl_packets_free(&other.packets);
    tl_loop_close(&other.l);
    expect_lost(&a, TL_VERDICT_HEADER);
    start(&a, TL_WITHOUT, TL_SV_1);
    tl_key_source_wipe(&a.l.rx_source);
    tl_stream_rx_wipe(&a.l.rx);
    tl_assert_ok(tl_loop_source(&a.l, &a.l.rx_source, 9));
    tl_assert_ok(tl_stream_rx_init(&a.l.rx, &a.l.rx_config, &a.l.rx_source, 0, (tl_buffer){ NULL, 0 },
                                   tl_events_sink(&a.l.events)));
    receive(&a);
    assert_int_equal(a.verdict, TL_VERDICT_TAG);
    tl_packets_free(&a.after);
    tl_packets_free(&a.before);
    tl_packets_free(&a.packets);
    tl_capture_free(&a.capture);
    tl_loop_close(&a.l);
}

static void frame_when_the_backend_fails_at_any_call_then_cut_and_nothing_is_ok(void **state)
{
    attack a;

    (void)state;
    for (unsigned fail = 1; fail <= 4; fail++) { /* begin, end, two batches of lines */
        tl_faulty faulty;
        start(&a, TL_WITH, TL_SV_1);
        tl_faulty_init(&faulty, crypto, fail);
        a.l.rx.crypto = tl_faulty_crypto(&faulty);
        assert_int_not_equal(tl_stream_rx_frame(&a.l.rx, a.l.now_ms, &a.capture.frame, &a.verdict), TL_OK);
        assert_int_not_equal(a.verdict, TL_VERDICT_OK);
        assert_false(a.l.rx.open);
        a.l.rx.crypto = crypto;
        finish(&a);
    }
}

/* A backend that remembers what it was last asked to open, and a sink that looks at it while the call goes on. */
typedef struct watched {
    tl_wrap wrap;
    const tl_sealed *opened;
    unsigned looks, left;
} watched;

static tl_err open_watched(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    watched *w = ctx;

    w->opened = m;
    return w->wrap.inner->ops->open(w->wrap.inner->ctx, k, m, n);
}

static void look_at_tag(void *ctx, const tl_stream_event *e)
{
    static const uint8_t zeros[TL_TAG_MAX];
    watched *w = ctx;

    if (e->kind != TL_EVENT_FRAME || w->opened == NULL)
        return;
    w->looks++;
    w->left += memcmp(w->opened->tag, zeros, sizeof zeros) != 0;
}

/* Trying where a row belongs makes tags of what somebody else wrote: they are his dearest wish. */
static void row_when_it_belongs_nowhere_then_no_tag_of_it_stays(void **state)
{
    watched w = { .looks = 0 };
    attack a;

    (void)state;
    start(&a, TL_WITHOUT, TL_SV_1);
    tl_wrap_init(&w.wrap, crypto);
    w.wrap.ops.open = open_watched;
    a.l.rx.crypto = &w.wrap.crypto;
    a.l.rx.sink = (tl_stream_sink){ &w, look_at_tag };
    tl_capture_drop(plane(&a, PIXELS), 19);
    row(&a, PIXELS, 18)[7] ^= 1; /* the last one that is there */
    receive(&a);
    assert_int_equal(a.verdict, TL_VERDICT_GAP);
    assert_int_equal(w.looks, 1);
    assert_int_equal(w.left, 0);
    a.l.rx.crypto = crypto;
    finish(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixel_when_a_bit_is_flipped_then_tag_and_its_line),
        cmocka_unit_test(embedded_when_a_bit_is_flipped_at_top_or_bottom_then_tag),
        cmocka_unit_test(metadata_when_any_bit_is_flipped_then_no_wrong_frame_is_ok),
        cmocka_unit_test(check_when_a_bit_of_the_crc32_list_is_flipped_then_information),
        cmocka_unit_test(tag_when_a_bit_of_the_list_is_flipped_then_tag_and_its_line),
        cmocka_unit_test(begin_when_a_bit_is_flipped_then_lost),
        cmocka_unit_test(end_when_a_bit_is_flipped_then_tag),
        cmocka_unit_test(line_when_dropped_from_counted_rows_then_gap_at_its_place),
        cmocka_unit_test(lines_when_up_to_eight_in_a_row_are_dropped_then_the_others_are_found),
        cmocka_unit_test(rows_when_their_place_is_known_and_some_are_missing_then_gap_exactly),
        cmocka_unit_test(row_when_it_belongs_nowhere_then_no_tag_of_it_stays),
        cmocka_unit_test(row_when_added_behind_rows_that_have_their_places_then_gap),
        cmocka_unit_test(line_when_repeated_in_memory_then_gap_never_tag),
        cmocka_unit_test(lines_when_swapped_in_memory_then_refused),
        cmocka_unit_test(line_when_another_stands_in_its_place_then_tag),
        cmocka_unit_test(plane_when_missing_or_its_rows_too_short_then_gap),
        cmocka_unit_test(plane_when_of_a_type_that_nobody_sends_then_unprotected),
        cmocka_unit_test(metadata_when_a_row_is_dropped_then_lost_gap_or_cut),
        cmocka_unit_test(metadata_when_rows_are_swapped_then_the_frame_is_not_ok),
        cmocka_unit_test(metadata_when_a_row_is_repeated_or_garbage_is_added_then_no_harm),
        cmocka_unit_test(metadata_when_rows_have_their_places_then_those_not_written_are_none),
        cmocka_unit_test(metadata_when_a_row_is_of_an_earlier_frame_then_refused),
        cmocka_unit_test(bottom_when_of_the_frame_before_then_refused_and_no_line_is_tried_under_it),
        cmocka_unit_test(metadata_when_its_sizes_lie_then_refused),
        cmocka_unit_test(lists_when_longer_than_the_end_says_then_length),
        cmocka_unit_test(frame_when_replayed_then_repeat_and_no_frame),
        cmocka_unit_test(frame_when_its_metadata_is_stripped_then_unprotected),
        cmocka_unit_test(frame_when_of_another_session_or_stream_then_refused),
        cmocka_unit_test(frame_when_the_backend_fails_at_any_call_then_cut_and_nothing_is_ok),
    };

    return cmocka_run_group_tests_name("fsed_attacks", tests, open_backend, close_backend);
}
