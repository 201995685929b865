/* Remembering secrets. Verify data is an HMAC too, but is sent: it is known by its one part, a digest. */
#include "secrets.h"
#include "testing.h"

#include <string.h>

static void note(tl_secrets *s, const uint8_t *p, size_t n)
{
    if (n < TL_SECRETS_PREFIX)
        return;
    if (s->n == TL_SECRETS_MAX)
        fail_msg("more than %d secrets", TL_SECRETS_MAX);
    memcpy(s->bytes[s->n++], p, TL_SECRETS_PREFIX);
}

static bool all_zero(tl_span s)
{
    size_t i = 0;

    while (i < s.n && s.p[i] == 0)
        i++;
    return i == s.n;
}

static tl_err hmac(void *ctx, tl_hash_alg alg, tl_span key, const tl_span *parts, size_t n, uint8_t *mac)
{
    tl_secrets *s = ctx;
    size_t size = tl_hash_size(alg);
    tl_err e = s->wrap.inner->ops->hmac(s->wrap.inner->ctx, alg, key, parts, n, mac);
    bool verify_data = n == 1 && parts[0].n == size && !all_zero(parts[0]) && !all_zero(key);

    if (e == TL_OK && !verify_data)
        note(s, mac, size);
    return e;
}

static tl_err exchange_end(void *ctx, tl_key own, tl_span point, uint8_t *secret)
{
    tl_secrets *s = ctx;
    tl_err e = s->wrap.inner->ops->exchange_end(s->wrap.inner->ctx, own, point, secret);

    if (e == TL_OK)
        note(s, secret, point.n / 2);
    return e;
}

static tl_err key_load(void *ctx, tl_suite suite, tl_span key, tl_key *k)
{
    tl_secrets *s = ctx;

    note(s, key.p, key.n);
    return s->wrap.inner->ops->key_load(s->wrap.inner->ctx, suite, key, k);
}

void tl_secrets_init(tl_secrets *s, const tl_crypto *inner)
{
    memset(s, 0, sizeof *s);
    tl_wrap_init(&s->wrap, inner);
    s->wrap.ops.hmac = hmac;
    s->wrap.ops.exchange_end = exchange_end;
    s->wrap.ops.key_load = key_load;
}

const tl_crypto *tl_secrets_crypto(const tl_secrets *s)
{
    return &s->wrap.crypto;
}

bool tl_secrets_found(const tl_secrets *s, size_t from, size_t to, const void *p, size_t n)
{
    const uint8_t *bytes = p;

    for (size_t at = 0; at + TL_SECRETS_PREFIX <= n; at++) {
        if (bytes[at] == 0 && bytes[at + 1] == 0) /* no secret begins so */
            continue;
        for (size_t i = from; i < to; i++)
            if (s->bytes[i][0] == bytes[at] && memcmp(s->bytes[i], bytes + at, TL_SECRETS_PREFIX) == 0)
                return true;
    }
    return false;
}

void tl_secrets_assert_none(const tl_secrets *s, size_t from, size_t to, const void *p, size_t n)
{
    for (size_t i = from; i < to; i++)
        if (tl_secrets_found(s, i, i + 1, p, n))
            fail_msg("secret %zu of %zu is in memory", i, s->n);
}
