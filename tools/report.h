/* A receiver's report: one JSON file, an entry for each event that counts, totals at the end. */
#ifndef TL_TOOLS_REPORT_H
#define TL_TOOLS_REPORT_H

#include "fault.h"
#include "file.h"

#include <trueline/stream.h>

#include <jansson.h>

enum { REPORT_EVENTS_MAX = 1000000 }; /* further ones are counted only: an attacker must not fill the disk */

typedef struct report {
    /* private */
    tl_file file;
    FILE *to; /* the file's, or stdout */
    uint64_t events, left_out;
    uint64_t started_us;
} report;

/* path NULL: no report, and all calls do nothing; "-": to stdout. TL_EXIT_INTERNAL. */
tl_exit report_open(report *r, const char *path, tl_fault *fault) __attribute__((warn_unused_result));
/* Frames, lost frames, keys, limits, and messages that failed. Errors of writing show at the end. */
void report_event(report *r, const tl_stream_event *event);
/* An object of another kind, as a line; it is taken over. */
void report_object(report *report, json_t *o);
/* The same of an event that happened at another time than now; its kind as text, NULL for its own; and `more` members (taken
 * over; NULL: none). */
void report_event_at(report *r, const tl_stream_event *event, const char *kind, uint64_t at_us, json_t *more);
/* An event that was one line of a report. */
void report_line(report *r, const char *line);
/* Closes with more than totals: `evidence` is a second object, not kept. */
tl_exit report_close_with(report *r, json_t *totals, json_t *evidence, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Leaves no file behind. */
void report_abandon(report *r);
/* Writes the totals (an object, not kept) and gives the file its name. */
tl_exit report_close(report *r, json_t *totals, tl_fault *fault) __attribute__((warn_unused_result));

/* How a report begins, and how the line behind its events does: every event is a line of its own. */
#define REPORT_HEAD "{\"layout\": \"" TL_LAYOUT_NAME "\", \"events\": ["
#define REPORT_TAIL "], \"left_out\": "

/* What an event speaks of: "frame begin", "frame end", the data type's text, or "unreadable". */
const char *report_subject(const tl_stream_event *event);
/* Behind the verdict of an event that nobody has proven: " (a claim: its tag is not right)"; else "". */
const char *report_claim(const tl_stream_event *event);
/* The counters as JSON, verdicts by name; NULL without memory. */
json_t *report_counters(const tl_stream_counters *counters);

#endif
