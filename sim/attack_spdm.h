/* The attacker between controller and sensor while they speak SPDM: he sees, changes, drops, repeats and replays whole messages,
 * knows everything that is public, and has no key. His moves are made of the rows of attacks_spdm.def. */
#ifndef TL_SIM_ATTACK_SPDM_H
#define TL_SIM_ATTACK_SPDM_H

#include "spdm_duel.h"

/* The messages that he has rows for. */
typedef enum tl_spdm_target_id {
#define SPDM_MESSAGE(name, direction, code, secured, script, body) TL_SPDM_TARGET_##name,
#define SPDM_HARMLESS(message, field, text)
#define SPDM_MOVE(name, move, script, by, text)
#include "attacks_spdm.def"
#undef SPDM_MESSAGE
#undef SPDM_HARMLESS
#undef SPDM_MOVE
    TL_SPDM_TARGETS
} tl_spdm_target_id;

typedef struct tl_spdm_target {
    const char *name;
    tl_duel_way way;
    uint8_t code; /* of a message in clear; of a record: which one in its direction */
    bool secured;
    tl_duel_script script;
    const char *body; /* name of the body's rows; "none": it has none */
} tl_spdm_target;

extern const tl_spdm_target tl_spdm_targets[TL_SPDM_TARGETS];

typedef enum tl_spdm_act {
    TL_SPDM_CHANGE = 0, /* a bit at one place */
    TL_SPDM_DROP,
    TL_SPDM_REPEAT,
    TL_SPDM_STALE, /* the message before it in its direction, in its place */
    TL_SPDM_VERSION_DOWN,
    TL_SPDM_HASH_DOWN,
    TL_SPDM_GROUP_DOWN,
    TL_SPDM_AEAD_DOWN,
    TL_SPDM_MUTUAL_OFF,
    TL_SPDM_ENCRYPT_OFF,
    TL_SPDM_OTHER_FINISH,
    TL_SPDM_OTHER_ANSWER,
    TL_SPDM_CLEAR_REQUEST,
    TL_SPDM_REFLECT,
    TL_SPDM_OLD_SESSION
} tl_spdm_act;

enum { TL_SPDM_ATTACK_NAME = 80 };

/* One attack. */
typedef struct tl_spdm_attack {
    char name[TL_SPDM_ATTACK_NAME]; /* "KEY_EXCHANGE.exchange changed", "version-down" */
    const char *text;
    tl_spdm_act act;
    tl_duel_script script;
    tl_spdm_target_id target; /* of the first four */
    size_t at;                /* CHANGE: byte of the message */
    uint8_t mask;             /* and bits of it */
    bool harmless;            /* must do no harm; else it must be noticed, */
    const char *by;           /* in this step at the latest; NULL: in any */
} tl_spdm_attack;

/* Steps in their order, for `by`: -1 if it is none. */
int tl_spdm_step_order(const char *step);

/* Where fields stand in one message as it was on the link. */
typedef struct tl_spdm_place {
    char field[40]; /* "header.param1", "exchange" */
    size_t at, n;
} tl_spdm_place;
enum { TL_SPDM_PLACES = 40 };
/* The fields of a target's message, at most TL_SPDM_PLACES; sizes that negotiation decides stand in env. */
size_t tl_spdm_places(const tl_spdm_target *target, const tl_env *env, tl_span message,
                      tl_spdm_place *places);

/* The message of a target in a log; NULL: it was not there. */
const tl_duel_message *tl_spdm_find(const tl_duel *duel, const tl_spdm_target *target);

/* All rows, one after the other: calls `row` for each. `clean` are the logs of runs of both scripts without an attack, in the
 * order of tl_duel_script; env the sizes that they negotiated. `row` returns false to end it. */
typedef struct tl_spdm_rows {
    const tl_duel *clean[2];
    tl_env env;
    void *ctx;
    bool (*row)(void *ctx, const tl_spdm_attack *attack);
} tl_spdm_rows;
size_t tl_spdm_attacks_each(const tl_spdm_rows *rows);

/* Runs one attack. `clean` as above: what the attacker has recorded. *noticed: it ended as the row says. */
tl_err tl_spdm_attack_run(tl_duel *duel, const tl_duel_world *world, const tl_duel *const clean[2],
                          const tl_spdm_attack *attack, tl_duel_result *result,
                          bool *as_expected) TL_MUST_USE;

#endif
