/* What docs/SAFETY.md says of the two checksums: how many wrong bits each notices, whatever their places, at which
 * lengths. A pattern of errors goes unnoticed if the powers of x at its places add up to 0 modulo the polynomial;
 * shifting it does not change that, so one of the places may be 0. */
#include "testing.h"

#include <stdlib.h>
#include <string.h>

enum { CRC32_DEGREE = 32, CRC16_DEGREE = 16, TABLE_BITS = 20 };
static const uint64_t crc32_poly = 0x104C11DB7, crc16_poly = 0x11021;

/* Places up to `n`, and each by its power of x. */
typedef struct powers {
    uint64_t *of;
    uint32_t *slot; /* place + 1; 0: free */
    uint32_t n;
} powers;

static uint64_t times_x(uint64_t a, uint64_t poly, unsigned degree)
{
    a <<= 1;
    return a >> degree & 1 ? a ^ poly : a;
}

static size_t hash(uint64_t value)
{
    return (size_t)(value * 0x9E3779B97F4A7C15u >> (64 - TABLE_BITS));
}

static void make_powers(powers *p, uint64_t poly, unsigned degree, uint32_t n)
{
    p->of = calloc(n + 1, sizeof *p->of);
    p->slot = calloc((size_t)1 << TABLE_BITS, sizeof *p->slot);
    assert_non_null(p->of);
    assert_non_null(p->slot);
    p->n = n;
    p->of[0] = 1;
    for (uint32_t i = 1; i <= n; i++)
        p->of[i] = times_x(p->of[i - 1], poly, degree);
}

static void note(powers *p, uint32_t place)
{
    size_t at = hash(p->of[place]);

    while (p->slot[at] != 0)
        at = (at + 1) & (((size_t)1 << TABLE_BITS) - 1);
    p->slot[at] = place + 1;
}

/* True if a noted place has that power. */
static bool noted(const powers *p, uint64_t power)
{
    for (size_t at = hash(power); p->slot[at] != 0; at = (at + 1) & (((size_t)1 << TABLE_BITS) - 1))
        if (p->of[p->slot[at] - 1] == power)
            return true;
    return false;
}

static void forget(powers *p)
{
    free(p->of);
    free(p->slot);
}

/* The highest place of the first pattern of two that goes unnoticed; 0 if there is none up to n. */
static uint32_t first_of_two(const powers *p)
{
    for (uint32_t i = 1; i <= p->n; i++)
        if (p->of[i] == 1)
            return i;
    return 0;
}

static uint32_t first_of_three(powers *p)
{
    for (uint32_t i = 1; i <= p->n; i++) {
        if (noted(p, p->of[i] ^ 1))
            return i;
        note(p, i);
    }
    return 0;
}

static uint32_t first_of_four(powers *p)
{
    for (uint32_t i = 1; i <= p->n; i++) {
        for (uint32_t j = 1; j < i; j++)
            if (noted(p, p->of[i] ^ p->of[j] ^ 1))
                return i;
        note(p, i);
    }
    return 0;
}

/* Places count from 0, so a pattern with highest place h needs h + 1 bits. */

static void crc32_when_up_to_91639_bits_then_three_wrong_bits_are_noticed(void **s)
{
    (void)s;
    powers p;

    make_powers(&p, crc32_poly, CRC32_DEGREE, 100000);
    assert_int_equal(first_of_two(&p), 0);
    assert_int_equal(first_of_three(&p), 91639);
    forget(&p);
}

static void crc32_when_the_longest_packet_then_two_wrong_bits_are_noticed(void **s)
{
    (void)s;
    powers p;

    make_powers(&p, crc32_poly, CRC32_DEGREE, 65541 * 8);
    assert_int_equal(first_of_two(&p), 0);
    forget(&p);
}

static void crc32_when_up_to_3006_bits_then_four_wrong_bits_are_noticed(void **s)
{
    (void)s;
    powers p;

    make_powers(&p, crc32_poly, CRC32_DEGREE, 3100);
    assert_int_equal(first_of_four(&p), 3006);
    forget(&p);
}

static void crc16_when_up_to_32767_bits_then_three_wrong_bits_are_noticed(void **s)
{
    (void)s;
    powers p;

    make_powers(&p, crc16_poly, CRC16_DEGREE, 40000);
    assert_int_equal(first_of_two(&p), 32767);
    assert_int_equal(first_of_three(&p),
                     0); /* x + 1 divides the polynomial: no odd number of bits goes unnoticed */
    forget(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32_when_up_to_91639_bits_then_three_wrong_bits_are_noticed),
        cmocka_unit_test(crc32_when_the_longest_packet_then_two_wrong_bits_are_noticed),
        cmocka_unit_test(crc32_when_up_to_3006_bits_then_four_wrong_bits_are_noticed),
        cmocka_unit_test(crc16_when_up_to_32767_bits_then_three_wrong_bits_are_noticed),
    };

    return cmocka_run_group_tests_name("crc_distance", tests, NULL, NULL);
}
