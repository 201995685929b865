/* The receiving end, in three steps for each batch: look at every packet (headers, claims), verify what can be
 * verified, judge in order of arrival. Only the last step moves state, and only on proof. */
#ifndef TL_CSE_RX_H
#define TL_CSE_RX_H

#include "cse/plan.h"

/* What becomes of a packet. */
enum {
    TL_FATE_DROP,  /* nothing more: counted already */
    TL_FATE_CLAIM, /* refused for what stands in `verdict`; its tag is not looked at */
    TL_FATE_CHECK  /* goes to the backend; `verdict` is ok or what a wrong tag would be blamed on */
};

/* Takes a packet apart and says what becomes of it. Counts it under the key that would verify it. */
void tl_cse_look(tl_stream_rx *rx, tl_buffer packet, tl_rx_item *item, tl_sealed *sealed);
/* The same for a packet that somebody has taken apart: a group looks once for all of its streams. */
void tl_cse_look_at(tl_stream_rx *rx, const tl_csi2_packet *p, tl_buffer packet, tl_rx_item *item,
                    tl_sealed *sealed);
/* How many of n packets may be looked at before they are judged, so that no key passes its limit of wrong tags. */
size_t tl_cse_rx_within(const tl_stream_rx *rx, size_t n);
/* Gives the verdict and moves the state. right: the tag was right (fate check only). */
void tl_cse_judge(tl_stream_rx *rx, uint64_t now_ms, const tl_rx_item *item, bool right);
/* Closes the open frame as one whose end has not come. */
void tl_cse_cut(tl_stream_rx *rx);

/* The key that an epoch names, or NULL. */
tl_stream_key *tl_cse_rx_key(tl_stream_rx *rx, uint32_t epoch);

/* The more important of two verdicts, by the order of verdicts.def. */
static inline tl_verdict tl_cse_worse(tl_verdict a, tl_verdict b)
{
    if (a == TL_VERDICT_OK || b == TL_VERDICT_OK)
        return a == TL_VERDICT_OK ? b : a;
    return a < b ? a : b;
}

#endif
