/* A requester and a responder in one process, each with a backend, a key and a chain of its own that OpenSSL makes here,
 * and between them a link that a test can tamper with.
 *
 *     tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P256);
 *     p.rq_policy.version_max = TL_SPDM_12;        configs and policies may be changed here
 *     tl_spdm_pair_begin(&p);
 *     tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
 *     tl_spdm_pair_close(&p);
 *
 * Each message crosses in memory of exactly its size, which is overwritten after the step that took it. */
#ifndef TL_TESTS_SPDM_PAIR_H
#define TL_TESTS_SPDM_PAIR_H

#include <trueline/openssl.h>
#include <trueline/requester.h>
#include <trueline/responder.h>

#include "testing.h"

enum {
    TL_PAIR_NOW = 1900000000, /* seconds since 1970, for chains */
    TL_PAIR_CHAIN = 4096,
    TL_PAIR_MESSAGE = 4608,
    TL_PAIR_OUT = TL_PAIR_MESSAGE + TL_RECORD_OVERHEAD + 16,
    TL_PAIR_SESSIONS = 2,
    TL_PAIR_BLOCKS = 4,
    TL_PAIR_LOG = 96 /* messages of a run */
};

/* Who may use what: its backend with its own key, chain and anchors. */
typedef struct tl_spdm_end {
    tl_openssl *backend;
    const tl_crypto *crypto; /* the backend's; a test may put a wrapper here before begin */
    tl_key key, trust;
    uint8_t chain[TL_PAIR_CHAIN];
    size_t chain_n, root_n; /* the root is the chain's first certificate */
    tl_spdm_identity slot;
    tl_chain_rules rules; /* of the peer */
} tl_spdm_end;

/* A message on the link. A test may change, shorten or lengthen it; n 0: it is lost. */
typedef struct tl_spdm_crossing {
    uint8_t bytes[TL_PAIR_OUT + 64];
    size_t n;
    bool secured, to_responder;
    unsigned number; /* of all messages, from 0 */
} tl_spdm_crossing;

typedef struct tl_spdm_pair {
    tl_spdm_end rq_end, rs_end;
    tl_spdm_policy rq_policy, rs_policy;
    tl_requester_config rq_config;
    tl_responder_config rs_config;
    tl_requester rq;
    tl_responder rs;
    tl_spdm_session rq_sessions[TL_PAIR_SESSIONS], rs_sessions[TL_PAIR_SESSIONS];
    tl_spdm_measurement blocks[TL_PAIR_BLOCKS];
    uint8_t digests[2][TL_HASH_MAX];
    tl_spdm_measurement_source source;
    tl_spdm_binding binding;
    uint64_t now_ms;
    tl_err rs_result; /* of the responder's last step */
    unsigned crossed;
    uint8_t codes[TL_PAIR_LOG]; /* of the messages in clear; 0: a record */
    void (*tamper)(void *ctx, tl_spdm_crossing *m);
    void *tamper_ctx;
    unsigned busy; /* how often the responder still puts an answer off */
    uint8_t rq_message[TL_PAIR_MESSAGE], rs_message[TL_PAIR_MESSAGE];
    uint8_t peer_chain[TL_PAIR_CHAIN + 128], record[1024], vendor[256];
} tl_spdm_pair;

/* Backends, keys, chains, configs. Key pairs are made once for each algorithm and process. */
void tl_spdm_pair_open(tl_spdm_pair *p, tl_sign_alg alg);
/* Before begin: the requester authenticates itself, too, with its chain provisioned at the responder. */
void tl_spdm_pair_mutual(tl_spdm_pair *p);
/* Requester and responder from the configs; the test fails if these are refused. */
void tl_spdm_pair_begin(tl_spdm_pair *p);
/* One flow to its end: the requester's result. Time jumps to the requester's wake when nothing is on the link. */
tl_err tl_spdm_pair_run(tl_spdm_pair *p, const tl_spdm_flow *flow, const tl_spdm_ask *ask);
/* One message to the responder, and its answer to `answer`: how many bytes, 0 if there is none. */
size_t tl_spdm_pair_ask(tl_spdm_pair *p, const void *request, size_t n, uint8_t *answer, size_t room);
/* Wipes both, and closes the backends. */
void tl_spdm_pair_close(tl_spdm_pair *p);

/* A further chain under a root of its own: for an end that must be refused. use: what its leaf proves; product: its
 * role, "trueline-sensor". */
void tl_spdm_end_issue(tl_spdm_end *end, tl_sign_alg alg, tl_chain_use use, const char *product);
/* Gives `end` a private key that its chain does not prove. */
void tl_spdm_end_other_key(tl_spdm_end *end);
/* Makes `end` trust the root of `of`, and nobody else. */
void tl_spdm_end_trust(tl_spdm_end *end, const tl_spdm_end *of);

#endif
