/* The receiving end of a stream: set-up, and each batch through look, verify, judge. */
#include "cse/rx.h"

#include "cse/keys.h"

static void name_types(tl_stream_rx *rx)
{
    for (unsigned i = 0; i < rx->plan.type_count; i++)
        rx->types[rx->type_count++].data_type = rx->plan.types[i];
}

static bool has_no_integrity(const tl_stream_config *c)
{
    for (unsigned i = 0; i < c->part_count; i++)
        if (!tl_cse_is_sealed(c, c->parts[i].block))
            return true;
    return false;
}

tl_err tl_stream_rx_init(tl_stream_rx *rx, const tl_stream_config *config, tl_key_source *source,
                         uint32_t epoch, tl_buffer memory, tl_stream_sink sink)
{
    *rx = (tl_stream_rx){ 0 };
    TL_TRY(tl_stream_config_check(config, NULL));
    if (config->tag_mode != TL_TAG_PER_MESSAGE || config->suite == TL_SUITE_NONE ||
        has_no_integrity(config) || config->release > TL_RELEASE_LINE || source == NULL)
        return TL_E_CONFIGURATION; /* the sender is ahead of the receiver */
    if (config->release == TL_RELEASE_FRAME && memory.n < tl_stream_frame_bytes(config))
        return TL_E_ROOM;
    if (source->self != (uintptr_t)source)
        return TL_E_COPIED;
    TL_TRY(tl_stream_config_digest(config, source->crypto, rx->digest));
    TL_TRY(tl_cse_key_take(&rx->key, source, epoch, config, rx->digest));
    rx->crypto = source->crypto;
    rx->config = *config;
    tl_cse_plan(&rx->plan, config);
    rx->sink = sink;
    rx->memory = memory.p;
    rx->expected = config->first_frame;
    name_types(rx);
    return TL_OK;
}

tl_err tl_stream_rx_rekey(tl_stream_rx *rx, tl_key_source *source, uint32_t epoch)
{
    if (source->crypto != rx->crypto)
        return TL_E_USAGE;
    return tl_cse_key_take_next(&rx->next_key, &rx->key, source, epoch, &rx->config, rx->digest);
}

void tl_stream_rx_wipe(tl_stream_rx *rx)
{
    if (rx->crypto != NULL) {
        tl_cse_key_drop(&rx->key, rx->crypto);
        tl_cse_key_drop(&rx->next_key, rx->crypto);
    }
    tl_wipe(rx, sizeof *rx);
}

const tl_stream_counters *tl_stream_rx_counters(const tl_stream_rx *rx)
{
    return &rx->counters;
}

void tl_stream_rx_tick(tl_stream_rx *rx, uint64_t now_ms)
{
    /* A clock that was set back proves nothing against the frame; the old time may lie far ahead. */
    if (rx->open && now_ms < rx->opened_ms)
        rx->opened_ms = now_ms;
    if (rx->open && rx->config.frame_timeout_ms != 0 && now_ms - rx->opened_ms > rx->config.frame_timeout_ms)
        tl_cse_cut(rx);
}

/* Verifies the run of packets from `from` on that go to the backend under one key; gives where it ends. */
static tl_err verify_run(tl_stream_rx *rx, size_t n, size_t from, size_t *to)
{
    const tl_rx_item *first = &rx->items[from];
    const tl_stream_key *key;

    for (*to = from + 1; *to < n; (*to)++)
        if (rx->items[*to].fate != TL_FATE_CHECK || rx->items[*to].epoch != first->epoch)
            break;
    key = tl_cse_rx_key(rx, first->epoch);
    if (key == NULL)
        return TL_E_STATE;
    return rx->crypto->ops->verify(rx->crypto->ctx, key->handle, rx->batch + from, *to - from);
}

static tl_err verify_all(tl_stream_rx *rx, size_t n)
{
    for (size_t i = 0, end; i < n; i = end) {
        end = i + 1;
        if (rx->items[i].fate == TL_FATE_CHECK)
            TL_TRY(verify_run(rx, n, i, &end));
    }
    return TL_OK;
}

/* One batch. After an error of the backend nothing of it counts, not even what had verified. */
static tl_err take_batch(tl_stream_rx *rx, uint64_t now_ms, const tl_buffer *packets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        tl_cse_look(rx, packets[i], &rx->items[i], &rx->batch[i]);
    TL_TRY(verify_all(rx, n));
    for (size_t i = 0; i < n; i++)
        tl_cse_judge(rx, now_ms, &rx->items[i], rx->batch[i].right);
    return TL_OK;
}

/* At most so many that the key keeps its limit of wrong tags even if none of them is right. */
static size_t within(const tl_stream_key *key, uint64_t limit, size_t n)
{
    return key->held && key->bad < limit && limit - key->bad < n ? (size_t)(limit - key->bad) : n;
}

size_t tl_cse_rx_within(const tl_stream_rx *rx, size_t n)
{
    const uint64_t bad = rx->plan.limits.bad;

    return within(&rx->key, bad, within(&rx->next_key, bad, n));
}

tl_err tl_stream_rx_packets(tl_stream_rx *rx, uint64_t now_ms, const tl_buffer *packets, size_t n)
{
    tl_err e = TL_OK, batch;

    tl_stream_rx_tick(rx, now_ms);
    for (size_t done = 0, size; done < n; done += size) {
        size = tl_cse_rx_within(rx, n - done < TL_STREAM_BATCH ? n - done : TL_STREAM_BATCH);
        batch = take_batch(rx, now_ms, packets + done, size);
        if (e == TL_OK)
            e = batch;
    }
    return e;
}
