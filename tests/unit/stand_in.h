/* Functions of libcrypto that fail when their turn has come. Whoever includes this says which calls count: `fails` gets the
 * caller's address, and asks its_turn. */
#ifndef TL_TESTS_STAND_IN_H
#define TL_TESTS_STAND_IN_H

#include <dlfcn.h>
#include <openssl/err.h>
#include <stdbool.h>
#include <string.h>

static unsigned long calls, fail_at;
static bool failed;

static bool its_turn(void)
{
    calls++;
    if (calls != fail_at)
        return false;
    failed = true;
    ERR_raise(ERR_LIB_EVP, ERR_R_INTERNAL_ERROR);
    return true;
}

static bool fails(const void *caller);

/* A function that gives `failure` when its turn has come, and else what libcrypto's gives. */
#define STAND_IN(type, failure, name, parameters, arguments)                                                 \
    type name parameters                                                                                     \
    {                                                                                                        \
        static type(*real) parameters;                                                                       \
        if (real == NULL) {                                                                                  \
            void *found = dlsym(RTLD_NEXT, #name);                                                           \
            memcpy(&real, &found, sizeof real);                                                              \
        }                                                                                                    \
        return fails(__builtin_return_address(0)) ? failure : real arguments;                                \
    }

#endif
