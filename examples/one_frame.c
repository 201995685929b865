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

/* README begin */
static tl_err one_frame(const tl_crypto *crypto, tl_span secret, const uint8_t fresh[2][TL_FRESH_SIZE])
{
    static uint8_t wire[LINES][SLOT], ends[2 * TL_SEP_BEGIN_ROOM], pixels[LINES * LINE];
    tl_key_source ours, theirs; /* each end has its own, from the same secret and the same fresh bytes */
    tl_tx_message line[LINES];
    tl_wr out = tl_wr_of(ends, sizeof ends);
    tl_stream_tx tx;
    tl_stream_rx rx;

    TL_TRY(tl_key_source_provisioned(&ours, crypto, secret, fresh[0], fresh[1], 7, TL_SENSOR_TO_CONTROLLER));
    TL_TRY(
        tl_key_source_provisioned(&theirs, crypto, secret, fresh[0], fresh[1], 7, TL_SENSOR_TO_CONTROLLER));
    TL_TRY(tl_stream_tx_init(&tx, &config, &ours, 0));
    TL_TRY(tl_stream_rx_init(&rx, &config, &theirs, 0, (tl_buffer){ pixels, sizeof pixels },
                             (tl_stream_sink){ NULL, on_event }));

    TL_TRY(tl_stream_tx_begin(&tx, 0, &out)); /* frame start, begin */
    tl_buffer begin = { ends + 4, out.n - 4 };
    for (int i = 0; i < LINES; i++) /* pixels stand where the packet keeps them: nothing is copied */
        line[i] =
            (tl_tx_message){ .data_type = TL_DT_RAW12, .length = LINE, .buffer = wire[i], .room = SLOT };
    TL_TRY(tl_stream_tx_messages(&tx, line, LINES));
    TL_TRY(tl_stream_tx_end(&tx, &out)); /* end, frame end */
    tl_buffer end = { begin.p + begin.n, out.n - begin.n - 8 };

    TL_TRY(tl_stream_rx_packets(&rx, 0, &begin, 1));
    for (int i = 0; i < LINES; i++)
        TL_TRY(tl_stream_rx_packets(&rx, 0, &(tl_buffer){ wire[i], line[i].packet.n }, 1));
    return tl_stream_rx_packets(&rx, 0, &end, 1); /* on_event is told: frame 0: ok, 384 bytes released */
}
/* README end */

int main(void)
{
    uint8_t secret[32], fresh[2][TL_FRESH_SIZE];
    tl_openssl *backend;
    const tl_crypto *crypto;
    tl_err e;

    if (tl_openssl_open(NULL, &backend) != TL_OK)
        return 1;
    crypto = tl_openssl_crypto(backend);
    e = crypto->ops->random(crypto->ctx, secret, sizeof secret);
    if (e == TL_OK)
        e = crypto->ops->random(crypto->ctx, fresh[0], sizeof fresh);
    if (e == TL_OK)
        e = one_frame(crypto, tl_span_of(secret, sizeof secret), (const uint8_t(*)[TL_FRESH_SIZE])fresh);
    if (e != TL_OK)
        (void)fprintf(stderr, "one_frame: %s\n", tl_err_text(e));
    tl_wipe(secret, sizeof secret);
    tl_openssl_close(backend);
    return e == TL_OK ? 0 : 1;
}
