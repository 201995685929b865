#include "pcap_window.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1 << 18 };

void pcap_window_open(pcap_window *w, FILE *in, const char *name)
{
    *w = (pcap_window){ .in = in, .name = name };
}

void pcap_window_close(pcap_window *w)
{
    if (w->buffer != NULL)
        tl_wipe(w->buffer, w->most);
    free(w->buffer);
    *w = (pcap_window){ 0 };
}

/* Twice the room, or the first; realloc would leave what a capture holds of secrets. */
static tl_exit grow(pcap_window *w, tl_fault *fault)
{
    size_t room = w->room == 0 ? FIRST_ROOM : 2 * w->room;
    uint8_t *grown = malloc(room);

    if (grown == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "%.200s: offset %llu: no memory", w->name,
                            (unsigned long long)w->offset);
    if (w->buffer != NULL) {
        memcpy(grown, w->buffer, w->have);
        tl_wipe(w->buffer, w->most);
        free(w->buffer);
    }
    w->buffer = grown;
    w->room = room;
    w->most = w->have;
    return TL_EXIT_OK;
}

/* More bytes behind those that are there; what is left of these goes to the front first. */
static tl_exit fill(pcap_window *w, tl_fault *fault)
{
    size_t left = w->have - w->at;

    if (left == w->room) {
        tl_exit e = grow(w, fault);

        if (e != TL_EXIT_OK)
            return e;
    }
    if (w->at > 0 && left > 0)
        memmove(w->buffer, w->buffer + w->at, left);
    w->at = 0;
    w->have = left + fread(w->buffer + left, 1, w->room - left, w->in);
    w->ended = w->have < w->room;
    w->most = w->have > w->most ? w->have : w->most;
    if (ferror(w->in))
        return tl_fault_errno(fault, TL_EXIT_LINK, "%.200s: offset %llu", w->name,
                              (unsigned long long)(w->offset + left));
    return TL_EXIT_OK;
}

tl_exit pcap_window_look(pcap_window *w, size_t n, uint8_t **p, size_t *have, tl_fault *fault)
{
    while (w->have - w->at < n && !w->ended) {
        tl_exit e = fill(w, fault);

        if (e != TL_EXIT_OK)
            return e;
    }
    *p = w->buffer == NULL ? NULL : w->buffer + w->at;
    *have = w->have - w->at < n ? w->have - w->at : n;
    return TL_EXIT_OK;
}

void pcap_window_take(pcap_window *w, size_t n)
{
    w->at += n;
    w->offset += n;
}

tl_exit pcap_window_skip(pcap_window *w, uint64_t n, bool *whole, tl_fault *fault)
{
    *whole = true;
    while (n > 0 && *whole) {
        uint8_t *p;
        size_t step = n < FIRST_ROOM ? (size_t)n : FIRST_ROOM, have;
        tl_exit e = pcap_window_look(w, step, &p, &have, fault);

        if (e != TL_EXIT_OK)
            return e;
        pcap_window_take(w, have);
        *whole = have == step;
        n -= have;
    }
    return TL_EXIT_OK;
}
