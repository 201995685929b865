/* Stream configurations: whether one makes sense, and the digest that both ends' keys depend on. The digest is over
 * canonical bytes by the layout's rows, so no two meanings share one. */
#include "cse/crc32.h"
#include "cse/plan.h"
#include "wire/most.h"

#include <trueline/messages.h>

enum { BLOCKS = 3 };
enum { PARTS_SIZE = TL_SEP_PARTS_MAX * TL__MOST(configuration_part) };
enum { PATTERNS_SIZE = BLOCKS * TL__MOST(configuration_pattern) };

static bool fail(const char **why, const char *reason)
{
    *why = reason;
    return false;
}

static bool is_gmac(tl_suite suite)
{
    return suite == TL_SUITE_AES128_GMAC || suite == TL_SUITE_AES256_GMAC;
}

static bool is_accumulated(const tl_stream_config *c)
{
    return c->tag_mode != TL_TAG_PER_MESSAGE;
}

static bool has_block(const tl_stream_config *c, unsigned block)
{
    for (unsigned i = 0; i < c->part_count; i++)
        if (c->parts[i].block == block)
            return true;
    return false;
}

/* True if some messages of the frame have that variant. */
static bool has_variant(const tl_stream_config *c, tl_variant variant)
{
    for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++)
        if (c->variant[block] == variant && has_block(c, block))
            return true;
    return false;
}

/* ---- suite and tags ---- */

/* Without keys only checksums and counters are left, and nothing may look like more. */
static bool check_keyless(const tl_stream_config *c, const char **why)
{
    if (c->tag_mode != TL_TAG_PER_MESSAGE)
        return fail(why, "tag mode: without a suite there are no tags to accumulate");
    if (c->tag_size != 0)
        return fail(why, "tag size: without a suite there are no tags");
    for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++)
        if (c->variant[block] != TL_SV_5)
            return fail(why, "security variant: without a suite each block is SV-5");
    return true;
}

/* SP 800-38D appendix C: a GMAC tag of 8 bytes is for short inputs and few of them. Messages are neither; lists are. */
static bool check_tags(const tl_stream_config *c, const char **why)
{
    if (c->tag_mode < TL_TAG_PER_MESSAGE || c->tag_mode > TL_TAG_PER_FRAME)
        return fail(why, "tag mode: none of per message, per data type, per frame");
    if (c->tag_size != 8 && c->tag_size != 12 && c->tag_size != 16)
        return fail(why, "tag size: 8, 12 or 16 bytes");
    if (c->tag_size == 8 && is_gmac(c->suite) && !is_accumulated(c))
        return fail(why, "tag size: GMAC tags of 8 bytes are unsafe for single messages; CMAC's are not");
    return true;
}

static bool check_suite(const tl_stream_config *c, const char **why)
{
    if (c->crc32 != TL_WITHOUT && c->crc32 != TL_WITH)
        return fail(why, "CRC-32: with or without");
    for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++)
        if (c->variant[block] < TL_SV_1 || c->variant[block] > TL_SV_5)
            return fail(why, "security variant: none of SV-1 to SV-5");
    if (c->suite == TL_SUITE_NONE)
        return check_keyless(c, why);
    if (tl_suite_key_size(c->suite) == 0)
        return fail(why, "suite: none that this version has");
    return check_tags(c, why);
}

/* ---- parts ---- */

static bool is_layouts_own(uint8_t data_type)
{
    return data_type == TL_SEP_SERVICE_TYPE || data_type == TL_SEP_WIRE_TYPE ||
           data_type == TL_FSED_WIRE_TYPE || data_type == TL_OUTLINE_WIRE_TYPE ||
           data_type == TL_ANNOUNCEMENT_WIRE_TYPE;
}

static bool check_part(const tl_stream_config *c, const tl_stream_part *p, const char **why)
{
    size_t crc = c->crc32 == TL_WITH ? 4 : 0;

    if (p->block < TL_BLOCK_TOP || p->block > TL_BLOCK_BOTTOM)
        return fail(why, "part: its block is none of top, middle, bottom");
    if (tl_csi2_is_short(p->data_type) || p->data_type > 0x3F)
        return fail(why, "part: its data type is none of a long packet (0x10 to 0x3F)");
    if (is_layouts_own(p->data_type))
        return fail(why, "part: its data type is one that the layout uses for itself");
    if (p->count == 0 || p->length == 0)
        return fail(why, "part: no messages, or messages without bytes");
    if (p->length + TL_SEP_HEADER_SIZE + tl_stream_tag_bytes(c, (tl_block)p->block) + crc >
        TL_CSI2_PAYLOAD_MAX)
        return fail(why, "part: with header and footer a message is longer than a packet can be");
    if (c->plain_types >> p->data_type & 1)
        return fail(why, "part: its data type is listed as plain too");
    return true;
}

/* Messages of one data type, of all blocks or of one. */
static uint32_t count_of(const tl_stream_config *c, uint8_t data_type, unsigned block)
{
    uint32_t n = 0;

    for (unsigned i = 0; i < c->part_count; i++)
        if (c->parts[i].data_type == data_type && (block == TL_BLOCK_SERVICE || c->parts[i].block == block))
            n += c->parts[i].count;
    return n;
}

static bool check_parts(const tl_stream_config *c, const char **why)
{
    uint64_t bytes = 0;

    if (c->part_count == 0 || c->part_count > TL_SEP_PARTS_MAX)
        return fail(why, "parts: none, or more than the layout has room for");
    for (unsigned i = 0; i < c->part_count; i++) {
        if (!check_part(c, &c->parts[i], why))
            return false;
        if (i > 0 && c->parts[i].block < c->parts[i - 1].block)
            return fail(why, "parts: blocks are not in the order top, middle, bottom");
        if (count_of(c, c->parts[i].data_type, TL_BLOCK_SERVICE) > TL_SEP_MESSAGES_MAX)
            return fail(why, "parts: more messages of one data type than a frame can number");
        bytes += (uint64_t)c->parts[i].count * c->parts[i].length;
        if (bytes > UINT32_MAX) /* sizes and offsets are size_t, which may have 32 bits */
            return fail(why, "parts: a frame of 4 GiB or more");
    }
    return true;
}

/* Messages that have a tag. */
static uint32_t sealed_messages(const tl_stream_config *c)
{
    uint32_t n = 0;

    for (unsigned i = 0; i < c->part_count; i++)
        n += c->variant[c->parts[i].block] != TL_SV_5 ? c->parts[i].count : 0;
    return n;
}

static bool check_lists(const tl_stream_config *c, const char **why)
{
    if (!is_accumulated(c))
        return true;
    if (sealed_messages(c) == 0)
        return fail(why, "tag mode: accumulated, but no block has integrity");
    if (c->tag_mode == TL_TAG_PER_FRAME && sealed_messages(c) > TL_SEP_LIST_MAX)
        return fail(why, "tag mode: more messages than one tag per frame can be over");
    return true;
}

/* ---- patterns ---- */

/* The longest row that a block's pattern is laid on: its lines of one data type (SV-3), its lines' bytes (SV-4). */
static uint32_t longest_row(const tl_stream_config *c, unsigned block)
{
    uint32_t longest = 0, n;

    for (unsigned i = 0; i < c->part_count; i++) {
        if (c->parts[i].block != block)
            continue;
        n = c->variant[block] == TL_SV_3 ? count_of(c, c->parts[i].data_type, block) : c->parts[i].length;
        longest = n > longest ? n : longest;
    }
    return longest;
}

static bool check_pattern(const tl_stream_config *c, unsigned block, const char **why)
{
    const tl_pattern *p = &c->pattern[block];
    uint32_t row = longest_row(c, block);

    if (c->variant[block] != TL_SV_3 && c->variant[block] != TL_SV_4) {
        if (p->first != 0 || p->count != 0 || p->period != 0)
            return fail(why, "pattern: its block is neither SV-3 nor SV-4");
        return true;
    }
    if (p->count == 0 || p->count > p->period)
        return fail(why, "pattern: its count must be 1 or more and not above its period");
    if (p->first >= row)
        return fail(why, "pattern: it begins behind the last line of its block, or byte of its lines");
    if (p->first == 0 && (p->count == p->period || p->count >= row))
        return fail(why, "pattern: it leaves nothing outside, which is SV-2");
    return true;
}

static bool check_patterns(const tl_stream_config *c, const char **why)
{
    for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++)
        if (!check_pattern(c, block, why))
            return false;
    return true;
}

/* ---- the ends ---- */

static bool check_release(const tl_stream_config *c, const char **why)
{
    if (c->release > TL_RELEASE_EARLY)
        return fail(why, "release policy: none of frame, line, in place, early");
    if (c->release == TL_RELEASE_LINE && is_accumulated(c))
        return fail(why, "release policy: by line needs a tag per message");
    if (c->release == TL_RELEASE_EARLY && !is_accumulated(c))
        return fail(why, "release policy: early is for accumulated tags");
    if (c->release == TL_RELEASE_EARLY && has_variant(c, TL_SV_1))
        return fail(why, "release policy: encrypted lines are never released early");
    if (c->carrier == TL_CARRIER_FSED && (c->release == TL_RELEASE_LINE || c->release == TL_RELEASE_EARLY))
        return fail(why, "release policy: FSED verifies a frame as a whole");
    if (c->probation != 0 && c->release != TL_RELEASE_EARLY)
        return fail(why, "probation: only release policy early has one");
    return true;
}

static bool check_ends(const tl_stream_config *c, const char **why)
{
    if (c->virtual_channel >= TL_CSI2_CHANNELS)
        return fail(why, "virtual channel: 0 to 3");
    if (c->channels_accepted >> TL_CSI2_CHANNELS)
        return fail(why, "virtual channels accepted: 0 to 3");
    if (c->plain_types >> TL_SEP_WIRE_TYPE & 1)
        return fail(why, "plain data types: one is the protected packets' own");
    if (c->carrier > TL_CARRIER_FSED)
        return fail(why, "carrier: SEP or FSED");
    if (c->plain_types >> TL_FSED_WIRE_TYPE & 1 && c->carrier == TL_CARRIER_FSED)
        return fail(why, "plain data types: one is the metadata packets' own");
    if (c->carrier == TL_CARRIER_FSED && c->fsed_length != 0 &&
        c->fsed_length < TL_FSED_HEADER_SIZE + TL_TAG_MAX)
        return fail(why, "FSED length: shorter than a metadata packet's header and one tag");
    if (c->carrier != TL_CARRIER_FSED && c->fsed_length != 0)
        return fail(why, "FSED length: the carrier is SEP");
    if (c->hop_check > TL_HOP_CHECKED_BELOW)
        return fail(why, "hop check: here or below");
    return check_release(c, why);
}

tl_err tl_stream_config_check(const tl_stream_config *c, const char **why)
{
    const char *ignored;

    if (why == NULL)
        why = &ignored;
    *why = "";
    if (c->stream == 0) {
        *why = "stream: 0 is no id";
        return TL_E_CONFIGURATION;
    }
    if (!check_suite(c, why) || !check_parts(c, why) || !check_lists(c, why) || !check_patterns(c, why) ||
        !check_ends(c, why))
        return TL_E_CONFIGURATION;
    return TL_OK;
}

uint32_t tl_stream_frame_messages(const tl_stream_config *c)
{
    uint32_t n = 0;

    for (unsigned i = 0; i < c->part_count; i++)
        n += c->parts[i].count;
    return n;
}

size_t tl_stream_frame_bytes(const tl_stream_config *c)
{
    size_t n = 0;

    for (unsigned i = 0; i < c->part_count; i++)
        n += (size_t)c->parts[i].count * c->parts[i].length;
    return n;
}

/* ---- digest ---- */

static tl_err encode_parts(const tl_stream_config *c, tl_wr *w)
{
    const tl_env env = { 0 };

    for (unsigned i = 0; i < c->part_count; i++) {
        tl_configuration_part part = {
            .block = c->parts[i].block,
            .data_type = c->parts[i].data_type,
            .count = c->parts[i].count,
            .length = c->parts[i].length,
        };
        TL_TRY(tl_encode_configuration_part(&env, &part, w));
    }
    return TL_OK;
}

static tl_err encode_patterns(const tl_stream_config *c, tl_wr *w)
{
    const tl_env env = { 0 };

    for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++) {
        tl_configuration_pattern pattern = {
            .first = c->pattern[block].first,
            .count = c->pattern[block].count,
            .period = c->pattern[block].period,
        };
        TL_TRY(tl_encode_configuration_pattern(&env, &pattern, w));
    }
    return TL_OK;
}

static tl_err encode_canonical(const tl_stream_config *c, tl_wr *w)
{
    uint8_t parts[PARTS_SIZE], patterns[PATTERNS_SIZE];
    tl_wr p = tl_wr_of(parts, sizeof parts), q = tl_wr_of(patterns, sizeof patterns);
    const tl_env env = { 0 };
    tl_configuration m = {
        .layout = TL_LAYOUT_ID,
        .stream = c->stream,
        .suite = (uint32_t)c->suite,
        .tag_mode = (uint32_t)c->tag_mode,
        .tag_size = c->tag_size,
        .crc32 = (uint32_t)c->crc32,
        .top = c->variant[TL_BLOCK_TOP],
        .middle = c->variant[TL_BLOCK_MIDDLE],
        .bottom = c->variant[TL_BLOCK_BOTTOM],
        .first_frame = c->first_frame,
    };

    TL_TRY(encode_parts(c, &p));
    TL_TRY(encode_patterns(c, &q));
    m.parts = tl_written(&p);
    m.patterns = tl_written(&q);
    return tl_encode_configuration(&env, &m, w);
}

static tl_err hash(const tl_crypto *crypto, tl_span bytes, uint8_t digest[TL_CONFIG_DIGEST_SIZE])
{
    tl_hash h = { 0 };
    tl_err e;

    TL_TRY(crypto->ops->hash_start(crypto->ctx, TL_HASH_SHA256, &h));
    e = crypto->ops->hash_add(crypto->ctx, h, bytes);
    if (e == TL_OK)
        e = crypto->ops->hash_end(crypto->ctx, h, digest);
    if (e != TL_OK)
        crypto->ops->hash_drop(crypto->ctx, h);
    return e;
}

/* Random faults are all that a stream without keys can notice: a checksum tells two configurations apart well enough. */
static void check_sum(tl_span bytes, uint8_t digest[TL_CONFIG_DIGEST_SIZE])
{
    uint32_t crc = tl_cse_crc32(0, bytes);

    for (unsigned i = 0; i < TL_CONFIG_DIGEST_SIZE; i++)
        digest[i] = (uint8_t)(i < 4 ? crc >> 8 * i : 0);
}

tl_err tl_stream_config_digest(const tl_stream_config *c, const tl_crypto *crypto,
                               uint8_t digest[TL_CONFIG_DIGEST_SIZE])
{
    uint8_t bytes[TL__MOST(configuration) + PARTS_SIZE + PATTERNS_SIZE];
    tl_wr w = tl_wr_of(bytes, sizeof bytes);

    TL_TRY(tl_stream_config_check(c, NULL));
    TL_TRY(encode_canonical(c, &w));
    if (c->suite != TL_SUITE_NONE)
        return hash(crypto, tl_written(&w), digest);
    check_sum(tl_written(&w), digest);
    return TL_OK;
}
