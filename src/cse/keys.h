/* Taking an epoch's key from a source, and the limits of a key. Shared by the files of src/cse. */
#ifndef TL_CSE_KEYS_H
#define TL_CSE_KEYS_H

#include <trueline/stream.h>

/* Derives and loads the keys of `epoch` for the configuration with `digest`. On success the source has moved past the
 * epoch; on an error nothing has changed. TL_E_COPIED, TL_E_EPOCH, backend errors. Without a suite nothing is derived,
 * the source is not looked at, and the epoch is a number alone. TL_E_USAGE: there is a suite and no source. */
tl_err tl_cse_key_take(tl_stream_key *key, tl_key_source *source, uint32_t epoch,
                       const tl_stream_config *config,
                       const uint8_t digest[TL_CONFIG_DIGEST_SIZE]) TL_MUST_USE;
void tl_cse_key_drop(tl_stream_key *key, const tl_crypto *crypto);

/* The next key beside the current one: their numbers on the wire must differ. An unused next key is replaced. */
tl_err tl_cse_key_take_next(tl_stream_key *next, const tl_stream_key *current, tl_key_source *source,
                            uint32_t epoch, const tl_stream_config *config,
                            const uint8_t digest[TL_CONFIG_DIGEST_SIZE]) TL_MUST_USE;
/* The next key becomes the current one, which is dropped. */
void tl_cse_key_switch(tl_stream_key *current, tl_stream_key *next, const tl_crypto *crypto);

/* The backend of a context: the source's, if there is one. TL_E_COPIED, TL_E_USAGE as tl_cse_key_take. */
tl_err tl_cse_key_backend(const tl_stream_config *config, const tl_key_source *source,
                          const tl_crypto **crypto) TL_MUST_USE;

/* The limits that hold for a configuration: the built-in ones for its suite and tags, or the lower ones it names. */
tl_stream_limits tl_cse_limits(const tl_stream_config *config);
/* True if a limit of the key is reached: nothing more may be verified under it. */
bool tl_cse_key_spent(const tl_stream_key *key, const tl_stream_limits *limits);

#endif
