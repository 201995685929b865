/* Batches of the OpenSSL backend: what protect makes is what AES-GCM, AES-CMAC and AES-CTR called directly make,
 * verify takes it and nothing that differs in a bit, open gives the tag of what it was given, a wrong message does not
 * touch its neighbours, and refused batches are left as they were. */
#include "testing.h"

#include <trueline/openssl.h>

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 70, HEADER_MAX = 40, PAYLOAD_MAX = 300 };

/* A message, its memory, and what was put there first. */
typedef struct line {
    uint8_t header[HEADER_MAX], payload[PAYLOAD_MAX], plain[PAYLOAD_MAX];
} line;

typedef struct state {
    tl_openssl *backend;
    const tl_crypto *c;
    tl_key k;
    uint8_t key[64];
    tl_suite suite;
    tl_key others[TL_SUITE_AES256_CMAC + 1]; /* one of each suite, of the same bytes */
    line lines[BATCH_MAX];
    tl_sealed m[BATCH_MAX];
} state;

static int set_up(void **s)
{
    state *st = calloc(1, sizeof *st);
    tl_assert_ok(tl_openssl_open(NULL, &st->backend));
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

static void use_key(state *st, tl_rng *r, tl_suite suite)
{
    st->c->ops->key_drop(st->c->ctx, st->k);
    st->suite = suite;
    tl_random_fill(r, st->key, sizeof st->key);
    tl_assert_ok(
        st->c->ops->key_load(st->c->ctx, suite, tl_span_of(st->key, tl_suite_key_size(suite)), &st->k));
}

static const tl_suite suites[] = { TL_SUITE_AES128_GMAC, TL_SUITE_AES256_GMAC, TL_SUITE_AES128_CMAC,
                                   TL_SUITE_AES256_CMAC };
enum { SUITES = sizeof suites / sizeof *suites };

static bool is_cmac(tl_suite suite)
{
    return suite == TL_SUITE_AES128_CMAC || suite == TL_SUITE_AES256_CMAC;
}

/* The key of a suite beside the call's. */
static void use_others(state *st)
{
    for (size_t i = 0; i < SUITES; i++) {
        tl_key *k = &st->others[suites[i]];
        st->c->ops->key_drop(st->c->ctx, *k);
        tl_assert_ok(st->c->ops->key_load(st->c->ctx, suites[i],
                                          tl_span_of(st->key, tl_suite_key_size(suites[i])), k));
    }
}

static void fill(state *st, tl_rng *r, size_t i, size_t header_n, size_t payload_n, tl_cover cover)
{
    line *l = &st->lines[i];
    tl_sealed *m = &st->m[i];
    tl_random_fill(r, l, sizeof *l);
    memcpy(l->payload, l->plain, sizeof l->payload);
    *m = (tl_sealed){ .header = tl_span_of(l->header, header_n),
                      .payload = l->payload,
                      .payload_n = payload_n };
    m->cover = cover;
    m->tag_n = TL_TAG_MAX;
    tl_random_fill(r, m->nonce, sizeof m->nonce);
}

static void fill_any(state *st, tl_rng *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fill(st, r, i, tl_random_below(r, HEADER_MAX + 1), tl_random_below(r, PAYLOAD_MAX + 1),
             (tl_cover)tl_random_below(r, TL_COVER_PATTERN + 1));
        st->m[i].pattern.first = (uint16_t)tl_random_below(r, PAYLOAD_MAX + 10);
        st->m[i].pattern.period = (uint16_t)(1 + tl_random_below(r, 40));
        st->m[i].pattern.count = (uint16_t)(1 + tl_random_below(r, st->m[i].pattern.period));
        st->m[i].tag_n = (uint8_t)(8 + tl_random_below(r, 9));
    }
}

static void protect(state *st, size_t n)
{
    tl_assert_ok(st->c->ops->protect(st->c->ctx, st->k, st->m, n));
}

static void verify(state *st, size_t n)
{
    tl_assert_ok(st->c->ops->verify(st->c->ctx, st->k, st->m, n));
}

/* What the tag is over, one byte after the other. */
static size_t covered(const tl_sealed *m, const uint8_t *payload, uint8_t out[HEADER_MAX + PAYLOAD_MAX])
{
    size_t n = m->header.n;
    if (n != 0)
        memcpy(out, m->header.p, n);
    for (size_t i = 0; i < m->payload_n; i++) {
        bool in = m->cover == TL_COVER_PAYLOAD || m->cover == TL_COVER_ENCRYPTED;
        if (m->cover == TL_COVER_PATTERN)
            in = i >= m->pattern.first && (i - m->pattern.first) % m->pattern.period < m->pattern.count;
        if (in)
            out[n++] = payload[i];
    }
    return n;
}

/* AES-GCM by the book, with a context of its own for each message. */
static void oracle_gcm(const state *st, size_t i, bool small, uint8_t *cipher, uint8_t tag[TL_TAG_MAX])
{
    const tl_sealed *m = &st->m[i];
    bool encrypted = m->cover == TL_COVER_ENCRYPTED;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    uint8_t aad[HEADER_MAX + PAYLOAD_MAX];
    int n;
    size_t aad_n = covered(m, st->lines[i].plain, aad);
    assert_int_equal(
        EVP_EncryptInit_ex(c, small ? EVP_aes_128_gcm() : EVP_aes_256_gcm(), NULL, st->key, m->nonce), 1);
    assert_int_equal(EVP_EncryptUpdate(c, NULL, &n, aad, (int)(encrypted ? m->header.n : aad_n)), 1);
    if (encrypted)
        assert_int_equal(EVP_EncryptUpdate(c, cipher, &n, st->lines[i].plain, (int)m->payload_n), 1);
    assert_int_equal(EVP_EncryptFinal_ex(c, aad, &n), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TL_TAG_MAX, tag), 1);
    EVP_CIPHER_CTX_free(c);
}

/* AES-CTR under the second half of the key, and AES-CMAC under the first. */
static void oracle_cmac(const state *st, size_t i, bool small, uint8_t *cipher, uint8_t tag[TL_TAG_MAX])
{
    const tl_sealed *m = &st->m[i];
    size_t half = small ? 16 : 32, size;
    uint8_t block[16] = { [15] = 2 }, bytes[HEADER_MAX + PAYLOAD_MAX];
    if (m->cover == TL_COVER_ENCRYPTED) {
        EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
        int n;
        memcpy(block, m->nonce, TL_NONCE_SIZE);
        assert_int_equal(
            EVP_EncryptInit_ex(c, small ? EVP_aes_128_ctr() : EVP_aes_256_ctr(), NULL, st->key + half, block),
            1);
        assert_int_equal(EVP_EncryptUpdate(c, cipher, &n, st->lines[i].plain, (int)m->payload_n), 1);
        EVP_CIPHER_CTX_free(c);
    }
    size_t n = covered(m, cipher, bytes);
    assert_non_null(EVP_Q_mac(NULL, "CMAC", NULL, small ? "AES-128-CBC" : "AES-256-CBC", NULL, st->key, half,
                              bytes, n, tag, TL_TAG_MAX, &size));
}

/* Under the message's own key if it has one. */
static void oracle(const state *st, size_t i, uint8_t cipher[PAYLOAD_MAX], uint8_t tag[TL_TAG_MAX])
{
    tl_suite suite = st->suite;
    for (size_t j = 0; j < SUITES; j++) {
        if (st->m[i].key.slot != 0 && st->m[i].key.slot == st->others[suites[j]].slot)
            suite = suites[j];
    }
    bool small = suite == TL_SUITE_AES128_GMAC || suite == TL_SUITE_AES128_CMAC;
    memcpy(cipher, st->lines[i].plain, st->m[i].payload_n);
    if (is_cmac(suite))
        oracle_cmac(st, i, small, cipher, tag);
    else
        oracle_gcm(st, i, small, cipher, tag);
}

static void assert_right(const state *st, size_t i)
{
    assert_true(st->m[i].right);
    assert_memory_equal(st->m[i].payload, st->lines[i].plain, st->m[i].payload_n);
}

static void assert_wrong(const state *st, size_t i)
{
    assert_false(st->m[i].right);
    if (st->m[i].cover == TL_COVER_ENCRYPTED)
        tl_assert_all(st->m[i].payload, 0, st->m[i].payload_n);
}

/* ---- what is right ---- */

/* Each message as OpenSSL called directly makes it, and not a byte beyond. */
static void assert_sealed(const state *st, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t cipher[PAYLOAD_MAX], tag[TL_TAG_MAX];
        oracle(st, i, cipher, tag);
        assert_memory_equal(st->m[i].tag, tag, TL_TAG_MAX);
        assert_memory_equal(st->m[i].payload, cipher, st->m[i].payload_n);
        assert_memory_equal(st->m[i].payload + st->m[i].payload_n, st->lines[i].plain + st->m[i].payload_n,
                            PAYLOAD_MAX - st->m[i].payload_n);
    }
}

static void batch_when_1_to_70_mixed_messages_then_as_openssl_directly_and_all_right(void **s)
{
    state *st = *s;
    tl_rng r = tl_random_start(__func__);
    for (size_t n = 1; n <= BATCH_MAX; n++) {
        use_key(st, &r, suites[n % SUITES]);
        fill_any(st, &r, n);
        protect(st, n);
        assert_sealed(st, n);
        verify(st, n);
        for (size_t i = 0; i < n; i++)
            assert_right(st, i);
    }
}

static void batch_when_keys_are_mixed_then_each_message_is_under_its_own(void **s)
{
    state *st = *s;
    tl_rng r = tl_random_start(__func__);
    for (size_t n = 1; n <= BATCH_MAX; n++) {
        use_key(st, &r, suites[n % SUITES]);
        use_others(st);
        fill_any(st, &r, n);
        for (size_t i = 0; i < n; i++)
            st->m[i].key = st->others[tl_random_below(&r, SUITES + 1)]; /* [0]: the call's */
        protect(st, n);
        assert_sealed(st, n);
        verify(st, n);
        for (size_t i = 0; i < n; i++)
            assert_right(st, i);
    }
}

/* What open says of a message is what protect said of it, and the text comes out whatever the tag was. */
static void open_when_the_tags_are_unknown_then_tags_and_text(void **s)
{
    state *st = *s;
    tl_rng r = tl_random_start(__func__);
    for (size_t n = 1; n <= BATCH_MAX; n++) {
        uint8_t tags[BATCH_MAX][TL_TAG_MAX];
        use_key(st, &r, suites[n % SUITES]);
        use_others(st);
        fill_any(st, &r, n);
        for (size_t i = 0; i < n; i++)
            st->m[i].key = st->others[tl_random_below(&r, SUITES + 1)];
        protect(st, n);
        for (size_t i = 0; i < n; i++) {
            memcpy(tags[i], st->m[i].tag, TL_TAG_MAX);
            tl_random_fill(&r, st->m[i].tag, TL_TAG_MAX);
            st->m[i].tag_n = 0;
        }
        tl_assert_ok(st->c->ops->open(st->c->ctx, st->k, st->m, n));
        for (size_t i = 0; i < n; i++) {
            assert_memory_equal(st->m[i].tag, tags[i], TL_TAG_MAX);
            assert_memory_equal(st->lines[i].payload, st->lines[i].plain, PAYLOAD_MAX);
        }
    }
}

/* Longer than the piece in which a text is encrypted again for its tag. */
static void open_when_the_text_is_long_then_the_tag_is_the_same(void **s)
{
    state *st = *s;
    tl_rng r = { 21 };
    static uint8_t text[5000], plain[sizeof text];
    for (size_t n = 1000; n <= sizeof text; n += 8) {
        uint8_t tag[TL_TAG_MAX];
        use_key(st, &r, suites[n / 8 % SUITES]);
        fill(st, &r, 0, 16, 0, TL_COVER_ENCRYPTED);
        st->m[0].payload = text;
        st->m[0].payload_n = n;
        tl_random_fill(&r, plain, n);
        memcpy(text, plain, n);
        protect(st, 1);
        memcpy(tag, st->m[0].tag, TL_TAG_MAX);
        text[n - 1] ^= 1;
        tl_assert_ok(st->c->ops->open(st->c->ctx, st->k, st->m, 1));
        assert_memory_not_equal(st->m[0].tag, tag, TL_TAG_MAX);
        assert_memory_equal(text, plain, n - 1);
        assert_int_equal(text[n - 1], plain[n - 1] ^ 1);
        memcpy(text, plain, n);
        protect(st, 1);
        tl_assert_ok(st->c->ops->open(st->c->ctx, st->k, st->m, 1));
        assert_memory_equal(st->m[0].tag, tag, TL_TAG_MAX);
        assert_memory_equal(text, plain, n);
    }
}

static void cmac_when_the_text_is_in_clear_then_the_nonce_does_not_matter(void **s)
{
    state *st = *s;
    tl_rng r = { 22 };
    uint8_t tag[TL_TAG_MAX];
    for (int cover = TL_COVER_PAYLOAD; cover <= TL_COVER_PATTERN; cover++) {
        use_key(st, &r, TL_SUITE_AES128_CMAC);
        fill(st, &r, 0, 16, 64, (tl_cover)cover);
        st->m[0].pattern = (tl_pattern){ 3, 1, 2 };
        protect(st, 1);
        memcpy(tag, st->m[0].tag, TL_TAG_MAX);
        memcpy(st->lines[0].payload, st->lines[0].plain, PAYLOAD_MAX);
        st->m[0].nonce[0] ^= 1;
        protect(st, 1);
        assert_int_equal(memcmp(st->m[0].tag, tag, TL_TAG_MAX) == 0, cover != TL_COVER_ENCRYPTED);
    }
}

/* A bit of the payload matters if the cover has it, and only then. */
static void verify_when_a_payload_bit_is_flipped_then_wrong_only_where_it_is_covered(void **s)
{
    state *st = *s;
    tl_rng r = tl_random_start(__func__);
    for (size_t round = 0; round < 8 * SUITES; round++) {
        use_key(st, &r, suites[round % SUITES]);
        fill_any(st, &r, 1);
        st->m[0].cover = round < 4 * SUITES ? TL_COVER_HEADER : TL_COVER_PATTERN;
        protect(st, 1);
        for (size_t i = 0; i < st->m[0].payload_n; i++) {
            uint8_t bytes[HEADER_MAX + PAYLOAD_MAX], changed[HEADER_MAX + PAYLOAD_MAX];
            size_t n = covered(&st->m[0], st->m[0].payload, bytes);
            st->m[0].payload[i] ^= 0x20;
            covered(&st->m[0], st->m[0].payload, changed);
            verify(st, 1);
            assert_int_equal(st->m[0].right, memcmp(bytes, changed, n) == 0);
            st->m[0].payload[i] ^= 0x20;
        }
    }
}

static void batch_when_empty_then_nothing(void **s)
{
    state *st = *s;
    tl_rng r = { 1 };
    use_key(st, &r, TL_SUITE_AES128_GMAC);
    tl_assert_ok(st->c->ops->protect(st->c->ctx, st->k, NULL, 0));
    tl_assert_ok(st->c->ops->verify(st->c->ctx, st->k, NULL, 0));
    tl_assert_ok(st->c->ops->open(st->c->ctx, st->k, NULL, 0));
}

static void messages_when_header_and_payload_are_empty_then_still_tagged(void **s)
{
    state *st = *s;
    tl_rng r = { 2 };
    use_key(st, &r, TL_SUITE_AES256_GMAC);
    for (size_t i = 0; i < 2; i++) {
        fill(st, &r, i, 0, 0, i == 0 ? TL_COVER_PAYLOAD : TL_COVER_ENCRYPTED);
        st->m[i].header = tl_span_of(NULL, 0);
        st->m[i].payload = NULL;
    }
    protect(st, 2);
    verify(st, 2);
    assert_true(st->m[0].right && st->m[1].right);
    st->m[0].tag[0] ^= 1;
    st->m[1].tag[15] ^= 1;
    verify(st, 2);
    assert_false(st->m[0].right || st->m[1].right);
}

static void protect_when_tag_n_is_small_or_0_then_the_whole_tag_is_written(void **s)
{
    state *st = *s;
    tl_rng r = { 3 };
    uint8_t cipher[PAYLOAD_MAX], tag[TL_TAG_MAX];
    use_key(st, &r, TL_SUITE_AES128_GMAC);
    fill(st, &r, 0, 16, 64, TL_COVER_PAYLOAD);
    oracle(st, 0, cipher, tag);
    for (int n = 0; n <= 12; n += 12) {
        st->m[0].tag_n = (uint8_t)n;
        memset(st->m[0].tag, 0, TL_TAG_MAX);
        protect(st, 1);
        assert_memory_equal(st->m[0].tag, tag, TL_TAG_MAX);
    }
}

static void verify_when_repeated_under_one_context_then_messages_do_not_disturb_each_other(void **s)
{
    state *st = *s;
    tl_rng r = tl_random_start(__func__);
    use_key(st, &r, TL_SUITE_AES128_GMAC);
    for (int round = 0; round < 50; round++) {
        fill_any(st, &r, 4);
        protect(st, 4);
        st->m[round % 4].tag[0] ^= 0x80;
        verify(st, 4);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(st->m[i].right, i != (size_t)(round % 4));
    }
}

/* ---- what is wrong ---- */

/* Flips each bit of `bytes`, a part of the protected message 0, in turn, and expects `right` each time. */
static void flip_all(state *st, uint8_t *bytes, size_t n, bool right)
{
    uint8_t cipher[PAYLOAD_MAX];
    memcpy(cipher, st->m[0].payload, sizeof cipher);
    for (size_t i = 0; i < 8 * n; i++) {
        uint8_t kept = bytes[i / 8];
        bytes[i / 8] = (uint8_t)(kept ^ 1u << i % 8);
        st->m[0].right = !right;
        verify(st, 1);
        if (right)
            assert_right(st, 0);
        else
            assert_wrong(st, 0);
        bytes[i / 8] = kept;
        memcpy(st->m[0].payload, cipher, sizeof cipher);
    }
}

static void verify_when_any_one_bit_is_flipped_then_wrong(void **s)
{
    state *st = *s;
    tl_rng r = tl_random_start(__func__);
    for (size_t round = 0; round < 2 * SUITES; round++) {
        use_key(st, &r, suites[round / 2]);
        fill(st, &r, 0, 16, 37, round % 2 == 0 ? TL_COVER_PAYLOAD : TL_COVER_ENCRYPTED);
        protect(st, 1);
        flip_all(st, st->lines[0].header, 16, false);
        flip_all(st, st->m[0].payload, 37, false);
        flip_all(st, st->m[0].tag, TL_TAG_MAX, false);
        if (!is_cmac(st->suite))
            flip_all(st, st->m[0].nonce, TL_NONCE_SIZE, false);
        verify(st, 1);
        assert_right(st, 0);
    }
}

static void verify_when_tag_n_is_n_then_exactly_n_bytes_are_compared(void **s)
{
    state *st = *s;
    tl_rng r = tl_random_start(__func__);
    for (uint8_t n = 1; n <= TL_TAG_MAX; n++) {
        use_key(st, &r, suites[n % SUITES]);
        for (int cover = TL_COVER_PAYLOAD; cover <= TL_COVER_ENCRYPTED; cover++) {
            fill(st, &r, 0, 16, 30, (tl_cover)cover);
            protect(st, 1);
            st->m[0].tag_n = n;
            flip_all(st, st->m[0].tag, n, false);
            flip_all(st, st->m[0].tag + n, (size_t)TL_TAG_MAX - n, true);
        }
    }
}

static void verify_when_one_of_many_is_wrong_then_the_others_are_right(void **s)
{
    state *st = *s;
    tl_rng r = tl_random_start(__func__);
    for (size_t bad = 0; bad < BATCH_MAX; bad++) {
        use_key(st, &r, suites[bad % SUITES]);
        fill_any(st, &r, BATCH_MAX);
        protect(st, BATCH_MAX);
        st->m[bad].tag[tl_random_below(&r, st->m[bad].tag_n)] ^= 0x10;
        verify(st, BATCH_MAX);
        for (size_t i = 0; i < BATCH_MAX; i++) {
            if (i == bad)
                assert_wrong(st, i);
            else
                assert_right(st, i);
        }
    }
}

static void verify_when_clear_and_wrong_then_the_payload_stays(void **s)
{
    state *st = *s;
    tl_rng r = { 4 };
    use_key(st, &r, TL_SUITE_AES128_GMAC);
    fill(st, &r, 0, 16, 100, TL_COVER_PAYLOAD);
    protect(st, 1);
    st->m[0].tag[3] ^= 1;
    verify(st, 1);
    assert_false(st->m[0].right);
    assert_memory_equal(st->m[0].payload, st->lines[0].plain, 100);
}

static void verify_when_under_another_key_then_wrong(void **s)
{
    state *st = *s;
    tl_rng r = tl_random_start(__func__);
    for (size_t round = 0; round < SUITES; round++) {
        use_key(st, &r, suites[round]);
        fill_any(st, &r, 16);
        protect(st, 16);
        use_key(st, &r, suites[round]);
        verify(st, 16);
        for (size_t i = 0; i < 16; i++)
            assert_wrong(st, i);
    }
}

static void verify_when_two_messages_name_each_others_keys_then_both_wrong(void **s)
{
    state *st = *s;
    tl_rng r = { 23 };
    use_key(st, &r, TL_SUITE_AES128_GMAC);
    use_others(st);
    for (size_t i = 0; i < 3; i++)
        fill(st, &r, i, 16, 64, TL_COVER_ENCRYPTED);
    st->m[0].key = st->others[TL_SUITE_AES128_CMAC];
    st->m[1].key = st->others[TL_SUITE_AES256_CMAC];
    protect(st, 3);
    st->m[1].key = st->others[TL_SUITE_AES128_CMAC];
    st->m[0].key = st->others[TL_SUITE_AES256_CMAC];
    verify(st, 3);
    assert_wrong(st, 0);
    assert_wrong(st, 1);
    assert_right(st, 2);
}

static void verify_when_the_cover_or_a_length_differs_then_wrong(void **s)
{
    state *st = *s;
    tl_rng r = { 5 };
    for (size_t round = 0; round < SUITES; round++) {
        use_key(st, &r, suites[round]);
        fill(st, &r, 0, 16, 64, TL_COVER_PAYLOAD);
        fill(st, &r, 1, 16, 64, TL_COVER_ENCRYPTED);
        fill(st, &r, 2, 16, 64, TL_COVER_PAYLOAD);
        fill(st, &r, 3, 16, 64, TL_COVER_ENCRYPTED);
        fill(st, &r, 4, 16, 64, TL_COVER_ENCRYPTED);
        fill(st, &r, 5, 16, 64, TL_COVER_PAYLOAD);
        fill(st, &r, 6, 16, 64, TL_COVER_PATTERN);
        st->m[6].pattern = (tl_pattern){ 0, 1, 2 };
        protect(st, 7);
        st->m[0].cover = TL_COVER_HEADER;
        st->m[1].cover = TL_COVER_HEADER;
        st->m[2].payload_n = 63;
        st->m[3].payload_n = 63;
        st->m[4].header.n = 15;
        st->m[5].cover = TL_COVER_PATTERN;
        st->m[5].pattern = (tl_pattern){ 1, 1, 1 };
        st->m[6].pattern.first = 2;
        verify(st, 7);
        for (size_t i = 0; i < 7; i++)
            assert_wrong(st, i);
    }
}

/* With GMAC a tag tells whether a payload was encrypted; with CMAC that is the header's to say. */
static void verify_when_clear_is_taken_for_encrypted_then_gmac_says_wrong(void **s)
{
    state *st = *s;
    tl_rng r = { 24 };
    use_key(st, &r, TL_SUITE_AES128_GMAC);
    fill(st, &r, 0, 16, 64, TL_COVER_PAYLOAD);
    fill(st, &r, 1, 16, 64, TL_COVER_ENCRYPTED);
    protect(st, 2);
    st->m[0].cover = TL_COVER_ENCRYPTED;
    st->m[1].cover = TL_COVER_PAYLOAD;
    verify(st, 2);
    assert_wrong(st, 0);
    assert_wrong(st, 1);
}

static void verify_when_tags_of_two_messages_are_swapped_then_both_wrong(void **s)
{
    state *st = *s;
    tl_rng r = { 6 };
    uint8_t tag[TL_TAG_MAX];
    use_key(st, &r, TL_SUITE_AES256_GMAC);
    fill(st, &r, 0, 16, 64, TL_COVER_PAYLOAD);
    fill(st, &r, 1, 16, 64, TL_COVER_ENCRYPTED);
    protect(st, 2);
    memcpy(tag, st->m[0].tag, sizeof tag);
    memcpy(st->m[0].tag, st->m[1].tag, sizeof tag);
    memcpy(st->m[1].tag, tag, sizeof tag);
    verify(st, 2);
    assert_wrong(st, 0);
    assert_wrong(st, 1);
}

/* ---- what is refused ---- */

typedef tl_err batch_op(void *ctx, tl_key k, tl_sealed *m, size_t n);

/* Expects the batch of three to be refused because of the one in its middle, and to be as it was. */
static void assert_refused(state *st, bool by_verify_alone)
{
    line before[3];
    tl_sealed m[3];
    batch_op *makers[] = { st->c->ops->protect, st->c->ops->open };
    memcpy(before, st->lines, sizeof before);
    for (size_t i = 0; i < 3; i++) {
        st->m[i].right = true;
        memset(st->m[i].tag, 0x77, sizeof st->m[i].tag);
    }
    memcpy(m, st->m, sizeof m);
    for (size_t i = 0; i < 2 && !by_verify_alone; i++) {
        tl_assert_err(TL_E_USAGE, makers[i](st->c->ctx, st->k, st->m, 3));
        assert_memory_equal(m, st->m, sizeof m);
    }
    tl_assert_err(TL_E_USAGE, st->c->ops->verify(st->c->ctx, st->k, st->m, 3));
    for (size_t i = 0; i < 3; i++) {
        assert_false(st->m[i].right);
        tl_assert_all(st->m[i].tag, 0x77, sizeof st->m[i].tag);
    }
    assert_memory_equal(before, st->lines, sizeof before);
}

static void spoil_message(state *st, tl_sealed *m, int fault)
{
    switch (fault) {
    case 0: m->header.p = NULL; break;
    case 1: m->payload = NULL; break;
    case 2: m->header.n = (size_t)INT_MAX + 1; break;
    case 3: m->payload_n = (size_t)INT_MAX + 1; break;
    case 4: m->payload_n = SIZE_MAX; break;
    case 5: m->cover = (tl_cover)(TL_COVER_PATTERN + 1); break;
    case 6: m->cover = TL_COVER_PATTERN; break;
    case 7: m->pattern = (tl_pattern){ 0, 0, 5 }, m->cover = TL_COVER_PATTERN; break;
    case 8: m->pattern = (tl_pattern){ 0, 6, 5 }, m->cover = TL_COVER_PATTERN; break;
    case 9: m->pattern = (tl_pattern){ 9, 1, 0 }, m->cover = TL_COVER_PATTERN; break;
    case 10: m->key.slot = 0xFFFF; break;
    case 11: m->key.slot = st->k.slot + 0x10000; break;
    case 12: m->key = st->others[0]; break;
    case 13: m->tag_n = 0; break;
    case 14: m->tag_n = TL_TAG_MAX + 1; break;
    case 15: m->tag_n = 255; break;
    }
}

static void batch_when_one_message_is_out_of_bounds_then_usage_and_nothing_changed(void **s)
{
    state *st = *s;
    tl_rng r = { 7 };
    for (size_t suite = 0; suite < SUITES; suite++) {
        for (int fault = 0; fault < 16; fault++) {
            uint8_t point[TL_POINT_MAX];
            use_key(st, &r, suites[suite]);
            /* a live key, but no stream's */
            st->c->ops->key_drop(st->c->ctx, st->others[0]);
            tl_assert_ok(st->c->ops->exchange_start(st->c->ctx, TL_GROUP_P256, &st->others[0], point));
            for (size_t i = 0; i < 3; i++)
                fill(st, &r, i, 16, 64, TL_COVER_ENCRYPTED);
            spoil_message(st, &st->m[1], fault);
            assert_refused(st, fault >= 13);
        }
    }
}

static void batch_when_a_messages_key_is_dropped_then_usage_and_nothing_changed(void **s)
{
    state *st = *s;
    tl_rng r = { 25 };
    for (size_t i = 0; i < 3; i++) {
        use_key(st, &r, TL_SUITE_AES256_CMAC);
        use_others(st);
        for (size_t j = 0; j < 3; j++)
            fill(st, &r, j, 16, 64, TL_COVER_ENCRYPTED);
        st->m[i].key = st->others[TL_SUITE_AES128_CMAC];
        st->c->ops->key_drop(st->c->ctx, st->m[i].key);
        assert_refused(st, false);
    }
}

/* The call's key is looked at although no message is under it. */
static void batch_when_only_the_calls_key_is_dropped_then_usage(void **s)
{
    state *st = *s;
    tl_rng r = { 26 };
    use_key(st, &r, TL_SUITE_AES128_GMAC);
    use_others(st);
    for (size_t i = 0; i < 3; i++) {
        fill(st, &r, i, 16, 64, TL_COVER_ENCRYPTED);
        st->m[i].key = st->others[TL_SUITE_AES256_GMAC];
    }
    st->c->ops->key_drop(st->c->ctx, st->k);
    assert_refused(st, false);
}

static void batch_when_the_calls_key_is_0_then_each_message_must_name_one(void **s)
{
    state *st = *s;
    tl_rng r = { 27 };
    use_key(st, &r, TL_SUITE_AES128_GMAC);
    use_others(st);
    for (size_t i = 0; i < 3; i++) {
        fill(st, &r, i, 16, 64, TL_COVER_ENCRYPTED);
        st->m[i].key = st->others[TL_SUITE_AES256_GMAC];
    }
    st->c->ops->key_drop(st->c->ctx, st->k);
    st->k.slot = 0;
    protect(st, 3);
    assert_sealed(st, 3);
    verify(st, 3);
    for (size_t i = 0; i < 3; i++)
        assert_right(st, i);
    for (size_t i = 0; i < 3; i++) {
        st->m[i].key.slot = 0;
        assert_refused(st, false);
        st->m[i].key = st->others[TL_SUITE_AES256_GMAC];
    }
}

static void batch_when_null_then_usage(void **s)
{
    state *st = *s;
    tl_rng r = { 8 };
    use_key(st, &r, TL_SUITE_AES128_GMAC);
    tl_assert_err(TL_E_USAGE, st->c->ops->protect(st->c->ctx, st->k, NULL, 1));
    tl_assert_err(TL_E_USAGE, st->c->ops->verify(st->c->ctx, st->k, NULL, 1));
    tl_assert_err(TL_E_USAGE, st->c->ops->open(st->c->ctx, st->k, NULL, 1));
}

static void batch_when_the_key_is_dropped_then_usage_and_nothing_changed(void **s)
{
    state *st = *s;
    tl_rng r = { 9 };
    use_key(st, &r, TL_SUITE_AES128_GMAC);
    for (size_t i = 0; i < 3; i++)
        fill(st, &r, i, 16, 64, i == 1 ? TL_COVER_PAYLOAD : TL_COVER_ENCRYPTED);
    st->c->ops->key_drop(st->c->ctx, st->k);
    assert_refused(st, false);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(batch_when_1_to_70_mixed_messages_then_as_openssl_directly_and_all_right),
        CASE(batch_when_keys_are_mixed_then_each_message_is_under_its_own),
        CASE(open_when_the_tags_are_unknown_then_tags_and_text),
        CASE(open_when_the_text_is_long_then_the_tag_is_the_same),
        CASE(cmac_when_the_text_is_in_clear_then_the_nonce_does_not_matter),
        CASE(verify_when_a_payload_bit_is_flipped_then_wrong_only_where_it_is_covered),
        CASE(batch_when_empty_then_nothing),
        CASE(messages_when_header_and_payload_are_empty_then_still_tagged),
        CASE(protect_when_tag_n_is_small_or_0_then_the_whole_tag_is_written),
        CASE(verify_when_repeated_under_one_context_then_messages_do_not_disturb_each_other),
        CASE(verify_when_any_one_bit_is_flipped_then_wrong),
        CASE(verify_when_tag_n_is_n_then_exactly_n_bytes_are_compared),
        CASE(verify_when_one_of_many_is_wrong_then_the_others_are_right),
        CASE(verify_when_clear_and_wrong_then_the_payload_stays),
        CASE(verify_when_under_another_key_then_wrong),
        CASE(verify_when_two_messages_name_each_others_keys_then_both_wrong),
        CASE(verify_when_the_cover_or_a_length_differs_then_wrong),
        CASE(verify_when_clear_is_taken_for_encrypted_then_gmac_says_wrong),
        CASE(verify_when_tags_of_two_messages_are_swapped_then_both_wrong),
        CASE(batch_when_one_message_is_out_of_bounds_then_usage_and_nothing_changed),
        CASE(batch_when_a_messages_key_is_dropped_then_usage_and_nothing_changed),
        CASE(batch_when_only_the_calls_key_is_dropped_then_usage),
        CASE(batch_when_the_calls_key_is_0_then_each_message_must_name_one),
        CASE(batch_when_null_then_usage),
        CASE(batch_when_the_key_is_dropped_then_usage_and_nothing_changed),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
