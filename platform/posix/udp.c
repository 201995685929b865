/* Datagrams in batches: sendmmsg and recvmmsg take many for one system call. A slot has one byte more than a packet may
 * have, so that one which is too long is noticed and not cut. The system counts what it had to drop for us, and tells the
 * number beside each datagram. */
#include "udp.h"
#include "clock.h"
#include "stop.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- sockets ---- */

static void name_of(int fd, int (*which)(int, struct sockaddr *, socklen_t *), tl_net_name *name)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (which(fd, (struct sockaddr *)&a, &n) != 0 ||
        getnameinfo((struct sockaddr *)&a, n, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV | NI_DGRAM) != 0)
        (void)snprintf(name->text, sizeof name->text, "(unknown)");
    else if (strchr(host, ':') != NULL)
        (void)snprintf(name->text, sizeof name->text, "[%.200s]:%.8s", host, port);
    else
        (void)snprintf(name->text, sizeof name->text, "%.200s:%.8s", host, port);
}

/* The first of the address's sockets that `use` (bind or connect) takes. */
static tl_exit open_socket(const tl_address *address, int flags,
                           int (*use)(int, const struct sockaddr *, socklen_t), int *fd, tl_fault *fault)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = flags };
    struct addrinfo *list, *a;
    int failed = getaddrinfo(address->host, address->port, &hints, &list);

    *fd = -1;
    if (failed != 0)
        return tl_fault_set(fault, TL_EXIT_LINK, "udp: %s: %s", tl_address_text(address, &(tl_net_name){ 0 }),
                            gai_strerror(failed));
    for (a = list; a != NULL && *fd < 0; a = a->ai_next) {
        *fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
        if (*fd >= 0 && use(*fd, a->ai_addr, a->ai_addrlen) == 0)
            break;
        failed = errno;
        if (*fd >= 0)
            close(*fd);
        *fd = -1;
    }
    freeaddrinfo(list);
    if (*fd >= 0)
        return TL_EXIT_OK;
    errno = failed;
    return tl_fault_errno(fault, TL_EXIT_LINK, "udp: %s", tl_address_text(address, &(tl_net_name){ 0 }));
}

tl_exit tl_udp_open_sender(const tl_address *to, int *fd, tl_net_name *name, tl_fault *fault)
{
    tl_exit e = open_socket(to, 0, connect, fd, fault);

    if (e == TL_EXIT_OK)
        name_of(*fd, getpeername, name);
    return e;
}

tl_exit tl_udp_open_receiver(const tl_address *at, size_t receive_buffer, int *fd, tl_net_name *name,
                             tl_fault *fault)
{
    int size = receive_buffer > 1 << 30 ? 1 << 30 : (int)receive_buffer, one = 1;
    tl_exit e = open_socket(at, AI_PASSIVE, bind, fd, fault);

    if (e != TL_EXIT_OK)
        return e;
    if ((size > 0 && setsockopt(*fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) != 0) ||
        setsockopt(*fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one) != 0) {
        e = tl_fault_errno(fault, TL_EXIT_INTERNAL, "udp: cannot set up the socket");
        close(*fd);
        *fd = -1;
        return e;
    }
    name_of(*fd, getsockname, name);
    return TL_EXIT_OK;
}

/* ---- sending ---- */

static tl_exit check_packets(const tl_span *packets, size_t n, tl_fault *fault)
{
    for (size_t i = 0; i < n; i++)
        if (packets[i].n < TL_LINK_PACKET_MIN || packets[i].n > TL_UDP_PACKET_MAX)
            return tl_fault_set(fault, TL_EXIT_USAGE,
                                "udp: packet %zu of %zu: %zu bytes: a datagram holds %d to %d", i + 1, n,
                                packets[i].n, TL_LINK_PACKET_MIN, TL_UDP_PACKET_MAX);
    return TL_EXIT_OK;
}

/* One system call. *sent: how many it took; 0: the caller waits. */
static tl_exit send_some(int fd, const tl_span *packets, size_t n, size_t *sent, uint64_t *unheard,
                         tl_fault *fault)
{
    struct mmsghdr m[TL_UDP_BATCH];
    struct iovec v[TL_UDP_BATCH];
    bool ready;
    int taken;

    n = n < TL_UDP_BATCH ? n : TL_UDP_BATCH;
    for (size_t i = 0; i < n; i++) {
        /* sendmmsg only reads; the interface of struct iovec does not say so. */
        v[i] = (struct iovec){ (uint8_t *)(uintptr_t)packets[i].p, packets[i].n };
        m[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &v[i], .msg_iovlen = 1 } };
    }
    *sent = 0;
    for (;;) {
        taken = sendmmsg(fd, m, (unsigned)n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (taken >= 0) {
            *sent = (size_t)taken;
            return TL_EXIT_OK;
        }
        if (errno == EAGAIN)
            return TL_EXIT_OK;
        if (errno == ENOBUFS) /* the device's queue is full, and poll does not know it */
            return tl_wait(-1, 0, tl_clock_ms() + 1, &ready, fault);
        if (errno == ECONNREFUSED) /* told of an earlier datagram; this one was not sent yet */
            ++*unheard;
        else if (errno != EINTR)
            return tl_fault_errno(fault, TL_EXIT_LINK, "udp: cannot send %zu bytes", packets[0].n);
    }
}

tl_exit tl_udp_write(int fd, const tl_span *packets, size_t n, uint64_t *unheard, tl_fault *fault)
{
    uint64_t deadline_ms = tl_clock_ms() + TL_LINK_PATIENCE_MS;
    tl_exit e = check_packets(packets, n, fault);

    for (size_t done = 0, sent; done < n && e == TL_EXIT_OK; done += sent) {
        bool ready;

        e = send_some(fd, packets + done, n - done, &sent, unheard, fault);
        if (e != TL_EXIT_OK || sent > 0)
            continue;
        e = tl_wait(fd, POLLOUT, deadline_ms, &ready, fault);
        if (e == TL_EXIT_OK && tl_clock_ms() >= deadline_ms)
            return tl_fault_set(fault, TL_EXIT_LINK, "udp: time-out: nothing could be sent for %d s",
                                TL_LINK_PATIENCE_MS / 1000);
    }
    return e;
}

/* ---- receiving ---- */

tl_exit tl_udp_reader_open(tl_udp_reader *reader, int fd, tl_buffer memory, size_t packet_max,
                           tl_fault *fault)
{
    size_t slot = packet_max + 1;

    *reader = (tl_udp_reader){ .fd = -1 };
    if (packet_max < TL_LINK_PACKET_MIN || packet_max > TL_UDP_PACKET_MAX || memory.n < slot)
        return tl_fault_set(fault, TL_EXIT_USAGE,
                            "udp: %zu bytes of memory for packets of up to %zu: give %d to %d, and room",
                            memory.n, packet_max, TL_LINK_PACKET_MIN, TL_UDP_PACKET_MAX);
    *reader = (tl_udp_reader){
        .fd = fd, .memory = memory.p, .slot = slot, .slots = memory.n / slot, .heard_ms = tl_clock_ms()
    };
    return TL_EXIT_OK;
}

/* What the system says that it had to drop, all in all, modulo 2^32. */
static void note_dropped(tl_udp_reader *reader, struct msghdr *m)
{
    uint32_t all;

    for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h))
        if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SO_RXQ_OVFL) {
            memcpy(&all, CMSG_DATA(h), sizeof all);
            reader->dropped += (uint32_t)(all - (uint32_t)reader->dropped);
        }
}

/* One system call. Datagrams that are no packets are dropped here. */
static tl_exit receive_some(tl_udp_reader *reader, tl_link_batch *batch, tl_fault *fault)
{
    struct mmsghdr m[TL_UDP_BATCH];
    struct iovec v[TL_UDP_BATCH];
    _Alignas(struct cmsghdr) char c[TL_UDP_BATCH][CMSG_SPACE(sizeof(uint32_t))];
    size_t n = reader->slots < batch->room ? reader->slots : batch->room;
    int got;

    n = n < TL_UDP_BATCH ? n : TL_UDP_BATCH;
    for (size_t i = 0; i < n; i++) {
        v[i] = (struct iovec){ reader->memory + i * reader->slot, reader->slot };
        m[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &v[i],
                                              .msg_iovlen = 1,
                                              .msg_control = c[i],
                                              .msg_controllen = sizeof c[i] } };
    }
    got = recvmmsg(reader->fd, m, (unsigned)n, MSG_DONTWAIT, NULL);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED
                   ? TL_EXIT_OK
                   : tl_fault_errno(fault, TL_EXIT_LINK, "udp: cannot receive");
    for (int i = 0; i < got; i++) {
        note_dropped(reader, &m[i].msg_hdr);
        if (m[i].msg_len < TL_LINK_PACKET_MIN || m[i].msg_len >= reader->slot) {
            reader->odd++;
            continue;
        }
        batch->packets[batch->n++] = (tl_buffer){ v[i].iov_base, m[i].msg_len };
        reader->packets++;
        reader->bytes += m[i].msg_len;
    }
    return TL_EXIT_OK;
}

tl_exit tl_udp_read(tl_udp_reader *reader, uint64_t deadline_ms, tl_link_batch *batch, tl_fault *fault)
{
    batch->n = 0;
    batch->state = TL_LINK_PACKETS;
    for (;;) {
        uint64_t now = tl_clock_ms(), due = reader->heard_ms + TL_LINK_PATIENCE_MS;
        bool ready;
        tl_exit e = receive_some(reader, batch, fault);

        if (e != TL_EXIT_OK)
            return e;
        if (batch->n > 0) {
            reader->heard_ms = now;
            return TL_EXIT_OK;
        }
        if (now >= due)
            return tl_fault_set(fault, TL_EXIT_LINK, "udp: packet %llu: time-out: nothing came for %d s",
                                (unsigned long long)reader->packets, TL_LINK_PATIENCE_MS / 1000);
        if (now >= deadline_ms) {
            batch->state = TL_LINK_QUIET;
            return TL_EXIT_OK;
        }
        e = tl_wait(reader->fd, POLLIN, deadline_ms < due ? deadline_ms : due, &ready, fault);
        if (e != TL_EXIT_OK)
            return e;
    }
}
