/* Sockets of the programs. All of them are non-blocking and close on exec; every wait has a deadline and ends on a
 * signal. Names are looked up by the system's resolver, each address in turn. */
#include "net.h"
#include "clock.h"
#include "stop.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REDIAL_MS = 50 }; /* between two attempts at a port that refuses */

static tl_exit bad_address(const char *text, const char *why, tl_fault *fault)
{
    return tl_fault_set(fault, TL_EXIT_USAGE, "address: '%s': %s; give HOST:PORT, [V6]:PORT or :PORT", text,
                        why);
}

static bool port_is_right(const char *port)
{
    size_t n = strlen(port);

    return n >= 1 && n <= 5 && strspn(port, "0123456789") == n && strtoul(port, NULL, 10) <= 65535;
}

tl_exit tl_address_parse(const char *text, tl_address *address, tl_fault *fault)
{
    const char *host = text, *port, *end;

    if (text[0] == '[') {
        host = text + 1;
        end = strchr(host, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':'))
            return bad_address(text, "the bracket is not closed", fault);
        port = end[1] == ':' ? end + 2 : "4194";
    } else {
        end = strchr(text, ':');
        port = end != NULL ? end + 1 : "4194";
        if (end == NULL)
            end = text + strlen(text);
        if (strchr(port, ':') != NULL)
            return bad_address(text, "an IPv6 address stands in brackets", fault);
    }
    /* The resolver takes a bare number for an IPv4 address: 4194 is 0.0.16.98 to it. */
    if (end > host && strspn(host, "0123456789") == (size_t)(end - host))
        return bad_address(text, "a number alone is no host", fault);
    if (!port_is_right(port))
        return bad_address(text, "the port is a number from 0 to 65535", fault);
    if ((size_t)(end - host) >= sizeof address->host)
        return bad_address(text, "the host's name is too long", fault);
    (void)snprintf(address->host, sizeof address->host, "%.*s", (int)(end - host), host);
    if (end == host)
        (void)snprintf(address->host, sizeof address->host, "127.0.0.1");
    (void)snprintf(address->port, sizeof address->port, "%s", port);
    return TL_EXIT_OK;
}

const char *tl_address_text(const tl_address *a, tl_net_name *text)
{
    bool v6 = strchr(a->host, ':') != NULL;

    (void)snprintf(text->text, sizeof text->text, v6 ? "[%.200s]:%.8s" : "%.200s:%.8s", a->host, a->port);
    return text->text;
}

static void name_of(const struct sockaddr *a, socklen_t n, tl_net_name *name)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (getnameinfo(a, n, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        (void)snprintf(name->text, sizeof name->text, "(unknown)");
    else if (strchr(host, ':') != NULL)
        (void)snprintf(name->text, sizeof name->text, "[%.200s]:%.8s", host, port);
    else
        (void)snprintf(name->text, sizeof name->text, "%.200s:%.8s", host, port);
}

static tl_exit look_up(const tl_address *a, int flags, struct addrinfo **list, tl_fault *fault)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags };
    int e = getaddrinfo(a->host, a->port, &hints, list);

    if (e != 0)
        return tl_fault_set(fault, TL_EXIT_LINK, "look up: %s: %s", a->host, gai_strerror(e));
    return TL_EXIT_OK;
}

static int socket_for(const struct addrinfo *ai)
{
    int one = 1, fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    /* Small packets at the end of a frame must not wait for an acknowledgement. */
    if (fd >= 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

tl_exit tl_net_listen(const tl_address *address, int *fd, tl_net_name *name, tl_fault *fault)
{
    struct addrinfo *list = NULL, *ai;
    struct sockaddr_storage bound;
    socklen_t n = sizeof bound;
    int one = 1, s = -1, kept = 0;
    tl_exit e = look_up(address, AI_PASSIVE, &list, fault);

    if (e != TL_EXIT_OK)
        return e;
    for (ai = list; ai != NULL && s < 0; ai = ai->ai_next) {
        s = socket_for(ai);
        if (s >= 0)
            (void)setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (s < 0 || bind(s, ai->ai_addr, ai->ai_addrlen) != 0 || listen(s, 4) != 0) {
            kept = errno;
            if (s >= 0)
                close(s);
            s = -1;
        }
    }
    freeaddrinfo(list);
    errno = kept;
    if (s < 0)
        return tl_fault_errno(fault, TL_EXIT_LINK, "listen: %s",
                              tl_address_text(address, &(tl_net_name){ 0 }));
    if (getsockname(s, (struct sockaddr *)&bound, &n) != 0) {
        close(s);
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "listen: %s",
                              tl_address_text(address, &(tl_net_name){ 0 }));
    }
    name_of((const struct sockaddr *)&bound, n, name);
    *fd = s;
    return TL_EXIT_OK;
}

tl_exit tl_net_accept(int listener, uint64_t deadline_ms, int *fd, tl_net_name *peer, tl_fault *fault)
{
    struct sockaddr_storage from;
    socklen_t n = sizeof from;
    bool ready;
    int one = 1;
    tl_exit e;

    *fd = -1;
    e = tl_wait(listener, POLLIN, deadline_ms, &ready, fault);
    if (e != TL_EXIT_OK || !ready)
        return e;
    *fd = accept4(listener, (struct sockaddr *)&from, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (*fd < 0) {
        /* The peer may have gone between poll and accept: then there simply is none. */
        if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR || errno == EPROTO)
            return TL_EXIT_OK;
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "accept");
    }
    (void)setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    name_of((const struct sockaddr *)&from, n, peer);
    return TL_EXIT_OK;
}

/* One attempt at one address; *fd is -1 and errno says why if it failed. */
static tl_exit dial(const struct addrinfo *ai, uint64_t deadline_ms, int *fd, tl_fault *fault)
{
    bool ready = true;
    int why = 0, s = socket_for(ai);
    socklen_t n = sizeof why;
    tl_exit e = TL_EXIT_OK;

    *fd = -1;
    if (s < 0)
        return TL_EXIT_OK;
    if (connect(s, ai->ai_addr, ai->ai_addrlen) != 0) {
        why = errno;
        if (why == EINPROGRESS) {
            e = tl_wait(s, POLLOUT, deadline_ms, &ready, fault);
            if (!ready)
                why = ETIMEDOUT;
            else if (getsockopt(s, SOL_SOCKET, SO_ERROR, &why, &n) != 0)
                why = errno;
        }
    }
    if (e == TL_EXIT_OK && why == 0) {
        *fd = s;
        return TL_EXIT_OK;
    }
    close(s);
    errno = why;
    return e;
}

/* Every address once. */
static tl_exit dial_list(const struct addrinfo *list, uint64_t deadline_ms, int *fd, tl_net_name *peer,
                         tl_fault *fault)
{
    tl_exit e = TL_EXIT_OK;

    *fd = -1;
    for (const struct addrinfo *ai = list; ai != NULL && *fd < 0 && e == TL_EXIT_OK; ai = ai->ai_next) {
        e = dial(ai, deadline_ms, fd, fault);
        if (*fd >= 0)
            name_of(ai->ai_addr, ai->ai_addrlen, peer);
    }
    return e;
}

tl_exit tl_net_connect(const tl_address *address, uint64_t deadline_ms, int *fd, tl_net_name *peer,
                       tl_fault *fault)
{
    struct addrinfo *list = NULL;
    bool ready;
    tl_exit e = look_up(address, 0, &list, fault);

    if (e != TL_EXIT_OK)
        return e;
    for (;;) {
        int why;

        e = dial_list(list, deadline_ms, fd, peer, fault);
        if (e != TL_EXIT_OK || *fd >= 0)
            break;
        why = errno;
        if (why != ECONNREFUSED || tl_clock_ms() >= deadline_ms) {
            errno = why;
            e = tl_fault_errno(fault, TL_EXIT_LINK, "connect: %s",
                               tl_address_text(address, &(tl_net_name){ 0 }));
            break;
        }
        e = tl_wait(-1, 0, tl_clock_ms() + REDIAL_MS, &ready, fault);
        if (e != TL_EXIT_OK)
            break;
    }
    freeaddrinfo(list);
    return e;
}

tl_exit tl_net_send(int fd, const uint8_t *p, size_t n, uint64_t deadline_ms, const char *what,
                    tl_fault *fault)
{
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        bool ready;
        tl_exit e;

        if (sent >= 0) {
            p += sent;
            n -= (size_t)sent;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return tl_fault_errno(fault, TL_EXIT_LINK, "%s: cannot send", what);
        e = tl_wait(fd, POLLOUT, deadline_ms, &ready, fault);
        if (e != TL_EXIT_OK)
            return e;
        if (!ready)
            return tl_fault_set(fault, TL_EXIT_LINK, "%s: time-out: the peer does not read", what);
    }
    return TL_EXIT_OK;
}

tl_exit tl_net_receive(int fd, uint8_t *p, size_t n, uint64_t deadline_ms, const char *what, tl_fault *fault)
{
    size_t have = 0;

    while (have < n) {
        ssize_t got;
        bool ready;
        tl_exit e = tl_wait(fd, POLLIN, deadline_ms, &ready, fault);

        if (e != TL_EXIT_OK)
            return e;
        if (!ready)
            return tl_fault_set(fault, TL_EXIT_LINK, "%s: time-out: the peer sent %zu of %zu bytes", what,
                                have, n);
        got = recv(fd, p + have, n - have, 0);
        if (got == 0)
            return tl_fault_set(fault, TL_EXIT_LINK,
                                "%s: the peer closed the connection after %zu of %zu bytes", what, have, n);
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return tl_fault_errno(fault, TL_EXIT_LINK, "%s: cannot receive", what);
        have += got > 0 ? (size_t)got : 0;
    }
    return TL_EXIT_OK;
}

void tl_net_close(int fd, uint64_t deadline_ms)
{
    uint8_t dropped[16384];
    tl_fault ignored;
    bool ready = true;
    ssize_t n = 1;

    (void)shutdown(fd, SHUT_WR);
    while (n != 0 && ready && tl_clock_ms() < deadline_ms) {
        if (tl_wait(fd, POLLIN, deadline_ms, &ready, &ignored) != TL_EXIT_OK)
            break;
        n = ready ? recv(fd, dropped, sizeof dropped, MSG_DONTWAIT) : 0;
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            break;
    }
    close(fd);
}
