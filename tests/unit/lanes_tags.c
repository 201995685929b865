/* The data plane's backend at each level that this machine has: its tags, texts and checksums are OpenSSL's and the
 * core's, for batches of messages of all kinds. */
#include "testing.h"

#include "by_openssl.h"

#include <trueline/csi2.h>
#include <trueline/lanes.h>

#include "cse/crc32.h"

#include <stdlib.h>
#include <string.h>

enum { KEYS = 8, MESSAGES = 70, ROOM = 5000 };

static const tl_suite suites[] = { TL_SUITE_AES128_GMAC, TL_SUITE_AES256_GMAC, TL_SUITE_AES128_CMAC,
                                   TL_SUITE_AES256_CMAC };

typedef struct bench {
    tl_lanes lanes;
    tl_lanes_key slots[KEYS];
    tl_lanes_mac macs[2];
    const tl_crypto *c;
    tl_key key[KEYS];
    tl_suite suite[KEYS];
    uint8_t bytes[KEYS][64];
    tl_sealed m[MESSAGES];
    size_t key_of[MESSAGES];
    uint8_t *room[MESSAGES];  /* header and payload of each message */
    uint8_t *clear[MESSAGES]; /* the same, as they were before */
    tl_rng rng;
} bench;

static bench b;

static void open_level(tl_lanes_level level, const char *test)
{
    b.rng = tl_random_start(test);
    const tl_lanes_config config = {
        .level = level, .keys = b.slots, .key_n = KEYS, .macs = b.macs, .mac_n = 2
    };
    tl_assert_ok(tl_lanes_init(&b.lanes, &config));
    b.c = tl_lanes_crypto(&b.lanes);
    for (size_t i = 0; i < KEYS; i++) {
        b.suite[i] = suites[i % 4];
        tl_random_fill(&b.rng, b.bytes[i], sizeof b.bytes[i]);
        tl_assert_ok(b.c->ops->key_load(b.c->ctx, b.suite[i],
                                        tl_span_of(b.bytes[i], tl_suite_key_size(b.suite[i])), &b.key[i]));
    }
    for (size_t i = 0; i < MESSAGES; i++) {
        b.room[i] = malloc(ROOM);
        b.clear[i] = malloc(ROOM);
        assert_non_null(b.room[i]);
        assert_non_null(b.clear[i]);
    }
}

static void close_level(void)
{
    for (size_t i = 0; i < MESSAGES; i++) {
        free(b.room[i]);
        free(b.clear[i]);
    }
    tl_lanes_wipe(&b.lanes);
}

static size_t some_length(void)
{
    switch (tl_random_below(&b.rng, 4)) {
    case 0: return tl_random_below(&b.rng, 40);
    case 1: return 16 * tl_random_below(&b.rng, 70);
    case 2: return 1024 * tl_random_below(&b.rng, 4) + tl_random_below(&b.rng, 3);
    default: return tl_random_below(&b.rng, 4000);
    }
}

/* A message of any kind, filled with anything. */
static void make(size_t i, size_t key)
{
    tl_sealed *m = &b.m[i];
    size_t offset = tl_random_below(&b.rng, 64), header_n = tl_random_below(&b.rng, 50);
    size_t gap = tl_random_below(&b.rng, 2) * tl_random_below(&b.rng, 20);
    tl_random_fill(&b.rng, b.room[i], ROOM);
    memset(m, 0, sizeof *m);
    b.key_of[i] = key;
    m->key = b.key[key];
    m->header = tl_span_of(b.room[i] + offset, header_n);
    m->payload = b.room[i] + offset + header_n + gap;
    m->payload_n = some_length();
    m->cover = (tl_cover)tl_random_below(&b.rng, 4);
    m->pattern.period = (uint16_t)(1 + tl_random_below(&b.rng, tl_random_below(&b.rng, 2) == 0 ? 5 : 400));
    m->pattern.count = (uint16_t)(1 + tl_random_below(&b.rng, m->pattern.period));
    m->pattern.first = (uint16_t)tl_random_below(&b.rng, 100);
    m->tag_n = (uint8_t)(1 + tl_random_below(&b.rng, TL_TAG_MAX));
    tl_random_fill(&b.rng, m->nonce, sizeof m->nonce);
    memcpy(b.clear[i], b.room[i], ROOM);
}

/* Is what stands in the message's room what OpenSSL would have left there, and its tag OpenSSL's? */
static void check_sealed(size_t i)
{
    const tl_sealed *m = &b.m[i];
    size_t key = b.key_of[i], at = (size_t)(m->payload - b.room[i]);
    uint8_t tag[TL_TAG_MAX];
    if (m->cover == TL_COVER_ENCRYPTED)
        tl_by_openssl_crypt(b.suite[key], b.bytes[key], m->nonce, b.clear[i] + at, m->payload_n);
    assert_memory_equal(b.room[i], b.clear[i], ROOM);
    tl_by_openssl_tag(b.suite[key], b.bytes[key], m, tag);
    assert_memory_equal(m->tag, tag, TL_TAG_MAX);
    if (m->cover == TL_COVER_ENCRYPTED)
        tl_by_openssl_crypt(b.suite[key], b.bytes[key], m->nonce, b.clear[i] + at, m->payload_n);
}

static void check_batches(size_t keys)
{
    for (size_t round = 0; round < 60; round++) {
        size_t n = round % 3 == 0 ? MESSAGES : 1 + tl_random_below(&b.rng, MESSAGES);
        size_t first = tl_random_below(&b.rng, KEYS);
        for (size_t i = 0; i < n; i++)
            make(i, (first + tl_random_below(&b.rng, keys) * 4) % KEYS);
        if (keys == KEYS) {
            for (size_t i = 0; i < n; i++)
                make(i, tl_random_below(&b.rng, KEYS));
        }
        tl_assert_ok(b.c->ops->protect(b.c->ctx, b.key[0], b.m, n));
        for (size_t i = 0; i < n; i++)
            check_sealed(i);
        tl_assert_ok(b.c->ops->verify(b.c->ctx, b.key[0], b.m, n));
        for (size_t i = 0; i < n; i++) {
            assert_true(b.m[i].right);
            assert_memory_equal(b.room[i], b.clear[i], ROOM);
        }
    }
}

/* Runs a case at each level that is here, which is one at least. */
static void at_each_level(void (*run)(void), const char *test)
{
    for (int level = TL_LANES_BEST + 1; level < TL_LANES_LEVELS; level++) {
        if (!tl_lanes_level_here((tl_lanes_level)level))
            continue;
        print_message("# %s\n", tl_lanes_level_name((tl_lanes_level)level));
        open_level((tl_lanes_level)level, test);
        run();
        close_level();
    }
}

static void one_key_here(void)
{
    check_batches(1);
}

static void two_keys_here(void)
{
    check_batches(2);
}

static void all_keys_here(void)
{
    check_batches(KEYS);
}

/* Lengths that change one after the other, so that places end at different times. */
static void all_lengths_here(void)
{
    for (size_t key = 0; key < 4; key++) {
        for (size_t from = 0; from < 2200; from += MESSAGES) {
            for (size_t i = 0; i < MESSAGES; i++) {
                make(i, key);
                b.m[i].payload_n = from + i;
                b.m[i].cover = i % 2 == 0 ? TL_COVER_PAYLOAD : TL_COVER_ENCRYPTED;
            }
            tl_assert_ok(b.c->ops->protect(b.c->ctx, b.key[key], b.m, MESSAGES));
            for (size_t i = 0; i < MESSAGES; i++)
                check_sealed(i);
        }
    }
}

static void check_running(size_t key, const uint8_t *data, size_t n)
{
    const tl_crypto *c = b.c;
    uint8_t nonce[TL_NONCE_SIZE], tag[TL_TAG_MAX], expected[TL_TAG_MAX];
    tl_mac mac;
    tl_random_fill(&b.rng, nonce, sizeof nonce);
    tl_assert_ok(c->ops->mac_start(c->ctx, b.key[key], nonce, &mac));
    size_t most = 1 + tl_random_below(&b.rng, n + 1);
    for (size_t at = 0; at < n;) {
        size_t some = tl_random_below(&b.rng, most + 1);
        some = some < n - at ? some : n - at;
        tl_assert_ok(c->ops->mac_add(c->ctx, mac, tl_span_of(data + at, some)));
        at += some;
    }
    tl_assert_ok(c->ops->mac_end(c->ctx, mac, tag));
    tl_by_openssl_mac(b.suite[key], b.bytes[key], nonce, tl_span_of(data, n), expected);
    assert_memory_equal(tag, expected, TL_TAG_MAX);
}

static void running_here(void)
{
    static uint8_t data[20000];
    tl_random_fill(&b.rng, data, sizeof data);
    for (size_t key = 0; key < KEYS; key++) {
        for (size_t n = 0; n < 40; n++)
            check_running(key, data, n);
        for (size_t n = 1000; n < 1060; n++)
            check_running(key, data, n);
        for (size_t i = 0; i < 60; i++)
            check_running(key, data, tl_random_below(&b.rng, sizeof data));
    }
}

static void checksums_here(void)
{
    const tl_crypto_ops *ops = b.c->ops;
    static uint8_t data[5000];
    tl_random_fill(&b.rng, data, sizeof data);
    for (size_t n = 0; n < sizeof data - 64; n += n < 1400 ? 1 : 61) {
        uint32_t start = (uint32_t)tl_random_next(&b.rng);
        tl_span bytes = tl_span_of(data + n % 64, n);
        if (ops->crc16 != NULL)
            assert_int_equal(ops->crc16((uint16_t)start, bytes), tl_csi2_crc16((uint16_t)start, bytes));
        if (ops->crc32 != NULL)
            assert_int_equal(ops->crc32(start, bytes), tl_cse_crc32(start, bytes));
    }
}

static void batch_when_under_one_key_then_is_as_openssl_makes_it(void **state)
{
    (void)state;
    at_each_level(one_key_here, __func__);
}

static void batch_when_under_two_keys_of_a_suite_then_is_as_openssl_makes_it(void **state)
{
    (void)state;
    at_each_level(two_keys_here, __func__);
}

static void batch_when_under_keys_of_all_suites_then_is_as_openssl_makes_it(void **state)
{
    (void)state;
    at_each_level(all_keys_here, __func__);
}

static void batch_when_of_any_length_then_is_as_openssl_makes_it(void **state)
{
    (void)state;
    at_each_level(all_lengths_here, __func__);
}

static void running_mac_when_fed_in_pieces_then_is_the_tag_of_the_whole(void **state)
{
    (void)state;
    at_each_level(running_here, __func__);
}

static void checksum_when_of_any_length_then_is_the_cores(void **state)
{
    (void)state;
    at_each_level(checksums_here, __func__);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_when_under_one_key_then_is_as_openssl_makes_it),
        cmocka_unit_test(batch_when_under_two_keys_of_a_suite_then_is_as_openssl_makes_it),
        cmocka_unit_test(batch_when_under_keys_of_all_suites_then_is_as_openssl_makes_it),
        cmocka_unit_test(batch_when_of_any_length_then_is_as_openssl_makes_it),
        cmocka_unit_test(running_mac_when_fed_in_pieces_then_is_the_tag_of_the_whole),
        cmocka_unit_test(checksum_when_of_any_length_then_is_the_cores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
