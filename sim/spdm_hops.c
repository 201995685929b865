/* The duel's link is made of the world's hops: to send is to put a parcel on one, to wait is to let the world go on. */
#include "spdm_hops.h"

#include <stdio.h>

static void take(tl_spdm_hops *h, tl_duel_way way, const tl_parcel *parcel)
{
    if (h->duel != NULL)
        tl_duel_deliver_marked(h->duel, way, (parcel->kind & TL_SPDM_SECURED) != 0,
                               parcel->kind / TL_SPDM_MARK, tl_span_of(parcel->p, parcel->n));
}

static void take_request(void *ctx, const tl_parcel *parcel)
{
    take(ctx, TL_DUEL_REQUEST, parcel);
}

static void take_response(void *ctx, const tl_parcel *parcel)
{
    take(ctx, TL_DUEL_RESPONSE, parcel);
}

static void send(void *ctx, const tl_duel_message *m)
{
    tl_spdm_hops *h = ctx;
    const uint32_t kind = (m->secured ? TL_SPDM_SECURED : 0) + m->mark * TL_SPDM_MARK;

    tl_hop_send(m->way == TL_DUEL_REQUEST ? &h->requests : &h->responses, tl_span_of(m->bytes, m->n), kind,
                NULL);
}

static bool has_arrived(void *ctx)
{
    return tl_duel_delivered(ctx);
}

/* A clock of milliseconds shows the one that has passed, so a deadline is over when its own has begun. */
static uint64_t wait(void *ctx, tl_duel *duel, uint64_t until_ms)
{
    tl_spdm_hops *h = ctx;

    tl_world_wait(h->world, until_ms * TL_MS, has_arrived, duel);
    return tl_world_ms(h->world);
}

const char *tl_spdm_hops_name(uint8_t code)
{
    const char *name = tl_spdm_code_text(code);

    return name != NULL ? name : "?";
}

static void describe(const tl_parcel *parcel, char *text, size_t room)
{
    if ((parcel->kind & TL_SPDM_SECURED) != 0)
        (void)snprintf(text, room, "record");
    else
        (void)snprintf(text, room, "%s", parcel->n > 1 ? tl_spdm_hops_name(parcel->p[1]) : "?");
}

void tl_spdm_hops_open(tl_spdm_hops *h, tl_world *world)
{
    h->world = world;
    h->duel = NULL;
    h->link = (tl_duel_link){ h, send, wait };
    h->requests.name = h->requests.name != NULL ? h->requests.name : "controller > sensor, SPDM";
    h->responses.name = h->responses.name != NULL ? h->responses.name : "sensor > controller, SPDM";
    h->requests.take = take_request;
    h->responses.take = take_response;
    h->requests.ctx = h->responses.ctx = h;
    h->requests.describe = h->responses.describe = describe;
    tl_hop_open(&h->requests, world);
    tl_hop_open(&h->responses, world);
}

tl_err tl_spdm_hops_run(tl_spdm_hops *h, tl_duel *duel, const tl_duel_world *who, tl_duel_script script,
                        tl_duel_result *result)
{
    tl_duel_world own = *who;
    tl_err e;

    own.link = &h->link;
    h->duel = duel;
    e = tl_duel_run(duel, &own, script, (tl_duel_hand){ 0 }, result);
    h->duel = NULL;
    duel->world = who;
    if (e == TL_OK && !result->whole)
        tl_world_say(h->world, "controller: ends in %s: %s", result->step, result->what);
    else if (e == TL_OK)
        tl_world_say(h->world, "controller: all went well");
    return e;
}
