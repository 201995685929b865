/* The books of a world with streams: what each sensor sent, what became of it on the way, what the controller said. Nobody in
 * the world reads them; in the end they tell whether each verdict was true.
 *
 * A frame is ok only if each of its messages came as it was sent, and what is handed out is what was sent. A frame that nothing
 * was done to, and in whose time nothing that had been touched arrived, is ok. Every frame ends in one verdict. */
#ifndef TL_SIM_BOOKS_H
#define TL_SIM_BOOKS_H

#include <trueline/stream.h>

#include "world.h"

/* A frame as the books have it. */
typedef struct tl_book_frame {
    uint32_t number;
    uint64_t begun_ns;          /* its first packet was sent */
    uint64_t time_us;           /* the sender's clock at its begin */
    uint32_t packets, came;     /* that must come: sent; arrived as they were sent, each counted once */
    uint64_t first_ns, last_ns; /* arrivals */
    unsigned fates;             /* all that was done to packets of it */
    unsigned verdicts;          /* FRAME events */
    bool lost;                  /* a LOST event names it */
    bool late;                  /* OPENED said so */
    bool opened;
    bool lied; /* a line of it was let out early that is not as it was sent */
    tl_verdict verdict;
    uint8_t *came_in;  /* a bit for each packet */
    uint8_t *let_out;  /* a bit for each message */
    uint64_t *digests; /* of their payloads */
    size_t room;
} tl_book_frame;

/* A stream's frames, from the first number on. */
typedef struct tl_book {
    uint16_t stream;
    tl_stream_config config;
    uint64_t salt;            /* payloads of two senders under one name differ by it */
    uint32_t begun;           /* the last frame that was opened, and one more; 0: none */
    uint32_t epoch, switches; /* of the last frame that was opened; how often it rose */
    bool bridged; /* packets are made anew on the way, so that they cannot be followed one by one */
    tl_book_frame *frames;
    size_t n, room;
} tl_book;

enum { TL_BOOKS_STREAMS = 32, TL_BOOKS_WRONG = 160 };

typedef struct tl_books {
    tl_world *world;
    tl_book streams[TL_BOOKS_STREAMS];
    size_t n;
    uint64_t *touched; /* moments at which something arrived that had been touched, rising */
    size_t touched_n, touched_room;
    /* sums */
    uint64_t fates[5];            /* parcels, by bit of TL_FATE_; one may count in several */
    uint64_t sent, ok, bad, lost; /* frames */
    uint64_t silences;
    /* the first thing that was not true; empty: all was */
    char wrong[TL_BOOKS_WRONG];
} tl_books;

void tl_books_open(tl_books *books, tl_world *world);
void tl_books_close(tl_books *books);
/* NULL: no room. */
tl_book *tl_books_add(tl_books *books, const tl_stream_config *config);
tl_book *tl_books_find(tl_books *books, uint16_t stream);
tl_book_frame *tl_book_find(const tl_book *book, uint32_t number);

/* What a note says of a payload (FNV-1a). */
uint64_t tl_note_digest(tl_span payload);

/* The payload of a message as the world's sensors send it; all payloads of a frame. */
void tl_book_payload(const tl_book *book, uint32_t frame, unsigned part, uint32_t row, uint8_t *out);
void tl_book_pixels(const tl_book *book, uint32_t frame, uint8_t *out);

/* ---- entries: by sensors, by hops (as their books), by the controller ---- */

tl_book_frame *tl_books_begin(tl_books *books, tl_book *book, uint32_t number, uint64_t time_us);
/* A packet of the frame, which must come if it is a long one. */
void tl_books_sent(tl_book_frame *frame, const tl_note *note);
/* For tl_hop.fate. */
void tl_books_fate(void *books, const tl_parcel *parcel, unsigned fate);
void tl_books_arrived(tl_books *books, const tl_parcel *parcel);
void tl_books_event(tl_books *books, tl_book *book, const tl_stream_event *event, const uint8_t *pixels);

/* Looks at all of it, in the end. True: everything that was said was true; else books->wrong says what was not. */
bool tl_books_balance(tl_books *books);

#endif
