/* Embedded data lines: bytes written out by hand, round trips with and without pads, and everything a line can be
 * refused for. */
#include <string.h>

#include <trueline/csi2.h>

#include "testing.h"

enum { ROOM = 40 };

static const unsigned all_bits[] = { 8, 10, 12 };
enum { BITS = sizeof all_bits / sizeof all_bits[0] };

static const tl_embedded_register three[] = { { 0x0340, 0x11 }, { 0x0341, 0x22 }, { 0x1000, 0x33 } };

static void assert_same(const tl_embedded_register *a, const tl_embedded_register *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(a[i].address, b[i].address);
        assert_int_equal(a[i].value, b[i].value);
    }
}

/* Writes `three` as `bits` and expects the line of these digits; reads it back. */
static void check_three(unsigned bits, const char *digits)
{
    uint8_t expected[64], line[64];
    tl_embedded_register got[ROOM];
    size_t count;
    const size_t n = tl_hex(digits, expected, sizeof expected);

    tl_assert_ok(tl_embedded_write(bits, three, 3, line, n));
    assert_memory_equal(line, expected, n);
    tl_assert_ok(tl_embedded_read(bits, tl_span_of(line, n), got, ROOM, &count));
    assert_int_equal(count, 3);
    assert_same(got, three, 3);
}

static void write_raw8_then_tags_without_pads(void **unused)
{
    (void)unused;
    check_three(8, "0A AA03 A540 5A11 5A22 AA10 A500 5A33 07 0707");
}

static void write_raw10_then_a_pad_behind_every_fourth_byte(void **unused)
{
    (void)unused;
    check_three(10, "0AAA03A5 55 405A115A 55 22AA10A5 55 005A3307 55 07070707 55 07");
}

static void write_raw12_then_a_pad_behind_every_second_byte(void **unused)
{
    (void)unused;
    check_three(12, "0AAA 55 03A5 55 405A 55 115A 55 22AA 55 10A5 55 005A 55 3307 55 0707 55");
}

static void write_when_the_address_passes_its_low_byte_then_no_new_address(void **unused)
{
    const tl_embedded_register registers[] = { { 0x12FF, 1 }, { 0x1300, 2 }, { 0xFFFF, 3 }, { 0x0000, 4 } };
    uint8_t expected[32], line[32];
    const size_t n = tl_hex("0A AA12 A5FF 5A01 5A02 AAFF A5FF 5A03 5A04 07", expected, sizeof expected);
    (void)unused;
    tl_assert_ok(tl_embedded_write(8, registers, 4, line, n));
    assert_memory_equal(line, expected, n);
}

static void write_and_read_of_random_registers_then_the_same(void **unused)
{
    tl_rng rng = tl_random_start(__func__);
    (void)unused;
    for (unsigned round = 0; round < 2000; round++) {
        tl_embedded_register registers[ROOM], got[ROOM];
        uint8_t line[512];
        const unsigned bits = all_bits[tl_random_below(&rng, BITS)];
        const size_t count = tl_random_below(&rng, ROOM + 1);
        const size_t n = sizeof line - tl_random_below(&rng, 64);
        size_t got_count;

        for (size_t i = 0; i < count; i++) { /* one in three follows the one before it */
            const bool follows = i > 0 && tl_random_below(&rng, 3) == 0;
            registers[i].address =
                (uint16_t)(follows ? registers[i - 1].address + 1u : tl_random_next(&rng) & 0xFFFF);
            registers[i].value = (uint8_t)tl_random_next(&rng);
        }
        tl_assert_ok(tl_embedded_write(bits, registers, count, line, n));
        tl_assert_ok(tl_embedded_read(bits, tl_span_of(line, n), got, ROOM, &got_count));
        assert_int_equal(got_count, count);
        assert_same(got, registers, count);
    }
}

static void read_when_a_register_is_skipped_then_the_next_address(void **unused)
{
    uint8_t line[32];
    const size_t n = tl_hex("0A AA12 A5FE 5A01 5500 5A02 07", line, sizeof line);
    const tl_embedded_register expected[] = { { 0x12FE, 1 }, { 0x1300, 2 } };
    tl_embedded_register got[2];
    size_t count;
    (void)unused;
    tl_assert_ok(tl_embedded_read(8, tl_span_of(line, n), got, 2, &count));
    assert_int_equal(count, 2);
    assert_same(got, expected, 2);
}

static void read_when_only_half_an_address_is_set_then_the_other_half_stays(void **unused)
{
    uint8_t line[32];
    const size_t n = tl_hex("0A AA12 A534 5A01 A578 5A02 AA56 5A03 07", line, sizeof line);
    const tl_embedded_register expected[] = { { 0x1234, 1 }, { 0x1278, 2 }, { 0x5679, 3 } };
    tl_embedded_register got[3];
    size_t count;
    (void)unused;
    tl_assert_ok(tl_embedded_read(8, tl_span_of(line, n), got, 3, &count));
    assert_same(got, expected, 3);
}

static void read_when_there_are_no_registers_then_none(void **unused)
{
    size_t count = 9;
    (void)unused;
    tl_assert_ok(tl_embedded_read(8, tl_span_of("\x0A\x07", 2), NULL, 0, &count));
    assert_int_equal(count, 0);
}

static void any_when_bits_are_not_8_10_or_12_then_refused(void **unused)
{
    (void)unused;
    for (unsigned bits = 0; bits < 32; bits++) {
        uint8_t line[32] = { 0 };
        tl_embedded_register got[3];
        size_t count = 9;
        if (bits == 8 || bits == 10 || bits == 12)
            continue;
        tl_assert_err(TL_E_USAGE, tl_embedded_write(bits, three, 3, line, sizeof line));
        tl_assert_err(TL_E_USAGE, tl_embedded_read(bits, tl_span_of("\x0A\x07", 2), got, 3, &count));
        tl_assert_all(line, 0, sizeof line);
        assert_int_equal(count, 0);
    }
}

static void write_when_the_line_is_too_small_then_refused_and_unchanged(void **unused)
{
    const size_t fits[BITS] = { 16, 19, 23 }; /* the last register's 0x07 is the last byte */
    (void)unused;
    for (size_t b = 0; b < BITS; b++) {
        uint8_t line[32];
        memset(line, 0xEE, sizeof line);
        for (size_t n = 0; n < fits[b]; n++)
            tl_assert_err(TL_E_ROOM, tl_embedded_write(all_bits[b], three, 3, line, n));
        tl_assert_all(line, 0xEE, sizeof line);
        tl_assert_ok(tl_embedded_write(all_bits[b], three, 3, line, fits[b]));
        assert_int_equal(line[fits[b] - 1], 0x07);
        tl_assert_all(line + fits[b], 0xEE, sizeof line - fits[b]);
    }
}

static void read_when_there_is_no_room_then_refused_and_unchanged(void **unused)
{
    uint8_t line[32];
    (void)unused;
    tl_assert_ok(tl_embedded_write(10, three, 3, line, sizeof line));
    for (size_t room = 0; room < 3; room++) {
        tl_embedded_register got[3];
        size_t count = 9;
        memset(got, 0xEE, sizeof got);
        tl_assert_err(TL_E_ROOM, tl_embedded_read(10, tl_span_of(line, sizeof line), got, room, &count));
        assert_int_equal(count, 0);
        tl_assert_all(got, 0xEE, sizeof got);
    }
}

static void read_when_cut_before_its_end_then_short(void **unused)
{
    (void)unused;
    for (size_t b = 0; b < BITS; b++) {
        uint8_t line[64];
        tl_embedded_register got[ROOM];
        size_t count = 9, end = sizeof line;

        tl_assert_ok(tl_embedded_write(all_bits[b], three, 3, line, sizeof line));
        while (line[end - 1] == 0x07 || line[end - 1] == 0x55) /* back to the last value, 0x33 */
            end--;
        memset(got, 0xEE, sizeof got);
        for (size_t n = 0; n <= end; n++) {
            tl_assert_err(TL_E_WIRE_SHORT,
                          tl_embedded_read(all_bits[b], tl_span_of(line, n), got, ROOM, &count));
            assert_int_equal(count, 0);
        }
        tl_assert_all(got, 0xEE, sizeof got);
    }
}

static void read_when_a_tag_is_unknown_then_refused(void **unused)
{
    const unsigned known[] = { 0xAA, 0xA5, 0x5A, 0x55, 0x07 };
    (void)unused;
    for (unsigned tag = 0; tag < 256; tag++) {
        uint8_t line[] = { 0x0A, 0x5A, 0x01, (uint8_t)tag, 0x07, 0x07, 0x07 };
        tl_embedded_register got[4];
        size_t count;
        bool is_known = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            is_known |= tag == known[i];
        tl_assert_err(is_known ? TL_OK : TL_E_WIRE_VALUE,
                      tl_embedded_read(8, tl_span_of(line, sizeof line), got, 4, &count));
    }
}

static void read_when_the_start_is_wrong_then_refused(void **unused)
{
    (void)unused;
    for (unsigned start = 0; start < 256; start++) {
        const uint8_t line[] = { (uint8_t)start, 0x07 };
        size_t count;
        tl_assert_err(start == 0x0A ? TL_OK : TL_E_WIRE_VALUE,
                      tl_embedded_read(8, tl_span_of(line, sizeof line), NULL, 0, &count));
    }
}

static void read_when_any_pad_is_wrong_then_refused(void **unused)
{
    const size_t period[BITS] = { 0, 5, 3 };
    (void)unused;
    for (size_t b = 1; b < BITS; b++) {
        uint8_t line[60];
        tl_embedded_register got[ROOM];
        size_t count;
        tl_assert_ok(tl_embedded_write(all_bits[b], three, 3, line, sizeof line));
        for (size_t at = period[b] - 1; at < sizeof line; at += period[b]) {
            for (unsigned bit = 0; bit < 8; bit++) {
                line[at] ^= (uint8_t)(1u << bit);
                tl_assert_err(TL_E_WIRE_VALUE, tl_embedded_read(all_bits[b], tl_span_of(line, sizeof line),
                                                                got, ROOM, &count));
                assert_int_equal(count, 0);
                line[at] ^= (uint8_t)(1u << bit);
            }
        }
    }
}

static void read_when_something_stands_behind_the_end_then_refused(void **unused)
{
    uint8_t line[40];
    tl_embedded_register got[ROOM];
    size_t count;
    (void)unused;
    tl_assert_ok(tl_embedded_write(8, three, 3, line, sizeof line));
    for (size_t at = 16; at < sizeof line; at++) { /* 15 bytes, then the first 0x07 */
        line[at] = 0x5A;
        tl_assert_err(TL_E_WIRE_VALUE, tl_embedded_read(8, tl_span_of(line, sizeof line), got, ROOM, &count));
        line[at] = 0x07;
    }
    tl_assert_ok(tl_embedded_read(8, tl_span_of(line, sizeof line), got, ROOM, &count));
}

static void read_when_pads_are_of_another_width_then_refused(void **unused)
{
    (void)unused;
    for (size_t written = 0; written < BITS; written++) {
        for (size_t read = 0; read < BITS; read++) {
            uint8_t line[60];
            tl_embedded_register got[ROOM];
            size_t count;
            if (read == written)
                continue;
            tl_assert_ok(tl_embedded_write(all_bits[written], three, 3, line, sizeof line));
            tl_assert_err(TL_E_WIRE_VALUE,
                          tl_embedded_read(all_bits[read], tl_span_of(line, sizeof line), got, ROOM, &count));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_raw8_then_tags_without_pads),
        cmocka_unit_test(write_raw10_then_a_pad_behind_every_fourth_byte),
        cmocka_unit_test(write_raw12_then_a_pad_behind_every_second_byte),
        cmocka_unit_test(write_when_the_address_passes_its_low_byte_then_no_new_address),
        cmocka_unit_test(write_and_read_of_random_registers_then_the_same),
        cmocka_unit_test(read_when_a_register_is_skipped_then_the_next_address),
        cmocka_unit_test(read_when_only_half_an_address_is_set_then_the_other_half_stays),
        cmocka_unit_test(read_when_there_are_no_registers_then_none),
        cmocka_unit_test(any_when_bits_are_not_8_10_or_12_then_refused),
        cmocka_unit_test(write_when_the_line_is_too_small_then_refused_and_unchanged),
        cmocka_unit_test(read_when_there_is_no_room_then_refused_and_unchanged),
        cmocka_unit_test(read_when_cut_before_its_end_then_short),
        cmocka_unit_test(read_when_a_tag_is_unknown_then_refused),
        cmocka_unit_test(read_when_the_start_is_wrong_then_refused),
        cmocka_unit_test(read_when_any_pad_is_wrong_then_refused),
        cmocka_unit_test(read_when_something_stands_behind_the_end_then_refused),
        cmocka_unit_test(read_when_pads_are_of_another_width_then_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
