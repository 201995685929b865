/* GHASH and GMAC (SP 800-38D, 6.4 and 7) on 512-bit vectors.
 *
 * y' = (y + X1) * H^n + X2 * H^(n-1) + ... + Xn * H: the powers of H are at hand, so up to 64 blocks are multiplied
 * and added up before one reduction. */
#include "vaes.h"

/* Bytes that are asked for ahead of use. The processor's own guesses end with a page, and behind so many multiplications
 * its loads do not run ahead by themselves; what follows a message is mostly the next one. Asking never faults. Into the
 * second level: the first one's few buffers are for the loads that wait. */
enum { AHEAD = 6144 };

TL__KERNEL void ask_for_chunk(const uint8_t *p)
{
    TL__UNROLL for (size_t i = 0; i < TL__CHUNK; i += TL__VECTOR)
        _mm_prefetch((const char *)p + i, _MM_HINT_T1);
}

/* The same for what is less than a chunk, or the line before would have left a hole in the next one. */
TL__KERNEL void ask_for_rest(tl_span data)
{
    for (size_t i = 0; i < data.n; i += TL__VECTOR)
        _mm_prefetch((const char *)data.p + AHEAD + i, _MM_HINT_T1);
}

static __m128i hash_chunks(const tl__vaes_key *key, __m128i y, tl_span *data)
{
    while (data->n >= TL__CHUNK) {
        ask_for_chunk(data->p + AHEAD);
        y = tl__hash_chunk(key, y, data->p);
        data->p += TL__CHUNK;
        data->n -= TL__CHUNK;
    }
    ask_for_rest(*data);
    return y;
}

void tl__vaes_ghash(const void *state, uint8_t y[TL__BLOCK], const uint8_t *p, size_t blocks)
{
    const tl__vaes_key *key = state;
    tl_span data = { p, blocks * TL__BLOCK };
    __m128i sum = hash_chunks(key, tl__reverse(tl__load(y)), &data);
    tl__store(y, tl__reverse(tl__hash_rest(key, sum, data)));
}

/* The block of lengths, in bits: of the associated data, of the text. */
TL__KERNEL __m128i lengths(uint64_t associated, uint64_t text)
{
    return tl__reverse(
        _mm_set_epi64x((long long)__builtin_bswap64(text), (long long)__builtin_bswap64(associated)));
}

/* The last block of all meets H itself. */
TL__KERNEL __m128i finish(tl__sums *s, const tl__vaes_key *key, __m128i last)
{
    __m128i h = tl__load(tl__powers(key, 1));
    tl__add_product(s, _mm512_zextsi128_si512(last), _mm512_zextsi128_si512(h));
    return tl__reverse(tl__reduce(s));
}

/* The rest of the data and the block of lengths share a reduction. */
void tl__vaes_gmac(const void *state, const uint8_t *nonce, tl_span data, uint8_t tag[TL_TAG_MAX])
{
    const tl__vaes_key *key = state;
    __m128i mask = tl__tag_mask(key, nonce);
    __m128i last = lengths(8 * (uint64_t)data.n, 0);
    __m128i y = hash_chunks(key, _mm_setzero_si128(), &data);
    tl__sums s = tl__sums_zero();
    if (data.n == 0)
        last = _mm_xor_si128(last, y);
    else
        tl__add_rest(&s, key, y, data, 1);
    tl__store(tag, _mm_xor_si128(finish(&s, key, last), mask));
}

void tl__vaes_gcm_tag(const void *state, const uint8_t y[TL__BLOCK], const uint8_t *nonce,
                      const uint64_t bits[2], uint8_t tag[TL_TAG_MAX])
{
    const tl__vaes_key *key = state;
    __m128i mask = tl__tag_mask(key, nonce);
    tl__sums s = tl__sums_zero();
    __m128i last = _mm_xor_si128(lengths(bits[0], bits[1]), tl__reverse(tl__load(y)));
    tl__store(tag, _mm_xor_si128(finish(&s, key, last), mask));
}
