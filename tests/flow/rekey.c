/* Key changes: at a frame's begin and without a gap, replaced, at a limit, after a restart; and never a nonce twice. */
#include "chain.h"

static void next_key(tl_loop *l, uint32_t epoch)
{
    tl_assert_ok(tl_stream_rx_rekey(&l->rx, &l->rx_source, epoch));
    tl_assert_ok(tl_stream_tx_rekey(&l->tx, &l->tx_source, epoch));
}

static void rekey_when_in_the_middle_of_a_frame_then_switched_at_the_next_begin(void **state)
{
    chain c;
    tl_loop *l = &c.loop;
    tl_packets packets = { 0 };
    const tl_stream_event *e;

    (void)state;
    start(&c);
    l->rx_batch = 100; /* both frames' packets share batches */
    tl_assert_ok(tl_loop_open(l, 0));
    tl_assert_ok(tl_loop_begin(l, &packets));
    tl_assert_ok(tl_loop_messages(l, 11, &packets));
    next_key(l, 1);
    tl_assert_ok(tl_loop_messages(l, 12, &packets));
    tl_assert_ok(tl_loop_end(l, &packets));
    tl_assert_ok(tl_loop_send(l, &packets));
    assert_int_equal(c.faulty.keys.n, 3); /* the sender's new one, the receiver's two */
    tl_assert_ok(tl_loop_receive(l, &packets));
    assert_int_equal(c.faulty.keys.n, 2);
    assert_int_equal(l->events.n, 5);
    assert_true(tl_loop_is_frame(l, &l->events.v[1], 100));
    assert_int_equal(l->events.v[1].epoch, 0);
    e = &l->events.v[2];
    assert_true(e->kind == TL_EVENT_KEY && e->count == 1 && e->proven && e->verdict == TL_VERDICT_OK);
    assert_true(tl_loop_is_frame(l, &l->events.v[4], 101));
    assert_int_equal(l->events.v[4].epoch, 1);
    tl_packets_free(&packets);
    finish(&c);
}

static void rekey_when_often_and_in_any_batching_then_every_frame_ok(void **state)
{
    (void)state;
    for (size_t batch = 1; batch <= 100; batch += 3) {
        chain c;
        tl_loop *l = &c.loop;
        tl_packets packets = { 0 };
        start(&c);
        l->rx_batch = batch;
        l->config.limits.messages = 3 * 25;
        tl_assert_ok(tl_loop_open(l, 250));
        for (uint32_t e = 251; e < 260; e++) {
            tl_assert_ok(tl_loop_send(l, &packets));
            next_key(l, e);
            tl_assert_ok(tl_loop_send(l, &packets));
            tl_assert_ok(tl_loop_receive(l, &packets));
            tl_packets_free(&packets);
        }
        assert_true(tl_stream_rx_counters(&l->rx)->frames_ok == 18);
        assert_int_equal(tl_events_count(&l->events, TL_EVENT_KEY), 9);
        assert_int_equal(tl_stream_rx_counters(&l->rx)->frames_bad, 0);
        finish(&c);
    }
}

static void rekey_when_refused_then_the_old_key_goes_on(void **state)
{
    chain c;
    tl_loop *l = &c.loop;
    tl_packets packets = { 0 };
    tl_stream_tx before;
    tl_key_source copy;

    (void)state;
    start(&c);
    tl_assert_ok(tl_loop_open(l, 9));
    before = l->tx;
    memcpy(&copy, &l->tx_source, sizeof copy);
    tl_assert_err(TL_E_COPIED, tl_stream_tx_rekey(&l->tx, &copy, 10));
    tl_assert_err(TL_E_EPOCH, tl_stream_tx_rekey(&l->tx, &l->tx_source, 8));
    tl_assert_err(TL_E_EPOCH, tl_stream_tx_rekey(&l->tx, &l->tx_source, 9));
    tl_assert_err(TL_E_EPOCH, tl_stream_tx_rekey(&l->tx, &l->tx_source, 9 + 256));
    tl_assert_err(TL_E_EPOCH, tl_stream_tx_rekey(&l->tx, &l->tx_source, 10 + 1025));
    assert_memory_equal(&before, &l->tx, sizeof before);
    tl_assert_err(TL_E_EPOCH, tl_stream_rx_rekey(&l->rx, &l->rx_source, 9 + 256));
    tl_assert_err(TL_E_EPOCH, tl_stream_rx_rekey(&l->rx, &l->rx_source, 3));
    tl_assert_ok(tl_loop_send(l, &packets));
    tl_assert_ok(tl_loop_receive(l, &packets));
    assert_true(tl_loop_is_frame(l, tl_events_last(&l->events, TL_EVENT_FRAME), 100));
    tl_packets_free(&packets);
    finish(&c);
}

static void rekey_when_the_source_has_another_backend_then_refused(void **state)
{
    chain c;
    tl_loop *l = &c.loop;
    tl_key_source other;
    tl_loop elsewhere;

    (void)state;
    start(&c);
    tl_assert_ok(tl_loop_open(l, 0));
    tl_loop_init(&elsewhere, crypto);
    tl_assert_ok(tl_loop_source(&elsewhere, &other, 0));
    tl_assert_err(TL_E_USAGE, tl_stream_tx_rekey(&l->tx, &other, 1));
    tl_assert_err(TL_E_USAGE, tl_stream_rx_rekey(&l->rx, &other, 1));
    assert_true(other.next == 0);
    assert_false(l->tx.next_key.held);
    assert_false(l->rx.next_key.held);
    tl_key_source_wipe(&other);
    finish(&c);
}

static void rekey_when_the_next_is_unused_then_replaced_at_both_ends(void **state)
{
    chain c;
    tl_loop *l = &c.loop;
    tl_packets packets = { 0 };

    (void)state;
    start(&c);
    tl_assert_ok(tl_loop_open(l, 0));
    next_key(l, 1);
    next_key(l, 4);
    assert_int_equal(c.faulty.keys.n, 4);
    tl_assert_ok(tl_loop_send(l, &packets));
    tl_assert_ok(tl_loop_receive(l, &packets));
    assert_int_equal(tl_events_first(&l->events, TL_EVENT_KEY)->count, 4);
    assert_true(tl_loop_is_frame(l, tl_events_last(&l->events, TL_EVENT_FRAME), 100));
    tl_assert_err(TL_E_EPOCH,
                  tl_stream_tx_rekey(&l->tx, &l->tx_source, 1)); /* its number is not given again */
    tl_packets_free(&packets);
    finish(&c);
}

static void rekey_when_only_the_sender_has_it_then_key_is_the_verdict_and_nothing_opens(void **state)
{
    chain c;
    tl_loop *l = &c.loop;
    tl_packets packets = { 0 };

    (void)state;
    start(&c);
    tl_assert_ok(tl_loop_open(l, 0));
    tl_assert_ok(tl_stream_tx_rekey(&l->tx, &l->tx_source, 1));
    tl_assert_ok(tl_loop_send(l, &packets));
    tl_assert_ok(tl_loop_receive(l, &packets));
    assert_int_equal(tl_events_count(&l->events, TL_EVENT_MESSAGE), 25);
    assert_int_equal(tl_events_count(&l->events, TL_EVENT_OPENED), 0);
    assert_int_equal(l->rx.counters.verdicts[TL_VERDICT_KEY], 25);
    assert_int_equal(tl_events_first(&l->events, TL_EVENT_MESSAGE)->verdict, TL_VERDICT_KEY);
    tl_packets_free(&packets);
    tl_events_clear(&l->events);
    tl_assert_ok(tl_stream_rx_rekey(&l->rx, &l->rx_source, 1));
    tl_assert_ok(tl_loop_send(l, &packets));
    tl_assert_ok(tl_loop_receive(l, &packets));
    assert_int_equal(tl_events_first(&l->events, TL_EVENT_LOST)->count, 1);
    assert_int_equal(tl_events_first(&l->events, TL_EVENT_LOST)->frame, 100);
    assert_true(tl_loop_is_frame(l, tl_events_last(&l->events, TL_EVENT_FRAME), 101));
    tl_packets_free(&packets);
    finish(&c);
}

static void rekey_when_the_begin_under_it_is_forged_then_the_old_key_stays(void **state)
{
    chain c;
    tl_loop *l = &c.loop;
    tl_packets old = { 0 }, packets = { 0 };
    tl_loop_message m;

    (void)state;
    start(&c);
    tl_assert_ok(tl_loop_open(l, 0));
    tl_assert_ok(tl_loop_send(l, &old));
    tl_assert_ok(tl_stream_rx_rekey(&l->rx, &l->rx_source, 1));
    tl_packets_take(&packets, &old, 1);
    tl_assert_ok(tl_loop_read(&l->config, packets.v[0], &m));
    m.header.key = 1;
    tl_assert_ok(tl_loop_write(&l->config, packets.v[0], &m));
    tl_assert_ok(tl_loop_repair(&l->config, packets.v[0]));
    tl_assert_ok(tl_loop_receive(l, &packets));
    assert_int_equal(l->events.n, 1);
    assert_int_equal(l->events.v[0].verdict, TL_VERDICT_TAG);
    assert_int_equal(l->rx.key.epoch, 0);
    assert_true(l->rx.next_key.held && l->rx.next_key.bad == 1 && l->rx.key.bad == 0);
    tl_assert_ok(tl_loop_receive(l, &old));
    assert_true(tl_loop_is_frame(l, tl_events_last(&l->events, TL_EVENT_FRAME), 100));
    tl_packets_free(&old);
    tl_packets_free(&packets);
    finish(&c);
}

/* Two senders of the same stream, epochs 0 and 1: nobody honest makes them, but the receiver must survive them. */
static void rekey_when_a_far_begin_of_the_old_key_shares_the_batch_then_the_new_key_stays(void **state)
{
    chain c;
    tl_loop *l = &c.loop, old;
    tl_packets packets = { 0 }, ahead = { 0 };

    (void)state;
    start(&c);
    l->rx_batch = 100;
    tl_assert_ok(tl_loop_open(l, 0));
    tl_loop_init(&old, crypto);
    tl_assert_ok(tl_loop_open(&old, 0));
    for (int i = 0; i < 5; i++) {
        tl_packets_free(&ahead);
        tl_assert_ok(tl_loop_send(&old, &ahead));
    }
    next_key(l, 1);
    tl_assert_ok(tl_loop_begin(l, &packets));
    tl_packets_take(&packets, &ahead, 1); /* frame 104 under epoch 0, right tag */
    tl_assert_ok(tl_loop_messages(l, 23, &packets));
    tl_assert_ok(tl_loop_end(l, &packets));
    tl_assert_ok(tl_loop_receive(l, &packets));
    assert_true(l->rx.key.held);
    assert_int_equal(l->rx.key.epoch, 1);
    assert_true(tl_loop_is_frame(l, tl_events_last(&l->events, TL_EVENT_FRAME), 100));
    tl_packets_free(&ahead);
    tl_packets_free(&packets);
    tl_loop_close(&old);
    finish(&c);
}

static void packets_of_two_keys_when_side_by_side_in_a_batch_then_each_under_its_own(void **state)
{
    chain c;
    tl_loop *l = &c.loop;
    tl_packets packets = { 0 };

    (void)state;
    start(&c);
    l->rx_batch = 16;
    tl_assert_ok(tl_loop_open(l, 0));
    tl_assert_ok(tl_loop_send(l, &packets));
    next_key(l, 1);
    tl_assert_ok(tl_loop_send(l, &packets));
    tl_packets_drop(&packets, 27); /* the short packets between the frames */
    tl_packets_drop(&packets, 26);
    tl_assert_ok(tl_loop_receive(l, &packets));
    assert_int_equal(l->rx.counters.frames_ok, 2);
    assert_true(tl_loop_is_frame(l, tl_events_last(&l->events, TL_EVENT_FRAME), 101));
    tl_packets_free(&packets);
    finish(&c);
}

/* A second sender with the same keys: what only somebody with the secret can make. */
static void messages_when_right_but_of_another_sender_then_they_do_not_mix(void **state)
{
    tl_loop l, other;
    tl_packets packets = { 0 }, foreign = { 0 };

    (void)state;
    tl_loop_init(&l, crypto);
    tl_loop_init(&other, crypto);
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_ok(tl_loop_open(&other, 0));
    tl_assert_ok(tl_loop_begin(&other, &foreign));
    tl_assert_ok(tl_loop_end(&other, &foreign)); /* an end that says: nothing was sent */
    tl_assert_ok(tl_loop_send(&l, &packets));
    tl_packets_insert(&packets, 10, tl_span_of(foreign.v[2].p, foreign.v[2].n));
    tl_assert_ok(tl_loop_receive(&l, &packets));
    assert_int_equal(tl_events_last(&l.events, TL_EVENT_FRAME)->verdict, TL_VERDICT_HEADER);
    tl_packets_free(&packets);
    tl_packets_free(&foreign);
    tl_loop_close(&other);
    tl_loop_init(&other, crypto); /* the same frame under the next key */
    tl_assert_ok(tl_loop_open(&other, 1));
    tl_stream_tx_abandon(&other.tx);
    tl_assert_ok(tl_loop_send(&other, &foreign));
    tl_packets_free(&foreign);
    tl_assert_ok(tl_loop_send(&other, &foreign));
    tl_assert_ok(tl_stream_rx_rekey(&l.rx, &l.rx_source, 1));
    tl_assert_ok(tl_loop_send(&l, &packets));
    tl_packets_insert(&packets, TL_LOOP_LINE, tl_span_of(foreign.v[4].p, foreign.v[4].n));
    tl_assert_ok(tl_loop_receive(&l, &packets));
    assert_true(tl_loop_is_frame(&l, tl_events_last(&l.events, TL_EVENT_FRAME), 101));
    assert_int_equal(l.rx.counters.verdicts[TL_VERDICT_REPEAT], 0);
    tl_packets_free(&packets);
    tl_packets_free(&foreign);
    tl_loop_close(&other);
    tl_loop_close(&l);
}

static void packets_of_the_old_key_when_the_new_one_is_in_use_then_refused(void **state)
{
    chain c;
    tl_loop *l = &c.loop;
    tl_packets old = { 0 }, packets = { 0 };

    (void)state;
    start(&c);
    tl_assert_ok(tl_loop_open(l, 0));
    tl_assert_ok(tl_loop_send(l, &old));
    tl_assert_ok(tl_loop_receive(l, &old));
    next_key(l, 1);
    tl_assert_ok(tl_loop_send(l, &packets));
    tl_assert_ok(tl_loop_receive(l, &packets));
    tl_events_clear(&l->events);
    tl_assert_ok(tl_loop_receive(l, &old));
    assert_int_equal(l->events.n, 25);
    for (size_t i = 0; i < l->events.n; i++)
        assert_int_equal(l->events.v[i].verdict, TL_VERDICT_KEY);
    tl_packets_free(&old);
    tl_packets_free(&packets);
    finish(&c);
}

/* ---- limits ---- */

static void limit_when_near_then_told_once_per_key(void **state)
{
    chain c;
    tl_loop *l = &c.loop;
    tl_packets packets = { 0 };
    const tl_stream_event *e;

    (void)state;
    start(&c);
    l->config.limits.messages = 8 * 25;
    tl_assert_ok(tl_loop_open(l, 0));
    for (int i = 0; i < 8; i++)
        tl_assert_ok(tl_loop_send(l, &packets));
    tl_assert_ok(tl_loop_receive(l, &packets));
    assert_int_equal(tl_events_count(&l->events, TL_EVENT_LIMIT), 1);
    e = tl_events_first(&l->events, TL_EVENT_LIMIT);
    assert_true(e->verdict == TL_VERDICT_OK && e->epoch == 0);
    assert_int_equal(l->rx.counters.frames_ok, 8);
    tl_packets_free(&packets);
    next_key(l, 1);
    for (int i = 0; i < 8; i++)
        tl_assert_ok(tl_loop_send(l, &packets));
    tl_assert_ok(tl_loop_receive(l, &packets));
    assert_int_equal(tl_events_count(&l->events, TL_EVENT_LIMIT), 2);
    assert_int_equal(tl_events_last(&l->events, TL_EVENT_LIMIT)->epoch, 1);
    assert_int_equal(l->rx.counters.frames_ok, 16);
    tl_packets_free(&packets);
    finish(&c);
}

static void receiver_reaches(tl_stream_limits limits)
{
    chain c;
    tl_loop *l = &c.loop;
    tl_packets packets = { 0 };

    start(&c);
    l->rx_config = l->config;
    l->rx_config.limits = limits;
    tl_assert_ok(tl_loop_open(l, 0));
    for (int i = 0; i < 4; i++)
        tl_assert_ok(tl_loop_send(l, &packets));
    tl_assert_ok(tl_loop_receive(l, &packets));
    assert_int_equal(l->rx.counters.frames_ok, 2);
    assert_true(l->rx.counters.verdicts[TL_VERDICT_LIMIT] > 0);
    assert_int_equal(tl_events_count(&l->events, TL_EVENT_LIMIT), 1);
    tl_packets_free(&packets);
    tl_events_clear(&l->events);
    next_key(l, 1);
    tl_assert_ok(tl_loop_send(l, &packets));
    tl_assert_ok(tl_loop_receive(l, &packets));
    assert_true(tl_loop_is_frame(l, tl_events_last(&l->events, TL_EVENT_FRAME), 104));
    tl_packets_free(&packets);
    finish(&c);
}

static void limit_when_the_receiver_reaches_it_then_nothing_more_under_that_key(void **state)
{
    tl_loop l;

    (void)state;
    tl_loop_init(&l, crypto);
    receiver_reaches((tl_stream_limits){ .messages = 60 });
    receiver_reaches((tl_stream_limits){ .bytes = 5 * tl_stream_frame_bytes(&l.config) / 2 });
}

static void limit_when_too_many_tags_are_wrong_then_the_key_is_done(void **state)
{
    chain c;
    tl_loop *l = &c.loop;
    tl_packets packets = { 0 }, bad = { 0 };

    (void)state;
    start(&c);
    l->rx_batch = 1;
    l->config.limits.bad = 10;
    tl_assert_ok(tl_loop_open(l, 0));
    tl_assert_ok(tl_loop_send(l, &packets));
    for (int i = 0; i < 12; i++) {
        tl_packets_take(&bad, &packets, TL_LOOP_LINE);
        bad.v[i].p[TL_SEP_BEFORE] ^= 1;
        tl_assert_ok(tl_loop_repair(&l->config, bad.v[i]));
    }
    tl_assert_ok(tl_loop_receive(l, &bad));
    assert_int_equal(l->rx.counters.verdicts[TL_VERDICT_TAG], 10);
    assert_int_equal(l->rx.counters.verdicts[TL_VERDICT_LIMIT], 2);
    assert_int_equal(tl_events_count(&l->events, TL_EVENT_LIMIT), 1);
    assert_int_equal(tl_events_first(&l->events, TL_EVENT_LIMIT)->verdict, TL_VERDICT_LIMIT);
    tl_assert_ok(tl_loop_receive(l, &packets));
    assert_int_equal(tl_events_count(&l->events, TL_EVENT_OPENED), 0);
    tl_packets_free(&packets);
    tl_packets_free(&bad);
    finish(&c);
}

static void limit_when_a_message_is_too_long_too_then_limit_is_the_verdict(void **state)
{
    chain c;
    tl_loop *l = &c.loop;
    tl_packets packets = { 0 };
    tl_loop_message m;

    (void)state;
    start(&c);
    l->config.limits.messages = 1;
    l->rx_config = l->config;
    l->config.limits.messages = 0;
    tl_assert_ok(tl_loop_open(l, 0));
    tl_assert_ok(tl_loop_send(l, &packets));
    while (packets.n > 4)
        tl_packets_drop(&packets, 4);
    tl_assert_ok(tl_loop_read(&l->config, packets.v[TL_LOOP_LINE], &m));
    m.header.length = 41;
    tl_assert_ok(tl_loop_write(&l->config, packets.v[TL_LOOP_LINE], &m));
    tl_assert_ok(tl_loop_repair(&l->config, packets.v[TL_LOOP_LINE]));
    tl_assert_ok(tl_loop_receive(l, &packets));
    assert_int_equal(l->rx.counters.verdicts[TL_VERDICT_LENGTH], 0);
    assert_int_equal(l->rx.counters.verdicts[TL_VERDICT_LIMIT], 2);
    tl_packets_free(&packets);
    finish(&c);
}

/* ---- restarts ---- */

static void start_when_stopped_before_then_a_new_epoch_and_never_a_nonce_twice(void **state)
{
    chain c;
    tl_loop *l = &c.loop;
    tl_packets packets = { 0 };
    tl_buffer memory;

    (void)state;
    start(&c);
    tl_assert_ok(tl_loop_open(l, 0));
    memory = (tl_buffer){ l->memory, tl_stream_frame_bytes(&l->config) };
    for (uint32_t epoch = 1; epoch < 20; epoch++) {
        tl_packets_free(&packets);
        tl_assert_ok(tl_loop_send(l, &packets));
        tl_assert_ok(tl_loop_receive(l, &packets));
        assert_true(tl_loop_is_frame(l, tl_events_last(&l->events, TL_EVENT_FRAME), 100));
        tl_stream_tx_wipe(&l->tx);
        tl_stream_rx_wipe(&l->rx);
        l->config.variant[TL_BLOCK_MIDDLE] ^= 3; /* and another configuration each time */
        tl_assert_err(TL_E_EPOCH, tl_stream_tx_init(&l->tx, &l->config, &l->tx_source, epoch - 1));
        tl_assert_ok(tl_stream_tx_init(&l->tx, &l->config, &l->tx_source, epoch));
        tl_assert_ok(
            tl_stream_rx_init(&l->rx, &l->config, &l->rx_source, epoch, memory, tl_events_sink(&l->events)));
    }
    tl_packets_free(&packets);
    finish(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rekey_when_in_the_middle_of_a_frame_then_switched_at_the_next_begin),
        cmocka_unit_test(rekey_when_often_and_in_any_batching_then_every_frame_ok),
        cmocka_unit_test(rekey_when_refused_then_the_old_key_goes_on),
        cmocka_unit_test(rekey_when_the_source_has_another_backend_then_refused),
        cmocka_unit_test(rekey_when_the_next_is_unused_then_replaced_at_both_ends),
        cmocka_unit_test(rekey_when_only_the_sender_has_it_then_key_is_the_verdict_and_nothing_opens),
        cmocka_unit_test(rekey_when_the_begin_under_it_is_forged_then_the_old_key_stays),
        cmocka_unit_test(rekey_when_a_far_begin_of_the_old_key_shares_the_batch_then_the_new_key_stays),
        cmocka_unit_test(packets_of_two_keys_when_side_by_side_in_a_batch_then_each_under_its_own),
        cmocka_unit_test(messages_when_right_but_of_another_sender_then_they_do_not_mix),
        cmocka_unit_test(packets_of_the_old_key_when_the_new_one_is_in_use_then_refused),
        cmocka_unit_test(limit_when_near_then_told_once_per_key),
        cmocka_unit_test(limit_when_the_receiver_reaches_it_then_nothing_more_under_that_key),
        cmocka_unit_test(limit_when_too_many_tags_are_wrong_then_the_key_is_done),
        cmocka_unit_test(limit_when_a_message_is_too_long_too_then_limit_is_the_verdict),
        cmocka_unit_test(start_when_stopped_before_then_a_new_epoch_and_never_a_nonce_twice),
    };

    return cmocka_run_group_tests_name("rekey", tests, open_backend, close_backend);
}
