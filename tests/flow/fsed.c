/* FSED from one end to the other: plain lines, metadata in packets of their own, frames verified where they lie. */
#include "capture.h"
#include "group.h"

static void open_fsed(tl_loop *l)
{
    l->config.carrier = TL_CARRIER_FSED;
    tl_assert_ok(tl_loop_open(l, 0));
}

static void whole_frames(tl_loop *l, unsigned frames)
{
    const tl_stream_counters *counters = tl_stream_rx_counters(&l->rx);
    tl_packets packets = { 0 };
    tl_capture capture;
    tl_verdict verdict;

    for (unsigned i = 0; i < frames; i++) {
        tl_events_clear(&l->events);
        tl_assert_ok(tl_loop_send(l, &packets));
        tl_capture_packets(&capture, &l->rx_config, &packets, 0);
        tl_assert_ok(tl_stream_rx_frame(&l->rx, l->now_ms, &capture.frame, &verdict));
        assert_int_equal(verdict, TL_VERDICT_OK);
        assert_true(tl_capture_is_frame(&capture, &l->config, l->config.first_frame + i));
        assert_int_equal(l->events.n, 2);
        assert_int_equal(l->events.v[0].kind, TL_EVENT_OPENED);
        assert_int_equal(l->events.v[1].kind, TL_EVENT_FRAME);
        assert_int_equal(l->events.v[1].verdict, TL_VERDICT_OK);
        assert_int_equal(l->events.v[1].frame, l->config.first_frame + i);
        assert_int_equal(l->events.v[1].payload.n, 0);
        tl_capture_free(&capture);
        tl_packets_free(&packets);
    }
    assert_int_equal(counters->frames_ok, frames);
    assert_int_equal(counters->messages_ok, frames * (tl_stream_frame_messages(&l->config) + 2));
    assert_int_equal(counters->frames_bad + counters->frames_lost + counters->other_frame, 0);
}

static void frames_when_sent_then_ok_and_in_clear_where_they_lie(void **state)
{
    tl_loop l;

    (void)state;
    tl_loop_init(&l, crypto);
    open_fsed(&l);
    whole_frames(&l, 30);
    tl_loop_close(&l);
}

/* Every valid mix of tag mode, tag size, CRC-32 and variants; a suite of each kind. */
static unsigned one_mix(unsigned mix)
{
    static const tl_suite suites[] = { TL_SUITE_AES128_GMAC, TL_SUITE_AES256_CMAC };
    static const uint8_t sizes[] = { 16, 12, 8 };
    const tl_pattern lines = { 1, 2, 3 };
    unsigned works;
    tl_loop l;

    tl_loop_init(&l, crypto);
    l.config.suite = suites[mix % 2];
    l.config.tag_mode = (tl_tag_mode)(TL_TAG_PER_MESSAGE + mix / 2 % 3);
    l.config.tag_size = sizes[mix / 6 % 3];
    l.config.crc32 = mix / 18 % 2 ? TL_WITH : TL_WITHOUT;
    l.config.variant[TL_BLOCK_TOP] = (uint8_t)(TL_SV_1 + mix / 36 % 2);
    l.config.variant[TL_BLOCK_MIDDLE] = (uint8_t)(TL_SV_1 + mix / 72 % 5);
    if (l.config.variant[TL_BLOCK_MIDDLE] == TL_SV_3 || l.config.variant[TL_BLOCK_MIDDLE] == TL_SV_4)
        l.config.pattern[TL_BLOCK_MIDDLE] = lines;
    l.config.carrier = TL_CARRIER_FSED;
    works = tl_stream_config_check(&l.config, NULL) == TL_OK;
    if (works) {
        open_fsed(&l);
        whole_frames(&l, 2);
    }
    tl_loop_close(&l);
    return works;
}

static void frames_when_any_mode_size_check_and_variant_then_ok(void **state)
{
    unsigned works = 0;

    (void)state;
    for (unsigned mix = 0; mix < 360; mix++)
        works += one_mix(mix);
    assert_int_equal(works, 360 - 20);
}

static void packets_when_sent_then_lines_are_plain_and_metadata_stands_around_them(void **state)
{
    tl_packets packets = { 0 };
    unsigned lines = 0, top = 0, bottom = 0;
    uint8_t payload[90];
    tl_csi2_packet p;
    tl_loop l;

    (void)state;
    tl_loop_init(&l, crypto);
    l.config.variant[TL_BLOCK_MIDDLE] = TL_SV_2;
    open_fsed(&l);
    tl_assert_ok(tl_loop_send(&l, &packets));
    for (size_t i = 0; i < packets.n; i++) {
        unsigned part;
        uint32_t row;
        tl_csi2_read(tl_span_of(packets.v[i].p, packets.v[i].n), &p);
        assert_true(p.ecc == TL_CSI2_ECC_OK && p.crc_right);
        assert_int_equal(p.header.virtual_channel, l.config.virtual_channel);
        if (i == 0 || i == packets.n - 1) {
            assert_int_equal(p.header.data_type, i == 0 ? TL_DT_FRAME_START : TL_DT_FRAME_END);
        } else if (p.header.data_type == TL_FSED_WIRE_TYPE) {
            assert_true(lines == 0 || lines == 23);
            assert_int_equal(p.payload.n, 90);
            *(lines == 0 ? &top : &bottom) += 1;
        } else {
            tl_loop_place(&l.config, lines++, &part, &row);
            tl_loop_payload(&l.config, 100, part, row, payload);
            assert_int_equal(p.header.data_type, l.config.parts[part].data_type);
            assert_int_equal(p.payload.n, l.config.parts[part].length);
            assert_memory_equal(p.payload.p, payload, p.payload.n);
        }
    }
    assert_int_equal(lines, 23);
    assert_true(top == 2 && bottom >= 6);
    tl_packets_free(&packets);
    tl_loop_close(&l);
}

static void frames_when_metadata_packets_have_any_length_then_ok(void **state)
{
    (void)state;
    for (uint16_t length = TL_FSED_HEADER_SIZE + TL_TAG_MAX; length < 900; length = (uint16_t)(length + 13)) {
        tl_loop l;
        tl_loop_init(&l, crypto);
        l.config.fsed_length = length;
        open_fsed(&l);
        whole_frames(&l, 1);
        tl_loop_close(&l);
    }
}

/* ---- the same tags as in SEP ---- */

/* A frame's messages one after the other, H and T, of either carrier. */
static void read_tags(const tl_loop *l, const tl_packets *packets, uint8_t tags[23][16])
{
    uint8_t bottom[2048];
    size_t n = 0;

    for (size_t i = 0; i < packets->n; i++) {
        const tl_env env = { 0 };
        tl_csi2_packet p;
        tl_fsed_packet m;
        tl_rd r;
        tl_csi2_read(tl_span_of(packets->v[i].p, packets->v[i].n), &p);
        r = tl_rd_of(p.payload);
        if (p.header.data_type != TL_FSED_WIRE_TYPE || tl_decode_fsed_packet(&env, &r, &m) != TL_OK ||
            m.position != TL_FSED_BOTTOM)
            continue;
        assert_int_equal(m.offset, n);
        memcpy(bottom + n, r.p, m.used);
        n += m.used;
    }
    for (size_t i = 0; i < 23; i++) {
        tl_loop_message message;
        if (l->config.carrier == TL_CARRIER_FSED) {
            memcpy(tags[i], bottom + 16 * i, 16);
            continue;
        }
        tl_assert_ok(tl_loop_read(&l->config, packets->v[TL_LOOP_LINE + i], &message));
        memcpy(tags[i], message.footer.tag.p, 16);
    }
}

static void tags_when_sep_and_fsed_share_a_key_then_the_same(void **state)
{
    uint8_t tags[2][23][16];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        tl_packets packets = { 0 };
        tl_loop l;
        tl_loop_init(&l, crypto);
        l.config.carrier = i == 0 ? TL_CARRIER_SEP : TL_CARRIER_FSED;
        tl_assert_ok(tl_loop_open(&l, 0));
        tl_assert_ok(tl_loop_send(&l, &packets));
        read_tags(&l, &packets, tags[i]);
        tl_packets_free(&packets);
        tl_loop_close(&l);
    }
    assert_memory_equal(tags[0], tags[1], sizeof tags[0]);
    assert_memory_not_equal(tags[0][0], tags[0][1], 16);
}

/* ---- interface ---- */

static void sender_when_without_its_memory_then_usage_and_no_frame_number_spent(void **state)
{
    tl_buffer memory = { NULL, 0 };
    tl_tx_edge edge;
    uint8_t *bytes;
    tl_loop l;

    (void)state;
    tl_loop_init(&l, crypto);
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_err(TL_E_USAGE, tl_stream_tx_metadata(&l.tx, memory));
    tl_loop_close(&l);
    tl_loop_init(&l, crypto);
    l.config.carrier = TL_CARRIER_FSED;
    tl_assert_ok(tl_loop_source(&l, &l.tx_source, 0));
    tl_assert_ok(tl_stream_tx_init(&l.tx, &l.config, &l.tx_source, 0));
    tl_assert_err(TL_E_USAGE, tl_stream_tx_begin(&l.tx, 1, &edge));
    memory.n = tl_stream_tx_metadata_size(&l.config);
    assert_int_equal(memory.n, 23 * (16 + 4) + 90 + 6);
    bytes = malloc(memory.n);
    memory.p = bytes;
    memory.n--;
    tl_assert_err(TL_E_ROOM, tl_stream_tx_metadata(&l.tx, memory));
    memory.n++;
    tl_assert_ok(tl_stream_tx_metadata(&l.tx, memory));
    tl_assert_ok(tl_stream_tx_begin(&l.tx, 1, &edge));
    assert_int_equal(l.tx.frame, 100);
    tl_loop_close(&l);
    free(bytes);
}

/* The size says what the stream would need over FSED, whichever carrier it has; memory is taken with FSED alone. */
static void metadata_size_when_the_carrier_is_sep_then_the_same_as_with_fsed_and_0_for_no_stream(void **state)
{
    uint8_t byte;
    size_t fsed;
    tl_loop l;

    (void)state;
    tl_loop_init(&l, crypto);
    l.config.carrier = TL_CARRIER_FSED;
    fsed = tl_stream_tx_metadata_size(&l.config);
    assert_int_equal(fsed, 23 * (16 + 4) + 90 + 6);
    l.config.carrier = TL_CARRIER_SEP;
    assert_int_equal(tl_stream_tx_metadata_size(&l.config), fsed);
    l.config.crc32 = TL_WITHOUT;
    assert_int_equal(tl_stream_tx_metadata_size(&l.config), fsed - 23 * 4);
    l.config.tag_mode = TL_TAG_PER_FRAME; /* the end has the one tag */
    assert_int_equal(tl_stream_tx_metadata_size(&l.config), 90 + 6);
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_err(TL_E_USAGE, tl_stream_tx_metadata(&l.tx, (tl_buffer){ &byte, SIZE_MAX }));
    tl_loop_close(&l);
    l.config.tag_size = 11;
    assert_int_equal(tl_stream_tx_metadata_size(&l.config), 0);
    l.config.carrier = TL_CARRIER_FSED;
    assert_int_equal(tl_stream_tx_metadata_size(&l.config), 0);
}

static void receiver_when_of_the_other_carrier_then_usage(void **state)
{
    tl_frame_buffers none = { 0 };
    tl_buffer packet = { NULL, 0 };
    tl_verdict verdict;
    tl_loop l;

    (void)state;
    tl_loop_init(&l, crypto);
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_err(TL_E_USAGE, tl_stream_rx_frame(&l.rx, 0, &none, &verdict));
    tl_loop_close(&l);
    tl_loop_init(&l, crypto);
    open_fsed(&l);
    tl_assert_err(TL_E_USAGE, tl_stream_rx_packets(&l.rx, 0, &packet, 1));
    tl_assert_ok(tl_stream_rx_frame(&l.rx, 0, &none, &verdict));
    assert_int_equal(verdict, TL_VERDICT_GAP);
    assert_int_equal(l.events.n, 0);
    tl_loop_close(&l);
}

static void edge_when_sep_then_gives_its_two_packets(void **state)
{
    tl_tx_edge edge;
    tl_span packet;
    tl_loop l;

    (void)state;
    tl_loop_init(&l, crypto);
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_ok(tl_stream_tx_begin(&l.tx, 1, &edge));
    for (unsigned i = 0; i < 2; i++) {
        assert_true(tl_tx_edge_next(&edge, &packet));
        assert_true(packet.p == edge.packets[i].p && packet.n == edge.packets[i].n);
    }
    assert_false(tl_tx_edge_next(&edge, &packet));
    tl_loop_close(&l);
}

static void keys_when_changed_then_frames_stay_ok(void **state)
{
    tl_loop l;

    (void)state;
    tl_loop_init(&l, crypto);
    open_fsed(&l);
    whole_frames(&l, 1);
    tl_assert_ok(tl_stream_tx_rekey(&l.tx, &l.tx_source, 5));
    tl_assert_ok(tl_stream_rx_rekey(&l.rx, &l.rx_source, 5));
    tl_events_clear(&l.events);
    tl_packets packets = { 0 };
    tl_assert_ok(tl_loop_send(&l, &packets));
    assert_int_equal(tl_capture_receive(&l, &packets), TL_VERDICT_OK);
    assert_int_equal(tl_events_count(&l.events, TL_EVENT_KEY), 1);
    assert_int_equal(l.rx.key.epoch, 5);
    assert_false(l.rx.next_key.held);
    tl_packets_free(&packets);
    tl_loop_close(&l);
}

static void frame_when_the_sender_ends_it_early_then_gap(void **state)
{
    tl_packets packets = { 0 };
    const tl_stream_event *e;
    tl_loop l;

    (void)state;
    tl_loop_init(&l, crypto);
    open_fsed(&l);
    tl_assert_ok(tl_loop_begin(&l, &packets));
    tl_assert_ok(tl_loop_messages(&l, 9, &packets));
    tl_assert_ok(tl_loop_end(&l, &packets));
    assert_int_equal(tl_capture_receive(&l, &packets), TL_VERDICT_GAP);
    e = tl_events_last(&l.events, TL_EVENT_FRAME);
    assert_int_equal(e->count, 14);
    assert_int_equal(e->data_type, TL_DT_RAW12);
    assert_int_equal(e->message, 7);
    assert_int_equal(tl_stream_rx_counters(&l.rx)->messages_ok, 9 + 2);
    tl_packets_free(&packets);
    tl_loop_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_when_sent_then_ok_and_in_clear_where_they_lie),
        cmocka_unit_test(frames_when_any_mode_size_check_and_variant_then_ok),
        cmocka_unit_test(packets_when_sent_then_lines_are_plain_and_metadata_stands_around_them),
        cmocka_unit_test(frames_when_metadata_packets_have_any_length_then_ok),
        cmocka_unit_test(tags_when_sep_and_fsed_share_a_key_then_the_same),
        cmocka_unit_test(sender_when_without_its_memory_then_usage_and_no_frame_number_spent),
        cmocka_unit_test(receiver_when_of_the_other_carrier_then_usage),
        cmocka_unit_test(
            metadata_size_when_the_carrier_is_sep_then_the_same_as_with_fsed_and_0_for_no_stream),
        cmocka_unit_test(edge_when_sep_then_gives_its_two_packets),
        cmocka_unit_test(keys_when_changed_then_frames_stay_ok),
        cmocka_unit_test(frame_when_the_sender_ends_it_early_then_gap),
    };

    return cmocka_run_group_tests_name("fsed", tests, open_backend, close_backend);
}
