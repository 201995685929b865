/* The demo's place between sensor and controller: takes the stream frame by frame and hands it on. */
#ifndef TL_TOOLS_DEMO_RELAY_H
#define TL_TOOLS_DEMO_RELAY_H

#include "demo_child.h"
#include "link.h"
#include "net.h"
#include "wire_frame.h"

/* Sees every frame before the controller does, and may change it. index counts from 0. */
typedef struct demo_hand {
    void *ctx;
    tl_exit (*frame)(void *ctx, uint64_t index, tl_wire_frame *frame, tl_fault *fault);
} demo_hand;

typedef struct demo_relay {
    uint64_t frames, packets, bytes; /* as they came from the sensor */
    size_t greeting; /* bytes that each end says first: a hello, or an agreed stream's token */
    /* private */
    demo_child *sensor, *controller;
    demo_hand hand;
    int listener, to_sensor, to_controller;
    tl_link_reader link;
    tl_wire_frame frame;
} demo_relay;

/* Listens on a free port; `name` says which. TL_EXIT_LINK, TL_EXIT_INTERNAL. */
tl_exit demo_relay_open(demo_relay *relay, tl_net_name *name, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Connects controller and sensor: dials the sensor when the controller has dialled here, and passes both greetings on. */
tl_exit demo_relay_join(demo_relay *relay, demo_child *sensor, const char *address, demo_child *controller,
                        tl_fault *fault) __attribute__((warn_unused_result));
/* Passes frames on until the sensor closes. */
tl_exit demo_relay_run(demo_relay *relay, demo_hand hand, tl_fault *fault)
    __attribute__((warn_unused_result));
void demo_relay_close(demo_relay *relay);

#endif
