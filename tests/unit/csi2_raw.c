/* RAW packing: the bytes the Linux pixel format documents show, a bit-by-bit reference, and refusals. */
#include <string.h>

#include <trueline/csi2.h>

#include "testing.h"

enum { PIXELS = 168, GUARD = 0xA5 };

static const struct {
    unsigned bits, samples, bytes;
} groups[] = { { 8, 1, 1 }, { 10, 4, 5 }, { 12, 2, 3 }, { 14, 4, 7 } };
enum { GROUPS = sizeof groups / sizeof groups[0] };

static void set_bit(uint8_t *bytes, size_t bit, unsigned value)
{
    bytes[bit / 8] |= (uint8_t)(value << bit % 8);
}

/* Each bit of each sample to its place: the upper eight into the sample's byte, the others one behind the other into
 * the bytes behind those. */
static void reference_pack(size_t g, const uint16_t *samples, size_t pixels, uint8_t *out)
{
    const unsigned low_bits = groups[g].bits - 8;
    for (size_t i = 0; i < pixels; i++) {
        uint8_t *group = out + i / groups[g].samples * groups[g].bytes;
        const size_t in_group = i % groups[g].samples;
        for (unsigned bit = 0; bit < groups[g].bits; bit++) {
            const unsigned value = samples[i] >> bit & 1u;
            if (bit >= low_bits)
                set_bit(group, 8 * in_group + bit - low_bits, value);
            else
                set_bit(group, 8 * groups[g].samples + low_bits * in_group + bit, value);
        }
    }
}

static void check(unsigned bits, const uint16_t *samples, size_t pixels, const uint8_t *expected, size_t n)
{
    uint8_t line[8];
    uint16_t back[4];

    assert_int_equal(tl_raw_line_bytes(bits, pixels), n);
    tl_assert_ok(tl_raw_pack(bits, samples, pixels, line));
    assert_memory_equal(line, expected, n);
    tl_assert_ok(tl_raw_unpack(bits, tl_span_of(line, n), back, pixels));
    assert_memory_equal(back, samples, pixels * sizeof back[0]);
}

static void raw8_then_the_samples_themselves(void **unused)
{
    const uint16_t samples[] = { 0x00, 0x7F, 0xFF };
    const uint8_t expected[] = { 0x00, 0x7F, 0xFF };
    (void)unused;
    check(8, samples, 3, expected, sizeof expected);
}

static void raw10_then_bytes_of_pixfmt_srggb10p(void **unused)
{
    const uint16_t samples[] = { 0x155, 0x2AA, 0x3FF, 0x000 };
    const uint8_t expected[] = { 0x55, 0xAA, 0xFF, 0x00, /* P4..P1: */ 0 << 6 | 3 << 4 | 2 << 2 | 1 };
    (void)unused;
    check(10, samples, 4, expected, sizeof expected);
}

static void raw12_then_bytes_of_pixfmt_srggb12p(void **unused)
{
    const uint16_t samples[] = { 0xABC, 0x123 };
    const uint8_t expected[] = { 0xAB, 0x12, 0x3C };
    (void)unused;
    check(12, samples, 2, expected, sizeof expected);
}

static void raw14_then_bytes_of_pixfmt_srggb14p(void **unused)
{
    const uint16_t samples[] = { 0x3FFF, 0x0001, 0x0010, 0x2AAA };
    const uint8_t expected[] = { 0xFF,           0x00, 0x00, 0xAA, 0x1 << 6 | 0x3F, /* P2[1:0] P1[5:0] */
                                 0x0 << 4 | 0x0,                                    /* P3[3:0] P2[5:2] */
                                 0x2A << 2 | 0x1 };                                 /* P4[5:0] P3[5:4] */
    (void)unused;
    check(14, samples, 4, expected, sizeof expected);
}

static void pack_of_random_lines_then_as_bit_by_bit(void **unused)
{
    tl_rng rng = tl_random_start(__func__);
    (void)unused;
    for (size_t g = 0; g < GROUPS; g++) {
        for (size_t pixels = groups[g].samples; pixels <= PIXELS; pixels += groups[g].samples) {
            uint16_t samples[PIXELS], back[PIXELS + 1];
            uint8_t expected[2 * PIXELS] = { 0 }, line[2 * PIXELS];
            const size_t n = tl_raw_line_bytes(groups[g].bits, pixels);

            tl_random_fill(&rng, samples, sizeof samples); /* all 16 bits: the upper ones must be ignored */
            memset(line, GUARD, sizeof line);
            memset(back, GUARD, sizeof back);
            reference_pack(g, samples, pixels, expected);
            assert_int_equal(n, pixels / groups[g].samples * groups[g].bytes);
            tl_assert_ok(tl_raw_pack(groups[g].bits, samples, pixels, line));
            assert_memory_equal(line, expected, n);
            tl_assert_all(line + n, GUARD, sizeof line - n);

            tl_assert_ok(tl_raw_unpack(groups[g].bits, tl_span_of(line, n), back, pixels));
            for (size_t i = 0; i < pixels; i++)
                assert_int_equal(back[i], samples[i] & ((1u << groups[g].bits) - 1));
            assert_int_equal(back[pixels], GUARD << 8 | GUARD);
        }
    }
}

static void line_bytes_when_bits_are_not_packed_here_then_zero(void **unused)
{
    (void)unused;
    for (unsigned bits = 0; bits < 40; bits++) {
        if (bits != 8 && bits != 10 && bits != 12 && bits != 14)
            assert_int_equal(tl_raw_line_bytes(bits, 168), 0);
    }
}

static void line_bytes_when_pixels_are_no_multiple_of_the_group_then_zero(void **unused)
{
    (void)unused;
    for (size_t g = 0; g < GROUPS; g++) {
        for (size_t pixels = 0; pixels < 64; pixels++) {
            const size_t n = tl_raw_line_bytes(groups[g].bits, pixels);
            assert_int_equal(n == 0, pixels == 0 || pixels % groups[g].samples != 0);
        }
    }
}

static void line_bytes_when_they_do_not_fit_a_size_then_zero(void **unused)
{
    (void)unused;
    assert_int_equal(tl_raw_line_bytes(8, SIZE_MAX), SIZE_MAX);
    for (size_t g = 1; g < GROUPS; g++)
        assert_int_equal(tl_raw_line_bytes(groups[g].bits, SIZE_MAX - 3), 0);
}

static void pack_when_bits_or_pixels_do_not_fit_then_refused(void **unused)
{
    const struct {
        unsigned bits;
        size_t pixels;
    } wrong[] = { { 0, 8 },  { 9, 8 },  { 16, 8 }, { 8, 0 }, { 10, 0 },
                  { 10, 5 }, { 10, 6 }, { 12, 3 }, { 14, 2 } };
    (void)unused;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint16_t samples[8] = { 0 }, back[8] = { 1 };
        uint8_t line[16] = { 1 };
        tl_assert_err(TL_E_USAGE, tl_raw_pack(wrong[i].bits, samples, wrong[i].pixels, line));
        assert_int_equal(line[0], 1);
        for (size_t n = 0; n <= sizeof line; n++)
            tl_assert_err(TL_E_USAGE,
                          tl_raw_unpack(wrong[i].bits, tl_span_of(line, n), back, wrong[i].pixels));
        assert_int_equal(back[0], 1);
    }
}

static void unpack_when_the_line_has_another_length_then_refused(void **unused)
{
    (void)unused;
    for (size_t g = 0; g < GROUPS; g++) {
        uint8_t line[32] = { 0 };
        uint16_t back[16] = { 1 };
        const size_t fits = tl_raw_line_bytes(groups[g].bits, 16);
        for (size_t n = 0; n <= sizeof line; n++) {
            if (n != fits)
                tl_assert_err(TL_E_USAGE, tl_raw_unpack(groups[g].bits, tl_span_of(line, n), back, 16));
        }
        assert_int_equal(back[0], 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw8_then_the_samples_themselves),
        cmocka_unit_test(raw10_then_bytes_of_pixfmt_srggb10p),
        cmocka_unit_test(raw12_then_bytes_of_pixfmt_srggb12p),
        cmocka_unit_test(raw14_then_bytes_of_pixfmt_srggb14p),
        cmocka_unit_test(pack_of_random_lines_then_as_bit_by_bit),
        cmocka_unit_test(line_bytes_when_bits_are_not_packed_here_then_zero),
        cmocka_unit_test(line_bytes_when_pixels_are_no_multiple_of_the_group_then_zero),
        cmocka_unit_test(line_bytes_when_they_do_not_fit_a_size_then_zero),
        cmocka_unit_test(pack_when_bits_or_pixels_do_not_fit_then_refused),
        cmocka_unit_test(unpack_when_the_line_has_another_length_then_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
