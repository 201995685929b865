/* The receiver's first look at a packet: everything that can be said before its tag is checked.
 *
 * What it finds are claims. The checks run in the order of verdicts.def, so the first that fails is the verdict. */
#include "cse/keys.h"
#include "cse/rx.h"
#include "cse/sep.h"
#include "wire/line.h"

/* ---- the hop: CSI-2's own header and checksum ---- */

static void read_packet(const tl_stream_rx *rx, tl_span bytes, tl_csi2_packet *p)
{
    if (rx->config.hop_check == TL_HOP_CHECKED_BELOW) {
        tl_csi2_read_checked(bytes, p);
        return;
    }
    tl_csi2_read_header(bytes, p);
    if (p->crc_right && !tl_csi2_is_short(p->header.data_type))
        p->crc_right = p->crc == tl_cse_packet_crc(rx->crypto, p->payload);
}

/* Drops what is not for this stream; gives true if the packet is dealt with. */
static bool look_at_hop(tl_stream_rx *rx, const tl_csi2_packet *p, tl_rx_item *item)
{
    if (p->ecc == TL_CSI2_ECC_BAD) {
        item->verdict = TL_VERDICT_ECC;
        return true;
    }
    if (p->ecc == TL_CSI2_ECC_CORRECTED) {
        item->info |= TL_INFO_ECC_CORRECTED;
        rx->counters.ecc_corrected++;
    }
    if (!(tl_stream_channels(&rx->config) >> p->header.virtual_channel & 1)) {
        rx->counters.other_channel++;
        item->fate = TL_FATE_DROP;
        return true;
    }
    if (!p->crc_right) {
        item->verdict = TL_VERDICT_CRC16;
        return true;
    }
    if (tl_csi2_is_short(p->header.data_type)) {
        rx->counters.short_packets++;
        item->fate = TL_FATE_DROP;
        return true;
    }
    if (rx->config.plain_types >> p->header.data_type & 1) {
        rx->counters.plain++;
        item->fate = TL_FATE_DROP;
        return true;
    }
    if (p->header.data_type != TL_SEP_WIRE_TYPE)
        item->verdict = TL_VERDICT_UNPROTECTED;
    return p->header.data_type != TL_SEP_WIRE_TYPE;
}

/* ---- the service header ---- */

bool tl_cse_stream_of(tl_span packet, uint16_t *stream)
{
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(packet);
    tl_sep_header h;

    if (tl_take(&r, TL_CSI2_HEADER_SIZE) == NULL || tl_unpack_sep_header(&env, &r, &h) != TL_OK ||
        h.stream > UINT16_MAX)
        return false;
    *stream = (uint16_t)h.stream;
    return true;
}

/* The service header, and whether it is one that this stream may send. A service message's payload is short; nothing
 * else about it can be known before its tag is. */
static bool look_at_header(const tl_stream_rx *rx, tl_span body, tl_sep_header *h, tl_rx_item *item)
{
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(body);
    tl_place place;

    if (tl_unpack_sep_header(&env, &r, h) != TL_OK)
        return false;
    item->parsed = true;
    item->data_type = (uint8_t)h->data_type;
    item->message = (uint16_t)h->message;
    item->frame = h->frame;
    if (h->version != TL_SEP_VERSION || h->flags != 0 || h->count != 0 || h->stream != rx->config.stream)
        return false;
    if (h->data_type == TL_SEP_SERVICE_TYPE)
        return h->block == TL_BLOCK_SERVICE && (h->message == TL_SEP_BEGIN || h->message == TL_SEP_END);
    place = tl_cse_place(&rx->config, &rx->plan, h->data_type, h->message);
    item->part = place.part;
    item->row = place.row;
    return place.named && h->block == rx->config.parts[place.part].block;
}

static bool right_length(const tl_rx_item *item, const tl_sep_header *h)
{
    if (h->length != item->payload_n)
        return false;
    if (tl_cse_is_service(item))
        return h->length <= TL_SEP_SERVICE_MAX;
    return h->length == item->rx->config.parts[item->part].length;
}

/* ---- keys ---- */

tl_stream_key *tl_cse_rx_key_by_number(tl_stream_rx *rx, uint32_t number)
{
    if (rx->key.held && (rx->key.epoch & 0xFF) == number)
        return &rx->key;
    if (rx->next_key.held && (rx->next_key.epoch & 0xFF) == number)
        return &rx->next_key;
    return NULL;
}

tl_stream_key *tl_cse_rx_key(tl_stream_rx *rx, uint32_t epoch)
{
    tl_stream_key *key = tl_cse_rx_key_by_number(rx, epoch & 0xFF);

    return key != NULL && key->epoch == epoch ? key : NULL;
}

/* ---- footer, and the row for the backend ---- */

/* What a wrong tag would be blamed on: a begin that names another configuration, a CRC-32 that is wrong, or itself. */
static tl_verdict blame(const tl_rx_item *item)
{
    const tl_stream_rx *rx = item->rx;
    const tl_env env = { 0 };
    tl_rd r;
    tl_sep_begin begin;

    if (tl_cse_is_service(item) && item->message == TL_SEP_BEGIN) {
        r = tl_rd_of(tl_span_of(item->payload, item->payload_n));
        if (tl_decode_sep_begin(&env, &r, &begin) == TL_OK &&
            !tl_equal(begin.configuration, tl_span_of(rx->digest, sizeof rx->digest)))
            return TL_VERDICT_CONFIGURATION;
    }
    return item->info & TL_INFO_CRC32 ? TL_VERDICT_CRC32 : TL_VERDICT_TAG;
}

tl_sealed *tl_cse_rx_row(tl_rx_batch *batch, tl_rx_item *item, const tl_sep_header *h, tl_span header,
                         const tl_stream_key *key)
{
    const tl_stream_rx *rx = item->rx;
    bool service = tl_cse_is_service(item);
    const tl_place place = { true, item->part, item->row };
    tl_sealed *s;

    item->place = (uint8_t)(item->fate == TL_FATE_CHECK ? batch->checks : TL_STREAM_BATCH - 1 - batch->lists);
    s = &batch->rows[item->place];
    if (tl_cse_nonce(key, h, TL_SEP_PURPOSE_MESSAGE, s->nonce) != TL_OK)
        return NULL;
    s->key = key->handle;
    s->header = header;
    s->payload = item->payload;
    s->payload_n = item->payload_n;
    s->cover = service ? TL_COVER_PAYLOAD : tl_cse_cover(&rx->config, &rx->plan, place);
    s->pattern = rx->config.pattern[h->block];
    s->tag_n = service ? rx->plan.tag_n : rx->plan.parts[item->part].tag_n;
    s->right = false;
    if (item->fate == TL_FATE_CHECK)
        batch->checks++;
    else
        batch->lists++;
    return s;
}

/* True if the tag says all about the payload, so that a wrong CRC-32 beside it is no more than information. */
static bool covers_all(const tl_rx_item *item, uint32_t block)
{
    const tl_stream_config *c = &item->rx->config;

    if (!tl_cse_is_sealed(c, block))
        return false;
    return block == TL_BLOCK_SERVICE || c->variant[block] == TL_SV_1 || c->variant[block] == TL_SV_2;
}

void tl_cse_look_at_parts(tl_rx_batch *batch, const tl_sep_header *h, tl_span header, const tl_sep_footer *f,
                          tl_stream_key *key)
{
    tl_rx_item *item = &batch->items[batch->n];
    tl_stream_rx *rx = item->rx;
    const tl_span payload = tl_span_of(item->payload, item->payload_n);
    tl_sealed *s;

    if (rx->config.crc32 == TL_WITH && tl_cse_message_crc(rx->crypto, header, payload, f->tag) != f->crc32)
        item->info |= TL_INFO_CRC32;
    item->verdict = (uint8_t)blame(item);
    if ((item->info & TL_INFO_CRC32) && !covers_all(item, h->block))
        return; /* the checksum is all that some of the bytes have */
    if (!tl_cse_is_sealed(&rx->config, h->block)) {
        item->fate = TL_FATE_BARE;
        return;
    }
    item->fate = !tl_cse_is_service(item) && rx->plan.parts[item->part].list != TL_PLAN_NO_LIST
                     ? TL_FATE_LIST
                     : TL_FATE_CHECK;
    s = tl_cse_rx_row(batch, item, h, header, key);
    if (s == NULL) {
        item->fate = TL_FATE_CLAIM;
        return;
    }
    if (f->tag.n > 0)
        memcpy(s->tag, f->tag.p, f->tag.n);
    key->messages++;
    key->bytes += item->payload_n;
}

static void look_at_footer(tl_stream_rx *rx, tl_span body, const tl_sep_header *h, tl_stream_key *key,
                           tl_rx_batch *batch)
{
    const tl_rx_item *item = &batch->items[batch->n];
    const uint8_t tag_n = tl_cse_is_service(item) ? rx->plan.tag_n : rx->plan.parts[item->part].tag_n;
    const tl_env env = tl_cse_env(&rx->config, tag_n);
    size_t covered = TL_SEP_HEADER_SIZE + (size_t)item->payload_n;
    tl_rd r = tl_rd_of(tl_span_of(body.p + covered, body.n - covered));
    tl_sep_footer f;

    if (tl_unpack_sep_footer(&env, &r, &f) == TL_OK)
        tl_cse_look_at_parts(batch, h, tl_span_of(body.p, TL_SEP_HEADER_SIZE), &f, key);
}

void tl_cse_look_at_message(tl_stream_rx *rx, tl_buffer body, tl_rx_batch *batch)
{
    tl_rx_item *item = &batch->items[batch->n];
    tl_sep_header h;
    tl_stream_key *key;
    size_t around;

    item->verdict = TL_VERDICT_HEADER;
    if (!look_at_header(rx, tl_span_of(body.p, body.n), &h, item))
        return;
    around = TL_SEP_HEADER_SIZE +
             (size_t)(tl_cse_is_service(item) ? rx->plan.footer_n : rx->plan.parts[item->part].footer_n);
    if (body.n < around)
        return;
    item->payload = body.p + TL_SEP_HEADER_SIZE;
    item->payload_n = (uint16_t)(body.n - around);
    key = tl_cse_rx_key_by_number(rx, h.key);
    if (key == NULL) {
        item->verdict = TL_VERDICT_KEY;
        return;
    }
    item->epoch = key->epoch;
    if (tl_cse_key_spent(key, &rx->plan.limits)) {
        item->verdict = TL_VERDICT_LIMIT;
        return;
    }
    if (!right_length(item, &h)) {
        item->verdict = TL_VERDICT_LENGTH;
        return;
    }
    look_at_footer(rx, tl_span_of(body.p, body.n), &h, key, batch);
}

void tl_cse_look(tl_stream_rx *rx, tl_buffer packet, tl_rx_batch *batch)
{
    tl_rx_item *item = &batch->items[batch->n];
    tl_csi2_packet p;

    rx->counters.packets++;
    *item = (tl_rx_item){ .rx = rx, .fate = TL_FATE_CLAIM, .at = rx->counters.packets };
    read_packet(rx, tl_span_of(packet.p, packet.n), &p);
    if (!look_at_hop(rx, &p, item))
        tl_cse_look_at_message(rx, (tl_buffer){ packet.p + TL_CSI2_HEADER_SIZE, p.payload.n }, batch);
}
