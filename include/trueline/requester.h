/* An SPDM requester: it begins each exchange and judges the answers.
 *
 *     tl_requester_init(&rq, &config);
 *     tl_requester_start(&rq, &tl_flow_attest, NULL, now, &out);     the first request is in out
 *     while (tl_requester_going(&rq)) {
 *         send out, if something is in it; receive into in, until tl_requester_wake at the latest
 *         tl_requester_step(&rq, now, in, &out);                     one answer in, the next request out
 *     }
 *
 * One exchange is under way at a time. The first error ends the flow and sticks; it ends a session, too. */
#ifndef TRUELINE_REQUESTER_H
#define TRUELINE_REQUESTER_H

#include <trueline/spdm.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A flow is a list of exchanges. Those with VERSION to ALGORITHMS begin a connection anew. */
typedef struct tl_spdm_flow tl_spdm_flow;
extern const tl_spdm_flow tl_flow_attest;  /* VERSION to CERTIFICATE, CHALLENGE, MEASUREMENTS */
extern const tl_spdm_flow tl_flow_session; /* VERSION to CERTIFICATE, KEY_EXCHANGE, FINISH */
extern const tl_spdm_flow tl_flow_another; /* KEY_EXCHANGE, FINISH: one more session of the same connection */
extern const tl_spdm_flow
    tl_flow_connect; /* VERSION to CERTIFICATE, for what is to be said in clear before a session */
/* One exchange each. MEASUREMENTS goes into the session if there is one, else in clear. A heartbeat, a key update and
 * measurements that the two ends have not agreed on, or have no memory for, are left out: TL_OK, and nothing is sent. */
extern const tl_spdm_flow tl_flow_measure, tl_flow_heartbeat, tl_flow_key_update, tl_flow_vendor,
    tl_flow_end_session;

/* What a flow asks for. All zero with slot 0 is a good start; spans live until the flow ends. */
typedef struct tl_spdm_ask {
    uint8_t slot;               /* 0..7: of the peer's chain */
    uint8_t summary;            /* TL_SPDM_SUMMARY_*: in CHALLENGE and KEY_EXCHANGE */
    uint8_t measurement;        /* TL_SPDM_MEASUREMENT_* or the index of one block */
    bool signed_measurements;   /* the policy may demand it */
    bool raw_measurements;      /* bit streams rather than digests */
    bool keep_negotiated_state; /* END_SESSION: not cleared */
    bool update_both;           /* KEY_UPDATE: both directions, else the requester's alone */
    tl_span context;            /* 8 bytes, since 1.3; none: zeros */
    uint32_t vendor_standard;   /* VENDOR_DEFINED */
    tl_span vendor_id, vendor_payload;
} tl_spdm_ask;

/* The blocks of MEASUREMENTS, in the buffer that the config gave, and what came with them. */
typedef struct tl_spdm_measured {
    bool had;        /* MEASUREMENTS was accepted */
    bool signature;  /* and was signed, together with the exchanges before it */
    uint8_t blocks;  /* number of blocks; for TL_SPDM_MEASUREMENT_COUNT: how many there are */
    uint8_t changed; /* content changed: 0 not detected, 1 changed, 2 unchanged */
    size_t record_n; /* bytes of the record */
} tl_spdm_measured;

/* Why a flow ended in an error; texts are static. */
typedef struct tl_spdm_why {
    tl_err err;
    const char *flow, *step;        /* "attest", "CHALLENGE"; step NULL: before the first */
    const char *what;               /* "the signature is wrong" */
    const char *where;              /* the field or the part, or "" */
    const char *clause;             /* "DSP0274 1.3, CHALLENGE_AUTH response message" */
    uint8_t error_code, error_data; /* of the peer's ERROR, if that is what ended it */
    int certificate; /* TL_E_CHAIN: which one, 0 is the first of the chain, TL_CHAIN_WHOLE: none by itself */
} tl_spdm_why;

typedef struct tl_requester_config {
    const tl_crypto *crypto;
    const tl_spdm_policy *policy;
    const tl_spdm_binding *binding; /* NULL: no sequence number, no pad, nothing around the message */
    const tl_chain_rules *trust; /* who the peer must be; use, hash and alg are filled in by the requester */
    const tl_spdm_identity *slots; /* our own, for mutual authentication */
    size_t slots_n;
    tl_spdm_session *sessions; /* memory for as many sessions as there may be at once; NULL, 0: none */
    size_t sessions_n;
    uint32_t rtt_ms;      /* the link's longest round trip */
    uint8_t busy_retries; /* how often a peer that is busy, or not ready, is asked again */
    uint8_t *message;     /* the message at hand */
    size_t message_n;     /* policy's data_transfer_size at least */
    uint8_t *chain;       /* the peer's certificate chain */
    size_t chain_n;
    uint8_t *measurements; /* the record of MEASUREMENTS; NULL: none are asked for */
    size_t measurements_n;
    uint8_t *vendor; /* the payload of a VENDOR_DEFINED response */
    size_t vendor_n;
} tl_requester_config;

typedef struct tl_requester {
    /* private */
    tl_spdm_connection c;
    const tl_requester_config *config;
    const tl_spdm_flow *flow;
    tl_spdm_ask ask;
    size_t step;
    uint8_t phase; /* idle, waiting for an answer, waiting before asking again */
    uint8_t retries;
    uint8_t token;
    uint8_t rdt_exponent;
    uint64_t wake, give_up;     /* ms */
    size_t sent_n;              /* bytes of the request in config->message */
    size_t chain_n, chain_left; /* CERTIFICATE: bytes had, and the remainder told */
    bool chain_more;            /* and there is one */
    uint8_t nonce[TL_SPDM_NONCE];
    tl_spdm_measured measured;
    size_t vendor_n;
    tl_spdm_why why;
} tl_requester;

/* The config and all that it names live as long as the requester. TL_E_CONFIGURATION. */
tl_err tl_requester_init(tl_requester *rq, const tl_requester_config *config) TL_MUST_USE;
/* Begins a flow and writes its first request; ask NULL: all zero, with all measurements signed. TL_E_STATE: another flow
 * is under way, or this one needs a connection or a session that is not there. */
tl_err tl_requester_start(tl_requester *rq, const tl_spdm_flow *flow, const tl_spdm_ask *ask, uint64_t now_ms,
                          tl_spdm_out *out) TL_MUST_USE;
/* Takes an answer, or with in.n 0 the passing of time, and writes the next request if there is one. Gives the flow's
 * error when it ends in one. TL_E_ROOM: out has less room than config->message_n, with sessions TL_RECORD_OVERHEAD and
 * the binding's wrap_size more; nothing changed. */
tl_err tl_requester_step(tl_requester *rq, uint64_t now_ms, tl_spdm_in in, tl_spdm_out *out) TL_MUST_USE;
/* A flow is under way. */
bool tl_requester_going(const tl_requester *rq);
/* When to call step even if nothing came. */
uint64_t tl_requester_wake(const tl_requester *rq);
/* Of the last flow. */
tl_err tl_requester_result(const tl_requester *rq);
const tl_spdm_why *tl_requester_why(const tl_requester *rq);
const tl_spdm_peer *tl_requester_peer(const tl_requester *rq);
const tl_spdm_algs *tl_requester_algs(const tl_requester *rq);
uint8_t tl_requester_version(const tl_requester *rq);
/* The peer's certificates (DER, one after the other), and what MEASUREMENTS brought; empty before. */
tl_span tl_requester_certificates(const tl_requester *rq);
const tl_spdm_measured *tl_requester_measured(const tl_requester *rq);
/* The next block of a record that was accepted; begin with a reader over config->measurements. */
bool tl_spdm_each_measurement(tl_rd *record, tl_spdm_measurement *m);
/* The session that flows run in; NULL: none. */
const tl_spdm_session *tl_requester_session(const tl_requester *rq);
/* Lets flows run in another established session of the config's memory. TL_E_STATE: it is none, or a flow is under way. */
tl_err tl_requester_use(tl_requester *rq, const tl_spdm_session *session) TL_MUST_USE;
/* The payload of the last VENDOR_DEFINED response, in the buffer that the config gave; empty: none. */
tl_span tl_requester_vendor(const tl_requester *rq);
/* Drops all handles and wipes all secrets. */
void tl_requester_wipe(tl_requester *rq);

#ifdef __cplusplus
}
#endif

#endif
