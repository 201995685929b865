/* Arbitrary bytes as an outline, bare and with a packet made around them, and as the note at the head of a frame. What is
 * taken must be a configuration that a stream can have, of bounded size, and must be written back as the same parts. */
#include "expect.h"

#include <stdlib.h>
#include <string.h>

#include "outline.h"

#include <trueline/layout/ids.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_outline(tl_span bytes)
{
    const tl_stream_config policy = {
        .stream = 1,
        .suite = TL_SUITE_AES128_GMAC,
        .tag_mode = TL_TAG_PER_MESSAGE,
        .tag_size = 16,
        .variant = { 0, TL_SV_2, TL_SV_2, TL_SV_2 },
    };
    tl_stream_config c = policy, again = policy;
    uint8_t packet[OUTLINE_PACKET_MAX];
    size_t n;

    if (outline_read(&c, bytes) != OUTLINE_TAKEN) {
        expect(memcmp(&c, &policy, sizeof c) == 0);
        return;
    }
    expect(tl_stream_config_check(&c, NULL) == TL_OK && tl_stream_frame_bytes(&c) <= PICTURE_BYTES_MAX);
    expect(outline_write(&c, packet, &n) == TL_OK);
    expect(outline_read(&again, tl_span_of(packet, n)) == OUTLINE_TAKEN);
    expect(again.part_count == c.part_count &&
           memcmp(again.parts, c.parts, c.part_count * sizeof *c.parts) == 0);
}

static void try_note(tl_span bytes)
{
    static uint8_t out[2 * PICTURE_FORMAT_MAX];
    picture_note note, again;
    size_t n;

    if (picture_note_read(&note, bytes) != TL_OK) {
        expect(note.format.p == NULL && note.format.n == 0);
        return;
    }
    n = picture_note_bytes(&note);
    expect(n != 0 && picture_note_write(&note, out, n) == TL_OK);
    expect(picture_note_read(&again, tl_span_of(out, n)) == TL_OK);
    expect(again.pts == note.pts && again.duration == note.duration && tl_equal(again.format, note.format));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const tl_csi2_header h = { .data_type = TL_OUTLINE_WIRE_TYPE };
    uint8_t packet[512];
    tl_wr w = tl_wr_of(packet, sizeof packet);

    try_outline(tl_span_of(data, size));
    if (tl_csi2_write(&h, tl_span_of(data, size), &w) == TL_OK)
        try_outline(tl_written(&w));
    try_note(tl_span_of(data, size));
    return 0;
}
