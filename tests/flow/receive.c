/* The receiving end when packets are lost, repeated, reordered or late, and when whole frames are. */
#include "group.h"

/* Three frames: the middle one is for the test to change; the others must come out right whatever happens to it. */
typedef struct three {
    tl_loop loop;
    tl_packets frame[3];
} three;

static void start(three *t, tl_release release)
{
    memset(t, 0, sizeof *t);
    tl_loop_init(&t->loop, crypto);
    t->loop.config.release = release;
    t->loop.config.parts[1].count = 150;
    tl_assert_ok(tl_loop_open(&t->loop, 0));
    for (int i = 0; i < 3; i++)
        tl_assert_ok(tl_loop_send(&t->loop, &t->frame[i]));
}

static const tl_stream_event *frame_event(const three *t, uint32_t frame)
{
    for (size_t i = 0; i < t->loop.events.n; i++)
        if (t->loop.events.v[i].kind == TL_EVENT_FRAME && t->loop.events.v[i].frame == frame)
            return &t->loop.events.v[i];
    return NULL;
}

/* Receives all three; gives the middle one's event. */
static const tl_stream_event *receive(three *t)
{
    tl_packets all = { 0 };
    const tl_stream_event *e;

    for (int i = 0; i < 3; i++)
        tl_packets_join(&all, &t->frame[i]);
    tl_assert_ok(tl_loop_receive(&t->loop, &all));
    tl_packets_free(&all);
    if (t->loop.config.release == TL_RELEASE_FRAME) {
        assert_true(tl_loop_is_frame(&t->loop, frame_event(t, 100), 100));
        assert_true(tl_loop_is_frame(&t->loop, frame_event(t, 102), 102));
    }
    e = frame_event(t, 101);
    if (e != NULL && e->verdict != TL_VERDICT_OK)
        assert_null(e->payload.p);
    return e;
}

static void finish(three *t)
{
    for (int i = 0; i < 3; i++)
        tl_packets_free(&t->frame[i]);
    tl_loop_close(&t->loop);
}

static void expect(const tl_stream_event *e, tl_verdict verdict, uint8_t data_type, uint16_t message,
                   uint32_t missing)
{
    assert_non_null(e);
    assert_true(e->proven);
    if (e->verdict != verdict || e->cause != verdict || e->data_type != data_type || e->message != message ||
        e->count != missing)
        fail_msg(
            "%s because of %s at type %u message %u, %u missing; not %s at type %u message %u, %u missing",
            tl_verdict_text(e->verdict), tl_verdict_text(e->cause), e->data_type, e->message, e->count,
            tl_verdict_text(verdict), data_type, message, missing);
}

/* ---- lines ---- */

static void line_when_dropped_then_gap_with_its_number(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 153; i += i < 4 || i > 147 ? 1 : 36) {
        three t;
        unsigned part;
        uint32_t row;
        start(&t, TL_RELEASE_FRAME);
        tl_loop_place(&t.loop.config, i, &part, &row);
        tl_packets_drop(&t.frame[1], TL_LOOP_LINE + i);
        expect(receive(&t), TL_VERDICT_GAP, t.loop.config.parts[part].data_type,
               (uint16_t)(part == 2 ? 2 + row : row), 1);
        finish(&t);
    }
}

static void lines_when_many_are_dropped_then_gap_with_the_first_and_count(void **state)
{
    three t;

    (void)state;
    start(&t, TL_RELEASE_FRAME);
    for (int i = 0; i < 90; i++)
        tl_packets_drop(&t.frame[1], TL_LOOP_LINE + 20);
    tl_packets_drop(&t.frame[1], TL_LOOP_LINE + 30);
    expect(receive(&t), TL_VERDICT_GAP, TL_DT_RAW12, 18, 91);
    finish(&t);
}

static void line_when_repeated_then_repeat(void **state)
{
    static const size_t later[] = { 1, 2, 63, 64, 65, 100 };

    (void)state;
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        three t;
        tl_buffer line;
        start(&t, TL_RELEASE_FRAME);
        line = t.frame[1].v[TL_LOOP_LINE + 12];
        tl_packets_insert(&t.frame[1], TL_LOOP_LINE + 12 + later[i], tl_span_of(line.p, line.n));
        expect(receive(&t), TL_VERDICT_REPEAT, TL_DT_RAW12, 10, 0);
        assert_int_equal(t.loop.rx.counters.verdicts[TL_VERDICT_REPEAT], 1);
        finish(&t);
    }
}

static void lines_when_swapped_then_order_however_far_apart(void **state)
{
    static const size_t apart[] = { 1, 2, 62, 63, 64, 65, 100 };

    (void)state;
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) {
        three t;
        const tl_stream_event *e;
        start(&t, TL_RELEASE_FRAME);
        tl_packets_swap(&t.frame[1], TL_LOOP_LINE + 12, TL_LOOP_LINE + 12 + apart[i]);
        e = receive(&t);
        assert_non_null(e);
        assert_int_equal(e->cause, TL_VERDICT_ORDER);
        assert_int_equal(e->message, apart[i] == 1 ? 10 : 11);
        assert_int_equal(e->verdict, TL_VERDICT_ORDER);
        assert_int_equal(e->count, 0);
        finish(&t);
    }
}

static void line_when_spoiled_then_its_verdict_is_the_frames(void **state)
{
    (void)state;
    for (unsigned repaired = 0; repaired < 3; repaired++) {
        static const tl_verdict verdicts[] = { TL_VERDICT_CRC16, TL_VERDICT_CRC32, TL_VERDICT_TAG };
        three t;
        tl_buffer line;
        start(&t, TL_RELEASE_FRAME);
        line = t.frame[1].v[TL_LOOP_LINE + 40];
        line.p[TL_SEP_BEFORE + 3] ^= 4;
        if (repaired == 1)
            tl_assert_ok(tl_csi2_repair(line.p, line.n));
        if (repaired == 2)
            tl_assert_ok(tl_loop_repair(&t.loop.config, line));
        expect(receive(&t), verdicts[repaired], TL_DT_RAW12, 38, 1);
        assert_int_equal(t.loop.rx.counters.verdicts[verdicts[repaired]], 1);
        finish(&t);
    }
}

static void line_when_only_its_crc32_is_wrong_then_ok_with_information(void **state)
{
    three t;
    tl_loop_message m;

    (void)state;
    start(&t, TL_RELEASE_LINE);
    tl_assert_ok(tl_loop_read(&t.loop.config, t.frame[1].v[TL_LOOP_LINE + 1], &m));
    m.footer.crc32 ^= 1;
    tl_assert_ok(tl_loop_write(&t.loop.config, t.frame[1].v[TL_LOOP_LINE + 1], &m));
    tl_assert_ok(tl_csi2_repair(t.frame[1].v[TL_LOOP_LINE + 1].p, t.frame[1].v[TL_LOOP_LINE + 1].n));
    assert_int_equal(receive(&t)->verdict, TL_VERDICT_OK);
    assert_int_equal(t.loop.rx.counters.crc32_beside_tag, 1);
    for (size_t i = 0; i < t.loop.events.n; i++) {
        const tl_stream_event *e = &t.loop.events.v[i];
        bool it = e->kind == TL_EVENT_MESSAGE && e->frame == 101 && e->data_type == TL_DT_EMBEDDED &&
                  e->message == 1;
        assert_int_equal(e->info, it ? TL_INFO_CRC32 : 0);
    }
    finish(&t);
}

static void header_when_one_bit_is_wrong_then_corrected_and_two_then_ecc(void **state)
{
    three t;

    (void)state;
    start(&t, TL_RELEASE_FRAME);
    t.frame[1].v[TL_LOOP_LINE].p[1] ^= 0x10;
    assert_int_equal(receive(&t)->verdict, TL_VERDICT_OK);
    assert_int_equal(t.loop.rx.counters.ecc_corrected, 1);
    finish(&t);
    start(&t, TL_RELEASE_FRAME);
    t.frame[1].v[TL_LOOP_LINE + 7].p[1] ^= 0x11;
    expect(receive(&t), TL_VERDICT_ECC, TL_DT_RAW12, 5, 1);
    finish(&t);
}

static void causes_when_there_are_several_then_the_first_to_arrive(void **state)
{
    three t;
    const tl_stream_event *e;
    tl_buffer line;

    (void)state;
    start(&t, TL_RELEASE_FRAME);
    line = t.frame[1].v[TL_LOOP_LINE + 30];
    tl_packets_insert(&t.frame[1], TL_LOOP_LINE + 40, tl_span_of(line.p, line.n));
    tl_packets_drop(&t.frame[1], TL_LOOP_LINE + 12);
    e = receive(&t); /* line 10 is missing, then line 28 comes twice */
    assert_true(e->verdict == TL_VERDICT_REPEAT && e->cause == TL_VERDICT_GAP);
    assert_true(e->data_type == TL_DT_RAW12 && e->message == 10 && e->count == 1);
    finish(&t);
    start(&t, TL_RELEASE_FRAME);
    line = t.frame[1].v[TL_LOOP_LINE + 30];
    tl_packets_insert(&t.frame[1], TL_LOOP_LINE + 40, tl_span_of(line.p, line.n));
    t.frame[1].v[TL_LOOP_LINE + 60].p[TL_SEP_BEFORE] ^= 1;
    e = receive(&t); /* line 28 comes twice, then one is spoiled */
    assert_true(e->verdict == TL_VERDICT_CRC16 && e->cause == TL_VERDICT_REPEAT && e->message == 28);
    finish(&t);
    start(&t, TL_RELEASE_FRAME);
    tl_packets_swap(&t.frame[1], TL_LOOP_LINE + 12, TL_LOOP_LINE + 13);
    tl_packets_drop(&t.frame[1], TL_LOOP_LINE + 50);
    e = receive(&t); /* a swap is no gap, though a number seemed to be missing for a moment */
    assert_true(e->verdict == TL_VERDICT_ORDER && e->cause == TL_VERDICT_ORDER && e->message == 10);
    assert_int_equal(e->count, 1);
    finish(&t);
}

/* ---- release by line ---- */

static void lines_when_released_and_the_frame_fails_then_revoked(void **state)
{
    three t;
    const tl_stream_event *e;
    size_t released = 0;

    (void)state;
    start(&t, TL_RELEASE_LINE);
    t.frame[1].v[TL_LOOP_LINE + 40].p[TL_SEP_BEFORE] ^= 1;
    tl_assert_ok(tl_loop_repair(&t.loop.config, t.frame[1].v[TL_LOOP_LINE + 40]));
    e = receive(&t);
    expect(e, TL_VERDICT_TAG, TL_DT_RAW12, 38, 1);
    assert_true(e->revoked);
    for (size_t i = 0; i < t.loop.events.n; i++) {
        const tl_stream_event *m = &t.loop.events.v[i];
        if (m->kind != TL_EVENT_MESSAGE || m->frame != 101)
            continue;
        assert_int_equal(m->verdict == TL_VERDICT_OK, m->payload.p != NULL);
        assert_int_equal(m->verdict == TL_VERDICT_OK, !(m->data_type == TL_DT_RAW12 && m->message == 38));
        released += m->payload.p != NULL;
    }
    assert_int_equal(released, 152);
    assert_false(frame_event(&t, 100)->revoked);
    finish(&t);
}

static void lines_when_swapped_or_repeated_then_released_once_and_only_in_order(void **state)
{
    three t;
    uint32_t next = 0;

    (void)state;
    start(&t, TL_RELEASE_LINE);
    tl_packets_swap(&t.frame[1], TL_LOOP_LINE + 12, TL_LOOP_LINE + 30);
    tl_packets_insert(&t.frame[1], TL_LOOP_LINE + 50,
                      tl_span_of(t.frame[1].v[TL_LOOP_LINE + 48].p, t.frame[1].v[TL_LOOP_LINE + 48].n));
    assert_true(receive(&t)->revoked);
    for (size_t i = 0; i < t.loop.events.n; i++) {
        const tl_stream_event *m = &t.loop.events.v[i];
        if (m->kind != TL_EVENT_MESSAGE || m->frame != 101 || m->data_type != TL_DT_RAW12 ||
            m->payload.p == NULL)
            continue;
        assert_true(m->message >= next);
        next = m->message + 1u;
    }
    finish(&t);
}

static void frame_when_nothing_was_released_then_not_revoked(void **state)
{
    three t;
    const tl_stream_event *e;

    (void)state;
    start(&t, TL_RELEASE_LINE);
    while (t.frame[1].n > 4)
        tl_packets_drop(&t.frame[1], TL_LOOP_LINE);
    e = receive(&t);
    expect(e, TL_VERDICT_GAP, TL_DT_EMBEDDED, 0, 153);
    assert_false(e->revoked);
    finish(&t);
}

/* ---- begin and end ---- */

static void begin_when_dropped_then_the_frame_is_lost_and_its_lines_counted(void **state)
{
    three t;
    const tl_stream_event *lost;

    (void)state;
    start(&t, TL_RELEASE_FRAME);
    tl_packets_drop(&t.frame[1], 1);
    assert_null(receive(&t));
    lost = tl_events_first(&t.loop.events, TL_EVENT_LOST);
    assert_non_null(lost);
    assert_true(lost->proven && lost->frame == 101 && lost->count == 1);
    assert_true(lost->verdict == TL_VERDICT_GAP && lost->cause == TL_VERDICT_GAP);
    assert_int_equal(t.loop.rx.counters.other_frame, 154);
    assert_int_equal(t.loop.rx.counters.frames_lost, 1);
    finish(&t);
}

static void begin_when_spoiled_then_lost_with_that_cause(void **state)
{
    three t;
    const tl_stream_event *lost;

    (void)state;
    start(&t, TL_RELEASE_FRAME);
    t.frame[1].v[1].p[TL_SEP_BEFORE] ^= 1;
    assert_null(receive(&t));
    lost = tl_events_first(&t.loop.events, TL_EVENT_LOST);
    assert_non_null(lost);
    assert_int_equal(lost->verdict, TL_VERDICT_CRC16);
    assert_int_equal(lost->cause, TL_VERDICT_CRC16);
    finish(&t);
}

static void end_when_dropped_then_cut_at_the_next_begin(void **state)
{
    three t;

    (void)state;
    start(&t, TL_RELEASE_FRAME);
    tl_packets_drop(&t.frame[1], t.frame[1].n - 2);
    expect(receive(&t), TL_VERDICT_CUT, 0, 0, 0);
    finish(&t);
}

static void begin_when_repeated_in_its_own_frame_then_repeat_costs_it(void **state)
{
    three t;

    (void)state;
    start(&t, TL_RELEASE_FRAME);
    tl_packets_insert(&t.frame[1], TL_LOOP_LINE + 5, tl_span_of(t.frame[1].v[1].p, t.frame[1].v[1].n));
    expect(receive(&t), TL_VERDICT_REPEAT, TL_SEP_SERVICE_TYPE, TL_SEP_BEGIN, 0);
    assert_int_equal(tl_events_count(&t.loop.events, TL_EVENT_OPENED), 3);
    finish(&t);
}

static void end_when_repeated_then_counted_and_nothing_else(void **state)
{
    three t;
    tl_buffer end;

    (void)state;
    start(&t, TL_RELEASE_FRAME);
    end = t.frame[1].v[t.frame[1].n - 2];
    tl_packets_insert(&t.frame[1], t.frame[1].n - 1, tl_span_of(end.p, end.n));
    tl_packets_insert(&t.frame[2], TL_LOOP_LINE + 9, tl_span_of(end.p, end.n));
    assert_true(tl_loop_is_frame(&t.loop, receive(&t), 101));
    assert_int_equal(t.loop.rx.counters.other_frame, 2);
    assert_int_equal(tl_events_count(&t.loop.events, TL_EVENT_FRAME), 3);
    finish(&t);
}

static void end_when_it_comes_before_the_lines_then_gap_and_they_are_nothing(void **state)
{
    three t;
    size_t end;

    (void)state;
    start(&t, TL_RELEASE_FRAME);
    end = t.frame[1].n - 2;
    tl_packets_insert(&t.frame[1], TL_LOOP_LINE, tl_span_of(t.frame[1].v[end].p, t.frame[1].v[end].n));
    expect(receive(&t), TL_VERDICT_GAP, TL_DT_EMBEDDED, 0, 153);
    finish(&t);
}

/* ---- whole frames ---- */

static void frames_when_dropped_then_lost_with_their_count(void **state)
{
    (void)state;
    for (uint32_t count = 1; count < 20; count += 6) {
        tl_loop l;
        tl_packets packets = { 0 };
        const tl_stream_event *lost;
        tl_loop_init(&l, crypto);
        tl_assert_ok(tl_loop_open(&l, 0));
        for (uint32_t i = 0; i < count; i++) {
            tl_packets_free(&packets);
            tl_assert_ok(tl_loop_send(&l, &packets));
        }
        tl_packets_free(&packets);
        tl_assert_ok(tl_loop_send(&l, &packets));
        tl_assert_ok(tl_loop_receive(&l, &packets));
        lost = tl_events_first(&l.events, TL_EVENT_LOST);
        assert_true(lost->frame == 100 && lost->count == count && lost->verdict == TL_VERDICT_GAP);
        assert_true(tl_loop_is_frame(&l, tl_events_last(&l.events, TL_EVENT_FRAME), 100 + count));
        assert_int_equal(l.rx.counters.frames_lost, count);
        tl_packets_free(&packets);
        tl_loop_close(&l);
    }
}

static void frame_when_replayed_then_repeat_and_nothing_opens(void **state)
{
    three t;
    size_t opened, repeats = 0;

    (void)state;
    start(&t, TL_RELEASE_LINE);
    assert_non_null(receive(&t));
    opened = tl_events_count(&t.loop.events, TL_EVENT_OPENED);
    for (int i = 0; i < 3; i++)
        tl_assert_ok(tl_loop_receive(&t.loop, &t.frame[i]));
    assert_int_equal(tl_events_count(&t.loop.events, TL_EVENT_OPENED), opened);
    assert_int_equal(tl_events_count(&t.loop.events, TL_EVENT_FRAME), 3);
    for (size_t i = 0; i < t.loop.events.n; i++)
        repeats += t.loop.events.v[i].verdict == TL_VERDICT_REPEAT && t.loop.events.v[i].proven;
    assert_int_equal(repeats, 3);
    finish(&t);
}

static void frame_when_an_old_one_is_played_inside_it_then_untouched(void **state)
{
    three t;

    (void)state;
    start(&t, TL_RELEASE_FRAME);
    for (size_t i = 0; i < t.frame[0].n; i++)
        tl_packets_insert(&t.frame[1], TL_LOOP_LINE + 3 + i,
                          tl_span_of(t.frame[0].v[i].p, t.frame[0].v[i].n));
    assert_true(tl_loop_is_frame(&t.loop, receive(&t), 101));
    assert_int_equal(tl_events_count(&t.loop.events, TL_EVENT_FRAME), 3);
    finish(&t);
}

/* ---- time ---- */

static void frame_when_its_end_does_not_come_in_time_then_cut_and_revoked(void **state)
{
    three t;
    tl_packets piece = { 0 };
    const tl_stream_event *e;

    (void)state;
    start(&t, TL_RELEASE_LINE);
    for (size_t i = 0; i < 50; i++)
        tl_packets_take(&piece, &t.frame[0], i);
    tl_assert_ok(tl_loop_receive(&t.loop, &piece));
    tl_stream_rx_tick(&t.loop.rx, t.loop.now_ms + 500);
    assert_int_equal(tl_events_count(&t.loop.events, TL_EVENT_FRAME), 0);
    tl_stream_rx_tick(&t.loop.rx, t.loop.now_ms + 501);
    e = tl_events_last(&t.loop.events, TL_EVENT_FRAME);
    assert_non_null(e);
    assert_true(e->verdict == TL_VERDICT_CUT && e->cause == TL_VERDICT_CUT && e->revoked && e->frame == 100);
    assert_int_equal(e->count, 153 - 48);
    tl_stream_rx_tick(&t.loop.rx, t.loop.now_ms + 5000);
    assert_int_equal(tl_events_count(&t.loop.events, TL_EVENT_FRAME), 1);
    tl_packets_free(&piece);
    t.loop.now_ms += 600;
    tl_assert_ok(tl_loop_receive(&t.loop, &t.frame[0])); /* the rest is too late, and so is the whole frame */
    assert_int_equal(tl_events_count(&t.loop.events, TL_EVENT_FRAME), 1);
    tl_assert_ok(tl_loop_receive(&t.loop, &t.frame[1]));
    assert_int_equal(tl_events_last(&t.loop.events, TL_EVENT_FRAME)->verdict, TL_VERDICT_OK);
    finish(&t);
}

static void frame_when_packets_come_too_late_then_cut_before_they_are_taken(void **state)
{
    three t;
    tl_packets a = { 0 }, b = { 0 };

    (void)state;
    start(&t, TL_RELEASE_FRAME);
    for (size_t i = 0; i < t.frame[0].n; i++)
        tl_packets_take(i < 30 ? &a : &b, &t.frame[0], i);
    tl_assert_ok(tl_loop_receive(&t.loop, &a));
    t.loop.now_ms += 501;
    tl_assert_ok(tl_loop_receive(&t.loop, &b));
    assert_int_equal(tl_events_last(&t.loop.events, TL_EVENT_FRAME)->verdict, TL_VERDICT_CUT);
    assert_int_equal(t.loop.rx.counters.frames_ok, 0);
    tl_packets_free(&a);
    tl_packets_free(&b);
    finish(&t);
}

static void frame_when_there_is_no_time_limit_then_it_waits(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };

    (void)state;
    tl_loop_init(&l, crypto);
    l.config.frame_timeout_ms = 0;
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_ok(tl_loop_begin(&l, &packets));
    tl_assert_ok(tl_loop_receive(&l, &packets));
    tl_stream_rx_tick(&l.rx, UINT64_MAX);
    assert_int_equal(tl_events_count(&l.events, TL_EVENT_FRAME), 0);
    tl_packets_free(&packets);
    tl_loop_close(&l);
}

/* ---- set-up ---- */

static void init_when_refused_then_zero_and_the_source_unchanged(void **state)
{
    tl_loop l;
    tl_stream_rx rx;
    tl_key_source source, copy;
    static uint8_t memory[4096];
    tl_stream_sink sink = { NULL, NULL };
    tl_buffer enough = { memory, 2 * 40 + 20 * 90 + 40 };

    (void)state;
    tl_loop_init(&l, crypto);
    tl_assert_ok(tl_loop_source(&l, &source, 0));
    memcpy(&copy, &source, sizeof copy);
    for (size_t n = 0; n < enough.n; n += n + 100 < enough.n ? 100 : 1)
        tl_assert_err(TL_E_ROOM,
                      tl_stream_rx_init(&rx, &l.config, &source, 0, (tl_buffer){ memory, n }, sink));
    tl_assert_err(TL_E_COPIED, tl_stream_rx_init(&rx, &l.config, &copy, 0, enough, sink));
    tl_assert_err(TL_E_EPOCH, tl_stream_rx_init(&rx, &l.config, &source, 2000, enough, sink));
    l.config.tag_size = 8;
    tl_assert_err(TL_E_CONFIGURATION, tl_stream_rx_init(&rx, &l.config, &source, 0, enough, sink));
    assert_true(source.next == 0);
    assert_false(rx.key.held);
    l.config.tag_size = 12;
    tl_assert_ok(tl_stream_rx_init(&rx, &l.config, &source, 0, enough, sink));
    tl_stream_rx_wipe(&rx);
    tl_assert_all(&rx, 0, sizeof rx);
    tl_stream_rx_wipe(&rx);
    tl_key_source_wipe(&source);
}

static void packets_when_there_is_no_sink_then_counted_all_the_same(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };

    (void)state;
    tl_loop_init(&l, crypto);
    tl_assert_ok(tl_loop_open(&l, 0));
    l.rx.sink = (tl_stream_sink){ NULL, NULL };
    tl_assert_ok(tl_loop_send(&l, &packets));
    tl_assert_ok(tl_loop_receive(&l, &packets));
    assert_int_equal(l.rx.counters.frames_ok, 1);
    tl_assert_ok(tl_stream_rx_packets(&l.rx, 0, NULL, 0));
    tl_packets_free(&packets);
    tl_loop_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_when_dropped_then_gap_with_its_number),
        cmocka_unit_test(lines_when_many_are_dropped_then_gap_with_the_first_and_count),
        cmocka_unit_test(line_when_repeated_then_repeat),
        cmocka_unit_test(lines_when_swapped_then_order_however_far_apart),
        cmocka_unit_test(line_when_spoiled_then_its_verdict_is_the_frames),
        cmocka_unit_test(line_when_only_its_crc32_is_wrong_then_ok_with_information),
        cmocka_unit_test(header_when_one_bit_is_wrong_then_corrected_and_two_then_ecc),
        cmocka_unit_test(causes_when_there_are_several_then_the_first_to_arrive),
        cmocka_unit_test(lines_when_released_and_the_frame_fails_then_revoked),
        cmocka_unit_test(lines_when_swapped_or_repeated_then_released_once_and_only_in_order),
        cmocka_unit_test(frame_when_nothing_was_released_then_not_revoked),
        cmocka_unit_test(begin_when_dropped_then_the_frame_is_lost_and_its_lines_counted),
        cmocka_unit_test(begin_when_spoiled_then_lost_with_that_cause),
        cmocka_unit_test(end_when_dropped_then_cut_at_the_next_begin),
        cmocka_unit_test(begin_when_repeated_in_its_own_frame_then_repeat_costs_it),
        cmocka_unit_test(end_when_repeated_then_counted_and_nothing_else),
        cmocka_unit_test(end_when_it_comes_before_the_lines_then_gap_and_they_are_nothing),
        cmocka_unit_test(frames_when_dropped_then_lost_with_their_count),
        cmocka_unit_test(frame_when_replayed_then_repeat_and_nothing_opens),
        cmocka_unit_test(frame_when_an_old_one_is_played_inside_it_then_untouched),
        cmocka_unit_test(frame_when_its_end_does_not_come_in_time_then_cut_and_revoked),
        cmocka_unit_test(frame_when_packets_come_too_late_then_cut_before_they_are_taken),
        cmocka_unit_test(frame_when_there_is_no_time_limit_then_it_waits),
        cmocka_unit_test(init_when_refused_then_zero_and_the_source_unchanged),
        cmocka_unit_test(packets_when_there_is_no_sink_then_counted_all_the_same),
    };

    return cmocka_run_group_tests_name("receive", tests, open_backend, close_backend);
}
