/* What a leaf says of its owner, and whether that is who was asked for.
 *
 * DSP0274 gives a device's identity as an otherName id-DMTF-device-info, "MANUFACTURER:PRODUCT:SERIAL". A PRODUCT
 * that begins with "trueline-" names a role: the letters behind it, up to the end or the next '-'. */
#include "chain.h"

#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <string.h>

static const char oid_device_info[] = "1.3.6.1.4.1.412.274.1";
static const char oid_responder[] = "1.3.6.1.4.1.412.274.3";
static const char oid_requester[] = "1.3.6.1.4.1.412.274.4";
static const char role_prefix[] = "trueline-";

static bool is_oid(const ASN1_OBJECT *object, const char *oid)
{
    char text[64];
    int n = OBJ_obj2txt(text, sizeof text, object, 1);
    return n > 0 && (size_t)n < sizeof text && strcmp(text, oid) == 0;
}

/* ---- texts ---- */

/* UTF-8 without control characters, so that it may be printed as it is. */
static bool printable(const uint8_t *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        unsigned long letter;
        int used = UTF8_getc(p + at, (int)(n - at), &letter);
        if (used <= 0 || letter < 0x20 || (letter >= 0x7F && letter < 0xA0))
            return false;
        at += (size_t)used;
    }
    return true;
}

static const char *copy_device_info(const ASN1_TYPE *value, char out[TL_DEVICE_INFO_SIZE])
{
    if (ASN1_TYPE_get(value) != V_ASN1_UTF8STRING)
        return "profile: device info";
    const ASN1_STRING *text = value->value.utf8string;
    size_t n = (size_t)ASN1_STRING_length(text);
    const uint8_t *p = ASN1_STRING_get0_data(text);
    if (n == 0 || n >= TL_DEVICE_INFO_SIZE || !printable(p, n))
        return "profile: device info";
    if (out[0] != '\0')
        return "profile: more than one device info";
    memcpy(out, p, n);
    out[n] = '\0';
    return NULL;
}

/* The role in a device info of three fields; stays empty if it names none. */
static void find_role(const char *info, char role[TL_ROLE_SIZE])
{
    const char *product = strchr(info, ':'), *end = product != NULL ? strchr(product + 1, ':') : NULL;
    if (end == NULL || strchr(end + 1, ':') != NULL)
        return;
    product++;
    if (strncmp(product, role_prefix, sizeof role_prefix - 1) != 0)
        return;
    product += sizeof role_prefix - 1;
    size_t n = strspn(product, "abcdefghijklmnopqrstuvwxyz");
    if (n == 0 || n >= TL_ROLE_SIZE || (product[n] != '-' && product + n != end))
        return;
    memcpy(role, product, n);
    role[n] = '\0';
}

static const char *read_names(X509 *leaf, tl_chain_facts *facts)
{
    const char *why = NULL;
    int critical = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, &critical, NULL);
    /* -1: there is none. */
    if (names == NULL)
        return critical == -1 ? NULL : "profile: subject alternative name";
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && why == NULL; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_OTHERNAME && is_oid(name->d.otherName->type_id, oid_device_info))
            why = copy_device_info(name->d.otherName->value, facts->device_info);
    }
    GENERAL_NAMES_free(names);
    if (why == NULL)
        find_role(facts->device_info, facts->role);
    return why;
}

static void read_serial(const X509 *leaf, char out[TL_SERIAL_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    const ASN1_STRING *serial = (const ASN1_STRING *)X509_get0_serialNumber(leaf);
    const uint8_t *p = ASN1_STRING_get0_data(serial);
    size_t n = (size_t)ASN1_STRING_length(serial);
    for (size_t i = 0; i < n && i < (TL_SERIAL_SIZE - 1) / 2; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
}

/* RFC 2253's form, which escapes what is not printable. */
static bool read_subject(const X509 *leaf, char out[TL_SUBJECT_SIZE])
{
    BIO *bio = BIO_new(BIO_s_mem());
    bool printed =
        bio != NULL && X509_NAME_print_ex(bio, X509_get_subject_name(leaf), 0, XN_FLAG_RFC2253) >= 0;
    /* Nothing to read is an empty subject, and no failure. */
    int n = printed ? BIO_read(bio, out, TL_SUBJECT_SIZE - 1) : 0;
    out[n > 0 ? n : 0] = '\0';
    BIO_free(bio);
    return printed;
}

tl_err tl__chain_identity(const tl__chain *c)
{
    X509 *leaf = c->certificate[c->n - 1];
    tl_chain_facts *f = c->facts;
    size_t row;
    unsigned n;
    TL_TRY(tl__hash_row(TL_HASH_SHA256, &row));
    if (X509_digest(leaf, c->backend->digest[row], f->fingerprint, &n) != 1 ||
        !read_subject(leaf, f->subject))
        return tl__openssl_failed();
    read_serial(leaf, f->serial);
    const tl__curve *curve = tl__curve_of_key(X509_get0_pubkey(leaf));
    f->alg = curve != NULL ? curve->alg : TL_SIGN_NONE;
    const char *why = read_names(leaf, f);
    return why == NULL ? TL_OK : tl__chain_refuse(c, (int)c->n - 1, why);
}

/* ---- use ---- */

typedef struct uses {
    bool responder, requester;
} uses;

static const char *read_uses(X509 *leaf, uses *found)
{
    int critical = 0;
    EXTENDED_KEY_USAGE *list = X509_get_ext_d2i(leaf, NID_ext_key_usage, &critical, NULL);
    *found = (uses){ false, false };
    if (list == NULL)
        return critical == -1 ? NULL : "profile: extended key usage";
    for (int i = 0; i < sk_ASN1_OBJECT_num(list); i++) {
        const ASN1_OBJECT *object = sk_ASN1_OBJECT_value(list, i);
        found->responder = found->responder || is_oid(object, oid_responder);
        found->requester = found->requester || is_oid(object, oid_requester);
    }
    EXTENDED_KEY_USAGE_free(list);
    return NULL;
}

static bool serves(const uses *u, const tl_chain_rules *rules)
{
    if (rules->use == TL_USE_ANY)
        return true;
    if (rules->profile == TL_PROFILE_DSP0274 && !u->responder && !u->requester)
        return true;
    return rules->use == TL_USE_RESPONDER ? u->responder : u->requester;
}

tl_err tl__chain_purpose(const tl__chain *c)
{
    uses found;
    const char *why = read_uses(c->certificate[c->n - 1], &found);
    if (why == NULL && c->rules->role != NULL && strcmp(c->rules->role, c->facts->role) != 0)
        why = "wrong role";
    if (why == NULL && !serves(&found, c->rules))
        why = "wrong use";
    return why == NULL ? TL_OK : tl__chain_refuse(c, (int)c->n - 1, why);
}
