/* Planes for every data type of a stream and one for its metadata, and what becomes of the frames in them. Rows are as far
 * apart as hardware would put them. */
#include "capture.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64, TAG_AND_CRC32 = 20, AROUND_LISTS = 4 * TL_SEP_SERVICE_MAX, SPARE_ROWS = 8 };

static size_t stride_of(size_t length)
{
    return (length + ALIGN - 1) / ALIGN * ALIGN;
}

/* The plane of a data type; a new one if there is none yet. */
static tl_dma_plane *plane_of(tl_dma *dma, uint8_t data_type)
{
    for (size_t i = 0; i < dma->image_n; i++)
        if (dma->image[i].data_type == data_type)
            return &dma->image[i];
    dma->image[dma->image_n].data_type = data_type;
    return &dma->image[dma->image_n++];
}

/* Rows and their lengths, without memory; gives the longest line. */
static size_t lay_out(tl_dma *dma, const tl_stream_config *config)
{
    size_t longest = 0;

    for (unsigned i = 0; i < config->part_count; i++) {
        const tl_stream_part *part = &config->parts[i];
        tl_dma_plane *plane = plane_of(dma, part->data_type);

        plane->room += part->count;
        if (stride_of(part->length) > plane->stride)
            plane->stride = stride_of(part->length);
        if (part->length > longest)
            longest = part->length;
    }
    return longest;
}

static tl_buffer take(size_t n)
{
    return (tl_buffer){ malloc(n), n };
}

/* Pixels that were encrypted stand there in clear. */
static void give_back(tl_buffer *memory)
{
    if (memory->p != NULL)
        tl_wipe(memory->p, memory->n);
    free(memory->p);
    *memory = (tl_buffer){ NULL, 0 };
}

tl_exit capture_open(capture *c, const tl_stream_config *config, tl_fault *fault)
{
    size_t longest, size = 0, lists = (size_t)tl_stream_frame_messages(config) * TAG_AND_CRC32 + AROUND_LISTS;
    uint8_t *at;

    *c = (capture){ .config = config, .dma = { .virtual_channel = config->virtual_channel } };
    longest = lay_out(&c->dma, config);
    c->dma.metadata =
        (tl_dma_plane){ .data_type = TL_FSED_WIRE_TYPE,
                        .stride = stride_of(longest + ALIGN),
                        .room = (uint32_t)(lists / (longest < ALIGN ? 1 : longest / 2) + SPARE_ROWS) };
    for (size_t i = 0; i < c->dma.image_n; i++)
        size += c->dma.image[i].stride * c->dma.image[i].room;
    size += c->dma.metadata.stride * c->dma.metadata.room;
    c->memory = take(size);
    c->payload = take(tl_stream_frame_bytes(config));
    if (c->memory.p == NULL || c->payload.p == NULL) {
        capture_close(c);
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "controller: no memory for a frame of %zu bytes", size);
    }
    at = c->memory.p;
    for (size_t i = 0; i < c->dma.image_n; i++) {
        c->dma.image[i].p = at;
        at += c->dma.image[i].stride * c->dma.image[i].room;
    }
    c->dma.metadata.p = at;
    return TL_EXIT_OK;
}

void capture_close(capture *c)
{
    give_back(&c->memory);
    give_back(&c->payload);
}

bool capture_packet(capture *c, tl_span packet, tl_frame_buffers *frame)
{
    return tl_dma_packet(&c->dma, packet, frame);
}

tl_err capture_packets(capture *c, tl_stream_rx *rx, uint64_t now_ms, const tl_buffer *packets, size_t n)
{
    tl_frame_buffers frame;
    tl_verdict verdict;
    tl_err e = TL_OK, one;

    for (size_t i = 0; i < n; i++) {
        if (!capture_packet(c, tl_span_of(packets[i].p, packets[i].n), &frame))
            continue;
        one = tl_stream_rx_frame(rx, now_ms, &frame, &verdict);
        if (e == TL_OK)
            e = one;
    }
    return e;
}

tl_span capture_payload(capture *c)
{
    uint32_t next[TL_DMA_PLANES] = { 0 };
    uint8_t *to = c->payload.p;

    for (unsigned i = 0; i < c->config->part_count; i++) {
        const tl_stream_part *part = &c->config->parts[i];
        const tl_dma_plane *plane = plane_of(&c->dma, part->data_type);
        uint32_t *row = &next[plane - c->dma.image];

        for (unsigned line = 0; line < part->count; line++, to += part->length)
            memcpy(to, plane->p + plane->stride * (*row)++, part->length);
    }
    return tl_span_of(c->payload.p, (size_t)(to - c->payload.p));
}
