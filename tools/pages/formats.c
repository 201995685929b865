/* The pages of file formats: what stands in a stream file, from the table that it is read with, and in a file of secrets. */
#include "page.h"

#include "file.h"
#include "protection.h"

#include <trueline/layout/ids.h>

#include <string.h>

static const struct {
    const char *name, *text;
    uint32_t initial, low, high, step;
} numbers[] = {
#define NUMBER(name, initial, low, high, step, text) { #name, text, initial, low, high, step },
    STREAM_NUMBERS
#undef NUMBER
};

static void put_numbers(FILE *to)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        (void)fprintf(to, ".It Li \"%s\"\n%s: %u to %u", numbers[i].name, numbers[i].text, numbers[i].low,
                      numbers[i].high);
        if (numbers[i].step > 1)
            (void)fprintf(to, ", a multiple of %u", numbers[i].step);
        (void)fprintf(to, " (%u)\n", numbers[i].initial);
    }
}

static void put_stream(FILE *to)
{
    (void)fputs(
        ".Nm trueline-stream\n.Nd stream files: what both ends of a stream agree on, and its secret\n"
        ".Sh DESCRIPTION\nA stream file is one object of JSON.\n"
        "Every key must be there once, and no other; numbers are whole.\n"
        "Who has the file is the sensor: it has mode 0600, and is given to both ends over a way that is "
        "trusted.\n.Bl -tag -width Ds\n.It Li \"format\"\nthe text \"trueline stream 1\"\n",
        to);
    (void)fprintf(to, ".It Li \"layout\"\nof the bytes on the wire: \"%s\" in this build\n", TL_LAYOUT_NAME);
    put_numbers(to);
    (void)fprintf(to, ".It Li \"suite\"\n%s\n", protection_suites);
    (void)fprintf(to, ".It Li \"tag_mode\"\n%s: what a tag is for\n", protection_tag_modes);
    (void)fputs(".It Li \"crc32\"\nwhether a CRC-32 stands beside the tag\n"
                ".It Li \"pattern_top\" , \"pattern_middle\" , \"pattern_bottom\"\n"
                "three numbers: first, count, period; there, if the block's variant has a pattern\n"
                ".It Li \"secret\"\n64 digits of hex\n.El\n"
                ".Sh EXAMPLES\n.Bd -literal -offset indent\n"
                "trueline stream new cam.json\ntrueline stream show cam.json \\-\\-json\n.Ed\n"
                ".Sh SEE ALSO\n.Xr trueline-stream 1 ,\n.Xr trueline-keys 5\n",
                to);
}

static void put_keys(FILE *to)
{
    (void)fputs(
        ".Nm trueline-keys\n.Nd secrets of a recording\n.Sh DESCRIPTION\n"
        "What is needed to open a recording and to verify it again, as text, a line for each thing, in the "
        "order in which it was computed.\nThe file has mode 0600, and is to be kept like the keys that it "
        "holds.\n.Bl -tag -width Ds\n"
        ".It Li \"# -> NAME CODE size BYTES session ID\"\n"
        "a message of SPDM, to the responder or, with <-, from it\n"
        ".It Li \"NAME: HEX\"\na value that an end of a session has computed\n"
        ".It Li \"stream ID epoch N secret HEX\"\n"
        "the secret of a stream from that epoch on: it opens this epoch and those behind it, and none in "
        "front of it\n.El\n"
        ".Sh SEE ALSO\n.Xr trueline-dump 1 ,\n.Xr trueline-verify 1 ,\n.Xr trueline-stream 5\n",
        to);
}

static tl_exit write_format(const book *b, const char *folder, const char *name, void (*put)(FILE *to),
                            tl_fault *fault)
{
    tl_file file;
    tl_exit e = page_begin(&file, folder, name, 5, fault);

    if (e != TL_EXIT_OK)
        return e;
    page_put_head(file.stream, b, name, 5);
    put(file.stream);
    return tl_file_commit(&file, TL_FILE_REPLACE, fault);
}

tl_exit page_write_formats(const book *b, const char *folder, tl_fault *fault)
{
    tl_exit e = write_format(b, folder, "stream", put_stream, fault);

    return e == TL_EXIT_OK ? write_format(b, folder, "keys", put_keys, fault) : e;
}
