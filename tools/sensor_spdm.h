/* The sensor's end of SPDM: a responder on a connection, the stream that is agreed in its sessions, and the stream's keys. */
#ifndef TL_TOOLS_SENSOR_SPDM_H
#define TL_TOOLS_SENSOR_SPDM_H

#include "agreement.h"
#include "measure.h"
#include "sensor_join.h"
#include "spdm_identity.h"
#include "spdm_link.h"

#include <trueline/responder.h>

struct backend;

enum {
    SENSOR_SPDM_MESSAGE = 4608,
    /* A controller that is slower than the sensor still has the last frames before it, in the buffers between the two,
     * when the sensor has sent them all: so long it may be silent then. */
    SENSOR_SPDM_AFTER_STREAM_MS = 30000
};

typedef struct sensor_spdm_options {
    spdm_identity_files files;
    tl_address data; /* where data ports are opened; port 0: a free one each time */
    uint32_t rate;   /* frames in 1000 s, for the offer */
    bool tell_port;  /* print where data ports are */
    tap *tap;        /* hears links and keys; NULL: none */
} sensor_spdm_options;

typedef enum sensor_stream_state {
    SENSOR_STREAM_NONE = 0,
    SENSOR_STREAM_CHOSEN, /* the data port is open */
    SENSOR_STREAM_JOINED, /* the data connection is there */
    SENSOR_STREAM_STARTED /* to be played, or playing */
} sensor_stream_state;

/* The agreed stream. */
typedef struct sensor_stream {
    sensor_stream_state state;
    bool stop; /* the controller wants it to end */
    stream_file file;
    uint32_t epoch;
    tl_key_source sources[2]; /* one is current, the other is that of a newer session while it takes over */
    unsigned current;
    uint8_t session[TL_DATA_TOKEN_SIZE]; /* marks the session that the last source is of: it stays, so that */
    uint32_t used;                       /* no epoch up to this one is taken from that session again */
    uint8_t controller[TL_FINGERPRINT_SIZE]; /* who chose the stream, and steers it */
    tl_stream_tx tx;                         /* from START on */
    sensor_join join;
} sensor_stream;

typedef struct sensor_spdm {
    sensor_spdm_options o;
    const tl_crypto *crypto;
    stream_file geometry;
    measure measured;
    spdm_identity own;
    tl_responder r;
    spdm_link link;
    sensor_stream stream;
    uint64_t refusals; /* of this connection */
    tl_fault refusal;  /* the first of them */
    bool ended;        /* the controller has closed the connection */
    /* private */
    tl_spdm_policy policy;
    tl_spdm_measurement_source source;
    tl_responder_config config;
    tl_spdm_session session[1];
    const char *reason;             /* why the payload at hand was refused */
    int set;                        /* epoll: everything that may say something */
    uint64_t heard_ms, patience_ms; /* when the controller spoke last, and how long it may be silent then */
    uint8_t peer_chain[TL_CHAIN_SIZE];
    uint8_t message[SENSOR_SPDM_MESSAGE], out[SPDM_LINK_MESSAGE];
} sensor_spdm;

/* Loads the files, measures. version is the program's, for the manifest. TL_EXIT_USAGE, TL_EXIT_INTERNAL. */
tl_exit sensor_spdm_open(sensor_spdm *s, const sensor_spdm_options *o, const stream_file *geometry,
                         const char *version, const struct backend *with, tl_fault *fault)
    __attribute__((warn_unused_result));
void sensor_spdm_close(sensor_spdm *s);
/* Takes a connection: whatever an earlier one agreed is gone. The descriptor stays the caller's. */
tl_exit sensor_spdm_begin(sensor_spdm *s, int fd, const char *peer, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Serves the connection until deadline_ms, until a stream is to be played, or until the data connection says something.
 * TL_EXIT_LINK: garbage, silence while no stream plays. */
tl_exit sensor_spdm_turn(sensor_spdm *s, uint64_t deadline_ms, tl_fault *fault)
    __attribute__((warn_unused_result));
/* The stream is over: its keys are wiped, its connection is closed until deadline_ms. */
void sensor_spdm_stream_over(sensor_spdm *s, uint64_t deadline_ms);
/* The connection is over: TL_EXIT_PEER with the first refusal, if there was one. */
tl_exit sensor_spdm_end(sensor_spdm *s, tl_fault *fault) __attribute__((warn_unused_result));

#endif
