/* The bridge: what both ways share, and from SEP to FSED.
 *
 * A message's header is not carried in FSED: the receiver writes it anew. So a line is converted only if its header is the
 * one that the receiver will write, and everything else is dropped and counted. Lines leave in the order in which they
 * come; each tag goes to its message's place in the list. A line that is missing, doubled or moved is then one that the
 * receiver finds without its tag. */
#include "cse/bridge.h"

#include "cse/fsed.h"
#include "wire/line.h"

#include <string.h>

/* ---- both ways ---- */

size_t tl_bridge_memory(const tl_stream_config *c, tl_bridge_way way)
{
    tl_stream_plan plan;
    size_t lists;

    if (tl_stream_config_check(c, NULL) != TL_OK)
        return 0;
    tl_stream_plan_of(&plan, c);
    lists = tl_fsed_tags(c, &plan, plan.messages) + tl_fsed_checks(c, plan.messages);
    if (way == TL_BRIDGE_TO_FSED)
        return lists + TL_CSI2_HEADER_SIZE + tl_fsed_length(c) + TL_CSI2_FOOTER_SIZE;
    return plan.bytes + (size_t)plan.messages * TL_SEP_OVERHEAD_MAX + lists + 2 * (size_t)TL_BRIDGE_BODY_MAX;
}

tl_err tl_bridge_init(tl_bridge *b, const tl_stream_config *config, tl_bridge_way way, uint8_t channel_out,
                      tl_buffer memory)
{
    *b = (tl_bridge){ 0 };
    TL_TRY(tl_stream_config_check(config, NULL));
    if ((way != TL_BRIDGE_TO_FSED && way != TL_BRIDGE_TO_SEP) || channel_out >= TL_CSI2_CHANNELS)
        return TL_E_USAGE;
    if (memory.n < tl_bridge_memory(config, way))
        return TL_E_ROOM;
    b->config = *config;
    tl_stream_plan_of(&b->plan, config);
    b->way = way;
    b->channel_out = channel_out;
    b->memory = memory.p;
    return TL_OK;
}

const tl_bridge_counters *tl_bridge_counters_of(const tl_bridge *b)
{
    return &b->counters;
}

static void write_header(uint8_t *at, const tl_csi2_header *h)
{
    tl_wr w = tl_wr_of(at, TL_CSI2_HEADER_SIZE);
    tl_err e = tl_csi2_header_write(h, &w);

    (void)e; /* channel and type were read from a header, or checked by the configuration */
}

tl_span tl_bridge_close(const tl_bridge *b, uint8_t *at, uint8_t data_type, size_t n)
{
    uint8_t *payload = at + TL_CSI2_HEADER_SIZE;
    const tl_csi2_header h = { b->channel_out, data_type, (uint16_t)n };
    tl_wr check = tl_wr_of(payload + n, TL_CSI2_FOOTER_SIZE);

    write_header(at, &h);
    tl_put(&check, TL_CSI2_FOOTER_SIZE, TL_LITTLE, tl_csi2_crc16(TL_CSI2_CRC_START, tl_span_of(payload, n)));
    return tl_span_of(at, TL_CSI2_HEADER_SIZE + n + TL_CSI2_FOOTER_SIZE);
}

void tl_bridge_pass(tl_bridge *b, tl_buffer packet, const tl_csi2_packet *p)
{
    const tl_csi2_header h = { b->channel_out, p->header.data_type, p->header.word_count };

    write_header(packet.p, &h);
    b->counters.passed++;
    b->out = tl_span_of(packet.p, packet.n);
}

uint32_t tl_bridge_claimed(const tl_bridge *b, tl_span body)
{
    const tl_env env = tl_cse_env(&b->config, b->plan.tag_n);
    tl_sep_end_part part;
    tl_sep_end m;
    tl_rd r = tl_rd_of(body), list;
    uint64_t n = 0;

    (void)tl_get_bytes(&r, TL_SEP_HEADER_SIZE);
    if (r.bad || tl_decode_sep_end(&env, &r, &m) != TL_OK)
        return b->plan.messages;
    for (list = tl_rd_of(m.parts); tl_each_sep_end_part(&list, &env, &part);)
        n += part.count;
    return !list.bad && n < b->plan.messages ? (uint32_t)n : b->plan.messages;
}

void tl_bridge_packet(tl_bridge *b, tl_buffer packet)
{
    tl_csi2_packet p;

    b->counters.packets++;
    b->out = tl_span_of(NULL, 0);
    b->writer = (tl_fsed_writer){ 0 };
    b->step = 0;
    tl_csi2_read(tl_span_of(packet.p, packet.n), &p);
    if (p.ecc == TL_CSI2_ECC_BAD || !p.crc_right) {
        b->counters.damaged++;
    } else if (!(tl_stream_channels(&b->config) >> p.header.virtual_channel & 1)) {
        b->counters.passed++;
        b->out = tl_span_of(packet.p, packet.n);
    } else if (b->way == TL_BRIDGE_TO_FSED) {
        tl_bridge_to_fsed(b, packet, &p);
    } else {
        tl_bridge_to_sep(b, packet, &p);
    }
}

bool tl_bridge_next(tl_bridge *b, tl_span *packet)
{
    if (b->out.n > 0) {
        *packet = b->out;
        b->out = tl_span_of(NULL, 0);
        return true;
    }
    return b->way == TL_BRIDGE_TO_SEP ? tl_bridge_next_sep(b, packet) : tl_fsed_write(&b->writer, packet);
}

/* ---- from SEP to FSED ---- */

/* The metadata of one position leaves as packets. */
static void write_run(tl_bridge *b, uint8_t position, tl_span tags, tl_span checks, tl_span body)
{
    size_t lists =
        tl_fsed_tags(&b->config, &b->plan, b->plan.messages) + tl_fsed_checks(&b->config, b->plan.messages);

    b->writer = (tl_fsed_writer){
        .pieces = { tags, checks, body },
        .total = tags.n + checks.n + body.n,
        .packet = b->memory + lists,
        .length = (uint16_t)tl_fsed_length(&b->config),
        .stream = b->config.stream,
        .position = position,
        .virtual_channel = b->channel_out,
    };
}

static bool on_begin(tl_bridge *b, const tl_sep_header *h, tl_span body)
{
    const tl_span none = { NULL, 0 };

    if (b->state == BRIDGE_OPEN && b->frame == h->frame)
        return false;
    b->state = BRIDGE_OPEN;
    b->frame = h->frame;
    b->key = h->key;
    b->seen = 0;
    write_run(b, TL_FSED_TOP, none, none, body);
    return true;
}

/* Lists that were hardly filled are left out: their places would be many bytes for few that came. */
static bool on_end(tl_bridge *b, const tl_sep_header *h, tl_span body)
{
    uint32_t sent = tl_bridge_claimed(b, body);
    size_t tags = tl_fsed_tags(&b->config, &b->plan, b->plan.messages);

    if (b->state != BRIDGE_OPEN || b->frame != h->frame)
        return false;
    b->state = BRIDGE_IDLE;
    b->counters.frames++;
    if (b->seen < sent / 2)
        sent = 0;
    write_run(b, TL_FSED_BOTTOM, tl_span_of(b->memory, tl_fsed_tags(&b->config, &b->plan, sent)),
              tl_span_of(b->memory + tags, tl_fsed_checks(&b->config, sent)), body);
    return true;
}

static bool on_service(tl_bridge *b, const tl_sep_header *h, tl_span body)
{
    if (h->block != TL_BLOCK_SERVICE || body.n < (size_t)TL_SEP_HEADER_SIZE + b->plan.footer_n ||
        body.n > TL_BRIDGE_BODY_MAX)
        return false;
    if (h->message == TL_SEP_BEGIN)
        return on_begin(b, h, body);
    return h->message == TL_SEP_END && on_end(b, h, body);
}

/* Tag and CRC-32 go to their places in the lists; the lists are cleared as the frame's first line comes. */
static bool keep_footer(tl_bridge *b, tl_place place, tl_span bytes)
{
    const tl_part_plan *plan = &b->plan.parts[place.part];
    const tl_env env = tl_cse_env(&b->config, plan->tag_n);
    size_t tags = tl_fsed_tags(&b->config, &b->plan, b->plan.messages);
    uint32_t position = plan->position + place.row;
    uint8_t *check = b->memory + tags + tl_fsed_checks(&b->config, position);
    tl_wr w = tl_wr_of(check, tl_fsed_checks(&b->config, 1));
    tl_rd r = tl_rd_of(bytes);
    tl_sep_footer f;

    if (tl_unpack_sep_footer(&env, &r, &f) != TL_OK)
        return false;
    if (b->seen == 0)
        memset(b->memory, 0, tags + tl_fsed_checks(&b->config, b->plan.messages));
    if (f.tag.n > 0)
        memcpy(b->memory + tl_fsed_tags(&b->config, &b->plan, position), f.tag.p, f.tag.n);
    return b->config.crc32 != TL_WITH ||
           tl_pack_fsed_crc32(&env, &(tl_fsed_crc32){ .crc32 = f.crc32 }, &w) == TL_OK;
}

/* True if the header is the one that a receiver of FSED would write for this line. */
static bool on_line(tl_bridge *b, const tl_sep_header *h, uint8_t *body, size_t n)
{
    tl_place place = tl_cse_place(&b->config, &b->plan, h->data_type, h->message);
    const tl_stream_part *part = &b->config.parts[place.part];
    size_t length = h->length;

    if (b->state != BRIDGE_OPEN || !place.named || h->frame != b->frame || h->key != b->key ||
        h->block != part->block || length != part->length ||
        n != TL_SEP_HEADER_SIZE + length + b->plan.parts[place.part].footer_n ||
        !keep_footer(b, place,
                     tl_span_of(body + TL_SEP_HEADER_SIZE + length, n - TL_SEP_HEADER_SIZE - length)))
        return false;
    b->seen++;
    b->counters.lines++;
    b->out = tl_bridge_close(b, body + TL_SEP_HEADER_SIZE - TL_CSI2_HEADER_SIZE, part->data_type, length);
    return true;
}

void tl_bridge_to_fsed(tl_bridge *b, tl_buffer packet, const tl_csi2_packet *p)
{
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(p->payload);
    uint8_t *body = packet.p + TL_CSI2_HEADER_SIZE;
    bool taken = false;
    tl_sep_header h;

    /* Whatever has begun before it, a begin behind it is wanted: the capture at the other end starts anew, too. */
    if (p->header.data_type == TL_DT_FRAME_START)
        b->state = BRIDGE_IDLE;
    if (p->header.data_type != TL_SEP_WIRE_TYPE && p->header.data_type != TL_FSED_WIRE_TYPE) {
        tl_bridge_pass(b, packet, p);
        return;
    }
    if (p->header.data_type == TL_SEP_WIRE_TYPE && tl_unpack_sep_header(&env, &r, &h) == TL_OK &&
        h.version == TL_SEP_VERSION && h.flags == 0 && h.count == 0 && h.stream == b->config.stream)
        taken = h.data_type == TL_SEP_SERVICE_TYPE ? on_service(b, &h, p->payload)
                                                   : on_line(b, &h, body, p->payload.n);
    b->counters.refused += !taken;
}
