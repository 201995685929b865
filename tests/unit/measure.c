/* What a sensor measures: the same twice, another after any change of the set-up, and nothing else than its source says. */
#include "measure.h"
#include "testing.h"

#include <trueline/openssl.h>

#include <string.h>

static tl_openssl *openssl;
static const tl_crypto *crypto;
static measure right;

static stream_file geometry(void)
{
    stream_file g;

    stream_file_init(&g);
    return g;
}

static int set_up(void **state)
{
    stream_file g = geometry();
    tl_fault fault;

    (void)state;
    tl_assert_ok(tl_openssl_open(NULL, &openssl));
    crypto = tl_openssl_crypto(openssl);
    assert_int_equal(measure_take(&right, &g, "1", crypto, &fault), TL_EXIT_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tl_openssl_close(openssl);
    return 0;
}

static void take(measure *m, const stream_file *g, const char *version)
{
    tl_fault fault;

    assert_int_equal(measure_take(m, g, version, crypto, &fault), TL_EXIT_OK);
}

static void blocks_when_taken_twice_then_the_same(void **state)
{
    stream_file g = geometry();
    measure again;

    (void)state;
    take(&again, &g, "1");
    assert_memory_equal(&again, &right, sizeof again);
}

static void setup_when_any_part_changes_then_another_and_nothing_else_changes(void **state)
{
    stream_file changed[5];

    (void)state;
    for (size_t i = 0; i < 5; i++)
        changed[i] = geometry();
    changed[0].width += 4;
    changed[1].height += 2;
    changed[2].bits = 10;
    changed[3].embedded_top++;
    changed[4].embedded_bottom++;
    for (size_t i = 0; i < 5; i++) {
        measure m;

        take(&m, &changed[i], "1");
        assert_memory_not_equal(m.blocks.blocks[0].sha256, right.blocks.blocks[0].sha256, 32);
        assert_memory_not_equal(m.blocks.blocks[0].sha384, right.blocks.blocks[0].sha384, 48);
        assert_memory_equal(&m.blocks.blocks[1], &right.blocks.blocks[1], sizeof(reference_block));
        assert_memory_equal(&m.blocks.blocks[2], &right.blocks.blocks[2], sizeof(reference_block));
    }
}

static void setup_when_the_controllers_choice_changes_then_the_same(void **state)
{
    stream_file g = geometry();
    measure m;

    (void)state;
    g.stream = 9;
    g.first_frame = 77;
    g.variant_middle = TL_SV_1;
    g.tag_size = 12;
    take(&m, &g, "1");
    assert_memory_equal(&m, &right, sizeof m);
}

static void manifest_when_the_version_changes_then_another(void **state)
{
    stream_file g = geometry();
    measure m;

    (void)state;
    take(&m, &g, "2");
    assert_memory_not_equal(m.blocks.blocks[1].value, right.blocks.blocks[1].value, m.blocks.blocks[1].n);
}

static void source_when_asked_then_three_blocks_in_order(void **state)
{
    static const tl_hash_alg hashes[] = { TL_HASH_SHA256, TL_HASH_SHA384 };
    tl_spdm_measurement_source s = measure_source(&right);
    tl_spdm_measurement m;

    (void)state;
    assert_int_equal(s.n, MEASURE_BLOCKS);
    for (size_t h = 0; h < 2; h++)
        for (size_t i = 0; i < s.n; i++) {
            tl_assert_ok(s.get(s.ctx, i, hashes[h], h == 1, &m));
            assert_int_equal(m.index, i + 1);
            assert_int_equal(m.raw, i == 1);
            if (i != 1)
                assert_int_equal(m.value.n, tl_hash_size(hashes[h]));
        }
}

static void source_when_asked_for_what_is_not_there_then_refused(void **state)
{
    tl_spdm_measurement_source s = measure_source(&right);
    tl_spdm_measurement m;

    (void)state;
    tl_assert_err(TL_E_USAGE, s.get(s.ctx, 3, TL_HASH_SHA256, false, &m));
    tl_assert_err(TL_E_USAGE, s.get(s.ctx, 0, TL_HASH_NONE, false, &m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_when_taken_twice_then_the_same),
        cmocka_unit_test(setup_when_any_part_changes_then_another_and_nothing_else_changes),
        cmocka_unit_test(setup_when_the_controllers_choice_changes_then_the_same),
        cmocka_unit_test(manifest_when_the_version_changes_then_another),
        cmocka_unit_test(source_when_asked_then_three_blocks_in_order),
        cmocka_unit_test(source_when_asked_for_what_is_not_there_then_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
