/* The sending end of a stream: frames in order, messages protected in place, a nonce never twice.
 *
 * A nonce is made of frame and message number. The frame number is spent the moment a frame is opened, whatever
 * becomes of it; a message number is spent the moment it is handed to the backend. After a failure inside a batch
 * nobody can say which numbers were used, so the frame is broken and can only be given up. */
#include "cse/keys.h"
#include "cse/fsed.h"
#include "cse/lists.h"
#include "cse/sep.h"
#include "wire/line.h"
#include "wire/most.h"

enum { TX_IDLE = 0, TX_OPEN, TX_BROKEN };
enum { SERVICE_MESSAGES = 2 };

static bool is_copy(const tl_stream_tx *tx)
{
    return tx->self != (uintptr_t)tx;
}

tl_err tl_stream_tx_init(tl_stream_tx *tx, const tl_stream_config *config, tl_key_source *source,
                         uint32_t epoch)
{
    const tl_crypto *crypto;

    *tx = (tl_stream_tx){ 0 };
    TL_TRY(tl_stream_config_check(config, NULL));
    TL_TRY(tl_cse_key_backend(config, source, &crypto));
    TL_TRY(tl_stream_config_digest(config, crypto, tx->digest));
    TL_TRY(tl_cse_key_take(&tx->key, source, epoch, config, tx->digest));
    tx->crypto = crypto;
    tx->config = *config;
    tl_stream_plan_of(&tx->plan, config);
    tx->next_frame = config->first_frame;
    tx->self = (uintptr_t)tx;
    return TL_OK;
}

tl_err tl_stream_tx_rekey(tl_stream_tx *tx, tl_key_source *source, uint32_t epoch)
{
    if (is_copy(tx))
        return TL_E_COPIED;
    if ((source == NULL ? NULL : source->crypto) != tx->crypto)
        return TL_E_USAGE;
    return tl_cse_key_take_next(&tx->next_key, &tx->key, source, epoch, &tx->config, tx->digest);
}

tl_err tl_stream_tx_move(tl_stream_tx *to, tl_stream_tx *from)
{
    if (is_copy(from))
        return TL_E_COPIED;
    if (to == from)
        return TL_OK;
    *to = *from;
    to->self = (uintptr_t)to;
    tl_wipe(from, sizeof *from);
    return TL_OK;
}

void tl_stream_tx_wipe(tl_stream_tx *tx)
{
    if (!is_copy(tx)) {
        tl_cse_lists_drop(tx->crypto, tx->lists);
        tl_cse_key_drop(&tx->key, tx->crypto);
        tl_cse_key_drop(&tx->next_key, tx->crypto);
    }
    tl_wipe(tx, sizeof *tx);
}

/* True if the key may protect `messages` more with `bytes` of payload. */
static bool key_lasts(const tl_stream_tx *tx, uint64_t messages, uint64_t bytes)
{
    const tl_stream_limits *limits = &tx->plan.limits;

    return tx->key.held && tx->key.messages + messages <= limits->messages &&
           tx->key.bytes + bytes <= limits->bytes && tx->key.lists + tx->plan.list_count <= limits->lists;
}

static tl_err write_header(const tl_sep_header *h, uint8_t *at)
{
    const tl_env env = { 0 };
    tl_wr w = tl_wr_of(at, TL_SEP_HEADER_SIZE);

    return tl_pack_sep_header(&env, h, &w);
}

/* The backend's row of a message whose header and payload stand in the packet's buffer. */
static tl_err lay_out(const tl_stream_tx *tx, const tl_sep_header *h, uint8_t *buffer, tl_sealed *s)
{
    *s = (tl_sealed){
        .header = tl_span_of(buffer + TL_CSI2_HEADER_SIZE, TL_SEP_HEADER_SIZE),
        .payload = buffer + TL_SEP_BEFORE,
        .payload_n = h->length,
        .tag_n = TL_TAG_MAX,
    };
    return tl_cse_nonce(&tx->key, h, TL_SEP_PURPOSE_MESSAGE, s->nonce);
}

/* Footer and CSI-2 header and checksum around a message of n payload bytes; the packet's size is the result. */
static tl_err close_packet(const tl_stream_tx *tx, uint8_t *buffer, size_t n, tl_span tag, tl_span *packet)
{
    const tl_env env = tl_cse_env(&tx->config, tag.n);
    uint8_t *body = buffer + TL_CSI2_HEADER_SIZE;
    tl_wr w = tl_wr_of(body + TL_SEP_HEADER_SIZE + n, TL_SEP_FOOTER_MAX + TL_CSI2_FOOTER_SIZE);
    tl_wr head = tl_wr_of(buffer, TL_CSI2_HEADER_SIZE);
    tl_sep_footer f = { .tag = tag };
    tl_csi2_header h = { tx->config.virtual_channel, TL_SEP_WIRE_TYPE, 0 };
    tl_span payload;

    if (tx->config.crc32 == TL_WITH)
        f.crc32 = tl_cse_footer_crc(tx->crypto, tl_span_of(body, TL_SEP_HEADER_SIZE + n), tag);
    TL_TRY(tl_pack_sep_footer(&env, &f, &w));
    payload = tl_span_of(body, TL_SEP_HEADER_SIZE + n + w.n);
    h.word_count = (uint16_t)payload.n;
    TL_TRY(tl_csi2_header_write(&h, &head));
    tl_put(&w, TL_CSI2_FOOTER_SIZE, TL_LITTLE, tl_cse_packet_crc(tx->crypto, payload));
    *packet = tl_span_of(buffer, TL_CSI2_HEADER_SIZE + payload.n + TL_CSI2_FOOTER_SIZE);
    return TL_OK;
}

static tl_err seal(tl_stream_tx *tx, size_t n)
{
    tl_err e;

    if (n == 0)
        return TL_OK;
    e = tx->crypto->ops->protect(tx->crypto->ctx, tx->key.handle, tx->batch, n);
    tx->key.messages += n;
    for (size_t i = 0; i < n; i++)
        tx->key.bytes += tx->batch[i].payload_n;
    return e;
}

static tl_list_frame list_frame(const tl_stream_tx *tx)
{
    return (tl_list_frame){ tx->crypto, &tx->config, &tx->plan, &tx->key, tx->frame };
}

/* ---- begin and end ---- */

/* The short packet that stands beside a service message. */
static tl_err make_short(const tl_stream_tx *tx, tl_data_type type, uint8_t *at, tl_span *packet)
{
    const tl_csi2_header h = { tx->config.virtual_channel, (uint8_t)type, tl_cse_short_number(tx->frame) };
    tl_wr w = tl_wr_of(at, TL_CSI2_HEADER_SIZE);

    TL_TRY(tl_csi2_write(&h, tl_span_of(NULL, 0), &w));
    *packet = tl_written(&w);
    return TL_OK;
}

static tl_err begin_payload(const tl_stream_tx *tx, uint64_t now_us, tl_wr *w)
{
    const tl_stream_config *c = &tx->config;
    const tl_env env = { 0 };
    uint8_t list[TL_SEP_PARTS_MAX * TL__MOST(sep_begin_part)];
    tl_wr parts = tl_wr_of(list, sizeof list);
    tl_sep_begin m = { .configuration = tl_span_of(tx->digest, sizeof tx->digest), .time_us = now_us };

    for (unsigned i = 0; i < c->part_count; i++) {
        tl_sep_begin_part part = { .block = c->parts[i].block,
                                   .data_type = c->parts[i].data_type,
                                   .first = tx->plan.parts[i].first,
                                   .count = c->parts[i].count };
        TL_TRY(tl_encode_sep_begin_part(&env, &part, &parts));
    }
    m.parts = tl_written(&parts);
    return tl_encode_sep_begin(&env, &m, w);
}

static tl_err end_parts(const tl_stream_tx *tx, tl_wr *w)
{
    const tl_stream_config *c = &tx->config;
    const tl_env env = { 0 };

    for (unsigned i = 0; i < c->part_count; i++) {
        tl_sep_end_part part = { .block = c->parts[i].block, .data_type = c->parts[i].data_type };

        part.count = i < tx->part ? c->parts[i].count : i == tx->part ? tx->row : 0;
        TL_TRY(tl_encode_sep_end_part(&env, &part, w));
    }
    return TL_OK;
}

/* Closes the frame's lists; of each tag tag_size bytes travel. */
static tl_err end_tags(tl_stream_tx *tx, tl_wr *w)
{
    const tl_list_frame f = list_frame(tx);
    uint8_t tag[TL_TAG_MAX];
    tl_err e = TL_OK;

    for (unsigned i = 0; i < tx->plan.list_count && e == TL_OK; i++) {
        tx->key.lists++;
        e = tl_cse_list_end(&f, tx->lists, i, tag);
        if (e == TL_OK)
            tl_put_bytes(w, tl_span_of(tag, tx->config.tag_size));
    }
    tl_wipe(tag, sizeof tag);
    return e;
}

static tl_err end_payload(tl_stream_tx *tx, tl_wr *w)
{
    const tl_env env = { 0 };
    uint8_t list[TL_SEP_PARTS_MAX * TL__MOST(sep_end_part)], bytes[TL_SEP_PARTS_MAX * TL_TAG_MAX];
    tl_wr parts = tl_wr_of(list, sizeof list), tags = tl_wr_of(bytes, sizeof bytes);
    tl_sep_end m = { 0 };

    TL_TRY(end_parts(tx, &parts));
    TL_TRY(end_tags(tx, &tags));
    m.parts = tl_written(&parts);
    m.tags = tl_written(&tags);
    return tl_encode_sep_end(&env, &m, w);
}

/* A whole service message: its payload, `length` bytes, stands where the packet keeps it. */
static tl_err make_service(tl_stream_tx *tx, uint32_t message, size_t length, uint8_t *at, tl_span *packet)
{
    const tl_sep_header h = {
        .version = TL_SEP_VERSION,
        .block = TL_BLOCK_SERVICE,
        .stream = tx->config.stream,
        .data_type = TL_SEP_SERVICE_TYPE,
        .key = tx->key.epoch & 0xFF,
        .message = message,
        .frame = tx->frame,
        .length = (uint32_t)length,
    };

    TL_TRY(write_header(&h, at + TL_CSI2_HEADER_SIZE));
    if (tx->plan.tag_n > 0) {
        TL_TRY(lay_out(tx, &h, at, &tx->batch[0]));
        TL_TRY(seal(tx, 1));
    }
    return close_packet(tx, at, length, tl_span_of(tx->batch[0].tag, tx->plan.tag_n), packet);
}

static tl_err make_begin(tl_stream_tx *tx, uint64_t now_us, tl_tx_edge *edge)
{
    uint8_t *at = edge->bytes + TL_CSI2_HEADER_SIZE;
    tl_wr payload = tl_wr_of(at + TL_SEP_BEFORE, TL_SEP_SERVICE_MAX);

    TL_TRY(begin_payload(tx, now_us, &payload));
    TL_TRY(make_short(tx, TL_DT_FRAME_START, edge->bytes, &edge->packets[0]));
    return make_service(tx, TL_SEP_BEGIN, payload.n, at, &edge->packets[1]);
}

static tl_err make_end(tl_stream_tx *tx, tl_tx_edge *edge)
{
    uint8_t *at = edge->bytes + TL_CSI2_HEADER_SIZE;
    tl_wr payload = tl_wr_of(at + TL_SEP_BEFORE, TL_SEP_SERVICE_MAX);

    TL_TRY(end_payload(tx, &payload));
    TL_TRY(make_service(tx, TL_SEP_END, payload.n, at, &edge->packets[0]));
    return make_short(tx, TL_DT_FRAME_END, edge->bytes, &edge->packets[1]);
}

/* Keeps the edge only if it was made, and the frame's state with it. */
static tl_err settle(tl_stream_tx *tx, tl_err e, uint8_t state, tl_tx_edge *edge)
{
    tx->state = e == TL_OK ? state : TX_BROKEN;
    if (state == TX_IDLE || e != TL_OK)
        tl_cse_lists_drop(tx->crypto, tx->lists);
    if (e == TL_OK)
        tl_fsed_edge(tx, edge, state == TX_OPEN);
    else
        tl_wipe(edge, sizeof *edge);
    return e;
}

tl_err tl_stream_tx_begin(tl_stream_tx *tx, uint64_t now_us, tl_tx_edge *edge)
{
    if (is_copy(tx))
        return TL_E_COPIED;
    if (tx->state != TX_IDLE)
        return TL_E_STATE;
    if (tx->config.carrier == TL_CARRIER_FSED && tx->metadata == NULL)
        return TL_E_USAGE;
    if (tx->next_frame > UINT32_MAX)
        return TL_E_LIMIT;
    if (tx->next_key.held)
        tl_cse_key_switch(&tx->key, &tx->next_key, tx->crypto);
    if (!key_lasts(tx, (uint64_t)tx->plan.messages + SERVICE_MESSAGES,
                   (uint64_t)tx->plan.bytes + SERVICE_MESSAGES * TL_SEP_SERVICE_MAX))
        return TL_E_LIMIT;
    tx->frame = (uint32_t)tx->next_frame++;
    tx->part = 0;
    tx->row = 0;
    return settle(tx, make_begin(tx, now_us, edge), TX_OPEN, edge);
}

tl_err tl_stream_tx_end(tl_stream_tx *tx, tl_tx_edge *edge)
{
    if (is_copy(tx))
        return TL_E_COPIED;
    if (tx->state != TX_OPEN)
        return TL_E_STATE;
    return settle(tx, make_end(tx, edge), TX_IDLE, edge);
}

void tl_stream_tx_abandon(tl_stream_tx *tx)
{
    if (is_copy(tx))
        return;
    tl_cse_lists_drop(tx->crypto, tx->lists);
    tx->state = TX_IDLE;
}

/* ---- messages ---- */

/* Where the message i places on from here belongs; false behind the last. */
static bool place_ahead(const tl_stream_tx *tx, size_t ahead, unsigned *part, uint32_t *row)
{
    size_t r = tx->row + ahead;

    for (unsigned i = tx->part; i < tx->config.part_count; i++) {
        if (r < tx->config.parts[i].count) {
            *part = i;
            *row = (uint32_t)r;
            return true;
        }
        r -= tx->config.parts[i].count;
    }
    return false;
}

static tl_err check_messages(const tl_stream_tx *tx, const tl_tx_message *m, size_t n)
{
    unsigned part;
    uint32_t row;

    for (size_t i = 0; i < n; i++) {
        if (!place_ahead(tx, i, &part, &row))
            return TL_E_USAGE;
        if (m[i].data_type != tx->config.parts[part].data_type ||
            m[i].length != tx->config.parts[part].length)
            return TL_E_USAGE;
        if (m[i].room <
            (size_t)m[i].length + TL_SEP_BEFORE + tx->plan.parts[part].footer_n + TL_CSI2_FOOTER_SIZE)
            return TL_E_ROOM;
    }
    return TL_OK;
}

static void move_on(tl_stream_tx *tx, size_t n)
{
    unsigned part = tx->config.part_count;
    uint32_t row = 0;

    (void)place_ahead(tx, n, &part, &row);
    tx->part = (uint8_t)part;
    tx->row = (uint16_t)row;
}

/* Writes the message's header and, if it is to have a tag, makes its row for the backend. */
static tl_err prepare(tl_stream_tx *tx, const tl_tx_message *m, tl_place place, tl_sealed *s)
{
    const tl_stream_part *p = &tx->config.parts[place.part];
    const tl_sep_header h = tl_cse_line_header(&tx->config, &tx->plan, place, tx->key.epoch, tx->frame);

    TL_TRY(write_header(&h, m->buffer + TL_CSI2_HEADER_SIZE));
    if (s == NULL)
        return TL_OK;
    TL_TRY(lay_out(tx, &h, m->buffer, s));
    s->cover = tl_cse_cover(&tx->config, &tx->plan, place);
    s->pattern = tx->config.pattern[p->block];
    return TL_OK;
}

/* Its tag goes onto its list or into its packet, or it has none. */
static tl_err finish(tl_stream_tx *tx, tl_tx_message *m, tl_place place, const tl_sealed *s)
{
    const tl_part_plan *plan = &tx->plan.parts[place.part];
    const tl_list_frame f = list_frame(tx);

    const tl_span tag = tl_span_of(s != NULL ? s->tag : NULL, plan->tag_n);

    if (s != NULL && plan->list != TL_PLAN_NO_LIST)
        TL_TRY(tl_cse_list_add(&f, tx->lists, plan->list, s->tag));
    if (tx->config.carrier == TL_CARRIER_FSED)
        return tl_fsed_line(tx, m, place, tag);
    return close_packet(tx, m->buffer, m->length, tag, &m->packet);
}

static tl_err protect_batch(tl_stream_tx *tx, tl_tx_message *m, size_t n)
{
    tl_place places[TL_STREAM_BATCH];
    tl_sealed *rows[TL_STREAM_BATCH]; /* NULL: without a tag */
    size_t sealed = 0;
    tl_err e = TL_OK;

    for (size_t i = 0; i < n; i++) {
        unsigned part = 0;
        uint32_t row = 0;
        (void)place_ahead(tx, i, &part, &row);
        places[i] = (tl_place){ true, (uint8_t)part, (uint16_t)row };
        rows[i] = tl_cse_is_sealed(&tx->config, tx->config.parts[part].block) ? &tx->batch[sealed++] : NULL;
        TL_TRY(prepare(tx, &m[i], places[i], rows[i]));
    }
    TL_TRY(seal(tx, sealed));
    for (size_t i = 0; i < n && e == TL_OK; i++)
        e = finish(tx, &m[i], places[i], rows[i]);
    for (size_t i = 0; i < sealed && tx->plan.list_count > 0; i++)
        tl_wipe(tx->batch[i].tag, sizeof tx->batch[i].tag); /* such tags are nobody else's business */
    if (e == TL_OK)
        move_on(tx, n);
    return e;
}

tl_err tl_stream_tx_messages(tl_stream_tx *tx, tl_tx_message *messages, size_t n)
{
    tl_err e = TL_OK;

    if (is_copy(tx))
        return TL_E_COPIED;
    if (tx->state != TX_OPEN)
        return TL_E_STATE;
    TL_TRY(check_messages(tx, messages, n));
    for (size_t done = 0; done < n && e == TL_OK; done += TL_STREAM_BATCH)
        e = protect_batch(tx, messages + done, n - done < TL_STREAM_BATCH ? n - done : TL_STREAM_BATCH);
    if (e != TL_OK) {
        tx->state = TX_BROKEN;
        tl_cse_lists_drop(tx->crypto, tx->lists);
        for (size_t i = 0; i < n; i++)
            messages[i].packet = tl_span_of(NULL, 0);
    }
    return e;
}
