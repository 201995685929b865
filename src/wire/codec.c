/* The walkers: one decoder and one encoder for all messages.
 *
 * A walk goes on to the last row whatever it meets, because the reader's and the writer's errors stick and
 * take the rest of the walk with them; what was wrong is decided once, at its end. A wrong value is told
 * before missing room, since more room would not help; a short input before a wrong value, since the value
 * may not have been read.
 *
 *   odd    bits that must be zero and are not: of a box, or of a value above its field */
#include <string.h>
#include <trueline/codec.h>

static tl_order order_of(const tl_field *f)
{
    return f->kind == TL_ROW_INTB || f->kind == TL_ROW_OPTB ? TL_BIG : TL_LITTLE;
}

static bool is_int(const tl_field *f)
{
    return f->kind == TL_ROW_INT || f->kind == TL_ROW_INTB;
}

static unsigned bit_shift(const tl_field *f)
{
    return f->arg >> 8;
}

static uint32_t bit_mask(const tl_field *f)
{
    return ((uint32_t)1 << (f->arg & 31)) - 1;
}

/* ---- the struct's members ---- */

static uint32_t u32_at(const void *m, size_t off)
{
    return *(const uint32_t *)(const void *)((const uint8_t *)m + off);
}

static uint64_t int_of(const void *m, const tl_field *f)
{
    if (is_int(f) && f->arg == 8)
        return *(const uint64_t *)(const void *)((const uint8_t *)m + f->off);
    return u32_at(m, f->off);
}

static void set_int(void *m, const tl_field *f, uint64_t v)
{
    void *at = (uint8_t *)m + f->off;

    if (is_int(f) && f->arg == 8)
        *(uint64_t *)at = v;
    else
        *(uint32_t *)at = (uint32_t)v;
}

static tl_span span_of(const void *m, const tl_field *f)
{
    return *(const tl_span *)(const void *)((const uint8_t *)m + f->off);
}

static void set_span(void *m, const tl_field *f, tl_span s)
{
    *(tl_span *)(void *)((uint8_t *)m + f->off) = s;
}

/* ---- sizes ---- */

enum { OPT_MAX = 4 };

/* Bytes of an integer row. Sets *usage if the negotiated size is none that the member can hold. */
static unsigned int_size(const tl_field *f, const tl_env *e, bool *usage)
{
    if (is_int(f))
        return f->arg;
    if (e->len[f->arg] <= OPT_MAX)
        return e->len[f->arg];
    *usage = true;
    return 0;
}

/* Bytes of a span row when reading; a size that no input has stands for "too short". */
static size_t span_size(const tl_field *f, const tl_env *e, tl_rd *r, const void *m)
{
    switch (f->kind) {
    case TL_ROW_RAW: return f->arg;
    case TL_ROW_SIZED: return e->len[f->arg];
    case TL_ROW_LV: return (size_t)tl_get(r, f->arg, TL_LITTLE);
    case TL_ROW_BY: return u32_at(m, f->arg);
    case TL_ROW_BODY: {
        size_t trailer = (size_t)e->len[f->arg & 0xFF] + (f->arg >> 8);

        return trailer > r->n ? SIZE_MAX : r->n - trailer;
    }
    default: return r->n;
    }
}

static size_t struct_size(const tl_field *f)
{
    while (f->kind != TL_ROW_END)
        f++;
    return f->off;
}

/* ---- reading ---- */

tl_err tl_decode(const tl_field *rows, const tl_env *e, tl_rd *r, void *m)
{
    uint32_t box = 0, odd = 0; /* box: the bits that no row has taken yet */
    bool usage = false;

    for (const tl_field *f = rows; f->kind != TL_ROW_END; f++) {
        bool here = e->version >= f->since;

        switch (f->kind) {
        case TL_ROW_INT:
        case TL_ROW_INTB:
        case TL_ROW_OPT:
        case TL_ROW_OPTB: set_int(m, f, here ? tl_get(r, int_size(f, e, &usage), order_of(f)) : 0); break;
        case TL_ROW_BOX:
            odd |= box;
            box = here ? (uint32_t)tl_get(r, f->arg, TL_LITTLE) : 0;
            break;
        case TL_ROW_BIT:
            set_int(m, f, box >> bit_shift(f) & bit_mask(f));
            box &= ~(bit_mask(f) << bit_shift(f));
            break;
        case TL_ROW_RSV: (void)tl_take(r, here ? f->arg : 0); break;
        default: set_span(m, f, tl_get_bytes(r, here ? span_size(f, e, r, m) : 0)); break;
        }
    }
    odd |= box;
    if (!usage && !r->bad && odd == 0)
        return TL_OK;
    memset(m, 0, struct_size(rows));
    if (usage || !r->bad) {
        r->bad = true;
        return usage ? TL_E_USAGE : TL_E_WIRE_VALUE;
    }
    return TL_E_WIRE_SHORT;
}

bool tl_each(const tl_field *rows, tl_rd *r, const tl_env *e, void *m)
{
    size_t before = r->n;

    if (r->bad || r->n == 0)
        return false;
    if (tl_decode(rows, e, r, m) != TL_OK)
        return false;
    if (r->n < before)
        return true;
    r->bad = true;
    return false;
}

/* ---- writing ---- */

/* The value of a box, from the rows of its bits. */
static uint32_t box_of(const tl_field *box, const void *m, uint64_t *odd)
{
    uint32_t value = 0;

    for (const tl_field *f = box + 1; f->kind == TL_ROW_BIT; f++) {
        uint32_t v = u32_at(m, f->off);

        *odd |= v & ~bit_mask(f);
        value |= (v & bit_mask(f)) << bit_shift(f);
    }
    return value;
}

/* Writes one span row. */
static void put_span(const tl_field *f, const tl_env *e, const void *m, tl_wr *w, uint64_t *odd)
{
    tl_span s = span_of(m, f);
    size_t n = s.n;

    switch (f->kind) {
    case TL_ROW_RAW: n = f->arg; break;
    case TL_ROW_SIZED: n = e->len[f->arg]; break;
    case TL_ROW_BY: n = u32_at(m, f->arg); break;
    case TL_ROW_LV:
        if (tl_fits(n, f->arg))
            tl_put(w, f->arg, TL_LITTLE, n);
        else
            *odd = 1;
        break;
    default: break;
    }
    if (n == s.n)
        tl_put_bytes(w, s);
    else
        *odd = 1;
}

/* Takes back what was written since `start`. */
static tl_err give_up(tl_wr *w, size_t start, tl_err why)
{
    if (w->p)
        tl_wipe(w->p + start, w->n - start);
    w->n = start;
    w->bad = true;
    return why;
}

tl_err tl_encode(const tl_field *rows, const tl_env *e, const void *m, tl_wr *w)
{
    size_t start = w->n;
    uint64_t odd = 0;
    bool usage = false;

    for (const tl_field *f = rows; f->kind != TL_ROW_END; f++) {
        unsigned n;

        if (e->version < f->since)
            continue;
        switch (f->kind) {
        case TL_ROW_INT:
        case TL_ROW_INTB:
        case TL_ROW_OPT:
        case TL_ROW_OPTB:
            n = int_size(f, e, &usage);
            if (tl_fits(int_of(m, f), n))
                tl_put(w, n, order_of(f), int_of(m, f));
            else
                odd = 1;
            break;
        case TL_ROW_BOX: tl_put(w, f->arg, TL_LITTLE, box_of(f, m, &odd)); break;
        case TL_ROW_BIT: break;
        case TL_ROW_RSV: tl_put_zeros(w, f->arg); break;
        default: put_span(f, e, m, w, &odd); break;
        }
    }
    if (usage)
        return give_up(w, start, TL_E_USAGE);
    if (odd != 0)
        return give_up(w, start, TL_E_WIRE_VALUE);
    return w->bad ? give_up(w, start, TL_E_ROOM) : TL_OK;
}
