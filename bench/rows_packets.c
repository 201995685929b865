/* Whole packets of 1,500 bytes of payload, as a sender makes them: CSI-2 header with its ECC, service header, nonce, tag
 * (with SV-1 encrypted too), footer, CRC-16; begin and end of the frame are in it. Against libsrtp2's packets and against
 * bare AES-128-GCM over 16 + 1,500 bytes by OpenSSL, which both encrypt. A receiver finds every frame right. */
#include "bench.h"
#include "bench_ends.h"
#include "lines.h"
#ifdef TL_BENCH_SRTP
#include "peer_srtp.h"
#endif

enum { PAYLOAD = 1500, LINES = 256 };

static void send_frame(void *ctx)
{
    bench_ends_send(ctx, 0);
}

static bool frame_is_right(bench_ends *l)
{
    bench_ends_rewind(l);
    if (!l->failed)
        bench_ends_receive(l);
    return !l->failed;
}

static void seal_as_many(void *ctx)
{
    peer *p = ctx;

    for (unsigned i = 0; i < LINES; i += p->lines->n)
        p->protect(p);
}

static void against_openssl(bench *b, bench_ends *l, bench_row row)
{
    static lines plain;
    static peer p;
    bool good = lines_open(&plain, LINES_GCM, PAYLOAD, 0) && peer_openssl_open(&p, &plain);

    row.peer = "openssl";
    row.goal = 2.5;
    if (good) {
        bench_compare(b, &row, (gate_job){ .run = send_frame, .ctx = l },
                      (gate_job){ .run = seal_as_many, .ctx = &p });
        p.close(&p);
    }
    if (!good || p.failed)
        bench_failed(b, row.name, row.peer, "the peer fails");
    lines_close(&plain);
}

static void against_srtp(bench *b, bench_ends *l, bench_row row)
{
#ifdef TL_BENCH_SRTP
    static peer_srtp p;
    bool good = peer_srtp_open(&p, PAYLOAD, LINES) && peer_srtp_works(&p);

    row.peer = p.name;
    row.goal = 5;
    if (good)
        bench_compare(b, &row, (gate_job){ .run = send_frame, .ctx = l },
                      (gate_job){ .run = peer_srtp_protect, .ctx = &p });
    if (!good || p.failed)
        bench_failed(b, row.name, row.peer, "the peer fails");
    peer_srtp_close(&p);
#else
    (void)l;
    bench_absent(b, row.name, "libsrtp2");
#endif
}

static void run_variant(bench *b, const char *name, tl_variant variant)
{
    static bench_ends l;
    const bench_ends_shape shape = { .suite = TL_SUITE_AES128_GMAC,
                                     .variant = variant,
                                     .tag_mode = TL_TAG_PER_MESSAGE,
                                     .crc32 = TL_WITHOUT,
                                     .data_type = TL_DT_RAW12,
                                     .lines = LINES,
                                     .line_bytes = PAYLOAD,
                                     .frames = 1 };
    bench_row row = { .name = name, .bytes = (double)LINES * PAYLOAD, .messages = LINES };

    if (!bench_wants(b, name))
        return;
    if (!bench_ends_open(&l, b->crypto, &shape) || !frame_is_right(&l)) {
        bench_failed(b, name, "itself", "a frame is not right");
    } else {
        against_srtp(b, &l, row);
        against_openssl(b, &l, row);
        if (l.failed)
            bench_failed(b, name, "itself", "a call failed");
    }
    bench_ends_close(&l);
}

void rows_packets(bench *b)
{
    run_variant(b, "packet_1500", TL_SV_2);
    run_variant(b, "packet_1500_sv1", TL_SV_1);
}
