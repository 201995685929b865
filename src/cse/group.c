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
#include "wire/line.h"

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
    if (memory->slot_n < 2 || (memory->slot_n & (memory->slot_n - 1)) != 0 || memory->batch == 0)
        return TL_E_USAGE;
    g->crypto = crypto;
    g->batch = 1;
    g->memory = *memory;
    for (size_t i = 0; i < memory->slot_n; i++)
        memory->slots[i] = (tl_group_slot){ 0 };
    return TL_OK;
}

tl_err tl_stream_group_add(tl_stream_group *g, tl_stream_rx *rx)
{
    tl_group_slot *slot;
    uint8_t channels = rx->config.channels_accepted;

    if (rx->config.stream == 0 || rx->crypto != g->crypto)
        return TL_E_USAGE;
    slot = slot_of(g, rx->config.stream);
    if (slot->stream != 0)
        return TL_E_USAGE;
    if (2 * (g->streams + 1) > g->memory.slot_n)
        return TL_E_ROOM;
    if (channels == 0)
        channels = (uint8_t)(1u << rx->config.virtual_channel);
    *slot = (tl_group_slot){ .rx = rx, .stream = rx->config.stream, .channels = channels };
    g->streams++;
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

/* Runs of messages that go to the backend; what stands between two of them is rare. */
static tl_err verify_all(tl_stream_group *g)
{
    const tl_group_item *items = g->memory.items;

    for (size_t from = 0, to; from < g->filled; from = to) {
        to = from + 1;
        if (items[from].item.fate != TL_FATE_CHECK)
            continue;
        while (to < g->filled && items[to].item.fate == TL_FATE_CHECK)
            to++;
        g->counters.batches++;
        g->counters.messages += to - from;
        TL_TRY(g->crypto->ops->verify(g->crypto->ctx, g->memory.sealed[from].key, g->memory.sealed + from,
                                      to - from));
    }
    return TL_OK;
}

/* Verifies and judges what was gathered. After an error of the backend nothing of it counts. */
static tl_err flush(tl_stream_group *g, uint64_t now_ms)
{
    tl_err e = verify_all(g);

    for (size_t i = 0; i < g->filled && e == TL_OK; i++)
        tl_cse_judge(g->memory.items[i].rx, now_ms, &g->memory.items[i].item, g->memory.sealed[i].right);
    g->filled = 0;
    g->batch++;
    return e;
}

/* Looks at a packet for one stream, and gives it a place if there is anything to judge. */
static void gather(tl_stream_group *g, tl_stream_rx *rx, const tl_csi2_packet *p, tl_buffer packet)
{
    tl_group_item *place = &g->memory.items[g->filled];
    tl_sealed *sealed = &g->memory.sealed[g->filled];

    tl_cse_look_at(rx, p, packet, &place->item, sealed);
    if (place->item.fate == TL_FATE_DROP)
        return;
    if (place->item.fate == TL_FATE_CHECK)
        sealed->key = tl_cse_rx_key(rx, place->item.epoch)->handle;
    place->rx = rx;
    g->filled++;
}

/* A packet of a stream that is here. */
static tl_err take_own(tl_stream_group *g, uint64_t now_ms, tl_group_slot *slot, const tl_csi2_packet *p,
                       tl_buffer packet)
{
    tl_err e = TL_OK;

    if (g->filled == g->memory.batch || (slot->batch == g->batch && slot->pending >= slot->room))
        e = flush(g, now_ms);
    if (slot->batch != g->batch) {
        slot->batch = g->batch;
        slot->pending = 0;
        slot->room = (uint32_t)tl_cse_rx_within(slot->rx, g->memory.batch);
    }
    slot->pending++;
    slot->told = 0;
    gather(g, slot->rx, p, packet);
    return e;
}

/* A packet of nobody: `verdict` is what each stream of the channel will say of it. Saying it again would change nothing
 * in a stream that has judged nothing since. */
static tl_err tell_all(tl_stream_group *g, uint64_t now_ms, tl_verdict verdict, const tl_csi2_packet *p,
                       tl_buffer packet)
{
    const uint32_t bit = UINT32_C(1) << verdict;
    unsigned channels = p->ecc == TL_CSI2_ECC_BAD ? 0xFF : 1u << p->header.virtual_channel;
    tl_err e = TL_OK, flushed;

    for (size_t i = 0; i < g->memory.slot_n; i++) {
        tl_group_slot *slot = &g->memory.slots[i];

        if (slot->stream == 0 || !(slot->channels & channels) || (slot->told & bit))
            continue;
        if (g->filled == g->memory.batch) {
            flushed = flush(g, now_ms);
            if (e == TL_OK)
                e = flushed;
        }
        slot->told |= bit;
        gather(g, slot->rx, p, packet);
    }
    return e;
}

/* ---- packets ---- */

/* What a service header names, if there is one. */
static uint16_t stream_in(tl_span body)
{
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(body);
    tl_sep_header h;

    return body.n >= TL_SEP_HEADER_SIZE && tl_unpack_sep_header(&env, &r, &h) == TL_OK ? (uint16_t)h.stream
                                                                                       : 0;
}

uint16_t tl_stream_of_packet(tl_span packet)
{
    tl_csi2_header h;

    if (packet.n < TL_CSI2_HEADER_SIZE || tl_csi2_header_read(packet.p, &h) == TL_CSI2_ECC_BAD ||
        h.data_type != TL_SEP_WIRE_TYPE)
        return 0;
    return stream_in(tl_span_of(packet.p + TL_CSI2_HEADER_SIZE, packet.n - TL_CSI2_HEADER_SIZE));
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

static tl_err take(tl_stream_group *g, uint64_t now_ms, tl_buffer packet)
{
    tl_csi2_packet p;
    uint16_t stream = 0;
    tl_group_slot *slot;

    tl_csi2_read(tl_span_of(packet.p, packet.n), &p);
    if (p.ecc != TL_CSI2_ECC_BAD && p.crc_right && tl_csi2_is_short(p.header.data_type)) {
        g->counters.short_packets++;
        return TL_OK;
    }
    if (p.ecc != TL_CSI2_ECC_BAD && p.header.data_type == TL_SEP_WIRE_TYPE)
        stream = stream_in(p.payload);
    slot = stream != 0 ? slot_of(g, stream) : NULL;
    if (slot != NULL && slot->stream != 0 && (slot->channels >> p.header.virtual_channel & 1))
        return take_own(g, now_ms, slot, &p, packet);
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
