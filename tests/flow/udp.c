/* Packets over UDP on loopback: sizes, batches, what fits no datagram, what is no packet, and nobody at the other end. */
#define _GNU_SOURCE
#include "testing.h"

#include "clock.h"
#include "udp.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOON_MS = 4000, BUFFER = 8 << 20, ROOM = 100 };

typedef struct link {
    int in, out;
    tl_udp_reader reader;
    uint8_t *memory;
    tl_net_name name;
    uint64_t unheard;
    tl_fault fault;
} link_ends;

static void assert_says(const tl_fault *fault, const char *part)
{
    if (strstr(fault->text, part) == NULL)
        fail_msg("'%s' does not say '%s'", fault->text, part);
}

static void open_link(link_ends *l, size_t packet_max, size_t slots)
{
    const size_t n = (packet_max + 1) * slots;
    tl_address address;

    *l = (link_ends){ .memory = malloc(n) };
    assert_non_null(l->memory);
    assert_int_equal(tl_address_parse("127.0.0.1:0", &address, &l->fault), TL_EXIT_OK);
    assert_int_equal(tl_udp_open_receiver(&address, BUFFER, &l->in, &l->name, &l->fault), TL_EXIT_OK);
    assert_int_equal(tl_address_parse(l->name.text, &address, &l->fault), TL_EXIT_OK);
    assert_int_equal(tl_udp_open_sender(&address, &l->out, &l->name, &l->fault), TL_EXIT_OK);
    assert_int_equal(
        tl_udp_reader_open(&l->reader, l->in, (tl_buffer){ l->memory, n }, packet_max, &l->fault),
        TL_EXIT_OK);
}

static void close_link(link_ends *l)
{
    close(l->in);
    close(l->out);
    free(l->memory);
}

static void write_all(link_ends *l, const tl_span *packets, size_t n)
{
    assert_int_equal(tl_udp_write(l->out, packets, n, &l->unheard, &l->fault), TL_EXIT_OK);
}

static tl_link_batch read_some(link_ends *l, uint64_t wait_ms, size_t room)
{
    static tl_buffer packets[ROOM];
    tl_link_batch batch = { .packets = packets, .room = room };

    assert_int_equal(tl_udp_read(&l->reader, tl_clock_ms() + wait_ms, &batch, &l->fault), TL_EXIT_OK);
    return batch;
}

static void packets_when_sent_then_they_come_whole_whatever_their_size(void **s)
{
    static const size_t sizes[] = { 4, 5, 1500, 7708, 65506, TL_UDP_PACKET_MAX };
    static uint8_t bytes[TL_UDP_PACKET_MAX];
    link_ends l;

    (void)s;
    open_link(&l, TL_UDP_PACKET_MAX, 4);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 8));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const tl_span packet = tl_span_of(bytes, sizes[i]);
        tl_link_batch batch;

        write_all(&l, &packet, 1);
        batch = read_some(&l, SOON_MS, ROOM);
        assert_int_equal(batch.n, 1);
        assert_int_equal(batch.packets[0].n, sizes[i]);
        assert_memory_equal(batch.packets[0].p, bytes, sizes[i]);
    }
    close_link(&l);
}

static void packets_when_more_than_a_call_takes_then_all_in_order(void **s)
{
    uint8_t bytes[3 * TL_UDP_BATCH][8] = { { 0 } };
    tl_span packets[3 * TL_UDP_BATCH];
    tl_link_batch batch;
    size_t i = 0, calls = 0;
    link_ends l;

    (void)s;
    open_link(&l, 64, 80);
    for (size_t k = 0; k < 3 * TL_UDP_BATCH; k++) {
        bytes[k][0] = (uint8_t)k;
        packets[k] = tl_span_of(bytes[k], 4 + k % 4);
    }
    write_all(&l, packets, 3 * TL_UDP_BATCH);
    for (; i < 3 * TL_UDP_BATCH; calls++) {
        batch = read_some(&l, SOON_MS, calls == 0 ? 3 : ROOM);
        assert_int_equal(batch.state, TL_LINK_PACKETS);
        assert_true(batch.n <= (calls == 0 ? 3 : TL_UDP_BATCH));
        for (size_t k = 0; k < batch.n; k++, i++) {
            assert_int_equal(batch.packets[k].n, packets[i].n);
            assert_memory_equal(batch.packets[k].p, packets[i].p, packets[i].n);
        }
    }
    assert_true(calls >= 4);
    assert_int_equal(l.reader.packets, i);
    assert_int_equal(l.reader.dropped, 0);
    close_link(&l);
}

static void packet_when_no_datagram_holds_it_then_named_and_nothing_is_sent(void **s)
{
    static uint8_t bytes[TL_UDP_PACKET_MAX + 1];
    const tl_span packets[2][2] = {
        { tl_span_of(bytes, 10), tl_span_of(bytes, sizeof bytes) },
        { tl_span_of(bytes, 10), tl_span_of(bytes, 3) },
    };
    link_ends l;

    (void)s;
    open_link(&l, 64, 4);
    assert_int_equal(tl_udp_write(l.out, packets[0], 2, &l.unheard, &l.fault), TL_EXIT_USAGE);
    assert_says(&l.fault, "packet 2 of 2: 65508 bytes: a datagram holds 4 to 65507");
    assert_int_equal(tl_udp_write(l.out, packets[1], 2, &l.unheard, &l.fault), TL_EXIT_USAGE);
    assert_says(&l.fault, "packet 2 of 2: 3 bytes");
    assert_int_equal(read_some(&l, 0, ROOM).state, TL_LINK_QUIET);
    close_link(&l);
}

static void datagram_when_it_is_no_packet_then_counted_and_the_next_one_comes(void **s)
{
    static const size_t sizes[] = { 0, 1, 3, 65, 66, 2000 };
    uint8_t bytes[2000] = { 9 };
    const tl_span packet = tl_span_of(bytes, 64);
    tl_link_batch batch;
    link_ends l;

    (void)s;
    open_link(&l, 64, 16);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_int_equal(send(l.out, bytes, sizes[i], 0), (ssize_t)sizes[i]);
    write_all(&l, &packet, 1);
    batch = read_some(&l, SOON_MS, ROOM);
    assert_int_equal(batch.n, 1);
    assert_int_equal(batch.packets[0].n, 64);
    assert_int_equal(l.reader.odd, sizeof sizes / sizeof *sizes);
    assert_int_equal(l.reader.packets, 1);
    close_link(&l);
}

static void receiver_when_it_is_too_slow_then_the_systems_losses_are_counted(void **s)
{
    uint8_t bytes[1000] = { 0 };
    const tl_span packet = tl_span_of(bytes, sizeof bytes);
    const int small = 4096;
    size_t got = 0;
    link_ends l;

    (void)s;
    open_link(&l, 1000, 64);
    assert_int_equal(setsockopt(l.in, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    for (int i = 0; i < 200; i++)
        write_all(&l, &packet, 1);
    for (tl_link_batch batch = read_some(&l, 0, ROOM); batch.n > 0; batch = read_some(&l, 0, ROOM))
        got += batch.n;
    write_all(&l, &packet, 1);
    got += read_some(&l, SOON_MS, ROOM).n;
    assert_true(got < 201);
    assert_int_equal(got + l.reader.dropped, 201);
    close_link(&l);
}

static void sender_when_nobody_listens_then_it_goes_on_and_counts(void **s)
{
    uint8_t bytes[16] = { 0 };
    const tl_span packets[2] = { tl_span_of(bytes, 16), tl_span_of(bytes, 16) };
    link_ends l;

    (void)s;
    open_link(&l, 64, 4);
    close(l.in);
    for (int i = 0; i < 10; i++) {
        write_all(&l, packets, 2);
        usleep(1000);
    }
    assert_true(l.unheard > 0);
    close(l.out);
    free(l.memory);
}

static void read_when_nothing_comes_then_quiet_and_in_the_end_a_fault(void **s)
{
    tl_buffer packets[4];
    tl_link_batch batch = { .packets = packets, .room = 4 };
    uint64_t before = tl_clock_ms();
    link_ends l;

    (void)s;
    open_link(&l, 64, 4);
    assert_int_equal(read_some(&l, 50, ROOM).state, TL_LINK_QUIET);
    assert_true(tl_clock_ms() - before >= 50);
    l.reader.heard_ms -= TL_LINK_PATIENCE_MS;
    assert_int_equal(tl_udp_read(&l.reader, TL_NEVER, &batch, &l.fault), TL_EXIT_LINK);
    assert_says(&l.fault, "time-out: nothing came");
    close_link(&l);
}

static void reader_when_its_memory_is_too_small_then_refused(void **s)
{
    static const size_t sizes[] = { 0, 3, TL_UDP_PACKET_MAX + 1, 100 };
    uint8_t bytes[100];
    tl_udp_reader reader;
    tl_fault fault;

    (void)s;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_int_equal(tl_udp_reader_open(&reader, 0, (tl_buffer){ bytes, sizeof bytes }, sizes[i], &fault),
                         TL_EXIT_USAGE);
    assert_int_equal(tl_udp_reader_open(&reader, 0, (tl_buffer){ bytes, sizeof bytes }, 99, &fault),
                     TL_EXIT_OK);
    assert_int_equal(reader.slots, 1);
}

static void address_when_nobody_can_bind_it_then_named(void **s)
{
    tl_address address;
    tl_net_name name;
    tl_fault fault;
    int a, b;

    (void)s;
    assert_int_equal(tl_address_parse("127.0.0.1:0", &address, &fault), TL_EXIT_OK);
    assert_int_equal(tl_udp_open_receiver(&address, 0, &a, &name, &fault), TL_EXIT_OK);
    assert_int_equal(tl_address_parse(name.text, &address, &fault), TL_EXIT_OK);
    assert_int_equal(tl_udp_open_receiver(&address, 0, &b, &name, &fault), TL_EXIT_LINK);
    assert_says(&fault, "udp: 127.0.0.1:");
    assert_int_equal(b, -1);
    close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_when_sent_then_they_come_whole_whatever_their_size),
        cmocka_unit_test(packets_when_more_than_a_call_takes_then_all_in_order),
        cmocka_unit_test(packet_when_no_datagram_holds_it_then_named_and_nothing_is_sent),
        cmocka_unit_test(datagram_when_it_is_no_packet_then_counted_and_the_next_one_comes),
        cmocka_unit_test(receiver_when_it_is_too_slow_then_the_systems_losses_are_counted),
        cmocka_unit_test(sender_when_nobody_listens_then_it_goes_on_and_counts),
        cmocka_unit_test(read_when_nothing_comes_then_quiet_and_in_the_end_a_fault),
        cmocka_unit_test(reader_when_its_memory_is_too_small_then_refused),
        cmocka_unit_test(address_when_nobody_can_bind_it_then_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
