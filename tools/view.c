/* The receiver's side of the page. Pictures go straight into a slot of the board, line by line as they verify, or as a
 * frame; a slot is put on show when the frame has its verdict, at most every so often. Facts are gathered here, and copied
 * to the board at most every so often, too: whoever floods the receiver with bad packets cannot make it copy more. */
#include "view.h"
#include "clock.h"
#include "evidence.h"
#include "view_server.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FACTS_MS = 40, PICTURE_MS = 66, SLOW_FRAME_MS = 250, END_MS = 1000 };

static uint64_t wall_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- beginning and end ---- */

static bool is_own(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || strcmp(host, "127.0.0.1") == 0;
}

tl_exit view_address(const char *text, tl_address *address, tl_fault *fault)
{
    bool port_alone = text[0] != 0 && strspn(text, "0123456789") == strlen(text);
    char with_host[32];
    tl_exit e;

    if (port_alone && strlen(text) > 5)
        return tl_fault_set(fault, TL_EXIT_USAGE, "view: '%.40s': give a port from 0 to 65535", text);
    (void)snprintf(with_host, sizeof with_host, "127.0.0.1:%s", port_alone ? text : "");
    e = tl_address_parse(port_alone ? with_host : text, address, fault);
    if (e == TL_EXIT_OK && !is_own(address->host))
        return tl_fault_set(fault, TL_EXIT_USAGE,
                            "view: %.200s: not this machine's own address: the page shows what is decrypted; "
                            "give 127.0.0.1, ::1 or localhost, and forward the port from elsewhere",
                            address->host);
    return e;
}

/* Nobody but us holds the other end of `life`: when we are gone, however, the process ends. */
static tl_exit start(view *v, int listener, const char *attacks, tl_fault *fault)
{
    int life[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, life) != 0)
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "view: no sockets");
    v->pid = fork();
    if (v->pid == 0) {
        (void)close(life[0]);
        _exit(view_server_run(&(view_server_parts){ v->board, listener, life[1], attacks }));
    }
    (void)close(life[1]);
    v->life = life[0];
    if (v->pid > 0)
        return TL_EXIT_OK;
    (void)close(v->life);
    v->pid = 0;
    return tl_fault_errno(fault, TL_EXIT_INTERNAL, "view: no process");
}

tl_exit view_open(view *v, const view_options *o, tl_fault *fault)
{
    tl_address address;
    int listener;
    tl_exit e;

    memset(v, 0, sizeof *v);
    if (o->at == NULL)
        return TL_EXIT_OK;
    e = view_address(o->at, &address, fault);
    if (e == TL_EXIT_OK)
        e = tl_net_listen(&address, &listener, &v->name, fault);
    if (e != TL_EXIT_OK)
        return e;
    e = view_board_make(&v->board, fault);
    if (e == TL_EXIT_OK)
        e = start(v, listener, o->attacks, fault);
    (void)close(listener);
    if (e != TL_EXIT_OK) {
        view_board_drop(v->board);
        v->board = NULL;
        return e;
    }
    view_board_tell(v->board, &v->facts);
    return TL_EXIT_OK;
}

/* The last facts are told, so that who looks at the very end sees them. */
void view_close(view *v)
{
    uint64_t deadline_ms = tl_clock_ms() + END_MS;

    if (v->board == NULL)
        return;
    v->facts.phase = VIEW_ENDED;
    view_board_tell(v->board, &v->facts);
    (void)close(v->life);
    while (waitpid(v->pid, NULL, WNOHANG) == 0) {
        if (tl_clock_ms() > deadline_ms)
            (void)kill(v->pid, SIGKILL);
        (void)nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
    }
    view_board_wipe(v->board,
                    view_pixel_bytes(&v->facts)); /* what was decrypted does not outlive the receiver */
    view_board_drop(v->board);
    v->board = NULL;
}

/* ---- who and what ---- */

void view_stream(view *v, const stream_file *file)
{
    view_facts *f = &v->facts;
    const tl_stream_config *config = &file->config;

    if (v->board == NULL)
        return;
    f->phase = VIEW_RECEIVING;
    f->stream = config->stream;
    f->width = file->width;
    f->height = file->height;
    f->bits = file->bits;
    f->line_bytes = stream_file_line_bytes(file);
    f->pixel_type = stream_file_pixel_type(file);
    f->suite = config->suite;
    f->release = config->release;
    f->carrier = config->carrier;
    f->step = 1;
    while (view_pixel_bytes(f) > VIEW_PIXELS_MAX)
        f->step++;
    f->variants[0] = (tl_variant)file->variant_top;
    f->variants[1] = (tl_variant)file->variant_middle;
    f->variants[2] = (tl_variant)file->variant_bottom;
    v->first_byte = f->line_bytes * file->embedded_top;
}

/* What the reference says of each block that was measured. */
static json_t *measured_json(const spdm_client *c)
{
    json_t *list = evidence_measurements(c), *o;
    tl_rd r = tl_rd_of(spdm_client_record(c));
    tl_hash_alg hash = tl_requester_algs(&c->rq)->measurement_hash;
    tl_spdm_measurement m;

    for (size_t i = 0; tl_spdm_each_measurement(&r, &m); i++) {
        const char *text = c->has_reference ? "missing" : "none";

        for (size_t k = 0; k < c->reference.n; k++)
            if (c->reference.blocks[k].index == m.index)
                text = reference_holds(&c->reference.blocks[k], hash, &m) ? "equal" : "different";
        o = json_array_get(list, i);
        if (o != NULL)
            (void)json_object_set_new(o, "reference", json_string(text));
    }
    return list;
}

void view_identity(view *v, const spdm_client *c)
{
    view_facts *f = &v->facts;
    json_t *o;
    size_t n;

    if (v->board == NULL)
        return;
    o = json_pack("{s:s, s:o, s:s, s:o, s:o}", "peer", c->link.peer, "identity", evidence_identity(c),
                  "version", evidence_version(c), "algorithms", evidence_algorithms(c), "measurements",
                  measured_json(c));
    n = o != NULL ? json_dumpb(o, f->identity, sizeof f->identity, JSON_COMPACT) : 0;
    f->identity_n = n <= sizeof f->identity ? (uint32_t)n : 0;
    f->identity_number++;
    json_decref(o);
}

void view_identity_again(view *v, const spdm_client *c, uint64_t again)
{
    if (v->again == again)
        return;
    view_identity(v, c);
    v->again = again;
}

/* ---- pictures ---- */

static bool due(const view *v, view_kind kind)
{
    return tl_clock_ms() - v->shown_ms[kind] >= PICTURE_MS;
}

bool view_wants_frame(const view *v)
{
    return v->board != NULL && due(v, VIEW_LIVE);
}

static uint8_t *row_of(const view *v, size_t line)
{
    size_t pair = line / 2, step = v->facts.step;

    return pair % step != 0 ? NULL : v->slot->pixels + (pair / step * 2 + line % 2) * v->facts.line_bytes;
}

static void take_line(view *v, uint16_t line, tl_span payload)
{
    uint8_t *row;

    if (line >= v->facts.height || payload.n != v->facts.line_bytes)
        return;
    v->slot->lines.have[line] = 1;
    row = row_of(v, line);
    if (row != NULL)
        memcpy(row, payload.p, payload.n);
}

static void take_whole(view *v, tl_span whole)
{
    size_t n = v->facts.line_bytes;

    if (whole.n < v->first_byte || whole.n - v->first_byte < n * v->facts.height)
        return;
    for (uint32_t line = 0; line < v->facts.height; line++)
        take_line(v, (uint16_t)line, tl_span_of(whole.p + v->first_byte + line * n, n));
}

static void begin(view *v)
{
    v->begun_ms = tl_clock_ms();
    if (v->slot == NULL)
        v->slot = view_board_begin(v->board, v->facts.height);
    else {
        memset(v->slot->lines.have, 0, v->facts.height);
        memset(v->slot->lines.claim, 0, v->facts.height);
    }
}

static void show(view *v, view_slot *slot, const tl_stream_event *e, view_kind kind)
{
    slot->head = (view_head){
        .number = ++v->pictures,
        .ms = wall_ms(),
        .frame = e->frame,
        .lost = e->kind == TL_EVENT_LOST ? e->count : 0,
        .verdict = e->verdict,
        .cause = e->cause,
        .data_type = e->data_type,
        .message = e->message,
        .by_line = v->facts.release != TL_RELEASE_FRAME,
    };
    view_board_show(v->board, slot, kind);
    v->shown_ms[kind] = tl_clock_ms();
}

static void frame_over(view *v, const tl_stream_event *e, tl_span whole)
{
    view_kind kind = e->verdict == TL_VERDICT_OK ? VIEW_LIVE : VIEW_REFUSED;

    v->open = false;
    if (!due(v, kind))
        return; /* the slot is used again */
    if (v->slot == NULL)
        begin(v);
    if (whole.n > 0 && kind == VIEW_LIVE)
        take_whole(v, whole);
    show(v, v->slot, e, kind);
    v->slot = NULL;
}

/* Of these there are no lines; a frame that is open meanwhile keeps its own. */
static void frames_lost(view *v, const tl_stream_event *e)
{
    if (due(v, VIEW_REFUSED))
        show(v, view_board_begin(v->board, v->facts.height), e, VIEW_REFUSED);
}

/* A frame that takes long is shown as far as it has come. */
static void show_coming(view *v, uint64_t now)
{
    view_slot *copy;

    if (!v->open || v->facts.release == TL_RELEASE_FRAME || now - v->begun_ms < SLOW_FRAME_MS ||
        now - v->shown_ms[VIEW_LIVE] < SLOW_FRAME_MS)
        return;
    copy = view_board_begin(v->board, v->facts.height);
    copy->head = (view_head){
        .number = ++v->pictures, .ms = wall_ms(), .frame = v->frame, .by_line = true, .coming = true
    };
    copy->lines = v->slot->lines;
    memcpy(copy->pixels, v->slot->pixels, view_pixel_bytes(&v->facts));
    view_board_show(v->board, copy, VIEW_LIVE);
    v->shown_ms[VIEW_LIVE] = now;
}

static void take_picture(view *v, const tl_stream_event *e, tl_span whole)
{
    bool pixels = e->data_type == v->facts.pixel_type;

    switch (e->kind) {
    case TL_EVENT_OPENED:
        begin(v);
        v->open = true;
        v->frame = e->frame;
        break;
    case TL_EVENT_MESSAGE:
        if (!v->open || !pixels)
            break;
        if (e->verdict == TL_VERDICT_OK)
            take_line(v, e->message, e->payload);
        else if (e->message < v->facts.height)
            v->slot->lines.claim[e->message] = (uint8_t)e->verdict;
        break;
    case TL_EVENT_FRAME: frame_over(v, e, whole.n > 0 ? whole : e->payload); break;
    case TL_EVENT_LOST: frames_lost(v, e); break;
    default: break;
    }
}

/* ---- events ---- */

static bool continues(const view_note *last, const tl_stream_event *e)
{
    return e->kind == TL_EVENT_MESSAGE && last->kind == e->kind && last->verdict == e->verdict &&
           last->frame == e->frame && last->data_type == e->data_type && last->proven == e->proven;
}

static void note(view *v, const tl_stream_event *e)
{
    view_facts *f = &v->facts;
    view_note *last = &f->events[f->events_n % VIEW_EVENTS];

    if (!v->apart && f->events_n > 0 && continues(last, e)) {
        last->last_message = e->message;
        last->times++;
        return;
    }
    v->apart = false;
    f->events_n++;
    f->events[f->events_n % VIEW_EVENTS] = (view_note){
        .number = f->events_n,
        .ms = wall_ms(),
        .times = 1,
        .kind = e->kind,
        .verdict = e->verdict,
        .cause = e->cause,
        .proven = e->proven,
        .data_type = e->data_type,
        .message = e->message,
        .last_message = e->message,
        .frame = e->frame,
        .epoch = e->epoch,
        .count = e->count,
    };
}

static void take_facts(view *v, const tl_stream_event *e)
{
    view_facts *f = &v->facts;

    if (e->kind == TL_EVENT_KEY)
        f->keys++;
    if (e->kind == TL_EVENT_FRAME)
        v->apart = true;
    if (e->kind == TL_EVENT_FRAME || e->kind == TL_EVENT_OPENED || e->kind == TL_EVENT_KEY)
        f->epoch = e->kind == TL_EVENT_KEY ? e->count : e->epoch;
    if (e->kind == TL_EVENT_FRAME && e->verdict == TL_VERDICT_OK)
        f->ok_frames[f->ok_n++ % VIEW_OK_FRAMES] = e->frame;
    else if (e->kind != TL_EVENT_OPENED && (e->kind != TL_EVENT_MESSAGE || e->verdict != TL_VERDICT_OK))
        note(v, e);
}

void view_event(view *v, const tl_stream_event *e, tl_span whole)
{
    if (v->board == NULL || v->facts.phase != VIEW_RECEIVING)
        return;
    take_facts(v, e);
    take_picture(v, e, whole);
}

void view_turn(view *v, const ui_counts *counts, const tl_stream_counters *counters)
{
    view_facts *f = &v->facts;
    uint64_t now = tl_clock_ms();

    if (v->board == NULL || now - v->told_ms < FACTS_MS)
        return;
    show_coming(v, now);
    f->frames_ok = counts->frames_ok;
    f->frames_bad = counts->frames_bad;
    f->frames_lost = counts->frames_lost;
    f->messages_ok = counters->messages_ok;
    memcpy(f->verdicts, counters->verdicts, sizeof f->verdicts);
    view_board_tell(v->board, f);
    v->told_ms = now;
}
