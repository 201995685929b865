/* SPDM in the simulated world: each version with each algorithm, and each message lost, repeated, held back and damaged. What
 * comes of it is right, or ends in a step that is named, in the time that it may take. Then streams under the session's keys. */
#include "attack_spdm.h"
#include "rig.h"
#include "two_ends.h"

#include <stdlib.h>
#include <string.h>

enum { LINK_US = 300, MESSAGES = 60, SOME_KINDS = 4 };

static tl_two_ends ends;
static tl_duel *duel;
static tl_duel_result right[TL_DUEL_SCRIPTS];

/* What happens to the message number `at`, counted over both directions. */
typedef enum what { NOTHING = 0, LOSE, REPEAT, DELAY, DELAY_LONG, DAMAGE, WHATS } what;

typedef struct fault {
    what what;
    unsigned at, seen;
    bool happened;
} fault;

static void hand(void *ctx, tl_hop *hop, tl_parcel *parcel)
{
    fault *f = ctx;

    if (f->seen++ != f->at || f->what == NOTHING) {
        tl_hop_pass(hop, parcel);
        return;
    }
    f->happened = true;
    switch (f->what) {
    case LOSE: tl_hop_taken(hop, parcel); return;
    case DELAY:
        tl_hop_put(hop, tl_span_of(parcel->p, parcel->n), parcel->kind, NULL, 20 * (uint64_t)TL_MS);
        return;
    case DELAY_LONG:
        tl_hop_put(hop, tl_span_of(parcel->p, parcel->n), parcel->kind, NULL, 9000 * (uint64_t)TL_MS);
        return;
    case REPEAT: tl_hop_pass(hop, parcel); break;
    case DAMAGE:
        parcel->p[tl_world_below(hop->world, parcel->n)] ^= (uint8_t)(1 + tl_world_below(hop->world, 255));
        break;
    default: break;
    }
    tl_hop_pass(hop, parcel);
}

/* A run in a world of its own; gives the time that it took, in milliseconds. */
static uint64_t run(tl_duel_script script, fault *f, uint64_t seed, tl_duel_result *result)
{
    tl_world *world = tl_world_new(seed);
    tl_spdm_hops *hops = calloc(1, sizeof *hops);
    uint64_t ms;

    assert_non_null(hops);
    hops->requests.delay_ns = hops->responses.delay_ns = LINK_US * TL_US;
    hops->requests.hand = hops->responses.hand = (tl_hand){ f, hand };
    tl_spdm_hops_open(hops, world);
    tl_assert_ok(tl_spdm_hops_run(hops, duel, &ends.who, script, result));
    ms = tl_world_ms(world);
    tl_world_free(world);
    free(hops);
    return ms;
}

static void open_kind(unsigned i)
{
    const tl_ends_kind kind = tl_ends_kind_of(i);
    fault none = { 0 };

    tl_two_ends_open(&ends, &kind);
    for (int script = 0; script < TL_DUEL_SCRIPTS; script++)
        (void)run((tl_duel_script)script, &none, 1, &right[script]);
}

static void agrees_in_every_version_with_every_algorithm(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TL_ENDS_KINDS; i++) {
        const tl_ends_kind kind = tl_ends_kind_of(i);
        char text[80];

        tl_ends_kind_text(&kind, text, sizeof text);
        open_kind(i);
        for (int script = 0; script < TL_DUEL_SCRIPTS; script++) {
            if (!right[script].whole || !right[script].agreed)
                fail_msg("%s: ends in %s: %s", text, right[script].step, right[script].what);
            assert_int_equal(right[script].env.version, kind.version);
            assert_int_equal(right[script].algs.hash, kind.hash);
            assert_int_equal(right[script].algs.sign, kind.sign);
            assert_true(right[script].record_n > 0);
        }
        assert_int_equal(right[TL_DUEL_SESSION].algs.group, kind.group);
        assert_int_equal(right[TL_DUEL_SESSION].algs.aead, kind.aead);
        assert_int_equal(right[TL_DUEL_SESSION].told, 1);
        assert_int_equal(right[TL_DUEL_UPDATE].told, 3);
        assert_int_equal(right[TL_DUEL_UPDATE].kept[TL_DUEL_HEARTBEAT], 2);
        assert_int_equal(right[TL_DUEL_UPDATE].kept[TL_DUEL_UPDATE_KEY], 1);
        assert_int_equal(right[TL_DUEL_UPDATE].kept[TL_DUEL_UPDATE_ALL_KEYS], 1);
        assert_int_equal(right[TL_DUEL_UPDATE].kept[TL_DUEL_VERIFY_NEW_KEY], 2);
        tl_two_ends_close(&ends);
    }
}

/* ---- faults at each message ---- */

typedef struct tally {
    unsigned runs, whole, named;
} tally;

static void check(tl_duel_script script, const fault *f, uint64_t ms, const tl_duel_result *r)
{
    const char *wrong = tl_duel_wrong(duel, r, &right[script]);

    if (wrong != NULL)
        fail_msg("fault %d at message %u: %s", (int)f->what, f->at, wrong);
    if (!r->whole && (r->step == NULL || r->what == NULL || tl_spdm_step_order(r->step) < 0))
        fail_msg("fault %d at message %u: ended without a step", (int)f->what, f->at);
    if (!r->whole)
        assert_int_not_equal(r->err, TL_OK);
    /* One answer is waited for: the link's time, and what the other end may compute. */
    if (ms > 3000)
        fail_msg("fault %d at message %u: took %llu ms", (int)f->what, f->at, (unsigned long long)ms);
}

static void fault_at_each(tl_duel_script script, what w, tally *t)
{
    bool happened = true;

    for (unsigned at = 0; happened && at < MESSAGES; at++) {
        fault f = { .what = w, .at = at };
        tl_duel_result r;
        uint64_t ms = run(script, &f, at * WHATS + w, &r);

        happened = f.happened;
        if (!happened)
            break;
        check(script, &f, ms, &r);
        if (w == LOSE || w == DELAY_LONG)
            assert_false(r.whole);
        if (w == DELAY)
            assert_true(r.whole && r.agreed);
        t->runs++;
        t->whole += r.whole;
        t->named += !r.whole;
    }
    assert_false(happened);
}

static void message_when_anything_happens_to_it_then_right_or_a_named_step(void **state)
{
    tally t = { 0 };

    (void)state;
    /* 1.2 and 1.3, small and large algorithms, and a mixture of each */
    for (unsigned i = 0; i < SOME_KINDS; i++) {
        /* Of the longest one the beginning is a session's again: once, with what is quickest. */
        const int scripts = i == 0 ? TL_DUEL_SCRIPTS : TL_DUEL_UPDATE;

        open_kind((unsigned[]){ 0, 31, 21, 10 }[i]);
        for (what w = LOSE; w < WHATS; w++)
            for (int script = 0; script < scripts; script++)
                fault_at_each((tl_duel_script)script, w, &t);
        tl_two_ends_close(&ends);
    }
    print_message("# %u runs, %u came to the end, %u ended in a step that is named\n", t.runs, t.whole,
                  t.named);
    assert_true(t.whole > 50 && t.named > 200);
}

/* Chance on both hops, much of it. */
static void exchange_when_the_link_is_bad_then_right_or_a_named_step(void **state)
{
    unsigned whole = 0, named = 0;

    (void)state;
    open_kind(0);
    for (uint64_t seed = 1; seed <= 150; seed++) {
        tl_world *world = tl_world_new(seed);
        tl_spdm_hops *hops = calloc(1, sizeof *hops);
        const fault chance = { 0 };
        tl_duel_result r;

        assert_non_null(hops);
        hops->requests.faults = hops->responses.faults =
            (tl_faults){ .loss = 15000, .twice = 15000, .moved = 15000, .flips = 15000, .burst = 15000 };
        hops->requests.faults.moved_ns = hops->responses.faults.moved_ns = 30 * (uint64_t)TL_MS;
        hops->requests.delay_ns = hops->responses.delay_ns = LINK_US * TL_US;
        tl_spdm_hops_open(hops, world);
        tl_assert_ok(tl_spdm_hops_run(hops, duel, &ends.who, (tl_duel_script)(seed % TL_DUEL_SCRIPTS), &r));
        check((tl_duel_script)(seed % TL_DUEL_SCRIPTS), &chance, tl_world_ms(world), &r);
        whole += r.whole;
        named += !r.whole;
        tl_world_free(world);
        free(hops);
    }
    tl_two_ends_close(&ends);
    assert_true(whole > 10 && named > 10);
}

/* The judge of these tests must be able to find something. */
static void judge_when_the_ends_differ_then_says_so(void **state)
{
    fault none = { 0 };
    tl_duel_result r;

    (void)state;
    open_kind(0);
    (void)run(TL_DUEL_SESSION, &none, 1, &r);
    assert_null(tl_duel_wrong(duel, &r, &right[TL_DUEL_SESSION]));
    r.record[0] ^= 1;
    assert_non_null(tl_duel_wrong(duel, &r, &right[TL_DUEL_SESSION]));
    r.record[0] ^= 1;
    r.algs.hash ^= 1;
    assert_non_null(tl_duel_wrong(duel, &r, &right[TL_DUEL_SESSION]));
    r.algs.hash ^= 1;
    r.told++;
    assert_non_null(tl_duel_wrong(duel, &r, &right[TL_DUEL_SESSION]));
    r.told--;
    r.same = false;
    assert_non_null(tl_duel_wrong(duel, &r, &right[TL_DUEL_SESSION]));
    r.same = true;
    r.lie = "told";
    assert_string_equal(tl_duel_wrong(duel, &r, &right[TL_DUEL_SESSION]), "told");
    r.lie = NULL;
    duel->log_n = 0;
    assert_non_null(tl_duel_wrong(duel, &r, &right[TL_DUEL_SESSION]));
    tl_two_ends_close(&ends);
}

/* What the ends take and hold is looked at while they speak: an end that is meddled with is found out. */
typedef struct meddling {
    tl_duel_about at; /* with the first message of this exchange */
    tl_duel_way way;
    bool forget, turn; /* a record that is delivered was never sent; the sensor's secret is another one */
    bool done;
} meddling;

static void meddle(void *ctx, tl_duel *d, const tl_duel_message *m)
{
    meddling *x = ctx;
    tl_duel_message copy = *m;

    if (!x->done && m->about == x->at && m->way == x->way) {
        x->done = true;
        if (x->forget)
            d->log[d->log_n - 1].bytes[0] ^= 1;
        if (x->turn)
            d->r_session[0].application.request.bytes[0] ^= 1;
    }
    tl_duel_deliver(d, copy.way, copy.secured, tl_span_of(copy.bytes, copy.n));
}

static void judge_when_an_end_takes_what_was_not_sent_or_holds_other_keys_then_says_so(void **state)
{
    static const struct {
        meddling what;
        const char *lie;
    } rows[] = {
        { { TL_DUEL_HEARTBEAT, TL_DUEL_REQUEST, .forget = true },
          "the sensor took a record that nobody sent" },
        { { TL_DUEL_UPDATE_KEY, TL_DUEL_RESPONSE, .forget = true },
          "the controller took a record that nobody sent" },
        { { TL_DUEL_VERIFY_NEW_KEY, TL_DUEL_REQUEST, .turn = true },
          "both ends hold the session, under keys that differ" },
    };

    (void)state;
    open_kind(0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        meddling x = rows[i].what;
        tl_duel_result r;

        tl_assert_ok(tl_duel_run(duel, &ends.who, TL_DUEL_UPDATE, (tl_duel_hand){ &x, meddle }, &r));
        assert_true(x.done);
        assert_non_null(r.lie);
        assert_string_equal(tl_duel_wrong(duel, &r, &right[TL_DUEL_UPDATE]), rows[i].lie);
    }
    tl_two_ends_close(&ends);
}

/* ---- streams under the session's keys ---- */

static void streams_when_keyed_by_a_session_then_ok(void **state)
{
    fault none = { 0 };
    tl_duel_result r;
    tl_secret exported;
    tl_rig_plan plan;
    tl_rig *rig;

    (void)state;
    open_kind(0);
    ends.who.exported = &exported;
    (void)run(TL_DUEL_SESSION, &none, 1, &r);
    assert_true(r.whole && r.same);
    plan = tl_rig_plan_default(ends.pair.rq_end.crypto);
    plan.sensors = 4;
    plan.session = (tl_digest){ r.algs.hash, { exported.bytes, tl_hash_size(r.algs.hash) } };
    rig = tl_rig_new(&plan, 1);
    tl_assert_ok(rig->err);
    tl_rig_run(rig);
    assert_true(tl_rig_holds(rig));
    assert_int_equal(rig->books.ok, 4 * plan.frames);
    tl_rig_free(rig);
    tl_two_ends_close(&ends);
    tl_wipe(&exported, sizeof exported);
}

static bool is_ms_100(void *ctx)
{
    return tl_world_ms(ctx) >= 100;
}

static void rekey(tl_rig *rig, tl_digest session)
{
    for (unsigned i = 0; i < rig->plan.sensors; i++) {
        const uint16_t stream = rig->sensors[i].config.stream;
        tl_key_source source;

        tl_assert_ok(
            tl_key_source_exported(&source, rig->plan.crypto, session, stream, TL_SENSOR_TO_CONTROLLER));
        tl_assert_ok(tl_stream_tx_rekey(&rig->sensors[i].tx, &source, 1));
        tl_key_source_wipe(&source);
        tl_assert_ok(
            tl_key_source_exported(&source, rig->plan.crypto, session, stream, TL_SENSOR_TO_CONTROLLER));
        tl_assert_ok(tl_stream_rx_rekey(&tl_sim_controller_find(&rig->controller, stream)->rx, &source, 1));
        tl_key_source_wipe(&source);
    }
}

static void count_keys(void *ctx, tl_sim_sink *sink, const tl_stream_event *e)
{
    (void)sink;
    *(unsigned *)ctx += e->kind == TL_EVENT_KEY;
}

/* Two streams go on under provisioned keys while the ends agree, in the same world and on a link that is slow; then they
 * change to the session's keys, and no frame is lost. */
static void streams_when_a_session_begins_beside_them_then_rekeyed_without_a_loss(void **state)
{
    tl_spdm_hops *hops = calloc(1, sizeof *hops);
    unsigned keys = 0;
    tl_duel_result r;
    tl_secret exported;
    tl_rig_plan plan;
    tl_rig *rig;

    (void)state;
    assert_non_null(hops);
    open_kind(31);
    ends.who.exported = &exported;
    plan = tl_rig_plan_default(ends.pair.rq_end.crypto);
    plan.sensors = 2;
    plan.frames = 30;
    rig = tl_rig_new(&plan, 1);
    tl_assert_ok(rig->err);
    rig->controller.ctx = &keys;
    rig->controller.event = count_keys;
    tl_world_wait(rig->world, 10000 * (uint64_t)TL_MS, is_ms_100, rig->world);
    hops->requests.delay_ns = hops->responses.delay_ns = 15 * (uint64_t)TL_MS;
    tl_spdm_hops_open(hops, rig->world);
    tl_assert_ok(tl_spdm_hops_run(hops, duel, &ends.who, TL_DUEL_SESSION, &r));
    assert_true(r.whole && r.same);
    assert_true(tl_world_ms(rig->world) > 300); /* ten frames went by meanwhile */
    rekey(rig, (tl_digest){ r.algs.hash, { exported.bytes, tl_hash_size(r.algs.hash) } });
    tl_rig_run(rig);
    assert_true(tl_rig_holds(rig));
    assert_int_equal(rig->books.ok, 2 * plan.frames);
    assert_int_equal(keys, 2);
    tl_rig_free(rig);
    free(hops);
    tl_two_ends_close(&ends);
    tl_wipe(&exported, sizeof exported);
}

static int set_up(void **state)
{
    (void)state;
    tl_random_determined(1);
    duel = calloc(1, sizeof *duel);
    return duel != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(duel);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_in_every_version_with_every_algorithm),
        cmocka_unit_test(message_when_anything_happens_to_it_then_right_or_a_named_step),
        cmocka_unit_test(exchange_when_the_link_is_bad_then_right_or_a_named_step),
        cmocka_unit_test(judge_when_the_ends_differ_then_says_so),
        cmocka_unit_test(judge_when_an_end_takes_what_was_not_sent_or_holds_other_keys_then_says_so),
        cmocka_unit_test(streams_when_keyed_by_a_session_then_ok),
        cmocka_unit_test(streams_when_a_session_begins_beside_them_then_rekeyed_without_a_loss),
    };
    return cmocka_run_group_tests_name("world_spdm", tests, set_up, tear_down);
}
