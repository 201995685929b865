/* pcapng: both byte orders, sections and interfaces, times in every resolution, blocks that nobody knows, and every way in
 * which a file can be cut or broken. */
#define _POSIX_C_SOURCE 200809L /* fmemopen */
#include "testing.h"

#include "pcap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 18, PACKETS = 16 };

/* A file being written. */
typedef struct draft {
    tl_order order;
    tl_wr w;
    size_t block; /* where the open block begins */
    uint8_t bytes[ROOM];
} draft;

static void start(draft *d, tl_order order)
{
    memset(d, 0, sizeof *d);
    d->order = order;
    d->w = tl_wr_of(d->bytes, sizeof d->bytes);
}

static void put(draft *d, unsigned n, uint64_t v)
{
    tl_put(&d->w, n, d->order, v);
}

static void put_padded(draft *d, const void *p, size_t n)
{
    tl_put_bytes(&d->w, tl_span_of(p, n));
    tl_put_zeros(&d->w, (4 - n % 4) % 4);
}

static void put_option(draft *d, unsigned code, const void *value, size_t n)
{
    put(d, 2, code);
    put(d, 2, n);
    put_padded(d, value, n);
}

static void begin(draft *d, uint32_t type)
{
    d->block = d->w.n;
    put(d, 4, type);
    put(d, 4, 0);
}

/* Writes the length at both ends. */
static void end(draft *d)
{
    size_t n = d->w.n + 4 - d->block;
    tl_wr w = tl_wr_of(d->bytes + d->block + 4, 4);

    tl_put(&w, 4, d->order, n);
    put(d, 4, n);
    assert_false(d->w.bad);
}

static void section(draft *d)
{
    begin(d, 0x0A0D0D0A);
    put(d, 4, 0x1A2B3C4D);
    put(d, 2, 1);
    put(d, 2, 0);
    put(d, 8, UINT64_MAX);
    end(d);
}

static void start_section(draft *d, tl_order order)
{
    start(d, order);
    section(d);
}

static void begin_interface(draft *d, unsigned link)
{
    begin(d, 1);
    put(d, 2, link);
    put(d, 2, 0);
    put(d, 4, 0);
}

static void interface(draft *d, unsigned link, const char *name, uint8_t resolution)
{
    begin_interface(d, link);
    put_option(d, 2, name, strlen(name));
    put_option(d, 9, &resolution, 1);
    put_option(d, 0, "", 0);
    end(d);
}

static void begin_packet(draft *d, uint32_t from, uint64_t time, const char *text)
{
    begin(d, 6);
    put(d, 4, from);
    put(d, 4, time >> 32);
    put(d, 4, time & UINT32_MAX);
    put(d, 4, strlen(text));
    put(d, 4, strlen(text));
    put_padded(d, text, strlen(text));
}

static void packet(draft *d, uint32_t from, uint64_t time, const char *text)
{
    begin_packet(d, from, time, text);
    end(d);
}

/* What reading gave. */
typedef struct outcome {
    tl_exit code;
    tl_fault fault;
    unsigned packets;
    struct {
        pcap_packet p;
        char text[64], comment[64], name[64], all[256];
        uint32_t index, link;
    } of[PACKETS];
    uint32_t secrets_type;
    char secrets[64];
} outcome;

static void keep(void *ctx, uint32_t type, tl_span s)
{
    outcome *o = ctx;

    o->secrets_type = type;
    (void)snprintf(o->secrets, sizeof o->secrets, "%.*s", (int)s.n, (const char *)s.p);
}

static void keep_packet(outcome *o, const pcap_packet *p)
{
    assert_true(o->packets < PACKETS);
    o->of[o->packets].p = *p;
    (void)snprintf(o->of[o->packets].text, 64, "%.*s", (int)p->n, (const char *)p->p);
    if (p->comment.n > 0)
        (void)snprintf(o->of[o->packets].comment, 64, "%.*s", (int)p->comment.n, (const char *)p->comment.p);
    (void)snprintf(o->of[o->packets].name, 64, "%s", p->from->name);
    (void)snprintf(o->of[o->packets].all, 256, "%s", p->from->comment);
    o->of[o->packets].index = p->from->index;
    o->of[o->packets].link = p->from->link;
    o->packets++;
}

static void read_bytes(uint8_t *p, size_t n, outcome *o)
{
    FILE *in = fmemopen(p, n, "rb");
    pcap file;
    bool more = true;

    assert_non_null(in);
    memset(o, 0, sizeof *o);
    o->code = pcap_open(&file, in, "t", &o->fault);
    file.on_secrets = keep;
    file.context = o;
    while (o->code == TL_EXIT_OK && more) {
        pcap_packet got;

        o->code = pcap_next(&file, &got, &more, &o->fault);
        if (o->code == TL_EXIT_OK && more)
            keep_packet(o, &got);
    }
    pcap_close(&file);
    (void)fclose(in);
}

static void read_draft(draft *d, outcome *o)
{
    read_bytes(d->bytes, d->w.n, o);
}

static void assert_refused(draft *d, const char *why)
{
    outcome o;

    read_draft(d, &o);
    assert_int_equal(o.code, TL_EXIT_LINK);
    assert_string_equal(o.fault.text, why);
}

/* Section at 0 (28 bytes), interface at 28 (20 or more). */
static void start_one(draft *d, tl_order order)
{
    start_section(d, order);
    begin_interface(d, PCAP_LINK_CSI2);
    end(d);
}

static void file_when_right_then_read_in_either_order(void **s)
{
    (void)s;
    for (tl_order order = TL_LITTLE; order <= TL_BIG; order++) {
        draft d;
        outcome o;

        start_section(&d, order);
        interface(&d, PCAP_LINK_SPDM_TCP, "spdm", 9);
        interface(&d, PCAP_LINK_CSI2, "csi2", 9);
        packet(&d, 1, 0x123456789AULL, "abcde");
        packet(&d, 0, 7, "");
        read_draft(&d, &o);
        assert_int_equal(o.code, TL_EXIT_OK);
        assert_int_equal(o.packets, 2);
        assert_string_equal(o.of[0].text, "abcde");
        assert_string_equal(o.of[0].name, "csi2");
        assert_int_equal(o.of[0].link, PCAP_LINK_CSI2);
        assert_int_equal(o.of[0].p.time_ns, 0x123456789AULL);
        assert_int_equal(o.of[0].p.number, 1);
        assert_int_equal(o.of[0].p.bytes_at, o.of[0].p.offset + 28);
        assert_memory_equal(d.bytes + o.of[0].p.bytes_at, "abcde", 5);
        assert_int_equal(o.of[1].p.number, 2);
        assert_int_equal(o.of[1].p.n, 0);
        assert_string_equal(o.of[1].name, "spdm");
    }
}

static void section_when_another_follows_then_its_order_and_interfaces_hold(void **s)
{
    draft d;
    outcome o;

    (void)s;
    start_one(&d, TL_LITTLE);
    packet(&d, 0, 1, "first");
    d.order = TL_BIG;
    section(&d);
    interface(&d, PCAP_LINK_MCTP, "second", 9);
    packet(&d, 0, 2, "next");
    read_draft(&d, &o);
    assert_int_equal(o.code, TL_EXIT_OK);
    assert_int_equal(o.packets, 2);
    assert_int_equal(o.of[0].index, 0);
    assert_int_equal(o.of[1].index, 1);
    assert_int_equal(o.of[1].link, PCAP_LINK_MCTP);
    assert_string_equal(o.of[1].name, "second");

    start_one(&d, TL_LITTLE);
    section(&d);
    packet(&d, 0, 1, "of the first section's interface");
    assert_refused(&d, "t: packet 1 at offset 76: its interface is none of the section's");
}

static void time_when_resolution_is_any_then_nanoseconds(void **s)
{
    static const struct {
        uint8_t resolution;
        uint64_t time, ns;
    } rows[] = {
        { 9, 1234567890123, 1234567890123 },
        { 6, 1234567, 1234567000 },
        { 0, 5, 5000000000 },
        { 12, 1234567890123, 1234567890 },
        { 28, 10000000000000000000u, 1 },
        { 29, 10000000000000000000u, 0 },
        { 0x80 | 1, 3, 1500000000 },
        { 0x80 | 32, (uint64_t)7 << 32 | 0x80000000, 7500000000 },
        { 0x80 | 63, (uint64_t)3 << 62, 1500000000 },
        { 0x80 | 64, UINT64_MAX, 0 },
        { 0xFF, UINT64_MAX, 0 },
    };

    (void)s;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        draft d;
        outcome o;

        start_section(&d, TL_LITTLE);
        interface(&d, 1, "", rows[i].resolution);
        packet(&d, 0, rows[i].time, "x");
        read_draft(&d, &o);
        assert_int_equal(o.code, TL_EXIT_OK);
        assert_true(o.of[0].p.time_ns == rows[i].ns);
    }
}

static void time_when_interface_says_nothing_then_microseconds_and_offset_added(void **s)
{
    const uint8_t ten[8] = { 10 };
    draft d;
    outcome o;

    (void)s;
    start_section(&d, TL_LITTLE);
    begin_interface(&d, 1);
    put_option(&d, 14, ten, sizeof ten);
    end(&d);
    packet(&d, 0, 3, "x");
    read_draft(&d, &o);
    assert_true(o.of[0].p.time_ns == 10000003000);
}

static void interface_when_it_has_comments_then_lines_and_values_are_found(void **s)
{
    static const char all[] = "layout=default\nstream={\"id\":1}\nodd";
    pcap_interface from = { .comment = (char *)(uintptr_t)all };
    size_t n = 0;
    draft d;
    outcome o;

    (void)s;
    start_section(&d, TL_LITTLE);
    begin_interface(&d, 1);
    put_option(&d, 1, "layout=default", 14);
    put_option(&d, 4711, "unknown", 7);
    put_option(&d, 1, "stream={\"id\":1}\nodd", 19);
    put_option(&d, 0, "", 0);
    end(&d);
    packet(&d, 0, 3, "x");
    read_draft(&d, &o);
    assert_int_equal(o.code, TL_EXIT_OK);
    assert_string_equal(o.of[0].all, all);
    assert_memory_equal(pcap_comment_value(&from, "layout", &n), "default", 7);
    assert_int_equal(n, 7);
    assert_memory_equal(pcap_comment_value(&from, "stream", &n), "{\"id\":1}", 8);
    assert_int_equal(n, 8);
    assert_true(pcap_comment_says(&from, "layout", "default"));
    assert_false(pcap_comment_says(&from, "layout", "defaul"));
    assert_false(pcap_comment_says(&from, "layout", "default\nstream={\"id\":1}"));
    assert_false(pcap_comment_says(&from, "lay", "out=default"));
    assert_null(pcap_comment_value(&from, "lay", &n));
    assert_null(pcap_comment_value(&from, "odd", &n));
    assert_null(pcap_comment_value(&from, "default", &n));
}

static void packet_when_it_has_options_then_direction_and_comment(void **s)
{
    static const struct {
        uint8_t flags[4];
        pcap_direction direction;
    } rows[] = {
        { { 0 }, PCAP_NOT_SAID },
        { { 1 }, PCAP_INBOUND },
        { { 0xFE, 0xFF, 0xFF, 0xFF }, PCAP_OUTBOUND },
        { { 3 }, PCAP_NOT_SAID },
    };

    (void)s;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        draft d;
        outcome o;

        start_one(&d, TL_LITTLE);
        begin_packet(&d, 0, 1, "xyz");
        put_option(&d, 2, rows[i].flags, 4);
        put_option(&d, 1, "line dropped", 12);
        put_option(&d, 1, "another", 7);
        end(&d); /* no last option: a list may end so */
        read_draft(&d, &o);
        assert_int_equal(o.code, TL_EXIT_OK);
        assert_int_equal(o.of[0].p.direction, rows[i].direction);
        assert_string_equal(o.of[0].comment, "line dropped");
        assert_string_equal(o.of[0].text, "xyz");
    }
}

static void packet_when_in_an_older_block_then_read(void **s)
{
    draft d;
    outcome o;

    (void)s;
    start_one(&d, TL_LITTLE);
    begin(&d, 3); /* simple */
    put(&d, 4, 5);
    put_padded(&d, "plain", 5);
    end(&d);
    begin(&d, 2); /* obsolete */
    put(&d, 2, 0);
    put(&d, 2, 9);
    put(&d, 4, 0);
    put(&d, 4, 8);
    put(&d, 4, 3);
    put(&d, 4, 70);
    put_padded(&d, "old", 3);
    end(&d);
    read_draft(&d, &o);
    assert_int_equal(o.code, TL_EXIT_OK);
    assert_int_equal(o.packets, 2);
    assert_string_equal(o.of[0].text, "plain");
    assert_int_equal(o.of[0].p.time_ns, 0);
    assert_memory_equal(d.bytes + o.of[0].p.bytes_at, "plain", 5);
    assert_string_equal(o.of[1].text, "old");
    assert_int_equal(o.of[1].p.time_ns, 8000);
    assert_int_equal(o.of[1].p.wire_n, 70);
}

static void simple_packet_when_the_interface_keeps_less_then_cut(void **s)
{
    draft d;
    outcome o;

    (void)s;
    start_section(&d, TL_LITTLE);
    begin(&d, 1);
    put(&d, 4, 1);
    put(&d, 4, 3);
    end(&d);
    begin(&d, 3);
    put(&d, 4, 5);
    put_padded(&d, "pla", 3);
    end(&d);
    read_draft(&d, &o);
    assert_int_equal(o.code, TL_EXIT_OK);
    assert_string_equal(o.of[0].text, "pla");
    assert_int_equal(o.of[0].p.wire_n, 5);
}

static void block_when_unknown_then_skipped_by_its_length(void **s)
{
    draft d;
    outcome o;
    size_t at, n = (3u << 20) + 12; /* longer than any packet */
    uint8_t *large = calloc(1, ROOM + n);

    (void)s;
    assert_non_null(large);
    start_one(&d, TL_LITTLE);
    at = d.w.n;
    packet(&d, 0, 1, "behind it");
    memcpy(large, d.bytes, at);
    for (size_t where = at; where <= at + n - 4; where += n - 4) {
        tl_wr w = tl_wr_of(large + where, 8);

        tl_put(&w, 4, TL_LITTLE, where == at ? 0x0BAD : n);
        if (where == at)
            tl_put(&w, 4, TL_LITTLE, n);
    }
    memcpy(large + at + n, d.bytes + at, d.w.n - at);
    read_bytes(large, d.w.n + n, &o);
    assert_int_equal(o.code, TL_EXIT_OK);
    assert_int_equal(o.packets, 1);
    assert_string_equal(o.of[0].text, "behind it");
    read_bytes(large, at + n - 2, &o);
    assert_string_equal(o.fault.text,
                        "t: after packet 0, offset 48: block: the file ends inside of its bytes");
    free(large);
}

static void secrets_when_met_then_handed_out(void **s)
{
    draft d;
    outcome o;

    (void)s;
    start_one(&d, TL_BIG);
    begin(&d, 10);
    put(&d, 4, 0x54534C4B);
    put(&d, 4, 5);
    put_padded(&d, "th1:!", 5);
    end(&d);
    read_draft(&d, &o);
    assert_int_equal(o.code, TL_EXIT_OK);
    assert_int_equal(o.secrets_type, 0x54534C4B);
    assert_string_equal(o.secrets, "th1:!");

    start_one(&d, TL_BIG);
    begin(&d, 10);
    put(&d, 4, 0x54534C4B);
    put(&d, 4, 9);
    put_padded(&d, "th1:!", 5);
    end(&d);
    assert_refused(&d, "t: after packet 0, offset 48: secrets: shorter than its secrets");
}

static void file_when_cut_anywhere_then_named_and_what_was_before_is_read(void **s)
{
    draft d;
    size_t ends[4];

    (void)s;
    start_one(&d, TL_LITTLE);
    ends[0] = 28;
    ends[1] = d.w.n;
    packet(&d, 0, 1, "abc");
    ends[2] = d.w.n;
    packet(&d, 0, 1, "defg");
    ends[3] = d.w.n;
    for (size_t cut = 1; cut < d.w.n; cut++) {
        outcome o;
        bool clean = cut == ends[0] || cut == ends[1] || cut == ends[2];

        read_bytes(d.bytes, cut, &o);
        assert_int_equal(o.code, clean ? TL_EXIT_OK : TL_EXIT_LINK);
        assert_int_equal(o.packets, cut >= ends[2]);
        if (!clean && cut >= ends[2] + 4)
            assert_non_null(strstr(o.fault.text, "t: packet 2 at offset 84: the file ends inside of its"));
        else if (!clean)
            assert_non_null(strstr(o.fault.text, "offset "));
    }
    assert_int_equal(ends[3], d.w.n);
}

/* A right file of one packet whose field at `at` is changed. */
static void refuse_field(size_t at, unsigned n, uint64_t value, const char *why)
{
    draft d;
    tl_wr w;

    start_one(&d, TL_LITTLE);
    packet(&d, 0, 1, "abcde");
    w = tl_wr_of(d.bytes + at, n);
    tl_put(&w, n, TL_LITTLE, value);
    assert_refused(&d, why);
}

static void field_when_wrong_then_refused(void **s)
{
    (void)s;
    refuse_field(0, 4, 1, "t: offset 0: no pcap file");
    refuse_field(4, 4, 24, "t: after packet 0, offset 0: section header: its two lengths differ");
    refuse_field(4, 4, 30, "t: after packet 0, offset 0: section header: a length that no block has");
    refuse_field(8, 4, 1, "t: after packet 0, offset 0: section header: its byte order is none");
    refuse_field(12, 2, 2, "t: after packet 0, offset 0: section header: a version that is not known");
    refuse_field(24, 4, 32, "t: after packet 0, offset 0: section header: its two lengths differ");
    refuse_field(32, 4, 8, "t: after packet 0, offset 28: interface: a length that no block has");
    refuse_field(32, 4, 0xFFFFFFF0,
                 "t: after packet 0, offset 28: interface: it claims to be longer than any");
    refuse_field(52, 4, 0xFFFFFFFC, "t: packet 1 at offset 48: it claims to be longer than any");
    refuse_field(52, 4, 0, "t: packet 1 at offset 48: a length that no block has");
    refuse_field(52, 4, 1 << 20, "t: packet 1 at offset 48: the file ends inside of its bytes");
    refuse_field(56, 4, 1, "t: packet 1 at offset 48: its interface is none of the section's");
    refuse_field(56, 4, UINT32_MAX, "t: packet 1 at offset 48: its interface is none of the section's");
    refuse_field(68, 4, 6, "t: packet 1 at offset 48: it claims to be longer than it was on the wire");
    refuse_field(68, 8, (uint64_t)9 << 32 | 9,
                 "t: packet 1 at offset 48: it claims to be longer than its block");
    refuse_field(68, 8, (uint64_t)UINT32_MAX << 32 | UINT32_MAX,
                 "t: packet 1 at offset 48: it claims to be longer than any message");
    refuse_field(84, 4, 44, "t: packet 1 at offset 48: its two lengths differ");
}

static void block_when_shorter_than_its_fields_then_refused(void **s)
{
    static const struct {
        uint32_t type;
        const char *why;
    } rows[] = {
        { 0x0A0D0D0A, "t: after packet 0, offset 48: section header: shorter than its fields" },
        { 1, "t: after packet 0, offset 48: interface: shorter than its fields" },
        { 2, "t: packet 1 at offset 48: shorter than its fields" },
        { 3, "t: packet 1 at offset 48: shorter than its fields" },
        { 6, "t: packet 1 at offset 48: shorter than its fields" },
        { 10, "t: after packet 0, offset 48: secrets: shorter than its secrets" },
    };

    (void)s;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        draft d;

        start_one(&d, TL_LITTLE);
        begin(&d, rows[i].type);
        if (rows[i].type == 0x0A0D0D0A)
            put(&d, 4, 0x1A2B3C4D);
        end(&d);
        assert_refused(&d, rows[i].why);
    }
}

/* Each comment goes behind those before it: a block full of them would take as long as it has comments, squared. */
static void comments_when_there_are_too_many_then_refused(void **s)
{
    static char text[40000];
    draft d;

    (void)s;
    memset(text, 'c', sizeof text);
    start_section(&d, TL_LITTLE);
    begin_interface(&d, 1);
    for (unsigned i = 0; i < 4; i++)
        put_option(&d, 1, text, sizeof text);
    end(&d);
    assert_refused(&d, "t: after packet 0, offset 28: interface: more comments than any has");
}

static void option_when_cut_then_refused(void **s)
{
    draft d;

    (void)s;
    start_section(&d, TL_LITTLE);
    begin_interface(&d, 1);
    put(&d, 2, 2);
    put(&d, 2, 9);
    put(&d, 4, 0);
    end(&d);
    assert_refused(&d, "t: after packet 0, offset 28: interface: an option that is cut");
    start_section(&d, TL_LITTLE);
    begin_interface(&d, 1);
    put_option(&d, 9, "", 0);
    end(&d);
    assert_refused(&d, "t: after packet 0, offset 28: interface: an option that is too short");
    start_one(&d, TL_LITTLE);
    begin_packet(&d, 0, 1, "a");
    put_option(&d, 2, "ab", 2);
    end(&d);
    assert_refused(&d, "t: packet 1 at offset 48: an option that is too short");
    start_one(&d, TL_LITTLE);
    begin_packet(&d, 0, 1, "a");
    put(&d, 4, 0xFFFF0001);
    end(&d);
    assert_refused(&d, "t: packet 1 at offset 48: an option that is cut");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_when_right_then_read_in_either_order),
        cmocka_unit_test(section_when_another_follows_then_its_order_and_interfaces_hold),
        cmocka_unit_test(time_when_resolution_is_any_then_nanoseconds),
        cmocka_unit_test(time_when_interface_says_nothing_then_microseconds_and_offset_added),
        cmocka_unit_test(interface_when_it_has_comments_then_lines_and_values_are_found),
        cmocka_unit_test(packet_when_it_has_options_then_direction_and_comment),
        cmocka_unit_test(packet_when_in_an_older_block_then_read),
        cmocka_unit_test(simple_packet_when_the_interface_keeps_less_then_cut),
        cmocka_unit_test(block_when_unknown_then_skipped_by_its_length),
        cmocka_unit_test(secrets_when_met_then_handed_out),
        cmocka_unit_test(file_when_cut_anywhere_then_named_and_what_was_before_is_read),
        cmocka_unit_test(field_when_wrong_then_refused),
        cmocka_unit_test(block_when_shorter_than_its_fields_then_refused),
        cmocka_unit_test(comments_when_there_are_too_many_then_refused),
        cmocka_unit_test(option_when_cut_then_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
