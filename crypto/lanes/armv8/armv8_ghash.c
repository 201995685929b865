/* GHASH (SP 800-38D, 6.4) by PMULL. With the bits of each byte turned around, bit i of a block is the
 * coefficient of x^i, and a product needs no shift: what stands above x^127 comes back as x^7 + x^2 + x + 1
 * times itself. */
#include "armv8.h"

/* A product before it is reduced: high x^128 + middle x^64 + low. */
typedef struct product {
    uint64x2_t high, middle, low;
} product;

static inline uint64x2_t load_block(const uint8_t *p)
{
    return vreinterpretq_u64_u8(vrbitq_u8(vld1q_u8(p)));
}

static inline void store_block(uint8_t *p, uint64x2_t block)
{
    vst1q_u8(p, vrbitq_u8(vreinterpretq_u8_u64(block)));
}

static inline uint64x2_t times(uint64_t a, uint64_t b)
{
    return vreinterpretq_u64_p128(vmull_p64((poly64_t)a, (poly64_t)b));
}

static inline uint64_t sum_of(uint64x2_t a)
{
    return vgetq_lane_u64(a, 0) ^ vgetq_lane_u64(a, 1);
}

/* Karatsuba: the halves' products, and that of their sums; the middle is set right when all are added. */
static inline void add_product(product *to, uint64x2_t a, const tl__armv8_hash *k, size_t power)
{
    const uint64x2_t h = k->power[power - 1];
    to->low = veorq_u64(to->low, times(vgetq_lane_u64(a, 0), vgetq_lane_u64(h, 0)));
    to->high = veorq_u64(to->high, times(vgetq_lane_u64(a, 1), vgetq_lane_u64(h, 1)));
    to->middle = veorq_u64(to->middle, times(sum_of(a), k->sum[power - 1]));
}

static inline uint64x2_t reduce(product p)
{
    const uint64_t back = 0x87;
    uint64x2_t middle = veorq_u64(p.middle, veorq_u64(p.high, p.low)), t;
    uint64_t w0 = vgetq_lane_u64(p.low, 0), w1 = vgetq_lane_u64(p.low, 1) ^ vgetq_lane_u64(middle, 0);
    uint64_t w2 = vgetq_lane_u64(p.high, 0) ^ vgetq_lane_u64(middle, 1), w3 = vgetq_lane_u64(p.high, 1);

    t = times(w3, back);
    w1 ^= vgetq_lane_u64(t, 0);
    w2 ^= vgetq_lane_u64(t, 1);
    return veorq_u64(vcombine_u64(vcreate_u64(w0), vcreate_u64(w1)), times(w2, back));
}

static const product nothing;

void tl__armv8_hash_load(tl__armv8_hash *k, uint8x16_t h)
{
    k->power[0] = vreinterpretq_u64_u8(vrbitq_u8(h));
    k->sum[0] = sum_of(k->power[0]);
    for (size_t i = 1; i < TL__ARMV8_POWERS; i++) {
        product p = nothing;
        add_product(&p, k->power[i - 1], k, 1);
        k->power[i] = reduce(p);
        k->sum[i] = sum_of(k->power[i]);
    }
}

void tl__armv8_hash_blocks(const tl__armv8_hash *k, uint8_t y[TL__BLOCK], const uint8_t *p, size_t blocks)
{
    uint64x2_t sum = load_block(y);
    for (; blocks >= TL__ARMV8_POWERS; blocks -= TL__ARMV8_POWERS, p += TL__ARMV8_POWERS * TL__BLOCK) {
        product all = nothing;
        add_product(&all, veorq_u64(sum, load_block(p)), k, 4);
        add_product(&all, load_block(p + 16), k, 3);
        add_product(&all, load_block(p + 32), k, 2);
        add_product(&all, load_block(p + 48), k, 1);
        sum = reduce(all);
    }
    for (; blocks > 0; blocks--, p += TL__BLOCK) {
        product one = nothing;
        add_product(&one, veorq_u64(sum, load_block(p)), k, 1);
        sum = reduce(one);
    }
    store_block(y, sum);
}
