/* A frame's metadata as it travels beside plain lines: a run of bytes at the top of the frame and one at its bottom, cut
 * into packets. Each packet says where its bytes stand in their run, so that a lost one leaves a hole and nothing else.
 *
 *   top      the begin's body: H | payload | F
 *   bottom   truncated tags of the messages (tag per message) | CRC-32s of the messages | the end's body
 *
 * What stands in the packets' own headers is under no tag: it says where to look, and the tags decide. */
#ifndef TL_CSE_FSED_H
#define TL_CSE_FSED_H

#include "cse/plan.h"

#include <trueline/frame.h>
#include <trueline/stream.h>

/* Payload bytes of a metadata packet. */
size_t tl_fsed_length(const tl_stream_config *config);

/* Bytes of the lists of tags and of CRC-32s for the frame's first n messages, as they stand at the bottom; of the end's
 * body behind them. */
size_t tl_fsed_tags(const tl_stream_config *config, const tl_stream_plan *plan, uint32_t n);
size_t tl_fsed_checks(const tl_stream_config *config, uint32_t n);
size_t tl_fsed_end_size(const tl_stream_config *config, const tl_stream_plan *plan);

/* ---- writing ---- */

/* The next packet, a view that lives until the next call; false behind the last. */
bool tl_fsed_write(tl_fsed_writer *w, tl_span *packet);

/* The sender's: how the packets of an edge leave, with its carrier; and a line as a plain packet, its tag and CRC-32 put
 * where they wait for the frame's end. Its header stands in front of the payload, and is overwritten. */
void tl_fsed_edge(const tl_stream_tx *tx, tl_tx_edge *edge, bool begin);
tl_err tl_fsed_line(tl_stream_tx *tx, tl_tx_message *m, tl_place place, tl_span tag) TL_MUST_USE;

/* ---- reading ---- */

/* Goes through the rows of one position. Rows whose header is wrong, or whose bytes do not stand behind those of the row
 * before, are passed over. */
typedef struct tl_fsed_reader {
    const tl_frame_plane *rows;
    uint16_t stream;
    uint8_t position;
    uint32_t next;   /* row to look at next */
    uint64_t offset; /* of at.p[0] in the run */
    tl_span at;      /* the bytes of the row that was found last */
} tl_fsed_reader;

tl_fsed_reader tl_fsed_reader_of(const tl_frame_plane *rows, uint16_t stream, uint8_t position);
/* Bytes of the run: one above the last that a row brings. */
uint64_t tl_fsed_total(const tl_frame_plane *rows, uint16_t stream, uint8_t position);
/* Copies n bytes from `offset` of the run on. False if one of them is missing. Cheap where offsets rise. */
bool tl_fsed_read(tl_fsed_reader *r, uint64_t offset, uint8_t *out, size_t n);
/* The row's verdict, with what the rows before it in `ends` (top, bottom) brought: ok, header, order. */
tl_verdict tl_fsed_judge(const tl_frame_plane *rows, uint32_t row, uint16_t stream, uint64_t ends[2]);

/* A row of a plane; false if it did not come. */
bool tl_fsed_row(const tl_frame_plane *plane, uint32_t row, uint8_t **p);

#endif
