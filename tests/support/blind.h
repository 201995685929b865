/* A crypto backend that finds every tag right. Payloads are still decrypted. What a test suite says with this one in
 * place shows which of its cases depend on tags. */
#ifndef TL_TESTS_BLIND_H
#define TL_TESTS_BLIND_H

#include "wrap.h"

enum { TL_BLIND_TAGS = 1024, TL_BLIND_LEAST = 8 };

typedef struct tl_blind {
    tl_wrap wrap;
    uint8_t made[TL_BLIND_TAGS][TL_TAG_MAX]; /* the last ones that open and mac_end gave */
    size_t made_n;
} tl_blind;

void tl_blind_init(tl_blind *b, const tl_crypto *inner);
const tl_crypto *tl_blind_crypto(const tl_blind *b);
/* Whether the bytes, 8 or more, are the beginning of a tag that was made to be compared elsewhere. Whoever replaces that
 * comparison finds these tags right too. */
bool tl_blind_made(const tl_blind *b, tl_span tag);

#endif
