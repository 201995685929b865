/* X.509 by OpenSSL's own functions, in this process: the private keys are in no other's memory. Times are given, so
 * that tests can make what is expired. The hash goes with the curve, as SPDM pairs them: SHA-256 with P-256,
 * SHA-384 with P-384. */
#include "pki_cert.h"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

const char pki_oid_device_info[] = "1.3.6.1.4.1.412.274.1";
const char pki_oid_responder[] = "1.3.6.1.4.1.412.274.3";
const char pki_oid_requester[] = "1.3.6.1.4.1.412.274.4";

enum { SERIAL_BYTES = 16 };

EVP_PKEY *pki_new_key(tl_group group)
{
    const char *curve = group == TL_GROUP_P256 ? "P-256" : group == TL_GROUP_P384 ? "P-384" : NULL;

    return curve != NULL ? EVP_EC_gen(curve) : NULL;
}

static const EVP_MD *hash_for(const EVP_PKEY *key)
{
    return EVP_PKEY_get_bits(key) > 256 ? EVP_sha384() : EVP_sha256();
}

void pki_pair_free(pki_pair *pair)
{
    X509_free(pair->certificate);
    EVP_PKEY_free(pair->key);
    *pair = (pki_pair){ NULL, NULL };
}

/* Positive, not zero, and as long as any other. */
static bool set_serial(X509 *x)
{
    uint8_t bytes[SERIAL_BYTES];
    BIGNUM *number;
    bool done = false;

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    bytes[0] = (uint8_t)((bytes[0] & 0x3F) | 0x40);
    number = BN_bin2bn(bytes, sizeof bytes, NULL);
    if (number != NULL)
        done = BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) != NULL;
    BN_free(number);
    return done;
}

static bool set_name(X509 *x, const char *subject)
{
    X509_NAME *name = X509_get_subject_name(x);
    const uint8_t *bytes = (const uint8_t *)subject;

    return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const uint8_t *)"Trueline", -1, -1, 0) ==
               1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes, -1, -1, 0) == 1;
}

static bool set_time(ASN1_TIME *to, int64_t seconds)
{
    return ASN1_TIME_set(to, (time_t)seconds) != NULL && ASN1_TIME_normalize(to) == 1;
}

/* ---- extensions ---- */

static bool add_text(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX c;
    X509_EXTENSION *extension;
    bool done = false;

    X509V3_set_ctx(&c, issuer, x, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&c);
    extension = X509V3_EXT_nconf_nid(NULL, &c, nid, value);
    if (extension != NULL)
        done = X509_add_ext(x, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return done;
}

static bool add_constraints(X509 *x, X509 *issuer, const pki_template *t)
{
    char value[64] = "critical,CA:FALSE";

    if (t->kind == PKI_AUTHORITY && t->path_length == PKI_NO_PATH_LENGTH)
        (void)snprintf(value, sizeof value, "critical,CA:TRUE");
    else if (t->kind == PKI_AUTHORITY)
        (void)snprintf(value, sizeof value, "critical,CA:TRUE,pathlen:%d", t->path_length);
    return add_text(x, issuer, NID_basic_constraints, value);
}

static bool add_use(X509 *x, tl_chain_use use)
{
    EXTENDED_KEY_USAGE *list;
    ASN1_OBJECT *object;
    bool done = false;

    if (use == TL_USE_ANY)
        return true;
    list = EXTENDED_KEY_USAGE_new();
    object = OBJ_txt2obj(use == TL_USE_RESPONDER ? pki_oid_responder : pki_oid_requester, 1);
    if (list != NULL && object != NULL && sk_ASN1_OBJECT_push(list, object) > 0) {
        object = NULL;
        done = X509_add1_ext_i2d(x, NID_ext_key_usage, list, 0, X509V3_ADD_APPEND) == 1;
    }
    ASN1_OBJECT_free(object);
    EXTENDED_KEY_USAGE_free(list);
    return done;
}

/* An otherName of device info. Its text is set as bytes: in OpenSSL's text form a comma would begin another name. */
static GENERAL_NAME *device_name(const char *info)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_OBJECT *oid = OBJ_txt2obj(pki_oid_device_info, 1);
    ASN1_UTF8STRING *text = ASN1_UTF8STRING_new();
    ASN1_TYPE *value = ASN1_TYPE_new();

    if (name != NULL && oid != NULL && text != NULL && value != NULL &&
        ASN1_STRING_set(text, info, -1) == 1) {
        ASN1_TYPE_set(value, V_ASN1_UTF8STRING, text);
        text = NULL;
        if (GENERAL_NAME_set0_othername(name, oid, value) == 1)
            return name;
    }
    ASN1_TYPE_free(value);
    ASN1_UTF8STRING_free(text);
    ASN1_OBJECT_free(oid);
    GENERAL_NAME_free(name);
    return NULL;
}

static bool push_device_name(GENERAL_NAMES *names, const char *info)
{
    GENERAL_NAME *name = device_name(info);

    if (name != NULL && sk_GENERAL_NAME_push(names, name) > 0)
        return true;
    GENERAL_NAME_free(name);
    return false;
}

static bool add_device_info(X509 *x, const pki_template *t)
{
    GENERAL_NAMES *names;
    bool done;

    if (t->device_info == NULL)
        return true;
    names = GENERAL_NAMES_new();
    done = names != NULL && push_device_name(names, t->device_info) &&
           (t->second_info == NULL || push_device_name(names, t->second_info)) &&
           X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, X509V3_ADD_APPEND) == 1;
    GENERAL_NAMES_free(names);
    return done;
}

static bool add_extensions(X509 *x, X509 *issuer, const pki_template *t)
{
    return add_constraints(x, issuer, t) &&
           (t->key_usage == NULL || add_text(x, issuer, NID_key_usage, t->key_usage)) && add_use(x, t->use) &&
           add_device_info(x, t) && add_text(x, issuer, NID_subject_key_identifier, "hash") &&
           add_text(x, issuer, NID_authority_key_identifier, "keyid:always");
}

X509 *pki_issue(const pki_template *t, EVP_PKEY *key, const pki_pair *issuer)
{
    X509 *x = X509_new();
    X509 *above = issuer != NULL ? issuer->certificate : x;
    EVP_PKEY *signer = issuer != NULL ? issuer->key : key;

    if (x != NULL && X509_set_version(x, t->version_1 ? X509_VERSION_1 : X509_VERSION_3) == 1 &&
        set_serial(x) && set_name(x, t->subject) &&
        X509_set_issuer_name(x, X509_get_subject_name(above)) == 1 &&
        set_time(X509_getm_notBefore(x), t->not_before) && set_time(X509_getm_notAfter(x), t->not_after) &&
        X509_set_pubkey(x, key) == 1 && add_extensions(x, above, t) &&
        X509_sign(x, signer, t->hash != NULL ? EVP_get_digestbyname(t->hash) : hash_for(signer)) > 0)
        return x;
    X509_free(x);
    return NULL;
}

/* ---- revocation lists ---- */

static bool set_list_number(X509_CRL *list, int64_t number)
{
    ASN1_INTEGER *value = ASN1_INTEGER_new();
    bool done = value != NULL && ASN1_INTEGER_set_int64(value, number) == 1 &&
                X509_CRL_add1_ext_i2d(list, NID_crl_number, value, 0, X509V3_ADD_REPLACE) == 1;

    ASN1_INTEGER_free(value);
    return done;
}

static bool set_list_issuer(X509_CRL *list, X509 *issuer)
{
    X509V3_CTX c;
    X509_EXTENSION *extension;
    bool done = false;

    X509V3_set_ctx(&c, issuer, NULL, NULL, list, 0);
    X509V3_set_ctx_nodb(&c);
    extension = X509V3_EXT_nconf_nid(NULL, &c, NID_authority_key_identifier, "keyid:always");
    if (extension != NULL)
        done = X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer)) == 1 &&
               X509_CRL_add_ext(list, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return done;
}

static bool sign_list(X509_CRL *list, const pki_pair *issuer, int64_t now)
{
    ASN1_TIME *time = ASN1_TIME_new();
    bool done = time != NULL && set_time(time, now) && X509_CRL_set1_lastUpdate(list, time) == 1 &&
                X509_CRL_sort(list) == 1 && X509_CRL_sign(list, issuer->key, hash_for(issuer->key)) > 0;

    ASN1_TIME_free(time);
    return done;
}

X509_CRL *pki_new_list(const pki_pair *issuer, int64_t now, int64_t next_update)
{
    X509_CRL *list = X509_CRL_new();
    ASN1_TIME *next = ASN1_TIME_new();
    bool done = list != NULL && next != NULL && X509_CRL_set_version(list, X509_CRL_VERSION_2) == 1 &&
                set_time(next, next_update) && X509_CRL_set1_nextUpdate(list, next) == 1 &&
                set_list_issuer(list, issuer->certificate) && set_list_number(list, 1) &&
                sign_list(list, issuer, now);

    ASN1_TIME_free(next);
    if (done)
        return list;
    X509_CRL_free(list);
    return NULL;
}

static int64_t list_number(const X509_CRL *list)
{
    ASN1_INTEGER *value = X509_CRL_get_ext_d2i(list, NID_crl_number, NULL, NULL);
    int64_t number = 0;

    if (value == NULL || ASN1_INTEGER_get_int64(&number, value) != 1)
        number = 0;
    ASN1_INTEGER_free(value);
    return number;
}

static bool add_entry(X509_CRL *list, const X509 *revoked, int64_t now)
{
    X509_REVOKED *entry = X509_REVOKED_new(), *already;
    ASN1_TIME *time = ASN1_TIME_new();
    bool done = false;

    if (X509_CRL_get0_by_serial(list, &already, X509_get0_serialNumber(revoked)) == 1)
        done = true;
    else if (entry != NULL && time != NULL && set_time(time, now) &&
             X509_REVOKED_set_serialNumber(entry,
                                           (ASN1_INTEGER *)(uintptr_t)X509_get0_serialNumber(revoked)) == 1 &&
             X509_REVOKED_set_revocationDate(entry, time) == 1 && X509_CRL_add0_revoked(list, entry) == 1) {
        entry = NULL;
        done = true;
    }
    ASN1_TIME_free(time);
    X509_REVOKED_free(entry);
    return done;
}

bool pki_revoke(X509_CRL *list, const pki_pair *issuer, const X509 *revoked, int64_t now)
{
    return (revoked == NULL || add_entry(list, revoked, now)) &&
           set_list_number(list, list_number(list) + 1) && sign_list(list, issuer, now);
}
