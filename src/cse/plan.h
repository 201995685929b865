/* What follows from a configuration, worked out once when a context is set up: where each message belongs, how it is
 * covered, which list its tag is on. Shared by the files of src/cse. */
#ifndef TL_CSE_PLAN_H
#define TL_CSE_PLAN_H

#include <trueline/codec.h>
#include <trueline/stream.h>

/* Where a message belongs: the part, and the row inside it. */
typedef struct tl_place {
    bool named; /* false: the configuration has no such message */
    uint8_t part;
    uint16_t row;
} tl_place;

tl_place tl_cse_place(const tl_stream_config *config, const tl_stream_plan *plan, uint32_t data_type,
                      uint32_t message);

/* True if the block's messages have a tag T, whether it travels or not. */
static inline bool tl_cse_is_sealed(const tl_stream_config *config, unsigned block)
{
    return config->suite != TL_SUITE_NONE && (block == TL_BLOCK_SERVICE || config->variant[block] != TL_SV_5);
}

/* How the payload of a message with a tag is covered; row counts inside the part. */
tl_cover tl_cse_cover(const tl_stream_config *config, const tl_stream_plan *plan, tl_place place);

/* The sizes that the layout's rows need, for a message with a tag of tag_n bytes. */
static inline tl_env tl_cse_env(const tl_stream_config *config, size_t tag_n)
{
    tl_env env = { 0 };

    env.len[TL_LEN_TAG] = (uint16_t)tag_n;
    env.len[TL_LEN_CRC] = config->crc32 == TL_WITH ? 4 : 0;
    return env;
}

#endif
