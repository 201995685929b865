/* What stands at the beginning of a ring's memory. For ring.c, and for tests that play a peer that keeps to no rule. */
#ifndef TL_POSIX_RING_MEMORY_H
#define TL_POSIX_RING_MEMORY_H

#include <stdatomic.h>
#include <stdint.h>

#define RING_MAGIC "tl-ring"

enum {
    RING_VERSION = 1,
    RING_PAGE = 4096, /* where the data begins */
    RING_LINE = 64,   /* of the cache: what one end writes is not in a line that the other one writes */
    RING_PREFIX = 4   /* bytes of a length; records begin at multiples of it */
};

/* A line that the producer writes, and one that the consumer does. */
typedef struct tl_ring_shared {
    uint8_t magic[8];
    uint32_t version, size;
    _Alignas(RING_LINE) _Atomic uint64_t head;
    _Atomic uint32_t producer_sleeps, producer_done;
    _Alignas(RING_LINE) _Atomic uint64_t tail;
    _Atomic uint32_t consumer_sleeps, consumer_done;
} tl_ring_shared;
_Static_assert(sizeof(tl_ring_shared) <= RING_PAGE, "the data begins with the second page");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2,
               "a lock of this process would not hold in another one");

#endif
