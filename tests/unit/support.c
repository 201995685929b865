/* The tests' own tools: failure injection must count and fail as it says, the leak check must see a leak,
 * the nonce recorder must see a repeated nonce, and random numbers must come again from their seed. */
#include "blind.h"
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

enum { ALL_CALLS = 15 };

/* A MAC over the key: ended, or left for its drop. */
static tl_err mac_calls(const tl_crypto *c, tl_key k, tl_mac *m, uint8_t out[TL_TAG_MAX])
{
    TL_TRY(c->ops->mac_start(c->ctx, k, zeros, m));
    TL_TRY(c->ops->mac_add(c->ctx, *m, key));
    if (out == NULL)
        return TL_OK;
    TL_TRY(c->ops->mac_end(c->ctx, *m, out));
    m->slot = 0;
    return TL_OK;
}

/* One call or more of every operation of streams that can fail, ALL_CALLS in all, and the drops; stops at the first
 * error. */
static tl_err all_calls(const tl_crypto *c)
{
    tl_mac mac = { 0 }, left = { 0 };
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
    if (e == TL_OK)
        e = c->ops->open(c->ctx, k, &m, 1);
    if (e == TL_OK)
        e = mac_calls(c, k, &mac, out);
    if (e == TL_OK)
        e = mac_calls(c, k, &left, NULL);
    c->ops->mac_drop(c->ctx, mac);
    c->ops->mac_drop(c->ctx, left);
    c->ops->hash_drop(c->ctx, h);
    c->ops->hash_drop(c->ctx, clone);
    c->ops->key_drop(c->ctx, k);
    return e;
}

static void faulty_when_set_to_n_then_the_nth_call_fails(void **s)
{
    (void)s;
    tl_faulty f;
    for (unsigned long n = 1; n <= ALL_CALLS; n++) {
        tl_faulty_init(&f, crypto, n);
        tl_assert_err(n == 1 ? TL_E_RANDOM : TL_E_BACKEND, all_calls(tl_faulty_crypto(&f)));
        assert_true(f.failed);
        assert_int_equal(f.calls, n);
        tl_faulty_assert_clean(&f);
    }
    for (unsigned long n = 0; n <= ALL_CALLS + 1; n += ALL_CALLS + 1) {
        tl_faulty_init(&f, crypto, n);
        tl_assert_ok(all_calls(tl_faulty_crypto(&f)));
        assert_false(f.failed);
        assert_int_equal(f.calls, ALL_CALLS);
        tl_faulty_assert_clean(&f);
    }
}

static void faulty_when_something_is_live_then_it_is_counted(void **s)
{
    (void)s;
    tl_faulty f;
    tl_hash h, clone;
    tl_key k;
    tl_mac mac[2];
    uint8_t digest[32];
    tl_faulty_init(&f, crypto, 0);
    const tl_crypto *c = tl_faulty_crypto(&f);
    tl_assert_ok(c->ops->hash_start(c->ctx, TL_HASH_SHA256, &h));
    tl_assert_ok(c->ops->hash_clone(c->ctx, h, &clone));
    tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, key, &k));
    tl_assert_ok(c->ops->mac_start(c->ctx, k, zeros, &mac[0]));
    tl_assert_ok(c->ops->mac_start(c->ctx, k, zeros, &mac[1]));
    assert_int_equal(f.hashes.n, 2);
    assert_int_equal(f.keys.n, 1);
    assert_int_equal(f.macs.n, 2);
    tl_assert_ok(c->ops->mac_end(c->ctx, mac[0], digest));
    c->ops->mac_drop(c->ctx, mac[1]);
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
    tl_mac mac;
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
    tl_assert_err(TL_E_USAGE, c->ops->open(c->ctx, k, NULL, 0));
    assert_int_equal(f.strays, 5);
    tl_assert_err(TL_E_USAGE, c->ops->mac_start(c->ctx, k, zeros, &mac));
    assert_int_equal(f.strays, 6);
    c->ops->mac_drop(c->ctx, (tl_mac){ 0 });
    assert_int_equal(f.strays, 6);
    c->ops->mac_drop(c->ctx, (tl_mac){ 1 });
    assert_int_equal(f.strays, 7);
    tl_assert_err(TL_E_USAGE, c->ops->mac_add(c->ctx, (tl_mac){ 1 }, key));
    assert_int_equal(f.strays, 8);
}

static void faulty_when_a_messages_own_key_is_dead_then_it_is_a_stray(void **s)
{
    (void)s;
    tl_faulty f;
    tl_key k, dead;
    tl_faulty_init(&f, crypto, 0);
    const tl_crypto *c = tl_faulty_crypto(&f);
    tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, key, &k));
    tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, key, &dead));
    tl_sealed m = { .key = dead, .tag_n = 16 };
    tl_assert_ok(c->ops->protect(c->ctx, k, &m, 1));
    assert_int_equal(f.strays, 0);
    c->ops->key_drop(c->ctx, dead);
    tl_assert_err(TL_E_USAGE, c->ops->protect(c->ctx, k, &m, 1));
    tl_assert_err(TL_E_USAGE, c->ops->verify(c->ctx, k, &m, 1));
    tl_assert_err(TL_E_USAGE, c->ops->open(c->ctx, k, &m, 1));
    assert_int_equal(f.strays, 3);
    c->ops->key_drop(c->ctx, k);
}

static void faulty_when_a_batch_fails_then_text_and_tags_are_gone(void **s)
{
    (void)s;
    for (unsigned long n = 2; n <= 4; n++) {
        tl_faulty f;
        tl_key k;
        uint8_t text[4] = { 1, 2, 3, 4 };
        tl_sealed m = { .payload = text, .payload_n = 4, .cover = TL_COVER_ENCRYPTED, .tag_n = 16 };
        tl_faulty_init(&f, crypto, n);
        const tl_crypto *c = tl_faulty_crypto(&f);
        tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, key, &k));
        tl_assert_err(n == 2 ? TL_E_BACKEND : TL_OK, c->ops->protect(c->ctx, k, &m, 1));
        if (n > 2)
            tl_assert_err(n == 3 ? TL_E_BACKEND : TL_OK, c->ops->verify(c->ctx, k, &m, 1));
        if (n > 3)
            tl_assert_err(TL_E_BACKEND, c->ops->open(c->ctx, k, &m, 1));
        if (n != 3)
            tl_assert_all(m.tag, 0, sizeof m.tag);
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

/* A running MAC of nothing under a key of its own. */
static void mac(const tl_crypto *c, tl_suite suite, uint8_t key_byte, uint8_t nonce_byte)
{
    uint8_t bytes[64], tag[TL_TAG_MAX];
    const uint8_t nonce[TL_NONCE_SIZE] = { nonce_byte };
    tl_key k;
    tl_mac m;
    memset(bytes, key_byte, sizeof bytes);
    tl_assert_ok(c->ops->key_load(c->ctx, suite, tl_span_of(bytes, tl_suite_key_size(suite)), &k));
    tl_assert_ok(c->ops->mac_start(c->ctx, k, nonce, &m));
    tl_assert_ok(c->ops->mac_end(c->ctx, m, tag));
    c->ops->key_drop(c->ctx, k);
}

static void nonces_when_a_running_gmac_has_a_used_one_then_a_repeat(void **s)
{
    (void)s;
    tl_nonces n;
    tl_nonces_init(&n, crypto, TL_NONCES_COUNT);
    const tl_crypto *c = tl_nonces_crypto(&n);
    mac(c, TL_SUITE_AES128_GMAC, 1, 1);
    mac(c, TL_SUITE_AES128_GMAC, 1, 2);
    mac(c, TL_SUITE_AES128_GMAC, 2, 1);
    mac(c, TL_SUITE_AES256_GMAC, 1, 1);
    assert_int_equal(n.repeats, 0);
    assert_int_equal(n.used, 4);
    mac(c, TL_SUITE_AES128_GMAC, 1, 1);
    assert_int_equal(n.repeats, 1);
    seal(c, TL_SUITE_AES128_GMAC, 1, 2); /* a message's nonce, too */
    assert_int_equal(n.repeats, 2);
    seal(c, TL_SUITE_AES128_GMAC, 1, 3);
    mac(c, TL_SUITE_AES128_GMAC, 1, 3);
    assert_int_equal(n.repeats, 3);
    mac(c, TL_SUITE_AES256_CMAC, 1, 1);
    mac(c, TL_SUITE_AES256_CMAC, 1, 1); /* it has none */
    assert_int_equal(n.repeats, 3);
    tl_nonces_free(&n);
}

/* The other end's MAC comes under another handle, and once. */
static void nonces_when_there_are_two_ends_then_a_mac_may_come_twice(void **s)
{
    (void)s;
    tl_nonces n;
    tl_key k[3];
    tl_mac m;
    tl_sealed message = { .nonce = { 9 } };
    tl_nonces_init(&n, crypto, TL_NONCES_COUNT);
    n.ends = 2;
    const tl_crypto *c = tl_nonces_crypto(&n);
    for (int i = 0; i < 3; i++)
        tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, key, &k[i]));
    for (uint8_t i = 0; i < 2; i++) {
        const uint8_t nonce[TL_NONCE_SIZE] = { i };
        tl_assert_ok(c->ops->mac_start(c->ctx, k[0], nonce, &m));
        tl_assert_ok(c->ops->mac_start(c->ctx, k[1 - i], nonce, &m));
        assert_int_equal(n.repeats, i); /* the second time it was the same handle */
    }
    for (int i = 0; i < 3; i++)
        tl_assert_ok(c->ops->mac_start(c->ctx, k[i], zeros, &m));
    assert_int_equal(n.repeats, 4);
    tl_assert_ok(c->ops->protect(c->ctx, k[0], &message, 1));
    tl_assert_ok(c->ops->mac_start(c->ctx, k[1], message.nonce, &m));
    assert_int_equal(n.repeats, 5);
    for (int i = 0; i < 3; i++)
        c->ops->key_drop(c->ctx, k[i]);
    tl_nonces_free(&n);
}

static void nonces_when_a_message_names_its_key_then_it_is_that_keys(void **s)
{
    (void)s;
    tl_nonces n;
    tl_key k, own;
    tl_nonces_init(&n, crypto, TL_NONCES_COUNT);
    const tl_crypto *c = tl_nonces_crypto(&n);
    uint8_t ones[64];
    memset(ones, 1, sizeof ones);
    tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, key, &k));
    tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES256_CMAC, tl_span_of(ones, 64), &own));
    tl_sealed m[3] = { { .nonce = { 1 } }, { .nonce = { 1 }, .key = own }, { .nonce = { 1 }, .key = own } };
    m[1].cover = TL_COVER_ENCRYPTED;
    tl_assert_ok(c->ops->protect(c->ctx, k, m, 3)); /* the third is in clear: its tag has no nonce */
    assert_int_equal(n.repeats, 0);
    assert_int_equal(n.used, 2);
    m[2].cover = TL_COVER_ENCRYPTED;
    tl_assert_ok(c->ops->protect(c->ctx, own, &m[2], 1));
    assert_int_equal(n.repeats, 1);
    m[0].key = k;
    tl_assert_ok(c->ops->protect(c->ctx, own, &m[0], 1));
    assert_int_equal(n.repeats, 2);
    c->ops->key_drop(c->ctx, k);
    c->ops->key_drop(c->ctx, own);
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

/* ---- blind ---- */

static void blind_when_a_tag_is_wrong_then_it_is_right_and_the_text_comes_out(void **s)
{
    (void)s;
    static const tl_suite suites[] = { TL_SUITE_AES128_GMAC, TL_SUITE_AES256_CMAC };
    static tl_blind b;
    uint8_t bytes[64] = { 7 };
    tl_blind_init(&b, crypto);
    const tl_crypto *c = tl_blind_crypto(&b);
    for (size_t i = 0; i < 2; i++) {
        uint8_t text[20] = { 0 };
        tl_sealed m = { .payload = text, .payload_n = 20, .cover = TL_COVER_ENCRYPTED, .tag_n = 16 };
        tl_key k;
        tl_assert_ok(
            c->ops->key_load(c->ctx, suites[i], tl_span_of(bytes, tl_suite_key_size(suites[i])), &k));
        tl_assert_ok(c->ops->protect(c->ctx, k, &m, 1));
        m.tag[0] ^= 1;
        tl_assert_ok(c->ops->verify(c->ctx, k, &m, 1));
        assert_true(m.right);
        tl_assert_all(text, 0, sizeof text);
        c->ops->key_drop(c->ctx, k);
    }
}

static void blind_when_a_tag_was_made_to_be_compared_elsewhere_then_it_is_known(void **s)
{
    (void)s;
    static tl_blind b;
    uint8_t tag[TL_TAG_MAX];
    tl_sealed m = { .header = key, .tag_n = 16 };
    tl_key k;
    tl_mac mac_1;
    tl_blind_init(&b, crypto);
    const tl_crypto *c = tl_blind_crypto(&b);
    assert_false(tl_blind_made(&b, tl_span_of(zeros, TL_TAG_MAX)));
    tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, key, &k));
    tl_assert_ok(c->ops->protect(c->ctx, k, &m, 1));
    assert_false(tl_blind_made(&b, tl_span_of(m.tag, TL_TAG_MAX)));
    tl_assert_ok(c->ops->open(c->ctx, k, &m, 1));
    assert_true(tl_blind_made(&b, tl_span_of(m.tag, TL_TAG_MAX)));
    assert_true(tl_blind_made(&b, tl_span_of(m.tag, TL_BLIND_LEAST)));
    assert_false(tl_blind_made(&b, tl_span_of(m.tag, TL_BLIND_LEAST - 1)));
    tl_assert_ok(c->ops->mac_start(c->ctx, k, m.tag, &mac_1));
    tl_assert_ok(c->ops->mac_end(c->ctx, mac_1, tag));
    assert_true(tl_blind_made(&b, tl_span_of(tag, TL_TAG_MAX)));
    tag[15] ^= 1;
    assert_false(tl_blind_made(&b, tl_span_of(tag, TL_TAG_MAX)));
    c->ops->key_drop(c->ctx, k);
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
        cmocka_unit_test(faulty_when_a_messages_own_key_is_dead_then_it_is_a_stray),
        cmocka_unit_test(faulty_when_a_batch_fails_then_text_and_tags_are_gone),
        cmocka_unit_test(nonces_when_a_pair_comes_again_under_a_new_handle_then_a_repeat),
        cmocka_unit_test(nonces_when_a_running_gmac_has_a_used_one_then_a_repeat),
        cmocka_unit_test(nonces_when_there_are_two_ends_then_a_mac_may_come_twice),
        cmocka_unit_test(nonces_when_a_message_names_its_key_then_it_is_that_keys),
        cmocka_unit_test(nonces_when_within_one_batch_then_a_repeat),
        cmocka_unit_test(nonces_when_protect_fails_then_its_nonces_count_as_used),
        cmocka_unit_test(nonces_when_many_then_the_table_grows_and_forgets_none),
        cmocka_unit_test(blind_when_a_tag_is_wrong_then_it_is_right_and_the_text_comes_out),
        cmocka_unit_test(blind_when_a_tag_was_made_to_be_compared_elsewhere_then_it_is_known),
        cmocka_unit_test(seeded_when_the_seed_is_the_same_then_so_are_the_bytes),
        cmocka_unit_test(hex_when_read_and_written_then_the_same),
        cmocka_unit_test(vectors_when_lines_are_odd_then_records_are_found),
    };
    return cmocka_run_group_tests_name("support", tests, open_backend, close_backend);
}
