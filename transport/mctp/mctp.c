/* SPDM over MCTP (DSP0275) and records over MCTP (DSP0276): one byte before each message, its type.
 *
 *     integrity check 1 bit, 0 | message type 7 bits: 5 SPDM, 6 a record | body
 *
 * A record holds a message with a type byte of its own, carries the low 16 bits of its sequence number, and is padded
 * by up to 32 random bytes, so that its size does not tell what is in it. */
#include <trueline/transport.h>

enum { SEQUENCE_SIZE = 2 };

static bool known(uint64_t type)
{
    return type == TL_CARRIED_CLEAR || type == TL_CARRIED_SECURED;
}

tl_err tl_mctp_encode(tl_carried_kind kind, tl_span body, tl_wr *out)
{
    if (!known(kind) || body.n == 0)
        return TL_E_USAGE;
    if (out->bad || out->cap - out->n < TL_MCTP_HEAD || out->cap - out->n - TL_MCTP_HEAD < body.n)
        return TL_E_ROOM;
    tl_put(out, TL_MCTP_HEAD, TL_LITTLE, kind);
    tl_put_bytes(out, body);
    return TL_OK;
}

/* The type, and that a body follows. */
static tl_err read_type(tl_rd *r, uint64_t *type)
{
    *type = tl_get(r, TL_MCTP_HEAD, TL_LITTLE);
    if (!r->bad && !known(*type))
        return TL_E_WIRE_VALUE;
    return r->bad || r->n == 0 ? TL_E_WIRE_SHORT : TL_OK;
}

tl_err tl_mctp_decode(uint8_t *p, size_t n, tl_carried *m)
{
    tl_rd r = tl_rd_of(tl_span_of(p, n));
    uint64_t type;

    *m = (tl_carried){ .kind = TL_CARRIED_CLEAR };
    TL_TRY(read_type(&r, &type));
    *m = (tl_carried){ (tl_carried_kind)type, p + TL_MCTP_HEAD, r.n };
    return TL_OK;
}

/* ---- inside a record ---- */

static tl_err wrap(tl_span message, tl_wr *out)
{
    return tl_mctp_encode(TL_CARRIED_CLEAR, message, out);
}

static tl_err unwrap(tl_span application, tl_span *message)
{
    tl_rd r = tl_rd_of(application);
    uint64_t type;

    *message = (tl_span){ NULL, 0 };
    TL_TRY(read_type(&r, &type));
    if (type != TL_CARRIED_CLEAR)
        return TL_E_WIRE_VALUE;
    *message = tl_rd_rest(&r);
    return TL_OK;
}

const tl_transport tl_transport_mctp = {
    .name = "mctp",
    .head = TL_MCTP_HEAD,
    .encode = tl_mctp_encode,
    .decode = tl_mctp_decode,
    .binding = { .record = { .sequence_size = SEQUENCE_SIZE, .pad_max = TL_RECORD_PAD_MAX },
                 .wrap_size = TL_MCTP_HEAD,
                 .wrap = wrap,
                 .unwrap = unwrap },
};
