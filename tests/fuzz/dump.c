/* Arbitrary bytes as a recording with its secrets, dumped as text and as JSON, with every field:
 *     it ends, with one of the codes that it may end with
 *     what failed is named in a line, and the last line counts as many; what is refused is named in one
 * The first two bytes, little-endian, are the length of the file of secrets, which follows; the rest is
 * the recording. */
#include "expect.h"

#include <stdlib.h>
#include <string.h>

#include "dump.h"

#include <trueline/base.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FILE *open_bytes(tl_span s)
{
    static char nothing[1];
    FILE *in = s.n > 0 ? fmemopen((void *)(uintptr_t)s.p, s.n, "rb") : fmemopen(nothing, 1, "rb");

    expect(in != NULL);
    if (s.n == 0)
        (void)fgetc(in);
    return in;
}

static unsigned long failures(const char *text)
{
    unsigned long n = 0;

    for (const char *at = text; (at = strstr(at, "FAILED message ")) != NULL; at++)
        n += at == text || at[-1] == '\n';
    return n;
}

static void run(tl_span recording, tl_span keys, dump_format format, bool with_keys)
{
    char *text = NULL, last[40];
    size_t n = 0;
    tl_fault fault = { 0 };
    dump_options o = { .format = format,
                       .fields = true,
                       .packets = with_keys,
                       .recording = { open_bytes(recording), "recording" } };
    tl_exit e;

    o.out = open_memstream(&text, &n);
    expect(o.out != NULL);
    if (with_keys)
        o.keys = (dump_input){ open_bytes(keys), "keys" };
    e = dump_run(&o, &fault);
    expect(fclose(o.out) == 0);
    expect(e == TL_EXIT_OK || e == TL_EXIT_REFUSED || (fault.code == e && fault.text[0] != '\0'));
    expect(e <= TL_EXIT_USAGE || e == TL_EXIT_LINK);
    if (format == DUMP_TEXT && e <= TL_EXIT_REFUSED) {
        (void)snprintf(last, sizeof last, "%s=%lu\n", with_keys ? "failed" : "malformed", failures(text));
        expect(n >= strlen(last) && strcmp(text + n - strlen(last), last) == 0);
        expect((e == TL_EXIT_OK) == (failures(text) == 0));
    }
    free(text);
    (void)fclose(o.recording.file);
    if (with_keys)
        (void)fclose(o.keys.file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tl_rd r = tl_rd_of(tl_span_of(data, size));
    size_t n = (size_t)tl_get(&r, 2, TL_LITTLE);
    tl_span keys, recording;

    if (r.bad)
        return 0;
    keys = tl_get_bytes(&r, n < r.n ? n : r.n);
    recording = tl_rd_rest(&r);
    run(recording, keys, DUMP_TEXT, true);
    run(recording, keys, DUMP_JSON, false);
    return 0;
}
