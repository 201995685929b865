/* The messages of the layout that was chosen: for each one its struct tl_NAME, its rows tl_rows_NAME(), and
 *
 *   tl_err tl_decode_NAME(const tl_env *e, tl_rd *r, tl_NAME *m);
 *   tl_err tl_encode_NAME(const tl_env *e, const tl_NAME *m, tl_wr *w);
 *   bool   tl_each_NAME(tl_rd *r, const tl_env *e, tl_NAME *m);
 *
 * which are tl_decode, tl_encode and tl_each of codec.h with the message's type. Integers are uint32_t
 * (U64: uint64_t), bytes are tl_span. */
#ifndef TRUELINE_MESSAGES_H
#define TRUELINE_MESSAGES_H

#include <trueline/codec.h>

#ifdef __cplusplus
extern "C" {
#endif

#include <trueline/def/struct.h>
#include <trueline/def/all.h>
#include <trueline/def/none.h>

/* All messages, in the order of their files; one without a name ends the list. */
extern const tl_message tl_messages[];

#ifdef __cplusplus
}
#endif

#endif
