/* A relay that holds each frame back until its end has come, so that whoever has a hand on the wire can change all of
 * it. It knows no key: packets are told apart by their CSI-2 headers alone. */
#include "demo_relay.h"
#include "clock.h"
#include "stop.h"

#include <poll.h>
#include <unistd.h>

enum { JOIN_MS = 8000, LOOK_MS = 50, READ_AT_ONCE = 64 };

tl_exit demo_relay_open(demo_relay *relay, tl_net_name *name, tl_fault *fault)
{
    tl_address here;
    tl_exit e;

    *relay = (demo_relay){ .greeting = TL_HELLO_SIZE, .listener = -1, .to_sensor = -1, .to_controller = -1 };
    e = tl_address_parse("127.0.0.1:0", &here, fault);
    return e == TL_EXIT_OK ? tl_net_listen(&here, &relay->listener, name, fault) : e;
}

/* The end of a child explains a link that failed better than the link does. */
static tl_exit explain(demo_relay *relay, tl_exit e, tl_fault *fault)
{
    demo_child *children[] = { relay->sensor, relay->controller };
    uint64_t deadline_ms = tl_clock_ms() + 20 * LOOK_MS;
    bool ready;

    if (e != TL_EXIT_LINK)
        return e;
    do {
        /* Whoever was killed explains what the other one says. */
        for (int i = 0; i < 2; i++)
            if (demo_child_ended(children[i]) && demo_child_killed(children[i]))
                return demo_child_blame(children[i], fault);
        for (int i = 0; i < 2; i++)
            if (demo_child_ended(children[i]) && children[i]->code != 0)
                return demo_child_blame(children[i], fault);
    } while (tl_clock_ms() < deadline_ms &&
             tl_wait(-1, 0, tl_clock_ms() + LOOK_MS, &ready, &(tl_fault){ 0 }) == TL_EXIT_OK);
    return e;
}

static tl_exit accept_controller(demo_relay *relay, tl_fault *fault)
{
    uint64_t deadline_ms = tl_clock_ms() + JOIN_MS;
    tl_net_name peer;
    tl_exit e = TL_EXIT_OK;

    while (e == TL_EXIT_OK && relay->to_controller < 0) {
        e = tl_net_accept(relay->listener, tl_clock_ms() + LOOK_MS, &relay->to_controller, &peer, fault);
        if (e == TL_EXIT_OK && relay->to_controller < 0 &&
            (demo_child_ended(relay->controller) || tl_clock_ms() > deadline_ms))
            e = tl_fault_set(fault, TL_EXIT_LINK, "the controller did not connect");
    }
    return e;
}

static tl_exit pass_greeting(const demo_relay *relay, int from, int to, const char *what, tl_fault *fault)
{
    uint8_t greeting[TL_HELLO_SIZE + TL_DATA_TOKEN_SIZE];
    uint64_t deadline_ms = tl_clock_ms() + JOIN_MS;
    tl_exit e = tl_net_receive(from, greeting, relay->greeting, deadline_ms, what, fault);

    return e == TL_EXIT_OK ? tl_net_send(to, greeting, relay->greeting, deadline_ms, what, fault) : e;
}

tl_exit demo_relay_join(demo_relay *relay, demo_child *sensor, const char *address, demo_child *controller,
                        tl_fault *fault)
{
    tl_address there;
    tl_net_name peer;
    tl_exit e;

    relay->sensor = sensor;
    relay->controller = controller;
    e = tl_address_parse(address, &there, fault);
    if (e == TL_EXIT_OK)
        e = accept_controller(relay, fault);
    if (e == TL_EXIT_OK)
        e = tl_net_connect(&there, tl_clock_ms() + JOIN_MS, &relay->to_sensor, &peer, fault);
    if (e == TL_EXIT_OK)
        e = pass_greeting(relay, relay->to_controller, relay->to_sensor, "the controller's first bytes",
                          fault);
    if (e == TL_EXIT_OK)
        e = pass_greeting(relay, relay->to_sensor, relay->to_controller, "the sensor's first bytes", fault);
    if (e == TL_EXIT_OK)
        e = tl_link_reader_open(&relay->link, relay->to_sensor, fault);
    return explain(relay, e, fault);
}

static tl_exit hand_on(demo_relay *relay, tl_fault *fault)
{
    tl_wire_frame *frame = &relay->frame;
    tl_span packets[TL_LINK_GATHER];
    tl_exit e = relay->hand.frame(relay->hand.ctx, relay->frames, frame, fault);

    for (size_t done = 0, n; e == TL_EXIT_OK && done < frame->n; done += n) {
        for (n = 0; n < TL_LINK_GATHER && done + n < frame->n; n++)
            packets[n] = tl_wire_packet(frame, done + n);
        e = tl_link_write(relay->to_controller, packets, n, fault);
    }
    relay->frames++;
    tl_wire_clear(frame);
    return e;
}

static tl_exit take_packets(demo_relay *relay, const tl_buffer *packets, size_t n, tl_fault *fault)
{
    tl_exit e = TL_EXIT_OK;

    for (size_t i = 0; i < n && e == TL_EXIT_OK; i++) {
        relay->packets++;
        relay->bytes += TL_LINK_PREFIX + packets[i].n;
        if (tl_wire_insert(&relay->frame, relay->frame.n, tl_span_of(packets[i].p, packets[i].n)) != TL_OK)
            return tl_fault_set(fault, TL_EXIT_INTERNAL, "relay: no memory for a frame");
        if (tl_link_ends_frame(&packets[i]))
            e = hand_on(relay, fault);
    }
    return e;
}

/* The controller may have had enough before the sensor has sent all: what it says goes to the sensor. */
static tl_exit run(demo_relay *relay, tl_fault *fault)
{
    tl_buffer packets[READ_AT_ONCE];
    tl_link_batch batch = { .packets = packets, .room = READ_AT_ONCE, .state = TL_LINK_QUIET };

    while (batch.state != TL_LINK_CLOSED) {
        tl_exit e = tl_link_read(&relay->link, tl_clock_ms() + LOOK_MS, &batch, fault);

        if (e == TL_EXIT_OK && batch.state == TL_LINK_PACKETS)
            e = take_packets(relay, packets, batch.n, fault);
        if (e == TL_EXIT_OK && tl_stop_asked())
            e = tl_fault_set(fault, TL_EXIT_STOPPED, "stopped by a signal");
        if (e != TL_EXIT_OK)
            return e;
    }
    return relay->frame.n == 0
               ? TL_EXIT_OK
               : tl_fault_set(fault, TL_EXIT_LINK, "the sensor closed the connection inside a frame");
}

tl_exit demo_relay_run(demo_relay *relay, demo_hand hand, tl_fault *fault)
{
    tl_exit e;

    relay->hand = hand;
    e = run(relay, fault);
    return explain(relay, e, fault);
}

void demo_relay_close(demo_relay *relay)
{
    int *const open[] = { &relay->listener, &relay->to_sensor, &relay->to_controller };

    for (int i = 0; i < 3; i++) {
        if (*open[i] >= 0)
            (void)close(*open[i]);
        *open[i] = -1;
    }
    tl_link_reader_close(&relay->link);
    tl_wire_free(&relay->frame);
}
