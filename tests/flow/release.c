/* How lines leave: where they lie, at once on trust, and with whose checksums. */
#include "group.h"

typedef struct scene {
    tl_loop loop;
    tl_packets frame;
} scene;

static void start(scene *s, tl_tag_mode mode, tl_release release)
{
    memset(s, 0, sizeof *s);
    tl_loop_init(&s->loop, crypto);
    s->loop.config.tag_mode = mode;
    s->loop.config.release = release;
    if (release == TL_RELEASE_EARLY)
        s->loop.config.variant[TL_BLOCK_MIDDLE] = TL_SV_2;
}

static void finish(scene *s)
{
    tl_packets_free(&s->frame);
    tl_loop_close(&s->loop);
}

static void next_frame(scene *s)
{
    tl_packets_free(&s->frame);
    tl_events_clear(&s->loop.events);
    tl_assert_ok(tl_loop_send(&s->loop, &s->frame));
}

/* ---- in place ---- */

/* Receives the frame's packets where they are, and looks at the table when the frame's event comes. */
typedef struct reader {
    const tl_loop *l;
    const tl_span *rows;
    unsigned frames, ok;
} reader;

static void read_rows(void *ctx, const tl_stream_event *e)
{
    reader *r = ctx;
    uint8_t bytes[128];
    size_t n = tl_stream_frame_messages(&r->l->config);

    assert_true(e->kind != TL_EVENT_MESSAGE || e->verdict != TL_VERDICT_OK);
    if (e->kind != TL_EVENT_FRAME)
        return;
    r->frames++;
    assert_null(e->payload.p);
    if (e->verdict != TL_VERDICT_OK)
        return;
    r->ok++;
    for (size_t i = 0; i < n; i++) {
        unsigned part;
        uint32_t row;
        tl_loop_place(&r->l->config, i, &part, &row);
        tl_loop_payload(&r->l->config, e->frame, part, row, bytes);
        assert_int_equal(r->rows[i].n, r->l->config.parts[part].length);
        assert_memory_equal(r->rows[i].p, bytes, r->rows[i].n);
    }
}

static void frame_when_released_in_place_then_each_row_is_in_its_packet(void **state)
{
    (void)state;
    for (int mode = TL_TAG_PER_MESSAGE; mode <= TL_TAG_PER_FRAME; mode++) {
        scene s;
        tl_span rows[23];
        reader r = { &s.loop, rows, 0, 0 };
        start(&s, (tl_tag_mode)mode, TL_RELEASE_IN_PLACE);
        tl_assert_ok(tl_loop_open(&s.loop, 0));
        s.loop.rx.sink = (tl_stream_sink){ &r, read_rows };
        tl_assert_ok(tl_stream_rx_rows(&s.loop.rx, rows, 23));
        for (int i = 0; i < 3; i++) {
            next_frame(&s);
            if (i == 1)
                tl_packets_swap(&s.frame, TL_LOOP_LINE + 4, TL_LOOP_LINE + 5);
            tl_assert_ok(tl_stream_rx_packets(&s.loop.rx, 0, s.frame.v, s.frame.n));
            for (size_t k = 0; k < 23; k++)
                assert_true(i == 1 ||
                            (rows[k].p >= s.frame.v[TL_LOOP_LINE + k].p &&
                             rows[k].p < s.frame.v[TL_LOOP_LINE + k].p + s.frame.v[TL_LOOP_LINE + k].n));
        }
        assert_true(r.frames == 3 && r.ok == 2);
        finish(&s);
    }
}

static void rows_when_misused_then_refused(void **state)
{
    scene s;
    tl_span rows[23];
    tl_packets begin = { 0 };

    (void)state;
    start(&s, TL_TAG_PER_MESSAGE, TL_RELEASE_LINE);
    tl_assert_ok(tl_loop_open(&s.loop, 0));
    tl_assert_err(TL_E_USAGE, tl_stream_rx_rows(&s.loop.rx, rows, 23));
    finish(&s);
    start(&s, TL_TAG_PER_MESSAGE, TL_RELEASE_IN_PLACE);
    tl_assert_ok(tl_loop_open(&s.loop, 0));
    tl_assert_err(TL_E_ROOM, tl_stream_rx_rows(&s.loop.rx, rows, 22));
    tl_assert_ok(tl_stream_rx_rows(&s.loop.rx, NULL, 0));
    next_frame(&s); /* no table: a verdict all the same */
    tl_assert_ok(tl_loop_receive(&s.loop, &s.frame));
    assert_int_equal(tl_events_last(&s.loop.events, TL_EVENT_FRAME)->verdict, TL_VERDICT_OK);
    tl_assert_ok(tl_loop_begin(&s.loop, &begin));
    tl_assert_ok(tl_loop_receive(&s.loop, &begin));
    tl_assert_err(TL_E_STATE, tl_stream_rx_rows(&s.loop.rx, rows, 23));
    tl_packets_free(&begin);
    finish(&s);
}

/* ---- early ---- */

/* Receives the frame; gives how many lines left at once. */
static size_t receive_early(scene *s, tl_verdict verdict, bool revoked)
{
    const tl_stream_event *e;
    size_t lines = 0;

    tl_assert_ok(tl_loop_receive(&s->loop, &s->frame));
    for (size_t i = 0; i < s->loop.events.n; i++) {
        const tl_stream_event *m = &s->loop.events.v[i];
        if (m->kind != TL_EVENT_MESSAGE || m->payload.p == NULL)
            continue;
        assert_true(m->verdict == TL_VERDICT_OK && !m->proven);
        lines++;
    }
    e = tl_events_last(&s->loop.events, TL_EVENT_FRAME);
    assert_int_equal(e->verdict, verdict);
    assert_int_equal(e->revoked, revoked);
    if (lines > 0 || verdict != TL_VERDICT_OK)
        assert_null(e->payload.p);
    else
        assert_true(tl_loop_is_frame(&s->loop, e, s->loop.tx.frame));
    return lines;
}

static void probation(unsigned asked, unsigned frames)
{
    for (int mode = TL_TAG_PER_DATA_TYPE; mode <= TL_TAG_PER_FRAME; mode++) {
        scene s;
        start(&s, (tl_tag_mode)mode, TL_RELEASE_EARLY);
        s.loop.config.probation = (uint16_t)asked;
        tl_assert_ok(tl_loop_open(&s.loop, 0));
        next_frame(&s);
        assert_int_equal(receive_early(&s, TL_VERDICT_OK, false), 23);
        for (int round = 0; round < 2; round++) {
            next_frame(&s);
            s.frame.v[TL_LOOP_LINE + 9].p[TL_SEP_BEFORE] ^= 1;
            tl_assert_ok(tl_loop_repair(&s.loop.config, s.frame.v[TL_LOOP_LINE + 9]));
            assert_int_equal(receive_early(&s, TL_VERDICT_TAG, true), 23);
            for (unsigned i = 0; i < frames; i++) {
                next_frame(&s);
                assert_int_equal(receive_early(&s, TL_VERDICT_OK, false), 0);
            }
            next_frame(&s);
            assert_int_equal(receive_early(&s, TL_VERDICT_OK, false), 23);
        }
        finish(&s);
    }
}

static void lines_when_released_early_and_a_frame_fails_then_revoked_and_held_back_for_a_while(void **state)
{
    (void)state;
    probation(0, 30);
    probation(1, 1);
    probation(5, 5);
}

static void probation_when_a_frame_fails_or_is_lost_inside_then_it_begins_anew(void **state)
{
    scene s;

    (void)state;
    start(&s, TL_TAG_PER_DATA_TYPE, TL_RELEASE_EARLY);
    s.loop.config.probation = 3;
    tl_assert_ok(tl_loop_open(&s.loop, 0));
    next_frame(&s); /* lost: the first that comes is the second */
    for (int i = 0; i < 3; i++) {
        next_frame(&s);
        assert_int_equal(receive_early(&s, TL_VERDICT_OK, false), 0);
    }
    next_frame(&s);
    assert_int_equal(receive_early(&s, TL_VERDICT_OK, false), 23);
    next_frame(&s);
    tl_packets_drop(&s.frame, TL_LOOP_LINE);
    assert_int_equal(receive_early(&s, TL_VERDICT_GAP, true), 22);
    next_frame(&s);
    assert_int_equal(receive_early(&s, TL_VERDICT_OK, false), 0);
    next_frame(&s);
    tl_packets_drop(&s.frame, TL_LOOP_LINE);
    assert_int_equal(receive_early(&s, TL_VERDICT_GAP, false), 0);
    for (int i = 0; i < 3; i++) {
        next_frame(&s);
        assert_int_equal(receive_early(&s, TL_VERDICT_OK, false), 0);
    }
    next_frame(&s);
    assert_int_equal(receive_early(&s, TL_VERDICT_OK, false), 23);
    finish(&s);
}

static void lines_when_out_of_order_or_repeated_then_not_released_early(void **state)
{
    scene s;
    uint32_t next = 0;

    (void)state;
    start(&s, TL_TAG_PER_DATA_TYPE, TL_RELEASE_EARLY);
    tl_assert_ok(tl_loop_open(&s.loop, 0));
    next_frame(&s);
    tl_packets_swap(&s.frame, TL_LOOP_LINE + 5, TL_LOOP_LINE + 9);
    tl_packets_insert(&s.frame, TL_LOOP_LINE + 15, tl_span_of(s.frame.v[16].p, s.frame.v[16].n));
    assert_int_equal(receive_early(&s, TL_VERDICT_ORDER, true), 23 - 4);
    for (size_t i = 0; i < s.loop.events.n; i++) {
        const tl_stream_event *m = &s.loop.events.v[i];
        if (m->kind != TL_EVENT_MESSAGE || m->payload.p == NULL || m->data_type != TL_DT_RAW12)
            continue;
        assert_true(m->message >= next);
        next = m->message + 1u;
    }
    finish(&s);
}

static void init_when_memory_is_too_small_then_refused_where_it_is_needed(void **state)
{
    static const struct {
        tl_tag_mode mode;
        tl_release release;
        tl_err err;
    } rows[] = { { TL_TAG_PER_MESSAGE, TL_RELEASE_FRAME, TL_E_ROOM },
                 { TL_TAG_PER_FRAME, TL_RELEASE_EARLY, TL_E_ROOM },
                 { TL_TAG_PER_FRAME, TL_RELEASE_IN_PLACE, TL_OK },
                 { TL_TAG_PER_MESSAGE, TL_RELEASE_LINE, TL_OK } };
    static uint8_t memory[4096];

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        scene s;
        start(&s, rows[i].mode, rows[i].release);
        tl_assert_ok(tl_loop_source(&s.loop, &s.loop.rx_source, 0));
        tl_assert_err(rows[i].err,
                      tl_stream_rx_init(&s.loop.rx, &s.loop.config, &s.loop.rx_source, 0,
                                        (tl_buffer){ memory, tl_stream_frame_bytes(&s.loop.config) - 1 },
                                        (tl_stream_sink){ NULL, NULL }));
        finish(&s);
    }
}

/* ---- who checks the hop ---- */

static void packet_when_its_hop_is_checked_below_then_ecc_and_crc16_are_not_looked_at(void **state)
{
    (void)state;
    for (int below = 0; below < 2; below++) {
        scene s;
        start(&s, TL_TAG_PER_MESSAGE, TL_RELEASE_FRAME);
        s.loop.config.hop_check = below ? TL_HOP_CHECKED_BELOW : TL_HOP_CHECK_HERE;
        tl_assert_ok(tl_loop_open(&s.loop, 0));
        next_frame(&s);
        s.frame.v[TL_LOOP_LINE + 3].p[s.frame.v[TL_LOOP_LINE + 3].n - 1] ^= 0x11; /* the CRC-16 itself */
        s.frame.v[TL_LOOP_LINE + 4].p[3] ^= 0x03;                                 /* the ECC itself, twice */
        tl_assert_ok(tl_loop_receive(&s.loop, &s.frame));
        if (below) {
            assert_true(tl_loop_is_frame(&s.loop, tl_events_last(&s.loop.events, TL_EVENT_FRAME), 100));
        } else {
            assert_int_equal(tl_events_last(&s.loop.events, TL_EVENT_FRAME)->verdict, TL_VERDICT_ECC);
            assert_int_equal(s.loop.rx.counters.verdicts[TL_VERDICT_CRC16], 1);
        }
        /* What is not as long as its header says is refused either way. */
        next_frame(&s);
        s.frame.v[TL_LOOP_LINE + 3].n--;
        tl_assert_ok(tl_loop_receive(&s.loop, &s.frame));
        s.frame.v[TL_LOOP_LINE + 3].n++;
        assert_int_equal(tl_events_last(&s.loop.events, TL_EVENT_FRAME)->verdict, TL_VERDICT_CRC16);
        finish(&s);
    }
}

/* A backend whose checksums are counted. */
typedef struct counting {
    tl_wrap wrap;
} counting;

static size_t crc16_bytes, crc32_bytes;

static uint16_t counted_crc16(uint16_t crc, tl_span data)
{
    crc16_bytes += data.n;
    return tl_csi2_crc16(crc, data);
}

static uint32_t counted_crc32(uint32_t crc, tl_span data)
{
    crc32_bytes += data.n;
    crc = ~crc;
    for (size_t i = 0; i < data.n; i++) {
        crc ^= data.p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static void checksums_when_the_backend_has_them_then_its_own_at_both_ends(void **state)
{
    scene s;
    counting c;
    size_t sent = 0;

    (void)state;
    tl_wrap_init(&c.wrap, crypto);
    c.wrap.ops.crc16 = counted_crc16;
    c.wrap.ops.crc32 = counted_crc32;
    start(&s, TL_TAG_PER_MESSAGE, TL_RELEASE_FRAME);
    s.loop.crypto = &c.wrap.crypto;
    tl_assert_ok(tl_loop_open(&s.loop, 0));
    crc16_bytes = crc32_bytes = 0;
    next_frame(&s);
    for (size_t i = 1; i + 1 < s.frame.n; i++) /* the CRC-16 covers the CRC-32, which covers all but itself */
        sent += s.frame.v[i].n - TL_CSI2_HEADER_SIZE - TL_CSI2_FOOTER_SIZE;
    assert_int_equal(crc16_bytes, sent);
    assert_int_equal(crc32_bytes, sent - 25 * 4);
    tl_assert_ok(tl_loop_receive(&s.loop, &s.frame));
    assert_int_equal(crc16_bytes, 2 * sent);
    assert_int_equal(crc32_bytes, 2 * (sent - 25 * 4));
    assert_true(tl_loop_is_frame(&s.loop, tl_events_last(&s.loop.events, TL_EVENT_FRAME), 100));
    finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_when_released_in_place_then_each_row_is_in_its_packet),
        cmocka_unit_test(rows_when_misused_then_refused),
        cmocka_unit_test(lines_when_released_early_and_a_frame_fails_then_revoked_and_held_back_for_a_while),
        cmocka_unit_test(probation_when_a_frame_fails_or_is_lost_inside_then_it_begins_anew),
        cmocka_unit_test(lines_when_out_of_order_or_repeated_then_not_released_early),
        cmocka_unit_test(init_when_memory_is_too_small_then_refused_where_it_is_needed),
        cmocka_unit_test(packet_when_its_hop_is_checked_below_then_ecc_and_crc16_are_not_looked_at),
        cmocka_unit_test(checksums_when_the_backend_has_them_then_its_own_at_both_ends),
    };

    return cmocka_run_group_tests_name("release", tests, open_backend, close_backend);
}
