/* ECDSA signatures over digests. OpenSSL's are DER, ours r || s, each padded to a coordinate's size.
 *
 * What a peer sends becomes well-formed DER whatever it is, so that OpenSSL's answer is right or wrong, and a failure
 * is its own. */
#include "backend.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>

enum { DER_MAX = 2 * (TL__COORDINATE_MAX + 4) + 4 };

/* The key of a call, if everything about the call is in order. */
static tl_err find_key(tl_openssl *b, tl_key k, tl__kind kind, tl_sign_alg alg, tl_digest digest,
                       EVP_PKEY **pair)
{
    tl__key *key;
    const tl__curve *curve = tl__curve_of_alg(alg);
    TL_TRY(tl__key_find(b, k, kind, &key));
    if (curve == NULL || tl__curve_of_key(key->pair) != curve)
        return TL_E_USAGE;
    if (digest.value.p == NULL || digest.value.n == 0 || digest.value.n != tl_hash_size(digest.alg))
        return TL_E_USAGE;
    *pair = key->pair;
    return TL_OK;
}

static bool sign_der(EVP_PKEY *pair, tl_span digest, uint8_t der[DER_MAX], size_t *n)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, pair, NULL);
    bool done = c != NULL && EVP_PKEY_sign_init(c) == 1 && EVP_PKEY_sign(c, der, n, digest.p, digest.n) == 1;
    EVP_PKEY_CTX_free(c);
    return done;
}

static bool raw_from_der(const uint8_t *der, size_t n, size_t size, uint8_t *raw)
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)n);
    bool done = pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, (int)size) == (int)size &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + size, (int)size) == (int)size;
    ECDSA_SIG_free(pair);
    return done;
}

tl_err tl__sign(void *ctx, tl_key k, tl_sign_alg alg, tl_digest digest, uint8_t *signature)
{
    uint8_t der[DER_MAX];
    size_t n = sizeof der;
    EVP_PKEY *pair;
    tl_err e = find_key(ctx, k, TL__PRIVATE, alg, digest, &pair);
    if (e == TL_OK) {
        if (sign_der(pair, digest.value, der, &n) && raw_from_der(der, n, tl_sign_size(alg) / 2, signature))
            return TL_OK;
        e = tl__openssl_failed();
    }
    tl_wipe(signature, tl_sign_size(alg));
    return e;
}

/* The DER of r || s, to be freed; NULL if OpenSSL failed. */
static uint8_t *der_from_raw(tl_span raw, size_t *n)
{
    uint8_t *der = NULL;
    int size = (int)(raw.n / 2), length = -1;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw.p, size, NULL), *s = BN_bin2bn(raw.p + size, size, NULL);
    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL;
        length = i2d_ECDSA_SIG(pair, &der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    *n = length > 0 ? (size_t)length : 0;
    return length > 0 ? der : NULL;
}

/* 1: right, 0: wrong, less: OpenSSL failed. */
static int verify_der(EVP_PKEY *pair, const uint8_t *der, size_t n, tl_span digest)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, pair, NULL);
    int answer = -1;
    if (c != NULL && EVP_PKEY_verify_init(c) == 1)
        answer = EVP_PKEY_verify(c, der, n, digest.p, digest.n);
    EVP_PKEY_CTX_free(c);
    return answer;
}

tl_err tl__check_signature(void *ctx, tl_key k, tl_sign_alg alg, tl_digest digest, tl_span signature,
                           bool *right)
{
    EVP_PKEY *pair;
    size_t n, half = tl_sign_size(alg) / 2;
    *right = false;
    TL_TRY(find_key(ctx, k, TL__PUBLIC, alg, digest, &pair));
    if (signature.p == NULL || signature.n != 2 * half)
        return TL_OK;
    uint8_t *der = der_from_raw(signature, &n);
    int answer = der != NULL ? verify_der(pair, der, n, digest.value) : -1;
    OPENSSL_free(der);
    if (answer < 0)
        return tl__openssl_failed();
    ERR_clear_error();
    *right = answer == 1;
    return TL_OK;
}
