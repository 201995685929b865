/* A crypto backend that remembers every secret that passes through it, so that a test can look for them in memory: shared
 * secrets, everything that HMAC gives but verify data, and the bytes of keys that are loaded. */
#ifndef TL_TESTS_SECRETS_H
#define TL_TESTS_SECRETS_H

#include "wrap.h"

enum { TL_SECRETS_MAX = 256, TL_SECRETS_PREFIX = 12 /* bytes that are looked for: an IV has no more */ };

typedef struct tl_secrets {
    tl_wrap wrap;
    size_t n;
    uint8_t bytes[TL_SECRETS_MAX][TL_SECRETS_PREFIX];
} tl_secrets;

void tl_secrets_init(tl_secrets *s, const tl_crypto *inner);
const tl_crypto *tl_secrets_crypto(const tl_secrets *s);
/* Fails the test if one of the secrets [from, to) stands in the n bytes at p. */
void tl_secrets_assert_none(const tl_secrets *s, size_t from, size_t to, const void *p, size_t n);
/* True if any of them does. */
bool tl_secrets_found(const tl_secrets *s, size_t from, size_t to, const void *p, size_t n);

#endif
