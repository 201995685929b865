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

/* Signatures and groups of key exchange are rows of sign_algs.def. */
typedef enum tl_sign_alg {
    TL_SIGN_NONE = 0,
#define SIGN(name, id, size, text) TL_SIGN_##name = id,
#define GROUP(name, id, size, text)
#include <trueline/sign_algs.def>
#undef SIGN
#undef GROUP
} tl_sign_alg;

typedef enum tl_group {
    TL_GROUP_NONE = 0,
#define SIGN(name, id, size, text)
#define GROUP(name, id, size, text) TL_GROUP_##name = id,
#include <trueline/sign_algs.def>
#undef SIGN
#undef GROUP
} tl_group;

enum {
    TL_HASH_MAX = 64,      /* bytes of the longest digest */
    TL_TAG_MAX = 16,       /* bytes of an untruncated tag */
    TL_NONCE_SIZE = 12,    /* bytes of a nonce */
    TL_SIGNATURE_MAX = 96, /* bytes of the longest signature */
    TL_POINT_MAX = 96,     /* bytes of the longest public point */
    TL_SECRET_MAX = 48     /* bytes of the longest shared secret */
};

/* Bytes of a digest of `alg`, 0 if it is none of algs.def. */
size_t tl_hash_size(tl_hash_alg alg);
/* Bytes of a key of `suite`, 0 if it is none of algs.def. */
size_t tl_suite_key_size(tl_suite suite);
/* The name in algs.def ("aes128-gmac"), for people and files; NULL if it is none. */
const char *tl_hash_name(tl_hash_alg alg);
const char *tl_suite_name(tl_suite suite);
/* Bytes of a signature, 0 if `alg` is none of sign_algs.def; its name ("ecdsa-p256"), NULL if it is none. */
size_t tl_sign_size(tl_sign_alg alg);
const char *tl_sign_name(tl_sign_alg alg);
/* Bytes of a coordinate, which is the shared secret's size and half of a point's; 0 if it is none. */
size_t tl_group_size(tl_group group);
const char *tl_group_name(tl_group group);

/* Handles. 0 is none. A tl_key is a stream key, a private key, a public key, one half of a key exchange, a set
 * of trust anchors or a set of revocation lists; where another kind is meant it is refused: TL_E_USAGE. The top
 * bit of a key's slot is 0, but for backends that stand in front of another one and mark their own with it. */
typedef struct tl_hash {
    uint32_t slot;
} tl_hash;
typedef struct tl_key {
    uint32_t slot;
} tl_key;
typedef struct tl_mac {
    uint32_t slot;
} tl_mac;

/* What the tag of a message covers beside its header, and whether the payload is encrypted. */
typedef enum tl_cover {
    TL_COVER_PAYLOAD = 0, /* tag over header and payload, payload in clear */
    TL_COVER_ENCRYPTED,   /* payload encrypted in place, tag over header and ciphertext */
    TL_COVER_HEADER,      /* tag over the header alone */
    TL_COVER_PATTERN      /* tag over the header and the payload's bytes inside the pattern, in their order */
} tl_cover;

/* Which of a row of lines or bytes, numbered from 0: `count` of them from `first` on, and again every `period`.
 * 0 < count <= period. What stands before `first` is outside. */
typedef struct tl_pattern {
    uint16_t first, count, period;
} tl_pattern;

/* Does it have the line or byte number n inside? */
static inline bool tl_pattern_has(tl_pattern pattern, uint32_t n)
{
    return n >= pattern.first && (n - pattern.first) % pattern.period < pattern.count;
}

/* One message of a batch. Header and payload are the caller's memory and stay where they are. With a GMAC suite the
 * tag is AES-GCM's, what it covers being associated data; encrypted, the payload is the text, and the header
 * associated data. With a CMAC suite it is AES-CMAC over header and covered payload, without the nonce; encryption
 * is AES-CTR under the suite's second key, its blocks numbered as GCM numbers them (nonce, then 32 bits from 2 on). */
typedef struct tl_sealed {
    tl_key key;       /* 0: the call's */
    tl_span header;   /* associated data */
    uint8_t *payload; /* changed in place by TL_COVER_ENCRYPTED, else only read */
    size_t payload_n; /* bytes */
    tl_cover cover;
    tl_pattern pattern; /* of TL_COVER_PATTERN */
    uint8_t tag_n;      /* bytes of the tag that travel: verify compares so many, 1..TL_TAG_MAX */
    uint8_t nonce[TL_NONCE_SIZE];
    uint8_t tag[TL_TAG_MAX]; /* protect writes all of it, verify compares with it */
    bool right;              /* written by verify */
} tl_sealed;

/* A digest, and the hash that made it. */
typedef struct tl_digest {
    tl_hash_alg alg;
    tl_span value;
} tl_digest;

/* What the owner of a certificate proves with it: id-DMTF-eku-responder-auth, id-DMTF-eku-requester-auth. */
typedef enum tl_chain_use { TL_USE_ANY = 0, TL_USE_RESPONDER, TL_USE_REQUESTER } tl_chain_use;

/* How much a chain must bring along. */
typedef enum tl_chain_profile {
    TL_PROFILE_STRICT = 0, /* RFC 5280 to the letter; the use asked for must stand in the leaf */
    TL_PROFILE_DSP0274     /* what DSP0274 asks for; a leaf that names no SPDM use serves for each */
} tl_chain_profile;

typedef struct tl_chain_rules {
    tl_key trust;     /* trust anchors: there are no others */
    tl_key revoked;   /* revocation lists, one for each issuer in the chain; 0: revocation is not looked at */
    uint64_t now;     /* seconds since 1970; not 0, since no clock is asked */
    const char *role; /* the role that the leaf must name ("sensor"); NULL: any, or none */
    tl_hash_alg hash; /* of root_hash */
    tl_sign_alg alg;  /* what the leaf's key must be for; TL_SIGN_NONE: any of sign_algs.def */
    tl_chain_use use;
    tl_chain_profile profile;
} tl_chain_rules;

enum {
    TL_CHAIN_CERTIFICATES = 10,  /* the most certificates of a chain */
    TL_CHAIN_SIZE = 16384,       /* the most bytes of a chain */
    TL_CHAIN_WHOLE = -1,         /* `failed` when it is no single certificate */
    TL_ROLE_SIZE = 16,           /* bytes of a role with its final zero */
    TL_DEVICE_INFO_SIZE = 128,   /* of MANUFACTURER:PRODUCT:SERIAL */
    TL_SUBJECT_SIZE = 128,       /* of a subject, cut if it is longer */
    TL_SERIAL_SIZE = 2 * 20 + 1, /* of a serial number in hex */
    TL_FINGERPRINT_SIZE = 32     /* bytes of a SHA-256 */
};

/* What a chain says. Texts are UTF-8 and end with a zero; what the leaf does not have is empty. */
typedef struct tl_chain_facts {
    tl_key key; /* the leaf's public key: the caller drops it */
    tl_sign_alg alg;
    size_t certificates; /* in the chain as it was given */
    char role[TL_ROLE_SIZE], device_info[TL_DEVICE_INFO_SIZE];
    char subject[TL_SUBJECT_SIZE], serial[TL_SERIAL_SIZE]; /* of the leaf */
    uint8_t fingerprint[TL_FINGERPRINT_SIZE];              /* SHA-256 of the leaf */
    uint8_t root_hash[TL_HASH_MAX]; /* of the root: first certificate, or the anchor that issued it */
    int failed;      /* TL_E_CHAIN: the certificate that was refused, 0 is the first, or TL_CHAIN_WHOLE */
    const char *why; /* TL_E_CHAIN: the reason, a static text ("expired"); else NULL */
} tl_chain_facts;

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

    /* Stream keys: load copies the bytes, tl_suite_key_size(suite) of them; a CMAC suite has two keys, the
     * tag's and then the encryption's. drop wipes and frees a key of any kind (slot 0: nothing). */
    tl_err (*key_load)(void *ctx, tl_suite suite, tl_span key, tl_key *k);
    void (*key_drop)(void *ctx, tl_key k);

    /* The image path's one way out: n messages under k, or under the key that a message names itself; where all
     * do, k may be 0. protect encrypts where asked and writes each tag. verify computes every tag of the batch
     * before it says anything, compares in constant time, writes `right`, and decrypts where asked; the payload
     * of an encrypted message whose tag is wrong is wiped. TL_E_USAGE: a key is no loaded stream key, or a
     * message is out of bounds; nothing changed, but verify's `right` is false. Any other error means that the
     * backend itself failed: protect's tags are zeroized, `right` is false throughout, and payloads that are or were
     * to be encrypted are wiped. */
    tl_err (*protect)(void *ctx, tl_key k, tl_sealed *m, size_t n);
    tl_err (*verify)(void *ctx, tl_key k, tl_sealed *m, size_t n);
    /* For tags that do not travel by themselves: writes each message's tag as verify would compute it, and
     * decrypts where asked, whatever comes of it later. Errors as those of protect. */
    tl_err (*open)(void *ctx, tl_key k, tl_sealed *m, size_t n);

    /* A running MAC under a stream key, over a list that stands nowhere as a whole: GMAC with that nonce, or CMAC,
     * which has none. start takes a slot, end writes the whole tag and frees it, drop only frees it (slot 0:
     * nothing). A failed add or end leaves the slot taken: the caller drops it. TL_E_POOL when no slot is free,
     * TL_E_USAGE: k is no stream key. The key must not be dropped before. */
    tl_err (*mac_start)(void *ctx, tl_key k, const uint8_t nonce[TL_NONCE_SIZE], tl_mac *m);
    tl_err (*mac_add)(void *ctx, tl_mac m, tl_span data);
    tl_err (*mac_end)(void *ctx, tl_mac m, uint8_t tag[TL_TAG_MAX]);
    void (*mac_drop)(void *ctx, tl_mac m);

    /* Faster checksums, or NULL: the core has its own. crc16 is CSI-2's (tl_csi2_crc16), crc32 the footer's, as
     * zlib's crc32(); both go on from `crc`. */
    uint16_t (*crc16)(uint16_t crc, tl_span data);
    uint32_t (*crc32)(uint32_t crc, tl_span data);

    /* Signatures over digests; ECDSA's are r || s, each of a coordinate's size. k is a private key for sign,
     * a public one for check_signature. A signature of a wrong length, or with a part out of range, is not
     * right; TL_E_USAGE: k is of another kind or algorithm, or the digest has not its hash's length. sign
     * zeroizes the signature then, check_signature writes false. */
    tl_err (*sign)(void *ctx, tl_key k, tl_sign_alg alg, tl_digest digest, uint8_t *signature);
    tl_err (*check_signature)(void *ctx, tl_key k, tl_sign_alg alg, tl_digest digest, tl_span signature,
                              bool *right);

    /* ECDH. start makes a fresh key pair and writes its point, x || y; end writes the shared x. end drops
     * `own` whatever it gives, so a key serves for one secret. TL_E_POINT: the peer's point has a wrong length
     * or is not on the curve. The secret is zeroized on errors. TL_E_USAGE: `own` is no half of an exchange;
     * nothing changed. TL_E_POOL when no slot is free. */
    tl_err (*exchange_start)(void *ctx, tl_group group, tl_key *own, uint8_t *point);
    tl_err (*exchange_end)(void *ctx, tl_key own, tl_span peer_point, uint8_t *secret);

    /* Checks a chain of DER certificates, one directly after the other: the root, or the first below it, to
     * the leaf. All of them must be part of the path to an anchor, in this order. TL_E_CHAIN: refused, `why`
     * and `failed` say where; other facts are then what was learnt until there, for reports alone, and there
     * is no key. TL_E_USAGE: the rules break a rule. */
    tl_err (*chain_check)(void *ctx, const tl_chain_rules *rules, tl_span certificates,
                          tl_chain_facts *facts);
} tl_crypto_ops;

typedef struct tl_crypto {
    const tl_crypto_ops *ops;
    void *ctx;
} tl_crypto;

/* HKDF of RFC 5869 on the backend's HMAC. extract writes one digest to prk. expand takes a prk of its alg, of at least
 * one digest, and info in parts, one after the other, and writes out_n bytes, at most 255 digests; out
 * overlaps nothing else. TL_E_USAGE, backend errors; the output is zeroized then. */
enum { TL_HKDF_INFO_MAX = 8 }; /* parts of info */
tl_err tl_hkdf_extract(const tl_crypto *c, tl_hash_alg alg, tl_span salt, tl_span secret,
                       uint8_t *prk) TL_MUST_USE;
tl_err tl_hkdf_expand(const tl_crypto *c, tl_digest prk, const tl_span *info, size_t info_n, uint8_t *out,
                      size_t out_n) TL_MUST_USE;

#ifdef __cplusplus
}
#endif

#endif
