/* Records: arbitrary bytes are refused and do not move the receiver; arbitrary plaintext under a right tag is read within its
 * bounds; what is sealed opens to the same bytes. The first byte chooses the binding. */
#include "expect.h"

#include <stdlib.h>
#include <string.h>

#include <trueline/openssl.h>
#include <trueline/session.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SESSION = 0x01020304, ROOM = 8192 };

static const tl_crypto *crypto(void)
{
    static tl_openssl *backend;

    if (backend == NULL)
        expect(tl_openssl_open(NULL, &backend) == TL_OK);
    return tl_openssl_crypto(backend);
}

/* The plaintext as it is, under a right tag. */
static size_t forge(const tl_record_key *key, const tl_record_binding *b, tl_span plain, uint8_t *out)
{
    tl_sealed m = { .cover = TL_COVER_ENCRYPTED, .tag_n = TL_RECORD_TAG };
    tl_wr w = tl_wr_of(out, ROOM);

    tl_put(&w, 4, TL_LITTLE, SESSION);
    if (b->sequence_size == 2)
        tl_put(&w, 2, TL_LITTLE, 0);
    tl_put(&w, 2, TL_LITTLE, plain.n + TL_RECORD_TAG);
    m.header = tl_span_of(out, w.n);
    m.payload = out + w.n;
    m.payload_n = plain.n;
    tl_put_bytes(&w, plain);
    memcpy(m.nonce, key->iv, TL_NONCE_SIZE);
    expect(!w.bad && crypto()->ops->protect(crypto()->ctx, key->handle, &m, 1) == TL_OK);
    tl_put_bytes(&w, tl_span_of(m.tag, TL_RECORD_TAG));
    return w.n;
}

static void open_forged(const tl_schedule *s, tl_record_key *key, const tl_record_binding *b, tl_span plain)
{
    uint8_t record[ROOM];
    size_t n = forge(key, b, plain, record), told = plain.n >= 2 ? plain.p[0] + 256u * plain.p[1] : SIZE_MAX;
    tl_span application;
    tl_err e = tl_record_open(s, key, b, SESSION, (tl_buffer){ record, n }, &application);

    expect((e == TL_OK) == (plain.n >= 2 && told <= plain.n - 2));
    expect(application.n == (e == TL_OK ? told : 0));
    expect(application.n == 0 || memcmp(application.p, plain.p + 2, told) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const tl_schedule s = { crypto(), 0x12, TL_HASH_SHA256, TL_SUITE_AES128_GMAC };
    const tl_secret secret = { { 1, 2, 3 } };
    uint8_t record[ROOM], copy[ROOM];
    tl_record_key tx, rx;
    tl_span application;

    if (size < 1 || size > 4096)
        return 0;
    const tl_record_binding b = { data[0] & 1 ? 2 : 0, (uint8_t)(data[0] >> 1 & 31) };
    tl_span bytes = tl_span_of(data + 1, size - 1);
    expect(tl_record_key_derive(&s, &secret, &tx) == TL_OK &&
           tl_record_key_derive(&s, &secret, &rx) == TL_OK);
    memcpy(copy, bytes.p, bytes.n);
    expect(tl_record_open(&s, &rx, &b, SESSION, (tl_buffer){ copy, bytes.n }, &application) != TL_OK &&
           rx.sequence == 0);
    tl_wr w = tl_wr_of(record, sizeof record);
    expect(tl_record_seal(&s, &tx, &b, SESSION, bytes, &w) == TL_OK);
    expect(tl_record_open(&s, &rx, &b, SESSION, (tl_buffer){ record, w.n }, &application) == TL_OK);
    expect(application.n == bytes.n && (bytes.n == 0 || memcmp(application.p, bytes.p, bytes.n) == 0));
    tl_record_key_drop(&rx, s.crypto);
    expect(tl_record_key_derive(&s, &secret, &rx) == TL_OK);
    open_forged(&s, &rx, &b, bytes);
    tl_record_key_drop(&tx, s.crypto);
    tl_record_key_drop(&rx, s.crypto);
    return 0;
}
