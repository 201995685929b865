/* A recorded stream in front of the receiver that a live one had: packets in the order of the file, at the times of the file,
 * under the keys of its secrets. With carrier FSED they go through the same capture as the controller's.
 *
 * A segment of a recording is judged alone, and exactly as the whole would be. What a receiver knows when a begin has opened a
 * frame follows from that begin, the keys, and the begins before it: so ahead of its segment the replay hands over nothing but
 * begins, tells nobody of them, and is where the whole would be as soon as the first begin at or behind `from` opens a
 * frame. Everything from there on is told, up to the first begin at or behind `until` that opens one; what is said
 * before that frame is open (the one before it was cut, some were lost) belongs to what came before, and is told too.
 * docs/EVIDENCE.md has the argument.
 *
 * Time is that of the file, in steps of 100 ms counted from 0, so that it does not depend on how packets were handed in. */
#ifndef TL_TOOLS_REPLAY_H
#define TL_TOOLS_REPLAY_H

#include "capture.h"
#include "oneway.h"
#include "pcap.h"
#include "stream_keys.h"

#include <trueline/messages.h>

/* Where a packet stands in the file, and when it came. Number 0: none. */
typedef struct replay_place {
    uint64_t number, offset, time_ns;
    uint32_t section; /* of the file */
} replay_place;

typedef struct replay_packet {
    tl_span bytes;
    replay_place at;
    uint64_t lost; /* packets in front of it that its writer did not record */
} replay_packet;

/* A packet of a recording as one to be replayed. */
replay_packet replay_packet_of(const pcap_packet *packet);

typedef struct replay_news {
    const tl_stream_event *event;
    replay_place at;     /* the packet that it speaks of, or the one that brought it */
    replay_place opened; /* of FRAME: where the frame began */
    bool unfinished; /* FRAME: the recording, or its sender's start, ended inside of it; nobody judged it */
    /* what it says may come of packets that were not recorded, as the recording itself says: nobody can judge that */
    bool not_recorded;
} replay_news;

/* What is true where a segment begins or ends; what one claims of its end, the next one must claim of its beginning. */
typedef struct replay_border {
    bool set;            /* a begin opened a frame there; else it is the file's beginning or end */
    replay_place packet; /* the begin; with FSED the first packet of its frame */
    uint32_t frame, epoch, start;
} replay_border;

typedef struct replay_sink {
    void *ctx;
    void (*event)(void *ctx, const replay_news *news);
    /* A begin has opened a frame, in the segment or ahead of it; NULL: nobody wants to know. */
    void (*opened)(void *ctx, const replay_border *at);
    /* An announcement was refused; NULL, likewise. */
    void (*refused)(void *ctx, const replay_place *at, const tl_fault *why);
} replay_sink;

typedef struct replay_parts {
    const stream_file *file; /* with the receiver's own part of the configuration filled in */
    const tl_crypto *crypto;
    const stream_keys *keys; /* may grow while the replay lives */
    bool oneway;             /* announcements are no packets of the stream, */
    bool announced;          /* and the keys follow from them, by the stream file's secret */
    uint64_t from, until;    /* offsets in the file; 0 and UINT64_MAX for all of it */
    replay_sink sink;
} replay_parts;

typedef enum replay_phase { REPLAY_BEFORE = 0, REPLAY_INSIDE, REPLAY_BEHIND } replay_phase;

enum { REPLAY_BATCH = TL_STREAM_BATCH };

typedef struct replay {
    replay_phase phase;
    replay_border from, to;
    uint64_t early; /* one-way: packets before the first announcement */
    uint32_t start; /* of the sender: whose keys are at hand */
    /* private */
    replay_parts parts;
    tl_stream_rx rx;
    bool rx_open, joining;
    oneway_receiver oneway;
    bool capture_open;
    capture capture;
    tl_buffer memory; /* release policy frame */
    uint8_t *copies;  /* REPLAY_BATCH packets */
    tl_buffer batch[REPLAY_BATCH];
    replay_place places[REPLAY_BATCH];
    size_t batch_n;
    uint64_t base; /* packets of rx before the batch at hand */
    uint64_t now_ms;
    bool lacks;                    /* packets since a frame was opened last, */
    bool unit_lacks;               /* and in FSED's frame at hand */
    replay_place at, unit, opened; /* the packet at hand, the first of FSED's frame, the open frame's begin */
    bool frame_open;
    tl_stream_event open_event;
    uint32_t epoch, next_epoch; /* of the keys that the receiver holds */
    bool next_held;
    size_t copied, copied_most;      /* bytes of copies that are in use, and that were at any time */
    tl_stream_counters total, first; /* of receivers that are over; before the segment */
    tl_stream_counters last;         /* where it ended */
} replay;

/* TL_EXIT_INTERNAL: no memory, no backend. TL_EXIT_USAGE: no key of this stream. */
tl_exit replay_open(replay *r, const replay_parts *parts, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Takes a packet of the stream's link. Its bytes are copied. TL_EXIT_INTERNAL. */
tl_exit replay_packet_in(replay *r, const replay_packet *packet, tl_fault *fault)
    __attribute__((warn_unused_result));
/* No packet is left: tells of what waits, and of the frame that is open. */
tl_exit replay_end(replay *r, tl_fault *fault) __attribute__((warn_unused_result));
/* What the receiver has counted inside of the segment. */
tl_stream_counters replay_counters(const replay *r);
/* Inside the event of a frame that is ok: its parts' payloads one after the other. */
tl_span replay_payload(replay *r, const tl_stream_event *event);
void replay_close(replay *r);

/* The service header of a begin or an end of the stream in a packet of carrier SEP; false: it is none. A claim. */
bool replay_is_service(const tl_stream_config *config, tl_span packet, tl_sep_header *h);

#endif
