/* KEY_EXCHANGE and KEY_EXCHANGE_RSP: an ECDH exchange that the responder signs, and the keys of the handshake
 * (DSP0274 1.3, "KEY_EXCHANGE request and KEY_EXCHANGE_RSP response messages"). session.c has the transcripts.
 *
 * Mutual authentication goes without the encapsulated flow: the responder has the requester's chain already
 * (provisioned, or told before), checks it here, and the signature in FINISH proves the key. */
#include "spdm/session.h"

enum { MUTUAL = 1, REQUESTER_SLOT = 0, EVENT_ALL = 2 };

/* ---- requester ---- */

static tl_err write_request(tl_requester *rq, tl_spdm_session *s, const uint8_t *point, tl_wr *out)
{
    const tl_spdm_connection *c = &rq->c;
    uint8_t random[TL_SPDM_NONCE], opaque[TL__SECURED_OPAQUE_MAX];
    tl_wr o = tl_wr_of(opaque, sizeof opaque);
    tl_spdm_key_exchange m = { .session_id = s->half, .random = tl_span_of(random, sizeof random) };

    TL_TRY(tl__spdm_random(c, random, sizeof random));
    tl__secured_versions_write(&o);
    m.exchange = tl_span_of(point, c->env.len[TL_LEN_KEX]);
    m.opaque = tl_written(&o);
    tl__message_begin(c, TL_SPDM_KEY_EXCHANGE, rq->ask.summary, rq->ask.slot, out);
    return tl_encode_spdm_key_exchange(&c->env, &m, out);
}

static tl_err build(tl_requester *rq, tl_wr *out)
{
    tl_spdm_connection *c = &rq->c;
    tl_spdm_session *s = tl__session_free(c);
    uint8_t point[TL_POINT_MAX];
    tl_err e;

    if (s == NULL)
        return tl__blame(rq, TL_E_STATE, "there is no memory for another session", "");
    if (!c->peer.chain_right || c->peer.slot != rq->ask.slot)
        return tl__blame(rq, TL_E_STATE, "the chain of this slot was not read", "");
    e = tl__session_half(c, &s->half);
    if (e == TL_OK)
        e = c->crypto->ops->exchange_start(c->crypto->ctx, c->algs.group, &s->exchange, point);
    if (e == TL_OK)
        e = write_request(rq, s, point, out);
    if (e != TL_OK) {
        tl__session_end(c, s);
        return e;
    }
    s->state = s->after = TL_SESSION_ASKED;
    s->begun_by = TL_SPDM_KEY_EXCHANGE;
    return TL_OK;
}

static tl_err read_answer(tl_requester *rq, const tl__message *a, tl_spdm_key_exchange_rsp *m)
{
    tl_rd r = tl_rd_of(a->body);
    tl_env env = rq->c.env;

    TL_TRY(tl__summary_size(&rq->c, rq->ask.summary, &env));
    TL_TRY(tl_decode_spdm_key_exchange_rsp(&env, &r, m));
    return tl__message_end(&r);
}

/* What the answer chooses must be within what both ends can. */
static tl_err check_choices(tl_requester *rq, const tl__message *a, const tl_spdm_key_exchange_rsp *m,
                            tl_spdm_session *s)
{
    tl_spdm_connection *c = &rq->c;
    uint32_t id = m->session_id << 16 | s->half;

    if (a->param1 != 0 && !tl__both(c, TL_CAP_HBEAT))
        return tl__blame(rq, TL_E_WIRE_VALUE, "there are no heartbeats", "HeartbeatPeriod");
    if (m->session_id == 0 || tl__session_known(c, id))
        return tl__blame(rq, TL_E_WIRE_VALUE, "the session's id is 0 or in use", "RspSessionID");
    if (m->mut_auth_requested != 0 && m->mut_auth_requested != MUTUAL)
        return tl__blame(rq, TL_E_POLICY, "the encapsulated flow is not served", "MutAuthRequested");
    if (m->mut_auth_requested == MUTUAL) {
        if (!tl__both(c, TL_CAP_MUT_AUTH))
            return tl__blame(rq, TL_E_WIRE_VALUE, "mutual authentication was not agreed", "MutAuthRequested");
        if (tl__slot(c, rq->config->slots, rq->config->slots_n, m->slot) == NULL)
            return tl__blame(rq, TL_E_POLICY, "there is no certificate of ours in the slot", "SlotIDParam");
    }
    if (tl__secured_selection_check(m->opaque) != TL_OK)
        return tl__blame(rq, TL_E_WIRE_VALUE, "no version of secured messages that was offered",
                         "OpaqueData");
    s->id = id;
    s->mutual = m->mut_auth_requested == MUTUAL;
    s->req_slot = (uint8_t)m->slot;
    s->heartbeat_period = a->param1;
    return TL_OK;
}

/* TH || signature: the peer is who its chain says. */
static tl_err check_signature(tl_requester *rq, const tl__message *a, const tl_spdm_key_exchange_rsp *m,
                              tl_spdm_session *s)
{
    tl_spdm_connection *c = &rq->c;
    tl_span before = tl_span_of(a->whole.p, a->whole.n - m->signature.n - m->verify_data.n);
    tl_err e;

    TL_TRY(tl__session_th(c, s, c->peer.chain_digest, tl__sent(rq), before));
    e = tl__spdm_check(c, TL__SIGN_KEY_EXCHANGE_RSP, s->th, m->signature);
    if (e == TL_E_TAG)
        return tl__blame(rq, e, "the signature is wrong", "Signature");
    TL_TRY(e);
    return tl__transcript_add(c, s->th, m->signature);
}

static tl_err check_keys(tl_requester *rq, const tl_spdm_key_exchange_rsp *m, tl_spdm_session *s)
{
    tl_spdm_connection *c = &rq->c;
    size_t n = tl_hash_size(c->algs.hash);
    uint8_t secret[TL_SECRET_MAX], mac[TL_HASH_MAX];
    tl_err e = c->crypto->ops->exchange_end(c->crypto->ctx, s->exchange, m->exchange, secret);

    s->exchange = (tl_key){ 0 };
    if (e == TL_OK)
        e = tl__session_handshake(c, s, tl_span_of(secret, tl_group_size(c->algs.group)));
    tl_wipe(secret, sizeof secret);
    if (e == TL_E_POINT)
        return tl__blame(rq, e, "the point is not on the curve", "ExchangeData");
    TL_TRY(e);
    TL_TRY(tl__session_verify_data(c, s, &s->handshake.response, s->th, mac));
    if (!tl_equal(tl_span_of(mac, n), m->verify_data))
        return tl__blame(rq, TL_E_TAG, "the verify data is wrong", "ResponderVerifyData");
    return tl__transcript_add(c, s->th, m->verify_data);
}

static void note_summary(tl_requester *rq, const tl_spdm_key_exchange_rsp *m)
{
    tl_spdm_peer *p = &rq->c.peer;

    p->authenticated = true;
    p->summary_kind = rq->ask.summary;
    for (size_t i = 0; i < sizeof p->summary; i++)
        p->summary[i] = i < m->measurement_hash.n ? m->measurement_hash.p[i] : 0;
}

static tl_err accept(tl_requester *rq, const tl__message *a)
{
    tl_spdm_session *s = tl__session_asked(&rq->c);
    tl_spdm_key_exchange_rsp m;
    tl_err e;

    if (s == NULL)
        return tl__blame(rq, TL_E_STATE, "the session is over", "");
    e = read_answer(rq, a, &m);
    if (e != TL_OK)
        e = tl__blame(rq, e, "the answer is not as long as it must be", "");
    if (e == TL_OK)
        e = check_choices(rq, a, &m, s);
    if (e == TL_OK)
        e = check_signature(rq, a, &m, s);
    if (e == TL_OK)
        e = check_keys(rq, &m, s);
    if (e != TL_OK) {
        tl__session_end(&rq->c, s);
        return e;
    }
    s->heard_at = a->now_ms;
    s->state = s->after = TL_SESSION_HANDSHAKE;
    rq->c.session = s;
    note_summary(rq, &m);
    return TL_OK;
}

const tl__step tl__key_exchange_step = {
    .name = "KEY_EXCHANGE",
    .clause = "DSP0274 1.3, KEY_EXCHANGE_RSP response message",
    .request = TL_SPDM_KEY_EXCHANGE,
    .response = TL_SPDM_KEY_EXCHANGE_RSP,
    .where = TL__IN_CLEAR,
    .slow = true,
    .build = build,
    .accept = accept,
};

/* ---- responder ---- */

/* What the handler learns of a request before it begins a session. */
typedef struct opening {
    tl_spdm_key_exchange m;
    const tl_spdm_identity *own;
    tl_env env; /* of the answer */
    uint16_t secured_version;
    bool mutual;
} opening;

static tl_err read_request(const tl_responder *r, const tl__message *q, opening *o)
{
    const tl_spdm_connection *c = &r->c;
    tl_rd rd = tl_rd_of(q->body);

    *o = (opening){ .env = c->env };
    o->own = tl__slot(c, r->config->slots, r->config->slots_n, q->param2);
    if (o->own == NULL || tl__summary_size(c, q->param1, &o->env) != TL_OK)
        return TL_E_REPLY_INVALID_REQUEST;
    if (tl_decode_spdm_key_exchange(&c->env, &rd, &o->m) != TL_OK || !tl_rd_end(&rd))
        return TL_E_REPLY_INVALID_REQUEST;
    if (c->env.version >= TL_SPDM_13 && (o->m.session_policy & EVENT_ALL) != 0)
        return TL_E_REPLY_INVALID_REQUEST;
    if (tl__secured_version_pick(o->m.opaque, &o->secured_version) != TL_OK)
        return TL_E_REPLY_INVALID_REQUEST;
    return TL_OK;
}

static bool session_stands(const tl_spdm_connection *c)
{
    for (size_t i = 0; i < c->sessions_n; i++)
        if (c->sessions[i].state == TL_SESSION_ESTABLISHED)
            return true;
    return false;
}

/* The requester that proves itself now. What is known of it holds for all sessions of the connection, so while one stands
 * no other requester takes its place; and a request in clear takes nothing from what is proved. */
static tl_err trust_requester(tl_responder *r)
{
    tl_spdm_connection *c = &r->c;
    bool stand = session_stands(c), proved = c->peer.authenticated;
    uint8_t digest[TL_HASH_MAX];
    tl_err e;

    if (stand) {
        TL_TRY(tl__peer_chain_digest(c, r->config->peer_chain, digest));
        if (!tl_equal(tl_span_of(digest, sizeof digest), tl_span_of(c->peer.chain_digest, sizeof digest)))
            return TL_E_REPLY_UNEXPECTED_REQUEST;
    }
    e = tl__chain_trust(c, r->config->trust, r->config->peer_chain);
    c->peer.authenticated = e == TL_OK && stand && proved;
    return e == TL_E_CHAIN ? TL_E_REPLY_UNSPECIFIED : e;
}

/* Whether the requester must sign, and who it is then. A requester that must and has no right chain gets no session. */
static tl_err check_requester(tl_responder *r, opening *o)
{
    const tl_spdm_connection *c = &r->c;

    o->mutual = r->config->trust != NULL && tl__both(c, TL_CAP_MUT_AUTH) && c->algs.req_sign != TL_SIGN_NONE;
    if (!o->mutual)
        return TL_OK;
    if (r->config->peer_chain.n == 0)
        return TL_E_REPLY_UNEXPECTED_REQUEST;
    return trust_requester(r);
}

static tl_err exchange(tl_spdm_connection *c, tl_span peer_point, uint8_t *point, uint8_t *secret)
{
    tl_key own = { 0 };
    tl_err e;

    TL_TRY(c->crypto->ops->exchange_start(c->crypto->ctx, c->algs.group, &own, point));
    e = c->crypto->ops->exchange_end(c->crypto->ctx, own, peer_point, secret);
    return e == TL_E_POINT ? TL_E_REPLY_INVALID_REQUEST : e;
}

/* The answer up to its signature. */
static tl_err write_answer(tl_responder *r, const tl__message *q, const opening *o, tl_spdm_session *s,
                           const uint8_t *point, tl_wr *out)
{
    tl_spdm_connection *c = &r->c;
    uint8_t random[TL_SPDM_NONCE], opaque[TL__SECURED_OPAQUE_MAX], summary[TL_HASH_MAX];
    tl_wr w = tl_wr_of(opaque, sizeof opaque);
    tl_env env = o->env;
    tl_spdm_key_exchange_rsp m = { .mut_auth_requested = o->mutual ? MUTUAL : 0, .slot = s->req_slot };

    TL_TRY(tl__session_half(c, &s->half));
    TL_TRY(tl__spdm_random(c, random, sizeof random));
    if (env.len[TL_LEN_MSH] != 0)
        TL_TRY(tl__summary(r, q->param1, summary));
    tl__secured_selection_write(o->secured_version, &w);
    m.session_id = s->half;
    m.random = tl_span_of(random, sizeof random);
    m.exchange = tl_span_of(point, env.len[TL_LEN_KEXR]);
    m.measurement_hash = tl_span_of(summary, env.len[TL_LEN_MSH]);
    m.opaque = tl_written(&w);
    env.len[TL_LEN_SIG] = env.len[TL_LEN_HMAC] = 0; /* they follow */
    tl__message_begin(c, TL_SPDM_KEY_EXCHANGE_RSP, s->heartbeat_period, 0, out);
    return tl_encode_spdm_key_exchange_rsp(&env, &m, out);
}

/* Signature, keys and verify data, from TH and TH1. */
static tl_err conclude(tl_responder *r, const opening *o, tl_spdm_session *s, tl_span secret, tl_wr *out)
{
    tl_spdm_connection *c = &r->c;
    uint8_t signature[TL_SIGNATURE_MAX], mac[TL_HASH_MAX];
    const tl_span sig = tl_span_of(signature, c->env.len[TL_LEN_SIG]);
    const tl_span data = tl_span_of(mac, c->env.len[TL_LEN_HMAC]);

    TL_TRY(tl__spdm_sign(c, o->own, TL__SIGN_KEY_EXCHANGE_RSP, s->th, signature));
    TL_TRY(tl__transcript_add(c, s->th, sig));
    TL_TRY(tl__session_handshake(c, s, secret));
    TL_TRY(tl__session_verify_data(c, s, &s->handshake.response, s->th, mac));
    TL_TRY(tl__transcript_add(c, s->th, data));
    tl_put_bytes(out, sig);
    tl_put_bytes(out, data);
    return out->bad ? TL_E_ROOM : TL_OK;
}

static tl_err begin(tl_responder *r, const tl__message *q, const opening *o, tl_spdm_session *s, tl_wr *out)
{
    tl_spdm_connection *c = &r->c;
    uint8_t point[TL_POINT_MAX], secret[TL_SECRET_MAX] = { 0 }, chain[TL_HASH_MAX];
    size_t from = out->n;
    tl_err e = exchange(c, o->m.exchange, point, secret);

    s->mutual = o->mutual;
    s->req_slot = REQUESTER_SLOT;
    s->heartbeat_period = tl__both(c, TL_CAP_HBEAT) ? r->config->heartbeat_period : 0;
    if (e == TL_OK)
        e = write_answer(r, q, o, s, point, out);
    if (e == TL_OK)
        e = tl__chain_digest(c, o->own, chain);
    if (e == TL_OK)
        e = tl__session_th(c, s, chain, q->whole, tl_since(out, from));
    if (e == TL_OK)
        e = conclude(r, o, s, tl_span_of(secret, tl_group_size(c->algs.group)), out);
    tl_wipe(secret, sizeof secret);
    return e;
}

tl_err tl__on_key_exchange(tl_responder *r, const tl__message *q, tl_wr *out)
{
    tl_spdm_connection *c = &r->c;
    tl_spdm_session *s = tl__session_free(c);
    opening o;
    tl_err e;

    TL_TRY(read_request(r, q, &o));
    if (s == NULL)
        return TL_E_REPLY_SESSION_LIMIT_EXCEEDED;
    TL_TRY(check_requester(r, &o));
    e = begin(r, q, &o, s, out);
    if (e != TL_OK) {
        tl__session_end(c, s);
        return e;
    }
    s->id = (uint32_t)s->half << 16 | o.m.session_id;
    s->begun_by = TL_SPDM_KEY_EXCHANGE;
    s->heard_at = q->now_ms;
    s->state = s->after = TL_SESSION_HANDSHAKE;
    return TL_OK;
}
