/* Loading identities. SPDM's format of a chain names the root by its hash, so chain.pem holds the root, too: it is the
 * first certificate. */
#include "spdm_identity.h"
#include "ui.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SEQUENCE = 0x30, LONG_TWO = 0x82, LONG_ONE = 0x81, SHORT_MAX = 0x7F };

/* Bytes of the first DER object; 0 if there is none. */
static size_t first_size(tl_span der)
{
    tl_rd r = tl_rd_of(der);
    size_t tag = (size_t)tl_get(&r, 1, TL_BIG), length = (size_t)tl_get(&r, 1, TL_BIG);

    if (length == LONG_ONE || length == LONG_TWO)
        length = (size_t)tl_get(&r, length == LONG_ONE ? 1 : 2, TL_BIG);
    else if (length > SHORT_MAX)
        return 0;
    (void)tl_take(&r, length);
    return tag == SEQUENCE && !r.bad ? der.n - r.n : 0;
}

static tl_exit refuse(tl_err e, const tl_openssl_why *why, tl_fault *fault)
{
    if (e == TL_E_FILE)
        return tl_fault_set(fault, TL_EXIT_USAGE, "identity: %.400s", why->text);
    return tl_fault_set(fault, TL_EXIT_INTERNAL, "identity: %s", tl_err_text(e));
}

/* The key signs, the leaf's public key checks. */
static tl_err key_fits(spdm_identity *id, tl_openssl *openssl, const tl_openssl_input *chain)
{
    const tl_crypto *c = tl_openssl_crypto(openssl);
    static const uint8_t zeros[TL_HASH_MAX];
    const tl_digest digest = { TL_HASH_SHA256, tl_span_of(zeros, tl_hash_size(TL_HASH_SHA256)) };
    uint8_t signature[TL_SIGNATURE_MAX];
    tl_key leaf;
    tl_err e = tl_openssl_load_leaf(openssl, chain, &leaf, NULL);

    if (e != TL_OK)
        return e;
    e = c->ops->sign(c->ctx, id->slot.key, id->slot.alg, digest, signature);
    if (e == TL_OK && tl_openssl_key_alg(openssl, leaf) == id->slot.alg)
        e = c->ops->check_signature(c->ctx, leaf, id->slot.alg, digest,
                                    tl_span_of(signature, tl_sign_size(id->slot.alg)), &id->key_fits);
    c->ops->key_drop(c->ctx, leaf);
    return e;
}

static tl_exit load_own(spdm_identity *id, const char *folder, tl_openssl *openssl, tl_fault *fault)
{
    char chain[1024], key[1024];
    const tl_openssl_input chain_in = { .name = chain }, key_in = { .name = key };
    tl_openssl_why why = { "" };
    size_t n = 0;
    tl_err e;

    (void)snprintf(chain, sizeof chain, "%.1000s/chain.pem", folder);
    (void)snprintf(key, sizeof key, "%.1000s/key.pem", folder);
    e = tl_openssl_load_chain(&chain_in, id->chain, sizeof id->chain, &n, &why);
    if (e == TL_OK)
        e = tl_openssl_load_key(openssl, &key_in, &id->slot.key, &why);
    if (e != TL_OK)
        return refuse(e, &why, fault);
    id->slot.certificates = tl_span_of(id->chain, n);
    id->slot.root = tl_span_of(id->chain, first_size(id->slot.certificates));
    id->slot.alg = tl_openssl_key_alg(openssl, id->slot.key);
    id->slots = 1;
    e = key_fits(id, openssl, &chain_in);
    return e == TL_OK ? TL_EXIT_OK : refuse(e, &why, fault);
}

tl_exit spdm_identity_load(spdm_identity *id, const spdm_identity_files *files, tl_openssl *openssl,
                           tl_fault *fault)
{
    tl_openssl_why why = { "" };
    const tl_openssl_input trust = { .name = files->trust }, crl = { .name = files->crl };
    tl_err e = TL_OK;

    memset(id, 0, sizeof *id);
    if (files->pki != NULL) {
        tl_exit x = load_own(id, files->pki, openssl, fault);

        if (x != TL_EXIT_OK)
            return x;
    }
    if (files->trust == NULL)
        return TL_EXIT_OK;
    id->rules = (tl_chain_rules){ .role = files->role, .now = (uint64_t)time(NULL) };
    e = tl_openssl_load_trust(openssl, &trust, &id->rules.trust, &why);
    if (e == TL_OK && files->crl != NULL)
        e = tl_openssl_load_revoked(openssl, &crl, &id->rules.revoked, &why);
    if (e != TL_OK)
        return refuse(e, &why, fault);
    id->has_rules = true;
    return TL_EXIT_OK;
}

void spdm_identity_note(const spdm_identity *id, tl_openssl *openssl, const char *folder, const char *role,
                        const char *peer)
{
    const tl_crypto *c = tl_openssl_crypto(openssl);
    const tl_openssl_input root = { "root", id->slot.root };
    tl_chain_rules rules = { .now = (uint64_t)time(NULL), .hash = TL_HASH_SHA256 };
    tl_chain_facts facts = { .why = NULL };

    if (id->slots == 0)
        return;
    if (!id->key_fits)
        ui_note(role, "identity: %s: the key is not that of the chain's leaf", folder);
    if (tl_openssl_load_trust(openssl, &root, &rules.trust, NULL) != TL_OK)
        return;
    (void)c->ops->chain_check(c->ctx, &rules, id->slot.certificates, &facts);
    c->ops->key_drop(c->ctx, facts.key);
    c->ops->key_drop(c->ctx, rules.trust);
    if (facts.why != NULL)
        ui_note(role, "identity: %s: its certificates: %s: a %s will refuse them", folder, facts.why, peer);
    if (facts.role[0] != '\0' && strcmp(facts.role, role) != 0)
        ui_note(role, "identity: %s: its role is %s: a %s wants a %s%s%s", folder, facts.role, peer, role,
                strcmp(peer, "controller") == 0 ? ", unless told --role " : "",
                strcmp(peer, "controller") == 0 ? facts.role : "");
}
