/* The OpenSSL backend when OpenSSL itself fails: each call that can fail does, one after the other.
 *
 * The functions below stand in front of libcrypto's: the program's own definitions come first when it is
 * linked, and hand on to the library's. Each counts, and the chosen one fails in OpenSSL's way, with an
 * entry in the error queue. */
#define _GNU_SOURCE
#include "stand_in.h"
#include "testing.h"

#include <trueline/openssl.h>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

static bool fails(const void *caller)
{
    (void)caller;
    return its_turn();
}

STAND_IN(EVP_MD *, NULL, EVP_MD_fetch, (OSSL_LIB_CTX * c, const char *a, const char *p), (c, a, p))
STAND_IN(EVP_MAC *, NULL, EVP_MAC_fetch, (OSSL_LIB_CTX * c, const char *a, const char *p), (c, a, p))
STAND_IN(EVP_CIPHER *, NULL, EVP_CIPHER_fetch, (OSSL_LIB_CTX * c, const char *a, const char *p), (c, a, p))
STAND_IN(EVP_MD_CTX *, NULL, EVP_MD_CTX_new, (void), ())
STAND_IN(EVP_CIPHER_CTX *, NULL, EVP_CIPHER_CTX_new, (void), ())
STAND_IN(EVP_MAC_CTX *, NULL, EVP_MAC_CTX_new, (EVP_MAC * mac), (mac))
STAND_IN(EVP_MAC_CTX *, NULL, EVP_MAC_CTX_dup, (const EVP_MAC_CTX *c), (c))
STAND_IN(int, 0, EVP_MAC_CTX_set_params, (EVP_MAC_CTX * c, const OSSL_PARAM p[]), (c, p))
STAND_IN(void *, NULL, CRYPTO_zalloc, (size_t n, const char *file, int line), (n, file, line))
STAND_IN(int, 0, RAND_priv_bytes, (unsigned char *p, int n), (p, n))
STAND_IN(int, 0, EVP_DigestInit_ex2, (EVP_MD_CTX * c, const EVP_MD *m, const OSSL_PARAM p[]), (c, m, p))
STAND_IN(int, 0, EVP_DigestUpdate, (EVP_MD_CTX * c, const void *p, size_t n), (c, p, n))
STAND_IN(int, 0, EVP_DigestFinal_ex, (EVP_MD_CTX * c, unsigned char *p, unsigned *n), (c, p, n))
STAND_IN(int, 0, EVP_MD_CTX_copy_ex, (EVP_MD_CTX * to, const EVP_MD_CTX *from), (to, from))
STAND_IN(int, 0, EVP_MAC_init, (EVP_MAC_CTX * c, const unsigned char *k, size_t n, const OSSL_PARAM p[]),
         (c, k, n, p))
STAND_IN(int, 0, EVP_MAC_update, (EVP_MAC_CTX * c, const unsigned char *p, size_t n), (c, p, n))
STAND_IN(int, 0, EVP_MAC_final, (EVP_MAC_CTX * c, unsigned char *p, size_t *n, size_t room), (c, p, n, room))
STAND_IN(int, 0, EVP_EncryptInit_ex2,
         (EVP_CIPHER_CTX * c, const EVP_CIPHER *a, const unsigned char *k, const unsigned char *iv,
          const OSSL_PARAM p[]),
         (c, a, k, iv, p))
STAND_IN(int, 0, EVP_EncryptUpdate,
         (EVP_CIPHER_CTX * c, unsigned char *out, int *n, const unsigned char *in, int in_n),
         (c, out, n, in, in_n))
STAND_IN(int, 0, EVP_EncryptFinal_ex, (EVP_CIPHER_CTX * c, unsigned char *out, int *n), (c, out, n))
STAND_IN(int, 0, EVP_CipherInit_ex2,
         (EVP_CIPHER_CTX * c, const EVP_CIPHER *a, const unsigned char *k, const unsigned char *iv, int d,
          const OSSL_PARAM p[]),
         (c, a, k, iv, d, p))
STAND_IN(int, 0, EVP_CipherUpdate,
         (EVP_CIPHER_CTX * c, unsigned char *out, int *n, const unsigned char *in, int in_n),
         (c, out, n, in, in_n))
STAND_IN(int, 0, EVP_CipherFinal_ex, (EVP_CIPHER_CTX * c, unsigned char *out, int *n), (c, out, n))
STAND_IN(int, 0, EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX * c, int type, int n, void *p), (c, type, n, p))

static void arm(unsigned long n)
{
    calls = 0;
    fail_at = n;
    failed = false;
}

static tl_openssl *backend;
static const tl_crypto *c;

static int set_up(void **s)
{
    (void)s;
    arm(0);
    tl_assert_ok(
        tl_openssl_open(&(tl_openssl_config){ .hash_slots = 2, .key_slots = 2, .mac_slots = 2 }, &backend));
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

static const uint8_t bytes[64] = { 0x4B, 0x65, 0x79 };
static const tl_span key = { bytes, 16 };

static const tl_suite suites[] = { TL_SUITE_AES128_GMAC, TL_SUITE_AES256_GMAC, TL_SUITE_AES128_CMAC,
                                   TL_SUITE_AES256_CMAC };
enum { SUITES = sizeof suites / sizeof *suites };

static tl_err load(size_t suite, tl_key *k)
{
    return c->ops->key_load(c->ctx, suites[suite], tl_span_of(bytes, tl_suite_key_size(suites[suite])), k);
}

/* What every failure has in common. */
static void assert_failed(tl_err expected, tl_err got)
{
    tl_assert_err(expected, got);
    assert_int_equal(ERR_peek_error(), 0);
}

static void open_when_any_call_fails_then_backend_and_nothing_leaks(void **s)
{
    (void)s;
    unsigned long n = 1;
    for (;; n++) {
        tl_openssl *b = backend;
        arm(n);
        tl_err e =
            tl_openssl_open(&(tl_openssl_config){ .hash_slots = 3, .key_slots = 3, .mac_slots = 3 }, &b);
        arm(0);
        if (e == TL_OK) {
            tl_openssl_close(b);
            break;
        }
        assert_failed(TL_E_BACKEND, e);
        assert_null(b);
    }
    assert_true(n > 24);
}

static void random_when_it_fails_then_random_and_zeros(void **s)
{
    (void)s;
    uint8_t out[32];
    memset(out, 0xAA, sizeof out);
    arm(1);
    assert_failed(TL_E_RANDOM, c->ops->random(c->ctx, out, sizeof out));
    tl_assert_all(out, 0, sizeof out);
}

static void hash_start_when_it_fails_then_the_slot_is_free_again(void **s)
{
    (void)s;
    tl_hash h[2];
    for (int i = 0; i < 4; i++) {
        h[0].slot = 7;
        arm(1);
        assert_failed(TL_E_BACKEND, c->ops->hash_start(c->ctx, TL_HASH_SHA256, &h[0]));
        assert_int_equal(h[0].slot, 0);
    }
    tl_assert_ok(c->ops->hash_start(c->ctx, TL_HASH_SHA256, &h[0]));
    for (int i = 0; i < 4; i++) {
        h[1].slot = 7;
        arm(1);
        assert_failed(TL_E_BACKEND, c->ops->hash_clone(c->ctx, h[0], &h[1]));
        assert_int_equal(h[1].slot, 0);
    }
    tl_assert_ok(c->ops->hash_clone(c->ctx, h[0], &h[1]));
}

static void hash_add_or_end_when_it_fails_then_the_slot_stays_until_dropped(void **s)
{
    (void)s;
    tl_hash h[2], more;
    uint8_t digest[33];
    for (int i = 0; i < 2; i++)
        tl_assert_ok(c->ops->hash_start(c->ctx, TL_HASH_SHA256, &h[i]));
    arm(1);
    assert_failed(TL_E_BACKEND, c->ops->hash_add(c->ctx, h[0], key));
    tl_assert_err(TL_E_POOL, c->ops->hash_start(c->ctx, TL_HASH_SHA256, &more));
    c->ops->hash_drop(c->ctx, h[0]);
    tl_assert_ok(c->ops->hash_start(c->ctx, TL_HASH_SHA256, &h[0]));
    memset(digest, 0xAA, sizeof digest);
    arm(1);
    assert_failed(TL_E_BACKEND, c->ops->hash_end(c->ctx, h[1], digest));
    tl_assert_all(digest, 0, 32);
    assert_int_equal(digest[32], 0xAA);
    tl_assert_err(TL_E_POOL, c->ops->hash_start(c->ctx, TL_HASH_SHA256, &more));
    c->ops->hash_drop(c->ctx, h[1]);
    tl_assert_ok(c->ops->hash_start(c->ctx, TL_HASH_SHA256, &more));
}

static void hmac_when_any_call_fails_then_backend_and_zeros_and_the_next_is_right(void **s)
{
    (void)s;
    const tl_span parts[2] = { { bytes, 3 }, { bytes, 5 } };
    uint8_t expected[48], mac[49];
    unsigned long n = 1;
    tl_assert_ok(c->ops->hmac(c->ctx, TL_HASH_SHA384, key, parts, 2, expected));
    for (;; n++) {
        memset(mac, 0xAA, sizeof mac);
        arm(n);
        tl_err e = c->ops->hmac(c->ctx, TL_HASH_SHA384, key, parts, 2, mac);
        if (!failed) {
            tl_assert_ok(e);
            break;
        }
        assert_failed(TL_E_BACKEND, e);
        tl_assert_all(mac, 0, 48);
        assert_int_equal(mac[48], 0xAA);
        arm(0);
        tl_assert_ok(c->ops->hmac(c->ctx, TL_HASH_SHA384, key, parts, 2, mac));
        assert_memory_equal(mac, expected, 48);
    }
    assert_true(n > 5);
}

static void key_load_when_any_call_fails_then_the_slot_is_free_again(void **s)
{
    (void)s;
    tl_key k[2];
    for (size_t suite = 0; suite < SUITES; suite++) {
        unsigned long n = 1;
        for (;; n++) {
            k[0].slot = 7;
            arm(n);
            tl_err e = load(suite, &k[0]);
            if (!failed) {
                tl_assert_ok(e);
                break;
            }
            if (e == TL_OK && suite >= 2) { /* CMAC has a second way to find its cipher */
                c->ops->key_drop(c->ctx, k[0]);
                assert_int_equal(ERR_peek_error(), 0);
                continue;
            }
            assert_failed(TL_E_BACKEND, e);
            assert_int_equal(k[0].slot, 0);
        }
        assert_true(n > (suite < 2 ? 1 : 3));
        arm(0);
        tl_assert_ok(load(suite, &k[1]));
        c->ops->key_drop(c->ctx, k[0]);
        c->ops->key_drop(c->ctx, k[1]);
    }
}

enum { BATCH = 4, TEXT = 20 };

typedef struct batch {
    uint8_t payload[BATCH][TEXT];
    tl_sealed m[BATCH];
} batch;

static void fill(batch *b)
{
    memset(b, 0x5A, sizeof b->payload);
    for (size_t i = 0; i < BATCH; i++) {
        b->m[i] = (tl_sealed){ .header = key, .payload = b->payload[i], .payload_n = TEXT, .tag_n = 12 };
        b->m[i].cover = i % 2 == 0 ? TL_COVER_ENCRYPTED : TL_COVER_PAYLOAD;
        b->m[i].nonce[0] = (uint8_t)i;
    }
}

static void assert_spoilt(const batch *b)
{
    for (size_t i = 0; i < BATCH; i++) {
        assert_false(b->m[i].right);
        tl_assert_all(b->payload[i], b->m[i].cover == TL_COVER_ENCRYPTED ? 0 : 0x5A, TEXT);
    }
}

typedef tl_err batch_op(void *ctx, tl_key k, tl_sealed *m, size_t n);

/* Half of the messages are under a key of another suite. */
static void load_two(size_t suite, batch *b, tl_key k[2])
{
    tl_assert_ok(load(suite, &k[0]));
    tl_assert_ok(load((suite + 2) % SUITES, &k[1]));
    for (size_t i = 0; i < BATCH; i++)
        b->m[i].key = k[i / 2 % 2];
}

static void drop_two(const tl_key k[2])
{
    c->ops->key_drop(c->ctx, k[0]);
    c->ops->key_drop(c->ctx, k[1]);
}

static void when_any_call_fails_then_no_tags_and_no_text(batch_op *op)
{
    for (size_t suite = 0; suite < SUITES; suite++) {
        unsigned long n = 1;
        for (;; n++) {
            batch b;
            tl_key k[2];
            arm(0);
            fill(&b);
            load_two(suite, &b, k);
            for (size_t i = 0; i < BATCH; i++)
                memset(b.m[i].tag, 0x77, TL_TAG_MAX);
            arm(n);
            tl_err e = op(c->ctx, k[0], b.m, BATCH);
            drop_two(k);
            if (!failed) {
                tl_assert_ok(e);
                break;
            }
            assert_failed(TL_E_BACKEND, e);
            assert_spoilt(&b);
            for (size_t i = 0; i < BATCH; i++)
                tl_assert_all(b.m[i].tag, 0, TL_TAG_MAX);
        }
        assert_true(n > 4 * BATCH);
    }
}

static void protect_when_any_call_fails_then_no_tags_and_no_text(void **s)
{
    (void)s;
    when_any_call_fails_then_no_tags_and_no_text(c->ops->protect);
}

static void open_batch_when_any_call_fails_then_no_tags_and_no_text(void **s)
{
    (void)s;
    when_any_call_fails_then_no_tags_and_no_text(c->ops->open);
}

/* False: the backend has failed. A final call that fails while GCM decrypts is OpenSSL's way to say that the tag is
 * wrong: one message is, then. */
static bool one_is_wrong(const batch *b, tl_err e)
{
    size_t refused = 0;
    if (e != TL_OK) {
        assert_failed(TL_E_BACKEND, e);
        assert_spoilt(b);
        return false;
    }
    for (size_t i = 0; i < BATCH; i++) {
        tl_assert_all(b->payload[i], b->m[i].right ? 0x5A : 0, TEXT);
        refused += !b->m[i].right;
    }
    assert_int_equal(refused, 1);
    return true;
}

static void verify_when_any_call_fails_then_nothing_is_right_and_no_text(void **s)
{
    (void)s;
    for (size_t suite = 0; suite < SUITES; suite++) {
        tl_key k[2];
        batch sealed;
        unsigned long n = 1, wrong = 0;
        fill(&sealed);
        load_two(suite, &sealed, k);
        tl_assert_ok(c->ops->protect(c->ctx, k[0], sealed.m, BATCH));
        for (;; n++) {
            batch b = sealed;
            for (size_t i = 0; i < BATCH; i++) {
                b.m[i].payload = b.payload[i];
                b.m[i].right = true;
            }
            arm(n);
            tl_err e = c->ops->verify(c->ctx, k[0], b.m, BATCH);
            assert_int_equal(ERR_peek_error(), 0);
            if (!failed) {
                tl_assert_ok(e);
                break;
            }
            wrong += one_is_wrong(&b, e);
        }
        arm(0);
        assert_int_equal(wrong, 1); /* two are encrypted, and one of these under GCM */
        assert_true(n > 4 * BATCH);
        drop_two(k);
    }
}

static void mac_start_when_any_call_fails_then_the_slot_is_free_again(void **s)
{
    (void)s;
    for (size_t suite = 0; suite < SUITES; suite++) {
        tl_key k;
        tl_mac m[2];
        unsigned long n = 1;
        tl_assert_ok(load(suite, &k));
        for (;; n++) {
            m[0].slot = 7;
            arm(n);
            tl_err e = c->ops->mac_start(c->ctx, k, bytes, &m[0]);
            if (!failed) {
                tl_assert_ok(e);
                break;
            }
            assert_failed(TL_E_BACKEND, e);
            assert_int_equal(m[0].slot, 0);
        }
        assert_true(n > (suite < 2 ? 1 : 2));
        arm(0);
        tl_assert_ok(c->ops->mac_start(c->ctx, k, bytes, &m[1]));
        c->ops->mac_drop(c->ctx, m[0]);
        c->ops->mac_drop(c->ctx, m[1]);
        c->ops->key_drop(c->ctx, k);
    }
}

static void mac_add_or_end_when_it_fails_then_the_slot_stays_until_dropped(void **s)
{
    (void)s;
    for (size_t suite = 0; suite < SUITES; suite++) {
        tl_key k;
        tl_mac m[2], more;
        uint8_t tag[TL_TAG_MAX + 1];
        tl_assert_ok(load(suite, &k));
        for (int i = 0; i < 2; i++)
            tl_assert_ok(c->ops->mac_start(c->ctx, k, bytes, &m[i]));
        arm(1);
        assert_failed(TL_E_BACKEND, c->ops->mac_add(c->ctx, m[0], key));
        tl_assert_err(TL_E_POOL, c->ops->mac_start(c->ctx, k, bytes, &more));
        c->ops->mac_drop(c->ctx, m[0]);
        tl_assert_ok(c->ops->mac_start(c->ctx, k, bytes, &m[0]));
        for (unsigned long n = 1; n <= (suite < 2 ? 2u : 1u); n++) {
            memset(tag, 0xAA, sizeof tag);
            arm(n);
            assert_failed(TL_E_BACKEND, c->ops->mac_end(c->ctx, m[1], tag));
            assert_true(failed);
            tl_assert_all(tag, 0, TL_TAG_MAX);
            assert_int_equal(tag[TL_TAG_MAX], 0xAA);
            tl_assert_err(TL_E_POOL, c->ops->mac_start(c->ctx, k, bytes, &more));
            c->ops->mac_drop(c->ctx, m[1]);
            tl_assert_ok(c->ops->mac_start(c->ctx, k, bytes, &m[1]));
        }
        for (int i = 0; i < 2; i++)
            c->ops->mac_drop(c->ctx, m[i]);
        c->ops->key_drop(c->ctx, k);
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(open_when_any_call_fails_then_backend_and_nothing_leaks),
        CASE(random_when_it_fails_then_random_and_zeros),
        CASE(hash_start_when_it_fails_then_the_slot_is_free_again),
        CASE(hash_add_or_end_when_it_fails_then_the_slot_stays_until_dropped),
        CASE(hmac_when_any_call_fails_then_backend_and_zeros_and_the_next_is_right),
        CASE(key_load_when_any_call_fails_then_the_slot_is_free_again),
        CASE(protect_when_any_call_fails_then_no_tags_and_no_text),
        CASE(open_batch_when_any_call_fails_then_no_tags_and_no_text),
        CASE(verify_when_any_call_fails_then_nothing_is_right_and_no_text),
        CASE(mac_start_when_any_call_fails_then_the_slot_is_free_again),
        CASE(mac_add_or_end_when_it_fails_then_the_slot_stays_until_dropped),
    };
    return cmocka_run_group_tests_name("openssl_faults", tests, NULL, NULL);
}
