/* The bridge from FSED to SEP: the frame is kept in memory until its frame end, since tags come last. Lines are counted by
 * data type as they come; who loses one moves those behind it to wrong tags, and the receiver notices. Without metadata
 * the lines leave plain, as they came. */
#include "cse/bridge.h"

#include "cse/sep.h"
#include "wire/line.h"

#include <string.h>

enum { STEP_NONE = 0, STEP_BEGIN, STEP_LINES, STEP_END, STEP_LAST };
enum { SLOT_BAD = 0, SLOT_LINE = 1 };

static uint8_t *slot_of(const tl_bridge *b, unsigned part, uint32_t row)
{
    const tl_part_plan *plan = &b->plan.parts[part];
    size_t before = plan->offset + (size_t)row * b->config.parts[part].length;

    return b->memory + before + ((size_t)plan->position + row) * TL_SEP_OVERHEAD_MAX;
}

/* The run of the top, and behind it the bottom's. */
static uint8_t *run_of(const tl_bridge *b, bool bottom)
{
    return b->memory + b->plan.bytes + (size_t)b->plan.messages * TL_SEP_OVERHEAD_MAX +
           (bottom ? TL_BRIDGE_BODY_MAX : 0);
}

static size_t room_of(const tl_bridge *b, bool bottom)
{
    return bottom ? TL_BRIDGE_BODY_MAX + tl_fsed_tags(&b->config, &b->plan, b->plan.messages) +
                        tl_fsed_checks(&b->config, b->plan.messages)
                  : TL_BRIDGE_BODY_MAX;
}

/* ---- in ---- */

static bool on_metadata(tl_bridge *b, tl_span payload)
{
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(payload);
    tl_fsed_packet m;
    tl_span bytes;
    bool bottom;
    uint64_t *end;

    if (tl_decode_fsed_packet(&env, &r, &m) != TL_OK || m.version != TL_FSED_VERSION ||
        m.stream != b->config.stream || (m.position != TL_FSED_TOP && m.position != TL_FSED_BOTTOM))
        return false;
    bytes = tl_get_bytes(&r, m.used);
    bottom = m.position == TL_FSED_BOTTOM;
    end = &b->ends[bottom];
    if (r.bad || bytes.n == 0 || m.offset < *end || m.offset + (uint64_t)bytes.n > room_of(b, bottom))
        return false;
    memset(run_of(b, bottom) + *end, 0, (size_t)(m.offset - *end));
    memcpy(run_of(b, bottom) + m.offset, bytes.p, bytes.n);
    *end = m.offset + (uint64_t)bytes.n;
    return true;
}

/* The line's place is the next of its data type. */
static bool on_line(tl_bridge *b, uint8_t data_type, tl_span payload)
{
    const uint8_t type = tl_stream_plan_type(&b->plan, data_type);
    tl_place place;
    uint8_t *slot;
    bool right;

    if (type == b->plan.type_count)
        return false;
    place = tl_cse_place(&b->config, &b->plan, data_type, b->rows[type]);
    if (!place.named)
        return false;
    b->rows[type]++;
    slot = slot_of(b, place.part, place.row);
    right = payload.n == b->config.parts[place.part].length;
    slot[0] = right ? SLOT_LINE : SLOT_BAD;
    if (right)
        memcpy(slot + TL_SEP_BEFORE, payload.p, payload.n);
    return right;
}

static void start(tl_bridge *b)
{
    memset(b->rows, 0, sizeof b->rows);
    b->ends[0] = b->ends[1] = 0;
    b->state = BRIDGE_OPEN;
}

/* The frame is complete as far as it came: what the metadata claims of it, and how far that can be believed. */
static void finish(tl_bridge *b)
{
    size_t end_n = tl_fsed_end_size(&b->config, &b->plan);
    const uint8_t *run = run_of(b, true);
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(tl_span_of(run_of(b, false), (size_t)b->ends[0]));
    tl_sep_header h;

    b->state = BRIDGE_IDLE;
    b->next = 0;
    b->step = STEP_LINES;
    b->sent = UINT32_MAX; /* the lists are not what the end claims: their tags are unknown */
    b->framed = b->ends[0] >= (uint64_t)TL_SEP_HEADER_SIZE + b->plan.footer_n &&
                tl_unpack_sep_header(&env, &r, &h) == TL_OK;
    if (!b->framed)
        return;
    b->frame = h.frame;
    b->key = h.key;
    b->step = STEP_BEGIN;
    b->counters.frames++;
    if (b->ends[1] < end_n)
        return;
    b->sent = tl_bridge_claimed(b, tl_span_of(run + b->ends[1] - end_n, end_n));
    if (tl_fsed_tags(&b->config, &b->plan, b->sent) + tl_fsed_checks(&b->config, b->sent) !=
        b->ends[1] - end_n)
        b->sent = UINT32_MAX;
}

/* The frame end leaves behind what the frame gives. */
static void on_frame_end(tl_bridge *b, tl_buffer packet, const tl_csi2_packet *p)
{
    bool open = b->state == BRIDGE_OPEN;

    tl_bridge_pass(b, packet, p);
    if (!open)
        return;
    memcpy(b->last, packet.p, sizeof b->last);
    b->out = tl_span_of(NULL, 0);
    finish(b);
}

void tl_bridge_to_sep(tl_bridge *b, tl_buffer packet, const tl_csi2_packet *p)
{
    uint8_t type = p->header.data_type;
    bool taken;

    if (type == TL_DT_FRAME_END) {
        on_frame_end(b, packet, p);
        return;
    }
    if (type == TL_DT_FRAME_START)
        start(b);
    if (type != TL_FSED_WIRE_TYPE && type != TL_SEP_WIRE_TYPE &&
        tl_stream_plan_type(&b->plan, type) == b->plan.type_count) {
        tl_bridge_pass(b, packet, p);
        return;
    }
    taken = b->state == BRIDGE_OPEN &&
            (type == TL_FSED_WIRE_TYPE ? on_metadata(b, p->payload) : on_line(b, type, p->payload));
    b->counters.refused += !taken;
}

/* ---- out ---- */

static tl_span service_packet(tl_bridge *b, tl_span body)
{
    memcpy(b->bytes + TL_CSI2_HEADER_SIZE, body.p, body.n);
    return tl_bridge_close(b, b->bytes, TL_SEP_WIRE_TYPE, body.n);
}

/* Footer of the message at `position`: what the lists have for it. Zeros if they have nothing. */
static tl_err write_footer(const tl_bridge *b, const tl_part_plan *plan, uint32_t position, tl_wr *w)
{
    static const uint8_t zeros[TL_TAG_MAX];
    const tl_env env = tl_cse_env(&b->config, plan->tag_n);
    tl_sep_footer f = { .tag = tl_span_of(zeros, plan->tag_n) };
    const uint8_t *run = run_of(b, true);
    tl_fsed_crc32 check;
    tl_rd r;

    if (b->sent != UINT32_MAX && position < b->sent) {
        f.tag.p = run + tl_fsed_tags(&b->config, &b->plan, position);
        r = tl_rd_of(tl_span_of(run + tl_fsed_tags(&b->config, &b->plan, b->sent) +
                                    tl_fsed_checks(&b->config, position),
                                tl_fsed_checks(&b->config, 1)));
        if (b->config.crc32 == TL_WITH && tl_unpack_fsed_crc32(&env, &r, &check) == TL_OK)
            f.crc32 = check.crc32;
    }
    return tl_pack_sep_footer(&env, &f, w);
}

static bool line_packet(tl_bridge *b, unsigned part, uint32_t row, tl_span *packet)
{
    const tl_stream_part *own = &b->config.parts[part];
    const tl_part_plan *plan = &b->plan.parts[part];
    uint8_t *slot = slot_of(b, part, row), *header = slot + TL_CSI2_HEADER_SIZE;
    const tl_env env = { 0 };
    const tl_place place = { true, (uint8_t)part, (uint16_t)row };
    const tl_sep_header h = tl_cse_line_header(&b->config, &b->plan, place, b->key, b->frame);
    tl_wr w = tl_wr_of(header, TL_SEP_HEADER_SIZE);
    tl_wr footer = tl_wr_of(slot + TL_SEP_BEFORE + own->length, plan->footer_n);

    if (plan->first + row >= b->rows[plan->type] || slot[0] != SLOT_LINE)
        return false;
    if (!b->framed) {
        b->counters.passed++;
        *packet = tl_bridge_close(b, slot + TL_SEP_HEADER_SIZE, own->data_type, own->length);
        return true;
    }
    if (tl_pack_sep_header(&env, &h, &w) != TL_OK ||
        write_footer(b, plan, plan->position + row, &footer) != TL_OK)
        return false;
    b->counters.lines++;
    *packet =
        tl_bridge_close(b, slot, TL_SEP_WIRE_TYPE, TL_SEP_HEADER_SIZE + (size_t)own->length + plan->footer_n);
    return true;
}

/* The next line that came, in the frame's order. */
static bool next_line(tl_bridge *b, tl_span *packet)
{
    unsigned part = 0;

    while (b->next < b->plan.messages) {
        uint32_t position = b->next++;

        while (position >= b->plan.parts[part].position + b->config.parts[part].count)
            part++;
        if (line_packet(b, part, position - b->plan.parts[part].position, packet))
            return true;
        b->counters.missing += b->framed && (b->sent == UINT32_MAX || position < b->sent);
    }
    return false;
}

static bool end_packet(tl_bridge *b, tl_span *packet)
{
    size_t end_n = tl_fsed_end_size(&b->config, &b->plan);

    if (!b->framed || b->ends[1] < end_n)
        return false;
    *packet = service_packet(b, tl_span_of(run_of(b, true) + b->ends[1] - end_n, end_n));
    return true;
}

bool tl_bridge_next_sep(tl_bridge *b, tl_span *packet)
{
    switch (b->step) {
    case STEP_BEGIN:
        b->step = STEP_LINES;
        *packet = service_packet(b, tl_span_of(run_of(b, false), (size_t)b->ends[0]));
        return true;
    case STEP_LINES:
        if (next_line(b, packet))
            return true;
        b->step = STEP_END;
        /* fall through */
    case STEP_END:
        b->step = STEP_LAST;
        if (end_packet(b, packet))
            return true;
        /* fall through */
    case STEP_LAST:
        b->step = STEP_NONE;
        *packet = tl_span_of(b->last, sizeof b->last);
        return true;
    default: return false;
    }
}
