/* Live recordings: what they record is never held up. The disk is full (a limit of the file's size), or slow (a pipe whose reader
 * waits until the test lets it go, or goes away): packets are counted, the file is whole blocks, and says itself how many it lacks. */
#define _GNU_SOURCE
#include "testing.h"

#include "clock.h"
#include "recording.h"
#include "recording_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LONG = 65000,
    FEW = 50,
    MANY = 1200 /* of LONG: more than the queue holds */,
    HELD_UP_MS = 2000,
    LONG_MS = 20000
};

static char folder[] = "/tmp/trueline-live-XXXXXX";
static char path[128];
static uint8_t bytes[LONG];

static int set_up(void **s)
{
    (void)s;
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
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

static void open_live(recording *r, bool secret, uint32_t index[2])
{
    tl_fault fault;

    assert_int_equal(recording_open(r, path, secret, "test", &fault), TL_EXIT_OK);
    assert_int_equal(recording_live(r, secret, &fault), TL_EXIT_OK);
    assert_int_equal(recording_interface(r, PCAP_LINK_CSI2, "csi2", "layout=x", &index[0], &fault),
                     TL_EXIT_OK);
    assert_int_equal(recording_interface(r, PCAP_LINK_SPDM_TCP, "spdm", "", &index[1], &fault), TL_EXIT_OK);
}

static void record(recording *r, uint32_t index, size_t n)
{
    const recording_from from = { .index = index, .direction = PCAP_INBOUND };
    const tl_span packet = tl_span_of(bytes, n);
    tl_fault fault;

    assert_int_equal(recording_packets(r, &from, &packet, 1, &fault), TL_EXIT_OK);
}

/* What a capture holds: packets of each interface, and what it says that it lacks. */
typedef struct found {
    uint64_t packets[2], lost[2], lost_before[2];
} found;

static found read_all(void)
{
    FILE *in = pcap_file(path);
    found f = { 0 };
    bool more = true;
    pcap_packet p;
    tl_fault fault;
    pcap file;

    assert_non_null(in);
    assert_int_equal(pcap_open(&file, in, path, &fault), TL_EXIT_OK);
    for (;;) {
        if (pcap_next(&file, &p, &more, &fault) != TL_EXIT_OK)
            fail_msg("%s", fault.text);
        if (!more)
            break;
        assert_true(p.from->index < 2);
        assert_memory_equal(p.p, bytes, p.n);
        f.packets[p.from->index]++;
        f.lost_before[p.from->index] += p.lost;
    }
    for (uint32_t i = 0; i < file.interface_n; i++)
        f.lost[i] = file.interfaces[i]->lost;
    pcap_close(&file);
    (void)fclose(in);
    return f;
}

static void recording_when_there_is_room_then_as_any_other(void **s)
{
    uint32_t index[2];
    tl_fault fault;
    recording r;
    found f;

    (void)s;
    open_live(&r, false, index);
    for (size_t i = 0; i < 2000; i++)
        record(&r, index[i % 2], i);
    assert_int_equal(recording_error(&r), 0);
    assert_int_equal(recording_close(&r, &fault), TL_EXIT_OK);
    assert_int_equal(r.not_recorded, 0);
    f = read_all();
    assert_int_equal(f.packets[0], 1000);
    assert_int_equal(f.packets[1], 1000);
    assert_int_equal(f.lost[0] + f.lost[1], 0);
}

/* Until all of it is in the file. */
static void wait_written(recording *r)
{
    const uint64_t begun_ms = tl_clock_ms();
    struct stat st;

    recording_queue_flush(r->queue);
    while ((stat(path, &st) != 0 || (uint64_t)st.st_size < r->bytes) && tl_clock_ms() - begun_ms < LONG_MS)
        (void)poll(NULL, 0, 10);
}

/* More than once around the ring. */
static void recording_when_longer_than_its_queue_then_all_of_it(void **s)
{
    uint32_t index[2];
    tl_fault fault;
    recording r;

    (void)s;
    open_live(&r, true, index);
    for (size_t i = 0; i < MANY; i++) {
        record(&r, index[0], LONG - i);
        if (i % 200 == 199) /* a disk that keeps up */
            wait_written(&r);
    }
    assert_int_equal(recording_close(&r, &fault), TL_EXIT_OK);
    assert_true(r.bytes > (uint64_t)2 * RECORDING_QUEUE_BYTES);
    assert_int_equal(read_all().packets[0], MANY);
}

/* A block that begins again at the ring's front wakes the thread that waits for it. */
static void recording_when_its_queue_wraps_while_empty_then_written_without_being_asked(void **s)
{
    uint64_t begun_ms, at;
    uint32_t index[2];
    struct stat st;
    tl_fault fault;
    recording r;

    (void)s;
    assert_int_equal(recording_open(&r, path, false, "test", &fault), TL_EXIT_OK);
    at = r.bytes;
    assert_int_equal(recording_live(&r, false, &fault), TL_EXIT_OK);
    assert_int_equal(recording_interface(&r, PCAP_LINK_CSI2, "csi2", "", &index[0], &fault), TL_EXIT_OK);
    for (size_t i = 1; r.bytes - at <= RECORDING_QUEUE_BYTES - RECORDING_QUEUE_BLOCK; i++) {
        record(&r, index[0], LONG);
        if (i % 100 == 0)
            wait_written(&r);
    }
    wait_written(&r);
    (void)poll(NULL, 0, 300); /* it waits for blocks again */
    record(&r, index[0], 20);
    begun_ms = tl_clock_ms();
    do {
        (void)poll(NULL, 0, 20);
        assert_int_equal(stat(path, &st), 0);
    } while ((uint64_t)st.st_size < r.bytes && tl_clock_ms() - begun_ms < 10000);
    assert_int_equal(st.st_size, r.bytes);
    assert_int_equal(recording_close(&r, &fault), TL_EXIT_OK);
}

/* At every place of a block, and before the first packet. */
static void recording_when_the_disk_is_full_then_whole_blocks_and_the_rest_counted(void **s)
{
    (void)s;
    for (rlim_t limit = 400; limit < 1400; limit += 37) {
        const size_t n = limit % 2 == 0 ? 24 : 301;
        uint32_t index[2];
        struct rlimit before, low;
        struct stat st;
        tl_fault fault;
        recording r;
        found f;

        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        low = before;
        low.rlim_cur = limit;
        open_live(&r, false, index);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
        for (size_t i = 0; i < FEW; i++)
            record(&r, index[i % 2], n);
        assert_int_equal(recording_close(&r, &fault), TL_EXIT_INTERNAL);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_non_null(strstr(fault.text, strerror(EFBIG)));
        assert_non_null(strstr(fault.text, "not recorded"));
        assert_int_equal(stat(path, &st), 0);
        assert_true((rlim_t)st.st_size <= limit);
        f = read_all();
        assert_int_equal(f.packets[0] + f.packets[1], r.packets);
        assert_int_equal(r.packets + r.not_recorded, FEW);
        if (f.packets[0] + f.packets[1] > 0) { /* then there was room to say it */
            assert_int_equal(f.packets[0] + f.lost[0], FEW / 2);
            assert_int_equal(f.packets[1] + f.lost[1], FEW / 2);
        }
    }
}

static void recording_when_the_disk_becomes_full_then_the_error_is_known_and_nobody_waits(void **s)
{
    const uint64_t begun_ms = tl_clock_ms();
    uint32_t index[2];
    struct rlimit before, low;
    tl_fault fault;
    recording r;

    (void)s;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    low = before;
    low.rlim_cur = 1 << 20;
    open_live(&r, false, index);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    while (recording_error(&r) == 0 && tl_clock_ms() - begun_ms < HELD_UP_MS) {
        record(&r, index[0], LONG);
        recording_queue_flush(r.queue);
    }
    assert_int_equal(recording_error(&r), EFBIG);
    for (size_t i = 0; i < MANY; i++)
        record(&r, index[0], LONG);
    assert_true(r.not_recorded >= MANY);
    assert_int_equal(recording_close(&r, &fault), TL_EXIT_INTERNAL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(read_all().lost[0], r.not_recorded);
}

/* ---- pipes ---- */

/* Who reads: waits until it may, then copies all to the file; or goes away. */
typedef struct reader {
    int from;
    bool leaves;
    sem_t may;
    pthread_t thread;
} reader;

static char pipe_path[160];

static void *read_pipe(void *p)
{
    static uint8_t piece[1 << 16];
    reader *r = p;
    FILE *out = fopen(path, "wb");
    ssize_t n = 0;

    while (sem_wait(&r->may) != 0)
        ;
    while (!r->leaves && (n = read(r->from, piece, sizeof piece)) > 0)
        (void)!fwrite(piece, 1, (size_t)n, out);
    (void)fclose(out);
    (void)close(r->from);
    return NULL;
}

static void let_read(reader *r)
{
    assert_int_equal(sem_post(&r->may), 0);
}

static void end_reader(reader *r)
{
    assert_int_equal(pthread_join(r->thread, NULL), 0);
    assert_int_equal(sem_destroy(&r->may), 0);
}

static void open_pipe(recording *r, reader *from, uint32_t index[2])
{
    tl_fault fault;

    (void)snprintf(pipe_path, sizeof pipe_path, "%s/pipe", folder);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    from->from = open(pipe_path, O_RDONLY | O_NONBLOCK);
    assert_true(from->from >= 0 && fcntl(from->from, F_SETFL, 0) == 0);
    assert_int_equal(recording_open(r, pipe_path, false, "test", &fault), TL_EXIT_OK);
    assert_int_equal(recording_live(r, false, &fault), TL_EXIT_OK);
    assert_int_equal(recording_interface(r, PCAP_LINK_CSI2, "csi2", "", &index[0], &fault), TL_EXIT_OK);
    assert_int_equal(sem_init(&from->may, 0, 0), 0);
    assert_int_equal(pthread_create(&from->thread, NULL, read_pipe, from), 0);
    (void)unlink(pipe_path);
}

static void recording_when_its_reader_is_slow_then_nobody_waits_and_the_gap_is_said(void **s)
{
    reader slow = { .leaves = false };
    uint64_t begun_ms;
    uint32_t index[2];
    tl_fault fault;
    recording r;
    found f;

    (void)s;
    open_pipe(&r, &slow, index);
    for (size_t i = 0; i < MANY; i++)
        record(&r, index[0], LONG); /* before a byte was read */
    assert_true(r.not_recorded > 0);
    assert_int_equal(recording_error(&r), 0);
    let_read(&slow);
    begun_ms = tl_clock_ms();
    while (recording_queue_room(r.queue, false) == NULL && tl_clock_ms() - begun_ms < LONG_MS)
        (void)poll(NULL, 0, 5);
    record(&r, index[0], 20); /* behind the gap there is room again */
    assert_int_equal(recording_close(&r, &fault), TL_EXIT_INTERNAL);
    assert_non_null(strstr(fault.text, "packets not recorded: what it is written to is too slow"));
    end_reader(&slow);
    f = read_all();
    assert_int_equal(f.packets[0] + f.lost[0], MANY + 1);
    assert_int_equal(f.packets[0], r.packets);
    assert_int_equal(f.lost_before[0], r.not_recorded);
}

static void *let_read_later(void *p)
{
    (void)poll(NULL, 0, 700);
    let_read(p);
    return NULL;
}

/* What is said at the end waits for a reader that takes its time, as packets do. */
static void recording_when_its_pipe_is_full_at_the_end_then_the_rest_is_written_all_the_same(void **s)
{
    enum { PIPE = 8192, AROUND = 44 /* bytes of a packet's block */, LEFT = 8 };
    reader slow = { .leaves = false };
    pthread_t later;
    uint32_t index[2];
    tl_fault fault;
    recording r;

    (void)s;
    open_pipe(&r, &slow, index);
    assert_int_equal(fcntl(slow.from, F_SETPIPE_SZ, PIPE), PIPE);
    record(&r, index[0], (size_t)(PIPE - LEFT - AROUND - r.bytes) & ~(size_t)3);
    assert_true(r.bytes > PIPE - LEFT - 4 && r.bytes <= PIPE - LEFT);
    assert_int_equal(pthread_create(&later, NULL, let_read_later, &slow), 0);
    if (recording_close(&r, &fault) != TL_EXIT_OK)
        fail_msg("%s", fault.text);
    assert_int_equal(pthread_join(later, NULL), 0);
    end_reader(&slow);
    assert_int_equal(read_all().packets[0], 1);
}

static void recording_when_its_reader_goes_away_then_the_rest_is_counted(void **s)
{
    reader leaves = { .leaves = true };
    uint32_t index[2];
    tl_fault fault;
    recording r;

    (void)s;
    open_pipe(&r, &leaves, index);
    let_read(&leaves);
    end_reader(&leaves);
    for (size_t i = 0; i < FEW; i++)
        record(&r, index[0], LONG);
    assert_int_equal(recording_close(&r, &fault), TL_EXIT_INTERNAL);
    assert_non_null(strstr(fault.text, strerror(EPIPE)));
    assert_int_equal(r.not_recorded, FEW);
}

static void recording_when_nobody_reads_then_given_up_in_the_end(void **s)
{
    enum { PATIENCE_MS = 300 };
    reader never = { .leaves = true };
    uint64_t begun_ms;
    uint32_t index[2];
    tl_fault fault;
    recording r;

    (void)s;
    open_pipe(&r, &never, index);
    recording_queue_patience(r.queue, PATIENCE_MS);
    for (size_t i = 0; i < FEW; i++)
        record(&r, index[0], LONG);
    begun_ms = tl_clock_ms();
    assert_int_equal(recording_close(&r, &fault), TL_EXIT_INTERNAL);
    assert_in_range(tl_clock_ms() - begun_ms, PATIENCE_MS, PATIENCE_MS + HELD_UP_MS);
    assert_non_null(strstr(fault.text, "nobody reads it"));
    assert_true(r.not_recorded > 0);
    let_read(&never);
    end_reader(&never);
}

/* ---- memory ---- */

/* What was written of a recording with secrets is not in the queue any more. */
static void secrets_when_written_then_wiped_in_the_queue(void **s)
{
    static const char secret[] = "a secret that must not stay in memory";
    uint8_t *first;
    uint32_t index[2];
    tl_fault fault;
    recording r;

    (void)s;
    open_live(&r, true, index);
    first = recording_queue_room(r.queue, true);
    assert_int_equal(recording_secrets(&r, 1, tl_span_of(secret, sizeof secret), &fault), TL_EXIT_OK);
    assert_non_null(memmem(first, 256, secret, sizeof secret));
    wait_written(&r);
    for (int i = 0; i < 100 && memmem(first, 256, secret, sizeof secret) != NULL; i++)
        (void)poll(NULL, 0, 20); /* the thread wipes it right behind its write */
    assert_null(memmem(first, 256, secret, sizeof secret));
    assert_int_equal(recording_close(&r, &fault), TL_EXIT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recording_when_there_is_room_then_as_any_other),
        cmocka_unit_test(recording_when_longer_than_its_queue_then_all_of_it),
        cmocka_unit_test(recording_when_its_queue_wraps_while_empty_then_written_without_being_asked),
        cmocka_unit_test(recording_when_the_disk_is_full_then_whole_blocks_and_the_rest_counted),
        cmocka_unit_test(recording_when_the_disk_becomes_full_then_the_error_is_known_and_nobody_waits),
        cmocka_unit_test(recording_when_its_reader_is_slow_then_nobody_waits_and_the_gap_is_said),
        cmocka_unit_test(recording_when_its_pipe_is_full_at_the_end_then_the_rest_is_written_all_the_same),
        cmocka_unit_test(recording_when_its_reader_goes_away_then_the_rest_is_counted),
        cmocka_unit_test(recording_when_nobody_reads_then_given_up_in_the_end),
        cmocka_unit_test(secrets_when_written_then_wiped_in_the_queue),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
