/* The crypto backend on OpenSSL 3.0 or later, for hosts: all that crypto.h asks for, through EVP alone.
 *
 * It uses the default library context, and so the providers that the system's OpenSSL configuration names.
 * OpenSSL's heap is used when it is opened, when a key is loaded, and by hashes and running MACs, not by protect,
 * verify and open. It has no checksums: crc16 and crc32 are NULL. */
#ifndef TRUELINE_OPENSSL_H
#define TRUELINE_OPENSSL_H

#include <trueline/crypto.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_openssl tl_openssl;

/* How many running hashes, loaded keys and running MACs there may be at once. 0: the default. */
typedef struct tl_openssl_config {
    uint16_t hash_slots;
    uint16_t key_slots;
    uint16_t mac_slots;
} tl_openssl_config;

/* The defaults. */
enum { TL_OPENSSL_HASH_SLOTS = 16, TL_OPENSSL_KEY_SLOTS = 16, TL_OPENSSL_MAC_SLOTS = 16 };

/* Makes a backend; the caller closes it. config may be NULL: the defaults. One thread at a time may use
 * it, several backends are independent of each other. TL_E_BACKEND: out of memory, or OpenSSL lacks an
 * algorithm of algs.def; *out is NULL then. */
tl_err tl_openssl_open(const tl_openssl_config *config, tl_openssl **out) TL_MUST_USE;
/* The interface to hand to the core. It lives until tl_openssl_close.
 *
 * A handle that is none, was dropped or belongs to nothing is refused with TL_E_USAGE, also when its slot
 * is in use again. The calls leave nothing in OpenSSL's error queue: it is emptied when one fails. */
const tl_crypto *tl_openssl_crypto(const tl_openssl *backend);

/* ---- keys, anchors and chains from files ----
 *
 * Each takes PEM or DER, and refuses what is too long, is of another kind, or goes on after its end. Handles
 * are dropped by key_drop. TL_E_FILE: refused, and `why` says what and why; TL_E_POOL; TL_E_BACKEND. `why` may
 * be NULL. Private bytes are wiped from every buffer that they went through. */

/* Bytes, or the file called `name` if bytes.p is NULL. Errors begin with the name. */
typedef struct tl_openssl_input {
    const char *name;
    tl_span bytes;
} tl_openssl_input;

typedef struct tl_openssl_why {
    char text[512]; /* "sensor/key.pem: others may read it" */
} tl_openssl_why;

enum { TL_OPENSSL_INPUT_MAX = 65536 }; /* bytes of an input */

/* A private key of sign_algs.def, without a password. A file that anybody but its owner may read is refused. */
tl_err tl_openssl_load_key(tl_openssl *backend, const tl_openssl_input *in, tl_key *k,
                           tl_openssl_why *why) TL_MUST_USE;
/* Trust anchors: self-signed certificates of authorities, one or several. */
tl_err tl_openssl_load_trust(tl_openssl *backend, const tl_openssl_input *in, tl_key *k,
                             tl_openssl_why *why) TL_MUST_USE;
/* Revocation lists, one or several. Their signatures and times are checked by chain_check. */
tl_err tl_openssl_load_revoked(tl_openssl *backend, const tl_openssl_input *in, tl_key *k,
                               tl_openssl_why *why) TL_MUST_USE;
/* A chain as chain_check takes it, at most TL_CHAIN_SIZE bytes and TL_CHAIN_CERTIFICATES certificates. One that
 * begins with the leaf is turned round. Nothing is verified. TL_E_ROOM: it is longer than `room`. */
tl_err tl_openssl_load_chain(const tl_openssl_input *in, uint8_t *chain, size_t room, size_t *n,
                             tl_openssl_why *why) TL_MUST_USE;
/* The public key of a chain's leaf. Nothing is verified: for recorded exchanges, and for one's own chain. */
tl_err tl_openssl_load_leaf(tl_openssl *backend, const tl_openssl_input *in, tl_key *k,
                            tl_openssl_why *why) TL_MUST_USE;
/* What a private or public key is for; TL_SIGN_NONE if the handle is no such key. */
tl_sign_alg tl_openssl_key_alg(const tl_openssl *backend, tl_key k);

/* Wipes and frees everything, live hashes, keys and MACs too. NULL: nothing. */
void tl_openssl_close(tl_openssl *backend);

#ifdef __cplusplus
}
#endif

#endif
