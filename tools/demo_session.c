/* Starts both ends, joins them through the relay, lets the stream run, and collects what the controller says of it. */
#include "demo_session.h"
#include "clock.h"

#include <inttypes.h>
#include <stdio.h>

enum { START_MS = 8000, END_MS = 15000, REFUSED = TL_EXIT_REFUSED };

typedef struct ends {
    demo_child sensor, controller;
    demo_relay relay;
    char sensor_at[300];
    char report[600];
} ends;

static tl_exit start_sensor(const demo_session *s, ends *x, tl_fault *fault)
{
    char frames[24];
    const char *const arguments[] = { "sensor",  "--listen", "127.0.0.1:0", "--stream", s->stream,
                                      "--input", s->input,   "--loop",      "--once",   "--rate",
                                      "0",       "--frames", frames,        NULL };
    tl_exit e;

    (void)snprintf(frames, sizeof frames, "%" PRIu64, s->frames);
    e = demo_child_start(&x->sensor, s->folder, arguments, fault);
    if (e != TL_EXIT_OK)
        return e;
    return demo_child_address(&x->sensor, tl_clock_ms() + START_MS, x->sensor_at, sizeof x->sensor_at, fault);
}

static tl_exit start_controller(const demo_session *s, ends *x, const tl_net_name *relay, tl_fault *fault)
{
    const char *arguments[DEMO_ARGUMENTS_MAX + 1] = { "controller", "--connect", relay->text, "--stream",
                                                      s->stream,    "--report",  x->report };
    size_t n = 7;

    for (size_t i = 0; s->more[i] != NULL && n < DEMO_ARGUMENTS_MAX; i++)
        arguments[n++] = s->more[i];
    return demo_child_start(&x->controller, s->folder, arguments, fault);
}

static tl_exit read_report(demo_session *s, const ends *x, tl_fault *fault)
{
    json_error_t why;

    s->report = json_load_file(x->report, 0, &why);
    if (s->report == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "the controller's report: %s", why.text);
    return TL_EXIT_OK;
}

static tl_exit finish(demo_session *s, ends *x, tl_fault *fault)
{
    tl_exit e;

    demo_relay_close(&x->relay);
    e = demo_child_wait(&x->controller, tl_clock_ms() + END_MS, fault);
    if (e == TL_EXIT_OK)
        e = demo_child_wait(&x->sensor, tl_clock_ms() + END_MS, fault);
    if (e != TL_EXIT_OK)
        return e;
    s->code = x->controller.code;
    if (s->code != 0 && s->code != REFUSED)
        return demo_child_blame(&x->controller, fault);
    if (x->sensor.code != 0)
        return demo_child_blame(&x->sensor, fault);
    return read_report(s, x, fault);
}

tl_exit demo_session_run(demo_session *s, tl_fault *fault)
{
    ends x = { .sensor.out = -1, .controller.out = -1 };
    uint64_t started_us = tl_clock_us();
    tl_net_name at;
    tl_exit e;

    (void)snprintf(x.report, sizeof x.report, "%s/report.json", s->folder);
    e = demo_relay_open(&x.relay, &at, fault);
    if (e == TL_EXIT_OK)
        e = start_sensor(s, &x, fault);
    if (e == TL_EXIT_OK) {
        demo_step(s->steps, 0, "sensor up, process %d, on %s", (int)x.sensor.pid, x.sensor_at);
        e = start_controller(s, &x, &at, fault);
    }
    if (e == TL_EXIT_OK)
        e = demo_relay_join(&x.relay, &x.sensor, x.sensor_at, &x.controller, fault);
    if (e == TL_EXIT_OK) {
        demo_step(s->steps, 2 * TL_HELLO_SIZE, "controller connected, process %d: hellos, keys",
                  (int)x.controller.pid);
        e = demo_relay_run(&x.relay, s->hand, fault);
    }
    s->frames_sent = x.relay.frames;
    s->packets = x.relay.packets;
    s->bytes = x.relay.bytes;
    if (e == TL_EXIT_OK)
        e = finish(s, &x, fault);
    demo_relay_close(&x.relay);
    demo_child_end(&x.controller);
    demo_child_end(&x.sensor);
    s->seconds = (double)(tl_clock_us() - started_us) / 1e6;
    return e;
}
