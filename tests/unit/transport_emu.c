/* The emulators' framing over a socket pair: the bytes of each command, greeting and farewell, and a peer that sends
 * garbage, another transport, too much, a part, or nothing. */
#include "testing.h"

#include "clock.h"
#include "emu_link.h"
#include "stop.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct pair {
    int near, far; /* the link's end, the test's end */
    tl_emu_link link;
    tl_emu_heard heard;
    tl_fault fault;
} pair;

static int set_up(void **s)
{
    static pair p;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    p.near = fds[0];
    p.far = fds[1];
    p.fault = (tl_fault){ 0 };
    tl_emu_link_init(&p.link, p.near, TL_EMU_MCTP);
    *s = &p;
    return 0;
}

static int tear_down(void **s)
{
    pair *p = *s;

    tl_emu_link_wipe(&p->link);
    tl_assert_all(p->link.in, 0, sizeof p->link.in);
    tl_assert_all(p->link.out, 0, sizeof p->link.out);
    close(p->near);
    if (p->far >= 0)
        close(p->far);
    return 0;
}

static void feed(const pair *p, const char *text)
{
    uint8_t bytes[64];
    size_t n = tl_hex(text, bytes, sizeof bytes);

    assert_int_equal(write(p->far, bytes, n), (ssize_t)n);
}

static void assert_sent(const pair *p, const char *text)
{
    uint8_t want[64], got[65];
    size_t n = tl_hex(text, want, sizeof want);

    assert_int_equal(read(p->far, got, sizeof got), (ssize_t)n);
    assert_memory_equal(got, want, n);
}

static tl_exit take(pair *p)
{
    return tl_emu_receive(&p->link, tl_clock_ms() + 20, &p->heard, &p->fault);
}

static void assert_fault(const pair *p, const char *part)
{
    assert_int_equal(p->fault.code, TL_EXIT_LINK);
    if (strstr(p->fault.text, part) == NULL)
        fail_msg("'%s' does not say '%s'", p->fault.text, part);
}

static void assert_refused(pair *p, const char *bytes, const char *part)
{
    feed(p, bytes);
    assert_int_equal(take(p), TL_EXIT_LINK);
    assert_fault(p, part);
    assert_false(p->heard.came);
    assert_null(p->heard.frame.p);
}

static void send_when_a_message_goes_then_three_words_stand_before_it(void **s)
{
    static const struct {
        tl_emu_transport transport;
        const char *bytes;
    } all[] = {
        { TL_EMU_NONE, "00000001 00000000 00000003 051084" },
        { TL_EMU_MCTP, "00000001 00000001 00000003 051084" },
        { TL_EMU_PCI_DOE, "00000001 00000002 00000003 051084" },
        { TL_EMU_TCP, "00000001 00000003 00000003 051084" },
    };
    static const uint8_t payload[] = { 0x05, 0x10, 0x84 };
    pair *p = *s;

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        p->link.transport = all[i].transport;
        assert_int_equal(tl_emu_send(&p->link, TL_EMU_NORMAL, tl_span_of(payload, 3), &p->fault), TL_EXIT_OK);
        assert_sent(p, all[i].bytes);
    }
    assert_int_equal(p->link.frames_sent, 4);
    assert_int_equal(p->link.bytes_sent, 60);
}

static void send_when_the_payload_stands_in_the_links_buffer_then_it_goes_from_there(void **s)
{
    pair *p = *s;

    p->link.out[TL_EMU_HEAD] = 0x77;
    assert_int_equal(
        tl_emu_send(&p->link, TL_EMU_NORMAL, tl_span_of(p->link.out + TL_EMU_HEAD, 1), &p->fault),
        TL_EXIT_OK);
    assert_sent(p, "00000001 00000001 00000001 77");
}

static void receive_when_a_frame_comes_in_pieces_then_it_is_whole(void **s)
{
    pair *p = *s;

    feed(p, "00000001 00000001 00000003 05");
    feed(p, "1084 0000fffe 00000001 00000000");
    assert_int_equal(take(p), TL_EXIT_OK);
    assert_true(p->heard.came);
    assert_int_equal(p->heard.frame.command, TL_EMU_NORMAL);
    assert_int_equal(p->heard.frame.n, 3);
    assert_memory_equal(p->heard.frame.p, "\x05\x10\x84", 3);
    assert_int_equal(take(p), TL_EXIT_OK);
    assert_int_equal(p->heard.frame.command, TL_EMU_SHUTDOWN);
    assert_int_equal(p->heard.frame.n, 0);
    assert_int_equal(p->link.frames_received, 2);
    assert_int_equal(p->link.bytes_received, 27);
}

static void receive_when_nothing_comes_then_quiet_and_when_closed_then_said(void **s)
{
    pair *p = *s;

    assert_int_equal(take(p), TL_EXIT_OK);
    assert_false(p->heard.came);
    assert_false(p->heard.closed);
    close(p->far);
    p->far = -1;
    assert_int_equal(take(p), TL_EXIT_OK);
    assert_false(p->heard.came);
    assert_true(p->heard.closed);
}

static void receive_when_the_frame_is_cut_then_named(void **s)
{
    pair *p = *s;

    feed(p, "00000001 00000001 00000003 0510");
    close(p->far);
    p->far = -1;
    assert_int_equal(take(p), TL_EXIT_LINK);
    assert_fault(p, "closed the connection after 2 of 3");
    assert_false(p->heard.came);
}

static void receive_when_the_header_is_cut_then_named(void **s)
{
    pair *p = *s;

    feed(p, "00000001 00");
    close(p->far);
    p->far = -1;
    assert_int_equal(take(p), TL_EXIT_LINK);
    assert_fault(p, "after 5 of 12");
}

static void receive_when_the_command_is_unknown_then_garbage(void **s)
{
    pair *p = *s;

    assert_refused(p, "00000002 00000001 00000000", "0x00000002 is no command");
}

static void receive_when_it_is_no_emulator_then_garbage(void **s)
{
    pair *p = *s;

    assert_refused(p, "474554202f20485454502f31", "0x47455420 is no command");
}

static void receive_when_the_transport_is_another_then_both_are_named(void **s)
{
    pair *p = *s;

    assert_refused(p, "00000001 00000003 00000000", "the peer's transport is tcp (3), ours is mctp");
}

static void receive_when_the_transport_is_none_at_all_then_named(void **s)
{
    pair *p = *s;

    assert_refused(p, "00000001 00000009 00000000", "the peer's transport is unknown (9)");
}

static void receive_when_the_payload_is_one_too_long_then_refused(void **s)
{
    pair *p = *s;

    assert_refused(p, "00000001 00000001 00010005", "a payload of 65541 bytes, at most 65540");
}

static void receive_when_the_length_is_the_largest_then_refused(void **s)
{
    pair *p = *s;

    assert_refused(p, "00000001 00000001 ffffffff", "a payload of 4294967295 bytes");
}

static void greet_when_the_peer_answers_then_both_hellos_are_right(void **s)
{
    pair *p = *s;

    feed(p, "0000dead 00000001 0000000e 536572766572 2048656c6c6f2100");
    assert_int_equal(tl_emu_greet(&p->link, &p->fault), TL_EXIT_OK);
    assert_sent(p, "0000dead 00000001 0000000e 436c69656e74 2048656c6c6f2100");
}

static void greet_when_the_peer_says_something_else_then_refused(void **s)
{
    pair *p = *s;

    feed(p, "0000ffff 00000001 00000000");
    assert_int_equal(tl_emu_greet(&p->link, &p->fault), TL_EXIT_LINK);
    assert_fault(p, "0xdead is answered by 0xffff");
}

static void leave_when_the_peer_echoes_then_right_and_when_it_closes_then_refused(void **s)
{
    pair *p = *s;

    feed(p, "0000fffd 00000001 00000000");
    assert_int_equal(tl_emu_leave(&p->link, TL_EMU_CONTINUE, &p->fault), TL_EXIT_OK);
    assert_sent(p, "0000fffd 00000001 00000000");
    assert_int_equal(shutdown(p->far, SHUT_WR), 0);
    assert_int_equal(tl_emu_leave(&p->link, TL_EMU_SHUTDOWN, &p->fault), TL_EXIT_LINK);
    assert_fault(p, "0xfffe: the peer closed");
    assert_sent(p, "0000fffe 00000001 00000000");
}

static void answer_when_a_command_comes_then_the_one_that_fits_goes(void **s)
{
    static const struct {
        tl_emu_command command;
        const char *bytes;
    } all[] = {
        { TL_EMU_TEST, "0000dead 00000001 0000000e 536572766572 2048656c6c6f2100" },
        { TL_EMU_SHUTDOWN, "0000fffe 00000001 00000000" },
        { TL_EMU_CONTINUE, "0000fffd 00000001 00000000" },
        { TL_EMU_KEY_UPDATE, "0000ffff 00000001 00000000" },
        { TL_EMU_ENDPOINT_INFO, "0000ffff 00000001 00000000" },
        { TL_EMU_UNKNOWN, "0000ffff 00000001 00000000" },
    };
    pair *p = *s;

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        tl_emu_frame f = { .command = all[i].command };

        assert_int_equal(tl_emu_answer(&p->link, &f, &p->fault), TL_EXIT_OK);
        assert_sent(p, all[i].bytes);
    }
}

static void answer_when_it_is_a_message_then_refused_and_nothing_goes(void **s)
{
    pair *p = *s;
    tl_emu_frame f = { .command = TL_EMU_NORMAL };
    uint8_t byte;

    assert_int_equal(tl_emu_answer(&p->link, &f, &p->fault), TL_EXIT_INTERNAL);
    assert_int_equal(read(p->far, &byte, 1), -1);
}

static void send_when_the_payload_is_too_long_then_refused(void **s)
{
    static uint8_t large[TL_EMU_PAYLOAD_MAX + 1];
    pair *p = *s;

    assert_int_equal(tl_emu_send(&p->link, TL_EMU_NORMAL, tl_span_of(large, sizeof large), &p->fault),
                     TL_EXIT_INTERNAL);
}

int main(void)
{
    tl_fault fault;
    const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        CASE(send_when_a_message_goes_then_three_words_stand_before_it),
        CASE(send_when_the_payload_stands_in_the_links_buffer_then_it_goes_from_there),
        CASE(receive_when_a_frame_comes_in_pieces_then_it_is_whole),
        CASE(receive_when_nothing_comes_then_quiet_and_when_closed_then_said),
        CASE(receive_when_the_frame_is_cut_then_named),
        CASE(receive_when_the_header_is_cut_then_named),
        CASE(receive_when_the_command_is_unknown_then_garbage),
        CASE(receive_when_it_is_no_emulator_then_garbage),
        CASE(receive_when_the_transport_is_another_then_both_are_named),
        CASE(receive_when_the_transport_is_none_at_all_then_named),
        CASE(receive_when_the_payload_is_one_too_long_then_refused),
        CASE(receive_when_the_length_is_the_largest_then_refused),
        CASE(greet_when_the_peer_answers_then_both_hellos_are_right),
        CASE(greet_when_the_peer_says_something_else_then_refused),
        CASE(leave_when_the_peer_echoes_then_right_and_when_it_closes_then_refused),
        CASE(answer_when_a_command_comes_then_the_one_that_fits_goes),
        CASE(answer_when_it_is_a_message_then_refused_and_nothing_goes),
        CASE(send_when_the_payload_is_too_long_then_refused),
#undef CASE
    };

    if (tl_stop_install(&fault) != TL_EXIT_OK)
        return TL_EXIT_INTERNAL;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
