/* The SPDM key schedule: secrets, keys and verify data of recorded exchanges; its failures at every call; and what each
 * derivation must depend on. */
#include "faulty.h"
#include "one_backend.h"
#include "testing.h"
#include "vectors.h"

#include <trueline/session.h>

#include <string.h>

/* ---- recorded exchanges ---- */

static tl_schedule schedule_of(const tl_vector *v)
{
    const char *suite = tl_vector_text(v, "suite");
    tl_schedule s = { .crypto = crypto, .aead = TL_SUITE_AES128_GMAC };
    assert_int_equal(tl_vector_hex(v, "version", &s.version, 1), 1);
    s.hash = strcmp(tl_vector_text(v, "hash"), "sha384") == 0 ? TL_HASH_SHA384 : TL_HASH_SHA256;
    if (suite != NULL && strcmp(suite, "aes256-gmac") == 0)
        s.aead = TL_SUITE_AES256_GMAC;
    return s;
}

static tl_span field(const tl_vector *v, const char *name, uint8_t room[TL_HASH_MAX])
{
    return tl_span_of(room, tl_vector_hex(v, name, room, TL_HASH_MAX));
}

static tl_secret secret_of(const tl_vector *v, const char *name)
{
    tl_secret secret = { { 0 } };
    (void)field(v, name, secret.bytes);
    return secret;
}

/* Fails unless `got` begins with the field's bytes, and is zero after them. */
static void assert_secret(const tl_vector *v, const char *name, const tl_secret *got)
{
    tl_secret expected = secret_of(v, name);
    assert_memory_equal(got->bytes, expected.bytes, sizeof expected.bytes);
}

static void check_handshake(const tl_vector *v)
{
    tl_schedule s = schedule_of(v);
    tl_handshake_secrets h;
    tl_secret finished;
    uint8_t exchanged[TL_HASH_MAX], th1[TL_HASH_MAX];
    tl_assert_ok(tl_schedule_handshake(&s, field(v, "exchanged", exchanged), field(v, "th1", th1), &h));
    assert_secret(v, "handshake", &h.handshake);
    assert_secret(v, "request", &h.request);
    assert_secret(v, "response", &h.response);
    tl_assert_ok(tl_schedule_finished_key(&s, &h.request, &finished));
    assert_secret(v, "request_finished", &finished);
    tl_assert_ok(tl_schedule_finished_key(&s, &h.response, &finished));
    assert_secret(v, "response_finished", &finished);
}

static void check_application(const tl_vector *v)
{
    tl_schedule s = schedule_of(v);
    tl_secret handshake = secret_of(v, "handshake");
    tl_application_secrets a;
    uint8_t th2[TL_HASH_MAX];
    tl_assert_ok(tl_schedule_application(&s, &handshake, field(v, "th2", th2), &a));
    assert_secret(v, "master", &a.master);
    assert_secret(v, "request", &a.request);
    assert_secret(v, "response", &a.response);
    assert_secret(v, "export", &a.export_master);
}

static void check_verify_data(const tl_vector *v)
{
    tl_schedule s = schedule_of(v);
    tl_secret direction = secret_of(v, "secret");
    uint8_t transcript[TL_HASH_MAX], expected[TL_HASH_MAX], got[TL_HASH_MAX];
    tl_assert_ok(tl_schedule_verify_data(&s, &direction, field(v, "transcript", transcript), got));
    assert_memory_equal(got, expected, field(v, "verify_data", expected).n);
}

static void check_record_key(const tl_vector *v)
{
    tl_schedule s = schedule_of(v);
    tl_secret direction = secret_of(v, "secret");
    uint8_t key[32], iv[TL_NONCE_SIZE], expected[TL_HASH_MAX];
    tl_assert_ok(tl_record_key_bytes(&s, &direction, key, iv));
    assert_memory_equal(key, expected, field(v, "key", expected).n);
    assert_int_equal(field(v, "iv", expected).n, sizeof iv);
    assert_memory_equal(iv, expected, sizeof iv);
}

static void check_update(const tl_vector *v)
{
    tl_schedule s = schedule_of(v);
    tl_secret direction = secret_of(v, "secret");
    tl_assert_ok(tl_schedule_update(&s, &direction));
    assert_secret(v, "next", &direction);
}

static void all_when_the_exchange_was_recorded_then_the_recorded_numbers(void **state)
{
    static const struct step {
        const char *name;
        void (*check)(const tl_vector *v);
        size_t expected;
    } steps[] = {
        { "handshake", check_handshake, 3 },     { "application", check_application, 3 },
        { "verify_data", check_verify_data, 2 }, { "record_key", check_record_key, 14 },
        { "update", check_update, 2 },
    };
    size_t seen[sizeof steps / sizeof steps[0]] = { 0 };
    tl_vectors file;
    tl_vector v;
    (void)state;
    tl_vectors_open(&file, TL_TEST_DATA, "spdm_schedule.txt");
    while (tl_vectors_next(&file, &v)) {
        size_t i = 0;
        while (i < sizeof steps / sizeof steps[0] && strcmp(steps[i].name, tl_vector_text(&v, "step")) != 0)
            i++;
        assert_true(i < sizeof steps / sizeof steps[0]);
        steps[i].check(&v);
        seen[i]++;
    }
    tl_vectors_close(&file);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        assert_int_equal(seen[i], steps[i].expected);
}

/* ---- refusals and failures ---- */

static const uint8_t exchanged[32] = { 0x11, 0x22 }, th[32] = { 0x33, 0x44 };

static tl_schedule small(const tl_crypto *c)
{
    return (
        tl_schedule){ .crypto = c, .version = 0x12, .hash = TL_HASH_SHA256, .aead = TL_SUITE_AES128_GMAC };
}

static void all_when_the_hash_is_unknown_then_usage_and_zeros(void **state)
{
    tl_schedule s = small(crypto);
    tl_secret secret = { { 0 } };
    union {
        tl_handshake_secrets handshake;
        tl_application_secrets application;
        tl_secret key;
    } u;
    (void)state;
    s.hash = TL_HASH_NONE;
    memset(&u, 0xAA, sizeof u);
    tl_assert_err(TL_E_USAGE,
                  tl_schedule_handshake(&s, tl_span_of(exchanged, 32), tl_span_of(th, 32), &u.handshake));
    tl_assert_all(&u.handshake, 0, sizeof u.handshake);
    memset(&u, 0xAA, sizeof u);
    tl_assert_err(TL_E_USAGE, tl_schedule_application(&s, &secret, tl_span_of(th, 32), &u.application));
    tl_assert_all(&u.application, 0, sizeof u.application);
    memset(&u, 0xAA, sizeof u);
    tl_assert_err(TL_E_USAGE, tl_schedule_finished_key(&s, &secret, &u.key));
    tl_assert_all(&u.key, 0, sizeof u.key);
    memset(secret.bytes, 0x77, sizeof secret.bytes);
    tl_assert_err(TL_E_USAGE, tl_schedule_update(&s, &secret));
    tl_assert_all(secret.bytes, 0x77, sizeof secret.bytes);
}

static void refuse_suite(tl_suite suite)
{
    tl_schedule s = small(crypto);
    tl_secret secret = { { 0 } };
    tl_record_key key;
    s.aead = suite;
    memset(&key, 0xAA, sizeof key);
    tl_assert_err(TL_E_USAGE, tl_record_key_derive(&s, &secret, &key));
    tl_assert_all(&key, 0, sizeof key);
}

static void key_when_the_suite_is_unknown_then_usage_and_zeros(void **state)
{
    (void)state;
    refuse_suite(TL_SUITE_NONE);
}

/* A CMAC suite's key is two: longer than any that a record is sealed under. */
static void key_when_longer_than_a_records_may_be_then_usage_and_zeros(void **state)
{
    tl_schedule s = small(crypto);
    tl_secret secret = { { 0 } };
    tl_record_key key;
    (void)state;
    refuse_suite(TL_SUITE_AES256_CMAC);
    s.aead = TL_SUITE_AES256_GMAC;
    tl_assert_ok(tl_record_key_derive(&s, &secret, &key));
    tl_record_key_drop(&key, crypto);
}

/* Runs `subject` once for each call of the backend that can fail, and once without a failure; `size` bytes at `out` must be
 * all `left` after a failure. */
static void fail_each(tl_err (*subject)(const tl_schedule *s, uint8_t *out), size_t size, uint8_t left,
                      unsigned long calls)
{
    uint8_t out[sizeof(tl_application_secrets)];
    unsigned long n = 1;
    for (;; n++) {
        tl_faulty f;
        tl_err e;
        tl_schedule s;
        tl_faulty_init(&f, crypto, n);
        s = small(tl_faulty_crypto(&f));
        memset(out, 0xAA, sizeof out);
        e = subject(&s, out);
        tl_faulty_assert_clean(&f);
        if (!f.failed) {
            tl_assert_ok(e);
            break;
        }
        tl_assert_err(TL_E_BACKEND, e);
        tl_assert_all(out, left, size);
    }
    assert_int_equal(n, calls + 1);
}

static tl_err make_handshake(const tl_schedule *s, uint8_t *out)
{
    tl_handshake_secrets h;
    tl_err e = tl_schedule_handshake(s, tl_span_of(exchanged, 32), tl_span_of(th, 32), &h);
    memcpy(out, &h, sizeof h);
    return e;
}

static tl_err make_application(const tl_schedule *s, uint8_t *out)
{
    tl_secret from = { { 0x55 } };
    tl_application_secrets a;
    tl_err e = tl_schedule_application(s, &from, tl_span_of(th, 32), &a);
    memcpy(out, &a, sizeof a);
    return e;
}

static tl_err make_verify_data(const tl_schedule *s, uint8_t *out)
{
    tl_secret from = { { 0x55 } };
    return tl_schedule_verify_data(s, &from, tl_span_of(th, 32), out);
}

static tl_err make_update(const tl_schedule *s, uint8_t *out)
{
    tl_secret secret;
    tl_err e;
    memset(secret.bytes, 0xAA, sizeof secret.bytes);
    e = tl_schedule_update(s, &secret);
    memcpy(out, secret.bytes, sizeof secret.bytes);
    return e;
}

static tl_err make_key(const tl_schedule *s, uint8_t *out)
{
    tl_secret from = { { 0x55 } };
    tl_record_key key;
    tl_err e = tl_record_key_derive(s, &from, &key);
    memcpy(out, &key, sizeof key);
    tl_record_key_drop(&key, s->crypto);
    tl_assert_all(&key, 0, sizeof key);
    return e;
}

static void each_step_when_any_call_fails_then_its_error_and_nothing_left(void **state)
{
    (void)state;
    fail_each(make_handshake, sizeof(tl_handshake_secrets), 0, 3);
    fail_each(make_application, sizeof(tl_application_secrets), 0, 5);
    fail_each(make_verify_data, 32, 0, 2);
    fail_each(make_update, sizeof(tl_secret), 0xAA, 1);
    fail_each(make_key, sizeof(tl_record_key), 0, 3);
}

/* ---- what a secret depends on ---- */

static void handshake_when_any_input_differs_then_all_secrets_differ(void **state)
{
    uint8_t other_secret[32], other_th[32];
    tl_schedule s = small(crypto), other = s;
    tl_handshake_secrets a, b;
    (void)state;
    memcpy(other_secret, exchanged, 32), memcpy(other_th, th, 32);
    other_secret[31] ^= 1, other_th[31] ^= 1;
    other.version = 0x13;
    tl_assert_ok(tl_schedule_handshake(&s, tl_span_of(exchanged, 32), tl_span_of(th, 32), &a));
    assert_memory_not_equal(a.request.bytes, a.response.bytes, 32);
    tl_assert_ok(tl_schedule_handshake(&s, tl_span_of(other_secret, 32), tl_span_of(th, 32), &b));
    assert_memory_not_equal(a.handshake.bytes, b.handshake.bytes, 32);
    assert_memory_not_equal(a.request.bytes, b.request.bytes, 32);
    tl_assert_ok(tl_schedule_handshake(&s, tl_span_of(exchanged, 32), tl_span_of(other_th, 32), &b));
    assert_memory_not_equal(a.request.bytes, b.request.bytes, 32);
    assert_memory_not_equal(a.response.bytes, b.response.bytes, 32);
    tl_assert_ok(tl_schedule_handshake(&other, tl_span_of(exchanged, 32), tl_span_of(th, 32), &b));
    assert_memory_not_equal(a.request.bytes, b.request.bytes, 32);
    assert_memory_not_equal(a.response.bytes, b.response.bytes, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_when_the_hash_is_unknown_then_usage_and_zeros),
        cmocka_unit_test(key_when_the_suite_is_unknown_then_usage_and_zeros),
        cmocka_unit_test(key_when_longer_than_a_records_may_be_then_usage_and_zeros),
        cmocka_unit_test(each_step_when_any_call_fails_then_its_error_and_nothing_left),
        cmocka_unit_test(handshake_when_any_input_differs_then_all_secrets_differ),
        cmocka_unit_test(all_when_the_exchange_was_recorded_then_the_recorded_numbers),
    };
    return cmocka_run_group_tests_name("schedule", tests, open_backend, close_backend);
}
