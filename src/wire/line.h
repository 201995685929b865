/* The rows of line.def as straight-line code, for what every packet carries: tl_unpack_NAME and
 * tl_pack_NAME are tl_decode_NAME and tl_encode_NAME in all but speed. The size of a message is summed up
 * first and taken at once; with the compiler's inlining a fixed-size header then costs one comparison and a
 * few loads or stores. */
#ifndef TRUELINE_WIRE_LINE_H
#define TRUELINE_WIRE_LINE_H

#include <string.h>
#include <trueline/messages.h>

/* More bytes than any message has, and a fourth of what size_t holds: a sum of a few does not overflow. */
#define TL__NEVER (SIZE_MAX / 4 + 1)

static inline bool tl__here(const tl_env *e, unsigned since)
{
    return e->version >= since;
}

static inline size_t tl__if(const tl_env *e, unsigned since, size_t n)
{
    return tl__here(e, since) ? n : 0;
}

static inline size_t tl__opt(size_t n)
{
    return n <= 4 ? n : TL__NEVER;
}

/* Not 0 if v needs more than n bytes. */
static inline uint64_t tl__over(uint64_t v, size_t n)
{
    return n >= 8 ? 0 : v >> 8 * n;
}

/* ---- reading: from *p on, which tl_take has given ---- */

static inline uint64_t tl__load(const uint8_t **p, size_t n, tl_order order)
{
    const uint8_t *b = *p;
    uint64_t v = 0;

#define TL__BYTE(i) (i < n ? (uint64_t)b[i] << 8 * (order == TL_BIG ? n - 1 - i : i) : 0)
    v = TL__BYTE(0) | TL__BYTE(1) | TL__BYTE(2) | TL__BYTE(3) | TL__BYTE(4) | TL__BYTE(5) | TL__BYTE(6) |
        TL__BYTE(7);
#undef TL__BYTE
    *p += n;
    return v;
}

static inline tl_span tl__view(const uint8_t **p, size_t n)
{
    tl_span s = { *p, n };

    *p += n;
    return s;
}

static inline uint32_t tl__bits(uint32_t *box, unsigned shift, unsigned width)
{
    uint32_t mask = ((uint32_t)1 << width) - 1, v = *box >> shift & mask;

    *box &= ~(mask << shift);
    return v;
}

/* ---- writing: to *p on, which tl_room has given ---- */

static inline tl_err tl__make_room(tl_wr *w, size_t size, uint64_t odd, uint8_t **p)
{
    if (size >= TL__NEVER || odd != 0) {
        w->bad = true;
        return size >= TL__NEVER ? TL_E_USAGE : TL_E_WIRE_VALUE;
    }
    *p = tl_room(w, size);
    return w->bad ? TL_E_ROOM : TL_OK;
}

static inline void tl__store(uint8_t **p, size_t n, tl_order order, uint64_t v)
{
    uint8_t *b = *p;

#define TL__BYTE(i)                                                                                          \
    if (i < n)                                                                                               \
    b[i] = (uint8_t)(v >> 8 * (order == TL_BIG ? n - 1 - i : i))
    TL__BYTE(0);
    TL__BYTE(1);
    TL__BYTE(2);
    TL__BYTE(3);
    TL__BYTE(4);
    TL__BYTE(5);
    TL__BYTE(6);
    TL__BYTE(7);
#undef TL__BYTE
    *p += n;
}

static inline void tl__clear(uint8_t **p, size_t n)
{
    memset(*p, 0, n);
    *p += n;
}

static inline void tl__copy(uint8_t **p, size_t n, tl_span s)
{
    if (n > 0)
        memcpy(*p, s.p, n);
    *p += n;
}

/* A box whose place is kept while its bits come in. */
typedef struct tl__box {
    uint8_t *at;
    size_t n;
    uint32_t bits;
} tl__box;

static inline tl__box tl__open(uint8_t **p, size_t n)
{
    tl__box box = { *p, n, 0 };

    *p += n;
    return box;
}

static inline void tl__close(tl__box *box)
{
    if (box->n > 0)
        tl__store(&box->at, box->n, TL_LITTLE, box->bits);
}

#include "line/size.h"
#include <trueline/layout/line.def>
#include <trueline/def/none.h>

#include "line/odd.h"
#include <trueline/layout/line.def>
#include <trueline/def/none.h>

#include "line/unpack.h"
#include <trueline/layout/line.def>
#include <trueline/def/none.h>

#include "line/pack.h"
#include <trueline/layout/line.def>
#include <trueline/def/none.h>

#endif
