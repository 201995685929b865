/* One session of the demo: a sensor and a controller as processes of their own, and the demo between them. */
#ifndef TL_TOOLS_DEMO_SESSION_H
#define TL_TOOLS_DEMO_SESSION_H

#include "demo_relay.h"
#include "demo_steps.h"
#include "tap.h"

#include <jansson.h>

/* What a controller without a report says at its end. */
typedef struct demo_totals {
    uint64_t frames_ok, frames_bad, frames_lost;
} demo_totals;

typedef struct demo_session {
    const char *folder; /* for what is gone after the demo */
    const char *stream; /* path of the stream file; NULL: the stream is agreed, by */
    const char *keys;   /* a folder of `trueline pki` */
    const char *reference;
    const char *size, *bits;    /* for the sensor */
    bool tell;                  /* each step of the agreement */
    const char *input, *crypto; /* of both ends: NULL or what --crypto takes */
    uint64_t frames;            /* 0: without end */
    const char *rate;           /* frames in a second; NULL: as fast as it goes */
    bool live;               /* a signal is its end like any other, and there is no report, only `totals` */
    tap_options record;      /* by the controller */
    const char *const *more; /* further arguments of the controller; NULL at the end */
    demo_hand hand;
    demo_steps *steps; /* told of each */
    /* what came of it */
    uint64_t frames_sent, packets, bytes;
    double seconds;
    int code;       /* the controller's exit code */
    json_t *report; /* the controller's; the caller's to json_decref */
    demo_totals totals;
} demo_session;

/* Runs it to its end. The children are gone when it returns, whatever happens. A controller that refused frames is no
 * fault here, a child that failed otherwise is. */
tl_exit demo_session_run(demo_session *session, tl_fault *fault) __attribute__((warn_unused_result));

#endif
