/* SIGINT and SIGTERM, turned into something that waits can see. */
#ifndef TL_POSIX_STOP_H
#define TL_POSIX_STOP_H

#include "fault.h"

#include <stdbool.h>
#include <stdint.h>

/* Ignores SIGPIPE and SIGXFSZ (writes then fail with EPIPE and EFBIG) and catches SIGINT and SIGTERM: the first one
 * asks the program to end, a second one ends it. Once, at the start. */
tl_exit tl_stop_install(tl_fault *fault) __attribute__((warn_unused_result));
/* True once a signal came. */
bool tl_stop_asked(void);
/* Waits for one of `events` (poll's bits) on fd: TL_EXIT_OK when it is there or when the deadline is over (*ready says
 * which), TL_EXIT_STOPPED when a signal came. fd -1 only sleeps. deadline_ms is a moment of tl_clock_ms(). */
tl_exit tl_wait(int fd, short events, uint64_t deadline_ms, bool *ready, tl_fault *fault)
    __attribute__((warn_unused_result));

#endif
