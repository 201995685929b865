/* HEARTBEAT and HEARTBEAT_ACK: a session is alive (DSP0274 1.3, "HEARTBEAT request"). Each record that opens counts as heard;
 * these are for when there is nothing else to say. */
#include "spdm/session.h"

static bool beats(const tl_requester *rq)
{
    return tl__both(&rq->c, TL_CAP_HBEAT);
}

static tl_err build(tl_requester *rq, tl_wr *out)
{
    tl__message_begin(&rq->c, TL_SPDM_HEARTBEAT, 0, 0, out);
    return TL_OK;
}

static tl_err accept(tl_requester *rq, const tl__message *a)
{
    return a->body.n == 0 ? TL_OK : tl__blame(rq, TL_E_WIRE_TRAILING, "the answer goes on after its end", "");
}

const tl__step tl__heartbeat_step = {
    .name = "HEARTBEAT",
    .clause = "DSP0274 1.3, HEARTBEAT_ACK response message",
    .request = TL_SPDM_HEARTBEAT,
    .response = TL_SPDM_HEARTBEAT_ACK,
    .where = TL__IN_SESSION,
    .guard = beats,
    .build = build,
    .accept = accept,
};

tl_err tl__on_heartbeat(tl_responder *r, const tl__message *q, tl_wr *out)
{
    if (q->body.n != 0)
        return TL_E_REPLY_INVALID_REQUEST;
    tl__message_begin(&r->c, TL_SPDM_HEARTBEAT_ACK, 0, 0, out);
    return TL_OK;
}
