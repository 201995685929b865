/* An SPDM responder: one request in, one answer out.
 *
 *     tl_responder_init(&r, &config);
 *     for (each message)
 *         tl_responder_step(&r, now, in, &out);       what is in out goes back
 *
 * The message families that it serves are named in its config; what is not named is not linked. */
#ifndef TRUELINE_RESPONDER_H
#define TRUELINE_RESPONDER_H

#include <trueline/spdm.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_spdm_family tl_spdm_family;
extern const tl_spdm_family tl_serve_connection;   /* VERSION, CAPABILITIES, ALGORITHMS, RESPOND_IF_READY */
extern const tl_spdm_family tl_serve_certificates; /* DIGESTS, CERTIFICATE */
extern const tl_spdm_family tl_serve_challenge, tl_serve_measurements;
extern const tl_spdm_family tl_serve_sessions; /* KEY_EXCHANGE, FINISH, HEARTBEAT, KEY_UPDATE, END_SESSION */
extern const tl_spdm_family tl_serve_vendor;   /* VENDOR_DEFINED */
/* All of them, for a config. */
extern const tl_spdm_family *const tl_serve_all[];

typedef struct tl_responder tl_responder;

/* A VENDOR_DEFINED request, and the established session that it came in. */
typedef struct tl_spdm_vendor {
    uint32_t standard;
    tl_span vendor_id, payload;
    const tl_spdm_session *session; /* NULL: it came in clear */
} tl_spdm_vendor;

typedef struct tl_responder_config {
    const tl_crypto *crypto;
    const tl_spdm_policy *policy;
    const tl_spdm_family *const *families; /* NULL ends the list */
    const tl_spdm_binding *binding;        /* NULL: no sequence number, no pad, nothing around the message */
    const tl_spdm_identity *slots;         /* chain and key of each slot, from 0 */
    size_t slots_n;
    tl_spdm_session *sessions; /* memory for as many sessions as there may be at once; NULL, 0: none */
    size_t sessions_n;
    const tl_spdm_measurement_source *measurements; /* NULL: none */
    /* Who a requester must be; NULL: requesters are not authenticated. One that does not offer to authenticate itself gets a
     * session all the same, and tl_responder_peer says so, unless the policy's peer_flags ask for TL_CAP_MUT_AUTH. */
    const tl_chain_rules *trust;
    tl_span
        peer_chain; /* the requester's certificates, provisioned or learnt before KEY_EXCHANGE: DER, one after the other */
    uint8_t heartbeat_period; /* seconds; 0: none */
    uint8_t *message;         /* the answer at hand */
    size_t message_n;         /* 256 at least; answers are no longer */
    void *ctx;                /* of the calls below */
    /* NULL, or: the answer to this request cannot be made yet. It is put off for 2^rdt_exponent us. */
    bool (*busy)(void *ctx, uint8_t code);
    uint8_t rdt_exponent;
    bool vendor_in_clear; /* VENDOR_DEFINED is served outside of sessions, too */
    /* NULL, or: answers a VENDOR_DEFINED request by writing the payload. Its TL_E_REPLY_* are sent as they are. */
    tl_err (*vendor)(void *ctx, const tl_spdm_vendor *request, tl_wr *payload);
} tl_responder_config;

struct tl_responder {
    /* private */
    tl_spdm_connection c;
    const tl_responder_config *config;
    uint8_t kept[TL_SPDM_KEPT_MAX]; /* the request whose answer is put off */
    uint16_t kept_n;
    uint8_t token;
    bool kept_secured; /* and the session that it came in */
    uint32_t kept_session;
};

/* The config and all that it names live as long as the responder. TL_E_CONFIGURATION. */
tl_err tl_responder_init(tl_responder *r, const tl_responder_config *config) TL_MUST_USE;
/* Takes a message and writes the answer, which may be an ERROR; the result tells why, for a log. With in.n 0 only time
 * passes: a session without heartbeat ends. TL_E_ROOM: out has less room than config->message_n,
 * with sessions TL_RECORD_OVERHEAD and the binding's wrap_size more; nothing changed. */
tl_err tl_responder_step(tl_responder *r, uint64_t now_ms, tl_spdm_in in, tl_spdm_out *out) TL_MUST_USE;
const tl_spdm_peer *tl_responder_peer(const tl_responder *r);
/* Drops all handles and wipes all secrets. */
void tl_responder_wipe(tl_responder *r);

#ifdef __cplusplus
}
#endif

#endif
