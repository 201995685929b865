/* One frame from samples to its way out. Pixels are packed straight to where the packet keeps its payload, protected
 * there, and sent from there: between the samples and the system nothing is copied. */
#include "frame_sender.h"
#include "clock.h"
#include "link.h"

#include <stdlib.h>
#include <string.h>

enum {
    REGISTERS = 15,
    BATCH = 64 /* messages protected and sent at once */
};

/* What is to be sent in one go; the packets' bytes stay where they are until then. */
typedef struct outbox {
    way_out *out;
    tl_span packets[TL_LINK_GATHER];
    size_t n;
} outbox;

/* The most that any agreed protection of these lines needs. */
static size_t metadata_size(const tl_stream_config *config)
{
    tl_stream_config most = *config;

    most.suite = TL_SUITE_AES128_GMAC;
    most.tag_mode = TL_TAG_PER_MESSAGE;
    most.tag_size = TL_TAG_MAX;
    most.crc32 = TL_WITH;
    memset(most.variant, TL_SV_2, sizeof most.variant);
    memset(most.pattern, 0, sizeof most.pattern);
    return tl_stream_tx_metadata_size(&most);
}

tl_exit frame_sender_open(frame_sender *s, const stream_file *file, tl_fault *fault)
{
    *s = (frame_sender){ .file = file, .stride = stream_file_line_bytes(file) + TL_SEP_OVERHEAD_MAX };
    s->buffers = malloc(s->stride * BATCH);
    if (file->config.carrier == TL_CARRIER_FSED) {
        s->metadata.n = metadata_size(&file->config);
        s->metadata.p = malloc(s->metadata.n);
    }
    if (s->buffers == NULL || (s->metadata.n > 0 && s->metadata.p == NULL))
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "sensor: no memory for packets");
    return TL_EXIT_OK;
}

void frame_sender_close(frame_sender *s)
{
    free(s->buffers);
    free(s->metadata.p);
    s->buffers = s->metadata.p = NULL;
}

static tl_exit flush(frame_sender *s, outbox *box, tl_fault *fault)
{
    tl_exit e = way_out_write(box->out, box->packets, box->n, fault);

    for (size_t i = 0; i < box->n; i++)
        s->bytes += TL_LINK_PREFIX + box->packets[i].n;
    box->n = 0;
    return e;
}

static tl_exit stream_fault(const char *what, tl_err e, tl_fault *fault)
{
    return tl_fault_set(fault, TL_EXIT_INTERNAL, "stream: %s: %s", what, tl_err_text(e));
}

/* Registers of an embedded data line. The addresses are this sensor's own: 0x0000 frame counter (4 bytes, high byte
 * first), 0x0010 width, 0x0012 height (2 each), 0x0014 bits, 0x0020 exposure in lines (2), 0x0022 gain in 1/256 (2),
 * 0x0030 block, 0x0031 line of the block. */
static void fill_registers(const stream_file *file, uint32_t frame, unsigned block, unsigned row,
                           tl_embedded_register r[REGISTERS])
{
    uint32_t exposure = file->height * 3 / 4;
    const tl_embedded_register all[REGISTERS] = {
        { 0x0000, (uint8_t)(frame >> 24) },
        { 0x0001, (uint8_t)(frame >> 16) },
        { 0x0002, (uint8_t)(frame >> 8) },
        { 0x0003, (uint8_t)frame },
        { 0x0010, (uint8_t)(file->width >> 8) },
        { 0x0011, (uint8_t)file->width },
        { 0x0012, (uint8_t)(file->height >> 8) },
        { 0x0013, (uint8_t)file->height },
        { 0x0014, (uint8_t)file->bits },
        { 0x0020, (uint8_t)(exposure >> 8) },
        { 0x0021, (uint8_t)exposure },
        { 0x0022, 0x01 },
        { 0x0023, 0x00 },
        { 0x0030, (uint8_t)block },
        { 0x0031, (uint8_t)row },
    };

    memcpy(r, all, sizeof all);
}

/* Writes the payload of message `row` of a part to where its packet keeps it. */
static tl_err fill_payload(const stream_file *file, const tl_stream_part *part, unsigned row,
                           sensor_frame frame, uint8_t *payload)
{
    tl_embedded_register r[REGISTERS];
    tl_err e = TL_E_ROOM;

    if (part->data_type != TL_DT_EMBEDDED)
        return tl_raw_pack(file->bits, frame.samples + (size_t)row * file->width, file->width, payload);
    fill_registers(file, frame.number, part->block, row, r);
    /* Very narrow lines hold the first registers only. */
    for (size_t count = REGISTERS; e == TL_E_ROOM; count--)
        e = tl_embedded_write(file->bits, r, count, payload, part->length);
    return e;
}

/* Packs, protects and sends the messages of one part, in batches. */
static tl_exit send_part(frame_sender *s, tl_stream_tx *tx, const tl_stream_part *part, sensor_frame frame,
                         outbox *box, tl_fault *fault)
{
    tl_tx_message m[BATCH];
    unsigned row = 0;

    while (row < part->count) {
        size_t n = 0;
        tl_err e = TL_OK;
        tl_exit x;

        for (; n < BATCH && row < part->count && e == TL_OK; n++, row++) {
            uint8_t *buffer = s->buffers + n * s->stride;

            e = fill_payload(s->file, part, row, frame, buffer + TL_SEP_BEFORE);
            m[n] = (tl_tx_message){
                .data_type = part->data_type, .length = part->length, .buffer = buffer, .room = s->stride
            };
        }
        if (e == TL_OK)
            e = tl_stream_tx_messages(tx, m, n);
        if (e != TL_OK)
            return stream_fault("cannot protect", e, fault);
        for (size_t i = 0; i < n; i++)
            box->packets[box->n++] = m[i].packet;
        x = flush(s, box, fault);
        if (x != TL_EXIT_OK)
            return x;
    }
    return TL_EXIT_OK;
}

/* An edge's packets may be views of one place, so each leaves before the next is fetched. */
static tl_exit send_edge(frame_sender *s, outbox *box, tl_tx_edge *edge, tl_fault *fault)
{
    tl_exit e = TL_EXIT_OK;

    while (e == TL_EXIT_OK && tl_tx_edge_next(edge, &box->packets[0])) {
        box->n = 1;
        e = flush(s, box, fault);
    }
    return e;
}

/* Both packets of a frame's begin, or of its end, in one go with what stands beside them, where they have places of their own. */
static tl_exit post_edge(frame_sender *s, outbox *box, tl_tx_edge *edge, tl_fault *fault)
{
    if (s->file->config.carrier == TL_CARRIER_FSED)
        return send_edge(s, box, edge, fault);
    box->packets[box->n++] = edge->packets[0];
    box->packets[box->n++] = edge->packets[1];
    return TL_EXIT_OK;
}

tl_exit frame_sender_send(frame_sender *s, tl_stream_tx *tx, way_out *out, sensor_frame frame,
                          tl_fault *fault)
{
    tl_tx_edge begin, end;
    outbox box = { .out = out };
    tl_exit x;
    tl_err e = s->metadata.p != NULL ? tl_stream_tx_metadata(tx, s->metadata) : TL_OK;

    if (e == TL_OK)
        e = tl_stream_tx_begin(tx, tl_clock_us(), &begin);
    if (e == TL_E_LIMIT)
        return tl_fault_set(fault, TL_EXIT_LINK, "stream: the key is used up: connect again for a new one");
    if (e != TL_OK)
        return stream_fault("cannot begin a frame", e, fault);
    x = post_edge(s, &box, &begin, fault);
    for (unsigned i = 0; i < s->file->config.part_count && x == TL_EXIT_OK; i++)
        x = send_part(s, tx, &s->file->config.parts[i], frame, &box, fault);
    if (x != TL_EXIT_OK)
        return x;
    e = tl_stream_tx_end(tx, &end);
    if (e != TL_OK)
        return stream_fault("cannot end a frame", e, fault);
    x = post_edge(s, &box, &end, fault);
    return x == TL_EXIT_OK && box.n > 0 ? flush(s, &box, fault) : x;
}
