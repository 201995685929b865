/* The controller's half of a one-way stream: announcements make and change its receiver, packets go to it. */
#ifndef TL_TOOLS_CONTROLLER_ONEWAY_H
#define TL_TOOLS_CONTROLLER_ONEWAY_H

#include "oneway.h"
#include "tap.h"
#include "way.h"

typedef struct controller_oneway {
    way_in in;
    tl_net_name name; /* where packets are expected */
    /* private */
    oneway_receiver receiver;
    tl_stream_rx *rx; /* the caller's; open while *rx_open */
    bool *rx_open;
    tl_buffer memory;
    tl_stream_sink sink;
    tap *tap;          /* hears the keys */
    bool joining;      /* no frame of this start was seen yet */
    uint64_t saved_ms; /* when the state was */
    uint64_t early;    /* packets before the first announcement: dropped */
    uint64_t starts;   /* announcements that began a receiver */
    uint64_t replayed; /* frames that verified again after a restart: refused */
    tl_fault refusal;  /* the first announcement that was refused */
} controller_oneway;

/* What a receiver is made of, when it is known that there is one. */
typedef struct controller_oneway_parts {
    const char *from, *state; /* state: NULL for none */
    const stream_file *file;
    const tl_crypto *crypto;
    tl_stream_rx *rx;
    bool *rx_open;
    tl_buffer memory;
    tl_stream_sink sink;
    tap *tap; /* NULL: none */
} controller_oneway_parts;

tl_exit controller_oneway_open(controller_oneway *o, const controller_oneway_parts *parts, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Takes packets as they came: those of announcements, and the rest to the receiver. TL_EXIT_INTERNAL. */
tl_exit controller_oneway_packets(controller_oneway *o, const tl_buffer *packets, size_t n, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Looks at an event before anybody else. False: it is of a replay, or tells only that we came late, and is not to be used. */
bool controller_oneway_event(controller_oneway *o, const tl_stream_event *event);
/* Saves what was seen, once a second. */
tl_exit controller_oneway_turn(controller_oneway *o, tl_fault *fault) __attribute__((warn_unused_result));
/* At the end of receiving, which gave `e`: saves, and names what was refused. Gives e, or the fault of saving. */
tl_exit controller_oneway_end(controller_oneway *o, tl_exit e, tl_fault *fault);
/* The caller's to json_decref. */
json_t *controller_oneway_json(const controller_oneway *o);
/* Waits for the first packet, or the producer, as long as it takes; says once that nothing has come. */
tl_exit controller_oneway_meet(controller_oneway *o, tl_fault *fault) __attribute__((warn_unused_result));
void controller_oneway_close(controller_oneway *o);

#endif
