/* The jobs of `trueline bench` that make sessions: both ends of SPDM in this process, from VERSION to END_SESSION over
 * MCTP's binding, and the calls that they make of their crypto backends, alone. */
#ifndef TL_TOOLS_BENCH_SPDM_H
#define TL_TOOLS_BENCH_SPDM_H

#include "crypto_tape.h"
#include "fault.h"
#include "gate.h"

#include <trueline/openssl.h>
#include <trueline/requester.h>
#include <trueline/responder.h>
#include <trueline/transport.h>

enum {
    BENCH_SPDM_RUNS = 4, /* handshakes in a slice: one alone is short beside a clock tick */
    BENCH_SPDM_CHAIN = 4096,
    BENCH_SPDM_MESSAGE = 4608,
    BENCH_SPDM_WIRE = BENCH_SPDM_MESSAGE + TL_RECORD_OVERHEAD + TL_TRANSPORT_HEAD_MAX + 1
};

/* Who may use what. */
typedef struct bench_spdm_end {
    tl_openssl *backend;
    tl_key key; /* responder: private; requester: the trust anchor */
    tl_spdm_policy policy;
    tl_spdm_session session;
    uint8_t message[BENCH_SPDM_MESSAGE];
    uint8_t wire[BENCH_SPDM_WIRE]; /* what it sends */
} bench_spdm_end;

typedef struct bench_spdm {
    bench_spdm_end rq_end, rs_end;
    tl_chain_rules rules;
    tl_spdm_identity slot;
    uint8_t chain[BENCH_SPDM_CHAIN]; /* root, intermediate, leaf */
    size_t chain_n, root_n;
    uint8_t peer_chain[BENCH_SPDM_CHAIN];
    tl_requester_config rq_config;
    tl_responder_config rs_config;
    tl_requester rq;
    tl_responder rs;
    crypto_tape tape;
    unsigned messages; /* of the last handshake */
    size_t bytes;      /* of them, with MCTP's type byte of each */
    bool failed;
} bench_spdm;

/* Keys and certificates of `curve`, one handshake whose calls are noted. TL_EXIT_INTERNAL. */
tl_exit bench_spdm_open(bench_spdm *b, tl_group curve, tl_fault *fault) __attribute__((warn_unused_result));
void bench_spdm_close(bench_spdm *b);

/* BENCH_SPDM_RUNS handshakes, or the calls of as many. */
gate_job bench_handshake(bench_spdm *b);
gate_job bench_calls(bench_spdm *b);
/* Calls of the backends in one handshake. */
unsigned bench_spdm_calls(const bench_spdm *b);

#endif
