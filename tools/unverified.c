/* Pictures of what nobody verified: lines go where their headers say, and a frame is over when another one is named. Whatever a
 * header claims, a line lands inside of the picture or nowhere. */
#include "export.h"

#include <trueline/messages.h>

static tl_exit finish(unverified *u, tl_fault *fault)
{
    tl_exit e = TL_EXIT_OK;

    if (u->open && u->wanted(u->ctx, u->frame))
        e = frame_out_end(u->out, u->frame, false, fault);
    u->open = false;
    return e;
}

static tl_exit start(unverified *u, uint32_t frame, tl_fault *fault)
{
    tl_exit e = finish(u, fault);

    if (e == TL_EXIT_OK)
        frame_out_begin(u->out);
    u->open = true;
    u->frame = frame;
    u->row = 0;
    return e;
}

/* SEP: the header names frame and line. */
static tl_exit take_sep(unverified *u, tl_span body, tl_fault *fault)
{
    const size_t line = stream_file_line_bytes(u->file);
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(body);
    tl_sep_header h;
    tl_exit e = TL_EXIT_OK;

    if (tl_decode_sep_header(&env, &r, &h) != TL_OK || h.stream != u->file->config.stream ||
        h.data_type != stream_file_pixel_type(u->file) || h.length != line ||
        body.n < TL_SEP_HEADER_SIZE + line)
        return e;
    if (!u->open || u->frame != h.frame)
        e = start(u, h.frame, fault);
    if (e == TL_EXIT_OK)
        e = frame_out_line(u->out, (uint8_t)h.data_type, (uint16_t)h.message,
                           tl_span_of(body.p + TL_SEP_HEADER_SIZE, line), fault);
    return e;
}

/* FSED: plain lines between a frame start and the next. */
static tl_exit take_plain(unverified *u, const tl_csi2_packet *p, tl_fault *fault)
{
    if (p->header.data_type == TL_DT_FRAME_START)
        return start(u, u->frame + 1, fault);
    if (!u->open || p->header.data_type != stream_file_pixel_type(u->file) ||
        p->payload.n != stream_file_line_bytes(u->file) || u->row >= u->file->height)
        return TL_EXIT_OK;
    return frame_out_line(u->out, p->header.data_type, (uint16_t)u->row++, p->payload, fault);
}

tl_exit unverified_packet(unverified *u, tl_span packet, tl_fault *fault)
{
    const tl_stream_config *c = &u->file->config;
    tl_csi2_packet p;

    tl_csi2_read(packet, &p);
    if (p.ecc == TL_CSI2_ECC_BAD || !p.crc_right || p.header.virtual_channel != c->virtual_channel)
        return TL_EXIT_OK;
    if (c->carrier == TL_CARRIER_FSED)
        return take_plain(u, &p, fault);
    return p.header.data_type == TL_SEP_WIRE_TYPE ? take_sep(u, p.payload, fault) : TL_EXIT_OK;
}

tl_exit unverified_end(unverified *u, tl_fault *fault)
{
    return finish(u, fault);
}
