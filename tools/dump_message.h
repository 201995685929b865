/* SPDM messages of a recording, taken apart by their rows: what a message is called, and what its layout
 * depends on. */
#ifndef TL_TOOLS_DUMP_MESSAGE_H
#define TL_TOOLS_DUMP_MESSAGE_H

#include "dump_algs.h"

/* Any message's struct. */
typedef union dump_body {
#define MSG(name, code) tl_##name name;
#define END(name)
#include <trueline/def/quiet.h>
#include <trueline/def/spdm.def>
#include <trueline/def/none.h>
} dump_body;

/* A request that waits for its answer. */
typedef struct dump_asked {
    uint8_t code, param1, param2; /* code 0: none waits */
} dump_asked;

/* What was negotiated, as far as it was seen. */
typedef struct dump_context {
    uint8_t version; /* 0 until CAPABILITIES */
    uint32_t requester_flags, responder_flags;
    dump_chosen chosen;
    bool negotiated;
    tl_env env; /* sizes in every message */
    uint16_t requester_signature;
    dump_asked asked;
} dump_context;

typedef struct dump_message {
    uint8_t version, code, param1, param2;
    bool request;
    const tl_message *rows; /* NULL: the message has no body, or none that is known */
    tl_env env;             /* the sizes in this message */
    dump_body body;
    tl_span whole; /* without a transport's padding */
    size_t given;  /* bytes with it */
    tl_err error;  /* TL_OK: it follows its layout */
} dump_message;

/* Is a message of that code known to be a header and nothing else? */
bool dump_is_bare(uint8_t code);
/* The rows of a name in messages.h. */
const tl_message *dump_rows(const char *name);
/* Takes a message apart; as many zero bytes as pad_max may follow it. Its error is in the message. */
void dump_message_read(dump_context *context, tl_span bytes, size_t pad_max, dump_message *message);
/* Learns from a message that was read: what was asked, and what is negotiated. */
void dump_context_learn(dump_context *context, const dump_message *message);
/* Does the responder, or the requester, have several keys in this connection? DIGESTS tells more then. */
bool dump_multi_key(const dump_context *context, tl_spdm_role role);
/* Both ends have all of these. */
bool dump_both(const dump_context *context, uint32_t flags);

#endif
