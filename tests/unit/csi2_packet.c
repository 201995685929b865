/* Packets: the header's code against every wrong bit, whole packets against every length, refusals of the writer. */
#include <string.h>

#include <trueline/csi2.h>

#include "testing.h"

enum { HEADER_BITS = 24, CODE_BITS = 30, BYTE_BITS = 32 };

/* A fixed sequence (Numerical Recipes' constants): a failure repeats by itself. */
static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void put_header(uint8_t bytes[4], uint32_t header24, uint32_t flipped)
{
    const uint32_t v = (header24 | (uint32_t)tl_csi2_ecc_of(header24) << 24) ^ flipped;
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(v >> 8 * i);
}

static void assert_header(const tl_csi2_header *h, uint32_t header24)
{
    assert_int_equal(h->data_type, header24 & 0x3F);
    assert_int_equal(h->virtual_channel, header24 >> 6 & 3);
    assert_int_equal(h->word_count, header24 >> 8);
}

/* Every single-bit header, so that every column of the code is met alone, and then a few hundred of all kinds. */
static uint32_t header_of_round(unsigned round, uint32_t *state)
{
    return round == 0 ? 0 : round <= HEADER_BITS ? 1u << (round - 1) : next(state) & 0xFFFFFF;
}

static void ecc_of_known_headers_then_their_code(void **unused)
{
    (void)unused;
    /* DSI packets, whose headers have the same code, as traces of display drivers show them: sleep out, display on, end of
     * transmission, and a maximum return size of 496 on channel 0. */
    assert_int_equal(tl_csi2_ecc_of(0x001105), 0x36);
    assert_int_equal(tl_csi2_ecc_of(0x002905), 0x1C);
    assert_int_equal(tl_csi2_ecc_of(0x0F0F08), 0x01);
    assert_int_equal(tl_csi2_ecc_of(0x01F037), 0x3F);
    assert_int_equal(tl_csi2_ecc_of(0), 0);
}

static void header_when_one_bit_is_wrong_then_corrected(void **unused)
{
    uint32_t state = 1;
    (void)unused;
    for (unsigned round = 0; round < 500; round++) {
        const uint32_t header24 = header_of_round(round, &state);
        uint8_t bytes[4];
        tl_csi2_header h;

        put_header(bytes, header24, 0);
        assert_int_equal(tl_csi2_header_read(bytes, &h), TL_CSI2_ECC_OK);
        assert_header(&h, header24);
        for (unsigned bit = 0; bit < CODE_BITS; bit++) {
            put_header(bytes, header24, 1u << bit);
            assert_int_equal(tl_csi2_header_read(bytes, &h), TL_CSI2_ECC_CORRECTED);
            assert_header(&h, header24);
        }
    }
}

static void header_when_two_bits_are_wrong_then_bad_and_zero(void **unused)
{
    uint32_t state = 2;
    (void)unused;
    for (unsigned round = 0; round < 200; round++) {
        const uint32_t header24 = header_of_round(round, &state);
        for (unsigned a = 0; a < CODE_BITS; a++) {
            for (unsigned b = a + 1; b < CODE_BITS; b++) {
                uint8_t bytes[4];
                tl_csi2_header h = { 3, 0x3F, 0xFFFF };
                put_header(bytes, header24, 1u << a | 1u << b);
                assert_int_equal(tl_csi2_header_read(bytes, &h), TL_CSI2_ECC_BAD);
                assert_header(&h, 0);
            }
        }
    }
}

static void header_when_extended_channel_bits_are_set_then_bad(void **unused)
{
    uint8_t bytes[4];
    tl_csi2_header h;
    (void)unused;
    for (unsigned top = 1; top < 4; top++) {
        for (unsigned bit = 0; bit <= CODE_BITS; bit++) { /* the last round: no further wrong bit */
            put_header(bytes, 0x0B402C, (uint32_t)top << CODE_BITS | (bit < CODE_BITS ? 1u << bit : 0));
            assert_int_equal(tl_csi2_header_read(bytes, &h), TL_CSI2_ECC_BAD);
        }
    }
}

static void header_write_when_fields_fit_then_bytes_in_wire_order(void **unused)
{
    const tl_csi2_header h = { .virtual_channel = 2, .data_type = TL_DT_RAW12, .word_count = 0x0B40 };
    uint8_t bytes[4];
    tl_wr w = tl_wr_of(bytes, sizeof bytes);
    (void)unused;
    assert_int_equal(tl_csi2_header_write(&h, &w), TL_OK);
    assert_int_equal(w.n, 4);
    assert_int_equal(bytes[0], 0xAC); /* channel 2, type 0x2C */
    assert_int_equal(bytes[1], 0x40);
    assert_int_equal(bytes[2], 0x0B);
    assert_int_equal(bytes[3], tl_csi2_ecc_of(0x0B40AC));
}

static void header_write_when_a_field_is_too_wide_then_refused(void **unused)
{
    const tl_csi2_header wide[] = { { 4, TL_DT_RAW12, 1 }, { 0, 0x40, 1 }, { 255, 255, 0 } };
    uint8_t bytes[16];
    (void)unused;
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++) {
        tl_wr w = tl_wr_of(bytes, sizeof bytes);
        assert_int_equal(tl_csi2_header_write(&wide[i], &w), TL_E_USAGE);
        assert_int_equal(tl_csi2_write(&wide[i], tl_span_of(NULL, 0), &w), TL_E_USAGE);
        assert_int_equal(w.n, 0);
        assert_false(w.bad);
    }
}

static void header_write_when_there_is_no_room_then_refused(void **unused)
{
    const tl_csi2_header h = { 0, TL_DT_FRAME_START, 1 };
    uint8_t bytes[4] = { 9, 9, 9, 9 };
    (void)unused;
    for (size_t cap = 0; cap < 4; cap++) {
        tl_wr w = tl_wr_of(bytes, cap);
        assert_int_equal(tl_csi2_header_write(&h, &w), TL_E_ROOM);
        assert_int_equal(bytes[0], 9);
    }
}

/* A long packet of n payload bytes in `packet`, its size as the result. */
static size_t make_packet(uint8_t *packet, size_t cap, size_t n)
{
    const tl_csi2_header h = { .virtual_channel = 1, .data_type = TL_DT_RAW10, .word_count = 0xBEEF };
    uint8_t payload[64];
    tl_wr w = tl_wr_of(packet, cap);

    assert_true(n <= sizeof payload);
    for (size_t i = 0; i < n; i++)
        payload[i] = (uint8_t)(i * 37 + n);
    assert_int_equal(tl_csi2_write(&h, tl_span_of(payload, n), &w), TL_OK);
    return w.n;
}

static void write_long_then_count_from_payload_and_checksum_low_first(void **unused)
{
    /* CRC-16 of "123456789" is 0x6F91. */
    const tl_csi2_header h = { .virtual_channel = 3, .data_type = TL_DT_RAW8, .word_count = 77 };
    uint8_t packet[15];
    tl_wr w = tl_wr_of(packet, sizeof packet);
    (void)unused;
    assert_int_equal(tl_csi2_write(&h, tl_span_of("123456789", 9), &w), TL_OK);
    assert_int_equal(w.n, 15);
    assert_int_equal(packet[0], 0xEA);
    assert_int_equal(packet[1], 9);
    assert_int_equal(packet[2], 0);
    assert_memory_equal(packet + 4, "123456789", 9);
    assert_int_equal(packet[13], 0x91);
    assert_int_equal(packet[14], 0x6F);
}

static void write_long_when_empty_then_checksum_is_its_start(void **unused)
{
    uint8_t packet[6];
    tl_csi2_packet p;
    (void)unused;
    assert_int_equal(make_packet(packet, sizeof packet, 0), 6);
    assert_int_equal(packet[4], 0xFF);
    assert_int_equal(packet[5], 0xFF);
    tl_csi2_read(tl_span_of(packet, 6), &p);
    assert_true(p.crc_right);
    assert_int_equal(p.payload.n, 0);
}

static void write_short_then_four_bytes_and_the_data_field(void **unused)
{
    const tl_csi2_header h = { .virtual_channel = 0, .data_type = TL_DT_FRAME_END, .word_count = 0x1234 };
    uint8_t packet[8];
    tl_wr w = tl_wr_of(packet, sizeof packet);
    tl_csi2_packet p;
    (void)unused;
    assert_int_equal(tl_csi2_write(&h, tl_span_of(NULL, 0), &w), TL_OK);
    assert_int_equal(w.n, 4);
    tl_csi2_read(tl_written(&w), &p);
    assert_int_equal(p.ecc, TL_CSI2_ECC_OK);
    assert_true(p.crc_right);
    assert_int_equal(p.header.data_type, TL_DT_FRAME_END);
    assert_int_equal(p.header.word_count, 0x1234);
    assert_int_equal(p.payload.n, 0);
}

static void write_short_when_it_has_a_payload_then_refused(void **unused)
{
    const tl_csi2_header h = { 0, 0x0F, 1 };
    uint8_t packet[16];
    tl_wr w = tl_wr_of(packet, sizeof packet);
    (void)unused;
    assert_int_equal(tl_csi2_write(&h, tl_span_of("x", 1), &w), TL_E_USAGE);
    assert_int_equal(w.n, 0);
}

static void write_long_when_payload_is_too_long_then_refused(void **unused)
{
    static uint8_t payload[TL_CSI2_PAYLOAD_MAX + 1], packet[TL_CSI2_PACKET_MAX + 1];
    const tl_csi2_header h = { 0, TL_DT_RAW8, 0 };
    tl_wr w = tl_wr_of(packet, sizeof packet);
    (void)unused;
    assert_int_equal(tl_csi2_write(&h, tl_span_of(payload, sizeof payload), &w), TL_E_USAGE);
    assert_int_equal(w.n, 0);
    assert_int_equal(tl_csi2_write(&h, tl_span_of(payload, TL_CSI2_PAYLOAD_MAX), &w), TL_OK);
    assert_int_equal(w.n, TL_CSI2_PACKET_MAX);
}

static void write_long_when_there_is_no_room_then_refused_and_nothing_written(void **unused)
{
    const tl_csi2_header h = { 0, TL_DT_RAW8, 0 };
    (void)unused;
    for (size_t cap = 0; cap < 6 + 5; cap++) {
        uint8_t packet[16] = { 0 };
        const uint8_t untouched[16] = { 0 };
        tl_wr w = tl_wr_of(packet, cap);
        assert_int_equal(tl_csi2_write(&h, tl_span_of("abcde", 5), &w), TL_E_ROOM);
        assert_int_equal(w.n, 0);
        assert_memory_equal(packet, untouched, sizeof packet);
    }
}

static void write_long_when_counting_then_the_size_alone(void **unused)
{
    const tl_csi2_header h = { 0, TL_DT_RAW8, 0 };
    tl_wr w = tl_wr_counting();
    (void)unused;
    assert_int_equal(tl_csi2_write(&h, tl_span_of("abcde", 5), &w), TL_OK);
    assert_int_equal(w.n, 11);
}

static void read_when_whole_then_everything_right(void **unused)
{
    uint8_t packet[70];
    tl_csi2_packet p;
    (void)unused;
    for (size_t n = 0; n <= 64; n++) {
        const size_t size = make_packet(packet, sizeof packet, n);
        tl_csi2_read(tl_span_of(packet, size), &p);
        assert_int_equal(p.ecc, TL_CSI2_ECC_OK);
        assert_true(p.crc_right);
        assert_int_equal(p.header.virtual_channel, 1);
        assert_int_equal(p.header.data_type, TL_DT_RAW10);
        assert_int_equal(p.header.word_count, n);
        assert_int_equal(p.payload.n, n);
        assert_ptr_equal(p.payload.p, packet + 4);
    }
}

static void read_when_cut_then_never_right(void **unused)
{
    uint8_t packet[70];
    tl_csi2_packet p;
    (void)unused;
    for (size_t n = 0; n <= 64; n++) {
        const size_t size = make_packet(packet, sizeof packet, n);
        for (size_t cut = 0; cut < size; cut++) {
            tl_csi2_read(tl_span_of(packet, cut), &p);
            assert_false(p.crc_right);
            assert_int_equal(p.ecc, cut < 4 ? TL_CSI2_ECC_BAD : TL_CSI2_ECC_OK);
            assert_int_equal(p.header.word_count, cut < 4 ? 0 : n);
            assert_int_equal(p.payload.n, cut < 4 + n ? 0 : n);
        }
    }
}

static void read_when_lengthened_then_never_right_but_the_payload_is_there(void **unused)
{
    uint8_t packet[64];
    tl_csi2_packet p;
    (void)unused;
    const size_t size = make_packet(packet, sizeof packet, 20);
    memset(packet + size, 0, sizeof packet - size); /* zeros leave a checksum over data and itself at zero */
    for (size_t longer = size + 1; longer <= sizeof packet; longer++) {
        tl_csi2_read(tl_span_of(packet, longer), &p);
        assert_int_equal(p.ecc, TL_CSI2_ECC_OK);
        assert_false(p.crc_right);
        assert_int_equal(p.payload.n, 20);
    }
}

static void read_short_when_lengthened_then_not_right(void **unused)
{
    uint8_t packet[8] = { 0 };
    tl_csi2_packet p;
    (void)unused;
    put_header(packet, 0x000100, 0);
    for (size_t n = 5; n <= sizeof packet; n++) {
        tl_csi2_read(tl_span_of(packet, n), &p);
        assert_int_equal(p.ecc, TL_CSI2_ECC_OK);
        assert_false(p.crc_right);
        assert_int_equal(p.payload.n, 0);
    }
}

static void read_when_any_bit_is_wrong_then_noticed(void **unused)
{
    uint8_t packet[70];
    tl_csi2_packet p;
    (void)unused;
    const size_t size = make_packet(packet, sizeof packet, 40);
    for (size_t bit = 0; bit < size * 8; bit++) {
        packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
        tl_csi2_read(tl_span_of(packet, size), &p);
        if (bit < CODE_BITS) {
            assert_int_equal(p.ecc, TL_CSI2_ECC_CORRECTED);
            assert_true(p.crc_right);
        } else if (bit < BYTE_BITS) {
            assert_int_equal(p.ecc, TL_CSI2_ECC_BAD);
            assert_false(p.crc_right);
        } else {
            assert_int_equal(p.ecc, TL_CSI2_ECC_OK);
            assert_false(p.crc_right);
            assert_int_equal(p.payload.n, 40);
        }
        packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void repair_when_channel_and_pixels_were_rewritten_then_reads_right(void **unused)
{
    uint8_t packet[70];
    tl_csi2_packet p;
    (void)unused;
    const size_t size = make_packet(packet, sizeof packet, 33);
    packet[0] ^= 0xC0; /* channel 1 becomes 2 */
    packet[3] = 0xFF;
    packet[17] ^= 0x5A;
    assert_int_equal(tl_csi2_repair(packet, size), TL_OK);
    tl_csi2_read(tl_span_of(packet, size), &p);
    assert_int_equal(p.ecc, TL_CSI2_ECC_OK);
    assert_true(p.crc_right);
    assert_int_equal(p.header.virtual_channel, 2);
    assert_int_equal(p.payload.n, 33);
}

static void repair_when_nothing_is_wrong_then_nothing_changes(void **unused)
{
    uint8_t packet[70], copy[70];
    (void)unused;
    const size_t size = make_packet(packet, sizeof packet, 33);
    memcpy(copy, packet, size);
    assert_int_equal(tl_csi2_repair(packet, size), TL_OK);
    assert_memory_equal(packet, copy, size);
}

static void repair_when_size_and_word_count_differ_then_refused_and_unchanged(void **unused)
{
    uint8_t packet[70], copy[70];
    (void)unused;
    memset(packet, 0, sizeof packet);
    const size_t size = make_packet(packet, sizeof packet, 33);
    packet[3] ^= 1;
    memcpy(copy, packet, sizeof packet);
    for (size_t n = 0; n <= sizeof packet; n++) {
        if (n != size) {
            assert_int_equal(tl_csi2_repair(packet, n), TL_E_USAGE);
            assert_memory_equal(packet, copy, sizeof packet);
        }
    }
}

static void repair_short_when_it_is_four_bytes_then_its_code_and_no_more(void **unused)
{
    uint8_t packet[6] = { 0x41, 0x34, 0x12, 0x00, 7, 7 };
    tl_csi2_packet p;
    (void)unused;
    assert_int_equal(tl_csi2_repair(packet, 6), TL_E_USAGE);
    assert_int_equal(tl_csi2_repair(packet, 5), TL_E_USAGE);
    assert_int_equal(packet[3], 0);
    assert_int_equal(tl_csi2_repair(packet, 4), TL_OK);
    assert_int_equal(packet[4], 7);
    tl_csi2_read(tl_span_of(packet, 4), &p);
    assert_int_equal(p.ecc, TL_CSI2_ECC_OK);
    assert_int_equal(p.header.virtual_channel, 1);
}

static void data_type_then_text_and_bits(void **unused)
{
    (void)unused;
    assert_string_equal(tl_data_type_text(TL_DT_RAW12), "RAW12");
    assert_int_equal(tl_data_type_bits(TL_DT_RAW12), 12);
    assert_string_equal(tl_data_type_text(TL_DT_FRAME_START), "frame start");
    assert_int_equal(tl_data_type_bits(TL_DT_EMBEDDED), 0);
}

static void data_type_when_it_has_no_name_then_unnamed(void **unused)
{
    const unsigned codes[] = { 0x13, 0x38, 0x3F, 0x40, 0x2C + 0x40, 0xFFFFFFFF };
    (void)unused;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        assert_string_equal(tl_data_type_text(codes[i]), "unnamed");
        assert_int_equal(tl_data_type_bits(codes[i]), 0);
    }
}

/* ---- for who checks in another way ---- */

static bool same_packet(const tl_csi2_packet *a, const tl_csi2_packet *b)
{
    return a->ecc == b->ecc && a->header.data_type == b->header.data_type &&
           a->header.virtual_channel == b->header.virtual_channel &&
           a->header.word_count == b->header.word_count && a->payload.p == b->payload.p &&
           a->payload.n == b->payload.n && a->crc == b->crc;
}

static void read_header_when_any_packet_then_as_read_but_for_the_checksum(void **state)
{
    tl_rng rng = tl_random_start("read_header_when_any_packet_then_as_read_but_for_the_checksum");

    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint8_t packet[80];
        const tl_csi2_header h = { (uint8_t)tl_random_below(&rng, 4), (uint8_t)tl_random_below(&rng, 64), 0 };
        size_t n = tl_csi2_is_short(h.data_type) ? 0 : tl_random_below(&rng, 60);
        uint8_t payload[60] = { (uint8_t)round };
        tl_wr w = tl_wr_of(packet, sizeof packet);
        tl_csi2_packet whole, header, checked;
        tl_assert_ok(tl_csi2_write(&h, tl_span_of(payload, n), &w));
        if (tl_random_below(&rng, 2))
            packet[tl_random_below(&rng, w.n)] ^= (uint8_t)(1u << tl_random_below(&rng, 8));
        size_t size = tl_random_below(&rng, 4) ? w.n : tl_random_below(&rng, sizeof packet);
        tl_csi2_read(tl_span_of(packet, size), &whole);
        tl_csi2_read_header(tl_span_of(packet, size), &header);
        assert_true(same_packet(&whole, &header));
        bool fits = size >= 4 && whole.ecc != TL_CSI2_ECC_BAD &&
                    size == (tl_csi2_is_short(whole.header.data_type) ? 4u : 6u + whole.header.word_count);
        assert_int_equal(header.crc_right, fits);
        if (fits && !tl_csi2_is_short(whole.header.data_type))
            assert_int_equal(whole.crc_right, whole.crc == tl_csi2_crc16(TL_CSI2_CRC_START, whole.payload));
        else
            assert_int_equal(whole.crc_right, fits);
        /* without a look at the ECC: the header as it stands there */
        tl_csi2_read_checked(tl_span_of(packet, size), &checked);
        assert_int_equal(checked.ecc, size < 4 ? TL_CSI2_ECC_BAD : TL_CSI2_ECC_OK);
        if (size >= 4) {
            assert_int_equal(checked.header.data_type, packet[0] & 0x3F);
            assert_int_equal(checked.header.virtual_channel, packet[0] >> 6);
            assert_int_equal(checked.header.word_count, packet[1] | packet[2] << 8);
        }
        if (whole.ecc == TL_CSI2_ECC_OK) {
            assert_true(same_packet(&whole, &checked));
            assert_int_equal(header.crc_right, checked.crc_right);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ecc_of_known_headers_then_their_code),
        cmocka_unit_test(header_when_one_bit_is_wrong_then_corrected),
        cmocka_unit_test(header_when_two_bits_are_wrong_then_bad_and_zero),
        cmocka_unit_test(header_when_extended_channel_bits_are_set_then_bad),
        cmocka_unit_test(header_write_when_fields_fit_then_bytes_in_wire_order),
        cmocka_unit_test(header_write_when_a_field_is_too_wide_then_refused),
        cmocka_unit_test(header_write_when_there_is_no_room_then_refused),
        cmocka_unit_test(write_long_then_count_from_payload_and_checksum_low_first),
        cmocka_unit_test(write_long_when_empty_then_checksum_is_its_start),
        cmocka_unit_test(write_short_then_four_bytes_and_the_data_field),
        cmocka_unit_test(write_short_when_it_has_a_payload_then_refused),
        cmocka_unit_test(write_long_when_payload_is_too_long_then_refused),
        cmocka_unit_test(write_long_when_there_is_no_room_then_refused_and_nothing_written),
        cmocka_unit_test(write_long_when_counting_then_the_size_alone),
        cmocka_unit_test(read_when_whole_then_everything_right),
        cmocka_unit_test(read_when_cut_then_never_right),
        cmocka_unit_test(read_when_lengthened_then_never_right_but_the_payload_is_there),
        cmocka_unit_test(read_short_when_lengthened_then_not_right),
        cmocka_unit_test(read_when_any_bit_is_wrong_then_noticed),
        cmocka_unit_test(repair_when_channel_and_pixels_were_rewritten_then_reads_right),
        cmocka_unit_test(repair_when_nothing_is_wrong_then_nothing_changes),
        cmocka_unit_test(repair_when_size_and_word_count_differ_then_refused_and_unchanged),
        cmocka_unit_test(repair_short_when_it_is_four_bytes_then_its_code_and_no_more),
        cmocka_unit_test(data_type_then_text_and_bits),
        cmocka_unit_test(data_type_when_it_has_no_name_then_unnamed),
        cmocka_unit_test(read_header_when_any_packet_then_as_read_but_for_the_checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
