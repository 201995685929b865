/* The outline of a stream of pictures and the note at the head of each frame: there and back, and what is refused of
 * bytes that anybody may have sent. */
#include "testing.h"

#include "outline.h"

#include <trueline/layout/ids.h>

#include <string.h>

static tl_stream_config policy(void)
{
    return (tl_stream_config){
        .stream = 7,
        .suite = TL_SUITE_AES128_GMAC,
        .tag_mode = TL_TAG_PER_MESSAGE,
        .tag_size = 16,
        .crc32 = TL_WITH,
        .variant = { 0, TL_SV_2, TL_SV_2, TL_SV_2 },
    };
}

/* A note, and two planes. */
static tl_stream_config pictures(void)
{
    tl_stream_config c = policy();

    c.parts[0] = (tl_stream_part){ TL_BLOCK_TOP, PICTURE_FORMAT_TYPE, 1, 256 };
    c.parts[1] = (tl_stream_part){ TL_BLOCK_MIDDLE, PICTURE_TYPE, 480, 640 };
    c.parts[2] = (tl_stream_part){ TL_BLOCK_MIDDLE, PICTURE_TYPE, 240, 320 };
    c.part_count = 3;
    return c;
}

static void written(const tl_stream_config *c, uint8_t packet[OUTLINE_PACKET_MAX], size_t *n)
{
    tl_assert_ok(outline_write(c, packet, n));
}

/* What is read of an outline that says `c`, by an end that has the policy alone; nothing may change. */
static void assert_other(const tl_stream_config *c)
{
    uint8_t packet[OUTLINE_PACKET_MAX];
    tl_stream_config mine = policy(), before = mine;
    size_t n;

    written(c, packet, &n);
    assert_int_equal(outline_read(&mine, tl_span_of(packet, n)), OUTLINE_OTHER);
    assert_memory_equal(&mine, &before, sizeof mine);
}

static void outline_when_read_then_gives_the_parts_that_were_written(void **state)
{
    uint8_t packet[OUTLINE_PACKET_MAX];
    tl_stream_config c = pictures(), mine = policy();
    size_t n;

    (void)state;
    written(&c, packet, &n);
    assert_int_equal(outline_read(&mine, tl_span_of(packet, n)), OUTLINE_TAKEN);
    assert_int_equal(mine.part_count, 3);
    assert_memory_equal(mine.parts, c.parts, 3 * sizeof *c.parts);
    assert_int_equal(mine.variant[TL_BLOCK_MIDDLE], TL_SV_2);
}

static void outline_when_of_another_stream_then_changes_nothing(void **state)
{
    tl_stream_config c = pictures();

    (void)state;
    c.stream = 8;
    assert_other(&c);
}

static void outline_when_without_a_note_or_pixels_then_changes_nothing(void **state)
{
    tl_stream_config c = pictures();

    (void)state;
    c.part_count = 1;
    assert_other(&c);
    c = pictures();
    c.parts[0].block = TL_BLOCK_MIDDLE;
    assert_other(&c);
    c = pictures();
    c.parts[0].count = 2;
    assert_other(&c);
    c = pictures();
    c.parts[0].data_type = PICTURE_TYPE;
    assert_other(&c);
    c = pictures();
    c.parts[2].block = TL_BLOCK_BOTTOM;
    assert_other(&c);
    c = pictures();
    c.parts[1].data_type = TL_DT_RAW12;
    assert_other(&c);
    c = pictures();
    c.part_count = 0;
    assert_other(&c);
}

static void outline_when_no_configuration_can_be_so_then_changes_nothing(void **state)
{
    tl_stream_config c = pictures();

    (void)state;
    c.parts[1].count = 0;
    assert_other(&c);
    c = pictures();
    c.parts[2].length = 0;
    assert_other(&c);
    c = pictures();
    c.parts[1].length = UINT16_MAX;
    assert_other(&c);
    c = pictures();
    c.parts[1].count = UINT16_MAX; /* and those of the second plane: more than can be numbered */
    assert_other(&c);
}

static void outline_when_it_would_take_too_much_memory_then_changes_nothing(void **state)
{
    tl_stream_config c = pictures();

    (void)state;
    c.parts[1].count = 60000;
    c.parts[1].length = 60000;
    assert_other(&c);
}

static void outline_when_damaged_anywhere_then_is_not_taken(void **state)
{
    uint8_t packet[OUTLINE_PACKET_MAX];
    tl_stream_config c = pictures(), mine = policy();
    size_t n;

    (void)state;
    written(&c, packet, &n);
    for (size_t i = TL_CSI2_HEADER_SIZE; i < n; i++) {
        packet[i] ^= 0x10;
        assert_int_equal(outline_read(&mine, tl_span_of(packet, n)), OUTLINE_OTHER);
        packet[i] ^= 0x10;
    }
    for (size_t cut = 0; cut < n; cut++)
        assert_int_not_equal(outline_read(&mine, tl_span_of(packet, cut)), OUTLINE_TAKEN);
    packet[n] = 0;
    assert_int_equal(outline_read(&mine, tl_span_of(packet, n + 1)), OUTLINE_OTHER);
}

static void outline_when_another_packet_then_is_left_alone(void **state)
{
    uint8_t packet[64];
    const tl_csi2_header h = { .data_type = TL_SEP_WIRE_TYPE };
    tl_wr w = tl_wr_of(packet, sizeof packet);
    tl_stream_config mine = policy();

    (void)state;
    tl_assert_ok(tl_csi2_write(&h, tl_span_of("0123456789", 10), &w));
    assert_int_equal(outline_read(&mine, tl_written(&w)), OUTLINE_NONE);
    assert_int_equal(outline_read(&mine, tl_span_of(NULL, 0)), OUTLINE_NONE);
}

static picture_note some_note(void)
{
    return (
        picture_note){ .pts = 1234567890123, .duration = 37037037, .format = tl_span_of("video/x-raw", 11) };
}

static void note_when_read_then_gives_what_was_written(void **state)
{
    picture_note note = some_note(), got;
    uint8_t bytes[64];
    size_t n = picture_note_bytes(&note);

    (void)state;
    assert_true(n > 11 && n <= sizeof bytes && n % 16 == 0);
    memset(bytes, 0xEE, sizeof bytes);
    tl_assert_ok(picture_note_write(&note, bytes, n));
    tl_assert_ok(picture_note_read(&got, tl_span_of(bytes, n)));
    assert_int_equal(got.pts, note.pts);
    assert_int_equal(got.duration, note.duration);
    assert_true(tl_equal(got.format, note.format));
}

static void note_when_it_does_not_fit_then_is_refused(void **state)
{
    static char text[PICTURE_FORMAT_MAX + 1];
    static uint8_t bytes[2 * PICTURE_FORMAT_MAX];
    picture_note note = some_note();

    (void)state;
    tl_assert_err(TL_E_ROOM, picture_note_write(&note, bytes, 16));
    memset(text, 'a', sizeof text);
    note.format = tl_span_of(text, sizeof text);
    assert_int_equal(picture_note_bytes(&note), 0);
    tl_assert_err(TL_E_USAGE, picture_note_write(&note, bytes, sizeof bytes));
    note.format.n--;
    assert_true(picture_note_bytes(&note) > PICTURE_FORMAT_MAX);
    note.format.n = 0;
    assert_int_equal(picture_note_bytes(&note), 0);
}

static void note_when_cut_or_not_text_then_is_refused(void **state)
{
    picture_note note = some_note(), got;
    uint8_t bytes[64];
    size_t n = picture_note_bytes(&note);

    (void)state;
    tl_assert_ok(picture_note_write(&note, bytes, n + 1)); /* in any layout its last byte is padding */
    tl_assert_err(TL_E_WIRE_SHORT, picture_note_read(&got, tl_span_of(bytes, 12)));
    bytes[n] = 1;
    tl_assert_err(TL_E_WIRE_VALUE, picture_note_read(&got, tl_span_of(bytes, n + 1)));
    note.format = tl_span_of("a\0b", 3);
    n = picture_note_bytes(&note);
    tl_assert_ok(picture_note_write(&note, bytes, n));
    tl_assert_err(TL_E_WIRE_VALUE, picture_note_read(&got, tl_span_of(bytes, n)));
    memset(bytes, 0, sizeof bytes);
    tl_assert_err(TL_E_WIRE_VALUE, picture_note_read(&got, tl_span_of(bytes, sizeof bytes)));
    assert_int_equal(got.format.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outline_when_read_then_gives_the_parts_that_were_written),
        cmocka_unit_test(outline_when_of_another_stream_then_changes_nothing),
        cmocka_unit_test(outline_when_without_a_note_or_pixels_then_changes_nothing),
        cmocka_unit_test(outline_when_no_configuration_can_be_so_then_changes_nothing),
        cmocka_unit_test(outline_when_it_would_take_too_much_memory_then_changes_nothing),
        cmocka_unit_test(outline_when_damaged_anywhere_then_is_not_taken),
        cmocka_unit_test(outline_when_another_packet_then_is_left_alone),
        cmocka_unit_test(note_when_read_then_gives_what_was_written),
        cmocka_unit_test(note_when_it_does_not_fit_then_is_refused),
        cmocka_unit_test(note_when_cut_or_not_text_then_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
