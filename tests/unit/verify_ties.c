/* What sessions say of streams' secrets, beside the epochs under which frames were opened. */
#include "testing.h"

#include "backend.h"
#include "hex.h"
#include "verify_ties.h"

#include <trueline/layout/ids.h>

#include <string.h>

enum { STREAM = 7, SECTION = 3 };

static backend own;
static dump_session sessions[2];
static verify_ties ties;
static stream_keys keys;

static int set_up(void **state)
{
    (void)state;
    tl_assert_ok(backend_open(&own, BACKEND_OPENSSL, 0));
    for (unsigned i = 0; i < 2; i++) {
        sessions[i].schedule = (tl_schedule){ own.crypto, TL_SPDM_13, TL_HASH_SHA384, TL_SUITE_NONE };
        memset(sessions[i].application.export_master.bytes, (int)i + 1, TL_HASH_MAX);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    backend_close(&own);
    return 0;
}

static void said(unsigned session, uint32_t kind, uint32_t stream, uint32_t epoch)
{
    const verify_session from = {
        .number = session, .section = SECTION + session, .from = &sessions[session], .crypto = own.crypto
    };
    agreement a = { .kind = kind };

    if (kind == TL_AGREEMENT_CHOICE) {
        a.body.choice.stream = stream;
        a.body.choice.epoch = epoch;
    } else {
        a.body.stream.stream = stream;
        a.body.stream.epoch = epoch;
    }
    verify_ties_said(&ties, &from, &a);
}

/* A frame was opened under an epoch of a start, in a section. */
static void opened(uint32_t start, uint32_t epoch, uint32_t section)
{
    const replay_border at = {
        .set = true, .packet = { .number = 1, .section = section }, .epoch = epoch, .start = start
    };

    verify_ties_opened(&ties, &at);
}

/* The line of the secret that a session of the stream has in that epoch, step by step as a live source takes them. */
static void key_of(unsigned session, uint32_t epoch)
{
    const tl_digest export = { TL_HASH_SHA384, tl_span_of(sessions[session].application.export_master.bytes,
                                                          tl_hash_size(TL_HASH_SHA384)) };
    tl_key_source source;
    char line[64 + 2 * TL_HASH_MAX];
    uint8_t secret[TL_HASH_MAX];
    size_t n = 0, at;
    tl_fault fault;

    tl_assert_ok(tl_key_source_exported(&source, own.crypto, export, STREAM, TL_SENSOR_TO_CONTROLLER));
    for (uint32_t reached = 0; reached < epoch;) {
        const uint32_t next = epoch - reached > TL_EPOCH_JUMP_MAX ? reached + TL_EPOCH_JUMP_MAX : epoch;

        tl_assert_ok(tl_key_source_secret(&source, next, secret, &n));
        tl_assert_ok(tl_key_source_recorded(&source, own.crypto,
                                            (tl_digest){ TL_HASH_SHA384, tl_span_of(secret, n) }, next));
        reached = next;
    }
    tl_assert_ok(tl_key_source_secret(&source, epoch, secret, &n));
    at = (size_t)snprintf(line, sizeof line, "stream %d epoch %u secret ", STREAM, (unsigned)epoch);
    hex_text(tl_span_of(secret, n), line + at, sizeof line - at);
    at += 2 * n;
    line[at++] = '\n';
    assert_int_equal(stream_keys_take(&keys, tl_span_of((const uint8_t *)line, at), "test", &fault),
                     TL_EXIT_OK);
}

static void again(void)
{
    verify_ties_close(&ties);
    stream_keys_close(&keys);
}

/* Settles, and compares the first epoch. */
static void expect(verify_tie tie, size_t session)
{
    verify_ties_settle(&ties, &keys, STREAM);
    assert_true(ties.epoch_n > 0);
    assert_int_equal(ties.epochs[0].tie, tie);
    if (tie != VERIFY_GIVEN)
        assert_int_equal(ties.epochs[0].session, session);
    again();
}

static void secret_when_agreed_in_a_session_then_tied(void **state)
{
    (void)state;
    said(0, TL_AGREEMENT_CHOICE, STREAM, 4);
    said(0, TL_AGREEMENT_PORT, STREAM, 4);
    said(0, TL_AGREEMENT_START, STREAM, 4);
    said(0, TL_AGREEMENT_DONE, STREAM, 4);
    key_of(0, 4);
    opened(0, 4, SECTION);
    opened(0, 4, SECTION);
    assert_int_equal(ties.epoch_n, 1);
    expect(VERIFY_TIED, 0);
}

static void secret_when_the_recording_ends_before_the_answer_then_tied(void **state)
{
    (void)state;
    said(0, TL_AGREEMENT_CHOICE, STREAM, 0);
    key_of(0, 0);
    opened(0, 0, SECTION);
    expect(VERIFY_TIED, 0);
}

static void secret_when_its_epoch_is_further_than_one_step_then_tied(void **state)
{
    const uint32_t far = 2 * TL_EPOCH_JUMP_MAX + 5;

    (void)state;
    for (uint32_t e = 1; e <= 3; e++)
        said(0, e == 1 ? TL_AGREEMENT_CHOICE : TL_AGREEMENT_REKEY, STREAM,
             e < 3 ? e * TL_EPOCH_JUMP_MAX : far);
    key_of(0, far);
    opened(0, far, SECTION);
    expect(VERIFY_TIED, 0);
}

static void secret_when_another_session_takes_over_then_tied_to_that_one(void **state)
{
    (void)state;
    said(0, TL_AGREEMENT_CHOICE, STREAM, 0);
    said(1, TL_AGREEMENT_REKEY, STREAM, 1);
    key_of(1, 1);
    opened(0, 1, SECTION);
    expect(VERIFY_TIED, 1);
}

static void secret_when_no_session_says_anything_then_given(void **state)
{
    (void)state;
    key_of(0, 0);
    opened(0, 0, SECTION);
    expect(VERIFY_GIVEN, 0);
}

static void secret_when_sessions_speak_of_another_stream_then_given(void **state)
{
    (void)state;
    said(0, TL_AGREEMENT_CHOICE, STREAM + 1, 0);
    key_of(0, 0);
    opened(0, 0, SECTION);
    expect(VERIFY_GIVEN, 0);
}

static void secret_when_the_agreement_was_refused_then_given(void **state)
{
    (void)state;
    said(0, TL_AGREEMENT_CHOICE, STREAM, 0);
    said(0, TL_AGREEMENT_REFUSED, STREAM, 0);
    key_of(0, 0);
    opened(0, 0, SECTION);
    expect(VERIFY_GIVEN, 0);
}

static void secret_when_a_later_rekey_was_refused_then_the_first_still_ties(void **state)
{
    (void)state;
    said(0, TL_AGREEMENT_CHOICE, STREAM, 0);
    said(0, TL_AGREEMENT_PORT, STREAM, 0);
    said(0, TL_AGREEMENT_REKEY, STREAM, 1);
    said(0, TL_AGREEMENT_REFUSED, STREAM, 1);
    key_of(0, 0);
    opened(0, 0, SECTION);
    expect(VERIFY_TIED, 0);
}

static void secret_when_of_another_session_then_contradicts(void **state)
{
    (void)state;
    said(0, TL_AGREEMENT_CHOICE, STREAM, 0);
    key_of(1, 0);
    opened(0, 0, SECTION);
    expect(VERIFY_CONTRADICTS, 0);
}

static void secret_when_of_an_epoch_that_no_session_named_then_contradicts(void **state)
{
    (void)state;
    said(0, TL_AGREEMENT_CHOICE, STREAM, 0);
    key_of(0, 1);
    opened(0, 1, SECTION);
    expect(VERIFY_CONTRADICTS, 0);
}

static void secret_when_the_session_is_of_another_section_then_given(void **state)
{
    (void)state;
    said(0, TL_AGREEMENT_CHOICE, STREAM, 0);
    key_of(1, 0);
    opened(0, 0, SECTION + 1);
    expect(VERIFY_GIVEN, 0);
}

static void secret_when_no_step_reaches_its_epoch_then_contradicts(void **state)
{
    (void)state;
    said(0, TL_AGREEMENT_CHOICE, STREAM, TL_EPOCH_JUMP_MAX + 1);
    key_of(0, TL_EPOCH_JUMP_MAX + 1);
    opened(0, TL_EPOCH_JUMP_MAX + 1, SECTION);
    expect(VERIFY_CONTRADICTS, 0);
}

static void epochs_when_there_are_too_many_then_said(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 300; i++)
        opened(i, 0, SECTION);
    assert_int_equal(ties.epoch_n, 300);
    assert_false(ties.full);
    for (uint32_t i = 0; i <= STREAM_KEYS_MAX; i++)
        opened(1000 + i, 0, SECTION);
    assert_true(ties.full);
    assert_int_equal(ties.epoch_n, STREAM_KEYS_MAX);
    again();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secret_when_agreed_in_a_session_then_tied),
        cmocka_unit_test(secret_when_the_recording_ends_before_the_answer_then_tied),
        cmocka_unit_test(secret_when_its_epoch_is_further_than_one_step_then_tied),
        cmocka_unit_test(secret_when_another_session_takes_over_then_tied_to_that_one),
        cmocka_unit_test(secret_when_no_session_says_anything_then_given),
        cmocka_unit_test(secret_when_sessions_speak_of_another_stream_then_given),
        cmocka_unit_test(secret_when_the_agreement_was_refused_then_given),
        cmocka_unit_test(secret_when_a_later_rekey_was_refused_then_the_first_still_ties),
        cmocka_unit_test(secret_when_of_another_session_then_contradicts),
        cmocka_unit_test(secret_when_of_an_epoch_that_no_session_named_then_contradicts),
        cmocka_unit_test(secret_when_the_session_is_of_another_section_then_given),
        cmocka_unit_test(secret_when_no_step_reaches_its_epoch_then_contradicts),
        cmocka_unit_test(epochs_when_there_are_too_many_then_said),
    };

    return cmocka_run_group_tests_name("verify_ties", tests, set_up, tear_down);
}
