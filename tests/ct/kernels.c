/* The backend with its portable kernels under valgrind, with secrets marked as undefined memory: memcheck
 * then reports each branch and each address that depends on one. Secret are key bytes, payloads, what is
 * computed from them, and tags until they are compared; public are lengths, headers, ciphertexts and tags
 * that travel, and the verdict.
 *
 *   kernels        runs everything; memcheck must have nothing to say
 *   kernels LEAK   runs one of the leaks below, which memcheck must report
 *
 * Not a program of the test list: scripts/ct compiles it with each compiler and reads what memcheck says. */
#include "marks.h"

#include <trueline/lanes.h>

#include <string.h>

enum { KEYS = 4, MACS = 2, MESSAGES = 21, PAYLOAD_MAX = 600, HEADER = 16, WRONG = 3 };

static void secret(void *p, size_t n)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(p, n);
}

static void public(void *p, size_t n)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(p, n);
}

/* ---- the backend ---- */

static tl_lanes lanes;
static tl_lanes_key keys[KEYS];
static tl_lanes_mac macs[MACS];

static const tl_crypto *backend(void)
{
    const tl_lanes_config config = {
        .level = TL_LANES_SOFT, .keys = keys, .key_n = KEYS, .macs = macs, .mac_n = MACS
    };
    expect(tl_lanes_init(&lanes, &config) == TL_OK, "the backend is made");
    return tl_lanes_crypto(&lanes);
}

static tl_key load(const tl_crypto *c, tl_suite suite, uint8_t first)
{
    uint8_t bytes[64];
    tl_key k = { 0 };
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(first + 29 * i);
    secret(bytes, sizeof bytes);
    expect(c->ops->key_load(c->ctx, suite, tl_span_of(bytes, tl_suite_key_size(suite)), &k) == TL_OK,
           "a key is loaded");
    return k;
}

/* ---- messages ---- */

typedef struct batch {
    uint8_t header[MESSAGES][HEADER], payload[MESSAGES][PAYLOAD_MAX];
    tl_sealed m[MESSAGES];
} batch;

/* Lengths differ, and every other message has a key of its own. */
static void fill(batch *b, tl_cover cover, tl_key other)
{
    memset(b, 0, sizeof *b);
    for (size_t i = 0; i < MESSAGES; i++) {
        memset(b->header[i], (int)i, HEADER);
        memset(b->payload[i], (int)(7 * i), PAYLOAD_MAX);
        b->m[i] = (tl_sealed){
            .key = i % 2 == 0 ? (tl_key){ 0 } : other,
            .header = tl_span_of(b->header[i], HEADER),
            .payload = b->payload[i],
            .payload_n = i == 0 ? 0 : PAYLOAD_MAX - i * i,
            .cover = cover,
            .pattern = { .first = 5, .count = 40, .period = 64 },
            .tag_n = i % 2 == 0 ? 16 : 12,
        };
        b->m[i].nonce[0] = (uint8_t)(i + 1);
    }
}

static void protect_and_verify(const tl_crypto *c, tl_key k, tl_key other, tl_cover cover)
{
    static batch b;
    fill(&b, cover, other);
    for (size_t i = 0; i < MESSAGES; i++)
        secret(b.payload[i], PAYLOAD_MAX);
    expect(c->ops->protect(c->ctx, k, b.m, MESSAGES) == TL_OK, "a batch is protected");
    for (size_t i = 0; i < MESSAGES; i++) {
        expect(is_secret(b.m[i].tag, TL_TAG_MAX), "a tag depends on the key");
        public(b.m[i].tag, TL_TAG_MAX);
        if (cover == TL_COVER_ENCRYPTED)
        public(b.payload[i], PAYLOAD_MAX);
    }
    b.m[WRONG].tag[0] ^= 1;
    expect(c->ops->verify(c->ctx, k, b.m, MESSAGES) == TL_OK, "a batch is verified");
    for (size_t i = 0; i < MESSAGES; i++) {
        expect(is_secret(&b.m[i].right, sizeof b.m[i].right), "a verdict depends on the key");
        public(&b.m[i].right, sizeof b.m[i].right);
        expect(b.m[i].right == (i != WRONG), "the wrong tag is found, and no other");
    }
}

static void open_batch(const tl_crypto *c, tl_key k, tl_key other)
{
    static batch b;
    fill(&b, TL_COVER_ENCRYPTED, other);
    expect(c->ops->open(c->ctx, k, b.m, MESSAGES) == TL_OK, "a batch is opened");
    expect(is_secret(b.payload[1], b.m[1].payload_n), "what is decrypted depends on the key");
    expect(!is_secret(b.payload[0], PAYLOAD_MAX), "what is beside it does not");
}

static void running_mac(const tl_crypto *c, tl_key k)
{
    const uint8_t nonce[TL_NONCE_SIZE] = { 1 };
    uint8_t data[3000], tag[TL_TAG_MAX];
    tl_mac m = { 0 };
    secret(data, sizeof data);
    expect(c->ops->mac_start(c->ctx, k, nonce, &m) == TL_OK, "a running MAC begins");
    for (size_t i = 0, n = 1; i + n <= sizeof data; i += n, n = n * 2 + 1)
        expect(c->ops->mac_add(c->ctx, m, tl_span_of(data + i, n)) == TL_OK, "a running MAC goes on");
    expect(c->ops->mac_end(c->ctx, m, tag) == TL_OK, "a running MAC ends");
    expect(is_secret(tag, sizeof tag), "its tag depends on the key");
}

static void run_suite(const tl_crypto *c, tl_suite suite)
{
    static const tl_cover covers[] = { TL_COVER_PAYLOAD, TL_COVER_ENCRYPTED, TL_COVER_HEADER,
                                       TL_COVER_PATTERN };
    tl_key k = load(c, suite, 3), other = load(c, suite, 77);
    for (size_t i = 0; i < sizeof covers / sizeof *covers; i++)
        protect_and_verify(c, k, other, covers[i]);
    open_batch(c, k, other);
    running_mac(c, k);
    c->ops->key_drop(c->ctx, k);
    c->ops->key_drop(c->ctx, other);
}

/* The core's own comparison, and its wipe. */
static void compare(void)
{
    uint8_t a[TL_TAG_MAX] = { 1 }, b[TL_TAG_MAX] = { 1 };
    for (size_t i = 0; i <= TL_TAG_MAX; i++) {
        bool same;
        if (i < TL_TAG_MAX)
            b[i] ^= 0x80;
        secret(a, sizeof a);
        same = tl_equal(tl_span_of(a, sizeof a), tl_span_of(b, sizeof b));
        expect(is_secret(&same, sizeof same), "a comparison depends on what is compared");
        public(&same, sizeof same);
        expect(same == (i == TL_TAG_MAX), "a difference is found wherever it is");
        if (i < TL_TAG_MAX)
            b[i] ^= 0x80;
    }
}

/* ---- leaks, to see that they are reported ---- */

static uint8_t leak_table(const uint8_t *key)
{
    static uint8_t table[256];
    for (size_t i = 0; i < sizeof table; i++)
        table[i] = (uint8_t)(i * 7);
    return table[key[0]];
}

static uint8_t leak_branch(const uint8_t *key)
{
    volatile uint8_t taken = 0;
    if (key[0] & 1)
        taken = 1;
    return taken;
}

static uint8_t leak_compare(const uint8_t *key)
{
    static const volatile uint8_t tag[TL_TAG_MAX];
    uint8_t same = 0;
    while (same < TL_TAG_MAX && key[same] == tag[same])
        same++;
    return same;
}

static int leak(const char *name)
{
    static const struct row {
        const char *name;
        uint8_t (*function)(const uint8_t *key);
    } rows[] = { { "table", leak_table }, { "branch", leak_branch }, { "compare", leak_compare } };
    uint8_t key[TL_TAG_MAX] = { 5 };
    secret(key, sizeof key);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        volatile uint8_t out;
        if (strcmp(name, rows[i].name) != 0)
            continue;
        out = rows[i].function(key);
        (void)out;
        return 0;
    }
    return 2;
}

int main(int argc, char **argv)
{
    static const tl_suite suites[] = { TL_SUITE_AES128_GMAC, TL_SUITE_AES256_GMAC, TL_SUITE_AES128_CMAC,
                                       TL_SUITE_AES256_CMAC };
    if (RUNNING_ON_VALGRIND == 0) {
        fprintf(stderr, "kernels: means nothing without valgrind\n");
        return 2;
    }
    if (argc > 1)
        return leak(argv[1]);
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        run_suite(backend(), suites[i]);
        printf("%s: %u reports\n", tl_suite_name(suites[i]), (unsigned)VALGRIND_COUNT_ERRORS);
        tl_lanes_wipe(&lanes);
    }
    compare();
    printf("comparison: %u reports\n", (unsigned)VALGRIND_COUNT_ERRORS);
    return failures == 0 ? 0 : 1;
}
