/* Recordings for tests of what reads them: streams of all kinds, as files of packets that a test changes first. */
#ifndef TL_TESTS_UNIT_RECORDED_H
#define TL_TESTS_UNIT_RECORDED_H

#include "testing.h"

#include "loop.h"

#include "hex.h"
#include "pcap.h"
#include "verify.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FRAMES = 12, FRAMES_ROOM = 2 * FRAMES, PATHS = 8, MS = 1000000 };

/* ---- streams ---- */

typedef struct scenario {
    const char *name;
    tl_suite suite;
    tl_tag_mode mode;
    uint8_t tag;
    uint8_t variant[4];
    tl_pattern pattern; /* of the middle */
    tl_carrier carrier;
} scenario;

static const scenario scenarios[] = {
    { "encrypted", TL_SUITE_AES128_GMAC, TL_TAG_PER_MESSAGE, 16, { 0, 2, 1, 2 }, { 0 }, TL_CARRIER_SEP },
    { "lists", TL_SUITE_AES128_CMAC, TL_TAG_PER_DATA_TYPE, 16, { 0, 2, 2, 2 }, { 0 }, TL_CARRIER_SEP },
    { "one list", TL_SUITE_AES256_GMAC, TL_TAG_PER_FRAME, 12, { 0, 2, 1, 5 }, { 0 }, TL_CARRIER_SEP },
    { "some bytes",
      TL_SUITE_AES128_GMAC,
      TL_TAG_PER_MESSAGE,
      12,
      { 0, 5, 4, 2 },
      { 1, 3, 7 },
      TL_CARRIER_SEP },
    { "some lines",
      TL_SUITE_AES128_GMAC,
      TL_TAG_PER_MESSAGE,
      16,
      { 0, 2, 3, 2 },
      { 0, 1, 2 },
      TL_CARRIER_SEP },
    { "without keys", TL_SUITE_NONE, TL_TAG_PER_MESSAGE, 0, { 0, 5, 5, 5 }, { 0 }, TL_CARRIER_SEP },
    { "in memory", TL_SUITE_AES128_GMAC, TL_TAG_PER_MESSAGE, 16, { 0, 2, 1, 2 }, { 0 }, TL_CARRIER_FSED },
    { "in memory, lists",
      TL_SUITE_AES128_GMAC,
      TL_TAG_PER_DATA_TYPE,
      16,
      { 0, 2, 3, 2 },
      { 0, 1, 2 },
      TL_CARRIER_FSED },
};

enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

static backend own;
static const tl_crypto *crypto;
static stream_file file;
static tl_loop loop;
static tl_packets frames[FRAMES_ROOM];
static size_t frame_n, pause_at; /* a packet with a long silence in front of it; 0: none */
static tl_packets flat;
static char folder[] = "/dev/shm/verify_XXXXXX"; /* in memory: each report is synced to its disk */
static char names[PATHS][64];

static const char *path(unsigned i, const char *name)
{
    (void)snprintf(names[i], sizeof names[i], "%s/%s", folder, name);
    return names[i];
}

static void set_file(const scenario *s)
{
    tl_fault fault;

    stream_file_init(&file);
    file.stream = 7;
    file.width = 16;
    file.height = 4;
    file.embedded_top = file.embedded_bottom = 1;
    file.suite = s->suite;
    file.tag_mode = s->mode;
    file.tag_size = s->tag;
    file.variant_top = s->variant[1];
    file.variant_middle = s->variant[2];
    file.variant_bottom = s->variant[3];
    file.pattern[TL_BLOCK_MIDDLE] = s->pattern;
    assert_int_equal(stream_file_build(&file, "test", &fault), TL_EXIT_OK);
    file.config.carrier = s->carrier;
    file.config.frame_timeout_ms = TAPE_FRAME_TIMEOUT_MS;
}

static void write_keys(const char *mode, uint8_t session, const uint32_t *epochs, size_t n)
{
    FILE *out = fopen(path(1, "t.keys"), mode);
    tl_key_source source;
    uint8_t secret[TL_HASH_MAX];
    size_t size;

    assert_non_null(out);
    tl_assert_ok(tl_loop_source(&loop, &source, session));
    for (size_t i = 0; i < n; i++) {
        tl_assert_ok(tl_key_source_secret(&source, epochs[i], secret, &size));
        (void)fprintf(out, "stream 7 epoch %u secret ", (unsigned)epochs[i]);
        hex_print(out, tl_span_of(secret, size));
        (void)fputc('\n', out);
    }
    assert_int_equal(fclose(out), 0);
    tl_key_source_wipe(&source);
}

/* Clean frames of a stream, each to itself; the loop's receiver has seen nothing yet. */
static void make(const scenario *s)
{
    static const uint32_t epoch = 0;
    tl_fault fault;

    set_file(s);
    memset(&loop, 0, sizeof loop);
    tl_loop_init(&loop, crypto);
    loop.config = file.config;
    loop.rx_config = file.config;
    loop.rx_batch = 1;
    loop.tx_batch = 4;
    tl_assert_ok(tl_loop_open(&loop, 0));
    for (frame_n = 0; frame_n < FRAMES; frame_n++)
        tl_assert_ok(tl_loop_send(&loop, &frames[frame_n]));
    write_keys("w", 0, &epoch, 1);
    assert_int_equal(stream_file_write(&file, path(2, "t.json"), TL_FILE_REPLACE, &fault), TL_EXIT_OK);
}

static void drop_all(void)
{
    for (size_t i = 0; i < frame_n; i++)
        tl_packets_free(&frames[i]);
    memset(frames, 0, sizeof frames);
    tl_packets_free(&flat);
    memset(&flat, 0, sizeof flat);
    pause_at = 0;
    tl_loop_close(&loop);
}

/* ---- recordings ---- */

static uint64_t time_of(size_t packet)
{
    return (1000 + packet + (pause_at != 0 && packet >= pause_at ? 6000 : 0)) * MS;
}

static void put32(FILE *out, uint32_t v)
{
    const uint8_t b[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };

    (void)fwrite(b, 1, sizeof b, out);
}

/* A classic pcap, nanoseconds, of the frames one after the other. */
static void record(void)
{
    static const uint8_t head[24] = { 0x4D, 0x3C, 0xB2, 0xA1,           2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                      0,    4,    0,    PCAP_LINK_CSI2, 0, 0, 0 };
    FILE *out = fopen(path(0, "t.pcap"), "wb");

    assert_non_null(out);
    tl_packets_free(&flat);
    memset(&flat, 0, sizeof flat);
    for (size_t i = 0; i < frame_n; i++)
        tl_packets_join(&flat, &frames[i]);
    (void)fwrite(head, 1, sizeof head, out);
    for (size_t i = 0; i < flat.n; i++) {
        put32(out, (uint32_t)(time_of(i) / 1000000000));
        put32(out, (uint32_t)(time_of(i) % 1000000000));
        put32(out, (uint32_t)flat.v[i].n);
        put32(out, (uint32_t)flat.v[i].n);
        (void)fwrite(flat.v[i].p, 1, flat.v[i].n, out);
    }
    assert_int_equal(fclose(out), 0);
}

static verify_options options_of(unsigned segment, unsigned segments, const char *to)
{
    return (verify_options){ .tape = { .path = names[0],
                                       .keys = names[1],
                                       .stream = names[2],
                                       .carrier = TAPE_AUTO,
                                       .virtual_channel = TAPE_AUTO,
                                       .release = TL_RELEASE_IN_PLACE,
                                       .crypto = BACKEND_OPENSSL },
                             .segment = segment,
                             .segments = segments,
                             .report = to,
                             .version = "test",
                             .quiet = true };
}

static char *text_of(const char *from)
{
    FILE *in = fopen(from, "rb");
    char *text = calloc(1, 1 << 20);

    assert_non_null(in);
    assert_non_null(text);
    (void)fread(text, 1, (1 << 20) - 1, in);
    (void)fclose(in);
    return text;
}

/* In a file, `old` becomes `new`. */
static inline void edit(const char *name, const char *old, const char *new)
{
    char *text = text_of(name), *at = strstr(text, old);
    FILE *out = fopen(name, "wb");

    assert_non_null(at);
    assert_non_null(out);
    (void)fprintf(out, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    assert_int_equal(fclose(out), 0);
    free(text);
}

static int set_up(void **state)
{
    if (mkdtemp(folder) == NULL) {
        memcpy(folder, "/tmp/verify_XXXXXX", sizeof "/tmp/verify_XXXXXX");
        if (mkdtemp(folder) == NULL)
            return -1;
    }
    (void)state;
    tl_assert_ok(backend_open(&own, BACKEND_OPENSSL, 0));
    crypto = own.crypto;
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        return -1;
    (void)state;
    backend_close(&own);
    return 0;
}

#endif
