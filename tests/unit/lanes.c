/* The contract of the data plane's backend, at each level that this machine has: what it refuses, what it leaves behind,
 * its slots and handles, and what it hands on to the backend behind it. */
#include "testing.h"

#include "x86/fold.h"

#include <trueline/lanes.h>
#include <trueline/openssl.h>

#include <string.h>

enum { KEYS = 4, MACS = 2, LINES = 5, LINE = 100 };

typedef struct world {
    tl_lanes lanes;
    tl_lanes_key keys[KEYS];
    tl_lanes_mac macs[MACS];
    const tl_crypto *c;
    const tl_crypto_ops *ops;
    void *ctx;
    uint8_t line[LINES][LINE];
    tl_sealed m[LINES];
} world;

static world w;
static const uint8_t key_bytes[64] = { 1, 2, 3, 4, 5 };
static const tl_suite suites[] = { TL_SUITE_AES128_GMAC, TL_SUITE_AES256_GMAC, TL_SUITE_AES128_CMAC,
                                   TL_SUITE_AES256_CMAC };

static void open_world(tl_lanes_level level, const tl_crypto *base)
{
    const tl_lanes_config config = {
        .base = base, .level = level, .keys = w.keys, .key_n = KEYS, .macs = w.macs, .mac_n = MACS
    };
    tl_assert_ok(tl_lanes_init(&w.lanes, &config));
    w.c = tl_lanes_crypto(&w.lanes);
    w.ops = w.c->ops;
    w.ctx = w.c->ctx;
}

static tl_key load(tl_suite suite)
{
    tl_key k;
    tl_assert_ok(w.ops->key_load(w.ctx, suite, tl_span_of(key_bytes, tl_suite_key_size(suite)), &k));
    return k;
}

static void make_lines(tl_cover cover)
{
    for (size_t i = 0; i < LINES; i++) {
        memset(w.line[i], (int)i + 1, LINE);
        w.m[i] = (tl_sealed){ .header = tl_span_of(w.line[i], 16),
                              .payload = w.line[i] + 16,
                              .payload_n = LINE - 16,
                              .cover = cover,
                              .pattern = { 1, 2, 3 },
                              .tag_n = 16 };
        w.m[i].nonce[0] = (uint8_t)i;
    }
}

/* Runs a case at each level that is here. */
static void at_each_level(void (*run)(void))
{
    size_t n = 0;
    for (int level = TL_LANES_BEST + 1; level < TL_LANES_LEVELS; level++) {
        if (!tl_lanes_level_here((tl_lanes_level)level))
            continue;
        open_world((tl_lanes_level)level, NULL);
        run();
        tl_lanes_wipe(&w.lanes);
        n++;
    }
    assert_true(n > 0);
}

#define AT_EACH_LEVEL(name, call)                                                                            \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        (void)state;                                                                                         \
        at_each_level(call);                                                                                 \
    }

/* ---- set-up ---- */

static void init_when_the_configuration_breaks_a_rule_then_refused(void **state)
{
    (void)state;
    const tl_lanes_config good = { .keys = w.keys, .key_n = KEYS, .macs = w.macs, .mac_n = MACS };
    tl_lanes_config c = good;
    c.keys = NULL;
    tl_assert_err(TL_E_USAGE, tl_lanes_init(&w.lanes, &c));
    c.keys = (tl_lanes_key *)((uintptr_t)w.keys + TL_LANES_ALIGN / 2);
    tl_assert_err(TL_E_USAGE, tl_lanes_init(&w.lanes, &c));
    tl_assert_err(TL_E_USAGE, tl_lanes_init((tl_lanes *)((uintptr_t)&w.lanes + 8), &good));
    c = good;
    c.key_n = 0;
    tl_assert_err(TL_E_USAGE, tl_lanes_init(&w.lanes, &c));
    c.key_n = TL_LANES_SLOTS + 1;
    tl_assert_err(TL_E_USAGE, tl_lanes_init(&w.lanes, &c));
    c = good;
    c.macs = NULL;
    tl_assert_err(TL_E_USAGE, tl_lanes_init(&w.lanes, &c));
    c = good;
    c.mac_n = TL_LANES_SLOTS + 1;
    tl_assert_err(TL_E_USAGE, tl_lanes_init(&w.lanes, &c));
    c = good;
    c.level = TL_LANES_LEVELS;
    tl_assert_err(TL_E_BACKEND, tl_lanes_init(&w.lanes, &c));
    for (int level = TL_LANES_BEST + 1; level < TL_LANES_LEVELS; level++) {
        c.level = (tl_lanes_level)level;
        bool here = tl_lanes_level_here(c.level);
        tl_assert_err(here ? TL_OK : TL_E_BACKEND, tl_lanes_init(&w.lanes, &c));
        if (here)
            assert_int_equal(tl_lanes_level_of(&w.lanes), level);
    }
}

static void levels_when_asked_then_named_and_the_best_is_here(void **state)
{
    (void)state;
    assert_string_equal(tl_lanes_level_name(TL_LANES_SOFT), "soft");
    assert_string_equal(tl_lanes_level_name(TL_LANES_ARMV8), "armv8");
    assert_string_equal(tl_lanes_level_name(TL_LANES_AESNI), "aesni");
    assert_string_equal(tl_lanes_level_name(TL_LANES_VAES), "vaes");
    assert_null(tl_lanes_level_name(TL_LANES_LEVELS));
    assert_true(tl_lanes_level_here(TL_LANES_SOFT));
    assert_true(tl_lanes_level_here(TL_LANES_BEST));
    assert_false(tl_lanes_level_here(TL_LANES_LEVELS));
    open_world(TL_LANES_BEST, NULL);
    tl_lanes_level best = tl_lanes_level_of(&w.lanes);
    assert_true(tl_lanes_level_here(best));
    assert_string_equal(tl_lanes_level_name(TL_LANES_BEST), tl_lanes_level_name(best));
    for (int better = (int)best + 1; better < TL_LANES_LEVELS; better++)
        assert_false(tl_lanes_level_here((tl_lanes_level)better));
}

/* ---- keys ---- */

static void check_key_load(void)
{
    tl_key k = { 7 };
    for (size_t i = 0; i < 4; i++) {
        size_t size = tl_suite_key_size(suites[i]);
        tl_assert_err(TL_E_USAGE, w.ops->key_load(w.ctx, suites[i], tl_span_of(key_bytes, size - 1), &k));
        tl_assert_err(TL_E_USAGE, w.ops->key_load(w.ctx, suites[i], tl_span_of(NULL, size), &k));
        assert_int_equal(k.slot, 0);
    }
    tl_assert_err(TL_E_USAGE, w.ops->key_load(w.ctx, TL_SUITE_NONE, tl_span_of(key_bytes, 16), &k));
    for (size_t i = 0; i < KEYS; i++)
        load(suites[i]);
    tl_assert_err(TL_E_POOL, w.ops->key_load(w.ctx, suites[0], tl_span_of(key_bytes, 16), &k));
    assert_int_equal(k.slot, 0);
}
AT_EACH_LEVEL(key_when_wrong_or_one_too_many_then_refused, check_key_load)

static void check_dropped_key(void)
{
    make_lines(TL_COVER_PAYLOAD);
    for (size_t i = 0; i < 4; i++) {
        tl_key old = load(suites[i]);
        w.ops->key_drop(w.ctx, old);
        tl_key again = load(suites[i]);
        assert_int_not_equal(old.slot, again.slot);
        tl_assert_err(TL_E_USAGE, w.ops->protect(w.ctx, old, w.m, LINES));
        w.ops->key_drop(w.ctx, old); /* another's by now: nothing */
        tl_assert_ok(w.ops->protect(w.ctx, again, w.m, LINES));
        w.ops->key_drop(w.ctx, again);
    }
    w.ops->key_drop(w.ctx, (tl_key){ 0 });
    for (size_t i = 0; i < KEYS; i++) {
        tl_assert_all(w.keys[i].state, 0, sizeof w.keys[i].state);
        tl_assert_all(w.keys[i].subkey, 0, sizeof w.keys[i].subkey);
    }
}
AT_EACH_LEVEL(key_when_dropped_then_wiped_and_its_handle_refused, check_dropped_key)

/* What stands in the stage is a message's end, and a subkey of CMAC on it. */
static void check_subkeys_left(void)
{
    for (size_t suite = 0; suite < 4; suite++) {
        tl_key k = load(suites[suite]);
        uint8_t subkey[2][TL_TAG_MAX];
        make_lines(TL_COVER_PAYLOAD);
        memcpy(subkey, w.keys[0].subkey, sizeof subkey);
        w.m[1].payload_n -= LINE % 16; /* whole blocks: K1; else K2 */
        tl_assert_ok(w.ops->protect(w.ctx, k, w.m, LINES));
        w.ops->key_drop(w.ctx, k);
        for (size_t place = 0; place < TL_LANES_WIDTH; place++)
            for (size_t at = 0; at < TL_LANES_STAGE; at += TL_TAG_MAX)
                for (unsigned which = 0; which < 2 && suite >= 2; which++) {
                    const uint8_t *block = w.lanes.place[place].stage + at;
                    /* Bytes 5 to 15 of a last block are one line's bytes, or padding. */
                    uint8_t line = which == 0 ? block[15] ^ subkey[0][15] : 0;
                    bool same = true;
                    for (size_t i = 5; i < TL_TAG_MAX; i++)
                        same = same && block[i] == (subkey[which][i] ^ line);
                    assert_false(same);
                }
    }
}

AT_EACH_LEVEL(message_when_done_then_nothing_of_a_subkey_is_left, check_subkeys_left)

static void check_wipe(void)
{
    for (size_t i = 0; i < KEYS; i++)
        load(suites[i]);
    tl_lanes_wipe(&w.lanes);
    tl_assert_all(w.keys, 0, sizeof w.keys);
    tl_assert_all(w.macs, 0, sizeof w.macs);
    tl_assert_all(&w.lanes, 0, sizeof w.lanes);
}
AT_EACH_LEVEL(backend_when_wiped_then_nothing_is_left, check_wipe)

/* ---- batches ---- */

static void expect_refused(tl_key k, size_t n)
{
    world before = w;
    for (size_t i = 0; i < LINES; i++)
        w.m[i].right = true;
    tl_assert_err(TL_E_USAGE, w.ops->protect(w.ctx, k, w.m, n));
    tl_assert_err(TL_E_USAGE, w.ops->open(w.ctx, k, w.m, n));
    tl_assert_err(TL_E_USAGE, w.ops->verify(w.ctx, k, w.m, n));
    for (size_t i = 0; i < LINES; i++) {
        assert_true(w.m[i].right == (i >= n));
        assert_memory_equal(w.m[i].tag, before.m[i].tag, TL_TAG_MAX);
    }
    assert_memory_equal(w.line, before.line, sizeof w.line);
}

static void check_usage(void)
{
    for (size_t i = 0; i < 4; i++) {
        tl_key k = load(suites[i]);
        make_lines(TL_COVER_ENCRYPTED);
        expect_refused((tl_key){ 0 }, LINES);
        expect_refused((tl_key){ 1 }, LINES);
        expect_refused((tl_key){ k.slot ^ 0x80000000U }, LINES);
        expect_refused((tl_key){ k.slot ^ 0x10000 }, LINES);
        w.m[LINES - 1].key.slot = 12345;
        expect_refused(k, LINES);
        make_lines(TL_COVER_ENCRYPTED);
        w.m[LINES - 1].payload = NULL;
        expect_refused(k, LINES);
        make_lines(TL_COVER_ENCRYPTED);
        w.m[2].header.p = NULL;
        expect_refused(k, LINES);
        make_lines(TL_COVER_ENCRYPTED);
        w.m[2].cover = (tl_cover)4;
        expect_refused(k, LINES);
        make_lines(TL_COVER_PATTERN);
        w.m[2].pattern.count = 0;
        expect_refused(k, LINES);
        make_lines(TL_COVER_PATTERN);
        w.m[2].pattern.count = 4;
        expect_refused(k, LINES);
        make_lines(TL_COVER_PAYLOAD);
        w.m[2].tag_n = 0;
        tl_assert_err(TL_E_USAGE, w.ops->verify(w.ctx, k, w.m, LINES));
        w.m[2].tag_n = TL_TAG_MAX + 1;
        tl_assert_err(TL_E_USAGE, w.ops->verify(w.ctx, k, w.m, LINES));
        tl_assert_err(TL_E_USAGE, w.ops->verify(w.ctx, k, NULL, 1));
        tl_assert_ok(w.ops->verify(w.ctx, k, NULL, 0));
    }
}
AT_EACH_LEVEL(batch_when_out_of_bounds_then_refused_and_unchanged, check_usage)

/* A message that names its own key needs no key of the call. */
static void check_own_keys(void)
{
    tl_key k[4];
    make_lines(TL_COVER_PAYLOAD);
    for (size_t i = 0; i < 4; i++)
        w.m[i].key = k[i] = load(suites[i]);
    tl_assert_ok(w.ops->protect(w.ctx, (tl_key){ 0 }, w.m, 4));
    for (size_t i = 0; i < 4; i++) {
        uint8_t tag[TL_TAG_MAX];
        memcpy(tag, w.m[i].tag, sizeof tag);
        w.m[i].key.slot = 0;
        tl_assert_ok(w.ops->protect(w.ctx, k[i], &w.m[i], 1));
        assert_memory_equal(tag, w.m[i].tag, sizeof tag);
    }
}
AT_EACH_LEVEL(message_when_it_names_its_key_then_under_that_one, check_own_keys)

static void check_wrong(tl_key k, tl_cover cover, size_t bad, uint8_t tag_n, size_t bit)
{
    make_lines(cover);
    for (size_t i = 0; i < LINES; i++)
        w.m[i].tag_n = tag_n;
    uint8_t clear[LINES][LINE];
    memcpy(clear, w.line, sizeof clear);
    tl_assert_ok(w.ops->protect(w.ctx, k, w.m, LINES));
    w.m[bad].tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
    bool seen = bit / 8 < tag_n;
    tl_assert_ok(w.ops->verify(w.ctx, k, w.m, LINES));
    for (size_t i = 0; i < LINES; i++) {
        bool wrong = seen && i == bad;
        assert_true(w.m[i].right == !wrong);
        if (wrong && cover == TL_COVER_ENCRYPTED)
            tl_assert_all(w.m[i].payload, 0, w.m[i].payload_n);
        else
            assert_memory_equal(w.line[i], clear[i], LINE);
    }
}

static void check_wrong_tags(void)
{
    for (size_t i = 0; i < 4; i++) {
        tl_key k = load(suites[i]);
        for (size_t bit = 0; bit < 8 * TL_TAG_MAX; bit++) {
            check_wrong(k, TL_COVER_PAYLOAD, bit % LINES, TL_TAG_MAX, bit);
            check_wrong(k, TL_COVER_ENCRYPTED, bit % LINES, (uint8_t)(1 + bit % TL_TAG_MAX), bit);
        }
    }
}
AT_EACH_LEVEL(verify_when_one_tag_is_wrong_then_that_message_alone_is, check_wrong_tags)

/* Each byte that the cover names, and no other, is in the tag. */
static void check_cover(tl_key k, tl_cover cover)
{
    for (size_t at = 0; at < LINE; at++) {
        make_lines(cover);
        tl_assert_ok(w.ops->protect(w.ctx, k, w.m, LINES));
        w.line[1][at] ^= 0x10;
        tl_assert_ok(w.ops->verify(w.ctx, k, w.m, LINES));
        size_t i = at - 16;
        bool covered = at < 16 || cover == TL_COVER_PAYLOAD || cover == TL_COVER_ENCRYPTED ||
                       (cover == TL_COVER_PATTERN && i >= 1 && (i - 1) % 3 < 2);
        assert_true(w.m[1].right == !covered);
        assert_true(w.m[0].right && w.m[2].right);
    }
}

static void check_covers(void)
{
    for (size_t i = 0; i < 4; i++) {
        tl_key k = load(suites[i]);
        for (int cover = TL_COVER_PAYLOAD; cover <= TL_COVER_PATTERN; cover++)
            check_cover(k, (tl_cover)cover);
    }
}
AT_EACH_LEVEL(byte_when_changed_then_noticed_if_covered, check_covers)

static void check_open(void)
{
    for (size_t i = 0; i < 4; i++) {
        tl_key k = load(suites[i]);
        uint8_t clear[LINES][LINE], tags[LINES][TL_TAG_MAX];
        make_lines(TL_COVER_ENCRYPTED);
        memcpy(clear, w.line, sizeof clear);
        tl_assert_ok(w.ops->protect(w.ctx, k, w.m, LINES));
        for (size_t j = 0; j < LINES; j++) {
            memcpy(tags[j], w.m[j].tag, TL_TAG_MAX);
            memset(w.m[j].tag, 0, TL_TAG_MAX);
            w.m[j].tag_n = 0; /* no tag travels */
        }
        tl_assert_ok(w.ops->open(w.ctx, k, w.m, LINES));
        assert_memory_equal(w.line, clear, sizeof clear);
        for (size_t j = 0; j < LINES; j++)
            assert_memory_equal(w.m[j].tag, tags[j], TL_TAG_MAX);
    }
}
AT_EACH_LEVEL(open_when_no_tag_travels_then_gives_it_and_the_text, check_open)

/* ---- running MACs ---- */

static void check_mac_usage(void)
{
    const tl_crypto_ops *ops = w.ops;
    uint8_t nonce[TL_NONCE_SIZE] = { 0 }, tag[TL_TAG_MAX];
    tl_mac a, b, c;
    for (size_t i = 0; i < 4; i++) {
        tl_key k = load(suites[i]);
        bool cmac = i >= 2;
        tl_assert_err(TL_E_USAGE, ops->mac_start(w.ctx, (tl_key){ 0 }, nonce, &a));
        assert_int_equal(a.slot, 0);
        tl_assert_ok(ops->mac_start(w.ctx, k, nonce, &a));
        tl_assert_ok(ops->mac_start(w.ctx, k, cmac ? NULL : nonce, &b));
        tl_assert_err(TL_E_POOL, ops->mac_start(w.ctx, k, nonce, &c));
        assert_int_equal(c.slot, 0);
        tl_assert_err(TL_E_USAGE, ops->mac_add(w.ctx, c, tl_span_of(nonce, 1)));
        tl_assert_err(TL_E_USAGE, ops->mac_add(w.ctx, a, tl_span_of(NULL, 1)));
        tl_assert_ok(ops->mac_add(w.ctx, a, tl_span_of(NULL, 0)));
        ops->mac_drop(w.ctx, c);
        tl_assert_ok(ops->mac_end(w.ctx, a, tag));
        tl_assert_err(TL_E_USAGE, ops->mac_add(w.ctx, a, tl_span_of(nonce, 1)));
        memset(tag, 1, sizeof tag);
        tl_assert_err(TL_E_USAGE, ops->mac_end(w.ctx, a, tag));
        tl_assert_all(tag, 0, sizeof tag);
        tl_assert_ok(ops->mac_start(w.ctx, k, nonce, &c));
        assert_int_not_equal(a.slot, c.slot);
        ops->mac_drop(w.ctx, a); /* another's by now: nothing */
        tl_assert_ok(ops->mac_add(w.ctx, c, tl_span_of(nonce, 1)));
        w.ops->key_drop(w.ctx, k);
        tl_assert_err(TL_E_USAGE, ops->mac_add(w.ctx, c, tl_span_of(nonce, 1)));
        tl_assert_err(TL_E_USAGE, ops->mac_end(w.ctx, c, tag));
        ops->mac_drop(w.ctx, c);
        ops->mac_drop(w.ctx, b);
        for (size_t j = 0; j < MACS; j++)
            tl_assert_all(w.macs[j].room, 0, sizeof w.macs[j].room);
    }
}
AT_EACH_LEVEL(mac_when_misused_then_refused_and_slots_are_freed, check_mac_usage)

static void check_gmac_needs_nonce(void)
{
    tl_mac m;
    tl_assert_err(TL_E_USAGE, w.ops->mac_start(w.ctx, load(TL_SUITE_AES128_GMAC), NULL, &m));
    assert_int_equal(m.slot, 0);
}
AT_EACH_LEVEL(mac_when_gmac_has_no_nonce_then_refused, check_gmac_needs_nonce)

/* ---- the base ---- */

static void base_when_there_is_none_then_its_operations_fail(void **state)
{
    (void)state;
    uint8_t out[TL_HASH_MAX];
    tl_hash h;
    tl_key k;
    bool right = true;
    tl_chain_facts facts;
    const tl_chain_rules rules = { 0 };
    const tl_digest digest = { TL_HASH_SHA256, tl_span_of(out, 32) };
    open_world(TL_LANES_BEST, NULL);
    memset(out, 1, sizeof out);
    tl_assert_err(TL_E_BACKEND, w.ops->random(w.ctx, out, sizeof out));
    tl_assert_all(out, 0, sizeof out);
    tl_assert_err(TL_E_BACKEND, w.ops->hash_start(w.ctx, TL_HASH_SHA256, &h));
    tl_assert_err(TL_E_BACKEND, w.ops->hash_add(w.ctx, h, tl_span_of(out, 1)));
    tl_assert_err(TL_E_BACKEND, w.ops->hash_clone(w.ctx, h, &h));
    tl_assert_err(TL_E_BACKEND, w.ops->hash_end(w.ctx, h, out));
    w.ops->hash_drop(w.ctx, h);
    tl_assert_err(TL_E_BACKEND, w.ops->hmac(w.ctx, TL_HASH_SHA256, tl_span_of(out, 4), NULL, 0, out));
    tl_assert_err(TL_E_BACKEND, w.ops->sign(w.ctx, (tl_key){ 1 }, TL_SIGN_NONE, digest, out));
    tl_assert_err(TL_E_BACKEND, w.ops->check_signature(w.ctx, (tl_key){ 1 }, TL_SIGN_NONE, digest,
                                                       tl_span_of(out, 1), &right));
    assert_false(right);
    tl_assert_err(TL_E_BACKEND, w.ops->exchange_start(w.ctx, TL_GROUP_NONE, &k, out));
    tl_assert_err(TL_E_BACKEND, w.ops->exchange_end(w.ctx, (tl_key){ 1 }, tl_span_of(out, 1), out));
    tl_assert_err(TL_E_BACKEND, w.ops->chain_check(w.ctx, &rules, tl_span_of(out, 1), &facts));
    assert_int_equal(facts.key.slot, 0);
    w.ops->key_drop(w.ctx, (tl_key){ 1 });
}

/* An exchange, by handles of the base, with stream keys of our own beside them. */
static void base_when_there_is_one_then_its_keys_and_ours_are_apart(void **state)
{
    (void)state;
    tl_openssl *openssl;
    tl_key ours, theirs, stream[KEYS];
    uint8_t point[2][TL_POINT_MAX], secret[2][TL_SECRET_MAX], out[TL_SIGNATURE_MAX];
    tl_assert_ok(tl_openssl_open(NULL, &openssl));
    open_world(TL_LANES_BEST, tl_openssl_crypto(openssl));
    for (size_t i = 0; i < KEYS; i++)
        stream[i] = load(suites[i]);
    tl_assert_ok(w.ops->exchange_start(w.ctx, TL_GROUP_P256, &ours, point[0]));
    tl_assert_ok(w.ops->exchange_start(w.ctx, TL_GROUP_P256, &theirs, point[1]));
    make_lines(TL_COVER_PAYLOAD);
    tl_assert_err(TL_E_USAGE, w.ops->protect(w.ctx, ours, w.m, LINES));
    tl_assert_err(TL_E_USAGE, w.ops->exchange_end(w.ctx, stream[0], tl_span_of(point[1], 64), secret[0]));
    const tl_digest digest = { TL_HASH_SHA256, tl_span_of(point[0], 32) };
    tl_assert_err(TL_E_USAGE, w.ops->sign(w.ctx, stream[0], TL_SIGN_ECDSA_P256, digest, out));
    tl_assert_ok(w.ops->exchange_end(w.ctx, ours, tl_span_of(point[1], 64), secret[0]));
    tl_assert_ok(w.ops->exchange_end(w.ctx, theirs, tl_span_of(point[0], 64), secret[1]));
    assert_memory_equal(secret[0], secret[1], 32);
    tl_assert_ok(w.ops->random(w.ctx, out, sizeof out));
    for (size_t i = 0; i < KEYS; i++)
        tl_assert_ok(w.ops->protect(w.ctx, stream[i], w.m, LINES));
    tl_lanes_wipe(&w.lanes);
    tl_openssl_close(openssl);
}

/* ---- constants ---- */

/* x^n modulo P, which has degree 32, reflected in 64 bits. */
static uint64_t power_of_x(unsigned n, uint64_t p)
{
    uint64_t r = 1, reflected = 0;
    for (unsigned i = 0; i < n; i++)
        r = (r << 1) ^ ((r >> 31) != 0 ? p : 0);
    for (unsigned i = 0; i < 64; i++)
        reflected |= (r >> i & 1) << (63 - i);
    return reflected;
}

static uint64_t reflected_33(uint64_t a)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < 33; i++)
        r |= (a >> i & 1) << (32 - i);
    return r;
}

/* x^64 / P, bit by bit. */
static uint64_t quotient(uint64_t p)
{
    uint64_t q = 1, rest = (p ^ (1ULL << 32)) << 32;
    for (unsigned i = 32; i > 0; i--) {
        bool goes = (rest >> (31 + i) & 1) != 0;
        q = q << 1 | goes;
        rest ^= goes ? p << (i - 1) : 0;
    }
    return q;
}

static void check_fold(const tl__fold *f, uint64_t p)
{
    const struct {
        const uint64_t *got;
        unsigned bits;
    } rows[] = {
        { f->by_4096, 4096 }, { f->by_512, 512 }, { f->by_384, 384 }, { f->by_256, 256 }, { f->by_128, 128 }
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(rows[i].got[0] == power_of_x(rows[i].bits + 63, p));
        assert_true(rows[i].got[1] == power_of_x(rows[i].bits - 1, p));
    }
    assert_true(f->to_96 == power_of_x(95, p));
    assert_true(f->to_64 == power_of_x(63, p));
    assert_true(f->poly == reflected_33(p));
    assert_true(f->quotient == reflected_33(quotient(p)));
}

static void folding_when_worked_out_from_the_polynomial_then_as_in_the_table(void **state)
{
    (void)state;
    check_fold(&tl__fold_crc32, 0x104C11DB7);
    check_fold(&tl__fold_crc16, 0x110210000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_when_the_configuration_breaks_a_rule_then_refused),
        cmocka_unit_test(levels_when_asked_then_named_and_the_best_is_here),
        cmocka_unit_test(key_when_wrong_or_one_too_many_then_refused),
        cmocka_unit_test(key_when_dropped_then_wiped_and_its_handle_refused),
        cmocka_unit_test(message_when_done_then_nothing_of_a_subkey_is_left),
        cmocka_unit_test(backend_when_wiped_then_nothing_is_left),
        cmocka_unit_test(batch_when_out_of_bounds_then_refused_and_unchanged),
        cmocka_unit_test(message_when_it_names_its_key_then_under_that_one),
        cmocka_unit_test(verify_when_one_tag_is_wrong_then_that_message_alone_is),
        cmocka_unit_test(byte_when_changed_then_noticed_if_covered),
        cmocka_unit_test(open_when_no_tag_travels_then_gives_it_and_the_text),
        cmocka_unit_test(mac_when_misused_then_refused_and_slots_are_freed),
        cmocka_unit_test(mac_when_gmac_has_no_nonce_then_refused),
        cmocka_unit_test(base_when_there_is_none_then_its_operations_fail),
        cmocka_unit_test(base_when_there_is_one_then_its_keys_and_ours_are_apart),
        cmocka_unit_test(folding_when_worked_out_from_the_polynomial_then_as_in_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
