/* The path from leaf to anchor, by OpenSSL's X509_verify_cert: signatures, times, path lengths, revocation.
 *
 * OpenSSL may find a path other than the one that was sent, so the path it found is compared with the chain,
 * certificate by certificate: nothing in a chain is decoration. Depths count from the leaf, 0; certificates
 * of a chain from the root. */
#include "chain.h"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

static const struct {
    int error;
    const char *why; /* NULL: OpenSSL itself failed */
} reasons[] = {
    { X509_V_ERR_CERT_HAS_EXPIRED, "expired" },
    { X509_V_ERR_CERT_NOT_YET_VALID, "not yet valid" },
    { X509_V_ERR_CERT_REVOKED, "revoked" },
    { X509_V_ERR_CERT_SIGNATURE_FAILURE, "signature" },
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "unknown root" },
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "unknown root" },
    { X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "unknown root" },
    { X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "unknown root" },
    { X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "unknown root" },
    { X509_V_ERR_UNABLE_TO_GET_CRL, "no revocation list of its issuer" },
    { X509_V_ERR_CRL_HAS_EXPIRED, "revocation list expired" },
    { X509_V_ERR_CRL_NOT_YET_VALID, "revocation list not yet valid" },
    { X509_V_ERR_CRL_SIGNATURE_FAILURE, "revocation list's signature" },
    { X509_V_ERR_PATH_LENGTH_EXCEEDED, "profile: path length" },
    { X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, "profile: unknown critical extension" },
    { X509_V_ERR_OUT_OF_MEM, NULL },
    { X509_V_ERR_UNSPECIFIED, NULL },
};

static tl_err refusal(const tl__chain *c, X509_STORE_CTX *x)
{
    const char *why = "profile: RFC 5280";
    int error = X509_STORE_CTX_get_error(x), at = (int)c->n - 1 - X509_STORE_CTX_get_error_depth(x);
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (reasons[i].error == error)
            why = reasons[i].why;
    }
    if (why == NULL)
        return tl__openssl_failed();
    return tl__chain_refuse(c, at >= 0 ? at : TL_CHAIN_WHOLE, why);
}

/* A root that OpenSSL looks at for revocation is an anchor: trust in it is not for a list to take back. */
static int judge(int right, X509_STORE_CTX *x)
{
    bool anchor = X509_STORE_CTX_get_error_depth(x) == sk_X509_num(X509_STORE_CTX_get0_chain(x)) - 1;
    if (right == 1 || X509_STORE_CTX_get_error(x) != X509_V_ERR_UNABLE_TO_GET_CRL || !anchor)
        return right;
    X509_STORE_CTX_set_error(x, X509_V_OK);
    return 1;
}

static void set_rules(const tl__chain *c, X509_STORE_CTX *x, STACK_OF(X509_CRL) * revoked)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(x);
    unsigned long flags = X509_V_FLAG_CHECK_SS_SIGNATURE;
    if (c->rules->profile == TL_PROFILE_STRICT)
        flags |= X509_V_FLAG_X509_STRICT;
    if (revoked != NULL)
        flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
    X509_STORE_CTX_set_flags(x, flags);
    X509_VERIFY_PARAM_set_time(param, (time_t)c->rules->now);
    X509_VERIFY_PARAM_set_depth(param, TL_CHAIN_CERTIFICATES);
    X509_STORE_CTX_set0_crls(x, revoked);
    X509_STORE_CTX_set_verify_cb(x, judge);
}

static tl_err root_hash(const tl__chain *c, const X509 *root)
{
    size_t row;
    unsigned n;
    TL_TRY(tl__hash_row(c->rules->hash, &row));
    return X509_digest(root, c->backend->digest[row], c->facts->root_hash, &n) == 1 ? TL_OK
                                                                                    : tl__openssl_failed();
}

/* The path found is the chain, or the chain below an anchor that was not sent. */
static tl_err compare(const tl__chain *c, const STACK_OF(X509) * path)
{
    size_t found = (size_t)sk_X509_num(path);
    for (size_t i = 0; i < c->n; i++) {
        size_t depth = c->n - 1 - i;
        if (depth >= found || X509_cmp(sk_X509_value(path, (int)depth), c->certificate[i]) != 0)
            return tl__chain_refuse(c, (int)i, "not part of the path");
    }
    return found <= c->n + 1 ? TL_OK : tl__chain_refuse(c, 0, "unknown root");
}

static tl_err verify(const tl__chain *c, X509_STORE_CTX *x)
{
    int answer = X509_verify_cert(x);
    if (answer < 0)
        return tl__openssl_failed();
    if (answer != 1)
        return refusal(c, x);
    const STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(x);
    TL_TRY(compare(c, path));
    return root_hash(c, sk_X509_value(path, sk_X509_num(path) - 1));
}

/* The anchors to choose from. If the root was sent there is no choice: it is one of them, byte by byte. */
static tl_err choose(const tl__chain *c, const STACK_OF(X509) * trust, STACK_OF(X509) * chosen)
{
    bool sent = (X509_get_extension_flags(c->certificate[0]) & EXFLAG_SI) != 0;
    for (int i = 0; i < sk_X509_num(trust); i++) {
        X509 *anchor = sk_X509_value(trust, i);
        bool fits = !sent || X509_cmp(anchor, c->certificate[0]) == 0;
        if (fits && sk_X509_push(chosen, anchor) <= 0)
            return tl__openssl_failed();
    }
    return sk_X509_num(chosen) > 0 ? TL_OK : tl__chain_refuse(c, 0, "unknown root");
}

static tl_err find_path(const tl__chain *c, STACK_OF(X509) * anchors, STACK_OF(X509) * others,
                        STACK_OF(X509_CRL) * revoked)
{
    tl_err e = TL_E_BACKEND;
    X509_STORE_CTX *x = X509_STORE_CTX_new();
    if (x != NULL && X509_STORE_CTX_init(x, NULL, c->certificate[c->n - 1], others) == 1) {
        X509_STORE_CTX_set0_trusted_stack(x, anchors);
        set_rules(c, x, revoked);
        e = verify(c, x);
    }
    X509_STORE_CTX_free(x);
    return e;
}

tl_err tl__chain_path(const tl__chain *c, const STACK_OF(X509) * trust, STACK_OF(X509_CRL) * revoked)
{
    STACK_OF(X509) *anchors = sk_X509_new_null(), *others = sk_X509_new_null();
    bool made = anchors != NULL && others != NULL;
    for (size_t i = 0; i + 1 < c->n && made; i++)
        made = sk_X509_push(others, c->certificate[i]) > 0;
    tl_err e = made ? choose(c, trust, anchors) : tl__openssl_failed();
    if (e == TL_OK)
        e = find_path(c, anchors, others, revoked);
    sk_X509_free(anchors);
    sk_X509_free(others);
    return e;
}
