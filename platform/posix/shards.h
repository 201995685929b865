/* Streams spread over threads. Each thread owns a group of receivers and a crypto backend, since a backend serves one thread;
 * packets go by reference through a queue of fixed size to the thread of their stream, in order of arrival. What a thread has
 * belongs to it alone, so nothing of src/ is shared, and nothing of it needs a lock.
 *
 * Memory, all of it taken when the shards are opened: shards * (queue * 24 + batch * 16) bytes and the threads' stacks.
 * At most shards * (queue + batch) packets are under way; their bytes are the caller's, and stay until
 * tl_shards_wait says that they are done. A full queue holds the caller back.
 *
 * Calls from one thread at a time. */
#ifndef TL_POSIX_SHARDS_H
#define TL_POSIX_SHARDS_H

#include "fault.h"

#include <trueline/group.h>

enum { TL_SHARDS_MAX = 64 };

/* What a thread works with; both calls are made in it, those of different shards at the same time. Sinks of its streams are called in it, too. */
typedef struct tl_shard_work {
    void *ctx;
    /* Makes the backend, the receivers and the group of this shard, which live until close: the streams for which
     * tl_shard_of gives its number. An error ends all shards. */
    tl_err (*open)(void *ctx, size_t shard, tl_stream_group **group);
    /* Unmakes what open made, also if that failed half-way. */
    void (*close)(void *ctx, size_t shard);
} tl_shard_work;

typedef struct tl_shards_config {
    size_t shards; /* threads, 1..TL_SHARDS_MAX */
    size_t queue;  /* packets that may wait for each: a power of two */
    size_t batch;  /* packets that a thread hands to its group at once, at most */
    tl_shard_work work;
} tl_shards_config;

typedef struct tl_shards tl_shards;

/* The shard of a stream. */
size_t tl_shard_of(uint16_t stream, size_t shards);

/* Starts the threads, and waits until each is ready. TL_EXIT_USAGE, TL_EXIT_INTERNAL with the shard that failed. */
tl_exit tl_shards_open(const tl_shards_config *config, tl_shards **out, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Packets in order, of which the first `taken` were handed over. */
typedef struct tl_shards_input {
    const tl_buffer *packets;
    size_t n, taken;
} tl_shards_input;

/* Hands over what was not taken yet, each packet to the shard of the stream that it names; one that names none goes to all,
 * but frame and line synchronisation to the first alone. Waits for room until deadline_ms: TL_EXIT_LINK then, and the same
 * input may be given again. TL_EXIT_INTERNAL tells once of each error that a shard met; the packets were taken. */
tl_exit tl_shards_packets(tl_shards *s, tl_shards_input *input, uint64_t now_ms, uint64_t deadline_ms,
                          tl_fault *fault) __attribute__((warn_unused_result));
/* Lets time pass for each stream. A shard that is so busy that its queue is full learns the time from its packets. */
void tl_shards_tick(tl_shards *s, uint64_t now_ms);

/* A moment in the order of packets, of each shard's queue. */
typedef struct tl_shards_mark {
    uint64_t at[TL_SHARDS_MAX];
} tl_shards_mark;

/* The moment after the packets that were handed over last. */
void tl_shards_now(const tl_shards *s, tl_shards_mark *mark);
/* Waits until all packets before the mark are judged, and their bytes are the caller's again. TL_EXIT_LINK at the deadline;
 * TL_EXIT_INTERNAL as above. */
tl_exit tl_shards_wait(tl_shards *s, const tl_shards_mark *mark, uint64_t deadline_ms, tl_fault *fault)
    __attribute__((warn_unused_result));

typedef enum tl_shards_end {
    TL_SHARDS_DRAIN = 0, /* what waits is judged first */
    TL_SHARDS_DROP       /* what waits is dropped */
} tl_shards_end;

/* Ends the threads and frees everything. The first error that was not told yet is the result. */
tl_exit tl_shards_stop(tl_shards *s, tl_shards_end how, tl_fault *fault) __attribute__((warn_unused_result));

#endif
