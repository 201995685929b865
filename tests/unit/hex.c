/* Hexadecimal digits: what is written, where it is cut, and each text that is not exactly so many bytes. */
#include "hex.h"
#include "testing.h"

#include <string.h>

static const uint8_t bytes[] = { 0x00, 0x9F, 0xA0, 0xFF };

static void text_of_bytes_then_small_digits_and_a_zero(void **s)
{
    char text[9];

    (void)s;
    hex_text(tl_span_of(bytes, 4), text, sizeof text);
    assert_string_equal(text, "009fa0ff");
    hex_text(tl_span_of(NULL, 0), text, sizeof text);
    assert_string_equal(text, "");
}

typedef void writer(tl_span bytes, char *text, size_t room);

/* In any room: as many whole bytes of `all` as go in, n characters each, and nothing behind the zero. */
static void check_rooms(writer *write, const char *all, size_t n)
{
    for (size_t room = 1; room <= 4 * n + 4; room++) {
        size_t whole = (room - 1) / n < 4 ? (room - 1) / n : 4;
        char text[20];

        memset(text, '#', sizeof text);
        write(tl_span_of(bytes, 4), text, room);
        assert_int_equal(strlen(text), n * whole);
        assert_memory_equal(text, all, n * whole);
        for (size_t i = n * whole + 1; i < sizeof text; i++)
            assert_int_equal(text[i], '#');
    }
}

static void text_without_room_then_whole_bytes_and_nothing_behind_them(void **s)
{
    (void)s;
    check_rooms(hex_text, "009fa0ff", 2);
}

static void text_apart_then_a_blank_before_each_byte_that_has_room(void **s)
{
    (void)s;
    check_rooms(hex_apart, " 00 9f a0 ff", 3);
}

static void json_and_print_of_bytes_then_the_same_digits(void **s)
{
    json_t *value = hex_json(tl_span_of(bytes, 4)), *none = hex_json(tl_span_of(NULL, 0));
    char printed[16] = "";
    FILE *to = tmpfile();

    (void)s;
    assert_non_null(to);
    hex_print(to, tl_span_of(bytes, 4));
    rewind(to);
    assert_int_equal(fread(printed, 1, sizeof printed, to), 8);
    (void)fclose(to);
    assert_string_equal(printed, "009fa0ff");
    assert_string_equal(json_string_value(value), "009fa0ff");
    assert_string_equal(json_string_value(none), "");
    json_decref(value);
    json_decref(none);
}

static void read_of_exactly_so_many_bytes_then_their_values(void **s)
{
    uint8_t out[5] = { 1, 1, 1, 1, 0x5A };

    (void)s;
    assert_true(hex_read("009fa0ff", out, 4));
    assert_memory_equal(out, bytes, 4);
    memset(out, 1, 4);
    assert_true(hex_read("009FA0Ff", out, 4));
    assert_memory_equal(out, bytes, 4);
    assert_int_equal(out[4], 0x5A);
    assert_true(hex_read("", out, 0));
}

static void read_of_anything_else_then_refused(void **s)
{
    static const char *const texts[] = { "",          "0",          "00",        "009fa0f",   "009fa0",
                                         "009fa0ff0", "009fa0ff00", " 009fa0ff", "009fa0ff ", "009fa0fg",
                                         "009fa0f/",  "009fa0f:",   "009fa0f@",  "009fa0fG",  "009fa0f`",
                                         "0x9fa0ff",  "00 9fa0f",   "-09fa0ff" };
    uint8_t out[5] = { 0, 0, 0, 0, 0x5A };

    (void)s;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (hex_read(texts[i], out, 4))
            fail_msg("'%s' is taken for 4 bytes", texts[i]);
    assert_false(hex_read("00", out, 0));
    assert_int_equal(out[4], 0x5A);
}

static void digit_of_every_character_then_its_value_or_16(void **s)
{
    static const char small[] = "0123456789abcdef", capital[] = "0123456789ABCDEF";

    (void)s;
    for (int c = -128; c < 128; c++) {
        const char *at = c != 0 ? strchr(small, c) : NULL, *high = c != 0 ? strchr(capital, c) : NULL;
        unsigned value = at != NULL ? (unsigned)(at - small) : high != NULL ? (unsigned)(high - capital) : 16;

        assert_int_equal(hex_digit((char)c), value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_bytes_then_small_digits_and_a_zero),
        cmocka_unit_test(text_without_room_then_whole_bytes_and_nothing_behind_them),
        cmocka_unit_test(text_apart_then_a_blank_before_each_byte_that_has_room),
        cmocka_unit_test(json_and_print_of_bytes_then_the_same_digits),
        cmocka_unit_test(read_of_exactly_so_many_bytes_then_their_values),
        cmocka_unit_test(read_of_anything_else_then_refused),
        cmocka_unit_test(digit_of_every_character_then_its_value_or_16),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
