/* AES-CTR, and GCM's encryption and decryption (SP 800-38D, 7.1 and 7.2, without the tag) in one pass over the text.
 *
 * GHASH's products go between AES's rounds: they use different units of the processor. What is decrypted is hashed at
 * the same time, before it is overwritten; what is encrypted is hashed one chunk later. */
#include "vaes.h"

enum { STEP = 4 * TL__VECTOR }; /* bytes that AES works on at once */

/* Counter blocks whose 32 bits of counter stand in the machine's order, four at a time. */
typedef struct counter {
    __m512i next; /* of the next four blocks */
} counter;

TL__KERNEL counter counter_from(const uint8_t *nonce, uint32_t first)
{
    __m128i block = _mm_insert_epi32(tl__counter_block(nonce, 0), (int)first, 3);
    __m512i place = _mm512_set_epi32(3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0);
    return (counter){ _mm512_add_epi32(_mm512_broadcast_i32x4(block), place) };
}

/* The next four counter blocks, in the standard's order. */
TL__KERNEL __m512i next_blocks(counter *c)
{
    const __m128i last_word_turned = _mm_set_epi8(12, 13, 14, 15, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i four = _mm512_set_epi32(4, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0);
    __m512i blocks = _mm512_shuffle_epi8(c->next, _mm512_broadcast_i32x4(last_word_turned));
    c->next = _mm512_add_epi32(c->next, four);
    return blocks;
}

/* What a step hashes meanwhile: four vectors at p, of which `y` is added to the first, with the powers that they meet. */
typedef struct hashed {
    const uint8_t *p;
    const uint8_t *power;
    __m128i y;
    tl__sums s;
} hashed;

TL__KERNEL void hash_vector(hashed *h, size_t i)
{
    __m512i x = tl__reverse4(tl__load4(h->p + i * TL__VECTOR));
    if (i == 0)
        x = _mm512_xor_si512(x, _mm512_zextsi128_si512(h->y));
    tl__add_product(&h->s, x, tl__load4(h->power + i * TL__VECTOR));
}

/* 256 bytes of text. `h` may be NULL: nothing is hashed. */
TL__KERNEL void crypt_step(unsigned rounds, const __m512i *round, counter *c, uint8_t *text, hashed *h)
{
    __m512i x[4];
    TL__UNROLL for (unsigned i = 0; i < 4; i++) x[i] = _mm512_xor_si512(next_blocks(c), round[0]);
    TL__UNROLL for (unsigned r = 1; r < rounds; r++)
    {
        TL__UNROLL for (unsigned i = 0; i < 4; i++) x[i] = _mm512_aesenc_epi128(x[i], round[r]);
        if (h != NULL && r % 2 == 1 && r / 2 < 4)
            hash_vector(h, r / 2);
    }
    TL__UNROLL for (unsigned i = 0; i < 4; i++)
    {
        __m512i last = _mm512_xor_si512(round[rounds], tl__load4(text + i * TL__VECTOR));
        _mm512_storeu_si512(text + i * TL__VECTOR, _mm512_aesenclast_epi128(x[i], last));
    }
}

/* Fewer than 1024 bytes. */
TL__KERNEL void crypt_rest(unsigned rounds, const __m512i *round, counter *c, uint8_t *text, size_t n)
{
    for (size_t i = 0; i < n; i += TL__VECTOR) {
        __m512i x = _mm512_xor_si512(next_blocks(c), round[0]);
        TL__UNROLL for (unsigned r = 1; r < rounds; r++) x = _mm512_aesenc_epi128(x, round[r]);
        size_t some = n - i < TL__VECTOR ? n - i : TL__VECTOR;
        __m512i last = _mm512_xor_si512(round[rounds], tl__load_some(text + i, some));
        _mm512_mask_storeu_epi8(text + i, ~0ULL >> (TL__VECTOR - some), _mm512_aesenclast_epi128(x, last));
    }
}

/* A chunk of text is encrypted or decrypted while a chunk at `hash` is hashed: y goes on over that one. */
TL__KERNEL __m128i crypt_chunk(unsigned rounds, const tl__vaes_key *key, counter *c, uint8_t *text,
                               const uint8_t *hash, __m128i y)
{
    hashed h = { hash, tl__powers(key, TL__CHUNK / TL__BLOCK), y, tl__sums_zero() };
    for (size_t i = 0; i < TL__CHUNK; i += STEP) {
        crypt_step(rounds, key->round, c, text + i, &h);
        h.p += STEP;
        h.power += STEP;
        h.y = _mm_setzero_si128();
    }
    return tl__reduce(&h.s);
}

TL__KERNEL void seal(unsigned rounds, const tl__vaes_key *key, uint8_t y[TL__BLOCK], const tl__gcm *t)
{
    counter c = counter_from(t->nonce, 2);
    __m128i sum = tl__reverse(tl__load(y));
    uint8_t *text = t->text;
    size_t n = t->text_n;
    if (n >= TL__CHUNK) {
        for (size_t i = 0; i < TL__CHUNK; i += STEP)
            crypt_step(rounds, key->round, &c, text + i, NULL);
        for (n -= TL__CHUNK; n >= TL__CHUNK; n -= TL__CHUNK, text += TL__CHUNK)
            sum = crypt_chunk(rounds, key, &c, text + TL__CHUNK, text, sum);
        crypt_rest(rounds, key->round, &c, text + TL__CHUNK, n);
        sum = tl__hash_chunk(key, sum, text);
        text += TL__CHUNK;
    } else {
        crypt_rest(rounds, key->round, &c, text, n);
    }
    tl__store(y, tl__reverse(tl__hash_rest(key, sum, tl_span_of(text, n))));
}

TL__KERNEL void open(unsigned rounds, const tl__vaes_key *key, uint8_t y[TL__BLOCK], const tl__gcm *t)
{
    counter c = counter_from(t->nonce, 2);
    __m128i sum = tl__reverse(tl__load(y));
    uint8_t *text = t->text;
    size_t n = t->text_n;
    for (; n >= TL__CHUNK; n -= TL__CHUNK, text += TL__CHUNK)
        sum = crypt_chunk(rounds, key, &c, text, text, sum);
    sum = tl__hash_rest(key, sum, tl_span_of(text, n));
    crypt_rest(rounds, key->round, &c, text, n);
    tl__store(y, tl__reverse(sum));
}

TL__KERNEL void ctr(unsigned rounds, const tl__vaes_key *key, const tl__gcm *t)
{
    counter c = counter_from(t->nonce, 2);
    size_t i = 0;
    for (; t->text_n - i >= STEP; i += STEP)
        crypt_step(rounds, key->u.ctr_round, &c, t->text + i, NULL);
    crypt_rest(rounds, key->u.ctr_round, &c, t->text + i, t->text_n - i);
}

void tl__vaes_gcm_seal(const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text)
{
    const tl__vaes_key *key = state;
    TL__BY_ROUNDS(key, seal, key, y, text);
}

void tl__vaes_gcm_open(const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text)
{
    const tl__vaes_key *key = state;
    TL__BY_ROUNDS(key, open, key, y, text);
}

void tl__vaes_ctr(const void *state, const tl__gcm *text)
{
    const tl__vaes_key *key = state;
    TL__BY_ROUNDS(key, ctr, key, text);
}
