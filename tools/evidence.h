/* What an attestation showed, as JSON that others can check again: who, by which chain and algorithms, what was measured, and
 * the messages that the signature covers. */
#ifndef TL_TOOLS_EVIDENCE_H
#define TL_TOOLS_EVIDENCE_H

#include "spdm_client.h"

/* The nonce that we sent and the signature that came back, of the measurements; both empty: there was no signed exchange in
 * clear. */
typedef struct evidence_proof {
    tl_span nonce, peer_nonce, signature;
} evidence_proof;
evidence_proof evidence_proof_of(const spdm_client *c);

/* Parts for reports; NULL without memory. The caller's to json_decref. */
json_t *evidence_identity(const spdm_client *c);
json_t *evidence_algorithms(const spdm_client *c);
json_t *evidence_measurements(const spdm_client *c);
/* All messages in clear, as hex, in their order. */
json_t *evidence_messages(const spdm_client *c);
/* "1.3" */
const char *evidence_version(const spdm_client *c);

#endif
