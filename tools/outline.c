/* The outline of a stream of pictures, and the note at the head of each frame. Both come from the layout's rows. */
#include "outline.h"

#include <trueline/messages.h>

#include <string.h>

static const uint8_t magic[8] = { 'p', 'i', 'c', 't', 'u', 'r', 'e', 's' };
static const tl_env no_env = { 0 };

enum { LIST_MAX = 128 }; /* bytes of TL_SEP_PARTS_MAX parts, and more */

/* ---- outlines ---- */

tl_err outline_write(const tl_stream_config *c, uint8_t packet[OUTLINE_PACKET_MAX], size_t *n)
{
    uint8_t list[LIST_MAX], body[OUTLINE_PACKET_MAX];
    tl_wr parts = tl_wr_of(list, sizeof list), w = tl_wr_of(body, sizeof body);
    tl_wr out = tl_wr_of(packet, OUTLINE_PACKET_MAX);
    const tl_csi2_header h = { .virtual_channel = c->virtual_channel, .data_type = TL_OUTLINE_WIRE_TYPE };
    tl_outline m = { .magic = tl_span_of(magic, sizeof magic), .stream = c->stream };

    *n = 0;
    for (unsigned i = 0; i < c->part_count; i++) {
        const tl_configuration_part part = {
            .block = c->parts[i].block,
            .data_type = c->parts[i].data_type,
            .count = c->parts[i].count,
            .length = c->parts[i].length,
        };
        TL_TRY(tl_encode_configuration_part(&no_env, &part, &parts));
    }
    m.parts = tl_written(&parts);
    TL_TRY(tl_encode_outline(&no_env, &m, &w));
    TL_TRY(tl_csi2_write(&h, tl_written(&w), &out));
    *n = out.n;
    return TL_OK;
}

static bool take_parts(tl_stream_config *c, tl_span list)
{
    tl_rd r = tl_rd_of(list);
    tl_configuration_part part;

    c->part_count = 0;
    while (tl_each_configuration_part(&r, &no_env, &part)) {
        if (c->part_count == TL_SEP_PARTS_MAX || part.block > TL_BLOCK_BOTTOM || part.data_type > 0x3F ||
            part.count > UINT16_MAX || part.length > UINT16_MAX)
            return false;
        c->parts[c->part_count++] = (tl_stream_part){ (uint8_t)part.block, (uint8_t)part.data_type,
                                                      (uint16_t)part.count, (uint16_t)part.length };
    }
    return tl_rd_end(&r);
}

/* One note, then bytes of the picture in the middle block, and nothing else. */
static bool is_of_pictures(const tl_stream_config *c)
{
    const tl_stream_part *note = &c->parts[0];

    if (c->part_count < 2 || note->block != TL_BLOCK_TOP || note->data_type != PICTURE_FORMAT_TYPE ||
        note->count != 1)
        return false;
    for (unsigned i = 1; i < c->part_count; i++)
        if (c->parts[i].block != TL_BLOCK_MIDDLE || c->parts[i].data_type != PICTURE_TYPE)
            return false;
    return tl_stream_config_check(c, NULL) == TL_OK && tl_stream_frame_bytes(c) <= PICTURE_BYTES_MAX;
}

outline_kind outline_read(tl_stream_config *config, tl_span bytes)
{
    tl_stream_config c = *config;
    tl_csi2_packet packet;
    tl_outline m;
    tl_rd r;

    tl_csi2_read(bytes, &packet);
    if (packet.ecc == TL_CSI2_ECC_BAD || packet.header.data_type != TL_OUTLINE_WIRE_TYPE)
        return OUTLINE_NONE;
    r = tl_rd_of(packet.payload);
    if (!packet.crc_right || tl_decode_outline(&no_env, &r, &m) != TL_OK || !tl_rd_end(&r) ||
        !tl_equal(m.magic, tl_span_of(magic, sizeof magic)) || m.stream != c.stream)
        return OUTLINE_OTHER;
    if (!take_parts(&c, m.parts) || !is_of_pictures(&c))
        return OUTLINE_OTHER;
    *config = c;
    return OUTLINE_TAKEN;
}

/* ---- notes ---- */

static tl_err encode_note(const picture_note *note, tl_wr *w)
{
    const tl_picture m = { .pts = note->pts, .duration = note->duration, .format = note->format };

    return tl_encode_picture(&no_env, &m, w);
}

size_t picture_note_bytes(const picture_note *note)
{
    tl_wr w = tl_wr_counting();

    if (note->format.n == 0 || note->format.n > PICTURE_FORMAT_MAX || encode_note(note, &w) != TL_OK)
        return 0;
    return (w.n + 15) / 16 * 16;
}

tl_err picture_note_write(const picture_note *note, uint8_t *bytes, size_t n)
{
    tl_wr w = tl_wr_of(bytes, n);

    if (picture_note_bytes(note) == 0)
        return TL_E_USAGE;
    TL_TRY(encode_note(note, &w));
    memset(bytes + w.n, 0, n - w.n);
    return TL_OK;
}

tl_err picture_note_read(picture_note *note, tl_span bytes)
{
    tl_rd r = tl_rd_of(bytes);
    tl_picture m;

    *note = (picture_note){ 0 };
    TL_TRY(tl_decode_picture(&no_env, &r, &m));
    if (m.format.n == 0 || m.format.n > PICTURE_FORMAT_MAX || memchr(m.format.p, 0, m.format.n) != NULL)
        return TL_E_WIRE_VALUE;
    for (size_t i = 0; i < m.padding.n; i++)
        if (m.padding.p[i] != 0)
            return TL_E_WIRE_VALUE;
    *note = (picture_note){ .pts = m.pts, .duration = m.duration, .format = m.format };
    return TL_OK;
}
