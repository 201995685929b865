/* The image path: batches of messages, each under the key of the call or under one of its own.
 *
 * A key is found twice, once to see whether the batch is to be refused and once to use it, so that a batch of any
 * length needs no memory. */
#include "backend.h"

#include <limits.h>
#include <openssl/err.h>
#include <string.h>

typedef enum use { MAKE_TAG = 0, COMPARE_TAG } use;

static bool covers_something(const tl_sealed *m)
{
    switch (m->cover) {
    case TL_COVER_PAYLOAD:
    case TL_COVER_ENCRYPTED:
    case TL_COVER_HEADER: return true;
    case TL_COVER_PATTERN: return m->pattern.count > 0 && m->pattern.count <= m->pattern.period;
    }
    return false;
}

static bool usable(const tl_sealed *m, use u)
{
    if (m->header.n > INT_MAX || m->payload_n > INT_MAX)
        return false;
    if ((m->header.n != 0 && m->header.p == NULL) || (m->payload_n != 0 && m->payload == NULL))
        return false;
    if (!covers_something(m))
        return false;
    return u == MAKE_TAG || (m->tag_n >= 1 && m->tag_n <= TL_TAG_MAX);
}

static tl_err key_of(const tl_openssl *b, tl_key k, const tl_sealed *m, tl__key **key)
{
    return tl__key_find(b, m->key.slot != 0 ? m->key : k, TL__STREAM, key);
}

/* Everything is looked at before anything is touched: a refused batch is as it was. */
static tl_err check(const tl_openssl *b, tl_key k, const tl_sealed *m, size_t n, use u)
{
    tl__key *key;
    if (k.slot != 0 || n == 0)
        TL_TRY(tl__key_find(b, k, TL__STREAM, &key));
    if (n != 0 && m == NULL)
        return TL_E_USAGE;
    for (size_t i = 0; i < n; i++) {
        TL_TRY(key_of(b, k, &m[i], &key));
        if (!usable(&m[i], u))
            return TL_E_USAGE;
    }
    return TL_OK;
}

/* Puts every message through `step`. False: it failed, or a key is gone, which check has ruled out. */
static bool each(const tl_openssl *b, tl_key k, tl_sealed *m, size_t n, bool (*step)(tl__key *, tl_sealed *))
{
    tl__key *key;
    bool done = true;
    for (size_t i = 0; done && i < n; i++)
        done = key_of(b, k, &m[i], &key) == TL_OK && step(key, &m[i]);
    return done;
}

static void wipe_text(tl_sealed *m)
{
    if (m->cover == TL_COVER_ENCRYPTED && m->payload_n != 0)
        tl_wipe(m->payload, m->payload_n);
}

/* A half-done batch is worth nothing: what could be secret goes, and no message counts as right. */
static tl_err spoil(tl_sealed *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        m[i].right = false;
        wipe_text(&m[i]);
    }
    return tl__openssl_failed();
}

static tl_err make_tags(const tl_openssl *b, tl_key k, tl_sealed *m, size_t n,
                        bool (*step)(tl__key *, tl_sealed *))
{
    TL_TRY(check(b, k, m, n, MAKE_TAG));
    if (each(b, k, m, n, step))
        return TL_OK;
    for (size_t i = 0; i < n; i++)
        memset(m[i].tag, 0, sizeof m[i].tag);
    return spoil(m, n);
}

tl_err tl__protect(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    return make_tags(ctx, k, m, n, tl__message_seal);
}

tl_err tl__open(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    return make_tags(ctx, k, m, n, tl__message_open);
}

/* What a message is worth once all tags were compared. */
static bool settle(tl__key *key, tl_sealed *m)
{
    if (m->right)
        return tl__message_reveal(key, m);
    wipe_text(m);
    ERR_clear_error();
    return true;
}

tl_err tl__verify(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    for (size_t i = 0; m != NULL && i < n; i++)
        m[i].right = false;
    TL_TRY(check(ctx, k, m, n, COMPARE_TAG));
    /* Only with every tag compared does anything depend on the outcome. */
    if (each(ctx, k, m, n, tl__message_judge) && each(ctx, k, m, n, settle))
        return TL_OK;
    return spoil(m, n);
}
