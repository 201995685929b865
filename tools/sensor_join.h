/* The data port of an agreed stream: it is open for one connection, that of whoever shows the session's token. */
#ifndef TL_TOOLS_SENSOR_JOIN_H
#define TL_TOOLS_SENSOR_JOIN_H

#include "net.h"

#include <trueline/layout/limits.h>

#include <stdbool.h>

enum { SENSOR_JOIN_WAITING = 4, SENSOR_JOIN_MS = 5000 };

/* Somebody who has dialled and not shown all of a token yet. */
typedef struct sensor_guest {
    int fd; /* -1: none */
    size_t have;
    uint64_t since_ms;
    uint8_t bytes[TL_DATA_TOKEN_SIZE];
    tl_net_name name;
} sensor_guest;

typedef struct sensor_join {
    tl_net_name at; /* where it listens */
    uint16_t port;
    int fd; /* the right one, when it has come; -1 before */
    tl_net_name peer;
    uint8_t theirs[TL_DATA_TOKEN_SIZE], ours[TL_DATA_TOKEN_SIZE]; /* tokens: the owner fills them in */
    uint64_t strangers;
    /* private */
    int listener, set;
    uint64_t deadline_ms;
    sensor_guest guests[SENSOR_JOIN_WAITING];
} sensor_join;

/* Nothing is open. set: an epoll descriptor that all descriptors are added to. */
void sensor_join_init(sensor_join *j, int set);
/* Opens the port. TL_EXIT_LINK, TL_EXIT_INTERNAL. */
tl_exit sensor_join_open(sensor_join *j, const tl_address *at, tl_fault *fault)
    __attribute__((warn_unused_result));
/* When to call turn at the latest; TL_NEVER: it does not wait. */
uint64_t sensor_join_wake(const sensor_join *j);
/* Looks after everybody who has dialled, without waiting. When the right one is there, it is answered with our token, and
 * everything else is closed. Strangers are told by `note`. TL_EXIT_LINK: nobody came in time. */
tl_exit sensor_join_turn(sensor_join *j, tl_fault *fault) __attribute__((warn_unused_result));
/* Closes everything; tokens are wiped. */
void sensor_join_close(sensor_join *j, uint64_t deadline_ms);

#endif
