/* What the page asks for again and again, as JSON. */
#ifndef TL_TOOLS_VIEW_JSON_H
#define TL_TOOLS_VIEW_JSON_H

#include "attack.h"
#include "view_board.h"

#include <jansson.h>

enum { VIEW_PRESSED = 16 };

/* An attack that was asked for by a button. */
typedef struct view_press {
    size_t row;        /* of tl_attacks */
    uint64_t events_n; /* told before it was asked for */
    uint64_t ok_n;     /* and frames that had verified by then */
    bool done;
    uint32_t frame; /* that it was done to */
} view_press;

/* A frame on show: its head and the lines that are marked. */
json_t *view_json_frame(const view_facts *facts, const view_head *head, const view_lines *lines);
/* Counts, stream, events, the newest first. */
json_t *view_json_facts(const view_facts *facts);
/* What came of a press: "waiting", "as expected", "not as expected", and the verdict that was seen. */
json_t *view_json_press(const view_facts *facts, const view_press *press);
/* All rows of attacks.def. */
json_t *view_json_attacks(void);

#endif
