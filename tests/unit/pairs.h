/* Keys of the backend from given numbers, past its interface, which makes its own: for known answers. */
#ifndef TL_TESTS_PAIRS_H
#define TL_TESTS_PAIRS_H

#include "../../crypto/openssl/backend.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

/* A slot of that kind with the point x || y and, unless it is empty, the private number. False if OpenSSL finds no
 * key in them. */
static inline bool tl_given_key(tl_openssl *b, tl__kind kind, tl_group group, tl_span point, tl_span number,
                                tl_key *k)
{
    uint8_t encoded[1 + 2 * TL__COORDINATE_MAX] = { 4 };
    tl__key *key;
    EVP_PKEY *pair = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    BIGNUM *d = number.n != 0 ? BN_bin2bn(number.p, (int)number.n, NULL) : NULL;
    int which = d != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    memcpy(encoded + 1, point.p, point.n);
    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
                                    group == TL_GROUP_P256 ? "prime256v1" : "secp384r1", 0);
    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, encoded, 1 + point.n);
    if (d != NULL)
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    bool made = EVP_PKEY_fromdata_init(c) == 1 && EVP_PKEY_fromdata(c, &pair, which, params) == 1;
    if (made && tl__key_take(b, kind, &key, k) == TL_OK)
        key->pair = pair;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(c);
    BN_free(d);
    ERR_clear_error();
    return made;
}

/* A fresh pair, its halves in two slots. */
static inline void tl_fresh_pair(tl_openssl *b, tl_group group, tl_key *own, tl_key *open)
{
    tl__key *key;
    EVP_PKEY *pair = EVP_EC_gen(group == TL_GROUP_P256 ? "P-256" : "P-384");
    EVP_PKEY_up_ref(pair);
    if (tl__key_take(b, TL__PRIVATE, &key, own) == TL_OK)
        key->pair = pair;
    if (tl__key_take(b, TL__PUBLIC, &key, open) == TL_OK)
        key->pair = pair;
}

#endif
