/* CHALLENGE and CHALLENGE_AUTH: the responder signs what was said so far, with the key of the slot's chain.
 *
 *   M1 = M2 = VCA | B | C     C: CHALLENGE, and CHALLENGE_AUTH without its signature */
#include <string.h>

#include "spdm/spdm.h"

enum { SLOT_MASK = 0x0F, BASIC_MUTUAL = 0x80 };

static tl_env env_of(const tl_spdm_connection *c, uint8_t summary, tl_err *e)
{
    tl_env env = c->env;

    *e = tl__summary_size(c, summary, &env);
    return env;
}

/* ---- requester ---- */

static tl_err build(tl_requester *rq, tl_wr *out)
{
    tl_spdm_connection *c = &rq->c;
    static const uint8_t zeros[TL_SPDM_CONTEXT];
    tl_spdm_challenge m;
    tl_env env = c->env;

    if (!(c->peer.flags & TL_CAP_CHAL))
        return tl__blame(rq, TL_E_POLICY, "the peer cannot be challenged", "");
    if (tl__summary_size(c, rq->ask.summary, &env) != TL_OK)
        return tl__blame(rq, TL_E_POLICY, "the peer has no such summary of measurements", "");
    TL_TRY(tl__spdm_random(c, rq->nonce, sizeof rq->nonce));
    m.nonce = tl_span_of(rq->nonce, sizeof rq->nonce);
    m.context = rq->ask.context.n == 0 ? tl_span_of(zeros, sizeof zeros) : rq->ask.context;
    tl__message_begin(c, TL_SPDM_CHALLENGE, c->peer.slot, rq->ask.summary, out);
    return tl_encode_spdm_challenge(&c->env, &m, out);
}

/* The fields, held to what was asked for. */
static tl_err fields_check(tl_requester *rq, const tl__message *a, const tl_spdm_challenge_auth *m)
{
    const tl_spdm_connection *c = &rq->c;
    const tl_spdm_peer *p = &c->peer;
    static const uint8_t zeros[TL_SPDM_CONTEXT];
    tl_span context = rq->ask.context.n == 0 ? tl_span_of(zeros, sizeof zeros) : rq->ask.context;

    if ((a->param1 & SLOT_MASK) != p->slot || (a->param1 & BASIC_MUTUAL))
        return tl__blame(rq, TL_E_WIRE_VALUE, "not the slot that was challenged", "Param1");
    if (!(a->param2 >> p->slot & 1))
        return tl__blame(rq, TL_E_WIRE_VALUE, "the slot mask lacks the slot", "Param2");
    if (!tl_equal(m->chain_hash, tl_span_of(p->chain_digest, c->env.len[TL_LEN_HASH])))
        return tl__blame(rq, TL_E_TAG, "the hash of another chain", "CertChainHash");
    TL_TRY(tl__blame(rq, tl__opaque_check(c, m->opaque), "opaque data is malformed", "OpaqueData"));
    if (c->env.version >= TL_SPDM_13 && !tl_equal(m->context, context))
        return tl__blame(rq, TL_E_WIRE_VALUE, "not the context that was sent", "RequesterContext");
    return TL_OK;
}

static tl_err accept(tl_requester *rq, const tl__message *a)
{
    tl_spdm_connection *c = &rq->c;
    tl_rd r = tl_rd_of(a->body);
    tl_spdm_challenge_auth m;
    tl_hash m2;
    tl_err e;
    tl_env env = env_of(c, rq->ask.summary, &e);

    TL_TRY(e);
    TL_TRY(tl_decode_spdm_challenge_auth(&env, &r, &m));
    TL_TRY(tl__message_end(&r));
    TL_TRY(fields_check(rq, a, &m));
    /* M2 = VCA | B | C */
    TL_TRY(
        tl__transcript_fork(c, c->m, tl__sent(rq), tl_span_of(a->whole.p, a->whole.n - m.signature.n), &m2));
    e = tl__spdm_check(c, TL__SIGN_CHALLENGE_AUTH, m2, m.signature);
    tl__transcript_drop(c, &m2);
    TL_TRY(tl__blame(rq, e, "the signature is wrong", "Signature"));
    tl__transcript_drop(c, &c->m);
    c->peer.authenticated = true;
    c->peer.summary_kind = rq->ask.summary;
    memset(c->peer.summary, 0, sizeof c->peer.summary);
    if (m.measurement_hash.n != 0)
        memcpy(c->peer.summary, m.measurement_hash.p, m.measurement_hash.n);
    return TL_OK;
}

const tl__step tl__challenge_step = {
    .name = "CHALLENGE",
    .clause = "DSP0274 1.3, CHALLENGE_AUTH response message",
    .request = TL_SPDM_CHALLENGE,
    .response = TL_SPDM_CHALLENGE_AUTH,
    .where = TL__IN_CLEAR,
    .slow = true,
    .build = build,
    .accept = accept,
};

/* ---- responder ---- */

static tl_err answer_write(tl_responder *r, const tl__message *q, const tl_spdm_identity *own, tl_wr *out,
                           size_t *sig_n)
{
    tl_spdm_connection *c = &r->c;
    tl_rd body = tl_rd_of(q->body);
    uint8_t chain[TL_HASH_MAX], nonce[TL_SPDM_NONCE], summary[TL_HASH_MAX];
    static const uint8_t no_signature[TL_SIGNATURE_MAX];
    tl_spdm_challenge m;
    tl_spdm_challenge_auth answer = { 0 };
    tl_err e;
    tl_env env = env_of(c, q->param2, &e);

    TL_TRY(e);
    TL_TRY(tl_decode_spdm_challenge(&c->env, &body, &m));
    TL_TRY(tl__message_end(&body));
    TL_TRY(tl__chain_digest(c, own, chain));
    TL_TRY(tl__spdm_random(c, nonce, sizeof nonce));
    if (q->param2 != TL_SPDM_SUMMARY_NONE)
        TL_TRY(tl__summary(r, q->param2, summary));
    answer.chain_hash = tl_span_of(chain, env.len[TL_LEN_HASH]);
    answer.nonce = tl_span_of(nonce, sizeof nonce);
    answer.measurement_hash = tl_span_of(summary, env.len[TL_LEN_MSH]);
    answer.context = m.context;
    answer.signature = tl_span_of(no_signature, env.len[TL_LEN_SIG]);
    *sig_n = answer.signature.n;
    tl__message_begin(c, TL_SPDM_CHALLENGE_AUTH, q->param1,
                      tl__slot_mask(c, r->config->slots, r->config->slots_n), out);
    return tl_encode_spdm_challenge_auth(&env, &answer, out);
}

tl_err tl__on_challenge(tl_responder *r, const tl__message *q, tl_wr *out)
{
    tl_spdm_connection *c = &r->c;
    const tl_spdm_identity *own = tl__slot(c, r->config->slots, r->config->slots_n, q->param1);
    size_t start = out->n, sig_n;
    tl_span said;
    tl_hash m1;
    tl_err e;

    if (own == NULL)
        return TL_E_REPLY_INVALID_REQUEST;
    TL_TRY(answer_write(r, q, own, out, &sig_n));
    said = tl_since(out, start);
    /* M1 = VCA | B | C */
    TL_TRY(tl__transcript_fork(c, c->m, q->whole, tl_span_of(said.p, said.n - sig_n), &m1));
    e = tl__spdm_sign(c, own, TL__SIGN_CHALLENGE_AUTH, m1, out->p + out->n - sig_n);
    tl__transcript_drop(c, &m1);
    TL_TRY(e);
    tl__transcript_drop(c, &c->m);
    return TL_OK;
}
