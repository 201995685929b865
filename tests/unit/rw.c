/* The reader and the writer: bounds, sticking errors, both orders, counting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <trueline/base.h>

static const uint8_t bytes[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x88, 0x99 };

static tl_rd reader(size_t n)
{
    return tl_rd_of(tl_span_of(bytes, n));
}

/* ---- reading ---- */

static void take_within_the_input_gives_its_bytes(void **state)
{
    tl_rd r = reader(5);

    (void)state;
    assert_ptr_equal(tl_take(&r, 2), bytes);
    assert_ptr_equal(tl_take(&r, 0), bytes + 2);
    assert_ptr_equal(tl_take(&r, 3), bytes + 2);
    assert_true(tl_rd_end(&r));
}

static void take_one_byte_too_many_fails_and_sticks(void **state)
{
    tl_rd r = reader(5);

    (void)state;
    assert_null(tl_take(&r, 6));
    assert_true(r.bad);
    assert_null(tl_take(&r, 1));
    assert_null(tl_take(&r, 0));
    assert_int_equal(r.n, 5);
    assert_false(tl_rd_end(&r));
}

static void take_of_the_largest_size_fails(void **state)
{
    tl_rd r = reader(5);

    (void)state;
    assert_non_null(tl_take(&r, 1));
    assert_null(tl_take(&r, SIZE_MAX));
    assert_true(r.bad);
}

static void take_of_nothing_from_nothing_is_no_error(void **state)
{
    tl_rd r = tl_rd_of(tl_span_of(NULL, 0));

    (void)state;
    assert_null(tl_take(&r, 0));
    assert_true(tl_rd_end(&r));
    assert_null(tl_take(&r, 1));
    assert_true(r.bad);
}

static void get_of_each_size_reads_either_order(void **state)
{
    uint64_t little = 0, big = 0;

    (void)state;
    for (unsigned n = 1; n <= 8; n++) {
        tl_rd l = reader(n), b = reader(n);

        little |= (uint64_t)bytes[n - 1] << 8 * (n - 1);
        big = big << 8 | bytes[n - 1];
        assert_true(tl_get(&l, n, TL_LITTLE) == little);
        assert_true(tl_get(&b, n, TL_BIG) == big);
        assert_true(tl_rd_end(&l));
        assert_true(tl_rd_end(&b));
    }
    assert_true(big == UINT64_C(0x0102030405060788));
}

static void get_one_byte_short_gives_zero_and_sticks(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 8; n++) {
        tl_rd r = reader(n - 1);

        assert_true(tl_get(&r, n, TL_LITTLE) == 0);
        assert_true(r.bad);
        r.n = sizeof bytes;
        assert_true(tl_get(&r, 1, TL_BIG) == 0);
    }
}

static void get_bytes_beyond_the_end_is_empty(void **state)
{
    tl_rd r = reader(4);
    tl_span s = tl_get_bytes(&r, 3);

    (void)state;
    assert_ptr_equal(s.p, bytes);
    assert_int_equal(s.n, 3);
    s = tl_get_bytes(&r, 2);
    assert_null(s.p);
    assert_int_equal(s.n, 0);
    s = tl_rd_rest(&r);
    assert_null(s.p);
    assert_int_equal(s.n, 0);
}

static void rest_takes_all_that_is_left(void **state)
{
    tl_rd r = reader(4);
    tl_span s;

    (void)state;
    (void)tl_get(&r, 1, TL_BIG);
    assert_false(tl_rd_end(&r));
    s = tl_rd_rest(&r);
    assert_ptr_equal(s.p, bytes + 1);
    assert_int_equal(s.n, 3);
    assert_true(tl_rd_end(&r));
    assert_int_equal(tl_rd_rest(&r).n, 0);
    assert_true(tl_rd_end(&r));
}

/* ---- writing ---- */

static void put_of_each_size_writes_either_order(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 8; n++) {
        uint8_t buffer[10];
        tl_wr w = tl_wr_of(buffer + 1, n);
        tl_rd r = reader(n);

        memset(buffer, 0xEE, sizeof buffer);
        tl_put(&w, n, TL_BIG, tl_get(&r, n, TL_BIG));
        assert_memory_equal(buffer + 1, bytes, n);
        w.n = 0, r = reader(n);
        memset(buffer, 0xEE, sizeof buffer);
        tl_put(&w, n, TL_LITTLE, tl_get(&r, n, TL_LITTLE));
        assert_memory_equal(buffer + 1, bytes, n);
        assert_int_equal(buffer[0], 0xEE);
        assert_int_equal(buffer[n + 1], 0xEE);
        assert_int_equal(w.n, n);
        assert_false(w.bad);
    }
}

static void put_without_room_writes_nothing_and_sticks(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 8; n++) {
        uint8_t buffer[8];
        tl_wr w = tl_wr_of(buffer, n - 1);

        memset(buffer, 0xEE, sizeof buffer);
        tl_put(&w, n, TL_BIG, 1);
        assert_true(w.bad);
        assert_int_equal(w.n, 0);
        w.cap = 8;
        tl_put(&w, 1, TL_BIG, 1);
        assert_int_equal(w.n, 0);
        assert_int_equal(tl_written(&w).n, 0);
        for (size_t i = 0; i < sizeof buffer; i++)
            assert_int_equal(buffer[i], 0xEE);
    }
}

static void put_of_a_value_one_too_wide_is_refused(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 7; n++) {
        uint8_t buffer[8] = { 0 };
        tl_wr w = tl_wr_of(buffer, sizeof buffer);

        tl_put(&w, n, TL_LITTLE, ((uint64_t)1 << 8 * n) - 1);
        assert_false(w.bad);
        tl_put(&w, n, TL_LITTLE, (uint64_t)1 << 8 * n);
        assert_true(w.bad);
        assert_int_equal(w.n, n);
    }
}

static void put_of_the_widest_value_fits_eight_bytes(void **state)
{
    uint8_t buffer[8] = { 0 };
    tl_wr w = tl_wr_of(buffer, sizeof buffer);

    (void)state;
    tl_put(&w, 8, TL_LITTLE, UINT64_MAX);
    assert_false(w.bad);
    assert_int_equal(buffer[7], 0xFF);
}

static void room_of_the_largest_size_fails(void **state)
{
    uint8_t buffer[4];
    tl_wr w = tl_wr_of(buffer, sizeof buffer), c = tl_wr_counting();

    (void)state;
    assert_ptr_equal(tl_room(&w, 1), buffer);
    assert_null(tl_room(&w, SIZE_MAX));
    assert_true(w.bad);
    assert_null(tl_room(&w, 0));
    assert_null(tl_room(&c, 1));
    assert_false(c.bad);
    assert_null(tl_room(&c, SIZE_MAX));
    assert_true(c.bad);
    assert_int_equal(c.n, 1);
}

static void writer_of_no_bytes_refuses_the_first(void **state)
{
    tl_wr w = tl_wr_of(NULL, 0);

    (void)state;
    tl_put_bytes(&w, tl_span_of(NULL, 0));
    assert_false(w.bad);
    tl_put(&w, 1, TL_BIG, 0);
    assert_true(w.bad);
}

/* Writes something of everything. */
static void write_all(tl_wr *w)
{
    size_t at = tl_mark(w, 2);

    tl_put(w, 3, TL_BIG, 0x010203);
    tl_put_bytes(w, tl_span_of(bytes, 4));
    tl_put_zeros(w, 2);
    tl_fill(w, at, 2, TL_LITTLE);
}

static void counting_finds_the_size_that_writing_takes(void **state)
{
    const uint8_t expected[] = { 9, 0, 1, 2, 3, 1, 2, 3, 4, 0, 0 };
    uint8_t buffer[sizeof expected];
    tl_wr c = tl_wr_counting(), w = tl_wr_of(buffer, sizeof buffer);

    (void)state;
    write_all(&c);
    write_all(&w);
    assert_false(c.bad);
    assert_false(w.bad);
    assert_int_equal(c.n, sizeof expected);
    assert_int_equal(w.n, sizeof expected);
    assert_memory_equal(buffer, expected, sizeof expected);
    assert_int_equal(tl_written(&c).n, 0);
    assert_null(tl_written(&c).p);
}

static void writing_with_less_room_than_counted_always_fails(void **state)
{
    tl_wr c = tl_wr_counting();

    (void)state;
    write_all(&c);
    for (size_t cap = 0; cap < c.n; cap++) {
        uint8_t buffer[16];
        tl_wr w = tl_wr_of(buffer, cap);

        memset(buffer, 0xEE, sizeof buffer);
        write_all(&w);
        assert_true(w.bad);
        assert_true(w.n <= cap);
        for (size_t i = cap; i < sizeof buffer; i++)
            assert_int_equal(buffer[i], 0xEE);
    }
}

/* ---- reserved lengths ---- */

static void fill_writes_the_bytes_behind_the_mark(void **state)
{
    uint8_t buffer[8];
    tl_wr w = tl_wr_of(buffer, sizeof buffer);
    size_t at;

    (void)state;
    tl_put(&w, 1, TL_BIG, 0xAB);
    at = tl_mark(&w, 3);
    assert_memory_equal(buffer, ((uint8_t[]){ 0xAB, 0, 0, 0 }), 4);
    tl_put(&w, 2, TL_BIG, 0x1122);
    tl_fill(&w, at, 3, TL_BIG);
    assert_false(w.bad);
    assert_int_equal(w.n, 6);
    assert_memory_equal(buffer, ((uint8_t[]){ 0xAB, 0, 0, 2, 0x11, 0x22 }), 6);
    tl_put(&w, 1, TL_BIG, 0x33);
    tl_fill(&w, at, 3, TL_LITTLE);
    assert_memory_equal(buffer, ((uint8_t[]){ 0xAB, 3, 0, 0, 0x11, 0x22, 0x33 }), 7);
}

static void fill_of_a_length_that_does_not_fit_is_refused(void **state)
{
    static uint8_t buffer[300];
    tl_wr w = tl_wr_of(buffer, sizeof buffer), c = tl_wr_counting();

    (void)state;
    (void)tl_mark(&w, 1);
    tl_put_zeros(&w, 255);
    tl_fill(&w, 0, 1, TL_BIG);
    assert_false(w.bad);
    assert_int_equal(buffer[0], 255);
    tl_put_zeros(&w, 1);
    tl_fill(&w, 0, 1, TL_BIG);
    assert_true(w.bad);
    assert_int_equal(buffer[0], 255);
    (void)tl_mark(&c, 1);
    tl_put_zeros(&c, 256);
    tl_fill(&c, 0, 1, TL_BIG);
    assert_true(c.bad);
}

static void fill_of_a_mark_beyond_the_end_is_refused(void **state)
{
    uint8_t buffer[8];
    const size_t marks[] = { 3, 4, 5, SIZE_MAX, SIZE_MAX - 1 };

    (void)state;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        tl_wr w = tl_wr_of(buffer, sizeof buffer);

        memset(buffer, 0xEE, sizeof buffer);
        tl_put_zeros(&w, 4);
        tl_fill(&w, marks[i], 2, TL_BIG);
        assert_true(w.bad);
        assert_int_equal(w.n, 4);
        assert_int_equal(buffer[3], 0);
        assert_int_equal(buffer[4], 0xEE);
    }
}

static void fill_of_a_bad_writer_writes_nothing(void **state)
{
    uint8_t buffer[4] = { 0xEE, 0xEE, 0xEE, 0xEE };
    tl_wr w = tl_wr_of(buffer, sizeof buffer);
    size_t at = tl_mark(&w, 2);

    (void)state;
    tl_put_zeros(&w, 3);
    assert_true(w.bad);
    tl_fill(&w, at, 2, TL_BIG);
    assert_true(w.bad);
    assert_int_equal(buffer[1], 0);
    assert_int_equal(w.n, 2);
}

static void mark_without_room_makes_the_writer_bad(void **state)
{
    uint8_t buffer[4];
    tl_wr w = tl_wr_of(buffer, 3);
    size_t at = tl_mark(&w, 4);

    (void)state;
    assert_true(w.bad);
    tl_fill(&w, at, 4, TL_BIG);
    assert_true(w.bad);
}

static void since_is_empty_when_bad_or_beyond(void **state)
{
    uint8_t buffer[4];
    tl_wr w = tl_wr_of(buffer, sizeof buffer);

    (void)state;
    tl_put(&w, 3, TL_BIG, 0x010203);
    assert_ptr_equal(tl_since(&w, 1).p, buffer + 1);
    assert_int_equal(tl_since(&w, 1).n, 2);
    assert_int_equal(tl_since(&w, 3).n, 0);
    assert_null(tl_since(&w, 4).p);
    assert_int_equal(tl_since(&w, 4).n, 0);
    assert_ptr_equal(tl_written(&w).p, buffer);
    assert_int_equal(tl_written(&w).n, 3);
    tl_put_zeros(&w, 2);
    assert_null(tl_since(&w, 1).p);
    assert_int_equal(tl_written(&w).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(take_within_the_input_gives_its_bytes),
        cmocka_unit_test(take_one_byte_too_many_fails_and_sticks),
        cmocka_unit_test(take_of_the_largest_size_fails),
        cmocka_unit_test(take_of_nothing_from_nothing_is_no_error),
        cmocka_unit_test(get_of_each_size_reads_either_order),
        cmocka_unit_test(get_one_byte_short_gives_zero_and_sticks),
        cmocka_unit_test(get_bytes_beyond_the_end_is_empty),
        cmocka_unit_test(rest_takes_all_that_is_left),
        cmocka_unit_test(put_of_each_size_writes_either_order),
        cmocka_unit_test(put_without_room_writes_nothing_and_sticks),
        cmocka_unit_test(put_of_a_value_one_too_wide_is_refused),
        cmocka_unit_test(put_of_the_widest_value_fits_eight_bytes),
        cmocka_unit_test(room_of_the_largest_size_fails),
        cmocka_unit_test(writer_of_no_bytes_refuses_the_first),
        cmocka_unit_test(counting_finds_the_size_that_writing_takes),
        cmocka_unit_test(writing_with_less_room_than_counted_always_fails),
        cmocka_unit_test(fill_writes_the_bytes_behind_the_mark),
        cmocka_unit_test(fill_of_a_length_that_does_not_fit_is_refused),
        cmocka_unit_test(fill_of_a_mark_beyond_the_end_is_refused),
        cmocka_unit_test(fill_of_a_bad_writer_writes_nothing),
        cmocka_unit_test(mark_without_room_makes_the_writer_bad),
        cmocka_unit_test(since_is_empty_when_bad_or_beyond),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
