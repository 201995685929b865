/* The OpenSSL backend without its batches: opening, random bytes, running hashes, HMAC, keys. */
#include "testing.h"

#include <trueline/openssl.h>

#include <openssl/err.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 3 };

typedef struct state {
    tl_openssl *backend;
    const tl_crypto *c;
} state;

static int set_up(void **s)
{
    state *st = calloc(1, sizeof *st);
    tl_assert_ok(
        tl_openssl_open(&(tl_openssl_config){ .hash_slots = SLOTS, .key_slots = SLOTS }, &st->backend));
    st->c = tl_openssl_crypto(st->backend);
    *s = st;
    return 0;
}

static int tear_down(void **s)
{
    state *st = *s;
    assert_int_equal(ERR_peek_error(), 0);
    tl_openssl_close(st->backend);
    free(st);
    return 0;
}

static const tl_crypto *crypto_of(void **s)
{
    return ((state *)*s)->c;
}

static const tl_span text = { (const uint8_t *)"a line of pixels", 16 };

static void hash_start(const tl_crypto *c, tl_hash *h)
{
    tl_assert_ok(c->ops->hash_start(c->ctx, TL_HASH_SHA256, h));
    assert_int_not_equal(h->slot, 0);
}

static void digest_of(const tl_crypto *c, tl_span data, uint8_t digest[32])
{
    tl_hash h;
    hash_start(c, &h);
    tl_assert_ok(c->ops->hash_add(c->ctx, h, data));
    tl_assert_ok(c->ops->hash_end(c->ctx, h, digest));
}

static const uint8_t key_bytes[65] = { 0x4B };

static void key_load(const tl_crypto *c, tl_key *k)
{
    tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, tl_span_of(key_bytes, 16), k));
    assert_int_not_equal(k->slot, 0);
}

static void assert_key_refused(const tl_crypto *c, tl_key k)
{
    tl_sealed m = { .header = text, .tag_n = 16, .right = true };
    tl_assert_err(TL_E_USAGE, c->ops->protect(c->ctx, k, &m, 1));
    tl_assert_err(TL_E_USAGE, c->ops->open(c->ctx, k, &m, 1));
    tl_assert_err(TL_E_USAGE, c->ops->verify(c->ctx, k, &m, 1));
    assert_false(m.right);
    tl_assert_all(m.tag, 0, sizeof m.tag);
    tl_assert_err(TL_E_USAGE, c->ops->protect(c->ctx, k, NULL, 0));
    tl_assert_err(TL_E_USAGE, c->ops->verify(c->ctx, k, NULL, 0));
    tl_assert_err(TL_E_USAGE, c->ops->open(c->ctx, k, NULL, 0));
}

static void assert_hash_refused(const tl_crypto *c, tl_hash h)
{
    uint8_t digest[32];
    tl_hash to = { 7 };
    memset(digest, 0xAA, sizeof digest);
    tl_assert_err(TL_E_USAGE, c->ops->hash_add(c->ctx, h, text));
    tl_assert_err(TL_E_USAGE, c->ops->hash_clone(c->ctx, h, &to));
    assert_int_equal(to.slot, 0);
    tl_assert_err(TL_E_USAGE, c->ops->hash_end(c->ctx, h, digest));
    tl_assert_all(digest, 0xAA, sizeof digest);
    c->ops->hash_drop(c->ctx, h);
}

/* ---- opening ---- */

static void open_when_there_is_no_config_then_the_default_slots(void **s)
{
    (void)s;
    static const tl_openssl_config zeros;
    const tl_openssl_config *configs[] = { NULL, &zeros };
    for (size_t i = 0; i < 2; i++) {
        tl_openssl *b;
        tl_hash h;
        tl_key k;
        tl_assert_ok(tl_openssl_open(configs[i], &b));
        const tl_crypto *c = tl_openssl_crypto(b);
        for (int n = 0; n < TL_OPENSSL_HASH_SLOTS; n++)
            hash_start(c, &h);
        for (int n = 0; n < TL_OPENSSL_KEY_SLOTS; n++)
            key_load(c, &k);
        tl_assert_err(TL_E_POOL, c->ops->hash_start(c->ctx, TL_HASH_SHA256, &h));
        tl_assert_err(TL_E_POOL,
                      c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, tl_span_of(key_bytes, 16), &k));
        tl_openssl_close(b);
    }
}

static void open_when_the_most_slots_are_asked_then_all_can_be_used(void **s)
{
    (void)s;
    tl_openssl *b;
    tl_hash h;
    tl_assert_ok(tl_openssl_open(&(tl_openssl_config){ .hash_slots = UINT16_MAX, .key_slots = 1 }, &b));
    const tl_crypto *c = tl_openssl_crypto(b);
    hash_start(c, &h);
    c->ops->hash_drop(c->ctx, h);
    assert_hash_refused(c, h);
    assert_hash_refused(c, (tl_hash){ UINT16_MAX });
    tl_openssl_close(b);
}

static void close_when_null_then_nothing(void **s)
{
    (void)s;
    tl_openssl_close(NULL);
}

/* ---- random ---- */

static void random_when_called_often_then_every_byte_is_written(void **s)
{
    const tl_crypto *c = crypto_of(s);
    uint8_t a[65], seen[64] = { 0 };
    for (int round = 0; round < 16; round++) {
        memset(a, 0, sizeof a);
        tl_assert_ok(c->ops->random(c->ctx, a, 64));
        assert_int_equal(a[64], 0);
        for (size_t i = 0; i < 64; i++)
            seen[i] |= a[i];
    }
    for (size_t i = 0; i < 64; i++)
        assert_int_not_equal(seen[i], 0);
    tl_assert_ok(c->ops->random(c->ctx, NULL, 0));
}

/* ---- hashes ---- */

static void hash_start_when_the_algorithm_is_unknown_then_usage_and_no_slot_taken(void **s)
{
    const tl_crypto *c = crypto_of(s);
    tl_hash h[SLOTS];
    for (int i = 0; i < 2 * SLOTS; i++) {
        h[0].slot = 7;
        tl_assert_err(TL_E_USAGE,
                      c->ops->hash_start(c->ctx, i % 2 == 0 ? TL_HASH_NONE : (tl_hash_alg)99, &h[0]));
        assert_int_equal(h[0].slot, 0);
    }
    for (int i = 0; i < SLOTS; i++)
        hash_start(c, &h[i]);
}

static void hash_when_the_handle_is_none_then_usage(void **s)
{
    assert_hash_refused(crypto_of(s), (tl_hash){ 0 });
}

static void hash_when_the_handle_is_out_of_range_then_usage(void **s)
{
    const tl_crypto *c = crypto_of(s);
    const uint32_t wild[] = { SLOTS, SLOTS + 1, 0xFFFF, 0x10000, 0x10001, 0xFFFF0001, 0xFFFFFFFF };
    tl_hash h;
    hash_start(c, &h);
    for (size_t i = 0; i < sizeof wild / sizeof *wild; i++)
        assert_hash_refused(c, (tl_hash){ wild[i] });
}

static void hash_when_dropped_or_ended_then_the_handle_is_refused(void **s)
{
    const tl_crypto *c = crypto_of(s);
    uint8_t digest[32];
    tl_hash h;
    hash_start(c, &h);
    c->ops->hash_drop(c->ctx, h);
    assert_hash_refused(c, h);
    hash_start(c, &h);
    tl_assert_ok(c->ops->hash_end(c->ctx, h, digest));
    assert_hash_refused(c, h);
}

static void hash_when_the_slot_is_in_use_again_then_the_old_handle_is_refused(void **s)
{
    const tl_crypto *c = crypto_of(s);
    uint8_t expected[32], digest[32];
    tl_hash old, h;
    digest_of(c, text, expected);
    hash_start(c, &old);
    c->ops->hash_drop(c->ctx, old);
    hash_start(c, &h);
    assert_int_equal(h.slot & 0xFFFF, old.slot & 0xFFFF);
    tl_assert_ok(c->ops->hash_add(c->ctx, h, text));
    assert_hash_refused(c, old);
    tl_assert_ok(c->ops->hash_end(c->ctx, h, digest));
    assert_memory_equal(digest, expected, 32);
}

static void hash_when_the_pool_is_full_then_pool_and_others_go_on(void **s)
{
    const tl_crypto *c = crypto_of(s);
    tl_hash h[SLOTS], more = { 7 };
    uint8_t expected[32], digest[32];
    digest_of(c, text, expected);
    for (int i = 0; i < SLOTS; i++)
        hash_start(c, &h[i]);
    tl_assert_err(TL_E_POOL, c->ops->hash_start(c->ctx, TL_HASH_SHA256, &more));
    assert_int_equal(more.slot, 0);
    more.slot = 7;
    tl_assert_err(TL_E_POOL, c->ops->hash_clone(c->ctx, h[0], &more));
    assert_int_equal(more.slot, 0);
    for (int i = 0; i < SLOTS; i++) {
        tl_assert_ok(c->ops->hash_add(c->ctx, h[i], text));
        tl_assert_ok(c->ops->hash_end(c->ctx, h[i], digest));
        assert_memory_equal(digest, expected, 32);
    }
    for (int i = 0; i < SLOTS; i++)
        hash_start(c, &h[i]);
}

static void hash_clone_when_either_goes_on_then_the_other_does_not_notice(void **s)
{
    const tl_crypto *c = crypto_of(s);
    uint8_t a[32], b[32], expected[32];
    const tl_span tail = { (const uint8_t *)"!", 1 };
    tl_hash h, clone;
    hash_start(c, &h);
    tl_assert_ok(c->ops->hash_add(c->ctx, h, text));
    tl_assert_ok(c->ops->hash_clone(c->ctx, h, &clone));
    assert_int_not_equal(h.slot, clone.slot);
    tl_assert_ok(c->ops->hash_add(c->ctx, clone, tail));
    tl_assert_ok(c->ops->hash_end(c->ctx, h, a));
    digest_of(c, text, expected);
    assert_memory_equal(a, expected, 32);
    tl_assert_ok(c->ops->hash_end(c->ctx, clone, b));
    digest_of(c, tl_span_of("a line of pixels!", 17), expected);
    assert_memory_equal(b, expected, 32);
}

static void hash_clone_when_the_source_is_dropped_then_it_lives_on(void **s)
{
    const tl_crypto *c = crypto_of(s);
    uint8_t digest[48], again[48];
    tl_hash h, clone;
    tl_assert_ok(c->ops->hash_start(c->ctx, TL_HASH_SHA384, &h));
    tl_assert_ok(c->ops->hash_add(c->ctx, h, text));
    tl_assert_ok(c->ops->hash_clone(c->ctx, h, &clone));
    tl_assert_ok(c->ops->hash_end(c->ctx, h, digest));
    tl_assert_ok(c->ops->hash_end(c->ctx, clone, again));
    assert_memory_equal(digest, again, 48);
}

static void hash_end_when_other_algorithms_used_the_slot_then_only_its_own_bytes_are_written(void **s)
{
    const tl_crypto *c = crypto_of(s);
    for (int round = 0; round < 6; round++) {
        tl_hash_alg alg = round % 2 == 0 ? TL_HASH_SHA384 : TL_HASH_SHA256;
        uint8_t digest[TL_HASH_MAX];
        tl_hash h;
        memset(digest, 0xAA, sizeof digest);
        tl_assert_ok(c->ops->hash_start(c->ctx, alg, &h));
        tl_assert_ok(c->ops->hash_add(c->ctx, h, tl_span_of(NULL, 0)));
        tl_assert_ok(c->ops->hash_end(c->ctx, h, digest));
        tl_assert_all(digest + tl_hash_size(alg), 0xAA, sizeof digest - tl_hash_size(alg));
        assert_int_equal(digest[0], alg == TL_HASH_SHA384 ? 0x38 : 0xE3); /* of the empty string */
    }
}

/* ---- HMAC ---- */

static void hmac_when_the_algorithm_is_unknown_then_usage(void **s)
{
    const tl_crypto *c = crypto_of(s);
    uint8_t mac[TL_HASH_MAX];
    memset(mac, 0xAA, sizeof mac);
    tl_assert_err(TL_E_USAGE, c->ops->hmac(c->ctx, TL_HASH_NONE, text, &text, 1, mac));
    tl_assert_err(TL_E_USAGE, c->ops->hmac(c->ctx, (tl_hash_alg)99, text, &text, 1, mac));
    tl_assert_all(mac, 0xAA, sizeof mac);
}

/* OpenSSL would go on with the key of the call before if it were handed a NULL one. */
static void hmac_when_the_key_is_empty_then_no_earlier_key_is_used(void **s)
{
    const tl_crypto *c = crypto_of(s);
    uint8_t mac[32], expected[32];
    unsigned n;
    assert_non_null(HMAC(EVP_sha256(), "", 0, text.p, text.n, expected, &n));
    for (int round = 0; round < 2; round++) {
        tl_assert_ok(c->ops->hmac(c->ctx, TL_HASH_SHA256, tl_span_of(NULL, 0), &text, 1, mac));
        assert_memory_equal(mac, expected, 32);
        tl_assert_ok(c->ops->hmac(c->ctx, TL_HASH_SHA256, text, &text, 1, mac));
        assert_memory_not_equal(mac, expected, 32);
    }
}

static void hmac_when_inputs_are_random_then_as_openssl_and_nothing_beyond(void **s)
{
    const tl_crypto *c = crypto_of(s);
    tl_rng r = tl_random_start(__func__);
    for (int round = 0; round < 300; round++) {
        uint8_t bytes[2][400], mac[TL_HASH_MAX], expected[TL_HASH_MAX];
        unsigned n;
        tl_hash_alg alg = tl_random_below(&r, 2) == 0 ? TL_HASH_SHA256 : TL_HASH_SHA384;
        size_t size = tl_hash_size(alg);
        tl_random_fill(&r, bytes, sizeof bytes);
        tl_span key = tl_span_of(bytes[0], tl_random_below(&r, 400));
        size_t total = tl_random_below(&r, 400), cut = tl_random_below(&r, total + 1);
        tl_span parts[3] = { { bytes[1], cut }, { NULL, 0 }, { bytes[1] + cut, total - cut } };
        memset(mac, 0xAA, sizeof mac);
        tl_assert_ok(c->ops->hmac(c->ctx, alg, key, parts, 3, mac));
        const EVP_MD *md = alg == TL_HASH_SHA256 ? EVP_sha256() : EVP_sha384();
        assert_non_null(HMAC(md, key.p, (int)key.n, bytes[1], total, expected, &n));
        assert_memory_equal(mac, expected, size);
        tl_assert_all(mac + size, 0xAA, sizeof mac - size);
    }
}

static void hmac_when_there_are_no_parts_then_that_of_nothing(void **s)
{
    const tl_crypto *c = crypto_of(s);
    uint8_t mac[32], expected[32];
    unsigned n;
    tl_assert_ok(c->ops->hmac(c->ctx, TL_HASH_SHA256, text, NULL, 0, mac));
    assert_non_null(HMAC(EVP_sha256(), text.p, (int)text.n, (const uint8_t *)"", 0, expected, &n));
    assert_memory_equal(mac, expected, 32);
}

/* ---- keys ---- */

static void key_load_when_suite_or_size_is_wrong_then_usage_and_no_slot_taken(void **s)
{
    const tl_crypto *c = crypto_of(s);
    static const struct {
        int suite;
        size_t n;
    } wrong[] = {
        { TL_SUITE_NONE, 16 },        { 99, 16 },
        { TL_SUITE_NONE, 0 },         { TL_SUITE_AES128_GMAC, 0 },
        { TL_SUITE_AES128_GMAC, 15 }, { TL_SUITE_AES128_GMAC, 17 },
        { TL_SUITE_AES128_GMAC, 32 }, { TL_SUITE_AES256_GMAC, 16 },
        { TL_SUITE_AES256_GMAC, 31 }, { TL_SUITE_AES256_GMAC, 33 },
        { TL_SUITE_AES128_CMAC, 16 }, { TL_SUITE_AES128_CMAC, 31 },
        { TL_SUITE_AES128_CMAC, 33 }, { TL_SUITE_AES128_CMAC, 64 },
        { TL_SUITE_AES256_CMAC, 32 }, { TL_SUITE_AES256_CMAC, 63 },
        { TL_SUITE_AES256_CMAC, 65 }, { TL_SUITE_AES256_CMAC + 1, 64 },
    };
    tl_key k;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        k.slot = 7;
        tl_assert_err(TL_E_USAGE, c->ops->key_load(c->ctx, (tl_suite)wrong[i].suite,
                                                   tl_span_of(key_bytes, wrong[i].n), &k));
        assert_int_equal(k.slot, 0);
    }
    tl_assert_err(TL_E_USAGE, c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, tl_span_of(NULL, 16), &k));
    for (int i = 0; i < SLOTS; i++)
        key_load(c, &k);
}

static void key_when_the_handle_is_none_or_out_of_range_then_usage(void **s)
{
    const tl_crypto *c = crypto_of(s);
    const uint32_t wild[] = { 0, SLOTS, SLOTS + 1, 0xFFFF, 0x10000, 0x10001, 0xFFFF0001, 0xFFFFFFFF };
    tl_key k;
    key_load(c, &k);
    for (size_t i = 0; i < sizeof wild / sizeof *wild; i++) {
        assert_key_refused(c, (tl_key){ wild[i] });
        c->ops->key_drop(c->ctx, (tl_key){ wild[i] });
    }
    tl_assert_ok(c->ops->protect(c->ctx, k, NULL, 0));
}

static void key_when_dropped_then_the_handle_is_refused_also_when_the_slot_is_in_use_again(void **s)
{
    const tl_crypto *c = crypto_of(s);
    tl_key old, k;
    key_load(c, &old);
    c->ops->key_drop(c->ctx, old);
    assert_key_refused(c, old);
    key_load(c, &k);
    assert_int_equal(k.slot & 0xFFFF, old.slot & 0xFFFF);
    assert_key_refused(c, old);
    c->ops->key_drop(c->ctx, old);
    tl_assert_ok(c->ops->verify(c->ctx, k, NULL, 0));
}

static void key_when_the_pool_is_full_then_pool_until_one_is_dropped(void **s)
{
    const tl_crypto *c = crypto_of(s);
    tl_key k[SLOTS], more = { 7 };
    for (int i = 0; i < SLOTS; i++)
        key_load(c, &k[i]);
    tl_assert_err(TL_E_POOL,
                  c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, tl_span_of(key_bytes, 16), &more));
    assert_int_equal(more.slot, 0);
    c->ops->key_drop(c->ctx, k[1]);
    key_load(c, &more);
    assert_key_refused(c, k[1]);
}

static void key_load_when_the_callers_bytes_go_then_the_key_stays(void **s)
{
    const tl_crypto *c = crypto_of(s);
    uint8_t bytes[32];
    tl_key a, b;
    tl_sealed m[2] = { { .header = text, .tag_n = 16 }, { .header = text, .tag_n = 16 } };
    memset(bytes, 0x11, sizeof bytes);
    tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES256_GMAC, tl_span_of(bytes, 32), &a));
    tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES256_GMAC, tl_span_of(bytes, 32), &b));
    tl_assert_ok(c->ops->protect(c->ctx, a, &m[0], 1));
    memset(bytes, 0, sizeof bytes);
    tl_assert_ok(c->ops->protect(c->ctx, b, &m[1], 1));
    assert_memory_equal(m[0].tag, m[1].tag, 16);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(open_when_there_is_no_config_then_the_default_slots),
        CASE(open_when_the_most_slots_are_asked_then_all_can_be_used),
        CASE(close_when_null_then_nothing),
        CASE(random_when_called_often_then_every_byte_is_written),
        CASE(hash_start_when_the_algorithm_is_unknown_then_usage_and_no_slot_taken),
        CASE(hash_when_the_handle_is_none_then_usage),
        CASE(hash_when_the_handle_is_out_of_range_then_usage),
        CASE(hash_when_dropped_or_ended_then_the_handle_is_refused),
        CASE(hash_when_the_slot_is_in_use_again_then_the_old_handle_is_refused),
        CASE(hash_when_the_pool_is_full_then_pool_and_others_go_on),
        CASE(hash_clone_when_either_goes_on_then_the_other_does_not_notice),
        CASE(hash_clone_when_the_source_is_dropped_then_it_lives_on),
        CASE(hash_end_when_other_algorithms_used_the_slot_then_only_its_own_bytes_are_written),
        CASE(hmac_when_the_algorithm_is_unknown_then_usage),
        CASE(hmac_when_the_key_is_empty_then_no_earlier_key_is_used),
        CASE(hmac_when_inputs_are_random_then_as_openssl_and_nothing_beyond),
        CASE(hmac_when_there_are_no_parts_then_that_of_nothing),
        CASE(key_load_when_suite_or_size_is_wrong_then_usage_and_no_slot_taken),
        CASE(key_when_the_handle_is_none_or_out_of_range_then_usage),
        CASE(key_when_dropped_then_the_handle_is_refused_also_when_the_slot_is_in_use_again),
        CASE(key_when_the_pool_is_full_then_pool_until_one_is_dropped),
        CASE(key_load_when_the_callers_bytes_go_then_the_key_stays),
    };
    return cmocka_run_group_tests_name("openssl", tests, NULL, NULL);
}
