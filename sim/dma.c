/* The unaware receiver. A frame start empties all planes; rows that no packet reaches keep what they held. */
#include "dma.h"

#include <string.h>

static void start(tl_dma *d)
{
    memset(d->rows, 0, sizeof d->rows);
    d->metadata_rows = 0;
    d->open = true;
}

static tl_frame_plane view(const tl_dma_plane *p, uint32_t rows)
{
    return (tl_frame_plane){
        .data_type = p->data_type, .p = p->p, .stride = p->stride, .row_bytes = p->stride, .rows = rows
    };
}

static void complete(tl_dma *d, tl_frame_buffers *frame)
{
    for (size_t i = 0; i < d->image_n; i++)
        d->planes[i] = view(&d->image[i], d->rows[i]);
    *frame = (tl_frame_buffers){ d->planes, d->image_n, view(&d->metadata, d->metadata_rows) };
    d->open = false;
}

static void write_row(tl_dma *d, const tl_dma_plane *plane, uint32_t *rows, tl_span payload)
{
    if (*rows >= plane->room || payload.n > plane->stride) {
        d->counters.overflow++;
        return;
    }
    if (payload.n > 0)
        memcpy(plane->p + *rows * plane->stride, payload.p, payload.n);
    ++*rows;
}

static void take_long(tl_dma *d, const tl_csi2_packet *p)
{
    if (!d->open) {
        d->counters.outside++;
        return;
    }
    if (!p->crc_right) {
        d->counters.crc16++;
        if (d->drop_bad)
            return;
    }
    if (d->metadata.p != NULL && p->header.data_type == d->metadata.data_type) {
        write_row(d, &d->metadata, &d->metadata_rows, p->payload);
        return;
    }
    for (size_t i = 0; i < d->image_n; i++)
        if (p->header.data_type == d->image[i].data_type) {
            write_row(d, &d->image[i], &d->rows[i], p->payload);
            return;
        }
    d->counters.other++;
}

bool tl_dma_packet(tl_dma *d, tl_span packet, tl_frame_buffers *frame)
{
    bool done = false;
    tl_csi2_packet p;

    d->counters.packets++;
    tl_csi2_read(packet, &p);
    if (p.ecc == TL_CSI2_ECC_BAD) {
        d->counters.ecc++;
    } else if (p.header.virtual_channel != d->virtual_channel) {
        d->counters.other++;
    } else if (p.header.data_type == TL_DT_FRAME_START) {
        done = d->open;
        if (done)
            complete(d, frame);
        start(d);
    } else if (p.header.data_type == TL_DT_FRAME_END) {
        done = d->open;
        if (done)
            complete(d, frame);
    } else if (!tl_csi2_is_short(p.header.data_type)) {
        take_long(d, &p);
    }
    return done;
}
