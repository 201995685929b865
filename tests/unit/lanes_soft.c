/* What vectors do not reach in the portable level: products where the most carries gather, the multiplication
 * that processors of 32 bits use, and planes that come back as the blocks they were. */
#include "testing.h"

#include "soft/soft.h"
#include "soft/wide.h"

#include <string.h>

/* GHASH's product to the letter of SP 800-38D, 6.3: bit i of a block is bit 7 - i % 8 of its byte i / 8. */
static void multiply_by_bits(uint8_t y[16], const uint8_t h[16])
{
    uint8_t z[16] = { 0 }, v[16];
    memcpy(v, h, 16);
    for (size_t i = 0; i < 128; i++) {
        unsigned lost = v[15] & 1;
        for (size_t j = 0; (y[i / 8] >> (7 - i % 8) & 1) != 0 && j < 16; j++)
            z[j] ^= v[j];
        for (size_t j = 16; j-- > 1;)
            v[j] = (uint8_t)(v[j] >> 1 | v[j - 1] << 7);
        v[0] = (uint8_t)(v[0] >> 1 ^ lost * 0xE1);
    }
    memcpy(y, z, 16);
}

static void check_product(const uint8_t h[16], const uint8_t block[16])
{
    uint8_t y[16] = { 0 }, expected[16];
    tl__ghash_key k;
    tl__ghash_load(&k, h);
    tl__ghash_blocks(&k, y, block, 1);
    memcpy(expected, block, 16);
    multiply_by_bits(expected, h);
    assert_memory_equal(y, expected, 16);
}

/* A block of one byte throughout, with one bit turned over; bits from 128 on turn nothing. */
static void patterned(uint8_t block[16], uint8_t byte, size_t bit)
{
    memset(block, byte, 16);
    if (bit < 128)
        block[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
}

static void ghash_when_bits_are_dense_then_carries_do_not_spill(void **s)
{
    static const uint8_t bytes[] = { 0xFF, 0xEE, 0x11, 0x88, 0x00, 0x80, 0x7F };
    uint8_t h[16], block[16];
    (void)s;
    for (size_t i = 0; i < sizeof bytes; i++)
        for (size_t j = 0; j < sizeof bytes; j++)
            for (size_t bit = 0; bit <= 128; bit++) {
                patterned(h, bytes[i], 128);
                patterned(block, bytes[j], bit);
                check_product(h, block);
                check_product(block, h);
            }
}

static void ghash_when_random_then_as_by_bits(void **s)
{
    tl_rng rng = tl_random_start("ghash");
    uint8_t h[16], block[16];
    (void)s;
    for (size_t i = 0; i < 2000; i++) {
        tl_random_fill(&rng, h, sizeof h);
        tl_random_fill(&rng, block, sizeof block);
        check_product(h, block);
    }
}

static void ghash_when_blocks_follow_then_as_one_by_one(void **s)
{
    uint8_t h[16], data[64], y[16] = { 0 }, expected[16] = { 0 };
    tl_rng rng = tl_random_start("ghash");
    tl__ghash_key k;
    (void)s;
    tl_random_fill(&rng, h, sizeof h);
    tl_random_fill(&rng, data, sizeof data);
    tl__ghash_load(&k, h);
    tl__ghash_blocks(&k, y, data, 0);
    tl_assert_all(y, 0, sizeof y);
    tl__ghash_blocks(&k, y, data, 4);
    for (size_t i = 0; i < 64; i++) {
        expected[i % 16] ^= data[i];
        if (i % 16 == 15)
            multiply_by_bits(expected, h);
    }
    assert_memory_equal(y, expected, sizeof y);
}

static void multiply_halves_when_compared_then_is_the_whole_product(void **s)
{
    static const uint64_t edges[] = { 0, 1, 0xFFFFFFFF, 0x100000000, 0x8000000000000000, UINT64_MAX };
    enum { EDGES = sizeof edges / sizeof *edges };
    tl_rng rng = tl_random_start("multiply");
    (void)s;
    assert_true(tl__multiply_halves(UINT64_MAX, UINT64_MAX).high == UINT64_MAX - 1);
    assert_true(tl__multiply_halves(UINT64_MAX, UINT64_MAX).low == 1);
    for (size_t i = 0; i < 2000; i++) {
        uint64_t x = i < EDGES * EDGES ? edges[i / EDGES] : tl_random_next(&rng);
        uint64_t y = i < EDGES * EDGES ? edges[i % EDGES] : tl_random_next(&rng);
        tl__wide a = tl__multiply(x, y), b = tl__multiply_halves(x, y);
        assert_true(a.high == b.high && a.low == b.low && a.low == x * y);
    }
}

static void planes_when_turned_twice_then_blocks_come_back(void **s)
{
    tl_rng rng = tl_random_start("planes");
    uint8_t block[TL__LANES][16], back[16];
    tl__planes p;
    (void)s;
    tl_random_fill(&rng, block, sizeof block);
    for (size_t lane = 0; lane < TL__LANES; lane++)
        tl__planes_put(&p, lane, block[lane]);
    tl__planes_turn(&p);
    for (size_t lane = 0; lane < TL__LANES; lane++)
        for (size_t i = 0; i < 128; i++) {
            static const size_t row_at[4] = { 0, 2, 1, 3 };
            size_t byte = i / 8, bit = i % 8;
            uint64_t word = p.w[4 * bit + row_at[byte % 4]];
            assert_int_equal(word >> (16 * (byte / 4) + lane) & 1, block[lane][byte] >> bit & 1);
        }
    tl__planes_turn(&p);
    for (size_t lane = 0; lane < TL__LANES; lane++) {
        tl__planes_get(&p, lane, back);
        assert_memory_equal(back, block[lane], sizeof back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ghash_when_bits_are_dense_then_carries_do_not_spill),
        cmocka_unit_test(ghash_when_random_then_as_by_bits),
        cmocka_unit_test(ghash_when_blocks_follow_then_as_one_by_one),
        cmocka_unit_test(multiply_halves_when_compared_then_is_the_whole_product),
        cmocka_unit_test(planes_when_turned_twice_then_blocks_come_back),
    };
    return cmocka_run_group_tests_name("lanes_soft", tests, NULL, NULL);
}
