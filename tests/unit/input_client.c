/* The near end of the input program, against children that lie, stop, hang or die. Each child is a shell script
 * that is called trueline-input and found through PATH; after each case no child and no file may be left open. */
#define _GNU_SOURCE
#include "input_client.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <scene.h>

/* 4 x 2 samples of 12 bits, 30 frames in 1 second; then a frame of them, all 0x0102 */
#define HEADER "printf 'TLINPUT1\\4\\0\\0\\0\\2\\0\\0\\0\\14\\0\\0\\0\\36\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0'\n"
#define PREFIX "printf 'FRAM\\20\\0\\0\\0'\n"
#define PIXELS "printf '\\2\\1\\2\\1\\2\\1\\2\\1\\2\\1\\2\\1\\2\\1\\2\\1'\n"
#define FRAME  PREFIX PIXELS

static char folder[64], program[96], why[1024];
static unsigned files_before;

static unsigned files_open(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void child_is(const char *script)
{
    FILE *f = fopen(program, "w");
    assert_non_null(f);
    fprintf(f, "#!/bin/sh\n%s", script);
    fclose(f);
    assert_int_equal(chmod(program, 0755), 0);
}

static int open_child(const char *script, tl_input **in)
{
    child_is(script);
    return tl_input_open(&(tl_input_options){ .source = "cam", .timeout_ms = 3000 }, in, why, sizeof why);
}

static void refused(const char *script, int code, const char *text)
{
    tl_input *in = NULL;
    assert_int_equal(open_child(script, &in), code);
    assert_null(in);
    if (!strstr(why, text))
        fail_msg("'%s' is not in '%s'", text, why);
}

/* Opens well, gives `frames` frames, then fails with the text. */
static void fails_after(const char *script, int frames, int code, const char *text)
{
    tl_input *in = NULL;
    uint16_t samples[8];
    assert_int_equal(open_child(script, &in), 0);
    for (int i = 0; i < frames; i++)
        assert_int_equal(tl_input_frame(in, samples), 1);
    assert_int_equal(tl_input_frame(in, samples), -1);
    if (!strstr(tl_input_why(in), text))
        fail_msg("'%s' is not in '%s'", text, tl_input_why(in));
    assert_int_equal(tl_input_code(in), code);
    assert_int_equal(tl_input_frame(in, samples), -1);
    tl_input_close(in);
}

static void frames_when_all_is_well_then_come_and_end(void **state)
{
    (void)state;
    tl_input *in = NULL;
    uint16_t samples[8];
    uint32_t num = 0, den = 0;
    assert_int_equal(open_child(HEADER FRAME FRAME, &in), 0);
    assert_int_equal(tl_input_width(in), 4);
    assert_int_equal(tl_input_height(in), 2);
    assert_int_equal(tl_input_bits(in), 12);
    tl_input_rate(in, &num, &den);
    assert_int_equal(num, 30);
    assert_int_equal(den, 1);
    for (int i = 0; i < 2; i++) {
        memset(samples, 0, sizeof samples);
        assert_int_equal(tl_input_frame(in, samples), 1);
        for (int k = 0; k < 8; k++)
            assert_int_equal(samples[k], 0x0102);
    }
    assert_int_equal(tl_input_frame(in, samples), 0);
    assert_int_equal(tl_input_frame(in, samples), 0);
    tl_input_close(in);
}

static void options_reach_the_child_as_arguments(void **state)
{
    (void)state;
    tl_input *in = NULL;
    child_is("echo \"$*\" >&2; exit 4\n");
    tl_input_options o = { .source = "-x", .width = 64, .height = 48, .bits = 10, .loop = true, .frames = 7 };
    assert_int_equal(tl_input_open(&o, &in, why, sizeof why), 4);
    assert_non_null(strstr(why, "--bits=10 --size=64x48 --frames=7 --loop -- -x"));
}

static void frames_beyond_the_asked_number_are_not_read(void **state)
{
    (void)state;
    tl_input *in = NULL;
    uint16_t samples[8];
    child_is(HEADER FRAME FRAME FRAME "sleep 20\n");
    assert_int_equal(tl_input_open(&(tl_input_options){ .source = "cam", .frames = 2 }, &in, why, sizeof why),
                     0);
    assert_int_equal(tl_input_frame(in, samples), 1);
    assert_int_equal(tl_input_frame(in, samples), 1);
    assert_int_equal(tl_input_frame(in, samples), 0);
    tl_input_close(in);
}

static void open_when_the_child_fails_then_hands_on_its_words_and_code(void **state)
{
    (void)state;
    refused("echo 'trueline-input: cam: no such file' >&2; exit 4\n", 4, "cam: no such file");
    refused("echo first >&2; echo last >&2; exit 5\n", 5, "last (trueline-input ended with 5)");
    refused("exit 2\n", 2, "cam (trueline-input ended with 2)");
    refused("exit 77\n", 4, "ended with 77");
}

static void open_when_the_child_prints_control_characters_then_they_are_replaced(void **state)
{
    (void)state;
    refused("printf 'a\\033[2Jb\\n' >&2; exit 4\n", 4, "a?[2Jb");
}

static void open_when_the_child_talks_too_much_then_does_not_block(void **state)
{
    (void)state;
    refused("head -c 300000 /dev/zero | tr '\\0' a >&2; exit 4\n", 4, "aaaaaaaa");
}

static void open_when_the_child_dies_then_names_the_signal(void **state)
{
    (void)state;
    refused("kill -SEGV $$\n", 4, "signal 11");
}

static void open_when_nothing_comes_then_says_so(void **state)
{
    (void)state;
    refused("exit 0\n", 4, "wrote nothing");
    refused("printf TLINPUT1\n", 4, "in the middle of a header");
}

static void open_when_the_header_is_wrong_then_refuses(void **state)
{
    (void)state;
#define VALUES(w, h, bits, num, den, zero)                                                                   \
    "printf 'TLINPUT1" w "\\0" h "\\0" bits "\\0\\0\\0" num "\\0\\0\\0" den "\\0\\0\\0" zero "\\0\\0\\0'\n"
    refused("printf '%032d' 0\n", 4, "does not write frames");
    refused(VALUES("\\0\\0\\0", "\\2\\0\\0", "\\14", "\\1", "\\1", "\\0"), 4, "impossible");
    refused(VALUES("\\3\\0\\0", "\\2\\0\\0", "\\14", "\\1", "\\1", "\\0"), 4, "impossible");
    refused(VALUES("\\4\\0\\0", "\\1\\0\\0", "\\14", "\\1", "\\1", "\\0"), 4, "impossible");
    refused(VALUES("\\2\\40\\0", "\\2\\0\\0", "\\14", "\\1", "\\1", "\\0"), 4, "impossible");
    refused(VALUES("\\4\\0\\377", "\\2\\0\\377", "\\14", "\\1", "\\1", "\\0"), 4, "impossible");
    refused(VALUES("\\4\\0\\0", "\\2\\0\\0", "\\12", "\\1", "\\1", "\\0"), 4, "impossible");
    refused(VALUES("\\4\\0\\0", "\\2\\0\\0", "\\14", "\\0", "\\1", "\\0"), 4, "impossible");
    refused(VALUES("\\4\\0\\0", "\\2\\0\\0", "\\14", "\\1", "\\0", "\\0"), 4, "impossible");
    refused(VALUES("\\4\\0\\0", "\\2\\0\\0", "\\14", "\\1", "\\1", "\\1"), 4, "impossible");
}

static void frame_when_it_is_cut_or_no_frame_then_fails(void **state)
{
    (void)state;
    fails_after(HEADER FRAME "printf FR\n", 1, 4, "in the middle of a frame");
    fails_after(HEADER FRAME PREFIX, 1, 4, "in the middle of a frame");
    fails_after(HEADER PREFIX "printf 12345\n", 0, 4, "in the middle of a frame");
    fails_after(HEADER "printf 'FRAN\\20\\0\\0\\0'\n" PIXELS, 0, 4, "no frame");
    fails_after(HEADER "printf 'FRAM\\21\\0\\0\\0'\n" PIXELS, 0, 4, "no frame");
    fails_after(HEADER PREFIX "printf '\\0\\20\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0'\n", 0, 4,
                "more than 12 bits");
}

static void frame_when_the_child_fails_midway_then_hands_on_its_words(void **state)
{
    (void)state;
    fails_after(HEADER FRAME "echo 'trueline-input: cam: is damaged' >&2; exit 4\n", 1, 4, "cam: is damaged");
    fails_after(HEADER FRAME PREFIX "echo 'disk on fire' >&2; exit 5\n", 1, 5, "disk on fire");
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void frame_when_the_child_hangs_then_times_out(void **state)
{
    (void)state;
    tl_input *in = NULL;
    uint16_t samples[8];
    child_is(HEADER FRAME "printf F; exec sleep 20\n");
    assert_int_equal(
        tl_input_open(&(tl_input_options){ .source = "cam", .timeout_ms = 300 }, &in, why, sizeof why), 0);
    assert_int_equal(tl_input_frame(in, samples), 1);
    int64_t start = now_ms();
    assert_int_equal(tl_input_frame(in, samples), -1);
    assert_non_null(strstr(tl_input_why(in), "no frame for 300 ms"));
    tl_input_close(in);
    assert_in_range(now_ms() - start, 290, 5000);
}

static void frame_when_the_child_closes_its_output_and_stays_then_it_is_ended(void **state)
{
    (void)state;
    tl_input *in = NULL;
    uint16_t samples[8];
    child_is(HEADER FRAME "exec sleep 20 >&- 2>&-\n");
    assert_int_equal(
        tl_input_open(&(tl_input_options){ .source = "cam", .timeout_ms = 300 }, &in, why, sizeof why), 0);
    assert_int_equal(tl_input_frame(in, samples), 1);
    int64_t start = now_ms();
    assert_int_equal(tl_input_frame(in, samples), -1);
    assert_non_null(strstr(tl_input_why(in), "signal 9"));
    tl_input_close(in);
    assert_in_range(now_ms() - start, 0, 5000);
}

static void child_sees_no_file_of_its_parent(void **state)
{
    (void)state;
    int fd = open(folder, O_RDONLY | O_DIRECTORY); /* as a key file would be, without close-on-exec */
    assert_true(fd > 2);
    refused("said=clean\nfor f in /proc/$$/fd/*; do\n"
            "case $(readlink $f) in */trueline-input) ;; */trueline-child-*) said=leaked ;; esac; done\n"
            "echo $said >&2; exit 4\n",
            4, "clean");
    close(fd);
}

static void open_when_there_is_no_program_then_says_where_it_looked(void **state)
{
    (void)state;
    tl_input *in = NULL;
    unlink(program);
    char *path = strdup(getenv("PATH"));
    assert_non_null(path);
    setenv("PATH", folder, 1);
    int code = tl_input_open(&(tl_input_options){ .source = "cam" }, &in, why, sizeof why);
    setenv("PATH", path, 1);
    free(path);
    assert_int_equal(code, 5);
    assert_non_null(strstr(why, "beside this program and in PATH"));
}

static void open_when_an_argument_cannot_be_then_refuses(void **state)
{
    (void)state;
    static const tl_input_options wrong[] = {
        { .source = "" },
        { .source = "scene", .bits = 9 },
        { .source = "scene", .bits = 16 },
        { .source = "scene", .width = 64 },
        { .source = "scene", .height = 64 },
        { .source = "cam", .width = 9000, .height = 64 },
        { .source = "scene:" },
        { .source = "scene:64" },
        { .source = "scene:64x" },
        { .source = "scene:64x48x" },
        { .source = "scene:0x48" },
        { .source = "scene:9000x48" },
        { .source = "scene:-4x48" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        tl_input *in = NULL;
        why[0] = 0;
        assert_int_equal(tl_input_open(&wrong[i], &in, why, sizeof why), 2);
        assert_null(in);
        assert_true(why[0] != 0);
    }
}

static void scene_is_drawn_without_a_child(void **state)
{
    (void)state;
    static uint16_t got[64 * 48], want[64 * 48];
    tl_input *in = NULL;
    tl_input_options o = { .source = "scene:64x48", .bits = 10, .frames = 3 };
    assert_int_equal(tl_input_open(&o, &in, why, sizeof why), 0);
    assert_int_equal(tl_input_width(in), 64);
    assert_int_equal(tl_input_height(in), 48);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(tl_input_frame(in, got), 1);
        tl_scene_draw(want, 64, 48, 10, i);
        assert_memory_equal(got, want, sizeof got);
    }
    assert_int_equal(tl_input_frame(in, got), 0);
    tl_input_close(in);
}

static int before_each(void **state)
{
    (void)state;
    files_before = files_open();
    return 0;
}

static int after_each(void **state)
{
    (void)state;
    bool childless = waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
    return childless && files_open() == files_before ? 0 : -1;
}

static int group_begin(void **state)
{
    (void)state;
    static char path[4096];
    snprintf(folder, sizeof folder, "/tmp/trueline-child-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(program, sizeof program, "%s/trueline-input", folder);
    snprintf(path, sizeof path, "%s:/usr/bin:/bin", folder);
    return setenv("PATH", path, 1);
}

static int group_end(void **state)
{
    (void)state;
    unlink(program);
    return rmdir(folder);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, before_each, after_each)
    const struct CMUnitTest tests[] = {
        CASE(frames_when_all_is_well_then_come_and_end),
        CASE(options_reach_the_child_as_arguments),
        CASE(frames_beyond_the_asked_number_are_not_read),
        CASE(open_when_the_child_fails_then_hands_on_its_words_and_code),
        CASE(open_when_the_child_prints_control_characters_then_they_are_replaced),
        CASE(open_when_the_child_talks_too_much_then_does_not_block),
        CASE(open_when_the_child_dies_then_names_the_signal),
        CASE(open_when_nothing_comes_then_says_so),
        CASE(open_when_the_header_is_wrong_then_refuses),
        CASE(frame_when_it_is_cut_or_no_frame_then_fails),
        CASE(frame_when_the_child_fails_midway_then_hands_on_its_words),
        CASE(frame_when_the_child_hangs_then_times_out),
        CASE(frame_when_the_child_closes_its_output_and_stays_then_it_is_ended),
        CASE(child_sees_no_file_of_its_parent),
        CASE(open_when_there_is_no_program_then_says_where_it_looked),
        CASE(open_when_an_argument_cannot_be_then_refuses),
        CASE(scene_is_drawn_without_a_child),
    };
    return cmocka_run_group_tests_name("input_client", tests, group_begin, group_end);
}
