/* The portable level: C that runs everywhere, with no table and no branch on keys, chains or data.
 *
 * What AES does is done for sixteen blocks at once: those of sixteen messages in CBC-MAC, those of one
 * message in CTR. A single message's CBC-MAC therefore costs as much as sixteen. */
#include "../level.h"
#include "soft.h"

#include <string.h>

/* A key's state. A CMAC suite has keys for tags and for encryption, a GMAC suite one for both. */
typedef struct soft_key {
    tl__aes tag, encryption;
    tl__ghash_key hash;
} soft_key;

_Static_assert(sizeof(soft_key) <= TL_LANES_KEY_STATE, "a key's state fits its slot");

/* What a pass works with; wiped as a whole. */
typedef struct pass {
    tl__planes_key key;
    tl__planes state, data;
} pass;

/* One block by itself: one lane of a pass. */
static void encrypt_block(const tl__aes *a, const uint8_t in[16], uint8_t out[16])
{
    pass s;
    memset(&s.state, 0, sizeof s.state);
    tl__planes_same_key(&s.key, a);
    tl__planes_put(&s.state, 0, in);
    tl__planes_turn(&s.state);
    tl__planes_encrypt(&s.state, &s.key, a->rounds);
    tl__planes_turn(&s.state);
    tl__planes_get(&s.state, 0, out);
    tl__words_wipe(&s, sizeof s);
}

static void load(void *state, tl_suite suite, const uint8_t *key)
{
    const uint8_t zero[16] = { 0 };
    soft_key *k = state;
    size_t n = tl__aes_key_size(suite);
    uint8_t h[16];

    memset(k, 0, sizeof *k);
    if (tl__is_cmac(suite)) {
        tl__aes_load(&k->tag, key, n);
        tl__aes_load(&k->encryption, key + n, n);
        return;
    }
    tl__aes_load(&k->encryption, key, n);
    encrypt_block(&k->encryption, zero, h);
    tl__ghash_load(&k->hash, h);
    tl_wipe(h, sizeof h);
}

/* ---- CMAC suites ---- */

static const tl__aes *tag_key(const tl__lane *lane)
{
    const soft_key *k = lane->state;
    return &k->tag;
}

static void cbc_mac(const tl__lane *lane, size_t n, size_t blocks)
{
    const tl__aes *key[TL__LANES];
    pass s;

    for (size_t l = 0; l < n; l++)
        key[l] = tag_key(&lane[l]);
    if (tl__same_key(lane, n))
        tl__planes_same_key(&s.key, key[0]);
    else
        tl__planes_own_keys(&s.key, key, n);
    memset(&s.state, 0, sizeof s.state);
    memset(&s.data, 0, sizeof s.data);
    for (size_t l = 0; l < n; l++)
        tl__planes_put(&s.state, l, lane[l].chain);
    tl__planes_turn(&s.state);
    for (size_t i = 0; i < blocks; i++) {
        for (size_t l = 0; l < n; l++)
            tl__planes_put(&s.data, l, lane[l].p + 16 * i);
        tl__planes_turn(&s.data);
        tl__planes_add(&s.state, &s.data);
        tl__planes_encrypt(&s.state, &s.key, key[0]->rounds);
    }
    tl__planes_turn(&s.state);
    for (size_t l = 0; l < n; l++)
        tl__planes_get(&s.state, l, lane[l].chain);
    tl__words_wipe(&s, sizeof s);
}

/* ---- CTR ---- */

static void counter_block(uint8_t block[16], const uint8_t *nonce, uint32_t counter)
{
    memcpy(block, nonce, TL_NONCE_SIZE);
    block[12] = (uint8_t)(counter >> 24);
    block[13] = (uint8_t)(counter >> 16);
    block[14] = (uint8_t)(counter >> 8);
    block[15] = (uint8_t)counter;
}

/* As many blocks of key stream as there are lanes, from `counter` on. */
static void key_stream(pass *s, const tl__aes *a, const uint8_t *nonce, uint32_t counter)
{
    uint8_t block[16];
    for (size_t l = 0; l < TL__LANES; l++) {
        counter_block(block, nonce, counter + (uint32_t)l);
        tl__planes_put(&s->state, l, block);
    }
    tl__planes_turn(&s->state);
    tl__planes_encrypt(&s->state, &s->key, a->rounds);
    tl__planes_turn(&s->state);
}

static void count(const tl__aes *a, const tl__gcm *m)
{
    uint8_t block[16], *text = m->text;
    size_t left = m->text_n;
    uint32_t counter = 2;
    pass s;

    if (left == 0)
        return;
    tl__planes_same_key(&s.key, a);
    for (; left > 0; counter += TL__LANES) {
        size_t l = 0;
        key_stream(&s, a, m->nonce, counter);
        for (; l < TL__LANES && left >= sizeof block; l++, text += sizeof block, left -= sizeof block) {
            tl__planes_get(&s.state, l, block);
            for (size_t i = 0; i < sizeof block; i++)
                text[i] ^= block[i];
        }
        if (l == TL__LANES)
            continue;
        tl__planes_get(&s.state, l, block);
        for (size_t i = 0; i < left; i++)
            text[i] ^= block[i];
        left = 0;
    }
    tl__words_wipe(&s, sizeof s);
    tl_wipe(block, sizeof block);
}

static void ctr(const void *state, const tl__gcm *text)
{
    const soft_key *k = state;
    count(&k->encryption, text);
}

/* ---- GMAC suites ---- */

static void ghash(const void *state, uint8_t y[TL__BLOCK], const uint8_t *p, size_t blocks)
{
    const soft_key *k = state;
    tl__ghash_blocks(&k->hash, y, p, blocks);
}

static void gcm_seal(const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text)
{
    tl__two_pass_seal(&tl__level_soft, state, y, text);
}

static void gcm_open(const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text)
{
    tl__two_pass_open(&tl__level_soft, state, y, text);
}

static void gcm_tag(const void *state, const uint8_t y[TL__BLOCK], const uint8_t *nonce,
                    const uint64_t bits[2], uint8_t tag[TL_TAG_MAX])
{
    const soft_key *k = state;
    uint8_t hash[16], block[16];

    for (size_t i = 0; i < 16; i++)
        block[i] = (uint8_t)(bits[i / 8] >> (56 - 8 * (i % 8)));
    memcpy(hash, y, sizeof hash);
    tl__ghash_blocks(&k->hash, hash, block, 1);
    counter_block(block, nonce, 1);
    encrypt_block(&k->encryption, block, block);
    for (size_t i = 0; i < 16; i++)
        tag[i] = hash[i] ^ block[i];
    tl_wipe(hash, sizeof hash);
    tl_wipe(block, sizeof block);
}

static void gmac(const void *state, const uint8_t *nonce, tl_span data, uint8_t tag[TL_TAG_MAX])
{
    tl__two_pass_gmac(&tl__level_soft, state, nonce, data, tag);
}

const tl__level tl__level_soft = {
    .name = "soft",
    .width = TL__LANES,
    .load = load,
    .cbc_mac = cbc_mac,
    .ctr = ctr,
    .gmac = gmac,
    .ghash = ghash,
    .gcm_seal = gcm_seal,
    .gcm_open = gcm_open,
    .gcm_tag = gcm_tag,
};
