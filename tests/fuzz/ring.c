/* The consumer of a ring whose memory and indices the input chooses, more than once: each step is a new `head` and bytes
 * that are written over the memory. What is handed out must lie inside the ring, or be a copy; a walk over the same bytes
 * by a second reader must find the same packets; and a fault must be named. */
#include "expect.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ring.h"
#include "ring_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { ROOM = 5 };

static tl_ring ring, fresh;
static tl_ring_mode modes[2] = { TL_RING_COPY, TL_RING_IN_PLACE };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    tl_fault fault;
    int fds[2];

    (void)argc;
    (void)argv;
    expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    expect(tl_ring_offer(&ring, fds[0], TL_RING_MIN, TL_RING_COPY, &fault) == TL_EXIT_OK);
    fresh = ring;
    return 0;
}

/* The packet at `at` of the ring, or false where a reader must stop. */
static bool reference(uint64_t at, uint64_t head, const uint8_t **p, uint32_t *n)
{
    uint64_t left = head - at;

    if (left < RING_PREFIX)
        return false;
    memcpy(n, ring.data + at % ring.size, RING_PREFIX);
    *p = ring.data + at % ring.size + RING_PREFIX;
    return *n >= TL_LINK_PACKET_MIN && *n <= TL_CSI2_PACKET_MAX && (*n + 3u) / 4 * 4 + RING_PREFIX <= left;
}

static void compare(uint64_t *at, uint64_t head, const tl_link_batch *batch)
{
    for (size_t i = 0; i < batch->n; i++) {
        const uint8_t *p;
        uint32_t n;

        expect(reference(*at, head, &p, &n));
        expect(n == batch->packets[i].n && memcmp(p, batch->packets[i].p, n) == 0);
        if (ring.mode == TL_RING_IN_PLACE)
            expect(batch->packets[i].p == p);
        *at += RING_PREFIX + (n + 3u) / 4 * 4;
    }
}

/* One read under a head; false after a fault. */
static bool step(uint64_t *at, uint64_t *last, uint64_t head)
{
    tl_buffer packets[ROOM];
    tl_link_batch batch = { .packets = packets, .room = ROOM };
    tl_fault fault = { 0 };
    const uint8_t *p;
    uint32_t n;
    bool possible = head - *at <= ring.size && head - *at >= *last - *at && head % RING_PREFIX == 0;
    tl_exit e;

    atomic_store(&ring.shared->head, head);
    e = tl_ring_read(&ring, 0, &batch, &fault);
    compare(at, head, &batch);
    if (e != TL_EXIT_OK) {
        expect(e == TL_EXIT_LINK && fault.text[0] != '\0' && batch.n == 0);
        expect(!possible || !reference(*at, head, &p, &n));
        return false;
    }
    expect(possible && (batch.n > 0 || (batch.state == TL_LINK_QUIET && *at == head)));
    *last = head;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t at = 0, last = 0, head = 0;
    bool right = true;

    if (size < 1)
        return 0;
    ring = fresh;
    ring.mode = modes[data[0] & 1];
    ring.own = ring.theirs = ring.handed = at = last = head = data[0] & 2 ? UINT64_MAX - 0xFFFF : 0;
    data++;
    size--;
    ring.heard_ms = UINT64_MAX - TL_LINK_PATIENCE_MS; /* no time-out */
    while (right && size >= 4) {
        size_t n = data[3] < size - 4 ? data[3] : size - 4;

        memcpy(ring.data + head % ring.size, data + 4, n);
        /* a signed step: most go a little forward */
        head +=
            (uint64_t)(int64_t)(int8_t)data[0] * (data[2] & 1 ? 1024 : 1) * (data[2] & 2 ? 4 : 1) + data[1];
        if (data[2] & 4)
            head ^= UINT64_C(1) << (data[2] >> 3) * 2;
        right = step(&at, &last, head);
        data += 4 + n;
        size -= 4 + n;
    }
    return 0;
}
