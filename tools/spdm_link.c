/* Messages of DSP0287 over a socket. tl_tcp_more says how many bytes a message still lacks, so nothing behind it is ever
 * read; bytes that cannot begin a message are named at once. */
#include "spdm_link.h"
#include "clock.h"
#include "hex.h"
#include "net.h"
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

void spdm_link_open(spdm_link *link, int fd, const char *peer, tap *hears)
{
    memset(link, 0, sizeof *link);
    link->fd = fd;
    link->tap = hears;
    (void)snprintf(link->peer, sizeof link->peer, "%s", peer);
}

void spdm_link_close(spdm_link *link)
{
    tl_wipe(link, sizeof *link);
    link->fd = -1;
}

/* ---- receiving ---- */

static tl_exit garbage(const spdm_link *link, tl_fault *fault)
{
    char bytes[4 * 3 + 1];

    hex_apart(tl_span_of(link->in, link->have), bytes, sizeof bytes);
    return tl_fault_set(
        fault, TL_EXIT_LINK,
        "spdm: %s: garbage: it begins with%s and is no SPDM over TCP; a peer with a stream file "
        "(--stream) speaks none",
        link->peer, bytes);
}

/* Reads up to `more` bytes, as many as are there. */
static tl_exit read_some(spdm_link *link, size_t more, bool *ended, tl_fault *fault)
{
    ssize_t got;

    if (more > sizeof link->in - link->have)
        return tl_fault_set(fault, TL_EXIT_LINK, "spdm: %s: a message of more than %d bytes", link->peer,
                            SPDM_LINK_MESSAGE);
    got = recv(link->fd, link->in + link->have, more, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return TL_EXIT_OK;
    if (got < 0)
        return tl_fault_errno(fault, TL_EXIT_LINK, "spdm: %s: cannot receive", link->peer);
    if (got == 0 && link->have > 0)
        return tl_fault_set(fault, TL_EXIT_LINK, "spdm: %s: the connection was closed inside a message",
                            link->peer);
    *ended = got == 0;
    if (link->have == 0)
        link->begun_ms = tl_clock_ms();
    link->have += (size_t)got;
    return TL_EXIT_OK;
}

/* Until the caller's deadline, or that of a message which has begun. *over: the caller's came. */
static tl_exit wait(const spdm_link *link, uint64_t deadline_ms, bool *over, tl_fault *fault)
{
    uint64_t due = link->have > 0 ? link->begun_ms + SPDM_LINK_PATIENCE_MS : TL_NEVER;
    bool ready;
    tl_exit e = tl_wait(link->fd, POLLIN, deadline_ms < due ? deadline_ms : due, &ready, fault);

    *over = false;
    if (e != TL_EXIT_OK)
        return e;
    if (tl_clock_ms() >= due)
        return tl_fault_set(fault, TL_EXIT_LINK, "spdm: %s: time-out: a message is incomplete for %d s",
                            link->peer, SPDM_LINK_PATIENCE_MS / 1000);
    *over = !ready;
    return TL_EXIT_OK;
}

/* Kinds that carry no SPDM. */
static tl_exit answer_other(spdm_link *link, const tl_carried *m, tl_fault *fault)
{
    tl_wr w = tl_wr_of(link->out, sizeof link->out);

    link->have = 0;
    if (m->kind != TL_CARRIED_ROLE_INQUIRY)
        return tl_fault_set(fault, TL_EXIT_LINK, "spdm: %s: it answers with error 0x%02x of SPDM over TCP",
                            link->peer, (unsigned)m->kind);
    if (tl_tcp_encode(TL_CARRIED_NO_REQUESTER, tl_span_of(NULL, 0), &w) != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "spdm: a message cannot be written");
    tap_message(link->tap, PCAP_OUTBOUND, tl_written(&w));
    return tl_net_send(link->fd, w.p, w.n, tl_clock_ms() + SPDM_LINK_PATIENCE_MS, "spdm", fault);
}

static tl_exit hand_out(spdm_link *link, spdm_heard *heard, tl_spdm_in *message, tl_fault *fault)
{
    tl_carried m;

    tap_message(link->tap, PCAP_INBOUND, tl_span_of(link->in, link->have));
    if (tl_tcp_decode(link->in, link->have, &m) != TL_OK)
        return garbage(link, fault);
    link->messages++;
    link->bytes += link->have;
    if (m.kind != TL_CARRIED_CLEAR && m.kind != TL_CARRIED_SECURED)
        return answer_other(link, &m, fault);
    link->handed = link->have;
    *message = (tl_spdm_in){ m.p, m.n, m.kind == TL_CARRIED_SECURED };
    *heard = SPDM_HEARD_MESSAGE;
    return TL_EXIT_OK;
}

tl_exit spdm_link_receive(spdm_link *link, uint64_t deadline_ms, spdm_heard *heard, tl_spdm_in *message,
                          tl_fault *fault)
{
    bool over = false, ended = false;
    tl_exit e = TL_EXIT_OK;

    *heard = SPDM_HEARD_NOTHING;
    if (link->handed > 0)
        link->have = link->handed = 0;
    while (e == TL_EXIT_OK && *heard == SPDM_HEARD_NOTHING && !over && !ended) {
        size_t more;

        if (tl_tcp_more(tl_span_of(link->in, link->have), &more) != TL_OK)
            return garbage(link, fault);
        if (more == 0) {
            e = hand_out(link, heard, message, fault);
            continue;
        }
        e = wait(link, deadline_ms, &over, fault);
        if (e == TL_EXIT_OK && !over)
            e = read_some(link, more, &ended, fault);
    }
    if (ended)
        *heard = SPDM_HEARD_END;
    return e;
}

/* ---- sending ---- */

tl_exit spdm_link_send(spdm_link *link, const tl_spdm_out *message, tl_fault *fault)
{
    tl_wr w = tl_wr_of(link->out, sizeof link->out);
    char what[340];

    if (message->w.n == 0)
        return TL_EXIT_OK;
    if (tl_tcp_encode(message->secured ? TL_CARRIED_SECURED : TL_CARRIED_CLEAR, tl_written(&message->w),
                      &w) != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "spdm: a message of %zu bytes cannot be sent",
                            message->w.n);
    link->messages++;
    link->bytes += w.n;
    (void)snprintf(what, sizeof what, "spdm: %s", link->peer);
    tap_message(link->tap, PCAP_OUTBOUND, tl_written(&w));
    return tl_net_send(link->fd, w.p, w.n, tl_clock_ms() + SPDM_LINK_PATIENCE_MS, what, fault);
}

/* ---- names ---- */

const char *spdm_step_name(uint8_t request)
{
    const char *step = tl_spdm_step_text(request);

    return step != NULL ? step : "an unknown request";
}
