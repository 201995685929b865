/* Starts both ends, joins them through the relay, lets the stream run, and collects what the controller says of it. */
#include "demo_session.h"
#include "clock.h"
#include "stop.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { START_MS = 8000, END_MS = 15000, REFUSED = TL_EXIT_REFUSED };

typedef struct ends {
    demo_child sensor, controller;
    demo_relay relay;
    char sensor_at[300];
    char report[600];
} ends;

/* Adds arguments to a list that NULL ends. */
static void add(const char **list, const char *const *more)
{
    size_t n = 0;

    while (list[n] != NULL)
        n++;
    for (size_t i = 0; more[i] != NULL && n < DEMO_ARGUMENTS_MAX; i++)
        list[n++] = more[i];
    list[n] = NULL;
}

static void add_crypto(const char *list[DEMO_ARGUMENTS_MAX + 1], const demo_session *s)
{
    const char *const more[] = { "--crypto", s->crypto, NULL };

    if (s->crypto != NULL)
        add(list, more);
}

static tl_exit start_sensor(const demo_session *s, ends *x, tl_fault *fault)
{
    char frames[24], pki[700], root[700];
    const char *all[DEMO_ARGUMENTS_MAX + 1] = { "sensor",  "--listen", "127.0.0.1:0",
                                                "--input", s->input,   "--loop",
                                                "--once",  "--rate",   s->rate != NULL ? s->rate : "0" };
    const char *const limited[] = { "--frames", frames, NULL };
    const char *const provisioned[] = { "--stream", s->stream, NULL };
    const char *const agreed[] = { "--pki",  pki,     "--trust", root,    "--data", "127.0.0.1:0",
                                   "--size", s->size, "--bits",  s->bits, NULL };
    tl_exit e;

    (void)snprintf(frames, sizeof frames, "%" PRIu64, s->frames);
    (void)snprintf(pki, sizeof pki, "%s/sensor", s->keys);
    (void)snprintf(root, sizeof root, "%s/root.pem", s->keys);
    add(all, s->stream != NULL ? provisioned : agreed);
    if (s->frames > 0)
        add(all, limited);
    add_crypto(all, s);
    e = demo_child_start(&x->sensor, s->folder, all, fault);
    return e == TL_EXIT_OK ? demo_child_address(&x->sensor, "listening on ", tl_clock_ms() + START_MS,
                                                x->sensor_at, sizeof x->sensor_at, fault)
                           : e;
}

static tl_exit start_controller(const demo_session *s, ends *x, const tl_net_name *relay, tl_fault *fault)
{
    char pki[700], root[700];
    const char *all[DEMO_ARGUMENTS_MAX + 1] = { "controller" };
    const char *const reported[] = { "--report", x->report, NULL };
    const char *const captured[] = { "--capture", s->record.capture, NULL };
    const char *const named[] = { "--capture-name", s->record.name, NULL };
    const char *const exported[] = { "--export-secrets", s->record.secrets, NULL };
    const char *const provisioned[] = { "--connect", relay->text, "--stream", s->stream, NULL };
    const char *const agreed[] = { "--connect", x->sensor_at, "--data",      relay->text,  "--pki",   pki,
                                   "--trust",   root,         "--reference", s->reference, "--steps", NULL };

    (void)snprintf(pki, sizeof pki, "%s/controller", s->keys);
    (void)snprintf(root, sizeof root, "%s/root.pem", s->keys);
    add(all, s->stream != NULL ? provisioned : agreed);
    if (!s->live)
        add(all, reported);
    if (s->record.capture != NULL)
        add(all, captured);
    if (s->record.capture != NULL && s->record.name != NULL)
        add(all, named);
    if (s->record.secrets != NULL)
        add(all, exported);
    add(all, s->more);
    add_crypto(all, s);
    return demo_child_start(&x->controller, s->folder, all, fault);
}

/* The controller's exchanges with the sensor, to the moment when they have agreed. */
static tl_exit follow_agreement(const demo_session *s, ends *x, tl_fault *fault)
{
    char line[200];
    tl_exit e;

    for (;;) {
        unsigned bytes;
        double seconds;
        int at = 0;

        e = demo_child_line(&x->controller, tl_clock_ms() + START_MS, line, sizeof line, fault);
        if (e != TL_EXIT_OK || strncmp(line, "agreed ", 7) == 0)
            break;
        if (strncmp(line, "view on ", 8) == 0)
            demo_step(s->steps, 0, "the view is on %s", line + 8);
        if (s->tell && sscanf(line, "step %u %lf %n", &bytes, &seconds, &at) == 2 && at > 0)
            demo_step_timed(s->steps, seconds, bytes, "%s", line + at);
    }
    if (e == TL_EXIT_OK && s->tell)
        demo_step(s->steps, 0, "agreed with %s", line + 7);
    return e == TL_EXIT_OK ? demo_child_address(&x->sensor, "data on ", tl_clock_ms() + START_MS,
                                                x->sensor_at, sizeof x->sensor_at, fault)
                           : e;
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
    /* Whoever was killed explains what the other one says. */
    if (demo_child_killed(&x->sensor))
        return demo_child_blame(&x->sensor, fault);
    if (s->code != 0 && s->code != REFUSED)
        return demo_child_blame(&x->controller, fault);
    if (x->sensor.code != 0)
        return demo_child_blame(&x->sensor, fault);
    return read_report(s, x, fault);
}

/* A signal has come: tl_wait would not wait any more. */
static void wait_stopped(demo_child *child)
{
    uint64_t deadline_ms = tl_clock_ms() + END_MS;

    while (!demo_child_ended(child) && tl_clock_ms() < deadline_ms)
        (void)nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
}

static tl_exit read_totals(demo_session *s, const ends *x, tl_fault *fault)
{
    char said[4096];
    const char *line = NULL;
    size_t n = 0;
    ssize_t got;

    while (n + 1 < sizeof said && (got = read(x->controller.out, said + n, sizeof said - 1 - n)) > 0)
        n += (size_t)got;
    said[n] = 0;
    line = strstr(said, "frames_ok=");
    if (line == NULL || sscanf(line, "frames_ok=%" SCNu64 " frames_bad=%" SCNu64 " frames_lost=%" SCNu64,
                               &s->totals.frames_ok, &s->totals.frames_bad, &s->totals.frames_lost) != 3)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "the controller said no totals");
    return TL_EXIT_OK;
}

/* Both ends may have had the signal, too: whoever heard it first has closed the connection. */
static tl_exit finish_live(demo_session *s, ends *x, tl_exit e, tl_fault *fault)
{
    bool stopped = tl_stop_asked() && (e == TL_EXIT_LINK || e == TL_EXIT_STOPPED);

    if (e != TL_EXIT_OK && !stopped)
        return e;
    demo_relay_close(&x->relay);
    wait_stopped(&x->controller);
    if (!demo_child_ended(&x->controller))
        return tl_fault_set(fault, TL_EXIT_LINK, "controller: does not end");
    s->code = x->controller.code;
    if (s->code != 0 && s->code != REFUSED && !(stopped && s->code == TL_EXIT_LINK))
        return demo_child_blame(&x->controller, fault);
    return read_totals(s, x, fault);
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
    if (e == TL_EXIT_OK && s->stream == NULL) {
        x.relay.greeting = TL_DATA_TOKEN_SIZE;
        e = follow_agreement(s, &x, fault);
    }
    if (e == TL_EXIT_OK)
        e = demo_relay_join(&x.relay, &x.sensor, x.sensor_at, &x.controller, fault);
    if (e == TL_EXIT_OK) {
        demo_step(s->steps, 2 * x.relay.greeting, "controller connected, process %d: %s",
                  (int)x.controller.pid,
                  s->stream != NULL ? "hellos, keys" : "tokens of the session on the data connection");
        e = demo_relay_run(&x.relay, s->hand, fault);
    }
    s->frames_sent = x.relay.frames;
    s->packets = x.relay.packets;
    s->bytes = x.relay.bytes;
    if (s->live)
        e = finish_live(s, &x, e, fault);
    else if (e == TL_EXIT_OK)
        e = finish(s, &x, fault);
    demo_relay_close(&x.relay);
    demo_child_end(&x.controller);
    demo_child_end(&x.sensor);
    s->seconds = (double)(tl_clock_us() - started_us) / 1e6;
    return e;
}
