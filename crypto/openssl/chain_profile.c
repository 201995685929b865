/* What each certificate of a chain must look like (DSP0274, leaf certificate and intermediate certificates):
 * X.509 version 3, ECDSA over a curve of sign_algs.def with a hash of the SHA-2 family, certificate authorities
 * marked as such, the leaf not, and each the issuer of the next by name. */
#include "chain.h"

#include <openssl/asn1.h>
#include <openssl/obj_mac.h>
#include <openssl/x509v3.h>

static bool signed_well(const X509 *x)
{
    int nid = X509_get_signature_nid(x);
    return nid == NID_ecdsa_with_SHA256 || nid == NID_ecdsa_with_SHA384 || nid == NID_ecdsa_with_SHA512;
}

static const char *authority_lacks(X509 *x)
{
    uint32_t flags = X509_get_extension_flags(x), usage = X509_get_key_usage(x);
    if ((flags & EXFLAG_BCONS) == 0 || (flags & EXFLAG_CA) == 0)
        return "profile: not a certificate authority";
    return (usage & X509v3_KU_KEY_CERT_SIGN) == 0 ? "profile: key usage" : NULL;
}

static const char *leaf_lacks(X509 *x, const tl_chain_rules *rules)
{
    uint32_t flags = X509_get_extension_flags(x), usage = X509_get_key_usage(x);
    const tl__curve *curve = tl__curve_of_key(X509_get0_pubkey(x));
    if ((flags & EXFLAG_CA) != 0)
        return "profile: the leaf is a certificate authority";
    if ((flags & EXFLAG_KUSAGE) == 0 || (usage & X509v3_KU_DIGITAL_SIGNATURE) == 0)
        return "profile: key usage";
    if (rules->profile == TL_PROFILE_STRICT && (usage & (X509v3_KU_KEY_CERT_SIGN | X509v3_KU_CRL_SIGN)) != 0)
        return "profile: key usage";
    if (rules->alg != TL_SIGN_NONE && curve->alg != rules->alg)
        return "wrong algorithm";
    return NULL;
}

/* What is wrong with a certificate wherever it stands. */
static const char *any_lacks(X509 *x)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
    if (X509_get_version(x) != X509_VERSION_3)
        return "profile: version";
    if ((X509_get_extension_flags(x) & EXFLAG_INVALID) != 0)
        return "profile: extensions";
    if (ASN1_STRING_type((const ASN1_STRING *)serial) == V_ASN1_NEG_INTEGER ||
        ASN1_STRING_length((const ASN1_STRING *)serial) > (TL_SERIAL_SIZE - 1) / 2)
        return "profile: serial number";
    if (X509_get0_pubkey(x) == NULL || tl__curve_of_key(X509_get0_pubkey(x)) == NULL || !signed_well(x))
        return "profile: algorithm";
    return NULL;
}

tl_err tl__chain_profile(const tl__chain *c)
{
    for (size_t i = 0; i < c->n; i++) {
        X509 *x = c->certificate[i];
        const char *why = any_lacks(x);
        if (why == NULL)
            why = i + 1 < c->n ? authority_lacks(x) : leaf_lacks(x, c->rules);
        if (why == NULL && i > 0 &&
            X509_NAME_cmp(X509_get_issuer_name(x), X509_get_subject_name(c->certificate[i - 1])) != 0)
            why = "wrong issuer";
        if (why == NULL && i > 0 && (X509_get_extension_flags(x) & EXFLAG_SI) != 0)
            why = "profile: issued by itself";
        if (why != NULL)
            return tl__chain_refuse(c, (int)i, why);
    }
    return TL_OK;
}
