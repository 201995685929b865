/* `trueline spdm requester`: every flow of the library once, against a responder on the emulators' framing.
 *
 * A flow is run to its end before the next one begins. What is shown of a flow was sent and received by it alone:
 * messages by name, bytes with the transport's head. Inside a session names are those that the flow must send. */
#include "clock.h"
#include "hex.h"
#include "spdm_run.h"
#include "stop.h"
#include "ui.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    MEASUREMENTS = 8192,
    BUSY_RETRIES = 8,
    FLOWS = 8 /* of a run */
};

typedef struct run_flow {
    const char *name;
    const tl_spdm_flow *flow;
    const char *request, *response; /* in a record */
    uint32_t needs;                 /* capabilities of the peer; 0: none */
    tl_spdm_ask ask;
} run_flow;

static const uint8_t context[TL_SPDM_CONTEXT] = "trueline"; /* without its zero */

static const run_flow flows[] = {
    { "attest",
      &tl_flow_attest,
      "",
      "",
      0,
      { .summary = TL_SPDM_SUMMARY_ALL,
        .measurement = TL_SPDM_MEASUREMENT_ALL,
        .signed_measurements = true } },
    { "session", &tl_flow_session, "FINISH", "FINISH_RSP", 0, { .summary = TL_SPDM_SUMMARY_ALL } },
    { "measure",
      &tl_flow_measure,
      "GET_MEASUREMENTS",
      "MEASUREMENTS",
      0,
      { .measurement = TL_SPDM_MEASUREMENT_ALL, .signed_measurements = true } },
    { "heartbeat", &tl_flow_heartbeat, "HEARTBEAT", "HEARTBEAT_ACK", TL_CAP_HBEAT, { 0 } },
    { "key update", &tl_flow_key_update, "KEY_UPDATE", "KEY_UPDATE_ACK", TL_CAP_KEY_UPD, { 0 } },
    { "key update, both",
      &tl_flow_key_update,
      "KEY_UPDATE",
      "KEY_UPDATE_ACK",
      TL_CAP_KEY_UPD,
      { .update_both = true } },
    { "measure again",
      &tl_flow_measure,
      "GET_MEASUREMENTS",
      "MEASUREMENTS",
      0,
      { .measurement = TL_SPDM_MEASUREMENT_ALL, .signed_measurements = true } },
    { "end session", &tl_flow_end_session, "END_SESSION", "END_SESSION_ACK", 0, { 0 } },
};

_Static_assert(sizeof flows / sizeof flows[0] == FLOWS, "the report has a place for each flow");

typedef struct run_result {
    bool done, left_out;
    unsigned messages;
    size_t sent, received; /* bytes */
    uint64_t us;
} run_result;

typedef struct run {
    spdm_end *end;
    tl_requester rq;
    tl_requester_config config;
    uint8_t chain[4 + TL_HASH_MAX + TL_CHAIN_SIZE], measurements[MEASUREMENTS];
    run_result results[FLOWS];
    unsigned measured;
} run;

/* ---- one flow ---- */

static void show_message(const run *r, char arrow, const char *name, size_t bytes)
{
    if (!r->end->options->json)
        (void)printf("  %c %-22s %5zu bytes\n", arrow, name, bytes);
}

static tl_exit send_request(run *r, const run_flow *f, run_result *result, const tl_spdm_out *out,
                            tl_fault *fault)
{
    size_t bytes;
    tl_exit e = spdm_end_send(r->end, out, &bytes, fault);

    if (e != TL_EXIT_OK || bytes == 0)
        return e;
    result->messages++;
    result->sent += bytes;
    show_message(r, '>', spdm_end_name(tl_written(&out->w), out->secured, f->request), bytes);
    return TL_EXIT_OK;
}

/* Waits for an answer, or until the requester wants to be woken: in->n is 0 then. */
static tl_exit take_answer(run *r, const run_flow *f, run_result *result, tl_spdm_in *in, tl_fault *fault)
{
    tl_emu_heard heard;
    tl_exit e = tl_emu_receive(&r->end->link, tl_requester_wake(&r->rq), &heard, fault);

    *in = (tl_spdm_in){ .n = 0 };
    if (e != TL_EXIT_OK || (!heard.came && !heard.closed))
        return e;
    if (heard.closed)
        return tl_fault_set(fault, TL_EXIT_LINK, "%s: the responder closed the connection", f->name);
    if (heard.frame.command != TL_EMU_NORMAL)
        return tl_fault_set(fault, TL_EXIT_LINK, "%s: the responder sent command 0x%04x", f->name,
                            (unsigned)heard.frame.command);
    e = spdm_end_take(r->end, &heard.frame, in, fault);
    if (e != TL_EXIT_OK)
        return e;
    result->messages++;
    result->received += heard.frame.n;
    show_message(r, '<', spdm_end_name(tl_span_of(in->p, in->n), in->secured, f->response), heard.frame.n);
    return TL_EXIT_OK;
}

/* What the requester says of its own end, as a fault. */
static tl_exit say_why(const tl_requester *rq, tl_err e, const char *flow, tl_fault *fault)
{
    const tl_spdm_why *why = tl_requester_why(rq);
    tl_exit code = e == TL_E_TIMEOUT               ? TL_EXIT_LINK
                   : e < TL_E_WIRE || e / 100 == 7 ? TL_EXIT_INTERNAL
                                                   : TL_EXIT_PEER;
    char certificate[40] = "";

    if (why->step == NULL)
        return tl_fault_set(fault, code, "%s: %s", flow, tl_err_text(e));
    if (e == TL_E_CHAIN && why->certificate != TL_CHAIN_WHOLE)
        (void)snprintf(certificate, sizeof certificate, " (certificate %d)", why->certificate);
    return tl_fault_set(fault, code, "%s: %s: %s%s%s%s%s; see %s", flow, why->step, why->what,
                        why->where != NULL && why->where[0] != '\0' ? ": " : "",
                        why->where != NULL ? why->where : "", certificate,
                        e >= TL_E_PEER && e < TL_E_REPLY ? " (the peer refused)" : "", why->clause);
}

static tl_exit run_one(run *r, const run_flow *f, run_result *result, tl_fault *fault)
{
    tl_spdm_ask ask = f->ask;
    tl_spdm_out out = spdm_end_out(r->end);
    tl_spdm_in in;
    tl_exit e = TL_EXIT_OK;
    tl_err err;

    ask.slot = r->end->options->slot;
    ask.context = tl_span_of(context, sizeof context);
    err = tl_requester_start(&r->rq, f->flow, &ask, tl_clock_ms(), &out);
    while (err == TL_OK && tl_requester_going(&r->rq)) {
        e = send_request(r, f, result, &out, fault);
        if (e == TL_EXIT_OK)
            e = take_answer(r, f, result, &in, fault);
        if (e != TL_EXIT_OK)
            return e;
        out = spdm_end_out(r->end);
        err = tl_requester_step(&r->rq, tl_clock_ms(), in, &out);
    }
    return err == TL_OK ? TL_EXIT_OK : say_why(&r->rq, err, f->name, fault);
}

/* ---- what was learnt ---- */

static const char *version_text(uint8_t version)
{
    return version == TL_SPDM_13 ? "1.3" : "1.2";
}

static void show_flow(const run *r, const run_flow *f, const run_result *result)
{
    if (r->end->options->json)
        return;
    if (result->left_out)
        (void)printf("%-16s left out: the responder cannot\n", f->name);
    else
        (void)printf("%-16s ok  %u messages, %zu bytes sent, %zu received, %.1f ms\n", f->name,
                     result->messages, result->sent, result->received, (double)result->us / 1e3);
}

/* As DSP0274 names them. */
typedef struct alg_names {
    const char *hash, *sign, *group, *aead;
} alg_names;

static alg_names names_of(const tl_spdm_algs *a)
{
    alg_names n = { "none", "none", "none", "none" };

#define SPDM_HASH(name, bit, measurement_bit, alg)                                                           \
    if (a->hash == TL_HASH_##alg)                                                                            \
        n.hash = #name;
#define SPDM_ASYM(name, bit, alg)                                                                            \
    if (a->sign == TL_SIGN_##alg)                                                                            \
        n.sign = #name;
#define SPDM_DHE(name, bit, alg)                                                                             \
    if (a->group == TL_GROUP_##alg)                                                                          \
        n.group = #name;
#define SPDM_AEAD(name, bit, alg)                                                                            \
    if (a->aead == TL_SUITE_##alg)                                                                           \
        n.aead = #name;
#include <trueline/spdm_algs.def>
#undef SPDM_HASH
#undef SPDM_ASYM
#undef SPDM_DHE
#undef SPDM_AEAD
    return n;
}

static void show_algs(const run *r)
{
    alg_names n = names_of(tl_requester_algs(&r->rq));

    if (!r->end->options->json)
        (void)printf("SPDM %s, %s, %s, %s, %s\n", version_text(tl_requester_version(&r->rq)), n.hash, n.sign,
                     n.group, n.aead);
}

static void show_peer(const run *r)
{
    const tl_spdm_peer *peer = tl_requester_peer(&r->rq);

    if (r->end->options->json)
        return;
    (void)printf("peer: %s, serial %s%s%s%s%s\n", peer->facts.subject, peer->facts.serial,
                 peer->facts.role[0] != '\0' ? ", role " : "", peer->facts.role,
                 peer->facts.device_info[0] != '\0' ? ", " : "", peer->facts.device_info);
}

static void show_measurements(run *r)
{
    const tl_spdm_measured *measured = tl_requester_measured(&r->rq);
    tl_rd record = tl_rd_of(tl_span_of(r->measurements, measured->record_n));
    tl_spdm_measurement m;
    char hex[2 * 32 + 1];

    r->measured = measured->had ? measured->blocks : 0;
    if (r->end->options->json || !measured->had)
        return;
    while (tl_spdm_each_measurement(&record, &m)) {
        hex_text(m.value, hex, sizeof hex);
        (void)printf("  measurement %3u type %u %s %zu bytes %s%s\n", m.index, m.type,
                     m.raw ? "raw" : "digest", m.value.n, hex, m.value.n > 32 ? "..." : "");
    }
}

static json_t *measurements_json(run *r)
{
    const tl_spdm_measured *measured = tl_requester_measured(&r->rq);
    tl_rd record = tl_rd_of(tl_span_of(r->measurements, measured->record_n));
    static char hex[2 * MEASUREMENTS + 1];
    json_t *list = json_array();
    tl_spdm_measurement m;

    while (measured->had && tl_spdm_each_measurement(&record, &m)) {
        hex_text(m.value, hex, sizeof hex);
        (void)json_array_append_new(list, json_pack("{s:i,s:i,s:b,s:s}", "index", (int)m.index, "type",
                                                    (int)m.type, "raw", (int)m.raw, "value", hex));
    }
    return list;
}

static json_t *flows_json(const run *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < FLOWS; i++) {
        const run_result *f = &r->results[i];

        if (f->done)
            (void)json_array_append_new(list,
                                        json_pack("{s:s,s:i,s:I,s:I,s:I}", "name", flows[i].name, "messages",
                                                  (int)f->messages, "sent", (json_int_t)f->sent, "received",
                                                  (json_int_t)f->received, "us", (json_int_t)f->us));
    }
    return list;
}

/* Everything in one object, also of a run that was refused. */
static tl_exit print_json(const run *r, json_t *measurements, const tl_fault *refusal, tl_fault *fault)
{
    const tl_spdm_peer *peer = tl_requester_peer(&r->rq);
    const alg_names n = names_of(tl_requester_algs(&r->rq));
    json_t *all = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s*,s:s,s:s,s:s,s:b,s:o,s:o*}", "version",
        version_text(tl_requester_version(&r->rq)), "hash", n.hash, "signature", n.sign, "exchange", n.group,
        "aead", n.aead, "refused", refusal->code != TL_EXIT_OK ? refusal->text : NULL, "subject",
        peer->facts.subject, "serial", peer->facts.serial, "role", peer->facts.role, "authenticated",
        (int)peer->authenticated, "flows", flows_json(r), "measurements", measurements);

    if (all == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "json: no memory");
    (void)json_dumpf(all, stdout, JSON_INDENT(2));
    (void)putchar('\n');
    json_decref(all);
    return TL_EXIT_OK;
}

/* ---- the whole ---- */

static bool can(const run *r, const run_flow *f)
{
    return (tl_requester_peer(&r->rq)->flags & f->needs) == f->needs;
}

static tl_exit run_all(run *r, json_t **measurements, tl_fault *fault)
{
    tl_exit e = TL_EXIT_OK;

    for (size_t i = 0; i < FLOWS && e == TL_EXIT_OK; i++) {
        run_result *result = &r->results[i];
        uint64_t started = tl_clock_us();

        result->left_out = !can(r, &flows[i]);
        if (!result->left_out) {
            e = run_one(r, &flows[i], result, fault);
            result->done = e == TL_EXIT_OK;
            result->us = tl_clock_us() - started;
        }
        if (e != TL_EXIT_OK)
            break;
        show_flow(r, &flows[i], result);
        if (flows[i].flow == &tl_flow_session)
            show_algs(r);
        if (flows[i].flow == &tl_flow_attest) {
            show_peer(r);
            show_measurements(r);
            *measurements = r->end->options->json ? measurements_json(r) : NULL;
        }
    }
    return e;
}

static void show_end(const run *r, bool failed)
{
    unsigned messages = 0, done = 0;

    for (size_t i = 0; i < FLOWS; i++) {
        messages += r->results[i].messages;
        done += r->results[i].done;
    }
    if (!r->end->options->json)
        (void)printf("spdm requester: flows=%u messages=%u measurements=%u failed=%d\n", done, messages,
                     r->measured, failed);
}

static tl_exit init(run *r, spdm_end *end, tl_fault *fault)
{
    tl_err e;

    r->end = end;
    r->config = (tl_requester_config){
        .crypto = end->crypto,
        .policy = &end->policy,
        .binding = &end->options->transport->binding,
        .trust = &end->trust,
        .slots = &end->identity,
        .slots_n = end->identities,
        .sessions = end->sessions,
        .sessions_n = SPDM_END_SESSIONS,
        .rtt_ms = end->options->timeout_ms,
        .busy_retries = BUSY_RETRIES,
        .message = end->message,
        .message_n = sizeof end->message,
        .chain = r->chain,
        .chain_n = sizeof r->chain,
        .measurements = r->measurements,
        .measurements_n = sizeof r->measurements,
    };
    e = tl_requester_init(&r->rq, &r->config);
    if (e != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "requester: %s", tl_err_text(e));
    return TL_EXIT_OK;
}

/* Greets, runs, and leaves politely whatever came of it: an emulator that loses its peer ends. */
static tl_exit talk(run *r, json_t **measurements, tl_fault *fault)
{
    tl_fault ignored;
    tl_exit e = tl_emu_greet(&r->end->link, fault), left;

    if (e != TL_EXIT_OK)
        return e;
    e = run_all(r, measurements, fault);
    if (e == TL_EXIT_LINK || e == TL_EXIT_STOPPED)
        return e;
    left = tl_emu_leave(&r->end->link, r->end->options->stay ? TL_EMU_CONTINUE : TL_EMU_SHUTDOWN,
                        e == TL_EXIT_OK ? fault : &ignored);
    return e == TL_EXIT_OK ? left : e;
}

tl_exit spdm_run_requester(spdm_end *end, tl_fault *fault)
{
    static run r;
    json_t *measurements = NULL;
    tl_net_name peer;
    tl_fault json_fault;
    int fd = -1;
    tl_exit e = init(&r, end, fault);

    if (e == TL_EXIT_OK)
        e = tl_net_connect(&end->options->emulator, tl_clock_ms() + end->options->timeout_ms, &fd, &peer,
                           fault);
    if (e == TL_EXIT_OK) {
        tl_emu_link_init(&end->link, fd, spdm_end_word(end->options->transport));
        e = talk(&r, &measurements, fault);
        tl_net_close(fd, tl_clock_ms() + (e == TL_EXIT_OK ? end->options->timeout_ms : 0));
    }
    show_end(&r, e != TL_EXIT_OK);
    if (e == TL_EXIT_OK)
        fault->code = TL_EXIT_OK;
    if (end->options->json && print_json(&r, measurements, fault, &json_fault) != TL_EXIT_OK &&
        e == TL_EXIT_OK) {
        *fault = json_fault;
        e = fault->code;
    }
    tl_requester_wipe(&r.rq);
    return e;
}
