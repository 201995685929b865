/* AES by AESE (round key, then SubBytes and ShiftRows) and AESMC (MixColumns), on blocks side by side: a
 * round's result takes some cycles, in which the other blocks' rounds begin. */
#include "armv8.h"

#include <string.h>

enum { SIDE_BY_SIDE = 8 };

/* n blocks, lane l under a[l]; n is a constant where this is inlined, so that the blocks stay in
 * registers. */
static inline void encrypt(uint8x16_t *block, const tl__armv8_aes *const *a, size_t n)
{
    const uint32_t rounds = a[0]->rounds;
    for (size_t r = 0; r + 1 < rounds; r++)
        for (size_t l = 0; l < n; l++)
            block[l] = vaesmcq_u8(vaeseq_u8(block[l], a[l]->key[r]));
    for (size_t l = 0; l < n; l++)
        block[l] = veorq_u8(vaeseq_u8(block[l], a[l]->key[rounds - 1]), a[l]->key[rounds]);
}

uint8x16_t tl__armv8_aes_block(const tl__armv8_aes *a, uint8x16_t block)
{
    encrypt(&block, &a, 1);
    return block;
}

/* ---- keys ---- */

/* SubWord by AESE: with four equal columns, shifting rows changes nothing. */
static uint32_t sub_word(uint32_t w)
{
    uint8x16_t columns = vreinterpretq_u8_u32(vdupq_n_u32(w));
    return vgetq_lane_u32(vreinterpretq_u32_u8(vaeseq_u8(columns, vdupq_n_u8(0))), 0);
}

/* FIPS 197, KeyExpansion; words are little endian here. */
void tl__armv8_aes_load(tl__armv8_aes *a, const uint8_t *key, size_t key_n)
{
    const size_t key_words = key_n / 4;
    uint32_t w[4 * (TL__ARMV8_ROUNDS_MAX + 1)], constant = 1;

    a->rounds = (uint32_t)key_words + 6;
    memcpy(w, key, key_n);
    for (size_t i = key_words, at = 0; i < 4 * (a->rounds + 1); i++, at = at + 1 < key_words ? at + 1 : 0) {
        uint32_t t = w[i - 1];
        if (at == 0) {
            t = sub_word(t >> 8 | t << 24) ^ constant;
            constant = constant < 0x80 ? constant << 1 : 0x1B;
        } else if (key_words == 8 && at == 4) {
            t = sub_word(t);
        }
        w[i] = w[i - key_words] ^ t;
    }
    for (size_t r = 0; r <= a->rounds; r++)
        a->key[r] = vreinterpretq_u8_u32(vld1q_u32(w + 4 * r));
    tl_wipe(w, sizeof w);
}

/* ---- CBC-MAC ---- */

static inline void chain(const tl__lane *lane, const tl__armv8_aes *const *a, size_t n, size_t blocks)
{
    uint8x16_t c[SIDE_BY_SIDE];
    for (size_t l = 0; l < n; l++)
        c[l] = vld1q_u8(lane[l].chain);
    for (size_t i = 0; i < blocks; i++) {
        for (size_t l = 0; l < n; l++)
            c[l] = veorq_u8(c[l], vld1q_u8(lane[l].p + i * TL__BLOCK));
        encrypt(c, a, n);
    }
    for (size_t l = 0; l < n; l++)
        vst1q_u8(lane[l].chain, c[l]);
}

/* Eight lanes, then four, then what is left one by one. */
void tl__armv8_cbc_mac(const tl__lane *lane, size_t n, size_t blocks)
{
    const tl__armv8_aes *a[SIDE_BY_SIDE];
    while (n > 0) {
        size_t now = n >= 8 ? 8 : n >= 4 ? 4 : 1;
        for (size_t l = 0; l < now; l++)
            a[l] = &((const tl__armv8_key *)lane[l].state)->tag;
        if (now == 8)
            chain(lane, a, 8, blocks);
        else if (now == 4)
            chain(lane, a, 4, blocks);
        else
            chain(lane, a, 1, blocks);
        lane += now;
        n -= now;
    }
}

/* ---- CTR ---- */

static inline uint8x16_t counter_block(uint8x16_t nonce, uint32_t counter)
{
    uint32_t big_endian = __builtin_bswap32(counter);
    return vreinterpretq_u8_u32(vsetq_lane_u32(big_endian, vreinterpretq_u32_u8(nonce), 3));
}

void tl__armv8_aes_ctr(const tl__armv8_aes *a, const tl__gcm *m)
{
    const tl__armv8_aes *same[SIDE_BY_SIDE] = { a, a, a, a, a, a, a, a };
    uint8_t start[TL__BLOCK] = { 0 }, last[TL__BLOCK];
    uint8x16_t nonce, b[SIDE_BY_SIDE];
    uint8_t *text = m->text;
    size_t n = m->text_n;
    uint32_t counter = 2;

    memcpy(start, m->nonce, TL_NONCE_SIZE);
    nonce = vld1q_u8(start);
    for (; n >= sizeof b; n -= sizeof b, text += sizeof b) {
        for (size_t l = 0; l < SIDE_BY_SIDE; l++)
            b[l] = counter_block(nonce, counter++);
        encrypt(b, same, SIDE_BY_SIDE);
        for (size_t l = 0; l < SIDE_BY_SIDE; l++)
            vst1q_u8(text + l * TL__BLOCK, veorq_u8(b[l], vld1q_u8(text + l * TL__BLOCK)));
    }
    for (; n > 0; text += TL__BLOCK) {
        size_t some = n < TL__BLOCK ? n : TL__BLOCK;
        vst1q_u8(last, tl__armv8_aes_block(a, counter_block(nonce, counter++)));
        for (size_t i = 0; i < some; i++)
            text[i] ^= last[i];
        n -= some;
    }
    tl_wipe(last, sizeof last);
}
