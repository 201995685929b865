/* The payload checksum: published values, and the eight-bytes-at-a-time code against one bit at a time. */
#include <trueline/csi2.h>

#include "testing.h"

static uint16_t bitwise(uint16_t crc, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc >> 1 ^ (crc & 1 ? 0x8408 : 0));
    }
    return crc;
}

static void fill(uint8_t *p, size_t n)
{
    uint32_t state = 7;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        p[i] = (uint8_t)(state >> 24);
    }
}

static uint16_t crc_of(const void *p, size_t n)
{
    return tl_csi2_crc16(TL_CSI2_CRC_START, tl_span_of(p, n));
}

static void crc_of_check_string_then_6f91(void **unused)
{
    (void)unused;
    assert_int_equal(crc_of("123456789", 9), 0x6F91);
}

static void crc_of_nothing_then_its_start(void **unused)
{
    (void)unused;
    assert_int_equal(crc_of(NULL, 0), 0xFFFF);
    assert_int_equal(tl_csi2_crc16(0x1234, tl_span_of(NULL, 0)), 0x1234);
}

static void crc_of_example_packets_then_published_values(void **unused)
{
    /* The two payloads that public test benches for CSI-2 check themselves with: the MIPI calculator of
     * cobra_system_control, and a SystemVerilog bench csi2_rx_tb.sv. Both give the same two values. */
    const uint8_t first[] = { 0xFF, 0x00, 0x00, 0x02, 0xB9, 0xDC, 0xF3, 0x72, 0xBB, 0xD4, 0xB8, 0x5A,
                              0xC8, 0x75, 0xC2, 0x7C, 0x81, 0xF8, 0x05, 0xDF, 0xFF, 0x00, 0x00, 0x01 };
    const uint8_t second[] = { 0xFF, 0x00, 0x00, 0x00, 0x1E, 0xF0, 0x1E, 0xC7, 0x4F, 0x82, 0x78, 0xC5,
                               0x82, 0xE0, 0x8C, 0x70, 0xD2, 0x3C, 0x78, 0xE9, 0xFF, 0x00, 0x00, 0x01 };
    (void)unused;
    assert_int_equal(crc_of(first, sizeof first), 0x00F0);
    assert_int_equal(crc_of(second, sizeof second), 0xE569);
}

static void crc_of_data_and_its_crc_then_zero(void **unused)
{
    uint8_t bytes[102];
    (void)unused;
    for (size_t n = 0; n <= 100; n++) {
        fill(bytes, n);
        const uint16_t crc = crc_of(bytes, n);
        bytes[n] = (uint8_t)crc;
        bytes[n + 1] = (uint8_t)(crc >> 8);
        assert_int_equal(crc_of(bytes, n + 2), 0);
    }
}

static void crc_of_every_length_and_offset_then_as_bit_by_bit(void **unused)
{
    uint8_t bytes[616];
    (void)unused;
    fill(bytes, sizeof bytes);
    for (size_t offset = 0; offset < 16; offset++) {
        uint16_t expected = 0xFFFF;
        for (size_t n = 0; n <= 600; n++) {
            assert_int_equal(crc_of(bytes + offset, n), expected);
            expected = bitwise(expected, bytes + offset + n, 1);
        }
    }
}

static void crc_of_every_byte_at_every_place_then_as_bit_by_bit(void **unused)
{
    (void)unused;
    for (unsigned place = 0; place < 8; place++) {
        for (unsigned value = 0; value < 256; value++) {
            uint8_t bytes[8] = { 0 };
            bytes[place] = (uint8_t)value;
            assert_int_equal(tl_csi2_crc16(0, tl_span_of(bytes, 8)), bitwise(0, bytes, 8));
        }
    }
}

static void crc_when_split_then_as_in_one(void **unused)
{
    uint8_t bytes[100];
    (void)unused;
    fill(bytes, sizeof bytes);
    const uint16_t whole = crc_of(bytes, sizeof bytes);
    for (size_t a = 0; a <= sizeof bytes; a++) {
        for (size_t b = a; b <= sizeof bytes; b++) {
            uint16_t crc = crc_of(bytes, a);
            crc = tl_csi2_crc16(crc, tl_span_of(bytes + a, b - a));
            crc = tl_csi2_crc16(crc, tl_span_of(bytes + b, sizeof bytes - b));
            assert_int_equal(crc, whole);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_of_check_string_then_6f91),
        cmocka_unit_test(crc_of_nothing_then_its_start),
        cmocka_unit_test(crc_of_example_packets_then_published_values),
        cmocka_unit_test(crc_of_data_and_its_crc_then_zero),
        cmocka_unit_test(crc_of_every_length_and_offset_then_as_bit_by_bit),
        cmocka_unit_test(crc_of_every_byte_at_every_place_then_as_bit_by_bit),
        cmocka_unit_test(crc_when_split_then_as_in_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
