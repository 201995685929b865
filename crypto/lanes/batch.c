/* Batches: everything is looked at before anything is touched, and every tag is compared before anything depends on
 * one.
 *
 * A GMAC suite's messages are worked on one after the other, a CMAC suite's side by side; a batch may mix them. The
 * payload of an encrypted message is decrypted right after its tag was computed, while it is still in the cache, whatever
 * the tag says; if it was wrong the payload is wiped in the end. */
#include "inner.h"

/* What AES-GCM's counter allows is 2^36 - 32 bytes; nobody needs a message longer than this. */
enum { MESSAGE_MAX = 0x7FFFFFFF };

static bool usable(const tl_sealed *m, tl__job job)
{
    if (m->header.n > MESSAGE_MAX || m->payload_n > MESSAGE_MAX)
        return false;
    if ((m->header.n != 0 && m->header.p == NULL) || (m->payload_n != 0 && m->payload == NULL))
        return false;
    if (job == TL__VERIFY && (m->tag_n < 1 || m->tag_n > TL_TAG_MAX))
        return false;
    switch (m->cover) {
    case TL_COVER_PAYLOAD:
    case TL_COVER_ENCRYPTED:
    case TL_COVER_HEADER: return true;
    case TL_COVER_PATTERN: return m->pattern.count != 0 && m->pattern.count <= m->pattern.period;
    }
    return false;
}

tl_lanes_key *tl__batch_key(const tl__batch *b, const tl_sealed *m)
{
    return tl__lanes_key_find(b->l, m->key.slot != 0 ? m->key : b->k);
}

/* What a batch's keys are: GMAC's, and each of the suites that are worked on side by side. */
typedef struct kinds {
    bool gmac, cmac128, cmac256;
} kinds;

static tl_err look_at(const tl__batch *b, kinds *seen)
{
    *seen = (kinds){ false, false, false };
    if (b->n != 0 && b->m == NULL)
        return TL_E_USAGE;
    if (b->k.slot != 0 && tl__lanes_key_find(b->l, b->k) == NULL)
        return TL_E_USAGE;
    for (size_t i = 0; i < b->n; i++) {
        const tl_lanes_key *key = tl__batch_key(b, &b->m[i]);
        if (key == NULL || !usable(&b->m[i], b->job))
            return TL_E_USAGE;
        seen->gmac |= !tl__is_cmac(key->suite);
        seen->cmac128 |= key->suite == TL_SUITE_AES128_CMAC;
        seen->cmac256 |= key->suite == TL_SUITE_AES256_CMAC;
    }
    return b->n == 0 && b->k.slot == 0 ? TL_E_USAGE : TL_OK;
}

static tl_err run(const tl__batch *b)
{
    kinds seen;
    TL_TRY(look_at(b, &seen));
    for (size_t i = 0; seen.gmac && i < b->n; i++) {
        const tl_lanes_key *key = tl__batch_key(b, &b->m[i]);
        if (!tl__is_cmac(key->suite))
            tl__gmac_message(b, key, &b->m[i]);
    }
    if (seen.cmac128)
        tl__cmac_pass(b, TL_SUITE_AES128_CMAC);
    if (seen.cmac256)
        tl__cmac_pass(b, TL_SUITE_AES256_CMAC);
    return TL_OK;
}

/* All ones in the bytes below n of eight that begin with byte `from`, as the machine's word has them in memory. */
static uint64_t bytes_below(size_t n, size_t from)
{
    static const uint8_t ones[2 * TL_TAG_MAX] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                                  0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
    uint64_t mask;
    memcpy(&mask, ones + TL_TAG_MAX - n + from, sizeof mask);
    return mask;
}

/* Are the first n bytes of two tags the same? Two words each and no branch: it takes the same time wherever they
 * differ. n is no secret. */
static bool equal_tags(const uint8_t a[TL_TAG_MAX], const uint8_t b[TL_TAG_MAX], size_t n)
{
    uint64_t x[2], y[2];
    memcpy(x, a, sizeof x);
    memcpy(y, b, sizeof y);
    uint64_t differ = ((x[0] ^ y[0]) & bytes_below(n, 0)) | ((x[1] ^ y[1]) & bytes_below(n, sizeof *x));
    return ((differ | (0 - differ)) >> 63 ^ 1) != 0;
}

void tl__batch_tag(const tl__batch *b, tl_sealed *m, const uint8_t tag[TL_TAG_MAX])
{
    if (b->job == TL__VERIFY)
        m->right = equal_tags(tag, m->tag, m->tag_n);
    else
        memcpy(m->tag, tag, TL_TAG_MAX);
}

tl_err tl__lanes_protect(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    return run(&(tl__batch){ ctx, k, m, n, TL__PROTECT });
}

tl_err tl__lanes_open(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    return run(&(tl__batch){ ctx, k, m, n, TL__OPEN });
}

tl_err tl__lanes_verify(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    for (size_t i = 0; m != NULL && i < n; i++)
        m[i].right = false;
    TL_TRY(run(&(tl__batch){ ctx, k, m, n, TL__VERIFY }));
    for (size_t i = 0; i < n; i++) {
        if (!m[i].right && m[i].cover == TL_COVER_ENCRYPTED && m[i].payload_n != 0)
            tl__forget(m[i].payload, m[i].payload_n);
    }
    return TL_OK;
}
