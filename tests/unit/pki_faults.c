/* Signatures, key exchange, chains and loading when OpenSSL itself fails: each call that can fail does, one after
 * the other. The functions below stand in front of libcrypto's, as in openssl_faults.c. */
#define _GNU_SOURCE
#include "pki_cert.h"
#include "stand_in.h"
#include "testing.h"

#include <trueline/openssl.h>

#include <dlfcn.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

enum { NOW = 1900000000, DAY = 86400, SLOTS = 6 };

/* libcrypto's calls of its own functions come by here too; they are not the backend's. */
static bool from_openssl(const void *caller)
{
    Dl_info at;
    return dladdr(caller, &at) != 0 && at.dli_fname != NULL && strstr(at.dli_fname, "libcrypto") != NULL;
}

static bool fails(const void *caller)
{
    if (fail_at == 0 || from_openssl(caller))
        return false;
    return its_turn();
}

STAND_IN(EVP_PKEY_CTX *, NULL, EVP_PKEY_CTX_new_from_pkey, (OSSL_LIB_CTX * c, EVP_PKEY *k, const char *p),
         (c, k, p))
STAND_IN(EVP_PKEY_CTX *, NULL, EVP_PKEY_CTX_new_from_name, (OSSL_LIB_CTX * c, const char *n, const char *p),
         (c, n, p))
STAND_IN(int, 0, EVP_PKEY_sign_init, (EVP_PKEY_CTX * c), (c))
STAND_IN(int, 0, EVP_PKEY_sign,
         (EVP_PKEY_CTX * c, unsigned char *s, size_t *n, const unsigned char *d, size_t d_n),
         (c, s, n, d, d_n))
STAND_IN(int, 0, EVP_PKEY_verify_init, (EVP_PKEY_CTX * c), (c))
STAND_IN(int, -1, EVP_PKEY_verify,
         (EVP_PKEY_CTX * c, const unsigned char *s, size_t n, const unsigned char *d, size_t d_n),
         (c, s, n, d, d_n))
STAND_IN(ECDSA_SIG *, NULL, d2i_ECDSA_SIG, (ECDSA_SIG * *s, const unsigned char **p, long n), (s, p, n))
STAND_IN(int, -1, i2d_ECDSA_SIG, (const ECDSA_SIG *s, unsigned char **p), (s, p))
STAND_IN(ECDSA_SIG *, NULL, ECDSA_SIG_new, (void), ())
STAND_IN(int, 0, ECDSA_SIG_set0, (ECDSA_SIG * s, BIGNUM *a, BIGNUM *b), (s, a, b))
STAND_IN(int, -1, BN_bn2binpad, (const BIGNUM *a, unsigned char *to, int n), (a, to, n))
STAND_IN(BIGNUM *, NULL, BN_bin2bn, (const unsigned char *p, int n, BIGNUM *a), (p, n, a))
STAND_IN(int, 0, EVP_PKEY_keygen_init, (EVP_PKEY_CTX * c), (c))
STAND_IN(int, 0, EVP_PKEY_CTX_set_group_name, (EVP_PKEY_CTX * c, const char *n), (c, n))
STAND_IN(int, 0, EVP_PKEY_generate, (EVP_PKEY_CTX * c, EVP_PKEY **k), (c, k))
STAND_IN(int, 0, EVP_PKEY_get_octet_string_param,
         (const EVP_PKEY *k, const char *n, unsigned char *p, size_t room, size_t *out), (k, n, p, room, out))
STAND_IN(EVP_PKEY *, NULL, EVP_PKEY_new, (void), ())
STAND_IN(int, 0, EVP_PKEY_copy_parameters, (EVP_PKEY * to, const EVP_PKEY *from), (to, from))
STAND_IN(int, 0, EVP_PKEY_set1_encoded_public_key, (EVP_PKEY * k, const unsigned char *p, size_t n),
         (k, p, n))
STAND_IN(int, 0, EVP_PKEY_derive_init, (EVP_PKEY_CTX * c), (c))
STAND_IN(int, 0, EVP_PKEY_derive_set_peer, (EVP_PKEY_CTX * c, EVP_PKEY *k), (c, k))
STAND_IN(int, 0, EVP_PKEY_derive, (EVP_PKEY_CTX * c, unsigned char *p, size_t *n), (c, p, n))
STAND_IN(int, 0, EVP_PKEY_check, (EVP_PKEY_CTX * c), (c))
STAND_IN(X509_STORE_CTX *, NULL, X509_STORE_CTX_new, (void), ())
STAND_IN(int, 0, X509_STORE_CTX_init, (X509_STORE_CTX * c, X509_STORE *s, X509 *x, STACK_OF(X509) * o),
         (c, s, x, o))
STAND_IN(int, -1, X509_verify_cert, (X509_STORE_CTX * c), (c))
STAND_IN(int, 0, X509_digest, (const X509 *x, const EVP_MD *m, unsigned char *p, unsigned *n), (x, m, p, n))
STAND_IN(EVP_PKEY *, NULL, X509_get_pubkey, (X509 * x), (x))
STAND_IN(OPENSSL_STACK *, NULL, OPENSSL_sk_new_null, (void), ())
STAND_IN(int, 0, OPENSSL_sk_push, (OPENSSL_STACK * s, const void *p), (s, p))
STAND_IN(BIO *, NULL, BIO_new, (const BIO_METHOD *m), (m))
STAND_IN(BIO *, NULL, BIO_new_mem_buf, (const void *p, int n), (p, n))
STAND_IN(int, -1, X509_NAME_print_ex, (BIO * b, const X509_NAME *n, int i, unsigned long f), (b, n, i, f))

static void arm(unsigned long n)
{
    calls = 0;
    fail_at = n;
    failed = false;
}

static tl_openssl *backend;
static const tl_crypto *c;
static pki_pair root, leaf;
static uint8_t chain[4096], root_pem[4096], key_pem[4096];
static size_t chain_n, root_pem_n, key_pem_n;

static size_t pem_of(BIO *bio, uint8_t *to, size_t room)
{
    char *text;
    long n = BIO_get_mem_data(bio, &text);
    assert_true(n > 0 && (size_t)n <= room);
    memcpy(to, text, (size_t)n);
    BIO_free(bio);
    return (size_t)n;
}

static void make_inputs(void)
{
    uint8_t *p = chain;
    chain_n = (size_t)i2d_X509(root.certificate, &p);
    chain_n += (size_t)i2d_X509(leaf.certificate, &p);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(bio, root.certificate), 1);
    root_pem_n = pem_of(bio, root_pem, sizeof root_pem);
    bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey(bio, leaf.key, NULL, NULL, 0, NULL, NULL), 1);
    key_pem_n = pem_of(bio, key_pem, sizeof key_pem);
}

static int group_set_up(void **s)
{
    (void)s;
    pki_template t = { .subject = "root", .kind = PKI_AUTHORITY, .path_length = PKI_NO_PATH_LENGTH };
    t.not_before = NOW - DAY;
    t.not_after = NOW + DAY;
    t.key_usage = "critical,keyCertSign";
    root.key = pki_new_key(TL_GROUP_P256);
    root.certificate = pki_issue(&t, root.key, NULL);
    t.subject = "leaf";
    t.kind = PKI_LEAF;
    t.key_usage = "critical,digitalSignature";
    leaf.key = pki_new_key(TL_GROUP_P256);
    leaf.certificate = pki_issue(&t, leaf.key, &root);
    assert_non_null(leaf.certificate);
    make_inputs();
    return 0;
}

static int group_tear_down(void **s)
{
    (void)s;
    pki_pair_free(&root);
    pki_pair_free(&leaf);
    return 0;
}

static int set_up(void **s)
{
    (void)s;
    arm(0);
    tl_assert_ok(tl_openssl_open(&(tl_openssl_config){ .key_slots = SLOTS }, &backend));
    c = tl_openssl_crypto(backend);
    return 0;
}

static int tear_down(void **s)
{
    (void)s;
    arm(0);
    tl_openssl_close(backend);
    return 0;
}

/* How many slots are free: a call that failed must not keep one. */
static void assert_free(size_t expected)
{
    static const uint8_t bytes[16];
    tl_key k[SLOTS];
    size_t n = 0;
    arm(0);
    while (n < SLOTS && c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, tl_span_of(bytes, 16), &k[n]) == TL_OK)
        n++;
    for (size_t i = 0; i < n; i++)
        c->ops->key_drop(c->ctx, k[i]);
    assert_int_equal(n, expected);
}

static void assert_failed(tl_err expected, tl_err got)
{
    tl_assert_err(expected, got);
    assert_int_equal(ERR_peek_error(), 0);
}

static tl_key load_own(void)
{
    tl_openssl_input in = { "key", tl_span_of(key_pem, key_pem_n) };
    tl_key k;
    tl_assert_ok(tl_openssl_load_key(backend, &in, &k, NULL));
    return k;
}

static tl_key load_open(void)
{
    tl_openssl_input in = { "chain", tl_span_of(chain, chain_n) };
    tl_key k;
    tl_assert_ok(tl_openssl_load_leaf(backend, &in, &k, NULL));
    return k;
}

static tl_key load_trust(void)
{
    tl_openssl_input in = { "root", tl_span_of(root_pem, root_pem_n) };
    tl_key k;
    tl_assert_ok(tl_openssl_load_trust(backend, &in, &k, NULL));
    return k;
}

static const uint8_t bytes[32] = { 1 };
static const tl_digest digest = { TL_HASH_SHA256, { bytes, 32 } };

static void sign_when_any_call_fails_then_backend_and_zeros(void **s)
{
    (void)s;
    tl_key own = load_own();
    unsigned long n = 1;
    for (;; n++) {
        uint8_t signature[65];
        memset(signature, 0xAA, sizeof signature);
        arm(n);
        tl_err e = c->ops->sign(c->ctx, own, TL_SIGN_ECDSA_P256, digest, signature);
        assert_int_equal(signature[64], 0xAA);
        if (!failed) {
            tl_assert_ok(e);
            break;
        }
        assert_failed(TL_E_BACKEND, e);
        tl_assert_all(signature, 0, 64);
    }
    assert_int_equal(n, 7);
}

static void check_signature_when_any_call_fails_then_backend_and_not_right(void **s)
{
    (void)s;
    tl_key own = load_own(), open = load_open();
    uint8_t signature[64];
    unsigned long n = 1;
    tl_assert_ok(c->ops->sign(c->ctx, own, TL_SIGN_ECDSA_P256, digest, signature));
    for (;; n++) {
        bool right = true;
        arm(n);
        tl_err e = c->ops->check_signature(c->ctx, open, TL_SIGN_ECDSA_P256, digest,
                                           tl_span_of(signature, 64), &right);
        if (!failed) {
            tl_assert_ok(e);
            assert_true(right);
            break;
        }
        assert_failed(TL_E_BACKEND, e);
        assert_false(right);
    }
    assert_int_equal(n, 9);
}

static void exchange_start_when_any_call_fails_then_backend_and_no_key(void **s)
{
    (void)s;
    unsigned long n = 1;
    for (;; n++) {
        uint8_t point[65];
        tl_key own = { 7 };
        memset(point, 0xAA, sizeof point);
        arm(n);
        tl_err e = c->ops->exchange_start(c->ctx, TL_GROUP_P256, &own, point);
        assert_int_equal(point[64], 0xAA);
        if (!failed) {
            tl_assert_ok(e);
            break;
        }
        assert_failed(TL_E_BACKEND, e);
        assert_int_equal(own.slot, 0);
        tl_assert_all(point, 0, 64);
        assert_free(SLOTS);
    }
    assert_int_equal(n, 6);
}

static void exchange_end_when_any_call_fails_then_backend_and_no_secret_and_no_key(void **s)
{
    (void)s;
    unsigned long n = 1;
    for (;; n++) {
        uint8_t point[2][64], secret[33];
        tl_key own, other;
        arm(0);
        tl_assert_ok(c->ops->exchange_start(c->ctx, TL_GROUP_P256, &own, point[0]));
        tl_assert_ok(c->ops->exchange_start(c->ctx, TL_GROUP_P256, &other, point[1]));
        c->ops->key_drop(c->ctx, other);
        memset(secret, 0xAA, sizeof secret);
        arm(n);
        tl_err e = c->ops->exchange_end(c->ctx, own, tl_span_of(point[1], 64), secret);
        bool was = failed;
        assert_int_equal(secret[32], 0xAA);
        assert_free(SLOTS);
        if (!was) {
            tl_assert_ok(e);
            break;
        }
        assert_failed(TL_E_BACKEND, e);
        tl_assert_all(secret, 0, 32);
    }
    assert_int_equal(n, 8);
}

static void chain_check_when_any_call_fails_then_backend_and_no_key(void **s)
{
    (void)s;
    tl_chain_rules rules = { .now = NOW, .hash = TL_HASH_SHA256, .trust = load_trust() };
    unsigned long n = 1;
    for (;; n++) {
        tl_chain_facts facts;
        arm(n);
        tl_err e = c->ops->chain_check(c->ctx, &rules, tl_span_of(chain, chain_n), &facts);
        if (!failed) {
            tl_assert_ok(e);
            break;
        }
        assert_failed(TL_E_BACKEND, e);
        assert_int_equal(facts.key.slot, 0);
        assert_null(facts.why);
        assert_free(SLOTS - 1);
    }
    assert_true(n > 10);
}

typedef tl_err loader(tl_openssl *b, const tl_openssl_input *in, tl_key *k, tl_openssl_why *why);

/* A key that OpenSSL cannot read and one that is none look alike: both are a fault of the file. */
static void fail_loader(loader *load, const uint8_t *p, size_t size, unsigned long least)
{
    tl_openssl_input in = { "input", tl_span_of(p, size) };
    unsigned long n = 1;
    for (;; n++) {
        tl_key k = { 7 };
        arm(n);
        tl_err e = load(backend, &in, &k, NULL);
        if (!failed) {
            tl_assert_ok(e);
            break;
        }
        if (e != TL_E_FILE)
            assert_failed(TL_E_BACKEND, e);
        assert_int_equal(ERR_peek_error(), 0);
        assert_int_equal(k.slot, 0);
        assert_free(SLOTS);
    }
    assert_true(n > least);
}

static void load_when_any_call_fails_then_refused_and_no_key(void **s)
{
    (void)s;
    fail_loader(tl_openssl_load_key, key_pem, key_pem_n, 3);
    tear_down(s);
    set_up(s);
    fail_loader(tl_openssl_load_trust, root_pem, root_pem_n, 3);
    tear_down(s);
    set_up(s);
    fail_loader(tl_openssl_load_leaf, chain, chain_n, 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(sign_when_any_call_fails_then_backend_and_zeros),
        CASE(check_signature_when_any_call_fails_then_backend_and_not_right),
        CASE(exchange_start_when_any_call_fails_then_backend_and_no_key),
        CASE(exchange_end_when_any_call_fails_then_backend_and_no_secret_and_no_key),
        CASE(chain_check_when_any_call_fails_then_backend_and_no_key),
        CASE(load_when_any_call_fails_then_refused_and_no_key),
    };
    return cmocka_run_group_tests_name("pki_faults", tests, group_set_up, group_tear_down);
}
