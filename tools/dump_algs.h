/* Algorithms of SPDM by their bits: names and sizes of all that DSP0274 1.4 knows, so that messages can
 * be taken apart, and which of them the library can check. */
#ifndef TL_TOOLS_DUMP_ALGS_H
#define TL_TOOLS_DUMP_ALGS_H

#include <trueline/messages.h>
#include <trueline/spdm.h>

typedef enum dump_alg_kind {
    DUMP_HASH,
    DUMP_MEASUREMENT_HASH,
    DUMP_ASYM,
    DUMP_DHE,
    DUMP_AEAD,
    DUMP_KEY_SCHEDULE,
    DUMP_PQC_ASYM,
    DUMP_KEM,
    DUMP_ALG_KINDS
} dump_alg_kind;

typedef struct dump_alg {
    dump_alg_kind kind;
    uint32_t bit;
    const char *name;
    uint16_t size;     /* of the digest, signature or requester's half of the exchange */
    uint16_t response; /* of the responder's half */
} dump_alg;

/* The only algorithm in the mask; NULL if there are none or several, or it is unknown. */
const dump_alg *dump_alg_of(dump_alg_kind kind, uint32_t mask);
/* Its name, or "none" or "unknown". */
const char *dump_alg_name(dump_alg_kind kind, uint32_t mask);

/* What ALGORITHMS chose. */
typedef struct dump_chosen {
    uint32_t hash, measurement_hash, asym, req_asym, dhe, aead, schedule, pqc_asym, req_pqc_asym, kem;
    uint8_t offered_params, other_params; /* of NEGOTIATE_ALGORITHMS, of ALGORITHMS */
} dump_chosen;

/* The library's names of what was chosen; a member is 0 if the library has not got it. */
tl_spdm_algs dump_known(const dump_chosen *chosen);

#endif
