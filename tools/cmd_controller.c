/* `trueline controller`: dials a sensor, and verifies every packet that comes. With --trust the sensor proves itself by SPDM
 * first, and the stream is agreed in a session; with --stream both ends have a file. What verified becomes pictures; what did
 * not is counted, reported and named. The exit code says whether all of it was right. */
#include "capture.h"
#include "clock.h"
#include "command.h"
#include "controller_oneway.h"
#include "controller_options.h"
#include "hello.h"
#include "link.h"
#include "net.h"
#include "report.h"
#include "self_check.h"
#include "stop.h"
#include "stream_file.h"
#include "ui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "controller"

enum {
    DIAL_MS = 5000,
    FRAME_TIMEOUT_MS = 5000,
    SILENCE_MS = 5000, /* between two frames, as long as the link's patience */
    TICK_MS = 100,
    BUSY_TICK_MS = 5, /* while an exchange of SPDM is under way beside the frames */
    CLOSE_MS = 1000,
    BATCH = 64 /* packets verified at once, at most */
};

typedef struct controller {
    controller_options o;
    stream_file file;
    backend backend;
    tl_buffer memory; /* one frame */
    tl_stream_rx rx;
    bool rx_open;
    capture capture; /* carrier FSED */
    tl_link_reader link;
    controller_spdm spdm;
    controller_oneway oneway; /* with --from */
    frame_out out;
    tap tap;
    report report;
    view view;
    ui_progress progress;
    bool frame_open, at_boundary;
    uint64_t event_ms;      /* when the receiver last had something to tell */
    ui_counts counts;       /* frames; later ones of the last batch are not among them */
    uint64_t verdicts;      /* frames that were judged: what --frames counts */
    uint64_t refused;       /* messages, frames and lost frames that were refused */
    uint64_t other_carrier; /* packets of it, before the first frame verified */
    bool told;              /* the first refusal was named */
    bool enough;            /* --frames, or the first refusal without --keep-going */
    tl_exit output;         /* first fault of writing */
    tl_fault output_fault;
} controller;

static bool by_spdm(const controller *c)
{
    return c->o.spdm.client.files.trust != NULL;
}

/* ---- events ---- */

/* Says what was refused. Without a right tag nothing but the verdict is a fact, and a packet that cannot be read does
 * not even claim to be of a frame. */
static void tell(const tl_stream_event *v)
{
    const char *verdict = tl_verdict_text(v->verdict), *claim = report_claim(v);

    if (v->kind == TL_EVENT_FRAME && v->verdict == TL_VERDICT_OK)
        ui_note(NAME, "refused: frame %u: it was verified before: a replay", v->frame);
    else if (v->kind == TL_EVENT_LOST)
        ui_note(NAME, "refused: frames lost: %u from frame %u on: %s", v->count, v->frame, verdict);
    else if (v->kind != TL_EVENT_MESSAGE)
        ui_note(NAME, "refused: frame %u: %s; first cause: %s, %s, line %u", v->frame, verdict,
                tl_verdict_text(v->cause), report_subject(v), v->message);
    else if (v->data_type == TL_DT_FRAME_START)
        ui_note(NAME, "refused: a packet: %s", verdict);
    else if (v->data_type == TL_SEP_SERVICE_TYPE)
        ui_note(NAME, "refused: frame %u, %s: %s%s", v->frame, report_subject(v), verdict, claim);
    else
        ui_note(NAME, "refused: frame %u, %s, line %u: %s%s", v->frame, report_subject(v), v->message,
                verdict, claim);
}

/* The first refusal is named at once; all of them stand in the report. A bad message inside an open frame has the
 * frame's verdict still to come, which knows more. */
static void refuse(controller *c, const tl_stream_event *v)
{
    bool inside = v->kind == TL_EVENT_MESSAGE && c->frame_open;

    c->refused++;
    if (inside)
        return;
    if (!c->told) {
        ui_progress_clear(&c->progress);
        tell(v);
    }
    c->told = true;
    if (!c->o.keep_going)
        c->enough = true;
}

/* The payload of an event; with carrier FSED that of a verified frame is gathered, once for all that want it. */
static tl_span payload_of(controller *c, const tl_stream_event *v)
{
    bool frame = v->kind == TL_EVENT_FRAME && v->verdict == TL_VERDICT_OK;

    return frame && c->o.carrier == TL_CARRIER_FSED &&
                   (frame_out_wanted(&c->out) || view_wants_frame(&c->view))
               ? capture_payload(&c->capture)
               : v->payload;
}

/* Verified pixels: line by line, or a frame as a whole, which is what early release falls back to for a while. */
static tl_exit take_pixels(controller *c, const tl_stream_event *v, tl_span payload, tl_fault *fault)
{
    bool by_line = c->o.release != TL_RELEASE_FRAME;

    if (v->kind == TL_EVENT_OPENED && by_line)
        frame_out_begin(&c->out);
    if (v->kind == TL_EVENT_MESSAGE && v->verdict == TL_VERDICT_OK)
        return frame_out_line(&c->out, v->data_type, v->message, payload, fault);
    if (v->kind != TL_EVENT_FRAME)
        return TL_EXIT_OK;
    if (v->verdict == TL_VERDICT_OK && payload.n > 0)
        return frame_out_frame(&c->out, v->frame, payload, fault);
    if (by_line && (v->verdict == TL_VERDICT_OK || v->revoked))
        return frame_out_end(&c->out, v->frame, v->verdict != TL_VERDICT_OK, fault);
    return TL_EXIT_OK;
}

static void count(controller *c, const tl_stream_event *v)
{
    if (v->kind == TL_EVENT_FRAME && v->verdict == TL_VERDICT_OK)
        c->counts.frames_ok++;
    else if (v->kind == TL_EVENT_FRAME)
        c->counts.frames_bad++;
    else if (v->kind == TL_EVENT_LOST)
        c->counts.frames_lost += v->count;
}

/* A begin that failed counts as a frame too, or `--frames` would never be reached under a wrong key. */
static bool judges_frame(const tl_stream_event *v)
{
    return v->kind == TL_EVENT_FRAME || (v->kind == TL_EVENT_MESSAGE && v->verdict != TL_VERDICT_OK &&
                                         v->data_type == TL_SEP_SERVICE_TYPE && v->message == TL_SEP_BEGIN);
}

static void on_event(void *ctx, const tl_stream_event *v)
{
    controller *c = ctx;
    tl_span payload;

    c->event_ms = tl_clock_ms();
    if (by_spdm(c))
        controller_spdm_event(&c->spdm, v);
    if (c->o.from != NULL && !controller_oneway_event(&c->oneway, v)) {
        if (v->kind == TL_EVENT_FRAME) /* a replay of what an earlier program has verified */
            refuse(c, v);
        return;
    }
    /* Packets that came in the same batch as the last frame that was asked for. */
    if (c->enough)
        return;
    report_event(&c->report, v);
    payload = payload_of(c, v);
    view_event(&c->view, v, payload);
    count(c, v);
    if (v->kind == TL_EVENT_OPENED)
        c->frame_open = true;
    if (v->kind == TL_EVENT_FRAME)
        c->frame_open = false;
    if (c->output == TL_EXIT_OK)
        c->output = take_pixels(c, v, payload, &c->output_fault);
    if (judges_frame(v))
        c->verdicts++;
    if (v->kind != TL_EVENT_OPENED && v->verdict != TL_VERDICT_OK)
        refuse(c, v);
    if (c->o.frames > 0 && c->verdicts >= c->o.frames)
        c->enough = true;
}

/* ---- receiving ---- */

static tl_exit hand_over(controller *c, const tl_buffer *packets, size_t n, tl_fault *fault)
{
    tl_err e;

    if (c->o.from != NULL)
        return controller_oneway_packets(&c->oneway, packets, n, fault);
    e = c->o.carrier == TL_CARRIER_FSED ? capture_packets(&c->capture, &c->rx, tl_clock_ms(), packets, n)
                                        : tl_stream_rx_packets(&c->rx, tl_clock_ms(), packets, n);
    if (e != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "stream: cannot verify: %s", tl_err_text(e));
    return TL_EXIT_OK;
}

static uint64_t bytes_of(const controller *c)
{
    return c->o.from != NULL ? way_in_bytes(&c->oneway.in) : c->link.bytes;
}

static void turn_view(controller *c)
{
    view_identity_again(&c->view, &c->spdm.client, c->spdm.again);
    view_turn(&c->view, &c->counts, tl_stream_rx_counters(&c->rx));
}

/* Packets that only the other carrier has. */
static void note_carrier(controller *c, const tl_buffer *packets, size_t n)
{
    uint8_t other = c->o.carrier == TL_CARRIER_SEP ? TL_FSED_WIRE_TYPE : TL_SEP_WIRE_TYPE;

    for (size_t i = 0; i < n; i++)
        if (packets[i].n > 0 && (packets[i].p[0] & 0x3F) == other)
            c->other_carrier++;
}

static tl_exit verify(controller *c, const tl_buffer *packets, size_t n, tl_fault *fault)
{
    tl_exit e;

    if (c->counts.frames_ok == 0)
        note_carrier(c, packets, n);
    e = hand_over(c, packets, n, fault);

    if (e != TL_EXIT_OK)
        return e;
    c->at_boundary = tl_link_ends_frame(&packets[n - 1]) && !c->frame_open;
    c->counts.bytes = bytes_of(c);
    ui_progress_show(&c->progress, &c->counts);
    if (c->output != TL_EXIT_OK) {
        *fault = c->output_fault;
        return c->output;
    }
    return TL_EXIT_OK;
}

/* The sensor has closed: right between two frames when no number was asked for, else too early. */
static tl_exit judge_end(const controller *c, tl_fault *fault)
{
    if (!c->at_boundary)
        return tl_fault_set(fault, TL_EXIT_LINK, "link: the sensor closed the connection %s",
                            c->verdicts == 0 && !c->frame_open ? "before the first frame" : "inside a frame");
    if (c->o.frames > 0)
        return tl_fault_set(fault, TL_EXIT_LINK,
                            "link: the sensor ended the stream after %llu of %llu frames",
                            (unsigned long long)c->verdicts, (unsigned long long)c->o.frames);
    return TL_EXIT_OK;
}

/* Packets of no account renew the link's patience for ever: whoever withholds the frames could send them. */
static tl_exit watch_silence(const controller *c, tl_fault *fault)
{
    if (c->frame_open || tl_clock_ms() - c->event_ms <= SILENCE_MS)
        return TL_EXIT_OK;
    return tl_fault_set(fault, TL_EXIT_LINK, "link: time-out: packets came, but no frame for %d s",
                        SILENCE_MS / 1000);
}

/* Packets before they are decrypted where they lie. */
static void record(controller *c, const tl_link_batch *batch)
{
    tl_span packets[BATCH];

    if (!recording_is_open(&c->tap.capture))
        return;
    for (size_t i = 0; i < batch->n; i++)
        packets[i] = tl_span_of(batch->packets[i].p, batch->packets[i].n);
    tap_packets(&c->tap, PCAP_INBOUND, packets, batch->n);
}

/* What a read has brought, if anything. */
static tl_exit take(controller *c, const tl_link_batch *batch, tl_fault *fault)
{
    tl_exit e;

    if (batch->state != TL_LINK_PACKETS)
        return TL_EXIT_OK;
    record(c, batch);
    e = verify(c, batch->packets, batch->n, fault);
    return e == TL_EXIT_OK ? watch_silence(c, fault) : e;
}

static tl_exit receive(controller *c, int fd, tl_fault *fault)
{
    tl_buffer packets[BATCH];
    tl_link_batch batch = { .packets = packets, .room = BATCH };

    c->event_ms = tl_clock_ms();
    while (!c->enough) {
        uint64_t tick_ms = controller_spdm_busy(&c->spdm) ? BUSY_TICK_MS : TICK_MS;
        tl_exit e = tl_link_read(&c->link, tl_clock_ms() + tick_ms, &batch, fault);

        if (e == TL_EXIT_OK && batch.state == TL_LINK_CLOSED)
            return judge_end(c, fault);
        if (e == TL_EXIT_OK)
            e = take(c, &batch, fault);
        if (e == TL_EXIT_OK && by_spdm(c))
            e = controller_spdm_turn(&c->spdm, fault);
        if (e != TL_EXIT_OK)
            return e;
        tl_stream_rx_tick(&c->rx, tl_clock_ms());
        turn_view(c);
        if (tl_stop_asked())
            return tl_fault_set(fault, TL_EXIT_STOPPED, "stopped by a signal");
    }
    return tl_link_say_enough(fd, fault);
}

static tl_exit start_stream(controller *c, int fd, const char *peer, tl_fault *fault)
{
    tl_stream_sink sink = { c, on_event };
    tl_key_source source;
    uint32_t epoch;
    tl_err err;
    hello_end end = { fd, peer, TL_HELLO_RECEIVER };
    tl_exit e = hello_exchange(&end, &c->file, c->backend.crypto, &source, &epoch, fault);

    if (e != TL_EXIT_OK)
        return e;
    tap_key(&c->tap, &source, &c->file.config, epoch);
    err = tl_stream_rx_init(&c->rx, &c->file.config, &source, epoch, c->memory, sink);
    tl_key_source_wipe(&source);
    if (err != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "stream: cannot start: %s", tl_err_text(err));
    c->rx_open = true;
    return tl_link_reader_open(&c->link, fd, fault);
}

/* Takes what comes until it is enough. */
static tl_exit receive_oneway(controller *c, tl_fault *fault)
{
    tl_buffer packets[BATCH];
    tl_link_batch batch = { .packets = packets, .room = BATCH };
    tl_exit e = TL_EXIT_OK;

    c->event_ms = tl_clock_ms();
    while (!c->enough && e == TL_EXIT_OK) {
        e = way_in_read(&c->oneway.in, tl_clock_ms() + TICK_MS, &batch, fault);
        if (e == TL_EXIT_OK && batch.state == TL_LINK_CLOSED)
            return judge_end(c, fault);
        if (e == TL_EXIT_OK)
            e = take(c, &batch, fault);
        if (e == TL_EXIT_OK)
            e = controller_oneway_turn(&c->oneway, fault);
        turn_view(c);
        if (tl_stop_asked() && e == TL_EXIT_OK)
            return tl_fault_set(fault, TL_EXIT_STOPPED, "stopped by a signal");
    }
    return e;
}

static tl_exit run_oneway(controller *c, tl_fault *fault)
{
    const controller_oneway_parts parts = { c->o.from,         c->o.state,      &c->file,
                                            c->backend.crypto, &c->rx,          &c->rx_open,
                                            c->memory,         { c, on_event }, &c->tap };
    tl_exit e = controller_oneway_open(&c->oneway, &parts, fault);

    if (e == TL_EXIT_OK) {
        ui_note(NAME, "receiving on %s%s", c->oneway.name.text,
                c->o.state != NULL ? "" : "; without --state a recording verifies, too: not fresh");
        e = controller_oneway_meet(&c->oneway, fault);
    }
    if (e != TL_EXIT_OK)
        return e;
    ui_progress_begin(&c->progress);
    return controller_oneway_end(&c->oneway, receive_oneway(c, fault), fault);
}

static tl_exit run_provisioned(controller *c, tl_fault *fault)
{
    tl_address address;
    tl_net_name peer;
    int fd;
    tl_exit e = tl_address_parse(c->o.connect, &address, fault);

    if (e == TL_EXIT_OK)
        e = tl_net_connect(&address, tl_clock_ms() + DIAL_MS, &fd, &peer, fault);
    if (e != TL_EXIT_OK)
        return e;
    e = start_stream(c, fd, peer.text, fault);
    if (e == TL_EXIT_OK) {
        ui_progress_begin(&c->progress);
        e = receive(c, fd, fault);
    }
    tl_net_close(fd, tl_clock_ms() + (e == TL_EXIT_OK || e == TL_EXIT_PEER ? CLOSE_MS : 0));
    return e;
}

/* Memory and outputs for frames, when it is known what they are like. */
static tl_exit set_up_frames(controller *c, tl_fault *fault)
{
    const char *why;
    tl_exit e;

    c->file.config.virtual_channel = c->o.virtual_channel;
    c->file.config.channels_accepted = c->o.channels;
    c->file.config.release = c->o.release;
    c->file.config.carrier = c->o.carrier;
    c->file.config.frame_timeout_ms = FRAME_TIMEOUT_MS;
    if (tl_stream_config_check(&c->file.config, &why) != TL_OK)
        return tl_fault_set(fault, TL_EXIT_USAGE, "controller: %s", why);
    e = self_check(&c->file.config, c->backend.crypto, NULL, fault);
    if (e == TL_EXIT_OK && c->o.carrier == TL_CARRIER_FSED)
        e = capture_open(&c->capture, &c->file.config, fault);
    if (e != TL_EXIT_OK)
        return e;
    if (c->o.carrier == TL_CARRIER_SEP && c->o.release != TL_RELEASE_LINE) {
        c->memory.n = tl_stream_frame_bytes(&c->file.config);
        c->memory.p = malloc(c->memory.n);
        if (c->memory.p == NULL)
            return tl_fault_set(fault, TL_EXIT_INTERNAL, "controller: no memory for a frame of %zu bytes",
                                c->memory.n);
    }
    tap_stream(&c->tap, &c->file);
    view_stream(&c->view, &c->file);
    return frame_out_open(&c->out, &c->o.out, &c->file, fault);
}

/* The agreed stream, from its first key to its last frame. */
static tl_exit run_agreed(controller *c, int fd, tl_fault *fault)
{
    tl_stream_sink sink = { c, on_event };
    tl_exit e;

    c->file = *c->spdm.file;
    e = set_up_frames(c, fault);
    if (e == TL_EXIT_OK)
        e = controller_spdm_receiver(&c->spdm, &c->file.config, &c->rx, c->memory, sink, fault);
    if (e != TL_EXIT_OK)
        return e;
    c->rx_open = true;
    e = tl_link_reader_open(&c->link, fd, fault);
    if (e == TL_EXIT_OK)
        e = controller_spdm_start(&c->spdm, fault);
    return e == TL_EXIT_OK ? receive(c, fd, fault) : e;
}

/* Who the sensor is, and what it took to know. */
static tl_exit tell_peer(const controller *c, tl_fault *fault)
{
    const spdm_client *client = &c->spdm.client;
    const tl_chain_facts *facts = &tl_requester_peer(&client->rq)->facts;

    ui_note(NAME, "%s is %s, role %s%s", client->link.peer, facts->device_info, facts->role,
            client->has_reference ? "; its measurements are those of the reference"
                                  : "; without --reference its measurements were not judged");
    if (!c->o.steps)
        return TL_EXIT_OK;
    for (size_t i = 0; i < client->steps_n; i++)
        (void)printf("step %u %.6f %s\n", client->steps[i].bytes, (double)client->steps[i].us / 1e6,
                     client->steps[i].name);
    (void)printf("agreed %s\n", facts->device_info);
    return ui_flush(fault);
}

static tl_exit run_spdm(controller *c, tl_fault *fault)
{
    int fd;
    tl_exit e = controller_spdm_agree(&c->spdm, fault);

    if (e == TL_EXIT_OK) {
        view_identity(&c->view, &c->spdm.client);
        e = tell_peer(c, fault);
    }
    if (e == TL_EXIT_OK)
        e = controller_spdm_join(&c->spdm, &fd, fault);
    if (e != TL_EXIT_OK)
        return e;
    ui_progress_begin(&c->progress);
    e = run_agreed(c, fd, fault);
    tl_net_close(fd, tl_clock_ms() + (e == TL_EXIT_OK ? CLOSE_MS : 0));
    if (e == TL_EXIT_OK || e == TL_EXIT_STOPPED) {
        tl_fault ending;
        tl_exit x = controller_spdm_stop(&c->spdm, &ending);

        if (e == TL_EXIT_OK && x != TL_EXIT_OK) {
            *fault = ending;
            e = x;
        }
    }
    return e;
}

static tl_exit run(controller *c, tl_fault *fault)
{
    if (c->o.from != NULL)
        return run_oneway(c, fault);
    return by_spdm(c) ? run_spdm(c, fault) : run_provisioned(c, fault);
}

/* ---- beginning and end ---- */

/* Before any key is read: the page's process must have none. */
static tl_exit open_view(controller *c, tl_fault *fault)
{
    tl_exit e = view_open(&c->view, &c->o.view, fault);

    if (e != TL_EXIT_OK || c->o.view.at == NULL)
        return e;
    ui_note(NAME, "the view is on http://%s/", c->view.name.text);
    if (!c->o.steps)
        return TL_EXIT_OK;
    (void)printf("view on http://%s/\n", c->view.name.text);
    return ui_flush(fault);
}

static tl_exit set_up(controller *c, tl_fault *fault)
{
    tl_exit e = by_spdm(c) ? TL_EXIT_OK : stream_file_read(&c->file, c->o.stream, fault);

    if (e == TL_EXIT_OK)
        e = backend_start(&c->backend, c->o.crypto, fault);
    if (e == TL_EXIT_OK)
        e = tap_open(&c->tap, &c->o.tap, NAME, fault);
    if (e != TL_EXIT_OK)
        return e;
    c->o.spdm.client.connect = c->o.connect;
    c->backend.crypto = tap_crypto(&c->tap, c->backend.crypto);
    c->o.spdm.client.tap = &c->tap;
    e = by_spdm(c) ? controller_spdm_open(&c->spdm, &c->o.spdm, &c->backend, fault) : set_up_frames(c, fault);
    return e == TL_EXIT_OK ? report_open(&c->report, c->o.report, fault) : e;
}

/* What it looks like when the two ends were not told the same. */
static void advise(const controller *c)
{
    const tl_stream_counters *n = tl_stream_rx_counters(&c->rx);
    tl_carrier other = c->o.carrier == TL_CARRIER_SEP ? TL_CARRIER_FSED : TL_CARRIER_SEP;

    if (c->counts.frames_ok > 0)
        return;
    if (c->other_carrier > 0)
        ui_note(
            NAME,
            "%llu packets came that carrier %s has and ours, %s, has not: give both ends the same --carrier",
            (unsigned long long)c->other_carrier, protection_carrier_text(other),
            protection_carrier_text(c->o.carrier));
    else if (n->verdicts[TL_VERDICT_TAG] > 0 && n->messages_ok == 0 && !by_spdm(c))
        ui_note(NAME, "no tag was right: perhaps another secret; both ends need the same stream file");
    if (n->other_channel > 0)
        ui_note(NAME, "%llu packets came on another virtual channel than %u",
                (unsigned long long)n->other_channel, c->o.virtual_channel);
}

/* Refusals outweigh a link that failed later; the rest of the faults outweigh refusals. */
static tl_exit judge_all(controller *c, tl_exit e, tl_fault *fault)
{
    advise(c);
    if (e == TL_EXIT_STOPPED) {
        ui_note(NAME, "%s", fault->text);
        e = TL_EXIT_OK;
    }
    if (e == TL_EXIT_LINK && c->refused > 0)
        (void)ui_fail(NAME, fault);
    if (c->refused > 0 && (e == TL_EXIT_OK || e == TL_EXIT_LINK))
        return tl_fault_set(fault, TL_EXIT_REFUSED, "%llu refusal%s", (unsigned long long)c->refused,
                            c->refused == 1 ? "" : "s");
    if (e == TL_EXIT_OK && c->counts.frames_ok == 0)
        return tl_fault_set(fault, TL_EXIT_LINK, "link: no frame came");
    return e;
}

static json_t *totals_json(const controller *c, tl_exit code, const tl_fault *fault)
{
    double seconds = ui_progress_seconds(&c->progress);
    json_t *counters = report_counters(tl_stream_rx_counters(&c->rx));
    json_t *o = json_pack("{s:I, s:I, s:I, s:I, s:I, s:f, s:i, s:s}", "frames_ok",
                          (json_int_t)c->counts.frames_ok, "frames_bad", (json_int_t)c->counts.frames_bad,
                          "frames_lost", (json_int_t)c->counts.frames_lost, "refused", (json_int_t)c->refused,
                          "bytes", (json_int_t)bytes_of(c), "seconds", seconds, "exit", (int)code, "fault",
                          code == TL_EXIT_OK ? "" : fault->text);

    (void)json_object_update(o, counters);
    json_decref(counters);
    if (c->tap.recorded)
        (void)json_object_set_new(o, "capture", tap_json(&c->tap));
    if (c->o.from != NULL)
        (void)json_object_set_new(o, "oneway", controller_oneway_json(&c->oneway));
    if (by_spdm(c))
        (void)json_object_set_new(o, "spdm", controller_spdm_json(&c->spdm));
    return o;
}

/* After a mistake on the command line there is nothing to count. */
static tl_exit print_totals(const controller *c, tl_exit code, json_t *totals, tl_fault *fault)
{
    const ui_counts *n = &c->counts;
    bool stdout_taken = c->o.json || (c->o.out.y4m != NULL && strcmp(c->o.out.y4m, "-") == 0);

    if (code != TL_EXIT_USAGE)
        (void)fprintf(stdout_taken ? stderr : stdout, "frames_ok=%llu frames_bad=%llu frames_lost=%llu\n",
                      (unsigned long long)n->frames_ok, (unsigned long long)n->frames_bad,
                      (unsigned long long)n->frames_lost);
    if (c->o.json) {
        (void)json_dumpf(totals, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
        (void)putchar('\n');
    }
    return ui_flush(fault);
}

/* A fault of writing outweighs refusals and the link's end, and no other one. */
static tl_exit weigh(const controller *c, tl_exit e, tl_exit writing, tl_fault *fault)
{
    if (writing == TL_EXIT_OK || (e != TL_EXIT_OK && e != TL_EXIT_REFUSED && e != TL_EXIT_LINK))
        return e;
    *fault = c->output_fault;
    return writing;
}

/* What was written is finished, the verdict is printed; a fault of writing changes the code. */
static tl_exit finish(controller *c, tl_exit e, tl_fault *fault)
{
    tl_exit kept = c->output, x;
    json_t *totals;

    x = frame_out_close(&c->out, kept == TL_EXIT_OK, &c->output_fault);
    if (kept == TL_EXIT_OK && x != TL_EXIT_OK) {
        *fault = c->output_fault;
        e = x;
    }
    x = tap_close(&c->tap, &c->output_fault);
    if (x != TL_EXIT_OK && e == TL_EXIT_REFUSED) /* its code is another one now, so it is said */
        ui_note(NAME, "%s", fault->text);
    e = weigh(c, e, x, fault);
    totals = totals_json(c, e, fault);
    x = report_close(&c->report, totals, &c->output_fault);
    if (x == TL_EXIT_OK)
        x = print_totals(c, e, totals, &c->output_fault);
    json_decref(totals);
    return weigh(c, e, x, fault);
}

static void tear_down(controller *c)
{
    tl_link_reader_close(&c->link);
    controller_oneway_close(&c->oneway);
    if (c->rx_open)
        tl_stream_rx_wipe(&c->rx);
    capture_close(&c->capture);
    if (c->memory.p != NULL)
        tl_wipe(c->memory.p, c->memory.n);
    free(c->memory.p);
    controller_spdm_close(&c->spdm);
    backend_close(&c->backend);
    tap_free(&c->tap);
    stream_file_wipe(&c->file);
}

int cmd_controller(int argc, char **argv)
{
    static controller c; /* zero, and too large for a stack */
    tl_fault fault = { 0 };
    tl_exit e;

    c.spdm.client.link.fd = -1;
    c.oneway.in = (way_in){ .fd = -1, .ring.socket = -1 };
    stream_file_guard_json();
    if (controller_options_parse(&c.o, argc, argv) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    ui_progress_begin(&c.progress);
    e = open_view(&c, &fault);
    if (e == TL_EXIT_OK)
        e = set_up(&c, &fault);
    if (e == TL_EXIT_OK) {
        e = run(&c, &fault);
        ui_progress_clear(&c.progress);
        e = judge_all(&c, e, &fault);
        e = finish(&c, e, &fault);
    } else {
        report_abandon(&c.report);
        c.output = tap_close(&c.tap, &c.output_fault);
        c.output = frame_out_close(&c.out, false, &c.output_fault);
    }
    view_close(&c.view);
    tear_down(&c);
    return e == TL_EXIT_OK ? TL_EXIT_OK : ui_fail(NAME, &fault);
}
