/* Packet by packet, each to what reads its interface. Nothing is kept of a packet but what sums and transcripts need, so captures
 * may be of any length. */
#include "dump.h"

#include "backend.h"
#include "dump_csi2.h"
#include "dump_spdm.h"
#include "recording.h"

#include <stdlib.h>
#include <string.h>

/* What reads an interface. */
typedef struct dump_port {
    const pcap_interface *from; /* NULL: no packet of it came yet */
    dump_spdm *spdm;
    dump_csi2 *csi2; /* neither: its packets are only counted */
    uint64_t packets;
} dump_port;

typedef struct dump {
    const dump_options *options;
    tl_openssl *backend;
    backend kernels; /* for checksums */
    pcap file;
    dump_report report;
    dump_keys keys;
    dump_port *ports;
    size_t ports_n;
    bool has_spdm;
    dump_csi2_sums sums;
    uint64_t first_ns;
} dump;

static bool checking(const dump *d)
{
    return d->options->keys.file != NULL;
}

static tl_exit no_memory(tl_fault *fault)
{
    return tl_fault_set(fault, TL_EXIT_INTERNAL, "no memory");
}

/* ---- interfaces ---- */

static bool is_plain(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return true;
}

/* What depends on a layout is read in this program's alone. */
static tl_exit check_layout(const dump *d, const pcap_interface *from, tl_fault *fault)
{
    size_t n = 0;
    const char *theirs = pcap_comment_value(from, "layout", &n), *ours = recording_layout();

    if (theirs == NULL || pcap_comment_says(from, "layout", ours))
        return TL_EXIT_OK;
    return tl_fault_set(fault, TL_EXIT_LINK, "%.200s: interface %u: its layout is %.*s; this program has %s",
                        d->options->recording.name, (unsigned)from->index, is_plain(theirs, n) ? (int)n : 0,
                        theirs, ours);
}

static tl_exit open_port(dump *d, dump_port *port, const pcap_interface *from, tl_fault *fault)
{
    const dump_link *link = dump_link_of(from->link);
    tl_exit e = TL_EXIT_OK;

    if (from->link == PCAP_LINK_CSI2 || from->link == PCAP_LINK_SPDM_TCP)
        e = check_layout(d, from, fault);
    if (e != TL_EXIT_OK)
        return e;
    if (link != NULL) {
        port->spdm = malloc(sizeof *port->spdm);
        if (port->spdm == NULL)
            return no_memory(fault);
        dump_spdm_init(port->spdm, link, d->backend, &d->report, checking(d) ? &d->keys : NULL);
        d->has_spdm = true;
    } else if (from->link == PCAP_LINK_CSI2) {
        if (d->kernels.crypto == NULL && backend_open(&d->kernels, BACKEND_BEST, 0) != TL_OK)
            return tl_fault_set(fault, TL_EXIT_INTERNAL, "crypto: cannot be opened");
        port->csi2 = dump_csi2_new(from, d->kernels.crypto, &d->report, &d->sums);
        if (port->csi2 == NULL)
            return no_memory(fault);
    }
    port->from = from;
    return TL_EXIT_OK;
}

static tl_exit port_of(dump *d, const pcap_interface *from, dump_port **port, tl_fault *fault)
{
    if (from->index >= d->ports_n) {
        size_t n = from->index + (size_t)1;
        dump_port *grown = realloc(d->ports, n * sizeof *grown);

        if (grown == NULL)
            return no_memory(fault);
        memset(grown + d->ports_n, 0, (n - d->ports_n) * sizeof *grown);
        d->ports = grown;
        d->ports_n = n;
    }
    *port = &d->ports[from->index];
    return (*port)->from != NULL ? TL_EXIT_OK : open_port(d, *port, from, fault);
}

static void close_ports(dump *d)
{
    for (size_t i = 0; i < d->ports_n; i++) {
        if (d->ports[i].spdm != NULL)
            dump_spdm_wipe(d->ports[i].spdm);
        free(d->ports[i].spdm);
        free(d->ports[i].csi2);
    }
    free(d->ports);
}

/* ---- packets ---- */

static tl_exit on_packet(dump *d, const pcap_packet *p, tl_fault *fault)
{
    const dump_watch *watch = &d->options->watch;
    uint64_t opened = d->report.records, failed = d->report.failed;
    dump_line line = { .telling = "" };
    dump_port *port = NULL;
    pcap_packet told;
    uint8_t *as_it_came = NULL;
    tl_exit e = port_of(d, p->from, &port, fault);

    if (e != TL_EXIT_OK)
        return e;
    if (p->number == 1)
        d->first_ns = p->time_ns;
    if (watch->packet != NULL && port->spdm != NULL && p->n > 0) {
        as_it_came = malloc(p->n);
        if (as_it_came == NULL)
            return no_memory(fault);
        memcpy(as_it_came, p->p, p->n);
    }
    port->packets++;
    d->report.message = p->number;
    line.offset = p->offset;
    line.time_ns = p->time_ns >= d->first_ns ? p->time_ns - d->first_ns : 0;
    if (port->spdm != NULL)
        dump_spdm_packet(port->spdm, p, &line);
    else if (port->csi2 != NULL)
        dump_csi2_packet(port->csi2, p, &line);
    if (watch->packet == NULL)
        return TL_EXIT_OK;
    told = *p;
    if (as_it_came != NULL && d->report.records == opened)
        told.p = as_it_came; /* of a record that does not open nothing is left */
    e = watch->packet(watch->ctx, &told, (dump_seen){ d->report.records > opened, d->report.failed - failed },
                      fault);
    free(as_it_came);
    return e;
}

static tl_exit run_packets(dump *d, tl_fault *fault)
{
    pcap_packet p;
    bool more = true;

    while (more) {
        tl_exit e = pcap_next(&d->file, &p, &more, fault);

        if (e == TL_EXIT_OK && more)
            e = on_packet(d, &p, fault);
        if (e != TL_EXIT_OK)
            return e;
        if (checking(d) && d->keys.broken != TL_EXIT_OK)
            return d->keys.broken;
        if (d->options->out != NULL && ferror(d->options->out))
            return tl_fault_errno(fault, TL_EXIT_INTERNAL, "output: cannot write");
    }
    return checking(d) ? dump_keys_end(&d->keys) : TL_EXIT_OK;
}

/* ---- the whole ---- */

static tl_exit start(dump *d, tl_fault *fault)
{
    static const tl_openssl_config slots = { .hash_slots = 32, .key_slots = 32 };
    const dump_options *o = d->options;
    tl_exit e = pcap_open(&d->file, o->recording.file, o->recording.name, fault);

    if (e != TL_EXIT_OK)
        return e;
    if (tl_openssl_open(&slots, &d->backend) != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "crypto: cannot be opened");
    d->report =
        (dump_report){ .out = o->out, .format = o->format, .fields = o->fields, .packets = o->packets };
    if (checking(d))
        dump_keys_open(&d->keys, o->keys.file, o->keys.name, &d->report, fault);
    return TL_EXIT_OK;
}

/* Frames that are still open, and interfaces that nothing here reads. */
static void end_ports(dump *d)
{
    for (size_t i = 0; i < d->ports_n; i++) {
        const dump_port *port = &d->ports[i];

        if (port->csi2 != NULL)
            dump_csi2_end(port->csi2);
        else if (port->from != NULL && port->spdm == NULL)
            dump_report_unread(&d->report, port->from, port->packets);
    }
}

/* A file of which nothing could be read is no success. */
static tl_exit judge(const dump *d, tl_fault *fault)
{
    const pcap_interface *unread = NULL;
    bool any = d->has_spdm || d->sums.packets > 0;

    for (size_t i = 0; i < d->ports_n && !any && unread == NULL; i++)
        unread = d->ports[i].from;
    if (unread != NULL)
        return tl_fault_set(
            fault, TL_EXIT_LINK,
            "%.200s: link type %u; %d (CSI-2), %d (SPDM over TCP), %d (MCTP) and %d (PCI DOE) "
            "are known",
            d->options->recording.name, (unsigned)unread->link, (int)PCAP_LINK_CSI2, (int)PCAP_LINK_SPDM_TCP,
            (int)PCAP_LINK_MCTP, (int)PCAP_LINK_DOE);
    return d->report.failed != 0 ? TL_EXIT_REFUSED : TL_EXIT_OK;
}

/* The last lines. What was read before a fault is summed up, too. */
static void sum_up(dump *d)
{
    end_ports(d);
    if (pcap_lost(&d->file) > 0)
        dump_report_lost(&d->report, pcap_lost(&d->file));
    if (d->sums.packets > 0)
        dump_csi2_sum(&d->sums, &d->report);
    if (d->has_spdm || checking(d) || d->sums.packets == 0)
        dump_report_end(&d->report, checking(d));
}

tl_exit dump_run(const dump_options *options, tl_fault *fault)
{
    dump *d = calloc(1, sizeof *d);
    tl_exit e;

    if (d == NULL)
        return no_memory(fault);
    d->options = options;
    e = start(d, fault);
    if (e == TL_EXIT_OK) {
        e = run_packets(d, fault);
        if (e == TL_EXIT_OK || d->sums.packets > 0)
            sum_up(d);
    }
    if (e == TL_EXIT_OK)
        e = judge(d, fault);
    if (options->watch.failed != NULL)
        *options->watch.failed = d->report.failed;
    if (options->watch.lost != NULL)
        *options->watch.lost = pcap_lost(&d->file);
    close_ports(d);
    backend_close(&d->kernels);
    tl_openssl_close(d->backend);
    pcap_close(&d->file);
    tl_wipe(d, sizeof *d);
    free(d);
    return e;
}
