/* The sending end: misuse that changes nothing, copies that are noticed, counters at their ends, and packets that any
 * AES-GCM makes of the same key, nonce and header. */
#include "group.h"

#include <openssl/evp.h>

/* The loop's backend, and what it was given: the last key's bytes. */
typedef struct watcher {
    tl_wrap wrap;
    uint8_t key[32];
} watcher;

static tl_err watch_load(void *ctx, tl_suite suite, tl_span key, tl_key *k)
{
    watcher *w = ctx;

    memcpy(w->key, key.p, key.n);
    return w->wrap.inner->ops->key_load(w->wrap.inner->ctx, suite, key, k);
}

static void start(tl_loop *l)
{
    tl_loop_init(l, crypto);
    tl_assert_ok(tl_loop_open(l, 0));
}

static void finish(tl_loop *l, tl_packets *packets)
{
    tl_packets_free(packets);
    tl_loop_close(l);
}

/* A message with room to spare. */
typedef struct slot {
    uint8_t bytes[400];
    tl_tx_message m;
} slot;

static tl_tx_message *message(slot *s, uint8_t data_type, uint16_t length)
{
    memset(s, 0, sizeof *s);
    s->m = (tl_tx_message){
        .data_type = data_type, .length = length, .buffer = s->bytes, .room = sizeof s->bytes
    };
    return &s->m;
}

static void untouched(const tl_loop *l, const tl_stream_tx *before, const slot *s)
{
    assert_memory_equal(before, &l->tx, sizeof *before);
    tl_assert_all(s->bytes, 0, sizeof s->bytes);
    assert_null(s->m.packet.p);
}

static void messages_when_misused_then_nothing_changes_and_the_frame_goes_on(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };
    tl_stream_tx before;
    slot s;

    (void)state;
    start(&l);
    tl_assert_err(TL_E_STATE, tl_stream_tx_messages(&l.tx, message(&s, TL_DT_EMBEDDED, 40), 1));
    tl_assert_ok(tl_loop_begin(&l, &packets));
    before = l.tx;
    tl_assert_err(TL_E_USAGE, tl_stream_tx_messages(&l.tx, message(&s, TL_DT_RAW12, 40), 1));
    untouched(&l, &before, &s);
    tl_assert_err(TL_E_USAGE, tl_stream_tx_messages(&l.tx, message(&s, TL_SEP_SERVICE_TYPE, 40), 1));
    untouched(&l, &before, &s);
    tl_assert_err(TL_E_USAGE, tl_stream_tx_messages(&l.tx, message(&s, TL_DT_EMBEDDED, 39), 1));
    tl_assert_err(TL_E_USAGE, tl_stream_tx_messages(&l.tx, message(&s, TL_DT_EMBEDDED, 41), 1));
    tl_assert_err(TL_E_USAGE, tl_stream_tx_messages(&l.tx, message(&s, TL_DT_EMBEDDED, 0), 1));
    untouched(&l, &before, &s);
    for (size_t room = 0; room < TL_SEP_OVERHEAD_MAX + 40; room++) {
        message(&s, TL_DT_EMBEDDED, 40)->room = room;
        tl_assert_err(TL_E_ROOM, tl_stream_tx_messages(&l.tx, &s.m, 1));
        untouched(&l, &before, &s);
    }
    tl_assert_ok(tl_stream_tx_messages(&l.tx, NULL, 0));
    assert_memory_equal(&before, &l.tx, sizeof before);
    tl_assert_ok(tl_loop_messages(&l, 23, &packets));
    tl_assert_ok(tl_loop_end(&l, &packets));
    tl_assert_ok(tl_loop_receive(&l, &packets));
    assert_true(tl_loop_is_frame(&l, tl_events_last(&l.events, TL_EVENT_FRAME), 100));
    finish(&l, &packets);
}

static void messages_when_one_of_many_is_wrong_then_none_is_made(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };
    tl_stream_tx before;
    static slot s[40];
    tl_tx_message m[40];

    (void)state;
    start(&l);
    tl_assert_ok(tl_loop_begin(&l, &packets));
    before = l.tx;
    for (size_t n = 1; n <= 40; n++) {
        for (size_t i = 0; i < n; i++) {
            bool embedded = i < 2 || i == 22;
            m[i] = *message(&s[i], embedded ? TL_DT_EMBEDDED : TL_DT_RAW12, embedded ? 40 : 90);
        }
        m[n - 1].length = (uint16_t)(n <= 23 ? 7 : m[n - 1].length); /* the 24th is one too many by itself */
        tl_assert_err(TL_E_USAGE, tl_stream_tx_messages(&l.tx, m, n));
        for (size_t i = 0; i < n; i++)
            untouched(&l, &before, &s[i]);
    }
    tl_assert_ok(tl_loop_messages(&l, 23, &packets));
    tl_assert_err(TL_E_USAGE, tl_stream_tx_messages(&l.tx, message(&s[0], TL_DT_EMBEDDED, 40), 1));
    tl_assert_ok(tl_loop_end(&l, &packets));
    finish(&l, &packets);
}

static void calls_when_out_of_order_then_state(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };

    (void)state;
    start(&l);
    tl_assert_err(TL_E_STATE, tl_loop_end(&l, &packets));
    tl_assert_ok(tl_loop_begin(&l, &packets));
    tl_assert_err(TL_E_STATE, tl_loop_begin(&l, &packets));
    tl_assert_ok(tl_loop_end(&l, &packets));
    tl_assert_err(TL_E_STATE, tl_loop_end(&l, &packets));
    assert_int_equal(packets.n, 4);
    finish(&l, &packets);
}

static void begin_when_the_backend_fails_then_no_packet_is_there(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };
    tl_faulty f;
    tl_tx_edge edge;

    (void)state;
    tl_faulty_init(&f, crypto, 0);
    tl_loop_init(&l, tl_faulty_crypto(&f));
    tl_assert_ok(tl_loop_open(&l, 0));
    f.fail_at = f.calls + 1;
    tl_assert_err(TL_E_BACKEND, tl_stream_tx_begin(&l.tx, 0, &edge));
    tl_assert_all(&edge, 0, sizeof edge);
    tl_assert_err(TL_E_STATE, tl_stream_tx_begin(&l.tx, 0, &edge));
    tl_stream_tx_abandon(&l.tx);
    tl_assert_ok(tl_loop_begin(&l, &packets));
    assert_int_equal(l.tx.frame, 101);
    finish(&l, &packets);
}

/* ---- frames that are cut short by the sender ---- */

static void end_early(uint32_t sent, uint8_t data_type, uint16_t message_number)
{
    tl_loop l;
    tl_packets packets = { 0 };
    const tl_stream_event *e;

    start(&l);
    tl_assert_ok(tl_loop_begin(&l, &packets));
    tl_assert_ok(tl_loop_messages(&l, sent, &packets));
    tl_assert_ok(tl_loop_end(&l, &packets));
    tl_assert_ok(tl_loop_receive(&l, &packets));
    e = tl_events_last(&l.events, TL_EVENT_FRAME);
    assert_non_null(e);
    assert_int_equal(e->verdict, TL_VERDICT_GAP);
    assert_int_equal(e->cause, TL_VERDICT_GAP);
    assert_int_equal(e->count, 23 - sent);
    assert_int_equal(e->data_type, data_type);
    assert_int_equal(e->message, message_number);
    assert_null(e->payload.p);
    tl_packets_free(&packets);
    tl_events_clear(&l.events);
    tl_assert_ok(tl_loop_send(&l, &packets));
    tl_assert_ok(tl_loop_receive(&l, &packets));
    assert_true(tl_loop_is_frame(&l, tl_events_last(&l.events, TL_EVENT_FRAME), 101));
    finish(&l, &packets);
}

static void end_when_early_then_gap_with_the_first_missing_message_and_count(void **state)
{
    (void)state;
    end_early(0, TL_DT_EMBEDDED, 0);
    end_early(1, TL_DT_EMBEDDED, 1);
    for (uint16_t row = 0; row < 20; row++) /* embedded line 2, at the bottom, is missing too, but later */
        end_early(2u + row, TL_DT_RAW12, row);
    end_early(22, TL_DT_EMBEDDED, 2);
}

static void abandon_when_a_frame_is_open_then_its_number_is_spent(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };
    const tl_stream_event *e;

    (void)state;
    start(&l);
    tl_stream_tx_abandon(&l.tx);
    tl_assert_ok(tl_loop_begin(&l, &packets));
    tl_assert_ok(tl_loop_messages(&l, 10, &packets));
    tl_stream_tx_abandon(&l.tx);
    tl_assert_err(TL_E_STATE, tl_loop_messages(&l, 1, &packets));
    tl_assert_err(TL_E_STATE, tl_loop_end(&l, &packets));
    tl_assert_ok(tl_loop_send(&l, &packets));
    tl_assert_ok(tl_loop_receive(&l, &packets));
    e = tl_events_first(&l.events, TL_EVENT_FRAME);
    assert_true(e->frame == 100 && e->verdict == TL_VERDICT_CUT && e->cause == TL_VERDICT_CUT);
    assert_int_equal(e->count, 13);
    assert_true(tl_loop_is_frame(&l, tl_events_last(&l.events, TL_EVENT_FRAME), 101));
    finish(&l, &packets);
}

/* ---- counters at their ends ---- */

static void begin_when_the_frame_number_is_the_last_then_ok_and_then_refused(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };

    (void)state;
    tl_loop_init(&l, crypto);
    l.config.first_frame = 0xFFFFFFFE;
    tl_assert_ok(tl_loop_open(&l, 0));
    tl_assert_ok(tl_loop_send(&l, &packets));
    tl_assert_ok(tl_loop_send(&l, &packets));
    tl_assert_err(TL_E_LIMIT, tl_loop_begin(&l, &packets));
    tl_assert_err(TL_E_LIMIT, tl_loop_begin(&l, &packets));
    tl_assert_ok(tl_stream_tx_rekey(&l.tx, &l.tx_source, 1));
    tl_assert_err(TL_E_LIMIT, tl_loop_begin(&l, &packets)); /* a new key does not turn the counter back */
    tl_assert_ok(tl_loop_receive(&l, &packets));
    assert_true(tl_loop_is_frame(&l, tl_events_last(&l.events, TL_EVENT_FRAME), 0xFFFFFFFF));
    tl_events_clear(&l.events);
    tl_assert_ok(tl_loop_receive(&l, &packets)); /* all of it once more */
    assert_int_equal(tl_events_count(&l.events, TL_EVENT_OPENED), 0);
    assert_int_equal(tl_events_count(&l.events, TL_EVENT_FRAME), 0);
    finish(&l, &packets);
}

static void begin_when_the_frame_would_pass_a_limit_then_refused_before_it(void **state)
{
    (void)state;
    for (unsigned what = 0; what < 2; what++) {
        tl_loop l;
        tl_packets packets = { 0 };
        tl_loop_init(&l, crypto);
        if (what == 0)
            l.config.limits.messages = 3 * 25;
        else
            l.config.limits.bytes =
                3 * tl_stream_frame_bytes(&l.config) + 2 * TL_SEP_SERVICE_MAX + 2 * 2 * TL_SEP_SERVICE_MAX;
        l.rx_config = l.config;
        l.rx_config.limits = (tl_stream_limits){ 0, 0, 0, 0 };
        tl_assert_ok(tl_loop_open(&l, 0));
        tl_err e = TL_OK;
        unsigned frames = 0;
        while (frames < 10 && (e = tl_loop_send(&l, &packets)) == TL_OK)
            frames++;
        tl_assert_err(TL_E_LIMIT, e);
        assert_int_equal(frames, 3);
        assert_int_equal(packets.n, 3 * 27);
        assert_true(l.tx.key.messages == 3 * 25);
        tl_assert_ok(tl_stream_tx_rekey(&l.tx, &l.tx_source, 1));
        tl_assert_ok(tl_loop_send(&l, &packets));
        finish(&l, &packets);
    }
}

/* ---- copies and moves ---- */

static void calls_when_the_context_is_a_copy_then_refused_and_the_original_goes_on(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };
    tl_stream_tx copy, to;
    tl_tx_edge edge = { 0 };
    slot s;

    (void)state;
    start(&l);
    memcpy(&copy, &l.tx, sizeof copy);
    tl_assert_err(TL_E_COPIED, tl_stream_tx_begin(&copy, 0, &edge));
    tl_assert_err(TL_E_COPIED, tl_stream_tx_rekey(&copy, &l.tx_source, 1));
    tl_assert_err(TL_E_COPIED, tl_stream_tx_move(&to, &copy));
    tl_assert_ok(tl_loop_begin(&l, &packets));
    memcpy(&copy, &l.tx, sizeof copy);
    tl_assert_err(TL_E_COPIED, tl_stream_tx_messages(&copy, message(&s, TL_DT_EMBEDDED, 40), 1));
    tl_assert_err(TL_E_COPIED, tl_stream_tx_end(&copy, &edge));
    tl_stream_tx_abandon(&copy);
    tl_assert_all(&edge, 0, sizeof edge);
    tl_stream_tx_wipe(&copy);
    tl_assert_all(&copy, 0, sizeof copy);
    tl_assert_ok(tl_loop_messages(&l, 23, &packets));
    tl_assert_ok(tl_loop_end(&l, &packets));
    tl_assert_ok(tl_loop_receive(&l, &packets));
    assert_true(tl_loop_is_frame(&l, tl_events_last(&l.events, TL_EVENT_FRAME), 100));
    finish(&l, &packets);
}

static void move_when_in_the_middle_of_a_frame_then_the_new_place_goes_on(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };
    tl_stream_tx to;

    (void)state;
    start(&l);
    tl_assert_ok(tl_loop_begin(&l, &packets));
    tl_assert_ok(tl_loop_messages(&l, 5, &packets));
    tl_assert_ok(tl_stream_tx_move(&to, &l.tx));
    tl_assert_all(&l.tx, 0, sizeof l.tx);
    tl_assert_err(TL_E_COPIED, tl_loop_end(&l, &packets));
    tl_assert_ok(tl_stream_tx_move(&l.tx, &to));
    tl_assert_all(&to, 0, sizeof to);
    tl_assert_ok(tl_loop_messages(&l, 18, &packets));
    tl_assert_ok(tl_loop_end(&l, &packets));
    tl_assert_ok(tl_loop_receive(&l, &packets));
    assert_true(tl_loop_is_frame(&l, tl_events_last(&l.events, TL_EVENT_FRAME), 100));
    finish(&l, &packets);
}

static void move_when_onto_itself_then_nothing_is_lost(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };

    (void)state;
    start(&l);
    tl_assert_ok(tl_stream_tx_move(&l.tx, &l.tx));
    tl_assert_ok(tl_loop_send(&l, &packets));
    finish(&l, &packets);
}

static void init_when_refused_then_zero_and_the_source_unchanged(void **state)
{
    tl_loop l;
    tl_stream_tx tx;
    tl_key_source source, copy;

    (void)state;
    tl_loop_init(&l, crypto);
    tl_assert_ok(tl_loop_source(&l, &source, 0));
    memcpy(&copy, &source, sizeof copy);
    tl_assert_err(TL_E_COPIED, tl_stream_tx_init(&tx, &l.config, &copy, 0));
    tl_assert_err(TL_E_EPOCH, tl_stream_tx_init(&tx, &l.config, &source, TL_EPOCH_JUMP_MAX + 1));
    l.config.stream = 0;
    tl_assert_err(TL_E_CONFIGURATION, tl_stream_tx_init(&tx, &l.config, &source, 0));
    tl_assert_all(&tx, 0, sizeof tx);
    assert_memory_equal(source.secret, copy.secret, sizeof copy.secret);
    assert_true(source.next == 0);
    tl_key_source_wipe(&source);
}

/* ---- what any AES-GCM makes ---- */

static void gcm(const uint8_t *key, const uint8_t nonce[12], tl_span aad, uint8_t *data, int n,
                uint8_t tag[16])
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int out;
    uint8_t none[16];

    assert_int_equal(EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, key, nonce), 1);
    assert_int_equal(EVP_EncryptUpdate(c, NULL, &out, aad.p, (int)aad.n), 1);
    if (n > 0)
        assert_int_equal(EVP_EncryptUpdate(c, data, &out, data, n), 1);
    assert_int_equal(EVP_EncryptFinal_ex(c, none, &out), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, 16, tag), 1);
    EVP_CIPHER_CTX_free(c);
}

static void same_as_gcm(const tl_loop *l, const uint8_t *key, tl_buffer packet, size_t i)
{
    const tl_env env = { 0 };
    tl_loop_message m;
    uint8_t nonce[TL_NONCE_SIZE], payload[90], tag[16];
    tl_wr w = tl_wr_of(nonce, sizeof nonce);
    unsigned part;
    uint32_t row;

    tl_loop_place(&l->config, i, &part, &row);
    tl_loop_payload(&l->config, 100, part, row, payload);
    tl_assert_ok(tl_loop_read(&l->config, packet, &m));
    const tl_sep_nonce n = { .salt = tl_span_of(l->tx.key.salt, 4),
                             .frame = 100,
                             .message = m.header.message,
                             .purpose = TL_SEP_PURPOSE_MESSAGE,
                             .data_type = l->config.parts[part].data_type };
    tl_assert_ok(tl_encode_sep_nonce(&env, &n, &w));
    assert_int_equal(w.n, sizeof nonce);
    assert_int_equal(m.header.message, part == 2 ? 2 + row : row);
    assert_int_equal(m.header.frame, 100);
    assert_int_equal(m.header.stream, 0x1234);
    assert_int_equal(m.header.block, l->config.parts[part].block);
    assert_int_equal(m.header.length, m.payload_n);
    gcm(key, nonce, tl_span_of(packet.p + TL_CSI2_HEADER_SIZE, TL_SEP_HEADER_SIZE), payload, (int)m.payload_n,
        tag);
    assert_memory_equal(m.footer.tag.p, tag, 16);
    assert_memory_equal(m.payload, payload, m.payload_n);
}

static void message_when_sealed_with_sv_1_then_exactly_aes_gcm_with_h_as_aad(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };
    watcher w;

    (void)state;
    tl_wrap_init(&w.wrap, crypto);
    w.wrap.ops.key_load = watch_load;
    tl_loop_init(&l, &w.wrap.crypto);
    l.config.variant[TL_BLOCK_TOP] = TL_SV_1;
    l.config.variant[TL_BLOCK_BOTTOM] = TL_SV_1;
    tl_assert_ok(tl_loop_open(&l, 3));
    tl_assert_ok(tl_loop_send(&l, &packets));
    for (size_t i = 0; i < 23; i++)
        same_as_gcm(&l, w.key, packets.v[TL_LOOP_LINE + i], i);
    finish(&l, &packets);
}

/* SV-2: the payload stands in clear, and is what a GMAC covers: AES-GCM with header and payload as AAD. */
static void message_when_sealed_with_sv_2_then_gmac_over_header_and_payload(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };
    watcher w;

    (void)state;
    tl_wrap_init(&w.wrap, crypto);
    w.wrap.ops.key_load = watch_load;
    tl_loop_init(&l, &w.wrap.crypto);
    tl_assert_ok(tl_loop_open(&l, 3));
    tl_assert_ok(tl_loop_send(&l, &packets));
    for (size_t i = 0; i < 2; i++) {
        const tl_env env = { 0 };
        tl_loop_message m;
        uint8_t nonce[TL_NONCE_SIZE], tag[16];
        tl_wr wr = tl_wr_of(nonce, sizeof nonce);
        tl_buffer packet = packets.v[TL_LOOP_LINE + i];

        tl_assert_ok(tl_loop_read(&l.config, packet, &m));
        const tl_sep_nonce n = { .salt = tl_span_of(l.tx.key.salt, 4),
                                 .frame = 100,
                                 .message = (uint32_t)i,
                                 .purpose = TL_SEP_PURPOSE_MESSAGE,
                                 .data_type = TL_DT_EMBEDDED };
        tl_assert_ok(tl_encode_sep_nonce(&env, &n, &wr));
        gcm(w.key, nonce, tl_span_of(packet.p + TL_CSI2_HEADER_SIZE, TL_SEP_HEADER_SIZE + m.payload_n), NULL,
            0, tag);
        assert_memory_equal(m.footer.tag.p, tag, 16);
    }
    finish(&l, &packets);
}

static void packets_when_sent_then_on_the_channel_with_short_packets_around(void **state)
{
    tl_loop l;
    tl_packets packets = { 0 };
    tl_csi2_packet p;

    (void)state;
    start(&l);
    tl_assert_ok(tl_loop_send(&l, &packets));
    for (size_t i = 0; i < packets.n; i++) {
        tl_csi2_read(tl_span_of(packets.v[i].p, packets.v[i].n), &p);
        assert_true(p.ecc == TL_CSI2_ECC_OK && p.crc_right);
        assert_int_equal(p.header.virtual_channel, 1);
        assert_int_equal(p.header.data_type, i == 0               ? TL_DT_FRAME_START
                                             : i == packets.n - 1 ? TL_DT_FRAME_END
                                                                  : TL_SEP_WIRE_TYPE);
        if (tl_csi2_is_short(p.header.data_type))
            assert_int_equal(p.header.word_count, 101);
    }
    finish(&l, &packets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_when_misused_then_nothing_changes_and_the_frame_goes_on),
        cmocka_unit_test(messages_when_one_of_many_is_wrong_then_none_is_made),
        cmocka_unit_test(calls_when_out_of_order_then_state),
        cmocka_unit_test(begin_when_the_backend_fails_then_no_packet_is_there),
        cmocka_unit_test(end_when_early_then_gap_with_the_first_missing_message_and_count),
        cmocka_unit_test(abandon_when_a_frame_is_open_then_its_number_is_spent),
        cmocka_unit_test(begin_when_the_frame_number_is_the_last_then_ok_and_then_refused),
        cmocka_unit_test(begin_when_the_frame_would_pass_a_limit_then_refused_before_it),
        cmocka_unit_test(calls_when_the_context_is_a_copy_then_refused_and_the_original_goes_on),
        cmocka_unit_test(move_when_in_the_middle_of_a_frame_then_the_new_place_goes_on),
        cmocka_unit_test(move_when_onto_itself_then_nothing_is_lost),
        cmocka_unit_test(init_when_refused_then_zero_and_the_source_unchanged),
        cmocka_unit_test(message_when_sealed_with_sv_1_then_exactly_aes_gcm_with_h_as_aad),
        cmocka_unit_test(message_when_sealed_with_sv_2_then_gmac_over_header_and_payload),
        cmocka_unit_test(packets_when_sent_then_on_the_channel_with_short_packets_around),
    };

    return cmocka_run_group_tests_name("send", tests, open_backend, close_backend);
}
