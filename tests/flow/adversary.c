/* An adversary on the link, with everything that the sender ever sent and as many packets of his own as he likes: what
 * he can spend, what he can blur, and what he never gets. */
#include "group.h"

/* A forgery that reaches the tag check: a frame's first line with a wrong bit, under the key number `key`. */
static void forge(const tl_loop *l, const tl_packets *frame, uint8_t key, tl_packets *out)
{
    tl_loop_message m;
    tl_buffer packet;

    tl_packets_take(out, frame, TL_LOOP_LINE);
    packet = out->v[out->n - 1];
    tl_assert_ok(tl_loop_read(&l->config, packet, &m));
    m.header.key = key;
    m.payload[0] ^= 1;
    tl_assert_ok(tl_loop_write(&l->config, packet, &m));
    tl_assert_ok(tl_loop_repair(&l->config, packet));
}

/* ---- limits ---- */

static void limit_when_wrong_tags_share_a_batch_then_it_is_never_passed(void **state)
{
    static const uint64_t limits[] = { 1, 5, 15, 16, 17, 31, 40 };

    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        tl_loop l;
        tl_packets frame = { 0 }, bad = { 0 };

        tl_loop_init(&l, crypto);
        l.rx_batch = 64;
        l.config.limits.bad = limits[i];
        tl_assert_ok(tl_loop_open(&l, 0));
        tl_assert_ok(tl_loop_send(&l, &frame));
        for (int n = 0; n < 64; n++)
            forge(&l, &frame, 0, &bad);
        tl_assert_ok(tl_loop_receive(&l, &bad));
        assert_int_equal(l.rx.key.bad, limits[i]);
        assert_int_equal(l.rx.counters.verdicts[TL_VERDICT_TAG], limits[i]);
        assert_int_equal(l.rx.counters.verdicts[TL_VERDICT_LIMIT], 64 - limits[i]);
        tl_packets_free(&frame);
        tl_packets_free(&bad);
        tl_loop_close(&l);
    }
}

static void limit_when_one_wrong_tag_is_left_then_right_messages_still_pass(void **state)
{
    tl_loop l;
    tl_packets frame = { 0 }, bad = { 0 };

    (void)state;
    tl_loop_init(&l, crypto);
    l.rx_batch = 64;
    l.config.limits.bad = 10;
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_ok(tl_loop_send(&l, &frame));
    for (int n = 0; n < 9; n++)
        forge(&l, &frame, 0, &bad);
    tl_assert_ok(tl_loop_receive(&l, &bad));
    tl_assert_ok(tl_loop_receive(&l, &frame));
    assert_int_equal(l.rx.key.bad, 9);
    assert_true(tl_loop_is_frame(&l, tl_events_last(&l.events, TL_EVENT_FRAME), 100));
    tl_packets_free(&frame);
    tl_packets_free(&bad);
    tl_loop_close(&l);
}

/* Nothing under the next key has verified yet, so only the event can say that it is worth nothing any more. */
static void next_key_when_forgeries_spend_it_then_told_and_a_newer_one_serves(void **state)
{
    tl_loop l;
    tl_packets frame = { 0 }, bad = { 0 }, after = { 0 };
    const tl_stream_event *e;

    (void)state;
    tl_loop_init(&l, crypto);
    l.config.limits.bad = 20;
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_ok(tl_loop_send(&l, &frame));
    tl_assert_ok(tl_stream_rx_rekey(&l.rx, &l.rx_source, 1));
    for (int n = 0; n < 20; n++)
        forge(&l, &frame, 1, &bad);
    tl_assert_ok(tl_loop_receive(&l, &bad));
    assert_int_equal(l.rx.next_key.bad, 20);
    assert_int_equal(tl_events_count(&l.events, TL_EVENT_LIMIT), 1);
    e = tl_events_first(&l.events, TL_EVENT_LIMIT);
    assert_int_equal(e->epoch, 1);
    tl_assert_ok(tl_stream_rx_rekey(&l.rx, &l.rx_source, 2));
    tl_assert_ok(tl_stream_tx_rekey(&l.tx, &l.tx_source, 2));
    tl_assert_ok(tl_loop_receive(&l, &frame));
    assert_true(tl_loop_is_frame(&l, tl_events_last(&l.events, TL_EVENT_FRAME), 100));
    tl_assert_ok(tl_loop_send(&l, &after));
    tl_assert_ok(tl_loop_receive(&l, &after));
    assert_true(tl_loop_is_frame(&l, tl_events_last(&l.events, TL_EVENT_FRAME), 101));
    assert_int_equal(tl_events_count(&l.events, TL_EVENT_LIMIT), 1);
    tl_packets_free(&frame);
    tl_packets_free(&bad);
    tl_packets_free(&after);
    tl_loop_close(&l);
}

/* ---- time ---- */

static void frame_when_the_clock_is_set_back_then_neither_cut_nor_open_for_ever(void **state)
{
    tl_loop l;
    tl_packets begin = { 0 }, rest = { 0 };

    (void)state;
    tl_loop_init(&l, crypto);
    l.now_ms = 1000000;
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_ok(tl_loop_begin(&l, &begin));
    tl_assert_ok(tl_loop_receive(&l, &begin));
    tl_stream_rx_tick(&l.rx, 999999);
    tl_stream_rx_tick(&l.rx, 5);
    assert_int_equal(tl_events_count(&l.events, TL_EVENT_FRAME), 0);
    tl_stream_rx_tick(&l.rx, 505);
    assert_int_equal(tl_events_count(&l.events, TL_EVENT_FRAME), 0);
    tl_stream_rx_tick(&l.rx, 506);
    assert_int_equal(tl_events_count(&l.events, TL_EVENT_FRAME), 1);
    assert_int_equal(tl_events_last(&l.events, TL_EVENT_FRAME)->verdict, TL_VERDICT_CUT);
    tl_packets_free(&begin);
    tl_packets_free(&rest);
    tl_loop_close(&l);
}

/* ---- order ---- */

static void start_tall(tl_loop *l)
{
    tl_loop_init(l, crypto);
    l->config.parts[1].count = 400;
    l->rx_batch = 64;
    tl_assert_ok(tl_loop_open(l, 0));
}

static void lines_when_sent_backwards_then_order_and_none_is_missing(void **state)
{
    tl_loop l;
    tl_packets frame = { 0 };
    const tl_stream_event *e;

    (void)state;
    start_tall(&l);
    tl_assert_ok(tl_loop_send(&l, &frame));
    for (size_t i = 0; i < 200; i++)
        tl_packets_swap(&frame, TL_LOOP_LINE + 2 + i, TL_LOOP_LINE + 2 + 399 - i);
    tl_assert_ok(tl_loop_receive(&l, &frame));
    e = tl_events_last(&l.events, TL_EVENT_FRAME);
    assert_int_equal(e->verdict, TL_VERDICT_ORDER);
    assert_int_equal(e->count, 0);
    assert_int_equal(l.rx.counters.verdicts[TL_VERDICT_ORDER], 399);
    tl_packets_free(&frame);
    tl_loop_close(&l);
}

/* A line that came is told as a repeat however far back, also between lines that are missing. */
static void line_when_repeated_among_missing_ones_then_repeat(void **state)
{
    tl_loop l;
    tl_packets frame = { 0 };
    const tl_stream_event *e;

    (void)state;
    start_tall(&l);
    tl_assert_ok(tl_loop_send(&l, &frame));
    tl_packets_take(&frame, &frame, TL_LOOP_LINE + 2 + 21);
    tl_packets_swap(&frame, frame.n - 1, frame.n - 3); /* in front of the end */
    tl_packets_swap(&frame, frame.n - 1, frame.n - 2);
    tl_packets_drop(&frame, TL_LOOP_LINE + 2 + 22);
    tl_packets_drop(&frame, TL_LOOP_LINE + 2 + 20);
    tl_assert_ok(tl_loop_receive(&l, &frame));
    e = tl_events_last(&l.events, TL_EVENT_FRAME);
    assert_int_equal(e->verdict, TL_VERDICT_REPEAT);
    assert_int_equal(e->count, 2);
    assert_int_equal(l.rx.counters.verdicts[TL_VERDICT_REPEAT], 1);
    assert_int_equal(l.rx.counters.verdicts[TL_VERDICT_ORDER], 0);
    tl_packets_free(&frame);
    tl_loop_close(&l);
}

/* More runs of missing lines than the receiver keeps in mind: the oldest late ones count as repeats, never as ok. */
static void lines_when_every_other_is_late_then_never_ok(void **state)
{
    tl_loop l;
    tl_packets frame = { 0 }, mixed = { 0 };
    const tl_stream_event *e;

    (void)state;
    start_tall(&l);
    tl_assert_ok(tl_loop_send(&l, &frame));
    for (size_t i = 0; i < TL_LOOP_LINE + 2; i++)
        tl_packets_take(&mixed, &frame, i);
    for (size_t half = 0; half < 2; half++)
        for (size_t i = 1 - half; i < 400; i += 2)
            tl_packets_take(&mixed, &frame, TL_LOOP_LINE + 2 + i);
    for (size_t i = TL_LOOP_LINE + 402; i < frame.n; i++)
        tl_packets_take(&mixed, &frame, i);
    tl_assert_ok(tl_loop_receive(&l, &mixed));
    e = tl_events_last(&l.events, TL_EVENT_FRAME);
    assert_int_equal(l.rx.counters.verdicts[TL_VERDICT_ORDER], TL_RX_GAPS);
    assert_int_equal(l.rx.counters.verdicts[TL_VERDICT_REPEAT], 200 - TL_RX_GAPS);
    assert_int_equal(e->verdict, TL_VERDICT_REPEAT);
    assert_int_equal(e->count, 200 - TL_RX_GAPS);
    tl_packets_free(&frame);
    tl_packets_free(&mixed);
    tl_loop_close(&l);
}

/* The list of missing runs is full: 0 to 2, 4, 6, ... Then line 1 cuts the lowest in two, and `half`, 0 or 2, comes. */
static void cut_the_lowest_gap(size_t half, uint64_t order, uint64_t repeat, uint32_t missing)
{
    enum { FIRST = TL_LOOP_LINE + 2, ROWS = 400, HIGHEST = 3 + 2 * (TL_RX_GAPS - 1) };
    tl_loop l;
    tl_packets frame = { 0 }, mixed = { 0 };
    const tl_stream_event *e;

    start_tall(&l);
    tl_assert_ok(tl_loop_send(&l, &frame));
    for (size_t i = 0; i < FIRST; i++)
        tl_packets_take(&mixed, &frame, i);
    for (size_t i = 3; i <= HIGHEST; i += 2)
        tl_packets_take(&mixed, &frame, FIRST + i);
    tl_packets_take(&mixed, &frame, FIRST + 1);
    tl_packets_take(&mixed, &frame, FIRST + half);
    for (size_t i = 4; i < HIGHEST; i += 2)
        tl_packets_take(&mixed, &frame, FIRST + i);
    for (size_t i = HIGHEST + 1; i < ROWS; i++)
        tl_packets_take(&mixed, &frame, FIRST + i);
    for (size_t i = FIRST + ROWS; i < frame.n; i++)
        tl_packets_take(&mixed, &frame, i);
    tl_assert_ok(tl_loop_receive(&l, &mixed));
    e = tl_events_last(&l.events, TL_EVENT_FRAME);
    assert_int_not_equal(e->verdict, TL_VERDICT_OK);
    assert_int_equal(e->count, missing);
    assert_int_equal(l.rx.counters.verdicts[TL_VERDICT_ORDER], order);
    assert_int_equal(l.rx.counters.verdicts[TL_VERDICT_REPEAT], repeat);
    tl_packets_free(&frame);
    tl_packets_free(&mixed);
    tl_loop_close(&l);
}

static void line_when_late_in_the_lowest_of_too_many_gaps_then_what_lies_below_it_is_forgotten(void **state)
{
    (void)state;
    cut_the_lowest_gap(2, 2 + TL_RX_GAPS - 1, 0, 1);
    cut_the_lowest_gap(0, 1 + TL_RX_GAPS - 1, 1, 2);
}

/* ---- anything at all ---- */

/* What the sink of the storm holds the receiver to. */
typedef struct witness {
    const tl_stream_config *config;
    uint64_t next; /* lowest frame that may come */
    uint32_t lines, frames_ok;
    bool open;
    uint32_t frame;
} witness;

static void watch(void *ctx, const tl_stream_event *v)
{
    witness *w = ctx;
    static uint8_t bytes[8192];

    switch (v->kind) {
    case TL_EVENT_OPENED:
        assert_false(w->open);
        assert_true(v->frame >= w->next);
        w->next = (uint64_t)v->frame + 1;
        w->open = true;
        w->frame = v->frame;
        w->lines = 0;
        break;
    case TL_EVENT_MESSAGE:
        if (v->verdict != TL_VERDICT_OK) {
            assert_null(v->payload.p);
            break;
        }
        assert_true(w->open && v->frame == w->frame);
        for (size_t i = 0;; i++) {
            unsigned part;
            uint32_t row;

            tl_loop_place(w->config, i, &part, &row);
            if (w->config->parts[part].data_type != v->data_type ||
                row + (part == 2 ? w->config->parts[0].count : 0u) != v->message)
                continue;
            assert_int_equal(v->payload.n, w->config->parts[part].length);
            tl_loop_payload(w->config, v->frame, part, row, bytes);
            assert_memory_equal(v->payload.p, bytes, v->payload.n);
            break;
        }
        w->lines++;
        break;
    case TL_EVENT_FRAME:
        assert_true(w->open && v->frame == w->frame);
        w->open = false;
        assert_int_equal(v->revoked, v->verdict != TL_VERDICT_OK && w->lines > 0);
        if (v->verdict != TL_VERDICT_OK)
            break;
        w->frames_ok++;
        if (v->payload.p == NULL) {
            assert_int_equal(w->lines, tl_stream_frame_messages(w->config));
            break;
        }
        assert_int_equal(v->payload.n, tl_stream_frame_bytes(w->config));
        tl_loop_frame(w->config, v->frame, bytes);
        assert_memory_equal(v->payload.p, bytes, v->payload.n);
        break;
    default: break;
    }
}

/* One packet of anything that was ever sent, of this session or another one, changed or not. */
static void add_storm(tl_rng *rng, const tl_loop *l, const tl_packets *pool, tl_packets *out)
{
    tl_packets_take(out, pool, tl_random_below(rng, pool->n));
    tl_buffer p = out->v[out->n - 1];

    if (tl_random_below(rng, 3) == 0)
        p.p[tl_random_below(rng, p.n)] ^= (uint8_t)(1u << tl_random_below(rng, 8));
    /* What no longer has the form of a message keeps its wrong checksums. */
    if (tl_random_below(rng, 2) == 0 && tl_loop_repair(&l->config, p) != TL_OK)
        return;
}

/* What is to come, with packets moved, doubled, taken out and put in; then whole frames undisturbed. */
static void disturb(tl_rng *rng, const tl_loop *l, const tl_packets *pool, tl_packets *frame)
{
    for (size_t n = tl_random_below(rng, 4); n > 0; n--) {
        size_t a = tl_random_below(rng, frame->n), b = tl_random_below(rng, frame->n);
        tl_packets extra = { 0 };

        switch (tl_random_below(rng, 5)) {
        case 0: tl_packets_swap(frame, a, b); break;
        case 1: tl_packets_drop(frame, a); break;
        case 2: tl_packets_insert(frame, b, tl_span_of(frame->v[a].p, frame->v[a].n)); break;
        default:
            add_storm(rng, l, pool, &extra);
            tl_packets_insert(frame, a, tl_span_of(extra.v[0].p, extra.v[0].n));
            tl_packets_free(&extra);
            break;
        }
    }
}

static void storm(tl_rng *rng, tl_tag_mode mode, tl_release release)
{
    tl_loop l, other;
    tl_packets pool = { 0 }, packets = { 0 };
    witness w = { 0 };
    uint32_t epoch = 0;

    tl_loop_init(&l, crypto);
    l.config.tag_mode = mode;
    l.config.release = release;
    l.rx_batch = 1 + tl_random_below(rng, 40);
    tl_loop_init(&other, crypto);
    other.config = l.config;
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_ok(tl_loop_open(&other, 1)); /* the same secret, another epoch */
    w.config = &l.config;
    w.next = l.config.first_frame;
    l.rx.sink = (tl_stream_sink){ &w, watch };
    for (int i = 0; i < 3; i++)
        tl_assert_ok(tl_loop_send(&other, &pool));
    for (int i = 0; i < 60; i++) {
        tl_packets_free(&packets);
        if (tl_random_below(rng, 8) == 0) {
            epoch++;
            tl_assert_ok(tl_stream_rx_rekey(&l.rx, &l.rx_source, epoch));
            tl_assert_ok(tl_stream_tx_rekey(&l.tx, &l.tx_source, epoch));
        }
        tl_assert_ok(tl_loop_send(&l, &packets));
        tl_packets_join(&pool, &packets);
        disturb(rng, &l, &pool, &packets);
        l.now_ms += tl_random_below(rng, 300);
        tl_assert_ok(tl_loop_receive(&l, &packets));
    }
    assert_true(w.frames_ok > 0);
    assert_int_equal(l.rx.counters.frames_ok, w.frames_ok);
    tl_packets_free(&pool);
    tl_packets_free(&packets);
    tl_loop_close(&l);
    tl_loop_close(&other);
}

static void storm_when_anything_comes_then_only_what_was_sent_leaves(void **state)
{
    tl_rng rng = tl_random_start("storm_when_anything_comes_then_only_what_was_sent_leaves");

    (void)state;
    for (int i = 0; i < 80; i++)
        switch (i % 4) {
        case 0: storm(&rng, TL_TAG_PER_MESSAGE, TL_RELEASE_FRAME); break;
        case 1: storm(&rng, TL_TAG_PER_MESSAGE, TL_RELEASE_LINE); break;
        case 2: storm(&rng, TL_TAG_PER_DATA_TYPE, TL_RELEASE_FRAME); break;
        default: storm(&rng, TL_TAG_PER_FRAME, TL_RELEASE_FRAME); break;
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limit_when_wrong_tags_share_a_batch_then_it_is_never_passed),
        cmocka_unit_test(limit_when_one_wrong_tag_is_left_then_right_messages_still_pass),
        cmocka_unit_test(next_key_when_forgeries_spend_it_then_told_and_a_newer_one_serves),
        cmocka_unit_test(frame_when_the_clock_is_set_back_then_neither_cut_nor_open_for_ever),
        cmocka_unit_test(lines_when_sent_backwards_then_order_and_none_is_missing),
        cmocka_unit_test(line_when_repeated_among_missing_ones_then_repeat),
        cmocka_unit_test(lines_when_every_other_is_late_then_never_ok),
        cmocka_unit_test(line_when_late_in_the_lowest_of_too_many_gaps_then_what_lies_below_it_is_forgotten),
        cmocka_unit_test(storm_when_anything_comes_then_only_what_was_sent_leaves),
    };

    return cmocka_run_group_tests(tests, open_backend, close_backend);
}
