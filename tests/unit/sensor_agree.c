/* Stream agreements at the sensor, by what must not be had: an epoch of a session twice, with the same keys, nonces and
 * tokens; and a stream that another controller steers than the one that it was agreed with. */
#include "testing.h"

#include "clock.h"
#include "sensor_agree.h"

#include <trueline/layout/ids.h>
#include <trueline/openssl.h>

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STREAM = 1 };

static sensor_spdm s;
static tl_openssl *backend;
static tl_spdm_session session;

static int set_up(void **state)
{
    tl_fault fault;

    (void)state;
    tl_assert_ok(tl_openssl_open(NULL, &backend));
    memset(&s, 0, sizeof s);
    s.crypto = tl_openssl_crypto(backend);
    s.set = epoll_create1(EPOLL_CLOEXEC);
    assert_true(s.set >= 0);
    stream_file_init(&s.geometry);
    assert_int_equal(stream_file_build(&s.geometry, "t", &fault), TL_EXIT_OK);
    assert_int_equal(tl_address_parse("127.0.0.1:0", &s.o.data, &fault), TL_EXIT_OK);
    sensor_join_init(&s.stream.join, s.set);
    s.r.c.peer.authenticated = true;
    memset(s.r.c.peer.facts.fingerprint, 0x11, TL_FINGERPRINT_SIZE);
    session = (tl_spdm_session){ .state = TL_SESSION_ESTABLISHED, .schedule = { .hash = TL_HASH_SHA256 } };
    memset(session.application.export_master.bytes, 0x5A, 32);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sensor_spdm_stream_over(&s, 0);
    (void)close(s.set);
    tl_openssl_close(backend);
    return 0;
}

/* The reason of a refusal, or AGREEMENT_FINE. */
static uint32_t say(const agreement *a)
{
    uint8_t request[AGREEMENT_PAYLOAD_MAX], answer[AGREEMENT_PAYLOAD_MAX];
    tl_wr w = tl_wr_of(request, sizeof request), out = tl_wr_of(answer, sizeof answer);
    agreement got;

    tl_assert_ok(agreement_write(a, &w));
    const tl_spdm_vendor v = { TL_VENDOR_STANDARD, tl_span_of(agreement_vendor_id, AGREEMENT_VENDOR_SIZE),
                               tl_written(&w), &session };
    tl_assert_ok(sensor_agree(&s, &v, &out));
    tl_assert_ok(agreement_read(tl_written(&out), &got));
    return got.kind == TL_AGREEMENT_REFUSED ? got.body.refusal.reason : AGREEMENT_FINE;
}

static uint32_t choose(uint32_t epoch)
{
    uint8_t suites[AGREEMENT_SUITES_MAX], digest[TL_CONFIG_DIGEST_SIZE];
    agreement a = { .kind = TL_AGREEMENT_CHOICE,
                    .body.choice = { .stream = STREAM,
                                     .suite = TL_SUITE_AES128_GMAC,
                                     .tag_mode = TL_TAG_PER_MESSAGE,
                                     .tag_size = 16,
                                     .crc32 = TL_WITH,
                                     .top = 2,
                                     .middle = 2,
                                     .bottom = 2,
                                     .first_frame = 1,
                                     .epoch = epoch } };
    tl_agreement_offer offer;
    stream_file file;
    tl_fault fault;

    agreement_offer_make(&s.geometry, 0, suites, &offer);
    assert_int_equal(agreement_build(&offer, &a.body.choice, &file, &fault), AGREEMENT_FINE);
    tl_assert_ok(tl_stream_config_digest(&file.config, s.crypto, digest));
    a.body.choice.configuration = tl_span_of(digest, sizeof digest);
    return say(&a);
}

static uint32_t steer(uint32_t kind, uint32_t epoch)
{
    const agreement a = { .kind = kind, .body.stream = { .stream = STREAM, .epoch = epoch } };

    return say(&a);
}

/* The data connection is there. */
static uint32_t start(uint32_t epoch)
{
    assert_int_equal(s.stream.state, SENSOR_STREAM_CHOSEN);
    s.stream.state = SENSOR_STREAM_JOINED;
    return steer(TL_AGREEMENT_START, epoch);
}

static void another_controller(void)
{
    memset(s.r.c.peer.facts.fingerprint, 0x22, TL_FINGERPRINT_SIZE);
}

/* ---- epochs ---- */

static void choice_when_its_epoch_was_used_in_this_session_then_refused(void **state)
{
    (void)state;
    assert_int_equal(choose(3), AGREEMENT_FINE);
    assert_int_equal(start(3), AGREEMENT_FINE);
    sensor_spdm_stream_over(&s, 0);
    for (uint32_t epoch = 0; epoch <= 3; epoch++)
        assert_int_equal(choose(epoch), AGREEMENT_EPOCH);
    assert_int_equal(s.stream.state, SENSOR_STREAM_NONE);
    assert_int_equal(choose(4), AGREEMENT_FINE);
    assert_int_equal(start(4), AGREEMENT_FINE);
}

/* Its tokens may have been seen, though no frame was. */
static void choice_when_its_epoch_was_chosen_but_never_started_then_refused(void **state)
{
    uint8_t token[TL_DATA_TOKEN_SIZE];
    (void)state;
    assert_int_equal(choose(0), AGREEMENT_FINE);
    memcpy(token, s.stream.join.theirs, sizeof token);
    sensor_spdm_stream_over(&s, 0);
    assert_int_equal(choose(0), AGREEMENT_EPOCH);
    assert_int_equal(choose(1), AGREEMENT_FINE);
    assert_memory_not_equal(s.stream.join.theirs, token, sizeof token);
}

static void choice_when_its_epoch_is_that_of_a_rekey_then_refused(void **state)
{
    (void)state;
    assert_int_equal(choose(0), AGREEMENT_FINE);
    assert_int_equal(start(0), AGREEMENT_FINE);
    assert_int_equal(steer(TL_AGREEMENT_REKEY, 9), AGREEMENT_FINE);
    assert_int_equal(steer(TL_AGREEMENT_REKEY, 9), AGREEMENT_EPOCH);
    sensor_spdm_stream_over(&s, 0);
    assert_int_equal(choose(9), AGREEMENT_EPOCH);
    assert_int_equal(choose(10), AGREEMENT_FINE);
}

static void choice_when_an_earlier_one_was_refused_then_its_epoch_is_still_used(void **state)
{
    (void)state;
    assert_int_equal(choose(5), AGREEMENT_FINE);
    sensor_spdm_stream_over(&s, 0);
    assert_int_equal(choose(1), AGREEMENT_EPOCH);
    assert_int_equal(choose(2), AGREEMENT_EPOCH);
    assert_int_equal(choose(5), AGREEMENT_EPOCH);
}

static void choice_when_of_a_newer_session_then_any_epoch(void **state)
{
    (void)state;
    assert_int_equal(choose(3), AGREEMENT_FINE);
    sensor_spdm_stream_over(&s, 0);
    session.application.export_master.bytes[0] ^= 1;
    assert_int_equal(choose(0), AGREEMENT_FINE);
}

/* ---- whose stream it is ---- */

static void stream_when_another_controller_steers_it_then_refused(void **state)
{
    (void)state;
    assert_int_equal(choose(0), AGREEMENT_FINE);
    another_controller();
    assert_int_equal(start(0), AGREEMENT_AUTHENTICATION);
    memset(s.r.c.peer.facts.fingerprint, 0x11, TL_FINGERPRINT_SIZE);
    assert_int_equal(steer(TL_AGREEMENT_START, 0), AGREEMENT_FINE);
    another_controller();
    session.application.export_master.bytes[0] ^= 1; /* in a session of its own */
    assert_int_equal(steer(TL_AGREEMENT_REKEY, 1), AGREEMENT_AUTHENTICATION);
    assert_int_equal(steer(TL_AGREEMENT_STOP, 0), AGREEMENT_AUTHENTICATION);
    assert_false(s.stream.stop);
    assert_int_equal(s.stream.epoch, 0);
    memset(s.r.c.peer.facts.fingerprint, 0x11, TL_FINGERPRINT_SIZE);
    assert_int_equal(steer(TL_AGREEMENT_REKEY, 1), AGREEMENT_FINE);
    assert_int_equal(steer(TL_AGREEMENT_STOP, 0), AGREEMENT_FINE);
}

static void stream_when_the_session_is_not_authenticated_then_refused(void **state)
{
    (void)state;
    s.r.c.peer.authenticated = false;
    assert_int_equal(choose(0), AGREEMENT_AUTHENTICATION);
    assert_int_equal(steer(TL_AGREEMENT_STOP, 0), AGREEMENT_AUTHENTICATION);
    assert_int_equal(s.stream.state, SENSOR_STREAM_NONE);
}

/* ---- time ---- */

static void certificates_when_the_sensor_runs_for_long_then_judged_by_the_time_of_each_message(void **state)
{
    static const uint8_t get_version[] = { 6, 0, 0x01, 0x05, 0x10, 0x84, 0, 0 };
    uint8_t answer[64];
    int pair[2];
    tl_fault fault;
    (void)state;
    (void)close(s.set);
    s.set = -1;
    s.own.slots = 1;
    s.own.rules.now = 1;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(sensor_spdm_begin(&s, pair[0], "t", &fault), TL_EXIT_OK);
    assert_int_equal(write(pair[1], get_version, sizeof get_version), sizeof get_version);
    assert_int_equal(sensor_spdm_turn(&s, tl_clock_ms() + 50, &fault), TL_EXIT_OK);
    assert_true(read(pair[1], answer, sizeof answer) > 0);
    assert_true(s.own.rules.now > 1700000000);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(choice_when_its_epoch_was_used_in_this_session_then_refused),
        CASE(choice_when_its_epoch_was_chosen_but_never_started_then_refused),
        CASE(choice_when_its_epoch_is_that_of_a_rekey_then_refused),
        CASE(choice_when_an_earlier_one_was_refused_then_its_epoch_is_still_used),
        CASE(choice_when_of_a_newer_session_then_any_epoch),
        CASE(stream_when_another_controller_steers_it_then_refused),
        CASE(certificates_when_the_sensor_runs_for_long_then_judged_by_the_time_of_each_message),
        CASE(stream_when_the_session_is_not_authenticated_then_refused),
    };
    return cmocka_run_group_tests_name("sensor_agree", tests, NULL, NULL);
}
