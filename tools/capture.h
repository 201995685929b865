/* The receiving end for carrier FSED: packets are written to memory by a CSI-2 receiver that knows nothing of protection,
 * and each whole frame is verified there. */
#ifndef TL_TOOLS_CAPTURE_H
#define TL_TOOLS_CAPTURE_H

#include "dma.h"
#include "fault.h"

#include <trueline/stream.h>

typedef struct capture {
    /* private */
    tl_dma dma;
    const tl_stream_config *config;
    tl_buffer memory;  /* of all planes */
    tl_buffer payload; /* the parts' payloads one after the other */
} capture;

/* Memory for one frame of the configuration, which must outlive the capture. TL_EXIT_INTERNAL. */
tl_exit capture_open(capture *c, const tl_stream_config *config, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Takes n packets; whole frames among them go to rx, whose sink is told. */
tl_err capture_packets(capture *c, tl_stream_rx *rx, uint64_t now_ms, const tl_buffer *packets,
                       size_t n) TL_MUST_USE;
/* Takes a packet. True if a frame is complete, which is the caller's to hand on before the next call. */
bool capture_packet(capture *c, tl_span packet, tl_frame_buffers *frame);
/* Inside the event of a frame that is ok: its parts' payloads one after the other, until the next call. */
tl_span capture_payload(capture *c);
/* Wipes the pixels, and gives the memory back. */
void capture_close(capture *c);

#endif
