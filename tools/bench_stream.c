/* The jobs of `trueline bench`. A job that goes wrong sets `failed`; nothing is reported then.
 *
 * Every run protects the same packet buffers again: with SV-1 the ciphertext of one frame is the text of the next, which
 * costs the same. Verifying needs a fresh frame each time, since a receiver takes none twice: it is made untimed. */
#include "bench_stream.h"

#include "clock.h"

#include <stdlib.h>
#include <string.h>

enum { LINE = BENCH_WIDTH * BENCH_BITS / 8, SLOT = 4096, PACKETS = BENCH_HEIGHT + 2, HEADER = 16 };

static const tl_stream_config bench_config = {
    .stream = 1,
    .suite = TL_SUITE_AES128_GMAC,
    .tag_mode = TL_TAG_PER_MESSAGE,
    .tag_size = 16,
    .crc32 = TL_WITH,
    .variant = { 0, TL_SV_2, TL_SV_2, TL_SV_2 },
    .parts = { { TL_BLOCK_MIDDLE, TL_DT_RAW12, BENCH_HEIGHT, LINE } },
    .part_count = 1,
};

static void count_frames(void *ctx, const tl_stream_event *event)
{
    bench_stream *b = ctx;

    if (event->kind == TL_EVENT_FRAME && event->verdict == TL_VERDICT_OK)
        b->frames_ok++;
}

static bool open_ends(bench_stream *b)
{
    static const uint8_t secret[32] = { 1 }, fresh[TL_FRESH_SIZE] = { 2 };
    const tl_crypto *crypto = tl_openssl_crypto(b->backend);
    const tl_buffer memory = { b->frame_memory, (size_t)LINE * BENCH_HEIGHT };
    const tl_provisioned from = { tl_span_of(secret, sizeof secret), fresh, fresh, b->config.stream,
                                  TL_SENSOR_TO_CONTROLLER };

    for (int end = 0; end < 2; end++)
        if (tl_key_source_provisioned(&b->sources[end], crypto, &from) != TL_OK)
            return false;
    return tl_stream_tx_init(&b->tx, &b->config, &b->sources[0], 0) == TL_OK &&
           tl_stream_rx_init(&b->rx, &b->config, &b->sources[1], 0, memory,
                             (tl_stream_sink){ b, count_frames }) == TL_OK;
}

static bool open_bare(bench_stream *b)
{
    static const uint8_t key[16] = { 3 };

    b->bare = EVP_CIPHER_CTX_new();
    return b->bare != NULL && EVP_EncryptInit_ex2(b->bare, EVP_aes_128_gcm(), key, NULL, NULL) == 1;
}

static bool take_memory(bench_stream *b)
{
    b->messages = calloc(BENCH_HEIGHT, sizeof *b->messages);
    b->packets = calloc(PACKETS, sizeof *b->packets);
    b->memory = calloc(BENCH_HEIGHT, SLOT);
    b->frame_memory = malloc((size_t)LINE * BENCH_HEIGHT);
    if (!b->messages || !b->packets || !b->memory || !b->frame_memory)
        return false;
    for (int i = 0; i < BENCH_HEIGHT; i++) {
        uint8_t *slot = b->memory + (size_t)i * SLOT;

        for (int j = 0; j < LINE; j++)
            slot[TL_SEP_BEFORE + j] = (uint8_t)(i * 7 + j);
        b->messages[i] =
            (tl_tx_message){ .data_type = TL_DT_RAW12, .length = LINE, .buffer = slot, .room = SLOT };
    }
    return true;
}

tl_exit bench_stream_open(bench_stream *b, tl_variant middle, tl_fault *fault)
{
    memset(b, 0, sizeof *b);
    b->config = bench_config;
    b->config.variant[TL_BLOCK_MIDDLE] = (uint8_t)middle;
    if (tl_openssl_open(NULL, &b->backend) == TL_OK && take_memory(b) && open_ends(b) && open_bare(b))
        return TL_EXIT_OK;
    bench_stream_close(b);
    return tl_fault_set(fault, TL_EXIT_INTERNAL, "bench: no memory, or OpenSSL fails");
}

void bench_stream_close(bench_stream *b)
{
    tl_stream_tx_wipe(&b->tx);
    tl_stream_rx_wipe(&b->rx);
    tl_key_source_wipe(&b->sources[0]);
    tl_key_source_wipe(&b->sources[1]);
    EVP_CIPHER_CTX_free(b->bare);
    tl_openssl_close(b->backend);
    free(b->messages);
    free(b->packets);
    free(b->memory);
    free(b->frame_memory);
    memset(b, 0, sizeof *b);
}

/* ---- ours ---- */

static tl_buffer own(uint8_t *bytes, tl_span packet)
{
    return (tl_buffer){ bytes + (packet.p - bytes), packet.n };
}

static void protect_frame(void *ctx)
{
    bench_stream *b = ctx;

    if (tl_stream_tx_begin(&b->tx, 0, &b->begin) != TL_OK ||
        tl_stream_tx_messages(&b->tx, b->messages, BENCH_HEIGHT) != TL_OK ||
        tl_stream_tx_end(&b->tx, &b->end) != TL_OK) {
        b->failed = true;
        return;
    }
    b->packets[0] = own(b->begin.bytes, b->begin.packets[1]);
    for (int i = 0; i < BENCH_HEIGHT; i++)
        b->packets[i + 1] = (tl_buffer){ b->messages[i].buffer, b->messages[i].packet.n };
    b->packets[PACKETS - 1] = own(b->end.bytes, b->end.packets[0]);
}

static void verify_frame(void *ctx)
{
    bench_stream *b = ctx;
    uint64_t before = b->frames_ok;

    if (tl_stream_rx_packets(&b->rx, tl_clock_ms(), b->packets, PACKETS) != TL_OK ||
        b->frames_ok != before + 1)
        b->failed = true;
}

gate_job bench_protect(bench_stream *b)
{
    return (gate_job){ .name = "protect", .run = protect_frame, .ctx = b };
}

gate_job bench_verify(bench_stream *b)
{
    return (gate_job){ .name = "verify", .prepare = protect_frame, .run = verify_frame, .ctx = b };
}

/* ---- bare OpenSSL ---- */

/* All lines under one context, each with its own nonce. encrypt: as EVP wants it. */
static void bare_frame(bench_stream *b, int encrypt)
{
    bool hidden = b->config.variant[TL_BLOCK_MIDDLE] == TL_SV_1;
    uint8_t nonce[TL_NONCE_SIZE] = { 0 }, tag[TL_TAG_MAX] = { 0 };
    int n = 0, good = 1;

    for (int i = 0; i < BENCH_HEIGHT; i++) {
        uint8_t *line = b->memory + (size_t)i * SLOT + TL_SEP_BEFORE;

        nonce[0] = (uint8_t)i;
        nonce[1] = (uint8_t)(i >> 8);
        good &= EVP_CipherInit_ex2(b->bare, NULL, NULL, nonce, encrypt, NULL);
        good &= EVP_CipherUpdate(b->bare, NULL, &n, line - HEADER, HEADER);
        good &= EVP_CipherUpdate(b->bare, hidden ? line : NULL, &n, line, LINE);
        if (encrypt == 0)
            good &= EVP_CIPHER_CTX_ctrl(b->bare, EVP_CTRL_AEAD_SET_TAG, TL_TAG_MAX, tag);
        /* A made-up tag is wrong: what EVP says of it does not matter here, that it looks does. */
        if (EVP_CipherFinal_ex(b->bare, tag, &n) != 1 && encrypt == 1)
            good = 0;
        if (encrypt == 1)
            good &= EVP_CIPHER_CTX_ctrl(b->bare, EVP_CTRL_AEAD_GET_TAG, TL_TAG_MAX, tag);
    }
    if (good != 1)
        b->failed = true;
}

static void bare_protect_frame(void *ctx)
{
    bare_frame(ctx, 1);
}

static void bare_verify_frame(void *ctx)
{
    bare_frame(ctx, 0);
}

gate_job bench_bare_protect(bench_stream *b)
{
    return (gate_job){ .name = "OpenSSL protect", .run = bare_protect_frame, .ctx = b };
}

gate_job bench_bare_verify(bench_stream *b)
{
    return (gate_job){ .name = "OpenSSL verify", .run = bare_verify_frame, .ctx = b };
}
