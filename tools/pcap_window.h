/* A file as it is read: a window of bytes that moves on. */
#ifndef TL_TOOLS_PCAP_WINDOW_H
#define TL_TOOLS_PCAP_WINDOW_H

#include "fault.h"

#include <trueline/base.h>

#include <stdio.h>

typedef struct pcap_window {
    uint64_t offset; /* of the next byte in the file */
    const char *name;
    /* private */
    FILE *in;
    uint8_t *buffer;
    size_t at, have, room;
    size_t most; /* that it ever had */
    bool ended;
} pcap_window;

void pcap_window_open(pcap_window *w, FILE *in, const char *name);
/* The next n bytes, which stay next; *have is less than n where the file ends before. They live until the next call. The
 * buffer grows as bytes arrive, never by what is asked for. TL_EXIT_LINK: cannot be read; TL_EXIT_INTERNAL: no memory. */
tl_exit pcap_window_look(pcap_window *w, size_t n, uint8_t **p, size_t *have, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Goes on by n bytes, of which no more may be than were looked at. */
void pcap_window_take(pcap_window *w, size_t n);
/* Goes on by n bytes that nobody wants; *whole = false: there were not so many. */
tl_exit pcap_window_skip(pcap_window *w, uint64_t n, bool *whole, tl_fault *fault)
    __attribute__((warn_unused_result));
void pcap_window_close(pcap_window *w);

#endif
