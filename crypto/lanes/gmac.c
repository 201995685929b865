/* GMAC and GCM of one message, from the kernels.
 *
 * y is GHASH's register. What is authenticated in clear is associated data; an encrypted payload is the text. */
#include "inner.h"

/* Takes y on over all runs of the message's associated data, and gives its number of bits. */
static uint64_t hash_associated(const tl__batch *b, const tl_lanes_key *key, tl_sealed *m,
                                uint8_t y[TL__BLOCK])
{
    tl_lanes_place *w = &b->l->place[0];
    uint64_t n = tl__runs_start(w, key, m, TL__PAD_GHASH);
    while (tl__runs_next(w))
        b->l->level->ghash(key->state, y, w->run, w->run_n);
    return 8 * n;
}

static void gcm(const tl__batch *b, const tl_lanes_key *key, tl_sealed *m, uint8_t tag[TL_TAG_MAX])
{
    const tl__level *level = b->l->level;
    const tl__gcm text = { m->nonce, m->payload, m->cover == TL_COVER_ENCRYPTED ? m->payload_n : 0 };
    uint8_t y[TL__BLOCK] = { 0 };
    uint64_t bits[2];
    bits[0] = hash_associated(b, key, m, y);
    bits[1] = 8 * (uint64_t)text.text_n;
    if (text.text_n != 0 && b->job == TL__PROTECT)
        level->gcm_seal(key->state, y, &text);
    else if (text.text_n != 0)
        level->gcm_open(key->state, y, &text);
    level->gcm_tag(key->state, y, m->nonce, bits, tag);
    tl__forget(y, sizeof y);
}

void tl__gmac_message(const tl__batch *b, const tl_lanes_key *key, tl_sealed *m)
{
    const tl__level *level = b->l->level;
    const tl__gcm text = { m->nonce, m->payload, m->payload_n };
    uint8_t tag[TL_TAG_MAX];
    tl_span whole;
    if (tl__runs_whole(m, &whole))
        level->gmac(key->state, m->nonce, whole, tag);
    else if (m->cover == TL_COVER_ENCRYPTED && level->message_seal != NULL)
        (b->job == TL__PROTECT ? level->message_seal : level->message_open)(key->state, m->header, &text,
                                                                            tag);
    else
        gcm(b, key, m, tag);
    tl__batch_tag(b, m, tag);
    /* The right tag of a message that came with a wrong one is what a forger wants. */
    tl__forget(tag, sizeof tag);
}
