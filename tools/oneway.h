/* One-way links: nobody can answer the sender, so it says again and again what a hello says once, in a CSI-2 packet of its
 * own data type, before the stream and once a second.
 *
 * An announcement is proven by the stream's secret, so nothing that an outsider sends moves a receiver. Its keys hold no
 * fresh bytes of the receiver (all zero), so a recording of the whole stream verifies as well as the stream: what comes out is
 * NOT FRESH unless the receiver keeps a state file. With one, a start that is older than the newest it has ever seen is
 * refused, an epoch too, and frames up to the last that was noted. Delay alone is never seen on a one-way link. */
#ifndef TL_TOOLS_ONEWAY_H
#define TL_TOOLS_ONEWAY_H

#include "fault.h"
#include "stream_file.h"

#include <trueline/stream.h>

enum {
    ONEWAY_PACKET_SIZE = TL_CSI2_HEADER_SIZE + TL_ANNOUNCEMENT_SIZE + TL_CSI2_FOOTER_SIZE,
    ONEWAY_EVERY_MS = 1000 /* between two announcements */
};

/* What is remembered across restarts. */
typedef struct oneway_state {
    uint16_t stream;
    uint64_t start; /* the sender's; 0: none yet */
    uint32_t epoch;
    uint64_t next; /* lowest frame number of that start that was not noted */
} oneway_state;

enum { ONEWAY_STATE_MAX = 128 }; /* bytes of a state file */
/* To and from the text of a state file; strict. TL_EXIT_USAGE. */
tl_exit oneway_state_parse(oneway_state *state, const char *name, tl_span text, tl_fault *fault)
    __attribute__((warn_unused_result));
size_t oneway_state_text(const oneway_state *state, char text[ONEWAY_STATE_MAX]);

/* ---- sending ---- */

typedef struct oneway_sender {
    /* private */
    const tl_crypto *crypto;
    const stream_file *file;
    uint8_t digest[TL_CONFIG_DIGEST_SIZE];
    uint8_t fresh[TL_FRESH_SIZE]; /* start, most significant byte first, and random bytes */
    uint64_t start;
} oneway_sender;

/* A new start. Its number is the time of day in microseconds; with a state file (NULL: none) also above the number of each
 * start before, whatever the clock says. file and crypto must outlive it. TL_EXIT_USAGE of the state file, INTERNAL. */
tl_exit oneway_sender_open(oneway_sender *sender, const stream_file *file, const tl_crypto *crypto,
                           const char *state, tl_fault *fault) __attribute__((warn_unused_result));
/* The key source of this start, once: a second one would use nonces twice. Its first epoch is 0. The caller wipes it. */
tl_exit oneway_sender_source(const oneway_sender *sender, tl_key_source *source, tl_fault *fault)
    __attribute__((warn_unused_result));
/* The packet to send before the first frame under `epoch`, and every ONEWAY_EVERY_MS. */
tl_exit oneway_sender_packet(const oneway_sender *sender, uint32_t epoch, uint8_t virtual_channel,
                             uint8_t packet[ONEWAY_PACKET_SIZE], tl_fault *fault)
    __attribute__((warn_unused_result));
void oneway_sender_close(oneway_sender *sender);

/* ---- receiving ---- */

typedef enum oneway_news {
    ONEWAY_NONE = 0, /* no announcement: it is for the stream */
    ONEWAY_OTHER,    /* of another stream */
    ONEWAY_KNOWN,    /* says what is known */
    ONEWAY_START,    /* the sender has started: take its source and a new receiving context, at its epoch */
    ONEWAY_EPOCH,    /* same start, later epoch: tl_stream_rx_rekey */
    ONEWAY_REFUSED   /* `why` says why: not the sender's, of an older start or epoch, another configuration */
} oneway_news;

typedef struct oneway_receiver {
    /* private */
    const tl_crypto *crypto;
    const stream_file *file;
    const char *path; /* of the state file, or NULL */
    oneway_state state;
    uint8_t digest[TL_CONFIG_DIGEST_SIZE];
    uint8_t fresh[TL_FRESH_SIZE];
    uint64_t mark; /* frames below it were noted before this receiver was opened */
    bool started;  /* an announcement was taken since the receiver was opened */
    bool unsaved;
    uint64_t refused;
} oneway_receiver;

/* file, crypto and path must outlive it. path NULL: nothing is kept. TL_EXIT_USAGE: the state file is of another stream, or no
 * such file; one that is not there yet is an empty one. */
tl_exit oneway_receiver_open(oneway_receiver *receiver, const stream_file *file, const tl_crypto *crypto,
                             const char *path, tl_fault *fault) __attribute__((warn_unused_result));
/* The same receiver with what it remembers, for a stream file of another configuration: `from` may go then. */
tl_exit oneway_receiver_reconfigure(oneway_receiver *to, const oneway_receiver *from, const stream_file *file,
                                    tl_fault *fault) __attribute__((warn_unused_result));
/* Looks at each packet before the stream does. Only news NONE is to be handed on. A START or EPOCH is on disk before it is
 * told. TL_EXIT_INTERNAL: the state file cannot be written, or the backend fails; nothing was taken then. */
tl_exit oneway_receiver_packet(oneway_receiver *receiver, tl_span packet, oneway_news *news, tl_fault *why)
    __attribute__((warn_unused_result));
/* After START: its source; the epoch is oneway_receiver_epoch. The caller wipes it. */
tl_exit oneway_receiver_source(const oneway_receiver *receiver, tl_key_source *source, tl_fault *fault)
    __attribute__((warn_unused_result));
uint32_t oneway_receiver_epoch(const oneway_receiver *receiver);
/* Whether what verifies is fresh: a state file is kept. */
bool oneway_receiver_is_fresh(const oneway_receiver *receiver);
/* True of a frame of this start that an earlier receiver has noted: that it verifies again is a replay. */
bool oneway_receiver_was_noted(const oneway_receiver *receiver, uint32_t frame);
/* Notes a frame that has verified; save writes what was noted to the state file, if there is one: once a second and
 * at the end, since a receiver that is killed forgets what was not saved. */
void oneway_receiver_note(oneway_receiver *receiver, uint32_t frame);
tl_exit oneway_receiver_save(oneway_receiver *receiver, tl_fault *fault) __attribute__((warn_unused_result));

#endif
