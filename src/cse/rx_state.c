/* Frames: opened, closed, missed; what their verdict is, and how their lines leave. */
#include "cse/keys.h"
#include "cse/lists.h"
#include "cse/rx.h"

#include <string.h>

enum { PROBATION = 30 }; /* frames, where the configuration names no number */

void tl_cse_emit(const tl_stream_rx *rx, const tl_stream_event *event)
{
    if (rx->sink.event != NULL)
        rx->sink.event(rx->sink.ctx, event);
}

tl_stream_event tl_cse_event(tl_event_kind kind, tl_verdict verdict, const tl_rx_item *item)
{
    return (tl_stream_event){
        .kind = kind,
        .verdict = verdict,
        .info = item->info,
        .data_type = item->data_type,
        .message = item->message,
        .frame = item->frame,
        .epoch = item->epoch,
        .packet = item->at,
    };
}

/* ---- causes ---- */

void tl_cse_note_cause(tl_rx_cause *cause, tl_verdict verdict, const tl_rx_item *item)
{
    if (cause->verdict == TL_VERDICT_OK)
        *cause = (tl_rx_cause){ verdict, item->data_type, item->message, item->at };
}

void tl_cse_hold_against(tl_stream_rx *rx, const tl_rx_item *item, tl_verdict verdict)
{
    if (!rx->open)
        return;
    rx->proven = tl_cse_worse(rx->proven, verdict);
    tl_cse_note_cause(&rx->proven_cause, verdict, item);
}

static void forget_causes(tl_stream_rx *rx)
{
    static const tl_rx_cause none = { TL_VERDICT_OK, 0, 0, 0 };

    rx->proven = rx->claimed = TL_VERDICT_OK;
    rx->proven_cause = rx->claimed_cause = rx->hole = rx->doubt = rx->crc_doubt = none;
}

static void take_earlier(tl_rx_cause *cause, const tl_rx_cause *other)
{
    if (other->verdict != TL_VERDICT_OK && (cause->verdict == TL_VERDICT_OK || other->at < cause->at))
        *cause = *other;
}

/* The first thing that went wrong: a fact, a hole, or a claim if something is missing. What could not be read has no
 * place of its own; where it was missing is its place. */
static tl_rx_cause first_cause(const tl_stream_rx *rx, tl_verdict verdict, bool missing)
{
    tl_rx_cause cause = rx->proven_cause;

    if (missing) {
        take_earlier(&cause, &rx->claimed_cause);
        take_earlier(&cause, &rx->doubt);
    }
    take_earlier(&cause, &rx->hole);
    if (cause.data_type == 0 && rx->hole.verdict != TL_VERDICT_OK) {
        cause.data_type = rx->hole.data_type;
        cause.message = rx->hole.message;
    }
    if (cause.verdict == TL_VERDICT_OK)
        cause.verdict = verdict;
    return cause;
}

/* ---- open and closed ---- */

/* Lines that leave before their tags are proven do so on trust, which a bad frame ends for a while. */
static void put_on_probation(tl_stream_rx *rx)
{
    if (rx->config.release == TL_RELEASE_EARLY)
        rx->probation = rx->config.probation != 0 ? rx->config.probation : PROBATION;
}

/* True if lines are copied to the frame memory. A frame that lies in memory already stays there. */
static bool copies(const tl_stream_rx *rx)
{
    return rx->config.carrier == TL_CARRIER_SEP &&
           (rx->config.release == TL_RELEASE_FRAME || (rx->config.release == TL_RELEASE_EARLY && !rx->early));
}

/* Lines on lists are opened before anybody knows what they are: until the frame is ok, what its memory holds is nobody's
 * pixels. */
void tl_cse_frame_wipe(tl_stream_rx *rx)
{
    if (rx->plan.list_count == 0 || !copies(rx))
        return;
    for (unsigned i = 0; i < rx->config.part_count; i++) {
        const tl_stream_part *part = &rx->config.parts[i];
        if (rx->config.variant[part->block] == TL_SV_1)
            tl_wipe(rx->memory + rx->plan.parts[i].offset, (size_t)part->count * part->length);
    }
}

static void tell_good(tl_stream_rx *rx, tl_stream_event *e)
{
    rx->counters.frames_ok++;
    if (rx->probation > 0)
        rx->probation--;
    if (copies(rx))
        e->payload = tl_span_of(rx->memory, rx->plan.bytes);
}

static void tell_bad(tl_stream_rx *rx, bool lacks, tl_stream_event *e)
{
    const tl_rx_cause cause = first_cause(rx, e->verdict, lacks);

    rx->counters.frames_bad++;
    tl_cse_frame_wipe(rx);
    put_on_probation(rx);
    e->cause = cause.verdict;
    e->data_type = cause.data_type;
    e->message = cause.message;
    e->packet = cause.at;
    e->revoked = rx->released > 0;
}

void tl_cse_frame_close(tl_stream_rx *rx, tl_verdict ending)
{
    uint32_t missing = rx->plan.messages - rx->received;
    bool lacks = missing > 0 || ending != TL_VERDICT_OK;
    tl_stream_event e = { .kind = TL_EVENT_FRAME,
                          .verdict = tl_cse_worse(rx->proven, ending),
                          .proven = rx->config.suite != TL_SUITE_NONE,
                          .frame = rx->frame,
                          .epoch = rx->key.epoch,
                          .count = missing,
                          .time_us = rx->time_us,
                          .age_known = rx->age_known,
                          .age_us = rx->age_us };

    if (missing > 0 && ending == TL_VERDICT_OK) {
        e.verdict = tl_cse_worse(e.verdict, TL_VERDICT_GAP);
        tl_cse_find_hole(rx);
    }
    if (lacks)
        e.verdict = tl_cse_worse(e.verdict, tl_cse_worse(rx->claimed, rx->doubt.verdict));
    if (e.verdict == TL_VERDICT_OK)
        tell_good(rx, &e);
    else
        tell_bad(rx, lacks, &e);
    rx->open = false;
    tl_cse_lists_drop(rx->crypto, rx->lists);
    forget_causes(rx);
    tl_cse_emit(rx, &e);
}

/* Frames between the last one and this begin: nobody saw them begin. */
static void tell_lost(tl_stream_rx *rx, const tl_rx_item *item)
{
    uint64_t count = item->frame - rx->expected;
    tl_stream_event e = { .kind = TL_EVENT_LOST,
                          .verdict = tl_cse_worse(TL_VERDICT_GAP, rx->claimed),
                          .proven = rx->config.suite != TL_SUITE_NONE,
                          .frame = (uint32_t)rx->expected,
                          .epoch = item->epoch,
                          .count = (uint32_t)count };
    tl_rx_cause cause;

    if (count == 0)
        return;
    cause = first_cause(rx, e.verdict, true);
    e.cause = cause.verdict;
    e.data_type = cause.data_type;
    e.message = cause.message;
    e.packet = cause.at;
    rx->counters.frames_lost += count;
    put_on_probation(rx);
    tl_cse_emit(rx, &e);
}

static void switch_key(tl_stream_rx *rx, const tl_rx_item *item)
{
    tl_stream_event e = tl_cse_event(TL_EVENT_KEY, TL_VERDICT_OK, item);

    if (item->epoch == rx->key.epoch)
        return;
    tl_cse_key_switch(&rx->key, &rx->next_key, rx->crypto);
    e.proven = item->fate == TL_FATE_CHECK;
    e.count = item->epoch;
    tl_cse_emit(rx, &e);
}

void tl_cse_frame_open(const tl_rx_item *item, uint64_t now_ms, uint64_t time_us)
{
    tl_stream_rx *rx = item->rx;
    tl_stream_event e = tl_cse_event(TL_EVENT_OPENED, TL_VERDICT_OK, item);

    if (rx->open)
        tl_cse_frame_close(rx, TL_VERDICT_CUT);
    tell_lost(rx, item);
    switch_key(rx, item);
    forget_causes(rx);
    rx->open = true;
    rx->frame = item->frame;
    rx->expected = (uint64_t)item->frame + 1;
    rx->opened_ms = now_ms;
    rx->time_us = time_us;
    tl_cse_heard(rx, now_ms);
    rx->late = !tl_cse_age(rx, now_ms, time_us);
    rx->received = rx->released = rx->crc_doubts = 0;
    rx->early = rx->config.release == TL_RELEASE_EARLY && rx->probation == 0;
    for (unsigned i = 0; i < rx->plan.type_count; i++) {
        rx->types[i].next = 0;
        rx->types[i].gap_count = 0;
    }
    e.proven = item->fate == TL_FATE_CHECK;
    e.time_us = time_us;
    e.age_known = rx->age_known;
    e.age_us = rx->age_us;
    if (rx->late) {
        e.verdict = TL_VERDICT_LATE;
        rx->counters.verdicts[TL_VERDICT_LATE]++;
        tl_cse_hold_against(rx, item, TL_VERDICT_LATE);
    }
    tl_cse_emit(rx, &e);
}

/* ---- release ---- */

void tl_cse_release(const tl_rx_item *item)
{
    tl_stream_rx *rx = item->rx;
    const tl_part_plan *plan = &rx->plan.parts[item->part];
    tl_stream_event e;

    if (rx->config.release == TL_RELEASE_IN_PLACE) {
        if (rx->rows != NULL)
            rx->rows[plan->position + item->row] = tl_span_of(item->payload, item->payload_n);
        return;
    }
    if (rx->config.release == TL_RELEASE_LINE || rx->early) {
        if (rx->late) /* known from its begin on: nothing of it need be called back */
            return;
        e = tl_cse_event(TL_EVENT_MESSAGE, TL_VERDICT_OK, item);
        e.proven = item->fate == TL_FATE_CHECK;
        e.payload = tl_span_of(item->payload, item->payload_n);
        rx->released++;
        tl_cse_emit(rx, &e);
        return;
    }
    if (copies(rx))
        memcpy(rx->memory + plan->offset + (size_t)item->row * item->payload_n, item->payload,
               item->payload_n);
}
