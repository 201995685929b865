/* A controller and a sensor in one process, exchanging SPDM over a link that somebody holds in his hand. Both are the
 * library's own engines; messages are whole, as SPDM over TCP carries them, and time passes only when nothing is under way. */
#ifndef TL_SIM_SPDM_DUEL_H
#define TL_SIM_SPDM_DUEL_H

#include <trueline/requester.h>
#include <trueline/responder.h>

enum { TL_DUEL_MESSAGE = 4608, TL_DUEL_WIRE = TL_DUEL_MESSAGE + 128, TL_DUEL_LOG = 96, TL_DUEL_QUEUE = 8 };

typedef enum tl_duel_way { TL_DUEL_REQUEST = 0, TL_DUEL_RESPONSE } tl_duel_way;

/* What the two ends do. SESSION: connection, certificates of both, session, measurements, a message of the owner's, end.
 * ATTEST: connection, challenge, measurements in clear. UPDATE: as SESSION, and in the session HEARTBEAT, new keys of one direction,
 * HEARTBEAT, new keys of both, each with a message of the owner's behind it. */
typedef enum tl_duel_script {
    TL_DUEL_SESSION = 0,
    TL_DUEL_ATTEST,
    TL_DUEL_UPDATE,
    TL_DUEL_SCRIPTS
} tl_duel_script;

/* The exchanges that keep a session: which of them is under way. */
typedef enum tl_duel_about {
    TL_DUEL_OTHER = 0,
    TL_DUEL_HEARTBEAT,
    TL_DUEL_UPDATE_KEY,
    TL_DUEL_UPDATE_ALL_KEYS,
    TL_DUEL_VERIFY_NEW_KEY,
    TL_DUEL_ABOUTS
} tl_duel_about;

/* A message on the link. */
typedef struct tl_duel_message {
    tl_duel_way way;
    bool secured;
    uint32_t mark; /* of a hand's own request; its answer has it, too. 0: none */
    tl_duel_about about;
    size_t n;
    uint8_t bytes[TL_DUEL_WIRE];
} tl_duel_message;

struct tl_duel;

/* A link with a time of its own, in place of the one inside the duel. send takes a message away; what arrives comes by
 * tl_duel_deliver. wait lets the time pass until something has been delivered (tl_duel_delivered), or until that moment, and
 * gives the time that it is then. */
typedef struct tl_duel_link {
    void *ctx;
    void (*send)(void *ctx, const tl_duel_message *message);
    uint64_t (*wait)(void *ctx, struct tl_duel *duel, uint64_t until_ms);
} tl_duel_link;

/* Who the two ends are and whom they trust; all of it lives as long as the duel. */
typedef struct tl_duel_world {
    const tl_crypto *crypto;
    const tl_crypto *sensor_crypto;                          /* NULL: the same */
    const tl_spdm_policy *controller_policy, *sensor_policy; /* NULL: the default ones */
    const tl_duel_link *link;            /* NULL: a link that takes no time, with a hand on it */
    uint32_t patience_ms;                /* the controller's for an answer; 0: a second */
    tl_spdm_identity sensor, controller; /* a controller with TL_SIGN_NONE has no certificate */
    tl_chain_rules sensor_trusts, controller_trusts;
    const tl_spdm_measurement_source *measurements;
    tl_secret *exported; /* NULL, or: takes what a SESSION's keys of streams come from; to be wiped */
} tl_duel_world;

/* Sees a message and says what is delivered in its place: tl_duel_deliver for each, or nothing. */
typedef struct tl_duel_hand {
    void *ctx;
    void (*message)(void *ctx, struct tl_duel *duel, const tl_duel_message *message);
} tl_duel_hand;

/* How it ended. */
typedef struct tl_duel_result {
    bool whole;       /* all of the script */
    tl_err err;       /* what ended it */
    const char *step; /* in which exchange; NULL if it is whole */
    const char *what; /* what the controller says */
    bool
        agreed; /* both ends hold the same session, and proof of each other; ATTEST: the controller's proof */
    uint8_t record[256]; /* the measurements that were accepted */
    size_t record_n;
    uint8_t chain_digest[TL_HASH_MAX]; /* of the sensor */
    tl_env env;                        /* version and sizes of the messages */
    tl_spdm_algs algs;                 /* of a session or an attestation that the controller believes in */
    /* who believed at any time to have a session with the other one, whose key was proved; ATTEST: the controller alone */
    bool controller_sure, sensor_sure;
    bool same;                     /* it was the same session */
    unsigned told;                 /* messages of the owner's that the sensor took in a session */
    unsigned kept[TL_DUEL_ABOUTS]; /* exchanges that the controller brought to their end */
    const char *lie;               /* the first thing that an end took or believed and must not; NULL: none */
} tl_duel_result;

/* Large: for the heap. */
typedef struct tl_duel {
    const tl_duel_world *world;
    tl_duel_hand hand;
    /* what was on the link, as it was sent; beyond TL_DUEL_LOG messages nothing is kept */
    tl_duel_message log[TL_DUEL_LOG];
    size_t log_n;
    tl_duel_result result; /* of the last run */
    tl_requester rq;
    tl_responder r;
    tl_duel_about about; /* the exchange under way */
    /* private */
    uint64_t now_ms;
    size_t
        taken[2]; /* the last record that an end took, by direction, as its place in the log and one more */
    const tl_spdm_flow *flow;
    tl_duel_message queue[2][TL_DUEL_QUEUE], at_hand;
    size_t queued[2];
    tl_spdm_policy rq_policy, r_policy;
    tl_requester_config rq_config;
    tl_responder_config r_config;
    tl_spdm_session rq_session[1], r_session[1];
    tl_secret controller_secret, sensor_secret; /* of the first sessions that they believed in */
    uint8_t chain[TL_CHAIN_SIZE], peer_chain[TL_CHAIN_SIZE], rq_message[TL_DUEL_MESSAGE],
        r_message[TL_DUEL_MESSAGE], record[1024], vendor[512], payload[TL_DUEL_MESSAGE], out[TL_DUEL_WIRE];
} tl_duel;

/* Runs a script from its beginning; hand.message NULL: everything is delivered as it is. An error is a mistake of the set-up:
 * what an attack does is in the result. Handles are given back. */
tl_err tl_duel_run(tl_duel *duel, const tl_duel_world *world, tl_duel_script script, tl_duel_hand hand,
                   tl_duel_result *result) TL_MUST_USE;
/* Looks at a run that somebody had his hand in: NULL if what the ends believe is true, whether they came to an end or not; else
 * what is not. right: the same ends without him. */
const char *tl_duel_wrong(const tl_duel *duel, const tl_duel_result *result, const tl_duel_result *right);
/* For hands. A message more than TL_DUEL_QUEUE is lost, as on a link. */
void tl_duel_deliver(tl_duel *duel, tl_duel_way way, bool secured, tl_span bytes);
/* For links: the same with its mark; whether a message waits to be read. */
void tl_duel_deliver_marked(tl_duel *duel, tl_duel_way way, bool secured, uint32_t mark, tl_span bytes);
bool tl_duel_delivered(const tl_duel *duel);

#endif
