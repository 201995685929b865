/* Who a responder of a fuzz target is: a key of its own, and a chain that nobody reads. */
#ifndef TL_FUZZ_IDENTITY_H
#define TL_FUZZ_IDENTITY_H

#include "expect.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <trueline/openssl.h>
#include <trueline/responder.h>

enum { ROOT = 100 };

static tl_openssl *backend;
static tl_spdm_identity identity;

/* Once for all runs; true the first time. config NULL: the defaults. The chain's first ROOT bytes are its root. */
static inline bool open_identity(const tl_openssl_config *config, tl_span chain)
{
    EVP_PKEY *key;
    uint8_t der[256], *at = der;
    tl_openssl_input in = { "key", { der, 0 } };

    if (backend != NULL)
        return false;
    key = EVP_EC_gen("P-256");
    expect(key != NULL && tl_openssl_open(config, &backend) == TL_OK);
    in.bytes.n = (size_t)i2d_PrivateKey(key, &at);
    EVP_PKEY_free(key);
    identity =
        (tl_spdm_identity){ .certificates = chain, .root = { chain.p, ROOT }, .alg = TL_SIGN_ECDSA_P256 };
    expect(tl_openssl_load_key(backend, &in, &identity.key, NULL) == TL_OK);
    return true;
}

#endif
