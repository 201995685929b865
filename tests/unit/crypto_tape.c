/* Handshakes of the benchmarks and the tape of their calls: what is played back is the same work, and gives each handle
 * back; a tape that is not right any more is refused rather than timed. */
#include "bench_spdm.h"
#include "testing.h"

static bench_spdm bench;
static crypto_tape tape;

static int open_p256(void **state)
{
    tl_fault fault;

    (void)state;
    return bench_spdm_open(&bench, TL_GROUP_P256, &fault) == TL_EXIT_OK ? 0 : -1;
}

static int open_p384(void **state)
{
    tl_fault fault;

    (void)state;
    return bench_spdm_open(&bench, TL_GROUP_P384, &fault) == TL_EXIT_OK ? 0 : -1;
}

static int close_bench(void **state)
{
    (void)state;
    bench_spdm_close(&bench);
    return 0;
}

static void run(gate_job job, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        job.run(job.ctx);
}

/* The first row of a kind, from the end that does it. */
static tape_row *row_of(tape_op op)
{
    for (size_t i = 0; i < bench.tape.rows_n; i++)
        if (bench.tape.rows[i].op == op)
            return &bench.tape.rows[i];
    fail_msg("no such call was noted");
    return NULL;
}

static void change(tl_span part)
{
    bench.tape.bytes[(size_t)(part.p - bench.tape.bytes) + part.n / 2] ^= 1;
}

static void handshake_when_run_then_sixteen_messages(void **state)
{
    (void)state;
    run(bench_handshake(&bench), 1);
    assert_false(bench.failed);
    assert_int_equal(bench.messages, 16);
    assert_in_range(bench.bytes, 2000, 3000);
}

static void handshake_when_p384_then_sixteen_messages_too(void **state)
{
    handshake_when_run_then_sixteen_messages(state);
}

static void tape_when_recorded_then_the_public_key_work_of_one_handshake(void **state)
{
    const unsigned *calls = bench.tape.calls;

    (void)state;
    assert_int_equal(calls[TAPE_CHAIN_CHECK], 1);
    assert_int_equal(calls[TAPE_EXCHANGE_START], 2);
    assert_int_equal(calls[TAPE_EXCHANGE_END], 2);
    assert_int_equal(calls[TAPE_SIGN], 1);
    assert_int_equal(calls[TAPE_CHECK_SIGNATURE], 1);
    assert_int_equal(calls[TAPE_PROTECT], 4); /* FINISH, END_SESSION and their answers */
    assert_int_equal(calls[TAPE_VERIFY], 4);
    assert_int_equal(bench_spdm_calls(&bench), bench.tape.rows_n);
}

/* More often than a backend has slots. */
static void handshake_and_tape_when_run_often_then_no_handle_is_lost(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * TL_OPENSSL_KEY_SLOTS / BENCH_SPDM_RUNS; i++) {
        run(bench_calls(&bench), 1);
        run(bench_handshake(&bench), 1);
    }
    assert_false(bench.failed);
}

static void play_when_the_signature_was_changed_then_refused(void **state)
{
    (void)state;
    change(row_of(TAPE_CHECK_SIGNATURE)->parts[1]);
    tl_assert_err(TL_E_TAG, crypto_tape_play(&bench.tape));
    run(bench_calls(&bench), 1);
    assert_true(bench.failed);
}

static void play_when_a_record_was_changed_then_refused(void **state)
{
    (void)state;
    change(row_of(TAPE_VERIFY)->parts[1]);
    tl_assert_err(TL_E_TAG, crypto_tape_play(&bench.tape));
}

static void play_when_a_certificate_was_changed_then_refused(void **state)
{
    (void)state;
    change(row_of(TAPE_CHAIN_CHECK)->parts[0]);
    tl_assert_err(TL_E_CHAIN, crypto_tape_play(&bench.tape));
}

static void play_when_a_point_was_changed_then_refused(void **state)
{
    (void)state;
    change(row_of(TAPE_EXCHANGE_END)->parts[0]);
    tl_assert_err(TL_E_POINT, crypto_tape_play(&bench.tape));
}

/* Handles of keys and MACs are numbered apart: one number may be both. */
static void tape_when_macs_run_and_messages_name_keys_then_played_alike(void **state)
{
    static const uint8_t bytes[32] = { 7 }, nonce[TL_NONCE_SIZE] = { 1 };
    const tl_crypto *inner = tl_openssl_crypto(bench.rq_end.backend), *outer;
    uint8_t text[40] = { 0 }, tag[TL_TAG_MAX];
    tl_sealed m = { .payload = text, .payload_n = sizeof text, .cover = TL_COVER_ENCRYPTED, .tag_n = 16 };
    tl_key k, own;
    tl_mac left, mac;

    (void)state;
    crypto_tape_init(&tape);
    outer = crypto_tape_wrap(&tape, 0, inner);
    tl_assert_ok(outer->ops->key_load(outer->ctx, TL_SUITE_AES256_GMAC, tl_span_of(bytes, 32), &k));
    tl_assert_ok(outer->ops->key_load(outer->ctx, TL_SUITE_AES128_CMAC, tl_span_of(bytes, 32), &own));
    m.key = own;
    tl_assert_ok(outer->ops->protect(outer->ctx, k, &m, 1));
    tl_assert_ok(outer->ops->verify(outer->ctx, k, &m, 1));
    tl_assert_ok(outer->ops->open(outer->ctx, k, &m, 1));
    tl_assert_ok(outer->ops->mac_start(outer->ctx, own, NULL, &left));
    tl_assert_ok(outer->ops->mac_start(outer->ctx, k, nonce, &mac));
    tl_assert_ok(outer->ops->mac_add(outer->ctx, mac, tl_span_of(text, sizeof text)));
    tl_assert_ok(outer->ops->mac_end(outer->ctx, mac, tag));
    outer->ops->mac_drop(outer->ctx, left);
    outer->ops->key_drop(outer->ctx, own);
    outer->ops->key_drop(outer->ctx, k);
    assert_int_equal(tape.calls[TAPE_OPEN], 1);
    assert_int_equal(tape.calls[TAPE_MAC_START], 2);
    for (unsigned i = 0; i < 2 * TL_OPENSSL_MAC_SLOTS; i++) /* none is lost */
        tl_assert_ok(crypto_tape_play(&tape));
    for (size_t i = 0; i < tape.rows_n; i++)
        if (tape.rows[i].op == TAPE_VERIFY)
            tape.rows[i].sealed.tag[0] ^= 1;
    tl_assert_err(TL_E_TAG, crypto_tape_play(&tape));
}

static void play_when_rows_were_too_many_then_refused(void **state)
{
    const tl_crypto *inner = tl_openssl_crypto(bench.rq_end.backend), *outer;
    uint8_t byte;

    (void)state;
    crypto_tape_init(&tape);
    outer = crypto_tape_wrap(&tape, 0, inner);
    for (unsigned i = 0; i < TAPE_ROWS; i++)
        tl_assert_ok(outer->ops->random(outer->ctx, &byte, 1));
    tl_assert_ok(crypto_tape_play(&tape));
    tl_assert_ok(outer->ops->random(outer->ctx, &byte, 1));
    tl_assert_err(TL_E_USAGE, crypto_tape_play(&tape));
}

static void play_when_bytes_were_too_many_then_refused(void **state)
{
    static const uint8_t zeros[TAPE_BYTES];
    const tl_crypto *inner = tl_openssl_crypto(bench.rq_end.backend), *outer;
    tl_hash h;

    (void)state;
    crypto_tape_init(&tape);
    outer = crypto_tape_wrap(&tape, 0, inner);
    tl_assert_ok(outer->ops->hash_start(outer->ctx, TL_HASH_SHA256, &h));
    tl_assert_ok(outer->ops->hash_add(outer->ctx, h, tl_span_of(zeros, sizeof zeros)));
    assert_false(tape.full);
    tl_assert_ok(outer->ops->hash_add(outer->ctx, h, tl_span_of(zeros, 1)));
    outer->ops->hash_drop(outer->ctx, h);
    tl_assert_err(TL_E_USAGE, crypto_tape_play(&tape));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_p256, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(handshake_when_run_then_sixteen_messages),
        cmocka_unit_test_setup_teardown(handshake_when_p384_then_sixteen_messages_too, open_p384,
                                        close_bench),
        CASE(tape_when_recorded_then_the_public_key_work_of_one_handshake),
        CASE(handshake_and_tape_when_run_often_then_no_handle_is_lost),
        CASE(tape_when_macs_run_and_messages_name_keys_then_played_alike),
        CASE(play_when_the_signature_was_changed_then_refused),
        CASE(play_when_a_record_was_changed_then_refused),
        CASE(play_when_a_certificate_was_changed_then_refused),
        CASE(play_when_a_point_was_changed_then_refused),
        CASE(play_when_rows_were_too_many_then_refused),
        CASE(play_when_bytes_were_too_many_then_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
