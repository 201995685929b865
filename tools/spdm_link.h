/* SPDM over TCP (DSP0287) on a connected socket: whole messages, each within a deadline. */
#ifndef TL_TOOLS_SPDM_LINK_H
#define TL_TOOLS_SPDM_LINK_H

#include "tap.h"

#include <trueline/transport.h>

#include <stdbool.h>

enum {
    SPDM_LINK_MESSAGE = 8192, /* bytes of the longest message, with its header */
    SPDM_LINK_PATIENCE_MS = 5000
};

/* One end of a connection. Large: not for the stack of a deep call. */
typedef struct spdm_link {
    int fd; /* stays the caller's; -1: none */
    char peer[300];
    uint64_t messages, bytes; /* both directions, with their headers */
    tap *tap;                 /* hears every message; NULL: none */
    /* private */
    uint64_t begun_ms; /* when the first byte of the message that is coming came */
    size_t have, handed;
    uint8_t in[SPDM_LINK_MESSAGE], out[SPDM_LINK_MESSAGE];
} spdm_link;

/* What came: a message whose body may be changed and lives until the next call, nothing up to the deadline, or the end. */
typedef enum spdm_heard { SPDM_HEARD_NOTHING = 0, SPDM_HEARD_MESSAGE, SPDM_HEARD_END } spdm_heard;

void spdm_link_open(spdm_link *link, int fd, const char *peer, tap *hears);
/* Wipes both buffers. */
void spdm_link_close(spdm_link *link);
/* Waits for a message up to deadline_ms, or not at all if that is past. TL_EXIT_LINK: garbage, a message that is too long,
 * is cut, or is incomplete for SPDM_LINK_PATIENCE_MS. An inquiry for the other role is answered with no. */
tl_exit spdm_link_receive(spdm_link *link, uint64_t deadline_ms, spdm_heard *heard, tl_spdm_in *message,
                          tl_fault *fault) __attribute__((warn_unused_result));
/* Sends a message; nothing if it is empty. TL_EXIT_LINK. */
tl_exit spdm_link_send(spdm_link *link, const tl_spdm_out *message, tl_fault *fault)
    __attribute__((warn_unused_result));

/* What stands in faults and lists for a request: "VERSION", "KEY_EXCHANGE"; "an unknown request" if it is none. */
const char *spdm_step_name(uint8_t request);

#endif
