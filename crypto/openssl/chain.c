/* Checking a certificate chain: parse, profile, path, purpose, and only then a handle of the leaf's key.
 *
 * Path building, signatures, times and revocation are OpenSSL's X.509. What SPDM and Trueline ask for beyond
 * stands in chain_profile.c and chain_identity.c. Refusals of form come before those of trust: both end the
 * check, and the first names its certificate more exactly. */
#include "chain.h"

#include <openssl/err.h>

tl_err tl__chain_refuse(const tl__chain *c, int certificate, const char *why)
{
    c->facts->failed = certificate;
    c->facts->why = why;
    return TL_E_CHAIN;
}

/* The certificate at the start of `rest`, in DER and nothing else: encoded again, it gives the same bytes. */
static X509 *next_certificate(tl_span *rest)
{
    const uint8_t *p = rest->p;
    uint8_t *again = NULL;
    X509 *x = d2i_X509(NULL, &p, (long)rest->n);
    if (x == NULL)
        return NULL;
    size_t n = (size_t)(p - rest->p);
    int length = i2d_X509(x, &again);
    bool same = length > 0 && tl_equal(tl_span_of(again, (size_t)length), tl_span_of(rest->p, n));
    OPENSSL_free(again);
    if (!same) {
        X509_free(x);
        return NULL;
    }
    *rest = tl_span_of(p, rest->n - n);
    return x;
}

tl_err tl__chain_parse(tl__chain *c, tl_span certificates)
{
    if (certificates.n == 0 || certificates.p == NULL)
        return tl__chain_refuse(c, TL_CHAIN_WHOLE, "empty");
    if (certificates.n > TL_CHAIN_SIZE)
        return tl__chain_refuse(c, TL_CHAIN_WHOLE, "too many bytes");
    while (certificates.n != 0) {
        if (c->n == TL_CHAIN_CERTIFICATES)
            return tl__chain_refuse(c, TL_CHAIN_WHOLE, "too many certificates");
        X509 *x = next_certificate(&certificates);
        if (x == NULL)
            return tl__chain_refuse(c, (int)c->n, "no DER certificate");
        c->certificate[c->n++] = x;
    }
    c->facts->certificates = c->n;
    return TL_OK;
}

static tl_err give_key(tl_openssl *b, const tl__chain *c)
{
    tl__key *key;
    EVP_PKEY *pair = X509_get_pubkey(c->certificate[c->n - 1]);
    if (pair == NULL)
        return tl__openssl_failed();
    tl_err e = tl__key_take(b, TL__PUBLIC, &key, &c->facts->key);
    if (e == TL_OK)
        key->pair = pair;
    else
        EVP_PKEY_free(pair);
    return e;
}

static tl_err check(tl__chain *c, tl_span certificates, const STACK_OF(X509) * trust,
                    STACK_OF(X509_CRL) * revoked)
{
    TL_TRY(tl__chain_parse(c, certificates));
    TL_TRY(tl__chain_identity(c));
    TL_TRY(tl__chain_profile(c));
    TL_TRY(tl__chain_path(c, trust, revoked));
    return tl__chain_purpose(c);
}

/* The time must fit what OpenSSL compares with: the year 9999 ends at 253402300799. */
static bool usable(const tl_chain_rules *r)
{
    return r->now != 0 && r->now <= 253402300799u && tl_hash_size(r->hash) != 0 && r->use >= TL_USE_ANY &&
           r->use <= TL_USE_REQUESTER &&
           (r->profile == TL_PROFILE_STRICT || r->profile == TL_PROFILE_DSP0274) &&
           (r->alg == TL_SIGN_NONE || tl_sign_size(r->alg) != 0);
}

tl_err tl__chain_check(void *ctx, const tl_chain_rules *rules, tl_span certificates, tl_chain_facts *facts)
{
    tl__key *trust, *revoked = NULL;
    tl__chain c = { .backend = ctx, .rules = rules, .facts = facts };
    *facts = (tl_chain_facts){ .failed = TL_CHAIN_WHOLE };
    if (!usable(rules))
        return TL_E_USAGE;
    TL_TRY(tl__key_find(ctx, rules->trust, TL__TRUST, &trust));
    if (rules->revoked.slot != 0)
        TL_TRY(tl__key_find(ctx, rules->revoked, TL__REVOKED, &revoked));
    tl_err e = check(&c, certificates, trust->trust, revoked != NULL ? revoked->revoked : NULL);
    if (e == TL_OK)
        e = give_key(ctx, &c);
    for (size_t i = 0; i < c.n; i++)
        X509_free(c.certificate[i]);
    ERR_clear_error();
    return e;
}
