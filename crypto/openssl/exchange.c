/* ECDH. A point travels as x || y; OpenSSL's form has the byte 04 before it, and so cannot be the point at
 * infinity. OpenSSL checks that a point is on the curve when it is set and once more when it becomes the
 * peer of a derivation. */
#include "backend.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <string.h>

enum { UNCOMPRESSED = 0x04 };

static EVP_PKEY *generate(const tl__curve *curve)
{
    EVP_PKEY *pair = NULL;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (c == NULL || EVP_PKEY_keygen_init(c) != 1 || EVP_PKEY_CTX_set_group_name(c, curve->name) != 1 ||
        EVP_PKEY_generate(c, &pair) != 1)
        pair = NULL;
    EVP_PKEY_CTX_free(c);
    return pair;
}

static bool write_point(const EVP_PKEY *pair, size_t size, uint8_t *point)
{
    uint8_t encoded[1 + 2 * TL__COORDINATE_MAX];
    size_t n;
    if (EVP_PKEY_get_octet_string_param(pair, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, encoded, sizeof encoded,
                                        &n) != 1 ||
        n != 1 + 2 * size || encoded[0] != UNCOMPRESSED)
        return false;
    memcpy(point, encoded + 1, 2 * size);
    return true;
}

tl_err tl__exchange_start(void *ctx, tl_group group, tl_key *own, uint8_t *point)
{
    tl_openssl *b = ctx;
    tl__key *key;
    const tl__curve *curve = tl__curve_of_group(group);
    own->slot = 0;
    if (curve == NULL)
        return TL_E_USAGE;
    TL_TRY(tl__key_take(b, TL__EXCHANGE, &key, own));
    key->pair = generate(curve);
    if (key->pair != NULL && write_point(key->pair, curve->size, point))
        return TL_OK;
    tl__key_drop(b, *own);
    own->slot = 0;
    memset(point, 0, 2 * curve->size);
    return tl__openssl_failed();
}

/* After a point was refused: the group code complains about the point, all else is OpenSSL's own trouble. */
static tl_err point_failed(void)
{
    bool point = ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_EC;
    tl_err e = tl__openssl_failed();
    return point ? TL_E_POINT : e;
}

/* The peer's half, over the curve of ours. */
static tl_err read_point(const EVP_PKEY *own, size_t size, tl_span point, EVP_PKEY **peer)
{
    uint8_t encoded[1 + 2 * TL__COORDINATE_MAX] = { UNCOMPRESSED };
    if (point.p == NULL || point.n != 2 * size)
        return TL_E_POINT;
    memcpy(encoded + 1, point.p, point.n);
    EVP_PKEY *made = EVP_PKEY_new();
    if (made == NULL || EVP_PKEY_copy_parameters(made, own) != 1) {
        EVP_PKEY_free(made);
        return tl__openssl_failed();
    }
    if (EVP_PKEY_set1_encoded_public_key(made, encoded, 1 + point.n) != 1) {
        EVP_PKEY_free(made);
        return point_failed();
    }
    *peer = made;
    return TL_OK;
}

static tl_err derive(EVP_PKEY *own, EVP_PKEY *peer, size_t size, uint8_t *secret)
{
    size_t n = size;
    tl_err e = TL_OK;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
    if (c == NULL || EVP_PKEY_derive_init(c) != 1)
        e = tl__openssl_failed();
    else if (EVP_PKEY_derive_set_peer(c, peer) != 1)
        e = point_failed();
    else if (EVP_PKEY_derive(c, secret, &n) != 1 || n != size)
        e = tl__openssl_failed();
    EVP_PKEY_CTX_free(c);
    return e;
}

tl_err tl__exchange_end(void *ctx, tl_key own, tl_span peer_point, uint8_t *secret)
{
    tl_openssl *b = ctx;
    tl__key *key;
    EVP_PKEY *peer = NULL;
    TL_TRY(tl__key_find(b, own, TL__EXCHANGE, &key));
    const tl__curve *curve = tl__curve_of_key(key->pair);
    size_t size = curve != NULL ? curve->size : 0;
    tl_err e = curve != NULL ? read_point(key->pair, size, peer_point, &peer) : tl__openssl_failed();
    if (e == TL_OK) {
        e = derive(key->pair, peer, size, secret);
        EVP_PKEY_free(peer);
    }
    if (e != TL_OK)
        tl_wipe(secret, size);
    tl__key_drop(b, own);
    return e;
}
