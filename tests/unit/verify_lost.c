/* Recordings that say themselves that packets are missing: nobody is called an attacker for them, and nobody is called verified. What
 * is wrong besides is refused as ever. */
#define _GNU_SOURCE
#include "recorded.h"

#include "recording.h"

static tl_fault fault;

/* Which packets of the frames are missing, and whether the recording says so. */
typedef struct missing {
    size_t at, n;
    bool said;        /* before the packet behind them */
    uint64_t claimed; /* how many, said of it and of each of the next two; 0: as many as are missing */
    uint64_t at_end;  /* what the statistics say; 0: there are none */
} missing;

static void put_count(tl_wr *w, unsigned code, uint64_t n)
{
    tl_put(w, 2, TL_LITTLE, code);
    tl_put(w, 2, TL_LITTLE, 8);
    tl_put(w, 8, TL_LITTLE, n);
}

static void put_block(FILE *out, uint32_t type, tl_span body)
{
    put32(out, type);
    put32(out, (uint32_t)body.n + 12);
    assert_int_equal(fwrite(body.p, 1, body.n, out), body.n);
    put32(out, (uint32_t)body.n + 12);
}

static void put_packet(FILE *out, uint64_t time_ns, tl_span packet, uint64_t lost)
{
    static uint8_t body[1 << 17];
    tl_wr w = tl_wr_of(body, sizeof body);

    tl_put(&w, 4, TL_LITTLE, 0);
    tl_put(&w, 4, TL_LITTLE, time_ns >> 32);
    tl_put(&w, 4, TL_LITTLE, time_ns & UINT32_MAX);
    tl_put(&w, 4, TL_LITTLE, packet.n);
    tl_put(&w, 4, TL_LITTLE, packet.n);
    tl_put_bytes(&w, packet);
    tl_put_zeros(&w, (4 - packet.n % 4) % 4);
    if (lost > 0)
        put_count(&w, PCAPNG_OPTION_LOST_BEFORE, lost);
    tl_put(&w, 4, TL_LITTLE, PCAPNG_OPTION_END);
    assert_false(w.bad);
    put_block(out, PCAPNG_ENHANCED, tl_written(&w));
}

static void put_statistics(FILE *out, uint64_t lost)
{
    uint8_t body[64];
    tl_wr w = tl_wr_of(body, sizeof body);

    tl_put_zeros(&w, 12);
    put_count(&w, PCAPNG_OPTION_RECEIVED, 1);
    put_count(&w, PCAPNG_OPTION_DROPPED, lost);
    tl_put(&w, 4, TL_LITTLE, PCAPNG_OPTION_END);
    put_block(out, PCAPNG_STATISTICS, tl_written(&w));
}

/* The frames' packets but those. */
static void record_without(const missing *m)
{
    uint64_t lost = 0;
    uint32_t index;
    recording head;
    FILE *out;

    record(); /* fills `flat` */
    assert_int_equal(recording_open(&head, names[0], false, "test", &fault), TL_EXIT_OK);
    assert_int_equal(recording_interface(&head, PCAP_LINK_CSI2, "csi2", "", &index, &fault), TL_EXIT_OK);
    assert_int_equal(recording_close(&head, &fault), TL_EXIT_OK);
    out = fopen(names[0], "ab");
    assert_non_null(out);
    for (size_t i = 0; i < flat.n; i++) {
        if (i >= m->at && i - m->at < m->n) {
            lost += m->said;
            continue;
        }
        if (m->claimed > 0)
            lost = i >= m->at && i - m->at < m->n + 3 ? m->claimed : 0;
        put_packet(out, time_of(i), tl_span_of(flat.v[i].p, flat.v[i].n), lost);
        lost = 0;
    }
    if (m->at_end > 0)
        put_statistics(out, m->at_end);
    assert_int_equal(fclose(out), 0);
}

static tl_exit verify(unsigned segment, unsigned segments, const char *to)
{
    const verify_options o = options_of(segment, segments, to);

    fault.text[0] = '\0';
    return verify_run(&o, NULL, &fault);
}

static json_int_t total(unsigned i, const char *name)
{
    json_t *o = json_load_file(names[i], 0, NULL);
    const json_t *n = json_object_get(json_object_get(o, "totals"), name);
    json_int_t value;

    assert_true(json_is_integer(n));
    value = json_integer_value(n);
    json_decref(o);
    return value;
}

static json_int_t evidence_of(unsigned i)
{
    json_t *o = json_load_file(names[i], 0, NULL);
    const json_int_t n = json_integer_value(json_object_get(json_object_get(o, "evidence"), "not_recorded"));

    json_decref(o);
    return n;
}

/* Frames that are not there at all before the first, or behind the last, are told by nobody. */
static void assert_not_judged(const scenario *s, const missing *m)
{
    const tl_exit e = verify(1, 1, path(3, "whole.json"));
    json_int_t ok, without, unfinished;

    if (e != TL_EXIT_LINK || strstr(fault.text, "not recorded, as the recording says itself") == NULL)
        fail_msg("%s, %zu packets at %zu: exit %d, %s", s->name, m->n, m->at, (int)e, fault.text);
    ok = total(3, "frames_ok");
    without = total(3, "frames_not_recorded");
    unfinished = total(3, "frames_unfinished");
    assert_int_equal(total(3, "refused"), 0);
    assert_int_equal(total(3, "frames_bad") + total(3, "frames_lost"), 0);
    assert_int_equal(total(3, "not_recorded"), (json_int_t)m->n);
    assert_int_equal(evidence_of(3), (json_int_t)m->n);
    if (ok + without + unfinished > FRAMES || ok < FRAMES - 2 - (json_int_t)(m->n / (flat.n / FRAMES)))
        fail_msg("%s, %zu packets at %zu: %d ok, %d not recorded", s->name, m->n, m->at, (int)ok,
                 (int)without);
}

static void packets_when_said_to_be_missing_anywhere_then_no_frame_is_refused_for_it(void **state)
{
    static const size_t lengths[] = { 1, 3, 40 };

    (void)state;
    for (size_t i = 0; i < SCENARIOS; i++) {
        make(&scenarios[i]);
        record();
        for (size_t k = 0; k < 3; k++)
            for (size_t at = 1; at + lengths[k] < flat.n; at += 5 - k) {
                const missing m = { .at = at, .n = lengths[k], .said = true };

                record_without(&m);
                assert_not_judged(&scenarios[i], &m);
            }
        drop_all();
    }
}

/* The same recordings, and nothing is said. */
static void packets_when_missing_and_not_said_then_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCENARIOS; i++) {
        make(&scenarios[i]);
        record();
        for (size_t at = flat.n / 2; at < flat.n / 2 + flat.n / FRAMES; at++) {
            const missing m = { .at = at, .n = 3 };

            record_without(&m);
            if (verify(1, 1, path(3, "whole.json")) != TL_EXIT_REFUSED)
                fail_msg("%s at %zu of %zu: %d ok, %s", scenarios[i].name, at, flat.n,
                         (int)total(3, "frames_ok"), fault.text);
            assert_int_equal(total(3, "not_recorded"), 0);
        }
        drop_all();
    }
}

/* A line that is changed, in a frame that lacks a packet, and in another one. */
static void packet_when_changed_beside_missing_ones_then_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCENARIOS; i++) {
        if (scenarios[i].carrier == TL_CARRIER_FSED || scenarios[i].mode != TL_TAG_PER_MESSAGE)
            continue;
        for (unsigned frame = 5; frame < 8; frame++) {
            const missing m = { .at = 0, .n = 1, .said = true };
            missing here = m;
            tl_buffer *line;

            make(&scenarios[i]);
            line = &frames[frame].v[4];
            line->p[TL_CSI2_HEADER_SIZE + TL_SEP_HEADER_SIZE + 1] ^= 1;
            record();
            for (unsigned k = 0; k < 6; k++)
                here.at += frames[k].n;
            here.at += 3; /* a line of frame 6 of 12 */
            record_without(&here);
            if (verify(1, 1, path(3, "whole.json")) != TL_EXIT_REFUSED)
                fail_msg("%s, frame %u: %s", scenarios[i].name, frame, fault.text);
            assert_true(total(3, "refused") > 0);
            assert_int_equal(total(3, "not_recorded"), 1);
            drop_all();
        }
    }
}

static void packets_when_missing_behind_the_last_then_the_statistics_say_it(void **state)
{
    const missing m = { .at_end = 7 };

    (void)state;
    make(&scenarios[0]);
    record_without(&m);
    assert_int_equal(verify(1, 1, path(3, "whole.json")), TL_EXIT_LINK);
    assert_non_null(strstr(fault.text, "7 packets were not recorded"));
    assert_int_equal(total(3, "frames_ok"), FRAMES);
    assert_int_equal(total(3, "not_recorded"), 7);
    drop_all();
}

/* In front of the next packet, and in the statistics: they are the same ones. */
static void packets_when_said_twice_then_counted_once(void **state)
{
    const missing m = { .at = 30, .n = 5, .said = true, .at_end = 6 };
    char *text;

    (void)state;
    make(&scenarios[0]);
    record_without(&m);
    assert_int_equal(verify(1, 1, path(3, "whole.json")), TL_EXIT_LINK);
    assert_int_equal(total(3, "not_recorded"), 6);
    text = text_of(names[3]);
    assert_non_null(strstr(text, "\"event\":\"not_recorded\""));
    free(text);
    drop_all();
}

static void segments_when_packets_are_missing_then_joined_as_the_whole(void **state)
{
    static const char *const same[] = { "frames_ok", "frames_not_recorded", "not_recorded",
                                        "refused",   "frames_bad",          "frames_lost" };
    static const char *const part_names[] = { "p0.json", "p1.json", "p2.json" };

    (void)state;
    for (size_t i = 0; i < SCENARIOS; i++) {
        make(&scenarios[i]);
        record();
        for (size_t at = 7; at + 20 < flat.n; at += 13) {
            const missing m = { .at = at, .n = 9, .said = true, .at_end = 11 };
            const char *parts[3];

            record_without(&m);
            assert_int_equal(verify(1, 1, path(3, "whole.json")), TL_EXIT_LINK);
            for (unsigned k = 0; k < 3; k++) {
                parts[k] = path(5 + k, part_names[k]);
                if (verify(k + 1, 3, parts[k]) != TL_EXIT_OK)
                    fail_msg("%s at %zu, segment %u: %s", scenarios[i].name, at, k + 1, fault.text);
            }
            assert_int_equal(verify_join(parts, 3, path(4, "joined.json"), NULL, &fault), TL_EXIT_LINK);
            assert_non_null(strstr(fault.text, "11 packets were not recorded"));
            for (size_t k = 0; k < sizeof same / sizeof *same; k++)
                assert_int_equal(total(3, same[k]), total(4, same[k]));
            assert_int_equal(evidence_of(4), 11);
        }
        drop_all();
    }
}

static void packets_when_more_are_claimed_than_can_be_counted_then_still_not_verified(void **state)
{
    static const uint64_t claims[] = { (uint64_t)1 << 62, (uint64_t)1 << 63, UINT64_MAX };
    const char *parts[] = { path(5, "p0.json"), path(6, "p1.json") };

    (void)state;
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        const missing m = { .at = 30, .n = 1, .claimed = claims[i], .at_end = claims[i] };

        make(&scenarios[0]);
        record_without(&m);
        assert_int_equal(verify(1, 1, path(3, "whole.json")), TL_EXIT_LINK);
        assert_true(total(3, "not_recorded") == INT64_MAX && evidence_of(3) == INT64_MAX);
        for (unsigned k = 0; k < 2; k++)
            assert_int_equal(verify(k + 1, 2, parts[k]), TL_EXIT_OK);
        assert_int_equal(verify_join(parts, 2, path(4, "joined.json"), NULL, &fault), TL_EXIT_LINK);
        assert_true(total(4, "not_recorded") == INT64_MAX);
        drop_all();
    }
}

/* What the options must not be. */
static void counts_when_cut_or_of_no_interface_then_the_file_is_broken(void **state)
{
    static const struct {
        uint32_t type;
        uint8_t body[28];
        size_t n;
        const char *why;
    } rows[] = {
        { PCAPNG_STATISTICS, { 0 }, 8, "shorter than its fields" },
        { PCAPNG_STATISTICS, { 1 }, 12, "their interface is none" },
        { PCAPNG_STATISTICS, { [12] = 5, [14] = 4 }, 20, "an option that is too short" },
        { PCAPNG_STATISTICS, { [12] = 5, [14] = 8 }, 20, "an option that is cut" },
        { PCAPNG_ENHANCED, { [20] = 4, [22] = 4 }, 28, "an option that is too short" },
        { PCAPNG_ENHANCED, { [20] = 4, [22] = 8 }, 28, "an option that is cut" },
    };
    const missing none = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        FILE *out;

        make(&scenarios[0]);
        record_without(&none);
        out = fopen(names[0], "ab");
        assert_non_null(out);
        put_block(out, rows[i].type, tl_span_of(rows[i].body, rows[i].n));
        assert_int_equal(fclose(out), 0);
        assert_int_equal(verify(1, 1, path(3, "whole.json")), TL_EXIT_LINK);
        if (strstr(fault.text, rows[i].why) == NULL)
            fail_msg("row %zu: %s", i, fault.text);
        drop_all();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_when_said_to_be_missing_anywhere_then_no_frame_is_refused_for_it),
        cmocka_unit_test(packets_when_missing_and_not_said_then_refused),
        cmocka_unit_test(packet_when_changed_beside_missing_ones_then_refused),
        cmocka_unit_test(packets_when_missing_behind_the_last_then_the_statistics_say_it),
        cmocka_unit_test(packets_when_said_twice_then_counted_once),
        cmocka_unit_test(segments_when_packets_are_missing_then_joined_as_the_whole),
        cmocka_unit_test(packets_when_more_are_claimed_than_can_be_counted_then_still_not_verified),
        cmocka_unit_test(counts_when_cut_or_of_no_interface_then_the_file_is_broken),
    };

    return cmocka_run_group_tests_name("verify_lost", tests, set_up, tear_down);
}
