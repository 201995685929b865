/* Stream files: what both ends of a provisioned stream agree on, as JSON, with the secret. */
#ifndef TL_TOOLS_STREAM_FILE_H
#define TL_TOOLS_STREAM_FILE_H

#include "fault.h"
#include "file.h"

#include <trueline/stream.h>

#include <jansson.h>

enum {
    STREAM_FILE_MAX = 64 * 1024, /* bytes of a file */
    STREAM_SECRET_SIZE = 32
};

/* The numbers of a stream file: NUMBER(name, default, lowest, highest, multiple of, what it is). */
#define STREAM_NUMBERS                                                                                       \
    NUMBER(stream, 1, 1, 65535, 1, "id of the stream, end to end")                                           \
    NUMBER(width, 1280, 16, 16384, 4, "pixels of a line")                                                    \
    NUMBER(height, 720, 2, 16384, 2, "lines of pixels")                                                      \
    NUMBER(bits, 12, 10, 12, 2, "bits of a pixel: RAW10 or RAW12")                                           \
    NUMBER(embedded_top, 2, 0, 255, 1, "embedded data lines before the pixels")                              \
    NUMBER(embedded_bottom, 2, 0, 255, 1, "embedded data lines behind them")                                 \
    NUMBER(tag_size, 16, 0, 16, 4, "bytes of a tag")                                                         \
    NUMBER(variant_top, 2, 1, 5, 1, "security variant of the lines before the pixels")                       \
    NUMBER(variant_middle, 2, 1, 5, 1, "the same for the pixels")                                            \
    NUMBER(variant_bottom, 2, 1, 5, 1, "the same for the lines behind them")                                 \
    NUMBER(first_frame, 1, 0, 4294967295, 1, "number of the first frame")

typedef struct stream_file {
#define NUMBER(name, initial, low, high, step, text) uint32_t name;
    STREAM_NUMBERS
#undef NUMBER
    tl_suite suite;
    tl_tag_mode tag_mode;
    tl_presence crc32;
    tl_pattern pattern[4]; /* by tl_block; zero: none */
    uint8_t secret[STREAM_SECRET_SIZE];
    tl_stream_config config; /* made from the rest by stream_file_build */
} stream_file;

typedef enum stream_secrecy { STREAM_SECRET_HIDDEN = 0, STREAM_SECRET_SHOWN } stream_secrecy;

/* The defaults, without a secret. */
void stream_file_init(stream_file *file);
/* Checks the values and makes the configuration. `name` is for the fault. TL_EXIT_USAGE. */
tl_exit stream_file_build(stream_file *file, const char *name, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Reads the text of a file; strict. TL_EXIT_USAGE, and *file is wiped. */
tl_exit stream_file_parse(stream_file *file, const char *name, tl_span text, tl_fault *fault)
    __attribute__((warn_unused_result));
/* The same of a text without a secret, as recordings hold it; one with a secret is refused. */
tl_exit stream_file_parse_public(stream_file *file, const char *name, tl_span text, tl_fault *fault)
    __attribute__((warn_unused_result));
/* The same from a path. Refuses a file that others may open. */
tl_exit stream_file_read(stream_file *file, const char *path, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Writes it, mode 0600. */
tl_exit stream_file_write(const stream_file *file, const char *path, tl_file_clash clash, tl_fault *fault)
    __attribute__((warn_unused_result));
/* As a JSON object, the caller's to json_decref; NULL without memory. */
json_t *stream_file_json(const stream_file *file, stream_secrecy secrecy);
void stream_file_wipe(stream_file *file);

/* From here on JSON values are wiped when they are freed. Once, before the first JSON value of the program. */
void stream_file_guard_json(void);

/* Bits that a pixel may have. */
extern const uint32_t stream_file_bits[2];

/* Bytes of a packed line of pixels, and the data type of pixels. */
size_t stream_file_line_bytes(const stream_file *file);
uint8_t stream_file_pixel_type(const stream_file *file);

#endif
