/* Making key pairs, certificates and revocation lists, right ones and, for tests, deliberately wrong ones. */
#ifndef TL_TOOLS_PKI_CERT_H
#define TL_TOOLS_PKI_CERT_H

#include <trueline/crypto.h>

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

/* A certificate and its private key. Both are NULL where there is none. */
typedef struct pki_pair {
    X509 *certificate;
    EVP_PKEY *key;
} pki_pair;

typedef enum pki_kind { PKI_LEAF = 0, PKI_AUTHORITY } pki_kind;

enum { PKI_NO_PATH_LENGTH = -1 };

/* What a certificate shall say. */
typedef struct pki_template {
    const char *subject; /* its common name */
    pki_kind kind;
    int path_length;               /* of an authority */
    int64_t not_before, not_after; /* seconds since 1970 */
    const char *key_usage;         /* OpenSSL's names, with "critical," before them; NULL: none */
    const char *device_info;       /* MANUFACTURER:PRODUCT:SERIAL; NULL: none */
    tl_chain_use use;              /* TL_USE_ANY: none is named */
    /* For tests: what no certificate should be. */
    const char *second_info; /* a second device info */
    const char *hash;        /* OpenSSL's name, in place of the curve's; NULL: the curve's */
    bool version_1;
} pki_template;

extern const char pki_oid_device_info[], pki_oid_responder[], pki_oid_requester[];

/* A fresh key pair over the group's curve; NULL if OpenSSL fails. The caller frees it. */
EVP_PKEY *pki_new_key(tl_group group);
/* A certificate of `key`, signed by the issuer, or by itself if issuer is NULL; NULL if OpenSSL fails, or the
 * template is wrong. The caller frees it. */
X509 *pki_issue(const pki_template *t, EVP_PKEY *key, const pki_pair *issuer);
/* An empty list of the issuer. The caller frees it. */
X509_CRL *pki_new_list(const pki_pair *issuer, int64_t now, int64_t next_update);
/* The same list with a certificate more (NULL: none), its number counted up, signed anew. False if OpenSSL fails. */
bool pki_revoke(X509_CRL *list, const pki_pair *issuer, const X509 *revoked, int64_t now);
void pki_pair_free(pki_pair *pair);

#endif
