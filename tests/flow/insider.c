/* A sender that holds the key, and is wrong all the same: what it tags is held to the configuration, as a stranger's bytes
 * are held to their tag. */
#include "capture.h"
#include "group.h"

#include <trueline/messages.h>

/* Changes the payload of each end before it is tagged. */
typedef struct insider {
    tl_wrap wrap;
    void (*change)(tl_sep_end_part *part, unsigned i);
    int fill;      /* < 0: the parts are changed; else all bytes of the payload are this */
    bool readable; /* a frame in memory can be read by it: only the judge sees what is wrong */
    bool asleep;
    unsigned ends;
} insider;

static void rewrite(const insider *in, uint8_t *payload, size_t n)
{
    const tl_env env = { 0 };
    uint8_t copy[TL_SEP_SERVICE_MAX], bytes[TL_SEP_SERVICE_MAX];
    tl_wr w = tl_wr_of(bytes, sizeof bytes), out = tl_wr_of(payload, n);
    tl_rd r = tl_rd_of(tl_span_of(copy, n)), list;
    tl_sep_end_part part;
    tl_sep_end m;

    if (in->fill >= 0) {
        memset(payload, in->fill, n);
        return;
    }
    assert_true(n <= sizeof copy);
    memcpy(copy, payload, n);
    tl_assert_ok(tl_decode_sep_end(&env, &r, &m));
    list = tl_rd_of(m.parts);
    for (unsigned i = 0; tl_each_sep_end_part(&list, &env, &part); i++) {
        in->change(&part, i);
        tl_assert_ok(tl_encode_sep_end_part(&env, &part, &w));
    }
    m.parts = tl_written(&w);
    tl_assert_ok(tl_encode_sep_end(&env, &m, &out));
    assert_int_equal(out.n, n);
}

static tl_err protect(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    insider *in = ctx;

    for (size_t i = 0; i < n && !in->asleep; i++) {
        const tl_env env = { 0 };
        tl_rd r = tl_rd_of(m[i].header);
        tl_sep_header h;
        tl_assert_ok(tl_decode_sep_header(&env, &r, &h));
        if (h.block == TL_BLOCK_SERVICE && h.message == TL_SEP_END) {
            rewrite(in, m[i].payload, m[i].payload_n);
            in->ends++;
        }
    }
    return in->wrap.inner->ops->protect(in->wrap.inner->ctx, k, m, n);
}

static void one_more_line(tl_sep_end_part *part, unsigned i)
{
    part->count += i == 1;
}

static void as_many_as_can_be_said(tl_sep_end_part *part, unsigned i)
{
    if (i == 1)
        part->count = UINT16_MAX;
}

/* The lists are as long as they must be. */
static void one_line_of_the_tops_more(tl_sep_end_part *part, unsigned i)
{
    part->count += i == 1;
    part->count -= i == 0;
}

static void another_block(tl_sep_end_part *part, unsigned i)
{
    if (i == 0)
        part->block = TL_BLOCK_MIDDLE;
}

static void another_data_type(tl_sep_end_part *part, unsigned i)
{
    if (i == 1)
        part->data_type = TL_DT_RAW10;
}

/* A frame of the insider's between two honest ones, over a carrier: its end is refused as what it says, and no more. */
static void frame_of(insider in, tl_carrier carrier, tl_tag_mode mode)
{
    tl_packets frames[3] = { { 0 } };
    tl_loop l;

    tl_wrap_init(&in.wrap, crypto);
    in.wrap.ops.protect = protect;
    tl_loop_init(&l, &in.wrap.crypto);
    l.config.carrier = carrier;
    l.config.tag_mode = mode;
    tl_assert_ok(tl_loop_open(&l, 0));
    for (unsigned i = 0; i < 3; i++) {
        in.asleep = i != 1;
        tl_assert_ok(tl_loop_send(&l, &frames[i]));
    }
    assert_int_equal(in.ends, 1);
    for (unsigned i = 0; i < 3; i++) {
        const tl_stream_event *e;
        tl_events_clear(&l.events);
        if (carrier == TL_CARRIER_FSED)
            (void)tl_capture_receive(&l, &frames[i]);
        else
            tl_assert_ok(tl_loop_receive(&l, &frames[i]));
        e = tl_events_last(&l.events, TL_EVENT_FRAME);
        assert_non_null(e);
        assert_int_equal(e->frame, 100 + i);
        assert_int_equal(e->verdict, i == 1 ? TL_VERDICT_HEADER : TL_VERDICT_OK);
        assert_true(i != 1 || (e->payload.p == NULL && e->proven));
        if (i == 1) /* no line of it was looked for in memory */
            assert_int_equal(l.rx.counters.verdicts[TL_VERDICT_LENGTH],
                             carrier == TL_CARRIER_FSED && !in.readable);
        tl_packets_free(&frames[i]);
    }
    assert_int_equal(tl_stream_rx_counters(&l.rx)->frames_ok, 2);
    tl_loop_close(&l);
}

static void end_when_tagged_but_not_of_the_configuration_then_the_frame_is_refused_and_the_next_is_ok(
    void **state)
{
    static const insider insiders[] = {
        { .change = one_more_line, .fill = -1 },
        { .change = as_many_as_can_be_said, .fill = -1 },
        { .change = one_line_of_the_tops_more, .fill = -1 },
        { .change = another_block, .fill = -1, .readable = true },
        { .change = another_data_type, .fill = -1, .readable = true },
        { .fill = 0 },
        { .fill = 0xFF },
    };

    (void)state;
    for (size_t i = 0; i < sizeof insiders / sizeof *insiders; i++)
        for (int carrier = TL_CARRIER_SEP; carrier <= TL_CARRIER_FSED; carrier++)
            for (int mode = TL_TAG_PER_MESSAGE; mode <= TL_TAG_PER_FRAME; mode++)
                frame_of(insiders[i], (tl_carrier)carrier, (tl_tag_mode)mode);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            end_when_tagged_but_not_of_the_configuration_then_the_frame_is_refused_and_the_next_is_ok),
    };

    return cmocka_run_group_tests_name("insider", tests, open_backend, close_backend);
}
