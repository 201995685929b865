/* The algorithm table as the core sees it: sizes and names of each row, and nothing for what is no row. */
#include "testing.h"

static void hash_size_of_a_row_is_its_digest(void **s)
{
    (void)s;
    assert_int_equal(tl_hash_size(TL_HASH_SHA256), 32);
    assert_int_equal(tl_hash_size(TL_HASH_SHA384), 48);
}

static void hash_when_unknown_then_size_0_and_no_name(void **s)
{
    (void)s;
    const int unknown[] = { 0, 5, 255, 256, 257, 0x10001, -1 };
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        assert_int_equal(tl_hash_size((tl_hash_alg)unknown[i]), 0);
        assert_null(tl_hash_name((tl_hash_alg)unknown[i]));
    }
}

static void suite_key_size_of_a_row_is_its_key(void **s)
{
    (void)s;
    assert_int_equal(tl_suite_key_size(TL_SUITE_AES128_GMAC), 16);
    assert_int_equal(tl_suite_key_size(TL_SUITE_AES256_GMAC), 32);
}

static void suite_when_unknown_then_size_0_and_no_name(void **s)
{
    (void)s;
    const int unknown[] = { 0, 5, 255, 256, 257, 0x10001, -1 };
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        assert_int_equal(tl_suite_key_size((tl_suite)unknown[i]), 0);
        assert_null(tl_suite_name((tl_suite)unknown[i]));
    }
}

static void names_are_the_ones_that_files_use(void **s)
{
    (void)s;
    assert_string_equal(tl_hash_name(TL_HASH_SHA256), "sha256");
    assert_string_equal(tl_hash_name(TL_HASH_SHA384), "sha384");
    assert_string_equal(tl_suite_name(TL_SUITE_AES128_GMAC), "aes128-gmac");
    assert_string_equal(tl_suite_name(TL_SUITE_AES256_GMAC), "aes256-gmac");
}

/* They stand in configuration digests: a changed id would part old ends from new ones. */
static void ids_are_the_ones_that_digests_hold(void **s)
{
    (void)s;
    assert_int_equal(TL_HASH_SHA256, 1);
    assert_int_equal(TL_HASH_SHA384, 2);
    assert_int_equal(TL_SUITE_AES128_GMAC, 1);
    assert_int_equal(TL_SUITE_AES256_GMAC, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_size_of_a_row_is_its_digest),
        cmocka_unit_test(hash_when_unknown_then_size_0_and_no_name),
        cmocka_unit_test(suite_key_size_of_a_row_is_its_key),
        cmocka_unit_test(suite_when_unknown_then_size_0_and_no_name),
        cmocka_unit_test(names_are_the_ones_that_files_use),
        cmocka_unit_test(ids_are_the_ones_that_digests_hold),
    };
    return cmocka_run_group_tests_name("algs", tests, NULL, NULL);
}
