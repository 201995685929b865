/* The list of packets behind tl_wire_frame. Each packet is an allocation of its exact size, so that a sanitizer sees a
 * receiver that reads one byte too many. */
#include "wire_frame.h"

#include <stdlib.h>
#include <string.h>

static tl_err grow(tl_wire_frame *frame)
{
    size_t room = frame->room == 0 ? 64 : 2 * frame->room;
    tl_buffer *packets;

    if (frame->n < frame->room)
        return TL_OK;
    packets = realloc(frame->packets, room * sizeof *packets);
    if (packets == NULL)
        return TL_E_ROOM;
    frame->packets = packets;
    frame->room = room;
    return TL_OK;
}

tl_err tl_wire_insert(tl_wire_frame *frame, size_t at, tl_span packet)
{
    uint8_t *copy;

    if (at > frame->n || packet.n == 0)
        return TL_E_USAGE;
    TL_TRY(grow(frame));
    copy = malloc(packet.n);
    if (copy == NULL)
        return TL_E_ROOM;
    memcpy(copy, packet.p, packet.n);
    memmove(frame->packets + at + 1, frame->packets + at, (frame->n - at) * sizeof *frame->packets);
    frame->packets[at] = (tl_buffer){ copy, packet.n };
    frame->n++;
    return TL_OK;
}

tl_err tl_wire_insert_all(tl_wire_frame *frame, size_t at, const tl_wire_frame *other)
{
    for (size_t i = 0; i < other->n; i++)
        TL_TRY(tl_wire_insert(frame, at + i, tl_wire_packet(other, i)));
    return TL_OK;
}

tl_err tl_wire_resize(tl_wire_frame *frame, size_t at, size_t n)
{
    tl_buffer *packet = &frame->packets[at];
    uint8_t *p;

    if (at >= frame->n || n == 0)
        return TL_E_USAGE;
    p = realloc(packet->p, n);
    if (p == NULL)
        return TL_E_ROOM;
    if (n > packet->n)
        memset(p + packet->n, 0, n - packet->n);
    packet->p = p;
    packet->n = n;
    return TL_OK;
}

void tl_wire_remove(tl_wire_frame *frame, size_t at)
{
    free(frame->packets[at].p);
    frame->n--;
    memmove(frame->packets + at, frame->packets + at + 1, (frame->n - at) * sizeof *frame->packets);
}

void tl_wire_swap(tl_wire_frame *frame, size_t a, size_t b)
{
    tl_buffer packet = frame->packets[a];

    frame->packets[a] = frame->packets[b];
    frame->packets[b] = packet;
}

void tl_wire_clear(tl_wire_frame *frame)
{
    for (size_t i = 0; i < frame->n; i++)
        free(frame->packets[i].p);
    frame->n = 0;
}

void tl_wire_free(tl_wire_frame *frame)
{
    tl_wire_clear(frame);
    free(frame->packets);
    *frame = (tl_wire_frame){ 0 };
}
