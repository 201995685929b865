/* Signatures of 1.2 and later (DSP0274 1.3, "Signature generation"): the signed digest is
 *
 *   Hash(prefix | Hash(transcript))
 *   prefix = "dmtf-spdm-v1.x.*" four times | zeros | context     100 bytes in all
 *
 * so that a signature serves for one version and one purpose. */
#include <string.h>

#include "spdm/spdm.h"

enum { VERSION_TEXT = 16, PREFIX = 100, CONTEXT = PREFIX - 4 * VERSION_TEXT };

static const char *context_of(tl__signing what)
{
    switch (what) {
    case TL__SIGN_CHALLENGE_AUTH: return "responder-challenge_auth signing";
    case TL__SIGN_MEASUREMENTS: return "responder-measurements signing";
    case TL__SIGN_KEY_EXCHANGE_RSP: return "responder-key_exchange_rsp signing";
    case TL__SIGN_FINISH: return "requester-finish signing";
    }
    return "";
}

static void prefix_write(uint8_t version, tl__signing what, uint8_t prefix[PREFIX])
{
    const char *context = context_of(what);
    const char digit = (char)('0' + (version & 0x0F));
    const char text[VERSION_TEXT] = { 'd', 'm', 't', 'f', '-', 's',   'p', 'd',
                                      'm', '-', 'v', '1', '.', digit, '.', '*' };
    size_t n = 0;

    memset(prefix, 0, PREFIX);
    for (size_t i = 0; i < 4; i++)
        memcpy(prefix + i * VERSION_TEXT, text, VERSION_TEXT);
    while (n < CONTEXT && context[n] != '\0')
        n++;
    memcpy(prefix + PREFIX - n, context, n);
}

static tl_err signed_digest(const tl_spdm_connection *c, tl__signing what, tl_hash h,
                            uint8_t digest[TL_HASH_MAX])
{
    uint8_t prefix[PREFIX], inner[TL_HASH_MAX];
    const tl_span parts[] = { tl_span_of(prefix, PREFIX), tl_span_of(inner, tl_hash_size(c->algs.hash)) };

    TL_TRY(tl__transcript_digest(c, h, inner));
    prefix_write(c->env.version, what, prefix);
    return tl__digest(c, c->algs.hash, parts, 2, digest);
}

tl_err tl__spdm_sign(const tl_spdm_connection *c, const tl_spdm_identity *own, tl__signing what, tl_hash h,
                     uint8_t *signature)
{
    uint8_t digest[TL_HASH_MAX];
    const tl_digest d = { c->algs.hash, tl_span_of(digest, tl_hash_size(c->algs.hash)) };

    TL_TRY(signed_digest(c, what, h, digest));
    return c->crypto->ops->sign(c->crypto->ctx, own->key, own->alg, d, signature);
}

tl_err tl__spdm_check(const tl_spdm_connection *c, tl__signing what, tl_hash h, tl_span signature)
{
    uint8_t digest[TL_HASH_MAX];
    const tl_digest d = { c->algs.hash, tl_span_of(digest, tl_hash_size(c->algs.hash)) };
    const tl_spdm_peer *p = &c->peer;
    bool right = false;

    if (!p->chain_right)
        return TL_E_STATE;
    TL_TRY(signed_digest(c, what, h, digest));
    TL_TRY(c->crypto->ops->check_signature(c->crypto->ctx, p->facts.key, p->facts.alg, d, signature, &right));
    return right ? TL_OK : TL_E_TAG;
}
