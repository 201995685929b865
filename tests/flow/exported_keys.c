/* Keys of a stream from a session's export secret: known answers, and frames that pass under them. */
#include "faulty.h"
#include "loop.h"
#include "one_backend.h"
#include "testing.h"

#include <string.h>

enum { STREAM = 7 };

/* Export master secrets of recorded sessions (tests/vectors/spdm_schedule.txt), and HKDF-Expand of them over
 * "trueline stream" | stream, 2 bytes, little-endian | direction, 1 byte, computed apart with Python's hmac. */
static const struct answer {
    tl_hash_alg hash;
    const char *secret;
    uint16_t stream;
    tl_direction direction;
    const char *expected;
} answers[] = {
    { TL_HASH_SHA256, "265e0fa9156e701e403e1932e8736f1c51d0bf92e4f329f687b4a03cfd4d9ec3", 7,
      TL_SENSOR_TO_CONTROLLER, "01726dc11e47c96a3ce002a0cd1e21df111f9729497b79401e94a30f5c07257c" },
    { TL_HASH_SHA256, "265e0fa9156e701e403e1932e8736f1c51d0bf92e4f329f687b4a03cfd4d9ec3", 7,
      TL_CONTROLLER_TO_SENSOR, "551cc107c84d4f0264b52ef5ae29f2a2b26678f47ceb5461eb728bb0b19334bb" },
    { TL_HASH_SHA256, "265e0fa9156e701e403e1932e8736f1c51d0bf92e4f329f687b4a03cfd4d9ec3", 0x1234,
      TL_SENSOR_TO_CONTROLLER, "9ea8f75b691b79581d4e9ba87547a671b843df474085f563f1ebe7e6673048e2" },
    { TL_HASH_SHA384,
      "eec9cc20ecb33a70f157a2967dd1a45f05495f0f155e15f506591e31b8356f2944bf47a15768282e5d30bc26b42a6521", 7,
      TL_SENSOR_TO_CONTROLLER,
      "7fe420c46f97a2a060ebd2b0a28cc241b3566571eebf439a1c154350cb715fbcb45d0fbaf92aae8152d0aeb187ff75a5" },
};

static tl_digest digest_of(const struct answer *a, uint8_t room[TL_HASH_MAX])
{
    return (tl_digest){ a->hash, tl_span_of(room, tl_hex(a->secret, room, TL_HASH_MAX)) };
}

static void source_when_the_export_secret_is_known_then_the_known_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        uint8_t room[TL_HASH_MAX], expected[TL_HASH_MAX];
        size_t n = tl_hex(answers[i].expected, expected, sizeof expected);
        tl_key_source s;
        tl_assert_ok(tl_key_source_exported(&s, crypto, digest_of(&answers[i], room), answers[i].stream,
                                            answers[i].direction));
        assert_int_equal(n, tl_hash_size(answers[i].hash));
        assert_memory_equal(s.secret, expected, n);
        tl_key_source_wipe(&s);
        tl_assert_all(&s, 0, sizeof s);
    }
}

static void source_when_secret_or_stream_are_none_then_usage_and_zeros(void **state)
{
    uint8_t room[TL_HASH_MAX];
    tl_digest right = digest_of(&answers[0], room), shorter = right, longer = right, other = right;
    tl_key_source s;
    (void)state;
    shorter.value.n--, longer.value.n++, other.alg = TL_HASH_NONE;
    memset(&s, 0xAA, sizeof s);
    tl_assert_err(TL_E_USAGE, tl_key_source_exported(&s, crypto, shorter, STREAM, TL_SENSOR_TO_CONTROLLER));
    tl_assert_all(&s, 0, sizeof s);
    tl_assert_err(TL_E_USAGE, tl_key_source_exported(&s, crypto, longer, STREAM, TL_SENSOR_TO_CONTROLLER));
    tl_assert_err(TL_E_USAGE, tl_key_source_exported(&s, crypto, other, STREAM, TL_SENSOR_TO_CONTROLLER));
    tl_assert_err(TL_E_USAGE, tl_key_source_exported(&s, crypto, right, 0, TL_SENSOR_TO_CONTROLLER));
    tl_assert_all(&s, 0, sizeof s);
}

static void source_when_the_backend_fails_then_its_error_and_zeros(void **state)
{
    uint8_t room[TL_HASH_MAX];
    tl_key_source s;
    tl_faulty f;
    (void)state;
    tl_faulty_init(&f, crypto, 1);
    memset(&s, 0xAA, sizeof s);
    tl_assert_err(TL_E_BACKEND, tl_key_source_exported(&s, tl_faulty_crypto(&f), digest_of(&answers[0], room),
                                                       STREAM, TL_SENSOR_TO_CONTROLLER));
    tl_assert_all(&s, 0, sizeof s);
    tl_faulty_assert_clean(&f);
}

/* One frame from a sender to a receiver whose sources come from these secrets; true if it is right. */
static bool frame_passes(const struct answer *sender, const struct answer *receiver)
{
    uint8_t room[TL_HASH_MAX];
    tl_packets packets = { 0 };
    tl_loop l;
    bool right;
    tl_loop_init(&l, crypto);
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_stream_tx_wipe(&l.tx);
    tl_stream_rx_wipe(&l.rx);
    tl_key_source_wipe(&l.tx_source);
    tl_key_source_wipe(&l.rx_source);
    tl_assert_ok(tl_key_source_exported(&l.tx_source, crypto, digest_of(sender, room), l.config.stream,
                                        sender->direction));
    tl_assert_ok(tl_key_source_exported(&l.rx_source, crypto, digest_of(receiver, room), l.config.stream,
                                        receiver->direction));
    tl_assert_ok(tl_stream_tx_init(&l.tx, &l.config, &l.tx_source, 0));
    tl_assert_ok(tl_stream_rx_init(&l.rx, &l.rx_config, &l.rx_source, 0,
                                   (tl_buffer){ l.memory, tl_stream_frame_bytes(&l.rx_config) },
                                   tl_events_sink(&l.events)));
    tl_assert_ok(tl_loop_send(&l, &packets));
    tl_assert_ok(tl_loop_receive(&l, &packets));
    right = tl_loop_is_frame(&l, tl_events_first(&l.events, TL_EVENT_FRAME), l.config.first_frame);
    tl_packets_free(&packets);
    tl_loop_close(&l);
    return right;
}

static void frame_when_both_ends_have_the_session_then_right_else_not(void **state)
{
    (void)state;
    assert_true(frame_passes(&answers[0], &answers[0]));
    assert_true(frame_passes(&answers[3], &answers[3]));
    assert_false(frame_passes(&answers[0], &answers[1])); /* the other direction */
    assert_false(frame_passes(&answers[0], &answers[3])); /* another session */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(source_when_secret_or_stream_are_none_then_usage_and_zeros),
        cmocka_unit_test(source_when_the_backend_fails_then_its_error_and_zeros),
        cmocka_unit_test(source_when_the_export_secret_is_known_then_the_known_answer),
        cmocka_unit_test(frame_when_both_ends_have_the_session_then_right_else_not),
    };
    return cmocka_run_group_tests_name("exported_keys", tests, open_backend, close_backend);
}
