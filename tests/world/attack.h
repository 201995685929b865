/* `make attack`: mutated packets and messages, by the thousand, each case a simulated world of its own that follows from one
 * seed. What is accepted and must not be is found by the world's books, and by what the two ends of SPDM believe.
 *
 * Accepted is: a byte under protection that is handed out changed; a frame that is ok and was not sent so, or twice, or with
 * another time; a session in which the two ends do not agree, or agree on something else than they would alone; measurements or
 * a chain that the controller believes and that are not the sensor's; a message of the owner's that the sensor takes and
 * nobody sent; anything that is right under a key that was given up; a record that an end takes and the other has not sent, or
 * that it takes again; two ends that hold one session under keys that differ. */
#ifndef TL_TESTS_ATTACK_H
#define TL_TESTS_ATTACK_H

#include "mutate.h"
#include "rig.h"

enum { ATTACK_WAYS = 200, ATTACK_TEXT = 96 };

/* How often something was noticed in one way. */
typedef struct attack_way {
    const char *target; /* static */
    char way[ATTACK_TEXT];
    uint64_t n;
} attack_way;

/* Keys under way: what went on while something was done, in the order of attack_kinds. */
typedef enum attack_kind {
    ATTACK_NEXT_KEY = 0, /* a stream's next key is there, and no frame under it */
    ATTACK_OLD_KEY,      /* a stream's key that was given up */
    ATTACK_HEARTBEAT,
    ATTACK_UPDATE_KEY,
    ATTACK_UPDATE_ALL_KEYS,
    ATTACK_VERIFY_NEW_KEY,
    ATTACK_KINDS
} attack_kind;
/* and what was done. */
typedef enum attack_manner {
    ATTACK_CHANGED = 0,
    ATTACK_REPLAYED,
    ATTACK_DROPPED,
    ATTACK_REORDERED,
    ATTACK_SEALED, /* made by himself with the key */
    ATTACK_MANNERS
} attack_manner;

/* What has come of it so far. */
typedef struct attack_tally {
    uint64_t tried, accepted;
    uint64_t went_through[ATTACK_KINDS]; /* all the same */
    uint64_t under_way[ATTACK_KINDS][ATTACK_MANNERS];
    attack_way ways[ATTACK_WAYS];
    size_t ways_n;
    char accepted_as[2 * ATTACK_TEXT]; /* by the last case; empty: nothing was */
} attack_tally;

void attack_count(attack_tally *tally, const char *target, const char *way, uint64_t n);
/* Something was accepted that must not be. */
void attack_accepted(attack_tally *tally, const char *what);

/* Checks that a case may do without, to show that the judge works. */
typedef enum attack_without {
    WITHOUT_NOTHING = 0,
    WITHOUT_TAGS,
    WITHOUT_SIGNATURES,
    WITHOUT_FORGETTING, /* keys that were given up go on being good */
    WITHOUTS
} attack_without;

typedef struct attack_options {
    attack_without without;
    FILE *trace; /* NULL: none */
} attack_options;

/* The table of kinds and manners; with all of a sort tried (streams, spdm): false if one of them never happened. */
void attack_print_kinds(const attack_tally *tally);
bool attack_had_all_kinds(const attack_tally *tally, bool streams, bool spdm);

/* For a mutator: a packet for this one's place in the rig's stream, sealed with a key that was given up (its size; 0: none
 * was). */
size_t attack_seal(tl_rig *rig, tl_span packet, uint8_t out[TL_CSI2_PACKET_MAX]);
/* A receiver that keeps the keys that it gave up: puts stream n's last one back. */
void attack_put_back(tl_rig *rig, unsigned n);
/* A crypto around another one, for the sensor: records that were right once are, when their key has been dropped. Ctx of the
 * calls and all else is one for the program; begin before each case. */
const tl_crypto *attack_keep_records(const tl_crypto *inner);

/* The two kinds of cases. open and close once; a case adds to the tally. */
void attack_streams_open(const attack_options *options);
void attack_streams_case(uint64_t seed, attack_tally *tally);
void attack_streams_close(void);

void attack_spdm_open(const attack_options *options);
void attack_spdm_case(uint64_t seed, attack_tally *tally);
void attack_spdm_close(void);

#endif
