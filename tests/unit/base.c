/* Texts of errors, comparing and wiping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <trueline/base.h>

static const tl_err errors[] = {
    TL_OK,
#define ERR(name, value, text) TL_E_##name,
#include <trueline/errors.def>
#undef ERR
};
enum { ERRORS = sizeof errors / sizeof *errors };

static void err_text_of_each_error_is_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < ERRORS; i++) {
        assert_true(strlen(tl_err_text(errors[i])) > 1);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(tl_err_text(errors[i]), tl_err_text(errors[j]));
    }
}

static void err_text_of_an_unknown_error_is_not_null(void **state)
{
    (void)state;
    assert_non_null(tl_err_text((tl_err)999));
    for (size_t i = 0; i < ERRORS; i++)
        assert_string_not_equal(tl_err_text((tl_err)999), tl_err_text(errors[i]));
}

static void equal_when_bytes_are_the_same_says_so(void **state)
{
    const uint8_t a[] = { 1, 2, 3 }, b[] = { 1, 2, 3 };

    (void)state;
    assert_true(tl_equal(tl_span_of(a, 3), tl_span_of(b, 3)));
    assert_true(tl_equal(tl_span_of(NULL, 0), tl_span_of(NULL, 0)));
    assert_true(tl_equal(tl_span_of(a, 0), tl_span_of(NULL, 0)));
}

static void equal_when_any_one_bit_differs_says_no(void **state)
{
    uint8_t a[16], b[16];

    (void)state;
    memset(a, 0x5A, sizeof a);
    for (size_t i = 0; i < 8 * sizeof a; i++) {
        memcpy(b, a, sizeof a);
        b[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_false(tl_equal(tl_span_of(a, 16), tl_span_of(b, 16)));
        assert_false(tl_equal(tl_span_of(b, 16), tl_span_of(a, 16)));
    }
}

static void equal_when_differences_cancel_out_says_no(void **state)
{
    const uint8_t a[] = { 0, 0 }, same_sum[] = { 1, 0xFF }, same_xor[] = { 7, 7 };

    (void)state;
    assert_false(tl_equal(tl_span_of(a, 2), tl_span_of(same_sum, 2)));
    assert_false(tl_equal(tl_span_of(a, 2), tl_span_of(same_xor, 2)));
}

static void equal_when_one_is_a_prefix_says_no(void **state)
{
    const uint8_t a[] = { 1, 2, 3 };

    (void)state;
    assert_false(tl_equal(tl_span_of(a, 3), tl_span_of(a, 2)));
    assert_false(tl_equal(tl_span_of(a, 0), tl_span_of(a, 1)));
}

static void wipe_clears_its_bytes_and_no_others(void **state)
{
    uint8_t b[6];

    (void)state;
    memset(b, 0xEE, sizeof b);
    tl_wipe(b + 1, 4);
    assert_memory_equal(b, ((uint8_t[]){ 0xEE, 0, 0, 0, 0, 0xEE }), 6);
    tl_wipe(b, 0);
    assert_int_equal(b[0], 0xEE);
    tl_wipe(NULL, 0);
}

static void wipe_of_any_length_anywhere_clears_its_bytes_and_no_others(void **state)
{
    enum { AT = 16, LENGTH = 80 };
    uint8_t b[AT + LENGTH + AT], expected[sizeof b];

    (void)state;
    for (size_t at = 1; at <= AT; at++) {
        for (size_t n = 0; n <= LENGTH; n++) {
            memset(b, 0xEE, sizeof b);
            memset(expected, 0xEE, sizeof b);
            for (size_t i = 0; i < n; i++)
                expected[at + i] = 0;
            tl_wipe(b + at, n);
            assert_memory_equal(b, expected, sizeof b);
        }
    }
}

static tl_err second_of(tl_err first, tl_err second)
{
    TL_TRY(first);
    return second;
}

static void try_hands_on_the_first_error(void **state)
{
    (void)state;
    assert_int_equal(second_of(TL_E_ROOM, TL_E_WIRE), TL_E_ROOM);
    assert_int_equal(second_of(TL_OK, TL_E_WIRE), TL_E_WIRE);
    assert_int_equal(second_of(TL_OK, TL_OK), TL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(err_text_of_each_error_is_its_own),
        cmocka_unit_test(err_text_of_an_unknown_error_is_not_null),
        cmocka_unit_test(equal_when_bytes_are_the_same_says_so),
        cmocka_unit_test(equal_when_any_one_bit_differs_says_no),
        cmocka_unit_test(equal_when_differences_cancel_out_says_no),
        cmocka_unit_test(equal_when_one_is_a_prefix_says_no),
        cmocka_unit_test(wipe_clears_its_bytes_and_no_others),
        cmocka_unit_test(wipe_of_any_length_anywhere_clears_its_bytes_and_no_others),
        cmocka_unit_test(try_hands_on_the_first_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
