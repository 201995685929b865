/* An agreement counts unless it was refused: what its answer is may stand behind the recording's end. A secret is tied by any
 * session that agreed on its stream and epoch and from which it follows, wherever that session stands: sections may have been
 * recorded apart. It contradicts if it follows from none, and a session of its own section agreed on the stream: a section is
 * one run of one end, which has either sessions or secrets that were given. */
#include "verify_ties.h"

#include <stdlib.h>
#include <string.h>

#include <trueline/layout/ids.h>

/* What a session says. */
typedef struct said {
    size_t session;
    uint32_t section, epoch;
    uint16_t stream;
    bool refused, answered;
    uint8_t n; /* bytes of the secret; 0: it could not be computed */
    uint8_t secret[TL_HASH_MAX];
} said;

static said *all(const verify_ties *t, size_t *n)
{
    *n = t->said.n / sizeof(said);
    return (said *)(void *)t->said.p;
}

/* ---- what sessions say ---- */

/* The last epoch of the session's stream, from which a later one is reached: all from the first may be too far. */
static const said *before(const verify_ties *t, const said *s)
{
    size_t n;
    const said *list = all(t, &n), *found = NULL;

    for (size_t i = 0; i < n; i++)
        if (list[i].session == s->session && list[i].stream == s->stream && list[i].n > 0 &&
            list[i].epoch <= s->epoch && (found == NULL || list[i].epoch > found->epoch))
            found = &list[i];
    return found;
}

static tl_err source_of(const verify_ties *t, const verify_session *from, const said *s,
                        tl_key_source *source)
{
    const said *known = before(t, s);
    const tl_hash_alg hash = from->from->schedule.hash;
    const uint8_t *secret = known != NULL ? known->secret : from->from->application.export_master.bytes;
    const tl_digest value = { hash, tl_span_of(secret, tl_hash_size(hash)) };

    return known != NULL
               ? tl_key_source_recorded(source, from->crypto, value, known->epoch)
               : tl_key_source_exported(source, from->crypto, value, s->stream, TL_SENSOR_TO_CONTROLLER);
}

static void compute(const verify_ties *t, const verify_session *from, said *s)
{
    tl_key_source source = { 0 };
    size_t n = 0;
    tl_err e = source_of(t, from, s, &source);

    if (e == TL_OK)
        e = tl_key_source_secret(&source, s->epoch, s->secret, &n);
    s->n = e == TL_OK ? (uint8_t)n : 0;
    tl_key_source_wipe(&source);
}

static void add(verify_ties *t, const verify_session *from, uint32_t stream, uint32_t epoch)
{
    said s = {
        .session = from->number, .section = from->section, .stream = (uint16_t)stream, .epoch = epoch
    };
    size_t n;

    (void)all(t, &n);
    compute(t, from, &s);
    if (n == VERIFY_TIES_MAX || !guarded_add(&t->said, tl_span_of((const uint8_t *)&s, sizeof s)))
        t->full = true;
    tl_wipe(&s, sizeof s);
}

/* The session's last agreement, if its answer is still due. */
static said *waiting(const verify_ties *t, size_t session)
{
    size_t n;
    said *list = all(t, &n);

    while (n > 0 && list[n - 1].session != session)
        n--;
    return n > 0 && !list[n - 1].answered ? &list[n - 1] : NULL;
}

void verify_ties_said(verify_ties *t, const verify_session *from, const agreement *a)
{
    said *due = waiting(t, from->number);

    switch (a->kind) {
    case TL_AGREEMENT_CHOICE: add(t, from, a->body.choice.stream, a->body.choice.epoch); break;
    case TL_AGREEMENT_REKEY: add(t, from, a->body.stream.stream, a->body.stream.epoch); break;
    case TL_AGREEMENT_PORT:
    case TL_AGREEMENT_DONE:
    case TL_AGREEMENT_REFUSED:
        if (due == NULL)
            break;
        due->answered = true;
        due->refused = a->kind == TL_AGREEMENT_REFUSED;
        break;
    default: break;
    }
}

/* ---- what is in use ---- */

void verify_ties_opened(verify_ties *t, const replay_border *at)
{
    const replay_border *last = t->epoch_n > 0 ? &t->epochs[t->epoch_n - 1].at : NULL;

    if (last != NULL && last->start == at->start && last->epoch == at->epoch)
        return;
    if (t->epoch_n == t->epoch_room) {
        size_t room = t->epoch_room == 0 ? 16 : 2 * t->epoch_room;
        verify_epoch *grown = room <= STREAM_KEYS_MAX ? realloc(t->epochs, room * sizeof *grown) : NULL;

        t->full |= grown == NULL;
        if (grown == NULL)
            return;
        t->epochs = grown;
        t->epoch_room = room;
    }
    t->epochs[t->epoch_n++] = (verify_epoch){ .at = *at };
}

/* ---- both ---- */

static void settle(const verify_ties *t, verify_epoch *e, const stream_key *key)
{
    size_t n;
    const said *list = all(t, &n);

    for (size_t i = n; i-- > 0;) {
        const said *s = &list[i];

        if (s->refused || s->stream != key->stream)
            continue;
        if (s->epoch == key->epoch &&
            tl_equal(tl_span_of(s->secret, s->n), tl_span_of(key->secret, key->n))) {
            e->tie = VERIFY_TIED;
            e->session = s->session;
            return;
        }
        if (s->section == e->at.packet.section && e->tie == VERIFY_GIVEN) {
            e->tie = VERIFY_CONTRADICTS;
            e->session = s->session;
        }
    }
}

void verify_ties_settle(verify_ties *t, const stream_keys *keys, uint16_t stream)
{
    for (size_t i = 0; i < t->epoch_n; i++) {
        verify_epoch *e = &t->epochs[i];
        const stream_key *key = stream_keys_at(keys, stream, e->at.start, e->at.epoch);

        if (key != NULL)
            settle(t, e, key);
    }
}

void verify_ties_close(verify_ties *t)
{
    guarded_close(&t->said);
    free(t->epochs);
    *t = (verify_ties){ 0 };
}
