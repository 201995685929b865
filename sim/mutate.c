/* Changes to packets. Each is made on a copy; what of it is checked by a checksum is put right by chance, in full, in part or
 * not at all. */
#include "mutate.h"

#include <trueline/messages.h>

#include <stdlib.h>
#include <string.h>

enum { BITS_MOST = 8, ADDED_MOST = 64, NOISE_MOST = 200, HELD_US_MOST = 400, BITS = 8 };

static const char *const texts[] = {
#define STREAM_MUTATION(name, text) text,
#define SPDM_MUTATION(name, text)
#include "mutations.def"
#undef STREAM_MUTATION
#undef SPDM_MUTATION
};

/* ---- changes to any bytes ---- */

void tl_mutate_bits(tl_world *world, uint8_t *p, size_t n)
{
    for (size_t left = 1 + tl_world_below(world, BITS_MOST); left > 0 && n > 0; left--) {
        const unsigned bit = 1u << tl_world_below(world, BITS);

        p[tl_world_below(world, n)] ^= (uint8_t)bit;
    }
}

size_t tl_mutate_cut(tl_world *world, uint8_t *p, size_t n)
{
    const size_t off = n > 0 ? 1 + tl_world_below(world, n) : 0;
    const size_t at = tl_world_below(world, 2) == 0 ? n - off : tl_world_below(world, n - off + 1);

    memmove(p + at, p + at + off, n - at - off);
    return n - off;
}

size_t tl_mutate_lengthen(tl_world *world, uint8_t *p, size_t n, size_t most)
{
    const size_t added = 1 + tl_world_below(world, ADDED_MOST), at = tl_world_below(world, n + 1);

    if (n + added > most)
        return n;
    memmove(p + at + added, p + at, n - at);
    for (size_t i = 0; i < added; i++)
        p[at + i] = (uint8_t)tl_world_random(world);
    return n + added;
}

/* ---- what he has seen ---- */

void tl_seen_add(tl_seen *seen, tl_span packet)
{
    tl_buffer *slot = &seen->packets[seen->n++ % TL_MUTATE_SEEN];

    free(slot->p);
    slot->p = tl_world_get(packet.n);
    memcpy(slot->p, packet.p, packet.n);
    slot->n = packet.n;
}

void tl_seen_free(tl_seen *seen)
{
    for (size_t i = 0; i < TL_MUTATE_SEEN; i++)
        free(seen->packets[i].p);
    memset(seen, 0, sizeof *seen);
}

/* One of them; none: an empty one. */
static tl_span one_of(const tl_mutator *m, const tl_seen *seen)
{
    const size_t n = seen == NULL ? 0 : seen->n < TL_MUTATE_SEEN ? seen->n : TL_MUTATE_SEEN;
    const tl_buffer *b;

    if (n == 0)
        return tl_span_of(NULL, 0);
    b = &seen->packets[tl_world_below(m->world, n)];
    return tl_span_of(b->p, b->n);
}

/* ---- changes ---- */

static void put(tl_mutator *m, tl_span packet)
{
    m->n = packet.n < sizeof m->bytes ? packet.n : sizeof m->bytes;
    if (m->n > 0)
        memcpy(m->bytes, packet.p, m->n);
}

static void flip(tl_mutator *m, size_t from)
{
    tl_mutate_bits(m->world, m->bytes + from, m->n > from ? m->n - from : 0);
}

static bool read_service(tl_span packet, tl_sep_header *h)
{
    static const tl_env env;
    tl_rd r = tl_rd_of(tl_span_of(packet.p + TL_CSI2_HEADER_SIZE, TL_SEP_HEADER_SIZE));

    return packet.n >= TL_SEP_BEFORE && tl_decode_sep_header(&env, &r, h) == TL_OK;
}

static void write_service(tl_mutator *m, const tl_sep_header *h)
{
    static const tl_env env;
    tl_wr w = tl_wr_of(m->bytes + TL_CSI2_HEADER_SIZE, TL_SEP_HEADER_SIZE);

    if (tl_encode_sep_header(&env, h, &w) != TL_OK) /* wider than its field: any byte, turned over */
        m->bytes[TL_CSI2_HEADER_SIZE + tl_world_below(m->world, TL_SEP_HEADER_SIZE)] ^= 0xFF;
}

static uint32_t edge(const tl_mutator *m, uint32_t was)
{
    static const uint32_t edges[] = { 0, 1, 3, 0xF, 0xFF, 0xFFFF, 0xFFFFFFFF, 0x80, 0x8000, 0x80000000 };
    const size_t pick = tl_world_below(m->world, 4);

    if (pick == 0)
        return was + 1;
    if (pick == 1)
        return was - 1;
    if (pick == 2)
        return (uint32_t)tl_world_random(m->world);
    return edges[tl_world_below(m->world, sizeof edges / sizeof *edges)];
}

static void change_service(tl_mutator *m)
{
    tl_sep_header h = { 0 };
    uint32_t *const fields[] = { &h.version, &h.flags,   &h.block, &h.stream, &h.data_type,
                                 &h.key,     &h.message, &h.frame, &h.length, &h.count };
    uint32_t *field = fields[tl_world_below(m->world, sizeof fields / sizeof *fields)];

    if (!read_service(tl_span_of(m->bytes, m->n), &h)) {
        flip(m, 0);
        return;
    }
    *field = edge(m, *field);
    write_service(m, &h);
}

static void change_packet(tl_mutator *m)
{
    tl_csi2_header h;
    tl_wr w = tl_wr_of(m->bytes, TL_CSI2_HEADER_SIZE);

    if (m->n < TL_CSI2_HEADER_SIZE)
        return;
    (void)tl_csi2_header_read(m->bytes, &h);
    switch (tl_world_below(m->world, 3)) {
    case 0: h.virtual_channel = (uint8_t)tl_world_below(m->world, TL_CSI2_CHANNELS); break;
    case 1: h.data_type = (uint8_t)tl_world_below(m->world, 64); break;
    default: h.word_count = (uint16_t)edge(m, h.word_count); break;
    }
    (void)!tl_csi2_header_write(&h, &w);
}

static void change_footer(tl_mutator *m)
{
    const size_t most = TL_CSI2_FOOTER_SIZE + TL_SEP_FOOTER_MAX;
    const size_t n = m->n < most ? m->n : most, at = m->n - n;
    const tl_span other = one_of(m, &m->own);

    switch (tl_world_below(m->world, 3)) {
    case 0: memset(m->bytes + at, 0, n); return;
    case 1: memset(m->bytes + at, 0xFF, n); return;
    default:
        if (other.n >= n)
            memcpy(m->bytes + at, other.p + other.n - n, n);
        return;
    }
}

/* Another packet with this one's service header, or only with its numbers. */
static void relabel(tl_mutator *m, tl_span other)
{
    const size_t n =
        tl_world_below(m->world, 2) == 0 ? TL_SEP_BEFORE : TL_CSI2_HEADER_SIZE + TL_SEP_HEADER_SIZE / 2;

    if (other.n < TL_SEP_BEFORE || m->n < TL_SEP_BEFORE || other.n > sizeof m->bytes)
        return;
    memcpy(m->bytes + n, other.p + n, other.n - n);
    m->n = other.n;
}

static void mix(tl_mutator *m, tl_span other)
{
    const size_t least = m->n < other.n ? m->n : other.n,
                 at = least > 0 ? tl_world_below(m->world, least) : 0;

    if (other.n == 0 || other.n > sizeof m->bytes)
        return;
    memcpy(m->bytes + at, other.p + at, other.n - at);
    m->n = other.n;
}

static void strip(tl_mutator *m)
{
    if (m->n < TL_SEP_BEFORE + TL_CSI2_FOOTER_SIZE)
        return;
    memmove(m->bytes + TL_CSI2_HEADER_SIZE, m->bytes + TL_SEP_BEFORE, m->n - TL_SEP_BEFORE);
    m->n -= TL_SEP_HEADER_SIZE;
    m->bytes[0] = (uint8_t)(m->bytes[0] & 0xC0) | m->config->parts[0].data_type;
}

/* ---- keys that were given up ---- */

/* When a stream names another key, what it sent under the one before is worth remembering. FSED's packets name none. */
static void watch_keys(tl_mutator *m, tl_span packet)
{
    tl_sep_header h, old;
    uint8_t *key;

    if (m->config->carrier != TL_CARRIER_SEP || packet.n < TL_SEP_BEFORE || !read_service(packet, &h))
        return;
    key = &m->keys[h.stream % TL_MUTATE_STREAMS];
    if (*key == h.key)
        return;
    for (size_t i = 0; i < TL_MUTATE_SEEN; i++) {
        const tl_span seen = tl_span_of(m->own.packets[i].p, m->own.packets[i].n);

        if (seen.n >= TL_SEP_BEFORE && read_service(seen, &old) && old.stream == h.stream && old.key == *key)
            tl_seen_add(&m->given_up, seen);
    }
    *key = (uint8_t)h.key;
}

static tl_span one_given_up(const tl_mutator *m)
{
    return one_of(m, m->given_up.n > 0 ? &m->given_up : &m->own);
}

static void seal(tl_mutator *m, tl_span packet)
{
    const size_t n = m->seal != NULL ? m->seal(m->ctx, packet, m->bytes) : 0;

    m->sealed = n > 0;
    if (m->sealed)
        m->n = n;
    else
        put(m, one_given_up(m));
}

static void noise(tl_mutator *m)
{
    m->n = TL_CSI2_HEADER_SIZE + tl_world_below(m->world, NOISE_MOST) + TL_CSI2_FOOTER_SIZE;
    for (size_t i = tl_world_below(m->world, 2) * TL_SEP_BEFORE; i < m->n; i++)
        m->bytes[i] = (uint8_t)tl_world_random(m->world);
}

/* Changes m->bytes, which are `packet`'s. */
static void change(tl_mutator *m, tl_span packet, tl_stream_mutation what)
{
    switch (what) {
    case TL_STREAM_MUTATION_BITS: flip(m, 0); return;
    case TL_STREAM_MUTATION_BITS_MENDED: flip(m, TL_CSI2_HEADER_SIZE); return;
    case TL_STREAM_MUTATION_SERVICE_FIELD: change_service(m); return;
    case TL_STREAM_MUTATION_PACKET_FIELD: change_packet(m); return;
    case TL_STREAM_MUTATION_FOOTER: change_footer(m); return;
    case TL_STREAM_MUTATION_CUT: m->n = tl_mutate_cut(m->world, m->bytes, m->n); return;
    case TL_STREAM_MUTATION_LONGER:
        m->n = tl_mutate_lengthen(m->world, m->bytes, m->n, TL_CSI2_PACKET_MAX);
        return;
    case TL_STREAM_MUTATION_OLD: put(m, one_of(m, &m->own)); return;
    case TL_STREAM_MUTATION_OLD_RELABELLED: relabel(m, one_of(m, &m->own)); return;
    case TL_STREAM_MUTATION_OTHER: put(m, one_of(m, m->others)); return;
    case TL_STREAM_MUTATION_OTHER_RELABELLED: relabel(m, one_of(m, m->others)); return;
    case TL_STREAM_MUTATION_MIXED:
        mix(m, one_of(m, tl_world_below(m->world, 2) == 0 ? &m->own : m->others));
        return;
    case TL_STREAM_MUTATION_OLD_KEY: put(m, one_given_up(m)); return;
    case TL_STREAM_MUTATION_OLD_KEY_RELABELLED: relabel(m, one_given_up(m)); return;
    case TL_STREAM_MUTATION_OLD_KEY_SEALED: seal(m, packet); return;
    case TL_STREAM_MUTATION_STRIPPED: strip(m); return;
    case TL_STREAM_MUTATION_NOISE: noise(m); return;
    default: return;
    }
}

static tl_attack_repair repair_after(const tl_mutator *m, tl_stream_mutation what)
{
    switch (what) {
    case TL_STREAM_MUTATION_BITS:
    case TL_STREAM_MUTATION_OLD:
    case TL_STREAM_MUTATION_OLD_KEY:
    case TL_STREAM_MUTATION_TWICE:
    case TL_STREAM_MUTATION_LATER: return TL_REPAIR_RAW;
    case TL_STREAM_MUTATION_OLD_KEY_SEALED:
    case TL_STREAM_MUTATION_BITS_MENDED: return TL_REPAIR_ALL;
    default:
        return (tl_attack_repair[]){ TL_REPAIR_RAW, TL_REPAIR_CRC16, TL_REPAIR_ALL,
                                     TL_REPAIR_ALL }[tl_world_below(m->world, 4)];
    }
}

static void forge(tl_mutator *m, const tl_hop *hop, const tl_parcel *parcel, tl_stream_mutation what)
{
    const tl_span packet = tl_span_of(parcel->p, parcel->n);

    put(m, packet);
    change(m, packet, what);
    tl_attack_mend(m->config, (tl_buffer){ m->bytes, m->n }, repair_after(m, what));
    m->tried[what]++;
    tl_world_say(m->world, "attacker on %s: %s", hop->name, texts[what]);
    if (m->told != NULL)
        m->told(m->ctx, parcel, what);
}

/* In its place, in front of it or behind it. In its place it keeps the note: it may have become the same again. */
static void attack(tl_mutator *m, tl_hop *hop, tl_parcel *parcel)
{
    const tl_stream_mutation what = (tl_stream_mutation)tl_world_below(m->world, TL_STREAM_MUTATIONS);
    size_t where = tl_world_below(m->world, 4);
    uint64_t later_ns = 0;

    forge(m, hop, parcel, what);
    if (what == TL_STREAM_MUTATION_GONE) {
        tl_hop_taken(hop, parcel);
        return;
    }
    if (what == TL_STREAM_MUTATION_LATER) {
        where &= 1; /* it is the packet itself */
        later_ns = tl_world_below(m->world, HELD_US_MOST) * TL_US;
    }
    if (where == 2)
        tl_hop_pass(hop, parcel);
    tl_hop_put(hop, tl_span_of(m->bytes, m->n), 0, where < 2 ? &parcel->note : NULL, later_ns);
    if (where == 3)
        tl_hop_pass(hop, parcel);
}

static void on_parcel(void *ctx, tl_hop *hop, tl_parcel *parcel)
{
    tl_mutator *m = ctx;

    if (tl_world_chance(m->world, m->of_a_million))
        attack(m, hop, parcel);
    else
        tl_hop_pass(hop, parcel);
    watch_keys(m, tl_span_of(parcel->p, parcel->n));
    tl_seen_add(&m->own, tl_span_of(parcel->p, parcel->n));
}

tl_hand tl_mutator_hand(tl_mutator *m)
{
    return (tl_hand){ m, on_parcel };
}

void tl_mutator_close(tl_mutator *m)
{
    tl_seen_free(&m->own);
    tl_seen_free(&m->given_up);
}
