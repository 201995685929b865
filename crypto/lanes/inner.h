/* What the files of this backend share, apart from the kernels. */
#ifndef TL_LANES_INNER_H
#define TL_LANES_INNER_H

#include "level.h"

/* ---- levels ---- */

/* The level behind a name, NULL if it is not here. */
const tl__level *tl__level_of(tl_lanes_level id);
/* The fastest that is here; TL_LANES_BEST if there is none. */
tl_lanes_level tl__level_best(void);

/* ---- keys ---- */

/* The key of a live handle of our own, NULL if it is none. */
tl_lanes_key *tl__lanes_key_find(const tl_lanes *l, tl_key k);

/* ---- a message as runs ---- */

/* How the blocks of the end are made: CMAC's last block is kept back until it is known to be the last. */
typedef enum tl__pad { TL__PAD_GHASH = 0, TL__PAD_CMAC = 1 } tl__pad;

/* Begins with what the message's tag covers in clear: header and covered payload, or for an encrypted message
 * header alone (GHASH) or header and ciphertext (CMAC). Gives the number of covered bytes. */
size_t tl__runs_start(tl_lanes_place *w, const tl_lanes_key *key, tl_sealed *m, tl__pad pad);
/* The next run: run, run_n and last. False: there is none, w->last was true, or there was nothing at all. */
bool tl__runs_next(tl_lanes_place *w);
/* Covered bytes in one piece, as most messages are; false if they lie apart. */
bool tl__runs_whole(const tl_sealed *m, tl_span *whole);
/* Makes a block of n bytes, 0..16, the last one of a CMAC: pads it, and adds K1 or K2. */
void tl__cmac_last(const tl_lanes_key *key, uint8_t block[TL__BLOCK], size_t n);

/* ---- batches ---- */

typedef enum tl__job { TL__PROTECT, TL__VERIFY, TL__OPEN } tl__job;

/* Which messages of a batch a pass looks at. */
typedef struct tl__batch {
    tl_lanes *l;
    tl_key k; /* of messages that name none */
    tl_sealed *m;
    size_t n;
    tl__job job;
} tl__batch;

tl_lanes_key *tl__batch_key(const tl__batch *b, const tl_sealed *m);
/* Does with a tag what the job asks for. */
void tl__batch_tag(const tl__batch *b, tl_sealed *m, const uint8_t tag[TL_TAG_MAX]);
/* Tags and payloads of the batch's messages whose keys are of that suite. */
void tl__cmac_pass(const tl__batch *b, tl_suite suite);
void tl__gmac_message(const tl__batch *b, const tl_lanes_key *key, tl_sealed *m);

/* ---- the operations of tl_crypto_ops ---- */

tl_err tl__lanes_key_load(void *ctx, tl_suite suite, tl_span key, tl_key *k);
void tl__lanes_key_drop(void *ctx, tl_key k);
tl_err tl__lanes_protect(void *ctx, tl_key k, tl_sealed *m, size_t n);
tl_err tl__lanes_verify(void *ctx, tl_key k, tl_sealed *m, size_t n);
tl_err tl__lanes_open(void *ctx, tl_key k, tl_sealed *m, size_t n);
tl_err tl__lanes_mac_start(void *ctx, tl_key k, const uint8_t nonce[TL_NONCE_SIZE], tl_mac *m);
tl_err tl__lanes_mac_add(void *ctx, tl_mac m, tl_span data);
tl_err tl__lanes_mac_end(void *ctx, tl_mac m, uint8_t tag[TL_TAG_MAX]);
void tl__lanes_mac_drop(void *ctx, tl_mac m);
/* Fills in the operations that the base does. */
void tl__lanes_pass_on(tl_crypto_ops *ops);

/* ---- handles ---- */

/* Our own handles have the top bit, which no other backend sets: TL__OWN | generation << 16 | slot + 1. */
enum { TL__GENERATION_MASK = 0x7FFF };
#define TL__OWN 0x80000000U

static inline uint32_t tl__handle(size_t slot, uint16_t generation)
{
    return TL__OWN | (uint32_t)(generation & TL__GENERATION_MASK) << 16 | (uint32_t)(slot + 1);
}

#endif
