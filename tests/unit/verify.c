/* Recordings that are verified again: the same verdicts as live, whatever was done to them; segments that add up to the whole
 * wherever their borders fall; and reports that do not fit together. */
#define _GNU_SOURCE
#include "recorded.h"

static tl_exit verify(unsigned segment, unsigned segments, const char *to)
{
    const verify_options o = options_of(segment, segments, to);
    tl_fault fault = { 0 };
    tl_exit e = verify_run(&o, NULL, &fault);

    if (e != TL_EXIT_OK && e != TL_EXIT_REFUSED)
        print_message("%s\n", fault.text);
    return e;
}

/* What is left of a report when times and the name of its kind are taken away. */
static json_t *load(const char *from)
{
    json_t *o = json_load_file(from, 0, NULL);

    assert_non_null(o);
    (void)json_object_del(json_object_get(o, "totals"), "seconds");
    return o;
}

static void assert_same(const char *a, const char *b, const char *what)
{
    static const char *const parts[] = { "layout", "events", "left_out", "totals", "evidence" };
    json_t *one = load(a), *two = load(b);

    (void)json_object_del(json_object_get(two, "evidence"), "joined");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        json_t *x = json_object_get(one, parts[i]), *y = json_object_get(two, parts[i]);

        if (!json_equal(x, y))
            fail_msg("%s: %s:\n%s\n%s", what, parts[i], json_dumps(x, JSON_INDENT(1)),
                     json_dumps(y, JSON_INDENT(1)));
    }
    json_decref(one);
    json_decref(two);
}

/* ---- what is done to the packets ---- */

/* Frame `from` comes again, in front of frame `at`. */
static void insert_frame(size_t at, size_t from)
{
    tl_packets copy = { 0 };

    tl_packets_join(&copy, &frames[from]);
    memmove(frames + at + 1, frames + at, (frame_n - at) * sizeof *frames);
    frames[at] = copy;
    frame_n++;
}

static void repair(size_t k, size_t packet)
{
    tl_assert_ok(tl_loop_repair(&loop.config, frames[k].v[packet]));
}

static void none(size_t k)
{
    (void)k;
}

static void replay_an_early_frame(size_t k)
{
    insert_frame(k, k / 3);
}

static void replay_the_last_frame(size_t k)
{
    insert_frame(k + 1, k);
}

static void swap_frames(size_t k)
{
    tl_packets t = frames[k];

    if (k + 1 == frame_n)
        return;
    frames[k] = frames[k + 1];
    frames[k + 1] = t;
}

static void drop_frame(size_t k)
{
    while (frames[k].n > 0)
        tl_packets_drop(&frames[k], frames[k].n - 1);
}

static void drop_three(size_t k)
{
    for (size_t i = k; i < frame_n && i < k + 3; i++)
        drop_frame(i);
}

static void drop_begin(size_t k)
{
    tl_packets_drop(&frames[k], 1);
}

static void drop_end(size_t k)
{
    tl_packets_drop(&frames[k], frames[k].n - 2);
}

static void drop_both_ends(size_t k)
{
    drop_end(k);
    drop_begin(k);
}

static void cut_frame(size_t k)
{
    while (frames[k].n > 4)
        tl_packets_drop(&frames[k], frames[k].n - 1);
}

static void cut_and_go(size_t k)
{
    cut_frame(k);
    if (k + 1 < frame_n)
        drop_begin(k + 1);
}

static void end_behind_the_next_begin(size_t k)
{
    tl_packets *f = &frames[k];

    if (k + 1 == frame_n)
        return;
    tl_packets_insert(&frames[k + 1], 2, tl_span_of(f->v[f->n - 2].p, f->v[f->n - 2].n));
    tl_packets_drop(f, f->n - 2);
}

static void line_behind_the_end(size_t k)
{
    tl_packets *f = &frames[k];

    tl_packets_insert(f, f->n, tl_span_of(f->v[3].p, f->v[3].n));
    tl_packets_drop(f, 3);
}

static void repeat_a_line(size_t k)
{
    tl_packets_insert(&frames[k], 5, tl_span_of(frames[k].v[3].p, frames[k].v[3].n));
}

static void spoil_a_line(size_t k)
{
    frames[k].v[4].p[frames[k].v[4].n / 2] ^= 0x10;
}

static void change_a_line(size_t k)
{
    spoil_a_line(k);
    repair(k, 4);
}

static void change_the_begin(size_t k)
{
    frames[k].v[1].p[TL_SEP_BEFORE + 3] ^= 0x10;
    repair(k, 1);
}

static void forge_a_far_frame(size_t k)
{
    tl_loop_message m;

    if (loop.config.carrier == TL_CARRIER_FSED || tl_loop_read(&loop.config, frames[k].v[1], &m) != TL_OK)
        return;
    tl_packets_insert(&frames[k], 0, tl_span_of(frames[k].v[1].p, frames[k].v[1].n));
    tl_assert_ok(tl_loop_read(&loop.config, frames[k].v[0], &m));
    m.header.frame += 1000;
    tl_assert_ok(tl_loop_write(&loop.config, frames[k].v[0], &m));
    repair(k, 0);
}

static void garbage(size_t k)
{
    static const uint8_t bytes[9] = "garbage!";

    tl_packets_insert(&frames[k], k % 5, tl_span_of(bytes, sizeof bytes));
    tl_packets_insert(&frames[k], frames[k].n, tl_span_of(bytes, 3));
}

static void plain_packet(size_t k)
{
    static const uint8_t pixels[24];
    uint8_t packet[30];
    tl_wr w = tl_wr_of(packet, sizeof packet);
    const tl_csi2_header h = { 0, TL_DT_RAW12, sizeof pixels };

    tl_assert_ok(tl_csi2_write(&h, tl_span_of(pixels, sizeof pixels), &w));
    tl_packets_insert(&frames[k], k % 4, tl_span_of(packet, w.n));
}

static void silence_inside(size_t k)
{
    pause_at = 3;
    for (size_t i = 0; i < k; i++)
        pause_at += frames[i].n;
}

static const struct {
    const char *name;
    void (*act)(size_t k);
} attacks[] = {
    { "none", none },
    { "an early frame again", replay_an_early_frame },
    { "the last frame again", replay_the_last_frame },
    { "two frames swapped", swap_frames },
    { "a frame dropped", drop_frame },
    { "three frames dropped", drop_three },
    { "a begin dropped", drop_begin },
    { "an end dropped", drop_end },
    { "begin and end dropped", drop_both_ends },
    { "a frame cut", cut_frame },
    { "a frame cut, the next begin dropped", cut_and_go },
    { "an end behind the next begin", end_behind_the_next_begin },
    { "a line behind the end", line_behind_the_end },
    { "a line again", repeat_a_line },
    { "a line spoilt", spoil_a_line },
    { "a line changed", change_a_line },
    { "a begin changed", change_the_begin },
    { "a far frame forged", forge_a_far_frame },
    { "garbage", garbage },
    { "a plain packet", plain_packet },
    { "a silence inside", silence_inside },
};

enum { ATTACKS = sizeof attacks / sizeof *attacks };

/* ---- as live ---- */

/* What a live receiver says, as lines of verdicts. */
static size_t live(char *out, size_t room)
{
    size_t at = 0;

    tl_events_clear(&loop.events);
    for (size_t i = 0; i < flat.n; i++) {
        const tl_packets one = { &flat.v[i], 1, 1 };

        loop.now_ms = time_of(i) / MS;
        tl_assert_ok(tl_loop_receive(&loop, &one));
    }
    for (size_t i = 0; i < loop.events.n; i++) {
        const tl_stream_event *v = &loop.events.v[i];

        if (v->kind == TL_EVENT_OPENED || (v->kind == TL_EVENT_MESSAGE && v->verdict == TL_VERDICT_OK))
            continue;
        at += (size_t)snprintf(
            out + at, room - at, "%d %u %s %s %u\n", (int)v->kind, v->frame, tl_verdict_text(v->verdict),
            v->kind == TL_EVENT_MESSAGE ? tl_verdict_text(v->verdict) : tl_verdict_text(v->cause),
            v->verdict == TL_VERDICT_OK ? 0 : v->message);
        assert_true(at < room);
    }
    return at;
}

static int kind_of(const char *name)
{
    for (int i = TL_EVENT_MESSAGE; i <= TL_EVENT_SILENT; i++)
        if (strcmp(name, tl_event_text((tl_event_kind)i)) == 0)
            return i;
    return -1;
}

/* What the report says, in the same form. */
static void reported(const char *from, char *out, size_t room)
{
    json_t *o = json_load_file(from, 0, NULL), *v;
    size_t i, at = 0;

    out[0] = '\0';
    json_array_foreach(json_object_get(o, "events"), i, v)
    {
        const char *verdict = json_string_value(json_object_get(v, "verdict")),
                   *cause = json_string_value(json_object_get(v, "cause"));
        int kind = kind_of(json_string_value(json_object_get(v, "event")));

        if (kind >= 0)
            at += (size_t)snprintf(out + at, room - at, "%d %d %s %s %d\n", kind,
                                   (int)json_integer_value(json_object_get(v, "frame")), verdict,
                                   cause != NULL ? cause : "ok",
                                   (int)json_integer_value(json_object_get(v, "line")));
        assert_true(at < room);
    }
    json_decref(o);
}

static void verdicts_when_verified_again_then_those_of_the_live_receiver(void **state)
{
    static char said[65536], again[65536];

    (void)state;
    for (unsigned s = 0; s < SCENARIOS; s++)
        for (unsigned a = 0; a < ATTACKS && scenarios[s].carrier == TL_CARRIER_SEP; a++) {
            make(&scenarios[s]);
            attacks[a].act(5);
            record();
            (void)live(said, sizeof said);
            (void)verify(1, 1, path(3, "whole.json"));
            reported(names[3], again, sizeof again);
            if (strcmp(said, again) != 0)
                fail_msg("%s, %s: live:\n%s\nagain:\n%s", scenarios[s].name, attacks[a].name, said, again);
            drop_all();
        }
}

/* ---- segments ---- */

static tl_exit join(unsigned n, const char *to, tl_fault *fault)
{
    static char parts[7][64];
    const char *list[7];

    for (unsigned i = 0; i < n; i++) {
        (void)snprintf(parts[i], sizeof parts[i], "%s/part%u.json", folder,
                       (i + 2) % n + 1); /* in any order */
        list[i] = parts[i];
    }
    return verify_join(list, n, to, NULL, fault);
}

static void verify_segments(unsigned n)
{
    char to[64];

    for (unsigned i = 1; i <= n; i++) {
        (void)snprintf(to, sizeof to, "%s/part%u.json", folder, i);
        assert_true(verify(i, n, to) <= TL_EXIT_REFUSED);
    }
}

static void check_segments(tl_exit whole, unsigned n, const char *what)
{
    tl_fault fault = { 0 };
    tl_exit e;

    verify_segments(n);
    e = join(n, path(4, "joined.json"), &fault);
    if (e != whole)
        fail_msg("%s: %u segments: %d, whole %d: %s", what, n, (int)e, (int)whole, fault.text);
    assert_same(names[3], names[4], what);
}

static void segments_when_attacked_at_any_place_then_they_add_up_to_the_whole(void **state)
{
    static const unsigned counts[] = { 1, 2, 4, 7 };
    char what[128];

    (void)state;
    for (unsigned s = 0; s < SCENARIOS; s++)
        for (unsigned a = 0; a < ATTACKS; a++)
            for (size_t k = (s + a) % 5; k < FRAMES; k += 5) {
                tl_exit whole;

                make(&scenarios[s]);
                attacks[a].act(k);
                record();
                (void)snprintf(what, sizeof what, "%s, %s, frame %zu", scenarios[s].name, attacks[a].name, k);
                whole = verify(1, 1, path(3, "whole.json"));
                check_segments(whole, counts[(s + a + k / 5) % 4], what);
                if (k == 4)
                    check_segments(whole, 7, what);
                drop_all();
            }
}

/* ---- keys ---- */

static void frames_when_keys_change_and_senders_start_anew_then_all_verify(void **state)
{
    static const uint32_t epochs[] = { 0, 5, 6 }, again[] = { 0, 2 };
    static const unsigned counts[] = { 1, 2, 4, 7 };
    tl_exit whole;

    (void)state;
    for (unsigned s = 0; s < SCENARIOS; s += SCENARIOS - 2) {
        make(&scenarios[s]);
        for (size_t i = 0; i < 2 * FRAMES; i++) {
            if (i == 3 || i == 7)
                tl_assert_ok(tl_stream_tx_rekey(&loop.tx, &loop.tx_source, epochs[i == 3 ? 1 : 2]));
            if (i == FRAMES) {
                tl_loop_close(&loop);
                tl_loop_init(&loop, crypto);
                loop.config = loop.rx_config = file.config;
                loop.rx_batch = 1;
                loop.tx_batch = 4;
                tl_assert_ok(tl_loop_open(&loop, 0)); /* session 0: taken over below */
                tl_assert_ok(tl_loop_source(&loop, &loop.tx_source, 9));
                tl_stream_tx_wipe(&loop.tx);
                tl_assert_ok(tl_stream_tx_init(&loop.tx, &loop.config, &loop.tx_source, 0));
                if (loop.config.carrier == TL_CARRIER_FSED)
                    tl_assert_ok(tl_stream_tx_metadata(
                        &loop.tx, (tl_buffer){ loop.metadata, tl_stream_tx_metadata_size(&loop.config) }));
            }
            if (i == FRAMES + 4)
                tl_assert_ok(tl_stream_tx_rekey(&loop.tx, &loop.tx_source, 2));
            tl_packets_free(&frames[i]);
            memset(&frames[i], 0, sizeof frames[i]);
            tl_assert_ok(tl_loop_send(&loop, &frames[i]));
            frame_n = i + 1;
        }
        /* The frames that `make` has sent are gone: those of the first start are 13 to 24. */
        write_keys("w", 0, epochs, 3);
        write_keys("a", 9, again, 2);
        record();
        whole = verify(1, 1, path(3, "whole.json"));
        assert_int_equal(whole, TL_EXIT_REFUSED); /* those 12 are lost, and nothing else */
        {
            json_t *o = json_load_file(names[3], 0, NULL), *totals = json_object_get(o, "totals");

            assert_int_equal(json_integer_value(json_object_get(totals, "frames_ok")), 2 * FRAMES);
            assert_int_equal(json_integer_value(json_object_get(totals, "frames_lost")), FRAMES);
            assert_int_equal(json_integer_value(json_object_get(totals, "refused")), 1);
            json_decref(o);
        }
        for (unsigned i = 0; i < 4; i++)
            check_segments(whole, counts[i], "keys");
        drop_all();
    }
}

static void keys_when_wrong_or_missing_then_nothing_verifies(void **state)
{
    static const uint32_t epoch = 1;

    (void)state;
    make(&scenarios[0]);
    record();
    write_keys("w", 3, &epoch, 1); /* another connection */
    assert_int_equal(verify(1, 1, path(3, "whole.json")), TL_EXIT_REFUSED);
    assert_int_equal(truncate(names[1], 0), 0);
    assert_int_equal(verify(1, 1, names[3]), TL_EXIT_USAGE);
    drop_all();
}

/* ---- joins that must not be ---- */

static void write_text(const char *to, const char *text)
{
    FILE *out = fopen(to, "wb");

    assert_non_null(out);
    (void)fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

static void assert_join_refused(const char *const *paths, size_t n, const char *why)
{
    tl_fault fault = { 0 };
    tl_exit e = verify_join(paths, n, path(4, "refused.json"), NULL, &fault);

    if (e != TL_EXIT_USAGE || strstr(fault.text, why) == NULL)
        fail_msg("%d '%s' does not say '%s'", (int)e, fault.text, why);
    assert_int_not_equal(access(names[4], F_OK), 0);
}

/* The reports of a recording's three segments. */
typedef struct thirds {
    char paths[3][64];
    const char *all[3];
} thirds;

static void make_thirds(thirds *t)
{
    make(&scenarios[0]);
    record();
    (void)unlink(path(4, "refused.json"));
    verify_segments(3);
    for (unsigned i = 0; i < 3; i++) {
        (void)snprintf(t->paths[i], sizeof t->paths[i], "%s/part%u.json", folder, i + 1);
        t->all[i] = t->paths[i];
    }
}

static void join_when_reports_are_missing_or_twice_then_refused_by_name(void **state)
{
    thirds t;
    const char *const *all = t.all;

    (void)state;
    make_thirds(&t);
    assert_join_refused(all, 2, "segment 3 of 3 is missing");
    assert_join_refused(all + 1, 2, "segment 1 of 3 is missing");
    assert_join_refused((const char *[]){ all[0], all[2] }, 2, "segment 2 of 3 is missing");
    assert_join_refused((const char *[]){ all[0], all[1], all[1], all[2] }, 4, "segment 2, as");
    assert_join_refused((const char *[]){ all[0], "/nonexistent", all[2] }, 3, "/nonexistent");
    assert_join_refused((const char *[]){ all[0], names[0], all[2] }, 3, "no report");
    assert_join_refused(all, 0, "1 to");
    drop_all();
}

static void join_when_reports_do_not_fit_then_refused_by_name(void **state)
{
    static const struct {
        const char *old, *new, *why;
    } edits[] = {
        { "\"sha256\":\"", "\"sha256\":\"0", "another file" },
        { "\"size\":", "\"size\":1", "another file" },
        { "\"digest\":\"", "\"digest\":\"0", "another configuration" },
        { "\"program\":\"test", "\"program\":\"other", "another version" },
        { "\"interface\":\"", "\"interface\":\"x", "another interface" },
        { "\"starts\":1", "\"starts\":2", "other keys" },
        { "\"of\":3", "\"of\":4", "segment 2 of 4" },
        { "\"index\":2", "\"index\":1", "segment 1, as" },
        { "\"index\":2", "\"index\":0", "its segment is none" },
        { "\"index\":2", "\"index\":7", "its segment is none" },
        { "\"index\":2", "\"number\":2", "no report of" },
        { "\"opens_frame\":", "\"opens_frame\":1", "does not begin where" },
        { "\"from\":{\"offset\":", "\"from\":{\"offset\":1", "does not begin where" },
        { "\"epoch\":0,\"start\":0}", "\"epoch\":1,\"start\":0}", "does not begin where" },
        { "\"segment\":", "\"broken\":\"x\",\"segment\":", "was not read to its end" },
        { "\"exit\":0", "\"exit\":4", "was not read to its end" },
        { "\"messages\":1099511627776", "\"messages\":1", "near its limit" },
        { "\"messages_at_most\":", "\"messages_at_most\":99999999999", "near its limit" },
        { "{\"layout\"", "{\"loyout\"", "no report" },
        { "{\"event\":", "{\"eve\":", "is no event" },
        { "\"event\":\"frame\",", "\"event\":\"frame\"", "is no event" },
        { "\"class\":\"tagged\"", "\"class\":\"other one\"", "no class" },
        { "], \"left_out\"", "  \"left_out\"", "is no event" },
        { "\"left_out\": 0", "\"left_out\": ,", "no JSON" },
        { "\"frames_ok\":", "\"frames_fine\":", "totals" },
    };
    thirds t;
    char *kept;

    (void)state;
    make_thirds(&t);
    kept = text_of(t.all[1]);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        edit(t.all[1], edits[i].old, edits[i].new);
        assert_join_refused(t.all, 3, edits[i].why);
        write_text(t.all[1], kept);
    }
    free(kept);
    drop_all();
}

static void join_when_a_report_is_cut_anywhere_then_refused(void **state)
{
    thirds t;
    char *kept;

    (void)state;
    make_thirds(&t);
    kept = text_of(t.all[1]);
    for (size_t n = 0; n + 1 < strlen(kept); n += 97) {
        char *cut = strndup(kept, n);

        write_text(t.all[1], cut);
        free(cut);
        assert_join_refused(t.all, 3, "join: ");
    }
    free(kept);
    drop_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_when_verified_again_then_those_of_the_live_receiver),
        cmocka_unit_test(segments_when_attacked_at_any_place_then_they_add_up_to_the_whole),
        cmocka_unit_test(frames_when_keys_change_and_senders_start_anew_then_all_verify),
        cmocka_unit_test(keys_when_wrong_or_missing_then_nothing_verifies),
        cmocka_unit_test(join_when_reports_are_missing_or_twice_then_refused_by_name),
        cmocka_unit_test(join_when_reports_do_not_fit_then_refused_by_name),
        cmocka_unit_test(join_when_a_report_is_cut_anywhere_then_refused),
    };

    return cmocka_run_group_tests_name("verify", tests, set_up, tear_down);
}
