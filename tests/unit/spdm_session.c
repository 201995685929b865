/* Parts of sessions by themselves: the opaque data of KEY_EXCHANGE, ids, and the way of records in and out. */
#include "spdm/session.h"

#include "faulty.h"
#include "one_backend.h"
#include "testing.h"

#include <stdlib.h>
#include <string.h>

/* ---- opaque data ---- */

/* Hands the bytes over in memory of exactly their size. */
static tl_err pick(const char *hex, uint16_t *version)
{
    uint8_t bytes[256], *copy;
    size_t n = tl_hex(hex, bytes, sizeof bytes);
    tl_err e;
    copy = malloc(n > 0 ? n : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, n);
    e = tl__secured_version_pick(tl_span_of(copy, n), version);
    free(copy);
    return e;
}

static tl_err check(const char *hex)
{
    uint8_t bytes[256];
    return tl__secured_selection_check(tl_span_of(bytes, tl_hex(hex, bytes, sizeof bytes)));
}

static void versions_when_written_then_the_known_bytes_and_picked(void **state)
{
    static const char expected[] = "01 000000"          /* one element */
                                   "00 00 0700"         /* DMTF, 7 bytes */
                                   "01 01 02 0011 0012" /* supported: 1.1, 1.2 */
                                   "00";                /* to a multiple of 4 */
    uint8_t out[TL__SECURED_OPAQUE_MAX], bytes[32];
    tl_wr w = tl_wr_of(out, sizeof out);
    uint16_t version;
    (void)state;
    tl__secured_versions_write(&w);
    assert_false(w.bad);
    assert_int_equal(w.n, tl_hex(expected, bytes, sizeof bytes));
    assert_memory_equal(out, bytes, w.n);
    tl_assert_ok(pick(expected, &version));
    assert_int_equal(version, 0x1200);
}

static void versions_when_recorded_then_the_highest_that_we_speak(void **state)
{
    uint16_t version;
    (void)state;
    tl_assert_ok(pick("01000000 00000900 01 01 03 0010 0011 0012 000000", &version));
    assert_int_equal(version, 0x1200);
    tl_assert_ok(pick("01000000 00000900 01 01 03 0010 0011 0013 000000", &version));
    assert_int_equal(version, 0x1100);
    tl_assert_ok(pick("02000000 03 02 AABB 0100 77 00 00000700 01 01 02 0012 0011 00",
                      &version)); /* after another's */
    assert_int_equal(version, 0x1200);
}

static void versions_when_there_is_none_that_we_speak_then_policy(void **state)
{
    uint16_t version = 7;
    (void)state;
    tl_assert_err(TL_E_POLICY, pick("01000000 00000700 01 01 02 0010 0013 00", &version));
    assert_int_equal(version, 0);
    tl_assert_err(TL_E_POLICY, pick("01000000 00000300 01 01 00 00", &version)); /* an empty list */
}

static void versions_when_malformed_then_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "00000000",                                         /* no element */
        "01000000",                                         /* an element that is not there */
        "01000000 00000700 01 01 02 0011 0012",             /* not padded */
        "01000000 00000700 01 01 02 0011 0012 00 00",       /* goes on */
        "01000000 00000700 01 01 02 0011 0012 00 00000000", /* an element too many */
        "02000000 00000700 01 01 02 0011 0012 00",          /* one too few */
        "02000000 00000500 01 01 01 0011 000000 00000500 01 01 01 0012 000000", /* the same twice */
        "01000000 00000700 01 01 03 0011 0012 00",                              /* the count lies */
        "01000000 00000700 01 01 01 0011 0012 00",
        "01000000 00000600 01 01 02 0011 00 0000", /* half a version */
        "01000000 0000FFFF 01 01 02 0011 0012 00", /* the length lies */
        "01000000 00FF0700 01 01 02 0011 0012 00", /* a vendor's id that lies */
        "01000000 00000700 02 01 02 0011 0012 00", /* another element version */
        "01000000 00000400 01 00 0011",            /* a selection */
        "01000000 01000700 01 01 02 0011 0012 00", /* not DMTF's */
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint16_t version;
        if (pick(wrong[i], &version) == TL_OK)
            fail_msg("taken: %s", wrong[i]);
    }
}

static void selection_when_it_was_offered_then_ok_else_refused(void **state)
{
    uint8_t out[TL__SECURED_OPAQUE_MAX], bytes[32];
    tl_wr w = tl_wr_of(out, sizeof out);
    (void)state;
    tl__secured_selection_write(0x1100, &w);
    assert_int_equal(w.n, tl_hex("01000000 00000400 01 00 0011", bytes, sizeof bytes));
    assert_memory_equal(out, bytes, w.n);
    tl_assert_ok(check("01000000 00000400 01 00 0011"));
    tl_assert_ok(check("01000000 00000400 01 00 0012"));
    tl_assert_err(TL_E_POLICY, check("01000000 00000400 01 00 0010"));
    tl_assert_err(TL_E_POLICY, check("01000000 00000400 01 00 0013"));
    tl_assert_err(TL_E_POLICY, check("01000000 00000400 01 00 0000"));
    tl_assert_err(TL_E_WIRE_TRAILING, check("01000000 00000500 01 00 0011 00 000000"));
    tl_assert_err(TL_E_WIRE_SHORT, check("01000000 00000300 01 00 00 00"));
    tl_assert_err(TL_E_WIRE_VALUE, check("01000000 00000700 01 01 02 0011 0012 00"));
    tl_assert_err(TL_E_WIRE_SHORT, check(""));
}

/* ---- ids ---- */

typedef struct fixed {
    tl_wrap wrap;
    uint8_t bytes[2];
} fixed;

static tl_err fixed_random(void *ctx, uint8_t *out, size_t n)
{
    fixed *f = ctx;
    for (size_t i = 0; i < n; i++)
        out[i] = f->bytes[i % 2];
    return TL_OK;
}

static void half_when_the_draw_is_0_or_in_use_then_the_next_that_is_free(void **state)
{
    tl_spdm_session sessions[3] = { { .state = TL_SESSION_ESTABLISHED, .id = 0x0001FFFF },
                                    { .state = TL_SESSION_HANDSHAKE, .id = 0xFFFF0002 },
                                    { .state = TL_SESSION_NONE, .id = 0x00030003 } };
    fixed f = { .bytes = { 0, 0 } };
    tl_spdm_connection c = { .role = TL_SPDM_RESPONDER, .sessions = sessions, .sessions_n = 3 };
    uint16_t half;
    (void)state;
    tl_wrap_init(&f.wrap, crypto);
    f.wrap.ops.random = fixed_random;
    c.crypto = &f.wrap.crypto;
    tl_assert_ok(tl__session_half(&c, &half));
    assert_int_equal(half, 2); /* 0 is none, 1 is in use */
    f.bytes[0] = f.bytes[1] = 0xFF;
    tl_assert_ok(tl__session_half(&c, &half));
    assert_int_equal(half, 2); /* round the end */
    c.role = TL_SPDM_REQUESTER;
    tl_assert_ok(tl__session_half(&c, &half));
    assert_int_equal(half, 1);
    f.bytes[0] = 3, f.bytes[1] = 0;
    tl_assert_ok(tl__session_half(&c, &half));
    assert_int_equal(half, 3);
}

/* ---- records of sessions that are not there ---- */

static void open_when_no_session_or_too_short_then_refused_without_an_answer(void **state)
{
    tl_spdm_session sessions[2] = { { 0 } };
    tl_spdm_connection c = { .crypto = crypto, .sessions = sessions, .sessions_n = 2 };
    uint8_t record[40] = { 0 };
    tl_span message;
    (void)state;
    for (c.role = TL_SPDM_REQUESTER; c.role <= TL_SPDM_RESPONDER; c.role++) {
        bool responder = c.role == TL_SPDM_RESPONDER;
        tl_assert_err(responder ? TL_E_REPLY : TL_E_WIRE_SHORT,
                      tl__sessions.open(&c, 0, record, 3, &message));
        tl_assert_err(responder ? TL_E_REPLY : TL_E_WIRE_VALUE,
                      tl__sessions.open(&c, 0, record, 40, &message));
        assert_null(c.session);
    }
}

static void seal_when_there_is_no_session_then_state(void **state)
{
    tl_spdm_connection c = { .crypto = crypto, .role = TL_SPDM_REQUESTER };
    uint8_t out[64];
    tl_wr w = tl_wr_of(out, sizeof out);
    (void)state;
    tl_assert_err(TL_E_STATE, tl__sessions.seal(&c, tl_span_of(out, 4), &w));
    assert_int_equal(w.n, 0);
    tl_assert_ok(tl__sessions.sent(&c, 0));
}

static tl_err wrap_fails(tl_span message, tl_wr *out)
{
    (void)message;
    tl_put_zeros(out, 3);
    return TL_E_WIRE;
}

static void seal_when_the_wrap_fails_then_room_and_nothing_is_out(void **state)
{
    static const tl_spdm_binding binding = { .wrap_size = 3, .wrap = wrap_fails };
    tl_secret secret = { { 1 } };
    tl_spdm_session s = { .state = TL_SESSION_ESTABLISHED,
                          .schedule = { crypto, 0x12, TL_HASH_SHA256, TL_SUITE_AES128_GMAC } };
    tl_spdm_connection c = { .crypto = crypto,
                             .role = TL_SPDM_REQUESTER,
                             .binding = &binding,
                             .sessions = &s,
                             .sessions_n = 1,
                             .session = &s };
    uint8_t out[128];
    tl_wr w = tl_wr_of(out, sizeof out);
    (void)state;
    tl_assert_ok(tl_record_key_derive(&s.schedule, &secret, &s.request_key));
    tl_assert_err(TL_E_ROOM, tl__sessions.seal(&c, tl_span_of("abcd", 4), &w));
    assert_int_equal(w.n, 0);
    assert_int_equal(s.request_key.sequence, 0);
    tl__sessions.drop(&c);
    tl_assert_all(&s, 0, sizeof s);
    assert_null(c.session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_when_malformed_then_refused),
        cmocka_unit_test(versions_when_there_is_none_that_we_speak_then_policy),
        cmocka_unit_test(versions_when_recorded_then_the_highest_that_we_speak),
        cmocka_unit_test(versions_when_written_then_the_known_bytes_and_picked),
        cmocka_unit_test(selection_when_it_was_offered_then_ok_else_refused),
        cmocka_unit_test(half_when_the_draw_is_0_or_in_use_then_the_next_that_is_free),
        cmocka_unit_test(open_when_no_session_or_too_short_then_refused_without_an_answer),
        cmocka_unit_test(seal_when_there_is_no_session_then_state),
        cmocka_unit_test(seal_when_the_wrap_fails_then_room_and_nothing_is_out),
    };
    return cmocka_run_group_tests_name("spdm_session", tests, open_backend, close_backend);
}
