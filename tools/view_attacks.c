/* Messages of fixed size on a socket that keeps their limits: a row's number one way, the same and a frame's the other. */
#include "view_attacks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct request {
    uint32_t row;
} request;

typedef struct answer {
    uint32_t row, frame;
} answer;

static bool address_of(const char *path, struct sockaddr_un *at)
{
    *at = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof at->sun_path)
        return false;
    (void)snprintf(at->sun_path, sizeof at->sun_path, "%s", path);
    return true;
}

static int open_socket(void)
{
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* ---- the attacker's end ---- */

tl_exit view_attacks_open(view_attacks *a, const char *path, tl_fault *fault)
{
    struct sockaddr_un at;

    *a = (view_attacks){ .listener = -1, .fd = -1 };
    if (!address_of(path, &at))
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "attacks: %.60s...: the path is too long", path);
    a->listener = open_socket();
    if (a->listener < 0 || bind(a->listener, (struct sockaddr *)&at, sizeof at) != 0 ||
        chmod(path, 0600) != 0 || listen(a->listener, 1) != 0) {
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

    if (!address_of(path, &at))
        return -1;
    fd = open_socket();
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
