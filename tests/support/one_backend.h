/* One OpenSSL backend for all cases of a group: hand open_backend and close_backend to cmocka_run_group_tests. */
#ifndef TL_TESTS_ONE_BACKEND_H
#define TL_TESTS_ONE_BACKEND_H

#include "testing.h"

#include <trueline/openssl.h>

static tl_openssl_config
    backend_config; /* zero: the defaults; a group that needs more slots says so in main */
static tl_openssl *backend;
static const tl_crypto *crypto;

static int open_backend(void **state)
{
    (void)state;
    tl_assert_ok(tl_openssl_open(&backend_config, &backend));
    crypto = tl_openssl_crypto(backend);
    return 0;
}

static int close_backend(void **state)
{
    (void)state;
    tl_openssl_close(backend);
    return 0;
}

#endif
