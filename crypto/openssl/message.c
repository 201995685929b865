/* One message of the image path: its tag, and its text where that is encrypted.
 *
 * GMAC is AES-GCM whose associated data is all that the tag covers; an encrypted payload is GCM's own text, the
 * header its associated data. EVP_CIPHER does both; its GMAC through EVP_MAC costs 100 ns a message more. CMAC is
 * EVP_MAC, and its encryption a counter mode of its own, done before the tag is made and after it was compared.
 *
 * OpenSSL gives no tag out when it decrypts with GCM. Where one is compared, OpenSSL does it itself, in constant time
 * and over tag_n bytes, and since everything else has succeeded by then, a final call that fails is a wrong tag and
 * not a broken backend. Where one is wanted, the text is decrypted and then encrypted once more, to nowhere. */
#include "backend.h"

typedef enum direction { OPEN = 0, SEAL = 1 } direction; /* the values that EVP_CipherInit_ex2 takes */

enum { CTR_BLOCK = 16, CTR_FIRST = 2, SOME = 1024 };

/* ---- what the tag covers ---- */

static bool start(tl__key *key, const tl_sealed *m, direction d)
{
    if (key->cmac != NULL)
        return EVP_MAC_init(key->cmac, NULL, 0, NULL) == 1;
    return EVP_CipherInit_ex2(key->stream, NULL, NULL, m->nonce, (int)d, NULL) == 1;
}

static bool add(tl__key *key, const uint8_t *p, size_t n)
{
    int ignored;
    if (n == 0)
        return true;
    if (key->cmac != NULL)
        return EVP_MAC_update(key->cmac, p, n) == 1;
    return EVP_CipherUpdate(key->stream, NULL, &ignored, p, (int)n) == 1;
}

static bool add_pattern(tl__key *key, const tl_sealed *m)
{
    for (size_t at = m->pattern.first; at < m->payload_n; at += m->pattern.period) {
        size_t left = m->payload_n - at;
        if (!add(key, m->payload + at, left < m->pattern.count ? left : m->pattern.count))
            return false;
    }
    return true;
}

/* GCM's own text is none of what is added here. */
static bool add_covered(tl__key *key, const tl_sealed *m)
{
    if (!add(key, m->header.p, m->header.n))
        return false;
    switch (m->cover) {
    case TL_COVER_PAYLOAD: return add(key, m->payload, m->payload_n);
    case TL_COVER_PATTERN: return add_pattern(key, m);
    case TL_COVER_ENCRYPTED: return key->cmac == NULL || add(key, m->payload, m->payload_n);
    case TL_COVER_HEADER: break;
    }
    return true;
}

static bool finish(tl__key *key, uint8_t tag[TL_TAG_MAX])
{
    uint8_t none[TL_TAG_MAX];
    size_t size;
    int n;
    if (key->cmac != NULL)
        return EVP_MAC_final(key->cmac, tag, &size, TL_TAG_MAX) == 1;
    return EVP_CipherFinal_ex(key->stream, none, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(key->stream, EVP_CTRL_AEAD_GET_TAG, TL_TAG_MAX, tag) == 1;
}

static bool make_tag(tl__key *key, const tl_sealed *m, uint8_t tag[TL_TAG_MAX])
{
    return start(key, m, SEAL) && add_covered(key, m) && finish(key, tag);
}

/* ---- text ---- */

/* GCM's, in place, with the header before it. */
static bool gcm_text(tl__key *key, tl_sealed *m, direction d)
{
    int n;
    return start(key, m, d) && add_covered(key, m) &&
           (m->payload_n == 0 ||
            EVP_CipherUpdate(key->stream, m->payload, &n, m->payload, (int)m->payload_n) == 1);
}

/* The counter mode beside CMAC; both directions are the same. */
static bool ctr_text(tl__key *key, tl_sealed *m)
{
    uint8_t block[CTR_BLOCK] = { [CTR_BLOCK - 1] = CTR_FIRST };
    int n;
    for (size_t i = 0; i < TL_NONCE_SIZE; i++)
        block[i] = m->nonce[i];
    return EVP_CipherInit_ex2(key->stream, NULL, NULL, block, SEAL, NULL) == 1 &&
           (m->payload_n == 0 ||
            EVP_CipherUpdate(key->stream, m->payload, &n, m->payload, (int)m->payload_n) == 1);
}

/* The tag of a GCM message whose text was decrypted already. */
static bool gcm_tag_of_plain(tl__key *key, tl_sealed *m)
{
    uint8_t cipher[SOME];
    bool done = start(key, m, SEAL) && add_covered(key, m);
    for (size_t at = 0; done && at < m->payload_n; at += SOME) {
        size_t left = m->payload_n - at;
        int n = left < SOME ? (int)left : SOME;
        done = EVP_CipherUpdate(key->stream, cipher, &n, m->payload + at, n) == 1;
    }
    return done && finish(key, m->tag);
}

/* ---- whole messages ---- */

bool tl__message_seal(tl__key *key, tl_sealed *m)
{
    if (m->cover != TL_COVER_ENCRYPTED)
        return make_tag(key, m, m->tag);
    if (key->cmac != NULL)
        return ctr_text(key, m) && make_tag(key, m, m->tag);
    return gcm_text(key, m, SEAL) && finish(key, m->tag);
}

bool tl__message_open(tl__key *key, tl_sealed *m)
{
    if (m->cover != TL_COVER_ENCRYPTED)
        return make_tag(key, m, m->tag);
    if (key->cmac != NULL)
        return make_tag(key, m, m->tag) && ctr_text(key, m);
    return gcm_text(key, m, OPEN) && gcm_tag_of_plain(key, m);
}

static bool judge_gcm_text(tl__key *key, tl_sealed *m)
{
    uint8_t none[TL_TAG_MAX];
    int n;
    if (!gcm_text(key, m, OPEN) ||
        EVP_CIPHER_CTX_ctrl(key->stream, EVP_CTRL_AEAD_SET_TAG, m->tag_n, m->tag) != 1)
        return false;
    m->right = EVP_CipherFinal_ex(key->stream, none, &n) == 1;
    return true;
}

bool tl__message_judge(tl__key *key, tl_sealed *m)
{
    uint8_t tag[TL_TAG_MAX];
    if (m->cover == TL_COVER_ENCRYPTED && key->cmac == NULL)
        return judge_gcm_text(key, m);
    bool done = make_tag(key, m, tag);
    if (done)
        m->right = tl_equal(tl_span_of(tag, m->tag_n), tl_span_of(m->tag, m->tag_n));
    /* The right tag of a message that came with a wrong one is what a forger wants. */
    tl_wipe(tag, sizeof tag);
    return done;
}

bool tl__message_reveal(tl__key *key, tl_sealed *m)
{
    return m->cover != TL_COVER_ENCRYPTED || key->cmac == NULL || ctr_text(key, m);
}
