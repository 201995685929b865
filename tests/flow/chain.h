/* The loop over a backend that can fail, and whose nonces are recorded in front of it. */
#ifndef TL_TESTS_CHAIN_H
#define TL_TESTS_CHAIN_H

#include "group.h"

typedef struct chain {
    tl_nonces nonces;
    tl_faulty faulty;
    tl_loop loop;
} chain;

static inline void start(chain *c)
{
    tl_nonces_init(&c->nonces, crypto, TL_NONCES_FAIL);
    c->nonces.ends = 2;
    tl_faulty_init(&c->faulty, tl_nonces_crypto(&c->nonces), 0);
    tl_loop_init(&c->loop, tl_faulty_crypto(&c->faulty));
}

static inline void finish(chain *c)
{
    tl_loop_close(&c->loop);
    tl_faulty_assert_clean(&c->faulty);
    assert_int_equal(c->nonces.repeats, 0);
    tl_nonces_free(&c->nonces);
}

#endif
