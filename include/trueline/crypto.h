/* The crypto interface: what the library asks of a backend. Types and a table of functions, no code.
 *
 * Keys are handles: the core hands key bytes in once and never gets them back. Running hashes live in the
 * backend too, in a pool whose size the backend's own set-up gives. A backend serves one thread at a time. */
#ifndef TRUELINE_CRYPTO_H
#define TRUELINE_CRYPTO_H

#include <trueline/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Hash algorithms and stream suites are rows of algs.def; sizes in bytes. */
typedef enum tl_hash_alg {
    TL_HASH_NONE = 0,
#define HASH(name, id, size, block, text) TL_HASH_##name = id,
#define SUITE(name, id, key_size, text)
#include <trueline/algs.def>
#undef HASH
#undef SUITE
} tl_hash_alg;

typedef enum tl_suite {
    TL_SUITE_NONE = 0,
#define HASH(name, id, size, block, text)
#define SUITE(name, id, key_size, text) TL_SUITE_##name = id,
#include <trueline/algs.def>
#undef HASH
#undef SUITE
} tl_suite;

enum {
    TL_HASH_MAX = 64,  /* bytes of the longest digest */
    TL_TAG_MAX = 16,   /* bytes of an untruncated tag */
    TL_NONCE_SIZE = 12 /* bytes of a nonce */
};

/* Bytes of a digest of `alg`, 0 if it is none of algs.def. */
size_t tl_hash_size(tl_hash_alg alg);
/* Bytes of a key of `suite`, 0 if it is none of algs.def. */
size_t tl_suite_key_size(tl_suite suite);
/* The name in algs.def ("aes128-gmac"), for people and files; NULL if it is none. */
const char *tl_hash_name(tl_hash_alg alg);
const char *tl_suite_name(tl_suite suite);

/* Handles. 0 is none. */
typedef struct tl_hash {
    uint32_t slot;
} tl_hash;
typedef struct tl_key {
    uint32_t slot;
} tl_key;

/* What the tag of a message covers beside its header, and whether the payload is encrypted. */
typedef enum tl_cover {
    TL_COVER_PAYLOAD = 0, /* tag over header and payload, payload in clear */
    TL_COVER_ENCRYPTED    /* payload encrypted in place, tag over header and ciphertext (AES-GCM) */
} tl_cover;

/* One message of a batch. Header and payload are the caller's memory and stay where they are. */
typedef struct tl_sealed {
    tl_span header;   /* associated data */
    uint8_t *payload; /* changed in place by TL_COVER_ENCRYPTED, else only read */
    size_t payload_n; /* bytes */
    tl_cover cover;
    uint8_t tag_n; /* bytes of the tag that travel: verify compares so many, 1..TL_TAG_MAX */
    uint8_t nonce[TL_NONCE_SIZE];
    uint8_t tag[TL_TAG_MAX]; /* protect writes all of it, verify compares with it */
    bool right;              /* written by verify */
} tl_sealed;

typedef struct tl_crypto_ops {
    tl_err (*random)(void *ctx, uint8_t *out, size_t n);

    /* A running hash. start takes a slot, clone a further one that goes on from the same state; end writes
     * the digest and frees the slot, drop only frees it (slot 0: nothing). A failed add or end leaves the
     * slot taken: the caller drops it. TL_E_POOL when no slot is free. */
    tl_err (*hash_start)(void *ctx, tl_hash_alg alg, tl_hash *h);
    tl_err (*hash_add)(void *ctx, tl_hash h, tl_span data);
    tl_err (*hash_clone)(void *ctx, tl_hash from, tl_hash *to);
    tl_err (*hash_end)(void *ctx, tl_hash h, uint8_t *digest);
    void (*hash_drop)(void *ctx, tl_hash h);

    /* HMAC over the parts, one after the other; mac takes tl_hash_size(alg) bytes. */
    tl_err (*hmac)(void *ctx, tl_hash_alg alg, tl_span key, const tl_span *parts, size_t n, uint8_t *mac);

    /* Stream keys: load copies the bytes, drop wipes them (slot 0: nothing). */
    tl_err (*key_load)(void *ctx, tl_suite suite, tl_span key, tl_key *k);
    void (*key_drop)(void *ctx, tl_key k);

    /* The image path's one way out: n messages under one key. protect encrypts where asked and writes each
     * tag. verify computes every tag of the batch before it says anything, compares in constant time,
     * writes `right`, and decrypts where asked; the payload of an encrypted message whose tag is wrong is
     * wiped. TL_E_USAGE: k is no loaded key, or a message is out of bounds; nothing changed, but verify's
     * `right` is false. Any other error means that the backend itself failed: protect's tags are zeroized,
     * `right` is false throughout, and payloads that are or were to be encrypted are wiped. */
    tl_err (*protect)(void *ctx, tl_key k, tl_sealed *m, size_t n);
    tl_err (*verify)(void *ctx, tl_key k, tl_sealed *m, size_t n);
} tl_crypto_ops;

typedef struct tl_crypto {
    const tl_crypto_ops *ops;
    void *ctx;
} tl_crypto;

/* HKDF of RFC 5869 on the backend's HMAC. extract writes one digest to prk. expand takes a prk of at least
 * one digest and info in parts, one after the other, and writes out_n bytes, at most 255 digests; out
 * overlaps nothing else. TL_E_USAGE, backend errors; the output is zeroized then. */
enum { TL_HKDF_INFO_MAX = 8 }; /* parts of info */
tl_err tl_hkdf_extract(const tl_crypto *c, tl_hash_alg alg, tl_span salt, tl_span secret,
                       uint8_t *prk) TL_MUST_USE;
tl_err tl_hkdf_expand(const tl_crypto *c, tl_hash_alg alg, tl_span prk, const tl_span *info, size_t info_n,
                      uint8_t *out, size_t out_n) TL_MUST_USE;

#ifdef __cplusplus
}
#endif

#endif
