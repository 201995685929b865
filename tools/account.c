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
static line line_of(const account *a, uint32_t data_type, uint32_t message)
{
    const tl_stream_config *c = a->config;

    for (unsigned i = 0; i < c->part_count; i++) {
        const tl_part_plan *part = &a->plan.parts[i];

        if (c->parts[i].data_type == data_type && message - part->first < c->parts[i].count)
            return (line){ &c->parts[i], message - part->first + part->line };
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

/* Where the layout has the tag in the footer of a block's messages. */
static account_footer footer_of(const tl_stream_config *c, tl_block block)
{
    static const uint8_t zeros[TL_SEP_FOOTER_MAX];
    tl_env env = { 0 };
    account_footer footer;
    tl_sep_footer f;
    tl_rd r;

    env.len[TL_LEN_TAG] = (uint16_t)tl_stream_tag_bytes(c, block);
    env.len[TL_LEN_CRC] = c->crc32 == TL_WITH ? 4 : 0;
    footer = (account_footer){ .all = (size_t)env.len[TL_LEN_TAG] + env.len[TL_LEN_CRC] };
    r = tl_rd_of(tl_span_of(zeros, footer.all));
    if (tl_decode_sep_footer(&env, &r, &f) != TL_OK || f.tag.n == 0)
        return footer;
    footer.before = (size_t)(f.tag.p - zeros);
    footer.tag = f.tag.n;
    return footer;
}

static void tell_footer(walk *w, unsigned block)
{
    const account_footer *f = &w->a->footers[block];

    tell(w, f->before, ACCOUNT_checksum);
    tell(w, f->tag, ACCOUNT_tagged);
    tell(w, f->all - f->before - f->tag, ACCOUNT_checksum);
}

/* ---- SEP ---- */

static void tell_sep(walk *w, tl_span body)
{
    const account *a = w->a;
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(body);
    tl_sep_header h;
    line l = { NULL, 0 };

    if (tl_decode_sep_header(&env, &r, &h) != TL_OK) {
        tell(w, body.n, ACCOUNT_none);
        return;
    }
    if (h.stream != a->config->stream) {
        tell(w, body.n, ACCOUNT_other);
        return;
    }
    if (h.data_type != TL_SEP_SERVICE_TYPE)
        l = line_of(a, h.data_type, h.message);
    if (h.block > TL_BLOCK_BOTTOM || body.n != TL_SEP_HEADER_SIZE + h.length + a->footers[h.block].all ||
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
    tell_footer(w, h.block);
}

/* ---- FSED ---- */

/* A run of bytes that metadata packets carry piece by piece: up to where each class goes. */
typedef struct run {
    uint64_t ends[6];
    account_class classes[6];
    unsigned n;
} run;

static void add(run *r, uint64_t bytes, account_class class)
{
    r->ends[r->n] = (r->n > 0 ? r->ends[r->n - 1] : 0) + bytes;
    r->classes[r->n++] = class;
}

/* A begin or an end: header and payload, then the footer. */
static void add_service(run *r, const account *a, size_t inside)
{
    const account_footer *f = &a->footers[TL_BLOCK_SERVICE];

    add(r, inside, is_sealed(a, TL_BLOCK_SERVICE) ? ACCOUNT_tagged : ACCOUNT_checksum);
    add(r, f->before, ACCOUNT_checksum);
    add(r, f->tag, ACCOUNT_tagged);
    add(r, f->all - f->before - f->tag, ACCOUNT_checksum);
}

/* n bytes of the run from `offset` on; what stands behind its end is of nobody. */
static void tell_run(walk *w, const run *r, uint64_t offset, size_t n)
{
    for (unsigned i = 0; i < r->n && n > 0; i++) {
        size_t part = n;

        if (offset >= r->ends[i])
            continue;
        if (part > r->ends[i] - offset)
            part = (size_t)(r->ends[i] - offset);
        tell(w, part, r->classes[i]);
        offset += part;
        n -= part;
    }
    tell(w, n, ACCOUNT_none);
}

static run run_of(const account *a, uint32_t position)
{
    run r = { .n = 0 };

    if (position != TL_FSED_TOP) {
        add(&r, a->tags, ACCOUNT_tagged);
        add(&r, a->checks, ACCOUNT_checksum);
    }
    add_service(&r, a, position == TL_FSED_TOP ? a->begin : a->end);
    return r;
}

static void tell_metadata(walk *w, tl_span body)
{
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(body);
    tl_fsed_packet at;
    tl_span used;
    size_t head;
    run bytes;

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
    bytes = run_of(w->a, at.position);
    tell_run(w, &bytes, at.offset, used.n);
    tell(w, body.n - head - used.n, ACCOUNT_place);
}

/* A plain line: which one, its place among those of its data type says. */
static void tell_line(walk *w, const tl_csi2_packet *p)
{
    account *a = w->a;
    const uint8_t type = tl_stream_plan_type(&a->plan, p->header.data_type);
    line l;

    if (type == a->plan.type_count) {
        tell(w, p->payload.n, ACCOUNT_none);
        return;
    }
    l = line_of(a, p->header.data_type, a->rows[type]);
    if (a->rows[type] < UINT16_MAX)
        a->rows[type]++;
    if (l.part == NULL || l.part->length != p->payload.n)
        tell(w, p->payload.n, ACCOUNT_none);
    else
        tell_payload(w, l, p->payload.n);
}

/* ---- all packets ---- */

/* Bytes of a begin and an end in front of their footers, as the layout writes them. */
static tl_err measure_services(account *a)
{
    static const uint8_t zeros[256];
    const tl_stream_config *c = a->config;
    uint8_t parts[TL_SEP_SERVICE_MAX], body[TL_SEP_SERVICE_MAX];
    tl_wr list = tl_wr_of(parts, sizeof parts), begin = tl_wr_of(body, sizeof body), end = begin;
    const tl_sep_begin_part one = { .block = TL_BLOCK_TOP };
    const tl_sep_end_part last = { .block = TL_BLOCK_TOP };
    const tl_env env = { 0 };
    tl_sep_begin b = { .configuration = tl_span_of(zeros, 32) };
    tl_sep_end e = { .tags = tl_span_of(zeros, (size_t)a->plan.list_count * c->tag_size) };

    for (unsigned i = 0; i < c->part_count; i++)
        TL_TRY(tl_encode_sep_begin_part(&env, &one, &list));
    b.parts = tl_span_of(parts, list.n);
    TL_TRY(tl_encode_sep_begin(&env, &b, &begin));
    a->begin = TL_SEP_HEADER_SIZE + begin.n;
    list = tl_wr_of(parts, sizeof parts);
    for (unsigned i = 0; i < c->part_count; i++)
        TL_TRY(tl_encode_sep_end_part(&env, &last, &list));
    e.parts = tl_span_of(parts, list.n);
    TL_TRY(tl_encode_sep_end(&env, &e, &end));
    a->end = TL_SEP_HEADER_SIZE + end.n;
    return TL_OK;
}

void account_open(account *a, const tl_stream_config *config)
{
    *a = (account){ .config = config };
    if (config == NULL)
        return;
    tl_stream_plan_of(&a->plan, config);
    for (unsigned i = 0; i < config->part_count; i++)
        a->tags += (uint64_t)config->parts[i].count * a->plan.parts[i].tag_n;
    a->checks = config->crc32 == TL_WITH ? (uint64_t)a->plan.messages * 4 : 0;
    for (unsigned block = TL_BLOCK_SERVICE; block <= TL_BLOCK_BOTTOM; block++)
        a->footers[block] = footer_of(config, (tl_block)block);
    if (measure_services(a) != TL_OK) /* no sender could write them */
        a->begin = a->end = 0;
}

/* What the sender of a one-way stream says of itself. One of another stream is nothing to this one. */
static void tell_announcement(walk *w, tl_span body)
{
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(body);
    tl_announcement m;

    if (tl_decode_announcement(&env, &r, &m) == TL_OK && m.stream != w->a->config->stream)
        tell(w, body.n, ACCOUNT_other);
    else
        tell(w, body.n, w->a->announced ? ACCOUNT_proven : ACCOUNT_unproven);
}

/* What is long, whole and of our channel. */
static account_class tell_long(walk *w, const tl_csi2_packet *p)
{
    account *a = w->a;

    tell(w, TL_CSI2_HEADER_SIZE, ACCOUNT_hop);
    if (p->header.data_type == TL_ANNOUNCEMENT_WIRE_TYPE) {
        tell_announcement(w, p->payload);
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
    else if (!(tl_stream_channels(a->config) >> p.header.virtual_channel & 1))
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

void account_move(account *a, account_class from, account_class to)
{
    account_whole(a, to, a->bytes[from], a->packets[from]);
    a->bytes[from] = a->packets[from] = 0;
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
