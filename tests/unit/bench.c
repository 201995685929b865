/* What `trueline bench` measures with: the gate's numbers, and the two processes of the link jobs. */
#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include "backend.h"
#include "bench_ends.h"
#include "bench_link.h"
#include "bench_memory.h"

#include <signal.h>
#include <string.h>
#include <time.h>

static bench_link b;

/* ---- gate ---- */

static void sleep_2_ms(void *ctx)
{
    unsigned *runs = ctx;

    ++*runs;
    (void)nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

static void measure_when_the_job_sleeps_then_only_the_wall_clock_counts_it(void **state)
{
    unsigned runs = 0;
    const gate_job job = { .name = "sleep", .run = sleep_2_ms, .ctx = &runs };
    gate_result r;

    (void)state;
    gate_calibrate();
    r = gate_measure(&job, 1000, 5);
    assert_true(runs >= 5);
    assert_int_equal(r.rounds, 5);
    assert_true(r.wall_us >= 2000);
    assert_true(r.own_us > 0 && r.own_us < r.wall_us / 2);
    assert_true(r.low <= r.ratio && r.ratio <= r.high);
    assert_true(r.ratio > 999 / r.own_us && r.ratio < 1001 / r.own_us);
}

static void count(void *ctx)
{
    ++*(unsigned *)ctx;
}

static void measure_when_too_many_rounds_are_asked_for_then_the_most(void **state)
{
    unsigned runs = 0;
    const gate_job job = { .name = "count", .run = count, .ctx = &runs };

    (void)state;
    assert_int_equal(gate_measure(&job, 1, 1000).rounds, GATE_ROUNDS_MAX);
    assert_true(runs >= GATE_ROUNDS_MAX);
}

static void sleep_and_count(void *ctx)
{
    unsigned *runs = ctx;

    (void)nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
    runs[1]++;
}

static void measure_when_runs_repeat_then_each_is_prepared_and_times_are_of_one(void **state)
{
    unsigned runs[2] = { 0 };
    const gate_job job = {
        .name = "count", .prepare = sleep_and_count, .run = count, .ctx = runs, .repeat = 4
    };
    gate_result r;

    (void)state;
    r = gate_measure(&job, 1, 3);
    assert_true(runs[0] >= 3 * 4);
    assert_int_equal(runs[0], runs[1]);
    assert_true(r.wall_us < 1000);
}

static void compare_when_by_wall_then_sleep_counts(void **state)
{
    unsigned runs = 0;
    const gate_job sleeper = { .run = sleep_2_ms, .ctx = &runs, .repeat = 2, .clock = GATE_WALL };
    const gate_job counter = { .run = count, .ctx = &runs };
    gate_result r;

    (void)state;
    r = gate_compare(&counter, &sleeper, 3);
    assert_true(r.peer_us >= 2000 && r.peer_us < 20000);
    assert_true(r.ratio > 1);
}

static void fit_when_a_run_is_short_then_a_slice_is_long_enough(void **state)
{
    unsigned runs = 0;
    gate_job job = { .run = sleep_2_ms, .ctx = &runs, .clock = GATE_WALL };

    (void)state;
    gate_fit(&job, 10000);
    assert_in_range(job.repeat, 2, 6);
    assert_true(runs > 0);
}

/* ---- link ---- */

static void run(void)
{
    gate_job job = bench_link_job(&b);

    job.run(job.ctx);
}

static void link_when_both_ends_are_right_then_frames_pass(void **state)
{
    tl_fault fault;

    (void)state;
    for (int end = BENCH_SENDER; end <= BENCH_RECEIVER; end++) {
        assert_int_equal(bench_link_open(&b, (bench_end)end, BACKEND_BEST, &fault), TL_EXIT_OK);
        for (int i = 0; i < 3; i++)
            run();
        assert_int_equal(bench_link_fault(&b, &fault), TL_EXIT_OK);
        assert_int_equal(b.frames, 3);
        bench_link_close(&b);
    }
}

static void link_when_the_other_process_is_gone_then_a_fault_that_sticks(void **state)
{
    tl_fault fault;

    (void)state;
    for (int end = BENCH_SENDER; end <= BENCH_RECEIVER; end++) {
        uint64_t frames;

        assert_int_equal(bench_link_open(&b, (bench_end)end, BACKEND_BEST, &fault), TL_EXIT_OK);
        run();
        assert_int_equal(kill(b.other, SIGKILL), 0);
        for (int i = 0; i < 100 && b.code == TL_EXIT_OK; i++)
            run();
        assert_int_equal(bench_link_fault(&b, &fault), TL_EXIT_LINK);
        frames = b.frames;
        run();
        assert_int_equal(b.frames, frames);
        bench_link_close(&b);
    }
}

static void receiver_when_no_tag_is_right_then_a_fault(void **state)
{
    tl_fault fault;

    (void)state;
    assert_int_equal(bench_link_open(&b, BENCH_RECEIVER, BACKEND_BEST, &fault), TL_EXIT_OK);
    b.rx.key.salt[0] ^= 1;
    run();
    assert_int_equal(bench_link_fault(&b, &fault), TL_EXIT_INTERNAL);
    assert_non_null(strstr(fault.text, "did not verify"));
    assert_int_equal(b.frames, 0);
    bench_link_close(&b);
}

static void sender_when_no_tag_is_right_then_the_other_end_gives_up(void **state)
{
    tl_fault fault;

    (void)state;
    assert_int_equal(bench_link_open(&b, BENCH_SENDER, BACKEND_BEST, &fault), TL_EXIT_OK);
    b.tx.key.salt[0] ^= 1;
    run();
    assert_int_equal(bench_link_fault(&b, &fault), TL_EXIT_LINK);
    bench_link_close(&b);
}

/* ---- backend ---- */

static void backend_when_opened_at_any_level_then_its_tags_are_openssls(void **state)
{
    static const uint8_t key[32] = { 1, 2, 3 };
    uint8_t line[100] = { 4 };
    tl_sealed messages[2];
    backend open[2];
    tl_key k;

    (void)state;
    assert_int_equal(backend_open(&open[0], BACKEND_OPENSSL, 0), TL_OK);
    assert_string_equal(open[0].level, "openssl");
    for (backend_level level = BACKEND_BEST; backend_level_name(level) != NULL; level++) {
        tl_err e = backend_open(&open[1], level, 3);

        assert_int_equal(e == TL_OK, backend_level_here(level));
        if (e != TL_OK) {
            assert_int_not_equal(level, BACKEND_BEST);
            continue;
        }
        for (int i = 0; i < 2; i++) {
            const tl_crypto *c = open[i].crypto;

            messages[i] =
                (tl_sealed){ .header = tl_span_of(line, 16), .payload = line + 16, .payload_n = 84 };
            assert_int_equal(c->ops->key_load(c->ctx, TL_SUITE_AES128_CMAC, tl_span_of(key, sizeof key), &k),
                             TL_OK);
            assert_int_equal(c->ops->protect(c->ctx, k, &messages[i], 1), TL_OK);
            c->ops->key_drop(c->ctx, k);
        }
        assert_memory_equal(messages[0].tag, messages[1].tag, TL_TAG_MAX);
        backend_close(&open[1]);
        assert_null(open[1].crypto);
    }
    backend_close(&open[0]);
}

static void level_name_when_there_is_no_such_level_then_none(void **state)
{
    (void)state;
    assert_string_equal(backend_level_name(BACKEND_SOFT), "soft");
    assert_null(backend_level_name((backend_level)(BACKEND_ARMV8 + 1)));
}

/* ---- ends ---- */

static const bench_ends_shape small = { .suite = TL_SUITE_AES128_GMAC,
                                        .variant = TL_SV_1,
                                        .tag_mode = TL_TAG_PER_MESSAGE,
                                        .crc32 = TL_WITH,
                                        .data_type = TL_DT_RAW12,
                                        .lines = 5,
                                        .line_bytes = 300,
                                        .frames = 3 };

static void ends_when_nothing_is_changed_then_all_frames_are_ok_again_and_again(void **state)
{
    static bench_ends e;
    backend open;

    (void)state;
    assert_int_equal(backend_open(&open, BACKEND_BEST, 0), TL_OK);
    assert_true(bench_ends_open(&e, open.crypto, &small));
    assert_int_equal(bench_ends_packets(&e), 7);
    for (int i = 0; i < 3; i++)
        bench_ends_receive(&e);
    assert_int_equal(e.frames_ok, 3);
    bench_ends_send(&e, 1);
    e.next = 1;
    bench_ends_receive(&e);
    assert_int_equal(e.frames_ok, 4);
    assert_false(e.failed);
    bench_ends_close(&e);
    backend_close(&open);
}

static void ends_when_metadata_travels_apart_then_frames_are_ok_until_a_byte_changes(void **state)
{
    static bench_ends e;
    bench_ends_shape shape = small;
    backend open;

    (void)state;
    assert_int_equal(backend_open(&open, BACKEND_BEST, 0), TL_OK);
    shape.carrier = TL_CARRIER_FSED;
    shape.frames = 1;
    for (int encrypted = 0; encrypted < 2; encrypted++) {
        shape.variant = encrypted ? TL_SV_1 : TL_SV_2;
        assert_true(bench_ends_open(&e, open.crypto, &shape));
        for (int i = 0; i < 3; i++) {
            bench_ends_receive(&e);
            assert_int_equal(e.frames_ok, i + 1);
            bench_ends_send(&e, 0);
        }
        assert_false(e.failed);
        e.messages[2].buffer[TL_SEP_BEFORE + 7] ^= 1;
        bench_ends_receive(&e);
        assert_true(e.failed);
        bench_ends_close(&e);
    }
    backend_close(&open);
}

static void ends_when_any_byte_of_a_line_is_changed_then_failed(void **state)
{
    static bench_ends e;
    backend open;

    (void)state;
    assert_int_equal(backend_open(&open, BACKEND_BEST, 0), TL_OK);
    for (int at = 0; at < 340; at += 17) {
        assert_true(bench_ends_open(&e, open.crypto, &small));
        e.packets[3].p[at % (int)e.packets[3].n] ^= 0x11;
        bench_ends_receive(&e);
        assert_true(e.failed);
        bench_ends_close(&e);
    }
    backend_close(&open);
}

static void pages_when_small_ones_are_asked_for_then_none_is_huge(void **state)
{
    size_t n = 5 << 20;
    uint8_t *p = bench_pages(n, false);

    (void)state;
    assert_non_null(p);
    assert_true(bench_pages_huge(p, n) == 0);
    bench_fill(p, n, 1);
    assert_memory_not_equal(p, p + 64, 64);
    bench_pages_free(p, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measure_when_the_job_sleeps_then_only_the_wall_clock_counts_it),
        cmocka_unit_test(measure_when_too_many_rounds_are_asked_for_then_the_most),
        cmocka_unit_test(measure_when_runs_repeat_then_each_is_prepared_and_times_are_of_one),
        cmocka_unit_test(compare_when_by_wall_then_sleep_counts),
        cmocka_unit_test(fit_when_a_run_is_short_then_a_slice_is_long_enough),
        cmocka_unit_test(backend_when_opened_at_any_level_then_its_tags_are_openssls),
        cmocka_unit_test(level_name_when_there_is_no_such_level_then_none),
        cmocka_unit_test(ends_when_nothing_is_changed_then_all_frames_are_ok_again_and_again),
        cmocka_unit_test(ends_when_metadata_travels_apart_then_frames_are_ok_until_a_byte_changes),
        cmocka_unit_test(ends_when_any_byte_of_a_line_is_changed_then_failed),
        cmocka_unit_test(pages_when_small_ones_are_asked_for_then_none_is_huge),
        cmocka_unit_test(link_when_both_ends_are_right_then_frames_pass),
        cmocka_unit_test(link_when_the_other_process_is_gone_then_a_fault_that_sticks),
        cmocka_unit_test(receiver_when_no_tag_is_right_then_a_fault),
        cmocka_unit_test(sender_when_no_tag_is_right_then_the_other_end_gives_up),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
