/* SEP: all rows of attacks.def, and those of the bottom block, on packets between the two ends. */
#include "ends.h"
#include "expect.h"

#include <string.h>

static void receive(ends *e, const tl_wire_frame *frame, uint64_t now_ms)
{
    ends_fine(e, tl_stream_rx_packets(&e->rx, now_ms, frame->packets, frame->n),
              "packets could not be taken");
}

/* ---- what must have come ---- */

static unsigned line_at(tl_attack_place place)
{
    return place == TL_AT_TOP ? 0 : place == TL_AT_MIDDLE ? 4 : 6;
}

static void expected_pixels(const ends *e, const tl_attack *a, pixels which, uint8_t out[FRAME_BYTES])
{
    const unsigned line = line_at(a->place);
    const sender *other = a->action == TL_ATTACK_OTHER_SESSION ? &e->other_session : &e->other_stream;

    ends_pixels(which == PIXELS_OTHER ? other->session : e->main.session, e->now.frame, out);
    if (which == PIXELS_BIT)
        out[line * LINE_BYTES + LINE_BYTES / 2] ^= 0x08;
    if (which == PIXELS_LINE)
        ends_line(e->main.session, e->now.frame - 1, line, out + line * LINE_BYTES);
}

static const char *problem_with_good(const ends *e, const tl_attack *a, const outcome *o)
{
    uint8_t expected[FRAME_BYTES];

    if (!e->now.closed || e->now.verdict != TL_VERDICT_OK)
        return "the frame is not ok";
    expected_pixels(e, a, o->pixels, expected);
    if (!e->now.pixels || memcmp(expected, e->now.payload, FRAME_BYTES) != 0)
        return o->pixels == PIXELS_SENT ? "wrong pixels" : "the change did not come through";
    if (o->time == (e->now.time_us == ends_time(e->now.frame)))
        return "wrong time";
    return NULL;
}

static const char *problem_with_bad(const ends *e, const outcome *o)
{
    if (e->now.closed && e->now.verdict == TL_VERDICT_OK)
        return "the frame is ok";
    if (o->deaf)
        return e->next.closed || (e->refused >> TL_VERDICT_REPEAT & 1) == 0 ? "the receiver is not deaf"
                                                                            : NULL;
    if (o->lost)
        return !e->now.lost || e->now.lost_as != o->said ? "not lost, or for another reason" : NULL;
    if (!o->message && (!e->now.closed || e->now.verdict != o->said))
        return "another verdict on the frame";
    return NULL;
}

static const char *problem_with_next(const ends *e)
{
    uint8_t expected[FRAME_BYTES];

    ends_pixels(e->main.session, e->next.frame, expected);
    if (!e->next.closed || e->next.verdict != TL_VERDICT_OK)
        return "the next frame is not ok";
    return e->next.pixels && memcmp(expected, e->next.payload, FRAME_BYTES) == 0
               ? NULL
               : "wrong pixels in the next frame";
}

static const char *problem_with(const ends *e, const tl_attack *a, const outcome *o)
{
    const char *problem = e->wrong;

    if (problem == NULL)
        problem = o->ok ? problem_with_good(e, a, o) : problem_with_bad(e, o);
    if (problem == NULL && o->message && (e->refused >> o->said & 1) == 0)
        problem = "no message is refused for that reason";
    if (problem == NULL && !o->deaf)
        problem = problem_with_next(e);
    return problem;
}

/* ---- one row ---- */

/* The receiver opens encrypted lines where they are; what is replayed later must be as it was sent. */
static void keep(ends *e, const tl_wire_frame *sent)
{
    tl_wire_clear(&e->before);
    ends_fine(e, tl_wire_insert_all(&e->before, 0, sent), "no memory");
}

static void run_clean(ends *e, tally *t, unsigned frames)
{
    static const tl_attack none = { .place = TL_AT_FRAME };
    static const outcome good = { .applies = true, .ok = true };

    for (unsigned i = 0; i < frames; i++) {
        const char *problem;

        ends_listen(e, (uint32_t)e->main.tx.next_frame);
        ends_send(e, &e->frame);
        keep(e, &e->frame);
        receive(e, &e->frame, 0);
        problem = e->wrong != NULL ? e->wrong : problem_with_good(e, &none, &good);
        if (problem != NULL)
            tally_fail(t, &e->c, "clean", problem);
    }
}

static void run_row(ends *e, tally *t, const tl_attack *a, const tl_wire_frame *plain)
{
    const outcome o = expect_sep(a, &e->c);
    const uint32_t number = (uint32_t)e->main.tx.next_frame;
    const tl_attack_world world = { &e->config, &e->before, &e->foreign, &e->foreign, plain };
    const char *problem;

    if (!o.applies)
        return;
    ends_listen(e, number);
    ends_send(e, &e->frame);
    if (a->action == TL_ATTACK_OTHER_SESSION)
        ends_foreign(e, &e->other_session, number);
    if (a->action == TL_ATTACK_OTHER_STREAM)
        ends_foreign(e, &e->other_stream, number);
    ends_fine(e, tl_attack_apply(a, &world, &e->frame), "the attack cannot be made");
    receive(e, &e->frame, number);
    ends_send(e, &e->after);
    keep(e, &e->after);
    receive(e, &e->after, number);
    problem = problem_with(e, a, &o);
    if (problem != NULL)
        tally_fail(t, &e->c, a->name, problem);
    t->attacks++;
    t->unnoticed += o.deaf || o.time || o.pixels != PIXELS_SENT;
    if (o.deaf) {
        ends_reopen(e);
        run_clean(e, t, 1);
    }
}

void sep_run(ends *e, tally *t)
{
    const uint8_t line[LINE_BYTES] = { 0x80 };
    tl_wire_frame plain = { 0 };

    run_clean(e, t, CLEAN_FRAMES);
    ends_fine(e, tl_attack_plain_frame(&e->config, tl_span_of(line, sizeof line), &plain), "no plain frame");
    for (size_t i = 0; i < tl_attack_count; i++)
        run_row(e, t, &tl_attacks[i], &plain);
    for (size_t i = 0; i < expect_bottom_count; i++)
        run_row(e, t, &expect_bottom[i], &plain);
    tl_wire_free(&plain);
}
