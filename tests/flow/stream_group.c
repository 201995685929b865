/* Many streams of one port: interleaved, verified across streams, and judged as if each had a receiver of its own; an attack
 * on one, and packets of nobody, cost what they would cost a single receiver, and no work without bound. */
#include "faulty.h"
#include "loop.h"
#include "one_backend.h"
#include "testing.h"

#include <trueline/group.h>
#include <trueline/openssl.h>

#include <stdlib.h>
#include <string.h>

enum { STREAMS = 64, SLOTS = 128, BATCH = TL_STREAM_BATCH, CALL = 100, FIRST = 100 };

/* A port with `n` streams, ids 1000, 1001, ..., on channels 0 to 3 in turn. */
typedef struct port {
    size_t n;
    tl_loop loops[STREAMS];
    tl_packets frames[STREAMS]; /* of each sender, not yet on the wire */
    tl_stream_group group;
    tl_group_slot slots[SLOTS];
    tl_packets wire;
} port;

static tl_group_memory memory_of(port *p, size_t batch)
{
    return (tl_group_memory){ p->slots, SLOTS, batch };
}

static port *port_open_on(const tl_crypto *c, size_t n, size_t batch)
{
    port *p = calloc(1, sizeof *p);
    tl_group_memory memory;

    assert_non_null(p);
    memory = memory_of(p, batch);
    tl_assert_ok(tl_stream_group_init(&p->group, c, &memory));
    p->n = n;
    for (size_t i = 0; i < n; i++) {
        tl_loop *l = &p->loops[i];

        tl_loop_init(l, c);
        l->config.stream = (uint16_t)(1000 + i);
        l->config.virtual_channel = i % 4;
        if (i % 3 == 1)
            l->config.tag_size = 12;
        tl_assert_ok(tl_loop_open(l, (uint32_t)i % 5));
        tl_assert_ok(tl_stream_group_add(&p->group, &l->rx));
    }
    return p;
}

static port *port_open(size_t n)
{
    return port_open_on(crypto, n, BATCH);
}

static void port_close(port *p)
{
    for (size_t i = 0; i < p->n; i++) {
        tl_loop_close(&p->loops[i]);
        tl_packets_free(&p->frames[i]);
    }
    tl_packets_free(&p->wire);
    free(p);
}

/* Each sender makes a frame. */
static void make_frames(port *p)
{
    for (size_t i = 0; i < p->n; i++) {
        tl_packets_free(&p->frames[i]);
        tl_assert_ok(tl_loop_send(&p->loops[i], &p->frames[i]));
    }
}

/* An aggregator: a packet of each sender in turn, until all are on the wire. */
static void interleave(port *p)
{
    for (size_t at = 0, left = 1; left > 0; at++) {
        left = 0;
        for (size_t i = 0; i < p->n; i++)
            if (at < p->frames[i].n) {
                tl_packets_take(&p->wire, &p->frames[i], at);
                left++;
            }
    }
}

/* The wire to the group, in copies that are gone after each call. */
static tl_err receive(port *p, uint64_t now_ms)
{
    tl_err first = TL_OK;

    for (size_t from = 0; from < p->wire.n; from += CALL) {
        tl_buffer copies[CALL];
        size_t n = p->wire.n - from < CALL ? p->wire.n - from : CALL;
        tl_err e;

        for (size_t i = 0; i < n; i++) {
            copies[i] = (tl_buffer){ malloc(p->wire.v[from + i].n + 1), p->wire.v[from + i].n };
            assert_non_null(copies[i].p);
            memcpy(copies[i].p, p->wire.v[from + i].p, copies[i].n);
        }
        e = tl_stream_group_packets(&p->group, now_ms, copies, n);
        if (first == TL_OK)
            first = e;
        for (size_t i = 0; i < n; i++) {
            memset(copies[i].p, 0x5A, copies[i].n);
            free(copies[i].p);
        }
    }
    tl_packets_free(&p->wire);
    return first;
}

static void assert_right(const port *p, size_t i, uint32_t frame)
{
    const tl_loop *l = &p->loops[i];

    if (!tl_loop_is_frame(l, tl_events_last(&l->events, TL_EVENT_FRAME), frame))
        fail_msg("stream %zu: frame %u is not right", i, frame);
}

static void assert_all_right_but(const port *p, size_t but, uint32_t frame)
{
    for (size_t i = 0; i < p->n; i++)
        if (i != but)
            assert_right(p, i, frame);
}

static const tl_stream_event *frame_event(const port *p, size_t i)
{
    const tl_stream_event *e = tl_events_last(&p->loops[i].events, TL_EVENT_FRAME);

    assert_non_null(e);
    return e;
}

/* ---- what is right ---- */

static void streams_when_interleaved_then_each_frame_is_right_and_batches_are_full(void **state)
{
    port *p = port_open(STREAMS);
    const tl_group_counters *c = tl_stream_group_counters(&p->group);

    (void)state;
    for (uint32_t frame = FIRST; frame < FIRST + 3; frame++) {
        make_frames(p);
        interleave(p);
        tl_assert_ok(receive(p, 1000));
        assert_all_right_but(p, STREAMS, frame);
    }
    /* Each frame: 23 lines, begin and end. A call of 100 packets is six full batches and a rest. */
    assert_true(c->messages == 3 * STREAMS * 25);
    assert_true(c->messages > 12 * c->batches);
    assert_true(c->packets == 3 * STREAMS * 27 && c->short_packets == 3 * STREAMS * 2);
    assert_true(c->unknown == 0 && c->unreadable == 0 && c->plain == 0);
    port_close(p);
}

static void streams_when_some_change_their_keys_then_no_frame_is_lost(void **state)
{
    port *p = port_open(9);

    (void)state;
    for (uint32_t frame = FIRST; frame < FIRST + 6; frame++) {
        tl_loop *l = &p->loops[frame % 9];

        tl_assert_ok(tl_stream_rx_rekey(&l->rx, &l->rx_source, frame));
        tl_assert_ok(tl_stream_tx_rekey(&l->tx, &l->tx_source, frame));
        make_frames(p);
        interleave(p);
        tl_assert_ok(receive(p, 1000));
        assert_all_right_but(p, STREAMS, frame);
        assert_int_equal(tl_events_count(&l->events, TL_EVENT_KEY), 1);
    }
    port_close(p);
}

static void frames_when_one_stream_stops_then_it_is_cut_by_time_and_the_others_go_on(void **state)
{
    port *p = port_open(5);

    (void)state;
    make_frames(p);
    while (p->frames[2].n > 6)
        tl_packets_drop(&p->frames[2], p->frames[2].n - 1);
    interleave(p);
    tl_assert_ok(receive(p, 1000));
    tl_stream_group_tick(&p->group, 1501);
    assert_all_right_but(p, 2, FIRST);
    assert_int_equal(frame_event(p, 2)->verdict, TL_VERDICT_CUT);
    make_frames(p);
    interleave(p);
    tl_assert_ok(receive(p, 2000));
    assert_all_right_but(p, STREAMS, FIRST + 1);
    port_close(p);
}

/* ---- attacks on one ---- */

typedef void (*attack)(port *p, tl_packets *frame);

static void spoil_a_tag(port *p, tl_packets *frame)
{
    (void)p;
    frame->v[5].p[TL_SEP_BEFORE + 3] ^= 1;
    tl_assert_ok(tl_csi2_repair(frame->v[5].p, frame->v[5].n));
}

static void drop_a_line(port *p, tl_packets *frame)
{
    (void)p;
    tl_packets_drop(frame, 7);
}

static void repeat_a_line(port *p, tl_packets *frame)
{
    (void)p;
    tl_packets_insert(frame, 9, tl_span_of(frame->v[7].p, frame->v[7].n));
}

static void swap_lines(port *p, tl_packets *frame)
{
    (void)p;
    tl_packets_swap(frame, 6, 7);
}

/* A line of a neighbour under our stream's id, on our channel, with all checksums right. */
static void masquerade(port *p, tl_packets *frame)
{
    tl_loop_message m;
    const tl_stream_config *c = &p->loops[0].config;
    tl_buffer stolen = p->frames[5].v[7];
    tl_packets copy = { 0 };

    tl_packets_add(&copy, tl_span_of(stolen.p, stolen.n));
    tl_assert_ok(tl_loop_read(&p->loops[5].config, copy.v[0], &m));
    m.header.stream = c->stream;
    tl_assert_ok(tl_loop_write(&p->loops[5].config, copy.v[0], &m));
    copy.v[0].p[0] &= 0x3F;
    tl_assert_ok(tl_loop_repair(c, copy.v[0]));
    tl_packets_drop(frame, 7);
    tl_packets_insert(frame, 7, tl_span_of(copy.v[0].p, copy.v[0].n));
    tl_packets_free(&copy);
}

static void stream_when_attacked_then_its_frame_alone_is_refused(void **state)
{
    static const struct {
        attack how;
        tl_verdict verdict;
    } cases[] = {
        { spoil_a_tag, TL_VERDICT_CRC32 },    { drop_a_line, TL_VERDICT_GAP },
        { repeat_a_line, TL_VERDICT_REPEAT }, { swap_lines, TL_VERDICT_ORDER },
        { masquerade, TL_VERDICT_TAG },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        port *p = port_open(12);

        make_frames(p);
        cases[i].how(p, &p->frames[0]);
        interleave(p);
        tl_assert_ok(receive(p, 1000));
        assert_all_right_but(p, 0, FIRST);
        if (frame_event(p, 0)->verdict != cases[i].verdict)
            fail_msg("case %zu: %s", i, tl_verdict_text(frame_event(p, 0)->verdict));
        make_frames(p);
        interleave(p);
        tl_assert_ok(receive(p, 1001));
        assert_all_right_but(p, STREAMS, FIRST + 1);
        port_close(p);
    }
}

static void stream_when_flooded_with_wrong_tags_then_its_limit_holds_and_the_others_go_on(void **state)
{
    port *p = port_open(12);
    tl_loop *victim = &p->loops[3];
    tl_packets forged = { 0 };

    (void)state;
    victim->rx.plan.limits.bad = 7; /* as a configuration with that limit */
    make_frames(p);
    tl_packets_take(&forged, &p->frames[3], 5);
    forged.v[0].p[TL_SEP_BEFORE] ^= 1;
    tl_assert_ok(tl_csi2_repair(forged.v[0].p, forged.v[0].n));
    for (size_t i = 0; i < 200; i++)
        tl_packets_insert(&p->frames[3], 3, tl_span_of(forged.v[0].p, forged.v[0].n));
    interleave(p);
    tl_assert_ok(receive(p, 1000));
    assert_true(victim->rx.key.bad == 7);
    assert_true(tl_stream_rx_counters(&victim->rx)->verdicts[TL_VERDICT_LIMIT] >= 193);
    assert_all_right_but(p, 3, FIRST);
    tl_packets_free(&forged);
    port_close(p);
}

/* ---- packets of nobody ---- */

/* Puts a packet in front of the lines of each frame, `times` times. */
static void insert(port *p, tl_span packet, size_t times)
{
    for (size_t i = 0; i < times; i++)
        tl_packets_insert(&p->wire, 2 * p->n + i % 5, packet);
}

static size_t told(const port *p, size_t i, tl_verdict verdict)
{
    return (size_t)tl_stream_rx_counters(&p->loops[i].rx)->verdicts[verdict];
}

static void packet_when_its_header_cannot_be_read_then_a_claim_that_costs_no_frame(void **state)
{
    port *p = port_open(8);
    uint8_t bytes[40] = { 0xFF, 0xFF, 0xFF, 0xFF };

    (void)state;
    make_frames(p);
    interleave(p);
    insert(p, tl_span_of(bytes, sizeof bytes), 1);
    insert(p, tl_span_of(bytes, 3), 1);
    tl_assert_ok(receive(p, 1000));
    assert_int_equal(tl_stream_group_counters(&p->group)->unreadable, 2);
    for (size_t i = 0; i < 8; i++)
        assert_true(told(p, i, TL_VERDICT_ECC) >= 1);
    assert_all_right_but(p, STREAMS, FIRST);
    port_close(p);
}

static void packet_when_it_is_plain_then_a_fact_against_the_open_frames_of_its_channel(void **state)
{
    port *p = port_open(8);
    const tl_csi2_header h = { 2, TL_DT_RAW12, 0 };
    uint8_t bytes[100], pixels[90] = { 0 };
    tl_wr w = tl_wr_of(bytes, sizeof bytes);

    (void)state;
    tl_assert_ok(tl_csi2_write(&h, tl_span_of(pixels, sizeof pixels), &w));
    make_frames(p);
    interleave(p);
    insert(p, tl_span_of(bytes, w.n), 1);
    tl_assert_ok(receive(p, 1000));
    assert_int_equal(tl_stream_group_counters(&p->group)->plain, 1);
    for (size_t i = 0; i < 8; i++)
        if (i % 4 == 2)
            assert_int_equal(frame_event(p, i)->verdict, TL_VERDICT_UNPROTECTED);
        else
            assert_right(p, i, FIRST);
    port_close(p);
}

static void packet_when_plain_and_listed_so_by_all_then_it_is_only_counted(void **state)
{
    port *p = port_open(1);
    tl_loop other;
    const tl_csi2_header h = { 0, TL_DT_RAW8, 0 };
    uint8_t bytes[20], pixels[10] = { 0 };
    tl_wr w = tl_wr_of(bytes, sizeof bytes);

    (void)state;
    tl_assert_ok(tl_stream_group_remove(&p->group, 1000));
    tl_loop_init(&other, crypto);
    other.config.virtual_channel = 0;
    other.config.plain_types = UINT64_C(1) << TL_DT_RAW8;
    tl_assert_ok(tl_loop_open(&other, 0));
    tl_assert_ok(tl_stream_group_add(&p->group, &other.rx));
    tl_assert_ok(tl_csi2_write(&h, tl_span_of(pixels, sizeof pixels), &w));
    tl_packets_add(&p->wire, tl_span_of(bytes, w.n));
    tl_assert_ok(receive(p, 1000));
    assert_int_equal(tl_stream_group_counters(&p->group)->plain, 1);
    assert_int_equal(tl_stream_rx_counters(&other.rx)->verdicts[TL_VERDICT_UNPROTECTED], 0);
    tl_loop_close(&other);
    port_close(p);
}

/* What one stream has listed as plain, and another has not, is told to both; that must hide nothing of what comes next. */
static void packet_when_plain_behind_one_that_its_stream_ignores_then_a_fact_against_the_frame(void **state)
{
    port *p = port_open(1);
    tl_loop other, *l = &p->loops[0];
    uint8_t bytes[2][20], pixels[10] = { 0 };

    (void)state;
    tl_loop_init(&other, crypto);
    other.config.stream = 2000;
    other.config.virtual_channel = 0;
    other.config.plain_types = UINT64_C(1) << TL_DT_RAW8;
    tl_assert_ok(tl_loop_open(&other, 0));
    tl_assert_ok(tl_stream_group_add(&p->group, &other.rx));
    make_frames(p);
    tl_packets_join(&p->wire, &p->frames[0]);
    tl_assert_ok(tl_loop_send(&other, &p->wire));
    for (unsigned i = 0; i < 2; i++) {
        const tl_csi2_header h = { 0, i == 0 ? TL_DT_RAW8 : TL_DT_RAW12, 0 };
        tl_wr w = tl_wr_of(bytes[i], sizeof bytes[i]);

        tl_assert_ok(tl_csi2_write(&h, tl_span_of(pixels, sizeof pixels), &w));
        tl_packets_insert(&p->wire, p->frames[0].n + 5 + i, tl_span_of(bytes[i], w.n));
    }
    tl_assert_ok(receive(p, 1000));
    assert_right(p, 0, FIRST);
    assert_int_equal(tl_events_last(&other.events, TL_EVENT_FRAME)->verdict, TL_VERDICT_UNPROTECTED);
    assert_int_equal(tl_events_count(&l->events, TL_EVENT_FRAME), 1);
    tl_loop_close(&other);
    port_close(p);
}

/* Where the hop is checked below, ECC and CRC-16 may be missing: the group must not look at them either. */
static void packets_when_their_hop_is_checked_below_then_taken_as_by_a_single_receiver(void **state)
{
    port *p = port_open(1);
    tl_loop below, *l = &p->loops[0];
    uint8_t bytes[2][20], pixels[10] = { 0 };

    (void)state;
    tl_loop_init(&below, crypto);
    below.config.stream = 2000;
    below.config.hop_check = TL_HOP_CHECKED_BELOW;
    below.config.plain_types = UINT64_C(1) << TL_DT_RAW8;
    tl_assert_ok(tl_loop_open(&below, 0));
    tl_assert_err(TL_E_USAGE, tl_stream_group_add(&p->group, &below.rx));
    tl_assert_ok(tl_stream_group_remove(&p->group, l->config.stream));
    tl_assert_ok(tl_stream_group_add(&p->group, &below.rx));
    tl_assert_err(TL_E_USAGE, tl_stream_group_add(&p->group, &l->rx));
    for (uint32_t attacked = 0; attacked < 2; attacked++) {
        tl_assert_ok(tl_loop_send(&below, &p->wire));
        for (unsigned i = 0; i < 2; i++) {
            const tl_csi2_header h = { 1, i == 0 ? TL_DT_RAW8 : TL_DT_RAW12, 0 };
            tl_wr w = tl_wr_of(bytes[i], sizeof bytes[i]);

            tl_assert_ok(tl_csi2_write(&h, tl_span_of(pixels, sizeof pixels), &w));
            if (i <= attacked)
                tl_packets_insert(&p->wire, 5 + i, tl_span_of(bytes[i], w.n));
        }
        for (size_t i = 0; i < p->wire.n; i++) {
            p->wire.v[i].p[3] = 0;
            if (p->wire.v[i].n > TL_CSI2_HEADER_SIZE)
                memset(p->wire.v[i].p + p->wire.v[i].n - TL_CSI2_FOOTER_SIZE, 0, TL_CSI2_FOOTER_SIZE);
        }
        tl_assert_ok(receive(p, 1000 + attacked));
        assert_non_null(tl_events_last(&below.events, TL_EVENT_FRAME));
        assert_int_equal(tl_events_last(&below.events, TL_EVENT_FRAME)->verdict,
                         attacked ? TL_VERDICT_UNPROTECTED : TL_VERDICT_OK);
    }
    tl_loop_close(&below);
    port_close(p);
}

static void packet_when_of_an_unknown_stream_or_channel_then_counted_and_no_frame_is_lost(void **state)
{
    port *p = port_open(8);

    (void)state;
    make_frames(p);
    tl_assert_ok(tl_stream_group_remove(&p->group, 1005));
    interleave(p);
    tl_assert_ok(receive(p, 1000));
    assert_int_equal(tl_stream_group_counters(&p->group)->unknown, 25);
    assert_int_equal(tl_stream_rx_counters(&p->loops[5].rx)->packets, 0);
    assert_all_right_but(p, 5, FIRST);

    make_frames(p); /* now one on a channel that its stream does not take */
    for (size_t i = 0; i < p->frames[3].n; i++) {
        tl_buffer b = p->frames[3].v[i];

        b.p[0] = (uint8_t)((b.p[0] & 0x3F) | 1 << 6);
        tl_assert_ok(tl_csi2_repair(b.p, b.n));
    }
    interleave(p);
    tl_assert_ok(receive(p, 1001));
    assert_int_equal(tl_stream_group_counters(&p->group)->unknown, 75);
    assert_true(tl_events_count(&p->loops[3].events, TL_EVENT_FRAME) == 1); /* that of before */
    port_close(p);
}

static void packets_of_nobody_when_they_are_many_then_no_stream_pays_for_each(void **state)
{
    port *p = port_open(STREAMS);
    uint8_t bytes[40] = { 0xFF, 0xFF, 0xFF, 0xFF };
    size_t all = 0;

    (void)state;
    for (size_t i = 0; i < 2000; i++)
        tl_packets_add(&p->wire, tl_span_of(bytes, sizeof bytes));
    tl_assert_ok(receive(p, 1000));
    for (size_t i = 0; i < STREAMS; i++)
        all += told(p, i, TL_VERDICT_ECC);
    assert_int_equal(all, STREAMS); /* of 128,000 */
    assert_int_equal(tl_stream_group_counters(&p->group)->unreadable, 2000);
    tl_packets_add(&p->wire, tl_span_of(bytes, sizeof bytes));
    tl_assert_ok(receive(p, 1001));
    assert_int_equal(told(p, 0, TL_VERDICT_ECC), 2); /* time has moved on */
    port_close(p);
}

/* A plain packet in each of two frames that come in one batch must fail both. */
static void fact_when_repeated_in_the_next_frame_of_the_same_batch_then_it_counts_there_too(void **state)
{
    port *p = port_open(1);
    tl_loop *l = &p->loops[0];
    const tl_csi2_header h = { 0, TL_DT_RAW12, 0 };
    uint8_t bytes[20], pixels[10] = { 0 };
    tl_wr w = tl_wr_of(bytes, sizeof bytes);

    (void)state;
    tl_assert_ok(tl_csi2_write(&h, tl_span_of(pixels, sizeof pixels), &w));
    for (int i = 0; i < 2; i++) {
        tl_assert_ok(tl_loop_begin(l, &p->wire));
        tl_packets_add(&p->wire, tl_span_of(bytes, w.n));
        tl_assert_ok(tl_loop_messages(l, 3, &p->wire));
        tl_assert_ok(tl_loop_end(l, &p->wire));
    }
    assert_true(p->wire.n <= BATCH);
    tl_assert_ok(receive(p, 1000));
    assert_int_equal(told(p, 0, TL_VERDICT_UNPROTECTED), 2);
    assert_int_equal(tl_events_count(&l->events, TL_EVENT_FRAME), 2);
    for (size_t i = 0; i < l->events.n; i++)
        if (l->events.v[i].kind == TL_EVENT_FRAME)
            assert_int_equal(l->events.v[i].verdict, TL_VERDICT_UNPROTECTED);
    port_close(p);
}

/* ---- a twin with a receiver of its own ---- */

/* What a frame's verdict is made of. */
static void assert_same_frames(const tl_events *a, const tl_events *b)
{
    size_t k = 0;

    for (size_t i = 0; i < a->n; i++) {
        const tl_stream_event *x = &a->v[i], *y;

        if (x->kind != TL_EVENT_FRAME && x->kind != TL_EVENT_LOST && x->kind != TL_EVENT_OPENED)
            continue;
        while (k < b->n && b->v[k].kind != TL_EVENT_FRAME && b->v[k].kind != TL_EVENT_LOST &&
               b->v[k].kind != TL_EVENT_OPENED)
            k++;
        assert_true(k < b->n);
        y = &b->v[k++];
        assert_true(x->kind == y->kind && x->frame == y->frame && x->verdict == y->verdict &&
                    x->cause == y->cause && x->count == y->count && x->data_type == y->data_type &&
                    x->message == y->message && x->revoked == y->revoked && x->payload.n == y->payload.n);
    }
}

/* Damages, drops, repeats and moves packets of the wire, and puts in some of nobody. */
static void disturb(port *p, tl_rng *r)
{
    static const uint8_t garbage[12] = { 0xFF, 0xFF, 0xFF, 0xFF };
    const tl_csi2_header h = { (uint8_t)tl_random_below(r, 4), TL_DT_RAW10, 0 };
    uint8_t plain[20];
    tl_wr w = tl_wr_of(plain, sizeof plain);

    tl_assert_ok(tl_csi2_write(&h, tl_span_of(garbage, sizeof garbage), &w));
    for (size_t i = tl_random_below(r, 20); i > 0; i--) {
        size_t at = tl_random_below(r, p->wire.n);
        tl_buffer b = p->wire.v[at];

        switch (tl_random_below(r, 7)) {
        case 0: tl_packets_drop(&p->wire, at); break;
        case 1: tl_packets_insert(&p->wire, tl_random_below(r, p->wire.n), tl_span_of(b.p, b.n)); break;
        case 2: tl_packets_swap(&p->wire, at, tl_random_below(r, p->wire.n)); break;
        case 3: b.p[tl_random_below(r, b.n)] ^= (uint8_t)(1u << tl_random_below(r, 8)); break;
        case 4:
            b.p[b.n > 8 ? 4 + tl_random_below(r, b.n - 6) : 1] ^= (uint8_t)(1u << tl_random_below(r, 8));
            if (b.n > 4)
                (void)!tl_csi2_repair(b.p, b.n);
            break;
        case 5: tl_packets_insert(&p->wire, at, tl_span_of(garbage, sizeof garbage)); break;
        default: tl_packets_insert(&p->wire, at, tl_span_of(plain, w.n)); break;
        }
    }
}

/* What reaches a stream by itself: its own packets, and those of nobody. */
static void feed_twin(port *p, size_t i, tl_stream_rx *twin, uint64_t now_ms)
{
    for (size_t k = 0; k < p->wire.n; k++) {
        tl_buffer from = p->wire.v[k], copy = { malloc(from.n + 1), from.n };
        uint16_t stream = tl_stream_of_packet(tl_span_of(from.p, from.n));
        bool foreign = stream != 0 && tl_stream_group_find(&p->group, stream) != NULL &&
                       stream != p->loops[i].config.stream;
        tl_csi2_header h;

        assert_non_null(copy.p);
        memcpy(copy.p, from.p, from.n);
        /* a known stream on another channel than its own belongs to nobody */
        if (foreign && tl_csi2_header_read(from.p, &h) != TL_CSI2_ECC_BAD &&
            (stream - 1000) % 4 != h.virtual_channel)
            foreign = false;
        if (!foreign)
            tl_assert_ok(tl_stream_rx_packets(twin, now_ms, &copy, 1));
        free(copy.p);
    }
}

static void group_when_the_wire_is_disturbed_then_each_frame_is_judged_as_by_a_receiver_of_its_own(
    void **state)
{
    enum { N = 6, ROUNDS = 60 };
    tl_rng r = tl_random_start(__func__);

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        port *p = port_open(N);
        tl_stream_rx twins[N];
        tl_key_source sources[N];
        tl_events events[N] = { { 0 } };
        uint8_t *memory[N];

        for (size_t i = 0; i < N; i++) {
            size_t n = tl_stream_frame_bytes(&p->loops[i].config);

            memory[i] = malloc(n);
            assert_non_null(memory[i]);
            tl_assert_ok(tl_loop_source(&p->loops[i], &sources[i], 0));
            tl_assert_ok(tl_stream_rx_init(&twins[i], &p->loops[i].config, &sources[i], (uint32_t)i % 5,
                                           (tl_buffer){ memory[i], n }, tl_events_sink(&events[i])));
        }
        for (int frame = 0; frame < 4; frame++) {
            make_frames(p);
            interleave(p);
            if (frame < 3)
                disturb(p, &r);
            for (size_t i = 0; i < N; i++)
                feed_twin(p, i, &twins[i], 1000);
            tl_assert_ok(receive(p, 1000));
        }
        for (size_t i = 0; i < N; i++) {
            assert_same_frames(&events[i], &p->loops[i].events);
            assert_same_frames(&p->loops[i].events, &events[i]);
            tl_stream_rx_wipe(&twins[i]);
            tl_events_clear(&events[i]);
            free(events[i].v);
            free(memory[i]);
        }
        port_close(p);
    }
}

/* ---- faults and the table ---- */

static void backend_when_it_fails_in_a_batch_then_said_and_the_next_frames_are_right(void **state)
{
    tl_faulty f;
    port *p;

    (void)state;
    tl_faulty_init(&f, crypto, 0);
    p = port_open_on(tl_faulty_crypto(&f), 10, 16);
    make_frames(p);
    interleave(p);
    f.fail_at = f.calls + 3;
    tl_assert_err(TL_E_BACKEND, receive(p, 1000));
    assert_true(f.failed);
    f.fail_at = 0;
    for (size_t i = 0; i < 10; i++) /* 16 packets are gone: of each stream one or two */
        assert_int_not_equal(frame_event(p, i)->verdict, TL_VERDICT_OK);
    make_frames(p);
    interleave(p);
    tl_assert_ok(receive(p, 1001));
    assert_all_right_but(p, STREAMS, FIRST + 1);
    port_close(p);
    tl_faulty_assert_clean(&f);
}

static void table_when_streams_come_and_go_then_each_is_found_and_no_other(void **state)
{
    enum { IDS = 300, MOST = 16 };
    static tl_stream_rx rx[IDS]; /* only their ids count here */
    static tl_group_slot slots[2 * MOST];
    const tl_group_memory memory = { slots, 2 * MOST, 1 };
    tl_stream_group g;
    bool here[IDS] = { false };
    size_t n = 0;
    tl_rng r = tl_random_start(__func__);

    (void)state;
    tl_assert_ok(tl_stream_group_init(&g, crypto, &memory));
    for (size_t i = 0; i < IDS; i++) {
        rx[i].config.stream = (uint16_t)(i * 217 + 1);
        rx[i].crypto = crypto;
    }
    for (int step = 0; step < 20000; step++) {
        size_t i = tl_random_below(&r, IDS);
        uint16_t id = rx[i].config.stream;
        tl_err e = here[i] || n == MOST ? tl_stream_group_remove(&g, id) : tl_stream_group_add(&g, &rx[i]);

        if (here[i] || n < MOST) {
            tl_assert_ok(e);
            n = here[i] ? n - 1 : n + 1;
            here[i] = !here[i];
        } else {
            tl_assert_err(TL_E_USAGE, e); /* it was not here */
            tl_assert_err(TL_E_ROOM, tl_stream_group_add(&g, &rx[i]));
        }
        i = tl_random_below(&r, IDS);
        assert_true(tl_stream_group_find(&g, rx[i].config.stream) == (here[i] ? &rx[i] : NULL));
    }
    for (size_t i = 0; i < IDS; i++)
        assert_true(tl_stream_group_find(&g, rx[i].config.stream) == (here[i] ? &rx[i] : NULL));
    assert_null(tl_stream_group_find(&g, 0));
}

static void group_when_used_wrongly_then_refused(void **state)
{
    port *p = port_open(2);
    tl_group_memory memory = memory_of(p, BATCH);
    tl_stream_group g;
    tl_stream_rx nobody = { 0 };
    tl_crypto other = *crypto;

    (void)state;
    tl_assert_err(TL_E_USAGE, tl_stream_group_add(&p->group, &p->loops[0].rx)); /* again */
    tl_assert_err(TL_E_USAGE, tl_stream_group_add(&p->group, &nobody));
    tl_assert_err(TL_E_USAGE, tl_stream_group_remove(&p->group, 7));
    tl_assert_err(TL_E_USAGE, tl_stream_group_remove(&p->group, 0));
    memory.slot_n = 100;
    tl_assert_err(TL_E_USAGE, tl_stream_group_init(&g, crypto, &memory));
    memory.slot_n = 0;
    tl_assert_err(TL_E_USAGE, tl_stream_group_init(&g, crypto, &memory));
    memory = memory_of(p, 0);
    tl_assert_err(TL_E_USAGE, tl_stream_group_init(&g, crypto, &memory));
    memory = memory_of(p, BATCH);
    tl_assert_ok(tl_stream_group_init(&g, &other, &memory));
    tl_assert_err(TL_E_USAGE, tl_stream_group_add(&g, &p->loops[0].rx)); /* another backend */
    port_close(p);
}

/* What has no header, or none that names a stream, is of none; nothing behind the packet's end is read. */
static void packet_when_it_names_no_stream_then_of_none(void **state)
{
    port *p = port_open(1);
    tl_buffer whole;

    (void)state;
    make_frames(p);
    whole = p->frames[0].v[1];
    assert_int_equal(tl_stream_of_packet(tl_span_of(whole.p, whole.n)), 1000);
    for (size_t n = 0; n <= TL_CSI2_HEADER_SIZE; n++) {
        uint8_t *cut = malloc(n > 0 ? n : 1);

        assert_non_null(cut);
        memcpy(cut, whole.p, n);
        assert_int_equal(tl_stream_of_packet(tl_span_of(cut, n)), 0);
        free(cut);
    }
    assert_int_equal(tl_stream_of_packet(tl_span_of(p->frames[0].v[0].p, p->frames[0].v[0].n)), 0);
    whole.p[0] ^= 0x03; /* two bits: the header cannot be read */
    assert_int_equal(tl_stream_of_packet(tl_span_of(whole.p, whole.n)), 0);
    port_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_when_interleaved_then_each_frame_is_right_and_batches_are_full),
        cmocka_unit_test(streams_when_some_change_their_keys_then_no_frame_is_lost),
        cmocka_unit_test(frames_when_one_stream_stops_then_it_is_cut_by_time_and_the_others_go_on),
        cmocka_unit_test(stream_when_attacked_then_its_frame_alone_is_refused),
        cmocka_unit_test(stream_when_flooded_with_wrong_tags_then_its_limit_holds_and_the_others_go_on),
        cmocka_unit_test(packet_when_its_header_cannot_be_read_then_a_claim_that_costs_no_frame),
        cmocka_unit_test(packet_when_it_is_plain_then_a_fact_against_the_open_frames_of_its_channel),
        cmocka_unit_test(packet_when_plain_and_listed_so_by_all_then_it_is_only_counted),
        cmocka_unit_test(packet_when_plain_behind_one_that_its_stream_ignores_then_a_fact_against_the_frame),
        cmocka_unit_test(packets_when_their_hop_is_checked_below_then_taken_as_by_a_single_receiver),
        cmocka_unit_test(packet_when_of_an_unknown_stream_or_channel_then_counted_and_no_frame_is_lost),
        cmocka_unit_test(packets_of_nobody_when_they_are_many_then_no_stream_pays_for_each),
        cmocka_unit_test(fact_when_repeated_in_the_next_frame_of_the_same_batch_then_it_counts_there_too),
        cmocka_unit_test(
            group_when_the_wire_is_disturbed_then_each_frame_is_judged_as_by_a_receiver_of_its_own),
        cmocka_unit_test(backend_when_it_fails_in_a_batch_then_said_and_the_next_frames_are_right),
        cmocka_unit_test(table_when_streams_come_and_go_then_each_is_found_and_no_other),
        cmocka_unit_test(group_when_used_wrongly_then_refused),
        cmocka_unit_test(packet_when_it_names_no_stream_then_of_none),
    };

    backend_config.key_slots = 6 * STREAMS;
    return cmocka_run_group_tests(tests, open_backend, close_backend);
}
