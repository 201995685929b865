/* Claims of the design that concern keys, tags and configurations: the same tags in every mode, a weaker configuration,
 * the limits of lists at both ends. */
#include "group.h"

/* ---- the same tags under one key ---- */

enum { TAGS_MAX = 64 };

/* Gives all derivations the same bytes, whatever the configuration, so that modes share keys and salts; keeps the
 * tags of lines in the order in which they are made. */
typedef struct one_key {
    tl_wrap wrap;
    uint8_t tags[TAGS_MAX][TL_TAG_MAX];
    size_t n;
} one_key;

static tl_err same_hmac(void *ctx, tl_hash_alg alg, tl_span key, const tl_span *parts, size_t n, uint8_t *mac)
{
    (void)ctx, (void)key, (void)parts, (void)n;
    memset(mac, 0x37, tl_hash_size(alg));
    return TL_OK;
}

static tl_err keep_protect(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    one_key *o = ctx;

    TL_TRY(o->wrap.inner->ops->protect(o->wrap.inner->ctx, k, m, n));
    for (size_t i = 0; i < n; i++) {
        assert_true(o->n < TAGS_MAX);
        memcpy(o->tags[o->n++], m[i].tag, TL_TAG_MAX);
    }
    return TL_OK;
}

/* The tags of one frame's lines: begin, 23 lines, end. */
static void tags_of(one_key *o, tl_suite suite, tl_tag_mode mode, uint8_t tag_size)
{
    tl_loop l;
    tl_packets packets = { 0 };

    o->n = 0;
    tl_wrap_init(&o->wrap, crypto);
    o->wrap.ops.hmac = same_hmac;
    o->wrap.ops.protect = keep_protect;
    tl_loop_init(&l, &o->wrap.crypto);
    l.config.suite = suite;
    l.config.tag_mode = mode;
    l.config.tag_size = tag_size;
    l.config.variant[TL_BLOCK_TOP] = TL_SV_4;
    l.config.pattern[TL_BLOCK_TOP] = (tl_pattern){ 1, 2, 3 };
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_ok(tl_loop_send(&l, &packets));
    tl_assert_ok(tl_loop_receive(&l, &packets));
    assert_true(tl_loop_is_frame(&l, tl_events_last(&l.events, TL_EVENT_FRAME), 100));
    assert_int_equal(o->n, 25);
    tl_packets_free(&packets);
    tl_loop_close(&l);
}

static void tags_when_the_key_is_the_same_then_the_same_in_every_mode_and_size(void **state)
{
    (void)state;
    for (int suite = TL_SUITE_AES128_GMAC; suite <= TL_SUITE_AES256_CMAC; suite++) {
        one_key first, other;
        tags_of(&first, (tl_suite)suite, TL_TAG_PER_MESSAGE, 16);
        for (int mode = TL_TAG_PER_MESSAGE; mode <= TL_TAG_PER_FRAME; mode++)
            for (uint8_t size = 12; size <= 16; size += 4) {
                tags_of(&other, (tl_suite)suite, (tl_tag_mode)mode, size);
                assert_memory_equal(first.tags + 1, other.tags + 1, 23 * sizeof *first.tags);
            }
        for (size_t i = 1; i < 24; i++)
            for (size_t k = 1; k < i; k++)
                assert_memory_not_equal(first.tags[i], first.tags[k], TL_TAG_MAX);
    }
}

/* ---- a list's tag, by hand ---- */

/* Everything that the running MACs are given, one after the other. */
typedef struct listener {
    tl_wrap wrap;
    uint8_t bytes[2048];
    size_t n, ends;
} listener;

static tl_err hear(void *ctx, tl_mac m, tl_span data)
{
    listener *l = ctx;

    assert_true(l->n + data.n <= sizeof l->bytes);
    memcpy(l->bytes + l->n, data.p, data.n);
    l->n += data.n;
    return l->wrap.inner->ops->mac_add(l->wrap.inner->ctx, m, data);
}

static void list_when_closed_then_all_tags_and_a_header_with_their_number_behind(void **state)
{
    static const struct {
        tl_tag_mode mode;
        uint32_t purpose, type, n;
    } rows[] = { { TL_TAG_PER_FRAME, TL_SEP_PURPOSE_FRAME, 0, 23 },
                 { TL_TAG_PER_DATA_TYPE, TL_SEP_PURPOSE_DATA_TYPE, TL_DT_RAW12, 20 } };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        listener listen = { .n = 0 };
        tl_loop l;
        tl_packets packets = { 0 };
        tl_sep_header a;
        const tl_env env = { 0 };
        tl_wrap_init(&listen.wrap, crypto);
        listen.wrap.ops.mac_add = hear;
        tl_loop_init(&l, &listen.wrap.crypto);
        l.config.tag_mode = rows[i].mode;
        if (i == 1) { /* one type alone has integrity; the other one's list is empty */
            l.config.variant[TL_BLOCK_TOP] = l.config.variant[TL_BLOCK_BOTTOM] = TL_SV_5;
        }
        tl_assert_ok(tl_loop_open(&l, 0));
        tl_assert_ok(tl_loop_send(&l, &packets));
        assert_int_equal(listen.n, rows[i].n * TL_TAG_MAX + (i + 1) * TL_SEP_HEADER_SIZE);
        tl_rd r = tl_rd_of(tl_span_of(listen.bytes + listen.n - TL_SEP_HEADER_SIZE, TL_SEP_HEADER_SIZE));
        tl_assert_ok(tl_decode_sep_header(&env, &r, &a));
        assert_int_equal(a.flags, rows[i].purpose);
        assert_int_equal(a.data_type, rows[i].type);
        assert_int_equal(a.count, rows[i].n);
        assert_true(a.message == 0 && a.length == 0 && a.frame == 100 && a.stream == 0x1234);
        assert_int_equal(a.block, TL_BLOCK_SERVICE);
        if (i == 1) {
            r = tl_rd_of(tl_span_of(listen.bytes + listen.n - 2 * TL_SEP_HEADER_SIZE, TL_SEP_HEADER_SIZE));
            tl_assert_ok(tl_decode_sep_header(&env, &r, &a));
            assert_true(a.data_type == TL_DT_EMBEDDED && a.count == 0);
        }
        tl_packets_free(&packets);
        tl_loop_close(&l);
    }
}

/* ---- a weaker configuration ---- */

/* The same secret, epoch and key number, but the sender protects less than the receiver demands. */
static void frames_when_sent_under_a_weaker_configuration_then_configuration_and_nothing_opens(void **state)
{
    (void)state;
    for (unsigned weaker = 0; weaker < 6; weaker++) {
        tl_loop l;
        tl_packets packets = { 0 };
        tl_verdict expected = TL_VERDICT_CONFIGURATION;
        tl_loop_init(&l, crypto);
        l.config.tag_mode = TL_TAG_PER_DATA_TYPE;
        l.rx_config = l.config;
        switch (weaker) {
        case 0: l.config.variant[TL_BLOCK_MIDDLE] = TL_SV_5; break;
        case 1:
            l.config.variant[TL_BLOCK_MIDDLE] = TL_SV_3;
            l.config.pattern[TL_BLOCK_MIDDLE] = (tl_pattern){ 0, 1, 20 };
            break;
        case 2:
            l.config.variant[TL_BLOCK_MIDDLE] = TL_SV_4;
            l.config.pattern[TL_BLOCK_MIDDLE] = (tl_pattern){ 0, 1, 90 };
            break;
        case 3: l.config.tag_size = 8; break;
        case 4:
            l.config.suite = TL_SUITE_NONE;
            l.config.tag_mode = TL_TAG_PER_MESSAGE;
            l.config.tag_size = 0;
            for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++)
                l.config.variant[block] = TL_SV_5;
            expected = TL_VERDICT_LENGTH; /* its begin has no tag, and the end of its body is taken for one */
            break;
        default: l.config.tag_mode = TL_TAG_PER_FRAME; break;
        }
        tl_assert_ok(tl_loop_open(&l, 0));
        tl_assert_ok(tl_loop_send(&l, &packets));
        tl_assert_ok(tl_loop_receive(&l, &packets));
        assert_int_equal(tl_events_count(&l.events, TL_EVENT_OPENED), 0);
        assert_int_equal(tl_events_count(&l.events, TL_EVENT_FRAME), 0);
        assert_int_equal(tl_events_first(&l.events, TL_EVENT_MESSAGE)->verdict, expected);
        for (size_t i = 0; i < l.events.n; i++)
            assert_true(l.events.v[i].verdict != TL_VERDICT_OK && !l.events.v[i].proven);
        assert_int_equal(l.rx.counters.messages_ok, 0);
        tl_packets_free(&packets);
        tl_loop_close(&l);
    }
}

/* A pattern that differs in one number only is another configuration, and another key. */
static void patterns_when_they_differ_then_the_ends_share_no_key(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };

    (void)state;
    tl_loop_init(&l, crypto);
    l.config.variant[TL_BLOCK_MIDDLE] = TL_SV_3;
    l.config.pattern[TL_BLOCK_MIDDLE] = (tl_pattern){ 0, 2, 4 };
    l.rx_config = l.config;
    l.rx_config.pattern[TL_BLOCK_MIDDLE].period = 5;
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_ok(tl_loop_send(&l, &packets));
    tl_assert_ok(tl_loop_receive(&l, &packets));
    assert_int_equal(tl_events_first(&l.events, TL_EVENT_MESSAGE)->verdict, TL_VERDICT_CONFIGURATION);
    assert_int_equal(tl_events_count(&l.events, TL_EVENT_OPENED), 0);
    tl_packets_free(&packets);
    tl_loop_close(&l);
}

/* ---- limits of lists ---- */

static void lists_when_their_limit_is_reached_then_the_sender_begins_no_frame(void **state)
{
    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        tl_loop l;
        tl_packets packets = { 0 };
        tl_loop_init(&l, crypto);
        l.config.tag_mode = TL_TAG_PER_DATA_TYPE;
        l.config.limits.lists = 3 * 2 + more; /* an odd one serves no frame more */
        l.rx_config = l.config;
        l.rx_config.limits.lists = 0;
        tl_assert_ok(tl_loop_open(&l, 0));
        for (int i = 0; i < 3; i++)
            tl_assert_ok(tl_loop_send(&l, &packets));
        tl_assert_err(TL_E_LIMIT, tl_loop_send(&l, &packets));
        assert_true(l.tx.key.lists == 6);
        tl_assert_ok(tl_stream_tx_rekey(&l.tx, &l.tx_source, 1));
        tl_assert_ok(tl_stream_rx_rekey(&l.rx, &l.rx_source, 1));
        tl_assert_ok(tl_loop_send(&l, &packets));
        tl_assert_ok(tl_loop_receive(&l, &packets));
        assert_int_equal(l.rx.counters.frames_ok, 4);
        tl_packets_free(&packets);
        tl_loop_close(&l);
    }
}

static void lists_when_their_limit_is_reached_then_the_receiver_takes_nothing_more_under_that_key(
    void **state)
{
    (void)state;
    for (unsigned limit = 5; limit <= 6; limit++) {
        tl_loop l;
        tl_packets packets = { 0 };
        const tl_stream_event *told;
        tl_loop_init(&l, crypto);
        l.config.tag_mode = TL_TAG_PER_DATA_TYPE;
        l.rx_config = l.config;
        l.rx_config.limits.lists = limit;
        l.rx_batch = 1;
        tl_assert_ok(tl_loop_open(&l, 0));
        for (int i = 0; i < 4; i++)
            tl_assert_ok(tl_loop_send(&l, &packets));
        tl_assert_ok(tl_loop_receive(&l, &packets));
        assert_int_equal(l.rx.counters.frames_ok, limit / 2);
        assert_true(l.rx.key.lists == limit);
        assert_int_equal(l.rx.counters.frames_bad, limit % 2);
        if (limit % 2 == 1) /* one of the third frame's two lists could still be looked at */
            assert_int_equal(tl_events_last(&l.events, TL_EVENT_FRAME)->verdict, TL_VERDICT_LIMIT);
        told = tl_events_first(&l.events, TL_EVENT_LIMIT);
        assert_non_null(told);
        assert_int_equal(tl_events_last(&l.events, TL_EVENT_MESSAGE)->verdict, TL_VERDICT_LIMIT);
        tl_packets_free(&packets);
        tl_loop_close(&l);
    }
}

static void lists_when_wrong_ones_reach_the_limit_then_the_key_is_done(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };

    (void)state;
    tl_loop_init(&l, crypto);
    l.config.tag_mode = TL_TAG_PER_FRAME;
    l.rx_config = l.config;
    l.rx_config.limits.bad = 2;
    tl_assert_ok(tl_loop_open(&l, 0));
    for (int i = 0; i < 3; i++) {
        tl_packets_free(&packets);
        tl_assert_ok(tl_loop_send(&l, &packets));
        if (i < 2) {
            packets.v[TL_LOOP_LINE].p[TL_SEP_BEFORE] ^= 1;
            tl_assert_ok(tl_loop_repair(&l.config, packets.v[TL_LOOP_LINE]));
        }
        tl_assert_ok(tl_loop_receive(&l, &packets));
    }
    assert_int_equal(l.rx.counters.frames_bad, 2);
    assert_int_equal(l.rx.counters.frames_ok, 0);
    assert_int_equal(tl_events_last(&l.events, TL_EVENT_MESSAGE)->verdict, TL_VERDICT_LIMIT);
    tl_packets_free(&packets);
    tl_loop_close(&l);
}

/* ---- state and what is not proven ---- */

/* ---- re-configuration ---- */

/* Both ends stop, and start anew under l->config. */
static void configure(tl_loop *l, uint32_t epoch)
{
    const tl_buffer memory = { l->memory, tl_stream_frame_bytes(&l->config) };

    tl_stream_tx_wipe(&l->tx);
    tl_stream_rx_wipe(&l->rx);
    l->rx_config = l->config;
    tl_assert_ok(tl_stream_tx_init(&l->tx, &l->config, &l->tx_source, epoch));
    tl_assert_ok(
        tl_stream_rx_init(&l->rx, &l->rx_config, &l->rx_source, epoch, memory, tl_events_sink(&l->events)));
}

/* The recording opens nothing and costs nothing: the frame behind it is ok. */
static void replay_is_refused(tl_loop *l, const tl_packets *recording, tl_verdict verdict)
{
    tl_packets packets = { 0 };

    tl_events_clear(&l->events);
    tl_assert_ok(tl_loop_receive(l, recording));
    assert_int_equal(tl_events_count(&l->events, TL_EVENT_OPENED), 0);
    assert_int_equal(tl_events_first(&l->events, TL_EVENT_MESSAGE)->verdict, verdict);
    assert_int_equal(l->rx.counters.messages_ok, 0);
    tl_assert_ok(tl_loop_send(l, &packets));
    tl_assert_ok(tl_loop_receive(l, &packets));
    assert_int_equal(tl_events_count(&l->events, TL_EVENT_LOST), 0);
    assert_true(tl_loop_is_frame(l, tl_events_last(&l->events, TL_EVENT_FRAME), 100));
    tl_packets_free(&packets);
}

/* There and back between two configurations, and on to a third: an epoch never serves two of them, nor one twice, and what
 * was recorded under the first one is worth nothing when it comes back. */
static void configuration_when_changed_and_changed_back_then_new_epochs_and_no_nonce_twice(void **state)
{
    tl_nonces nonces;
    tl_packets recording = { 0 };
    tl_loop l;

    (void)state;
    tl_nonces_init(&nonces, crypto, TL_NONCES_FAIL);
    nonces.ends = 2;
    tl_loop_init(&l, tl_nonces_crypto(&nonces));
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_ok(tl_loop_send(&l, &recording));
    for (uint32_t epoch = 1; epoch <= 6; epoch++) {
        tl_stream_tx none;
        l.config.tag_mode = epoch % 2 != 0 ? TL_TAG_PER_FRAME : TL_TAG_PER_MESSAGE;
        l.config.variant[TL_BLOCK_TOP] = epoch < 5 ? TL_SV_2 : TL_SV_1;
        for (uint32_t old = 0; old < epoch; old++)
            tl_assert_err(TL_E_EPOCH, tl_stream_tx_init(&none, &l.config, &l.tx_source, old));
        configure(&l, epoch);
        replay_is_refused(&l, &recording, TL_VERDICT_KEY);
    }
    assert_int_equal(nonces.repeats, 0);
    assert_true(nonces.used > 7 * 23);
    tl_packets_free(&recording);
    tl_loop_close(&l);
    tl_nonces_free(&nonces);
}

/* A key's number in the header is its epoch's low byte. Frames that the sender itself made, 256 epochs ago and under a
 * configuration that protects less, name the number of today's key. */
static void key_number_when_it_was_a_weaker_configurations_then_its_frames_open_nothing(void **state)
{
    static const tl_variant weaker[] = { TL_SV_5, TL_SV_3, TL_SV_4 };

    (void)state;
    for (size_t i = 0; i < sizeof weaker / sizeof weaker[0]; i++) {
        tl_packets recording = { 0 };
        tl_loop_message m;
        uint32_t number;
        tl_loop l;
        tl_loop_init(&l, crypto);
        l.config.variant[TL_BLOCK_MIDDLE] = (uint8_t)weaker[i];
        if (weaker[i] != TL_SV_5)
            l.config.pattern[TL_BLOCK_MIDDLE] = (tl_pattern){ 0, 1, 2 };
        tl_assert_ok(tl_loop_open(&l, 7));
        tl_assert_ok(tl_loop_send(&l, &recording));
        tl_assert_ok(tl_loop_read(&l.config, recording.v[1], &m));
        number = m.header.key;
        l.config.variant[TL_BLOCK_MIDDLE] = TL_SV_2;
        l.config.pattern[TL_BLOCK_MIDDLE] = (tl_pattern){ 0, 0, 0 };
        configure(&l, 7 + 256);
        assert_int_equal(l.rx.key.epoch & 0xFF, number);
        replay_is_refused(&l, &recording, TL_VERDICT_CONFIGURATION);
        tl_packets_free(&recording);
        tl_loop_close(&l);
    }
}

/* ---- state ---- */

/* Whatever lines came in a frame, the next one begins as if there had been none. */
static void state_when_a_frame_of_forged_lines_has_closed_then_as_after_any_other(void **state)
{
    (void)state;
    for (int mode = TL_TAG_PER_DATA_TYPE; mode <= TL_TAG_PER_FRAME; mode++) {
        tl_loop l;
        tl_packets packets = { 0 };
        tl_loop_init(&l, crypto);
        l.config.tag_mode = (tl_tag_mode)mode;
        l.rx_batch = 3;
        tl_assert_ok(tl_loop_open(&l, 0));
        for (int i = 0; i < 20; i++) {
            tl_packets_free(&packets);
            tl_events_clear(&l.events);
            tl_assert_ok(tl_loop_send(&l, &packets));
            for (int forged = 0; forged < 30 && i % 2 == 0; forged++) { /* far ahead, far behind, again */
                tl_loop_message m;
                size_t from = TL_LOOP_LINE + (size_t)(forged * 7 % 22),
                       to = TL_LOOP_LINE + (size_t)forged % 23;
                tl_packets_insert(&packets, to, tl_span_of(packets.v[from].p, packets.v[from].n));
                tl_assert_ok(tl_loop_read(&l.config, packets.v[to], &m));
                if (m.payload_n > 0)
                    m.payload[0] ^= (uint8_t)forged;
                tl_assert_ok(tl_loop_repair(&l.config, packets.v[to]));
            }
            tl_assert_ok(tl_loop_receive(&l, &packets));
            if (i % 2 == 0)
                assert_int_not_equal(tl_events_last(&l.events, TL_EVENT_FRAME)->verdict, TL_VERDICT_OK);
            else
                assert_true(
                    tl_loop_is_frame(&l, tl_events_last(&l.events, TL_EVENT_FRAME), 100 + (uint32_t)i));
        }
        assert_int_equal(l.rx.counters.frames_ok, 10);
        assert_int_equal(l.rx.counters.frames_bad, 10);
        assert_int_equal(l.rx.counters.frames_lost, 0);
        tl_packets_free(&packets);
        tl_loop_close(&l);
    }
}

/* Without keys a far begin is believed: that is what keys are for. */
static void begin_when_forged_far_ahead_then_refused_with_keys_alone(void **state)
{
    (void)state;
    for (int keys = 0; keys < 2; keys++) {
        tl_loop l;
        tl_packets packets = { 0 };
        tl_loop_message m;
        tl_loop_init(&l, crypto);
        l.config.tag_mode = TL_TAG_PER_MESSAGE;
        if (!keys) {
            l.config.suite = TL_SUITE_NONE;
            l.config.tag_size = 0;
            for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++)
                l.config.variant[block] = TL_SV_5;
        }
        tl_assert_ok(tl_loop_open(&l, 0));
        tl_assert_ok(tl_loop_send(&l, &packets));
        tl_packets_insert(&packets, 1, tl_span_of(packets.v[1].p, packets.v[1].n));
        tl_assert_ok(tl_loop_read(&l.config, packets.v[1], &m));
        m.header.frame = 5000;
        tl_assert_ok(tl_loop_write(&l.config, packets.v[1], &m));
        tl_assert_ok(tl_loop_repair(&l.config, packets.v[1]));
        tl_assert_ok(tl_loop_receive(&l, &packets));
        assert_int_equal(l.rx.counters.frames_ok, keys);
        assert_true(l.rx.expected == (keys ? 101 : 5001));
        tl_packets_free(&packets);
        tl_loop_close(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_when_the_key_is_the_same_then_the_same_in_every_mode_and_size),
        cmocka_unit_test(list_when_closed_then_all_tags_and_a_header_with_their_number_behind),
        cmocka_unit_test(frames_when_sent_under_a_weaker_configuration_then_configuration_and_nothing_opens),
        cmocka_unit_test(patterns_when_they_differ_then_the_ends_share_no_key),
        cmocka_unit_test(lists_when_their_limit_is_reached_then_the_sender_begins_no_frame),
        cmocka_unit_test(
            lists_when_their_limit_is_reached_then_the_receiver_takes_nothing_more_under_that_key),
        cmocka_unit_test(lists_when_wrong_ones_reach_the_limit_then_the_key_is_done),
        cmocka_unit_test(configuration_when_changed_and_changed_back_then_new_epochs_and_no_nonce_twice),
        cmocka_unit_test(key_number_when_it_was_a_weaker_configurations_then_its_frames_open_nothing),
        cmocka_unit_test(state_when_a_frame_of_forged_lines_has_closed_then_as_after_any_other),
        cmocka_unit_test(begin_when_forged_far_ahead_then_refused_with_keys_alone),
    };

    return cmocka_run_group_tests_name("claims", tests, open_backend, close_backend);
}
