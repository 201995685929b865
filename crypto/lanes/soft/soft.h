/* The parts of the portable level: AES on bit planes, and GHASH by integer multiplication. */
#ifndef TL_LANES_SOFT_H
#define TL_LANES_SOFT_H

#include <trueline/base.h>

/* ---- AES on bit planes ----
 *
 * Sixteen blocks at once. Word 4 b + r' holds bit b of the blocks' bytes in row r, where r' is 0, 2, 1, 3 for
 * the rows 0, 1, 2, 3; in the word, bit 16 c + l belongs to column c of lane l. So shifting a row is a
 * rotation, mixing columns needs no shift, and two rows that are worked on alike stand side by side, where
 * compilers find them. */
enum { TL__LANES = 16, TL__PLANE_WORDS = 32, TL__AES_ROUNDS_MAX = 14 };

typedef struct tl__planes {
    uint64_t w[TL__PLANE_WORDS];
} tl__planes;

/* An expanded key: the rounds' keys as bytes, and the same as planes of a single lane, four columns to a
 * nibble. Row r of round i is turned back by r i columns, except of the first and the last round, since no
 * round shifts its rows; the S-box's constant is in the keys too. */
typedef struct tl__aes {
    uint8_t key[TL__AES_ROUNDS_MAX + 1][16];
    uint8_t nibble[TL__AES_ROUNDS_MAX + 1][TL__PLANE_WORDS];
    uint32_t rounds; /* 10 or 14 */
} tl__aes;

/* The keys of all rounds as planes, for tl__planes_encrypt. */
typedef struct tl__planes_key {
    tl__planes round[TL__AES_ROUNDS_MAX + 1];
} tl__planes_key;

/* key has 16 or 32 bytes. */
void tl__aes_load(tl__aes *a, const uint8_t *key, size_t key_n);
/* Every lane gets the same key, or lane l the key a[l] of n, all of the same number of rounds. */
void tl__planes_same_key(tl__planes_key *k, const tl__aes *a);
void tl__planes_own_keys(tl__planes_key *k, const tl__aes *const *a, size_t n);

/* Blocks go in by put for each lane and then turn for all of them, and come out by turn and get. */
void tl__planes_put(tl__planes *s, size_t lane, const uint8_t block[16]);
void tl__planes_get(const tl__planes *s, size_t lane, uint8_t block[16]);
void tl__planes_turn(tl__planes *s);
void tl__planes_add(tl__planes *s, const tl__planes *other);
void tl__planes_encrypt(tl__planes *s, const tl__planes_key *k, uint32_t rounds);

/* Wipes words, n bytes of them; quicker than tl_wipe, and as sure. */
void tl__words_wipe(void *words, size_t n);

/* ---- GHASH ---- */

/* The hash key times x, as two words and their sum. Words are read big endian: what a block's first bit
 * stands for is bit 63 of the first word. */
typedef struct tl__ghash_key {
    uint64_t first, second, sum;
} tl__ghash_key;

void tl__ghash_load(tl__ghash_key *k, const uint8_t h[16]);
/* y = (y ^ block) H for each block. */
void tl__ghash_blocks(const tl__ghash_key *k, uint8_t y[16], const uint8_t *p, size_t blocks);

#endif
