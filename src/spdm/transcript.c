/* Transcripts.
 *
 *   VCA = GET_VERSION | VERSION | GET_CAPABILITIES | CAPABILITIES | NEGOTIATE_ALGORITHMS | ALGORITHMS
 *   M1, M2 = VCA | B | C     B: DIGESTS and CERTIFICATE exchanges, C: CHALLENGE without the signature
 *   L1, L2 = VCA | MEASUREMENTS exchanges in a row, the last without its signature
 *
 * VCA stays as bytes: the hash is agreed in its last message. M and L are running hashes that begin with VCA when their
 * first message comes. An exchange forks them, and the fork takes their place only when nothing can fail any more. */
#include <string.h>

#include "spdm/spdm.h"

/* ---- VCA ---- */

tl_err tl__vca_add(tl_spdm_connection *c, tl_span request, tl_span response)
{
    tl_wr w = tl_wr_of(c->vca + c->vca_n, sizeof c->vca - c->vca_n);

    tl_put_bytes(&w, request);
    tl_put_bytes(&w, response);
    if (w.bad)
        return TL_E_LIMIT;
    c->vca_request = c->vca_n;
    c->vca_response = (uint16_t)(c->vca_n + request.n);
    c->vca_n = (uint16_t)(c->vca_n + w.n);
    return TL_OK;
}

tl_span tl__vca(const tl_spdm_connection *c)
{
    return tl_span_of(c->vca, c->vca_n);
}

tl_err tl__vca_again(const tl_spdm_connection *c, tl_span request, tl_wr *out)
{
    tl_span last = tl_span_of(c->vca + c->vca_request, (size_t)(c->vca_response - c->vca_request));

    if (!tl_equal(request, last))
        return TL_E_REPLY_UNEXPECTED_REQUEST;
    tl_put_bytes(out, tl_span_of(c->vca + c->vca_response, (size_t)(c->vca_n - c->vca_response)));
    return out->bad ? TL_E_ROOM : TL_OK;
}

/* ---- running hashes ---- */

tl_err tl__transcript_start(const tl_spdm_connection *c, tl_hash *h)
{
    tl_err e;

    *h = (tl_hash){ 0 };
    TL_TRY(c->crypto->ops->hash_start(c->crypto->ctx, c->algs.hash, h));
    e = tl__transcript_add(c, *h, tl__vca(c));
    if (e != TL_OK)
        tl__transcript_drop(c, h);
    return e;
}

tl_err tl__transcript_add(const tl_spdm_connection *c, tl_hash h, tl_span bytes)
{
    return c->crypto->ops->hash_add(c->crypto->ctx, h, bytes);
}

tl_err tl__transcript_digest(const tl_spdm_connection *c, tl_hash h, uint8_t digest[TL_HASH_MAX])
{
    tl_hash copy = { 0 };
    tl_err e;

    memset(digest, 0, TL_HASH_MAX);
    TL_TRY(c->crypto->ops->hash_clone(c->crypto->ctx, h, &copy));
    e = c->crypto->ops->hash_end(c->crypto->ctx, copy, digest);
    if (e != TL_OK)
        tl__transcript_drop(c, &copy);
    return e;
}

tl_err tl__transcript_fork(const tl_spdm_connection *c, tl_hash h, tl_span a, tl_span b, tl_hash *to)
{
    tl_err e;

    *to = (tl_hash){ 0 };
    if (h.slot == 0)
        TL_TRY(tl__transcript_start(c, to));
    else
        TL_TRY(c->crypto->ops->hash_clone(c->crypto->ctx, h, to));
    e = tl__transcript_add(c, *to, a);
    if (e == TL_OK)
        e = tl__transcript_add(c, *to, b);
    if (e != TL_OK)
        tl__transcript_drop(c, to);
    return e;
}

void tl__transcript_drop(const tl_spdm_connection *c, tl_hash *h)
{
    c->crypto->ops->hash_drop(c->crypto->ctx, *h);
    *h = (tl_hash){ 0 };
}

void tl__transcript_move(const tl_spdm_connection *c, tl_hash *h, tl_hash next)
{
    tl__transcript_drop(c, h);
    *h = next;
}

tl_err tl__digest(const tl_spdm_connection *c, tl_hash_alg alg, const tl_span *parts, size_t n,
                  uint8_t digest[TL_HASH_MAX])
{
    const tl_crypto *k = c->crypto;
    tl_hash h = { 0 };
    tl_err e;

    memset(digest, 0, TL_HASH_MAX);
    TL_TRY(k->ops->hash_start(k->ctx, alg, &h));
    e = TL_OK;
    for (size_t i = 0; i < n && e == TL_OK; i++)
        e = k->ops->hash_add(k->ctx, h, parts[i]);
    if (e == TL_OK)
        e = k->ops->hash_end(k->ctx, h, digest);
    if (e != TL_OK)
        k->ops->hash_drop(k->ctx, h);
    return e;
}

/* ---- resets ---- */

tl_hash *tl__l(tl_spdm_connection *c, bool secured)
{
    return secured && c->session != NULL ? &c->session->l : &c->l;
}

void tl__transcript_request(tl_spdm_connection *c, uint8_t code, bool secured)
{
    /* DSP0274 1.3, MEASUREMENTS response message: any other request ends L1 and L2. */
    if (code != TL_SPDM_GET_MEASUREMENTS)
        tl__transcript_drop(c, tl__l(c, secured));
    /* DSP0274 1.3, CHALLENGE_AUTH response message: these skip a challenge, and GET_DIGESTS begins anew. */
    switch (code) {
    case TL_SPDM_GET_DIGESTS:
        if (secured)
            return;
        break;
    case TL_SPDM_GET_MEASUREMENTS:
    case TL_SPDM_KEY_EXCHANGE:
    case TL_SPDM_FINISH:
    case TL_SPDM_HEARTBEAT:
    case TL_SPDM_KEY_UPDATE:
    case TL_SPDM_END_SESSION: break;
    default: return;
    }
    tl__transcript_drop(c, &c->m);
}
