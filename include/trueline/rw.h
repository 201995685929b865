/* The byte reader and the byte writer. Every access is bounded by them; the first failure sticks.
 * Only tl_take and tl_room touch a pointer. Included by base.h; the contracts are proved by `make prove`. */
#ifndef TRUELINE_RW_H
#define TRUELINE_RW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <trueline/base.h>

/* Reads: p is the next byte, n what is left. Initialise with tl_rd_of. */
typedef struct tl_rd {
    const uint8_t *p;
    size_t n;
    bool bad;
} tl_rd;

/* Writes: n bytes of cap are written. p == NULL counts only: sizes are found without a buffer.
 * Initialise with tl_wr_of or tl_wr_counting. */
typedef struct tl_wr {
    uint8_t *p;
    size_t n, cap;
    bool bad;
} tl_wr;

/* Which end of an integer comes first. */
typedef enum tl_order { TL_LITTLE = 0, TL_BIG } tl_order;

static inline tl_rd tl_rd_of(tl_span s)
{
    return (tl_rd){ s.p, s.n, false };
}

/* Writes to cap bytes at p. A writer of no bytes (NULL, 0) is allowed, and refuses the first one. */
static inline tl_wr tl_wr_of(uint8_t *p, size_t cap)
{
    return (tl_wr){ p, 0, cap, false };
}

/* Writes nothing and counts: n is what a buffer would need. */
static inline tl_wr tl_wr_counting(void)
{
    return (tl_wr){ NULL, 0, SIZE_MAX, false };
}

/* The next n bytes, or NULL if there are not so many or the reader is bad; it is bad from then on.
 * Of an empty reader's NULL, no bytes are NULL too: ask `bad` where n may be 0. */
static inline const uint8_t *tl_take(tl_rd *r, size_t n)
{
    const uint8_t *p = r->p;

    if (r->bad || n > r->n) {
        r->bad = true;
        return NULL;
    }
    if (n > 0) {
        r->p += n;
        r->n -= n;
    }
    return p;
}

/* Room for n more bytes, or NULL if nothing is to be written: there is no room or the writer was bad, and
 * it is bad from then on; or it counts only. The caller writes all n bytes, or none at NULL. */
static inline uint8_t *tl_room(tl_wr *w, size_t n)
{
    size_t at = w->n;

    if (w->bad || n > w->cap - w->n) {
        w->bad = true;
        return NULL;
    }
    w->n += n;
    return w->p ? w->p + at : NULL;
}

/* True if v can be written in n bytes. */
static inline bool tl_fits(uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        v /= 256;
    return v == 0;
}

/* An unsigned integer of n bytes, 1..8. 0 if the reader is bad or becomes so. */
static inline uint64_t tl_get(tl_rd *r, unsigned n, tl_order order)
{
    const uint8_t *p = tl_take(r, n);
    uint64_t v = 0;

    if (p == NULL)
        return 0;
    for (unsigned i = 0; i < n; i++)
        v = v * 256 + p[order == TL_BIG ? i : n - 1 - i];
    return v;
}

/* Writes v in n bytes, 1..8. A value that needs more makes the writer bad. */
static inline void tl_put(tl_wr *w, unsigned n, tl_order order, uint64_t v)
{
    uint8_t *p;

    if (!tl_fits(v, n)) {
        w->bad = true;
        return;
    }
    p = tl_room(w, n);
    if (p == NULL)
        return;
    for (unsigned i = 0; i < n; i++) {
        p[order == TL_BIG ? n - 1 - i : i] = (uint8_t)(v % 256);
        v /= 256;
    }
}

/* A view of the next n bytes; {NULL, 0} if the reader is bad or becomes so. */
static inline tl_span tl_get_bytes(tl_rd *r, size_t n)
{
    const uint8_t *p = tl_take(r, n);

    return (tl_span){ p, r->bad ? 0 : n };
}

/* A view of all that is left. */
static inline tl_span tl_rd_rest(tl_rd *r)
{
    return tl_get_bytes(r, r->n);
}

/* True if no read has failed and nothing is left: a parser's last word. */
static inline bool tl_rd_end(const tl_rd *r)
{
    return !r->bad && r->n == 0;
}

/* Writes the bytes of s, which must not overlap the buffer. */
static inline void tl_put_bytes(tl_wr *w, tl_span s)
{
    uint8_t *p = tl_room(w, s.n);

    if (p == NULL)
        return;
    for (size_t i = 0; i < s.n; i++)
        p[i] = s.p[i];
}

/* Writes n zero bytes. */
static inline void tl_put_zeros(tl_wr *w, size_t n)
{
    uint8_t *p = tl_room(w, n);

    if (p == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        p[i] = 0;
}

/* Reserves a length field of n bytes, 1..8, and gives its place for tl_fill. */
static inline size_t tl_mark(tl_wr *w, unsigned n)
{
    size_t at = w->n;

    tl_put_zeros(w, n);
    return at;
}

/* Writes how many bytes stand behind the field that tl_mark gave, into that field of n bytes. A length that
 * does not fit, or a mark beyond the end, makes the writer bad. */
static inline void tl_fill(tl_wr *w, size_t mark, unsigned n, tl_order order)
{
    size_t end = w->n;

    if (mark > end || n > end - mark) {
        w->bad = true;
        return;
    }
    w->n = mark;
    tl_put(w, n, order, end - mark - n);
    w->n = end;
}

/* A view of what was written since n was `from`. Empty if the writer is bad or counts only. */
static inline tl_span tl_since(const tl_wr *w, size_t from)
{
    if (w->bad || w->p == NULL || from > w->n)
        return (tl_span){ NULL, 0 };
    return (tl_span){ w->p + from, w->n - from };
}

/* A view of all that was written. Empty if the writer is bad or counts only. */
static inline tl_span tl_written(const tl_wr *w)
{
    return tl_since(w, 0);
}

#endif
