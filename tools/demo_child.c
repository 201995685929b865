/* Starting, watching and ending the demo's children. A child gets no terminal: its stdin is empty, its stderr a file,
 * so that what it said last can stand in the demo's own message. */
#include "demo_child.h"
#include "clock.h"
#include "stop.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_MS = 20, SIGNALLED = 128 };

/* In the child, between fork and exec. */
static void become(const char *const *arguments, int in, int out, int err, pid_t parent)
{
    char *argv[DEMO_ARGUMENTS_MAX + 2] = { (char[]){ "trueline" } };
    size_t n = 0;

    for (; n < DEMO_ARGUMENTS_MAX && arguments[n] != NULL; n++)
        memcpy(&argv[n + 1], &arguments[n], sizeof argv[0]); /* argv is not const, and exec changes nothing */
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
        _exit(SIGNALLED - 1);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(SIGNALLED - 1);
    (void)execv("/proc/self/exe", argv);
    _exit(SIGNALLED - 1);
}

static tl_exit start(demo_child *child, const char *const *arguments, const int in_err[2], tl_fault *fault)
{
    pid_t parent = getpid();
    int out[2];

    if (pipe2(out, O_CLOEXEC) != 0)
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "%s: cannot make a pipe", child->name);
    child->pid = fork();
    if (child->pid == 0)
        become(arguments, in_err[0], out[1], in_err[1], parent);
    (void)close(out[1]);
    child->out = out[0];
    if (child->pid < 0) {
        child->pid = 0;
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "%s: cannot be started", child->name);
    }
    return TL_EXIT_OK;
}

tl_exit demo_child_start(demo_child *child, const char *folder, const char *const *arguments, tl_fault *fault)
{
    int in_err[2];
    tl_exit e;

    *child = (demo_child){ .name = arguments[0], .out = -1 };
    (void)snprintf(child->errors, sizeof child->errors, "%s/%s.err", folder, child->name);
    in_err[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    in_err[1] = open(child->errors, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    e = in_err[0] < 0 || in_err[1] < 0 ? tl_fault_errno(fault, TL_EXIT_INTERNAL, "%s", child->errors)
                                       : start(child, arguments, in_err, fault);
    for (int i = 0; i < 2; i++)
        if (in_err[i] >= 0)
            (void)close(in_err[i]);
    return e;
}

tl_exit demo_child_line(demo_child *child, uint64_t deadline_ms, char *line, size_t n, tl_fault *fault)
{
    size_t got = 0;
    char c = 0;

    while (c != '\n') {
        bool ready;
        tl_exit e = tl_wait(child->out, POLLIN, deadline_ms, &ready, fault);

        if (e != TL_EXIT_OK)
            return e;
        if (!ready || read(child->out, &c, 1) != 1) {
            tl_fault slow;

            /* The end of its output: its exit code says more. */
            if (!ready || demo_child_wait(child, deadline_ms, &slow) != TL_EXIT_OK)
                demo_child_end(child);
            if (child->out >= 0)
                (void)close(child->out);
            child->out = -1;
            return demo_child_blame(child, fault);
        }
        if (c != '\n' && got + 1 < n)
            line[got++] = c;
    }
    line[got] = 0;
    return TL_EXIT_OK;
}

tl_exit demo_child_address(demo_child *child, const char *words, uint64_t deadline_ms, char *address,
                           size_t n, tl_fault *fault)
{
    char line[400];
    tl_exit e = demo_child_line(child, deadline_ms, line, sizeof line, fault);

    if (e != TL_EXIT_OK)
        return e;
    if (strncmp(line, words, strlen(words)) != 0)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "%s: said '%.60s'", child->name, line);
    (void)snprintf(address, n, "%s", line + strlen(words));
    return TL_EXIT_OK;
}

static void reaped(demo_child *child, int status)
{
    child->pid = 0;
    child->code = WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status);
}

bool demo_child_ended(demo_child *child)
{
    int status;

    if (child->pid > 0 && waitpid(child->pid, &status, WNOHANG) == child->pid)
        reaped(child, status);
    return child->pid == 0;
}

tl_exit demo_child_wait(demo_child *child, uint64_t deadline_ms, tl_fault *fault)
{
    while (!demo_child_ended(child)) {
        bool ready;
        tl_exit e = tl_wait(-1, 0, tl_clock_ms() + LOOK_MS, &ready, fault);

        if (e == TL_EXIT_OK && tl_clock_ms() > deadline_ms)
            e = tl_fault_set(fault, TL_EXIT_LINK, "%s: does not end", child->name);
        if (e != TL_EXIT_OK) {
            demo_child_end(child);
            return e;
        }
    }
    return TL_EXIT_OK;
}

/* The last line that a file holds. */
static void last_line(const char *path, char *line, size_t n)
{
    FILE *f = fopen(path, "re");
    char text[360];

    line[0] = 0;
    while (f != NULL && fgets(text, sizeof text, f) != NULL) {
        text[strcspn(text, "\n")] = 0;
        if (text[0] != 0)
            (void)snprintf(line, n, "%s", text);
    }
    if (f != NULL)
        (void)fclose(f);
}

bool demo_child_killed(const demo_child *child)
{
    return child->code > SIGNALLED;
}

tl_exit demo_child_blame(const demo_child *child, tl_fault *fault)
{
    char said[360];

    last_line(child->errors, said, sizeof said);
    if (child->code > SIGNALLED)
        return tl_fault_set(fault, TL_EXIT_LINK, "the %s was ended by signal %d", child->name,
                            child->code - SIGNALLED);
    return tl_fault_set(fault, TL_EXIT_LINK, "the %s ended with code %d%s%s", child->name, child->code,
                        said[0] != 0 ? ": " : "", said);
}

void demo_child_end(demo_child *child)
{
    int status;

    if (!demo_child_ended(child)) {
        (void)kill(child->pid, SIGKILL);
        if (waitpid(child->pid, &status, 0) == child->pid)
            reaped(child, status);
        child->pid = 0;
    }
    if (child->out >= 0)
        (void)close(child->out);
    child->out = -1;
}
