/* The controller's side of an agreed stream: it authenticates and measures the sensor, agrees on the stream inside the session,
 * and while frames flow authenticates it again and changes keys. */
#ifndef TL_TOOLS_CONTROLLER_SPDM_H
#define TL_TOOLS_CONTROLLER_SPDM_H

#include "agreement.h"
#include "spdm_client.h"

struct backend;

typedef struct controller_spdm_options {
    spdm_client_options client;
    const char *data;   /* HOST:PORT to dial for the data; NULL: the sensor's host, the port that it names */
    stream_file wanted; /* of it how the stream is to be protected, and its first frame */
    uint64_t reauth_ms; /* authenticate again so often; 0: never */
    uint64_t rekey_frames; /* take a new epoch after so many frames; 0: at limits only */
} controller_spdm_options;

typedef struct controller_spdm {
    controller_spdm_options o;
    spdm_client client;
    const stream_file *file; /* as agreed */
    uint32_t epoch;          /* the last one that was named */
    uint64_t keys, again;    /* epochs that the sensor has switched to, re-authentications that succeeded */
    /* private */
    stream_file agreed;
    tl_agreement_choice choice;
    uint8_t digest[TL_CONFIG_DIGEST_SIZE];
    uint16_t port;
    tl_stream_rx *rx;
    tl_key_source sources[2]; /* one is current, the other a newer session's while it takes over */
    unsigned current;
    uint8_t ours[TL_DATA_TOKEN_SIZE], theirs[TL_DATA_TOKEN_SIZE];
    bool renewed;   /* the session is newer than the current source */
    bool key_due;   /* a new epoch is wanted */
    bool key_named; /* and was named: the sensor has not switched yet */
    uint64_t reauth_at_ms, frames, frames_at_key;
} controller_spdm;

tl_exit controller_spdm_open(controller_spdm *s, const controller_spdm_options *o, const struct backend *with,
                             tl_fault *fault) __attribute__((warn_unused_result));
/* Dials, authenticates, measures, agrees. TL_EXIT_PEER, TL_EXIT_LINK. */
tl_exit controller_spdm_agree(controller_spdm *s, tl_fault *fault) __attribute__((warn_unused_result));
/* Joins the data connection: *fd, the caller's to close. TL_EXIT_PEER, TL_EXIT_LINK. */
tl_exit controller_spdm_join(controller_spdm *s, int *fd, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Takes the receiver's first key; rx must have been made ready by nobody else. */
tl_exit controller_spdm_receiver(controller_spdm *s, const tl_stream_config *config, tl_stream_rx *rx,
                                 tl_buffer memory, tl_stream_sink sink, tl_fault *fault)
    __attribute__((warn_unused_result));
tl_exit controller_spdm_start(controller_spdm *s, tl_fault *fault) __attribute__((warn_unused_result));
/* While frames flow: does what is due and what has come, without waiting. */
tl_exit controller_spdm_turn(controller_spdm *s, tl_fault *fault) __attribute__((warn_unused_result));
bool controller_spdm_busy(const controller_spdm *s);
/* The receiver's events, for what they say of keys and frames. */
void controller_spdm_event(controller_spdm *s, const tl_stream_event *event);
/* Stops the stream and ends the session. The data connection is closed already. */
tl_exit controller_spdm_stop(controller_spdm *s, tl_fault *fault) __attribute__((warn_unused_result));
void controller_spdm_close(controller_spdm *s);
/* For reports; NULL without memory. */
json_t *controller_spdm_json(const controller_spdm *s);

#endif
