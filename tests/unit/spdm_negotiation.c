/* What negotiation rests on: capability flags that go together, opaque data, policies, the rows of algorithms, VCA's bound,
 * and the prefix of signatures. */
#include "spdm/spdm.h"
#include "testing.h"

#include <trueline/openssl.h>

#include <string.h>

enum {
    SESSION = TL_CAP_KEY_EX | TL_CAP_ENCRYPT | TL_CAP_MAC,
    REQ = TL_SPDM_REQUESTER,
    RSP = TL_SPDM_RESPONDER
};

/* ---- flags ---- */

static const struct {
    uint8_t version, owner;
    uint32_t flags;
    bool right;
} flags[] = {
    { 0x12, REQ, 0, true },
    { 0x12, RSP, 0, true },
    { 0x12, REQ, SESSION, true },
    { 0x12, RSP, SESSION, false }, /* a responder has no exchange without a certificate */
    { 0x12, RSP, SESSION | TL_CAP_CERT, true },
    { 0x12, REQ, TL_CAP_KEY_EX, false },
    { 0x12, REQ, TL_CAP_ENCRYPT, false },
    { 0x12, REQ, TL_CAP_MAC, false },
    { 0x12, REQ, TL_CAP_HBEAT, false },
    { 0x12, REQ, TL_CAP_KEY_UPD, false },
    { 0x12, REQ, TL_CAP_HANDSHAKE_IN_CLEAR, false },
    { 0x12, REQ, TL_CAP_PSK | TL_CAP_MAC, true },
    { 0x12, REQ, TL_CAP_PSK | TL_CAP_MAC | TL_CAP_HANDSHAKE_IN_CLEAR, false },
    { 0x12, REQ, TL_CAP_PSK_WITH_CONTEXT | TL_CAP_MAC, false },
    { 0x12, RSP, TL_CAP_PSK_WITH_CONTEXT | TL_CAP_MAC, true },
    { 0x12, RSP, TL_CAP_PSK | TL_CAP_PSK_WITH_CONTEXT | TL_CAP_MAC, false },
    { 0x12, REQ, TL_CAP_CERT, false },
    { 0x12, REQ, TL_CAP_CERT | TL_CAP_CHAL, true },
    { 0x12, REQ, TL_CAP_CHAL, false },
    { 0x12, REQ, SESSION | TL_CAP_CERT | TL_CAP_PUB_KEY_ID, false },
    { 0x12, REQ, SESSION | TL_CAP_MUT_AUTH, false },
    { 0x12, REQ, SESSION | TL_CAP_MUT_AUTH | TL_CAP_CERT, true },
    { 0x12, REQ, SESSION | TL_CAP_MUT_AUTH | TL_CAP_PUB_KEY_ID, true },
    { 0x12, RSP, TL_CAP_CERT, false },
    { 0x12, RSP, TL_CAP_CERT | TL_CAP_MEAS_SIG, true },
    { 0x12, RSP, TL_CAP_MEAS_SIG, false },
    { 0x12, RSP, TL_CAP_MEAS_NO_SIG, true },
    { 0x12, RSP, TL_CAP_CERT | TL_CAP_CHAL | TL_CAP_MEAS_NO_SIG | TL_CAP_MEAS_SIG, false },
    { 0x12, RSP, TL_CAP_MEAS_FRESH, false },
    { 0x12, RSP, TL_CAP_MEAS_NO_SIG | TL_CAP_MEAS_FRESH, true },
    { 0x12, RSP, TL_CAP_ALIAS_CERT, false },
    { 0x12, RSP, TL_CAP_SET_CERT, false },
    { 0x12, RSP, TL_CAP_CERT | TL_CAP_CHAL | TL_CAP_CSR, false },
    { 0x12, RSP, TL_CAP_CERT | TL_CAP_CHAL | TL_CAP_CSR | TL_CAP_SET_CERT, true },
    { 0x12, RSP, TL_CAP_CERT | TL_CAP_CHAL | TL_CAP_CERT_INSTALL_RESET, false },
    { 0x13, RSP, TL_CAP_EVENT, false },
    { 0x12, RSP, TL_CAP_EVENT, true }, /* reserved there */
    { 0x13, RSP, TL_CAP_EP_INFO_SIG, false },
    { 0x13, RSP, TL_CAP_CERT | TL_CAP_EP_INFO_SIG, true },
    { 0x12, RSP, TL_CAP_CERT | TL_CAP_EP_INFO_SIG, false },
    { 0x13, RSP, TL_CAP_CERT | TL_CAP_EP_INFO_SIG | TL_CAP_EP_INFO_NO_SIG, false },
    { 0x13, REQ, TL_CAP_MULTI_KEY_ONLY, false },
    { 0x13, REQ, TL_CAP_MULTI_KEY_ONLY | TL_CAP_CERT | TL_CAP_CHAL, true },
    { 0x13, REQ, TL_CAP_MULTI_KEY_ONLY | TL_CAP_MULTI_KEY_NEG | TL_CAP_CERT | TL_CAP_CHAL, false },
    { 0x13, RSP, TL_CAP_MULTI_KEY_NEG | TL_CAP_CERT | TL_CAP_CHAL, false },
    { 0x13, RSP, TL_CAP_MULTI_KEY_NEG | TL_CAP_CERT | TL_CAP_CHAL | TL_CAP_GET_KEY_PAIR_INFO, true },
    { 0x13, RSP, TL_CAP_PUB_KEY_ID | TL_CAP_CHAL | TL_CAP_GET_KEY_PAIR_INFO, false },
    { 0x12, REQ, TL_CAP_MEAS_FRESH | TL_CAP_CSR | TL_CAP_CACHE, true }, /* the responder's bits: reserved */
    { 0x12, REQ, 0xC0000000, true },
};

static void flags_of_either_role_then_right_or_refused(void **s)
{
    (void)s;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (tl__flags_right(flags[i].version, (tl_spdm_role)flags[i].owner, flags[i].flags) != flags[i].right)
            fail_msg("row %zu: %08x of role %u in %02x", i, flags[i].flags, flags[i].owner, flags[i].version);
    }
}

static void default_policy_then_its_flags_fit_together_and_nothing_weak_is_in_it(void **s)
{
    (void)s;
    for (tl_spdm_role role = TL_SPDM_REQUESTER; role <= TL_SPDM_RESPONDER; role++) {
        tl_spdm_policy p = tl_spdm_policy_default(role);

        assert_true(tl__policy_right(&p));
        assert_true(tl__flags_right(TL_SPDM_12, role, p.flags));
        assert_true(tl__flags_right(TL_SPDM_13, role, p.flags));
        assert_int_equal(
            p.flags & (TL_CAP_HANDSHAKE_IN_CLEAR | TL_CAP_PUB_KEY_ID | TL_CAP_CHUNK | TL_CAP_MEAS_NO_SIG), 0);
        assert_int_equal(p.version_min, TL_SPDM_12);
        assert_true(p.must_sign_measurements);
    }
    assert_int_equal(tl_spdm_policy_default(TL_SPDM_REQUESTER).peer_flags & SESSION, SESSION);
}

/* ---- algorithms ---- */

static void pick_of_several_then_the_strongest(void **s)
{
    (void)s;
    assert_int_equal(tl__hash_pick(3), 2);
    assert_int_equal(tl__hash_pick(1), 1);
    assert_int_equal(tl__hash_pick(0xFFFFFFFC), 0);
    assert_int_equal(tl__measurement_hash_pick(7), 4);
    assert_int_equal(tl__asym_pick(0x90), 0x80);
    assert_int_equal(tl__asym_pick(0x0F), 0);
    assert_int_equal(tl__dhe_pick(0xFFFF), 0x10);
    assert_int_equal(tl__aead_pick(3), 2);
    assert_int_equal(tl__aead_pick(4), 0);
}

static void bits_that_are_none_or_several_then_no_algorithm(void **s)
{
    (void)s;
    assert_int_equal(tl__hash_of(3), TL_HASH_NONE);
    assert_int_equal(tl__hash_of(0), TL_HASH_NONE);
    assert_int_equal(tl__measurement_hash_of(1), TL_HASH_NONE);
    assert_int_equal(tl__sign_of(0x90), TL_SIGN_NONE);
    assert_int_equal(tl__group_of(0x18), TL_GROUP_NONE);
    assert_int_equal(tl__suite_of(3), TL_SUITE_NONE);
    assert_int_equal(tl__sign_bit(TL_SIGN_NONE), 0);
    assert_int_equal(tl__hash_of(2), TL_HASH_SHA384);
    assert_int_equal(tl__measurement_hash_of(2), TL_HASH_SHA256);
    assert_int_equal(tl__sign_of(0x10), TL_SIGN_ECDSA_P256);
    assert_int_equal(tl__group_of(0x10), TL_GROUP_P384);
    assert_int_equal(tl__suite_of(1), TL_SUITE_AES128_GMAC);
    assert_int_equal(tl__sign_bit(TL_SIGN_ECDSA_P384), 0x80);
}

/* ---- opaque data ---- */

static const struct {
    uint8_t bytes[16];
    size_t n;
    tl_err e;
} opaques[] = {
    { { 0 }, 0, TL_OK },
    { { 0, 0, 0, 0 }, 4, TL_OK },
    { { 1, 0, 0, 0, 0, 0, 3, 0, 1, 2, 3, 0 }, 12, TL_OK },
    { { 1, 0, 0, 0, 0, 1, 9, 2, 0, 1, 2, 0 }, 12, TL_OK },
    { { 1, 0, 0 }, 3, TL_E_WIRE_SHORT },
    { { 1, 0, 0, 0 }, 4, TL_E_WIRE_SHORT },
    { { 0, 0, 0, 0, 0 }, 5, TL_E_WIRE_TRAILING },
    { { 1, 0, 0, 0, 0, 0, 4, 0, 1, 2, 3 }, 11, TL_E_WIRE_SHORT },
    { { 1, 0, 0, 0, 0, 0, 3, 0, 1, 2, 3 }, 11, TL_E_WIRE_SHORT }, /* not filled up */
    { { 1, 0, 0, 0, 0, 255, 3, 0, 1, 2, 3, 0 }, 12, TL_E_WIRE_SHORT },
    { { 2, 0, 0, 0, 0, 0, 0, 0 }, 8, TL_E_WIRE_SHORT },
    { { 1, 0, 0, 0, 0, 0, 255, 255 }, 8, TL_E_WIRE_SHORT },
};

static void opaque_data_then_whole_elements_or_refused(void **s)
{
    static const uint8_t long_one[1025] = { 0 };
    tl_spdm_connection c = { .env.version = TL_SPDM_12, .algs.other_params = 2 };

    (void)s;
    for (size_t i = 0; i < sizeof opaques / sizeof *opaques; i++)
        tl_assert_err(opaques[i].e, tl__opaque_check(&c, tl_span_of(opaques[i].bytes, opaques[i].n)));
    tl_assert_err(TL_E_WIRE_VALUE, tl__opaque_check(&c, tl_span_of(long_one, sizeof long_one)));
    c.algs.other_params = 0;
    tl_assert_err(TL_E_WIRE_VALUE, tl__opaque_check(&c, tl_span_of(long_one, 4)));
    tl_assert_ok(tl__opaque_check(&c, tl_span_of(NULL, 0)));
}

/* ---- VCA ---- */

static void vca_beyond_its_bound_then_refused_and_unchanged(void **s)
{
    static const uint8_t bytes[TL_SPDM_VCA_MAX];
    static tl_spdm_connection c;

    (void)s;
    tl_assert_ok(tl__vca_add(&c, tl_span_of(bytes, 100), tl_span_of(bytes, 400)));
    tl_assert_err(TL_E_LIMIT, tl__vca_add(&c, tl_span_of(bytes, 6), tl_span_of(bytes, 7)));
    assert_int_equal(c.vca_n, 500);
    tl_assert_ok(tl__vca_add(&c, tl_span_of(bytes, 6), tl_span_of(bytes, 6)));
    assert_int_equal(tl__vca(&c).n, TL_SPDM_VCA_MAX);
    tl_assert_err(TL_E_LIMIT, tl__vca_add(&c, tl_span_of(bytes, 1), tl_span_of(bytes, 0)));
}

/* ---- errors ---- */

static uint8_t code_written(tl_err e)
{
    const tl_spdm_connection c = { .env.version = TL_SPDM_12 };
    uint8_t bytes[8];
    tl_wr w = tl_wr_of(bytes, sizeof bytes);

    tl__error_write(&c, e, 0x83, &w);
    assert_int_equal(w.n, 4);
    assert_int_equal(bytes[0], TL_SPDM_12);
    assert_int_equal(bytes[1], TL_SPDM_ERROR);
    assert_int_equal(bytes[3], bytes[2] == TL_SPDM_UNSUPPORTED_REQUEST ? 0x83 : 0);
    return bytes[2];
}

static void error_of_each_class_then_the_code_that_tells_nothing_of_our_inside(void **s)
{
    (void)s;
    assert_int_equal(code_written(TL_E_REPLY_UNSUPPORTED_REQUEST), 0x07);
    assert_int_equal(code_written(TL_E_REPLY_VERSION_MISMATCH), 0x41);
    assert_int_equal(code_written(TL_E_WIRE_SHORT), 0x01);
    assert_int_equal(code_written(TL_E_POLICY), 0x01);
    assert_int_equal(code_written(TL_E_STATE), 0x04);
    assert_int_equal(code_written(TL_E_TAG), 0x06);
    assert_int_equal(code_written(TL_E_ROOM), 0x0D);
    assert_int_equal(code_written(TL_E_BACKEND), 0x05);
    assert_int_equal(code_written(TL_E_RANDOM), 0x05);
    assert_int_equal(code_written(TL_E_POOL), 0x05);
    assert_int_equal(code_written(TL_E_CONFIGURATION), 0x05);
}

static void error_read_of_every_code_then_a_named_error(void **s)
{
    (void)s;
    for (unsigned code = 0; code < 256; code++) {
        const tl__message m = { .code = TL_SPDM_ERROR, .param1 = (uint8_t)code };
        tl_err e = tl__error_read(&m);

        assert_string_not_equal(tl_err_text(e), tl_err_text((tl_err)999));
        assert_true(e == TL_E_PEER || e == (tl_err)(TL_E_PEER + code));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_of_either_role_then_right_or_refused),
        cmocka_unit_test(default_policy_then_its_flags_fit_together_and_nothing_weak_is_in_it),
        cmocka_unit_test(pick_of_several_then_the_strongest),
        cmocka_unit_test(bits_that_are_none_or_several_then_no_algorithm),
        cmocka_unit_test(opaque_data_then_whole_elements_or_refused),
        cmocka_unit_test(vca_beyond_its_bound_then_refused_and_unchanged),
        cmocka_unit_test(error_of_each_class_then_the_code_that_tells_nothing_of_our_inside),
        cmocka_unit_test(error_read_of_every_code_then_a_named_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
