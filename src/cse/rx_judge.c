/* The receiver's verdicts, in order of arrival, and every change of its state.
 *
 * A frame is opened by a begin whose tag is right, and by nothing else; it is closed by its end, by a newer begin, or by
 * time. Facts (proven) fail a frame. Claims, of packets whose tag is wrong or was never looked at, only name the cause
 * where something is proven to be missing: who adds packets costs no frame, who spoils them costs the frames he spoils.
 * A plain packet where a protected one must be is a fact. */
#include "cse/keys.h"
#include "cse/rx.h"

#include <trueline/messages.h>

#include <string.h>

static void emit(const tl_stream_rx *rx, const tl_stream_event *event)
{
    if (rx->sink.event != NULL)
        rx->sink.event(rx->sink.ctx, event);
}

static tl_stream_event event_of(tl_event_kind kind, tl_verdict verdict, const tl_rx_item *item)
{
    return (tl_stream_event){
        .kind = kind,
        .verdict = verdict,
        .info = item->info,
        .data_type = item->data_type,
        .message = item->message,
        .frame = item->frame,
        .epoch = item->epoch,
    };
}

/* ---- verdicts of messages ---- */

static void note_cause(tl_rx_cause *cause, tl_verdict verdict, const tl_rx_item *item)
{
    if (cause->verdict == TL_VERDICT_OK)
        *cause = (tl_rx_cause){ verdict, item->data_type, item->message, item->at };
}

static void refuse(tl_stream_rx *rx, const tl_rx_item *item, tl_verdict verdict, bool proven)
{
    tl_stream_event e = event_of(TL_EVENT_MESSAGE, verdict, item);

    e.proven = proven;
    rx->counters.verdicts[verdict]++;
    emit(rx, &e);
}

/* A fact against the open frame, if it is about that one. */
static void hold_against(tl_stream_rx *rx, const tl_rx_item *item, tl_verdict verdict)
{
    if (!rx->open)
        return;
    rx->proven = tl_cse_worse(rx->proven, verdict);
    note_cause(&rx->proven_cause, verdict, item);
}

/* A readable, undamaged header that names another frame than the open one says nothing about the open one. */
static bool names_other_frame(const tl_stream_rx *rx, const tl_rx_item *item)
{
    bool damaged = !item->parsed || item->verdict == TL_VERDICT_ECC || item->verdict == TL_VERDICT_CRC16 ||
                   item->verdict == TL_VERDICT_CRC32;

    return !damaged && rx->open && item->frame != rx->frame;
}

static void on_claim(tl_stream_rx *rx, const tl_rx_item *item)
{
    refuse(rx, item, item->verdict, false);
    if (item->verdict == TL_VERDICT_UNPROTECTED && rx->open) {
        hold_against(rx, item, item->verdict);
        return;
    }
    if (names_other_frame(rx, item)) {
        rx->counters.other_frame++;
        return;
    }
    rx->claimed = tl_cse_worse(rx->claimed, item->verdict);
    note_cause(&rx->claimed_cause, item->verdict, item);
}

/* ---- frames ---- */

static void forget_causes(tl_stream_rx *rx)
{
    rx->proven = rx->claimed = TL_VERDICT_OK;
    rx->proven_cause = rx->claimed_cause = rx->hole = (tl_rx_cause){ TL_VERDICT_OK, 0, 0, 0 };
}

/* The first thing that went wrong: a fact, a hole, or a claim if something is missing. What could not be read has no
 * place of its own; where it was missing is its place. */
static tl_rx_cause first_cause(const tl_stream_rx *rx, tl_verdict verdict, bool missing)
{
    tl_rx_cause cause = rx->proven_cause;

    if (missing && rx->claimed_cause.verdict != TL_VERDICT_OK &&
        (cause.verdict == TL_VERDICT_OK || rx->claimed_cause.at < cause.at))
        cause = rx->claimed_cause;
    if (rx->hole.verdict != TL_VERDICT_OK && (cause.verdict == TL_VERDICT_OK || rx->hole.at < cause.at))
        cause = rx->hole;
    if (cause.data_type == 0 && rx->hole.verdict != TL_VERDICT_OK) {
        cause.data_type = rx->hole.data_type;
        cause.message = rx->hole.message;
    }
    if (cause.verdict == TL_VERDICT_OK)
        cause.verdict = verdict;
    return cause;
}

static tl_rx_type *type_of(tl_stream_rx *rx, uint8_t data_type)
{
    unsigned i = 0;

    while (rx->types[i].data_type != data_type)
        i++;
    return &rx->types[i];
}

/* Messages are missing, but none between others: names the first that is missing behind the last of its type. */
static void find_hole(tl_stream_rx *rx)
{
    const tl_stream_config *c = &rx->config;

    for (unsigned i = 0; i < c->part_count && rx->hole.verdict == TL_VERDICT_OK; i++) {
        uint32_t next = type_of(rx, c->parts[i].data_type)->next;

        if (next < rx->plan.parts[i].first + c->parts[i].count)
            rx->hole =
                (tl_rx_cause){ TL_VERDICT_GAP, c->parts[i].data_type, (uint16_t)next, rx->counters.packets };
    }
}

/* Closes the open frame. ending: ok if its end has verified, else cut. */
static void close_frame(tl_stream_rx *rx, uint32_t missing, tl_verdict ending)
{
    bool lacks = missing > 0 || ending != TL_VERDICT_OK;
    tl_verdict verdict = tl_cse_worse(rx->proven, ending);
    tl_stream_event e = {
        .kind = TL_EVENT_FRAME, .proven = true, .frame = rx->frame, .time_us = rx->time_us
    };
    tl_rx_cause cause;

    if (missing > 0 && ending == TL_VERDICT_OK) {
        verdict = tl_cse_worse(verdict, TL_VERDICT_GAP);
        find_hole(rx);
    }
    if (lacks)
        verdict = tl_cse_worse(verdict, rx->claimed);
    cause = first_cause(rx, verdict, lacks);
    e.verdict = verdict;
    e.epoch = rx->key.epoch;
    e.count = missing;
    if (verdict == TL_VERDICT_OK) {
        rx->counters.frames_ok++;
        if (rx->config.release == TL_RELEASE_FRAME)
            e.payload = tl_span_of(rx->memory, rx->plan.bytes);
    } else {
        rx->counters.frames_bad++;
        e.cause = cause.verdict;
        e.data_type = cause.data_type;
        e.message = cause.message;
        e.revoked = rx->released > 0;
    }
    rx->open = false;
    forget_causes(rx);
    emit(rx, &e);
}

void tl_cse_cut(tl_stream_rx *rx)
{
    close_frame(rx, rx->plan.messages - rx->received, TL_VERDICT_CUT);
}

/* Frames between the last one and this begin: nobody saw them begin. */
static void tell_lost(tl_stream_rx *rx, const tl_rx_item *item)
{
    uint64_t count = item->frame - rx->expected;
    tl_stream_event e = { .kind = TL_EVENT_LOST, .proven = true, .frame = (uint32_t)rx->expected };
    tl_rx_cause cause;

    if (count == 0)
        return;
    e.verdict = tl_cse_worse(TL_VERDICT_GAP, rx->claimed);
    cause = first_cause(rx, e.verdict, true);
    e.cause = cause.verdict;
    e.data_type = cause.data_type;
    e.message = cause.message;
    e.epoch = item->epoch;
    e.count = (uint32_t)count;
    rx->counters.frames_lost += count;
    emit(rx, &e);
}

static void open_frame(tl_stream_rx *rx, uint64_t now_ms, const tl_rx_item *item, uint64_t time_us)
{
    tl_stream_event e = event_of(TL_EVENT_OPENED, TL_VERDICT_OK, item);

    forget_causes(rx);
    rx->open = true;
    rx->frame = item->frame;
    rx->expected = (uint64_t)item->frame + 1;
    rx->opened_ms = now_ms;
    rx->time_us = time_us;
    rx->received = rx->released = 0;
    for (unsigned i = 0; i < rx->type_count; i++) {
        rx->types[i].next = 0;
        rx->types[i].gap_count = 0;
    }
    e.proven = true;
    e.time_us = time_us;
    emit(rx, &e);
}

static void switch_key(tl_stream_rx *rx, const tl_rx_item *item)
{
    tl_stream_event e = event_of(TL_EVENT_KEY, TL_VERDICT_OK, item);

    if (item->epoch == rx->key.epoch)
        return;
    tl_cse_key_switch(&rx->key, &rx->next_key, rx->crypto);
    e.proven = true;
    e.count = item->epoch;
    emit(rx, &e);
}

/* ---- begin ---- */

/* True if the begin's parts are the configuration's, one for one. */
static bool same_parts(const tl_stream_rx *rx, tl_span parts)
{
    const tl_stream_config *c = &rx->config;
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(parts);
    tl_sep_begin_part part;
    unsigned n = 0;

    for (; tl_each_sep_begin_part(&r, &env, &part); n++)
        if (n >= c->part_count || part.block != c->parts[n].block ||
            part.data_type != c->parts[n].data_type || part.count != c->parts[n].count ||
            part.first != rx->plan.parts[n].first)
            return false;
    return tl_rd_end(&r) && n == c->part_count;
}

static tl_verdict read_begin(const tl_stream_rx *rx, const tl_rx_item *item, tl_sep_begin *m)
{
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(tl_span_of(item->payload, item->payload_n));

    if (tl_decode_sep_begin(&env, &r, m) != TL_OK || !tl_rd_end(&r))
        return TL_VERDICT_HEADER;
    if (!tl_equal(m->configuration, tl_span_of(rx->digest, sizeof rx->digest)) || !same_parts(rx, m->parts))
        return TL_VERDICT_CONFIGURATION;
    return TL_VERDICT_OK;
}

static void on_begin(tl_stream_rx *rx, uint64_t now_ms, const tl_rx_item *item)
{
    tl_sep_begin m;
    tl_verdict verdict = read_begin(rx, item, &m);

    if (verdict == TL_VERDICT_OK && item->frame < rx->expected)
        verdict = TL_VERDICT_REPEAT;
    if (verdict != TL_VERDICT_OK) {
        refuse(rx, item, verdict, true);
        if (rx->open && item->frame == rx->frame)
            hold_against(rx, item, verdict);
        return;
    }
    rx->counters.messages_ok++;
    if (rx->open)
        tl_cse_cut(rx);
    tell_lost(rx, item);
    switch_key(rx, item);
    open_frame(rx, now_ms, item, m.time_us);
}

/* ---- end ---- */

/* The messages that the end says were sent; false if it says what no sender of this stream would. */
static bool sum_of_end(const tl_stream_rx *rx, const tl_rx_item *item, uint32_t *sent)
{
    const tl_stream_config *c = &rx->config;
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(tl_span_of(item->payload, item->payload_n)), list;
    tl_sep_end m;
    tl_sep_end_part part;
    unsigned n = 0;

    *sent = 0;
    if (tl_decode_sep_end(&env, &r, &m) != TL_OK || !tl_rd_end(&r))
        return false;
    for (list = tl_rd_of(m.parts); tl_each_sep_end_part(&list, &env, &part); n++) {
        if (n >= c->part_count || part.block != c->parts[n].block ||
            part.data_type != c->parts[n].data_type || part.count > c->parts[n].count)
            return false;
        *sent += part.count;
    }
    return tl_rd_end(&list) && n == c->part_count && *sent >= rx->received;
}

static void on_end(tl_stream_rx *rx, const tl_rx_item *item)
{
    uint32_t sent;

    if (!sum_of_end(rx, item, &sent)) {
        refuse(rx, item, TL_VERDICT_HEADER, true);
        hold_against(rx, item, TL_VERDICT_HEADER);
        tl_cse_cut(rx);
        return;
    }
    rx->counters.messages_ok++;
    close_frame(rx, rx->plan.messages - rx->received, TL_VERDICT_OK);
}

/* ---- lines ---- */

/* Puts a gap at its place. Of too many the lowest goes: a line that is late by so much counts as a repeat. */
static void add_gap(tl_rx_type *t, unsigned at, uint32_t first, uint32_t end)
{
    if (t->gap_count == TL_RX_GAPS) {
        if (at == 0)
            return;
        at--;
        t->gap_count--;
        memmove(t->gaps, t->gaps + 1, t->gap_count * sizeof *t->gaps);
    }
    memmove(t->gaps + at + 1, t->gaps + at, (t->gap_count - at) * sizeof *t->gaps);
    t->gaps[at] = (tl_rx_gap){ (uint16_t)first, (uint16_t)end };
    t->gap_count++;
}

/* Takes a number out of the gap that it is missing from; false if it is in none. */
static bool fill_gap(tl_rx_type *t, uint16_t message)
{
    tl_rx_gap old;
    unsigned i = 0;

    while (i < t->gap_count && message >= t->gaps[i].end)
        i++;
    if (i == t->gap_count || message < t->gaps[i].first)
        return false;
    old = t->gaps[i];
    t->gap_count--;
    memmove(t->gaps + i, t->gaps + i + 1, (t->gap_count - i) * sizeof *t->gaps);
    if (message + 1 < old.end)
        add_gap(t, i, message + 1u, old.end);
    if (old.first < message)
        add_gap(t, i, old.first, message);
    return true;
}

/* Says ok, repeat or order, and keeps in mind what was jumped over. */
static tl_verdict sequence(tl_stream_rx *rx, tl_rx_type *t, const tl_rx_item *item)
{
    if (item->message >= t->next) {
        if (item->message > t->next) {
            add_gap(t, t->gap_count, t->next, item->message);
            if (rx->hole.verdict == TL_VERDICT_OK)
                rx->hole = (tl_rx_cause){ TL_VERDICT_GAP, item->data_type, (uint16_t)t->next, item->at };
        }
        t->next = (uint32_t)item->message + 1;
        return TL_VERDICT_OK;
    }
    if (!fill_gap(t, item->message))
        return TL_VERDICT_REPEAT;
    if (rx->hole.data_type == item->data_type && rx->hole.message == item->message)
        rx->hole = (tl_rx_cause){ TL_VERDICT_OK, 0, 0, 0 }; /* it was late, not missing */
    return TL_VERDICT_ORDER;
}

static void release(tl_stream_rx *rx, const tl_rx_item *item)
{
    size_t length = rx->config.parts[item->part].length;
    tl_stream_event e;

    if (rx->config.release == TL_RELEASE_FRAME) {
        memcpy(rx->memory + rx->plan.parts[item->part].offset + item->row * length, item->payload, length);
        return;
    }
    e = event_of(TL_EVENT_MESSAGE, TL_VERDICT_OK, item);
    e.proven = true;
    e.payload = tl_span_of(item->payload, item->payload_n);
    rx->released++;
    emit(rx, &e);
}

static void on_line(tl_stream_rx *rx, const tl_rx_item *item)
{
    tl_verdict verdict = sequence(rx, type_of(rx, item->data_type), item);

    if (verdict != TL_VERDICT_REPEAT)
        rx->received++;
    if (verdict != TL_VERDICT_OK) {
        refuse(rx, item, verdict, true);
        hold_against(rx, item, verdict);
        return;
    }
    rx->counters.messages_ok++;
    release(rx, item);
}

/* ---- all together ---- */

static void on_proven(tl_stream_rx *rx, uint64_t now_ms, const tl_rx_item *item)
{
    bool service = item->data_type == TL_SEP_SERVICE_TYPE;

    if (item->info & TL_INFO_CRC32)
        rx->counters.crc32_beside_tag++;
    if (tl_cse_rx_key(rx, item->epoch) == NULL) { /* its key was given up since, in the same batch */
        rx->counters.other_frame++;
        return;
    }
    if (service && item->message == TL_SEP_BEGIN) {
        on_begin(rx, now_ms, item);
        return;
    }
    if (!rx->open || item->frame != rx->frame || item->epoch != rx->key.epoch) {
        rx->counters.other_frame++;
        return;
    }
    if (service)
        on_end(rx, item);
    else
        on_line(rx, item);
}

/* Tells once for each key when it comes near its limit: forgeries can spend the next one before its first begin. */
static void watch_limit(const tl_stream_rx *rx, tl_stream_key *key, const tl_rx_item *item)
{
    const tl_stream_limits limits = rx->plan.limits;
    tl_stream_event e = event_of(TL_EVENT_LIMIT, TL_VERDICT_OK, item);
    bool reached = tl_cse_key_spent(key, &limits);

    if (key->limit_told || !key->held)
        return;
    if (!reached && key->messages < limits.messages - limits.messages / 16 &&
        key->bytes < limits.bytes - limits.bytes / 16 && key->bad < limits.bad - limits.bad / 16)
        return;
    key->limit_told = true;
    e.verdict = reached ? TL_VERDICT_LIMIT : TL_VERDICT_OK;
    e.epoch = key->epoch;
    emit(rx, &e);
}

void tl_cse_judge(tl_stream_rx *rx, uint64_t now_ms, const tl_rx_item *item, bool right)
{
    tl_stream_key *key;

    if (item->fate == TL_FATE_DROP)
        return;
    if (item->fate == TL_FATE_CHECK && right) {
        on_proven(rx, now_ms, item);
    } else {
        key = item->fate == TL_FATE_CHECK ? tl_cse_rx_key(rx, item->epoch) : NULL;
        if (key != NULL)
            key->bad++;
        on_claim(rx, item);
    }
    watch_limit(rx, &rx->key, item);
    watch_limit(rx, &rx->next_key, item);
}
