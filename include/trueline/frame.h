/* Whole frames in memory, as a CSI-2 receiver that knows nothing of protection leaves them there: a plane of rows for
 * each data type, and one more for the packets that hold headers and tags (FSED). */
#ifndef TRUELINE_FRAME_H
#define TRUELINE_FRAME_H

#include <trueline/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The rows of one data type, in the caller's memory: writable, and nobody else's while a call works on it. Row n stands at
 * p + n * stride; the last one needs its row_bytes alone. A row shorter than the stream's lines did not come whole, and
 * counts as missing; what stands behind a line in its row is not looked at. */
typedef struct tl_frame_plane {
    uint8_t data_type; /* of a metadata plane: not looked at */
    uint8_t *p;        /* the first row */
    size_t stride;     /* bytes from one row to the next */
    size_t row_bytes;  /* bytes that may be read of each row, from its start on */
    uint32_t rows;     /* rows that came; with `present`, rows of the plane */
    /* NULL: rows stand in the order in which they came, and nobody knows which are missing. Else each has its place, and
     * bit n % 8 of byte n / 8 says whether row n was written. */
    const uint8_t *present;
} tl_frame_plane;

/* What a capture hands over for one frame. */
typedef struct tl_frame_buffers {
    const tl_frame_plane
        *planes; /* one for each data type that came; a second one of a type is not looked at */
    size_t plane_count;
    tl_frame_plane metadata; /* rows as they came, each the payload of a metadata packet */
} tl_frame_buffers;

/* Turns up to three runs of bytes, one after the other, into metadata packets of equal length, the last one padded. */
typedef struct tl_fsed_writer {
    /* private */
    tl_span pieces[3];
    size_t done, total; /* bytes of all pieces */
    tl_span around[2];  /* packets in front of the first one, and behind the last; may be empty */
    uint8_t *packet;    /* the caller's memory of one packet */
    uint16_t length;    /* payload bytes of a packet */
    uint16_t stream;
    uint8_t position, virtual_channel, step;
} tl_fsed_writer;

#ifdef __cplusplus
}
#endif

#endif
