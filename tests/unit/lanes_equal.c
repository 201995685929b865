/* Every level of the kernels against OpenSSL, message by message: at all lengths from 0 to 4,096 and all offsets from 0 to
 * 63, for each suite and cover, what protect makes, what verify says of it and what open makes of it, and the checksums
 * against the core's own.
 *
 * For each length OpenSSL is asked once, and each level for many offsets at once, which are a batch. A level for a kind
 * of processor does all offsets at all lengths; built with sanitizers, each length at an eighth of the offsets. The
 * portable level, some hundred times slower, does short lengths and some of the others at one offset each, and all
 * offsets at some. With TL_EVERYTHING in the environment each does everything. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "levels.h"

#include "cse/crc32.h"

#include <trueline/csi2.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    LONGEST = 4096,
    OFFSETS = 64,
    HEADER = 16,
    EDGE = 64,
    ROOM = EDGE + OFFSETS + LONGEST + EDGE,
    FILLER = 0xA5
};

static tl_levels levels;
static uint8_t plain[LONGEST];
static _Alignas(64) uint8_t memory[OFFSETS][ROOM];

static int open_levels(void **s)
{
    tl_rng r = tl_random_start(__func__);
    (void)s;
    tl_levels_open(&levels, &r);
    tl_random_fill(&r, plain, sizeof plain);
    return 0;
}

static int close_levels(void **s)
{
    (void)s;
    tl_levels_close(&levels);
    return 0;
}

/* One length under one suite and cover, as OpenSSL has it. */
typedef struct expected {
    tl_sealed m;
    size_t key;
    uint8_t header[HEADER], text[LONGEST];
} expected;

static void ask_openssl(expected *x, size_t key, tl_cover cover, size_t n)
{
    const tl_levels_end *end = &levels.reference;
    memset(x, 0, sizeof *x);
    x->key = key;
    memcpy(x->header, &n, sizeof n);
    memcpy(x->text, plain, n);
    x->m =
        (tl_sealed){ .header = { x->header, HEADER }, .payload_n = n, .cover = cover, .tag_n = TL_TAG_MAX };
    x->m.payload = x->text;
    x->m.pattern.first = (uint16_t)(n % 37);
    x->m.pattern.period = (uint16_t)(1 + n % 113);
    x->m.pattern.count = (uint16_t)(1 + n % 59 % x->m.pattern.period);
    memcpy(x->m.nonce, &n, sizeof n);
    x->m.nonce[10] = (uint8_t)cover;
    tl_assert_ok(end->crypto->ops->protect(end->crypto->ctx, end->keys[key], &x->m, 1));
}

/* ---- one batch: the same message at some offsets ---- */

typedef struct batch {
    const tl_levels_end *end;
    const expected *x;
    tl_sealed m[OFFSETS];
    size_t n;
} batch;

static void add_at(batch *b, size_t offset)
{
    uint8_t *row = memory[b->n];
    tl_sealed *m = &b->m[b->n++];
    *m = b->x->m;
    m->payload = row + EDGE + offset;
    memset(m->payload - EDGE, FILLER, EDGE);
    memcpy(m->payload, plain, m->payload_n);
    memset(m->payload + m->payload_n, FILLER, EDGE);
    memset(m->tag, 0, sizeof m->tag);
}

static void assert_payload(const batch *b, size_t i, const uint8_t *bytes, const char *after)
{
    const tl_sealed *m = &b->m[i];
    if (memcmp(m->payload, bytes, m->payload_n) != 0)
        fail_msg("%s, %s, cover %d, %zu bytes: %s leaves another payload at offset %zu", b->end->name,
                 tl_suite_name(tl_levels_suites[b->x->key % TL_LEVELS_SUITES]), (int)m->cover, m->payload_n,
                 after, (size_t)(m->payload - memory[i] - EDGE));
    for (size_t j = 0; j < EDGE; j++)
        if (m->payload[-1 - (ptrdiff_t)j] != FILLER || m->payload[m->payload_n + j] != FILLER)
            fail_msg("%s, cover %d, %zu bytes: %s writes beyond the payload", b->end->name, (int)m->cover,
                     m->payload_n, after);
}

static void assert_tag(const batch *b, size_t i, const char *after)
{
    if (memcmp(b->m[i].tag, b->x->m.tag, TL_TAG_MAX) != 0)
        fail_msg("%s, %s, cover %d, %zu bytes: %s makes another tag at offset %zu", b->end->name,
                 tl_suite_name(tl_levels_suites[b->x->key % TL_LEVELS_SUITES]), (int)b->m[i].cover,
                 b->m[i].payload_n, after, (size_t)(b->m[i].payload - memory[i] - EDGE));
}

static void check_protect(batch *b)
{
    const tl_crypto *c = b->end->crypto;
    tl_assert_ok(c->ops->protect(c->ctx, b->end->keys[b->x->key], b->m, b->n));
    for (size_t i = 0; i < b->n; i++) {
        assert_tag(b, i, "protect");
        assert_payload(b, i, b->x->text, "protect");
    }
}

/* One of the tags is wrong. */
static void check_verify(batch *b)
{
    const tl_crypto *c = b->end->crypto;
    size_t wrong = b->x->m.payload_n % b->n, bit = b->x->m.payload_n / b->n % (8 * TL_TAG_MAX);
    b->m[wrong].tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
    tl_assert_ok(c->ops->verify(c->ctx, b->end->keys[b->x->key], b->m, b->n));
    for (size_t i = 0; i < b->n; i++) {
        static const uint8_t zeros[LONGEST];
        if (b->m[i].right != (i != wrong))
            fail_msg("%s, cover %d, %zu bytes: verify finds message %zu of %zu %s", b->end->name,
                     (int)b->m[i].cover, b->x->m.payload_n, i, b->n, b->m[i].right ? "right" : "wrong");
        assert_payload(b, i, i == wrong && b->m[i].cover == TL_COVER_ENCRYPTED ? zeros : plain, "verify");
    }
}

static void check_open(batch *b)
{
    const tl_crypto *c = b->end->crypto;
    for (size_t i = 0; i < b->n; i++) {
        memcpy(b->m[i].payload, b->x->text, b->m[i].payload_n);
        memset(b->m[i].tag, 0x77, TL_TAG_MAX);
    }
    tl_assert_ok(c->ops->open(c->ctx, b->end->keys[b->x->key], b->m, b->n));
    for (size_t i = 0; i < b->n; i++) {
        assert_tag(b, i, "open");
        assert_payload(b, i, plain, "open");
    }
}

/* Lengths about which the kernels change their ways: about every power of two, and the longest. */
static bool is_selected(size_t n)
{
    for (size_t power = 16; power <= LONGEST; power *= 2)
        if (n + 1 >= power && n <= power + 1)
            return true;
    return n <= 1;
}

/* From one offset to the next; 0: this length is left out. */
static size_t step_of(const tl_levels_end *end, size_t n)
{
    enum { SHORT = 400, ONE_IN = 16 };
    if (is_selected(n) || tl_levels_everything())
        return 1;
    if (!end->slow)
        return tl_levels_sanitized() ? 8 : 1;
    return n <= SHORT || n % ONE_IN == 5 ? OFFSETS : 0;
}

static void check_length(const tl_levels_end *end, const expected *x)
{
    static batch b;
    size_t step = step_of(end, x->m.payload_n);
    if (step == 0)
        return;
    b = (batch){ .end = end, .x = x };
    for (size_t offset = x->m.payload_n * 7 % step; offset < OFFSETS; offset += step)
        add_at(&b, offset);
    check_protect(&b);
    check_verify(&b);
    check_open(&b);
}

static void check_cover(tl_cover cover)
{
    static expected x;
    for (size_t key = 0; key < TL_LEVELS_SUITES; key++)
        for (size_t n = 0; n <= LONGEST; n++) {
            ask_openssl(&x, key, cover, n);
            for (size_t i = 0; i < levels.n; i++)
                check_length(&levels.v[i], &x);
        }
}

static void levels_when_the_payload_is_covered_then_as_openssl(void **s)
{
    (void)s;
    check_cover(TL_COVER_PAYLOAD);
}

static void levels_when_the_payload_is_encrypted_then_as_openssl(void **s)
{
    (void)s;
    check_cover(TL_COVER_ENCRYPTED);
}

static void levels_when_the_payload_is_covered_by_a_pattern_then_as_openssl(void **s)
{
    (void)s;
    check_cover(TL_COVER_PATTERN);
}

/* The header takes the payload's place: of all lengths, at all offsets, alone. */
static void levels_when_the_header_is_of_any_length_then_as_openssl(void **s)
{
    (void)s;
    const tl_levels_end *reference = &levels.reference;
    for (size_t key = 0; key < TL_LEVELS_SUITES; key++)
        for (size_t n = 0; n <= LONGEST; n++) {
            tl_sealed x = { .header = { plain, n }, .cover = TL_COVER_HEADER, .nonce = { 1 } }, m = x;
            tl_assert_ok(
                reference->crypto->ops->protect(reference->crypto->ctx, reference->keys[key], &x, 1));
            for (size_t i = 0; i < levels.n; i++) {
                const tl_levels_end *end = &levels.v[i];
                size_t step = step_of(end, n);
                for (size_t offset = step != 0 ? n * 7 % step : OFFSETS; offset < OFFSETS; offset += step) {
                    memcpy(memory[0] + offset, plain, n);
                    m.header.p = memory[0] + offset;
                    tl_assert_ok(end->crypto->ops->protect(end->crypto->ctx, end->keys[key], &m, 1));
                    assert_memory_equal(m.tag, x.tag, TL_TAG_MAX);
                }
            }
        }
}

/* ---- the end of memory ---- */

/* Pages with none before and none behind them. */
static uint8_t *map_island(size_t page)
{
    uint8_t *p = mmap(NULL, LONGEST + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);
    assert_int_equal(mprotect(p, page, PROT_NONE), 0);
    assert_int_equal(mprotect(p + page + LONGEST, page, PROT_NONE), 0);
    return p + page;
}

static void check_in_place(const tl_levels_end *end, const expected *x, uint8_t *payload)
{
    tl_sealed m = x->m;
    const tl_crypto *c = end->crypto;
    m.payload = payload;
    memcpy(payload, plain, m.payload_n);
    memset(m.tag, 0, sizeof m.tag);
    tl_assert_ok(c->ops->protect(c->ctx, end->keys[x->key], &m, 1));
    assert_memory_equal(m.tag, x->m.tag, TL_TAG_MAX);
    assert_memory_equal(payload, x->text, m.payload_n);
    tl_assert_ok(c->ops->verify(c->ctx, end->keys[x->key], &m, 1));
    assert_true(m.right);
    assert_memory_equal(payload, plain, m.payload_n);
}

static void levels_when_memory_ends_where_the_payload_does_then_nothing_beyond_is_touched(void **s)
{
    (void)s;
    static expected x;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    assert_int_equal(LONGEST % page, 0);
    uint8_t *island = map_island(page);
    for (size_t key = 0; key < TL_LEVELS_SUITES; key++)
        for (int cover = TL_COVER_PAYLOAD; cover <= TL_COVER_PATTERN; cover++)
            for (size_t n = 0; n <= LONGEST; n += n < 600 ? 1 : 61) {
                ask_openssl(&x, key, (tl_cover)cover, n);
                for (size_t i = 0; i < levels.n; i++) {
                    if (step_of(&levels.v[i], n) == 0)
                        continue;
                    check_in_place(&levels.v[i], &x, island);
                    check_in_place(&levels.v[i], &x, island + LONGEST - n);
                }
            }
    assert_int_equal(munmap(island - page, LONGEST + 2 * page), 0);
}

/* ---- checksums ---- */

static void levels_when_they_have_checksums_then_as_the_core(void **s)
{
    (void)s;
    for (size_t i = 0; i < levels.n; i++) {
        const tl_crypto_ops *ops = levels.v[i].crypto->ops;
        for (size_t offset = 0; offset < OFFSETS; offset++) {
            memcpy(memory[0] + offset, plain, LONGEST);
            for (size_t n = 0; n <= LONGEST; n++) {
                tl_span data = { memory[0] + offset, n };
                uint32_t from = (uint32_t)(n * 0x9E3779B1u + offset);
                if (ops->crc16 != NULL)
                    assert_int_equal(ops->crc16((uint16_t)from, data), tl_csi2_crc16((uint16_t)from, data));
                if (ops->crc32 != NULL)
                    assert_int_equal(ops->crc32(from, data), tl_cse_crc32(from, data));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_when_the_payload_is_covered_then_as_openssl),
        cmocka_unit_test(levels_when_the_payload_is_encrypted_then_as_openssl),
        cmocka_unit_test(levels_when_the_payload_is_covered_by_a_pattern_then_as_openssl),
        cmocka_unit_test(levels_when_the_header_is_of_any_length_then_as_openssl),
        cmocka_unit_test(levels_when_memory_ends_where_the_payload_does_then_nothing_beyond_is_touched),
        cmocka_unit_test(levels_when_they_have_checksums_then_as_the_core),
    };
    return cmocka_run_group_tests_name("lanes_equal", tests, open_levels, close_levels);
}
