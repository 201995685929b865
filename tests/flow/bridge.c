/* The bridge without keys: what goes in as SEP comes out as FSED and the other way, with the tags it came with; what was
 * attacked before it is noticed behind it. */
#include "capture.h"
#include "group.h"

#include <trueline/bridge.h>

/* A bridge with its memory. */
typedef struct station {
    tl_bridge bridge;
    uint8_t *memory;
} station;

static void station_open(station *s, const tl_stream_config *c, tl_bridge_way way, uint8_t channel_out)
{
    tl_buffer memory = { NULL, tl_bridge_memory(c, way) };

    s->memory = memory.p = malloc(memory.n);
    assert_non_null(s->memory);
    memset(s->memory, 0xB7, memory.n);
    tl_assert_ok(tl_bridge_init(&s->bridge, c, way, channel_out, memory));
}

/* Packets through the bridge, each in a copy of exactly its size. */
static void carry(station *s, const tl_packets *in, tl_packets *out)
{
    for (size_t i = 0; i < in->n; i++) {
        tl_buffer copy = { malloc(in->v[i].n > 0 ? in->v[i].n : 1), in->v[i].n };
        tl_span packet;
        memcpy(copy.p, in->v[i].p, copy.n);
        tl_bridge_packet(&s->bridge, copy);
        while (tl_bridge_next(&s->bridge, &packet))
            tl_packets_add(out, packet);
        free(copy.p);
    }
}

static void receive(tl_loop *l, const tl_packets *packets)
{
    if (l->rx_config.carrier == TL_CARRIER_FSED)
        (void)tl_capture_receive(l, packets);
    else
        tl_assert_ok(tl_loop_receive(l, packets));
}

/* A sender of one carrier, a receiver of the other, a bridge between them. */
static void open_both(tl_loop *l, station *s, tl_bridge_way way, uint8_t channel_out)
{
    l->config.carrier = way == TL_BRIDGE_TO_FSED ? TL_CARRIER_SEP : TL_CARRIER_FSED;
    l->rx_config = l->config;
    l->rx_config.carrier = way == TL_BRIDGE_TO_FSED ? TL_CARRIER_FSED : TL_CARRIER_SEP;
    l->rx_config.virtual_channel = channel_out;
    tl_assert_ok(tl_loop_open(l, 0));
    station_open(s, &l->config, way, channel_out);
}

/* A loop as it is, and its first frame, as it was sent. */
static void open_and_send(tl_loop *l, station *s, tl_bridge_way way, uint8_t channel_out, tl_packets *in)
{
    tl_loop_init(l, crypto);
    open_both(l, s, way, channel_out);
    tl_assert_ok(tl_loop_send(l, in));
}

static void close_both(tl_loop *l, station *s)
{
    free(s->memory);
    tl_loop_close(l);
}

static void frames_pass(tl_loop *l, station *s, unsigned frames)
{
    for (unsigned i = 0; i < frames; i++) {
        tl_packets in = { 0 }, out = { 0 };
        tl_assert_ok(tl_loop_send(l, &in));
        carry(s, &in, &out);
        receive(l, &out);
        tl_packets_free(&in);
        tl_packets_free(&out);
    }
    assert_int_equal(tl_stream_rx_counters(&l->rx)->frames_ok, frames);
    assert_int_equal(tl_bridge_counters_of(&s->bridge)->frames, frames);
    assert_int_equal(tl_bridge_counters_of(&s->bridge)->lines, frames * 23);
    assert_int_equal(tl_bridge_counters_of(&s->bridge)->refused + tl_bridge_counters_of(&s->bridge)->damaged +
                         tl_bridge_counters_of(&s->bridge)->missing,
                     0);
}

static void frames_when_bridged_either_way_then_ok_on_another_channel(void **state)
{
    (void)state;
    for (unsigned way = TL_BRIDGE_TO_FSED; way <= TL_BRIDGE_TO_SEP; way++) {
        station s;
        tl_loop l;
        tl_loop_init(&l, crypto);
        open_both(&l, &s, (tl_bridge_way)way, 3);
        frames_pass(&l, &s, 5);
        close_both(&l, &s);
    }
}

/* Any tag mode, tag size, CRC-32, variant and suite, and none. */
static void frames_when_any_mix_is_bridged_then_ok(void **state)
{
    static const tl_suite suites[] = { TL_SUITE_AES128_GMAC, TL_SUITE_AES256_CMAC, TL_SUITE_NONE };
    static const uint8_t sizes[] = { 16, 12, 8 };
    unsigned passed = 0;

    (void)state;
    for (unsigned mix = 0; mix < 3 * 3 * 3 * 2 * 5 * 2; mix++) {
        station s;
        tl_loop l;
        tl_loop_init(&l, crypto);
        l.config.suite = suites[mix % 3];
        l.config.tag_mode = (tl_tag_mode)(TL_TAG_PER_MESSAGE + mix / 3 % 3);
        l.config.tag_size = l.config.suite == TL_SUITE_NONE ? 0 : sizes[mix / 9 % 3];
        l.config.crc32 = mix / 27 % 2 ? TL_WITH : TL_WITHOUT;
        for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++)
            if (block == TL_BLOCK_MIDDLE || l.config.suite == TL_SUITE_NONE)
                l.config.variant[block] = (uint8_t)(TL_SV_1 + mix / 54 % 5);
        if (l.config.variant[TL_BLOCK_MIDDLE] == TL_SV_3 || l.config.variant[TL_BLOCK_MIDDLE] == TL_SV_4)
            l.config.pattern[TL_BLOCK_MIDDLE] = (tl_pattern){ 2, 1, 5 };
        if (tl_stream_config_check(&l.config, NULL) == TL_OK) {
            open_both(&l, &s, mix / 270 ? TL_BRIDGE_TO_SEP : TL_BRIDGE_TO_FSED, 0);
            frames_pass(&l, &s, 2);
            close_both(&l, &s);
            passed++;
        }
    }
    assert_int_equal(passed, 2 * (5 * 2 * (9 + 8) + 2 * 3));
}

static void frame_when_bridged_there_and_back_then_bit_for_bit_the_same(void **state)
{
    tl_packets in = { 0 }, between = { 0 }, out = { 0 };
    station there, back;
    tl_loop l;

    (void)state;
    tl_loop_init(&l, crypto);
    tl_assert_ok(tl_loop_open(&l, 0));
    station_open(&there, &l.config, TL_BRIDGE_TO_FSED, 1);
    station_open(&back, &l.config, TL_BRIDGE_TO_SEP, 1);
    tl_assert_ok(tl_loop_send(&l, &in));
    carry(&there, &in, &between);
    carry(&back, &between, &out);
    assert_int_equal(in.n, out.n);
    for (size_t i = 0; i < in.n; i++) {
        assert_int_equal(in.v[i].n, out.v[i].n);
        assert_memory_equal(in.v[i].p, out.v[i].p, in.v[i].n);
    }
    tl_packets_free(&in);
    tl_packets_free(&between);
    tl_packets_free(&out);
    free(there.memory);
    free(back.memory);
    tl_loop_close(&l);
}

/* ---- attacks in front of the bridge ---- */

/* What becomes of the attacked frame, and that the one behind it is ok. */
static tl_verdict attacked(tl_bridge_way way,
                           void (*attack)(tl_loop *l, tl_packets *packets, const tl_packets *old))
{
    tl_packets old = { 0 }, in = { 0 }, out = { 0 }, next = { 0 };
    const tl_stream_event *e;
    tl_verdict verdict;
    station s;
    tl_loop l;

    tl_loop_init(&l, crypto);
    open_both(&l, &s, way, 1);
    tl_assert_ok(tl_loop_send(&l, &old));
    carry(&s, &old, &out);
    receive(&l, &out);
    tl_packets_free(&out);
    tl_assert_ok(tl_loop_send(&l, &in));
    attack(&l, &in, &old);
    carry(&s, &in, &out);
    tl_events_clear(&l.events);
    receive(&l, &out);
    tl_packets_free(&out);
    tl_assert_ok(tl_loop_send(&l, &next));
    carry(&s, &next, &out);
    receive(&l, &out);
    e = tl_events_first(&l.events, TL_EVENT_LOST);
    if (e == NULL)
        e = tl_events_first(&l.events, TL_EVENT_FRAME);
    verdict = e->verdict;
    assert_int_equal(tl_events_last(&l.events, TL_EVENT_FRAME)->verdict, TL_VERDICT_OK);
    assert_int_equal(tl_events_last(&l.events, TL_EVENT_FRAME)->frame, 102);
    tl_packets_free(&old);
    tl_packets_free(&in);
    tl_packets_free(&next);
    tl_packets_free(&out);
    close_both(&l, &s);
    return verdict;
}

/* The line's place among the packets, whatever stands in front of it. */
static size_t line(const tl_packets *packets, unsigned n)
{
    tl_csi2_packet p;

    for (size_t i = 0;; i++) {
        tl_csi2_read(tl_span_of(packets->v[i].p, packets->v[i].n), &p);
        if (!tl_csi2_is_short(p.header.data_type) && p.header.data_type != TL_FSED_WIRE_TYPE &&
            (p.header.data_type != TL_SEP_WIRE_TYPE || i >= TL_LOOP_LINE) && n-- == 0)
            return i;
    }
}

static void flip_pixel(tl_loop *l, tl_packets *packets, const tl_packets *old)
{
    tl_buffer p = packets->v[line(packets, 9)];

    (void)old;
    (void)l;
    p.p[TL_SEP_BEFORE + 5] ^= 1;
    tl_assert_ok(tl_csi2_repair(p.p, p.n));
}

static void flip_begin(tl_loop *l, tl_packets *packets, const tl_packets *old)
{
    (void)old;
    (void)l;
    packets->v[1].p[60] ^= 1;
    tl_assert_ok(tl_csi2_repair(packets->v[1].p, packets->v[1].n));
}

static void drop_line(tl_loop *l, tl_packets *packets, const tl_packets *old)
{
    (void)old;
    (void)l;
    tl_packets_drop(packets, line(packets, 9));
}

static void repeat_line(tl_loop *l, tl_packets *packets, const tl_packets *old)
{
    size_t at = line(packets, 9);

    (void)old;
    (void)l;
    tl_packets_insert(packets, at, tl_span_of(packets->v[at].p, packets->v[at].n));
}

static void swap_lines(tl_loop *l, tl_packets *packets, const tl_packets *old)
{
    (void)old;
    (void)l;
    tl_packets_swap(packets, line(packets, 9), line(packets, 10));
}

static void replay_line(tl_loop *l, tl_packets *packets, const tl_packets *old)
{
    size_t at = line(packets, 9);

    (void)l;
    memcpy(packets->v[at].p, old->v[at].p, packets->v[at].n);
}

static void drop_end(tl_loop *l, tl_packets *packets, const tl_packets *old)
{
    (void)old;
    (void)l;
    tl_packets_drop(packets, packets->n - 2);
}

static void damage_line(tl_loop *l, tl_packets *packets, const tl_packets *old)
{
    (void)old;
    (void)l;
    packets->v[line(packets, 9)].p[TL_SEP_BEFORE] ^= 1;
}

static void drop_begin(tl_loop *l, tl_packets *packets, const tl_packets *old)
{
    (void)old;
    (void)l;
    tl_packets_drop(packets, 1);
}

static void add_plain_line(tl_loop *l, tl_packets *packets, const tl_packets *old)
{
    tl_csi2_header h = { l->config.virtual_channel, TL_DT_RAW12, 0 };
    uint8_t payload[90] = { 7 }, bytes[96];
    tl_wr w = tl_wr_of(bytes, sizeof bytes);

    (void)old;
    tl_assert_ok(tl_csi2_write(&h, tl_span_of(payload, sizeof payload), &w));
    tl_packets_insert(packets, line(packets, 9), tl_written(&w));
}

static void attacks_when_in_front_of_a_bridge_then_noticed_behind_it(void **state)
{
    static const struct {
        void (*attack)(tl_loop *, tl_packets *, const tl_packets *);
        tl_verdict to_fsed, to_sep;
    } rows[] = {
        { flip_pixel, TL_VERDICT_CRC32, TL_VERDICT_CRC32 },
        { flip_begin, TL_VERDICT_OK, TL_VERDICT_OK },    /* any but ok: what is hit is the layout's */
        { drop_line, TL_VERDICT_GAP, TL_VERDICT_CRC32 }, /* to SEP the lines behind it move to wrong tags */
        { repeat_line, TL_VERDICT_GAP, TL_VERDICT_CRC32 },
        { swap_lines, TL_VERDICT_CRC32, TL_VERDICT_CRC32 },
        { replay_line, TL_VERDICT_GAP,
          TL_VERDICT_CRC32 }, /* its header names another frame, so the bridge drops it */
        { drop_end, TL_VERDICT_CUT, TL_VERDICT_OK }, /* to SEP it is cut in two */
        { damage_line, TL_VERDICT_GAP, TL_VERDICT_CRC32 },
        { drop_begin, TL_VERDICT_GAP, TL_VERDICT_OK },
        { add_plain_line, TL_VERDICT_GAP, TL_VERDICT_CRC32 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tl_verdict got = attacked(TL_BRIDGE_TO_FSED, rows[i].attack);
        if (rows[i].to_fsed == TL_VERDICT_OK ? got == TL_VERDICT_OK : got != rows[i].to_fsed)
            fail_msg("attack %zu to FSED: %s", i, tl_verdict_text(got));
        got = attacked(TL_BRIDGE_TO_SEP, rows[i].attack);
        if (rows[i].to_sep == TL_VERDICT_OK ? got == TL_VERDICT_OK : got != rows[i].to_sep)
            fail_msg("attack %zu to SEP: %s", i, tl_verdict_text(got));
    }
}

/* ---- the bridge itself ---- */

static void bridge_when_set_up_wrongly_then_refused(void **state)
{
    tl_buffer memory = { NULL, SIZE_MAX };
    tl_stream_config bad;
    tl_bridge b;
    tl_loop l;

    (void)state;
    tl_loop_init(&l, crypto);
    tl_assert_err(TL_E_USAGE, tl_bridge_init(&b, &l.config, (tl_bridge_way)0, 1, memory));
    tl_assert_err(TL_E_USAGE, tl_bridge_init(&b, &l.config, (tl_bridge_way)3, 1, memory));
    tl_assert_err(TL_E_USAGE, tl_bridge_init(&b, &l.config, TL_BRIDGE_TO_FSED, 4, memory));
    for (unsigned way = TL_BRIDGE_TO_FSED; way <= TL_BRIDGE_TO_SEP; way++) {
        memory.n = tl_bridge_memory(&l.config, (tl_bridge_way)way) - 1;
        tl_assert_err(TL_E_ROOM, tl_bridge_init(&b, &l.config, (tl_bridge_way)way, 1, memory));
    }
    bad = l.config;
    bad.stream = 0;
    memory.n = SIZE_MAX;
    tl_assert_err(TL_E_CONFIGURATION, tl_bridge_init(&b, &bad, TL_BRIDGE_TO_SEP, 1, memory));
    assert_int_equal(tl_bridge_memory(&bad, TL_BRIDGE_TO_SEP), 0);
}

static void packets_when_not_the_streams_then_pass_or_are_dropped(void **state)
{
    tl_csi2_header other = { 2, TL_DT_RAW10, 0 }, plain = { 1, TL_DT_RAW10, 0 },
                   meta = { 1, TL_FSED_WIRE_TYPE, 0 };
    uint8_t payload[30] = { 1 }, bytes[3][40];
    tl_packets in = { 0 }, out = { 0 };
    tl_csi2_packet p;
    station s;
    tl_loop l;

    (void)state;
    tl_loop_init(&l, crypto);
    station_open(&s, &l.config, TL_BRIDGE_TO_FSED, 3);
    const tl_csi2_header *headers[] = { &other, &plain, &meta };
    for (unsigned i = 0; i < 3; i++) {
        tl_wr w = tl_wr_of(bytes[i], sizeof bytes[i]);
        tl_assert_ok(tl_csi2_write(headers[i], tl_span_of(payload, sizeof payload), &w));
        tl_packets_add(&in, tl_written(&w));
    }
    tl_packets_add(&in, tl_span_of(bytes[0], 20));
    carry(&s, &in, &out);
    assert_int_equal(out.n, 2);
    assert_memory_equal(out.v[0].p, in.v[0].p, in.v[0].n);
    tl_csi2_read(tl_span_of(out.v[1].p, out.v[1].n), &p);
    assert_true(p.ecc == TL_CSI2_ECC_OK && p.crc_right && p.header.virtual_channel == 3);
    assert_int_equal(p.header.data_type, TL_DT_RAW10);
    assert_int_equal(s.bridge.counters.passed, 2);
    assert_int_equal(s.bridge.counters.refused, 1);
    assert_int_equal(s.bridge.counters.damaged, 1);
    tl_packets_free(&in);
    tl_packets_free(&out);
    free(s.memory);
}

static void ends_when_sent_without_lines_then_no_lists_come_out(void **state)
{
    tl_packets in = { 0 }, out = { 0 };
    station s;
    tl_loop l;

    (void)state;
    tl_loop_init(&l, crypto);
    tl_assert_ok(tl_loop_open(&l, 0));
    station_open(&s, &l.config, TL_BRIDGE_TO_FSED, 1);
    tl_assert_ok(tl_loop_send(&l, &in));
    while (in.n > 4)
        tl_packets_drop(&in, 2);
    for (unsigned i = 0; i < 10; i++)
        tl_packets_take(&in, &in, 2); /* the end again */
    carry(&s, &in, &out);
    assert_int_equal(s.bridge.counters.refused, 10);
    assert_true(out.n <= 2 + 2 + 2);
    tl_packets_free(&in);
    tl_packets_free(&out);
    free(s.memory);
    tl_loop_close(&l);
}

/* What somebody without a key can make the bridge send: for each begin the packets of a top that is no longer than the
 * begin. He can also take the open frame away, since to a bridge one begin is as good as another. */
static void begins_when_forged_then_a_top_for_each_and_no_frame_but_the_open_one_is_lost(void **state)
{
    enum { FORGED = 50 };
    tl_packets in = { 0 }, wire = { 0 }, out = { 0 };
    tl_loop_message m;
    station s;
    tl_loop l;

    (void)state;
    open_and_send(&l, &s, TL_BRIDGE_TO_FSED, 0, &in);
    for (uint32_t i = 0; i < FORGED; i++) {
        tl_packets_take(&wire, &in, 1);
        tl_assert_ok(tl_loop_read(&l.config, wire.v[i], &m));
        m.header.frame += 1 + i;
        tl_assert_ok(tl_loop_write(&l.config, wire.v[i], &m));
        tl_assert_ok(tl_loop_repair(&l.config, wire.v[i]));
    }
    carry(&s, &wire, &out);
    assert_true(out.n <= FORGED * (wire.v[0].n / l.config.parts[1].length + 2));
    tl_packets_free(&out);
    tl_packets_insert(&in, TL_LOOP_LINE + 4, tl_span_of(wire.v[0].p, wire.v[0].n));
    carry(&s, &in, &out);
    receive(&l, &out);
    assert_int_equal(tl_stream_rx_counters(&l.rx)->frames_ok, 0);
    assert_int_equal(tl_bridge_counters_of(&s.bridge)->refused, 20); /* lines, and the end */
    tl_packets_free(&in);
    tl_packets_free(&wire);
    tl_packets_free(&out);
    tl_assert_ok(tl_loop_send(&l, &in));
    carry(&s, &in, &out);
    receive(&l, &out);
    assert_int_equal(tl_stream_rx_counters(&l.rx)->frames_ok, 1);
    tl_packets_free(&in);
    tl_packets_free(&out);
    close_both(&l, &s);
}

/* ---- what is refused, one check each ---- */

/* A long packet of the stream's channel. */
static void add_long(tl_packets *list, const tl_stream_config *c, uint8_t data_type, const uint8_t *payload,
                     size_t n)
{
    static uint8_t bytes[2 * TL_BRIDGE_BODY_MAX];
    const tl_csi2_header h = { c->virtual_channel, data_type, 0 };
    tl_wr w = tl_wr_of(bytes, sizeof bytes);

    tl_assert_ok(tl_csi2_write(&h, tl_span_of(payload, n), &w));
    tl_packets_add(list, tl_written(&w));
}

static uint64_t refused(const station *s)
{
    return tl_bridge_counters_of(&s->bridge)->refused;
}

static void begin_when_it_comes_again_then_refused_and_the_open_frame_goes_on(void **state)
{
    tl_packets in = { 0 }, begin = { 0 }, out = { 0 };
    station s;
    tl_loop l;

    (void)state;
    open_and_send(&l, &s, TL_BRIDGE_TO_FSED, 1, &in);
    tl_packets_take(&begin, &in, 1);
    for (unsigned i = 0; i < TL_LOOP_LINE + 5; i++) {
        tl_packets one = { 0 };
        tl_packets_take(&one, &in, i);
        carry(&s, &one, &out);
        tl_packets_free(&one);
    }
    size_t before = out.n;
    carry(&s, &begin, &out);
    assert_int_equal(out.n, before);
    assert_int_equal(refused(&s), 1);
    for (size_t i = TL_LOOP_LINE + 5; i < in.n; i++)
        tl_packets_take(&begin, &in, i);
    tl_packets_drop(&begin, 0);
    carry(&s, &begin, &out);
    receive(&l, &out); /* tags of the lines before it are still there */
    assert_int_equal(tl_stream_rx_counters(&l.rx)->frames_ok, 1);
    assert_int_equal(refused(&s), 1);
    tl_packets_free(&in);
    tl_packets_free(&begin);
    tl_packets_free(&out);
    close_both(&l, &s);
}

/* A begin is taken as long as the layout lets one be, whatever stands in it, and no byte longer: behind a bridge to SEP
 * there is room for no more. */
static void begin_when_longer_than_any_can_be_then_refused(void **state)
{
    static uint8_t payload[TL_BRIDGE_BODY_MAX + 1];
    tl_packets in = { 0 }, longest = { 0 }, longer = { 0 }, out = { 0 };
    station s;
    tl_loop l;

    (void)state;
    open_and_send(&l, &s, TL_BRIDGE_TO_FSED, 1, &in);
    memcpy(payload, in.v[1].p + TL_CSI2_HEADER_SIZE, in.v[1].n - TL_CSI2_HEADER_SIZE - TL_CSI2_FOOTER_SIZE);
    add_long(&longer, &l.config, TL_SEP_WIRE_TYPE, payload, sizeof payload);
    add_long(&longest, &l.config, TL_SEP_WIRE_TYPE, payload, sizeof payload - 1);
    carry(&s, &longer, &out);
    assert_int_equal(out.n, 0);
    assert_int_equal(refused(&s), 1);
    carry(&s, &longest, &out);
    assert_true(out.n > 0);
    assert_int_equal(refused(&s), 1);
    tl_packets_free(&in);
    tl_packets_free(&longest);
    tl_packets_free(&longer);
    tl_packets_free(&out);
    close_both(&l, &s);
}

static void of_another_version(tl_fsed_packet *m)
{
    m->version++;
}

static void of_another_stream(tl_fsed_packet *m)
{
    m->stream++;
}

static void of_no_position(tl_fsed_packet *m)
{
    m->position = 1;
    while (m->position == TL_FSED_TOP || m->position == TL_FSED_BOTTOM)
        m->position++;
}

/* The frame's first metadata packet, changed, and with other bytes in it. */
static void add_metadata(tl_packets *list, const tl_packets *frame, void (*change)(tl_fsed_packet *m))
{
    const tl_env env = { 0 };
    tl_packets copy = { 0 };
    tl_fsed_packet m;
    tl_rd r;
    tl_wr w;

    tl_packets_take(&copy, frame, 1);
    r = tl_rd_of(tl_span_of(copy.v[0].p + TL_CSI2_HEADER_SIZE, copy.v[0].n - TL_CSI2_HEADER_SIZE));
    tl_assert_ok(tl_decode_fsed_packet(&env, &r, &m));
    change(&m);
    copy.v[0].p[TL_CSI2_HEADER_SIZE + TL_FSED_HEADER_SIZE + 3] ^= 1;
    w = tl_wr_of(copy.v[0].p + TL_CSI2_HEADER_SIZE, copy.v[0].n - TL_CSI2_HEADER_SIZE);
    tl_assert_ok(tl_encode_fsed_packet(&env, &m, &w));
    tl_assert_ok(tl_csi2_repair(copy.v[0].p, copy.v[0].n));
    tl_packets_join(list, &copy);
    tl_packets_free(&copy);
}

/* In front of the right ones: one that was taken would stand in their place. */
static void metadata_when_not_the_streams_then_refused_and_the_frame_is_ok(void **state)
{
    void (*const changes[])(tl_fsed_packet * m) = { of_another_version, of_another_stream, of_no_position };

    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        tl_packets in = { 0 }, wire = { 0 }, out = { 0 };
        station s;
        tl_loop l;
        open_and_send(&l, &s, TL_BRIDGE_TO_SEP, 1, &in);
        tl_packets_take(&wire, &in, 0);
        add_metadata(&wire, &in, changes[i]);
        for (size_t k = 1; k < in.n; k++)
            tl_packets_take(&wire, &in, k);
        carry(&s, &wire, &out);
        assert_int_equal(refused(&s), 1);
        receive(&l, &out);
        assert_int_equal(tl_stream_rx_counters(&l.rx)->frames_ok, 1);
        tl_packets_free(&in);
        tl_packets_free(&wire);
        tl_packets_free(&out);
        close_both(&l, &s);
    }
}

/* What is protected packet by packet already has no place in a frame of FSED: it is nobody's line. */
static void sep_packet_when_in_a_frame_of_fsed_then_refused_and_the_frame_is_ok(void **state)
{
    static const uint8_t payload[200] = { 1, 2, 3 };
    tl_packets in = { 0 }, stranger = { 0 }, out = { 0 };
    station s;
    tl_loop l;

    (void)state;
    open_and_send(&l, &s, TL_BRIDGE_TO_SEP, 1, &in);
    add_long(&stranger, &l.config, TL_SEP_WIRE_TYPE, payload, sizeof payload);
    tl_packets_insert(&in, line(&in, 4), tl_span_of(stranger.v[0].p, stranger.v[0].n));
    carry(&s, &in, &out);
    assert_int_equal(refused(&s), 1);
    assert_int_equal(tl_bridge_counters_of(&s.bridge)->lines, 23);
    receive(&l, &out);
    assert_int_equal(tl_stream_rx_counters(&l.rx)->frames_ok, 1);
    tl_packets_free(&in);
    tl_packets_free(&stranger);
    tl_packets_free(&out);
    close_both(&l, &s);
}

/* A frame that nobody protects leaves as it came, on the output's channel; nothing is made up for it. */
static void lines_when_the_frame_has_no_metadata_then_they_leave_plain_and_in_order(void **state)
{
    tl_packets in = { 0 }, plain = { 0 }, out = { 0 };
    station s;
    tl_loop l;

    (void)state;
    open_and_send(&l, &s, TL_BRIDGE_TO_SEP, 3, &in);
    for (size_t i = 0; i < in.n; i++)
        if ((in.v[i].p[0] & 0x3F) != TL_FSED_WIRE_TYPE)
            tl_packets_take(&plain, &in, i);
    assert_int_equal(plain.n, 1 + 23 + 1);
    carry(&s, &plain, &out);
    assert_int_equal(out.n, plain.n);
    for (size_t i = 0; i < out.n; i++) {
        tl_csi2_packet was, is;
        tl_csi2_read(tl_span_of(plain.v[i].p, plain.v[i].n), &was);
        tl_csi2_read(tl_span_of(out.v[i].p, out.v[i].n), &is);
        assert_true(is.ecc == TL_CSI2_ECC_OK && is.crc_right && is.header.virtual_channel == 3);
        assert_int_equal(is.header.data_type, was.header.data_type);
        assert_int_equal(is.payload.n, was.payload.n);
        if (was.payload.n > 0)
            assert_memory_equal(is.payload.p, was.payload.p, was.payload.n);
    }
    assert_int_equal(tl_bridge_counters_of(&s.bridge)->passed, plain.n);
    assert_int_equal(tl_bridge_counters_of(&s.bridge)->frames + tl_bridge_counters_of(&s.bridge)->lines +
                         tl_bridge_counters_of(&s.bridge)->missing + refused(&s),
                     0);
    receive(&l, &out);
    assert_int_equal(tl_stream_rx_counters(&l.rx)->frames_ok, 0);
    tl_packets_free(&in);
    tl_packets_free(&plain);
    tl_packets_free(&out);
    close_both(&l, &s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_when_bridged_either_way_then_ok_on_another_channel),
        cmocka_unit_test(frames_when_any_mix_is_bridged_then_ok),
        cmocka_unit_test(frame_when_bridged_there_and_back_then_bit_for_bit_the_same),
        cmocka_unit_test(attacks_when_in_front_of_a_bridge_then_noticed_behind_it),
        cmocka_unit_test(bridge_when_set_up_wrongly_then_refused),
        cmocka_unit_test(packets_when_not_the_streams_then_pass_or_are_dropped),
        cmocka_unit_test(begins_when_forged_then_a_top_for_each_and_no_frame_but_the_open_one_is_lost),
        cmocka_unit_test(ends_when_sent_without_lines_then_no_lists_come_out),
        cmocka_unit_test(begin_when_it_comes_again_then_refused_and_the_open_frame_goes_on),
        cmocka_unit_test(begin_when_longer_than_any_can_be_then_refused),
        cmocka_unit_test(metadata_when_not_the_streams_then_refused_and_the_frame_is_ok),
        cmocka_unit_test(sep_packet_when_in_a_frame_of_fsed_then_refused_and_the_frame_is_ok),
        cmocka_unit_test(lines_when_the_frame_has_no_metadata_then_they_leave_plain_and_in_order),
    };

    return cmocka_run_group_tests_name("bridge", tests, open_backend, close_backend);
}
