/* The receiver's first look at a packet: everything that can be said before its tag is checked.
 *
 * What it finds are claims. The checks run in the order of verdicts.def, so the first that fails is the verdict. */
#include "cse/keys.h"
#include "cse/rx.h"
#include "cse/sep.h"
#include "wire/line.h"

/* A service message's payload is short; nothing else about it can be known before its tag is. */
static bool is_service(const tl_sep_header *h)
{
    return h->data_type == TL_SEP_SERVICE_TYPE;
}

/* Drops what is not for this stream; gives true if the packet is dealt with. */
static bool look_at_hop(tl_stream_rx *rx, const tl_csi2_packet *p, tl_rx_item *item)
{
    unsigned channels = rx->config.channels_accepted;

    if (channels == 0)
        channels = 1u << rx->config.virtual_channel;
    if (p->ecc == TL_CSI2_ECC_BAD) {
        item->verdict = TL_VERDICT_ECC;
        return true;
    }
    if (p->ecc == TL_CSI2_ECC_CORRECTED) {
        item->info |= TL_INFO_ECC_CORRECTED;
        rx->counters.ecc_corrected++;
    }
    if (!(channels >> p->header.virtual_channel & 1)) {
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

/* The service header, and whether it is one that this stream may send. */
static bool look_at_header(const tl_stream_rx *rx, tl_span body, tl_sep_header *h, tl_rx_item *item)
{
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(body);
    tl_place place;

    if (body.n < TL_SEP_HEADER_SIZE || tl_unpack_sep_header(&env, &r, h) != TL_OK)
        return false;
    item->parsed = true;
    item->data_type = (uint8_t)h->data_type;
    item->message = (uint16_t)h->message;
    item->frame = h->frame;
    if (h->version != TL_SEP_VERSION || h->flags != 0 || h->count != 0 || h->stream != rx->config.stream)
        return false;
    if (is_service(h))
        return h->block == TL_BLOCK_SERVICE && (h->message == TL_SEP_BEGIN || h->message == TL_SEP_END);
    place = tl_cse_place(&rx->config, &rx->plan, h->data_type, h->message);
    item->part = place.part;
    item->row = place.row;
    return place.named && h->block == rx->config.parts[place.part].block;
}

static tl_stream_key *key_by_number(tl_stream_rx *rx, uint32_t number)
{
    if (rx->key.held && (rx->key.epoch & 0xFF) == number)
        return &rx->key;
    if (rx->next_key.held && (rx->next_key.epoch & 0xFF) == number)
        return &rx->next_key;
    return NULL;
}

tl_stream_key *tl_cse_rx_key(tl_stream_rx *rx, uint32_t epoch)
{
    tl_stream_key *key = key_by_number(rx, epoch & 0xFF);

    return key != NULL && key->epoch == epoch ? key : NULL;
}

static bool at_limit(const tl_stream_rx *rx, const tl_stream_key *key)
{
    const tl_stream_limits limits = rx->plan.limits;

    return tl_cse_key_spent(key, &limits);
}

static bool right_length(const tl_stream_rx *rx, const tl_sep_header *h, const tl_rx_item *item,
                         size_t length)
{
    if (h->length != length)
        return false;
    return is_service(h) ? length <= TL_SEP_SERVICE_MAX : length == rx->config.parts[item->part].length;
}

/* What a wrong tag would be blamed on: a begin that names another configuration, a CRC-32 that is wrong, or itself. */
static tl_verdict blame(const tl_stream_rx *rx, const tl_sep_header *h, const tl_rx_item *item)
{
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(tl_span_of(item->payload, item->payload_n));
    tl_sep_begin begin;

    if (is_service(h) && h->message == TL_SEP_BEGIN && tl_decode_sep_begin(&env, &r, &begin) == TL_OK &&
        !tl_equal(begin.configuration, tl_span_of(rx->digest, sizeof rx->digest)))
        return TL_VERDICT_CONFIGURATION;
    return item->info & TL_INFO_CRC32 ? TL_VERDICT_CRC32 : TL_VERDICT_TAG;
}

/* Footer, checksum, nonce: the row for the backend. */
static bool prepare(tl_stream_rx *rx, tl_span body, const tl_sep_header *h, const tl_stream_key *key,
                    tl_rx_item *item, tl_sealed *s)
{
    const uint8_t tag_n = is_service(h) ? rx->plan.tag_n : rx->plan.parts[item->part].tag_n;
    const tl_env env = tl_cse_env(&rx->config, tag_n);
    size_t covered = TL_SEP_HEADER_SIZE + item->payload_n;
    tl_rd r = tl_rd_of(tl_span_of(body.p + covered, body.n - covered));
    tl_sep_footer f;

    if (tl_unpack_sep_footer(&env, &r, &f) != TL_OK ||
        tl_cse_nonce(key, h, TL_SEP_PURPOSE_MESSAGE, s->nonce) != TL_OK)
        return false;
    if (rx->config.crc32 == TL_WITH &&
        tl_cse_footer_crc(rx->crypto, tl_span_of(body.p, covered), f.tag) != f.crc32)
        item->info |= TL_INFO_CRC32;
    s->header = tl_span_of(body.p, TL_SEP_HEADER_SIZE);
    s->payload = item->payload;
    s->payload_n = item->payload_n;
    s->cover = is_service(h)
                   ? TL_COVER_PAYLOAD
                   : tl_cse_cover(&rx->config, &rx->plan, (tl_place){ true, item->part, item->row });
    s->pattern = rx->config.pattern[h->block];
    s->tag_n = tag_n;
    s->right = false;
    for (size_t i = 0; i < f.tag.n; i++)
        s->tag[i] = f.tag.p[i];
    item->verdict = blame(rx, h, item);
    item->fate = TL_FATE_CHECK;
    return true;
}

static void look_at_message(tl_stream_rx *rx, uint8_t *body, size_t n, tl_rx_item *item, tl_sealed *s)
{
    size_t around;
    tl_sep_header h;
    tl_stream_key *key;

    item->verdict = TL_VERDICT_HEADER;
    if (!look_at_header(rx, tl_span_of(body, n), &h, item))
        return;
    around = TL_SEP_HEADER_SIZE +
             (size_t)(is_service(&h) ? rx->plan.footer_n : rx->plan.parts[item->part].footer_n);
    if (n < around)
        return;
    item->payload = body + TL_SEP_HEADER_SIZE;
    item->payload_n = n - around;
    key = key_by_number(rx, h.key);
    if (key == NULL) {
        item->verdict = TL_VERDICT_KEY;
        return;
    }
    item->epoch = key->epoch;
    if (at_limit(rx, key)) {
        item->verdict = TL_VERDICT_LIMIT;
        return;
    }
    if (!right_length(rx, &h, item, item->payload_n)) {
        item->verdict = TL_VERDICT_LENGTH;
        return;
    }
    key->messages++;
    key->bytes += item->payload_n;
    (void)prepare(rx, tl_span_of(body, n), &h, key, item, s);
}

void tl_cse_look_at(tl_stream_rx *rx, const tl_csi2_packet *p, tl_buffer packet, tl_rx_item *item,
                    tl_sealed *sealed)
{
    rx->counters.packets++;
    *item = (tl_rx_item){ .fate = TL_FATE_CLAIM, .at = rx->counters.packets };
    if (!look_at_hop(rx, p, item))
        look_at_message(rx, packet.p + TL_CSI2_HEADER_SIZE, p->payload.n, item, sealed);
}

void tl_cse_look(tl_stream_rx *rx, tl_buffer packet, tl_rx_item *item, tl_sealed *sealed)
{
    tl_csi2_packet p;

    tl_csi2_read(tl_span_of(packet.p, packet.n), &p);
    tl_cse_look_at(rx, &p, packet, item, sealed);
}
