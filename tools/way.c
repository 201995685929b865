/* Ways of packets. A controller's ring is read by copies: the process at its other end is not the sender of the pixels, only
 * somebody who hands them on. */
#include "way.h"
#include "clock.h"
#include "stop.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { UDP_BUFFER = 8 << 20 }; /* bytes that the system is asked to hold: frames come in bursts */

/* What a text names, and the rest of it. */
static tl_exit kind_of(const char *text, way_kind *kind, const char **rest, tl_fault *fault)
{
    if (strncmp(text, "udp:", 4) == 0)
        *kind = WAY_UDP;
    else if (strncmp(text, "ring:", 5) == 0)
        *kind = WAY_RING;
    else
        return tl_fault_set(fault, TL_EXIT_USAGE, "way: '%s': give udp:HOST:PORT or ring:PATH", text);
    *rest = text + (*kind == WAY_UDP ? 4 : 5);
    return TL_EXIT_OK;
}

static void name_of(const char *path, tl_net_name *name)
{
    (void)snprintf(name->text, sizeof name->text, "ring:%.200s", path);
}

way_out way_out_of_socket(int fd)
{
    return (way_out){ .kind = WAY_SOCKET, .fd = fd, .ring.socket = -1 };
}

static tl_exit open_udp_out(way_out *out, const char *rest, tl_net_name *name, tl_fault *fault)
{
    tl_address address;
    tl_net_name host;
    tl_exit e = tl_address_parse(rest, &address, fault);

    if (e == TL_EXIT_OK && strtoul(address.port, NULL, 10) == 0)
        e = tl_fault_set(fault, TL_EXIT_USAGE, "way: 'udp:%s': nobody has port 0; give the receiver's", rest);
    if (e == TL_EXIT_OK)
        e = tl_udp_open_sender(&address, &out->fd, &host, fault);
    if (e == TL_EXIT_OK)
        (void)snprintf(name->text, sizeof name->text, "udp:%.250s", host.text);
    return e;
}

tl_exit way_out_open(way_out *out, const char *text, uint64_t deadline_ms, tl_net_name *name, tl_fault *fault)
{
    const char *rest;
    tl_exit e;
    int socket;

    *out = way_out_of_socket(-1);
    e = kind_of(text, &out->kind, &rest, fault);
    if (e == TL_EXIT_OK && out->kind == WAY_UDP)
        return open_udp_out(out, rest, name, fault);
    if (e == TL_EXIT_OK)
        e = tl_ring_dial(rest, deadline_ms, &socket, fault);
    if (e == TL_EXIT_OK)
        e = tl_ring_join(&out->ring, socket, deadline_ms, fault);
    if (e == TL_EXIT_OK)
        name_of(rest, name);
    return e;
}

static tl_exit write_to(way_out *out, const tl_span *packets, size_t n, tl_fault *fault)
{
    switch (out->kind) {
    case WAY_UDP: return tl_udp_write(out->fd, packets, n, &out->unheard, fault);
    case WAY_RING: return tl_ring_write(&out->ring, packets, n, tl_clock_ms() + TL_LINK_PATIENCE_MS, fault);
    default: return tl_link_write(out->fd, packets, n, fault);
    }
}

tl_exit way_out_write(way_out *out, const tl_span *packets, size_t n, tl_fault *fault)
{
    tl_exit e = write_to(out, packets, n, fault);

    if (e == TL_EXIT_OK && out->tap != NULL)
        tap_packets(out->tap, PCAP_OUTBOUND, packets, n);
    return e;
}

bool way_out_is_over(const way_out *out)
{
    return out->kind == WAY_RING && tl_ring_peer_is_done(&out->ring);
}

void way_out_close(way_out *out)
{
    if (out->kind == WAY_RING)
        tl_ring_close(&out->ring);
    else if (out->kind == WAY_UDP && out->fd >= 0)
        close(out->fd);
    *out = way_out_of_socket(-1);
}

/* ---- in ---- */

static tl_exit open_udp_in(way_in *in, const char *rest, tl_net_name *name, tl_fault *fault)
{
    tl_address address;
    tl_net_name host;
    tl_exit e = tl_address_parse(rest, &address, fault);

    if (e == TL_EXIT_OK)
        e = tl_udp_open_receiver(&address, UDP_BUFFER, &in->fd, &host, fault);
    if (e != TL_EXIT_OK)
        return e;
    (void)snprintf(name->text, sizeof name->text, "udp:%.250s", host.text);
    in->memory.n = (size_t)TL_UDP_BATCH * (TL_UDP_PACKET_MAX + 1);
    in->memory.p = malloc(in->memory.n);
    if (in->memory.p == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "udp: no memory for %d packets", TL_UDP_BATCH);
    return tl_udp_reader_open(&in->udp, in->fd, in->memory, TL_UDP_PACKET_MAX, fault);
}

tl_exit way_in_open(way_in *in, const char *text, tl_net_name *name, tl_fault *fault)
{
    const char *rest;
    tl_exit e;

    *in = (way_in){ .fd = -1, .ring.socket = -1 };
    e = kind_of(text, &in->kind, &rest, fault);
    if (e != TL_EXIT_OK)
        return e;
    if (in->kind == WAY_UDP) {
        e = open_udp_in(in, rest, name, fault);
    } else {
        e = tl_ring_listen(rest, &in->fd, fault);
        if (e == TL_EXIT_OK)
            (void)snprintf(in->path, sizeof in->path, "%s", rest);
        name_of(rest, name);
    }
    if (e != TL_EXIT_OK)
        way_in_close(in);
    return e;
}

/* The first packet is the first that is known of a sender. */
static tl_exit meet_udp(way_in *in, uint64_t deadline_ms, tl_fault *fault)
{
    bool ready;
    tl_exit e = tl_wait(in->fd, POLLIN, deadline_ms, &ready, fault);

    in->udp.heard_ms = tl_clock_ms();
    if (e != TL_EXIT_OK || ready)
        return e;
    return tl_fault_set(fault, TL_EXIT_LINK, "udp: time-out: no packet came");
}

tl_exit way_in_meet(way_in *in, uint64_t deadline_ms, tl_fault *fault)
{
    int socket = -1;
    tl_exit e = TL_EXIT_OK;

    if (in->kind == WAY_UDP)
        return meet_udp(in, deadline_ms, fault);
    while (e == TL_EXIT_OK && socket < 0) {
        e = tl_ring_accept(in->fd, deadline_ms, &socket, fault);
        if (e == TL_EXIT_OK && socket < 0 && tl_clock_ms() >= deadline_ms)
            e = tl_fault_set(fault, TL_EXIT_LINK, "ring: %s: time-out: no producer came", in->path);
    }
    return e == TL_EXIT_OK ? tl_ring_offer(&in->ring, socket, TL_RING_DEFAULT, TL_RING_COPY, fault) : e;
}

tl_exit way_in_read(way_in *in, uint64_t deadline_ms, tl_link_batch *batch, tl_fault *fault)
{
    return in->kind == WAY_UDP ? tl_udp_read(&in->udp, deadline_ms, batch, fault)
                               : tl_ring_read(&in->ring, deadline_ms, batch, fault);
}

uint64_t way_in_bytes(const way_in *in)
{
    return in->kind == WAY_UDP ? in->udp.bytes : in->ring.bytes;
}

void way_in_close(way_in *in)
{
    if (in->ring.socket >= 0)
        tl_ring_close(&in->ring);
    if (in->fd >= 0)
        close(in->fd);
    if (in->path[0] != '\0')
        (void)unlink(in->path);
    if (in->memory.p != NULL)
        tl_wipe(in->memory.p, in->memory.n);
    free(in->memory.p);
    *in = (way_in){ .fd = -1, .ring.socket = -1 };
}
