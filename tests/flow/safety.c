/* Time at the receiver: the age of frames by the sender's clock, delay that creeps, and silence. The sender's clock runs
 * from SENDER_US when the receiver's shows START_MS, and both run alike unless a test says otherwise. */
#include "group.h"

enum { START_MS = 5000, ERROR_US = 400, AGE_US = 50000, GRAIN_US = 1000 };
static const uint64_t sender_us = 77000000;

static void start(tl_loop *l, tl_suite suite)
{
    tl_loop_init(l, crypto);
    l->now_ms = START_MS;
    l->now_us = sender_us;
    l->config.age_max_us = AGE_US;
    if (suite == TL_SUITE_NONE) {
        l->config.suite = suite;
        l->config.tag_size = 0;
        memset(l->config.variant, TL_SV_5, sizeof l->config.variant);
    }
}

static void anchor(tl_loop *l)
{
    const tl_clock_anchor a = { l->now_ms, l->now_us, ERROR_US };

    tl_stream_rx_anchor(&l->rx, &a);
}

static void pass(tl_loop *l, uint64_t ms)
{
    l->now_ms += ms;
    l->now_us += ms * 1000;
}

/* Sends a frame now, and lets it arrive delay_ms later; gives its verdict's event. Both clocks stand as at its sending
 * afterwards. */
static const tl_stream_event *delayed(tl_loop *l, uint64_t delay_ms)
{
    tl_packets p = { 0 };
    uint64_t now_us = l->now_us;

    tl_events_clear(&l->events);
    tl_assert_ok(tl_loop_send(l, &p));
    l->now_us = now_us; /* the loop lets it run on by a frame */
    l->now_ms += delay_ms;
    tl_assert_ok(tl_loop_receive(l, &p));
    l->now_ms -= delay_ms;
    tl_packets_free(&p);
    return tl_events_last(&l->events, TL_EVENT_FRAME);
}

static void expect(const tl_stream_event *e, tl_verdict verdict, uint64_t age_us)
{
    assert_non_null(e);
    if (e->verdict != verdict)
        fail_msg("%s, not %s", tl_verdict_text(e->verdict), tl_verdict_text(verdict));
    assert_true(e->age_known);
    assert_int_equal(e->age_us, age_us);
}

/* ---- age ---- */

static void frame_when_it_comes_at_once_then_its_age_is_bounded_by_the_anchor(void **state)
{
    tl_loop l;

    (void)state;
    start(&l, TL_SUITE_AES128_GMAC);
    tl_assert_ok(tl_loop_open(&l, 0));
    anchor(&l);
    expect(delayed(&l, 0), TL_VERDICT_OK, ERROR_US + GRAIN_US);
    expect(delayed(&l, 48), TL_VERDICT_OK, 48000 + ERROR_US + GRAIN_US);
    tl_loop_close(&l);
}

static void frame_when_older_than_allowed_then_late_and_nothing_leaves(void **state)
{
    (void)state;
    for (int release = TL_RELEASE_FRAME; release <= TL_RELEASE_IN_PLACE; release++) {
        tl_loop l;
        const tl_stream_event *e;

        start(&l, TL_SUITE_AES128_GMAC);
        l.config.release = (tl_release)release;
        tl_assert_ok(tl_loop_open(&l, 0));
        anchor(&l);
        e = delayed(&l, 49);
        expect(e, TL_VERDICT_LATE, 49000 + ERROR_US + GRAIN_US);
        assert_int_equal(e->cause, TL_VERDICT_LATE);
        assert_false(e->revoked);
        assert_null(e->payload.p);
        assert_int_equal(tl_events_count(&l.events, TL_EVENT_MESSAGE), 0);
        assert_int_equal(tl_events_first(&l.events, TL_EVENT_OPENED)->verdict, TL_VERDICT_LATE);
        assert_int_equal(tl_stream_rx_counters(&l.rx)->verdicts[TL_VERDICT_LATE], 1);
        assert_int_equal(delayed(&l, 1)->verdict, TL_VERDICT_OK);
        tl_loop_close(&l);
    }
}

static void delay_when_it_creeps_then_it_is_late_once_it_is_more_than_allowed(void **state)
{
    tl_loop l;
    uint64_t delay = 0;

    (void)state;
    start(&l, TL_SUITE_AES128_GMAC);
    l.config.interval_ms = 33;
    l.config.tolerance_ms = 5;
    tl_assert_ok(tl_loop_open(&l, 0));
    anchor(&l);
    for (; delay < 100; delay++) { /* each frame a millisecond more behind the one before it */
        const tl_stream_event *e = delayed(&l, delay);

        assert_int_equal(e->verdict, delay <= 48 ? TL_VERDICT_OK : TL_VERDICT_LATE);
        assert_int_equal(tl_stream_rx_counters(&l.rx)->silences, 0);
        pass(&l, 33);
    }
    tl_loop_close(&l);
}

static void age_when_the_clocks_drift_then_it_is_wider_by_as_much(void **state)
{
    tl_loop l;

    (void)state;
    start(&l, TL_SUITE_AES128_GMAC);
    l.config.drift_ppm = 100;
    tl_assert_ok(tl_loop_open(&l, 0));
    anchor(&l);
    pass(&l, 10000); /* 10 s at 100 ppm: 1 ms */
    expect(delayed(&l, 0), TL_VERDICT_OK, ERROR_US + GRAIN_US + 1000);
    pass(&l, 480000); /* 49 ms */
    assert_int_equal(delayed(&l, 0)->verdict, TL_VERDICT_LATE);
    anchor(&l);
    expect(delayed(&l, 0), TL_VERDICT_OK, ERROR_US + GRAIN_US);
    tl_loop_close(&l);
}

static void frame_when_from_the_future_then_late_and_its_age_is_unknown(void **state)
{
    tl_loop l;
    const tl_stream_event *e;

    (void)state;
    start(&l, TL_SUITE_AES128_GMAC);
    tl_assert_ok(tl_loop_open(&l, 0));
    anchor(&l);
    l.now_us += ERROR_US + GRAIN_US;
    expect(delayed(&l, 0), TL_VERDICT_OK, 0);
    l.now_us++;
    e = delayed(&l, 0);
    assert_int_equal(e->verdict, TL_VERDICT_LATE);
    assert_false(e->age_known);
    tl_loop_close(&l);
}

static void age_when_there_is_no_anchor_then_unknown_and_no_frame_is_late(void **state)
{
    tl_loop l;
    const tl_stream_event *e;

    (void)state;
    start(&l, TL_SUITE_AES128_GMAC);
    tl_assert_ok(tl_loop_open(&l, 0));
    e = delayed(&l, 100000);
    assert_int_equal(e->verdict, TL_VERDICT_OK);
    assert_false(e->age_known);
    anchor(&l);
    l.now_ms -= 1; /* set back behind the anchor */
    e = delayed(&l, 0);
    assert_int_equal(e->verdict, TL_VERDICT_OK);
    assert_false(e->age_known);
    tl_loop_close(&l);
}

static void age_when_numbers_are_extreme_then_no_overflow_makes_a_frame_young(void **state)
{
    tl_loop l;
    const tl_clock_anchor far = { 0, UINT64_MAX - 5, UINT32_MAX };
    const tl_stream_event *e;

    (void)state;
    start(&l, TL_SUITE_AES128_GMAC);
    l.config.drift_ppm = UINT16_MAX;
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_stream_rx_anchor(&l.rx, &far);
    assert_int_equal(delayed(&l, 0)->verdict, TL_VERDICT_LATE);
    e = delayed(&l, UINT64_MAX / 2); /* beyond what the elapsed time may be: not known */
    assert_false(e->age_known);
    tl_loop_close(&l);
}

static void frame_when_without_keys_then_its_age_is_judged_too(void **state)
{
    tl_loop l;

    (void)state;
    start(&l, TL_SUITE_NONE);
    tl_assert_ok(tl_loop_open(&l, 0));
    anchor(&l);
    assert_int_equal(delayed(&l, 10)->verdict, TL_VERDICT_OK);
    assert_int_equal(delayed(&l, 60)->verdict, TL_VERDICT_LATE);
    tl_loop_close(&l);
}

/* Only who has the key can say when a frame was made. */
static void time_when_changed_on_the_way_then_the_frame_never_opens(void **state)
{
    tl_loop l;
    tl_packets p = { 0 };
    tl_loop_message m;

    (void)state;
    start(&l, TL_SUITE_AES128_GMAC);
    tl_assert_ok(tl_loop_open(&l, 0));
    anchor(&l);
    tl_assert_ok(tl_loop_send(&l, &p));
    tl_assert_ok(tl_loop_read(&l.config, p.v[1], &m));
    for (size_t i = 0; i < m.payload_n; i++)
        m.payload[i] =
            (uint8_t)(m.payload[i] + (i >= TL_CONFIG_DIGEST_SIZE && i < TL_CONFIG_DIGEST_SIZE + 8));
    tl_assert_ok(tl_loop_repair(&l.config, p.v[1]));
    l.now_ms += 60;
    tl_assert_ok(tl_loop_receive(&l, &p));
    assert_int_equal(tl_events_count(&l.events, TL_EVENT_OPENED), 0);
    assert_int_equal(tl_events_count(&l.events, TL_EVENT_FRAME), 0);
    tl_packets_free(&p);
    tl_loop_close(&l);
}

/* ---- silence ---- */

static size_t silences(const tl_loop *l)
{
    return tl_events_count(&l->events, TL_EVENT_SILENT);
}

static void monitor_when_frames_come_in_time_then_it_says_nothing(void **state)
{
    tl_loop l;

    (void)state;
    start(&l, TL_SUITE_AES128_GMAC);
    l.config.interval_ms = 33;
    l.config.tolerance_ms = 7;
    tl_assert_ok(tl_loop_open(&l, 0));
    for (int i = 0; i < 20; i++) {
        assert_int_equal(delayed(&l, 0)->verdict, TL_VERDICT_OK);
        assert_int_equal(silences(&l), 0);
        pass(&l, 40);
        tl_stream_rx_tick(&l.rx, l.now_ms);
    }
    assert_int_equal(tl_stream_rx_counters(&l.rx)->silences, 0);
    tl_loop_close(&l);
}

static void monitor_when_no_frame_begins_then_told_once_until_one_does(void **state)
{
    tl_loop l;
    const tl_stream_event *e;

    (void)state;
    start(&l, TL_SUITE_AES128_GMAC);
    l.config.interval_ms = 33;
    l.config.tolerance_ms = 7;
    tl_assert_ok(tl_loop_open(&l, 0));
    (void)delayed(&l, 0);
    for (int i = 0; i < 200; i++) {
        pass(&l, 1);
        tl_stream_rx_tick(&l.rx, l.now_ms);
        assert_int_equal(silences(&l), i < 40 ? 0 : 1);
    }
    e = tl_events_first(&l.events, TL_EVENT_SILENT);
    assert_int_equal(e->count, 41);
    assert_int_equal(e->frame, 100);
    assert_int_equal(e->verdict, TL_VERDICT_LATE);
    assert_int_equal(delayed(&l, 0)->verdict, TL_VERDICT_OK);
    pass(&l, 41);
    tl_stream_rx_tick(&l.rx, l.now_ms);
    assert_int_equal(silences(&l), 1);
    assert_int_equal(tl_stream_rx_counters(&l.rx)->silences, 2);
    tl_loop_close(&l);
}

static void monitor_when_nothing_ever_comes_then_told_from_the_first_look_on(void **state)
{
    tl_loop l;

    (void)state;
    start(&l, TL_SUITE_NONE);
    l.config.interval_ms = 10;
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_stream_rx_tick(&l.rx, l.now_ms);
    tl_stream_rx_tick(&l.rx, l.now_ms + 10);
    assert_int_equal(silences(&l), 0);
    tl_stream_rx_tick(&l.rx, l.now_ms + 11);
    assert_int_equal(silences(&l), 1);
    tl_loop_close(&l);
}

/* Packets that prove nothing are no sign of life. */
static void monitor_when_only_forgeries_come_then_silence_is_told(void **state)
{
    tl_loop l;
    tl_packets p = { 0 };

    (void)state;
    start(&l, TL_SUITE_AES128_GMAC);
    l.config.interval_ms = 33;
    tl_assert_ok(tl_loop_open(&l, 0));
    (void)delayed(&l, 0);
    tl_assert_ok(tl_loop_send(&l, &p));
    for (size_t i = 0; i < p.n; i++) {
        p.v[i].p[p.v[i].n / 2] ^= 1;
        if (i > 0 && i + 1 < p.n) /* frame start and frame end have nothing to put right */
            tl_assert_ok(tl_loop_repair(&l.config, p.v[i]));
    }
    for (int i = 0; i < 10; i++) {
        pass(&l, 5);
        tl_assert_ok(tl_loop_receive(&l, &p));
    }
    assert_int_equal(tl_stream_rx_counters(&l.rx)->silences, 1);
    tl_packets_free(&p);
    tl_loop_close(&l);
}

static void monitor_when_the_clock_is_set_back_then_the_interval_starts_anew(void **state)
{
    tl_loop l;

    (void)state;
    start(&l, TL_SUITE_AES128_GMAC);
    l.config.interval_ms = 33;
    tl_assert_ok(tl_loop_open(&l, 0));
    (void)delayed(&l, 0);
    tl_stream_rx_tick(&l.rx, l.now_ms - 1000);
    tl_stream_rx_tick(&l.rx, l.now_ms - 1000 + 33);
    assert_int_equal(silences(&l), 0);
    tl_stream_rx_tick(&l.rx, l.now_ms - 1000 + 34);
    assert_int_equal(silences(&l), 1);
    tl_loop_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_when_it_comes_at_once_then_its_age_is_bounded_by_the_anchor),
        cmocka_unit_test(frame_when_older_than_allowed_then_late_and_nothing_leaves),
        cmocka_unit_test(delay_when_it_creeps_then_it_is_late_once_it_is_more_than_allowed),
        cmocka_unit_test(age_when_the_clocks_drift_then_it_is_wider_by_as_much),
        cmocka_unit_test(frame_when_from_the_future_then_late_and_its_age_is_unknown),
        cmocka_unit_test(age_when_there_is_no_anchor_then_unknown_and_no_frame_is_late),
        cmocka_unit_test(age_when_numbers_are_extreme_then_no_overflow_makes_a_frame_young),
        cmocka_unit_test(frame_when_without_keys_then_its_age_is_judged_too),
        cmocka_unit_test(time_when_changed_on_the_way_then_the_frame_never_opens),
        cmocka_unit_test(monitor_when_frames_come_in_time_then_it_says_nothing),
        cmocka_unit_test(monitor_when_no_frame_begins_then_told_once_until_one_does),
        cmocka_unit_test(monitor_when_nothing_ever_comes_then_told_from_the_first_look_on),
        cmocka_unit_test(monitor_when_only_forgeries_come_then_silence_is_told),
        cmocka_unit_test(monitor_when_the_clock_is_set_back_then_the_interval_starts_anew),
    };

    return cmocka_run_group_tests_name("safety", tests, open_backend, close_backend);
}
