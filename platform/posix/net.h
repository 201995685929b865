/* Stream sockets by name: HOST:PORT, always with a deadline. */
#ifndef TL_POSIX_NET_H
#define TL_POSIX_NET_H

#include "fault.h"

#include <stddef.h>
#include <stdint.h>

#define TL_NET_DEFAULT "127.0.0.1:4194"

/* Where to listen or to dial. */
typedef struct tl_address {
    char host[256];
    char port[6];
} tl_address;

/* Text of a socket's address: "127.0.0.1:4194", "[::1]:4194". */
typedef struct tl_net_name {
    char text[300];
} tl_net_name;

/* The address as it is written, IPv6 in brackets; gives text->text. */
const char *tl_address_text(const tl_address *a, tl_net_name *text);
/* Reads HOST:PORT, [V6]:PORT, HOST, :PORT; what is left out is 127.0.0.1 and 4194. TL_EXIT_USAGE. */
tl_exit tl_address_parse(const char *text, tl_address *address, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Listens; port 0 takes a free one, `name` says which. */
tl_exit tl_net_listen(const tl_address *address, int *fd, tl_net_name *name, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Waits for the next connection, up to the deadline: *fd is -1 when none came. */
tl_exit tl_net_accept(int listener, uint64_t deadline_ms, int *fd, tl_net_name *peer, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Dials, and dials again while the peer refuses, until the deadline. */
tl_exit tl_net_connect(const tl_address *address, uint64_t deadline_ms, int *fd, tl_net_name *peer,
                       tl_fault *fault) __attribute__((warn_unused_result));
/* Sends or receives exactly n bytes before the deadline. `what` names them in the fault. */
tl_exit tl_net_send(int fd, const uint8_t *p, size_t n, uint64_t deadline_ms, const char *what,
                    tl_fault *fault) __attribute__((warn_unused_result));
tl_exit tl_net_receive(int fd, uint8_t *p, size_t n, uint64_t deadline_ms, const char *what, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Closes so that what was sent still arrives: says that no more comes, then reads and drops what the peer sends until
 * it closes too, until the deadline, or until a signal. Unread input would turn the close into a reset. */
void tl_net_close(int fd, uint64_t deadline_ms);

#endif
