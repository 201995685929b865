/* Stream files. One table of numbers (stream_file.h) gives the struct, the reader, the writer and the texts of
 * refusals. Reading is strict: a key that is unknown, missing or of another type is refused by name, because a
 * misspelt option of a security file must not quietly become its default. Secrets are wiped wherever they were:
 * the file's text, JSON strings (by their own free function), the struct. */
#include "stream_file.h"

#include "hex.h"
#include "protection.h"

#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "trueline stream 1"

/* A row of the table. */
typedef struct number_row {
    const char *key, *text;
    size_t offset;
    uint32_t low, high, step;
} number_row;

static const number_row numbers[] = {
#define NUMBER(name, initial, low, high, step, text)                                                         \
    { #name, text, offsetof(stream_file, name), low, high, step },
    STREAM_NUMBERS
#undef NUMBER
};

static const char *const words[] = { "format",      "layout",         "suite",          "tag_mode", "crc32",
                                     "pattern_top", "pattern_middle", "pattern_bottom", "secret" };
/* Of tl_block top, middle, bottom. */
static const char *const patterns[] = { "pattern_top", "pattern_middle", "pattern_bottom" };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const uint32_t stream_file_bits[2] = { 10, 12 };

static uint32_t *number_of(stream_file *file, const number_row *row)
{
    return (uint32_t *)(void *)((char *)file + row->offset);
}

static uint32_t number_in(const stream_file *file, const number_row *row)
{
    return *(const uint32_t *)(const void *)((const char *)file + row->offset);
}

static void free_wiped(void *p)
{
    if (p != NULL)
        tl_wipe(p, malloc_usable_size(p));
    free(p);
}

void stream_file_guard_json(void)
{
    json_set_alloc_funcs(malloc, free_wiped);
}

void stream_file_wipe(stream_file *file)
{
    tl_wipe(file, sizeof *file);
}

void stream_file_init(stream_file *file)
{
    memset(file, 0, sizeof *file);
#define NUMBER(name, initial, low, high, step, text) file->name = initial;
    STREAM_NUMBERS
#undef NUMBER
    file->suite = TL_SUITE_AES128_GMAC;
    file->tag_mode = TL_TAG_PER_MESSAGE;
    file->crc32 = TL_WITH;
}

size_t stream_file_line_bytes(const stream_file *file)
{
    return tl_raw_line_bytes(file->bits, file->width);
}

uint8_t stream_file_pixel_type(const stream_file *file)
{
    return file->bits == 10 ? TL_DT_RAW10 : TL_DT_RAW12;
}

/* ---- values to configuration ---- */

static tl_exit check_number(const number_row *row, uint64_t v, const char *name, tl_fault *fault)
{
    if (v >= row->low && v <= row->high && v % row->step == 0)
        return TL_EXIT_OK;
    if (row->step > 1)
        return tl_fault_set(fault, TL_EXIT_USAGE,
                            "stream file: %s: \"%s\" (%s): %llu; allowed are %u to %u, multiples of %u", name,
                            row->key, row->text, (unsigned long long)v, row->low, row->high, row->step);
    return tl_fault_set(fault, TL_EXIT_USAGE, "stream file: %s: \"%s\" (%s): %llu; allowed are %u to %u",
                        name, row->key, row->text, (unsigned long long)v, row->low, row->high);
}

static void add_part(tl_stream_config *c, tl_block block, uint8_t data_type, uint32_t count, size_t length)
{
    if (count > 0)
        c->parts[c->part_count++] =
            (tl_stream_part){ (uint8_t)block, data_type, (uint16_t)count, (uint16_t)length };
}

static bool is_pattern(const char *why)
{
    return strncmp(why, "pattern: ", 9) == 0;
}

static const char *const blocks[] = { "top", "middle", "bottom" };

/* Which block's pattern is wrong: the one that is still wrong when the others have none. */
static const char *pattern_block(const tl_stream_config *c)
{
    const char *why;

    for (size_t i = 0; i + 1 < COUNT(blocks); i++) {
        tl_stream_config alone = *c;

        for (size_t other = 0; other < COUNT(blocks); other++)
            if (other != i) {
                alone.variant[TL_BLOCK_TOP + other] = TL_SV_5;
                alone.pattern[TL_BLOCK_TOP + other] = (tl_pattern){ 0 };
            }
        if (tl_stream_config_check(&alone, &why) != TL_OK && is_pattern(why))
            return blocks[i];
    }
    return blocks[COUNT(blocks) - 1];
}

static tl_exit check_config(const tl_stream_config *c, const char *name, tl_fault *fault)
{
    static const tl_pattern none;
    const char *why, *block;

    if (c->suite == TL_SUITE_NONE && c->crc32 != TL_WITH)
        return tl_fault_set(
            fault, TL_EXIT_USAGE,
            "stream file: %s: without a suite the CRC-32 is all that checks a line end to end: it "
            "cannot be left out",
            name);
    if (tl_stream_config_check(c, &why) == TL_OK)
        return TL_EXIT_OK;
    if (!is_pattern(why))
        return tl_fault_set(fault, TL_EXIT_USAGE, "stream file: %s: %s", name, why);
    for (size_t i = 0; i < COUNT(blocks); i++) {
        unsigned variant = c->variant[TL_BLOCK_TOP + i];

        block = blocks[i];
        if ((variant == TL_SV_3 || variant == TL_SV_4) &&
            memcmp(&c->pattern[TL_BLOCK_TOP + i], &none, sizeof none) == 0)
            return tl_fault_set(fault, TL_EXIT_USAGE,
                                "stream file: %s: variant %u of the %s block needs a pattern: --pattern "
                                "%s:FIRST,COUNT,PERIOD",
                                name, variant, block, block);
    }
    block = pattern_block(c);
    return tl_fault_set(fault, TL_EXIT_USAGE, "stream file: %s: %s block: %s", name, block, why);
}

tl_exit stream_file_build(stream_file *file, const char *name, tl_fault *fault)
{
    tl_stream_config *c = &file->config;
    size_t length = stream_file_line_bytes(file);

    for (size_t i = 0; i < COUNT(numbers); i++) {
        tl_exit e = check_number(&numbers[i], number_in(file, &numbers[i]), name, fault);

        if (e != TL_EXIT_OK)
            return e;
    }
    *c = (tl_stream_config){
        .stream = (uint16_t)file->stream,
        .suite = file->suite,
        .tag_mode = file->tag_mode,
        .tag_size = (uint8_t)file->tag_size,
        .crc32 = file->crc32,
        .variant = { [TL_BLOCK_TOP] = (uint8_t)file->variant_top,
                     [TL_BLOCK_MIDDLE] = (uint8_t)file->variant_middle,
                     [TL_BLOCK_BOTTOM] = (uint8_t)file->variant_bottom },
        .first_frame = file->first_frame,
    };
    memcpy(c->pattern, file->pattern, sizeof c->pattern);
    add_part(c, TL_BLOCK_TOP, TL_DT_EMBEDDED, file->embedded_top, length);
    add_part(c, TL_BLOCK_MIDDLE, stream_file_pixel_type(file), file->height, length);
    add_part(c, TL_BLOCK_BOTTOM, TL_DT_EMBEDDED, file->embedded_bottom, length);
    return check_config(c, name, fault);
}

/* ---- JSON to values ---- */

static bool is_known(const char *key)
{
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (strcmp(key, numbers[i].key) == 0)
            return true;
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(key, words[i]) == 0)
            return true;
    return false;
}

static tl_exit refuse_unknown(json_t *object, const char *name, tl_fault *fault)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        if (!is_known(key))
            return tl_fault_set(
                fault, TL_EXIT_USAGE,
                "stream file: %s: \"%.60s\" is no key of a stream file; a new one shows all keys: "
                "trueline stream new",
                name, key);
    }
    return TL_EXIT_OK;
}

/* A string value; NULL and a fault if it is missing or none. */
static const char *take_string(json_t *object, const char *key, const char *allowed, const char *name,
                               tl_fault *fault)
{
    json_t *value = json_object_get(object, key);

    if (json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value))
        return json_string_value(value);
    fault->code = tl_fault_set(fault, TL_EXIT_USAGE, "stream file: %s: \"%s\" %s: it must be the text %s",
                               name, key, value == NULL ? "is missing" : "is no text", allowed);
    return NULL;
}

/* A string that must have one value. The layout's name comes from a constant, so it may stand in the message. */
static tl_exit expect_string(json_t *object, const char *key, const char *expected, const char *name,
                             tl_fault *fault)
{
    const char *s = take_string(object, key, expected, name, fault);

    if (s == NULL)
        return fault->code;
    if (strcmp(s, expected) != 0)
        return tl_fault_set(fault, TL_EXIT_USAGE, "stream file: %s: \"%s\" is '%.60s'; this program has '%s'",
                            name, key, s, expected);
    return TL_EXIT_OK;
}

/* A string that must be one of a table's words. */
static tl_exit take_words(json_t *object, stream_file *file, const char *name, tl_fault *fault)
{
    const char *suite = take_string(object, "suite", protection_suites, name, fault), *mode;

    if (suite == NULL)
        return fault->code;
    if (!protection_suite(suite, &file->suite))
        return tl_fault_set(fault, TL_EXIT_USAGE, "stream file: %s: \"suite\" is '%.60s'; allowed are %s",
                            name, suite, protection_suites);
    mode = take_string(object, "tag_mode", protection_tag_modes, name, fault);
    if (mode == NULL)
        return fault->code;
    if (!protection_tag_mode(mode, &file->tag_mode))
        return tl_fault_set(fault, TL_EXIT_USAGE, "stream file: %s: \"tag_mode\" is '%.60s'; allowed are %s",
                            name, mode, protection_tag_modes);
    return TL_EXIT_OK;
}

/* first, count, period; a block without a pattern has no such key. */
static bool take_pattern(const json_t *value, tl_pattern *pattern)
{
    uint16_t *const to[] = { &pattern->first, &pattern->count, &pattern->period };

    if (json_array_size(value) != COUNT(to))
        return false;
    for (size_t i = 0; i < COUNT(to); i++) {
        const json_t *number = json_array_get(value, i);

        if (!json_is_integer(number) || json_integer_value(number) < 0 ||
            json_integer_value(number) > UINT16_MAX)
            return false;
        *to[i] = (uint16_t)json_integer_value(number);
    }
    return true;
}

static tl_exit take_patterns(json_t *object, stream_file *file, const char *name, tl_fault *fault)
{
    for (size_t i = 0; i < COUNT(patterns); i++) {
        const json_t *value = json_object_get(object, patterns[i]);

        if (value != NULL && !take_pattern(value, &file->pattern[TL_BLOCK_TOP + i]))
            return tl_fault_set(
                fault, TL_EXIT_USAGE,
                "stream file: %s: \"%s\" must be three whole numbers, first, count and period, such "
                "as [0, 1, 4]",
                name, patterns[i]);
    }
    return TL_EXIT_OK;
}

/* The refusals of the secret never show it. */
static tl_exit take_secret(json_t *object, stream_file *file, const char *name, tl_fault *fault)
{
    const char *s = take_string(object, "secret", "of 64 hexadecimal digits", name, fault);

    if (s == NULL)
        return fault->code;
    if (!hex_read(s, file->secret, STREAM_SECRET_SIZE))
        return tl_fault_set(fault, TL_EXIT_USAGE,
                            "stream file: %s: \"secret\" has %zu characters that are not 64 "
                            "hexadecimal digits",
                            name, strlen(s));
    return TL_EXIT_OK;
}

static tl_exit take_numbers(json_t *object, stream_file *file, const char *name, tl_fault *fault)
{
    for (size_t i = 0; i < COUNT(numbers); i++) {
        const number_row *row = &numbers[i];
        json_t *value = json_object_get(object, row->key);
        json_int_t v = json_integer_value(value);
        tl_exit e;

        if (!json_is_integer(value) || v < 0)
            return tl_fault_set(fault, TL_EXIT_USAGE,
                                "stream file: %s: \"%s\" (%s) %s: it must be a whole number from %u to %u",
                                name, row->key, row->text,
                                value == NULL ? "is missing" : "is of the wrong kind", row->low, row->high);
        e = check_number(row, (uint64_t)v, name, fault);
        if (e != TL_EXIT_OK)
            return e;
        *number_of(file, row) = (uint32_t)v;
    }
    return TL_EXIT_OK;
}

/* What is public is in many hands: a secret there is none any more. */
static tl_exit refuse_secret(const json_t *object, const char *name, tl_fault *fault)
{
    return json_object_get(object, "secret") == NULL
               ? TL_EXIT_OK
               : tl_fault_set(fault, TL_EXIT_USAGE, "stream file: %s: it holds a secret where none may be",
                              name);
}

static tl_exit take_all(json_t *object, stream_file *file, stream_secrecy secrecy, const char *name,
                        tl_fault *fault)
{
    json_t *crc32 = json_object_get(object, "crc32");
    tl_exit e = expect_string(object, "format", FORMAT, name, fault);

    if (e == TL_EXIT_OK)
        e = expect_string(object, "layout", TL_LAYOUT_NAME, name, fault);
    if (e == TL_EXIT_OK)
        e = refuse_unknown(object, name, fault);
    if (e == TL_EXIT_OK && !json_is_boolean(crc32))
        e = tl_fault_set(fault, TL_EXIT_USAGE, "stream file: %s: \"crc32\" %s: it must be true or false",
                         name, crc32 == NULL ? "is missing" : "is of the wrong kind");
    if (e != TL_EXIT_OK)
        return e;
    file->crc32 = json_is_true(crc32) ? TL_WITH : TL_WITHOUT;
    e = take_words(object, file, name, fault);
    if (e == TL_EXIT_OK)
        e = take_patterns(object, file, name, fault);
    if (e == TL_EXIT_OK)
        e = take_numbers(object, file, name, fault);
    if (e == TL_EXIT_OK)
        e = secrecy == STREAM_SECRET_SHOWN ? take_secret(object, file, name, fault)
                                           : refuse_secret(object, name, fault);
    return e;
}

static tl_exit parse(stream_file *file, stream_secrecy secrecy, const char *name, tl_span text,
                     tl_fault *fault)
{
    json_error_t error;
    json_t *object = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &error);
    tl_exit e;

    memset(file, 0, sizeof *file);
    if (object == NULL) {
        /* What stands near the error may be the secret: only the place is told. */
        char *near = strstr(error.text, " near ");

        if (near != NULL)
            *near = '\0';
        e = tl_fault_set(fault, TL_EXIT_USAGE, "stream file: %s: line %d, column %d: no JSON: %s", name,
                         error.line, error.column, error.text);
        tl_wipe(&error, sizeof error);
        return e;
    }
    if (!json_is_object(object))
        e = tl_fault_set(fault, TL_EXIT_USAGE, "stream file: %s: is no JSON object", name);
    else
        e = take_all(object, file, secrecy, name, fault);
    json_decref(object);
    if (e == TL_EXIT_OK)
        e = stream_file_build(file, name, fault);
    if (e != TL_EXIT_OK)
        stream_file_wipe(file);
    return e;
}

tl_exit stream_file_parse(stream_file *file, const char *name, tl_span text, tl_fault *fault)
{
    return parse(file, STREAM_SECRET_SHOWN, name, text, fault);
}

tl_exit stream_file_parse_public(stream_file *file, const char *name, tl_span text, tl_fault *fault)
{
    return parse(file, STREAM_SECRET_HIDDEN, name, text, fault);
}

tl_exit stream_file_read(stream_file *file, const char *path, tl_fault *fault)
{
    static uint8_t text[STREAM_FILE_MAX];
    size_t n;
    tl_exit e = tl_file_read(path, TL_FILE_SECRET_JSON, text, sizeof text, &n, fault);

    memset(file, 0, sizeof *file);
    if (e == TL_EXIT_OK)
        e = stream_file_parse(file, path, tl_span_of(text, n), fault);
    tl_wipe(text, sizeof text);
    return e;
}

/* ---- values to JSON ---- */

static json_t *secret_json(const stream_file *file)
{
    char hex[2 * STREAM_SECRET_SIZE + 1];
    json_t *value;

    hex_text(tl_span_of(file->secret, STREAM_SECRET_SIZE), hex, sizeof hex);
    value = json_string(hex);
    tl_wipe(hex, sizeof hex);
    return value;
}

json_t *stream_file_json(const stream_file *file, stream_secrecy secrecy)
{
    json_t *object = json_object();
    int bad = 0;

    bad |= json_object_set_new(object, "format", json_string(FORMAT));
    bad |= json_object_set_new(object, "layout", json_string(TL_LAYOUT_NAME));
    bad |= json_object_set_new(object, "suite", json_string(protection_suite_text(file->suite)));
    bad |= json_object_set_new(object, "tag_mode", json_string(protection_tag_mode_text(file->tag_mode)));
    bad |= json_object_set_new(object, "crc32", json_boolean(file->crc32 == TL_WITH));
    for (size_t i = 0; i < COUNT(numbers); i++)
        bad |= json_object_set_new(object, numbers[i].key, json_integer(number_in(file, &numbers[i])));
    for (size_t i = 0; i < COUNT(patterns); i++) {
        const tl_pattern *p = &file->pattern[TL_BLOCK_TOP + i];

        if (p->period != 0)
            bad |=
                json_object_set_new(object, patterns[i], json_pack("[iii]", p->first, p->count, p->period));
    }
    if (secrecy == STREAM_SECRET_SHOWN)
        bad |= json_object_set_new(object, "secret", secret_json(file));
    if (bad == 0)
        return object;
    json_decref(object);
    return NULL;
}

tl_exit stream_file_write(const stream_file *file, const char *path, tl_file_clash clash, tl_fault *fault)
{
    json_t *object = stream_file_json(file, STREAM_SECRET_SHOWN);
    char *text = object != NULL ? json_dumps(object, JSON_INDENT(2)) : NULL;
    size_t n;
    tl_exit e;

    json_decref(object);
    if (text == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "stream file: %s: no memory", path);
    n = strlen(text);
    text[n] = '\n'; /* in place of the end of the string: a text file ends with a line's end */
    e = tl_file_write(path, tl_span_of(text, n + 1), 0600, clash, fault);
    free_wiped(text);
    return e;
}
