/* OpenSSL as a careful user calls it: one context for a key, which is set up once, and only the nonce given anew. GMAC is
 * AES-GCM with associated data alone, which is faster than OpenSSL's own "GMAC". */
#include "lines.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <stdlib.h>
#include <string.h>

enum { ONE = LINES_HEADER };

typedef struct state {
    EVP_CIPHER_CTX *gcm;
    EVP_MAC_CTX *cmac;
} state;

static bool cmac_line(const peer *p, unsigned i, uint8_t tag[TL_TAG_MAX])
{
    const state *s = p->state;
    size_t n = 0;

    return EVP_MAC_init(s->cmac, NULL, 0, NULL) == 1 &&
           EVP_MAC_update(s->cmac, lines_at(p->lines, i), ONE + p->lines->payload_n) == 1 &&
           EVP_MAC_final(s->cmac, tag, &n, TL_TAG_MAX) == 1;
}

/* What is associated data, and what is encrypted or decrypted. */
static bool gcm_text(const peer *p, unsigned i)
{
    const state *s = p->state;
    uint8_t *line = lines_at(p->lines, i);
    int n = 0, payload_n = (int)p->lines->payload_n;

    if (p->lines->kind == LINES_GMAC)
        return EVP_CipherUpdate(s->gcm, NULL, &n, line, ONE + payload_n) == 1;
    return EVP_CipherUpdate(s->gcm, NULL, &n, line, ONE) == 1 &&
           EVP_CipherUpdate(s->gcm, line + ONE, &n, line + ONE, payload_n) == 1;
}

static bool gcm_protect(peer *p, unsigned i)
{
    const state *s = p->state;
    uint8_t none[TL_TAG_MAX];
    int n = 0;

    return EVP_CipherInit_ex2(s->gcm, NULL, NULL, p->lines->nonces[i], 1, NULL) == 1 && gcm_text(p, i) &&
           EVP_CipherFinal_ex(s->gcm, none, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(s->gcm, EVP_CTRL_AEAD_GET_TAG, TL_TAG_MAX, p->tags[i]) == 1;
}

static bool gcm_verify(peer *p, unsigned i)
{
    const state *s = p->state;
    uint8_t none[TL_TAG_MAX];
    int n = 0;
    bool good = EVP_CipherInit_ex2(s->gcm, NULL, NULL, p->lines->nonces[i], 0, NULL) == 1 && gcm_text(p, i) &&
                EVP_CIPHER_CTX_ctrl(s->gcm, EVP_CTRL_AEAD_SET_TAG, TL_TAG_MAX, p->tags[i]) == 1;

    p->right += good && EVP_CipherFinal_ex(s->gcm, none, &n) == 1;
    return good;
}

static void protect(void *ctx)
{
    peer *p = ctx;

    for (unsigned i = 0; i < p->lines->n; i++)
        p->failed |= !(p->lines->kind == LINES_CMAC ? cmac_line(p, i, p->tags[i]) : gcm_protect(p, i));
}

static void verify(void *ctx)
{
    peer *p = ctx;
    uint8_t tag[TL_TAG_MAX];

    p->right = 0;
    for (unsigned i = 0; i < p->lines->n; i++) {
        if (p->lines->kind != LINES_CMAC) {
            p->failed |= !gcm_verify(p, i);
            continue;
        }
        p->failed |= !cmac_line(p, i, tag);
        p->right += CRYPTO_memcmp(tag, p->tags[i], TL_TAG_MAX) == 0;
    }
}

static void close_openssl(peer *p)
{
    state *s = p->state;

    if (s != NULL) {
        EVP_CIPHER_CTX_free(s->gcm);
        EVP_MAC_CTX_free(s->cmac);
    }
    free(s);
    p->state = NULL;
}

static bool open_cmac(state *s)
{
    static char name[] = "AES-128-CBC";
    const OSSL_PARAM parameters[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, name, 0),
                                      OSSL_PARAM_construct_end() };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "CMAC", NULL);

    s->cmac = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    return s->cmac != NULL && EVP_MAC_init(s->cmac, lines_key, 16, parameters) == 1;
}

static bool open_gcm(state *s)
{
    s->gcm = EVP_CIPHER_CTX_new();
    return s->gcm != NULL && EVP_EncryptInit_ex2(s->gcm, EVP_aes_128_gcm(), lines_key, NULL, NULL) == 1;
}

bool peer_openssl_open(peer *p, lines *l)
{
    state *s = calloc(1, sizeof *s);

    *p = (peer){ .name = "openssl", .lines = l, .state = s, .close = close_openssl };
    p->protect = protect;
    p->verify = verify;
    if (s != NULL && (l->kind == LINES_CMAC ? open_cmac(s) : open_gcm(s)))
        return true;
    close_openssl(p);
    return false;
}
