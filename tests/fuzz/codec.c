/* Arbitrary bytes as every message of the layout, and as messages of every kind of row:
 *     what decodes is encoded to as many bytes, which counting finds too
 *     these decode to the same members
 *     with one byte less, of room or of input, both fail, and what failed to decode is zero
 * The first bytes name the message, the version and the negotiated sizes. */
#include "expect.h"

#include <stdlib.h>
#include <string.h>

#include "kinds.h"

enum { KINDS = sizeof kinds / sizeof *kinds - 1, CHOICES = 2 + TL_LEN_N, STRUCT_MAX = 512 };

typedef union any {
    uint64_t align;
    uint8_t bytes[STRUCT_MAX];
    tl_span span;
} any;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const tl_message *message(unsigned choice)
{
    unsigned count = 0;

    while (tl_messages[count].name != NULL)
        count++;
    choice %= count + KINDS;
    return choice < count ? &tl_messages[choice] : &kinds[choice - count];
}

static bool is_span(const tl_field *f)
{
    switch (f->kind) {
    case TL_ROW_RAW:
    case TL_ROW_SIZED:
    case TL_ROW_LV:
    case TL_ROW_BY:
    case TL_ROW_REST:
    case TL_ROW_BODY: return true;
    default: return false;
    }
}

/* The members of both are equal: integers, and the bytes that spans show. */
static void expect_same(const tl_field *rows, const any *a, const any *b)
{
    for (const tl_field *f = rows; f->kind != TL_ROW_END; f++) {
        bool wide = (f->kind == TL_ROW_INT || f->kind == TL_ROW_INTB) && f->arg == 8;
        tl_span s, t;

        if (f->kind == TL_ROW_RSV || f->kind == TL_ROW_BOX)
            continue;
        if (!is_span(f)) {
            expect(memcmp(a->bytes + f->off, b->bytes + f->off, wide ? 8 : 4) == 0);
            continue;
        }
        memcpy(&s, a->bytes + f->off, sizeof s);
        memcpy(&t, b->bytes + f->off, sizeof t);
        expect(tl_equal(s, t));
    }
}

static void expect_zero(const any *m, size_t n)
{
    for (size_t i = 0; i < n; i++)
        expect(m->bytes[i] == 0);
}

/* The members of m, which took `used` bytes, there and back. */
static void round_trip(const tl_message *message, const tl_env *e, const any *m, size_t used)
{
    const tl_field *rows = message->rows();
    uint8_t *out = malloc(used + 1), *exact = malloc(used > 0 ? used : 1);
    tl_wr w = tl_wr_of(out, used), c = tl_wr_counting();
    tl_rd r;
    any again;

    expect(out != NULL && exact != NULL);
    expect(tl_encode(rows, e, m, &c) == TL_OK && c.n == used);
    expect(tl_encode(rows, e, m, &w) == TL_OK && w.n == used);
    memcpy(exact, out, used);
    r = tl_rd_of(tl_span_of(exact, used));
    memset(&again, 0xBB, sizeof again);
    expect(tl_decode(rows, e, &r, &again) == TL_OK && tl_rd_end(&r));
    expect_same(rows, m, &again);
    if (used > 0) {
        w = tl_wr_of(out, used - 1);
        expect(tl_encode(rows, e, m, &w) == TL_E_ROOM && w.n == 0);
    }
    free(exact);
    free(out);
}

/* Does the length of this message follow from its input's end? Then one byte less may be a message too. */
static bool is_open(const tl_field *rows)
{
    while (rows->kind != TL_ROW_END && rows->kind != TL_ROW_REST && rows->kind != TL_ROW_BODY)
        rows++;
    return rows->kind != TL_ROW_END;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tl_env e = { .version = 0 };
    const tl_message *what;
    const tl_field *rows;
    tl_rd r, list;
    size_t used;
    any m;

    if (size < CHOICES)
        return 0;
    what = message(data[0]);
    rows = what->rows();
    e.version = data[1] % 6;
    for (size_t i = 0; i < TL_LEN_N; i++)
        e.len[i] = data[2 + i];
    r = list = tl_rd_of(tl_span_of(data + CHOICES, size - CHOICES));
    expect(what->size <= sizeof m);
    memset(&m, 0xAA, sizeof m);
    if (tl_decode(rows, &e, &r, &m) != TL_OK) {
        expect(r.bad);
        expect_zero(&m, what->size);
        return 0;
    }
    used = size - CHOICES - r.n;
    round_trip(what, &e, &m, used);
    while (tl_each(rows, &list, &e, &m))
        continue;
    expect(list.bad || list.n == 0);
    if (used > 0 && !is_open(rows)) {
        r = tl_rd_of(tl_span_of(data + CHOICES, used - 1));
        expect(tl_decode(rows, &e, &r, &m) == TL_E_WIRE_SHORT);
    }
    return 0;
}
