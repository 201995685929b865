/* Row tables are data, so they can be checked: every table of the layout and of the tests is, and tables
 * broken on purpose must be refused by the same checker. Then the straight-line code against the walkers,
 * on random messages. */
#include <trueline/base.h>
#include "testing.h"
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <trueline/layout/limits.h>
#include "kinds.h"
#include "wire/line.h"

#include "wire/line/size.h"
#include "kinds_line.def"
#include <trueline/def/none.h>

#include "wire/line/odd.h"
#include "kinds_line.def"
#include <trueline/def/none.h>

#include "wire/line/unpack.h"
#include "kinds_line.def"
#include <trueline/def/none.h>

#include "wire/line/pack.h"
#include "kinds_line.def"
#include <trueline/def/none.h>

/* ---- the checker ---- */

static bool is_span(unsigned kind)
{
    return kind == TL_ROW_RAW || kind == TL_ROW_SIZED || kind == TL_ROW_LV || kind == TL_ROW_BY ||
           kind == TL_ROW_REST || kind == TL_ROW_BODY;
}

static bool is_u64(const tl_field *f)
{
    return (f->kind == TL_ROW_INT || f->kind == TL_ROW_INTB) && f->arg == 8;
}

static bool has_member(const tl_field *f)
{
    return f->kind != TL_ROW_RSV && f->kind != TL_ROW_BOX;
}

/* Kind and argument of one row by itself. */
static const char *argument_fault(const tl_field *f)
{
    switch (f->kind) {
    case TL_ROW_INT: return f->arg >= 1 && (f->arg <= 4 || f->arg == 8) ? NULL : "integer size";
    case TL_ROW_INTB: return f->arg >= 2 && (f->arg <= 4 || f->arg == 8) ? NULL : "integer size";
    case TL_ROW_OPT:
    case TL_ROW_OPTB:
    case TL_ROW_SIZED: return f->arg < TL_LEN_N ? NULL : "class";
    case TL_ROW_BODY: return (f->arg & 0xFF) < TL_LEN_N ? NULL : "class";
    case TL_ROW_RSV:
    case TL_ROW_RAW: return f->arg >= 1 ? NULL : "empty";
    case TL_ROW_LV: return f->arg == 1 || f->arg == 2 ? NULL : "length size";
    case TL_ROW_BOX: return f->arg == 1 || f->arg == 2 || f->arg == 4 ? NULL : "box size";
    case TL_ROW_BIT:
    case TL_ROW_BY:
    case TL_ROW_REST: return NULL;
    default: return "kind";
    }
}

/* The bits behind a box: each inside it, none taken twice. */
static const char *box_fault(const tl_field *box)
{
    uint64_t taken = 0;

    for (const tl_field *f = box + 1; f->kind == TL_ROW_BIT; f++) {
        unsigned shift = f->arg >> 8, width = f->arg & 0xFF;
        uint64_t bits;

        if (width < 1 || width > 31)
            return "bit width";
        if (shift + width > 8u * box->arg)
            return "bit outside its box";
        bits = (((uint64_t)1 << width) - 1) << shift;
        if (taken & bits)
            return "bits overlap";
        taken |= bits;
    }
    return NULL;
}

/* The integer that a BY row counts by: an earlier member of 32 bits, there whenever the bytes are. */
static const char *by_fault(const tl_field *rows, const tl_field *by)
{
    for (const tl_field *f = rows; f < by; f++) {
        if (has_member(f) && !is_span(f->kind) && f->off == by->arg)
            return is_u64(f) ? "BY a wide integer" : f->since <= by->since ? NULL : "BY a later integer";
    }
    return "BY no earlier integer";
}

/* What follows a BODY must be the trailer that its size names: fixed bytes, and one field of its class. */
static const char *body_fault(const tl_field *body)
{
    size_t fixed = 0;
    unsigned of_class = 0;

    for (const tl_field *f = body + 1; f->kind != TL_ROW_END; f++) {
        if (f->since > 0)
            return "trailer";
        if (f->kind == TL_ROW_INT || f->kind == TL_ROW_INTB || f->kind == TL_ROW_RAW ||
            f->kind == TL_ROW_RSV || f->kind == TL_ROW_BOX)
            fixed += f->arg;
        else if ((f->kind == TL_ROW_SIZED || f->kind == TL_ROW_OPT || f->kind == TL_ROW_OPTB) &&
                 f->arg == (body->arg & 0xFF))
            of_class++;
        else if (f->kind != TL_ROW_BIT)
            return "trailer";
    }
    return fixed == body->arg >> 8 && of_class == 1 ? NULL : "trailer";
}

/* The member in the struct: aligned, inside, behind the one before. */
static const char *member_fault(const tl_field *f, size_t *end, size_t size)
{
    size_t align = is_span(f->kind) ? alignof(tl_span) : is_u64(f) ? alignof(uint64_t) : alignof(uint32_t);
    size_t bytes = is_span(f->kind) ? sizeof(tl_span) : is_u64(f) ? sizeof(uint64_t) : sizeof(uint32_t);

    if (f->off % align != 0)
        return "member not aligned";
    if (f->off < *end)
        return "members overlap";
    *end = f->off + bytes;
    return *end <= size ? NULL : "member outside the struct";
}

/* What is wrong with a table, or NULL. */
static const char *fault_of(const tl_field *rows, size_t size)
{
    size_t end = 0;
    const tl_field *f;

    for (f = rows; f->kind != TL_ROW_END; f++) {
        const char *fault = argument_fault(f);

        if (fault == NULL && f->kind == TL_ROW_BOX)
            fault = box_fault(f);
        if (fault == NULL && f->kind == TL_ROW_BIT &&
            (f == rows || (f[-1].kind != TL_ROW_BIT && f[-1].kind != TL_ROW_BOX)))
            fault = "bit without a box";
        if (fault == NULL && f->kind == TL_ROW_REST && f[1].kind != TL_ROW_END)
            fault = "REST is not last";
        if (fault == NULL && f->kind == TL_ROW_BY)
            fault = by_fault(rows, f);
        if (fault == NULL && f->kind == TL_ROW_BODY)
            fault = body_fault(f);
        if (fault == NULL && has_member(f))
            fault = member_fault(f, &end, size);
        if (fault != NULL)
            return fault;
    }
    return f->off == size ? NULL : "struct size";
}

/* ---- tables ---- */

static void check_list(const tl_message *list)
{
    for (const tl_message *m = list; m->name != NULL; m++) {
        const tl_field *f = m->rows();
        const char *fault = fault_of(f, m->size);
        size_t rows = 0, names = 0;

        if (fault != NULL)
            fail_msg("%s: %s", m->name, fault);
        while (f[rows].kind != TL_ROW_END)
            rows++;
        while (m->names[names] != NULL)
            names++;
        assert_int_equal(rows, names);
        for (size_t i = 0; i < rows; i++)
            assert_int_equal(m->names[i][0] == 0, f[i].kind == TL_ROW_BOX);
    }
}

static void tables_of_the_layout_are_well_formed(void **state)
{
    (void)state;
    assert_non_null(tl_messages[0].name);
    check_list(tl_messages);
}

static void tables_of_the_tests_are_well_formed(void **state)
{
    (void)state;
    check_list(kinds);
}

static void list_holds_each_message_of_the_layout_once(void **state)
{
    static const char *const names[] = { "sep_header",
                                         "sep_footer",
                                         "sep_nonce",
                                         "sep_begin",
                                         "sep_begin_part",
                                         "sep_end",
                                         "sep_end_part",
                                         "hello",
                                         "announcement",
                                         "configuration",
                                         "configuration_part",
                                         "configuration_pattern",
                                         "agreement",
                                         "agreement_chain",
                                         "agreement_offer",
                                         "agreement_choice",
                                         "agreement_port",
                                         "agreement_stream",
                                         "agreement_refusal",
                                         "data_token",
                                         "fsed_packet",
                                         "outline",
                                         "picture" };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unsigned found = 0;

        for (const tl_message *m = tl_messages; m->name != NULL; m++)
            found += strcmp(m->name, names[i]) == 0;
        assert_int_equal(found, 1);
    }
}

/* What a message of only zeros takes; its spans get the length that they must have. */
static void sizes_of_the_layout_are_those_of_its_limits(void **state)
{
    static const uint8_t zeros[32];
    tl_env e = { .len = { [TL_LEN_TAG] = TL_SEP_TAG_MAX, [TL_LEN_CRC] = 4 } };
    tl_wr w = tl_wr_counting();
    tl_sep_header header = { 0 };
    tl_sep_nonce nonce = { .salt = { zeros, 4 } };
    tl_sep_footer footer = { .tag = { zeros, TL_SEP_TAG_MAX } };
    tl_hello hello = { .magic = { zeros, 8 }, .configuration = { zeros, 32 }, .fresh = { zeros, 32 } };
    tl_data_token token = { .magic = { zeros, 8 }, .token = { zeros, 32 } };
    tl_announcement announcement = { .magic = { zeros, 8 },
                                     .configuration = { zeros, 32 },
                                     .random = { zeros, 24 },
                                     .proof = { zeros, TL_ANNOUNCEMENT_PROOF } };

    tl_fsed_packet fsed = { 0 };

    (void)state;
    tl_assert_ok(tl_encode_fsed_packet(&e, &fsed, &w));
    assert_int_equal(w.n, TL_FSED_HEADER_SIZE);
    w.n = 0;
    tl_assert_ok(tl_encode_sep_header(&e, &header, &w));
    assert_int_equal(w.n, TL_SEP_HEADER_SIZE);
    w.n = 0;
    tl_assert_ok(tl_encode_sep_nonce(&e, &nonce, &w));
    assert_int_equal(w.n, 12);
    w.n = 0;
    tl_assert_ok(tl_encode_sep_footer(&e, &footer, &w));
    assert_int_equal(w.n, TL_SEP_FOOTER_MAX);
    w.n = 0;
    tl_assert_ok(tl_encode_hello(&e, &hello, &w));
    assert_int_equal(w.n, TL_HELLO_SIZE);
    w.n = 0;
    tl_assert_ok(tl_encode_data_token(&e, &token, &w));
    assert_int_equal(w.n, TL_DATA_TOKEN_SIZE);
    w.n = 0;
    tl_assert_ok(tl_encode_announcement(&e, &announcement, &w));
    assert_int_equal(w.n, TL_ANNOUNCEMENT_SIZE);
}

/* ---- tables broken on purpose ---- */

typedef struct broken {
    const char *fault;
    size_t size;
    tl_field rows[5];
} broken;

enum { SPAN = sizeof(tl_span), CLASS_BODY = 4 << 8 | TL_LEN_TAG };
#define BITS(shift, width) (shift) << 8 | (width)

static const broken tables[] = {
    { "bit width",
      4,
      { { TL_ROW_BOX, 0, 4, 0 }, { TL_ROW_BIT, 0, BITS(0, 32), 0 }, { TL_ROW_END, 0, 0, 4 } } },
    { "bit width",
      4,
      { { TL_ROW_BOX, 0, 4, 0 }, { TL_ROW_BIT, 0, BITS(0, 0), 0 }, { TL_ROW_END, 0, 0, 4 } } },
    { "bit width",
      4,
      { { TL_ROW_BOX, 0, 4, 0 }, { TL_ROW_BIT, 0, BITS(0, 33), 0 }, { TL_ROW_END, 0, 0, 4 } } },
    { "bit outside its box",
      4,
      { { TL_ROW_BOX, 0, 2, 0 }, { TL_ROW_BIT, 0, BITS(9, 8), 0 }, { TL_ROW_END, 0, 0, 4 } } },
    { "bit outside its box",
      4,
      { { TL_ROW_BOX, 0, 4, 0 }, { TL_ROW_BIT, 0, BITS(32, 1), 0 }, { TL_ROW_END, 0, 0, 4 } } },
    { "bits overlap",
      8,
      { { TL_ROW_BOX, 0, 1, 0 },
        { TL_ROW_BIT, 0, BITS(0, 4), 0 },
        { TL_ROW_BIT, 0, BITS(3, 4), 4 },
        { TL_ROW_END, 0, 0, 8 } } },
    { "bit without a box", 4, { { TL_ROW_BIT, 0, BITS(0, 4), 0 }, { TL_ROW_END, 0, 0, 4 } } },
    { "bit without a box",
      8,
      { { TL_ROW_INT, 0, 1, 0 }, { TL_ROW_BIT, 0, BITS(0, 4), 4 }, { TL_ROW_END, 0, 0, 8 } } },
    { "box size", 0, { { TL_ROW_BOX, 0, 3, 0 }, { TL_ROW_END, 0, 0, 0 } } },
    { "integer size", 4, { { TL_ROW_INT, 0, 5, 0 }, { TL_ROW_END, 0, 0, 4 } } },
    { "integer size", 4, { { TL_ROW_INT, 0, 0, 0 }, { TL_ROW_END, 0, 0, 4 } } },
    { "integer size", 4, { { TL_ROW_INTB, 0, 9, 0 }, { TL_ROW_END, 0, 0, 4 } } },
    { "class", SPAN, { { TL_ROW_SIZED, 0, TL_LEN_N, 0 }, { TL_ROW_END, 0, 0, SPAN } } },
    { "class", 4, { { TL_ROW_OPT, 0, TL_LEN_N, 0 }, { TL_ROW_END, 0, 0, 4 } } },
    { "class", SPAN, { { TL_ROW_BODY, 0, TL_LEN_N, 0 }, { TL_ROW_END, 0, 0, SPAN } } },
    { "empty", SPAN, { { TL_ROW_RAW, 0, 0, 0 }, { TL_ROW_END, 0, 0, SPAN } } },
    { "empty", 0, { { TL_ROW_RSV, 0, 0, 0 }, { TL_ROW_END, 0, 0, 0 } } },
    { "length size", SPAN, { { TL_ROW_LV, 0, 3, 0 }, { TL_ROW_END, 0, 0, SPAN } } },
    { "kind", 4, { { TL_ROW_BIT + 1, 0, 1, 0 }, { TL_ROW_END, 0, 0, 4 } } },
    { "REST is not last",
      SPAN + 8,
      { { TL_ROW_REST, 0, 0, 0 }, { TL_ROW_INT, 0, 1, SPAN }, { TL_ROW_END, 0, 0, SPAN + 8 } } },
    { "BY no earlier integer",
      SPAN + 8,
      { { TL_ROW_BY, 0, SPAN, 0 }, { TL_ROW_INT, 0, 1, SPAN }, { TL_ROW_END, 0, 0, SPAN + 8 } } },
    { "BY no earlier integer",
      2 * SPAN,
      { { TL_ROW_RAW, 0, 4, 0 }, { TL_ROW_BY, 0, 0, SPAN }, { TL_ROW_END, 0, 0, 2 * SPAN } } },
    { "BY a wide integer",
      8 + SPAN,
      { { TL_ROW_INT, 0, 8, 0 }, { TL_ROW_BY, 0, 0, 8 }, { TL_ROW_END, 0, 0, 8 + SPAN } } },
    { "BY a later integer",
      8 + SPAN,
      { { TL_ROW_INT, 2, 1, 0 }, { TL_ROW_BY, 1, 0, 8 }, { TL_ROW_END, 0, 0, 8 + SPAN } } },
    { "trailer", SPAN, { { TL_ROW_BODY, 0, CLASS_BODY, 0 }, { TL_ROW_END, 0, 0, SPAN } } },
    { "trailer",
      2 * SPAN + 8,
      { { TL_ROW_BODY, 0, CLASS_BODY, 0 },
        { TL_ROW_SIZED, 0, TL_LEN_TAG, SPAN },
        { TL_ROW_INT, 0, 3, 2 * SPAN },
        { TL_ROW_END, 0, 0, 2 * SPAN + 8 } } },
    { "trailer",
      2 * SPAN + 8,
      { { TL_ROW_BODY, 0, CLASS_BODY, 0 },
        { TL_ROW_SIZED, 0, TL_LEN_SIG, SPAN },
        { TL_ROW_INT, 0, 4, 2 * SPAN },
        { TL_ROW_END, 0, 0, 2 * SPAN + 8 } } },
    { "trailer",
      2 * SPAN,
      { { TL_ROW_BODY, 0, CLASS_BODY, 0 }, { TL_ROW_REST, 0, 0, SPAN }, { TL_ROW_END, 0, 0, 2 * SPAN } } },
    { "member not aligned", 8, { { TL_ROW_INT, 0, 4, 2 }, { TL_ROW_END, 0, 0, 8 } } },
    { "member not aligned", 16, { { TL_ROW_INT, 0, 8, 4 }, { TL_ROW_END, 0, 0, 16 } } },
    { "members overlap", 8, { { TL_ROW_INT, 0, 4, 4 }, { TL_ROW_INT, 0, 4, 4 }, { TL_ROW_END, 0, 0, 8 } } },
    { "members overlap",
      SPAN,
      { { TL_ROW_RAW, 0, 4, 0 }, { TL_ROW_INT, 0, 1, 8 }, { TL_ROW_END, 0, 0, SPAN } } },
    { "member outside the struct", 8, { { TL_ROW_INT, 0, 4, 8 }, { TL_ROW_END, 0, 0, 8 } } },
    { "member outside the struct", 8, { { TL_ROW_RAW, 0, 4, 0 }, { TL_ROW_END, 0, 0, 8 } } },
    { "struct size", 8, { { TL_ROW_INT, 0, 4, 0 }, { TL_ROW_END, 0, 0, 4 } } },
};

static void tables_that_are_broken_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        const char *fault = fault_of(tables[i].rows, tables[i].size);

        if (fault == NULL || strcmp(fault, tables[i].fault) != 0)
            fail_msg("table %zu: %s, not %s", i, fault ? fault : "no fault", tables[i].fault);
    }
}

/* ---- straight-line code against the walkers ---- */

typedef struct line {
    const char *name;
    const tl_field *(*rows)(void);
    tl_err (*unpack)(const tl_env *e, tl_rd *r, void *m);
    tl_err (*pack)(const tl_env *e, const void *m, tl_wr *w);
} line;

#define MSG(name, code)                                                                                      \
    static tl_err unpack_##name(const tl_env *e, tl_rd *r, void *m)                                          \
    {                                                                                                        \
        return tl_unpack_##name(e, r, (tl_##name *)m);                                                       \
    }                                                                                                        \
    static tl_err pack_##name(const tl_env *e, const void *m, tl_wr *w)                                      \
    {                                                                                                        \
        return tl_pack_##name(e, (const tl_##name *)m, w);                                                   \
    }
#define END(name)
#include <trueline/def/quiet.h>
#include <trueline/layout/line.def>
#include "kinds_line.def"
#include <trueline/def/none.h>

static const line lines[] = {
#define MSG(name, code) { #name, tl_rows_##name, unpack_##name, pack_##name },
#define END(name)
#include <trueline/def/quiet.h>
#include <trueline/layout/line.def>
#include "kinds_line.def"
#include <trueline/def/none.h>
};
enum { LINES = sizeof lines / sizeof *lines, ROUNDS = 20000, ROOM = 128 };

typedef union any {
    uint64_t align;
    uint8_t bytes[512];
    tl_span span;
} any;

static void *member(any *m, const tl_field *f)
{
    return m->bytes + f->off;
}

static void assert_same_members(const tl_field *rows, any *a, any *b)
{
    for (const tl_field *f = rows; f->kind != TL_ROW_END; f++) {
        size_t n = is_span(f->kind) ? sizeof(tl_span) : is_u64(f) ? 8 : 4;

        if (has_member(f))
            assert_memory_equal(member(a, f), member(b, f), n);
    }
}

/* Sizes that mostly make sense, and now and then an integer of five bytes. */
static tl_env random_env(tl_rng *rng)
{
    tl_env e = { .version = (uint8_t)tl_random_below(rng, 6) };

    for (size_t i = 0; i < TL_LEN_N; i++)
        e.len[i] = (uint16_t)tl_random_below(rng, 5);
    e.len[TL_LEN_HASH] = e.len[TL_LEN_TAG] = (uint16_t)tl_random_below(rng, 20);
    if (tl_random_below(rng, 16) == 0)
        e.len[TL_LEN_CRC] = 5;
    return e;
}

/* Sparse bytes, so that boxes have their odd bits clear often enough. */
static void random_bytes(tl_rng *rng, uint8_t *p, size_t n)
{
    tl_random_fill(rng, p, n);
    for (size_t i = 0; i < n; i++) {
        if (tl_random_below(rng, 2) == 0)
            p[i] = 0;
    }
}

static void unpack_does_what_decode_does(void **state)
{
    tl_rng rng = tl_random_start("unpack_does_what_decode_does");
    unsigned good = 0, bad = 0;

    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        const line *l = &lines[i % LINES];
        tl_env e = random_env(&rng);
        uint8_t bytes[ROOM];
        size_t n = tl_random_below(&rng, sizeof bytes + 1);
        tl_rd r = { bytes, n, tl_random_below(&rng, 50) == 0 }, s;
        any a, b;
        tl_err err;

        random_bytes(&rng, bytes, sizeof bytes);
        if (n == 0 && i % 2 == 0)
            r.p = NULL;
        s = r;
        memset(&a, 0xAA, sizeof a);
        memset(&b, 0xBB, sizeof b);
        err = tl_decode(l->rows(), &e, &r, &a);
        tl_assert_err(err, l->unpack(&e, &s, &b));
        assert_same_members(l->rows(), &a, &b);
        assert_int_equal(r.bad, s.bad);
        if (err == TL_OK) {
            assert_ptr_equal(r.p, s.p);
            assert_int_equal(r.n, s.n);
        }
        good += err == TL_OK, bad += err != TL_OK;
    }
    assert_true(good > ROUNDS / 20 && bad > ROUNDS / 20);
}

/* Makes one member of a message differ from what was decoded, often so that it fits its field no more. */
static void spoil(tl_rng *rng, const tl_field *rows, any *m)
{
    size_t count = 0;
    const tl_field *f;
    tl_span s;

    while (rows[count].kind != TL_ROW_END)
        count++;
    f = &rows[tl_random_below(rng, count)];
    if (!has_member(f))
        return;
    if (is_span(f->kind)) {
        memcpy(&s, member(m, f), sizeof s);
        s.n -= tl_random_below(rng, 2) == 0 && s.n > 0;
        memcpy(member(m, f), &s, sizeof s);
    } else {
        uint64_t v = (uint64_t)1 << tl_random_below(rng, is_u64(f) ? 64 : 32);

        if (is_u64(f))
            memcpy(member(m, f), &v, 8);
        else
            memcpy(member(m, f), &(uint32_t){ (uint32_t)v }, 4);
    }
}

static void pack_does_what_encode_does(void **state)
{
    tl_rng rng = tl_random_start("pack_does_what_encode_does");
    unsigned good = 0, bad = 0;

    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        const line *l = &lines[i % LINES];
        tl_env e = random_env(&rng);
        uint8_t bytes[ROOM], out[ROOM], out2[ROOM];
        size_t room = tl_random_below(&rng, 4) ? sizeof out : tl_random_below(&rng, sizeof out);
        tl_rd r = tl_rd_of(tl_span_of(bytes, sizeof bytes));
        tl_wr w = tl_wr_of(out, room), v = tl_wr_of(out2, room);
        any m;
        tl_err err;

        random_bytes(&rng, bytes, sizeof bytes);
        memset(&m, 0, sizeof m);
        if (tl_decode(l->rows(), &e, &r, &m) == TL_OK && tl_random_below(&rng, 2) == 0)
            spoil(&rng, l->rows(), &m);
        if (tl_random_below(&rng, 8) == 0)
            w = v = tl_wr_counting();
        if (tl_random_below(&rng, 8) == 0)
            tl_put_zeros(&w, 3), tl_put_zeros(&v, 3);
        err = tl_encode(l->rows(), &e, &m, &w);
        tl_assert_err(err, l->pack(&e, &m, &v));
        assert_int_equal(w.bad, v.bad);
        assert_int_equal(w.n, v.n);
        if (w.p != NULL)
            assert_memory_equal(out, out2, w.n);
        good += err == TL_OK, bad += err != TL_OK;
    }
    assert_true(good > ROUNDS / 20 && bad > ROUNDS / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_of_the_layout_are_well_formed),
        cmocka_unit_test(tables_of_the_tests_are_well_formed),
        cmocka_unit_test(list_holds_each_message_of_the_layout_once),
        cmocka_unit_test(sizes_of_the_layout_are_those_of_its_limits),
        cmocka_unit_test(tables_that_are_broken_are_refused),
        cmocka_unit_test(unpack_does_what_decode_does),
        cmocka_unit_test(pack_does_what_encode_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
