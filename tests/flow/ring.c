/* The shared-memory ring between two processes: order and content over many laps, back-pressure with and without waiting,
 * either end killed or closed, and a peer that writes what it likes into the memory. */
#define _GNU_SOURCE
#include "testing.h"

#include "clock.h"
#include "ring.h"
#include "ring_memory.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOON_MS = 4000, ROOM = 32 };

static tl_fault fault;

static void assert_says(const char *part)
{
    if (strstr(fault.text, part) == NULL)
        fail_msg("'%s' does not say '%s'", fault.text, part);
}

static void make_pair(int fds[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
}

/* Both ends in this process. */
typedef struct both {
    tl_ring producer, consumer;
    tl_ring_shared *shared; /* as a hostile peer sees it */
    uint8_t *data;
} both;

static both open_both(tl_ring_mode mode)
{
    both b = { .producer.socket = -1 };
    int fds[2];

    make_pair(fds);
    assert_int_equal(tl_ring_offer(&b.consumer, fds[0], TL_RING_MIN, mode, &fault), TL_EXIT_OK);
    assert_int_equal(tl_ring_join(&b.producer, fds[1], tl_clock_ms() + SOON_MS, &fault), TL_EXIT_OK);
    b.shared = b.producer.shared;
    b.data = b.producer.data;
    return b;
}

static void close_both(both *b)
{
    tl_ring_close(&b->producer);
    tl_ring_close(&b->consumer);
}

/* Packet i: its size and its bytes follow from i. */
static size_t packet_of(uint32_t i, uint8_t *bytes)
{
    tl_rng r = { .state = i + 1u };
    size_t n = TL_LINK_PACKET_MIN +
               (size_t)(i % 7 == 0 ? tl_random_below(&r, TL_CSI2_PACKET_MAX - 3) : tl_random_below(&r, 2000));

    for (size_t k = 0; k < n; k++)
        bytes[k] = (uint8_t)(i + k * 31 + (k >> 8));
    return n;
}

static uint8_t scratch[TL_CSI2_PACKET_MAX];

static bool is_packet(uint32_t i, const tl_buffer *p)
{
    size_t n = packet_of(i, scratch);

    return p->n == n && memcmp(p->p, scratch, n) == 0;
}

static tl_exit write_one(tl_ring *r, uint32_t i, uint64_t deadline_ms)
{
    size_t n = packet_of(i, scratch);
    const tl_span packet = tl_span_of(scratch, n);

    return tl_ring_write(r, &packet, 1, deadline_ms, &fault);
}

static tl_exit read_some(tl_ring *r, uint64_t wait_ms, tl_link_batch *batch)
{
    static tl_buffer packets[ROOM];

    *batch = (tl_link_batch){ .packets = packets, .room = ROOM };
    return tl_ring_read(r, tl_clock_ms() + wait_ms, batch, &fault);
}

static void assert_quiet(tl_ring *r)
{
    tl_link_batch batch;

    assert_int_equal(read_some(r, 0, &batch), TL_EXIT_OK);
    assert_int_equal(batch.state, TL_LINK_QUIET);
    assert_int_equal(batch.n, 0);
}

/* ---- two processes ---- */

typedef struct folder {
    char path[64], name[96];
} folder;

static folder make_folder(void)
{
    folder f;

    (void)snprintf(f.path, sizeof f.path, "/tmp/tl-ring-XXXXXX");
    assert_non_null(mkdtemp(f.path));
    (void)snprintf(f.name, sizeof f.name, "%s/ring", f.path);
    return f;
}

static void drop_folder(const folder *f)
{
    (void)unlink(f->name);
    assert_int_equal(rmdir(f->path), 0);
}

/* A producer of n packets in a process of its own; then it closes, or holds on until it is killed. */
static pid_t start_producer(const char *path, uint32_t n, bool holds_on)
{
    pid_t child = fork();
    tl_ring ring;
    int fd;

    assert_true(child >= 0);
    if (child > 0)
        return child;
    alarm(60);
    if (tl_ring_dial(path, tl_clock_ms() + SOON_MS, &fd, &fault) != TL_EXIT_OK ||
        tl_ring_join(&ring, fd, tl_clock_ms() + SOON_MS, &fault) != TL_EXIT_OK)
        _exit(10);
    for (uint32_t i = 0; i < n; i++)
        if (write_one(&ring, i, tl_clock_ms() + SOON_MS) != TL_EXIT_OK)
            _exit(11);
    while (holds_on)
        (void)pause();
    tl_ring_close(&ring);
    _exit(0);
}

static void accept_ring(const char *path, tl_ring *ring, tl_ring_mode mode, size_t size)
{
    int listener, fd;

    assert_int_equal(tl_ring_listen(path, &listener, &fault), TL_EXIT_OK);
    assert_int_equal(tl_ring_accept(listener, tl_clock_ms() + SOON_MS, &fd, &fault), TL_EXIT_OK);
    assert_true(fd >= 0);
    close(listener);
    assert_int_equal(tl_ring_offer(ring, fd, size, mode, &fault), TL_EXIT_OK);
}

static int code_of(pid_t child)
{
    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void cross(tl_ring_mode mode, size_t size, uint32_t n)
{
    const folder f = make_folder();
    pid_t child = start_producer(f.name, n, false);
    tl_link_batch batch = { .state = TL_LINK_PACKETS };
    tl_ring ring;
    uint32_t i = 0;

    accept_ring(f.name, &ring, mode, size);
    while (batch.state != TL_LINK_CLOSED) {
        assert_int_equal(read_some(&ring, SOON_MS, &batch), TL_EXIT_OK);
        assert_int_not_equal(batch.state, TL_LINK_QUIET);
        for (size_t k = 0; k < batch.n; k++)
            if (!is_packet(i++, &batch.packets[k]))
                fail_msg("packet %u is not what was written", i - 1);
    }
    assert_int_equal(i, n);
    assert_int_equal(code_of(child), 0);
    tl_ring_close(&ring);
    drop_folder(&f);
}

static void packets_when_they_cross_by_copy_then_in_order_and_whole_over_many_laps(void **s)
{
    (void)s;
    cross(TL_RING_COPY, TL_RING_MIN, 3000); /* about 15 MB through 256 KB */
}

static void packets_when_they_cross_in_place_then_in_order_and_whole_over_many_laps(void **s)
{
    (void)s;
    cross(TL_RING_IN_PLACE, TL_RING_MIN, 3000);
    cross(TL_RING_IN_PLACE, TL_RING_DEFAULT, 1000);
}

static void producer_when_killed_then_what_it_wrote_comes_and_then_its_death_is_named(void **s)
{
    const folder f = make_folder();
    pid_t child = start_producer(f.name, 20, true);
    tl_link_batch batch;
    tl_ring ring;
    uint32_t i = 0;
    tl_exit e;

    (void)s;
    accept_ring(f.name, &ring, TL_RING_COPY, TL_RING_DEFAULT);
    while (i < 5) { /* it lives, and has written */
        assert_int_equal(read_some(&ring, SOON_MS, &batch), TL_EXIT_OK);
        for (size_t k = 0; k < batch.n; k++)
            assert_true(is_packet(i++, &batch.packets[k]));
    }
    usleep(100000);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(code_of(child), -SIGKILL);
    while ((e = read_some(&ring, SOON_MS, &batch)) == TL_EXIT_OK)
        for (size_t k = 0; k < batch.n; k++)
            assert_true(is_packet(i++, &batch.packets[k]));
    assert_int_equal(i, 20);
    assert_int_equal(e, TL_EXIT_LINK);
    assert_says("the producer is gone without a word");
    tl_ring_close(&ring);
    drop_folder(&f);
}

static void consumer_when_killed_then_a_producer_that_waits_is_told_at_once(void **s)
{
    const folder f = make_folder();
    uint64_t started;
    pid_t child;
    tl_ring ring;
    tl_exit e = TL_EXIT_OK;
    int fd;

    (void)s;
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        accept_ring(f.name, &ring, TL_RING_COPY, TL_RING_MIN);
        usleep(200000); /* takes nothing, and dies */
        raise(SIGKILL);
    }
    assert_int_equal(tl_ring_dial(f.name, tl_clock_ms() + SOON_MS, &fd, &fault), TL_EXIT_OK);
    assert_int_equal(tl_ring_join(&ring, fd, tl_clock_ms() + SOON_MS, &fault), TL_EXIT_OK);
    started = tl_clock_ms();
    for (uint32_t i = 0; e == TL_EXIT_OK; i++)
        e = write_one(&ring, i, TL_NEVER);
    assert_int_equal(e, TL_EXIT_LINK);
    assert_says("the consumer is gone");
    assert_null(strstr(fault.text, "enough"));
    assert_true(ring.waits > 0);
    assert_true(tl_clock_ms() - started < SOON_MS);
    assert_int_equal(code_of(child), -SIGKILL);
    tl_ring_close(&ring);
    drop_folder(&f);
}

static void path_when_listened_on_then_the_users_alone_and_only_a_left_over_socket_is_replaced(void **s)
{
    const folder f = make_folder();
    struct stat st;
    int a, b, fd;

    (void)s;
    umask(0);
    assert_int_equal(tl_ring_listen(f.name, &a, &fault), TL_EXIT_OK);
    umask(022);
    assert_int_equal(stat(f.name, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(tl_ring_listen(f.name, &b, &fault), TL_EXIT_USAGE); /* somebody listens there */
    close(a);
    assert_int_equal(tl_ring_dial(f.name, tl_clock_ms() + 30, &fd, &fault), TL_EXIT_LINK);
    assert_says("nobody listens there");
    assert_int_equal(tl_ring_listen(f.name, &b, &fault), TL_EXIT_OK); /* its process is dead */
    assert_int_equal(tl_ring_accept(b, tl_clock_ms() + 10, &fd, &fault), TL_EXIT_OK);
    assert_int_equal(fd, -1);
    close(b);
    assert_int_equal(unlink(f.name), 0);
    fd = open(f.name, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(tl_ring_listen(f.name, &b, &fault), TL_EXIT_USAGE);
    assert_int_equal(stat(f.name, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    drop_folder(&f);
}

/* ---- room ---- */

static void write_when_full_then_try_says_so_at_once_and_write_waits_no_longer_than_asked(void **s)
{
    both b = open_both(TL_RING_COPY);
    tl_link_batch batch;
    uint8_t bytes[60000] = { 1, 2, 3 };
    const tl_span packets[8] = { tl_span_of(bytes, sizeof bytes), tl_span_of(bytes, sizeof bytes),
                                 tl_span_of(bytes, sizeof bytes), tl_span_of(bytes, sizeof bytes),
                                 tl_span_of(bytes, sizeof bytes), tl_span_of(bytes, sizeof bytes),
                                 tl_span_of(bytes, sizeof bytes), tl_span_of(bytes, sizeof bytes) };
    size_t written;
    uint64_t before = tl_clock_ms();

    (void)s;
    assert_int_equal(tl_ring_try_write(&b.producer, packets, 8, &written, &fault), TL_EXIT_OK);
    assert_int_equal(written, 4);
    assert_int_equal(tl_ring_try_write(&b.producer, packets, 8, &written, &fault), TL_EXIT_OK);
    assert_int_equal(written, 0);
    assert_true(tl_clock_ms() - before < 1000);
    assert_int_equal(tl_ring_write(&b.producer, packets, 1, tl_clock_ms() + 60, &fault), TL_EXIT_LINK);
    assert_says("time-out: the ring is full");
    assert_true(tl_clock_ms() - before >= 60);
    assert_int_equal(read_some(&b.consumer, 0, &batch), TL_EXIT_OK);
    assert_int_equal(batch.n, 4);
    assert_int_equal(tl_ring_write(&b.producer, packets, 4, tl_clock_ms() + 60, &fault), TL_EXIT_OK);
    close_both(&b);
}

static void write_when_a_packet_is_of_no_size_then_refused_and_nothing_is_there(void **s)
{
    static const uint8_t bytes[TL_CSI2_PACKET_MAX + 1];
    const tl_span wrong[] = { tl_span_of(bytes, 0), tl_span_of(bytes, 3), tl_span_of(bytes, sizeof bytes) };
    both b = open_both(TL_RING_COPY);
    size_t written;

    (void)s;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(tl_ring_try_write(&b.producer, &wrong[i], 1, &written, &fault), TL_EXIT_INTERNAL);
        assert_int_equal(written, 0);
    }
    assert_quiet(&b.consumer);
    close_both(&b);
}

static void packets_in_place_when_held_then_their_room_is_given_back_by_the_next_read(void **s)
{
    both b = open_both(TL_RING_IN_PLACE);
    tl_link_batch batch;

    (void)s;
    assert_int_equal(write_one(&b.producer, 1, 0), TL_EXIT_OK);
    assert_int_equal(read_some(&b.consumer, 0, &batch), TL_EXIT_OK);
    assert_int_equal(batch.n, 1);
    assert_true(is_packet(1, &batch.packets[0]));
    assert_true(atomic_load(&b.shared->tail) == 0);
    batch.packets[0].p[0] ^= 1; /* they may be changed */
    assert_quiet(&b.consumer);
    assert_true(atomic_load(&b.shared->tail) == b.producer.own);
    close_both(&b);
}

/* ---- waiting ---- */

static double cpu_ms(void)
{
    struct rusage u;

    assert_int_equal(getrusage(RUSAGE_SELF, &u), 0);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static void read_when_nothing_comes_then_it_sleeps_until_its_deadline(void **s)
{
    both b = open_both(TL_RING_COPY);
    tl_link_batch batch;
    uint64_t before = tl_clock_ms();
    double cpu = cpu_ms();

    (void)s;
    assert_int_equal(read_some(&b.consumer, 300, &batch), TL_EXIT_OK);
    assert_int_equal(batch.state, TL_LINK_QUIET);
    assert_true(tl_clock_ms() - before >= 300);
    assert_true(cpu_ms() - cpu < 100);
    assert_int_equal(b.consumer.waits, 1);
    b.consumer.heard_ms -= TL_LINK_PATIENCE_MS;
    assert_int_equal(read_some(&b.consumer, 300, &batch), TL_EXIT_LINK);
    assert_says("time-out: nothing came");
    close_both(&b);
}

static void read_when_the_peer_only_wakes_us_then_the_deadline_stands(void **s)
{
    both b = open_both(TL_RING_COPY);
    tl_link_batch batch;
    uint64_t before = tl_clock_ms();
    char noise[4096] = { 0 };

    (void)s;
    assert_true(send(b.producer.socket, noise, sizeof noise, MSG_DONTWAIT) > 0);
    assert_int_equal(read_some(&b.consumer, 50, &batch), TL_EXIT_OK);
    assert_int_equal(batch.state, TL_LINK_QUIET);
    assert_true(tl_clock_ms() - before >= 50);
    close_both(&b);
}

/* ---- ends ---- */

static void producer_when_closed_then_the_rest_comes_and_then_closed(void **s)
{
    both b = open_both(TL_RING_COPY);
    tl_link_batch batch;

    (void)s;
    assert_int_equal(write_one(&b.producer, 1, 0), TL_EXIT_OK);
    tl_ring_close(&b.producer);
    assert_int_equal(read_some(&b.consumer, 0, &batch), TL_EXIT_OK);
    assert_int_equal(batch.n, 1);
    for (int i = 0; i < 2; i++) { /* and it stays so */
        assert_int_equal(read_some(&b.consumer, 0, &batch), TL_EXIT_OK);
        assert_int_equal(batch.state, TL_LINK_CLOSED);
    }
    close_both(&b);
}

static void consumer_when_closed_then_the_producer_hears_that_it_has_enough(void **s)
{
    both b = open_both(TL_RING_COPY);

    (void)s;
    assert_false(tl_ring_peer_is_done(&b.producer));
    tl_ring_close(&b.consumer);
    assert_true(tl_ring_peer_is_done(&b.producer));
    assert_int_equal(write_one(&b.producer, 1, 0), TL_EXIT_LINK); /* though there is room */
    assert_says("the consumer is gone, it has enough");
    close_both(&b);
}

/* ---- a hostile producer ---- */

static void head_when_it_cannot_be_then_garbage_and_nothing_is_handed_out(void **s)
{
    static const struct {
        uint64_t first, head;
    } cases[] = {
        { 0, TL_RING_MIN + 4 }, { 0, 2 },     { 0, UINT64_MAX },       { 0, UINT64_MAX - 3 },
        { 400, 200 },           { 400, 401 }, { 400, UINT64_MAX - 3 }, { 400, (uint64_t)1 << 63 },
    };
    tl_link_batch batch;

    (void)s;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        both b = open_both(TL_RING_IN_PLACE);

        if (cases[i].first != 0) { /* a packet, so that the number can go back */
            const tl_span packet = tl_span_of(scratch, 396);

            assert_int_equal(tl_ring_write(&b.producer, &packet, 1, 0, &fault), TL_EXIT_OK);
            assert_int_equal(read_some(&b.consumer, 0, &batch), TL_EXIT_OK);
            assert_int_equal(batch.n, 1);
        }
        atomic_store(&b.shared->head, cases[i].head);
        assert_int_equal(read_some(&b.consumer, 0, &batch), TL_EXIT_LINK);
        assert_says("garbage: the producer's index cannot be");
        assert_int_equal(batch.n, 0);
        close_both(&b);
    }
}

static void length_when_it_cannot_be_then_garbage_after_what_came_before(void **s)
{
    static const uint32_t lengths[] = { 0,          1,          3,          TL_CSI2_PACKET_MAX + 1,
                                        0x7FFFFFFF, 0x80000000, UINT32_MAX, 37 };
    tl_link_batch batch;

    (void)s;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (tl_ring_mode mode = TL_RING_COPY; mode <= TL_RING_IN_PLACE; mode++) {
            both b = open_both(mode);

            assert_int_equal(write_one(&b.producer, 1, 0), TL_EXIT_OK);
            memcpy(b.data + b.producer.own, &lengths[i], sizeof lengths[i]);
            atomic_store(&b.shared->head, b.producer.own + 40); /* room for 36 bytes, not for 37 */
            assert_int_equal(read_some(&b.consumer, 0, &batch), TL_EXIT_OK);
            assert_int_equal(batch.n, 1);
            assert_true(is_packet(1, &batch.packets[0]));
            assert_int_equal(read_some(&b.consumer, 0, &batch), TL_EXIT_LINK);
            assert_says("garbage: a length of");
            close_both(&b);
        }
}

static void bytes_when_changed_after_reading_then_a_copy_stays_and_a_view_does_not(void **s)
{
    tl_link_batch batch;

    (void)s;
    for (tl_ring_mode mode = TL_RING_COPY; mode <= TL_RING_IN_PLACE; mode++) {
        both b = open_both(mode);

        assert_int_equal(write_one(&b.producer, 1, 0), TL_EXIT_OK);
        assert_int_equal(read_some(&b.consumer, 0, &batch), TL_EXIT_OK);
        b.data[RING_PREFIX + 2] ^= 0x55;
        assert_true(is_packet(1, &batch.packets[0]) == (mode == TL_RING_COPY));
        close_both(&b);
    }
}

static void our_number_when_the_peer_writes_it_then_it_is_never_read(void **s)
{
    both b = open_both(TL_RING_COPY);
    tl_link_batch batch;

    (void)s;
    assert_int_equal(write_one(&b.producer, 1, 0), TL_EXIT_OK);
    atomic_store(&b.shared->tail, 1u << 20); /* as a hostile producer */
    assert_int_equal(read_some(&b.consumer, 0, &batch), TL_EXIT_OK);
    assert_true(batch.n == 1 && is_packet(1, &batch.packets[0]));
    atomic_store(&b.shared->head, 0); /* as a hostile consumer */
    b.shared->size = 1 << 30;
    assert_int_equal(write_one(&b.producer, 2, 0), TL_EXIT_OK);
    assert_int_equal(read_some(&b.consumer, 0, &batch), TL_EXIT_OK);
    assert_true(batch.n == 1 && is_packet(2, &batch.packets[0]));
    close_both(&b);
}

/* ---- a hostile consumer ---- */

static void tail_when_it_cannot_be_then_garbage_and_nothing_is_written_over(void **s)
{
    static const uint64_t tails[] = { TL_RING_MIN + 4, UINT64_MAX, (uint64_t)1 << 63, 2 };
    uint8_t bytes[65536 - 4] = { 7 };
    const tl_span packet = tl_span_of(bytes, sizeof bytes);
    size_t written;

    (void)s;
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        both b = open_both(TL_RING_COPY);

        for (int k = 0; k < 4; k++)
            assert_int_equal(tl_ring_write(&b.producer, &packet, 1, 0, &fault), TL_EXIT_OK);
        atomic_store(&b.shared->tail, tails[i]);
        assert_int_equal(tl_ring_try_write(&b.producer, &packet, 1, &written, &fault), TL_EXIT_LINK);
        assert_says("garbage: the consumer has taken what was not written");
        assert_int_equal(written, 0);
        close_both(&b);
    }
}

/* ---- memory that is no ring ---- */

static void send_fds(int socket, const int *memory, size_t n)
{
    char byte = 'M';
    struct iovec v = { &byte, 1 };
    _Alignas(struct cmsghdr) char c[CMSG_SPACE(2 * sizeof(int))] = { 0 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

    if (n > 0) {
        struct cmsghdr *h;

        m.msg_control = c;
        m.msg_controllen = CMSG_SPACE(n * sizeof(int));
        h = CMSG_FIRSTHDR(&m);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(h), memory, n * sizeof(int));
    }
    assert_int_equal(sendmsg(socket, &m, 0), 1);
}

static int descriptors(void)
{
    int n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* What a producer says to that memory. It must leave no descriptor behind. */
static void join_to(const int *memory, size_t n, const char *part)
{
    tl_ring ring;
    int fds[2], before;

    make_pair(fds);
    before = descriptors();
    send_fds(fds[0], memory, n);
    assert_int_equal(tl_ring_join(&ring, fds[1], tl_clock_ms() + SOON_MS, &fault), TL_EXIT_PEER);
    assert_says(part);
    assert_int_equal(ring.socket, -1);
    assert_int_equal(descriptors(), before - 1); /* the ring closed its socket */
    close(fds[0]);
}

static int make_memory(off_t size, int seals)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    if (seals != 0)
        assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static void memory_when_it_is_no_sealed_ring_then_refused_by_name(void **s)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    const off_t size = RING_PAGE + TL_RING_MIN;
    int m[2], pipes[2];

    (void)s;
    m[0] = make_memory(size, 0);
    join_to(m, 1, "not sealed: its maker could cut it");
    m[1] = make_memory(size, F_SEAL_GROW | F_SEAL_SEAL);
    join_to(m + 1, 1, "not sealed");
    close(m[1]);
    join_to(m, 0, "no ring's memory");
    m[1] = make_memory(size, seals);
    join_to(m, 2, "no ring's memory");
    join_to(m + 1, 1, "no ring's memory, or of another version"); /* no magic */
    close(m[0]);
    close(m[1]);
    m[0] = make_memory(size, seals | F_SEAL_WRITE);
    join_to(m, 1, "cannot be written to");
    close(m[0]);
    m[0] = make_memory(size - 1, seals);
    join_to(m, 1, "are no ring");
    close(m[0]);
    m[0] = make_memory(RING_PAGE, seals);
    join_to(m, 1, "are no ring");
    close(m[0]);
    assert_int_equal(pipe(pipes), 0);
    join_to(pipes, 1, "not sealed");
    close(pipes[0]);
    close(pipes[1]);
}

static void ring_when_its_peer_is_none_or_its_size_is_wrong_then_a_fault(void **s)
{
    static const size_t sizes[] = { 0, TL_RING_MIN - 1, TL_RING_MIN + 4096, (size_t)TL_RING_MAX * 2 };
    tl_ring ring;
    int fds[2];

    (void)s;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        make_pair(fds);
        assert_int_equal(tl_ring_offer(&ring, fds[0], sizes[i], TL_RING_COPY, &fault), TL_EXIT_USAGE);
        assert_says("give a power of two");
        close(fds[1]);
    }
    make_pair(fds);
    assert_int_equal(tl_ring_join(&ring, fds[0], tl_clock_ms() + 20, &fault), TL_EXIT_LINK);
    assert_says("time-out");
    close(fds[1]);
    make_pair(fds);
    close(fds[1]);
    assert_int_equal(tl_ring_join(&ring, fds[0], tl_clock_ms() + 20, &fault), TL_EXIT_LINK);
    assert_says("closed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_when_they_cross_by_copy_then_in_order_and_whole_over_many_laps),
        cmocka_unit_test(packets_when_they_cross_in_place_then_in_order_and_whole_over_many_laps),
        cmocka_unit_test(producer_when_killed_then_what_it_wrote_comes_and_then_its_death_is_named),
        cmocka_unit_test(consumer_when_killed_then_a_producer_that_waits_is_told_at_once),
        cmocka_unit_test(path_when_listened_on_then_the_users_alone_and_only_a_left_over_socket_is_replaced),
        cmocka_unit_test(write_when_full_then_try_says_so_at_once_and_write_waits_no_longer_than_asked),
        cmocka_unit_test(write_when_a_packet_is_of_no_size_then_refused_and_nothing_is_there),
        cmocka_unit_test(packets_in_place_when_held_then_their_room_is_given_back_by_the_next_read),
        cmocka_unit_test(read_when_nothing_comes_then_it_sleeps_until_its_deadline),
        cmocka_unit_test(read_when_the_peer_only_wakes_us_then_the_deadline_stands),
        cmocka_unit_test(producer_when_closed_then_the_rest_comes_and_then_closed),
        cmocka_unit_test(consumer_when_closed_then_the_producer_hears_that_it_has_enough),
        cmocka_unit_test(head_when_it_cannot_be_then_garbage_and_nothing_is_handed_out),
        cmocka_unit_test(length_when_it_cannot_be_then_garbage_after_what_came_before),
        cmocka_unit_test(bytes_when_changed_after_reading_then_a_copy_stays_and_a_view_does_not),
        cmocka_unit_test(our_number_when_the_peer_writes_it_then_it_is_never_read),
        cmocka_unit_test(tail_when_it_cannot_be_then_garbage_and_nothing_is_written_over),
        cmocka_unit_test(memory_when_it_is_no_sealed_ring_then_refused_by_name),
        cmocka_unit_test(ring_when_its_peer_is_none_or_its_size_is_wrong_then_a_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
