/* A crypto backend that finds every tag right. Payloads are still decrypted. What a test suite says with this one in
 * place shows which of its cases depend on tags. */
#ifndef TL_TESTS_BLIND_H
#define TL_TESTS_BLIND_H

#include "wrap.h"

typedef struct tl_blind {
    tl_wrap wrap;
} tl_blind;

void tl_blind_init(tl_blind *b, const tl_crypto *inner);
const tl_crypto *tl_blind_crypto(const tl_blind *b);

#endif
