/* Stream agreements: payloads there and back, refused when anything is off by one; what may be chosen of an offer; tokens. */
#include "agreement.h"
#include "testing.h"

#include <trueline/openssl.h>

#include <string.h>

static tl_openssl *openssl;
static const tl_crypto *crypto;
static const uint8_t ones[256] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static int set_up(void **state)
{
    (void)state;
    tl_assert_ok(tl_openssl_open(NULL, &openssl));
    crypto = tl_openssl_crypto(openssl);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tl_openssl_close(openssl);
    return 0;
}

/* One payload of each kind. */
static agreement sample(uint32_t kind)
{
    agreement a = { .kind = kind };

    if (kind == TL_AGREEMENT_CHAIN)
        a.body.chain.certificates = tl_span_of(ones, 40);
    else if (kind == TL_AGREEMENT_OFFER)
        a.body.offer = (tl_agreement_offer){
            .data_type = TL_DT_RAW12, .width = 64, .height = 16, .suites = { ones, 2 }
        };
    else if (kind == TL_AGREEMENT_CHOICE)
        a.body.choice =
            (tl_agreement_choice){ .stream = 7, .suite = 1, .epoch = 9, .configuration = { ones, 32 } };
    else if (kind == TL_AGREEMENT_PORT)
        a.body.port.port = 4195;
    else if (kind == TL_AGREEMENT_REFUSED)
        a.body.refusal.reason = AGREEMENT_ORDER;
    else
        a.body.stream = (tl_agreement_stream){ .stream = 7, .epoch = 3 };
    return a;
}

static const uint32_t kinds[] = { TL_AGREEMENT_CHAIN,  TL_AGREEMENT_ASK,   TL_AGREEMENT_OFFER,
                                  TL_AGREEMENT_CHOICE, TL_AGREEMENT_PORT,  TL_AGREEMENT_START,
                                  TL_AGREEMENT_STOP,   TL_AGREEMENT_REKEY, TL_AGREEMENT_DONE,
                                  TL_AGREEMENT_REFUSED };
enum { KINDS = sizeof kinds / sizeof *kinds };

static void payload_when_written_then_reads_back(void **state)
{
    uint8_t bytes[512];

    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        tl_wr w = tl_wr_of(bytes, sizeof bytes);
        agreement a = sample(kinds[i]), b;

        tl_assert_ok(agreement_write(&a, &w));
        tl_assert_ok(agreement_read(tl_written(&w), &b));
        assert_int_equal(b.kind, kinds[i]);
    }
}

static void payload_when_a_byte_short_or_long_then_refused(void **state)
{
    uint8_t bytes[512] = { 0 };

    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        tl_wr w = tl_wr_of(bytes, sizeof bytes);
        agreement a = sample(kinds[i]), b;

        tl_assert_ok(agreement_write(&a, &w));
        assert_int_not_equal(agreement_read(tl_span_of(bytes, w.n - 1), &b), TL_OK);
        assert_int_not_equal(agreement_read(tl_span_of(bytes, w.n + 1), &b), TL_OK);
        assert_int_equal(b.kind, 0);
    }
}

static void payload_when_version_or_kind_is_another_then_refused(void **state)
{
    uint8_t bytes[64];
    const tl_env env = { 0 };
    tl_agreement head = { .version = TL_AGREEMENT_VERSION + 1, .kind = TL_AGREEMENT_ASK };
    tl_wr w = tl_wr_of(bytes, sizeof bytes);
    agreement a;

    (void)state;
    tl_assert_ok(tl_encode_agreement(&env, &head, &w));
    tl_assert_err(TL_E_WIRE_VALUE, agreement_read(tl_written(&w), &a));
    head = (tl_agreement){ .version = TL_AGREEMENT_VERSION, .kind = 0xEE };
    w = tl_wr_of(bytes, sizeof bytes);
    tl_assert_ok(tl_encode_agreement(&env, &head, &w));
    tl_assert_err(TL_E_WIRE_VALUE, agreement_read(tl_written(&w), &a));
    a = (agreement){ .kind = 0xEE };
    tl_assert_err(TL_E_USAGE, agreement_write(&a, &w));
}

static void payload_when_there_is_no_room_then_refused(void **state)
{
    uint8_t bytes[8];
    tl_wr w = tl_wr_of(bytes, sizeof bytes);
    agreement a = sample(TL_AGREEMENT_CHOICE);

    (void)state;
    tl_assert_err(TL_E_ROOM, agreement_write(&a, &w));
}

static void vendor_when_it_is_not_ours_then_no(void **state)
{
    uint8_t other[AGREEMENT_VENDOR_SIZE];

    (void)state;
    memcpy(other, agreement_vendor_id, sizeof other);
    assert_true(agreement_is_ours(TL_VENDOR_STANDARD, tl_span_of(other, sizeof other)));
    assert_false(agreement_is_ours(6, tl_span_of(other, sizeof other)));
    assert_false(agreement_is_ours(TL_VENDOR_STANDARD, tl_span_of(other, 2)));
    other[0] ^= 1;
    assert_false(agreement_is_ours(TL_VENDOR_STANDARD, tl_span_of(other, sizeof other)));
}

/* ---- offer and choice ---- */

static tl_agreement_offer make_offer(uint8_t suites[AGREEMENT_SUITES_MAX])
{
    tl_agreement_offer offer;
    stream_file geometry;

    stream_file_init(&geometry);
    agreement_offer_make(&geometry, 30000, suites, &offer);
    return offer;
}

static tl_agreement_choice right_choice(void)
{
    return (tl_agreement_choice){ .stream = 1,
                                  .suite = TL_SUITE_AES128_GMAC,
                                  .tag_mode = TL_TAG_PER_MESSAGE,
                                  .tag_size = 16,
                                  .crc32 = 1,
                                  .top = 2,
                                  .middle = 1,
                                  .bottom = 2,
                                  .first_frame = 1 };
}

static void choice_when_within_the_offer_then_both_come_to_one_configuration(void **state)
{
    uint8_t suites[AGREEMENT_SUITES_MAX], a[TL_CONFIG_DIGEST_SIZE], b[TL_CONFIG_DIGEST_SIZE];
    tl_agreement_offer offer = make_offer(suites);
    tl_agreement_choice choice = right_choice();
    stream_file agreed, provisioned;
    tl_fault fault;

    (void)state;
    assert_int_equal(agreement_build(&offer, &choice, &agreed, &fault), AGREEMENT_FINE);
    stream_file_init(&provisioned);
    provisioned.variant_middle = TL_SV_1;
    assert_int_equal(stream_file_build(&provisioned, "test", &fault), TL_EXIT_OK);
    tl_assert_ok(tl_stream_config_digest(&agreed.config, crypto, a));
    tl_assert_ok(tl_stream_config_digest(&provisioned.config, crypto, b));
    assert_memory_equal(a, b, sizeof a);
}

#define REFUSED(member, value)                                                                               \
    do {                                                                                                     \
        tl_agreement_choice c_ = right_choice();                                                             \
        c_.member = (value);                                                                                 \
        assert_int_equal(agreement_build(&offer, &c_, &file, &fault), AGREEMENT_CHOICE);                     \
    } while (0)

static void choice_when_outside_of_the_offer_then_refused(void **state)
{
    uint8_t suites[AGREEMENT_SUITES_MAX];
    tl_agreement_offer offer = make_offer(suites);
    tl_agreement_choice choice = right_choice();
    stream_file file;
    tl_fault fault;

    (void)state;
    REFUSED(stream, 0);
    REFUSED(suite, 0);
    REFUSED(suite, 77);
    REFUSED(tag_mode, 0);
    REFUSED(tag_mode, 4);
    REFUSED(tag_size, 0);
    REFUSED(tag_size, 8);
    REFUSED(tag_size, 17);
    REFUSED(crc32, 2);
    REFUSED(top, 0);
    REFUSED(middle, 3);
    REFUSED(bottom, 6);
    REFUSED(middle_period, 4); /* a pattern that encrypted lines do not have */
    offer.suites.n = 0;
    assert_int_equal(agreement_build(&offer, &choice, &file, &fault), AGREEMENT_CHOICE);
}

static void choice_when_of_every_mode_then_it_is_what_was_wanted(void **state)
{
    uint8_t suites[AGREEMENT_SUITES_MAX];
    const tl_agreement_offer offer = make_offer(suites);
    tl_agreement_choice choice;
    stream_file wanted, file;
    tl_fault fault;

    (void)state;
    stream_file_init(&wanted);
    wanted.suite = TL_SUITE_AES256_CMAC;
    wanted.tag_mode = TL_TAG_PER_FRAME;
    wanted.tag_size = 8;
    wanted.variant_top = TL_SV_5;
    wanted.variant_middle = TL_SV_3;
    wanted.variant_bottom = TL_SV_4;
    wanted.pattern[TL_BLOCK_MIDDLE] = (tl_pattern){ 1, 2, 4 };
    wanted.pattern[TL_BLOCK_BOTTOM] = (tl_pattern){ 3, 3, 9 };
    agreement_choose(&wanted, 9, &choice);
    assert_int_equal(agreement_build(&offer, &choice, &file, &fault), AGREEMENT_FINE);
    assert_int_equal(file.config.stream, 9);
    assert_int_equal(file.config.suite, TL_SUITE_AES256_CMAC);
    assert_int_equal(file.config.tag_mode, TL_TAG_PER_FRAME);
    assert_int_equal(file.config.tag_size, 8);
    assert_int_equal(file.config.variant[TL_BLOCK_TOP], TL_SV_5);
    assert_memory_equal(file.config.pattern, wanted.pattern, sizeof wanted.pattern);
}

static void offer_when_it_makes_no_sense_then_refused(void **state)
{
    uint8_t suites[AGREEMENT_SUITES_MAX];
    const tl_agreement_offer right = make_offer(suites);
    tl_agreement_offer offers[5] = { right, right, right, right, right };
    tl_agreement_choice choice = right_choice();
    stream_file file;
    tl_fault fault;

    (void)state;
    offers[0].data_type = TL_DT_EMBEDDED;
    offers[1].width = 0;
    offers[2].width = 66;
    offers[3].height = 65535;
    offers[4].embedded_top = 256;
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(agreement_build(&offers[i], &choice, &file, &fault), AGREEMENT_CHOICE);
}

/* ---- tokens ---- */

static void token_when_anything_differs_then_another(void **state)
{
    static const tl_direction ways[] = { TL_SENSOR_TO_CONTROLLER, TL_CONTROLLER_TO_SENSOR };
    const tl_digest one = { TL_HASH_SHA256, { ones, 32 } }, other = { TL_HASH_SHA256, { ones + 1, 32 } },
                    longer = { TL_HASH_SHA384, { ones, 48 } };
    const agreement_tie ties[] = {
        { one, 1, 0 }, { one, 2, 0 }, { one, 1, 1 }, { other, 1, 0 }, { longer, 1, 0 }
    };
    uint8_t tokens[10][TL_DATA_TOKEN_SIZE], again[TL_DATA_TOKEN_SIZE];

    (void)state;
    for (size_t i = 0; i < 10; i++)
        tl_assert_ok(agreement_token(crypto, &ties[i / 2], ways[i % 2], tokens[i]));
    for (size_t i = 0; i < 10; i++)
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(tokens[i], tokens[j], TL_DATA_TOKEN_SIZE);
    tl_assert_ok(agreement_token(crypto, &ties[0], ways[0], again));
    assert_memory_equal(again, tokens[0], sizeof again);
}

static void token_when_the_secret_is_too_short_then_refused(void **state)
{
    const agreement_tie tie = { { TL_HASH_SHA384, { ones, 32 } }, 1, 0 };
    uint8_t token[TL_DATA_TOKEN_SIZE];

    (void)state;
    tl_assert_err(TL_E_USAGE, agreement_token(crypto, &tie, TL_SENSOR_TO_CONTROLLER, token));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payload_when_written_then_reads_back),
        cmocka_unit_test(payload_when_a_byte_short_or_long_then_refused),
        cmocka_unit_test(payload_when_version_or_kind_is_another_then_refused),
        cmocka_unit_test(payload_when_there_is_no_room_then_refused),
        cmocka_unit_test(vendor_when_it_is_not_ours_then_no),
        cmocka_unit_test(choice_when_within_the_offer_then_both_come_to_one_configuration),
        cmocka_unit_test(choice_when_outside_of_the_offer_then_refused),
        cmocka_unit_test(choice_when_of_every_mode_then_it_is_what_was_wanted),
        cmocka_unit_test(offer_when_it_makes_no_sense_then_refused),
        cmocka_unit_test(token_when_anything_differs_then_another),
        cmocka_unit_test(token_when_the_secret_is_too_short_then_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
