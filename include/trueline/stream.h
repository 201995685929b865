/* Protected image streams: what to protect (tl_stream_config), with which keys (tl_key_source), the sending end
 * (tl_stream_tx) and the receiving end (tl_stream_rx). docs/IMAGE-PATH.md has the design and its argument.
 *
 * A frame on the wire: frame start | begin | messages of each part, in the configuration's order | end | frame end.
 * A message is one CSI-2 long packet: header, service header H, payload, footer (tag, CRC-32), checksum.
 * Carrier FSED: messages are plain packets of their own data types, and what stands around the payloads travels in
 * metadata packets: begin in front of them; tags, CRC-32s and end behind them.
 *
 * All of it is sans-I/O: bytes in, bytes out, time as a parameter. No call allocates or blocks. */
#ifndef TRUELINE_STREAM_H
#define TRUELINE_STREAM_H

#include <trueline/crypto.h>
#include <trueline/csi2.h>
#include <trueline/frame.h>
#include <trueline/layout/ids.h>
#include <trueline/layout/limits.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- configuration ---- */

typedef enum tl_block { TL_BLOCK_SERVICE = 0, TL_BLOCK_TOP, TL_BLOCK_MIDDLE, TL_BLOCK_BOTTOM } tl_block;

/* Security variant of a block. */
typedef enum tl_variant {
    TL_SV_1 = 1, /* full integrity, encrypted */
    TL_SV_2 = 2, /* full integrity, in clear */
    /* whole lines inside a pattern; of the others the header alone, so that each is there, in its place */
    TL_SV_3 = 3,
    TL_SV_4 = 4, /* of each line the header and the bytes inside a pattern */
    TL_SV_5 = 5  /* no integrity: checksums and counters alone */
} tl_variant;

/* What a tag that travels covers: a message, all messages of a data type in a frame, or the whole frame. An accumulated
 * tag is one over the messages' own tags, and travels in the frame's end. Begin and end carry their own in each mode.
 * While a frame is open each end holds a running MAC of the backend for each list of tags: one for each data type, or
 * one. An end that is put away must be wiped, so that they are given back; a receiver in these modes is not copied. */
typedef enum tl_tag_mode {
    TL_TAG_PER_MESSAGE = 1,
    TL_TAG_PER_DATA_TYPE = 2,
    TL_TAG_PER_FRAME = 3
} tl_tag_mode;

/* How headers and tags travel. Both give the same tags, so a bridge without keys may convert (bridge.h). */
typedef enum tl_carrier {
    TL_CARRIER_SEP = 0, /* around the payload of each message */
    TL_CARRIER_FSED     /* in packets of their own at the frame's top and bottom; lines stay plain packets */
} tl_carrier;

/* Who has checked the ECC and the CRC-16 of the packets that come in. */
typedef enum tl_hop_check {
    TL_HOP_CHECK_HERE = 0, /* this receiver does */
    TL_HOP_CHECKED_BELOW   /* the CSI-2 receiver in hardware has; bad packets do not come up from there */
} tl_hop_check;

typedef enum tl_presence { TL_WITHOUT = 0, TL_WITH = 1 } tl_presence;

/* A run of messages of one data type: `count` packets of `length` payload bytes each. A data type may have several
 * runs in different blocks (embedded lines at top and bottom); its message numbers run on through them. */
typedef struct tl_stream_part {
    uint8_t block;     /* tl_block: top, middle or bottom, in that order along the list */
    uint8_t data_type; /* 0x10..0x3F */
    uint16_t count;
    uint16_t length;
} tl_stream_part;

/* How a receiver hands pixels on. */
typedef enum tl_release {
    TL_RELEASE_FRAME = 0, /* default: nothing leaves before the whole frame is ok */
    TL_RELEASE_LINE,      /* each line as it verifies; the frame's verdict follows and may revoke it */
    TL_RELEASE_IN_PLACE,  /* as FRAME, but lines stay in the caller's packets, and nothing is copied */
    TL_RELEASE_EARLY /* with accumulated tags: each line at once, on trust that the frame's verdict must bear out */
} tl_release;

/* Lower limits than the built-in ones (zero: the built-in), for tests and careful profiles. */
typedef struct tl_stream_limits {
    uint64_t messages; /* protected or verified under one key */
    uint64_t bytes;    /* payload bytes, likewise */
    uint64_t bad;      /* wrong tags under one key, receiver only */
    uint64_t lists;    /* accumulated tags made or checked under one key */
} tl_stream_limits;

/* What both ends must agree on stands above the line; it is what the digest covers. */
typedef struct tl_stream_config {
    uint16_t stream; /* id, end to end; not 0 */
    tl_suite suite;
    tl_tag_mode tag_mode;
    uint8_t tag_size; /* of messages or accumulated ones: 8, 12 or 16 bytes; 0 without a suite */
    tl_presence crc32;
    uint8_t variant[4]; /* tl_variant by tl_block; begin and end are always SV-2, so the first is not used */
    /* by tl_block: the lines of SV-3, counted from the block's first line of their data type, or the bytes of SV-4 */
    tl_pattern pattern[4];
    uint32_t first_frame; /* the number of the first frame; a restart under a new epoch begins there again */
    tl_stream_part parts[TL_SEP_PARTS_MAX];
    uint8_t part_count;
    /* ---- each end's own ---- */
    uint8_t virtual_channel;   /* sender: the channel it sends on, 0..3 */
    uint8_t channels_accepted; /* receiver: bit n set: accepted on virtual channel n; 0: the sender's only */
    /* receiver: bit n set: data type n may come without a service header, and is ignored */
    uint64_t plain_types;
    tl_carrier carrier; /* not under the digest, so that a bridge may convert */
    /* FSED, sender: payload bytes of a metadata packet; 0: as long as the longest line */
    uint16_t fsed_length;
    tl_hop_check hop_check;    /* receiver */
    uint32_t frame_timeout_ms; /* receiver: a frame whose end has not come by then is cut; 0: no time-out */
    uint32_t interval_ms;      /* receiver: frames begin so often; 0: no time-out monitor */
    uint32_t tolerance_ms;     /* receiver: so much later than that is no loss of communication yet */
    uint32_t age_max_us; /* receiver with an anchored clock: an older frame is late; 0: age is not judged */
    uint16_t drift_ppm;  /* receiver: the two clocks drift apart by no more */
    uint16_t probation;  /* receiver, release EARLY: frames in a row that must be ok after a bad one; 0: 30 */
    tl_release release;  /* receiver */
    tl_stream_limits limits;
} tl_stream_config;

/* The virtual channels on which the stream's packets may come; bit n: channel n. */
static inline uint8_t tl_stream_channels(const tl_stream_config *config)
{
    if (config->channels_accepted != 0)
        return config->channels_accepted;
    return (uint8_t)(1u << config->virtual_channel);
}

/* A message's footer depends on its block: begin and end (TL_BLOCK_SERVICE) have a whole tag of their own in every mode;
 * other blocks one of tag_size bytes in mode TL_TAG_PER_MESSAGE, and none otherwise or under SV-5. Without a suite
 * there is no tag anywhere. */
size_t tl_stream_tag_bytes(const tl_stream_config *config, tl_block block);

/* Says whether a configuration makes sense: TL_OK, or TL_E_CONFIGURATION with the reason in *why (static text). */
tl_err tl_stream_config_check(const tl_stream_config *config, const char **why) TL_MUST_USE;
/* SHA-256 over the canonical bytes of everything above the line, layout id included. Both ends must get the same.
 * Without a suite crypto may be NULL: the digest is then the bytes' CRC-32, little-endian, and zeros. */
enum { TL_CONFIG_DIGEST_SIZE = 32 };
tl_err tl_stream_config_digest(const tl_stream_config *config, const tl_crypto *crypto,
                               uint8_t digest[TL_CONFIG_DIGEST_SIZE]) TL_MUST_USE;
/* Messages and payload bytes of a frame, without begin and end. */
uint32_t tl_stream_frame_messages(const tl_stream_config *config);
size_t tl_stream_frame_bytes(const tl_stream_config *config);

/* ---- keys ----
 * A key source is a secret of this stream and direction together with its epoch counter. Every start after a stop,
 * every re-configuration, every new sending or receiving context takes a new epoch of it; the number only rises.
 * Taking epoch e wipes what e and all before were derived from. A source is never copied (the calls notice).
 *
 * What an end holds of its backend's slots: a key, and one more where tags are accumulated; twice that while it has a next
 * key, three times for the moment in which an unused next key is replaced. A running MAC for each list of the open frame:
 * one, or one for each data type. A running hash for the moment of the digest. */

typedef enum tl_direction { TL_SENSOR_TO_CONTROLLER = 1, TL_CONTROLLER_TO_SENSOR = 2 } tl_direction;

typedef struct tl_key_source {
    /* private */
    uintptr_t self;
    const tl_crypto *crypto;
    tl_hash_alg hash;
    uint64_t next; /* lowest epoch still to be had; the secret is that epoch's */
    uint8_t secret[TL_HASH_MAX];
} tl_key_source;

enum { TL_EPOCH_JUMP_MAX = 1024 }; /* a peer may name an epoch at most so far ahead */
enum { TL_FRESH_SIZE = 32 };       /* fresh bytes of each end */

/* What the two ends of a connection know before it begins, and what they told each other at its start. */
typedef struct tl_provisioned {
    tl_span secret;                               /* 16 bytes or more */
    const uint8_t *sender_fresh, *receiver_fresh; /* TL_FRESH_SIZE random bytes of each end */
    uint16_t stream;                              /* not 0 */
    tl_direction direction;
} tl_provisioned;

/* A new source for each connection. It keeps no reference to what it is made from; crypto must outlive it.
 * TL_E_USAGE: a secret too short, or stream 0. Backend errors. *source is zero then. */
tl_err tl_key_source_provisioned(tl_key_source *source, const tl_crypto *crypto,
                                 const tl_provisioned *from) TL_MUST_USE;
/* From the export master secret of a session (session hash, as many bytes). The sources of two streams, directions or
 * sessions share nothing; a source outlives its session. Make each once: a second one would begin at epoch 0 with the
 * same keys, and its sender would use nonces twice. */
tl_err tl_key_source_exported(tl_key_source *source, const tl_crypto *crypto, tl_digest secret,
                              uint16_t stream, tl_direction direction) TL_MUST_USE;
/* For recordings that are to be verified again: the secret of `epoch`, from which that epoch's keys and all later ones
 * follow, and none before. The source goes on as it was. secret: TL_HASH_MAX bytes, *n of them are written; the caller
 * wipes them. Errors as for taking the epoch, and nothing is written. */
tl_err tl_key_source_secret(const tl_key_source *source, uint32_t epoch, uint8_t *secret,
                            size_t *n) TL_MUST_USE;
/* The source that begins there, for a receiver of the recording; never for a sender, who would use nonces twice.
 * TL_E_USAGE: not as many bytes as the hash has; *source is zero then. */
tl_err tl_key_source_recorded(tl_key_source *source, const tl_crypto *crypto, tl_digest secret,
                              uint32_t epoch) TL_MUST_USE;
void tl_key_source_wipe(tl_key_source *source);

/* A loaded key of one epoch. Inside tl_stream_tx and tl_stream_rx only. */
typedef struct tl_stream_key {
    /* private */
    tl_key handle; /* none without a suite */
    tl_key outer;  /* of accumulated tags, where the mode has them */
    uint32_t epoch;
    uint8_t salt[4];
    bool held;
    bool limit_told;                      /* receiver: the event was given */
    uint64_t messages, bytes, bad, lists; /* counters live where the key lives */
} tl_stream_key;

/* ---- plans ----
 * What follows from a configuration, worked out once: for the ends of a stream, and for whoever takes its packets apart without
 * being one. */

typedef struct tl_part_plan {
    uint32_t offset;   /* of its payloads in the frame memory */
    uint32_t position; /* messages of the frame before it */
    uint16_t first;    /* number of its first message */
    uint16_t line;     /* lines of its data type that its block has before it */
    uint8_t type;      /* its data type's place among the plan's */
    uint8_t list;      /* the list that its tags are on, or TL_PLAN_NO_LIST */
    uint8_t tag_n;     /* bytes of tag that travel with each message */
    uint8_t footer_n;  /* tag and CRC-32 */
} tl_part_plan;

enum { TL_PLAN_NO_LIST = 0xFF };

typedef struct tl_stream_plan {
    tl_part_plan parts[TL_SEP_PARTS_MAX];
    uint8_t types[TL_SEP_PARTS_MAX]; /* the data types, in the order in which the parts name them */
    uint8_t type_count;
    uint8_t list_count;      /* accumulated tags of a frame: none, one for each type, or one */
    uint8_t tag_n;           /* bytes of tag of begin and end */
    uint8_t footer_n;        /* tag and CRC-32 of these */
    uint32_t messages;       /* of a frame, without begin and end */
    size_t bytes;            /* of their payloads */
    tl_stream_limits limits; /* up to where each key may be used */
} tl_stream_plan;

/* Works it out. The configuration must have passed its check, and is not needed behind it. */
void tl_stream_plan_of(tl_stream_plan *plan, const tl_stream_config *config);

/* The index of a data type of lines; type_count: it is none. */
static inline uint8_t tl_stream_plan_type(const tl_stream_plan *plan, uint8_t data_type)
{
    uint8_t type = 0;

    while (type < plan->type_count && plan->types[type] != data_type)
        type++;
    return type;
}

/* A list of tags that an accumulated one will be over. */
typedef struct tl_tag_list {
    /* private */
    tl_mac mac; /* 0: not begun */
    uint32_t n; /* tags on it */
    /* receiver */
    uint32_t next; /* one above the highest place in the frame of those on it */
    uint32_t late; /* lines that came, but not in their place */
    bool lost;     /* the backend failed: it can no more be held against its tag */
} tl_tag_list;

/* ---- sending ---- */

/* Where the payload stands in a packet's buffer, and what stands around it. */
enum {
    TL_SEP_BEFORE = TL_CSI2_HEADER_SIZE + TL_SEP_HEADER_SIZE,
    TL_SEP_AFTER_MAX = TL_SEP_FOOTER_MAX + TL_CSI2_FOOTER_SIZE,
    TL_SEP_OVERHEAD_MAX = TL_SEP_BEFORE + TL_SEP_AFTER_MAX,
    TL_SEP_SERVICE_MAX = 256 /* payload bytes of a begin or an end, at most */
};

/* Messages that either end hands to the backend at once, at most; a call may bring more. */
enum { TL_STREAM_BATCH = 16 };

/* A message to send: the payload stands in the caller's buffer at TL_SEP_BEFORE, and is protected in place. */
typedef struct tl_tx_message {
    uint8_t data_type;
    uint16_t length; /* payload bytes; must be the part's */
    uint8_t *buffer; /* at least length + TL_SEP_OVERHEAD_MAX bytes */
    size_t room;     /* bytes of buffer */
    tl_span packet;  /* written: the whole packet, a view of buffer */
} tl_tx_message;

typedef struct tl_stream_tx {
    /* private */
    uintptr_t self;
    const tl_crypto *crypto; /* NULL: without a suite, and no source was given */
    tl_stream_config config;
    tl_stream_plan plan;
    uint8_t digest[TL_CONFIG_DIGEST_SIZE];
    tl_stream_key key, next_key;
    tl_tag_list lists[TL_SEP_PARTS_MAX]; /* of the open frame */
    uint64_t next_frame;                 /* beyond 32 bits: used up */
    uint32_t frame;                      /* the open one */
    uint8_t part;                        /* the part that the next message belongs to */
    uint16_t row;                        /* messages of it sent */
    uint8_t state;
    uint8_t *metadata; /* FSED: the caller's memory */
    tl_sealed batch[TL_STREAM_BATCH];
} tl_stream_tx;

/* Takes epoch `epoch` from the source; the receiver must take the same. The config is copied; the source's backend
 * must outlive tx, the source itself need not. The controller names the epoch. Without a suite source may be NULL (one
 * that is given lends the checksums of its backend and loses no epoch), and the epoch is a number alone, which says at
 * which start of the sender a frame was made. TL_E_USAGE: a suite, but no source.
 * TL_E_CONFIGURATION, TL_E_EPOCH (used, passed or too far), TL_E_COPIED (of the source), backend errors. */
tl_err tl_stream_tx_init(tl_stream_tx *tx, const tl_stream_config *config, tl_key_source *source,
                         uint32_t epoch) TL_MUST_USE;
/* Puts the next key in place; the sender switches at the next frame begin. An unused next key is replaced.
 * TL_E_USAGE if the source has another backend, TL_E_EPOCH also if the low byte is the current key's. */
tl_err tl_stream_tx_rekey(tl_stream_tx *tx, tl_key_source *source, uint32_t epoch) TL_MUST_USE;
/* FSED: gives the sender memory for the tags and CRC-32s of one frame and one metadata packet: with a tag per message and
 * CRC-32 that is 20 bytes a message and the packet. It must live as long as tx, and be given before the first begin.
 * TL_E_USAGE if the carrier is SEP, TL_E_ROOM, TL_E_COPIED. */
tl_err tl_stream_tx_metadata(tl_stream_tx *tx, tl_buffer memory) TL_MUST_USE;
/* Bytes of that memory, with SEP those that the same stream would need over FSED; 0 if the configuration makes no sense. */
size_t tl_stream_tx_metadata_size(const tl_stream_config *config);

/* The packets that stand at either end of a frame; tl_tx_edge_next gives them one after the other, for either carrier. With
 * SEP they are two, and stand in `packets` too: frame start and begin, end and frame end. With FSED they are the frame
 * start and the top's metadata packets, the bottom's and the frame end. An edge is not copied. */
typedef struct tl_tx_edge {
    tl_span packets[2]; /* SEP; views of `bytes` */
    uint8_t bytes[2 * TL_CSI2_HEADER_SIZE + TL_SEP_SERVICE_MAX + TL_SEP_OVERHEAD_MAX];
    tl_fsed_writer writer;
} tl_tx_edge;

/* The edge's next packet: a view that lives until the next call of the edge, or with tx. False behind the last. All of
 * an edge must be fetched before the next call with tx. */
bool tl_tx_edge_next(tl_tx_edge *edge, tl_span *packet);

/* Opens a frame. now_us is the sender's clock. TL_E_STATE inside a frame. TL_E_LIMIT: the key or the frame counter is
 * used up, take a new epoch. TL_E_USAGE: FSED without its memory. On an error of the backend the frame's number is spent;
 * abandon it. */
tl_err tl_stream_tx_begin(tl_stream_tx *tx, uint64_t now_us, tl_tx_edge *edge) TL_MUST_USE;
/* Protects n messages, next in the frame's order, each in its own buffer. All or nothing: on an error no packet was
 * made, and the frame must be abandoned if the error is not TL_E_USAGE or TL_E_ROOM. */
tl_err tl_stream_tx_messages(tl_stream_tx *tx, tl_tx_message *messages, size_t n) TL_MUST_USE;
/* Closes the frame. One that lacks messages is closed too, and its end says what was sent: the receiver's verdict is gap. */
tl_err tl_stream_tx_end(tl_stream_tx *tx, tl_tx_edge *edge) TL_MUST_USE;
/* Gives up the open frame, if any; its number is not used again. */
void tl_stream_tx_abandon(tl_stream_tx *tx);
/* Moves a sending context; `from` is wiped. It must never be copied otherwise: the calls then give TL_E_COPIED. */
tl_err tl_stream_tx_move(tl_stream_tx *to, tl_stream_tx *from) TL_MUST_USE;
/* Drops the keys and wipes. Not on a copy. */
void tl_stream_tx_wipe(tl_stream_tx *tx);

/* ---- receiving ---- */

typedef enum tl_verdict {
#define VERDICT(name, text, meaning) TL_VERDICT_##name,
#include <trueline/verdicts.def>
#undef VERDICT
    TL_VERDICTS
} tl_verdict;

const char *tl_verdict_text(tl_verdict v);

/* Beside the verdict, for information. */
enum {
    TL_INFO_ECC_CORRECTED = 1, /* one bit of the CSI-2 header was mended */
    TL_INFO_CRC32 = 2          /* the CRC-32 is wrong; beside a right tag that is all */
};

typedef enum tl_event_kind {
    /* verdict of one message. ok messages give it only where lines are released at once, with their payload. With
     * accumulated tags repeat and order are claims until the frame's verdict */
    TL_EVENT_MESSAGE,
    /* a begin has verified; verdict late if its frame is */
    TL_EVENT_OPENED,
    /* verdict of a frame; if ok, its pixels, which the sink uses or copies before it returns */
    TL_EVENT_FRAME,
    /* frames of which no begin came: frame is the first, count how many; verdict gap or a cause before it */
    TL_EVENT_LOST,
    /* the sender has switched to epoch `count`; the older key is wiped */
    TL_EVENT_KEY,
    /* the limit of epoch's key is near (a sixteenth left) or reached (verdict limit): take a new epoch */
    TL_EVENT_LIMIT,
    /* no frame has begun for interval_ms and tolerance_ms: communication is lost, as far as time can tell. Told once, until
     * a frame begins again. frame: the last one that began; count: milliseconds since then; verdict late */
    TL_EVENT_SILENT
} tl_event_kind;

/* "message", "opened", "frame", "lost", "key", "limit", "silent": reports, traces and tests name the kinds so; "unknown" if it is
 * none. */
const char *tl_event_text(tl_event_kind kind);

typedef struct tl_stream_event {
    tl_event_kind kind;
    tl_verdict verdict;
    /* a right tag says so: frame, message and data type are facts. Else, and always without a suite, they are claims */
    bool proven;
    uint8_t info; /* TL_INFO_ bits */
    uint8_t data_type;
    uint16_t message; /* MESSAGE: its number. FRAME: the first cause's */
    uint32_t frame;
    uint32_t epoch;
    uint32_t count; /* FRAME with gap: messages missing; LOST: frames; KEY: epoch */
    /* MESSAGE, OPENED, KEY, LIMIT: which packet, as the counter `packets` stood when it was taken; 1 is the first. FRAME, LOST:
     * the first cause's, 0 if there is none */
    uint64_t packet;
    uint64_t time_us; /* OPENED, FRAME: the sender's clock at begin */
    bool age_known;   /* OPENED, FRAME: the sender's clock is anchored, */
    uint64_t age_us;  /* and when its begin came the frame was no older than this */
    /* MESSAGE, verdict ok: the payload, a view of the packet. FRAME, verdict ok, release policy frame, or early while
     * it holds lines back: all parts' payloads one after the other, in the frame memory. Else empty: in place and with FSED the pixels
     * are where the caller has them. */
    tl_span payload;
    tl_verdict cause; /* FRAME, LOST: the first cause, in the order of arrival */
    bool revoked;     /* FRAME: lines were released at once and must not be used */
} tl_stream_event;

/* Takes events as they happen, inside tl_stream_rx_packets, tl_stream_rx_frame and tl_stream_rx_tick, and the calls of a
 * group (group.h). The event lives until it returns. It must not call the stream. event NULL: nobody is told. */
typedef struct tl_stream_sink {
    void *ctx;
    void (*event)(void *ctx, const tl_stream_event *event);
} tl_stream_sink;

/* What the receiver has counted, never reset. */
typedef struct tl_stream_counters {
    uint64_t packets, short_packets, messages_ok, frames_ok, frames_bad, frames_lost;
    uint64_t verdicts[TL_VERDICTS]; /* messages by verdict */
    uint64_t other_frame;           /* dropped: names a frame that is not open */
    uint64_t other_channel;         /* dropped: a virtual channel that is not accepted */
    uint64_t plain;                 /* ignored: a data type listed as plain */
    uint64_t ecc_corrected, crc32_beside_tag;
    uint64_t silences; /* times that no frame began when one was due */
} tl_stream_counters;

/* Where the sender's clock stands by the receiver's: from a read of it that somebody protects (a register, a message in a
 * session), not from frames. now_ms is the receiver's clock half way between asking and answer, error_us half of that
 * time. */
typedef struct tl_clock_anchor {
    uint64_t now_ms, sender_us;
    uint32_t error_us;
} tl_clock_anchor;

/* Why a frame is what it is: the first cause, in the order of arrival. */
typedef struct tl_rx_cause {
    /* private */
    tl_verdict verdict; /* TL_VERDICT_OK: none yet */
    uint8_t data_type;
    uint16_t message;
    uint64_t at; /* packets counted by then */
} tl_rx_cause;

/* One packet on its way through a batch. */
typedef struct tl_rx_item {
    /* private */
    struct tl_stream_rx *rx;
    uint8_t *payload;
    uint64_t at; /* packets of its stream by then */
    uint32_t frame, epoch;
    uint16_t payload_n, message, row;
    uint8_t data_type, part;
    uint8_t fate, info, verdict;
    uint8_t place; /* of its row in the batch */
    bool parsed;   /* the service header could be read; the rest is what it says */
} tl_rx_item;

/* Packets that go through the backend together. */
typedef struct tl_rx_batch {
    /* private */
    const tl_crypto *crypto;
    uint8_t n;             /* items */
    uint8_t checks, lists; /* rows: tags to compare, from the front; tags to compute, from the back */
    tl_rx_item items[TL_STREAM_BATCH];
    tl_sealed rows[TL_STREAM_BATCH];
} tl_rx_batch;

/* Message numbers that were jumped over and have not come since: first up to, not including, end. */
typedef struct tl_rx_gap {
    /* private */
    uint16_t first, end;
} tl_rx_gap;

enum { TL_RX_GAPS = 16 }; /* gaps of a data type that the receiver keeps in mind */

/* One data type's progress inside the open frame. */
typedef struct tl_rx_type {
    /* private */
    uint8_t gap_count;
    uint32_t next;              /* one above the highest message number seen */
    tl_rx_gap gaps[TL_RX_GAPS]; /* lowest first; of too many the lowest are forgotten */
} tl_rx_type;

typedef struct tl_stream_rx {
    /* private */
    const tl_crypto *crypto;
    tl_stream_config config;
    tl_stream_plan plan;
    tl_stream_sink sink;
    uint8_t *memory; /* frame memory, release policies frame and early */
    tl_span *rows;   /* the caller's table, release policy in place */
    uint8_t digest[TL_CONFIG_DIGEST_SIZE];
    tl_stream_key key, next_key;

    uint64_t expected; /* lowest frame number that may open */
    bool open;
    uint32_t frame; /* the open one */
    uint64_t opened_ms, time_us;
    tl_clock_anchor anchor;
    bool anchored, age_known, late; /* age_known, late, age_us: of the open frame */
    uint64_t age_us;
    bool listening, silent;              /* the time-out monitor runs; it has told of this silence */
    uint64_t heard_ms;                   /* when a frame began last, or the monitor */
    uint32_t received;                   /* messages of it that counted, each once */
    uint32_t released;                   /* lines of it that have left */
    uint32_t crc_doubts;                 /* lines on lists whose CRC-32 is wrong */
    bool early;                          /* its lines leave at once */
    uint16_t probation;                  /* frames that must be ok before lines may leave at once */
    tl_rx_type types[TL_SEP_PARTS_MAX];  /* by the plan's data types */
    tl_tag_list lists[TL_SEP_PARTS_MAX]; /* accumulated tags */
    tl_verdict proven;                   /* worst of what is known for sure of the open frame */
    tl_verdict claimed; /* worst of what packets without a right tag say, since a frame closed last */
    tl_rx_cause proven_cause, claimed_cause, hole;
    tl_rx_cause doubt, crc_doubt; /* of lines on lists, which only the frame's end can prove */
    tl_stream_counters counters;
} tl_stream_rx;

/* memory: tl_stream_frame_bytes(config) bytes for release policies frame and early, which live as long as rx and are not
 * read or written by others but inside a FRAME event; {NULL, 0} for the others, and with carrier FSED. The config is
 * copied; the source's backend must outlive rx. Source and errors as tl_stream_tx_init, TL_E_ROOM if memory is too small. */
tl_err tl_stream_rx_init(tl_stream_rx *rx, const tl_stream_config *config, tl_key_source *source,
                         uint32_t epoch, tl_buffer memory, tl_stream_sink sink) TL_MUST_USE;
/* Puts the next key in place. The older one is wiped when a begin under the new one has verified. */
tl_err tl_stream_rx_rekey(tl_stream_rx *rx, tl_key_source *source, uint32_t epoch) TL_MUST_USE;
/* Release policy in place: where the receiver notes for each message of a frame, in the order of the parts, where its
 * payload stands. The table is the caller's, and right inside the event of a frame that is ok, if the caller has kept
 * all packets since the frame's begin. Without one the frame's verdict is all there is. TL_E_USAGE: another policy.
 * TL_E_STATE inside a frame. TL_E_ROOM: n is less than tl_stream_frame_messages. rows NULL: no table any more. */
tl_err tl_stream_rx_rows(tl_stream_rx *rx, tl_span *rows, size_t n) TL_MUST_USE;
/* Takes n packets, in order of arrival, verifies them in batches of at most TL_STREAM_BATCH and gives the events. n is
 * the caller's choice of delay against speed. Encrypted payloads are decrypted in place. The packets may go when it
 * returns, but for release policy in place. An error is the backend's first one: the packets of its batch count as lost,
 * or the one line that could not be put on its list; all others are taken. TL_E_USAGE: the carrier is FSED. */
tl_err tl_stream_rx_packets(tl_stream_rx *rx, uint64_t now_ms, const tl_buffer *packets,
                            size_t n) TL_MUST_USE;
/* Carrier FSED: takes a whole frame as it lies in memory, verifies it row by row where it is and gives the events; no
 * payload is copied. *verdict is the frame's: if ok, the rows of the planes are the messages that were sent, encrypted ones
 * in clear now. If the frame could not be opened, no event of a frame is given, and *verdict is what its metadata is
 * refused for, or gap. Rows of a frame that is not ok must not be used; with accumulated tags encrypted ones are wiped.
 * TL_E_USAGE: the carrier is SEP. Backend errors: the frame is judged as far as it came. */
tl_err tl_stream_rx_frame(tl_stream_rx *rx, uint64_t now_ms, const tl_frame_buffers *frame,
                          tl_verdict *verdict) TL_MUST_USE;
/* Lets time pass: closes a frame that is over its time, and tells of a silence. If the clock was set back, both times start
 * anew. The time-out monitor runs from the first call of the receiver that names the time. */
void tl_stream_rx_tick(tl_stream_rx *rx, uint64_t now_ms);
/* Anchors the sender's clock, in place of an earlier anchor. From then on the age of each frame is bounded when its begin
 * comes: what may be older than age_max_us is late, and so is a frame from the future, since then the anchor does not
 * hold. The bound is wider by what the clocks may have drifted apart since (drift_ppm) and by a millisecond, the grain of now_ms:
 * anchor again before that is too much. Without an anchor, or when the receiver's clock is set back behind it, the age
 * is unknown: events say so, and no frame is late. */
void tl_stream_rx_anchor(tl_stream_rx *rx, const tl_clock_anchor *anchor);
const tl_stream_counters *tl_stream_rx_counters(const tl_stream_rx *rx);
/* Up to where each of its keys may be used: the built-in limits, or lower ones of the configuration. */
const tl_stream_limits *tl_stream_rx_limits(const tl_stream_rx *rx);
/* Drops the keys and wipes; with accumulated tags also what the frame memory holds of an open frame's encrypted lines, so
 * that memory must still be there. */
void tl_stream_rx_wipe(tl_stream_rx *rx);

#ifdef __cplusplus
}
#endif

#endif
