/* The attacker's moves on SPDM. A move is one function that sees the message it is about and delivers something else; all
 * other messages pass. Where a message has its fields is found by walking its rows over the bytes as they were sent. */
#include "attack_spdm.h"

#include <stdio.h>
#include <string.h>

#include <trueline/messages.h>

enum { HEADER = 4, RECORD_HEAD = 4 + 2, RECORD_TAG = TL_RECORD_TAG, STRUCT_MAX = 1024 };

/* ---- tables ---- */

enum { CLEAR = 0, RECORD = 1 };

const tl_spdm_target tl_spdm_targets[TL_SPDM_TARGETS] = {
#define SPDM_MESSAGE(name, direction, code, secured, script, body)                                           \
    { #name, TL_DUEL_##direction, code, secured, TL_DUEL_##script, #body },
#define SPDM_HARMLESS(message, field, text)
#define SPDM_MOVE(name, move, script, by, text)
#include "attacks_spdm.def"
#undef SPDM_MESSAGE
#undef SPDM_HARMLESS
#undef SPDM_MOVE
};

static const struct harmless {
    tl_spdm_target_id target;
    const char *field, *text;
} harmless[] = {
#define SPDM_MESSAGE(name, direction, code, secured, script, body)
#define SPDM_HARMLESS(message, field, text) { TL_SPDM_TARGET_##message, field, text },
#define SPDM_MOVE(name, move, script, by, text)
#include "attacks_spdm.def"
#undef SPDM_MESSAGE
#undef SPDM_HARMLESS
#undef SPDM_MOVE
};

static const struct move {
    const char *name, *text, *by;
    tl_spdm_act act;
    tl_duel_script script;
} moves[] = {
#define SPDM_MESSAGE(name, direction, code, secured, script, body)
#define SPDM_HARMLESS(message, field, text)
#define SPDM_MOVE(name, move, script, by, text) { name, text, #by, TL_SPDM_##move, TL_DUEL_##script },
#include "attacks_spdm.def"
#undef SPDM_MESSAGE
#undef SPDM_HARMLESS
#undef SPDM_MOVE
};

static const char *why_harmless(tl_spdm_target_id target, const char *field)
{
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (harmless[i].target == target && strcmp(harmless[i].field, field) == 0)
            return harmless[i].text;
    return NULL;
}

int tl_spdm_step_order(const char *step)
{
    static const char *const steps[] = { "VERSION",
                                         "CAPABILITIES",
                                         "ALGORITHMS",
                                         "DIGESTS",
                                         "CERTIFICATE",
                                         "VENDOR_DEFINED",
                                         "CHALLENGE",
                                         "KEY_EXCHANGE",
                                         "FINISH",
                                         "MEASUREMENTS",
                                         "HEARTBEAT",
                                         "KEY_UPDATE",
                                         "KEY_UPDATE VerifyNewKey",
                                         "END_SESSION" };

    for (int i = 0; i < (int)(sizeof steps / sizeof *steps); i++)
        if (step != NULL && strcmp(step, steps[i]) == 0)
            return i;
    return -1;
}

/* ---- fields of a message ---- */

static void add_place(tl_spdm_place *places, size_t *count, const char *field, size_t at, size_t n)
{
    if (*count == TL_SPDM_PLACES || n == 0)
        return;
    (void)snprintf(places[*count].field, sizeof places[*count].field, "%s", field);
    places[*count].at = at;
    places[(*count)++].n = n;
}

static const tl_message *message_of(const char *name)
{
    for (const tl_message *m = tl_messages; m->name != NULL; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

/* Bytes of a row's field in a body, of which `left` bytes are not read yet. length: where a length field stands. */
static size_t row_size(const tl_field *row, const tl_env *env, const uint8_t *values, const uint8_t *at,
                       size_t left)
{
    uint32_t counted;
    tl_rd r = tl_rd_of(tl_span_of(at, left));

    switch (row->kind) {
    case TL_ROW_INT:
    case TL_ROW_INTB:
    case TL_ROW_RSV:
    case TL_ROW_RAW:
    case TL_ROW_BOX: return row->arg;
    case TL_ROW_OPT:
    case TL_ROW_OPTB:
    case TL_ROW_SIZED: return env->len[row->arg];
    case TL_ROW_LV: return row->arg + (size_t)tl_get(&r, row->arg, TL_LITTLE);
    case TL_ROW_BY: memcpy(&counted, values + row->arg, sizeof counted); return counted;
    case TL_ROW_REST: return left;
    case TL_ROW_BODY: return left - env->len[row->arg & 0xFF] - (row->arg >> 8);
    default: return 0;
    }
}

static void add_body(const tl_message *m, const tl_env *env, tl_span message, tl_spdm_place *places,
                     size_t *count)
{
    uint8_t values[STRUCT_MAX];
    const tl_field *rows = m->rows();
    tl_rd r = tl_rd_of(tl_span_of(message.p + HEADER, message.n - HEADER));
    size_t at = HEADER;

    if (m->size > sizeof values || tl_decode(rows, env, &r, values) != TL_OK)
        return;
    for (size_t i = 0; rows[i].kind != TL_ROW_END && at < message.n; i++) {
        size_t n;

        if (rows[i].kind == TL_ROW_BIT || rows[i].since > env->version)
            continue;
        n = row_size(&rows[i], env, values, message.p + at, message.n - at);
        if (n > message.n - at)
            return;
        /* Of what has a length before it, the length is a field by itself. */
        if (rows[i].kind == TL_ROW_LV) {
            char length[40];

            (void)snprintf(length, sizeof length, "%s length", m->names[i]);
            add_place(places, count, length, at, rows[i].arg);
            add_place(places, count, m->names[i], at + rows[i].arg, n - rows[i].arg);
        } else {
            add_place(places, count, m->names[i], at, n);
        }
        at += n;
    }
}

size_t tl_spdm_places(const tl_spdm_target *target, const tl_env *env, tl_span message, tl_spdm_place *places)
{
    static const char *const header[HEADER] = { "version", "code", "param1", "param2" };
    const tl_message *m = message_of(target->body);
    size_t count = 0;

    if (target->secured) {
        if (message.n < RECORD_HEAD + RECORD_TAG)
            return 0;
        add_place(places, &count, "session id", 0, 4);
        add_place(places, &count, "length", 4, 2);
        add_place(places, &count, "ciphertext", RECORD_HEAD, message.n - RECORD_HEAD - RECORD_TAG);
        add_place(places, &count, "tag", message.n - RECORD_TAG, RECORD_TAG);
        return count;
    }
    for (size_t i = 0; i < HEADER; i++)
        add_place(places, &count, header[i], i, 1);
    if (m != NULL)
        add_body(m, env, message, places, &count);
    return count;
}

/* ---- finding messages ---- */

/* Counts what passes, so that the target's message is known when it comes. */
typedef struct seen {
    unsigned records[2];
    bool found;
} seen;

static bool is_target(const tl_spdm_target *t, const tl_duel_message *m, seen *s)
{
    unsigned record = m->secured ? s->records[m->way]++ : 0;
    bool right = !s->found && m->way == t->way && m->secured == t->secured &&
                 (m->secured ? record == t->code : m->n > 1 && m->bytes[1] == t->code);

    s->found = s->found || right;
    return right;
}

const tl_duel_message *tl_spdm_find(const tl_duel *duel, const tl_spdm_target *target)
{
    seen s = { 0 };

    for (size_t i = 0; i < duel->log_n; i++)
        if (is_target(target, &duel->log[i], &s))
            return &duel->log[i];
    return NULL;
}

/* ---- moves ---- */

typedef struct attacker {
    const tl_spdm_attack *attack;
    const tl_duel *const *clean;
    tl_duel *duel;
    seen seen;
    uint8_t bytes[TL_DUEL_WIRE];
    size_t n;
} attacker;

/* The message of `target` in a recorded run. */
static const tl_duel_message *recorded(const attacker *a, tl_spdm_target_id target)
{
    const tl_spdm_target *t = &tl_spdm_targets[target];

    return tl_spdm_find(a->clean[t->script], t);
}

static void put(attacker *a, const tl_duel_message *m)
{
    memcpy(a->bytes, m->bytes, m->n);
    a->n = m->n;
}

/* The message before this one in its direction, of this run. */
static void put_before(attacker *a, const tl_duel_message *m)
{
    a->n = 0;
    for (size_t i = 0; i + 1 < a->duel->log_n; i++)
        if (a->duel->log[i].way == m->way)
            put(a, &a->duel->log[i]);
}

static bool secured_before(const attacker *a, const tl_duel_message *m)
{
    bool secured = m->secured;

    for (size_t i = 0; i + 1 < a->duel->log_n; i++)
        if (a->duel->log[i].way == m->way)
            secured = a->duel->log[i].secured;
    return secured;
}

/* VERSION: entries of two bytes behind a count; those above 1.2 are taken out. */
static void version_down(attacker *a)
{
    size_t to = HEADER + 2, from = to;

    for (; from + 1 < a->n; from += 2) {
        if (a->bytes[from + 1] > TL_SPDM_12)
            continue;
        memmove(a->bytes + to, a->bytes + from, 2);
        to += 2;
    }
    a->bytes[HEADER + 1] = (uint8_t)((to - HEADER - 2) / 2);
    a->n = to;
}

enum {
    BASE_HASH_AT = HEADER + 8,
    TABLES_AT = HEADER + 28,
    TABLE = 4,
    TABLE_DHE = 2,
    TABLE_AEAD = 3,
    CAPABILITIES_AT = HEADER + 4
};

/* The algorithms of one table of NEGOTIATE_ALGORITHMS. */
static void table_down(attacker *a, uint8_t type, uint8_t bits)
{
    for (size_t at = TABLES_AT; at + TABLE <= a->n; at += TABLE)
        if (a->bytes[at] == type)
            a->bytes[at + 2] &= (uint8_t)~bits;
}

static void clear_finish(attacker *a)
{
    const uint8_t finish[HEADER] = { a->clean[TL_DUEL_SESSION]->log[2].bytes[0], TL_SPDM_FINISH, 0, 0 };

    memcpy(a->bytes, finish, sizeof finish);
    a->n = sizeof finish;
}

/* A record of another run, named as one of this session. */
static void put_other(attacker *a, const tl_duel_message *m, tl_spdm_target_id target)
{
    const tl_duel_message *other = recorded(a, target);

    a->n = 0;
    if (other == NULL)
        return;
    put(a, other);
    if (other->secured)
        memcpy(a->bytes, m->bytes, 4);
}

/* The last record that went the other way. */
static void put_reflected(attacker *a, const tl_duel_message *m)
{
    a->n = 0;
    for (size_t i = 0; i < a->duel->log_n; i++)
        if (a->duel->log[i].way != m->way && a->duel->log[i].secured)
            put(a, &a->duel->log[i]);
}

/* Changes a->bytes, which hold the message as it came, into what is delivered; *secured alike. */
static void change(attacker *a, const tl_duel_message *m, bool *secured)
{
    switch (a->attack->act) {
    case TL_SPDM_CHANGE:
        if (a->attack->at < a->n)
            a->bytes[a->attack->at] ^= a->attack->mask;
        return;
    case TL_SPDM_DROP: a->n = 0; return;
    case TL_SPDM_STALE:
        *secured = secured_before(a, m);
        put_before(a, m);
        return;
    case TL_SPDM_VERSION_DOWN: version_down(a); return;
    case TL_SPDM_HASH_DOWN: a->bytes[BASE_HASH_AT] &= (uint8_t)~2; return;
    case TL_SPDM_GROUP_DOWN: table_down(a, TABLE_DHE, 0x10); return;
    case TL_SPDM_AEAD_DOWN: table_down(a, TABLE_AEAD, 0x02); return;
    case TL_SPDM_MUTUAL_OFF: a->bytes[CAPABILITIES_AT + 1] &= (uint8_t) ~(TL_CAP_MUT_AUTH >> 8); return;
    case TL_SPDM_ENCRYPT_OFF: a->bytes[CAPABILITIES_AT] &= (uint8_t)~TL_CAP_ENCRYPT; return;
    case TL_SPDM_OTHER_FINISH: put_other(a, m, TL_SPDM_TARGET_FINISH); return;
    case TL_SPDM_OTHER_ANSWER: put_other(a, m, TL_SPDM_TARGET_KEY_EXCHANGE_RSP); return;
    case TL_SPDM_OLD_SESSION: put_other(a, m, TL_SPDM_TARGET_GET_MEASUREMENTS); return;
    case TL_SPDM_REFLECT: put_reflected(a, m); return;
    case TL_SPDM_CLEAR_REQUEST:
        *secured = false;
        clear_finish(a);
        return;
    default: return;
    }
}

/* Which message a move of its own is about. */
static tl_spdm_target_id target_of(const tl_spdm_attack *attack)
{
    switch (attack->act) {
    case TL_SPDM_VERSION_DOWN: return TL_SPDM_TARGET_VERSION;
    case TL_SPDM_HASH_DOWN:
    case TL_SPDM_GROUP_DOWN:
    case TL_SPDM_AEAD_DOWN: return TL_SPDM_TARGET_NEGOTIATE_ALGORITHMS;
    case TL_SPDM_MUTUAL_OFF: return TL_SPDM_TARGET_GET_CAPABILITIES;
    case TL_SPDM_ENCRYPT_OFF: return TL_SPDM_TARGET_CAPABILITIES;
    case TL_SPDM_OTHER_FINISH:
    case TL_SPDM_CLEAR_REQUEST: return TL_SPDM_TARGET_FINISH;
    case TL_SPDM_OTHER_ANSWER: return TL_SPDM_TARGET_KEY_EXCHANGE_RSP;
    case TL_SPDM_REFLECT: return TL_SPDM_TARGET_MEASUREMENTS;
    case TL_SPDM_OLD_SESSION: return TL_SPDM_TARGET_GET_MEASUREMENTS;
    default: return attack->target;
    }
}

static void on_message(void *ctx, tl_duel *duel, const tl_duel_message *m)
{
    attacker *a = ctx;
    bool secured = m->secured, target = is_target(&tl_spdm_targets[target_of(a->attack)], m, &a->seen);

    a->duel = duel;
    put(a, m);
    if (target)
        change(a, m, &secured);
    tl_duel_deliver(duel, m->way, secured, tl_span_of(a->bytes, a->n));
    if (target && a->attack->act == TL_SPDM_REPEAT)
        tl_duel_deliver(duel, m->way, secured, tl_span_of(a->bytes, a->n));
}

/* ---- rows ---- */

/* Where a change of a message in clear must have shown: everything before a session is under its signature, or in it. */
static const char *latest(const tl_spdm_target *t, tl_spdm_act act)
{
    if (t->secured || t->script != TL_DUEL_SESSION)
        return NULL;
    return act == TL_SPDM_REPEAT ? "FINISH" : "KEY_EXCHANGE";
}

static tl_spdm_attack row_of(tl_spdm_target_id id, tl_spdm_act act, const char *what)
{
    const tl_spdm_target *t = &tl_spdm_targets[id];
    const char *why = why_harmless(id, what);
    tl_spdm_attack attack = { .act = act,
                              .script = t->script,
                              .target = id,
                              .harmless = why != NULL,
                              .text = why != NULL ? why : "",
                              .by = latest(t, act) };

    (void)snprintf(attack.name, sizeof attack.name, "%s %s", t->name, what);
    return attack;
}

/* The rows of one message. False: the receiver of rows has had enough. */
static bool rows_of_target(const tl_spdm_rows *rows, tl_spdm_target_id id, size_t *count)
{
    static const struct {
        tl_spdm_act act;
        const char *what;
    } whole[] = { { TL_SPDM_DROP, "dropped" },
                  { TL_SPDM_REPEAT, "repeated" },
                  { TL_SPDM_STALE, "replaced by the one before" } };
    const tl_spdm_target *t = &tl_spdm_targets[id];
    const tl_duel_message *m = tl_spdm_find(rows->clean[t->script], t);
    tl_spdm_place places[TL_SPDM_PLACES];
    size_t n = m != NULL ? tl_spdm_places(t, &rows->env, tl_span_of(m->bytes, m->n), places) : 0;

    for (size_t i = 0; i < n; i++) {
        tl_spdm_attack attack = row_of(id, TL_SPDM_CHANGE, places[i].field);

        attack.at = places[i].at + places[i].n / 2;
        attack.mask = 1;
        (*count)++;
        if (!rows->row(rows->ctx, &attack))
            return false;
    }
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        tl_spdm_attack attack = row_of(id, whole[i].act, whole[i].what);

        /* The first message of its direction has none before it. */
        if (whole[i].act == TL_SPDM_STALE &&
            (id == TL_SPDM_TARGET_GET_VERSION || id == TL_SPDM_TARGET_VERSION))
            continue;
        (*count)++;
        if (!rows->row(rows->ctx, &attack))
            return false;
    }
    return true;
}

size_t tl_spdm_attacks_each(const tl_spdm_rows *rows)
{
    size_t count = 0;

    for (int id = 0; id < TL_SPDM_TARGETS; id++)
        if (!rows_of_target(rows, (tl_spdm_target_id)id, &count))
            return count;
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
        tl_spdm_attack attack = {
            .text = moves[i].text, .act = moves[i].act, .script = moves[i].script, .by = moves[i].by
        };

        (void)snprintf(attack.name, sizeof attack.name, "%s", moves[i].name);
        count++;
        if (!rows->row(rows->ctx, &attack))
            return count;
    }
    return count;
}

/* ---- one attack ---- */

/* Nothing that either end believes is other than without the attack. */
static bool unharmed(const tl_duel_result *r, const tl_duel_result *clean)
{
    return r->whole && r->agreed && r->env.version == clean->env.version && r->record_n == clean->record_n &&
           memcmp(r->record, clean->record, r->record_n) == 0 &&
           memcmp(r->chain_digest, clean->chain_digest, sizeof r->chain_digest) == 0;
}

static bool noticed(const tl_spdm_attack *attack, const tl_duel_result *r)
{
    if (r->whole || r->step == NULL)
        return false;
    return attack->by == NULL || (tl_spdm_step_order(r->step) >= 0 &&
                                  tl_spdm_step_order(r->step) <= tl_spdm_step_order(attack->by));
}

tl_err tl_spdm_attack_run(tl_duel *duel, const tl_duel_world *world, const tl_duel *const clean[2],
                          const tl_spdm_attack *attack, tl_duel_result *result, bool *as_expected)
{
    attacker a = { .attack = attack, .clean = clean };
    tl_err e = tl_duel_run(duel, world, attack->script, (tl_duel_hand){ &a, on_message }, result);

    *as_expected =
        e == TL_OK && a.seen.found &&
        (attack->harmless ? unharmed(result, &clean[attack->script]->result) : noticed(attack, result));
    return e;
}
