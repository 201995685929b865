/* Reading captures: what both formats share, and classic pcap.
 *
 *   file    magic 4 | version 2.4 | zone 4 | accuracy 4 | longest packet 4 | link type 4 | packets
 *   packet  seconds 4 | fraction 4 | bytes here 4 | bytes on the wire 4 | bytes
 *
 * Zone and accuracy are 0 in every file that is written today, and are not looked at. */
#include "pcap.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_HEADER = 24, PACKET_HEADER = 16, LINK_BITS = 0x0FFFFFFF };

static const struct {
    uint32_t magic, fraction_max;
} magics[] = { { 0xA1B2C3D4, 1000000 }, { 0xA1B23C4D, 1000000000 } };

static const uint32_t ng_magic = 0x0A0D0D0A; /* the same in either byte order */

pcap_interface *pcap_interface_add(pcap *f, uint32_t link)
{
    pcap_interface *one;

    if (f->interface_n == f->interface_room) {
        uint32_t room = f->interface_room == 0 ? 4 : 2 * f->interface_room;
        pcap_interface **grown = realloc(f->interfaces, room * sizeof(*grown));

        if (grown == NULL)
            return NULL;
        f->interfaces = grown;
        f->interface_room = room;
    }
    one = calloc(1, sizeof *one);
    if (one == NULL)
        return NULL;
    one->name = calloc(1, 1);
    one->comment = calloc(1, 1);
    one->index = f->interface_n;
    one->link = link;
    one->section = f->sections;
    f->interfaces[f->interface_n++] = one;
    return one->name != NULL && one->comment != NULL ? one : NULL;
}

const char *pcap_comment_value(const pcap_interface *from, const char *key, size_t *n)
{
    size_t key_n = strlen(key);

    for (const char *line = from->comment; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, key_n) != 0 || line[key_n] != '=')
            continue;
        line += key_n + 1;
        *n = strcspn(line, "\n");
        return line;
    }
    return NULL;
}

bool pcap_comment_says(const pcap_interface *from, const char *key, const char *value)
{
    size_t n;
    const char *text = pcap_comment_value(from, key, &n);

    return text != NULL && n == strlen(value) && memcmp(text, value, n) == 0;
}

tl_exit pcap_broken(const pcap *f, uint64_t offset, const char *why, tl_fault *fault)
{
    return tl_fault_set(fault, TL_EXIT_LINK, "%.200s: packet %llu at offset %llu: %s", f->window.name,
                        (unsigned long long)f->packets, (unsigned long long)offset, why);
}

/* ---- the file's header ---- */

static bool take_magic(pcap *f, tl_rd *r)
{
    tl_rd again = *r;
    uint64_t little = tl_get(r, 4, TL_LITTLE), big = tl_get(&again, 4, TL_BIG);

    f->ng = little == ng_magic;
    if (f->ng)
        return true;
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        if (magics[i].magic != little && magics[i].magic != big)
            continue;
        f->order = magics[i].magic == little ? TL_LITTLE : TL_BIG;
        f->fraction_max = magics[i].fraction_max;
        return true;
    }
    return false;
}

static tl_exit open_classic(pcap *f, tl_rd r, tl_fault *fault)
{
    size_t n = r.n + 4;
    uint64_t major = tl_get(&r, 2, f->order), minor = tl_get(&r, 2, f->order);
    uint32_t link;

    (void)tl_take(&r, 4 + 4 + 4);
    link = (uint32_t)tl_get(&r, 4, f->order) & LINK_BITS;
    if (r.bad)
        return tl_fault_set(fault, TL_EXIT_LINK, "%.200s: offset %zu: the file ends inside of its header",
                            f->window.name, n);
    if (major != 2 || minor != 4)
        return tl_fault_set(fault, TL_EXIT_LINK, "%.200s: offset 4: pcap version %u.%u; 2.4 is known",
                            f->window.name, (unsigned)major, (unsigned)minor);
    if (pcap_interface_add(f, link) == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "%.200s: no memory", f->window.name);
    pcap_window_take(&f->window, FILE_HEADER);
    return TL_EXIT_OK;
}

FILE *pcap_file(const char *path)
{
    FILE *in = fopen(path, "rb");

    if (in != NULL)
        (void)setvbuf(in, NULL, _IONBF, 0);
    return in;
}

tl_exit pcap_open(pcap *f, FILE *in, const char *name, tl_fault *fault)
{
    uint8_t *header;
    size_t n;
    tl_rd r;
    tl_exit e;

    *f = (pcap){ 0 };
    pcap_window_open(&f->window, in, name);
    e = pcap_window_look(&f->window, FILE_HEADER, &header, &n, fault);
    if (e != TL_EXIT_OK)
        return e;
    r = tl_rd_of(tl_span_of(header, n));
    if (n < 4 || !take_magic(f, &r))
        return tl_fault_set(fault, TL_EXIT_LINK, "%.200s: offset 0: no pcap file", name);
    return f->ng ? pcapng_section(f, fault) : open_classic(f, r, fault);
}

/* ---- packets ---- */

/* Fills in number, offset, time and sizes. */
static tl_exit take_header(pcap *f, tl_rd r, pcap_packet *p, tl_fault *fault)
{
    uint64_t seconds = tl_get(&r, 4, f->order), fraction = tl_get(&r, 4, f->order);
    uint64_t here = tl_get(&r, 4, f->order), on_wire = tl_get(&r, 4, f->order);

    *p = (pcap_packet){ .number = f->packets,
                        .offset = f->window.offset,
                        .bytes_at = f->window.offset + PACKET_HEADER,
                        .from = f->interfaces[0],
                        .n = (size_t)here,
                        .wire_n = (size_t)on_wire };
    p->time_ns = seconds * 1000000000u + fraction * (1000000000u / f->fraction_max);
    if (r.bad)
        return pcap_broken(f, p->offset, "the file ends inside of its header", fault);
    if (fraction >= f->fraction_max)
        return pcap_broken(f, p->offset, "its time is none", fault);
    if (here > PCAP_PACKET_MAX)
        return pcap_broken(f, p->offset, "it claims to be longer than any message", fault);
    if (here > on_wire)
        return pcap_broken(f, p->offset, "it claims to be longer than it was on the wire", fault);
    return TL_EXIT_OK;
}

static tl_exit classic_next(pcap *f, pcap_packet *p, bool *more, tl_fault *fault)
{
    uint8_t *at;
    size_t n;
    tl_exit e = pcap_window_look(&f->window, PACKET_HEADER, &at, &n, fault);

    if (e != TL_EXIT_OK || n == 0)
        return e;
    f->packets++;
    e = take_header(f, tl_rd_of(tl_span_of(at, n)), p, fault);
    if (e == TL_EXIT_OK)
        e = pcap_window_look(&f->window, PACKET_HEADER + p->n, &at, &n, fault);
    if (e != TL_EXIT_OK)
        return e;
    if (n < PACKET_HEADER + p->n)
        return pcap_broken(f, p->offset, "the file ends inside of its bytes", fault);
    pcap_window_take(&f->window, n);
    p->p = at + PACKET_HEADER;
    *more = true;
    return TL_EXIT_OK;
}

tl_exit pcap_next(pcap *f, pcap_packet *p, bool *more, tl_fault *fault)
{
    *more = false;
    *p = (pcap_packet){ 0 };
    return f->ng ? pcapng_next(f, p, more, fault) : classic_next(f, p, more, fault);
}

uint64_t pcap_lost_sum(uint64_t a, uint64_t b)
{
    return a > PCAP_LOST_MAX || b > PCAP_LOST_MAX - a ? PCAP_LOST_MAX : a + b;
}

uint64_t pcap_lost(const pcap *f)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < f->interface_n; i++)
        sum = pcap_lost_sum(sum, f->interfaces[i]->lost);
    return sum;
}

void pcap_close(pcap *f)
{
    for (uint32_t i = 0; i < f->interface_n; i++) {
        free(f->interfaces[i]->name);
        free(f->interfaces[i]->comment);
        free(f->interfaces[i]);
    }
    free(f->interfaces);
    pcap_window_close(&f->window);
    *f = (pcap){ 0 };
}
