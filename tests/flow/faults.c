/* Every call of the backend fails once: nothing half-done, nothing left live, no nonce twice, and the next frame is right. */
#include "chain.h"

/* The call after the next n - 1 fails. */
static void fail_in(chain *c, unsigned long n)
{
    c->faulty.failed = false;
    c->faulty.fail_at = c->faulty.calls + n;
}

static void one_good_frame(tl_loop *l)
{
    tl_packets packets = { 0 };

    tl_assert_ok(tl_loop_send(l, &packets));
    tl_assert_ok(tl_loop_receive(l, &packets));
    assert_true(tl_loop_is_frame(l, tl_events_last(&l->events, TL_EVENT_FRAME), l->tx.frame));
    tl_packets_free(&packets);
}

static void open_when_any_call_fails_then_nothing_is_live_and_the_epoch_is_still_there(void **state)
{
    unsigned long n = 1;

    (void)state;
    for (;; n++) {
        chain c;
        tl_key_source source;
        tl_stream_tx tx;
        start(&c);
        tl_assert_ok(tl_loop_source(&c.loop, &source, 0));
        fail_in(&c, n);
        tl_err e = tl_stream_tx_init(&tx, &c.loop.config, &source, 2);
        if (c.faulty.failed) {
            tl_assert_err(TL_E_BACKEND, e);
            tl_faulty_assert_clean(&c.faulty);
            assert_true(source.next == 0);
            tl_stream_tx_wipe(&tx);
            tl_assert_ok(tl_stream_tx_init(&tx, &c.loop.config, &source, 2));
        }
        tl_stream_tx_wipe(&tx);
        tl_key_source_wipe(&source);
        finish(&c);
        if (!c.faulty.failed)
            break;
    }
    assert_true(n > 8);
}

static void receiver_when_any_call_of_its_opening_fails_then_it_can_be_opened_again(void **state)
{
    unsigned long n = 1;
    static uint8_t memory[4096];
    const tl_buffer buffer = { memory, sizeof memory };

    (void)state;
    for (;; n++) {
        chain c;
        tl_key_source source;
        tl_stream_rx rx;
        start(&c);
        tl_assert_ok(tl_loop_source(&c.loop, &source, 0));
        fail_in(&c, n);
        tl_err e = tl_stream_rx_init(&rx, &c.loop.config, &source, 2, buffer, (tl_stream_sink){ NULL, NULL });
        if (c.faulty.failed) {
            tl_assert_err(TL_E_BACKEND, e);
            tl_faulty_assert_clean(&c.faulty);
            assert_true(source.next == 0);
            tl_stream_rx_wipe(&rx);
        }
        if (e != TL_OK)
            tl_assert_ok(
                tl_stream_rx_init(&rx, &c.loop.config, &source, 2, buffer, (tl_stream_sink){ NULL, NULL }));
        tl_stream_rx_wipe(&rx);
        tl_key_source_wipe(&source);
        finish(&c);
        if (!c.faulty.failed)
            break;
    }
    assert_true(n > 8);
}

/* ---- the sender ---- */

/* After a failure a frame can only be given up. */
static void broken(tl_loop *l)
{
    tl_packets packets = { 0 };
    size_t bytes = (size_t)l->config.parts[0].length + TL_SEP_OVERHEAD_MAX;
    uint8_t *buffer = calloc(1, bytes);
    tl_tx_message m = { .data_type = l->config.parts[0].data_type, .length = l->config.parts[0].length };

    assert_non_null(buffer);
    m.buffer = buffer;
    m.room = bytes;
    tl_assert_err(TL_E_STATE, tl_stream_tx_messages(&l->tx, &m, 1));
    tl_assert_err(TL_E_STATE, tl_loop_begin(l, &packets));
    tl_assert_err(TL_E_STATE, tl_loop_end(l, &packets));
    assert_int_equal(packets.n, 0);
    tl_stream_tx_abandon(&l->tx);
    free(buffer);
}

static void send_when_any_call_fails_then_given_up_and_no_nonce_repeats(void **state)
{
    static const size_t batches[] = { 1, 7, 16, 23, 1, 7, 16, 23, 1, 7, 16, 23 };

    (void)state;
    for (size_t b = 0; b < 12; b++) {
        chain c;
        unsigned long n = 1;
        start(&c);
        c.loop.tx_batch = batches[b];
        c.loop.config.tag_mode = (tl_tag_mode)(TL_TAG_PER_MESSAGE + b / 4);
        tl_assert_ok(tl_loop_open(&c.loop, 0));
        for (;; n++) {
            tl_packets packets = { 0 };
            fail_in(&c, n);
            tl_err e = tl_loop_send(&c.loop, &packets);
            if (!c.faulty.failed) {
                tl_assert_ok(e);
                tl_packets_free(&packets);
                break;
            }
            tl_assert_err(TL_E_BACKEND, e);
            broken(&c.loop);
            tl_assert_ok(tl_loop_receive(&c.loop, &packets)); /* what had left before */
            tl_packets_free(&packets);
            c.faulty.fail_at = 0;
            one_good_frame(&c.loop);
        }
        assert_int_equal(c.nonces.repeats, 0);
        assert_true(n > 3);
        assert_int_equal(c.loop.rx.counters.frames_ok, n - 1);
        finish(&c);
    }
}

static void messages_when_the_second_batch_fails_then_no_packet_is_given(void **state)
{
    chain c;
    tl_loop *l = &c.loop;
    tl_packets packets = { 0 };
    static uint8_t buffers[23][90 + TL_SEP_OVERHEAD_MAX];
    tl_tx_message m[23];

    (void)state;
    start(&c);
    tl_assert_ok(tl_loop_open(l, 0));
    tl_assert_ok(tl_loop_begin(l, &packets));
    for (size_t i = 0; i < 23; i++) {
        unsigned part;
        uint32_t row;
        tl_loop_place(&l->config, i, &part, &row);
        m[i] = (tl_tx_message){ .data_type = l->config.parts[part].data_type,
                                .length = l->config.parts[part].length,
                                .buffer = buffers[i],
                                .room = sizeof buffers[i] };
    }
    fail_in(&c, 2);
    tl_assert_err(TL_E_BACKEND, tl_stream_tx_messages(&l->tx, m, 23));
    for (size_t i = 0; i < 23; i++)
        assert_true(m[i].packet.p == NULL && m[i].packet.n == 0);
    broken(l);
    tl_packets_free(&packets);
    one_good_frame(l);
    finish(&c);
}

static void rekey_when_any_call_fails_then_the_old_next_key_stays(void **state)
{
    chain c;
    tl_loop *l = &c.loop;
    unsigned long n = 1;

    (void)state;
    start(&c);
    tl_assert_ok(tl_loop_open(l, 0));
    tl_assert_ok(tl_stream_tx_rekey(&l->tx, &l->tx_source, 1));
    tl_assert_ok(tl_stream_rx_rekey(&l->rx, &l->rx_source, 1));
    for (;; n++) {
        tl_stream_tx before = l->tx;
        fail_in(&c, n);
        tl_err e = tl_stream_tx_rekey(&l->tx, &l->tx_source, 3);
        if (!c.faulty.failed) {
            tl_assert_ok(e);
            break;
        }
        tl_assert_err(TL_E_BACKEND, e);
        assert_memory_equal(&before, &l->tx, sizeof before);
        assert_true(l->tx_source.next == 2);
        assert_int_equal(c.faulty.keys.n, 4);
    }
    assert_true(n > 4);
    c.faulty.fail_at = 0;
    tl_assert_ok(tl_stream_rx_rekey(&l->rx, &l->rx_source, 3));
    one_good_frame(l);
    assert_int_equal(tl_events_first(&l->events, TL_EVENT_KEY)->count, 3);
    finish(&c);
}

/* ---- the receiver ---- */

static void receive_one_failing(tl_tag_mode mode, size_t batch, tl_release release)
{
    for (unsigned long n = 1;; n++) {
        chain c;
        tl_loop *l = &c.loop;
        tl_packets packets = { 0 };

        start(&c);
        l->rx_batch = batch;
        l->config.tag_mode = mode;
        if (release == TL_RELEASE_EARLY)
            l->config.variant[TL_BLOCK_MIDDLE] = TL_SV_2;
        l->config.release = release;
        tl_assert_ok(tl_loop_open(l, 0));
        tl_assert_ok(tl_loop_send(l, &packets));
        fail_in(&c, n);
        tl_err e = tl_loop_receive(l, &packets);
        tl_packets_free(&packets);
        bool failed = c.faulty.failed;
        tl_assert_err(failed ? TL_E_BACKEND : TL_OK, e);
        assert_int_equal(l->rx.counters.frames_ok, failed ? 0 : 1);
        for (size_t i = 0; i < l->events.n && failed; i++)
            assert_false(l->events.v[i].kind == TL_EVENT_FRAME && l->events.v[i].verdict == TL_VERDICT_OK);
        c.faulty.fail_at = 0;
        tl_events_clear(&l->events);
        tl_assert_ok(tl_loop_send(l, &packets));
        tl_assert_ok(tl_loop_receive(l, &packets));
        assert_int_equal(tl_events_last(&l->events, TL_EVENT_FRAME)->verdict, TL_VERDICT_OK);
        assert_int_equal(tl_events_last(&l->events, TL_EVENT_FRAME)->frame, 101);
        if (release == TL_RELEASE_FRAME)
            assert_true(tl_loop_is_frame(l, tl_events_last(&l->events, TL_EVENT_FRAME), 101));
        tl_packets_free(&packets);
        finish(&c);
        if (!failed) {
            assert_true(n > 1);
            break;
        }
    }
}

static void receive_when_any_call_fails_then_error_no_release_and_the_next_frame_is_right(void **state)
{
    static const size_t batches[] = { 1, 2, 5, 16, 27 };

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        receive_one_failing(TL_TAG_PER_MESSAGE, batches[i], TL_RELEASE_FRAME);
        receive_one_failing(TL_TAG_PER_MESSAGE, batches[i], TL_RELEASE_LINE);
        receive_one_failing(TL_TAG_PER_DATA_TYPE, batches[i], TL_RELEASE_FRAME);
        receive_one_failing(TL_TAG_PER_DATA_TYPE, batches[i], TL_RELEASE_EARLY);
        receive_one_failing(TL_TAG_PER_FRAME, batches[i], TL_RELEASE_FRAME);
    }
}

/* One call for a list of tags fails; then lines and end come once more, as whoever can repeat
 * packets can make it. A line was changed, so that the list's tag would be wrong. */
static void list_when_its_backend_failed_once_then_no_repetition_makes_its_frame_right(void **state)
{
    (void)state;
    for (unsigned mode = TL_TAG_PER_DATA_TYPE; mode <= TL_TAG_PER_FRAME; mode++) {
        for (unsigned long n = 1;; n++) {
            chain c;
            tl_loop *l = &c.loop;
            tl_packets packets = { 0 };

            start(&c);
            l->rx_batch = 1;
            l->config.tag_mode = (tl_tag_mode)mode;
            l->config.crc32 = TL_WITHOUT;
            tl_assert_ok(tl_loop_open(l, 0));
            tl_assert_ok(tl_loop_send(l, &packets));
            packets.v[TL_LOOP_LINE + 3].p[TL_SEP_BEFORE] ^= 1;
            tl_assert_ok(tl_csi2_repair(packets.v[TL_LOOP_LINE + 3].p, packets.v[TL_LOOP_LINE + 3].n));
            for (size_t i = TL_LOOP_LINE; i + 1 < packets.n; i += 2)
                tl_packets_insert(&packets, i + 1, tl_span_of(packets.v[i].p, packets.v[i].n));
            fail_in(&c, n);
            tl_err e = tl_loop_receive(l, &packets);
            bool failed = c.faulty.failed;
            tl_assert_err(failed ? TL_E_BACKEND : TL_OK, e);
            assert_int_equal(l->rx.counters.frames_ok, 0);
            tl_packets_free(&packets);
            finish(&c);
            if (!failed) {
                assert_true(n > 40);
                break;
            }
        }
    }
}

/* What was released of a batch that failed: nothing, also of those packets in it that had verified: the batch goes to
 * the backend twice, for the begin's own tag and for the tags of lines that are on a list. */
static void lines_when_a_later_call_for_their_batch_fails_then_none_is_released(void **state)
{
    chain c;
    tl_loop *l = &c.loop;
    tl_packets packets = { 0 }, piece = { 0 };

    (void)state;
    start(&c);
    l->rx_batch = 16;
    l->config.tag_mode = TL_TAG_PER_DATA_TYPE;
    l->config.variant[TL_BLOCK_MIDDLE] = TL_SV_2;
    l->config.release = TL_RELEASE_EARLY;
    tl_assert_ok(tl_loop_open(l, 0));
    tl_assert_ok(tl_loop_send(l, &packets));
    for (size_t i = 0; i < 8; i++)
        tl_packets_take(&piece, &packets, i);
    fail_in(&c, 2);
    tl_assert_err(TL_E_BACKEND, tl_loop_receive(l, &piece));
    assert_int_equal(l->events.n, 0);
    assert_false(l->rx.open);
    assert_int_equal(l->rx.counters.messages_ok, 0);
    tl_packets_free(&packets);
    tl_packets_free(&piece);
    finish(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_when_any_call_fails_then_nothing_is_live_and_the_epoch_is_still_there),
        cmocka_unit_test(receiver_when_any_call_of_its_opening_fails_then_it_can_be_opened_again),
        cmocka_unit_test(send_when_any_call_fails_then_given_up_and_no_nonce_repeats),
        cmocka_unit_test(messages_when_the_second_batch_fails_then_no_packet_is_given),
        cmocka_unit_test(rekey_when_any_call_fails_then_the_old_next_key_stays),
        cmocka_unit_test(receive_when_any_call_fails_then_error_no_release_and_the_next_frame_is_right),
        cmocka_unit_test(list_when_its_backend_failed_once_then_no_repetition_makes_its_frame_right),
        cmocka_unit_test(lines_when_a_later_call_for_their_batch_fails_then_none_is_released),
    };

    return cmocka_run_group_tests_name("faults", tests, open_backend, close_backend);
}
