/* A controller and a sensor for the simulation's SPDM: who they are and whom they trust, held to one choice of algorithms.
 *
 *     tl_two_ends_open(&ends, &kind);
 *     tl_spdm_hops_run(&hops, duel, &ends.who, TL_DUEL_SESSION, &result);
 *     tl_two_ends_close(&ends);
 *
 * Each has a backend of its own, and both authenticate themselves. */
#ifndef TL_TESTS_TWO_ENDS_H
#define TL_TESTS_TWO_ENDS_H

#include "spdm_hops.h"
#include "spdm_pair.h"

/* What a connection shall be; the fields of tl_spdm_algs that matter, and the version. */
typedef struct tl_ends_kind {
    uint8_t version;
    tl_sign_alg sign;
    tl_hash_alg hash;
    tl_group group;
    tl_suite aead;
} tl_ends_kind;

enum { TL_ENDS_KINDS = 32 };
/* All of them, one after the other. */
tl_ends_kind tl_ends_kind_of(unsigned i);
/* "1.3 ecdsa-p256 sha256 p256 aes128-gmac" */
void tl_ends_kind_text(const tl_ends_kind *kind, char *text, size_t room);

typedef struct tl_two_ends {
    tl_spdm_pair pair;
    tl_spdm_policy controller, sensor;
    tl_duel_world who; /* a test may change it before a run */
} tl_two_ends;

/* kind NULL: all that the library has is offered, and the strongest is agreed on. The ends stay where they are. */
void tl_two_ends_open(tl_two_ends *ends, const tl_ends_kind *kind);
void tl_two_ends_close(tl_two_ends *ends);

/* From here on all random bytes of OpenSSL, those of keys and signatures too, follow from the seed, in this process. */
void tl_random_determined(uint64_t seed);

#endif
