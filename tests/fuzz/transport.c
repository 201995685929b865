/* Arbitrary bytes as a message of each transport. What is decoded must encode to the same bytes, and what is wrapped
 * must unwrap to itself. Fed to tl_tcp_more a byte at a time, they must be asked for exactly until they are whole. */
#include "expect.h"

#include <stdlib.h>
#include <string.h>

#include <trueline/transport.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const tl_transport *t, uint8_t *p, size_t n, uint8_t *room)
{
    tl_wr w = tl_wr_of(room, n);
    tl_carried m;

    if (t->decode(p, n, &m) != TL_OK) {
        expect(m.p == NULL && m.n == 0);
        return;
    }
    expect(m.p == p + t->head && m.n == n - t->head);
    expect(t->encode(m.kind, tl_span_of(m.p, m.n), &w) == TL_OK);
    expect(w.n == n && memcmp(room, p, n) == 0);
}

static void wrap_trip(const tl_spdm_binding *b, tl_span application, uint8_t *room)
{
    tl_wr w = tl_wr_of(room, application.n);
    tl_span message;

    if (b->unwrap(application, &message) != TL_OK)
        return;
    expect(b->wrap(message, &w) == TL_OK);
    expect(tl_equal(tl_written(&w), application));
}

/* Reads as a stream would, and agrees with decode on the first message. */
static void reassemble(uint8_t *p, size_t n)
{
    size_t have = 0, more;
    tl_carried m;
    tl_err e = TL_OK;

    do {
        e = tl_tcp_more(tl_span_of(p, have), &more);
        if (e != TL_OK || more > n - have)
            break;
        have += more;
    } while (more > 0);
    if (e == TL_OK && more == 0)
        expect(tl_tcp_decode(p, have, &m) == TL_OK);
    else
        expect(tl_tcp_decode(p, n, &m) != TL_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *p = malloc(size + 1), *room = malloc(size + 1);

    if (p == NULL || room == NULL)
        abort();
    if (size > 0)
        memcpy(p, data, size);
    round_trip(&tl_transport_tcp, p, size, room);
    round_trip(&tl_transport_mctp, p, size, room);
    wrap_trip(&tl_transport_tcp.binding, tl_span_of(p, size), room);
    wrap_trip(&tl_transport_mctp.binding, tl_span_of(p, size), room);
    reassemble(p, size);
    free(p);
    free(room);
    return 0;
}
