/* Records of a secured session.
 *
 *   session id 4 | sequence number 0 or 2 | length 2 | ciphertext of (application length 2 | application data | pad) | tag 16
 *
 * Everything up to the length is associated data; length counts what follows it. The nonce is the direction's IV with the
 * 64-bit sequence number, little-endian, added by exclusive or to its first bytes. Integers are little-endian. */
#include "secured/schedule.h"

#include <string.h>

enum { LENGTH = 2, APPLICATION_LENGTH = 2, SESSION_ID = 4 };

tl_err tl_record_key_bytes(const tl_schedule *s, const tl_secret *direction, uint8_t *key,
                           uint8_t iv[TL_NONCE_SIZE])
{
    const tl_span none = tl_span_of(NULL, 0);
    size_t n = tl_suite_key_size(s->aead);
    tl_err e = tl__schedule_expand(s, direction, "key", none, key, n);

    if (e == TL_OK)
        e = tl__schedule_expand(s, direction, "iv", none, iv, TL_NONCE_SIZE);
    if (e != TL_OK) {
        tl_wipe(key, n);
        tl_wipe(iv, TL_NONCE_SIZE);
    }
    return e;
}

tl_err tl_record_key_derive(const tl_schedule *s, const tl_secret *direction, tl_record_key *key)
{
    uint8_t bytes[32];
    tl_record_key made = { .held = true };
    tl_err e;

    *key = (tl_record_key){ 0 };
    if (tl_suite_key_size(s->aead) == 0 || tl_suite_key_size(s->aead) > sizeof bytes)
        return TL_E_USAGE;
    e = tl_record_key_bytes(s, direction, bytes, made.iv);
    if (e == TL_OK)
        e = s->crypto->ops->key_load(s->crypto->ctx, s->aead, tl_span_of(bytes, tl_suite_key_size(s->aead)),
                                     &made.handle);
    if (e == TL_OK)
        *key = made;
    tl_wipe(bytes, sizeof bytes);
    tl_wipe(&made, sizeof made);
    return e;
}

void tl_record_key_drop(tl_record_key *key, const tl_crypto *crypto)
{
    if (key->held)
        crypto->ops->key_drop(crypto->ctx, key->handle);
    tl_wipe(key, sizeof *key);
}

static void nonce_of(const tl_record_key *key, uint8_t nonce[TL_NONCE_SIZE])
{
    memcpy(nonce, key->iv, TL_NONCE_SIZE);
    for (unsigned i = 0; i < 8; i++)
        nonce[i] ^= (uint8_t)(key->sequence >> 8 * i);
}

/* The pad's length and its bytes. */
static tl_err make_pad(const tl_schedule *s, const tl_record_binding *binding, uint8_t pad[TL_RECORD_PAD_MAX],
                       size_t *n)
{
    uint8_t draw;

    *n = 0;
    if (binding->pad_max == 0)
        return TL_OK;
    TL_TRY(s->crypto->ops->random(s->crypto->ctx, &draw, 1));
    TL_TRY(s->crypto->ops->random(s->crypto->ctx, pad, TL_RECORD_PAD_MAX));
    *n = draw % binding->pad_max + 1u;
    return TL_OK;
}

static bool fits_binding(const tl_record_binding *binding)
{
    return (binding->sequence_size == 0 || binding->sequence_size == 2) &&
           binding->pad_max <= TL_RECORD_PAD_MAX;
}

tl_err tl_record_begin(const tl_record_key *key, const tl_record_binding *binding, uint32_t session_id,
                       tl_wr *out, size_t *start)
{
    size_t before = out->n;

    if (!key->held || !fits_binding(binding) || out->p == NULL)
        return TL_E_USAGE;
    if (key->sequence == UINT64_MAX)
        return TL_E_LIMIT;
    tl_put(out, SESSION_ID, TL_LITTLE, session_id);
    if (binding->sequence_size == 2)
        tl_put(out, 2, TL_LITTLE, key->sequence & 0xFFFF);
    tl_put_zeros(out, LENGTH + APPLICATION_LENGTH);
    if (out->bad) {
        out->n = before;
        return TL_E_ROOM;
    }
    *start = before;
    return TL_OK;
}

/* Pad, lengths and room for the tag. header: bytes up to the length, which is the last of them. */
static tl_err finish_plain(const tl_schedule *s, const tl_record_binding *binding, uint8_t *record,
                           size_t header, tl_wr *out)
{
    size_t written = out->n - (size_t)(record - out->p), application = written - header - APPLICATION_LENGTH;
    uint8_t pad[TL_RECORD_PAD_MAX];
    size_t pad_n;
    tl_wr lengths = tl_wr_of(record + header - LENGTH, LENGTH + APPLICATION_LENGTH);

    if (application > TL_RECORD_APPLICATION_MAX)
        return TL_E_USAGE;
    TL_TRY(make_pad(s, binding, pad, &pad_n));
    tl_put_bytes(out, tl_span_of(pad, pad_n));
    tl_put_zeros(out, TL_RECORD_TAG);
    if (out->bad)
        return TL_E_ROOM;
    tl_put(&lengths, LENGTH, TL_LITTLE, APPLICATION_LENGTH + application + pad_n + TL_RECORD_TAG);
    tl_put(&lengths, APPLICATION_LENGTH, TL_LITTLE, application);
    return TL_OK;
}

tl_err tl_record_end(const tl_schedule *s, tl_record_key *key, const tl_record_binding *binding, size_t start,
                     tl_wr *out)
{
    size_t header = SESSION_ID + (size_t)binding->sequence_size + LENGTH;
    uint8_t *record = out->p + start;
    tl_sealed m = { .cover = TL_COVER_ENCRYPTED, .tag_n = TL_RECORD_TAG };
    tl_err e = finish_plain(s, binding, record, header, out);

    if (e == TL_OK) {
        m.header = tl_span_of(record, header);
        m.payload = record + header;
        m.payload_n = out->n - start - header - TL_RECORD_TAG;
        nonce_of(key, m.nonce);
        key->sequence++;
        e = s->crypto->ops->protect(s->crypto->ctx, key->handle, &m, 1);
    }
    if (e != TL_OK) {
        tl_wipe(record, out->n - start);
        out->n = start;
        return e;
    }
    memcpy(m.payload + m.payload_n, m.tag, TL_RECORD_TAG);
    return TL_OK;
}

tl_err tl_record_seal(const tl_schedule *s, tl_record_key *key, const tl_record_binding *binding,
                      uint32_t session_id, tl_span application, tl_wr *out)
{
    size_t start;

    if (application.n > TL_RECORD_APPLICATION_MAX)
        return TL_E_USAGE;
    TL_TRY(tl_record_begin(key, binding, session_id, out, &start));
    tl_put_bytes(out, application);
    return tl_record_end(s, key, binding, start, out);
}

tl_err tl_record_session(tl_span record, uint32_t *session_id)
{
    tl_rd r = tl_rd_of(record);

    *session_id = (uint32_t)tl_get(&r, SESSION_ID, TL_LITTLE);
    return r.bad ? TL_E_WIRE_SHORT : TL_OK;
}

/* Checks everything in clear, and fills the backend's row. */
static tl_err take_apart(const tl_record_key *key, const tl_record_binding *binding, uint32_t session_id,
                         tl_buffer record, tl_sealed *m)
{
    tl_rd r = tl_rd_of(tl_span_of(record.p, record.n));
    uint64_t session = tl_get(&r, SESSION_ID, TL_LITTLE), length;
    uint64_t sequence = binding->sequence_size == 2 ? tl_get(&r, 2, TL_LITTLE) : key->sequence & 0xFFFF;

    length = tl_get(&r, LENGTH, TL_LITTLE);
    if (r.bad || r.n < length || length < APPLICATION_LENGTH + TL_RECORD_TAG)
        return TL_E_WIRE_SHORT;
    if (r.n > length)
        return TL_E_WIRE_TRAILING;
    if (session != session_id || sequence != (key->sequence & 0xFFFF))
        return TL_E_WIRE_VALUE;
    *m = (tl_sealed){ .cover = TL_COVER_ENCRYPTED, .tag_n = TL_RECORD_TAG };
    m->header = tl_span_of(record.p, record.n - r.n);
    m->payload = record.p + m->header.n;
    m->payload_n = r.n - TL_RECORD_TAG;
    nonce_of(key, m->nonce);
    memcpy(m->tag, m->payload + m->payload_n, TL_RECORD_TAG);
    return TL_OK;
}

tl_err tl_record_open(const tl_schedule *s, tl_record_key *key, const tl_record_binding *binding,
                      uint32_t session_id, tl_buffer record, tl_span *application)
{
    tl_sealed m;
    tl_rd r;
    size_t length;

    *application = tl_span_of(NULL, 0);
    if (!key->held || !fits_binding(binding))
        return TL_E_USAGE;
    if (key->sequence == UINT64_MAX)
        return TL_E_LIMIT;
    TL_TRY(take_apart(key, binding, session_id, record, &m));
    TL_TRY(s->crypto->ops->verify(s->crypto->ctx, key->handle, &m, 1));
    if (!m.right)
        return TL_E_TAG;
    key->sequence++;
    r = tl_rd_of(tl_span_of(m.payload, m.payload_n));
    length = (size_t)tl_get(&r, APPLICATION_LENGTH, TL_LITTLE);
    *application = tl_get_bytes(&r, length);
    return r.bad ? TL_E_WIRE_SHORT : TL_OK;
}
