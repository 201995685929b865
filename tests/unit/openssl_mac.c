/* Running MACs of the OpenSSL backend: in whatever pieces a list comes, the tag is that of OpenSSL called directly over
 * all of it; lists grow side by side and beside messages; handles that are none are refused. */
#include "testing.h"

#include <trueline/openssl.h>

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 3, LIST = 500 };

static const tl_suite suites[] = { TL_SUITE_AES128_GMAC, TL_SUITE_AES256_GMAC, TL_SUITE_AES128_CMAC,
                                   TL_SUITE_AES256_CMAC };
enum { SUITES = sizeof suites / sizeof *suites };

static const uint8_t key_bytes[64] = { 0x4B, 0x65, 0x79, [32] = 0x32 };
static uint8_t list[LIST];
static const uint8_t nonce[TL_NONCE_SIZE] = { 1, 2, 3 };

static tl_openssl *backend;
static const tl_crypto *c;

static int set_up(void **s)
{
    const tl_openssl_config config = { .key_slots = SUITES, .mac_slots = SLOTS };
    tl_rng r = { 1 };
    (void)s;
    tl_random_fill(&r, list, sizeof list);
    tl_assert_ok(tl_openssl_open(&config, &backend));
    c = tl_openssl_crypto(backend);
    return 0;
}

static int tear_down(void **s)
{
    (void)s;
    assert_int_equal(ERR_peek_error(), 0);
    tl_openssl_close(backend);
    return 0;
}

static tl_key load(tl_suite suite)
{
    tl_key k;
    tl_assert_ok(c->ops->key_load(c->ctx, suite, tl_span_of(key_bytes, tl_suite_key_size(suite)), &k));
    return k;
}

static tl_mac start(tl_key k)
{
    tl_mac m;
    tl_assert_ok(c->ops->mac_start(c->ctx, k, nonce, &m));
    assert_int_not_equal(m.slot, 0);
    return m;
}

static void add(tl_mac m, const void *p, size_t n)
{
    tl_assert_ok(c->ops->mac_add(c->ctx, m, tl_span_of(p, n)));
}

/* OpenSSL called directly, over the first n bytes of the list. */
static void oracle(tl_suite suite, const uint8_t from[TL_NONCE_SIZE], size_t n, uint8_t tag[TL_TAG_MAX])
{
    bool small = suite == TL_SUITE_AES128_GMAC || suite == TL_SUITE_AES128_CMAC;
    size_t key_n = small ? 16 : 32, size;
    if (suite == TL_SUITE_AES128_CMAC || suite == TL_SUITE_AES256_CMAC) {
        assert_non_null(EVP_Q_mac(NULL, "CMAC", NULL, small ? "AES-128-CBC" : "AES-256-CBC", NULL, key_bytes,
                                  key_n, list, n, tag, TL_TAG_MAX, &size));
        return;
    }
    EVP_CIPHER_CTX *gcm = EVP_CIPHER_CTX_new();
    uint8_t none[16];
    int done;
    assert_int_equal(
        EVP_EncryptInit_ex(gcm, small ? EVP_aes_128_gcm() : EVP_aes_256_gcm(), NULL, key_bytes, from), 1);
    assert_int_equal(EVP_EncryptUpdate(gcm, NULL, &done, list, (int)n), 1);
    assert_int_equal(EVP_EncryptFinal_ex(gcm, none, &done), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_GET_TAG, TL_TAG_MAX, tag), 1);
    EVP_CIPHER_CTX_free(gcm);
}

static void assert_ends(tl_mac m, tl_suite suite, size_t n)
{
    uint8_t tag[TL_TAG_MAX + 1], expected[TL_TAG_MAX];
    memset(tag, 0xAA, sizeof tag);
    tl_assert_ok(c->ops->mac_end(c->ctx, m, tag));
    oracle(suite, nonce, n, expected);
    assert_memory_equal(tag, expected, TL_TAG_MAX);
    assert_int_equal(tag[TL_TAG_MAX], 0xAA);
}

static void assert_refused(tl_mac m)
{
    uint8_t tag[TL_TAG_MAX];
    memset(tag, 0xAA, sizeof tag);
    tl_assert_err(TL_E_USAGE, c->ops->mac_add(c->ctx, m, tl_span_of(list, 1)));
    tl_assert_err(TL_E_USAGE, c->ops->mac_add(c->ctx, m, tl_span_of(NULL, 0)));
    tl_assert_err(TL_E_USAGE, c->ops->mac_end(c->ctx, m, tag));
    tl_assert_all(tag, 0xAA, sizeof tag);
    c->ops->mac_drop(c->ctx, m);
}

/* ---- what is right ---- */

static void mac_when_the_list_comes_in_pieces_then_the_tag_of_the_whole(void **s)
{
    (void)s;
    tl_rng r = tl_random_start(__func__);
    for (size_t i = 0; i < SUITES; i++) {
        tl_key k = load(suites[i]);
        for (size_t n = 0; n <= LIST; n++) {
            tl_mac m = start(k);
            for (size_t at = 0; at < n;) {
                size_t some = tl_random_below(&r, n - at + 1);
                some = some > 40 ? some % 40 : some;
                add(m, some != 0 ? list + at : NULL, some);
                at += some;
            }
            assert_ends(m, suites[i], n);
        }
    }
}

static void mac_when_lists_grow_side_by_side_then_none_disturbs_another(void **s)
{
    (void)s;
    enum { MESSAGE = 100 };
    for (size_t i = 0; i < SUITES; i++) {
        tl_key k = load(suites[i]);
        tl_mac m[SLOTS];
        uint8_t text[MESSAGE] = { 0 };
        tl_sealed message = {
            .payload = text, .payload_n = MESSAGE, .cover = TL_COVER_ENCRYPTED, .tag_n = 16
        };
        for (size_t j = 0; j < SLOTS; j++)
            m[j] = start(k);
        for (size_t at = 0; at < 300; at += 30) {
            for (size_t j = 0; j < SLOTS; j++)
                add(m[j], list + at, 30);
            message.nonce[0]++;
            tl_assert_ok(c->ops->protect(c->ctx, k, &message, 1));
            tl_assert_ok(c->ops->verify(c->ctx, k, &message, 1));
            assert_true(message.right);
        }
        for (size_t j = 0; j < SLOTS; j++) {
            add(m[j], list + 300, j);
            assert_ends(m[j], suites[i], 300 + j);
        }
    }
}

static void mac_when_started_after_a_message_then_that_does_not_count(void **s)
{
    (void)s;
    for (size_t i = 0; i < SUITES; i++) {
        tl_key k = load(suites[i]);
        tl_sealed message = { .header = { list, 77 }, .tag_n = 16 };
        tl_assert_ok(c->ops->protect(c->ctx, k, &message, 1));
        tl_mac m = start(k);
        tl_assert_ok(c->ops->protect(c->ctx, k, &message, 1));
        add(m, list, 21);
        assert_ends(m, suites[i], 21);
    }
}

static void mac_when_the_nonce_differs_then_so_does_a_gmac_but_no_cmac(void **s)
{
    (void)s;
    static const uint8_t other[TL_NONCE_SIZE] = { 9 };
    for (size_t i = 0; i < SUITES; i++) {
        tl_key k = load(suites[i]);
        uint8_t tag[TL_TAG_MAX], expected[TL_TAG_MAX];
        tl_mac m;
        tl_assert_ok(c->ops->mac_start(c->ctx, k, other, &m));
        add(m, list, 10);
        tl_assert_ok(c->ops->mac_end(c->ctx, m, tag));
        oracle(suites[i], other, 10, expected);
        assert_memory_equal(tag, expected, TL_TAG_MAX);
        oracle(suites[i], nonce, 10, expected);
        assert_int_equal(memcmp(tag, expected, TL_TAG_MAX) == 0, i >= 2);
    }
}

static void mac_when_the_suite_has_no_nonce_then_none_is_asked_for(void **s)
{
    (void)s;
    tl_mac m;
    tl_assert_ok(c->ops->mac_start(c->ctx, load(TL_SUITE_AES128_CMAC), NULL, &m));
    assert_ends(m, TL_SUITE_AES128_CMAC, 0);
    m.slot = 7;
    tl_assert_err(TL_E_USAGE, c->ops->mac_start(c->ctx, load(TL_SUITE_AES128_GMAC), NULL, &m));
    assert_int_equal(m.slot, 0);
}

/* One slot serves both kinds in turn. */
static void mac_when_the_slot_had_another_kind_then_the_tag_is_right(void **s)
{
    (void)s;
    tl_key k[SUITES];
    for (size_t i = 0; i < SUITES; i++)
        k[i] = load(suites[i]);
    for (size_t round = 0; round < 40; round++) {
        size_t i = round * 7 % 5 % SUITES;
        tl_mac m = start(k[i]);
        add(m, list, round);
        if (round % 3 == 0)
            c->ops->mac_drop(c->ctx, m);
        else
            assert_ends(m, suites[i], round);
    }
}

static void mac_when_it_equals_a_message_over_the_header_then_the_same_tag(void **s)
{
    (void)s;
    for (size_t i = 0; i < SUITES; i++) {
        tl_key k = load(suites[i]);
        uint8_t tag[TL_TAG_MAX];
        tl_sealed message = { .header = { list, 99 }, .cover = TL_COVER_HEADER };
        memcpy(message.nonce, nonce, sizeof nonce);
        tl_mac m = start(k);
        add(m, list, 99);
        tl_assert_ok(c->ops->mac_end(c->ctx, m, tag));
        tl_assert_ok(c->ops->protect(c->ctx, k, &message, 1));
        assert_memory_equal(message.tag, tag, TL_TAG_MAX);
    }
}

/* ---- what is refused ---- */

static void mac_when_the_handle_is_none_or_out_of_range_then_usage(void **s)
{
    (void)s;
    const uint32_t wild[] = { 0, SLOTS, SLOTS + 1, 0xFFFF, 0x10000, 0x10001, 0xFFFF0001, 0xFFFFFFFF };
    tl_mac m = start(load(TL_SUITE_AES128_GMAC));
    for (size_t i = 0; i < sizeof wild / sizeof *wild; i++)
        assert_refused((tl_mac){ wild[i] });
    assert_ends(m, TL_SUITE_AES128_GMAC, 0);
}

static void mac_when_ended_or_dropped_then_the_handle_is_refused_also_when_the_slot_is_in_use_again(void **s)
{
    (void)s;
    for (size_t i = 0; i < SUITES; i++) {
        tl_key k = load(suites[i]);
        tl_mac ended = start(k), dropped, m;
        assert_ends(ended, suites[i], 0);
        assert_refused(ended);
        dropped = start(k);
        c->ops->mac_drop(c->ctx, dropped);
        assert_refused(dropped);
        m = start(k);
        assert_int_equal(m.slot & 0xFFFF, dropped.slot & 0xFFFF);
        assert_refused(ended);
        assert_refused(dropped);
        add(m, list, 5);
        assert_ends(m, suites[i], 5);
    }
}

static void mac_start_when_the_pool_is_full_then_pool_until_one_is_given_back(void **s)
{
    (void)s;
    for (size_t i = 0; i < SUITES; i++) {
        tl_key k = load(suites[i]);
        tl_mac m[SLOTS], more = { 7 };
        for (size_t j = 0; j < SLOTS; j++)
            m[j] = start(k);
        tl_assert_err(TL_E_POOL, c->ops->mac_start(c->ctx, k, nonce, &more));
        assert_int_equal(more.slot, 0);
        c->ops->mac_drop(c->ctx, m[1]);
        m[1] = start(k);
        for (size_t j = 0; j < SLOTS; j++)
            assert_ends(m[j], suites[i], 0);
    }
}

static void mac_start_when_the_key_is_no_stream_key_then_usage_and_no_slot_taken(void **s)
{
    (void)s;
    uint8_t point[TL_POINT_MAX];
    tl_key k, dropped = load(TL_SUITE_AES256_GMAC);
    tl_mac m[SLOTS];
    c->ops->key_drop(c->ctx, dropped);
    tl_assert_ok(c->ops->exchange_start(c->ctx, TL_GROUP_P256, &k, point));
    const tl_key wrong[] = { { 0 }, { 0xFFFF }, dropped, k };
    for (size_t i = 0; i < 4 * SLOTS; i++) {
        m[0].slot = 7;
        tl_assert_err(TL_E_USAGE, c->ops->mac_start(c->ctx, wrong[i % 4], nonce, &m[0]));
        assert_int_equal(m[0].slot, 0);
    }
    k = load(TL_SUITE_AES256_GMAC);
    for (size_t i = 0; i < SLOTS; i++)
        m[i] = start(k);
}

static void mac_add_when_the_bytes_are_out_of_bounds_then_usage_and_the_list_goes_on(void **s)
{
    (void)s;
    for (size_t i = 0; i < SUITES; i++) {
        tl_mac m = start(load(suites[i]));
        add(m, list, 9);
        tl_assert_err(TL_E_USAGE, c->ops->mac_add(c->ctx, m, tl_span_of(NULL, 1)));
        tl_assert_err(TL_E_USAGE, c->ops->mac_add(c->ctx, m, tl_span_of(list, (size_t)INT_MAX + 1)));
        add(m, list + 9, 8);
        assert_ends(m, suites[i], 17);
    }
}

static void open_when_there_is_no_config_then_the_default_slots(void **s)
{
    (void)s;
    tl_openssl *b;
    tl_key k;
    tl_mac m;
    tl_assert_ok(tl_openssl_open(NULL, &b));
    const tl_crypto *other = tl_openssl_crypto(b);
    tl_assert_ok(other->ops->key_load(other->ctx, TL_SUITE_AES128_CMAC, tl_span_of(key_bytes, 32), &k));
    for (int i = 0; i < TL_OPENSSL_MAC_SLOTS; i++)
        tl_assert_ok(other->ops->mac_start(other->ctx, k, nonce, &m));
    tl_assert_err(TL_E_POOL, other->ops->mac_start(other->ctx, k, nonce, &m));
    tl_openssl_close(b); /* with all of them running */
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(mac_when_the_list_comes_in_pieces_then_the_tag_of_the_whole),
        CASE(mac_when_lists_grow_side_by_side_then_none_disturbs_another),
        CASE(mac_when_started_after_a_message_then_that_does_not_count),
        CASE(mac_when_the_nonce_differs_then_so_does_a_gmac_but_no_cmac),
        CASE(mac_when_the_suite_has_no_nonce_then_none_is_asked_for),
        CASE(mac_when_the_slot_had_another_kind_then_the_tag_is_right),
        CASE(mac_when_it_equals_a_message_over_the_header_then_the_same_tag),
        CASE(mac_when_the_handle_is_none_or_out_of_range_then_usage),
        CASE(mac_when_ended_or_dropped_then_the_handle_is_refused_also_when_the_slot_is_in_use_again),
        CASE(mac_start_when_the_pool_is_full_then_pool_until_one_is_given_back),
        CASE(mac_start_when_the_key_is_no_stream_key_then_usage_and_no_slot_taken),
        CASE(mac_add_when_the_bytes_are_out_of_bounds_then_usage_and_the_list_goes_on),
        CASE(open_when_there_is_no_config_then_the_default_slots),
    };
    return cmocka_run_group_tests_name("openssl_mac", tests, NULL, NULL);
}
