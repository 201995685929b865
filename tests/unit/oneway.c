/* Announcements of one-way streams: two ends come to the same keys without an answer; whoever has not the secret moves
 * nothing; old starts, old epochs and noted frames are refused across restarts where a state file is kept. */
#define _DEFAULT_SOURCE /* mkdtemp, usleep */
#include "by_openssl.h"
#include "one_backend.h"
#include "testing.h"

#include "oneway.h"

#include <trueline/openssl.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *watched_path; /* a file that may come while somebody syncs */
static unsigned folders_synced;  /* while it was there */

/* In place of the C library's: sees what is put on disk. */
int fsync(int fd)
{
    struct stat st;

    if (watched_path != NULL && access(watched_path, F_OK) == 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        folders_synced++;
    return (int)syscall(SYS_fsync, fd);
}

static stream_file make_file(uint32_t stream, uint8_t secret)
{
    stream_file f;
    tl_fault fault;

    stream_file_init(&f);
    f.stream = stream;
    memset(f.secret, secret, sizeof f.secret);
    assert_int_equal(stream_file_build(&f, "t", &fault), TL_EXIT_OK);
    return f;
}

static void assert_says(const tl_fault *fault, const char *part)
{
    if (strstr(fault->text, part) == NULL)
        fail_msg("'%s' does not say '%s'", fault->text, part);
}

/* A path that is free, in a folder of the test's own. */
typedef struct scratch {
    char folder[64], path[96];
} scratch;

static scratch scratch_make(void)
{
    scratch s;

    (void)snprintf(s.folder, sizeof s.folder, "/tmp/tl-oneway-XXXXXX");
    assert_non_null(mkdtemp(s.folder));
    (void)snprintf(s.path, sizeof s.path, "%s/state", s.folder);
    return s;
}

static void scratch_drop(const scratch *s)
{
    (void)unlink(s->path);
    assert_int_equal(rmdir(s->folder), 0); /* no temporary file is left */
}

static oneway_news news_of(oneway_receiver *r, const uint8_t *packet, tl_fault *fault)
{
    oneway_news news;

    assert_int_equal(oneway_receiver_packet(r, tl_span_of(packet, ONEWAY_PACKET_SIZE), &news, fault),
                     TL_EXIT_OK);
    return news;
}

static void open_sender(oneway_sender *s, const stream_file *f, const char *path)
{
    tl_fault fault;

    assert_int_equal(oneway_sender_open(s, f, crypto, path, &fault), TL_EXIT_OK);
}

static void open_receiver(oneway_receiver *r, const stream_file *f, const char *path)
{
    tl_fault fault;

    assert_int_equal(oneway_receiver_open(r, f, crypto, path, &fault), TL_EXIT_OK);
}

static void write_packet(const oneway_sender *s, uint32_t epoch, uint8_t *packet)
{
    tl_fault fault;

    assert_int_equal(oneway_sender_packet(s, epoch, 2, packet, &fault), TL_EXIT_OK);
}

static void both_ends_when_announced_then_the_keys_are_the_same(void **state)
{
    stream_file f = make_file(7, 0x11);
    oneway_sender s;
    oneway_receiver r;
    tl_key_source a, b;
    uint8_t packet[ONEWAY_PACKET_SIZE];
    tl_fault fault;

    (void)state;
    open_sender(&s, &f, NULL);
    open_receiver(&r, &f, NULL);
    assert_int_equal(oneway_receiver_source(&r, &b, &fault), TL_EXIT_INTERNAL); /* nothing came yet */
    write_packet(&s, 5, packet);
    assert_int_equal(news_of(&r, packet, &fault), ONEWAY_START);
    assert_int_equal(oneway_receiver_epoch(&r), 5);
    assert_int_equal(oneway_sender_source(&s, &a, &fault), TL_EXIT_OK);
    assert_int_equal(oneway_receiver_source(&r, &b, &fault), TL_EXIT_OK);
    assert_memory_equal(a.secret, b.secret, sizeof a.secret);
    assert_false(oneway_receiver_is_fresh(&r));
    assert_int_equal(news_of(&r, packet, &fault), ONEWAY_KNOWN);
    write_packet(&s, 6, packet);
    assert_int_equal(news_of(&r, packet, &fault), ONEWAY_EPOCH);
    assert_int_equal(oneway_receiver_epoch(&r), 6);
    tl_key_source_wipe(&a);
    tl_key_source_wipe(&b);
    oneway_sender_close(&s);
}

/* docs/IMAGE-PATH.md, "One-way links", by OpenSSL: what proves an announcement makes no key of the stream. */
static void proof_when_computed_once_more_then_under_a_key_of_its_own_label(void **state)
{
    static const uint8_t label[] = "trueline announcement\x07\x00\x01"; /* stream 7, to the controller */
    enum { PROVEN = TL_ANNOUNCEMENT_SIZE - TL_ANNOUNCEMENT_PROOF };
    stream_file f = make_file(7, 0x11);
    oneway_sender s;
    uint8_t packet[ONEWAY_PACKET_SIZE], salt[2 * TL_FRESH_SIZE] = { 0 }, key[32], proof[TL_HASH_MAX];
    tl_span body = tl_span_of(packet + TL_CSI2_HEADER_SIZE, PROVEN);

    (void)state;
    open_sender(&s, &f, NULL);
    write_packet(&s, 5, packet);
    memcpy(salt, s.fresh, TL_FRESH_SIZE);
    tl_by_openssl_hkdf(TL_HASH_SHA256, tl_span_of(salt, sizeof salt), tl_span_of(f.secret, sizeof f.secret),
                       tl_span_of(label, sizeof label - 1), key, sizeof key);
    tl_assert_ok(
        crypto->ops->hmac(crypto->ctx, TL_HASH_SHA256, tl_span_of(key, sizeof key), &body, 1, proof));
    assert_memory_equal(packet + TL_CSI2_HEADER_SIZE + PROVEN, proof, TL_ANNOUNCEMENT_PROOF);
    oneway_sender_close(&s);
}

static void two_starts_when_compared_then_no_key_in_common_and_the_later_one_is_higher(void **state)
{
    stream_file f = make_file(7, 0x11);
    oneway_sender s, t;
    tl_key_source a, b;
    tl_fault fault;

    (void)state;
    open_sender(&s, &f, NULL);
    usleep(10);
    open_sender(&t, &f, NULL);
    assert_true(t.start > s.start);
    assert_memory_not_equal(s.fresh + 8, t.fresh + 8, 24);
    assert_int_equal(oneway_sender_source(&s, &a, &fault), TL_EXIT_OK);
    assert_int_equal(oneway_sender_source(&t, &b, &fault), TL_EXIT_OK);
    assert_memory_not_equal(a.secret, b.secret, 32);
}

static void packet_when_any_bit_is_changed_then_nothing_moves(void **state)
{
    stream_file f = make_file(7, 0x11);
    oneway_sender s;
    oneway_receiver r;
    uint8_t packet[ONEWAY_PACKET_SIZE], bad[ONEWAY_PACKET_SIZE];
    tl_fault fault;

    (void)state;
    open_sender(&s, &f, NULL);
    open_receiver(&r, &f, NULL);
    write_packet(&s, 0, packet);
    for (unsigned bit = 8 * TL_CSI2_HEADER_SIZE; bit < 8 * (TL_CSI2_HEADER_SIZE + TL_ANNOUNCEMENT_SIZE);
         bit++) {
        oneway_news news;

        memcpy(bad, packet, sizeof bad);
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(news_of(&r, bad, &fault), ONEWAY_NONE); /* the checksum is wrong: for the stream */
        tl_assert_ok(tl_csi2_repair(bad, sizeof bad));
        news = news_of(&r, bad, &fault);
        assert_true(news == ONEWAY_REFUSED || news == ONEWAY_OTHER);
        assert_false(r.started);
    }
    assert_true(r.refused > 8 * 64);
    assert_int_equal(news_of(&r, packet, &fault), ONEWAY_START);
}

static void packet_when_from_another_secret_stream_or_configuration_then_refused_by_name(void **state)
{
    stream_file ours = make_file(7, 0x11), other = make_file(8, 0x11), secret = make_file(7, 0x12),
                wider = ours;
    oneway_sender s;
    oneway_receiver r;
    uint8_t packet[ONEWAY_PACKET_SIZE];
    tl_fault fault;

    (void)state;
    wider.width = 1920;
    assert_int_equal(stream_file_build(&wider, "t", &fault), TL_EXIT_OK);
    open_receiver(&r, &ours, NULL);
    open_sender(&s, &other, NULL);
    write_packet(&s, 0, packet);
    assert_int_equal(news_of(&r, packet, &fault), ONEWAY_OTHER);
    open_sender(&s, &secret, NULL);
    write_packet(&s, 0, packet);
    assert_int_equal(news_of(&r, packet, &fault), ONEWAY_REFUSED);
    assert_says(&fault, "not made with our stream file's secret");
    open_sender(&s, &wider, NULL);
    write_packet(&s, 0, packet);
    assert_int_equal(news_of(&r, packet, &fault), ONEWAY_REFUSED);
    assert_says(&fault, "another configuration");
    assert_false(r.started);
}

static void packet_when_it_is_none_then_it_is_left_to_the_stream(void **state)
{
    stream_file f = make_file(7, 0x11);
    oneway_sender s;
    oneway_receiver r;
    uint8_t packet[ONEWAY_PACKET_SIZE + 1] = { 0 };
    oneway_news news = ONEWAY_KNOWN;
    tl_fault fault;

    (void)state;
    open_sender(&s, &f, NULL);
    open_receiver(&r, &f, NULL);
    write_packet(&s, 0, packet);
    for (size_t n = 0; n <= sizeof packet; n++) {
        if (n == ONEWAY_PACKET_SIZE)
            continue;
        assert_int_equal(oneway_receiver_packet(&r, tl_span_of(packet, n), &news, &fault), TL_EXIT_OK);
        assert_int_equal(news, ONEWAY_NONE);
    }
    packet[0] = (uint8_t)((packet[0] & 0xC0) | TL_DT_RAW12);
    tl_assert_ok(tl_csi2_repair(packet, ONEWAY_PACKET_SIZE));
    assert_int_equal(news_of(&r, packet, &fault), ONEWAY_NONE);
    assert_false(r.started);
}

static void recording_when_played_again_to_a_running_receiver_then_refused(void **state)
{
    stream_file f = make_file(7, 0x11);
    oneway_sender s, t;
    oneway_receiver r;
    uint8_t old[ONEWAY_PACKET_SIZE], young[ONEWAY_PACKET_SIZE], later[ONEWAY_PACKET_SIZE];
    tl_fault fault;

    (void)state;
    open_receiver(&r, &f, NULL);
    open_sender(&s, &f, NULL);
    write_packet(&s, 0, old);
    usleep(10);
    open_sender(&t, &f, NULL);
    write_packet(&t, 0, young);
    write_packet(&t, 1, later);
    assert_int_equal(news_of(&r, old, &fault), ONEWAY_START);
    assert_int_equal(news_of(&r, young, &fault), ONEWAY_START);
    assert_int_equal(news_of(&r, old, &fault), ONEWAY_REFUSED);
    assert_says(&fault, "is not after");
    assert_int_equal(news_of(&r, later, &fault), ONEWAY_EPOCH);
    assert_int_equal(news_of(&r, young, &fault), ONEWAY_REFUSED);
    assert_says(&fault, "epoch 0 of this start is over, it is at 1");
    assert_int_equal(r.state.start, t.start);
}

static void recording_when_the_receiver_restarts_then_refused_only_with_a_state_file(void **state)
{
    const scratch d = scratch_make();
    stream_file f = make_file(7, 0x11);
    oneway_sender s, t;
    oneway_receiver r;
    uint8_t old[ONEWAY_PACKET_SIZE], young[ONEWAY_PACKET_SIZE], later[ONEWAY_PACKET_SIZE];
    tl_fault fault;

    (void)state;
    open_sender(&s, &f, NULL);
    write_packet(&s, 0, old);
    usleep(10);
    open_sender(&t, &f, NULL);
    write_packet(&t, 0, young);
    write_packet(&t, 1, later);
    open_receiver(&r, &f, d.path);
    assert_true(oneway_receiver_is_fresh(&r));
    assert_int_equal(news_of(&r, later, &fault), ONEWAY_START);

    open_receiver(&r, &f, d.path);
    assert_int_equal(news_of(&r, old, &fault), ONEWAY_REFUSED);
    assert_int_equal(news_of(&r, young, &fault), ONEWAY_REFUSED); /* an epoch that is over */
    assert_false(r.started);
    assert_int_equal(news_of(&r, later, &fault), ONEWAY_START);

    open_receiver(&r, &f, NULL); /* without memory it verifies: what is not fresh is said to be so */
    assert_int_equal(news_of(&r, old, &fault), ONEWAY_START);
    assert_false(oneway_receiver_is_fresh(&r));
    scratch_drop(&d);
}

static void frames_when_noted_and_saved_then_known_after_a_restart_until_the_next_start(void **state)
{
    const scratch d = scratch_make();
    stream_file f = make_file(7, 0x11);
    oneway_sender s;
    oneway_receiver r;
    uint8_t packet[ONEWAY_PACKET_SIZE];
    tl_fault fault;

    (void)state;
    open_sender(&s, &f, NULL);
    write_packet(&s, 0, packet);
    open_receiver(&r, &f, d.path);
    assert_int_equal(news_of(&r, packet, &fault), ONEWAY_START);
    assert_false(oneway_receiver_was_noted(&r, 0));
    oneway_receiver_note(&r, 41);
    oneway_receiver_note(&r, 40); /* it does not go back */
    assert_int_equal(oneway_receiver_save(&r, &fault), TL_EXIT_OK);
    oneway_receiver_note(&r, 50); /* never saved */

    open_receiver(&r, &f, d.path);
    assert_int_equal(news_of(&r, packet, &fault), ONEWAY_START);
    assert_true(oneway_receiver_was_noted(&r, 41));
    assert_false(oneway_receiver_was_noted(&r, 42));
    oneway_receiver_note(&r, UINT32_MAX);
    assert_int_equal(oneway_receiver_save(&r, &fault), TL_EXIT_OK);

    open_receiver(&r, &f, d.path);
    assert_true(oneway_receiver_was_noted(&r, UINT32_MAX));
    usleep(10);
    open_sender(&s, &f, NULL);
    write_packet(&s, 0, packet);
    assert_int_equal(news_of(&r, packet, &fault), ONEWAY_START);
    assert_false(oneway_receiver_was_noted(&r, 0));
    scratch_drop(&d);
}

static void sender_when_its_clock_was_set_back_then_its_state_file_makes_the_start_rise(void **state)
{
    const scratch d = scratch_make();
    stream_file f = make_file(7, 0x11);
    oneway_state future = { .stream = 7, .start = UINT64_C(1) << 62 };
    char text[ONEWAY_STATE_MAX];
    size_t n = oneway_state_text(&future, text);
    oneway_sender s;
    tl_fault fault;

    (void)state;
    assert_int_equal(tl_file_write(d.path, tl_span_of(text, n), 0600, TL_FILE_REFUSE, &fault), TL_EXIT_OK);
    open_sender(&s, &f, d.path);
    assert_true(s.start == future.start + 1);
    open_sender(&s, &f, d.path);
    assert_true(s.start == future.start + 2);
    future.start = UINT64_MAX;
    n = oneway_state_text(&future, text);
    assert_int_equal(tl_file_write(d.path, tl_span_of(text, n), 0600, TL_FILE_REPLACE, &fault), TL_EXIT_OK);
    assert_int_equal(oneway_sender_open(&s, &f, crypto, d.path, &fault), TL_EXIT_USAGE);
    assert_says(&fault, "no start is left");
    scratch_drop(&d);
}

/* The file's new name is on disk too, or a crash could bring the older state back, and with it what was recorded since. */
static void state_when_written_then_its_name_is_on_disk_before_it_is_used(void **state)
{
    stream_file f = make_file(7, 0x11);
    scratch dir = scratch_make();
    oneway_sender s;
    oneway_receiver r;
    uint8_t packet[ONEWAY_PACKET_SIZE];
    tl_fault fault;

    (void)state;
    watched_path = dir.path;
    folders_synced = 0;
    open_receiver(&r, &f, dir.path);
    open_sender(&s, &f, NULL);
    write_packet(&s, 0, packet);
    assert_int_equal(news_of(&r, packet, &fault), ONEWAY_START);
    assert_int_equal(folders_synced, 1);
    oneway_receiver_note(&r, 3);
    assert_int_equal(oneway_receiver_save(&r, &fault), TL_EXIT_OK);
    assert_int_equal(folders_synced, 2);
    watched_path = NULL;
    oneway_sender_close(&s);
    scratch_drop(&dir);
}

static void state_file_when_it_is_wrong_then_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "trueline one-way state 1: stream 7 start 5 epoch 0 next 0",
        "trueline one-way state 2: stream 7 start 5 epoch 0 next 0\n",
        "trueline one-way state 1: stream 7 start 05 epoch 0 next 0\n",
        "trueline one-way state 1: stream 7 start -5 epoch 0 next 0\n",
        "trueline one-way state 1: stream 70007 start 5 epoch 0 next 0\n",
        "trueline one-way state 1: stream 7 start 5 epoch 4294967296 next 0\n",
        "trueline one-way state 1: stream 7 start 18446744073709551616 epoch 0 next 0\n",
        "trueline one-way state 1: stream 7 start 5 epoch 0 next 4294967297\n",
        "trueline one-way state 1: stream 7 start 5 epoch 0 next 0\n\n",
        "trueline one-way state 1: stream  7 start 5 epoch 0 next 0\n",
    };
    static const char right[] = "trueline one-way state 1: stream 7 start 5 epoch 3 next 4294967296\n";
    const scratch d = scratch_make();
    stream_file f = make_file(9, 0x11);
    oneway_state read;
    oneway_receiver r;
    tl_fault fault;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(oneway_state_parse(&read, "f", tl_span_of(wrong[i], strlen(wrong[i])), &fault),
                         TL_EXIT_USAGE);
        assert_true(read.stream == 0 && read.start == 0 && read.next == 0);
    }
    assert_int_equal(oneway_state_parse(&read, "f", tl_span_of(right, sizeof right - 1), &fault), TL_EXIT_OK);
    assert_true(read.stream == 7 && read.start == 5 && read.epoch == 3 && read.next == UINT64_C(1) << 32);
    assert_int_equal(tl_file_write(d.path, tl_span_of(right, sizeof right - 1), 0600, TL_FILE_REFUSE, &fault),
                     TL_EXIT_OK);
    assert_int_equal(oneway_receiver_open(&r, &f, crypto, d.path, &fault), TL_EXIT_USAGE);
    assert_says(&fault, "it is of stream 7, ours is 9");
    scratch_drop(&d);
}

static void start_when_the_state_cannot_be_written_then_it_is_not_taken(void **state)
{
    stream_file f = make_file(7, 0x11);
    oneway_sender s;
    oneway_receiver r;
    uint8_t packet[ONEWAY_PACKET_SIZE];
    oneway_news news;
    tl_fault fault;

    (void)state;
    open_sender(&s, &f, NULL);
    write_packet(&s, 0, packet);
    open_receiver(&r, &f, "/tmp/tl-there-is-no-such-folder/state");
    assert_int_equal(oneway_receiver_packet(&r, tl_span_of(packet, sizeof packet), &news, &fault),
                     TL_EXIT_INTERNAL);
    assert_int_equal(news, ONEWAY_REFUSED);
    assert_false(r.started);
    assert_true(r.state.start == 0);
}

static void receiver_when_reconfigured_then_keeps_what_it_remembers(void **state)
{
    stream_file f = make_file(7, 0x11), other = make_file(7, 0x11);
    oneway_sender first, second, third;
    oneway_receiver r, again;
    uint8_t packets[3][ONEWAY_PACKET_SIZE];
    tl_fault fault;

    (void)state;
    other.config.parts[0].count++;
    open_sender(&first, &f, NULL);
    open_sender(&second, &other, NULL);
    open_sender(&third, &other, NULL);
    write_packet(&first, 0, packets[0]);
    write_packet(&second, 0, packets[1]);
    write_packet(&third, 0, packets[2]);
    open_receiver(&r, &f, NULL);
    assert_int_equal(news_of(&r, packets[0], &fault), ONEWAY_START);
    assert_int_equal(news_of(&r, packets[1], &fault), ONEWAY_REFUSED);
    assert_says(&fault, "another configuration");
    assert_int_equal(oneway_receiver_reconfigure(&again, &r, &other, &fault), TL_EXIT_OK);
    assert_int_equal(news_of(&again, packets[0], &fault), ONEWAY_REFUSED);
    assert_int_equal(news_of(&again, packets[2], &fault), ONEWAY_START);
    assert_int_equal(news_of(&again, packets[1], &fault), ONEWAY_REFUSED);
    assert_says(&fault, "a recording");
    other.config.stream = 0; /* none that has a digest */
    assert_int_equal(oneway_receiver_reconfigure(&r, &again, &other, &fault), TL_EXIT_INTERNAL);
    assert_int_equal(news_of(&r, packets[0], &fault), ONEWAY_KNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_when_announced_then_the_keys_are_the_same),
        cmocka_unit_test(proof_when_computed_once_more_then_under_a_key_of_its_own_label),
        cmocka_unit_test(two_starts_when_compared_then_no_key_in_common_and_the_later_one_is_higher),
        cmocka_unit_test(packet_when_any_bit_is_changed_then_nothing_moves),
        cmocka_unit_test(packet_when_from_another_secret_stream_or_configuration_then_refused_by_name),
        cmocka_unit_test(packet_when_it_is_none_then_it_is_left_to_the_stream),
        cmocka_unit_test(recording_when_played_again_to_a_running_receiver_then_refused),
        cmocka_unit_test(recording_when_the_receiver_restarts_then_refused_only_with_a_state_file),
        cmocka_unit_test(frames_when_noted_and_saved_then_known_after_a_restart_until_the_next_start),
        cmocka_unit_test(sender_when_its_clock_was_set_back_then_its_state_file_makes_the_start_rise),
        cmocka_unit_test(state_when_written_then_its_name_is_on_disk_before_it_is_used),
        cmocka_unit_test(state_file_when_it_is_wrong_then_refused),
        cmocka_unit_test(start_when_the_state_cannot_be_written_then_it_is_not_taken),
        cmocka_unit_test(receiver_when_reconfigured_then_keeps_what_it_remembers),
    };

    return cmocka_run_group_tests(tests, open_backend, close_backend);
}
