#include "dump_csi2.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <trueline/layout/ids.h>
#include <trueline/messages.h>

enum { TELLING = 400, NAME = 40 };

dump_csi2 *dump_csi2_new(const pcap_interface *from, const tl_crypto *crypto, dump_report *report,
                         dump_csi2_sums *sums)
{
    dump_csi2 *d = calloc(1, sizeof *d);
    const char *text;
    tl_fault ignored;
    size_t n;

    if (d == NULL)
        return NULL;
    d->crypto = crypto;
    d->report = report;
    d->sums = sums;
    text = pcap_comment_value(from, "stream", &n);
    /* A configuration that cannot be read costs the sizes of footers alone. */
    d->known = text != NULL &&
               stream_file_parse_public(&d->file, "stream", tl_span_of(text, n), &ignored) == TL_EXIT_OK;
    return d;
}

static dump_direction direction_of(pcap_direction direction)
{
    return direction == PCAP_OUTBOUND  ? DUMP_REQUEST
           : direction == PCAP_INBOUND ? DUMP_RESPONSE
                                       : DUMP_UNKNOWN;
}

/* ---- frames ---- */

static const char *type_name(const dump_csi2_type *t)
{
    return t->inside && t->type == TL_SEP_SERVICE_TYPE ? "begin and end" : tl_data_type_text(t->type);
}

static json_t *frame_fields(const dump_csi2_frame *f)
{
    json_t *types = json_object();

    for (size_t i = 0; i < f->types_n; i++) {
        const char *name = type_name(&f->types[i]);
        json_int_t before = json_integer_value(json_object_get(types, name));

        (void)json_object_set_new(types, name, json_integer(before + f->types[i].n));
    }
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:o}", "packets", (json_int_t)f->packets, "bytes",
                     (json_int_t)f->bytes, "ecc_corrected", (json_int_t)f->corrected, "ecc_bad",
                     (json_int_t)f->ecc, "crc_bad", (json_int_t)f->crc, "types", types);
}

/* Puts "before N what" behind what is there. */
static size_t add_text(char text[TELLING], size_t at, const char *before, uint64_t n, const char *what)
{
    int wrote = at < TELLING ? snprintf(text + at, TELLING - at, "%s%" PRIu64 " %s", before, n, what) : 0;

    return at + (size_t)(wrote > 0 ? wrote : 0);
}

static void frame_text(const dump_csi2_frame *f, char text[TELLING])
{
    size_t at = add_text(text, 0, "", f->packets, "packets");

    for (size_t i = 0; i < f->types_n; i++)
        at = add_text(text, at, i == 0 ? ": " : ", ", f->types[i].n, type_name(&f->types[i]));
    if (f->corrected > 0)
        at = add_text(text, at, "; ", f->corrected, "corrected by ECC");
    if (f->ecc > 0)
        at = add_text(text, at, "; ", f->ecc, "with bad ECC");
    if (f->crc > 0)
        (void)add_text(text, at, "; ", f->crc, "with bad CRC-16");
}

/* What was collected becomes a line; nothing does not. */
static void close_frame(dump_csi2 *d, unsigned channel, bool ended)
{
    dump_csi2_frame *f = &d->frames[channel];
    char name[NAME], place[8], text[TELLING];
    dump_line line = { .offset = f->offset, .time_ns = f->time_ns, .size = f->bytes, .telling = text };
    uint64_t packet = d->report->message;

    if (f->packets == 0)
        return;
    d->sums->frames += f->open;
    if (!d->report->packets || d->report->format == DUMP_JSON) {
        if (!f->open)
            (void)snprintf(name, sizeof name, "between frames");
        else
            (void)snprintf(name, sizeof name, "frame %" PRIu32 "%s", f->number, ended ? "" : ", no end");
        (void)snprintf(place, sizeof place, "vc%u", channel);
        frame_text(f, text);
        line.name = name;
        line.channel = place;
        line.direction = direction_of(f->direction);
        line.fields = d->report->format == DUMP_JSON ? frame_fields(f) : NULL;
        d->report->message = f->first;
        dump_report_line(d->report, &line);
        d->report->message = packet;
    }
    memset(f, 0, sizeof *f);
}

static void count_type(dump_csi2_frame *f, uint8_t type, bool inside)
{
    size_t i = 0;

    while (i < f->types_n && (f->types[i].type != type || f->types[i].inside != inside))
        i++;
    if (i == DUMP_CSI2_TYPES)
        return;
    f->types[i] = (dump_csi2_type){ type, inside, f->types[i].n + 1 };
    f->types_n += i == f->types_n;
}

/* ---- packets ---- */

static void count_packet(dump_csi2 *d, dump_csi2_frame *f, const tl_csi2_packet *c, const pcap_packet *p,
                         const dump_line *line)
{
    bool crc_bad = c->ecc != TL_CSI2_ECC_BAD && !c->crc_right;

    if (f->packets == 0) {
        f->first = p->number;
        f->offset = line->offset;
        f->time_ns = line->time_ns;
        f->direction = p->direction;
    }
    f->packets++;
    f->bytes += p->n;
    f->corrected += c->ecc == TL_CSI2_ECC_CORRECTED;
    f->ecc += c->ecc == TL_CSI2_ECC_BAD;
    f->crc += crc_bad;
    d->sums->packets++;
    d->sums->bytes += p->n;
    d->sums->corrected += c->ecc == TL_CSI2_ECC_CORRECTED;
    d->sums->ecc += c->ecc == TL_CSI2_ECC_BAD;
    d->sums->crc += crc_bad;
    d->sums->cut += p->n < p->wire_n;
}

/* Reads the packet with the fastest checksum that is here. */
static void read_packet(const dump_csi2 *d, const pcap_packet *p, tl_csi2_packet *c)
{
    uint16_t (*fast)(uint16_t, tl_span) = d->crypto->ops->crc16;

    if (fast == NULL) {
        tl_csi2_read(tl_span_of(p->p, p->n), c);
        return;
    }
    tl_csi2_read_header(tl_span_of(p->p, p->n), c);
    if (c->ecc != TL_CSI2_ECC_BAD && c->crc_right && !tl_csi2_is_short(c->header.data_type))
        c->crc_right = fast(TL_CSI2_CRC_START, c->payload) == c->crc;
}

void dump_csi2_packet(dump_csi2 *d, const pcap_packet *p, dump_line *line)
{
    tl_csi2_packet c;
    tl_sep_header h;
    tl_rd behind;
    dump_csi2_frame *f;
    bool starts, ends;

    read_packet(d, p, &c);
    if (c.ecc != TL_CSI2_ECC_BAD)
        d->channel = c.header.virtual_channel;
    starts = c.ecc != TL_CSI2_ECC_BAD && c.header.data_type == TL_DT_FRAME_START;
    ends = c.ecc != TL_CSI2_ECC_BAD && c.header.data_type == TL_DT_FRAME_END;
    if (starts)
        close_frame(d, d->channel, false);
    f = &d->frames[d->channel];
    count_packet(d, f, &c, p, line);
    if (starts) {
        f->open = true;
        f->number = c.header.word_count;
    }
    if (dump_csi2_service(&c, &h, &behind)) {
        count_type(f, (uint8_t)h.data_type, true);
        if (!f->numbered && c.crc_right)
            f->number = h.frame;
        f->numbered |= c.crc_right;
    } else if (c.ecc != TL_CSI2_ECC_BAD && !starts && !ends) {
        count_type(f, c.header.data_type, false);
    }
    if (d->report->packets) {
        line->size = p->n;
        line->direction = direction_of(p->direction);
        dump_csi2_tell(d, &c, line);
    }
    if (ends)
        close_frame(d, d->channel, true);
}

void dump_csi2_end(dump_csi2 *d)
{
    for (unsigned i = 0; i < TL_CSI2_CHANNELS; i++)
        close_frame(d, i, false);
}

void dump_csi2_sum(const dump_csi2_sums *s, const dump_report *r)
{
    char text[200];

    (void)snprintf(text, sizeof text,
                   "csi2: frames=%" PRIu64 " packets=%" PRIu64 " bytes=%" PRIu64 " ecc_corrected=%" PRIu64
                   " ecc_bad=%" PRIu64 " crc_bad=%" PRIu64 " cut=%" PRIu64,
                   s->frames, s->packets, s->bytes, s->corrected, s->ecc, s->crc, s->cut);
    dump_report_sum(r, text,
                    json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "sum", "csi2", "frames",
                              (json_int_t)s->frames, "packets", (json_int_t)s->packets, "bytes",
                              (json_int_t)s->bytes, "ecc_corrected", (json_int_t)s->corrected, "ecc_bad",
                              (json_int_t)s->ecc, "crc_bad", (json_int_t)s->crc, "cut", (json_int_t)s->cut));
}
