/* Many streams of one port: packets that aggregators have interleaved, each handed to the receiver of its stream, verified in
 * batches across streams, and judged in order of arrival.
 *
 * A packet belongs to the stream that its service header names, if that stream is in the group and takes the packet's virtual
 * channel. What belongs to none (a header that cannot be read, another stream, a plain packet) is counted here and told to
 * the streams of its channel, as a single receiver would take it: a claim, or a fact against their open frames. A stream is
 * told the same once, until a packet of its own comes or the time moves on: who sends much of it cannot make every
 * stream pay for each.
 *
 * Sans-I/O like stream.h. The caller owns all memory; a group holds pointers to it and is not copied. */
#ifndef TRUELINE_GROUP_H
#define TRUELINE_GROUP_H

#include <trueline/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A place in the table of streams. */
typedef struct tl_group_slot {
    /* private */
    tl_stream_rx *rx;
    uint16_t stream;  /* 0: free */
    uint8_t channels; /* that it takes, a bit each */
    uint32_t told;    /* by verdict: told, with nothing of its own since */
} tl_group_slot;

typedef struct tl_group_memory {
    tl_group_slot *slots;
    size_t slot_n; /* a power of two; at most half of it are streams */
    size_t batch;  /* packets that are verified at once, 1 to TL_STREAM_BATCH */
} tl_group_memory;

/* What belongs to no stream, never reset. Each packet is counted once, here or by its stream. */
typedef struct tl_group_counters {
    uint64_t packets;       /* all of them */
    uint64_t short_packets; /* frame and line synchronisation, which no verdict depends on */
    uint64_t unknown;       /* name a stream that is not here, or one on a channel that it does not take */
    uint64_t unreadable;    /* no header that could be read */
    uint64_t plain;         /* without a service header */
    uint64_t batches, messages; /* handed to the backend: how well batches are filled */
} tl_group_counters;

typedef struct tl_stream_group {
    /* private */
    const tl_crypto *crypto;
    tl_group_memory memory;
    size_t streams;
    tl_rx_batch batch;
    uint64_t plain_types; /* that each stream takes without a header */
    uint8_t hop_check;    /* of all streams */
    uint64_t ticked_ms;
    tl_group_counters counters;
} tl_stream_group;

/* All streams of a group have this backend. TL_E_USAGE: slot_n is no power of two, or the batch's size is none. */
tl_err tl_stream_group_init(tl_stream_group *group, const tl_crypto *crypto,
                            const tl_group_memory *memory) TL_MUST_USE;
/* Adds a receiver, which stays the caller's and is not moved while it is here. Its sink may be called in each call of the group,
 * and must not call the group. TL_E_USAGE: another backend, another hop_check than the others of this port have, or its
 * stream is here already; TL_E_ROOM. */
tl_err tl_stream_group_add(tl_stream_group *group, tl_stream_rx *rx) TL_MUST_USE;
/* Takes a stream out; it is not wiped. TL_E_USAGE: it is not here. */
tl_err tl_stream_group_remove(tl_stream_group *group, uint16_t stream) TL_MUST_USE;
/* The receiver of a stream, or NULL. */
tl_stream_rx *tl_stream_group_find(const tl_stream_group *group, uint16_t stream);
/* As tl_stream_rx_packets, for all streams. An error is the backend's first one: the packets of its batch count as lost. */
tl_err tl_stream_group_packets(tl_stream_group *group, uint64_t now_ms, const tl_buffer *packets,
                               size_t n) TL_MUST_USE;
/* Lets time pass for each stream. */
void tl_stream_group_tick(tl_stream_group *group, uint64_t now_ms);
const tl_group_counters *tl_stream_group_counters(const tl_stream_group *group);

/* The stream that a packet's service header names; 0: it names none, or the ECC in front of it is wrong. A claim, for
 * whoever spreads streams over groups. */
uint16_t tl_stream_of_packet(tl_span packet);

#ifdef __cplusplus
}
#endif

#endif
