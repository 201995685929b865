/* What is written in place of what: files are replaced, links are followed, devices and pipes stay what they are. */
#define _GNU_SOURCE
#include "testing.h"

#include "file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/trueline-file-XXXXXX";
static tl_fault fault;

/* A name in the folder; the next call with the same slot overwrites it. */
static const char *at(const char *name)
{
    static char names[4][128];
    static unsigned turn;
    char *to = names[turn++ % 4];

    (void)snprintf(to, sizeof names[0], "%s/%s", folder, name);
    return to;
}

static int set_up(void **s)
{
    (void)s;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int tear_down(void **s)
{
    (void)s;
    return rmdir(folder);
}

static tl_exit put(const char *name, const char *text, tl_file_clash clash)
{
    return tl_file_write(at(name), tl_span_of(text, strlen(text)), 0640, clash, &fault);
}

static void holds(const char *name, const char *text)
{
    uint8_t bytes[100];
    size_t n;

    assert_int_equal(tl_file_read(at(name), TL_FILE_PUBLIC, bytes, sizeof bytes, &n, &fault), TL_EXIT_OK);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(bytes, text, n);
}

static mode_t kind_of(const char *name)
{
    struct stat st;

    assert_int_equal(lstat(at(name), &st), 0);
    return st.st_mode & S_IFMT;
}

static void file_when_there_then_replaced_or_kept(void **s)
{
    struct stat st;

    (void)s;
    assert_int_equal(put("a", "one", TL_FILE_REFUSE), TL_EXIT_OK);
    assert_int_equal(put("a", "two", TL_FILE_REFUSE), TL_EXIT_USAGE);
    assert_non_null(strstr(fault.text, "is there already and stays as it is"));
    holds("a", "one");
    assert_int_equal(put("a", "three", TL_FILE_REPLACE), TL_EXIT_OK);
    holds("a", "three");
    assert_int_equal(stat(at("a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(unlink(at("a")), 0);
}

static void link_when_written_then_its_target_is(void **s)
{
    (void)s;
    assert_int_equal(mkdir(at("d"), 0700), 0);
    assert_int_equal(put("d/real", "old", TL_FILE_REFUSE), TL_EXIT_OK);
    assert_int_equal(symlink("d/real", at("one")), 0);
    assert_int_equal(symlink(at("one"), at("two")), 0);
    assert_int_equal(symlink("d/new", at("dangling")), 0);
    assert_int_equal(put("two", "new", TL_FILE_REPLACE), TL_EXIT_OK);
    holds("d/real", "new");
    assert_int_equal(put("dangling", "made", TL_FILE_REPLACE), TL_EXIT_OK);
    holds("d/new", "made");
    assert_int_equal(put("one", "refused", TL_FILE_REFUSE), TL_EXIT_USAGE);
    holds("d/real", "new");
    assert_int_equal(kind_of("one"), S_IFLNK);
    assert_int_equal(kind_of("two"), S_IFLNK);
    assert_int_equal(kind_of("dangling"), S_IFLNK);
    assert_int_equal(unlink(at("d/real")) | unlink(at("d/new")) | rmdir(at("d")), 0);
    assert_int_equal(unlink(at("one")) | unlink(at("two")) | unlink(at("dangling")), 0);
}

static void link_when_it_goes_round_then_refused(void **s)
{
    (void)s;
    assert_int_equal(symlink("round", at("round")), 0);
    assert_int_equal(put("round", "x", TL_FILE_REPLACE), TL_EXIT_USAGE);
    assert_non_null(strstr(fault.text, "Too many levels of symbolic links"));
    assert_int_equal(kind_of("round"), S_IFLNK);
    assert_int_equal(unlink(at("round")), 0);
}

static void pipe_when_written_then_its_reader_has_it(void **s)
{
    char got[16] = "";
    int fd;

    (void)s;
    assert_int_equal(mkfifo(at("pipe"), 0600), 0);
    fd = open(at("pipe"), O_RDONLY | O_NONBLOCK);
    assert_true(fd >= 0);
    assert_int_equal(put("pipe", "hello", TL_FILE_REFUSE), TL_EXIT_USAGE);
    assert_int_equal(put("pipe", "hello", TL_FILE_REPLACE), TL_EXIT_OK);
    assert_int_equal(read(fd, got, sizeof got), 5);
    assert_string_equal(got, "hello");
    assert_int_equal(kind_of("pipe"), S_IFIFO);
    close(fd);
    assert_int_equal(unlink(at("pipe")), 0);
}

/* A device of our own: a mistake costs nobody theirs. */
static void device_when_full_then_told_and_it_stays(void **s)
{
    (void)s;
    if (mknod(at("full"), S_IFCHR | 0666, makedev(1, 7)) != 0)
        skip();
    if (access(at("full"), W_OK) != 0 || open(at("full"), O_WRONLY | O_CLOEXEC) < 0) {
        assert_int_equal(unlink(at("full")), 0);
        skip();
    }
    assert_int_equal(symlink("full", at("link")), 0);
    assert_int_equal(put("full", "x", TL_FILE_REPLACE), TL_EXIT_INTERNAL);
    assert_non_null(strstr(fault.text, "No space left on device"));
    assert_int_equal(put("link", "x", TL_FILE_REPLACE), TL_EXIT_INTERNAL);
    assert_int_equal(kind_of("full"), S_IFCHR);
    assert_int_equal(kind_of("link"), S_IFLNK);
    assert_int_equal(unlink(at("full")) | unlink(at("link")), 0);
}

static void folder_and_socket_when_given_then_refused_by_name(void **s)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)s;
    assert_int_equal(put(".", "x", TL_FILE_REPLACE), TL_EXIT_USAGE);
    assert_non_null(strstr(fault.text, "it is a folder"));
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", at("socket"));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(put("socket", "x", TL_FILE_REPLACE), TL_EXIT_USAGE);
    assert_non_null(strstr(fault.text, "it is a socket"));
    assert_int_equal(kind_of("socket"), S_IFSOCK);
    close(fd);
    assert_int_equal(unlink(at("socket")), 0);
}

/* As /dev/stdout is, whatever it was redirected to. */
static void descriptor_when_named_then_written_in_place(void **s)
{
    struct stat before, after;
    char name[40];
    int fd = open(at("open"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    (void)s;
    assert_true(fd >= 0);
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    assert_int_equal(stat(at("open"), &before), 0);
    assert_int_equal(tl_file_write(name, tl_span_of("in", 2), 0644, TL_FILE_REPLACE, &fault), TL_EXIT_OK);
    assert_int_equal(stat(at("open"), &after), 0);
    assert_true(before.st_ino == after.st_ino);
    holds("open", "in");
    close(fd);
    assert_int_equal(unlink(at("open")), 0);
}

static void file_when_abandoned_then_nothing_is_left(void **s)
{
    tl_file file;

    (void)s;
    assert_int_equal(put("a", "old", TL_FILE_REFUSE), TL_EXIT_OK);
    assert_int_equal(tl_file_begin(&file, at("a"), 0600, &fault), TL_EXIT_OK);
    assert_true(fputs("half", file.stream) >= 0);
    tl_file_abandon(&file);
    holds("a", "old");
    assert_int_equal(unlink(at("a")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_when_there_then_replaced_or_kept),
        cmocka_unit_test(link_when_written_then_its_target_is),
        cmocka_unit_test(link_when_it_goes_round_then_refused),
        cmocka_unit_test(pipe_when_written_then_its_reader_has_it),
        cmocka_unit_test(device_when_full_then_told_and_it_stays),
        cmocka_unit_test(folder_and_socket_when_given_then_refused_by_name),
        cmocka_unit_test(descriptor_when_named_then_written_in_place),
        cmocka_unit_test(file_when_abandoned_then_nothing_is_left),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
