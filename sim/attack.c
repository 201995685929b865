/* The moves of the attacker. Each finds its packet by the public geometry, changes it through the layout's rows, and
 * puts checksums right as far as its row says. Nothing in here knows a key.
 *
 *   frame   frame start | begin | lines in the configuration's order | end | frame end          */
#include "attack.h"

#include <trueline/messages.h>

#include <string.h>

enum { FIRST_LINE = 2, FRAME_EXTRA = 4, CUT_BYTES = 4, END_AHEAD = 1, FAR_AHEAD = 1000000 };

const tl_attack tl_attacks[] = {
#define ACTION(name)
#define ATTACK(name_, action_, part_, place_, repair_, event_, verdict_, cost_, judge_, text_)               \
    { .name = name_,                                                                                         \
      .text = text_,                                                                                         \
      .action = TL_ATTACK_##action_,                                                                         \
      .part = TL_PART_##part_,                                                                               \
      .place = TL_AT_##place_,                                                                               \
      .repair = TL_REPAIR_##repair_,                                                                         \
      .event = TL_EVENT_##event_,                                                                            \
      .verdict = TL_VERDICT_##verdict_,                                                                      \
      .cost = TL_COSTS_##cost_,                                                                              \
      .judge = TL_JUDGE_##judge_ },
#include "attacks.def"
#undef ACTION
#undef ATTACK
};
const size_t tl_attack_count = sizeof tl_attacks / sizeof tl_attacks[0];

/* One move under way. */
typedef struct move {
    const tl_attack *attack;
    const tl_attack_world *world;
    tl_wire_frame *frame;
    tl_env env; /* the CRC-32's size; a tag's depends on the packet */
    size_t at;  /* the packet that the row names; 0 for whole frames */
} move;

const char *tl_attack_repair_text(tl_attack_repair repair)
{
    static const char *const texts[] = { "raw", "crc16", "all" };

    return texts[repair];
}

/* ---- places ---- */

/* The part that a row is about, and the first of its packets in the frame. */
static const tl_stream_part *part_at(const tl_stream_config *c, tl_attack_place place, size_t *first)
{
    tl_block block = place == TL_AT_TOP      ? TL_BLOCK_TOP
                     : place == TL_AT_BOTTOM ? TL_BLOCK_BOTTOM
                                             : TL_BLOCK_MIDDLE;

    *first = FIRST_LINE;
    for (unsigned i = 0; i < c->part_count; i++) {
        if (c->parts[i].block == block)
            return &c->parts[i];
        *first += c->parts[i].count;
    }
    return NULL;
}

static uint16_t row_at(const tl_stream_part *part, tl_attack_place place)
{
    return place == TL_AT_MIDDLE ? part->count / 2 : 0;
}

uint16_t tl_attack_line(const tl_attack *attack, const tl_stream_config *c)
{
    size_t first;
    const tl_stream_part *part = part_at(c, attack->place, &first);
    uint32_t line;

    if (part == NULL)
        return 0;
    line = row_at(part, attack->place);
    for (const tl_stream_part *p = c->parts; p < part; p++)
        if (p->data_type == part->data_type)
            line += p->count;
    return (uint16_t)line;
}

/* Where the row's packet stands. */
static tl_err locate(move *m)
{
    const tl_stream_config *c = m->world->config;
    tl_attack_place place = m->attack->place;
    const tl_stream_part *part;

    if (m->frame->n != tl_stream_frame_messages(c) + FRAME_EXTRA)
        return TL_E_USAGE;
    switch (place) {
    case TL_AT_BEGIN: m->at = 1; return TL_OK;
    case TL_AT_END: m->at = m->frame->n - 2; return TL_OK;
    case TL_AT_TOP:
    case TL_AT_MIDDLE:
    case TL_AT_BOTTOM:
        part = part_at(c, place, &m->at);
        if (part == NULL || (place == TL_AT_MIDDLE && part->count < 2))
            return TL_E_USAGE;
        m->at += row_at(part, place);
        return TL_OK;
    default: m->at = 0; return TL_OK;
    }
}

/* ---- inside a packet ---- */

static tl_span body_of(tl_buffer packet)
{
    return tl_span_of(packet.p + TL_CSI2_HEADER_SIZE, packet.n - TL_CSI2_HEADER_SIZE - TL_CSI2_FOOTER_SIZE);
}

/* The sizes of the packet's own footer: begin and end have a longer tag than lines may have. */
static tl_env env_of(const move *m, tl_buffer packet)
{
    tl_env env = m->env;
    tl_sep_header h;
    tl_rd r;

    if (packet.n < TL_SEP_BEFORE + TL_CSI2_FOOTER_SIZE)
        return env;
    r = tl_rd_of(body_of(packet));
    if (tl_decode_sep_header(&env, &r, &h) == TL_OK)
        env.len[TL_LEN_TAG] = (uint16_t)tl_stream_tag_bytes(
            m->world->config, h.data_type == TL_SEP_SERVICE_TYPE ? TL_BLOCK_SERVICE : (tl_block)h.block);
    return env;
}

static size_t footer_size(const move *m, tl_buffer packet)
{
    const tl_env env = env_of(m, packet);

    return (size_t)env.len[TL_LEN_TAG] + env.len[TL_LEN_CRC];
}

/* A protected packet has room for header and footer. */
static bool is_protected(const move *m, tl_buffer packet)
{
    return packet.n >= TL_SEP_BEFORE + footer_size(m, packet) + TL_CSI2_FOOTER_SIZE;
}

static tl_err read_header(const move *m, tl_buffer packet, tl_sep_header *h)
{
    tl_rd r;

    if (!is_protected(m, packet))
        return TL_E_USAGE;
    r = tl_rd_of(body_of(packet));
    return tl_decode_sep_header(&m->env, &r, h);
}

static tl_err write_header(const move *m, tl_buffer packet, const tl_sep_header *h)
{
    tl_wr w = tl_wr_of(packet.p + TL_CSI2_HEADER_SIZE, TL_SEP_HEADER_SIZE);

    return tl_encode_sep_header(&m->env, h, &w);
}

static size_t payload_size(const move *m, tl_buffer packet)
{
    return packet.n - TL_SEP_BEFORE - footer_size(m, packet) - TL_CSI2_FOOTER_SIZE;
}

/* The bytes of the footer; they are written through the layout's rows, as the order differs between layouts. */
static uint8_t *footer_of(const move *m, tl_buffer packet)
{
    return packet.p + TL_SEP_BEFORE + payload_size(m, packet);
}

/* Reads the footer; the tag is copied, so that it can be written back. */
static tl_err read_footer(const move *m, tl_buffer packet, uint8_t tag[TL_TAG_MAX], tl_sep_footer *f)
{
    const tl_env env = env_of(m, packet);
    tl_rd r = tl_rd_of(tl_span_of(footer_of(m, packet), footer_size(m, packet)));

    TL_TRY(tl_decode_sep_footer(&env, &r, f));
    if (f->tag.n > 0)
        memcpy(tag, f->tag.p, f->tag.n);
    f->tag.p = tag;
    return TL_OK;
}

static tl_err write_footer(const move *m, tl_buffer packet, const tl_sep_footer *f)
{
    const tl_env env = env_of(m, packet);
    tl_wr w = tl_wr_of(footer_of(m, packet), footer_size(m, packet));

    return tl_encode_sep_footer(&env, f, &w);
}

/* ---- putting checksums right ---- */

/* The CRC-32 of zlib, bit by bit: an attacker has time. */
static uint32_t crc32_of(uint32_t crc, tl_span data)
{
    crc = ~crc;
    for (size_t i = 0; i < data.n; i++) {
        crc ^= data.p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1)));
    }
    return ~crc;
}

static tl_err repair_crc32(const move *m, tl_buffer packet)
{
    uint8_t tag[TL_TAG_MAX];
    tl_sep_footer f;

    if (m->env.len[TL_LEN_CRC] == 0 || !is_protected(m, packet))
        return TL_OK;
    TL_TRY(read_footer(m, packet, tag, &f));
    f.crc32 =
        crc32_of(0, tl_span_of(packet.p + TL_CSI2_HEADER_SIZE, TL_SEP_HEADER_SIZE + payload_size(m, packet)));
    f.crc32 = crc32_of(f.crc32, f.tag);
    return write_footer(m, packet, &f);
}

static tl_err set_csi2_header(tl_buffer packet, uint8_t channel, uint8_t type, uint16_t word_count)
{
    const tl_csi2_header h = { channel, type, word_count };
    tl_wr w = tl_wr_of(packet.p, TL_CSI2_HEADER_SIZE);

    return tl_csi2_header_write(&h, &w);
}

/* As far as the row says. The packet's size may have changed, so the word count is set first. */
static tl_err repair(const move *m, size_t at)
{
    tl_buffer packet = m->frame->packets[at];
    tl_csi2_header h;

    if (m->attack->repair == TL_REPAIR_RAW)
        return TL_OK;
    if (m->attack->repair == TL_REPAIR_ALL)
        TL_TRY(repair_crc32(m, packet));
    (void)tl_csi2_header_read(packet.p, &h);
    if (!tl_csi2_is_short(h.data_type))
        h.word_count = (uint16_t)body_of(packet).n;
    TL_TRY(set_csi2_header(packet, h.virtual_channel, h.data_type, h.word_count));
    return tl_csi2_repair(packet.p, packet.n);
}

/* ---- bits ---- */

static uint32_t *field_of(tl_sep_header *h, tl_attack_part part)
{
    switch (part) {
    case TL_PART_VERSION: return &h->version;
    case TL_PART_BLOCK: return &h->block;
    case TL_PART_FLAGS: return &h->flags;
    case TL_PART_STREAM: return &h->stream;
    case TL_PART_DATA_TYPE: return &h->data_type;
    case TL_PART_KEY: return &h->key;
    case TL_PART_MESSAGE: return &h->message;
    case TL_PART_FRAME: return &h->frame;
    case TL_PART_LENGTH: return &h->length;
    case TL_PART_COUNT: return &h->count;
    default: return NULL;
    }
}

static tl_err flip_field(const move *m, tl_buffer packet)
{
    tl_sep_header h;
    uint32_t *field = field_of(&h, m->attack->part);

    TL_TRY(read_header(m, packet, &h));
    if (field == NULL)
        return TL_E_USAGE;
    *field ^= 1;
    return write_header(m, packet, &h);
}

static tl_err flip_footer(const move *m, tl_buffer packet)
{
    uint8_t tag[TL_TAG_MAX];
    tl_sep_footer f;

    TL_TRY(read_footer(m, packet, tag, &f));
    if (m->attack->part == TL_PART_TAG)
        tag[0] ^= 0x10;
    else if (m->env.len[TL_LEN_CRC] != 0)
        f.crc32 ^= 0x10;
    else
        return TL_E_USAGE;
    return write_footer(m, packet, &f);
}

/* Puts a begin's payload back with another time or another digest; the sizes stay. */
static tl_err rewrite_begin(const move *m, tl_buffer packet, uint64_t time_flip, tl_span configuration)
{
    uint8_t payload[TL_SEP_SERVICE_MAX];
    tl_wr w = tl_wr_of(payload, sizeof payload);
    tl_rd r = tl_rd_of(tl_span_of(packet.p + TL_SEP_BEFORE, payload_size(m, packet)));
    tl_sep_begin begin;

    TL_TRY(tl_decode_sep_begin(&m->env, &r, &begin));
    begin.time_us ^= time_flip;
    if (configuration.n != 0)
        begin.configuration = configuration;
    TL_TRY(tl_encode_sep_begin(&m->env, &begin, &w));
    if (w.n != payload_size(m, packet))
        return TL_E_USAGE;
    memcpy(packet.p + TL_SEP_BEFORE, payload, w.n);
    return TL_OK;
}

/* The digest that a begin names; a copy. */
static tl_err configuration_of(const move *m, tl_buffer packet, uint8_t digest[TL_CONFIG_DIGEST_SIZE])
{
    tl_rd r = tl_rd_of(tl_span_of(packet.p + TL_SEP_BEFORE, payload_size(m, packet)));
    tl_sep_begin begin;

    TL_TRY(tl_decode_sep_begin(&m->env, &r, &begin));
    memcpy(digest, begin.configuration.p, TL_CONFIG_DIGEST_SIZE);
    return TL_OK;
}

static tl_err flip_begin(const move *m, tl_buffer packet)
{
    uint8_t digest[TL_CONFIG_DIGEST_SIZE];

    if (m->attack->part == TL_PART_BEGIN_TIME)
        return rewrite_begin(m, packet, 1, tl_span_of(NULL, 0));
    TL_TRY(configuration_of(m, packet, digest));
    digest[7] ^= 0x20;
    return rewrite_begin(m, packet, 0, tl_span_of(digest, sizeof digest));
}

static tl_err flip(move *m)
{
    tl_buffer packet = m->frame->packets[m->at];
    tl_err e = TL_OK;

    if (!is_protected(m, packet))
        return TL_E_USAGE;
    switch (m->attack->part) {
    case TL_PART_PACKET_HEADER: packet.p[1] ^= 0x01; break;
    case TL_PART_PAYLOAD: packet.p[TL_SEP_BEFORE + payload_size(m, packet) / 2] ^= 0x08; break;
    case TL_PART_TAG:
    case TL_PART_CRC32: e = flip_footer(m, packet); break;
    case TL_PART_BEGIN_TIME:
    case TL_PART_BEGIN_CONFIGURATION: e = flip_begin(m, packet); break;
    default: e = flip_field(m, packet); break;
    }
    return e != TL_OK ? e : repair(m, m->at);
}

static tl_err flip_two(move *m)
{
    m->frame->packets[m->at].p[0] ^= 0x02;
    m->frame->packets[m->at].p[1] ^= 0x04;
    return TL_OK;
}

/* ---- packets dropped, repeated, reordered ---- */

static tl_err drop(move *m)
{
    if (m->attack->place == TL_AT_FRAME)
        tl_wire_clear(m->frame);
    else
        tl_wire_remove(m->frame, m->at);
    return TL_OK;
}

static tl_err drop_short(move *m)
{
    tl_wire_remove(m->frame, m->frame->n - 1);
    tl_wire_remove(m->frame, 0);
    return TL_OK;
}

static tl_err repeat(move *m)
{
    return tl_wire_insert(m->frame, m->at + 1, tl_wire_packet(m->frame, m->at));
}

static tl_err swap(move *m)
{
    tl_wire_swap(m->frame, m->at, m->at + 1);
    return TL_OK;
}

static tl_err end_early(move *m)
{
    tl_wire_swap(m->frame, m->at, m->at - END_AHEAD);
    return TL_OK;
}

/* ---- lengths ---- */

/* Takes bytes out of the payload's end, or puts zeros there. At level ALL the service header says so too. */
static tl_err change_length(move *m, int by)
{
    tl_buffer *packet = &m->frame->packets[m->at];
    size_t tail = footer_size(m, *packet) + TL_CSI2_FOOTER_SIZE, old = packet->n;
    uint8_t after[TL_SEP_AFTER_MAX];
    tl_sep_header h;

    if (!is_protected(m, *packet) || payload_size(m, *packet) <= CUT_BYTES)
        return TL_E_USAGE;
    memcpy(after, packet->p + old - tail, tail);
    TL_TRY(tl_wire_resize(m->frame, m->at, by < 0 ? old - CUT_BYTES : old + CUT_BYTES));
    if (by > 0)
        memset(packet->p + old - tail, 0, CUT_BYTES);
    memcpy(packet->p + packet->n - tail, after, tail);
    if (m->attack->repair == TL_REPAIR_ALL) {
        TL_TRY(read_header(m, *packet, &h));
        h.length = (uint32_t)payload_size(m, *packet);
        TL_TRY(write_header(m, *packet, &h));
    }
    return repair(m, m->at);
}

static tl_err cut(move *m)
{
    return change_length(m, -1);
}

static tl_err lengthen(move *m)
{
    return change_length(m, 1);
}

static tl_err word_count(move *m)
{
    tl_buffer packet = m->frame->packets[m->at];
    tl_csi2_header h;

    (void)tl_csi2_header_read(packet.p, &h);
    return set_csi2_header(packet, h.virtual_channel, h.data_type, (uint16_t)(h.word_count - CUT_BYTES));
}

/* ---- from elsewhere ---- */

static tl_err replace_all(tl_wire_frame *frame, const tl_wire_frame *by)
{
    if (by == NULL || by->n != frame->n)
        return TL_E_USAGE;
    tl_wire_clear(frame);
    return tl_wire_insert_all(frame, 0, by);
}

static tl_err replace_one(const move *m, const tl_wire_frame *by)
{
    if (by == NULL || by->n != m->frame->n)
        return TL_E_USAGE;
    tl_wire_remove(m->frame, m->at);
    return tl_wire_insert(m->frame, m->at, tl_wire_packet(by, m->at));
}

static tl_err replay(move *m)
{
    return m->attack->place == TL_AT_FRAME ? replace_all(m->frame, m->world->earlier)
                                           : replace_one(m, m->world->earlier);
}

static tl_err replay_beside(move *m)
{
    if (m->world->earlier == NULL)
        return TL_E_USAGE;
    return tl_wire_insert_all(m->frame, m->at, m->world->earlier);
}

/* An earlier frame's line under this frame's header: payload and tag were right, once. */
static tl_err transplant(move *m)
{
    tl_sep_header h;

    TL_TRY(read_header(m, m->frame->packets[m->at], &h));
    TL_TRY(replace_one(m, m->world->earlier));
    TL_TRY(write_header(m, m->frame->packets[m->at], &h));
    return repair(m, m->at);
}

static tl_err other_session(move *m)
{
    return replace_all(m->frame, m->world->other_session);
}

/* Gives a packet of another stream the id, the key number and the frame number of this one. */
static tl_err relabel(const move *m, size_t at, const tl_sep_header *ours, tl_span configuration)
{
    tl_buffer packet = m->frame->packets[at];
    tl_sep_header h;

    if (!is_protected(m, packet))
        return TL_OK;
    TL_TRY(read_header(m, packet, &h));
    h.stream = ours->stream;
    h.key = ours->key;
    h.frame = ours->frame;
    TL_TRY(write_header(m, packet, &h));
    if (at == 1 && configuration.n != 0)
        TL_TRY(rewrite_begin(m, packet, 0, configuration));
    return repair(m, at);
}

static tl_err other_stream(move *m)
{
    uint8_t digest[TL_CONFIG_DIGEST_SIZE];
    size_t digest_n = m->attack->part == TL_PART_BEGIN_CONFIGURATION ? sizeof digest : 0;
    tl_sep_header ours;

    TL_TRY(read_header(m, m->frame->packets[1], &ours));
    TL_TRY(configuration_of(m, m->frame->packets[1], digest));
    TL_TRY(replace_all(m->frame, m->world->other_stream));
    if (m->attack->part == TL_PART_NONE)
        return TL_OK;
    for (size_t i = 0; i < m->frame->n; i++)
        TL_TRY(relabel(m, i, &ours, tl_span_of(digest, digest_n)));
    return TL_OK;
}

static tl_err plain(move *m)
{
    if (m->world->plain == NULL)
        return TL_E_USAGE;
    return tl_wire_insert_all(m->frame, m->at, m->world->plain);
}

/* Replaces a protected packet by its payload alone, under its own data type. */
static tl_err strip_one(const move *m, size_t at)
{
    uint8_t *p = m->frame->packets[at].p;
    size_t n;
    tl_csi2_header csi2;
    tl_sep_header h;

    TL_TRY(read_header(m, m->frame->packets[at], &h));
    (void)tl_csi2_header_read(p, &csi2);
    n = payload_size(m, m->frame->packets[at]);
    memmove(p + TL_CSI2_HEADER_SIZE, p + TL_SEP_BEFORE, n);
    TL_TRY(tl_wire_resize(m->frame, at, TL_CSI2_HEADER_SIZE + n + TL_CSI2_FOOTER_SIZE));
    TL_TRY(set_csi2_header(m->frame->packets[at], csi2.virtual_channel, (uint8_t)h.data_type, (uint16_t)n));
    return repair(m, at);
}

/* A whole frame loses its begin and end with it. */
static tl_err strip(move *m)
{
    if (m->attack->place != TL_AT_FRAME)
        return strip_one(m, m->at);
    tl_wire_remove(m->frame, m->frame->n - 2);
    tl_wire_remove(m->frame, 1);
    for (size_t i = 1; i + 1 < m->frame->n; i++)
        TL_TRY(strip_one(m, i));
    return TL_OK;
}

/* A begin goes in front of the frame, a line in front of its model. */
static tl_err forge(move *m)
{
    size_t at = m->attack->place == TL_AT_BEGIN ? 0 : m->at;
    tl_sep_header h;

    TL_TRY(read_header(m, m->frame->packets[m->at], &h));
    TL_TRY(tl_wire_insert(m->frame, at, tl_wire_packet(m->frame, m->at)));
    h.frame += FAR_AHEAD;
    TL_TRY(write_header(m, m->frame->packets[at], &h));
    return repair(m, at);
}

static tl_err garbage(move *m)
{
    uint8_t bytes[64];
    tl_buffer packet;

    memset(bytes, 0xA5, sizeof bytes);
    TL_TRY(tl_wire_insert(m->frame, m->at, tl_span_of(bytes, sizeof bytes)));
    packet = m->frame->packets[m->at];
    TL_TRY(set_csi2_header(packet, m->world->config->virtual_channel, TL_SEP_WIRE_TYPE,
                           sizeof bytes - TL_CSI2_HEADER_SIZE - TL_CSI2_FOOTER_SIZE));
    return m->attack->repair == TL_REPAIR_RAW ? flip_two(m) : repair(m, m->at);
}

/* ---- virtual channels ---- */

/* As a bridge would do it: every packet of the frame, with ECC and CRC-16 redone. */
static tl_err change_channel(const move *m, unsigned allowed)
{
    const tl_stream_config *c = m->world->config;
    unsigned accepted = tl_stream_channels(c);
    uint8_t channel = 0;
    tl_csi2_header h;

    while (channel < TL_CSI2_CHANNELS &&
           (channel == c->virtual_channel || (accepted >> channel & 1) != allowed))
        channel++;
    if (channel == TL_CSI2_CHANNELS)
        return TL_E_USAGE;
    for (size_t i = 0; i < m->frame->n; i++) {
        (void)tl_csi2_header_read(m->frame->packets[i].p, &h);
        TL_TRY(set_csi2_header(m->frame->packets[i], channel, h.data_type, h.word_count));
        TL_TRY(repair(m, i));
    }
    return TL_OK;
}

static tl_err channel_allowed(move *m)
{
    return change_channel(m, 1);
}

static tl_err channel_refused(move *m)
{
    return change_channel(m, 0);
}

/* ---- all together ---- */

static tl_err (*const actions[TL_ATTACK_ACTIONS])(move *) = {
    [TL_ATTACK_FLIP] = flip,
    [TL_ATTACK_FLIP_TWO] = flip_two,
    [TL_ATTACK_DROP] = drop,
    [TL_ATTACK_DROP_SHORT] = drop_short,
    [TL_ATTACK_REPEAT] = repeat,
    [TL_ATTACK_SWAP] = swap,
    [TL_ATTACK_CUT] = cut,
    [TL_ATTACK_LENGTHEN] = lengthen,
    [TL_ATTACK_WORD_COUNT] = word_count,
    [TL_ATTACK_END_EARLY] = end_early,
    [TL_ATTACK_REPLAY] = replay,
    [TL_ATTACK_REPLAY_BESIDE] = replay_beside,
    [TL_ATTACK_TRANSPLANT] = transplant,
    [TL_ATTACK_OTHER_SESSION] = other_session,
    [TL_ATTACK_OTHER_STREAM] = other_stream,
    [TL_ATTACK_PLAIN] = plain,
    [TL_ATTACK_STRIP] = strip,
    [TL_ATTACK_FORGE] = forge,
    [TL_ATTACK_CHANNEL_ALLOWED] = channel_allowed,
    [TL_ATTACK_CHANNEL_REFUSED] = channel_refused,
    [TL_ATTACK_GARBAGE] = garbage,
};

tl_err tl_attack_apply(const tl_attack *attack, const tl_attack_world *world, tl_wire_frame *frame)
{
    move m = { .attack = attack, .world = world, .frame = frame };

    m.env.len[TL_LEN_CRC] = world->config->crc32 == TL_WITH ? 4 : 0;
    TL_TRY(locate(&m));
    return actions[attack->action](&m);
}

static tl_err append(tl_wire_frame *frame, const tl_csi2_header *h, tl_span payload)
{
    size_t n = TL_CSI2_HEADER_SIZE + payload.n + TL_CSI2_FOOTER_SIZE;
    uint8_t seed[TL_CSI2_HEADER_SIZE] = { 0 };
    tl_wr w;

    TL_TRY(tl_wire_insert(frame, frame->n, tl_span_of(seed, sizeof seed)));
    if (!tl_csi2_is_short(h->data_type))
        TL_TRY(tl_wire_resize(frame, frame->n - 1, n));
    w = tl_wr_of(frame->packets[frame->n - 1].p, frame->packets[frame->n - 1].n);
    return tl_csi2_write(h, payload, &w);
}

tl_err tl_attack_plain_frame(const tl_stream_config *c, tl_span line, tl_wire_frame *frame)
{
    size_t first;
    const tl_stream_part *part = part_at(c, TL_AT_MIDDLE, &first);
    tl_csi2_header h = { c->virtual_channel, TL_DT_FRAME_START, 1 };

    if (part == NULL || line.n != part->length)
        return TL_E_USAGE;
    TL_TRY(append(frame, &h, tl_span_of(NULL, 0)));
    h.data_type = part->data_type;
    for (unsigned i = 0; i < part->count; i++)
        TL_TRY(append(frame, &h, line));
    h.data_type = TL_DT_FRAME_END;
    return append(frame, &h, tl_span_of(NULL, 0));
}

/* ---- painting ---- */

/* The line's number, if a packet is a protected one of that data type. */
static bool line_number(const move *m, tl_buffer packet, uint8_t data_type, uint32_t *number)
{
    tl_sep_header h;

    if (read_header(m, packet, &h) != TL_OK || h.data_type != data_type)
        return false;
    *number = h.message;
    return true;
}

static move painter(const tl_stream_config *c, const tl_attack_world *world, tl_wire_frame *frame)
{
    static const tl_attack all_right = { .repair = TL_REPAIR_ALL };
    move m = { .attack = &all_right, .world = world, .frame = frame };

    m.env.len[TL_LEN_CRC] = c->crc32 == TL_WITH ? 4 : 0;
    return m;
}

bool tl_attack_is_line(const tl_stream_config *c, tl_buffer packet, uint8_t data_type)
{
    const tl_attack_world world = { .config = c };
    const move m = painter(c, &world, NULL);
    uint32_t number;

    return line_number(&m, packet, data_type, &number);
}

tl_err tl_attack_paint_over(const tl_stream_config *c, const tl_attack_paint *paint, tl_wire_frame *frame)
{
    const tl_attack_world world = { .config = c };
    const move m = painter(c, &world, frame);
    uint32_t number;

    for (size_t i = 0; i < frame->n; i++) {
        tl_buffer packet = frame->packets[i];

        if (!line_number(&m, packet, paint->data_type, &number) || number < paint->row ||
            number - paint->row >= paint->rows)
            continue;
        if ((size_t)paint->first + paint->bytes > payload_size(&m, packet))
            return TL_E_USAGE;
        memset(packet.p + TL_SEP_BEFORE + paint->first, paint->value, paint->bytes);
        TL_TRY(repair(&m, i));
    }
    return TL_OK;
}

void tl_attack_mend(const tl_stream_config *c, tl_buffer packet, tl_attack_repair how)
{
    const tl_attack attack = { .repair = how };
    const tl_attack_world world = { .config = c };
    tl_wire_frame frame = { .packets = &packet, .n = 1 };
    move m = painter(c, &world, &frame);

    m.attack = &attack;
    if (packet.n >= TL_CSI2_HEADER_SIZE + TL_CSI2_FOOTER_SIZE)
        (void)!repair(&m, 0);
}
