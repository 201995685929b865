/* A requester, and answers to it: a responder's own, with bytes of the input laid over them, cut or replaced. Signatures and
 * chains are taken for right, so that the fuzzer gets past them: what is tried is what the requester reads, not what it
 * believes. It stays in bounds, ends, gives its handles back and leaves its context zero. Nothing is computed with public
 * keys, and random numbers are the same in every run: so there are hundreds of runs in a second, and each can be had again.
 *
 * The input: [flow 1] [kind 1 | offset 1 | length 1 | bytes]... one for each answer; kind: 0 as it is, 1 laid over,
 * 2 replaced, 3 cut to the offset, 4 lost, 5 as a record */
#include "identity.h"

#include <stdlib.h>
#include <string.h>

#include <trueline/requester.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE = 2048, OUT = MESSAGE + TL_RECORD_OVERHEAD, SESSIONS = 1, CHAIN = 600, TURNS = 64 };
enum { AS_IT_IS = 0, LAID_OVER, REPLACED, CUT, LOST, AS_A_RECORD, KINDS };

static tl_crypto_ops credulous; /* of both */
static uint32_t dice;
static unsigned keys_held, hashes_held;
static const uint8_t chain[CHAIN] = { 0x30, 1, 2, 3 };

typedef struct both {
    tl_requester rq;
    tl_responder rs;
    tl_spdm_session rq_sessions[SESSIONS], rs_sessions[SESSIONS];
    uint8_t rq_message[MESSAGE], rs_message[MESSAGE], peer[1024], record[256], vendor[64];
} both;

static tl_err any_signature(void *ctx, tl_key k, tl_sign_alg alg, tl_digest digest, tl_span signature,
                            bool *right)
{
    (void)ctx;
    (void)k;
    (void)digest;
    *right = signature.n == tl_sign_size(alg);
    return TL_OK;
}

/* Right if it begins with the root; there is no key to give back. */
static tl_err any_chain(void *ctx, const tl_chain_rules *rules, tl_span certificates, tl_chain_facts *facts)
{
    tl_hash h;
    tl_err e;

    *facts = (tl_chain_facts){ .alg = rules->alg, .failed = TL_CHAIN_WHOLE, .why = "short" };
    if (certificates.n < ROOT)
        return TL_E_CHAIN;
    TL_TRY(credulous.hash_start(ctx, rules->hash, &h));
    e = credulous.hash_add(ctx, h, tl_span_of(certificates.p, ROOT));
    if (e == TL_OK)
        e = credulous.hash_end(ctx, h, facts->root_hash);
    if (e != TL_OK)
        credulous.hash_drop(ctx, h);
    facts->why = NULL;
    return e;
}

static tl_err any_random(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        dice = dice * 1664525 + 1013904223;
        out[i] = (uint8_t)(dice >> 24);
    }
    return TL_OK;
}

static tl_err sign_nothing(void *ctx, tl_key k, tl_sign_alg alg, tl_digest digest, uint8_t *signature)
{
    (void)ctx;
    (void)k;
    (void)digest;
    memset(signature, 0x5A, tl_sign_size(alg));
    return TL_OK;
}

/* ---- handles are counted ---- */

static tl_err key_load(void *ctx, tl_suite suite, tl_span key, tl_key *k)
{
    tl_err e = tl_openssl_crypto(backend)->ops->key_load(ctx, suite, key, k);

    keys_held += e == TL_OK;
    return e;
}

static void key_drop(void *ctx, tl_key k)
{
    keys_held -= k.slot != 0;
    tl_openssl_crypto(backend)->ops->key_drop(ctx, k);
}

static tl_err hash_start(void *ctx, tl_hash_alg alg, tl_hash *h)
{
    tl_err e = tl_openssl_crypto(backend)->ops->hash_start(ctx, alg, h);

    hashes_held += e == TL_OK;
    return e;
}

static tl_err hash_clone(void *ctx, tl_hash from, tl_hash *to)
{
    tl_err e = tl_openssl_crypto(backend)->ops->hash_clone(ctx, from, to);

    hashes_held += e == TL_OK;
    return e;
}

static tl_err hash_end(void *ctx, tl_hash h, uint8_t *digest)
{
    tl_err e = tl_openssl_crypto(backend)->ops->hash_end(ctx, h, digest);

    hashes_held -= e == TL_OK;
    return e;
}

static void hash_drop(void *ctx, tl_hash h)
{
    hashes_held -= h.slot != 0;
    tl_openssl_crypto(backend)->ops->hash_drop(ctx, h);
}

/* Half of an exchange is a stream key, so that its handle is one of the backend's. */
static tl_err exchange_start(void *ctx, tl_group group, tl_key *own, uint8_t *point)
{
    static const uint8_t zeros[TL_HASH_MAX];

    memset(point, 0x11, 2 * tl_group_size(group));
    return key_load(ctx, TL_SUITE_AES128_GMAC, tl_span_of(zeros, 16), own);
}

/* A point is on the curve or not by its first bit; both ends have the same secret. */
static tl_err exchange_end(void *ctx, tl_key own, tl_span peer_point, uint8_t *secret)
{
    key_drop(ctx, own);
    memset(secret, 0x22, peer_point.n / 2);
    return peer_point.n > 0 && peer_point.p[0] < 0x80 ? TL_OK : TL_E_POINT;
}

/* ---- the two ends ---- */

static void open_once(void)
{
    if (!open_identity(NULL, tl_span_of(chain, sizeof chain)))
        return;
    credulous = *tl_openssl_crypto(backend)->ops;
    credulous.random = any_random;
    credulous.key_load = key_load;
    credulous.key_drop = key_drop;
    credulous.hash_start = hash_start;
    credulous.hash_clone = hash_clone;
    credulous.hash_end = hash_end;
    credulous.hash_drop = hash_drop;
    credulous.sign = sign_nothing;
    credulous.exchange_start = exchange_start;
    credulous.exchange_end = exchange_end;
    credulous.check_signature = any_signature;
    credulous.chain_check = any_chain;
}

static tl_err block_get(void *ctx, size_t i, tl_hash_alg alg, bool raw_wanted, tl_spdm_measurement *m)
{
    (void)ctx;
    (void)raw_wanted;
    *m = (tl_spdm_measurement){ (uint8_t)(i + 1), 0, i > 0, i == 0, { chain, tl_hash_size(alg) } };
    return TL_OK;
}

/* What the input makes of an answer of n bytes; gives how many it has then. */
static size_t change(tl_rd *r, uint8_t *answer, size_t n, bool *secured)
{
    unsigned kind = (unsigned)tl_get(r, 1, TL_LITTLE) % KINDS;
    size_t offset = (size_t)tl_get(r, 1, TL_LITTLE), length = (size_t)tl_get(r, 1, TL_LITTLE);
    tl_span over;

    if (r->bad || kind == AS_IT_IS)
        return n;
    if (length > r->n)
        length = r->n;
    over = tl_get_bytes(r, length);
    if (kind == LOST)
        return 0;
    if (kind == CUT)
        return offset < n ? offset : n;
    *secured = *secured || kind == AS_A_RECORD;
    if (kind == REPLACED)
        offset = 0;
    if (over.n > 0)
        memcpy(answer + offset, over.p, over.n);
    return kind == REPLACED || offset + over.n > n ? offset + over.n : n;
}

/* One request over, one answer back. */
static void turn(both *b, tl_rd *r, uint64_t now, tl_spdm_out *out)
{
    static uint8_t request[OUT], answer[OUT + 512];
    tl_spdm_out back = { .w = tl_wr_of(answer, OUT) };
    size_t n = out->w.n;
    bool secured;
    uint8_t *copy;

    memcpy(request, out->w.p, n);
    (void)!tl_responder_step(&b->rs, now, (tl_spdm_in){ request, n, out->secured }, &back);
    out->w.n = 0;
    secured = back.secured;
    n = change(r, answer, back.w.n, &secured);
    if (n == 0)
        return;
    copy = malloc(n);
    expect(copy != NULL);
    memcpy(copy, answer, n);
    (void)!tl_requester_step(&b->rq, now, (tl_spdm_in){ copy, n, secured }, out);
    free(copy);
}

static void run(both *b, tl_rd *r, const tl_spdm_flow *flow)
{
    static uint8_t bytes[OUT];
    tl_spdm_out out = { .w = tl_wr_of(bytes, sizeof bytes) };
    uint64_t now = 1;

    if (tl_requester_start(&b->rq, flow, NULL, now, &out) != TL_OK)
        return;
    for (unsigned i = 0; tl_requester_going(&b->rq); i++) {
        expect(i < TURNS * 16);
        if (out.w.n > 0) {
            turn(b, r, ++now, &out);
            continue;
        }
        now = tl_requester_wake(&b->rq);
        (void)!tl_requester_step(&b->rq, now, (tl_spdm_in){ 0 }, &out);
    }
    expect(tl_requester_result(&b->rq) == TL_OK || tl_requester_why(&b->rq)->step != NULL);
    expect(tl_requester_result(&b->rq) == TL_OK || tl_requester_why(&b->rq)->what != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const tl_spdm_measurement_source source = { NULL, 3, block_get };
    static const tl_chain_rules trust = { .now = 1 };
    static const uint8_t zeros[sizeof(tl_requester)];
    static both b;
    tl_spdm_policy rq_policy = tl_spdm_policy_default(TL_SPDM_REQUESTER);
    tl_spdm_policy rs_policy = tl_spdm_policy_default(TL_SPDM_RESPONDER);
    tl_rd r = tl_rd_of(tl_span_of(data, size));
    bool session = tl_get(&r, 1, TL_LITTLE) & 1;

    open_once();
    dice = 1;
    rq_policy.data_transfer_size = 512;
    const tl_crypto believing = { &credulous, tl_openssl_crypto(backend)->ctx };
    tl_requester_config rq_config = { .crypto = &believing,
                                      .policy = &rq_policy,
                                      .trust = &trust,
                                      .sessions = b.rq_sessions,
                                      .sessions_n = SESSIONS,
                                      .busy_retries = 2,
                                      .message = b.rq_message,
                                      .message_n = MESSAGE,
                                      .chain = b.peer,
                                      .chain_n = sizeof b.peer,
                                      .measurements = b.record,
                                      .measurements_n = sizeof b.record,
                                      .vendor = b.vendor,
                                      .vendor_n = sizeof b.vendor };
    tl_responder_config rs_config = { .crypto = &believing,
                                      .policy = &rs_policy,
                                      .families = tl_serve_all,
                                      .slots = &identity,
                                      .slots_n = 1,
                                      .sessions = b.rs_sessions,
                                      .sessions_n = SESSIONS,
                                      .measurements = &source,
                                      .message = b.rs_message,
                                      .message_n = MESSAGE };
    expect(tl_requester_init(&b.rq, &rq_config) == TL_OK && tl_responder_init(&b.rs, &rs_config) == TL_OK);
    run(&b, &r, session ? &tl_flow_session : &tl_flow_attest);
    if (session)
        run(&b, &r, &tl_flow_measure);
    expect(size > 1 || tl_requester_result(&b.rq) == TL_OK); /* answers as they are lead to the end */
    tl_requester_wipe(&b.rq);
    tl_responder_wipe(&b.rs);
    expect(memcmp(&b.rq, zeros, sizeof zeros) == 0);
    expect(keys_held == 0 && hashes_held == 0);
    return 0;
}
