/* AES on bit planes: sixteen blocks at once, without a table or a branch on their bytes.
 *
 * Rounds do not shift rows. After i rounds row r stands r i columns off its place, and mixing, which needs
 * rows beside each other, turns them by what neighbours differ in: i columns, the same for each pair. After
 * four rounds all stand right again; the last round is the 10th or the 14th, and there rows 1 and 3 are two
 * columns off.
 *
 * The S-box is the circuit of Boyar and Peralta, "A depth-16 circuit for the AES S-box" (IACR ePrint
 * 2011/332), with their names t, m and l, u0 being the most significant bit; the constant 0x63 at its end
 * passes through the linear layer unchanged, and so stands in the round keys. */
#include "soft.h"

#include <string.h>

enum { S_CONSTANT = 0x63 };

/* What a round is off its place must be a constant where rows are turned, whatever the compiler thinks of
 * size. */
#if defined(__GNUC__)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE static inline
#endif

/* ---- in and out ---- */

static uint64_t load_32(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24;
}

static void store_32(uint8_t *p, uint64_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

/* Before the turn the bit of a word says row and bit, and whether the column is 2 or 3; the word says the
 * lane, and whether the column is odd. */
static size_t word_of(size_t lane)
{
    return (lane & 7) * 4 + (lane >> 3) * 2;
}

void tl__planes_put(tl__planes *s, size_t lane, const uint8_t block[16])
{
    uint64_t *w = s->w + word_of(lane);
    w[0] = load_32(block) | load_32(block + 8) << 32;
    w[1] = load_32(block + 4) | load_32(block + 12) << 32;
}

void tl__planes_get(const tl__planes *s, size_t lane, uint8_t block[16])
{
    const uint64_t *w = s->w + word_of(lane);
    store_32(block, w[0]);
    store_32(block + 4, w[1]);
    store_32(block + 8, w[0] >> 32);
    store_32(block + 12, w[1] >> 32);
}

/* Swaps one bit of the numbers of words with one bit of the numbers of bits in them. */
static inline void swap_index_bits(uint64_t *w, size_t apart, unsigned shift, uint64_t mask)
{
    for (size_t base = 0; base < TL__PLANE_WORDS; base += 2 * apart)
        for (size_t i = base; i < base + apart; i++) {
            uint64_t differ = (w[i] >> shift ^ w[i + apart]) & mask;
            w[i + apart] ^= differ;
            w[i] ^= differ << shift;
        }
}

/* Five swaps that have nothing in common, so that the same call turns planes back into blocks. */
void tl__planes_turn(tl__planes *s)
{
    swap_index_bits(s->w, 1, 16, 0x0000FFFF0000FFFF); /* odd columns  <->  rows 2, 3 */
    swap_index_bits(s->w, 2, 8, 0x00FF00FF00FF00FF);  /* lane, bit 3  <->  rows 1, 3 */
    swap_index_bits(s->w, 16, 4, 0x0F0F0F0F0F0F0F0F); /* lane, bit 2  <->  bit, bit 2 */
    swap_index_bits(s->w, 8, 2, 0x3333333333333333);
    swap_index_bits(s->w, 4, 1, 0x5555555555555555);
}

void tl__planes_add(tl__planes *s, const tl__planes *other)
{
    for (size_t i = 0; i < TL__PLANE_WORDS; i++)
        s->w[i] ^= other->w[i];
}

void tl__words_wipe(void *words, size_t n)
{
    volatile uint64_t *w = words;
    for (size_t i = 0; i < n / sizeof *w; i++)
        w[i] = 0;
}

/* ---- rounds ---- */

/* SubBytes without its constant. */
static void sub_bytes(uint64_t *q)
{
    for (size_t r = 0; r < 4; r++) {
        uint64_t u0 = q[28 + r], u1 = q[24 + r], u2 = q[20 + r], u3 = q[16 + r], u4 = q[12 + r],
                 u5 = q[8 + r], u6 = q[4 + r], u7 = q[r];
        uint64_t t1 = u0 ^ u3, t2 = u0 ^ u5, t3 = u0 ^ u6, t4 = u3 ^ u5, t5 = u4 ^ u6, t6 = t1 ^ t5,
                 t7 = u1 ^ u2, t8 = u7 ^ t6, t9 = u7 ^ t7, t10 = t6 ^ t7, t11 = u1 ^ u5, t12 = u2 ^ u5,
                 t13 = t3 ^ t4, t14 = t6 ^ t11, t15 = t5 ^ t11, t16 = t5 ^ t12, t17 = t9 ^ t16, t18 = u3 ^ u7,
                 t19 = t7 ^ t18, t20 = t1 ^ t19, t21 = u6 ^ u7, t22 = t7 ^ t21, t23 = t2 ^ t22,
                 t24 = t2 ^ t10, t25 = t20 ^ t17, t26 = t3 ^ t16, t27 = t1 ^ t12;
        uint64_t m1 = t13 & t6, m2 = t23 & t8, m3 = t14 ^ m1, m4 = t19 & u7, m5 = m4 ^ m1, m6 = t3 & t16,
                 m7 = t22 & t9, m8 = t26 ^ m6, m9 = t20 & t17, m10 = m9 ^ m6, m11 = t1 & t15, m12 = t4 & t27,
                 m13 = m12 ^ m11, m14 = t2 & t10, m15 = m14 ^ m11, m16 = m3 ^ m2, m17 = m5 ^ t24,
                 m18 = m8 ^ m7, m19 = m10 ^ m15, m20 = m16 ^ m13, m21 = m17 ^ m15, m22 = m18 ^ m13,
                 m23 = m19 ^ t25, m24 = m22 ^ m23, m25 = m22 & m20, m26 = m21 ^ m25, m27 = m20 ^ m21,
                 m28 = m23 ^ m25, m29 = m28 & m27, m30 = m26 & m24, m31 = m20 & m23, m32 = m27 & m31,
                 m33 = m27 ^ m25, m34 = m21 & m22, m35 = m24 & m34, m36 = m24 ^ m25, m37 = m21 ^ m29,
                 m38 = m32 ^ m33, m39 = m23 ^ m30, m40 = m35 ^ m36, m41 = m38 ^ m40, m42 = m37 ^ m39,
                 m43 = m37 ^ m38, m44 = m39 ^ m40, m45 = m42 ^ m41, m46 = m44 & t6, m47 = m40 & t8,
                 m48 = m39 & u7, m49 = m43 & t16, m50 = m38 & t9, m51 = m37 & t17, m52 = m42 & t15,
                 m53 = m45 & t27, m54 = m41 & t10, m55 = m44 & t13, m56 = m40 & t23, m57 = m39 & t19,
                 m58 = m43 & t3, m59 = m38 & t22, m60 = m37 & t20, m61 = m42 & t1, m62 = m45 & t4,
                 m63 = m41 & t2;
        uint64_t l0 = m61 ^ m62, l1 = m50 ^ m56, l2 = m46 ^ m48, l3 = m47 ^ m55, l4 = m54 ^ m58,
                 l5 = m49 ^ m61, l6 = m62 ^ l5, l7 = m46 ^ l3, l8 = m51 ^ m59, l9 = m52 ^ m53, l10 = m53 ^ l4,
                 l11 = m60 ^ l2, l12 = m48 ^ m51, l13 = m50 ^ l0, l14 = m52 ^ m61, l15 = m55 ^ l1,
                 l16 = m56 ^ l0, l17 = m57 ^ l1, l18 = m58 ^ l8, l19 = m63 ^ l4, l20 = l0 ^ l1, l21 = l1 ^ l7,
                 l22 = l3 ^ l12, l23 = l18 ^ l2, l24 = l15 ^ l9, l25 = l6 ^ l10, l26 = l7 ^ l9,
                 l27 = l8 ^ l10, l28 = l11 ^ l14, l29 = l11 ^ l17;

        q[28 + r] = l6 ^ l24;
        q[24 + r] = l16 ^ l26;
        q[20 + r] = l19 ^ l28;
        q[16 + r] = l6 ^ l21;
        q[12 + r] = l20 ^ l22;
        q[8 + r] = l25 ^ l29;
        q[4 + r] = l13 ^ l27;
        q[r] = l6 ^ l23;
    }
}

/* Column c of a word becomes column c - n / 16. */
ALWAYS_INLINE uint64_t rotate(uint64_t x, unsigned n)
{
    return n == 0 ? x : x >> n | x << (64 - n);
}

/* The sum of each row and the row below it, as they stand `columns` rounds after they stood right. */
ALWAYS_INLINE void add_below(uint64_t *restrict t, uint64_t *restrict below, const uint64_t *restrict s,
                             unsigned columns)
{
    for (size_t j = 0; j < 2; j++) {
        below[j] = rotate(s[2 + j], 16 * columns);     /* rows 1, 3 below 0, 2 */
        below[2 + j] = rotate(s[j ^ 1], 16 * columns); /* rows 2, 0 below 1, 3 */
    }
    for (size_t j = 0; j < 4; j++)
        t[j] = s[j] ^ below[j];
}

/* MixColumns and the round key:  2 (s + s1) + s1 + s2 + s3,  where s1, s2, s3 are the rows below s. Doubling
 * moves each plane one up and adds the highest to planes 0, 1, 3 and 4. */
ALWAYS_INLINE void mix_columns(uint64_t *restrict q, const uint64_t *restrict key, unsigned columns)
{
    const unsigned two_below = 32 * columns % 64;
    uint64_t highest[4], lower[4] = { 0 }, below[4], t[4];

    add_below(highest, below, q + 28, columns);
    for (size_t b = 0; b < 8; b++) {
        const bool reduced = b == 0 || b == 1 || b == 3 || b == 4;
        uint64_t *s = q + 4 * b;
        add_below(t, below, s, columns);
        for (size_t j = 0; j < 4; j++)
            s[j] = below[j] ^ rotate(t[j ^ 1], two_below) ^ lower[j] ^ key[4 * b + j];
        if (reduced)
            for (size_t j = 0; j < 4; j++)
                s[j] ^= highest[j];
        for (size_t j = 0; j < 4; j++)
            lower[j] = t[j];
    }
}

void tl__planes_encrypt(tl__planes *s, const tl__planes_key *k, uint32_t rounds)
{
    uint64_t *q = s->w;
    tl__planes_add(s, &k->round[0]);
    for (size_t i = 1;; i += 4) {
        sub_bytes(q);
        mix_columns(q, k->round[i].w, 1);
        sub_bytes(q);
        if (i + 1 == rounds)
            break;
        mix_columns(q, k->round[i + 1].w, 2);
        sub_bytes(q);
        mix_columns(q, k->round[i + 2].w, 3);
        sub_bytes(q);
        mix_columns(q, k->round[i + 3].w, 0);
    }
    for (size_t b = 0; b < 8; b++) {
        q[4 * b + 2] = rotate(q[4 * b + 2], 32);
        q[4 * b + 3] = rotate(q[4 * b + 3], 32);
    }
    tl__planes_add(s, &k->round[rounds]);
}

/* ---- keys ---- */

static void sub_word(uint8_t w[4])
{
    tl__planes s = { { 0 } };
    uint8_t block[16] = { 0 };
    memcpy(block, w, 4);
    tl__planes_put(&s, 0, block);
    tl__planes_turn(&s);
    sub_bytes(s.w);
    tl__planes_turn(&s);
    tl__planes_get(&s, 0, block);
    for (size_t i = 0; i < 4; i++)
        w[i] = block[i] ^ S_CONSTANT;
    tl__words_wipe(&s, sizeof s);
    tl_wipe(block, sizeof block);
}

/* FIPS 197, KeyExpansion: words of four bytes, of which the key gives the first. */
static void expand(uint8_t *words, const uint8_t *key, size_t key_words, uint32_t rounds)
{
    uint8_t t[4], constant = 1;
    memcpy(words, key, 4 * key_words);
    for (size_t i = key_words, at = 0; i < 4 * (rounds + 1); i++, at = at + 1 < key_words ? at + 1 : 0) {
        memcpy(t, words + 4 * (i - 1), 4);
        if (at == 0) {
            uint8_t first = t[0];
            t[0] = t[1], t[1] = t[2], t[2] = t[3], t[3] = first;
        }
        if (at == 0 || (key_words == 8 && at == 4))
            sub_word(t);
        if (at == 0) {
            t[0] ^= constant;
            constant = (uint8_t)(constant < 0x80 ? constant << 1 : 0x1B);
        }
        for (size_t j = 0; j < 4; j++)
            words[4 * i + j] = words[4 * (i - key_words) + j] ^ t[j];
    }
    tl_wipe(t, sizeof t);
}

/* Turns the rows of a round's key back, so that they meet rows that were not shifted. */
static void unshift(uint8_t key[16], size_t round)
{
    uint8_t old[16];
    memcpy(old, key, sizeof old);
    for (size_t column = 0; column < 4; column++)
        for (size_t row = 0; row < 4; row++)
            key[(column + row * round) % 4 * 4 + row] = old[column * 4 + row];
    tl_wipe(old, sizeof old);
}

static void planes_of(tl__planes *s, const tl__aes *const *a, size_t n, size_t round)
{
    memset(s, 0, sizeof *s);
    for (size_t lane = 0; lane < n; lane++)
        tl__planes_put(s, lane, a[lane]->key[round]);
    tl__planes_turn(s);
}

void tl__aes_load(tl__aes *a, const uint8_t *key, size_t key_n)
{
    const tl__aes *one = a;
    tl__planes s;
    memset(a, 0, sizeof *a);
    a->rounds = (uint32_t)(key_n / 4 + 6);
    expand(a->key[0], key, key_n / 4, a->rounds);
    for (size_t round = 0; round <= a->rounds; round++) {
        for (size_t i = 0; round > 0 && i < 16; i++)
            a->key[round][i] ^= S_CONSTANT;
        if (round < a->rounds)
            unshift(a->key[round], round);
        planes_of(&s, &one, 1, round);
        for (size_t i = 0; i < TL__PLANE_WORDS; i++)
            a->nibble[round][i] = (uint8_t)((s.w[i] | s.w[i] >> 15 | s.w[i] >> 30 | s.w[i] >> 45) & 0xF);
    }
    tl__words_wipe(&s, sizeof s);
}

void tl__planes_same_key(tl__planes_key *k, const tl__aes *a)
{
    for (size_t round = 0; round <= a->rounds; round++)
        for (size_t i = 0; i < TL__PLANE_WORDS; i++) {
            uint64_t n = a->nibble[round][i];
            uint64_t lane_0 = (n | n << 15 | n << 30 | n << 45) & 0x0001000100010001;
            k->round[round].w[i] = (lane_0 << TL__LANES) - lane_0;
        }
}

void tl__planes_own_keys(tl__planes_key *k, const tl__aes *const *a, size_t n)
{
    for (size_t round = 0; round <= a[0]->rounds; round++)
        planes_of(&k->round[round], a, n, round);
}
