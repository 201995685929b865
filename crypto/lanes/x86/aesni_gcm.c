/* GHASH, GMAC, AES-CTR and GCM (SP 800-38D, 6.4, 6.5 and 7) with eight blocks at once.
 *
 * y' = (y + X1) * H^8 + X2 * H^7 + ... + X8 * H needs one reduction for eight products. In GCM they stand between AES's
 * rounds, whose unit is another one; what is encrypted is hashed one step later, what is decrypted in the same step. */
#include "aesni.h"

/* ---- GHASH and tags ---- */

static __m128i hash_blocks(const tl__aesni_key *key, __m128i y, const uint8_t *p, size_t blocks)
{
    for (; blocks >= TL__WIDE; blocks -= TL__WIDE, p += TL__WIDE_BYTES)
        y = tl__hash_few(key, y, p, TL__WIDE);
    return blocks != 0 ? tl__hash_few(key, y, p, blocks) : y;
}

/* The last block filled with zeros. */
static __m128i hash_padded(const tl__aesni_key *key, __m128i y, tl_span data)
{
    size_t whole = data.n / TL__BLOCK, rest = data.n % TL__BLOCK;
    y = hash_blocks(key, y, data.p, whole);
    if (rest == 0)
        return y;
    uint8_t last[TL__BLOCK] = { 0 };
    memcpy(last, data.p + whole * TL__BLOCK, rest);
    return tl__hash_few(key, y, last, 1);
}

void tl__aesni_ghash(const void *state, uint8_t y[TL__BLOCK], const uint8_t *p, size_t blocks)
{
    tl__store(y, tl__turn(hash_blocks(state, tl__turn(tl__load(y)), p, blocks)));
}

/* SP 800-38D's counter block: nonce | counter. */
static inline __m128i counter_block(const uint8_t *nonce, uint32_t counter)
{
    int last;
    memcpy(&last, nonce + 8, sizeof last);
    __m128i x = _mm_insert_epi32(_mm_loadl_epi64((const __m128i *)(const void *)nonce), last, 2);
    return _mm_insert_epi32(x, (int)__builtin_bswap32(counter), 3);
}

/* The block of lengths meets H alone; the sum is hidden under AES(K, nonce | 1). */
static void finish(const tl__aesni_key *key, __m128i y, const uint8_t *nonce, const uint64_t bits[2],
                   uint8_t *tag)
{
    __m128i lengths = _mm_set_epi64x((long long)bits[0], (long long)bits[1]);
    __m128i counter = counter_block(nonce, 1);
    __m128i mask = key->rounds == TL__ROUNDS_128 ? tl__aes_block(key->round, TL__ROUNDS_128, counter)
                                                 : tl__aes_block(key->round, TL__ROUNDS_256, counter);
    tl__sum s = tl__sum_zero();
    tl__sum_add(&s, _mm_xor_si128(y, lengths), key->u.power[TL__WIDE - 1]);
    tl__store(tag, _mm_xor_si128(tl__turn(tl__sum_reduce(&s)), mask));
}

void tl__aesni_gmac(const void *state, const uint8_t *nonce, tl_span data, uint8_t tag[TL_TAG_MAX])
{
    const uint64_t bits[2] = { 8 * (uint64_t)data.n, 0 };
    finish(state, hash_padded(state, _mm_setzero_si128(), data), nonce, bits, tag);
}

void tl__aesni_gcm_tag(const void *state, const uint8_t y[TL__BLOCK], const uint8_t *nonce,
                       const uint64_t bits[2], uint8_t tag[TL_TAG_MAX])
{
    finish(state, tl__turn(tl__load(y)), nonce, bits, tag);
}

/* ---- counter mode ---- */

/* The next counter block, its 32 bits of counter in the machine's order. */
typedef struct counter {
    __m128i next;
} counter;

TL__KERNEL counter counter_from(const uint8_t *nonce, uint32_t first)
{
    return (counter){ _mm_insert_epi32(counter_block(nonce, 0), (int)first, 3) };
}

TL__KERNEL __m128i next_block(counter *c)
{
    __m128i block =
        _mm_shuffle_epi8(c->next, _mm_set_epi8(12, 13, 14, 15, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    c->next = _mm_add_epi32(c->next, _mm_set_epi32(1, 0, 0, 0));
    return block;
}

/* Eight blocks that are hashed meanwhile: y is added to the first. */
typedef struct hashed {
    const uint8_t *p;
    const __m128i *power;
    __m128i y;
    tl__sum s;
} hashed;

TL__KERNEL void hash_block(hashed *h, size_t i)
{
    __m128i x = tl__turn(tl__load(h->p + i * TL__BLOCK));
    if (i == 0)
        x = _mm_xor_si128(x, h->y);
    tl__sum_add(&h->s, x, h->power[i]);
}

/* Eight blocks of text. `h` may be NULL: nothing is hashed. */
TL__KERNEL void crypt_step(unsigned rounds, const __m128i *round, counter *c, uint8_t *text, hashed *h)
{
    __m128i x[TL__WIDE];
    TL__UNROLL for (unsigned i = 0; i < TL__WIDE; i++) x[i] = _mm_xor_si128(next_block(c), round[0]);
    TL__UNROLL for (unsigned r = 1; r < rounds; r++)
    {
        TL__UNROLL for (unsigned i = 0; i < TL__WIDE; i++) x[i] = _mm_aesenc_si128(x[i], round[r]);
        if (h != NULL && r <= TL__WIDE)
            hash_block(h, r - 1);
    }
    TL__UNROLL for (unsigned i = 0; i < TL__WIDE; i++)
    {
        __m128i last = _mm_xor_si128(round[rounds], tl__load(text + i * TL__BLOCK));
        tl__store(text + i * TL__BLOCK, _mm_aesenclast_si128(x[i], last));
    }
}

/* Fewer than eight blocks, the last one whole or not. */
TL__KERNEL void crypt_rest(unsigned rounds, const __m128i *round, counter *c, uint8_t *text, size_t n)
{
    for (; n >= TL__BLOCK; n -= TL__BLOCK, text += TL__BLOCK)
        tl__store(text, _mm_xor_si128(tl__aes_block(round, rounds, next_block(c)), tl__load(text)));
    if (n == 0)
        return;
    uint8_t stream[TL__BLOCK];
    tl__store(stream, tl__aes_block(round, rounds, next_block(c)));
    for (size_t i = 0; i < n; i++)
        text[i] ^= stream[i];
    tl__forget(stream, sizeof stream);
}

/* Eight blocks of text are encrypted or decrypted while eight at `hash` are hashed: y goes on over those. */
TL__KERNEL __m128i crypt_and_hash(unsigned rounds, const tl__aesni_key *key, counter *c, uint8_t *text,
                                  const uint8_t *hash, __m128i y)
{
    hashed h = { hash, key->u.power, y, tl__sum_zero() };
    crypt_step(rounds, key->round, c, text, &h);
    return tl__sum_reduce(&h.s);
}

TL__KERNEL void seal(unsigned rounds, const tl__aesni_key *key, uint8_t *y, const tl__gcm *t)
{
    counter c = counter_from(t->nonce, 2);
    __m128i sum = tl__turn(tl__load(y));
    uint8_t *text = t->text;
    size_t n = t->text_n;
    if (n >= TL__WIDE_BYTES) {
        crypt_step(rounds, key->round, &c, text, NULL);
        for (n -= TL__WIDE_BYTES; n >= TL__WIDE_BYTES; n -= TL__WIDE_BYTES, text += TL__WIDE_BYTES)
            sum = crypt_and_hash(rounds, key, &c, text + TL__WIDE_BYTES, text, sum);
        sum = tl__hash_few(key, sum, text, TL__WIDE);
        text += TL__WIDE_BYTES;
    }
    crypt_rest(rounds, key->round, &c, text, n);
    tl__store(y, tl__turn(hash_padded(key, sum, tl_span_of(text, n))));
}

TL__KERNEL void open(unsigned rounds, const tl__aesni_key *key, uint8_t *y, const tl__gcm *t)
{
    counter c = counter_from(t->nonce, 2);
    __m128i sum = tl__turn(tl__load(y));
    uint8_t *text = t->text;
    size_t n = t->text_n;
    for (; n >= TL__WIDE_BYTES; n -= TL__WIDE_BYTES, text += TL__WIDE_BYTES)
        sum = crypt_and_hash(rounds, key, &c, text, text, sum);
    sum = hash_padded(key, sum, tl_span_of(text, n));
    crypt_rest(rounds, key->round, &c, text, n);
    tl__store(y, tl__turn(sum));
}

TL__KERNEL void ctr(unsigned rounds, const tl__aesni_key *key, const tl__gcm *t)
{
    counter c = counter_from(t->nonce, 2);
    size_t i = 0;
    for (; t->text_n - i >= TL__WIDE_BYTES; i += TL__WIDE_BYTES)
        crypt_step(rounds, key->u.ctr_round, &c, t->text + i, NULL);
    crypt_rest(rounds, key->u.ctr_round, &c, t->text + i, t->text_n - i);
}

void tl__aesni_gcm_seal(const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text)
{
    const tl__aesni_key *key = state;
    TL__BY_ROUNDS(key, seal, key, y, text);
}

void tl__aesni_gcm_open(const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text)
{
    const tl__aesni_key *key = state;
    TL__BY_ROUNDS(key, open, key, y, text);
}

void tl__aesni_ctr(const void *state, const tl__gcm *text)
{
    const tl__aesni_key *key = state;
    TL__BY_ROUNDS(key, ctr, key, text);
}
