/* Packets of somebody without the key, in between and in place of the sender's: they move no state, and who only adds
 * them costs no frame. */
#include "group.h"

/* A loop with one frame received, the next one's packets at hand. */
typedef struct scene {
    tl_loop loop;
    tl_packets old, frame;
} scene;

static void start(scene *s)
{
    memset(s, 0, sizeof *s);
    tl_loop_init(&s->loop, crypto);
    tl_assert_ok(tl_loop_open(&s->loop, 0));
    tl_assert_ok(tl_loop_send(&s->loop, &s->old));
    tl_assert_ok(tl_loop_receive(&s->loop, &s->old));
    tl_assert_ok(tl_loop_send(&s->loop, &s->frame));
    tl_events_clear(&s->loop.events);
}

static void finish(scene *s)
{
    tl_packets_free(&s->old);
    tl_packets_free(&s->frame);
    tl_loop_close(&s->loop);
}

/* The receiver without what a claim may touch: counters, what is blamed, working memory. */
static tl_stream_rx state_of(const tl_stream_rx *rx)
{
    tl_stream_rx s;

    memcpy(&s, rx, sizeof s);
    memset(&s.counters, 0, sizeof s.counters);
    memset(&s.claimed, 0, sizeof s.claimed);
    memset(&s.claimed_cause, 0, sizeof s.claimed_cause);
    s.key.messages = s.key.bytes = s.key.bad = 0;
    s.next_key.messages = s.next_key.bytes = s.next_key.bad = 0;
    return s;
}

/* Hands over one packet that must change nothing; gives the verdict of its event, or ok if it had none. */
static tl_verdict harmless(tl_loop *l, tl_buffer packet)
{
    tl_packets one = { 0 };
    tl_stream_rx before = state_of(&l->rx), after;
    size_t n = l->events.n;

    tl_packets_add(&one, tl_span_of(packet.p, packet.n));
    tl_assert_ok(tl_loop_receive(l, &one));
    tl_packets_free(&one);
    after = state_of(&l->rx);
    assert_memory_equal(&before, &after, sizeof before);
    assert_true(l->events.n <= n + 1);
    if (l->events.n == n)
        return TL_VERDICT_OK;
    assert_int_equal(l->events.v[n].kind, TL_EVENT_MESSAGE);
    assert_int_not_equal(l->events.v[n].verdict, TL_VERDICT_OK);
    assert_null(l->events.v[n].payload.p);
    assert_false(l->events.v[n].proven);
    return l->events.v[n].verdict;
}

/* A copy of a packet with other header fields, and checksums to match. */
static tl_verdict forged(scene *s, size_t at, const tl_sep_header *h)
{
    tl_packets one = { 0 };
    tl_loop_message m;
    tl_verdict verdict;

    tl_packets_take(&one, &s->frame, at);
    tl_assert_ok(tl_loop_read(&s->loop.config, one.v[0], &m));
    m.header = *h;
    tl_assert_ok(tl_loop_write(&s->loop.config, one.v[0], &m));
    tl_assert_ok(tl_loop_repair(&s->loop.config, one.v[0]));
    verdict = harmless(&s->loop, one.v[0]);
    tl_packets_free(&one);
    return verdict;
}

#define FORGED(expected, change)                                                                             \
    do {                                                                                                     \
        tl_sep_header h = m.header;                                                                          \
        change;                                                                                              \
        assert_int_equal(forged(s, at, &h), expected);                                                       \
    } while (0)

/* Every field of the header of packet `at`. */
static void forge_fields(scene *s, size_t at)
{
    tl_loop_message m;
    bool line = at >= TL_LOOP_LINE && at < s->frame.n - 2;

    tl_assert_ok(tl_loop_read(&s->loop.config, s->frame.v[at], &m));
    FORGED(TL_VERDICT_HEADER, h.version ^= 2);
    FORGED(TL_VERDICT_HEADER, h.flags = 1);
    FORGED(TL_VERDICT_HEADER, h.flags = 0x200);
    FORGED(TL_VERDICT_HEADER, h.count = 1);
    FORGED(TL_VERDICT_HEADER, h.stream = 0x1235);
    FORGED(TL_VERDICT_HEADER, h.stream = 0);
    FORGED(TL_VERDICT_HEADER, h.block ^= 1);
    FORGED(TL_VERDICT_HEADER, h.data_type = 0);
    FORGED(TL_VERDICT_HEADER, h.data_type = TL_DT_RAW14);
    FORGED(TL_VERDICT_HEADER, h.message = 0xFFFF);
    FORGED(TL_VERDICT_HEADER, h.message = 20);
    FORGED(TL_VERDICT_KEY, h.key = 1);
    FORGED(TL_VERDICT_KEY, h.key = 255);
    FORGED(TL_VERDICT_LENGTH, h.length++);
    FORGED(TL_VERDICT_LENGTH, h.length = 0);
    FORGED(TL_VERDICT_TAG, h.frame++);
    FORGED(TL_VERDICT_TAG, h.frame = 100);
    FORGED(TL_VERDICT_TAG, h.frame = 0);
    FORGED(TL_VERDICT_TAG, h.frame = UINT32_MAX);
    if (line)
        FORGED(TL_VERDICT_TAG, h.message = (h.message + 1) % 2);
    else
        FORGED(TL_VERDICT_TAG, h.message = 1 - h.message); /* a begin for an end */
}

static void header_when_any_field_is_forged_then_nothing_moves(void **state)
{
    static const size_t at[] = { 1, TL_LOOP_LINE, TL_LOOP_LINE + 2, 25 };
    scene s;
    tl_packets piece = { 0 };

    (void)state;
    for (int open = 0; open < 2; open++) {
        start(&s);
        if (open) {
            for (size_t i = 0; i < 5; i++)
                tl_packets_take(&piece, &s.frame, i);
            tl_assert_ok(tl_loop_receive(&s.loop, &piece));
            tl_packets_free(&piece);
        }
        for (size_t i = 0; i < sizeof at / sizeof *at; i++)
            forge_fields(&s, at[i]);
        for (size_t i = open ? 5 : 0; i < s.frame.n; i++)
            tl_packets_take(&piece, &s.frame, i);
        tl_assert_ok(tl_loop_receive(&s.loop, &piece));
        tl_packets_free(&piece);
        assert_true(tl_loop_is_frame(&s.loop, tl_events_last(&s.loop.events, TL_EVENT_FRAME), 101));
        finish(&s);
    }
}

static void packet_when_any_bit_is_flipped_then_never_ok_and_nothing_moves(void **state)
{
    scene s;

    (void)state;
    start(&s);
    for (size_t at = 1; at < 4; at += 2) {
        for (size_t bit = 8 * TL_CSI2_HEADER_SIZE; bit < 8 * (s.frame.v[at].n - TL_CSI2_FOOTER_SIZE); bit++) {
            tl_packets one = { 0 };
            tl_loop_message m;
            bool in_crc32;
            tl_packets_take(&one, &s.frame, at);
            tl_assert_ok(tl_loop_read(&s.loop.config, one.v[0], &m));
            one.v[0].p[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(harmless(&s.loop, one.v[0]), TL_VERDICT_CRC16);
            tl_assert_ok(tl_loop_read(&s.loop.config, one.v[0], &m));
            in_crc32 = memcmp(m.footer.tag.p, s.frame.v[at].p + (m.footer.tag.p - one.v[0].p), 16) == 0 &&
                       bit / 8 >= TL_SEP_BEFORE + m.payload_n;
            tl_assert_ok(tl_loop_repair(&s.loop.config, one.v[0]));
            if (!in_crc32 && memcmp(one.v[0].p, s.frame.v[at].p, one.v[0].n) != 0)
                assert_int_not_equal(harmless(&s.loop, one.v[0]), TL_VERDICT_OK);
            tl_packets_free(&one);
        }
    }
    finish(&s);
}

static void garbage_when_of_any_length_then_nothing_moves(void **state)
{
    tl_rng rng = tl_random_start("garbage");
    uint8_t bytes[200];
    scene s;

    (void)state;
    start(&s);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        for (int kind = 0; kind < 6; kind++) {
            tl_csi2_header h = { 1, TL_SEP_WIRE_TYPE, (uint16_t)(n >= 6 ? n - 6 : 0) };
            tl_wr w = tl_wr_of(bytes, n);
            tl_random_fill(&rng, bytes, n);
            if (kind == 1)
                memset(bytes, 0, n);
            if (kind == 2)
                memset(bytes, 0xFF, n);
            if (kind >= 3 &&
                n >= 6) { /* a right packet around garbage, or around the start of a real message */
                tl_assert_ok(tl_csi2_header_write(&h, &w));
                if (kind > 3) {
                    tl_buffer real = s.frame.v[kind == 4 ? 1 : 4];
                    memcpy(bytes + 4, real.p + 4, (n < real.n ? n : real.n) - 6);
                }
                if (n > TL_SEP_BEFORE + TL_CSI2_FOOTER_SIZE)
                    bytes[TL_SEP_BEFORE] ^= 1; /* the begin may be whole */
                tl_assert_ok(tl_csi2_repair(bytes, n));
            }
            (void)harmless(&s.loop, (tl_buffer){ bytes, n });
        }
    }
    tl_assert_ok(tl_loop_receive(&s.loop, &s.frame));
    assert_true(tl_loop_is_frame(&s.loop, tl_events_last(&s.loop.events, TL_EVENT_FRAME), 101));
    finish(&s);
}

/* ---- other streams, other sessions ---- */

static void frame_when_of_another_session_then_tags_are_wrong(void **state)
{
    scene s;
    tl_loop other;
    tl_packets packets = { 0 };
    tl_key_source source;

    (void)state;
    start(&s);
    tl_loop_init(&other, crypto);
    other.config.first_frame = s.loop.config.first_frame;
    tl_assert_ok(tl_loop_open(&other, 0));
    tl_stream_tx_wipe(&other.tx);
    tl_assert_ok(tl_loop_source(&other, &source, 9)); /* other fresh bytes */
    tl_assert_ok(tl_stream_tx_init(&other.tx, &other.config, &source, 0));
    for (int i = 0; i < 3; i++)
        tl_assert_ok(tl_loop_send(&other, &packets));
    for (size_t i = 0; i < packets.n; i++) {
        tl_verdict v = harmless(&s.loop, packets.v[i]);
        assert_int_equal(v, i % 27 == 0 || i % 27 == 26 ? TL_VERDICT_OK : TL_VERDICT_TAG);
    }
    tl_assert_ok(tl_loop_receive(&s.loop, &s.frame));
    assert_true(tl_loop_is_frame(&s.loop, tl_events_last(&s.loop.events, TL_EVENT_FRAME), 101));
    tl_packets_free(&packets);
    tl_loop_close(&other);
    finish(&s);
}

static void frame_when_of_another_stream_then_header_and_with_its_id_changed_tag(void **state)
{
    scene s;
    tl_loop other;
    tl_packets packets = { 0 };
    tl_loop_message m;

    (void)state;
    start(&s);
    tl_loop_init(&other, crypto);
    other.config.stream = 0x4321;
    tl_assert_ok(tl_loop_open(&other, 0));
    tl_assert_ok(tl_loop_send(&other, &packets));
    for (size_t i = 1; i < packets.n - 1; i++) {
        assert_int_equal(harmless(&s.loop, packets.v[i]), TL_VERDICT_HEADER);
        tl_assert_ok(tl_loop_read(&s.loop.config, packets.v[i], &m));
        m.header.stream = 0x1234;
        tl_assert_ok(tl_loop_write(&s.loop.config, packets.v[i], &m));
        tl_assert_ok(tl_loop_repair(&s.loop.config, packets.v[i]));
        assert_int_equal(harmless(&s.loop, packets.v[i]), i == 1 ? TL_VERDICT_CONFIGURATION : TL_VERDICT_TAG);
    }
    tl_packets_free(&packets);
    tl_loop_close(&other);
    finish(&s);
}

static void ends_when_configurations_differ_then_named_and_nothing_opens(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };

    (void)state;
    tl_loop_init(&l, crypto);
    l.rx_config = l.config;
    l.rx_config.variant[TL_BLOCK_MIDDLE] = TL_SV_2;
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_ok(tl_loop_send(&l, &packets));
    tl_assert_ok(tl_loop_receive(&l, &packets));
    assert_int_equal(l.events.n, 25);
    assert_int_equal(l.events.v[0].verdict, TL_VERDICT_CONFIGURATION);
    assert_false(l.rx.open);
    tl_packets_free(&packets);
    tl_loop_close(&l);
}

/* ---- who only adds ---- */

/* Something without the key: wrong tags, wrong keys, far frames, damaged and cut packets, garbage. */
static void add_one(scene *s, tl_rng *rng, tl_packets *list, size_t at)
{
    const tl_packets *from = tl_random_below(rng, 2) ? &s->frame : &s->old;
    size_t which = 1 + tl_random_below(rng, from->n - 2), kind = tl_random_below(rng, 7);
    tl_packets one = { 0 };
    tl_loop_message m;

    tl_packets_take(&one, from, which);
    tl_assert_ok(tl_loop_read(&s->loop.config, one.v[0], &m));
    one.v[0].p[TL_SEP_BEFORE + tl_random_below(rng, m.payload_n)] ^= (uint8_t)(1 + tl_random_below(rng, 255));
    if (kind == 1)
        m.header.key = (uint32_t)tl_random_below(rng, 256);
    if (kind == 2)
        m.header.frame += (uint32_t)tl_random_below(rng, 1000);
    if (kind == 3)
        m.header.message = (uint32_t)tl_random_below(rng, 25);
    if (kind == 4)
        m.header.frame = UINT32_MAX;
    tl_assert_ok(tl_loop_write(&s->loop.config, one.v[0], &m));
    if (kind != 5)
        tl_assert_ok(tl_loop_repair(&s->loop.config, one.v[0]));
    if (kind == 6)
        one.v[0].n = tl_random_below(rng, one.v[0].n);
    tl_packets_insert(list, at, tl_span_of(one.v[0].p, one.v[0].n));
    tl_packets_free(&one);
}

static void frames_when_packets_are_only_added_then_all_ok(void **state)
{
    tl_rng rng = tl_random_start("adding");
    scene s;

    (void)state;
    start(&s);
    for (uint32_t frame = 101; frame < 161; frame++) {
        tl_packets mixed = { 0 };
        tl_packets_join(&mixed, &s.frame);
        for (int i = 0; i < 30; i++)
            add_one(&s, &rng, &mixed, tl_random_below(&rng, mixed.n + 1));
        s.loop.rx_batch = 1 + tl_random_below(&rng, 40);
        tl_assert_ok(tl_loop_receive(&s.loop, &mixed));
        assert_true(tl_loop_is_frame(&s.loop, tl_events_last(&s.loop.events, TL_EVENT_FRAME), frame));
        assert_int_equal(tl_events_count(&s.loop.events, TL_EVENT_LOST), 0);
        tl_packets_free(&mixed);
        tl_packets_free(&s.frame);
        tl_assert_ok(tl_loop_send(&s.loop, &s.frame));
    }
    assert_int_equal(s.loop.rx.counters.frames_bad, 0);
    assert_int_equal(s.loop.rx.counters.frames_ok, 61);
    finish(&s);
}

/* ---- plain packets and channels ---- */

static void plain_packet(tl_packets *list, size_t at, uint8_t channel, uint8_t data_type)
{
    static const uint8_t payload[90] = { 1 };
    uint8_t bytes[100];
    tl_wr w = tl_wr_of(bytes, sizeof bytes);
    const tl_csi2_header h = { channel, data_type, sizeof payload };

    tl_assert_ok(tl_csi2_write(&h, tl_span_of(payload, sizeof payload), &w));
    tl_packets_insert(list, at, tl_written(&w));
}

static void plain_packet_when_in_a_frame_then_unprotected_costs_that_frame_alone(void **state)
{
    scene s;
    const tl_stream_event *e;

    (void)state;
    start(&s);
    plain_packet(&s.frame, 10, 1, TL_DT_RAW12);
    tl_assert_ok(tl_loop_receive(&s.loop, &s.frame));
    e = tl_events_last(&s.loop.events, TL_EVENT_FRAME);
    assert_true(e->verdict == TL_VERDICT_UNPROTECTED && e->cause == TL_VERDICT_UNPROTECTED);
    assert_null(e->payload.p);
    tl_packets_free(&s.frame);
    tl_assert_ok(tl_loop_send(&s.loop, &s.frame));
    plain_packet(&s.frame, 0, 1, TL_DT_RAW12); /* between frames: noted, and no frame's matter */
    tl_assert_ok(tl_loop_receive(&s.loop, &s.frame));
    assert_true(tl_loop_is_frame(&s.loop, tl_events_last(&s.loop.events, TL_EVENT_FRAME), 102));
    assert_int_equal(s.loop.rx.counters.verdicts[TL_VERDICT_UNPROTECTED], 2);
    finish(&s);
}

static void plain_packet_when_its_type_is_listed_then_ignored_and_counted(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };

    (void)state;
    tl_loop_init(&l, crypto);
    l.config.plain_types = (uint64_t)1 << TL_DT_NULL | (uint64_t)1 << TL_DT_YUV422_8;
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_ok(tl_loop_send(&l, &packets));
    plain_packet(&packets, 10, 1, TL_DT_NULL);
    plain_packet(&packets, 12, 1, TL_DT_YUV422_8);
    tl_assert_ok(tl_loop_receive(&l, &packets));
    assert_true(tl_loop_is_frame(&l, tl_events_last(&l.events, TL_EVENT_FRAME), 100));
    assert_int_equal(l.rx.counters.plain, 2);
    tl_packets_free(&packets);
    tl_loop_close(&l);
}

/* Every packet on channel `channel`, as an aggregator rewrites them. */
static void rewrite(tl_packets *list, uint8_t channel)
{
    for (size_t i = 0; i < list->n; i++) {
        tl_csi2_packet p;
        tl_wr w = tl_wr_of(list->v[i].p, TL_CSI2_HEADER_SIZE);
        tl_csi2_read(tl_span_of(list->v[i].p, list->v[i].n), &p);
        p.header.virtual_channel = channel;
        tl_assert_ok(tl_csi2_header_write(&p.header, &w));
    }
}

static void channel_when_rewritten_then_ok_if_accepted_else_dropped_and_counted(void **state)
{
    (void)state;
    for (uint8_t accepted = 0; accepted < 16; accepted++) {
        for (uint8_t channel = 0; channel < 4; channel++) {
            tl_loop l;
            tl_packets packets = { 0 };
            bool allowed = accepted == 0 ? channel == 1 : (accepted >> channel & 1) != 0;
            tl_loop_init(&l, crypto);
            l.config.channels_accepted = accepted;
            tl_assert_ok(tl_loop_open(&l, 0));
            tl_assert_ok(tl_loop_send(&l, &packets));
            rewrite(&packets, channel);
            tl_assert_ok(tl_loop_receive(&l, &packets));
            if (allowed)
                assert_true(tl_loop_is_frame(&l, tl_events_last(&l.events, TL_EVENT_FRAME), 100));
            else
                assert_int_equal(l.events.n, 0);
            assert_int_equal(l.rx.counters.other_channel, allowed ? 0 : packets.n);
            tl_packets_free(&packets);
            tl_loop_close(&l);
        }
    }
}

static void plain_packet_when_on_another_channel_then_none_of_this_streams_business(void **state)
{
    scene s;

    (void)state;
    start(&s);
    plain_packet(&s.frame, 10, 2, TL_DT_RAW12);
    tl_assert_ok(tl_loop_receive(&s.loop, &s.frame));
    assert_true(tl_loop_is_frame(&s.loop, tl_events_last(&s.loop.events, TL_EVENT_FRAME), 101));
    assert_int_equal(s.loop.rx.counters.other_channel, 1);
    finish(&s);
}

/* A begin of `n` bytes that somebody made up: the next frame's header, and a length that is right. */
static tl_verdict made_up(scene *s, size_t n)
{
    enum { FOOTER = TL_TAG_MAX + 4 };
    static uint8_t payload[TL_SEP_HEADER_SIZE + TL_SEP_SERVICE_MAX + 1 + FOOTER],
        packet[TL_CSI2_HEADER_SIZE + sizeof payload + TL_CSI2_FOOTER_SIZE];
    const tl_csi2_header hop = { s->loop.config.virtual_channel, TL_SEP_WIRE_TYPE, 0 };
    const tl_env env = { 0 };
    tl_wr header = tl_wr_of(payload, TL_SEP_HEADER_SIZE), w = tl_wr_of(packet, sizeof packet);
    tl_loop_message m;

    memset(payload, 0, sizeof payload);
    tl_assert_ok(tl_loop_read(&s->loop.config, s->frame.v[1], &m));
    m.header.length = (uint32_t)n;
    tl_assert_ok(tl_encode_sep_header(&env, &m.header, &header));
    tl_assert_ok(tl_csi2_write(&hop, tl_span_of(payload, TL_SEP_HEADER_SIZE + n + FOOTER), &w));
    tl_assert_ok(tl_loop_repair(&s->loop.config, (tl_buffer){ packet, w.n }));
    return harmless(&s->loop, (tl_buffer){ packet, w.n });
}

/* What nobody could mean is not worth a tag: a stranger makes the receiver compute over no more than a begin can be. */
static void begin_when_longer_than_the_layout_lets_it_be_then_length_and_no_tag_is_computed(void **state)
{
    uint64_t before;
    scene s;

    (void)state;
    start(&s);
    before = s.loop.rx.key.messages;
    assert_int_equal(made_up(&s, TL_SEP_SERVICE_MAX + 1), TL_VERDICT_LENGTH);
    assert_int_equal(s.loop.rx.key.messages, before);
    assert_int_not_equal(made_up(&s, TL_SEP_SERVICE_MAX), TL_VERDICT_LENGTH);
    assert_int_equal(s.loop.rx.key.messages, before + 1);
    tl_assert_ok(tl_loop_receive(&s.loop, &s.frame));
    assert_true(tl_loop_is_frame(&s.loop, tl_events_last(&s.loop.events, TL_EVENT_FRAME), 101));
    finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_when_any_field_is_forged_then_nothing_moves),
        cmocka_unit_test(packet_when_any_bit_is_flipped_then_never_ok_and_nothing_moves),
        cmocka_unit_test(garbage_when_of_any_length_then_nothing_moves),
        cmocka_unit_test(frame_when_of_another_session_then_tags_are_wrong),
        cmocka_unit_test(frame_when_of_another_stream_then_header_and_with_its_id_changed_tag),
        cmocka_unit_test(ends_when_configurations_differ_then_named_and_nothing_opens),
        cmocka_unit_test(frames_when_packets_are_only_added_then_all_ok),
        cmocka_unit_test(plain_packet_when_in_a_frame_then_unprotected_costs_that_frame_alone),
        cmocka_unit_test(plain_packet_when_its_type_is_listed_then_ignored_and_counted),
        cmocka_unit_test(channel_when_rewritten_then_ok_if_accepted_else_dropped_and_counted),
        cmocka_unit_test(plain_packet_when_on_another_channel_then_none_of_this_streams_business),
        cmocka_unit_test(begin_when_longer_than_the_layout_lets_it_be_then_length_and_no_tag_is_computed),
    };

    return cmocka_run_group_tests_name("forge", tests, open_backend, close_backend);
}
