/* A crypto backend around another one, that hands every call on. The wrappers of the tests start from it
 * and replace the calls they care about; they chain over any tl_crypto. */
#ifndef TL_TESTS_WRAP_H
#define TL_TESTS_WRAP_H

#include <trueline/crypto.h>

/* First member of each wrapper: the ctx of its calls is both. */
typedef struct tl_wrap {
    tl_crypto crypto; /* what to hand to the code under test */
    tl_crypto_ops ops;
    const tl_crypto *inner;
} tl_wrap;

/* Makes every call go to `inner`, which must live as long. A wrapper then puts its own into w->ops. */
void tl_wrap_init(tl_wrap *w, const tl_crypto *inner);

#endif
