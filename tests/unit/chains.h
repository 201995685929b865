/* Chains for the tests of the chain check: every one is made here, by the code behind `trueline pki`, for a fixed time;
 * what a test changes in a plan is what is wrong with its chain. */
#ifndef TL_TESTS_CHAINS_H
#define TL_TESTS_CHAINS_H

#include "pki_cert.h"
#include "testing.h"

#include <trueline/openssl.h>

#include <openssl/err.h>
#include <string.h>

enum { NOW = 1900000000, DAY = 86400, LONGEST = 12, DER_ROOM = 2 * TL_CHAIN_SIZE };

static tl_openssl *backend;
static const tl_crypto *c;
/* Keys are the slow part, and may be the same in each chain: one for each place, and one that nobody knows. */
static EVP_PKEY *keys[LONGEST], *foreign_key, *keys384[LONGEST];

/* A chain from the root, 0, to the leaf, n - 1; what is sent may begin below the root. */
typedef struct chain {
    pki_template t[LONGEST];
    pki_pair pair[LONGEST];
    size_t n, from; /* from: first certificate that is sent */
    uint8_t der[DER_ROOM];
    size_t der_n, at[LONGEST + 1]; /* where each certificate begins */
    tl_key trust, revoked;
    tl_chain_rules rules;
    tl_chain_facts facts;
} chain;

static const char *const subjects[LONGEST] = { "root", "one",   "two",   "three", "four", "five",
                                               "six",  "seven", "eight", "nine",  "ten",  "eleven" };

static inline void plan(chain *h, size_t n)
{
    *h = (chain){ .n = n };
    for (size_t i = 0; i < n; i++) {
        h->t[i] = (pki_template){ .subject = subjects[i],
                                  .kind = PKI_AUTHORITY,
                                  .path_length = PKI_NO_PATH_LENGTH,
                                  .not_before = NOW - DAY,
                                  .not_after = NOW + DAY,
                                  .key_usage = "critical,keyCertSign,cRLSign" };
    }
    h->t[n - 1].subject = "a sensor";
    h->t[n - 1].kind = PKI_LEAF;
    h->t[n - 1].key_usage = "critical,digitalSignature";
    h->t[n - 1].device_info = "ACME:trueline-sensor-7:0042";
    h->t[n - 1].use = TL_USE_RESPONDER;
    h->rules =
        (tl_chain_rules){ .now = NOW, .role = "sensor", .hash = TL_HASH_SHA384, .use = TL_USE_RESPONDER };
}

static inline void issue(chain *h, EVP_PKEY **with)
{
    for (size_t i = 0; i < h->n; i++) {
        if (h->pair[i].certificate != NULL)
            continue;
        assert_int_equal(EVP_PKEY_up_ref(with[i]), 1);
        h->pair[i].key = with[i];
        h->pair[i].certificate = pki_issue(&h->t[i], with[i], i > 0 ? &h->pair[i - 1] : NULL);
        assert_non_null(h->pair[i].certificate);
    }
}

static inline void append(chain *h, size_t place, X509 *x)
{
    uint8_t *p = h->der + h->der_n;
    int n = i2d_X509(x, NULL);
    assert_true(n > 0 && h->der_n + (size_t)n <= sizeof h->der);
    h->at[place] = h->der_n;
    h->der_n += (size_t)i2d_X509(x, &p);
    h->at[place + 1] = h->der_n;
}

static inline void write_der(chain *h)
{
    h->der_n = 0;
    for (size_t i = h->from; i < h->n; i++)
        append(h, i - h->from, h->pair[i].certificate);
}

static inline void trust_root(chain *h)
{
    uint8_t der[2048], *p = der;
    int n = i2d_X509(h->pair[0].certificate, NULL);
    assert_true(n > 0 && (size_t)n <= sizeof der);
    i2d_X509(h->pair[0].certificate, &p);
    tl_openssl_input in = { "root", { der, (size_t)n } };
    tl_assert_ok(tl_openssl_load_trust(backend, &in, &h->trust, NULL));
    h->rules.trust = h->trust;
}

static inline void make(chain *h)
{
    issue(h, keys);
    write_der(h);
    trust_root(h);
}

/* A list of each authority, with the serial of `place` on its issuer's; 0: with none. */
static inline void list(chain *h, size_t place, size_t without, int64_t next)
{
    uint8_t der[4096];
    size_t used = 0;
    for (size_t i = 0; i + 1 < h->n; i++) {
        uint8_t *p = der + used;
        X509_CRL *l = pki_new_list(&h->pair[i], NOW - 60, next);
        assert_non_null(l);
        if (place == i + 1)
            assert_true(pki_revoke(l, &h->pair[i], h->pair[place].certificate, NOW - 60));
        assert_true(used + 1024 < sizeof der);
        if (i != without)
            used += (size_t)i2d_X509_CRL(l, &p);
        X509_CRL_free(l);
    }
    tl_openssl_input in = { "lists", { der, used } };
    tl_assert_ok(tl_openssl_load_revoked(backend, &in, &h->revoked, NULL));
    h->rules.revoked = h->revoked;
}

static inline tl_err check(chain *h)
{
    tl_err e = c->ops->chain_check(c->ctx, &h->rules, tl_span_of(h->der, h->der_n), &h->facts);
    assert_int_equal(ERR_peek_error(), 0);
    return e;
}

static inline void drop(chain *h)
{
    c->ops->key_drop(c->ctx, h->facts.key);
    c->ops->key_drop(c->ctx, h->trust);
    c->ops->key_drop(c->ctx, h->revoked);
    for (size_t i = 0; i < h->n; i++)
        pki_pair_free(&h->pair[i]);
}

static inline void expect_right(chain *h)
{
    tl_err e = check(h);
    if (e != TL_OK)
        fail_msg("refused: certificate %d, %s", h->facts.failed, h->facts.why ? h->facts.why : "-");
    assert_null(h->facts.why);
    assert_int_not_equal(h->facts.key.slot, 0);
}

static inline void expect_refused(chain *h, int place, const char *why)
{
    tl_assert_err(TL_E_CHAIN, check(h));
    assert_string_equal(h->facts.why, why);
    assert_int_equal(h->facts.failed, place);
    assert_int_equal(h->facts.key.slot, 0);
}

static inline int set_up(void **s)
{
    (void)s;
    tl_assert_ok(tl_openssl_open(&(tl_openssl_config){ .key_slots = 4 }, &backend));
    c = tl_openssl_crypto(backend);
    return 0;
}

/* Every slot must be free again. */
static inline int tear_down(void **s)
{
    (void)s;
    tl_key k[4];
    static const uint8_t bytes[16];
    for (int i = 0; i < 4; i++)
        tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, tl_span_of(bytes, 16), &k[i]));
    tl_openssl_close(backend);
    return 0;
}

static inline int group_set_up(void **s)
{
    (void)s;
    for (size_t i = 0; i < LONGEST; i++) {
        keys[i] = pki_new_key(TL_GROUP_P256);
        keys384[i] = pki_new_key(TL_GROUP_P384);
        assert_non_null(keys[i]);
    }
    foreign_key = pki_new_key(TL_GROUP_P256);
    return 0;
}

static inline int group_tear_down(void **s)
{
    (void)s;
    for (size_t i = 0; i < LONGEST; i++) {
        EVP_PKEY_free(keys[i]);
        EVP_PKEY_free(keys384[i]);
    }
    EVP_PKEY_free(foreign_key);
    return 0;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
