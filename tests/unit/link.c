/* The packet link over a socket pair: framing in pieces and in bulk, the bounds of a length, a cut, the receiver's one
 * word, and a writer whose peer does not read. */
#include "testing.h"

#include "clock.h"
#include "link.h"
#include "stop.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct pair {
    int near, far; /* the reader's end, the test's end */
    tl_link_reader link;
    tl_fault fault;
} pair;

static int set_up(void **s)
{
    static pair p;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    p = (pair){ .near = fds[0], .far = fds[1] };
    assert_int_equal(tl_link_reader_open(&p.link, p.near, &p.fault), TL_EXIT_OK);
    *s = &p;
    return 0;
}

static int tear_down(void **s)
{
    pair *p = *s;

    tl_link_reader_close(&p->link);
    close(p->near);
    if (p->far >= 0)
        close(p->far);
    return 0;
}

static void feed(const pair *p, const void *bytes, size_t n)
{
    assert_int_equal(write(p->far, bytes, n), (ssize_t)n);
}

static tl_exit take_by(pair *p, uint64_t deadline_ms, tl_buffer *packets, size_t room, size_t *n,
                       tl_link_state *state)
{
    tl_link_batch batch = { .packets = packets, .room = room };
    tl_exit e = tl_link_read(&p->link, deadline_ms, &batch, &p->fault);

    *n = batch.n;
    *state = batch.state;
    return e;
}

static tl_exit take(pair *p, tl_buffer *packets, size_t room, size_t *n, tl_link_state *state)
{
    return take_by(p, tl_clock_ms() + 20, packets, room, n, state);
}

static void assert_fault(const pair *p, const char *part)
{
    if (strstr(p->fault.text, part) == NULL)
        fail_msg("'%s' does not say '%s'", p->fault.text, part);
}

static void read_when_packets_come_together_then_all_are_handed_out(void **s)
{
    pair *p = *s;
    tl_buffer packets[8];
    tl_link_state state;
    size_t n;

    feed(p, "\4\0\0\0abcd\5\0\0\0efghi\4\0\0\0jk", 23);
    assert_int_equal(take(p, packets, 8, &n, &state), TL_EXIT_OK);
    assert_int_equal(state, TL_LINK_PACKETS);
    assert_int_equal(n, 2);
    assert_int_equal(packets[0].n, 4);
    assert_memory_equal(packets[0].p, "abcd", 4);
    assert_int_equal(packets[1].n, 5);
    assert_memory_equal(packets[1].p, "efghi", 5);
    assert_int_equal(take(p, packets, 8, &n, &state), TL_EXIT_OK);
    assert_int_equal(state, TL_LINK_QUIET);
    assert_int_equal(n, 0);
    feed(p, "lm", 2);
    feed(p, "\4\0\0\0nopq", 8);
    assert_int_equal(take(p, packets, 8, &n, &state), TL_EXIT_OK);
    assert_int_equal(n, 2);
    assert_memory_equal(packets[0].p, "jklm", 4);
    assert_memory_equal(packets[1].p, "nopq", 4);
}

static void read_when_there_is_room_for_one_then_one_at_a_time_in_order(void **s)
{
    pair *p = *s;
    tl_buffer packet;
    tl_link_state state;
    size_t n;

    feed(p, "\4\0\0\0abcd\4\0\0\0efgh", 16);
    assert_int_equal(take(p, &packet, 1, &n, &state), TL_EXIT_OK);
    assert_int_equal(n, 1);
    assert_memory_equal(packet.p, "abcd", 4);
    assert_int_equal(take(p, &packet, 1, &n, &state), TL_EXIT_OK);
    assert_int_equal(n, 1);
    assert_memory_equal(packet.p, "efgh", 4);
}

static void read_when_every_byte_comes_alone_then_the_packet_is_whole(void **s)
{
    static const char bytes[] = "\6\0\0\0single";
    pair *p = *s;
    tl_buffer packet;
    tl_link_state state;
    size_t n;

    for (size_t i = 0; i < 9; i++) {
        feed(p, bytes + i, 1);
        assert_int_equal(take_by(p, 0, &packet, 1, &n, &state), TL_EXIT_OK);
        assert_int_equal(n, 0);
    }
    feed(p, bytes + 9, 1);
    assert_int_equal(take(p, &packet, 1, &n, &state), TL_EXIT_OK);
    assert_int_equal(n, 1);
    assert_memory_equal(packet.p, "single", 6);
}

static void read_when_a_length_is_out_of_bounds_then_named(void **s)
{
    static const uint8_t wrong[][4] = { { 0, 0, 0, 0 },
                                        { 3, 0, 0, 0 },
                                        { 6, 0, 1, 0 }, /* 65542: one more than the longest packet */
                                        { 0xFF, 0xFF, 0xFF, 0xFF },
                                        { 'G', 'E', 'T', ' ' } };
    pair *p = *s;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        tl_buffer packet;
        tl_link_state state;
        size_t n;

        feed(p, wrong[i], 4);
        assert_int_equal(take(p, &packet, 1, &n, &state), TL_EXIT_LINK);
        assert_int_equal(n, 0);
        assert_fault(p, "allowed are 4 to 65541");
        tl_link_reader_close(&p->link);
        assert_int_equal(tl_link_reader_open(&p->link, p->near, &p->fault), TL_EXIT_OK);
    }
}

static void read_when_a_wrong_length_follows_a_packet_then_the_packet_comes_first(void **s)
{
    pair *p = *s;
    tl_buffer packets[4];
    tl_link_state state;
    size_t n;

    feed(p, "\4\0\0\0abcd\1\0\0\0", 12);
    assert_int_equal(take(p, packets, 4, &n, &state), TL_EXIT_OK);
    assert_int_equal(n, 1);
    assert_int_equal(take(p, packets, 4, &n, &state), TL_EXIT_LINK);
}

static void read_when_the_longest_packets_come_then_they_pass(void **s)
{
    enum { COUNT = 40 };
    pair *p = *s;
    uint8_t *bytes = malloc(TL_LINK_PREFIX + TL_CSI2_PACKET_MAX);
    size_t n, at = 0, sent = 0, got = 0;

    assert_non_null(bytes);
    memcpy(bytes, "\5\0\1\0", 4);
    while (got < COUNT) {
        tl_buffer packets[64];
        tl_link_state state;
        ssize_t w;

        memset(bytes + 4, (int)sent, TL_CSI2_PACKET_MAX);
        w = sent < COUNT ? write(p->far, bytes + at, TL_LINK_PREFIX + TL_CSI2_PACKET_MAX - at) : 0;
        at += w > 0 ? (size_t)w : 0;
        if (at == TL_LINK_PREFIX + TL_CSI2_PACKET_MAX) {
            at = 0;
            sent++;
        }
        assert_int_equal(take_by(p, 0, packets, 64, &n, &state), TL_EXIT_OK);
        for (size_t i = 0; i < n; i++, got++) {
            assert_int_equal(packets[i].n, TL_CSI2_PACKET_MAX);
            tl_assert_all(packets[i].p, (uint8_t)got, packets[i].n);
        }
    }
    free(bytes);
}

static void read_when_the_peer_closes_between_packets_then_closed(void **s)
{
    pair *p = *s;
    tl_buffer packet;
    tl_link_state state;
    size_t n;

    feed(p, "\4\0\0\0abcd", 8);
    close(p->far);
    p->far = -1;
    assert_int_equal(take(p, &packet, 1, &n, &state), TL_EXIT_OK);
    assert_int_equal(n, 1);
    assert_int_equal(take(p, &packet, 1, &n, &state), TL_EXIT_OK);
    assert_int_equal(state, TL_LINK_CLOSED);
}

static void read_when_the_peer_closes_inside_a_packet_then_named(void **s)
{
    for (size_t cut = 1; cut < 8; cut++) {
        pair *p = *s;
        tl_buffer packet;
        tl_link_state state;
        size_t n;

        feed(p, "\4\0\0\0abcd", cut);
        close(p->far);
        p->far = -1;
        assert_int_equal(take(p, &packet, 1, &n, &state), TL_EXIT_LINK);
        assert_fault(p, "closed the connection inside it");
        tear_down(s);
        set_up(s);
    }
}

/* Time is not waited for: the reader's own clock marks are set back. */
static void read_when_nothing_comes_for_5_seconds_then_timeout(void **s)
{
    pair *p = *s;
    tl_buffer packet;
    tl_link_state state;
    size_t n;

    p->link.heard_ms -= TL_LINK_PATIENCE_MS;
    assert_int_equal(take(p, &packet, 1, &n, &state), TL_EXIT_LINK);
    assert_fault(p, "time-out: nothing came for 5 s");
}

static void read_when_a_packet_stays_incomplete_for_5_seconds_then_timeout_even_if_bytes_trickle(void **s)
{
    pair *p = *s;
    tl_buffer packet;
    tl_link_state state;
    size_t n;

    feed(p, "\4\0\0\0a", 5);
    assert_int_equal(take_by(p, 0, &packet, 1, &n, &state), TL_EXIT_OK);
    p->link.partial_ms -= TL_LINK_PATIENCE_MS;
    feed(p, "b", 1);
    assert_int_equal(take(p, &packet, 1, &n, &state), TL_EXIT_LINK);
    assert_fault(p, "time-out: incomplete for 5 s, 5 bytes came");
}

static void write_when_packets_are_given_then_lengths_stand_before_them(void **s)
{
    pair *p = *s;
    tl_span packets[2] = { tl_span_of("abcd", 4), tl_span_of("efghij", 6) };
    uint8_t bytes[32];

    assert_int_equal(tl_link_write(p->far, packets, 2, &p->fault), TL_EXIT_OK);
    assert_int_equal(read(p->near, bytes, sizeof bytes), 18);
    assert_memory_equal(bytes, "\4\0\0\0abcd\6\0\0\0efghij", 18);
}

static void write_when_a_packet_is_out_of_bounds_then_refused_and_nothing_sent(void **s)
{
    pair *p = *s;
    tl_span packets[2] = { tl_span_of("abcd", 4), tl_span_of("efg", 3) };
    uint8_t byte;

    assert_int_equal(tl_link_write(p->far, packets, 2, &p->fault), TL_EXIT_INTERNAL);
    assert_int_equal(read(p->near, &byte, 1), -1);
    assert_int_equal(tl_link_write(p->far, packets, TL_LINK_GATHER + 1, &p->fault), TL_EXIT_INTERNAL);
}

static void write_when_the_peer_is_gone_then_named(void **s)
{
    pair *p = *s;
    tl_span packet = tl_span_of("abcd", 4);

    shutdown(p->near, SHUT_RDWR);
    assert_int_equal(tl_link_write(p->far, &packet, 1, &p->fault), TL_EXIT_LINK);
    assert_fault(p, "cannot send");
}

static void enough_when_nothing_was_said_then_not_yet(void **s)
{
    pair *p = *s;
    bool enough = true;

    assert_int_equal(tl_link_heard_enough(p->near, &enough, &p->fault), TL_EXIT_OK);
    assert_false(enough);
    feed(p, "\0\0", 2);
    assert_int_equal(tl_link_heard_enough(p->near, &enough, &p->fault), TL_EXIT_OK);
    assert_false(enough);
}

static void enough_when_it_was_said_then_heard_also_after_the_close(void **s)
{
    pair *p = *s;
    bool enough = false;

    assert_int_equal(tl_link_say_enough(p->far, &p->fault), TL_EXIT_OK);
    close(p->far);
    p->far = -1;
    assert_int_equal(tl_link_heard_enough(p->near, &enough, &p->fault), TL_EXIT_OK);
    assert_true(enough);
}

static void enough_when_something_else_was_said_or_the_peer_is_gone_then_named(void **s)
{
    pair *p = *s;
    bool enough = true;

    feed(p, "\0\0\0\0x", 5);
    assert_int_equal(tl_link_heard_enough(p->near, &enough, &p->fault), TL_EXIT_LINK);
    assert_fault(p, "garbage");
    assert_false(enough);
    tear_down(s);
    set_up(s);
    close(p->far);
    p->far = -1;
    assert_int_equal(tl_link_heard_enough(p->near, &enough, &p->fault), TL_EXIT_LINK);
    assert_fault(p, "is lost");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(read_when_packets_come_together_then_all_are_handed_out),
        CASE(read_when_there_is_room_for_one_then_one_at_a_time_in_order),
        CASE(read_when_every_byte_comes_alone_then_the_packet_is_whole),
        CASE(read_when_a_length_is_out_of_bounds_then_named),
        CASE(read_when_a_wrong_length_follows_a_packet_then_the_packet_comes_first),
        CASE(read_when_the_longest_packets_come_then_they_pass),
        CASE(read_when_the_peer_closes_between_packets_then_closed),
        CASE(read_when_the_peer_closes_inside_a_packet_then_named),
        CASE(read_when_nothing_comes_for_5_seconds_then_timeout),
        CASE(read_when_a_packet_stays_incomplete_for_5_seconds_then_timeout_even_if_bytes_trickle),
        CASE(write_when_packets_are_given_then_lengths_stand_before_them),
        CASE(write_when_a_packet_is_out_of_bounds_then_refused_and_nothing_sent),
        CASE(write_when_the_peer_is_gone_then_named),
        CASE(enough_when_nothing_was_said_then_not_yet),
        CASE(enough_when_it_was_said_then_heard_also_after_the_close),
        CASE(enough_when_something_else_was_said_or_the_peer_is_gone_then_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
