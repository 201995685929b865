/* Reference files: read strictly, and compared with records block by block. */
#include "reference.h"
#include "testing.h"

#include <stdio.h>
#include <string.h>

#define D64             "0101010101010101010101010101010101010101010101010101010101010101"
#define D96             D64 "01010101010101010101010101010101"
#define SETUP           "{\"index\":1,\"name\":\"set-up\",\"sha256\":\"" D64 "\",\"sha384\":\"" D96 "\"}"
#define MANIFEST        "{\"index\":2,\"name\":\"manifest\",\"text\":\"a sensor 1\"}"
#define PROGRAM         "{\"index\":3,\"name\":\"program\",\"sha256\":\"" D64 "\",\"sha384\":\"" D96 "\"}"
#define FILE_OF(blocks) "{\"format\":\"trueline reference 1\",\"blocks\":[" blocks "]}"
#define WHOLE           FILE_OF(SETUP "," MANIFEST "," PROGRAM)

static tl_exit parse(reference *r, const char *text, tl_fault *fault)
{
    return reference_parse(r, "ref.json", tl_span_of(text, strlen(text)), fault);
}

/* ---- reading ---- */

static void file_when_right_then_read(void **state)
{
    reference r;
    tl_fault fault;

    (void)state;
    assert_int_equal(parse(&r, WHOLE, &fault), TL_EXIT_OK);
    assert_int_equal(r.n, 3);
    assert_true(r.blocks[1].raw && !r.blocks[0].raw);
    assert_int_equal(reference_digest(&r.blocks[0], TL_HASH_SHA384).n, 48);
    assert_int_equal(reference_digest(&r.blocks[1], TL_HASH_SHA384).n, 0);
    assert_int_equal(reference_digest(&r.blocks[0], TL_HASH_NONE).n, 0);
}

static void file_when_written_then_reads_back(void **state)
{
    reference r, again;
    tl_fault fault;
    json_t *object;
    char *text;

    (void)state;
    assert_int_equal(parse(&r, WHOLE, &fault), TL_EXIT_OK);
    object = reference_json(&r);
    text = json_dumps(object, 0);
    assert_int_equal(parse(&again, text, &fault), TL_EXIT_OK);
    assert_memory_equal(&again, &r, sizeof r);
    free(text);
    json_decref(object);
}

static void file_when_anything_is_off_then_refused_by_name(void **state)
{
    static const char *const files[][2] = {
        { "", "no JSON" },
        { "[]", "\"format\"" },
        { "{\"format\":\"trueline reference 2\",\"blocks\":[" SETUP "]}", "\"format\"" },
        { "{\"format\":\"trueline reference 1\"}", "\"blocks\"" },
        { FILE_OF(""), "1 to 16" },
        { "{\"format\":\"trueline reference 1\",\"blocks\":[" SETUP "],\"more\":1}", "\"blocks\"" },
        { "{\"format\":\"trueline reference 1\",\"format\":\"trueline reference 1\",\"blocks\":[" SETUP "]}",
          "no JSON" },
        { FILE_OF(PROGRAM "," SETUP), "\"index\"" },
        { FILE_OF(SETUP "," SETUP), "\"index\"" },
        { FILE_OF("{\"index\":0,\"name\":\"a\",\"text\":\"b\"}"), "\"index\"" },
        { FILE_OF("{\"index\":255,\"name\":\"a\",\"text\":\"b\"}"), "\"index\"" },
        { FILE_OF("{\"index\":1,\"text\":\"b\"}"), "\"name\"" },
        { FILE_OF("{\"index\":1,\"name\":\"a\",\"text\":\"\"}"), "\"text\"" },
        { FILE_OF("{\"index\":1,\"name\":\"a\",\"text\":\"b\\u0007\"}"), "\"text\"" },
        { FILE_OF("{\"index\":1,\"name\":\"a\",\"text\":\"b\",\"sha256\":\"" D64 "\"}"), "\"sha256\"" },
        { FILE_OF("{\"index\":1,\"name\":\"a\",\"sha256\":\"" D64 "\"}"), "\"sha384\"" },
        { FILE_OF("{\"index\":1,\"name\":\"a\",\"sha256\":\"" D64 "00\",\"sha384\":\"" D96 "\"}"),
          "\"sha256\"" },
        { FILE_OF("{\"index\":1,\"name\":\"a\",\"sha256\":\"" D64 "\",\"sha384\":\"" D64 "\"}"),
          "\"sha384\"" },
        { FILE_OF("{\"index\":1,\"name\":\"a\",\"hash\":\"\"}"), "\"hash\" is no key" },
        { FILE_OF("7"), "\"index\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        reference r;
        tl_fault fault = { 0 };

        if (parse(&r, files[i][0], &fault) != TL_EXIT_USAGE || strstr(fault.text, files[i][1]) == NULL)
            fail_msg("%s: %s", files[i][0], fault.text);
        assert_int_equal(r.n, 0);
    }
}

/* ---- comparing ---- */

enum { SHA256_SIZE = 32 };

static void put_block(tl_wr *w, uint8_t index, uint8_t type, tl_span value)
{
    tl_put(w, 1, TL_LITTLE, index);
    tl_put(w, 1, TL_LITTLE, 1);
    tl_put(w, 2, TL_LITTLE, value.n + 3);
    tl_put(w, 1, TL_LITTLE, type);
    tl_put(w, 2, TL_LITTLE, value.n);
    tl_put_bytes(w, value);
}

/* A record with the blocks of a mask. */
static tl_span record_of(uint8_t *bytes, size_t room, unsigned mask)
{
    static const char manifest[] = "a sensor 1";
    uint8_t digest[SHA256_SIZE];
    tl_wr w = tl_wr_of(bytes, room);

    memset(digest, 1, sizeof digest);
    for (uint8_t i = 1; i < 8; i++)
        if (mask & 1u << i)
            put_block(&w, i, i == 2 ? 0x84 : 1,
                      i == 2 ? tl_span_of(manifest, 10) : tl_span_of(digest, sizeof digest));
    return tl_written(&w);
}

static void expect(unsigned mask, size_t flip, tl_exit code, const char *words)
{
    uint8_t bytes[512];
    tl_span record = record_of(bytes, sizeof bytes, mask);
    reference r;
    tl_fault fault = { 0 };

    assert_int_equal(parse(&r, WHOLE, &fault), TL_EXIT_OK);
    if (flip > 0)
        bytes[flip] ^= 1;
    assert_int_equal(reference_compare(&r, TL_HASH_SHA256, record, &fault), code);
    if (words != NULL && strstr(fault.text, words) == NULL)
        fail_msg("%s", fault.text);
}

static void record_when_the_same_then_right(void **state)
{
    (void)state;
    expect(0xE, 0, TL_EXIT_OK, NULL);
}

static void record_when_changed_then_the_block_is_named(void **state)
{
    (void)state;
    expect(0xE, 7, TL_EXIT_PEER, "measurement 1 (set-up) is changed");
    expect(0xE, 38, TL_EXIT_PEER, "measurement 1 (set-up) is changed");
    expect(0xE, 39 + 8, TL_EXIT_PEER, "measurement 2 (manifest) is changed: the reference has 'a sensor 1'");
    expect(0xE, 39 + 17 + 20, TL_EXIT_PEER, "measurement 3 (program) is changed");
}

static void record_when_blocks_lack_or_are_too_many_then_named(void **state)
{
    (void)state;
    expect(0, 0, TL_EXIT_PEER, "measurement 1 (set-up) is missing");
    expect(0xC, 0, TL_EXIT_PEER, "measurement 1 (set-up) is missing");
    expect(0xA, 0, TL_EXIT_PEER, "measurement 2 (manifest) is missing");
    expect(0x6, 0, TL_EXIT_PEER, "measurement 3 (program) is missing");
    expect(0x1E, 0, TL_EXIT_PEER, "measurement 4 is not in the reference");
}

static void record_when_another_hash_or_kind_then_changed(void **state)
{
    uint8_t bytes[512];
    tl_span record = record_of(bytes, sizeof bytes, 0xE);
    reference r;
    tl_fault fault;

    (void)state;
    assert_int_equal(parse(&r, WHOLE, &fault), TL_EXIT_OK);
    assert_int_equal(reference_compare(&r, TL_HASH_SHA384, record, &fault), TL_EXIT_PEER);
    assert_int_equal(reference_compare(&r, TL_HASH_NONE, record, &fault), TL_EXIT_PEER);
    bytes[4] ^= 0x80; /* the digest is called raw */
    assert_int_equal(reference_compare(&r, TL_HASH_SHA256, record, &fault), TL_EXIT_PEER);
}

static void record_when_cut_then_refused(void **state)
{
    uint8_t bytes[512];
    tl_span record = record_of(bytes, sizeof bytes, 0xE);
    reference r;
    tl_fault fault;

    (void)state;
    assert_int_equal(parse(&r, WHOLE, &fault), TL_EXIT_OK);
    for (size_t n = 0; n < record.n; n++)
        assert_int_equal(reference_compare(&r, TL_HASH_SHA256, tl_span_of(bytes, n), &fault), TL_EXIT_PEER);
    bytes[record.n] = 9;
    assert_int_equal(reference_compare(&r, TL_HASH_SHA256, tl_span_of(bytes, record.n + 1), &fault),
                     TL_EXIT_PEER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_when_right_then_read),
        cmocka_unit_test(file_when_written_then_reads_back),
        cmocka_unit_test(file_when_anything_is_off_then_refused_by_name),
        cmocka_unit_test(record_when_the_same_then_right),
        cmocka_unit_test(record_when_changed_then_the_block_is_named),
        cmocka_unit_test(record_when_blocks_lack_or_are_too_many_then_named),
        cmocka_unit_test(record_when_another_hash_or_kind_then_changed),
        cmocka_unit_test(record_when_cut_then_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
