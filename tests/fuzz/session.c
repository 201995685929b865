/* A responder with a handshake and an established session, and messages from the input: in clear, as they are in a record's
 * place, or sealed with the right keys, so that the handlers see arbitrary bytes that are authenticated. Whatever comes,
 * memory stays within bounds, the handshake is never established, and all handles come back.
 *
 * The input: [kind 1 | length 1 | bytes]... */
#include "identity.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE = 2048, OUT = 4096, HANDSHAKE = 0, ESTABLISHED = 1, NEXT_KEY = 4 };

static const tl_crypto *crypto(void)
{
    return tl_openssl_crypto(backend);
}

static void open_once(void)
{
    static const uint8_t chain[200] = { 0x30, 1, 2, 3 };
    const tl_openssl_config config = { .hash_slots = 32, .key_slots = 32 };

    (void)open_identity(&config, tl_span_of(chain, sizeof chain));
}

static tl_err vendor(void *ctx, const tl_spdm_vendor *request, tl_wr *payload)
{
    (void)ctx;
    tl_put_bytes(payload, request->payload);
    return TL_OK;
}

static void session_make(tl_spdm_connection *c, tl_spdm_session *s, unsigned which)
{
    *s = (tl_spdm_session){ .state = which == HANDSHAKE ? TL_SESSION_HANDSHAKE : TL_SESSION_ESTABLISHED,
                            .begun_by = TL_SPDM_KEY_EXCHANGE,
                            .id = 0x00010001u + which,
                            .schedule = { c->crypto, TL_SPDM_12, TL_HASH_SHA256, TL_SUITE_AES128_GMAC } };
    s->after = s->state;
    s->application.request.bytes[0] = (uint8_t)(which + 1);
    s->application.response.bytes[0] = (uint8_t)(which + 11);
    s->handshake.request.bytes[0] = 77;
    expect(tl_record_key_derive(&s->schedule, &s->application.request, &s->request_key) == TL_OK);
    expect(tl_record_key_derive(&s->schedule, &s->application.response, &s->response_key) == TL_OK);
    if (which == HANDSHAKE)
        expect(c->crypto->ops->hash_start(c->crypto->ctx, TL_HASH_SHA256, &s->th) == TL_OK);
}

static void negotiate(tl_spdm_connection *c)
{
    c->state = TL_SPDM_NEGOTIATED;
    c->env.version = TL_SPDM_12;
    c->algs = (tl_spdm_algs){ .hash = TL_HASH_SHA256,
                              .sign = TL_SIGN_ECDSA_P256,
                              .group = TL_GROUP_P256,
                              .aead = TL_SUITE_AES128_GMAC,
                              .other_params = 2 };
    c->env.len[TL_LEN_HASH] = c->env.len[TL_LEN_HMAC] = 32;
    c->env.len[TL_LEN_SIG] = c->env.len[TL_LEN_KEX] = c->env.len[TL_LEN_KEXR] = 64;
    c->peer.flags = c->flags;
    c->peer.data_transfer_size = MESSAGE;
}

/* Seals the message for the session with the key that the responder expects, or with the one after it. */
static size_t seal(const tl_spdm_session *s, unsigned kind, tl_span message, uint8_t *out)
{
    tl_record_key key = { 0 };
    tl_record_binding plain = { 0, 0 };
    tl_wr w = tl_wr_of(out, OUT);
    bool next = (kind & NEXT_KEY) && s->next_request.held;

    if (s->state == TL_SESSION_NONE)
        return 0;
    key = next ? s->next_request : s->request_key; /* the same handle and number: a copy that is used once */
    expect(tl_record_seal(&s->schedule, &key, &plain, s->id, message, &w) == TL_OK);
    return w.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t message[MESSAGE], out[OUT], bytes[OUT];
    const tl_spdm_policy policy = tl_spdm_policy_default(TL_SPDM_RESPONDER);
    tl_spdm_session sessions[3];
    tl_responder r;
    tl_rd rd = tl_rd_of(tl_span_of(data, size));

    open_once();
    const tl_responder_config config = { .crypto = crypto(),
                                         .policy = &policy,
                                         .families = tl_serve_all,
                                         .slots = &identity,
                                         .slots_n = 1,
                                         .sessions = sessions,
                                         .sessions_n = 3,
                                         .message = message,
                                         .message_n = MESSAGE,
                                         .vendor = vendor };
    if (tl_responder_init(&r, &config) != TL_OK)
        abort();
    negotiate(&r.c);
    session_make(&r.c, &sessions[0], HANDSHAKE);
    session_make(&r.c, &sessions[1], ESTABLISHED);
    while (rd.n != 0) {
        unsigned kind = (unsigned)tl_get(&rd, 1, TL_LITTLE);
        size_t n = (size_t)tl_get(&rd, 1, TL_LITTLE);
        tl_span m = tl_get_bytes(&rd, n < rd.n ? n : rd.n);
        tl_spdm_out o = { .w = tl_wr_of(out, sizeof out) };

        n = m.n;
        if (n != 0)
            memcpy(bytes, m.p, n);
        if (kind & 1)
            n = seal(&sessions[kind >> 1 & 1], kind, m, bytes);
        (void)!tl_responder_step(&r, 1000, (tl_spdm_in){ bytes, n, (kind & 1) || (kind & 8) }, &o);
        expect(!o.w.bad && o.w.n <= sizeof out);
        expect(sessions[0].state != TL_SESSION_ESTABLISHED || sessions[0].id != 0x00010001u);
    }
    tl_responder_wipe(&r);
    for (size_t i = 0; i < sizeof sessions; i++)
        expect(((const uint8_t *)sessions)[i] == 0);
    return 0;
}
