/* A crypto backend that sees to it that no (key, nonce) pair is used twice: by a message that is protected, with a CMAC
 * suite only if it is encrypted, or by a running GMAC.
 *
 * A key is its bytes, not its handle: loading the same bytes again does not make a used nonce new.
 * Verifying and opening are not recorded. A running MAC does not tell whether it makes or checks: where both ends
 * work through one recorder, set `ends` to 2, and a MAC may come a second time if it is under another handle. */
#ifndef TL_TESTS_NONCES_H
#define TL_TESTS_NONCES_H

#include "wrap.h"

typedef struct tl_nonces_key {
    uint8_t bytes[64];
    size_t n;
} tl_nonces_key;

typedef struct tl_nonces_pair {
    uint32_t key; /* its number in keys, from 1; 0: the place is free */
    uint8_t nonce[TL_NONCE_SIZE];
    uint32_t mac_by[2]; /* handles of the keys of running MACs; [0] is 0: a message */
} tl_nonces_pair;

/* A live key. */
typedef struct tl_nonces_handle {
    uint32_t slot; /* 0: free */
    uint32_t key;  /* its number in keys */
    bool cmac;
} tl_nonces_handle;

/* What to do when a pair comes again. */
typedef enum tl_nonces_policy {
    TL_NONCES_FAIL = 0, /* fail the running test */
    TL_NONCES_COUNT     /* only count it */
} tl_nonces_policy;

enum { TL_NONCES_HANDLES_MAX = 256 };

typedef struct tl_nonces {
    tl_wrap wrap;
    tl_nonces_policy policy;
    unsigned ends;         /* 1, or 2 */
    size_t repeats;        /* pairs that were seen before */
    size_t used;           /* different pairs */
    tl_nonces_pair *pairs; /* a hash table of `room` places */
    size_t room;
    tl_nonces_key *keys; /* every different key that was loaded */
    size_t key_count;
    tl_nonces_handle handles[TL_NONCES_HANDLES_MAX];
} tl_nonces;

void tl_nonces_init(tl_nonces *n, const tl_crypto *inner, tl_nonces_policy policy);
const tl_crypto *tl_nonces_crypto(const tl_nonces *n);
void tl_nonces_free(tl_nonces *n);

#endif
