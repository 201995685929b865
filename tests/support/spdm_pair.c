/* Both ends of SPDM in one process: their certificates by OpenSSL, and the link between them. */
#include "spdm_pair.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY = 86400, KEYS = 3, WHOLE_CHAIN = 3 };

/* ---- certificates ---- */

/* Root, intermediate and leaf keys: making them is the slow part, and whose they are does not matter. */
static EVP_PKEY *key_of(tl_sign_alg alg, size_t place)
{
    static EVP_PKEY *keys[2][KEYS];
    size_t row = alg == TL_SIGN_ECDSA_P384;

    if (keys[row][place] == NULL)
        keys[row][place] = EVP_EC_gen(row ? "P-384" : "P-256");
    assert_non_null(keys[row][place]);
    return keys[row][place];
}

static void extend(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;

    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(x, e, -1), 1);
    X509_EXTENSION_free(e);
}

static X509 *certificate(const char *name, EVP_PKEY *key, X509 *issuer)
{
    static long serial = 1000;
    X509 *x = X509_new();
    X509_NAME *subject = X509_NAME_new();

    assert_true(x != NULL && subject != NULL);
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
    X509_set_subject_name(x, subject);
    X509_set_issuer_name(x, issuer != NULL ? X509_get_subject_name(issuer) : subject);
    ASN1_TIME_set(X509_getm_notBefore(x), TL_PAIR_NOW - DAY);
    ASN1_TIME_set(X509_getm_notAfter(x), TL_PAIR_NOW + DAY);
    X509_set_pubkey(x, key);
    X509_NAME_free(subject);
    extend(x, issuer != NULL ? issuer : x, NID_subject_key_identifier, "hash");
    extend(x, issuer != NULL ? issuer : x, NID_authority_key_identifier, "keyid:always");
    return x;
}

static void sign_and_append(tl_spdm_end *end, X509 *x, EVP_PKEY *issuer, tl_sign_alg alg)
{
    uint8_t *at = end->chain + end->chain_n;
    int n;

    assert_true(X509_sign(x, issuer, alg == TL_SIGN_ECDSA_P384 ? EVP_sha384() : EVP_sha256()) > 0);
    n = i2d_X509(x, NULL);
    assert_true(n > 0 && end->chain_n + (size_t)n <= sizeof end->chain);
    end->chain_n += (size_t)i2d_X509(x, &at);
}

static void leaf_says(X509 *leaf, X509 *issuer, tl_chain_use use, const char *product)
{
    char text[96];

    extend(leaf, issuer, NID_basic_constraints, "critical,CA:FALSE");
    extend(leaf, issuer, NID_key_usage, "critical,digitalSignature");
    if (use != TL_USE_ANY)
        extend(leaf, issuer, NID_ext_key_usage,
               use == TL_USE_RESPONDER ? "1.3.6.1.4.1.412.274.3" : "1.3.6.1.4.1.412.274.4");
    snprintf(text, sizeof text, "otherName:1.3.6.1.4.1.412.274.1;UTF8:ACME:%s:1", product);
    extend(leaf, issuer, NID_subject_alt_name, text);
}

static void load_key(tl_spdm_end *end, EVP_PKEY *key)
{
    const tl_crypto *k = tl_openssl_crypto(end->backend);
    uint8_t der[256], *at = der;
    int n = i2d_PrivateKey(key, NULL);
    tl_openssl_input in = { "key", { der, 0 } };

    assert_true(n > 0 && (size_t)n <= sizeof der);
    in.bytes.n = (size_t)i2d_PrivateKey(key, &at);
    k->ops->key_drop(k->ctx, end->key);
    tl_assert_ok(tl_openssl_load_key(end->backend, &in, &end->key, NULL));
}

void tl_spdm_end_issue(tl_spdm_end *end, tl_sign_alg alg, tl_chain_use use, const char *product)
{
    X509 *x[WHOLE_CHAIN];

    end->chain_n = 0;
    x[0] = certificate("test root", key_of(alg, 0), NULL);
    extend(x[0], x[0], NID_basic_constraints, "critical,CA:TRUE");
    extend(x[0], x[0], NID_key_usage, "critical,keyCertSign,cRLSign");
    sign_and_append(end, x[0], key_of(alg, 0), alg);
    end->root_n = end->chain_n;
    x[1] = certificate("test authority", key_of(alg, 1), x[0]);
    extend(x[1], x[0], NID_basic_constraints, "critical,CA:TRUE");
    extend(x[1], x[0], NID_key_usage, "critical,keyCertSign,cRLSign");
    sign_and_append(end, x[1], key_of(alg, 0), alg);
    x[2] = certificate("test device", key_of(alg, 2), x[1]);
    leaf_says(x[2], x[1], use, product);
    sign_and_append(end, x[2], key_of(alg, 1), alg);
    for (size_t i = 0; i < WHOLE_CHAIN; i++)
        X509_free(x[i]);
    load_key(end, key_of(alg, 2));
    end->slot = (tl_spdm_identity){ .certificates = { end->chain, end->chain_n },
                                    .root = { end->chain, end->root_n },
                                    .key = end->key,
                                    .alg = alg };
}

void tl_spdm_end_other_key(tl_spdm_end *end)
{
    load_key(end, key_of(end->slot.alg, 1));
    end->slot.key = end->key;
}

void tl_spdm_end_trust(tl_spdm_end *end, const tl_spdm_end *of)
{
    const tl_crypto *k = tl_openssl_crypto(end->backend);
    tl_openssl_input in = { "root", { of->chain, of->root_n } };

    k->ops->key_drop(k->ctx, end->trust);
    tl_assert_ok(tl_openssl_load_trust(end->backend, &in, &end->trust, NULL));
    end->rules.trust = end->trust;
}

/* ---- set-up ---- */

static void end_open(tl_spdm_end *end)
{
    tl_assert_ok(tl_openssl_open(NULL, &end->backend));
    end->crypto = tl_openssl_crypto(end->backend);
    end->rules = (tl_chain_rules){ .now = TL_PAIR_NOW };
}

static tl_err block_get(void *ctx, size_t i, tl_hash_alg alg, bool raw_wanted, tl_spdm_measurement *m)
{
    tl_spdm_pair *p = ctx;

    (void)raw_wanted;
    *m = p->blocks[i];
    if (!m->raw)
        m->value.n = tl_hash_size(alg);
    return TL_OK;
}

static bool is_busy(void *ctx, uint8_t code)
{
    tl_spdm_pair *p = ctx;

    (void)code;
    if (p->busy == 0)
        return false;
    p->busy--;
    return true;
}

/* Two digests, one of the trusted computing base; a manifest and a version as they are. */
static void measure(tl_spdm_pair *p)
{
    static const uint8_t manifest[] = "a camera, version 1", number[8] = { 7 };

    memset(p->digests[0], 0x11, TL_HASH_MAX);
    memset(p->digests[1], 0x22, TL_HASH_MAX);
    p->blocks[0] = (tl_spdm_measurement){ 1, 0, false, true, { p->digests[0], 0 } };
    p->blocks[1] = (tl_spdm_measurement){ 3, 1, false, false, { p->digests[1], 0 } };
    p->blocks[2] = (tl_spdm_measurement){ 16, 7, true, true, { number, sizeof number } };
    p->blocks[3] = (tl_spdm_measurement){ 0xFD, 4, true, false, { manifest, sizeof manifest } };
    p->source = (tl_spdm_measurement_source){ p, TL_PAIR_BLOCKS, block_get };
}

static void configure(tl_spdm_pair *p)
{
    p->rq_policy = tl_spdm_policy_default(TL_SPDM_REQUESTER);
    p->rs_policy = tl_spdm_policy_default(TL_SPDM_RESPONDER);
    p->rq_config = (tl_requester_config){
        .policy = &p->rq_policy,
        .binding = &p->binding,
        .trust = &p->rq_end.rules,
        .sessions = p->rq_sessions,
        .sessions_n = TL_PAIR_SESSIONS,
        .rtt_ms = 10,
        .busy_retries = 3,
        .message = p->rq_message,
        .message_n = sizeof p->rq_message,
        .chain = p->peer_chain,
        .chain_n = sizeof p->peer_chain,
        .measurements = p->record,
        .measurements_n = sizeof p->record,
        .vendor = p->vendor,
        .vendor_n = sizeof p->vendor,
    };
    p->rs_config = (tl_responder_config){
        .policy = &p->rs_policy,
        .families = tl_serve_all,
        .binding = &p->binding,
        .slots = &p->rs_end.slot,
        .slots_n = 1,
        .sessions = p->rs_sessions,
        .sessions_n = TL_PAIR_SESSIONS,
        .measurements = &p->source,
        .message = p->rs_message,
        .message_n = sizeof p->rs_message,
        .ctx = p,
        .busy = is_busy,
        .rdt_exponent = 10,
    };
}

void tl_spdm_pair_open(tl_spdm_pair *p, tl_sign_alg alg)
{
    memset(p, 0, sizeof *p);
    end_open(&p->rq_end);
    end_open(&p->rs_end);
    tl_spdm_end_issue(&p->rq_end, alg, TL_USE_REQUESTER, "trueline-controller");
    tl_spdm_end_issue(&p->rs_end, alg, TL_USE_RESPONDER, "trueline-sensor");
    tl_spdm_end_trust(&p->rq_end, &p->rs_end);
    tl_spdm_end_trust(&p->rs_end, &p->rq_end);
    p->rq_end.rules.role = "sensor";
    p->rs_end.rules.role = "controller";
    measure(p);
    configure(p);
    p->now_ms = 1000;
}

void tl_spdm_pair_mutual(tl_spdm_pair *p)
{
    p->rq_config.slots = &p->rq_end.slot;
    p->rq_config.slots_n = 1;
    p->rs_config.trust = &p->rs_end.rules;
    p->rs_config.peer_chain = tl_span_of(p->rq_end.chain, p->rq_end.chain_n);
}

void tl_spdm_pair_begin(tl_spdm_pair *p)
{
    p->rq_config.crypto = p->rq_end.crypto;
    p->rs_config.crypto = p->rs_end.crypto;
    tl_assert_ok(tl_requester_init(&p->rq, &p->rq_config));
    tl_assert_ok(tl_responder_init(&p->rs, &p->rs_config));
}

void tl_spdm_pair_close(tl_spdm_pair *p)
{
    tl_requester_wipe(&p->rq);
    tl_responder_wipe(&p->rs);
    tl_openssl_close(p->rq_end.backend);
    tl_openssl_close(p->rs_end.backend);
    p->rq_end.backend = p->rs_end.backend = NULL;
}

/* ---- the link ---- */

static void cross(tl_spdm_pair *p, const tl_spdm_out *out, bool to_responder, tl_spdm_crossing *m)
{
    m->n = out->w.n;
    m->secured = out->secured;
    m->to_responder = to_responder;
    m->number = p->crossed;
    assert_true(m->n <= sizeof m->bytes);
    if (m->n > 0)
        memcpy(m->bytes, out->w.p, m->n);
    if (p->crossed < TL_PAIR_LOG)
        p->codes[p->crossed] = m->secured || m->n < 2 ? 0 : m->bytes[1];
    p->crossed++;
    if (p->tamper != NULL)
        p->tamper(p->tamper_ctx, m);
}

/* Memory of the message's own size; the receiver's step is the only one that may look at it. */
static uint8_t *own_copy(const tl_spdm_crossing *m)
{
    uint8_t *copy = malloc(m->n);

    assert_non_null(copy);
    memcpy(copy, m->bytes, m->n);
    return copy;
}

static void copy_free(uint8_t *copy, size_t n)
{
    memset(copy, 0xA5, n);
    free(copy);
}

static void responder_takes(tl_spdm_pair *p, const tl_spdm_crossing *m, tl_spdm_out *out)
{
    uint8_t *copy = own_copy(m);

    p->rs_result = tl_responder_step(&p->rs, p->now_ms, (tl_spdm_in){ copy, m->n, m->secured }, out);
    copy_free(copy, m->n);
}

static void requester_takes(tl_spdm_pair *p, const tl_spdm_crossing *m, tl_spdm_out *out)
{
    uint8_t *copy = own_copy(m);

    (void)!tl_requester_step(&p->rq, p->now_ms, (tl_spdm_in){ copy, m->n, m->secured }, out);
    copy_free(copy, m->n);
}

/* What the requester wrote goes over and the answer comes back; what it asks next is in out. */
static void exchange(tl_spdm_pair *p, tl_spdm_out *out, uint8_t *bytes)
{
    static tl_spdm_crossing m;
    uint8_t answer[TL_PAIR_OUT];
    tl_spdm_out back = { .w = tl_wr_of(answer, sizeof answer) };

    cross(p, out, true, &m);
    *out = (tl_spdm_out){ .w = tl_wr_of(bytes, TL_PAIR_OUT) };
    if (m.n == 0)
        return;
    responder_takes(p, &m, &back);
    if (back.w.n == 0)
        return;
    cross(p, &back, false, &m);
    if (m.n != 0)
        requester_takes(p, &m, out);
}

tl_err tl_spdm_pair_run(tl_spdm_pair *p, const tl_spdm_flow *flow, const tl_spdm_ask *ask)
{
    uint8_t bytes[TL_PAIR_OUT];
    tl_spdm_out out = { .w = tl_wr_of(bytes, sizeof bytes) };
    tl_err e = tl_requester_start(&p->rq, flow, ask, p->now_ms, &out);

    if (e != TL_OK)
        return e;
    while (tl_requester_going(&p->rq)) {
        p->now_ms++;
        if (out.w.n > 0) {
            exchange(p, &out, bytes);
            continue;
        }
        p->now_ms = tl_requester_wake(&p->rq);
        out = (tl_spdm_out){ .w = tl_wr_of(bytes, sizeof bytes) };
        (void)!tl_requester_step(&p->rq, p->now_ms, (tl_spdm_in){ 0 }, &out);
    }
    return tl_requester_result(&p->rq);
}

size_t tl_spdm_pair_ask(tl_spdm_pair *p, const void *request, size_t n, uint8_t *answer, size_t room)
{
    uint8_t bytes[TL_PAIR_OUT];
    static tl_spdm_crossing m;
    tl_spdm_out back = { .w = tl_wr_of(bytes, sizeof bytes) };

    assert_true(n > 0 && n <= sizeof m.bytes);
    memcpy(m.bytes, request, n);
    m.n = n;
    m.secured = false;
    responder_takes(p, &m, &back);
    assert_true(back.w.n <= room);
    if (back.w.n > 0)
        memcpy(answer, bytes, back.w.n);
    return back.w.n;
}
