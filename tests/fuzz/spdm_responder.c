/* A responder, and a list of messages to it: bytes of the input, or right requests with bytes of the input laid over them, so
 * that the fuzzer gets past negotiation. Beyond staying in bounds: each answer is one message, no longer than the requester
 * takes; nothing in clear makes a session or an authenticated peer by itself; all handles come back and the context is zero.
 *
 * The input: [kind 1 | length 1 | bytes]...   kind: request by number, 0xFF the bytes alone, 0xFE as a record */
#include "identity.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    MESSAGE = 2048,
    OUT = MESSAGE + TL_RECORD_OVERHEAD,
    SESSIONS = 2,
    CHAIN = 200,
    BARE = 0xFF,
    RECORD = 0xFE
};

static const uint8_t requests[][48] = {
    { 0x10, 0x84 },
    { 0x13, 0xE1, 0, 0, 0, 0, 0, 0, 0xC0, 0x62, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0 },
    { 0x13, 0xE3, 3, 0, 44, 0, 1, 2, 0x10, 0, 0, 0,    3, 0, 0, 0,    0, 0, 0, 0,    0, 0,
      0,    0,    0, 0, 0,  0, 0, 0, 0,    0, 2, 0x20, 8, 0, 3, 0x20, 3, 0, 5, 0x20, 1, 0 },
    { 0x13, 0x81 },
    { 0x13, 0x82, 0, 0, 0, 0, 0xFF, 0xFF },
    { 0x13, 0x83, 0, 0xFF },
    { 0x13, 0xE0, 0, 0xFF },
    { 0x13, 0xE0, 1, 0xFF },
    { 0x13, 0xFF, 0x83, 1 },
};
static const uint8_t sizes[] = { 4, 20, 44, 4, 8, 44, 12, 45, 4 };

static tl_spdm_session sessions[SESSIONS];
static uint8_t message[MESSAGE];
static unsigned busy;

static void open_once(void)
{
    static const uint8_t chain[CHAIN] = { 0x30, 1, 2, 3 };

    (void)open_identity(NULL, tl_span_of(chain, sizeof chain));
}

static tl_err block_get(void *ctx, size_t i, tl_hash_alg alg, bool raw_wanted, tl_spdm_measurement *m)
{
    static const uint8_t bytes[TL_HASH_MAX] = { 1 };

    (void)ctx;
    (void)raw_wanted;
    *m = (tl_spdm_measurement){ (uint8_t)(i + 1), 0, i > 0, i == 0, { bytes, tl_hash_size(alg) } };
    return TL_OK;
}

static bool is_busy(void *ctx, uint8_t code)
{
    (void)ctx;
    return code == TL_SPDM_CHALLENGE && busy++ % 2 == 0;
}

/* The next message of the input. */
static size_t next(tl_rd *r, uint8_t *bytes, bool *record)
{
    uint8_t kind = (uint8_t)tl_get(r, 1, TL_LITTLE);
    size_t n = (size_t)tl_get(r, 1, TL_LITTLE), from = 0, whole;
    tl_span over;

    if (n > r->n)
        n = r->n;
    over = tl_get_bytes(r, n);
    *record = kind == RECORD;
    if (kind < BARE - 1) {
        size_t i = kind % sizeof sizes;

        memcpy(bytes, requests[i], sizes[i]);
        from = over.n > 0 ? over.p[0] % sizes[i] : 0;
    }
    if (over.n > 0)
        memcpy(bytes + from, over.p, over.n);
    whole = kind < BARE - 1 ? sizes[kind % sizeof sizes] : over.n;
    return from + over.n > whole ? from + over.n : whole;
}

static void one_message(tl_responder *r, uint64_t now, const uint8_t *bytes, size_t n, bool record)
{
    static uint8_t out_bytes[OUT];
    tl_spdm_out out = { .w = tl_wr_of(out_bytes, sizeof out_bytes) };
    uint8_t *copy = malloc(n);
    tl_err e;

    expect(copy != NULL);
    memcpy(copy, bytes, n);
    e = tl_responder_step(r, now, (tl_spdm_in){ copy, n, record }, &out);
    free(copy);
    expect(!out.w.bad && out.w.n <= MESSAGE);
    if (out.w.n > 0 && !out.secured)
        expect(out.w.n >= 4 && (e == TL_OK || out_bytes[1] == TL_SPDM_ERROR));
    expect(!tl_responder_peer(r)->authenticated);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const tl_spdm_measurement_source source = { NULL, 3, block_get };
    static const uint8_t zeros[sizeof(tl_responder)];
    tl_spdm_policy policy = tl_spdm_policy_default(TL_SPDM_RESPONDER);
    tl_rd r = tl_rd_of(tl_span_of(data, size));
    uint8_t bytes[512];
    tl_responder responder;

    open_once();
    busy = 1;
    tl_responder_config config = { .crypto = tl_openssl_crypto(backend),
                                   .policy = &policy,
                                   .families = tl_serve_all,
                                   .slots = &identity,
                                   .slots_n = 1,
                                   .sessions = sessions,
                                   .sessions_n = SESSIONS,
                                   .measurements = &source,
                                   .message = message,
                                   .message_n = MESSAGE,
                                   .busy = is_busy,
                                   .rdt_exponent = 4 };
    expect(tl_responder_init(&responder, &config) == TL_OK);
    for (uint64_t now = 1; r.n > 1; now++) {
        bool record;
        size_t n = next(&r, bytes, &record);

        if (n > 0)
            one_message(&responder, now, bytes, n, record);
    }
    tl_responder_wipe(&responder);
    expect(memcmp(&responder, zeros, sizeof zeros) == 0);
    return 0;
}
