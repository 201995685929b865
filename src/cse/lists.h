/* Accumulated tags: a MAC over the tags of a frame's messages, of one data type or of all. Shared by both ends.
 *
 *   tag   MAC(Kouter, N, T(1) || ... || T(n) || A)      each T untruncated, in the order of the messages
 *   A     a header: data type of the list (0: the frame), message 0, length 0, its purpose in `flags`, n in `count`
 *
 * A stands at the end, so that n is the number of tags that are really there. */
#ifndef TL_CSE_LISTS_H
#define TL_CSE_LISTS_H

#include "cse/plan.h"

/* Of which frame, under which key. */
typedef struct tl_list_frame {
    const tl_crypto *crypto;
    const tl_stream_config *config;
    const tl_stream_plan *plan;
    const tl_stream_key *key;
    uint32_t frame;
} tl_list_frame;

/* The data type of a list; 0: the frame. */
static inline uint8_t tl_cse_list_type(const tl_stream_config *config, const tl_stream_plan *plan,
                                       unsigned list)
{
    return config->tag_mode == TL_TAG_PER_FRAME ? 0 : plan->types[list];
}

/* Puts a tag on the frame's list number `which`. A list that an error of the backend has met is good for dropping only. */
tl_err tl_cse_list_add(const tl_list_frame *f, tl_tag_list *lists, unsigned which,
                       const uint8_t tag[TL_TAG_MAX]) TL_MUST_USE;
/* Closes the list; an empty one has a tag too. */
tl_err tl_cse_list_end(const tl_list_frame *f, tl_tag_list *lists, unsigned which,
                       uint8_t tag[TL_TAG_MAX]) TL_MUST_USE;
/* Gives back what the backend holds of all lists. */
void tl_cse_lists_drop(const tl_crypto *crypto, tl_tag_list lists[TL_SEP_PARTS_MAX]);

#endif
