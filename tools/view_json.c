/* The board's facts as JSON. Texts for people are made here, from the same tables as those of reports. */
#include "view_json.h"
#include "protection.h"
#include "report.h"

#include <string.h>

enum { MARKS_MAX = 64 };

static json_int_t number(uint64_t n)
{
    return (json_int_t)n;
}

static const char *meaning_of(tl_verdict v)
{
    static const char *const meanings[] = {
#define VERDICT(name, text, meaning) meaning,
#include <trueline/verdicts.def>
#undef VERDICT
    };

    return v < TL_VERDICTS ? meanings[v] : "";
}

/* ---- frames ---- */

/* What to say of a line: nothing, the verdict that a message claimed for it, or that it is not there. */
typedef enum mark { MARK_NONE = 0, MARK_CLAIM, MARK_MISSING } mark;

static mark mark_of(const view_facts *f, const view_head *head, const view_lines *lines, uint32_t i)
{
    bool cause = head->verdict != TL_VERDICT_OK && head->lost == 0 && head->data_type == f->pixel_type &&
                 head->message == i;

    if (lines->claim[i] != 0 || cause)
        return MARK_CLAIM;
    return head->by_line && !head->coming && head->lost == 0 && lines->have[i] == 0 ? MARK_MISSING
                                                                                    : MARK_NONE;
}

static tl_verdict verdict_at(const view_head *head, const view_lines *lines, uint32_t i)
{
    return lines->claim[i] != 0 ? (tl_verdict)lines->claim[i] : head->cause;
}

/* Runs of lines of which the same is to be said. */
static json_t *marks_json(const view_facts *f, const view_head *head, const view_lines *lines, uint64_t *left)
{
    json_t *list = json_array();

    *left = 0;
    for (uint32_t from = 0, to; from < f->height; from = to + 1) {
        mark m = mark_of(f, head, lines, from);
        tl_verdict v = verdict_at(head, lines, from);

        to = from;
        while (m != MARK_NONE && to + 1 < f->height && mark_of(f, head, lines, to + 1) == m &&
               (m == MARK_MISSING || verdict_at(head, lines, to + 1) == v))
            to++;
        if (m == MARK_NONE)
            continue;
        if (json_array_size(list) >= MARKS_MAX)
            *left += 1;
        else
            (void)json_array_append_new(list, json_pack("{s:I, s:I, s:s}", "from", number(from), "to",
                                                        number(to), "verdict",
                                                        m == MARK_CLAIM ? tl_verdict_text(v) : "missing"));
    }
    return list;
}

/* What a refused frame or message speaks of: "RAW12 line 540". */
static json_t *place_json(const tl_stream_event *v)
{
    const char *subject = report_subject(v);

    if (v->data_type == TL_DT_FRAME_START || strncmp(subject, "frame ", 6) == 0)
        return json_string(subject);
    return json_sprintf("%s line %u", subject, v->message);
}

static uint64_t count_have(const view_facts *f, const view_lines *lines)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < f->height; i++)
        n += lines->have[i];
    return n;
}

json_t *view_json_frame(const view_facts *f, const view_head *head, const view_lines *lines)
{
    const tl_stream_event where = { .data_type = head->data_type, .message = head->message };
    uint64_t left;
    json_t *marks = marks_json(f, head, lines, &left);
    json_t *o = json_pack("{s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:b, s:b, s:I, s:o, s:I}", "number",
                          number(head->number), "ms", number(head->ms), "frame", number(head->frame), "lost",
                          number(head->lost), "verdict", tl_verdict_text(head->verdict), "cause",
                          tl_verdict_text(head->cause), "meaning", meaning_of(head->cause), "by_line",
                          (int)head->by_line, "coming", (int)head->coming, "have",
                          number(count_have(f, lines)), "marks", marks, "marks_left", number(left));

    if (o != NULL && head->verdict != TL_VERDICT_OK && head->lost == 0)
        (void)json_object_set_new(o, "place", place_json(&where));
    return o;
}

/* ---- events ---- */

static const char *kind_of(const view_note *e)
{
    switch (e->kind) {
    case TL_EVENT_MESSAGE: return e->proven ? "message" : "message (a claim)";
    case TL_EVENT_FRAME: return e->verdict == TL_VERDICT_OK ? "frame" : "frame refused";
    case TL_EVENT_LOST: return "frames lost";
    case TL_EVENT_KEY: return "new key";
    case TL_EVENT_LIMIT: return "key near its limit";
    case TL_EVENT_SILENT: return "silence";
    default: return "event";
    }
}

static json_t *event_json(const view_note *e)
{
    const tl_stream_event where = { .data_type = e->data_type, .message = e->message };
    bool refused = e->verdict != TL_VERDICT_OK, unreadable = e->data_type == TL_DT_FRAME_START;
    tl_verdict cause = e->kind == TL_EVENT_MESSAGE ? e->verdict : e->cause;
    json_t *o = json_pack("{s:I, s:I, s:I, s:s, s:s, s:I, s:I}", "number", number(e->number), "ms",
                          number(e->ms), "times", number(e->times), "kind", kind_of(e), "verdict",
                          tl_verdict_text(e->verdict), "epoch", number(e->epoch), "count", number(e->count));

    if (o == NULL)
        return NULL;
    if (e->kind != TL_EVENT_KEY && e->kind != TL_EVENT_LIMIT && !(e->kind == TL_EVENT_MESSAGE && unreadable))
        (void)json_object_set_new(o, "frame", json_integer(number(e->frame)));
    if (!refused)
        return o;
    (void)json_object_set_new(o, "cause", json_string(tl_verdict_text(cause)));
    (void)json_object_set_new(o, "meaning", json_string(meaning_of(cause)));
    if (e->kind == TL_EVENT_MESSAGE || e->kind == TL_EVENT_FRAME) {
        (void)json_object_set_new(o, "data_type", json_string(report_subject(&where)));
        if (!unreadable && e->data_type != TL_SEP_SERVICE_TYPE) {
            (void)json_object_set_new(o, "line", json_integer(e->message));
            (void)json_object_set_new(o, "last_line", json_integer(e->last_message));
        }
    }
    return o;
}

static const view_note *note_at(const view_facts *f, uint64_t n)
{
    return n > 0 && n <= f->events_n && n + VIEW_EVENTS > f->events_n ? &f->events[n % VIEW_EVENTS] : NULL;
}

static json_t *events_json(const view_facts *f)
{
    json_t *list = json_array();
    const view_note *e;

    for (uint64_t n = f->events_n; (e = note_at(f, n)) != NULL; n--)
        (void)json_array_append_new(list, event_json(e));
    return list;
}

/* ---- all but pictures ---- */

/* How much of a frame that is ok a tag has proven of its pixels: without one, ok is what checksums say. */
static const char *proven_text(const view_facts *f)
{
    if (f->suite == TL_SUITE_NONE || f->variants[1] == TL_SV_5)
        return "nothing";
    return f->variants[1] == TL_SV_3 || f->variants[1] == TL_SV_4 ? "part" : "all";
}

static json_t *stream_json(const view_facts *f)
{
    static const char *const releases[] = {
        [TL_RELEASE_FRAME] = "frame", [TL_RELEASE_LINE] = "line", [TL_RELEASE_EARLY] = "early"
    };

    if (f->phase == VIEW_CONNECTING || f->width == 0)
        return json_null();
    return json_pack("{s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:[i,i,i]}", "id", number(f->stream), "width",
                     number(f->width), "height", number(f->height), "bits", number(f->bits), "suite",
                     protection_suite_text(f->suite), "proven", proven_text(f), "release",
                     f->release <= TL_RELEASE_EARLY ? releases[f->release] : "other", "carrier",
                     protection_carrier_text(f->carrier), "variants", (int)f->variants[0],
                     (int)f->variants[1], (int)f->variants[2]);
}

static json_t *verdicts_json(const view_facts *f)
{
    json_t *list = json_array();

    for (int v = 1; v < TL_VERDICTS; v++)
        if (f->verdicts[v] > 0)
            (void)json_array_append_new(
                list, json_pack("{s:s, s:s, s:I}", "verdict", tl_verdict_text((tl_verdict)v), "meaning",
                                meaning_of((tl_verdict)v), "count", number(f->verdicts[v])));
    return list;
}

json_t *view_json_facts(const view_facts *f)
{
    static const char *const phases[] = {
        [VIEW_CONNECTING] = "connecting", [VIEW_RECEIVING] = "receiving", [VIEW_ENDED] = "ended"
    };

    return json_pack("{s:s, s:o, s:{s:I, s:I, s:I, s:I}, s:o, s:I, s:I, s:I, s:o}", "phase",
                     f->phase <= VIEW_ENDED ? phases[f->phase] : "", "stream", stream_json(f), "counts",
                     "frames_ok", number(f->frames_ok), "frames_bad", number(f->frames_bad), "frames_lost",
                     number(f->frames_lost), "messages_ok", number(f->messages_ok), "verdicts",
                     verdicts_json(f), "epoch", number(f->epoch), "keys", number(f->keys), "identity_number",
                     number(f->identity_number), "events", events_json(f));
}

/* ---- attacks ---- */

static const char *group_of(const tl_attack *a)
{
    switch (a->action) {
    case TL_ATTACK_FLIP:
    case TL_ATTACK_FLIP_TWO: return "Change a bit";
    case TL_ATTACK_CUT:
    case TL_ATTACK_LENGTHEN:
    case TL_ATTACK_WORD_COUNT:
    case TL_ATTACK_CHANNEL_ALLOWED:
    case TL_ATTACK_CHANNEL_REFUSED: return "Change a packet's shape";
    case TL_ATTACK_DROP:
    case TL_ATTACK_DROP_SHORT:
    case TL_ATTACK_REPEAT:
    case TL_ATTACK_SWAP:
    case TL_ATTACK_END_EARLY: return "Drop, repeat, reorder";
    default: return "Bring in what is not of this frame";
    }
}

json_t *view_json_attacks(void)
{
    json_t *list = json_array();

    for (size_t i = 0; i < tl_attack_count; i++) {
        const tl_attack *a = &tl_attacks[i];

        (void)json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:b}", "row", number(i),
                                                    "name", a->name, "text", a->text, "repair",
                                                    tl_attack_repair_text(a->repair), "group", group_of(a),
                                                    "expected", tl_verdict_text(a->verdict), "costs_frame",
                                                    a->cost == TL_COSTS_FRAME));
    }
    return list;
}

static bool frame_was_ok(const view_facts *f, uint64_t since, uint32_t frame)
{
    uint64_t first = f->ok_n > VIEW_OK_FRAMES ? f->ok_n - VIEW_OK_FRAMES : 0;

    for (uint64_t n = first > since ? first : since; n < f->ok_n; n++)
        if (f->ok_frames[n % VIEW_OK_FRAMES] == frame)
            return true;
    return false;
}

/* The event that the row says must tell, or another one of the attacked frame. */
static const view_note *told(const view_facts *f, const view_press *p, bool *expected)
{
    const tl_attack *a = &tl_attacks[p->row];
    const view_note *e, *found = NULL;

    *expected = false;
    for (uint64_t n = f->events_n; n > p->events_n && (e = note_at(f, n)) != NULL; n--) {
        bool right = e->kind == a->event && e->verdict == a->verdict &&
                     (e->kind == TL_EVENT_MESSAGE || e->frame == p->frame);

        if (right ||
            (!*expected && e->frame == p->frame && (e->kind == TL_EVENT_FRAME || e->kind == TL_EVENT_LOST)))
            found = e;
        *expected = *expected || right;
    }
    return found;
}

json_t *view_json_press(const view_facts *f, const view_press *p)
{
    const tl_attack *a = &tl_attacks[p->row];
    bool expected = false, harmless = a->verdict == TL_VERDICT_OK;
    const view_note *e = p->done ? told(f, p, &expected) : NULL;
    bool ok = p->done && frame_was_ok(f, p->ok_n, p->frame);
    const char *outcome = "waiting";
    json_t *o;

    if (harmless && ok)
        outcome = "as expected";
    else if (e != NULL && expected && (a->cost == TL_COSTS_FRAME) != ok)
        outcome = "as expected";
    else if (ok && a->cost == TL_COSTS_FRAME)
        outcome = "not as expected";
    o = json_pack("{s:I, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:b}", "row", number(p->row), "name", a->name,
                  "text", a->text, "repair", tl_attack_repair_text(a->repair), "expected",
                  tl_verdict_text(a->verdict), "done", (int)p->done, "outcome", outcome, "seen",
                  e != NULL ? tl_verdict_text(e->verdict)
                  : ok      ? "ok"
                            : "",
                  "frame_ok", (int)ok);
    if (o != NULL && p->done)
        (void)json_object_set_new(o, "frame", json_integer(number(p->frame)));
    return o;
}
