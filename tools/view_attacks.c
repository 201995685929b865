/* Messages of fixed size on a socket that keeps their limits: a row's number one way, the same and a frame's the other. */
#include "view_attacks.h"
#include "local.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

typedef struct request {
    uint32_t row;
} request;

typedef struct answer {
    uint32_t row, frame;
} answer;

/* ---- the attacker's end ---- */

tl_exit view_attacks_open(view_attacks *a, const char *path, tl_fault *fault)
{
    struct sockaddr_un at;

    *a = (view_attacks){ .listener = -1, .fd = -1 };
    if (!tl_local_address(path, &at))
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "attacks: '%.80s': a path has 1 to %d bytes", path,
                            TL_LOCAL_PATH_MAX);
    a->listener = tl_local_open(SOCK_SEQPACKET);
    if (a->listener < 0 || !tl_local_listen(a->listener, &at)) {
        tl_exit e = tl_fault_errno(fault, TL_EXIT_INTERNAL, "attacks: %.200s", path);

        view_attacks_close(a);
        return e;
    }
    (void)snprintf(a->path, sizeof a->path, "%s", path);
    return TL_EXIT_OK;
}

const tl_attack *view_attacks_next(view_attacks *a)
{
    request asked;
    ssize_t n;

    if (a->fd < 0 && a->listener >= 0)
        a->fd = accept4(a->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (a->fd < 0)
        return NULL;
    n = recv(a->fd, &asked, sizeof asked, MSG_TRUNC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return NULL;
    if (n != (ssize_t)sizeof asked || asked.row >= tl_attack_count) {
        (void)close(a->fd);
        a->fd = -1;
        return NULL;
    }
    return &tl_attacks[asked.row];
}

void view_attacks_done(view_attacks *a, const tl_attack *attack, uint32_t frame)
{
    const answer done = { (uint32_t)(attack - tl_attacks), frame };

    if (a->fd >= 0 && send(a->fd, &done, sizeof done, MSG_NOSIGNAL) < 0 && errno != EAGAIN) {
        (void)close(a->fd);
        a->fd = -1;
    }
}

void view_attacks_close(view_attacks *a)
{
    if (a->fd >= 0)
        (void)close(a->fd);
    if (a->listener >= 0)
        (void)close(a->listener);
    if (a->path[0] != 0)
        (void)unlink(a->path);
    *a = (view_attacks){ .listener = -1, .fd = -1 };
}

/* ---- the page's end ---- */

int view_attacks_dial(const char *path)
{
    struct sockaddr_un at;
    int fd;

    if (!tl_local_address(path, &at))
        return -1;
    fd = tl_local_open(SOCK_SEQPACKET);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

bool view_attacks_ask(int fd, size_t row)
{
    const request asked = { (uint32_t)row };

    return fd >= 0 && row < tl_attack_count &&
           send(fd, &asked, sizeof asked, MSG_NOSIGNAL) == (ssize_t)sizeof asked;
}

int view_attacks_answer(int fd, size_t *row, uint32_t *frame)
{
    answer done;
    ssize_t n = fd >= 0 ? recv(fd, &done, sizeof done, MSG_TRUNC) : -1;

    if (fd < 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        return 0;
    if (n != (ssize_t)sizeof done || done.row >= tl_attack_count)
        return -1;
    *row = done.row;
    *frame = done.frame;
    return 1;
}
