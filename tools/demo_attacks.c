/* Attacking on the wire, and judging by the controller's report alone: what an attack did is what the receiver's events
 * between the clean frame before it and the clean frame behind it say. */
#include "demo_attacks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDED = 2 }; /* index of the frames that are kept of other sessions */

size_t demo_attack_rows(tl_attack_cost cost)
{
    size_t n = 0;

    for (size_t i = 0; i < tl_attack_count; i++)
        n += tl_attacks[i].cost == cost;
    return n;
}

uint64_t demo_attack_frames(tl_attack_cost cost)
{
    return 2 * (uint64_t)demo_attack_rows(cost) + 1;
}

/* The nth row of a session; NULL behind the last. */
static const tl_attack *nth_row(tl_attack_cost cost, uint64_t n)
{
    for (size_t i = 0; i < tl_attack_count; i++)
        if (tl_attacks[i].cost == cost && n-- == 0)
            return &tl_attacks[i];
    return NULL;
}

/* ---- on the wire ---- */

tl_exit demo_attacker_open(demo_attacker *attacker, const tl_stream_config *config, tl_fault *fault)
{
    size_t n = 0;
    uint8_t *line;
    tl_err e = TL_E_ROOM;

    *attacker = (demo_attacker){ .config = *config };
    for (unsigned i = 0; i < config->part_count; i++)
        if (config->parts[i].block == TL_BLOCK_MIDDLE)
            n = config->parts[i].length;
    line = calloc(1, n + 1);
    if (line != NULL)
        e = tl_attack_plain_frame(config, tl_span_of(line, n), &attacker->plain);
    free(line);
    return e == TL_OK ? TL_EXIT_OK
                      : tl_fault_set(fault, TL_EXIT_INTERNAL, "the attacker's frame: %s", tl_err_text(e));
}

void demo_attacker_close(demo_attacker *attacker)
{
    tl_wire_free(&attacker->earlier);
    tl_wire_free(&attacker->other_session);
    tl_wire_free(&attacker->other_stream);
    tl_wire_free(&attacker->plain);
}

static tl_exit record(tl_wire_frame *to, const tl_wire_frame *frame, tl_fault *fault)
{
    tl_wire_clear(to);
    if (tl_wire_insert_all(to, 0, frame) != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "the attacker's recording: no memory");
    return TL_EXIT_OK;
}

tl_exit demo_record_session(void *ctx, uint64_t index, tl_wire_frame *frame, tl_fault *fault)
{
    demo_attacker *attacker = ctx;

    return index <= RECORDED ? record(&attacker->other_session, frame, fault) : TL_EXIT_OK;
}

tl_exit demo_record_stream(void *ctx, uint64_t index, tl_wire_frame *frame, tl_fault *fault)
{
    demo_attacker *attacker = ctx;

    (void)index;
    return record(&attacker->other_stream, frame, fault);
}

tl_exit demo_attacker_record(demo_attacker *attacker, const tl_wire_frame *frame, tl_fault *fault)
{
    return record(&attacker->earlier, frame, fault);
}

tl_exit demo_attacker_apply(const demo_attacker *attacker, const tl_attack *attack, tl_wire_frame *frame,
                            tl_fault *fault)
{
    const tl_attack_world world = { &attacker->config, &attacker->earlier, &attacker->other_session,
                                    &attacker->other_stream, &attacker->plain };
    tl_err e = tl_attack_apply(attack, &world, frame);

    if (e != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "attack %s (%s): %s", attack->name,
                            tl_attack_repair_text(attack->repair), tl_err_text(e));
    return TL_EXIT_OK;
}

tl_exit demo_attack_frame(void *ctx, uint64_t index, tl_wire_frame *frame, tl_fault *fault)
{
    demo_attacker *attacker = ctx;
    const tl_attack *attack;

    if (index == 0)
        return demo_attacker_record(attacker, frame, fault);
    attack = nth_row(attacker->cost, index / 2);
    return index % 2 == 0 || attack == NULL ? TL_EXIT_OK
                                            : demo_attacker_apply(attacker, attack, frame, fault);
}

/* ---- in the report ---- */

static const char *text_of(json_t *event, const char *key)
{
    const char *text = json_string_value(json_object_get(event, key));

    return text != NULL ? text : "";
}

static bool is_kind(json_t *event, tl_event_kind kind)
{
    return strcmp(text_of(event, "event"), tl_event_text(kind)) == 0;
}

static bool is_event(json_t *event, tl_event_kind kind, uint32_t frame)
{
    return is_kind(event, kind) && json_integer_value(json_object_get(event, "frame")) == (json_int_t)frame;
}

static bool tells(json_t *event, const demo_result *r)
{
    const tl_event_kind kind = r->attack->event;

    if (strcmp(text_of(event, "verdict"), tl_verdict_text(r->attack->verdict)) != 0)
        return false;
    if (kind == TL_EVENT_MESSAGE)
        return is_kind(event, kind);
    return is_event(event, kind, r->frame);
}

/* What is shown: the event that tells, before it came the frame's own or its loss, before these any message. */
static void take(demo_result *r, json_t *event)
{
    json_t *line = json_object_get(event, "line");
    const char *data_type = text_of(event, "data_type");

    r->event = text_of(event, "event");
    r->verdict = text_of(event, "verdict");
    r->data_type = line != NULL && strcmp(data_type, "unreadable") != 0 ? data_type : NULL;
    r->line = (int)json_integer_value(line);
}

/* All events from behind the clean frame before to the verdict of the clean frame behind. */
static void judge_row(json_t *events, size_t *at, demo_result *r)
{
    bool told = false, ok = false, next_ok = false;
    json_t *event;

    while (!next_ok && (event = json_array_get(events, *at)) != NULL) {
        ++*at;
        if (is_event(event, TL_EVENT_FRAME, r->frame + 1)) {
            next_ok = strcmp(text_of(event, "verdict"), "ok") == 0;
            break;
        }
        if (is_event(event, TL_EVENT_FRAME, r->frame))
            ok = strcmp(text_of(event, "verdict"), "ok") == 0;
        if (!told && (tells(event, r) || r->event == NULL || is_event(event, TL_EVENT_FRAME, r->frame) ||
                      is_event(event, TL_EVENT_LOST, r->frame)))
            take(r, event);
        told = told || tells(event, r);
    }
    r->lost = !ok;
    r->expected = told && next_ok && r->lost == (r->attack->cost == TL_COSTS_FRAME);
}

void demo_judge(const demo_attacker *attacker, json_t *report, const char *folder, demo_result *results)
{
    json_t *events = json_object_get(report, "events");
    uint32_t frame = attacker->config.first_frame;
    size_t at = 0;

    while (at < json_array_size(events) && !is_event(json_array_get(events, at), TL_EVENT_FRAME, frame))
        at++;
    at++;
    for (size_t i = 0; i < tl_attack_count; i++) {
        if (tl_attacks[i].cost != attacker->cost)
            continue;
        results[i] = (demo_result){
            .attack = &tl_attacks[i], .folder = folder, .frame = frame + 1, .verdict = "nothing"
        };
        judge_row(events, &at, &results[i]);
        frame += 2;
    }
}

void demo_result_place(const demo_result *r, char *text, size_t n)
{
    text[0] = 0;
    if (!r->lost || r->data_type == NULL)
        return;
    if (strncmp(r->data_type, "frame ", 6) == 0)
        (void)snprintf(text, n, "%s", r->data_type);
    else
        (void)snprintf(text, n, "%s %d", r->data_type, r->line);
}

json_t *demo_result_json(const demo_result *r)
{
    const tl_attack *a = r->attack;
    json_t *o = json_pack("{s:s, s:s, s:s, s:I, s:{s:s, s:s, s:b}, s:{s:s*, s:s*, s:s*, s:b}, s:b}", "name",
                          a->name, "text", a->text, "repaired", tl_attack_repair_text(a->repair), "frame",
                          (json_int_t)r->frame, "expected", "event", tl_event_text(a->event), "verdict",
                          tl_verdict_text(a->verdict), "lost", a->cost == TL_COSTS_FRAME, "seen", "event",
                          r->event, "verdict", r->verdict, "data_type", r->data_type, "lost", (int)r->lost,
                          "as_expected", (int)r->expected);

    if (o != NULL && r->data_type != NULL)
        (void)json_object_set_new(json_object_get(o, "seen"), "line", json_integer(r->line));
    return o;
}
