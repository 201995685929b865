/* The hello of each end of a provisioned connection, and the key source that comes out of it. */
#ifndef TL_TOOLS_HELLO_H
#define TL_TOOLS_HELLO_H

#include "fault.h"
#include "stream_file.h"

#include <trueline/stream.h>

#define HELLO_MAGIC "trueline" /* 8 bytes */

enum { HELLO_PATIENCE_MS = 5000 }; /* for both hellos together */

/* What one end says of itself. */
typedef struct hello {
    uint32_t version, layout, role, stream, epoch;
    uint8_t digest[TL_CONFIG_DIGEST_SIZE];
    uint8_t fresh[TL_FRESH_SIZE];
} hello;

/* Our own hello: role is TL_HELLO_SENDER or TL_HELLO_RECEIVER. TL_EXIT_INTERNAL if the random generator fails. */
tl_exit hello_make(hello *ours, uint32_t role, const tl_stream_config *config, const tl_crypto *crypto,
                   tl_fault *fault) __attribute__((warn_unused_result));
/* To and from bytes. Reading: TL_EXIT_LINK if they are no hello at all. `peer` is for the fault. */
tl_exit hello_write(const hello *h, uint8_t bytes[TL_HELLO_SIZE], tl_fault *fault)
    __attribute__((warn_unused_result));
tl_exit hello_read(hello *h, const uint8_t bytes[TL_HELLO_SIZE], const char *peer, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Compares every field; TL_EXIT_PEER names the first that does not fit, ours and theirs. */
tl_exit hello_check(const hello *ours, const hello *theirs, const char *peer, tl_fault *fault)
    __attribute__((warn_unused_result));

/* Our end of a fresh connection. */
typedef struct hello_end {
    int fd;
    const char *peer; /* for faults */
    uint32_t role;
} hello_end;

/* The whole exchange. The receiver speaks first and names the epoch; the sender answers, also to a hello that it
 * refuses, so that both ends can say what differs. Then the keys: the caller wipes the source. */
tl_exit hello_exchange(const hello_end *end, const stream_file *file, const tl_crypto *crypto,
                       tl_key_source *source, uint32_t *epoch, tl_fault *fault)
    __attribute__((warn_unused_result));

#endif
