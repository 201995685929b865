/* AES-CTR, and GCM's encryption and decryption (SP 800-38D, 7.1 and 7.2) in one pass over the text.
 *
 * AES and GHASH use different units of the processor, so their instructions alternate: what is decrypted is hashed in the
 * same step, what is encrypted in the next one. With AES at work, it is the unit of affine transformations that is
 * short, and not that of shuffles: blocks are turned round for GHASH here (ghash.h), not reversed as in vaes_ghash.c. */
#include "vaes.h"

enum { VECTORS = 4, STEP = VECTORS * TL__VECTOR }; /* what AES works on at once */

typedef enum direction { SEAL, OPEN, CRYPT } direction; /* CRYPT: nothing is hashed */

/* ---- counter blocks ---- */

/* `blocks` are the next four, in the standard's order, whose last word, big endian, counts; `next` is the first one's. */
typedef struct counter {
    __m512i blocks;
    uint32_t next;
} counter;

/* A number in the last word of each of four blocks, as it is. */
TL__KERNEL __m512i last_words(int a, int b, int c, int d)
{
    return _mm512_set_epi32(d, 0, 0, 0, c, 0, 0, 0, b, 0, 0, 0, a, 0, 0, 0);
}

/* n more in the last word of each block, with carries. */
TL__KERNEL __m512i count_on(__m512i blocks, __m512i n)
{
    const __m512i turn =
        _mm512_broadcast_i32x4(_mm_set_epi8(12, 13, 14, 15, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    return _mm512_shuffle_epi8(_mm512_add_epi32(_mm512_shuffle_epi8(blocks, turn), n), turn);
}

TL__KERNEL counter counter_from(const uint8_t *nonce, uint32_t first)
{
    __m512i blocks = _mm512_broadcast_i32x4(tl__counter_block(nonce, first));
    return (counter){ count_on(blocks, last_words(0, 1, 2, 3)), first };
}

TL__KERNEL __m512i next_blocks(counter *c)
{
    __m512i blocks = c->blocks;
    c->blocks = count_on(blocks, last_words(4, 4, 4, 4));
    c->next += 4;
    return blocks;
}

/* The next 16 blocks. Mostly the last byte does not run over, and counting on is one addition to it. */
TL__KERNEL void next_step(counter *c, __m512i blocks[VECTORS])
{
    enum { BYTE = 1 << 24, ROOM = 0xFF - (4 * VECTORS + 3) };
    if ((c->next & 0xFF) <= ROOM) {
        TL__UNROLL for (int i = 0; i < VECTORS; i++) blocks[i] =
            _mm512_add_epi32(c->blocks, last_words(4 * i * BYTE, 4 * i * BYTE, 4 * i * BYTE, 4 * i * BYTE));
        c->blocks = _mm512_add_epi32(c->blocks, last_words(16 * BYTE, 16 * BYTE, 16 * BYTE, 16 * BYTE));
        c->next += 4 * VECTORS;
        return;
    }
    TL__UNROLL for (int i = 0; i < VECTORS; i++) blocks[i] = next_blocks(c);
}

/* ---- a row of blocks, encrypted or decrypted, and hashed ---- */

typedef struct row {
    uint8_t *text;
    const uint8_t *power;  /* that the next vector to be hashed meets */
    __m512i held[VECTORS]; /* what was encrypted and is not hashed yet */
    tl__sums s;
} row;

TL__KERNEL __m512i turn4(__m512i x)
{
    return _mm512_shuffle_epi8(
        x, _mm512_broadcast_i32x4(_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)));
}

TL__KERNEL void hash_pair(row *r, __m512i a, __m512i b)
{
    tl__add_two_products(&r->s, turn4(a), tl__load4(r->power), turn4(b), tl__load4(r->power + TL__VECTOR));
    r->power += 2 * TL__VECTOR;
}

/* 256 bytes. `hash`: with the products of what is decrypted, or of what is held. */
TL__KERNEL void crypt_step(unsigned rounds, direction d, bool hash, const __m512i *round, counter *c, row *r)
{
    __m512i x[VECTORS], in[VECTORS], h[VECTORS];
    next_step(c, x);
    TL__UNROLL for (unsigned i = 0; i < VECTORS; i++)
    {
        in[i] = tl__load4(r->text + i * TL__VECTOR);
        h[i] = d == OPEN ? in[i] : r->held[i];
        x[i] = _mm512_xor_si512(x[i], round[0]);
    }
    TL__UNROLL for (unsigned n = 1; n < rounds; n++)
    {
        TL__UNROLL for (unsigned i = 0; i < VECTORS; i++) x[i] = _mm512_aesenc_epi128(x[i], round[n]);
        if (hash && n == 2)
            hash_pair(r, h[0], h[1]);
        if (hash && n == 6)
            hash_pair(r, h[2], h[3]);
    }
    TL__UNROLL for (unsigned i = 0; i < VECTORS; i++)
    {
        x[i] = _mm512_aesenclast_epi128(x[i], _mm512_xor_si512(round[rounds], in[i]));
        _mm512_storeu_si512(r->text + i * TL__VECTOR, x[i]);
        r->held[i] = x[i];
    }
    r->text += STEP;
}

/* Up to 64 bytes; the last block may be cut. */
TL__KERNEL void crypt_vector(unsigned rounds, direction d, const __m512i *round, counter *c, row *r, size_t n)
{
    const __mmask64 mask = ~0ULL >> (TL__VECTOR - n);
    __m512i in = _mm512_maskz_loadu_epi8(mask, r->text);
    __m512i x = _mm512_xor_si512(next_blocks(c), round[0]);
    TL__UNROLL for (unsigned i = 1; i < rounds; i++) x = _mm512_aesenc_epi128(x, round[i]);
    x = _mm512_maskz_mov_epi8(mask, _mm512_aesenclast_epi128(x, _mm512_xor_si512(round[rounds], in)));
    _mm512_mask_storeu_epi8(r->text, mask, x);
    if (d != CRYPT) {
        size_t whole = (n + TL__BLOCK - 1) / TL__BLOCK * TL__BLOCK;
        tl__add_product(&r->s, turn4(d == SEAL ? x : in), tl__load_some(r->power, whole));
        r->power += whole;
    }
    r->text += n;
}

TL__KERNEL void crypt_row(unsigned rounds, direction d, const __m512i *round, counter *c, row *r, size_t n)
{
    if (n >= STEP) {
        crypt_step(rounds, d, d == OPEN, round, c, r);
        for (n -= STEP; n >= STEP; n -= STEP)
            crypt_step(rounds, d, d != CRYPT, round, c, r);
        if (d == SEAL) {
            hash_pair(r, r->held[0], r->held[1]);
            hash_pair(r, r->held[2], r->held[3]);
        }
    }
    for (; n >= TL__VECTOR; n -= TL__VECTOR)
        crypt_vector(rounds, d, round, c, r, TL__VECTOR);
    if (n != 0)
        crypt_vector(rounds, d, round, c, r, n);
}

/* The sum of the four products modulo the polynomial, as tl__sum_reduce has it for one. */
TL__KERNEL __m128i reduce_turned(const tl__sums *s)
{
    const __m512i zero = _mm512_setzero_si512();
    const __m512i poly = _mm512_set1_epi64((long long)0xC200000000000000ULL);
    __m512i low = _mm512_xor_si512(s->low, _mm512_unpacklo_epi64(zero, s->mid));
    __m512i high = _mm512_xor_si512(s->high, _mm512_unpackhi_epi64(s->mid, zero));
    low = _mm512_xor_si512(_mm512_shuffle_epi32(low, 0x4E), _mm512_clmulepi64_epi128(low, poly, 0x00));
    __m512i rest = _mm512_clmulepi64_epi128(low, poly, 0x00);
    return tl__sum4(tl__xor3(_mm512_shuffle_epi32(low, 0x4E), rest, high));
}

/* ---- a whole message ---- */

/* A row's sum: y goes on over n bytes, with `after` blocks still to come. y * H^n is one product more. So many parameters
 * because it is inlined: all of them are registers or constants there, which members of a struct need not be. */
TL__KERNEL tl__sums crypt_chunk(unsigned rounds, direction d, const tl__vaes_key *key, counter *c, __m128i y,
                                uint8_t *text, size_t n, size_t after)
{
    const uint8_t *power = tl__turned_powers(key, (n + TL__BLOCK - 1) / TL__BLOCK + after);
    row r = { .text = text, .power = power, .s = tl__sums_zero() };
    crypt_row(rounds, d, key->round, c, &r, n);
    tl__add_product(&r.s, _mm512_zextsi128_si512(y), _mm512_zextsi128_si512(tl__load(power)));
    return r.s;
}

/* The associated data, by the arithmetic for GHASH alone. */
TL__KERNEL __m128i hash_header(const tl__vaes_key *key, tl_span header)
{
    __m128i y = _mm_setzero_si128();
    for (; header.n >= TL__CHUNK; header.p += TL__CHUNK, header.n -= TL__CHUNK)
        y = tl__hash_chunk(key, y, header.p);
    return tl__turn(tl__reverse(tl__hash_rest(key, y, header)));
}

/* What comes after the text: for a whole message the block of lengths, which shares the last reduction; else nothing. */
typedef struct ending {
    bool whole;
    __m128i lengths;
} ending;

TL__KERNEL __m128i gcm(unsigned rounds, direction d, const tl__vaes_key *key, __m128i y, const tl__gcm *t,
                       ending e)
{
    counter c = counter_from(t->nonce, 2);
    size_t i = 0;
    for (; t->text_n - i >= TL__CHUNK; i += TL__CHUNK) {
        tl__sums s = crypt_chunk(rounds, d, key, &c, y, t->text + i, TL__CHUNK, 0);
        y = reduce_turned(&s);
    }
    if (t->text_n == i && !e.whole)
        return y;
    tl__sums s = crypt_chunk(rounds, d, key, &c, y, t->text + i, t->text_n - i, e.whole ? 1 : 0);
    if (e.whole) {
        __m128i h = tl__load(tl__turned_powers(key, 1));
        tl__add_product(&s, _mm512_zextsi128_si512(e.lengths), _mm512_zextsi128_si512(h));
    }
    return reduce_turned(&s);
}

TL__KERNEL void ctr(unsigned rounds, const tl__vaes_key *key, const tl__gcm *t)
{
    counter c = counter_from(t->nonce, 2);
    row r = { .text = t->text };
    crypt_row(rounds, CRYPT, key->u.ctr_round, &c, &r, t->text_n);
}

static __m128i seal(const tl__vaes_key *key, __m128i y, const tl__gcm *t, ending e)
{
    if (key->rounds == TL__ROUNDS_128)
        return gcm(TL__ROUNDS_128, SEAL, key, y, t, e);
    return gcm(TL__ROUNDS_256, SEAL, key, y, t, e);
}

static __m128i open(const tl__vaes_key *key, __m128i y, const tl__gcm *t, ending e)
{
    if (key->rounds == TL__ROUNDS_128)
        return gcm(TL__ROUNDS_128, OPEN, key, y, t, e);
    return gcm(TL__ROUNDS_256, OPEN, key, y, t, e);
}

void tl__vaes_gcm_seal(const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text)
{
    const ending none = { false, _mm_setzero_si128() };
    tl__store(y, tl__turn(seal(state, tl__turn(tl__load(y)), text, none)));
}

void tl__vaes_gcm_open(const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text)
{
    const ending none = { false, _mm_setzero_si128() };
    tl__store(y, tl__turn(open(state, tl__turn(tl__load(y)), text, none)));
}

TL__KERNEL ending whole_message(tl_span header, const tl__gcm *t)
{
    return (ending){ true, _mm_set_epi64x(8 * (long long)header.n, 8 * (long long)t->text_n) };
}

void tl__vaes_message_seal(const void *state, tl_span header, const tl__gcm *text, uint8_t tag[TL_TAG_MAX])
{
    __m128i mask = tl__tag_mask(state, text->nonce);
    __m128i y = seal(state, hash_header(state, header), text, whole_message(header, text));
    tl__store(tag, _mm_xor_si128(tl__turn(y), mask));
}

void tl__vaes_message_open(const void *state, tl_span header, const tl__gcm *text, uint8_t tag[TL_TAG_MAX])
{
    __m128i mask = tl__tag_mask(state, text->nonce);
    __m128i y = open(state, hash_header(state, header), text, whole_message(header, text));
    tl__store(tag, _mm_xor_si128(tl__turn(y), mask));
}

void tl__vaes_ctr(const void *state, const tl__gcm *text)
{
    const tl__vaes_key *key = state;
    TL__BY_ROUNDS(key, ctr, key, text);
}
