/* The receiving end of a stream: set-up, and each batch through look, verify, judge. */
#include "cse/rx.h"

#include "cse/keys.h"
#include "cse/lists.h"

static bool needs_memory(const tl_stream_config *config)
{
    return config->carrier == TL_CARRIER_SEP &&
           (config->release == TL_RELEASE_FRAME || config->release == TL_RELEASE_EARLY);
}

tl_err tl_stream_rx_init(tl_stream_rx *rx, const tl_stream_config *config, tl_key_source *source,
                         uint32_t epoch, tl_buffer memory, tl_stream_sink sink)
{
    const tl_crypto *crypto;

    *rx = (tl_stream_rx){ 0 };
    TL_TRY(tl_stream_config_check(config, NULL));
    if (needs_memory(config) && memory.n < tl_stream_frame_bytes(config))
        return TL_E_ROOM;
    TL_TRY(tl_cse_key_backend(config, source, &crypto));
    TL_TRY(tl_stream_config_digest(config, crypto, rx->digest));
    TL_TRY(tl_cse_key_take(&rx->key, source, epoch, config, rx->digest));
    rx->crypto = crypto;
    rx->config = *config;
    tl_stream_plan_of(&rx->plan, config);
    rx->sink = sink;
    rx->memory = memory.p;
    rx->expected = config->first_frame;
    return TL_OK;
}

tl_err tl_stream_rx_rekey(tl_stream_rx *rx, tl_key_source *source, uint32_t epoch)
{
    if ((source == NULL ? NULL : source->crypto) != rx->crypto)
        return TL_E_USAGE;
    return tl_cse_key_take_next(&rx->next_key, &rx->key, source, epoch, &rx->config, rx->digest);
}

tl_err tl_stream_rx_rows(tl_stream_rx *rx, tl_span *rows, size_t n)
{
    if (rx->config.release != TL_RELEASE_IN_PLACE)
        return TL_E_USAGE;
    if (rx->open)
        return TL_E_STATE;
    if (rows != NULL && n < rx->plan.messages)
        return TL_E_ROOM;
    rx->rows = rows;
    return TL_OK;
}

void tl_stream_rx_wipe(tl_stream_rx *rx)
{
    if (rx->open)
        tl_cse_frame_wipe(rx);
    tl_cse_lists_drop(rx->crypto, rx->lists);
    tl_cse_key_drop(&rx->key, rx->crypto);
    tl_cse_key_drop(&rx->next_key, rx->crypto);
    tl_wipe(rx, sizeof *rx);
}

const tl_stream_counters *tl_stream_rx_counters(const tl_stream_rx *rx)
{
    return &rx->counters;
}

const tl_stream_limits *tl_stream_rx_limits(const tl_stream_rx *rx)
{
    return &rx->plan.limits;
}

/* ---- batches ---- */

static bool could_pass(const tl_stream_key *key, uint64_t limit, size_t n)
{
    return key->held && key->bad < limit && limit - key->bad <= n;
}

bool tl_cse_rx_full(const tl_rx_batch *b, const tl_stream_rx *rx)
{
    const uint64_t bad = rx->plan.limits.bad;

    return b->n == TL_STREAM_BATCH || could_pass(&rx->key, bad, b->n) || could_pass(&rx->next_key, bad, b->n);
}

void tl_cse_rx_add(tl_rx_batch *b, tl_stream_rx *rx, tl_buffer packet)
{
    tl_cse_look(rx, packet, b);
    if (b->items[b->n].fate == TL_FATE_CHECK || b->items[b->n].fate == TL_FATE_LIST)
        b->crypto = rx->crypto;
    b->n++;
}

static tl_sealed *rows_to_open(tl_rx_batch *b)
{
    return b->rows + TL_STREAM_BATCH - b->lists;
}

tl_err tl_cse_rx_verify(tl_rx_batch *b)
{
    tl_sealed *rows = rows_to_open(b);

    if (b->checks > 0)
        TL_TRY(b->crypto->ops->verify(b->crypto->ctx, b->rows[0].key, b->rows, b->checks));
    if (b->lists > 0)
        TL_TRY(b->crypto->ops->open(b->crypto->ctx, rows[0].key, rows, b->lists));
    return TL_OK;
}

/* Tags that do not travel are nobody else's business. */
static void forget(tl_rx_batch *b)
{
    tl_sealed *rows = rows_to_open(b);

    for (unsigned i = 0; i < b->lists; i++)
        tl_wipe(rows[i].tag, sizeof rows[i].tag);
    tl_cse_rx_empty(b);
}

tl_err tl_cse_rx_run(tl_rx_batch *b, uint64_t now_ms)
{
    tl_err e = tl_cse_rx_verify(b), one;

    for (unsigned i = 0, n = e == TL_OK ? b->n : 0; i < n; i++) {
        const tl_rx_item *item = &b->items[i];
        one = tl_cse_judge(item, now_ms, &b->rows[item->place]);
        if (e == TL_OK)
            e = one;
    }
    forget(b);
    return e;
}

tl_err tl_stream_rx_packets(tl_stream_rx *rx, uint64_t now_ms, const tl_buffer *packets, size_t n)
{
    tl_rx_batch batch;
    tl_err e = TL_OK, one;

    if (rx->config.carrier != TL_CARRIER_SEP)
        return TL_E_USAGE;
    tl_cse_rx_empty(&batch);
    tl_stream_rx_tick(rx, now_ms);
    for (size_t i = 0; i < n; i++) {
        tl_cse_ask(packets, n, i + TL_STREAM_BATCH);
        tl_cse_rx_add(&batch, rx, packets[i]);
        if (i + 1 < n && !tl_cse_rx_full(&batch, rx))
            continue;
        one = tl_cse_rx_run(&batch, now_ms);
        if (e == TL_OK)
            e = one;
    }
    return e;
}
