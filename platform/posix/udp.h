/* CSI-2 packets over UDP: one packet, one datagram, nothing around it. Nobody answers, nothing is sent again: what is lost,
 * comes twice or out of order is for the receiver's verdicts. */
#ifndef TL_POSIX_UDP_H
#define TL_POSIX_UDP_H

#include "link.h"
#include "net.h"

enum {
    TL_UDP_PACKET_MAX = 65507, /* bytes of a datagram over IPv4: 28 less than an IP packet has */
    TL_UDP_BATCH = 64          /* datagrams of one system call */
};

/* Sockets for sending and for receiving. HOST is 127.0.0.1 where an address names none. A port of 0 takes a free one; `name`
 * says which. receive_buffer: bytes that the system is asked to hold for us (it may give less); 0: its default. */
tl_exit tl_udp_open_sender(const tl_address *to, int *fd, tl_net_name *name, tl_fault *fault)
    __attribute__((warn_unused_result));
tl_exit tl_udp_open_receiver(const tl_address *at, size_t receive_buffer, int *fd, tl_net_name *name,
                             tl_fault *fault) __attribute__((warn_unused_result));

/* Sends n packets, in order. TL_EXIT_USAGE: a packet that no datagram holds, by its number and size; nothing was sent then.
 * TL_EXIT_LINK: the system took none for TL_LINK_PATIENCE_MS. That nobody listens is no fault: *unheard counts how often
 * the system said so. */
tl_exit tl_udp_write(int fd, const tl_span *packets, size_t n, uint64_t *unheard, tl_fault *fault)
    __attribute__((warn_unused_result));

/* The receiving end. Each datagram goes into a slot of the caller's memory. */
typedef struct tl_udp_reader {
    /* private */
    int fd;
    uint8_t *memory;
    size_t slot, slots; /* bytes of one, and how many */
    uint64_t heard_ms;
    /* to be read */
    uint64_t packets, bytes;
    uint64_t odd; /* datagrams that were dropped: under 4 bytes, or longer than a slot */
    uint64_t
        dropped; /* by the system, since its buffer was full; as far as the datagrams that came tell it */
} tl_udp_reader;

/* Divides the memory into slots for packets of up to packet_max bytes. The descriptor and the memory stay the caller's; it
 * wipes the memory, which may hold decrypted pixels. TL_EXIT_USAGE: no room for one. */
tl_exit tl_udp_reader_open(tl_udp_reader *reader, int fd, tl_buffer memory, size_t packet_max,
                           tl_fault *fault) __attribute__((warn_unused_result));
/* As tl_link_read: waits for the first packet until deadline_ms, gives what is there, at most batch->room, the number of slots
 * and TL_UDP_BATCH. They live until the next call. There is no CLOSED: TL_EXIT_LINK if nothing came for
 * TL_LINK_PATIENCE_MS. */
tl_exit tl_udp_read(tl_udp_reader *reader, uint64_t deadline_ms, tl_link_batch *batch, tl_fault *fault)
    __attribute__((warn_unused_result));

#endif
