/* Every tag mode, suite, tag size and security variant: what is sent right is ok, what is changed is named, and what a
 * mode by its design cannot notice is shown as such. */
#include "group.h"

typedef struct scene {
    tl_nonces nonces;
    tl_loop loop;
    tl_packets frame[3];
} scene;

static const tl_pattern line_pattern = { 1, 1, 2 }, byte_pattern = { 3, 5, 11 };

static void vary(tl_stream_config *c, unsigned block, tl_variant variant)
{
    c->variant[block] = (uint8_t)variant;
    c->pattern[block] = variant == TL_SV_3   ? line_pattern
                        : variant == TL_SV_4 ? byte_pattern
                                             : (tl_pattern){ 0, 0, 0 };
}

static void without_keys(tl_stream_config *c)
{
    c->suite = TL_SUITE_NONE;
    c->tag_size = 0;
    for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++)
        vary(c, block, TL_SV_5);
}

/* The loop's stream, with two lines at the bottom, so that a pattern of lines makes sense there. */
static void prepare(scene *s)
{
    memset(s, 0, sizeof *s);
    tl_nonces_init(&s->nonces, crypto, TL_NONCES_FAIL);
    s->nonces.ends = 2;
    tl_loop_init(&s->loop, tl_nonces_crypto(&s->nonces));
    s->loop.config.parts[2].count = 2;
    s->loop.config.parts[2].length = 44;
}

static void open_and_send(scene *s)
{
    tl_assert_ok(tl_loop_open(&s->loop, 0));
    for (int i = 0; i < 3; i++)
        tl_assert_ok(tl_loop_send(&s->loop, &s->frame[i]));
}

static void start(scene *s, tl_tag_mode mode)
{
    prepare(s);
    s->loop.config.tag_mode = mode;
    open_and_send(s);
}

static void finish(scene *s)
{
    for (int i = 0; i < 3; i++)
        tl_packets_free(&s->frame[i]);
    tl_loop_close(&s->loop);
    tl_nonces_free(&s->nonces);
}

static const tl_stream_event *frame_event(const scene *s, uint32_t frame)
{
    const tl_stream_event *found = NULL;

    for (size_t i = 0; i < s->loop.events.n; i++)
        if (s->loop.events.v[i].kind == TL_EVENT_FRAME && s->loop.events.v[i].frame == frame) {
            assert_null(found);
            found = &s->loop.events.v[i];
        }
    return found;
}

/* Receives all three; the first and the last must be right whatever became of the middle one, whose event is given. */
static const tl_stream_event *receive(scene *s)
{
    tl_packets all = { 0 };
    const tl_stream_event *e;

    for (int i = 0; i < 3; i++)
        tl_packets_join(&all, &s->frame[i]);
    tl_assert_ok(tl_loop_receive(&s->loop, &all));
    tl_packets_free(&all);
    assert_true(tl_loop_is_frame(&s->loop, frame_event(s, 100), 100));
    assert_true(tl_loop_is_frame(&s->loop, frame_event(s, 102), 102));
    e = frame_event(s, 101);
    if (e != NULL && e->verdict != TL_VERDICT_OK)
        assert_null(e->payload.p);
    return e;
}

static void expect(const tl_stream_event *e, tl_verdict verdict, tl_verdict cause, uint8_t data_type,
                   uint16_t message, uint32_t missing)
{
    assert_non_null(e);
    if (e->verdict != verdict || e->cause != cause || e->data_type != data_type || e->message != message ||
        e->count != missing)
        fail_msg("%s because of %s at type %u message %u, %u missing; not %s of %s at type %u message %u, %u",
                 tl_verdict_text(e->verdict), tl_verdict_text(e->cause), e->data_type, e->message, e->count,
                 tl_verdict_text(verdict), tl_verdict_text(cause), data_type, message, missing);
}

static void same(const tl_stream_event *e, tl_verdict verdict, uint8_t data_type, uint16_t message,
                 uint32_t missing)
{
    expect(e, verdict, verdict, data_type, message, missing);
}

static tl_buffer line(scene *s, size_t i)
{
    return s->frame[1].v[TL_LOOP_LINE + i];
}

static void flip(scene *s, size_t i, size_t byte)
{
    line(s, i).p[TL_SEP_BEFORE + byte] ^= 0x40;
    tl_assert_ok(tl_loop_repair(&s->loop.config, line(s, i)));
}

/* ---- what is right ---- */

static void frame_when_any_mode_suite_size_and_variants_then_ok(void **state)
{
    static const uint8_t sizes[] = { 8, 12, 16 };
    unsigned done = 0, refused = 0;

    (void)state;
    for (unsigned i = 0; i < 3u * 4 * 3 * 125; i++) {
        scene s;
        tl_stream_config *c = &s.loop.config;
        unsigned v = i / 36;
        prepare(&s);
        c->tag_mode = (tl_tag_mode)(1 + i % 3);
        c->suite = (tl_suite)(1 + i / 3 % 4);
        c->tag_size = sizes[i / 12 % 3];
        c->crc32 = i % 2 ? TL_WITH : TL_WITHOUT;
        vary(c, TL_BLOCK_TOP, (tl_variant)(1 + v % 5));
        vary(c, TL_BLOCK_MIDDLE, (tl_variant)(1 + v / 5 % 5));
        vary(c, TL_BLOCK_BOTTOM, (tl_variant)(1 + v / 25));
        c->parts[1].count = 5;
        if (tl_stream_config_check(c, NULL) != TL_OK) {
            refused++;
            continue;
        }
        done++;
        open_and_send(&s);
        assert_true(tl_loop_is_frame(&s.loop, receive(&s), 101));
        assert_int_equal(s.loop.rx.counters.frames_ok, 3);
        assert_int_equal(s.loop.rx.counters.messages_ok, 3 * (2 + 9));
        finish(&s);
    }
    assert_int_equal(refused, 125 * 2 + 24); /* short GMAC tags of messages; lists without a tag */
    assert_int_equal(done + refused, 4500);
}

static void frame_when_there_is_no_suite_then_ok_without_a_source_and_not_proven(void **state)
{
    (void)state;
    for (int crc = TL_WITHOUT; crc <= TL_WITH; crc++) {
        scene s;
        prepare(&s);
        without_keys(&s.loop.config);
        s.loop.config.crc32 = (tl_presence)crc;
        open_and_send(&s);
        assert_true(tl_loop_is_frame(&s.loop, receive(&s), 101));
        for (size_t i = 0; i < s.loop.events.n; i++)
            assert_false(s.loop.events.v[i].proven);
        assert_int_equal(s.frame[0].v[TL_LOOP_LINE].n,
                         TL_SEP_BEFORE + 40 + (crc ? 4 : 0) + TL_CSI2_FOOTER_SIZE);
        assert_int_equal(s.nonces.used, 0);
        finish(&s);
    }
}

static void rekey_when_there_is_no_suite_then_a_new_number(void **state)
{
    scene s;
    tl_packets more = { 0 };

    (void)state;
    prepare(&s);
    without_keys(&s.loop.config);
    open_and_send(&s);
    assert_true(tl_loop_is_frame(&s.loop, receive(&s), 101));
    tl_assert_err(TL_E_EPOCH, tl_stream_tx_rekey(&s.loop.tx, NULL, 0));
    tl_assert_err(TL_E_USAGE, tl_stream_tx_rekey(&s.loop.tx, &s.loop.tx_source, 1));
    tl_assert_ok(tl_stream_tx_rekey(&s.loop.tx, NULL, 1));
    tl_assert_ok(tl_stream_rx_rekey(&s.loop.rx, NULL, 1));
    tl_assert_ok(tl_loop_send(&s.loop, &more));
    tl_assert_ok(tl_loop_receive(&s.loop, &more));
    assert_true(tl_loop_is_frame(&s.loop, frame_event(&s, 103), 103));
    assert_int_equal(tl_events_first(&s.loop.events, TL_EVENT_KEY)->count, 1);
    tl_packets_free(&more);
    finish(&s);
}

static void open_when_there_is_a_suite_and_no_source_then_refused(void **state)
{
    scene s;
    static uint8_t memory[4096];

    (void)state;
    prepare(&s);
    tl_assert_err(TL_E_USAGE, tl_stream_tx_init(&s.loop.tx, &s.loop.config, NULL, 0));
    tl_assert_err(TL_E_USAGE,
                  tl_stream_rx_init(&s.loop.rx, &s.loop.config, NULL, 0, (tl_buffer){ memory, sizeof memory },
                                    (tl_stream_sink){ NULL, NULL }));
    finish(&s);
}

/* ---- accumulated tags: what is changed ---- */

enum { MODES = 2 };
static const tl_tag_mode modes[MODES] = { TL_TAG_PER_DATA_TYPE, TL_TAG_PER_FRAME };

static uint8_t list_type(const scene *s, uint8_t data_type)
{
    return s->loop.config.tag_mode == TL_TAG_PER_FRAME ? 0 : data_type;
}

static void lines_when_their_tags_are_on_lists_then_none_travels(void **state)
{
    (void)state;
    for (unsigned m = 0; m < MODES; m++) {
        scene s;
        size_t lists = modes[m] == TL_TAG_PER_FRAME ? 1 : 2;
        tl_loop_message end;
        tl_sep_end body;
        const tl_env env = { 0 };
        prepare(&s);
        s.loop.config.tag_size = 12;
        s.loop.config.tag_mode = modes[m];
        open_and_send(&s);
        assert_int_equal(line(&s, 0).n, TL_SEP_BEFORE + 40 + 4 + TL_CSI2_FOOTER_SIZE);
        tl_assert_ok(tl_loop_read(&s.loop.config, s.frame[1].v[s.frame[1].n - 2], &end));
        tl_rd r = tl_rd_of(tl_span_of(end.payload, end.payload_n));
        tl_assert_ok(tl_decode_sep_end(&env, &r, &body));
        assert_int_equal(body.tags.n, lists * 12);
        assert_int_equal(end.footer.tag.n, TL_TAG_MAX);
        finish(&s);
    }
}

static void line_when_changed_then_tag_of_its_list(void **state)
{
    (void)state;
    for (unsigned m = 0; m < MODES; m++)
        for (size_t i = 0; i < 24; i++) {
            scene s;
            bool pixels = i >= 2 && i < 22;
            start(&s, modes[m]);
            flip(&s, i, i);
            same(receive(&s), TL_VERDICT_TAG, list_type(&s, pixels ? TL_DT_RAW12 : TL_DT_EMBEDDED), 0, 0);
            finish(&s);
        }
}

static void line_when_its_crc32_is_wrong_then_that_if_changed_and_information_if_not(void **state)
{
    (void)state;
    for (unsigned m = 0; m < MODES; m++) {
        scene s;
        tl_loop_message message;
        start(&s, modes[m]);
        line(&s, 9).p[TL_SEP_BEFORE] ^= 1;
        tl_assert_ok(tl_csi2_repair(line(&s, 9).p, line(&s, 9).n));
        same(receive(&s), TL_VERDICT_CRC32, TL_DT_RAW12, 7, 0);
        finish(&s);
        start(&s, modes[m]);
        tl_assert_ok(tl_loop_read(&s.loop.config, line(&s, 9), &message));
        message.footer.crc32 ^= 1;
        tl_assert_ok(tl_loop_write(&s.loop.config, line(&s, 9), &message));
        tl_assert_ok(tl_csi2_repair(line(&s, 9).p, line(&s, 9).n));
        assert_true(tl_loop_is_frame(&s.loop, receive(&s), 101));
        assert_int_equal(s.loop.rx.counters.crc32_beside_tag, 1);
        finish(&s);
    }
}

static void line_when_dropped_then_gap_with_its_number_and_spoiled_its_cause(void **state)
{
    (void)state;
    for (unsigned m = 0; m < MODES; m++)
        for (size_t i = 0; i < 24; i++) {
            scene s;
            unsigned part;
            uint32_t row;
            uint8_t type;
            start(&s, modes[m]);
            tl_loop_place(&s.loop.config, i, &part, &row);
            type = s.loop.config.parts[part].data_type;
            tl_packets_drop(&s.frame[1], TL_LOOP_LINE + i);
            same(receive(&s), TL_VERDICT_GAP, type, (uint16_t)(part == 2 ? 2 + row : row), 1);
            assert_true(s.loop.rx.key.bad == 0); /* there was nothing to compare */
            finish(&s);
            start(&s, modes[m]);
            line(&s, i).p[TL_SEP_BEFORE] ^= 1;
            expect(receive(&s), TL_VERDICT_CRC16, TL_VERDICT_CRC16, type,
                   (uint16_t)(part == 2 ? 2 + row : row), 1);
            finish(&s);
        }
}

static void data_type_when_dropped_then_gap(void **state)
{
    (void)state;
    for (unsigned m = 0; m < MODES; m++) {
        scene s;
        start(&s, modes[m]);
        tl_packets_drop(&s.frame[1], TL_LOOP_LINE + 23);
        tl_packets_drop(&s.frame[1], TL_LOOP_LINE + 22);
        tl_packets_drop(&s.frame[1], TL_LOOP_LINE);
        tl_packets_drop(&s.frame[1], TL_LOOP_LINE);
        same(receive(&s), TL_VERDICT_GAP, TL_DT_EMBEDDED, 0, 4);
        finish(&s);
    }
}

static void line_when_repeated_then_repeat(void **state)
{
    (void)state;
    for (unsigned m = 0; m < MODES; m++)
        for (size_t later = 1; later < 14; later += 3) {
            scene s;
            start(&s, modes[m]);
            tl_packets_insert(&s.frame[1], TL_LOOP_LINE + 8 + later,
                              tl_span_of(line(&s, 8).p, line(&s, 8).n));
            same(receive(&s), TL_VERDICT_REPEAT, TL_DT_RAW12, 6, 0);
            finish(&s);
        }
}

static void lines_when_swapped_then_order(void **state)
{
    (void)state;
    for (unsigned m = 0; m < MODES; m++)
        for (size_t apart = 1; apart < 12; apart++) {
            scene s;
            start(&s, modes[m]);
            tl_packets_swap(&s.frame[1], TL_LOOP_LINE + 5, TL_LOOP_LINE + 5 + apart);
            same(receive(&s), TL_VERDICT_ORDER, TL_DT_RAW12, apart == 1 ? 3 : 4, 0);
            finish(&s);
        }
}

/* Between data types order is promised by the one tag per frame, and by nothing else. */
static void data_types_when_interleaved_then_ok_per_type_and_order_per_frame(void **state)
{
    (void)state;
    for (unsigned m = 0; m < MODES; m++) {
        scene s;
        start(&s, modes[m]);
        tl_packets_swap(&s.frame[1], TL_LOOP_LINE + 1, TL_LOOP_LINE + 2);
        if (modes[m] == TL_TAG_PER_FRAME)
            same(receive(&s), TL_VERDICT_ORDER, TL_DT_EMBEDDED, 1, 0);
        else
            assert_true(tl_loop_is_frame(&s.loop, receive(&s), 101));
        finish(&s);
    }
}

/* A line of somebody else, once behind the right one and once in front of it: either costs the open frame alone. */
static void line_when_forged_besides_then_repeat_behind_and_tag_in_front(void **state)
{
    (void)state;
    for (unsigned m = 0; m < MODES; m++)
        for (size_t front = 0; front < 2; front++) {
            scene s;
            tl_packets forged = { 0 };
            start(&s, modes[m]);
            tl_packets_take(&forged, &s.frame[1], TL_LOOP_LINE + 8);
            forged.v[0].p[TL_SEP_BEFORE + 9] ^= 2;
            tl_assert_ok(tl_loop_repair(&s.loop.config, forged.v[0]));
            tl_packets_insert(&s.frame[1], TL_LOOP_LINE + 9 - front,
                              tl_span_of(forged.v[0].p, forged.v[0].n));
            if (front)
                same(receive(&s), TL_VERDICT_TAG, list_type(&s, TL_DT_RAW12), 0, 0);
            else
                same(receive(&s), TL_VERDICT_REPEAT, TL_DT_RAW12, 6, 0);
            tl_packets_free(&forged);
            finish(&s);
        }
}

static void line_when_forged_for_another_frame_then_dropped(void **state)
{
    (void)state;
    for (unsigned m = 0; m < MODES; m++) {
        scene s;
        start(&s, modes[m]);
        for (int other = 0; other <= 2; other += 2)
            tl_packets_insert(
                &s.frame[1], TL_LOOP_LINE + 9,
                tl_span_of(s.frame[other].v[TL_LOOP_LINE + 9].p, s.frame[other].v[TL_LOOP_LINE + 9].n));
        assert_true(tl_loop_is_frame(&s.loop, receive(&s), 101));
        assert_int_equal(s.loop.rx.counters.other_frame, 2);
        finish(&s);
    }
}

/* Lines behind those that were sent, in a frame that the sender ended early; late ones beside them do not make it a matter of
 * order. */
static void line_when_forged_beyond_what_was_sent_then_tag(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * MODES; i++) {
        scene s;
        tl_packets part = { 0 };
        tl_loop_message message;
        start(&s, modes[i / 2]);
        tl_assert_ok(tl_loop_begin(&s.loop, &part));
        tl_assert_ok(tl_loop_messages(&s.loop, 12, &part));
        tl_packets_take(&part, &part, part.n - 1);
        tl_assert_ok(tl_loop_read(&s.loop.config, part.v[part.n - 1], &message));
        message.header.message++;
        tl_assert_ok(tl_loop_write(&s.loop.config, part.v[part.n - 1], &message));
        tl_assert_ok(tl_loop_repair(&s.loop.config, part.v[part.n - 1]));
        tl_assert_ok(tl_loop_end(&s.loop, &part));
        if (i % 2 == 1)
            tl_packets_swap(&part, TL_LOOP_LINE + 5, TL_LOOP_LINE + 6);
        assert_true(tl_loop_is_frame(&s.loop, receive(&s), 101));
        tl_assert_ok(tl_loop_receive(&s.loop, &part));
        assert_int_equal(frame_event(&s, 103)->verdict, TL_VERDICT_TAG);
        assert_int_equal(s.loop.rx.counters.verdicts[TL_VERDICT_ORDER], i % 2);
        tl_packets_free(&part);
        finish(&s);
    }
}

static void end_when_changed_then_its_own_tag_is_wrong_and_the_frame_is_cut(void **state)
{
    (void)state;
    for (unsigned m = 0; m < MODES; m++) {
        scene s;
        size_t n;
        start(&s, modes[m]);
        n = s.frame[1].v[s.frame[1].n - 2].n - TL_SEP_BEFORE - TL_SEP_AFTER_MAX;
        finish(&s);
        for (size_t byte = 0; byte < n; byte++) {
            tl_buffer end;
            start(&s, modes[m]);
            end = s.frame[1].v[s.frame[1].n - 2];
            end.p[TL_SEP_BEFORE + byte] ^= 1;
            tl_assert_ok(tl_loop_repair(&s.loop.config, end));
            /* cut by the next begin, and what came in place of the end is the cause */
            expect(receive(&s), TL_VERDICT_TAG, TL_VERDICT_TAG, TL_SEP_SERVICE_TYPE, TL_SEP_END, 0);
            finish(&s);
        }
    }
}

/* The end of a frame of which no line was sent says that all lists are empty, under a right tag. */
static void empty_lists_when_their_end_is_replayed_then_nothing_of_another_frame(void **state)
{
    (void)state;
    for (unsigned m = 0; m < MODES; m++) {
        scene s;
        tl_packets empty = { 0 };
        tl_loop_message message;
        tl_buffer end;
        prepare(&s);
        s.loop.config.tag_mode = modes[m];
        s.loop.config.first_frame = 99;
        tl_assert_ok(tl_loop_open(&s.loop, 0));
        tl_assert_ok(tl_loop_begin(&s.loop, &empty));
        tl_assert_ok(tl_loop_end(&s.loop, &empty));
        tl_assert_ok(tl_loop_receive(&s.loop, &empty));
        same(frame_event(&s, 99), TL_VERDICT_GAP, TL_DT_EMBEDDED, 0, 24);
        for (int i = 0; i < 3; i++)
            tl_assert_ok(tl_loop_send(&s.loop, &s.frame[i]));
        end = empty.v[2];
        tl_packets_insert(&s.frame[1], TL_LOOP_LINE, tl_span_of(end.p, end.n));
        tl_assert_ok(tl_loop_read(&s.loop.config, end, &message));
        message.header.frame = 101;
        tl_assert_ok(tl_loop_write(&s.loop.config, end, &message));
        tl_assert_ok(tl_loop_repair(&s.loop.config, end));
        tl_packets_insert(&s.frame[1], TL_LOOP_LINE, tl_span_of(end.p, end.n));
        assert_true(tl_loop_is_frame(&s.loop, receive(&s), 101));
        assert_int_equal(s.loop.rx.counters.other_frame, 1);
        assert_int_equal(s.loop.rx.counters.verdicts[TL_VERDICT_TAG], 1);
        tl_packets_free(&empty);
        finish(&s);
    }
}

static void frame_when_nothing_of_a_list_was_sent_then_its_tag_is_right_and_the_verdict_gap(void **state)
{
    (void)state;
    for (unsigned m = 0; m < MODES; m++) {
        scene s;
        tl_packets part = { 0 };
        start(&s, modes[m]);
        tl_assert_ok(tl_loop_begin(&s.loop, &part));
        tl_assert_ok(tl_loop_messages(&s.loop, 2, &part));
        tl_assert_ok(tl_loop_end(&s.loop, &part));
        assert_true(tl_loop_is_frame(&s.loop, receive(&s), 101));
        tl_assert_ok(tl_loop_receive(&s.loop, &part));
        same(frame_event(&s, 103), TL_VERDICT_GAP, TL_DT_RAW12, 0, 22);
        assert_true(s.loop.rx.key.bad == 0);
        tl_packets_free(&part);
        finish(&s);
    }
}

static void frame_when_it_fails_then_only_bad_lists_count_as_wrong_tags(void **state)
{
    (void)state;
    for (unsigned m = 0; m < MODES; m++) {
        scene s;
        start(&s, modes[m]);
        flip(&s, 3, 0);
        assert_int_equal(receive(&s)->verdict, TL_VERDICT_TAG);
        assert_true(s.loop.rx.key.bad == 1);
        assert_true(s.loop.rx.key.lists == (modes[m] == TL_TAG_PER_FRAME ? 3 : 6));
        assert_true(s.loop.tx.key.lists == s.loop.rx.key.lists);
        finish(&s);
    }
}

/* Lines on lists are opened as they come. Of a frame that is not ok, nothing that was opened stays. */
static void frame_when_its_list_is_wrong_then_nothing_decrypted_is_left_in_memory(void **state)
{
    (void)state;
    for (unsigned m = 0; m < MODES; m++)
        for (unsigned cut = 0; cut < 2; cut++) {
            scene s;
            tl_packets next = { 0 };
            prepare(&s);
            const tl_stream_part *part = s.loop.config.parts;
            const size_t before = (size_t)part[0].count * part[0].length;
            s.loop.config.tag_mode = modes[m];
            vary(&s.loop.config, TL_BLOCK_MIDDLE, TL_SV_1);
            open_and_send(&s);
            if (cut)
                tl_packets_drop(&s.frame[1], s.frame[1].n - 2);
            else
                flip(&s, 3, 0);
            tl_assert_ok(tl_loop_receive(&s.loop, &s.frame[0]));
            assert_true(tl_loop_is_frame(&s.loop, frame_event(&s, 100), 100));
            tl_packets_take(&next, &s.frame[2], 0);
            tl_packets_take(&next, &s.frame[2], 1);
            tl_assert_ok(tl_loop_receive(&s.loop, &s.frame[1]));
            tl_assert_ok(tl_loop_receive(&s.loop, &next)); /* a begin ends what is cut */
            assert_non_null(frame_event(&s, 101));
            assert_int_equal(frame_event(&s, 101)->verdict, cut ? TL_VERDICT_CUT : TL_VERDICT_TAG);
            tl_assert_all(s.loop.memory + before, 0, (size_t)part[1].count * part[1].length);
            tl_packets_free(&next);
            finish(&s);
        }
}

/* Nor of a frame that never gets a verdict, because its receiver is put away. */
static void receiver_when_wiped_inside_a_frame_then_nothing_decrypted_is_left_in_memory(void **state)
{
    uint8_t sent[2048];

    (void)state;
    for (unsigned m = 0; m < MODES; m++) {
        scene s;
        prepare(&s);
        const tl_stream_part *part = s.loop.config.parts;
        const size_t before = (size_t)part[0].count * part[0].length;
        const size_t n = (size_t)part[1].count * part[1].length;
        s.loop.config.tag_mode = modes[m];
        vary(&s.loop.config, TL_BLOCK_MIDDLE, TL_SV_1);
        open_and_send(&s);
        assert_true(tl_stream_frame_bytes(&s.loop.config) <= sizeof sent);
        tl_loop_frame(&s.loop.config, 100, sent);
        s.frame[0].n -= 2; /* without its end */
        tl_assert_ok(tl_loop_receive(&s.loop, &s.frame[0]));
        s.frame[0].n += 2;
        assert_null(frame_event(&s, 100));
        assert_memory_equal(s.loop.memory + before, sent + before, n);
        tl_stream_rx_wipe(&s.loop.rx);
        tl_assert_all(s.loop.memory + before, 0, n);
        finish(&s);
    }
}

/* ---- partial integrity ---- */

static const tl_tag_mode all_modes[] = { TL_TAG_PER_MESSAGE, TL_TAG_PER_DATA_TYPE, TL_TAG_PER_FRAME };

static void partial(scene *s, unsigned mode, tl_variant variant)
{
    prepare(s);
    s->loop.config.tag_mode = all_modes[mode];
    vary(&s->loop.config, TL_BLOCK_MIDDLE, variant);
    open_and_send(s);
}

static tl_verdict changed(unsigned mode, tl_variant variant, size_t pixel_line, size_t byte)
{
    scene s;
    const tl_stream_event *e;
    tl_verdict verdict;

    partial(&s, mode, variant);
    flip(&s, 2 + pixel_line, byte);
    for (int i = 0; i < 3; i++)
        tl_assert_ok(tl_loop_receive(&s.loop, &s.frame[i]));
    e = frame_event(&s, 101);
    verdict = e->verdict;
    if (verdict == TL_VERDICT_OK) { /* what the variant cannot notice gets through as it was changed */
        uint8_t sent[90], got;
        tl_loop_payload(&s.loop.config, 101, 1, (uint32_t)pixel_line, sent);
        got = e->payload.p[2 * 40 + pixel_line * 90 + byte];
        assert_int_equal(got, sent[byte] ^ 0x40);
    }
    finish(&s);
    return verdict;
}

static void line_when_outside_the_pattern_of_sv3_then_its_bytes_are_unprotected(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 3; mode++)
        for (size_t i = 0; i < 20; i += 1 + mode) {
            bool inside = i >= 1 && (i - 1) % 2 == 0;
            assert_int_equal(changed(mode, TL_SV_3, i, i), inside ? TL_VERDICT_TAG : TL_VERDICT_OK);
        }
}

static void byte_when_outside_the_pattern_of_sv4_then_unprotected(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 3; mode++)
        for (size_t byte = 0; byte < 90; byte += 1 + mode * 3) {
            bool inside = byte >= 3 && (byte - 3) % 11 < 5;
            assert_int_equal(changed(mode, TL_SV_4, 7, byte), inside ? TL_VERDICT_TAG : TL_VERDICT_OK);
        }
}

static void line_when_sv5_then_its_bytes_are_unprotected(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 3; mode++)
        for (size_t i = 0; i < 20; i += 7)
            assert_int_equal(changed(mode, TL_SV_5, i, 3 * i), TL_VERDICT_OK);
}

/* That each line is there, once, in its place, holds for SV-3 and SV-4 throughout. */
static void line_when_outside_a_pattern_then_its_header_is_protected_all_the_same(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 3; mode++)
        for (int variant = TL_SV_3; variant <= TL_SV_4; variant++) {
            scene s;
            tl_loop_message m;
            partial(&s, mode, (tl_variant)variant);
            tl_packets_drop(&s.frame[1], TL_LOOP_LINE + 2 + 10);
            same(receive(&s), TL_VERDICT_GAP, TL_DT_RAW12, 10, 1);
            finish(&s);
            partial(&s, mode, (tl_variant)variant);
            tl_packets_insert(&s.frame[1], TL_LOOP_LINE + 2 + 11, tl_span_of(line(&s, 12).p, line(&s, 12).n));
            same(receive(&s), TL_VERDICT_REPEAT, TL_DT_RAW12, 10, 0);
            finish(&s);
            /* Another line in its place, under its number. Where no tag travels, that is no more than other bytes
             * in a line outside. */
            partial(&s, mode, (tl_variant)variant);
            tl_packets_drop(&s.frame[1], TL_LOOP_LINE + 2 + 10);
            tl_packets_insert(&s.frame[1], TL_LOOP_LINE + 2 + 10, tl_span_of(line(&s, 11).p, line(&s, 11).n));
            tl_assert_ok(tl_loop_read(&s.loop.config, line(&s, 12), &m));
            m.header.message = 10;
            tl_assert_ok(tl_loop_write(&s.loop.config, line(&s, 12), &m));
            tl_assert_ok(tl_loop_repair(&s.loop.config, line(&s, 12)));
            assert_int_equal(receive(&s)->verdict,
                             mode == 0 || variant == TL_SV_4 ? TL_VERDICT_TAG : TL_VERDICT_OK);
            finish(&s);
        }
}

/* Where the tag does not cover all bytes, the CRC-32 decides about the rest. */
static void line_when_only_its_checksums_cover_it_then_a_wrong_crc32_fails_it(void **state)
{
    static const tl_variant variants[] = { TL_SV_3, TL_SV_4, TL_SV_5 };

    (void)state;
    for (unsigned mode = 0; mode < 3; mode++)
        for (unsigned v = 0; v < 3; v++) {
            scene s;
            partial(&s, mode, variants[v]);
            line(&s, 4).p[TL_SEP_BEFORE] ^= 1;
            tl_assert_ok(tl_csi2_repair(line(&s, 4).p, line(&s, 4).n));
            same(receive(&s), TL_VERDICT_CRC32, TL_DT_RAW12, 2, 1);
            assert_int_equal(s.loop.rx.counters.verdicts[TL_VERDICT_CRC32], 1);
            finish(&s);
        }
}

/* ---- without keys ---- */

static void keyless(scene *s)
{
    prepare(s);
    without_keys(&s->loop.config);
    open_and_send(s);
}

static void line_when_there_are_no_keys_then_counters_and_checksums_decide(void **state)
{
    scene s;

    (void)state;
    keyless(&s);
    tl_packets_drop(&s.frame[1], TL_LOOP_LINE + 7);
    same(receive(&s), TL_VERDICT_GAP, TL_DT_RAW12, 5, 1);
    finish(&s);
    keyless(&s);
    tl_packets_swap(&s.frame[1], TL_LOOP_LINE + 7, TL_LOOP_LINE + 8);
    same(receive(&s), TL_VERDICT_ORDER, TL_DT_RAW12, 5, 0);
    finish(&s);
    keyless(&s);
    tl_packets_insert(&s.frame[1], TL_LOOP_LINE + 9, tl_span_of(line(&s, 7).p, line(&s, 7).n));
    same(receive(&s), TL_VERDICT_REPEAT, TL_DT_RAW12, 5, 0);
    finish(&s);
    keyless(&s);
    line(&s, 7).p[TL_SEP_BEFORE] ^= 1;
    same(receive(&s), TL_VERDICT_CRC16, TL_DT_RAW12, 5, 1);
    finish(&s);
    keyless(&s);
    line(&s, 7).p[TL_SEP_BEFORE] ^= 1;
    tl_assert_ok(tl_csi2_repair(line(&s, 7).p, line(&s, 7).n));
    same(receive(&s), TL_VERDICT_CRC32, TL_DT_RAW12, 5, 1);
    finish(&s);
    keyless(&s); /* whoever redoes the checksums is not noticed: this is safety, not security */
    flip(&s, 7, 3);
    for (int i = 0; i < 3; i++)
        tl_assert_ok(tl_loop_receive(&s.loop, &s.frame[i]));
    assert_int_equal(frame_event(&s, 101)->verdict, TL_VERDICT_OK);
    finish(&s);
}

static void frame_when_there_are_no_keys_then_begin_and_end_still_rule(void **state)
{
    scene s;
    const tl_stream_event *lost;

    (void)state;
    keyless(&s);
    tl_packets_drop(&s.frame[1], s.frame[1].n - 2);
    same(receive(&s), TL_VERDICT_CUT, 0, 0, 0);
    finish(&s);
    keyless(&s);
    tl_packets_drop(&s.frame[1], 1);
    assert_null(receive(&s));
    lost = tl_events_first(&s.loop.events, TL_EVENT_LOST);
    assert_true(lost->frame == 101 && lost->count == 1 && !lost->proven);
    finish(&s);
    keyless(&s);
    tl_packets_join(&s.frame[2], &s.frame[1]); /* an old frame once more */
    assert_true(tl_loop_is_frame(&s.loop, receive(&s), 101));
    assert_int_equal(s.loop.rx.counters.verdicts[TL_VERDICT_REPEAT], 1);
    finish(&s);
    prepare(&s); /* another configuration */
    without_keys(&s.loop.config);
    s.loop.rx_config = s.loop.config;
    s.loop.rx_config.parts[2].length++;
    open_and_send(&s);
    tl_assert_ok(tl_loop_receive(&s.loop, &s.frame[0]));
    assert_int_equal(tl_events_count(&s.loop.events, TL_EVENT_OPENED), 0);
    assert_int_equal(s.loop.rx.counters.verdicts[TL_VERDICT_CONFIGURATION], 1);
    finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_when_any_mode_suite_size_and_variants_then_ok),
        cmocka_unit_test(frame_when_there_is_no_suite_then_ok_without_a_source_and_not_proven),
        cmocka_unit_test(rekey_when_there_is_no_suite_then_a_new_number),
        cmocka_unit_test(open_when_there_is_a_suite_and_no_source_then_refused),
        cmocka_unit_test(lines_when_their_tags_are_on_lists_then_none_travels),
        cmocka_unit_test(line_when_changed_then_tag_of_its_list),
        cmocka_unit_test(line_when_its_crc32_is_wrong_then_that_if_changed_and_information_if_not),
        cmocka_unit_test(line_when_dropped_then_gap_with_its_number_and_spoiled_its_cause),
        cmocka_unit_test(data_type_when_dropped_then_gap),
        cmocka_unit_test(line_when_repeated_then_repeat),
        cmocka_unit_test(lines_when_swapped_then_order),
        cmocka_unit_test(data_types_when_interleaved_then_ok_per_type_and_order_per_frame),
        cmocka_unit_test(line_when_forged_besides_then_repeat_behind_and_tag_in_front),
        cmocka_unit_test(line_when_forged_for_another_frame_then_dropped),
        cmocka_unit_test(line_when_forged_beyond_what_was_sent_then_tag),
        cmocka_unit_test(end_when_changed_then_its_own_tag_is_wrong_and_the_frame_is_cut),
        cmocka_unit_test(empty_lists_when_their_end_is_replayed_then_nothing_of_another_frame),
        cmocka_unit_test(frame_when_nothing_of_a_list_was_sent_then_its_tag_is_right_and_the_verdict_gap),
        cmocka_unit_test(frame_when_it_fails_then_only_bad_lists_count_as_wrong_tags),
        cmocka_unit_test(frame_when_its_list_is_wrong_then_nothing_decrypted_is_left_in_memory),
        cmocka_unit_test(receiver_when_wiped_inside_a_frame_then_nothing_decrypted_is_left_in_memory),
        cmocka_unit_test(line_when_outside_the_pattern_of_sv3_then_its_bytes_are_unprotected),
        cmocka_unit_test(byte_when_outside_the_pattern_of_sv4_then_unprotected),
        cmocka_unit_test(line_when_sv5_then_its_bytes_are_unprotected),
        cmocka_unit_test(line_when_outside_a_pattern_then_its_header_is_protected_all_the_same),
        cmocka_unit_test(line_when_only_its_checksums_cover_it_then_a_wrong_crc32_fails_it),
        cmocka_unit_test(line_when_there_are_no_keys_then_counters_and_checksums_decide),
        cmocka_unit_test(frame_when_there_are_no_keys_then_begin_and_end_still_rule),
    };

    return cmocka_run_group_tests_name("modes", tests, open_backend, close_backend);
}
