/* END_SESSION and END_SESSION_ACK: the session's keys are forgotten on both sides once the answer is out
 * (DSP0274 1.3, "END_SESSION request"). */
#include "spdm/session.h"

enum { CLEAR_NEGOTIATED_STATE = 1 };

static tl_err build(tl_requester *rq, tl_wr *out)
{
    uint8_t param1 = rq->ask.keep_negotiated_state ? 0 : CLEAR_NEGOTIATED_STATE;

    tl__message_begin(&rq->c, TL_SPDM_END_SESSION, param1, 0, out);
    return TL_OK;
}

static tl_err accept(tl_requester *rq, const tl__message *a)
{
    if (a->body.n != 0)
        return tl__blame(rq, TL_E_WIRE_TRAILING, "the answer goes on after its end", "");
    tl__session_end(&rq->c, rq->c.session);
    return TL_OK;
}

const tl__step tl__end_session_step = {
    .name = "END_SESSION",
    .clause = "DSP0274 1.3, END_SESSION_ACK response message",
    .request = TL_SPDM_END_SESSION,
    .response = TL_SPDM_END_SESSION_ACK,
    .where = TL__IN_SESSION,
    .build = build,
    .accept = accept,
};

tl_err tl__on_end_session(tl_responder *r, const tl__message *q, tl_wr *out)
{
    if (q->body.n != 0)
        return TL_E_REPLY_INVALID_REQUEST;
    tl__message_begin(&r->c, TL_SPDM_END_SESSION_ACK, 0, 0, out);
    r->c.session->after = TL_SESSION_NONE;
    return TL_OK;
}
