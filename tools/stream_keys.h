/* The secrets of recorded streams, as lines `stream ID epoch N secret HEX` say them, in their order. Of one stream the epochs rise; a
 * line whose epoch does not is the first of another start of the sender, with keys of its own. */
#ifndef TL_TOOLS_STREAM_KEYS_H
#define TL_TOOLS_STREAM_KEYS_H

#include "fault.h"

#include <trueline/stream.h>

#include <stdio.h>

enum { STREAM_KEYS_MAX = 65536 }; /* lines */

typedef struct stream_key {
    uint16_t stream;
    uint32_t epoch;
    uint32_t start; /* counts the starts of its stream, from 0 */
    uint8_t n;      /* bytes of the secret */
    uint8_t secret[TL_HASH_MAX];
} stream_key;

typedef struct stream_keys {
    stream_key *keys;
    size_t n;
    /* private */
    size_t room;
} stream_keys;

/* Adds the secrets of a text; its other lines are nothing to streams, and a secret that is there already adds nothing.
 * TL_EXIT_USAGE with the line that is wrong; TL_EXIT_INTERNAL. */
tl_exit stream_keys_read(stream_keys *keys, FILE *in, const char *name, tl_fault *fault)
    __attribute__((warn_unused_result));
/* The same of a text in memory. */
tl_exit stream_keys_take(stream_keys *keys, tl_span text, const char *name, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Starts that are known of a stream. */
uint32_t stream_keys_starts(const stream_keys *keys, uint16_t stream);
/* The key of that start and epoch; NULL: there is none. */
const stream_key *stream_keys_at(const stream_keys *keys, uint16_t stream, uint32_t start, uint32_t epoch);
/* The first key of a start; NULL: there is none. */
const stream_key *stream_keys_first(const stream_keys *keys, uint16_t stream, uint32_t start);
/* The next key of the start, behind `epoch`, whose low byte is that number; NULL: there is none. */
const stream_key *stream_keys_later(const stream_keys *keys, uint16_t stream, uint32_t start, uint32_t epoch,
                                    uint8_t number);
/* Names all secrets of a stream, without telling any: the same for nobody who has others, or in another order. */
tl_err stream_keys_digest(const stream_keys *keys, uint16_t stream, const tl_crypto *crypto,
                          uint8_t digest[TL_CONFIG_DIGEST_SIZE]) __attribute__((warn_unused_result));
/* Wipes them. */
void stream_keys_close(stream_keys *keys);

#endif
