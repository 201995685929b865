/* What the probes of scripts/sizes share. Each probe is one kind of endpoint as a small device would have it: its calls,
 * its contexts, its buffers. The backend, the transport and all that the application gives come from outside.
 *
 * Objects called context_* and work_* are summed up by that name. Buffers are small ones that serve P-384: longer
 * answers (certificates) come in pieces, and a signed answer has room for four measured digests. */
#ifndef TL_TESTS_SIZE_ENDPOINT_H
#define TL_TESTS_SIZE_ENDPOINT_H

#include <trueline/requester.h>
#include <trueline/responder.h>
#include <trueline/stream.h>

enum {
    SIZE_MESSAGE = 384, /* KEY_EXCHANGE_RSP with a summary has at most 360 bytes */
    SIZE_RECORD = SIZE_MESSAGE + TL_RECORD_OVERHEAD + 1,
    SIZE_CHAIN = 2048, /* three certificates */
    SIZE_MEASUREMENTS = 256,
    SIZE_VENDOR = 256,
    SIZE_SESSIONS = 4,        /* of a full endpoint */
    SIZE_LINE = 1920 * 12 / 8 /* bytes of a packet: 1080p, RAW12 */
};

/* The one function of a probe. */
tl_err entry(void *application);

#endif
