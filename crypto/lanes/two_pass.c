/* GCM and GMAC of levels that encrypt in one pass and authenticate in another. */
#include "level.h"

/* The last block is filled with zeros. */
static void ghash_bytes(const tl__level *level, const void *state, uint8_t y[TL__BLOCK], tl_span data)
{
    size_t whole = data.n / TL__BLOCK, rest = data.n % TL__BLOCK;
    uint8_t last[TL__BLOCK] = { 0 };
    if (whole != 0)
        level->ghash(state, y, data.p, whole);
    if (rest == 0)
        return;
    memcpy(last, data.p + whole * TL__BLOCK, rest);
    level->ghash(state, y, last, 1);
    tl_wipe(last, sizeof last);
}

void tl__two_pass_seal(const tl__level *level, const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text)
{
    level->ctr(state, text);
    ghash_bytes(level, state, y, tl_span_of(text->text, text->text_n));
}

void tl__two_pass_open(const tl__level *level, const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text)
{
    ghash_bytes(level, state, y, tl_span_of(text->text, text->text_n));
    level->ctr(state, text);
}

void tl__two_pass_gmac(const tl__level *level, const void *state, const uint8_t *nonce, tl_span data,
                       uint8_t tag[TL_TAG_MAX])
{
    const uint64_t bits[2] = { (uint64_t)data.n * 8, 0 };
    uint8_t y[TL__BLOCK] = { 0 };
    ghash_bytes(level, state, y, data);
    level->gcm_tag(state, y, nonce, bits, tag);
    tl_wipe(y, sizeof y);
}
