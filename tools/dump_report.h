/* What the dump says: a line for each message, its fields, what failed, and the sums. Text, or an object
 * of JSON per line. */
#ifndef TL_TOOLS_DUMP_REPORT_H
#define TL_TOOLS_DUMP_REPORT_H

#include "pcap.h"

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum dump_format { DUMP_TEXT = 0, DUMP_JSON } dump_format;

typedef struct dump_report {
    FILE *out; /* NULL: it only counts */
    dump_format format;
    bool fields;      /* all of them, not only what tells most */
    bool discreet;    /* secrets that are not right are named, and not shown */
    bool packets;     /* CSI-2: each packet with its fields, not only frames */
    uint64_t message; /* the one at hand */
    uint64_t messages, sessions, records, signatures, failed;
} dump_report;

typedef enum dump_direction { DUMP_UNKNOWN = 0, DUMP_REQUEST, DUMP_RESPONSE } dump_direction;

/* One message's line. */
typedef struct dump_line {
    uint64_t time_ns; /* since the first packet */
    uint64_t offset;  /* of the packet in the file */
    dump_direction direction;
    uint8_t version;  /* 0: not seen */
    const char *name; /* of the message, or of what the packet holds else */
    bool secured;     /* inside of session `session` */
    uint32_t session;
    const char *channel; /* of a CSI-2 frame or packet, which is no message; NULL: this is one */
    size_t size;         /* of the message */
    const char *telling; /* may be empty */
    json_t *fields;      /* taken over; NULL: none */
} dump_line;

void dump_report_line(dump_report *report, const dump_line *line);
/* Further fields of the message at hand; `fields` is taken over. */
void dump_report_more(dump_report *report, const char *name, json_t *fields);
/* Something did not verify, or could not be checked. Counts it. */
void dump_report_failed(dump_report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An interface of which nothing was read but the number of packets. */
void dump_report_unread(const dump_report *report, const pcap_interface *from, uint64_t packets);
/* Packets that the capture lacks, as it says itself. */
void dump_report_lost(const dump_report *report, uint64_t packets);
/* A line of sums as JSON (taken over) or as text. */
void dump_report_sum(const dump_report *report, const char *text, json_t *o);
/* The last line. */
void dump_report_end(const dump_report *report, bool checked);

#endif
