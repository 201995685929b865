/* KEY_UPDATE and KEY_UPDATE_ACK: new keys inside a session (DSP0274 1.3, "KEY_UPDATE request").
 *
 *   requester                                        responder
 *   UpdateKey, under the old request key        ->   makes the new request key, keeps the old
 *                                               <-   ack
 *   takes the new request key; VerifyNewKey     ->   opens under the new key: forgets the old
 *
 * UpdateAllKeys does the same, and the response key as well: the ack comes under the new one. Until VerifyNewKey the
 * responder takes the same request again, under the old key, in case its ack was lost. */
#include "spdm/session.h"

enum { UPDATE_KEY = 1, UPDATE_ALL_KEYS = 2, VERIFY_NEW_KEY = 3 };

/* The next keys of one direction or of both. On an error there are none. */
static tl_err make_next(const tl_spdm_connection *c, tl_spdm_session *s, uint8_t operation)
{
    tl_err e = tl__session_next(s, &s->application.request, &s->next_request);

    if (e == TL_OK && operation == UPDATE_ALL_KEYS)
        e = tl__session_next(s, &s->application.response, &s->next_response);
    if (e != TL_OK)
        tl_record_key_drop(&s->next_request, c->crypto);
    return e;
}

/* The secrets follow their keys. On an error nothing has changed. */
static tl_err ratchet(tl_spdm_session *s, uint8_t operation)
{
    tl_secret request = s->application.request;
    tl_err e = tl_schedule_update(&s->schedule, &request);

    if (e == TL_OK && operation == UPDATE_ALL_KEYS)
        e = tl_schedule_update(&s->schedule, &s->application.response);
    if (e == TL_OK)
        s->application.request = request;
    tl_wipe(&request, sizeof request);
    return e;
}

/* ---- requester ---- */

static bool updates(const tl_requester *rq)
{
    return tl__both(&rq->c, TL_CAP_KEY_UPD);
}

static tl_err build_update(tl_requester *rq, tl_wr *out)
{
    tl_spdm_session *s = rq->c.session;
    uint8_t operation = rq->ask.update_both ? UPDATE_ALL_KEYS : UPDATE_KEY, tag;

    TL_TRY(tl__spdm_random(&rq->c, &tag, 1));
    TL_TRY(make_next(&rq->c, s, operation));
    s->update = operation;
    s->update_tag = tag;
    tl__message_begin(&rq->c, TL_SPDM_KEY_UPDATE, operation, tag, out);
    return TL_OK;
}

static tl_err check_ack(tl_requester *rq, const tl__message *a, uint8_t operation, uint8_t tag)
{
    if (a->body.n != 0)
        return tl__blame(rq, TL_E_WIRE_TRAILING, "the answer goes on after its end", "");
    if (a->param1 != operation || a->param2 != tag)
        return tl__blame(rq, TL_E_WIRE_VALUE, "the answer is to another request",
                         a->param1 != operation ? "KeyOperation" : "Tag");
    return TL_OK;
}

static tl_err accept_update(tl_requester *rq, const tl__message *a)
{
    tl_spdm_connection *c = &rq->c;
    tl_spdm_session *s = c->session;

    TL_TRY(check_ack(rq, a, s->update, s->update_tag));
    if (s->under_next != (s->update == UPDATE_ALL_KEYS))
        return tl__blame(rq, TL_E_STATE, "the answer is not under the new key", "");
    TL_TRY(ratchet(s, s->update));
    tl__session_switch(c, &s->request_key, &s->next_request);
    if (s->update == UPDATE_ALL_KEYS)
        tl__session_switch(c, &s->response_key, &s->next_response);
    return TL_OK;
}

static tl_err build_verify(tl_requester *rq, tl_wr *out)
{
    tl_spdm_session *s = rq->c.session;

    s->update_tag++;
    tl__message_begin(&rq->c, TL_SPDM_KEY_UPDATE, VERIFY_NEW_KEY, s->update_tag, out);
    return TL_OK;
}

static tl_err accept_verify(tl_requester *rq, const tl__message *a)
{
    TL_TRY(check_ack(rq, a, VERIFY_NEW_KEY, rq->c.session->update_tag));
    rq->c.session->update = 0;
    return TL_OK;
}

const tl__step tl__key_update_step = {
    .name = "KEY_UPDATE",
    .clause = "DSP0274 1.3, KEY_UPDATE_ACK response message",
    .request = TL_SPDM_KEY_UPDATE,
    .response = TL_SPDM_KEY_UPDATE_ACK,
    .where = TL__IN_SESSION,
    .guard = updates,
    .build = build_update,
    .accept = accept_update,
};

const tl__step tl__key_update_verify_step = {
    .name = "KEY_UPDATE VerifyNewKey",
    .clause = "DSP0274 1.3, KEY_UPDATE_ACK response message",
    .request = TL_SPDM_KEY_UPDATE,
    .response = TL_SPDM_KEY_UPDATE_ACK,
    .where = TL__IN_SESSION,
    .guard = updates,
    .build = build_verify,
    .accept = accept_verify,
};

/* ---- responder ---- */

static tl_err on_update(tl_spdm_connection *c, uint8_t operation, uint8_t tag)
{
    tl_spdm_session *s = c->session;
    tl_err e;

    if (s->update != 0) /* said again, since the ack was lost: nothing to do but to repeat it */
        return s->update == operation && s->update_tag == tag && !s->under_next ? TL_OK
                                                                                : TL_E_REPLY_INVALID_REQUEST;
    TL_TRY(make_next(c, s, operation));
    e = ratchet(s, operation);
    if (e != TL_OK) {
        tl_record_key_drop(&s->next_request, c->crypto);
        tl_record_key_drop(&s->next_response, c->crypto);
        return e;
    }
    if (operation == UPDATE_ALL_KEYS)
        tl__session_switch(c, &s->response_key, &s->next_response);
    s->update = operation;
    s->update_tag = tag;
    return TL_OK;
}

static tl_err on_verify(tl_spdm_connection *c)
{
    tl_spdm_session *s = c->session;

    if (s->update == 0 || !s->under_next)
        return TL_E_REPLY_INVALID_REQUEST;
    tl__session_switch(c, &s->request_key, &s->next_request);
    s->update = 0;
    return TL_OK;
}

tl_err tl__on_key_update(tl_responder *r, const tl__message *q, tl_wr *out)
{
    if (q->body.n != 0)
        return TL_E_REPLY_INVALID_REQUEST;
    switch (q->param1) {
    case UPDATE_KEY:
    case UPDATE_ALL_KEYS: TL_TRY(on_update(&r->c, q->param1, q->param2)); break;
    case VERIFY_NEW_KEY: TL_TRY(on_verify(&r->c)); break;
    default: return TL_E_REPLY_INVALID_REQUEST;
    }
    tl__message_begin(&r->c, TL_SPDM_KEY_UPDATE_ACK, q->param1, q->param2, out);
    return TL_OK;
}
