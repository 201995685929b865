/* Secrets in their order. A few lines for each start, so they are searched from the front; but a list may be long, and a
 * begin is forged with ease, so whoever asks goes on from the start at hand. */
#include "stream_keys.h"

#include "keys_file.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_STEP = 64 };

/* Grows by a copy, so that no secret stays in memory that was given back. */
static bool grow(stream_keys *k)
{
    size_t room = k->room == 0 ? ROOM_STEP : 2 * k->room;
    stream_key *keys = calloc(room, sizeof *keys);

    if (keys == NULL)
        return false;
    if (k->n > 0)
        memcpy(keys, k->keys, k->n * sizeof *keys);
    if (k->keys != NULL)
        tl_wipe(k->keys, k->room * sizeof *k->keys);
    free(k->keys);
    k->keys = keys;
    k->room = room;
    return true;
}

static const stream_key *last_of(const stream_keys *k, uint16_t stream)
{
    for (size_t i = k->n; i-- > 0;)
        if (k->keys[i].stream == stream)
            return &k->keys[i];
    return NULL;
}

/* The stream's key with this secret. */
static const stream_key *with_secret(const stream_keys *k, const keys_line *line)
{
    for (size_t i = 0; i < k->n; i++)
        if (k->keys[i].stream == line->stream && k->keys[i].n == line->value_n &&
            memcmp(k->keys[i].secret, line->value, line->value_n) == 0)
            return &k->keys[i];
    return NULL;
}

/* Secrets that both ends wrote, or that were put together twice, are no further start: under one, all of the first one's
 * frames would be right once more. */
static tl_exit add(stream_keys *k, const keys_line *line, const char *name, tl_fault *fault)
{
    const stream_key *last, *same = with_secret(k, line);
    stream_key *key;
    uint32_t start = 0;

    if (same != NULL && same->epoch == line->epoch)
        return TL_EXIT_OK;
    if (same != NULL)
        return tl_fault_set(fault, TL_EXIT_USAGE,
                            "%.200s: line %llu: the secret of epoch %u stands there again", name,
                            (unsigned long long)line->number, (unsigned)same->epoch);

    if (k->n == STREAM_KEYS_MAX)
        return tl_fault_set(fault, TL_EXIT_USAGE, "%.200s: line %llu: more than %d secrets", name,
                            (unsigned long long)line->number, STREAM_KEYS_MAX);
    if (k->n == k->room && !grow(k))
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "%.200s: no memory for its secrets", name);
    last = last_of(k, line->stream);
    if (last != NULL)
        start = line->epoch > last->epoch ? last->start : last->start + 1;
    key = &k->keys[k->n++];
    *key = (stream_key){
        .stream = line->stream, .epoch = line->epoch, .start = start, .n = (uint8_t)line->value_n
    };
    memcpy(key->secret, line->value, line->value_n);
    return TL_EXIT_OK;
}

tl_exit stream_keys_read(stream_keys *k, FILE *in, const char *name, tl_fault *fault)
{
    keys_file *file = malloc(sizeof *file);
    keys_line *line = malloc(sizeof *line);
    tl_exit e = TL_EXIT_OK;

    if (file == NULL || line == NULL) {
        e = tl_fault_set(fault, TL_EXIT_INTERNAL, "%.200s: no memory", name);
    } else {
        keys_open(file, in, name);
        do {
            e = keys_next(file, line, fault);
            if (e == TL_EXIT_OK && line->kind == KEYS_STREAM)
                e = add(k, line, name, fault);
        } while (e == TL_EXIT_OK && line->kind != KEYS_END);
        tl_wipe(file, sizeof *file);
        tl_wipe(line, sizeof *line);
    }
    free(file);
    free(line);
    return e;
}

tl_exit stream_keys_take(stream_keys *k, tl_span text, const char *name, tl_fault *fault)
{
    char buffer[KEYS_BUFFER];
    FILE *in = fmemopen((void *)(uintptr_t)text.p, text.n, "rb");
    tl_exit e;

    if (in == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "%.200s: no memory for its secrets", name);
    (void)setvbuf(in, buffer, _IOFBF, sizeof buffer);
    e = stream_keys_read(k, in, name, fault);
    (void)fclose(in);
    tl_wipe(buffer, sizeof buffer);
    return e;
}

uint32_t stream_keys_starts(const stream_keys *k, uint16_t stream)
{
    const stream_key *last = last_of(k, stream);

    return last == NULL ? 0 : last->start + 1;
}

const stream_key *stream_keys_at(const stream_keys *k, uint16_t stream, uint32_t start, uint32_t epoch)
{
    for (size_t i = 0; i < k->n; i++)
        if (k->keys[i].stream == stream && k->keys[i].start == start && k->keys[i].epoch == epoch)
            return &k->keys[i];
    return NULL;
}

const stream_key *stream_keys_first(const stream_keys *k, uint16_t stream, uint32_t start)
{
    for (size_t i = 0; i < k->n; i++)
        if (k->keys[i].stream == stream && k->keys[i].start == start)
            return &k->keys[i];
    return NULL;
}

const stream_key *stream_keys_later(const stream_keys *k, uint16_t stream, uint32_t start, uint32_t epoch,
                                    uint8_t number)
{
    for (size_t i = 0; i < k->n; i++) {
        const stream_key *key = &k->keys[i];

        if (key->stream == stream && key->start == start && key->epoch > epoch &&
            (key->epoch & 0xFF) == number)
            return key;
    }
    return NULL;
}

tl_err stream_keys_digest(const stream_keys *k, uint16_t stream, const tl_crypto *crypto,
                          uint8_t digest[TL_CONFIG_DIGEST_SIZE])
{
    uint8_t bytes[9 + TL_HASH_MAX];
    tl_hash h = { 0 };
    tl_err e;

    TL_TRY(crypto->ops->hash_start(crypto->ctx, TL_HASH_SHA256, &h));
    e = crypto->ops->hash_add(crypto->ctx, h, tl_span_of((const uint8_t *)"trueline keys", 13));
    for (size_t i = 0; i < k->n && e == TL_OK; i++) {
        const stream_key *key = &k->keys[i];
        tl_wr w = tl_wr_of(bytes, sizeof bytes);

        if (key->stream != stream)
            continue;
        tl_put(&w, 4, TL_LITTLE, key->epoch);
        tl_put(&w, 4, TL_LITTLE, key->start);
        tl_put(&w, 1, TL_LITTLE, key->n);
        memcpy(bytes + w.n, key->secret, key->n);
        e = crypto->ops->hash_add(crypto->ctx, h, tl_span_of(bytes, w.n + key->n));
    }
    if (e == TL_OK)
        e = crypto->ops->hash_end(crypto->ctx, h, digest);
    if (e != TL_OK)
        crypto->ops->hash_drop(crypto->ctx, h);
    tl_wipe(bytes, sizeof bytes);
    return e;
}

void stream_keys_close(stream_keys *k)
{
    if (k->keys != NULL)
        tl_wipe(k->keys, k->room * sizeof *k->keys);
    free(k->keys);
    *k = (stream_keys){ 0 };
}
