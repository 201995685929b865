/* A case with streams: a configuration, what is between, and how much is changed, all by chance; then some dozens of frames. He
 * knows packets of another session of the same stream and of another stream under the same keys' secret. */
#include "attack.h"
#include "blind.h"
#include "rig.h"
#include "testing.h"

#include <trueline/lanes.h>
#include <trueline/openssl.h>

#include <stdlib.h>
#include <string.h>

enum { FRAMES = 48, OTHER_FRAMES = 3, REKEY_FRAMES = 7, KEYS = 64, MACS = 64, SENSORS = 3, STREAM = 0x1001 };

static attack_options options;
static tl_openssl *openssl;
static tl_lanes lanes;
static tl_lanes_key keys[KEYS];
static tl_lanes_mac macs[MACS];
static tl_blind blind;
static const tl_crypto *crypto;
static tl_mutator mutator;

void attack_streams_open(const attack_options *o)
{
    const tl_openssl_config config = { .key_slots = KEYS, .mac_slots = MACS };
    tl_lanes_config c = { .level = TL_LANES_BEST, .keys = keys, .key_n = KEYS, .macs = macs, .mac_n = MACS };

    options = *o;
    tl_assert_ok(tl_openssl_open(&config, &openssl));
    c.base = tl_openssl_crypto(openssl);
    tl_assert_ok(tl_lanes_init(&lanes, &c));
    crypto = tl_lanes_crypto(&lanes);
    if (o->without != WITHOUT_TAGS)
        return;
    tl_blind_init(&blind, crypto);
    crypto = tl_blind_crypto(&blind);
}

void attack_streams_close(void)
{
    tl_lanes_wipe(&lanes);
    tl_openssl_close(openssl);
}

/* ---- the plan ---- */

typedef struct kind {
    const char *target;
    unsigned sensors;
    tl_carrier carrier;
    tl_rig_bridges bridges;
} kind;

static const kind kinds[] = {
    { "stream", 1, TL_CARRIER_SEP, TL_RIG_NONE },
    { "streams, aggregated", SENSORS, TL_CARRIER_SEP, TL_RIG_NONE },
    { "stream in memory (FSED)", 1, TL_CARRIER_FSED, TL_RIG_NONE },
    { "stream over a bridge to FSED", 1, TL_CARRIER_SEP, TL_RIG_TO_FSED },
    { "stream over two bridges", 1, TL_CARRIER_SEP, TL_RIG_TO_FSED_AND_BACK },
};
/* Most of the cases are of the first two. */
static const uint8_t shares[] = { 0, 0, 0, 0, 1, 1, 2, 2, 3, 4 };

static void choose_config(tl_world *chance, const kind *k, tl_stream_config *c)
{
    static const tl_suite suites[] = { TL_SUITE_AES128_GMAC, TL_SUITE_AES256_GMAC, TL_SUITE_AES128_CMAC,
                                       TL_SUITE_AES256_CMAC };
    static const tl_stream_part parts[] = { { TL_BLOCK_TOP, TL_DT_EMBEDDED, 1, 32 },
                                            { TL_BLOCK_MIDDLE, TL_DT_RAW12, 9, 48 },
                                            { TL_BLOCK_BOTTOM, TL_DT_EMBEDDED, 1, 32 } };
    const bool in_memory = k->carrier == TL_CARRIER_FSED || k->bridges == TL_RIG_TO_FSED;

    memcpy(c->parts, parts, sizeof parts);
    c->stream = STREAM;
    c->carrier = k->carrier;
    c->suite = suites[tl_world_below(chance, 4)];
    c->tag_mode = (tl_tag_mode)(TL_TAG_PER_MESSAGE + tl_world_below(chance, 3));
    c->tag_size = (uint8_t)(tl_world_below(chance, 2) == 0 ? 16 : 12);
    c->crc32 = tl_world_below(chance, 4) == 0 ? TL_WITHOUT : TL_WITH;
    for (unsigned i = TL_BLOCK_TOP; i <= TL_BLOCK_BOTTOM; i++)
        c->variant[i] = (uint8_t)(TL_SV_1 + tl_world_below(chance, 2));
    if (in_memory || tl_world_below(chance, 2) == 0)
        return;
    if (c->tag_mode == TL_TAG_PER_MESSAGE) {
        c->release = TL_RELEASE_LINE;
    } else {
        c->release = TL_RELEASE_EARLY;
        c->probation = 3;
        memset(c->variant, TL_SV_2, sizeof c->variant);
    }
}

static tl_rig_plan plan_of(tl_world *chance, const kind *k)
{
    tl_rig_plan plan = tl_rig_plan_default(crypto);

    plan.sensors = k->sensors;
    plan.bridges = k->bridges;
    plan.frames = FRAMES;
    plan.interval_ns = 600 * TL_US;
    plan.skew_ns = 30 * TL_US;
    plan.config.frame_timeout_ms = 5;
    plan.tick_ns = 2 * TL_MS;
    plan.rekey_frames = (uint32_t)(2 + tl_world_below(chance, REKEY_FRAMES));
    choose_config(chance, k, &plan.config);
    return plan;
}

/* ---- what he knows of others ---- */

static void remember(void *ctx, tl_hop *hop, tl_parcel *parcel)
{
    tl_seen_add(ctx, tl_span_of(parcel->p, parcel->n));
    tl_hop_pass(hop, parcel);
}

static void record(const tl_rig_plan *like, uint16_t stream, uint64_t salt, tl_seen *seen)
{
    tl_rig_plan plan = *like;
    tl_rig *rig;

    plan.sensors = 1;
    plan.frames = OTHER_FRAMES;
    plan.config.stream = stream;
    plan.salt = salt;
    plan.far_hand = (tl_hand){ seen, remember };
    plan.rekey_frames = 0;
    rig = tl_rig_new(&plan, salt);
    tl_assert_ok(rig->err);
    tl_rig_run(rig);
    tl_rig_free(rig);
}

/* ---- how it is noticed ---- */

/* Stands between the last hop and the controller, and sees what each changed packet does to the counters. */
typedef struct watch {
    tl_rig *rig;
    attack_tally *tally;
    const char *target;
    void (*take)(void *ctx, const tl_parcel *parcel);
    uint64_t pending, counted; /* changed packets that only their frame will tell of; all so far */
    uint64_t gone;             /* of them those that were taken away */
    tl_stream_counters before[SENSORS];
    tl_group_counters group;
} watch;

static void look(watch *w)
{
    for (size_t i = 0; i < w->rig->controller.n; i++)
        w->before[i] = *tl_stream_rx_counters(&w->rig->controller.sinks[i]->rx);
    w->group = *tl_stream_group_counters(&w->rig->controller.group);
}

static const char *way_of(const watch *w)
{
    const tl_group_counters *g = tl_stream_group_counters(&w->rig->controller.group);

    for (size_t i = 0; i < w->rig->controller.n; i++) {
        const tl_stream_counters *now = tl_stream_rx_counters(&w->rig->controller.sinks[i]->rx);

        for (unsigned v = TL_VERDICT_OK + 1; v < TL_VERDICTS; v++)
            if (now->verdicts[v] > w->before[i].verdicts[v])
                return tl_verdict_text((tl_verdict)v);
        if (now->other_frame > w->before[i].other_frame)
            return "dropped: of no open frame";
        if (now->other_channel > w->before[i].other_channel)
            return "dropped: of another channel";
    }
    if (g->unknown > w->group.unknown)
        return "dropped: of no stream that is here";
    if (g->unreadable > w->group.unreadable)
        return "dropped: no header";
    return g->plain > w->group.plain ? "dropped: not protected" : NULL;
}

static uint64_t tried_of(const tl_mutator *m)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < TL_STREAM_MUTATIONS; i++)
        n += m->tried[i];
    return n;
}

/* A bridge makes packets of its own from those that he changed: of these the frame tells, whatever its packets are. */
static bool each_tells(const tl_rig_plan *plan)
{
    return plan->config.carrier == TL_CARRIER_SEP && plan->bridges == TL_RIG_NONE;
}

static void watch_take(void *ctx, const tl_parcel *parcel)
{
    watch *w = ctx;
    const bool bridged = w->rig->plan.bridges != TL_RIG_NONE;
    const uint64_t gone = mutator.tried[TL_STREAM_MUTATION_GONE] - w->gone;
    const uint64_t come =
        bridged ? tried_of(&mutator) - w->counted : gone + ((parcel->fate & TL_FATE_FORGED) != 0);
    const char *way;

    w->gone += gone;
    if (come > 0)
        look(w);
    /* They are counted before, since the packet may end its frame. */
    w->pending += come;
    w->counted += come;
    w->take(&w->rig->controller, parcel);
    for (unsigned n = 0; options.without == WITHOUT_FORGETTING && n < w->rig->plan.sensors; n++)
        attack_put_back(w->rig, n);
    if (come == 0 || w->pending == 0 || !each_tells(&w->rig->plan))
        return;
    way = way_of(w);
    if (way == NULL)
        return;
    attack_count(w->tally, w->target, way, 1);
    w->pending--;
}

static void watch_event(void *ctx, tl_sim_sink *sink, const tl_stream_event *e)
{
    watch *w = ctx;
    char way[ATTACK_TEXT];

    (void)sink;
    if ((e->kind != TL_EVENT_FRAME && e->kind != TL_EVENT_LOST) || w->pending == 0)
        return;
    (void)snprintf(way, sizeof way, "its frame: %s%s", tl_verdict_text(e->verdict),
                   e->verdict == TL_VERDICT_OK ? ", nothing was changed in it" : "");
    attack_count(w->tally, w->target, way, w->pending);
    w->pending = 0;
}

/* ---- keys under way ---- */

static size_t seal(void *ctx, tl_span packet, uint8_t out[TL_CSI2_PACKET_MAX])
{
    return attack_seal(((watch *)ctx)->rig, packet, out);
}

static attack_manner manner_of(tl_stream_mutation what)
{
    switch (what) {
    case TL_STREAM_MUTATION_OLD:
    case TL_STREAM_MUTATION_OLD_KEY:
    case TL_STREAM_MUTATION_OTHER:
    case TL_STREAM_MUTATION_TWICE: return ATTACK_REPLAYED;
    case TL_STREAM_MUTATION_OLD_KEY_SEALED: return ATTACK_SEALED;
    case TL_STREAM_MUTATION_GONE: return ATTACK_DROPPED;
    case TL_STREAM_MUTATION_LATER: return ATTACK_REORDERED;
    default: return ATTACK_CHANGED;
    }
}

static bool is_of_old_key(tl_stream_mutation what)
{
    return what == TL_STREAM_MUTATION_OLD_KEY || what == TL_STREAM_MUTATION_OLD_KEY_RELABELLED;
}

static void told(void *ctx, const tl_parcel *parcel, tl_stream_mutation what)
{
    const watch *w = ctx;
    const unsigned n = parcel->note.stream - (unsigned)w->rig->plan.config.stream;

    if (n < w->rig->plan.sensors && tl_rig_changes_keys(w->rig, n))
        w->tally->under_way[ATTACK_NEXT_KEY][manner_of(what)]++;
    if ((is_of_old_key(what) && mutator.given_up.n > 0) ||
        (what == TL_STREAM_MUTATION_OLD_KEY_SEALED && mutator.sealed))
        w->tally->under_way[ATTACK_OLD_KEY][manner_of(what)]++;
}

/* ---- a case ---- */

static void run(tl_rig_plan *plan, const kind *k, uint64_t seed, attack_tally *tally)
{
    tl_hop *last;
    tl_rig *rig = tl_rig_new(plan, seed);
    watch w = { .rig = rig, .tally = tally, .target = k->target };

    tl_assert_ok(rig->err);
    last = plan->bridges == TL_RIG_NONE ? &rig->far : &rig->last;
    mutator.world = rig->world;
    mutator.ctx = &w;
    mutator.seal = seal;
    mutator.told = told;
    w.take = last->take;
    last->take = watch_take;
    last->ctx = &w;
    rig->controller.ctx = &w;
    rig->controller.event = watch_event;
    tl_rig_run(rig);
    tally->tried += tried_of(&mutator);
    attack_count(tally, k->target, "none: no frame came after it",
                 w.pending + tried_of(&mutator) - w.counted);
    for (size_t i = 0; i < rig->books.n; i++)
        tally->went_through[ATTACK_NEXT_KEY] += rig->books.streams[i].switches;
    if (!tl_rig_holds(rig))
        attack_accepted(tally, rig->books.wrong);
    tl_rig_free(rig);
}

void attack_streams_case(uint64_t seed, attack_tally *tally)
{
    static const uint32_t rates[] = { 15000, 40000, 100000, 300000 };
    tl_world *chance = tl_world_new(seed);
    const kind *k = &kinds[shares[tl_world_below(chance, sizeof shares)]];
    tl_rig_plan plan = plan_of(chance, k);
    tl_seen others = { 0 };

    record(&plan, STREAM, 1, &others);
    record(&plan, STREAM + 77, 0, &others);
    memset(&mutator, 0, sizeof mutator);
    mutator.config = &plan.config;
    mutator.others = &others;
    mutator.of_a_million = rates[tl_world_below(chance, 4)];
    plan.far_hand = tl_mutator_hand(&mutator);
    plan.trace = options.trace;
    run(&plan, k, seed, tally);
    tl_mutator_close(&mutator);
    tl_seen_free(&others);
    tl_world_free(chance);
}
