/* CRC-16 and CRC-32 by folding 512-bit vectors (fold.h); eight at once, since a product takes eight times as long as it
 * keeps its unit.
 *
 * The data is taken from its end: what is no whole vector stands at its beginning, with zeros before it, which a checksum
 * does not notice while its register is zero. The register that is gone on from is added to the first four bytes. */
#include "vaes.h"

#include "reduce.h"

enum {
    WIDE = 8,
    WIDE_BYTES = WIDE * TL__VECTOR,
    AHEAD = 8192 /* bytes that are asked for ahead of use: about a line, so that the next one is on its way */
};

TL__KERNEL __m512i fold_key(const uint64_t by[2])
{
    return _mm512_broadcast_i32x4(tl__fold_by(by));
}

TL__KERNEL __m512i fold4(__m512i x, __m512i k, __m512i there)
{
    return tl__xor3(_mm512_clmulepi64_epi128(x, k, 0x00), _mm512_clmulepi64_epi128(x, k, 0x11), there);
}

/* The bytes before the first whole vector, 1 to 63, at a vector's end, with the register on the first of them. What of the
 * register they are too few for is left in *crc, for what comes next. */
static __m512i load_first(const uint8_t *p, size_t n, uint32_t *crc)
{
    __mmask64 at_end = ~0ULL << (TL__VECTOR - n);
    __m512i data = _mm512_maskz_expandloadu_epi8(at_end, p);
    __m512i before = _mm512_maskz_expand_epi8(at_end, _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)*crc)));
    *crc = n < sizeof *crc ? *crc >> 8 * n : 0;
    return _mm512_xor_si512(data, before);
}

/* x folded onto the data, of which there are `vectors` whole ones, at least eight; those are taken off. */
static __m512i fold_wide(__m512i x, const uint8_t **p, size_t *vectors, const tl__fold *f)
{
    const __m512i k = fold_key(f->by_4096), next = fold_key(f->by_512);
    __m512i wide[WIDE];
    TL__UNROLL for (unsigned i = 0; i < WIDE; i++) wide[i] = tl__load4(*p + i * TL__VECTOR);
    wide[0] = _mm512_xor_si512(wide[0], x);
    for (*p += WIDE_BYTES, *vectors -= WIDE; *vectors >= WIDE; *p += WIDE_BYTES, *vectors -= WIDE) {
        TL__UNROLL for (unsigned i = 0; i < WIDE; i++)
            _mm_prefetch((const char *)*p + AHEAD + i * TL__VECTOR, _MM_HINT_T0);
        TL__UNROLL for (unsigned i = 0; i < WIDE; i++) wide[i] =
            fold4(wide[i], k, tl__load4(*p + i * TL__VECTOR));
    }
    TL__UNROLL for (unsigned i = 1; i < WIDE; i++) wide[i] = fold4(wide[i - 1], next, wide[i]);
    return wide[WIDE - 1];
}

/* The four parts of a vector onto its last one. */
static __m128i fold_parts(__m512i x, const tl__fold *f)
{
    __m512i k = _mm512_zextsi128_si512(tl__fold_by(f->by_384));
    k = _mm512_inserti32x4(k, tl__fold_by(f->by_256), 1);
    k = _mm512_inserti32x4(k, tl__fold_by(f->by_128), 2);
    __m512i last = _mm512_maskz_mov_epi64(0xC0, x);
    return tl__sum4(fold4(x, k, last));
}

static uint32_t checksum(uint32_t crc, tl_span data, const tl__fold *f)
{
    const uint8_t *p = data.p;
    size_t vectors = data.n / TL__VECTOR, first = data.n % TL__VECTOR;
    const __m512i next = fold_key(f->by_512);
    __m512i x = _mm512_setzero_si512();
    if (data.n == 0)
        return crc;
    if (first != 0) {
        x = load_first(p, first, &crc);
        p += first;
    }
    __m512i register_left = _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)crc));
    if (vectors != 0) {
        /* Zeros onto nothing cost a product, a branch on `first` would cost no less. */
        x = fold4(x, next, register_left);
        crc = 0;
    }
    if (vectors >= WIDE) {
        x = fold_wide(x, &p, &vectors, f);
    } else if (vectors != 0) {
        x = _mm512_xor_si512(x, tl__load4(p));
        p += TL__VECTOR;
        vectors--;
    }
    for (; vectors != 0; vectors--, p += TL__VECTOR)
        x = fold4(x, next, tl__load4(p));
    return tl__fold_end(fold_parts(x, f), f) ^ crc;
}

uint16_t tl__vaes_crc16(uint16_t crc, tl_span data)
{
    return (uint16_t)checksum(crc, data, &tl__fold_crc16);
}

uint32_t tl__vaes_crc32(uint32_t crc, tl_span data)
{
    return ~checksum(~crc, data, &tl__fold_crc32);
}
