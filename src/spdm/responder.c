/* The responder's engine.
 *
 *   bytes -> record opened -> header -> rule -> handler -> answer, or ERROR -> record sealed -> state of the session
 *
 * A request that a rule allows resets the transcripts that it must, whether its handler agrees or not. Signing may be put
 * off: the request is kept, and RESPOND_IF_READY with its token, from where it came, brings it to its handler. */
#include <string.h>

#include "spdm/spdm.h"

enum { MESSAGE_MIN = 256 };

/* ---- set-up ---- */

static bool families_take(tl_responder *r, uint32_t *flags)
{
    const tl_spdm_family *const *f = r->config->families;

    if (f == NULL || f[0] == NULL)
        return false;
    for (*flags = 0; *f != NULL; f++) {
        *flags |= (*f)->flags;
        if ((*f)->session_ops != NULL)
            r->c.session_ops = (*f)->session_ops;
    }
    return true;
}

/* What the policy offers, what the families serve and what there is to serve it with. */
static uint32_t flags_of(const tl_responder_config *config, uint32_t served)
{
    uint32_t flags = config->policy->flags & served;

    if (config->slots_n == 0)
        flags &= ~(uint32_t)(TL_CAP_CERT | TL_CAP_CHAL | TL_CAP_MEAS_SIG | TL_CAP_KEY_EX);
    if (config->measurements == NULL)
        flags &= ~(uint32_t)(TL_CAP_MEAS_SIG | TL_CAP_MEAS_NO_SIG | TL_CAP_MEAS_FRESH);
    if (config->trust == NULL)
        flags &= ~(uint32_t)TL_CAP_MUT_AUTH;
    if (config->sessions_n == 0)
        flags &= ~(uint32_t)TL_CAP_KEY_EX;
    if (!(flags & TL_CAP_KEY_EX))
        flags &= ~(uint32_t)(TL_CAP_ENCRYPT | TL_CAP_MAC | TL_CAP_HBEAT | TL_CAP_KEY_UPD | TL_CAP_MUT_AUTH);
    if (!(flags & (TL_CAP_CHAL | TL_CAP_KEY_EX | TL_CAP_MEAS_SIG)))
        flags &= ~(uint32_t)TL_CAP_CERT;
    return flags;
}

tl_err tl_responder_init(tl_responder *r, const tl_responder_config *config)
{
    uint32_t served;

    memset(r, 0, sizeof *r);
    if (config->crypto == NULL || config->message == NULL || config->message_n < MESSAGE_MIN ||
        config->slots_n > TL_SPDM_SLOTS || !tl__policy_right(config->policy))
        return TL_E_CONFIGURATION;
    r->config = config;
    r->c.crypto = config->crypto;
    r->c.policy = config->policy;
    r->c.binding = config->binding;
    r->c.role = TL_SPDM_RESPONDER;
    r->c.sessions = config->sessions;
    r->c.sessions_n = config->sessions_n;
    r->c.env.version = TL_SPDM_10;
    if (!families_take(r, &served))
        return TL_E_CONFIGURATION;
    r->c.flags = flags_of(config, served);
    for (size_t i = 0; i < config->sessions_n; i++)
        config->sessions[i] = (tl_spdm_session){ 0 };
    return tl__flags_right(config->policy->version_max, TL_SPDM_RESPONDER, r->c.flags) ? TL_OK
                                                                                       : TL_E_CONFIGURATION;
}

void tl_responder_wipe(tl_responder *r)
{
    if (r->config != NULL)
        tl__connection_reset(&r->c);
    tl_wipe(r, sizeof *r);
}

const tl_spdm_peer *tl_responder_peer(const tl_responder *r)
{
    return &r->c.peer;
}

/* ---- rules ---- */

static const tl__rule *rule_of(const tl_responder *r, uint8_t code)
{
    for (const tl_spdm_family *const *f = r->config->families; *f != NULL; f++) {
        for (size_t i = 0; i < (*f)->n; i++) {
            if ((*f)->rules[i].code == code)
                return &(*f)->rules[i];
        }
    }
    return NULL;
}

static uint8_t place_of(const tl_spdm_connection *c, const tl__message *q)
{
    if (!q->secured)
        return TL__IN_CLEAR;
    return c->session != NULL && c->session->state == TL_SESSION_ESTABLISHED ? TL__IN_SESSION
                                                                             : TL__IN_HANDSHAKE;
}

tl_err tl__rule_find(const tl_responder *r, const tl__message *q, const tl__rule **rule)
{
    const tl__rule *u = rule_of(r, q->code);
    uint8_t place = place_of(&r->c, q);

    *rule = NULL;
    if (u == NULL || (u->any != 0 && !(r->c.flags & u->any)))
        return TL_E_REPLY_UNSUPPORTED_REQUEST;
    if (r->c.state < u->state)
        return TL_E_REPLY_UNEXPECTED_REQUEST;
    if (u->since > TL_SPDM_10 && q->version != r->c.env.version)
        return TL_E_REPLY_VERSION_MISMATCH;
    if ((u->since > TL_SPDM_10 && q->version < u->since) || !tl__both(&r->c, u->both))
        return TL_E_REPLY_UNSUPPORTED_REQUEST;
    if (!(u->where & place))
        return place == TL__IN_CLEAR ? TL_E_REPLY_SESSION_REQUIRED : TL_E_REPLY_UNEXPECTED_REQUEST;
    *rule = u;
    return TL_OK;
}

/* ---- answers that are put off (DSP0274 1.3, RESPOND_IF_READY request message) ---- */

static bool put_off(const tl_responder *r, const tl__rule *u, const tl__message *q)
{
    return u->signs && r->config->busy != NULL && q->whole.n <= sizeof r->kept &&
           r->config->busy(r->config->ctx, q->code);
}

static tl_err keep(tl_responder *r, const tl__message *q, tl_wr *out)
{
    memcpy(r->kept, q->whole.p, q->whole.n);
    r->kept_n = (uint16_t)q->whole.n;
    r->kept_secured = q->secured;
    r->kept_session = q->secured ? r->c.session->id : 0;
    r->token++;
    return tl__error_not_ready(r, q->code, out);
}

tl_err tl__on_respond_if_ready(tl_responder *r, const tl__message *q, tl_wr *out)
{
    tl__message kept;
    const tl__rule *u;
    tl_err e;

    if (r->kept_n == 0)
        return TL_E_REPLY_UNEXPECTED_REQUEST;
    TL_TRY(tl__message_read(tl_span_of(r->kept, r->kept_n), &kept));
    if (q->body.n != 0 || q->param1 != kept.code || q->param2 != r->token || q->secured != r->kept_secured ||
        (q->secured && r->c.session->id != r->kept_session))
        return TL_E_REPLY_INVALID_REQUEST;
    kept.secured = q->secured;
    kept.now_ms = q->now_ms;
    TL_TRY(tl__rule_find(r, &kept, &u));
    if (put_off(r, u, &kept))
        return tl__error_not_ready(r, kept.code, out);
    e = u->handle(r, &kept, out);
    r->kept_n = 0;
    return e;
}

/* ---- one message ---- */

static tl_err answer(tl_responder *r, const tl__message *q, tl_wr *out)
{
    const tl__rule *u;
    tl_err e;

    TL_TRY(tl__rule_find(r, q, &u));
    if (q->code == TL_SPDM_RESPOND_IF_READY)
        return u->handle(r, q, out);
    r->kept_n = 0;
    tl__transcript_request(&r->c, q->code, q->secured);
    if (put_off(r, u, q))
        return keep(r, q, out);
    e = u->handle(r, q, out);
    /* DSP0274 1.3, MEASUREMENTS response message: an ERROR ends L1 and L2, too. */
    if (e != TL_OK && q->code == TL_SPDM_GET_MEASUREMENTS)
        tl__transcript_drop(&r->c, tl__l(&r->c, q->secured));
    return e == TL_OK && out->bad ? TL_E_ROOM : e;
}

static tl_err send(tl_responder *r, uint64_t now_ms, bool secured, tl_span message, tl_spdm_out *out)
{
    out->secured = secured;
    if (!secured) {
        tl_put_bytes(&out->w, message);
        return TL_OK;
    }
    TL_TRY(r->c.session_ops->seal(&r->c, message, &out->w));
    return r->c.session_ops->sent(&r->c, now_ms);
}

/* Opens what came. *secured says how to answer: in clear if there is no session, or none any more. */
static tl_err receive(tl_responder *r, uint64_t now_ms, tl_spdm_in in, tl_span *message, bool *secured)
{
    tl_err e;

    *message = tl_span_of(in.p, in.n);
    *secured = false;
    r->c.session = NULL;
    if (in.n > r->config->policy->data_transfer_size + (in.secured ? (size_t)TL_RECORD_OVERHEAD : 0))
        return TL_E_REPLY_REQUEST_TOO_LARGE;
    if (!in.secured)
        return TL_OK;
    if (r->c.session_ops == NULL)
        return TL_E_REPLY_UNEXPECTED_REQUEST;
    e = r->c.session_ops->open(&r->c, now_ms, in.p, in.n, message);
    *secured = r->c.session != NULL;
    return e;
}

tl_err tl_responder_step(tl_responder *r, uint64_t now_ms, tl_spdm_in in, tl_spdm_out *out)
{
    tl_wr w;
    tl__message q = { .now_ms = now_ms };
    tl_span message;
    tl_err e, sent;
    size_t room = r->config->message_n;

    if (r->c.session_ops != NULL)
        r->c.session_ops->tick(&r->c, now_ms);
    if (in.n == 0)
        return TL_OK;
    if (tl__out_short(&r->c, r->config->message_n, &out->w))
        return TL_E_ROOM;
    if (room > tl__transfer_max(&r->c))
        room = tl__transfer_max(&r->c);
    w = tl_wr_of(r->config->message, room);
    e = receive(r, now_ms, in, &message, &q.secured);
    if (e == TL_OK)
        e = tl__message_read(message, &q);
    if (e == TL_OK)
        e = answer(r, &q, &w);
    if (e == TL_E_REPLY)
        return e;
    if (e != TL_OK) {
        tl_wipe(r->config->message, w.n);
        w = tl_wr_of(r->config->message, room);
        tl__error_write(&r->c, e, q.code, &w);
    }
    sent = send(r, now_ms, q.secured, tl_written(&w), out);
    return e != TL_OK ? e : sent;
}
