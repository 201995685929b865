/* Certificate chains: right ones of one to ten certificates, and chains with each element and each byte broken in
 * turn. Revocation, roles and rules are in chain_rules.c. */
#include "chains.h"
#include "vectors.h"

#include <openssl/pem.h>
#include <stdlib.h>

/* ---- right ---- */

static void chain_when_of_any_length_then_trusted_with_and_without_its_root(void **s)
{
    (void)s;
    for (size_t n = 2; n <= 5; n++) {
        for (size_t from = 0; from < 2; from++) {
            chain h;
            plan(&h, n);
            h.from = from;
            make(&h);
            expect_right(&h);
            assert_int_equal(h.facts.certificates, n - from);
            drop(&h);
        }
    }
}

static void chain_when_right_then_the_facts_are_the_leafs(void **s)
{
    (void)s;
    chain h;
    uint8_t digest[64];
    unsigned n;
    plan(&h, 3);
    make(&h);
    expect_right(&h);
    assert_string_equal(h.facts.role, "sensor");
    assert_string_equal(h.facts.device_info, "ACME:trueline-sensor-7:0042");
    assert_string_equal(h.facts.subject, "CN=a sensor,O=Trueline");
    assert_int_equal(strlen(h.facts.serial), 32);
    assert_int_equal(h.facts.alg, TL_SIGN_ECDSA_P256);
    assert_int_equal(tl_openssl_key_alg(backend, h.facts.key), TL_SIGN_ECDSA_P256);
    assert_int_equal(X509_digest(h.pair[2].certificate, EVP_sha256(), digest, &n), 1);
    assert_memory_equal(h.facts.fingerprint, digest, 32);
    assert_int_equal(X509_digest(h.pair[0].certificate, EVP_sha384(), digest, &n), 1);
    assert_memory_equal(h.facts.root_hash, digest, 48);
    drop(&h);
}

static void root_hash_when_the_root_is_not_sent_then_the_anchors(void **s)
{
    (void)s;
    chain h;
    uint8_t digest[64];
    unsigned n;
    plan(&h, 3);
    h.from = 1;
    h.rules.hash = TL_HASH_SHA256;
    make(&h);
    expect_right(&h);
    assert_int_equal(X509_digest(h.pair[0].certificate, EVP_sha256(), digest, &n), 1);
    assert_memory_equal(h.facts.root_hash, digest, 32);
    drop(&h);
}

static void load_private(EVP_PKEY *pair, tl_key *k)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    assert_int_equal(PEM_write_bio_PrivateKey(bio, pair, NULL, NULL, 0, NULL, NULL), 1);
    long n = BIO_get_mem_data(bio, &text);
    tl_openssl_input in = { "key", tl_span_of(text, (size_t)n) };
    tl_assert_ok(tl_openssl_load_key(backend, &in, k, NULL));
    BIO_free(bio);
}

static void leaf_key_when_trusted_then_checks_what_the_leaf_signs(void **s)
{
    (void)s;
    for (size_t i = 0; i < 2; i++) { /* the leaf's own key, then somebody else's */
        chain h;
        uint8_t digest[32] = { 1, 2, 3 }, signature[64];
        tl_key own;
        bool right;
        tl_digest d = { TL_HASH_SHA256, tl_span_of(digest, 32) };
        plan(&h, 2);
        make(&h);
        expect_right(&h);
        load_private(i == 0 ? h.pair[1].key : foreign_key, &own);
        tl_assert_ok(c->ops->sign(c->ctx, own, TL_SIGN_ECDSA_P256, d, signature));
        tl_assert_ok(c->ops->check_signature(c->ctx, h.facts.key, TL_SIGN_ECDSA_P256, d,
                                             tl_span_of(signature, 64), &right));
        assert_int_equal(right, i == 0);
        c->ops->key_drop(c->ctx, own);
        drop(&h);
    }
}

static void chain_when_over_p384_then_trusted_and_held_to_the_rules_algorithm(void **s)
{
    (void)s;
    chain h;
    plan(&h, 3);
    issue(&h, keys384);
    write_der(&h);
    trust_root(&h);
    h.rules.alg = TL_SIGN_ECDSA_P384;
    expect_right(&h);
    assert_int_equal(h.facts.alg, TL_SIGN_ECDSA_P384);
    c->ops->key_drop(c->ctx, h.facts.key);
    h.rules.alg = TL_SIGN_ECDSA_P256;
    expect_refused(&h, 2, "wrong algorithm");
    drop(&h);
}

static void chain_when_at_the_ends_of_its_time_then_trusted_inside_alone(void **s)
{
    (void)s;
    chain h;
    plan(&h, 3);
    make(&h);
    h.rules.now = NOW - DAY;
    expect_right(&h);
    c->ops->key_drop(c->ctx, h.facts.key);
    h.rules.now = NOW + DAY - 1;
    expect_right(&h);
    c->ops->key_drop(c->ctx, h.facts.key);
    h.rules.now = NOW - DAY - 1;
    expect_refused(&h, 0, "not yet valid");
    h.rules.now = NOW + DAY;
    expect_refused(&h, 0, "expired");
    drop(&h);
}

static void chain_when_of_ten_then_trusted_and_of_eleven_then_refused(void **s)
{
    (void)s;
    for (size_t n = 10; n <= 11; n++) {
        chain h;
        plan(&h, n);
        make(&h);
        if (n == 10)
            expect_right(&h);
        else
            expect_refused(&h, TL_CHAIN_WHOLE, "too many certificates");
        drop(&h);
    }
}

/* DMTF's own chains have no Trueline role, no SPDM use and authorities that are not marked as critical. */
static void chain_when_of_the_spdm_emulator_then_trusted_by_the_lenient_profile_alone(void **s)
{
    (void)s;
    tl_vectors file;
    tl_vector v;
    size_t n = 0;
    tl_vectors_open(&file, TL_TEST_DATA, "spdm_chains.txt");
    for (; tl_vectors_next(&file, &v); n++) {
        chain h = { .rules = { .now = 1750000000, .hash = TL_HASH_SHA256, .profile = TL_PROFILE_DSP0274 } };
        h.der_n = tl_vector_hex(&v, "chain", h.der, sizeof h.der);
        h.rules.use = n % 2 == 0 ? TL_USE_RESPONDER : TL_USE_REQUESTER;
        tl_openssl_input root = { "root", tl_span_of(h.der, 4 + ((size_t)h.der[2] << 8) + h.der[3]) };
        tl_assert_ok(tl_openssl_load_trust(backend, &root, &h.trust, NULL));
        h.rules.trust = h.trust;
        expect_right(&h);
        assert_string_equal(h.facts.role, "");
        assert_string_equal(h.facts.device_info, "ACME:WIDGET:1234567890");
        assert_int_equal(h.facts.certificates, 3);
        c->ops->key_drop(c->ctx, h.facts.key);
        h.rules.profile = TL_PROFILE_STRICT;
        h.rules.use = TL_USE_ANY;
        expect_refused(&h, 2, "profile: RFC 5280");
        drop(&h);
    }
    assert_int_equal(n, 4);
    tl_vectors_close(&file);
}

/* ---- each element broken in turn ---- */

static void expired(pki_template *t, size_t n)
{
    (void)n;
    t->not_after = NOW - 1;
}

static void not_yet_valid(pki_template *t, size_t n)
{
    (void)n;
    t->not_before = NOW + 1;
}

static void no_key_usage(pki_template *t, size_t n)
{
    (void)n;
    t->key_usage = NULL;
}

static void other_key_usage(pki_template *t, size_t n)
{
    (void)n;
    t->key_usage = t->kind == PKI_LEAF ? "critical,keyAgreement" : "critical,cRLSign";
}

static void old_hash(pki_template *t, size_t n)
{
    (void)n;
    t->hash = "SHA1";
}

static void old_version(pki_template *t, size_t n)
{
    (void)n;
    t->version_1 = true;
}

static void other_kind(pki_template *t, size_t n)
{
    (void)n;
    t->kind = t->kind == PKI_LEAF ? PKI_AUTHORITY : PKI_LEAF;
}

static const struct {
    void (*change)(pki_template *t, size_t n);
    const char *authority, *leaf;
} broken[] = {
    { expired, "expired", "expired" },
    { not_yet_valid, "not yet valid", "not yet valid" },
    { old_hash, "profile: algorithm", "profile: algorithm" },
    { old_version, "profile: version", "profile: version" },
    { other_key_usage, "profile: key usage", "profile: key usage" },
    { other_kind, "profile: not a certificate authority", "profile: the leaf is a certificate authority" },
};

static void chain_when_one_certificate_is_broken_then_refused_by_place_and_reason(void **s)
{
    (void)s;
    for (size_t k = 0; k < sizeof broken / sizeof *broken; k++) {
        for (size_t n = 2; n <= 5; n++) {
            for (size_t i = 0; i < n; i++) {
                /* A root that is no authority cannot be an anchor; see the loader's tests. */
                if (i == 0 && broken[k].change == other_kind)
                    continue;
                chain h;
                plan(&h, n);
                broken[k].change(&h.t[i], n);
                make(&h);
                expect_refused(&h, (int)i, i + 1 < n ? broken[k].authority : broken[k].leaf);
                drop(&h);
            }
        }
    }
}

static void chain_when_the_anchor_that_is_not_sent_expired_then_refused_as_a_whole(void **s)
{
    (void)s;
    chain h;
    plan(&h, 3);
    h.from = 1;
    expired(&h.t[0], 3);
    make(&h);
    expect_refused(&h, TL_CHAIN_WHOLE, "expired");
    drop(&h);
}

static void leaf_when_it_has_no_key_usage_then_refused(void **s)
{
    (void)s;
    chain h;
    plan(&h, 3);
    no_key_usage(&h.t[2], 3);
    make(&h);
    expect_refused(&h, 2, "profile: key usage");
    h.rules.profile = TL_PROFILE_DSP0274;
    expect_refused(&h, 2, "profile: key usage");
    drop(&h);
}

static void leaf_when_it_may_sign_certificates_then_refused(void **s)
{
    (void)s;
    chain h;
    plan(&h, 3);
    h.t[2].key_usage = "critical,digitalSignature,keyCertSign";
    make(&h);
    expect_refused(&h, 2, "profile: key usage");
    drop(&h);
}

static void chain_when_longer_than_an_authority_allows_then_refused(void **s)
{
    (void)s;
    for (int length = 0; length < 3; length++) {
        chain h;
        plan(&h, 4);
        h.t[0].path_length = length;
        make(&h);
        if (length == 2)
            expect_right(&h);
        else
            expect_refused(&h, 0, "profile: path length");
        drop(&h);
    }
}

static void chain_when_any_signature_has_a_wrong_bit_then_refused(void **s)
{
    (void)s;
    for (size_t i = 0; i < 4; i++) {
        chain h;
        plan(&h, 4);
        make(&h);
        h.der[h.at[i + 1] - 1] ^= 1;
        if (i == 0) /* no longer the certificate that is trusted */
            tl_assert_err(TL_E_CHAIN, check(&h));
        else
            expect_refused(&h, (int)i, "signature");
        drop(&h);
    }
}

/* Signed by somebody who took the issuer's name. */
static void chain_when_a_foreign_key_signed_then_refused(void **s)
{
    (void)s;
    for (size_t i = 1; i < 4; i++) {
        chain h;
        plan(&h, 4);
        issue(&h, keys);
        pki_pair thief = { h.pair[i - 1].certificate, foreign_key };
        X509_free(h.pair[i].certificate);
        h.pair[i].certificate = pki_issue(&h.t[i], h.pair[i].key, &thief);
        assert_non_null(h.pair[i].certificate);
        write_der(&h);
        trust_root(&h);
        expect_refused(&h, (int)i, "signature");
        drop(&h);
    }
}

static void chain_when_its_root_is_foreign_then_refused(void **s)
{
    (void)s;
    for (size_t from = 0; from < 2; from++) {
        chain h, other;
        plan(&h, 3);
        plan(&other, 3);
        h.from = from;
        make(&h);
        other.t[0].subject = "another root";
        issue(&other, keys384);
        c->ops->key_drop(c->ctx, h.trust);
        trust_root(&other);
        h.trust = (tl_key){ 0 };
        h.rules.trust = other.trust;
        expect_refused(&h, 0, "unknown root");
        drop(&h);
        drop(&other);
    }
}

/* The same name, but another key: the anchor's signature is not on it. */
static void chain_when_its_root_only_has_the_name_then_refused(void **s)
{
    (void)s;
    for (size_t from = 0; from < 2; from++) {
        chain h, other;
        plan(&h, 3);
        plan(&other, 3);
        h.from = from;
        make(&h);
        issue(&other, keys384);
        c->ops->key_drop(c->ctx, h.trust);
        trust_root(&other);
        h.trust = (tl_key){ 0 };
        h.rules.trust = other.trust;
        tl_assert_err(TL_E_CHAIN, check(&h));
        assert_int_equal(h.facts.failed, 0);
        drop(&h);
        drop(&other);
    }
}

static void resend(chain *h, const size_t *order, size_t n)
{
    h->der_n = 0;
    for (size_t i = 0; i < n; i++)
        append(h, i, h->pair[order[i]].certificate);
}

static void chain_when_out_of_order_repeated_or_with_a_gap_then_refused(void **s)
{
    (void)s;
    static const struct {
        size_t order[5], n;
        int place;
        const char *why;
    } rows[] = {
        { { 0, 2, 1, 3 }, 4, 1, "wrong issuer" },
        { { 3, 2, 1, 0 }, 4, 0, "profile: not a certificate authority" },
        { { 0, 2, 3 }, 3, 1, "wrong issuer" },
        { { 0, 1, 3 }, 3, 2, "wrong issuer" },
        { { 2, 3 }, 2, 0, "unknown root" },
        { { 3 }, 1, 0, "unknown root" },
        { { 0, 0, 1, 2, 3 }, 5, 1, "profile: issued by itself" },
        { { 0, 1, 1, 2, 3 }, 5, 2, "wrong issuer" },
        { { 0, 1, 2, 3, 3 }, 5, 3, "profile: not a certificate authority" },
        { { 0, 1, 2 }, 3, 2, "profile: the leaf is a certificate authority" },
        { { 0 }, 1, 0, "profile: the leaf is a certificate authority" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        chain h;
        plan(&h, 4);
        make(&h);
        resend(&h, rows[i].order, rows[i].n);
        expect_refused(&h, rows[i].place, rows[i].why);
        drop(&h);
    }
}

/* A root that was renewed under its old name and key: the chain is held to the one that it brings along. */
static void chain_when_its_root_was_renewed_then_the_one_sent_counts(void **s)
{
    (void)s;
    chain h, renewed;
    plan(&h, 3);
    plan(&renewed, 3);
    renewed.t[0].not_after += DAY;
    make(&h);
    issue(&renewed, keys);
    expect_right(&h);
    c->ops->key_drop(c->ctx, h.facts.key);
    h.der_n = 0;
    append(&h, 0, renewed.pair[0].certificate);
    append(&h, 1, h.pair[1].certificate);
    append(&h, 2, h.pair[2].certificate);
    expect_refused(&h, 0, "unknown root");
    drop(&h);
    drop(&renewed);
}

/* ---- bytes ---- */

static void chain_when_cut_at_any_length_then_refused(void **s)
{
    (void)s;
    chain h;
    plan(&h, 2);
    make(&h);
    size_t whole = h.der_n;
    for (size_t n = 0; n < whole; n++) {
        uint8_t *exact = malloc(n != 0 ? n : 1);
        memcpy(exact, h.der, n);
        tl_assert_err(TL_E_CHAIN, c->ops->chain_check(c->ctx, &h.rules, tl_span_of(exact, n), &h.facts));
        assert_non_null(h.facts.why);
        free(exact);
    }
    drop(&h);
}

static void chain_when_anything_follows_then_refused(void **s)
{
    (void)s;
    static const uint8_t tails[] = { 0x00, 0x30, 0xFF };
    for (size_t i = 0; i < sizeof tails; i++) {
        chain h;
        plan(&h, 2);
        make(&h);
        h.der[h.der_n++] = tails[i];
        expect_refused(&h, 2, "no DER certificate");
        drop(&h);
    }
}

/* A length in a byte more than it needs is BER: the same certificate, but other bytes under the same signature. */
static void chain_when_a_length_is_not_the_shortest_then_refused(void **s)
{
    (void)s;
    for (size_t i = 0; i < 3; i++) {
        chain h;
        plan(&h, 3);
        make(&h);
        uint8_t *p = h.der + h.at[i];
        assert_int_equal(p[1], 0x82);
        memmove(p + 3, p + 2, h.der_n - h.at[i] - 2);
        p[1] = 0x83;
        p[2] = 0;
        h.der_n++;
        expect_refused(&h, (int)i, "no DER certificate");
        drop(&h);
    }
}

static void chain_when_any_byte_changes_then_refused(void **s)
{
    (void)s;
    tl_rng r = tl_random_start("chain_when_any_byte_changes_then_refused");
    chain h;
    plan(&h, 3);
    make(&h);
    for (size_t i = 0; i < h.der_n; i++) {
        uint8_t kept = h.der[i];
        h.der[i] = (uint8_t)(h.der[i] ^ (1u << tl_random_below(&r, 8)));
        tl_err e = check(&h);
        if (e != TL_E_CHAIN)
            fail_msg("byte %zu of %zu: %d", i, h.der_n, (int)e);
        h.der[i] = kept;
    }
    expect_right(&h);
    drop(&h);
}

static void chain_when_empty_or_too_long_then_refused(void **s)
{
    (void)s;
    chain h;
    plan(&h, 2);
    make(&h);
    h.der_n = 0;
    expect_refused(&h, TL_CHAIN_WHOLE, "empty");
    h.der_n = TL_CHAIN_SIZE + 1;
    expect_refused(&h, TL_CHAIN_WHOLE, "too many bytes");
    drop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(chain_when_of_any_length_then_trusted_with_and_without_its_root),
        CASE(chain_when_right_then_the_facts_are_the_leafs),
        CASE(root_hash_when_the_root_is_not_sent_then_the_anchors),
        CASE(leaf_key_when_trusted_then_checks_what_the_leaf_signs),
        CASE(chain_when_over_p384_then_trusted_and_held_to_the_rules_algorithm),
        CASE(chain_when_at_the_ends_of_its_time_then_trusted_inside_alone),
        CASE(chain_when_of_ten_then_trusted_and_of_eleven_then_refused),
        CASE(chain_when_of_the_spdm_emulator_then_trusted_by_the_lenient_profile_alone),
        CASE(chain_when_one_certificate_is_broken_then_refused_by_place_and_reason),
        CASE(chain_when_the_anchor_that_is_not_sent_expired_then_refused_as_a_whole),
        CASE(leaf_when_it_has_no_key_usage_then_refused),
        CASE(leaf_when_it_may_sign_certificates_then_refused),
        CASE(chain_when_longer_than_an_authority_allows_then_refused),
        CASE(chain_when_any_signature_has_a_wrong_bit_then_refused),
        CASE(chain_when_a_foreign_key_signed_then_refused),
        CASE(chain_when_its_root_is_foreign_then_refused),
        CASE(chain_when_its_root_only_has_the_name_then_refused),
        CASE(chain_when_out_of_order_repeated_or_with_a_gap_then_refused),
        CASE(chain_when_its_root_was_renewed_then_the_one_sent_counts),
        CASE(chain_when_cut_at_any_length_then_refused),
        CASE(chain_when_anything_follows_then_refused),
        CASE(chain_when_a_length_is_not_the_shortest_then_refused),
        CASE(chain_when_any_byte_changes_then_refused),
        CASE(chain_when_empty_or_too_long_then_refused),
    };
    return cmocka_run_group_tests_name("chain", tests, group_set_up, group_tear_down);
}
