/* A frame on the wire, as whoever sits between the two ends sees it: packets in order, in copies of their own. */
#ifndef TL_SIM_WIRE_FRAME_H
#define TL_SIM_WIRE_FRAME_H

#include <trueline/stream.h>

/* Zero is an empty frame. `packets` can be handed to tl_stream_rx_packets as it is. */
typedef struct tl_wire_frame {
    tl_buffer *packets;
    size_t n;
    /* private */
    size_t room;
} tl_wire_frame;

/* Puts a copy of a packet in front of packet `at`; at == n appends. TL_E_ROOM without memory: nothing changed. */
tl_err tl_wire_insert(tl_wire_frame *frame, size_t at, tl_span packet) TL_MUST_USE;
/* The same with all packets of another frame, which is not this one. */
tl_err tl_wire_insert_all(tl_wire_frame *frame, size_t at, const tl_wire_frame *other) TL_MUST_USE;
/* Gives packet `at` another size; new bytes are zero. TL_E_ROOM as above. */
tl_err tl_wire_resize(tl_wire_frame *frame, size_t at, size_t n) TL_MUST_USE;
void tl_wire_remove(tl_wire_frame *frame, size_t at);
void tl_wire_swap(tl_wire_frame *frame, size_t a, size_t b);
/* Takes all packets out, and keeps the list's memory. */
void tl_wire_clear(tl_wire_frame *frame);
/* Gives everything back; the frame is empty then. */
void tl_wire_free(tl_wire_frame *frame);

static inline tl_span tl_wire_packet(const tl_wire_frame *frame, size_t at)
{
    return tl_span_of(frame->packets[at].p, frame->packets[at].n);
}

#endif
