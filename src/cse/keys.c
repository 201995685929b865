/* Keys of a stream: the source, its epochs, and what is derived for each.
 *
 *   S(0)   = HKDF(salt = sender's fresh | receiver's fresh, provisioned secret, "stream" | stream | direction), or
 *            HKDF-Expand(a session's export secret, "stream" | stream | direction)
 *   S(e+1) = HKDF-Expand(S(e), "next")                                S(e) is overwritten when e is taken
 *   K      = HKDF-Expand(S(e), "key"  | e | configuration digest)
 *   salt   = HKDF-Expand(S(e), "salt" | e | configuration digest)
 *
 * e travels as its low byte; both ends hold all 32 bits. Integers in the derivation are little-endian. */
#include "cse/keys.h"

#include "base/text.h"

enum { KEY_MAX = 32 };
static const tl_hash_alg derive_hash = TL_HASH_SHA256;

static tl_span little(uint8_t *bytes, unsigned n, uint32_t value)
{
    for (unsigned i = 0; i < n; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    return tl_span_of(bytes, n);
}

/* S(0) from a secret that is a key already, of as many bytes as the hash has or more. */
static tl_err source_begin(tl_key_source *source, const tl_crypto *crypto, tl_digest prk, uint16_t stream,
                           tl_direction direction)
{
    uint8_t id[2], way[1];
    const tl_span info[] = { tl__text("trueline stream"), little(id, 2, stream),
                             little(way, 1, (uint32_t)direction) };

    TL_TRY(tl_hkdf_expand(crypto, prk.alg, prk.value, info, 3, source->secret, tl_hash_size(prk.alg)));
    source->crypto = crypto;
    source->hash = prk.alg;
    source->self = (uintptr_t)source;
    return TL_OK;
}

tl_err tl_key_source_provisioned(tl_key_source *source, const tl_crypto *crypto, const tl_provisioned *from)
{
    uint8_t salt[2 * TL_FRESH_SIZE], prk[TL_HASH_MAX];
    const tl_digest material = { derive_hash, tl_span_of(prk, tl_hash_size(derive_hash)) };
    tl_err e;

    *source = (tl_key_source){ 0 };
    if (from->secret.n < 16 || from->stream == 0)
        return TL_E_USAGE;
    for (unsigned i = 0; i < TL_FRESH_SIZE; i++) {
        salt[i] = from->sender_fresh[i];
        salt[TL_FRESH_SIZE + i] = from->receiver_fresh[i];
    }
    e = tl_hkdf_extract(crypto, derive_hash, tl_span_of(salt, sizeof salt), from->secret, prk);
    if (e == TL_OK)
        e = source_begin(source, crypto, material, from->stream, from->direction);
    tl_wipe(prk, sizeof prk);
    if (e != TL_OK)
        tl_wipe(source, sizeof *source);
    return e;
}

tl_err tl_key_source_exported(tl_key_source *source, const tl_crypto *crypto, tl_digest secret,
                              uint16_t stream, tl_direction direction)
{
    tl_err e;

    *source = (tl_key_source){ 0 };
    if (tl_hash_size(secret.alg) == 0 || secret.value.n != tl_hash_size(secret.alg) || stream == 0)
        return TL_E_USAGE;
    e = source_begin(source, crypto, secret, stream, direction);
    if (e != TL_OK)
        tl_wipe(source, sizeof *source);
    return e;
}

void tl_key_source_wipe(tl_key_source *source)
{
    tl_wipe(source, sizeof *source);
}

/* S(from) to S(to), in place. */
static tl_err ratchet(const tl_key_source *source, uint8_t *secret, uint64_t from, uint64_t to)
{
    const tl_span info = tl__text("trueline next");
    size_t size = tl_hash_size(source->hash);
    uint8_t next[TL_HASH_MAX];
    tl_err e = TL_OK;

    for (; from < to && e == TL_OK; from++) {
        e = tl_hkdf_expand(source->crypto, source->hash, tl_span_of(secret, size), &info, 1, next, size);
        for (size_t i = 0; i < size; i++)
            secret[i] = next[i];
    }
    tl_wipe(next, sizeof next);
    return e;
}

static tl_err derive(const tl_key_source *source, const uint8_t *secret, const char *what, uint32_t epoch,
                     const uint8_t *digest, tl_wr *out)
{
    uint8_t number[4];
    const tl_span info[] = { tl__text(what), little(number, 4, epoch),
                             tl_span_of(digest, TL_CONFIG_DIGEST_SIZE) };

    return tl_hkdf_expand(source->crypto, source->hash, tl_span_of(secret, tl_hash_size(source->hash)), info,
                          3, out->p, out->cap);
}

tl_err tl_cse_key_take(tl_stream_key *key, tl_key_source *source, uint32_t epoch, tl_suite suite,
                       const uint8_t digest[TL_CONFIG_DIGEST_SIZE])
{
    uint8_t secret[TL_HASH_MAX], bytes[KEY_MAX];
    tl_stream_key taken = { .epoch = epoch, .held = true };
    tl_wr k = tl_wr_of(bytes, tl_suite_key_size(suite)), salt = tl_wr_of(taken.salt, sizeof taken.salt);
    const tl_crypto *c = source->crypto;
    tl_err e;

    if (source->self != (uintptr_t)source)
        return TL_E_COPIED;
    if (epoch < source->next || epoch - source->next > TL_EPOCH_JUMP_MAX)
        return TL_E_EPOCH;
    for (unsigned i = 0; i < sizeof secret; i++)
        secret[i] = source->secret[i];
    e = ratchet(source, secret, source->next, epoch);
    if (e == TL_OK)
        e = derive(source, secret, "trueline key", epoch, digest, &k);
    if (e == TL_OK)
        e = derive(source, secret, "trueline salt", epoch, digest, &salt);
    if (e == TL_OK)
        e = ratchet(source, secret, epoch, (uint64_t)epoch + 1);
    if (e == TL_OK)
        e = c->ops->key_load(c->ctx, suite, tl_span_of(bytes, k.cap), &taken.handle);
    if (e == TL_OK) {
        for (unsigned i = 0; i < sizeof secret; i++)
            source->secret[i] = secret[i];
        source->next = (uint64_t)epoch + 1;
        *key = taken;
    }
    tl_wipe(secret, sizeof secret);
    tl_wipe(bytes, sizeof bytes);
    tl_wipe(&taken, sizeof taken);
    return e;
}

void tl_cse_key_drop(tl_stream_key *key, const tl_crypto *crypto)
{
    if (key->held)
        crypto->ops->key_drop(crypto->ctx, key->handle);
    tl_wipe(key, sizeof *key);
}

tl_err tl_cse_key_take_next(tl_stream_key *next, const tl_stream_key *current, tl_key_source *source,
                            uint32_t epoch, const tl_stream_config *config,
                            const uint8_t digest[TL_CONFIG_DIGEST_SIZE])
{
    tl_stream_key taken = { 0 };

    if (((epoch ^ current->epoch) & 0xFF) == 0)
        return TL_E_EPOCH;
    TL_TRY(tl_cse_key_take(&taken, source, epoch, config->suite, digest));
    tl_cse_key_drop(next, source->crypto);
    *next = taken;
    return TL_OK;
}

void tl_cse_key_switch(tl_stream_key *current, tl_stream_key *next, const tl_crypto *crypto)
{
    tl_cse_key_drop(current, crypto);
    *current = *next;
    tl_wipe(next, sizeof *next);
}

/* Messages and payload bytes bound what an observer of one key can learn; wrong tags bound what a forger can try.
 * SP 800-38D: with 96-bit nonces that a counter builds there is no limit on their number; a GMAC forgery succeeds
 * with at most (blocks + 1) / 2^(8 * tag size) each. 2^48 blocks keep the advantage of AES-CTR below 2^-32. */
tl_stream_limits tl_cse_limits(const tl_stream_config *config)
{
    const tl_stream_limits *own = &config->limits;
    tl_stream_limits limits = { .messages = (uint64_t)1 << 40, .bytes = (uint64_t)1 << 52 };

    limits.bad = (uint64_t)1 << (config->tag_size >= 16 ? 32 : 24);
    if (own->messages != 0 && own->messages < limits.messages)
        limits.messages = own->messages;
    if (own->bytes != 0 && own->bytes < limits.bytes)
        limits.bytes = own->bytes;
    if (own->bad != 0 && own->bad < limits.bad)
        limits.bad = own->bad;
    return limits;
}

bool tl_cse_key_spent(const tl_stream_key *key, const tl_stream_limits *limits)
{
    return key->messages >= limits->messages || key->bytes >= limits->bytes || key->bad >= limits->bad;
}
