/* Keys of a stream: the source, its epochs, and what is derived for each.
 *
 *   S(0)   = HKDF(salt = sender's fresh | receiver's fresh, provisioned secret, "stream" | stream | direction), or
 *            HKDF-Expand(a session's export secret, "stream" | stream | direction)
 *   S(e+1) = HKDF-Expand(S(e), "next")                                S(e) is overwritten when e is taken
 *   K      = HKDF-Expand(S(e), "key"  | e | configuration digest)     a CMAC suite's: tag key | encryption key
 *   Kouter = HKDF-Expand(S(e), "outer key" | e | configuration digest)                for accumulated tags
 *   salt   = HKDF-Expand(S(e), "salt" | e | configuration digest)
 *
 * e travels as its low byte; both ends hold all 32 bits. Integers in the derivation are little-endian. */
#include "cse/keys.h"

#include "base/text.h"

#include <string.h>

enum { KEY_MAX = 64 };
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

    TL_TRY(tl_hkdf_expand(crypto, prk, info, 3, source->secret, tl_hash_size(prk.alg)));
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

tl_err tl_key_source_recorded(tl_key_source *source, const tl_crypto *crypto, tl_digest secret,
                              uint32_t epoch)
{
    *source = (tl_key_source){ 0 };
    if (tl_hash_size(secret.alg) == 0 || secret.value.n != tl_hash_size(secret.alg))
        return TL_E_USAGE;
    memcpy(source->secret, secret.value.p, secret.value.n);
    source->crypto = crypto;
    source->hash = secret.alg;
    source->next = epoch;
    source->self = (uintptr_t)source;
    return TL_OK;
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
    const tl_digest prk = { source->hash, tl_span_of(secret, size) };
    uint8_t next[TL_HASH_MAX];
    tl_err e = TL_OK;

    for (; from < to && e == TL_OK; from++) {
        e = tl_hkdf_expand(source->crypto, prk, &info, 1, next, size);
        for (size_t i = 0; i < size; i++)
            secret[i] = next[i];
    }
    tl_wipe(next, sizeof next);
    return e;
}

/* What the keys of an epoch are derived from. */
typedef struct origin {
    const tl_crypto *crypto;
    tl_digest secret;
    uint32_t epoch;
    const uint8_t *digest; /* of the configuration */
} origin;

static tl_err derive(const origin *from, const char *what, tl_wr *out)
{
    uint8_t number[4];
    const tl_span info[] = { tl__text(what), little(number, 4, from->epoch),
                             tl_span_of(from->digest, TL_CONFIG_DIGEST_SIZE) };

    return tl_hkdf_expand(from->crypto, from->secret, info, 3, out->p, out->cap);
}

/* Derives one key and loads it; its bytes are wiped. */
static tl_err load(const origin *from, const char *what, tl_suite suite, tl_key *key)
{
    uint8_t bytes[KEY_MAX];
    tl_wr w = tl_wr_of(bytes, tl_suite_key_size(suite));
    const tl_crypto *c = from->crypto;
    tl_err e = derive(from, what, &w);

    if (e == TL_OK)
        e = c->ops->key_load(c->ctx, suite, tl_span_of(bytes, w.cap), key);
    tl_wipe(bytes, sizeof bytes);
    return e;
}

static bool in_reach(const tl_key_source *source, uint32_t epoch)
{
    return epoch >= source->next && epoch - source->next <= TL_EPOCH_JUMP_MAX;
}

/* All keys of an epoch, out of its secret; none on an error. */
static tl_err load_all(tl_stream_key *key, const origin *from, const tl_stream_config *config)
{
    const tl_crypto *c = from->crypto;
    tl_wr salt = tl_wr_of(key->salt, sizeof key->salt);

    TL_TRY(derive(from, "trueline salt", &salt));
    tl_err e = load(from, "trueline key", config->suite, &key->handle);
    if (e == TL_OK && config->tag_mode != TL_TAG_PER_MESSAGE)
        e = load(from, "trueline outer key", config->suite, &key->outer);
    if (e != TL_OK && key->handle.slot != 0) {
        c->ops->key_drop(c->ctx, key->handle);
        key->handle.slot = 0;
    }
    return e;
}

tl_err tl_key_source_secret(const tl_key_source *source, uint32_t epoch, uint8_t *secret, size_t *n)
{
    uint8_t s[TL_HASH_MAX];
    tl_err e;

    if (source->self != (uintptr_t)source)
        return TL_E_COPIED;
    if (!in_reach(source, epoch))
        return TL_E_EPOCH;
    memcpy(s, source->secret, sizeof s);
    e = ratchet(source, s, source->next, epoch);
    if (e == TL_OK) {
        *n = tl_hash_size(source->hash);
        memcpy(secret, s, *n);
    }
    tl_wipe(s, sizeof s);
    return e;
}

static tl_err take_from(tl_stream_key *key, tl_key_source *source, uint32_t epoch,
                        const tl_stream_config *config, const uint8_t *digest)
{
    uint8_t secret[TL_HASH_MAX], next[TL_HASH_MAX];
    const origin from = {
        source->crypto, { source->hash, { secret, tl_hash_size(source->hash) } }, epoch, digest
    };
    tl_stream_key taken = { .epoch = epoch, .held = true };
    tl_err e;

    if (!in_reach(source, epoch))
        return TL_E_EPOCH;
    memcpy(secret, source->secret, sizeof secret);
    e = ratchet(source, secret, source->next, epoch);
    memcpy(next, secret, sizeof next);
    if (e == TL_OK)
        e = ratchet(source, next, epoch, (uint64_t)epoch + 1);
    if (e == TL_OK)
        e = load_all(&taken, &from, config);
    if (e == TL_OK) {
        memcpy(source->secret, next, sizeof next);
        source->next = (uint64_t)epoch + 1;
        *key = taken;
    }
    tl_wipe(secret, sizeof secret);
    tl_wipe(next, sizeof next);
    tl_wipe(&taken, sizeof taken);
    return e;
}

tl_err tl_cse_key_backend(const tl_stream_config *config, const tl_key_source *source,
                          const tl_crypto **crypto)
{
    *crypto = NULL;
    if (source == NULL)
        return config->suite == TL_SUITE_NONE ? TL_OK : TL_E_USAGE;
    if (source->self != (uintptr_t)source)
        return TL_E_COPIED;
    *crypto = source->crypto;
    return TL_OK;
}

tl_err tl_cse_key_take(tl_stream_key *key, tl_key_source *source, uint32_t epoch,
                       const tl_stream_config *config, const uint8_t digest[TL_CONFIG_DIGEST_SIZE])
{
    const tl_crypto *crypto;

    TL_TRY(tl_cse_key_backend(config, source, &crypto));
    if (config->suite != TL_SUITE_NONE)
        return take_from(key, source, epoch, config, digest);
    *key = (tl_stream_key){ .epoch = epoch, .held = true };
    return TL_OK;
}

void tl_cse_key_drop(tl_stream_key *key, const tl_crypto *crypto)
{
    if (key->handle.slot != 0)
        crypto->ops->key_drop(crypto->ctx, key->handle);
    if (key->outer.slot != 0)
        crypto->ops->key_drop(crypto->ctx, key->outer);
    tl_wipe(key, sizeof *key);
}

tl_err tl_cse_key_take_next(tl_stream_key *next, const tl_stream_key *current, tl_key_source *source,
                            uint32_t epoch, const tl_stream_config *config,
                            const uint8_t digest[TL_CONFIG_DIGEST_SIZE])
{
    tl_stream_key taken = { 0 };

    if (((epoch ^ current->epoch) & 0xFF) == 0)
        return TL_E_EPOCH;
    if (config->suite == TL_SUITE_NONE && (epoch < current->epoch || (next->held && epoch <= next->epoch)))
        return TL_E_EPOCH; /* no source is there to refuse it */
    TL_TRY(tl_cse_key_take(&taken, source, epoch, config, digest));
    tl_cse_key_drop(next, source == NULL ? NULL : source->crypto);
    *next = taken;
    return TL_OK;
}

void tl_cse_key_switch(tl_stream_key *current, tl_stream_key *next, const tl_crypto *crypto)
{
    tl_cse_key_drop(current, crypto);
    *current = *next;
    tl_wipe(next, sizeof *next);
}

/* Tags of the longest list of a frame. */
static uint32_t longest_list(const tl_stream_config *c)
{
    uint32_t longest = 0;

    for (unsigned i = 0; i < c->part_count; i++) {
        uint32_t n = 0;
        for (unsigned k = 0; k < c->part_count; k++)
            if (c->variant[c->parts[k].block] != TL_SV_5 &&
                (c->tag_mode == TL_TAG_PER_FRAME || c->parts[k].data_type == c->parts[i].data_type))
                n += c->parts[k].count;
        longest = n > longest ? n : longest;
    }
    return longest;
}

/* Tags of 64 bits: the longest input in bytes, and how often a key may then be used. The uses are those of SP 800-38D,
 * appendix C, each at no longer an input than there: all of a row's forgeries succeed with less than 2^-24 together. */
static uint64_t short_gmac_uses(const tl_stream_config *c)
{
    static const uint8_t table[][2] = {
        { 11, 32 }, { 13, 29 }, { 15, 26 }, { 17, 23 }, { 19, 20 }, { 21, 17 }
    };
    uint64_t bytes = (uint64_t)longest_list(c) * TL_TAG_MAX + TL_SEP_HEADER_SIZE;
    unsigned row = 0;

    while (bytes > (uint64_t)1 << table[row][0])
        row++; /* the longest list, of TL_SEP_LIST_MAX tags, is in the last row */
    return (uint64_t)1 << table[row][1];
}
_Static_assert((uint64_t)TL_SEP_LIST_MAX *TL_TAG_MAX + TL_SEP_HEADER_SIZE <= 1 << 21,
               "a list may be longer than the table of 8-byte tags goes");
_Static_assert(TL_SEP_MESSAGES_MAX <= TL_SEP_LIST_MAX, "a data type may have more messages than a list");

static void lower(uint64_t *limit, uint64_t own)
{
    if (own != 0 && own < *limit)
        *limit = own;
}

/* Messages and payload bytes bound what an observer of one key can learn; wrong tags bound what a forger can try.
 * SP 800-38D: with 96-bit nonces that a counter builds there is no limit on their number; a GMAC forgery succeeds
 * with at most (blocks + 1) / 2^(8 * tag size) each. 2^48 blocks keep the advantage of AES-CTR, and of a collision
 * inside CMAC (SP 800-38B, appendix B), below 2^-32. SP 800-38B, appendix A: 2^20 wrong tags of 8 bytes are a risk of
 * 2^-44. */
tl_stream_limits tl_cse_limits(const tl_stream_config *config)
{
    const tl_stream_limits *own = &config->limits;
    tl_stream_limits limits = { .messages = (uint64_t)1 << 40,
                                .bytes = (uint64_t)1 << 52,
                                .bad = (uint64_t)1 << (config->tag_size >= 16   ? 32
                                                       : config->tag_size >= 12 ? 24
                                                                                : 20),
                                .lists = (uint64_t)1 << 40 };

    if (config->tag_mode != TL_TAG_PER_MESSAGE && config->tag_size == 8 &&
        (config->suite == TL_SUITE_AES128_GMAC || config->suite == TL_SUITE_AES256_GMAC))
        limits.lists = short_gmac_uses(config);
    lower(&limits.messages, own->messages);
    lower(&limits.bytes, own->bytes);
    lower(&limits.bad, own->bad);
    lower(&limits.lists, own->lists);
    return limits;
}

bool tl_cse_key_spent(const tl_stream_key *key, const tl_stream_limits *limits)
{
    return key->messages >= limits->messages || key->bytes >= limits->bytes || key->bad >= limits->bad ||
           key->lists >= limits->lists;
}
