/* The requester's engine: it walks a flow, one exchange after the other.
 *
 *   WAIT    a request is out, its answer is awaited until give_up
 *   REST    the peer was busy or not ready: the same is asked again at wake
 *
 * The request stays in config->message until its answer is judged: transcripts need it. The first error ends the flow;
 * it takes what was negotiated with it, unless the peer only said no to something inside a session that stands. */
#include <string.h>

#include "spdm/spdm.h"

enum { IDLE = 0, WAIT, REST };

enum {
    MESSAGE_MIN = 256,
    ST1_MS = 100 /* DSP0274 1.3, "Timing requirements": answers that need no cryptography */
};

/* ---- set-up ---- */

tl_err tl_requester_init(tl_requester *rq, const tl_requester_config *config)
{
    memset(rq, 0, sizeof *rq);
    if (config->crypto == NULL || config->trust == NULL || config->message == NULL ||
        config->message_n < MESSAGE_MIN || config->slots_n > TL_SPDM_SLOTS ||
        !tl__policy_right(config->policy))
        return TL_E_CONFIGURATION;
    rq->config = config;
    rq->c.crypto = config->crypto;
    rq->c.policy = config->policy;
    rq->c.binding = config->binding;
    rq->c.role = TL_SPDM_REQUESTER;
    rq->c.sessions = config->sessions;
    rq->c.sessions_n = config->sessions_n;
    rq->c.env.version = TL_SPDM_10;
    for (size_t i = 0; i < config->sessions_n; i++)
        config->sessions[i] = (tl_spdm_session){ 0 };
    return TL_OK;
}

void tl_requester_wipe(tl_requester *rq)
{
    if (rq->config != NULL)
        tl__connection_reset(&rq->c);
    tl_wipe(rq, sizeof *rq);
}

/* ---- how it ends ---- */

tl_err tl__blame(tl_requester *rq, tl_err e, const char *what, const char *where)
{
    if (e != TL_OK && rq->why.what == NULL) {
        rq->why.what = what;
        rq->why.where = where;
    }
    return e;
}

tl_span tl__sent(const tl_requester *rq)
{
    return tl_span_of(rq->config->message, rq->sent_n);
}

static const tl__step *step_of(const tl_requester *rq)
{
    return rq->flow->steps[rq->step];
}

/* A refusal inside an established session, and of something that no session depends on, changes nothing else. */
static bool only_a_no(const tl_requester *rq, tl_err e)
{
    return e >= TL_E_PEER && e < TL_E_REPLY && e != TL_E_PEER_DECRYPT_ERROR &&
           rq->flow->needs == TL_SPDM_NEGOTIATED && rq->c.session != NULL &&
           rq->c.session->state == TL_SESSION_ESTABLISHED;
}

static tl_err end(tl_requester *rq, tl_err e)
{
    const tl__step *s = step_of(rq);

    rq->phase = IDLE;
    rq->why.err = e;
    if (e == TL_OK)
        return e;
    rq->why.step = s->name;
    rq->why.clause = s->clause;
    tl__blame(rq, e, tl_err_text(e), "");
    tl__transcript_drop(&rq->c, tl__l(&rq->c, true));
    if (!only_a_no(rq, e))
        tl__connection_drop(&rq->c);
    else if (rq->c.session_ops != NULL)
        rq->c.session_ops->fail(&rq->c);
    tl_wipe(rq->nonce, sizeof rq->nonce);
    return e;
}

/* ---- sending ---- */

static uint64_t ms_of(uint8_t exponent)
{
    return ((uint64_t)1 << exponent) / 1000 + 1;
}

static bool secured(const tl_requester *rq)
{
    uint8_t where = step_of(rq)->where;

    if (where == 0)
        return rq->c.session != NULL && rq->c.session->state == TL_SESSION_ESTABLISHED;
    return where != TL__IN_CLEAR;
}

static tl_err send(tl_requester *rq, uint64_t now_ms, tl_span message, tl_spdm_out *out)
{
    const tl__step *s = step_of(rq);
    uint64_t patience = rq->config->rtt_ms + (s->slow ? ms_of(rq->c.peer.ct_exponent) : ST1_MS);

    rq->phase = WAIT;
    rq->give_up = now_ms + patience;
    rq->wake = rq->give_up;
    out->secured = secured(rq);
    if (!out->secured) {
        tl_put_bytes(&out->w, message);
        return TL_OK;
    }
    if (rq->c.session_ops == NULL || rq->c.session == NULL)
        return TL_E_STATE;
    TL_TRY(rq->c.session_ops->seal(&rq->c, message, &out->w));
    return rq->c.session_ops->sent(&rq->c, now_ms);
}

static tl_err ask(tl_requester *rq, uint64_t now_ms, tl_spdm_out *out)
{
    const tl__step *s = step_of(rq);
    size_t room = rq->config->message_n;
    tl_wr w;

    if (room > tl__transfer_max(&rq->c))
        room = tl__transfer_max(&rq->c);
    w = tl_wr_of(rq->config->message, room);
    tl__transcript_request(&rq->c, s->request, secured(rq));
    TL_TRY(s->build(rq, &w));
    if (w.bad)
        return tl__blame(rq, TL_E_ROOM, "the request does not fit into a message", "");
    rq->sent_n = w.n;
    rq->retries = 0;
    rq->token = 0;
    return send(rq, now_ms, tl_written(&w), out);
}

/* Goes to the next step that is not left out, and asks. */
static tl_err go_on(tl_requester *rq, uint64_t now_ms, tl_spdm_out *out)
{
    tl_err e;

    while (step_of(rq) != NULL && step_of(rq)->guard != NULL && !step_of(rq)->guard(rq))
        rq->step++;
    if (step_of(rq) == NULL) {
        rq->phase = IDLE;
        return TL_OK;
    }
    e = ask(rq, now_ms, out);
    return e == TL_OK ? e : end(rq, e);
}

/* A session that has expired takes the connection with it: what is for the session must not go on in clear. */
static void expire(tl_requester *rq, uint64_t now_ms)
{
    bool had = rq->c.session != NULL;

    if (rq->c.session_ops != NULL)
        rq->c.session_ops->tick(&rq->c, now_ms);
    if (had && rq->c.session == NULL)
        tl__connection_drop(&rq->c);
}

tl_err tl_requester_start(tl_requester *rq, const tl_spdm_flow *flow, const tl_spdm_ask *ask, uint64_t now_ms,
                          tl_spdm_out *out)
{
    static const tl_spdm_ask everything = { .measurement = TL_SPDM_MEASUREMENT_ALL,
                                            .signed_measurements = true };
    const tl_spdm_session *s;

    if (rq->phase != IDLE)
        return TL_E_STATE;
    expire(rq, now_ms);
    s = rq->c.session;
    if (rq->c.state < flow->needs || (flow->in_session && (s == NULL || s->state != TL_SESSION_ESTABLISHED)))
        return TL_E_STATE;
    if (flow->session_ops != NULL && rq->config->sessions_n == 0)
        return TL_E_CONFIGURATION;
    if (flow->session_ops != NULL)
        rq->c.session_ops = flow->session_ops;
    if (tl__out_short(&rq->c, rq->config->message_n, &out->w))
        return TL_E_ROOM;
    rq->flow = flow;
    rq->ask = ask != NULL ? *ask : everything;
    rq->step = 0;
    rq->measured = (tl_spdm_measured){ 0 };
    rq->vendor_n = 0;
    rq->chain_more = false; /* of a flow that ended between two portions */
    rq->why = (tl_spdm_why){ .flow = flow->name, .certificate = TL_CHAIN_WHOLE };
    return go_on(rq, now_ms, out);
}

/* ---- answers ---- */

/* ERROR ResponseNotReady: when to ask for the answer, and with which token. */
static tl_err not_ready(tl_requester *rq, uint64_t now_ms, const tl__message *a)
{
    tl_rd r = tl_rd_of(a->body);
    tl_spdm_not_ready n;

    if (tl_decode_spdm_not_ready(&rq->c.env, &r, &n) != TL_OK || tl__message_end(&r) != TL_OK)
        return tl__blame(rq, TL_E_WIRE, "ResponseNotReady has not its length", "extended error data");
    if (n.code != step_of(rq)->request)
        return tl__blame(rq, TL_E_WIRE_VALUE, "ResponseNotReady names another request", "request code");
    if (n.rdt_exponent > rq->config->policy->ct_exponent_max)
        return tl__blame(rq, TL_E_POLICY, "the peer wants more time than the policy allows", "RDTExponent");
    rq->token = (uint8_t)n.token;
    rq->rdt_exponent = (uint8_t)n.rdt_exponent;
    rq->phase = REST;
    rq->wake = now_ms + ms_of(rq->rdt_exponent);
    return TL_OK;
}

static tl_err on_error(tl_requester *rq, uint64_t now_ms, const tl__message *a)
{
    tl_err e = tl__error_read(a);

    rq->why.error_code = a->param1;
    rq->why.error_data = a->param2;
    if (!a->secured && secured(rq)) { /* anybody may have sent it, and records may be out of step now */
        rq->c.session_ops->drop(&rq->c);
        return e;
    }
    if (e != TL_E_PEER_RESPONSE_NOT_READY && e != TL_E_PEER_BUSY)
        return e;
    if (a->version != rq->c.env.version || a->secured != secured(rq) ||
        rq->retries == rq->config->busy_retries)
        return e;
    if (e == TL_E_PEER_RESPONSE_NOT_READY && !step_of(rq)->slow)
        return tl__blame(rq, e, "the peer puts off what it must answer at once", "error code");
    rq->retries++;
    if (e == TL_E_PEER_RESPONSE_NOT_READY)
        return not_ready(rq, now_ms, a);
    rq->rdt_exponent = 0;
    rq->token = 0;
    rq->phase = REST;
    rq->wake = now_ms + rq->config->rtt_ms + ST1_MS;
    return TL_OK;
}

/* Asks once more: for the answer that was put off, or the same again. */
static tl_err ask_again(tl_requester *rq, uint64_t now_ms, tl_spdm_out *out)
{
    uint8_t again[TL__HEADER];
    tl_wr w = tl_wr_of(again, sizeof again);

    if (rq->why.error_code != TL_SPDM_RESPONSE_NOT_READY)
        return send(rq, now_ms, tl__sent(rq), out);
    tl__message_begin(&rq->c, TL_SPDM_RESPOND_IF_READY, step_of(rq)->request, rq->token, &w);
    return send(rq, now_ms, tl_written(&w), out);
}

static tl_err receive(tl_requester *rq, uint64_t now_ms, tl_spdm_in in, tl__message *a)
{
    tl_span bytes = tl_span_of(in.p, in.n);

    if (in.n > rq->config->policy->data_transfer_size + (in.secured ? (size_t)TL_RECORD_OVERHEAD : 0))
        return tl__blame(rq, TL_E_WIRE, "the message is longer than we allowed", "");
    if (in.secured) {
        if (!secured(rq) || rq->c.session_ops == NULL)
            return tl__blame(rq, TL_E_STATE, "a record where an answer in clear is due", "");
        TL_TRY(rq->c.session_ops->open(&rq->c, now_ms, in.p, in.n, &bytes));
    }
    TL_TRY(tl__message_read(bytes, a));
    a->secured = in.secured;
    a->now_ms = now_ms;
    return TL_OK;
}

static tl_err judge(tl_requester *rq, uint64_t now_ms, tl_spdm_in in)
{
    const tl__step *s = step_of(rq);
    tl__message a = { 0 };

    if (rq->phase != WAIT)
        return tl__blame(rq, TL_E_STATE, "an answer that nobody asked for", "");
    TL_TRY(receive(rq, now_ms, in, &a));
    if (a.code == TL_SPDM_ERROR)
        return on_error(rq, now_ms, &a);
    if (a.secured != secured(rq))
        return tl__blame(rq, TL_E_STATE, "an answer in clear where a record is due", "");
    if (a.code != s->response)
        return tl__blame(rq, TL_E_STATE, "the answer to another request", "response code");
    if (a.version != rq->c.env.version)
        return tl__blame(rq, TL_E_WIRE_VALUE, "the answer is of another version", "version");
    TL_TRY(s->accept(rq, &a));
    rq->why.error_code = rq->why.error_data = 0;
    if (s->again == NULL || !s->again(rq))
        rq->step++;
    rq->phase = IDLE;
    return TL_OK;
}

tl_err tl_requester_step(tl_requester *rq, uint64_t now_ms, tl_spdm_in in, tl_spdm_out *out)
{
    tl_err e;

    if (rq->phase == IDLE)
        return TL_E_STATE;
    if (tl__out_short(&rq->c, rq->config->message_n, &out->w))
        return TL_E_ROOM;
    if (in.n == 0) {
        if (now_ms < rq->wake)
            return TL_OK;
        e = rq->phase == REST ? ask_again(rq, now_ms, out)
                              : tl__blame(rq, TL_E_TIMEOUT, "the peer did not answer in time", "");
        return e == TL_OK ? e : end(rq, e);
    }
    e = judge(rq, now_ms, in);
    if (e != TL_OK)
        return end(rq, e);
    return rq->phase == REST ? TL_OK : go_on(rq, now_ms, out);
}

/* ---- what was learnt ---- */

bool tl_requester_going(const tl_requester *rq)
{
    return rq->phase != IDLE;
}

uint64_t tl_requester_wake(const tl_requester *rq)
{
    return rq->phase == IDLE ? UINT64_MAX : rq->wake;
}

tl_err tl_requester_result(const tl_requester *rq)
{
    return rq->why.err;
}

const tl_spdm_why *tl_requester_why(const tl_requester *rq)
{
    return &rq->why;
}

const tl_spdm_peer *tl_requester_peer(const tl_requester *rq)
{
    return &rq->c.peer;
}

const tl_spdm_algs *tl_requester_algs(const tl_requester *rq)
{
    return &rq->c.algs;
}

uint8_t tl_requester_version(const tl_requester *rq)
{
    return rq->c.env.version;
}

const tl_spdm_session *tl_requester_session(const tl_requester *rq)
{
    return rq->c.session;
}

const tl_spdm_measured *tl_requester_measured(const tl_requester *rq)
{
    return &rq->measured;
}
