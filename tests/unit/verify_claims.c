/* Recordings that claim more than they prove: secrets that are there twice, and interfaces that say that nothing has to be
 * protected, or that they are of another stream, and verdicts that a recording brings along. */
#define _GNU_SOURCE
#include "recorded.h"

#include "annotate.h"
#include "export.h"
#include "recording.h"

static tl_fault fault;

static tl_exit verify(const verify_options *o)
{
    fault.text[0] = '\0';
    return verify_run(o, NULL, &fault);
}

static json_int_t total(const char *name)
{
    json_t *o = json_load_file(names[3], 0, NULL);
    json_int_t n = json_integer_value(json_object_get(json_object_get(o, "totals"), name));

    json_decref(o);
    return n;
}

/* ---- secrets ---- */

static void secrets_when_listed_twice_then_a_replayed_frame_is_refused(void **state)
{
    static const uint32_t epoch = 0;
    verify_options o;

    (void)state;
    make(&scenarios[0]);
    write_keys("w", 9, &epoch, 1); /* an earlier start, */
    write_keys("a", 0, &epoch, 1);
    write_keys("a", 0, &epoch, 1); /* and both ends wrote the secret of the next one */
    memmove(frames + 1, frames, FRAMES * sizeof *frames);
    frames[0] = (tl_packets){ 0 };
    tl_packets_join(&frames[0], &frames[1]);
    frame_n = FRAMES + 1;
    record();
    o = options_of(1, 1, path(3, "whole.json"));
    assert_int_equal(verify(&o), TL_EXIT_REFUSED);
    assert_int_equal(total("frames_ok"), FRAMES);
    drop_all();
}

static void secrets_when_one_is_of_two_epochs_then_refused(void **state)
{
    char *text;
    FILE *out;
    verify_options o;

    (void)state;
    make(&scenarios[0]);
    record();
    text = text_of(names[1]);
    out = fopen(names[1], "a");
    assert_non_null(out);
    (void)fprintf(out, "stream 7 epoch 256 secret %s", strstr(text, "secret ") + 7);
    assert_int_equal(fclose(out), 0);
    free(text);
    o = options_of(1, 1, NULL);
    assert_int_equal(verify(&o), TL_EXIT_USAGE);
    assert_non_null(strstr(fault.text, "line 2"));
    drop_all();
}

/* Somebody took SPDM's interface out of the recording. */
static void exchange_when_it_is_not_there_then_not_called_computed(void **state)
{
    json_t *o, *spdm;
    char *text;
    FILE *out;
    verify_options with;

    (void)state;
    make(&scenarios[0]);
    record();
    text = text_of(names[1]);
    out = fopen(names[1], "w");
    assert_non_null(out);
    (void)fprintf(out, "# -> GET_VERSION 0x84 size 4 session 0\n%s", text);
    assert_int_equal(fclose(out), 0);
    free(text);
    with = options_of(1, 1, path(3, "whole.json"));
    assert_int_equal(verify(&with), TL_EXIT_OK);
    o = json_load_file(names[3], 0, NULL);
    spdm = json_object_get(json_object_get(o, "evidence"), "spdm");
    assert_true(json_is_false(json_object_get(spdm, "computed")));
    json_decref(o);
    drop_all();
}

/* ---- what interfaces say ---- */

/* A recording whose packets come from two interfaces of one name, the first half from the first. */
static void record_saying(const stream_file *first, const stream_file *second)
{
    const stream_file *says[2] = { first, second };
    recording out;
    size_t done = 0;

    assert_int_equal(recording_open(&out, path(0, "t.pcap"), false, "test", &fault), TL_EXIT_OK);
    for (unsigned i = 0; i < 2; i++) {
        json_t *object = stream_file_json(says[i], STREAM_SECRET_HIDDEN);
        char *text = json_dumps(object, JSON_COMPACT), comment[4096];
        recording_from from = { .direction = PCAP_INBOUND };

        (void)snprintf(comment, sizeof comment, "layout=%s\nstream=%s", recording_layout(), text);
        assert_int_equal(recording_interface(&out, PCAP_LINK_CSI2, "csi2", comment, &from.index, &fault),
                         TL_EXIT_OK);
        for (; done < frame_n * (i + 1) / 2; done++)
            for (size_t k = 0; k < frames[done].n; k++)
                assert_int_equal(recording_packet_at(&out, &from, MS,
                                                     tl_span_of(frames[done].v[k].p, frames[done].v[k].n),
                                                     &fault),
                                 TL_EXIT_OK);
        free(text);
        json_decref(object);
    }
    assert_int_equal(recording_close(&out, &fault), TL_EXIT_OK);
}

static void recording_when_it_says_that_there_is_no_suite_then_secrets_ask_for_a_stream_file(void **state)
{
    char keys[64], *kept;
    FILE *out;
    verify_options o;

    (void)state;
    make(&scenarios[0]); /* for its secrets */
    kept = text_of(names[1]);
    drop_all();
    make(&scenarios[5]); /* what somebody made who has none */
    record_saying(&file, &file);
    (void)snprintf(keys, sizeof keys, "%s/true.keys", folder);
    out = fopen(keys, "w");
    assert_non_null(out);
    (void)fputs(kept, out);
    assert_int_equal(fclose(out), 0);
    free(kept);
    o = options_of(1, 1, path(3, "whole.json"));
    o.tape.keys = keys;
    assert_int_equal(verify(&o), TL_EXIT_OK); /* the stream file says the same */
    o.tape.stream = NULL;
    (void)unlink(names[3]);
    assert_int_equal(verify(&o), TL_EXIT_USAGE);
    assert_non_null(strstr(fault.text, "--stream"));
    assert_int_not_equal(access(names[3], F_OK), 0);
    o.tape.keys = NULL;
    assert_int_equal(verify(&o), TL_EXIT_OK); /* nobody expects that it is protected */
    assert_int_equal(total("frames_ok"), FRAMES);
    drop_all();
}

static void interface_when_a_later_one_says_another_stream_then_refused_by_name(void **state)
{
    stream_file other;
    verify_options o;

    (void)state;
    make(&scenarios[0]);
    o = options_of(1, 1, path(3, "whole.json"));
    o.tape.stream = NULL;
    record_saying(&file, &file);
    assert_int_equal(verify(&o), TL_EXIT_OK);
    other = file;
    other.stream = 8;
    assert_int_equal(stream_file_build(&other, "test", &fault), TL_EXIT_OK);
    record_saying(&file, &other);
    assert_int_equal(verify(&o), TL_EXIT_USAGE);
    assert_non_null(strstr(fault.text, "--interface csi2"));
    o.tape.interface = "csi2"; /* the first stream alone */
    assert_int_equal(verify(&o), TL_EXIT_OK);
    assert_int_equal(total("frames_ok"), FRAMES / 2);
    drop_all();
}

/* ---- segments ---- */

static char parts[2][64];

static void verify_two(const char *keys)
{
    for (unsigned i = 0; i < 2; i++) {
        verify_options o = options_of(i + 1, 2, parts[i]);

        (void)snprintf(parts[i], sizeof parts[i], "%s/half%u.json", folder, i + 1);
        o.tape.keys = keys;
        assert_in_range(verify(&o), TL_EXIT_OK, TL_EXIT_REFUSED);
    }
}

static tl_exit join(void)
{
    const char *const both[] = { parts[0], parts[1] };

    fault.text[0] = '\0';
    (void)unlink(path(4, "joined.json"));
    return verify_join(both, 2, names[4], NULL, &fault);
}

static void join_when_a_report_was_edited_then_its_sums_tell(void **state)
{
    static const struct {
        const char *old, *new, *why;
    } edits[] = {
        { "\"refused\":1", "\"refused\":0", "its events are not those" },
        { "\"frames_ok\":", "\"frames_ok\":1", "its events are not those" },
        { "\"verdict\":\"repeat\"", "\"verdict\":\"ok\"", "its events are not those" },
        { "\"event\":\"message\"", "\"event\":\"unfinished\"", "its events are not those" },
        { "\"class\":\"tagged\",\"protected\":true,\"bytes\":",
          "\"class\":\"tagged\",\"protected\":true,\"bytes\":1", "its bytes are not those" },
    };

    (void)state;
    make(&scenarios[0]);
    tl_packets_insert(&frames[FRAMES - 2], frames[FRAMES - 2].n,
                      tl_span_of(frames[0].v[1].p, frames[0].v[1].n)); /* an early frame's begin again */
    record();
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        verify_two(names[1]);
        assert_int_equal(join(), TL_EXIT_REFUSED);
        edit(parts[1], edits[i].old, edits[i].new);
        assert_int_equal(join(), TL_EXIT_USAGE);
        if (strstr(fault.text, edits[i].why) == NULL)
            fail_msg("'%s' does not say '%s'", fault.text, edits[i].why);
    }
    verify_two(names[1]);
    edit(parts[1], "\"to\":{\"offset\":", "\"to\":{\"offset\":1");
    assert_int_equal(join(), TL_EXIT_USAGE);
    assert_non_null(strstr(fault.text, "does not end where the file does"));
    drop_all();
}

static void join_when_secrets_have_the_same_name_and_are_others_then_refused(void **state)
{
    static const uint32_t epoch = 0;
    verify_options o;

    (void)state;
    make(&scenarios[0]);
    record();
    verify_two(names[1]);
    assert_int_equal(join(), TL_EXIT_OK);
    write_keys("w", 9, &epoch, 1);
    o = options_of(2, 2, parts[1]);
    assert_int_equal(verify(&o), TL_EXIT_OK); /* none of its begins opens a frame: the segment is empty */
    assert_int_equal(join(), TL_EXIT_USAGE);
    assert_non_null(strstr(fault.text, "other keys"));
    drop_all();
}

static void join_when_other_channels_were_accepted_then_refused(void **state)
{
    verify_options o;

    (void)state;
    make(&scenarios[0]);
    record();
    verify_two(names[1]);
    o = options_of(2, 2, parts[1]);
    o.tape.channels = 0xF;
    assert_int_equal(verify(&o), TL_EXIT_OK);
    assert_int_equal(join(), TL_EXIT_USAGE);
    assert_non_null(strstr(fault.text, "another configuration"));
    drop_all();
}

static void recording_when_no_frame_is_whole_then_it_is_not_called_verified(void **state)
{
    verify_options o;

    (void)state;
    make(&scenarios[0]);
    while (frame_n > 1)
        tl_packets_free(&frames[--frame_n]);
    memset(frames + 1, 0, sizeof frames - sizeof *frames);
    tl_packets_drop(&frames[0], frames[0].n - 2); /* its end */
    record();
    o = options_of(1, 1, path(3, "whole.json"));
    assert_int_equal(verify(&o), TL_EXIT_LINK);
    assert_int_equal(total("frames_unfinished"), 1);
    drop_all();
}

/* ---- pictures ---- */

/* Two senders' frames in one recording, numbered alike. */
static void pictures_when_a_sender_starts_anew_then_all_are_there(void **state)
{
    static const uint32_t epoch = 0;
    static tl_packets first[FRAMES];
    const char *to = path(5, "pictures");
    export_options o = { .out = { .folder = to, .every = 1 }, .last = UINT32_MAX };
    export_counts counts;
    size_t there = 0;

    (void)state;
    make(&scenarios[0]);
    memcpy(first, frames, sizeof first);
    memset(frames, 0, sizeof frames);
    drop_all();
    make(&scenarios[0]);
    tl_stream_tx_wipe(&loop.tx);
    tl_assert_ok(tl_loop_source(&loop, &loop.tx_source, 9));
    tl_assert_ok(tl_stream_tx_init(&loop.tx, &loop.config, &loop.tx_source, 0));
    for (size_t i = 0; i < FRAMES; i++) {
        tl_packets_free(&frames[i]);
        frames[i] = first[i];
        tl_assert_ok(tl_loop_send(&loop, &frames[FRAMES + i]));
    }
    frame_n = 2 * FRAMES;
    write_keys("a", 9, &epoch, 1);
    record();
    o.tape = options_of(1, 1, NULL).tape;
    o.tape.release = TL_RELEASE_FRAME;
    assert_int_equal(export_run(&o, &counts, &fault), TL_EXIT_OK);
    assert_int_equal(counts.written, 2 * FRAMES);
    for (unsigned start = 1; start <= 2; start++)
        for (unsigned i = 1; i <= FRAMES; i++) {
            char name[128];

            (void)snprintf(name, sizeof name, start == 1 ? "%s/frame_%06u.png" : "%s/frame_%06u_2.png", to,
                           i);
            there += access(name, F_OK) == 0;
        }
    assert_int_equal(there, counts.written);
    drop_all();
}

/* ---- annotations ---- */

static void record_with_comments(const char *comment)
{
    recording out;
    recording_from from = { .comment = comment };
    json_t *object = stream_file_json(&file, STREAM_SECRET_HIDDEN);
    char *text = json_dumps(object, JSON_COMPACT), says[4096];

    (void)snprintf(says, sizeof says, "layout=%s\nstream=%s", recording_layout(), text);
    assert_int_equal(recording_open(&out, path(0, "t.pcap"), false, "test", &fault), TL_EXIT_OK);
    assert_int_equal(recording_interface(&out, PCAP_LINK_CSI2, "csi2", says, &from.index, &fault),
                     TL_EXIT_OK);
    for (size_t i = 0; i < frame_n; i++)
        for (size_t k = 0; k < frames[i].n; k++)
            assert_int_equal(
                recording_packet_at(&out, &from, MS, tl_span_of(frames[i].v[k].p, frames[i].v[k].n), &fault),
                TL_EXIT_OK);
    assert_int_equal(recording_close(&out, &fault), TL_EXIT_OK);
    free(text);
    json_decref(object);
}

/* Packets of the result whose comment has that text. */
static size_t packets_saying(const char *text)
{
    FILE *in = fopen(names[3], "rb");
    pcap reader;
    pcap_packet p;
    bool more = true;
    size_t n = 0;

    assert_non_null(in);
    assert_int_equal(pcap_open(&reader, in, names[3], &fault), TL_EXIT_OK);
    while (pcap_next(&reader, &p, &more, &fault) == TL_EXIT_OK && more)
        n += memmem(p.comment.p, p.comment.n, text, strlen(text)) != NULL;
    pcap_close(&reader);
    (void)fclose(in);
    return n;
}

static void verdicts_when_a_recording_brings_its_own_then_they_are_left_out(void **state)
{
    static const char *const comments[] = {
        "trueline: verdict ok\nseen on the bench\ntrueline: frame 1 ok",
        "seen on the bench\ntrueline: verdict ok",
        "\n\ntrueline: verdict ok\nseen on the bench",
    };
    static const uint32_t epoch = 1;
    annotate_options o;
    annotate_sums sums;
    size_t packets = 0;

    (void)state;
    make(&scenarios[0]);
    for (size_t i = 0; i < frame_n; i++)
        packets += frames[i].n;
    for (size_t i = 0; i < sizeof comments / sizeof *comments; i++) {
        record_with_comments(comments[i]);
        write_keys("w", 3, &epoch, 1); /* of another connection: nothing verifies */
        o = (annotate_options){ .recording = names[0], .keys = names[1], .result = path(3, "r.pcapng") };
        assert_int_equal(annotate_run(&o, &sums, &fault), TL_EXIT_REFUSED);
        assert_int_equal(sums.verified, 0);
        assert_int_equal(packets_saying(" ok"), 0);
        assert_int_equal(packets_saying("seen on the bench"), packets);
        assert_true(packets_saying("trueline: verdict ") > 0);
    }
    drop_all();
}

static void recording_when_it_says_that_there_is_no_suite_then_nothing_is_called_verified(void **state)
{
    annotate_options o;
    annotate_sums sums;

    (void)state;
    make(&scenarios[5]);
    record_with_comments(NULL);
    o = (annotate_options){ .recording = names[0], .keys = names[1], .result = path(3, "r.pcapng") };
    assert_int_equal(annotate_run(&o, &sums, &fault), TL_EXIT_OK);
    assert_int_equal(sums.verified, 0);
    drop_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_when_listed_twice_then_a_replayed_frame_is_refused),
        cmocka_unit_test(secrets_when_one_is_of_two_epochs_then_refused),
        cmocka_unit_test(exchange_when_it_is_not_there_then_not_called_computed),
        cmocka_unit_test(recording_when_it_says_that_there_is_no_suite_then_secrets_ask_for_a_stream_file),
        cmocka_unit_test(interface_when_a_later_one_says_another_stream_then_refused_by_name),
        cmocka_unit_test(join_when_a_report_was_edited_then_its_sums_tell),
        cmocka_unit_test(join_when_secrets_have_the_same_name_and_are_others_then_refused),
        cmocka_unit_test(join_when_other_channels_were_accepted_then_refused),
        cmocka_unit_test(recording_when_no_frame_is_whole_then_it_is_not_called_verified),
        cmocka_unit_test(pictures_when_a_sender_starts_anew_then_all_are_there),
        cmocka_unit_test(verdicts_when_a_recording_brings_its_own_then_they_are_left_out),
        cmocka_unit_test(recording_when_it_says_that_there_is_no_suite_then_nothing_is_called_verified),
    };

    return cmocka_run_group_tests_name("verify_claims", tests, set_up, tear_down);
}
