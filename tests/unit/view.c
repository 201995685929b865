/* What the live view is made of: which requests are answered, the board under a writer that never stops, lines as they are
 * marked, pictures, and the socket between buttons and attacker. */
#define _DEFAULT_SOURCE /* mincore */
#include "testing.h"

#include "clock.h"
#include "stop.h"
#include "view.h"
#include "view_attacks.h"
#include "view_http.h"
#include "view_json.h"
#include "view_png.h"

#include <trueline/csi2.h>

#include <png.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- requests ---- */

static void host_when_it_is_this_machine_then_own(void **state)
{
    static const char *const own[] = { "localhost",       "LocalHost:1", "127.0.0.1", "127.0.0.1:0",
                                       "127.0.0.1:65535", "[::1]",       "[::1]:8080" };

    (void)state;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        assert_true(view_http_host_is_own(own[i]));
}

static void host_when_it_is_anything_else_then_not_own(void **state)
{
    static const char *const others[] = {
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.10",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:1e1",
        "127.0.0.1:-1",
        "127.0.0.1:80 ",
        " 127.0.0.1",
        "user@127.0.0.1",
        "127.0.0.1@evil",
        "::1",
        "[::1",
        "[::1]x",
        "0.0.0.0",
        "127.1",
        "localhost:80:80",
        "localhos",
    };

    (void)state;
    assert_false(view_http_host_is_own(NULL));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(view_http_host_is_own(others[i]));
}

static void origin_when_not_the_pages_own_then_refused(void **state)
{
    (void)state;
    assert_true(view_http_origin_is_own("http://127.0.0.1:8080", "127.0.0.1:8080"));
    assert_false(view_http_origin_is_own(NULL, "127.0.0.1:8080"));
    assert_false(view_http_origin_is_own("null", "127.0.0.1:8080"));
    assert_false(view_http_origin_is_own("https://127.0.0.1:8080", "127.0.0.1:8080"));
    assert_false(view_http_origin_is_own("http://127.0.0.1:8081", "127.0.0.1:8080"));
    assert_false(view_http_origin_is_own("http://localhost:8080", "127.0.0.1:8080"));
    assert_false(view_http_origin_is_own("http://127.0.0.1:8080/", "127.0.0.1:8080"));
    assert_false(view_http_origin_is_own("http://evil.example", "evil.example"));
    assert_false(view_http_origin_is_own("http://127.0.0.1:8080", NULL));
}

static void number_when_not_digits_below_the_end_then_refused(void **state)
{
    static const char *const bad[] = { "",    "-1",  "+1", " 1",         "1 ",
                                       "0x1", "1e1", "10", "4294967296", "18446744073709551616" };
    size_t n;

    (void)state;
    assert_true(view_http_number("9", 10, &n));
    assert_int_equal(n, 9);
    assert_true(view_http_number("007", 10, &n));
    assert_false(view_http_number(NULL, 10, &n));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(view_http_number(bad[i], 10, &n));
}

static void address_when_not_this_machines_own_then_refused_by_name(void **state)
{
    static const char *const others[] = { "0.0.0.0:80", "192.0.2.1:80", "[::]:80", "example.org:80",
                                          "127.0.0.2:80" };
    tl_address address;
    tl_fault fault;

    (void)state;
    assert_int_equal(view_address("8080", &address, &fault), TL_EXIT_OK);
    assert_string_equal(address.host, "127.0.0.1");
    assert_string_equal(address.port, "8080");
    assert_int_equal(view_address("[::1]:0", &address, &fault), TL_EXIT_OK);
    assert_int_equal(view_address("localhost:1", &address, &fault), TL_EXIT_OK);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        char host[32];

        assert_int_equal(view_address(others[i], &address, &fault), TL_EXIT_USAGE);
        (void)snprintf(host, sizeof host, "%.*s", (int)strcspn(others[i], "]:"), others[i]);
        assert_non_null(strstr(fault.text, others[i][0] == '[' ? "::" : host));
    }
    assert_int_equal(view_address("123456", &address, &fault), TL_EXIT_USAGE);
    assert_int_equal(view_address("", &address, &fault), TL_EXIT_OK);
}

/* ---- the board ---- */

enum { HEIGHT = 16, LINE_BYTES = 96, PICTURES = 20000 };

static size_t resident_pages(const void *p, size_t n)
{
    unsigned char pages[64];
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = ((uintptr_t)p + page - 1) & ~(page - 1);
    size_t got = 0;

    assert_true(n / page <= sizeof pages);
    assert_int_equal(mincore((void *)first, n, pages), 0);
    for (size_t i = 0; i < n / page; i++)
        got += pages[i] & 1u;
    return got;
}

static void board_when_wiped_then_no_pixels_are_left_and_no_memory_is_taken_for_it(void **state)
{
    enum { N = 16 << 12 };
    view_board *board;
    tl_fault fault;

    (void)state;
    assert_int_equal(view_board_make(&board, &fault), TL_EXIT_OK);
    for (size_t i = 0; i < 2; i++) {
        view_slot *slot = view_board_begin(board, HEIGHT);

        assert_ptr_equal(slot, &board->slots[i]);
        memset(slot->pixels, 0xA5, N);
        if (i == 0) /* the other one is still being written */
            view_board_show(board, slot, VIEW_LIVE);
    }
    view_board_wipe(board, N);
    for (size_t i = 0; i < 2; i++)
        tl_assert_all(board->slots[i].pixels, 0, N);
    for (size_t i = 2; i < VIEW_SLOTS; i++)
        assert_int_equal(resident_pages(board->slots[i].pixels, N), 0);
    view_board_drop(board);
}

static void *write_always(void *ctx)
{
    view_board *board = ctx;

    for (uint32_t n = 1; n <= PICTURES; n++) {
        view_slot *slot = view_board_begin(board, HEIGHT);

        memset(slot->pixels, (int)(n & 0xFF), HEIGHT * LINE_BYTES);
        memset(slot->lines.have, (int)(n & 1), HEIGHT);
        slot->head.number = n;
        slot->head.frame = n;
        view_board_show(board, slot, n % 7 == 0 ? VIEW_REFUSED : VIEW_LIVE);
    }
    return NULL;
}

static void board_when_read_beside_a_writer_then_each_copy_is_of_one_picture(void **state)
{
    static uint8_t pixels[HEIGHT * LINE_BYTES];
    static view_copy copy = { .height = HEIGHT, .n = sizeof pixels, .pixels = pixels };
    view_board *board;
    pthread_t writer;
    tl_fault fault;
    uint64_t got = 0, last = 0;

    (void)state;
    assert_int_equal(view_board_make(&board, &fault), TL_EXIT_OK);
    assert_false(view_board_picture(board, VIEW_LIVE, &copy));
    assert_int_equal(pthread_create(&writer, NULL, write_always, board), 0);
    while (last < PICTURES - 10) {
        if (!view_board_picture(board, VIEW_LIVE, &copy))
            continue;
        got++;
        assert_true(copy.head.number >= last);
        last = copy.head.number;
        assert_int_equal(copy.head.frame, copy.head.number);
        assert_int_equal(copy.lines.have[0], copy.head.number & 1);
        for (size_t i = 0; i < sizeof pixels; i++)
            assert_int_equal(pixels[i], copy.head.number & 0xFF);
    }
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_true(got > 0);
    assert_true(view_board_head(board, VIEW_REFUSED, &copy));
    assert_int_equal(copy.head.number % 7, 0);
    view_board_drop(board);
}

static void board_when_indices_cannot_be_then_nothing_is_read(void **state)
{
    static view_copy copy = { .height = HEIGHT };
    view_board *board;
    tl_fault fault;

    (void)state;
    assert_int_equal(view_board_make(&board, &fault), TL_EXIT_OK);
    view_board_show(board, view_board_begin(board, HEIGHT), VIEW_LIVE);
    assert_true(view_board_head(board, VIEW_LIVE, &copy));
    assert_false(view_board_head(board, VIEW_REFUSED, &copy));
    copy.height = VIEW_LINES_MAX + 1;
    assert_false(view_board_head(board, VIEW_LIVE, &copy));
    copy.height = HEIGHT;
    atomic_store(&board->newest[VIEW_LIVE], VIEW_SLOTS + 1);
    assert_false(view_board_head(board, VIEW_LIVE, &copy));
    atomic_store(&board->newest[VIEW_LIVE], 2); /* a slot that is being written for ever */
    board->slots[1].turn = 1;
    assert_false(view_board_head(board, VIEW_LIVE, &copy));
    view_board_drop(board);
}

/* ---- the receiver's side ---- */

static void told_line(view *v, uint32_t frame, uint16_t line, tl_verdict verdict)
{
    static uint8_t payload[LINE_BYTES];
    tl_stream_event e = { .kind = TL_EVENT_MESSAGE,
                          .verdict = verdict,
                          .data_type = TL_DT_RAW12,
                          .message = line,
                          .frame = frame };

    memset(payload, line + 1, sizeof payload);
    if (verdict == TL_VERDICT_OK)
        e.payload = tl_span_of(payload, sizeof payload);
    view_event(v, &e, (tl_span){ NULL, 0 });
}

static void told(view *v, tl_event_kind kind, uint32_t frame, tl_verdict verdict)
{
    const tl_stream_event e = {
        .kind = kind, .verdict = verdict, .cause = verdict, .frame = frame, .count = 1
    };

    view_event(v, &e, (tl_span){ NULL, 0 });
}

static void turn(view *v, uint64_t wait_ms)
{
    const ui_counts counts = { .frames_ok = 1 };
    const tl_stream_counters counters = { .packets = 9 };

    bool ready;
    tl_fault fault;

    assert_int_equal(tl_wait(-1, 0, tl_clock_ms() + wait_ms, &ready, &fault), TL_EXIT_OK);
    view_turn(v, &counts, &counters);
}

static void view_of_raw12(view *v)
{
    stream_file file;
    tl_fault fault;

    assert_int_equal(view_open(v, &(view_options){ .at = "0" }, &fault), TL_EXIT_OK);
    stream_file_init(&file);
    file.width = 64;
    file.height = HEIGHT;
    assert_int_equal(stream_file_build(&file, "test", &fault), TL_EXIT_OK);
    file.config.release = TL_RELEASE_LINE;
    view_stream(v, &file);
}

static void view_when_a_frame_takes_long_then_it_is_shown_as_far_as_it_came(void **state)
{
    static view v;
    static uint8_t pixels[HEIGHT * LINE_BYTES];
    static view_copy copy = { .height = HEIGHT, .n = sizeof pixels, .pixels = pixels };

    (void)state;
    view_of_raw12(&v);
    told(&v, TL_EVENT_OPENED, 1, TL_VERDICT_OK);
    for (uint16_t line = 0; line < 4; line++)
        told_line(&v, 1, line, TL_VERDICT_OK);
    turn(&v, 300);
    assert_true(view_board_picture(v.board, VIEW_LIVE, &copy));
    assert_true(copy.head.coming);
    assert_int_equal(copy.lines.have[3], 1);
    assert_int_equal(copy.lines.have[4], 0);
    assert_int_equal(pixels[3 * LINE_BYTES], 4);
    told(&v, TL_EVENT_LOST, 7, TL_VERDICT_GAP); /* takes nothing from the open frame */
    for (uint16_t line = 4; line < HEIGHT; line++)
        told_line(&v, 1, line, TL_VERDICT_OK);
    assert_true(view_board_head(v.board, VIEW_LIVE, &copy));
    assert_int_equal(copy.lines.have[4], 0); /* what is on show does not change */
    assert_true(view_board_head(v.board, VIEW_REFUSED, &copy));
    assert_int_equal(copy.head.lost, 1);
    turn(&v, 70);
    told(&v, TL_EVENT_FRAME, 1, TL_VERDICT_OK);
    assert_true(view_board_picture(v.board, VIEW_LIVE, &copy));
    assert_false(copy.head.coming);
    for (size_t line = 0; line < HEIGHT; line++) {
        assert_int_equal(copy.lines.have[line], 1);
        assert_int_equal(pixels[line * LINE_BYTES], line + 1);
    }
    view_close(&v);
}

static void view_when_flooded_then_like_events_are_one_and_pictures_are_dropped(void **state)
{
    static view_copy copy = { .height = HEIGHT };
    static view v;
    static view_facts facts;

    (void)state;
    view_of_raw12(&v);
    for (uint32_t frame = 1; frame <= 1000; frame++) {
        told(&v, TL_EVENT_OPENED, frame, TL_VERDICT_OK);
        for (uint16_t line = 0; line < 5; line++)
            told_line(&v, frame, line, TL_VERDICT_TAG);
        told(&v, TL_EVENT_FRAME, frame, TL_VERDICT_TAG);
    }
    assert_true(v.pictures < 500);
    turn(&v, 50);
    assert_true(view_board_facts(v.board, &facts));
    assert_int_equal(facts.events_n, 2000);
    assert_int_equal(facts.events[1999 % VIEW_EVENTS].times, 5);
    assert_int_equal(facts.events[1999 % VIEW_EVENTS].last_message, 4);
    assert_true(view_board_head(v.board, VIEW_REFUSED, &copy));
    assert_int_equal(copy.lines.claim[4], TL_VERDICT_TAG);
    assert_int_equal(copy.lines.claim[5], 0);
    view_close(&v);
    view_close(&v); /* again does nothing */
}

static void view_when_a_frame_has_ended_then_like_events_are_two(void **state)
{
    static view v;
    static view_facts facts;

    (void)state;
    view_of_raw12(&v);
    told_line(&v, 1, 3, TL_VERDICT_REPEAT);
    told_line(&v, 1, 4, TL_VERDICT_REPEAT);
    told(&v, TL_EVENT_FRAME, 9, TL_VERDICT_OK);
    told_line(&v, 1, 3, TL_VERDICT_REPEAT);
    turn(&v, 50);
    assert_true(view_board_facts(v.board, &facts));
    assert_int_equal(facts.events_n, 2);
    assert_int_equal(facts.events[1].times, 2);
    assert_int_equal(facts.events[2].times, 1);
    view_close(&v);
}

static void view_when_there_is_none_then_nothing_happens(void **state)
{
    static view v;
    tl_fault fault;

    (void)state;
    assert_int_equal(view_open(&v, &(view_options){ 0 }, &fault), TL_EXIT_OK);
    told(&v, TL_EVENT_OPENED, 1, TL_VERDICT_OK);
    assert_false(view_wants_frame(&v));
    turn(&v, 0);
    view_close(&v);
}

/* ---- lines that are marked ---- */

static const char *mark_at(json_t *frame, size_t i, int *from, int *to)
{
    json_t *m = json_array_get(json_object_get(frame, "marks"), i);

    *from = (int)json_integer_value(json_object_get(m, "from"));
    *to = (int)json_integer_value(json_object_get(m, "to"));
    return m != NULL ? json_string_value(json_object_get(m, "verdict")) : "none";
}

static view_facts facts_of_raw12(void)
{
    return (view_facts){ .phase = VIEW_RECEIVING,
                         .width = 64,
                         .height = HEIGHT,
                         .bits = 12,
                         .step = 1,
                         .line_bytes = LINE_BYTES,
                         .pixel_type = TL_DT_RAW12 };
}

static void marks_when_lines_are_missing_or_refused_then_runs_say_which(void **state)
{
    static view_facts facts;
    static view_lines lines;
    view_head head = { .number = 1,
                       .verdict = TL_VERDICT_TAG,
                       .cause = TL_VERDICT_TAG,
                       .data_type = TL_DT_RAW12,
                       .message = 5,
                       .by_line = true };
    json_t *frame;
    int from, to;

    (void)state;
    facts = facts_of_raw12();
    memset(lines.have, 1, HEIGHT);
    lines.have[2] = lines.have[3] = lines.have[5] = 0;
    lines.claim[5] = lines.claim[6] = TL_VERDICT_TAG;
    lines.claim[7] = TL_VERDICT_REPEAT;
    frame = view_json_frame(&facts, &head, &lines);
    assert_string_equal(mark_at(frame, 0, &from, &to), "missing");
    assert_int_equal(from * 100 + to, 203);
    assert_string_equal(mark_at(frame, 1, &from, &to), "tag");
    assert_int_equal(from * 100 + to, 506);
    assert_string_equal(mark_at(frame, 2, &from, &to), "repeat");
    assert_int_equal(from * 100 + to, 707);
    assert_string_equal(mark_at(frame, 3, &from, &to), "none");
    assert_string_equal(json_string_value(json_object_get(frame, "place")), "RAW12 line 5");
    json_decref(frame);
}

/* By frames nothing is known of single lines but where the first cause stood. */
static void marks_when_released_by_frames_then_the_cause_alone(void **state)
{
    static view_facts facts;
    static view_lines lines;
    view_head head = { .number = 1,
                       .verdict = TL_VERDICT_GAP,
                       .cause = TL_VERDICT_GAP,
                       .data_type = TL_DT_RAW12,
                       .message = HEIGHT - 1 };
    json_t *frame;
    int from, to;

    (void)state;
    facts = facts_of_raw12();
    frame = view_json_frame(&facts, &head, &lines);
    assert_string_equal(mark_at(frame, 0, &from, &to), "gap");
    assert_int_equal(from, HEIGHT - 1);
    assert_string_equal(mark_at(frame, 1, &from, &to), "none");
    json_decref(frame);
    head.data_type = TL_DT_EMBEDDED; /* a line in front of the pixels has no place in the picture */
    frame = view_json_frame(&facts, &head, &lines);
    assert_string_equal(mark_at(frame, 0, &from, &to), "none");
    json_decref(frame);
}

static void marks_when_there_are_too_many_then_the_rest_is_counted(void **state)
{
    static view_facts facts;
    static view_lines lines;
    view_head head = {
        .number = 1, .verdict = TL_VERDICT_TAG, .cause = TL_VERDICT_TAG, .data_type = TL_DT_EMBEDDED
    };
    json_t *frame;

    (void)state;
    facts = facts_of_raw12();
    facts.height = 1000;
    for (size_t i = 0; i < 1000; i += 2)
        lines.claim[i] = TL_VERDICT_TAG;
    frame = view_json_frame(&facts, &head, &lines);
    assert_int_equal(json_array_size(json_object_get(frame, "marks")), 64);
    assert_int_equal(json_integer_value(json_object_get(frame, "marks_left")), 500 - 64);
    json_decref(frame);
}

/* ---- pictures ---- */

static void picture_when_a_line_is_missing_then_it_is_clear_there(void **state)
{
    static view_lines lines;
    static uint8_t pixels[HEIGHT * LINE_BYTES], rgba[32 * HEIGHT / 2 * 4];
    uint16_t row[64];
    view_facts *facts = malloc(sizeof *facts);
    png_image image = { .version = PNG_IMAGE_VERSION };
    uint8_t *png;
    size_t n;

    (void)state;
    assert_non_null(facts);
    *facts = facts_of_raw12();
    for (size_t y = 0; y < HEIGHT; y++) {
        for (size_t x = 0; x < 64; x++)
            row[x] = (uint16_t)((y % 2 == 0 ? (x % 2 == 0 ? 0x10 : 0x80) : (x % 2 == 0 ? 0x80 : 0xF0)) << 4);
        tl_assert_ok(tl_raw_pack(12, row, 64, pixels + y * LINE_BYTES));
        lines.have[y] = y != 7;
    }
    assert_true(view_png_make(facts, &lines, pixels, &png, &n));
    assert_true(png_image_begin_read_from_memory(&image, png, n) != 0);
    assert_int_equal(image.width, 32);
    assert_int_equal(image.height, HEIGHT / 2);
    image.format = PNG_FORMAT_RGBA;
    assert_true(png_image_finish_read(&image, NULL, rgba, 0, NULL) != 0);
    assert_int_equal(rgba[0], 0x10);
    assert_int_equal(rgba[1], 0x80);
    assert_int_equal(rgba[2], 0xF0);
    for (size_t y = 0; y < HEIGHT / 2; y++)
        assert_int_equal(rgba[(y * 32 + 5) * 4 + 3], y == 3 ? 0 : 255);
    free(png);
    free(facts);
}

/* ---- buttons ---- */

static int dial_raw(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void buttons_when_pressed_then_rows_come_and_answers_go_back(void **state)
{
    char path[64];
    view_attacks a;
    tl_fault fault;
    size_t row;
    uint32_t frame;
    int fd;

    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/trueline-view-%d", (int)getpid());
    assert_int_equal(view_attacks_dial(path), -1);
    assert_int_equal(view_attacks_open(&a, path, &fault), TL_EXIT_OK);
    fd = view_attacks_dial(path);
    assert_true(fd >= 0);
    assert_null(view_attacks_next(&a));
    assert_false(view_attacks_ask(fd, tl_attack_count));
    assert_true(view_attacks_ask(fd, 3));
    assert_ptr_equal(view_attacks_next(&a), &tl_attacks[3]);
    assert_null(view_attacks_next(&a));
    assert_int_equal(view_attacks_answer(fd, &row, &frame), 0);
    view_attacks_done(&a, &tl_attacks[3], 77);
    assert_int_equal(view_attacks_answer(fd, &row, &frame), 1);
    assert_int_equal(row, 3);
    assert_int_equal(frame, 77);
    view_attacks_close(&a);
    assert_int_equal(view_attacks_answer(fd, &row, &frame), -1);
    assert_false(view_attacks_ask(fd, 3));
    close(fd);
    assert_int_equal(access(path, F_OK), -1);
}

static void buttons_when_the_other_end_says_what_cannot_be_then_it_is_let_go(void **state)
{
    static const struct {
        uint32_t bytes[3];
        size_t n;
    } bad[] = { { { UINT32_MAX }, 4 }, { { 1 }, 3 }, { { 1, 2, 3 }, 12 }, { { 0 }, 1 } };
    char path[64];
    view_attacks a;
    tl_fault fault;

    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/trueline-view-%d", (int)getpid());
    assert_int_equal(view_attacks_open(&a, path, &fault), TL_EXIT_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int fd = dial_raw(path);

        assert_null(view_attacks_next(&a));
        assert_int_equal(send(fd, bad[i].bytes, bad[i].n, 0), (ssize_t)bad[i].n);
        assert_null(view_attacks_next(&a));
        assert_int_equal(send(fd, bad[i].bytes, 4, MSG_NOSIGNAL), -1);
        close(fd);
    }
    assert_int_equal(view_attacks_open(&(view_attacks){ 0 }, path, &fault), TL_EXIT_INTERNAL);
    view_attacks_close(&a);
}

/* Green is for what a tag has proven. */
static void stream_when_its_pixels_are_under_no_tag_then_not_called_proven(void **state)
{
    static const struct {
        tl_suite suite;
        tl_variant middle;
        const char *proven;
    } rows[] = {
        { TL_SUITE_AES128_GMAC, TL_SV_1, "all" },     { TL_SUITE_AES128_GMAC, TL_SV_2, "all" },
        { TL_SUITE_AES128_GMAC, TL_SV_3, "part" },    { TL_SUITE_AES128_GMAC, TL_SV_4, "part" },
        { TL_SUITE_AES128_GMAC, TL_SV_5, "nothing" }, { TL_SUITE_NONE, TL_SV_2, "nothing" },
    };
    static view_facts facts;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *o;

        facts = (view_facts){ .phase = VIEW_RECEIVING, .width = 16, .height = 2, .suite = rows[i].suite };
        facts.variants[0] = facts.variants[2] = TL_SV_2;
        facts.variants[1] = rows[i].middle;
        o = view_json_facts(&facts);
        assert_string_equal(json_string_value(json_object_get(json_object_get(o, "stream"), "proven")),
                            rows[i].proven);
        json_decref(o);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_when_it_is_this_machine_then_own),
        cmocka_unit_test(host_when_it_is_anything_else_then_not_own),
        cmocka_unit_test(origin_when_not_the_pages_own_then_refused),
        cmocka_unit_test(number_when_not_digits_below_the_end_then_refused),
        cmocka_unit_test(address_when_not_this_machines_own_then_refused_by_name),
        cmocka_unit_test(board_when_read_beside_a_writer_then_each_copy_is_of_one_picture),
        cmocka_unit_test(board_when_wiped_then_no_pixels_are_left_and_no_memory_is_taken_for_it),
        cmocka_unit_test(board_when_indices_cannot_be_then_nothing_is_read),
        cmocka_unit_test(view_when_a_frame_takes_long_then_it_is_shown_as_far_as_it_came),
        cmocka_unit_test(view_when_flooded_then_like_events_are_one_and_pictures_are_dropped),
        cmocka_unit_test(view_when_a_frame_has_ended_then_like_events_are_two),
        cmocka_unit_test(view_when_there_is_none_then_nothing_happens),
        cmocka_unit_test(marks_when_lines_are_missing_or_refused_then_runs_say_which),
        cmocka_unit_test(marks_when_released_by_frames_then_the_cause_alone),
        cmocka_unit_test(marks_when_there_are_too_many_then_the_rest_is_counted),
        cmocka_unit_test(picture_when_a_line_is_missing_then_it_is_clear_there),
        cmocka_unit_test(buttons_when_pressed_then_rows_come_and_answers_go_back),
        cmocka_unit_test(buttons_when_the_other_end_says_what_cannot_be_then_it_is_let_go),
        cmocka_unit_test(stream_when_its_pixels_are_under_no_tag_then_not_called_proven),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
