/* A crypto backend that fails on demand, and keeps count of what is live.
 *
 * A test runs its subject once without a fault to learn the number of calls, then once for each n:
 *
 *     for (unsigned long n = 1;; n++) {
 *         tl_faulty f;
 *         tl_faulty_init(&f, inner, n);
 *         tl_err e = subject(tl_faulty_crypto(&f));
 *         tl_faulty_assert_clean(&f);
 *         if (!f.failed)
 *             break;                      all calls have had their turn, and e is TL_OK
 *         assert_int_not_equal(e, TL_OK);
 *     }                                                                                           */
#ifndef TL_TESTS_FAULTY_H
#define TL_TESTS_FAULTY_H

#include "wrap.h"

enum { TL_FAULTY_LIVE_MAX = 256 };

/* Live handles of one kind. */
typedef struct tl_faulty_live {
    uint32_t slots[TL_FAULTY_LIVE_MAX];
    size_t n;
} tl_faulty_live;

typedef struct tl_faulty {
    tl_wrap wrap;
    unsigned long calls;   /* of all operations that can fail, since init */
    unsigned long fail_at; /* the call that fails, from 1; 0: none. May be changed at any time */
    bool failed;           /* it has */
    tl_faulty_live hashes, keys, macs;
    unsigned long strays; /* drops and uses of a handle that is not live; dropping 0 is none */
} tl_faulty;

/* Fails the fail_at-th call, counted over all operations, with what a real backend would leave behind:
 * TL_E_RANDOM or TL_E_BACKEND, outputs zeroized, encrypted payloads wiped. */
void tl_faulty_init(tl_faulty *f, const tl_crypto *inner, unsigned long fail_at);
const tl_crypto *tl_faulty_crypto(const tl_faulty *f);
/* Fails the test unless every hash, key and MAC was given back, and no dead handle was used. */
void tl_faulty_assert_clean(const tl_faulty *f);

#endif
