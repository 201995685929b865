/* A recorded good frame, edited: packets dropped, swapped, repeated, cut, bits flipped with or without the checksums
 * made right again, foreign bytes put in. Beyond staying in bounds:
 *     a frame is ok only with exactly the bytes that were sent, and only once
 *     a line is released only with exactly the bytes that were sent
 *     what was not changed at all is ok
 *     every packet is counted */
#include "sent_frame.h"

#include <trueline/messages.h>
#include <trueline/openssl.h>

enum { PACKETS = LINES + 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Made once for each way of tags, per message and per data type: the frame, what it carries, and two receivers that wait
 * for it. With a tag per message the second one releases by line, else in place. */
typedef struct recorded {
    tl_stream_config config;
    sent_packets packets;
    uint8_t memory[BYTES];
    tl_span rows[LINES];
    tl_stream_rx by_frame, other;
} recorded;

static recorded both[2], *good;

/* What one run saw. */
static struct {
    tl_stream_rx rx;
    edits in;
    unsigned ok, opened;
} run;

/* ---- once ---- */

static void record(void)
{
    tl_key_source source;
    static tl_stream_tx tx;
    const tl_crypto *crypto;
    tl_openssl *backend;

    expect(tl_openssl_open(NULL, &backend) == TL_OK);
    crypto = tl_openssl_crypto(backend);
    for (int end = 0; end < 3; end++) {
        tl_stream_rx *rx = end == 1 ? &good->by_frame : &good->other;
        tl_buffer memory = { good->memory, sizeof good->memory };
        sent_source(&source, crypto);
        good->config.release = end < 2                                       ? TL_RELEASE_FRAME
                               : good->config.tag_mode == TL_TAG_PER_MESSAGE ? TL_RELEASE_LINE
                                                                             : TL_RELEASE_IN_PLACE;
        if (end == 0)
            expect(tl_stream_tx_init(&tx, &good->config, &source, 0) == TL_OK);
        else
            expect(tl_stream_rx_init(rx, &good->config, &source, 0, memory, (tl_stream_sink){ NULL, NULL }) ==
                   TL_OK);
    }
    sent_frame(&good->packets, &tx);
    expect(good->packets.n == PACKETS);
}

static void set_up(tl_tag_mode mode)
{
    good->config = sent_config;
    good->config.tag_mode = mode;
    good->config.variant[TL_BLOCK_BOTTOM] = TL_SV_1;
    record();
    if (mode != TL_TAG_PER_MESSAGE)
        expect(tl_stream_rx_rows(&good->other, good->rows, LINES) == TL_OK);
}

/* ---- each run ---- */

static void check_rows(void)
{
    const uint8_t *at = sent_bytes;

    for (unsigned i = 0; i < LINES; at += good->rows[i].n, i++)
        expect(memcmp(good->rows[i].p, at, good->rows[i].n) == 0);
    expect(at == sent_bytes + BYTES);
}

static void on_event(void *ctx, const tl_stream_event *e)
{
    (void)ctx;
    if (e->kind == TL_EVENT_OPENED) {
        run.opened++;
        expect(e->proven && e->frame == FRAME && e->time_us == 1);
    }
    if (e->kind == TL_EVENT_MESSAGE && e->verdict == TL_VERDICT_OK) {
        expect(run.rx.config.release == TL_RELEASE_LINE && e->proven && run.opened == 1);
        expect(memcmp(e->payload.p, line_of(e->data_type, e->message), e->payload.n) == 0);
        return;
    }
    if (e->kind != TL_EVENT_FRAME || e->verdict != TL_VERDICT_OK) {
        expect(e->payload.p == NULL && e->kind != TL_EVENT_LOST && e->kind != TL_EVENT_KEY);
        return;
    }
    run.ok++;
    expect(e->frame == FRAME && run.opened == 1);
    if (run.rx.config.release == TL_RELEASE_FRAME)
        expect(e->payload.n == BYTES && memcmp(e->payload.p, sent_bytes, BYTES) == 0);
    if (run.rx.config.release == TL_RELEASE_IN_PLACE)
        check_rows();
}

static uint32_t crc32(uint32_t crc, const uint8_t *p, size_t n)
{
    for (crc = ~crc; n > 0; n--) {
        crc ^= *p++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static void repair(tl_buffer packet)
{
    tl_env env = { 0 };
    size_t footer, around = TL_CSI2_HEADER_SIZE + TL_SEP_HEADER_SIZE + TL_CSI2_FOOTER_SIZE;
    tl_sep_header h;
    tl_sep_footer f;
    uint8_t tag[TL_TAG_MAX], *at;
    tl_rd r;
    tl_wr w;

    if (packet.n >= around) {
        r = tl_rd_of(tl_span_of(packet.p + TL_CSI2_HEADER_SIZE, TL_SEP_HEADER_SIZE));
        if (tl_decode_sep_header(&env, &r, &h) == TL_OK && h.data_type != TL_SEP_SERVICE_TYPE)
            env.len[TL_LEN_TAG] = good->config.tag_mode == TL_TAG_PER_MESSAGE ? 12 : 0;
        else
            env.len[TL_LEN_TAG] = TL_TAG_MAX;
        env.len[TL_LEN_CRC] = 4;
    }
    footer = (size_t)env.len[TL_LEN_TAG] + env.len[TL_LEN_CRC];
    if (packet.n >= around + footer) {
        at = packet.p + packet.n - TL_CSI2_FOOTER_SIZE - footer;
        r = tl_rd_of(tl_span_of(at, footer));
        w = tl_wr_of(at, footer);
        expect(tl_decode_sep_footer(&env, &r, &f) == TL_OK);
        if (f.tag.n > 0)
            memcpy(tag, f.tag.p, f.tag.n);
        f.tag.p = tag;
        f.crc32 = crc32(crc32(0, packet.p + 4, (size_t)(at - packet.p) - 4), tag, f.tag.n);
        expect(tl_encode_sep_footer(&env, &f, &w) == TL_OK);
    }
    if (tl_csi2_repair(packet.p, packet.n) != TL_OK)
        return;
}

static void check_counters(size_t packets)
{
    const tl_stream_counters *c = tl_stream_rx_counters(&run.rx);
    uint64_t sum = c->short_packets + c->plain + c->other_channel + c->messages_ok;

    for (unsigned v = 0; v < TL_VERDICTS; v++)
        sum += c->verdicts[v];
    expect(c->packets == packets);
    expect(sum <= packets);
    if (good->config.tag_mode == TL_TAG_PER_MESSAGE) /* lines on a list count when it is right */
        expect(sum + c->other_frame >= packets);
    expect(c->frames_ok == run.ok && c->frames_ok + c->frames_bad + run.rx.open == run.opened &&
           run.opened <= 1);
    expect(c->frames_lost == 0 && c->verdicts[TL_VERDICT_OK] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tl_rd in = tl_rd_of(tl_span_of(data, size));
    uint64_t how = tl_get(&in, 1, TL_LITTLE), now = 0;
    bool changed;
    size_t batch = 1 + (how >> 1) % 20, total;

    good = &both[how >> 6 & 1];
    if (good->config.stream == 0)
        set_up(how >> 6 & 1 ? TL_TAG_PER_DATA_TYPE : TL_TAG_PER_MESSAGE);
    run.rx = how & 1 ? good->other : good->by_frame;
    run.rx.sink = (tl_stream_sink){ NULL, on_event };
    run.ok = run.opened = 0;
    run.in.repair = repair;
    edits_begin(&run.in, good->packets.v, PACKETS);
    changed = edits_all(&run.in, &in);
    total = run.in.n;
    for (size_t from = 0; from < total; from += batch) {
        if (how & 0x80)
            now += 20;
        expect(tl_stream_rx_packets(&run.rx, now, run.in.list + from,
                                    total - from < batch ? total - from : batch) == TL_OK);
    }
    check_counters(total);
    if (!changed && !(how & 0x80))
        expect(run.ok == 1);
    tl_stream_rx_tick(&run.rx, now + 1000); /* what the backend holds for an open frame is given back */
    expect(!run.rx.open);
    edits_end(&run.in);
    return 0;
}
