/* CRC-32 of the footer: the check value, and the same result whatever the pieces and their alignment. */
#include "testing.h"

#include "cse/crc32.h"

static uint32_t slow(uint32_t crc, const uint8_t *p, size_t n)
{
    crc = ~crc;
    while (n-- > 0) {
        crc ^= *p++;
        for (int i = 0; i < 8; i++)
            crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}

static void crc32_when_check_string_then_check_value(void **state)
{
    (void)state;
    assert_int_equal(tl_cse_crc32(0, tl_span_of("123456789", 9)), 0xCBF43926);
    assert_int_equal(tl_cse_crc32(0, tl_span_of(NULL, 0)), 0);
    assert_int_equal(tl_cse_crc32(0x12345678, tl_span_of(NULL, 0)), 0x12345678);
}

static void crc32_when_any_length_and_alignment_then_as_bit_by_bit(void **state)
{
    tl_rng rng = tl_random_start("crc32");
    uint8_t bytes[300];

    (void)state;
    tl_random_fill(&rng, bytes, sizeof bytes);
    for (size_t at = 0; at < 9; at++)
        for (size_t n = 0; n + at <= sizeof bytes; n++)
            assert_int_equal(tl_cse_crc32(0, tl_span_of(bytes + at, n)), slow(0, bytes + at, n));
}

static void crc32_when_taken_in_two_pieces_then_as_in_one(void **state)
{
    tl_rng rng = tl_random_start("crc32 pieces");
    uint8_t bytes[100];

    (void)state;
    tl_random_fill(&rng, bytes, sizeof bytes);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        uint32_t first = tl_cse_crc32(0, tl_span_of(bytes, n));
        assert_int_equal(tl_cse_crc32(first, tl_span_of(bytes + n, sizeof bytes - n)),
                         slow(0, bytes, sizeof bytes));
    }
}

static void crc32_when_one_bit_differs_then_differs(void **state)
{
    uint8_t bytes[64] = { 0 };
    uint32_t zero = tl_cse_crc32(0, tl_span_of(bytes, sizeof bytes));

    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(tl_cse_crc32(0, tl_span_of(bytes, sizeof bytes)), zero);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32_when_check_string_then_check_value),
        cmocka_unit_test(crc32_when_any_length_and_alignment_then_as_bit_by_bit),
        cmocka_unit_test(crc32_when_taken_in_two_pieces_then_as_in_one),
        cmocka_unit_test(crc32_when_one_bit_differs_then_differs),
    };

    return cmocka_run_group_tests_name("cse_crc32", tests, NULL, NULL);
}
