/* The covered bytes of a message, cut into runs of whole blocks.
 *
 * They lie in pieces: the header, the payload, or the parts of the payload inside a pattern. Where a piece is long,
 * a run lies in it, and nothing is copied; a block that straddles pieces, short pieces and the padded end are
 * gathered in the stage. Most messages are one piece: the header stands directly before the payload. */
#include "inner.h"

/* A shorter run in place is not worth a call of its own. */
enum { RUN_IN_PLACE = 4 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool covers_payload(const tl_sealed *m, tl__pad pad)
{
    return m->cover == TL_COVER_PAYLOAD || (m->cover == TL_COVER_ENCRYPTED && pad == TL__PAD_CMAC);
}

/* Of a payload's n bytes, how many a pattern has inside. */
static size_t count_inside(tl_pattern pattern, size_t n)
{
    if (n <= pattern.first)
        return 0;
    size_t from_first = n - pattern.first;
    return from_first / pattern.period * pattern.count + least(from_first % pattern.period, pattern.count);
}

static bool adjacent(const tl_sealed *m)
{
    return m->header.n == 0 || (m->payload_n != 0 && m->header.p + m->header.n == m->payload);
}

/* The payload's part inside the pattern that `next` stands before or in; then `next` is behind it. */
static tl_span next_inside(tl_lanes_place *w)
{
    const tl_sealed *m = w->message;
    size_t begin = w->next;
    if (begin >= m->payload_n)
        return (tl_span){ NULL, 0 };
    size_t n = least(m->pattern.count, m->payload_n - begin);
    w->next = begin + m->pattern.period;
    return tl_span_of(m->payload + begin, n);
}

static void next_piece(tl_lanes_place *w)
{
    const tl_sealed *m = w->message;
    if (m->cover == TL_COVER_PATTERN)
        w->piece = next_inside(w);
    else
        w->piece = tl_span_of(m->payload, m->payload_n);
}

bool tl__runs_whole(const tl_sealed *m, tl_span *whole)
{
    *whole = m->header;
    if (m->cover == TL_COVER_HEADER || (m->cover == TL_COVER_PAYLOAD && m->payload_n == 0))
        return true;
    if (m->cover != TL_COVER_PAYLOAD || !adjacent(m))
        return false;
    *whole = tl_span_of(m->payload - m->header.n, m->header.n + m->payload_n);
    return true;
}

size_t tl__runs_start(tl_lanes_place *w, const tl_lanes_key *key, tl_sealed *m, tl__pad pad)
{
    w->key = key;
    w->message = m;
    w->run_n = 0;
    w->piece = m->header;
    w->next = m->pattern.first;
    w->left = m->header.n;
    w->hold = (uint8_t)pad;
    w->last = false;
    if (m->cover == TL_COVER_PATTERN)
        w->left += count_inside(m->pattern, m->payload_n);
    if (covers_payload(m, pad)) {
        w->left += m->payload_n;
        if (adjacent(m))
            w->piece = tl_span_of(m->payload_n != 0 ? m->payload - m->header.n : m->header.p, w->left);
    }
    return w->left;
}

/* Blocks of the piece that can be a run in place. */
static size_t in_place(const tl_lanes_place *w)
{
    size_t usable = w->left > w->hold ? least(w->piece.n, w->left - w->hold) : 0;
    return usable / TL__BLOCK;
}

static void take(tl_lanes_place *w, size_t n)
{
    w->piece.p += n;
    w->piece.n -= n;
    w->left -= n;
}

/* Gathers until the stage is full, the end is reached, or a run in place can go on. Gives the bytes. */
static size_t gather(tl_lanes_place *w)
{
    size_t n = 0;
    while (w->left != 0 && n < TL_LANES_STAGE) {
        if (w->piece.n == 0) {
            next_piece(w);
            continue;
        }
        size_t some = least(w->piece.n, TL_LANES_STAGE - n);
        if (in_place(w) > RUN_IN_PLACE) {
            some = (TL__BLOCK - n % TL__BLOCK) % TL__BLOCK;
            if (some == 0)
                break;
        }
        memcpy(w->stage + n, w->piece.p, some);
        n += some;
        take(w, some);
    }
    return n;
}

void tl__cmac_last(const tl_lanes_key *key, uint8_t block[TL__BLOCK], size_t n)
{
    const uint8_t *subkey = key->subkey[n == TL__BLOCK ? 0 : 1];
    if (n < TL__BLOCK) {
        memset(block + n, 0, TL__BLOCK - n);
        block[n] = 0x80;
    }
    for (size_t i = 0; i < TL__BLOCK; i++)
        block[i] ^= subkey[i];
}

/* Pads the stage's n bytes, which end the message. */
static void finish_stage(tl_lanes_place *w, size_t n)
{
    size_t begin = n == 0 ? 0 : (n - 1) / TL__BLOCK * TL__BLOCK;
    if (w->hold == TL__PAD_CMAC)
        tl__cmac_last(w->key, w->stage + begin, n - begin);
    else
        memset(w->stage + n, 0, begin + TL__BLOCK - n);
    w->run_n = begin / TL__BLOCK + 1;
}

bool tl__runs_next(tl_lanes_place *w)
{
    if (w->last || (w->left == 0 && w->hold == TL__PAD_GHASH))
        return false;
    while (w->left != 0 && w->piece.n == 0)
        next_piece(w);
    size_t blocks = in_place(w);
    if (blocks >= RUN_IN_PLACE) {
        w->run = w->piece.p;
        w->run_n = blocks;
        take(w, blocks * TL__BLOCK);
        w->last = w->left == 0;
        return true;
    }
    size_t n = gather(w);
    w->run = w->stage;
    w->run_n = n / TL__BLOCK;
    w->last = w->left == 0;
    if (w->last)
        finish_stage(w, n);
    return true;
}
