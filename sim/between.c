/* Aggregators and bridges: packets come in, and leave at once or when their frame is whole. */
#include "nodes.h"

#include <trueline/messages.h>

#include <stdlib.h>
#include <string.h>

void tl_describe_csi2(const tl_parcel *parcel, char *text, size_t room)
{
    static const tl_env env;
    tl_sep_header h;
    tl_csi2_packet p;
    tl_rd r;

    tl_csi2_read_header(tl_span_of(parcel->p, parcel->n), &p);
    r = tl_rd_of(p.payload);
    if (p.ecc == TL_CSI2_ECC_BAD)
        (void)snprintf(text, room, "unreadable header");
    else if (tl_csi2_is_short(p.header.data_type) ||
             tl_stream_of_packet(tl_span_of(parcel->p, parcel->n)) == 0 ||
             tl_decode_sep_header(&env, &r, &h) != TL_OK)
        (void)snprintf(text, room, "VC %u %s", p.header.virtual_channel,
                       tl_data_type_text(p.header.data_type));
    else
        (void)snprintf(text, room, "VC %u %s stream 0x%04x frame %u message %u", p.header.virtual_channel,
                       tl_data_type_text(h.data_type), (unsigned)h.stream, (unsigned)h.frame,
                       (unsigned)h.message);
}

/* ---- aggregator ---- */

static void aggregate(void *ctx, const tl_parcel *parcel)
{
    tl_sim_input *in = ctx;
    tl_note note = parcel->note;
    tl_csi2_header h;
    tl_wr w = tl_wr_of(parcel->p, TL_CSI2_HEADER_SIZE);
    tl_parcel out = *parcel;

    if (parcel->n < TL_CSI2_HEADER_SIZE || tl_csi2_header_read(parcel->p, &h) == TL_CSI2_ECC_BAD)
        return;
    h.virtual_channel = in->channels[h.virtual_channel];
    note.virtual_channel = in->channels[note.virtual_channel];
    if (tl_csi2_header_write(&h, &w) != TL_OK)
        return;
    out.note = note;
    tl_hop_pass_on(in->aggregator->out, &out);
}

void tl_sim_aggregator_input(tl_sim_aggregator *a, tl_hop *in, uint8_t channel)
{
    tl_sim_input *input = &a->inputs[a->n++];

    input->aggregator = a;
    memset(input->channels, channel, sizeof input->channels);
    in->ctx = input;
    in->take = aggregate;
    in->describe = tl_describe_csi2;
}

/* ---- bridge ---- */

static bool is_frame_end(const tl_parcel *parcel)
{
    tl_csi2_packet p;

    tl_csi2_read_header(tl_span_of(parcel->p, parcel->n), &p);
    return p.ecc != TL_CSI2_ECC_BAD && p.header.data_type == TL_DT_FRAME_END;
}

static void convert(void *ctx, const tl_parcel *parcel)
{
    tl_sim_bridge *b = ctx;
    tl_parcel out = { .note = parcel->note };
    const bool ends = is_frame_end(parcel);
    tl_csi2_packet p;
    tl_span packet;

    b->taint |= parcel->fate;
    out.fate = out.told = b->taint;
    tl_bridge_packet(&b->bridge, (tl_buffer){ parcel->p, parcel->n });
    while (tl_bridge_next(&b->bridge, &packet)) {
        tl_csi2_read_header(packet, &p);
        out.note.data_type = p.header.data_type;
        out.note.virtual_channel = p.header.virtual_channel;
        out.note.word_count = p.header.word_count;
        out.note.digest = tl_note_digest(p.payload);
        out.p = (uint8_t *)(uintptr_t)packet.p;
        out.n = packet.n;
        tl_hop_pass_on(b->out, &out);
    }
    if (ends)
        b->taint = 0;
}

tl_err tl_sim_bridge_open(tl_sim_bridge *b, const tl_stream_config *config, tl_bridge_way way, tl_hop *in)
{
    const size_t n = tl_bridge_memory(config, way);

    b->memory = tl_world_get(n);
    in->ctx = b;
    in->take = convert;
    in->describe = tl_describe_csi2;
    return tl_bridge_init(&b->bridge, config, way, config->virtual_channel, (tl_buffer){ b->memory, n });
}

void tl_sim_bridge_close(tl_sim_bridge *b)
{
    free(b->memory);
    b->memory = NULL;
}
