/* GHASH (SP 800-38D, 6.4) by multiplication of integers, without tables.
 *
 * A product without carries comes from products with carries when bits stand far enough apart: of each factor
 * every fourth bit is taken, up to fifteen carries gather in the three zeros beside a bit, and are masked
 * away. Sixteen such bits would be one carry too many, so the highest four bits of one factor are multiplied
 * by shifting.
 *
 * Blocks are read big endian, bit 63 of the first word being the coefficient of 1. Products of words read
 * backwards come out one place off, which the hash key's factor x makes good. */
#include "soft.h"
#include "wide.h"

static uint64_t load_64(const uint8_t *p)
{
    uint64_t v = 0;
    for (size_t i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

static void store_64(uint8_t *p, uint64_t v)
{
    for (size_t i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (56 - 8 * i));
}

/* The sum of four products whose bits stand at the same places modulo four. */
static inline tl__wide four_products(const uint64_t x[4], uint64_t y0, uint64_t y1, uint64_t y2, uint64_t y3)
{
    tl__wide a = tl__multiply(x[0], y0), b = tl__multiply(x[1], y1);
    tl__wide c = tl__multiply(x[2], y2), d = tl__multiply(x[3], y3);
    return (tl__wide){ a.high ^ b.high ^ c.high ^ d.high, a.low ^ b.low ^ c.low ^ d.low };
}

/* Adds y times x^place, if that bit of x is set. */
static inline void add_if(tl__wide *sum, uint64_t x, uint64_t y, unsigned place)
{
    uint64_t set = 0 - (x >> place & 1);
    sum->low ^= y << place & set;
    sum->high ^= y >> (64 - place) & set;
}

static inline tl__wide carryless(uint64_t x, uint64_t y)
{
    const uint64_t m0 = 0x1111111111111111, m1 = m0 << 1, m2 = m0 << 2, m3 = m0 << 3;
    const uint64_t most = x & UINT64_MAX >> 4;
    const uint64_t bits[4] = { most & m0, most & m1, most & m2, most & m3 };
    const uint64_t y0 = y & m0, y1 = y & m1, y2 = y & m2, y3 = y & m3;
    tl__wide at0 = four_products(bits, y0, y3, y2, y1), at1 = four_products(bits, y1, y0, y3, y2);
    tl__wide at2 = four_products(bits, y2, y1, y0, y3), at3 = four_products(bits, y3, y2, y1, y0);
    tl__wide sum = {
        (at0.high & m0) | (at1.high & m1) | (at2.high & m2) | (at3.high & m3),
        (at0.low & m0) | (at1.low & m1) | (at2.low & m2) | (at3.low & m3),
    };
    add_if(&sum, x, y, 60);
    add_if(&sum, x, y, 61);
    add_if(&sum, x, y, 62);
    add_if(&sum, x, y, 63);
    return sum;
}

/* The hash key times x: a step towards higher coefficients, which is to the right; x^128 is x^7 + x^2 + x +
 * 1. What must come out is the product divided by x^127, so the key is stepped back by one, to the left. */
void tl__ghash_load(tl__ghash_key *k, const uint8_t h[16])
{
    uint64_t first = load_64(h), second = load_64(h + 8);
    uint64_t lost = 0 - (first >> 63);
    k->first = (first << 1 | second >> 63) ^ (lost & 0xC200000000000000);
    k->second = second << 1 ^ (lost & 1);
    k->sum = k->first ^ k->second;
}

/* Takes away a low word of a product by adding multiples of the polynomial x^128 + x^127 + x^126 + x^121 + 1,
 * which is GHASH's read backwards: the word moves up by 128 bits, and by 127, 126 and 121. */
static inline void reduce(uint64_t low, uint64_t *next, uint64_t *after)
{
    *next ^= low << 63 ^ low << 62 ^ low << 57;
    *after ^= low ^ low >> 1 ^ low >> 2 ^ low >> 7;
}

void tl__ghash_blocks(const tl__ghash_key *k, uint8_t y[16], const uint8_t *p, size_t blocks)
{
    uint64_t first = load_64(y), second = load_64(y + 8);
    for (; blocks > 0; blocks--, p += 16) {
        first ^= load_64(p);
        second ^= load_64(p + 8);
        tl__wide high = carryless(first, k->first), low = carryless(second, k->second);
        tl__wide middle = carryless(first ^ second, k->sum);
        uint64_t w0 = low.low, w1 = low.high ^ middle.low ^ high.low ^ low.low;
        uint64_t w2 = high.low ^ middle.high ^ high.high ^ low.high, w3 = high.high;
        reduce(w0, &w1, &w2);
        reduce(w1, &w2, &w3);
        first = w3;
        second = w2;
    }
    store_64(y, first);
    store_64(y + 8, second);
}
