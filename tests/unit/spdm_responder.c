/* The responder alone, spoken to in bytes: every request in every state, and each request with each thing wrong that a
 * requester of ours would not do. */
#include "spdm/spdm.h"
#include "spdm_pair.h"

#include <string.h>

static tl_spdm_pair p;
static uint8_t answer[TL_PAIR_OUT];
static size_t answer_n;

enum { V = TL_SPDM_13 };

static void ask(const void *bytes, size_t n)
{
    answer_n = tl_spdm_pair_ask(&p, bytes, n, answer, sizeof answer);
}

#define ASK(...) ask((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void assert_answer(uint8_t code)
{
    if (answer_n < 4 || answer[1] != code)
        fail_msg("not %02x but %02x %02x", code, answer_n > 1 ? answer[1] : 0, answer_n > 2 ? answer[2] : 0);
}

static void assert_error(uint8_t code)
{
    assert_answer(TL_SPDM_ERROR);
    if (answer[2] != code)
        fail_msg("ERROR %02x, not %02x", answer[2], code);
    assert_int_equal(answer_n, 4);
}

/* ---- right requests ---- */

static const uint8_t get_version[] = { 0x10, 0x84, 0, 0 };
static const uint8_t get_capabilities[] = { V,    0xE1, 0, 0,    0, 0, 0, 0,    0xC0, 0x62,
                                            0x00, 0x00, 0, 0x12, 0, 0, 0, 0x12, 0,    0 };
static const uint8_t negotiate[] = { V, 0xE3, 3, 0,    44,   0, 1, 2,    0x90, 0, 0, 0,    3, 0, 0,
                                     0, 0,    0, 0,    0,    0, 0, 0,    0,    0, 0, 0,    0, 0, 0,
                                     0, 0,    2, 0x20, 0x18, 0, 3, 0x20, 3,    0, 5, 0x20, 1, 0 };
static const uint8_t get_digests[] = { V, 0x81, 0, 0 };
static const uint8_t get_certificate[] = { V, 0x82, 0, 0, 0, 0, 0xFF, 0xFF };
static const uint8_t challenge[4 + 32 + 8] = { V, 0x83, 0, 0xFF };
static const uint8_t measure[4 + 8] = { V, 0xE0, 0, 0xFF };
static const uint8_t measure_signed[4 + 32 + 1 + 8] = { V, 0xE0, 1, 0xFF };
static const uint8_t respond_if_ready[] = { V, 0xFF, 0x83, 0 };
static const uint8_t heartbeat[] = { V, 0xE8, 0, 0 };
static const uint8_t key_update[] = { V, 0xE9, 1, 1 };
static const uint8_t end_session[] = { V, 0xEC, 0, 0 };
static const uint8_t finish[4 + 48] = { V, 0xE5, 0, 0 };
static const uint8_t key_exchange[] = { V, 0xE4, 0, 0, 1, 0, 0, 0 };
static const uint8_t vendor[] = { V, 0xFE, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t unknown[] = { V, 0xEE, 0, 0 };
static const uint8_t a_response[] = { V, 0x01, 0, 0 };

static void open_pair(void)
{
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P384);
    tl_spdm_pair_begin(&p);
}

static void close_pair(void)
{
    tl_spdm_pair_close(&p);
}

static void go_to(tl_spdm_state state)
{
    static const struct {
        const uint8_t *bytes;
        size_t n;
        uint8_t code;
    } way[] = { { get_version, sizeof get_version, TL_SPDM_VERSION },
                { get_capabilities, sizeof get_capabilities, TL_SPDM_CAPABILITIES },
                { negotiate, sizeof negotiate, TL_SPDM_ALGORITHMS } };

    tl_responder_wipe(&p.rs);
    p.rs_config.crypto = p.rs_end.crypto;
    tl_assert_ok(tl_responder_init(&p.rs, &p.rs_config));
    for (unsigned i = 0; i < (unsigned)state; i++) {
        ask(way[i].bytes, way[i].n);
        assert_answer(way[i].code);
    }
    assert_int_equal(p.rs.c.state, state);
}

/* ---- states ---- */

enum { OK = 0, UNEXPECTED = TL_SPDM_UNEXPECTED_REQUEST, UNSUPPORTED = TL_SPDM_UNSUPPORTED_REQUEST };
enum { SESSION = TL_SPDM_SESSION_REQUIRED, INVALID = TL_SPDM_INVALID_REQUEST };

/* What each request meets in START, AFTER_VERSION, AFTER_CAPABILITIES, NEGOTIATED; a repeated request is answered again. */
#define ROW(m) m, sizeof m
static const struct {
    const uint8_t *bytes;
    size_t n;
    uint8_t meets[4];
} moves[] = {
    { ROW(get_version), { OK, OK, OK, OK } },
    { ROW(get_capabilities), { UNEXPECTED, OK, OK, UNEXPECTED } },
    { ROW(negotiate), { UNEXPECTED, UNEXPECTED, OK, OK } },
    { ROW(get_digests), { UNEXPECTED, UNEXPECTED, UNEXPECTED, OK } },
    { ROW(get_certificate), { UNEXPECTED, UNEXPECTED, UNEXPECTED, OK } },
    { ROW(challenge), { UNEXPECTED, UNEXPECTED, UNEXPECTED, OK } },
    { ROW(measure), { UNEXPECTED, UNEXPECTED, UNEXPECTED, OK } },
    { ROW(measure_signed), { UNEXPECTED, UNEXPECTED, UNEXPECTED, OK } },
    { ROW(respond_if_ready), { UNEXPECTED, UNEXPECTED, UNEXPECTED, UNEXPECTED } },
    { ROW(key_exchange), { UNEXPECTED, UNEXPECTED, UNEXPECTED, INVALID } },
    { ROW(finish), { UNEXPECTED, UNEXPECTED, UNEXPECTED, SESSION } },
    { ROW(heartbeat), { UNEXPECTED, UNEXPECTED, UNEXPECTED, SESSION } },
    { ROW(key_update), { UNEXPECTED, UNEXPECTED, UNEXPECTED, SESSION } },
    { ROW(end_session), { UNEXPECTED, UNEXPECTED, UNEXPECTED, SESSION } },
    { ROW(vendor), { UNEXPECTED, UNEXPECTED, UNEXPECTED, UNSUPPORTED } },
    { ROW(unknown), { UNSUPPORTED, UNSUPPORTED, UNSUPPORTED, UNSUPPORTED } },
    { ROW(a_response), { UNSUPPORTED, UNSUPPORTED, UNSUPPORTED, UNSUPPORTED } },
};

static void request_in_every_state_then_answered_only_where_allowed(void **s)
{
    (void)s;
    open_pair();
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
        for (unsigned state = 0; state < 4; state++) {
            go_to((tl_spdm_state)state);
            ask(moves[i].bytes, moves[i].n);
            if (moves[i].meets[state] != OK)
                assert_error(moves[i].meets[state]);
            else
                assert_answer(moves[i].bytes[1] & 0x7F);
            if (moves[i].meets[state] == UNSUPPORTED)
                assert_int_equal(answer[3], moves[i].bytes[1]);
        }
    }
    close_pair();
}

/* The same inside a session: during its handshake, and once it is established. */
static const struct {
    uint8_t code;
    tl_err handshake, established;
} places[] = {
    { TL_SPDM_GET_VERSION, TL_E_REPLY_UNEXPECTED_REQUEST, TL_E_REPLY_UNEXPECTED_REQUEST },
    { TL_SPDM_GET_CAPABILITIES, TL_E_REPLY_UNEXPECTED_REQUEST, TL_E_REPLY_UNEXPECTED_REQUEST },
    { TL_SPDM_NEGOTIATE_ALGORITHMS, TL_E_REPLY_UNEXPECTED_REQUEST, TL_E_REPLY_UNEXPECTED_REQUEST },
    { TL_SPDM_GET_DIGESTS, TL_E_REPLY_UNEXPECTED_REQUEST, TL_OK },
    { TL_SPDM_GET_CERTIFICATE, TL_E_REPLY_UNEXPECTED_REQUEST, TL_OK },
    { TL_SPDM_CHALLENGE, TL_E_REPLY_UNEXPECTED_REQUEST, TL_E_REPLY_UNEXPECTED_REQUEST },
    { TL_SPDM_GET_MEASUREMENTS, TL_E_REPLY_UNEXPECTED_REQUEST, TL_OK },
    { TL_SPDM_KEY_EXCHANGE, TL_E_REPLY_UNEXPECTED_REQUEST, TL_E_REPLY_UNEXPECTED_REQUEST },
    { TL_SPDM_FINISH, TL_OK, TL_E_REPLY_UNEXPECTED_REQUEST },
    { TL_SPDM_HEARTBEAT, TL_E_REPLY_UNEXPECTED_REQUEST, TL_OK },
    { TL_SPDM_KEY_UPDATE, TL_E_REPLY_UNEXPECTED_REQUEST, TL_OK },
    { TL_SPDM_END_SESSION, TL_E_REPLY_UNEXPECTED_REQUEST, TL_OK },
    { TL_SPDM_VENDOR_DEFINED_REQUEST, TL_E_REPLY_UNEXPECTED_REQUEST, TL_OK },
    { TL_SPDM_RESPOND_IF_READY, TL_OK, TL_OK },
    { 0xEE, TL_E_REPLY_UNSUPPORTED_REQUEST, TL_E_REPLY_UNSUPPORTED_REQUEST },
};

static void request_inside_a_session_then_allowed_only_where_it_belongs(void **s)
{
    static tl_spdm_session session;
    const tl__rule *rule;

    (void)s;
    open_pair();
    go_to(TL_SPDM_NEGOTIATED);
    p.rs.c.session = &session;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const tl__message m = { .version = places[i].code == TL_SPDM_GET_VERSION ? 0x10 : V,
                                .code = places[i].code,
                                .secured = true };

        session.state = TL_SESSION_HANDSHAKE;
        tl_assert_err(places[i].handshake, tl__rule_find(&p.rs, &m, &rule));
        assert_int_equal(rule != NULL, places[i].handshake == TL_OK);
        session.state = TL_SESSION_ESTABLISHED;
        tl_assert_err(places[i].established, tl__rule_find(&p.rs, &m, &rule));
    }
    p.rs.c.session = NULL;
    close_pair();
}

/* All codes that there are: those without a rule are unsupported in each state. */
static void request_of_any_other_code_then_unsupported(void **s)
{
    (void)s;
    open_pair();
    for (unsigned state = 0; state < 4; state++) {
        go_to((tl_spdm_state)state);
        for (unsigned code = 0; code < 256; code++) {
            const uint8_t request[] = { V, (uint8_t)code, 0, 0 };
            bool known = false;

            for (size_t i = 0; i < 15; i++)
                known = known || moves[i].bytes[1] == code;
            if (known)
                continue;
            ask(request, sizeof request);
            assert_error(UNSUPPORTED);
            assert_int_equal(answer[3], code);
        }
    }
    close_pair();
}

static void request_when_its_family_is_not_served_then_unsupported(void **s)
{
    static const tl_spdm_family *const few[] = { &tl_serve_connection, &tl_serve_certificates,
                                                 &tl_serve_measurements, NULL };

    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P384);
    p.rs_config.families = few;
    tl_spdm_pair_begin(&p);
    assert_int_equal(p.rs.c.flags, TL_CAP_CERT | TL_CAP_MEAS_SIG | TL_CAP_MEAS_FRESH);
    go_to(TL_SPDM_NEGOTIATED);
    ask(challenge, sizeof challenge);
    assert_error(UNSUPPORTED);
    ask(key_exchange, sizeof key_exchange);
    assert_error(UNSUPPORTED);
    ask(measure_signed, sizeof measure_signed);
    assert_answer(TL_SPDM_MEASUREMENTS);
    close_pair();
}

/* ---- versions ---- */

static void request_in_another_version_then_mismatch(void **s)
{
    static const uint8_t others[] = { 0x00, 0x10, 0x11, 0x12, 0x14, 0x20, 0xFF };

    (void)s;
    open_pair();
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
        for (size_t v = 0; v < sizeof others; v++) {
            uint8_t bytes[64];

            if (moves[i].meets[3] == UNSUPPORTED || moves[i].bytes[1] == TL_SPDM_GET_CAPABILITIES)
                continue;
            if (moves[i].bytes[1] == TL_SPDM_GET_VERSION && others[v] == 0x10)
                continue;
            go_to(TL_SPDM_NEGOTIATED);
            memcpy(bytes, moves[i].bytes, moves[i].n);
            bytes[0] = others[v];
            ask(bytes, moves[i].n);
            assert_error(TL_SPDM_VERSION_MISMATCH);
            assert_int_equal(p.rs.c.state, TL_SPDM_NEGOTIATED);
        }
    }
    close_pair();
}

static void capabilities_in_a_version_outside_of_the_policy_then_mismatch(void **s)
{
    static const uint8_t others[] = { 0x00, 0x10, 0x11, 0x14, 0x23, 0xFF };
    uint8_t bytes[sizeof get_capabilities];

    (void)s;
    open_pair();
    memcpy(bytes, get_capabilities, sizeof bytes);
    for (size_t v = 0; v < sizeof others; v++) {
        go_to(TL_SPDM_AFTER_VERSION);
        bytes[0] = others[v];
        ask(bytes, sizeof bytes);
        assert_error(TL_SPDM_VERSION_MISMATCH);
        assert_int_equal(p.rs.c.state, TL_SPDM_AFTER_VERSION);
    }
    close_pair();
}

static void version_with_everything_allowed_then_all_are_told(void **s)
{
    (void)s;
    open_pair();
    go_to(TL_SPDM_START);
    ask(get_version, sizeof get_version);
    assert_int_equal(answer_n, 10);
    assert_memory_equal(answer, ((const uint8_t[]){ 0x10, 0x04, 0, 0, 0, 2, 0x00, 0x12, 0x00, 0x13 }), 10);
    close_pair();
}

/* ---- lengths ---- */

static void request_shorter_or_longer_than_its_layout_then_invalid(void **s)
{
    uint8_t bytes[80];

    (void)s;
    open_pair();
    for (size_t i = 0; i < 8; i++) {
        for (int change = -1; change <= 1; change += 2) {
            size_t n = moves[i].n + (size_t)change;
            unsigned state = 0;

            while (moves[i].meets[state] != OK)
                state++;
            go_to((tl_spdm_state)state);
            memset(bytes, 0, sizeof bytes);
            memcpy(bytes, moves[i].bytes, moves[i].n);
            ask(bytes, n);
            assert_error(INVALID);
            assert_int_equal(p.rs.c.state, state);
        }
    }
    for (size_t n = 1; n < 4; n++) {
        go_to(TL_SPDM_NEGOTIATED);
        ask(get_digests, n);
        assert_error(INVALID);
    }
    close_pair();
}

static void request_larger_than_a_transfer_then_too_large(void **s)
{
    static uint8_t bytes[TL_PAIR_MESSAGE + 1] = { V, 0xFE };

    (void)s;
    open_pair();
    go_to(TL_SPDM_NEGOTIATED);
    ask(bytes, sizeof bytes);
    assert_error(TL_SPDM_REQUEST_TOO_LARGE);
    close_pair();
}

/* ---- fields ---- */

/* A right request with some bytes changed, and what it meets; reserved ones change nothing. */
static const struct {
    const uint8_t *bytes;
    size_t n;
    tl_spdm_state state;
    struct {
        uint8_t at, value;
    } change[3];
    uint8_t meets;
} fields[] = {
    { ROW(get_version), TL_SPDM_START, { { 2, 0xFF }, { 3, 0xFF } }, OK },
    /* CAPABILITIES: reserved byte, exponent, sizes, flags */
    { ROW(get_capabilities), TL_SPDM_AFTER_VERSION, { { 4, 0xFF } }, OK },
    { ROW(get_capabilities), TL_SPDM_AFTER_VERSION, { { 5, 23 } }, OK },
    { ROW(get_capabilities), TL_SPDM_AFTER_VERSION, { { 5, 24 } }, INVALID },
    { ROW(get_capabilities), TL_SPDM_AFTER_VERSION, { { 5, 255 } }, INVALID },
    { ROW(get_capabilities), TL_SPDM_AFTER_VERSION, { { 2, 1 } }, INVALID },
    { ROW(get_capabilities), TL_SPDM_AFTER_VERSION, { { 12, 41 }, { 13, 0 }, { 17, 0 } }, INVALID },
    { ROW(get_capabilities), TL_SPDM_AFTER_VERSION, { { 16, 1 } }, INVALID },
    { ROW(get_capabilities), TL_SPDM_AFTER_VERSION, { { 17, 0x11 } }, INVALID },
    { ROW(get_capabilities), TL_SPDM_AFTER_VERSION, { { 8, 0x00 } }, INVALID },
    { ROW(get_capabilities), TL_SPDM_AFTER_VERSION, { { 9, 0x60 } }, INVALID },
    { ROW(get_capabilities), TL_SPDM_AFTER_VERSION, { { 10, 0x01 }, { 8, 0xC2 } }, INVALID },
    /* ALGORITHMS: length, tables out of order, twice, of another width, counts, nothing in common */
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 4, 43 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 4, 45 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 2, 2 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 2, 4 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 32, 3 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 36, 2 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 32, 1 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 40, 6 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 33, 0x10 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 33, 0x30 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 33, 0x21 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 28, 1 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 29, 1 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 12, 4 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 8, 0x10 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 34, 0x20 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 38, 0x04 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 42, 0x02 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 7, 1 } }, INVALID },
    { ROW(negotiate), TL_SPDM_AFTER_CAPABILITIES, { { 20, 0xFF }, { 30, 0xFF } }, OK },
    /* slots: high bits are reserved in a certificate's, not in a challenge's */
    { ROW(get_certificate), TL_SPDM_NEGOTIATED, { { 2, 1 } }, INVALID },
    { ROW(get_certificate), TL_SPDM_NEGOTIATED, { { 2, 8 } }, INVALID },
    { ROW(get_certificate), TL_SPDM_NEGOTIATED, { { 2, 0xF0 } }, OK },
    { ROW(get_certificate), TL_SPDM_NEGOTIATED, { { 5, 0xFF } }, INVALID },
    { ROW(get_certificate), TL_SPDM_NEGOTIATED, { { 6, 0 }, { 7, 0 } }, INVALID },
    { ROW(challenge), TL_SPDM_NEGOTIATED, { { 2, 1 } }, INVALID },
    { ROW(challenge), TL_SPDM_NEGOTIATED, { { 2, 0xFF } }, INVALID },
    { ROW(challenge), TL_SPDM_NEGOTIATED, { { 3, 2 } }, INVALID },
    { ROW(challenge), TL_SPDM_NEGOTIATED, { { 3, 0 } }, OK },
    { ROW(measure_signed), TL_SPDM_NEGOTIATED, { { 36, 1 } }, INVALID },
    { ROW(measure_signed), TL_SPDM_NEGOTIATED, { { 36, 0x0F } }, INVALID },
    { ROW(measure_signed), TL_SPDM_NEGOTIATED, { { 3, 2 } }, INVALID },
    { ROW(measure), TL_SPDM_NEGOTIATED, { { 3, 0xFC } }, INVALID },
    { ROW(measure), TL_SPDM_NEGOTIATED, { { 3, 0 } }, OK },
    { ROW(measure), TL_SPDM_NEGOTIATED, { { 3, 0xFD } }, OK },
};

static void request_with_each_field_changed_then_answered_or_invalid(void **s)
{
    (void)s;
    open_pair();
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        uint8_t bytes[64];

        go_to(fields[i].state);
        memcpy(bytes, fields[i].bytes, fields[i].n);
        for (size_t k = 0; k < 3 && fields[i].change[k].at != 0; k++)
            bytes[fields[i].change[k].at] = fields[i].change[k].value;
        ask(bytes, fields[i].n);
        if (answer[1] == TL_SPDM_ERROR ? answer[2] != fields[i].meets : fields[i].meets != OK)
            fail_msg("row %zu: byte %u as %u gives %02x %02x", i, fields[i].change[0].at,
                     fields[i].change[0].value, answer[1], answer[2]);
        if (fields[i].meets != OK)
            assert_int_equal(p.rs.c.state, fields[i].state);
    }
    close_pair();
}

static void negotiate_when_asked_for_nothing_that_needs_it_then_selects_nothing(void **s)
{
    /* no flags of sessions; a table for the requester's signatures all the same */
    uint8_t capabilities[sizeof get_capabilities];
    static const uint8_t with_table[] = { V, 0xE3, 2, 0, 40, 0,    1,    2, 0x90, 0,    0,    0, 3, 0,
                                          0, 0,    0, 0, 0,  0,    0,    0, 0,    0,    0,    0, 0, 0,
                                          0, 0,    0, 0, 2,  0x20, 0x18, 0, 4,    0x20, 0x90, 0 };

    (void)s;
    open_pair();
    memcpy(capabilities, get_capabilities, sizeof capabilities);
    capabilities[8] = capabilities[9] = 0;
    go_to(TL_SPDM_AFTER_VERSION);
    ask(capabilities, sizeof capabilities);
    assert_answer(TL_SPDM_CAPABILITIES);
    ask(with_table, sizeof with_table);
    assert_answer(TL_SPDM_ALGORITHMS);
    assert_int_equal(answer_n, 4 + 32 + 8);
    assert_memory_equal(answer + 36, ((const uint8_t[]){ 2, 0x20, 0, 0, 4, 0x20, 0, 0 }), 8);
    assert_int_equal(p.rs.c.algs.req_sign, TL_SIGN_NONE);
    assert_int_equal(p.rs.c.algs.group, TL_GROUP_NONE);
    close_pair();
}

static void repeated_request_that_differs_then_unexpected_and_vca_stays(void **s)
{
    uint8_t capabilities[sizeof get_capabilities], algorithms[sizeof negotiate], first[64];
    uint16_t n;

    (void)s;
    open_pair();
    go_to(TL_SPDM_AFTER_CAPABILITIES);
    memcpy(first, answer, answer_n);
    n = p.rs.c.vca_n;
    ask(get_capabilities, sizeof get_capabilities);
    assert_memory_equal(first, answer, answer_n);
    memcpy(capabilities, get_capabilities, sizeof capabilities);
    capabilities[5] = 1;
    ask(capabilities, sizeof capabilities);
    assert_error(UNEXPECTED);
    assert_int_equal(p.rs.c.vca_n, n);
    go_to(TL_SPDM_NEGOTIATED);
    n = p.rs.c.vca_n;
    memcpy(algorithms, negotiate, sizeof algorithms);
    algorithms[12] = 1;
    ask(algorithms, sizeof algorithms);
    assert_error(UNEXPECTED);
    ask(negotiate, sizeof negotiate);
    assert_answer(TL_SPDM_ALGORITHMS);
    assert_int_equal(p.rs.c.vca_n, n);
    close_pair();
}

/* ---- blocks that the application's own source gives ---- */

/* The first two blocks as the test has them. */
static tl_err block_as_it_is(void *ctx, size_t i, tl_hash_alg alg, bool raw_wanted, tl_spdm_measurement *m)
{
    (void)ctx;
    (void)alg;
    (void)raw_wanted;
    *m = p.blocks[i];
    return TL_OK;
}

static void block_when_it_cannot_be_then_unspecified_and_none_goes_out(void **s)
{
    static const uint8_t value[0x10000];
    enum { DIGEST = 48, LONGEST = 0xFFFF - 3 };
    static const struct {
        tl_spdm_measurement first, second;
        tl_err e;
    } rows[] = {
        { { 1, 0, false, true, { value, DIGEST } }, { 2, 0x7F, true, true, { value, 0 } }, TL_OK },
        { { 1, 0, false, true, { value, DIGEST } }, { 0xFE, 1, true, true, { value, 7 } }, TL_OK },
        { { 0, 0, false, true, { value, DIGEST } }, { 2, 1, true, true, { value, 7 } }, TL_E_CONFIGURATION },
        { { 1, 0, false, true, { value, DIGEST } }, { 1, 1, true, true, { value, 7 } }, TL_E_CONFIGURATION },
        { { 5, 0, false, true, { value, DIGEST } }, { 4, 1, true, true, { value, 7 } }, TL_E_CONFIGURATION },
        { { 1, 0, false, true, { value, DIGEST } },
          { 0xFF, 1, true, true, { value, 7 } },
          TL_E_CONFIGURATION },
        { { 1, 0, false, true, { value, DIGEST } },
          { 2, 0x80, true, true, { value, 7 } },
          TL_E_CONFIGURATION },
        { { 1, 0, false, true, { value, DIGEST - 1 } },
          { 2, 1, true, true, { value, 7 } },
          TL_E_CONFIGURATION },
        { { 1, 0, false, true, { value, DIGEST + 1 } },
          { 2, 1, true, true, { value, 7 } },
          TL_E_CONFIGURATION },
        { { 1, 0, false, true, { value, 0 } }, { 2, 1, true, true, { value, 7 } }, TL_E_CONFIGURATION },
        { { 1, 0, true, true, { value, LONGEST + 1 } },
          { 2, 1, true, true, { value, 7 } },
          TL_E_CONFIGURATION },
        /* as long as its field lets it be: the answer is what has no room for it */
        { { 1, 0, true, true, { value, LONGEST } }, { 2, 1, true, true, { value, 7 } }, TL_E_ROOM },
    };

    (void)s;
    open_pair();
    go_to(TL_SPDM_NEGOTIATED);
    assert_int_equal(tl_hash_size(p.rs.c.algs.measurement_hash), DIGEST);
    p.source = (tl_spdm_measurement_source){ NULL, 2, block_as_it_is };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        p.blocks[0] = rows[i].first;
        p.blocks[1] = rows[i].second;
        ask(measure, sizeof measure);
        tl_assert_err(rows[i].e, p.rs_result);
        if (rows[i].e == TL_OK)
            assert_answer(TL_SPDM_MEASUREMENTS);
        else
            assert_error(rows[i].e == TL_E_ROOM ? TL_SPDM_RESPONSE_TOO_LARGE : TL_SPDM_UNSPECIFIED);
        ask(challenge, sizeof challenge); /* its summary is over the same blocks */
        tl_assert_err(rows[i].e == TL_E_ROOM ? TL_OK : rows[i].e, p.rs_result);
        if (rows[i].e == TL_E_CONFIGURATION)
            assert_error(TL_SPDM_UNSPECIFIED);
        else
            assert_answer(TL_SPDM_CHALLENGE_AUTH);
    }
    close_pair();
}

/* ---- inside a session ---- */

/* Seals the request under the requester's key, and opens the answer in its place. */
static void ask_inside(const uint8_t *request, size_t n)
{
    tl_spdm_session *own = &p.rq_sessions[0];
    uint8_t record[128];
    tl_wr w = tl_wr_of(record, sizeof record);
    tl_spdm_out out = { .w = tl_wr_of(answer, sizeof answer) };
    tl_span message;

    tl_assert_ok(tl_record_seal(&own->schedule, &own->request_key, &p.binding.record, own->id,
                                tl_span_of(request, n), &w));
    tl_assert_ok(tl_responder_step(&p.rs, p.now_ms, (tl_spdm_in){ record, w.n, true }, &out));
    assert_true(out.secured);
    tl_assert_ok(tl_record_open(&own->schedule, &own->response_key, &p.binding.record, own->id,
                                (tl_buffer){ answer, out.w.n }, &message));
    memmove(answer, message.p, message.n);
    answer_n = message.n;
}

/* DSP0274 1.3, CHALLENGE_AUTH response message: M1 and M2 are of what was said in clear. */
static void certificates_when_asked_for_in_a_session_then_the_same_and_no_part_of_the_challenge(void **s)
{
    static const uint8_t some[] = { V, 0x82, 0, 0, 20, 0, 200, 0 };
    const uint8_t *const requests[] = { get_digests, some };
    uint8_t said[2][256], before[TL_HASH_MAX], after[TL_HASH_MAX];
    size_t said_n[2];

    (void)s;
    open_pair();
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_session, NULL));
    for (unsigned i = 0; i < 2; i++) {
        ask(requests[i], i == 0 ? sizeof get_digests : sizeof some);
        assert_true(answer_n > 4 && answer_n <= sizeof said[i]);
        assert_answer(i == 0 ? TL_SPDM_DIGESTS : TL_SPDM_CERTIFICATE);
        memcpy(said[i], answer, said_n[i] = answer_n);
    }
    assert_int_not_equal(p.rs.c.m.slot, 0);
    tl_assert_ok(tl__transcript_digest(&p.rs.c, p.rs.c.m, before));
    for (unsigned i = 0; i < 2; i++) {
        ask_inside(requests[i], i == 0 ? sizeof get_digests : sizeof some);
        assert_int_equal(answer_n, said_n[i]);
        assert_memory_equal(answer, said[i], answer_n);
        tl_assert_ok(tl__transcript_digest(&p.rs.c, p.rs.c.m, after));
        assert_memory_equal(before, after, sizeof before);
    }
    ask(some, sizeof some); /* and in clear it is */
    tl_assert_ok(tl__transcript_digest(&p.rs.c, p.rs.c.m, after));
    assert_memory_not_equal(before, after, sizeof before);
    close_pair();
}

/* ---- answers put off ---- */

static void challenge_when_busy_then_answered_to_the_token_alone(void **s)
{
    uint8_t token;

    (void)s;
    open_pair();
    go_to(TL_SPDM_NEGOTIATED);
    p.busy = 1;
    ask(challenge, sizeof challenge);
    assert_int_equal(answer_n, 8);
    assert_answer(TL_SPDM_ERROR);
    assert_int_equal(answer[2], TL_SPDM_RESPONSE_NOT_READY);
    assert_int_equal(answer[4], 10);
    assert_int_equal(answer[5], TL_SPDM_CHALLENGE);
    token = answer[6];
    ASK(V, 0xFF, TL_SPDM_CHALLENGE, (uint8_t)(token + 1));
    assert_error(INVALID);
    ASK(V, 0xFF, TL_SPDM_GET_MEASUREMENTS, token);
    assert_error(INVALID);
    ASK(V, 0xFF, TL_SPDM_CHALLENGE, token, 0);
    assert_error(INVALID);
    ASK(TL_SPDM_12, 0xFF, TL_SPDM_CHALLENGE, token);
    assert_error(TL_SPDM_VERSION_MISMATCH);
    ASK(V, 0xFF, TL_SPDM_CHALLENGE, token);
    assert_answer(TL_SPDM_CHALLENGE_AUTH);
    ASK(V, 0xFF, TL_SPDM_CHALLENGE, token);
    assert_error(UNEXPECTED);
    close_pair();
}

static void another_request_when_one_is_put_off_then_it_is_forgotten(void **s)
{
    uint8_t token;

    (void)s;
    open_pair();
    go_to(TL_SPDM_NEGOTIATED);
    p.busy = 1;
    ask(measure_signed, sizeof measure_signed);
    token = answer[6];
    ask(get_digests, sizeof get_digests);
    assert_answer(TL_SPDM_DIGESTS);
    ASK(V, 0xFF, TL_SPDM_GET_MEASUREMENTS, token);
    assert_error(UNEXPECTED);
    ask(measure_signed, sizeof measure_signed);
    assert_answer(TL_SPDM_MEASUREMENTS);
    close_pair();
}

/* ---- configuration ---- */

static void init_when_the_config_contradicts_itself_then_refused(void **s)
{
    tl_responder_config right;

    (void)s;
    open_pair();
    right = p.rs_config;
    p.rs_config.message_n = 100;
    tl_assert_err(TL_E_CONFIGURATION, tl_responder_init(&p.rs, &p.rs_config));
    p.rs_config = right;
    p.rs_config.families = NULL;
    tl_assert_err(TL_E_CONFIGURATION, tl_responder_init(&p.rs, &p.rs_config));
    p.rs_config = right;
    p.rs_config.slots_n = 9;
    tl_assert_err(TL_E_CONFIGURATION, tl_responder_init(&p.rs, &p.rs_config));
    p.rs_config = right;
    p.rs_policy.version_max = 0x14;
    tl_assert_err(TL_E_CONFIGURATION, tl_responder_init(&p.rs, &p.rs_config));
    p.rs_policy.version_max = TL_SPDM_13;
    p.rs_policy.flags |= TL_CAP_MEAS_NO_SIG;
    tl_assert_err(TL_E_CONFIGURATION, tl_responder_init(&p.rs, &p.rs_config));
    p.rs_policy.flags &= ~(uint32_t)TL_CAP_MEAS_NO_SIG;
    p.rs_policy.data_transfer_size = 41;
    tl_assert_err(TL_E_CONFIGURATION, tl_responder_init(&p.rs, &p.rs_config));
    p.rs_policy.data_transfer_size = 42;
    tl_assert_ok(tl_responder_init(&p.rs, &p.rs_config));
    close_pair();
}

static void step_when_there_is_too_little_room_then_nothing_has_changed(void **s)
{
    uint8_t bytes[TL_PAIR_OUT], in[sizeof get_version];
    tl_spdm_out out = { .w = tl_wr_of(bytes, TL_PAIR_MESSAGE) };

    (void)s;
    open_pair();
    memcpy(in, get_version, sizeof in);
    tl_assert_err(TL_E_ROOM, tl_responder_step(&p.rs, 0, (tl_spdm_in){ in, sizeof in, false }, &out));
    assert_int_equal(p.rs.c.state, TL_SPDM_START);
    assert_int_equal(out.w.n, 0);
    close_pair();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_in_every_state_then_answered_only_where_allowed),
        cmocka_unit_test(request_inside_a_session_then_allowed_only_where_it_belongs),
        cmocka_unit_test(request_of_any_other_code_then_unsupported),
        cmocka_unit_test(request_when_its_family_is_not_served_then_unsupported),
        cmocka_unit_test(request_in_another_version_then_mismatch),
        cmocka_unit_test(capabilities_in_a_version_outside_of_the_policy_then_mismatch),
        cmocka_unit_test(version_with_everything_allowed_then_all_are_told),
        cmocka_unit_test(request_shorter_or_longer_than_its_layout_then_invalid),
        cmocka_unit_test(request_larger_than_a_transfer_then_too_large),
        cmocka_unit_test(request_with_each_field_changed_then_answered_or_invalid),
        cmocka_unit_test(negotiate_when_asked_for_nothing_that_needs_it_then_selects_nothing),
        cmocka_unit_test(repeated_request_that_differs_then_unexpected_and_vca_stays),
        cmocka_unit_test(block_when_it_cannot_be_then_unspecified_and_none_goes_out),
        cmocka_unit_test(certificates_when_asked_for_in_a_session_then_the_same_and_no_part_of_the_challenge),
        cmocka_unit_test(challenge_when_busy_then_answered_to_the_token_alone),
        cmocka_unit_test(another_request_when_one_is_put_off_then_it_is_forgotten),
        cmocka_unit_test(init_when_the_config_contradicts_itself_then_refused),
        cmocka_unit_test(step_when_there_is_too_little_room_then_nothing_has_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
