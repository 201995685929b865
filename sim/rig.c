/* Built from the controller's side to the sensors, since each hop must know who takes what it brings. */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

enum { AFTERWARDS_MS = 200, CHANNELS = 4 };

tl_rig_plan tl_rig_plan_default(const tl_crypto *crypto)
{
    static const tl_stream_part parts[] = { { TL_BLOCK_TOP, TL_DT_EMBEDDED, 2, 40 },
                                            { TL_BLOCK_MIDDLE, TL_DT_RAW12, 20, 90 },
                                            { TL_BLOCK_BOTTOM, TL_DT_EMBEDDED, 1, 40 } };
    tl_rig_plan plan = {
        .crypto = crypto,
        .sensors = 1,
        .frames = 10,
        .interval_ns = 33 * (uint64_t)TL_MS,
        .line_ns = 20 * TL_US,
        .near_dphy = { 2, 800 },
        .far_dphy = { 2, 800 },
        .near_delay_ns = 5,
        .far_delay_ns = 50,
        .clock = { .ahead_us = 5000000 },
    };

    plan.config = (tl_stream_config){
        .stream = 0x1001,
        .suite = TL_SUITE_AES128_GMAC,
        .tag_mode = TL_TAG_PER_MESSAGE,
        .tag_size = 16,
        .crc32 = TL_WITH,
        .variant = { 0, TL_SV_2, TL_SV_1, TL_SV_2 },
        .first_frame = 1,
        .part_count = 3,
        .frame_timeout_ms = 20,
    };
    memcpy(plan.config.parts, parts, sizeof parts);
    return plan;
}

static tl_err source_of(const tl_rig *r, uint16_t stream, tl_key_source *source)
{
    static const uint8_t fixed[16] = "a rig's secret.";
    uint8_t sender[TL_FRESH_SIZE] = { 1 }, receiver[TL_FRESH_SIZE] = { 2 };
    const tl_provisioned from = { tl_span_of(fixed, sizeof fixed), sender, receiver, stream,
                                  TL_SENSOR_TO_CONTROLLER };

    if (r->plan.session.value.n != 0)
        return tl_key_source_exported(source, r->plan.crypto, r->plan.session, stream,
                                      TL_SENSOR_TO_CONTROLLER);
    memcpy(sender + 1, &r->plan.salt, sizeof r->plan.salt);
    return tl_key_source_provisioned(source, r->plan.crypto, &from);
}

tl_err tl_rig_source(const tl_rig *r, unsigned n, tl_key_source *source)
{
    return source_of(r, (uint16_t)(r->plan.config.stream + n), source);
}

static void open_hop(tl_rig *r, tl_hop *hop, const char *name, const tl_faults *faults)
{
    hop->name = name;
    hop->delay_ns = r->plan.far_delay_ns;
    hop->dphy = r->plan.far_dphy;
    hop->faults = *faults;
    hop->books = &r->books;
    hop->fate = tl_books_fate;
    tl_hop_open(hop, r->world);
}

/* The stream as it is on the controller's side. */
static tl_stream_config far_config(const tl_rig *r, unsigned n)
{
    tl_stream_config c = r->plan.config;

    c.stream = (uint16_t)(c.stream + n);
    if (r->plan.sensors > 1)
        c.virtual_channel = (uint8_t)(n % CHANNELS);
    if (r->plan.bridges == TL_RIG_TO_FSED) {
        c.carrier = TL_CARRIER_FSED;
        c.release = TL_RELEASE_FRAME;
    }
    return c;
}

static tl_err open_bridges(tl_rig *r)
{
    const tl_stream_config c = far_config(r, 0);
    const bool back = r->plan.bridges == TL_RIG_TO_FSED_AND_BACK;
    tl_stream_config plain = c;

    plain.carrier = TL_CARRIER_SEP;
    if (r->plan.bridges == TL_RIG_NONE)
        return TL_OK;
    TL_TRY(tl_sim_bridge_open(&r->bridges[0], &plain, TL_BRIDGE_TO_FSED, &r->far));
    r->bridges[0].out = back ? &r->middle : &r->last;
    if (!back)
        return TL_OK;
    r->bridges[1].out = &r->last;
    return tl_sim_bridge_open(&r->bridges[1], &plain, TL_BRIDGE_TO_SEP, &r->middle);
}

static tl_err open_sensor(tl_rig *r, unsigned n)
{
    const bool direct = r->plan.sensors == 1;
    tl_sim_sensor *s = &r->sensors[n];
    tl_key_source *source = &r->keys[n].sender;

    s->config = r->plan.config;
    s->config.stream = (uint16_t)(s->config.stream + n);
    s->frames = r->plan.frames;
    s->start_ns = TL_MS + n * r->plan.skew_ns;
    s->interval_ns = r->plan.interval_ns;
    s->line_ns = r->plan.line_ns;
    s->clock = r->plan.clock;
    s->out = direct ? &r->far : &r->near[n];
    if (!direct) {
        (void)snprintf(r->names[n], sizeof r->names[n], "sensor %u > aggregator", n + 1);
        open_hop(r, s->out, r->names[n], &r->plan.near);
        s->out->dphy = r->plan.near_dphy;
        s->out->delay_ns = r->plan.near_delay_ns;
        s->out->hand = r->plan.near_hand;
        tl_sim_aggregator_input(&r->aggregator, s->out, (uint8_t)(n % CHANNELS));
    }
    TL_TRY(source_of(r, s->config.stream, source));
    TL_TRY(tl_sim_sensor_open(s, &r->books, source, 0));
    s->book->salt = r->plan.salt;
    s->book->bridged = r->plan.bridges != TL_RIG_NONE;
    return TL_OK;
}

static tl_err open_sink(tl_rig *r, unsigned n)
{
    const tl_stream_config c = far_config(r, n);
    tl_clock_anchor anchor = { tl_world_ms(r->world), r->plan.clock.ahead_us, r->plan.anchor_error_us };
    tl_key_source *source = &r->keys[n].receiver;

    TL_TRY(source_of(r, c.stream, source));
    TL_TRY(tl_sim_controller_add(&r->controller, &c, source, 0));
    if (r->plan.anchored)
        tl_stream_rx_anchor(&tl_sim_controller_find(&r->controller, c.stream)->rx, &anchor);
    return TL_OK;
}

/* ---- new keys ---- */

bool tl_rig_changes_keys(const tl_rig *r, unsigned n)
{
    return r->controller.sinks[n]->rx.next_key.held;
}

static void note(tl_rig_keys *k, const char *who, tl_err e)
{
    k->err = k->err == TL_OK ? e : k->err;
    tl_world_say(k->rig->world, "%s: stream 0x%04x has the key of epoch %u: %s", who,
                 k->rig->plan.config.stream + k->n, (unsigned)k->epoch, tl_err_text(e));
}

static void rekey_sensor(void *ctx)
{
    tl_rig_keys *k = ctx;

    note(k, "sensor", tl_stream_tx_rekey(&k->rig->sensors[k->n].tx, &k->sender, k->epoch));
}

/* The sensor hears of it up to a frame later. */
static void rekey(void *ctx)
{
    tl_rig_keys *k = ctx;
    tl_rig *r = k->rig;
    const tl_rig_plan *p = &r->plan;
    const uint64_t now = tl_world_ns(r->world), later_ns = tl_world_below(r->world, p->interval_ns);

    tl_world_at(r->world, now + p->rekey_frames * p->interval_ns, rekey, k);
    if (tl_rig_changes_keys(r, k->n) || r->sensors[k->n].tx.next_key.held)
        return;
    k->epoch++;
    note(k, "controller", tl_stream_rx_rekey(&r->controller.sinks[k->n]->rx, &k->receiver, k->epoch));
    tl_world_at(r->world, now + later_ns, rekey_sensor, k);
}

static void open_keys(tl_rig *r, unsigned n)
{
    const tl_rig_plan *p = &r->plan;

    r->keys[n].rig = r;
    r->keys[n].n = n;
    if (p->rekey_frames > 0)
        tl_world_at(r->world,
                    r->sensors[n].start_ns + (p->rekey_frames - 1) * p->interval_ns +
                        tl_world_below(r->world, p->interval_ns),
                    rekey, &r->keys[n]);
}

static uint64_t end_ns(const tl_rig *r)
{
    const tl_rig_plan *p = &r->plan;
    const uint64_t silent_ms = p->config.frame_timeout_ms + p->config.interval_ms + p->config.tolerance_ms;
    const uint64_t held_ns = p->far.moved_ns + p->near.moved_ns + p->middle.moved_ns + p->last.moved_ns;

    return p->frames * p->interval_ns + p->sensors * p->skew_ns + 4 * (p->near_delay_ns + p->far_delay_ns) +
           held_ns + (silent_ms + AFTERWARDS_MS) * TL_MS;
}

static tl_err open_all(tl_rig *r)
{
    tl_sim_controller *c = &r->controller;
    const bool bridged = r->plan.bridges != TL_RIG_NONE;

    open_hop(r, &r->far, r->plan.sensors > 1 ? "aggregator >" : "sensor >", &r->plan.far);
    open_hop(r, &r->middle, "bridge > bridge", &r->plan.middle);
    open_hop(r, &r->last, "bridge > controller", &r->plan.last);
    r->far.hand = r->plan.far_hand;
    r->aggregator.out = &r->far;
    c->tick_ns = r->plan.tick_ns;
    c->until_ns = end_ns(r);
    TL_TRY(tl_sim_controller_open(c, &r->books, r->plan.crypto, bridged ? &r->last : &r->far));
    TL_TRY(open_bridges(r));
    for (unsigned n = 0; n < r->plan.sensors; n++) {
        TL_TRY(open_sensor(r, n));
        TL_TRY(open_sink(r, n));
        open_keys(r, n);
    }
    return TL_OK;
}

tl_rig *tl_rig_new(const tl_rig_plan *plan, uint64_t seed)
{
    tl_rig *r = tl_world_get(sizeof *r);

    r->plan = *plan;
    r->world = tl_world_new(seed);
    tl_world_trace(r->world, plan->trace);
    tl_books_open(&r->books, r->world);
    if (plan->sensors == 0 || plan->sensors > TL_AGGREGATED_MOST ||
        (plan->sensors > 1 && plan->bridges != TL_RIG_NONE))
        r->err = TL_E_USAGE;
    else
        r->err = open_all(r);
    return r;
}

void tl_rig_run(tl_rig *r)
{
    if (r->err == TL_OK)
        tl_world_run(r->world, end_ns(r));
}

/* The first error of any call. */
static tl_err error_of(const tl_rig *r)
{
    tl_err e = r->err != TL_OK ? r->err : r->controller.err;

    for (unsigned n = 0; n < TL_AGGREGATED_MOST && e == TL_OK; n++)
        e = r->keys[n].err;
    return e;
}

bool tl_rig_holds(tl_rig *r)
{
    const tl_err e = error_of(r);

    if (e != TL_OK) {
        (void)snprintf(r->books.wrong, sizeof r->books.wrong, "%s", tl_err_text(e));
        return false;
    }
    return tl_books_balance(&r->books);
}

uint64_t tl_rig_verdicts(const tl_rig *r, tl_verdict verdict)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < r->controller.n; i++)
        sum += tl_stream_rx_counters(&r->controller.sinks[i]->rx)->verdicts[verdict];
    return sum;
}

void tl_rig_free(tl_rig *r)
{
    tl_sim_controller_close(&r->controller);
    for (unsigned n = 0; n < r->plan.sensors && n < TL_AGGREGATED_MOST; n++) {
        tl_sim_sensor_close(&r->sensors[n]);
        tl_key_source_wipe(&r->keys[n].sender);
        tl_key_source_wipe(&r->keys[n].receiver);
    }
    for (size_t i = 0; i < 2; i++)
        tl_sim_bridge_close(&r->bridges[i]);
    tl_books_close(&r->books);
    tl_world_free(r->world);
    free(r);
}
