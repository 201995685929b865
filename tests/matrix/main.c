/* The matrix: every valid combination of carrier, tag mode, suite, tag length, kind of each block, source of keys and
 * CRC-32, on frames of 8 lines of 64 bytes: sent, verified, and attacked by each row that applies; and every contradictory
 * configuration refused.
 *
 *   matrix          a sample that holds every pair of levels, as test cases
 *   matrix --all    all of them; progress on a terminal, the sums in the last line */
#include "ends.h"
#include "testing.h"

#include <trueline/lanes.h>
#include <trueline/openssl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_SLOTS = 16, MAC_SLOTS = 32, SAMPLE_MAX = 400 };

static tl_openssl *openssl;
static tl_lanes lanes;
static tl_lanes_key keys[KEY_SLOTS];
static tl_lanes_mac macs[MAC_SLOTS];

static tl_err open_backend(void)
{
    tl_lanes_config config = {
        .level = TL_LANES_BEST, .keys = keys, .key_n = KEY_SLOTS, .macs = macs, .mac_n = MAC_SLOTS
    };

    TL_TRY(tl_openssl_open(NULL, &openssl));
    config.base = tl_openssl_crypto(openssl);
    return tl_lanes_init(&lanes, &config);
}

static void close_backend(void)
{
    tl_lanes_wipe(&lanes);
    tl_openssl_close(openssl);
}

static void run_combination(tally *t, const combination *c)
{
    static ends e;
    tl_nonces nonces;

    tl_nonces_init(&nonces, tl_lanes_crypto(&lanes), TL_NONCES_COUNT);
    e.crypto = tl_lanes_crypto(&lanes);
    e.recorded = tl_nonces_crypto(&nonces);
    ends_open(&e, c, (uint32_t)t->combinations + 1);
    if (e.wrong != NULL)
        tally_fail(t, c, "open", e.wrong);
    else if (e.config.carrier == TL_CARRIER_SEP)
        sep_run(&e, t);
    else
        fsed_run(&e, t);
    ends_close(&e);
    tl_wire_free(&e.frame);
    tl_wire_free(&e.after);
    tl_wire_free(&e.before);
    tl_wire_free(&e.foreign);
    tally_keys(t, c, &nonces);
    tl_nonces_free(&nonces);
    t->combinations++;
}

/* ---- all ---- */

static size_t count_valid(void)
{
    combination c = { { 0 } };
    size_t n = 0;

    do
        n += combination_is_valid(&c);
    while (combination_next(&c));
    return n;
}

static int run_all(void)
{
    const size_t all = count_valid();
    combination c = { { 0 } };
    tally t = { 0 };

    if (open_backend() != TL_OK)
        return 1;
    refusals_run(&t);
    do {
        if (!combination_is_valid(&c))
            continue;
        run_combination(&t, &c);
        if (isatty(STDOUT_FILENO) && t.combinations % 256 == 0) {
            printf("\r%zu of %zu combinations, %zu attacks, %zu failed", t.combinations, all, t.attacks,
                   t.failed);
            (void)fflush(stdout);
        }
    } while (combination_next(&c));
    if (isatty(STDOUT_FILENO))
        printf("\r\033[K");
    printf("%zu attacks were by design not to be noticed: the frame was ok, and the change came through\n",
           t.unnoticed);
    printf("%zu pairs of key and nonce, none of them twice\n", t.pairs);
    printf("matrix: %zu combinations, %zu refused, %zu attacks, %zu failed\n", t.combinations, t.refused,
           t.attacks, t.failed);
    close_backend();
    tally_free(&t);
    return t.failed == 0 && t.combinations == all ? 0 : 1;
}

/* ---- the sample ---- */

static combination sample[SAMPLE_MAX];
static size_t sample_n;

static int set_up(void **state)
{
    (void)state;
    sample_n = cover_make(sample, SAMPLE_MAX);
    return open_backend() == TL_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    close_backend();
    return 0;
}

static void sample_when_made_then_valid_and_every_pair_is_in_it(void **state)
{
    (void)state;
    assert_true(sample_n > KINDS * KINDS);
    for (size_t i = 0; i < sample_n; i++)
        assert_true(combination_is_valid(&sample[i]));
    assert_int_equal(cover_missing(sample, sample_n), 0);
    assert_true(cover_missing(sample, sample_n - 1) > 0); /* the count can fail */
}

static void configurations_when_contradictory_then_refused_with_a_reason(void **state)
{
    tally t = { 0 };

    (void)state;
    refusals_run(&t);
    assert_int_equal(t.failed, 0);
    assert_true(t.refused > 1000000);
}

static void combinations_when_sent_and_attacked_then_as_designed(void **state)
{
    tally t = { 0 };

    (void)state;
    for (size_t i = 0; i < sample_n; i++)
        run_combination(&t, &sample[i]);
    printf("# %zu combinations, %zu attacks, %zu of them by design not to be noticed\n", t.combinations,
           t.attacks, t.unnoticed);
    assert_int_equal(t.failed, 0);
    assert_true(t.attacks > 40 * sample_n);
    assert_true(t.unnoticed > 0 && t.pairs > 0);
    tally_free(&t);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample_when_made_then_valid_and_every_pair_is_in_it),
        cmocka_unit_test(configurations_when_contradictory_then_refused_with_a_reason),
        cmocka_unit_test(combinations_when_sent_and_attacked_then_as_designed),
    };

    if (argc == 2 && strcmp(argv[1], "--all") == 0)
        return run_all();
    if (argc != 1) {
        (void)fprintf(stderr, "usage: matrix [--all]\n");
        return 2;
    }
    return cmocka_run_group_tests_name("matrix", tests, set_up, tear_down);
}
