/* A protected frame as a capture leaves it in memory (FSED): pixels in one buffer, as from any camera, and headers and tags
 * in another, as V4L2 hands over the two nodes of a CSI-2 receiver. The receiver verifies the frame where it lies, with the
 * kernels of this machine; nothing is copied. */
#include <trueline/lanes.h>
#include <trueline/openssl.h>
#include <trueline/stream.h>

#include <stdio.h>
#include <string.h>

enum { LINES = 4, LINE = 96, STRIDE = 128, ROWS = 16, SLOT = LINE + TL_SEP_OVERHEAD_MAX };

/* 64 RAW12 pixels a line, encrypted, one tag for all lines of the frame. */
static const tl_stream_config config = {
    .stream = 7,
    .suite = TL_SUITE_AES128_GMAC,
    .tag_mode = TL_TAG_PER_FRAME,
    .tag_size = 16,
    .variant = { [TL_BLOCK_TOP] = TL_SV_2, [TL_BLOCK_MIDDLE] = TL_SV_1, [TL_BLOCK_BOTTOM] = TL_SV_2 },
    .parts = { { TL_BLOCK_MIDDLE, TL_DT_RAW12, LINES, LINE } },
    .part_count = 1,
    .carrier = TL_CARRIER_FSED,
};

/* What the capture fills: rows from the front, `stride` bytes apart. */
static uint8_t pixels[LINES * STRIDE], metadata[ROWS * STRIDE];
static tl_frame_plane plane = { .data_type = TL_DT_RAW12, .p = pixels, .stride = STRIDE, .row_bytes = LINE };
static tl_frame_buffers frame = {
    .planes = &plane,
    .plane_count = 1,
    .metadata = { .p = metadata, .stride = STRIDE, .row_bytes = LINE },
};

/* The CSI-2 receiver and its DMA, which know nothing of protection. */
static void capture(tl_span packet)
{
    tl_frame_plane *to;
    tl_csi2_packet p;

    tl_csi2_read(packet, &p);
    if (tl_csi2_is_short(p.header.data_type))
        return;
    to = p.header.data_type == TL_DT_RAW12 ? &plane : &frame.metadata;
    memcpy(to->p + to->rows++ * to->stride, p.payload.p, p.payload.n);
}

static tl_err send(tl_key_source *keys)
{
    static uint8_t waiting[1024], line[SLOT];
    tl_stream_tx tx;
    tl_tx_edge edge;
    tl_span packet;

    TL_TRY(tl_stream_tx_init(&tx, &config, keys, 0));
    TL_TRY(tl_stream_tx_metadata(&tx, (tl_buffer){ waiting, sizeof waiting }));
    TL_TRY(tl_stream_tx_begin(&tx, 0, &edge));
    while (tl_tx_edge_next(&edge, &packet))
        capture(packet);
    for (int i = 0; i < LINES; i++) {
        tl_tx_message m = { .data_type = TL_DT_RAW12, .length = LINE, .buffer = line, .room = SLOT };
        memset(line + TL_SEP_BEFORE, 'a' + i, LINE);
        TL_TRY(tl_stream_tx_messages(&tx, &m, 1));
        capture(m.packet);
    }
    TL_TRY(tl_stream_tx_end(&tx, &edge));
    while (tl_tx_edge_next(&edge, &packet))
        capture(packet);
    tl_stream_tx_wipe(&tx);
    return TL_OK;
}

static tl_err receive(tl_key_source *keys)
{
    tl_verdict verdict;
    tl_stream_rx rx;
    tl_err e;

    TL_TRY(tl_stream_rx_init(&rx, &config, keys, 0, (tl_buffer){ NULL, 0 }, (tl_stream_sink){ NULL, NULL }));
    e = tl_stream_rx_frame(&rx, 0, &frame, &verdict);
    tl_stream_rx_wipe(&rx);
    if (e == TL_OK && verdict == TL_VERDICT_OK)
        printf("frame: ok, line 0 begins with %.3s, line %d with %.3s\n", (const char *)pixels, LINES - 1,
               (const char *)pixels + (LINES - 1) * STRIDE);
    else if (e == TL_OK)
        printf("frame: %s, its pixels must not be used\n", tl_verdict_text(verdict));
    return e;
}

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
        e = send(&keys[0]);
    if (e == TL_OK)
        e = receive(&keys[1]);
    tl_key_source_wipe(&keys[0]);
    tl_key_source_wipe(&keys[1]);
    return e;
}

int main(void)
{
    static tl_lanes_key keys[4];
    static tl_lanes_mac macs[2];
    static tl_lanes lanes;
    tl_openssl *openssl;
    tl_err e = tl_openssl_open(NULL, &openssl);

    if (e == TL_OK) /* streams by the fastest kernels that are here, all else by OpenSSL */
        e = tl_lanes_init(
            &lanes,
            &(tl_lanes_config){
                .base = tl_openssl_crypto(openssl), .keys = keys, .key_n = 4, .macs = macs, .mac_n = 2 });
    if (e == TL_OK) {
        e = run(tl_lanes_crypto(&lanes));
        tl_lanes_wipe(&lanes);
    }
    if (e != TL_OK)
        (void)fprintf(stderr, "frame_in_memory: %s\n", tl_err_text(e));
    tl_openssl_close(openssl);
    return e == TL_OK ? 0 : 1;
}
