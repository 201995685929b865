/* Sessions: their records' way in and out, the change of keys, and their end.
 *
 *   TH  = VCA || Ct || KEY_EXCHANGE || KEY_EXCHANGE_RSP without signature and verify data     signed by the responder
 *   TH1 = TH || signature                                                                      handshake secrets
 *   TH  = TH1 || verify data || [Cm] || FINISH without signature and verify data               signed by the requester
 *   TH2 = TH || [signature] || verify data || FINISH_RSP                                       data secrets
 *
 * Ct and Cm are the digests of the responder's and the requester's chain (DSP0274 1.3, "Transcript and transcript hash
 * calculation rules"). DIGESTS is in TH with several keys per slot alone, which we do not negotiate.
 * Both directions count as the requester sees them: request_key is what it sends under. */
#include "spdm/session.h"

#include <string.h>

enum {
    RETRY_MAX = 160
}; /* bytes of a record that is tried under two keys: KEY_UPDATE and its answers are shorter */

/* ---- finding and ending ---- */

static tl_spdm_session *in_state(const tl_spdm_connection *c, tl_spdm_session_state state)
{
    for (size_t i = 0; i < c->sessions_n; i++)
        if (c->sessions[i].state == state)
            return &c->sessions[i];
    return NULL;
}

tl_spdm_session *tl__session_free(const tl_spdm_connection *c)
{
    return in_state(c, TL_SESSION_NONE);
}

tl_spdm_session *tl__session_asked(const tl_spdm_connection *c)
{
    return in_state(c, TL_SESSION_ASKED);
}

static tl_spdm_session *with_id(const tl_spdm_connection *c, uint32_t id)
{
    for (size_t i = 0; i < c->sessions_n; i++)
        if (c->sessions[i].state >= TL_SESSION_HANDSHAKE && c->sessions[i].id == id)
            return &c->sessions[i];
    return NULL;
}

bool tl__session_known(const tl_spdm_connection *c, uint32_t id)
{
    return with_id(c, id) != NULL;
}

static bool half_used(const tl_spdm_connection *c, uint16_t half)
{
    unsigned shift = c->role == TL_SPDM_REQUESTER ? 0 : 16;

    for (size_t i = 0; i < c->sessions_n; i++)
        if (c->sessions[i].state >= TL_SESSION_HANDSHAKE && (c->sessions[i].id >> shift & 0xFFFF) == half)
            return true;
    return half == 0;
}

/* A number in use is stepped over, so one draw is enough. */
tl_err tl__session_half(const tl_spdm_connection *c, uint16_t *half)
{
    uint8_t draw[2];

    TL_TRY(tl__spdm_random(c, draw, sizeof draw));
    *half = (uint16_t)(draw[0] | draw[1] << 8);
    while (half_used(c, *half))
        (*half)++;
    return TL_OK;
}

void tl__session_end(tl_spdm_connection *c, tl_spdm_session *s)
{
    const tl_crypto *k = c->crypto;

    k->ops->key_drop(k->ctx, s->exchange);
    k->ops->hash_drop(k->ctx, s->th);
    k->ops->hash_drop(k->ctx, s->l);
    tl_record_key_drop(&s->request_key, k);
    tl_record_key_drop(&s->response_key, k);
    tl_record_key_drop(&s->next_request, k);
    tl_record_key_drop(&s->next_response, k);
    tl_wipe(s, sizeof *s);
    if (c->session == s)
        c->session = NULL;
}

bool tl_session_established(const tl_spdm_session *session)
{
    return session != NULL && session->state == TL_SESSION_ESTABLISHED;
}

tl_err tl_session_export_secret(const tl_spdm_session *session, tl_secret *secret, tl_hash_alg *hash)
{
    *secret = (tl_secret){ 0 };
    *hash = TL_HASH_NONE;
    if (!tl_session_established(session))
        return TL_E_STATE;
    *secret = session->application.export_master;
    *hash = session->schedule.hash;
    return TL_OK;
}

tl_err tl_requester_use(tl_requester *rq, const tl_spdm_session *session)
{
    if (tl_requester_going(rq))
        return TL_E_STATE;
    for (size_t i = 0; i < rq->c.sessions_n; i++) {
        if (&rq->c.sessions[i] == session && tl_session_established(session)) {
            rq->c.session = &rq->c.sessions[i];
            return TL_OK;
        }
    }
    return TL_E_STATE;
}

/* ---- secrets and keys ---- */

tl_err tl__session_th(const tl_spdm_connection *c, tl_spdm_session *s, const uint8_t *chain_digest,
                      tl_span request, tl_span answer_signed)
{
    tl_hash h;
    tl_err e;

    TL_TRY(tl__transcript_start(c, &h));
    e = tl__transcript_add(c, h, tl_span_of(chain_digest, tl_hash_size(c->algs.hash)));
    if (e == TL_OK)
        e = tl__transcript_add(c, h, request);
    if (e == TL_OK)
        e = tl__transcript_add(c, h, answer_signed);
    if (e == TL_OK)
        tl__transcript_move(c, &s->th, h);
    else
        tl__transcript_drop(c, &h);
    return e;
}

tl_err tl__session_handshake(const tl_spdm_connection *c, tl_spdm_session *s, tl_span exchanged)
{
    uint8_t th1[TL_HASH_MAX];

    s->schedule = (tl_schedule){ c->crypto, c->env.version, c->algs.hash, c->algs.aead };
    TL_TRY(tl__transcript_digest(c, s->th, th1));
    TL_TRY(tl_schedule_handshake(&s->schedule, exchanged, tl_span_of(th1, tl_hash_size(c->algs.hash)),
                                 &s->handshake));
    TL_TRY(tl_record_key_derive(&s->schedule, &s->handshake.request, &s->request_key));
    return tl_record_key_derive(&s->schedule, &s->handshake.response, &s->response_key);
}

tl_err tl__session_verify_data(const tl_spdm_connection *c, const tl_spdm_session *s,
                               const tl_secret *direction, tl_hash th, uint8_t mac[TL_HASH_MAX])
{
    uint8_t digest[TL_HASH_MAX];

    TL_TRY(tl__transcript_digest(c, th, digest));
    return tl_schedule_verify_data(&s->schedule, direction, tl_span_of(digest, tl_hash_size(c->algs.hash)),
                                   mac);
}

tl_err tl__session_application(const tl_spdm_connection *c, tl_spdm_session *s, tl_hash th,
                               tl_span finish_rsp)
{
    tl_application_secrets made = { 0 };
    tl_record_key request = { 0 }, response = { 0 };
    uint8_t th2[TL_HASH_MAX];
    tl_err e = tl__transcript_add(c, th, finish_rsp);

    if (e == TL_OK)
        e = tl__transcript_digest(c, th, th2);
    if (e == TL_OK)
        e = tl_schedule_application(&s->schedule, &s->handshake.handshake,
                                    tl_span_of(th2, tl_hash_size(c->algs.hash)), &made);
    if (e == TL_OK)
        e = tl_record_key_derive(&s->schedule, &made.request, &request);
    if (e == TL_OK)
        e = tl_record_key_derive(&s->schedule, &made.response, &response);
    if (e == TL_OK) {
        tl_record_key_drop(&s->next_request, c->crypto); /* of a FINISH whose answer did not get out */
        tl_record_key_drop(&s->next_response, c->crypto);
        tl_wipe(&made.master, sizeof made.master);
        s->application = made;
        s->next_request = request;
        s->next_response = response;
    } else {
        tl_record_key_drop(&request, c->crypto);
    }
    tl_wipe(&made, sizeof made);
    tl_wipe(&request, sizeof request);
    tl_wipe(&response, sizeof response);
    return e;
}

void tl__session_switch(const tl_spdm_connection *c, tl_record_key *key, tl_record_key *next)
{
    tl_record_key_drop(key, c->crypto);
    *key = *next;
    tl_wipe(next, sizeof *next);
}

void tl__session_establish(tl_spdm_connection *c, tl_spdm_session *s)
{
    tl__session_switch(c, &s->request_key, &s->next_request);
    tl__session_switch(c, &s->response_key, &s->next_response);
    tl__transcript_drop(c, &s->th);
    tl_wipe(&s->handshake, sizeof s->handshake);
    s->state = s->after = TL_SESSION_ESTABLISHED;
}

tl_err tl__session_next(const tl_spdm_session *s, const tl_secret *direction, tl_record_key *next)
{
    tl_secret secret = *direction;
    tl_err e = tl_schedule_update(&s->schedule, &secret);

    tl_record_key_drop(next, s->schedule.crypto);
    if (e == TL_OK)
        e = tl_record_key_derive(&s->schedule, &secret, next);
    tl_wipe(&secret, sizeof secret);
    return e;
}

/* ---- records ---- */

static const tl_record_binding plain_binding = { 0, 0 };

static const tl_record_binding *binding_of(const tl_spdm_connection *c)
{
    return c->binding != NULL ? &c->binding->record : &plain_binding;
}

static tl_err open_with(tl_spdm_connection *c, tl_spdm_session *s, tl_record_key *key, tl_span record,
                        uint8_t *bytes, tl_span *message)
{
    tl_span application;

    TL_TRY(tl_record_open(&s->schedule, key, binding_of(c), s->id, (tl_buffer){ bytes, record.n },
                          &application));
    if (c->binding == NULL || c->binding->unwrap == NULL)
        *message = application;
    else
        TL_TRY(c->binding->unwrap(application, message));
    return TL_OK;
}

/* While keys change, a record may come under either. The new one is tried first; since a wrong tag costs the bytes, a copy
 * of a record that could be the old one's is kept. */
static tl_err open_either(tl_spdm_connection *c, tl_spdm_session *s, uint8_t *record, size_t n,
                          tl_span *message)
{
    bool responder = c->role == TL_SPDM_RESPONDER;
    tl_record_key *key = responder ? &s->request_key : &s->response_key;
    tl_record_key *next = responder ? &s->next_request : &s->next_response;
    uint8_t copy[RETRY_MAX];
    tl_err e;

    s->under_next = false;
    if (!next->held || s->state != TL_SESSION_ESTABLISHED)
        return open_with(c, s, key, tl_span_of(record, n), record, message);
    if (n <= sizeof copy)
        memcpy(copy, record, n);
    e = open_with(c, s, next, tl_span_of(record, n), record, message);
    if (e == TL_OK) {
        s->under_next = true;
    } else if (n <= sizeof copy) {
        memcpy(record, copy, n);
        e = open_with(c, s, key, tl_span_of(record, n), record, message);
    }
    return e;
}

/* While an update waits for its VerifyNewKey, nothing else is taken: the old key has no other use any more, and the new
 * one none yet. */
static tl_err allowed(const tl_spdm_connection *c, const tl_spdm_session *s, tl_span message)
{
    if (c->role == TL_SPDM_RESPONDER && s->update != 0 &&
        (message.n < TL__HEADER || message.p[1] != TL_SPDM_KEY_UPDATE))
        return TL_E_REPLY_UNEXPECTED_REQUEST;
    return TL_OK;
}

static tl_err answer_of_session(tl_spdm_connection *c, uint32_t id, uint8_t *record, size_t n,
                                tl_span *message)
{
    tl_spdm_session *s = c->session;

    if (s == NULL || s->id != id)
        return TL_E_WIRE_VALUE;
    return open_either(c, s, record, n, message);
}

/* A record that cannot be opened ends its session, whoever sent it. Each record counts for the sequence number of both
 * ends, which need not travel (DSP0277 1.1, "Per-message nonce derivation"), so that none behind it is sure to open; and
 * the answer, ERROR DecryptError, is what ends the application phase (DSP0274 1.3, "Session termination phase"). One of an
 * unknown session gets no answer. */
static tl_err request_of_session(tl_spdm_connection *c, uint32_t id, uint8_t *record, size_t n,
                                 tl_span *message)
{
    tl_spdm_session *s = with_id(c, id);
    tl_err e;

    c->session = s;
    if (s == NULL)
        return TL_E_REPLY;
    s->after = s->state; /* whatever an earlier message meant to follow, its answer did not get out */
    e = open_either(c, s, record, n, message);
    if (e == TL_OK)
        return allowed(c, s, *message);
    if ((int)e / 100 == (int)TL_E_BACKEND / 100)
        return e;
    tl__session_end(c, s);
    return TL_E_TAG;
}

static tl_err session_open(tl_spdm_connection *c, uint64_t now_ms, uint8_t *record, size_t n,
                           tl_span *message)
{
    uint32_t id;
    tl_err e;

    *message = tl_span_of(NULL, 0);
    if (tl_record_session(tl_span_of(record, n), &id) != TL_OK)
        return c->role == TL_SPDM_RESPONDER ? TL_E_REPLY : TL_E_WIRE_SHORT;
    e = c->role == TL_SPDM_RESPONDER ? request_of_session(c, id, record, n, message)
                                     : answer_of_session(c, id, record, n, message);
    if (e == TL_OK &&
        c->session->state == TL_SESSION_ESTABLISHED) /* a handshake has its time, whatever is said */
        c->session->heard_at = now_ms;
    return e;
}

static tl_err session_seal(tl_spdm_connection *c, tl_span message, tl_wr *out)
{
    tl_spdm_session *s = c->session;
    tl_record_key *key;
    size_t start;

    if (s == NULL)
        return TL_E_STATE;
    key = c->role == TL_SPDM_REQUESTER ? &s->request_key : &s->response_key;
    TL_TRY(tl_record_begin(key, binding_of(c), s->id, out, &start));
    if (c->binding == NULL || c->binding->wrap == NULL)
        tl_put_bytes(out, message);
    else if (c->binding->wrap(message, out) != TL_OK)
        out->bad = true; /* end wipes what stands there */
    return tl_record_end(&s->schedule, key, binding_of(c), start, out);
}

static tl_err session_sent(tl_spdm_connection *c, uint64_t now_ms)
{
    tl_spdm_session *s = c->session;

    if (s == NULL || s->after == s->state)
        return TL_OK;
    s->heard_at = now_ms;
    if (s->after == TL_SESSION_ESTABLISHED)
        tl__session_establish(c, s);
    else
        tl__session_end(c, s);
    return TL_OK;
}

static void session_drop(tl_spdm_connection *c)
{
    for (size_t i = 0; i < c->sessions_n; i++)
        if (c->sessions[i].state != TL_SESSION_NONE)
            tl__session_end(c, &c->sessions[i]);
    c->session = NULL;
}

/* A KEY_UPDATE that was refused has no next keys: records would be tried under them for ever. */
static void session_fail(tl_spdm_connection *c)
{
    tl_spdm_session *asked = tl__session_asked(c), *s = c->session;

    if (asked != NULL)
        tl__session_end(c, asked);
    if (s == NULL || s->state != TL_SESSION_ESTABLISHED)
        return;
    tl_record_key_drop(&s->next_request, c->crypto);
    tl_record_key_drop(&s->next_response, c->crypto);
    s->update = 0;
}

/* DSP0274 1.3, "HEARTBEAT request": a session that is not heard of for twice the period ends. */
static void session_tick(tl_spdm_connection *c, uint64_t now_ms)
{
    for (size_t i = 0; i < c->sessions_n; i++) {
        tl_spdm_session *s = &c->sessions[i];
        uint64_t limit = s->heartbeat_period * 2000u;

        if (s->state == TL_SESSION_ASKED || s->state == TL_SESSION_HANDSHAKE)
            limit = TL_SPDM_HANDSHAKE_MS;
        if (s->state != TL_SESSION_NONE && limit != 0 && now_ms - s->heard_at > limit)
            tl__session_end(c, s);
    }
}

const tl_spdm_session_ops tl__sessions = {
    .open = session_open,
    .seal = session_seal,
    .sent = session_sent,
    .drop = session_drop,
    .fail = session_fail,
    .tick = session_tick,
};
