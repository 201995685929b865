/* The jobs of `trueline bench`. A job that goes wrong sets `failed`; nothing is reported then.
 *
 * Every run protects the same packet buffers again: with SV-1 the ciphertext of one frame is the text of the next, which
 * costs the same. Verifying needs a fresh frame each time, since a receiver takes none twice: it is made untimed. */
#include "bench_stream.h"

#include <string.h>

enum { LINE = BENCH_WIDTH * BENCH_BITS / 8, HEADER = 16 };

static bool open_bare(bench_stream *b)
{
    static const uint8_t key[16] = { 3 };

    b->bare = EVP_CIPHER_CTX_new();
    return b->bare != NULL && EVP_EncryptInit_ex2(b->bare, EVP_aes_128_gcm(), key, NULL, NULL) == 1;
}

tl_exit bench_stream_open(bench_stream *b, tl_variant middle, backend_level level, tl_fault *fault)
{
    const bench_ends_shape shape = { .suite = TL_SUITE_AES128_GMAC,
                                     .variant = middle,
                                     .tag_mode = TL_TAG_PER_MESSAGE,
                                     .crc32 = TL_WITH,
                                     .data_type = TL_DT_RAW12,
                                     .lines = BENCH_HEIGHT,
                                     .line_bytes = LINE,
                                     .frames = 1 };

    *b = (bench_stream){ 0 };
    if (backend_open(&b->backend, level, 0) == TL_OK &&
        bench_ends_open(&b->ends, b->backend.crypto, &shape) && open_bare(b))
        return TL_EXIT_OK;
    bench_stream_close(b);
    return tl_fault_set(fault, TL_EXIT_INTERNAL, "bench: no memory, or the backend fails");
}

void bench_stream_close(bench_stream *b)
{
    bench_ends_close(&b->ends);
    EVP_CIPHER_CTX_free(b->bare);
    backend_close(&b->backend);
    *b = (bench_stream){ 0 };
}

/* ---- ours ---- */

static void protect_frame(void *ctx)
{
    bench_stream *b = ctx;

    bench_ends_send(&b->ends, 0);
    b->failed |= b->ends.failed;
}

/* The frame's number has gone up, its place has not. */
static void verify_frame(void *ctx)
{
    bench_stream *b = ctx;

    b->ends.next = 0;
    bench_ends_receive(&b->ends);
    b->failed |= b->ends.failed;
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
    bool hidden = b->ends.shape.variant == TL_SV_1;
    uint8_t nonce[TL_NONCE_SIZE] = { 0 }, tag[TL_TAG_MAX] = { 0 };
    int n = 0, good = 1;

    for (int i = 0; i < BENCH_HEIGHT; i++) {
        uint8_t *line = b->ends.messages[i].buffer + TL_SEP_BEFORE;

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
