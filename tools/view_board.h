/* What the receiver lets the page see: a piece of memory that the receiver writes and the page's process may only read. The
 * writer never waits and never reads what it has written; the reader copies, and copies again if the writer was faster. So
 * neither slow nor hostile browsers reach the receiver. No key and no secret is ever written here. */
#ifndef TL_TOOLS_VIEW_BOARD_H
#define TL_TOOLS_VIEW_BOARD_H

#include "fault.h"

#include <trueline/stream.h>

#include <stdatomic.h>

enum {
    VIEW_LINES_MAX = 16384,
    VIEW_PIXELS_MAX = 8 << 20, /* bytes of a picture; of larger ones pairs of lines are left out */
    VIEW_SLOTS = 5,            /* two on show, one being written, two more for whoever still reads */
    VIEW_EVENTS = 64,
    VIEW_OK_FRAMES = 128,
    VIEW_IDENTITY_MAX = 24 << 10
};

/* An event worth telling; like ones in a row are one. Times are those of the wall clock. */
typedef struct view_note {
    uint64_t number; /* from 1 on */
    uint64_t ms;     /* of the first */
    uint64_t times;
    tl_event_kind kind;
    tl_verdict verdict, cause;
    bool proven;
    uint8_t data_type;
    uint16_t message, last_message;
    uint32_t frame, epoch, count;
} view_note;

typedef enum view_phase { VIEW_CONNECTING = 0, VIEW_RECEIVING, VIEW_ENDED } view_phase;

/* All that is no picture. */
typedef struct view_facts {
    view_phase phase;
    /* the stream, when the phase is RECEIVING */
    uint32_t stream, width, height, bits, step; /* of `step` pairs of lines one is shown */
    size_t line_bytes;
    uint8_t pixel_type;
    tl_release release;
    tl_carrier carrier;
    tl_suite suite;
    tl_variant variants[3]; /* of top, middle, bottom */
    /* counts */
    uint64_t frames_ok, frames_bad, frames_lost, messages_ok, verdicts[TL_VERDICTS];
    uint32_t epoch;
    uint64_t keys; /* switches to a new epoch */
    /* the last events, event n at [n % VIEW_EVENTS], and the last frames that verified */
    uint64_t events_n;
    view_note events[VIEW_EVENTS];
    uint64_t ok_n;
    uint32_t ok_frames[VIEW_OK_FRAMES];
    /* who the sensor is, as JSON; empty: nobody was asked */
    uint64_t identity_number;
    uint32_t identity_n;
    char identity[VIEW_IDENTITY_MAX];
} view_facts;

/* Pairs of lines that a picture of the stream has, and the bytes of their pixels; 0: there is no stream. */
uint32_t view_pairs(const view_facts *facts);
size_t view_pixel_bytes(const view_facts *facts);

typedef enum view_kind { VIEW_LIVE = 0, VIEW_REFUSED, VIEW_KINDS } view_kind;

/* A frame that is shown. */
typedef struct view_head {
    uint64_t number; /* rises from picture to picture; 0: there is none */
    uint64_t ms;
    uint32_t frame, lost; /* lost: so many frames of which nothing came; no pixels then */
    tl_verdict verdict, cause;
    uint8_t data_type;
    uint16_t message; /* of the cause */
    bool coming;      /* it has no verdict yet */
    bool by_line;     /* lines were handed out one by one: what is missing never verified */
} view_head;

/* By lines of pixels. */
typedef struct view_lines {
    uint8_t have[VIEW_LINES_MAX];  /* 1: verified, its pixels are there */
    uint8_t claim[VIEW_LINES_MAX]; /* what a refused message said that it was: its verdict; 0: none */
} view_lines;

typedef struct view_slot {
    _Atomic uint32_t turn; /* odd while it is written */
    view_head head;
    view_lines lines;
    uint8_t pixels[VIEW_PIXELS_MAX]; /* lines as they were packed, one after the other */
} view_slot;

typedef struct view_board {
    _Atomic uint32_t facts_turn;
    view_facts facts;
    _Atomic uint32_t newest[VIEW_KINDS]; /* index and 1; 0: none yet */
    view_slot slots[VIEW_SLOTS];
} view_board;

/* Memory that a child of this process will see, too. Pages that are never written cost nothing. TL_EXIT_INTERNAL. */
tl_exit view_board_make(view_board **board, tl_fault *fault) __attribute__((warn_unused_result));
void view_board_drop(view_board *board);
/* In the child: from now on it can only be read. */
tl_exit view_board_seal(view_board *board, tl_fault *fault) __attribute__((warn_unused_result));

/* ---- writing: one thread ---- */

void view_board_tell(view_board *board, const view_facts *facts);
/* Takes a slot that is not on show, of which there are two at most at any time; its head and the first `lines` of its lines are zero. */
view_slot *view_board_begin(view_board *board, uint32_t lines);
/* Puts it on show. */
void view_board_show(view_board *board, view_slot *slot, view_kind kind);
/* Wipes the first n bytes of pixels of each slot that was ever taken: pages of the others are not there. */
void view_board_wipe(view_board *board, size_t n);

/* ---- reading ---- */

/* What a reader wants, and gets. */
typedef struct view_copy {
    uint32_t height; /* so many lines */
    size_t n;        /* so many bytes of the pixels, for which there is room; VIEW_PIXELS_MAX at most */
    uint8_t *pixels;
    view_head head;
    view_lines lines;
} view_copy;

/* False: the writer was always faster, or there is no such picture; nothing is to be used then. */
bool view_board_facts(const view_board *board, view_facts *facts);
bool view_board_picture(const view_board *board, view_kind kind, view_copy *copy);
/* All but the pixels. */
bool view_board_head(const view_board *board, view_kind kind, view_copy *copy);

#endif
