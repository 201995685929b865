/* Between a live end and the file of its capture: whole blocks of pcapng wait in memory of fixed size for a thread that writes
 * them. Whoever puts blocks here never waits, neither for a disk that is slow nor for one that is full: where there is no room, the
 * block is not taken, and its packet is not recorded. */
#ifndef TL_TOOLS_RECORDING_QUEUE_H
#define TL_TOOLS_RECORDING_QUEUE_H

#include "fault.h"

#include <trueline/base.h>

enum {
    RECORDING_QUEUE_BYTES = 32 << 20, /* all of it taken when the queue is opened */
    RECORDING_QUEUE_BLOCK = 1 << 18,  /* bytes of a block at most */
    RECORDING_QUEUE_KEPT =
        1 << 20 /* of them for blocks that packets cannot do without: interfaces, secrets */
};

typedef struct recording_queue recording_queue;

/* fd is the caller's and stands at the end of whole blocks, `at` bytes behind the beginning. secret: what was written is wiped at
 * once; else when the queue is closed. TL_EXIT_INTERNAL: no memory, no thread. */
tl_exit recording_queue_open(recording_queue **queue, int fd, uint64_t at, bool secret, tl_fault *fault)
    __attribute__((warn_unused_result));
/* RECORDING_QUEUE_BLOCK bytes for the next block; NULL: there is no room, or the file has ended. needed: it may use what is kept for
 * such blocks. */
uint8_t *recording_queue_room(recording_queue *queue, bool needed);
/* The block that was written there, of n bytes. */
void recording_queue_put(recording_queue *queue, size_t n);
/* What is there is wanted in the file soon; does not wait for it. Without it that takes up to a tenth of a second. */
void recording_queue_flush(recording_queue *queue);
/* errno of the write that failed, behind which nothing is written any more; 0: none did. */
int recording_queue_error(recording_queue *queue);

/* What has become of the file. */
typedef struct recording_end {
    int error;     /* as above; ETIMEDOUT: who reads the pipe took nothing for so long that it was given up */
    bool whole;    /* it ends with a whole block: more may be written there */
    uint64_t size; /* bytes of it */
    /* a packet that was taken and is not in the file, for each of them */
    void *ctx;
    void (*lost)(void *ctx, uint32_t interface);
} recording_end;

/* How long closing waits while no byte is written; 5 s, unless it is said. */
void recording_queue_patience(recording_queue *queue, unsigned ms);
/* Waits until all is written, or no byte is for so long, and gives everything back. Where a write has failed the file is cut
 * to whole blocks, and to `spare` bytes less than it had if its last packets have as many: so that the rest of what must be said
 * may have room. */
void recording_queue_close(recording_queue *queue, size_t spare, recording_end *end);

#endif
