/* HKDF of RFC 5869 on the backend's HMAC.
 *
 *   PRK  = HMAC(salt, secret)
 *   T(0) = empty, T(i) = HMAC(PRK, T(i-1) || info || i), output = the first bytes of T(1) || T(2) || ...   */
#include <trueline/crypto.h>

#include <string.h>

enum { BLOCKS_MAX = 255 };

tl_err tl_hkdf_extract(const tl_crypto *c, tl_hash_alg alg, tl_span salt, tl_span secret, uint8_t *prk)
{
    static const uint8_t zeros[TL_HASH_MAX];
    size_t size = tl_hash_size(alg);
    if (size == 0)
        return TL_E_USAGE;
    /* RFC 5869, section 2.2: a salt that is not given is HashLen zeros. */
    if (salt.n == 0)
        salt = tl_span_of(zeros, size);
    tl_err e = c->ops->hmac(c->ctx, alg, salt, &secret, 1, prk);
    if (e != TL_OK)
        tl_wipe(prk, size);
    return e;
}

tl_err tl_hkdf_expand(const tl_crypto *c, tl_digest prk, const tl_span *info, size_t info_n, uint8_t *out,
                      size_t out_n)
{
    uint8_t t[TL_HASH_MAX];
    uint8_t counter = 0;
    tl_span parts[1 + TL_HKDF_INFO_MAX + 1];
    size_t size = tl_hash_size(prk.alg);
    tl_err e = TL_E_USAGE;
    if (size == 0 || prk.value.n < size || info_n > TL_HKDF_INFO_MAX || out_n > BLOCKS_MAX * size)
        goto out;
    parts[0] = tl_span_of(t, 0);
    for (size_t i = 0; i < info_n; i++)
        parts[1 + i] = info[i];
    parts[1 + info_n] = tl_span_of(&counter, 1);
    e = TL_OK;
    for (size_t done = 0; done < out_n && e == TL_OK; done += size) {
        counter++;
        e = c->ops->hmac(c->ctx, prk.alg, prk.value, parts, info_n + 2, t);
        if (e == TL_OK)
            memcpy(out + done, t, out_n - done < size ? out_n - done : size);
        parts[0] = tl_span_of(t, size);
    }
out:
    if (e != TL_OK && out_n != 0)
        tl_wipe(out, out_n);
    tl_wipe(t, sizeof t);
    return e;
}
