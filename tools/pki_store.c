/* The folder of `trueline pki`: what stands where, reading it, and writing it.
 *
 * Nothing is written before every name is known to be free; private keys pass through memory that OpenSSL clears. */
#include "pki_store.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const pki_device pki_devices[PKI_KINDS] = {
    { "sensor", TL_USE_RESPONDER },
    { "bridge", TL_USE_RESPONDER },
    { "controller", TL_USE_REQUESTER },
    { "debugger", TL_USE_REQUESTER },
};

enum { DAY = 86400, CLOCK_SLACK = 3600 };

static const char authority_usage[] = "critical,keyCertSign,cRLSign";
static const char leaf_usage[] = "critical,digitalSignature";

const pki_device *pki_device_of(const char *role)
{
    for (size_t i = 0; i < PKI_KINDS; i++)
        if (strcmp(pki_devices[i].role, role) == 0)
            return &pki_devices[i];
    return NULL;
}

bool pki_name_fits(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n < PKI_NAME_SIZE && name[0] != '-' && strcmp(name, "ca") != 0 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == n;
}

tl_exit pki_path(char path[PKI_PATH_SIZE], tl_fault *fault, const char *format, ...)
{
    va_list list;
    int n;

    va_start(list, format);
    n = vsnprintf(path, PKI_PATH_SIZE, format, list);
    va_end(list);
    if (n < 0 || n >= PKI_PATH_SIZE)
        return tl_fault_set(fault, TL_EXIT_USAGE, "pki: %.80s...: the name is too long", path);
    return TL_EXIT_OK;
}

/* OpenSSL failed: its own word for it, and an empty queue. */
static tl_exit openssl_fault(tl_fault *fault, const char *what)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return tl_fault_set(fault, TL_EXIT_INTERNAL, "pki: %s: %s", what, why != NULL ? why : "failed");
}

/* ---- reading ---- */

static tl_exit read_bio(const char *path, tl_file_kind kind, uint8_t *room, BIO **bio, tl_fault *fault)
{
    size_t n;
    tl_exit e = tl_file_read(path, kind, room, PKI_FILE_MAX, &n, fault);

    if (e != TL_EXIT_OK)
        return e;
    *bio = BIO_new_mem_buf(room, (int)n);
    return *bio != NULL ? TL_EXIT_OK : openssl_fault(fault, path);
}

tl_exit pki_read_certificates(const char *path, X509 *list[TL_CHAIN_CERTIFICATES], size_t *n, tl_fault *fault)
{
    static uint8_t room[PKI_FILE_MAX];
    BIO *bio;
    X509 *x;
    tl_exit e = read_bio(path, TL_FILE_PUBLIC, room, &bio, fault);

    *n = 0;
    if (e != TL_EXIT_OK)
        return e;
    while (e == TL_EXIT_OK && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        if (*n < TL_CHAIN_CERTIFICATES) {
            list[(*n)++] = x;
            continue;
        }
        X509_free(x);
        e = tl_fault_set(fault, TL_EXIT_USAGE, "pki: %s: more than %d certificates", path,
                         TL_CHAIN_CERTIFICATES);
    }
    ERR_clear_error();
    BIO_free(bio);
    if (e == TL_EXIT_OK && *n == 0)
        e = tl_fault_set(fault, TL_EXIT_USAGE, "pki: %s: no certificate", path);
    if (e != TL_EXIT_OK)
        while (*n > 0)
            X509_free(list[--*n]);
    return e;
}

static int no_password(char *out, int room, int writing, void *context)
{
    (void)out, (void)room, (void)writing, (void)context;
    return -1;
}

static tl_exit read_key(const char *path, EVP_PKEY **key, tl_fault *fault)
{
    static uint8_t room[PKI_FILE_MAX];
    BIO *bio;
    tl_exit e = read_bio(path, TL_FILE_SECRET_PEM, room, &bio, fault);

    if (e != TL_EXIT_OK)
        return e;
    *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    BIO_free(bio);
    tl_wipe(room, sizeof room);
    ERR_clear_error();
    return *key != NULL ? TL_EXIT_OK : tl_fault_set(fault, TL_EXIT_USAGE, "pki: %s: no private key", path);
}

/* The root, or the intermediate of a kind, and the root above it. */
static tl_exit read_authority(const char *dir, const char *name, pki_pair *pair, tl_fault *fault)
{
    char certificate[PKI_PATH_SIZE], key[PKI_PATH_SIZE];
    X509 *list[TL_CHAIN_CERTIFICATES];
    size_t n;
    tl_exit e = pki_path(certificate, fault, "%s/%s.pem", dir, name);

    *pair = (pki_pair){ NULL, NULL };
    if (e == TL_EXIT_OK)
        e = pki_path(key, fault, "%s/%s-key.pem", dir, name);
    if (e == TL_EXIT_OK)
        e = pki_read_certificates(certificate, list, &n, fault);
    if (e != TL_EXIT_OK)
        return e;
    pair->certificate = list[0];
    for (size_t i = 1; i < n; i++)
        X509_free(list[i]);
    e = read_key(key, &pair->key, fault);
    if (e == TL_EXIT_OK && X509_check_private_key(pair->certificate, pair->key) != 1)
        e = tl_fault_set(fault, TL_EXIT_USAGE, "pki: %s: not the key of %s", key, certificate);
    ERR_clear_error();
    if (e != TL_EXIT_OK)
        pki_pair_free(pair);
    return e;
}

/* ---- writing ---- */

static tl_exit write_bio(const char *path, BIO *bio, mode_t mode, tl_file_clash clash, tl_fault *fault)
{
    char *text;
    long n = BIO_get_mem_data(bio, &text);

    return tl_file_write(path, tl_span_of(text, n > 0 ? (size_t)n : 0), mode, clash, fault);
}

static tl_exit write_key(const char *path, EVP_PKEY *key, tl_file_clash clash, tl_fault *fault)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    tl_exit e;

    if (bio != NULL && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1)
        e = write_bio(path, bio, 0600, clash, fault);
    else
        e = openssl_fault(fault, path);
    BIO_free(bio);
    return e;
}

static tl_exit write_certificates(const char *path, X509 *const *list, size_t n, tl_file_clash clash,
                                  tl_fault *fault)
{
    BIO *bio = BIO_new(BIO_s_mem());
    bool written = bio != NULL;
    tl_exit e;

    for (size_t i = 0; i < n && written; i++)
        written = PEM_write_bio_X509(bio, list[i]) == 1;
    e = written ? write_bio(path, bio, 0644, clash, fault) : openssl_fault(fault, path);
    BIO_free(bio);
    return e;
}

static tl_exit make_folder(const char *path, tl_fault *fault)
{
    struct stat st;

    if (mkdir(path, 0700) == 0 || (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return TL_EXIT_OK;
    return tl_fault_errno(fault, TL_EXIT_INTERNAL, "folder: %s", path);
}

/* A fault if the name is taken and must stay. */
static tl_exit check_free(const pki_options *o, const char *name, tl_fault *fault)
{
    char path[PKI_PATH_SIZE];
    struct stat st;
    tl_exit e = pki_path(path, fault, "%s/%s", o->dir, name);

    if (e == TL_EXIT_OK && o->clash == TL_FILE_REFUSE && lstat(path, &st) == 0)
        e = tl_fault_set(fault, TL_EXIT_USAGE,
                         "pki: %s: is there already and stays as it is; --force replaces it", path);
    return e;
}

static tl_exit write_authority(const pki_options *o, const char *name, const pki_pair *pair, tl_fault *fault)
{
    char path[PKI_PATH_SIZE];
    tl_exit e = pki_path(path, fault, "%s/%s-key.pem", o->dir, name);

    if (e == TL_EXIT_OK)
        e = write_key(path, pair->key, o->clash, fault);
    if (e == TL_EXIT_OK)
        e = pki_path(path, fault, "%s/%s.pem", o->dir, name);
    if (e == TL_EXIT_OK)
        e = write_certificates(path, &pair->certificate, 1, o->clash, fault);
    return e;
}

/* ---- authorities ---- */

static tl_exit make_authority(const pki_options *o, const char *subject, int path_length,
                              const pki_pair *issuer, pki_pair *made, tl_fault *fault)
{
    const pki_template t = { .subject = subject,
                             .kind = PKI_AUTHORITY,
                             .path_length = path_length,
                             .not_before = o->now - CLOCK_SLACK,
                             .not_after = o->now + (int64_t)o->days * DAY,
                             .key_usage = authority_usage };

    *made = (pki_pair){ .key = pki_new_key(o->curve) };
    if (made->key != NULL)
        made->certificate = pki_issue(&t, made->key, issuer);
    if (made->certificate != NULL)
        return TL_EXIT_OK;
    pki_pair_free(made);
    return openssl_fault(fault, subject);
}

static tl_exit make_intermediate(const pki_options *o, const char *role, const pki_pair *root,
                                 tl_fault *fault)
{
    char subject[64], name[64];
    pki_pair pair;
    tl_exit e;

    (void)snprintf(subject, sizeof subject, "Trueline %s authority", role);
    (void)snprintf(name, sizeof name, "ca/%s", role);
    e = make_authority(o, subject, 0, root, &pair, fault);
    if (e == TL_EXIT_OK)
        e = write_authority(o, name, &pair, fault);
    pki_pair_free(&pair);
    return e;
}

/* ---- leaves ---- */

static tl_exit write_leaf(const pki_options *o, const pki_leaf *leaf, const pki_pair *pair, X509 *issuer,
                          tl_fault *fault)
{
    char path[PKI_PATH_SIZE];
    X509 *chain[3] = { NULL, issuer, pair->certificate }, *list[TL_CHAIN_CERTIFICATES];
    size_t n = 0;
    tl_exit e = pki_path(path, fault, "%s/root.pem", o->dir);

    if (e == TL_EXIT_OK)
        e = pki_read_certificates(path, list, &n, fault);
    if (e == TL_EXIT_OK)
        e = pki_path(path, fault, "%s/%s", o->dir, leaf->name);
    if (e == TL_EXIT_OK)
        e = make_folder(path, fault);
    if (e == TL_EXIT_OK)
        e = pki_path(path, fault, "%s/%s/key.pem", o->dir, leaf->name);
    if (e == TL_EXIT_OK)
        e = write_key(path, pair->key, o->clash, fault);
    if (e == TL_EXIT_OK)
        e = pki_path(path, fault, "%s/%s/chain.pem", o->dir, leaf->name);
    if (e == TL_EXIT_OK) {
        chain[0] = list[0];
        e = write_certificates(path, chain, 3, o->clash, fault);
    }
    while (n > 0)
        X509_free(list[--n]);
    return e;
}

static X509 *issue_leaf(const pki_options *o, const pki_leaf *leaf, EVP_PKEY *key, const pki_pair *issuer)
{
    char subject[64], info[TL_DEVICE_INFO_SIZE];
    pki_template t = { .subject = subject, .device_info = info, .path_length = PKI_NO_PATH_LENGTH };

    (void)snprintf(subject, sizeof subject, "%s", leaf->name);
    (void)snprintf(info, sizeof info, "Trueline:trueline-%s:%s", leaf->device->role, leaf->name);
    if (leaf->device_info != NULL)
        t.device_info = leaf->device_info[0] != '\0' ? leaf->device_info : NULL;
    t.kind = leaf->authority ? PKI_AUTHORITY : PKI_LEAF;
    t.key_usage = leaf->key_usage != NULL ? leaf->key_usage : leaf_usage;
    t.use = leaf->use != TL_USE_ANY ? leaf->use : leaf->device->use;
    if (leaf->without_use)
        t.use = TL_USE_ANY;
    t.not_before = leaf->not_before != 0 ? leaf->not_before : o->now - CLOCK_SLACK;
    t.not_after = leaf->not_after != 0 ? leaf->not_after : o->now + (int64_t)o->days * DAY;
    return pki_issue(&t, key, issuer);
}

tl_exit pki_make_leaf(const pki_options *o, const pki_leaf *leaf, tl_fault *fault)
{
    char name[64];
    pki_pair issuer = { NULL, NULL }, pair = { NULL, NULL };
    tl_exit e = check_free(o, leaf->name, fault);

    (void)snprintf(name, sizeof name, "ca/%s", leaf->issuer->role);
    if (e == TL_EXIT_OK)
        e = read_authority(o->dir, name, &issuer, fault);
    if (e == TL_EXIT_OK) {
        pair.key = pki_new_key(o->curve != TL_GROUP_NONE             ? o->curve
                               : EVP_PKEY_get_bits(issuer.key) > 256 ? TL_GROUP_P384
                                                                     : TL_GROUP_P256);
        if (pair.key != NULL)
            pair.certificate = issue_leaf(o, leaf, pair.key, &issuer);
        e = pair.certificate != NULL ? write_leaf(o, leaf, &pair, issuer.certificate, fault)
                                     : openssl_fault(fault, leaf->name);
    }
    pki_pair_free(&issuer);
    pki_pair_free(&pair);
    return e;
}

/* ---- revocation ---- */

static tl_exit write_lists(const pki_options *o, X509_CRL *const *lists, size_t n, tl_file_clash clash,
                           tl_fault *fault)
{
    char path[PKI_PATH_SIZE];
    BIO *bio = BIO_new(BIO_s_mem());
    bool written = bio != NULL;
    tl_exit e = pki_path(path, fault, "%s/crl.pem", o->dir);

    for (size_t i = 0; i < n && written; i++)
        written = PEM_write_bio_X509_CRL(bio, lists[i]) == 1;
    if (e == TL_EXIT_OK)
        e = written ? write_bio(path, bio, 0644, clash, fault) : openssl_fault(fault, path);
    BIO_free(bio);
    return e;
}

static const char *const authorities[PKI_KINDS + 1] = { "root", "ca/sensor", "ca/bridge", "ca/controller",
                                                        "ca/debugger" };

static tl_exit make_lists(const pki_options *o, tl_fault *fault)
{
    X509_CRL *lists[PKI_KINDS + 1] = { NULL };
    size_t n = 0;
    tl_exit e = TL_EXIT_OK;

    for (; n <= PKI_KINDS && e == TL_EXIT_OK; n++) {
        pki_pair pair;

        e = read_authority(o->dir, authorities[n], &pair, fault);
        if (e != TL_EXIT_OK)
            break;
        lists[n] = pki_new_list(&pair, o->now - CLOCK_SLACK, o->now + (int64_t)o->days * DAY);
        pki_pair_free(&pair);
        if (lists[n] == NULL)
            e = openssl_fault(fault, "crl.pem");
    }
    if (e == TL_EXIT_OK)
        e = write_lists(o, lists, n, o->clash, fault);
    for (size_t i = 0; i <= PKI_KINDS; i++)
        X509_CRL_free(lists[i]);
    return e;
}

static tl_exit read_lists(const pki_options *o, X509_CRL *lists[PKI_KINDS + 1], size_t *n, tl_fault *fault)
{
    static uint8_t room[PKI_FILE_MAX];
    char path[PKI_PATH_SIZE];
    BIO *bio = NULL;
    tl_exit e = pki_path(path, fault, "%s/crl.pem", o->dir);

    *n = 0;
    if (e == TL_EXIT_OK)
        e = read_bio(path, TL_FILE_PUBLIC, room, &bio, fault);
    if (e != TL_EXIT_OK)
        return e;
    while (*n <= PKI_KINDS && (lists[*n] = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)) != NULL)
        ++*n;
    ERR_clear_error();
    BIO_free(bio);
    if (*n != PKI_KINDS + 1)
        e = tl_fault_set(fault, TL_EXIT_USAGE, "pki: %s: %zu revocation lists where %d belong", path, *n,
                         PKI_KINDS + 1);
    return e;
}

/* The leaf's or the intermediate's own certificate. */
static tl_exit read_named(const pki_options *o, const char *name, X509 **certificate, tl_fault *fault)
{
    char path[PKI_PATH_SIZE];
    X509 *list[TL_CHAIN_CERTIFICATES];
    size_t n = 0;
    bool authority = strncmp(name, "ca/", 3) == 0 && pki_device_of(name + 3) != NULL;
    tl_exit e;

    if (!authority && !pki_name_fits(name))
        return tl_fault_set(fault, TL_EXIT_USAGE, "pki: '%.60s': give a leaf's name, or ca/KIND", name);
    e = pki_path(path, fault, authority ? "%s/%s.pem" : "%s/%s/chain.pem", o->dir, name);
    if (e == TL_EXIT_OK)
        e = pki_read_certificates(path, list, &n, fault);
    if (e == TL_EXIT_OK)
        *certificate = list[--n];
    while (n > 0)
        X509_free(list[--n]);
    return e;
}

/* The authority that signed it is the one whose key fits its signature. */
static tl_exit add_to_list(const pki_options *o, X509 *certificate, X509_CRL **lists, tl_fault *fault)
{
    for (size_t i = 0; i <= PKI_KINDS; i++) {
        pki_pair issuer;
        bool own, done;
        tl_exit e = read_authority(o->dir, authorities[i], &issuer, fault);

        if (e != TL_EXIT_OK)
            return e;
        own = X509_verify(certificate, issuer.key) == 1 && X509_CRL_verify(lists[i], issuer.key) == 1;
        done = own && pki_revoke(lists[i], &issuer, certificate, o->now);
        pki_pair_free(&issuer);
        if (own && !done)
            return openssl_fault(fault, "crl.pem");
        ERR_clear_error();
        if (own)
            return TL_EXIT_OK;
    }
    return tl_fault_set(fault, TL_EXIT_USAGE, "pki: %s: none of its authorities has issued this certificate",
                        o->dir);
}

tl_exit pki_revoke_name(const pki_options *o, const char *name, tl_fault *fault)
{
    X509_CRL *lists[PKI_KINDS + 1] = { NULL };
    X509 *certificate = NULL;
    size_t n = 0;
    tl_exit e = read_named(o, name, &certificate, fault);

    if (e == TL_EXIT_OK)
        e = read_lists(o, lists, &n, fault);
    if (e == TL_EXIT_OK)
        e = add_to_list(o, certificate, lists, fault);
    if (e == TL_EXIT_OK)
        e = write_lists(o, lists, n, TL_FILE_REPLACE, fault);
    X509_free(certificate);
    for (size_t i = 0; i < n; i++)
        X509_CRL_free(lists[i]);
    return e;
}

/* ---- all of it ---- */

static tl_exit check_all_free(const pki_options *o, tl_fault *fault)
{
    static const char *const others[] = { "root.pem", "root-key.pem", "crl.pem", "ca" };
    tl_exit e = TL_EXIT_OK;

    for (size_t i = 0; i < sizeof others / sizeof *others && e == TL_EXIT_OK; i++)
        e = check_free(o, others[i], fault);
    for (size_t i = 0; i < PKI_KINDS && e == TL_EXIT_OK; i++)
        e = check_free(o, pki_devices[i].role, fault);
    return e;
}

static tl_exit make_authorities(const pki_options *o, tl_fault *fault)
{
    char path[PKI_PATH_SIZE];
    pki_pair root = { NULL, NULL };
    tl_exit e = pki_path(path, fault, "%s/ca", o->dir);

    if (e == TL_EXIT_OK)
        e = make_folder(o->dir, fault);
    if (e == TL_EXIT_OK)
        e = make_folder(path, fault);
    if (e == TL_EXIT_OK)
        e = make_authority(o, "Trueline root", PKI_NO_PATH_LENGTH, NULL, &root, fault);
    if (e == TL_EXIT_OK)
        e = write_authority(o, "root", &root, fault);
    for (size_t i = 0; i < PKI_KINDS && e == TL_EXIT_OK; i++)
        e = make_intermediate(o, pki_devices[i].role, &root, fault);
    pki_pair_free(&root);
    return e;
}

tl_exit pki_make(const pki_options *o, tl_fault *fault)
{
    tl_exit e = check_all_free(o, fault);

    if (e == TL_EXIT_OK)
        e = make_authorities(o, fault);
    for (size_t i = 0; i < PKI_KINDS && e == TL_EXIT_OK; i++) {
        pki_leaf leaf = { .device = &pki_devices[i], .issuer = &pki_devices[i] };

        (void)snprintf(leaf.name, sizeof leaf.name, "%s", pki_devices[i].role);
        e = pki_make_leaf(o, &leaf, fault);
    }
    return e == TL_EXIT_OK ? make_lists(o, fault) : e;
}
