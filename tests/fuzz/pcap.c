/* Arbitrary bytes as a recording: packets count up, lie behind each other inside of the file, and what is
 * refused is named in one line. */
#include <stdlib.h>
#include <string.h>

#include "pcap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
    if (!condition)
        abort();
}

static void read_packets(pcap *file, const uint8_t *data, size_t size, tl_fault *fault)
{
    uint64_t end = 24, number = 0;
    pcap_packet p;
    bool more = true;

    while (more) {
        tl_exit e = pcap_next(file, &p, &more, fault);

        if (e != TL_EXIT_OK) {
            expect(e == TL_EXIT_LINK && fault->code == e && strstr(fault->text, "packet ") != NULL);
            return;
        }
        if (!more)
            break;
        expect(p.number == ++number && p.offset == end && p.n <= size - end - 16);
        expect(p.n == 0 || memcmp(p.p, data + end + 16, p.n) == 0);
        end += 16 + p.n;
    }
    expect(end == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *in = size > 0 ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;
    tl_fault fault = { 0 };
    pcap file;
    tl_exit e;

    if (in == NULL)
        return 0;
    e = pcap_open(&file, in, "fuzz", &fault);
    if (e == TL_EXIT_OK)
        read_packets(&file, data, size, &fault);
    else
        expect(e == TL_EXIT_LINK && strstr(fault.text, "offset ") != NULL);
    pcap_close(&file);
    (void)fclose(in);
    return 0;
}
