/* CRC-16 and CRC-32 by folding blocks of 16 bytes (fold.h), four at once.
 *
 * The data is taken from its end: what is no whole block stands at its beginning, with zeros before it, which a checksum
 * does not notice while its register is zero. The register that is gone on from is added to the first four bytes. */
#include "aesni.h"

#include "reduce.h"

enum { FOUR = 4 };

/* The bytes before the first whole block, 1 to 15, at a block's end, with the register on the first of them. What of the
 * register they are too few for is left in *crc, for what comes next. */
static __m128i load_first(const uint8_t *p, size_t n, uint32_t *crc)
{
    uint8_t block[TL__BLOCK + sizeof *crc] = { 0 };
    uint32_t left;
    memcpy(block + TL__BLOCK - n, p, n);
    memcpy(&left, block + TL__BLOCK - n, sizeof left);
    left ^= *crc;
    memcpy(block + TL__BLOCK - n, &left, sizeof left);
    memcpy(crc, block + TL__BLOCK, sizeof *crc);
    return tl__load(block);
}

/* x folded onto the data, of which there are `blocks` whole ones, at least four; those are taken off. */
static __m128i fold_four(__m128i x, const uint8_t **p, size_t *blocks, const tl__fold *f)
{
    const __m128i k = tl__fold_by(f->by_512), next = tl__fold_by(f->by_128);
    __m128i four[FOUR];
    TL__UNROLL for (unsigned i = 0; i < FOUR; i++) four[i] = tl__load(*p + i * TL__BLOCK);
    four[0] = _mm_xor_si128(four[0], x);
    for (*p += FOUR * TL__BLOCK, *blocks -= FOUR; *blocks >= FOUR; *p += FOUR * TL__BLOCK, *blocks -= FOUR) {
        TL__UNROLL for (unsigned i = 0; i < FOUR; i++) four[i] =
            tl__folded(four[i], k, tl__load(*p + i * TL__BLOCK));
    }
    TL__UNROLL for (unsigned i = 1; i < FOUR; i++) four[i] = tl__folded(four[i - 1], next, four[i]);
    return four[FOUR - 1];
}

static uint32_t checksum(uint32_t crc, tl_span data, const tl__fold *f)
{
    const uint8_t *p = data.p;
    size_t blocks = data.n / TL__BLOCK, first = data.n % TL__BLOCK;
    const __m128i next = tl__fold_by(f->by_128);
    __m128i x = _mm_setzero_si128();
    if (data.n == 0)
        return crc;
    if (first != 0) {
        x = load_first(p, first, &crc);
        p += first;
    }
    if (blocks != 0) {
        x = tl__folded(x, next, _mm_cvtsi32_si128((int)crc));
        crc = 0;
    }
    if (blocks >= FOUR) {
        x = fold_four(x, &p, &blocks, f);
    } else if (blocks != 0) {
        x = _mm_xor_si128(x, tl__load(p));
        p += TL__BLOCK;
        blocks--;
    }
    for (; blocks != 0; blocks--, p += TL__BLOCK)
        x = tl__folded(x, next, tl__load(p));
    return tl__fold_end(x, f) ^ crc;
}

uint16_t tl__aesni_crc16(uint16_t crc, tl_span data)
{
    return (uint16_t)checksum(crc, data, &tl__fold_crc16);
}

uint32_t tl__aesni_crc32(uint32_t crc, tl_span data)
{
    return ~checksum(~crc, data, &tl__fold_crc32);
}
