/* Reading pcapng: sections of blocks.
 *
 *   block      type 4 | length 4 | body | length 4       all lengths to the next 4 bytes
 *   section    byte order magic 4 | version 1.0 | length of the section 8 | options
 *   interface  link type 2 | reserved 2 | bytes kept of a packet 4 | options
 *   enhanced   interface 4 | time 8 | bytes here 4 | bytes on the wire 4 | bytes, padded | options
 *   packet     interface 2 | lost 2 | the rest as an enhanced one's; obsolete
 *   simple     bytes on the wire 4 | bytes
 *   statistics interface 4 | time 8 | options
 *   secrets    type 4 | length 4 | secrets, padded | options
 *   option     code 2 | length 2 | value, padded
 *
 * Other blocks are skipped by their length; the section's own length is not needed. */
#include "pcap.h"

#include <stdlib.h>
#include <string.h>

enum {
    MICROSECONDS = 6,                       /* the resolution without the option: 10^-6 */
    TEXT_MAX = 1 << 17,                     /* of an interface's name or comments */
    FRAME = 12,                             /* bytes of a block around its body */
    BLOCK_MAX = PCAP_PACKET_MAX + (1 << 20) /* of a block that is looked into: a packet and its options */
};

/* A block that is in memory. */
typedef struct block {
    uint64_t offset;
    uint32_t type;
    uint8_t *body;
    size_t n; /* of the body */
} block;

typedef struct option {
    uint32_t code;
    tl_span value;
} option;

static size_t padded(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

static tl_exit broken(const pcap *f, uint64_t offset, const char *what, const char *why, tl_fault *fault)
{
    return tl_fault_set(fault, TL_EXIT_LINK, "%.200s: after packet %llu, offset %llu: %s: %s", f->window.name,
                        (unsigned long long)f->packets, (unsigned long long)offset, what, why);
}

static bool is_packet(uint32_t type)
{
    return type == PCAPNG_ENHANCED || type == PCAPNG_SIMPLE || type == PCAPNG_PACKET;
}

static tl_exit bad_block(const pcap *f, const block *b, const char *why, tl_fault *fault)
{
    if (is_packet(b->type))
        return pcap_broken(f, b->offset, why, fault);
    return broken(f, b->offset,
                  b->type == PCAPNG_SECTION      ? "section header"
                  : b->type == PCAPNG_INTERFACE  ? "interface"
                  : b->type == PCAPNG_SECRETS    ? "secrets"
                  : b->type == PCAPNG_STATISTICS ? "statistics"
                                                 : "block",
                  why, fault);
}

/* ---- options ---- */

/* The next one; false at their end. A list may end without a last option. What is cut makes the reader bad. */
static bool next_option(const pcap *f, tl_rd *r, option *o)
{
    size_t n;

    if (r->bad || r->n == 0)
        return false;
    o->code = (uint32_t)tl_get(r, 2, f->order);
    n = (size_t)tl_get(r, 2, f->order);
    o->value = tl_get_bytes(r, n);
    (void)tl_take(r, padded(n) - n);
    return !r->bad && o->code != PCAPNG_OPTION_END;
}

/* Puts text behind *to, in a line of its own. False: no memory. */
static bool append(char **to, tl_span text)
{
    size_t have = strlen(*to), n = strnlen((const char *)text.p, text.n);
    char *grown;

    if (n == 0)
        return true;
    grown = realloc(*to, have + 1 + n + 1);
    if (grown == NULL)
        return false;
    *to = grown;
    if (have > 0)
        grown[have++] = '\n';
    memcpy(grown + have, text.p, n);
    grown[have + n] = '\0';
    return true;
}

/* ---- times ---- */

static uint64_t power_of_ten(unsigned n)
{
    uint64_t v = 1;

    while (n-- > 0)
        v *= 10;
    return v;
}

/* A part of a second in nanoseconds: part / 2^bits, bits below 64. */
static uint64_t binary_part(uint64_t part, unsigned bits)
{
    enum { KEPT = 34 }; /* so many bits times 10^9 fit in 64 */

    if (bits > KEPT) {
        part >>= bits - KEPT;
        bits = KEPT;
    }
    return part * 1000000000u >> bits;
}

static uint64_t nanoseconds(const pcap_interface *from, uint64_t time)
{
    unsigned n = from->resolution & 0x7F;
    uint64_t ns;

    if ((from->resolution & 0x80) != 0 && n < 64)
        ns = (time >> n) * 1000000000u + binary_part(time & (((uint64_t)1 << n) - 1), n);
    else if ((from->resolution & 0x80) != 0 || n > 28) /* finer than all of the 64 bits are long */
        ns = 0;
    else if (n <= 9)
        ns = time * power_of_ten(9 - n);
    else
        ns = time / power_of_ten(n - 9);
    return ns + from->since_s * 1000000000u;
}

/* ---- blocks ---- */

static tl_exit take_interface_option(const pcap *f, const block *b, pcap_interface *one, const option *o,
                                     tl_fault *fault)
{
    tl_rd r = tl_rd_of(o->value);
    bool memory = true;

    /* Comments are put behind each other, one by one. */
    if (o->code == PCAPNG_OPTION_COMMENT && strlen(one->comment) + o->value.n > TEXT_MAX)
        return bad_block(f, b, "more comments than any has", fault);
    if (o->code == PCAPNG_OPTION_NAME && one->name[0] == '\0')
        memory = append(&one->name, o->value);
    else if (o->code == PCAPNG_OPTION_COMMENT)
        memory = append(&one->comment, o->value);
    else if (o->code == PCAPNG_OPTION_RESOLUTION)
        one->resolution = (uint8_t)tl_get(&r, 1, f->order);
    else if (o->code == PCAPNG_OPTION_TIME_OFFSET)
        one->since_s = tl_get(&r, 8, f->order);
    if (!memory)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "%.200s: no memory", f->window.name);
    return r.bad ? bad_block(f, b, "an option that is too short", fault) : TL_EXIT_OK;
}

static tl_exit take_interface(pcap *f, const block *b, tl_fault *fault)
{
    tl_rd r = tl_rd_of(tl_span_of(b->body, b->n));
    uint32_t link = (uint32_t)tl_get(&r, 2, f->order), longest;
    pcap_interface *one;
    option o;
    tl_exit e = TL_EXIT_OK;

    (void)tl_take(&r, 2);
    longest = (uint32_t)tl_get(&r, 4, f->order);
    if (r.bad)
        return bad_block(f, b, "shorter than its fields", fault);
    if (f->interface_n >= PCAP_INTERFACES_MAX)
        return bad_block(f, b, "too many of them", fault);
    one = pcap_interface_add(f, link);
    if (one == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "%.200s: no memory", f->window.name);
    one->longest = longest;
    one->resolution = MICROSECONDS;
    while (e == TL_EXIT_OK && next_option(f, &r, &o))
        e = take_interface_option(f, b, one, &o, fault);
    return e == TL_EXIT_OK && r.bad ? bad_block(f, b, "an option that is cut", fault) : e;
}

static tl_exit take_secrets(const pcap *f, const block *b, tl_fault *fault)
{
    tl_rd r = tl_rd_of(tl_span_of(b->body, b->n));
    uint32_t type = (uint32_t)tl_get(&r, 4, f->order);
    tl_span secrets = tl_get_bytes(&r, (size_t)tl_get(&r, 4, f->order));

    if (r.bad)
        return bad_block(f, b, "shorter than its secrets", fault);
    if (f->on_secrets != NULL)
        f->on_secrets(f->context, type, secrets);
    return TL_EXIT_OK;
}

/* False: the option is too short. */
static bool take_packet_option(const pcap *f, const option *o, pcap_packet *p)
{
    tl_rd value = tl_rd_of(o->value);
    uint64_t flags;

    if (o->code == PCAPNG_OPTION_COMMENT && p->comment.n == 0)
        p->comment = o->value;
    if (o->code == PCAPNG_OPTION_LOST_BEFORE)
        p->lost = pcap_lost_sum(0, tl_get(&value, 8, f->order));
    if (o->code == PCAPNG_OPTION_FLAGS) {
        flags = tl_get(&value, 4, f->order);
        p->direction = (flags & 3) == 3 ? PCAP_NOT_SAID : (pcap_direction)(flags & 3);
    }
    return !value.bad;
}

/* Options behind a packet's bytes. */
static tl_exit take_packet_options(const pcap *f, const block *b, tl_rd r, pcap_packet *p, tl_fault *fault)
{
    option o;

    while (next_option(f, &r, &o))
        if (!take_packet_option(f, &o, p))
            return bad_block(f, b, "an option that is too short", fault);
    return r.bad ? bad_block(f, b, "an option that is cut", fault) : TL_EXIT_OK;
}

/* Finds the interface, which is the section's. */
static tl_exit take_from(const pcap *f, const block *b, uint64_t index, pcap_packet *p, tl_fault *fault)
{
    if (index >= f->interface_n - f->section_first)
        return bad_block(f, b, "its interface is none of the section's", fault);
    p->from = f->interfaces[f->section_first + (uint32_t)index];
    return TL_EXIT_OK;
}

/* What an interface's statistics say is of all of it, what stands between packets included. */
static tl_exit take_statistics(const pcap *f, const block *b, tl_fault *fault)
{
    tl_rd r = tl_rd_of(tl_span_of(b->body, b->n));
    const uint64_t index = tl_get(&r, 4, f->order);
    option o;

    (void)tl_take(&r, 8);
    if (r.bad)
        return bad_block(f, b, "shorter than its fields", fault);
    if (index >= f->interface_n - f->section_first)
        return bad_block(f, b, "their interface is none of the section's", fault);
    while (next_option(f, &r, &o)) {
        tl_rd value = tl_rd_of(o.value);
        pcap_interface *of = f->interfaces[f->section_first + (uint32_t)index];
        const uint64_t lost =
            o.code == PCAPNG_OPTION_DROPPED ? pcap_lost_sum(0, tl_get(&value, 8, f->order)) : 0;

        if (value.bad)
            return bad_block(f, b, "an option that is too short", fault);
        of->lost = lost > of->lost ? lost : of->lost;
    }
    return r.bad ? bad_block(f, b, "an option that is cut", fault) : TL_EXIT_OK;
}

/* What stands before the bytes. */
static tl_exit take_packet_header(const pcap *f, const block *b, tl_rd *r, pcap_packet *p, tl_fault *fault)
{
    uint64_t index = 0, time = 0, here = 0, high;
    bool simple = b->type == PCAPNG_SIMPLE;
    tl_exit e;

    if (!simple) {
        index = tl_get(r, b->type == PCAPNG_PACKET ? 2 : 4, f->order);
        (void)tl_take(r, b->type == PCAPNG_PACKET ? 2 : 0);
        high = tl_get(r, 4, f->order);
        time = high << 32 | tl_get(r, 4, f->order);
        here = tl_get(r, 4, f->order);
    }
    p->wire_n = (size_t)tl_get(r, 4, f->order);
    if (r->bad)
        return bad_block(f, b, "shorter than its fields", fault);
    e = take_from(f, b, index, p, fault);
    if (e != TL_EXIT_OK)
        return e;
    if (simple)
        here = p->from->longest > 0 && p->wire_n > p->from->longest ? p->from->longest : p->wire_n;
    else
        p->time_ns = nanoseconds(p->from, time);
    p->n = (size_t)here;
    if (here > PCAP_PACKET_MAX)
        return bad_block(f, b, "it claims to be longer than any message", fault);
    if (here > p->wire_n)
        return bad_block(f, b, "it claims to be longer than it was on the wire", fault);
    return TL_EXIT_OK;
}

static tl_exit take_packet(const pcap *f, const block *b, pcap_packet *p, tl_fault *fault)
{
    tl_rd r = tl_rd_of(tl_span_of(b->body, b->n));
    pcap_interface *from;
    tl_exit e;

    *p = (pcap_packet){ .number = f->packets, .offset = b->offset };
    e = take_packet_header(f, b, &r, p, fault);
    if (e != TL_EXIT_OK)
        return e;
    p->p = b->body + (b->n - r.n);
    p->bytes_at = b->offset + 8 + (b->n - r.n);
    (void)tl_take(&r, p->n);
    (void)tl_take(&r, padded(p->n) - p->n);
    if (r.bad)
        return bad_block(f, b, "it claims to be longer than its block", fault);
    e = b->type == PCAPNG_SIMPLE ? TL_EXIT_OK : take_packet_options(f, b, r, p, fault);
    from = f->interfaces[p->from->index];
    from->lost = pcap_lost_sum(from->lost, p->lost);
    return e;
}

/* ---- block by block ---- */

/* The byte order of the section that begins, from behind its length. */
static tl_exit take_order(pcap *f, const uint8_t *p, size_t n, tl_fault *fault)
{
    uint64_t magic;
    tl_rd r;

    for (tl_order order = TL_LITTLE; n >= FRAME && order <= TL_BIG; order++) {
        r = tl_rd_of(tl_span_of(p + 8, 4));
        magic = tl_get(&r, 4, order);
        if (magic != PCAPNG_ORDER_MAGIC)
            continue;
        f->order = order;
        return TL_EXIT_OK;
    }
    return broken(f, f->window.offset, "section header", n < FRAME ? "cut" : "its byte order is none", fault);
}

static tl_exit check_section(pcap *f, const block *b, tl_fault *fault)
{
    tl_rd r = tl_rd_of(tl_span_of(b->body, b->n));
    uint64_t major;

    (void)tl_take(&r, 4);
    major = tl_get(&r, 2, f->order);
    (void)tl_take(&r, 2 + 8);
    if (r.bad)
        return bad_block(f, b, "shorter than its fields", fault);
    if (major != 1)
        return bad_block(f, b, "a version that is not known", fault);
    f->section_first = f->interface_n;
    f->sections++;
    return TL_EXIT_OK;
}

static bool looked_into(uint32_t type)
{
    return is_packet(type) || type == PCAPNG_SECTION || type == PCAPNG_INTERFACE || type == PCAPNG_SECRETS ||
           type == PCAPNG_STATISTICS;
}

static tl_exit check_length(const pcap *f, const block *b, uint64_t length, tl_fault *fault)
{
    if (length < FRAME || length % 4 != 0)
        return bad_block(f, b, "a length that no block has", fault);
    if (looked_into(b->type) && length > BLOCK_MAX)
        return bad_block(f, b, "it claims to be longer than any", fault);
    return TL_EXIT_OK;
}

/* Brings a whole block in, and goes on behind it; one that nobody knows is left out. */
static tl_exit bring(pcap *f, block *b, uint32_t length, tl_fault *fault)
{
    uint8_t *p;
    size_t want = looked_into(b->type) ? length : 4, n;
    bool whole;
    tl_rd r;
    tl_exit e = pcap_window_skip(&f->window, length - want, &whole, fault);

    if (e == TL_EXIT_OK)
        e = pcap_window_look(&f->window, want, &p, &n, fault);
    if (e != TL_EXIT_OK)
        return e;
    if (!whole || n < want)
        return bad_block(f, b, "the file ends inside of its bytes", fault);
    pcap_window_take(&f->window, want);
    r = tl_rd_of(tl_span_of(p + want - 4, 4));
    if (tl_get(&r, 4, f->order) != length)
        return bad_block(f, b, "its two lengths differ", fault);
    if (want == length) {
        b->body = p + 8;
        b->n = length - FRAME;
    }
    return TL_EXIT_OK;
}

/* The next block; *more = false: there is none. */
static tl_exit next_block(pcap *f, block *b, bool *more, tl_fault *fault)
{
    uint8_t *p;
    size_t n;
    uint32_t length;
    tl_rd r;
    tl_exit e = pcap_window_look(&f->window, FRAME, &p, &n, fault);

    *more = false;
    if (e != TL_EXIT_OK || n == 0)
        return e;
    r = tl_rd_of(tl_span_of(p, n));
    *b = (block){ .offset = f->window.offset, .type = (uint32_t)tl_get(&r, 4, f->order) };
    if (b->type == PCAPNG_SECTION)
        e = take_order(f, p, n, fault);
    if (e != TL_EXIT_OK)
        return e;
    length = (uint32_t)tl_get(&r, 4, f->order);
    f->packets += is_packet(b->type);
    if (n < FRAME)
        return bad_block(f, b, "the file ends inside of its header", fault);
    e = check_length(f, b, length, fault);
    if (e == TL_EXIT_OK)
        e = bring(f, b, length, fault);
    *more = e == TL_EXIT_OK;
    return e;
}

tl_exit pcapng_section(pcap *f, tl_fault *fault)
{
    block b;
    bool more;
    tl_exit e = next_block(f, &b, &more, fault);

    return e == TL_EXIT_OK ? check_section(f, &b, fault) : e;
}

tl_exit pcapng_next(pcap *f, pcap_packet *p, bool *more, tl_fault *fault)
{
    block b;
    tl_exit e = TL_EXIT_OK;

    while (e == TL_EXIT_OK) {
        e = next_block(f, &b, more, fault);
        if (e != TL_EXIT_OK || !*more)
            return e;
        *more = false;
        if (is_packet(b.type)) {
            e = take_packet(f, &b, p, fault);
            *more = e == TL_EXIT_OK;
            return e;
        }
        if (b.type == PCAPNG_SECTION)
            e = check_section(f, &b, fault);
        else if (b.type == PCAPNG_INTERFACE)
            e = take_interface(f, &b, fault);
        else if (b.type == PCAPNG_SECRETS)
            e = take_secrets(f, &b, fault);
        else if (b.type == PCAPNG_STATISTICS)
            e = take_statistics(f, &b, fault);
    }
    return e;
}
