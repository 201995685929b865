/* The bytes of packets by what covers them. A packet is taken apart as the receiver would, by the same rows, and without a key:
 * where a tag stands and what it is over follows from the configuration. */
#include "account.h"

#include <trueline/messages.h>

#include <string.h>

static const struct {
    const char *name;
    bool is_protected;
    const char *text, *why;
} classes[] = {
#define CLASS(name, protected, text, why) { #name, protected, text, why },
#include "account.def"
#undef CLASS
};

bool account_is_protected(account_class class)
{
    return classes[class].is_protected;
}

const char *account_name(account_class class)
{
    return classes[class].name;
}

const char *account_text(account_class class)
{
    return classes[class].text;
}

const char *account_why(account_class class)
{
    return classes[class].why;
}

account_class account_of_name(const char *name)
{
    unsigned i = 0;

    while (i < ACCOUNT_CLASSES && strcmp(classes[i].name, name) != 0)
        i++;
    return (account_class)i;
}

/* ---- telling ---- */

/* A packet under way. */
typedef struct walk {
    account *a;
    size_t at;
    account_each *each;
    void *ctx;
} walk;

static void tell(walk *w, size_t n, account_class class)
{
    const account_range range = { w->at, w->at + n, class };

    if (n == 0)
        return;
    w->a->bytes[class] += n;
    w->at += n;
    if (w->each != NULL)
        w->each(w->ctx, &range);
}

void account_whole(account *a, account_class class, uint64_t bytes, uint64_t packets)
{
    a->bytes[class] += bytes;
    a->packets[class] += packets;
}

/* ---- payloads ---- */

static bool is_sealed(const account *a, unsigned block)
{
    return a->config->suite != TL_SUITE_NONE &&
           (block == TL_BLOCK_SERVICE || a->config->variant[block] != TL_SV_5);
}

/* A part's line: its number among the lines of its data type and block. */
typedef struct line {
    const tl_stream_part *part;
    uint32_t number;
} line;

/* The line of a message; part NULL: the configuration has none such. */
static line line_of(const tl_stream_config *c, uint32_t data_type, uint32_t message)
{
    uint32_t first = 0;

    for (unsigned i = 0; i < c->part_count; i++) {
        const tl_stream_part *part = &c->parts[i];
        uint32_t before = 0;

        if (part->data_type != data_type)
            continue;
        if (message >= first + part->count) {
            first += part->count;
            continue;
        }
        for (unsigned k = 0; k < i; k++)
            if (c->parts[k].data_type == data_type && c->parts[k].block == part->block)
                before += c->parts[k].count;
        return (line){ part, message - first + before };
    }
    return (line){ NULL, 0 };
}

/* Bytes inside of a pattern and outside, run by run. */
static void tell_pattern(walk *w, tl_pattern pattern, size_t n)
{
    for (size_t from = 0, to; from < n; from = to) {
        bool inside = tl_pattern_has(pattern, (uint32_t)from);

        for (to = from + 1; to < n && tl_pattern_has(pattern, (uint32_t)to) == inside;)
            to++;
        tell(w, to - from, inside ? ACCOUNT_tagged : ACCOUNT_checksum);
    }
}

static void tell_payload(walk *w, line l, size_t n)
{
    const tl_stream_config *c = w->a->config;
    const unsigned block = l.part->block;
    const tl_pattern pattern = c->pattern[block];

    if (!is_sealed(w->a, block))
        tell(w, n, ACCOUNT_checksum);
    else if (c->variant[block] == TL_SV_4)
        tell_pattern(w, pattern, n);
    else if (c->variant[block] == TL_SV_3 && !tl_pattern_has(pattern, l.number))
        tell(w, n, ACCOUNT_checksum);
    else
        tell(w, n, ACCOUNT_tagged);
}

/* Footer bytes: the tag, wherever the layout has it, and what is no tag. */
static void tell_footer(walk *w, tl_span bytes, unsigned block)
{
    const tl_stream_config *c = w->a->config;
    tl_env env = { 0 };
    tl_rd r = tl_rd_of(bytes);
    tl_sep_footer f;
    size_t before;

    env.len[TL_LEN_TAG] = (uint16_t)tl_stream_tag_bytes(c, (tl_block)block);
    env.len[TL_LEN_CRC] = c->crc32 == TL_WITH ? 4 : 0;
    if (tl_decode_sep_footer(&env, &r, &f) != TL_OK || f.tag.n == 0) {
        tell(w, bytes.n, ACCOUNT_checksum);
        return;
    }
    before = (size_t)(f.tag.p - bytes.p);
    tell(w, before, ACCOUNT_checksum);
    tell(w, f.tag.n, ACCOUNT_tagged);
    tell(w, bytes.n - before - f.tag.n, ACCOUNT_checksum);
}

static size_t footer_size(const account *a, unsigned block)
{
    return tl_stream_tag_bytes(a->config, (tl_block)block) + (a->config->crc32 == TL_WITH ? 4 : 0);
}

/* ---- SEP ---- */

static void tell_sep(walk *w, tl_span body)
{
    const account *a = w->a;
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(body);
    tl_sep_header h;
    line l = { NULL, 0 };
    size_t footer;

    if (tl_decode_sep_header(&env, &r, &h) != TL_OK) {
        tell(w, body.n, ACCOUNT_none);
        return;
    }
    if (h.stream != a->config->stream) {
        tell(w, body.n, ACCOUNT_other);
        return;
    }
    footer = footer_size(a, h.block);
    if (h.data_type != TL_SEP_SERVICE_TYPE)
        l = line_of(a->config, h.data_type, h.message);
    if (h.block > TL_BLOCK_BOTTOM || body.n != TL_SEP_HEADER_SIZE + h.length + footer ||
        (h.data_type == TL_SEP_SERVICE_TYPE ? h.block != TL_BLOCK_SERVICE
                                            : l.part == NULL || l.part->block != h.block)) {
        tell(w, body.n, ACCOUNT_none);
        return;
    }
    tell(w, TL_SEP_HEADER_SIZE, is_sealed(a, h.block) ? ACCOUNT_tagged : ACCOUNT_checksum);
    if (l.part != NULL)
        tell_payload(w, l, h.length);
    else
        tell(w, h.length, is_sealed(a, TL_BLOCK_SERVICE) ? ACCOUNT_tagged : ACCOUNT_checksum);
    tell_footer(w, tl_span_of(body.p + TL_SEP_HEADER_SIZE + h.length, footer), h.block);
}

/* ---- FSED ---- */

/* A whole begin or end: header, payload, footer. */
static void tell_service(walk *w, tl_span bytes)
{
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(bytes);
    size_t footer = footer_size(w->a, TL_BLOCK_SERVICE), inside;
    account_class class = is_sealed(w->a, TL_BLOCK_SERVICE) ? ACCOUNT_tagged : ACCOUNT_checksum;
    tl_sep_header h;

    if (tl_decode_sep_header(&env, &r, &h) != TL_OK || h.length + TL_SEP_HEADER_SIZE + footer != bytes.n) {
        tell(w, bytes.n, class);
        return;
    }
    inside = TL_SEP_HEADER_SIZE + h.length;
    tell(w, inside, class);
    tell_footer(w, tl_span_of(bytes.p + inside, footer), TL_BLOCK_SERVICE);
}

static size_t smaller(size_t a, uint64_t b)
{
    return a < b ? a : (size_t)b;
}

/* Bytes of the bottom from `offset` on: tags, CRC-32s, end. */
static void tell_bottom(walk *w, tl_span used, uint64_t offset)
{
    const account *a = w->a;
    uint64_t end = a->tags + a->checks;
    size_t n = offset < a->tags ? smaller(used.n, a->tags - offset) : 0, checks;

    tell(w, n, ACCOUNT_tagged);
    offset += n;
    checks = offset < end ? smaller(used.n - n, end - offset) : 0;
    tell(w, checks, ACCOUNT_checksum);
    tell_service(w, tl_span_of(used.p + n + checks, used.n - n - checks));
}

static void tell_metadata(walk *w, tl_span body)
{
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(body);
    tl_fsed_packet at;
    tl_span used;
    size_t head;

    if (tl_decode_fsed_packet(&env, &r, &at) != TL_OK || (used = tl_get_bytes(&r, at.used)).n != at.used ||
        r.bad) {
        tell(w, body.n, ACCOUNT_none);
        return;
    }
    if (at.stream != w->a->config->stream) {
        tell(w, body.n, ACCOUNT_other);
        return;
    }
    head = (size_t)(used.p - body.p);
    tell(w, head, ACCOUNT_place);
    if (at.position == TL_FSED_TOP)
        tell_service(w, used);
    else
        tell_bottom(w, used, at.offset);
    tell(w, body.n - head - used.n, ACCOUNT_place);
}

/* A plain line: which one, its place among those of its data type says. */
static void tell_line(walk *w, const tl_csi2_packet *p)
{
    account *a = w->a;
    const tl_stream_config *c = a->config;
    unsigned i = 0;
    line l;

    while (i < c->part_count && c->parts[i].data_type != p->header.data_type)
        i++;
    if (i == c->part_count) {
        tell(w, p->payload.n, ACCOUNT_none);
        return;
    }
    l = line_of(c, p->header.data_type, a->rows[i]);
    if (a->rows[i] < UINT16_MAX)
        a->rows[i]++;
    if (l.part == NULL || l.part->length != p->payload.n)
        tell(w, p->payload.n, ACCOUNT_none);
    else
        tell_payload(w, l, p->payload.n);
}

/* ---- all packets ---- */

void account_open(account *a, const tl_stream_config *config)
{
    *a = (account){ .config = config };
    for (unsigned i = 0; config != NULL && i < config->part_count; i++) {
        const tl_stream_part *part = &config->parts[i];

        a->tags += (uint64_t)part->count * tl_stream_tag_bytes(config, (tl_block)part->block);
        a->checks += config->crc32 == TL_WITH ? (uint64_t)part->count * 4 : 0;
    }
}

static bool is_our_channel(const tl_stream_config *c, unsigned channel)
{
    unsigned accepted = c->channels_accepted != 0 ? c->channels_accepted : 1u << c->virtual_channel;

    return accepted >> channel & 1;
}

/* What is long, whole and of our channel. */
static account_class tell_long(walk *w, const tl_csi2_packet *p)
{
    account *a = w->a;

    tell(w, TL_CSI2_HEADER_SIZE, ACCOUNT_hop);
    if (p->header.data_type == TL_ANNOUNCEMENT_WIRE_TYPE) {
        tell(w, p->payload.n, ACCOUNT_proven);
    } else if (a->config->carrier == TL_CARRIER_SEP) {
        if (p->header.data_type == TL_SEP_WIRE_TYPE)
            tell_sep(w, p->payload);
        else
            tell(w, p->payload.n, ACCOUNT_none);
    } else if (p->header.data_type == TL_FSED_WIRE_TYPE) {
        tell_metadata(w, p->payload);
    } else {
        tell_line(w, p);
    }
    tell(w, TL_CSI2_FOOTER_SIZE, ACCOUNT_hop);
    return ACCOUNT_tagged;
}

/* The class that its packet counts for. */
static account_class take(walk *w, tl_span packet)
{
    account *a = w->a;
    account_class class = ACCOUNT_none;
    tl_csi2_packet p;

    tl_csi2_read_header(packet, &p);
    if (p.ecc == TL_CSI2_ECC_BAD)
        class = ACCOUNT_none;
    else if (!is_our_channel(a->config, p.header.virtual_channel))
        class = ACCOUNT_other;
    else if (p.crc_right && !tl_csi2_is_short(p.header.data_type))
        return tell_long(w, &p);
    else if (p.crc_right) {
        class = ACCOUNT_short_packet;
        if (p.header.data_type == TL_DT_FRAME_START)
            memset(a->rows, 0, sizeof a->rows);
    }
    tell(w, packet.n, class);
    return class;
}

void account_packet(account *a, tl_span packet, account_each *each, void *ctx)
{
    walk w = { a, 0, each, ctx };

    a->packets[take(&w, packet)]++;
}

void account_add(account *sum, const account *more)
{
    for (unsigned i = 0; i < ACCOUNT_CLASSES; i++) {
        sum->bytes[i] += more->bytes[i];
        sum->packets[i] += more->packets[i];
    }
}

json_t *account_json(const account *a)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < ACCOUNT_CLASSES; i++)
        if (a->bytes[i] > 0 || a->packets[i] > 0)
            (void)json_array_append_new(list, json_pack("{s:s, s:b, s:I, s:I, s:s}", "class", classes[i].name,
                                                        "protected", (int)classes[i].is_protected, "bytes",
                                                        (json_int_t)a->bytes[i], "packets",
                                                        (json_int_t)a->packets[i], "why", classes[i].why));
    return list;
}
