/* A connection: what both roles keep of it, and the header that all messages share.
 *
 * Dropping gives every handle back and leaves nothing negotiated. Secrets are in the sessions alone, and they wipe
 * themselves. */
#include "spdm/spdm.h"

tl_err tl__message_read(tl_span bytes, tl__message *m)
{
    const tl_env env = { .version = TL_SPDM_12 };
    tl_rd r = tl_rd_of(bytes);
    tl_spdm_header h;

    TL_TRY(tl_decode_spdm_header(&env, &r, &h));
    m->version = (uint8_t)h.version;
    m->code = (uint8_t)h.code;
    m->param1 = (uint8_t)h.param1;
    m->param2 = (uint8_t)h.param2;
    m->whole = bytes;
    m->body = tl_rd_rest(&r);
    return TL_OK;
}

void tl__message_begin(const tl_spdm_connection *c, uint8_t code, uint8_t param1, uint8_t param2, tl_wr *out)
{
    const tl_spdm_header h = { c->env.version, code, param1, param2 };

    /* What has no room makes the writer bad, and whoever ends the message sees that. */
    (void)!tl_encode_spdm_header(&c->env, &h, out);
}

tl_err tl__message_end(const tl_rd *r)
{
    if (r->bad)
        return TL_E_WIRE_SHORT;
    return r->n == 0 ? TL_OK : TL_E_WIRE_TRAILING;
}

void tl__connection_drop(tl_spdm_connection *c)
{
    if (c->session_ops != NULL)
        c->session_ops->drop(c);
    c->session = NULL;
    tl__transcript_drop(c, &c->m);
    tl__transcript_drop(c, &c->l);
    c->crypto->ops->key_drop(c->crypto->ctx, c->peer.facts.key);
    c->peer.facts.key = (tl_key){ 0 };
    c->peer.chain_right = false;
    c->peer.authenticated = false;
    c->state = TL_SPDM_START;
    c->env = (tl_env){ .version = TL_SPDM_10 };
    c->algs = (tl_spdm_algs){ 0 };
    c->vca_n = c->vca_request = c->vca_response = 0;
}

void tl__connection_reset(tl_spdm_connection *c)
{
    tl__connection_drop(c);
    c->peer = (tl_spdm_peer){ 0 };
}

size_t tl__transfer_max(const tl_spdm_connection *c)
{
    return c->peer.data_transfer_size == 0 ? SIZE_MAX : c->peer.data_transfer_size;
}

tl_err tl__spdm_random(const tl_spdm_connection *c, uint8_t *out, size_t n)
{
    return c->crypto->ops->random(c->crypto->ctx, out, n);
}

bool tl__both(const tl_spdm_connection *c, uint32_t flags)
{
    return (c->flags & c->peer.flags & flags) == flags;
}

uint32_t tl__responder_flags(const tl_spdm_connection *c)
{
    return c->role == TL_SPDM_RESPONDER ? c->flags : c->peer.flags;
}

bool tl__out_short(const tl_spdm_connection *c, size_t n, const tl_wr *out)
{
    size_t around = c->session_ops == NULL ? 0 : (size_t)TL_RECORD_OVERHEAD;

    if (c->session_ops != NULL && c->binding != NULL)
        around += c->binding->wrap_size;
    return out->bad || out->cap - out->n < n + around;
}
