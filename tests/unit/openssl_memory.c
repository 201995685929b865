/* What the OpenSSL backend leaves in memory: a key or a text that was given up must be in no block that is
 * live, nor have been in one when it was freed; and messages cost no allocation.
 *
 * OpenSSL takes its memory from the allocator below, which keeps a list of its blocks and looks through each
 * one that is freed. How a cipher stores its key is the processor's matter, so for keys the bytes that are
 * live are counted too. */
#include "testing.h"

#include <trueline/openssl.h>

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

typedef struct block {
    struct block *before, *after;
    size_t n;
    max_align_t bytes[];
} block;

static block first = { .before = &first, .after = &first };
static size_t allocations, freed_with_secret;

/* Both keys of a CMAC suite begin alike. */
static const uint8_t secret[] = "a secret that is 32 bytes long!!a secret that is 32 bytes long!";
enum { LOOK_FOR = 12 }; /* bytes of each half */

static const tl_suite suites[] = { TL_SUITE_AES128_GMAC, TL_SUITE_AES256_GMAC, TL_SUITE_AES128_CMAC,
                                   TL_SUITE_AES256_CMAC };
enum { SUITES = sizeof suites / sizeof *suites };

static size_t times_in(const void *p, size_t n)
{
    size_t times = 0;
    for (size_t i = 0; i + LOOK_FOR <= n; i++)
        times += memcmp((const uint8_t *)p + i, secret, LOOK_FOR) == 0;
    return times;
}

static size_t times_in_memory(void)
{
    size_t times = 0;
    for (block *b = first.after; b != &first; b = b->after)
        times += times_in(b->bytes, b->n);
    return times;
}

static size_t bytes_live(void)
{
    size_t n = 0;
    for (block *b = first.after; b != &first; b = b->after)
        n += b->n;
    return n;
}

static void *take(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    block *b = calloc(1, sizeof *b + n);
    if (b == NULL)
        return NULL;
    allocations++;
    b->n = n;
    b->before = &first;
    b->after = first.after;
    b->after->before = first.after = b;
    return b->bytes;
}

static void give(void *p, const char *file, int line)
{
    (void)file, (void)line;
    if (p == NULL)
        return;
    block *b = (block *)(void *)((uint8_t *)p - offsetof(block, bytes));
    freed_with_secret += times_in(b->bytes, b->n);
    b->before->after = b->after;
    b->after->before = b->before;
    free(b);
}

static void *retake(void *p, size_t n, const char *file, int line)
{
    void *q = take(n, file, line);
    if (p == NULL || q == NULL)
        return q;
    block *b = (block *)(void *)((uint8_t *)p - offsetof(block, bytes));
    memcpy(q, p, b->n < n ? b->n : n);
    give(p, file, line);
    return q;
}

static tl_openssl *backend;
static const tl_crypto *c;

static int set_up(void **s)
{
    (void)s;
    tl_assert_ok(tl_openssl_open(NULL, &backend));
    c = tl_openssl_crypto(backend);
    freed_with_secret = 0;
    assert_int_equal(times_in_memory(), 0);
    return 0;
}

static int tear_down(void **s)
{
    (void)s;
    tl_openssl_close(backend);
    return 0;
}

static void assert_no_trace(void)
{
    assert_int_equal(times_in_memory(), 0);
    assert_int_equal(freed_with_secret, 0);
}

static void key_load(tl_suite suite, tl_key *k)
{
    tl_assert_ok(c->ops->key_load(c->ctx, suite, tl_span_of(secret, tl_suite_key_size(suite)), k));
}

static void mac_start(tl_key k, tl_mac *m)
{
    static const uint8_t nonce[TL_NONCE_SIZE] = { 1 };
    tl_assert_ok(c->ops->mac_start(c->ctx, k, nonce, m));
    tl_assert_ok(c->ops->mac_add(c->ctx, *m, tl_span_of("list", 4)));
}

/* All that a key is for. */
static void use_key(tl_key k)
{
    uint8_t text[20] = { 0 }, tag[TL_TAG_MAX];
    tl_sealed m = { .header = { secret, 3 }, .payload = text, .payload_n = sizeof text, .tag_n = 16 };
    tl_mac ended, dropped;
    m.cover = TL_COVER_ENCRYPTED;
    tl_assert_ok(c->ops->protect(c->ctx, k, &m, 1));
    tl_assert_ok(c->ops->verify(c->ctx, k, &m, 1));
    assert_true(m.right);
    tl_assert_ok(c->ops->open(c->ctx, k, &m, 1));
    mac_start(k, &ended);
    mac_start(k, &dropped);
    tl_assert_ok(c->ops->mac_end(c->ctx, ended, tag));
    c->ops->mac_drop(c->ctx, dropped);
}

static void key_when_dropped_then_no_trace(void **s)
{
    (void)s;
    for (size_t i = 0; i < 2 * SUITES; i++) {
        tl_key k;
        size_t before = bytes_live();
        key_load(suites[i % SUITES], &k);
        assert_true(bytes_live() > before);
        use_key(k);
        c->ops->key_drop(c->ctx, k);
        if (i >= SUITES) /* algorithms are found at the first use, and kept */
            assert_int_equal(bytes_live(), before);
        assert_no_trace();
    }
}

static void mac_when_it_is_running_without_its_key_then_ending_leaves_no_trace(void **s)
{
    (void)s;
    for (size_t i = 0; i < 2 * SUITES; i++) {
        uint8_t tag[TL_TAG_MAX];
        tl_key k;
        tl_mac m;
        size_t before = bytes_live();
        key_load(suites[i % SUITES], &k);
        mac_start(k, &m);
        c->ops->key_drop(c->ctx, k);
        assert_true(bytes_live() > before);
        if (i / SUITES == 0)
            tl_assert_ok(c->ops->mac_end(c->ctx, m, tag));
        else
            c->ops->mac_drop(c->ctx, m);
        if (i >= SUITES)
            assert_int_equal(bytes_live(), before);
        assert_no_trace();
    }
}

static void key_when_the_backend_is_closed_then_no_trace(void **s)
{
    (void)s;
    static const uint8_t nonce[TL_NONCE_SIZE];
    tl_openssl *b;
    tl_key k;
    tl_mac m;
    size_t before = bytes_live();
    tl_assert_ok(tl_openssl_open(NULL, &b));
    const tl_crypto *other = tl_openssl_crypto(b);
    for (size_t i = 0; i < SUITES; i++) {
        tl_span key = { secret, tl_suite_key_size(suites[i]) };
        tl_assert_ok(other->ops->key_load(other->ctx, suites[i], key, &k));
        tl_assert_ok(other->ops->mac_start(other->ctx, k, nonce, &m));
    }
    tl_openssl_close(b);
    assert_int_equal(bytes_live(), before);
    assert_no_trace();
}

/* OpenSSL keeps a copy of the key in its context, until the next one comes. */
static void hmac_when_done_then_no_trace_of_its_key(void **s)
{
    (void)s;
    uint8_t mac[TL_HASH_MAX];
    const tl_span part = { (const uint8_t *)"info", 4 };
    for (int alg = TL_HASH_SHA256; alg <= TL_HASH_SHA384; alg++) {
        tl_assert_ok(c->ops->hmac(c->ctx, (tl_hash_alg)alg, tl_span_of(secret, 32), &part, 1, mac));
        assert_no_trace();
    }
}

static void hash_when_ended_or_dropped_then_no_trace_of_its_text(void **s)
{
    (void)s;
    for (int round = 0; round < 2; round++) {
        uint8_t digest[32];
        tl_hash h, clone;
        tl_assert_ok(c->ops->hash_start(c->ctx, TL_HASH_SHA256, &h));
        tl_assert_ok(c->ops->hash_add(c->ctx, h, tl_span_of(secret, 32)));
        tl_assert_ok(c->ops->hash_clone(c->ctx, h, &clone));
        assert_int_equal(times_in_memory(), 2);
        if (round == 0)
            tl_assert_ok(c->ops->hash_end(c->ctx, h, digest));
        else
            c->ops->hash_drop(c->ctx, h);
        c->ops->hash_drop(c->ctx, clone);
        assert_no_trace();
    }
}

enum { BATCH = 16, LINE = 200 };

static void fill(uint8_t lines[BATCH][LINE], tl_sealed m[BATCH], uint8_t round)
{
    for (uint8_t i = 0; i < BATCH; i++) {
        m[i] = (tl_sealed){ .header = { secret, 16 }, .payload = lines[i], .payload_n = LINE, .tag_n = 12 };
        m[i].cover = (tl_cover)(i % 4);
        m[i].pattern = (tl_pattern){ 1, 2, 3 };
        m[i].nonce[0] = round;
        m[i].nonce[1] = i;
    }
}

static void messages_when_they_flow_then_nothing_is_allocated(void **s)
{
    (void)s;
    uint8_t lines[BATCH][LINE] = { { 0 } };
    tl_sealed m[BATCH];
    tl_key k[SUITES];
    for (size_t i = 0; i < SUITES; i++)
        key_load(suites[i], &k[i]);
    assert_true(allocations > 0);
    size_t before = allocations;
    for (uint8_t round = 0; round < 20; round++) {
        fill(lines, m, round);
        for (size_t i = 0; i < BATCH; i++)
            m[i].key = k[i / 4 % SUITES];
        tl_assert_ok(c->ops->protect(c->ctx, k[0], m, BATCH));
        m[round % BATCH].tag[0] ^= 1;
        tl_assert_ok(c->ops->verify(c->ctx, k[0], m, BATCH));
        assert_false(m[round % BATCH].right);
        tl_assert_ok(c->ops->open(c->ctx, k[0], m, BATCH));
    }
    assert_int_equal(allocations - before, 0);
    for (size_t i = 0; i < SUITES; i++)
        c->ops->key_drop(c->ctx, k[i]);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(key_when_dropped_then_no_trace),
        CASE(mac_when_it_is_running_without_its_key_then_ending_leaves_no_trace),
        CASE(key_when_the_backend_is_closed_then_no_trace),
        CASE(hmac_when_done_then_no_trace_of_its_key),
        CASE(hash_when_ended_or_dropped_then_no_trace_of_its_text),
        CASE(messages_when_they_flow_then_nothing_is_allocated),
    };
    if (CRYPTO_set_mem_functions(take, retake, give) != 1)
        return 1;
    return cmocka_run_group_tests_name("openssl_memory", tests, NULL, NULL);
}
