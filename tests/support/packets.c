/* Lists of packets and of events, and packets taken apart and put together again by the layout's rows. The CRC-32 is
 * written a second time here, bit by bit, so that it checks the library's. */
#include "loop.h"

#include <stdlib.h>
#include <string.h>

static tl_buffer copy_of(tl_span bytes)
{
    tl_buffer b = { malloc(bytes.n > 0 ? bytes.n : 1), bytes.n };

    if (b.p == NULL)
        abort();
    if (bytes.n > 0)
        memcpy(b.p, bytes.p, bytes.n);
    return b;
}

void tl_packets_insert(tl_packets *list, size_t at, tl_span bytes)
{
    if (list->n == list->room) {
        list->room = list->room == 0 ? 64 : 2 * list->room;
        list->v = realloc(list->v, list->room * sizeof *list->v);
        if (list->v == NULL)
            abort();
    }
    memmove(list->v + at + 1, list->v + at, (list->n - at) * sizeof *list->v);
    list->v[at] = copy_of(bytes);
    list->n++;
}

void tl_packets_add(tl_packets *list, tl_span bytes)
{
    tl_packets_insert(list, list->n, bytes);
}

void tl_packets_drop(tl_packets *list, size_t at)
{
    free(list->v[at].p);
    list->n--;
    memmove(list->v + at, list->v + at + 1, (list->n - at) * sizeof *list->v);
}

void tl_packets_swap(tl_packets *list, size_t a, size_t b)
{
    tl_buffer kept = list->v[a];

    list->v[a] = list->v[b];
    list->v[b] = kept;
}

void tl_packets_take(tl_packets *list, const tl_packets *from, size_t at)
{
    tl_packets_add(list, tl_span_of(from->v[at].p, from->v[at].n));
}

void tl_packets_join(tl_packets *list, const tl_packets *from)
{
    for (size_t i = 0; i < from->n; i++)
        tl_packets_take(list, from, i);
}

void tl_packets_free(tl_packets *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->v[i].p);
    free(list->v);
    *list = (tl_packets){ 0 };
}

/* ---- events ---- */

static void record(void *ctx, const tl_stream_event *event)
{
    tl_events *list = ctx;

    if (list->n == list->room) {
        list->room = list->room == 0 ? 64 : 2 * list->room;
        list->v = realloc(list->v, list->room * sizeof *list->v);
        if (list->v == NULL)
            abort();
    }
    list->v[list->n] = *event;
    if (event->payload.p != NULL)
        list->v[list->n].payload.p = copy_of(event->payload).p;
    list->n++;
}

tl_stream_sink tl_events_sink(tl_events *list)
{
    return (tl_stream_sink){ list, record };
}

void tl_events_clear(tl_events *list)
{
    for (size_t i = 0; i < list->n; i++)
        free((void *)(uintptr_t)list->v[i].payload.p);
    list->n = 0;
}

size_t tl_events_count(const tl_events *list, tl_event_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++)
        n += list->v[i].kind == kind;
    return n;
}

const tl_stream_event *tl_events_first(const tl_events *list, tl_event_kind kind)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->v[i].kind == kind)
            return &list->v[i];
    return NULL;
}

const tl_stream_event *tl_events_last(const tl_events *list, tl_event_kind kind)
{
    for (size_t i = list->n; i > 0; i--)
        if (list->v[i - 1].kind == kind)
            return &list->v[i - 1];
    return NULL;
}

/* ---- packets taken apart ---- */

/* The sizes of a packet's footer: begin and end have a whole tag, other blocks what the configuration says. */
static tl_env env_of(const tl_stream_config *c, tl_buffer packet)
{
    tl_env env = { 0 };
    tl_rd r;
    tl_sep_header h;

    env.len[TL_LEN_CRC] = c->crc32 == TL_WITH ? 4 : 0;
    if (packet.n < TL_CSI2_HEADER_SIZE + TL_SEP_HEADER_SIZE)
        return env;
    r = tl_rd_of(tl_span_of(packet.p + TL_CSI2_HEADER_SIZE, TL_SEP_HEADER_SIZE));
    if (tl_decode_sep_header(&env, &r, &h) == TL_OK)
        env.len[TL_LEN_TAG] = (uint16_t)tl_stream_tag_bytes(
            c, h.data_type == TL_SEP_SERVICE_TYPE ? TL_BLOCK_SERVICE : (tl_block)h.block);
    return env;
}

tl_err tl_loop_read(const tl_stream_config *c, tl_buffer packet, tl_loop_message *m)
{
    const tl_env env = env_of(c, packet);
    size_t footer = (size_t)env.len[TL_LEN_TAG] + env.len[TL_LEN_CRC];
    size_t around = TL_CSI2_HEADER_SIZE + TL_SEP_HEADER_SIZE + footer + TL_CSI2_FOOTER_SIZE;
    tl_rd head = tl_rd_of(tl_span_of(packet.p + TL_CSI2_HEADER_SIZE, TL_SEP_HEADER_SIZE)), foot;

    if (packet.n < around)
        return TL_E_WIRE_SHORT;
    m->payload = packet.p + TL_CSI2_HEADER_SIZE + TL_SEP_HEADER_SIZE;
    m->payload_n = packet.n - around;
    foot = tl_rd_of(tl_span_of(m->payload + m->payload_n, footer));
    TL_TRY(tl_decode_sep_header(&env, &head, &m->header));
    TL_TRY(tl_decode_sep_footer(&env, &foot, &m->footer));
    return tl_rd_end(&head) && tl_rd_end(&foot) ? TL_OK : TL_E_WIRE_TRAILING;
}

/* The footer's sizes are those that it was read with, whatever the header says by now. */
static tl_err write_footer(const tl_stream_config *c, const tl_loop_message *m)
{
    tl_env env = { 0 };
    uint8_t tag[TL_TAG_MAX];
    tl_sep_footer footer = m->footer;
    tl_wr w = tl_wr_of(m->payload + m->payload_n, TL_SEP_FOOTER_MAX);

    env.len[TL_LEN_TAG] = (uint16_t)footer.tag.n;
    env.len[TL_LEN_CRC] = c->crc32 == TL_WITH ? 4 : 0;
    if (footer.tag.n > 0)
        memcpy(tag, footer.tag.p, footer.tag.n);
    footer.tag.p = tag;
    return tl_encode_sep_footer(&env, &footer, &w);
}

tl_err tl_loop_write(const tl_stream_config *c, tl_buffer packet, const tl_loop_message *m)
{
    const tl_env env = { 0 };
    tl_wr w = tl_wr_of(packet.p + TL_CSI2_HEADER_SIZE, TL_SEP_HEADER_SIZE);

    TL_TRY(tl_encode_sep_header(&env, &m->header, &w));
    return write_footer(c, m);
}

static uint32_t crc32(uint32_t crc, const uint8_t *p, size_t n)
{
    crc = ~crc;
    for (; n > 0; n--) {
        crc ^= *p++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

tl_err tl_loop_repair(const tl_stream_config *c, tl_buffer packet)
{
    tl_loop_message m;

    if (c->crc32 == TL_WITH && tl_loop_read(c, packet, &m) == TL_OK) {
        m.footer.crc32 = crc32(crc32(0, packet.p + TL_CSI2_HEADER_SIZE, TL_SEP_HEADER_SIZE + m.payload_n),
                               m.footer.tag.p, m.footer.tag.n);
        TL_TRY(write_footer(c, &m));
    }
    return tl_csi2_repair(packet.p, packet.n);
}
