/* SPDM 1.2 and 1.3 (DSP0274): what requester and responder have in common. Numbers of the specification, the policy,
 * identities, measurements, what is learnt of a peer, and the state of a connection.
 *
 * Both ends are sans-I/O: bytes in, bytes out, time as a parameter, memory of the caller. */
#ifndef TRUELINE_SPDM_H
#define TRUELINE_SPDM_H

#include <trueline/crypto.h>
#include <trueline/messages.h>
#include <trueline/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- numbers (DSP0274 1.3, "Request codes", "Response codes", "Error codes") ---- */

enum {
    TL_SPDM_10 = 0x10, /* the version field of GET_VERSION and VERSION, always */
    TL_SPDM_12 = 0x12,
    TL_SPDM_13 = 0x13
};

/* Requests and responses, from spdm_codes.def: TL_SPDM_GET_VERSION, TL_SPDM_VERSION. */
enum {
#define SPDM_REQUEST(name, code, step) TL_SPDM_##name = code,
#define SPDM_RESPONSE(name, code)      TL_SPDM_##name = code,
#include <trueline/spdm_codes.def>
#undef SPDM_REQUEST
#undef SPDM_RESPONSE
};

/* The name of a request or response by its code ("GET_VERSION"); NULL if it has none. */
const char *tl_spdm_code_text(uint8_t code);
/* The step that a request begins, as the requester names it in tl_spdm_why ("VERSION"); NULL if it begins none. */
const char *tl_spdm_step_text(uint8_t request);

/* Codes of ERROR. A peer's is the tl_err TL_E_PEER + code, one to send TL_E_REPLY + code. */
enum {
    TL_SPDM_INVALID_REQUEST = 0x01,
    TL_SPDM_BUSY = 0x03,
    TL_SPDM_UNEXPECTED_REQUEST = 0x04,
    TL_SPDM_UNSPECIFIED = 0x05,
    TL_SPDM_DECRYPT_ERROR = 0x06,
    TL_SPDM_UNSUPPORTED_REQUEST = 0x07,
    TL_SPDM_REQUEST_IN_FLIGHT = 0x08,
    TL_SPDM_INVALID_RESPONSE_CODE = 0x09,
    TL_SPDM_SESSION_LIMIT_EXCEEDED = 0x0A,
    TL_SPDM_SESSION_REQUIRED = 0x0B,
    TL_SPDM_RESPONSE_TOO_LARGE = 0x0D,
    TL_SPDM_REQUEST_TOO_LARGE = 0x0E,
    TL_SPDM_VERSION_MISMATCH = 0x41,
    TL_SPDM_RESPONSE_NOT_READY = 0x42,
    TL_SPDM_REQUEST_RESYNCH = 0x43
};

/* Capability flags, from spdm_capabilities.def: the same bits in GET_CAPABILITIES and CAPABILITIES, but the first, third and
 * fourth row are the responder's alone. */
enum {
#define SPDM_CAPABILITY(name, bit) TL_CAP_##name = bit,
#include <trueline/spdm_capabilities.def>
#undef SPDM_CAPABILITY
};

enum {
    TL_SPDM_SLOTS = 8,         /* certificate slots */
    TL_SPDM_NONCE = 32,        /* bytes of a nonce or of random data */
    TL_SPDM_CONTEXT = 8,       /* bytes of the requester's context, since 1.3 */
    TL_SPDM_TRANSFER_MIN = 42, /* the least DataTransferSize of 1.2 and later */
    TL_SPDM_VCA_MAX = 512,     /* bytes of VERSION, CAPABILITIES and ALGORITHMS with their requests */
    TL_SPDM_KEPT_MAX = 256,    /* bytes of a request whose answer is put off */
    TL_SPDM_SUMMARY_NONE = 0,  /* kinds of measurement summary hash */
    TL_SPDM_SUMMARY_TCB = 1,
    TL_SPDM_SUMMARY_ALL = 0xFF,
    TL_SPDM_MEASUREMENT_COUNT = 0, /* GET_MEASUREMENTS' operations; else the index of one block */
    TL_SPDM_MEASUREMENT_ALL = 0xFF
};

typedef enum tl_spdm_role { TL_SPDM_REQUESTER = 1, TL_SPDM_RESPONDER } tl_spdm_role;

/* ---- policy ---- */

/* What an endpoint offers, accepts and requires. Algorithms are masks of the bits in spdm_algs.def; among what both
 * ends allow, the responder takes the strongest. Both ends refuse a peer that chooses outside of them. */
typedef struct tl_spdm_policy {
    uint8_t version_min, version_max;      /* TL_SPDM_12, TL_SPDM_13 */
    uint32_t flags;                        /* TL_CAP_*: our own */
    uint32_t peer_flags;                   /* what the peer must have, all of them */
    uint32_t hash, asym, measurement_hash; /* asym: of the responder's signatures */
    uint16_t dhe, aead, req_asym;          /* req_asym: of the requester's signatures */
    uint8_t ct_exponent;                   /* our own: signing takes at most 2^n us */
    uint8_t ct_exponent_max; /* of the peer's CTExponent and RDTExponent: greater ones are refused */
    uint32_t
        data_transfer_size; /* of one message to us; larger ones are refused, since there are no chunks */
    bool must_sign_measurements; /* requester: unsigned measurements are refused */
} tl_spdm_policy;

/* 1.2 and 1.3, the algorithms of spdm_algs.def, certificates, sessions with encryption, heartbeat and key update;
 * the responder also challenge and signed measurements, the requester requires all of these of its peer. */
tl_spdm_policy tl_spdm_policy_default(tl_spdm_role role);

/* What was negotiated. */
typedef struct tl_spdm_algs {
    tl_hash_alg hash;
    tl_hash_alg measurement_hash; /* TL_HASH_NONE: no measurements, or raw ones only */
    tl_sign_alg sign;             /* of the responder */
    tl_sign_alg req_sign;         /* of the requester; TL_SIGN_NONE: no mutual authentication */
    tl_group group;
    tl_suite aead;
    uint8_t measurement_specification; /* 1: DMTF */
    uint8_t other_params;              /* opaque data format: 2 is the general one */
} tl_spdm_algs;

/* ---- identities and measurements ---- */

/* A certificate chain with its private key. The slot's chain in SPDM's format is made from it. */
typedef struct tl_spdm_identity {
    tl_span certificates; /* DER, one directly after the other: the root or the first below it, to the leaf */
    tl_span root;         /* the root certificate, also when it is the first of the chain */
    tl_key key;           /* private */
    tl_sign_alg alg;      /* of the key; TL_SIGN_NONE: the slot is empty */
} tl_spdm_identity;

/* A measurement block. */
typedef struct tl_spdm_measurement {
    uint8_t index; /* 1..0xFE */
    uint8_t type;  /* 0..0x7F: DMTFSpecMeasurementValueType without its top bit */
    bool raw;      /* value is a bit stream, not a digest of the measurement hash */
    bool tcb;      /* part of the trusted computing base's summary; a requester never sees this */
    tl_span value;
} tl_spdm_measurement;

/* Where a responder's measurements come from. get writes the i-th of n blocks, in the order of rising index; the value
 * lives until the next call. raw_wanted: the requester would rather have the bit stream. */
typedef struct tl_spdm_measurement_source {
    void *ctx;
    size_t n;
    tl_err (*get)(void *ctx, size_t i, tl_hash_alg alg, bool raw_wanted, tl_spdm_measurement *m);
} tl_spdm_measurement_source;

/* ---- messages and transports ---- */

/* A message as a transport hands it over. Records are opened in place. n 0: nothing came, time passed. */
typedef struct tl_spdm_in {
    uint8_t *p;
    size_t n;
    bool secured; /* a record of DSP0277, not a message in clear */
} tl_spdm_in;

/* Where a message to send is written. w.n 0: nothing is to be sent. */
typedef struct tl_spdm_out {
    tl_wr w;
    bool secured;
} tl_spdm_out;

/* What a transport decides of records: their fields, and what stands around an SPDM message inside of them. */
typedef struct tl_spdm_binding {
    tl_record_binding record;
    size_t wrap_size;                            /* bytes that wrap adds at most */
    tl_err (*wrap)(tl_span message, tl_wr *out); /* NULL: the message stands alone */
    tl_err (*unwrap)(tl_span application, tl_span *message);
} tl_spdm_binding;

/* ---- what is learnt of a peer ---- */

typedef struct tl_spdm_peer {
    uint32_t flags;
    uint32_t data_transfer_size, max_message_size;
    uint8_t ct_exponent;
    uint8_t slots;      /* of DIGESTS: a mask */
    uint8_t slot;       /* whose chain this is */
    bool chain_right;   /* the chain was read and checked: facts hold */
    bool authenticated; /* and a signature of this connection has proved its key */
    tl_chain_facts facts;
    uint8_t digests[TL_SPDM_SLOTS][TL_HASH_MAX]; /* as DIGESTS told them */
    uint8_t chain_digest[TL_HASH_MAX];           /* over the chain in SPDM's format */
    size_t chain_n;                              /* bytes of it in the buffer that the config gave */
    uint8_t summary_kind;         /* of the summary below; TL_SPDM_SUMMARY_NONE: there is none */
    uint8_t summary[TL_HASH_MAX]; /* measurement summary hash, signed */
} tl_spdm_peer;

/* ---- sessions ---- */

enum { TL_SPDM_HANDSHAKE_MS = 30000 }; /* a session that is not finished by then ends */

typedef enum tl_spdm_session_state {
    TL_SESSION_NONE = 0,
    TL_SESSION_ASKED,     /* requester: KEY_EXCHANGE is out */
    TL_SESSION_HANDSHAKE, /* the exchange is done, the finish is not */
    TL_SESSION_ESTABLISHED
} tl_spdm_session_state;

/* Memory of one session: the caller's, all zero at first. Moved, never copied: it sends under its keys. */
typedef struct tl_spdm_session {
    /* private */
    tl_spdm_session_state state;
    tl_spdm_session_state after; /* what it becomes when the message at hand is out; == state: nothing */
    uint8_t begun_by;            /* the request that began it: only its own finish is accepted */
    bool mutual;                 /* the requester must sign */
    uint8_t req_slot;            /* whose chain it signs with then */
    uint8_t heartbeat_period;    /* seconds; 0: none */
    uint8_t update, update_tag;  /* KEY_UPDATE that waits for its VerifyNewKey: operation and tag; 0: none */
    bool under_next;             /* the message at hand came under the next key */
    uint16_t half;               /* the requester's half of the id, while it is not whole */
    uint32_t id;                 /* requester's half low, responder's half high */
    uint64_t heard_at;           /* ms */
    tl_schedule schedule;
    tl_key exchange; /* our half of the key exchange, while it lasts */
    tl_hash th;      /* TH so far, during the handshake */
    tl_hash l;       /* L1 or L2 inside the session; slot 0: empty */
    tl_handshake_secrets handshake;
    tl_application_secrets application;
    tl_record_key request_key, response_key;
    tl_record_key next_request, next_response; /* after FINISH_RSP, or after a KEY_UPDATE */
} tl_spdm_session;

bool tl_session_established(const tl_spdm_session *session);
/* The export master secret, for keys of the caller's own (DSP0274 1.3, "Export Master Secret"). TL_E_STATE: the session is
 * not established; *secret is zero then. The caller wipes it. */
tl_err tl_session_export_secret(const tl_spdm_session *session, tl_secret *secret,
                                tl_hash_alg *hash) TL_MUST_USE;

/* ---- connection ---- */

typedef enum tl_spdm_state {
    TL_SPDM_START = 0,
    TL_SPDM_AFTER_VERSION,
    TL_SPDM_AFTER_CAPABILITIES,
    TL_SPDM_NEGOTIATED
} tl_spdm_state;

struct tl_spdm_session_ops;

/* What both roles keep. Moved, never copied: it owns handles of the backend. */
typedef struct tl_spdm_connection {
    /* private */
    const tl_crypto *crypto;
    const tl_spdm_policy *policy;
    const tl_spdm_binding *binding;
    const struct tl_spdm_session_ops *session_ops; /* NULL: this endpoint has no sessions */
    tl_spdm_role role;
    tl_spdm_state state;
    uint32_t flags; /* our own, as told to the peer */
    tl_env env;     /* version and sizes of the messages */
    tl_spdm_algs algs;
    tl_spdm_peer peer;
    tl_hash m; /* M1 or M2 so far: VCA, then B; slot 0: VCA alone */
    tl_hash l; /* L1 or L2 so far, outside of sessions; slot 0: empty */
    uint16_t vca_n;
    uint16_t vca_request, vca_response; /* where the last exchange of VCA begins, and its answer */
    uint8_t vca[TL_SPDM_VCA_MAX];
    tl_spdm_session *sessions; /* the caller's, from the config */
    size_t sessions_n;
    /* Responder: the session of the message at hand; NULL: it is in clear. Requester: the one that flows run in; NULL: none. */
    tl_spdm_session *session;
} tl_spdm_connection;

#ifdef __cplusplus
}
#endif

#endif
