/* Streams in the simulated world: over hops that lose, repeat, hold back and damage packets, through aggregators and bridges,
 * with clocks that drift. The world knows what it did, and each verdict must be true. */
#include "one_backend.h"
#include "rig.h"
#include "testing.h"

#include <trueline/openssl.h>

#include <string.h>

enum { SEEDS = 12, CAMERAS = 4 };

/* Runs it and looks at the books; a failure names what reproduces it. */
static tl_rig *run(const tl_rig_plan *plan, uint64_t seed)
{
    tl_rig *rig = tl_rig_new(plan, seed);

    tl_assert_ok(rig->err);
    tl_rig_run(rig);
    if (!tl_rig_holds(rig))
        fail_msg("seed 0x%llx: %s", (unsigned long long)seed, rig->books.wrong);
    return rig;
}

static uint64_t fate_count(const tl_rig *rig, unsigned fate)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < 5; i++)
        if ((fate >> i & 1) != 0)
            n += rig->books.fates[i];
    return n;
}

/* ---- bit times ---- */

static void packet_when_on_a_dphy_then_takes_its_bits_and_the_gaps(void **state)
{
    const tl_dphy two = { 2, 1000 }, four = { 4, 1000 }, fast = { 4, 2500 }, none = { 0, 0 };

    (void)state;
    /* 305 ns of low power, 18 + 16 intervals of 1 ns around the bytes, 60 ns of trail; 100 bytes on two lanes are 400 intervals */
    assert_int_equal(tl_dphy_gap_ns(&two), 305 + 18 + 16 + 60);
    assert_int_equal(tl_dphy_packet_ns(&two, 100), 399 + 400);
    assert_int_equal(tl_dphy_packet_ns(&two, 101), 399 + 408);
    assert_int_equal(tl_dphy_packet_ns(&four, 100), 399 + 200);
    assert_true(tl_dphy_packet_ns(&fast, 100) < tl_dphy_packet_ns(&four, 100));
    assert_int_equal(tl_dphy_packet_ns(&none, 100), 0);
}

static void link_when_faster_than_its_bits_then_packets_wait_for_each_other(void **state)
{
    tl_rig_plan plan = tl_rig_plan_default(crypto);
    const tl_stream_config *c = &plan.config;
    uint64_t wire_ns = 0;
    const tl_book_frame *f;
    tl_rig *rig;

    (void)state;
    plan.frames = 1;
    plan.line_ns = 0;
    rig = run(&plan, 1);
    f = &rig->books.streams[0].frames[0];
    /* Everything but what stands in front of the begin: lines, begin and end with their sizes. */
    for (unsigned i = 0; i < c->part_count; i++)
        wire_ns += c->parts[i].count * tl_dphy_packet_ns(&plan.far_dphy, c->parts[i].length + 16 + 20 + 6);
    assert_true(f->last_ns - f->first_ns > wire_ns);
    assert_true(f->last_ns - f->first_ns < wire_ns + 8 * TL_US);
    tl_rig_free(rig);
}

/* ---- without faults ---- */

static void sensor_when_nothing_is_done_then_all_ok(void **state)
{
    tl_rig_plan plan = tl_rig_plan_default(crypto);
    tl_rig *rig = run(&plan, 1);

    (void)state;
    assert_int_equal(rig->books.ok, plan.frames);
    assert_int_equal(rig->books.bad + rig->books.lost, 0);
    tl_rig_free(rig);
}

static void world_when_built_twice_from_a_seed_then_the_same_happens(void **state)
{
    tl_rig_plan plan = tl_rig_plan_default(crypto);
    tl_rig *a, *b, *other;

    (void)state;
    plan.frames = 40;
    plan.far = (tl_faults){ .loss = 5000, .flips = 5000, .twice = 5000 };
    a = run(&plan, 7);
    b = run(&plan, 7);
    other = run(&plan, 8);
    assert_memory_equal(a->books.fates, b->books.fates, sizeof a->books.fates);
    assert_memory_equal(&a->controller.sinks[0]->rx.counters, &b->controller.sinks[0]->rx.counters,
                        sizeof(tl_stream_counters));
    assert_memory_not_equal(&a->controller.sinks[0]->rx.counters, &other->controller.sinks[0]->rx.counters,
                            sizeof(tl_stream_counters));
    tl_rig_free(a);
    tl_rig_free(b);
    tl_rig_free(other);
}

/* The books must be able to find something: told lies, they say so. */
static void books_when_a_frame_is_called_otherwise_then_they_say_so(void **state)
{
    tl_rig_plan plan = tl_rig_plan_default(crypto);
    tl_rig *rig = run(&plan, 1);
    tl_stream_event lie = { .kind = TL_EVENT_FRAME, .frame = 1, .verdict = TL_VERDICT_OK, .proven = true };

    (void)state;
    tl_books_event(&rig->books, &rig->books.streams[0], &lie, NULL);
    assert_false(tl_rig_holds(rig));
    assert_non_null(strstr(rig->books.wrong, "a second verdict"));
    tl_rig_free(rig);

    rig = run(&plan, 1);
    lie.kind = TL_EVENT_OPENED;
    lie.time_us = rig->books.streams[0].frames[0].time_us;
    tl_books_event(&rig->books, &rig->books.streams[0], &lie, NULL);
    assert_non_null(strstr(rig->books.wrong, "after a later one"));
    tl_rig_free(rig);

    rig = run(&plan, 1);
    rig->books.streams[0].frames[3].verdict = TL_VERDICT_TAG;
    assert_false(tl_rig_holds(rig));
    assert_non_null(strstr(rig->books.wrong, "nothing was done"));
    tl_rig_free(rig);

    rig = run(&plan, 1);
    rig->books.streams[0].frames[3].came--;
    assert_false(tl_rig_holds(rig));
    assert_non_null(strstr(rig->books.wrong, "not all of it came"));
    tl_rig_free(rig);
}

/* Events of frames that have had none yet, and entries that were not made. */
static void books_when_told_of_bytes_frames_or_times_that_were_not_then_they_say_so(void **state)
{
    static uint8_t pixels[4096];
    static const struct {
        tl_stream_event event;
        const char *wrong;
    } lies[] = {
        { { .kind = TL_EVENT_FRAME, .frame = 3, .proven = true }, "bytes that were not sent" },
        { { .kind = TL_EVENT_FRAME, .frame = 3, .proven = false }, "ok without proof" },
        { { .kind = TL_EVENT_FRAME, .frame = 999, .proven = true }, "nobody sent such a frame" },
        { { .kind = TL_EVENT_OPENED, .frame = 11 }, "nobody sent such a frame" },
        { { .kind = TL_EVENT_OPENED, .frame = 10, .time_us = 1 }, "not the sender's" },
        { { .kind = TL_EVENT_LOST, .frame = 3, .count = 1 }, "called lost, and judged" },
        { { .kind = TL_EVENT_OPENED, .frame = 7 }, "opened under a key that was given up" },
        { { .kind = TL_EVENT_MESSAGE, .frame = 7, .verdict = TL_VERDICT_REPEAT, .proven = true },
          "a packet under a key that was given up was found right" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        tl_rig_plan plan = tl_rig_plan_default(crypto);
        tl_rig *rig = run(&plan, 1);
        tl_book *book = &rig->books.streams[0];

        assert_true(tl_stream_frame_bytes(&book->config) <= sizeof pixels);
        if (lies[i].event.kind == TL_EVENT_FRAME && lies[i].event.frame == 3)
            tl_book_find(book, 3)->verdicts = 0;
        if (lies[i].event.kind == TL_EVENT_OPENED)
            book->begun = 0;
        book->epoch = lies[i].event.frame == 7 ? 1 : 0;
        tl_books_event(&rig->books, book, &lies[i].event, pixels);
        assert_false(tl_rig_holds(rig));
        if (strstr(rig->books.wrong, lies[i].wrong) == NULL)
            fail_msg("lie %zu: %s", i, rig->books.wrong);
        tl_rig_free(rig);
    }
}

static void books_when_nothing_is_said_of_a_frame_then_they_say_so(void **state)
{
    tl_rig_plan plan = tl_rig_plan_default(crypto);
    tl_rig *rig = run(&plan, 1);

    (void)state;
    tl_book_find(&rig->books.streams[0], 3)->verdicts = 0;
    tl_book_find(&rig->books.streams[0], 3)->fates = TL_FATE_LOST;
    assert_false(tl_rig_holds(rig));
    assert_non_null(strstr(rig->books.wrong, "nothing was said of it"));
    tl_rig_free(rig);
}

static void books_when_a_line_is_let_out_twice_then_they_say_so(void **state)
{
    tl_rig_plan plan = tl_rig_plan_default(crypto);
    tl_rig *rig = run(&plan, 1);
    tl_book *book = &rig->books.streams[0];
    uint8_t line[TL_CSI2_PACKET_MAX];
    tl_stream_event e = { .kind = TL_EVENT_MESSAGE,
                          .frame = 2,
                          .verdict = TL_VERDICT_OK,
                          .data_type = book->config.parts[1].data_type,
                          .message = 1,
                          .payload = tl_span_of(line, book->config.parts[1].length) };

    (void)state;
    tl_book_payload(book, 2, 1, 1, line);
    memset(tl_book_find(book, 2)->let_out, 0, 1); /* whatever the receiver has let out */
    tl_books_event(&rig->books, book, &e, NULL);
    assert_true(tl_rig_holds(rig));
    tl_books_event(&rig->books, book, &e, NULL);
    assert_false(tl_rig_holds(rig));
    assert_non_null(strstr(rig->books.wrong, "let out twice"));
    tl_rig_free(rig);
}

/* ---- one fault at a time: counts are those of the world ---- */

/* Of a frame with a gap the event says how many of its messages are missing. */
static void check_gap(void *ctx, tl_sim_sink *sink, const tl_stream_event *e)
{
    const tl_book_frame *f = tl_book_find(sink->book, e->frame);

    if (e->kind != TL_EVENT_FRAME || e->verdict != TL_VERDICT_GAP)
        return;
    assert_int_equal(e->count, f->packets - f->came);
    ++*(unsigned *)ctx;
}

static void lines_when_lost_then_as_many_are_missing(void **state)
{
    unsigned gaps = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        tl_rig_plan plan = tl_rig_plan_default(crypto);
        const tl_stream_counters *n;
        tl_rig *rig;

        plan.frames = 60;
        plan.far.loss = 3000;
        rig = tl_rig_new(&plan, seed);
        tl_assert_ok(rig->err);
        rig->controller.ctx = &gaps;
        rig->controller.event = check_gap;
        tl_rig_run(rig);
        assert_true(tl_rig_holds(rig));
        n = tl_stream_rx_counters(&rig->controller.sinks[0]->rx);
        assert_true(rig->books.ok > 0 && rig->books.bad + rig->books.lost > 0);
        assert_int_equal(n->packets + tl_stream_group_counters(&rig->controller.group)->short_packets,
                         rig->far.arrived);
        assert_int_equal(tl_stream_group_counters(&rig->controller.group)->packets, rig->far.arrived);
        assert_int_equal(rig->far.sent - rig->far.arrived, fate_count(rig, TL_FATE_LOST));
        assert_int_equal(n->frames_ok, rig->books.ok);
        assert_int_equal(n->frames_bad, rig->books.bad);
        assert_int_equal(
            n->verdicts[TL_VERDICT_TAG] + n->verdicts[TL_VERDICT_CRC16] + n->verdicts[TL_VERDICT_ECC], 0);
        tl_rig_free(rig);
    }
    assert_true(gaps > SEEDS);
}

static void packets_when_damaged_then_each_is_found(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        tl_rig_plan plan = tl_rig_plan_default(crypto);
        tl_rig *rig;
        uint64_t found;

        plan.frames = 60;
        plan.far.flips = 4000;
        plan.far.burst = 1000;
        rig = run(&plan, seed);
        found = tl_rig_verdicts(rig, TL_VERDICT_ECC) + tl_rig_verdicts(rig, TL_VERDICT_CRC16) +
                tl_rig_verdicts(rig, TL_VERDICT_UNPROTECTED) + tl_rig_verdicts(rig, TL_VERDICT_HEADER);
        assert_true(found > 0 && found <= fate_count(rig, TL_FATE_DAMAGED));
        assert_int_equal(rig->far.arrived, rig->far.sent);
        assert_true(rig->books.ok > 0 && rig->books.bad > 0);
        tl_rig_free(rig);
    }
}

static void packets_when_repeated_then_as_many_repeats_are_counted(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        tl_rig_plan plan = tl_rig_plan_default(crypto);
        tl_rig *rig;

        plan.frames = 60;
        plan.far.twice = 3000;
        rig = run(&plan, seed);
        assert_true(fate_count(rig, TL_FATE_TWICE) > 0);
        assert_int_equal(rig->far.arrived, rig->far.sent + fate_count(rig, TL_FATE_TWICE));
        assert_int_equal(rig->books.lost, 0);
        tl_rig_free(rig);
    }
}

static void packets_when_overtaken_then_frames_are_judged_by_it(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        tl_rig_plan plan = tl_rig_plan_default(crypto);
        tl_rig *rig;

        plan.frames = 60;
        plan.far.moved = 3000;
        plan.far.moved_ns = (1 + seed % 4) * 30 * TL_US;
        plan.far.jitter_ns = 5 * TL_US;
        rig = run(&plan, seed);
        assert_true(fate_count(rig, TL_FATE_MOVED) > 0);
        assert_true(rig->books.ok > 0 && rig->books.bad > 0);
        assert_true(tl_rig_verdicts(rig, TL_VERDICT_ORDER) > 0);
        tl_rig_free(rig);
    }
}

/* ---- modes, with everything at once ---- */

static void streams_when_everything_happens_then_every_verdict_is_true(void **state)
{
    static const struct mode {
        tl_tag_mode mode;
        tl_suite suite;
        uint8_t tag;
        tl_release release;
    } modes[] = {
        { TL_TAG_PER_MESSAGE, TL_SUITE_AES128_GMAC, 16, TL_RELEASE_FRAME },
        { TL_TAG_PER_MESSAGE, TL_SUITE_AES256_CMAC, 8, TL_RELEASE_LINE },
        { TL_TAG_PER_DATA_TYPE, TL_SUITE_AES128_GMAC, 16, TL_RELEASE_FRAME },
        { TL_TAG_PER_DATA_TYPE, TL_SUITE_AES256_CMAC, 12, TL_RELEASE_EARLY },
        { TL_TAG_PER_FRAME, TL_SUITE_AES128_CMAC, 16, TL_RELEASE_FRAME },
        { TL_TAG_PER_FRAME, TL_SUITE_AES256_GMAC, 16, TL_RELEASE_EARLY },
    };

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            tl_rig_plan plan = tl_rig_plan_default(crypto);
            tl_rig *rig;

            plan.frames = 40;
            plan.config.tag_mode = modes[i].mode;
            plan.config.suite = modes[i].suite;
            plan.config.tag_size = modes[i].tag;
            plan.config.release = modes[i].release;
            if (modes[i].release == TL_RELEASE_EARLY) /* nothing encrypted leaves early */
                plan.config.variant[TL_BLOCK_MIDDLE] = TL_SV_2;
            plan.far = (tl_faults){ .loss = 800, .twice = 800, .moved = 800, .flips = 800, .burst = 400 };
            plan.far.moved_ns = 45 * TL_US;
            rig = run(&plan, seed);
            assert_true(rig->books.ok > 0 && rig->books.bad + rig->books.lost > 0);
            tl_rig_free(rig);
        }
}

/* ---- new keys ---- */

static uint64_t switches(const tl_rig *rig)
{
    uint64_t n = 0;

    for (size_t i = 0; i < rig->books.n; i++)
        n += rig->books.streams[i].switches;
    return n;
}

static void keys_when_changed_again_and_again_inside_of_frames_then_no_frame_is_lost(void **state)
{
    static const tl_rig_bridges bridges[] = { TL_RIG_NONE, TL_RIG_TO_FSED, TL_RIG_TO_FSED_AND_BACK };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof bridges / sizeof *bridges; i++) {
        tl_rig_plan plan = tl_rig_plan_default(crypto);
        tl_rig *rig;

        plan.bridges = bridges[i / 2];
        plan.config.carrier = i == 1 ? TL_CARRIER_FSED : TL_CARRIER_SEP;
        plan.sensors = i == 0 ? CAMERAS : 1;
        plan.frames = 40;
        plan.rekey_frames = 3;
        rig = run(&plan, i + 1);
        assert_int_equal(rig->books.ok, plan.sensors * plan.frames);
        assert_true(switches(rig) >= 10 * plan.sensors);
        tl_rig_free(rig);
    }
}

static void keys_when_changed_over_a_bad_link_then_every_verdict_is_true(void **state)
{
    uint64_t changed = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        tl_rig_plan plan = tl_rig_plan_default(crypto);
        tl_rig *rig;

        plan.frames = 60;
        plan.rekey_frames = 2;
        plan.far = (tl_faults){ .loss = 8000, .twice = 8000, .moved = 8000, .flips = 8000, .burst = 4000 };
        plan.far.moved_ns = 45 * TL_US;
        rig = run(&plan, seed);
        changed += switches(rig);
        assert_true(rig->books.ok > 0 && rig->books.bad + rig->books.lost > 0);
        tl_rig_free(rig);
    }
    assert_true(changed > 20 * SEEDS);
}

/* ---- time ---- */

typedef struct silence {
    uint64_t heard_ns, told_ns;
    uint32_t missed_ms;
} silence;

static void note_silence(void *ctx, tl_sim_sink *sink, const tl_stream_event *e)
{
    silence *s = ctx;

    if (e->kind == TL_EVENT_OPENED)
        s->heard_ns = tl_world_ns(sink->controller->world);
    if (e->kind != TL_EVENT_SILENT || s->told_ns != 0)
        return;
    s->told_ns = tl_world_ns(sink->controller->world);
    s->missed_ms = e->count;
}

static void sensor_when_it_stops_then_silence_is_told_after_interval_and_tolerance(void **state)
{
    tl_rig_plan plan = tl_rig_plan_default(crypto);
    silence heard = { 0 };
    tl_rig *rig;

    (void)state;
    plan.config.interval_ms = 33;
    plan.config.tolerance_ms = 12;
    rig = tl_rig_new(&plan, 1);
    tl_assert_ok(rig->err);
    rig->controller.ctx = &heard;
    rig->controller.event = note_silence;
    tl_rig_run(rig);
    assert_true(tl_rig_holds(rig));
    assert_int_equal(rig->books.ok, plan.frames);
    assert_int_equal(rig->books.silences, 1);
    /* within the 2 ms that a tick and the grain of the clock are */
    assert_in_range((heard.told_ns - heard.heard_ns) / TL_US, 45000, 47000);
    assert_in_range(heard.missed_ms, 45, 47);
    tl_rig_free(rig);
}

static void frames_when_on_their_way_for_long_then_late_and_no_other(void **state)
{
    (void)state;
    for (uint64_t delay_ms = 1; delay_ms < 60; delay_ms += 3) {
        tl_rig_plan plan = tl_rig_plan_default(crypto);
        tl_rig *rig;

        plan.anchored = true;
        plan.anchor_error_us = 200;
        plan.clock.drift_ppm = 40;
        plan.config.drift_ppm = 100;
        plan.config.age_max_us = 30000;
        plan.far_delay_ns = delay_ms * TL_MS;
        rig = run(&plan, delay_ms);
        for (size_t i = 0; i < rig->books.streams[0].n; i++) {
            const tl_book_frame *f = &rig->books.streams[0].frames[i];

            /* The bound is wider than the truth by the anchor's error, the grain of the clock and the drift. */
            assert_true(f->opened);
            if (delay_ms >= 30)
                assert_true(f->late && f->verdict == TL_VERDICT_LATE);
            if (delay_ms <= 27)
                assert_true(!f->late && f->verdict == TL_VERDICT_OK);
        }
        tl_rig_free(rig);
    }
}

/* A frame that stops in its middle is cut by its time-out, long before the next one comes. */
static void take_all_after(void *ctx, tl_hop *hop, tl_parcel *parcel)
{
    const uint32_t *place = ctx;

    if (parcel->note.frame == 3 && parcel->note.place >= *place)
        tl_hop_taken(hop, parcel);
    else
        tl_hop_pass(hop, parcel);
}

static void frame_when_it_stops_in_the_middle_then_cut_by_its_time_out(void **state)
{
    (void)state;
    for (uint32_t place = 2; place < 24; place += 7) {
        tl_rig_plan plan = tl_rig_plan_default(crypto);
        tl_rig *rig;

        plan.far_hand = (tl_hand){ &place, take_all_after };
        rig = run(&plan, place);
        assert_int_equal(rig->books.ok, plan.frames - 1);
        assert_int_equal(tl_book_find(&rig->books.streams[0], 3)->verdict, TL_VERDICT_CUT);
        tl_rig_free(rig);
    }
}

/* ---- what is between ---- */

static void sensors_when_four_are_aggregated_then_each_has_its_own_verdicts(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        tl_rig_plan plan = tl_rig_plan_default(crypto);
        tl_rig *rig;

        plan.sensors = CAMERAS;
        plan.frames = 20;
        plan.skew_ns = seed * 3 * TL_US; /* frames overlap */
        plan.far_dphy = (tl_dphy){ 4, 1500 };
        plan.near = (tl_faults){ .loss = 500, .flips = 500 };
        plan.far = (tl_faults){ .loss = 200, .twice = 200, .burst = 200 };
        rig = run(&plan, seed);
        assert_int_equal(rig->controller.n, CAMERAS);
        for (size_t i = 0; i < CAMERAS; i++)
            assert_int_equal(rig->books.streams[i].n, plan.frames);
        assert_int_equal(rig->books.ok + rig->books.bad + rig->books.lost, CAMERAS * plan.frames);
        assert_true(rig->books.ok > 0 && rig->books.bad > 0);
        tl_rig_free(rig);
    }
}

static void sensors_when_four_are_aggregated_and_nothing_is_done_then_all_ok(void **state)
{
    tl_rig_plan plan = tl_rig_plan_default(crypto);
    tl_rig *rig;

    (void)state;
    plan.sensors = CAMERAS;
    plan.frames = 20;
    plan.skew_ns = 7 * TL_US;
    rig = run(&plan, 1);
    assert_int_equal(rig->books.ok, CAMERAS * plan.frames);
    for (unsigned i = 0; i < CAMERAS; i++)
        assert_int_equal(rig->controller.sinks[i]->config.virtual_channel, i);
    tl_rig_free(rig);
}

static void bridges_when_nothing_is_done_then_all_ok(void **state)
{
    (void)state;
    for (tl_rig_bridges b = TL_RIG_TO_FSED; b <= TL_RIG_TO_FSED_AND_BACK; b++) {
        tl_rig_plan plan = tl_rig_plan_default(crypto);
        tl_rig *rig;

        plan.bridges = b;
        rig = run(&plan, 1);
        assert_int_equal(rig->books.ok, plan.frames);
        tl_rig_free(rig);
    }
}

static void bridges_when_everything_happens_then_every_verdict_is_true(void **state)
{
    (void)state;
    for (tl_rig_bridges b = TL_RIG_TO_FSED; b <= TL_RIG_TO_FSED_AND_BACK; b++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            tl_rig_plan plan = tl_rig_plan_default(crypto);
            tl_rig *rig;

            plan.bridges = b;
            plan.frames = 40;
            plan.far = (tl_faults){ .loss = 2000, .flips = 2000 };
            plan.middle = plan.last = (tl_faults){ .loss = 2000, .twice = 1000, .burst = 1000 };
            rig = run(&plan, seed);
            assert_true(rig->books.ok > 0 && rig->books.bad + rig->books.lost > 0);
            tl_rig_free(rig);
        }
}

static void plan_when_it_makes_no_sense_then_refused(void **state)
{
    tl_rig_plan plan = tl_rig_plan_default(crypto);
    const unsigned sensors[] = { 0, TL_AGGREGATED_MOST + 1, 2 };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        tl_rig *rig;

        plan.sensors = sensors[i];
        plan.bridges = sensors[i] == 2 ? TL_RIG_TO_FSED : TL_RIG_NONE;
        rig = tl_rig_new(&plan, 1);
        tl_assert_err(TL_E_USAGE, rig->err);
        tl_rig_run(rig);
        assert_false(tl_rig_holds(rig));
        tl_rig_free(rig);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(packet_when_on_a_dphy_then_takes_its_bits_and_the_gaps),
        cmocka_unit_test(link_when_faster_than_its_bits_then_packets_wait_for_each_other),
        cmocka_unit_test(sensor_when_nothing_is_done_then_all_ok),
        cmocka_unit_test(world_when_built_twice_from_a_seed_then_the_same_happens),
        cmocka_unit_test(books_when_a_frame_is_called_otherwise_then_they_say_so),
        cmocka_unit_test(books_when_told_of_bytes_frames_or_times_that_were_not_then_they_say_so),
        cmocka_unit_test(books_when_nothing_is_said_of_a_frame_then_they_say_so),
        cmocka_unit_test(books_when_a_line_is_let_out_twice_then_they_say_so),
        cmocka_unit_test(lines_when_lost_then_as_many_are_missing),
        cmocka_unit_test(packets_when_damaged_then_each_is_found),
        cmocka_unit_test(packets_when_repeated_then_as_many_repeats_are_counted),
        cmocka_unit_test(packets_when_overtaken_then_frames_are_judged_by_it),
        cmocka_unit_test(streams_when_everything_happens_then_every_verdict_is_true),
        cmocka_unit_test(keys_when_changed_again_and_again_inside_of_frames_then_no_frame_is_lost),
        cmocka_unit_test(keys_when_changed_over_a_bad_link_then_every_verdict_is_true),
        cmocka_unit_test(sensor_when_it_stops_then_silence_is_told_after_interval_and_tolerance),
        cmocka_unit_test(frames_when_on_their_way_for_long_then_late_and_no_other),
        cmocka_unit_test(frame_when_it_stops_in_the_middle_then_cut_by_its_time_out),
        cmocka_unit_test(sensors_when_four_are_aggregated_then_each_has_its_own_verdicts),
        cmocka_unit_test(sensors_when_four_are_aggregated_and_nothing_is_done_then_all_ok),
        cmocka_unit_test(bridges_when_nothing_is_done_then_all_ok),
        cmocka_unit_test(bridges_when_everything_happens_then_every_verdict_is_true),
        cmocka_unit_test(plan_when_it_makes_no_sense_then_refused),
    };
    backend_config.key_slots = 64;
    return cmocka_run_group_tests_name("world_streams", tests, open_backend, close_backend);
}
