/* The walkers over messages of every kind of row: what they read, what they write, and above all what they
 * refuse. */
#include <trueline/base.h>
#include "testing.h"
#include <string.h>
#include "kinds.h"

static const tl_env env0 = { .version = 0, .len = { [TL_LEN_HASH] = 2, [TL_LEN_TAG] = 3, [TL_LEN_CRC] = 4 } };

/* a 01 | box b0=5 b4=9 | c | d | e | f | g | h | i | j | reserved | box k1=1 k0=1 | raw | sized | opt |
 * (optb) */
static const char line_hex[] =
    "01 95 0201 0102 030201 010203 04030201 01020304 0807060504030201 0102030405060708 "
    "FFFFFF 03000000 A1A2A3A4A5 B1B2 04030201";
enum { LINE_SIZE = 54 };

/* short_one 1 | long_one 2 | count 3 | counted | box bits=5 flag=1 | rest */
static const char spans_hex[] = "01 A1 0200 B1B2 03 C1C2C3 1480 D1D2";

/* Decodes hex with a reader that has exactly its bytes; what is left is left in *r. */
typedef struct input {
    uint8_t bytes[128];
    size_t n;
    tl_rd r;
} input;

static tl_rd *read_hex(input *in, const char *hex)
{
    in->n = tl_hex(hex, in->bytes, sizeof in->bytes);
    in->r = tl_rd_of(tl_span_of(in->bytes, in->n));
    return &in->r;
}

static void assert_span(tl_span s, const char *hex)
{
    uint8_t bytes[64];
    size_t n = tl_hex(hex, bytes, sizeof bytes);

    assert_int_equal(s.n, n);
    assert_memory_equal(s.p, bytes, n);
}

/* Encodes to exactly `room` bytes. */
static tl_err write_line(const tl_line_kinds *m, size_t room)
{
    uint8_t out[LINE_SIZE];
    tl_wr w = tl_wr_of(out, room);
    tl_err err;

    memset(out, 0xEE, sizeof out);
    err = tl_encode_line_kinds(&env0, m, &w);
    for (size_t i = room; i < sizeof out; i++)
        assert_int_equal(out[i], 0xEE);
    assert_int_equal(w.bad, err != TL_OK);
    assert_int_equal(w.n, err == TL_OK ? LINE_SIZE : 0);
    if (err != TL_OK && out[0] != 0xEE)
        assert_int_equal(out[0], 0);
    return err;
}

static tl_line_kinds line_message(input *in)
{
    tl_line_kinds m;

    tl_assert_ok(tl_decode_line_kinds(&env0, read_hex(in, line_hex), &m));
    return m;
}

/* ---- reading ---- */

static void decode_reads_every_kind(void **state)
{
    input in;
    tl_line_kinds m = line_message(&in);

    (void)state;
    assert_true(tl_rd_end(&in.r));
    assert_int_equal(in.n, LINE_SIZE);
    assert_int_equal(m.a, 1);
    assert_int_equal(m.b0, 5);
    assert_int_equal(m.b4, 9);
    assert_int_equal(m.c, 0x0102);
    assert_int_equal(m.d, 0x0102);
    assert_int_equal(m.e, 0x010203);
    assert_int_equal(m.f, 0x010203);
    assert_int_equal(m.g, 0x01020304);
    assert_int_equal(m.h, 0x01020304);
    assert_true(m.i == UINT64_C(0x0102030405060708));
    assert_true(m.j == UINT64_C(0x0102030405060708));
    assert_int_equal(m.k1, 1);
    assert_int_equal(m.k0, 1);
    assert_span(m.raw, "A1A2A3A4A5");
    assert_span(m.sized, "B1B2");
    assert_int_equal(m.opt, 0x01020304);
    assert_int_equal(m.optb, 0);
}

static void decode_reads_every_span(void **state)
{
    input in;
    tl_walk_spans m;

    (void)state;
    tl_assert_ok(tl_decode_walk_spans(&env0, read_hex(&in, spans_hex), &m));
    assert_span(m.short_one, "A1");
    assert_span(m.long_one, "B1B2");
    assert_span(m.counted, "C1C2C3");
    assert_int_equal(m.bits, 5);
    assert_int_equal(m.flag, 1);
    assert_int_equal(m.boxed.n, 0);
    assert_span(m.rest, "D1D2");
    assert_true(tl_rd_end(&in.r));
}

static void decode_of_a_later_version_reads_what_it_adds(void **state)
{
    tl_env e = { .version = 2 };
    input in;
    tl_walk_spans m;

    (void)state;
    tl_assert_ok(tl_decode_walk_spans(&e, read_hex(&in, "00 0000 01 1234 C1 1400 D1D2D3D4D5 E1"), &m));
    assert_int_equal(m.late, 0x1234);
    assert_span(m.boxed, "D1D2D3D4D5");
    assert_span(m.rest, "E1");
}

static void decode_of_an_earlier_version_leaves_out_what_it_lacks(void **state)
{
    tl_env e = { .version = 1 };
    input in;
    tl_walk_late m;
    tl_line_since s;

    (void)state;
    tl_assert_ok(tl_decode_walk_late(&e, read_hex(&in, "07 FFFF"), &m));
    assert_int_equal(m.first, 7);
    assert_int_equal(m.opaque.n, 0);
    assert_int_equal(m.rest.n, 0);
    assert_int_equal(in.r.n, 2);
    e.version = 0;
    tl_assert_ok(tl_decode_line_since(&e, read_hex(&in, "FF"), &s));
    assert_int_equal(in.r.n, 1);
    assert_int_equal(s.a | s.b0 | s.opt | s.optb | s.z, 0);
}

static void decode_of_a_body_leaves_the_trailer(void **state)
{
    input in;
    tl_walk_body m;

    (void)state;
    tl_assert_ok(tl_decode_walk_body(&env0, read_hex(&in, "01 AABB C1C2C3 04030201"), &m));
    assert_span(m.body, "AABB");
    assert_span(m.tag, "C1C2C3");
    assert_int_equal(m.crc, 0x01020304);
    tl_assert_ok(tl_decode_walk_body(&env0, read_hex(&in, "01 C1C2C3 04030201"), &m));
    assert_int_equal(m.body.n, 0);
    tl_assert_err(TL_E_WIRE_SHORT, tl_decode_walk_body(&env0, read_hex(&in, "01 C1C2C3 040302"), &m));
}

static void decode_of_any_shorter_input_is_refused_and_zero(void **state)
{
    input in;
    tl_line_kinds m, zero;

    (void)state;
    memset(&zero, 0, sizeof zero);
    for (size_t n = 0; n < LINE_SIZE; n++) {
        (void)read_hex(&in, line_hex);
        in.r.n = n;
        memset(&m, 0xAA, sizeof m);
        tl_assert_err(TL_E_WIRE_SHORT, tl_decode_line_kinds(&env0, &in.r, &m));
        assert_memory_equal(&m, &zero, sizeof m);
        assert_true(in.r.bad);
    }
}

static void decode_of_a_longer_input_leaves_the_rest(void **state)
{
    input in;
    tl_line_kinds m;

    (void)state;
    (void)read_hex(&in, line_hex);
    in.r.n = LINE_SIZE + 1;
    tl_assert_ok(tl_decode_line_kinds(&env0, &in.r, &m));
    assert_false(tl_rd_end(&in.r));
    assert_int_equal(in.r.n, 1);
}

static void decode_of_lengths_that_lie_is_refused(void **state)
{
    static const char *const lies[] = {
        "03 A1 00",               /* short_one */
        "01 A1 FFFF B1B2 03",     /* long_one */
        "00 0300 B1B2",           /* long_one, by one */
        "00 0000 FF C1C2C3 0000", /* counted takes the box */
        "00 0000 02 C1",          /* counted, by one */
        "00 0000",                /* no count */
        "00 00",                  /* half a length */
    };

    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        input in;
        tl_walk_spans m;

        memset(&m, 0xAA, sizeof m);
        tl_assert_err(TL_E_WIRE_SHORT, tl_decode_walk_spans(&env0, read_hex(&in, lies[i]), &m));
        assert_null(m.short_one.p);
        assert_int_equal(m.count, 0);
    }
}

static void decode_of_bits_that_no_row_names_is_refused_and_zero(void **state)
{
    static const char *const odd[] = {
        "00 0000 00 0100",
        "00 0000 00 0200",
        "00 0000 00 0002",
        "00 0000 00 0040",
    };
    input in;
    tl_walk_spans m;
    tl_line_since s;
    tl_env e = { .version = 2 };

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        tl_assert_err(TL_E_WIRE_VALUE, tl_decode_walk_spans(&env0, read_hex(&in, odd[i]), &m));
        assert_true(in.r.bad);
        assert_null(m.rest.p);
    }
    tl_assert_ok(tl_decode_line_since(&e, read_hex(&in, "0000 F800 0000 A1A2 FF"), &s));
    tl_assert_err(TL_E_WIRE_VALUE, tl_decode_line_since(&e, read_hex(&in, "0000 F801 0000 A1A2 FF"), &s));
    tl_assert_err(TL_E_WIRE_SHORT, tl_decode_line_since(&e, read_hex(&in, "0000 F801 0000 A1A2"), &s));
}

static void decode_of_a_negotiated_integer_beyond_its_member_is_refused(void **state)
{
    tl_env e = env0;
    input in;
    tl_line_kinds m;

    (void)state;
    e.len[TL_LEN_CRC] = 5;
    tl_assert_err(TL_E_USAGE, tl_decode_line_kinds(&e, read_hex(&in, line_hex), &m));
    assert_int_equal(m.a, 0);
    assert_true(in.r.bad);
    e.len[TL_LEN_CRC] = 2;
    tl_assert_ok(tl_decode_line_kinds(&e, read_hex(&in, line_hex), &m));
    assert_int_equal(m.opt, 0x0304);
    e.len[TL_LEN_SLOT] = 2;
    tl_assert_ok(tl_decode_line_kinds(&e, read_hex(&in, line_hex), &m));
    assert_int_equal(m.optb, 0x0201);
}

static void decode_with_a_bad_reader_is_refused(void **state)
{
    input in;
    tl_line_kinds m;

    (void)state;
    read_hex(&in, line_hex)->bad = true;
    memset(&m, 0xAA, sizeof m);
    tl_assert_err(TL_E_WIRE_SHORT, tl_decode_line_kinds(&env0, &in.r, &m));
    assert_int_equal(m.a, 0);
}

/* ---- writing ---- */

static void encode_writes_what_was_read_with_reserved_zero(void **state)
{
    input in;
    tl_line_kinds m = line_message(&in);
    uint8_t out[LINE_SIZE];
    tl_wr w = tl_wr_of(out, sizeof out);

    (void)state;
    tl_assert_ok(tl_encode_line_kinds(&env0, &m, &w));
    assert_int_equal(w.n, LINE_SIZE);
    memset(in.bytes + 36, 0, 3);
    assert_memory_equal(out, in.bytes, LINE_SIZE);
}

static void encode_one_byte_short_of_room_is_refused(void **state)
{
    input in;
    tl_line_kinds m = line_message(&in);

    (void)state;
    tl_assert_ok(write_line(&m, LINE_SIZE));
    for (size_t room = 0; room < LINE_SIZE; room++)
        tl_assert_err(TL_E_ROOM, write_line(&m, room));
}

static void encode_on_an_error_takes_back_only_its_own_bytes(void **state)
{
    input in;
    tl_line_kinds m = line_message(&in);
    uint8_t out[LINE_SIZE];
    tl_wr w = tl_wr_of(out, sizeof out);

    (void)state;
    tl_put(&w, 2, TL_BIG, 0xABCD);
    tl_assert_err(TL_E_ROOM, tl_encode_line_kinds(&env0, &m, &w));
    assert_int_equal(w.n, 2);
    assert_memory_equal(out, ((uint8_t[]){ 0xAB, 0xCD }), 2);
    tl_assert_all(out + 2, 0, 50);
}

static void encode_of_a_value_too_wide_is_refused(void **state)
{
    input in;
    const tl_line_kinds good = line_message(&in);
    tl_line_kinds m;

    (void)state;
#define REFUSED(member, value)                                                                               \
    m = good;                                                                                                \
    m.member = (value);                                                                                      \
    tl_assert_err(TL_E_WIRE_VALUE, write_line(&m, LINE_SIZE));                                               \
    tl_assert_err(TL_E_WIRE_VALUE, write_line(&m, 0));                                                       \
    m.member = (value)-1;                                                                                    \
    tl_assert_ok(write_line(&m, LINE_SIZE))
    REFUSED(a, 0x100);
    REFUSED(b0, 8);
    REFUSED(b4, 16);
    REFUSED(c, 0x10000);
    REFUSED(d, 0x10000);
    REFUSED(e, 0x1000000);
    REFUSED(f, 0x1000000);
    REFUSED(k1, 0x80000000);
    REFUSED(k0, 2);
    REFUSED(optb, 1);
#undef REFUSED
}

static void encode_of_a_span_of_another_length_is_refused(void **state)
{
    input in;
    const tl_line_kinds good = line_message(&in);
    tl_line_kinds m = good;

    (void)state;
    m.raw.n = 4;
    tl_assert_err(TL_E_WIRE_VALUE, write_line(&m, LINE_SIZE));
    m.raw.n = 6;
    tl_assert_err(TL_E_WIRE_VALUE, write_line(&m, LINE_SIZE));
    m.raw = (tl_span){ NULL, 0 };
    tl_assert_err(TL_E_WIRE_VALUE, write_line(&m, LINE_SIZE));
    m = good;
    m.sized = (tl_span){ NULL, 0 };
    tl_assert_err(TL_E_WIRE_VALUE, write_line(&m, LINE_SIZE));
}

static void encode_of_spans_that_their_lengths_cannot_say_is_refused(void **state)
{
    static uint8_t big[70000];
    tl_wr w = tl_wr_counting();
    tl_walk_spans m;

    (void)state;
    memset(&m, 0, sizeof m);
    m.short_one = tl_span_of(big, 255);
    m.long_one = tl_span_of(big, 65535);
    tl_assert_ok(tl_encode_walk_spans(&env0, &m, &w));
    assert_int_equal(w.n, 1 + 255 + 2 + 65535 + 1 + 2);
    m.short_one.n = 256;
    tl_assert_err(TL_E_WIRE_VALUE, tl_encode_walk_spans(&env0, &m, &w));
    w = tl_wr_counting();
    m.short_one.n = 0, m.long_one.n = 65536;
    tl_assert_err(TL_E_WIRE_VALUE, tl_encode_walk_spans(&env0, &m, &w));
    w = tl_wr_counting();
    m.long_one.n = 0, m.count = 3, m.counted = tl_span_of(big, 2);
    tl_assert_err(TL_E_WIRE_VALUE, tl_encode_walk_spans(&env0, &m, &w));
}

static void encode_counting_finds_the_size_and_refuses_the_same(void **state)
{
    input in;
    tl_line_kinds m = line_message(&in);
    tl_wr w = tl_wr_counting();

    (void)state;
    tl_assert_ok(tl_encode_line_kinds(&env0, &m, &w));
    assert_int_equal(w.n, LINE_SIZE);
    m.c = 0x10000;
    tl_assert_err(TL_E_WIRE_VALUE, tl_encode_line_kinds(&env0, &m, &w));
    assert_int_equal(w.n, LINE_SIZE);
    assert_true(w.bad);
}

static void encode_of_an_earlier_version_does_not_look_at_what_it_lacks(void **state)
{
    tl_env e = { .version = 0 };
    tl_wr w = tl_wr_counting();
    tl_line_since m;

    (void)state;
    memset(&m, 0xFF, sizeof m);
    tl_assert_ok(tl_encode_line_since(&e, &m, &w));
    assert_int_equal(w.n, 0);
    e.version = 1;
    tl_assert_err(TL_E_WIRE_VALUE, tl_encode_line_since(&e, &m, &w));
}

static void encode_of_a_negotiated_integer_beyond_its_member_is_refused(void **state)
{
    tl_env e = env0;
    input in;
    tl_line_kinds m = line_message(&in);
    tl_wr w = tl_wr_counting();

    (void)state;
    e.len[TL_LEN_SLOT] = 5;
    tl_assert_err(TL_E_USAGE, tl_encode_line_kinds(&e, &m, &w));
    assert_int_equal(w.n, 0);
    assert_true(w.bad);
}

static void encode_with_a_bad_writer_changes_nothing(void **state)
{
    input in;
    tl_line_kinds m = line_message(&in);
    uint8_t out[LINE_SIZE] = { 0xEE };
    tl_wr w = tl_wr_of(out, sizeof out);

    (void)state;
    w.bad = true;
    tl_assert_err(TL_E_ROOM, tl_encode_line_kinds(&env0, &m, &w));
    assert_int_equal(out[0], 0xEE);
    assert_int_equal(w.n, 0);
}

/* ---- lists ---- */

static void each_gives_every_element_then_ends_clean(void **state)
{
    input in;
    tl_line_nothing m;
    unsigned count = 0;

    (void)state;
    (void)read_hex(&in, "A1A2 00000001 B1B2 00000002 C1C2 00000003");
    while (tl_each_line_nothing(&in.r, &env0, &m))
        assert_int_equal(m.optb, ++count);
    assert_int_equal(count, 3);
    assert_true(tl_rd_end(&in.r));
    assert_false(tl_each_line_nothing(&in.r, &env0, &m));
    assert_false(in.r.bad);
}

static void each_of_a_broken_last_element_is_bad(void **state)
{
    input in;
    tl_line_nothing m;

    (void)state;
    (void)read_hex(&in, "A1A2 00000001 B1B2 000000");
    assert_true(tl_each_line_nothing(&in.r, &env0, &m));
    assert_false(tl_each_line_nothing(&in.r, &env0, &m));
    assert_true(in.r.bad);
    assert_false(tl_rd_end(&in.r));
    assert_int_equal(m.optb, 0);
    assert_false(tl_each_line_nothing(&in.r, &env0, &m));
}

static void each_of_elements_without_bytes_ends_bad(void **state)
{
    tl_env e = { .version = 0 };
    input in;
    tl_line_nothing m;

    (void)state;
    assert_false(tl_each_line_nothing(read_hex(&in, "A1"), &e, &m));
    assert_true(in.r.bad);
    assert_false(tl_each_line_nothing(read_hex(&in, ""), &e, &m));
    assert_true(tl_rd_end(&in.r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode_reads_every_kind),
        cmocka_unit_test(decode_reads_every_span),
        cmocka_unit_test(decode_of_a_later_version_reads_what_it_adds),
        cmocka_unit_test(decode_of_an_earlier_version_leaves_out_what_it_lacks),
        cmocka_unit_test(decode_of_a_body_leaves_the_trailer),
        cmocka_unit_test(decode_of_any_shorter_input_is_refused_and_zero),
        cmocka_unit_test(decode_of_a_longer_input_leaves_the_rest),
        cmocka_unit_test(decode_of_lengths_that_lie_is_refused),
        cmocka_unit_test(decode_of_bits_that_no_row_names_is_refused_and_zero),
        cmocka_unit_test(decode_of_a_negotiated_integer_beyond_its_member_is_refused),
        cmocka_unit_test(decode_with_a_bad_reader_is_refused),
        cmocka_unit_test(encode_writes_what_was_read_with_reserved_zero),
        cmocka_unit_test(encode_one_byte_short_of_room_is_refused),
        cmocka_unit_test(encode_on_an_error_takes_back_only_its_own_bytes),
        cmocka_unit_test(encode_of_a_value_too_wide_is_refused),
        cmocka_unit_test(encode_of_a_span_of_another_length_is_refused),
        cmocka_unit_test(encode_of_spans_that_their_lengths_cannot_say_is_refused),
        cmocka_unit_test(encode_counting_finds_the_size_and_refuses_the_same),
        cmocka_unit_test(encode_of_an_earlier_version_does_not_look_at_what_it_lacks),
        cmocka_unit_test(encode_of_a_negotiated_integer_beyond_its_member_is_refused),
        cmocka_unit_test(encode_with_a_bad_writer_changes_nothing),
        cmocka_unit_test(each_gives_every_element_then_ends_clean),
        cmocka_unit_test(each_of_a_broken_last_element_is_bad),
        cmocka_unit_test(each_of_elements_without_bytes_ends_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
