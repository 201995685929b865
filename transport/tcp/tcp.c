/* SPDM over TCP (DSP0287): a header of four bytes, little-endian, before each message.
 *
 *     length 2 | binding version 1 | message type 1 | body
 *
 * The length counts what follows it, so a message with a body of n bytes says n + 2. Messages without a body (the role
 * inquiry and the errors) say 0 all the same. A record holds a message with a header of its own, of type 5. It has no
 * sequence number and no pad. */
#include <trueline/transport.h>

enum { BINDING_VERSION = 1, LENGTH_SIZE = 2, BEHIND_LENGTH = TL_TCP_HEAD - LENGTH_SIZE };

typedef struct header {
    size_t length;
    uint8_t type;
} header;

static bool has_body(uint8_t type)
{
    return type == TL_CARRIED_CLEAR || type == TL_CARRIED_SECURED;
}

static bool known(uint8_t type)
{
    return has_body(type) || (type >= TL_CARRIED_ROLE_INQUIRY && type <= TL_CARRIED_NO_RESPONDER);
}

static tl_err read_header(tl_rd *r, header *h)
{
    uint64_t version;

    h->length = (size_t)tl_get(r, LENGTH_SIZE, TL_LITTLE);
    version = tl_get(r, 1, TL_LITTLE);
    h->type = (uint8_t)tl_get(r, 1, TL_LITTLE);
    if (r->bad)
        return TL_E_WIRE_SHORT;
    if (version != BINDING_VERSION || !known(h->type))
        return TL_E_WIRE_VALUE;
    if (has_body(h->type) ? h->length <= BEHIND_LENGTH : h->length != 0)
        return TL_E_WIRE_VALUE;
    return TL_OK;
}

static size_t body_size(const header *h)
{
    return has_body(h->type) ? h->length - BEHIND_LENGTH : 0;
}

tl_err tl_tcp_encode(tl_carried_kind kind, tl_span body, tl_wr *out)
{
    uint8_t type = (uint8_t)kind;

    if ((tl_carried_kind)type != kind || !known(type) || has_body(type) != (body.n > 0) ||
        body.n > TL_TCP_BODY_MAX)
        return TL_E_USAGE;
    if (out->bad || out->cap - out->n < TL_TCP_HEAD + body.n)
        return TL_E_ROOM;
    tl_put(out, LENGTH_SIZE, TL_LITTLE, body.n > 0 ? body.n + BEHIND_LENGTH : 0);
    tl_put(out, 1, TL_LITTLE, BINDING_VERSION);
    tl_put(out, 1, TL_LITTLE, type);
    tl_put_bytes(out, body);
    return TL_OK;
}

tl_err tl_tcp_decode(uint8_t *p, size_t n, tl_carried *m)
{
    tl_rd r = tl_rd_of(tl_span_of(p, n));
    header h;

    *m = (tl_carried){ .kind = TL_CARRIED_CLEAR };
    TL_TRY(read_header(&r, &h));
    if (r.n != body_size(&h))
        return r.n < body_size(&h) ? TL_E_WIRE_SHORT : TL_E_WIRE_TRAILING;
    *m = (tl_carried){ (tl_carried_kind)h.type, p + TL_TCP_HEAD, r.n };
    return TL_OK;
}

tl_err tl_tcp_more(tl_span have, size_t *more)
{
    tl_rd r = tl_rd_of(have);
    header h;

    *more = 0;
    if (have.n < TL_TCP_HEAD) {
        *more = TL_TCP_HEAD - have.n;
        return TL_OK;
    }
    TL_TRY(read_header(&r, &h));
    if (r.n > body_size(&h))
        return TL_E_WIRE_TRAILING;
    *more = body_size(&h) - r.n;
    return TL_OK;
}

/* ---- inside a record ---- */

static tl_err wrap(tl_span message, tl_wr *out)
{
    return tl_tcp_encode(TL_CARRIED_CLEAR, message, out);
}

static tl_err unwrap(tl_span application, tl_span *message)
{
    tl_rd r = tl_rd_of(application);
    header h;

    *message = (tl_span){ NULL, 0 };
    TL_TRY(read_header(&r, &h));
    if (h.type != TL_CARRIED_CLEAR)
        return TL_E_WIRE_VALUE;
    if (r.n != body_size(&h))
        return r.n < body_size(&h) ? TL_E_WIRE_SHORT : TL_E_WIRE_TRAILING;
    *message = tl_rd_rest(&r);
    return TL_OK;
}

const tl_transport tl_transport_tcp = {
    .name = "tcp",
    .head = TL_TCP_HEAD,
    .encode = tl_tcp_encode,
    .decode = tl_tcp_decode,
    .binding = { .record = { .sequence_size = 0, .pad_max = 0 },
                 .wrap_size = TL_TCP_HEAD,
                 .wrap = wrap,
                 .unwrap = unwrap },
};
