/* The emulators' framing. They send a frame's fields one by one and wait for ever; this end sends each frame in one
 * piece and bounds every wait. A command or a transport that is not known is garbage, not a longer frame: its length is
 * never believed. */
#include "emu_link.h"
#include "clock.h"
#include "net.h"
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* Both greetings end with their zero. */
static const char client_hello[] = "Client Hello!", server_hello[] = "Server Hello!";

void tl_emu_link_init(tl_emu_link *link, int fd, tl_emu_transport transport)
{
    memset(link, 0, sizeof *link);
    link->fd = fd;
    link->transport = transport;
}

void tl_emu_link_wipe(tl_emu_link *link)
{
    tl_wipe(link->in, sizeof link->in);
    tl_wipe(link->out, sizeof link->out);
}

tl_exit tl_emu_send(tl_emu_link *link, tl_emu_command command, tl_span payload, tl_fault *fault)
{
    tl_wr w = tl_wr_of(link->out, TL_EMU_HEAD);
    tl_exit e;

    if (payload.n > TL_EMU_PAYLOAD_MAX)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "emulator link: a payload of %zu bytes", payload.n);
    tl_put(&w, 4, TL_BIG, command);
    tl_put(&w, 4, TL_BIG, link->transport);
    tl_put(&w, 4, TL_BIG, payload.n);
    if (payload.n > 0 && payload.p != link->out + TL_EMU_HEAD)
        memcpy(link->out + TL_EMU_HEAD, payload.p, payload.n);
    e = tl_net_send(link->fd, link->out, TL_EMU_HEAD + payload.n, tl_clock_ms() + TL_EMU_PATIENCE_MS,
                    "emulator link", fault);
    if (e == TL_EXIT_OK) {
        link->frames_sent++;
        link->bytes_sent += TL_EMU_HEAD + payload.n;
    }
    return e;
}

static bool known(uint64_t command)
{
    switch (command) {
    case TL_EMU_NORMAL:
    case TL_EMU_TEST:
    case TL_EMU_SHUTDOWN:
    case TL_EMU_CONTINUE:
    case TL_EMU_KEY_UPDATE:
    case TL_EMU_ENDPOINT_INFO:
    case TL_EMU_UNKNOWN: return true;
    default: return false;
    }
}

static const char *transport_name(uint64_t transport)
{
    static const char *const names[] = { "none", "mctp", "pci_doe", "tcp" };

    return transport < sizeof names / sizeof names[0] ? names[transport] : "unknown";
}

static tl_exit read_head(const tl_emu_link *link, const uint8_t head[TL_EMU_HEAD], tl_emu_frame *frame,
                         tl_fault *fault)
{
    tl_rd r = tl_rd_of(tl_span_of(head, TL_EMU_HEAD));
    uint64_t command = tl_get(&r, 4, TL_BIG), transport = tl_get(&r, 4, TL_BIG), n = tl_get(&r, 4, TL_BIG);

    if (!known(command))
        return tl_fault_set(fault, TL_EXIT_LINK, "emulator link: garbage: 0x%08llx is no command",
                            (unsigned long long)command);
    if (transport != link->transport)
        return tl_fault_set(
            fault, TL_EXIT_LINK, "emulator link: the peer's transport is %s (%llu), ours is %s",
            transport_name(transport), (unsigned long long)transport, transport_name(link->transport));
    if (n > TL_EMU_PAYLOAD_MAX)
        return tl_fault_set(fault, TL_EXIT_LINK,
                            "emulator link: a payload of %llu bytes, at most %d are taken",
                            (unsigned long long)n, TL_EMU_PAYLOAD_MAX);
    frame->command = (tl_emu_command)command;
    frame->n = (size_t)n;
    return TL_EXIT_OK;
}

/* Whether the first byte of a frame is there; *closed: none will come. */
static tl_exit wait_frame(const tl_emu_link *link, uint64_t deadline_ms, tl_emu_heard *heard, tl_fault *fault)
{
    uint8_t first;
    ssize_t n;
    tl_exit e = tl_wait(link->fd, POLLIN, deadline_ms, &heard->came, fault);

    if (e != TL_EXIT_OK || !heard->came)
        return e;
    n = recv(link->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n == 1)
        return TL_EXIT_OK;
    heard->came = false;
    if (n == 0)
        heard->closed = true;
    else if (errno != EAGAIN && errno != EINTR)
        return tl_fault_errno(fault, TL_EXIT_LINK, "emulator link: cannot receive");
    return TL_EXIT_OK;
}

tl_exit tl_emu_receive(tl_emu_link *link, uint64_t deadline_ms, tl_emu_heard *heard, tl_fault *fault)
{
    uint8_t head[TL_EMU_HEAD];
    uint64_t patience_ms;
    tl_exit e;

    *heard = (tl_emu_heard){ .frame = { .command = TL_EMU_UNKNOWN } };
    e = wait_frame(link, deadline_ms, heard, fault);
    if (e != TL_EXIT_OK || !heard->came)
        return e;
    heard->came = false;
    patience_ms = tl_clock_ms() + TL_EMU_PATIENCE_MS;
    e = tl_net_receive(link->fd, head, sizeof head, patience_ms, "emulator link", fault);
    if (e == TL_EXIT_OK)
        e = read_head(link, head, &heard->frame, fault);
    if (e == TL_EXIT_OK)
        e = tl_net_receive(link->fd, link->in, heard->frame.n, patience_ms, "emulator link", fault);
    if (e != TL_EXIT_OK)
        return e;
    heard->frame.p = link->in;
    heard->came = true;
    link->frames_received++;
    link->bytes_received += TL_EMU_HEAD + heard->frame.n;
    return TL_EXIT_OK;
}

/* Sends a command and waits for the same one. */
static tl_exit exchange(tl_emu_link *link, tl_emu_command command, tl_span payload, tl_fault *fault)
{
    tl_emu_heard heard;
    tl_exit e = tl_emu_send(link, command, payload, fault);

    if (e == TL_EXIT_OK)
        e = tl_emu_receive(link, tl_clock_ms() + TL_EMU_PATIENCE_MS, &heard, fault);
    if (e != TL_EXIT_OK)
        return e;
    if (!heard.came)
        return tl_fault_set(fault, TL_EXIT_LINK, "emulator link: command 0x%04x: %s", (unsigned)command,
                            heard.closed ? "the peer closed the connection" : "time-out: no answer");
    if (heard.frame.command != command)
        return tl_fault_set(fault, TL_EXIT_LINK, "emulator link: command 0x%04x is answered by 0x%04x",
                            (unsigned)command, (unsigned)heard.frame.command);
    return TL_EXIT_OK;
}

tl_exit tl_emu_greet(tl_emu_link *link, tl_fault *fault)
{
    return exchange(link, TL_EMU_TEST, tl_span_of(client_hello, sizeof client_hello), fault);
}

tl_exit tl_emu_leave(tl_emu_link *link, tl_emu_command farewell, tl_fault *fault)
{
    return exchange(link, farewell, (tl_span){ NULL, 0 }, fault);
}

tl_exit tl_emu_answer(tl_emu_link *link, const tl_emu_frame *frame, tl_fault *fault)
{
    static const tl_span none = { NULL, 0 };

    switch (frame->command) {
    case TL_EMU_TEST:
        return tl_emu_send(link, TL_EMU_TEST, tl_span_of(server_hello, sizeof server_hello), fault);
    case TL_EMU_SHUTDOWN:
    case TL_EMU_CONTINUE: return tl_emu_send(link, frame->command, none, fault);
    case TL_EMU_NORMAL:
        return tl_fault_set(fault, TL_EXIT_INTERNAL,
                            "emulator link: a message is not for the link to answer");
    case TL_EMU_KEY_UPDATE:
    case TL_EMU_ENDPOINT_INFO:
    case TL_EMU_UNKNOWN: break;
    }
    return tl_emu_send(link, TL_EMU_UNKNOWN, none, fault);
}
