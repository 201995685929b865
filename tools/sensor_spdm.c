/* A responder on a socket, beside the stream that it serves. Everything about the stream comes in sessions of a controller
 * that has proved itself; the stream's keys then stand on their own. What is refused is told at once, and gives the
 * connection's exit code. Nothing here waits for one peer: an epoll descriptor sees all of them. */
#include "sensor_spdm.h"
#include "backend.h"
#include "clock.h"
#include "sensor_agree.h"
#include "stop.h"
#include "ui.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

/* ---- set-up ---- */

static tl_exit set_up_responder(sensor_spdm *s, tl_fault *fault)
{
    tl_err e;

    s->policy = tl_spdm_policy_default(TL_SPDM_RESPONDER);
    s->policy.data_transfer_size = SENSOR_SPDM_MESSAGE;
    s->source = measure_source(&s->measured);
    s->config = (tl_responder_config){
        .crypto = s->crypto,
        .policy = &s->policy,
        .families = tl_serve_all,
        .binding = &tl_transport_tcp.binding,
        .slots = &s->own.slot,
        .slots_n = s->own.slots,
        .sessions = s->session,
        .sessions_n = 1,
        .measurements = &s->source,
        .trust = s->own.has_rules ? &s->own.rules : NULL,
        .message = s->message,
        .message_n = sizeof s->message,
        .ctx = s,
        .vendor_in_clear = true,
        .vendor = sensor_agree,
    };
    e = tl_responder_init(&s->r, &s->config);
    return e == TL_OK ? TL_EXIT_OK : tl_fault_set(fault, TL_EXIT_INTERNAL, "spdm: %s", tl_err_text(e));
}

tl_exit sensor_spdm_open(sensor_spdm *s, const sensor_spdm_options *o, const stream_file *geometry,
                         const char *version, const struct backend *with, tl_fault *fault)
{
    tl_exit e;

    memset(s, 0, sizeof *s);
    s->set = -1;
    s->link.fd = -1;
    s->o = *o;
    s->geometry = *geometry;
    s->crypto = with->crypto;
    sensor_join_init(&s->stream.join, -1);
    e = spdm_identity_load(&s->own, &o->files, with->openssl, fault);
    if (e == TL_EXIT_OK)
        e = measure_take(&s->measured, geometry, version, s->crypto, fault);
    if (e == TL_EXIT_OK)
        spdm_identity_note(&s->own, with->openssl, o->files.pki, "sensor", "controller");
    return e == TL_EXIT_OK ? set_up_responder(s, fault) : e;
}

/* Gives the stream's keys back; what it was stays for reports. */
static void drop_keys(sensor_stream *stream)
{
    tl_stream_tx_wipe(&stream->tx);
    tl_key_source_wipe(&stream->sources[0]);
    tl_key_source_wipe(&stream->sources[1]);
}

/* From now on silence counts. */
static void hear(sensor_spdm *s)
{
    s->heard_ms = tl_clock_ms();
    s->patience_ms = SPDM_LINK_PATIENCE_MS;
}

void sensor_spdm_stream_over(sensor_spdm *s, uint64_t deadline_ms)
{
    bool played = s->stream.state == SENSOR_STREAM_STARTED;

    sensor_join_close(&s->stream.join, deadline_ms);
    if (s->stream.state != SENSOR_STREAM_NONE)
        drop_keys(&s->stream);
    s->stream.state = SENSOR_STREAM_NONE;
    s->stream.stop = false;
    hear(s);
    if (played)
        s->patience_ms = SENSOR_SPDM_AFTER_STREAM_MS;
}

static void end_connection(sensor_spdm *s)
{
    sensor_spdm_stream_over(s, 0);
    tl_responder_wipe(&s->r);
    spdm_link_close(&s->link);
    if (s->set >= 0)
        (void)close(s->set);
    s->set = -1;
}

void sensor_spdm_close(sensor_spdm *s)
{
    if (s->crypto != NULL)
        end_connection(s);
    tl_wipe(s, sizeof *s);
    s->set = s->link.fd = -1;
}

tl_exit sensor_spdm_begin(sensor_spdm *s, int fd, const char *peer, tl_fault *fault)
{
    struct epoll_event event = { .events = EPOLLIN };
    tl_exit e;

    end_connection(s);
    s->stream.file.stream = 0; /* none was agreed here */
    e = set_up_responder(s, fault);
    if (e != TL_EXIT_OK)
        return e;
    s->set = epoll_create1(EPOLL_CLOEXEC);
    if (s->set < 0 || epoll_ctl(s->set, EPOLL_CTL_ADD, fd, &event) != 0)
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "spdm: the connection cannot be watched");
    spdm_link_open(&s->link, fd, peer, s->o.tap);
    sensor_join_init(&s->stream.join, s->set);
    s->ended = false;
    s->refusals = 0;
    s->heard_ms = tl_clock_ms();
    return TL_EXIT_OK;
}

tl_exit sensor_spdm_end(sensor_spdm *s, tl_fault *fault)
{
    uint64_t refusals = s->refusals;

    end_connection(s);
    if (refusals == 0)
        return TL_EXIT_OK;
    *fault = s->refusal;
    return TL_EXIT_PEER;
}

/* ---- one message ---- */

static void refuse(sensor_spdm *s, const char *step, const char *why)
{
    tl_fault fault;

    fault.code = tl_fault_set(&fault, TL_EXIT_PEER, "spdm: %s: %s: %s", s->link.peer, step, why);
    ui_note("sensor", "%s", fault.text);
    if (s->refusals++ == 0)
        s->refusal = fault;
}

/* A record's request is known by where its session stands: before it is established there is only FINISH. */
static const char *step_of(const sensor_spdm *s, const tl_spdm_in *in)
{
    if (!in->secured)
        return in->n > 1 ? spdm_step_name(in->p[1]) : "half a header";
    return tl_session_established(&s->session[0]) ? "a record" : "FINISH";
}

static void tell(sensor_spdm *s, const char *step, tl_err e)
{
    const tl_chain_facts *facts = &tl_responder_peer(&s->r)->facts;
    char why[200];

    if (s->reason != NULL) {
        refuse(s, "VENDOR_DEFINED", s->reason);
    } else if (e != TL_OK && facts->why != NULL && strcmp(step, "KEY_EXCHANGE") == 0) {
        (void)snprintf(why, sizeof why, "the controller's chain: %s%s%s%s", facts->why,
                       facts->role[0] != 0 ? " (its role is " : "", facts->role,
                       facts->role[0] != 0 ? ")" : "");
        refuse(s, step, why);
    } else if (e != TL_OK) {
        refuse(s, step, tl_err_text(e));
    }
}

static tl_exit answer(sensor_spdm *s, tl_spdm_in in, tl_fault *fault)
{
    const char *step = step_of(s, &in);
    tl_spdm_out out = { .w = tl_wr_of(s->out, sizeof s->out) };
    tl_err e;

    s->reason = NULL;
    s->own.rules.now = (uint64_t)time(NULL); /* certificates expire while the sensor runs */
    e = tl_responder_step(&s->r, tl_clock_ms(), in, &out);
    tell(s, step, e);
    return spdm_link_send(&s->link, &out, fault);
}

/* Everything that has come on the SPDM connection. */
static tl_exit listen_to_link(sensor_spdm *s, tl_fault *fault)
{
    spdm_heard heard;
    tl_exit e;

    do {
        tl_spdm_in in;

        e = spdm_link_receive(&s->link, 0, &heard, &in, fault);
        if (e == TL_EXIT_OK && heard == SPDM_HEARD_END)
            s->ended = true;
        if (e != TL_EXIT_OK || heard != SPDM_HEARD_MESSAGE)
            return e;
        hear(s);
        e = answer(s, in, fault);
    } while (e == TL_EXIT_OK && s->stream.state < SENSOR_STREAM_STARTED);
    return e;
}

/* ---- waiting ---- */

static tl_exit join(sensor_spdm *s, tl_fault *fault)
{
    tl_exit e = sensor_join_turn(&s->stream.join, fault);

    if (s->stream.join.fd >= 0 && s->stream.state == SENSOR_STREAM_CHOSEN)
        s->stream.state = SENSOR_STREAM_JOINED;
    return e;
}

/* Nobody may hold the sensor in silence; while a stream plays, its own connection shows that the controller lives. */
static uint64_t patience(const sensor_spdm *s)
{
    return s->stream.state == SENSOR_STREAM_STARTED ? TL_NEVER : s->heard_ms + s->patience_ms;
}

/* The data connection of a stream that plays has something to say: its owner reads it. */
static bool data_speaks(const sensor_spdm *s)
{
    struct pollfd p = { .fd = s->stream.join.fd, .events = POLLIN };

    return s->stream.state == SENSOR_STREAM_STARTED && poll(&p, 1, 0) > 0;
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

tl_exit sensor_spdm_turn(sensor_spdm *s, uint64_t deadline_ms, tl_fault *fault)
{
    bool started = s->stream.state == SENSOR_STREAM_STARTED;
    tl_exit e = TL_EXIT_OK;

    do {
        uint64_t wake = earliest(earliest(deadline_ms, patience(s)), sensor_join_wake(&s->stream.join));
        bool ready;

        e = tl_wait(s->set, POLLIN, wake, &ready, fault);
        if (e == TL_EXIT_OK && ready)
            e = listen_to_link(s, fault);
        if (e == TL_EXIT_OK)
            e = join(s, fault);
        if (e != TL_EXIT_OK || s->ended || s->stream.stop || data_speaks(s))
            return e;
        if (tl_clock_ms() >= patience(s))
            return tl_fault_set(fault, TL_EXIT_LINK, "spdm: %s: time-out: nothing came for %d s",
                                s->link.peer, (int)(s->patience_ms / 1000));
    } while (tl_clock_ms() < deadline_ms && started == (s->stream.state == SENSOR_STREAM_STARTED));
    return e;
}
