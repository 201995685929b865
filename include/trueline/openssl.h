/* The crypto backend on OpenSSL 3.0 or later, for hosts: all that crypto.h asks for, through EVP alone.
 *
 * It uses the default library context, and so the providers that the system's OpenSSL configuration names.
 * OpenSSL's heap is used when it is opened, when a key is loaded and by hashes, not by protect and verify. */
#ifndef TRUELINE_OPENSSL_H
#define TRUELINE_OPENSSL_H

#include <trueline/crypto.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_openssl tl_openssl;

/* How many running hashes and loaded keys there may be at once. 0: the default. */
typedef struct tl_openssl_config {
    uint16_t hash_slots;
    uint16_t key_slots;
} tl_openssl_config;

enum { TL_OPENSSL_HASH_SLOTS = 16, TL_OPENSSL_KEY_SLOTS = 16 }; /* the defaults */

/* Makes a backend; the caller closes it. config may be NULL: the defaults. One thread at a time may use
 * it, several backends are independent of each other. TL_E_BACKEND: out of memory, or OpenSSL lacks an
 * algorithm of algs.def; *out is NULL then. */
tl_err tl_openssl_open(const tl_openssl_config *config, tl_openssl **out) TL_MUST_USE;
/* The interface to hand to the core. It lives until tl_openssl_close.
 *
 * A handle that is none, was dropped or belongs to nothing is refused with TL_E_USAGE, also when its slot
 * is in use again. The calls leave nothing in OpenSSL's error queue: it is emptied when one fails. */
const tl_crypto *tl_openssl_crypto(const tl_openssl *backend);
/* Wipes and frees everything, live hashes and keys too. NULL: nothing. */
void tl_openssl_close(tl_openssl *backend);

#ifdef __cplusplus
}
#endif

#endif
