/* What both roles of `trueline spdm` share. Credentials are loaded by the backend; the only certificate that is looked at
 * here is the first of our own chain: if it did not issue itself, the root that did is taken from the trust anchors,
 * since SPDM's chain format begins with the root's hash. */
#include "spdm_end.h"
#include "dump_message.h"

#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- loading ---- */

static tl_exit refused(tl_fault *fault, tl_err e, const tl_openssl_why *why)
{
    if (e == TL_E_FILE || e == TL_E_ROOM)
        return tl_fault_set(fault, TL_EXIT_USAGE, "%s", why->text[0] != '\0' ? why->text : tl_err_text(e));
    return tl_fault_set(fault, TL_EXIT_INTERNAL, "crypto: %s", tl_err_text(e));
}

static tl_exit load_chain(const char *name, uint8_t bytes[TL_CHAIN_SIZE], tl_span *chain, tl_fault *fault)
{
    tl_openssl_input in = { .name = name };
    tl_openssl_why why = { "" };
    size_t n;
    tl_err e = tl_openssl_load_chain(&in, bytes, TL_CHAIN_SIZE, &n, &why);

    if (e != TL_OK)
        return refused(fault, e, &why);
    *chain = tl_span_of(bytes, n);
    return TL_EXIT_OK;
}

/* The next certificate of a chain, and its bytes; NULL at the end. The caller frees it. */
static X509 *next_certificate(tl_span *chain, tl_span *bytes)
{
    const unsigned char *p = chain->p;
    X509 *x = chain->n > 0 ? d2i_X509(NULL, &p, (long)chain->n) : NULL;

    if (x == NULL)
        return NULL;
    *bytes = tl_span_of(chain->p, (size_t)(p - chain->p));
    *chain = tl_span_of(p, chain->n - bytes->n);
    return x;
}

static tl_exit find_root(spdm_end *end, tl_fault *fault)
{
    tl_span chain = end->identity.certificates, anchors = { NULL, 0 }, bytes;
    X509 *first = next_certificate(&chain, &bytes), *x;
    const X509_NAME *issuer = first != NULL ? X509_get_issuer_name(first) : NULL;
    tl_exit e = TL_EXIT_OK;

    if (issuer != NULL && X509_NAME_cmp(issuer, X509_get_subject_name(first)) == 0)
        end->identity.root = bytes;
    else if (issuer != NULL && end->options->trust[0] != '\0')
        e = load_chain(end->options->trust, end->root_bytes, &anchors, fault);
    while (e == TL_EXIT_OK && end->identity.root.n == 0 && (x = next_certificate(&anchors, &bytes)) != NULL) {
        if (X509_NAME_cmp(issuer, X509_get_subject_name(x)) == 0)
            end->identity.root = bytes;
        X509_free(x);
    }
    X509_free(first);
    if (e == TL_EXIT_OK && end->identity.root.n == 0)
        e = tl_fault_set(fault, TL_EXIT_USAGE, "%s: does not begin with its root, and --trust has not got it",
                         end->options->chain);
    return e;
}

static tl_exit load_identity(spdm_end *end, tl_fault *fault)
{
    const spdm_options *o = end->options;
    tl_openssl_input in = { .name = o->key };
    tl_openssl_why why = { "" };
    tl_err err;
    tl_exit e;

    if (o->chain[0] == '\0')
        return TL_EXIT_OK;
    e = load_chain(o->chain, end->chain_bytes, &end->identity.certificates, fault);
    if (e == TL_EXIT_OK)
        e = find_root(end, fault);
    if (e != TL_EXIT_OK)
        return e;
    err = tl_openssl_load_key(end->backend, &in, &end->identity.key, &why);
    if (err != TL_OK)
        return refused(fault, err, &why);
    end->identity.alg = tl_openssl_key_alg(end->backend, end->identity.key);
    end->identities = 1;
    return TL_EXIT_OK;
}

static tl_exit load_trust(spdm_end *end, tl_fault *fault)
{
    const spdm_options *o = end->options;
    tl_openssl_input trust = { .name = o->trust }, revoked = { .name = o->revoked };
    tl_openssl_why why = { "" };
    time_t now = time(NULL);
    tl_err e = TL_OK;

    end->trust = (tl_chain_rules){ .profile = o->profile, .role = o->role, .now = (uint64_t)now };
    if (o->trust[0] != '\0')
        e = tl_openssl_load_trust(end->backend, &trust, &end->trust.trust, &why);
    if (e == TL_OK && o->revoked != NULL)
        e = tl_openssl_load_revoked(end->backend, &revoked, &end->trust.revoked, &why);
    if (e != TL_OK)
        return refused(fault, e, &why);
    if (o->peer_chain != NULL)
        return load_chain(o->peer_chain, end->peer_chain_bytes, &end->peer_chain, fault);
    return TL_EXIT_OK;
}

/* ---- policy ---- */

void spdm_policy_narrow(tl_spdm_policy *p, tl_group curve)
{
    static const tl_hash_alg hashes[] = {
        [TL_GROUP_P256] = TL_HASH_SHA256, [TL_GROUP_P384] = TL_HASH_SHA384
    };
    static const tl_sign_alg signs[] = {
        [TL_GROUP_P256] = TL_SIGN_ECDSA_P256, [TL_GROUP_P384] = TL_SIGN_ECDSA_P384
    };
    static const tl_suite suites[] = {
        [TL_GROUP_P256] = TL_SUITE_AES128_GMAC, [TL_GROUP_P384] = TL_SUITE_AES256_GMAC
    };
    tl_spdm_policy only = *p;

    only.hash = only.measurement_hash = only.asym = 0;
    only.dhe = only.aead = only.req_asym = 0;
#define SPDM_HASH(name, bit, measurement_bit, alg)                                                           \
    if (hashes[curve] == TL_HASH_##alg) {                                                                    \
        only.hash |= p->hash & bit;                                                                          \
        only.measurement_hash |= p->measurement_hash & measurement_bit;                                      \
    }
#define SPDM_ASYM(name, bit, alg)                                                                            \
    if (signs[curve] == TL_SIGN_##alg) {                                                                     \
        only.asym |= p->asym & bit;                                                                          \
        only.req_asym |= p->req_asym & bit;                                                                  \
    }
#define SPDM_DHE(name, bit, group)                                                                           \
    if (curve == TL_GROUP_##group)                                                                           \
        only.dhe |= p->dhe & bit;
#define SPDM_AEAD(name, bit, suite)                                                                          \
    if (suites[curve] == TL_SUITE_##suite)                                                                   \
        only.aead |= p->aead & bit;
#include <trueline/spdm_algs.def>
#undef SPDM_HASH
#undef SPDM_ASYM
#undef SPDM_DHE
#undef SPDM_AEAD
    *p = only;
}

/* A responder signs with the one key that it has. */
static uint32_t own_bit(tl_sign_alg alg)
{
#define SPDM_HASH(name, bit, measurement_bit, hash)
#define SPDM_ASYM(name, bit, sign)                                                                           \
    if (alg == TL_SIGN_##sign)                                                                               \
        return bit;
#define SPDM_DHE(name, bit, group)
#define SPDM_AEAD(name, bit, suite)
#include <trueline/spdm_algs.def>
#undef SPDM_HASH
#undef SPDM_ASYM
#undef SPDM_DHE
#undef SPDM_AEAD
    return 0;
}

static tl_exit make_policy(spdm_end *end, tl_spdm_role role, tl_fault *fault)
{
    const spdm_options *o = end->options;
    tl_spdm_policy *p = &end->policy;
    uint32_t own = end->identities > 0 ? own_bit(end->identity.alg) : 0;

    *p = tl_spdm_policy_default(role);
    p->version_min = o->version_min;
    p->version_max = o->version_max;
    p->data_transfer_size = SPDM_END_MESSAGE;
    if (!o->mutual) {
        p->flags &= ~(uint32_t)TL_CAP_MUT_AUTH;
        p->req_asym = 0;
    }
    if (o->curve != TL_GROUP_NONE)
        spdm_policy_narrow(p, o->curve);
    if (role == TL_SPDM_RESPONDER)
        p->asym &= own;
    else if (o->mutual)
        p->req_asym &= (uint16_t)own;
    if (p->asym == 0 || (o->mutual && p->req_asym == 0))
        return tl_fault_set(fault, TL_EXIT_USAGE, "%s: the key is of another curve than --curve %s", o->key,
                            tl_group_name(o->curve));
    return TL_EXIT_OK;
}

tl_exit spdm_end_open(spdm_end **end, const spdm_options *o, tl_spdm_role role, tl_fault *fault)
{
    spdm_end *x = calloc(1, sizeof *x);
    tl_exit e;

    *end = x;
    if (x == NULL || tl_openssl_open(NULL, &x->backend) != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "crypto: OpenSSL cannot be used here");
    x->options = o;
    x->crypto = tl_openssl_crypto(x->backend);
    e = load_identity(x, fault);
    if (e == TL_EXIT_OK)
        e = load_trust(x, fault);
    if (e == TL_EXIT_OK)
        e = make_policy(x, role, fault);
    return e;
}

void spdm_end_close(spdm_end *end)
{
    if (end == NULL)
        return;
    tl_openssl_close(end->backend);
    tl_emu_link_wipe(&end->link);
    tl_wipe(end, sizeof *end);
    free(end);
}

/* ---- messages ---- */

tl_emu_transport spdm_end_word(const tl_transport *transport)
{
    return transport == &tl_transport_mctp ? TL_EMU_MCTP : TL_EMU_TCP;
}

tl_spdm_out spdm_end_out(spdm_end *end)
{
    return (tl_spdm_out){ .w = tl_wr_of(end->out, sizeof end->out) };
}

tl_exit spdm_end_send(spdm_end *end, const tl_spdm_out *out, size_t *bytes, tl_fault *fault)
{
    tl_wr w = tl_wr_of(end->link.out + TL_EMU_HEAD, TL_EMU_PAYLOAD_MAX);
    tl_err e;

    *bytes = 0;
    if (out->w.n == 0)
        return TL_EXIT_OK;
    e = end->options->transport->encode(out->secured ? TL_CARRIED_SECURED : TL_CARRIED_CLEAR,
                                        tl_written(&out->w), &w);
    if (e != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "%s: %s", end->options->transport->name, tl_err_text(e));
    *bytes = w.n;
    return tl_emu_send(&end->link, TL_EMU_NORMAL, tl_written(&w), fault);
}

tl_exit spdm_end_take(const spdm_end *end, const tl_emu_frame *frame, tl_spdm_in *in, tl_fault *fault)
{
    tl_carried m;
    tl_err e = end->options->transport->decode(frame->p, frame->n, &m);

    *in = (tl_spdm_in){ .p = m.p, .n = m.n, .secured = m.kind == TL_CARRIED_SECURED };
    if (e == TL_OK && m.kind != TL_CARRIED_CLEAR && m.kind != TL_CARRIED_SECURED)
        e = TL_E_WIRE_VALUE;
    if (e != TL_OK)
        return tl_fault_set(fault, TL_EXIT_LINK, "%s: a message of %zu bytes: %s",
                            end->options->transport->name, frame->n, tl_err_text(e));
    return TL_EXIT_OK;
}

const char *spdm_end_name(tl_span message, bool in_record, const char *secured)
{
    const char *name;

    if (in_record)
        return secured;
    name = message.n >= 2 ? tl_spdm_code_text(message.p[1]) : NULL;
    return name != NULL ? name : "(unknown)";
}
