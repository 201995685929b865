/* Somebody who changes what passes by, again and again and by chance: he knows the rows of the layout and of SPDM, all that is
 * public and all that he has ever seen, and no key. One of him stands on a hop of CSI-2, the other one between two ends that
 * speak SPDM. */
#ifndef TL_SIM_MUTATE_H
#define TL_SIM_MUTATE_H

#include "attack.h"
#include "attack_spdm.h"
#include "spdm_hops.h"
#include "world.h"

typedef enum tl_stream_mutation {
#define STREAM_MUTATION(name, text) TL_STREAM_MUTATION_##name,
#define SPDM_MUTATION(name, text)
#include "mutations.def"
#undef STREAM_MUTATION
#undef SPDM_MUTATION
    TL_STREAM_MUTATIONS
} tl_stream_mutation;

typedef enum tl_spdm_mutation {
#define STREAM_MUTATION(name, text)
#define SPDM_MUTATION(name, text) TL_SPDM_MUTATION_##name,
#include "mutations.def"
#undef STREAM_MUTATION
#undef SPDM_MUTATION
    TL_SPDM_MUTATIONS
} tl_spdm_mutation;

/* ---- on any bytes ---- */

/* One to eight bits of n bytes. */
void tl_mutate_bits(tl_world *world, uint8_t *p, size_t n);
/* Takes some of n bytes off, in the middle or at the end, and gives how many are left. */
size_t tl_mutate_cut(tl_world *world, uint8_t *p, size_t n);
/* Puts random bytes among n, unless they would be more than `most`, and gives how many there are. */
size_t tl_mutate_lengthen(tl_world *world, uint8_t *p, size_t n, size_t most);

/* ---- on a hop of CSI-2 ---- */

enum { TL_MUTATE_SEEN = 64, TL_MUTATE_STREAMS = 16 };

/* The packets that he has seen last, in copies of his own; zero is empty. */
typedef struct tl_seen {
    tl_buffer packets[TL_MUTATE_SEEN];
    size_t n; /* of all that passed */
} tl_seen;

void tl_seen_add(tl_seen *seen, tl_span packet);
void tl_seen_free(tl_seen *seen);

struct tl_mutator;

/* Fill in what stands above the line; then its hand on a hop is tl_mutator_hand. */
typedef struct tl_mutator {
    tl_world *world;
    const tl_stream_config *config;
    const tl_seen *others; /* packets of other sessions and streams; NULL: none */
    uint32_t of_a_million; /* packets that are changed */
    void *ctx;
    /* NULL, or: a packet for this one's place, sealed with a key that was given up; its size, 0: there is no such key */
    size_t (*seal)(void *ctx, tl_span packet, uint8_t out[TL_CSI2_PACKET_MAX]);
    /* NULL, or: hears what is done to a packet */
    void (*told)(void *ctx, const tl_parcel *parcel, tl_stream_mutation what);
    /* ---- */
    tl_seen own;
    tl_seen given_up;                /* of them those under keys that were given up since */
    uint8_t keys[TL_MUTATE_STREAMS]; /* the key that each stream named last */
    bool sealed;                     /* what seal gave last was a packet */
    uint64_t tried[TL_STREAM_MUTATIONS];
    uint8_t bytes[TL_CSI2_PACKET_MAX + 64];
    size_t n;
} tl_mutator;

tl_hand tl_mutator_hand(tl_mutator *mutator);
void tl_mutator_close(tl_mutator *mutator);

/* ---- between two ends that speak SPDM ---- */

/* He adds changed requests in front of the controller's own, and keeps the answers to them for himself, or changes the
 * controller's own; he changes answers. Most of what he does he does to one message, so that each of them has its turn. */
typedef struct tl_spdm_mutator {
    tl_world *world;
    tl_spdm_hops *hops;
    const tl_duel *live;            /* the run at hand: its log is what he has seen of it */
    const tl_duel *const *recorded; /* TL_DUEL_SCRIPTS: one run of each script, of other sessions */
    tl_env env;                     /* sizes of the messages, as in the recorded ones */
    unsigned focus;                 /* the message, counted over both directions */
    unsigned burst;                 /* requests added in front of it */
    uint32_t of_a_million;          /* changes elsewhere */
    /* ---- */
    unsigned passed;
    uint32_t marks;
    uint64_t tried[2][TL_SPDM_MUTATIONS];              /* by direction */
    uint64_t about[TL_DUEL_ABOUTS][TL_SPDM_MUTATIONS]; /* by what was under way */
    uint64_t answers[256]; /* to added requests: by code; [TL_SPDM_ERROR] by errors too */
    uint64_t errors[256];
    uint8_t bytes[TL_DUEL_WIRE];
    size_t n;
    bool secured;
} tl_spdm_mutator;

/* Puts his hand on both hops. */
void tl_spdm_mutator_open(tl_spdm_mutator *mutator);

#endif
