/* `trueline attest`: who is there, is it what it says, and does it run what it should? One connection, a challenge and signed
 * measurements, a verdict, and evidence that others can check again. */
#include "backend.h"
#include "clock.h"
#include "command.h"
#include "evidence.h"
#include "hex.h"
#include "stream_file.h"
#include "ui.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NAME "attest"

enum { OPT_TRUST = 0x100, OPT_CRL, OPT_ROLE, OPT_REFERENCE, OPT_PKI, OPT_JSON };
enum { DIAL_MS = 5000, TEXT_MAX = 60 };

typedef struct attest {
    spdm_client_options o;
    bool json;
    backend backend;
    spdm_client client;
    time_t started;
    uint64_t started_us;
} attest;

static const struct argp_option options[] = {
    { "trust", OPT_TRUST, "FILE", 0, "roots that its certificates must lead to (needed)", 1 },
    { "crl", OPT_CRL, "FILE", 0, "revocation lists", 1 },
    { "role", OPT_ROLE, "ROLE", 0, "role that its certificate must name (sensor)", 1 },
    { "reference", OPT_REFERENCE, "FILE", 0,
      "what it must measure, from `trueline sensor --measurements`; without it they are shown, not judged",
      1 },
    { "pki", OPT_PKI, "DIR", 0, "our own chain.pem and key.pem; attesting does not need them", 2 },
    { "json", OPT_JSON, NULL, 0, "the evidence as one JSON object on stdout", 3 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    attest *a = state->input;

    switch (key) {
    case OPT_TRUST: a->o.files.trust = arg; return 0;
    case OPT_CRL: a->o.files.crl = arg; return 0;
    case OPT_ROLE: a->o.files.role = arg; return 0;
    case OPT_REFERENCE: a->o.reference = arg; return 0;
    case OPT_PKI: a->o.files.pki = arg; return 0;
    case OPT_JSON: a->json = true; return 0;
    case ARGP_KEY_ARG:
        if (a->o.connect != NULL)
            argp_error(state, "'%s' is too much: give one HOST:PORT", arg);
        a->o.connect = arg;
        return 0;
    case ARGP_KEY_END:
        if (a->o.connect == NULL)
            argp_error(state, "give the sensor's HOST:PORT");
        if (a->o.files.trust == NULL)
            argp_error(state, "give the roots that are trusted: --trust FILE");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "HOST:PORT",
    .doc = "Authenticates a sensor, takes its signed measurements, and compares them with a reference. Exit "
           "code 0: it is "
           "what it should be; 3: it is not authenticated, or a measurement is changed; 4: the connection "
           "failed."
           "\vExamples:\n"
           "  trueline attest :4194 --trust keys/root.pem --reference ref.json\n"
           "  trueline attest :4194 --trust keys/root.pem --json | jq .identity\n",
};

/* ---- what is told ---- */

/* The verdict in one word: without a reference nobody judged the measurements. */
static const char *verdict(const attest *a, tl_exit code)
{
    if (code == TL_EXIT_OK)
        return a->client.has_reference ? "trusted" : "authenticated";
    return code == TL_EXIT_PEER ? "refused" : "unknown";
}

static json_t *proof_json(const attest *a)
{
    evidence_proof p = evidence_proof_of(&a->client);
    char nonce[2 * TL_SPDM_NONCE + 1], peer[2 * TL_SPDM_NONCE + 1], signature[2 * TL_SIGNATURE_MAX + 1];

    hex_text(p.nonce, nonce, sizeof nonce);
    hex_text(p.peer_nonce, peer, sizeof peer);
    hex_text(p.signature, signature, sizeof signature);
    return json_pack("{s:s, s:s, s:s}", "nonce", nonce, "sensor_nonce", peer, "signature", signature);
}

static tl_exit print_json(const attest *a, tl_exit code, const tl_fault *why, tl_fault *fault)
{
    const spdm_client *c = &a->client;
    char time_text[32] = "";
    struct tm utc;
    json_t *o;

    if (gmtime_r(&a->started, &utc) != NULL)
        (void)strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    o = json_pack("{s:s, s:s, s:s, s:s, s:f, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:i}", "verdict",
                  verdict(a, code), "why", code == TL_EXIT_OK ? "" : why->text, "peer", c->link.peer, "time",
                  time_text, "seconds", (double)(tl_clock_us() - a->started_us) / 1e6, "identity",
                  evidence_identity(c), "version", evidence_version(c), "algorithms", evidence_algorithms(c),
                  "measurements", evidence_measurements(c), "proof", proof_json(a), "messages",
                  evidence_messages(c), "steps", spdm_client_steps(c), "exit", (int)code);
    if (o == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "output: no memory");
    (void)json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    (void)putchar('\n');
    json_decref(o);
    return ui_flush(fault);
}

static const char *block_name(const spdm_client *c, uint8_t index)
{
    for (size_t i = 0; i < c->reference.n; i++)
        if (c->reference.blocks[i].index == index)
            return c->reference.blocks[i].name;
    return "-";
}

static void print_block(const spdm_client *c, const tl_spdm_measurement *m)
{
    char value[2 * 24 + 1];

    if (m->raw) {
        (void)printf("measurement %-3u %-10s ", m->index, block_name(c, m->index));
        for (size_t i = 0; i < m->value.n && i < TEXT_MAX; i++)
            (void)putchar(m->value.p[i] >= ' ' && m->value.p[i] <= '~' ? m->value.p[i] : '.');
        (void)putchar('\n');
        return;
    }
    hex_text(m->value, value, sizeof value);
    (void)printf("measurement %-3u %-10s %s%s\n", m->index, block_name(c, m->index), value,
                 m->value.n > 24 ? "..." : "");
}

static tl_exit print_text(const attest *a, tl_exit code, tl_fault *fault)
{
    const spdm_client *c = &a->client;
    const tl_chain_facts *f = &tl_requester_peer(&c->rq)->facts;
    const tl_spdm_algs *algs = tl_requester_algs(&c->rq);
    tl_rd r = tl_rd_of(spdm_client_record(c));
    tl_spdm_measurement m;

    if (code == TL_EXIT_OK) {
        (void)printf("identity        %s\nrole            %s\nchain           %zu certificates\n",
                     f->device_info, f->role, f->certificates);
        (void)printf("SPDM            %s, %s, %s\n", evidence_version(c), tl_hash_name(algs->hash),
                     tl_sign_name(algs->sign));
        while (tl_spdm_each_measurement(&r, &m))
            print_block(c, &m);
    }
    (void)printf("verdict         %s\n", verdict(a, code));
    return ui_flush(fault);
}

/* ---- all of it ---- */

static tl_exit run(attest *a, tl_fault *fault)
{
    tl_exit e = backend_start(&a->backend, BACKEND_BEST, fault);

    if (e == TL_EXIT_OK)
        e = spdm_client_open(&a->client, &a->o, &a->backend, fault);
    if (e == TL_EXIT_OK)
        e = spdm_client_dial(&a->client, tl_clock_ms() + DIAL_MS, fault);
    return e == TL_EXIT_OK ? spdm_client_run(&a->client, spdm_script_attest, fault) : e;
}

int cmd_attest(int argc, char **argv)
{
    static attest a; /* zero, and too large for a stack */
    tl_fault fault = { 0 }, output;
    tl_exit e, x;

    a.o.files.role = "sensor";
    a.client.link.fd = -1;
    stream_file_guard_json();
    if (ui_parse(&argp, argc, argv, &a) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    a.started = time(NULL);
    a.started_us = tl_clock_us();
    e = run(&a, &fault);
    if (e == TL_EXIT_STOPPED)
        e = TL_EXIT_LINK;
    if (e != TL_EXIT_OK)
        (void)ui_fail(NAME, &fault);
    if (e != TL_EXIT_USAGE) {
        x = a.json ? print_json(&a, e, &fault, &output) : print_text(&a, e, &output);
        if (x != TL_EXIT_OK)
            e = (tl_exit)ui_fail(NAME, &output);
    }
    spdm_client_close(&a.client);
    backend_close(&a.backend);
    return (int)e;
}
