/* Certificate chains and keys for tests, from tests/vectors/identities.txt. */
#ifndef TL_TESTS_IDENTITIES_H
#define TL_TESTS_IDENTITIES_H

#include "testing.h"

#include <trueline/openssl.h>

enum { TL_IDENTITIES_NOW = 1900000000, TL_IDENTITY_CHAIN = 2048 };

/* An identity: chain, root, and handles of its private key and of its root as a trust anchor, for whoever checks it. */
typedef struct tl_test_identity {
    uint8_t chain[TL_IDENTITY_CHAIN];
    size_t chain_n, root_n;
    tl_sign_alg alg;
    tl_key key, root;
} tl_test_identity;

/* Loads "sensor-p256", "controller-p384", "bridge-p256", "foreign-p256", ...; fails the test if there is none. The handles
 * live until the backend is closed. `folder` is TL_TEST_DATA. */
void tl_test_identity_load(tl_test_identity *id, tl_openssl *backend, const char *folder, const char *name);

#endif
