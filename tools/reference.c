/* Reference files. Read strictly, for the same reason as stream files: what is misspelt must not quietly mean nothing.
 * A block that the reference does not know is refused like one that is changed. */
#include "reference.h"
#include "file.h"
#include "hex.h"

#include <stdio.h>
#include <string.h>

#define FORMAT "trueline reference 1"

tl_span reference_digest(const reference_block *block, tl_hash_alg alg)
{
    if (block->raw)
        return tl_span_of(NULL, 0);
    switch (alg) {
    case TL_HASH_SHA256: return tl_span_of(block->sha256, sizeof block->sha256);
    case TL_HASH_SHA384: return tl_span_of(block->sha384, sizeof block->sha384);
    default: return tl_span_of(NULL, 0);
    }
}

/* ---- reading ---- */

static tl_exit refuse(const char *name, size_t i, const char *key, const char *why, tl_fault *fault)
{
    return tl_fault_set(fault, TL_EXIT_USAGE, "reference: %s: block %zu: \"%.60s\" %s", name, i, key, why);
}

/* Exactly n bytes as small digits. */
static bool read_small(json_t *value, uint8_t *bytes, size_t n)
{
    const char *s = json_string_value(value);

    return s != NULL && json_string_length(value) == 2 * n && strpbrk(s, "ABCDEF") == NULL &&
           hex_read(s, bytes, n);
}

/* Printable text: the one form of raw values. */
static bool read_text(json_t *value, reference_block *b)
{
    const char *s = json_string_value(value);
    size_t n = s != NULL ? json_string_length(value) : 0;

    if (n == 0 || n > sizeof b->value)
        return false;
    for (size_t i = 0; i < n; i++)
        if (s[i] < ' ' || s[i] > '~')
            return false;
    memcpy(b->value, s, n);
    b->n = n;
    return true;
}

static tl_exit check_keys(json_t *object, bool raw, const char *name, size_t i, tl_fault *fault)
{
    static const char *const known[] = { "index", "name", "text", "sha256", "sha384" };
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        bool right = false;

        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            right = right || (strcmp(key, known[k]) == 0 && !(raw && k > 2));
        if (!right)
            return refuse(name, i, key, raw ? "is no key of a block with a text" : "is no key of a block",
                          fault);
    }
    return TL_EXIT_OK;
}

/* Block i (from 1) of the file; its index must be above the last one's. */
static tl_exit read_block(reference *r, json_t *object, const char *name, tl_fault *fault)
{
    reference_block *b = &r->blocks[r->n];
    json_t *index = json_object_get(object, "index");
    const char *what = json_string_value(json_object_get(object, "name"));
    size_t i = r->n + 1;
    tl_exit e;

    b->raw = json_object_get(object, "text") != NULL;
    e = check_keys(object, b->raw, name, i, fault);
    if (e != TL_EXIT_OK)
        return e;
    if (!json_is_integer(index) || json_integer_value(index) <= (r->n > 0 ? r->blocks[r->n - 1].index : 0) ||
        json_integer_value(index) >= TL_SPDM_MEASUREMENT_ALL)
        return refuse(name, i, "index", "must be a number from 1 to 254, above that of the block before",
                      fault);
    if (what == NULL || strlen(what) >= sizeof b->name)
        return refuse(name, i, "name", "must be a short text", fault);
    b->index = (uint8_t)json_integer_value(index);
    (void)snprintf(b->name, sizeof b->name, "%s", what);
    if (b->raw && !read_text(json_object_get(object, "text"), b))
        return refuse(name, i, "text", "must be a printable text", fault);
    if (!b->raw && !read_small(json_object_get(object, "sha256"), b->sha256, sizeof b->sha256))
        return refuse(name, i, "sha256", "must be 64 small hexadecimal digits", fault);
    if (!b->raw && !read_small(json_object_get(object, "sha384"), b->sha384, sizeof b->sha384))
        return refuse(name, i, "sha384", "must be 96 small hexadecimal digits", fault);
    r->n++;
    return TL_EXIT_OK;
}

static tl_exit read_blocks(reference *r, json_t *object, const char *name, tl_fault *fault)
{
    const char *format = json_string_value(json_object_get(object, "format"));
    json_t *blocks = json_object_get(object, "blocks"), *block;
    tl_exit e = TL_EXIT_OK;
    size_t i;

    if (format == NULL || strcmp(format, FORMAT) != 0)
        return tl_fault_set(fault, TL_EXIT_USAGE, "reference: %s: \"format\" must be the text " FORMAT, name);
    if (json_object_size(object) != 2 || !json_is_array(blocks) || json_array_size(blocks) == 0 ||
        json_array_size(blocks) > REFERENCE_BLOCKS_MAX)
        return tl_fault_set(fault, TL_EXIT_USAGE,
                            "reference: %s: beside \"format\", \"blocks\" must be a list of 1 to %d", name,
                            REFERENCE_BLOCKS_MAX);
    json_array_foreach(blocks, i, block)
    {
        if (e == TL_EXIT_OK)
            e = read_block(r, block, name, fault);
    }
    return e;
}

tl_exit reference_parse(reference *r, const char *name, tl_span text, tl_fault *fault)
{
    json_error_t error;
    json_t *object = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &error);
    tl_exit e;

    memset(r, 0, sizeof *r);
    if (object == NULL)
        return tl_fault_set(fault, TL_EXIT_USAGE, "reference: %s: line %d, column %d: no JSON: %s", name,
                            error.line, error.column, error.text);
    e = read_blocks(r, object, name, fault);
    json_decref(object);
    if (e != TL_EXIT_OK)
        memset(r, 0, sizeof *r);
    return e;
}

tl_exit reference_read(reference *r, const char *path, tl_fault *fault)
{
    static uint8_t text[REFERENCE_FILE_MAX];
    size_t n;
    tl_exit e = tl_file_read(path, TL_FILE_PUBLIC, text, sizeof text, &n, fault);

    memset(r, 0, sizeof *r);
    return e == TL_EXIT_OK ? reference_parse(r, path, tl_span_of(text, n), fault) : e;
}

/* ---- writing ---- */

static json_t *block_json(const reference_block *b)
{
    char sha256[2 * sizeof b->sha256 + 1], sha384[2 * sizeof b->sha384 + 1];

    if (b->raw)
        return json_pack("{s:i, s:s, s:s%}", "index", b->index, "name", b->name, "text",
                         (const char *)b->value, b->n);
    hex_text(tl_span_of(b->sha256, sizeof b->sha256), sha256, sizeof sha256);
    hex_text(tl_span_of(b->sha384, sizeof b->sha384), sha384, sizeof sha384);
    return json_pack("{s:i, s:s, s:s, s:s}", "index", b->index, "name", b->name, "sha256", sha256, "sha384",
                     sha384);
}

json_t *reference_json(const reference *r)
{
    json_t *blocks = json_array();

    for (size_t i = 0; i < r->n; i++)
        (void)json_array_append_new(blocks, block_json(&r->blocks[i]));
    return json_pack("{s:s, s:o}", "format", FORMAT, "blocks", blocks);
}

/* ---- comparing ---- */

static tl_exit changed(const reference_block *b, tl_span expected, tl_span got, tl_fault *fault)
{
    char ours[17], theirs[17];

    hex_text(expected, ours, sizeof ours);
    hex_text(got, theirs, sizeof theirs);
    return tl_fault_set(fault, TL_EXIT_PEER,
                        "measurement %u (%s) is changed: the reference has %s..., the sensor %s...", b->index,
                        b->name, ours, theirs);
}

static tl_exit changed_text(const reference_block *b, tl_span got, tl_fault *fault)
{
    char theirs[41];
    size_t n = got.n < sizeof theirs - 1 ? got.n : sizeof theirs - 1;

    for (size_t i = 0; i < n; i++)
        theirs[i] = got.p[i] >= ' ' && got.p[i] <= '~' ? (char)got.p[i] : '.';
    theirs[n] = '\0';
    return tl_fault_set(fault, TL_EXIT_PEER,
                        "measurement %u (%s) is changed: the reference has '%.*s', the sensor '%s'", b->index,
                        b->name, b->n < 40 ? (int)b->n : 40, (const char *)b->value, theirs);
}

static tl_span expected_of(const reference_block *b, tl_hash_alg alg)
{
    return b->raw ? tl_span_of(b->value, b->n) : reference_digest(b, alg);
}

bool reference_holds(const reference_block *b, tl_hash_alg alg, const tl_spdm_measurement *m)
{
    tl_span expected = expected_of(b, alg);

    return m->raw == b->raw && expected.n > 0 && tl_equal(m->value, expected);
}

static tl_exit compare_block(const reference_block *b, tl_hash_alg alg, const tl_spdm_measurement *m,
                             tl_fault *fault)
{
    if (reference_holds(b, alg, m))
        return TL_EXIT_OK;
    return b->raw && m->raw ? changed_text(b, m->value, fault)
                            : changed(b, expected_of(b, alg), m->value, fault);
}

/* Both lists rise, so they are walked side by side. */
tl_exit reference_compare(const reference *r, tl_hash_alg alg, tl_span record, tl_fault *fault)
{
    tl_rd rd = tl_rd_of(record);
    tl_spdm_measurement m;
    size_t i = 0;

    while (tl_spdm_each_measurement(&rd, &m)) {
        tl_exit e;

        if (i < r->n && m.index > r->blocks[i].index)
            break;
        if (i == r->n || m.index < r->blocks[i].index)
            return tl_fault_set(fault, TL_EXIT_PEER, "measurement %u is not in the reference", m.index);
        e = compare_block(&r->blocks[i++], alg, &m, fault);
        if (e != TL_EXIT_OK)
            return e;
    }
    if (i < r->n)
        return tl_fault_set(fault, TL_EXIT_PEER, "measurement %u (%s) is missing", r->blocks[i].index,
                            r->blocks[i].name);
    if (rd.bad)
        return tl_fault_set(fault, TL_EXIT_PEER, "measurements: the record cannot be read");
    return TL_EXIT_OK;
}
