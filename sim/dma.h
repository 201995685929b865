/* A CSI-2 receiver that knows nothing of protection, as hardware is: it checks ECC and checksum, and writes the payload
 * of each long packet to the next row of its data type's plane. A data type that it was given as metadata goes to a
 * plane of its own, as a V4L2 metadata node would have it. What it was not told about goes nowhere. */
#ifndef TL_SIM_DMA_H
#define TL_SIM_DMA_H

#include <trueline/csi2.h>
#include <trueline/frame.h>

enum { TL_DMA_PLANES = 8 };

/* Memory for the rows of one data type. */
typedef struct tl_dma_plane {
    uint8_t data_type;
    uint8_t *p;
    size_t stride;
    uint32_t room; /* rows */
} tl_dma_plane;

typedef struct tl_dma_counters {
    uint64_t packets;
    uint64_t ecc;      /* dropped: the header could not be read */
    uint64_t crc16;    /* written all the same, as hardware does; counted */
    uint64_t other;    /* dropped: another virtual channel, or a data type without a plane */
    uint64_t overflow; /* dropped: no row left, or a payload longer than a row */
    uint64_t outside;  /* dropped: before a frame start */
} tl_dma_counters;

typedef struct tl_dma {
    unsigned virtual_channel;
    tl_dma_plane image[TL_DMA_PLANES], metadata;
    size_t image_n;
    bool drop_bad; /* a line with a wrong checksum is not written */
    /* private */
    bool open;
    uint32_t rows[TL_DMA_PLANES], metadata_rows;
    tl_frame_plane planes[TL_DMA_PLANES];
    tl_dma_counters counters;
} tl_dma;

/* Takes a packet. True if the frame is complete: its frame end came, or the next frame start while it was open. The
 * frame's buffers are written then, as views that live until the next call. */
bool tl_dma_packet(tl_dma *dma, tl_span packet, tl_frame_buffers *frame);

#endif
