/* Certificates by OpenSSL's own text form of extensions. */
#include "issuer.h"
#include "testing.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <stdio.h>

static void add(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX c;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&c, issuer, x, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&c);
    extension = X509V3_EXT_nconf_nid(NULL, &c, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void add_leaf(X509 *x, X509 *issuer, const tl_certificate_wish *wish)
{
    char info[128];

    (void)snprintf(info, sizeof info, "otherName:1.3.6.1.4.1.412.274.1;UTF8:Trueline:trueline-%s:1",
                   wish->role);
    add(x, issuer, NID_basic_constraints, "critical,CA:FALSE");
    add(x, issuer, NID_key_usage, "critical,digitalSignature");
    add(x, issuer, NID_subject_alt_name, info);
    add(x, issuer, NID_ext_key_usage,
        wish->use == TL_USE_RESPONDER ? "1.3.6.1.4.1.412.274.3" : "1.3.6.1.4.1.412.274.4");
}

tl_certified tl_certify(const tl_certificate_wish *wish, const tl_certified *by)
{
    static long serial;
    tl_certified c = { X509_new(), EVP_EC_gen("P-256") };
    X509 *x = c.certificate, *issuer = by != NULL ? by->certificate : x;
    X509_NAME *name = X509_NAME_new();

    assert_true(x != NULL && c.key != NULL && name != NULL);
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)wish->name, -1, -1, 0),
        1);
    assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial), 1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), wish->not_before));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), wish->not_after));
    assert_int_equal(X509_set_subject_name(x, name), 1);
    assert_int_equal(X509_set_issuer_name(x, by != NULL ? X509_get_subject_name(issuer) : name), 1);
    assert_int_equal(X509_set_pubkey(x, c.key), 1);
    add(x, issuer, NID_subject_key_identifier, "hash");
    if (by != NULL)
        add(x, issuer, NID_authority_key_identifier, "keyid:always");
    if (wish->role != NULL) {
        add_leaf(x, issuer, wish);
    } else {
        add(x, issuer, NID_basic_constraints, "critical,CA:TRUE");
        add(x, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    }
    assert_true(X509_sign(x, by != NULL ? by->key : c.key, EVP_sha256()) > 0);
    X509_NAME_free(name);
    return c;
}

void tl_certified_free(tl_certified *c)
{
    X509_free(c->certificate);
    EVP_PKEY_free(c->key);
}
