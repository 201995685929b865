/* What two ends ask of their crypto backends: every call is noted while they talk, and played back later without them.
 *
 *     crypto_tape_init(&tape);
 *     crypto = crypto_tape_wrap(&tape, 0, backend's own)      give this to one end, index 1 to the other, and let them talk
 *     crypto_tape_play(&tape)                                 the same calls once more, in the same order
 *
 * Played back, a call gets the bytes that it had, so that signatures and tags are right again. Handles that a call made
 * are made anew; those that were there before the first call must still be there. */
#ifndef TL_TOOLS_CRYPTO_TAPE_H
#define TL_TOOLS_CRYPTO_TAPE_H

#include <trueline/crypto.h>

enum { TAPE_ENDS = 2, TAPE_ROWS = 768, TAPE_PARTS = 12, TAPE_BYTES = 131072, TAPE_HANDLES = 256 };

typedef enum tape_op {
    TAPE_RANDOM,
    TAPE_HASH_START,
    TAPE_HASH_ADD,
    TAPE_HASH_CLONE,
    TAPE_HASH_END,
    TAPE_HASH_DROP,
    TAPE_HMAC,
    TAPE_KEY_LOAD,
    TAPE_KEY_DROP,
    TAPE_PROTECT,
    TAPE_VERIFY,
    TAPE_OPEN,
    TAPE_MAC_START,
    TAPE_MAC_ADD,
    TAPE_MAC_END,
    TAPE_MAC_DROP,
    TAPE_SIGN,
    TAPE_CHECK_SIGNATURE,
    TAPE_EXCHANGE_START,
    TAPE_EXCHANGE_END,
    TAPE_CHAIN_CHECK,
    TAPE_OPS
} tape_op;

/* Whose handle: the pools number theirs independently. */
typedef enum tape_pool { TAPE_KEYS, TAPE_HASHES, TAPE_MACS } tape_pool;

/* A handle of a call: the n-th that the tape's calls made, or one that was there before. */
typedef struct tape_handle {
    bool made;
    uint32_t value;
} tape_handle;

/* One call. */
typedef struct tape_row {
    tape_op op;
    uint8_t end;
    int alg; /* hash, suite, signature or group */
    tape_handle in;
    uint32_t out; /* of the handle that it made */
    size_t n;     /* bytes wanted, or number of parts */
    tl_span parts[TAPE_PARTS];
    tl_sealed sealed;
    tl_chain_rules rules;
} tape_row;

/* One end's way through the tape to its backend. */
typedef struct tape_end {
    struct crypto_tape *tape;
    const tl_crypto *inner;
    tl_crypto_ops ops; /* with the backend's own checksums */
    tl_crypto outer;
    uint8_t number;
} tape_end;

typedef struct crypto_tape {
    tape_end ends[TAPE_ENDS];
    tape_row rows[TAPE_ROWS];
    size_t rows_n;
    uint8_t bytes[TAPE_BYTES]; /* that the rows' parts are views of */
    size_t bytes_n;
    uint32_t made[TAPE_HANDLES]; /* as recorded, and while it is played the new ones */
    uint8_t made_by[TAPE_HANDLES];
    tape_pool made_in[TAPE_HANDLES];
    size_t made_n;
    bool full;                /* something had no room: the tape is of no use */
    unsigned calls[TAPE_OPS]; /* of each kind */
} crypto_tape;

void crypto_tape_init(crypto_tape *t);
/* The interface to hand to an end, 0 or 1; the tape keeps the backend's. */
const tl_crypto *crypto_tape_wrap(crypto_tape *t, unsigned end, const tl_crypto *inner);
/* TL_E_USAGE: the tape is full. TL_E_TAG: a signature or a tag is not right any more. Backend errors. */
tl_err crypto_tape_play(crypto_tape *t) TL_MUST_USE;

#endif
