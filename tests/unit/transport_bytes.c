/* The transports' bytes: what SPDM over TCP and over MCTP add to a message, in clear, in a record and around one, and
 * what they refuse: every length one short and one long, every type and version that is not theirs. */
#include "testing.h"

#include <trueline/transport.h>

#include <stdio.h>
#include <string.h>

enum { ROOM = 70000 };

static uint8_t bytes[ROOM], body_bytes[ROOM];

static void assert_bytes(const char *expected, tl_span got)
{
    uint8_t want[64];
    size_t n = tl_hex(expected, want, sizeof want);

    assert_int_equal(got.n, n);
    assert_memory_equal(got.p, want, n);
}

static tl_span hex(const char *text)
{
    return tl_span_of(body_bytes, tl_hex(text, body_bytes, sizeof body_bytes));
}

/* Decodes a copy that is exactly as long as it says, so that a sanitizer sees a byte read beyond it. */
static tl_err decode(const tl_transport *t, const char *text, tl_carried *m)
{
    uint8_t all[64];
    size_t n = tl_hex(text, all, sizeof all);

    memcpy(bytes + ROOM - n, all, n);
    return t->decode(bytes + ROOM - n, n, m);
}

static void assert_refused(const tl_transport *t, tl_err e, const char *text)
{
    tl_carried m = { TL_CARRIED_SECURED, bytes, 7 };

    tl_assert_err(e, decode(t, text, &m));
    assert_null(m.p);
    assert_int_equal(m.n, 0);
}

static void assert_carries(const tl_transport *t, tl_carried_kind kind, const char *body, const char *whole)
{
    tl_wr w = tl_wr_of(bytes, ROOM);
    tl_carried m;

    tl_assert_ok(t->encode(kind, hex(body), &w));
    assert_bytes(whole, tl_written(&w));
    tl_assert_ok(decode(t, whole, &m));
    assert_int_equal(m.kind, kind);
    assert_bytes(body, tl_span_of(m.p, m.n));
}

/* ---- TCP ---- */

static void tcp_when_a_message_is_carried_then_the_header_counts_itself(void **s)
{
    (void)s;
    assert_carries(&tl_transport_tcp, TL_CARRIED_CLEAR, "10 84 00 00", "06 00 01 05 10 84 00 00");
    assert_carries(&tl_transport_tcp, TL_CARRIED_SECURED, "ff ff ff ff 00", "07 00 01 06 ff ff ff ff 00");
}

static void tcp_when_there_is_no_body_then_the_length_is_zero(void **s)
{
    (void)s;
    assert_carries(&tl_transport_tcp, TL_CARRIED_ROLE_INQUIRY, "", "00 00 01 bf");
    assert_carries(&tl_transport_tcp, TL_CARRIED_TOO_LARGE, "", "00 00 01 c0");
    assert_carries(&tl_transport_tcp, TL_CARRIED_NOT_SUPPORTED, "", "00 00 01 c1");
    assert_carries(&tl_transport_tcp, TL_CARRIED_NO_REQUESTER, "", "00 00 01 c2");
    assert_carries(&tl_transport_tcp, TL_CARRIED_NO_RESPONDER, "", "00 00 01 c3");
}

static void tcp_when_the_body_is_the_longest_then_carried_and_one_more_is_refused(void **s)
{
    tl_wr w = tl_wr_of(bytes, ROOM);
    tl_carried m;

    (void)s;
    memset(body_bytes, 0xA5, sizeof body_bytes);
    tl_assert_err(TL_E_USAGE,
                  tl_tcp_encode(TL_CARRIED_SECURED, tl_span_of(body_bytes, TL_TCP_BODY_MAX + 1), &w));
    assert_int_equal(w.n, 0);
    tl_assert_ok(tl_tcp_encode(TL_CARRIED_SECURED, tl_span_of(body_bytes, TL_TCP_BODY_MAX), &w));
    assert_bytes("ff ff 01 06", tl_span_of(bytes, TL_TCP_HEAD));
    tl_assert_ok(tl_tcp_decode(bytes, w.n, &m));
    assert_int_equal(m.n, TL_TCP_BODY_MAX);
    tl_assert_err(TL_E_WIRE_TRAILING, tl_tcp_decode(bytes, w.n + 1, &m));
}

static void tcp_when_a_length_is_one_off_then_refused(void **s)
{
    const tl_transport *t = &tl_transport_tcp;

    (void)s;
    assert_refused(t, TL_E_WIRE_SHORT, "");
    assert_refused(t, TL_E_WIRE_SHORT, "06 00 01");
    assert_refused(t, TL_E_WIRE_SHORT, "06 00 01 05");
    assert_refused(t, TL_E_WIRE_SHORT, "06 00 01 05 10 84 00");
    assert_refused(t, TL_E_WIRE_TRAILING, "06 00 01 05 10 84 00 00 00");
    assert_refused(t, TL_E_WIRE_TRAILING, "00 00 01 bf 00");
}

static void tcp_when_a_field_is_wrong_then_refused(void **s)
{
    const tl_transport *t = &tl_transport_tcp;

    (void)s;
    assert_refused(t, TL_E_WIRE_VALUE, "06 00 00 05 10 84 00 00"); /* binding version */
    assert_refused(t, TL_E_WIRE_VALUE, "06 00 02 05 10 84 00 00");
    assert_refused(t, TL_E_WIRE_VALUE, "06 00 01 04 10 84 00 00"); /* type */
    assert_refused(t, TL_E_WIRE_VALUE, "06 00 01 07 10 84 00 00");
    assert_refused(t, TL_E_WIRE_VALUE, "00 00 01 be");
    assert_refused(t, TL_E_WIRE_VALUE, "00 00 01 c4");
    assert_refused(t, TL_E_WIRE_VALUE, "00 00 01 05"); /* a length that the type does not have */
    assert_refused(t, TL_E_WIRE_VALUE, "01 00 01 05");
    assert_refused(t, TL_E_WIRE_VALUE, "02 00 01 05");
    assert_refused(t, TL_E_WIRE_VALUE, "02 00 01 06");
    assert_refused(t, TL_E_WIRE_VALUE, "02 00 01 bf");
    assert_refused(t, TL_E_WIRE_VALUE, "03 00 01 c0 00");
}

static void tcp_when_encode_is_misused_then_nothing_is_written(void **s)
{
    tl_wr w = tl_wr_of(bytes, ROOM);
    tl_span body = hex("10 84 00 00");

    (void)s;
    tl_assert_err(TL_E_USAGE, tl_tcp_encode(TL_CARRIED_CLEAR, (tl_span){ NULL, 0 }, &w));
    tl_assert_err(TL_E_USAGE, tl_tcp_encode(TL_CARRIED_ROLE_INQUIRY, body, &w));
    tl_assert_err(TL_E_USAGE, tl_tcp_encode((tl_carried_kind)4, body, &w));
    tl_assert_err(TL_E_USAGE, tl_tcp_encode((tl_carried_kind)0x105, body, &w));
    assert_int_equal(w.n, 0);
    assert_false(w.bad);
}

static void encode_when_the_room_is_one_short_then_nothing_is_written(void **s)
{
    const tl_transport *all[] = { &tl_transport_tcp, &tl_transport_mctp };

    (void)s;
    for (size_t i = 0; i < 2; i++) {
        for (size_t room = 0; room < all[i]->head + 4; room++) {
            tl_wr w = tl_wr_of(bytes, room);

            tl_assert_err(TL_E_ROOM, all[i]->encode(TL_CARRIED_CLEAR, hex("10 84 00 00"), &w));
            assert_int_equal(w.n, 0);
        }
    }
}

/* ---- how much more ---- */

static void more_when_a_stream_comes_byte_by_byte_then_says_what_is_missing(void **s)
{
    tl_span whole = hex("06 00 01 05 10 84 00 00");
    static const size_t expected[] = { 4, 3, 2, 1, 4, 3, 2, 1, 0 };
    size_t more;

    (void)s;
    for (size_t n = 0; n <= whole.n; n++) {
        tl_assert_ok(tl_tcp_more(tl_span_of(whole.p, n), &more));
        assert_int_equal(more, expected[n]);
    }
    tl_assert_ok(tl_tcp_more(hex("00 00 01 bf"), &more));
    assert_int_equal(more, 0);
    tl_assert_ok(tl_tcp_more(hex("ff ff 01 06"), &more));
    assert_int_equal(more, TL_TCP_BODY_MAX);
}

static void more_when_the_header_is_wrong_then_refused_before_the_body(void **s)
{
    size_t more = 9;

    (void)s;
    tl_assert_err(TL_E_WIRE_VALUE, tl_tcp_more(hex("06 00 02 05"), &more));
    assert_int_equal(more, 0);
    tl_assert_err(TL_E_WIRE_VALUE, tl_tcp_more(hex("06 00 01 00"), &more));
    tl_assert_err(TL_E_WIRE_VALUE, tl_tcp_more(hex("02 00 01 05"), &more));
    tl_assert_err(TL_E_WIRE_VALUE, tl_tcp_more(hex("01 00 01 c1"), &more));
    tl_assert_err(TL_E_WIRE_TRAILING, tl_tcp_more(hex("00 00 01 bf 06"), &more));
    tl_assert_err(TL_E_WIRE_TRAILING, tl_tcp_more(hex("03 00 01 05 10 06"), &more));
    assert_int_equal(more, 0);
}

/* ---- MCTP ---- */

static void mctp_when_a_message_is_carried_then_one_byte_is_its_type(void **s)
{
    (void)s;
    assert_carries(&tl_transport_mctp, TL_CARRIED_CLEAR, "10 84 00 00", "05 10 84 00 00");
    assert_carries(&tl_transport_mctp, TL_CARRIED_SECURED, "ff ff ff ff 00", "06 ff ff ff ff 00");
}

static void mctp_when_the_type_is_another_then_refused(void **s)
{
    char text[16];

    (void)s;
    for (unsigned type = 0; type < 256; type++) {
        if (type == 5 || type == 6)
            continue;
        assert_int_equal(snprintf(text, sizeof text, "%02x108400", type), 8);
        assert_refused(&tl_transport_mctp, TL_E_WIRE_VALUE, text); /* 0x85: with an integrity check */
    }
}

static void mctp_when_there_is_no_body_then_refused(void **s)
{
    tl_wr w = tl_wr_of(bytes, ROOM);

    (void)s;
    assert_refused(&tl_transport_mctp, TL_E_WIRE_SHORT, "");
    assert_refused(&tl_transport_mctp, TL_E_WIRE_SHORT, "05");
    assert_refused(&tl_transport_mctp, TL_E_WIRE_SHORT, "06");
    tl_assert_err(TL_E_USAGE, tl_mctp_encode(TL_CARRIED_CLEAR, (tl_span){ NULL, 0 }, &w));
    tl_assert_err(TL_E_USAGE, tl_mctp_encode(TL_CARRIED_ROLE_INQUIRY, (tl_span){ NULL, 0 }, &w));
    tl_assert_err(TL_E_USAGE, tl_mctp_encode(TL_CARRIED_TOO_LARGE, hex("00"), &w));
    assert_int_equal(w.n, 0);
}

/* ---- around a message inside of a record ---- */

static void assert_wraps(const tl_spdm_binding *b, const char *message, const char *application)
{
    tl_wr w = tl_wr_of(bytes, ROOM);
    tl_span got, m = hex(message);

    tl_assert_ok(b->wrap(m, &w));
    assert_bytes(application, tl_written(&w));
    assert_int_equal(w.n - m.n, b->wrap_size);
    tl_assert_ok(b->unwrap(tl_written(&w), &got));
    assert_bytes(message, got);
}

static void assert_not_unwrapped(const tl_spdm_binding *b, tl_err e, const char *application)
{
    tl_span got = { bytes, 3 };

    tl_assert_err(e, b->unwrap(hex(application), &got));
    assert_null(got.p);
    assert_int_equal(got.n, 0);
}

static void binding_when_a_message_is_wrapped_then_as_its_transport_says(void **s)
{
    (void)s;
    assert_wraps(&tl_transport_tcp.binding, "12 e8 00 00", "06 00 01 05 12 e8 00 00");
    assert_wraps(&tl_transport_mctp.binding, "12 e8 00 00", "05 12 e8 00 00");
}

static void binding_when_the_inside_is_no_message_then_refused(void **s)
{
    const tl_spdm_binding *tcp = &tl_transport_tcp.binding, *mctp = &tl_transport_mctp.binding;

    (void)s;
    assert_not_unwrapped(tcp, TL_E_WIRE_VALUE, "06 00 01 06 12 e8 00 00"); /* a record in a record */
    assert_not_unwrapped(tcp, TL_E_WIRE_VALUE, "00 00 01 bf");
    assert_not_unwrapped(tcp, TL_E_WIRE_SHORT, "06 00 01 05 12 e8 00");
    assert_not_unwrapped(tcp, TL_E_WIRE_TRAILING, "06 00 01 05 12 e8 00 00 00");
    assert_not_unwrapped(tcp, TL_E_WIRE_SHORT, "06 00");
    assert_not_unwrapped(mctp, TL_E_WIRE_VALUE, "06 12 e8 00 00");
    assert_not_unwrapped(mctp, TL_E_WIRE_VALUE, "01 12 e8 00 00"); /* another protocol */
    assert_not_unwrapped(mctp, TL_E_WIRE_SHORT, "05");
    assert_not_unwrapped(mctp, TL_E_WIRE_SHORT, "");
}

static void binding_when_asked_for_records_then_the_two_differ(void **s)
{
    (void)s;
    assert_int_equal(tl_transport_tcp.binding.record.sequence_size, 0);
    assert_int_equal(tl_transport_tcp.binding.record.pad_max, 0);
    assert_int_equal(tl_transport_mctp.binding.record.sequence_size, 2);
    assert_int_equal(tl_transport_mctp.binding.record.pad_max, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_when_a_message_is_carried_then_the_header_counts_itself),
        cmocka_unit_test(tcp_when_there_is_no_body_then_the_length_is_zero),
        cmocka_unit_test(tcp_when_the_body_is_the_longest_then_carried_and_one_more_is_refused),
        cmocka_unit_test(tcp_when_a_length_is_one_off_then_refused),
        cmocka_unit_test(tcp_when_a_field_is_wrong_then_refused),
        cmocka_unit_test(tcp_when_encode_is_misused_then_nothing_is_written),
        cmocka_unit_test(encode_when_the_room_is_one_short_then_nothing_is_written),
        cmocka_unit_test(more_when_a_stream_comes_byte_by_byte_then_says_what_is_missing),
        cmocka_unit_test(more_when_the_header_is_wrong_then_refused_before_the_body),
        cmocka_unit_test(mctp_when_a_message_is_carried_then_one_byte_is_its_type),
        cmocka_unit_test(mctp_when_the_type_is_another_then_refused),
        cmocka_unit_test(mctp_when_there_is_no_body_then_refused),
        cmocka_unit_test(binding_when_a_message_is_wrapped_then_as_its_transport_says),
        cmocka_unit_test(binding_when_the_inside_is_no_message_then_refused),
        cmocka_unit_test(binding_when_asked_for_records_then_the_two_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
