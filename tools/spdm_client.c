/* A requester on a socket. A script is a list of flows with what to ask for and how to judge what came; it is walked without
 * blocking, so that a stream can go on beside it. Exchanges are told with their bytes and times; those in clear are kept,
 * because they are the evidence that a signature can be checked against. */
#include "spdm_client.h"
#include "backend.h"
#include "agreement.h"
#include "clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BUSY_RETRIES = 5 };

/* ---- set-up ---- */

static tl_exit set_up_requester(spdm_client *c, tl_fault *fault)
{
    tl_err e;

    c->policy = tl_spdm_policy_default(TL_SPDM_REQUESTER);
    c->policy.data_transfer_size = SPDM_CLIENT_MESSAGE;
    c->config = (tl_requester_config){
        .crypto = c->crypto,
        .policy = &c->policy,
        .binding = &tl_transport_tcp.binding,
        .trust = &c->own.rules,
        .slots = &c->own.slot,
        .slots_n = c->own.slots,
        .sessions = c->session,
        .sessions_n = 1,
        .rtt_ms = SPDM_LINK_PATIENCE_MS,
        .busy_retries = BUSY_RETRIES,
        .message = c->message,
        .message_n = sizeof c->message,
        .chain = c->chain,
        .chain_n = sizeof c->chain,
        .measurements = c->record,
        .measurements_n = sizeof c->record,
        .vendor = c->vendor,
        .vendor_n = sizeof c->vendor,
    };
    e = tl_requester_init(&c->rq, &c->config);
    return e == TL_OK ? TL_EXIT_OK : tl_fault_set(fault, TL_EXIT_INTERNAL, "spdm: %s", tl_err_text(e));
}

tl_exit spdm_client_open(spdm_client *c, const spdm_client_options *options, const struct backend *with,
                         tl_fault *fault)
{
    tl_exit e;

    memset(c, 0, sizeof *c);
    c->link.fd = -1;
    c->o = *options;
    c->crypto = with->crypto;
    e = tl_address_parse(options->connect, &c->address, fault);
    if (e == TL_EXIT_OK)
        e = spdm_identity_load(&c->own, &options->files, with->openssl, fault);
    if (e == TL_EXIT_OK && options->reference != NULL)
        e = reference_read(&c->reference, options->reference, fault);
    c->has_reference = options->reference != NULL;
    return e == TL_EXIT_OK ? set_up_requester(c, fault) : e;
}

tl_exit spdm_client_dial(spdm_client *c, uint64_t deadline_ms, tl_fault *fault)
{
    tl_net_name peer;
    int fd;
    tl_exit e = tl_net_connect(&c->address, deadline_ms, &fd, &peer, fault);

    if (e == TL_EXIT_OK)
        spdm_link_open(&c->link, fd, peer.text, c->o.tap);
    return e;
}

void spdm_client_close(spdm_client *c)
{
    if (c->crypto != NULL)
        tl_requester_wipe(&c->rq);
    if (c->link.fd >= 0)
        tl_net_close(c->link.fd, 0);
    tl_wipe(c, sizeof *c);
    c->link.fd = -1;
}

/* ---- telling ---- */

static void keep(spdm_client *c, tl_span bytes)
{
    tl_wr w = tl_wr_of(c->kept + c->kept_n, sizeof c->kept - c->kept_n);

    tl_put(&w, 4, TL_LITTLE, bytes.n);
    tl_put_bytes(&w, bytes);
    if (!w.bad)
        c->kept_n += w.n;
}

static void note_request(spdm_client *c, const tl_spdm_out *out)
{
    c->asked_us = tl_clock_us();
    c->asked_bytes = c->link.bytes;
    c->asked = c->message[1]; /* the requester keeps its request there, in clear, until it is answered */
    if (!out->secured)
        keep(c, tl_written(&out->w));
}

static void note_answer(spdm_client *c)
{
    spdm_client_step *s = &c->steps[c->steps_n];

    if (c->steps_n == SPDM_CLIENT_STEPS || c->asked == 0)
        return;
    (void)snprintf(s->name, sizeof s->name, "%s%s%s", spdm_step_name(c->asked),
                   c->script->label != NULL ? " " : "", c->script->label != NULL ? c->script->label : "");
    s->bytes = (uint32_t)(c->link.bytes - c->asked_bytes);
    s->us = tl_clock_us() - c->asked_us;
    c->steps_n++;
    c->asked = 0;
}

json_t *spdm_client_steps(const spdm_client *c)
{
    json_t *list = json_array();

    for (size_t i = 0; i < c->steps_n; i++)
        (void)json_array_append_new(list, json_pack("{s:s, s:I, s:f}", "step", c->steps[i].name, "bytes",
                                                    (json_int_t)c->steps[i].bytes, "seconds",
                                                    (double)c->steps[i].us / 1e6));
    return list;
}

tl_span spdm_client_record(const spdm_client *c)
{
    return tl_span_of(c->record, c->record_n);
}

/* ---- why it failed ---- */

/* What is not the peer's doing is ours; a peer that does not answer is a link that failed. */
static tl_exit code_of(tl_err e)
{
    switch (e / 100) {
    case TL_E_USAGE / 100:
    case TL_E_ROOM / 100:
    case TL_E_BACKEND / 100: return TL_EXIT_INTERNAL;
    default: return e == TL_E_TIMEOUT ? TL_EXIT_LINK : TL_EXIT_PEER;
    }
}

/* "KEY_EXCHANGE: the signature is wrong: Signature (DSP0274 ...)" */
static tl_exit refuse(spdm_client *c, tl_err e, tl_fault *fault)
{
    const tl_spdm_why *why = tl_requester_why(&c->rq);
    const tl_chain_facts *facts = &tl_requester_peer(&c->rq)->facts;
    const char *label = c->script->label;
    char step[64], what[200];
    int n;

    if (why->err == TL_OK || why->step == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "spdm: %s: %s", c->link.peer, tl_err_text(e));
    (void)snprintf(step, sizeof step, "%s%s%s", why->step, label != NULL ? " " : "",
                   label != NULL ? label : "");
    n = snprintf(what, sizeof what, "%s%s%s", why->what, why->where[0] != 0 ? ": " : "", why->where);
    if (why->err == TL_E_CHAIN && facts->why != NULL && n > 0 && (size_t)n < sizeof what) {
        bool said = strcmp(facts->why, why->what) == 0;

        (void)snprintf(what + n, sizeof what - (size_t)n, "%s%s%s%s%s", said ? "" : ": ",
                       said ? "" : facts->why, facts->role[0] != 0 ? " (its role is " : "", facts->role,
                       facts->role[0] != 0 ? ")" : "");
    }
    return tl_fault_set(fault, code_of(why->err), "spdm: %s: %s: %s (%s)", c->link.peer, step, what,
                        why->clause);
}

/* ---- walking ---- */

static tl_exit send(spdm_client *c, const tl_spdm_out *out, tl_fault *fault)
{
    if (out->w.n == 0)
        return TL_EXIT_OK;
    note_request(c, out);
    return spdm_link_send(&c->link, out, fault);
}

static tl_spdm_out out_of(spdm_client *c)
{
    return (tl_spdm_out){ .w = tl_wr_of(c->out, sizeof c->out) };
}

static tl_exit start_stage(spdm_client *c, tl_fault *fault)
{
    tl_spdm_ask ask = { .measurement = TL_SPDM_MEASUREMENT_ALL, .signed_measurements = true };
    tl_spdm_out out = out_of(c);
    tl_err e;

    while (c->script->own && c->own.slots == 0)
        c->script++;
    if (c->script->flow == NULL) {
        c->script = NULL;
        return TL_EXIT_OK;
    }
    if (c->script->prepare != NULL) {
        tl_exit x = c->script->prepare(c, &ask, fault);

        if (x != TL_EXIT_OK)
            return x;
    }
    c->own.rules.now = (uint64_t)time(NULL); /* certificates expire while a stream plays */
    e = tl_requester_start(&c->rq, c->script->flow, &ask, tl_clock_ms(), &out);
    return e == TL_OK ? send(c, &out, fault) : refuse(c, e, fault);
}

/* The flow is over: its stage judges, and the next one starts. */
static tl_exit end_stage(spdm_client *c, tl_fault *fault)
{
    tl_exit e = c->script->accept != NULL ? c->script->accept(c, fault) : TL_EXIT_OK;

    if (e != TL_EXIT_OK)
        return e;
    c->script++;
    return start_stage(c, fault);
}

bool spdm_client_busy(const spdm_client *c)
{
    return c->script != NULL;
}

tl_exit spdm_client_begin(spdm_client *c, const spdm_stage *script, tl_fault *fault)
{
    tl_exit e;

    c->kept_n = 0;
    c->script = script;
    e = start_stage(c, fault);
    if (e != TL_EXIT_OK)
        c->script = NULL;
    return e;
}

/* One message in, or time that passed. */
static tl_exit step(spdm_client *c, tl_spdm_in in, tl_fault *fault)
{
    tl_spdm_out out = out_of(c);
    tl_err e;

    if (in.n > 0) {
        if (!in.secured)
            keep(c, tl_span_of(in.p, in.n));
        note_answer(c);
    }
    e = tl_requester_step(&c->rq, tl_clock_ms(), in, &out);
    if (e != TL_OK)
        return refuse(c, e, fault);
    if (out.w.n > 0)
        return send(c, &out, fault);
    return tl_requester_going(&c->rq) ? TL_EXIT_OK : end_stage(c, fault);
}

static tl_exit closed(const spdm_client *c, tl_fault *fault)
{
    return tl_fault_set(fault, TL_EXIT_LINK, "spdm: %s: %s: the peer closed the connection%s", c->link.peer,
                        spdm_step_name(c->asked),
                        c->asked == TL_SPDM_GET_VERSION ? "; a sensor with --stream speaks no SPDM" : "");
}

static tl_exit turn(spdm_client *c, uint64_t deadline_ms, tl_fault *fault)
{
    uint64_t wake = tl_requester_wake(&c->rq);
    tl_spdm_in in = { 0 };
    spdm_heard heard;
    tl_exit e = spdm_link_receive(&c->link, deadline_ms < wake ? deadline_ms : wake, &heard, &in, fault);

    if (e != TL_EXIT_OK)
        return e;
    if (heard == SPDM_HEARD_END)
        return closed(c, fault);
    return step(c, in, fault);
}

tl_exit spdm_client_turn(spdm_client *c, uint64_t deadline_ms, tl_fault *fault)
{
    tl_exit e = c->script != NULL ? turn(c, deadline_ms, fault) : TL_EXIT_OK;

    if (e != TL_EXIT_OK)
        c->script = NULL;
    return e;
}

tl_exit spdm_client_run(spdm_client *c, const spdm_stage *script, tl_fault *fault)
{
    tl_exit e = spdm_client_begin(c, script, fault);

    while (e == TL_EXIT_OK && spdm_client_busy(c))
        e = spdm_client_turn(c, TL_NEVER, fault);
    return e;
}

/* ---- stages of authentication ---- */

static tl_exit prepare_chain(spdm_client *c, tl_spdm_ask *ask, tl_fault *fault)
{
    const agreement a = { .kind = TL_AGREEMENT_CHAIN, .body.chain.certificates = c->own.slot.certificates };
    tl_wr w = tl_wr_of(c->payload, sizeof c->payload);

    if (agreement_write(&a, &w) != TL_OK)
        return tl_fault_set(fault, TL_EXIT_USAGE,
                            "identity: a chain of %zu bytes does not fit into a message",
                            c->own.slot.certificates.n);
    ask->vendor_standard = TL_VENDOR_STANDARD;
    ask->vendor_id = tl_span_of(agreement_vendor_id, AGREEMENT_VENDOR_SIZE);
    ask->vendor_payload = tl_written(&w);
    return TL_EXIT_OK;
}

static tl_exit accept_chain(spdm_client *c, tl_fault *fault)
{
    agreement a;

    if (agreement_read(tl_requester_vendor(&c->rq), &a) == TL_OK && a.kind == TL_AGREEMENT_DONE)
        return TL_EXIT_OK;
    return tl_fault_set(fault, TL_EXIT_PEER,
                        "spdm: %s: VENDOR_DEFINED chain: the sensor does not take our certificates",
                        c->link.peer);
}

/* Whoever authenticates again is whom the stream is of. */
static tl_exit same_sensor(spdm_client *c, tl_fault *fault)
{
    const tl_span leaf = tl_span_of(tl_requester_peer(&c->rq)->facts.fingerprint, TL_FINGERPRINT_SIZE);

    if (!c->known)
        memcpy(c->sensor, leaf.p, leaf.n);
    c->known = true;
    if (tl_equal(leaf, tl_span_of(c->sensor, sizeof c->sensor)))
        return TL_EXIT_OK;
    return tl_fault_set(fault, TL_EXIT_PEER, "spdm: %s: CERTIFICATE: another sensor than before",
                        c->link.peer);
}

static tl_exit accept_measurements(spdm_client *c, tl_fault *fault)
{
    tl_fault why;
    tl_exit e = same_sensor(c, fault);

    c->record_n = tl_requester_measured(&c->rq)->record_n;
    if (e != TL_EXIT_OK || !c->has_reference)
        return e;
    e = reference_compare(&c->reference, tl_requester_algs(&c->rq)->measurement_hash, spdm_client_record(c),
                          &why);
    return e == TL_EXIT_OK ? e
                           : tl_fault_set(fault, e, "spdm: %s: MEASUREMENTS: %.300s", c->link.peer, why.text);
}

const spdm_stage spdm_script_attest[] = {
    { .flow = &tl_flow_attest, .accept = accept_measurements },
    { 0 },
};
const spdm_stage spdm_script_session[] = {
    { .flow = &tl_flow_connect },
    { .flow = &tl_flow_vendor,
      .label = "chain",
      .prepare = prepare_chain,
      .accept = accept_chain,
      .own = true },
    { .flow = &tl_flow_another },
    { .flow = &tl_flow_measure, .accept = accept_measurements },
    { 0 },
};
const spdm_stage spdm_script_end[] = {
    { .flow = &tl_flow_end_session },
    { 0 },
};
