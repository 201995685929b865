/* ERROR: the one place that writes one, and the one that reads one (DSP0274 1.3, ERROR response message).
 *
 * What a handler gives tells the code: TL_E_REPLY_* by itself, the rest by its class. Nothing of our inside leaks: what
 * failed here is Unspecified. */
#include "spdm/spdm.h"

enum { RDTM = 2 }; /* the answer may be dropped after so many times the delay */

static uint8_t code_of(tl_err e)
{
    if (e > TL_E_REPLY && e < TL_E_REPLY + 100)
        return (uint8_t)(e - TL_E_REPLY);
    switch (e) {
    case TL_E_WIRE:
    case TL_E_WIRE_SHORT:
    case TL_E_WIRE_TRAILING:
    case TL_E_WIRE_VALUE:
    case TL_E_POLICY:
    case TL_E_POINT:
    case TL_E_CHAIN: return TL_SPDM_INVALID_REQUEST;
    case TL_E_STATE: return TL_SPDM_UNEXPECTED_REQUEST;
    case TL_E_TAG: return TL_SPDM_DECRYPT_ERROR;
    case TL_E_ROOM: return TL_SPDM_RESPONSE_TOO_LARGE;
    default: return TL_SPDM_UNSPECIFIED;
    }
}

void tl__error_write(const tl_spdm_connection *c, tl_err e, uint8_t request, tl_wr *out)
{
    uint8_t code = code_of(e);

    tl__message_begin(c, TL_SPDM_ERROR, code, code == TL_SPDM_UNSUPPORTED_REQUEST ? request : 0, out);
}

tl_err tl__error_not_ready(tl_responder *r, uint8_t request, tl_wr *out)
{
    const tl_spdm_not_ready n = { r->config->rdt_exponent, request, r->token, RDTM };

    tl__message_begin(&r->c, TL_SPDM_ERROR, TL_SPDM_RESPONSE_NOT_READY, 0, out);
    return tl_encode_spdm_not_ready(&r->c.env, &n, out);
}

tl_err tl__error_read(const tl__message *a)
{
    switch (a->param1) {
    case TL_SPDM_INVALID_REQUEST:
    case TL_SPDM_BUSY:
    case TL_SPDM_UNEXPECTED_REQUEST:
    case TL_SPDM_UNSPECIFIED:
    case TL_SPDM_DECRYPT_ERROR:
    case TL_SPDM_UNSUPPORTED_REQUEST:
    case TL_SPDM_REQUEST_IN_FLIGHT:
    case TL_SPDM_INVALID_RESPONSE_CODE:
    case TL_SPDM_SESSION_LIMIT_EXCEEDED:
    case TL_SPDM_SESSION_REQUIRED:
    case TL_SPDM_RESPONSE_TOO_LARGE:
    case TL_SPDM_REQUEST_TOO_LARGE:
    case TL_SPDM_VERSION_MISMATCH:
    case TL_SPDM_RESPONSE_NOT_READY:
    case TL_SPDM_REQUEST_RESYNCH: return (tl_err)(TL_E_PEER + a->param1);
    default: return TL_E_PEER;
    }
}
