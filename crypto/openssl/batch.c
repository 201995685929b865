/* The image path: batches of messages under one key, with AES-GCM and its authentication-only form GMAC.
 *
 * Header and a payload in clear are associated data (GMAC over header || payload); an encrypted payload is
 * GCM's own text, the header its associated data. EVP_CIPHER does both; its GMAC through EVP_MAC costs 100 ns
 * a message more. OpenSSL gives no tag out when it decrypts: there it compares itself, in constant time and
 * over tag_n bytes, and since everything else has succeeded by then, a final call that fails is a wrong tag
 * and not a broken backend. */
#include "backend.h"

#include <limits.h>
#include <openssl/err.h>
#include <string.h>

typedef enum direction { OPEN = 0, SEAL = 1 } direction; /* the values that EVP_CipherInit_ex2 takes */

static bool usable(const tl_sealed *m, direction d)
{
    if (m->header.n > INT_MAX || m->payload_n > INT_MAX)
        return false;
    if ((m->header.n != 0 && m->header.p == NULL) || (m->payload_n != 0 && m->payload == NULL))
        return false;
    if (m->cover != TL_COVER_PAYLOAD && m->cover != TL_COVER_ENCRYPTED)
        return false;
    return d == SEAL || (m->tag_n >= 1 && m->tag_n <= TL_TAG_MAX);
}

/* Everything is looked at before anything is touched: a refused batch is as it was. */
static tl_err find_key(tl_openssl *b, tl_key k, const tl_sealed *m, size_t n, direction d, EVP_CIPHER_CTX **c)
{
    tl__key *key;
    TL_TRY(tl__key_find(b, k, TL__STREAM, &key));
    if (n != 0 && m == NULL)
        return TL_E_USAGE;
    for (size_t i = 0; i < n; i++) {
        if (!usable(&m[i], d))
            return TL_E_USAGE;
    }
    *c = key->stream;
    return TL_OK;
}

/* Feeds the message; afterwards only the tag is missing. */
static bool feed(EVP_CIPHER_CTX *c, tl_sealed *m, direction d)
{
    int n;
    if (EVP_CipherInit_ex2(c, NULL, NULL, m->nonce, (int)d, NULL) != 1)
        return false;
    if (m->header.n != 0 && EVP_CipherUpdate(c, NULL, &n, m->header.p, (int)m->header.n) != 1)
        return false;
    uint8_t *out = m->cover == TL_COVER_ENCRYPTED ? m->payload : NULL;
    return m->payload_n == 0 || EVP_CipherUpdate(c, out, &n, m->payload, (int)m->payload_n) == 1;
}

static bool seal(EVP_CIPHER_CTX *c, tl_sealed *m, uint8_t tag[TL_TAG_MAX])
{
    uint8_t none[TL_TAG_MAX];
    int n;
    return feed(c, m, SEAL) && EVP_CipherFinal_ex(c, none, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TL_TAG_MAX, tag) == 1;
}

/* Decrypts in place and sets `right`. False: the backend failed. */
static bool open_encrypted(EVP_CIPHER_CTX *c, tl_sealed *m)
{
    uint8_t none[TL_TAG_MAX];
    int n;
    if (!feed(c, m, OPEN) || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, m->tag_n, m->tag) != 1)
        return false;
    m->right = EVP_CipherFinal_ex(c, none, &n) == 1;
    return true;
}

static bool open_clear(EVP_CIPHER_CTX *c, tl_sealed *m)
{
    uint8_t tag[TL_TAG_MAX];
    if (!seal(c, m, tag))
        return false;
    m->right = tl_equal(tl_span_of(tag, m->tag_n), tl_span_of(m->tag, m->tag_n));
    /* The right tag of a message that came with a wrong one is what a forger wants. */
    tl_wipe(tag, sizeof tag);
    return true;
}

/* A half-done batch is worth nothing: what could be secret goes, and no message counts as right. */
static tl_err spoil(tl_sealed *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        m[i].right = false;
        if (m[i].cover == TL_COVER_ENCRYPTED && m[i].payload_n != 0)
            tl_wipe(m[i].payload, m[i].payload_n);
    }
    return tl__openssl_failed();
}

tl_err tl__protect(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    EVP_CIPHER_CTX *c;
    TL_TRY(find_key(ctx, k, m, n, SEAL, &c));
    for (size_t i = 0; i < n; i++) {
        if (!seal(c, &m[i], m[i].tag)) {
            for (size_t j = 0; j < n; j++)
                memset(m[j].tag, 0, sizeof m[j].tag);
            return spoil(m, n);
        }
    }
    return TL_OK;
}

tl_err tl__verify(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    EVP_CIPHER_CTX *c;
    for (size_t i = 0; m != NULL && i < n; i++)
        m[i].right = false;
    TL_TRY(find_key(ctx, k, m, n, OPEN, &c));
    for (size_t i = 0; i < n; i++) {
        bool done = m[i].cover == TL_COVER_ENCRYPTED ? open_encrypted(c, &m[i]) : open_clear(c, &m[i]);
        if (!done)
            return spoil(m, n);
    }
    /* Only now, with every tag compared, does anything depend on the outcome. */
    for (size_t i = 0; i < n; i++) {
        if (m[i].right)
            continue;
        if (m[i].cover == TL_COVER_ENCRYPTED && m[i].payload_n != 0)
            tl_wipe(m[i].payload, m[i].payload_n);
        ERR_clear_error();
    }
    return TL_OK;
}
