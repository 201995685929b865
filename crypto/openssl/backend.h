/* What the files of the OpenSSL backend share: its state, its pools and its operations. */
#ifndef TL_OPENSSL_BACKEND_H
#define TL_OPENSSL_BACKEND_H

#include <trueline/openssl.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

/* A set of slots, numbered from 0. A handle names a slot and how often it was given back before, so that a
 * handle that outlives its drop is noticed although the slot is in use again. */
typedef struct tl__slot {
    uint16_t generation;
    bool taken;
} tl__slot;

typedef struct tl__pool {
    tl__slot *slots;
    size_t n;
} tl__pool;

bool tl__pool_init(tl__pool *pool, size_t n);
void tl__pool_free(tl__pool *pool);
/* Takes a free slot. TL_E_POOL. */
tl_err tl__pool_take(tl__pool *pool, size_t *slot);
void tl__pool_give(tl__pool *pool, size_t slot);
uint32_t tl__pool_handle(const tl__pool *pool, size_t slot);
/* The slot of a live handle. TL_E_USAGE if it is none. */
tl_err tl__pool_find(const tl__pool *pool, uint32_t handle, size_t *slot);

enum { TL__HASHES = 2, TL__SUITES = 4, TL__COORDINATE_MAX = 48, TL__GMAC_KEY_MAX = 32 };

/* What a key slot holds. */
typedef enum tl__kind {
    TL__STREAM = 1,
    TL__PRIVATE,
    TL__PUBLIC,
    TL__EXCHANGE,
    TL__TRUST,
    TL__REVOKED
} tl__kind;

typedef struct tl__key {
    tl__kind kind;
    EVP_CIPHER_CTX *stream; /* made once for each slot; holds a stream's expanded key, for GCM or for CTR */
    EVP_MAC_CTX *cmac;      /* of a CMAC suite: holds its tag key; NULL tells that the suite is a GMAC one */
    const EVP_CIPHER *gcm;  /* of a GMAC suite, with its key: what a running MAC starts from */
    uint8_t gmac[TL__GMAC_KEY_MAX];
    EVP_PKEY *pair; /* private, public, exchange */
    STACK_OF(X509) * trust;
    STACK_OF(X509_CRL) * revoked;
} tl__key;

/* A running MAC: which of the two it is, the other being NULL or at rest. */
typedef struct tl__mac {
    EVP_CIPHER_CTX *gmac; /* made once for each slot */
    EVP_MAC_CTX *cmac;    /* a copy of its key's */
} tl__mac;

struct tl_openssl {
    tl_crypto crypto;
    tl__pool hashes, keys, macs;
    EVP_MD_CTX **hash; /* one per hash slot */
    tl__key *key;      /* one per key slot */
    tl__mac *mac;      /* one per slot of running MACs */
    EVP_MD *digest[TL__HASHES];
    EVP_MAC_CTX *hmac[TL__HASHES];
    EVP_CIPHER *cipher[TL__SUITES];
    EVP_MAC *cmac;
};

/* Each file's share of opening and closing. What an open that failed has left is closed too. */
tl_err tl__hash_open(tl_openssl *b, size_t slots);
void tl__hash_close(tl_openssl *b);
tl_err tl__hmac_open(tl_openssl *b);
void tl__hmac_close(tl_openssl *b);
tl_err tl__key_open(tl_openssl *b, size_t slots);
void tl__key_close(tl_openssl *b);
tl_err tl__mac_open(tl_openssl *b, size_t slots);
void tl__mac_close(tl_openssl *b);

/* Takes a slot for a key of that kind, and gives it its handle. TL_E_POOL; *k is 0 then. */
tl_err tl__key_take(tl_openssl *b, tl__kind kind, tl__key **key, tl_key *k);
/* The key of a live handle of that kind. TL_E_USAGE if it is none. */
tl_err tl__key_find(const tl_openssl *b, tl_key k, tl__kind kind, tl__key **key);

/* One message under the stream key that is its own. False: OpenSSL failed. seal encrypts where asked and writes the
 * tag; open writes it too, and decrypts. judge says whether the tag is right, and reveal, for those that are,
 * decrypts what judge has not decrypted on the way. */
bool tl__message_seal(tl__key *key, tl_sealed *m);
bool tl__message_open(tl__key *key, tl_sealed *m);
bool tl__message_judge(tl__key *key, tl_sealed *m);
bool tl__message_reveal(tl__key *key, tl_sealed *m);

/* The curves, by what names them; NULL if there is none. */
typedef struct tl__curve {
    tl_sign_alg alg;
    tl_group group;
    size_t size;      /* bytes of a coordinate */
    const char *name; /* OpenSSL's: EVP_PKEY_get_group_name */
} tl__curve;
const tl__curve *tl__curve_of_alg(tl_sign_alg alg);
const tl__curve *tl__curve_of_group(tl_group group);
const tl__curve *tl__curve_of_key(const EVP_PKEY *pair);

/* The row of `alg` in digest[] and hmac[]. TL_E_USAGE if there is none. */
tl_err tl__hash_row(tl_hash_alg alg, size_t *row);
const char *tl__hash_row_name(size_t row);

/* Empties OpenSSL's error queue and gives TL_E_BACKEND. */
tl_err tl__openssl_failed(void);

/* The operations of tl_crypto_ops. */
tl_err tl__random(void *ctx, uint8_t *out, size_t n);
tl_err tl__hash_start(void *ctx, tl_hash_alg alg, tl_hash *h);
tl_err tl__hash_add(void *ctx, tl_hash h, tl_span data);
tl_err tl__hash_clone(void *ctx, tl_hash from, tl_hash *to);
tl_err tl__hash_end(void *ctx, tl_hash h, uint8_t *digest);
void tl__hash_drop(void *ctx, tl_hash h);
tl_err tl__hmac(void *ctx, tl_hash_alg alg, tl_span key, const tl_span *parts, size_t n, uint8_t *mac);
tl_err tl__key_load(void *ctx, tl_suite suite, tl_span key, tl_key *k);
void tl__key_drop(void *ctx, tl_key k);
tl_err tl__protect(void *ctx, tl_key k, tl_sealed *m, size_t n);
tl_err tl__verify(void *ctx, tl_key k, tl_sealed *m, size_t n);
tl_err tl__open(void *ctx, tl_key k, tl_sealed *m, size_t n);
tl_err tl__mac_start(void *ctx, tl_key k, const uint8_t nonce[TL_NONCE_SIZE], tl_mac *m);
tl_err tl__mac_add(void *ctx, tl_mac m, tl_span data);
tl_err tl__mac_end(void *ctx, tl_mac m, uint8_t tag[TL_TAG_MAX]);
void tl__mac_drop(void *ctx, tl_mac m);
tl_err tl__sign(void *ctx, tl_key k, tl_sign_alg alg, tl_digest digest, uint8_t *signature);
tl_err tl__check_signature(void *ctx, tl_key k, tl_sign_alg alg, tl_digest digest, tl_span signature,
                           bool *right);
tl_err tl__exchange_start(void *ctx, tl_group group, tl_key *own, uint8_t *point);
tl_err tl__exchange_end(void *ctx, tl_key own, tl_span peer_point, uint8_t *secret);
tl_err tl__chain_check(void *ctx, const tl_chain_rules *rules, tl_span certificates, tl_chain_facts *facts);

#endif
