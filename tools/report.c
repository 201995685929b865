/* The report is written as it happens, event by event, to a temporary file, so that its length costs no memory; its
 * name appears when it is complete. */
#include "report.h"
#include "clock.h"

#include <stdlib.h>
#include <string.h>

const char *report_subject(const tl_stream_event *v)
{
    if (v->data_type == TL_DT_FRAME_START)
        return "unreadable";
    if (v->data_type != TL_SEP_SERVICE_TYPE)
        return tl_data_type_text(v->data_type);
    return v->message == TL_SEP_BEGIN ? "frame begin" : "frame end";
}

const char *report_claim(const tl_stream_event *v)
{
    return v->proven ? "" : " (a claim: its tag is not right)";
}

/* Line and data type say where the first fault was; a right frame has none. */
static json_t *event_json(const tl_stream_event *v, uint64_t at_us)
{
    tl_verdict cause = v->kind == TL_EVENT_MESSAGE ? v->verdict : v->cause;
    json_t *o =
        json_pack("{s:s, s:I, s:s, s:b, s:I, s:I, s:b, s:I, s:I}", "event", tl_event_text(v->kind), "frame",
                  (json_int_t)v->frame, "verdict", tl_verdict_text(v->verdict), "proven", (int)v->proven,
                  "count", (json_int_t)v->count, "epoch", (json_int_t)v->epoch, "revoked", (int)v->revoked,
                  "sent_us", (json_int_t)v->time_us, "at_us", (json_int_t)at_us);
    json_t *more = NULL;

    if (v->verdict != TL_VERDICT_OK)
        more = json_pack("{s:s, s:I, s:s}", "cause", tl_verdict_text(cause), "line", (json_int_t)v->message,
                         "data_type", report_subject(v));
    else if (v->info != 0)
        more = json_pack("{s:b, s:b}", "ecc_corrected", (v->info & TL_INFO_ECC_CORRECTED) != 0,
                         "crc32_beside_tag", (v->info & TL_INFO_CRC32) != 0);
    if (more != NULL)
        (void)json_object_update(o, more);
    json_decref(more);
    return o;
}

tl_exit report_open(report *r, const char *path, tl_fault *fault)
{
    tl_exit e = TL_EXIT_OK;

    memset(r, 0, sizeof *r);
    r->started_us = tl_clock_us();
    if (path == NULL)
        return e;
    if (strcmp(path, "-") != 0)
        e = tl_file_begin(&r->file, path, 0644, fault);
    r->to = r->file.stream != NULL ? r->file.stream : stdout;
    if (e == TL_EXIT_OK)
        (void)fputs(REPORT_HEAD, r->to);
    return e;
}

void report_line(report *r, const char *line)
{
    if (r->to == NULL)
        return;
    if (r->events >= REPORT_EVENTS_MAX) {
        r->left_out++;
        return;
    }
    (void)fputs(r->events++ > 0 ? ",\n" : "\n", r->to);
    (void)fputs(line, r->to);
}

void report_object(report *r, json_t *o)
{
    char *line = NULL;

    if (o != NULL && r->to != NULL && r->events < REPORT_EVENTS_MAX)
        line = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(6));
    if (line != NULL)
        report_line(r, line);
    else if (r->to != NULL)
        r->left_out++;
    free(line);
    json_decref(o);
}

void report_event_at(report *r, const tl_stream_event *v, const char *kind, uint64_t at_us, json_t *more)
{
    bool worth = v->kind != TL_EVENT_OPENED && (v->kind != TL_EVENT_MESSAGE || v->verdict != TL_VERDICT_OK);
    json_t *o = NULL;

    if (r->to != NULL && worth && r->events < REPORT_EVENTS_MAX)
        o = event_json(v, at_us);
    if (o != NULL && kind != NULL)
        (void)json_object_set_new(o, "event", json_string(kind));
    if (o != NULL && more != NULL)
        (void)json_object_update(o, more);
    if (worth)
        report_object(r, o);
    json_decref(more);
}

void report_event(report *r, const tl_stream_event *v)
{
    report_event_at(r, v, NULL, tl_clock_us() - r->started_us, NULL);
}

json_t *report_counters(const tl_stream_counters *c)
{
    json_t *verdicts = json_object(), *o;

    for (int v = 0; v < TL_VERDICTS; v++)
        if (c->verdicts[v] > 0)
            (void)json_object_set_new(verdicts, tl_verdict_text((tl_verdict)v),
                                      json_integer((json_int_t)c->verdicts[v]));
    o = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "packets", (json_int_t)c->packets,
                  "messages_ok", (json_int_t)c->messages_ok, "other_frame", (json_int_t)c->other_frame,
                  "other_channel", (json_int_t)c->other_channel, "plain", (json_int_t)c->plain,
                  "ecc_corrected", (json_int_t)c->ecc_corrected, "crc32_beside_tag",
                  (json_int_t)c->crc32_beside_tag, "verdicts", verdicts);
    return o;
}

tl_exit report_close_with(report *r, json_t *totals, json_t *evidence, tl_fault *fault)
{
    if (r->to == NULL)
        return TL_EXIT_OK;
    (void)fprintf(r->to, "\n" REPORT_TAIL "%llu, \"totals\": ", (unsigned long long)r->left_out);
    (void)json_dumpf(totals, r->to, JSON_COMPACT | JSON_REAL_PRECISION(6));
    if (evidence != NULL) {
        (void)fputs(", \"evidence\": ", r->to);
        (void)json_dumpf(evidence, r->to, JSON_COMPACT | JSON_REAL_PRECISION(6));
    }
    (void)fputs("}\n", r->to);
    return r->file.stream != NULL ? tl_file_commit(&r->file, TL_FILE_REPLACE, fault) : TL_EXIT_OK;
}

tl_exit report_close(report *r, json_t *totals, tl_fault *fault)
{
    return report_close_with(r, totals, NULL, fault);
}

void report_abandon(report *r)
{
    tl_file_abandon(&r->file);
    r->to = NULL;
}
