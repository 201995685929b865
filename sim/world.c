/* What is to happen stands in a heap of moments; what falls on the same moment happens in the order in which it was asked
 * for. A parcel under way is one such thing. */
#include "world.h"
#include "chance.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { HEAP_FIRST = 64, DESCRIBED = 96, FLIPS_MOST = 3, BURST_MOST = 32, BITS = 8 };

/* Something that will happen: a call, or a parcel that arrives (hop is not NULL). */
typedef struct moment {
    uint64_t ns, order;
    void (*call)(void *ctx);
    void *ctx;
    tl_hop *hop;
    tl_parcel *parcel;
} moment;

struct tl_world {
    uint64_t now, order, chance;
    moment *heap;
    size_t n, room;
    FILE *trace;
};

void *tl_world_get(size_t n)
{
    void *p = calloc(1, n > 0 ? n : 1);

    if (p == NULL) {
        (void)fprintf(stderr, "simulation: no memory for %zu bytes\n", n);
        abort();
    }
    return p;
}

/* ---- time ---- */

tl_world *tl_world_new(uint64_t seed)
{
    tl_world *w = tl_world_get(sizeof *w);

    *w = (tl_world){ .chance = seed };
    return w;
}

static void parcel_free(tl_parcel *parcel)
{
    if (parcel == NULL)
        return;
    free(parcel->p);
    free(parcel);
}

void tl_world_free(tl_world *w)
{
    if (w == NULL)
        return;
    for (size_t i = 0; i < w->n; i++)
        parcel_free(w->heap[i].parcel);
    free(w->heap);
    free(w);
}

uint64_t tl_world_ns(const tl_world *w)
{
    return w->now;
}

uint64_t tl_world_ms(const tl_world *w)
{
    return w->now / TL_MS;
}

static bool before(const moment *a, const moment *b)
{
    return a->ns != b->ns ? a->ns < b->ns : a->order < b->order;
}

static void push(tl_world *w, moment m)
{
    size_t at = w->n;

    if (w->n == w->room) {
        moment *more = tl_world_get((w->room * 2 + HEAP_FIRST) * sizeof *more);

        if (w->n > 0)
            memcpy(more, w->heap, w->n * sizeof *more);
        free(w->heap);
        w->heap = more;
        w->room = w->room * 2 + HEAP_FIRST;
    }
    m.ns = m.ns < w->now ? w->now : m.ns;
    m.order = w->order++;
    for (w->n++; at > 0 && before(&m, &w->heap[(at - 1) / 2]); at = (at - 1) / 2)
        w->heap[at] = w->heap[(at - 1) / 2];
    w->heap[at] = m;
}

static moment pop(tl_world *w)
{
    const moment first = w->heap[0], last = w->heap[--w->n];
    size_t at = 0, child;

    for (; (child = 2 * at + 1) < w->n; at = child) {
        if (child + 1 < w->n && before(&w->heap[child + 1], &w->heap[child]))
            child++;
        if (!before(&w->heap[child], &last))
            break;
        w->heap[at] = w->heap[child];
    }
    if (w->n > 0)
        w->heap[at] = last;
    return first;
}

void tl_world_at(tl_world *w, uint64_t ns, void (*call)(void *ctx), void *ctx)
{
    push(w, (moment){ .ns = ns, .call = call, .ctx = ctx });
}

bool tl_world_step(tl_world *w)
{
    moment m;

    if (w->n == 0)
        return false;
    m = pop(w);
    w->now = m.ns;
    if (m.hop == NULL) {
        m.call(m.ctx);
        return true;
    }
    m.hop->arrived++;
    m.hop->take(m.hop->ctx, m.parcel);
    parcel_free(m.parcel);
    return true;
}

void tl_world_wait(tl_world *w, uint64_t until_ns, bool (*until)(void *ctx), void *ctx)
{
    while (!(until != NULL && until(ctx))) {
        if (w->n == 0 || w->heap[0].ns > until_ns) {
            w->now = until_ns > w->now ? until_ns : w->now;
            return;
        }
        (void)tl_world_step(w);
    }
}

void tl_world_run(tl_world *w, uint64_t until_ns)
{
    tl_world_wait(w, until_ns, NULL, NULL);
}

/* ---- chance ---- */

uint64_t tl_world_random(tl_world *w)
{
    return tl_chance(&w->chance);
}

size_t tl_world_below(tl_world *w, size_t limit)
{
    return (size_t)(tl_world_random(w) % limit);
}

bool tl_world_chance(tl_world *w, uint32_t per_million)
{
    return per_million != 0 && tl_world_below(w, TL_MILLION) < per_million;
}

/* ---- trace ---- */

void tl_world_trace(tl_world *w, FILE *out)
{
    w->trace = out;
}

void tl_world_say(tl_world *w, const char *format, ...)
{
    va_list args;

    if (w->trace == NULL)
        return;
    (void)fprintf(w->trace, "%14.6f ms  ", (double)w->now / TL_MS);
    va_start(args, format);
    (void)vfprintf(w->trace, format, args);
    va_end(args);
    (void)fputc('\n', w->trace);
}

static void trace(const tl_hop *hop, const tl_parcel *parcel)
{
    static const char *const names[] = { "LOST", "TWICE", "MOVED", "DAMAGED", "FORGED" };
    char text[DESCRIBED] = "", fates[DESCRIBED] = "";

    if (hop->world->trace == NULL)
        return;
    if (hop->describe != NULL)
        hop->describe(parcel, text, sizeof text);
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if ((parcel->fate & 1u << i) != 0)
            (void)snprintf(fates + strlen(fates), sizeof fates - strlen(fates), " %s", names[i]);
    tl_world_say(hop->world, "%-28s %5zu bytes  %-44s%s", hop->name, parcel->n, text, fates);
}

/* ---- hops ---- */

static void tell(const tl_hop *hop, const tl_parcel *parcel, unsigned fate)
{
    if (fate != 0 && hop->fate != NULL)
        hop->fate(hop->books, parcel, fate);
}

static tl_parcel *copy_of(const tl_parcel *parcel)
{
    tl_parcel *copy = tl_world_get(sizeof *copy);

    *copy = *parcel;
    copy->p = tl_world_get(parcel->n);
    if (parcel->n > 0)
        memcpy(copy->p, parcel->p, parcel->n);
    return copy;
}

static void flip(tl_parcel *parcel, size_t bit)
{
    parcel->p[bit / BITS] ^= (uint8_t)(1u << bit % BITS);
}

static void damage(const tl_hop *hop, tl_parcel *parcel)
{
    tl_world *w = hop->world;
    const size_t bits = parcel->n * BITS;
    size_t from, n;

    if (bits == 0)
        return;
    if (tl_world_chance(w, hop->faults.flips)) {
        for (n = 1 + tl_world_below(w, FLIPS_MOST); n > 0; n--)
            flip(parcel, tl_world_below(w, bits));
        parcel->fate |= TL_FATE_DAMAGED;
    }
    if (tl_world_chance(w, hop->faults.burst)) {
        from = tl_world_below(w, bits);
        flip(parcel, from); /* at least one */
        for (n = 1; n < BURST_MOST && from + n < bits; n++)
            if ((tl_world_random(w) & 1) != 0)
                flip(parcel, from + n);
        parcel->fate |= TL_FATE_DAMAGED;
    }
}

/* A parcel that arrives at that moment, or later if a hand or chance holds it back. */
static void fly(tl_hop *hop, tl_parcel *parcel, uint64_t ns, uint64_t later_ns)
{
    tl_world *w = hop->world;

    if (hop->faults.jitter_ns != 0)
        ns += tl_world_below(w, (size_t)hop->faults.jitter_ns);
    ns = ns < hop->last_ns ? hop->last_ns : ns;
    if (tl_world_chance(w, hop->faults.moved)) {
        parcel->fate |= TL_FATE_MOVED;
        later_ns += hop->faults.moved_ns;
    }
    if (later_ns == 0)
        hop->last_ns = ns;
    ns += later_ns;
    damage(hop, parcel);
    tell(hop, parcel, parcel->fate & ~parcel->told);
    parcel->told = parcel->fate;
    trace(hop, parcel);
    push(w, (moment){ .ns = ns, .hop = hop, .parcel = parcel });
}

static void carry(tl_hop *hop, const tl_parcel *parcel, uint64_t later_ns)
{
    tl_world *w = hop->world;
    tl_parcel *own;
    uint64_t ns = w->now > hop->free_ns ? w->now : hop->free_ns;

    hop->free_ns = ns + tl_dphy_packet_ns(&hop->dphy, parcel->n);
    ns = hop->free_ns + hop->delay_ns;
    own = copy_of(parcel);
    if (tl_world_chance(w, hop->faults.loss)) {
        own->fate |= TL_FATE_LOST;
        tell(hop, own, own->fate & ~own->told);
        trace(hop, own);
        parcel_free(own);
        return;
    }
    fly(hop, own, ns, later_ns);
    if (tl_world_chance(w, hop->faults.twice)) {
        own = copy_of(parcel);
        own->fate |= TL_FATE_TWICE;
        fly(hop, own, ns, later_ns);
    }
}

void tl_hop_open(tl_hop *hop, tl_world *world)
{
    hop->world = world;
    hop->free_ns = hop->last_ns = hop->sent = hop->arrived = 0;
}

static tl_parcel parcel_of(tl_span bytes, uint32_t kind, const tl_note *note)
{
    tl_parcel parcel = { .n = bytes.n, .kind = kind };

    parcel.p = tl_world_get(bytes.n);
    if (bytes.n > 0)
        memcpy(parcel.p, bytes.p, bytes.n);
    if (note != NULL)
        parcel.note = *note;
    return parcel;
}

static void depart(tl_hop *hop, tl_parcel *parcel)
{
    hop->sent++;
    if (hop->hand.parcel != NULL)
        hop->hand.parcel(hop->hand.ctx, hop, parcel);
    else
        carry(hop, parcel, 0);
    free(parcel->p);
}

void tl_hop_send(tl_hop *hop, tl_span bytes, uint32_t kind, const tl_note *note)
{
    tl_parcel parcel = parcel_of(bytes, kind, note);

    depart(hop, &parcel);
}

void tl_hop_pass_on(tl_hop *hop, const tl_parcel *parcel)
{
    tl_parcel own = parcel_of(tl_span_of(parcel->p, parcel->n), parcel->kind, &parcel->note);

    own.fate = parcel->fate;
    own.told = parcel->told;
    depart(hop, &own);
}

void tl_hop_pass(tl_hop *hop, const tl_parcel *parcel)
{
    carry(hop, parcel, 0);
}

void tl_hop_put(tl_hop *hop, tl_span bytes, uint32_t kind, const tl_note *note, uint64_t later_ns)
{
    tl_parcel parcel = parcel_of(bytes, kind, note);

    parcel.fate = TL_FATE_FORGED;
    carry(hop, &parcel, later_ns);
    free(parcel.p);
}

void tl_hop_taken(tl_hop *hop, const tl_parcel *parcel)
{
    tl_parcel taken = *parcel;

    taken.fate |= TL_FATE_FORGED | TL_FATE_LOST;
    tell(hop, &taken, taken.fate);
    trace(hop, &taken);
}
