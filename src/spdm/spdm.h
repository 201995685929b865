/* What the files of src/spdm share: the connection, transcripts, rules, steps of flows, the session's way in and out.
 *
 * One file per exchange holds both roles' halves: build and accept are the requester's, handle is the responder's.
 * version.c capabilities.c algorithms.c digests.c certificate.c challenge.c measurements.c work before and beside sessions.
 *
 * The session's files fill in:
 *   key_exchange.c   tl__key_exchange_step, tl__on_key_exchange
 *   finish.c         tl__finish_step, tl__on_finish
 *   heartbeat.c      tl__heartbeat_step, tl__on_heartbeat
 *   key_update.c     tl__key_update_step, tl__key_update_verify_step, tl__on_key_update
 *   end_session.c    tl__end_session_step, tl__on_end_session
 *   vendor.c         tl__vendor_step, tl__on_vendor
 *   session.c        tl__sessions (open, seal, sent, drop, tick), and what key_exchange.c and finish.c share
 * Their rows in rules.c and flows.c stand already. A handler or an accept that fails leaves the connection as it was, or
 * ends the session where the specification says so; it may use q->now_ms and must drop each handle that it took. */
#ifndef TL_SPDM_SPDM_H
#define TL_SPDM_SPDM_H

#include <trueline/requester.h>
#include <trueline/responder.h>

/* A message that was received, decrypted if it was a record. */
typedef struct tl__message {
    uint8_t version, code, param1, param2;
    tl_span body;  /* after the header */
    tl_span whole; /* header and body */
    bool secured;
    uint64_t now_ms;
} tl__message;

enum { TL__HEADER = 4 };

/* Takes the header off; TL_E_WIRE_SHORT. */
tl_err tl__message_read(tl_span bytes, tl__message *m) TL_MUST_USE;
/* Writes the header of a message in the connection's version. */
void tl__message_begin(const tl_spdm_connection *c, uint8_t code, uint8_t param1, uint8_t param2, tl_wr *out);
/* Ends a parse: TL_E_WIRE_TRAILING if something is left. */
tl_err tl__message_end(const tl_rd *r) TL_MUST_USE;

/* ---- connection.c ---- */

/* Drops all handles, transcripts and sessions: nothing is negotiated. What is known of the peer stays for reports, but
 * proves nothing any more. */
void tl__connection_drop(tl_spdm_connection *c);
/* The same, and forgets the peer. Policy, role and memory stay. */
void tl__connection_reset(tl_spdm_connection *c);
/* The policy's numbers fit together. */
bool tl__policy_right(const tl_spdm_policy *p);
/* out has no room for a message of n bytes and what a session puts around it. */
bool tl__out_short(const tl_spdm_connection *c, size_t n, const tl_wr *out);
/* The most that a message to the peer may have. */
size_t tl__transfer_max(const tl_spdm_connection *c);
tl_err tl__spdm_random(const tl_spdm_connection *c, uint8_t *out, size_t n) TL_MUST_USE;
/* Both ends have all of these. */
bool tl__both(const tl_spdm_connection *c, uint32_t flags);
/* Flags of the responder, whoever we are. */
uint32_t tl__responder_flags(const tl_spdm_connection *c);

/* ---- algs.c: rows of spdm_algs.def ---- */

/* What the bits of NEGOTIATE_ALGORITHMS mean; exactly one bit each, or NONE. */
tl_hash_alg tl__hash_of(uint32_t bit);
tl_hash_alg tl__measurement_hash_of(uint32_t bit);
tl_sign_alg tl__sign_of(uint32_t bit);
tl_group tl__group_of(uint32_t bit);
tl_suite tl__suite_of(uint32_t bit);
uint32_t tl__sign_bit(tl_sign_alg alg);
/* The first row in the table's order that all masks have; 0: none. */
uint32_t tl__hash_pick(uint32_t mask);
uint32_t tl__measurement_hash_pick(uint32_t mask);
uint32_t tl__asym_pick(uint32_t mask);
uint32_t tl__dhe_pick(uint32_t mask);
uint32_t tl__aead_pick(uint32_t mask);
/* All bits of the table. */
uint32_t tl__hash_all(void);
uint32_t tl__measurement_hash_all(void);
uint32_t tl__asym_all(void);
uint32_t tl__dhe_all(void);
uint32_t tl__aead_all(void);
/* Sets the sizes of c->env from c->algs. */
void tl__sizes_set(tl_spdm_connection *c);

/* ---- transcript.c ---- */

/* VCA: bytes until the hash is agreed, kept for M1, L1 and TH. TL_E_LIMIT beyond TL_SPDM_VCA_MAX. */
tl_err tl__vca_add(tl_spdm_connection *c, tl_span request, tl_span response) TL_MUST_USE;
tl_span tl__vca(const tl_spdm_connection *c);
/* The answer of the last exchange once more, if this is its request again; else TL_E_REPLY_UNEXPECTED_REQUEST. */
tl_err tl__vca_again(const tl_spdm_connection *c, tl_span request, tl_wr *out) TL_MUST_USE;
/* A running hash of the agreed algorithm that begins with VCA. */
tl_err tl__transcript_start(const tl_spdm_connection *c, tl_hash *h) TL_MUST_USE;
tl_err tl__transcript_add(const tl_spdm_connection *c, tl_hash h, tl_span bytes) TL_MUST_USE;
/* The digest so far; h goes on. */
tl_err tl__transcript_digest(const tl_spdm_connection *c, tl_hash h, uint8_t digest[TL_HASH_MAX]) TL_MUST_USE;
/* A further one that goes on from h with two more pieces; h slot 0: from VCA. On an error *to is none. */
tl_err tl__transcript_fork(const tl_spdm_connection *c, tl_hash h, tl_span a, tl_span b,
                           tl_hash *to) TL_MUST_USE;
void tl__transcript_drop(const tl_spdm_connection *c, tl_hash *h);
/* Takes `next` in the place of *h. */
void tl__transcript_move(const tl_spdm_connection *c, tl_hash *h, tl_hash next);
/* Digest of one or more pieces. */
tl_err tl__digest(const tl_spdm_connection *c, tl_hash_alg alg, const tl_span *parts, size_t n,
                  uint8_t digest[TL_HASH_MAX]) TL_MUST_USE;
/* L1 or L2 of where the message at hand is: of c->session if it is secured, else of the connection. Slot 0: empty. */
tl_hash *tl__l(tl_spdm_connection *c, bool secured);
/* What a request does to M1, M2, L1 and L2 before it is handled; the engines call it for every request. */
void tl__transcript_request(tl_spdm_connection *c, uint8_t code, bool secured);

/* ---- capabilities.c, error.c, opaque.c ---- */

/* The flags of an endpoint of that role fit together (DSP0274 1.3, "CAPABILITIES response message"). */
bool tl__flags_right(uint8_t version, tl_spdm_role owner, uint32_t flags);
/* Opaque data in the negotiated format, at most 1024 bytes, its elements whole. */
tl_err tl__opaque_check(const tl_spdm_connection *c, tl_span opaque) TL_MUST_USE;
/* Writes the ERROR for e, or ResponseNotReady for a request that was kept. */
void tl__error_write(const tl_spdm_connection *c, tl_err e, uint8_t request, tl_wr *out);
tl_err tl__error_not_ready(tl_responder *r, uint8_t request, tl_wr *out) TL_MUST_USE;
/* TL_E_PEER + code of an ERROR. */
tl_err tl__error_read(const tl__message *a);

/* ---- sign.c ---- */

/* Who signs what: the prefix says it (DSP0274 1.3, "Signature generation", with "combined_spdm_prefix"). */
typedef enum tl__signing {
    TL__SIGN_CHALLENGE_AUTH,   /* "responder-challenge_auth signing" */
    TL__SIGN_MEASUREMENTS,     /* "responder-measurements signing" */
    TL__SIGN_KEY_EXCHANGE_RSP, /* "responder-key_exchange_rsp signing" */
    TL__SIGN_FINISH            /* "requester-finish signing" */
} tl__signing;

/* Signs the transcript as it is so far, with the slot's key; h goes on. signature takes tl_sign_size bytes. */
tl_err tl__spdm_sign(const tl_spdm_connection *c, const tl_spdm_identity *own, tl__signing what, tl_hash h,
                     uint8_t *signature) TL_MUST_USE;
/* Checks the peer's signature with c->peer.facts.key; TL_E_TAG: it is wrong. */
tl_err tl__spdm_check(const tl_spdm_connection *c, tl__signing what, tl_hash h,
                      tl_span signature) TL_MUST_USE;

/* ---- certificate.c: chains in SPDM's format ---- */

/* Digest over the chain of a slot of our own; TL_E_USAGE: the slot is empty. */
tl_err tl__chain_digest(const tl_spdm_connection *c, const tl_spdm_identity *own,
                        uint8_t digest[TL_HASH_MAX]) TL_MUST_USE;
/* Digest over a peer's certificates with the header that they have under the root which is known of it. */
tl_err tl__peer_chain_digest(const tl_spdm_connection *c, tl_span certificates,
                             uint8_t digest[TL_HASH_MAX]) TL_MUST_USE;
/* A peer's certificates without SPDM's header (provisioned): checks them and fills c->peer (facts, chain_digest). use is
 * the peer's role. On TL_E_CHAIN facts tell why. */
tl_err tl__chain_trust(tl_spdm_connection *c, const tl_chain_rules *trust, tl_span certificates) TL_MUST_USE;
/* The slot, if it holds a chain for the negotiated algorithm of our role; else NULL. */
const tl_spdm_identity *tl__slot(const tl_spdm_connection *c, const tl_spdm_identity *slots, size_t n,
                                 unsigned slot);

/* The slots that tl__slot would give: a mask. */
uint8_t tl__slot_mask(const tl_spdm_connection *c, const tl_spdm_identity *slots, size_t n);

/* ---- measurements.c ---- */

/* MeasurementSummaryHash of a kind, as many bytes as the hash has; nothing of the kind: zeros. */
tl_err tl__summary(const tl_responder *r, uint8_t kind, uint8_t digest[TL_HASH_MAX]) TL_MUST_USE;
/* Sets env's TL_LEN_MSH for a kind that a request names: TL_E_WIRE_VALUE if there is no such kind, or the responder cannot. */
tl_err tl__summary_size(const tl_spdm_connection *c, uint8_t kind, tl_env *env) TL_MUST_USE;

/* ---- responder: rules ---- */

enum { TL__IN_CLEAR = 1, TL__IN_HANDSHAKE = 2, TL__IN_SESSION = 4 };

typedef tl_err tl__handler(tl_responder *r, const tl__message *q, tl_wr *out);

typedef struct tl__rule {
    uint8_t code, since;
    uint8_t state; /* tl_spdm_state, at least */
    uint8_t where; /* TL__IN_* */
    uint32_t any;  /* one of these flags must be our own; 0: none is needed */
    uint32_t both; /* all of these flags must be both ends' */
    bool signs;    /* may be put off */
    tl__handler *handle;
} tl__rule;

struct tl_spdm_family {
    const tl__rule *rules;
    size_t n;
    uint32_t flags;                                /* capabilities that stand and fall with it */
    const struct tl_spdm_session_ops *session_ops; /* NULL: not of this family's making */
};

tl__handler tl__on_respond_if_ready, tl__on_get_version, tl__on_get_capabilities, tl__on_negotiate_algorithms,
    tl__on_get_digests, tl__on_get_certificate, tl__on_challenge, tl__on_get_measurements;
tl__handler tl__on_key_exchange, tl__on_finish, tl__on_heartbeat, tl__on_key_update, tl__on_end_session,
    tl__on_vendor;

/* The rule for a request and what stands against it now: TL_E_REPLY_*. */
tl_err tl__rule_find(const tl_responder *r, const tl__message *q, const tl__rule **rule) TL_MUST_USE;

/* ---- requester: steps ---- */

typedef struct tl__step {
    const char *name;   /* of the request */
    const char *clause; /* of the answer */
    uint8_t request, response;
    uint8_t where;                                 /* one of TL__IN_*; 0: in the session if there is one */
    bool slow;                                     /* the peer signs: CTExponent, not ST1 */
    bool (*guard)(const tl_requester *rq);         /* NULL, or: false leaves the step out */
    bool (*again)(const tl_requester *rq);         /* NULL, or: true repeats it after accept */
    tl_err (*build)(tl_requester *rq, tl_wr *out); /* the whole message, with its header */
    tl_err (*accept)(tl_requester *rq, const tl__message *a); /* tells what is wrong by tl__blame */
} tl__step;

struct tl_spdm_flow {
    const char *name;
    const tl__step *const *steps; /* NULL ends the list */
    tl_spdm_state needs;          /* what the connection must be, at least */
    bool in_session;              /* and that a session is established */
    const struct tl_spdm_session_ops *session_ops;
};

extern const tl__step tl__version_step, tl__capabilities_step, tl__algorithms_step, tl__digests_step,
    tl__certificate_step, tl__challenge_step, tl__measurements_step;
extern const tl__step tl__key_exchange_step, tl__finish_step, tl__heartbeat_step, tl__key_update_step,
    tl__key_update_verify_step, tl__end_session_step, tl__vendor_step;

/* Notes what is wrong, and where, for tl_requester_why; gives e back. Static texts. */
tl_err tl__blame(tl_requester *rq, tl_err e, const char *what, const char *where);
/* The request that the answer at hand is for. */
tl_span tl__sent(const tl_requester *rq);

/* ---- sessions ---- */

/* What the engines ask of sessions: session.c. c->session is NULL in a responder while a message in clear is at hand (the
 * engine sets it), the session that the record names otherwise (open sets it). */
typedef struct tl_spdm_session_ops {
    /* Opens a record in place and gives the SPDM message in it. TL_E_REPLY_* or TL_E_TAG: what to answer (TL_E_TAG:
     * DecryptError, in clear); the session is over then where the specification says so. */
    tl_err (*open)(tl_spdm_connection *c, uint64_t now_ms, uint8_t *record, size_t n, tl_span *message);
    /* Seals a message for the peer. */
    tl_err (*seal)(tl_spdm_connection *c, tl_span message, tl_wr *out);
    /* The answer, or the request, is sealed and out: keys change and sessions end here, never before. */
    tl_err (*sent)(tl_spdm_connection *c, uint64_t now_ms);
    /* Ends all sessions and wipes them. */
    void (*drop)(tl_spdm_connection *c);
    /* Requester: a flow failed, but the connection stands. Ends the session that it was making, and forgets the keys that
     * it was changing to; others stay. */
    void (*fail)(tl_spdm_connection *c);
    /* Time passed: a session that was not heard of for too long ends. */
    void (*tick)(tl_spdm_connection *c, uint64_t now_ms);
} tl_spdm_session_ops;

extern const tl_spdm_session_ops tl__sessions;

#endif
