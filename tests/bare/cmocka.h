/* The part of cmocka that the kernels' tests use, for processors that cmocka is not installed for. Prints
 * TAP; the first failure ends the program, which then has run less than it planned. */
#ifndef TL_TESTS_BARE_CMOCKA_H
#define TL_TESTS_BARE_CMOCKA_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*test)(void **state);
};

#define cmocka_unit_test(f)                                                                                  \
    {                                                                                                        \
#f, f                                                                                                \
    }

#define print_message(...) printf(__VA_ARGS__)
#define print_error(...)   printf("#   " __VA_ARGS__)
#define fail_msg(...)      (print_error(__VA_ARGS__), printf("\n"), _fail(__FILE__, __LINE__))
#define bare_assert(right)                                                                                   \
    ((right) ? (void)0 : (print_error("not so: %s\n", #right), _fail(__FILE__, __LINE__)))

#define assert_true(c)                   bare_assert(c)
#define assert_false(c)                  bare_assert(!(c))
#define assert_non_null(p)               bare_assert((p) != NULL)
#define assert_null(p)                   bare_assert((p) == NULL)
#define assert_int_equal(a, b)           bare_assert((unsigned long long)(a) == (unsigned long long)(b))
#define assert_memory_equal(a, b, n)     bare_assert(memcmp((a), (b), (n)) == 0)
#define assert_memory_not_equal(a, b, n) bare_assert(memcmp((a), (b), (n)) != 0)

static const char *bare_running;

_Noreturn static inline void bare_fail(const char *file, int line)
{
    printf("#   %s:%d\nnot ok - %s\n", file, line, bare_running != NULL ? bare_running : "");
    exit(1);
}

#define _fail(file, line) bare_fail((file), (line))

static inline int bare_run(const struct CMUnitTest *tests, size_t n)
{
    printf("1..%zu\n", n);
    for (size_t i = 0; i < n; i++) {
        void *state = NULL;
        bare_running = tests[i].name;
        tests[i].test(&state);
        printf("ok %zu - %s\n", i + 1, tests[i].name);
        fflush(stdout);
    }
    return 0;
}

#define cmocka_run_group_tests_name(name, tests, set_up, tear_down)                                          \
    bare_run((tests), sizeof(tests) / sizeof *(tests))

#endif
