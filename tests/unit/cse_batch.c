/* One batch for the packets of several streams: each under its own key, each judged by its own stream. */
#include "loop.h"
#include "one_backend.h"
#include "testing.h"

#include "faulty.h"

#include "cse/rx.h"

#include <string.h>

enum { STREAMS = 5 };

typedef struct streams {
    tl_loop loop[STREAMS];
    tl_packets packets[STREAMS];
} streams;

/* Streams that differ in mode, suite and size; the last one has no keys. */
static void start(streams *s, const tl_crypto *c)
{
    memset(s, 0, sizeof *s);
    for (unsigned i = 0; i < STREAMS; i++) {
        tl_loop *l = &s->loop[i];
        tl_loop_init(l, c);
        l->config.stream = (uint16_t)(0x700 + i);
        l->config.suite = (tl_suite)(1 + i % 4);
        l->config.tag_mode = (tl_tag_mode)(1 + i % 3);
        l->config.tag_size = i % 2 ? 12 : 16;
        if (i == STREAMS - 1) {
            l->config.suite = TL_SUITE_NONE;
            l->config.tag_mode = TL_TAG_PER_MESSAGE;
            l->config.tag_size = 0;
            for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++)
                l->config.variant[block] = TL_SV_5;
        }
        tl_assert_ok(tl_loop_open(l, i));
        tl_assert_ok(tl_loop_send(l, &s->packets[i]));
    }
}

static void finish(streams *s)
{
    for (unsigned i = 0; i < STREAMS; i++) {
        tl_packets_free(&s->packets[i]);
        tl_loop_close(&s->loop[i]);
    }
}

static tl_stream_rx *stream_of(streams *s, tl_buffer packet)
{
    uint16_t stream = 0;

    if (!tl_cse_stream_of(tl_span_of(packet.p, packet.n), &stream))
        return NULL;
    for (unsigned i = 0; i < STREAMS; i++)
        if (s->loop[i].config.stream == stream)
            return &s->loop[i].rx;
    return NULL;
}

/* One packet of each stream in turn; those without a service header are left out. Gives the first error. */
static tl_err take_all(streams *s)
{
    tl_rx_batch batch = { .n = 0 };
    tl_err e = TL_OK, one;

    for (size_t at = 1; at < s->packets[0].n - 1; at++)
        for (unsigned i = 0; i < STREAMS; i++) {
            tl_stream_rx *rx = stream_of(s, s->packets[i].v[at]);
            assert_ptr_equal(rx, &s->loop[i].rx);
            if (tl_cse_rx_full(&batch, rx)) {
                one = tl_cse_rx_run(&batch, 1000);
                e = e == TL_OK ? one : e;
                assert_int_equal(batch.n, 0);
            }
            tl_cse_rx_add(&batch, rx, s->packets[i].v[at]);
        }
    one = tl_cse_rx_run(&batch, 1000);
    return e == TL_OK ? one : e;
}

static const tl_stream_event *last_frame(const streams *s, unsigned i)
{
    return tl_events_last(&s->loop[i].events, TL_EVENT_FRAME);
}

static void batch_when_streams_are_interleaved_then_each_is_right(void **state)
{
    streams s;

    (void)state;
    start(&s, crypto);
    tl_assert_ok(take_all(&s));
    for (unsigned i = 0; i < STREAMS; i++)
        assert_true(tl_loop_is_frame(&s.loop[i], last_frame(&s, i), 100));
    finish(&s);
}

static void batch_when_one_stream_is_changed_then_the_others_are_right(void **state)
{
    (void)state;
    for (unsigned bad = 0; bad < STREAMS; bad++) {
        streams s;
        tl_buffer line;
        start(&s, crypto);
        line = s.packets[bad].v[TL_LOOP_LINE + 5];
        line.p[TL_SEP_BEFORE + 5] ^= 1;
        if (bad < STREAMS - 1)
            tl_assert_ok(tl_loop_repair(&s.loop[bad].config, line));
        tl_assert_ok(take_all(&s));
        for (unsigned i = 0; i < STREAMS; i++) {
            if (i != bad)
                assert_true(tl_loop_is_frame(&s.loop[i], last_frame(&s, i), 100));
            else
                assert_int_equal(last_frame(&s, i)->verdict,
                                 i < STREAMS - 1 ? TL_VERDICT_TAG : TL_VERDICT_CRC16);
        }
        finish(&s);
    }
}

/* A packet of one stream under another one's id is somebody's claim. */
static void batch_when_a_packet_names_another_stream_then_no_state_moves(void **state)
{
    streams s;
    tl_loop_message m;

    (void)state;
    start(&s, crypto);
    tl_assert_ok(tl_loop_read(&s.loop[0].config, s.packets[0].v[1], &m));
    m.header.stream = s.loop[3].config.stream;
    tl_assert_ok(tl_loop_write(&s.loop[0].config, s.packets[0].v[1], &m));
    tl_assert_ok(tl_loop_repair(&s.loop[0].config, s.packets[0].v[1]));
    tl_rx_batch batch = { .n = 0 };
    tl_cse_rx_add(&batch, stream_of(&s, s.packets[0].v[1]), s.packets[0].v[1]);
    tl_assert_ok(tl_cse_rx_run(&batch, 1000));
    assert_false(s.loop[3].rx.open);
    assert_false(s.loop[0].rx.open);
    assert_int_equal(tl_events_count(&s.loop[3].events, TL_EVENT_MESSAGE), 1);
    finish(&s);
}

static void batch_when_the_backend_fails_then_nothing_of_it_counts_and_the_next_one_does(void **state)
{
    (void)state;
    for (unsigned call = 1; call <= 2; call++) { /* verify, open */
        streams s;
        tl_faulty f;
        tl_faulty_init(&f, crypto, 0);
        start(&s, tl_faulty_crypto(&f));
        tl_rx_batch batch = { .n = 0 };
        for (unsigned i = 0; i < STREAMS; i++)
            for (size_t at = 1; at < 4; at++)
                tl_cse_rx_add(&batch, &s.loop[i].rx, s.packets[i].v[at]);
        f.fail_at = f.calls + call;
        tl_assert_err(TL_E_BACKEND, tl_cse_rx_run(&batch, 1000));
        assert_int_equal(batch.n, 0);
        for (unsigned i = 0; i < STREAMS; i++) {
            assert_int_equal(s.loop[i].events.n, 0);
            tl_packets_free(&s.packets[i]);
            tl_assert_ok(tl_loop_send(&s.loop[i], &s.packets[i]));
        }
        tl_assert_ok(take_all(&s));
        for (unsigned i = 0; i < STREAMS; i++)
            assert_true(tl_loop_is_frame(&s.loop[i], last_frame(&s, i), 101));
        finish(&s);
        tl_faulty_assert_clean(&f);
    }
}

static void batch_when_wrong_tags_could_pass_a_keys_limit_then_full(void **state)
{
    streams s;
    tl_rx_batch batch = { .n = 0 };
    tl_stream_rx *rx = &s.loop[0].rx;

    (void)state;
    start(&s, crypto);
    assert_false(tl_cse_rx_full(&batch, rx));
    for (batch.n = 0; batch.n < TL_STREAM_BATCH; batch.n++)
        assert_false(tl_cse_rx_full(&batch, rx));
    assert_true(tl_cse_rx_full(&batch, rx));
    rx->plan.limits.bad = 100;
    for (uint8_t n = 0; n <= TL_STREAM_BATCH; n++)
        for (unsigned bad = 80; bad <= 101; bad++) {
            batch.n = n;
            rx->key.bad = bad;
            /* what is spent already adds nothing to the batch */
            assert_int_equal(tl_cse_rx_full(&batch, rx),
                             n == TL_STREAM_BATCH || (bad < 100 && 100 - bad <= n));
        }
    finish(&s);
}

static void stream_when_read_from_a_packet_then_its_headers_or_none(void **state)
{
    streams s;
    uint16_t stream = 0;

    (void)state;
    start(&s, crypto);
    for (unsigned i = 0; i < STREAMS; i++) {
        tl_buffer p = s.packets[i].v[1];
        assert_true(tl_cse_stream_of(tl_span_of(p.p, p.n), &stream));
        assert_int_equal(stream, s.loop[i].config.stream);
        for (size_t n = 0; n < TL_CSI2_HEADER_SIZE + TL_SEP_HEADER_SIZE; n++)
            assert_false(tl_cse_stream_of(tl_span_of(p.p, n), &stream));
    }
    finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_when_streams_are_interleaved_then_each_is_right),
        cmocka_unit_test(batch_when_one_stream_is_changed_then_the_others_are_right),
        cmocka_unit_test(batch_when_a_packet_names_another_stream_then_no_state_moves),
        cmocka_unit_test(batch_when_the_backend_fails_then_nothing_of_it_counts_and_the_next_one_does),
        cmocka_unit_test(batch_when_wrong_tags_could_pass_a_keys_limit_then_full),
        cmocka_unit_test(stream_when_read_from_a_packet_then_its_headers_or_none),
    };

    return cmocka_run_group_tests_name("cse_batch", tests, open_backend, close_backend);
}
