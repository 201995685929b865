/* The combinations that a stream can have: carrier, tag mode, suite, tag length, a kind for each block, where its keys come
 * from, CRC-32; which of them make sense by the design; and the configuration of each. */
#ifndef TL_TESTS_COMBINATION_H
#define TL_TESTS_COMBINATION_H

#include <trueline/stream.h>

/* What a block is. A pattern is either one that the attacked line or byte lies in, or one that it lies outside of. */
typedef enum block_kind {
    KIND_SV1 = 0,
    KIND_SV2,
    KIND_SV3_IN,
    KIND_SV3_OUT,
    KIND_SV4_IN,
    KIND_SV4_OUT,
    KIND_SV5,
    KINDS
} block_kind;

enum { FACTOR_CARRIER = 0, FACTOR_MODE, FACTOR_SUITE, FACTOR_TAG, FACTOR_TOP, FACTOR_MIDDLE, FACTOR_BOTTOM };
enum { FACTOR_KEYS = FACTOR_BOTTOM + 1, FACTOR_CRC32, FACTORS };
enum { KEYS_PROVISIONED = 0, KEYS_EXPORTED };

typedef struct combination {
    uint8_t level[FACTORS];
} combination;

/* How many levels a factor has. */
extern const uint8_t combination_levels[FACTORS];

/* The next one of the full product, valid or not; false behind the last. Zero is the first. */
bool combination_next(combination *c);
/* As the design says it, without a look at what the library thinks. */
bool combination_is_valid(const combination *c);
/* One line for people. */
void combination_text(const combination *c, char *text, size_t room);

/* 8 lines of 64 bytes: two of embedded data, four of pixels, two of embedded data. */
enum { LINES = 8, LINE_BYTES = 64, FRAME_BYTES = LINES * LINE_BYTES, FIRST_FRAME = 41, STREAM_ID = 0x0207 };

tl_stream_config combination_config(const combination *c);
block_kind combination_kind(const combination *c, tl_block block);

#endif
