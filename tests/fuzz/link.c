/* Arbitrary bytes from a data connection, in pieces whose sizes the input chooses too. The packets that come out must be
 * those that a plain walk over the bytes gives, whatever the pieces; a wrong length or a cut must end it, named. */
#include "expect.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BATCH = 3 };

/* Compares what came out with what stands at *at, and steps over it. */
static void compare(tl_span bytes, size_t *at, const tl_buffer *packets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tl_rd r = tl_rd_of(tl_span_of(bytes.p + *at, bytes.n - *at));
        size_t length = (size_t)tl_get(&r, TL_LINK_PREFIX, TL_LITTLE);
        const uint8_t *p = tl_take(&r, length);

        expect(p != NULL && length == packets[i].n && memcmp(p, packets[i].p, length) == 0);
        *at += TL_LINK_PREFIX + length;
    }
}

/* Why the walk ends at `at`: nothing left, a wrong length, or a packet that is cut. */
static tl_exit reference_end(tl_span bytes, size_t at)
{
    tl_rd r = tl_rd_of(tl_span_of(bytes.p + at, bytes.n - at));
    size_t length = (size_t)tl_get(&r, TL_LINK_PREFIX, TL_LITTLE);

    if (at == bytes.n)
        return TL_EXIT_OK;
    expect(r.bad || length < TL_LINK_PACKET_MIN || length > TL_CSI2_PACKET_MAX || r.n < length);
    return TL_EXIT_LINK;
}

/* Reads until nothing is there. */
static tl_exit drain(tl_link_reader *link, tl_span bytes, size_t *at, tl_link_state *state)
{
    tl_buffer packets[BATCH];
    tl_link_batch batch = { .packets = packets, .room = BATCH };
    tl_fault fault;
    tl_exit e;

    do {
        e = tl_link_read(link, 0, &batch, &fault);
        compare(bytes, at, packets, batch.n);
    } while (e == TL_EXIT_OK && batch.state == TL_LINK_PACKETS);
    *state = batch.state;
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tl_link_reader link;
    tl_link_state state = TL_LINK_PACKETS;
    tl_fault fault;
    tl_exit e = TL_EXIT_OK;
    size_t piece, at = 0;
    int fds[2];

    if (size < 1)
        return 0;
    piece = (size_t)data[0] * 16 + 1;
    tl_span bytes = tl_span_of(data + 1, size - 1);
    expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    expect(tl_link_reader_open(&link, fds[0], &fault) == TL_EXIT_OK);
    for (size_t sent = 0; sent < bytes.n && e == TL_EXIT_OK;) {
        size_t n = bytes.n - sent < piece ? bytes.n - sent : piece;

        expect(write(fds[1], bytes.p + sent, n) == (ssize_t)n);
        sent += n;
        e = drain(&link, bytes, &at, &state);
    }
    close(fds[1]);
    while (e == TL_EXIT_OK && state != TL_LINK_CLOSED)
        e = drain(&link, bytes, &at, &state);
    expect(e == reference_end(bytes, at));
    tl_link_reader_close(&link);
    close(fds[0]);
    return 0;
}
