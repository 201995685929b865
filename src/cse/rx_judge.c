/* The receiver's verdicts, in order of arrival, and every change of its state.
 *
 * A frame is opened by a begin whose tag is right, and by nothing else; it is closed by its end, by a newer begin, or by
 * time. Facts (proven) fail a frame. Claims, of packets whose tag is wrong or was never looked at, only name the cause
 * where something is proven to be missing: who adds packets costs no frame, who spoils them costs the frames he spoils.
 * A plain packet where a protected one must be is a fact. What has no tag by configuration counts as it says. */
#include "cse/keys.h"
#include "cse/rx.h"

static void refuse(const tl_rx_item *item, tl_verdict verdict, bool proven)
{
    tl_stream_event e = tl_cse_event(TL_EVENT_MESSAGE, verdict, item);

    e.proven = proven;
    item->rx->counters.verdicts[verdict]++;
    tl_cse_emit(item->rx, &e);
}

/* A readable, undamaged header that names another frame than the open one says nothing about the open one. */
static bool names_other_frame(const tl_rx_item *item)
{
    bool damaged = !item->parsed || item->verdict == TL_VERDICT_ECC || item->verdict == TL_VERDICT_CRC16 ||
                   item->verdict == TL_VERDICT_CRC32;

    return !damaged && item->rx->open && item->frame != item->rx->frame;
}

static void on_claim(const tl_rx_item *item)
{
    tl_stream_rx *rx = item->rx;

    refuse(item, (tl_verdict)item->verdict, false);
    if (item->verdict == TL_VERDICT_UNPROTECTED && rx->open) {
        tl_cse_hold_against(rx, item, TL_VERDICT_UNPROTECTED);
        return;
    }
    if (names_other_frame(item)) {
        rx->counters.other_frame++;
        return;
    }
    rx->claimed = tl_cse_worse(rx->claimed, (tl_verdict)item->verdict);
    tl_cse_note_cause(&rx->claimed_cause, (tl_verdict)item->verdict, item);
}

/* ---- begin ---- */

/* True if the begin's parts are the configuration's, one for one. */
static bool same_parts(const tl_stream_rx *rx, tl_span parts)
{
    const tl_stream_config *c = &rx->config;
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(parts);
    tl_sep_begin_part part;
    unsigned n = 0;

    for (; tl_each_sep_begin_part(&r, &env, &part); n++)
        if (n >= c->part_count || part.block != c->parts[n].block ||
            part.data_type != c->parts[n].data_type || part.count != c->parts[n].count ||
            part.first != rx->plan.parts[n].first)
            return false;
    return tl_rd_end(&r) && n == c->part_count;
}

static tl_verdict read_begin(const tl_rx_item *item, tl_sep_begin *m)
{
    const tl_stream_rx *rx = item->rx;
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(tl_span_of(item->payload, item->payload_n));

    if (tl_decode_sep_begin(&env, &r, m) != TL_OK || !tl_rd_end(&r))
        return TL_VERDICT_HEADER;
    if (!tl_equal(m->configuration, tl_span_of(rx->digest, sizeof rx->digest)) || !same_parts(rx, m->parts))
        return TL_VERDICT_CONFIGURATION;
    return TL_VERDICT_OK;
}

static void on_begin(const tl_rx_item *item, uint64_t now_ms)
{
    tl_stream_rx *rx = item->rx;
    tl_sep_begin m;
    tl_verdict verdict = read_begin(item, &m);

    if (verdict == TL_VERDICT_OK && item->frame < rx->expected)
        verdict = TL_VERDICT_REPEAT;
    if (verdict != TL_VERDICT_OK) {
        refuse(item, verdict, item->fate == TL_FATE_CHECK);
        if (rx->open && item->frame == rx->frame)
            tl_cse_hold_against(rx, item, verdict);
        return;
    }
    rx->counters.messages_ok++;
    tl_cse_frame_open(item, now_ms, m.time_us);
}

/* ---- end ---- */

/* What the end says was sent of each part; false if no sender of this stream would say so. */
static bool read_end(const tl_rx_item *item, uint32_t sent[TL_SEP_PARTS_MAX], tl_span *tags)
{
    const tl_stream_rx *rx = item->rx;
    const tl_stream_config *c = &rx->config;
    const tl_env env = { 0 };
    tl_rd r = tl_rd_of(tl_span_of(item->payload, item->payload_n)), list;
    tl_sep_end m;
    tl_sep_end_part part;
    unsigned n = 0;

    if (tl_decode_sep_end(&env, &r, &m) != TL_OK || !tl_rd_end(&r))
        return false;
    *tags = m.tags;
    for (list = tl_rd_of(m.parts); tl_each_sep_end_part(&list, &env, &part); n++) {
        if (n >= c->part_count || part.block != c->parts[n].block ||
            part.data_type != c->parts[n].data_type || part.count > c->parts[n].count)
            return false;
        sent[n] = part.count;
    }
    return tl_rd_end(&list) && n == c->part_count && tags->n == (size_t)rx->plan.list_count * c->tag_size;
}

/* More messages came than were sent, and no list of tags has noticed. */
static bool too_many(const tl_stream_rx *rx, const uint32_t sent[TL_SEP_PARTS_MAX])
{
    uint32_t n = 0;

    for (unsigned i = 0; i < rx->config.part_count; i++)
        n += sent[i];
    return rx->received > n && rx->proven == TL_VERDICT_OK;
}

static tl_err on_end(const tl_rx_item *item)
{
    tl_stream_rx *rx = item->rx;
    uint32_t sent[TL_SEP_PARTS_MAX];
    tl_span tags;
    bool right = read_end(item, sent, &tags);

    if (right && rx->plan.list_count > 0)
        TL_TRY(tl_cse_lists_judge(item, tags, sent));
    if (!right || too_many(rx, sent)) {
        refuse(item, TL_VERDICT_HEADER, item->fate == TL_FATE_CHECK);
        tl_cse_hold_against(rx, item, TL_VERDICT_HEADER);
        tl_cse_frame_close(rx, TL_VERDICT_CUT);
        return TL_OK;
    }
    rx->counters.messages_ok++;
    tl_cse_frame_close(rx, TL_VERDICT_OK);
    return TL_OK;
}

/* ---- lines ---- */

/* A line that is not on a list: its own tag is right, or by configuration it has none. */
static void on_line(const tl_rx_item *item)
{
    tl_stream_rx *rx = item->rx;
    tl_verdict verdict = tl_cse_sequence(item);

    rx->received += verdict != TL_VERDICT_REPEAT;
    if (verdict != TL_VERDICT_OK) {
        refuse(item, verdict, item->fate == TL_FATE_CHECK);
        tl_cse_hold_against(rx, item, verdict);
        return;
    }
    rx->counters.messages_ok++;
    tl_cse_release(item);
}

/* ---- all together ---- */

static tl_err on_accepted(const tl_rx_item *item, uint64_t now_ms, const tl_sealed *s)
{
    tl_stream_rx *rx = item->rx;

    if (tl_cse_rx_key(rx, item->epoch) == NULL) { /* its key was given up since, in the same batch */
        rx->counters.other_frame++;
        return TL_OK;
    }
    if (tl_cse_is_service(item) && item->message == TL_SEP_BEGIN) {
        on_begin(item, now_ms);
        return TL_OK;
    }
    if (!rx->open || item->frame != rx->frame || item->epoch != rx->key.epoch) {
        rx->counters.other_frame++;
        return TL_OK;
    }
    if (tl_cse_is_service(item))
        return on_end(item);
    if (item->fate == TL_FATE_LIST)
        return tl_cse_listed(item, s->tag);
    on_line(item);
    return TL_OK;
}

static bool is_near(uint64_t n, uint64_t limit)
{
    return n >= limit - limit / 16;
}

/* Tells once for each key when it comes near its limit: forgeries can spend the next one before its first begin. */
static void watch_limit(const tl_rx_item *item, tl_stream_key *key)
{
    const tl_stream_limits *limits = &item->rx->plan.limits;
    tl_stream_event e;

    if (!key->held || key->limit_told)
        return;
    if (!is_near(key->messages, limits->messages) && !is_near(key->bytes, limits->bytes) &&
        !is_near(key->bad, limits->bad) && !is_near(key->lists, limits->lists))
        return;
    key->limit_told = true;
    e = tl_cse_event(TL_EVENT_LIMIT, tl_cse_key_spent(key, limits) ? TL_VERDICT_LIMIT : TL_VERDICT_OK, item);
    e.epoch = key->epoch;
    tl_cse_emit(item->rx, &e);
}

tl_err tl_cse_judge(const tl_rx_item *item, uint64_t now_ms, const tl_sealed *s)
{
    tl_stream_rx *rx = item->rx;
    tl_stream_key *key;
    tl_err e = TL_OK;

    if (item->fate == TL_FATE_DROP)
        return TL_OK;
    if (item->fate == TL_FATE_CHECK && !s->right) {
        key = tl_cse_rx_key(rx, item->epoch);
        if (key != NULL)
            key->bad++;
    }
    if (item->fate == TL_FATE_CLAIM || (item->fate == TL_FATE_CHECK && !s->right)) {
        on_claim(item);
    } else {
        if (item->fate == TL_FATE_CHECK && (item->info & TL_INFO_CRC32))
            rx->counters.crc32_beside_tag++;
        e = on_accepted(item, now_ms, s);
    }
    watch_limit(item, &rx->key);
    watch_limit(item, &rx->next_key);
    return e;
}
