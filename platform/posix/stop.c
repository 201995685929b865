/* Ending on a signal, without a race: the handler writes a byte to a pipe, and every wait of the program polls that
 * pipe beside its own descriptor. The byte is never taken out, so that all later waits see it too. The handler and
 * its pipe are the only global state of the programs. */
#include "stop.h"
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int stop_pipe[2] = { -1, -1 };
static volatile sig_atomic_t stop_asked;

static void on_signal(int number)
{
    int kept = errno;

    if (stop_asked)
        _exit(128 + number);
    stop_asked = 1;
    if (write(stop_pipe[1], "", 1) < 0)
        stop_asked = 1; /* the pipe is full or gone: the flag stands anyway */
    errno = kept;
}

tl_exit tl_stop_install(tl_fault *fault)
{
    struct sigaction act;

    memset(&act, 0, sizeof act);
    sigemptyset(&act.sa_mask);
    act.sa_handler = SIG_IGN;
    if (sigaction(SIGPIPE, &act, NULL) != 0 || sigaction(SIGXFSZ, &act, NULL) != 0)
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "signals: cannot ignore");
    if (stop_pipe[0] < 0 && pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "signals: cannot make a pipe");
    act.sa_handler = on_signal;
    if (sigaction(SIGINT, &act, NULL) != 0 || sigaction(SIGTERM, &act, NULL) != 0)
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "signals: cannot catch");
    return TL_EXIT_OK;
}

bool tl_stop_asked(void)
{
    return stop_asked != 0;
}

/* poll's time-out for a deadline: rounded so that it never ends early and never overflows. */
static int timeout_to(uint64_t deadline_ms)
{
    uint64_t now = tl_clock_ms();

    if (deadline_ms == TL_NEVER)
        return -1;
    if (deadline_ms <= now)
        return 0;
    return deadline_ms - now > INT_MAX ? INT_MAX : (int)(deadline_ms - now);
}

tl_exit tl_wait(int fd, short events, uint64_t deadline_ms, bool *ready, tl_fault *fault)
{
    struct pollfd polled[2] = { { .fd = stop_pipe[0], .events = POLLIN }, { .fd = fd, .events = events } };

    *ready = false;
    for (;;) {
        int timeout = timeout_to(deadline_ms);
        int n = poll(polled, 2, timeout);

        if (n < 0 && errno != EINTR)
            return tl_fault_errno(fault, TL_EXIT_INTERNAL, "poll: descriptor %d", fd);
        if (stop_asked)
            return tl_fault_set(fault, TL_EXIT_STOPPED, "stopped by a signal");
        if (n > 0) {
            *ready = true;
            return TL_EXIT_OK;
        }
        if (n == 0 && timeout_to(deadline_ms) == 0)
            return TL_EXIT_OK;
    }
}
