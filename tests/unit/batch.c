/* Batches of the OpenSSL backend: what protect makes is what AES-GCM called directly makes, verify takes it
 * and nothing that differs in a bit, a wrong message does not touch its neighbours, and refused batches are
 * left as they were. */
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
    uint8_t key[32];
    tl_suite suite;
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
             tl_random_below(r, 2) == 0 ? TL_COVER_PAYLOAD : TL_COVER_ENCRYPTED);
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

/* AES-GCM by the book, with a context of its own for each message. */
static void oracle(const state *st, size_t i, uint8_t cipher[PAYLOAD_MAX], uint8_t tag[TL_TAG_MAX])
{
    const tl_sealed *m = &st->m[i];
    const line *l = &st->lines[i];
    const EVP_CIPHER *alg = st->suite == TL_SUITE_AES128_GMAC ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    uint8_t aad[HEADER_MAX + PAYLOAD_MAX];
    size_t aad_n = m->header.n;
    int n;
    memcpy(aad, l->header, aad_n);
    memcpy(cipher, l->plain, m->payload_n);
    assert_int_equal(EVP_EncryptInit_ex(c, alg, NULL, st->key, m->nonce), 1);
    if (m->cover == TL_COVER_PAYLOAD) {
        memcpy(aad + aad_n, l->plain, m->payload_n);
        aad_n += m->payload_n;
    }
    assert_int_equal(EVP_EncryptUpdate(c, NULL, &n, aad, (int)aad_n), 1);
    if (m->cover == TL_COVER_ENCRYPTED)
        assert_int_equal(EVP_EncryptUpdate(c, cipher, &n, l->plain, (int)m->payload_n), 1);
    assert_int_equal(EVP_EncryptFinal_ex(c, aad, &n), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TL_TAG_MAX, tag), 1);
    EVP_CIPHER_CTX_free(c);
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

static void batch_when_1_to_70_mixed_messages_then_as_openssl_directly_and_all_right(void **s)
{
    state *st = *s;
    tl_rng r = tl_random_start(__func__);
    for (size_t n = 1; n <= BATCH_MAX; n++) {
        use_key(st, &r, n % 2 == 0 ? TL_SUITE_AES128_GMAC : TL_SUITE_AES256_GMAC);
        fill_any(st, &r, n);
        protect(st, n);
        for (size_t i = 0; i < n; i++) {
            uint8_t cipher[PAYLOAD_MAX], tag[TL_TAG_MAX];
            oracle(st, i, cipher, tag);
            assert_memory_equal(st->m[i].tag, tag, TL_TAG_MAX);
            assert_memory_equal(st->m[i].payload, cipher, st->m[i].payload_n);
            /* bytes behind the payload are somebody else's */
            assert_memory_equal(st->m[i].payload + st->m[i].payload_n,
                                st->lines[i].plain + st->m[i].payload_n, PAYLOAD_MAX - st->m[i].payload_n);
        }
        verify(st, n);
        for (size_t i = 0; i < n; i++)
            assert_right(st, i);
    }
}

static void batch_when_empty_then_nothing(void **s)
{
    state *st = *s;
    tl_rng r = { 1 };
    use_key(st, &r, TL_SUITE_AES128_GMAC);
    tl_assert_ok(st->c->ops->protect(st->c->ctx, st->k, NULL, 0));
    tl_assert_ok(st->c->ops->verify(st->c->ctx, st->k, NULL, 0));
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
    for (int round = 0; round < 4; round++) {
        use_key(st, &r, round < 2 ? TL_SUITE_AES128_GMAC : TL_SUITE_AES256_GMAC);
        fill(st, &r, 0, 16, 37, round % 2 == 0 ? TL_COVER_PAYLOAD : TL_COVER_ENCRYPTED);
        protect(st, 1);
        flip_all(st, st->lines[0].header, 16, false);
        flip_all(st, st->m[0].payload, 37, false);
        flip_all(st, st->m[0].tag, TL_TAG_MAX, false);
        flip_all(st, st->m[0].nonce, TL_NONCE_SIZE, false);
        verify(st, 1);
        assert_right(st, 0);
    }
}

static void verify_when_tag_n_is_n_then_exactly_n_bytes_are_compared(void **s)
{
    state *st = *s;
    tl_rng r = tl_random_start(__func__);
    use_key(st, &r, TL_SUITE_AES128_GMAC);
    for (uint8_t n = 1; n <= TL_TAG_MAX; n++) {
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
    use_key(st, &r, TL_SUITE_AES256_GMAC);
    for (size_t bad = 0; bad < BATCH_MAX; bad++) {
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
    use_key(st, &r, TL_SUITE_AES128_GMAC);
    fill_any(st, &r, 16);
    protect(st, 16);
    use_key(st, &r, TL_SUITE_AES128_GMAC);
    verify(st, 16);
    for (size_t i = 0; i < 16; i++)
        assert_wrong(st, i);
}

static void verify_when_the_cover_or_a_length_differs_then_wrong(void **s)
{
    state *st = *s;
    tl_rng r = { 5 };
    use_key(st, &r, TL_SUITE_AES128_GMAC);
    fill(st, &r, 0, 16, 64, TL_COVER_PAYLOAD);
    fill(st, &r, 1, 16, 64, TL_COVER_ENCRYPTED);
    fill(st, &r, 2, 16, 64, TL_COVER_PAYLOAD);
    fill(st, &r, 3, 16, 64, TL_COVER_ENCRYPTED);
    fill(st, &r, 4, 16, 64, TL_COVER_ENCRYPTED);
    protect(st, 5);
    st->m[0].cover = TL_COVER_ENCRYPTED;
    st->m[1].cover = TL_COVER_PAYLOAD;
    st->m[2].payload_n = 63;
    st->m[3].payload_n = 63;
    st->m[4].header.n = 15;
    verify(st, 5);
    for (size_t i = 0; i < 5; i++)
        assert_wrong(st, i);
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

/* Expects the batch of three to be refused because of the one in its middle, and to be as it was. */
static void assert_refused(state *st, bool by_protect)
{
    line before[3];
    tl_sealed m[3];
    memcpy(before, st->lines, sizeof before);
    for (size_t i = 0; i < 3; i++) {
        st->m[i].right = true;
        memset(st->m[i].tag, 0x77, sizeof st->m[i].tag);
    }
    if (by_protect) {
        memcpy(m, st->m, sizeof m);
        tl_assert_err(TL_E_USAGE, st->c->ops->protect(st->c->ctx, st->k, st->m, 3));
        assert_memory_equal(m, st->m, sizeof m);
    }
    tl_assert_err(TL_E_USAGE, st->c->ops->verify(st->c->ctx, st->k, st->m, 3));
    for (size_t i = 0; i < 3; i++) {
        assert_false(st->m[i].right);
        tl_assert_all(st->m[i].tag, 0x77, sizeof st->m[i].tag);
    }
    assert_memory_equal(before, st->lines, sizeof before);
}

static void batch_when_one_message_is_out_of_bounds_then_usage_and_nothing_changed(void **s)
{
    state *st = *s;
    tl_rng r = { 7 };
    use_key(st, &r, TL_SUITE_AES128_GMAC);
    for (int fault = 0; fault < 9; fault++) {
        for (size_t i = 0; i < 3; i++)
            fill(st, &r, i, 16, 64, TL_COVER_ENCRYPTED);
        tl_sealed *m = &st->m[1];
        switch (fault) {
        case 0: m->header.p = NULL; break;
        case 1: m->payload = NULL; break;
        case 2: m->header.n = (size_t)INT_MAX + 1; break;
        case 3: m->payload_n = (size_t)INT_MAX + 1; break;
        case 4: m->payload_n = SIZE_MAX; break;
        case 5: m->cover = (tl_cover)(TL_COVER_ENCRYPTED + 1); break;
        case 6: m->tag_n = 0; break;
        case 7: m->tag_n = TL_TAG_MAX + 1; break;
        case 8: m->tag_n = 255; break;
        }
        assert_refused(st, fault < 6);
    }
}

static void batch_when_null_then_usage(void **s)
{
    state *st = *s;
    tl_rng r = { 8 };
    use_key(st, &r, TL_SUITE_AES128_GMAC);
    tl_assert_err(TL_E_USAGE, st->c->ops->protect(st->c->ctx, st->k, NULL, 1));
    tl_assert_err(TL_E_USAGE, st->c->ops->verify(st->c->ctx, st->k, NULL, 1));
}

static void batch_when_the_key_is_dropped_then_usage_and_nothing_changed(void **s)
{
    state *st = *s;
    tl_rng r = { 9 };
    use_key(st, &r, TL_SUITE_AES128_GMAC);
    for (size_t i = 0; i < 3; i++)
        fill(st, &r, i, 16, 64, i == 1 ? TL_COVER_PAYLOAD : TL_COVER_ENCRYPTED);
    st->c->ops->key_drop(st->c->ctx, st->k);
    assert_refused(st, true);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(batch_when_1_to_70_mixed_messages_then_as_openssl_directly_and_all_right),
        CASE(batch_when_empty_then_nothing),
        CASE(messages_when_header_and_payload_are_empty_then_still_tagged),
        CASE(protect_when_tag_n_is_small_or_0_then_the_whole_tag_is_written),
        CASE(verify_when_repeated_under_one_context_then_messages_do_not_disturb_each_other),
        CASE(verify_when_any_one_bit_is_flipped_then_wrong),
        CASE(verify_when_tag_n_is_n_then_exactly_n_bytes_are_compared),
        CASE(verify_when_one_of_many_is_wrong_then_the_others_are_right),
        CASE(verify_when_clear_and_wrong_then_the_payload_stays),
        CASE(verify_when_under_another_key_then_wrong),
        CASE(verify_when_the_cover_or_a_length_differs_then_wrong),
        CASE(verify_when_tags_of_two_messages_are_swapped_then_both_wrong),
        CASE(batch_when_one_message_is_out_of_bounds_then_usage_and_nothing_changed),
        CASE(batch_when_null_then_usage),
        CASE(batch_when_the_key_is_dropped_then_usage_and_nothing_changed),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
