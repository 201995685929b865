/* Handshakes of `trueline bench`. A job that goes wrong sets `failed`; nothing is reported then.
 *
 * Each handshake is whole: fresh ends, VERSION, CAPABILITIES, ALGORITHMS, DIGESTS, CERTIFICATE, KEY_EXCHANGE, FINISH and
 * END_SESSION with their requests, ends wiped. A backend for each end, as two devices would have. Messages cross in the
 * buffer that the sender wrote them to. Only the responder proves who it is. */
#include "bench_spdm.h"

#include "pki_cert.h"
#include "spdm_end.h"

#include <string.h>

enum { NOW_S = 1900000000, NOW_MS = 1000, DAY = 86400, DEPTH = 3 };

/* ---- set-up ---- */

static bool append(bench_spdm *b, const X509 *x)
{
    uint8_t *at = b->chain + b->chain_n;
    int n = i2d_X509(x, NULL);

    if (n <= 0 || b->chain_n + (size_t)n > sizeof b->chain)
        return false;
    b->chain_n += (size_t)i2d_X509(x, &at);
    return true;
}

static bool load_key(bench_spdm *b, EVP_PKEY *key)
{
    uint8_t der[256], *at = der;
    int n = i2d_PrivateKey(key, NULL);
    tl_openssl_input in = { "key", { der, 0 } };
    bool loaded;

    if (n <= 0 || (size_t)n > sizeof der)
        return false;
    in.bytes.n = (size_t)i2d_PrivateKey(key, &at);
    loaded = tl_openssl_load_key(b->rs_end.backend, &in, &b->rs_end.key, NULL) == TL_OK;
    tl_wipe(der, sizeof der);
    return loaded;
}

/* Each certificate is signed by the one before it. */
static bool issue(bench_spdm *b, tl_group curve)
{
    static const pki_template templates[DEPTH] = {
        { .subject = "Trueline root", .kind = PKI_AUTHORITY, .path_length = 1 },
        { .subject = "Trueline sensor authority", .kind = PKI_AUTHORITY },
        { .subject = "sensor",
          .path_length = PKI_NO_PATH_LENGTH,
          .device_info = "Trueline:trueline-sensor:sensor",
          .use = TL_USE_RESPONDER },
    };
    pki_pair pairs[DEPTH] = { 0 };
    bool made = true;

    b->chain_n = 0;
    for (size_t i = 0; i < DEPTH && made; i++) {
        pki_template t = templates[i];

        t.not_before = NOW_S - DAY;
        t.not_after = NOW_S + DAY;
        t.key_usage = t.kind == PKI_AUTHORITY ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature";
        pairs[i].key = pki_new_key(curve);
        if (pairs[i].key != NULL)
            pairs[i].certificate = pki_issue(&t, pairs[i].key, i > 0 ? &pairs[i - 1] : NULL);
        made = pairs[i].certificate != NULL && append(b, pairs[i].certificate);
        if (i == 0)
            b->root_n = b->chain_n;
    }
    made = made && load_key(b, pairs[DEPTH - 1].key);
    for (size_t i = 0; i < DEPTH; i++)
        pki_pair_free(&pairs[i]);
    return made;
}

static bool trust_root(bench_spdm *b)
{
    tl_openssl_input in = { "root", { b->chain, b->root_n } };

    if (tl_openssl_load_trust(b->rq_end.backend, &in, &b->rq_end.key, NULL) != TL_OK)
        return false;
    b->rules = (tl_chain_rules){ .trust = b->rq_end.key, .now = NOW_S, .role = "sensor" };
    b->slot = (tl_spdm_identity){ .certificates = { b->chain, b->chain_n },
                                  .root = { b->chain, b->root_n },
                                  .key = b->rs_end.key,
                                  .alg = tl_openssl_key_alg(b->rs_end.backend, b->rs_end.key) };
    return true;
}

static tl_spdm_policy policy_of(tl_spdm_role role, tl_group curve)
{
    tl_spdm_policy p = tl_spdm_policy_default(role);

    p.flags &= ~(uint32_t)TL_CAP_MUT_AUTH;
    p.data_transfer_size = BENCH_SPDM_MESSAGE;
    spdm_policy_narrow(&p, curve);
    p.req_asym = 0;
    return p;
}

static void configure(bench_spdm *b, tl_group curve)
{
    static const tl_spdm_family *const families[] = { &tl_serve_connection, &tl_serve_certificates,
                                                      &tl_serve_sessions, NULL };

    b->rq_end.policy = policy_of(TL_SPDM_REQUESTER, curve);
    b->rq_end.policy.peer_flags = TL_CAP_CERT | TL_CAP_ENCRYPT | TL_CAP_MAC | TL_CAP_KEY_EX;
    b->rs_end.policy = policy_of(TL_SPDM_RESPONDER, curve);
    b->rq_config = (tl_requester_config){
        .policy = &b->rq_end.policy,
        .binding = &tl_transport_mctp.binding,
        .trust = &b->rules,
        .sessions = &b->rq_end.session,
        .sessions_n = 1,
        .message = b->rq_end.message,
        .message_n = sizeof b->rq_end.message,
        .chain = b->peer_chain,
        .chain_n = sizeof b->peer_chain,
    };
    b->rs_config = (tl_responder_config){
        .policy = &b->rs_end.policy,
        .families = families,
        .binding = &tl_transport_mctp.binding,
        .slots = &b->slot,
        .slots_n = 1,
        .sessions = &b->rs_end.session,
        .sessions_n = 1,
        .message = b->rs_end.message,
        .message_n = sizeof b->rs_end.message,
    };
}

static void use_crypto(bench_spdm *b, const tl_crypto *rq, const tl_crypto *rs)
{
    b->rq_config.crypto = rq;
    b->rs_config.crypto = rs;
}

/* ---- one handshake ---- */

static tl_spdm_out begin_message(bench_spdm_end *end)
{
    return (tl_spdm_out){ .w = tl_wr_of(end->wire + TL_MCTP_HEAD, sizeof end->wire - TL_MCTP_HEAD) };
}

/* Puts MCTP's type before what an end wrote, and takes it off again. */
static tl_err cross(bench_spdm *b, bench_spdm_end *from, const tl_spdm_out *out, tl_spdm_in *in)
{
    tl_carried m;

    from->wire[0] = out->secured ? TL_CARRIED_SECURED : TL_CARRIED_CLEAR;
    TL_TRY(tl_mctp_decode(from->wire, TL_MCTP_HEAD + out->w.n, &m));
    b->messages++;
    b->bytes += TL_MCTP_HEAD + out->w.n;
    *in = (tl_spdm_in){ m.p, m.n, m.kind == TL_CARRIED_SECURED };
    return TL_OK;
}

static tl_err run_flow(bench_spdm *b, const tl_spdm_flow *flow)
{
    tl_spdm_out out = begin_message(&b->rq_end), back;
    tl_spdm_in in;

    TL_TRY(tl_requester_start(&b->rq, flow, NULL, NOW_MS, &out));
    while (tl_requester_going(&b->rq)) {
        TL_TRY(cross(b, &b->rq_end, &out, &in));
        back = begin_message(&b->rs_end);
        TL_TRY(tl_responder_step(&b->rs, NOW_MS, in, &back));
        TL_TRY(cross(b, &b->rs_end, &back, &in));
        out = begin_message(&b->rq_end);
        TL_TRY(tl_requester_step(&b->rq, NOW_MS, in, &out));
    }
    return tl_requester_result(&b->rq);
}

static tl_err handshake(bench_spdm *b)
{
    tl_err e;

    b->messages = 0;
    b->bytes = 0;
    TL_TRY(tl_requester_init(&b->rq, &b->rq_config));
    TL_TRY(tl_responder_init(&b->rs, &b->rs_config));
    e = run_flow(b, &tl_flow_session);
    if (e == TL_OK)
        e = run_flow(b, &tl_flow_end_session);
    tl_requester_wipe(&b->rq);
    tl_responder_wipe(&b->rs);
    return e;
}

tl_exit bench_spdm_open(bench_spdm *b, tl_group curve, tl_fault *fault)
{
    const tl_crypto *rq, *rs;
    tl_err e;

    memset(b, 0, sizeof *b);
    if (tl_openssl_open(NULL, &b->rq_end.backend) != TL_OK ||
        tl_openssl_open(NULL, &b->rs_end.backend) != TL_OK || !issue(b, curve) || !trust_root(b)) {
        bench_spdm_close(b);
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "bench: OpenSSL makes no certificates");
    }
    configure(b, curve);
    rq = tl_openssl_crypto(b->rq_end.backend);
    rs = tl_openssl_crypto(b->rs_end.backend);
    crypto_tape_init(&b->tape);
    use_crypto(b, crypto_tape_wrap(&b->tape, 0, rq), crypto_tape_wrap(&b->tape, 1, rs));
    e = handshake(b);
    use_crypto(b, rq, rs);
    if (e == TL_OK)
        e = crypto_tape_play(&b->tape);
    if (e == TL_OK)
        return TL_EXIT_OK;
    bench_spdm_close(b);
    return tl_fault_set(fault, TL_EXIT_INTERNAL, "bench: no handshake: %s", tl_err_text(e));
}

void bench_spdm_close(bench_spdm *b)
{
    tl_openssl_close(b->rq_end.backend);
    tl_openssl_close(b->rs_end.backend);
    tl_wipe(b, sizeof *b);
}

/* ---- jobs ---- */

static void run_handshakes(void *ctx)
{
    bench_spdm *b = ctx;

    for (int i = 0; i < BENCH_SPDM_RUNS; i++)
        b->failed |= handshake(b) != TL_OK;
}

static void run_calls(void *ctx)
{
    bench_spdm *b = ctx;

    for (int i = 0; i < BENCH_SPDM_RUNS; i++)
        b->failed |= crypto_tape_play(&b->tape) != TL_OK;
}

gate_job bench_handshake(bench_spdm *b)
{
    return (gate_job){ .name = "handshake", .run = run_handshakes, .ctx = b };
}

gate_job bench_calls(bench_spdm *b)
{
    return (gate_job){ .name = "crypto", .run = run_calls, .ctx = b };
}

unsigned bench_spdm_calls(const bench_spdm *b)
{
    unsigned n = 0;

    for (size_t i = 0; i < TAPE_OPS; i++)
        n += b->tape.calls[i];
    return n;
}
