/* Running MACs under stream keys, each in a context of its own, so that lists grow side by side.
 *
 * A CMAC starts as a copy of its key's context. A GMAC's is keyed anew: associated data of AES-GCM, without a text. */
#include "backend.h"

#include <limits.h>
#include <openssl/crypto.h>

tl_err tl__mac_open(tl_openssl *b, size_t slots)
{
    b->mac = OPENSSL_zalloc(slots * sizeof *b->mac);
    if (b->mac == NULL || !tl__pool_init(&b->macs, slots))
        return tl__openssl_failed();
    for (size_t i = 0; i < slots; i++) {
        b->mac[i].gmac = EVP_CIPHER_CTX_new();
        if (b->mac[i].gmac == NULL)
            return tl__openssl_failed();
    }
    return TL_OK;
}

void tl__mac_close(tl_openssl *b)
{
    for (size_t i = 0; i < b->macs.n; i++) {
        EVP_MAC_CTX_free(b->mac[i].cmac);
        EVP_CIPHER_CTX_free(b->mac[i].gmac);
    }
    OPENSSL_free(b->mac);
    tl__pool_free(&b->macs);
}

/* Both clear what they hold of the key. */
static void give(tl_openssl *b, size_t slot)
{
    EVP_MAC_CTX_free(b->mac[slot].cmac);
    b->mac[slot].cmac = NULL;
    EVP_CIPHER_CTX_reset(b->mac[slot].gmac);
    tl__pool_give(&b->macs, slot);
}

/* The key's own context may have stopped anywhere in a message. */
static bool start_cmac(const tl__key *key, tl__mac *mac)
{
    if (EVP_MAC_init(key->cmac, NULL, 0, NULL) == 1)
        mac->cmac = EVP_MAC_CTX_dup(key->cmac);
    return mac->cmac != NULL;
}

tl_err tl__mac_start(void *ctx, tl_key k, const uint8_t nonce[TL_NONCE_SIZE], tl_mac *m)
{
    tl_openssl *b = ctx;
    tl__key *key;
    size_t slot;
    m->slot = 0;
    TL_TRY(tl__key_find(b, k, TL__STREAM, &key));
    if (key->cmac == NULL && nonce == NULL)
        return TL_E_USAGE;
    TL_TRY(tl__pool_take(&b->macs, &slot));
    bool started = key->cmac != NULL
                       ? start_cmac(key, &b->mac[slot])
                       : EVP_EncryptInit_ex2(b->mac[slot].gmac, key->gcm, key->gmac, nonce, NULL) == 1;
    if (!started) {
        give(b, slot);
        return tl__openssl_failed();
    }
    m->slot = tl__pool_handle(&b->macs, slot);
    return TL_OK;
}

tl_err tl__mac_add(void *ctx, tl_mac m, tl_span data)
{
    tl_openssl *b = ctx;
    size_t slot;
    int ignored;
    TL_TRY(tl__pool_find(&b->macs, m.slot, &slot));
    if (data.n > INT_MAX || (data.n != 0 && data.p == NULL))
        return TL_E_USAGE;
    if (data.n == 0)
        return TL_OK;
    tl__mac *mac = &b->mac[slot];
    int done = mac->cmac != NULL ? EVP_MAC_update(mac->cmac, data.p, data.n)
                                 : EVP_EncryptUpdate(mac->gmac, NULL, &ignored, data.p, (int)data.n);
    return done == 1 ? TL_OK : tl__openssl_failed();
}

static bool end(tl__mac *mac, uint8_t tag[TL_TAG_MAX])
{
    uint8_t none[TL_TAG_MAX];
    size_t size;
    int n;
    if (mac->cmac != NULL)
        return EVP_MAC_final(mac->cmac, tag, &size, TL_TAG_MAX) == 1;
    return EVP_EncryptFinal_ex(mac->gmac, none, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(mac->gmac, EVP_CTRL_AEAD_GET_TAG, TL_TAG_MAX, tag) == 1;
}

tl_err tl__mac_end(void *ctx, tl_mac m, uint8_t tag[TL_TAG_MAX])
{
    tl_openssl *b = ctx;
    size_t slot;
    TL_TRY(tl__pool_find(&b->macs, m.slot, &slot));
    if (end(&b->mac[slot], tag)) {
        give(b, slot);
        return TL_OK;
    }
    tl_wipe(tag, TL_TAG_MAX);
    return tl__openssl_failed();
}

void tl__mac_drop(void *ctx, tl_mac m)
{
    tl_openssl *b = ctx;
    size_t slot;
    if (tl__pool_find(&b->macs, m.slot, &slot) == TL_OK)
        give(b, slot);
}
