/* `trueline sensor`: listens, and plays pictures to one controller at a time as a protected stream. With --pki it proves who
 * it is by SPDM, and the stream is agreed in a session of a controller that has proved itself, too; with --stream both ends
 * have a file, and a hello gives each connection its own keys. */
#include "backend.h"
#include "clock.h"
#include "command.h"
#include "frame_sender.h"
#include "hello.h"
#include "input_client.h"
#include "link.h"
#include "net.h"
#include "oneway.h"
#include "protection.h"
#include "self_check.h"
#include "sensor_spdm.h"
#include "stop.h"
#include "stream_file.h"
#include "tap.h"
#include "ui.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NAME "sensor"

enum {
    OPT_ONCE = 0x100,
    OPT_TO,
    OPT_STATE,
    OPT_RATE,
    OPT_LOOP,
    OPT_JSON,
    OPT_CARRIER,
    OPT_CRYPTO,
    OPT_CHANNEL,
    OPT_PKI,
    OPT_TRUST,
    OPT_CRL,
    OPT_ROLE,
    OPT_DATA,
    OPT_MEASUREMENTS,
    OPT_SIZE,
    OPT_BITS,
    OPT_EMBEDDED
};

enum {
    SLOWEST_PERIOD_US = 4000000, /* a controller's patience is 5 s */
    CLOSE_MS = 1000,
    DIAL_MS = 5000 /* of a ring's consumer */
};

typedef struct sensor_options {
    const char *listen, *input, *stream;
    const char *to, *state; /* a one-way link */
    uint64_t frames;
    double rate; /* negative: the input's own */
    bool once, loop, json, measurements;
    uint8_t virtual_channel;
    tl_carrier carrier;
    backend_level crypto;
    spdm_identity_files files;
    const char *data;
    uint32_t width, height, bits, embedded_top, embedded_bottom; /* of an agreed stream; 0: the default */
    bool embedded;
    tap_options tap;
} sensor_options;

typedef struct sensor {
    sensor_options o;
    stream_file file;
    backend backend;
    const tl_crypto *crypto;
    tl_input *input;
    uint16_t *samples; /* one frame */
    frame_sender sender;
    way_out out;
    tap tap;
    oneway_sender oneway; /* with --to */
    uint64_t announce_ms; /* when the next announcement is due */
    sensor_spdm spdm;     /* with --pki */
    int listener;
    bool told;      /* the last fault was told when it happened */
    bool own_fault; /* the last fault is the sensor's, not the connection's: no use in listening on */
    uint64_t connections, frames;
    ui_progress progress;
} sensor;

static const struct argp_option options[] = {
    { "listen", 'l', "HOST:PORT", 0, "where to listen (" TL_NET_DEFAULT "); port 0 takes a free one", 1 },
    { "input", 'i', "INPUT", 0, "scene, scene:WIDTHxHEIGHT, a picture, a video, or a device (scene)", 1 },
    { "pki", OPT_PKI, "DIR", 0, "chain.pem and key.pem of this sensor: it proves itself by SPDM", 1 },
    { "stream", 's', "FILE", 0, "instead: a stream file, from `trueline stream new`", 1 },
    { "to", OPT_TO, "WAY", 0,
      "with --stream: do not listen, send one way: udp:HOST:PORT or ring:PATH; one stream, carrier sep only",
      1 },
    { "state", OPT_STATE, "FILE", 0, "with --to: remember starts, so that they rise whatever the clock says",
      1 },
    { "frames", 'n', "N", 0, "end each connection after N frames", 2 },
    { "once", OPT_ONCE, NULL, 0, "serve one controller and exit with that connection's code", 2 },
    { "rate", OPT_RATE, "FPS", 0, "frames in a second, 0: as fast as it goes (the input's own rate)", 2 },
    { "loop", OPT_LOOP, NULL, 0, "begin the input again when it ends; a picture is one frame", 2 },
    { "virtual-channel", OPT_CHANNEL, "N", 0, "CSI-2 virtual channel, 0 to 3 (0)", 2 },
    { "carrier", OPT_CARRIER, "sep|fsed", 0,
      "headers and tags around each line, or in packets of their own beside plain lines, which a controller "
      "verifies by whole frames, not over --to (sep)",
      2 },
    { "json", OPT_JSON, NULL, 0, "at the end one JSON object on stdout", 3 },
    { "crypto", OPT_CRYPTO, "NAME", 0, BACKEND_OPTION_TEXT, 3 },
    { 0, 0, NULL, 0, "With --pki:", 4 },
    { "trust", OPT_TRUST, "FILE", 0, "roots of controllers; without it, controllers can only attest", 4 },
    { "crl", OPT_CRL, "FILE", 0, "revocation lists for them", 4 },
    { "controller-role", OPT_ROLE, "ROLE", 0, "role that their certificates must name (controller)", 4 },
    { "measurements", OPT_MEASUREMENTS, NULL, 0, "print the reference of what is measured, and exit", 4 },
    { "size", OPT_SIZE, "WIDTHxHEIGHT", 0, "pixels (1280x720)", 4 },
    { "bits", OPT_BITS, "10|12", 0, "RAW10 or RAW12 (12)", 4 },
    { "embedded", OPT_EMBEDDED, "N,N", 0, "lines of embedded data before the pixels, and behind them (2,2)",
      4 },
    { "data", OPT_DATA, "HOST:PORT", 0, "where data ports are opened (the host of --listen, a free port)",
      4 },
    { 0 },
};

static void parse_size(struct argp_state *state, const char *arg, sensor_options *o)
{
    int end = 0;

    if (sscanf(arg, "%5ux%5u%n", &o->width, &o->height, &end) != 2 || arg[end] != '\0' || o->width == 0 ||
        o->height == 0)
        argp_error(state, "--size: '%s': give WIDTHxHEIGHT, such as 1280x720", arg);
}

static void parse_embedded(struct argp_state *state, const char *arg, sensor_options *o)
{
    int end = 0;

    if (sscanf(arg, "%3u,%3u%n", &o->embedded_top, &o->embedded_bottom, &end) != 2 || arg[end] != '\0')
        argp_error(state, "--embedded: '%s': give two numbers of lines, such as 2,2", arg);
    o->embedded = true;
}

static void check_options(struct argp_state *state, const sensor_options *o)
{
    const bool pki = o->files.pki != NULL;
    const ui_need needs[] = {
        { "--trust", o->files.trust != NULL, "--pki", pki },
        { "--crl", o->files.crl != NULL, "--trust", o->files.trust != NULL },
        { "--controller-role", o->files.role != NULL, "--trust", o->files.trust != NULL },
        { "--measurements", o->measurements, "--pki", pki },
        { "--size", o->width != 0, "--pki: a stream file has a size", pki },
        { "--bits", o->bits != 0, "--pki: a stream file has its bits", pki },
        { "--embedded", o->embedded, "--pki: a stream file has its lines", pki },
        { "--data", o->data != NULL, "--pki", pki },
        { "--state", o->state != NULL, "--to", o->to != NULL },
        { "--to", o->to != NULL, "--stream: nobody can answer on a one-way link", o->stream != NULL },
        { "--to", o->to != NULL, "no --listen: nobody is listened to", o->listen == NULL },
    };

    if (o->stream == NULL && o->files.pki == NULL)
        argp_error(state, "give --pki DIR, or a stream file: --stream FILE");
    if (o->stream != NULL && o->files.pki != NULL)
        argp_error(state, "--pki and --stream: one of them");
    ui_check_needs(state, needs, sizeof needs / sizeof *needs);
    if (o->to != NULL && o->carrier == TL_CARRIER_FSED)
        argp_error(state, "--to and --carrier fsed: a one-way link takes carrier sep only");
}

static error_t parse_spdm(int key, char *arg, struct argp_state *state)
{
    sensor_options *o = state->input;

    switch (key) {
    case OPT_PKI: o->files.pki = arg; return 0;
    case OPT_TRUST: o->files.trust = arg; return 0;
    case OPT_CRL: o->files.crl = arg; return 0;
    case OPT_ROLE: o->files.role = arg; return 0;
    case OPT_DATA: o->data = arg; return 0;
    case OPT_MEASUREMENTS: o->measurements = true; return 0;
    case OPT_SIZE: parse_size(state, arg, o); return 0;
    case OPT_BITS: o->bits = ui_one_of(state, "--bits", arg, stream_file_bits, 2); return 0;
    case OPT_EMBEDDED: parse_embedded(state, arg, o); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    sensor_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &o->tap; return 0;
    case 'l': o->listen = arg; return 0;
    case 'i': o->input = arg; return 0;
    case 's': o->stream = arg; return 0;
    case 'n': o->frames = ui_number(state, "--frames", arg, 1, UINT32_MAX); return 0;
    case OPT_ONCE: o->once = true; return 0;
    case OPT_TO: o->to = arg; return 0;
    case OPT_STATE: o->state = arg; return 0;
    case OPT_RATE:
        o->rate = ui_real(state, "--rate", arg, 0, 100000);
        if (o->rate > 0 && o->rate < 1e6 / SLOWEST_PERIOD_US)
            argp_error(state, "--rate: '%s': give 0, or %g and more", arg, 1e6 / SLOWEST_PERIOD_US);
        return 0;
    case OPT_LOOP: o->loop = true; return 0;
    case OPT_CHANNEL:
        o->virtual_channel = (uint8_t)ui_number(state, "--virtual-channel", arg, 0, 3);
        return 0;
    case OPT_CARRIER: o->carrier = protection_carrier_option(state, "--carrier", arg); return 0;
    case OPT_JSON: o->json = true; return 0;
    case OPT_CRYPTO: o->crypto = backend_level_option(state, "--crypto", arg); return 0;
    case ARGP_KEY_ARG: argp_error(state, "'%s' is too much; the input is given by --input", arg); return 0;
    case ARGP_KEY_END: check_options(state, o); return 0;
    default: return parse_spdm(key, arg, state);
    }
}

static const struct argp_child children[] = { { &tap_named_argp, 0, "Recording:", 5 }, { 0 } };

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .children = children,
    .doc = "Plays an input as a protected CSI-2 stream to one controller at a time. It prints where it "
           "listens, and goes on listening after a controller has left; SIGINT ends it."
           "\vExamples:\n"
           "  trueline sensor --stream cam.json\n"
           "  trueline sensor --stream cam.json --input clip.mp4 --loop\n"
           "  trueline sensor --stream cam.json --input photo.jpg --once --frames 1\n"
           "  trueline sensor --stream cam.json --listen 127.0.0.1:0 --rate 0\n"
           "  trueline sensor --stream cam.json --to udp:127.0.0.1:5004\n"
           "  trueline sensor --stream cam.json --once --frames 30 \\\n"
           "      --capture run.pcapng --export-secrets run.keys\n",
};

/* ---- one connection ---- */

static tl_exit open_input(sensor *s, tl_fault *fault)
{
    const tl_input_options o = {
        .source = s->o.input,
        .width = s->file.width,
        .height = s->file.height,
        .bits = s->file.bits,
        .loop = s->o.loop,
        .frames = s->o.frames,
    };
    char why[400];
    int code = tl_input_open(&o, &s->input, why, sizeof why);

    s->own_fault = code != 0;
    if (code != 0)
        return tl_fault_set(fault, (tl_exit)code, "input: %s", why);
    if (tl_input_width(s->input) != s->file.width || tl_input_height(s->input) != s->file.height ||
        tl_input_bits(s->input) != s->file.bits) {
        s->own_fault = true;
        return tl_fault_set(fault, TL_EXIT_USAGE,
                            "input: %s: %ux%u, %u bits; the stream file says %ux%u, %u bits", s->o.input,
                            tl_input_width(s->input), tl_input_height(s->input), tl_input_bits(s->input),
                            s->file.width, s->file.height, s->file.bits);
    }
    return TL_EXIT_OK;
}

/* Microseconds from frame to frame; 0: as fast as it goes. */
static uint64_t period_us(const sensor *s)
{
    uint32_t n, d;
    double period;

    if (s->o.rate == 0)
        return 0;
    if (s->o.rate > 0)
        return (uint64_t)(1e6 / s->o.rate);
    tl_input_rate(s->input, &n, &d);
    period = n > 0 && d > 0 ? 1e6 * d / n : 1e6 / 30;
    return period > SLOWEST_PERIOD_US ? SLOWEST_PERIOD_US : (uint64_t)period;
}

/* What the controller says between two frames, on either connection, until the next one is due. */
static tl_exit hear(sensor *s, int fd, uint64_t due_ms, bool *enough, tl_fault *fault)
{
    bool spdm = s->o.files.pki != NULL, ready = true;
    tl_exit e = spdm ? sensor_spdm_turn(&s->spdm, due_ms, fault) : tl_wait(fd, POLLIN, due_ms, &ready, fault);

    *enough = e == TL_EXIT_OK && s->spdm.stream.stop;
    if (e != TL_EXIT_OK || *enough || !ready)
        return e;
    e = tl_link_heard_enough(fd, enough, fault);
    if (e == TL_EXIT_OK && !*enough && s->spdm.ended)
        return tl_fault_set(fault, TL_EXIT_LINK, "spdm: the controller is lost: the connection was closed");
    return e;
}

/* Waits until the next frame is due or the controller has enough. */
static tl_exit wait_for_turn(sensor *s, int fd, uint64_t due_us, bool *enough, tl_fault *fault)
{
    uint64_t due_ms = due_us > tl_clock_us() ? (due_us + 999) / 1000 : 0;
    bool ready;
    tl_exit e = hear(s, fd, due_ms, enough, fault);

    if (e != TL_EXIT_OK || *enough)
        return e;
    /* Half a word: that must not make the next frame come early. */
    return tl_wait(-1, 0, due_ms, &ready, fault);
}

static void show_progress(sensor *s)
{
    ui_counts counts = { .frames_ok = s->frames, .bytes = s->sender.bytes };

    ui_progress_show(&s->progress, &counts);
}

/* A packet of its own before the first frame, and once a second: receivers may come at any time. */
static tl_exit announce(sensor *s, tl_fault *fault)
{
    uint8_t packet[ONEWAY_PACKET_SIZE];
    const tl_span span = tl_span_of(packet, sizeof packet);
    tl_exit e;

    if (s->o.to == NULL || tl_clock_ms() < s->announce_ms)
        return TL_EXIT_OK;
    s->announce_ms = tl_clock_ms() + ONEWAY_EVERY_MS;
    e = oneway_sender_packet(&s->oneway, 0, s->o.virtual_channel, packet, fault);
    return e == TL_EXIT_OK ? way_out_write(&s->out, &span, 1, fault) : e;
}

/* The receiver has enough, and may close while a frame is under way. */
static bool is_over(const sensor *s, int fd)
{
    bool enough = false;

    if (s->o.to != NULL)
        return way_out_is_over(&s->out);
    return tl_link_heard_enough(fd, &enough, &(tl_fault){ 0 }) == TL_EXIT_OK && enough;
}

/* Frames until the input ends, the controller has enough, or something fails. */
static tl_exit play_frames(sensor *s, tl_stream_tx *tx, int fd, uint64_t *sent, tl_fault *fault)
{
    uint64_t period = period_us(s), due_us = tl_clock_us();
    uint32_t frame = s->file.first_frame;

    for (*sent = 0; s->o.frames == 0 || *sent < s->o.frames; ++*sent) {
        bool enough;
        int got;
        tl_exit e = wait_for_turn(s, fd, due_us, &enough, fault);

        if (e != TL_EXIT_OK || enough)
            return e;
        got = tl_input_frame(s->input, s->samples);
        if (got < 0) {
            s->own_fault = true;
            return tl_fault_set(fault, (tl_exit)tl_input_code(s->input), "input: %s", tl_input_why(s->input));
        }
        if (got == 0)
            return TL_EXIT_OK;
        e = announce(s, fault);
        if (e == TL_EXIT_OK)
            e = frame_sender_send(&s->sender, tx, &s->out, (sensor_frame){ frame++, s->samples }, fault);
        if (e != TL_EXIT_OK)
            return e == TL_EXIT_LINK && is_over(s, fd) ? TL_EXIT_OK : e;
        s->frames++;
        show_progress(s);
        due_us += period;
        if (due_us + 1000000 < tl_clock_us()) /* far behind: a slow input is no reason to hurry later */
            due_us = tl_clock_us();
    }
    return TL_EXIT_OK;
}

/* A stream, and what is recorded of it. */
static tl_exit play(sensor *s, tl_stream_tx *tx, int fd, uint64_t *sent, tl_fault *fault)
{
    tl_exit e;

    if (s->o.to == NULL)
        s->out = way_out_of_socket(fd);
    s->out.tap = &s->tap;
    tap_stream(&s->tap, &s->file);
    e = play_frames(s, tx, fd, sent, fault);
    tap_flush(&s->tap);
    return e;
}

/* The stream that was agreed and started, to its end. */
static tl_exit play_agreed(sensor *s, tl_fault *fault)
{
    sensor_stream *stream = &s->spdm.stream;
    uint64_t sent = 0;
    tl_exit e = TL_EXIT_OK;

    s->file = stream->file;
    if (s->input == NULL)
        e = open_input(s, fault);
    if (e == TL_EXIT_OK)
        e = play(s, &stream->tx, stream->join.fd, &sent, fault);
    tl_input_close(s->input);
    s->input = NULL;
    ui_progress_clear(&s->progress);
    ui_note(NAME, "%s: %llu frames sent", s->spdm.link.peer, (unsigned long long)sent);
    sensor_spdm_stream_over(&s->spdm, e == TL_EXIT_OK ? tl_clock_ms() + CLOSE_MS : 0);
    return e;
}

/* What was refused outweighs a connection that failed then. */
static tl_exit serve_spdm(sensor *s, int fd, const char *peer, tl_fault *fault)
{
    tl_exit e = sensor_spdm_begin(&s->spdm, fd, peer, fault), x;
    tl_fault refusal;

    while (e == TL_EXIT_OK && !s->spdm.ended) {
        e = sensor_spdm_turn(&s->spdm, TL_NEVER, fault);
        if (e == TL_EXIT_OK && s->spdm.stream.state == SENSOR_STREAM_STARTED)
            e = play_agreed(s, fault);
        else if (e == TL_EXIT_OK && s->spdm.stream.stop)
            sensor_spdm_stream_over(&s->spdm, 0);
    }
    x = sensor_spdm_end(&s->spdm, &refusal);
    if (x == TL_EXIT_OK || (e != TL_EXIT_OK && e != TL_EXIT_LINK))
        return e;
    *fault = refusal;
    s->told = true;
    return x;
}

/* The stream of one start, from its first announcement on. */
static tl_exit send_oneway(sensor *s, const char *name, tl_fault *fault)
{
    tl_key_source source;
    tl_stream_tx tx;
    uint64_t sent = 0;
    tl_err err;
    tl_exit e = oneway_sender_source(&s->oneway, &source, fault);

    if (e != TL_EXIT_OK)
        return e;
    tap_key(&s->tap, &source, &s->file.config, 0);
    err = tl_stream_tx_init(&tx, &s->file.config, &source, 0);
    if (err == TL_OK) {
        e = play(s, &tx, -1, &sent, fault);
        tl_stream_tx_wipe(&tx);
    } else {
        e = tl_fault_set(fault, TL_EXIT_INTERNAL, "stream: cannot start: %s", tl_err_text(err));
    }
    tl_key_source_wipe(&source);
    ui_progress_clear(&s->progress);
    ui_note(NAME, "%s: %llu frames sent", name, (unsigned long long)sent);
    if (s->out.unheard > 0)
        ui_note(NAME, "%s: nobody listened there, %llu times", name, (unsigned long long)s->out.unheard);
    return e;
}

/* A one-way link has one connection, and nobody to invite. */
static tl_exit serve_oneway(sensor *s, tl_fault *fault)
{
    tl_net_name name;
    tl_exit e = oneway_sender_open(&s->oneway, &s->file, s->crypto, s->o.state, fault);

    if (e == TL_EXIT_OK)
        e = way_out_open(&s->out, s->o.to, tl_clock_ms(), &name, fault);
    if (e == TL_EXIT_LINK && s->out.kind == WAY_RING) {
        ui_note(NAME, "waiting for a receiver at %s, %d s", s->o.to, DIAL_MS / 1000);
        e = way_out_open(&s->out, s->o.to, tl_clock_ms() + DIAL_MS, &name, fault);
    }
    if (e != TL_EXIT_OK)
        return e;
    s->connections = 1;
    ui_note(NAME, "sending to %s", name.text);
    return send_oneway(s, name.text, fault);
}

static tl_exit serve(sensor *s, int fd, const char *peer, tl_fault *fault)
{
    tl_key_source source;
    tl_stream_tx tx;
    uint32_t epoch;
    uint64_t sent = 0;
    tl_err err;
    hello_end end = { fd, peer, TL_HELLO_SENDER };
    tl_exit e = hello_exchange(&end, &s->file, s->crypto, &source, &epoch, fault);

    if (e != TL_EXIT_OK)
        return e;
    if (s->input == NULL)
        e = open_input(s, fault);
    tap_key(&s->tap, &source, &s->file.config, epoch);
    err = tl_stream_tx_init(&tx, &s->file.config, &source, epoch);
    if (err != TL_OK) {
        tl_key_source_wipe(&source);
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "stream: cannot start: %s", tl_err_text(err));
    }
    if (e == TL_EXIT_OK)
        e = play(s, &tx, fd, &sent, fault);
    tl_stream_tx_wipe(&tx);
    tl_key_source_wipe(&source);
    tl_input_close(s->input);
    s->input = NULL;
    ui_progress_clear(&s->progress);
    ui_note(NAME, "%s: %llu frames sent", peer, (unsigned long long)sent);
    return e;
}

/* ---- all connections ---- */

static tl_exit say_where(const sensor *s, const tl_net_name *name, tl_fault *fault)
{
    FILE *to = s->o.json ? stderr : stdout;

    (void)fprintf(to, "listening on %s\n", name->text);
    return s->o.json ? TL_EXIT_OK : ui_flush(fault);
}

/* Connections one after the other. Faults of a connection are told, and end the sensor only with --once. */
static tl_exit serve_all(sensor *s, tl_fault *fault)
{
    tl_exit e;

    do {
        tl_net_name peer;
        int fd;

        e = tl_net_accept(s->listener, TL_NEVER, &fd, &peer, fault);
        if (e != TL_EXIT_OK)
            return e;
        if (fd < 0)
            continue;
        s->connections++;
        s->told = false;
        e = s->o.files.pki != NULL ? serve_spdm(s, fd, peer.text, fault) : serve(s, fd, peer.text, fault);
        tl_net_close(fd, tl_clock_ms() + (e == TL_EXIT_OK || e == TL_EXIT_PEER ? CLOSE_MS : 0));
        if (e == TL_EXIT_STOPPED || s->own_fault || e == TL_EXIT_INTERNAL)
            return e;
        if (e != TL_EXIT_OK && !s->o.once && !s->told)
            (void)ui_fail(NAME, fault);
    } while (!s->o.once || s->connections == 0);
    return e;
}

/* What an agreed stream will be; the rest of it is the controller's choice. */
static tl_exit set_geometry(sensor *s, tl_fault *fault)
{
    const sensor_options *o = &s->o;

    stream_file_init(&s->file);
    if (o->width != 0) {
        s->file.width = o->width;
        s->file.height = o->height;
    }
    if (o->bits != 0)
        s->file.bits = o->bits;
    if (o->embedded) {
        s->file.embedded_top = o->embedded_top;
        s->file.embedded_bottom = o->embedded_bottom;
    }
    return stream_file_build(&s->file, "--size, --bits, --embedded", fault);
}

static tl_exit set_up_spdm(sensor *s, const tl_address *address, tl_fault *fault)
{
    uint64_t period = s->input != NULL ? period_us(s) : 0;
    sensor_spdm_options o = { .files = s->o.files,
                              .data = *address,
                              .rate = period > 0 ? (uint32_t)(1000000000 / period) : 0,
                              .tell_port = s->o.data != NULL && !s->o.json,
                              .tap = &s->tap };
    tl_exit e = TL_EXIT_OK;

    if (o.files.trust == NULL && !s->o.measurements)
        ui_note(NAME, "without --trust no controller is authenticated: they can attest, and get no stream");
    (void)snprintf(o.data.port, sizeof o.data.port, "0");
    if (s->o.data != NULL)
        e = tl_address_parse(s->o.data, &o.data, fault);
    return e == TL_EXIT_OK ? sensor_spdm_open(&s->spdm, &o, &s->file, TL_PROGRAM_VERSION, &s->backend, fault)
                           : e;
}

static tl_exit print_measurements(const sensor *s, tl_fault *fault)
{
    json_t *object = reference_json(&s->spdm.measured.blocks);

    if (object == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "output: no memory");
    (void)json_dumpf(object, stdout, JSON_INDENT(2));
    (void)putchar('\n');
    json_decref(object);
    return ui_flush(fault);
}

static tl_exit set_up_frames(sensor *s, tl_fault *fault)
{
    tl_exit e;

    s->file.config.virtual_channel = s->o.virtual_channel;
    s->file.config.carrier = s->o.carrier;
    s->samples = malloc((size_t)s->file.width * s->file.height * sizeof *s->samples);
    if (s->samples == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "sensor: no memory for a frame");
    e = frame_sender_open(&s->sender, &s->file, fault);
    /* The input is opened before anybody is invited: a wrong one is told at once. */
    return e == TL_EXIT_OK ? open_input(s, fault) : e;
}

static tl_exit set_up(sensor *s, tl_fault *fault)
{
    tl_address address;
    tl_net_name name;
    bool spdm = s->o.files.pki != NULL;
    tl_exit e = spdm ? set_geometry(s, fault) : stream_file_read(&s->file, s->o.stream, fault);

    if (e == TL_EXIT_OK)
        e = tl_address_parse(s->o.listen, &address, fault);
    if (e == TL_EXIT_OK)
        e = tap_open(&s->tap, &s->o.tap, NAME, fault);
    if (e == TL_EXIT_OK)
        e = backend_start(&s->backend, s->o.crypto, fault);
    if (e != TL_EXIT_OK)
        return e;
    s->backend.crypto = tap_crypto(&s->tap, s->backend.crypto);
    s->crypto = s->backend.crypto;
    if (!spdm) /* an agreed stream is tested when it is agreed: its protection is the controller's choice */
        e = self_check(&s->file.config, s->crypto, NULL, fault);
    if (e == TL_EXIT_OK && !s->o.measurements)
        e = set_up_frames(s, fault);
    if (e == TL_EXIT_OK && spdm)
        e = set_up_spdm(s, &address, fault);
    if (e != TL_EXIT_OK || s->o.measurements || s->o.to != NULL)
        return e;
    e = tl_net_listen(&address, &s->listener, &name, fault);
    return e == TL_EXIT_OK ? say_where(s, &name, fault) : e;
}

static void tear_down(sensor *s)
{
    tl_input_close(s->input);
    if (s->listener >= 0)
        close(s->listener);
    free(s->samples);
    frame_sender_close(&s->sender);
    if (s->o.to != NULL)
        way_out_close(&s->out);
    oneway_sender_close(&s->oneway);
    sensor_spdm_close(&s->spdm);
    backend_close(&s->backend);
    tap_free(&s->tap);
    stream_file_wipe(&s->file);
}

static tl_exit print_json(const sensor *s, tl_exit code, const tl_fault *why, tl_fault *fault)
{
    json_t *o = json_pack("{s:I, s:I, s:I, s:f, s:i, s:s}", "connections", (json_int_t)s->connections,
                          "frames", (json_int_t)s->frames, "bytes", (json_int_t)s->sender.bytes, "seconds",
                          ui_progress_seconds(&s->progress), "exit", (int)code, "fault",
                          code == TL_EXIT_OK ? "" : why->text);

    if (o == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "output: no memory");
    if (s->tap.recorded)
        (void)json_object_set_new(o, "capture", tap_json(&s->tap));
    (void)json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    (void)putchar('\n');
    json_decref(o);
    return ui_flush(fault);
}

int cmd_sensor(int argc, char **argv)
{
    static sensor s; /* zero, and too large for a stack */
    tl_fault fault = { 0 }, output;
    tl_exit e, recorded;

    s.o = (sensor_options){ .input = "scene", .rate = -1 };
    s.listener = -1;
    s.out = way_out_of_socket(-1);
    stream_file_guard_json();
    if (ui_parse(&argp, argc, argv, &s.o) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    s.o.listen = s.o.listen != NULL ? s.o.listen : TL_NET_DEFAULT;
    s.o.files.role = s.o.files.role != NULL ? s.o.files.role : "controller";
    ui_progress_begin(&s.progress);
    e = set_up(&s, &fault);
    if (e == TL_EXIT_OK)
        e = s.o.measurements ? print_measurements(&s, &fault)
            : s.o.to != NULL ? serve_oneway(&s, &fault)
                             : serve_all(&s, &fault);
    ui_progress_clear(&s.progress);
    if (e == TL_EXIT_STOPPED) {
        ui_note(NAME, "%s", fault.text);
        e = TL_EXIT_OK;
    }
    recorded = tap_close(&s.tap, &output);
    if (recorded != TL_EXIT_OK && (e == TL_EXIT_OK || e == TL_EXIT_LINK)) {
        fault = output;
        e = recorded;
        s.told = false;
    }
    if (e != TL_EXIT_OK && !s.told)
        (void)ui_fail(NAME, &fault);
    if (s.o.json && print_json(&s, e, &fault, &output) != TL_EXIT_OK)
        e = (tl_exit)ui_fail(NAME, &output);
    tear_down(&s);
    return (int)e;
}
