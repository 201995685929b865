/* Every level of the kernels against OpenSSL, batch by batch: one to forty messages of ragged lengths under keys of all
 * suites mixed, in every cover, with wrong tags in every place; running MACs in any pieces, side by side; and what is
 * refused is refused by all alike. */
#include "levels.h"

#include <limits.h>
#include <string.h>

enum { BATCH = 40, HEADER = 48, PAYLOAD = 1500, LIST = 4096 };

static tl_levels levels;

static int open_levels(void **s)
{
    tl_rng r = tl_random_start(__func__);
    (void)s;
    tl_levels_open(&levels, &r);
    return 0;
}

static int close_levels(void **s)
{
    (void)s;
    tl_levels_close(&levels);
    return 0;
}

/* ---- batches ---- */

/* The memory of a batch: all backends get the same bytes, each in its turn. */
typedef struct bytes {
    uint8_t header[BATCH][HEADER], payload[BATCH][PAYLOAD];
} bytes;

typedef struct batch {
    tl_sealed m[BATCH];
    size_t key[BATCH]; /* numbers; TL_LEVELS_KEYS: the call's */
    size_t call;       /* number of the call's */
    size_t n;
} batch;

static bytes memory, before;

/* Lengths as of one image's lines, or ragged. */
static size_t length_of(tl_rng *r, size_t usual)
{
    switch (tl_random_below(r, 4)) {
    case 0: return tl_random_below(r, 70);
    case 1: return tl_random_below(r, PAYLOAD - 15);
    default: return usual;
    }
}

static void fill_message(tl_rng *r, tl_sealed *m, size_t i, size_t usual)
{
    *m =
        (tl_sealed){ .header = { memory.header[i], tl_random_below(r, 2) == 0 ? 16 : tl_random_below(r, 33) },
                     .payload = memory.payload[i] + tl_random_below(r, 16),
                     .payload_n = length_of(r, usual),
                     .cover = (tl_cover)tl_random_below(r, TL_COVER_PATTERN + 1),
                     .tag_n = (uint8_t)(1 + tl_random_below(r, TL_TAG_MAX)) };
    m->header.p += tl_random_below(r, 16);
    m->pattern.first = (uint16_t)tl_random_below(r, 300);
    m->pattern.period = (uint16_t)(1 + tl_random_below(r, tl_random_below(r, 2) == 0 ? 40 : 600));
    m->pattern.count = (uint16_t)(1 + tl_random_below(r, m->pattern.period));
    tl_random_fill(r, m->nonce, sizeof m->nonce);
}

static void fill(tl_rng *r, batch *b, size_t n)
{
    size_t usual = tl_random_below(r, PAYLOAD - 15), keys = 1 + tl_random_below(r, TL_LEVELS_KEYS);
    memset(b, 0, sizeof *b);
    tl_random_fill(r, &memory, sizeof memory);
    b->n = n;
    b->call = tl_random_below(r, TL_LEVELS_KEYS);
    for (size_t i = 0; i < n; i++) {
        fill_message(r, &b->m[i], i, usual);
        b->key[i] = tl_random_below(r, 3) == 0 ? TL_LEVELS_KEYS : tl_random_below(r, keys);
    }
}

typedef enum op { PROTECT, VERIFY, OPEN } op;

static tl_err call(const tl_levels_end *end, op o, batch *b)
{
    const tl_crypto *c = end->crypto;
    for (size_t i = 0; i < b->n; i++)
        b->m[i].key = b->key[i] < TL_LEVELS_KEYS ? end->keys[b->key[i]] : (tl_key){ 0 };
    switch (o) {
    case PROTECT: return c->ops->protect(c->ctx, end->keys[b->call], b->m, b->n);
    case VERIFY: return c->ops->verify(c->ctx, end->keys[b->call], b->m, b->n);
    case OPEN: break;
    }
    return c->ops->open(c->ctx, end->keys[b->call], b->m, b->n);
}

static void assert_alike(const tl_levels_end *end, op o, const batch *a, const batch *b)
{
    for (size_t i = 0; i < a->n; i++) {
        if (o != VERIFY)
            assert_memory_equal(a->m[i].tag, b->m[i].tag, TL_TAG_MAX);
        if (a->m[i].right != b->m[i].right)
            fail_msg("%s finds message %zu of %zu %s", end->name, i, a->n, b->m[i].right ? "right" : "wrong");
    }
}

/* All backends with the same batch in the same memory; the batch and the memory are then as OpenSSL leaves them. */
static void all_alike(op o, batch *b)
{
    static bytes after, start;
    static batch reference, other;
    start = memory;
    reference = *b;
    tl_assert_ok(call(&levels.reference, o, &reference));
    after = memory;
    for (size_t i = 0; i < levels.n; i++) {
        memory = start;
        other = *b;
        tl_assert_ok(call(&levels.v[i], o, &other));
        assert_alike(&levels.v[i], o, &reference, &other);
        if (memcmp(&memory, &after, sizeof memory) != 0)
            fail_msg("%s leaves other bytes, operation %d, %zu messages", levels.v[i].name, (int)o, b->n);
    }
    memory = after;
    *b = reference;
}

/* As many rounds as the portable level has time for. */
static size_t rounds(size_t n)
{
    return tl_levels_everything() ? 50 * n : n;
}

static void batches_when_ragged_and_mixed_then_as_openssl(void **s)
{
    (void)s;
    static batch b;
    tl_rng r = tl_random_start(__func__);
    for (size_t round = 0; round < rounds(10); round++)
        for (size_t n = 1; n <= BATCH; n++) {
            fill(&r, &b, n);
            all_alike(PROTECT, &b);
            before = memory;
            all_alike(VERIFY, &b);
            for (size_t i = 0; i < n; i++)
                assert_true(b.m[i].right);
            memory = before;
            for (size_t i = 0; i < n; i++)
                tl_random_fill(&r, b.m[i].tag, TL_TAG_MAX);
            all_alike(OPEN, &b);
        }
}

/* Each place of each size of batch in turn; sometimes others are wrong too. */
static void verify_when_tags_are_wrong_then_the_same_are_found(void **s)
{
    (void)s;
    static batch b;
    tl_rng r = tl_random_start(__func__);
    for (size_t n = 1; n <= BATCH; n++)
        for (size_t wrong = 0; wrong < n; wrong += tl_levels_everything() ? 1 : 1 + tl_random_below(&r, 4)) {
            size_t found = 0, some = tl_random_below(&r, 3) == 0 ? tl_random_below(&r, n) : 0;
            fill(&r, &b, n);
            all_alike(PROTECT, &b);
            for (size_t i = 0; i <= some; i++) {
                tl_sealed *m = &b.m[i == 0 ? wrong : tl_random_below(&r, n)];
                m->tag[tl_random_below(&r, m->tag_n)] ^= (uint8_t)(1 + tl_random_below(&r, 255));
            }
            all_alike(VERIFY, &b);
            for (size_t i = 0; i < n; i++)
                found += !b.m[i].right;
            assert_false(b.m[wrong].right && some == 0);
            assert_true(found <= some + 1);
            assert_true(some != 0 || found == 1);
        }
}

/* A payload's or a header's bit, whether it is covered or not. */
static void verify_when_bits_are_flipped_then_all_say_the_same(void **s)
{
    (void)s;
    static batch b;
    tl_rng r = tl_random_start(__func__);
    size_t wrong = 0, right = 0;
    for (size_t round = 0; round < rounds(300); round++) {
        size_t n = 1 + tl_random_below(&r, BATCH);
        fill(&r, &b, n);
        all_alike(PROTECT, &b);
        for (size_t i = 0; i < n; i++) {
            tl_sealed *m = &b.m[i];
            uint8_t bit = (uint8_t)(1 << tl_random_below(&r, 8));
            if (tl_random_below(&r, 4) == 0 && m->header.n != 0)
                memory
                    .header[i][(size_t)(m->header.p - memory.header[i]) + tl_random_below(&r, m->header.n)] ^=
                    bit;
            else if (m->payload_n != 0)
                m->payload[tl_random_below(&r, m->payload_n)] ^= bit;
            m->tag_n = TL_TAG_MAX;
        }
        all_alike(VERIFY, &b);
        for (size_t i = 0; i < n; i++)
            *(b.m[i].right ? &right : &wrong) += 1;
    }
    assert_true(wrong > 0 && right > 0);
}

/* ---- running MACs ---- */

static void assert_same_list(const tl_levels_end *end, tl_rng r, size_t key, tl_span list)
{
    static const uint8_t nonce[TL_NONCE_SIZE] = { 5, 6, 7 };
    const tl_levels_end *reference = &levels.reference;
    uint8_t tag[TL_TAG_MAX], expected[TL_TAG_MAX];
    tl_mac m, x;
    tl_assert_ok(reference->crypto->ops->mac_start(reference->crypto->ctx, reference->keys[key], nonce, &x));
    tl_assert_ok(reference->crypto->ops->mac_add(reference->crypto->ctx, x, list));
    tl_assert_ok(reference->crypto->ops->mac_end(reference->crypto->ctx, x, expected));
    tl_assert_ok(end->crypto->ops->mac_start(end->crypto->ctx, end->keys[key], nonce, &m));
    size_t limit = tl_random_below(&r, 2) == 0 ? 40 : list.n + 1;
    for (size_t at = 0; at < list.n;) {
        size_t some = tl_random_below(&r, limit);
        some = some < list.n - at ? some : list.n - at;
        tl_assert_ok(end->crypto->ops->mac_add(end->crypto->ctx, m, tl_span_of(list.p + at, some)));
        at += some;
    }
    tl_assert_ok(end->crypto->ops->mac_end(end->crypto->ctx, m, tag));
    if (memcmp(tag, expected, TL_TAG_MAX) != 0)
        fail_msg("%s makes another MAC of %zu bytes", end->name, list.n);
}

static void macs_when_lists_are_of_any_length_in_any_pieces_then_as_openssl(void **s)
{
    (void)s;
    static uint8_t list[LIST + 64];
    tl_rng r = tl_random_start(__func__);
    tl_random_fill(&r, list, sizeof list);
    for (size_t key = 0; key < TL_LEVELS_SUITES; key++)
        for (size_t n = 0; n <= LIST; n++)
            for (size_t i = 0; i < levels.n; i++) {
                if (levels.v[i].slow && n > 600 && n % 16 != r.state % 16 && !tl_levels_everything())
                    continue;
                tl_rng pieces = { tl_random_next(&r) };
                assert_same_list(&levels.v[i], pieces, key, tl_span_of(list + n * 13 % 64, n));
            }
}

/* Tags of messages go into lists under other keys, as they are made: several at once, with batches between. */
static void macs_when_they_grow_beside_batches_then_as_openssl(void **s)
{
    (void)s;
    static batch b;
    tl_rng r = tl_random_start(__func__);
    for (size_t i = 0; i < levels.n; i++) {
        const tl_levels_end *ends[2] = { &levels.reference, &levels.v[i] };
        tl_mac m[2][TL_LEVELS_MACS];
        uint8_t tags[2][TL_LEVELS_MACS][TL_TAG_MAX];
        for (size_t e = 0; e < 2; e++)
            for (size_t j = 0; j < TL_LEVELS_MACS; j++)
                tl_assert_ok(ends[e]->crypto->ops->mac_start(ends[e]->crypto->ctx, ends[e]->keys[j],
                                                             (const uint8_t[TL_NONCE_SIZE]){ (uint8_t)j },
                                                             &m[e][j]));
        for (size_t round = 0; round < 60; round++) {
            fill(&r, &b, 1 + tl_random_below(&r, BATCH));
            all_alike(PROTECT, &b);
            for (size_t j = 0; j < TL_LEVELS_MACS; j++)
                for (size_t e = 0; e < 2; e++)
                    for (size_t t = j; t < b.n; t += 3)
                        tl_assert_ok(ends[e]->crypto->ops->mac_add(ends[e]->crypto->ctx, m[e][j],
                                                                   tl_span_of(b.m[t].tag, 1 + (t + j) % 16)));
        }
        for (size_t e = 0; e < 2; e++)
            for (size_t j = 0; j < TL_LEVELS_MACS; j++)
                tl_assert_ok(ends[e]->crypto->ops->mac_end(ends[e]->crypto->ctx, m[e][j], tags[e][j]));
        assert_memory_equal(tags[0], tags[1], sizeof tags[0]);
    }
}

/* ---- refusals ---- */

static void spoil_message(batch *b, size_t at, int fault)
{
    tl_sealed *m = &b->m[at];
    switch (fault) {
    case 0: m->header = tl_span_of(NULL, 1); break;
    case 1: m->payload = NULL, m->payload_n = 1; break;
    case 2: m->header.n = (size_t)INT_MAX + 1; break;
    case 3: m->payload_n = (size_t)INT_MAX + 1; break;
    case 4: m->payload_n = SIZE_MAX; break;
    case 5: m->cover = (tl_cover)(TL_COVER_PATTERN + 1); break;
    case 6: m->cover = TL_COVER_PATTERN, m->pattern.count = 0; break;
    case 7: m->cover = TL_COVER_PATTERN, m->pattern = (tl_pattern){ 0, 5, 4 }; break;
    case 8: m->cover = TL_COVER_PATTERN, m->pattern = (tl_pattern){ 0, 1, 0 }; break;
    case 9: m->tag_n = 0; break;
    case 10: m->tag_n = TL_TAG_MAX + 1; break;
    default: b->n = SIZE_MAX; break;
    }
}

enum { FAULTS = 11, FIRST_FOR_VERIFY = 9 };

static void assert_refused(const tl_levels_end *end, op o, const batch *spoilt)
{
    static batch b;
    static bytes start;
    start = memory;
    b = *spoilt;
    for (size_t i = 0; i < b.n; i++)
        b.m[i].right = true;
    tl_assert_err(TL_E_USAGE, call(end, o, &b));
    assert_memory_equal(&memory, &start, sizeof memory);
    for (size_t i = 0; i < b.n; i++) {
        assert_memory_equal(b.m[i].tag, spoilt->m[i].tag, TL_TAG_MAX);
        assert_int_equal(b.m[i].right, o != VERIFY);
    }
}

static void batches_when_one_message_is_out_of_bounds_then_refused_by_all_and_nothing_changed(void **s)
{
    (void)s;
    static batch b;
    tl_rng r = tl_random_start(__func__);
    for (int fault = 0; fault < FAULTS; fault++)
        for (size_t n = 1; n <= BATCH; n += 3) {
            fill(&r, &b, n);
            spoil_message(&b, tl_random_below(&r, n), fault);
            for (size_t i = 0; i <= levels.n; i++) {
                const tl_levels_end *end = i < levels.n ? &levels.v[i] : &levels.reference;
                assert_refused(end, VERIFY, &b);
                if (fault < FIRST_FOR_VERIFY) {
                    assert_refused(end, PROTECT, &b);
                    assert_refused(end, OPEN, &b);
                }
            }
        }
}

/* A key of the other backend's numbering, one that was dropped, none. */
static void batches_when_a_key_is_none_then_refused_by_all_and_nothing_changed(void **s)
{
    (void)s;
    static bytes start;
    for (size_t i = 0; i <= levels.n; i++) {
        const tl_crypto *c = i < levels.n ? levels.v[i].crypto : levels.reference.crypto;
        tl_key good = i < levels.n ? levels.v[i].keys[0] : levels.reference.keys[0];
        const tl_key wrong[] = { { good.slot + 0x10000 }, { 0xFFFF }, { 0xFFFFFFFF }, { 0x7FFFFFFF } };
        for (size_t j = 0; j < sizeof wrong / sizeof *wrong; j++) {
            tl_sealed m[2] = {
                { .payload = memory.payload[0], .payload_n = 100, .cover = TL_COVER_ENCRYPTED, .tag_n = 16 },
                { .payload = memory.payload[1], .payload_n = 100, .tag_n = 16 }
            };
            tl_mac mac;
            start = memory;
            m[1].key = wrong[j];
            tl_assert_err(TL_E_USAGE, c->ops->protect(c->ctx, good, m, 2));
            tl_assert_err(TL_E_USAGE, c->ops->open(c->ctx, good, m, 2));
            m[0].right = m[1].right = true;
            tl_assert_err(TL_E_USAGE, c->ops->verify(c->ctx, good, m, 2));
            assert_false(m[0].right || m[1].right);
            m[1].key = m[0].key = good;
            tl_assert_err(TL_E_USAGE, c->ops->protect(c->ctx, wrong[j], m, 2));
            tl_assert_err(TL_E_USAGE, c->ops->open(c->ctx, (tl_key){ 0 }, NULL, 0));
            m[1].key.slot = 0;
            tl_assert_err(TL_E_USAGE, c->ops->open(c->ctx, (tl_key){ 0 }, m, 2));
            tl_assert_err(TL_E_USAGE, c->ops->verify(c->ctx, wrong[j], NULL, 0));
            tl_assert_err(TL_E_USAGE, c->ops->mac_start(c->ctx, wrong[j], m[0].nonce, &mac));
            assert_int_equal(mac.slot, 0);
            assert_memory_equal(&start, &memory, sizeof memory);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_when_ragged_and_mixed_then_as_openssl),
        cmocka_unit_test(verify_when_tags_are_wrong_then_the_same_are_found),
        cmocka_unit_test(verify_when_bits_are_flipped_then_all_say_the_same),
        cmocka_unit_test(macs_when_lists_are_of_any_length_in_any_pieces_then_as_openssl),
        cmocka_unit_test(macs_when_they_grow_beside_batches_then_as_openssl),
        cmocka_unit_test(batches_when_one_message_is_out_of_bounds_then_refused_by_all_and_nothing_changed),
        cmocka_unit_test(batches_when_a_key_is_none_then_refused_by_all_and_nothing_changed),
    };
    return cmocka_run_group_tests_name("lanes_equal_batch", tests, open_levels, close_levels);
}
