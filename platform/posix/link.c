/* The data connection. The reader receives in chunks as large as its one buffer has room for and hands out packets
 * where they stand; only the rest of a packet that is not complete yet is ever moved, to the buffer's front, and
 * only when everything before it was handed out. The writer gathers lengths and packets with sendmsg. */
#include "link.h"
#include "clock.h"
#include "net.h"
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

tl_exit tl_link_reader_open(tl_link_reader *link, int fd, tl_fault *fault)
{
    *link = (tl_link_reader){ .fd = fd, .partial_ms = TL_NEVER, .heard_ms = tl_clock_ms() };
    link->buffer = malloc(TL_LINK_BUFFER);
    if (link->buffer == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "link: no memory for the receive buffer");
    return TL_EXIT_OK;
}

void tl_link_reader_close(tl_link_reader *link)
{
    if (link->buffer != NULL)
        tl_wipe(link->buffer, link->used);
    free(link->buffer);
    *link = (tl_link_reader){ .fd = -1 };
}

/* Hands out what is complete. */
static tl_exit hand_out(tl_link_reader *link, tl_link_batch *batch, tl_fault *fault)
{
    while (batch->n < batch->room && link->end - link->start >= TL_LINK_PREFIX) {
        tl_rd r = tl_rd_of(tl_span_of(link->buffer + link->start, TL_LINK_PREFIX));
        size_t size = (size_t)tl_get(&r, TL_LINK_PREFIX, TL_LITTLE);

        if (size < TL_LINK_PACKET_MIN || size > TL_CSI2_PACKET_MAX) {
            if (batch->n > 0) /* first what came before it; the next call names it */
                break;
            return tl_fault_set(
                fault, TL_EXIT_LINK,
                "link: packet %llu: a length of %zu bytes, allowed are %d to %d: this is no packet stream",
                (unsigned long long)link->packets, size, TL_LINK_PACKET_MIN, TL_CSI2_PACKET_MAX);
        }
        if (link->end - link->start - TL_LINK_PREFIX < size)
            break;
        batch->packets[batch->n++] = (tl_buffer){ link->buffer + link->start + TL_LINK_PREFIX, size };
        link->start += TL_LINK_PREFIX + size;
        link->packets++;
    }
    return TL_EXIT_OK;
}

/* Receives one chunk behind what is there. */
static tl_exit receive(tl_link_reader *link, tl_fault *fault)
{
    ssize_t got;

    if (link->start > 0) {
        memmove(link->buffer, link->buffer + link->start, link->end - link->start);
        link->end -= link->start;
        link->start = 0;
    }
    got = recv(link->fd, link->buffer + link->end, TL_LINK_BUFFER - link->end, MSG_DONTWAIT);
    if (got < 0) {
        if (errno == EAGAIN || errno == EINTR)
            return TL_EXIT_OK;
        return tl_fault_errno(fault, TL_EXIT_LINK, "link: packet %llu", (unsigned long long)link->packets);
    }
    if (got == 0) {
        link->closed = true;
        if (link->end > 0)
            return tl_fault_set(fault, TL_EXIT_LINK,
                                "link: packet %llu: the peer closed the connection inside it",
                                (unsigned long long)link->packets);
        return TL_EXIT_OK;
    }
    if (link->end == 0)
        link->partial_ms = tl_clock_ms();
    link->end += (size_t)got;
    if (link->used < link->end)
        link->used = link->end;
    link->bytes += (uint64_t)got;
    return TL_EXIT_OK;
}

/* Waits for bytes until the caller's deadline or the end of patience. *quiet: the caller's deadline came first. */
static tl_exit wait_for_bytes(tl_link_reader *link, uint64_t deadline_ms, bool *quiet, tl_fault *fault)
{
    bool partial = link->end > link->start, ready;
    uint64_t from = partial ? link->partial_ms : link->heard_ms;
    uint64_t due = from + TL_LINK_PATIENCE_MS;
    tl_exit e = tl_wait(link->fd, POLLIN, deadline_ms < due ? deadline_ms : due, &ready, fault);

    *quiet = false;
    if (e != TL_EXIT_OK || (ready && !(partial && tl_clock_ms() >= due)))
        return e;
    if (tl_clock_ms() < due) {
        *quiet = true;
        return TL_EXIT_OK;
    }
    if (partial)
        return tl_fault_set(
            fault, TL_EXIT_LINK, "link: packet %llu: time-out: incomplete for %d s, %zu bytes came",
            (unsigned long long)link->packets, TL_LINK_PATIENCE_MS / 1000, link->end - link->start);
    return tl_fault_set(fault, TL_EXIT_LINK, "link: packet %llu: time-out: nothing came for %d s",
                        (unsigned long long)link->packets, TL_LINK_PATIENCE_MS / 1000);
}

tl_exit tl_link_read(tl_link_reader *link, uint64_t deadline_ms, tl_link_batch *batch, tl_fault *fault)
{
    batch->n = 0;
    batch->state = TL_LINK_PACKETS;
    for (;;) {
        bool quiet;
        tl_exit e = hand_out(link, batch, fault);

        if (e != TL_EXIT_OK)
            return e;
        if (batch->n > 0) {
            link->heard_ms = tl_clock_ms();
            link->partial_ms = link->heard_ms; /* a rest behind these packets came with them or after them */
            return TL_EXIT_OK;
        }
        e = wait_for_bytes(link, deadline_ms, &quiet, fault);
        if (e != TL_EXIT_OK)
            return e;
        if (quiet) {
            batch->state = TL_LINK_QUIET;
            return TL_EXIT_OK;
        }
        e = receive(link, fault);
        if (e != TL_EXIT_OK)
            return e;
        if (link->closed) {
            batch->state = TL_LINK_CLOSED;
            return TL_EXIT_OK;
        }
    }
}

bool tl_link_ends_frame(const tl_buffer *packet)
{
    tl_csi2_header h;

    return packet->n == TL_CSI2_HEADER_SIZE && tl_csi2_header_read(packet->p, &h) != TL_CSI2_ECC_BAD &&
           h.data_type == TL_DT_FRAME_END;
}

/* Steps over the first n bytes of the list. */
static void step_over(struct iovec **v, size_t *left, size_t n)
{
    while (*left > 0 && n >= (*v)->iov_len) {
        n -= (*v)->iov_len;
        ++*v;
        --*left;
    }
    if (*left > 0) {
        (*v)->iov_base = (uint8_t *)(*v)->iov_base + n;
        (*v)->iov_len -= n;
    }
}

static tl_exit send_list(int fd, struct iovec *v, size_t left, tl_fault *fault)
{
    uint64_t deadline_ms = tl_clock_ms() + TL_LINK_PATIENCE_MS;

    while (left > 0) {
        struct msghdr m = { .msg_iov = v, .msg_iovlen = left };
        ssize_t sent = sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
        bool ready;
        tl_exit e;

        if (sent >= 0) {
            step_over(&v, &left, (size_t)sent);
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return tl_fault_errno(fault, TL_EXIT_LINK, "link: cannot send");
        e = tl_wait(fd, POLLOUT, deadline_ms, &ready, fault);
        if (e != TL_EXIT_OK)
            return e;
        if (!ready)
            return tl_fault_set(fault, TL_EXIT_LINK, "link: time-out: the peer did not read for %d s",
                                TL_LINK_PATIENCE_MS / 1000);
    }
    return TL_EXIT_OK;
}

tl_exit tl_link_write(int fd, const tl_span *packets, size_t n, tl_fault *fault)
{
    uint8_t prefixes[TL_LINK_GATHER][TL_LINK_PREFIX];
    struct iovec v[2 * TL_LINK_GATHER];

    if (n > TL_LINK_GATHER)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "link: %zu packets at once, %d are possible", n,
                            TL_LINK_GATHER);
    for (size_t i = 0; i < n; i++) {
        tl_wr w = tl_wr_of(prefixes[i], TL_LINK_PREFIX);

        if (packets[i].n < TL_LINK_PACKET_MIN || packets[i].n > TL_CSI2_PACKET_MAX)
            return tl_fault_set(fault, TL_EXIT_INTERNAL, "link: a packet of %zu bytes", packets[i].n);
        tl_put(&w, TL_LINK_PREFIX, TL_LITTLE, packets[i].n);
        v[2 * i] = (struct iovec){ prefixes[i], TL_LINK_PREFIX };
        /* sendmsg only reads; the interface of struct iovec does not say so. */
        v[2 * i + 1] = (struct iovec){ (uint8_t *)(uintptr_t)packets[i].p, packets[i].n };
    }
    return send_list(fd, v, 2 * n, fault);
}

tl_exit tl_link_say_enough(int fd, tl_fault *fault)
{
    static const uint8_t zero[TL_LINK_PREFIX];

    return tl_net_send(fd, zero, sizeof zero, tl_clock_ms() + TL_LINK_PATIENCE_MS, "link", fault);
}

tl_exit tl_link_heard_enough(int fd, bool *enough, tl_fault *fault)
{
    uint8_t said[TL_LINK_PREFIX + 1];
    ssize_t n = recv(fd, said, sizeof said, MSG_DONTWAIT | MSG_PEEK);

    *enough = false;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return TL_EXIT_OK;
    if (n < 0)
        return tl_fault_errno(fault, TL_EXIT_LINK, "link: the controller is lost");
    if (n == 0)
        return tl_fault_set(fault, TL_EXIT_LINK, "link: the controller is lost: the connection was closed");
    for (ssize_t i = 0; i < n; i++)
        if (said[i] != 0 || n > TL_LINK_PREFIX)
            return tl_fault_set(fault, TL_EXIT_LINK,
                                "link: garbage: the controller may only say that it has enough");
    *enough = n == TL_LINK_PREFIX;
    return TL_EXIT_OK;
}
