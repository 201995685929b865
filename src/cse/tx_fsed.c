/* The sender's part of FSED: plain lines, and what stands around their payloads gathered for the frame's end.
 *
 *   the caller's memory   tags | CRC-32s | one metadata packet */
#include "cse/fsed.h"
#include "cse/sep.h"
#include "wire/line.h"

#include <string.h>

static size_t lists_of(const tl_stream_config *c, const tl_stream_plan *plan)
{
    return tl_fsed_tags(c, plan, plan->messages) + tl_fsed_checks(c, plan->messages);
}

size_t tl_stream_tx_metadata_size(const tl_stream_config *c)
{
    tl_stream_plan plan;

    if (tl_stream_config_check(c, NULL) != TL_OK)
        return 0;
    tl_stream_plan_of(&plan, c);
    return lists_of(c, &plan) + TL_CSI2_HEADER_SIZE + tl_fsed_length(c) + TL_CSI2_FOOTER_SIZE;
}

tl_err tl_stream_tx_metadata(tl_stream_tx *tx, tl_buffer memory)
{
    if (tx->self != (uintptr_t)tx)
        return TL_E_COPIED;
    if (tx->config.carrier != TL_CARRIER_FSED)
        return TL_E_USAGE;
    if (memory.n < tl_stream_tx_metadata_size(&tx->config))
        return TL_E_ROOM;
    tx->metadata = memory.p;
    return TL_OK;
}

bool tl_tx_edge_next(tl_tx_edge *edge, tl_span *packet)
{
    return tl_fsed_write(&edge->writer, packet);
}

/* Messages of the open frame that were sent. */
static uint32_t sent_of(const tl_stream_tx *tx)
{
    return tx->part < tx->config.part_count ? tx->plan.parts[tx->part].position + tx->row : tx->plan.messages;
}

/* The service message as it stands inside its packet. */
static tl_span body_of(tl_span packet)
{
    return tl_span_of(packet.p + TL_CSI2_HEADER_SIZE, packet.n - TL_CSI2_HEADER_SIZE - TL_CSI2_FOOTER_SIZE);
}

static void metadata_edge(const tl_stream_tx *tx, tl_tx_edge *edge, bool begin)
{
    size_t tags = tl_fsed_tags(&tx->config, &tx->plan, tx->plan.messages);
    tl_fsed_writer *w = &edge->writer;
    tl_span *service = &edge->packets[begin];

    *w = (tl_fsed_writer){
        .packet = tx->metadata + lists_of(&tx->config, &tx->plan),
        .length = (uint16_t)tl_fsed_length(&tx->config),
        .stream = tx->config.stream,
        .position = begin ? TL_FSED_TOP : TL_FSED_BOTTOM,
        .virtual_channel = tx->config.virtual_channel,
    };
    w->around[!begin] = edge->packets[!begin];
    if (!begin) {
        w->pieces[0] = tl_span_of(tx->metadata, tl_fsed_tags(&tx->config, &tx->plan, sent_of(tx)));
        w->pieces[1] = tl_span_of(tx->metadata + tags, tl_fsed_checks(&tx->config, sent_of(tx)));
    }
    w->pieces[2] = body_of(*service);
    w->total = w->pieces[0].n + w->pieces[1].n + w->pieces[2].n;
    *service = tl_span_of(NULL, 0);
}

void tl_fsed_edge(const tl_stream_tx *tx, tl_tx_edge *edge, bool begin)
{
    if (tx->config.carrier == TL_CARRIER_FSED) {
        metadata_edge(tx, edge, begin);
        return;
    }
    edge->writer = (tl_fsed_writer){ .around = { edge->packets[0], edge->packets[1] } };
}

/* CRC-32 over header, payload and tag, as in a footer. */
static tl_err keep_check(const tl_stream_tx *tx, const tl_tx_message *m, uint32_t position, tl_span tag)
{
    const tl_env env = { 0 };
    const tl_span covered =
        tl_span_of(m->buffer + TL_CSI2_HEADER_SIZE, TL_SEP_HEADER_SIZE + (size_t)m->length);
    const tl_fsed_crc32 check = { .crc32 = tl_cse_footer_crc(tx->crypto, covered, tag) };
    uint8_t *checks = tx->metadata + tl_fsed_tags(&tx->config, &tx->plan, tx->plan.messages);
    tl_wr w = tl_wr_of(checks + tl_fsed_checks(&tx->config, position), tl_fsed_checks(&tx->config, 1));

    return tl_pack_fsed_crc32(&env, &check, &w);
}

tl_err tl_fsed_line(tl_stream_tx *tx, tl_tx_message *m, tl_place place, tl_span tag)
{
    const tl_csi2_header h = { tx->config.virtual_channel, m->data_type, m->length };
    const tl_span payload = tl_span_of(m->buffer + TL_SEP_BEFORE, m->length);
    uint32_t position = tx->plan.parts[place.part].position + place.row;
    uint8_t *packet = m->buffer + TL_SEP_HEADER_SIZE;
    tl_wr head = tl_wr_of(packet, TL_CSI2_HEADER_SIZE);
    tl_wr check = tl_wr_of(m->buffer + TL_SEP_BEFORE + m->length, TL_CSI2_FOOTER_SIZE);

    if (tag.n > 0)
        memcpy(tx->metadata + tl_fsed_tags(&tx->config, &tx->plan, position), tag.p, tag.n);
    if (tx->config.crc32 == TL_WITH)
        TL_TRY(keep_check(tx, m, position, tag));
    TL_TRY(tl_csi2_header_write(&h, &head));
    tl_put(&check, TL_CSI2_FOOTER_SIZE, TL_LITTLE, tl_cse_packet_crc(tx->crypto, payload));
    m->packet = tl_span_of(packet, TL_CSI2_HEADER_SIZE + (size_t)m->length + TL_CSI2_FOOTER_SIZE);
    return TL_OK;
}
