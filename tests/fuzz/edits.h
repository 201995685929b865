/* A list of packets that a fuzz target's input edits: dropped, swapped, repeated, cut, bits flipped with or without
 * checksums made right again, foreign bytes put in. */
#ifndef TL_FUZZ_EDITS_H
#define TL_FUZZ_EDITS_H

#include "expect.h"

#include <stdlib.h>
#include <string.h>

#include <trueline/rw.h>
#include <trueline/stream.h>

enum { EDITS_MAX = 64 };

typedef struct edits {
    tl_buffer list[EDITS_MAX];
    size_t n;
    void (*repair)(tl_buffer packet); /* makes the packet's checksums right, if it has any */
} edits;

/* Heap memory of exactly that size: a read past its end is noticed. */
static inline tl_buffer copy_of(const uint8_t *p, size_t n)
{
    tl_buffer b = { malloc(n > 0 ? n : 1), n };

    expect(b.p != NULL);
    if (n > 0)
        memcpy(b.p, p, n);
    return b;
}

/* Copies of what was recorded. */
static inline void edits_begin(edits *e, const tl_buffer *packets, size_t n)
{
    for (e->n = 0; e->n < n; e->n++)
        e->list[e->n] = copy_of(packets[e->n].p, packets[e->n].n);
}

static inline void edits_put_in(edits *e, size_t at, tl_buffer packet)
{
    if (e->n == EDITS_MAX) {
        free(packet.p);
        return;
    }
    memmove(e->list + at + 1, e->list + at, (e->n - at) * sizeof *e->list);
    e->list[at] = packet;
    e->n++;
}

static inline void edits_take_out(edits *e, size_t at)
{
    free(e->list[at].p);
    e->n--;
    memmove(e->list + at, e->list + at + 1, (e->n - at) * sizeof *e->list);
}

/* One edit; `at` and `x` are what the input says. */
static inline void edits_one(edits *e, unsigned what, size_t at, size_t x, tl_rd *in)
{
    tl_buffer *p, kept;
    tl_span junk;

    if (e->n == 0)
        return;
    p = &e->list[at %= e->n];
    switch (what % 7) {
    case 0: edits_take_out(e, at); break;
    case 1:
        kept = *p;
        *p = e->list[x % e->n];
        e->list[x % e->n] = kept;
        break;
    case 2: edits_put_in(e, x % (e->n + 1), copy_of(p->p, p->n)); break;
    case 3:
    case 4:
        if (p->n > 0)
            p->p[x % p->n] ^= (uint8_t)(1u << (x >> 8) % 8);
        break;
    case 5:
        kept = copy_of(p->p, x % (p->n + 1));
        free(p->p);
        *p = kept;
        break;
    default:
        junk = tl_get_bytes(in, x % 256 < in->n ? x % 256 : in->n);
        edits_put_in(e, at, copy_of(junk.p, junk.n));
    }
    if (what & 0x80 && at < e->n && what % 7 >= 3)
        e->repair(e->list[at]);
}

/* All edits that the rest of the input holds; false if there was none. */
static inline bool edits_all(edits *e, tl_rd *in)
{
    bool changed = false;

    for (in->bad = false; in->n >= 4; changed = true) {
        unsigned what = (unsigned)tl_get(in, 1, TL_LITTLE);
        size_t at = (size_t)tl_get(in, 1, TL_LITTLE), x = (size_t)tl_get(in, 2, TL_LITTLE);
        edits_one(e, what, at, x, in);
    }
    return changed;
}

static inline void edits_end(edits *e)
{
    while (e->n > 0)
        edits_take_out(e, e->n - 1);
}

#endif
