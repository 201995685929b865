/* Captures as they are written: read again packet by packet, readable while they are written, and every way in which the disk
 * can fail told. */
#define _GNU_SOURCE
#include "testing.h"

#include "keys_source.h"
#include "recording.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <trueline/layout/ids.h>

static char folder[] = "/tmp/trueline-recording-XXXXXX";
static char path[128];

static int set_up(void **s)
{
    (void)s;
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/a.pcapng", folder);
    return 0;
}

static int tear_down(void **s)
{
    (void)s;
    (void)unlink(path);
    return rmdir(folder);
}

static mode_t mode_of(const char *name)
{
    struct stat st;

    assert_int_equal(stat(name, &st), 0);
    return st.st_mode & 0777;
}

/* The device that is full; on some machines it is none. */
static bool has_full(void)
{
    struct stat st;

    return stat("/dev/full", &st) == 0 && S_ISCHR(st.st_mode);
}

static size_t size_of(const char *name)
{
    struct stat st;

    assert_int_equal(stat(name, &st), 0);
    return (size_t)st.st_size;
}

/* Two interfaces, 300 packets of every length. */
static void write_some(recording *r, uint8_t *bytes)
{
    uint32_t a, b;
    tl_fault fault;

    assert_int_equal(recording_interface(r, PCAP_LINK_CSI2, "csi2", "layout=x\nstream={}", &a, &fault),
                     TL_EXIT_OK);
    assert_int_equal(recording_interface(r, PCAP_LINK_SPDM_TCP, "spdm", "", &b, &fault), TL_EXIT_OK);
    assert_int_equal(b, a + 1);
    for (size_t n = 0; n < 300; n++) {
        const tl_span packet = tl_span_of(bytes, n);
        recording_from from = { .index = n % 3 == 0 ? b : a,
                                .direction = n % 2 == 0 ? PCAP_INBOUND : PCAP_OUTBOUND,
                                .comment = n % 5 == 0 ? "marked" : NULL,
                                .lost = n % 7 == 0 ? n : 0 };

        assert_int_equal(recording_packets(r, &from, &packet, 1, &fault), TL_EXIT_OK);
    }
}

static void expect_packet(const pcap_packet *p, const uint8_t *bytes, size_t n)
{
    assert_int_equal(p->n, n);
    assert_int_equal(p->wire_n, n);
    assert_memory_equal(p->p, bytes, n);
    assert_int_equal(p->from->link, n % 3 == 0 ? PCAP_LINK_SPDM_TCP : PCAP_LINK_CSI2);
    assert_string_equal(p->from->name, n % 3 == 0 ? "spdm" : "csi2");
    assert_string_equal(p->from->comment, n % 3 == 0 ? "" : "layout=x\nstream={}");
    assert_int_equal(p->direction, n % 2 == 0 ? PCAP_INBOUND : PCAP_OUTBOUND);
    assert_int_equal(p->comment.n, n % 5 == 0 ? 6 : 0);
    assert_int_equal(p->lost, n % 7 == 0 ? n : 0);
    assert_true(p->time_ns > (uint64_t)1600000000 * 1000000000);
}

static void capture_when_written_then_read_as_it_was(void **s)
{
    uint8_t bytes[300];
    recording r;
    pcap file;
    pcap_packet p;
    bool more = true;
    tl_fault fault;
    FILE *in;

    (void)s;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    assert_int_equal(recording_open(&r, path, false, "test", &fault), TL_EXIT_OK);
    assert_true(recording_is_open(&r));
    write_some(&r, bytes);
    assert_int_equal(r.packets, 300);
    assert_int_equal(recording_close(&r, &fault), TL_EXIT_OK);
    assert_false(recording_is_open(&r));
    assert_int_equal(size_of(path), r.bytes);
    in = fopen(path, "rb");
    assert_int_equal(pcap_open(&file, in, path, &fault), TL_EXIT_OK);
    for (size_t n = 0; n < 300; n++) {
        assert_int_equal(pcap_next(&file, &p, &more, &fault), TL_EXIT_OK);
        assert_true(more);
        expect_packet(&p, bytes, n);
    }
    assert_int_equal(pcap_next(&file, &p, &more, &fault), TL_EXIT_OK);
    assert_false(more);
    pcap_close(&file);
    (void)fclose(in);
}

/* More than the buffer holds: whole blocks are in the file before it is closed. */
static void capture_when_its_writer_goes_on_then_readable_so_far(void **s)
{
    static uint8_t bytes[65541];
    const tl_span packet = tl_span_of(bytes, sizeof bytes);
    recording_from from = { .direction = PCAP_INBOUND };
    recording r;
    pcap file;
    pcap_packet p;
    bool more = true;
    unsigned n = 0;
    tl_fault fault;
    FILE *in;

    (void)s;
    assert_int_equal(recording_open(&r, path, false, "test", &fault), TL_EXIT_OK);
    assert_int_equal(recording_interface(&r, PCAP_LINK_CSI2, "", "", &from.index, &fault), TL_EXIT_OK);
    for (int i = 0; i < 40; i++)
        assert_int_equal(recording_packets(&r, &from, &packet, 1, &fault), TL_EXIT_OK);
    in = fopen(path, "rb");
    assert_int_equal(pcap_open(&file, in, path, &fault), TL_EXIT_OK);
    for (;; n++) {
        assert_int_equal(pcap_next(&file, &p, &more, &fault), TL_EXIT_OK);
        if (!more)
            break;
        assert_int_equal(p.n, sizeof bytes);
    }
    assert_in_range(n, 10, 39);
    pcap_close(&file);
    (void)fclose(in);
    assert_int_equal(recording_close(&r, &fault), TL_EXIT_OK);
}

static void secrets_when_inside_then_mode_0600_and_found_again(void **s)
{
    static const char first[] = "th1: 00ff\n", second[] = "stream 1 epoch 0 secret aa\n";
    char text[100];
    recording r;
    keys_source keys;
    tl_fault fault;
    size_t n;

    (void)s;
    assert_int_equal(chmod(path, 0644), 0); /* an older capture that all may read */
    assert_int_equal(recording_open(&r, path, true, "test", &fault), TL_EXIT_OK);
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(recording_secrets(&r, TL_SECRETS_TYPE, tl_span_of(first, strlen(first)), &fault),
                     TL_EXIT_OK);
    assert_int_equal(recording_secrets(&r, 0x544C534B, tl_span_of("CLIENT_RANDOM\n", 14), &fault),
                     TL_EXIT_OK);
    assert_int_equal(recording_secrets(&r, TL_SECRETS_TYPE, tl_span_of(second, strlen(second)), &fault),
                     TL_EXIT_OK);
    assert_int_equal(recording_close(&r, &fault), TL_EXIT_OK);
    assert_int_equal(keys_source_open(&keys, path, &fault), TL_EXIT_OK);
    n = fread(text, 1, sizeof text - 1, keys.file);
    text[n] = '\0';
    assert_string_equal(text, "th1: 00ff\nstream 1 epoch 0 secret aa\n");
    keys_source_close(&keys);
}

static void secrets_when_a_file_was_there_and_open_then_its_reader_sees_nothing(void **s)
{
    char other[160], byte;
    int old, fd;

    (void)s;
    (void)snprintf(other, sizeof other, "%s.other", path);
    (void)unlink(path);
    old = open(path, O_RDWR | O_CREAT, 0644);
    assert_true(old >= 0);
    assert_int_equal(link(path, other), 0);
    fd = recording_create(path, true);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "th1: 00ff\n", 10), 10);
    assert_int_equal(close(fd), 0);
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(size_of(path), 10);
    assert_int_equal(read(old, &byte, 1), 0);
    assert_int_equal(size_of(other), 0);
    assert_int_equal(close(old), 0);
    assert_int_equal(unlink(other), 0);
}

static void secrets_when_they_would_go_over_the_capture_then_refused(void **s)
{
    char same[160];
    tap t;
    tl_fault fault;

    (void)s;
    (void)snprintf(same, sizeof same, "%s/./a.pcapng", folder);
    assert_int_equal(tap_open(&t, &(tap_options){ .capture = path, .secrets = same }, "test", &fault),
                     TL_EXIT_USAGE);
    assert_non_null(strstr(fault.text, "the same name twice"));
    assert_int_equal(tap_close(&t, &fault), TL_EXIT_OK);
    tap_free(&t);
}

static void secrets_when_there_are_none_then_refused(void **s)
{
    recording r;
    keys_source keys;
    tl_fault fault;

    (void)s;
    assert_int_equal(recording_open(&r, path, false, "test", &fault), TL_EXIT_OK);
    assert_int_equal(recording_secrets(&r, 0x544C534B, tl_span_of("CLIENT_RANDOM\n", 14), &fault),
                     TL_EXIT_OK);
    assert_int_equal(recording_close(&r, &fault), TL_EXIT_OK);
    assert_int_equal(keys_source_open(&keys, path, &fault), TL_EXIT_USAGE);
    assert_non_null(strstr(fault.text, "a capture without secrets"));
    assert_null(keys.file);
    assert_int_equal(keys_source_open(&keys, "/nonexistent/keys", &fault), TL_EXIT_USAGE);
}

static void capture_when_the_folder_is_missing_then_refused(void **s)
{
    recording r;
    tl_fault fault;

    (void)s;
    assert_int_equal(recording_open(&r, "/nonexistent/a.pcapng", false, "test", &fault), TL_EXIT_INTERNAL);
    assert_string_equal(fault.text,
                        "capture: /nonexistent/a.pcapng: cannot be written: No such file or directory");
    assert_false(recording_is_open(&r));
    assert_int_equal(recording_close(&r, &fault), TL_EXIT_OK);
}

static void capture_when_the_disk_is_full_then_told(void **s)
{
    recording r;
    tl_fault fault;

    (void)s;
    if (!has_full())
        skip();
    assert_int_equal(recording_open(&r, "/dev/full", false, "test", &fault), TL_EXIT_INTERNAL);
    assert_string_equal(fault.text, "capture: /dev/full: cannot be written: No space left on device");
    assert_false(recording_is_open(&r));
}

/* The descriptor fails later: a full buffer, and what is left at the end. */
static void capture_when_writing_fails_later_then_told_once(void **s)
{
    static uint8_t bytes[65541];
    const tl_span packet = tl_span_of(bytes, sizeof bytes);
    recording_from from = { .direction = PCAP_INBOUND };
    tl_exit e = TL_EXIT_OK;
    recording r;
    tl_fault fault;
    int full;

    (void)s;
    if (!has_full())
        skip();
    full = open("/dev/full", O_WRONLY);
    assert_true(full >= 0);
    assert_int_equal(recording_open(&r, path, false, "test", &fault), TL_EXIT_OK);
    assert_true(dup2(full, r.fd) >= 0);
    for (int i = 0; i < 40 && e == TL_EXIT_OK; i++)
        e = recording_packets(&r, &from, &packet, 1, &fault);
    assert_int_equal(e, TL_EXIT_INTERNAL);
    assert_int_equal(recording_close(&r, &fault), TL_EXIT_OK);
    assert_int_equal(recording_open(&r, path, false, "test", &fault), TL_EXIT_OK);
    assert_true(dup2(full, r.fd) >= 0);
    assert_int_equal(recording_packets(&r, &from, &packet, 1, &fault), TL_EXIT_OK);
    assert_int_equal(recording_close(&r, &fault), TL_EXIT_INTERNAL);
    (void)close(full);
}

static void packet_when_too_long_for_a_block_then_refused(void **s)
{
    uint8_t *bytes = calloc(1, 1 << 19);
    const tl_span packet = tl_span_of(bytes, 1 << 19);
    recording_from from = { .direction = PCAP_INBOUND };
    recording r;
    tl_fault fault;

    (void)s;
    assert_non_null(bytes);
    assert_int_equal(recording_open(&r, path, false, "test", &fault), TL_EXIT_OK);
    assert_int_equal(recording_packets(&r, &from, &packet, 1, &fault), TL_EXIT_INTERNAL);
    assert_non_null(strstr(fault.text, "a block of more than"));
    assert_int_equal(recording_close(&r, &fault), TL_EXIT_OK);
    assert_int_equal(size_of(path), r.bytes);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capture_when_written_then_read_as_it_was),
        cmocka_unit_test(capture_when_its_writer_goes_on_then_readable_so_far),
        cmocka_unit_test(secrets_when_inside_then_mode_0600_and_found_again),
        cmocka_unit_test(secrets_when_there_are_none_then_refused),
        cmocka_unit_test(secrets_when_a_file_was_there_and_open_then_its_reader_sees_nothing),
        cmocka_unit_test(secrets_when_they_would_go_over_the_capture_then_refused),
        cmocka_unit_test(capture_when_the_folder_is_missing_then_refused),
        cmocka_unit_test(capture_when_the_disk_is_full_then_told),
        cmocka_unit_test(capture_when_writing_fails_later_then_told_once),
        cmocka_unit_test(packet_when_too_long_for_a_block_then_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
