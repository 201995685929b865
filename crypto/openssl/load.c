/* Loading private keys, trust anchors, revocation lists and chains: the functions of openssl.h. */
#include "input.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

/* ---- private keys ---- */

/* A key with a password is refused; asking on a terminal is not a library's business. */
static int no_password(char *out, int room, int writing, void *asked)
{
    (void)out, (void)room, (void)writing;
    *(bool *)asked = true;
    return -1;
}

static EVP_PKEY *read_pem_key(const tl__input *in, bool *password)
{
    BIO *bio = BIO_new_mem_buf(in->bytes.p, (int)in->bytes.n);
    EVP_PKEY *pair = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_password, password) : NULL;
    BIO_free(bio);
    return pair;
}

static EVP_PKEY *read_der_key(const tl__input *in)
{
    const uint8_t *p = in->bytes.p;
    EVP_PKEY *pair = d2i_AutoPrivateKey(NULL, &p, (long)in->bytes.n);
    if (pair != NULL && p == in->bytes.p + in->bytes.n)
        return pair;
    EVP_PKEY_free(pair);
    return NULL;
}

static bool consistent(EVP_PKEY *pair)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, pair, NULL);
    bool right = c != NULL && EVP_PKEY_check(c) == 1;
    EVP_PKEY_CTX_free(c);
    return right;
}

static tl_err read_key(const tl__input *in, EVP_PKEY **pair)
{
    bool password = false;
    *pair = tl__input_is_pem(in) ? read_pem_key(in, &password) : read_der_key(in);
    if (*pair == NULL)
        return tl__input_refuse(in, password ? "has a password" : "no private key");
    if (tl__curve_of_key(*pair) == NULL)
        return tl__input_refuse(in, "not a key over P-256 or P-384");
    return consistent(*pair) ? TL_OK : tl__input_refuse(in, "the private key and its public key differ");
}

/* Puts a key into a slot, which then owns it; on an error it is freed. */
static tl_err keep(tl_openssl *b, tl__kind kind, EVP_PKEY *pair, tl_key *k)
{
    tl__key *key;
    tl_err e = tl__key_take(b, kind, &key, k);
    if (e == TL_OK)
        key->pair = pair;
    else
        EVP_PKEY_free(pair);
    return e;
}

tl_err tl_openssl_load_key(tl_openssl *backend, const tl_openssl_input *from, tl_key *k, tl_openssl_why *why)
{
    tl__input in;
    EVP_PKEY *pair = NULL;
    k->slot = 0;
    tl_err e = tl__input_open(&in, from, TL__SECRET_FILE, why);
    if (e == TL_OK)
        e = read_key(&in, &pair);
    tl__input_close(&in);
    if (e == TL_OK)
        return keep(backend, TL__PRIVATE, pair, k);
    EVP_PKEY_free(pair);
    return e;
}

tl_sign_alg tl_openssl_key_alg(const tl_openssl *backend, tl_key k)
{
    tl__key *key;
    if (tl__key_find(backend, k, TL__PRIVATE, &key) != TL_OK &&
        tl__key_find(backend, k, TL__PUBLIC, &key) != TL_OK)
        return TL_SIGN_NONE;
    const tl__curve *curve = tl__curve_of_key(key->pair);
    return curve != NULL ? curve->alg : TL_SIGN_NONE;
}

/* ---- trust anchors and revocation lists ---- */

/* Hands each block of the input to `take` with the slot. */
static tl_err fill_slot(const tl_openssl_input *from, const char *label, tl__take_block *take, tl__key *key,
                        tl_openssl_why *why)
{
    tl__input in;
    tl_err e = tl__input_open(&in, from, TL__PUBLIC_FILE, why);
    if (e == TL_OK)
        e = tl__input_blocks(&in, label, take, key);
    tl__input_close(&in);
    return e;
}

/* A whole certificate, to be freed; NULL if it is none. */
static X509 *read_certificate(tl_span der)
{
    const uint8_t *p = der.p;
    X509 *x = d2i_X509(NULL, &p, (long)der.n);
    if (x != NULL && p == der.p + der.n)
        return x;
    X509_free(x);
    return NULL;
}

/* Why a certificate cannot be an anchor; NULL if it can. */
static const char *anchor_lacks(X509 *x)
{
    EVP_PKEY *pair = X509_get0_pubkey(x);
    if ((X509_get_extension_flags(x) & EXFLAG_CA) == 0)
        return "not a certificate authority";
    if ((X509_get_extension_flags(x) & EXFLAG_SI) == 0 || pair == NULL || X509_verify(x, pair) != 1)
        return "not signed by itself";
    return tl__curve_of_key(pair) == NULL ? "not a key over P-256 or P-384" : NULL;
}

static tl_err take_anchor(void *ctx, const tl__input *in, tl_span der)
{
    X509 *x = read_certificate(der);
    if (x == NULL)
        return tl__input_refuse(in, "no certificate");
    const char *why = anchor_lacks(x);
    if (why == NULL && sk_X509_push(((tl__key *)ctx)->trust, x) > 0)
        return TL_OK;
    X509_free(x);
    return why != NULL ? tl__input_refuse(in, "no trust anchor: %s", why) : tl__openssl_failed();
}

tl_err tl_openssl_load_trust(tl_openssl *backend, const tl_openssl_input *from, tl_key *k,
                             tl_openssl_why *why)
{
    tl__key *key;
    TL_TRY(tl__key_take(backend, TL__TRUST, &key, k));
    key->trust = sk_X509_new_null();
    tl_err e =
        key->trust != NULL ? fill_slot(from, "CERTIFICATE", take_anchor, key, why) : tl__openssl_failed();
    if (e == TL_OK)
        return TL_OK;
    tl__key_drop(backend, *k);
    k->slot = 0;
    return e;
}

static tl_err take_list(void *ctx, const tl__input *in, tl_span der)
{
    const uint8_t *p = der.p;
    X509_CRL *list = d2i_X509_CRL(NULL, &p, (long)der.n);
    if (list == NULL || p != der.p + der.n) {
        X509_CRL_free(list);
        return tl__input_refuse(in, "no revocation list");
    }
    if (sk_X509_CRL_push(((tl__key *)ctx)->revoked, list) > 0)
        return TL_OK;
    X509_CRL_free(list);
    return tl__openssl_failed();
}

tl_err tl_openssl_load_revoked(tl_openssl *backend, const tl_openssl_input *from, tl_key *k,
                               tl_openssl_why *why)
{
    tl__key *key;
    TL_TRY(tl__key_take(backend, TL__REVOKED, &key, k));
    key->revoked = sk_X509_CRL_new_null();
    tl_err e = key->revoked != NULL ? fill_slot(from, "X509 CRL", take_list, key, why) : tl__openssl_failed();
    if (e == TL_OK)
        return TL_OK;
    tl__key_drop(backend, *k);
    k->slot = 0;
    return e;
}

/* ---- chains ---- */

typedef struct bundle {
    X509 *certificate[TL_CHAIN_CERTIFICATES];
    size_t n;
} bundle;

static tl_err take_certificate(void *ctx, const tl__input *in, tl_span der)
{
    bundle *b = ctx;
    if (b->n == TL_CHAIN_CERTIFICATES)
        return tl__input_refuse(in, "more than %d certificates", (int)TL_CHAIN_CERTIFICATES);
    X509 *x = read_certificate(der);
    if (x == NULL)
        return tl__input_refuse(in, "certificate %zu is broken", b->n + 1);
    b->certificate[b->n++] = x;
    return TL_OK;
}

static bool issued(const X509 *issuer, const X509 *x)
{
    return X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(x)) == 0;
}

/* Files for TLS begin with the leaf: then the second has issued the first, and not the other way round. */
static void root_first(bundle *b)
{
    if (b->n < 2 || issued(b->certificate[0], b->certificate[1]) ||
        !issued(b->certificate[1], b->certificate[0]))
        return;
    for (size_t i = 0; i < b->n / 2; i++) {
        X509 *x = b->certificate[i];
        b->certificate[i] = b->certificate[b->n - 1 - i];
        b->certificate[b->n - 1 - i] = x;
    }
}

static tl_err read_bundle(const tl_openssl_input *from, bundle *b, tl_openssl_why *why)
{
    tl__input in;
    *b = (bundle){ .n = 0 };
    tl_err e = tl__input_open(&in, from, TL__PUBLIC_FILE, why);
    if (e == TL_OK)
        e = tl__input_blocks(&in, "CERTIFICATE", take_certificate, b);
    tl__input_close(&in);
    root_first(b);
    return e;
}

static void free_bundle(bundle *b)
{
    for (size_t i = 0; i < b->n; i++)
        X509_free(b->certificate[i]);
}

static tl_err write_bundle(const bundle *b, uint8_t *chain, size_t room, size_t *n)
{
    size_t at = 0;
    for (size_t i = 0; i < b->n; i++) {
        int length = i2d_X509(b->certificate[i], NULL);
        if (length <= 0)
            return tl__openssl_failed();
        if ((size_t)length > room - at)
            return TL_E_ROOM;
        uint8_t *p = chain + at;
        at += (size_t)i2d_X509(b->certificate[i], &p);
    }
    *n = at;
    return TL_OK;
}

tl_err tl_openssl_load_chain(const tl_openssl_input *from, uint8_t *chain, size_t room, size_t *n,
                             tl_openssl_why *why)
{
    bundle b;
    *n = 0;
    tl_err e = read_bundle(from, &b, why);
    if (e == TL_OK)
        e = write_bundle(&b, chain, room, n);
    free_bundle(&b);
    return e;
}

tl_err tl_openssl_load_leaf(tl_openssl *backend, const tl_openssl_input *from, tl_key *k, tl_openssl_why *why)
{
    bundle b;
    k->slot = 0;
    tl_err e = read_bundle(from, &b, why);
    if (e == TL_OK) {
        EVP_PKEY *pair = X509_get_pubkey(b.certificate[b.n - 1]);
        tl__input in = { .name = from->name != NULL ? from->name : "input", .why = why };
        if (pair != NULL && tl__curve_of_key(pair) != NULL) {
            e = keep(backend, TL__PUBLIC, pair, k);
        } else {
            EVP_PKEY_free(pair);
            e = tl__input_refuse(&in, "the leaf's key is not over P-256 or P-384");
        }
    }
    free_bundle(&b);
    return e;
}
