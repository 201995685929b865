/* Two engines and a link. Queues hold what was delivered and not read: an answer too many waits for the next request, as it
 * would in a socket. When both are empty and the controller still waits, its clock goes on to the moment that it named. */
#include "spdm_duel.h"

#include <string.h>

#include <trueline/layout/ids.h>
#include <trueline/transport.h>

enum { PATIENCE_MS = 1000, ROUNDS = 200, VENDOR_SIZE = 4, HEARTBEAT_S = 30 };

static const uint8_t vendor_id[VENDOR_SIZE] = { TL_VENDOR_ID & 0xFF, TL_VENDOR_ID >> 8, 0, 0 };
static const tl_env no_env;

/* ---- the sensor's answers to VENDOR_DEFINED ---- */

static tl_err on_vendor(void *ctx, const tl_spdm_vendor *request, tl_wr *payload)
{
    tl_duel *d = ctx;
    tl_rd r = tl_rd_of(request->payload), body;
    tl_agreement head, done = { .version = TL_AGREEMENT_VERSION, .kind = TL_AGREEMENT_DONE };
    tl_agreement_chain chain;

    if (request->standard != TL_VENDOR_STANDARD ||
        !tl_equal(request->vendor_id, tl_span_of(vendor_id, sizeof vendor_id)))
        return TL_E_REPLY_UNSUPPORTED_REQUEST;
    if (tl_decode_agreement(&no_env, &r, &head) != TL_OK || head.version != TL_AGREEMENT_VERSION)
        return TL_E_REPLY_INVALID_REQUEST;
    body = tl_rd_of(head.body);
    if (head.kind == TL_AGREEMENT_CHAIN && request->session == NULL) {
        if (tl_decode_agreement_chain(&no_env, &body, &chain) != TL_OK || !tl_rd_end(&body) ||
            chain.certificates.n > sizeof d->peer_chain)
            return TL_E_REPLY_INVALID_REQUEST;
        memcpy(d->peer_chain, chain.certificates.p, chain.certificates.n);
        d->r_config.peer_chain = tl_span_of(d->peer_chain, chain.certificates.n);
    } else if (head.kind != TL_AGREEMENT_ASK || request->session == NULL ||
               !tl_responder_peer(&d->r)->authenticated) {
        return TL_E_REPLY_UNEXPECTED_REQUEST;
    }
    d->result.told += request->session != NULL;
    return tl_encode_agreement(&no_env, &done, payload);
}

/* ---- set-up ---- */

static tl_err set_up_sensor(tl_duel *d, tl_duel_script script)
{
    d->r_policy = d->world->sensor_policy != NULL ? *d->world->sensor_policy
                                                  : tl_spdm_policy_default(TL_SPDM_RESPONDER);
    d->r_policy.data_transfer_size = TL_DUEL_MESSAGE;
    d->r_config = (tl_responder_config){
        .crypto = d->world->sensor_crypto != NULL ? d->world->sensor_crypto : d->world->crypto,
        .policy = &d->r_policy,
        .families = tl_serve_all,
        .binding = &tl_transport_tcp.binding,
        .slots = &d->world->sensor,
        .slots_n = 1,
        .sessions = d->r_session,
        .sessions_n = 1,
        .measurements = d->world->measurements,
        .trust = &d->world->sensor_trusts,
        .message = d->r_message,
        .message_n = sizeof d->r_message,
        .ctx = d,
        .heartbeat_period = script == TL_DUEL_UPDATE ? HEARTBEAT_S : 0,
        .vendor_in_clear = true,
        .vendor = on_vendor,
    };
    return tl_responder_init(&d->r, &d->r_config);
}

static tl_err set_up_controller(tl_duel *d)
{
    d->rq_policy = d->world->controller_policy != NULL ? *d->world->controller_policy
                                                       : tl_spdm_policy_default(TL_SPDM_REQUESTER);
    d->rq_policy.data_transfer_size = TL_DUEL_MESSAGE;
    d->rq_config = (tl_requester_config){
        .crypto = d->world->crypto,
        .policy = &d->rq_policy,
        .binding = &tl_transport_tcp.binding,
        .trust = &d->world->controller_trusts,
        .slots = &d->world->controller,
        .slots_n = d->world->controller.alg != TL_SIGN_NONE,
        .sessions = d->rq_session,
        .sessions_n = 1,
        .rtt_ms = d->world->patience_ms != 0 ? d->world->patience_ms : PATIENCE_MS,
        .message = d->rq_message,
        .message_n = sizeof d->rq_message,
        .chain = d->chain,
        .chain_n = sizeof d->chain,
        .measurements = d->record,
        .measurements_n = sizeof d->record,
        .vendor = d->vendor,
        .vendor_n = sizeof d->vendor,
    };
    return tl_requester_init(&d->rq, &d->rq_config);
}

/* ---- the link ---- */

void tl_duel_deliver_marked(tl_duel *d, tl_duel_way way, bool secured, uint32_t mark, tl_span bytes)
{
    tl_duel_message *m;

    if (d->queued[way] == TL_DUEL_QUEUE || bytes.n == 0 || bytes.n > sizeof m->bytes)
        return;
    m = &d->queue[way][d->queued[way]++];
    m->way = way;
    m->secured = secured;
    m->mark = mark;
    m->n = bytes.n;
    memmove(m->bytes, bytes.p, bytes.n);
}

void tl_duel_deliver(tl_duel *d, tl_duel_way way, bool secured, tl_span bytes)
{
    tl_duel_deliver_marked(d, way, secured, 0, bytes);
}

bool tl_duel_delivered(const tl_duel *d)
{
    return d->queued[TL_DUEL_REQUEST] > 0 || d->queued[TL_DUEL_RESPONSE] > 0;
}

/* Which exchange the controller is at. */
static tl_duel_about about(const tl_duel *d)
{
    if (d->flow == &tl_flow_heartbeat)
        return TL_DUEL_HEARTBEAT;
    if (d->flow != &tl_flow_key_update)
        return TL_DUEL_OTHER;
    return d->rq.step > 0          ? TL_DUEL_VERIFY_NEW_KEY
           : d->rq.ask.update_both ? TL_DUEL_UPDATE_ALL_KEYS
                                   : TL_DUEL_UPDATE_KEY;
}

static void pass(tl_duel *d, tl_duel_way way, const tl_spdm_out *out)
{
    tl_duel_message *m = &d->log[d->log_n < TL_DUEL_LOG ? d->log_n : TL_DUEL_LOG - 1];

    if (out->w.n == 0)
        return;
    m->way = way;
    m->secured = out->secured;
    m->mark = way == TL_DUEL_RESPONSE ? d->at_hand.mark : 0;
    m->about = d->about = about(d);
    m->n = out->w.n;
    memcpy(m->bytes, out->w.p, out->w.n);
    if (d->log_n < TL_DUEL_LOG)
        d->log_n++;
    if (d->world->link != NULL)
        d->world->link->send(d->world->link->ctx, m);
    else if (d->hand.message != NULL)
        d->hand.message(d->hand.ctx, d, m);
    else
        tl_duel_deliver(d, way, m->secured, tl_span_of(m->bytes, m->n));
}

/* The oldest of a queue. */
static void take(tl_duel *d, tl_duel_way way, tl_duel_message *m)
{
    *m = d->queue[way][0];
    d->queued[way]--;
    memmove(&d->queue[way][0], &d->queue[way][1], d->queued[way] * sizeof d->queue[way][0]);
}

/* ---- what the ends believe ---- */

/* What each end believes of the other, when it may have come to believe it. The sensor may have given up its session by the
 * time that the controller hears of it. */
static void look(tl_duel *d)
{
    const tl_spdm_session *s = tl_requester_session(&d->rq);
    tl_duel_result *r = &d->result;
    tl_hash_alg hash;

    if (!r->sensor_sure && tl_session_established(&d->r_session[0]) &&
        tl_responder_peer(&d->r)->authenticated)
        r->sensor_sure = tl_session_export_secret(&d->r_session[0], &d->sensor_secret, &hash) == TL_OK;
    if (r->controller_sure || s == NULL || !tl_session_established(s) ||
        !tl_requester_peer(&d->rq)->authenticated)
        return;
    r->controller_sure = tl_session_export_secret(s, &d->controller_secret, &hash) == TL_OK;
    r->same = r->sensor_sure && tl_equal(tl_span_of(&d->controller_secret, sizeof d->controller_secret),
                                         tl_span_of(&d->sensor_secret, sizeof d->sensor_secret));
    r->algs = *tl_requester_algs(&d->rq);
}

static void lie(tl_duel *d, const char *what)
{
    if (d->result.lie == NULL)
        d->result.lie = what;
}

/* Where a record stands in the log, and one more; 0: the other end has not sent it. */
static size_t sent_as(const tl_duel *d, const tl_duel_message *m)
{
    for (size_t i = m->secured ? d->log_n : 0; i > 0; i--) {
        const tl_duel_message *sent = &d->log[i - 1];

        if (sent->way == m->way && sent->secured && sent->n == m->n &&
            memcmp(sent->bytes, m->bytes, m->n) == 0)
            return i;
    }
    return 0;
}

/* An end has opened a record: each is one that the other end sent, later than the one before. */
static void took(tl_duel *d, tl_duel_way way, size_t at)
{
    static const char *const whose[2][2] = {
        { "the sensor took a record that nobody sent", "the controller took a record that nobody sent" },
        { "the sensor took a record again, or one that is older than its last",
          "the controller took a record again, or one that is older than its last" },
    };

    if (at == 0 || at <= d->taken[way])
        lie(d, whose[at != 0][way]);
    d->taken[way] = at > d->taken[way] ? at : d->taken[way];
}

/* Both ends hold the same session: then its keys are the same, whatever was said and lost; else it must have ended. */
static void compare_keys(tl_duel *d)
{
    const tl_spdm_session *c = tl_requester_session(&d->rq), *s = &d->r_session[0];

    if (c == NULL || !tl_session_established(c) || !tl_session_established(s) || c->id != s->id)
        return;
    if (memcmp(&c->application.request, &s->application.request, sizeof c->application.request) != 0 ||
        memcmp(&c->application.response, &s->application.response, sizeof c->application.response) != 0)
        lie(d, "both ends hold the session, under keys that differ");
}

/* ---- steps ---- */

static tl_spdm_out out_of(tl_duel *d)
{
    return (tl_spdm_out){ .w = tl_wr_of(d->out, sizeof d->out) };
}

/* What it could not open it answers in clear, or not at all. */
static void sensor_step(tl_duel *d, tl_duel_message *m)
{
    const size_t at = sent_as(d, m);
    tl_spdm_out out = out_of(d);

    (void)!tl_responder_step(&d->r, d->now_ms, (tl_spdm_in){ m->bytes, m->n, m->secured }, &out);
    if (m->secured && out.secured && out.w.n > 0)
        took(d, TL_DUEL_REQUEST, at);
    pass(d, TL_DUEL_RESPONSE, &out);
    look(d);
}

static tl_err controller_step(tl_duel *d, tl_duel_message *m)
{
    const size_t at = m != NULL ? sent_as(d, m) : 0;
    const tl_spdm_in in = m != NULL ? (tl_spdm_in){ m->bytes, m->n, m->secured } : (tl_spdm_in){ 0 };
    const tl_duel_about done = about(d);
    const size_t step = d->rq.step;
    tl_spdm_out out = out_of(d);
    tl_err e = tl_requester_step(&d->rq, d->now_ms, in, &out);

    if (e == TL_OK && m != NULL && m->secured)
        took(d, TL_DUEL_RESPONSE, at);
    d->result.kept[done] += e == TL_OK && d->rq.step > step;
    pass(d, TL_DUEL_REQUEST, &out);
    look(d);
    return e;
}

/* Nothing is under way that has arrived. */
static void wait(tl_duel *d, uint64_t until_ms)
{
    const tl_duel_link *link = d->world->link;

    d->now_ms = link != NULL ? link->wait(link->ctx, d, until_ms) : until_ms;
}

/* One flow, to its end. */
static tl_err flow(tl_duel *d, const tl_spdm_flow *f, const tl_spdm_ask *ask)
{
    tl_duel_message *m = &d->at_hand;
    tl_spdm_out out = out_of(d);
    tl_err e = tl_requester_start(&d->rq, f, ask, d->now_ms, &out);

    d->flow = f;
    if (e != TL_OK)
        return e;
    pass(d, TL_DUEL_REQUEST, &out);
    for (unsigned i = 0; i < ROUNDS && e == TL_OK && tl_requester_going(&d->rq); i++) {
        if (d->queued[TL_DUEL_REQUEST] > 0) {
            take(d, TL_DUEL_REQUEST, m);
            sensor_step(d, m);
        } else if (d->queued[TL_DUEL_RESPONSE] > 0) {
            take(d, TL_DUEL_RESPONSE, m);
            e = controller_step(d, m);
        } else {
            wait(d, tl_requester_wake(&d->rq));
            if (tl_duel_delivered(d))
                continue;
            e = controller_step(d, NULL);
        }
    }
    compare_keys(d);
    return e == TL_OK && tl_requester_going(&d->rq) ? TL_E_TIMEOUT : e;
}

/* ---- scripts ---- */

static tl_err vendor(tl_duel *d, uint32_t kind, tl_span certificates)
{
    uint8_t body[TL_DUEL_MESSAGE];
    const tl_agreement_chain chain = { .certificates = certificates };
    tl_agreement head = { .version = TL_AGREEMENT_VERSION, .kind = kind };
    tl_wr b = tl_wr_of(body, sizeof body), w = tl_wr_of(d->payload, sizeof d->payload);
    tl_spdm_ask ask = { .vendor_standard = TL_VENDOR_STANDARD,
                        .vendor_id = tl_span_of(vendor_id, sizeof vendor_id) };
    tl_rd r;
    tl_err e;

    if (certificates.n > 0)
        TL_TRY(tl_encode_agreement_chain(&no_env, &chain, &b));
    head.body = tl_written(&b);
    TL_TRY(tl_encode_agreement(&no_env, &head, &w));
    ask.vendor_payload = tl_written(&w);
    e = flow(d, &tl_flow_vendor, &ask);
    if (e != TL_OK)
        return e;
    r = tl_rd_of(tl_requester_vendor(&d->rq));
    if (tl_decode_agreement(&no_env, &r, &head) != TL_OK || head.version != TL_AGREEMENT_VERSION ||
        head.kind != TL_AGREEMENT_DONE || head.body.n != 0)
        return TL_E_WIRE_VALUE;
    return TL_OK;
}

/* Sizes of messages as the scripts ask for them: signed, without a summary. */
static tl_env env_of(const tl_spdm_algs *algs, uint8_t version)
{
    tl_env env = { .version = version };

    env.len[TL_LEN_HASH] = env.len[TL_LEN_HMAC] = (uint16_t)tl_hash_size(algs->hash);
    env.len[TL_LEN_SIG] = (uint16_t)tl_sign_size(algs->sign);
    env.len[TL_LEN_KEX] = env.len[TL_LEN_KEXR] = (uint16_t)(2 * tl_group_size(algs->group));
    env.len[TL_LEN_NONCE] = TL_SPDM_NONCE;
    env.len[TL_LEN_SLOT] = 1;
    return env;
}

static void note(const tl_duel *d, tl_duel_result *result)
{
    const tl_spdm_measured *m = tl_requester_measured(&d->rq);

    result->record_n = m->had && m->record_n <= sizeof result->record ? m->record_n : 0;
    memcpy(result->record, d->record, result->record_n);
    memcpy(result->chain_digest, tl_requester_peer(&d->rq)->chain_digest, sizeof result->chain_digest);
    result->env = env_of(tl_requester_algs(&d->rq), tl_requester_version(&d->rq));
}

/* HEARTBEAT and new keys, of one direction and of both; the owner's messages go on under them. */
static tl_err keep(tl_duel *d)
{
    for (int both = 0; both < 2; both++) {
        const tl_spdm_ask ask = { .update_both = both != 0 };

        TL_TRY(flow(d, &tl_flow_heartbeat, NULL));
        TL_TRY(flow(d, &tl_flow_key_update, &ask));
        TL_TRY(vendor(d, TL_AGREEMENT_ASK, tl_span_of(NULL, 0)));
    }
    return TL_OK;
}

static tl_err session(tl_duel *d, bool keeps)
{
    tl_duel_result *result = &d->result;
    const tl_span none = { NULL, 0 };

    TL_TRY(flow(d, &tl_flow_connect, NULL));
    if (d->world->controller.alg != TL_SIGN_NONE)
        TL_TRY(vendor(d, TL_AGREEMENT_CHAIN, d->world->controller.certificates));
    TL_TRY(flow(d, &tl_flow_another, NULL));
    TL_TRY(flow(d, &tl_flow_measure, NULL));
    note(d, result);
    TL_TRY(vendor(d, TL_AGREEMENT_ASK, none));
    if (keeps)
        TL_TRY(keep(d));
    result->agreed = result->controller_sure && result->sensor_sure && result->same;
    return flow(d, &tl_flow_end_session, NULL);
}

static tl_err attest(tl_duel *d)
{
    tl_duel_result *result = &d->result;

    TL_TRY(flow(d, &tl_flow_attest, NULL));
    note(d, result);
    result->agreed = tl_requester_peer(&d->rq)->authenticated && tl_requester_measured(&d->rq)->signature;
    result->controller_sure = result->same = result->agreed;
    result->algs = *tl_requester_algs(&d->rq);
    return TL_OK;
}

/* The step in which a run ended, if it did. */
static void name_step(tl_duel *d)
{
    const tl_spdm_why *why = tl_requester_why(&d->rq);
    tl_duel_result *result = &d->result;

    result->whole = result->err == TL_OK;
    if (result->whole)
        return;
    result->step = why->step != NULL ? why->step : "VENDOR_DEFINED";
    result->what = why->what != NULL ? why->what : tl_err_text(result->err);
}

tl_err tl_duel_run(tl_duel *d, const tl_duel_world *world, tl_duel_script script, tl_duel_hand hand,
                   tl_duel_result *result)
{
    tl_err e;

    memset(d, 0, sizeof *d);
    *result = (tl_duel_result){ 0 };
    d->world = world;
    d->hand = hand;
    wait(d, 1);
    TL_TRY(set_up_sensor(d, script));
    e = set_up_controller(d);
    if (e == TL_OK) {
        d->result.err = script == TL_DUEL_ATTEST ? attest(d) : session(d, script == TL_DUEL_UPDATE);
        name_step(d);
    }
    *result = d->result;
    if (world->exported != NULL)
        *world->exported = d->controller_secret;
    tl_wipe(&d->controller_secret, sizeof d->controller_secret);
    tl_wipe(&d->sensor_secret, sizeof d->sensor_secret);
    tl_requester_wipe(&d->rq);
    tl_responder_wipe(&d->r);
    return e;
}

/* ---- was it true? ---- */

/* The controller can have begun to finish a session only with a record. */
static bool asked_to_finish(const tl_duel *d)
{
    for (size_t i = 0; i < d->log_n; i++)
        if (d->log[i].way == TL_DUEL_REQUEST && d->log[i].secured)
            return true;
    return false;
}

const char *tl_duel_wrong(const tl_duel *d, const tl_duel_result *r, const tl_duel_result *right)
{
    if (r->lie != NULL)
        return r->lie;
    if (r->controller_sure && !r->same)
        return "the controller believes in a session that the sensor does not have";
    if (r->sensor_sure && !asked_to_finish(d))
        return "the sensor believes in a session that the controller did not finish";
    if (r->whole && !r->agreed)
        return "the controller went through to the end without a proof of the sensor";
    if (r->told > right->told)
        return "the sensor took more messages of the owner's than were sent";
    if (!r->controller_sure)
        return NULL;
    if (memcmp(&r->algs, &right->algs, sizeof r->algs) != 0)
        return "other algorithms were agreed on";
    /* These are noted when the measurements have come. */
    if (r->env.version == 0)
        return NULL;
    if (r->env.version != right->env.version)
        return "another version was agreed on";
    if (memcmp(r->chain_digest, right->chain_digest, sizeof r->chain_digest) != 0)
        return "another chain was believed";
    if (r->record_n != right->record_n || memcmp(r->record, right->record, r->record_n) != 0)
        return "other measurements were believed";
    return NULL;
}
