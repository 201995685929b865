/* Loading keys, anchors, lists and chains from memory and files: what is taken, and what is refused with its name. */
#define _XOPEN_SOURCE 700
#include "pki_cert.h"
#include "testing.h"

#include <trueline/openssl.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOW = 1900000000, DAY = 86400, ROOM = 8192 };

static tl_openssl *backend;
static const tl_crypto *c;
static pki_pair root, leaf;
static tl_openssl_why why;
static char file[] = "/tmp/trueline-load-XXXXXX";

/* Bytes of an input, with room for more. */
typedef struct bytes {
    uint8_t p[ROOM];
    size_t n;
} bytes;

static int set_up(void **s)
{
    (void)s;
    tl_assert_ok(tl_openssl_open(&(tl_openssl_config){ .key_slots = 2 }, &backend));
    c = tl_openssl_crypto(backend);
    return 0;
}

/* Whatever was refused keeps no slot. */
static int tear_down(void **s)
{
    (void)s;
    static const uint8_t zero[16];
    tl_key k;
    assert_int_equal(ERR_peek_error(), 0);
    for (int i = 0; i < 2; i++)
        tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, tl_span_of(zero, 16), &k));
    tl_openssl_close(backend);
    return 0;
}

static int group_set_up(void **s)
{
    (void)s;
    pki_template t = { .subject = "root", .kind = PKI_AUTHORITY, .path_length = PKI_NO_PATH_LENGTH };
    t.not_before = NOW - DAY;
    t.not_after = NOW + DAY;
    t.key_usage = "critical,keyCertSign,cRLSign";
    root.key = pki_new_key(TL_GROUP_P256);
    root.certificate = pki_issue(&t, root.key, NULL);
    t.subject = "leaf";
    t.kind = PKI_LEAF;
    t.key_usage = "critical,digitalSignature";
    leaf.key = pki_new_key(TL_GROUP_P384);
    leaf.certificate = pki_issue(&t, leaf.key, &root);
    assert_non_null(leaf.certificate);
    int f = mkstemp(file);
    assert_true(f >= 0);
    close(f);
    return 0;
}

static int group_tear_down(void **s)
{
    (void)s;
    pki_pair_free(&root);
    pki_pair_free(&leaf);
    unlink(file);
    return 0;
}

/* ---- inputs ---- */

static void add_bio(bytes *b, BIO *bio)
{
    char *text;
    long n = BIO_get_mem_data(bio, &text);
    assert_true(n > 0 && b->n + (size_t)n <= ROOM);
    memcpy(b->p + b->n, text, (size_t)n);
    b->n += (size_t)n;
    BIO_free(bio);
}

static void add_certificate(bytes *b, X509 *x)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(bio, x), 1);
    add_bio(b, bio);
}

static void add_der(bytes *b, X509 *x)
{
    uint8_t *p = b->p + b->n;
    b->n += (size_t)i2d_X509(x, &p);
}

static void add_key(bytes *b, EVP_PKEY *key, const char *password)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const EVP_CIPHER *cipher = password != NULL ? EVP_aes_128_cbc() : NULL;
    assert_int_equal(
        PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, NULL, 0, NULL, (void *)(uintptr_t)password), 1);
    add_bio(b, bio);
}

static tl_openssl_input input(const bytes *b)
{
    return (tl_openssl_input){ "it", tl_span_of(b->p, b->n) };
}

typedef tl_err loader(tl_openssl *b, const tl_openssl_input *in, tl_key *k, tl_openssl_why *w);

static void expect_refused(loader *load, const tl_openssl_input *in, const char *text)
{
    tl_key k = { 7 };
    why.text[0] = '\0';
    tl_assert_err(TL_E_FILE, load(backend, in, &k, &why));
    assert_int_equal(k.slot, 0);
    if (strstr(why.text, text) == NULL)
        fail_msg("'%s' does not say '%s'", why.text, text);
    assert_memory_equal(why.text, in->name, strlen(in->name));
    tl_assert_err(TL_E_FILE, load(backend, in, &k, NULL));
}

static void refuse(loader *load, const bytes *b, const char *text)
{
    tl_openssl_input in = input(b);
    expect_refused(load, &in, text);
}

static void take(loader *load, const bytes *b, tl_sign_alg alg)
{
    tl_openssl_input in = input(b);
    tl_key k;
    tl_assert_ok(load(backend, &in, &k, &why));
    assert_string_equal(why.text, "");
    assert_int_equal(tl_openssl_key_alg(backend, k), alg);
    c->ops->key_drop(c->ctx, k);
    assert_int_equal(tl_openssl_key_alg(backend, k), TL_SIGN_NONE);
}

/* ---- private keys ---- */

static void key_when_pem_or_der_then_loaded(void **s)
{
    (void)s;
    bytes pem = { .n = 0 }, der = { .n = 0 };
    add_key(&pem, leaf.key, NULL);
    take(tl_openssl_load_key, &pem, TL_SIGN_ECDSA_P384);
    uint8_t *p = der.p;
    der.n = (size_t)i2d_PrivateKey(leaf.key, &p);
    take(tl_openssl_load_key, &der, TL_SIGN_ECDSA_P384);
    der.p[der.n++] = 0;
    refuse(tl_openssl_load_key, &der, "no private key");
    der.n -= 2;
    refuse(tl_openssl_load_key, &der, "no private key");
}

static void key_when_it_is_none_then_refused(void **s)
{
    (void)s;
    bytes certificate = { .n = 0 }, locked = { .n = 0 }, cut = { .n = 0 }, text = { { 'h', 'i' }, 2 };
    add_certificate(&certificate, leaf.certificate);
    refuse(tl_openssl_load_key, &certificate, "no private key");
    add_key(&locked, leaf.key, "secret");
    refuse(tl_openssl_load_key, &locked, "has a password");
    add_key(&cut, leaf.key, NULL);
    cut.n /= 2;
    refuse(tl_openssl_load_key, &cut, "no private key");
    refuse(tl_openssl_load_key, &text, "no private key");
}

static void key_when_of_another_algorithm_then_refused(void **s)
{
    (void)s;
    EVP_PKEY *others[] = { EVP_EC_gen("P-521"), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
                           EVP_EC_gen("secp256k1") };
    for (size_t i = 0; i < 3; i++) {
        bytes b = { .n = 0 };
        assert_non_null(others[i]);
        add_key(&b, others[i], NULL);
        refuse(tl_openssl_load_key, &b, "P-256 or P-384");
        EVP_PKEY_free(others[i]);
    }
}

/* The public half in the file is another's: each signature would be wrong. */
static void key_when_its_halves_differ_then_refused(void **s)
{
    (void)s;
    bytes a = { .n = 0 }, b = { .n = 0 };
    EVP_PKEY *other = pki_new_key(TL_GROUP_P384);
    uint8_t *p = a.p;
    a.n = (size_t)i2d_PrivateKey(leaf.key, &p);
    p = b.p;
    b.n = (size_t)i2d_PrivateKey(other, &p);
    assert_int_equal(a.n, b.n);
    /* SEC 1: the public point is the last 97 bytes. */
    memcpy(a.p + a.n - 96, b.p + b.n - 96, 96);
    refuse(tl_openssl_load_key, &a, "differ");
    EVP_PKEY_free(other);
}

/* ---- anchors ---- */

static void trust_when_one_or_several_roots_then_loaded(void **s)
{
    (void)s;
    bytes one = { .n = 0 }, two = { .n = 0 };
    add_certificate(&one, root.certificate);
    take(tl_openssl_load_trust, &one, TL_SIGN_NONE);
    add_certificate(&one, root.certificate);
    take(tl_openssl_load_trust, &one, TL_SIGN_NONE);
    add_der(&two, root.certificate);
    add_der(&two, root.certificate);
    take(tl_openssl_load_trust, &two, TL_SIGN_NONE);
}

static void trust_when_not_a_root_then_refused(void **s)
{
    (void)s;
    pki_template t = { .subject = "x", .kind = PKI_AUTHORITY, .path_length = PKI_NO_PATH_LENGTH };
    t.not_after = NOW;
    t.key_usage = "critical,keyCertSign";
    X509 *below = pki_issue(&t, leaf.key, &root);
    t.kind = PKI_LEAF;
    X509 *own_leaf = pki_issue(&t, leaf.key, NULL);
    t.kind = PKI_AUTHORITY;
    t.subject = "root";
    pki_pair thief = { root.certificate, leaf.key };
    X509 *forged = pki_issue(&t, root.key, &thief);
    X509 *const wrong[] = { leaf.certificate, own_leaf, below, forged };
    static const char *const texts[] = { "not a certificate authority", "not a certificate authority",
                                         "not signed by itself", "not signed by itself" };
    for (size_t i = 0; i < 4; i++) {
        bytes b = { .n = 0 };
        add_certificate(&b, root.certificate);
        add_certificate(&b, wrong[i]);
        refuse(tl_openssl_load_trust, &b, texts[i]);
    }
    X509_free(below);
    X509_free(own_leaf);
    X509_free(forged);
}

static void trust_when_broken_or_of_another_kind_then_refused(void **s)
{
    (void)s;
    bytes key = { .n = 0 }, der = { .n = 0 }, pem = { .n = 0 }, text = { { 'h', 'i', '\n' }, 3 };
    add_certificate(&key, root.certificate);
    add_key(&key, leaf.key, NULL);
    refuse(tl_openssl_load_trust, &key, "block 2 is a PRIVATE KEY, not a CERTIFICATE");
    add_der(&der, root.certificate);
    der.p[der.n++] = 0x30;
    refuse(tl_openssl_load_trust, &der, "broken DER at byte");
    add_certificate(&pem, root.certificate);
    pem.n -= 10;
    refuse(tl_openssl_load_trust, &pem, "broken PEM block 1");
    refuse(tl_openssl_load_trust, &text, "no PEM and no DER");
}

/* ---- lists ---- */

static void revoked_when_a_list_then_loaded_and_else_refused(void **s)
{
    (void)s;
    bytes b = { .n = 0 }, certificate = { .n = 0 };
    X509_CRL *list = pki_new_list(&root, NOW, NOW + DAY);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509_CRL(bio, list), 1);
    add_bio(&b, bio);
    X509_CRL_free(list);
    take(tl_openssl_load_revoked, &b, TL_SIGN_NONE);
    add_certificate(&certificate, root.certificate);
    refuse(tl_openssl_load_revoked, &certificate, "block 1 is a CERTIFICATE, not a X509 CRL");
    certificate.n = 0;
    add_der(&certificate, root.certificate);
    refuse(tl_openssl_load_revoked, &certificate, "no revocation list");
    refuse(tl_openssl_load_trust, &b, "block 1 is a X509 CRL");
}

/* ---- chains ---- */

static void chain_when_in_either_order_then_root_first(void **s)
{
    (void)s;
    bytes expected = { .n = 0 };
    uint8_t out[ROOM];
    size_t n;
    add_der(&expected, root.certificate);
    add_der(&expected, leaf.certificate);
    for (int i = 0; i < 2; i++) {
        bytes b = { .n = 0 };
        add_certificate(&b, i == 0 ? root.certificate : leaf.certificate);
        add_certificate(&b, i == 0 ? leaf.certificate : root.certificate);
        tl_openssl_input in = input(&b);
        tl_assert_ok(tl_openssl_load_chain(&in, out, sizeof out, &n, &why));
        assert_int_equal(n, expected.n);
        assert_memory_equal(out, expected.p, n);
        take(tl_openssl_load_leaf, &b, TL_SIGN_ECDSA_P384);
    }
    tl_openssl_input der = input(&expected);
    tl_assert_ok(tl_openssl_load_chain(&der, out, sizeof out, &n, &why));
    assert_memory_equal(out, expected.p, n);
}

static void chain_when_the_room_is_too_small_then_room(void **s)
{
    (void)s;
    bytes b = { .n = 0 };
    uint8_t out[ROOM];
    size_t n = 7;
    add_der(&b, root.certificate);
    add_der(&b, leaf.certificate);
    tl_openssl_input in = input(&b);
    tl_assert_ok(tl_openssl_load_chain(&in, out, b.n, &n, NULL));
    memset(out, 0xAA, sizeof out);
    tl_assert_err(TL_E_ROOM, tl_openssl_load_chain(&in, out, b.n - 1, &n, NULL));
    assert_int_equal(n, 0);
    assert_int_equal(out[b.n - 1], 0xAA);
}

static void chain_when_of_eleven_then_refused(void **s)
{
    (void)s;
    bytes b = { .n = 0 };
    uint8_t out[ROOM];
    size_t n;
    for (int i = 0; i < 11; i++)
        add_der(&b, root.certificate);
    tl_openssl_input in = input(&b);
    tl_assert_err(TL_E_FILE, tl_openssl_load_chain(&in, out, sizeof out, &n, &why));
    assert_string_equal(why.text, "it: more than 10 certificates");
    refuse(tl_openssl_load_leaf, &b, "more than 10");
}

/* ---- files ---- */

static void write_file(const bytes *b, mode_t mode)
{
    FILE *f = fopen(file, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(b->p, 1, b->n, f), b->n);
    fclose(f);
    assert_int_equal(chmod(file, mode), 0);
}

static void key_file_when_others_may_read_it_then_refused(void **s)
{
    (void)s;
    bytes b = { .n = 0 };
    tl_openssl_input in = { .name = file };
    tl_key k;
    add_key(&b, leaf.key, NULL);
    static const mode_t open_modes[] = { 0640, 0604, 0660, 0644 };
    for (size_t i = 0; i < 4; i++) {
        write_file(&b, open_modes[i]);
        expect_refused(tl_openssl_load_key, &in, "others may read it");
    }
    write_file(&b, 0600);
    tl_assert_ok(tl_openssl_load_key(backend, &in, &k, &why));
    c->ops->key_drop(c->ctx, k);
}

static void file_when_missing_a_folder_a_pipe_empty_or_too_long_then_refused(void **s)
{
    (void)s;
    static bytes b;
    tl_openssl_input in = { .name = "/nonexistent/root.pem" }, folder = { .name = "/tmp" };
    expect_refused(tl_openssl_load_trust, &in, "No such file");
    expect_refused(tl_openssl_load_trust, &folder, "is no file");
    in.name = file;
    b.n = 0;
    write_file(&b, 0600);
    expect_refused(tl_openssl_load_trust, &in, "empty");
    assert_int_equal(truncate(file, TL_OPENSSL_INPUT_MAX + 1), 0);
    expect_refused(tl_openssl_load_trust, &in, "longer than 65536 bytes");
    unlink(file);
    assert_int_equal(mkfifo(file, 0600), 0);
    expect_refused(tl_openssl_load_trust, &in, "is no file");
    unlink(file);
}

static void input_when_it_is_none_then_usage_and_too_long_then_refused(void **s)
{
    (void)s;
    static uint8_t long_one[TL_OPENSSL_INPUT_MAX + 1];
    tl_openssl_input none = { NULL, { NULL, 0 } }, in = { "it", { long_one, sizeof long_one } };
    tl_key k;
    tl_assert_err(TL_E_USAGE, tl_openssl_load_trust(backend, &none, &k, &why));
    expect_refused(tl_openssl_load_trust, &in, "longer than");
    in.bytes.n = 0;
    expect_refused(tl_openssl_load_trust, &in, "empty");
}

static void load_when_no_slot_is_free_then_pool(void **s)
{
    (void)s;
    static const uint8_t zero[16];
    bytes b = { .n = 0 }, r = { .n = 0 };
    tl_key k[2], more = { 7 };
    add_key(&b, leaf.key, NULL);
    add_certificate(&r, root.certificate);
    for (int i = 0; i < 2; i++)
        tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, tl_span_of(zero, 16), &k[i]));
    tl_openssl_input in = input(&b), trust = input(&r);
    tl_assert_err(TL_E_POOL, tl_openssl_load_key(backend, &in, &more, &why));
    tl_assert_err(TL_E_POOL, tl_openssl_load_leaf(backend, &trust, &more, &why));
    tl_assert_err(TL_E_POOL, tl_openssl_load_trust(backend, &trust, &more, &why));
    assert_int_equal(more.slot, 0);
    for (int i = 0; i < 2; i++)
        c->ops->key_drop(c->ctx, k[i]);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(key_when_pem_or_der_then_loaded),
        CASE(key_when_it_is_none_then_refused),
        CASE(key_when_of_another_algorithm_then_refused),
        CASE(key_when_its_halves_differ_then_refused),
        CASE(trust_when_one_or_several_roots_then_loaded),
        CASE(trust_when_not_a_root_then_refused),
        CASE(trust_when_broken_or_of_another_kind_then_refused),
        CASE(revoked_when_a_list_then_loaded_and_else_refused),
        CASE(chain_when_in_either_order_then_root_first),
        CASE(chain_when_the_room_is_too_small_then_room),
        CASE(chain_when_of_eleven_then_refused),
        CASE(key_file_when_others_may_read_it_then_refused),
        CASE(file_when_missing_a_folder_a_pipe_empty_or_too_long_then_refused),
        CASE(input_when_it_is_none_then_usage_and_too_long_then_refused),
        CASE(load_when_no_slot_is_free_then_pool),
    };
    return cmocka_run_group_tests_name("load", tests, group_set_up, group_tear_down);
}
