/* Arbitrary bytes as a stream file. Beyond staying in bounds:
 *     what is refused leaves nothing of the secret behind, and says why in one line
 *     what is taken makes a configuration that the library takes, and is written as JSON that reads the same
 *     what is public is taken without the secret, and refused with it */
#include "expect.h"

#include <stdlib.h>
#include <string.h>

#include "stream_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    stream_file_guard_json();
    return 0;
}

static void write_and_read(const stream_file *file)
{
    json_t *o = stream_file_json(file, STREAM_SECRET_SHOWN);
    char *text = o != NULL ? json_dumps(o, JSON_INDENT(2)) : NULL;
    stream_file again;
    tl_fault fault;

    expect(text != NULL);
    expect(stream_file_parse(&again, "again", tl_span_of(text, strlen(text)), &fault) == TL_EXIT_OK);
    expect(memcmp(file, &again, sizeof again) == 0);
    expect(stream_file_parse_public(&again, "again", tl_span_of(text, strlen(text)), &fault) ==
           TL_EXIT_USAGE);
    json_decref(o);
    free(text);
}

static void write_and_read_public(const stream_file *file)
{
    json_t *o = stream_file_json(file, STREAM_SECRET_HIDDEN);
    char *text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
    stream_file again, open = *file;
    tl_fault fault;

    memset(open.secret, 0, sizeof open.secret);
    expect(text != NULL);
    expect(stream_file_parse(&again, "again", tl_span_of(text, strlen(text)), &fault) == TL_EXIT_USAGE);
    expect(stream_file_parse_public(&again, "again", tl_span_of(text, strlen(text)), &fault) == TL_EXIT_OK);
    expect(memcmp(&open, &again, sizeof again) == 0);
    json_decref(o);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const stream_file nothing;
    stream_file file;
    tl_fault fault = { 0 };
    const char *why;

    if (size > STREAM_FILE_MAX)
        return 0;
    if (stream_file_parse(&file, "fuzz", tl_span_of(data, size), &fault) != TL_EXIT_OK) {
        expect(memcmp(&file, &nothing, sizeof file) == 0);
        expect(fault.code == TL_EXIT_USAGE && fault.text[0] != '\0' && strchr(fault.text, '\n') == NULL);
        return 0;
    }
    expect(tl_stream_config_check(&file.config, &why) == TL_OK);
    write_and_read(&file);
    write_and_read_public(&file);
    return 0;
}
