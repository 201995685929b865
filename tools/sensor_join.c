/* Waiting for the data connection. Several may dial at once: the one that shows the token gets the stream, and a stranger
 * who dials first and says nothing takes nobody's place. */
#include "sensor_join.h"
#include "clock.h"
#include "ui.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <trueline/base.h>

void sensor_join_init(sensor_join *j, int set)
{
    memset(j, 0, sizeof *j);
    j->set = set;
    j->fd = j->listener = -1;
    for (int i = 0; i < SENSOR_JOIN_WAITING; i++)
        j->guests[i].fd = -1;
}

static tl_exit watch(const sensor_join *j, int fd, tl_fault *fault)
{
    struct epoll_event event = { .events = EPOLLIN };

    if (epoll_ctl(j->set, EPOLL_CTL_ADD, fd, &event) != 0)
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "data port: cannot be watched");
    return TL_EXIT_OK;
}

tl_exit sensor_join_open(sensor_join *j, const tl_address *at, tl_fault *fault)
{
    tl_exit e = tl_net_listen(at, &j->listener, &j->at, fault);

    if (e != TL_EXIT_OK) {
        j->listener = -1;
        return e;
    }
    j->port = (uint16_t)strtoul(strrchr(j->at.text, ':') + 1, NULL, 10);
    j->deadline_ms = tl_clock_ms() + SENSOR_JOIN_MS;
    return watch(j, j->listener, fault);
}

uint64_t sensor_join_wake(const sensor_join *j)
{
    return j->listener >= 0 ? j->deadline_ms : TL_NEVER;
}

static void drop(sensor_guest *g)
{
    if (g->fd >= 0)
        (void)close(g->fd);
    g->fd = -1;
    g->have = 0;
}

static void send_away(sensor_join *j, sensor_guest *g, const char *why)
{
    j->strangers++;
    ui_note("sensor", "data port: %s: sent away: %s", g->name.text, why);
    drop(g);
}

/* A place for one more: a free one, or that of whoever has said nothing for longest. */
static sensor_guest *place(sensor_join *j)
{
    sensor_guest *oldest = &j->guests[0];

    for (int i = 0; i < SENSOR_JOIN_WAITING; i++) {
        if (j->guests[i].fd < 0)
            return &j->guests[i];
        if (j->guests[i].since_ms < oldest->since_ms)
            oldest = &j->guests[i];
    }
    send_away(j, oldest, "others are waiting");
    return oldest;
}

static tl_exit invite(sensor_join *j, tl_fault *fault)
{
    for (;;) {
        tl_net_name name;
        sensor_guest *g;
        int fd;
        tl_exit e = tl_net_accept(j->listener, 0, &fd, &name, fault);

        if (e != TL_EXIT_OK || fd < 0)
            return e;
        g = place(j);
        *g = (sensor_guest){ .fd = fd, .since_ms = tl_clock_ms(), .name = name };
        e = watch(j, fd, fault);
        if (e != TL_EXIT_OK)
            return e;
    }
}

/* Closes everything but the right one's connection. */
static void shut(sensor_join *j)
{
    if (j->listener >= 0)
        (void)close(j->listener);
    j->listener = -1;
    for (int i = 0; i < SENSOR_JOIN_WAITING; i++)
        drop(&j->guests[i]);
}

/* The right one: it is out of the guests' list and hears our token. */
static tl_exit welcome(sensor_join *j, sensor_guest *g, tl_fault *fault)
{
    j->fd = g->fd;
    j->peer = g->name;
    g->fd = -1;
    shut(j);
    return tl_net_send(j->fd, j->ours, sizeof j->ours, tl_clock_ms() + SENSOR_JOIN_MS, "data connection",
                       fault);
}

/* What a guest has said. *right: all of the token. */
static void hear(sensor_join *j, sensor_guest *g, bool *right)
{
    ssize_t n = recv(g->fd, g->bytes + g->have, sizeof g->bytes - g->have, MSG_DONTWAIT);

    *right = false;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        send_away(j, g, "it left");
        return;
    }
    g->have += (size_t)n;
    if (g->have < sizeof g->bytes)
        return;
    *right = tl_equal(tl_span_of(g->bytes, sizeof g->bytes), tl_span_of(j->theirs, sizeof j->theirs));
    if (!*right)
        send_away(j, g, "its token is not the session's");
}

tl_exit sensor_join_turn(sensor_join *j, tl_fault *fault)
{
    tl_exit e;

    if (j->listener < 0)
        return TL_EXIT_OK;
    e = invite(j, fault);
    for (int i = 0; i < SENSOR_JOIN_WAITING && e == TL_EXIT_OK && j->listener >= 0; i++) {
        bool right = false;

        if (j->guests[i].fd >= 0)
            hear(j, &j->guests[i], &right);
        if (right)
            e = welcome(j, &j->guests[i], fault);
    }
    if (e == TL_EXIT_OK && j->listener >= 0 && tl_clock_ms() >= j->deadline_ms)
        e = tl_fault_set(fault, TL_EXIT_LINK,
                         "data port: time-out: nobody with the session's token came for %d s",
                         SENSOR_JOIN_MS / 1000);
    return e;
}

void sensor_join_close(sensor_join *j, uint64_t deadline_ms)
{
    int set = j->set;

    shut(j);
    if (j->fd >= 0)
        tl_net_close(j->fd, deadline_ms);
    tl_wipe(j, sizeof *j);
    sensor_join_init(j, set);
}
