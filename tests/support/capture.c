/* Captures: packets through the simulated receiver into scratch planes, and from there into planes of exact size. */
#include "capture.h"

#include <stdlib.h>
#include <string.h>

enum { GAP = 5 }; /* bytes between rows */

static void *get(size_t n)
{
    void *p = malloc(n > 0 ? n : 1);

    if (p == NULL)
        abort();
    memset(p, 0xC7, n);
    return p;
}

/* The longest line of a data type; of a stranger, of all. */
static size_t length_of(const tl_stream_config *c, uint8_t data_type)
{
    size_t length = 0, all = 0;

    for (unsigned i = 0; i < c->part_count; i++) {
        all = c->parts[i].length > all ? c->parts[i].length : all;
        if (c->parts[i].data_type == data_type && c->parts[i].length > length)
            length = c->parts[i].length;
    }
    return length > 0 ? length : all;
}

static tl_dma_plane scratch(const tl_packets *packets, uint8_t data_type, size_t length)
{
    tl_dma_plane p = { data_type, NULL, length, (uint32_t)packets->n };

    p.p = get(p.room * p.stride);
    return p;
}

/* The rows as they came, in memory that ends with the last one. */
static tl_frame_plane exact(const tl_frame_plane *from)
{
    tl_frame_plane to = *from;

    to.stride = from->row_bytes + GAP;
    to.p = get(to.rows > 0 ? (to.rows - 1) * to.stride + to.row_bytes : 0);
    for (uint32_t i = 0; i < to.rows; i++)
        memcpy(to.p + i * to.stride, from->p + i * from->stride, to.row_bytes);
    return to;
}

void tl_capture_packets(tl_capture *capture, const tl_stream_config *c, const tl_packets *packets,
                        uint8_t stranger)
{
    tl_dma dma = { .virtual_channel = c->virtual_channel };
    tl_frame_buffers frame = { 0 };
    size_t longest = 0;
    bool done = false;

    *capture = (tl_capture){ 0 };
    for (unsigned i = 0; i <= c->part_count; i++) {
        uint8_t type = i < c->part_count ? c->parts[i].data_type : stranger;
        bool known = type == 0;
        for (size_t k = 0; k < dma.image_n; k++)
            known = known || dma.image[k].data_type == type;
        if (!known)
            dma.image[dma.image_n++] = scratch(packets, type, length_of(c, type));
    }
    for (size_t i = 0; i < packets->n; i++)
        if (packets->v[i].n > longest)
            longest = packets->v[i].n;
    dma.metadata = scratch(packets, TL_FSED_WIRE_TYPE, longest);
    for (size_t i = 0; i < packets->n && !done; i++)
        done = tl_dma_packet(&dma, tl_span_of(packets->v[i].p, packets->v[i].n), &frame);
    if (!done)
        abort();
    frame.metadata.row_bytes -= TL_CSI2_HEADER_SIZE + TL_CSI2_FOOTER_SIZE;
    capture->frame = (tl_frame_buffers){ capture->planes, frame.plane_count, exact(&frame.metadata) };
    for (size_t i = 0; i < frame.plane_count; i++) {
        capture->planes[i] = exact(&frame.planes[i]);
        free(frame.planes[i].p);
    }
    free(dma.metadata.p);
    capture->counters = dma.counters;
}

void tl_capture_free(tl_capture *capture)
{
    for (size_t i = 0; i < capture->frame.plane_count; i++)
        free(capture->planes[i].p);
    free(capture->frame.metadata.p);
    *capture = (tl_capture){ 0 };
}

tl_frame_plane *tl_capture_plane(tl_capture *capture, uint8_t data_type)
{
    for (size_t i = 0; i < capture->frame.plane_count; i++)
        if (capture->planes[i].data_type == data_type)
            return &capture->planes[i];
    return NULL;
}

static uint8_t *row_of(const tl_frame_plane *plane, uint32_t row)
{
    return plane->p + row * plane->stride;
}

uint8_t *tl_capture_row(tl_capture *capture, uint8_t data_type, uint32_t row)
{
    return row_of(tl_capture_plane(capture, data_type), row);
}

void tl_capture_drop(tl_frame_plane *plane, uint32_t row)
{
    for (plane->rows--; row < plane->rows; row++)
        memcpy(row_of(plane, row), row_of(plane, row + 1), plane->row_bytes);
}

void tl_capture_repeat(tl_frame_plane *plane, uint32_t at, uint32_t of)
{
    tl_frame_plane more = *plane;

    more.rows++;
    more.p = get(plane->rows * more.stride + more.row_bytes);
    for (uint32_t i = 0; i < more.rows; i++)
        memcpy(row_of(&more, i), row_of(plane, i < at ? i : i == at ? of : i - 1), more.row_bytes);
    free(plane->p);
    *plane = more;
}

void tl_capture_swap(tl_frame_plane *plane, uint32_t a, uint32_t b)
{
    for (size_t i = 0; i < plane->row_bytes; i++) {
        uint8_t kept = row_of(plane, a)[i];
        row_of(plane, a)[i] = row_of(plane, b)[i];
        row_of(plane, b)[i] = kept;
    }
}

bool tl_capture_is_frame(tl_capture *capture, const tl_stream_config *c, uint32_t frame)
{
    uint32_t rows[64] = { 0 };
    uint8_t payload[256];

    for (unsigned part = 0; part < c->part_count; part++)
        for (uint32_t row = 0; row < c->parts[part].count; row++) {
            tl_loop_payload(c, frame, part, row, payload);
            if (memcmp(tl_capture_row(capture, c->parts[part].data_type, rows[c->parts[part].data_type]++),
                       payload, c->parts[part].length) != 0)
                return false;
        }
    return true;
}

tl_verdict tl_capture_receive(tl_loop *l, const tl_packets *packets)
{
    tl_verdict verdict;
    tl_capture capture;

    tl_capture_packets(&capture, &l->rx_config, packets, 0);
    if (tl_stream_rx_frame(&l->rx, l->now_ms, &capture.frame, &verdict) != TL_OK)
        abort();
    tl_capture_free(&capture);
    return verdict;
}
