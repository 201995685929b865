/* Frames from one end to the other: every combination of what a configuration can ask for, whatever the batching. */
#include "group.h"

static void whole_frames(tl_loop *l, unsigned frames)
{
    tl_packets packets = { 0 };
    uint32_t first = l->config.first_frame;
    const tl_stream_counters *counters = tl_stream_rx_counters(&l->rx);

    for (unsigned i = 0; i < frames; i++) {
        tl_events_clear(&l->events);
        tl_assert_ok(tl_loop_send(l, &packets));
        assert_int_equal(packets.n, tl_stream_frame_messages(&l->config) + 4);
        tl_assert_ok(tl_loop_receive(l, &packets));
        assert_int_equal(tl_events_count(&l->events, TL_EVENT_OPENED), 1);
        assert_int_equal(tl_events_count(&l->events, TL_EVENT_FRAME), 1);
        if (l->rx_config.release == TL_RELEASE_FRAME) {
            assert_int_equal(l->events.n, 2);
            assert_true(tl_loop_is_frame(l, &l->events.v[1], first + i));
        }
        tl_packets_free(&packets);
    }
    assert_int_equal(counters->frames_ok, frames);
    assert_int_equal(counters->messages_ok, frames * (tl_stream_frame_messages(&l->config) + 2));
    assert_int_equal(counters->packets, frames * (tl_stream_frame_messages(&l->config) + 4));
    assert_int_equal(counters->short_packets, frames * 2);
    assert_int_equal(counters->frames_bad + counters->frames_lost + counters->other_frame, 0);
}

static void frame_when_one_is_sent_then_ok_with_its_clock(void **state)
{
    tl_loop l;

    (void)state;
    tl_loop_init(&l, crypto);
    tl_assert_ok(tl_loop_open(&l, 0));
    whole_frames(&l, 1);
    assert_true(l.events.v[0].time_us == 5000000 && l.events.v[1].time_us == 5000000);
    assert_true(l.events.v[0].proven && l.events.v[0].frame == 100);
    assert_ptr_equal(tl_stream_rx_counters(&l.rx), &l.rx.counters);
    tl_loop_close(&l);
}

static void frame_when_a_hundred_are_sent_then_all_ok(void **state)
{
    tl_loop l;

    (void)state;
    tl_loop_init(&l, crypto);
    tl_assert_ok(tl_loop_open(&l, 0));
    whole_frames(&l, 100);
    tl_loop_close(&l);
}

static void one_combination(unsigned bits)
{
    tl_loop l;

    tl_loop_init(&l, crypto);
    for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++)
        l.config.variant[block] = bits >> (block - 1) & 1 ? TL_SV_1 : TL_SV_2;
    l.config.tag_size = bits & 8 ? 12 : 16;
    l.config.crc32 = bits & 16 ? TL_WITHOUT : TL_WITH;
    l.config.suite = bits & 32 ? TL_SUITE_AES256_GMAC : TL_SUITE_AES128_GMAC;
    l.config.release = bits & 64 ? TL_RELEASE_LINE : TL_RELEASE_FRAME;
    tl_assert_ok(tl_loop_open(&l, bits));
    whole_frames(&l, 2);
    tl_loop_close(&l);
}

static void frame_when_any_variant_tag_crc_suite_and_release_then_ok(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 128; bits++)
        one_combination(bits);
}

static void lines_when_released_by_line_then_each_in_order_with_its_payload(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };
    uint8_t payload[90];
    unsigned part;
    uint32_t row;

    (void)state;
    tl_loop_init(&l, crypto);
    l.config.release = TL_RELEASE_LINE;
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_ok(tl_loop_send(&l, &packets));
    tl_assert_ok(tl_loop_receive(&l, &packets));
    assert_int_equal(l.events.n, 23 + 2);
    for (size_t i = 0; i < 23; i++) {
        const tl_stream_event *e = &l.events.v[1 + i];
        tl_loop_place(&l.config, i, &part, &row);
        tl_loop_payload(&l.config, 100, part, row, payload);
        assert_true(e->kind == TL_EVENT_MESSAGE && e->verdict == TL_VERDICT_OK && e->proven);
        assert_int_equal(e->data_type, l.config.parts[part].data_type);
        assert_int_equal(e->message, part == 2 ? 2 + row : row);
        assert_int_equal(e->payload.n, l.config.parts[part].length);
        assert_memory_equal(e->payload.p, payload, e->payload.n);
    }
    assert_int_equal(l.events.v[24].verdict, TL_VERDICT_OK);
    assert_false(l.events.v[24].revoked);
    assert_int_equal(l.events.v[24].payload.n, 0);
    tl_packets_free(&packets);
    tl_loop_close(&l);
}

static void payload_when_encrypted_then_not_on_the_wire_and_in_clear_otherwise(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };
    tl_loop_message m;
    uint8_t payload[90];

    (void)state;
    tl_loop_init(&l, crypto);
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_ok(tl_loop_send(&l, &packets));
    for (size_t i = 0; i < 23; i++) {
        unsigned part;
        uint32_t row;
        tl_loop_place(&l.config, i, &part, &row);
        tl_loop_payload(&l.config, 100, part, row, payload);
        tl_assert_ok(tl_loop_read(&l.config, packets.v[TL_LOOP_LINE + i], &m));
        assert_int_equal(m.payload_n, l.config.parts[part].length);
        if (l.config.variant[l.config.parts[part].block] == TL_SV_1)
            assert_memory_not_equal(m.payload, payload, 8);
        else
            assert_memory_equal(m.payload, payload, m.payload_n);
    }
    tl_packets_free(&packets);
    tl_loop_close(&l);
}

/* ---- parts ---- */

static void frame_when_one_to_eight_parts_then_ok(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= TL_SEP_PARTS_MAX; n++) {
        tl_loop l;
        tl_loop_init(&l, crypto);
        l.config.part_count = (uint8_t)n;
        for (unsigned i = 0; i < n; i++)
            l.config.parts[i] =
                (tl_stream_part){ (uint8_t)(i < 2   ? TL_BLOCK_TOP
                                            : i < 6 ? TL_BLOCK_MIDDLE
                                                    : TL_BLOCK_BOTTOM),
                                  (uint8_t)(TL_DT_RAW8 + i % 4), (uint16_t)(1 + i), (uint16_t)(1 + 7 * i) };
        tl_assert_ok(tl_loop_open(&l, 0));
        whole_frames(&l, 3);
        tl_loop_close(&l);
    }
}

static void frame_when_types_interleave_in_one_block_then_ok(void **state)
{
    tl_loop l;

    (void)state;
    tl_loop_init(&l, crypto);
    l.config.part_count = TL_SEP_PARTS_MAX;
    for (unsigned i = 0; i < TL_SEP_PARTS_MAX; i++)
        l.config.parts[i] = (tl_stream_part){ TL_BLOCK_MIDDLE, (uint8_t)(i % 2 ? TL_DT_RAW8 : TL_DT_RAW12), 3,
                                              (uint16_t)(50 + i) };
    tl_assert_ok(tl_loop_open(&l, 0));
    whole_frames(&l, 3);
    tl_loop_close(&l);
}

static void frame_when_types_arrive_in_another_order_between_them_then_ok(void **state)
{
    tl_loop l;
    tl_packets sent = { 0 }, mixed = { 0 };

    (void)state;
    tl_loop_init(&l, crypto);
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_ok(tl_loop_send(&l, &sent));
    tl_packets_take(&mixed, &sent, 1);
    for (size_t i = 0; i < 20; i++) /* pixels first, then all embedded lines */
        tl_packets_take(&mixed, &sent, TL_LOOP_LINE + 2 + i);
    tl_packets_take(&mixed, &sent, TL_LOOP_LINE);
    tl_packets_take(&mixed, &sent, TL_LOOP_LINE + 1);
    tl_packets_take(&mixed, &sent, TL_LOOP_LINE + 22);
    tl_packets_take(&mixed, &sent, TL_LOOP_LINE + 23);
    tl_assert_ok(tl_loop_receive(&l, &mixed));
    assert_true(tl_loop_is_frame(&l, tl_events_last(&l.events, TL_EVENT_FRAME), 100));
    tl_packets_free(&sent);
    tl_packets_free(&mixed);
    tl_loop_close(&l);
}

static void frame_when_messages_have_one_byte_or_fill_a_packet_then_ok(void **state)
{
    tl_loop l;

    (void)state;
    tl_loop_init(&l, crypto);
    l.config.part_count = 2;
    l.config.parts[0] = (tl_stream_part){ TL_BLOCK_TOP, TL_DT_EMBEDDED, 1, 1 };
    l.config.parts[1] = (tl_stream_part){ TL_BLOCK_MIDDLE, TL_DT_RAW8, 2,
                                          TL_CSI2_PAYLOAD_MAX - TL_SEP_HEADER_SIZE - TL_SEP_FOOTER_MAX };
    tl_assert_ok(tl_loop_open(&l, 0));
    whole_frames(&l, 2);
    tl_loop_close(&l);
}

static void frame_when_a_type_has_65535_messages_then_ok(void **state)
{
    tl_loop l;

    (void)state;
    tl_loop_init(&l, crypto);
    l.tx_batch = l.rx_batch = 64;
    l.config.part_count = 1;
    l.config.parts[0] = (tl_stream_part){ TL_BLOCK_MIDDLE, TL_DT_RAW8, TL_SEP_MESSAGES_MAX, 1 };
    tl_assert_ok(tl_loop_open(&l, 0));
    whole_frames(&l, 1);
    tl_loop_close(&l);
}

/* ---- batches ---- */

static bool same_event(const tl_stream_event *a, const tl_stream_event *b)
{
    return a->kind == b->kind && a->verdict == b->verdict && a->proven == b->proven && a->info == b->info &&
           a->data_type == b->data_type && a->message == b->message && a->frame == b->frame &&
           a->epoch == b->epoch && a->count == b->count && a->packet == b->packet &&
           a->time_us == b->time_us && a->cause == b->cause && a->revoked == b->revoked &&
           a->payload.n == b->payload.n &&
           (a->payload.n == 0 || memcmp(a->payload.p, b->payload.p, a->payload.n) == 0);
}

/* Eight frames with every kind of mischief between them, the same for a given release policy. */
static void mischief(tl_loop *l, tl_packets *list)
{
    tl_packets f[8] = { { 0 } };
    static const uint8_t junk[37] = { 1, 2, 3 };

    for (size_t i = 0; i < 8; i++)
        tl_assert_ok(tl_loop_send(l, &f[i]));
    f[1].v[TL_LOOP_LINE + 4].p[30] ^= 1;
    tl_packets_drop(&f[2], TL_LOOP_LINE + 9);
    tl_packets_swap(&f[3], TL_LOOP_LINE + 5, TL_LOOP_LINE + 6);
    tl_packets_insert(&f[4], TL_LOOP_LINE + 3, tl_span_of(junk, sizeof junk));
    tl_packets_drop(&f[5], 1);
    tl_packets_drop(&f[6], f[6].n - 2);
    tl_packets_insert(&f[7], 9, tl_span_of(f[7].v[8].p, f[7].v[8].n));
    for (size_t i = 0; i < 8; i++) {
        tl_packets_join(list, &f[i]);
        tl_packets_free(&f[i]);
    }
}

static void run_batched(tl_loop *l, size_t tx_batch, size_t rx_batch, tl_release release)
{
    tl_packets packets = { 0 };

    tl_loop_init(l, crypto);
    l->tx_batch = tx_batch;
    l->rx_batch = rx_batch;
    l->config.release = release;
    tl_assert_ok(tl_loop_open(l, 0));
    mischief(l, &packets);
    tl_assert_ok(tl_loop_receive(l, &packets));
    tl_packets_free(&packets);
}

static void events_when_batches_have_any_size_then_the_same(void **state)
{
    (void)state;
    for (int release = TL_RELEASE_FRAME; release <= TL_RELEASE_LINE; release++) {
        tl_loop one, l;
        run_batched(&one, 1, 1, (tl_release)release);
        assert_int_equal(tl_stream_rx_counters(&one.rx)->frames_ok, 2);
        assert_int_equal(tl_stream_rx_counters(&one.rx)->frames_bad, 5);
        assert_int_equal(tl_stream_rx_counters(&one.rx)->frames_lost, 1);
        for (size_t batch = 2; batch <= 100; batch++) {
            run_batched(&l, batch, 101 - batch, (tl_release)release);
            assert_int_equal(l.events.n, one.events.n);
            for (size_t i = 0; i < l.events.n; i++)
                assert_true(same_event(&l.events.v[i], &one.events.v[i]));
            assert_memory_equal(&l.rx.counters, &one.rx.counters, sizeof l.rx.counters);
            tl_loop_close(&l);
        }
        tl_loop_close(&one);
    }
}

/* Where in what was received an event's reason lies: as `packets` counts them. */
static void events_when_a_line_is_changed_or_lost_then_they_name_the_packet(void **state)
{
    (void)state;
    for (unsigned lost = 0; lost < 2; lost++) {
        const size_t line = TL_LOOP_LINE + 5;
        const tl_stream_event *frame;
        tl_packets packets = { 0 };
        tl_loop l;

        tl_loop_init(&l, crypto);
        tl_assert_ok(tl_loop_open(&l, 0));
        whole_frames(&l, 1);
        assert_int_equal(tl_events_first(&l.events, TL_EVENT_OPENED)->packet, 2);
        assert_int_equal(tl_events_first(&l.events, TL_EVENT_FRAME)->packet, 0);
        tl_events_clear(&l.events);
        const uint64_t before = tl_stream_rx_counters(&l.rx)->packets;
        tl_assert_ok(tl_loop_send(&l, &packets));
        if (lost) {
            tl_packets_drop(&packets, line); /* the one behind it shows that */
        } else {
            packets.v[line].p[TL_SEP_BEFORE] ^= 1;
            tl_assert_ok(tl_loop_repair(&l.config, packets.v[line]));
        }
        tl_assert_ok(tl_loop_receive(&l, &packets));
        frame = tl_events_first(&l.events, TL_EVENT_FRAME);
        assert_int_equal(frame->cause, lost ? TL_VERDICT_GAP : TL_VERDICT_TAG);
        assert_int_equal(frame->packet, before + line + 1);
        assert_int_equal(tl_events_first(&l.events, TL_EVENT_OPENED)->packet, before + 2);
        assert_int_equal(tl_events_count(&l.events, TL_EVENT_MESSAGE), !lost);
        if (!lost)
            assert_int_equal(tl_events_first(&l.events, TL_EVENT_MESSAGE)->packet, before + line + 1);
        tl_packets_free(&packets);
        tl_loop_close(&l);
    }
}

static void limits_when_asked_for_then_the_built_in_ones_or_lower_ones(void **state)
{
    tl_loop l;

    (void)state;
    for (unsigned lower = 0; lower < 2; lower++) {
        tl_loop_init(&l, crypto);
        if (lower)
            l.config.limits = (tl_stream_limits){ .messages = 5000, .bad = UINT64_MAX };
        tl_assert_ok(tl_loop_open(&l, 0));
        assert_true(tl_stream_rx_limits(&l.rx)->messages == (lower ? 5000 : (uint64_t)1 << 40));
        assert_true(tl_stream_rx_limits(&l.rx)->bad == (uint64_t)1 << 32);
        tl_loop_close(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_when_one_is_sent_then_ok_with_its_clock),
        cmocka_unit_test(frame_when_a_hundred_are_sent_then_all_ok),
        cmocka_unit_test(frame_when_any_variant_tag_crc_suite_and_release_then_ok),
        cmocka_unit_test(lines_when_released_by_line_then_each_in_order_with_its_payload),
        cmocka_unit_test(payload_when_encrypted_then_not_on_the_wire_and_in_clear_otherwise),
        cmocka_unit_test(frame_when_one_to_eight_parts_then_ok),
        cmocka_unit_test(frame_when_types_interleave_in_one_block_then_ok),
        cmocka_unit_test(frame_when_types_arrive_in_another_order_between_them_then_ok),
        cmocka_unit_test(frame_when_messages_have_one_byte_or_fill_a_packet_then_ok),
        cmocka_unit_test(frame_when_a_type_has_65535_messages_then_ok),
        cmocka_unit_test(events_when_batches_have_any_size_then_the_same),
        cmocka_unit_test(events_when_a_line_is_changed_or_lost_then_they_name_the_packet),
        cmocka_unit_test(limits_when_asked_for_then_the_built_in_ones_or_lower_ones),
    };

    return cmocka_run_group_tests_name("stream", tests, open_backend, close_backend);
}
