/* A group of receivers.
 *
 *   packet -> taken apart once -> its stream's slot -> look -> a place in the batch
 *                              -> no slot: look by each stream of the channel that was not told yet -> places in the batch
 *   batch  -> one call of the backend over runs of messages, each under its own key -> judge, in order of arrival
 *
 * The table is open: a stream's slot is the first free one from its hash on, and removing moves later ones up, so that a
 * search ends at the first free slot. */
#include <trueline/group.h>

#include "cse/rx.h"

_Static_assert(TL_VERDICTS <= 32, "a slot keeps a bit for each verdict");

/* ---- the table ---- */

static size_t first_slot(const tl_stream_group *g, uint16_t stream)
{
    return (size_t)(stream * UINT32_C(0x9E3779B1) >> 16) & (g->memory.slot_n - 1);
}

static tl_group_slot *slot_of(const tl_stream_group *g, uint16_t stream)
{
    size_t i = first_slot(g, stream);

    while (g->memory.slots[i].stream != stream && g->memory.slots[i].stream != 0)
        i = (i + 1) & (g->memory.slot_n - 1);
    return &g->memory.slots[i];
}

tl_stream_rx *tl_stream_group_find(const tl_stream_group *g, uint16_t stream)
{
    return stream == 0 ? NULL : slot_of(g, stream)->rx;
}

static void find_plain_types(tl_stream_group *g)
{
    g->plain_types = g->streams > 0 ? UINT64_MAX : 0;
    for (size_t i = 0; i < g->memory.slot_n; i++)
        if (g->memory.slots[i].stream != 0)
            g->plain_types &= g->memory.slots[i].rx->config.plain_types;
}

tl_err tl_stream_group_init(tl_stream_group *g, const tl_crypto *crypto, const tl_group_memory *memory)
{
    *g = (tl_stream_group){ 0 };
    if (memory->slot_n < 2 || (memory->slot_n & (memory->slot_n - 1)) != 0 || memory->batch == 0 ||
        memory->batch > TL_STREAM_BATCH)
        return TL_E_USAGE;
    g->crypto = crypto;
    g->memory = *memory;
    for (size_t i = 0; i < memory->slot_n; i++)
        memory->slots[i] = (tl_group_slot){ 0 };
    return TL_OK;
}

tl_err tl_stream_group_add(tl_stream_group *g, tl_stream_rx *rx)
{
    tl_group_slot *slot;

    if (rx->config.stream == 0 || rx->crypto != g->crypto ||
        (g->streams > 0 && rx->config.hop_check != g->hop_check))
        return TL_E_USAGE;
    slot = slot_of(g, rx->config.stream);
    if (slot->stream != 0)
        return TL_E_USAGE;
    if (2 * (g->streams + 1) > g->memory.slot_n)
        return TL_E_ROOM;
    *slot =
        (tl_group_slot){ .rx = rx, .stream = rx->config.stream, .channels = tl_stream_channels(&rx->config) };
    g->streams++;
    g->hop_check = (uint8_t)rx->config.hop_check;
    find_plain_types(g);
    return TL_OK;
}

tl_err tl_stream_group_remove(tl_stream_group *g, uint16_t stream)
{
    const size_t mask = g->memory.slot_n - 1;
    tl_group_slot *slots = g->memory.slots;
    size_t hole;

    if (tl_stream_group_find(g, stream) == NULL)
        return TL_E_USAGE;
    hole = (size_t)(slot_of(g, stream) - slots);
    slots[hole] = (tl_group_slot){ 0 };
    for (size_t i = (hole + 1) & mask; slots[i].stream != 0; i = (i + 1) & mask) {
        size_t first = first_slot(g, slots[i].stream);

        /* It may move up if its search begins at the hole or before, going round. */
        if (((i - first) & mask) >= ((i - hole) & mask)) {
            slots[hole] = slots[i];
            slots[i] = (tl_group_slot){ 0 };
            hole = i;
        }
    }
    g->streams--;
    find_plain_types(g);
    return TL_OK;
}

/* ---- batches ---- */

/* Verifies and judges what was gathered. */
static tl_err flush(tl_stream_group *g, uint64_t now_ms)
{
    unsigned messages = (unsigned)g->batch.checks + g->batch.lists;

    g->counters.batches += messages > 0;
    g->counters.messages += messages;
    return tl_cse_rx_run(&g->batch, now_ms);
}

/* Gives a packet its place among those that are verified together. */
static tl_err gather(tl_stream_group *g, uint64_t now_ms, tl_stream_rx *rx, tl_buffer packet)
{
    tl_err e = TL_OK;

    if (g->batch.n == g->memory.batch || tl_cse_rx_full(&g->batch, rx))
        e = flush(g, now_ms);
    tl_cse_rx_add(&g->batch, rx, packet);
    return e;
}

/* True if the packet is one that the stream ignores; it is not told then, so that the next one still is. */
static bool ignores(const tl_group_slot *slot, tl_verdict verdict, uint8_t data_type)
{
    return verdict == TL_VERDICT_UNPROTECTED && (slot->rx->config.plain_types >> data_type & 1);
}

/* A packet of nobody: `verdict` is what each stream of the channel will say of it. Saying it again would change nothing
 * in a stream that has judged nothing since. */
static tl_err tell_all(tl_stream_group *g, uint64_t now_ms, tl_verdict verdict, const tl_csi2_packet *p,
                       tl_buffer packet)
{
    const uint32_t bit = UINT32_C(1) << verdict;
    unsigned channels = p->ecc == TL_CSI2_ECC_BAD ? 0xFF : 1u << p->header.virtual_channel;
    tl_err e = TL_OK, one;

    for (size_t i = 0; i < g->memory.slot_n; i++) {
        tl_group_slot *slot = &g->memory.slots[i];

        if (slot->stream == 0 || !(slot->channels & channels) || (slot->told & bit) ||
            ignores(slot, verdict, p->header.data_type))
            continue;
        slot->told |= bit;
        one = gather(g, now_ms, slot->rx, packet);
        if (e == TL_OK)
            e = one;
    }
    return e;
}

/* ---- packets ---- */

/* What a packet's service header names, if it has one. 0: it names no stream. */
static uint16_t stream_of(tl_span packet, tl_csi2_ecc ecc, uint8_t data_type)
{
    uint16_t stream;

    if (ecc == TL_CSI2_ECC_BAD || data_type != TL_SEP_WIRE_TYPE || !tl_cse_stream_of(packet, &stream))
        return 0;
    return stream;
}

uint16_t tl_stream_of_packet(tl_span packet)
{
    tl_csi2_ecc ecc;
    tl_csi2_header h;

    if (packet.n < TL_CSI2_HEADER_SIZE)
        return 0;
    ecc = tl_csi2_header_read(packet.p, &h);
    return stream_of(packet, ecc, h.data_type);
}

/* A packet that no stream owns, by why that is so. */
static tl_err take_stray(tl_stream_group *g, uint64_t now_ms, uint16_t stream, const tl_csi2_packet *p,
                         tl_buffer packet)
{
    const uint8_t type = p->header.data_type;
    tl_verdict verdict = TL_VERDICT_UNPROTECTED;

    if (p->ecc == TL_CSI2_ECC_BAD)
        verdict = TL_VERDICT_ECC;
    else if (!p->crc_right)
        verdict = TL_VERDICT_CRC16;
    else if (type == TL_SEP_WIRE_TYPE)
        verdict = TL_VERDICT_HEADER;
    if (verdict == TL_VERDICT_UNPROTECTED)
        g->counters.plain++;
    else if (verdict == TL_VERDICT_HEADER && stream != 0)
        g->counters.unknown++;
    else
        g->counters.unreadable++;
    if (verdict == TL_VERDICT_UNPROTECTED && (g->plain_types >> type & 1))
        return TL_OK;
    return tell_all(g, now_ms, verdict, p, packet);
}

/* The packet as its stream will see it, but for a checksum: a packet that has a stream is left to it. */
static void read_packet(const tl_stream_group *g, tl_span packet, tl_csi2_packet *p)
{
    if (g->hop_check == TL_HOP_CHECKED_BELOW)
        tl_csi2_read_checked(packet, p);
    else
        tl_csi2_read_header(packet, p);
}

static tl_err take(tl_stream_group *g, uint64_t now_ms, tl_buffer packet)
{
    const tl_span bytes = tl_span_of(packet.p, packet.n);
    tl_group_slot *slot = NULL;
    tl_csi2_packet p;
    uint16_t stream;

    read_packet(g, bytes, &p);
    stream = stream_of(bytes, p.ecc, p.header.data_type);
    if (stream != 0)
        slot = slot_of(g, stream);
    if (slot != NULL && slot->stream != 0 && (slot->channels >> p.header.virtual_channel & 1)) {
        slot->told = 0;
        return gather(g, now_ms, slot->rx, packet);
    }
    if (g->hop_check == TL_HOP_CHECK_HERE)
        tl_csi2_read(bytes, &p);
    if (p.ecc != TL_CSI2_ECC_BAD && p.crc_right && tl_csi2_is_short(p.header.data_type)) {
        g->counters.short_packets++;
        return TL_OK;
    }
    return take_stray(g, now_ms, stream, &p, packet);
}

static void tick(tl_stream_group *g, uint64_t now_ms)
{
    for (size_t i = 0; i < g->memory.slot_n; i++) {
        g->memory.slots[i].told = 0;
        if (g->memory.slots[i].stream != 0)
            tl_stream_rx_tick(g->memory.slots[i].rx, now_ms);
    }
    g->ticked_ms = now_ms;
}

tl_err tl_stream_group_packets(tl_stream_group *g, uint64_t now_ms, const tl_buffer *packets, size_t n)
{
    tl_err e = TL_OK, one;

    if (now_ms != g->ticked_ms)
        tick(g, now_ms);
    g->counters.packets += n;
    for (size_t i = 0; i < n; i++) {
        tl_cse_ask(packets, n, i + TL_STREAM_BATCH);
        one = take(g, now_ms, packets[i]);
        if (e == TL_OK)
            e = one;
    }
    one = flush(g, now_ms);
    return e == TL_OK ? one : e;
}

void tl_stream_group_tick(tl_stream_group *g, uint64_t now_ms)
{
    tick(g, now_ms);
}

const tl_group_counters *tl_stream_group_counters(const tl_stream_group *g)
{
    return &g->counters;
}
