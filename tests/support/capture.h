/* A frame's packets as an unaware CSI-2 receiver leaves them in memory, and that memory handed to a receiver of FSED.
 * Each plane is heap memory of exactly its size: a read past its end is noticed. */
#ifndef TL_TESTS_CAPTURE_H
#define TL_TESTS_CAPTURE_H

#include "dma.h"
#include "loop.h"

typedef struct tl_capture {
    tl_frame_plane planes[TL_DMA_PLANES];
    tl_frame_buffers frame;
    tl_dma_counters counters;
} tl_capture;

/* All of the packets, which are of one frame. A data type that the configuration does not name gets a plane too if it is
 * `stranger`; 0: none. */
void tl_capture_packets(tl_capture *capture, const tl_stream_config *c, const tl_packets *packets,
                        uint8_t stranger);
void tl_capture_free(tl_capture *capture);
/* The plane of a data type, or NULL; a row of it, and a row of the metadata. */
tl_frame_plane *tl_capture_plane(tl_capture *capture, uint8_t data_type);
uint8_t *tl_capture_row(tl_capture *capture, uint8_t data_type, uint32_t row);
/* Takes a row out; those behind it move up. Puts a copy of row `of` in front of row `at`. */
void tl_capture_drop(tl_frame_plane *plane, uint32_t row);
void tl_capture_repeat(tl_frame_plane *plane, uint32_t at, uint32_t of);
void tl_capture_swap(tl_frame_plane *plane, uint32_t a, uint32_t b);
/* True if the planes hold what the loop sent in that frame, in clear. */
bool tl_capture_is_frame(tl_capture *capture, const tl_stream_config *c, uint32_t frame);
/* A whole frame through capture and receiver: its verdict. The packets and events stay as they are. */
tl_verdict tl_capture_receive(tl_loop *l, const tl_packets *packets);

#endif
