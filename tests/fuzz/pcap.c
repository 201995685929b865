/* Arbitrary bytes as a capture: packets count up, each is where it says, in front of the next, and what is refused is named
 * in one line. */
#include "expect.h"

#include <stdlib.h>
#include <string.h>

#include "pcap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_secrets(void *ctx, uint32_t type, tl_span s)
{
    (void)type;
    *(uint64_t *)ctx += s.n;
}

static void read_packets(pcap *file, const uint8_t *data, size_t size, tl_fault *fault)
{
    uint64_t end = 0, number = 0;
    pcap_packet p;
    bool more = true;
    size_t n;

    while (more) {
        tl_exit e = pcap_next(file, &p, &more, fault);

        if (e != TL_EXIT_OK) {
            expect(e == TL_EXIT_LINK && fault->code == e && strstr(fault->text, "packet ") != NULL);
            return;
        }
        if (!more)
            break;
        expect(p.number == ++number && p.offset >= end && p.bytes_at > p.offset);
        expect(p.n <= size - p.bytes_at && p.n <= p.wire_n && p.n <= PCAP_PACKET_MAX);
        expect(p.n == 0 || memcmp(p.p, data + p.bytes_at, p.n) == 0);
        expect(p.from != NULL && strlen(p.from->name) <= size && strlen(p.from->comment) <= size);
        expect(p.comment.n == 0 || memchr(p.comment.p, 0, p.comment.n) != data);
        (void)pcap_comment_value(p.from, "layout", &n);
        memset(p.p, 0x5A, p.n); /* its bytes are the reader's to change */
        end = p.bytes_at + p.n;
    }
    expect(file->window.offset == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *in = size > 0 ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;
    tl_fault fault = { 0 };
    uint64_t secrets = 0;
    pcap file;
    tl_exit e;

    if (in == NULL)
        return 0;
    e = pcap_open(&file, in, "fuzz", &fault);
    file.on_secrets = take_secrets;
    file.context = &secrets;
    if (e == TL_EXIT_OK)
        read_packets(&file, data, size, &fault);
    else
        expect(e == TL_EXIT_LINK && strstr(fault.text, "offset ") != NULL);
    expect(secrets <= size);
    pcap_close(&file);
    (void)fclose(in);
    return 0;
}
