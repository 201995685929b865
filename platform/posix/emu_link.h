/* The socket framing of DMTF's SPDM emulators: 12 bytes, big-endian, before what a transport carries.
 *
 *     command 4 | transport 4 | length of the payload 4 | payload
 *
 * The requester dials, greets, and says at the end whether the responder shall end too or wait for the next one. */
#ifndef TL_POSIX_EMU_LINK_H
#define TL_POSIX_EMU_LINK_H

#include "fault.h"

#include <trueline/base.h>

typedef enum tl_emu_command {
    TL_EMU_NORMAL = 0x0001,        /* the payload is a message of the transport */
    TL_EMU_TEST = 0xDEAD,          /* the greeting */
    TL_EMU_SHUTDOWN = 0xFFFE,      /* the connection ends, and the responder too */
    TL_EMU_CONTINUE = 0xFFFD,      /* the connection ends, the responder waits for the next */
    TL_EMU_KEY_UPDATE = 0x8001,    /* the peer shall begin an encapsulated KEY_UPDATE */
    TL_EMU_ENDPOINT_INFO = 0x8002, /* the peer shall begin an encapsulated GET_ENDPOINT_INFO */
    TL_EMU_UNKNOWN = 0xFFFF        /* the answer to a command that is none */
} tl_emu_command;

typedef enum tl_emu_transport { TL_EMU_NONE = 0, TL_EMU_MCTP, TL_EMU_PCI_DOE, TL_EMU_TCP } tl_emu_transport;

enum {
    TL_EMU_HEAD = 12,
    TL_EMU_PAYLOAD_MAX = 65540, /* bytes; longer ones are refused */
    TL_EMU_PATIENCE_MS = 5000,  /* within a frame, or for an answer to a greeting or a farewell */
};

/* An end of a connection. Large: not for the stack of a deep call. */
typedef struct tl_emu_link {
    int fd; /* stays the caller's */
    tl_emu_transport transport;
    uint64_t frames_sent, frames_received, bytes_sent, bytes_received; /* all, with their headers */
    /* private */
    uint8_t out[TL_EMU_HEAD + TL_EMU_PAYLOAD_MAX];
    uint8_t in[TL_EMU_PAYLOAD_MAX];
} tl_emu_link;

/* A frame that came. The payload is a view that may be changed, and lives until the next one is received. */
typedef struct tl_emu_frame {
    tl_emu_command command;
    uint8_t *p;
    size_t n;
} tl_emu_frame;

void tl_emu_link_init(tl_emu_link *link, int fd, tl_emu_transport transport);
/* Wipes both buffers. */
void tl_emu_link_wipe(tl_emu_link *link);
/* Sends a frame in one piece. payload may stand at link->out + TL_EMU_HEAD, else must not overlap it. TL_EXIT_LINK. */
tl_exit tl_emu_send(tl_emu_link *link, tl_emu_command command, tl_span payload, tl_fault *fault)
    __attribute__((warn_unused_result));

typedef struct tl_emu_heard {
    bool came;   /* false: no frame until the deadline, */
    bool closed; /* or never again: the peer closed between two frames */
    tl_emu_frame frame;
} tl_emu_heard;
/* Waits for the next frame up to deadline_ms, and TL_EMU_PATIENCE_MS for the rest of one that has begun. TL_EXIT_LINK:
 * garbage, another transport, a payload that is too long or is cut. */
tl_exit tl_emu_receive(tl_emu_link *link, uint64_t deadline_ms, tl_emu_heard *heard, tl_fault *fault)
    __attribute__((warn_unused_result));

/* The requester's greeting and its farewell (SHUTDOWN or CONTINUE), with the peer's answers. TL_EXIT_LINK. */
tl_exit tl_emu_greet(tl_emu_link *link, tl_fault *fault) __attribute__((warn_unused_result));
tl_exit tl_emu_leave(tl_emu_link *link, tl_emu_command farewell, tl_fault *fault)
    __attribute__((warn_unused_result));
/* The responder's answer to a frame that is no NORMAL one. Both out-of-band commands ask for encapsulated requests, which
 * this end has none of: they are answered as unknown. */
tl_exit tl_emu_answer(tl_emu_link *link, const tl_emu_frame *frame, tl_fault *fault)
    __attribute__((warn_unused_result));

#endif
