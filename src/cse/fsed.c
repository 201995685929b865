/* Metadata packets, written and read. The reader trusts nothing of a row's header beyond the row's own bounds: a row
 * counts only if its bytes stand behind those of the rows before it, so no byte of a run has two meanings. */
#include "cse/fsed.h"

#include "wire/most.h"

#include <trueline/messages.h>

#include <string.h>

enum { CHECK_SIZE = TL__MOST(fsed_crc32) };
enum { LENGTH_MIN = TL_FSED_HEADER_SIZE + TL_TAG_MAX };

size_t tl_fsed_length(const tl_stream_config *c)
{
    size_t length = LENGTH_MIN;

    if (c->fsed_length != 0)
        return c->fsed_length;
    for (unsigned i = 0; i < c->part_count; i++)
        if (c->parts[i].length > length)
            length = c->parts[i].length;
    return length;
}

size_t tl_fsed_tags(const tl_stream_config *c, const tl_stream_plan *plan, uint32_t n)
{
    size_t bytes = 0;

    for (unsigned i = 0; i < c->part_count && n > 0; i++) {
        uint32_t of_part = n < c->parts[i].count ? n : c->parts[i].count;

        bytes += (size_t)of_part * plan->parts[i].tag_n;
        n -= of_part;
    }
    return bytes;
}

size_t tl_fsed_checks(const tl_stream_config *c, uint32_t n)
{
    return c->crc32 == TL_WITH ? (size_t)n * CHECK_SIZE : 0;
}

/* An end has always the same size: all parts, all accumulated tags. */
size_t tl_fsed_end_size(const tl_stream_config *c, const tl_stream_plan *plan)
{
    size_t payload = TL__MOST(sep_end) + (size_t)c->part_count * TL__MOST(sep_end_part) +
                     (size_t)plan->list_count * c->tag_size;

    return TL_SEP_HEADER_SIZE + payload + plan->footer_n;
}

/* ---- writing ---- */

/* Gathers n bytes of the pieces from `from` on. */
static void gather(const tl_fsed_writer *w, size_t from, uint8_t *out, size_t n)
{
    for (unsigned i = 0; i < sizeof w->pieces / sizeof *w->pieces && n > 0; i++) {
        const tl_span *piece = &w->pieces[i];
        size_t part;

        if (from >= piece->n) {
            from -= piece->n;
            continue;
        }
        part = piece->n - from < n ? piece->n - from : n;
        memcpy(out, piece->p + from, part);
        out += part;
        n -= part;
        from = 0;
    }
}

static bool write_packet(tl_fsed_writer *w, tl_span *packet)
{
    const tl_env env = { 0 };
    const tl_csi2_header h = { w->virtual_channel, TL_FSED_WIRE_TYPE, w->length };
    size_t room = (size_t)w->length - TL_FSED_HEADER_SIZE, used = w->total - w->done;
    uint8_t *payload = w->packet + TL_CSI2_HEADER_SIZE;
    tl_wr head = tl_wr_of(w->packet, TL_CSI2_HEADER_SIZE), own = tl_wr_of(payload, TL_FSED_HEADER_SIZE);
    tl_wr check = tl_wr_of(payload + w->length, TL_CSI2_FOOTER_SIZE);
    tl_fsed_packet m = { .version = TL_FSED_VERSION, .position = w->position, .stream = w->stream };

    if (used > room)
        used = room;
    m.offset = (uint32_t)w->done;
    m.used = (uint32_t)used;
    if (tl_csi2_header_write(&h, &head) != TL_OK || tl_encode_fsed_packet(&env, &m, &own) != TL_OK)
        return false;
    gather(w, w->done, payload + TL_FSED_HEADER_SIZE, used);
    memset(payload + TL_FSED_HEADER_SIZE + used, 0, room - used);
    tl_put(&check, TL_CSI2_FOOTER_SIZE, TL_LITTLE,
           tl_csi2_crc16(TL_CSI2_CRC_START, tl_span_of(payload, w->length)));
    w->done += used;
    *packet = tl_span_of(w->packet, TL_CSI2_HEADER_SIZE + (size_t)w->length + TL_CSI2_FOOTER_SIZE);
    return true;
}

bool tl_fsed_write(tl_fsed_writer *w, tl_span *packet)
{
    if (w->step == 0) {
        w->step = 1;
        if (w->around[0].n > 0) {
            *packet = w->around[0];
            return true;
        }
    }
    if (w->step == 1) {
        if (w->done < w->total)
            return write_packet(w, packet);
        w->step = 2;
        if (w->around[1].n > 0) {
            *packet = w->around[1];
            return true;
        }
    }
    return false;
}

/* ---- reading ---- */

bool tl_fsed_row(const tl_frame_plane *plane, uint32_t row, uint8_t **p)
{
    if (row >= plane->rows || (plane->present != NULL && !(plane->present[row / 8] >> row % 8 & 1)))
        return false;
    *p = plane->p + row * plane->stride;
    return true;
}

/* The row's header, and the bytes it brings; false if it is none of this stream. */
static bool read_row(const tl_frame_plane *rows, uint32_t row, uint16_t stream, tl_fsed_packet *m,
                     tl_span *bytes)
{
    const tl_env env = { 0 };
    uint8_t *p;
    tl_rd r;

    if (!tl_fsed_row(rows, row, &p))
        return false;
    r = tl_rd_of(tl_span_of(p, rows->row_bytes));
    if (tl_decode_fsed_packet(&env, &r, m) != TL_OK || m->version != TL_FSED_VERSION || m->stream != stream ||
        (m->position != TL_FSED_TOP && m->position != TL_FSED_BOTTOM))
        return false;
    *bytes = tl_get_bytes(&r, m->used);
    return !r.bad && bytes->n > 0;
}

tl_verdict tl_fsed_judge(const tl_frame_plane *rows, uint32_t row, uint16_t stream, uint64_t ends[2])
{
    tl_fsed_packet m;
    tl_span bytes;
    uint64_t *end;

    if (!read_row(rows, row, stream, &m, &bytes))
        return TL_VERDICT_HEADER;
    end = &ends[m.position == TL_FSED_BOTTOM];
    if (m.offset < *end)
        return TL_VERDICT_ORDER;
    *end = (uint64_t)m.offset + bytes.n;
    return TL_VERDICT_OK;
}

tl_fsed_reader tl_fsed_reader_of(const tl_frame_plane *rows, uint16_t stream, uint8_t position)
{
    return (tl_fsed_reader){ .rows = rows, .stream = stream, .position = position };
}

/* Goes on to the next row that counts. */
static bool advance(tl_fsed_reader *r)
{
    uint64_t end = r->offset + r->at.n;
    tl_fsed_packet m;
    tl_span bytes;

    while (r->next < r->rows->rows) {
        if (!read_row(r->rows, r->next++, r->stream, &m, &bytes) || m.position != r->position ||
            m.offset < end)
            continue;
        r->offset = m.offset;
        r->at = bytes;
        return true;
    }
    return false;
}

uint64_t tl_fsed_total(const tl_frame_plane *rows, uint16_t stream, uint8_t position)
{
    tl_fsed_reader r = tl_fsed_reader_of(rows, stream, position);

    while (advance(&r))
        ;
    return r.offset + r.at.n;
}

bool tl_fsed_read(tl_fsed_reader *r, uint64_t offset, uint8_t *out, size_t n)
{
    if (offset < r->offset)
        *r = tl_fsed_reader_of(r->rows, r->stream, r->position);
    while (n > 0) {
        size_t skip, part;

        while (offset >= r->offset + r->at.n)
            if (!advance(r))
                return false;
        if (offset < r->offset)
            return false;
        skip = (size_t)(offset - r->offset);
        part = r->at.n - skip < n ? r->at.n - skip : n;
        memcpy(out, r->at.p + skip, part);
        out += part;
        offset += part;
        n -= part;
    }
    return true;
}
