/* Stream configurations: whether one makes sense, where each message belongs, and the digest that both ends'
 * keys depend on. The digest is over canonical bytes by the layout's rows, so no two meanings share one. */
#include "cse/config.h"

#include "wire/most.h"

#include <trueline/messages.h>

enum { LIST_MAX = TL_SEP_PARTS_MAX * TL__MOST(configuration_part) };

static bool fail(const char **why, const char *reason)
{
    *why = reason;
    return false;
}

static bool check_suite(const tl_stream_config *c, const char **why)
{
    if (c->suite != TL_SUITE_AES128_GMAC && c->suite != TL_SUITE_AES256_GMAC)
        return fail(why, "suite: not one of this version");
    if (c->tag_mode != TL_TAG_PER_MESSAGE)
        return fail(why, "tag mode: this version has one tag per message only");
    if (c->tag_size != 12 && c->tag_size != 16)
        return fail(why, "tag size: 12 or 16 bytes; shorter GMAC tags are unsafe for single messages");
    if (c->crc32 != TL_WITHOUT && c->crc32 != TL_WITH)
        return fail(why, "CRC-32: with or without");
    for (unsigned block = TL_BLOCK_TOP; block <= TL_BLOCK_BOTTOM; block++)
        if (c->variant[block] != TL_SV_1 && c->variant[block] != TL_SV_2)
            return fail(why, "security variant: this version has SV-1 and SV-2");
    return true;
}

static bool check_part(const tl_stream_config *c, const tl_stream_part *p, const char **why)
{
    size_t around = TL_SEP_HEADER_SIZE + tl_cse_footer_size(c);

    if (p->block < TL_BLOCK_TOP || p->block > TL_BLOCK_BOTTOM)
        return fail(why, "part: its block is none of top, middle, bottom");
    if (tl_csi2_is_short(p->data_type) || p->data_type > 0x3F)
        return fail(why, "part: its data type is none of a long packet (0x10 to 0x3F)");
    if (p->data_type == TL_SEP_SERVICE_TYPE || p->data_type == TL_SEP_WIRE_TYPE ||
        p->data_type == TL_FSED_WIRE_TYPE)
        return fail(why, "part: its data type is one that the layout uses for itself");
    if (p->count == 0 || p->length == 0)
        return fail(why, "part: no messages, or messages without bytes");
    if (p->length + around > TL_CSI2_PAYLOAD_MAX)
        return fail(why, "part: with header and footer a message is longer than a packet can be");
    if (c->plain_types >> p->data_type & 1)
        return fail(why, "part: its data type is listed as plain too");
    return true;
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
        if (tl_cse_part_first(c, i) + (uint32_t)c->parts[i].count > TL_SEP_MESSAGES_MAX)
            return fail(why, "parts: more messages of one data type than a frame can number");
        bytes += (uint64_t)c->parts[i].count * c->parts[i].length;
        if (bytes > UINT32_MAX) /* sizes and offsets are size_t, which may have 32 bits */
            return fail(why, "parts: a frame of 4 GiB or more");
    }
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
    if (c->release != TL_RELEASE_FRAME && c->release != TL_RELEASE_LINE)
        return fail(why, "release policy: frame or line");
    return true;
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
    if (!check_suite(c, why) || !check_parts(c, why) || !check_ends(c, why))
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

size_t tl_cse_footer_size(const tl_stream_config *c)
{
    return (size_t)c->tag_size + (c->crc32 == TL_WITH ? 4 : 0);
}

tl_env tl_cse_env(const tl_stream_config *c)
{
    tl_env env = { 0 };

    env.len[TL_LEN_TAG] = c->tag_size;
    env.len[TL_LEN_CRC] = c->crc32 == TL_WITH ? 4 : 0;
    return env;
}

uint32_t tl_cse_part_first(const tl_stream_config *c, unsigned part)
{
    uint32_t first = 0;

    for (unsigned i = 0; i < part; i++)
        if (c->parts[i].data_type == c->parts[part].data_type)
            first += c->parts[i].count;
    return first;
}

size_t tl_cse_part_offset(const tl_stream_config *c, unsigned part)
{
    size_t offset = 0;

    for (unsigned i = 0; i < part; i++)
        offset += (size_t)c->parts[i].count * c->parts[i].length;
    return offset;
}

tl_place tl_cse_place(const tl_stream_config *c, uint32_t data_type, uint32_t message)
{
    uint32_t first = 0;

    for (unsigned i = 0; i < c->part_count; i++) {
        if (c->parts[i].data_type != data_type)
            continue;
        if (message - first < c->parts[i].count)
            return (tl_place){ .named = true, .part = (uint8_t)i, .row = (uint16_t)(message - first) };
        first += c->parts[i].count;
    }
    return (tl_place){ .named = false };
}

/* The parts as the canonical bytes list them. */
static tl_err encode_parts(const tl_stream_config *c, tl_wr *w)
{
    const tl_env env = tl_cse_env(c);

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

static tl_err encode_canonical(const tl_stream_config *c, tl_wr *w)
{
    uint8_t list[LIST_MAX];
    tl_wr parts = tl_wr_of(list, sizeof list);
    const tl_env env = tl_cse_env(c);
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

    TL_TRY(encode_parts(c, &parts));
    m.parts = tl_written(&parts);
    return tl_encode_configuration(&env, &m, w);
}

tl_err tl_stream_config_digest(const tl_stream_config *c, const tl_crypto *crypto,
                               uint8_t digest[TL_CONFIG_DIGEST_SIZE])
{
    uint8_t bytes[TL__MOST(configuration) + LIST_MAX];
    tl_wr w = tl_wr_of(bytes, sizeof bytes);
    tl_hash h = { 0 };
    tl_err e;

    TL_TRY(tl_stream_config_check(c, NULL));
    TL_TRY(encode_canonical(c, &w));
    TL_TRY(crypto->ops->hash_start(crypto->ctx, TL_HASH_SHA256, &h));
    e = crypto->ops->hash_add(crypto->ctx, h, tl_written(&w));
    if (e == TL_OK)
        e = crypto->ops->hash_end(crypto->ctx, h, digest);
    if (e != TL_OK)
        crypto->ops->hash_drop(crypto->ctx, h);
    return e;
}
