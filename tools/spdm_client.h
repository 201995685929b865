/* The controller's end of SPDM: a requester on a connection, walked through stages. Used by `attest` and `controller`. */
#ifndef TL_TOOLS_SPDM_CLIENT_H
#define TL_TOOLS_SPDM_CLIENT_H

#include "net.h"
#include "reference.h"
#include "spdm_identity.h"
#include "spdm_link.h"

#include <jansson.h>

struct backend;

enum {
    SPDM_CLIENT_MESSAGE = 4608, /* bytes of a message in clear */
    SPDM_CLIENT_RECORD = 4096,  /* of measurements */
    SPDM_CLIENT_STEPS = 64,     /* exchanges that are told */
    SPDM_CLIENT_KEPT = 16384    /* bytes of exchanges in clear, for evidence */
};

typedef struct spdm_client_options {
    const char *connect;       /* HOST:PORT */
    spdm_identity_files files; /* own identity, trust, revocation */
    const char *reference;     /* file; NULL: measurements are shown, not judged */
    tap *tap;                  /* hears the link; NULL: none */
} spdm_client_options;

/* An exchange that is over. */
typedef struct spdm_client_step {
    char name
        [32]; /* "KEY_EXCHANGE"; with a label behind it where one code has several uses: "VENDOR_DEFINED offer" */
    uint32_t bytes;
    uint64_t us;
} spdm_client_step;

typedef struct spdm_client spdm_client;

/* One flow of a script. prepare says what to ask for, accept judges what came; both may be NULL. */
typedef struct spdm_stage {
    const tl_spdm_flow *flow;
    const char *label; /* behind the step's name; NULL: none */
    tl_exit (*prepare)(spdm_client *c, tl_spdm_ask *ask, tl_fault *fault);
    tl_exit (*accept)(spdm_client *c, tl_fault *fault);
    bool own; /* left out if we have no certificate of our own */
} spdm_stage;

struct spdm_client {
    spdm_client_options o;
    void *ctx; /* of the stages' owner */
    const tl_crypto *crypto;
    spdm_identity own;
    reference reference;
    bool has_reference;
    tl_requester rq;
    spdm_link link;
    tl_address address; /* of the sensor */
    spdm_client_step steps[SPDM_CLIENT_STEPS];
    size_t steps_n; /* the first ones; later ones are not kept */
    uint8_t
        kept[SPDM_CLIENT_KEPT]; /* exchanges in clear of the last script: length (4, little-endian), bytes */
    size_t kept_n;
    uint8_t payload[SPDM_CLIENT_MESSAGE]; /* of the VENDOR_DEFINED request that is made */
    /* private */
    bool known;
    uint8_t sensor[TL_FINGERPRINT_SIZE]; /* the leaf of the sensor that was authenticated first */
    tl_spdm_policy policy;
    tl_requester_config config;
    tl_spdm_session session[1];
    const spdm_stage *script; /* a stage without flow ends it; NULL: none is under way */
    size_t record_n;          /* bytes of the record that was accepted last */
    uint8_t asked;            /* code of the request that is out */
    uint64_t asked_us, asked_bytes;
    uint8_t message[SPDM_CLIENT_MESSAGE], chain[TL_CHAIN_SIZE + 64], record[SPDM_CLIENT_RECORD],
        vendor[SPDM_CLIENT_MESSAGE];
    uint8_t out[SPDM_LINK_MESSAGE];
};

/* Loads the files. TL_EXIT_USAGE, TL_EXIT_INTERNAL. The backend outlives the client. */
tl_exit spdm_client_open(spdm_client *c, const spdm_client_options *options, const struct backend *with,
                         tl_fault *fault) __attribute__((warn_unused_result));
/* Dials. TL_EXIT_LINK. */
tl_exit spdm_client_dial(spdm_client *c, uint64_t deadline_ms, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Begins a script and sends its first request. */
tl_exit spdm_client_begin(spdm_client *c, const spdm_stage *script, tl_fault *fault)
    __attribute__((warn_unused_result));
bool spdm_client_busy(const spdm_client *c);
/* Takes what came up to the deadline, and goes on. TL_EXIT_PEER names the step; TL_EXIT_LINK: the connection, or nothing came
 * in time. The script is over then. */
tl_exit spdm_client_turn(spdm_client *c, uint64_t deadline_ms, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Begin, and turns until it is over. */
tl_exit spdm_client_run(spdm_client *c, const spdm_stage *script, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Wipes all secrets, drops all handles, closes the connection. */
void spdm_client_close(spdm_client *c);

/* Scripts: authentication with challenge and measurements in clear; the same in a session, with our own chain told first;
 * the session's end. */
extern const spdm_stage spdm_script_attest[], spdm_script_session[], spdm_script_end[];

/* The record of measurements that was accepted last; empty: none. */
tl_span spdm_client_record(const spdm_client *c);
/* The steps as a JSON list. */
json_t *spdm_client_steps(const spdm_client *c);

#endif
