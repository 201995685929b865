/* What OpenSSL makes of a message, byte by byte as crypto.h says it: the measure for other backends. */
#ifndef TL_TESTS_BY_OPENSSL_H
#define TL_TESTS_BY_OPENSSL_H

#include <trueline/crypto.h>

/* The tag of a message under a suite's key. `m` has the payload as it travels: encrypted, if it is. */
void tl_by_openssl_tag(tl_suite suite, const uint8_t *key, const tl_sealed *m, uint8_t tag[TL_TAG_MAX]);
/* A tag over bytes in one piece: GMAC with that nonce, or CMAC. */
void tl_by_openssl_mac(tl_suite suite, const uint8_t *key, const uint8_t nonce[TL_NONCE_SIZE], tl_span data,
                       uint8_t tag[TL_TAG_MAX]);
/* Encrypts or decrypts n bytes in place, as an encrypted message's payload is. */
void tl_by_openssl_crypt(tl_suite suite, const uint8_t *key, const uint8_t nonce[TL_NONCE_SIZE], uint8_t *p,
                         size_t n);
/* HKDF; without a salt (p NULL) the secret is expanded as it is. */
void tl_by_openssl_hkdf(tl_hash_alg hash, tl_span salt, tl_span secret, tl_span info, uint8_t *out, size_t n);

#endif
