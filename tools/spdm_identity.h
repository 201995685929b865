/* Who we are and whom we trust, from files: DIR/chain.pem and DIR/key.pem, trust anchors, revocation lists. */
#ifndef TL_TOOLS_SPDM_IDENTITY_H
#define TL_TOOLS_SPDM_IDENTITY_H

#include "fault.h"

#include <trueline/openssl.h>
#include <trueline/spdm.h>

/* Our own chain and key, and the rules for the peer. Files that are not named are not there: no slot, no rules. */
typedef struct spdm_identity {
    tl_spdm_identity slot; /* views of `chain` */
    size_t slots;          /* 1, or 0: no identity of our own */
    tl_chain_rules rules;
    bool has_rules;
    bool key_fits; /* the key is that of the chain's leaf */
    /* private */
    uint8_t chain[TL_CHAIN_SIZE];
} spdm_identity;

typedef struct spdm_identity_files {
    const char *pki;   /* folder with chain.pem and key.pem; NULL: none */
    const char *trust; /* trust anchors; NULL: nobody is trusted */
    const char *crl;   /* revocation lists; NULL: revocation is not looked at */
    const char *role;  /* that the peer must have */
} spdm_identity_files;

/* The handles live as long as the backend. TL_EXIT_USAGE: a file is not what it must be. */
tl_exit spdm_identity_load(spdm_identity *id, const spdm_identity_files *files, tl_openssl *openssl,
                           tl_fault *fault) __attribute__((warn_unused_result));

/* Says on stderr, as the program `role`, what a peer will refuse in our own identity before one comes: another role, a
 * certificate that has expired, a key of another. The peer decides. */
void spdm_identity_note(const spdm_identity *id, tl_openssl *openssl, const char *folder, const char *role,
                        const char *peer);

#endif
