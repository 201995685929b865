/* The SPDM key schedule.
 *
 *   Handshake-Secret = HMAC(0..0, exchanged)
 *   request, response handshake secret = Expand(Handshake-Secret, "req hs data" | "rsp hs data", TH1)
 *   Master-Secret = HMAC(Expand(Handshake-Secret, "derived"), 0..0)
 *   request, response data secret, export master = Expand(Master-Secret, "req app data" | "rsp app data" | "exp master", TH2)
 *   finished key = Expand(direction's handshake secret, "finished");  next secret = Expand(secret, "traffic upd")
 *
 * Expand's info is length (2 bytes, little-endian) | "spdm1.x " | label | context. */
#include "secured/schedule.h"

#include "base/text.h"

tl_err tl__schedule_expand(const tl_schedule *s, const tl_secret *from, const char *label, tl_span context,
                           uint8_t *out, size_t n)
{
    const uint8_t length[2] = { (uint8_t)n, (uint8_t)(n >> 8) };
    const uint8_t version[8] = { 's', 'p', 'd', 'm', '1', '.', (uint8_t)('0' + (s->version & 0x0F)), ' ' };
    const tl_span info[] = { tl_span_of(length, 2), tl_span_of(version, 8), tl__text(label), context };
    const tl_digest prk = { s->hash, tl_span_of(from->bytes, tl_hash_size(s->hash)) };

    return tl_hkdf_expand(s->crypto, prk, info, 4, out, n);
}

static tl_err expand_secret(const tl_schedule *s, const tl_secret *from, const char *label, tl_span context,
                            tl_secret *out)
{
    return tl__schedule_expand(s, from, label, context, out->bytes, tl_hash_size(s->hash));
}

tl_err tl_schedule_handshake(const tl_schedule *s, tl_span exchanged, tl_span th1,
                             tl_handshake_secrets *secrets)
{
    static const uint8_t zeros[TL_HASH_MAX];
    tl_err e;

    *secrets = (tl_handshake_secrets){ 0 };
    e = tl_hkdf_extract(s->crypto, s->hash, tl_span_of(zeros, tl_hash_size(s->hash)), exchanged,
                        secrets->handshake.bytes);
    if (e == TL_OK)
        e = expand_secret(s, &secrets->handshake, "req hs data", th1, &secrets->request);
    if (e == TL_OK)
        e = expand_secret(s, &secrets->handshake, "rsp hs data", th1, &secrets->response);
    if (e != TL_OK)
        tl_wipe(secrets, sizeof *secrets);
    return e;
}

static tl_err master_secret(const tl_schedule *s, const tl_secret *handshake, tl_secret *master)
{
    static const uint8_t zeros[TL_HASH_MAX];
    size_t n = tl_hash_size(s->hash);
    tl_secret salt = { 0 };
    tl_err e = expand_secret(s, handshake, "derived", tl_span_of(NULL, 0), &salt);

    if (e == TL_OK)
        e = tl_hkdf_extract(s->crypto, s->hash, tl_span_of(salt.bytes, n), tl_span_of(zeros, n),
                            master->bytes);
    tl_wipe(&salt, sizeof salt);
    return e;
}

tl_err tl_schedule_application(const tl_schedule *s, const tl_secret *handshake, tl_span th2,
                               tl_application_secrets *secrets)
{
    tl_err e;

    *secrets = (tl_application_secrets){ 0 };
    e = master_secret(s, handshake, &secrets->master);
    if (e == TL_OK)
        e = expand_secret(s, &secrets->master, "req app data", th2, &secrets->request);
    if (e == TL_OK)
        e = expand_secret(s, &secrets->master, "rsp app data", th2, &secrets->response);
    if (e == TL_OK)
        e = expand_secret(s, &secrets->master, "exp master", th2, &secrets->export_master);
    if (e != TL_OK)
        tl_wipe(secrets, sizeof *secrets);
    return e;
}

tl_err tl_schedule_finished_key(const tl_schedule *s, const tl_secret *direction, tl_secret *key)
{
    tl_err e;

    *key = (tl_secret){ 0 };
    e = expand_secret(s, direction, "finished", tl_span_of(NULL, 0), key);
    if (e != TL_OK)
        tl_wipe(key, sizeof *key);
    return e;
}

tl_err tl_schedule_verify_data(const tl_schedule *s, const tl_secret *direction, tl_span transcript_hash,
                               uint8_t *mac)
{
    size_t n = tl_hash_size(s->hash);
    tl_secret key;
    tl_err e = tl_schedule_finished_key(s, direction, &key);

    if (e == TL_OK)
        e = s->crypto->ops->hmac(s->crypto->ctx, s->hash, tl_span_of(key.bytes, n), &transcript_hash, 1, mac);
    tl_wipe(&key, sizeof key);
    if (e != TL_OK)
        tl_wipe(mac, n);
    return e;
}

tl_err tl_schedule_update(const tl_schedule *s, tl_secret *direction)
{
    tl_secret next = { 0 };
    tl_err e = expand_secret(s, direction, "traffic upd", tl_span_of(NULL, 0), &next);

    if (e == TL_OK)
        *direction = next;
    tl_wipe(&next, sizeof next);
    return e;
}
