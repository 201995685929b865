/* The order of a data type's lines inside the open frame: what comes again, what comes late, what was jumped over. */
#include "cse/rx.h"

#include <string.h>

/* Puts a gap at its place. Of too many the lowest goes: a line that is late by so much counts as a repeat. */
static void add_gap(tl_rx_type *t, unsigned at, uint32_t first, uint32_t end)
{
    if (t->gap_count == TL_RX_GAPS) {
        if (at == 0)
            return;
        at--;
        t->gap_count--;
        memmove(t->gaps, t->gaps + 1, t->gap_count * sizeof *t->gaps);
    }
    memmove(t->gaps + at + 1, t->gaps + at, (t->gap_count - at) * sizeof *t->gaps);
    t->gaps[at] = (tl_rx_gap){ (uint16_t)first, (uint16_t)end };
    t->gap_count++;
}

/* Takes a number out of the gap that it is missing from; false if it is in none. */
static bool fill_gap(tl_rx_type *t, uint16_t message)
{
    tl_rx_gap old;
    unsigned i = 0;

    while (i < t->gap_count && message >= t->gaps[i].end)
        i++;
    if (i == t->gap_count || message < t->gaps[i].first)
        return false;
    old = t->gaps[i];
    t->gap_count--;
    memmove(t->gaps + i, t->gaps + i + 1, (t->gap_count - i) * sizeof *t->gaps);
    if (message + 1 < old.end)
        add_gap(t, i, message + 1u, old.end);
    if (old.first < message)
        add_gap(t, i, old.first, message);
    return true;
}

static tl_rx_type *type_of(const tl_rx_item *item)
{
    return &item->rx->types[item->rx->plan.parts[item->part].type];
}

bool tl_cse_in_sequence(const tl_rx_item *item)
{
    return item->message >= type_of(item)->next;
}

tl_verdict tl_cse_sequence(const tl_rx_item *item)
{
    tl_stream_rx *rx = item->rx;
    tl_rx_type *t = type_of(item);

    if (item->message >= t->next) {
        if (item->message > t->next) {
            add_gap(t, t->gap_count, t->next, item->message);
            if (rx->hole.verdict == TL_VERDICT_OK)
                rx->hole = (tl_rx_cause){ TL_VERDICT_GAP, item->data_type, (uint16_t)t->next, item->at };
        }
        t->next = (uint32_t)item->message + 1;
        return TL_VERDICT_OK;
    }
    if (!fill_gap(t, item->message))
        return TL_VERDICT_REPEAT;
    if (rx->hole.data_type == item->data_type && rx->hole.message == item->message)
        rx->hole = (tl_rx_cause){ TL_VERDICT_OK, 0, 0, 0 }; /* it was late, not missing */
    return TL_VERDICT_ORDER;
}

void tl_cse_find_hole(tl_stream_rx *rx)
{
    const tl_stream_config *c = &rx->config;

    for (unsigned i = 0; i < c->part_count && rx->hole.verdict == TL_VERDICT_OK; i++) {
        uint32_t next = rx->types[rx->plan.parts[i].type].next;

        if (next < (uint32_t)rx->plan.parts[i].first + c->parts[i].count)
            rx->hole =
                (tl_rx_cause){ TL_VERDICT_GAP, c->parts[i].data_type, (uint16_t)next, rx->counters.packets };
    }
}
