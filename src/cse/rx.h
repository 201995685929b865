/* The receiving end, in three steps for each batch: look at every packet (headers, claims), verify what can be
 * verified, judge in order of arrival. Only the last step moves state, and only on proof.
 *
 * A batch may hold packets of several streams whose keys live in one backend: each item names its stream, each row its
 * key. Who takes many streams at once keeps one batch for all of them:
 *
 *     if (tl_cse_rx_full(&batch, rx))
 *         e = tl_cse_rx_run(&batch, now_ms);          and once more when no packet is left
 *     tl_cse_rx_add(&batch, rx, packet);              rx: the stream that tl_cse_stream_of names
 *
 * The judge does not ask where an item came from: a line that stands in memory serves as well as a packet. */
#ifndef TL_CSE_RX_H
#define TL_CSE_RX_H

#include "cse/plan.h"

#include <trueline/messages.h>

/* What becomes of a packet. */
enum {
    TL_FATE_DROP,  /* nothing more: counted already */
    TL_FATE_CLAIM, /* refused for what stands in `verdict`; its tag is not looked at */
    TL_FATE_CHECK, /* its tag is compared; `verdict` is what a wrong one would be blamed on */
    TL_FATE_LIST,  /* its tag is computed, for the list that it is on */
    TL_FATE_BARE   /* it has no tag, and all else was right: what that says is all there is */
};

/* ---- batches ---- */

/* A batch with nothing in it; what its memory holds does not matter. */
static inline void tl_cse_rx_empty(tl_rx_batch *batch)
{
    batch->n = batch->checks = batch->lists = 0;
}

/* True if the batch must be run before a packet of rx goes in: it is full, or so many wrong tags could be in it that a
 * key of rx would pass its limit. */
bool tl_cse_rx_full(const tl_rx_batch *batch, const tl_stream_rx *rx);
/* Takes a packet in, which stays where it is until the batch has run. */
void tl_cse_rx_add(tl_rx_batch *batch, tl_stream_rx *rx, tl_buffer packet);
/* Verifies, judges in order, and empties the batch. After an error of the backend in the verifying nothing of the batch
 * counts, not even what had verified; after one in the judging, that packet. */
tl_err tl_cse_rx_run(tl_rx_batch *batch, uint64_t now_ms) TL_MUST_USE;
/* Asks the backend about the batch's rows, and nothing more. */
tl_err tl_cse_rx_verify(tl_rx_batch *batch) TL_MUST_USE;
/* The stream that a packet's service header names; false if it has none. A claim like all in it. */
bool tl_cse_stream_of(tl_span packet, uint16_t *stream);

/* Asks memory for both ends of a packet that will be looked at a batch later. What a look reads, headers and footer, lies
 * at its ends, and to wait for each of them in turn takes longer than a tag. Asking reads nothing and cannot fail. */
static inline void tl_cse_ask(const tl_buffer *packets, size_t n, size_t at)
{
    if (at >= n || packets[at].n == 0)
        return;
    __builtin_prefetch(packets[at].p);
    __builtin_prefetch(packets[at].p + packets[at].n - 1);
}

/* ---- the steps ---- */

/* Takes a packet apart and says what becomes of it: item.fate. Counts it under the key that would verify it. */
void tl_cse_look(tl_stream_rx *rx, tl_buffer packet, tl_rx_batch *batch);
/* The same for a message without a packet, H | payload | F, and for a line whose parts stand apart; the batch's next item
 * is fresh, and of the line says all but its fate. */
void tl_cse_look_at_message(tl_stream_rx *rx, tl_buffer body, tl_rx_batch *batch);
void tl_cse_look_at_parts(tl_rx_batch *batch, const tl_sep_header *h, tl_span header, const tl_sep_footer *f,
                          tl_stream_key *key);
/* For fate CHECK and LIST: makes the item's row, at the end of the batch's rows of that fate. A tag that travels is to
 * be put there. header: its bytes; NULL if the batch cannot take it. */
tl_sealed *tl_cse_rx_row(tl_rx_batch *batch, tl_rx_item *item, const tl_sep_header *h, tl_span header,
                         const tl_stream_key *key);
/* Gives the verdict and moves the state. s: the item's row, for fate CHECK (`right`) and LIST (its tag), else NULL.
 * Backend errors, of a list. */
tl_err tl_cse_judge(const tl_rx_item *item, uint64_t now_ms, const tl_sealed *s) TL_MUST_USE;

/* The key of exactly this epoch, for what was looked at before and whose key may be another one's by now; the key that a header's
 * number names, the epoch's lowest byte. Or NULL. */
tl_stream_key *tl_cse_rx_key(tl_stream_rx *rx, uint32_t epoch);
tl_stream_key *tl_cse_rx_key_by_number(tl_stream_rx *rx, uint32_t number);

static inline bool tl_cse_is_service(const tl_rx_item *item)
{
    return item->data_type == TL_SEP_SERVICE_TYPE;
}

/* ---- frames: rx_state.c ---- */

void tl_cse_emit(const tl_stream_rx *rx, const tl_stream_event *event);
tl_stream_event tl_cse_event(tl_event_kind kind, tl_verdict verdict, const tl_rx_item *item);

/* Opens the frame of a begin, after what there is to say about those before it. */
void tl_cse_frame_open(const tl_rx_item *item, uint64_t now_ms, uint64_t time_us);
/* Closes the open frame. ending: ok if its end has come, else cut. */
void tl_cse_frame_close(tl_stream_rx *rx, tl_verdict ending);
/* Wipes what was opened on trust of a frame that is not ok, or will never have a verdict. */
void tl_cse_frame_wipe(tl_stream_rx *rx);
/* Hands a line on that is in its place. */
void tl_cse_release(const tl_rx_item *item);

void tl_cse_note_cause(tl_rx_cause *cause, tl_verdict verdict, const tl_rx_item *item);
/* A fact against the open frame. */
void tl_cse_hold_against(tl_stream_rx *rx, const tl_rx_item *item, tl_verdict verdict);

/* ---- time: rx_time.c ---- */

/* A frame has begun. */
void tl_cse_heard(tl_stream_rx *rx, uint64_t now_ms);
/* Bounds the age of a frame whose begin came now; false if it is late. */
bool tl_cse_age(tl_stream_rx *rx, uint64_t now_ms, uint64_t time_us);

/* ---- the order of lines: rx_sequence.c ---- */

/* Says ok, repeat or order of the next line of its data type, and keeps in mind what was jumped over. */
tl_verdict tl_cse_sequence(const tl_rx_item *item);
/* True if nothing of its data type that comes after it has been seen. */
bool tl_cse_in_sequence(const tl_rx_item *item);
/* Messages are missing, but none between others: names the first that is missing behind the last of its type. */
void tl_cse_find_hole(tl_stream_rx *rx);

/* ---- lists of tags: rx_lists.c ---- */

/* A line of the open frame that is on a list. Backend errors: the line counts as lost. */
tl_err tl_cse_listed(const tl_rx_item *item, const uint8_t tag[TL_TAG_MAX]) TL_MUST_USE;
/* What the end, whose own tag is right, says of the lists: tags one after the other, and for each part how many were
 * sent. What does not bear it out is held against the frame. Backend errors: nothing was judged. */
tl_err tl_cse_lists_judge(const tl_rx_item *end, tl_span tags,
                          const uint32_t sent[TL_SEP_PARTS_MAX]) TL_MUST_USE;

/* The more important of two verdicts, by the order of verdicts.def. */
static inline tl_verdict tl_cse_worse(tl_verdict a, tl_verdict b)
{
    if (a == TL_VERDICT_OK || b == TL_VERDICT_OK)
        return a == TL_VERDICT_OK ? b : a;
    return a < b ? a : b;
}

#endif
