/* Keys of a stream: the whole derivation computed again by hand, epochs in order, wiping, and failures that leave the
 * source as it was. */
#include "one_backend.h"
#include "testing.h"

#include "faulty.h"

#include "cse/keys.h"

#include <string.h>

enum { STREAM = 0x0507, SIZE = 32 };

static const uint8_t material[20] = "twenty bytes of key";
static const uint8_t digest_a[TL_CONFIG_DIGEST_SIZE] = { 1, 2, 3 };

/* Sees the bytes of the last two keys that were loaded. */
typedef struct watcher {
    tl_wrap wrap;
    uint8_t key[64], earlier[64];
    size_t n;
    tl_suite suite;
} watcher;

static tl_stream_config with_suite(tl_suite suite)
{
    return (tl_stream_config){ .suite = suite, .tag_mode = TL_TAG_PER_MESSAGE, .tag_size = 16 };
}

static tl_err watch_load(void *ctx, tl_suite suite, tl_span key, tl_key *k)
{
    watcher *w = ctx;

    memcpy(w->earlier, w->key, sizeof w->key);
    memset(w->key, 0, sizeof w->key);
    memcpy(w->key, key.p, key.n);
    w->n = key.n;
    w->suite = suite;
    return w->wrap.inner->ops->key_load(w->wrap.inner->ctx, suite, key, k);
}

static void watch(watcher *w)
{
    tl_wrap_init(&w->wrap, crypto);
    w->wrap.ops.key_load = watch_load;
}

typedef struct given {
    uint8_t secret[sizeof material], sender[TL_FRESH_SIZE], receiver[TL_FRESH_SIZE];
    uint16_t stream;
    tl_direction direction;
} given;

static given usual(void)
{
    given g = { .stream = STREAM, .direction = TL_SENSOR_TO_CONTROLLER };

    memcpy(g.secret, material, sizeof material);
    memset(g.sender, 0x11, sizeof g.sender);
    memset(g.receiver, 0x22, sizeof g.receiver);
    return g;
}

static tl_err make(tl_key_source *s, const tl_crypto *c, const given *g)
{
    const tl_provisioned from = { tl_span_of(g->secret, sizeof g->secret), g->sender, g->receiver, g->stream,
                                  g->direction };

    return tl_key_source_provisioned(s, c, &from);
}

static tl_err take(tl_stream_key *k, tl_key_source *s, uint32_t epoch)
{
    const tl_stream_config c = with_suite(TL_SUITE_AES128_GMAC);

    return tl_cse_key_take(k, s, epoch, &c, digest_a);
}

/* ---- the derivation by hand, from HMAC alone ---- */

static void mac(const uint8_t *key, size_t key_n, tl_span a, tl_span b, uint8_t out[SIZE])
{
    const tl_span parts[] = { a, b };

    tl_assert_ok(crypto->ops->hmac(crypto->ctx, TL_HASH_SHA256, tl_span_of(key, key_n), parts, 2, out));
}

/* HKDF-Expand of at most one digest: HMAC(prk, info | 1). */
static void expand(const uint8_t prk[SIZE], const void *info, size_t n, uint8_t out[SIZE])
{
    static const uint8_t one[1] = { 1 };

    mac(prk, SIZE, tl_span_of(info, n), tl_span_of(one, 1), out);
}

/* HKDF-Expand of two digests: behind the first stands HMAC(prk, first | info | 2). */
static void expand_two(const uint8_t prk[SIZE], const void *info, size_t n, uint8_t out[2 * SIZE])
{
    uint8_t second[SIZE + 128];

    expand(prk, info, n, out);
    memcpy(second, out, SIZE);
    memcpy(second + SIZE, info, n);
    second[SIZE + n] = 2;
    mac(prk, SIZE, tl_span_of(second, SIZE + n + 1), tl_span_of(NULL, 0), out + SIZE);
}

/* label | epoch | digest, expanded. */
static void expand_label(const uint8_t s[SIZE], const char *label, uint32_t epoch, const uint8_t *digest,
                         uint8_t out[2 * SIZE])
{
    uint8_t info[64];
    size_t n = strlen(label);

    memcpy(info, label, n);
    for (unsigned i = 0; i < 4; i++)
        info[n + i] = (uint8_t)(epoch >> 8 * i);
    memcpy(info + n + 4, digest, 32);
    expand_two(s, info, n + 36, out);
}

typedef struct derived {
    uint8_t key[2 * SIZE], outer[2 * SIZE], salt[2 * SIZE];
} derived;

static void by_hand(const given *g, uint32_t epoch, const uint8_t *digest, derived *d)
{
    uint8_t both[2 * TL_FRESH_SIZE], prk[SIZE], s[SIZE], next[SIZE], info[64];

    memcpy(both, g->sender, TL_FRESH_SIZE);
    memcpy(both + TL_FRESH_SIZE, g->receiver, TL_FRESH_SIZE);
    mac(both, sizeof both, tl_span_of(g->secret, sizeof g->secret), tl_span_of(NULL, 0), prk);
    memcpy(info, "trueline stream", 15);
    info[15] = (uint8_t)g->stream;
    info[16] = (uint8_t)(g->stream >> 8);
    info[17] = (uint8_t)g->direction;
    expand(prk, info, 18, s);
    for (uint32_t e = 0; e < epoch; e++) {
        expand(s, "trueline next", 13, next);
        memcpy(s, next, SIZE);
    }
    expand_label(s, "trueline key", epoch, digest, d->key);
    expand_label(s, "trueline outer key", epoch, digest, d->outer);
    expand_label(s, "trueline salt", epoch, digest, d->salt);
}

static void known(tl_suite suite, tl_tag_mode mode, uint32_t epoch)
{
    static const uint8_t nothing[64] = { 0 };
    tl_stream_config c = with_suite(suite);
    derived d;
    watcher w;
    tl_key_source s;
    tl_stream_key k = { 0 };
    given g = usual();
    bool outer = mode != TL_TAG_PER_MESSAGE;

    c.tag_mode = mode;
    watch(&w);
    memset(w.key, 0, sizeof w.key);
    by_hand(&g, epoch, digest_a, &d);
    tl_assert_ok(make(&s, &w.wrap.crypto, &g));
    tl_assert_ok(tl_cse_key_take(&k, &s, epoch, &c, digest_a));
    assert_int_equal(w.suite, suite);
    assert_int_equal(w.n, tl_suite_key_size(suite));
    assert_memory_equal(w.key, outer ? d.outer : d.key, w.n);
    assert_memory_equal(w.earlier, outer ? d.key : nothing, w.n);
    assert_int_equal(k.outer.slot != 0, outer);
    assert_memory_equal(k.salt, d.salt, sizeof k.salt);
    assert_true(k.held && k.handle.slot != 0);
    assert_int_equal(k.epoch, epoch);
    assert_int_equal(k.messages + k.bytes + k.bad + k.lists, 0);
    tl_cse_key_drop(&k, crypto);
    tl_assert_all(&k, 0, sizeof k);
}

static void take_when_derived_by_hand_then_same_key_and_salt(void **state)
{
    static const uint32_t epochs[] = { 0, 1, 2, 255, 256, 1024 };

    (void)state;
    for (size_t i = 0; i < sizeof epochs / sizeof *epochs; i++) {
        for (int mode = TL_TAG_PER_MESSAGE; mode <= TL_TAG_PER_FRAME; mode++) {
            known(TL_SUITE_AES128_GMAC, (tl_tag_mode)mode, epochs[i]);
            known(TL_SUITE_AES256_GMAC, (tl_tag_mode)mode, epochs[i]);
        }
    }
}

static void take_when_epochs_are_skipped_or_taken_one_by_one_then_same_key(void **state)
{
    watcher w;
    tl_key_source s;
    tl_stream_key k = { 0 };
    given g = usual();
    uint8_t skipped[32];

    (void)state;
    watch(&w);
    tl_assert_ok(make(&s, &w.wrap.crypto, &g));
    tl_assert_ok(take(&k, &s, 9));
    memcpy(skipped, w.key, sizeof skipped);
    tl_cse_key_drop(&k, crypto);
    tl_assert_ok(make(&s, &w.wrap.crypto, &g));
    for (uint32_t e = 0; e <= 9; e++) {
        tl_assert_ok(take(&k, &s, e));
        if (e < 9)
            assert_memory_not_equal(w.key, skipped, w.n);
        tl_cse_key_drop(&k, crypto);
    }
    assert_memory_equal(w.key, skipped, w.n);
}

/* ---- what enters the key ---- */

static void key_of(const given *g, uint32_t epoch, const uint8_t *digest, uint8_t key[36])
{
    const tl_stream_config c = with_suite(TL_SUITE_AES256_GMAC);
    watcher w;
    tl_key_source s;
    tl_stream_key k = { 0 };

    watch(&w);
    tl_assert_ok(make(&s, &w.wrap.crypto, g));
    tl_assert_ok(tl_cse_key_take(&k, &s, epoch, &c, digest));
    memcpy(key, w.key, 32);
    memcpy(key + 32, k.salt, 4);
    tl_cse_key_drop(&k, crypto);
}

static void differs(const given *g, uint32_t epoch, const uint8_t *digest)
{
    uint8_t a[36], b[36];
    given u = usual();

    key_of(&u, 3, digest_a, a);
    key_of(g, epoch, digest, b);
    assert_memory_not_equal(a, b, 32);
    assert_memory_not_equal(a + 32, b + 32, 4);
}

static void take_when_any_input_differs_then_another_key_and_salt(void **state)
{
    uint8_t digest[TL_CONFIG_DIGEST_SIZE];
    uint8_t a[36], b[36];
    given g = usual();

    (void)state;
    key_of(&g, 3, digest_a, a);
    key_of(&g, 3, digest_a, b);
    assert_memory_equal(a, b, sizeof a);
    differs(&g, 2, digest_a);
    differs(&g, 4, digest_a);
    for (unsigned i = 0; i < sizeof digest; i++) {
        memcpy(digest, digest_a, sizeof digest);
        digest[i] ^= 1;
        differs(&g, 3, digest);
    }
    for (unsigned i = 0; i < TL_FRESH_SIZE; i++) {
        g = usual(), g.sender[i] ^= 0x80, differs(&g, 3, digest_a);
        g = usual(), g.receiver[i] ^= 0x80, differs(&g, 3, digest_a);
    }
    for (unsigned i = 0; i < sizeof g.secret; i++)
        g = usual(), g.secret[i] ^= 1, differs(&g, 3, digest_a);
    g = usual(), g.stream = 0x0705, differs(&g, 3, digest_a);
    g = usual(), g.direction = TL_CONTROLLER_TO_SENSOR, differs(&g, 3, digest_a);
    g = usual();
    memcpy(g.sender, usual().receiver, TL_FRESH_SIZE);
    memcpy(g.receiver, usual().sender, TL_FRESH_SIZE);
    differs(&g, 3, digest_a);
}

/* ---- sources ---- */

/* What a recording's secrets are for: the keys of that epoch, of those behind it, and of none before. */
static void recorded_when_made_of_a_secret_then_that_epochs_key_and_later_ones(void **state)
{
    const given g = usual();
    tl_key_source original, again;
    tl_stream_key first, second;
    uint8_t secret[TL_HASH_MAX], before[sizeof original];
    size_t n = 0;

    (void)state;
    tl_assert_ok(make(&original, crypto, &g));
    memcpy(before, &original, sizeof before);
    tl_assert_ok(tl_key_source_secret(&original, 3, secret, &n));
    assert_int_equal(n, SIZE);
    assert_memory_equal(before, &original, sizeof before);
    for (uint32_t epoch = 3; epoch < 6; epoch++) {
        tl_assert_ok(
            tl_key_source_recorded(&again, crypto, (tl_digest){ TL_HASH_SHA256, tl_span_of(secret, n) }, 3));
        tl_assert_err(TL_E_EPOCH, take(&second, &again, 2));
        tl_assert_ok(take(&first, &original, epoch));
        tl_assert_ok(take(&second, &again, epoch));
        assert_memory_equal(first.salt, second.salt, sizeof first.salt);
        tl_cse_key_drop(&first, crypto);
        tl_cse_key_drop(&second, crypto);
    }
    tl_key_source_wipe(&original);
    tl_key_source_wipe(&again);
}

static void recorded_when_something_is_wrong_then_refused(void **state)
{
    const given g = usual();
    uint8_t secret[TL_HASH_MAX] = { 0 }, untouched[TL_HASH_MAX] = { 0 };
    tl_key_source source, copy;
    tl_stream_key k;
    size_t n = 77;

    (void)state;
    tl_assert_err(TL_E_USAGE, tl_key_source_recorded(
                                  &source, crypto, (tl_digest){ TL_HASH_SHA256, tl_span_of(secret, 31) }, 0));
    tl_assert_err(TL_E_USAGE, tl_key_source_recorded(
                                  &source, crypto, (tl_digest){ TL_HASH_SHA384, tl_span_of(secret, 32) }, 0));
    tl_assert_ok(make(&source, crypto, &g));
    tl_assert_ok(take(&k, &source, 4));
    tl_cse_key_drop(&k, crypto);
    tl_assert_err(TL_E_EPOCH, tl_key_source_secret(&source, 4, secret, &n));
    tl_assert_err(TL_E_EPOCH, tl_key_source_secret(&source, 5 + TL_EPOCH_JUMP_MAX + 1, secret, &n));
    copy = source;
    tl_assert_err(TL_E_COPIED, tl_key_source_secret(&copy, 5, secret, &n));
    assert_int_equal(n, 77);
    assert_memory_equal(secret, untouched, sizeof secret);
    tl_key_source_wipe(&source);
    tl_key_source_wipe(&copy);
}

static void provisioned_when_secret_is_short_or_stream_0_then_refused_and_zero(void **state)
{
    tl_key_source s;
    given g = usual();

    (void)state;
    for (size_t n = 0; n < 16; n++) {
        const tl_provisioned from = { tl_span_of(g.secret, n), g.sender, g.receiver, STREAM, g.direction };

        memset(&s, 0xAA, sizeof s);
        tl_assert_err(TL_E_USAGE, tl_key_source_provisioned(&s, crypto, &from));
        tl_assert_all(&s, 0, sizeof s);
    }
    g.stream = 0;
    tl_assert_err(TL_E_USAGE, make(&s, crypto, &g));
}

static void provisioned_when_the_backend_fails_then_source_is_zero(void **state)
{
    unsigned long n = 1;

    (void)state;
    for (;; n++) {
        tl_faulty f;
        tl_key_source s;
        given g = usual();

        tl_faulty_init(&f, crypto, n);
        memset(&s, 0xAA, sizeof s);
        tl_err e = make(&s, tl_faulty_crypto(&f), &g);
        tl_faulty_assert_clean(&f);
        if (!f.failed) {
            tl_assert_ok(e);
            break;
        }
        tl_assert_err(TL_E_BACKEND, e);
        tl_assert_all(&s, 0, sizeof s);
    }
    assert_true(n > 2);
}

static void take_when_source_is_copied_wiped_or_never_made_then_refused(void **state)
{
    tl_key_source s, copy, none = { 0 };
    tl_stream_key k = { 0 };
    given g = usual();

    (void)state;
    tl_assert_ok(make(&s, crypto, &g));
    memcpy(&copy, &s, sizeof s);
    tl_assert_err(TL_E_COPIED, take(&k, &copy, 0));
    tl_assert_err(TL_E_COPIED, take(&k, &none, 0));
    assert_false(k.held);
    tl_assert_ok(take(&k, &s, 0));
    tl_cse_key_drop(&k, crypto);
    tl_key_source_wipe(&s);
    tl_assert_all(&s, 0, sizeof s);
    tl_assert_err(TL_E_COPIED, take(&k, &s, 1));
}

static void take_when_epoch_is_used_passed_or_too_far_then_refused_and_unchanged(void **state)
{
    tl_key_source s, before;
    tl_stream_key k = { 0 };
    given g = usual();

    (void)state;
    tl_assert_ok(make(&s, crypto, &g));
    tl_assert_err(TL_E_EPOCH, take(&k, &s, TL_EPOCH_JUMP_MAX + 1));
    tl_assert_err(TL_E_EPOCH, take(&k, &s, UINT32_MAX));
    tl_assert_ok(take(&k, &s, 5));
    tl_cse_key_drop(&k, crypto);
    before = s;
    for (uint32_t e = 0; e <= 5; e++)
        tl_assert_err(TL_E_EPOCH, take(&k, &s, e));
    tl_assert_err(TL_E_EPOCH, take(&k, &s, 6 + TL_EPOCH_JUMP_MAX + 1));
    assert_memory_equal(&before, &s, sizeof s);
    assert_false(k.held);
    tl_assert_ok(take(&k, &s, 6 + TL_EPOCH_JUMP_MAX));
    tl_cse_key_drop(&k, crypto);
}

static void take_when_epoch_is_the_last_then_ok_and_nothing_after(void **state)
{
    tl_key_source s;
    tl_stream_key k = { 0 };
    given g = usual();

    (void)state;
    tl_assert_ok(make(&s, crypto, &g));
    s.next = (uint64_t)UINT32_MAX - 1;
    tl_assert_ok(take(&k, &s, UINT32_MAX));
    assert_int_equal(k.epoch, UINT32_MAX);
    tl_cse_key_drop(&k, crypto);
    tl_assert_err(TL_E_EPOCH, take(&k, &s, UINT32_MAX));
    tl_assert_err(TL_E_EPOCH, take(&k, &s, 0));
    tl_assert_err(TL_E_EPOCH, take(&k, &s, 1));
}

static bool holds(const void *where, size_t n, const uint8_t *what, size_t m)
{
    const uint8_t *p = where;

    for (size_t i = 0; i + m <= n; i++)
        if (memcmp(p + i, what, m) == 0)
            return true;
    return false;
}

static void take_when_done_then_the_old_secret_is_nowhere_in_the_source(void **state)
{
    tl_key_source s;
    tl_stream_key k = { 0 };
    given g = usual();
    uint8_t old[SIZE];

    (void)state;
    tl_assert_ok(make(&s, crypto, &g));
    assert_false(holds(&s, sizeof s, g.secret, sizeof g.secret));
    for (uint32_t e = 0; e < 4; e++) {
        memcpy(old, s.secret, sizeof old);
        tl_assert_ok(take(&k, &s, e));
        for (size_t at = 0; at + 8 <= sizeof old; at += 8)
            assert_false(holds(&s, sizeof s, old + at, 8));
        tl_cse_key_drop(&k, crypto);
    }
}

static void failing(tl_tag_mode mode, unsigned long calls)
{
    tl_stream_config c = with_suite(TL_SUITE_AES128_GMAC);
    unsigned long n = 1;

    c.tag_mode = mode;
    for (;; n++) {
        tl_faulty f;
        tl_key_source s, before;
        tl_stream_key k = { .epoch = 0x77 }, kept = k;
        given g = usual();

        tl_faulty_init(&f, crypto, 0);
        tl_assert_ok(make(&s, tl_faulty_crypto(&f), &g));
        f.fail_at = f.calls + n;
        before = s;
        tl_err e = tl_cse_key_take(&k, &s, 3, &c, digest_a);
        if (!f.failed) {
            tl_assert_ok(e);
            tl_cse_key_drop(&k, tl_faulty_crypto(&f));
            tl_faulty_assert_clean(&f);
            break;
        }
        tl_assert_err(TL_E_BACKEND, e);
        tl_faulty_assert_clean(&f);
        assert_memory_equal(&before, &s, sizeof s);
        assert_memory_equal(&kept, &k, sizeof k);
    }
    assert_int_equal(n, calls + 1); /* the last without a fault */
}

static void take_when_the_backend_fails_anywhere_then_source_unchanged_and_nothing_live(void **state)
{
    (void)state;
    failing(TL_TAG_PER_MESSAGE, 3 + 1 + 1 + 2); /* to epoch 3, to epoch 4, salt, key and its loading */
    failing(TL_TAG_PER_FRAME, 3 + 1 + 1 + 2 + 2);
}

/* ---- without a suite ---- */

static void take_when_there_is_no_suite_then_a_number_and_no_source_needed(void **state)
{
    const tl_stream_config c = with_suite(TL_SUITE_NONE), keyed = with_suite(TL_SUITE_AES128_GMAC);
    tl_stream_key k = { 0 }, next = { 0 };
    tl_key_source s, copy;
    given g = usual();

    (void)state;
    tl_assert_err(TL_E_USAGE, tl_cse_key_take(&k, NULL, 4, &keyed, digest_a));
    assert_false(k.held);
    tl_assert_ok(tl_cse_key_take(&k, NULL, 4, &c, digest_a));
    assert_true(k.held && k.epoch == 4 && k.handle.slot == 0 && k.outer.slot == 0);
    tl_assert_err(TL_E_EPOCH, tl_cse_key_take_next(&next, &k, NULL, 3, &c, digest_a));
    tl_assert_err(TL_E_EPOCH, tl_cse_key_take_next(&next, &k, NULL, 4, &c, digest_a));
    tl_assert_err(TL_E_EPOCH, tl_cse_key_take_next(&next, &k, NULL, 4 + 256, &c, digest_a));
    tl_assert_ok(tl_cse_key_take_next(&next, &k, NULL, 6, &c, digest_a));
    tl_assert_err(TL_E_EPOCH, tl_cse_key_take_next(&next, &k, NULL, 5, &c, digest_a));
    tl_cse_key_switch(&k, &next, NULL);
    assert_true(k.epoch == 6 && !next.held);
    tl_assert_ok(make(&s, crypto, &g));
    copy = s;
    tl_assert_err(TL_E_COPIED, tl_cse_key_take(&k, &copy, 7, &c, digest_a));
    tl_assert_ok(tl_cse_key_take(&k, &s, 7, &c, digest_a));
    assert_true(s.next == 0);
    tl_cse_key_drop(&k, NULL);
}

/* ---- the next key ---- */

static void take_next_when_the_low_byte_is_the_currents_then_refused(void **state)
{
    tl_key_source s, before;
    tl_stream_key k = { 0 }, next = { 0 };
    given g = usual();
    tl_stream_config c = with_suite(TL_SUITE_AES128_GMAC);

    (void)state;
    tl_assert_ok(make(&s, crypto, &g));
    tl_assert_ok(take(&k, &s, 7));
    before = s;
    tl_assert_err(TL_E_EPOCH, tl_cse_key_take_next(&next, &k, &s, 7 + 256, &c, digest_a));
    tl_assert_err(TL_E_EPOCH, tl_cse_key_take_next(&next, &k, &s, 7 + 512, &c, digest_a));
    tl_assert_err(TL_E_EPOCH, tl_cse_key_take_next(&next, &k, &s, 7, &c, digest_a));
    assert_memory_equal(&before, &s, sizeof s);
    assert_false(next.held);
    tl_assert_ok(tl_cse_key_take_next(&next, &k, &s, 7 + 257, &c, digest_a));
    tl_cse_key_drop(&k, crypto);
    tl_cse_key_drop(&next, crypto);
}

static void take_next_when_one_is_unused_then_replaced_and_dropped(void **state)
{
    tl_faulty f;
    tl_key_source s;
    tl_stream_key k = { 0 }, next = { 0 }, kept;
    given g = usual();
    tl_stream_config c = with_suite(TL_SUITE_AES128_GMAC);

    (void)state;
    tl_faulty_init(&f, crypto, 0);
    tl_assert_ok(make(&s, tl_faulty_crypto(&f), &g));
    tl_assert_ok(take(&k, &s, 0));
    tl_assert_ok(tl_cse_key_take_next(&next, &k, &s, 1, &c, digest_a));
    kept = next;
    tl_assert_err(TL_E_EPOCH, tl_cse_key_take_next(&next, &k, &s, 1, &c, digest_a));
    f.fail_at = f.calls + 2;
    tl_assert_err(TL_E_BACKEND, tl_cse_key_take_next(&next, &k, &s, 2, &c, digest_a));
    assert_memory_equal(&kept, &next, sizeof next);
    tl_assert_ok(tl_cse_key_take_next(&next, &k, &s, 2, &c, digest_a));
    assert_int_equal(next.epoch, 2);
    assert_int_equal(f.keys.n, 2);
    tl_cse_key_switch(&k, &next, tl_faulty_crypto(&f));
    assert_int_equal(k.epoch, 2);
    assert_int_equal(f.keys.n, 1);
    tl_assert_all(&next, 0, sizeof next);
    tl_cse_key_drop(&k, tl_faulty_crypto(&f));
    tl_faulty_assert_clean(&f);
}

static void limits_when_lower_ones_are_named_then_those_hold(void **state)
{
    tl_stream_config c = { .tag_size = 16 };

    (void)state;
    assert_true(tl_cse_limits(&c).messages == (uint64_t)1 << 40);
    assert_true(tl_cse_limits(&c).bytes == (uint64_t)1 << 52);
    assert_true(tl_cse_limits(&c).bad == (uint64_t)1 << 32);
    c.tag_size = 12;
    assert_true(tl_cse_limits(&c).bad == (uint64_t)1 << 24);
    c.tag_size = 8;
    assert_true(tl_cse_limits(&c).bad == (uint64_t)1 << 20);
    c.tag_size = 12;
    c.limits = (tl_stream_limits){ 5, 6, 7, 8 };
    assert_true(tl_cse_limits(&c).messages == 5 && tl_cse_limits(&c).bytes == 6 &&
                tl_cse_limits(&c).bad == 7 && tl_cse_limits(&c).lists == 8);
    c.limits = (tl_stream_limits){ UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX };
    assert_true(tl_cse_limits(&c).messages == (uint64_t)1 << 40);
    assert_true(tl_cse_limits(&c).bytes == (uint64_t)1 << 52);
    assert_true(tl_cse_limits(&c).bad == (uint64_t)1 << 24);
    assert_true(tl_cse_limits(&c).lists == (uint64_t)1 << 40);
}

/* At each end of each row; behind the tags of a list stands A, a header of the layout's. */
static void limits_when_gmac_tags_of_lists_have_8_bytes_then_the_tables(void **state)
{
    static const struct {
        unsigned input, uses;
    } rows[] = { { 11, 32 }, { 13, 29 }, { 15, 26 }, { 17, 23 }, { 19, 20 } };
    tl_stream_config c = with_suite(TL_SUITE_AES256_GMAC);

    (void)state;
    c.tag_size = 8;
    c.variant[TL_BLOCK_MIDDLE] = TL_SV_2;
    c.variant[TL_BLOCK_BOTTOM] = TL_SV_5;
    c.part_count = 3;
    c.parts[0] = (tl_stream_part){ TL_BLOCK_MIDDLE, TL_DT_RAW10, 1, 1 };
    c.parts[1] = (tl_stream_part){ TL_BLOCK_MIDDLE, TL_DT_RAW12, 1, 1 };
    c.parts[2] = (tl_stream_part){ TL_BLOCK_BOTTOM, TL_DT_RAW12, 40000, 1 }; /* on no list */
    for (unsigned i = 0; i < 5; i++) {
        uint32_t fits = ((1u << rows[i].input) - TL_SEP_HEADER_SIZE) / TL_TAG_MAX;
        c.tag_mode = TL_TAG_PER_DATA_TYPE;
        c.parts[0].count = 1;
        c.parts[1].count = (uint16_t)fits;
        assert_true(tl_cse_limits(&c).lists == (uint64_t)1 << rows[i].uses);
        c.parts[1].count++;
        assert_true(tl_cse_limits(&c).lists == (uint64_t)1 << (rows[i].uses - 3));
        c.tag_mode = TL_TAG_PER_FRAME;
        c.parts[0].count = (uint16_t)(fits / 2);
        c.parts[1].count = (uint16_t)(fits - fits / 2);
        assert_true(tl_cse_limits(&c).lists == (uint64_t)1 << rows[i].uses);
        c.parts[0].count++;
        assert_true(tl_cse_limits(&c).lists == (uint64_t)1 << (rows[i].uses - 3));
    }
    c.parts[0].count = 1;
    c.parts[1].count = 65534;
    assert_true(tl_cse_limits(&c).lists == (uint64_t)1 << 17);
    c.suite = TL_SUITE_AES128_CMAC;
    assert_true(tl_cse_limits(&c).lists == (uint64_t)1 << 40);
    c.suite = TL_SUITE_AES128_GMAC;
    c.limits.lists = 3;
    assert_true(tl_cse_limits(&c).lists == 3);
    c.tag_size = 12;
    c.limits.lists = 0;
    assert_true(tl_cse_limits(&c).lists == (uint64_t)1 << 40);
}

/* What the rows are for, without a word of them: a forgery of a list of n blocks succeeds with at most (n + 1) / 2^64. */
static void limits_when_gmac_tags_of_lists_have_8_bytes_then_all_forgeries_of_a_key_stay_below_2_to_minus_24(
    void **state)
{
    tl_stream_config c = with_suite(TL_SUITE_AES128_GMAC);

    (void)state;
    c.tag_size = 8;
    c.tag_mode = TL_TAG_PER_FRAME;
    c.variant[TL_BLOCK_MIDDLE] = TL_SV_2;
    c.part_count = 1;
    for (uint32_t tags = 1; tags <= TL_SEP_MESSAGES_MAX && tags <= UINT16_MAX; tags++) {
        uint64_t blocks = (tags * TL_TAG_MAX + TL_SEP_HEADER_SIZE + 15) / 16 + 1; /* and the lengths */
        c.parts[0] = (tl_stream_part){ TL_BLOCK_MIDDLE, TL_DT_RAW12, (uint16_t)tags, 1 };
        if ((blocks + 1) * tl_cse_limits(&c).lists > (uint64_t)1 << (64 - 24))
            fail_msg("%u tags: too many uses", tags);
    }
}

static void key_when_any_counter_is_at_its_limit_then_spent_and_not_one_before(void **state)
{
    const tl_stream_limits limits = { 10, 20, 30, 40 };
    tl_stream_key k = { .messages = 9, .bytes = 19, .bad = 29, .lists = 39 }, full;

    (void)state;
    assert_false(tl_cse_key_spent(&k, &limits));
    full = k, full.messages++, assert_true(tl_cse_key_spent(&full, &limits));
    full = k, full.bytes++, assert_true(tl_cse_key_spent(&full, &limits));
    full = k, full.bad++, assert_true(tl_cse_key_spent(&full, &limits));
    full = k, full.lists++, assert_true(tl_cse_key_spent(&full, &limits));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(take_when_derived_by_hand_then_same_key_and_salt),
        cmocka_unit_test(take_when_epochs_are_skipped_or_taken_one_by_one_then_same_key),
        cmocka_unit_test(take_when_any_input_differs_then_another_key_and_salt),
        cmocka_unit_test(recorded_when_made_of_a_secret_then_that_epochs_key_and_later_ones),
        cmocka_unit_test(recorded_when_something_is_wrong_then_refused),
        cmocka_unit_test(provisioned_when_secret_is_short_or_stream_0_then_refused_and_zero),
        cmocka_unit_test(provisioned_when_the_backend_fails_then_source_is_zero),
        cmocka_unit_test(take_when_source_is_copied_wiped_or_never_made_then_refused),
        cmocka_unit_test(take_when_epoch_is_used_passed_or_too_far_then_refused_and_unchanged),
        cmocka_unit_test(take_when_epoch_is_the_last_then_ok_and_nothing_after),
        cmocka_unit_test(take_when_done_then_the_old_secret_is_nowhere_in_the_source),
        cmocka_unit_test(take_when_the_backend_fails_anywhere_then_source_unchanged_and_nothing_live),
        cmocka_unit_test(take_next_when_the_low_byte_is_the_currents_then_refused),
        cmocka_unit_test(take_next_when_one_is_unused_then_replaced_and_dropped),
        cmocka_unit_test(take_when_there_is_no_suite_then_a_number_and_no_source_needed),
        cmocka_unit_test(limits_when_lower_ones_are_named_then_those_hold),
        cmocka_unit_test(limits_when_gmac_tags_of_lists_have_8_bytes_then_the_tables),
        cmocka_unit_test(
            limits_when_gmac_tags_of_lists_have_8_bytes_then_all_forgeries_of_a_key_stay_below_2_to_minus_24),
        cmocka_unit_test(key_when_any_counter_is_at_its_limit_then_spent_and_not_one_before),
    };

    return cmocka_run_group_tests_name("cse_keys", tests, open_backend, close_backend);
}
