/* Accumulated tags at the receiver.
 *
 * A line whose tag is on a list is a claim until the frame's end: somebody else may have sent it. Only lines that come
 * in their order go onto the list, so that one which comes again, or late, cannot spoil what is there. When the end
 * has verified, each list is held against its tag:
 *
 *   fewer lines than were sent     gap: nothing to compare
 *   more of them, or a wrong tag   tag: lines of somebody else are among them. Which, nobody can say
 *   as many, but some of them late order
 *   right                          all its lines are what was sent; one that came again besides is a repeat
 *
 * Whoever adds lines costs the frame that is open, and nothing else: no state outlives it. */
#include "cse/lists.h"

#include "cse/keys.h"
#include "cse/rx.h"

static tl_list_frame frame_of(const tl_stream_rx *rx)
{
    return (tl_list_frame){ rx->crypto, &rx->config, &rx->plan, &rx->key, rx->frame };
}

static void doubt(const tl_rx_item *item, tl_verdict verdict)
{
    tl_stream_event e = tl_cse_event(TL_EVENT_MESSAGE, verdict, item);

    item->rx->counters.verdicts[verdict]++;
    tl_cse_note_cause(&item->rx->doubt, verdict, item);
    tl_cse_emit(item->rx, &e);
}

tl_err tl_cse_listed(const tl_rx_item *item, const uint8_t tag[TL_TAG_MAX])
{
    tl_stream_rx *rx = item->rx;
    const tl_part_plan *plan = &rx->plan.parts[item->part];
    const tl_list_frame f = frame_of(rx);
    tl_tag_list *list = &rx->lists[plan->list];
    uint32_t position = plan->position + item->row;
    bool in_order = tl_cse_in_sequence(item) && position >= list->next;
    tl_verdict verdict;

    if (in_order && !list->lost) {
        tl_err e = tl_cse_list_add(&f, rx->lists, plan->list, tag);
        list->lost = e != TL_OK;
        TL_TRY(e);
    }
    verdict = tl_cse_sequence(item);
    if (in_order)
        list->next = position + 1;
    else if (verdict == TL_VERDICT_OK)
        verdict = TL_VERDICT_ORDER; /* in the order of its type, but not of the frame */
    list->late += verdict == TL_VERDICT_ORDER;
    rx->received += verdict != TL_VERDICT_REPEAT;
    if (verdict != TL_VERDICT_OK) {
        doubt(item, verdict);
        return TL_OK;
    }
    if (item->info & TL_INFO_CRC32) {
        rx->crc_doubts++;
        tl_cse_note_cause(&rx->crc_doubt, TL_VERDICT_CRC32, item);
    }
    tl_cse_release(item);
    return TL_OK;
}

/* ---- at the frame's end ---- */

/* Messages on the list that the end says were sent. */
static uint32_t sent_on(const tl_stream_rx *rx, unsigned which, const uint32_t sent[TL_SEP_PARTS_MAX])
{
    uint32_t n = 0;

    for (unsigned i = 0; i < rx->config.part_count; i++)
        n += rx->plan.parts[i].list == which ? sent[i] : 0;
    return n;
}

static tl_err compare(tl_stream_rx *rx, unsigned which, tl_span tag, bool *right)
{
    const tl_list_frame f = frame_of(rx);
    uint8_t own[TL_TAG_MAX];
    tl_err e;

    *right = false;
    rx->key.lists++;
    e = tl_cse_list_end(&f, rx->lists, which, own);
    if (e == TL_OK)
        *right = tl_equal(tl_span_of(own, tag.n), tag);
    if (e == TL_OK && !*right)
        rx->key.bad++;
    tl_wipe(own, sizeof own);
    return e;
}

static tl_err judge_one(tl_stream_rx *rx, unsigned which, tl_span tag, uint32_t sent, tl_verdict *verdict)
{
    const tl_tag_list *list = &rx->lists[which];
    uint8_t type = tl_cse_list_type(&rx->config, &rx->plan, which);
    bool right;

    *verdict = TL_VERDICT_OK;
    if (list->n + list->late > sent)
        *verdict = TL_VERDICT_TAG;
    else if (list->lost || list->n + list->late < sent)
        *verdict = TL_VERDICT_GAP;
    else if (list->late > 0)
        *verdict = TL_VERDICT_ORDER;
    else if (tl_cse_key_spent(&rx->key, &rx->plan.limits))
        *verdict = TL_VERDICT_LIMIT;
    if (*verdict != TL_VERDICT_OK)
        return TL_OK;
    TL_TRY(compare(rx, which, tag, &right));
    if (!right)
        *verdict = rx->crc_doubts > 0 && (type == 0 || type == rx->crc_doubt.data_type) ? TL_VERDICT_CRC32
                                                                                        : TL_VERDICT_TAG;
    return TL_OK;
}

/* Where it went wrong, as far as that is known: the line that came late or with a wrong CRC-32, else the list alone. */
static void blame(const tl_rx_item *end, unsigned which, tl_verdict verdict)
{
    tl_stream_rx *rx = end->rx;
    tl_rx_cause cause = { verdict, tl_cse_list_type(&rx->config, &rx->plan, which), 0, end->at };

    if (verdict == TL_VERDICT_ORDER)
        cause = rx->doubt;
    if (verdict == TL_VERDICT_CRC32)
        cause = rx->crc_doubt;
    rx->proven = tl_cse_worse(rx->proven, verdict);
    if (rx->proven_cause.verdict == TL_VERDICT_OK)
        rx->proven_cause = cause;
}

/* All lists are right, and something came that is on none. */
static void all_right(tl_stream_rx *rx, uint32_t messages)
{
    rx->counters.messages_ok += messages;
    rx->counters.crc32_beside_tag += rx->crc_doubts;
    if (rx->doubt.verdict == TL_VERDICT_OK)
        return;
    rx->proven = tl_cse_worse(rx->proven, rx->doubt.verdict);
    if (rx->proven_cause.verdict == TL_VERDICT_OK)
        rx->proven_cause = rx->doubt;
}

tl_err tl_cse_lists_judge(const tl_rx_item *end, tl_span tags, const uint32_t sent[TL_SEP_PARTS_MAX])
{
    tl_stream_rx *rx = end->rx;
    tl_verdict verdicts[TL_SEP_PARTS_MAX];
    uint32_t messages = 0;
    bool right = true;
    tl_err e;

    for (unsigned i = 0; i < rx->plan.list_count; i++) {
        const tl_span tag = tl_span_of(tags.p + (size_t)i * rx->config.tag_size, rx->config.tag_size);
        e = judge_one(rx, i, tag, sent_on(rx, i, sent), &verdicts[i]);
        if (e != TL_OK) {
            for (unsigned k = 0; k < rx->plan.list_count; k++)
                rx->lists[k].lost = true; /* no second try: the frame is cut */
            return e;
        }
        messages += rx->lists[i].n;
    }
    for (unsigned i = 0; i < rx->plan.list_count; i++) {
        right = right && verdicts[i] == TL_VERDICT_OK;
        /* A gap shows in what is missing, with its place and its cause; but of a lost list all lines may be there. */
        if (verdicts[i] != TL_VERDICT_OK && (verdicts[i] != TL_VERDICT_GAP || rx->lists[i].lost))
            blame(end, i, verdicts[i]);
    }
    if (right)
        all_right(rx, messages);
    return TL_OK;
}
