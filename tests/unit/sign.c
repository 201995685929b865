/* ECDSA: vectors, round trips, and signatures with every kind of damage. */
#include "pairs.h"
#include "testing.h"
#include "vectors.h"

#include <trueline/openssl.h>

static tl_openssl *backend;
static const tl_crypto *c;

static const struct {
    tl_group group;
    tl_sign_alg alg;
    const char *file;
    const char *order;
} curves[] = {
    { TL_GROUP_P256, TL_SIGN_ECDSA_P256, "ecdsa_p256.txt",
      "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551" },
    { TL_GROUP_P384, TL_SIGN_ECDSA_P384, "ecdsa_p384.txt",
      "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973" },
};
enum { CURVES = sizeof curves / sizeof *curves };

static int set_up(void **s)
{
    (void)s;
    tl_assert_ok(tl_openssl_open(&(tl_openssl_config){ .key_slots = 6 }, &backend));
    c = tl_openssl_crypto(backend);
    return 0;
}

static int tear_down(void **s)
{
    (void)s;
    assert_int_equal(ERR_peek_error(), 0);
    tl_openssl_close(backend);
    return 0;
}

static const uint8_t bytes[48] = { 0x61, 0x62, 0x63 };

static tl_digest digest_of(tl_hash_alg alg)
{
    return (tl_digest){ alg, tl_span_of(bytes, tl_hash_size(alg)) };
}

static bool right(tl_key k, tl_sign_alg alg, tl_digest d, tl_span signature)
{
    bool answer = true;
    tl_assert_ok(c->ops->check_signature(c->ctx, k, alg, d, signature, &answer));
    return answer;
}

static void algorithms_when_of_the_table_then_sized_and_named_and_else_none(void **s)
{
    (void)s;
    assert_int_equal(tl_sign_size(TL_SIGN_ECDSA_P256), 64);
    assert_int_equal(tl_sign_size(TL_SIGN_ECDSA_P384), 96);
    assert_int_equal(tl_group_size(TL_GROUP_P256), 32);
    assert_int_equal(tl_group_size(TL_GROUP_P384), 48);
    assert_string_equal(tl_sign_name(TL_SIGN_ECDSA_P384), "ecdsa-p384");
    assert_string_equal(tl_group_name(TL_GROUP_P256), "p256");
    for (int none = 0; none < 100; none += 99) {
        assert_int_equal(tl_sign_size((tl_sign_alg)none), 0);
        assert_int_equal(tl_group_size((tl_group)none), 0);
        assert_null(tl_sign_name((tl_sign_alg)none));
        assert_null(tl_group_name((tl_group)none));
    }
}

/* ---- vectors ---- */

static void hash_message(const tl_vector *v, tl_hash_alg alg, uint8_t *digest)
{
    static uint8_t message[256];
    tl_hash h;
    size_t n = tl_vector_hex(v, "message", message, sizeof message);
    tl_assert_ok(c->ops->hash_start(c->ctx, alg, &h));
    tl_assert_ok(c->ops->hash_add(c->ctx, h, tl_span_of(message, n)));
    tl_assert_ok(c->ops->hash_end(c->ctx, h, digest));
}

/* A vector's answer; a key that is not on the curve counts as a refusal. */
static bool answer_of(const tl_vector *v, size_t curve)
{
    uint8_t digest[TL_HASH_MAX], point[TL_POINT_MAX], signature[TL_SIGNATURE_MAX];
    size_t size = tl_group_size(curves[curve].group);
    tl_hash_alg alg = strcmp(tl_vector_text(v, "hash"), "sha256") == 0 ? TL_HASH_SHA256 : TL_HASH_SHA384;
    tl_key k;
    assert_int_equal(tl_vector_hex(v, "x", point, size), size);
    assert_int_equal(tl_vector_hex(v, "y", point + size, size), size);
    assert_int_equal(tl_vector_hex(v, "r", signature, size), size);
    assert_int_equal(tl_vector_hex(v, "s", signature + size, size), size);
    hash_message(v, alg, digest);
    if (!tl_given_key(backend, TL__PUBLIC, curves[curve].group, tl_span_of(point, 2 * size),
                      tl_span_of(NULL, 0), &k))
        return false;
    tl_digest d = { alg, tl_span_of(digest, tl_hash_size(alg)) };
    bool answer = right(k, curves[curve].alg, d, tl_span_of(signature, 2 * size));
    c->ops->key_drop(c->ctx, k);
    return answer;
}

static void signatures_when_of_nist_then_right_and_wrong_as_they_say(void **s)
{
    (void)s;
    for (size_t i = 0; i < CURVES; i++) {
        tl_vectors file;
        tl_vector v;
        size_t passed = 0, refused = 0;
        tl_vectors_open(&file, TL_TEST_DATA, curves[i].file);
        while (tl_vectors_next(&file, &v)) {
            bool expected = tl_vector_text(&v, "result")[0] == 'P';
            if (answer_of(&v, i) != expected)
                fail_msg("%s: record %zu", curves[i].file, passed + refused + 1);
            *(expected ? &passed : &refused) += 1;
        }
        assert_true(passed >= 6 && refused >= 20);
        tl_vectors_close(&file);
    }
}

/* ---- round trips ---- */

static void signature_when_made_here_then_right_for_its_key_digest_and_hash(void **s)
{
    (void)s;
    for (size_t i = 0; i < CURVES; i++) {
        for (tl_hash_alg h = TL_HASH_SHA256; h <= TL_HASH_SHA384; h++) {
            uint8_t signature[TL_SIGNATURE_MAX + 1], other[48] = { 9 };
            size_t n = tl_sign_size(curves[i].alg);
            tl_key own, open, own2, open2;
            tl_fresh_pair(backend, curves[i].group, &own, &open);
            tl_fresh_pair(backend, curves[i].group, &own2, &open2);
            signature[n] = 0xAA;
            tl_assert_ok(c->ops->sign(c->ctx, own, curves[i].alg, digest_of(h), signature));
            assert_int_equal(signature[n], 0xAA);
            assert_true(right(open, curves[i].alg, digest_of(h), tl_span_of(signature, n)));
            assert_false(right(open2, curves[i].alg, digest_of(h), tl_span_of(signature, n)));
            tl_digest d = { h, tl_span_of(other, tl_hash_size(h)) };
            assert_false(right(open, curves[i].alg, d, tl_span_of(signature, n)));
            const tl_key all[] = { own, open, own2, open2 };
            for (size_t k = 0; k < 4; k++)
                c->ops->key_drop(c->ctx, all[k]);
        }
    }
}

/* r and s that begin with zeros must keep their width: one in a hundred does. */
static void signature_when_a_part_is_short_then_padded_and_right(void **s)
{
    (void)s;
    tl_key own, open;
    size_t padded = 0;
    uint8_t signature[64];
    tl_fresh_pair(backend, TL_GROUP_P256, &own, &open);
    for (size_t i = 0; i < 4000 && padded < 3; i++) {
        tl_assert_ok(c->ops->sign(c->ctx, own, TL_SIGN_ECDSA_P256, digest_of(TL_HASH_SHA256), signature));
        if (signature[0] != 0 && signature[32] != 0)
            continue;
        padded++;
        assert_true(right(open, TL_SIGN_ECDSA_P256, digest_of(TL_HASH_SHA256), tl_span_of(signature, 64)));
    }
    assert_int_equal(padded, 3);
}

/* ---- damage ---- */

typedef struct signed_one {
    tl_key own, open;
    tl_sign_alg alg;
    size_t half;
    uint8_t signature[TL_SIGNATURE_MAX + 1];
} signed_one;

static signed_one sign_one(size_t curve)
{
    signed_one o = { .alg = curves[curve].alg, .half = tl_group_size(curves[curve].group) };
    tl_fresh_pair(backend, curves[curve].group, &o.own, &o.open);
    tl_assert_ok(c->ops->sign(c->ctx, o.own, o.alg, digest_of(TL_HASH_SHA256), o.signature));
    return o;
}

static bool still_right(const signed_one *o, size_t n)
{
    return right(o->open, o->alg, digest_of(TL_HASH_SHA256), tl_span_of(o->signature, n));
}

static void signature_when_any_bit_flips_then_wrong(void **s)
{
    (void)s;
    for (size_t i = 0; i < CURVES; i++) {
        signed_one o = sign_one(i);
        for (size_t bit = 0; bit < 16 * o.half; bit++) {
            o.signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_false(still_right(&o, 2 * o.half));
            o.signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_true(still_right(&o, 2 * o.half));
    }
}

static void signature_when_a_part_is_out_of_range_then_wrong(void **s)
{
    (void)s;
    for (size_t i = 0; i < CURVES; i++) {
        uint8_t order[48];
        signed_one o = sign_one(i);
        tl_hex(curves[i].order, order, sizeof order);
        for (size_t part = 0; part < 2; part++) {
            signed_one bad = o;
            uint8_t *p = bad.signature + part * o.half;
            memset(p, 0, o.half);
            assert_false(still_right(&bad, 2 * o.half));
            memset(p, 0xFF, o.half);
            assert_false(still_right(&bad, 2 * o.half));
            memcpy(p, order, o.half);
            assert_false(still_right(&bad, 2 * o.half));
        }
        signed_one zero = o;
        memset(zero.signature, 0, 2 * o.half);
        assert_false(still_right(&zero, 2 * o.half));
    }
}

static void signature_when_of_another_length_then_wrong(void **s)
{
    (void)s;
    bool answer = true;
    for (size_t i = 0; i < CURVES; i++) {
        signed_one o = sign_one(i);
        const size_t lengths[] = { 0, 1, o.half, 2 * o.half - 1, 2 * o.half + 1, 2 * o.half - 2 };
        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
            assert_false(still_right(&o, lengths[k]));
        tl_assert_ok(c->ops->check_signature(c->ctx, o.open, o.alg, digest_of(TL_HASH_SHA256),
                                             tl_span_of(NULL, 2 * o.half), &answer));
        assert_false(answer);
    }
}

/* ---- wrong handles ---- */

static void refuse(tl_key k, tl_sign_alg alg, tl_digest d)
{
    uint8_t signature[TL_SIGNATURE_MAX];
    bool answer = true;
    memset(signature, 0xAA, sizeof signature);
    tl_assert_err(TL_E_USAGE, c->ops->sign(c->ctx, k, alg, d, signature));
    tl_assert_all(signature, 0, tl_sign_size(alg));
    tl_assert_err(TL_E_USAGE, c->ops->check_signature(c->ctx, k, alg, d, tl_span_of(signature, 64), &answer));
    assert_false(answer);
}

static void handles_when_of_another_kind_then_usage(void **s)
{
    (void)s;
    tl_key own, open, stream, exchange;
    uint8_t point[64], secret[32], signature[64];
    bool answer = true;
    tl_sealed m = { .tag_n = 16 };
    tl_digest d = digest_of(TL_HASH_SHA256);
    tl_fresh_pair(backend, TL_GROUP_P256, &own, &open);
    tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, tl_span_of(bytes, 16), &stream));
    tl_assert_ok(c->ops->exchange_start(c->ctx, TL_GROUP_P256, &exchange, point));
    refuse(stream, TL_SIGN_ECDSA_P256, d);
    refuse(exchange, TL_SIGN_ECDSA_P256, d);
    refuse((tl_key){ 0 }, TL_SIGN_ECDSA_P256, d);
    refuse((tl_key){ own.slot + 0x10000 }, TL_SIGN_ECDSA_P256, d);
    tl_assert_err(TL_E_USAGE, c->ops->sign(c->ctx, open, TL_SIGN_ECDSA_P256, d, signature));
    tl_assert_err(TL_E_USAGE, c->ops->check_signature(c->ctx, own, TL_SIGN_ECDSA_P256, d,
                                                      tl_span_of(signature, 64), &answer));
    const tl_key pairs[] = { own, open, exchange };
    for (size_t i = 0; i < 3; i++) {
        tl_assert_err(TL_E_USAGE, c->ops->protect(c->ctx, pairs[i], &m, 1));
        tl_assert_err(TL_E_USAGE, c->ops->verify(c->ctx, pairs[i], &m, 1));
    }
    tl_assert_err(TL_E_USAGE, c->ops->exchange_end(c->ctx, own, tl_span_of(point, 64), secret));
    tl_assert_err(TL_E_USAGE, c->ops->exchange_end(c->ctx, stream, tl_span_of(point, 64), secret));
    tl_assert_ok(c->ops->sign(c->ctx, own, TL_SIGN_ECDSA_P256, d, signature));
}

static void key_when_of_another_curve_or_digest_of_another_length_then_usage(void **s)
{
    (void)s;
    tl_key own, open;
    tl_fresh_pair(backend, TL_GROUP_P384, &own, &open);
    const tl_key both[] = { own, open };
    for (size_t i = 0; i < 2; i++) {
        refuse(both[i], TL_SIGN_ECDSA_P256, digest_of(TL_HASH_SHA256));
        refuse(both[i], TL_SIGN_NONE, digest_of(TL_HASH_SHA256));
        refuse(both[i], (tl_sign_alg)99, digest_of(TL_HASH_SHA256));
        refuse(both[i], TL_SIGN_ECDSA_P384, (tl_digest){ TL_HASH_SHA256, { bytes, 48 } });
        refuse(both[i], TL_SIGN_ECDSA_P384, (tl_digest){ TL_HASH_SHA384, { bytes, 47 } });
        refuse(both[i], TL_SIGN_ECDSA_P384, (tl_digest){ TL_HASH_NONE, { bytes, 0 } });
        refuse(both[i], TL_SIGN_ECDSA_P384, (tl_digest){ (tl_hash_alg)99, { bytes, 48 } });
        refuse(both[i], TL_SIGN_ECDSA_P384, (tl_digest){ TL_HASH_SHA384, { NULL, 48 } });
    }
}

static void key_when_dropped_then_refused(void **s)
{
    (void)s;
    tl_key own, open;
    tl_fresh_pair(backend, TL_GROUP_P256, &own, &open);
    c->ops->key_drop(c->ctx, own);
    c->ops->key_drop(c->ctx, open);
    refuse(own, TL_SIGN_ECDSA_P256, digest_of(TL_HASH_SHA256));
    refuse(open, TL_SIGN_ECDSA_P256, digest_of(TL_HASH_SHA256));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(algorithms_when_of_the_table_then_sized_and_named_and_else_none),
        CASE(signatures_when_of_nist_then_right_and_wrong_as_they_say),
        CASE(signature_when_made_here_then_right_for_its_key_digest_and_hash),
        CASE(signature_when_a_part_is_short_then_padded_and_right),
        CASE(signature_when_any_bit_flips_then_wrong),
        CASE(signature_when_a_part_is_out_of_range_then_wrong),
        CASE(signature_when_of_another_length_then_wrong),
        CASE(handles_when_of_another_kind_then_usage),
        CASE(key_when_of_another_curve_or_digest_of_another_length_then_usage),
        CASE(key_when_dropped_then_refused),
    };
    return cmocka_run_group_tests_name("sign", tests, NULL, NULL);
}
