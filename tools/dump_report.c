/* Writing the dump. Fields come as JSON and are written as that, or as an indented list. */
#include "dump_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum { DEPTH_MAX = 6, FAILED_SIZE = 2048, VERSION_SIZE = 8 };

static void write_json(const dump_report *r, json_t *o)
{
    if (o == NULL)
        return;
    (void)json_dumpf(o, r->out, JSON_COMPACT);
    (void)fputc('\n', r->out);
    json_decref(o);
}

static void write_scalar(const dump_report *r, const json_t *v)
{
    if (json_is_string(v))
        (void)fprintf(r->out, " %s\n", json_string_value(v));
    else if (json_is_integer(v))
        (void)fprintf(r->out, " %" JSON_INTEGER_FORMAT "\n", json_integer_value(v));
    else
        (void)fputs(" -\n", r->out);
}

static void write_tree(const dump_report *r, const char *name, json_t *v, int depth)
{
    const char *key;
    json_t *member;
    size_t i;

    if (depth > DEPTH_MAX)
        return;
    (void)fprintf(r->out, "%*s%s", 8 + 2 * depth, "", name);
    if (!json_is_object(v) && !json_is_array(v)) {
        write_scalar(r, v);
        return;
    }
    (void)fputc('\n', r->out);
    json_object_foreach(v, key, member)
    {
        write_tree(r, key, member, depth + 1);
    }
    json_array_foreach(v, i, member)
    {
        write_tree(r, "-", member, depth + 1);
    }
}

static void write_fields(const dump_report *r, json_t *fields)
{
    const char *key;
    json_t *member;

    json_object_foreach(fields, key, member)
    {
        write_tree(r, key, member, 0);
    }
    json_decref(fields);
}

/* "1.2"; left as it is if the version is not known. */
static void write_version(unsigned v, char text[VERSION_SIZE])
{
    if (v != 0)
        (void)snprintf(text, VERSION_SIZE, "%u.%u", v >> 4, v & 15);
}

static void line_as_json(const dump_report *r, const dump_line *l)
{
    static const char *const directions[] = { NULL, "request", "response" };
    char version[VERSION_SIZE] = "", session[16] = "";
    json_t *o;

    write_version(l->version, version);
    if (l->secured)
        (void)snprintf(session, sizeof session, "%08" PRIx32, l->session);
    o = json_pack("{s:I,s:I,s:f,s:s?,s:s?,s:s,s:s?,s:I}", "message", (json_int_t)r->message, "offset",
                  (json_int_t)l->offset, "time", (double)l->time_ns / 1e9, "direction",
                  directions[l->direction], "version", version[0] != '\0' ? version : NULL, "name", l->name,
                  "session", l->secured ? session : NULL, "size", (json_int_t)l->size);
    if (l->channel != NULL)
        (void)json_object_set_new(o, "channel", json_string(l->channel));
    if (l->telling[0] != '\0')
        (void)json_object_set_new(o, "summary", json_string(l->telling));
    if (l->fields != NULL)
        (void)json_object_set_new(o, "fields", l->fields);
    write_json(r, o);
}

void dump_report_line(dump_report *r, const dump_line *l)
{
    static const char *const arrows[] = { "--", "->", "<-" };
    char version[VERSION_SIZE] = "-", session[16] = "-";

    r->messages += l->channel == NULL;
    if (r->out == NULL) {
        json_decref(l->fields);
        return;
    }
    if (r->format == DUMP_JSON) {
        line_as_json(r, l);
        return;
    }
    write_version(l->version, version);
    if (l->secured)
        (void)snprintf(session, sizeof session, "%08" PRIx32, l->session);
    if (l->channel != NULL)
        (void)snprintf(session, sizeof session, "%s", l->channel);
    (void)fprintf(r->out, "%5" PRIu64 " %12.6f %s %-3s %-29s %-8s %6zu%s%s\n", r->message,
                  (double)l->time_ns / 1e9, arrows[l->direction], version, l->name, session, l->size,
                  l->telling[0] != '\0' ? "  " : "", l->telling);
    if (l->fields != NULL)
        write_fields(r, l->fields);
}

void dump_report_more(dump_report *r, const char *name, json_t *fields)
{
    if (r->format == DUMP_JSON)
        write_json(r, json_pack("{s:I,s:o}", "message", (json_int_t)r->message, name, fields));
    else
        write_fields(r, json_pack("{s:o}", name, fields));
}

void dump_report_failed(dump_report *r, const char *format, ...)
{
    char text[FAILED_SIZE];
    va_list list;

    r->failed++;
    if (r->out == NULL)
        return;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (r->format == DUMP_JSON)
        write_json(r, json_pack("{s:I,s:s}", "message", (json_int_t)r->message, "failed", text));
    else
        (void)fprintf(r->out, "FAILED message %" PRIu64 ": %s\n", r->message, text);
}

void dump_report_sum(const dump_report *r, const char *text, json_t *o)
{
    if (r->out != NULL && r->format == DUMP_JSON) {
        write_json(r, o);
        return;
    }
    if (r->out != NULL)
        (void)fprintf(r->out, "%s\n", text);
    json_decref(o);
}

void dump_report_unread(const dump_report *r, const pcap_interface *from, uint64_t packets)
{
    char text[128], name[32] = "";
    size_t n = 0;

    for (const char *c = from->name; *c != '\0' && n < sizeof name - 1; c++)
        name[n++] = *c > ' ' && *c <= '~' ? *c : '?';
    (void)snprintf(text, sizeof text, "not read: interface=%u name=%s link=%u packets=%" PRIu64, from->index,
                   name[0] != '\0' ? name : "-", from->link, packets);
    dump_report_sum(r, text,
                    json_pack("{s:s,s:I,s:s,s:I,s:I}", "sum", "not read", "interface",
                              (json_int_t)from->index, "name", name, "link", (json_int_t)from->link,
                              "packets", (json_int_t)packets));
}

void dump_report_lost(const dump_report *r, uint64_t packets)
{
    char text[64];

    (void)snprintf(text, sizeof text, "not recorded: packets=%" PRIu64, packets);
    dump_report_sum(r, text, json_pack("{s:s,s:I}", "sum", "not recorded", "packets", (json_int_t)packets));
}

void dump_report_end(const dump_report *r, bool checked)
{
    if (r->out == NULL)
        return;
    if (r->format == DUMP_JSON) {
        json_t *o =
            json_pack("{s:I,s:I}", "messages", (json_int_t)r->messages, "malformed", (json_int_t)r->failed);

        if (checked) {
            json_decref(o);
            o = json_pack("{s:I,s:I,s:I,s:I}", "sessions", (json_int_t)r->sessions, "records",
                          (json_int_t)r->records, "signatures", (json_int_t)r->signatures, "failed",
                          (json_int_t)r->failed);
        }
        write_json(r, o);
    } else if (checked) {
        (void)fprintf(r->out,
                      "spdm: sessions=%" PRIu64 " records=%" PRIu64 " signatures=%" PRIu64 " failed=%" PRIu64
                      "\n",
                      r->sessions, r->records, r->signatures, r->failed);
    } else {
        (void)fprintf(r->out, "spdm: messages=%" PRIu64 " malformed=%" PRIu64 "\n", r->messages, r->failed);
    }
}
