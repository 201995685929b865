/* What the two ends of a stream ask of a configuration. Shared by the files of src/cse. */
#ifndef TL_CSE_CONFIG_H
#define TL_CSE_CONFIG_H

#include <trueline/codec.h>
#include <trueline/stream.h>

/* Where a message belongs: the part, and the row inside it. */
typedef struct tl_place {
    bool named; /* false: the configuration has no such message */
    uint8_t part;
    uint16_t row;
} tl_place;

tl_place tl_cse_place(const tl_stream_config *config, uint32_t data_type, uint32_t message);
/* Number of the part's first message, and the offset of its payloads in the frame memory. */
uint32_t tl_cse_part_first(const tl_stream_config *config, unsigned part);
size_t tl_cse_part_offset(const tl_stream_config *config, unsigned part);
/* Bytes of the footer, and the sizes that the layout's rows need. */
size_t tl_cse_footer_size(const tl_stream_config *config);
tl_env tl_cse_env(const tl_stream_config *config);

#endif
