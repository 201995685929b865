/* A wipe stays where the compiler sees all of it and that nobody reads the bytes again: base.c is a part of this file,
 * as it is of a program that is optimised when it is linked. The secret lies on the stack of a thread, which is looked
 * through when the thread has ended. */
#define _POSIX_C_SOURCE 200809L
#include "base/base.c"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

enum { STACK = 1 << 20, SECRET = 200, RUN = 16, MARK = 0xA7 };

static _Alignas(4096) uint8_t stack[STACK];

static void fill(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = MARK;
}

/* Nothing is known of what it does with the bytes. */
static void (*volatile with_secret)(uint8_t *p, size_t n) = fill;

static void *keeps_it(void *unused)
{
    uint8_t secret[SECRET];

    (void)unused;
    with_secret(secret, sizeof secret);
    return NULL;
}

static void *wipes_it(void *unused)
{
    uint8_t secret[SECRET];

    (void)unused;
    with_secret(secret, sizeof secret);
    tl_wipe(secret, sizeof secret);
    return NULL;
}

static bool secret_is_left_by(void *(*function)(void *))
{
    pthread_t thread;
    pthread_attr_t attributes;
    size_t run = 0;

    memset(stack, 0, sizeof stack);
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, sizeof stack), 0);
    assert_int_equal(pthread_create(&thread, &attributes, function, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_attr_destroy(&attributes), 0);
    for (size_t i = 0; i < sizeof stack && run < RUN; i++)
        run = stack[i] == MARK ? run + 1 : 0;
    return run == RUN;
}

static void secret_that_is_not_wiped_is_found(void **state)
{
    (void)state;
    assert_true(secret_is_left_by(keeps_it));
}

static void secret_that_is_wiped_before_its_end_is_not_found(void **state)
{
    (void)state;
    assert_false(secret_is_left_by(wipes_it));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secret_that_is_not_wiped_is_found),
        cmocka_unit_test(secret_that_is_wiped_before_its_end_is_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
