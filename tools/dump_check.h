/* Recomputing a recorded connection: transcripts, signatures, the key schedule and the records of its
 * sessions, each compared with what the endpoint wrote into its file of secrets. */
#ifndef TL_TOOLS_DUMP_CHECK_H
#define TL_TOOLS_DUMP_CHECK_H

#include "dump_keys.h"
#include "dump_link.h"
#include "dump_message.h"

#include <trueline/openssl.h>
#include <trueline/session.h>

enum {
    DUMP_CHAINS = TL_SPDM_SLOTS + 1, /* the responder's slots, and the requester's chain */
    DUMP_REQUESTER_CHAIN = TL_SPDM_SLOTS,
    DUMP_SESSIONS = 4, /* at once */
    DUMP_KEPT = 16384, /* bytes of a request, of VCA, of DIGESTS */
};

/* Bytes that are kept. */
typedef struct dump_bytes {
    size_t n;
    bool cut; /* there was more */
    uint8_t bytes[DUMP_KEPT];
} dump_bytes;

/* A certificate chain in SPDM's format, as its portions come. */
typedef struct dump_chain {
    uint8_t *bytes; /* on the heap; at most 64 KiB */
    size_t n;
    bool whole;
    uint8_t digest[TL_HASH_MAX];
    tl_key key; /* the leaf's */
} dump_chain;

typedef struct dump_session {
    bool used;
    uint32_t id;
    unsigned slot; /* of the responder's chain */
    bool known;    /* its keys could be computed */
    bool clear;    /* its handshake is not encrypted */
    bool handshake;
    bool mutual;
    bool finished; /* its FINISH was right */
    uint8_t proven
        [2][TL_HASH_MAX]; /* digests of the chains whose keys have signed: the responder's, the requester's */
    tl_schedule schedule;
    tl_hash th, l;
    tl_handshake_secrets secrets;
    tl_application_secrets application;
    tl_record_key keys[2]; /* the requester's, the responder's */
} dump_session;

struct agreement;
struct dump_check;

/* Whoever wants to hear of sessions that are computed. */
typedef struct dump_listener {
    void *ctx;
    /* A session's finish was answered. */
    void (*stands)(void *ctx, const struct dump_check *c, const dump_session *s);
    /* What its ends say to each other about a stream, inside of it, since then. */
    void (*agreed)(void *ctx, const dump_session *s, const struct agreement *a);
} dump_listener;

typedef struct dump_check {
    tl_openssl *backend;
    const tl_crypto *crypto;
    dump_keys *keys;
    dump_report *report;
    const dump_context *context;
    const dump_link *link;
    const dump_listener *listener; /* NULL: nobody */
    tl_spdm_algs algs;             /* what the library has of them */
    dump_bytes vca, asked, digests;
    dump_bytes inner_digests; /* the requester's, encapsulated */
    tl_hash m, l;
    uint32_t asked_offset; /* of GET_CERTIFICATE */
    uint32_t inner_offset;
    dump_chain chains[DUMP_CHAINS];
    dump_session sessions[DUMP_SESSIONS];
} dump_check;

/* ---- dump_check.c ---- */

/* Everything else in *c must be set: backend, crypto, keys, report, context, link. */
void dump_check_message(dump_check *c, const dump_message *m, dump_session *session);
/* Application data of a session that is no SPDM. */
void dump_check_application(dump_check *c, tl_span data, bool request, const dump_session *session);
/* Without a file of secrets: puts the chains together, nothing else. */
void dump_check_chain(dump_check *c, const dump_message *m);
/* Drops everything. */
void dump_check_wipe(dump_check *c);
/* Counts a failure. */
void dump_failed_call(dump_check *c, const char *what, tl_err e);

/* ---- dump_proof.c: transcripts, chains, signatures. False: it failed, and was reported ---- */

void dump_keep(dump_bytes *kept, tl_span s);
tl_span dump_kept(const dump_bytes *kept);
void dump_hash_drop(dump_check *c, tl_hash *h);
/* A transcript that begins with VCA. */
bool dump_hash_begin(dump_check *c, tl_hash *h);
bool dump_hash_add(dump_check *c, tl_hash h, tl_span s);
/* The digest so far; h goes on. */
bool dump_hash_so_far(dump_check *c, tl_hash h, uint8_t digest[TL_HASH_MAX]);
/* As many bytes as the hash has. */
tl_span dump_digest_span(const dump_check *c, const uint8_t digest[TL_HASH_MAX]);
/* A portion of a chain. */
void dump_chain_portion(dump_check *c, unsigned slot, size_t offset, const tl_spdm_certificate *portion);
/* The requester's certificates, told in one piece; the first is taken for the root. */
void dump_chain_told(dump_check *c, tl_span certificates);
/* The whole chain of a slot; NULL and reported if it was not seen. */
dump_chain *dump_chain_of(dump_check *c, unsigned slot);
void dump_chain_drop(dump_check *c, dump_chain *chain);
/* Is this what a chain's key signed? `digest` is that of the transcript, `what` the context that is
 * signed with it. */
void dump_check_signature(dump_check *c, dump_chain *chain, tl_sign_alg alg, const char *what,
                          const uint8_t digest[TL_HASH_MAX], tl_span signature);

/* ---- dump_session.c ---- */

void dump_session_begin(dump_check *c, const dump_message *m);
void dump_session_finish(dump_check *c, dump_session *s, const dump_message *m);
void dump_session_finished(dump_check *c, dump_session *s, const dump_message *m);
/* KEY_UPDATE of one direction: 0 the requester's, 1 the responder's. */
void dump_session_update(dump_check *c, dump_session *s, unsigned direction);
void dump_session_drop(dump_check *c, dump_session *s);
dump_session *dump_session_of(dump_check *c, uint32_t id);
/* The session whose handshake is going on in clear; NULL if there is none. */
dump_session *dump_session_in_clear(dump_check *c);
/* Opens a record in place; the direction that is expected is tried first. False: reported. */
bool dump_session_open(dump_check *c, dump_session *s, dump_unit *unit, bool *request, tl_span *application);

#endif
