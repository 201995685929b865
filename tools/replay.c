/* Recorded packets on their way to the receiver.
 *
 * Begins go to the receiver alone, never in a batch with others: then it is known which packet has opened a frame, and the keys
 * of the next epoch can be put in place before it. Which key that is, the begin itself claims; the receiver takes it only
 * if the begin's tag is right under it, so a forged claim changes nothing. */
#include "replay.h"

#include <stdlib.h>
#include <string.h>

enum {
    GRID_MS = 100,
    NS_PER_MS = 1000000,
    STARTS_AHEAD = 8,              /* later starts that a begin is tried under */
    SLOT = TL_CSI2_PACKET_MAX + 1, /* what is longer is no packet, and need not be kept to be refused */
    ALIGN = 64,
    COPIES = REPLAY_BATCH * (SLOT + ALIGN)
};

static const tl_env env; /* nothing in a service header is negotiated */

/* ---- counters ---- */

enum { COUNTERS = sizeof(tl_stream_counters) / sizeof(uint64_t) };
_Static_assert(sizeof(tl_stream_counters) == COUNTERS * sizeof(uint64_t), "all counters are 64 bits wide");

typedef union counters {
    tl_stream_counters named;
    uint64_t each[COUNTERS];
} counters;

static tl_stream_counters counted_now(const replay *r)
{
    counters sum = { .named = r->total }, more = { .named = r->rx.counters };

    for (size_t i = 0; r->rx_open && i < COUNTERS; i++)
        sum.each[i] += more.each[i];
    return sum.named;
}

tl_stream_counters replay_counters(const replay *r)
{
    counters n = { .named = r->last }, before = { .named = r->first };

    for (size_t i = 0; i < COUNTERS; i++)
        n.each[i] -= before.each[i];
    return n.named;
}

/* ---- events ---- */

static void tell(replay *r, const replay_news *news)
{
    if (r->phase == REPLAY_INSIDE && r->parts.sink.event != NULL)
        r->parts.sink.event(r->parts.sink.ctx, news);
}

static replay_place place_of(const replay *r, const tl_stream_event *v)
{
    bool in_batch = v->packet > r->base && v->packet - r->base <= r->batch_n;

    return in_batch ? r->places[v->packet - r->base - 1] : r->at;
}

static replay_border border_at(const replay *r, const tl_stream_event *v)
{
    return (replay_border){ true, r->at, v->frame, v->epoch, r->start };
}

/* A frame has opened: the segment begins, ends, or neither. */
static void on_opened(replay *r, const tl_stream_event *v)
{
    const replay_border here = border_at(r, v);

    r->frame_open = true;
    r->opened = r->at;
    r->open_event = *v;
    r->joining = false;
    if (r->phase == REPLAY_BEFORE && r->at.offset >= r->parts.from) {
        r->from = here;
        r->phase = REPLAY_INSIDE;
    }
    if (r->phase == REPLAY_INSIDE && r->at.offset >= r->parts.until) {
        r->to = here;
        r->phase = REPLAY_BEHIND;
    }
    if (r->phase != REPLAY_BEHIND && r->parts.sink.opened != NULL)
        r->parts.sink.opened(r->parts.sink.ctx, &here);
}

/* Missing lines, a missing begin or end, silence. In memory (FSED) what follows a missing line stands in its place, so that anything
 * may be wrong there. */
static bool comes_of_missing(const replay *r, const tl_stream_event *v)
{
    const bool between = v->kind == TL_EVENT_LOST || v->kind == TL_EVENT_SILENT;

    if (v->kind == TL_EVENT_KEY || v->kind == TL_EVENT_LIMIT || v->verdict == TL_VERDICT_OK)
        return false;
    if (r->capture_open)
        return between ? r->lacks : r->unit_lacks;
    return r->lacks &&
           (v->kind == TL_EVENT_SILENT ||
            (v->kind != TL_EVENT_MESSAGE && (v->verdict == TL_VERDICT_GAP || v->verdict == TL_VERDICT_CUT)));
}

static void on_event(void *ctx, const tl_stream_event *v)
{
    replay *r = ctx;
    replay_news news = {
        .event = v, .at = place_of(r, v), .opened = r->opened, .not_recorded = comes_of_missing(r, v)
    };

    if (v->kind == TL_EVENT_KEY) {
        r->epoch = v->count;
        r->next_held = false;
    }
    if (v->kind == TL_EVENT_LOST && r->joining) /* who comes late to a one-way stream has lost nothing */
        return;
    if (v->kind == TL_EVENT_OPENED) {
        on_opened(r, v);
        /* Of a frame in memory all has come by now, and what is missing may be the next one's. */
        r->lacks = r->capture_open && r->unit_lacks;
    }
    if (v->kind == TL_EVENT_FRAME)
        r->frame_open = false;
    tell(r, &news);
}

/* Nothing of the receiver is left that could judge the open frame. */
static void leave_open_frame(replay *r)
{
    tl_stream_event v = r->open_event;
    const replay_news news = { .event = &v, .at = r->at, .opened = r->opened, .unfinished = true };

    if (!r->frame_open)
        return;
    v.kind = TL_EVENT_FRAME;
    v.verdict = v.cause = TL_VERDICT_CUT;
    r->frame_open = false;
    tell(r, &news);
}

/* ---- keys ---- */

static tl_exit internal(const char *what, tl_err e, tl_fault *fault)
{
    return tl_fault_set(fault, TL_EXIT_INTERNAL, "stream: %s: %s", what, tl_err_text(e));
}

static tl_err source_of(const replay *r, const stream_key *key, tl_key_source *source)
{
    const tl_digest secret = { key->n == tl_hash_size(TL_HASH_SHA256) ? TL_HASH_SHA256 : TL_HASH_SHA384,
                               tl_span_of(key->secret, key->n) };

    return tl_key_source_recorded(source, r->parts.crypto, secret, key->epoch);
}

static uint16_t stream_of(const replay *r)
{
    return r->parts.file->config.stream;
}

/* A receiver for the first key of a start; without a suite the first epoch is 0. */
static tl_err begin_at(const replay *r, tl_stream_rx *rx, uint32_t start, tl_buffer memory,
                       tl_stream_sink sink, uint32_t *epoch)
{
    const stream_key *key = stream_keys_first(r->parts.keys, stream_of(r), start);
    tl_key_source source;
    tl_err e;

    *epoch = key != NULL ? key->epoch : 0;
    if (key == NULL)
        return tl_stream_rx_init(rx, &r->parts.file->config, NULL, 0, memory, sink);
    e = source_of(r, key, &source);
    if (e == TL_OK)
        e = tl_stream_rx_init(rx, &r->parts.file->config, &source, key->epoch, memory, sink);
    tl_key_source_wipe(&source);
    return e;
}

/* Without a suite an epoch is a number: the next one with that low byte, unless it lies behind. */
static tl_err offer_number(tl_stream_rx *rx, uint32_t epoch, uint8_t number, uint32_t *offered)
{
    uint32_t ahead = (number - epoch) & 0xFF;

    *offered = epoch;
    if (ahead == 0 || ahead > 127)
        return TL_OK;
    *offered = epoch + ahead;
    return tl_stream_rx_rekey(rx, NULL, *offered);
}

/* Puts the key in place that a begin names, if there is one behind the epoch at hand. */
static tl_err offer_key(const replay *r, tl_stream_rx *rx, uint32_t start, uint32_t epoch, uint8_t number,
                        uint32_t *offered)
{
    const stream_key *key = stream_keys_later(r->parts.keys, stream_of(r), start, epoch, number);
    tl_key_source source;
    tl_err e;

    *offered = epoch;
    if ((epoch & 0xFF) == number)
        return TL_OK;
    if (r->parts.file->config.suite == TL_SUITE_NONE)
        return offer_number(rx, epoch, number, offered);
    if (key == NULL)
        return TL_OK;
    *offered = key->epoch;
    e = source_of(r, key, &source);
    if (e == TL_OK)
        e = tl_stream_rx_rekey(rx, &source, key->epoch);
    tl_key_source_wipe(&source);
    return e;
}

/* ---- receivers ---- */

static void drop_receiver(replay *r)
{
    if (!r->rx_open)
        return;
    leave_open_frame(r);
    r->total = counted_now(r);
    tl_stream_rx_wipe(&r->rx);
    r->rx_open = false;
}

static tl_exit start_receiver(replay *r, uint32_t start, tl_fault *fault)
{
    tl_err e;

    if (r->parts.file->config.suite != TL_SUITE_NONE &&
        start >= stream_keys_starts(r->parts.keys, stream_of(r)))
        return tl_fault_set(
            fault, TL_EXIT_USAGE,
            "keys: no secret of stream %u: give a file with its 'stream %u epoch ...' lines: --keys",
            stream_of(r), stream_of(r));
    drop_receiver(r);
    e = begin_at(r, &r->rx, start, r->memory, (tl_stream_sink){ r, on_event }, &r->epoch);
    if (e != TL_OK)
        return internal("cannot start", e, fault);
    r->rx_open = true;
    r->joining = r->parts.oneway;
    r->start = start;
    r->next_held = false;
    return TL_EXIT_OK;
}

/* ---- one-way ---- */

static tl_exit take_news(replay *r, oneway_news news, tl_fault *fault)
{
    tl_key_source source;
    tl_err e;
    tl_exit x = oneway_receiver_source(&r->oneway, &source, fault);

    if (x != TL_EXIT_OK)
        return x;
    if (news == ONEWAY_EPOCH) {
        e = tl_stream_rx_rekey(&r->rx, &source, oneway_receiver_epoch(&r->oneway));
    } else {
        r->start += r->rx_open;
        drop_receiver(r);
        e = tl_stream_rx_init(&r->rx, &r->parts.file->config, &source, oneway_receiver_epoch(&r->oneway),
                              r->memory, (tl_stream_sink){ r, on_event });
        r->rx_open = e == TL_OK;
        r->joining = true;
    }
    tl_key_source_wipe(&source);
    return e == TL_OK ? TL_EXIT_OK : internal("cannot take what was announced", e, fault);
}

/* ---- SEP ---- */

bool replay_is_service(const tl_stream_config *config, tl_span packet, tl_sep_header *h)
{
    tl_csi2_packet p;
    tl_rd rd;

    if (packet.n < TL_CSI2_HEADER_SIZE + TL_SEP_HEADER_SIZE ||
        packet.n > TL_SEP_OVERHEAD_MAX + TL_SEP_SERVICE_MAX)
        return false;
    tl_csi2_read_header(packet, &p);
    if (p.ecc == TL_CSI2_ECC_BAD || p.header.data_type != TL_SEP_WIRE_TYPE)
        return false;
    rd = tl_rd_of(p.payload);
    return tl_decode_sep_header(&env, &rd, h) == TL_OK && h->stream == config->stream &&
           h->data_type == TL_SEP_SERVICE_TYPE;
}

static void forget_copies(replay *r)
{
    if (r->copied > r->copied_most)
        r->copied_most = r->copied;
    r->copied = 0;
}

/* Hands the batch over. */
static tl_exit run(replay *r, tl_fault *fault)
{
    size_t n = r->batch_n;
    tl_err e;

    if (n == 0)
        return TL_EXIT_OK;
    r->at = r->places[0];
    r->base = r->rx.counters.packets;
    e = tl_stream_rx_packets(&r->rx, r->now_ms, r->batch, n);
    r->batch_n = 0;
    forget_copies(r);
    return e == TL_OK ? TL_EXIT_OK : internal("cannot verify", e, fault);
}

/* Verified lines are decrypted where they are, so each packet is copied. They stand close together: at equal distances of 64 KiB
 * they would all want the same places of the processor's cache. */
static void keep(replay *r, const replay_packet *p)
{
    size_t n = p->bytes.n < SLOT ? p->bytes.n : SLOT;
    uint8_t *to = r->copies + r->copied;

    if (n > 0)
        memcpy(to, p->bytes.p, n);
    r->copied += (n + ALIGN - 1) / ALIGN * ALIGN;
    r->places[r->batch_n] = p->at;
    r->batch[r->batch_n++] = (tl_buffer){ to, n };
}

static tl_exit put(replay *r, const replay_packet *p, uint64_t now_ms, tl_fault *fault)
{
    tl_exit e = TL_EXIT_OK;

    if (r->batch_n == REPLAY_BATCH || (r->batch_n > 0 && now_ms != r->now_ms))
        e = run(r, fault);
    if (e != TL_EXIT_OK)
        return e;
    r->now_ms = now_ms;
    keep(r, p);
    return TL_EXIT_OK;
}

static tl_exit alone(replay *r, const replay_packet *p, uint64_t now_ms, tl_fault *fault)
{
    tl_exit e = run(r, fault);

    if (e == TL_EXIT_OK)
        e = put(r, p, now_ms, fault);
    return e == TL_EXIT_OK ? run(r, fault) : e;
}

/* ---- begins ---- */

/* A begin and how to try it: a packet, or a frame in memory. */
typedef struct begin {
    const replay_packet *packet;
    const tl_frame_buffers *frame; /* NULL: the packet */
    uint8_t number;                /* of the key that it claims */
} begin;

static void on_probe(void *ctx, const tl_stream_event *v)
{
    bool *opened = ctx;

    *opened |= v->kind == TL_EVENT_OPENED;
}

/* A begin's payload is in clear, so that trying it changes nothing in it; of a frame in memory no row is touched. */
static tl_err try_begin(tl_stream_rx *rx, const begin *b, uint8_t *copy)
{
    const tl_buffer packet = { copy, b->packet->bytes.n };
    tl_frame_buffers none;
    tl_verdict verdict;

    if (b->frame == NULL) {
        memcpy(copy, b->packet->bytes.p, packet.n);
        return tl_stream_rx_packets(rx, 0, &packet, 1);
    }
    none = *b->frame;
    none.plane_count = 0;
    return tl_stream_rx_frame(rx, 0, &none, &verdict);
}

/* True if the begin is one of that start. */
static tl_err probe(const replay *r, uint32_t start, const begin *b, bool *opened)
{
    uint8_t copy[TL_SEP_OVERHEAD_MAX + TL_SEP_SERVICE_MAX];
    tl_stream_rx rx;
    uint32_t epoch, offered;
    tl_err e = begin_at(r, &rx, start, r->memory, (tl_stream_sink){ opened, on_probe }, &epoch);

    *opened = false;
    if (e == TL_OK) {
        e = offer_key(r, &rx, start, epoch, b->number, &offered);
        if (e == TL_OK)
            e = try_begin(&rx, b, copy);
        tl_stream_rx_wipe(&rx);
    }
    return e;
}

/* The sender has started anew: only keys of the later start make its begin right. */
static tl_exit look_for_start(replay *r, const begin *b, tl_fault *fault)
{
    uint32_t starts = stream_keys_starts(r->parts.keys, stream_of(r));

    for (uint32_t s = r->start + 1; s < starts && s <= r->start + STARTS_AHEAD; s++) {
        bool opened;
        tl_err e = probe(r, s, b, &opened);

        if (e != TL_OK)
            return internal("cannot try a start", e, fault);
        if (opened)
            return start_receiver(r, s, fault);
    }
    return TL_EXIT_OK;
}

/* Keys for the begin that comes next. */
static tl_exit before_begin(replay *r, const begin *b, tl_fault *fault)
{
    uint32_t offered;
    tl_exit x = TL_EXIT_OK;
    tl_err e;

    if (r->parts.announced)
        return TL_EXIT_OK;
    if (r->parts.file->config.suite != TL_SUITE_NONE)
        x = look_for_start(r, b, fault);
    if (x != TL_EXIT_OK || (r->next_held && (r->next_epoch & 0xFF) == b->number))
        return x;
    e = offer_key(r, &r->rx, r->start, r->epoch, b->number, &offered);
    if (e != TL_OK)
        return internal("cannot take the next key", e, fault);
    if (offered != r->epoch) {
        r->next_held = true;
        r->next_epoch = offered;
    }
    return TL_EXIT_OK;
}

/* What counts before a begin at a border counts ahead of it. */
static void snapshot(replay *r, replay_place at)
{
    if (r->phase == REPLAY_BEFORE && at.offset >= r->parts.from)
        r->first = counted_now(r);
    if (r->phase != REPLAY_BEHIND && at.offset >= r->parts.until)
        r->last = counted_now(r);
}

/* ---- packets ---- */

static tl_exit take_begin(replay *r, const replay_packet *p, const tl_sep_header *h, uint64_t now_ms,
                          tl_fault *fault)
{
    const begin b = { p, NULL, (uint8_t)h->key };
    tl_exit e = run(r, fault);

    r->at = p->at;
    if (e == TL_EXIT_OK)
        e = before_begin(r, &b, fault);
    if (e != TL_EXIT_OK)
        return e;
    snapshot(r, r->at);
    return alone(r, p, now_ms, fault);
}

/* As a live receiver sees one, whether it then takes it or not. */
static bool is_announcement(tl_span packet)
{
    tl_csi2_packet p;

    if (packet.n != ONEWAY_PACKET_SIZE)
        return false;
    tl_csi2_read(packet, &p);
    return p.ecc != TL_CSI2_ECC_BAD && p.crc_right && p.header.data_type == TL_ANNOUNCEMENT_WIRE_TYPE;
}

/* An announcement is no packet of the stream. */
static tl_exit look_at_announcement(replay *r, const replay_packet *p, bool *is_one, tl_fault *fault)
{
    oneway_news news;
    tl_fault why;
    tl_exit e;

    *is_one = is_announcement(p->bytes);
    if (!*is_one || !r->parts.announced)
        return TL_EXIT_OK;
    e = oneway_receiver_packet(&r->oneway, p->bytes, &news, &why);
    *is_one = news != ONEWAY_NONE;
    if (e != TL_EXIT_OK) {
        *fault = why;
        return e;
    }
    if (news == ONEWAY_REFUSED && r->phase == REPLAY_INSIDE && r->parts.sink.refused != NULL)
        r->parts.sink.refused(r->parts.sink.ctx, &p->at, &why);
    if (news != ONEWAY_START && news != ONEWAY_EPOCH)
        return TL_EXIT_OK;
    e = run(r, fault);
    return e == TL_EXIT_OK ? take_news(r, news, fault) : e;
}

static tl_exit take_packet(replay *r, const replay_packet *p, uint64_t now_ms, tl_fault *fault)
{
    tl_sep_header h;
    bool service = replay_is_service(&r->parts.file->config, p->bytes, &h);

    if (service && h.message == TL_SEP_BEGIN)
        return take_begin(r, p, &h, now_ms, fault);
    if (r->phase == REPLAY_BEFORE)
        return TL_EXIT_OK;
    return service ? alone(r, p, now_ms, fault) : put(r, p, now_ms, fault);
}

/* ---- FSED ---- */

/* The number of the key that a frame's begin claims. */
static bool claims_key(const tl_frame_plane *rows, uint8_t *number)
{
    for (uint32_t i = 0; i < rows->rows; i++) {
        tl_rd rd = tl_rd_of(tl_span_of(rows->p + i * rows->stride, rows->row_bytes));
        tl_fsed_packet at;
        tl_sep_header h;

        if (tl_decode_fsed_packet(&env, &rd, &at) == TL_OK && at.position == TL_FSED_TOP && at.offset == 0 &&
            tl_decode_sep_header(&env, &rd, &h) == TL_OK) {
            *number = (uint8_t)h.key;
            return true;
        }
    }
    return false;
}

static tl_exit take_frame(replay *r, const replay_packet *p, tl_frame_buffers *frame, uint64_t now_ms,
                          tl_fault *fault)
{
    begin b = { .packet = p, .frame = frame };
    tl_verdict verdict;
    tl_err err;

    r->at = r->unit;
    if (claims_key(&frame->metadata, &b.number)) {
        tl_exit e = before_begin(r, &b, fault);

        if (e != TL_EXIT_OK)
            return e;
    }
    snapshot(r, r->unit);
    if (r->phase == REPLAY_BEFORE && r->unit.offset < r->parts.from)
        frame->plane_count = 0; /* its begin counts, and nothing else */
    r->base = UINT64_MAX;
    err = tl_stream_rx_frame(&r->rx, now_ms, frame, &verdict);
    return err == TL_OK ? TL_EXIT_OK : internal("cannot verify", err, fault);
}

static tl_exit take_into_memory(replay *r, const replay_packet *p, uint64_t now_ms, tl_fault *fault)
{
    tl_frame_buffers frame;
    tl_csi2_packet head;
    tl_exit e = TL_EXIT_OK;
    bool starts;

    tl_csi2_read_header(p->bytes, &head);
    starts = head.ecc != TL_CSI2_ECC_BAD && head.header.data_type == TL_DT_FRAME_START;
    if (r->unit.number == 0)
        r->unit = p->at;
    if (!capture_packet(&r->capture, p->bytes, &frame))
        return e;
    e = take_frame(r, p, &frame, now_ms, fault);
    r->unit = starts ? p->at : (replay_place){ 0 };
    r->unit_lacks = starts && p->lost > 0;
    r->lacks = r->lacks || r->unit_lacks;
    return e;
}

/* ---- all of it ---- */

replay_packet replay_packet_of(const pcap_packet *p)
{
    return (replay_packet){ tl_span_of(p->p, p->n),
                            { p->number, p->offset, p->time_ns, p->from->section },
                            p->lost };
}

static tl_exit make_memory(replay *r, tl_fault *fault)
{
    const tl_stream_config *c = &r->parts.file->config;
    tl_exit e = TL_EXIT_OK;

    if (c->carrier == TL_CARRIER_FSED) {
        e = capture_open(&r->capture, c, fault);
        r->capture_open = e == TL_EXIT_OK;
        return e;
    }
    r->copies = malloc(COPIES);
    if (c->release == TL_RELEASE_FRAME) {
        r->memory.n = tl_stream_frame_bytes(c);
        r->memory.p = malloc(r->memory.n);
    }
    if (r->copies == NULL || (r->memory.n > 0 && r->memory.p == NULL))
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "stream: no memory for a frame of %zu bytes",
                            r->memory.n);
    return e;
}

tl_exit replay_open(replay *r, const replay_parts *parts, tl_fault *fault)
{
    tl_exit e;

    *r = (replay){ .parts = *parts, .phase = parts->from == 0 ? REPLAY_INSIDE : REPLAY_BEFORE };
    e = make_memory(r, fault);
    if (e == TL_EXIT_OK && parts->announced)
        e = oneway_receiver_open(&r->oneway, parts->file, parts->crypto, NULL, fault);
    if (e != TL_EXIT_OK)
        replay_close(r);
    return e;
}

tl_exit replay_packet_in(replay *r, const replay_packet *p, tl_fault *fault)
{
    uint64_t now_ms = p->at.time_ns / NS_PER_MS / GRID_MS * GRID_MS;
    tl_exit e = TL_EXIT_OK;
    bool announced = false;

    if (r->phase == REPLAY_BEHIND)
        return TL_EXIT_OK;
    if (p->lost > 0) {
        e = run(r, fault); /* of what came before nothing is missing */
        r->lacks = r->unit_lacks = true;
    }
    if (e == TL_EXIT_OK && r->parts.oneway)
        e = look_at_announcement(r, p, &announced, fault);
    if (e != TL_EXIT_OK || announced)
        return e;
    if (!r->rx_open && !r->parts.announced)
        e = start_receiver(r, 0, fault);
    if (e != TL_EXIT_OK)
        return e;
    if (!r->rx_open) {
        r->early++;
        return TL_EXIT_OK;
    }
    return r->capture_open ? take_into_memory(r, p, now_ms, fault) : take_packet(r, p, now_ms, fault);
}

tl_exit replay_end(replay *r, tl_fault *fault)
{
    tl_exit e = r->phase == REPLAY_INSIDE ? run(r, fault) : TL_EXIT_OK;

    if (r->phase == REPLAY_BEFORE)
        r->first = counted_now(r);
    if (r->phase != REPLAY_BEHIND)
        r->last = counted_now(r);
    leave_open_frame(r);
    return e;
}

tl_span replay_payload(replay *r, const tl_stream_event *v)
{
    return r->capture_open ? capture_payload(&r->capture) : v->payload;
}

void replay_close(replay *r)
{
    if (r->rx_open)
        tl_stream_rx_wipe(&r->rx);
    if (r->capture_open)
        capture_close(&r->capture);
    if (r->memory.p != NULL)
        tl_wipe(r->memory.p, r->memory.n);
    free(r->memory.p);
    forget_copies(r);
    if (r->copies != NULL)
        tl_wipe(r->copies, r->copied_most);
    free(r->copies);
    tl_wipe(r, sizeof *r);
}
