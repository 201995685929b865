/* A case with SPDM: one connection, with a session or without one, and one message of it that most of the changes are about. He
 * has recorded one connection of each sort between the same ends before. */
#include "attack.h"
#include "two_ends.h"

#include <stdlib.h>
#include <string.h>

enum { KINDS = 4, BURST_MOST = 12, LINK_US = 200, KEY_SEED = 77 };

/* The ends with their algorithms, and what was recorded of them. */
typedef struct stage {
    tl_two_ends ends;
    tl_duel *recorded[TL_DUEL_SCRIPTS];
    tl_duel_result right[TL_DUEL_SCRIPTS];
} stage;

static attack_options options;
static stage *stages[KINDS];
static const uint8_t kinds[KINDS] = { 0, 1, 31, 10 };
/* Small keys are quicker, and their cases as good. */
static const uint8_t shares[] = { 0, 0, 0, 0, 1, 1, 1, 2, 3, 0 };
static tl_duel *duel;
static tl_spdm_hops *hops;
static tl_wrap gullible;

static void *get(size_t n)
{
    void *p = calloc(1, n);

    if (p == NULL)
        abort();
    return p;
}

/* ---- a controller that finds every signature right ---- */

static tl_err every_signature(void *ctx, tl_key k, tl_sign_alg alg, tl_digest digest, tl_span signature,
                              bool *right)
{
    (void)ctx, (void)k, (void)alg, (void)digest, (void)signature;
    *right = true;
    return TL_OK;
}

static tl_duel_world who_of(stage *s)
{
    tl_duel_world who = s->ends.who;

    if (options.without == WITHOUT_FORGETTING)
        who.sensor_crypto = attack_keep_records(who.sensor_crypto != NULL ? who.sensor_crypto : who.crypto);
    if (options.without != WITHOUT_SIGNATURES)
        return who;
    tl_wrap_init(&gullible, who.crypto);
    gullible.ops.check_signature = every_signature;
    who.crypto = &gullible.crypto;
    return who;
}

/* ---- stages ---- */

static tl_err run(stage *s, tl_world *world, tl_duel *d, tl_duel_script script, tl_duel_result *result)
{
    const tl_duel_world who = who_of(s);

    hops->requests.delay_ns = hops->responses.delay_ns = LINK_US * TL_US;
    tl_spdm_hops_open(hops, world);
    return tl_spdm_hops_run(hops, d, &who, script, result);
}

static stage *stage_new(unsigned kind)
{
    const tl_ends_kind algs = tl_ends_kind_of(kind);
    tl_world *world = tl_world_new(kind);
    stage *s = get(sizeof *s);

    tl_random_determined(KEY_SEED + kind);
    tl_two_ends_open(&s->ends, &algs);
    for (int i = 0; i < TL_DUEL_SCRIPTS; i++) {
        s->recorded[i] = get(sizeof *s->recorded[i]);
        tl_assert_ok(run(s, world, s->recorded[i], (tl_duel_script)i, &s->right[i]));
        assert_true(s->right[i].whole && s->right[i].agreed && s->recorded[i]->log_n < TL_DUEL_LOG);
    }
    tl_world_free(world);
    return s;
}

void attack_spdm_open(const attack_options *o)
{
    options = *o;
    duel = get(sizeof *duel);
    hops = get(sizeof *hops);
    for (unsigned i = 0; i < KINDS; i++)
        stages[i] = stage_new(kinds[i]);
}

void attack_spdm_close(void)
{
    for (unsigned i = 0; i < KINDS; i++) {
        tl_two_ends_close(&stages[i]->ends);
        for (int k = 0; k < TL_DUEL_SCRIPTS; k++)
            free(stages[i]->recorded[k]);
        free(stages[i]);
    }
    free(duel);
    free(hops);
}

/* ---- how it is noticed ---- */

static const char *error_name(unsigned code)
{
    static const struct {
        uint8_t code;
        const char *name;
    } names[] = { { TL_SPDM_INVALID_REQUEST, "InvalidRequest" },
                  { TL_SPDM_UNEXPECTED_REQUEST, "UnexpectedRequest" },
                  { TL_SPDM_UNSPECIFIED, "Unspecified" },
                  { TL_SPDM_DECRYPT_ERROR, "DecryptError" },
                  { TL_SPDM_UNSUPPORTED_REQUEST, "UnsupportedRequest" },
                  { TL_SPDM_SESSION_LIMIT_EXCEEDED, "SessionLimitExceeded" },
                  { TL_SPDM_SESSION_REQUIRED, "SessionRequired" },
                  { TL_SPDM_RESPONSE_TOO_LARGE, "ResponseTooLarge" },
                  { TL_SPDM_REQUEST_TOO_LARGE, "RequestTooLarge" },
                  { TL_SPDM_VERSION_MISMATCH, "VersionMismatch" } };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == code)
            return names[i].name;
    return "another code";
}

static uint64_t sum(const uint64_t *n, size_t count)
{
    uint64_t all = 0;

    for (size_t i = 0; i < count; i++)
        all += n[i];
    return all;
}

static void count_answers(const tl_spdm_mutator *m, attack_tally *tally)
{
    static const char target[] = "sensor (SPDM responder)";
    uint64_t answered = 0;
    char way[ATTACK_TEXT];

    for (unsigned i = 0; i < 256; i++) {
        answered += m->answers[i];
        if (m->errors[i] > 0) {
            (void)snprintf(way, sizeof way, "ERROR %s", error_name(i));
            attack_count(tally, target, way, m->errors[i]);
        }
        if (i == TL_SPDM_ERROR || m->answers[i] == 0)
            continue;
        (void)snprintf(way, sizeof way, "answered by %s, of no use",
                       i == 0 ? "a record" : tl_spdm_hops_name((uint8_t)i));
        attack_count(tally, target, way, m->answers[i]);
    }
    if (m->marks > answered)
        attack_count(tally, target, "no answer", m->marks - answered);
}

/* Changed messages of the ends themselves: the step in which the controller gave up. */
static void count_step(const tl_spdm_mutator *m, const tl_duel_result *r, attack_tally *tally)
{
    const uint64_t requests = sum(m->tried[TL_DUEL_REQUEST], TL_SPDM_MUTATIONS) - m->marks;
    char way[ATTACK_TEXT];

    (void)snprintf(way, sizeof way, "%s%s", r->whole ? "without effect" : "given up in ",
                   r->whole ? "" : r->step);
    attack_count(tally, "both ends, by a request in place of another", way, requests);
    attack_count(tally, "controller (SPDM requester)", way,
                 sum(m->tried[TL_DUEL_RESPONSE], TL_SPDM_MUTATIONS));
}

/* ---- keys under way ---- */

static attack_manner manner_of(unsigned what)
{
    switch (what) {
    case TL_SPDM_MUTATION_OLD:
    case TL_SPDM_MUTATION_OTHER:
    case TL_SPDM_MUTATION_OTHER_ANY:
    case TL_SPDM_MUTATION_REFLECTED:
    case TL_SPDM_MUTATION_TWICE: return ATTACK_REPLAYED;
    case TL_SPDM_MUTATION_GONE: return ATTACK_DROPPED;
    case TL_SPDM_MUTATION_LATER: return ATTACK_REORDERED;
    default: return ATTACK_CHANGED;
    }
}

static void count_kinds(const tl_spdm_mutator *m, const tl_duel_result *r, attack_tally *tally)
{
    static const attack_kind kinds_of[TL_DUEL_ABOUTS] = {
        [TL_DUEL_HEARTBEAT] = ATTACK_HEARTBEAT,
        [TL_DUEL_UPDATE_KEY] = ATTACK_UPDATE_KEY,
        [TL_DUEL_UPDATE_ALL_KEYS] = ATTACK_UPDATE_ALL_KEYS,
        [TL_DUEL_VERIFY_NEW_KEY] = ATTACK_VERIFY_NEW_KEY,
    };

    for (unsigned about = TL_DUEL_OTHER + 1; about < TL_DUEL_ABOUTS; about++) {
        tally->went_through[kinds_of[about]] += r->kept[about];
        for (unsigned what = 0; what < TL_SPDM_MUTATIONS; what++)
            tally->under_way[kinds_of[about]][manner_of(what)] += m->about[about][what];
    }
}

/* ---- a case ---- */

/* The message that most is done to; of a session that is kept in every other case one of those that keep it, and what follows. */
static unsigned focus_of(tl_world *world, const tl_duel *recorded)
{
    unsigned first = 0;

    if (tl_world_below(world, 2) == 0)
        while (first < recorded->log_n && recorded->log[first].about == TL_DUEL_OTHER)
            first++;
    if (first == recorded->log_n)
        first = 0;
    return first + (unsigned)tl_world_below(world, recorded->log_n - first);
}

void attack_spdm_case(uint64_t seed, attack_tally *tally)
{
    static const tl_duel_script scripts[] = { TL_DUEL_SESSION, TL_DUEL_ATTEST, TL_DUEL_UPDATE,
                                              TL_DUEL_UPDATE };
    tl_world *world = tl_world_new(seed);
    stage *s = stages[shares[tl_world_below(world, sizeof shares)]];
    const tl_duel_script script = scripts[tl_world_below(world, sizeof scripts / sizeof *scripts)];
    const tl_duel *const recorded[] = { s->recorded[0], s->recorded[1], s->recorded[2] };
    tl_spdm_mutator m = { .world = world, .hops = hops, .live = duel, .recorded = recorded };
    tl_duel_result r;
    const char *wrong;

    m.env = s->right[script].env;
    m.focus = focus_of(world, recorded[script]);
    m.burst = (unsigned)tl_world_below(world, BURST_MOST + 1);
    m.of_a_million = tl_world_below(world, 4) == 0 ? 30000 : 0;
    tl_random_determined(seed);
    memset(hops, 0, sizeof *hops);
    tl_spdm_mutator_open(&m);
    tl_world_trace(world, options.trace);
    tl_assert_ok(run(s, world, duel, script, &r));
    tally->tried += sum(m.tried[0], TL_SPDM_MUTATIONS) + sum(m.tried[1], TL_SPDM_MUTATIONS);
    count_answers(&m, tally);
    count_step(&m, &r, tally);
    count_kinds(&m, &r, tally);
    wrong = tl_duel_wrong(duel, &r, &s->right[script]);
    if (wrong != NULL)
        attack_accepted(tally, wrong);
    tl_world_free(world);
}
