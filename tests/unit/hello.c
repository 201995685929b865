/* The hello: each field that does not fit is named, a mirror is refused, garbage and silence have their own code, and
 * two right ends come to the same keys. */
#include "one_backend.h"
#include "testing.h"

#include "hello.h"

#include <trueline/openssl.h>

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static stream_file make_file(uint32_t stream)
{
    stream_file f;
    tl_fault fault;

    stream_file_init(&f);
    f.stream = stream;
    memset(f.secret, 0x11, sizeof f.secret);
    assert_int_equal(stream_file_build(&f, "t", &fault), TL_EXIT_OK);
    return f;
}

static void assert_says(const tl_fault *fault, const char *part)
{
    if (strstr(fault->text, part) == NULL)
        fail_msg("'%s' does not say '%s'", fault->text, part);
}

/* Ours is a sensor's, theirs the hello of a controller with the same file. */
static void make_both(hello *ours, hello *theirs)
{
    stream_file f = make_file(7);
    tl_fault fault;

    assert_int_equal(hello_make(ours, TL_HELLO_SENDER, &f.config, crypto, &fault), TL_EXIT_OK);
    assert_int_equal(hello_make(theirs, TL_HELLO_RECEIVER, &f.config, crypto, &fault), TL_EXIT_OK);
}

static void check_when_all_fits_then_ok_in_both_roles(void **s)
{
    hello ours, theirs;
    tl_fault fault;

    (void)s;
    make_both(&ours, &theirs);
    assert_memory_not_equal(ours.fresh, theirs.fresh, TL_FRESH_SIZE);
    assert_int_equal(hello_check(&ours, &theirs, "peer", &fault), TL_EXIT_OK);
    assert_int_equal(hello_check(&theirs, &ours, "peer", &fault), TL_EXIT_OK);
}

static void check_when_a_field_differs_then_it_is_named_with_both_values(void **s)
{
    hello ours, theirs, right;
    tl_fault fault;

    (void)s;
    make_both(&ours, &right);
    theirs = right;
    theirs.version = 99;
    assert_int_equal(hello_check(&ours, &theirs, "peer", &fault), TL_EXIT_PEER);
    assert_says(&fault, "refused: version: ours is");
    assert_says(&fault, "theirs is 99");
    theirs = right;
    theirs.layout ^= 1;
    assert_int_equal(hello_check(&ours, &theirs, "peer", &fault), TL_EXIT_PEER);
    assert_says(&fault, "refused: layout");
    theirs = right;
    theirs.stream = 8;
    assert_int_equal(hello_check(&ours, &theirs, "peer", &fault), TL_EXIT_PEER);
    assert_says(&fault, "refused: stream: ours is 7, theirs is 8");
    theirs = right;
    theirs.epoch = 3;
    assert_int_equal(hello_check(&ours, &theirs, "peer", &fault), TL_EXIT_PEER);
    assert_says(&fault, "refused: epoch: ours is 0, theirs is 3");
    theirs = right;
    theirs.digest[31] ^= 0x80;
    assert_int_equal(hello_check(&ours, &theirs, "peer", &fault), TL_EXIT_PEER);
    assert_says(&fault, "refused: configuration digest");
}

static void check_when_the_peer_is_a_mirror_or_of_our_role_then_refused(void **s)
{
    hello ours, theirs, right;
    tl_fault fault;

    (void)s;
    make_both(&ours, &right);
    assert_int_equal(hello_check(&ours, &ours, "peer", &fault), TL_EXIT_PEER);
    assert_says(&fault, "mirror");
    theirs = right;
    memcpy(theirs.fresh, ours.fresh, sizeof theirs.fresh); /* with the role turned round */
    assert_int_equal(hello_check(&ours, &theirs, "peer", &fault), TL_EXIT_PEER);
    assert_says(&fault, "mirror");
    theirs = right;
    theirs.role = ours.role;
    assert_int_equal(hello_check(&ours, &theirs, "peer", &fault), TL_EXIT_PEER);
    assert_says(&fault, "both ends are sensors");
    theirs.role = 77;
    assert_int_equal(hello_check(&ours, &theirs, "peer", &fault), TL_EXIT_PEER);
    assert_says(&fault, "refused: role");
}

static void bytes_when_read_back_then_the_same(void **s)
{
    hello ours, theirs, back;
    uint8_t bytes[TL_HELLO_SIZE];
    tl_fault fault;

    (void)s;
    make_both(&ours, &theirs);
    ours.epoch = 0x01020304;
    assert_int_equal(hello_write(&ours, bytes, &fault), TL_EXIT_OK);
    assert_int_equal(hello_read(&back, bytes, "peer", &fault), TL_EXIT_OK);
    assert_memory_equal(&ours, &back, sizeof ours);
}

static void bytes_when_they_are_garbage_then_link_fault(void **s)
{
    hello back;
    uint8_t bytes[TL_HELLO_SIZE];
    tl_fault fault;

    (void)s;
    memset(bytes, 'G', sizeof bytes);
    assert_int_equal(hello_read(&back, bytes, "peer", &fault), TL_EXIT_LINK);
    assert_says(&fault, "garbage: it begins with 47 47 47 47");
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(hello_read(&back, bytes, "peer", &fault), TL_EXIT_LINK);
}

/* ---- whole exchanges, one end in a thread ---- */

typedef struct end {
    int fd;
    uint32_t role;
    stream_file file;
    tl_key_source source;
    uint32_t epoch;
    tl_exit e;
    tl_fault fault;
} end;

static void *run_end(void *p)
{
    end *x = p;
    tl_openssl *own = NULL;

    if (tl_openssl_open(NULL, &own) != TL_OK)
        return NULL;
    x->e = hello_exchange(&(hello_end){ x->fd, "peer", x->role }, &x->file, tl_openssl_crypto(own),
                          &x->source, &x->epoch, &x->fault);
    close(x->fd);
    tl_openssl_close(own);
    return NULL;
}

static void exchange(end *sensor, end *controller)
{
    pthread_t thread;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    sensor->fd = fds[0];
    sensor->role = TL_HELLO_SENDER;
    controller->fd = fds[1];
    controller->role = TL_HELLO_RECEIVER;
    assert_int_equal(pthread_create(&thread, NULL, run_end, sensor), 0);
    run_end(controller);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void exchange_when_the_files_are_the_same_then_the_keys_are_too(void **s)
{
    end sensor = { .file = make_file(7) }, controller = { .file = make_file(7) };

    (void)s;
    exchange(&sensor, &controller);
    assert_int_equal(sensor.e, TL_EXIT_OK);
    assert_int_equal(controller.e, TL_EXIT_OK);
    assert_int_equal(sensor.epoch, 0);
    assert_int_equal(controller.epoch, 0);
    assert_memory_equal(sensor.source.secret, controller.source.secret, sizeof sensor.source.secret);
    tl_key_source_wipe(&sensor.source);
    tl_key_source_wipe(&controller.source);
}

static void exchange_when_repeated_then_other_keys(void **s)
{
    end a = { .file = make_file(7) }, b = { .file = make_file(7) }, c = a, d = b;

    (void)s;
    exchange(&a, &b);
    exchange(&c, &d);
    assert_int_equal(a.e, TL_EXIT_OK);
    assert_int_equal(c.e, TL_EXIT_OK);
    assert_memory_not_equal(a.source.secret, c.source.secret, 32);
}

static void exchange_when_the_files_differ_then_both_ends_name_the_field(void **s)
{
    end sensor = { .file = make_file(7) }, controller = { .file = make_file(9) };

    (void)s;
    exchange(&sensor, &controller);
    assert_int_equal(sensor.e, TL_EXIT_PEER);
    assert_int_equal(controller.e, TL_EXIT_PEER);
    assert_says(&sensor.fault, "stream: ours is 7, theirs is 9");
    assert_says(&controller.fault, "stream: ours is 9, theirs is 7");
}

static void exchange_when_the_peer_closes_then_link_fault(void **s)
{
    end sensor = { .role = TL_HELLO_SENDER, .file = make_file(7) };
    int fds[2];

    (void)s;
    for (size_t sent = 0; sent < 2; sent++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
        assert_int_equal(write(fds[1], "t", sent), (ssize_t)sent);
        close(fds[1]);
        sensor.fd = fds[0];
        run_end(&sensor);
        assert_int_equal(sensor.e, TL_EXIT_LINK);
        assert_says(&sensor.fault, "closed the connection after");
    }
}

static void exchange_when_the_peer_is_a_mirror_then_refused(void **s)
{
    end controller = { .role = TL_HELLO_RECEIVER, .file = make_file(7) };
    uint8_t bytes[TL_HELLO_SIZE];
    pthread_t thread;
    size_t n = 0;
    int fds[2];

    (void)s;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    controller.fd = fds[0];
    assert_int_equal(pthread_create(&thread, NULL, run_end, &controller), 0);
    while (n < sizeof bytes) {
        ssize_t got = read(fds[1], bytes + n, sizeof bytes - n);

        assert_true(got > 0);
        n += (size_t)got;
    }
    assert_int_equal(write(fds[1], bytes, sizeof bytes), (ssize_t)sizeof bytes);
    assert_int_equal(pthread_join(thread, NULL), 0);
    close(fds[1]);
    assert_int_equal(controller.e, TL_EXIT_PEER);
    assert_says(&controller.fault, "mirror");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_when_all_fits_then_ok_in_both_roles),
        cmocka_unit_test(check_when_a_field_differs_then_it_is_named_with_both_values),
        cmocka_unit_test(check_when_the_peer_is_a_mirror_or_of_our_role_then_refused),
        cmocka_unit_test(bytes_when_read_back_then_the_same),
        cmocka_unit_test(bytes_when_they_are_garbage_then_link_fault),
        cmocka_unit_test(exchange_when_the_files_are_the_same_then_the_keys_are_too),
        cmocka_unit_test(exchange_when_repeated_then_other_keys),
        cmocka_unit_test(exchange_when_the_files_differ_then_both_ends_name_the_field),
        cmocka_unit_test(exchange_when_the_peer_closes_then_link_fault),
        cmocka_unit_test(exchange_when_the_peer_is_a_mirror_then_refused),
    };

    return cmocka_run_group_tests(tests, open_backend, close_backend);
}
