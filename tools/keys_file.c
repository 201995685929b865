/* Reading files of session secrets. A line is taken apart strictly: what is neither a message nor a value
 * is refused with its number, so that a damaged line is never passed over. */
#include "keys_file.h"
#include "hex.h"

#include <trueline/crypto.h>

#include <string.h>

void keys_open(keys_file *f, FILE *in, const char *name)
{
    f->in = in;
    f->name = name;
    f->lines = 0;
}

static tl_exit broken(const keys_file *f, const char *why, tl_fault *fault)
{
    return tl_fault_set(fault, TL_EXIT_USAGE, "%.200s: line %llu: %s", f->name, (unsigned long long)f->lines,
                        why);
}

/* Takes the text if it is next. */
static bool take(const char **at, const char *text)
{
    size_t n = strlen(text);

    if (strncmp(*at, text, n) != 0)
        return false;
    *at += n;
    return true;
}

/* A number of at most 32 bits in base 10 or 16. */
static bool take_number(const char **at, unsigned base, uint32_t *value)
{
    uint64_t v = 0;
    const char *start = *at;

    for (; hex_digit(**at) < base; (*at)++) {
        v = v * base + hex_digit(**at);
        if (v > UINT32_MAX)
            return false;
    }
    *value = (uint32_t)v;
    return *at != start;
}

/* Everything up to `stop` as a name. */
static bool take_name(const char **at, char stop, char name[KEYS_NAME_SIZE])
{
    const char *end = strchr(*at, stop);

    if (end == NULL || end == *at || end - *at >= KEYS_NAME_SIZE)
        return false;
    memcpy(name, *at, (size_t)(end - *at));
    name[end - *at] = '\0';
    *at = end;
    return true;
}

static bool take_message(const char *at, keys_message *m)
{
    uint32_t code = 0;

    m->request = take(&at, "# -> ");
    if (!m->request && !take(&at, "# <- "))
        return false;
    if (!take_name(&at, ' ', m->name) || !take(&at, " 0x") || !take_number(&at, 16, &code) || code > 0xFF ||
        !take(&at, " size ") || !take_number(&at, 10, &m->size) || !take(&at, " session ") ||
        !take_number(&at, 16, &m->session))
        return false;
    m->code = (uint8_t)code;
    return *at == '\0';
}

/* Bytes in hex, up to the end. */
static bool take_hex(const char *at, keys_line *line)
{
    for (; *at != '\0'; at += 2) {
        unsigned high = hex_digit(at[0]), low = high < 16 ? hex_digit(at[1]) : 16;

        if (low > 15 || line->value_n == KEYS_VALUE_MAX)
            return false;
        line->value[line->value_n++] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool take_value(const char *at, keys_line *line)
{
    return take_name(&at, ':', line->name) && take(&at, ": ") && take_hex(at, line);
}

/* A secret is as long as a hash. */
static bool take_stream(const char *at, keys_line *line)
{
    uint32_t stream = 0;

    if (!take(&at, "stream ") || !take_number(&at, 10, &stream) || stream == 0 || stream > UINT16_MAX ||
        !take(&at, " epoch ") || !take_number(&at, 10, &line->epoch) || !take(&at, " secret ") ||
        !take_hex(at, line))
        return false;
    line->stream = (uint16_t)stream;
    return line->value_n == tl_hash_size(TL_HASH_SHA256) || line->value_n == tl_hash_size(TL_HASH_SHA384);
}

/* A value's name has no blank, so nothing is two kinds of line. */
static keys_kind kind_of(const char *text)
{
    if (text[0] == '#')
        return KEYS_MESSAGE;
    return strncmp(text, "stream ", 7) == 0 ? KEYS_STREAM : KEYS_VALUE;
}

tl_exit keys_next(keys_file *f, keys_line *line, tl_fault *fault)
{
    size_t n;
    bool right;

    line->kind = KEYS_END;
    line->name[0] = '\0';
    line->value_n = 0;
    line->stream = 0;
    line->epoch = 0;
    line->number = ++f->lines;
    if (fgets(f->text, sizeof f->text, f->in) == NULL) {
        if (ferror(f->in))
            return tl_fault_errno(fault, TL_EXIT_LINK, "%.200s: line %llu", f->name,
                                  (unsigned long long)f->lines);
        return TL_EXIT_OK;
    }
    n = strlen(f->text);
    if (n == 0 || f->text[n - 1] != '\n')
        return broken(f, n == sizeof f->text - 1 ? "it is too long" : "it is not ended by a newline", fault);
    f->text[n - 1] = '\0';
    line->kind = kind_of(f->text);
    if (line->kind == KEYS_STREAM)
        right = take_stream(f->text, line);
    else
        right =
            line->kind == KEYS_MESSAGE ? take_message(f->text, &line->message) : take_value(f->text, line);
    return right ? TL_EXIT_OK : broken(f, "neither a message nor a value nor a stream's secret", fault);
}
