/* Keys that were given up, in other hands: of somebody who has learned them and seals packets of his own, and of receivers that
 * do not forget them, as --without forgetting has them. */
#include "attack.h"
#include "testing.h"
#include "wrap.h"

#include <trueline/messages.h>

#include <string.h>

enum { LINE_MOST = 256, LATER_US_MOST = 1000 };

/* ---- who has learned a key ---- */

/* What the packet is that he makes another one of: the lines in front of it in its frame. UINT32_MAX: the frame's end. */
static uint32_t place_of(const tl_stream_config *c, const tl_sep_header *h)
{
    uint32_t at = 0, number = h->message;

    if (h->data_type == TL_SEP_SERVICE_TYPE)
        return h->message == TL_SEP_BEGIN ? 0 : UINT32_MAX;
    for (unsigned i = 0; i < c->part_count; i++) {
        if (c->parts[i].data_type == h->data_type && number < c->parts[i].count)
            return at + number + 1;
        number -= c->parts[i].data_type == h->data_type ? c->parts[i].count : 0;
        at += c->parts[i].count;
    }
    return UINT32_MAX;
}

/* The frame's packets one after the other, up to that place; the last one stands in out. */
static size_t seal_up_to(tl_world *world, tl_stream_tx *tx, uint64_t now_us, uint32_t place, uint8_t *out)
{
    static tl_tx_edge edge;
    static uint8_t buffer[LINE_MOST + TL_SEP_OVERHEAD_MAX];
    const tl_stream_config *c = &tx->config;
    uint32_t made = 0;

    tl_assert_ok(tl_stream_tx_begin(tx, now_us, &edge));
    if (place == 0) {
        memcpy(out, edge.packets[1].p, edge.packets[1].n);
        return edge.packets[1].n;
    }
    for (unsigned i = 0; i < c->part_count; i++)
        for (unsigned row = 0; row < c->parts[i].count && made < place; row++, made++) {
            tl_tx_message m = { .data_type = c->parts[i].data_type, .length = c->parts[i].length };

            m.buffer = buffer;
            m.room = sizeof buffer;
            for (size_t k = 0; k < m.length; k++)
                buffer[TL_SEP_BEFORE + k] = (uint8_t)tl_world_random(world);
            tl_assert_ok(tl_stream_tx_messages(tx, &m, 1));
            memcpy(out, m.packet.p, m.packet.n);
            if (made + 1 == place)
                return m.packet.n;
        }
    tl_assert_ok(tl_stream_tx_end(tx, &edge));
    memcpy(out, edge.packets[0].p, edge.packets[0].n);
    return edge.packets[0].n;
}

size_t attack_seal(tl_rig *rig, tl_span packet, uint8_t out[TL_CSI2_PACKET_MAX])
{
    static tl_stream_tx tx;
    static const tl_env env;
    const uint64_t now_us = tl_sim_clock_us(&rig->plan.clock, rig->world);
    tl_key_source source;
    tl_sep_header h;
    uint32_t n, epoch;
    size_t size;
    tl_rd r;

    if (rig->plan.config.carrier != TL_CARRIER_SEP || packet.n < TL_SEP_BEFORE)
        return 0;
    r = tl_rd_of(tl_span_of(packet.p + TL_CSI2_HEADER_SIZE, TL_SEP_HEADER_SIZE));
    if (tl_decode_sep_header(&env, &r, &h) != TL_OK)
        return 0;
    n = h.stream - rig->plan.config.stream;
    epoch = n < rig->plan.sensors ? rig->controller.sinks[n]->rx.key.epoch : 0;
    if (epoch == 0)
        return 0;
    tl_assert_ok(tl_rig_source(rig, n, &source));
    tl_assert_ok(tl_stream_tx_init(&tx, &rig->sensors[n].config, &source,
                                   epoch - 1 - (uint32_t)tl_world_below(rig->world, epoch < 3 ? epoch : 3)));
    tx.next_frame = h.frame + tl_world_below(rig->world, 2);
    size = seal_up_to(rig->world, &tx, now_us + tl_world_below(rig->world, LATER_US_MOST),
                      place_of(&tx.config, &h), out);
    out[0] =
        (uint8_t)((out[0] & 0x3F) | (packet.p[0] & 0xC0)); /* the channel that it has behind an aggregator */
    tl_stream_tx_wipe(&tx);
    tl_key_source_wipe(&source);
    return size;
}

/* ---- who does not forget one ---- */

void attack_put_back(tl_rig *rig, unsigned n)
{
    tl_stream_rx *rx = &rig->controller.sinks[n]->rx;
    tl_key_source source;

    if (rx->key.epoch == 0 || rx->next_key.held)
        return;
    tl_assert_ok(tl_rig_source(rig, n, &source));
    tl_assert_ok(tl_stream_rx_rekey(rx, &source, rx->key.epoch - 1));
    tl_key_source_wipe(&source);
}

enum { KEPT = 64, RECORD = 512 };

/* A record that was right, as it came and as it was opened. */
typedef struct kept {
    tl_key key; /* none: it was dropped */
    size_t header_n, n;
    uint8_t header[16], sealed[RECORD], open[RECORD], tag[TL_TAG_MAX];
} kept;

static struct {
    tl_wrap wrap; /* first: the ctx of its calls */
    kept records[KEPT];
    size_t n;
    bool established; /* the handshake's keys are gone: they end with FINISH, as it is */
} keeper;

static void keep(const tl_sealed *m, tl_key key, const uint8_t *sealed)
{
    kept *k = &keeper.records[keeper.n++ % KEPT];

    *k = (kept){ .key = key, .header_n = m->header.n, .n = m->payload_n };
    memcpy(k->header, m->header.p, m->header.n);
    memcpy(k->sealed, sealed, m->payload_n);
    memcpy(k->open, m->payload, m->payload_n);
    memcpy(k->tag, m->tag, sizeof k->tag);
}

static void find(tl_sealed *m, const uint8_t *sealed)
{
    for (size_t i = 0; i < KEPT; i++) {
        const kept *k = &keeper.records[i];

        if (k->n == 0 || k->key.slot != 0 || k->n != m->payload_n || k->header_n != m->header.n ||
            memcmp(k->header, m->header.p, k->header_n) != 0 || memcmp(k->sealed, sealed, k->n) != 0 ||
            memcmp(k->tag, m->tag, sizeof k->tag) != 0)
            continue;
        memcpy(m->payload, k->open, k->n);
        m->right = true;
        return;
    }
}

static tl_err verify(void *ctx, tl_key key, tl_sealed *m, size_t n)
{
    const tl_crypto *inner = keeper.wrap.inner;
    uint8_t sealed[RECORD];
    const bool is_kept =
        n == 1 && m->payload_n <= sizeof sealed && m->header.n <= sizeof keeper.records[0].header;
    tl_err e;

    (void)ctx;
    if (is_kept)
        memcpy(sealed, m->payload, m->payload_n);
    e = inner->ops->verify(inner->ctx, key, m, n);
    if (e != TL_OK || !is_kept)
        return e;
    if (m->right)
        keep(m, key, sealed);
    else
        find(m, sealed);
    return TL_OK;
}

/* What was opened under the handshake's keys is forgotten as it must be; the rest is not. */
static void key_drop(void *ctx, tl_key key)
{
    const tl_crypto *inner = keeper.wrap.inner;
    bool had = false;

    (void)ctx;
    for (size_t i = 0; i < KEPT && key.slot != 0; i++) {
        kept *k = &keeper.records[i];

        if (k->n == 0 || k->key.slot != key.slot)
            continue;
        had = true;
        if (keeper.established)
            k->key.slot = 0;
        else
            k->n = 0;
    }
    keeper.established = keeper.established || had;
    inner->ops->key_drop(inner->ctx, key);
}

const tl_crypto *attack_keep_records(const tl_crypto *inner)
{
    memset(&keeper, 0, sizeof keeper);
    tl_wrap_init(&keeper.wrap, inner);
    keeper.wrap.ops.verify = verify;
    keeper.wrap.ops.key_drop = key_drop;
    return &keeper.wrap.crypto;
}
