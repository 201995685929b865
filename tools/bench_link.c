/* Both ends of a stream over a loopback socket, each in a process of its own. The sender packs, protects and sends the
 * same Bayer frame again and again; the receiver verifies it and unpacks the released pixels to samples. Whichever end
 * is measured, the other one does its real work too, so a frame that is wrong ends the measurement. */
#include "bench_link.h"

#include "bench_stream.h"
#include "clock.h"
#include "net.h"
#include "scene.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000, BATCH = 64 };

static size_t pixels(const bench_link *b)
{
    return (size_t)b->file.width * b->file.height;
}

/* ---- one frame ---- */

static void on_event(void *ctx, const tl_stream_event *event)
{
    bench_link *b = ctx;
    size_t line = stream_file_line_bytes(&b->file), size = line * b->file.height;
    tl_span lines;

    if (event->kind != TL_EVENT_FRAME || event->verdict != TL_VERDICT_OK)
        return;
    lines = tl_span_of(event->payload.p + line * b->file.embedded_top, size);
    /* Lines of this width end with a group of pixels: all of them unpack as one. */
    if (tl_raw_unpack(b->file.bits, lines, b->samples, pixels(b)) == TL_OK)
        b->frames++;
}

static tl_exit ask(const bench_link *b, tl_fault *fault)
{
    return tl_net_send(b->fd, (const uint8_t[]){ 1 }, 1, tl_clock_ms() + PATIENCE_MS, "bench", fault);
}

static tl_exit wait_until_asked(const bench_link *b, tl_fault *fault)
{
    uint8_t byte;

    return tl_net_receive(b->fd, &byte, 1, tl_clock_ms() + PATIENCE_MS, "bench", fault);
}

static tl_exit send_frame(bench_link *b, tl_fault *fault)
{
    sensor_frame frame = { b->file.first_frame + (uint32_t)b->frames, b->samples };
    way_out out = way_out_of_socket(b->fd);
    tl_exit e = frame_sender_send(&b->sender, &b->tx, &out, frame, fault);

    b->frames++;
    return e;
}

static tl_exit receive_frame(bench_link *b, tl_fault *fault)
{
    uint64_t before = b->frames;
    tl_buffer packets[BATCH];
    tl_link_batch batch = { .packets = packets, .room = BATCH };
    tl_exit e = ask(b, fault);

    do {
        if (e == TL_EXIT_OK)
            e = tl_link_read(&b->link, tl_clock_ms() + PATIENCE_MS, &batch, fault);
        if (e != TL_EXIT_OK)
            return e;
        if (batch.state != TL_LINK_PACKETS)
            return tl_fault_set(fault, TL_EXIT_LINK, "bench: the sender ended");
        if (tl_stream_rx_packets(&b->rx, tl_clock_ms(), packets, batch.n) != TL_OK)
            return tl_fault_set(fault, TL_EXIT_INTERNAL, "bench: OpenSSL fails");
    } while (!tl_link_ends_frame(&packets[batch.n - 1]));
    if (b->frames != before + 1)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "bench: a frame did not verify");
    return TL_EXIT_OK;
}

static void run_frame(void *ctx)
{
    bench_link *b = ctx;

    if (b->code != TL_EXIT_OK)
        return;
    b->code = b->end == BENCH_SENDER ? send_frame(b, &b->fault) : receive_frame(b, &b->fault);
    /* The next time that it asks it has taken this frame. */
    if (b->code == TL_EXIT_OK && b->end == BENCH_SENDER)
        b->code = wait_until_asked(b, &b->fault);
}

gate_job bench_link_job(bench_link *b)
{
    return (gate_job){ .name = b->end == BENCH_SENDER ? "sender" : "receiver", .run = run_frame, .ctx = b };
}

tl_exit bench_link_fault(const bench_link *b, tl_fault *fault)
{
    if (b->code != TL_EXIT_OK)
        *fault = b->fault;
    return b->code;
}

/* ---- the two ends ---- */

static tl_exit open_stream(bench_link *b, tl_fault *fault)
{
    static const uint8_t fresh[TL_FRESH_SIZE] = { 1 };
    const tl_provisioned from = { tl_span_of(b->file.secret, sizeof b->file.secret), fresh, fresh,
                                  b->file.config.stream, TL_SENSOR_TO_CONTROLLER };
    tl_key_source source;
    tl_err err = tl_key_source_provisioned(&source, b->backend.crypto, &from);

    if (err == TL_OK)
        err = b->end == BENCH_SENDER ? tl_stream_tx_init(&b->tx, &b->file.config, &source, 0)
                                     : tl_stream_rx_init(&b->rx, &b->file.config, &source, 0, b->memory,
                                                         (tl_stream_sink){ b, on_event });
    tl_key_source_wipe(&source);
    if (err != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "bench: %s", tl_err_text(err));
    return TL_EXIT_OK;
}

/* What an end needs beside its socket. */
static tl_exit open_end(bench_link *b, tl_fault *fault)
{
    tl_exit e;

    stream_file_init(&b->file);
    b->file.width = BENCH_WIDTH;
    b->file.height = BENCH_HEIGHT;
    b->file.bits = BENCH_BITS;
    e = stream_file_build(&b->file, "bench", fault);
    if (e != TL_EXIT_OK)
        return e;
    b->samples = calloc(pixels(b), sizeof *b->samples);
    b->memory.n = tl_stream_frame_bytes(&b->file.config);
    b->memory.p = malloc(b->memory.n);
    if (b->samples == NULL || b->memory.p == NULL || backend_open(&b->backend, b->level, 0) != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "bench: no memory, or OpenSSL fails");
    e = open_stream(b, fault);
    if (e != TL_EXIT_OK)
        return e;
    if (b->end == BENCH_RECEIVER)
        return tl_link_reader_open(&b->link, b->fd, fault);
    tl_scene_draw(b->samples, b->file.width, b->file.height, b->file.bits, 0);
    e = frame_sender_open(&b->sender, &b->file, fault);
    return e == TL_EXIT_OK ? wait_until_asked(b, fault) : e;
}

/* The process at the other end: frames until the connection is closed. */
static void be_other(bench_link *b, const tl_address *address)
{
    tl_net_name name;

    b->end = b->end == BENCH_SENDER ? BENCH_RECEIVER : BENCH_SENDER;
    b->code = tl_net_connect(address, tl_clock_ms() + PATIENCE_MS, &b->fd, &name, &b->fault);
    if (b->code == TL_EXIT_OK)
        b->code = open_end(b, &b->fault);
    while (b->code == TL_EXIT_OK)
        run_frame(b);
    _exit(0);
}

static tl_exit start_other(bench_link *b, const tl_net_name *name, tl_fault *fault)
{
    pid_t parent = getpid();
    tl_address address;
    tl_exit e = tl_address_parse(name->text, &address, fault);

    if (e != TL_EXIT_OK)
        return e;
    b->other = fork();
    if (b->other == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent)
        be_other(b, &address);
    if (b->other == 0)
        _exit(0);
    return b->other > 0 ? TL_EXIT_OK : tl_fault_errno(fault, TL_EXIT_INTERNAL, "bench: a second process");
}

static tl_exit connect_ends(bench_link *b, tl_fault *fault)
{
    tl_address address;
    tl_net_name name;
    int listener;
    tl_exit e = tl_address_parse("127.0.0.1:0", &address, fault);

    if (e == TL_EXIT_OK)
        e = tl_net_listen(&address, &listener, &name, fault);
    if (e != TL_EXIT_OK)
        return e;
    e = start_other(b, &name, fault);
    if (e == TL_EXIT_OK)
        e = tl_net_accept(listener, tl_clock_ms() + PATIENCE_MS, &b->fd, &name, fault);
    (void)close(listener);
    if (e == TL_EXIT_OK && b->fd < 0)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "bench: the second process did not dial");
    return e;
}

tl_exit bench_link_open(bench_link *b, bench_end end, backend_level level, tl_fault *fault)
{
    tl_exit e;

    *b = (bench_link){ .end = end, .level = level, .fd = -1, .other = -1 };
    e = connect_ends(b, fault);
    if (e == TL_EXIT_OK)
        e = open_end(b, fault);
    if (e != TL_EXIT_OK)
        bench_link_close(b);
    return e;
}

void bench_link_close(bench_link *b)
{
    if (b->fd >= 0)
        (void)close(b->fd);
    if (b->other > 0)
        (void)waitpid(b->other, NULL, 0);
    if (b->end == BENCH_SENDER)
        tl_stream_tx_wipe(&b->tx);
    else
        tl_stream_rx_wipe(&b->rx);
    frame_sender_close(&b->sender);
    tl_link_reader_close(&b->link);
    backend_close(&b->backend);
    free(b->samples);
    free(b->memory.p);
    *b = (bench_link){ .fd = -1 };
}
