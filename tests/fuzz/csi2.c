/* Arbitrary bytes as a CSI-2 packet, as a packet to repair and as an embedded data line. Beyond staying in bounds:
 *     a packet that reads right, and needed no correction, is what the writer makes of its parts
 *     a packet that was repaired reads right, and its payload is untouched
 *     an embedded line that reads is written again, and reads to the same registers */
#include "expect.h"

#include <stdlib.h>
#include <string.h>

#include <trueline/csi2.h>

enum { REGISTERS = 1024, LINE = 1 + 6 * REGISTERS * 3 / 2 + 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(tl_span a, tl_span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static void read_and_write(tl_span bytes)
{
    static uint8_t again[TL_CSI2_PACKET_MAX];
    tl_csi2_packet p;

    tl_csi2_read(bytes, &p);
    if (p.ecc == TL_CSI2_ECC_BAD)
        expect(!p.crc_right && p.payload.n == 0 && p.header.word_count == 0);
    if (!p.crc_right)
        return;
    tl_wr w = tl_wr_of(again, sizeof again);
    expect(tl_csi2_write(&p.header, p.payload, &w) == TL_OK);
    expect(w.n == bytes.n);
    if (p.ecc == TL_CSI2_ECC_OK)
        expect(same(tl_written(&w), bytes));
    else
        expect(same(tl_span_of(again + 4, w.n - 4), tl_span_of(bytes.p + 4, bytes.n - 4)));
}

static void repair_and_read(tl_span bytes)
{
    static uint8_t packet[TL_CSI2_PACKET_MAX];
    tl_csi2_packet p;

    if (bytes.n > sizeof packet)
        return;
    if (bytes.n > 0)
        memcpy(packet, bytes.p, bytes.n);
    if (tl_csi2_repair(packet, bytes.n) != TL_OK) {
        expect(same(tl_span_of(packet, bytes.n), bytes));
        return;
    }
    tl_csi2_read(tl_span_of(packet, bytes.n), &p);
    expect(p.ecc == TL_CSI2_ECC_OK && p.crc_right);
    expect(memcmp(packet, bytes.p, 3) == 0);
    expect(same(p.payload, tl_span_of(bytes.p + 4, p.payload.n)));
}

/* Most inputs have no matching word count: this one does, so that the payload's part of the code is met too. */
static void repair_with_its_size(tl_span bytes)
{
    static uint8_t packet[TL_CSI2_PACKET_MAX];
    const size_t n = bytes.n + TL_CSI2_HEADER_SIZE + TL_CSI2_FOOTER_SIZE;

    if (n > sizeof packet)
        return;
    tl_wr w = tl_wr_of(packet, n);
    tl_put(&w, 1, TL_LITTLE, TL_DT_RAW8);
    tl_put(&w, 2, TL_LITTLE, bytes.n);
    tl_put(&w, 1, TL_LITTLE, 0xFF);
    tl_put_bytes(&w, bytes);
    tl_put(&w, TL_CSI2_FOOTER_SIZE, TL_LITTLE, 0);
    repair_and_read(tl_written(&w));
    expect(tl_csi2_repair(packet, n) == TL_OK);
    read_and_write(tl_written(&w));
}

static void embedded(unsigned bits, tl_span bytes)
{
    static tl_embedded_register first[REGISTERS], second[REGISTERS];
    static uint8_t line[LINE];
    size_t count, again;

    const tl_err err = tl_embedded_read(bits, bytes, first, REGISTERS, &count);
    expect(err == TL_OK || count == 0);
    if (err != TL_OK)
        return;
    expect(tl_embedded_write(bits, first, count, line, sizeof line) == TL_OK);
    expect(tl_embedded_read(bits, tl_span_of(line, sizeof line), second, REGISTERS, &again) == TL_OK);
    expect(again == count);
    for (size_t i = 0; i < count; i++)
        expect(first[i].address == second[i].address && first[i].value == second[i].value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const tl_span bytes = tl_span_of(data, size);

    read_and_write(bytes);
    repair_and_read(bytes);
    repair_with_its_size(bytes);
    embedded(8, bytes);
    embedded(10, bytes);
    embedded(12, bytes);
    return 0;
}
