/* The key schedule of streams, computed once more by OpenSSL's HKDF from what docs/IMAGE-PATH.md says: which key every tag
 * is made and checked under, message or list, and which salt stands in every nonce. No label may stand for another. */
#include "by_openssl.h"
#include "group.h"

enum { KEYS = 64, KEY_MAX = 64, SALT = 4, STREAM = 0x1234 };

/* ---- by OpenSSL ---- */

typedef struct origin {
    tl_hash_alg hash; /* of a session's secret; TL_HASH_NONE: provisioned */
    tl_direction direction;
} origin;

static const uint8_t secret[TL_HASH_MAX] = { 9, 8, 7, 6, 5, 4, 3, 2, 1 };
static const uint8_t fresh[2][TL_FRESH_SIZE] = { { 0x5A, 1 }, { 0xC3, 2 } };

static tl_hash_alg hash_of(const origin *o)
{
    return o->hash == TL_HASH_NONE ? TL_HASH_SHA256 : o->hash;
}

/* S(e). */
static void secret_of(const origin *o, uint32_t epoch, uint8_t s[TL_HASH_MAX])
{
    const tl_hash_alg hash = hash_of(o);
    const size_t n = tl_hash_size(hash);
    const tl_span none = tl_span_of(NULL, 0);
    uint8_t info[] = "trueline stream"
                     "\x34\x12"
                     "d",
            salt[2 * TL_FRESH_SIZE], next[TL_HASH_MAX];

    info[17] = (uint8_t)o->direction;
    memcpy(salt, fresh[0], TL_FRESH_SIZE);
    memcpy(salt + TL_FRESH_SIZE, fresh[1], TL_FRESH_SIZE);
    tl_by_openssl_hkdf(hash, o->hash == TL_HASH_NONE ? tl_span_of(salt, sizeof salt) : none,
                       tl_span_of(secret, n), tl_span_of(info, 18), s, n);
    for (uint32_t e = 0; e < epoch; e++) {
        tl_by_openssl_hkdf(hash, none, tl_span_of(s, n), tl_span_of((const uint8_t *)"trueline next", 13),
                           next, n);
        memcpy(s, next, n);
    }
}

/* What an epoch gives for a configuration. */
typedef struct derived {
    uint8_t key[KEY_MAX], outer[KEY_MAX], salt[SALT];
    size_t key_n;
} derived;

static void expand(const origin *o, const char *label, uint32_t epoch, const uint8_t *digest, uint8_t *out,
                   size_t n)
{
    uint8_t s[TL_HASH_MAX], info[80];
    size_t at = strlen(label);

    secret_of(o, epoch, s);
    memcpy(info, label, at);
    for (unsigned i = 0; i < 4; i++)
        info[at++] = (uint8_t)(epoch >> 8 * i);
    memcpy(info + at, digest, TL_CONFIG_DIGEST_SIZE);
    tl_by_openssl_hkdf(hash_of(o), tl_span_of(NULL, 0), tl_span_of(s, tl_hash_size(hash_of(o))),
                       tl_span_of(info, at + TL_CONFIG_DIGEST_SIZE), out, n);
}

static derived derive(const origin *o, const tl_stream_config *c, uint32_t epoch)
{
    uint8_t digest[TL_CONFIG_DIGEST_SIZE];
    derived d = { .key_n = tl_suite_key_size(c->suite) };

    tl_assert_ok(tl_stream_config_digest(c, crypto, digest));
    expand(o, "trueline key", epoch, digest, d.key, d.key_n);
    expand(o, "trueline outer key", epoch, digest, d.outer, d.key_n);
    expand(o, "trueline salt", epoch, digest, d.salt, SALT);
    return d;
}

/* ---- what the streams use ---- */

/* A backend that holds each use of a key to what it must be. */
typedef struct watcher {
    tl_wrap wrap;
    uint8_t keys[KEYS][KEY_MAX]; /* that were loaded, the last one of a slot counts */
    uint32_t slots[KEYS];
    size_t loaded;
    const derived *must;
    size_t messages, lists;
} watcher;

static const uint8_t *bytes_of(const watcher *w, tl_key k)
{
    for (size_t i = w->loaded; i > 0; i--)
        if (w->slots[i - 1] == k.slot)
            return w->keys[i - 1];
    fail_msg("a key that was never loaded");
    return NULL;
}

static tl_err watch_load(void *ctx, tl_suite suite, tl_span bytes, tl_key *k)
{
    watcher *w = ctx;
    tl_err e = w->wrap.inner->ops->key_load(w->wrap.inner->ctx, suite, bytes, k);

    tl_assert_ok(e);
    assert_true(w->loaded < KEYS && bytes.n == tl_suite_key_size(suite));
    memcpy(w->keys[w->loaded], bytes.p, bytes.n);
    w->slots[w->loaded++] = k->slot;
    return e;
}

static void check_nonce(const watcher *w, const uint8_t *nonce)
{
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(tl_span_of(nonce, TL_NONCE_SIZE));
    tl_sep_nonce n;

    tl_assert_ok(tl_decode_sep_nonce(&env, &r, &n));
    assert_int_equal(n.salt.n, SALT);
    assert_memory_equal(n.salt.p, w->must->salt, SALT);
}

static void check_messages(watcher *w, tl_key k, const tl_sealed *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *key = bytes_of(w, m[i].key.slot != 0 ? m[i].key : k);

        assert_memory_equal(key, w->must->key, w->must->key_n);
        check_nonce(w, m[i].nonce);
        w->messages++;
    }
}

static tl_err watch_protect(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    watcher *w = ctx;

    check_messages(w, k, m, n);
    return w->wrap.inner->ops->protect(w->wrap.inner->ctx, k, m, n);
}

static tl_err watch_verify(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    watcher *w = ctx;

    check_messages(w, k, m, n);
    return w->wrap.inner->ops->verify(w->wrap.inner->ctx, k, m, n);
}

static tl_err watch_open(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    watcher *w = ctx;

    check_messages(w, k, m, n);
    return w->wrap.inner->ops->open(w->wrap.inner->ctx, k, m, n);
}

static tl_err watch_mac_start(void *ctx, tl_key k, const uint8_t nonce[TL_NONCE_SIZE], tl_mac *m)
{
    watcher *w = ctx;

    assert_memory_equal(bytes_of(w, k), w->must->outer, w->must->key_n);
    check_nonce(w, nonce);
    w->lists++;
    return w->wrap.inner->ops->mac_start(w->wrap.inner->ctx, k, nonce, m);
}

static void watch(watcher *w)
{
    memset(w, 0, sizeof *w);
    tl_wrap_init(&w->wrap, crypto);
    w->wrap.ops.key_load = watch_load;
    w->wrap.ops.protect = watch_protect;
    w->wrap.ops.verify = watch_verify;
    w->wrap.ops.open = watch_open;
    w->wrap.ops.mac_start = watch_mac_start;
}

static void make_source(tl_key_source *source, const tl_crypto *c, const origin *o)
{
    const tl_hash_alg hash = hash_of(o);
    const tl_span material = tl_span_of(secret, tl_hash_size(hash));
    const tl_provisioned from = { material, fresh[0], fresh[1], STREAM, o->direction };

    if (o->hash == TL_HASH_NONE)
        tl_assert_ok(tl_key_source_provisioned(source, c, &from));
    else
        tl_assert_ok(tl_key_source_exported(source, c, (tl_digest){ hash, material }, STREAM, o->direction));
}

/* One frame from end to end under an epoch's keys. */
static void frame_under(tl_loop *l, watcher *w, const origin *o, uint32_t epoch)
{
    const derived must = derive(o, &l->config, epoch);
    tl_packets frame = { 0 };

    w->must = &must;
    w->messages = w->lists = 0;
    tl_assert_ok(tl_loop_send(l, &frame));
    tl_assert_ok(tl_loop_receive(l, &frame));
    assert_int_equal(w->messages, 2 * (23 + 2)); /* begin and end, too; at both ends */
    assert_int_equal(w->lists, l->config.tag_mode == TL_TAG_PER_MESSAGE     ? 0
                               : l->config.tag_mode == TL_TAG_PER_DATA_TYPE ? 2 * 2
                                                                            : 2 * 1);
    assert_int_equal(tl_events_last(&l->events, TL_EVENT_FRAME)->verdict, TL_VERDICT_OK);
    tl_packets_free(&frame);
}

static void stream_of(const origin *o, tl_suite suite, tl_tag_mode mode)
{
    watcher w;
    tl_loop l;

    watch(&w);
    tl_loop_init(&l, &w.wrap.crypto);
    assert_int_equal(l.config.stream, STREAM);
    l.config.suite = suite;
    l.config.tag_mode = mode;
    l.rx_config = l.config;
    l.memory = malloc(tl_stream_frame_bytes(&l.config));
    assert_non_null(l.memory);
    make_source(&l.tx_source, l.crypto, o);
    make_source(&l.rx_source, l.crypto, o);
    tl_assert_ok(tl_stream_tx_init(&l.tx, &l.config, &l.tx_source, 1));
    tl_assert_ok(tl_stream_rx_init(&l.rx, &l.rx_config, &l.rx_source, 1,
                                   (tl_buffer){ l.memory, tl_stream_frame_bytes(&l.config) },
                                   tl_events_sink(&l.events)));
    frame_under(&l, &w, o, 1);
    tl_assert_ok(tl_stream_tx_rekey(&l.tx, &l.tx_source, 259)); /* more than its byte on the wire says */
    tl_assert_ok(tl_stream_rx_rekey(&l.rx, &l.rx_source, 259));
    frame_under(&l, &w, o, 259);
    tl_loop_close(&l);
}

static const origin origins[] = { { TL_HASH_NONE, TL_SENSOR_TO_CONTROLLER },
                                  { TL_HASH_NONE, TL_CONTROLLER_TO_SENSOR },
                                  { TL_HASH_SHA256, TL_SENSOR_TO_CONTROLLER },
                                  { TL_HASH_SHA384, TL_SENSOR_TO_CONTROLLER } };

static void keys_when_used_for_messages_or_lists_then_each_of_its_own_label(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++)
        for (int suite = TL_SUITE_AES128_GMAC; suite <= TL_SUITE_AES256_CMAC; suite++)
            for (int mode = TL_TAG_PER_MESSAGE; mode <= TL_TAG_PER_FRAME; mode++)
                stream_of(&origins[i], (tl_suite)suite, (tl_tag_mode)mode);
}

static void secrets_when_told_to_a_recording_then_those_of_their_epoch(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        tl_key_source source;

        make_source(&source, crypto, &origins[i]);
        for (uint32_t epoch = 0; epoch < 4; epoch++) {
            uint8_t told[TL_HASH_MAX], s[TL_HASH_MAX];
            size_t n = 0;

            secret_of(&origins[i], epoch, s);
            tl_assert_ok(tl_key_source_secret(&source, epoch, told, &n));
            assert_int_equal(n, tl_hash_size(hash_of(&origins[i])));
            assert_memory_equal(told, s, n);
        }
        tl_key_source_wipe(&source);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_when_used_for_messages_or_lists_then_each_of_its_own_label),
        cmocka_unit_test(secrets_when_told_to_a_recording_then_those_of_their_epoch),
    };

    return cmocka_run_group_tests_name("key_schedule", tests, open_backend, close_backend);
}
