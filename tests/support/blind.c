/* Verifying without looking: the counter mode that encrypts also decrypts, so protecting a copy of the message gives the
 * plaintext and a tag that nobody compares. */
#include "blind.h"

static tl_err verify(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    const tl_blind *b = ctx;
    tl_sealed copy;
    tl_err e = TL_OK;

    for (size_t i = 0; i < n && e == TL_OK; i++) {
        copy = m[i];
        e = b->wrap.inner->ops->protect(b->wrap.inner->ctx, k, &copy, 1);
        m[i].right = e == TL_OK;
    }
    return e;
}

void tl_blind_init(tl_blind *b, const tl_crypto *inner)
{
    tl_wrap_init(&b->wrap, inner);
    b->wrap.ops.verify = verify;
}

const tl_crypto *tl_blind_crypto(const tl_blind *b)
{
    return &b->wrap.crypto;
}
