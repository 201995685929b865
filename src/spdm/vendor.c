/* VENDOR_DEFINED: messages of others, carried as they are (DSP0274 1.3, "VENDOR_DEFINED_REQUEST request message"). In clear
 * they are served only where the responder's owner says so. */
#include "spdm/session.h"

enum { PAYLOAD_MAX = 65535 };

/* ---- requester ---- */

static tl_err build(tl_requester *rq, tl_wr *out)
{
    const tl_spdm_vendor_defined m = { rq->ask.vendor_standard, rq->ask.vendor_id, rq->ask.vendor_payload };

    rq->vendor_n = 0;
    tl__message_begin(&rq->c, TL_SPDM_VENDOR_DEFINED_REQUEST, 0, 0, out);
    return tl_encode_spdm_vendor_defined(&rq->c.env, &m, out);
}

static tl_err accept(tl_requester *rq, const tl__message *a)
{
    tl_rd r = tl_rd_of(a->body);
    tl_wr kept = tl_wr_of(rq->config->vendor, rq->config->vendor_n);
    tl_spdm_vendor_defined m;
    tl_err e = tl_decode_spdm_vendor_defined(&rq->c.env, &r, &m);

    if (e == TL_OK)
        e = tl__message_end(&r);
    if (e != TL_OK)
        return tl__blame(rq, e, "the answer is not as long as it says", "");
    if (m.standard != rq->ask.vendor_standard || !tl_equal(m.vendor_id, rq->ask.vendor_id))
        return tl__blame(rq, TL_E_WIRE_VALUE, "the answer is another vendor's", "StandardID, VendorID");
    tl_put_bytes(&kept, m.payload);
    if (kept.bad)
        return tl__blame(rq, TL_E_ROOM, "the answer is longer than the room for it", "payload");
    rq->vendor_n = kept.n;
    return TL_OK;
}

const tl__step tl__vendor_step = {
    .name = "VENDOR_DEFINED",
    .clause = "DSP0274 1.3, VENDOR_DEFINED_RESPONSE response message",
    .request = TL_SPDM_VENDOR_DEFINED_REQUEST,
    .response = TL_SPDM_VENDOR_DEFINED_RESPONSE,
    .build = build,
    .accept = accept,
};

tl_span tl_requester_vendor(const tl_requester *rq)
{
    return tl_span_of(rq->config->vendor, rq->vendor_n);
}

/* ---- responder ---- */

static tl_err payload_of_owner(tl_responder *r, const tl_spdm_vendor *request, tl_wr *out)
{
    size_t mark = tl_mark(out, 2), room = out->cap - out->n;
    tl_wr payload;
    tl_err e;

    if (out->bad)
        return TL_E_ROOM;
    payload = tl_wr_of(out->p + out->n, room < PAYLOAD_MAX ? room : PAYLOAD_MAX);
    e = r->config->vendor(r->config->ctx, request, &payload);
    if (e != TL_OK)
        return e;
    if (payload.bad)
        return TL_E_ROOM;
    (void)tl_room(out, payload.n);
    tl_fill(out, mark, 2, TL_LITTLE);
    return out->bad ? TL_E_ROOM : TL_OK;
}

tl_err tl__on_vendor(tl_responder *r, const tl__message *q, tl_wr *out)
{
    tl_rd rd = tl_rd_of(q->body);
    tl_spdm_vendor_defined m;
    tl_spdm_vendor request;

    if (r->config->vendor == NULL)
        return TL_E_REPLY_UNSUPPORTED_REQUEST;
    if (!q->secured && !r->config->vendor_in_clear)
        return TL_E_REPLY_SESSION_REQUIRED;
    if (tl_decode_spdm_vendor_defined(&r->c.env, &rd, &m) != TL_OK || !tl_rd_end(&rd))
        return TL_E_REPLY_INVALID_REQUEST;
    request = (tl_spdm_vendor){ m.standard, m.vendor_id, m.payload, q->secured ? r->c.session : NULL };
    tl__message_begin(&r->c, TL_SPDM_VENDOR_DEFINED_RESPONSE, 0, 0, out);
    tl_put(out, 2, TL_LITTLE, m.standard);
    tl_put(out, 1, TL_LITTLE, m.vendor_id.n);
    tl_put_bytes(out, m.vendor_id);
    return payload_of_owner(r, &request, out);
}
