/* `make attack`: mutated packets and messages, by the thousand, each case a simulated world of its own that follows from one
 * seed. What is accepted and must not be is found by the world's books, and by what the two ends of SPDM believe.
 *
 * Accepted is: a byte under protection that is handed out changed; a frame that is ok and was not sent so, or twice, or with
 * another time; a session in which the two ends do not agree, or agree on something else than they would alone; measurements or
 * a chain that the controller believes and that are not the sensor's; a message of the owner's that the sensor takes and
 * nobody sent. */
#ifndef TL_TESTS_ATTACK_H
#define TL_TESTS_ATTACK_H

#include "mutate.h"

enum { ATTACK_WAYS = 160, ATTACK_TEXT = 96 };

/* How often something was noticed in one way. */
typedef struct attack_way {
    const char *target; /* static */
    char way[ATTACK_TEXT];
    uint64_t n;
} attack_way;

/* What has come of it so far. */
typedef struct attack_tally {
    uint64_t tried, accepted;
    attack_way ways[ATTACK_WAYS];
    size_t ways_n;
    char accepted_as[2 * ATTACK_TEXT]; /* by the last case; empty: nothing was */
} attack_tally;

void attack_count(attack_tally *tally, const char *target, const char *way, uint64_t n);
/* Something was accepted that must not be. */
void attack_accepted(attack_tally *tally, const char *what);

/* Checks that a case may do without, to show that the judge works. */
typedef enum attack_without { WITHOUT_NOTHING = 0, WITHOUT_TAGS, WITHOUT_SIGNATURES } attack_without;

typedef struct attack_options {
    attack_without without;
    FILE *trace; /* NULL: none */
} attack_options;

/* The two kinds of cases. open and close once; a case adds to the tally. */
void attack_streams_open(const attack_options *options);
void attack_streams_case(uint64_t seed, attack_tally *tally);
void attack_streams_close(void);

void attack_spdm_open(const attack_options *options);
void attack_spdm_case(uint64_t seed, attack_tally *tally);
void attack_spdm_close(void);

#endif
