/* The tests' own tools: failure injection must count and fail as it says, the leak check must see a leak,
 * the nonce recorder must see a repeated nonce, and random numbers must come again from their seed. */
#include "faulty.h"
#include "nonces.h"
#include "one_backend.h"
#include "testing.h"
#include "vectors.h"

#include <stdio.h>
#include <string.h>

static const uint8_t zeros[32];
static const tl_span key = { zeros, 16 };

/* ---- faulty ---- */

/* One call of every operation that can fail, 9 in all, and the drops; stops at the first error. */
static tl_err all_calls(const tl_crypto *c)
{
    uint8_t out[32], text[4] = { 1, 2, 3, 4 };
    tl_sealed m = { .payload = text, .payload_n = sizeof text, .cover = TL_COVER_ENCRYPTED, .tag_n = 16 };
    tl_hash h = { 0 }, clone = { 0 };
    tl_key k = { 0 };
    tl_err e = c->ops->random(c->ctx, out, sizeof out);
    if (e == TL_OK)
        e = c->ops->hmac(c->ctx, TL_HASH_SHA256, key, &key, 1, out);
    if (e == TL_OK)
        e = c->ops->hash_start(c->ctx, TL_HASH_SHA256, &h);
    if (e == TL_OK)
        e = c->ops->hash_add(c->ctx, h, key);
    if (e == TL_OK)
        e = c->ops->hash_clone(c->ctx, h, &clone);
    if (e == TL_OK)
        e = c->ops->hash_end(c->ctx, h, out);
    if (e == TL_OK)
        h.slot = 0;
    if (e == TL_OK)
        e = c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, key, &k);
    if (e == TL_OK)
        e = c->ops->protect(c->ctx, k, &m, 1);
    if (e == TL_OK)
        e = c->ops->verify(c->ctx, k, &m, 1);
    c->ops->hash_drop(c->ctx, h);
    c->ops->hash_drop(c->ctx, clone);
    c->ops->key_drop(c->ctx, k);
    return e;
}

static void faulty_when_set_to_n_then_the_nth_call_fails(void **s)
{
    (void)s;
    tl_faulty f;
    for (unsigned long n = 1; n <= 9; n++) {
        tl_faulty_init(&f, crypto, n);
        tl_assert_err(n == 1 ? TL_E_RANDOM : TL_E_BACKEND, all_calls(tl_faulty_crypto(&f)));
        assert_true(f.failed);
        assert_int_equal(f.calls, n);
        tl_faulty_assert_clean(&f);
    }
    for (unsigned long n = 0; n <= 10; n += 10) {
        tl_faulty_init(&f, crypto, n);
        tl_assert_ok(all_calls(tl_faulty_crypto(&f)));
        assert_false(f.failed);
        assert_int_equal(f.calls, 9);
        tl_faulty_assert_clean(&f);
    }
}

static void faulty_when_something_is_live_then_it_is_counted(void **s)
{
    (void)s;
    tl_faulty f;
    tl_hash h, clone;
    tl_key k;
    uint8_t digest[32];
    tl_faulty_init(&f, crypto, 0);
    const tl_crypto *c = tl_faulty_crypto(&f);
    tl_assert_ok(c->ops->hash_start(c->ctx, TL_HASH_SHA256, &h));
    tl_assert_ok(c->ops->hash_clone(c->ctx, h, &clone));
    tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, key, &k));
    assert_int_equal(f.hashes.n, 2);
    assert_int_equal(f.keys.n, 1);
    tl_assert_ok(c->ops->hash_end(c->ctx, h, digest));
    c->ops->hash_drop(c->ctx, clone);
    c->ops->key_drop(c->ctx, k);
    tl_faulty_assert_clean(&f);
}

static void faulty_when_a_dead_handle_is_used_then_it_is_a_stray(void **s)
{
    (void)s;
    tl_faulty f;
    tl_hash h;
    tl_key k;
    tl_faulty_init(&f, crypto, 0);
    const tl_crypto *c = tl_faulty_crypto(&f);
    c->ops->hash_drop(c->ctx, (tl_hash){ 0 });
    c->ops->key_drop(c->ctx, (tl_key){ 0 });
    assert_int_equal(f.strays, 0);
    tl_assert_ok(c->ops->hash_start(c->ctx, TL_HASH_SHA256, &h));
    tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, key, &k));
    c->ops->hash_drop(c->ctx, h);
    c->ops->key_drop(c->ctx, k);
    assert_int_equal(f.strays, 0);
    c->ops->hash_drop(c->ctx, h);
    assert_int_equal(f.strays, 1);
    c->ops->key_drop(c->ctx, k);
    assert_int_equal(f.strays, 2);
    tl_assert_err(TL_E_USAGE, c->ops->hash_add(c->ctx, h, key));
    assert_int_equal(f.strays, 3);
    tl_assert_err(TL_E_USAGE, c->ops->protect(c->ctx, k, NULL, 0));
    assert_int_equal(f.strays, 4);
}

static void faulty_when_a_batch_fails_then_text_and_tags_are_gone(void **s)
{
    (void)s;
    for (unsigned long n = 2; n <= 3; n++) {
        tl_faulty f;
        tl_key k;
        uint8_t text[4] = { 1, 2, 3, 4 };
        tl_sealed m = { .payload = text, .payload_n = 4, .cover = TL_COVER_ENCRYPTED, .tag_n = 16 };
        tl_faulty_init(&f, crypto, n);
        const tl_crypto *c = tl_faulty_crypto(&f);
        tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, key, &k));
        tl_err sealed = c->ops->protect(c->ctx, k, &m, 1);
        tl_assert_err(n == 2 ? TL_E_BACKEND : TL_OK, sealed);
        if (n == 2)
            tl_assert_all(m.tag, 0, sizeof m.tag);
        else
            tl_assert_err(TL_E_BACKEND, c->ops->verify(c->ctx, k, &m, 1));
        tl_assert_all(text, 0, sizeof text);
        assert_false(m.right);
        c->ops->key_drop(c->ctx, k);
    }
}

/* ---- nonces ---- */

static void seal(const tl_crypto *c, tl_suite suite, uint8_t key_byte, uint32_t nonce)
{
    uint8_t bytes[32];
    tl_sealed m = { .tag_n = 16 };
    tl_key k;
    memset(bytes, key_byte, sizeof bytes);
    memcpy(m.nonce, &nonce, sizeof nonce);
    tl_assert_ok(c->ops->key_load(c->ctx, suite, tl_span_of(bytes, tl_suite_key_size(suite)), &k));
    tl_assert_ok(c->ops->protect(c->ctx, k, &m, 1));
    tl_assert_ok(c->ops->verify(c->ctx, k, &m, 1));
    assert_true(m.right);
    c->ops->key_drop(c->ctx, k);
}

static void nonces_when_a_pair_comes_again_under_a_new_handle_then_a_repeat(void **s)
{
    (void)s;
    tl_nonces n;
    tl_nonces_init(&n, crypto, TL_NONCES_COUNT);
    const tl_crypto *c = tl_nonces_crypto(&n);
    seal(c, TL_SUITE_AES128_GMAC, 1, 1);
    seal(c, TL_SUITE_AES128_GMAC, 1, 2);
    seal(c, TL_SUITE_AES128_GMAC, 2, 1);
    seal(c, TL_SUITE_AES256_GMAC, 1, 1);
    assert_int_equal(n.repeats, 0);
    assert_int_equal(n.used, 4);
    seal(c, TL_SUITE_AES128_GMAC, 1, 1);
    assert_int_equal(n.repeats, 1);
    seal(c, TL_SUITE_AES256_GMAC, 1, 1);
    assert_int_equal(n.repeats, 2);
    assert_int_equal(n.used, 4);
    tl_nonces_free(&n);
}

static void nonces_when_within_one_batch_then_a_repeat(void **s)
{
    (void)s;
    tl_nonces n;
    tl_key k;
    tl_sealed m[3] = { { .nonce = { 1 } }, { .nonce = { 2 } }, { .nonce = { 1 } } };
    tl_nonces_init(&n, crypto, TL_NONCES_COUNT);
    const tl_crypto *c = tl_nonces_crypto(&n);
    tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, key, &k));
    tl_assert_ok(c->ops->protect(c->ctx, k, m, 3));
    assert_int_equal(n.repeats, 1);
    c->ops->key_drop(c->ctx, k);
    tl_nonces_free(&n);
}

static void nonces_when_protect_fails_then_its_nonces_count_as_used(void **s)
{
    (void)s;
    tl_nonces n;
    tl_faulty f;
    tl_key k;
    tl_sealed m = { .tag_n = 16 };
    tl_faulty_init(&f, crypto, 2);
    tl_nonces_init(&n, tl_faulty_crypto(&f), TL_NONCES_COUNT);
    const tl_crypto *c = tl_nonces_crypto(&n);
    tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, key, &k));
    tl_assert_err(TL_E_BACKEND, c->ops->protect(c->ctx, k, &m, 1));
    tl_assert_ok(c->ops->protect(c->ctx, k, &m, 1));
    assert_int_equal(n.repeats, 1);
    c->ops->key_drop(c->ctx, k);
    tl_faulty_assert_clean(&f);
    tl_nonces_free(&n);
}

static void nonces_when_many_then_the_table_grows_and_forgets_none(void **s)
{
    (void)s;
    enum { MANY = 5000 };
    static tl_sealed m[MANY];
    tl_nonces n;
    tl_key k;
    tl_nonces_init(&n, crypto, TL_NONCES_COUNT);
    const tl_crypto *c = tl_nonces_crypto(&n);
    for (uint32_t i = 0; i < MANY; i++)
        memcpy(m[i].nonce, &i, sizeof i);
    tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, key, &k));
    tl_assert_ok(c->ops->protect(c->ctx, k, m, MANY));
    assert_int_equal(n.repeats, 0);
    assert_int_equal(n.used, MANY);
    tl_assert_ok(c->ops->protect(c->ctx, k, m, MANY));
    assert_int_equal(n.repeats, MANY);
    c->ops->key_drop(c->ctx, k);
    tl_nonces_free(&n);
}

/* ---- helpers ---- */

static void seeded_when_the_seed_is_the_same_then_so_are_the_bytes(void **s)
{
    (void)s;
    tl_seeded a, b, other;
    uint8_t x[64], y[64];
    tl_seeded_init(&a, crypto, 5);
    tl_seeded_init(&b, crypto, 5);
    tl_seeded_init(&other, crypto, 6);
    tl_assert_ok(a.wrap.crypto.ops->random(a.wrap.crypto.ctx, x, sizeof x));
    tl_assert_ok(b.wrap.crypto.ops->random(b.wrap.crypto.ctx, y, sizeof y));
    assert_memory_equal(x, y, sizeof x);
    tl_assert_ok(other.wrap.crypto.ops->random(other.wrap.crypto.ctx, y, sizeof y));
    assert_memory_not_equal(x, y, sizeof x);
    tl_assert_ok(a.wrap.crypto.ops->random(a.wrap.crypto.ctx, y, sizeof y));
    assert_memory_not_equal(x, y, sizeof x);
    tl_assert_ok(all_calls(tl_seeded_crypto(&a)));
}

static void hex_when_read_and_written_then_the_same(void **s)
{
    (void)s;
    const uint8_t expected[6] = { 0x00, 0x9F, 0xA0, 0xBC, 0xDE, 0xFF };
    uint8_t bytes[6];
    char text[13];
    assert_int_equal(tl_hex("00 9fA0 BcdE ff", bytes, sizeof bytes), 6);
    assert_memory_equal(bytes, expected, 6);
    assert_string_equal(tl_hex_text(bytes, 6, text), "009fa0bcdeff");
    assert_int_equal(tl_hex("", bytes, 0), 0);
}

static void vectors_when_lines_are_odd_then_records_are_found(void **s)
{
    (void)s;
    char text[] = "# comment\n\n\na = 01\nb =\n# inside\nc = x y\n\n\n\na = 02";
    tl_vectors v = { text, text };
    tl_vector r;
    uint8_t byte[1];
    assert_true(tl_vectors_next(&v, &r));
    assert_int_equal(r.n, 3);
    assert_int_equal(tl_vector_hex(&r, "a", byte, 1), 1);
    assert_int_equal(byte[0], 1);
    assert_string_equal(tl_vector_text(&r, "b"), "");
    assert_string_equal(tl_vector_text(&r, "c"), "x y");
    assert_null(tl_vector_text(&r, "d"));
    assert_true(tl_vectors_next(&v, &r));
    assert_int_equal(r.n, 1);
    assert_string_equal(tl_vector_text(&r, "a"), "02");
    assert_false(tl_vectors_next(&v, &r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faulty_when_set_to_n_then_the_nth_call_fails),
        cmocka_unit_test(faulty_when_something_is_live_then_it_is_counted),
        cmocka_unit_test(faulty_when_a_dead_handle_is_used_then_it_is_a_stray),
        cmocka_unit_test(faulty_when_a_batch_fails_then_text_and_tags_are_gone),
        cmocka_unit_test(nonces_when_a_pair_comes_again_under_a_new_handle_then_a_repeat),
        cmocka_unit_test(nonces_when_within_one_batch_then_a_repeat),
        cmocka_unit_test(nonces_when_protect_fails_then_its_nonces_count_as_used),
        cmocka_unit_test(nonces_when_many_then_the_table_grows_and_forgets_none),
        cmocka_unit_test(seeded_when_the_seed_is_the_same_then_so_are_the_bytes),
        cmocka_unit_test(hex_when_read_and_written_then_the_same),
        cmocka_unit_test(vectors_when_lines_are_odd_then_records_are_found),
    };
    return cmocka_run_group_tests_name("support", tests, open_backend, close_backend);
}
