/* Streams over threads: each stream in one thread and in order, queues that hold the caller back, a clean stop, errors of one
 * shard, and packets of nobody. Meant to be run under a thread sanitizer, too. */
#define _GNU_SOURCE
#include "faulty.h"
#include "loop.h"
#include "one_backend.h"
#include "testing.h"

#include "clock.h"
#include "shards.h"

#include <trueline/openssl.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { STREAMS = 12, SHARDS = 3, SLOTS = 16, BATCH = 16, QUEUE = 256, FIRST = 100, SOON_MS = 10000 };

/* What a thread owns. */
typedef struct own {
    tl_openssl *backend;
    tl_faulty faulty;
    tl_stream_group group;
    tl_group_slot slots[SLOTS];
    size_t opened, closed;
} own;

/* A receiver, with a sink that notes in which thread it is called. */
typedef struct end {
    struct world *world;
    tl_stream_rx rx;
    tl_key_source source;
    uint8_t *memory;
    tl_events events;
    tl_stream_sink list;
    pthread_t thread;
    bool called, strayed;
} end;

typedef struct world {
    tl_loop senders[STREAMS]; /* their receivers are not used */
    end ends[STREAMS];
    own owns[SHARDS];
    size_t fail_open;     /* this shard does not open; SHARDS: each does */
    pthread_mutex_t gate; /* held: sinks wait */
    tl_shards *shards;
    tl_fault fault;
} world;

static void on_event(void *ctx, const tl_stream_event *event)
{
    end *x = ctx;

    pthread_mutex_lock(&x->world->gate);
    pthread_mutex_unlock(&x->world->gate);
    x->strayed |= x->called && !pthread_equal(x->thread, pthread_self());
    x->called = true;
    x->thread = pthread_self();
    x->list.event(x->list.ctx, event);
}

static tl_err open_end(world *w, size_t i, own *o)
{
    end *x = &w->ends[i];
    const tl_stream_config *c = &w->senders[i].config;
    const tl_loop like = { .crypto = tl_faulty_crypto(&o->faulty), .config = *c };
    const tl_buffer memory = { x->memory, tl_stream_frame_bytes(c) };

    TL_TRY(tl_loop_source(&like, &x->source, 0));
    TL_TRY(tl_stream_rx_init(&x->rx, c, &x->source, 0, memory, (tl_stream_sink){ x, on_event }));
    return tl_stream_group_add(&o->group, &x->rx);
}

static tl_err open_own(void *ctx, size_t shard, tl_stream_group **group)
{
    world *w = ctx;
    own *o = &w->owns[shard];
    const tl_group_memory memory = { o->slots, SLOTS, BATCH };

    o->opened++;
    if (shard == w->fail_open)
        return TL_E_BACKEND;
    TL_TRY(tl_openssl_open(NULL, &o->backend));
    tl_faulty_init(&o->faulty, tl_openssl_crypto(o->backend), 0);
    TL_TRY(tl_stream_group_init(&o->group, tl_faulty_crypto(&o->faulty), &memory));
    for (size_t i = 0; i < STREAMS; i++)
        if (tl_shard_of(w->senders[i].config.stream, SHARDS) == shard)
            TL_TRY(open_end(w, i, o));
    *group = &o->group;
    return TL_OK;
}

static void close_own(void *ctx, size_t shard)
{
    world *w = ctx;

    w->owns[shard].closed++;
    for (size_t i = 0; i < STREAMS; i++)
        if (tl_shard_of(w->senders[i].config.stream, SHARDS) == shard)
            tl_stream_rx_wipe(&w->ends[i].rx);
    tl_openssl_close(w->owns[shard].backend);
}

static tl_shards_config config_of(world *w, size_t queue)
{
    return (tl_shards_config){ SHARDS, queue, BATCH, { w, open_own, close_own } };
}

static world *make_world(void)
{
    world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    w->fail_open = SHARDS;
    assert_int_equal(pthread_mutex_init(&w->gate, NULL), 0);
    for (size_t i = 0; i < STREAMS; i++) {
        tl_loop_init(&w->senders[i], crypto);
        w->senders[i].config.stream = (uint16_t)(50 + i);
        w->senders[i].config.virtual_channel = i % 4;
        tl_assert_ok(tl_loop_open(&w->senders[i], 0));
        w->ends[i].world = w;
        w->ends[i].list = tl_events_sink(&w->ends[i].events);
        w->ends[i].memory = malloc(tl_stream_frame_bytes(&w->senders[i].config));
        assert_non_null(w->ends[i].memory);
    }
    return w;
}

static world *open_world(size_t queue)
{
    world *w = make_world();
    const tl_shards_config config = config_of(w, queue);

    assert_int_equal(tl_shards_open(&config, &w->shards, &w->fault), TL_EXIT_OK);
    return w;
}

static tl_exit stop(world *w, tl_shards_end how)
{
    tl_exit e = tl_shards_stop(w->shards, how, &w->fault);

    for (size_t k = 0; k < SHARDS; k++) {
        assert_int_equal(w->owns[k].opened, 1);
        assert_int_equal(w->owns[k].closed, 1);
    }
    return e;
}

static void free_world(world *w)
{
    for (size_t i = 0; i < STREAMS; i++) {
        tl_loop_close(&w->senders[i]);
        tl_events_clear(&w->ends[i].events);
        free(w->ends[i].events.v);
        free(w->ends[i].memory);
    }
    pthread_mutex_destroy(&w->gate);
    free(w);
}

/* A frame of each sender, a packet of each in turn. */
static void make_wire(world *w, tl_packets *wire)
{
    tl_packets frames[STREAMS] = { { 0 } };

    for (size_t i = 0; i < STREAMS; i++)
        tl_assert_ok(tl_loop_send(&w->senders[i], &frames[i]));
    for (size_t at = 0; at < frames[0].n; at++)
        for (size_t i = 0; i < STREAMS; i++)
            tl_packets_take(wire, &frames[i], at);
    for (size_t i = 0; i < STREAMS; i++)
        tl_packets_free(&frames[i]);
}

static void hand_over(world *w, const tl_packets *wire, uint64_t now_ms)
{
    tl_shards_input input = { wire->v, wire->n, 0 };

    assert_int_equal(tl_shards_packets(w->shards, &input, now_ms, tl_clock_ms() + SOON_MS, &w->fault),
                     TL_EXIT_OK);
    assert_int_equal(input.taken, wire->n);
}

static tl_exit wait_for_all(world *w)
{
    tl_shards_mark mark;

    tl_shards_now(w->shards, &mark);
    return tl_shards_wait(w->shards, &mark, tl_clock_ms() + SOON_MS, &w->fault);
}

static void assert_right(world *w, size_t i, uint32_t frame)
{
    const end *x = &w->ends[i];

    if (!tl_loop_is_frame(&w->senders[i], tl_events_last(&x->events, TL_EVENT_FRAME), frame))
        fail_msg("stream %zu: frame %u is not right", i, frame);
    assert_false(x->strayed);
}

static void assert_says(const world *w, const char *part)
{
    if (strstr(w->fault.text, part) == NULL)
        fail_msg("'%s' does not say '%s'", w->fault.text, part);
}

/* ---- tests ---- */

static void streams_when_spread_over_threads_then_each_is_right_in_order_and_in_one_thread(void **state)
{
    world *w = open_world(QUEUE);
    size_t threads = 0;

    (void)state;
    for (uint32_t frame = FIRST; frame < FIRST + 20; frame++) {
        tl_packets wire = { 0 };

        make_wire(w, &wire);
        hand_over(w, &wire, 1000 + frame);
        assert_int_equal(wait_for_all(w), TL_EXIT_OK);
        for (size_t i = 0; i < wire.n; i++) /* the packets are ours again */
            memset(wire.v[i].p, 0x5A, wire.v[i].n);
        tl_packets_free(&wire);
        for (size_t i = 0; i < STREAMS; i++)
            assert_right(w, i, frame);
    }
    for (size_t i = 0; i < STREAMS; i++) {
        size_t like = 0;

        assert_int_equal(tl_events_count(&w->ends[i].events, TL_EVENT_FRAME), 20);
        assert_int_equal(tl_events_count(&w->ends[i].events, TL_EVENT_MESSAGE), 0); /* nothing was refused */
        while (!pthread_equal(w->ends[like].thread, w->ends[i].thread))
            like++;
        threads += like == i;
    }
    assert_int_equal(threads, SHARDS);
    assert_int_equal(stop(w, TL_SHARDS_DRAIN), TL_EXIT_OK);
    free_world(w);
}

static void caller_when_the_shards_are_stuck_then_held_back_and_what_was_taken_is_a_beginning(void **state)
{
    world *w = open_world(32);
    tl_packets wire = { 0 };
    tl_shards_mark mark;
    tl_shards_input input = { 0 };
    uint64_t before;

    (void)state;
    make_wire(w, &wire);
    input.packets = wire.v;
    input.n = wire.n;
    pthread_mutex_lock(&w->gate);
    before = tl_clock_ms();
    assert_int_equal(tl_shards_packets(w->shards, &input, 1000, tl_clock_ms() + 100, &w->fault),
                     TL_EXIT_LINK);
    assert_true(tl_clock_ms() - before >= 100);
    assert_says(w, "they do not keep up");
    assert_true(input.taken < wire.n && input.taken <= SHARDS * (32 + BATCH));
    tl_shards_now(w->shards, &mark);
    assert_int_equal(tl_shards_wait(w->shards, &mark, tl_clock_ms() + 50, &w->fault), TL_EXIT_LINK);
    assert_says(w, "is not done");
    tl_shards_tick(w->shards, 1000); /* does not wait */
    pthread_mutex_unlock(&w->gate);
    assert_int_equal(tl_shards_packets(w->shards, &input, 1000, tl_clock_ms() + SOON_MS, &w->fault),
                     TL_EXIT_OK);
    assert_int_equal(wait_for_all(w), TL_EXIT_OK);
    for (size_t i = 0; i < STREAMS; i++)
        assert_right(w, i, FIRST);
    assert_int_equal(stop(w, TL_SHARDS_DRAIN), TL_EXIT_OK);
    tl_packets_free(&wire);
    free_world(w);
}

static void stop_when_it_drains_then_all_is_judged_and_when_it_drops_then_it_need_not(void **state)
{
    (void)state;
    for (int drop = 0; drop < 2; drop++) {
        world *w = open_world(1024);
        tl_packets wire = { 0 };
        size_t frames = 0;

        make_wire(w, &wire);
        pthread_mutex_lock(&w->gate);
        hand_over(w, &wire, 1000);
        pthread_mutex_unlock(&w->gate);
        assert_int_equal(stop(w, drop ? TL_SHARDS_DROP : TL_SHARDS_DRAIN), TL_EXIT_OK);
        for (size_t i = 0; i < STREAMS; i++)
            frames += tl_events_count(&w->ends[i].events, TL_EVENT_FRAME);
        assert_true(drop ? frames <= STREAMS : frames == STREAMS);
        tl_packets_free(&wire);
        free_world(w);
    }
}

static void shard_when_it_cannot_begin_then_named_and_all_are_ended(void **state)
{
    (void)state;
    for (size_t k = 0; k < SHARDS; k++) {
        world *w = make_world();
        const tl_shards_config config = config_of(w, QUEUE);

        w->fail_open = k;
        assert_int_equal(tl_shards_open(&config, &w->shards, &w->fault), TL_EXIT_INTERNAL);
        assert_says(w, "cannot begin");
        assert_int_equal(w->fault.text[strlen("shards: shard ")], '0' + (int)k);
        assert_null(w->shards);
        for (size_t i = 0; i < SHARDS; i++) {
            assert_int_equal(w->owns[i].opened, 1);
            assert_int_equal(w->owns[i].closed, 1);
        }
        free_world(w);
    }
}

static void backend_when_it_fails_in_one_shard_then_told_once_and_the_others_go_on(void **state)
{
    world *w = open_world(1024);
    tl_packets wire = { 0 };
    tl_shards_input input = { 0 };
    tl_exit e;

    (void)state;
    make_wire(w, &wire);
    input.packets = wire.v;
    input.n = wire.n;
    w->owns[1].faulty.fail_at = w->owns[1].faulty.calls + 2;
    e = tl_shards_packets(w->shards, &input, 1000, tl_clock_ms() + SOON_MS, &w->fault);
    assert_int_equal(input.taken, wire.n);
    if (e == TL_EXIT_OK) /* it had not failed by then */
        e = wait_for_all(w);
    assert_int_equal(e, TL_EXIT_INTERNAL);
    assert_says(w, "shards: shard 1: ");
    assert_int_equal(wait_for_all(w), TL_EXIT_OK); /* once */
    for (size_t i = 0; i < STREAMS; i++)
        if (tl_shard_of(w->senders[i].config.stream, SHARDS) != 1)
            assert_right(w, i, FIRST);
    tl_packets_free(&wire);
    make_wire(w, &wire);
    hand_over(w, &wire, 1001);
    assert_int_equal(wait_for_all(w), TL_EXIT_OK);
    for (size_t i = 0; i < STREAMS; i++)
        assert_right(w, i, FIRST + 1);
    assert_int_equal(stop(w, TL_SHARDS_DRAIN), TL_EXIT_OK);
    tl_packets_free(&wire);
    free_world(w);
}

static void packet_when_it_is_plain_then_each_shard_holds_it_against_the_frames_of_its_channel(void **state)
{
    world *w = open_world(QUEUE);
    const tl_csi2_header h = { 3, TL_DT_RAW12, 0 };
    uint8_t bytes[20], pixels[10] = { 0 };
    tl_wr out = tl_wr_of(bytes, sizeof bytes);
    tl_packets wire = { 0 };

    (void)state;
    tl_assert_ok(tl_csi2_write(&h, tl_span_of(pixels, sizeof pixels), &out));
    make_wire(w, &wire);
    tl_packets_insert(&wire, 5 * STREAMS, tl_span_of(bytes, out.n));
    hand_over(w, &wire, 1000);
    assert_int_equal(wait_for_all(w), TL_EXIT_OK);
    for (size_t i = 0; i < STREAMS; i++)
        if (i % 4 == 3)
            assert_int_equal(tl_events_last(&w->ends[i].events, TL_EVENT_FRAME)->verdict,
                             TL_VERDICT_UNPROTECTED);
        else
            assert_right(w, i, FIRST);
    assert_int_equal(stop(w, TL_SHARDS_DRAIN), TL_EXIT_OK);
    tl_packets_free(&wire);
    free_world(w);
}

static void time_when_it_passes_then_open_frames_are_cut_in_each_shard(void **state)
{
    world *w = open_world(QUEUE);
    tl_packets wire = { 0 };

    (void)state;
    make_wire(w, &wire);
    while (wire.n > 6 * STREAMS)
        tl_packets_drop(&wire, wire.n - 1);
    hand_over(w, &wire, 1000);
    tl_shards_tick(w->shards, 1600);
    assert_int_equal(wait_for_all(w), TL_EXIT_OK);
    for (size_t i = 0; i < STREAMS; i++)
        assert_int_equal(tl_events_last(&w->ends[i].events, TL_EVENT_FRAME)->verdict, TL_VERDICT_CUT);
    assert_int_equal(stop(w, TL_SHARDS_DRAIN), TL_EXIT_OK);
    tl_packets_free(&wire);
    free_world(w);
}

static void shards_when_their_numbers_make_no_sense_then_refused(void **state)
{
    world *w = make_world();
    const struct {
        size_t shards, queue, batch;
    } wrong[] = { { 0, 8, 8 }, { TL_SHARDS_MAX + 1, 8, 8 }, { 1, 0, 8 }, { 1, 12, 8 }, { 1, 8, 0 } };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const tl_shards_config config = {
            wrong[i].shards, wrong[i].queue, wrong[i].batch, { w, open_own, close_own }
        };

        assert_int_equal(tl_shards_open(&config, &w->shards, &w->fault), TL_EXIT_USAGE);
        assert_null(w->shards);
    }
    free_world(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_when_spread_over_threads_then_each_is_right_in_order_and_in_one_thread),
        cmocka_unit_test(caller_when_the_shards_are_stuck_then_held_back_and_what_was_taken_is_a_beginning),
        cmocka_unit_test(stop_when_it_drains_then_all_is_judged_and_when_it_drops_then_it_need_not),
        cmocka_unit_test(shard_when_it_cannot_begin_then_named_and_all_are_ended),
        cmocka_unit_test(backend_when_it_fails_in_one_shard_then_told_once_and_the_others_go_on),
        cmocka_unit_test(packet_when_it_is_plain_then_each_shard_holds_it_against_the_frames_of_its_channel),
        cmocka_unit_test(time_when_it_passes_then_open_frames_are_cut_in_each_shard),
        cmocka_unit_test(shards_when_their_numbers_make_no_sense_then_refused),
    };

    backend_config.key_slots = 4 * STREAMS;
    return cmocka_run_group_tests(tests, open_backend, close_backend);
}
