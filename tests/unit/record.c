/* Records of a session: recorded ones opened, sealed ones opened again in every binding, and everything that must be
 * refused without moving the sequence number. */
#include "faulty.h"
#include "nonces.h"
#include "one_backend.h"
#include "testing.h"
#include "vectors.h"

#include <trueline/session.h>

#include <stdlib.h>
#include <string.h>

enum { SESSION = 0x1234ABCD, ROOM = 256 };
static const tl_record_binding tcp = { 0, 0 }, mctp = { 2, TL_RECORD_PAD_MAX },
                               bindings[] = { { 0, 0 }, { 2, 0 }, { 2, 1 }, { 0, 7 }, { 2, 32 } };

/* Both ends of both directions. */
typedef struct ends {
    tl_schedule schedule;
    tl_record_key request_tx, request_rx, response_tx, response_rx;
} ends;

static void open_ends(ends *e, const tl_crypto *c)
{
    tl_secret request = { { 1, 2, 3 } }, response = { { 4, 5, 6 } };
    e->schedule = (tl_schedule){ c, 0x12, TL_HASH_SHA256, TL_SUITE_AES128_GMAC };
    tl_assert_ok(tl_record_key_derive(&e->schedule, &request, &e->request_tx));
    tl_assert_ok(tl_record_key_derive(&e->schedule, &request, &e->request_rx));
    tl_assert_ok(tl_record_key_derive(&e->schedule, &response, &e->response_tx));
    tl_assert_ok(tl_record_key_derive(&e->schedule, &response, &e->response_rx));
}

static void close_ends(ends *e)
{
    const tl_crypto *c = e->schedule.crypto;
    tl_record_key_drop(&e->request_tx, c);
    tl_record_key_drop(&e->request_rx, c);
    tl_record_key_drop(&e->response_tx, c);
    tl_record_key_drop(&e->response_rx, c);
}

static size_t seal(ends *e, const tl_record_binding *b, const char *text, uint8_t out[ROOM])
{
    tl_wr w = tl_wr_of(out, ROOM);
    tl_assert_ok(
        tl_record_seal(&e->schedule, &e->request_tx, b, SESSION, tl_span_of(text, strlen(text)), &w));
    return w.n;
}

/* Opens a copy of exactly n bytes, so that a read past its end is noticed. */
static tl_err open_copy(ends *e, tl_record_key *key, const tl_record_binding *b, const uint8_t *record,
                        size_t n)
{
    uint8_t *copy = malloc(n == 0 ? 1 : n);
    tl_span application;
    tl_err err;
    assert_non_null(copy);
    if (n != 0)
        memcpy(copy, record, n);
    err = tl_record_open(&e->schedule, key, b, SESSION, (tl_buffer){ copy, n }, &application);
    if (err != TL_OK)
        assert_int_equal(application.n, 0);
    free(copy);
    return err;
}

/* A refusal that leaves the receiver where it was: the right record is still taken. */
static void refuse(ends *e, const tl_record_binding *b, const uint8_t *record, size_t n)
{
    uint64_t before = e->request_rx.sequence;
    tl_err err = open_copy(e, &e->request_rx, b, record, n);
    if (err == TL_OK)
        fail_msg("a record that was changed is taken");
    assert_true(e->request_rx.sequence == before);
}

/* ---- refusals ---- */

static void open_when_any_bit_is_changed_then_refused_and_the_number_stays(void **state)
{
    ends e;
    (void)state;
    open_ends(&e, crypto);
    for (size_t i = 0; i < sizeof bindings / sizeof bindings[0]; i++) {
        uint8_t record[ROOM];
        size_t n = seal(&e, &bindings[i], "all of it", record);
        for (size_t bit = 0; bit < 8 * n; bit++) {
            record[bit / 8] ^= (uint8_t)(1u << bit % 8);
            refuse(&e, &bindings[i], record, n);
            record[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        tl_assert_ok(open_copy(&e, &e.request_rx, &bindings[i], record, n));
    }
    close_ends(&e);
}

static void open_when_cut_or_lengthened_then_refused(void **state)
{
    ends e;
    (void)state;
    open_ends(&e, crypto);
    for (size_t i = 0; i < sizeof bindings / sizeof bindings[0]; i++) {
        uint8_t record[ROOM] = { 0 };
        size_t n = seal(&e, &bindings[i], "some", record);
        for (size_t cut = 0; cut < n; cut++)
            refuse(&e, &bindings[i], record, cut);
        tl_assert_err(TL_E_WIRE_TRAILING, open_copy(&e, &e.request_rx, &bindings[i], record, n + 1));
        tl_assert_ok(open_copy(&e, &e.request_rx, &bindings[i], record, n));
    }
    close_ends(&e);
}

static void open_when_replayed_then_refused(void **state)
{
    uint8_t record[ROOM];
    ends e;
    (void)state;
    open_ends(&e, crypto);
    size_t n = seal(&e, &tcp, "once", record);
    tl_assert_ok(open_copy(&e, &e.request_rx, &tcp, record, n));
    tl_assert_err(TL_E_TAG, open_copy(&e, &e.request_rx, &tcp, record, n));
    n = seal(&e, &mctp, "once", record);
    tl_assert_ok(open_copy(&e, &e.request_rx, &mctp, record, n));
    tl_assert_err(TL_E_WIRE_VALUE, open_copy(&e, &e.request_rx, &mctp, record, n));
    record[4] = 2; /* the number that is due */
    tl_assert_err(TL_E_TAG, open_copy(&e, &e.request_rx, &mctp, record, n));
    close_ends(&e);
}

/* 65,536 records on, the two bytes of the number are the same again. */
static void open_when_replayed_after_the_short_number_went_round_then_refused(void **state)
{
    uint8_t record[ROOM];
    ends e;
    (void)state;
    open_ends(&e, crypto);
    size_t n = seal(&e, &mctp, "once", record);
    tl_assert_ok(open_copy(&e, &e.request_rx, &mctp, record, n));
    e.request_rx.sequence = 0x10000;
    tl_assert_err(TL_E_TAG, open_copy(&e, &e.request_rx, &mctp, record, n));
    e.request_tx.sequence = 0x10000;
    n = seal(&e, &mctp, "again", record);
    assert_int_equal(record[4] | record[5], 0);
    tl_assert_ok(open_copy(&e, &e.request_rx, &mctp, record, n));
    close_ends(&e);
}

static void open_when_reordered_then_refused_until_its_turn(void **state)
{
    uint8_t first[ROOM], second[ROOM];
    ends e;
    (void)state;
    open_ends(&e, crypto);
    for (size_t i = 0; i < 2; i++) {
        const tl_record_binding *b = i == 0 ? &tcp : &mctp;
        size_t n = seal(&e, b, "first", first), m = seal(&e, b, "second", second);
        refuse(&e, b, second, m);
        tl_assert_ok(open_copy(&e, &e.request_rx, b, first, n));
        tl_assert_ok(open_copy(&e, &e.request_rx, b, second, m));
    }
    close_ends(&e);
}

static void open_when_ones_own_record_comes_back_then_refused(void **state)
{
    uint8_t record[ROOM];
    ends e;
    (void)state;
    open_ends(&e, crypto);
    size_t n = seal(&e, &tcp, "mirror", record);
    tl_assert_err(TL_E_TAG, open_copy(&e, &e.response_rx, &tcp, record, n));
    assert_int_equal(e.response_rx.sequence, 0);
    close_ends(&e);
}

static void open_when_it_names_another_session_then_refused(void **state)
{
    uint8_t record[ROOM];
    tl_span application;
    uint32_t id = 0;
    ends e;
    (void)state;
    open_ends(&e, crypto);
    size_t n = seal(&e, &tcp, "mine", record);
    tl_assert_ok(tl_record_session(tl_span_of(record, n), &id));
    assert_int_equal(id, SESSION);
    tl_assert_err(TL_E_WIRE_SHORT, tl_record_session(tl_span_of(record, 3), &id));
    tl_assert_err(TL_E_WIRE_VALUE, tl_record_open(&e.schedule, &e.request_rx, &tcp, SESSION + 1,
                                                  (tl_buffer){ record, n }, &application));
    record[0] ^= 1; /* also if the receiver looks the wrong session up */
    tl_assert_err(TL_E_TAG, tl_record_open(&e.schedule, &e.request_rx, &tcp, SESSION ^ 1,
                                           (tl_buffer){ record, n }, &application));
    close_ends(&e);
}

static void open_when_the_binding_differs_then_refused(void **state)
{
    uint8_t record[ROOM];
    ends e;
    (void)state;
    open_ends(&e, crypto);
    size_t n = seal(&e, &tcp, "a binding", record);
    refuse(&e, &mctp, record, n);
    tl_assert_ok(open_copy(&e, &e.request_rx, &tcp, record, n));
    n = seal(&e, &mctp, "a binding", record);
    refuse(&e, &tcp, record, n);
    close_ends(&e);
}

/* A record whose plaintext the test writes itself. */
static size_t forge(ends *e, tl_span plain, uint8_t out[ROOM])
{
    tl_sealed m = { .cover = TL_COVER_ENCRYPTED, .tag_n = TL_RECORD_TAG };
    tl_wr w = tl_wr_of(out, ROOM);
    tl_put(&w, 4, TL_LITTLE, SESSION);
    tl_put(&w, 2, TL_LITTLE, plain.n + TL_RECORD_TAG);
    m.header = tl_span_of(out, w.n);
    m.payload = out + w.n;
    m.payload_n = plain.n;
    tl_put_bytes(&w, plain);
    memcpy(m.nonce, e->request_tx.iv, TL_NONCE_SIZE);
    m.nonce[0] ^= (uint8_t)e->request_tx.sequence++;
    tl_assert_ok(crypto->ops->protect(crypto->ctx, e->request_tx.handle, &m, 1));
    tl_put_bytes(&w, tl_span_of(m.tag, TL_RECORD_TAG));
    assert_false(w.bad);
    return w.n;
}

static void open_when_the_application_length_lies_then_refused(void **state)
{
    static const uint8_t beyond[] = { 3, 0, 'a', 'b' }, far[] = { 0xFF, 0xFF, 'a' }, half[] = { 1 };
    uint8_t record[ROOM];
    ends e;
    (void)state;
    open_ends(&e, crypto);
    size_t n = forge(&e, tl_span_of(beyond, sizeof beyond), record);
    tl_assert_err(TL_E_WIRE_SHORT, open_copy(&e, &e.request_rx, &tcp, record, n));
    n = forge(&e, tl_span_of(far, sizeof far), record);
    tl_assert_err(TL_E_WIRE_SHORT, open_copy(&e, &e.request_rx, &tcp, record, n));
    n = forge(&e, tl_span_of(half, sizeof half), record);
    tl_assert_err(TL_E_WIRE_SHORT, open_copy(&e, &e.request_rx, &tcp, record, n));
    close_ends(&e);
}

static void both_when_the_numbers_are_used_up_then_limit(void **state)
{
    uint8_t record[ROOM];
    tl_wr w = tl_wr_of(record, sizeof record);
    ends e;
    (void)state;
    open_ends(&e, crypto);
    e.request_tx.sequence = e.request_rx.sequence = UINT64_MAX - 1;
    size_t n = seal(&e, &tcp, "last", record);
    tl_assert_ok(open_copy(&e, &e.request_rx, &tcp, record, n));
    tl_assert_err(TL_E_LIMIT,
                  tl_record_seal(&e.schedule, &e.request_tx, &tcp, SESSION, tl_span_of(NULL, 0), &w));
    assert_int_equal(w.n, 0);
    tl_assert_err(TL_E_LIMIT, open_copy(&e, &e.request_rx, &tcp, record, n));
    close_ends(&e);
}

static void both_when_no_key_is_held_or_the_binding_is_none_then_usage(void **state)
{
    static const tl_record_binding one = { 1, 0 }, padded = { 0, TL_RECORD_PAD_MAX + 1 };
    uint8_t record[ROOM];
    tl_wr w = tl_wr_of(record, sizeof record), counting = tl_wr_counting();
    const tl_span text = tl_span_of("x", 1);
    tl_record_key none = { 0 };
    ends e;
    (void)state;
    open_ends(&e, crypto);
    tl_assert_err(TL_E_USAGE, tl_record_seal(&e.schedule, &none, &tcp, SESSION, text, &w));
    tl_assert_err(TL_E_USAGE, tl_record_seal(&e.schedule, &e.request_tx, &one, SESSION, text, &w));
    tl_assert_err(TL_E_USAGE, tl_record_seal(&e.schedule, &e.request_tx, &padded, SESSION, text, &w));
    tl_assert_err(TL_E_USAGE, tl_record_seal(&e.schedule, &e.request_tx, &tcp, SESSION,
                                             tl_span_of(record, TL_RECORD_APPLICATION_MAX + 1), &w));
    tl_assert_err(TL_E_USAGE, tl_record_seal(&e.schedule, &e.request_tx, &tcp, SESSION, text, &counting));
    assert_int_equal(w.n, 0);
    assert_int_equal(e.request_tx.sequence, 0);
    size_t n = seal(&e, &tcp, "x", record);
    tl_assert_err(TL_E_USAGE, open_copy(&e, &none, &tcp, record, n));
    tl_assert_err(TL_E_USAGE, open_copy(&e, &e.request_rx, &one, record, n));
    close_ends(&e);
}

static void seal_when_there_is_no_room_then_room_and_the_number_stays(void **state)
{
    uint8_t record[4 + 2 + 2 + 3 + TL_RECORD_TAG];
    ends e;
    (void)state;
    open_ends(&e, crypto);
    for (size_t room = 0; room <= sizeof record; room++) {
        uint8_t *out = malloc(room == 0 ? 1 : room);
        tl_wr w = tl_wr_of(out, room);
        tl_err err = tl_record_seal(&e.schedule, &e.request_tx, &tcp, SESSION, tl_span_of("abc", 3), &w);
        tl_assert_err(room < sizeof record ? TL_E_ROOM : TL_OK, err);
        assert_int_equal(w.n, room < sizeof record ? 0 : room);
        assert_int_equal(e.request_tx.sequence, room < sizeof record ? 0 : 1);
        free(out);
    }
    close_ends(&e);
}

/* ---- failures ---- */

static void both_when_any_call_fails_then_its_error_and_no_number_twice(void **state)
{
    tl_nonces nonces;
    (void)state;
    tl_nonces_init(&nonces, crypto, TL_NONCES_FAIL);
    for (unsigned long n = 1;; n++) {
        uint8_t record[ROOM];
        tl_wr w = tl_wr_of(record, sizeof record);
        tl_faulty f;
        ends e;
        tl_err first;
        tl_nonces_free(&nonces);
        tl_nonces_init(&nonces, crypto, TL_NONCES_FAIL);
        tl_faulty_init(&f, tl_nonces_crypto(&nonces), 0);
        open_ends(&e, tl_faulty_crypto(&f));
        f.calls = 0, f.fail_at = n;
        first = tl_record_seal(&e.schedule, &e.request_tx, &mctp, SESSION, tl_span_of("abc", 3), &w);
        if (first != TL_OK) {
            assert_int_equal(w.n, 0);
            tl_assert_err(n < 3 ? TL_E_RANDOM : TL_E_BACKEND, first);
            f.fail_at = 0;
            tl_assert_ok(
                tl_record_seal(&e.schedule, &e.request_tx, &mctp, SESSION, tl_span_of("abc", 3), &w));
            e.request_rx.sequence = e.request_tx.sequence - 1;
            tl_assert_ok(open_copy(&e, &e.request_rx, &mctp, record, w.n));
        } else if (open_copy(&e, &e.request_rx, &mctp, record, w.n) != TL_OK) {
            assert_int_equal(e.request_rx.sequence, 0);
            tl_assert_ok(open_copy(&e, &e.request_rx, &mctp, record, w.n));
        }
        close_ends(&e);
        tl_faulty_assert_clean(&f);
        if (!f.failed) {
            assert_int_equal(n, 5); /* two draws, protect, verify */
            break;
        }
    }
    tl_nonces_free(&nonces);
}

static void drop_when_called_then_wiped_and_once_is_enough(void **state)
{
    tl_faulty f;
    ends e;
    (void)state;
    tl_faulty_init(&f, crypto, 0);
    open_ends(&e, tl_faulty_crypto(&f));
    close_ends(&e);
    tl_assert_all(&e.request_tx, 0, sizeof e.request_tx);
    close_ends(&e);
    tl_faulty_assert_clean(&f);
}

/* ---- what must work ---- */

static void both_when_any_binding_and_length_then_the_same_bytes(void **state)
{
    tl_rng r = tl_random_start(__func__);
    tl_nonces nonces;
    ends e;
    (void)state;
    tl_nonces_init(&nonces, crypto, TL_NONCES_FAIL);
    open_ends(&e, tl_nonces_crypto(&nonces));
    for (unsigned round = 0; round < 600; round++) {
        const tl_record_binding b = { round % 2 == 0 ? 0 : 2, (uint8_t)(round % (TL_RECORD_PAD_MAX + 1)) };
        uint8_t text[600], record[sizeof text + TL_RECORD_OVERHEAD];
        size_t n = tl_random_below(&r, sizeof text + 1);
        tl_wr w = tl_wr_of(record, sizeof record);
        tl_span back;
        tl_random_fill(&r, text, sizeof text);
        tl_assert_ok(tl_record_seal(&e.schedule, &e.request_tx, &b, SESSION, tl_span_of(text, n), &w));
        size_t least = 4u + b.sequence_size + 2 + 2 + n + TL_RECORD_TAG;
        assert_in_range(w.n, least + (b.pad_max != 0), least + b.pad_max);
        tl_assert_ok(
            tl_record_open(&e.schedule, &e.request_rx, &b, SESSION, (tl_buffer){ record, w.n }, &back));
        assert_int_equal(back.n, n);
        if (n != 0)
            assert_memory_equal(back.p, text, n);
    }
    close_ends(&e);
    tl_nonces_free(&nonces);
}

static void both_when_the_application_is_as_long_as_may_be_then_taken(void **state)
{
    static uint8_t text[TL_RECORD_APPLICATION_MAX], record[TL_RECORD_APPLICATION_MAX + TL_RECORD_OVERHEAD];
    tl_wr w = tl_wr_of(record, sizeof record);
    tl_span back;
    ends e;
    (void)state;
    open_ends(&e, crypto);
    memset(text, 0x5C, sizeof text);
    tl_assert_ok(
        tl_record_seal(&e.schedule, &e.request_tx, &mctp, SESSION, tl_span_of(text, sizeof text), &w));
    tl_assert_ok(
        tl_record_open(&e.schedule, &e.request_rx, &mctp, SESSION, (tl_buffer){ record, w.n }, &back));
    assert_int_equal(back.n, sizeof text);
    assert_memory_equal(back.p, text, sizeof text);
    close_ends(&e);
}

static void open_when_the_record_was_recorded_then_the_message_in_it(void **state)
{
    tl_vectors file;
    tl_vector v;
    size_t seen = 0;
    (void)state;
    tl_vectors_open(&file, TL_TEST_DATA, "spdm_records.txt");
    for (; tl_vectors_next(&file, &v); seen++) {
        uint8_t record[ROOM], expected[ROOM];
        size_t n = tl_vector_hex(&v, "record", record, sizeof record);
        size_t m = tl_vector_hex(&v, "application", expected, sizeof expected);
        bool long_hash = strcmp(tl_vector_text(&v, "hash"), "sha384") == 0;
        tl_schedule s = { .crypto = crypto, .hash = long_hash ? TL_HASH_SHA384 : TL_HASH_SHA256 };
        tl_secret secret = { { 0 } };
        tl_record_key key;
        tl_span application;
        s.aead = long_hash ? TL_SUITE_AES256_GMAC : TL_SUITE_AES128_GMAC;
        assert_string_equal(tl_vector_text(&v, "suite"), tl_suite_name(s.aead));
        (void)tl_vector_hex(&v, "version", &s.version, 1);
        (void)tl_vector_hex(&v, "secret", secret.bytes, sizeof secret.bytes);
        tl_assert_ok(tl_record_key_derive(&s, &secret, &key));
        tl_assert_ok(tl_record_open(&s, &key, &mctp, 0xFFFFFFFF, (tl_buffer){ record, n }, &application));
        assert_int_equal(application.n, m);
        assert_memory_equal(application.p, expected, m);
        tl_record_key_drop(&key, crypto);
    }
    tl_vectors_close(&file);
    assert_int_equal(seen, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_when_any_bit_is_changed_then_refused_and_the_number_stays),
        cmocka_unit_test(open_when_cut_or_lengthened_then_refused),
        cmocka_unit_test(open_when_replayed_then_refused),
        cmocka_unit_test(open_when_replayed_after_the_short_number_went_round_then_refused),
        cmocka_unit_test(open_when_reordered_then_refused_until_its_turn),
        cmocka_unit_test(open_when_ones_own_record_comes_back_then_refused),
        cmocka_unit_test(open_when_it_names_another_session_then_refused),
        cmocka_unit_test(open_when_the_binding_differs_then_refused),
        cmocka_unit_test(open_when_the_application_length_lies_then_refused),
        cmocka_unit_test(both_when_the_numbers_are_used_up_then_limit),
        cmocka_unit_test(both_when_no_key_is_held_or_the_binding_is_none_then_usage),
        cmocka_unit_test(seal_when_there_is_no_room_then_room_and_the_number_stays),
        cmocka_unit_test(both_when_any_call_fails_then_its_error_and_no_number_twice),
        cmocka_unit_test(drop_when_called_then_wiped_and_once_is_enough),
        cmocka_unit_test(both_when_any_binding_and_length_then_the_same_bytes),
        cmocka_unit_test(both_when_the_application_is_as_long_as_may_be_then_taken),
        cmocka_unit_test(open_when_the_record_was_recorded_then_the_message_in_it),
    };
    return cmocka_run_group_tests_name("record", tests, open_backend, close_backend);
}
