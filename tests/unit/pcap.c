/* Recordings: all four magic numbers, and every way in which a file can be cut or broken, named with
 * packet and offset. */
#define _POSIX_C_SOURCE 200809L /* fmemopen */
#include "testing.h"

#include "pcap.h"

#include <stdio.h>
#include <string.h>

enum { ROOM = 256, HEADER = 24, PACKET = 16 };

/* A file being written, in one of the four forms. */
typedef struct form {
    uint32_t magic;
    tl_order order;
    uint32_t tick_ns; /* of the fraction */
} form;

static const form forms[] = {
    { 0xA1B2C3D4, TL_LITTLE, 1000 },
    { 0xA1B2C3D4, TL_BIG, 1000 },
    { 0xA1B23C4D, TL_LITTLE, 1 },
    { 0xA1B23C4D, TL_BIG, 1 },
};

static void put_header(tl_wr *w, const form *f)
{
    tl_put(w, 4, f->order, f->magic);
    tl_put(w, 2, f->order, 2);
    tl_put(w, 2, f->order, 4);
    tl_put_zeros(w, 8);
    tl_put(w, 4, f->order, 65536);
    tl_put(w, 4, f->order, PCAP_LINK_MCTP);
}

static void put_packet(tl_wr *w, const form *f, const char *text)
{
    tl_put(w, 4, f->order, 7);
    tl_put(w, 4, f->order, 89);
    tl_put(w, 4, f->order, strlen(text));
    tl_put(w, 4, f->order, strlen(text));
    tl_put_bytes(w, tl_span_of(text, strlen(text)));
}

/* Two packets, of 3 and of 0 bytes. */
static size_t make(const form *f, uint8_t file[ROOM])
{
    tl_wr w = tl_wr_of(file, ROOM);

    put_header(&w, f);
    put_packet(&w, f, "abc");
    put_packet(&w, f, "");
    assert_false(w.bad);
    return w.n;
}

/* Reads everything; gives the number of packets. */
static tl_exit read_all(uint8_t *file, size_t n, unsigned *packets, tl_fault *fault)
{
    static uint8_t nothing[1];
    FILE *in = n > 0 ? fmemopen(file, n, "rb") : fmemopen(nothing, 1, "rb");
    pcap p;
    pcap_packet packet;
    bool more = true;
    tl_exit e;

    assert_non_null(in);
    if (n == 0)
        (void)fgetc(in);
    *packets = 0;
    e = pcap_open(&p, in, "t.pcap", fault);
    while (e == TL_EXIT_OK && more) {
        e = pcap_next(&p, &packet, &more, fault);
        *packets += e == TL_EXIT_OK && more;
    }
    pcap_close(&p);
    (void)fclose(in);
    return e;
}

static void assert_refused(uint8_t *file, size_t n, const char *why)
{
    tl_fault fault = { 0 };
    unsigned packets;

    assert_int_equal(read_all(file, n, &packets, &fault), TL_EXIT_LINK);
    assert_string_equal(fault.text, why);
}

static void file_when_right_then_read_in_each_form(void **s)
{
    uint8_t file[ROOM];

    (void)s;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t n = make(&forms[i], file);
        FILE *in = fmemopen(file, n, "rb");
        pcap p;
        pcap_packet packet;
        bool more;
        tl_fault fault;

        assert_int_equal(pcap_open(&p, in, "t", &fault), TL_EXIT_OK);
        assert_int_equal(pcap_next(&p, &packet, &more, &fault), TL_EXIT_OK);
        assert_true(more);
        assert_int_equal(packet.from->link, PCAP_LINK_MCTP);
        assert_int_equal(packet.number, 1);
        assert_int_equal(packet.bytes_at, HEADER + PACKET);
        assert_int_equal(packet.wire_n, 3);
        assert_int_equal(packet.offset, HEADER);
        assert_int_equal(packet.time_ns, 7000000000u + 89u * forms[i].tick_ns);
        assert_int_equal(packet.n, 3);
        assert_memory_equal(packet.p, "abc", 3);
        assert_int_equal(pcap_next(&p, &packet, &more, &fault), TL_EXIT_OK);
        assert_true(more);
        assert_int_equal(packet.number, 2);
        assert_int_equal(packet.offset, HEADER + PACKET + 3);
        assert_int_equal(packet.n, 0);
        assert_int_equal(pcap_next(&p, &packet, &more, &fault), TL_EXIT_OK);
        assert_false(more);
        pcap_close(&p);
        (void)fclose(in);
    }
}

static void file_when_cut_anywhere_then_refused_with_packet_and_offset(void **s)
{
    uint8_t file[ROOM];
    size_t n = make(&forms[0], file), second = HEADER + PACKET + 3;
    char why[100];

    (void)s;
    for (size_t cut = 0; cut < n; cut++) {
        tl_fault fault;
        unsigned packets;

        if (cut == HEADER || cut == second) { /* a clean end */
            assert_int_equal(read_all(file, cut, &packets, &fault), TL_EXIT_OK);
            assert_int_equal(packets, cut == second);
            continue;
        }
        if (cut < 4)
            (void)snprintf(why, sizeof why, "t.pcap: offset 0: no pcap file");
        else if (cut < HEADER)
            (void)snprintf(why, sizeof why, "t.pcap: offset %zu: the file ends inside of its header", cut);
        else
            (void)snprintf(why, sizeof why, "t.pcap: packet %d at offset %zu: the file ends inside of its %s",
                           cut < second ? 1 : 2, cut < second ? (size_t)HEADER : second,
                           cut >= HEADER + PACKET && cut < second ? "bytes" : "header");
        assert_refused(file, cut, why);
    }
}

static void file_when_its_magic_is_another_then_refused(void **s)
{
    uint8_t file[ROOM];
    size_t n = make(&forms[0], file);

    (void)s;
    for (size_t i = 0; i < 4; i++) {
        file[i] ^= 0x10;
        assert_refused(file, n, "t.pcap: offset 0: no pcap file");
        file[i] ^= 0x10;
    }
}

static void file_when_its_version_is_another_then_refused(void **s)
{
    uint8_t file[ROOM];
    size_t n = make(&forms[0], file);

    (void)s;
    file[4] = 3;
    assert_refused(file, n, "t.pcap: offset 4: pcap version 3.4; 2.4 is known");
    file[4] = 2;
    file[6] = 3;
    assert_refused(file, n, "t.pcap: offset 4: pcap version 2.3; 2.4 is known");
}

/* One field of the first packet's header changed. */
static void refuse_field(size_t at, uint32_t value, const char *why)
{
    uint8_t file[ROOM];
    size_t n = make(&forms[0], file);
    tl_wr w = tl_wr_of(file + HEADER + at, 4);

    tl_put(&w, 4, TL_LITTLE, value);
    assert_refused(file, n, why);
}

static void packet_when_a_field_is_wrong_then_refused(void **s)
{
    (void)s;
    refuse_field(4, 1000000, "t.pcap: packet 1 at offset 24: its time is none");
    refuse_field(8, PCAP_PACKET_MAX + 1,
                 "t.pcap: packet 1 at offset 24: it claims to be longer than any message");
    refuse_field(8, UINT32_MAX, "t.pcap: packet 1 at offset 24: it claims to be longer than any message");
    refuse_field(12, 2, "t.pcap: packet 1 at offset 24: it claims to be longer than it was on the wire");
}

static void packet_when_nanoseconds_overflow_then_refused(void **s)
{
    uint8_t file[ROOM];
    size_t n = make(&forms[2], file);
    tl_wr w = tl_wr_of(file + HEADER + 4, 4);

    (void)s;
    tl_put(&w, 4, TL_LITTLE, 1000000000);
    assert_refused(file, n, "t.pcap: packet 1 at offset 24: its time is none");
}

static void packet_when_it_claims_more_than_the_file_has_then_refused(void **s)
{
    uint8_t file[ROOM];
    size_t n = make(&forms[0], file);
    tl_wr w = tl_wr_of(file + HEADER + 8, 8);

    (void)s;
    tl_put(&w, 4, TL_LITTLE, PCAP_PACKET_MAX);
    tl_put(&w, 4, TL_LITTLE, PCAP_PACKET_MAX);
    assert_refused(file, n, "t.pcap: packet 1 at offset 24: the file ends inside of its bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_when_right_then_read_in_each_form),
        cmocka_unit_test(file_when_cut_anywhere_then_refused_with_packet_and_offset),
        cmocka_unit_test(file_when_its_magic_is_another_then_refused),
        cmocka_unit_test(file_when_its_version_is_another_then_refused),
        cmocka_unit_test(packet_when_a_field_is_wrong_then_refused),
        cmocka_unit_test(packet_when_nanoseconds_overflow_then_refused),
        cmocka_unit_test(packet_when_it_claims_more_than_the_file_has_then_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
