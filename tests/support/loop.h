/* A sender and a receiver of one stream in one process, and what lies between them: packets that a test can change,
 * and the events that came of them.
 *
 *     tl_loop l;
 *     tl_loop_init(&l, crypto);            l.config is a small stream now; change it as the test needs
 *     tl_loop_open(&l, 0);                 both ends, epoch 0
 *     tl_loop_send(&l, &packets);          one whole frame
 *     tl_loop_receive(&l, &packets);       l.events tells
 *     tl_loop_close(&l);
 *
 * A frame's packets: [0] frame start, [1] begin, [TL_LOOP_LINE] the first message, ..., end, frame end. */
#ifndef TL_TESTS_LOOP_H
#define TL_TESTS_LOOP_H

#include <trueline/messages.h>
#include <trueline/stream.h>

/* ---- packets, each in heap memory of exactly its size: a read past its end is noticed ---- */

typedef struct tl_packets {
    tl_buffer *v;
    size_t n, room;
} tl_packets;

void tl_packets_add(tl_packets *list, tl_span bytes);
void tl_packets_insert(tl_packets *list, size_t at, tl_span bytes);
void tl_packets_drop(tl_packets *list, size_t at);
void tl_packets_swap(tl_packets *list, size_t a, size_t b);
/* Appends a copy of packet `at` of `from`; of all of them. */
void tl_packets_take(tl_packets *list, const tl_packets *from, size_t at);
void tl_packets_join(tl_packets *list, const tl_packets *from);
void tl_packets_free(tl_packets *list);

/* ---- events, with copies of their payloads ---- */

typedef struct tl_events {
    tl_stream_event *v;
    size_t n, room;
} tl_events;

void tl_events_clear(tl_events *list);
size_t tl_events_count(const tl_events *list, tl_event_kind kind);
/* The first event of a kind, the last; NULL if there is none. */
const tl_stream_event *tl_events_first(const tl_events *list, tl_event_kind kind);
const tl_stream_event *tl_events_last(const tl_events *list, tl_event_kind kind);
/* A sink that appends to the list. */
tl_stream_sink tl_events_sink(tl_events *list);

/* ---- the two ends ---- */

enum { TL_LOOP_LINE = 2 }; /* place of a frame's first message among its packets */

typedef struct tl_loop {
    const tl_crypto *crypto;
    tl_stream_config config,
        rx_config; /* the ends; tl_loop_open copies config to rx_config if that names no stream */
    tl_key_source tx_source, rx_source;
    tl_stream_tx tx;
    tl_stream_rx rx;
    uint8_t *memory;   /* the receiver's frame memory */
    uint8_t *metadata; /* the sender's, carrier FSED */
    tl_events events;
    uint64_t now_ms, now_us;   /* the receiver's clock, the sender's */
    size_t tx_batch, rx_batch; /* messages and packets in a call */
    uint32_t sent;             /* messages of the open frame */
} tl_loop;

void tl_loop_init(tl_loop *l, const tl_crypto *crypto);
/* A source of the loop's fixed secret and fresh bytes; `session` is the first of them. */
tl_err tl_loop_source(const tl_loop *l, tl_key_source *source, uint8_t session) TL_MUST_USE;
tl_err tl_loop_open(tl_loop *l, uint32_t epoch) TL_MUST_USE;
void tl_loop_close(tl_loop *l);

/* A whole frame; or its pieces: begin, `n` messages more, end. What a call made is appended to the list. */
tl_err tl_loop_send(tl_loop *l, tl_packets *out) TL_MUST_USE;
tl_err tl_loop_begin(tl_loop *l, tl_packets *out) TL_MUST_USE;
tl_err tl_loop_messages(tl_loop *l, size_t n, tl_packets *out) TL_MUST_USE;
tl_err tl_loop_end(tl_loop *l, tl_packets *out) TL_MUST_USE;
/* Hands copies of the packets to the receiver, rx_batch at a time, and overwrites each batch when the call is back. */
tl_err tl_loop_receive(tl_loop *l, const tl_packets *packets) TL_MUST_USE;

/* The payload of a message as the loop sends it, and all payloads of a frame as its receiver must give them. */
void tl_loop_payload(const tl_stream_config *c, uint32_t frame, unsigned part, uint32_t row, uint8_t *out);
void tl_loop_frame(const tl_stream_config *c, uint32_t frame, uint8_t *out);
/* True if the event is a right frame with exactly the bytes that were sent. */
bool tl_loop_is_frame(const tl_loop *l, const tl_stream_event *event, uint32_t frame);
/* Part and row of message i of a frame. */
void tl_loop_place(const tl_stream_config *c, size_t i, unsigned *part, uint32_t *row);

/* ---- packets, taken apart by the layout's rows ---- */

typedef struct tl_loop_message {
    tl_sep_header header;
    uint8_t *payload; /* these two are views of the packet */
    size_t payload_n;
    tl_sep_footer footer;
} tl_loop_message;

tl_err tl_loop_read(const tl_stream_config *c, tl_buffer packet, tl_loop_message *m) TL_MUST_USE;
/* Writes the message's header and footer back in place, without a word about checksums. */
tl_err tl_loop_write(const tl_stream_config *c, tl_buffer packet, const tl_loop_message *m) TL_MUST_USE;
/* What somebody without the key can do: sets CRC-32, ECC and CRC-16 to what the bytes need. */
tl_err tl_loop_repair(const tl_stream_config *c, tl_buffer packet) TL_MUST_USE;

#endif
