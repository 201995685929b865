/* Frames on their way out of a sensor: samples in memory become protected packets on their way out. */
#ifndef TL_TOOLS_FRAME_SENDER_H
#define TL_TOOLS_FRAME_SENDER_H

#include "fault.h"
#include "stream_file.h"
#include "way.h"

typedef struct frame_sender {
    uint64_t bytes; /* written, a prefix to each packet included */
    /* private */
    const stream_file *file;
    uint8_t *buffers;   /* a batch of packets of `stride` bytes */
    tl_buffer metadata; /* carrier FSED: of tags and CRC-32s, until the frame's end */
    size_t stride;
} frame_sender;

/* A frame to send: its number as the embedded data lines tell it, and width * height Bayer samples. */
typedef struct sensor_frame {
    uint32_t number;
    const uint16_t *samples;
} sensor_frame;

/* The file must outlive the sender. TL_EXIT_INTERNAL without memory. */
tl_exit frame_sender_open(frame_sender *s, const stream_file *file, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Packs, protects and sends a frame, from frame start to frame end; tx is of the file's configuration. After a fault
 * the connection can only be given up. TL_EXIT_LINK: the peer, or the key is used up; TL_EXIT_STOPPED,
 * TL_EXIT_INTERNAL. */
tl_exit frame_sender_send(frame_sender *s, tl_stream_tx *tx, way_out *out, sensor_frame frame,
                          tl_fault *fault) __attribute__((warn_unused_result));
void frame_sender_close(frame_sender *s);

#endif
