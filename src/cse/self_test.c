/* The self-test: a stream in small, from its sender to its receiver in memory, with one error at a time in between.
 *
 *   frame   frame start | begin | lines | end | frame end          packets 0, 1, 2 .., n - 2, n - 1
 *
 * Each stage makes a frame, spoils it, hands it to the receiver and then a clean one. It has passed if its verdict was
 * among the events, the spoilt frame was not ok, and the clean one was. */
#include <trueline/messages.h>
#include <trueline/self_test.h>

#include <string.h>

enum { BEGIN_AT = 1, LINE_AT = 2, BEHIND_LINES = 2, FLIP = 0x10, LINE_BYTES = TL_SELF_TEST_LINE };

typedef tl_err (*injector)(tl_self_test *t);

/* ---- a small stream of the same kind ---- */

static void shrink_part(tl_stream_part *part)
{
    if (part->count > TL_SELF_TEST_LINES)
        part->count = TL_SELF_TEST_LINES;
    if (part->length > TL_SELF_TEST_LINE)
        part->length = TL_SELF_TEST_LINE;
}

/* A pattern that covers the first line, or the first byte, and leaves others out however few there are. */
static void shrink_pattern(tl_stream_config *c, unsigned block)
{
    static const tl_pattern every_other = { 0, 1, 2 };

    if (c->pattern[block].period != 0)
        c->pattern[block] = every_other;
}

static void shrink(tl_stream_config *c)
{
    for (unsigned i = 0; i < c->part_count; i++)
        shrink_part(&c->parts[i]);
    for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++)
        shrink_pattern(c, block);
    c->first_frame = 0;
    c->carrier = TL_CARRIER_SEP;
    c->fsed_length = 0;
    c->probation = 0;
    c->hop_check = TL_HOP_CHECK_HERE;
    c->release = TL_RELEASE_FRAME;
    c->limits = (tl_stream_limits){ 0 };
    c->plain_types = 0;
    c->channels_accepted = 0;
    c->frame_timeout_ms = c->interval_ms = c->tolerance_ms = c->age_max_us = 0;
}

tl_err tl_self_test_init(tl_self_test *t, const tl_stream_config *config, const tl_crypto *crypto)
{
    *t = (tl_self_test){ .config = *config, .crypto = crypto };
    TL_TRY(tl_stream_config_check(config, NULL));
    if (config->suite != TL_SUITE_NONE && crypto == NULL)
        return TL_E_USAGE;
    shrink(&t->config);
    return tl_stream_config_check(&t->config, NULL);
}

/* ---- the two ends ---- */

static void on_event(void *ctx, const tl_stream_event *event)
{
    tl_self_test *t = ctx;

    if (event->kind != TL_EVENT_OPENED)
        t->seen |= 1u << event->verdict;
    if (event->kind == TL_EVENT_FRAME && event->verdict == TL_VERDICT_OK)
        t->frames_ok++;
}

/* Keys of which nobody else knows. */
static tl_err make_sources(tl_self_test *t, tl_key_source *sources, size_t n)
{
    uint8_t secret[32];
    static const uint8_t fresh[TL_FRESH_SIZE];
    const tl_provisioned from = { tl_span_of(secret, sizeof secret), fresh, fresh, t->config.stream,
                                  TL_SENSOR_TO_CONTROLLER };
    tl_err e = t->crypto->ops->random(t->crypto->ctx, secret, sizeof secret);

    for (size_t i = 0; i < n && e == TL_OK; i++)
        e = tl_key_source_provisioned(&sources[i], t->crypto, &from);
    tl_wipe(secret, sizeof secret);
    return e;
}

static tl_err open_ends(tl_self_test *t, tl_key_source *sources, tl_key_source *other)
{
    const tl_buffer memory = { t->memory, sizeof t->memory };
    tl_key_source *senders = NULL, *receivers = NULL;

    if (t->config.suite != TL_SUITE_NONE) {
        TL_TRY(make_sources(t, sources, 2));
        TL_TRY(make_sources(t, other, 1));
        TL_TRY(tl_stream_tx_init(&t->other, &t->config, other, 0));
        senders = &sources[0];
        receivers = &sources[1];
    }
    TL_TRY(tl_stream_tx_init(&t->tx, &t->config, senders, 0));
    return tl_stream_rx_init(&t->rx, &t->config, receivers, 0, memory, (tl_stream_sink){ t, on_event });
}

static void close_ends(tl_self_test *t)
{
    tl_stream_tx_wipe(&t->tx);
    tl_stream_tx_wipe(&t->other);
    tl_stream_rx_wipe(&t->rx);
    tl_wipe(t->lines, sizeof t->lines);
    tl_wipe(t->memory, sizeof t->memory);
}

/* ---- frames ---- */

static void add_packet(tl_self_test *t, uint8_t *bytes, tl_span packet)
{
    t->packets[t->packet_count++] = (tl_buffer){ bytes + (packet.p - bytes), packet.n };
}

static tl_err make_lines(tl_self_test *t, tl_stream_tx *tx)
{
    unsigned line = 0;

    for (unsigned i = 0; i < t->config.part_count; i++) {
        const tl_stream_part *p = &t->config.parts[i];

        for (unsigned row = 0; row < p->count; row++, line++) {
            tl_tx_message m = { .data_type = p->data_type,
                                .length = p->length,
                                .buffer = t->lines[line],
                                .room = sizeof t->lines[line] };

            memset(m.buffer + TL_SEP_BEFORE, (int)(line + 1), p->length);
            TL_TRY(tl_stream_tx_messages(tx, &m, 1));
            add_packet(t, m.buffer, m.packet);
        }
    }
    return TL_OK;
}

static tl_err make_frame(tl_self_test *t, tl_stream_tx *tx)
{
    t->packet_count = 0;
    TL_TRY(tl_stream_tx_begin(tx, 0, &t->begin));
    add_packet(t, t->begin.bytes, t->begin.packets[0]);
    add_packet(t, t->begin.bytes, t->begin.packets[1]);
    TL_TRY(make_lines(t, tx));
    TL_TRY(tl_stream_tx_end(tx, &t->end));
    add_packet(t, t->end.bytes, t->end.packets[0]);
    add_packet(t, t->end.bytes, t->end.packets[1]);
    return TL_OK;
}

static tl_err deliver(tl_self_test *t)
{
    return tl_stream_rx_packets(&t->rx, 0, t->packets, t->packet_count);
}

/* The line to spoil: one that a tag covers, and of its bytes the first; else any. */
static void choose_target(tl_self_test *t)
{
    uint32_t at = LINE_AT;

    t->target = LINE_AT;
    t->covered = false;
    for (unsigned i = 0; i < t->config.part_count && !t->covered; i++) {
        if (t->config.variant[t->config.parts[i].block] != TL_SV_5) {
            t->target = at;
            t->covered = true;
        }
        at += t->config.parts[i].count;
    }
}

/* ---- taking a packet apart, and putting checksums right ---- */

static tl_buffer *target(tl_self_test *t)
{
    return &t->packets[t->target];
}

static uint32_t end_at(const tl_self_test *t)
{
    return t->packet_count - BEHIND_LINES;
}

static tl_block block_of(const tl_self_test *t, uint32_t at)
{
    uint32_t first = LINE_AT;

    for (unsigned i = 0; i < t->config.part_count; i++) {
        if (at >= first && at < first + t->config.parts[i].count)
            return (tl_block)t->config.parts[i].block;
        first += t->config.parts[i].count;
    }
    return TL_BLOCK_SERVICE;
}

static tl_env env_of(const tl_self_test *t, uint32_t at)
{
    tl_env env = { 0 };

    env.len[TL_LEN_TAG] = (uint16_t)tl_stream_tag_bytes(&t->config, block_of(t, at));
    env.len[TL_LEN_CRC] = t->config.crc32 == TL_WITH ? 4 : 0;
    return env;
}

static size_t payload_of(const tl_self_test *t, uint32_t at)
{
    const tl_env env = env_of(t, at);

    return t->packets[at].n - TL_SEP_BEFORE - env.len[TL_LEN_TAG] - env.len[TL_LEN_CRC] - TL_CSI2_FOOTER_SIZE;
}

static tl_rd footer_reader(const tl_self_test *t, uint32_t at)
{
    size_t before = TL_SEP_BEFORE + payload_of(t, at);

    return tl_rd_of(tl_span_of(t->packets[at].p + before, t->packets[at].n - before - TL_CSI2_FOOTER_SIZE));
}

/* Bit by bit: this checks the tables and kernels that the stream uses, and shares nothing with them. */
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

/* Writes the footer with this first byte of the tag changed by `flip`, and its CRC-32 right. */
static tl_err rewrite_footer(tl_self_test *t, uint32_t at, uint8_t flip)
{
    const tl_env env = env_of(t, at);
    tl_buffer packet = t->packets[at];
    size_t before = TL_SEP_BEFORE + payload_of(t, at);
    tl_rd r = footer_reader(t, at);
    tl_wr w = tl_wr_of(packet.p + before, packet.n - before - TL_CSI2_FOOTER_SIZE);
    uint8_t tag[TL_SEP_TAG_MAX] = { 0 };
    tl_sep_footer f;

    TL_TRY(tl_decode_sep_footer(&env, &r, &f));
    if (f.tag.n > 0)
        memcpy(tag, f.tag.p, f.tag.n);
    tag[0] ^= flip;
    f.tag.p = tag;
    if (env.len[TL_LEN_CRC] != 0) {
        f.crc32 = crc32_of(0, tl_span_of(packet.p + TL_CSI2_HEADER_SIZE, before - TL_CSI2_HEADER_SIZE));
        f.crc32 = crc32_of(f.crc32, f.tag);
    }
    return tl_encode_sep_footer(&env, &f, &w);
}

static tl_err repair_hop(tl_self_test *t, uint32_t at)
{
    return tl_csi2_repair(t->packets[at].p, t->packets[at].n);
}

static tl_err repair_all(tl_self_test *t, uint32_t at, uint8_t flip)
{
    TL_TRY(rewrite_footer(t, at, flip));
    return repair_hop(t, at);
}

/* The service header of the target through the layout's rows; change must set it. */
static tl_err read_header(const tl_self_test *t, tl_sep_header *h)
{
    const tl_env env = env_of(t, t->target);
    tl_rd r = tl_rd_of(tl_span_of(t->packets[t->target].p + TL_CSI2_HEADER_SIZE, TL_SEP_HEADER_SIZE));

    return tl_decode_sep_header(&env, &r, h);
}

static tl_err write_header(tl_self_test *t, const tl_sep_header *h)
{
    const tl_env env = env_of(t, t->target);
    tl_wr w = tl_wr_of(target(t)->p + TL_CSI2_HEADER_SIZE, TL_SEP_HEADER_SIZE);

    TL_TRY(tl_encode_sep_header(&env, h, &w));
    return repair_all(t, t->target, 0);
}

/* ---- one injector for each stage ---- */

static tl_err inject_nothing(tl_self_test *t)
{
    (void)t;
    return TL_OK;
}

static tl_err inject_hop(tl_self_test *t)
{
    target(t)->p[1] ^= 0x03;
    return TL_OK;
}

static tl_err inject_crc16(tl_self_test *t)
{
    target(t)->p[TL_SEP_BEFORE] ^= FLIP;
    return TL_OK;
}

static tl_err inject_crc32(tl_self_test *t)
{
    target(t)->p[TL_SEP_BEFORE] ^= FLIP;
    return repair_hop(t, t->target);
}

static tl_err inject_payload(tl_self_test *t)
{
    target(t)->p[TL_SEP_BEFORE] ^= FLIP;
    return repair_all(t, t->target, 0);
}

static tl_err inject_header(tl_self_test *t)
{
    tl_sep_header h;

    TL_TRY(read_header(t, &h));
    h.version ^= 1;
    return write_header(t, &h);
}

static tl_err inject_key_number(tl_self_test *t)
{
    tl_sep_header h;

    TL_TRY(read_header(t, &h));
    h.key ^= 1;
    return write_header(t, &h);
}

static tl_err inject_length(tl_self_test *t)
{
    tl_sep_header h;

    TL_TRY(read_header(t, &h));
    h.length ^= 1;
    return write_header(t, &h);
}

/* A line's own tag, where lines have one; else the end's. */
static tl_err inject_tag(tl_self_test *t)
{
    uint32_t at = env_of(t, t->target).len[TL_LEN_TAG] != 0 ? t->target : end_at(t);

    return repair_all(t, at, FLIP);
}

static void leave_out(tl_self_test *t, uint32_t at)
{
    for (uint32_t i = at + 1; i < t->packet_count; i++)
        t->packets[i - 1] = t->packets[i];
    t->packet_count--;
}

static tl_err inject_gap(tl_self_test *t)
{
    leave_out(t, t->target);
    return TL_OK;
}

/* The begin once more behind the whole frame. */
static tl_err inject_repeat(tl_self_test *t)
{
    t->packets[t->packet_count++] = t->packets[BEGIN_AT];
    return TL_OK;
}

static tl_err inject_cut(tl_self_test *t)
{
    leave_out(t, end_at(t));
    return TL_OK;
}

/* Header and footer taken off: the payload in a packet of its own data type. */
static tl_err inject_plain(tl_self_test *t)
{
    uint8_t payload[LINE_BYTES];
    const tl_csi2_header h = { t->config.virtual_channel, t->config.parts[0].data_type, 0 };
    tl_wr w = tl_wr_of(target(t)->p, target(t)->n);
    size_t n = payload_of(t, t->target);

    memcpy(payload, target(t)->p + TL_SEP_BEFORE, n);
    TL_TRY(tl_csi2_write(&h, tl_span_of(payload, n), &w));
    target(t)->n = w.n;
    return TL_OK;
}

static tl_err inject_other_key(tl_self_test *t)
{
    return make_frame(t, &t->other);
}

/* What each stage needs of a stream beside a line. */
enum { NEEDS_CRC32 = 1, NEEDS_KEYS = 2, NEEDS_COVER = 4 };

static const struct {
    const char *text;
    injector inject;
    tl_verdict verdict;
    uint8_t needs, frames_ok; /* frames that must be ok, the clean one behind it among them */
} stages[TL_STAGES] = {
    [TL_STAGE_NONE] = { "none", inject_nothing, TL_VERDICT_OK, 0, 2 },
    [TL_STAGE_HOP] = { "hop", inject_hop, TL_VERDICT_ECC, 0, 1 },
    [TL_STAGE_CRC16] = { "crc16", inject_crc16, TL_VERDICT_CRC16, 0, 1 },
    [TL_STAGE_HEADER] = { "header", inject_header, TL_VERDICT_HEADER, 0, 1 },
    [TL_STAGE_KEY_NUMBER] = { "key number", inject_key_number, TL_VERDICT_KEY, NEEDS_KEYS, 1 },
    [TL_STAGE_LENGTH] = { "length", inject_length, TL_VERDICT_LENGTH, 0, 1 },
    [TL_STAGE_CRC32] = { "crc32", inject_crc32, TL_VERDICT_CRC32, NEEDS_CRC32, 1 },
    [TL_STAGE_PAYLOAD] = { "payload", inject_payload, TL_VERDICT_TAG, NEEDS_KEYS | NEEDS_COVER, 1 },
    [TL_STAGE_TAG] = { "tag", inject_tag, TL_VERDICT_TAG, NEEDS_KEYS, 1 },
    [TL_STAGE_COUNTER] = { "counter", inject_gap, TL_VERDICT_GAP, 0, 1 },
    [TL_STAGE_REPEAT] = { "repeat", inject_repeat, TL_VERDICT_REPEAT, 0, 2 },
    [TL_STAGE_END] = { "end", inject_cut, TL_VERDICT_CUT, 0, 1 },
    [TL_STAGE_UNPROTECTED] = { "unprotected", inject_plain, TL_VERDICT_UNPROTECTED, 0, 1 },
    [TL_STAGE_KEY] = { "key", inject_other_key, TL_VERDICT_TAG, NEEDS_KEYS, 1 },
};

const char *tl_stage_text(tl_stage stage)
{
    return (unsigned)stage < TL_STAGES ? stages[stage].text : "no stage";
}

static bool applies(const tl_self_test *t, tl_stage stage)
{
    uint8_t needs = stages[stage].needs;

    if (needs & NEEDS_CRC32 && t->config.crc32 != TL_WITH)
        return false;
    if (needs & NEEDS_KEYS && t->config.suite == TL_SUITE_NONE)
        return false;
    return !(needs & NEEDS_COVER) || t->covered;
}

/* ---- stages ---- */

/* Two frames: one with the error, and a clean one. */
static tl_err run_stage(tl_self_test *t, tl_stage stage, bool *noticed)
{
    t->seen = 0;
    t->frames_ok = 0;
    TL_TRY(make_frame(t, &t->tx));
    TL_TRY(stages[stage].inject(t));
    t->counts.injected[stage]++;
    TL_TRY(deliver(t));
    TL_TRY(make_frame(t, &t->tx));
    TL_TRY(deliver(t));
    *noticed = (t->seen >> stages[stage].verdict & 1) && t->frames_ok == stages[stage].frames_ok;
    if (stage == TL_STAGE_NONE)
        *noticed &= t->seen == 1u << TL_VERDICT_OK;
    return TL_OK;
}

tl_err tl_self_test_stage(tl_self_test *t, tl_stage stage)
{
    tl_key_source sources[2] = { { 0 } }, other = { 0 };
    bool noticed = false;
    tl_err e;

    if ((unsigned)stage >= TL_STAGES)
        return TL_E_USAGE;
    choose_target(t);
    if (!applies(t, stage)) {
        t->counts.skipped[stage]++;
        return TL_OK;
    }
    e = open_ends(t, sources, &other);
    if (e == TL_OK)
        e = run_stage(t, stage, &noticed);
    close_ends(t);
    tl_key_source_wipe(&sources[0]);
    tl_key_source_wipe(&sources[1]);
    tl_key_source_wipe(&other);
    if (e != TL_OK)
        return e;
    t->counts.detected[stage] += noticed;
    return noticed ? TL_OK : TL_E_SELF_TEST;
}

tl_err tl_self_test_run(tl_self_test *t)
{
    tl_err first = TL_OK;

    for (unsigned stage = 0; stage < TL_STAGES; stage++) {
        tl_err e = tl_self_test_stage(t, (tl_stage)stage);

        if (first == TL_OK)
            first = e;
    }
    return first;
}

const tl_self_test_counts *tl_self_test_counted(const tl_self_test *t)
{
    return &t->counts;
}
