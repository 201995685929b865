/* Files of secrets: the two kinds of lines, and every line that is neither. */
#define _POSIX_C_SOURCE 200809L /* fmemopen */
#include "testing.h"

#include "keys_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static keys_file file;
static keys_line line;
static tl_fault fault;

/* The first line of a text. */
static tl_exit first_of(const char *text, size_t n)
{
    FILE *in = fmemopen((void *)(uintptr_t)text, n, "rb");
    tl_exit e;

    assert_non_null(in);
    keys_open(&file, in, "t.keys");
    e = keys_next(&file, &line, &fault);
    (void)fclose(in);
    return e;
}

static void refused(const char *text, const char *why)
{
    char expected[200];

    (void)snprintf(expected, sizeof expected, "t.keys: line 1: %s", why);
    if (first_of(text, strlen(text)) != TL_EXIT_USAGE)
        fail_msg("'%s' was taken", text);
    assert_string_equal(fault.text, expected);
}

static void message_when_right_then_read(void **s)
{
    static const char request[] = "# -> SPDM_GET_VERSION 0x84 size 4 session 0\n";
    static const char response[] = "# <- <unknown> 0x0 size 4294967295 session fffffffe\n";

    (void)s;
    assert_int_equal(first_of(request, sizeof request - 1), TL_EXIT_OK);
    assert_int_equal(line.kind, KEYS_MESSAGE);
    assert_int_equal(line.number, 1);
    assert_true(line.message.request);
    assert_string_equal(line.message.name, "SPDM_GET_VERSION");
    assert_int_equal(line.message.code, 0x84);
    assert_int_equal(line.message.size, 4);
    assert_int_equal(line.message.session, 0);
    assert_int_equal(first_of(response, sizeof response - 1), TL_EXIT_OK);
    assert_false(line.message.request);
    assert_string_equal(line.message.name, "<unknown>");
    assert_int_equal(line.message.code, 0);
    assert_int_equal(line.message.size, UINT32_MAX);
    assert_int_equal(line.message.session, 0xFFFFFFFE);
}

static void value_when_right_then_read(void **s)
{
    static const uint8_t bytes[] = { 0x00, 0x9F, 0xAB, 0xCD };

    (void)s;
    assert_int_equal(first_of("th1: 009fABcd\n", 14), TL_EXIT_OK);
    assert_int_equal(line.kind, KEYS_VALUE);
    assert_string_equal(line.name, "th1");
    assert_int_equal(line.value_n, 4);
    assert_memory_equal(line.value, bytes, 4);
    assert_int_equal(first_of("empty: \n", 8), TL_EXIT_OK);
    assert_int_equal(line.value_n, 0);
}

#define SECRET_32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void stream_when_right_then_read(void **s)
{
    static const char text[] = "stream 65535 epoch 4294967295 secret " SECRET_32 "\n",
                      longer[] = "stream 7 epoch 0 secret " SECRET_32 "202122232425262728292a2b2c2d2e2f\n";

    (void)s;
    assert_int_equal(first_of(text, strlen(text)), TL_EXIT_OK);
    assert_int_equal(line.kind, KEYS_STREAM);
    assert_int_equal(line.stream, 65535);
    assert_true(line.epoch == UINT32_MAX);
    assert_int_equal(line.value_n, 32);
    assert_int_equal(line.value[31], 31);
    assert_int_equal(first_of(longer, strlen(longer)), TL_EXIT_OK);
    assert_int_equal(line.value_n, 48);
}

static void stream_when_wrong_then_refused(void **s)
{
    static const char *const wrong[] = {
        "stream 0 epoch 0 secret " SECRET_32 "\n",
        "stream 65536 epoch 0 secret " SECRET_32 "\n",
        "stream -1 epoch 0 secret " SECRET_32 "\n",
        "stream 1 epoch 4294967296 secret " SECRET_32 "\n",
        "stream 1 epoch secret " SECRET_32 "\n",
        "stream 1 secret " SECRET_32 "\n",
        "stream 1 epoch 0 " SECRET_32 "\n",
        "stream 1 epoch 0 secret \n",
        "stream 1 epoch 0 secret 00\n",
        "stream 1 epoch 0 secret " SECRET_32 "00\n",
        "stream 1 epoch 0 secret " SECRET_32 " \n",
        "stream 1 epoch 0 secret x" SECRET_32 "\n",
        "stream  1 epoch 0 secret " SECRET_32 "\n",
        "stream : 00\n",
    };

    (void)s;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(first_of(wrong[i], strlen(wrong[i])), TL_EXIT_USAGE);
}

static void lines_when_read_to_the_end_then_counted(void **s)
{
    static char text[] = "a: 01\nb: 02\n# <- X 0x1 size 2 session 3\n";
    FILE *in = fmemopen(text, strlen(text), "rb");

    (void)s;
    keys_open(&file, in, "t.keys");
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(keys_next(&file, &line, &fault), TL_EXIT_OK);
        assert_int_equal(line.number, i);
        assert_int_equal(line.kind, i < 3 ? KEYS_VALUE : KEYS_MESSAGE);
    }
    assert_int_equal(keys_next(&file, &line, &fault), TL_EXIT_OK);
    assert_int_equal(line.kind, KEYS_END);
    (void)fclose(in);
}

static void line_when_neither_then_refused(void **s)
{
    static const char *const wrong[] = {
        "\n",
        "th1\n",
        "th1:\n",
        "th1:00\n",
        ": 00\n",
        "th1: 0\n",
        "th1: 0g\n",
        "th1: g0\n",
        "th1: 00 \n",
        "th1: 00\r\n",
        "#\n",
        "# a comment\n",
        "# -> SPDM_X 84 size 4 session 0\n",
        "# -> SPDM_X 0x size 4 session 0\n",
        "# -> SPDM_X 0x100 size 4 session 0\n",
        "# -> SPDM_X 0x84 size session 0\n",
        "# -> SPDM_X 0x84 size -4 session 0\n",
        "# -> SPDM_X 0x84 size 4294967296 session 0\n",
        "# -> SPDM_X 0x84 size 4\n",
        "# -> SPDM_X 0x84 size 4 session \n",
        "# -> SPDM_X 0x84 size 4 session 100000000\n",
        "# -> SPDM_X 0x84 size 4 session 0 \n",
        "# -- SPDM_X 0x84 size 4 session 0\n",
        "# ->  0x84 size 4 session 0\n",
        "#-> SPDM_X 0x84 size 4 session 0\n",
        "0123456789012345678901234567890123456789012345678901234567890123: 00\n",
    };

    (void)s;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refused(wrong[i], "neither a message nor a value nor a stream's secret");
}

static void line_when_it_has_no_end_then_refused(void **s)
{
    (void)s;
    refused("th1: 00", "it is not ended by a newline");
    assert_int_equal(first_of("th1: 00\0\n", 9), TL_EXIT_USAGE);
    assert_string_equal(fault.text, "t.keys: line 1: it is not ended by a newline");
    assert_int_equal(first_of("\0th1: 00\n", 9), TL_EXIT_USAGE);
}

/* "v: " and n bytes in hex. */
static char *long_value(size_t n)
{
    char *text = malloc(3 + 2 * n + 2);

    assert_non_null(text);
    memcpy(text, "v: ", 3);
    memset(text + 3, 'a', 2 * n);
    memcpy(text + 3 + 2 * n, "\n", 2);
    return text;
}

static void value_when_as_long_as_may_be_then_read_and_longer_refused(void **s)
{
    char *text = long_value(KEYS_VALUE_MAX);

    (void)s;
    assert_int_equal(first_of(text, strlen(text)), TL_EXIT_OK);
    assert_int_equal(line.value_n, KEYS_VALUE_MAX);
    free(text);
    text = long_value(KEYS_VALUE_MAX + 1);
    refused(text, "neither a message nor a value nor a stream's secret");
    free(text);
    text = long_value(KEYS_VALUE_MAX + KEYS_NAME_SIZE);
    refused(text, "it is too long");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_when_right_then_read),
        cmocka_unit_test(value_when_right_then_read),
        cmocka_unit_test(stream_when_right_then_read),
        cmocka_unit_test(stream_when_wrong_then_refused),
        cmocka_unit_test(lines_when_read_to_the_end_then_counted),
        cmocka_unit_test(line_when_neither_then_refused),
        cmocka_unit_test(line_when_it_has_no_end_then_refused),
        cmocka_unit_test(value_when_as_long_as_may_be_then_read_and_longer_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
