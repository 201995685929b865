/* One end of an SPDM connection on the emulators' framing: what the command line says, what is loaded for it, and
 * messages in and out. */
#ifndef TL_TOOLS_SPDM_END_H
#define TL_TOOLS_SPDM_END_H

#include "emu_link.h"
#include "net.h"

#include <trueline/openssl.h>
#include <trueline/requester.h>
#include <trueline/responder.h>
#include <trueline/transport.h>

enum {
    SPDM_END_MESSAGE = 4608, /* bytes of a message, either way */
    SPDM_END_OUT = SPDM_END_MESSAGE + TL_RECORD_OVERHEAD + TL_TRANSPORT_HEAD_MAX,
    SPDM_END_SESSIONS = 2,
    SPDM_END_PATH = 768
};

typedef struct spdm_options {
    tl_address emulator;
    const tl_transport *transport;
    char chain[SPDM_END_PATH], key[SPDM_END_PATH], trust[SPDM_END_PATH]; /* "": none */
    const char *revoked, *role, *peer_chain;                             /* NULL: none */
    tl_chain_profile profile;
    uint8_t version_min, version_max;
    tl_group curve; /* TL_GROUP_NONE: what the policy has */
    bool mutual, json, stay, once;
    uint32_t timeout_ms;
    uint8_t slot, heartbeat; /* heartbeat: seconds, of a responder */
} spdm_options;

typedef struct spdm_end {
    const spdm_options *options;
    tl_openssl *backend;
    const tl_crypto *crypto;
    tl_spdm_policy policy;
    tl_chain_rules trust;
    tl_spdm_identity identity;
    size_t identities; /* 0 or 1 */
    tl_spdm_session sessions[SPDM_END_SESSIONS];
    tl_span peer_chain;
    tl_emu_link link;
    uint8_t chain_bytes[TL_CHAIN_SIZE], root_bytes[TL_CHAIN_SIZE], peer_chain_bytes[TL_CHAIN_SIZE];
    uint8_t message[SPDM_END_MESSAGE], out[SPDM_END_OUT];
} spdm_end;

/* Leaves of a policy's algorithms those that go with the curve: one hash, signature, exchange and AEAD at most. */
void spdm_policy_narrow(tl_spdm_policy *p, tl_group curve);
/* Loads what the options name, and makes a policy of the rest. The end is calloc'd: it is too large for a stack, and
 * the caller closes it, also after a fault. */
tl_exit spdm_end_open(spdm_end **end, const spdm_options *o, tl_spdm_role role, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Drops all handles, wipes and frees. NULL: nothing. */
void spdm_end_close(spdm_end *end);

/* The framing's word for a transport. */
tl_emu_transport spdm_end_word(const tl_transport *transport);
/* A writer over the end's buffer, for the engines. */
tl_spdm_out spdm_end_out(spdm_end *end);
/* Sends what an engine wrote; nothing if it wrote nothing. *bytes: with the transport's head. */
tl_exit spdm_end_send(spdm_end *end, const tl_spdm_out *out, size_t *bytes, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Takes a frame's payload apart. TL_EXIT_LINK: it is no message of the transport. */
tl_exit spdm_end_take(const spdm_end *end, const tl_emu_frame *frame, tl_spdm_in *in, tl_fault *fault)
    __attribute__((warn_unused_result));
/* The name of a message for people: DSP0274's, or `secured` if it is a record. */
const char *spdm_end_name(tl_span message, bool in_record, const char *secured);

#endif
