/* Certificates made for a test: authorities, and leaves that say what the test wants them to. */
#ifndef TL_TESTS_ISSUER_H
#define TL_TESTS_ISSUER_H

#include <trueline/crypto.h>

#include <openssl/x509.h>

/* What a certificate shall say; role NULL: it is an authority. */
typedef struct tl_certificate_wish {
    const char *name, *role;
    tl_chain_use use;
    int64_t not_before, not_after; /* seconds since 1970 */
} tl_certificate_wish;

/* A certificate and its key. */
typedef struct tl_certified {
    X509 *certificate;
    EVP_PKEY *key;
} tl_certified;

/* Makes a P-256 key and its certificate, issued by `by`, or by itself (NULL). Fails the test if OpenSSL does. */
tl_certified tl_certify(const tl_certificate_wish *wish, const tl_certified *by);
void tl_certified_free(tl_certified *c);

#endif
