/* The receiving end of FSED: a frame that lies in memory. It is the packets' receiver with other eyes: what a SEP packet
 * brings along is put together here, header by header, from the frame's metadata and each row's place; what is claimed,
 * proven and judged is the same code.
 *
 *   begin     the top's run, verified and judged: opens the frame
 *   end       the last bytes of the bottom's run, verified, but judged last: it says how many messages there are, and so
 *             where the lists stand
 *   lines     in batches, each with its header in a scratch of headers
 *
 * Rows of a plane that are only counted may have moved up. Where their number is not the end's, nobody knows which is
 * which: with a tag per message the tags ahead are tried, without it the lines cannot be told apart. Either way the frame
 * lacks something, and `gap` is the word, never `tag`. */
#include "cse/fsed.h"
#include "cse/keys.h"
#include "cse/rx.h"
#include "cse/sep.h"
#include "wire/line.h"

#include <string.h>

enum { AHEAD = 8 }; /* tags that a row of unknown place is tried with, beyond its own */
enum { BODY_MAX = TL_SEP_HEADER_SIZE + TL_SEP_SERVICE_MAX + TL_SEP_FOOTER_MAX };

/* What the call has seen, beside the caller's sink. */
typedef struct witness {
    tl_stream_sink sink;
    tl_verdict frame, other;
    bool judged;
} witness;

typedef struct pass {
    tl_stream_rx *rx;
    uint64_t now_ms;
    const tl_frame_buffers *b;
    tl_fsed_reader tags, checks;
    uint32_t sent[TL_SEP_PARTS_MAX],
        before[TL_SEP_PARTS_MAX];                  /* messages of each part, and of those before it */
    uint64_t tags_at[TL_SEP_PARTS_MAX], checks_at; /* in the bottom's run */
    tl_rx_batch batch;
    uint8_t headers[TL_STREAM_BATCH][TL_SEP_HEADER_SIZE];
} pass;

static void on_event(void *ctx, const tl_stream_event *e)
{
    witness *w = ctx;

    if (e->kind == TL_EVENT_FRAME) {
        w->judged = true;
        w->frame = e->verdict;
    } else if (e->kind == TL_EVENT_MESSAGE) {
        w->other = tl_cse_worse(w->other, e->verdict);
    }
    if (w->sink.event != NULL)
        w->sink.event(w->sink.ctx, e);
}

static tl_err claim(const pass *p, tl_verdict verdict, uint8_t data_type, uint32_t number)
{
    const tl_rx_item item = {
        .rx = p->rx,
        .fate = TL_FATE_CLAIM,
        .verdict = (uint8_t)verdict,
        .data_type = data_type,
        .message = (uint16_t)number,
        .frame = p->rx->frame,
        .at = ++p->rx->counters.packets,
    };

    return tl_cse_judge(&item, p->now_ms, NULL);
}

/* A fact against the frame: rows in memory are not the messages that were sent. */
static void hold_gap(const pass *p, uint8_t data_type, uint32_t message)
{
    const tl_rx_item item = {
        .rx = p->rx, .data_type = data_type, .message = (uint16_t)message, .at = p->rx->counters.packets
    };

    tl_cse_hold_against(p->rx, &item, TL_VERDICT_GAP);
}

/* ---- planes ---- */

static const tl_frame_plane *plane_of(const pass *p, uint8_t data_type)
{
    for (size_t i = 0; i < p->b->plane_count; i++)
        if (p->b->planes[i].data_type == data_type)
            return &p->b->planes[i];
    return NULL;
}

/* Messages of a data type that were sent. */
static uint32_t sent_of(const pass *p, uint8_t data_type)
{
    uint32_t n = 0;

    for (unsigned i = 0; i < p->rx->config.part_count; i++)
        if (p->rx->config.parts[i].data_type == data_type)
            n += p->sent[i];
    return n;
}

/* True if a row's number says which message it is. */
static bool is_placed(const pass *p, uint8_t data_type)
{
    const tl_frame_plane *plane = plane_of(p, data_type);

    return plane == NULL || plane->present != NULL || plane->rows == sent_of(p, data_type);
}

/* The row of a message; false if it did not come, or its plane has no such lines. */
static bool row_of(const pass *p, unsigned part, uint32_t row, uint8_t **at)
{
    const tl_stream_part *own = &p->rx->config.parts[part];
    const tl_frame_plane *plane = plane_of(p, own->data_type);

    return plane != NULL && plane->row_bytes >= own->length &&
           tl_fsed_row(plane, p->rx->plan.parts[part].first + row, at);
}

/* Rows that no message of the configuration accounts for. */
static tl_err look_for_strangers(const pass *p)
{
    const tl_stream_rx *rx = p->rx;

    for (size_t i = 0; i < p->b->plane_count; i++) {
        const tl_frame_plane *plane = &p->b->planes[i];

        if (plane->rows == 0 || tl_cse_place(&rx->config, &rx->plan, plane->data_type, 0).named)
            continue;
        if (rx->config.plain_types >> (plane->data_type & 63) & 1)
            p->rx->counters.plain++;
        else
            TL_TRY(claim(p, TL_VERDICT_UNPROTECTED, plane->data_type, 0));
    }
    return TL_OK;
}

/* ---- begin and end ---- */

/* Looks at a service message as if it had come in a packet of its own; one that has no place here is a claim. */
static tl_rx_item *look_at_service(pass *p, tl_buffer body, uint32_t message)
{
    tl_rx_batch *b = &p->batch;
    tl_rx_item *item = &b->items[0];

    tl_cse_rx_empty(b);
    *item = (tl_rx_item){ .rx = p->rx, .fate = TL_FATE_CLAIM, .at = ++p->rx->counters.packets };
    tl_cse_look_at_message(p->rx, body, b);
    if (item->fate != TL_FATE_CLAIM && (!tl_cse_is_service(item) || item->message != message)) {
        item->fate = TL_FATE_CLAIM;
        item->verdict = TL_VERDICT_HEADER;
        b->checks = b->lists = 0;
    }
    b->crypto = p->rx->crypto;
    b->n = 1;
    return item;
}

static tl_err take_begin(pass *p)
{
    const tl_frame_plane *rows = &p->b->metadata;
    const uint16_t stream = p->rx->config.stream;
    uint64_t n = tl_fsed_total(rows, stream, TL_FSED_TOP);
    tl_fsed_reader r = tl_fsed_reader_of(rows, stream, TL_FSED_TOP);
    uint8_t body[BODY_MAX];

    if (n == 0 || n > BODY_MAX || !tl_fsed_read(&r, 0, body, (size_t)n))
        return TL_OK;
    (void)look_at_service(p, (tl_buffer){ body, (size_t)n }, TL_SEP_BEGIN);
    return tl_cse_rx_run(&p->batch, p->now_ms);
}

/* What is wrong with the metadata's rows. Without any, the frame is one that nobody protects. */
static tl_err look_at_metadata(const pass *p)
{
    const tl_frame_plane *rows = &p->b->metadata;
    uint64_t ends[2] = { 0, 0 };
    uint32_t came = 0;
    uint8_t *at;

    for (uint32_t i = 0; i < rows->rows; i++) {
        tl_verdict verdict;

        if (!tl_fsed_row(rows, i, &at))
            continue;
        came++;
        verdict = tl_fsed_judge(rows, i, p->rx->config.stream, ends);
        if (verdict != TL_VERDICT_OK)
            TL_TRY(claim(p, verdict, TL_FSED_WIRE_TYPE, i));
        else
            p->rx->counters.packets++;
    }
    for (size_t i = 0; came == 0 && i < p->b->plane_count; i++)
        if (p->b->planes[i].rows > 0)
            TL_TRY(claim(p, TL_VERDICT_UNPROTECTED, p->b->planes[i].data_type, 0));
    return TL_OK;
}

/* How many messages of each part the end says were sent, and where the lists then stand. False: not as they are there. */
static bool read_counts(pass *p, const tl_rx_item *end, uint64_t lists)
{
    const tl_stream_rx *rx = p->rx;
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(tl_span_of(end->payload, end->payload_n)), list;
    tl_sep_end_part part;
    uint32_t total = 0;
    uint64_t tags = 0;
    tl_sep_end m;
    unsigned n = 0;

    if (tl_decode_sep_end(&env, &r, &m) != TL_OK)
        return false;
    for (list = tl_rd_of(m.parts); n < rx->config.part_count && tl_each_sep_end_part(&list, &env, &part);
         n++) {
        if (part.count > rx->config.parts[n].count)
            return false;
        p->sent[n] = part.count;
        p->before[n] = total;
        p->tags_at[n] = tags;
        total += part.count;
        tags += (uint64_t)part.count * rx->plan.parts[n].tag_n;
    }
    p->checks_at = tags;
    return n == rx->config.part_count && lists == tags + tl_fsed_checks(&rx->config, total);
}

/* ---- lines ---- */

static bool read_check(pass *p, uint32_t position, uint32_t *crc)
{
    const tl_env env = { 0 };
    const uint64_t at = p->checks_at + tl_fsed_checks(&p->rx->config, position);
    uint8_t bytes[4];
    tl_rd r = tl_rd_of(tl_span_of(bytes, sizeof bytes));
    tl_fsed_crc32 check = { 0 };

    if (p->rx->config.crc32 != TL_WITH)
        return true;
    if (!tl_fsed_read(&p->checks, at, bytes, sizeof bytes) || tl_unpack_fsed_crc32(&env, &r, &check) != TL_OK)
        return false;
    *crc = check.crc32;
    return true;
}

static tl_rx_item item_of(tl_stream_rx *rx, const tl_sep_header *h, tl_place place, uint8_t *payload)
{
    return (tl_rx_item){
        .rx = rx,
        .payload = payload,
        .at = ++rx->counters.packets,
        .frame = h->frame,
        .epoch = rx->key.epoch,
        .payload_n = (uint16_t)h->length,
        .message = (uint16_t)h->message,
        .row = place.row,
        .data_type = (uint8_t)h->data_type,
        .part = place.part,
        .fate = TL_FATE_CLAIM,
        .verdict = TL_VERDICT_LIMIT,
        .parsed = true,
    };
}

/* The message as a packet would have brought it: header, tag and CRC-32 from the frame's metadata, payload where it is. It
 * is the batch's next item then, which is not counted yet. False if its metadata is missing. */
static bool put_together(pass *p, tl_place place, uint8_t *payload)
{
    tl_stream_rx *rx = p->rx;
    const size_t tag_n = rx->plan.parts[place.part].tag_n;
    const uint64_t at = p->tags_at[place.part] + (uint64_t)place.row * tag_n;
    const tl_sep_header h = tl_cse_line_header(&rx->config, &rx->plan, place, rx->key.epoch, rx->frame);
    const tl_env env = { 0 };
    uint8_t *header = p->headers[p->batch.n], tag[TL_TAG_MAX];
    tl_wr w = tl_wr_of(header, TL_SEP_HEADER_SIZE);
    tl_sep_footer f = { .tag = tl_span_of(tag, tag_n) };

    if (tl_pack_sep_header(&env, &h, &w) != TL_OK || !tl_fsed_read(&p->tags, at, tag, tag_n) ||
        !read_check(p, p->before[place.part] + place.row, &f.crc32))
        return false;
    p->batch.items[p->batch.n] = item_of(rx, &h, place, payload);
    if (!tl_cse_key_spent(&rx->key, &rx->plan.limits))
        tl_cse_look_at_parts(&p->batch, &h, tl_span_of(header, TL_SEP_HEADER_SIZE), &f, &rx->key);
    return true;
}

static tl_err take_line(pass *p, tl_place place, uint8_t *payload)
{
    if (tl_cse_rx_full(&p->batch, p->rx))
        TL_TRY(tl_cse_rx_run(&p->batch, p->now_ms));
    p->batch.n = (uint8_t)(p->batch.n + put_together(p, place, payload));
    return TL_OK;
}

/* A part whose rows are where they belong. */
static tl_err take_part(pass *p, unsigned part)
{
    uint8_t *at;

    for (uint32_t row = 0; row < p->sent[part]; row++)
        if (row_of(p, part, row, &at))
            TL_TRY(take_line(p, (tl_place){ true, (uint8_t)part, (uint16_t)row }, at));
    return TL_OK;
}

/* ---- lines that have moved ---- */

/* True if the row is that message; its payload is in clear then, and else as it was. The backend opens an encrypted row
 * whatever its tag; what was no message is turned back by the same step, since the cipher is a key stream. */
static tl_err try_row(pass *p, tl_place place, uint8_t *row, bool *right)
{
    tl_stream_rx *rx = p->rx;
    tl_rx_item *item = &p->batch.items[0];
    uint8_t tag[TL_TAG_MAX];
    tl_err e = TL_OK;
    tl_sealed *s;

    *right = false;
    tl_cse_rx_empty(&p->batch);
    if (!put_together(p, place, row))
        return TL_OK;
    s = &p->batch.rows[item->place];
    tl_cse_rx_empty(&p->batch);
    if (item->fate != TL_FATE_CHECK) {
        *right = item->fate == TL_FATE_BARE;
        return TL_OK;
    }
    memcpy(tag, s->tag, sizeof tag);
    TL_TRY(rx->crypto->ops->open(rx->crypto->ctx, s->key, s, 1));
    s->right = *right = tl_equal(tl_span_of(tag, s->tag_n), tl_span_of(s->tag, s->tag_n));
    if (!*right) {
        rx->key.bad++;
        if (s->cover == TL_COVER_ENCRYPTED)
            e = rx->crypto->ops->open(rx->crypto->ctx, s->key, s, 1);
    }
    tl_wipe(s->tag, sizeof s->tag); /* that of a message which came with a wrong one is what a forger wants */
    return e;
}

/* Finds the row's message among those from `next` on. */
static tl_err find_message(pass *p, const tl_frame_plane *plane, uint32_t row, uint32_t *next, bool *found)
{
    const tl_stream_rx *rx = p->rx;
    const uint32_t sent = sent_of(p, plane->data_type), from = *next;
    uint8_t *at = plane->p + row * plane->stride;

    *found = false;
    for (uint32_t message = from; message < sent && message <= from + AHEAD; message++) {
        const tl_place place = tl_cse_place(&rx->config, &rx->plan, plane->data_type, message);
        const tl_rx_item *item = &p->batch.items[0];

        if (!place.named || rx->config.parts[place.part].length > plane->row_bytes ||
            tl_cse_key_spent(&rx->key, &rx->plan.limits))
            return TL_OK;
        TL_TRY(try_row(p, place, at, found));
        if (*found) {
            *next = message + 1;
            return tl_cse_judge(item, p->now_ms, &p->batch.rows[item->place]);
        }
    }
    return TL_OK;
}

/* A plane whose rows are not as many as were sent. A row that is none of the next messages is a stranger while there are
 * more rows than messages, else one of them, spoilt. */
static tl_err find_messages(pass *p, const tl_frame_plane *plane)
{
    uint32_t sent = sent_of(p, plane->data_type), next = 0;
    bool found;

    for (uint32_t row = 0; row < plane->rows && next < sent; row++) {
        TL_TRY(find_message(p, plane, row, &next, &found));
        if (!found && plane->rows - row <= sent - next)
            next++;
    }
    return TL_OK;
}

/* Rows that have their places, and one behind the last message is there. */
static void look_behind(const pass *p, uint8_t data_type)
{
    const tl_frame_plane *plane = plane_of(p, data_type);
    const uint32_t sent = sent_of(p, data_type);
    uint8_t *at;

    for (uint32_t row = sent; plane != NULL && row < plane->rows; row++)
        if (tl_fsed_row(plane, row, &at)) {
            hold_gap(p, data_type, row);
            return;
        }
}

static tl_err take_moved(pass *p, uint8_t data_type)
{
    const tl_frame_plane *plane = plane_of(p, data_type);
    uint32_t sent = sent_of(p, data_type);

    if (p->rx->plan.list_count == 0)
        TL_TRY(find_messages(p, plane));
    else /* none of them can be checked; what is missing is told, and fails the frame */
        p->rx->received += plane->rows < sent ? plane->rows : sent;
    if (plane->rows > sent)
        hold_gap(p, data_type, sent);
    return TL_OK;
}

/* ---- all of them ---- */

static tl_err take_lines(pass *p)
{
    const tl_stream_rx *rx = p->rx;

    tl_cse_rx_empty(&p->batch);
    for (unsigned i = 0; i < rx->config.part_count; i++)
        if (is_placed(p, rx->config.parts[i].data_type))
            TL_TRY(take_part(p, i));
    TL_TRY(tl_cse_rx_run(&p->batch, p->now_ms));
    for (unsigned i = 0; i < rx->plan.type_count; i++)
        if (is_placed(p, rx->plan.types[i]))
            look_behind(p, rx->plan.types[i]);
        else
            TL_TRY(take_moved(p, rx->plan.types[i]));
    return TL_OK;
}

/* Lines were opened before their list was found wrong: what they hold is nobody's pixels. */
static void wipe_encrypted(const pass *p)
{
    const tl_stream_rx *rx = p->rx;
    uint8_t *at;

    for (unsigned i = 0; i < rx->config.part_count; i++)
        for (uint32_t row = 0; rx->config.variant[rx->config.parts[i].block] == TL_SV_1 && row < p->sent[i];
             row++)
            if (row_of(p, i, row, &at))
                tl_wipe(at, rx->config.parts[i].length);
}

/* The frame's end, right, and what it says of the frame. */
static tl_err take_end(pass *p, const tl_rx_item *end, const tl_sealed *s, uint64_t lists)
{
    tl_err e, last;

    if (read_counts(p, end, lists))
        e = take_lines(p);
    else
        e = claim(p, TL_VERDICT_LENGTH, TL_FSED_WIRE_TYPE, 0);
    last = tl_cse_judge(end, p->now_ms, s);
    return e != TL_OK ? e : last;
}

static tl_err take_rest(pass *p)
{
    const tl_stream_rx *rx = p->rx;
    const tl_frame_plane *rows = &p->b->metadata;
    const size_t end_n = tl_fsed_end_size(&rx->config, &rx->plan);
    const uint64_t n = tl_fsed_total(rows, rx->config.stream, TL_FSED_BOTTOM);
    uint8_t body[BODY_MAX];
    tl_rx_item end;
    tl_sealed s;

    TL_TRY(look_for_strangers(p));
    p->tags = p->checks = tl_fsed_reader_of(rows, rx->config.stream, TL_FSED_BOTTOM);
    if (n < end_n || !tl_fsed_read(&p->tags, n - end_n, body, end_n))
        return TL_OK;
    end = *look_at_service(p, (tl_buffer){ body, end_n }, TL_SEP_END);
    TL_TRY(tl_cse_rx_verify(&p->batch));
    s = p->batch.rows[end.place];
    if ((end.fate == TL_FATE_BARE || (end.fate == TL_FATE_CHECK && s.right)) && end.frame == rx->frame &&
        end.epoch == rx->key.epoch)
        return take_end(p, &end, &s, n - end_n);
    return tl_cse_judge(&end, p->now_ms, &s);
}

tl_err tl_stream_rx_frame(tl_stream_rx *rx, uint64_t now_ms, const tl_frame_buffers *b, tl_verdict *verdict)
{
    witness w = { .sink = rx->sink };
    pass p = { .rx = rx, .now_ms = now_ms, .b = b };
    tl_err e, last;

    *verdict = TL_VERDICT_GAP;
    if (rx->config.carrier != TL_CARRIER_FSED)
        return TL_E_USAGE;
    tl_stream_rx_tick(rx, now_ms);
    rx->sink = (tl_stream_sink){ &w, on_event };
    e = take_begin(&p);
    last = look_at_metadata(&p);
    if (e == TL_OK)
        e = last;
    if (rx->open && e == TL_OK)
        e = take_rest(&p);
    if (rx->open)
        tl_cse_frame_close(rx, TL_VERDICT_CUT);
    rx->sink = w.sink;
    if (rx->plan.list_count > 0 && !(w.judged && w.frame == TL_VERDICT_OK))
        wipe_encrypted(&p);
    *verdict = w.judged ? w.frame : tl_cse_worse(TL_VERDICT_GAP, w.other);
    return e;
}
