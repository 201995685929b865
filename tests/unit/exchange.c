/* ECDH: vectors, round trips, and points that are none. */
#include "pairs.h"
#include "testing.h"
#include "vectors.h"

#include <trueline/openssl.h>

static tl_openssl *backend;
static const tl_crypto *c;

enum { SLOTS = 3 };

static const struct {
    tl_group group;
    const char *secrets, *points;
    const char *field, *y_at_0; /* the prime p, and the y of a point with x = 0 */
} curves[] = {
    { TL_GROUP_P256, "ecdh_p256.txt", "points_p256.txt",
      "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
      "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4" },
    { TL_GROUP_P384, "ecdh_p384.txt", "points_p384.txt",
      "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
      "c306610fb0ae5a159cf45c06069f22a6c5eb3641c602d42dea2c4b4f75550793406d80d2b91ad54f9048bd487af1ade1" },
};
enum { CURVES = sizeof curves / sizeof *curves };

static int set_up(void **s)
{
    (void)s;
    tl_assert_ok(tl_openssl_open(&(tl_openssl_config){ .key_slots = SLOTS }, &backend));
    c = tl_openssl_crypto(backend);
    return 0;
}

/* Every private key must be gone. */
static int tear_down(void **s)
{
    (void)s;
    static const uint8_t bytes[16];
    tl_key k;
    assert_int_equal(ERR_peek_error(), 0);
    for (int i = 0; i < SLOTS; i++)
        tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, tl_span_of(bytes, 16), &k));
    tl_openssl_close(backend);
    return 0;
}

/* Ends with `own`, and looks at what every end has in common. */
static tl_err end_with(tl_key own, tl_group group, tl_span point, uint8_t secret[TL_SECRET_MAX + 1])
{
    size_t size = tl_group_size(group);
    memset(secret, 0xAA, TL_SECRET_MAX + 1);
    tl_err e = c->ops->exchange_end(c->ctx, own, point, secret);
    tl_assert_all(secret + size, 0xAA, TL_SECRET_MAX + 1 - size);
    if (e != TL_OK)
        tl_assert_all(secret, 0, size);
    uint8_t again[TL_SECRET_MAX];
    tl_assert_err(TL_E_USAGE, c->ops->exchange_end(c->ctx, own, point, again));
    return e;
}

static tl_err end(tl_group group, tl_span point)
{
    uint8_t own_point[TL_POINT_MAX], secret[TL_SECRET_MAX + 1];
    tl_key own;
    tl_assert_ok(c->ops->exchange_start(c->ctx, group, &own, own_point));
    return end_with(own, group, point, secret);
}

/* ---- vectors ---- */

static size_t read_point(const tl_vector *v, uint8_t *point, size_t room)
{
    size_t n = tl_vector_hex(v, "x", point, room);
    return n + tl_vector_hex(v, "y", point + n, room - n);
}

/* The number's own point is not in the record: any point will do for OpenSSL, which uses the number alone. */
static void check_secret(const tl_vector *v, size_t curve)
{
    uint8_t number[48], point[96], expected[48], secret[TL_SECRET_MAX + 1];
    size_t size = tl_group_size(curves[curve].group);
    const char *result = tl_vector_text(v, "result");
    tl_key own;
    assert_int_equal(read_point(v, point, sizeof point), 2 * size);
    assert_int_equal(tl_vector_hex(v, "private", number, sizeof number), size);
    assert_int_equal(tl_vector_hex(v, "secret", expected, sizeof expected), size);
    uint8_t base[96];
    tl_key any;
    tl_assert_ok(c->ops->exchange_start(c->ctx, curves[curve].group, &any, base));
    c->ops->key_drop(c->ctx, any);
    assert_true(tl_given_key(backend, TL__EXCHANGE, curves[curve].group, tl_span_of(base, 2 * size),
                             tl_span_of(number, size), &own));
    tl_err e = end_with(own, curves[curve].group, tl_span_of(point, 2 * size), secret);
    if (strncmp(result, "F (1", 4) == 0 || strncmp(result, "F (2", 4) == 0) {
        tl_assert_err(TL_E_POINT, e);
        return;
    }
    tl_assert_ok(e);
    assert_int_equal(memcmp(secret, expected, size) == 0, result[0] == 'P');
}

static void secrets_when_of_nist_then_as_they_say(void **s)
{
    (void)s;
    for (size_t i = 0; i < CURVES; i++) {
        tl_vectors file;
        tl_vector v;
        size_t n = 0;
        tl_vectors_open(&file, TL_TEST_DATA, curves[i].secrets);
        for (; tl_vectors_next(&file, &v); n++)
            check_secret(&v, i);
        assert_true(n >= 40);
        tl_vectors_close(&file);
    }
}

static void points_when_of_nist_then_taken_and_refused_as_they_say(void **s)
{
    (void)s;
    for (size_t i = 0; i < CURVES; i++) {
        tl_vectors file;
        tl_vector v;
        size_t taken = 0, refused = 0;
        tl_vectors_open(&file, TL_TEST_DATA, curves[i].points);
        while (tl_vectors_next(&file, &v)) {
            uint8_t point[128];
            bool right = tl_vector_text(&v, "result")[0] == 'P';
            size_t n = read_point(&v, point, sizeof point);
            tl_assert_err(right ? TL_OK : TL_E_POINT, end(curves[i].group, tl_span_of(point, n)));
            *(right ? &taken : &refused) += 1;
        }
        assert_true(taken >= 4 && refused >= 8);
        tl_vectors_close(&file);
    }
}

/* ---- round trips ---- */

static void exchange_when_both_end_then_one_secret(void **s)
{
    (void)s;
    for (size_t i = 0; i < CURVES; i++) {
        size_t size = tl_group_size(curves[i].group);
        uint8_t point[2][TL_POINT_MAX + 1], secret[2][TL_SECRET_MAX + 1];
        tl_key own[2];
        for (size_t k = 0; k < 2; k++) {
            point[k][2 * size] = 0xAA;
            tl_assert_ok(c->ops->exchange_start(c->ctx, curves[i].group, &own[k], point[k]));
            assert_int_equal(point[k][2 * size], 0xAA);
        }
        assert_memory_not_equal(point[0], point[1], 2 * size);
        for (size_t k = 0; k < 2; k++)
            tl_assert_ok(end_with(own[k], curves[i].group, tl_span_of(point[1 - k], 2 * size), secret[k]));
        assert_memory_equal(secret[0], secret[1], size);
    }
}

/* ---- points that are none ---- */

static void point_when_not_on_the_curve_then_refused_and_the_key_is_gone(void **s)
{
    (void)s;
    for (size_t i = 0; i < CURVES; i++) {
        size_t size = tl_group_size(curves[i].group);
        uint8_t point[TL_POINT_MAX] = { 0 };
        tl_key other;
        /* (0, 0) is not on the curve; some take it for infinity. */
        tl_assert_err(TL_E_POINT, end(curves[i].group, tl_span_of(point, 2 * size)));
        memset(point, 0xFF, sizeof point);
        tl_assert_err(TL_E_POINT, end(curves[i].group, tl_span_of(point, 2 * size)));
        tl_assert_ok(c->ops->exchange_start(c->ctx, curves[i].group, &other, point));
        c->ops->key_drop(c->ctx, other);
        for (size_t bit = 0; bit < 16 * size; bit += 7) {
            point[bit / 8] ^= (uint8_t)(1u << bit % 8);
            tl_err e = end(curves[i].group, tl_span_of(point, 2 * size));
            /* Half of all x belong to a point, but not with this y. */
            tl_assert_err(TL_E_POINT, e);
            point[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        tl_assert_ok(end(curves[i].group, tl_span_of(point, 2 * size)));
    }
}

/* 0 and p are the same to a sloppy reader. */
static void point_when_a_coordinate_is_not_reduced_then_refused(void **s)
{
    (void)s;
    for (size_t i = 0; i < CURVES; i++) {
        size_t size = tl_group_size(curves[i].group);
        uint8_t point[TL_POINT_MAX] = { 0 };
        tl_hex(curves[i].y_at_0, point + size, size);
        tl_assert_ok(end(curves[i].group, tl_span_of(point, 2 * size)));
        tl_hex(curves[i].field, point, size);
        tl_assert_err(TL_E_POINT, end(curves[i].group, tl_span_of(point, 2 * size)));
    }
}

static void point_when_of_another_length_or_curve_then_refused(void **s)
{
    (void)s;
    uint8_t point[512] = { 0 };
    tl_key other;
    tl_assert_ok(c->ops->exchange_start(c->ctx, TL_GROUP_P256, &other, point));
    c->ops->key_drop(c->ctx, other);
    const size_t lengths[] = { 0, 1, 32, 33, 63, 65, 96, 97, 512 };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        tl_assert_err(TL_E_POINT, end(TL_GROUP_P256, tl_span_of(point, lengths[i])));
    tl_assert_err(TL_E_POINT, end(TL_GROUP_P256, tl_span_of(NULL, 64)));
    tl_assert_err(TL_E_POINT, end(TL_GROUP_P384, tl_span_of(point, 64)));
    tl_assert_err(TL_E_POINT, end(TL_GROUP_P384, tl_span_of(point, 96)));
    tl_assert_ok(end(TL_GROUP_P256, tl_span_of(point, 64)));
}

/* ---- usage ---- */

static void start_when_the_group_is_none_then_usage(void **s)
{
    (void)s;
    uint8_t point[TL_POINT_MAX];
    tl_key own = { 7 };
    tl_assert_err(TL_E_USAGE, c->ops->exchange_start(c->ctx, TL_GROUP_NONE, &own, point));
    assert_int_equal(own.slot, 0);
    tl_assert_err(TL_E_USAGE, c->ops->exchange_start(c->ctx, (tl_group)99, &own, point));
}

static void start_when_no_slot_is_free_then_pool(void **s)
{
    (void)s;
    uint8_t point[TL_POINT_MAX];
    tl_key own[SLOTS], more = { 7 };
    for (size_t i = 0; i < SLOTS; i++)
        tl_assert_ok(c->ops->exchange_start(c->ctx, TL_GROUP_P256, &own[i], point));
    tl_assert_err(TL_E_POOL, c->ops->exchange_start(c->ctx, TL_GROUP_P256, &more, point));
    assert_int_equal(more.slot, 0);
    for (size_t i = 0; i < SLOTS; i++)
        c->ops->key_drop(c->ctx, own[i]);
}

static void end_when_the_handle_is_none_then_usage(void **s)
{
    (void)s;
    uint8_t point[TL_POINT_MAX] = { 0 }, secret[TL_SECRET_MAX];
    tl_assert_err(TL_E_USAGE, c->ops->exchange_end(c->ctx, (tl_key){ 0 }, tl_span_of(point, 64), secret));
    tl_assert_err(TL_E_USAGE, c->ops->exchange_end(c->ctx, (tl_key){ 99 }, tl_span_of(point, 64), secret));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(secrets_when_of_nist_then_as_they_say),
        CASE(points_when_of_nist_then_taken_and_refused_as_they_say),
        CASE(exchange_when_both_end_then_one_secret),
        CASE(point_when_not_on_the_curve_then_refused_and_the_key_is_gone),
        CASE(point_when_a_coordinate_is_not_reduced_then_refused),
        CASE(point_when_of_another_length_or_curve_then_refused),
        CASE(start_when_the_group_is_none_then_usage),
        CASE(start_when_no_slot_is_free_then_pool),
        CASE(end_when_the_handle_is_none_then_usage),
    };
    return cmocka_run_group_tests_name("exchange", tests, NULL, NULL);
}
