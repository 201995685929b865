/* What each flow test starts from: one backend for the group, and the loop. */
#ifndef TL_TESTS_GROUP_H
#define TL_TESTS_GROUP_H

#include "faulty.h"
#include "loop.h"
#include "nonces.h"
#include "testing.h"

#include <trueline/openssl.h>

#include <stdlib.h>
#include <string.h>

static tl_openssl *backend;
static const tl_crypto *crypto;

static int open_backend(void **state)
{
    (void)state;
    tl_assert_ok(tl_openssl_open(NULL, &backend));
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
