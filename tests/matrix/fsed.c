/* FSED: frames through a capture that knows nothing of protection into memory, attacked on the way or there.
 *
 *   metadata, top      begin: header | payload | footer
 *   metadata, bottom   tags that travel | CRC-32s | end: header | payload | footer
 */
#include "dma.h"
#include "ends.h"
#include "expect.h"

#include <trueline/messages.h>

#include <string.h>

enum { ROWS_MAX = 8, METADATA_ROWS = 24, STRIDE = LINE_BYTES + 16, BYTES_MAX = METADATA_ROWS * LINE_BYTES };
enum { STRANGER = TL_DT_RAW10 };

/* What the capture writes to. */
typedef struct memory {
    uint8_t embedded[ROWS_MAX * STRIDE], pixels[ROWS_MAX * STRIDE], stranger[ROWS_MAX * STRIDE];
    uint8_t metadata[METADATA_ROWS * LINE_BYTES];
    tl_dma dma;
    tl_frame_buffers frame;
    bool complete;
} memory;

/* A position's bytes, wherever in the metadata's rows they stand. */
typedef struct run {
    uint8_t *at[BYTES_MAX];
    size_t n;
} run;

static memory m;

static void capture(const tl_wire_frame *frame)
{
    m.dma = (tl_dma){ .virtual_channel = 1,
                      .image = { { TL_DT_EMBEDDED, m.embedded, STRIDE, ROWS_MAX },
                                 { TL_DT_RAW8, m.pixels, STRIDE, ROWS_MAX },
                                 { STRANGER, m.stranger, STRIDE, ROWS_MAX } },
                      .image_n = 3,
                      .metadata = { TL_FSED_WIRE_TYPE, m.metadata, LINE_BYTES, METADATA_ROWS } };
    m.complete = false;
    for (size_t i = 0; i < frame->n && !m.complete; i++)
        m.complete = tl_dma_packet(&m.dma, tl_wire_packet(frame, i), &m.frame);
}

static uint8_t *line_at(unsigned line)
{
    if (line >= 2 && line < 6)
        return m.pixels + (line - 2) * STRIDE;
    return m.embedded + (line < 2 ? line : line - 4) * STRIDE;
}

static unsigned line_of(uint8_t block)
{
    return block == TL_BLOCK_TOP ? 0 : block == TL_BLOCK_MIDDLE ? 4 : 6;
}

static tl_block block_of(unsigned line)
{
    return line < 2 ? TL_BLOCK_TOP : line < 6 ? TL_BLOCK_MIDDLE : TL_BLOCK_BOTTOM;
}

static void find_run(const ends *e, uint8_t position, run *r)
{
    const tl_env env = { 0 };

    r->n = 0;
    for (uint32_t row = 0; row < m.frame.metadata.rows; row++) {
        uint8_t *p = m.metadata + row * LINE_BYTES;
        tl_rd rd = tl_rd_of(tl_span_of(p, LINE_BYTES));
        tl_fsed_packet h;

        if (tl_decode_fsed_packet(&env, &rd, &h) != TL_OK || h.position != position ||
            h.stream != e->config.stream)
            continue;
        for (uint32_t i = 0; i < h.used && r->n < BYTES_MAX; i++)
            r->at[r->n++] = p + TL_FSED_HEADER_SIZE + i;
    }
}

static void gather(const run *r, size_t from, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = *r->at[from + i];
}

static void scatter(const run *r, size_t from, const uint8_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *r->at[from + i] = in[i];
}

static size_t crc_size(const ends *e)
{
    return e->config.crc32 == TL_WITH ? 4 : 0;
}

/* Where the tag of a line stands in the bottom's run; of the line behind the last, where the CRC-32s do. */
static size_t tag_place(const ends *e, unsigned line)
{
    size_t at = 0;

    for (unsigned i = 0; i < line; i++)
        at += tl_stream_tag_bytes(&e->config, block_of(i));
    return at;
}

static size_t check_place(const ends *e, unsigned line)
{
    return tag_place(e, LINES) + line * crc_size(e);
}

static uint32_t crc32_of(const ends *e, uint32_t crc, const uint8_t *p, size_t n)
{
    return e->crypto->ops->crc32(crc, tl_span_of(p, n));
}

/* ---- what somebody without keys can put right ---- */

static void line_header(const ends *e, unsigned line, uint8_t out[TL_SEP_HEADER_SIZE])
{
    const tl_block block = block_of(line);
    const tl_env env = { 0 };
    tl_wr w = tl_wr_of(out, TL_SEP_HEADER_SIZE);
    const tl_sep_header h = {
        .version = TL_SEP_VERSION,
        .block = block,
        .stream = e->config.stream,
        .data_type = block == TL_BLOCK_MIDDLE ? TL_DT_RAW8 : TL_DT_EMBEDDED,
        .key = e->epoch & 0xFF,
        .message = block == TL_BLOCK_MIDDLE ? line - 2
                   : block == TL_BLOCK_TOP  ? line
                                            : line - 4,
        .frame = e->now.frame,
        .length = LINE_BYTES,
    };

    if (tl_encode_sep_header(&env, &h, &w) != TL_OK)
        memset(out, 0, TL_SEP_HEADER_SIZE);
}

static void repair_lines(const ends *e)
{
    const tl_env env = { 0 };
    run bottom;

    if (crc_size(e) == 0)
        return;
    find_run(e, TL_FSED_BOTTOM, &bottom);
    for (unsigned line = 0; line < LINES; line++) {
        const size_t tag_n = tl_stream_tag_bytes(&e->config, block_of(line));
        uint8_t header[TL_SEP_HEADER_SIZE], tag[TL_TAG_MAX], bytes[4];
        tl_wr w = tl_wr_of(bytes, sizeof bytes);
        tl_fsed_crc32 check;

        line_header(e, line, header);
        gather(&bottom, tag_place(e, line), tag, tag_n);
        check.crc32 = crc32_of(e, 0, header, sizeof header);
        check.crc32 = crc32_of(e, check.crc32, line_at(line), LINE_BYTES);
        check.crc32 = crc32_of(e, check.crc32, tag, tag_n);
        if (tl_encode_fsed_crc32(&env, &check, &w) == TL_OK)
            scatter(&bottom, check_place(e, line), bytes, sizeof bytes);
    }
}

static void repair_service(ends *e, uint8_t *body, size_t n)
{
    tl_env env = { 0 };
    uint8_t tag[TL_TAG_MAX];
    tl_sep_footer f;
    size_t covered;
    tl_rd r;
    tl_wr w;

    env.len[TL_LEN_TAG] = (uint16_t)tl_stream_tag_bytes(&e->config, TL_BLOCK_SERVICE);
    env.len[TL_LEN_CRC] = (uint16_t)crc_size(e);
    covered = n - env.len[TL_LEN_TAG] - env.len[TL_LEN_CRC];
    r = tl_rd_of(tl_span_of(body + covered, n - covered));
    if (crc_size(e) == 0 || tl_decode_sep_footer(&env, &r, &f) != TL_OK)
        return;
    if (f.tag.n > 0)
        memcpy(tag, f.tag.p, f.tag.n);
    f.tag.p = tag;
    f.crc32 = crc32_of(e, crc32_of(e, 0, body, covered), tag, f.tag.n);
    w = tl_wr_of(body + covered, n - covered);
    ends_fine(e, tl_encode_sep_footer(&env, &f, &w), "no footer");
}

/* ---- the moves ---- */

/* The first packet of a line, of those in the frame. */
static size_t first_line(const tl_wire_frame *frame)
{
    size_t i = 1;
    tl_csi2_header h;

    while (i + 1 < frame->n) {
        (void)tl_csi2_header_read(frame->packets[i].p, &h);
        if (h.data_type != TL_FSED_WIRE_TYPE)
            break;
        i++;
    }
    return i;
}

static bool is_metadata(const tl_wire_frame *frame, size_t i)
{
    tl_csi2_header h;

    (void)tl_csi2_header_read(frame->packets[i].p, &h);
    return h.data_type == TL_FSED_WIRE_TYPE;
}

/* The n-th metadata packet is dropped; all of them if n is none. False: there are fewer. */
static bool drop_metadata(tl_wire_frame *frame, unsigned n, bool all)
{
    unsigned seen = 0;

    for (size_t i = 0; i < frame->n; i++) {
        if (!is_metadata(frame, i) || (seen++ != n && !all))
            continue;
        tl_wire_remove(frame, i--);
        if (!all)
            return true;
    }
    return all;
}

static tl_err rewrite(tl_buffer packet, uint8_t channel, uint8_t data_type)
{
    tl_csi2_header h;
    tl_wr w = tl_wr_of(packet.p, TL_CSI2_HEADER_SIZE);

    (void)tl_csi2_header_read(packet.p, &h);
    h.virtual_channel = channel;
    h.data_type = data_type != 0 ? data_type : h.data_type;
    TL_TRY(tl_csi2_header_write(&h, &w));
    return tl_csi2_repair(packet.p, packet.n);
}

/* On the packets, in front of the capture. False: there is nothing to do it to. */
static bool attack_packets(ends *e, const fsed_attack *a)
{
    tl_wire_frame *f = &e->frame;
    const size_t first = first_line(f), line = first + line_of(a->block);

    switch (a->action) {
    case FSED_DROP: tl_wire_remove(f, line); break;
    case FSED_REPEAT: ends_fine(e, tl_wire_insert(f, line + 1, tl_wire_packet(f, line)), "no memory"); break;
    case FSED_SWAP: tl_wire_swap(f, line, line + 1); break;
    case FSED_LINE:
        tl_wire_remove(f, line);
        ends_fine(e, tl_wire_insert(f, line, tl_wire_packet(&e->before, line)), "no memory");
        break;
    case FSED_STRANGER:
        ends_fine(e, tl_wire_insert(f, first, tl_wire_packet(f, first)), "no memory");
        ends_fine(e, rewrite(f->packets[first], 1, STRANGER), "no plain line");
        break;
    case FSED_CHANNEL:
        for (size_t i = 0; i < f->n; i++)
            ends_fine(e, rewrite(f->packets[i], 2, 0), "no other channel");
        break;
    case FSED_REPLAY:
        tl_wire_clear(f);
        ends_fine(e, tl_wire_insert_all(f, 0, &e->before), "no memory");
        break;
    case FSED_OTHER:
        ends_foreign(e, &e->other_session, e->now.frame);
        tl_wire_clear(f);
        ends_fine(e, tl_wire_insert_all(f, 0, &e->foreign), "no memory");
        break;
    case FSED_STRIP: return drop_metadata(f, 0, true);
    case FSED_METADATA: return drop_metadata(f, a->block, false);
    default: break;
    }
    return true;
}

static void attack_begin(ends *e, const fsed_attack *a)
{
    const tl_env env = { 0 };
    uint8_t body[BYTES_MAX], *payload = body + TL_SEP_HEADER_SIZE, copy[TL_SEP_SERVICE_MAX];
    tl_sep_begin begin;
    run top;
    tl_rd r;
    tl_wr w = tl_wr_of(copy, sizeof copy);
    size_t n;

    find_run(e, TL_FSED_TOP, &top);
    gather(&top, 0, body, top.n);
    n = top.n - TL_SEP_HEADER_SIZE - tl_stream_tag_bytes(&e->config, TL_BLOCK_SERVICE) - crc_size(e);
    r = tl_rd_of(tl_span_of(payload, n));
    ends_fine(e, tl_decode_sep_begin(&env, &r, &begin), "no begin in memory");
    begin.time_us ^= 1;
    ends_fine(e, tl_encode_sep_begin(&env, &begin, &w), "no begin in memory");
    memcpy(payload, copy, w.n);
    if (a->repaired)
        repair_service(e, body, top.n);
    scatter(&top, 0, body, top.n);
}

static void attack_end(ends *e, const fsed_attack *a)
{
    uint8_t body[BYTES_MAX];
    const size_t from = check_place(e, LINES);
    size_t n, payload_n;
    run bottom;

    find_run(e, TL_FSED_BOTTOM, &bottom);
    n = bottom.n - from;
    gather(&bottom, from, body, n);
    payload_n = n - TL_SEP_HEADER_SIZE - tl_stream_tag_bytes(&e->config, TL_BLOCK_SERVICE) - crc_size(e);
    body[TL_SEP_HEADER_SIZE + payload_n / 2] ^= 0x08;
    if (a->repaired)
        repair_service(e, body, n);
    scatter(&bottom, from, body, n);
}

/* In the memory behind the capture. */
static void attack_memory(ends *e, const fsed_attack *a)
{
    const unsigned line = line_of(a->block);
    run bottom;

    find_run(e, TL_FSED_BOTTOM, &bottom);
    switch (a->action) {
    case FSED_BIT: line_at(line)[LINE_BYTES / 2] ^= 0x08; break;
    case FSED_TAG: *bottom.at[tag_place(e, line)] ^= 0x10; break;
    case FSED_CHECK: *bottom.at[check_place(e, line)] ^= 0x10; break;
    case FSED_BEGIN: attack_begin(e, a); return;
    case FSED_END: attack_end(e, a); return;
    default: break;
    }
    if (a->repaired)
        repair_lines(e);
}

/* ---- what must have come ---- */

static bool right_pixels(const ends *e, uint32_t frame, const fsed_attack *a, pixels which)
{
    uint8_t expected[FRAME_BYTES], kept[LINE_BYTES], *line;

    ends_pixels(which == PIXELS_OTHER ? e->other_session.session : e->main.session, frame, expected);
    line = expected + (a != NULL ? line_of(a->block) : 0) * LINE_BYTES;
    if (which == PIXELS_BIT)
        line[LINE_BYTES / 2] ^= 0x08;
    if (which == PIXELS_LINE)
        ends_line(e->main.session, frame - 1, line_of(a->block), line);
    if (which == PIXELS_SWAPPED) {
        memcpy(kept, line, LINE_BYTES);
        memcpy(line, line + LINE_BYTES, LINE_BYTES);
        memcpy(line + LINE_BYTES, kept, LINE_BYTES);
    }
    for (unsigned i = 0; i < LINES; i++)
        if (memcmp(expected + i * LINE_BYTES, line_at(i), LINE_BYTES) != 0)
            return false;
    return true;
}

/* Hands what lies in memory to the receiver. What never became a frame is not handed over: it is missing. */
static tl_verdict receive(ends *e)
{
    tl_verdict verdict = TL_VERDICT_GAP;

    if (m.complete)
        ends_fine(e, tl_stream_rx_frame(&e->rx, e->now.frame, &m.frame, &verdict), "not received");
    return verdict;
}

/* With accumulated tags a line is opened before anything is proven of it: of a frame that is not ok nothing may stay. */
static bool leaves_text(const ends *e)
{
    uint8_t sent[FRAME_BYTES];

    if (e->config.tag_mode == TL_TAG_PER_MESSAGE)
        return false;
    ends_pixels(e->main.session, e->now.frame, sent);
    for (unsigned i = 0; i < LINES; i++)
        if (e->config.variant[block_of(i)] == TL_SV_1 &&
            memcmp(sent + i * LINE_BYTES, line_at(i), LINE_BYTES / 2) == 0)
            return true;
    return false;
}

static const char *problem_with(ends *e, const fsed_attack *a, const outcome *o, tl_verdict verdict)
{
    if (o->ok && (verdict != TL_VERDICT_OK || !e->now.closed || e->now.verdict != TL_VERDICT_OK))
        return "the frame is not ok";
    if (!o->ok && verdict == TL_VERDICT_OK)
        return "the frame is ok";
    if (!o->ok && o->said != TL_VERDICTS && verdict != o->said)
        return "another verdict on the frame";
    if (!o->ok && o->said != TL_VERDICTS && e->now.closed == o->lost)
        return o->lost ? "a frame is judged that was never opened" : "the frame was not judged";
    if (!o->ok && leaves_text(e))
        return "encrypted lines of a bad frame are left in clear";
    if (o->ok && !right_pixels(e, e->now.frame, a, o->pixels))
        return o->pixels == PIXELS_SENT ? "wrong pixels" : "the change did not come through";
    if (o->ok && o->time == (e->now.time_us == ends_time(e->now.frame)))
        return "wrong time";
    return NULL;
}

/* The frame behind, which also tells what was lost. */
static const char *next_frame(ends *e, const outcome *o)
{
    ends_send(e, &e->before);
    capture(&e->before);
    if (receive(e) != TL_VERDICT_OK || !e->next.closed || !right_pixels(e, e->next.frame, NULL, PIXELS_SENT))
        return "the next frame is not ok";
    return o->lost && !e->now.lost ? "the frame is not told as lost" : NULL;
}

/* ---- one row ---- */

static void run_clean(ends *e, tally *t)
{
    static const outcome good = { .applies = true, .ok = true };

    for (unsigned i = 0; i < CLEAN_FRAMES; i++) {
        const char *problem;
        tl_verdict verdict;

        ends_listen(e, (uint32_t)e->main.tx.next_frame);
        ends_send(e, &e->before);
        capture(&e->before);
        verdict = receive(e);
        problem = e->wrong != NULL ? e->wrong : problem_with(e, NULL, &good, verdict);
        if (problem != NULL)
            tally_fail(t, &e->c, "clean", problem);
    }
}

static void run_row(ends *e, tally *t, const fsed_attack *a)
{
    const outcome o = expect_fsed(a, &e->c);
    const char *problem = NULL, *next;
    bool made;

    if (!o.applies)
        return;
    ends_listen(e, (uint32_t)e->main.tx.next_frame);
    ends_send(e, &e->frame);
    if (e->frame.n < LINES + 4 || e->before.n != e->frame.n) {
        tally_fail(t, &e->c, a->name, e->wrong != NULL ? e->wrong : "the frames before it were not sent");
        return;
    }
    made = attack_packets(e, a);
    if (made) {
        capture(&e->frame);
        attack_memory(e, a);
        problem = problem_with(e, a, &o, receive(e));
        t->attacks++;
        t->unnoticed += o.time || o.pixels != PIXELS_SENT;
    } else { /* no such packet: the frame goes its way */
        capture(&e->frame);
        problem = receive(e) == TL_VERDICT_OK ? NULL : "the frame is not ok";
    }
    next = next_frame(e, &o);
    if (problem == NULL)
        problem = e->wrong != NULL ? e->wrong : next;
    if (problem != NULL)
        tally_fail(t, &e->c, a->name, problem);
}

void fsed_run(ends *e, tally *t)
{
    run_clean(e, t);
    for (size_t i = 0; i < fsed_attack_count; i++)
        run_row(e, t, &fsed_attacks[i]);
}
