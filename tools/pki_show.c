/* One row per certificate: who, from whom, for what, until when, and for chains what an SPDM requester would find.
 *
 * Role and status are the verdict of the library's own chain check, asked for nothing but a trusted chain; its facts
 * are also there when it refuses. */
#include "pki_show.h"
#include "hex.h"
#include "pki_store.h"

#include <trueline/openssl.h>

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { TEXT_SIZE = 256, FOLDER_MAX = 1000 };

typedef struct chain {
    X509 *list[TL_CHAIN_CERTIFICATES];
    size_t n;
} chain;

/* What a show works with. */
typedef struct shower {
    tl_openssl *openssl;
    const tl_crypto *crypto;
    tl_key trust, revoked;
    int64_t now;
    json_t *rows;
    tl_fault *fault;
} shower;

static void free_chain(chain *c)
{
    while (c->n > 0)
        X509_free(c->list[--c->n]);
}

static bool self_issued(const X509 *x)
{
    return X509_NAME_cmp(X509_get_issuer_name(x), X509_get_subject_name(x)) == 0;
}

/* ---- one certificate ---- */

static void name_text(const X509_NAME *name, char text[TEXT_SIZE])
{
    BIO *bio = BIO_new(BIO_s_mem());
    int n = 0;

    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
        n = BIO_read(bio, text, TEXT_SIZE - 1);
    text[n > 0 ? n : 0] = '\0';
    BIO_free(bio);
}

static void time_text(const ASN1_TIME *when, char text[TEXT_SIZE])
{
    struct tm tm;

    text[0] = '\0';
    if (ASN1_TIME_to_tm(when, &tm) == 1)
        (void)strftime(text, TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static const char *use_text(X509 *x)
{
    bool responder = false, requester = false;
    EXTENDED_KEY_USAGE *list;

    if (X509_check_ca(x) != 0)
        return "authority";
    list = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
    for (int i = 0; i < sk_ASN1_OBJECT_num(list); i++) {
        char oid[64];

        if (OBJ_obj2txt(oid, sizeof oid, sk_ASN1_OBJECT_value(list, i), 1) <= 0)
            continue;
        responder = responder || strcmp(oid, pki_oid_responder) == 0;
        requester = requester || strcmp(oid, pki_oid_requester) == 0;
    }
    EXTENDED_KEY_USAGE_free(list);
    if (responder)
        return requester ? "both" : "responder";
    return requester ? "requester" : "";
}

static const char *curve_text(X509 *x)
{
    char name[32];
    EVP_PKEY *key = X509_get0_pubkey(x);
    size_t n;

    if (key == NULL || EVP_PKEY_get_group_name(key, name, sizeof name, &n) != 1)
        return "";
    return strcmp(name, "prime256v1") == 0 ? "p256" : strcmp(name, "secp384r1") == 0 ? "p384" : "";
}

static void put(json_t *row, const char *key, const char *text)
{
    (void)json_object_set_new(row, key, json_string(text));
}

static json_t *certificate_row(const char *file, X509 *x)
{
    const ASN1_STRING *serial = (const ASN1_STRING *)X509_get0_serialNumber(x);
    uint8_t digest[TL_FINGERPRINT_SIZE] = { 0 };
    char text[TEXT_SIZE];
    unsigned n = 0;
    json_t *row = json_object();

    put(row, "file", file);
    name_text(X509_get_subject_name(x), text);
    put(row, "subject", text);
    name_text(X509_get_issuer_name(x), text);
    put(row, "issuer", text);
    put(row, "use", use_text(x));
    put(row, "curve", curve_text(x));
    time_text(X509_get0_notBefore(x), text);
    put(row, "not_before", text);
    time_text(X509_get0_notAfter(x), text);
    put(row, "not_after", text);
    hex_text(tl_span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)), text,
             sizeof text);
    put(row, "serial", text);
    if (X509_digest(x, EVP_sha256(), digest, &n) == 1) {
        hex_text(tl_span_of(digest, n), text, sizeof text);
        put(row, "fingerprint", text);
    }
    return row;
}

/* ---- one chain ---- */

static size_t chain_der(const chain *c, uint8_t der[TL_CHAIN_SIZE])
{
    size_t at = 0;

    for (size_t i = 0; i < c->n; i++) {
        uint8_t *p = der + at;
        int n = i2d_X509(c->list[i], NULL);

        if (n <= 0 || (size_t)n > TL_CHAIN_SIZE - at)
            return 0;
        at += (size_t)i2d_X509(c->list[i], &p);
    }
    return at;
}

/* What DIGESTS answers: the hash over DSP0274's certificate chain (length, reserved, hash of the root, certificates)
 * with the hash that goes with the leaf's curve. Needs the root in the chain. */
static void put_digest(json_t *row, const chain *c, const uint8_t *der, size_t n)
{
    bool strong = strcmp(curve_text(c->list[c->n - 1]), "p384") == 0;
    const EVP_MD *hash = strong ? EVP_sha384() : EVP_sha256();
    uint8_t header[4 + EVP_MAX_MD_SIZE], digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    size_t whole;
    char hex[TEXT_SIZE], text[TEXT_SIZE + 16];
    EVP_MD_CTX *m = EVP_MD_CTX_new();

    if (m != NULL && self_issued(c->list[0]) && X509_digest(c->list[0], hash, header + 4, &size) == 1) {
        whole = 4 + size + n;
        header[0] = (uint8_t)whole;
        header[1] = (uint8_t)(whole >> 8);
        header[2] = header[3] = 0;
        if (EVP_DigestInit_ex2(m, hash, NULL) == 1 && EVP_DigestUpdate(m, header, 4 + size) == 1 &&
            EVP_DigestUpdate(m, der, n) == 1 && EVP_DigestFinal_ex(m, digest, &size) == 1) {
            hex_text(tl_span_of(digest, size), hex, sizeof hex);
            (void)snprintf(text, sizeof text, "%s:%s", strong ? "sha384" : "sha256", hex);
            put(row, "spdm_digest", text);
        }
    }
    EVP_MD_CTX_free(m);
}

/* A chain from nowhere is checked against its own first certificate: is it right in itself? */
static tl_key own_trust(const shower *s, const chain *c)
{
    uint8_t *der = NULL;
    int n = i2d_X509(c->list[0], &der);
    tl_openssl_input in = { "root", tl_span_of(der, n > 0 ? (size_t)n : 0) };
    tl_key trust = { 0 };

    if (n <= 0 || tl_openssl_load_trust(s->openssl, &in, &trust, NULL) != TL_OK)
        trust.slot = 0;
    OPENSSL_free(der);
    return trust;
}

static void put_verdict(const shower *s, json_t *row, const chain *c, const uint8_t *der, size_t n)
{
    tl_chain_rules rules = {
        .trust = s->trust, .revoked = s->revoked, .now = (uint64_t)s->now, .hash = TL_HASH_SHA256
    };
    tl_chain_facts facts = { .why = NULL };
    tl_key own = { 0 };
    tl_err e;

    if (rules.trust.slot == 0)
        rules.trust = own = own_trust(s, c);
    if (rules.trust.slot == 0) {
        put(row, "status", "no root");
        return;
    }
    e = s->crypto->ops->chain_check(s->crypto->ctx, &rules, tl_span_of(der, n), &facts);
    put(row, "role", facts.role);
    put(row, "device_info", facts.device_info);
    put(row, "status", e == TL_OK ? "ok" : facts.why != NULL ? facts.why : tl_err_text(e));
    s->crypto->ops->key_drop(s->crypto->ctx, facts.key);
    s->crypto->ops->key_drop(s->crypto->ctx, own);
}

static void add_leaf(const shower *s, const char *file, const chain *c)
{
    static uint8_t der[TL_CHAIN_SIZE];
    size_t n = chain_der(c, der);
    json_t *row = certificate_row(file, c->list[c->n - 1]);

    if (n != 0) {
        put_verdict(s, row, c, der, n);
        put_digest(row, c, der, n);
    }
    (void)json_array_append_new(s->rows, row);
}

/* ---- files and folders ---- */

static tl_exit show_file(const shower *s, const char *path)
{
    chain c;
    tl_exit e = pki_read_certificates(path, c.list, &c.n, s->fault);

    if (e != TL_EXIT_OK)
        return e;
    for (size_t i = 0; i < c.n; i++) {
        if (i + 1 < c.n || X509_check_ca(c.list[i]) != 0)
            (void)json_array_append_new(s->rows, certificate_row(path, c.list[i]));
        else
            add_leaf(s, path, &c);
    }
    free_chain(&c);
    return TL_EXIT_OK;
}

static tl_exit show_leaf(const shower *s, const char *dir, const char *name)
{
    char path[PKI_PATH_SIZE], file[TEXT_SIZE];
    struct stat st;
    chain c;
    tl_exit e = pki_path(path, s->fault, "%s/%s/chain.pem", dir, name);

    if (e == TL_EXIT_OK && stat(path, &st) != 0)
        return TL_EXIT_OK;
    if (e == TL_EXIT_OK)
        e = pki_read_certificates(path, c.list, &c.n, s->fault);
    if (e != TL_EXIT_OK)
        return e;
    (void)snprintf(file, sizeof file, "%.*s/chain.pem", PKI_NAME_SIZE, name);
    add_leaf(s, file, &c);
    free_chain(&c);
    return TL_EXIT_OK;
}

static tl_exit show_authority(const shower *s, const char *dir, const char *name)
{
    char path[PKI_PATH_SIZE], file[TEXT_SIZE];
    chain c;
    tl_exit e = pki_path(path, s->fault, "%s/%s.pem", dir, name);

    if (e == TL_EXIT_OK)
        e = pki_read_certificates(path, c.list, &c.n, s->fault);
    if (e != TL_EXIT_OK)
        return e;
    (void)snprintf(file, sizeof file, "%s.pem", name);
    (void)json_array_append_new(s->rows, certificate_row(file, c.list[0]));
    free_chain(&c);
    return TL_EXIT_OK;
}

static int is_leaf_folder(const struct dirent *entry)
{
    return pki_name_fits(entry->d_name);
}

static tl_exit show_leaves(const shower *s, const char *dir)
{
    struct dirent **names;
    int n = scandir(dir, &names, is_leaf_folder, alphasort);
    tl_exit e = TL_EXIT_OK;

    if (n < 0)
        return tl_fault_errno(s->fault, TL_EXIT_USAGE, "pki: %s", dir);
    for (int i = 0; i < n; i++) {
        if (e == TL_EXIT_OK && i < FOLDER_MAX)
            e = show_leaf(s, dir, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return e;
}

/* The folder's own root and lists; without lists, revocation is not looked at. */
static tl_exit load_trust(shower *s, const char *dir)
{
    char path[PKI_PATH_SIZE];
    tl_openssl_why why = { "" };
    tl_openssl_input in = { .name = path };
    struct stat st;
    tl_err err = TL_OK;
    tl_exit e = pki_path(path, s->fault, "%s/root.pem", dir);

    if (e == TL_EXIT_OK)
        err = tl_openssl_load_trust(s->openssl, &in, &s->trust, &why);
    if (e == TL_EXIT_OK && err == TL_OK) {
        e = pki_path(path, s->fault, "%s/crl.pem", dir);
        if (e == TL_EXIT_OK && stat(path, &st) == 0)
            err = tl_openssl_load_revoked(s->openssl, &in, &s->revoked, &why);
    }
    if (err != TL_OK)
        return tl_fault_set(s->fault, TL_EXIT_USAGE, "pki: %s",
                            why.text[0] != '\0' ? why.text : tl_err_text(err));
    return e;
}

static tl_exit show_folder(shower *s, const char *dir)
{
    tl_exit e = load_trust(s, dir);

    if (e == TL_EXIT_OK)
        e = show_authority(s, dir, "root");
    for (size_t i = 0; i < PKI_KINDS && e == TL_EXIT_OK; i++) {
        char name[64];

        (void)snprintf(name, sizeof name, "ca/%s", pki_devices[i].role);
        e = show_authority(s, dir, name);
    }
    return e == TL_EXIT_OK ? show_leaves(s, dir) : e;
}

tl_exit pki_rows(const char *path, int64_t now, json_t **rows, tl_fault *fault)
{
    struct stat st;
    shower s = { .now = now, .rows = json_array(), .fault = fault };
    tl_exit e;

    *rows = NULL;
    if (s.rows == NULL || tl_openssl_open(NULL, &s.openssl) != TL_OK) {
        json_decref(s.rows);
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "pki: no memory");
    }
    s.crypto = tl_openssl_crypto(s.openssl);
    if (stat(path, &st) != 0)
        e = tl_fault_errno(fault, TL_EXIT_USAGE, "pki: %s", path);
    else
        e = S_ISDIR(st.st_mode) ? show_folder(&s, path) : show_file(&s, path);
    tl_openssl_close(s.openssl);
    ERR_clear_error();
    if (e == TL_EXIT_OK)
        *rows = s.rows;
    else
        json_decref(s.rows);
    return e;
}

/* ---- the table ---- */

static const char *text_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));

    return text != NULL && text[0] != '\0' ? text : "-";
}

void pki_print(const json_t *rows)
{
    size_t i;
    json_t *row;

    json_array_foreach(rows, i, row)
    {
        (void)printf("%s%s\n", i > 0 ? "\n" : "", text_of(row, "subject"));
        (void)printf("  file         %s\n", text_of(row, "file"));
        (void)printf("  issuer       %s\n", text_of(row, "issuer"));
        (void)printf("  use          %s\n", text_of(row, "use"));
        if (json_object_get(row, "status") != NULL) {
            (void)printf("  role         %s\n", text_of(row, "role"));
            (void)printf("  device info  %s\n", text_of(row, "device_info"));
        }
        (void)printf("  curve        %s\n", text_of(row, "curve"));
        (void)printf("  valid        %s to %s\n", text_of(row, "not_before"), text_of(row, "not_after"));
        (void)printf("  serial       %s\n", text_of(row, "serial"));
        (void)printf("  fingerprint  %s\n", text_of(row, "fingerprint"));
        if (json_object_get(row, "spdm_digest") != NULL)
            (void)printf("  SPDM digest  %s\n", text_of(row, "spdm_digest"));
        if (json_object_get(row, "status") != NULL)
            (void)printf("  status       %s\n", text_of(row, "status"));
    }
}
