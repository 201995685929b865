/* The parts of the level for ARMv8 with the AES and PMULL instructions. */
#ifndef TL_LANES_ARMV8_H
#define TL_LANES_ARMV8_H

#include "../level.h"

#include <arm_neon.h>

enum { TL__ARMV8_ROUNDS_MAX = 14, TL__ARMV8_POWERS = 4 };

typedef struct tl__armv8_aes {
    uint8x16_t key[TL__ARMV8_ROUNDS_MAX + 1];
    uint32_t rounds; /* 10 or 14 */
} tl__armv8_aes;

/* Powers of the hash key, from the first on, and the sums of their halves. Bits of each byte are turned
 * around, so that bit i of the whole is the coefficient of x^i. */
typedef struct tl__armv8_hash {
    uint64x2_t power[TL__ARMV8_POWERS];
    uint64_t sum[TL__ARMV8_POWERS];
} tl__armv8_hash;

/* A key's state. A CMAC suite has keys for tags and for encryption, a GMAC suite one for both. */
typedef struct tl__armv8_key {
    tl__armv8_aes tag, encryption;
    tl__armv8_hash hash;
} tl__armv8_key;

/* key has 16 or 32 bytes. */
void tl__armv8_aes_load(tl__armv8_aes *a, const uint8_t *key, size_t key_n);
uint8x16_t tl__armv8_aes_block(const tl__armv8_aes *a, uint8x16_t block);
void tl__armv8_aes_ctr(const tl__armv8_aes *a, const tl__gcm *text);
void tl__armv8_cbc_mac(const tl__lane *lane, size_t n, size_t blocks);

void tl__armv8_hash_load(tl__armv8_hash *k, uint8x16_t h);
void tl__armv8_hash_blocks(const tl__armv8_hash *k, uint8_t y[TL__BLOCK], const uint8_t *p, size_t blocks);

uint16_t tl__armv8_crc16(uint16_t crc, tl_span data);
uint32_t tl__armv8_crc32(uint32_t crc, tl_span data);

#endif
