/* What the kernels of the AES-NI level share: a key's state, and GHASH of a few blocks.
 *
 * Kernels are written once with the number of rounds as a parameter, and made twice, for 10 and for 14 rounds. With 16
 * registers, round keys come from memory, as operands of the instructions that use them. */
#ifndef TL_LANES_X86_AESNI_H
#define TL_LANES_X86_AESNI_H

#include "ghash.h"

#include <string.h>

enum { TL__WIDE = 8, TL__WIDE_BYTES = TL__WIDE * TL__BLOCK }; /* blocks that are worked on at once */

typedef struct tl__aesni_key {
    __m128i round[TL__ROUND_KEYS];
    union {
        __m128i ctr_round[TL__ROUND_KEYS]; /* CMAC suites: the encryption key's */
        __m128i power[TL__WIDE];           /* GMAC suites: H^8 * x, H^7 * x, ... H * x, reflected */
    } u;
    unsigned rounds;
} tl__aesni_key;

static inline __attribute__((always_inline)) __m128i tl__aes_block(const __m128i *round, unsigned rounds,
                                                                   __m128i x)
{
    x = _mm_xor_si128(x, round[0]);
    TL__UNROLL for (unsigned i = 1; i < rounds; i++) x = _mm_aesenc_si128(x, round[i]);
    return _mm_aesenclast_si128(x, round[rounds]);
}

/* ---- GHASH ---- */

/* y goes on over n blocks, 1 to 8. */
static inline __m128i tl__hash_few(const tl__aesni_key *key, __m128i y, const uint8_t *p, size_t n)
{
    const __m128i *power = key->u.power + TL__WIDE - n;
    tl__sum s = tl__sum_zero();
    for (size_t i = 1; i < n; i++)
        tl__sum_add(&s, tl__turn(tl__load(p + i * TL__BLOCK)), power[i]);
    tl__sum_add(&s, _mm_xor_si128(y, tl__turn(tl__load(p))), power[0]);
    return tl__sum_reduce(&s);
}

/* ---- the level's functions ---- */

void tl__aesni_cbc_mac(const tl__lane *lane, size_t n, size_t blocks);
void tl__aesni_ctr(const void *state, const tl__gcm *text);
void tl__aesni_gmac(const void *state, const uint8_t *nonce, tl_span data, uint8_t tag[TL_TAG_MAX]);
void tl__aesni_ghash(const void *state, uint8_t y[TL__BLOCK], const uint8_t *p, size_t blocks);
void tl__aesni_gcm_seal(const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text);
void tl__aesni_gcm_open(const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text);
void tl__aesni_gcm_tag(const void *state, const uint8_t y[TL__BLOCK], const uint8_t *nonce,
                       const uint64_t bits[2], uint8_t tag[TL_TAG_MAX]);
uint16_t tl__aesni_crc16(uint16_t crc, tl_span data);
uint32_t tl__aesni_crc32(uint32_t crc, tl_span data);

#endif
