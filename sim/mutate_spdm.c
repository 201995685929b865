/* Changes to messages of SPDM, and what is done with them: added requests carry a mark, so that the answers to them can be told
 * from the others. */
#include "mutate.h"

#include <string.h>

enum { NOISE_MOST = 300, HELD_MS_MOST = 60, SESSION_ID = 4 };

static const char *const texts[] = {
#define STREAM_MUTATION(name, text)
#define SPDM_MUTATION(name, text) text,
#include "mutations.def"
#undef STREAM_MUTATION
#undef SPDM_MUTATION
};

static void put(tl_spdm_mutator *m, const tl_duel_message *message)
{
    m->n = message->n;
    memcpy(m->bytes, message->bytes, message->n);
}

/* One of a log, in that direction if `same_way`; NULL: there is none. */
static const tl_duel_message *one_of(const tl_spdm_mutator *m, const tl_duel *log, tl_duel_way way,
                                     bool same_way)
{
    const size_t n = log->log_n, from = n > 0 ? tl_world_below(m->world, n) : 0;

    for (size_t i = 0; i < n; i++) {
        const tl_duel_message *message = &log->log[(from + i) % n];

        if (!same_way || message->way == way)
            return message;
    }
    return NULL;
}

/* The recorded message that this one would be: same direction, and same code in clear. */
static const tl_duel_message *counterpart(const tl_spdm_mutator *m, tl_duel_way way)
{
    for (size_t i = 0; i < TL_DUEL_SCRIPTS; i++) {
        const tl_duel *log = m->recorded[i];

        for (size_t k = 0; k < log->log_n; k++) {
            const tl_duel_message *message = &log->log[k];

            if (message->way == way && message->secured == m->secured && message->n > 1 && m->n > 1 &&
                (m->secured ? message->n == m->n : message->bytes[1] == m->bytes[1]))
                return message;
        }
    }
    return NULL;
}

/* ---- changes ---- */

static void flip(tl_spdm_mutator *m)
{
    tl_mutate_bits(m->world, m->bytes, m->n);
}

/* The message's fields by its rows; of one that has no rows, the header's. */
static size_t places_of(const tl_spdm_mutator *m, tl_duel_way way, tl_spdm_place *places)
{
    const tl_spdm_target *any = NULL;

    for (size_t i = 0; i < TL_SPDM_TARGETS; i++) {
        const tl_spdm_target *t = &tl_spdm_targets[i];

        if (t->way == way && t->secured == m->secured && (m->secured || (m->n > 1 && t->code == m->bytes[1])))
            any = t;
    }
    return any != NULL ? tl_spdm_places(any, &m->env, tl_span_of(m->bytes, m->n), places) : 0;
}

static void change_field(tl_spdm_mutator *m, tl_duel_way way)
{
    tl_spdm_place places[TL_SPDM_PLACES], *p;
    const size_t n = m->n >= SESSION_ID ? places_of(m, way, places) : 0;

    if (n == 0) {
        flip(m);
        return;
    }
    p = &places[tl_world_below(m->world, n)];
    if (p->at + p->n > m->n)
        return;
    switch (tl_world_below(m->world, 5)) {
    case 0: memset(m->bytes + p->at, 0, p->n); return;
    case 1: memset(m->bytes + p->at, 0xFF, p->n); return;
    case 2: m->bytes[p->at]++; return;
    case 3: m->bytes[p->at]--; return;
    default:
        for (size_t i = 0; i < p->n; i++)
            m->bytes[p->at + i] = (uint8_t)tl_world_random(m->world);
    }
}

static void replace(tl_spdm_mutator *m, const tl_duel_message *by)
{
    if (by == NULL) {
        flip(m);
        return;
    }
    put(m, by);
    m->secured = by->secured;
}

static void relabel(tl_spdm_mutator *m, tl_duel_way way)
{
    const tl_duel_message *other = one_of(
        m, m->recorded[tl_world_below(m->world, 2) == 0 ? TL_DUEL_SESSION : TL_DUEL_UPDATE], way, true);
    uint8_t id[SESSION_ID];

    if (!m->secured || m->n < SESSION_ID || other == NULL) {
        flip(m);
        return;
    }
    memcpy(id, m->bytes, sizeof id);
    put(m, other);
    memcpy(m->bytes, id, m->n < sizeof id ? m->n : sizeof id);
}

static void mix(tl_spdm_mutator *m, const tl_duel_message *other)
{
    const size_t least = other == NULL ? 0 : m->n < other->n ? m->n : other->n;
    const size_t at = least > 0 ? tl_world_below(m->world, least) : 0;

    if (least == 0)
        return;
    memcpy(m->bytes + at, other->bytes + at, other->n - at);
    m->n = other->n;
}

static void noise(tl_spdm_mutator *m)
{
    const size_t from = tl_world_below(m->world, 3) == 0 ? 0 : 2;

    m->n = from + 1 + tl_world_below(m->world, NOISE_MOST);
    for (size_t i = from; i < m->n; i++)
        m->bytes[i] = (uint8_t)tl_world_random(m->world);
}

static void change(tl_spdm_mutator *m, tl_duel_way way, tl_spdm_mutation what)
{
    const tl_duel *other = m->recorded[tl_world_below(m->world, TL_DUEL_SCRIPTS)];

    switch (what) {
    case TL_SPDM_MUTATION_BITS: flip(m); return;
    case TL_SPDM_MUTATION_FIELD: change_field(m, way); return;
    case TL_SPDM_MUTATION_CUT: m->n = tl_mutate_cut(m->world, m->bytes, m->n); return;
    case TL_SPDM_MUTATION_LONGER:
        m->n = tl_mutate_lengthen(m->world, m->bytes, m->n, sizeof m->bytes);
        return;
    case TL_SPDM_MUTATION_OLD: replace(m, one_of(m, m->live, way, true)); return;
    case TL_SPDM_MUTATION_OTHER: replace(m, counterpart(m, way)); return;
    case TL_SPDM_MUTATION_OTHER_ANY: replace(m, one_of(m, other, way, false)); return;
    case TL_SPDM_MUTATION_OTHER_RELABELLED: relabel(m, way); return;
    case TL_SPDM_MUTATION_REFLECTED:
        replace(m, one_of(m, m->live, way == TL_DUEL_REQUEST ? TL_DUEL_RESPONSE : TL_DUEL_REQUEST, true));
        return;
    case TL_SPDM_MUTATION_MIXED: mix(m, one_of(m, other, way, true)); return;
    case TL_SPDM_MUTATION_DISGUISED: m->secured = !m->secured; return;
    case TL_SPDM_MUTATION_NOISE: noise(m); return;
    default: return;
    }
}

/* ---- on the hops ---- */

/* What keeps a session is short, so it is often taken away or held back whole. */
static tl_spdm_mutation choose(const tl_spdm_mutator *m, bool added)
{
    static const tl_spdm_mutation whole[] = { TL_SPDM_MUTATION_GONE, TL_SPDM_MUTATION_LATER };
    const tl_spdm_mutation what = (tl_spdm_mutation)tl_world_below(m->world, TL_SPDM_MUTATIONS);

    if (added) /* what is added cannot be taken away */
        return what == TL_SPDM_MUTATION_GONE ? TL_SPDM_MUTATION_TWICE : what;
    return m->live->about != TL_DUEL_OTHER && tl_world_below(m->world, 2) == 0
               ? whole[tl_world_below(m->world, 2)]
               : what;
}

static void send_forged(tl_spdm_mutator *m, tl_hop *hop, const tl_parcel *parcel, uint32_t mark)
{
    const tl_duel_way way = hop == &m->hops->requests ? TL_DUEL_REQUEST : TL_DUEL_RESPONSE;
    const tl_spdm_mutation what = choose(m, mark != 0);
    uint64_t later_ns = 0;

    m->secured = (parcel->kind & TL_SPDM_SECURED) != 0;
    m->n = parcel->n < sizeof m->bytes ? parcel->n : sizeof m->bytes;
    memcpy(m->bytes, parcel->p, m->n);
    change(m, way, what);
    if (what == TL_SPDM_MUTATION_LATER)
        later_ns = tl_world_below(m->world, HELD_MS_MOST) * TL_MS;
    m->tried[way][what]++;
    m->about[m->live->about][what]++;
    tl_world_say(m->world, "attacker on %s: %s", hop->name, texts[what]);
    if (what == TL_SPDM_MUTATION_GONE)
        tl_hop_taken(hop, parcel);
    else
        tl_hop_put(hop, tl_span_of(m->bytes, m->n), (m->secured ? TL_SPDM_SECURED : 0) + mark * TL_SPDM_MARK,
                   NULL, later_ns);
}

/* Answers to added requests are his own, but now and then he lets the controller have one. */
static void take_answer(tl_spdm_mutator *m, tl_hop *hop, tl_parcel *parcel)
{
    const uint8_t code = (parcel->kind & TL_SPDM_SECURED) != 0 || parcel->n < 3 ? 0 : parcel->p[1];

    m->answers[code]++;
    if (code == TL_SPDM_ERROR)
        m->errors[parcel->p[2]]++;
    if (tl_world_below(m->world, 32) == 0)
        tl_hop_pass(hop, parcel);
}

static void on_parcel(void *ctx, tl_hop *hop, tl_parcel *parcel)
{
    tl_spdm_mutator *m = ctx;
    const bool is_request = hop == &m->hops->requests, is_focus = m->passed == m->focus;
    const size_t of = m->live->about == TL_DUEL_OTHER ? 4 : 2; /* one request of so many is changed itself */

    if (parcel->kind >= TL_SPDM_MARK) {
        take_answer(m, hop, parcel);
        return;
    }
    m->passed++;
    for (unsigned i = 0; is_request && is_focus && i < m->burst; i++)
        send_forged(m, hop, parcel, ++m->marks);
    if ((is_focus && (!is_request || tl_world_below(m->world, of) == 0)) ||
        tl_world_chance(m->world, m->of_a_million))
        send_forged(m, hop, parcel, 0);
    else
        tl_hop_pass(hop, parcel);
}

void tl_spdm_mutator_open(tl_spdm_mutator *m)
{
    m->hops->requests.hand = m->hops->responses.hand = (tl_hand){ m, on_parcel };
}
