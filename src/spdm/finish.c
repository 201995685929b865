/* FINISH and FINISH_RSP: both ends have seen the same handshake, and with mutual authentication the requester is who its
 * chain says (DSP0274 1.3, "FINISH request and FINISH_RSP response messages"). Inside the handshake's record keys: there is
 * no handshake in clear here, so FINISH_RSP has no verify data. session.c has the transcripts. */
#include "spdm/session.h"

enum { SIGNED = 1 };

/* Sizes of FINISH: the signature is the requester's, or there is none. */
static tl_env finish_env(const tl_spdm_connection *c, const tl_spdm_session *s)
{
    tl_env env = c->env;

    env.len[TL_LEN_SIG] = s->mutual ? (uint16_t)tl_sign_size(c->algs.req_sign) : 0;
    return env;
}

/* ---- requester ---- */

/* TH so far || Cm || FINISH up to its signature, then the signature itself. */
static tl_err sign(tl_requester *rq, tl_spdm_session *s, size_t from, tl_wr *out)
{
    tl_spdm_connection *c = &rq->c;
    const tl_spdm_identity *own = tl__slot(c, rq->config->slots, rq->config->slots_n, s->req_slot);
    uint8_t chain[TL_HASH_MAX], signature[TL_SIGNATURE_MAX];
    tl_span sig = tl_span_of(signature, tl_sign_size(c->algs.req_sign));

    if (own == NULL)
        return TL_E_STATE;
    TL_TRY(tl__chain_digest(c, own, chain));
    TL_TRY(tl__transcript_add(c, s->th, tl_span_of(chain, tl_hash_size(c->algs.hash))));
    TL_TRY(tl__transcript_add(c, s->th, tl_since(out, from)));
    TL_TRY(tl__spdm_sign(c, own, TL__SIGN_FINISH, s->th, signature));
    TL_TRY(tl__transcript_add(c, s->th, sig));
    tl_put_bytes(out, sig);
    return TL_OK;
}

static tl_err build(tl_requester *rq, tl_wr *out)
{
    tl_spdm_connection *c = &rq->c;
    tl_spdm_session *s = c->session;
    const tl_spdm_finish m = { 0 };
    tl_env env = c->env;
    uint8_t mac[TL_HASH_MAX];
    tl_span data = tl_span_of(mac, tl_hash_size(c->algs.hash));
    size_t from = out->n;

    if (s == NULL || s->state != TL_SESSION_HANDSHAKE || s->begun_by != TL_SPDM_KEY_EXCHANGE)
        return tl__blame(rq, TL_E_STATE, "no session waits for its finish", "");
    env.len[TL_LEN_SIG] = env.len[TL_LEN_HMAC] = 0; /* they follow */
    tl__message_begin(c, TL_SPDM_FINISH, s->mutual ? SIGNED : 0, s->mutual ? s->req_slot : 0, out);
    TL_TRY(tl_encode_spdm_finish(&env, &m, out));
    if (s->mutual)
        TL_TRY(sign(rq, s, from, out));
    else
        TL_TRY(tl__transcript_add(c, s->th, tl_since(out, from)));
    TL_TRY(tl__session_verify_data(c, s, &s->handshake.request, s->th, mac));
    TL_TRY(tl__transcript_add(c, s->th, data));
    tl_put_bytes(out, data);
    return out->bad ? TL_E_ROOM : TL_OK;
}

static tl_err accept(tl_requester *rq, const tl__message *a)
{
    tl_spdm_connection *c = &rq->c;
    tl_rd r = tl_rd_of(a->body);
    tl_env env = c->env;
    tl_spdm_finish_rsp m;
    tl_err e;

    env.len[TL_LEN_HMAC] = 0;
    e = tl_decode_spdm_finish_rsp(&env, &r, &m);
    if (e == TL_OK)
        e = tl__message_end(&r);
    if (e != TL_OK)
        return tl__blame(rq, e, "the answer is not as long as it must be", "");
    TL_TRY(tl__session_application(c, c->session, c->session->th, a->whole));
    c->session->heard_at = a->now_ms;
    tl__session_establish(c, c->session);
    return TL_OK;
}

const tl__step tl__finish_step = {
    .name = "FINISH",
    .clause = "DSP0274 1.3, FINISH_RSP response message",
    .request = TL_SPDM_FINISH,
    .response = TL_SPDM_FINISH_RSP,
    .where = TL__IN_HANDSHAKE,
    .slow = true,
    .build = build,
    .accept = accept,
};

/* ---- responder ---- */

static tl_err read_request(const tl_spdm_connection *c, const tl__message *q, tl_spdm_finish *m)
{
    const tl_spdm_session *s = c->session;
    tl_env env = finish_env(c, s);
    tl_rd r = tl_rd_of(q->body);

    if (s->begun_by != TL_SPDM_KEY_EXCHANGE)
        return TL_E_REPLY_UNEXPECTED_REQUEST;
    if (((q->param1 & SIGNED) != 0) != s->mutual || (s->mutual && q->param2 != s->req_slot))
        return TL_E_REPLY_INVALID_REQUEST;
    if (tl_decode_spdm_finish(&env, &r, m) != TL_OK || !tl_rd_end(&r))
        return TL_E_REPLY_INVALID_REQUEST;
    return TL_OK;
}

/* Goes through th with the request; TL_E_TAG: signature or verify data are wrong. */
static tl_err check_request(const tl_spdm_connection *c, const tl__message *q, const tl_spdm_finish *m,
                            tl_hash th)
{
    const tl_spdm_session *s = c->session;
    size_t n = tl_hash_size(c->algs.hash);
    uint8_t mac[TL_HASH_MAX];

    if (s->mutual)
        TL_TRY(tl__transcript_add(c, th, tl_span_of(c->peer.chain_digest, n)));
    TL_TRY(tl__transcript_add(c, th, tl_span_of(q->whole.p, q->whole.n - m->signature.n - m->verify_data.n)));
    if (s->mutual) {
        TL_TRY(tl__spdm_check(c, TL__SIGN_FINISH, th, m->signature));
        TL_TRY(tl__transcript_add(c, th, m->signature));
    }
    TL_TRY(tl__session_verify_data(c, s, &s->handshake.request, th, mac));
    if (!tl_equal(tl_span_of(mac, n), m->verify_data))
        return TL_E_TAG;
    return tl__transcript_add(c, th, m->verify_data);
}

/* The answer, and what follows from it; keys change when it is out. */
static tl_err answer(tl_spdm_connection *c, tl_hash th, tl_wr *out)
{
    const tl_spdm_finish_rsp m = { 0 };
    tl_env env = c->env;
    size_t from = out->n;

    env.len[TL_LEN_HMAC] = 0;
    tl__message_begin(c, TL_SPDM_FINISH_RSP, 0, 0, out);
    TL_TRY(tl_encode_spdm_finish_rsp(&env, &m, out));
    return tl__session_application(c, c->session, th, tl_since(out, from));
}

tl_err tl__on_finish(tl_responder *r, const tl__message *q, tl_wr *out)
{
    tl_spdm_connection *c = &r->c;
    tl_spdm_session *s = c->session;
    const tl_span none = tl_span_of(NULL, 0);
    tl_spdm_finish m;
    tl_hash th;
    tl_err e;

    TL_TRY(read_request(c, q, &m));
    TL_TRY(tl__transcript_fork(c, s->th, none, none, &th));
    e = check_request(c, q, &m, th);
    if (e == TL_E_TAG) {
        s->after =
            TL_SESSION_NONE; /* the answer goes out under the handshake's keys, the last of this session */
        e = TL_E_REPLY_DECRYPT_ERROR;
    } else if (e == TL_OK) {
        e = answer(c, th, out);
    }
    tl__transcript_drop(c, &th);
    if (e != TL_OK)
        return e;
    c->peer.authenticated = s->mutual;
    s->after = TL_SESSION_ESTABLISHED;
    return TL_OK;
}
