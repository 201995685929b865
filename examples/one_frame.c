/* One protected frame from a sender to a receiver, in one process. What stands between the two README marks is the
 * example in README.md. */
#include <trueline/openssl.h>
#include <trueline/stream.h>

#include <stdio.h>
#include <string.h>

enum { LINES = 4, LINE = 96, SLOT = LINE + TL_SEP_OVERHEAD_MAX };

/* 64 RAW12 pixels a line, encrypted, a 16-byte tag and a CRC-32 on each. */
static const tl_stream_config config = {
    .stream = 7,
    .suite = TL_SUITE_AES128_GMAC,
    .tag_mode = TL_TAG_PER_MESSAGE,
    .tag_size = 16,
    .crc32 = TL_WITH,
    .variant = { [TL_BLOCK_TOP] = TL_SV_2, [TL_BLOCK_MIDDLE] = TL_SV_1, [TL_BLOCK_BOTTOM] = TL_SV_2 },
    .parts = { { TL_BLOCK_MIDDLE, TL_DT_RAW12, LINES, LINE } },
    .part_count = 1,
};

static void on_event(void *ctx, const tl_stream_event *e)
{
    (void)ctx;
    if (e->kind == TL_EVENT_FRAME)
        printf("frame %u: %s, %zu bytes released\n", (unsigned)e->frame, tl_verdict_text(e->verdict),
               e->payload.n);
}

/* The wire: what leaves the sender arrives at the receiver. */
static tl_err pass(tl_stream_rx *rx, tl_span packet)
{
    uint8_t arrived[SLOT + TL_SEP_SERVICE_MAX];

    memcpy(arrived, packet.p, packet.n);
    return tl_stream_rx_packets(rx, 0, &(tl_buffer){ arrived, packet.n }, 1);
}

/* README begin */
static tl_err one_frame(tl_key_source *senders_keys, tl_key_source *receivers_keys)
{
    static uint8_t line[LINES][SLOT], pixels[LINES * LINE];
    tl_stream_tx tx;
    tl_stream_rx rx;
    tl_tx_edge edge;

    TL_TRY(tl_stream_tx_init(&tx, &config, senders_keys, 0));
    TL_TRY(tl_stream_rx_init(&rx, &config, receivers_keys, 0, (tl_buffer){ pixels, sizeof pixels },
                             (tl_stream_sink){ NULL, on_event }));

    TL_TRY(tl_stream_tx_begin(&tx, 0, &edge)); /* frame start, begin */
    TL_TRY(pass(&rx, edge.packets[0]));
    TL_TRY(pass(&rx, edge.packets[1]));
    for (int i = 0; i < LINES; i++) { /* pixels stand at line[i] + TL_SEP_BEFORE, and are protected there */
        tl_tx_message m = { .data_type = TL_DT_RAW12, .length = LINE, .buffer = line[i], .room = SLOT };
        TL_TRY(tl_stream_tx_messages(&tx, &m, 1));
        TL_TRY(pass(&rx, m.packet));
    }
    TL_TRY(tl_stream_tx_end(&tx, &edge)); /* end, frame end */
    TL_TRY(pass(&rx, edge.packets[0]));   /* on_event is told: frame 0: ok, 384 bytes released */
    return pass(&rx, edge.packets[1]);
}
/* README end */

/* Each end has a key source of its own, from the same secret and the same fresh bytes. */
static tl_err run(const tl_crypto *crypto)
{
    uint8_t secret[32] = { 0 }, fresh[2][TL_FRESH_SIZE];
    const tl_provisioned from = { tl_span_of(secret, sizeof secret), fresh[0], fresh[1], config.stream,
                                  TL_SENSOR_TO_CONTROLLER };
    tl_key_source keys[2] = { 0 };
    tl_err e = crypto->ops->random(crypto->ctx, secret, sizeof secret);

    if (e == TL_OK)
        e = crypto->ops->random(crypto->ctx, fresh[0], sizeof fresh);
    for (int end = 0; end < 2 && e == TL_OK; end++)
        e = tl_key_source_provisioned(&keys[end], crypto, &from);
    tl_wipe(secret, sizeof secret);
    if (e == TL_OK)
        e = one_frame(&keys[0], &keys[1]);
    tl_key_source_wipe(&keys[0]);
    tl_key_source_wipe(&keys[1]);
    return e;
}

int main(void)
{
    tl_openssl *backend;
    tl_err e = tl_openssl_open(NULL, &backend);

    if (e == TL_OK)
        e = run(tl_openssl_crypto(backend));
    if (e != TL_OK)
        (void)fprintf(stderr, "one_frame: %s\n", tl_err_text(e));
    tl_openssl_close(backend);
    return e == TL_OK ? 0 : 1;
}
