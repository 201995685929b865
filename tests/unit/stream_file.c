/* Stream files: what is refused, by name, and what a right one becomes. Each refusal changes one line of a right file. */
#define _DEFAULT_SOURCE /* mkdtemp */
#include "testing.h"

#include "stream_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A right file, one key on each line. */
static const char *const lines[] = {
    "{\"format\": \"trueline stream 1\",",
    "\"layout\": \"" TL_LAYOUT_NAME "\",",
    "\"suite\": \"aes256-gmac\",",
    "\"tag_mode\": \"message\",",
    "\"crc32\": true,",
    "\"stream\": 7,",
    "\"width\": 64,",
    "\"height\": 16,",
    "\"bits\": 10,",
    "\"embedded_top\": 2,",
    "\"embedded_bottom\": 1,",
    "\"tag_size\": 12,",
    "\"variant_top\": 2,",
    "\"variant_middle\": 1,",
    "\"variant_bottom\": 2,",
    "\"first_frame\": 5,",
    "\"secret\": \"000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F\"}",
};

enum { LINES = sizeof lines / sizeof lines[0] };

static const char *text_with(const char *key, const char *line)
{
    static char text[4096];

    text[0] = '\0';
    for (size_t i = 0; i < LINES; i++)
        strcat(text, key != NULL && strstr(lines[i], key) != NULL ? line : lines[i]);
    return text;
}

static tl_exit parse(stream_file *f, const char *text, tl_fault *fault)
{
    return stream_file_parse(f, "t.json", tl_span_of(text, strlen(text)), fault);
}

static void assert_says(const tl_fault *fault, const char *part)
{
    if (strstr(fault->text, part) == NULL)
        fail_msg("'%s' does not say '%s'", fault->text, part);
}

static void parse_when_right_then_it_becomes_a_configuration(void **s)
{
    stream_file f;
    tl_fault fault;

    (void)s;
    assert_int_equal(parse(&f, text_with(NULL, ""), &fault), TL_EXIT_OK);
    assert_int_equal(f.config.stream, 7);
    assert_int_equal(f.config.suite, TL_SUITE_AES256_GMAC);
    assert_int_equal(f.config.tag_size, 12);
    assert_int_equal(f.config.crc32, TL_WITH);
    assert_int_equal(f.config.first_frame, 5);
    assert_int_equal(f.config.variant[TL_BLOCK_TOP], TL_SV_2);
    assert_int_equal(f.config.variant[TL_BLOCK_MIDDLE], TL_SV_1);
    assert_int_equal(f.config.part_count, 3);
    assert_int_equal(f.config.parts[0].data_type, TL_DT_EMBEDDED);
    assert_int_equal(f.config.parts[0].count, 2);
    assert_int_equal(f.config.parts[1].block, TL_BLOCK_MIDDLE);
    assert_int_equal(f.config.parts[1].data_type, TL_DT_RAW10);
    assert_int_equal(f.config.parts[1].count, 16);
    assert_int_equal(f.config.parts[1].length, 80);
    assert_int_equal(f.config.parts[2].block, TL_BLOCK_BOTTOM);
    assert_int_equal(f.config.parts[2].count, 1);
    assert_int_equal(f.secret[0], 0);
    assert_int_equal(f.secret[31], 0x1F);
}

static void parse_when_a_value_is_wrong_then_key_and_limits_are_named(void **s)
{
    static const struct {
        const char *key, *line, *says, *says_too;
    } wrong[] = {
        { "\"width\"", "\"width\": 63,", "\"width\"", "16 to 16384, multiples of 4" },
        { "\"width\"", "\"width\": 0,", "\"width\"", "16 to 16384" },
        { "\"width\"", "\"width\": -64,", "\"width\"", "whole number from 16 to 16384" },
        { "\"width\"", "\"width\": 64.5,", "\"width\"", "of the wrong kind" },
        { "\"width\"", "\"width\": \"64\",", "\"width\"", "of the wrong kind" },
        { "\"width\"", "\"width\": 4294967360,", "\"width\"", "16 to 16384" },
        { "\"height\"", "", "\"height\"", "is missing" },
        { "\"bits\"", "\"bits\": 11,", "\"bits\"", "10 to 12, multiples of 2" },
        { "\"stream\"", "\"stream\": 0,", "\"stream\"", "1 to 65535" },
        { "\"stream\"", "\"stream\": 65536,", "\"stream\"", "1 to 65535" },
        { "\"tag_size\"", "\"tag_size\": 10,", "\"tag_size\"", "0 to 16, multiples of 4" },
        { "\"variant_middle\"", "\"variant_middle\": 6,", "\"variant_middle\"", "1 to 5" },
        { "\"first_frame\"", "\"first_frame\": 4294967296,", "\"first_frame\"", "0 to 4294967295" },
        { "\"embedded_top\"", "\"embedded_top\": 256,", "\"embedded_top\"", "0 to 255" },
        { "\"suite\"", "\"suite\": \"aes128-cbc\",", "'aes128-cbc'", "aes256-cmac or none" },
        { "\"suite\"", "\"suite\": 1,", "\"suite\"", "is no text" },
        { "\"suite\"", "", "\"suite\"", "is missing" },
        { "\"tag_mode\"", "\"tag_mode\": \"line\",", "'line'", "message, type or frame" },
        { "\"crc32\"", "\"crc32\": true, \"pattern_middle\": [0, 1],", "\"pattern_middle\"",
          "three whole numbers" },
        { "\"crc32\"", "\"crc32\": true, \"pattern_middle\": [0, 1, 65536],", "\"pattern_middle\"",
          "three whole" },
        { "\"crc32\"", "\"crc32\": true, \"pattern_top\": {},", "\"pattern_top\"", "such as [0, 1, 4]" },
        { "\"crc32\"", "\"crc32\": 1,", "\"crc32\"", "true or false" },
        { "\"crc32\"", "", "\"crc32\" is missing", "true or false" },
        { "\"layout\"", "\"layout\": \"other\",", "\"layout\" is 'other'", TL_LAYOUT_NAME },
        { "\"format\"", "{\"format\": \"trueline stream 2\",", "'trueline stream 2'", "'trueline stream 1'" },
        { "\"bits\"", "\"bits\": 10, \"tagsize\": 8,", "\"tagsize\" is no key", "" },
        { "\"bits\"", "\"bits\": 10, \"bits\": 12,", "no JSON", "duplicate" },
        { "\"bits\"", "\"bits\": 10", "no JSON", "line 1" },
        { "\"secret\"", "\"secret\": \"00\"}", "\"secret\" has 2 characters", "" },
        { "\"secret\"", "\"first\": 1}", "\"first\" is no key", "" },
        { "\"tag_size\"", "\"tag_size\": 12, \"a\\u0000b\": 1,", "no JSON", "" },
    };

    (void)s;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        stream_file f;
        tl_fault fault;

        memset(&f, 0x5A, sizeof f);
        if (parse(&f, text_with(wrong[i].key, wrong[i].line), &fault) != TL_EXIT_USAGE)
            fail_msg("taken: %s", wrong[i].line);
        assert_says(&fault, "t.json");
        assert_says(&fault, wrong[i].says);
        assert_says(&fault, wrong[i].says_too);
        tl_assert_all(&f, 0, sizeof f);
    }
}

static void parse_when_the_secret_is_wrong_then_it_is_not_shown(void **s)
{
    static const char *const wrong[] = {
        "\"secret\": \"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0g\"}",
        "\"secret\": \"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b\"}",
        "\"secret\": \"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b\" \"}",
        "\"secret\": \"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b\\q\"}",
        "\"secret\": 0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b}",
    };

    (void)s;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        stream_file f;
        tl_fault fault;

        assert_int_equal(parse(&f, text_with("\"secret\"", wrong[i]), &fault), TL_EXIT_USAGE);
        if (strstr(fault.text, "0b0b") != NULL)
            fail_msg("shown: %s", fault.text);
    }
}

static void parse_when_cut_anywhere_then_refused(void **s)
{
    const char *text = text_with(NULL, "");
    stream_file f;
    tl_fault fault;

    (void)s;
    for (size_t n = 0; n < strlen(text); n++)
        assert_int_equal(stream_file_parse(&f, "t.json", tl_span_of(text, n), &fault), TL_EXIT_USAGE);
}

static void build_when_a_frame_has_too_many_embedded_lines_of_a_type_then_still_within_limits(void **s)
{
    stream_file f;
    tl_fault fault;

    (void)s;
    stream_file_init(&f);
    f.width = f.height = 16384;
    f.embedded_top = f.embedded_bottom = 255;
    assert_int_equal(stream_file_build(&f, "t", &fault), TL_EXIT_OK);
    f.height = 16386;
    assert_int_equal(stream_file_build(&f, "t", &fault), TL_EXIT_USAGE);
    assert_says(&fault, "\"height\"");
}

static void build_when_no_embedded_lines_then_one_part(void **s)
{
    stream_file f;
    tl_fault fault;

    (void)s;
    stream_file_init(&f);
    f.embedded_top = f.embedded_bottom = 0;
    assert_int_equal(stream_file_build(&f, "t", &fault), TL_EXIT_OK);
    assert_int_equal(f.config.part_count, 1);
    assert_int_equal(f.config.parts[0].data_type, TL_DT_RAW12);
}

static void write_when_read_back_then_the_same_and_private(void **s)
{
    char folder[] = "/tmp/tl-stream-XXXXXX", path[64];
    stream_file f, g;
    tl_fault fault;
    struct stat st;

    (void)s;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/s.json", folder);
    assert_int_equal(parse(&f, text_with(NULL, ""), &fault), TL_EXIT_OK);
    assert_int_equal(stream_file_write(&f, path, TL_FILE_REFUSE, &fault), TL_EXIT_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stream_file_read(&g, path, &fault), TL_EXIT_OK);
    assert_memory_equal(&f, &g, sizeof f);
    assert_int_equal(stream_file_write(&f, path, TL_FILE_REFUSE, &fault), TL_EXIT_USAGE);
    assert_says(&fault, "there already");
    assert_int_equal(stream_file_write(&f, path, TL_FILE_REPLACE, &fault), TL_EXIT_OK);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(stream_file_read(&g, path, &fault), TL_EXIT_USAGE);
    assert_says(&fault, "chmod 600");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(stream_file_read(&g, path, &fault), TL_EXIT_USAGE);
    assert_int_equal(rmdir(folder), 0); /* and no temporary file was left */
}

static void parse_public_when_there_is_no_secret_then_right_and_with_one_refused(void **s)
{
    const char *with;
    char open[4096];
    stream_file f;
    tl_fault fault;

    (void)s;
    (void)snprintf(open, sizeof open, "%s", text_with("\"secret\"", ""));
    *strrchr(open, ',') = '}';
    assert_int_equal(stream_file_parse_public(&f, "t.json", tl_span_of(open, strlen(open)), &fault),
                     TL_EXIT_OK);
    assert_int_equal(f.config.stream, 7);
    assert_int_equal(parse(&f, open, &fault), TL_EXIT_USAGE);
    assert_says(&fault, "\"secret\" is missing");
    with = text_with(NULL, NULL);
    assert_int_equal(stream_file_parse_public(&f, "t.json", tl_span_of(with, strlen(with)), &fault),
                     TL_EXIT_USAGE);
    assert_says(&fault, "holds a secret");
    assert_int_equal(f.config.stream, 0);
}

static void json_when_hidden_then_no_secret(void **s)
{
    stream_file f;
    tl_fault fault;
    json_t *o;

    (void)s;
    assert_int_equal(parse(&f, text_with(NULL, ""), &fault), TL_EXIT_OK);
    o = stream_file_json(&f, STREAM_SECRET_HIDDEN);
    assert_non_null(o);
    assert_null(json_object_get(o, "secret"));
    json_decref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_when_right_then_it_becomes_a_configuration),
        cmocka_unit_test(parse_when_a_value_is_wrong_then_key_and_limits_are_named),
        cmocka_unit_test(parse_when_the_secret_is_wrong_then_it_is_not_shown),
        cmocka_unit_test(parse_when_cut_anywhere_then_refused),
        cmocka_unit_test(build_when_a_frame_has_too_many_embedded_lines_of_a_type_then_still_within_limits),
        cmocka_unit_test(build_when_no_embedded_lines_then_one_part),
        cmocka_unit_test(write_when_read_back_then_the_same_and_private),
        cmocka_unit_test(parse_public_when_there_is_no_secret_then_right_and_with_one_refused),
        cmocka_unit_test(json_when_hidden_then_no_secret),
    };

    stream_file_guard_json();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
