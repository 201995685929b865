/* The level for ARMv8 with its cryptographic extension, whose instructions take the same time for all
 * data. */
#include "armv8.h"

#include <string.h>

_Static_assert(sizeof(tl__armv8_key) <= TL_LANES_KEY_STATE, "a key's state fits its slot");

enum { LANES = 8 };

static void load(void *state, tl_suite suite, const uint8_t *key)
{
    tl__armv8_key *k = state;
    size_t n = tl__aes_key_size(suite);

    memset(k, 0, sizeof *k);
    if (tl__is_cmac(suite)) {
        tl__armv8_aes_load(&k->tag, key, n);
        tl__armv8_aes_load(&k->encryption, key + n, n);
        return;
    }
    tl__armv8_aes_load(&k->encryption, key, n);
    tl__armv8_hash_load(&k->hash, tl__armv8_aes_block(&k->encryption, vdupq_n_u8(0)));
}

static void ctr(const void *state, const tl__gcm *text)
{
    const tl__armv8_key *k = state;
    tl__armv8_aes_ctr(&k->encryption, text);
}

static void ghash(const void *state, uint8_t y[TL__BLOCK], const uint8_t *p, size_t blocks)
{
    const tl__armv8_key *k = state;
    tl__armv8_hash_blocks(&k->hash, y, p, blocks);
}

static void gcm_seal(const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text)
{
    tl__two_pass_seal(&tl__level_armv8, state, y, text);
}

static void gcm_open(const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text)
{
    tl__two_pass_open(&tl__level_armv8, state, y, text);
}

static void gcm_tag(const void *state, const uint8_t y[TL__BLOCK], const uint8_t *nonce,
                    const uint64_t bits[2], uint8_t tag[TL_TAG_MAX])
{
    const tl__armv8_key *k = state;
    uint8_t hash[TL__BLOCK], block[TL__BLOCK];

    for (size_t i = 0; i < TL__BLOCK; i++)
        block[i] = (uint8_t)(bits[i / 8] >> (56 - 8 * (i % 8)));
    memcpy(hash, y, sizeof hash);
    tl__armv8_hash_blocks(&k->hash, hash, block, 1);
    memset(block, 0, sizeof block);
    memcpy(block, nonce, TL_NONCE_SIZE);
    block[TL__BLOCK - 1] = 1;
    vst1q_u8(tag, veorq_u8(vld1q_u8(hash), tl__armv8_aes_block(&k->encryption, vld1q_u8(block))));
    tl_wipe(hash, sizeof hash);
}

static void gmac(const void *state, const uint8_t *nonce, tl_span data, uint8_t tag[TL_TAG_MAX])
{
    tl__two_pass_gmac(&tl__level_armv8, state, nonce, data, tag);
}

const tl__level tl__level_armv8 = {
    .name = "armv8",
    .width = LANES,
    .load = load,
    .cbc_mac = tl__armv8_cbc_mac,
    .ctr = ctr,
    .gmac = gmac,
    .ghash = ghash,
    .gcm_seal = gcm_seal,
    .gcm_open = gcm_open,
    .gcm_tag = gcm_tag,
    .crc16 = tl__armv8_crc16,
    .crc32 = tl__armv8_crc32,
};
