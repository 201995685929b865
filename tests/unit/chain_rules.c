/* What is asked of a chain that is right in itself: not revoked, the right role, the right use; and rules that break a
 * rule. */
#include "chains.h"

/* ---- revocation ---- */

static void chain_when_lists_are_empty_then_trusted(void **s)
{
    (void)s;
    chain h;
    plan(&h, 4);
    make(&h);
    list(&h, 0, LONGEST, NOW + DAY);
    expect_right(&h);
    drop(&h);
}

static void chain_when_one_certificate_is_revoked_then_refused(void **s)
{
    (void)s;
    for (size_t i = 1; i < 4; i++) {
        chain h;
        plan(&h, 4);
        make(&h);
        list(&h, i, LONGEST, NOW + DAY);
        expect_refused(&h, (int)i, "revoked");
        drop(&h);
    }
}

static void chain_when_a_list_is_missing_then_refused(void **s)
{
    (void)s;
    for (size_t i = 0; i < 3; i++) {
        chain h;
        plan(&h, 4);
        make(&h);
        list(&h, 0, i, NOW + DAY);
        expect_refused(&h, (int)i + 1, "no revocation list of its issuer");
        drop(&h);
    }
}

static void chain_when_a_list_expired_then_refused(void **s)
{
    (void)s;
    chain h;
    plan(&h, 3);
    make(&h);
    list(&h, 0, LONGEST, NOW - 1);
    tl_assert_err(TL_E_CHAIN, check(&h));
    assert_string_equal(h.facts.why, "revocation list expired");
    drop(&h);
}

/* A list that somebody else signed must neither revoke nor clear. */
static void chain_when_a_list_is_forged_then_refused(void **s)
{
    (void)s;
    chain h;
    uint8_t der[1024], *p = der;
    plan(&h, 2);
    make(&h);
    pki_pair thief = { h.pair[0].certificate, foreign_key };
    X509_CRL *l = pki_new_list(&thief, NOW - 60, NOW + DAY);
    assert_non_null(l);
    tl_openssl_input in = { "list", { der, (size_t)i2d_X509_CRL(l, &p) } };
    X509_CRL_free(l);
    tl_assert_ok(tl_openssl_load_revoked(backend, &in, &h.revoked, NULL));
    h.rules.revoked = h.revoked;
    expect_refused(&h, 1, "revocation list's signature");
    drop(&h);
}

/* ---- identity ---- */

static void expect_role(const char *info, const char *role)
{
    chain h;
    plan(&h, 2);
    h.t[1].device_info = info;
    h.rules.role = NULL;
    make(&h);
    expect_right(&h);
    assert_string_equal(h.facts.role, role);
    assert_string_equal(h.facts.device_info, info != NULL ? info : "");
    drop(&h);
}

static void role_when_the_product_names_one_then_it_is_that_and_else_empty(void **s)
{
    (void)s;
    expect_role("ACME:trueline-sensor:1", "sensor");
    expect_role("ACME:trueline-sensor-imx:1", "sensor");
    expect_role(":trueline-bridge:", "bridge");
    expect_role("ACME:trueline-abcdefghijklmno:1", "abcdefghijklmno");
    expect_role("ACME:trueline-abcdefghijklmnop:1", "");
    expect_role("ACME:trueline-:1", "");
    expect_role("ACME:trueline-Sensor:1", "");
    expect_role("ACME:trueline-sensor2:1", "");
    expect_role("ACME:xtrueline-sensor:1", "");
    expect_role("trueline-sensor:ACME:1", "");
    expect_role("ACME:WIDGET:1", "");
    expect_role("ACME:trueline-sensor", "");
    expect_role("ACME:trueline-sensor:1:2", "");
    expect_role("trueline-sensor", "");
    expect_role(NULL, "");
}

static void role_when_it_is_another_then_refused(void **s)
{
    (void)s;
    static const char *const infos[] = { "ACME:trueline-bridge:1", "ACME:trueline-debugger:1",
                                         "ACME:trueline-sensors:1", "ACME:trueline-senso:1", NULL };
    for (size_t i = 0; i < sizeof infos / sizeof *infos; i++) {
        chain h;
        plan(&h, 3);
        h.t[2].device_info = infos[i];
        make(&h);
        expect_refused(&h, 2, "wrong role");
        drop(&h);
    }
}

static void device_info_when_not_to_be_printed_or_too_long_then_refused(void **s)
{
    (void)s;
    char longest[TL_DEVICE_INFO_SIZE + 1];
    memset(longest, 'a', TL_DEVICE_INFO_SIZE);
    longest[TL_DEVICE_INFO_SIZE] = '\0';
    const char *const infos[] = { "",         "A:\x1B[2J:1", "A:\nB:1", "A:\x7F:1", "A:\xC2\x9B:1",
                                  "A:\xFF:1", "A:\xC3",      longest };
    for (size_t i = 0; i < sizeof infos / sizeof *infos; i++) {
        chain h;
        plan(&h, 2);
        h.t[1].device_info = infos[i];
        h.rules.role = NULL;
        make(&h);
        expect_refused(&h, 1, "profile: device info");
        assert_string_equal(h.facts.device_info, "");
        drop(&h);
    }
    longest[TL_DEVICE_INFO_SIZE - 1] = '\0';
    expect_role(longest, "");
    expect_role("\xC3\x84"
                "CME:trueline-sensor:1",
                "sensor");
}

static void device_info_when_there_are_two_then_refused(void **s)
{
    (void)s;
    chain h;
    plan(&h, 2);
    h.t[1].second_info = "ACME:trueline-debugger:1";
    make(&h);
    expect_refused(&h, 1, "profile: more than one device info");
    drop(&h);
}

static void use_when_it_is_another_or_none_then_refused_as_the_profile_says(void **s)
{
    (void)s;
    static const struct {
        tl_chain_use has, needs;
        bool strict, lenient;
    } rows[] = {
        { TL_USE_RESPONDER, TL_USE_RESPONDER, true, true },
        { TL_USE_REQUESTER, TL_USE_REQUESTER, true, true },
        { TL_USE_REQUESTER, TL_USE_RESPONDER, false, false },
        { TL_USE_RESPONDER, TL_USE_REQUESTER, false, false },
        { TL_USE_ANY, TL_USE_RESPONDER, false, true },
        { TL_USE_ANY, TL_USE_REQUESTER, false, true },
        { TL_USE_ANY, TL_USE_ANY, true, true },
        { TL_USE_REQUESTER, TL_USE_ANY, true, true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        chain h;
        plan(&h, 2);
        h.t[1].use = rows[i].has;
        h.rules.use = rows[i].needs;
        make(&h);
        if (rows[i].strict)
            expect_right(&h);
        else
            expect_refused(&h, 1, "wrong use");
        c->ops->key_drop(c->ctx, h.facts.key);
        h.rules.profile = TL_PROFILE_DSP0274;
        if (rows[i].lenient)
            expect_right(&h);
        else
            expect_refused(&h, 1, "wrong use");
        drop(&h);
    }
}

static void facts_when_refused_then_still_tell_who_it_was(void **s)
{
    (void)s;
    chain h;
    plan(&h, 3);
    h.t[2].device_info = "ACME:trueline-debugger:9";
    h.t[2].not_after = NOW - 1;
    make(&h);
    expect_refused(&h, 2, "expired");
    assert_string_equal(h.facts.role, "debugger");
    assert_string_equal(h.facts.subject, "CN=a sensor,O=Trueline");
    drop(&h);
}

/* ---- rules ---- */

static void rules_when_they_break_a_rule_then_usage(void **s)
{
    (void)s;
    chain h;
    plan(&h, 2);
    make(&h);
    list(&h, 0, LONGEST, NOW + DAY);
    tl_chain_rules right = h.rules;
    tl_chain_rules wrong[12];
    for (size_t i = 0; i < 12; i++)
        wrong[i] = right;
    wrong[0].now = 0;
    wrong[1].now = 253402300800u;
    wrong[2].trust = (tl_key){ 0 };
    wrong[3].trust = h.revoked;
    wrong[4].revoked = h.trust;
    wrong[5].revoked = (tl_key){ 0xFFFF };
    wrong[6].hash = TL_HASH_NONE;
    wrong[7].hash = (tl_hash_alg)99;
    wrong[8].alg = (tl_sign_alg)99;
    wrong[9].use = (tl_chain_use)99;
    wrong[10].profile = (tl_chain_profile)99;
    wrong[11].now = UINT64_MAX;
    for (size_t i = 0; i < 12; i++) {
        h.rules = wrong[i];
        tl_assert_err(TL_E_USAGE, check(&h));
        assert_int_equal(h.facts.key.slot, 0);
        assert_null(h.facts.why);
    }
    h.rules = right;
    expect_right(&h);
    drop(&h);
}

static void chain_when_no_slot_is_free_then_pool(void **s)
{
    (void)s;
    chain h;
    tl_key k[3];
    static const uint8_t bytes[16];
    plan(&h, 2);
    make(&h);
    for (int i = 0; i < 3; i++)
        tl_assert_ok(c->ops->key_load(c->ctx, TL_SUITE_AES128_GMAC, tl_span_of(bytes, 16), &k[i]));
    tl_assert_err(TL_E_POOL, check(&h));
    assert_int_equal(h.facts.key.slot, 0);
    for (int i = 0; i < 3; i++)
        c->ops->key_drop(c->ctx, k[i]);
    drop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(chain_when_lists_are_empty_then_trusted),
        CASE(chain_when_one_certificate_is_revoked_then_refused),
        CASE(chain_when_a_list_is_missing_then_refused),
        CASE(chain_when_a_list_expired_then_refused),
        CASE(chain_when_a_list_is_forged_then_refused),
        CASE(role_when_the_product_names_one_then_it_is_that_and_else_empty),
        CASE(role_when_it_is_another_then_refused),
        CASE(device_info_when_not_to_be_printed_or_too_long_then_refused),
        CASE(device_info_when_there_are_two_then_refused),
        CASE(use_when_it_is_another_or_none_then_refused_as_the_profile_says),
        CASE(facts_when_refused_then_still_tell_who_it_was),
        CASE(rules_when_they_break_a_rule_then_usage),
        CASE(chain_when_no_slot_is_free_then_pool),
    };
    return cmocka_run_group_tests_name("chain_rules", tests, group_set_up, group_tear_down);
}
