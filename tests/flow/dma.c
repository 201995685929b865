/* The unaware CSI-2 receiver of the simulation: where each packet's bytes end up, and what it drops. */
#include "testing.h"

#include "dma.h"

#include <string.h>

enum { STRIDE = 24, ROOM = 3 };

static uint8_t image[ROOM * STRIDE], embedded[ROOM * STRIDE], meta[ROOM * STRIDE];

static tl_dma fresh(void)
{
    tl_dma d = { .virtual_channel = 1, .image_n = 2 };

    d.image[0] = (tl_dma_plane){ TL_DT_RAW12, image, STRIDE, ROOM };
    d.image[1] = (tl_dma_plane){ TL_DT_EMBEDDED, embedded, STRIDE, ROOM };
    d.metadata = (tl_dma_plane){ 0x35, meta, STRIDE, ROOM };
    memset(image, 0xEE, sizeof image);
    memset(embedded, 0xEE, sizeof embedded);
    memset(meta, 0xEE, sizeof meta);
    return d;
}

/* A packet of n bytes `fill`; `spoil` is the place of a byte that is changed, or 0. */
static bool put_on(tl_dma *d, unsigned channel, unsigned type, size_t n, uint8_t fill, size_t spoil)
{
    uint8_t payload[64], packet[80];
    tl_csi2_header h = { (uint8_t)channel, (uint8_t)type, 7 };
    tl_wr w = tl_wr_of(packet, sizeof packet);
    tl_frame_buffers f;

    memset(payload, fill, sizeof payload);
    tl_assert_ok(tl_csi2_write(&h, tl_span_of(payload, n), &w));
    if (spoil != 0)
        packet[spoil] ^= 1;
    return tl_dma_packet(d, tl_written(&w), &f);
}

static bool put(tl_dma *d, unsigned type, size_t n, uint8_t fill)
{
    return put_on(d, 1, type, n, fill, 0);
}

static tl_frame_buffers end(tl_dma *d)
{
    uint8_t packet[4];
    tl_csi2_header h = { 1, TL_DT_FRAME_END, 7 };
    tl_wr w = tl_wr_of(packet, sizeof packet);
    tl_frame_buffers f = { 0 };

    tl_assert_ok(tl_csi2_write(&h, tl_span_of(NULL, 0), &w));
    assert_true(tl_dma_packet(d, tl_written(&w), &f));
    return f;
}

static void rows_when_types_are_mixed_then_each_in_its_plane(void **state)
{
    tl_dma d = fresh();
    tl_frame_buffers f;

    (void)state;
    assert_false(put(&d, TL_DT_FRAME_START, 0, 0));
    assert_false(put(&d, 0x35, 20, 1));
    assert_false(put(&d, TL_DT_EMBEDDED, 10, 2));
    assert_false(put(&d, TL_DT_RAW12, 24, 3));
    assert_false(put(&d, TL_DT_RAW12, 24, 4));
    assert_false(put(&d, 0x35, 20, 5));
    f = end(&d);
    assert_int_equal(f.plane_count, 2);
    assert_int_equal(f.planes[0].data_type, TL_DT_RAW12);
    assert_int_equal(f.planes[0].rows, 2);
    assert_int_equal(f.planes[1].rows, 1);
    assert_int_equal(f.metadata.rows, 2);
    assert_true(f.planes[0].p == image && f.planes[0].stride == STRIDE && f.planes[0].present == NULL);
    tl_assert_all(image, 3, 24);
    tl_assert_all(image + STRIDE, 4, 24);
    tl_assert_all(image + 2 * STRIDE, 0xEE, STRIDE);
    tl_assert_all(embedded, 2, 10);
    tl_assert_all(embedded + 10, 0xEE, 14);
    tl_assert_all(meta, 1, 20);
    tl_assert_all(meta + STRIDE, 5, 20);
    assert_int_equal(d.counters.packets, 7);
    assert_int_equal(d.counters.ecc + d.counters.crc16 + d.counters.other + d.counters.overflow, 0);
}

static void frame_when_the_next_one_starts_inside_then_given_as_far_as_it_came(void **state)
{
    tl_dma d = fresh();

    (void)state;
    assert_false(put(&d, TL_DT_FRAME_START, 0, 0));
    assert_false(put(&d, TL_DT_RAW12, 24, 3));
    assert_true(put(&d, TL_DT_FRAME_START, 0, 0));
    assert_int_equal(d.planes[0].rows, 1);
    assert_int_equal(end(&d).planes[0].rows, 0);
    assert_false(put(&d, TL_DT_FRAME_END, 0, 0));
}

static void packets_when_not_for_any_plane_then_dropped_and_counted(void **state)
{
    tl_dma d = fresh();

    (void)state;
    assert_false(put(&d, TL_DT_RAW12, 24, 9));
    assert_int_equal(d.counters.outside, 1);
    assert_false(put(&d, TL_DT_FRAME_START, 0, 0));
    assert_false(put_on(&d, 2, TL_DT_RAW12, 24, 9, 0));
    assert_false(put(&d, TL_DT_RAW10, 24, 9));
    assert_int_equal(d.counters.other, 2);
    assert_false(put(&d, TL_DT_RAW12, STRIDE + 1, 9));
    for (unsigned i = 0; i < ROOM + 1; i++)
        assert_false(put(&d, TL_DT_EMBEDDED, 5, 9));
    assert_int_equal(d.counters.overflow, 2);
    assert_int_equal(end(&d).planes[1].rows, ROOM);
    tl_assert_all(image, 0xEE, sizeof image);
}

static void packets_when_damaged_then_as_hardware_does(void **state)
{
    tl_dma d = fresh();
    uint8_t broken[8] = { 0x77, 0x88, 0x99, 0x55 };
    tl_frame_buffers f;

    (void)state;
    assert_false(put(&d, TL_DT_FRAME_START, 0, 0));
    assert_false(put_on(&d, 1, TL_DT_RAW12, 24, 3, 10));
    assert_int_equal(d.counters.crc16, 1);
    d.drop_bad = true;
    assert_false(put_on(&d, 1, TL_DT_RAW12, 24, 3, 10));
    assert_int_equal(d.counters.crc16, 2);
    assert_false(tl_dma_packet(&d, tl_span_of(broken, 8), &f));
    assert_int_equal(d.counters.ecc, 1);
    f = end(&d);
    assert_int_equal(f.planes[0].rows, 1);
    assert_int_equal(image[6], 3 ^ 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_when_types_are_mixed_then_each_in_its_plane),
        cmocka_unit_test(frame_when_the_next_one_starts_inside_then_given_as_far_as_it_came),
        cmocka_unit_test(packets_when_not_for_any_plane_then_dropped_and_counted),
        cmocka_unit_test(packets_when_damaged_then_as_hardware_does),
    };

    return cmocka_run_group_tests_name("dma", tests, NULL, NULL);
}
