/* GET_DIGESTS and DIGESTS: which slots hold a chain for the negotiated algorithm, and each chain's digest. The chain that
 * CERTIFICATE brings is held to it. */
#include <string.h>

#include "spdm/spdm.h"

/* ---- requester ---- */

static tl_err build(tl_requester *rq, tl_wr *out)
{
    tl__message_begin(&rq->c, TL_SPDM_GET_DIGESTS, 0, 0, out);
    return TL_OK;
}

static unsigned slots_in(uint8_t mask)
{
    unsigned n = 0;

    for (; mask != 0; mask >>= 1)
        n += mask & 1u;
    return n;
}

/* One digest for each bit of the mask, in its order. */
static void digests_take(tl_spdm_connection *c, uint8_t mask, tl_span digests)
{
    size_t size = c->env.len[TL_LEN_HASH];
    tl_rd r = tl_rd_of(digests);

    memset(c->peer.digests, 0, sizeof c->peer.digests);
    for (unsigned slot = 0; slot < TL_SPDM_SLOTS; slot++) {
        const uint8_t *digest = (mask >> slot & 1) ? tl_take(&r, size) : NULL;

        if (digest != NULL)
            memcpy(c->peer.digests[slot], digest, size);
    }
    c->peer.slots = mask;
}

static tl_err accept(tl_requester *rq, const tl__message *a)
{
    tl_spdm_connection *c = &rq->c;
    uint8_t mask = a->param2, slot = rq->ask.slot;
    tl_hash next = c->m;

    if (a->body.n != slots_in(mask) * (size_t)c->env.len[TL_LEN_HASH])
        return tl__blame(rq, TL_E_WIRE, "the digests do not fit the slot mask", "Digest");
    if (slot >= TL_SPDM_SLOTS || !(mask >> slot & 1))
        return tl__blame(rq, TL_E_POLICY, "the slot that we want holds no chain", "Param2");
    if (c->env.version >= TL_SPDM_13 && (mask & ~a->param1))
        return tl__blame(rq, TL_E_WIRE_VALUE, "a chain in a slot that is not supported", "Param1");
    if (!a->secured)
        TL_TRY(tl__transcript_fork(c, c->m, tl__sent(rq), a->whole, &next));
    if (!a->secured)
        tl__transcript_move(c, &c->m, next);
    digests_take(c, mask, a->body);
    return TL_OK;
}

const tl__step tl__digests_step = {
    .name = "DIGESTS",
    .clause = "DSP0274 1.3, DIGESTS response message",
    .request = TL_SPDM_GET_DIGESTS,
    .response = TL_SPDM_DIGESTS,
    .where = TL__IN_CLEAR,
    .build = build,
    .accept = accept,
};

/* ---- responder ---- */

tl_err tl__on_get_digests(tl_responder *r, const tl__message *q, tl_wr *out)
{
    const tl_responder_config *config = r->config;
    tl_spdm_connection *c = &r->c;
    uint8_t mask = tl__slot_mask(c, config->slots, config->slots_n), digest[TL_HASH_MAX];
    tl_hash next;
    size_t start = out->n;

    if (q->body.n != 0)
        return TL_E_WIRE_TRAILING;
    tl__message_begin(c, TL_SPDM_DIGESTS, c->env.version >= TL_SPDM_13 ? mask : 0, mask, out);
    for (unsigned slot = 0; slot < TL_SPDM_SLOTS; slot++) {
        if (!(mask >> slot & 1))
            continue;
        TL_TRY(tl__chain_digest(c, &config->slots[slot], digest));
        tl_put_bytes(out, tl_span_of(digest, c->env.len[TL_LEN_HASH]));
    }
    if (out->bad)
        return TL_E_ROOM;
    if (q->secured)
        return TL_OK;
    TL_TRY(tl__transcript_fork(c, c->m, q->whole, tl_since(out, start), &next));
    tl__transcript_move(c, &c->m, next);
    return TL_OK;
}
