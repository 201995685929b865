/* Arbitrary bytes as the packets of a one-way link, and as a state file. The first byte says what the rest is:
 *     0  a packet as it came: nobody without the secret starts or moves anything
 *     1  a body, in a packet whose ECC and checksum are right
 *     2  a real announcement with bytes of the input written over it: taken only if it is the same in the end
 *     3  a state file: what is taken is written as the same text again */
#include "expect.h"

#include <stdlib.h>
#include <string.h>

#include "oneway.h"

#include <trueline/openssl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static const tl_crypto *crypto;
static stream_file file;
static oneway_sender sender;
static uint8_t right[ONEWAY_PACKET_SIZE];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static tl_openssl *openssl;
    tl_fault fault;

    (void)argc;
    (void)argv;
    expect(tl_openssl_open(NULL, &openssl) == TL_OK);
    crypto = tl_openssl_crypto(openssl);
    stream_file_init(&file);
    memset(file.secret, 0x5A, sizeof file.secret);
    expect(stream_file_build(&file, "fuzz", &fault) == TL_EXIT_OK);
    expect(oneway_sender_open(&sender, &file, crypto, NULL, &fault) == TL_EXIT_OK);
    expect(oneway_sender_packet(&sender, 3, 0, right, &fault) == TL_EXIT_OK);
    return 0;
}

static oneway_news look(tl_span packet)
{
    oneway_receiver r;
    oneway_news news;
    tl_fault fault = { 0 };

    expect(oneway_receiver_open(&r, &file, crypto, NULL, &fault) == TL_EXIT_OK);
    expect(oneway_receiver_packet(&r, packet, &news, &fault) == TL_EXIT_OK);
    expect(r.started == (news == ONEWAY_START));
    expect((news == ONEWAY_REFUSED) == (fault.text[0] != '\0'));
    return news;
}

static void look_at_body(const uint8_t *data, size_t size)
{
    const tl_csi2_header h = { 0, TL_ANNOUNCEMENT_WIRE_TYPE, TL_ANNOUNCEMENT_SIZE };
    uint8_t packet[ONEWAY_PACKET_SIZE];
    tl_wr w = tl_wr_of(packet, sizeof packet);

    if (size != TL_ANNOUNCEMENT_SIZE)
        return;
    expect(tl_csi2_write(&h, tl_span_of(data, size), &w) == TL_OK);
    expect(look(tl_span_of(packet, sizeof packet)) != ONEWAY_START);
}

/* Pairs of place and byte. */
static void look_at_edited(const uint8_t *data, size_t size)
{
    uint8_t packet[ONEWAY_PACKET_SIZE];

    memcpy(packet, right, sizeof packet);
    for (size_t i = 0; i + 1 < size; i += 2)
        packet[TL_CSI2_HEADER_SIZE + data[i] % TL_ANNOUNCEMENT_SIZE] = data[i + 1];
    expect(tl_csi2_repair(packet, sizeof packet) == TL_OK);
    expect((look(tl_span_of(packet, sizeof packet)) == ONEWAY_START) ==
           (memcmp(packet, right, sizeof packet) == 0));
}

static void look_at_state(const uint8_t *data, size_t size)
{
    oneway_state state;
    char text[ONEWAY_STATE_MAX];
    tl_fault fault;
    size_t n;

    if (oneway_state_parse(&state, "fuzz", tl_span_of(data, size), &fault) != TL_EXIT_OK)
        return;
    n = oneway_state_text(&state, text);
    expect(n == size && memcmp(text, data, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    switch (data[0] & 3) {
    case 0: expect(look(tl_span_of(data + 1, size - 1)) != ONEWAY_START); break;
    case 1: look_at_body(data + 1, size - 1); break;
    case 2: look_at_edited(data + 1, size - 1); break;
    default: look_at_state(data + 1, size - 1); break;
    }
    return 0;
}
