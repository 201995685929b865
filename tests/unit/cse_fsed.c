/* Metadata packets: runs of bytes cut into packets and read back, and what becomes of rows that lie. */
#include "testing.h"

#include "cse/fsed.h"

#include <trueline/messages.h>

#include <stdlib.h>
#include <string.h>

enum { STREAM = 77, LENGTH = 40, ROOM = LENGTH - TL_FSED_HEADER_SIZE, ROWS = 16, RUN = 5 * ROOM - 3 };

static uint8_t run[RUN], rows[ROWS][LENGTH + 3];

static tl_frame_plane plane_of(uint32_t n)
{
    return (tl_frame_plane){ .p = rows[0], .stride = sizeof rows[0], .row_bytes = LENGTH, .rows = n };
}

/* Writes a row by hand. */
static void put_row(unsigned row, tl_fsed_packet m, uint8_t fill)
{
    const tl_env env = { 0 };
    tl_wr w = tl_wr_of(rows[row], TL_FSED_HEADER_SIZE);

    memset(rows[row], fill, LENGTH);
    tl_assert_ok(tl_encode_fsed_packet(&env, &m, &w));
}

static tl_fsed_packet header(uint8_t position, uint32_t offset, uint32_t used)
{
    return (tl_fsed_packet){
        .version = TL_FSED_VERSION, .position = position, .stream = STREAM, .offset = offset, .used = used
    };
}

/* The run, in three pieces, as rows of the plane; gives their number. */
static uint32_t write_run(uint8_t position)
{
    static uint8_t packet[TL_CSI2_HEADER_SIZE + LENGTH + TL_CSI2_FOOTER_SIZE];
    tl_fsed_writer w = { .pieces = { { run, 7 }, { run + 7, 0 }, { run + 7, RUN - 7 } },
                         .total = RUN,
                         .packet = packet,
                         .length = LENGTH,
                         .stream = STREAM,
                         .position = position,
                         .virtual_channel = 2 };
    tl_csi2_packet p;
    tl_span bytes;
    uint32_t n = 0;

    memset(rows, 0xEE, sizeof rows);
    for (unsigned i = 0; i < RUN; i++)
        run[i] = (uint8_t)(i * 37 + 11);
    for (; tl_fsed_write(&w, &bytes); n++) {
        assert_int_equal(bytes.n, sizeof packet);
        tl_csi2_read(bytes, &p);
        assert_true(p.ecc == TL_CSI2_ECC_OK && p.crc_right);
        assert_int_equal(p.header.virtual_channel, 2);
        assert_int_equal(p.header.data_type, TL_FSED_WIRE_TYPE);
        memcpy(rows[n], p.payload.p, p.payload.n);
    }
    return n;
}

static void run_when_written_then_read_back_from_any_offset(void **state)
{
    tl_frame_plane plane;
    uint8_t out[RUN];

    (void)state;
    plane = plane_of(write_run(TL_FSED_BOTTOM));
    assert_int_equal(plane.rows, 5);
    assert_int_equal(tl_fsed_total(&plane, STREAM, TL_FSED_BOTTOM), RUN);
    assert_int_equal(tl_fsed_total(&plane, STREAM, TL_FSED_TOP), 0);
    assert_int_equal(tl_fsed_total(&plane, STREAM + 1, TL_FSED_BOTTOM), 0);
    for (size_t from = RUN; from-- > 0;) {
        tl_fsed_reader r = tl_fsed_reader_of(&plane, STREAM, TL_FSED_BOTTOM);
        assert_true(tl_fsed_read(&r, from, out, RUN - from));
        assert_memory_equal(out, run + from, RUN - from);
        assert_true(tl_fsed_read(&r, 0, out, 1) && out[0] == run[0]);
        assert_false(tl_fsed_read(&r, from, out, RUN - from + 1));
        assert_true(tl_fsed_read(&r, 1, out, RUN - 1));
    }
}

static void run_when_written_then_the_last_packet_is_padded_with_zeros(void **state)
{
    (void)state;
    assert_int_equal(write_run(TL_FSED_TOP), 5);
    tl_assert_all(rows[4] + LENGTH - 3, 0, 3);
    assert_int_equal(rows[4][LENGTH - 4], run[RUN - 1]);
}

static void writer_when_packets_stand_around_then_first_and_last(void **state)
{
    static const uint8_t first[4] = { 1 }, last[4] = { 2 };
    uint8_t packet[TL_CSI2_HEADER_SIZE + LENGTH + TL_CSI2_FOOTER_SIZE];
    tl_fsed_writer w = { .pieces = { { run, 1 } },
                         .total = 1,
                         .around = { { first, 4 }, { last, 4 } },
                         .packet = packet,
                         .length = LENGTH };
    tl_span p;

    (void)state;
    assert_true(tl_fsed_write(&w, &p) && p.p == first);
    assert_true(tl_fsed_write(&w, &p) && p.p == packet);
    assert_true(tl_fsed_write(&w, &p) && p.p == last);
    assert_false(tl_fsed_write(&w, &p));
    assert_false(tl_fsed_write(&w, &p));
}

static void row_when_missing_then_its_bytes_alone_are_gone(void **state)
{
    uint8_t out[RUN], present[2] = { 0xFF & ~4, 0xFF };
    tl_frame_plane plane = plane_of(write_run(TL_FSED_TOP));
    tl_fsed_reader r;

    (void)state;
    plane.present = present;
    for (unsigned with = 0; with < 2; with++) {
        if (with == 1) {
            plane = plane_of(4);
            memmove(rows[2], rows[3], 2 * sizeof rows[0]);
        }
        r = tl_fsed_reader_of(&plane, STREAM, TL_FSED_TOP);
        assert_int_equal(tl_fsed_total(&plane, STREAM, TL_FSED_TOP), RUN);
        assert_true(tl_fsed_read(&r, 0, out, 2 * ROOM));
        assert_false(tl_fsed_read(&r, 2 * ROOM, out, 1));
        assert_false(tl_fsed_read(&r, 3 * ROOM - 1, out, 2));
        assert_false(tl_fsed_read(&r, 2 * ROOM - 1, out, 2));
        assert_true(tl_fsed_read(&r, 3 * ROOM, out, RUN - 3 * ROOM));
        assert_memory_equal(out, run + 3 * ROOM, RUN - 3 * ROOM);
    }
}

static void rows_when_swapped_or_repeated_then_the_later_is_refused_as_order(void **state)
{
    uint8_t kept[LENGTH + 3], out[1];
    tl_frame_plane plane = plane_of(write_run(TL_FSED_TOP));
    uint64_t ends[2] = { 0, 0 };
    tl_fsed_reader r = tl_fsed_reader_of(&plane, STREAM, TL_FSED_TOP);

    (void)state;
    memcpy(kept, rows[1], sizeof kept);
    memcpy(rows[1], rows[2], sizeof kept);
    memcpy(rows[2], kept, sizeof kept);
    memcpy(rows[4], rows[3], sizeof kept);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(tl_fsed_judge(&plane, i, STREAM, ends),
                         i == 2 || i == 4 ? TL_VERDICT_ORDER : TL_VERDICT_OK);
    assert_int_equal(ends[0], 4 * ROOM);
    assert_int_equal(ends[1], 0);
    assert_false(tl_fsed_read(&r, ROOM, out, 1));
    assert_true(tl_fsed_read(&r, 2 * ROOM, out, 1));
}

static void row_when_its_header_lies_then_header(void **state)
{
    tl_fsed_packet bad[6];
    tl_frame_plane plane = plane_of(1);
    uint64_t ends[2] = { 0, 0 };

    (void)state;
    for (unsigned i = 0; i < 6; i++)
        bad[i] = header(TL_FSED_TOP, 0, ROOM);
    bad[0].version ^= 1;
    bad[1].position = 0;
    bad[2].stream++;
    bad[3].used = ROOM + 1;
    bad[4].used = 0xFFFF;
    bad[5].used = 0;
    for (unsigned i = 0; i < 6; i++) {
        put_row(0, bad[i], 0);
        assert_int_equal(tl_fsed_judge(&plane, 0, STREAM, ends), TL_VERDICT_HEADER);
        assert_int_equal(tl_fsed_total(&plane, STREAM, TL_FSED_TOP), 0);
    }
    put_row(0, header(TL_FSED_TOP, 0, ROOM), 0);
    assert_int_equal(tl_fsed_judge(&plane, 0, STREAM, ends), TL_VERDICT_OK);
    assert_int_equal(tl_fsed_judge(&plane, 1, STREAM, ends), TL_VERDICT_HEADER);
    for (plane.row_bytes = 0; plane.row_bytes < LENGTH; plane.row_bytes++)
        assert_int_equal(tl_fsed_judge(&plane, 0, STREAM, ends), TL_VERDICT_HEADER);
}

static void row_when_it_overlaps_the_one_before_then_order(void **state)
{
    tl_frame_plane plane = plane_of(2);
    uint64_t ends[2] = { 0, 0 };
    tl_fsed_reader r = tl_fsed_reader_of(&plane, STREAM, TL_FSED_BOTTOM);
    uint8_t out[ROOM];

    (void)state;
    put_row(0, header(TL_FSED_BOTTOM, 5, ROOM), 1);
    put_row(1, header(TL_FSED_BOTTOM, 4 + ROOM, ROOM), 2);
    assert_int_equal(tl_fsed_judge(&plane, 0, STREAM, ends), TL_VERDICT_OK);
    assert_int_equal(tl_fsed_judge(&plane, 1, STREAM, ends), TL_VERDICT_ORDER);
    assert_int_equal(tl_fsed_total(&plane, STREAM, TL_FSED_BOTTOM), 5 + ROOM);
    assert_true(tl_fsed_read(&r, 5, out, ROOM));
    tl_assert_all(out, 1, ROOM);
    assert_false(tl_fsed_read(&r, 4, out, 1));
    assert_false(tl_fsed_read(&r, 5 + ROOM, out, 1));
}

static void row_when_its_offset_is_the_highest_then_nothing_overflows(void **state)
{
    const uint32_t last = UINT32_MAX;
    tl_frame_plane plane = plane_of(2);
    tl_fsed_reader r = tl_fsed_reader_of(&plane, STREAM, TL_FSED_TOP);
    uint8_t out[ROOM];

    (void)state;
    put_row(0, header(TL_FSED_TOP, last, ROOM), 1);
    put_row(1, header(TL_FSED_TOP, 0, ROOM), 2);
    assert_true(tl_fsed_total(&plane, STREAM, TL_FSED_TOP) == (uint64_t)last + ROOM);
    assert_true(tl_fsed_read(&r, (uint64_t)last + 1, out, ROOM - 1));
    assert_false(tl_fsed_read(&r, 0, out, 1));
    assert_false(tl_fsed_read(&r, UINT64_MAX - 4, out, 8));
}

static void length_when_none_is_named_then_the_longest_line(void **state)
{
    tl_stream_config c = { .parts = { { 1, 0x12, 1, 50 }, { 2, 0x2C, 9, 90 }, { 3, 0x12, 1, 60 } } };

    (void)state;
    c.part_count = 3;
    assert_int_equal(tl_fsed_length(&c), 90);
    c.fsed_length = 64;
    assert_int_equal(tl_fsed_length(&c), 64);
    c.fsed_length = 0;
    c.parts[0].length = c.parts[1].length = c.parts[2].length = 1;
    assert_true(tl_fsed_length(&c) > TL_FSED_HEADER_SIZE);
}

static void metadata_when_the_sender_is_none_then_refused(void **state)
{
    static const tl_stream_config nothing = { 0 };
    static tl_stream_tx tx;
    uint8_t memory[64];

    (void)state;
    tl_assert_err(TL_E_COPIED, tl_stream_tx_metadata(&tx, (tl_buffer){ memory, sizeof memory }));
    assert_int_equal(tl_stream_tx_metadata_size(&nothing), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata_when_the_sender_is_none_then_refused),
        cmocka_unit_test(run_when_written_then_read_back_from_any_offset),
        cmocka_unit_test(run_when_written_then_the_last_packet_is_padded_with_zeros),
        cmocka_unit_test(writer_when_packets_stand_around_then_first_and_last),
        cmocka_unit_test(row_when_missing_then_its_bytes_alone_are_gone),
        cmocka_unit_test(rows_when_swapped_or_repeated_then_the_later_is_refused_as_order),
        cmocka_unit_test(row_when_its_header_lies_then_header),
        cmocka_unit_test(row_when_it_overlaps_the_one_before_then_order),
        cmocka_unit_test(row_when_its_offset_is_the_highest_then_nothing_overflows),
        cmocka_unit_test(length_when_none_is_named_then_the_longest_line),
    };

    return cmocka_run_group_tests_name("cse_fsed", tests, NULL, NULL);
}
