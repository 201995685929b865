/* Reading pcap files.
 *
 *   file    magic 4 | version 2.4 | zone 4 | accuracy 4 | longest packet 4 | link type 4 | packets
 *   packet  seconds 4 | fraction 4 | bytes here 4 | bytes on the wire 4 | bytes
 *
 * The buffer grows as bytes arrive, never by what a header claims, so a file takes no more memory than it
 * is long. */
#include "pcap.h"

#include <stdlib.h>

enum { FILE_HEADER = 24, PACKET_HEADER = 16, STEP = 65536, LINK_BITS = 0x0FFFFFFF };

static const struct {
    uint32_t magic, fraction_max;
} magics[] = { { 0xA1B2C3D4, 1000000 }, { 0xA1B23C4D, 1000000000 } };

static bool take_magic(pcap *f, tl_rd *r)
{
    tl_rd again = *r;
    uint64_t little = tl_get(r, 4, TL_LITTLE), big = tl_get(&again, 4, TL_BIG);

    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        if (magics[i].magic != little && magics[i].magic != big)
            continue;
        f->order = magics[i].magic == little ? TL_LITTLE : TL_BIG;
        f->fraction_max = magics[i].fraction_max;
        return true;
    }
    return false;
}

tl_exit pcap_open(pcap *f, FILE *in, const char *name, tl_fault *fault)
{
    uint8_t header[FILE_HEADER];
    size_t n = fread(header, 1, sizeof header, in);
    tl_rd r = tl_rd_of(tl_span_of(header, n));
    uint64_t major, minor;

    *f = (pcap){ .in = in, .name = name, .offset = FILE_HEADER };
    if (n < 4 || !take_magic(f, &r))
        return tl_fault_set(fault, TL_EXIT_LINK, "%.200s: offset 0: no pcap file", name);
    major = tl_get(&r, 2, f->order);
    minor = tl_get(&r, 2, f->order);
    (void)tl_take(&r, 4 + 4 + 4);
    f->link = (uint32_t)tl_get(&r, 4, f->order) & LINK_BITS;
    if (r.bad)
        return tl_fault_set(fault, TL_EXIT_LINK, "%.200s: offset %zu: the file ends inside of its header",
                            name, n);
    if (major != 2 || minor != 4)
        return tl_fault_set(fault, TL_EXIT_LINK, "%.200s: offset 4: pcap version %u.%u; 2.4 is known", name,
                            (unsigned)major, (unsigned)minor);
    return TL_EXIT_OK;
}

static tl_exit broken(const pcap *f, uint64_t offset, const char *why, tl_fault *fault)
{
    return tl_fault_set(fault, TL_EXIT_LINK, "%.200s: packet %llu at offset %llu: %s", f->name,
                        (unsigned long long)f->packets, (unsigned long long)offset, why);
}

/* The n bytes of a packet into the buffer. */
static tl_exit take_bytes(pcap *f, const pcap_packet *p, size_t n, tl_fault *fault)
{
    size_t have = 0;

    while (have < n || f->buffer == NULL) {
        size_t step = n - have < STEP ? n - have : STEP;

        if (have + step > f->room || f->buffer == NULL) {
            size_t room = have + STEP;
            uint8_t *grown = realloc(f->buffer, room);

            if (grown == NULL)
                return tl_fault_set(fault, TL_EXIT_INTERNAL, "%.200s: packet %llu: no memory", f->name,
                                    (unsigned long long)f->packets);
            f->buffer = grown;
            f->room = room;
        }
        if (fread(f->buffer + have, 1, step, f->in) != step)
            return broken(f, p->offset, "the file ends inside of its bytes", fault);
        have += step;
    }
    return TL_EXIT_OK;
}

/* Fills in number, offset, time and size. */
static tl_exit take_header(pcap *f, tl_rd r, pcap_packet *p, tl_fault *fault)
{
    uint64_t seconds = tl_get(&r, 4, f->order), fraction = tl_get(&r, 4, f->order);
    uint64_t here = tl_get(&r, 4, f->order), on_wire = tl_get(&r, 4, f->order);

    *p = (pcap_packet){ .number = f->packets, .offset = f->offset, .n = (size_t)here };
    p->time_ns = seconds * 1000000000u + fraction * (1000000000u / f->fraction_max);
    if (r.bad)
        return broken(f, p->offset, "the file ends inside of its header", fault);
    if (fraction >= f->fraction_max)
        return broken(f, p->offset, "its time is none", fault);
    if (here > PCAP_PACKET_MAX)
        return broken(f, p->offset, "it claims to be longer than any message", fault);
    if (here != on_wire)
        return broken(f, p->offset, "it was not recorded whole", fault);
    return TL_EXIT_OK;
}

tl_exit pcap_next(pcap *f, pcap_packet *p, bool *more, tl_fault *fault)
{
    uint8_t header[PACKET_HEADER];
    size_t n = fread(header, 1, sizeof header, f->in);
    tl_exit e;

    *more = false;
    *p = (pcap_packet){ 0 };
    if (ferror(f->in))
        return tl_fault_errno(fault, TL_EXIT_LINK, "%.200s: offset %llu", f->name,
                              (unsigned long long)f->offset);
    if (n == 0)
        return TL_EXIT_OK;
    f->packets++;
    e = take_header(f, tl_rd_of(tl_span_of(header, n)), p, fault);
    if (e == TL_EXIT_OK)
        e = take_bytes(f, p, p->n, fault);
    if (e != TL_EXIT_OK)
        return e;
    f->offset += PACKET_HEADER + p->n;
    p->p = f->buffer;
    *more = true;
    return TL_EXIT_OK;
}

void pcap_close(pcap *f)
{
    free(f->buffer);
    *f = (pcap){ 0 };
}
