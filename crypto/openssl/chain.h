/* What the files of the chain check share: one check, and its parts in order. */
#ifndef TL_OPENSSL_CHAIN_H
#define TL_OPENSSL_CHAIN_H

#include "backend.h"

typedef struct tl__chain {
    const tl_openssl *backend;
    const tl_chain_rules *rules;
    tl_chain_facts *facts;
    X509 *certificate[TL_CHAIN_CERTIFICATES]; /* the leaf is the last */
    size_t n;
} tl__chain;

/* Notes the refusal of a certificate (or TL_CHAIN_WHOLE), and gives TL_E_CHAIN. `why` is a static text. */
tl_err tl__chain_refuse(const tl__chain *c, int certificate, const char *why);

/* Cuts the bytes into certificates, which the caller frees, also on errors. */
tl_err tl__chain_parse(tl__chain *c, tl_span certificates);
/* What holds for each certificate by itself and for its place: version, algorithms, extensions, names. */
tl_err tl__chain_profile(const tl__chain *c);
/* Signatures, times, revocation and the anchor, by OpenSSL; also writes root_hash. */
tl_err tl__chain_path(const tl__chain *c, const STACK_OF(X509) * trust, STACK_OF(X509_CRL) * revoked);
/* Writes what the leaf says of itself to the facts. */
tl_err tl__chain_identity(const tl__chain *c);
/* Compares use and role with the rules. */
tl_err tl__chain_purpose(const tl__chain *c);

#endif
