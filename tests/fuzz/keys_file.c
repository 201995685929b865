/* Arbitrary bytes as a file of secrets: lines count up, what was read says the same when it is written
 * and read again, and what is refused is named with its line. */
#include "expect.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "keys_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_line(const keys_line *l, FILE *out)
{
    const keys_message *m = &l->message;

    if (l->kind == KEYS_MESSAGE) {
        (void)fprintf(out, "# %s %s 0x%x size %" PRIu32 " session %" PRIx32 "\n", m->request ? "->" : "<-",
                      m->name, m->code, m->size, m->session);
        return;
    }
    if (l->kind == KEYS_STREAM)
        (void)fprintf(out, "stream %u epoch %" PRIu32 " secret ", l->stream, l->epoch);
    else
        (void)fprintf(out, "%s: ", l->name);
    for (size_t i = 0; i < l->value_n; i++)
        (void)fprintf(out, "%02X", l->value[i]);
    (void)fputc('\n', out);
}

static void read_again(const keys_line *l)
{
    static keys_file file;
    static keys_line again;
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n), *in;
    tl_fault fault;

    expect(out != NULL);
    write_line(l, out);
    expect(fclose(out) == 0);
    in = fmemopen(text, n, "rb");
    expect(in != NULL);
    keys_open(&file, in, "again");
    expect(keys_next(&file, &again, &fault) == TL_EXIT_OK && again.kind == l->kind);
    if (l->kind == KEYS_MESSAGE)
        expect(again.message.request == l->message.request && again.message.code == l->message.code &&
               again.message.size == l->message.size && again.message.session == l->message.session &&
               strcmp(again.message.name, l->message.name) == 0);
    else
        expect(strcmp(again.name, l->name) == 0 && again.stream == l->stream && again.epoch == l->epoch &&
               again.value_n == l->value_n && memcmp(again.value, l->value, l->value_n) == 0);
    (void)fclose(in);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static keys_file file;
    static keys_line line;
    FILE *in = size > 0 ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;
    tl_fault fault = { 0 };
    uint64_t number = 0;

    if (in == NULL)
        return 0;
    keys_open(&file, in, "fuzz");
    do {
        if (keys_next(&file, &line, &fault) != TL_EXIT_OK) {
            expect(fault.code == TL_EXIT_USAGE && strstr(fault.text, "line ") != NULL);
            break;
        }
        expect(line.number == ++number);
        if (line.kind != KEYS_END)
            read_again(&line);
    } while (line.kind != KEYS_END);
    (void)fclose(in);
    return 0;
}
