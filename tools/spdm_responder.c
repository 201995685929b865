/* `trueline spdm responder`: every family of requests that the library serves, on the emulators' framing.
 *
 * CONTINUE keeps what was negotiated for the next connection, as the emulators do; a peer that is gone without a farewell
 * takes it along. Its measurements are true ones: the manifest of this program, and the digest of the program that runs. */
#include "clock.h"
#include "spdm_run.h"
#include "stop.h"
#include "ui.h"

#include <trueline/layout/ids.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TICK_MS = 1000, CHUNK = 65536 };

static const char manifest[] = "trueline spdm responder, layout " TL_LAYOUT_NAME;

/* DSP0274 1.3, DMTFSpecMeasurementValueType. */
enum { TYPE_MUTABLE_FIRMWARE = 1, TYPE_MANIFEST = 4 };

typedef struct measurer {
    const tl_crypto *crypto;
    tl_hash_alg alg; /* of the digest below; TL_HASH_NONE: none yet */
    uint8_t program[TL_HASH_MAX], manifest[TL_HASH_MAX];
} measurer;

typedef struct server {
    spdm_end *end;
    tl_responder r;
    tl_responder_config config;
    measurer measurer;
    tl_spdm_measurement_source source;
    uint64_t requests, refused;
} server;

/* ---- measurements ---- */

static tl_err hash_file(const tl_crypto *crypto, tl_hash h, FILE *f)
{
    static uint8_t chunk[CHUNK];
    tl_err e = TL_OK;
    size_t n;

    while (e == TL_OK && (n = fread(chunk, 1, sizeof chunk, f)) > 0)
        e = crypto->ops->hash_add(crypto->ctx, h, tl_span_of(chunk, n));
    return e == TL_OK && ferror(f) ? TL_E_FILE : e;
}

static tl_err hash_program(const tl_crypto *crypto, tl_hash_alg alg, uint8_t *digest)
{
    FILE *f = fopen("/proc/self/exe", "rb");
    tl_hash h = { 0 };
    tl_err e = f != NULL ? crypto->ops->hash_start(crypto->ctx, alg, &h) : TL_E_FILE;

    if (e == TL_OK)
        e = hash_file(crypto, h, f);
    if (e == TL_OK)
        e = crypto->ops->hash_end(crypto->ctx, h, digest);
    if (e != TL_OK)
        crypto->ops->hash_drop(crypto->ctx, h);
    if (f != NULL)
        (void)fclose(f);
    return e;
}

static tl_err hash_text(const tl_crypto *crypto, tl_hash_alg alg, tl_span text, uint8_t *digest)
{
    tl_hash h = { 0 };
    tl_err e = crypto->ops->hash_start(crypto->ctx, alg, &h);

    if (e == TL_OK)
        e = crypto->ops->hash_add(crypto->ctx, h, text);
    if (e == TL_OK)
        e = crypto->ops->hash_end(crypto->ctx, h, digest);
    if (e != TL_OK)
        crypto->ops->hash_drop(crypto->ctx, h);
    return e;
}

/* Block 1 is the manifest, as text or as its digest, block 2 the running program. */
static tl_err measure(void *ctx, size_t i, tl_hash_alg alg, bool raw_wanted, tl_spdm_measurement *out)
{
    measurer *m = ctx;
    tl_span text = tl_span_of(manifest, sizeof manifest - 1);

    if (m->alg != alg) {
        m->alg = TL_HASH_NONE;
        TL_TRY(hash_program(m->crypto, alg, m->program));
        TL_TRY(hash_text(m->crypto, alg, text, m->manifest));
        m->alg = alg;
    }
    if (i == 0)
        *out =
            (tl_spdm_measurement){ .index = 1,
                                   .type = TYPE_MANIFEST,
                                   .raw = raw_wanted,
                                   .value = raw_wanted ? text : tl_span_of(m->manifest, tl_hash_size(alg)) };
    else
        *out = (tl_spdm_measurement){ .index = 2,
                                      .type = TYPE_MUTABLE_FIRMWARE,
                                      .tcb = true,
                                      .value = tl_span_of(m->program, tl_hash_size(alg)) };
    return TL_OK;
}

/* ---- one request ---- */

static void show(server *s, const char *request, size_t received, const tl_spdm_out *out, size_t sent,
                 tl_err e)
{
    s->requests++;
    s->refused += e != TL_OK;
    if (s->end->options->json)
        return;
    (void)printf("  %-22s %5zu bytes > %-22s %5zu bytes%s%s\n", request, received,
                 out->w.n > 0 ? spdm_end_name(tl_written(&out->w), out->secured, "record") : "nothing", sent,
                 e != TL_OK ? "  " : "", e != TL_OK ? tl_err_text(e) : "");
}

static tl_exit answer(server *s, const tl_emu_frame *frame, tl_fault *fault)
{
    tl_spdm_out out = spdm_end_out(s->end);
    const char *request;
    tl_spdm_in in;
    size_t sent;
    tl_err err;
    tl_exit e = spdm_end_take(s->end, frame, &in, fault);

    if (e != TL_EXIT_OK)
        return e;
    request = spdm_end_name(tl_span_of(in.p, in.n), in.secured, "record");
    err = tl_responder_step(&s->r, tl_clock_ms(), in, &out);
    e = spdm_end_send(s->end, &out, &sent, fault);
    if (e == TL_EXIT_OK)
        show(s, request, frame->n, &out, sent, err);
    return e;
}

/* ---- one connection ---- */

static tl_exit start(server *s, tl_fault *fault)
{
    tl_err e = tl_responder_init(&s->r, &s->config);

    if (e != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "responder: %s", tl_err_text(e));
    return TL_EXIT_OK;
}

/* Nothing came for a while: a session without heartbeat ends. */
static tl_exit pass_time(server *s, tl_fault *fault)
{
    tl_spdm_out none = spdm_end_out(s->end);
    tl_err e = tl_responder_step(&s->r, tl_clock_ms(), (tl_spdm_in){ .n = 0 }, &none);

    if (e != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "responder: %s", tl_err_text(e));
    return TL_EXIT_OK;
}

/* Serves until the requester says how it ends; *farewell is UNKNOWN if it was lost. */
static tl_exit serve(server *s, tl_emu_command *farewell, tl_fault *fault)
{
    tl_emu_heard heard;
    tl_exit e = TL_EXIT_OK;

    *farewell = TL_EMU_UNKNOWN;
    while (e == TL_EXIT_OK && *farewell == TL_EMU_UNKNOWN) {
        e = tl_emu_receive(&s->end->link, tl_clock_ms() + TICK_MS, &heard, fault);
        if (e != TL_EXIT_OK)
            break;
        if (heard.closed)
            return tl_fault_set(fault, TL_EXIT_LINK,
                                "the requester closed the connection without a farewell");
        if (!heard.came) {
            e = pass_time(s, fault);
        } else if (heard.frame.command == TL_EMU_NORMAL) {
            e = answer(s, &heard.frame, fault);
        } else {
            e = tl_emu_answer(&s->end->link, &heard.frame, fault);
            if (heard.frame.command == TL_EMU_SHUTDOWN || heard.frame.command == TL_EMU_CONTINUE)
                *farewell = heard.frame.command;
        }
    }
    return e;
}

/* Serves one requester. A lost one is noted, and what it negotiated is forgotten. */
static tl_exit serve_one(server *s, int fd, const tl_net_name *peer, tl_emu_command *farewell,
                         tl_fault *fault)
{
    tl_exit e;

    if (!s->end->options->json)
        (void)printf("requester %s\n", peer->text);
    tl_emu_link_init(&s->end->link, fd, spdm_end_word(s->end->options->transport));
    e = serve(s, farewell, fault);
    tl_net_close(fd, tl_clock_ms() + (e == TL_EXIT_OK ? s->end->options->timeout_ms : 0));
    if (e != TL_EXIT_LINK || s->end->options->once)
        return e;
    ui_note("spdm responder", "%s: %s", peer->text, fault->text);
    tl_responder_wipe(&s->r);
    return start(s, fault);
}

static tl_exit serve_all(server *s, int listener, tl_fault *fault)
{
    tl_emu_command farewell = TL_EMU_UNKNOWN;
    tl_exit e = TL_EXIT_OK;
    bool served = false;
    tl_net_name peer;
    int fd;

    while (e == TL_EXIT_OK && farewell != TL_EMU_SHUTDOWN && !(served && s->end->options->once)) {
        e = tl_net_accept(listener, TL_NEVER, &fd, &peer, fault);
        if (e != TL_EXIT_OK || fd < 0)
            continue;
        e = serve_one(s, fd, &peer, &farewell, fault);
        served = true;
    }
    return e == TL_EXIT_STOPPED ? TL_EXIT_OK : e;
}

static void configure(server *s, spdm_end *end)
{
    s->end = end;
    s->measurer.crypto = end->crypto;
    s->source = (tl_spdm_measurement_source){ &s->measurer, 2, measure };
    s->config = (tl_responder_config){
        .crypto = end->crypto,
        .policy = &end->policy,
        .families = tl_serve_all,
        .binding = &end->options->transport->binding,
        .slots = &end->identity,
        .slots_n = end->identities,
        .sessions = end->sessions,
        .sessions_n = SPDM_END_SESSIONS,
        .measurements = &s->source,
        .trust = end->options->mutual ? &end->trust : NULL,
        .peer_chain = end->peer_chain,
        .heartbeat_period = end->options->heartbeat,
        .message = end->message,
        .message_n = sizeof end->message,
        .ctx = s,
    };
}

tl_exit spdm_run_responder(spdm_end *end, tl_fault *fault)
{
    static server s;
    tl_net_name name;
    int listener = -1;
    tl_exit e;

    configure(&s, end);
    e = start(&s, fault);
    if (e == TL_EXIT_OK)
        e = tl_net_listen(&end->options->emulator, &listener, &name, fault);
    if (e == TL_EXIT_OK) {
        (void)setvbuf(stdout, NULL, _IOLBF, 0);
        (void)printf("listening on %s\n", name.text);
        e = serve_all(&s, listener, fault);
        (void)close(listener);
        (void)printf("spdm responder: requests=%llu refused=%llu\n", (unsigned long long)s.requests,
                     (unsigned long long)s.refused);
    }
    tl_responder_wipe(&s.r);
    return e;
}
