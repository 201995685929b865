/* The live page of a controller: what the receiver tells of it, and the process that serves it. That process is made before
 * any key is read, has none, and reads a board (view_board.h) that it cannot write. Telling costs the receiver a copy of a
 * line or of a frame, at a browser's rate, and never waits. */
#ifndef TL_TOOLS_VIEW_H
#define TL_TOOLS_VIEW_H

#include "spdm_client.h"
#include "stream_file.h"
#include "ui.h"
#include "view_board.h"

#include <sys/types.h>

/* Where the page is served, and what more it has. */
typedef struct view_options {
    const char *at;      /* PORT or HOST:PORT; NULL: there is no page, and all calls do nothing */
    const char *attacks; /* socket of whoever attacks at a button's press; NULL: no buttons */
} view_options;

typedef struct view {
    tl_net_name name; /* where it is: "127.0.0.1:8080" */
    /* private */
    view_board *board; /* NULL: there is no page */
    pid_t pid;
    int life; /* the process ends when this is closed */
    view_facts facts;
    uint64_t again;  /* authentications after the first that were told */
    view_slot *slot; /* the open frame's, or the next one's; NULL: none */
    bool open;       /* a frame is */
    bool apart;     /* a frame has ended since the last event: the next one is not told as more of the same */
    uint32_t frame; /* its number */
    uint64_t begun_ms; /* when it was opened */
    uint64_t pictures; /* shown so far */
    uint64_t told_ms;  /* when the facts were */
    uint64_t shown_ms[VIEW_KINDS];
    size_t first_byte; /* of the pixels in a frame's payload */
} view;

/* Reads PORT or HOST:PORT; a host that is not this machine's own is refused. TL_EXIT_USAGE. */
tl_exit view_address(const char *text, tl_address *address, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Listens and starts the process: before any key is read. TL_EXIT_USAGE: the address; TL_EXIT_LINK: it is taken. */
tl_exit view_open(view *v, const view_options *options, tl_fault *fault) __attribute__((warn_unused_result));
/* The stream that comes now: of the file what is public. */
void view_stream(view *v, const stream_file *file);
/* Whom the client has authenticated and measured. */
void view_identity(view *v, const spdm_client *client);
/* The same when `again`, the number of authentications after the first, has risen. */
void view_identity_again(view *v, const spdm_client *client, uint64_t again);
/* True if a verified frame's pixels would be shown now. */
bool view_wants_frame(const view *v);
/* An event of the receiver. whole: the payload of a frame that is ok, where the event has none of its own. */
void view_event(view *v, const tl_stream_event *event, tl_span whole);
/* Once a turn of the receiver: what it has counted. */
void view_turn(view *v, const ui_counts *counts, const tl_stream_counters *counters);
/* Ends the process. */
void view_close(view *v);

#endif
